"""The short loop: its batches, its rates, what happens before a step."""

import pytest
import torch
from torch import nn

from qkv.training.fine_tuning import Shuffled, fine_tune
from qkv.training.loop import TrainingError


def test_epochs_hold_every_item_once_and_batches_are_full():
    batches = Shuffled("abcdefg", 3, seed=0)
    drawn = [batches[step] for step in range(7)]
    assert all(len(batch) == 3 for batch in drawn)
    stream = [item for batch in drawn for item in batch]
    epochs = [stream[i : i + 7] for i in range(0, 21, 7)]
    assert all(sorted(epoch) == list("abcdefg") for epoch in epochs)
    assert epochs[0] != epochs[1]
    assert Shuffled("abcdefg", 3, seed=0)[4] == drawn[4]
    assert [Shuffled("abcdefg", 3, seed=1)[step] for step in range(7)] != drawn
    assert len(Shuffled("ab", 5, 0)[0]) == 5


@pytest.mark.parametrize(("items", "size"), [("", 2), ("ab", 0)])
def test_nothing_to_draw(items, size):
    with pytest.raises(ValueError, match="expected items and batch_size >= 1"):
        Shuffled(items, size, 0)


def test_rates_by_hand():
    """Plain SGD on a loss with slope 1: a weight moves by its group's rate times the factor of the step."""
    model = nn.ParameterList([nn.Parameter(torch.zeros(())) for _ in range(2)])
    optimizer = torch.optim.SGD([{"params": [model[0]], "lr": 1.0}, {"params": [model[1]], "lr": 0.1}])
    seen = []
    losses = fine_tune(
        model, lambda batch: model[0] + model[1], Shuffled([0], 1, 0), optimizer, [1.0, 0.5].__getitem__, 2,
        lambda step: seen.append((step, model.training)), clip_norm=100.0,
    )  # fmt: skip
    assert [each.item() for each in model] == pytest.approx([-1.5, -0.15])
    assert losses == pytest.approx([0, -1.1])
    assert seen == [(0, True), (1, True)]
    assert not model.training


def test_a_weight_that_is_frozen_before_a_step_stands_still():
    model = nn.ParameterList([nn.Parameter(torch.zeros(())) for _ in range(2)])
    optimizer = torch.optim.SGD(model.parameters(), lr=1.0)

    def thaw(step):
        model[0].requires_grad_(step > 0)

    fine_tune(
        model, lambda batch: model[0] + model[1], Shuffled([0], 1, 0), optimizer, lambda step: 1.0, 3, thaw, 100.0
    )
    assert [each.item() for each in model] == [-2.0, -3.0]


def test_long_gradients_are_cut():
    model = nn.ParameterList([nn.Parameter(torch.zeros(()))])
    optimizer = torch.optim.SGD(model.parameters(), lr=1.0)
    fine_tune(model, lambda batch: 50 * model[0], Shuffled([0], 1, 0), optimizer, lambda step: 1.0, 1, clip_norm=2.0)
    assert model[0].item() == pytest.approx(-2.0, rel=1e-4)


def test_a_loss_that_is_no_number_stops_the_run():
    model = nn.ParameterList([nn.Parameter(torch.zeros(()))])
    optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
    with pytest.raises(TrainingError, match=r"step 0: loss nan; peak rates \[0.5\]"):
        fine_tune(model, lambda batch: model[0] / 0 * 0, Shuffled([0], 1, 0), optimizer, lambda step: 1.0, 1)
