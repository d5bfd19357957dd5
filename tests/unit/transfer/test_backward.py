"""Text back to front, padding where it was."""

import pytest
import torch

from qkv.transfer.backward import mean_prediction, reversed_ids


def test_by_hand():
    ids, lengths = torch.tensor([[5, 6, 7, 0, 0], [1, 2, 3, 4, 5], [9, 0, 0, 0, 0]]), torch.tensor([3, 5, 1])
    mirrored = reversed_ids(ids, lengths)
    assert mirrored.tolist() == [[7, 6, 5, 0, 0], [5, 4, 3, 2, 1], [9, 0, 0, 0, 0]]
    assert torch.equal(reversed_ids(mirrored, lengths), ids)


@pytest.mark.parametrize("wrong", [0, 6])
def test_lengths_that_cannot_be(wrong):
    with pytest.raises(ValueError, match=f"sequence 0 has length {wrong}"):
        reversed_ids(torch.zeros(1, 5, dtype=torch.long), torch.tensor([wrong]))


def test_mean_of_probabilities_not_of_scores():
    """One is sure of class 0 (1 and 0), the other torn (1/2 and 1/2): 3/4 and 1/4."""
    sure, torn = torch.tensor([[100.0, 0]]), torch.tensor([[7.0, 7]])
    assert mean_prediction(sure, torn).tolist() == [[0.75, 0.25]]
