"""Tables of positions, right and wrong, and what each of them keeps of the promises of the right one.

A table has one row per position and two neighbouring columns per clock hand: its sine and its cosine.
"""

import math
from collections.abc import Callable
from typing import Final

import torch
from einops import rearrange
from jaxtyping import Bool, Complex, Float
from torch import Tensor

from qkv.nn.positions import sinusoidal

Table = Float[Tensor, "t d_model"]


def waves(
    length: int, d_model: int, *, base: float = 10_000.0, exponent: float = 1.0, cosine_ahead: int = 0, first: int = 0
) -> Table:
    """Column 2i: sin(p / base^(exponent · 2i / d_model)); column 2i + 1: the cosine; the defaults are the paper's.

    Args:
        exponent: factor on the exponent; 2 doubles it.
        cosine_ahead: by how much the cosine's 2i is larger than the sine's; 1 takes its own column for it.
        first: the position of row 0.

    Raises:
        ValueError: a d_model that is odd or below 2.
    """
    if d_model < 2 or d_model % 2:
        raise ValueError(f"waves: expected an even d_model of at least 2, got {d_model}")
    even = torch.arange(0, d_model, 2, dtype=torch.float64)
    position = torch.arange(first, first + length, dtype=torch.float64)[:, None]
    sine, cosine = (position / base ** (exponent * column / d_model) for column in (even, even + cosine_ahead))
    return rearrange(torch.stack([sine.sin(), cosine.cos()]), "two t i -> t (i two)").float()


def side_by_side(length: int, d_model: int) -> Table:
    """All sines in the left half, all cosines in the right one."""
    return rearrange(waves(length, d_model), "t (i two) -> t (two i)", two=2)


VERSIONS: Final[dict[str, Callable[[int, int], Table]]] = {
    "formula": waves,
    "doubled exponent": lambda length, d_model: waves(length, d_model, exponent=2.0),
    "cosine's own exponent": lambda length, d_model: waves(length, d_model, cosine_ahead=1),
    "not interleaved": side_by_side,
    "base 1000": lambda length, d_model: waves(length, d_model, base=1000.0),
    "starts at 1": lambda length, d_model: waves(length, d_model, first=1),
}
"""Name → table of this length and size; the first is right, the others are mistakes met in public code."""


def hands(table: Table) -> Complex[Tensor, "t i"]:
    """The tips of the clock hands as complex numbers, cos + i sin: turning a hand is multiplying its number."""
    table = table.double()
    return torch.complex(table[:, 1::2], table[:, 0::2])


def rows_equally_long(table: Table, tolerance: float = 1e-4) -> bool:
    """Is each row's length the same?  With sin² + cos² = 1 per hand it is √(d_model / 2)."""
    lengths = table.double().norm(dim=-1)
    return bool(lengths.max() - lengths.min() < tolerance)


def step_turns_hands(table: Table, step: int = 3, tolerance: float = 1e-4) -> bool:
    """Is the way from row p to row p + step, for each hand, one rotation that is the same for all p?"""
    before, after = hands(table)[:-step], hands(table)[step:]
    turn = (before.conj() * after).sum(0) / before.abs().square().sum(0)  # the factor that fits best
    return bool((after - before * turn).abs().max() < tolerance and (turn.abs() - 1).abs().max() < tolerance)


def only_distance_counts(table: Table, tolerance: float = 1e-4) -> bool:
    """Does the dot product of two rows depend on nothing but how far apart they are?"""
    products = table.double() @ table.double().T
    return all(bool(line.max() - line.min() < tolerance) for line in map(products.diagonal, range(len(table))))


def starts_with_zero_one(table: Table, tolerance: float = 1e-4) -> bool:
    """Is row 0 the row 0, 1, 0, 1, …: all hands point to the start?"""
    expected: Float[Tensor, " d_model"] = torch.tensor([0.0, 1.0]).repeat(table.shape[-1] // 2)
    return bool((table[0] - expected).abs().max() < tolerance)


def equals_formula(table: Table, tolerance: float = 1e-4) -> bool:
    """Are all numbers those of ``sinusoidal``?"""
    return bool((table - sinusoidal(*table.shape)).abs().max() < tolerance)


PROPERTIES: Final[dict[str, Callable[[Table], bool]]] = {
    "rows equally long": rows_equally_long,
    "a step turns the hands": step_turns_hands,
    "only distance counts": only_distance_counts,
    "row 0 is 0, 1, 0, 1": starts_with_zero_one,
    "equals the formula": equals_formula,
}
"""What is promised of the table → whether a table keeps it."""


def one_matrix_steps(table: Table, num_directions: int = 11, step: int = 1) -> float:
    """How well does one matrix take each row to the row ``step`` further on?  1 is exact, 0 no better than a constant.

    The matrix is fitted on the first half of the rows, within their strongest directions, and judged on the second
    half, by the share of the variance that it explains.  Clock hands need two directions each, a constant one more.
    """
    before, after = table[:-step].double(), table[step:].double()
    half = len(before) // 2
    left, sizes, right = torch.linalg.svd(before[:half], full_matrices=False)
    kept = int((sizes[:num_directions] > 1e-6 * sizes[0]).sum())
    matrix = right[:kept].T @ (left[:, :kept] / sizes[:kept]).T @ after[:half]
    error = (before[half:] @ matrix - after[half:]).square().sum()
    return (1 - error / (after[half:] - after[half:].mean(0)).square().sum()).item()


def periods(table: Table, count: int = 5) -> list[float]:
    """Positions per turn of the ``count`` strongest waves in the columns, fastest first.

    Fourier transform over the positions, squared sizes added over the columns; a wave counts where it is larger than
    all within a third of its own frequency.
    """
    power = torch.fft.rfft(table - table.mean(0), dim=0).abs().square().sum(-1)
    peaks = [
        i
        for i in range(1, len(power))
        if power[i] == power[max(1, math.floor(i * 2 / 3)) : math.ceil(i * 4 / 3) + 1].max()
    ]
    strongest = sorted(peaks, key=lambda i: -float(power[i]))[:count]
    return sorted(len(table) / i for i in strongest)


def neighbours_nearest(table: Table) -> Bool[Tensor, " t"]:
    """For each row: is the row most like it, by cosine, the one before or the one after?"""
    directions = torch.nn.functional.normalize(table, dim=-1)
    nearest = (directions @ directions.T).fill_diagonal_(-2).argmax(-1)
    return (nearest - torch.arange(len(table))).abs() == 1
