"""Writing one token after another: greedy, beam, sampling.

No model is known here, only ``NextToken``: ids so far → scores of the next one.  With a cache, only the newest id is
run through the model; ``Cached`` does that.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import torch
from jaxtyping import Float, Integer
from torch import Tensor

from qkv.nn.attention import KeyValueCache


@runtime_checkable
class NextToken(Protocol):
    """Scores of the next token (logits), for a batch of sequences that begin with the start symbol."""

    def __call__(self, ids: Integer[Tensor, "b t"]) -> Float[Tensor, "b v"]:
        """Ids of shape (b, t), the start symbol included → scores of what follows."""
        ...

    def select(self, rows: Integer[Tensor, " k"]) -> None:
        """From now on the batch consists of these rows of the old one; a cache has to follow."""
        ...


class Slow:
    """Runs the whole sequence through the model at every step.

    ``logits(ids, rows)`` gives scores (b, t, v); ``rows`` says which of the first batch's sequences each row goes on.
    """

    def __init__(self, logits: Callable[[Tensor, Tensor], Tensor], batch_size: int):
        self.logits, self.rows = logits, torch.arange(batch_size)

    def __call__(self, ids: Integer[Tensor, "b t"]) -> Float[Tensor, "b v"]:
        """See ``NextToken``."""
        return self.logits(ids, self.rows)[:, -1]

    def select(self, rows: Integer[Tensor, " k"]) -> None:
        """See ``NextToken``."""
        self.rows = self.rows[rows]


class Cached:
    """Runs the newest token only; keys and values of the older ones are kept (``qkv.nn.attention.KeyValueCache``).

    ``logits(ids, rows, cache)`` gives scores (b, 1, v) for ids (b, 1) and fills the cache, by name of the attention.
    """

    def __init__(self, logits: Callable[[Tensor, Tensor, dict[str, KeyValueCache]], Tensor], batch_size: int):
        self.logits, self.rows = logits, torch.arange(batch_size)
        self.cache: dict[str, KeyValueCache] = {}

    def __call__(self, ids: Integer[Tensor, "b t"]) -> Float[Tensor, "b v"]:
        """See ``NextToken``."""
        return self.logits(ids[:, -1:], self.rows, self.cache)[:, -1]

    def select(self, rows: Integer[Tensor, " k"]) -> None:
        """See ``NextToken``."""
        self.rows = self.rows[rows]
        for kept in self.cache.values():
            kept.select(rows)


@dataclass(frozen=True)
class Limits:
    """Where a sequence starts and ends.

    Raises:
        ValueError: ``max_new_tokens`` is below 1.
    """

    start_id: int
    end_id: int
    max_new_tokens: int

    def __post_init__(self) -> None:
        if self.max_new_tokens < 1:
            raise ValueError(f"max_new_tokens: expected at least 1, got {self.max_new_tokens}")


@torch.no_grad()
def greedy(next_token: NextToken, batch_size: int, limits: Limits) -> list[list[int]]:
    """The most probable token at every step; returns ids without start and end."""
    return _write(next_token, batch_size, limits, lambda logits: logits.argmax(-1))


@torch.no_grad()
def sample(
    next_token: NextToken,
    batch_size: int,
    limits: Limits,
    generator: torch.Generator,
    *,
    temperature: float = 1.0,
    top_k: int | None = None,
    top_p: float = 1.0,
) -> list[list[int]]:
    """Each token drawn by its probability, after ``sharpened`` has changed the odds."""

    def draw(logits: Tensor) -> Tensor:
        odds = sharpened(logits, temperature, top_k, top_p).softmax(-1)
        return torch.multinomial(odds, 1, generator=generator)[:, 0]

    return _write(next_token, batch_size, limits, draw)


def sharpened(
    logits: Float[Tensor, "b v"], temperature: float = 1.0, top_k: int | None = None, top_p: float = 1.0
) -> Float[Tensor, "b v"]:
    """logits / temperature, with -inf for what may not be drawn.

    Args:
        top_k: keep the k best (Fan et al. 2018).
        top_p: then keep the fewest best tokens whose probabilities reach p together (Holtzman et al. 2020); the best
            one always stays.

    Raises:
        ValueError: temperature not above 0, top_k below 1, or top_p outside (0, 1].
    """
    if not temperature > 0 or (top_k is not None and top_k < 1) or not 0 < top_p <= 1:
        raise ValueError(
            f"expected temperature > 0, top_k >= 1 and 0 < top_p <= 1, got {temperature}, {top_k} and {top_p}"
        )
    values, order = (logits / temperature).sort(dim=-1, descending=True, stable=True)
    if top_k is not None:
        values[:, top_k:] = -math.inf
    shares = values.softmax(-1)
    before = shares.cumsum(-1) - shares  # what the better ones have together
    values = values.masked_fill(before >= top_p, -math.inf) if top_p < 1 else values
    return torch.empty_like(values).scatter_(-1, order, values)


@dataclass(frozen=True)
class Hypothesis:
    """A finished sequence, without start and end, and the sum of the log probabilities of its tokens, end included."""

    ids: list[int]
    log_probability: float

    def score(self, alpha: float) -> float:
        """log P / ((5 + length) / 6)^α: without it, shorter is always more probable (Wu et al. 2016, equation 14)."""
        return self.log_probability / length_penalty(len(self.ids) + 1, alpha)


def length_penalty(length: int, alpha: float) -> float:
    """((5 + length) / 6)^α; 1 for α = 0.  ``length`` counts the end symbol."""
    return ((5 + length) / 6) ** alpha


@torch.no_grad()
def beam(
    next_token: NextToken, batch_size: int, limits: Limits, *, beam_size: int = 4, alpha: float = 0.6
) -> list[list[Hypothesis]]:
    """Keep the ``beam_size`` best extensions of each sequence at every step; returns hypotheses, best score first.

    An extension by the end symbol that is among the best is a hypothesis and leaves the beam; the next best open one
    takes its place.  At the last step everything open has to end.  The search stops early only when no open sequence
    can change the answer any more.

    Raises:
        ValueError: a beam size below 1 or a negative alpha.
    """
    if beam_size < 1 or alpha < 0:
        raise ValueError(f"expected beam_size >= 1 and alpha >= 0, got {beam_size} and {alpha}")
    next_token.select(torch.arange(batch_size).repeat_interleave(beam_size))
    first_row = beam_size * torch.arange(batch_size)[:, None]
    ids = torch.full((batch_size * beam_size, 1), limits.start_id)
    totals = torch.full((batch_size, beam_size), -math.inf)
    totals[:, 0] = 0.0  # all rows are alike at first: one of them counts
    finished: list[list[Hypothesis]] = [[] for _ in range(batch_size)]
    for step in range(limits.max_new_tokens):
        scores = totals[..., None] + next_token(ids).log_softmax(-1).unflatten(0, (batch_size, beam_size))
        last = step == limits.max_new_tokens - 1
        _collect(finished, ids.unflatten(0, (batch_size, beam_size)), scores, limits.end_id, last)
        scores[..., limits.end_id] = -math.inf
        totals, best = scores.flatten(1).topk(beam_size, dim=-1)
        if last or _settled(finished, totals, beam_size, length_penalty(limits.max_new_tokens, alpha), alpha):
            break
        rows = (first_row + best // scores.shape[-1]).flatten()
        ids = torch.cat([ids[rows], (best % scores.shape[-1]).flatten()[:, None]], dim=1)
        next_token.select(rows)
    return [sorted(found, key=lambda each: -each.score(alpha))[:beam_size] for found in finished]


def _collect(finished: list[list[Hypothesis]], ids: Tensor, scores: Tensor, end_id: int, last: bool) -> None:
    """Hypotheses are the rows whose end symbol is among the best extensions; at the last step, all rows."""
    ends, beam_size = scores[..., end_id], scores.shape[1]
    worst_kept = scores.flatten(1).topk(beam_size, dim=-1).values[:, -1:]
    chosen = ends.isfinite() & (last | (ends >= worst_kept))
    for sequence, row in chosen.nonzero().tolist():
        finished[sequence].append(Hypothesis(ids[sequence, row, 1:].tolist(), ends[sequence, row].item()))


def _settled(
    finished: list[list[Hypothesis]], totals: Tensor, beam_size: int, highest_penalty: float, alpha: float
) -> bool:
    """Whether the ``beam_size`` best are sure everywhere: log P only falls, so an open one scores at most this."""
    for found, best_open in zip(finished, totals[:, 0].tolist(), strict=True):
        scores = sorted((each.score(alpha) for each in found), reverse=True)
        if len(scores) < beam_size or scores[beam_size - 1] < best_open / highest_penalty:
            return False
    return True


def _write(
    next_token: NextToken, batch_size: int, limits: Limits, choose: Callable[[Tensor], Tensor]
) -> list[list[int]]:
    """One token per sequence and step, until all have ended or the limit is reached; ids without start and end."""
    ids = torch.full((batch_size, 1), limits.start_id)
    ended = torch.zeros(batch_size, dtype=torch.bool)
    for _ in range(limits.max_new_tokens):
        new = choose(next_token(ids)).masked_fill(ended, limits.end_id)
        ids, ended = torch.cat([ids, new[:, None]], dim=1), ended | (new == limits.end_id)
        if ended.all():
            break
    return [_until(row[1:], limits.end_id) for row in ids.tolist()]


def _until(ids: list[int], end_id: int) -> list[int]:
    return ids[: ids.index(end_id)] if end_id in ids else ids
