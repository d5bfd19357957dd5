"""Fine-tuning: a short run in memory, with a rate for each group of weights, and layers that may join one by one.

``qkv.training.loop`` is for runs of an hour: one rate, checkpoints.  Here a run takes seconds and is kept by nobody.
"""

import math
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import torch
from torch import Tensor, nn

from qkv.training.loop import Batches, TrainingError


class Shuffled:
    """The batch of step 0, 1, …, from seed and step alone: epoch after epoch in a new order, every batch full.

    A batch may reach over the end of an epoch; where there are fewer items than a batch has places, some are in it
    more than once.

    Raises:
        ValueError: no items, or a batch size below 1.
    """

    def __init__(self, items: Sequence[Any], batch_size: int, seed: int):
        if not items or batch_size < 1:
            raise ValueError(f"expected items and batch_size >= 1, got {len(items)} items and {batch_size}")
        self.items, self.batch_size, self.seed = items, batch_size, seed
        self._order = cache(self._drawn)

    def __getitem__(self, step: int) -> list[Any]:
        places = range(step * self.batch_size, (step + 1) * self.batch_size)
        found = (divmod(place, len(self.items)) for place in places)
        return [self.items[self._order(epoch)[place]] for epoch, place in found]

    def _drawn(self, epoch: int) -> list[int]:
        generator = torch.Generator().manual_seed(self.seed * 1_000_003 + epoch)
        return torch.randperm(len(self.items), generator=generator).tolist()


def fine_tune(
    model: nn.Module,
    loss: Callable[[Any], Tensor],
    batches: Batches,
    optimizer: torch.optim.Optimizer,
    schedule: Callable[[int], float],
    num_steps: int,
    before_step: Callable[[int], None] = lambda step: None,
    clip_norm: float = 1.0,
) -> list[float]:
    """Train in place; returns the loss of every step, and leaves the model in ``eval()``.

    Args:
        loss: of a batch, as one number.
        optimizer: the rates of its groups are their peaks.
        schedule: step 0, 1, … → factor on all rates.
        before_step: what is to happen before each step, such as unfreezing a layer.

    Raises:
        TrainingError: the loss is NaN or infinite; it names the step.
    """
    peaks, losses = [group["lr"] for group in optimizer.param_groups], []
    model.train()
    for step in range(num_steps):
        before_step(step)
        for group, peak in zip(optimizer.param_groups, peaks, strict=True):
            group["lr"] = peak * schedule(step)
        optimizer.zero_grad(set_to_none=True)
        value = loss(batches[step])
        losses.append(value.item())
        if not math.isfinite(losses[-1]):
            raise TrainingError(f"fine-tuning, step {step}: loss {losses[-1]}; peak rates {peaks}")
        value.backward()
        nn.utils.clip_grad_norm_(model.parameters(), clip_norm)
        optimizer.step()
    model.eval()
    return losses
