"""Checkpoints: everything a run needs to go on as if nothing had happened, and the mean of several."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

State = dict[str, Any]


def save(state: State, folder: Path, step: int) -> Path:
    """Write ``step_000123.pt`` whole or not at all; a run killed while writing leaves the one before."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"step_{step:06d}.pt"
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    torch.save(state, partial)
    partial.replace(path)
    return path


def load(path: Path) -> State:
    """The state in a file; tensors, numbers and lists only, no code."""
    return torch.load(path, weights_only=True)


def latest(folder: Path) -> Path | None:
    """The checkpoint with the highest step, or None."""
    return max(folder.glob("step_*.pt"), default=None)


def last(folder: Path, count: int) -> list[State]:
    """The model's state in each of the last checkpoints of a run, oldest first.

    Raises:
        ValueError: there are fewer of them.
    """
    paths = sorted(folder.glob("step_*.pt"))[-count:]
    if len(paths) < count:
        raise ValueError(f"expected at least {count} checkpoints to average, found {len(paths)}")
    return [load(path)["model"] for path in paths]


def average(states: Sequence[dict[str, Tensor]]) -> dict[str, Tensor]:
    """The mean of every weight over several checkpoints of one run (Vaswani et al. 2017, section 6.1: the last 5).

    Sums are taken in float64.  Raises ValueError: no states, or states with different names.
    """
    if not states or any(state.keys() != states[0].keys() for state in states):
        raise ValueError(f"expected at least one state and the same names in all, got {len(states)} states")
    means = {name: torch.stack([state[name].double() for state in states]).mean(0) for name in states[0]}
    return {name: mean.to(states[0][name].dtype) for name, mean in means.items()}
