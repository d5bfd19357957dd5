"""Which heads does a model need?  Silence some, or ask the gradient (Michel, Levy and Neubig 2019).

A gate is a factor on what a head hands on: 1 leaves it alone, 0 silences it.  Models take gates by the name of the
attention (``head_gates={"encoder0.self_attention": tensor}``), so nothing here knows any model.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

import torch
from torch import Tensor

Gates = dict[str, Tensor]


class Head(NamedTuple):
    """One head: the name of its attention, and its number, counted from 0."""

    attention: str
    number: int


def every_head(num_heads: Mapping[str, int]) -> list[Head]:
    """All heads of a model; ``num_heads`` says how many each attention has."""
    return [Head(name, number) for name, count in num_heads.items() for number in range(count)]


def without(num_heads: Mapping[str, int], removed: Iterable[Head]) -> Gates:
    """Gates, (h) for each attention, that silence these heads.

    Raises:
        ValueError: there is no such head.
    """
    gates = {name: torch.ones(count) for name, count in num_heads.items()}
    for name, number in removed:
        if not 0 <= number < num_heads.get(name, 0):
            raise ValueError(f"expected heads of {dict(num_heads)}, got head {number} of {name!r}")
        gates[name][number] = 0.0
    return gates


def gradient_importance(
    losses: Callable[[Gates], Tensor], num_heads: Mapping[str, int], batch_size: int
) -> dict[Head, Tensor]:
    """|∂ loss / ∂ gate| of each head, for each example, (b): how steeply the loss moves when the head fades a little.

    Michel et al. (2019), equation 2, whose expectation is the mean over examples; ``normalised`` does what they do
    next.  One backward pass serves all heads, since every example has gates of its own.

    Args:
        losses: gates of shape (b, h) → the loss of each example, (b); the examples must not mix.

    Raises:
        ValueError: not one loss per example.
    """
    gates = {name: torch.ones(batch_size, count, requires_grad=True) for name, count in num_heads.items()}
    found = losses(gates)
    if found.shape != (batch_size,):
        raise ValueError(f"expected one loss per example, ({batch_size},), got {tuple(found.shape)}")
    slopes = torch.autograd.grad(found.sum(), list(gates.values()))
    by_name = dict(zip(gates, slopes, strict=True))
    return {head: by_name[head.attention][:, head.number].abs() for head in every_head(num_heads)}


def normalised(importance: Mapping[Head, float]) -> dict[Head, float]:
    """Each attention's importances divided by their Euclidean length, as in Michel et al. (2019), section 2.3.

    Otherwise attentions near the output would outweigh those far from it.
    """
    squares: dict[str, float] = {}
    for head, value in importance.items():
        squares[head.attention] = squares.get(head.attention, 0.0) + value**2
    return {head: value / squares[head.attention] ** 0.5 if value else 0.0 for head, value in importance.items()}
