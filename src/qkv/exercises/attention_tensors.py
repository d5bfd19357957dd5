"""Chapter 02, exercises on tensors: scores, attention with a mask, dropout, masks, attention over chunks."""

import itertools
import math
import weakref
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import torch
from torch import Tensor

from qkv import toy
from qkv.exercises.attention import TWICE
from qkv.exercises.attention_mistakes import ADD_UP, ASK_AND_ANSWER, MAY_BE_READ, MISTAKES, SCORES_TO_SHARES
from qkv.exercises.functions import Function, Probe, pair
from qkv.exercises.mutant import Mutant
from qkv.nn import attention, masks

WORDS = tuple(toy.WORDS)
QUERY, KEY, VALUE = (torch.tensor(table, dtype=torch.float64) for table in (toy.QUERY, toy.KEY, toy.VALUE))
CAUSAL = masks.causal(3)
INF = math.inf


def draw(*shape: int, seed: int, scale: float = 1.0) -> Tensor:
    """Normal numbers in float64, the same on every machine."""
    generator = torch.Generator().manual_seed(seed)
    return scale * torch.randn(shape, generator=generator, dtype=torch.float64)


def draw_mask(*shape: int, seed: int) -> Tensor:
    """A random mask in which every query may attend to at least two keys and at least one is blocked."""
    noise = torch.rand(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    rank = noise.argsort(-1).argsort(-1)
    return (noise > 0.5) & (rank > 0) | (rank >= shape[-1] - 2)


# 3. complete


def attention_scores(query: Tensor, key: Tensor, d_model: int) -> Tensor:
    """Scaled scores: one number for each query and key."""
    keys_as_columns = key.transpose(-2, -1)
    divisor = math.sqrt(query.shape[-1])
    return query @ keys_as_columns / divisor


Divisor = Callable[[Tensor, Tensor, int], float]
_DIVISORS: dict[str, tuple[Divisor, ...]] = {
    "": (lambda query, key, d_model: math.sqrt(query.shape[-1]),),
    "A1": (lambda query, key, d_model: 1.0,),
    "A2": (lambda query, key, d_model: math.sqrt(d_model),),
    "A3": (lambda query, key, d_model: 1 / math.sqrt(query.shape[-1]),),
    "A3 or A10": (lambda query, key, d_model: query.shape[-1],),
    "S10": (
        lambda query, key, d_model: math.sqrt(key.shape[-2]),
        lambda query, key, d_model: math.sqrt(query.shape[-2]),
        lambda query, key, d_model: math.sqrt(key.shape[1]),
        lambda query, key, d_model: math.sqrt(query.shape[1]),
        lambda query, key, d_model: math.sqrt(len(query)),
    ),
    "S15": (lambda query, key, d_model: 2.0,),
}
_SWAPS: dict[str, tuple[Callable[[Tensor], Tensor], ...]] = {
    "": (lambda key: key.transpose(-2, -1),),
    "A5": (lambda key: key,),
    "S12": (
        lambda key: key.transpose(0, 1),
        lambda key: key.transpose(1, 2),
        lambda key: key.permute(*reversed(range(key.ndim))),
    ),
}
_ON_TENSORS = MISTAKES | {"A3 or A10": TWICE}


def _scores(divisor: Divisor, swap: Callable[[Tensor], Tensor]) -> Callable[..., Tensor]:
    return lambda query, key, d_model: query @ swap(key) / divisor(query, key, d_model)


def _score_mutants() -> Iterator[Mutant]:
    for (divisor_code, divisors), (swap_code, swaps) in itertools.product(_DIVISORS.items(), _SWAPS.items()):
        names = [_ON_TENSORS[code] for code in (swap_code, divisor_code) if code]
        for divisor, swap in itertools.product(divisors, swaps):
            mutant = _scores(divisor, swap)
            if len(names) == 1:
                yield names[0].committed_by(mutant)
            elif len(names) == 2 and divisor_code in ("A1", "A2", "A3"):
                yield pair(names[0], names[1], mutant)


FILL_THE_SCORES = Function(
    id="attention.fill_the_scores",
    number=3,
    title="Fill two gaps in the scores",
    chapter="02",
    kind="complete",
    difficulty=2,
    minutes=5,
    prompt=(
        "Fill the two gaps. `query` has shape (…, t_q, d_k), `key` has shape (…, t_k, d_k); there may be axes for"
        " batch and heads in front. `d_model` is the width of the whole model, all heads together. Do you need it?"
    ),
    imports="import math\n\nfrom torch import Tensor",
    template=(
        "def attention_scores(query: Tensor, key: Tensor, d_model: int) -> Tensor:\n"
        '    """Scaled scores: one number for each query and key."""\n'
        "    keys_as_columns = ...  # (…, d_k, t_k)\n"
        "    divisor = ...\n"
        "    return query @ keys_as_columns / divisor"
    ),
    hints=(
        "The scores have shape (…, t_q, t_k). Which shape must the right side of `@` have?",
        "On other numbers: a sum of 9 products of coins ±1 has a spread of 3, a sum of 100 one of 10. How many products"
        " does one score add up?",
        "keys_as_columns = key.transpose(-2, ▢); divisor = math.sqrt(query.shape[▢])",
    ),
    answer=attention_scores,
    reference=attention_scores,
    result="a tensor",
    probes=(
        Probe("the toy", "On the toy", {"query": QUERY, "key": KEY, "d_model": 8}, WORDS),
        Probe(
            "all sizes different",
            "With t_q 3, t_k 5, d_k 6",
            {"query": draw(2, 3, 6, seed=1), "key": draw(2, 5, 6, seed=2), "d_model": 12},
        ),
        Probe(
            "equal sizes",
            "With t_q = t_k = d_k = 4",
            {"query": draw(3, 4, 4, seed=3), "key": draw(3, 4, 4, seed=4), "d_model": 20},
        ),
        Probe(
            "heads",
            "With an axis for heads",
            {"query": draw(2, 3, 5, 4, seed=5), "key": draw(2, 3, 6, 4, seed=6), "d_model": 12},
        ),
        Probe(
            "square heads",
            "With as many heads as queries and keys",
            {"query": draw(2, 4, 4, 4, seed=7), "key": draw(2, 4, 4, 4, seed=8), "d_model": 16},
        ),
    ),
    singles=tuple(mutant for mutant in _score_mutants() if "+" not in mutant.code),
    pairs=lambda: [mutant for mutant in _score_mutants() if "+" in mutant.code],
    gradient=True,
    shown="Scores agree for any number of leading axes, and `d_model` was bait.",
    transfer="By what does MiniLM divide, with d_model 384 and 12 heads?",
    review="05",
    see=ASK_AND_ANSWER,
)

# 7. write, with a mask


def scaled_dot_product_attention(query: Tensor, key: Tensor, value: Tensor, may_attend: Tensor | None = None) -> Tensor:
    """softmax(Q Kᵀ / √d_k) V; may_attend is True where a query may read a key."""
    scores = query @ key.transpose(-2, -1) / math.sqrt(query.shape[-1])
    if may_attend is not None:
        readable = may_attend.any(-1)
        if not readable.all():
            raise ValueError(f"no key may be read at {(~readable).nonzero()[0].tolist()}")
        scores = scores.masked_fill(~may_attend, -math.inf)
    exponents = torch.exp(scores - scores.amax(-1, keepdim=True))
    weights = exponents / exponents.sum(-1, keepdim=True)
    return weights @ value


def _by_heads(query: Tensor) -> int:
    return query.shape[-1] * (query.shape[1] if query.ndim == 4 else 1)


_SCALE: dict[str, Callable[[Tensor, Tensor, Tensor], float]] = {
    "": lambda query, key, value: math.sqrt(query.shape[-1]),
    "A1": lambda query, key, value: 1.0,
    "A2": lambda query, key, value: math.sqrt(_by_heads(query)),
    "A3": lambda query, key, value: 1 / math.sqrt(query.shape[-1]),
    "A3 or A10": lambda query, key, value: query.shape[-1],
    "keys": lambda query, key, value: math.sqrt(key.shape[-2]),
    "values": lambda query, key, value: math.sqrt(value.shape[-1]),
    "queries": lambda query, key, value: math.sqrt(query.shape[-2]),
    "axis 1": lambda query, key, value: math.sqrt(query.shape[1]),
    "2": lambda query, key, value: 2.0,
}
_MASK: dict[str, Callable[[Tensor, Tensor, float], Tensor]] = {  # scores, may_attend, fill
    "": lambda scores, may, fill: scores.masked_fill(~may, fill),
    "after": lambda scores, may, fill: scores,
    "plus": lambda scores, may, fill: scores.masked_fill(~may, 1e9),
    "plus inf": lambda scores, may, fill: scores.masked_fill(~may, INF),
    "inverted": lambda scores, may, fill: scores.masked_fill(may, fill),
    "added": lambda scores, may, fill: scores + may,
    "times inf": lambda scores, may, fill: scores + (~may).to(scores.dtype) * -INF,
    "tiny": lambda scores, may, fill: scores.masked_fill(~may, 1e-10),
    "low": lambda scores, may, fill: scores.masked_fill(~may, -100.0),
    "queries": lambda scores, may, fill: scores.masked_fill(~may.transpose(-2, -1), fill),
    "square only": lambda scores, may, fill: (
        scores.masked_fill(~may, fill) if scores.shape[-2] == scores.shape[-1] else scores
    ),
    "unused": lambda scores, may, fill: scores,
}


def attention_with(
    *,
    scale: str = "",
    swap: Callable[[Tensor], Tensor] = _SWAPS[""][0],
    axis: int = -1,
    mixed: str = "value",
    late: bool = False,
    stable: bool = True,
    drop: tuple[str, float] = ("", 0.0),
    mask: str = "",
    fill: float = -INF,
    empty: str = "raise",
) -> Callable[..., Tensor]:
    """Attention with some of its parts replaced: the mutants of exercise 7.

    ``empty`` says what happens to a row that may read nothing: "raise" looks at the mask, "raise late" at the masked
    scores, "leave" does nothing, "zero" turns NaN into 0.
    """

    def share(scores: Tensor) -> Tensor:
        shift = scores.amax(axis, keepdim=True) if stable else 0.0
        exponents = torch.exp(scores - shift)
        return exponents / exponents.sum(axis, keepdim=True)

    def mutant(query: Tensor, key: Tensor, value: Tensor, may_attend: Tensor | None = None) -> Tensor:
        scores = query @ swap(key) / _SCALE[scale](query, key, value)
        if may_attend is not None:
            if empty == "raise" and not may_attend.any(-1).all():
                raise ValueError
            scores = _MASK[mask](scores, may_attend, fill)
            if empty == "raise late" and (scores == -INF).all(-1).any():
                raise ValueError
        read = key if mixed == "key" else value
        if late:
            return share(scores @ read)
        if drop[0] == "scores":
            scores = torch.nn.functional.dropout(scores, drop[1])
        weights = share(scores)
        if drop[0] == "weights":
            weights = torch.nn.functional.dropout(weights, drop[1])
        if mask == "after" and may_attend is not None:
            weights = weights * may_attend
        output = weights @ read
        return output.nan_to_num(0.0) if empty == "zero" else output

    return mutant


Change = tuple[str, dict[str, Any], dict[str, str]]  # code, what is replaced, words that differ from the usual ones
_CHANGES: dict[str, list[Change]] = {
    "scale": [
        ("A1", {"scale": "A1"}, {}),
        ("A2", {"scale": "A2"}, {}),
        ("A3", {"scale": "A3"}, {}),
        ("A3 or A10", {"scale": "A3 or A10"}, {}),
        ("S10", {"scale": "keys"}, {"phrase": "a division by √t_k"}),
        ("S10", {"scale": "values"}, {"phrase": "a division by √d_v"}),
        ("S10", {"scale": "queries"}, {"phrase": "a division by √t_q"}),
        (
            "S10",
            {"scale": "axis 1"},
            {
                "phrase": "a division by the root of axis 1",
                "why": "On the toy axis 1 is d_k; with a batch or heads it is another size.",
                "then": "Count the axis from the end.",
            },
        ),
        ("S15", {"scale": "2"}, {}),
    ],
    "swap": [
        ("A5", {"swap": _SWAPS["A5"][0]}, {}),
        *(("S12", {"swap": swap}, {}) for swap in _SWAPS["S12"]),
    ],
    "share": [
        ("A4", {"axis": -2}, {}),
        ("A4", {"axis": 0}, {"phrase": "a softmax over axis 0"}),
        (
            "A4",
            {"axis": 1},
            {
                "phrase": "a softmax over axis 1",
                "why": "Axis 1 is the keys on the toy, the queries with a batch, the heads with heads.",
                "then": "Print your weights' row sums for `report.inputs`.",
            },
        ),
        ("A7", {"late": True}, {}),
        ("A8", {"drop": ("weights", 0.1)}, {}),
        ("A8", {"drop": ("weights", 0.5)}, {}),
        ("A8", {"drop": ("scores", 0.1)}, {"phrase": "dropout on the scores, active in evaluation"}),
        ("A9", {"stable": False}, {}),
    ],
    "mix": [("A6", {"mixed": "key"}, {})],
    "mask": [
        ("M1", {"mask": "after"}, {}),
        ("M2", {"mask": "plus"}, {}),
        ("M2", {"mask": "plus inf"}, {"why": "Blocked keys then score +∞, and ∞ / ∞ is not a number."}),
        ("M3", {"mask": "inverted"}, {}),
        ("M4", {"mask": "added"}, {}),
        ("M5", {"mask": "times inf"}, {}),
        ("M7", {"mask": "tiny"}, {}),
        (
            "M7",
            {"mask": "low"},
            {
                "phrase": "a blocked score of about −100",
                "why": "Beside scores of −1000, −100 is the largest, and the blocked key takes everything.",
            },
        ),
        ("M9", {"mask": "queries"}, {}),
        ("M13", {"mask": "square only"}, {}),
        ("S4", {"mask": "unused", "empty": "leave"}, {}),
    ],
    "empty": [
        ("M6", {"empty": "leave"}, {}),
        (
            "M6",
            {"empty": "leave", "fill": -1e9},
            {"why": "With −10⁹ everywhere all keys share equally, blocked or not."},
        ),
        (
            "M6",
            {"empty": "zero"},
            {"why": "Zeros look like an answer; here such a row must be refused."},
        ),
    ],
}
_OTHER_WAYS: dict[str, list[dict[str, Any]]] = {  # the parts around the mistake, where they show in the result
    "A4": [{}, {"fill": -1e9}],
    "M3": [{}, {"fill": -1e9}, {"empty": "raise late"}],
    "M9": [{}, {"fill": -1e9}, {"empty": "raise late"}],
    "S4": [{}, {"empty": "raise"}],
}
_ALONE = {"A8", "S10", "S15", "A3 or A10"}  # not in pairs


def _singles() -> Iterator[Mutant]:
    """Every change alone, in the ways a learner may have written the parts around it."""
    for code, change, words in itertools.chain(*_CHANGES.values()):
        for way in _OTHER_WAYS.get(code, [{}]):
            yield _ON_TENSORS[code].committed_by(attention_with(**(change | way)), **words)


def _pairs() -> Iterator[Mutant]:
    """Two changes of different groups, where both show in the result."""
    for first, second in itertools.combinations(_CHANGES, 2):
        for (code, change, words), (other, more, others) in itertools.product(_CHANGES[first], _CHANGES[second]):
            if _shows_both(first, code, second, other) and not (
                {"plus inf", "low"} & {more.get("mask"), change.get("mask")}
            ):
                one, two = (
                    _ON_TENSORS[code].committed_by(None, **words),
                    _ON_TENSORS[other].committed_by(None, **others),
                )
                yield pair(one, two, attention_with(**(change | more)))


def _shows_both(first: str, code: str, second: str, other: str) -> bool:
    if {code, other} & _ALONE or (code, second) == ("S4", "empty") or (code, second) == ("A7", "mask"):
        return False
    return "swap" not in (first, second) or code in ("A1", "A3")


def shares_add_up(function: Callable[..., Any]) -> str:
    """With every value 1, the output is what each query hands out."""
    output = _first(function(QUERY.clone(), KEY.clone(), torch.ones(3, 2), None))
    off = (output - 1).abs().amax(-1)
    if off.max() < 1e-6:
        return ""
    row = int(off.argmax())
    given = f"{output[row, 0].item():.3g}"
    return f"With every value set to 1, row *{WORDS[row]}* gives {given} instead of 1: its shares do not add up to 1."


def blocked_is_unread(function: Callable[..., Any]) -> str:
    """A key that may not be read has no influence."""
    before = _first(function(QUERY.clone(), KEY.clone(), VALUE.clone(), CAUSAL.clone()))
    key, value = KEY.clone(), VALUE.clone()
    key[2], value[2] = 5.0, -7.0
    after = _first(function(QUERY.clone(), key, value, CAUSAL.clone()))
    if torch.allclose(before[:2], after[:2]):
        return ""
    return (
        "Under the causal mask, changing the key and value of *it* changes an earlier row: a blocked key is still read."
    )


def _first(result: Any) -> Tensor:
    return result[0] if isinstance(result, tuple) else result


def _batch(*sizes: int, seed: int, **more: Any) -> dict[str, Any]:
    """Query, key and value with leading axes, then t_q, t_k, d_k, d_v."""
    *lead, t_q, t_k, d_k, d_v = sizes
    drawn = {"query": (t_q, d_k), "key": (t_k, d_k), "value": (t_k, d_v)}
    inputs: dict[str, Any] = {n: draw(*lead, *s, seed=seed + i) for i, (n, s) in enumerate(drawn.items())}
    return inputs | {"may_attend": None} | more


_LARGE = _batch(2, 3, 5, 4, 2, seed=40)
_LARGE["query"] = _LARGE["query"] * 1000
_LOWEST = (_LARGE["query"] @ _LARGE["key"].transpose(-2, -1)).argsort(-1).argsort(-1) < 2  # what is read scores least
_TOY = {"query": QUERY, "key": KEY, "value": VALUE, "may_attend": None}
_EMPTY_ROW = CAUSAL.clone()
_EMPTY_ROW[1] = False

ATTENTION = Function(
    id="attention.scaled_dot_product_attention",
    number=7,
    title="Scaled dot-product attention",
    chapter="02",
    kind="write",
    difficulty=3,
    minutes=25,
    prompt=(
        "Write attention for tensors: `query` (…, t_q, d_k), `key` (…, t_k, d_k), `value` (…, t_k, d_v). `may_attend`"
        " is a boolean tensor that broadcasts to (…, t_q, t_k); True means that this query may read this key. Return"
        " the output (…, t_q, d_v).\n\n"
        "Scores may be as large as 1000. A query that may read no key at all is a `ValueError` that says where. Use"
        " `torch.exp` and sums; `F.scaled_dot_product_attention` would hide what you are building."
    ),
    imports="import math\n\nimport torch\nfrom torch import Tensor",
    template=(
        "def scaled_dot_product_attention("
        "query: Tensor, key: Tensor, value: Tensor, may_attend: Tensor | None = None) -> Tensor:\n"
        '    """softmax(Q Kᵀ / √d_k) V; may_attend is True where a query may read a key."""\n'
        "    return ..."
    ),
    hints=(
        "Four steps: score, scale, softmax, mix. The mask belongs between two of them; which two?",
        "On other numbers: scores `3, 3, 9` with the last one blocked share as `3, 3` do: `.5 .5 0`. And"
        " `1003, 1003` share as `0, 0` do.",
        "scores = scores.masked_fill(~may_attend, ▢), then exp(scores - scores.amax(▢, keepdim=True)).",
    ),
    answer=scaled_dot_product_attention,
    reference=attention.scaled_dot_product_attention,
    result="a tensor",
    probes=(
        Probe("the toy", "On the toy", _TOY, WORDS),
        Probe("the toy, causal", "With the causal mask", _TOY | {"may_attend": CAUSAL}, WORDS, masked=True),
        Probe("heads", "With batch, heads and all sizes different", _batch(3, 4, 7, 5, 8, 6, seed=10)),
        Probe("equal sizes", "With t_q = t_k = d_k = d_v", _batch(4, 4, 4, 4, 4, seed=20)),
        Probe("large scores", "With scores of ±1000", _LARGE),
        Probe(
            "a mask for all heads",
            "With a mask that all heads share",
            _batch(3, 4, 7, 5, 8, 6, seed=30, may_attend=draw_mask(3, 1, 7, 5, seed=31)),
            masked=True,
        ),
        Probe(
            "padded keys",
            "With padded keys and t_q ≠ t_k",
            _batch(2, 3, 5, 4, 2, seed=50, may_attend=masks.not_padding([5, 3])),
            masked=True,
        ),
        Probe(
            "padded keys, square",
            "With padded keys and t_q = t_k",
            _batch(2, 4, 4, 4, 4, seed=60, may_attend=masks.not_padding([4, 2])),
            masked=True,
        ),
        Probe(
            "large scores, masked",
            "With a mask and scores of ±1000",
            _LARGE | {"may_attend": _LOWEST},
            masked=True,
        ),
        Probe(
            "a row without a key", "With a row that may read nothing", _TOY | {"may_attend": _EMPTY_ROW}, masked=True
        ),
    ),
    singles=tuple(_singles()),
    pairs=lambda: tuple(_pairs()),
    gradient=True,
    feed=lambda inputs: tuple(value for value in inputs.values() if value is not None),  # a mask may be left out
    invariants=(shares_add_up, blocked_is_unread),
    shown="Toy, broadcast masks, padding, scores of ±1000, gradients and the refused row all agree with the reference.",
    transfer="Which two of your lines could change places with no effect?",
    review="05",
    see=MAY_BE_READ,
)

# 10. ★ attention over chunks


class Chunks:
    """Yields (key, value, may_attend) of a few keys at a time; counts chunks of which a part is alive, and passes."""

    def __init__(self, key: Tensor, value: Tensor, may_attend: Tensor, size: int):
        self.parts = (key, value, may_attend)
        self.size, self.most_alive, self.passes = size, 0, 0
        self._given: list[tuple[weakref.ref, ...]] = []

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
        self.passes += 1
        for start in range(0, len(self.parts[0]), self.size):
            yield self._chunk(start)
            alive = [parts for parts in self._given if any(ref() is not None for ref in parts)]
            self.most_alive = max(self.most_alive, len(alive))

    def _chunk(self, start: int) -> tuple[Tensor, Tensor, Tensor]:
        key, value, may = (part[start : start + self.size].clone() for part in self.parts)
        self._given.append((weakref.ref(key), weakref.ref(value), weakref.ref(may)))
        return key, value, may


def attend_in_chunks(query: Tensor, chunks: Iterable[tuple[Tensor, Tensor, Tensor]]) -> Tensor:
    """Attention of one query over keys that arrive a few at a time; no more than one chunk is held."""
    largest, total, mixed = torch.tensor(-math.inf), torch.tensor(0.0), torch.tensor(0.0)
    for key, value, may_attend in chunks:
        if not may_attend.any():
            continue
        scores = (key @ query / math.sqrt(len(query))).masked_fill(~may_attend, -math.inf)
        new_largest = torch.maximum(largest, scores.max())
        shrink, exponents = torch.exp(largest - new_largest), torch.exp(scores - new_largest)
        total = total * shrink + exponents.sum()
        mixed = mixed * shrink + exponents @ value
        largest = new_largest
    return mixed / total


def chunks_with(
    *,
    divisor: float = 0.0,
    stable: bool = True,
    rescale: bool = True,
    skip: bool = True,
    mask: str = "fill",
    each: bool = False,
    start: float = -INF,
) -> Callable[..., Tensor]:
    """Attention over chunks with some of its parts replaced: the mutants of exercise 10."""

    def blocked(scores: Tensor, may: Tensor) -> Tensor:
        if mask == "times inf":
            return scores + (~may).to(scores.dtype) * -INF
        return scores if mask == "unused" else scores.masked_fill(~may, 1e-10 if mask == "tiny" else -INF)

    def mutant(query: Tensor, chunks: Iterable[tuple[Tensor, Tensor, Tensor]]) -> Tensor:
        largest, total, mixed = torch.tensor(start if stable else 0.0), torch.tensor(0.0), torch.tensor(0.0)
        for key, value, may in chunks:
            if skip and not may.any():
                continue
            scores = blocked(key @ query / (divisor or math.sqrt(len(query))), may)
            new = torch.maximum(largest, scores.max()) if stable and not each else scores.max() if each else largest
            shrink = torch.exp(largest - new) if rescale and not each else torch.tensor(1.0)
            exponents = torch.exp(scores - new)
            exponents = exponents / exponents.sum() if each else exponents
            total, mixed = total * shrink + exponents.sum(), mixed * shrink + exponents @ value
            largest = new
        return mixed / total

    return mutant


_CHUNK_CHANGES: dict[str, dict[str, Any]] = {
    "A1": {"divisor": 1.0},
    "A9": {"stable": False},
    "S8": {"rescale": False},
    "S9": {"each": True},
    "S15": {"divisor": 2.0},
    "S16": {"start": 0.0},
    "M5": {"mask": "times inf"},
    "M6": {"skip": False},
    "M7": {"mask": "tiny"},
    "S4": {"mask": "unused", "skip": False},
}
_CHUNK_MISTAKES = MISTAKES | {
    "M6": MISTAKES["M6"].committed_by(
        None,
        phrase="a blocked chunk that joins the sum",
        why="Its largest score is −∞, and −∞ − (−∞) is not a number.",
        then="Ask what such a chunk adds to the sum, then to the mix.",
    ),
    "M7": MISTAKES["M7"].committed_by(None, then="Ask which score has the exponential 0."),
}


def _chunk_pairs() -> list[Mutant]:
    couples = [
        ("A1", "A9"), ("A1", "S8"), ("A1", "S9"), ("A1", "M6"), ("A1", "S4"), ("A9", "S4"), ("S8", "M6"),
        ("S8", "S4"), ("S9", "M6"), ("S9", "S4"),
    ]  # fmt: skip
    return [
        pair(_CHUNK_MISTAKES[a], _CHUNK_MISTAKES[b], chunks_with(**(_CHUNK_CHANGES[a] | _CHUNK_CHANGES[b])))
        for a, b in couples
    ]


def whole(query: Tensor, chunks: Iterable[tuple[Tensor, Tensor, Tensor]]) -> Tensor:
    """What the chunks must give together: attention over all keys at once."""
    key, value, may_attend = (torch.cat(parts) for parts in zip(*chunks, strict=True))
    return attention.scaled_dot_product_attention(query[None], key, value, may_attend[None])[0][0]


def _chunk_probe(name: str, where: str, size: int, seed: int = 0, scale: float = 1.0, **more: Tensor) -> Probe:
    inputs: dict[str, Any] = {"query": draw(5, seed=seed, scale=scale), "key": draw(7, 5, seed=seed + 1)}
    inputs |= {"value": draw(7, 3, seed=seed + 2), "may_attend": torch.ones(7, dtype=torch.bool), "size": size}
    return Probe(name, where, inputs | more, masked="may_attend" in more)


def _true_but(*blocked: int) -> Tensor:
    mask = torch.ones(7, dtype=torch.bool)
    mask[list(blocked)] = False
    return mask


def _holds_too_much(arguments: tuple[Any, ...]) -> str:
    chunks = arguments[1]
    if chunks.most_alive > 2:
        return "its result, but it held several chunks at once: only one may be alive. Carry sums along, not chunks"
    if chunks.passes > 1:
        return "its result, but it read the chunks twice: they arrive once. Correct your sums when the maximum grows"
    return ""


_LOW = torch.tensor([1000 * math.sqrt(5), 0, 0, 0, 0], dtype=torch.float64)
_LOW_KEYS = draw(7, 5, seed=105)
_LOW_KEYS[:, 0] = -1 - torch.arange(7) / 1000
_TOY_CHUNKS = {"query": QUERY[2], "key": KEY, "value": VALUE, "may_attend": torch.ones(3, dtype=torch.bool)}

IN_CHUNKS = Function(
    id="attention.in_chunks",
    number=10,
    title="★ Attention over chunks",
    chapter="02",
    kind="write",
    difficulty=5,
    minutes=40,
    starred=True,
    prompt=(
        "A sequence is too long to hold all its scores. Its keys arrive in chunks, once: `chunks` yields (`key`"
        " (c, d_k), `value` (c, d_v), `may_attend` (c)), a few keys at a time. Compute the output of one `query`"
        " (d_k) without ever holding more than one chunk.\n\n"
        "Scores may be ±1000, and a chunk may be blocked as a whole. At least one key of the sequence may be read."
        " This is the core of FlashAttention."
    ),
    imports="import math\nfrom collections.abc import Iterable\n\nimport torch\nfrom torch import Tensor",
    template=(
        "def attend_in_chunks(query: Tensor, chunks: Iterable[tuple[Tensor, Tensor, Tensor]]) -> Tensor:\n"
        '    """Attention of one query over keys that arrive a few at a time; no more than one chunk is held."""\n'
        "    return ..."
    ),
    hints=(
        "Carry three things from chunk to chunk: the largest score so far, the sum of exponentials, the mix. Which of"
        " them must change when a larger score arrives?",
        "On other numbers: after the score 1 the sum is exp(1 − 1) = 1. Then 3 arrives. Measured against 3, the old"
        " sum is exp(1 − 3), about .135; the new one is 1.135.",
        "total = total * torch.exp(largest - ▢) + exponents.sum(), and the same factor for ▢.",
    ),
    answer=attend_in_chunks,
    reference=whole,
    result="a tensor",
    probes=(
        Probe("the toy", "On the toy's row *it*, one key at a time", _TOY_CHUNKS | {"size": 1}, ("it",)),
        Probe("the toy in two", "On the toy's row *it*, two keys and then one", _TOY_CHUNKS | {"size": 2}, ("it",)),
        *(_chunk_probe(f"chunks of {n}", f"With chunks of {n} of 7 keys", n, seed=80) for n in (1, 2, 3, 7)),
        _chunk_probe("large scores", "With scores of ±1000", 2, seed=90, scale=1000.0),
        _chunk_probe("low scores", "With scores of −1000 and below", 2, query=_LOW, key=_LOW_KEYS),
        _chunk_probe("some blocked", "With some keys blocked", 3, seed=93, may_attend=_true_but(1, 4)),
        _chunk_probe("a blocked chunk", "With the first chunk blocked", 2, seed=96, may_attend=_true_but(0, 1, 5)),
        _chunk_probe("a late blocked chunk", "With a later chunk blocked", 2, seed=99, may_attend=_true_but(2, 3)),
        _chunk_probe(
            "large and blocked", "With a mask and scores of ±1000", 3, seed=102, scale=1000.0, may_attend=_true_but(2)
        ),
    ),
    singles=tuple(_CHUNK_MISTAKES[c].committed_by(chunks_with(**change)) for c, change in _CHUNK_CHANGES.items()),
    pairs=_chunk_pairs,
    feed=lambda inputs: (
        inputs["query"],
        Chunks(inputs["key"], inputs["value"], inputs["may_attend"], inputs["size"]),
    ),
    audit=_holds_too_much,
    shown="Every way to cut the keys gives one output, at ±1000 and with blocked chunks, holding one chunk at a time.",
    transfer="What would two machines, each with half of the keys, have to send each other?",
    review="06",
    see=SCORES_TO_SHARES,
)

# 11. dropout


def dropped_attention(scores: Tensor, value: Tensor, keep: Tensor, rate: float, training: bool) -> Tensor:
    """The mix of the values, with shares dropped where keep is False, in training only."""
    exponents = torch.exp(scores - scores.amax(-1, keepdim=True))
    weights = exponents / exponents.sum(-1, keepdim=True)
    if training:
        weights = weights * keep / (1 - rate)
    return weights @ value


def _dropped(change: Callable[[Tensor, Tensor, float, bool], Tensor]) -> Callable[..., Tensor]:
    return lambda scores, value, keep, rate, training: change(scores, keep, rate, training) @ value


_DROPOUT_MUTANTS = (
    MISTAKES["A8"].committed_by(
        _dropped(lambda s, k, rate, training: torch.softmax(s, -1) * k / (1 - rate)),
        phrase="dropout that is active in evaluation",
    ),
    MISTAKES["A8"].committed_by(
        _dropped(lambda s, k, rate, training: torch.softmax(s * k / (1 - rate) if training else s, -1)),
        phrase="dropout on scores instead of shares",
        why="A score of 0 is a score like any other: exp(0) is 1, and the key keeps a share.",
        then="Ask at which of the four steps a key can get exactly nothing.",
    ),
    MISTAKES["A8"].committed_by(
        _dropped(lambda s, k, rate, training: torch.softmax(s.masked_fill(~k, -INF) if training else s, -1)),
        phrase="dropout used as a mask before softmax",
        why="The kept shares are then scaled by a sum that changes from draw to draw.",
        then="Compare the row sums of your shares in training with 1 / (1 − rate).",
    ),
    MISTAKES["S11"].committed_by(_dropped(lambda s, k, rate, training: torch.softmax(s, -1) * (k if training else 1))),
    MISTAKES["S11"].committed_by(
        _dropped(lambda s, k, rate, training: torch.softmax(s, -1) * (k / rate if training else 1)),
        phrase="kept shares divided by the rate of dropping",
    ),
    MISTAKES["S11"].committed_by(
        _dropped(lambda s, k, rate, training: torch.softmax(s, -1) * (k * (1 - rate) if training else 1)),
        phrase="kept shares multiplied by 1 − rate",
    ),
    MISTAKES["S11"].committed_by(
        _dropped(lambda s, k, rate, training: torch.softmax(s, -1) * (k if training else 1) / (1 - rate)),
        phrase="a correction made in evaluation too",
        why="Where nothing is dropped, nothing is to be made up for.",
        then="Compare the row sums of your shares in evaluation with 1.",
    ),
    MISTAKES["A8"].committed_by(
        _dropped(lambda s, k, rate, training: torch.softmax(s, -1) * (1 if training else k / (1 - rate))),
        phrase="dropout in evaluation and not in training",
    ),
    MISTAKES["M3"].committed_by(
        _dropped(lambda s, k, rate, training: torch.softmax(s, -1) * (~k / (1 - rate) if training else 1)),
        phrase="`keep` read the other way round",
        why="Here True means *kept*; in many libraries True marks what is dropped.",
        then="Say aloud what True means in the line that reads `keep`.",
    ),
    MISTAKES["S11"].committed_by(
        _dropped(lambda s, k, rate, training: torch.softmax(s, -1) * (k if training else 1 - rate)),
        phrase="a correction made in evaluation instead of training",
        why="The first dropout papers did so; since then evaluation is left untouched.",
        then="Make evaluation plain attention, and let training carry the correction.",
    ),
    MISTAKES["A4"].committed_by(
        _dropped(lambda s, k, rate, training: torch.softmax(s, -2) * (k / (1 - rate) if training else 1))
    ),
)
_DROP = {"scores": draw(4, 5, seed=110), "value": draw(5, 3, seed=111), "keep": draw_mask(4, 5, seed=112), "rate": 0.25}
_DROP_TOY = {"scores": QUERY @ KEY.T / 2, "value": VALUE, "keep": torch.tensor([[True, False, True]] * 3), "rate": 0.2}

DROPOUT = Function(
    id="attention.dropout",
    number=11,
    title="Dropout on the shares",
    chapter="02",
    kind="write",
    difficulty=3,
    minutes=10,
    prompt=(
        "Attention with dropout, without the dice: `keep` (t_q, t_k) says which shares survive, and it was drawn with"
        " probability 1 − `rate`. `scores` (t_q, t_k) are scaled already. In training, dropped shares count 0 and kept"
        " ones grow so that the average over many draws stays the same. In evaluation nothing is dropped."
    ),
    imports="import torch\nfrom torch import Tensor",
    template=(
        "def dropped_attention(scores: Tensor, value: Tensor, keep: Tensor, rate: float, training: bool) -> Tensor:\n"
        '    """The mix of the values, with shares dropped where keep is False, in training only."""\n'
        "    return ..."
    ),
    hints=(
        "Dropped *what*: scores, shares or values? Only one of them can be set to nothing by a 0.",
        "On other numbers: of the share `.6` three quarters of the draws survive. If survivors count `.8`, the average"
        " is `.6` again.",
        "weights = weights * ▢ / (1 - ▢), if ▢",
    ),
    answer=dropped_attention,
    reference=dropped_attention,
    result="a tensor",
    probes=(
        Probe("evaluation", "On the toy in evaluation", _DROP_TOY | {"training": False}, WORDS),
        Probe("training", "On the toy in training", _DROP_TOY | {"training": True}, WORDS),
        Probe("training, other sizes", "In training with other sizes", _DROP | {"training": True}),
        Probe("evaluation, other sizes", "In evaluation with other sizes", _DROP | {"training": False}),
    ),
    singles=_DROPOUT_MUTANTS,
    gradient=True,
    shown="Shares are dropped in training only, and their average stays what evaluation gives.",
    transfer="Do the shares of one row still add up to 1 in training?",
    review="05",
    see=ADD_UP,
)

# 12. and 13. masks


def causal_mask(scores: Tensor) -> Tensor:
    """True where a query may read a key; the queries are the last of the t_k positions."""
    t_q, t_k = scores.shape[-2:]
    ones = torch.ones(t_q, t_k, dtype=torch.bool, device=scores.device)
    return ones.tril(t_k - t_q)


class Followed(Tensor):
    """A tensor that notes whether anybody reads its device or makes a tensor out of it."""

    noted: list[str]

    @classmethod
    def of(cls, tensor: Tensor) -> "Followed":
        """The same numbers, followed."""
        followed = tensor.as_subclass(cls)
        followed.noted = []
        return followed

    @classmethod
    def __torch_function__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = super().__torch_function__(func, types, args, kwargs or {})
        if isinstance(result, Tensor | torch.device):
            for argument in args:
                getattr(argument, "noted", []).append(str(func))
        return result


def _stays_behind(arguments: tuple[Any, ...]) -> str:
    if isinstance(arguments[0], Followed) and not arguments[0].noted:
        return "a mask that never looked at `scores.device`"
    return ""


def _tril(offset: Callable[[int, int], int], invert: bool = False, device: bool = True) -> Callable[[Tensor], Tensor]:
    def mutant(scores: Tensor) -> Tensor:
        t_q, t_k = scores.shape[-2:]
        mask = torch.ones(t_q, t_k, dtype=torch.bool, device=scores.device if device else "cpu").tril(offset(t_q, t_k))
        return ~mask if invert else mask

    return mutant


def _last(t_q: int, t_k: int) -> int:
    return t_k - t_q


_LEAKS = MISTAKES["M8"].committed_by(None, phrase="a causal mask that leaks one word")
_BLIND = MISTAKES["M8"].committed_by(None, phrase="a causal mask that blocks the word itself")
_INVERTED = MISTAKES["M3"].committed_by(None, then="Say aloud what True means in the table you return.")
_CAUSAL_MUTANTS = (
    _LEAKS.committed_by(_tril(lambda t_q, t_k: t_k - t_q + 1)),
    _BLIND.committed_by(_tril(lambda t_q, t_k: t_k - t_q - 1)),
    _INVERTED.committed_by(_tril(_last, invert=True)),
    MISTAKES["M11"].committed_by(_tril(lambda t_q, t_k: 0)),
    MISTAKES["M12"].committed_by(_tril(_last, device=False)),
)


def _causal_pairs() -> list[Mutant]:
    m11, m12 = MISTAKES["M11"], MISTAKES["M12"]
    return [
        pair(_LEAKS, m11, _tril(lambda t_q, t_k: 1)),
        pair(_BLIND, m11, _tril(lambda t_q, t_k: -1)),
        pair(_INVERTED, m11, _tril(lambda t_q, t_k: 0, invert=True)),
        pair(m11, m12, _tril(lambda t_q, t_k: 0, device=False)),
        pair(_LEAKS, m12, _tril(lambda t_q, t_k: t_k - t_q + 1, device=False)),
        pair(_BLIND, m12, _tril(lambda t_q, t_k: t_k - t_q - 1, device=False)),
        pair(_INVERTED, m12, _tril(_last, invert=True, device=False)),
    ]


CAUSAL_MASK = Function(
    id="attention.causal_mask",
    number=12,
    title="A causal mask with a cache",
    chapter="02",
    kind="write",
    difficulty=3,
    minutes=10,
    prompt=(
        "Return the causal mask for `scores` (…, t_q, t_k): a boolean table (t_q, t_k), True where a query may read a"
        " key, on the device of the scores. When a model writes word by word, old keys are kept in a cache: then there"
        " are fewer queries than keys, and the queries are the *last* positions."
    ),
    imports="import torch\nfrom torch import Tensor",
    template=(
        "def causal_mask(scores: Tensor) -> Tensor:\n"
        '    """True where a query may read a key; the queries are the last of the t_k positions."""\n'
        "    return ..."
    ),
    hints=(
        "With 5 keys and 2 queries, which position does the first query have?",
        "On other numbers: 3 keys, 1 query. It stands at the last place and may read all three: `True True True`.",
        "torch.ones(t_q, t_k, dtype=torch.bool, device=▢).tril(▢ - ▢)",
    ),
    answer=causal_mask,
    reference=causal_mask,
    result="a boolean tensor",
    probes=(
        Probe("the toy", "On the toy", {"scores": QUERY @ KEY.T}, WORDS),
        Probe("heads", "With batch and heads", {"scores": draw(2, 3, 5, 5, seed=120)}),
        Probe("a cache", "With 2 queries and 5 keys", {"scores": draw(2, 2, 5, seed=121)}),
        Probe("one query", "With 1 query and 4 keys", {"scores": draw(1, 4, seed=122)}),
        Probe("another device", "With scores on another device", {"scores": draw(3, 4, seed=123), "followed": True}),
    ),
    singles=_CAUSAL_MUTANTS,
    pairs=_causal_pairs,
    feed=lambda inputs: (Followed.of(inputs["scores"].clone()) if "followed" in inputs else inputs["scores"],),
    audit=_stays_behind,
    shown="The mask holds with and without a cache, and it lives where the scores live.",
    transfer="Which mask does a single new word need?",
    review="08",
    see=MAY_BE_READ,
)


def mask_for_heads(may_attend: Tensor, num_heads: int) -> Tensor:
    """One copy of each sentence's mask per head; the heads of a sentence lie side by side."""
    return may_attend.repeat_interleave(num_heads, dim=0)


def _swapped(may_attend: Tensor, num_heads: int) -> Tensor:
    return may_attend.transpose(-2, -1).repeat_interleave(num_heads, dim=0)


MASK_FOR_HEADS = Function(
    id="attention.mask_for_heads",
    number=13,
    title="One mask for many heads",
    chapter="02",
    kind="write",
    difficulty=2,
    minutes=6,
    prompt=(
        "Some code folds batch and heads into one axis: scores (b · h, t_q, t_k), where the h heads of the first"
        " sentence come first, then those of the second. Turn `may_attend` (b, t_q, t_k) into a mask of that shape."
    ),
    imports="from torch import Tensor",
    template=(
        "def mask_for_heads(may_attend: Tensor, num_heads: int) -> Tensor:\n"
        '    """One copy of each sentence\'s mask per head; the heads of a sentence lie side by side."""\n'
        "    return ..."
    ),
    hints=(
        "With 2 sentences and 3 heads there are 6 masks. To which sentence does the second one belong?",
        "On other numbers: sentences `a, b`, three heads: `a a a b b b`, not `a b a b a b`.",
        "may_attend.▢(num_heads, dim=0)",
    ),
    answer=mask_for_heads,
    reference=mask_for_heads,
    result="a boolean tensor",
    probes=(
        Probe(
            "two sentences",
            "With 2 sentences and 3 heads",
            {"may_attend": draw_mask(2, 3, 4, seed=130), "num_heads": 3},
        ),
        Probe(
            "square", "With as many sentences as heads", {"may_attend": draw_mask(3, 3, 3, seed=131), "num_heads": 3}
        ),
        Probe("one head", "With a single head", {"may_attend": draw_mask(2, 4, 5, seed=132), "num_heads": 1}),
    ),
    singles=(
        MISTAKES["M10"].committed_by(lambda may_attend, num_heads: may_attend.repeat(num_heads, 1, 1)),
        MISTAKES["M9"].committed_by(_swapped),
        MISTAKES["M3"].committed_by(
            lambda may_attend, num_heads: ~may_attend.repeat_interleave(num_heads, dim=0),
            then="Compare the first row that you return with the first row that you were given.",
        ),
    ),
    shown="Each sentence's mask stands once for each of its heads, side by side.",
    transfer="Why does a mask (b, 1, t_q, t_k) need no repetition at all?",
    review="05",
    see=MAY_BE_READ,
)

EXERCISES = (FILL_THE_SCORES, ATTENTION, IN_CHUNKS, DROPOUT, CAUSAL_MASK, MASK_FOR_HEADS)
