"""Masks: by hand, how they combine, and what they refuse."""

import pytest
import torch
from torch import nn

from qkv.nn.attention import scaled_dot_product_attention
from qkv.nn.masks import causal, not_padding, prefix


def test_causal_by_hand():
    assert causal(3).tolist() == [[True, False, False], [True, True, False], [True, True, True]]


def test_prefix_by_hand():
    assert prefix(3, 2).tolist() == [[True, True, False], [True, True, False], [True, True, True]]


def test_prefix_lies_between_causal_and_open():
    assert torch.equal(prefix(5, 0), causal(5))
    assert torch.equal(prefix(5, 1), causal(5))
    assert prefix(5, 5).all()
    for length in range(5):
        assert bool((prefix(5, length) <= prefix(5, length + 1)).all())


@pytest.mark.parametrize("prefix_length", [-1, 4])
def test_a_prefix_is_part_of_the_text(prefix_length):
    with pytest.raises(ValueError, match=f"between 0 and 3, got {prefix_length}"):
        prefix(3, prefix_length)


def test_not_padding_by_hand():
    assert not_padding([2, 3]).tolist() == [[[True, True, False]], [[True, True, True]]]


def test_not_padding_reaches_max_length():
    assert not_padding([1, 2], max_length=4).int().tolist() == [[[1, 0, 0, 0]], [[1, 1, 0, 0]]]


def test_not_padding_takes_a_list_or_a_tensor():
    assert torch.equal(not_padding(torch.tensor([2, 5, 1])), not_padding([2, 5, 1]))


def test_masks_combine_with_and_even_when_the_batch_is_as_large_as_the_text():
    """With b = t a (b, t) padding mask would be read as (t_q, t_k) without a word; the (b, 1, t) mask cannot be."""
    lengths = [1, 3, 2]
    both = causal(3) & not_padding(lengths)
    assert both.shape == (3, 3, 3)
    for b, length in enumerate(lengths):
        for i in range(3):
            for j in range(3):
                assert both[b, i, j] == (j <= i and j < length)


def test_multi_head_attention_of_torch_means_the_opposite():
    """The inverted masks give nn.MultiheadAttention the very weights that ours give here."""
    torch.manual_seed(0)
    theirs = nn.MultiheadAttention(6, num_heads=1, bias=False, batch_first=True).eval()
    x = torch.randn(2, 5, 6)
    padding = not_padding([3, 5])
    _, expected = theirs(x, x, x, attn_mask=~causal(5), key_padding_mask=~padding[:, 0])
    query, key, value = (x @ weight.mT for weight in theirs.in_proj_weight.chunk(3))
    _, weights = scaled_dot_product_attention(query, key, value, causal(5) & padding)
    torch.testing.assert_close(weights, expected, rtol=0, atol=1e-6)


@pytest.mark.parametrize("length", [0, -2])
def test_causal_refuses(length):
    with pytest.raises(ValueError, match=f"at least 1, got {length}"):
        causal(length)


@pytest.mark.parametrize(
    ("lengths", "max_length", "error", "message"),
    [
        ([3, 0, 2], None, ValueError, "sequence 1 has length 0, expected at least 1"),
        ([3, 2, -1], None, ValueError, "sequence 2 has length -1, expected at least 1"),
        ([3, 6], 5, ValueError, "sequence 1 has length 6, above max_length = 5"),
        ([3, 1], 0, ValueError, "sequence 0 has length 3, above max_length = 0"),
        ([], None, ValueError, r"shape \(b,\), got shape \(0,\)"),
        ([[1, 2]], None, ValueError, r"shape \(b,\), got shape \(1, 2\)"),
        ([1.0, 2.0], None, TypeError, "whole numbers, got torch.float32"),
        ([True, True], None, TypeError, "whole numbers, got torch.bool"),
    ],
)
def test_not_padding_refuses(plain_masks, lengths, max_length, error, message):
    with pytest.raises(error, match=message):
        plain_masks.not_padding(lengths, max_length)
