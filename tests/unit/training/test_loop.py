"""The loop: the loss it minimises, resuming to the same numbers, stopping at NaN, averaging."""

from functools import partial

import pytest
import torch
from torch import nn

from qkv.training import checkpoint
from qkv.training.loop import Settings, TrainingError, smoothed_loss, train
from qkv.training.schedules import warmup_cosine

STEPS = 9
SETTINGS = Settings(STEPS, 1e-2, checkpoint_every=4)
SCHEDULE = partial(warmup_cosine, num_steps=STEPS, warmup_steps=2)


class KilledError(Exception):
    """Stands for a power cut."""


class Data:
    """Random batches by step; at ``killed_at`` the run dies, at ``broken_at`` a number is not one."""

    def __init__(self, killed_at: int | None = None, broken_at: int | None = None):
        self.killed_at, self.broken_at = killed_at, broken_at

    def __getitem__(self, step: int) -> tuple[torch.Tensor, torch.Tensor]:
        if step == self.killed_at:
            raise KilledError
        generator = torch.Generator().manual_seed(step)
        x = torch.randn(4, 3, 5, generator=generator) * (float("nan") if step == self.broken_at else 1.0)
        return x, torch.randint(0, 7, (4, 3), generator=generator)


def loss(model, batch):
    return smoothed_loss(model(batch[0]), batch[1], pad_id=0, smoothing=0.1)


def new_model() -> nn.Module:
    """With dropout, so that resuming has to restore the random state too."""
    torch.manual_seed(3)
    return nn.Sequential(nn.Linear(5, 16), nn.Dropout(0.3), nn.ReLU(), nn.Linear(16, 7))


def run(folder, data=None, model=None):
    model = model or new_model()
    return model, train(model, data or Data(), loss, SETTINGS, SCHEDULE, folder)


@pytest.mark.parametrize("killed_at", range(STEPS))
def test_a_run_killed_at_any_step_resumes_to_the_identical_numbers(tmp_path, killed_at):
    whole_model, whole = run(tmp_path / "whole")
    with pytest.raises(KilledError):
        run(tmp_path / "killed", Data(killed_at=killed_at))
    torch.rand(100)  # whatever else used random numbers in between
    model, history = run(tmp_path / "killed")
    assert history == whole
    assert all(torch.equal(a, b) for a, b in zip(model.parameters(), whole_model.parameters(), strict=True))


def test_a_finished_run_is_not_run_again(tmp_path):
    _, history = run(tmp_path)
    assert run(tmp_path, Data(killed_at=0))[1] == history


def test_history_and_checkpoints(tmp_path):
    _, history = run(tmp_path)
    assert [record["step"] for record in history] == list(range(1, STEPS + 1))
    assert [record["lr"] for record in history] == pytest.approx([1e-2 * SCHEDULE(s) for s in range(1, STEPS + 1)])
    assert sorted(path.name for path in tmp_path.iterdir()) == [f"step_00000{step}.pt" for step in (4, 8, 9)]


def test_it_learns(tmp_path):
    """One batch, seen 60 times."""

    class Same(Data):
        def __getitem__(self, step):
            return super().__getitem__(0)

    settings = Settings(60, 3e-2, checkpoint_every=60)
    history = train(new_model(), Same(), loss, settings, lambda step: 1.0, tmp_path)
    assert history[-1]["loss"] < 0.7 * history[0]["loss"]


def test_nan_names_step_rate_and_checkpoint(tmp_path):
    with pytest.raises(TrainingError, match=r"step 7, learning rate 0.00188.*loss nan.*step_000004\.pt"):
        run(tmp_path, Data(broken_at=6))
    assert checkpoint.latest(tmp_path).name == "step_000004.pt"


def test_nan_before_any_checkpoint(tmp_path):
    model = new_model()
    before = [parameter.clone() for parameter in model.parameters()]
    with pytest.raises(TrainingError, match="last good checkpoint: none"):
        run(tmp_path, Data(broken_at=0), model)
    assert all(torch.equal(a, b) for a, b in zip(model.parameters(), before, strict=True))


def test_observing_leaves_the_run_as_it_was(tmp_path):
    def observe(step, model):
        assert not model.training
        return {"seen": float(step)}

    model = new_model()
    history = train(model, Data(), loss, SETTINGS, SCHEDULE, tmp_path / "a", observe)
    assert [record["seen"] for record in history if "seen" in record] == [4.0, 8.0, 9.0]
    assert model.training
    plain = run(tmp_path / "b")[1]
    assert [record["loss"] for record in history] == [record["loss"] for record in plain]


def test_smoothed_loss_by_definition():
    logits, labels = torch.randn(2, 3, 7).double(), torch.tensor([[1, 2, 0], [3, 0, 0]])
    log_odds = logits.log_softmax(-1)
    expected = 0.0
    for row, column, label in ((0, 0, 1), (0, 1, 2), (1, 0, 3)):
        target = torch.full((7,), 0.1 / 7).double()
        target[label] += 0.9
        expected -= (target * log_odds[row, column]).sum()
    losses, tokens = smoothed_loss(logits, labels, pad_id=0, smoothing=0.1)
    torch.testing.assert_close(losses, expected)
    assert tokens == 3


def test_the_gradient_is_clipped(tmp_path):
    """The history keeps the norm before clipping; the optimizer sees the one after it."""
    model = new_model()
    settings = Settings(1, 1e-2, clip_norm=0.01, checkpoint_every=1)
    history = train(model, Data(), loss, settings, lambda step: 1.0, tmp_path)
    norm = torch.stack([parameter.grad.norm() for parameter in model.parameters()]).norm()
    assert history[0]["gradient_norm"] > 0.01
    assert norm.item() == pytest.approx(0.01, rel=1e-3)


def test_average_by_hand():
    states = [{"w": torch.tensor([1.0, 2.0])}, {"w": torch.tensor([3.0, 6.0])}]
    assert checkpoint.average(states)["w"].tolist() == [2.0, 4.0]


@pytest.mark.parametrize("states", [[], [{"a": torch.zeros(1)}, {"b": torch.zeros(1)}]])
def test_no_average(states):
    with pytest.raises(ValueError, match="the same names in all"):
        checkpoint.average(states)


@pytest.mark.parametrize("wrong", [{"num_steps": 0}, {"peak_lr": 0.0}, {"clip_norm": 0.0}, {"checkpoint_every": 0}])
def test_settings_that_cannot_be(wrong):
    with pytest.raises(ValueError, match="expected"):
        Settings(**({"num_steps": 5, "peak_lr": 1e-3} | wrong))


def test_groups_decay_as_they_say(tmp_path):
    """A rate so small that gradients move nothing to speak of, and a decay that takes a tenth at each step."""
    settings = Settings(1, 1e-9, weight_decay=1e8)
    for groups, kept in (((lambda model: [{"params": model.parameters(), "weight_decay": 0.0}]), 1.0), (None, 0.9)):
        model = new_model()
        before = [parameter.detach().clone() for parameter in model.parameters()]
        chosen = {} if groups is None else {"groups": groups}
        train(model, Data(), loss, settings, lambda step: 1.0, tmp_path / str(kept), **chosen)
        for old, new in zip(before, model.parameters(), strict=True):
            torch.testing.assert_close(new.detach(), kept * old, rtol=0, atol=1e-6)
