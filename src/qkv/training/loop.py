"""One training loop for every model of the course.

It knows no model: it gets a function that turns a batch into a sum of losses and a number of target tokens.  A run is
determined by settings, batches and seed; killed at any step, it goes on from its last checkpoint to the same numbers.
"""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import torch
from jaxtyping import Float, Integer
from torch import Tensor, nn
from torch.nn import functional

from qkv.assets import QkvError
from qkv.training import checkpoint
from qkv.training.distributed import global_sum, rank, world_size

Record = dict[str, int | float]
Loss = Callable[[nn.Module, Any], tuple[Tensor, Tensor]]  # model, batch → sum of losses, number of target tokens


class TrainingError(QkvError, ArithmeticError):
    """A loss or gradient stopped being a number."""


@runtime_checkable
class Batches(Protocol):
    """The batch of every step, 0, 1, 2, …: a function of the step alone."""

    def __getitem__(self, step: int) -> Any: ...


@dataclass(frozen=True)
class Settings:
    """What a run is determined by, besides model, batches and schedule.

    ``checkpoint_every`` is in steps; the last step is always kept.

    Raises:
        ValueError: a number of steps below 1, or a rate or norm that is not above 0.
    """

    num_steps: int
    peak_lr: float
    clip_norm: float = 1.0
    weight_decay: float = 0.01
    betas: tuple[float, float] = (0.9, 0.98)
    checkpoint_every: int = 1000
    seed: int = 0

    def __post_init__(self) -> None:
        if min(self.num_steps, self.checkpoint_every) < 1:
            raise ValueError(f"expected at least 1 step, got {self.num_steps} and {self.checkpoint_every}")
        if not (self.peak_lr > 0 and self.clip_norm > 0):
            raise ValueError(f"expected peak_lr and clip_norm above 0, got {self.peak_lr} and {self.clip_norm}")


def smoothed_loss(
    logits: Float[Tensor, "b t v"], labels: Integer[Tensor, "b t"], pad_id: int, smoothing: float
) -> tuple[Float[Tensor, ""], Integer[Tensor, ""]]:
    """Sum of cross-entropies in nats, and how many labels are no padding.

    The target is 1 - smoothing on the label plus smoothing / v on every entry (Szegedy et al. 2016, section 7).
    """
    losses = functional.cross_entropy(
        logits.flatten(0, 1), labels.flatten(), ignore_index=pad_id, label_smoothing=smoothing, reduction="sum"
    )
    return losses, (labels != pad_id).sum()


def train(
    model: nn.Module,
    batches: Batches,
    loss: Loss,
    settings: Settings,
    schedule: Callable[[int], float],
    folder: Path,
    observe: Callable[[int, nn.Module], Record] | None = None,
    groups: Callable[[nn.Module], Iterable[Any]] = nn.Module.parameters,
) -> list[Record]:
    """AdamW with clipping; goes on from the last checkpoint in ``folder``, if there is one.

    Args:
        schedule: step 1, 2, … → factor on the peak rate.
        observe: what to note at each checkpoint besides the training loss, such as the loss on validation data.
        groups: model → what the optimizer gets, such as ``qkv.transfer.param_groups.decayed``; one rate is for all.

    Returns:
        The history: step, learning rate, mean loss per target token and gradient norm of every step.

    Raises:
        TrainingError: the loss or the gradient is NaN or infinite; it names step, rate and the last good checkpoint.
    """
    torch.manual_seed(settings.seed)
    optimizer = torch.optim.AdamW(
        groups(model), lr=settings.peak_lr, betas=settings.betas, weight_decay=settings.weight_decay
    )
    history = _resume(model, optimizer, folder)
    model.train()
    for step in range(len(history) + 1, settings.num_steps + 1):
        rate = settings.peak_lr * schedule(step)
        record = _step(model, optimizer, loss, batches[step - 1], rate, settings.clip_norm)
        history.append({"step": step, "lr": rate} | record)
        if not math.isfinite(record["loss"] + record["gradient_norm"]):
            raise TrainingError(
                f"step {step}, learning rate {rate:.3g}: loss {record['loss']}, gradient norm "
                f"{record['gradient_norm']}; last good checkpoint: {checkpoint.latest(folder) or 'none'}"
            )
        optimizer.step()
        if step % settings.checkpoint_every == 0 or step == settings.num_steps:
            if observe is not None:
                history[-1] |= _observed(observe, step, model)
            _keep(model, optimizer, history, folder)
    return history


def _step(
    model: nn.Module, optimizer: torch.optim.Optimizer, loss: Loss, batch: Any, rate: float, clip_norm: float
) -> Record:
    """Gradients of the mean over all target tokens of all processes; DDP takes means over processes, so times those."""
    for group in optimizer.param_groups:
        group["lr"] = rate
    optimizer.zero_grad(set_to_none=True)
    losses, tokens = loss(model, batch)
    all_tokens = global_sum(tokens)
    (losses * world_size() / all_tokens).backward()
    norm = nn.utils.clip_grad_norm_(model.parameters(), clip_norm)
    return {"loss": (global_sum(losses) / all_tokens).item(), "gradient_norm": norm.item()}


def _observed(observe: Callable[[int, nn.Module], Record], step: int, model: nn.Module) -> Record:
    model.eval()
    with torch.no_grad():
        noted = observe(step, model)
    model.train()
    return noted


def _keep(model: nn.Module, optimizer: torch.optim.Optimizer, history: list[Record], folder: Path) -> None:
    if rank() == 0:
        states: checkpoint.State = {"model": _plain(model).state_dict(), "optimizer": optimizer.state_dict()}
        checkpoint.save(states | {"history": history, "random": torch.get_rng_state()}, folder, len(history))


def _resume(model: nn.Module, optimizer: torch.optim.Optimizer, folder: Path) -> list[Record]:
    path = checkpoint.latest(folder)
    if path is None:
        return []
    state = checkpoint.load(path)
    _plain(model).load_state_dict(state["model"])
    optimizer.load_state_dict(state["optimizer"])
    torch.set_rng_state(state["random"])
    return state["history"]


def _plain(model: nn.Module) -> nn.Module:
    """The model itself, without the wrapping of DistributedDataParallel."""
    return model.module if isinstance(model, nn.parallel.DistributedDataParallel) else model
