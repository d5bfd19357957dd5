"""Positions: attention treats its keys as a set, so order has to be put in.  Four ways of doing it."""

import math

import torch
from einops import rearrange
from jaxtyping import Float, Integer
from torch import Tensor, nn


def sinusoidal(length: int, d_model: int) -> Float[Tensor, "t d_model"]:
    """PE(pos, 2i) = sin(pos / 10000^(2i / d_model)), PE(pos, 2i + 1) = cos(same angle)  (Vaswani et al. 2017, 3.5).

    Even columns are sines, odd ones cosines.  An odd d_model ends with a sine.

    Raises:
        ValueError: a length or a size below 1.
    """
    if min(length, d_model) < 1:
        raise ValueError(f"sinusoidal: expected length and d_model of at least 1, got {length} and {d_model}")
    even = torch.arange(0, d_model, 2, dtype=torch.float64)  # 2i
    angle = torch.arange(length, dtype=torch.float64)[:, None] / 10_000 ** (even / d_model)
    pairs = rearrange(torch.stack([angle.sin(), angle.cos()]), "two t i -> t (i two)")
    return pairs[:, :d_model].float()


class LearnedPositions(nn.Module):
    """One learnt vector per position (Gehring et al. 2017; GPT, BERT).  There is none beyond ``max_length``."""

    def __init__(self, max_length: int, d_model: int):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(max_length, d_model) * d_model**-0.5)

    def forward(self, length: int, start: int = 0) -> Float[Tensor, "t d_model"]:
        """Vectors of the positions start … start + length - 1.

        Raises:
            ValueError: they reach beyond the last position that was learnt.
        """
        if start + length > len(self.weight):
            raise ValueError(
                f"expected at most {len(self.weight)} positions, as many as were learnt, got {start + length}"
            )
        return self.weight[start : start + length]


class RotaryPositions(nn.Module):
    """Turns queries and keys by an angle that grows with position, so q · k sees only their distance.

    Entries i and i + d_k / 2 form a pair, turned by position · base^(-2i / d_k)  (Su et al. 2021, section 3.2.2; they
    pair neighbours 2i and 2i + 1, which is the same up to the order of entries.  Llama pairs halves, as here).

    Raises:
        ValueError: an odd d_k, whose last entry has no partner.
    """

    def __init__(self, d_k: int, base: float = 10_000.0):
        super().__init__()
        if d_k < 2 or d_k % 2:
            raise ValueError(f"RotaryPositions: expected an even d_k of at least 2, got {d_k}")
        self.frequency: Tensor
        even = torch.arange(0, d_k, 2, device="cpu")  # 2i; no weight, so it is there even in a model on "meta"
        self.register_buffer("frequency", base ** (-even / d_k), persistent=False)

    def forward(self, x: Float[Tensor, "*b t d_k"], start: int = 0) -> Float[Tensor, "*b t d_k"]:
        """Queries or keys of the positions start … start + t - 1, turned.  Lengths do not change."""
        if x.shape[-1] != 2 * len(self.frequency):
            raise ValueError(f"expected d_k = {2 * len(self.frequency)}, got {tuple(x.shape)}")
        position = torch.arange(start, start + x.shape[-2], device=x.device)
        angle = position[:, None] * self.frequency
        cos, sin = angle.cos().to(x.dtype), angle.sin().to(x.dtype)
        first, second = x.chunk(2, dim=-1)
        return torch.cat([first * cos - second * sin, second * cos + first * sin], dim=-1)


def alibi_slopes(num_heads: int) -> Float[Tensor, " h"]:
    """2^(-8/h), 2^(-16/h), …, 2^-8 for h heads, h a power of two (Press et al. 2022, section 3).

    For other h, as the authors' code does: the slopes of the next lower power of two, then every second one of the
    next higher.

    Raises:
        ValueError: no heads.
    """
    if num_heads < 1:
        raise ValueError(f"alibi_slopes: expected at least 1 head, got {num_heads}")
    lower = 2 ** math.floor(math.log2(num_heads))
    exponents = [8 * (i + 1) / lower for i in range(lower)]
    exponents += [4 * (2 * i + 1) / lower for i in range(num_heads - lower)]
    return 2.0 ** -torch.tensor(exponents)


def alibi_bias(num_heads: int, t_q: int, t_k: int | None = None) -> Float[Tensor, "h t_q t_k"]:
    """slope · -(distance to the key), for causal attention; queries are the last t_q of t_k positions.

    Far keys lose, in steps that differ from head to head.  What lies in the future is left at 0, for the causal mask.
    """
    t_k = t_q if t_k is None else t_k
    if not 1 <= t_q <= t_k:
        raise ValueError(f"alibi_bias: expected 1 <= t_q <= t_k, got {t_q} and {t_k}")
    distance: Integer[Tensor, "t_q t_k"] = torch.arange(t_k - t_q, t_k)[:, None] - torch.arange(t_k)
    return -alibi_slopes(num_heads)[:, None, None] * distance.clamp(min=0)
