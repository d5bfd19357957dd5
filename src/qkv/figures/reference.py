"""The numbers behind the figures "d_k slider" and "clock"; the page computes the same in JavaScript.

The clock needs the sizes of its table only.  The rest is the d_k slider's, in NumPy and PyTorch.

A draw is one query and eight keys whose entries are coins, +1 or -1, so that a score q·k has variance exactly d_k.
The coins come from mulberry32, a 32-bit integer generator (Tommy Ettinger, public domain): its n-th word is a hash of
seed + (n + 1) * 0x6D2B79F5, so that every word can be had alone.  Bit b of word w is coin 32 w + b; a draw takes
9 * ceil(d_k / 32) words, the query first.
"""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from jaxtyping import Float, Int, UInt32
from torch import Tensor

STOPS: Final = (1, 4, 16, 64, 256, 512)
NUM_KEYS: Final = 8
NUM_DRAWS: Final = 1500
SEED: Final = 11

CLOCK_LENGTH: Final = 64
CLOCK_D_MODEL: Final = 16
CLOCK_FURTHEST: Final = 20  # the largest offset


@dataclass(frozen=True)
class Spread:
    """One quantity over many draws: its 10th, 50th and 90th percentile and its mean."""

    low: float
    median: float
    high: float
    mean: float

    @classmethod
    def of(cls, values: Float[Tensor, "draws"]) -> "Spread":
        """Percentiles are interpolated linearly, as NumPy does by default."""
        low, median, high = torch.quantile(values, torch.tensor([0.1, 0.5, 0.9], dtype=values.dtype)).tolist()
        return cls(low, median, high, values.mean().item())


def words(seed: int, start: int, count: int) -> UInt32[np.ndarray, "count"]:
    """Words ``start``, ``start + 1``, … of mulberry32; all arithmetic is modulo 2^32."""
    n = np.arange(start + 1, start + count + 1, dtype=np.uint32)
    state = np.uint32(seed) + n * np.uint32(0x6D2B79F5)
    mixed = (state ^ (state >> np.uint32(15))) * (state | np.uint32(1))
    mixed ^= mixed + (mixed ^ (mixed >> np.uint32(7))) * (mixed | np.uint32(61))
    return mixed ^ (mixed >> np.uint32(14))


def coins(d_k: int, num_draws: int = NUM_DRAWS, seed: int = SEED) -> Int[np.ndarray, "draws vectors d_k"]:
    """Draws of one query (vector 0) and eight keys (vectors 1 to 8), every entry +1 or -1."""
    per_vector = math.ceil(d_k / 32)
    drawn = words(seed, 0, num_draws * (NUM_KEYS + 1) * per_vector)
    bits = (drawn[:, None] >> np.arange(32, dtype=np.uint32)) & 1
    return bits.reshape(num_draws, NUM_KEYS + 1, 32 * per_vector)[..., :d_k].astype(np.int64) * 2 - 1


def softmax_slope(weights: Float[Tensor, "*b t_k"]) -> Float[Tensor, "*b t_k t_k"]:
    """diag(w) - w wᵀ: the slope of the weights with respect to what softmax receives."""
    return torch.diag_embed(weights) - weights[..., :, None] * weights[..., None, :]


def measure(drawn: Int[np.ndarray, "draws vectors d_k"], scaled: bool) -> dict[str, Float[Tensor, "draws *t_k"]]:
    """What the figure shows of each draw.

    Returns:
        ``weights`` (draws, t_k), largest first; ``top``, the largest weight; ``entropy`` in nats;
        ``slope``, the norm of the slope of the weights with respect to softmax's input; ``slope_q``, the norm of
        their slope with respect to the query (norms are Frobenius norms).
    """
    query, key = (torch.tensor(part, dtype=torch.float64) for part in (drawn[:, 0], drawn[:, 1:]))
    scale = 1 / math.sqrt(drawn.shape[-1]) if scaled else 1.0
    weights = torch.softmax(scale * torch.einsum("n d, n k d -> n k", query, key), dim=-1)
    slope = softmax_slope(weights)
    return {
        "weights": weights.sort(dim=-1, descending=True).values,
        "top": weights.amax(-1),
        "entropy": torch.special.entr(weights).sum(-1),
        "slope": torch.linalg.matrix_norm(slope),
        "slope_q": torch.linalg.matrix_norm(scale * slope @ key),
    }


def summary(d_k: int, scaled: bool, num_draws: int = NUM_DRAWS, seed: int = SEED) -> dict[str, Spread]:
    """``top``, ``entropy``, ``slope`` and ``slope_q`` over all draws."""
    measured = measure(coins(d_k, num_draws, seed), scaled)
    return {name: Spread.of(values) for name, values in measured.items() if name != "weights"}


def two_key_slope(gap: float | int) -> float:
    """The slope w (1 - w) of the first of two weights whose scores differ by ``gap``."""
    weight = 1 / (1 + math.exp(-gap))
    return weight * (1 - weight)
