"""What the prose of the attention lesson claims and its cells do not assert."""

import pytest
import torch

from qkv import toy
from qkv.nn.attention import AdditiveAttention, scaled_dot_product_attention, softmax, softmax_gradient
from qkv.nn.masks import causal

QUERY, KEY, VALUE = (torch.tensor(table, dtype=torch.float32) for table in (toy.QUERY, toy.KEY, toy.VALUE))


def test_section_1_swapping_the_word_swaps_cat_and_mat_only():
    _, hungry = scaled_dot_product_attention(QUERY[2:], KEY, VALUE)
    _, wet = scaled_dot_product_attention(torch.tensor([toy.QUERY_IT_WET], dtype=torch.float32), KEY, VALUE)
    torch.testing.assert_close(wet[:, [1, 0, 2]], hungry)


def test_section_2_the_change_gives_a_tie_and_two_lets_the_mat_win():
    for entry, mat in ((1, 4), (2, 6)):
        other = KEY.clone()
        other[1, 0] = entry
        assert (QUERY @ other.T)[2].tolist() == [4, mat, 0]


def test_section_3_the_suggested_scores_do_what_is_said():
    assert softmax(torch.tensor([1000.0, 0, 0])).tolist() == [1, 0, 0]
    torch.testing.assert_close(softmax(torch.tensor([5.0, 5, 5])), torch.full((3,), 1 / 3))
    assert not torch.exp(torch.tensor(102.0)).isfinite()


def test_section_4_no_query_leaves_the_triangle():
    queries = torch.randn(2000, 4, generator=torch.Generator().manual_seed(0)) * 50
    outputs, _ = scaled_dot_product_attention(queries, KEY, VALUE)
    assert (outputs >= 0).all()
    assert (outputs.sum(-1) <= 10 + 1e-4).all()


def test_section_5_three_equal_queries_hide_the_mistake_partly():
    """Down the columns equal rows share equally, so every row sums to 1 although the axis is wrong."""
    scores = QUERY[[2, 2, 2]] @ KEY.T / 2
    torch.testing.assert_close(torch.softmax(scores, dim=-2).sum(-1), torch.ones(3))
    assert not torch.allclose(torch.softmax(scores, dim=-1), torch.softmax(scores, dim=-2))


def test_section_7_the_width_of_the_scorer_does_not_change_the_shape():
    for d_hidden in (2, 50):
        _, weights = AdditiveAttention(d_query=4, d_key=4, d_hidden=d_hidden)(QUERY, KEY, VALUE)
        assert weights.shape == (3, 3)


def test_section_8_the_first_word_outputs_its_own_value_whatever_it_asks():
    for query in (QUERY, -QUERY, QUERY * 100):
        output, _ = scaled_dot_product_attention(query, KEY, VALUE, causal(3))
        torch.testing.assert_close(output[0], VALUE[0])


def test_section_8_a_word_with_nothing_to_read_is_an_error_that_names_the_row():
    may_attend = causal(3)
    may_attend[0, 0] = False
    with pytest.raises(ValueError, match="row 0"):
        scaled_dot_product_attention(QUERY, KEY, VALUE, may_attend)


def test_section_9_ten_times_the_scores_flatten_the_slopes():
    row = QUERY[2] @ KEY.T / 2
    assert softmax_gradient(softmax(row)).abs().max() > 0.2
    assert softmax_gradient(softmax(row * 10)).abs().max() < 1e-4
