"""Concat pooling: last, largest, mean, and of the padding nothing."""

import pytest
import torch

from qkv.transfer.pooling import concat_pooling


def test_by_hand():
    """Two texts of two entries per token: -1 4, -3 2 and padding; 1 0, 5 3, 0 6."""
    states = torch.tensor([[[-1.0, 4], [-3, 2], [9, 9]], [[1, 0], [5, 3], [0, 6]]])
    pooled = concat_pooling(states, torch.tensor([2, 3]))
    assert pooled.tolist() == [[-3, 2, -1, 4, -2, 3], [0, 6, 5, 6, 2, 3]]


def test_padding_counts_for_nothing():
    """Neither its numbers nor how much of it there is; no gradient goes there; a maximum may lie below 0."""
    states = -torch.rand(3, 7, 4, generator=torch.Generator().manual_seed(0)) - 1
    lengths = torch.tensor([7, 1, 4])
    pooled = concat_pooling(states, lengths)
    for row, length in enumerate(lengths):
        alone = states[row, :length]
        expected = torch.cat([alone[-1], alone.max(0).values, alone.mean(0)])
        torch.testing.assert_close(pooled[row], expected)
    wrecked = states.clone()
    wrecked[1, 1:], wrecked[2, 4:] = torch.nan, torch.inf
    wrecked.requires_grad_()
    torch.testing.assert_close(concat_pooling(wrecked, lengths), pooled)
    concat_pooling(wrecked, lengths).sum().backward()
    assert wrecked.grad.isfinite().all()
    assert (wrecked.grad.any(-1).sum(1) == lengths).all()


@pytest.mark.parametrize("wrong", [0, 8])
def test_lengths_that_cannot_be(wrong):
    with pytest.raises(ValueError, match=f"sequence 1 has length {wrong}"):
        concat_pooling(torch.zeros(2, 7, 3), torch.tensor([7, wrong]))
