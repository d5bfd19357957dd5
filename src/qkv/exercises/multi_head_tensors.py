"""Chapter 03, exercises on tensors: split, merge, heads from given weights, fused parts, a silenced head, groups."""

import itertools
import math
from collections.abc import Callable, Iterator
from typing import Any

import torch
from einops import rearrange
from torch import Tensor

from qkv.exercises.attention_tensors import draw, draw_mask
from qkv.exercises.functions import Function, Probe, pair
from qkv.exercises.multi_head import KEY, QUERY, VALUES
from qkv.exercises.multi_head_mistakes import FAST, FIT, MISTAKES, NEEDED, WHOSE
from qkv.exercises.mutant import Mutant
from qkv.nn import attention, masks

QUERIES, KEYS, CARRIED = (torch.tensor([table], dtype=torch.float64) for table in (QUERY, KEY, VALUES))  # (1, 3, 4)
CAUSAL = masks.causal(3)[None]
INF = math.inf
Split = Callable[[Tensor, int], Tensor]
Merge = Callable[[Tensor], Tensor]


def numbered(*shape: int) -> Tensor:
    """0, 1, 2, … in this shape: every entry can be followed."""
    return torch.arange(math.prod(shape), dtype=torch.float64).reshape(shape)


# the ways to split and to merge; the empty name is the right one


def _cut(x: Tensor, num_heads: int) -> Tensor:
    d_k = x.shape[-1] // num_heads
    return torch.stack([x[..., i * d_k : (i + 1) * d_k] for i in range(num_heads)], dim=1)


def _fitting(x: Tensor, num_heads: int) -> Tensor:
    return x[..., : num_heads * (x.shape[-1] // num_heads)]


def _in_reading_order(x: Tensor, num_heads: int) -> Tensor:
    x = _fitting(x, num_heads)
    return x.reshape(len(x), num_heads, x.shape[1], -1)


def _sentences_mixed(x: Tensor, num_heads: int) -> Tensor:
    x = _fitting(x, num_heads)
    return x.reshape(num_heads, len(x), x.shape[1], -1).transpose(0, 1)


def _heads_before_sentences(x: Tensor, num_heads: int) -> Tensor:
    return _cut(x, num_heads).transpose(0, 1)


def _every(x: Tensor, num_heads: int) -> Tensor:
    return rearrange(_fitting(x, num_heads), "b t (d h) -> b h t d", h=num_heads)


_SPLITS: dict[str, tuple[Split, ...]] = {
    "H1": (_in_reading_order, _sentences_mixed),
    "H3": (_heads_before_sentences,),
    "T4": (_every,),
    "T5": (lambda x, h: _cut(x, h).transpose(1, 2),),
}
_MERGES: dict[str, tuple[Merge, ...]] = {
    "T23": (lambda heads: heads.transpose(1, 2).view(len(heads), heads.shape[2], -1),),
    "H2": (
        lambda heads: heads.reshape(heads.shape[0], heads.shape[2], -1),
        lambda heads: rearrange(heads, "b h t d -> b h (t d)"),
    ),
    "H3": (lambda heads: rearrange(heads, "h b t d -> b t (h d)"),),
    "H6": (lambda heads: heads.mean(1), lambda heads: heads.sum(1)),
    "T4": (lambda heads: rearrange(heads, "b h t d -> b t (d h)"),),
}

_MERGE_WORDS: dict[str, dict[str, str]] = {
    "H3": {
        "phrase": "sentences laid side by side",
        "why": "A row then holds one head of several sentences, not all heads of one.",
        "then": "Say what the first two axes of x count.",
    },
    "T4": {"phrase": "heads merged entry by entry"},
}

# 4. complete


def silence(x: Tensor, gate: Tensor) -> Tensor:
    """Multiply every head by its gate: cut x (b, t, d_model) into heads, multiply, join again."""
    cut = "b t (h d) -> b h t d"
    join = "b h t d -> b t (h d)"
    heads = rearrange(x, cut, h=len(gate))
    return rearrange(heads * gate[:, None, None], join)


def _by_patterns(cut: str, join: str) -> Callable[[Tensor, Tensor], Tensor]:
    return lambda x, gate: rearrange(rearrange(x, cut, h=len(gate)) * gate[:, None, None], join)


_CUT, _JOIN = "b t (h d) -> b h t d", "b h t d -> b t (h d)"
_CUT_EVERY, _JOIN_EVERY = "b t (d h) -> b h t d", "b h t d -> b t (d h)"

FILL_THE_PATTERNS = Function(
    id="multi_head.fill_the_patterns",
    number=4,
    title="Fill two patterns",
    chapter="03",
    kind="complete",
    difficulty=2,
    minutes=6,
    prompt=(
        "A gate is one number for each head: 0 silences it, 1 lets it through. Fill the two patterns for `rearrange`:"
        " `cut` takes x (b, t, h · d) apart into heads (b, h, t, d), `join` undoes it. A head owns neighbouring"
        " entries.\n\n"
        "On the toy's queries the gate (0, 1) leaves *it* with `[0, 0, 2, 0]`."
    ),
    imports="from einops import rearrange\nfrom torch import Tensor",
    template=(
        "def silence(x: Tensor, gate: Tensor) -> Tensor:\n"
        '    """Multiply every head by its gate: cut x (b, t, d_model) into heads, multiply, join again."""\n'
        "    cut = ...\n"
        "    join = ...\n"
        "    heads = rearrange(x, cut, h=len(gate))\n"
        "    return rearrange(heads * gate[:, None, None], join)"
    ),
    hints=(
        "Brackets in a pattern are an axis made of two. Which of the two changes faster as you read along a row?",
        "On other numbers: `row (box pair) -> box row pair` turns `1 2 3 4` with 2 boxes into box 0 `1 2`"
        " and box 1 `3 4`.",
        'cut = "b t (▢ ▢) -> b ▢ t d"; join is the same, read from right to ▢',
    ),
    answer=silence,
    reference=silence,
    result="a tensor",
    probes=(
        Probe("the toy", "On the toy's queries", {"x": QUERIES, "gate": torch.tensor([0.0, 1.0], dtype=torch.float64)}),
        Probe(
            "other sizes",
            "With 2 sentences, 5 words, 3 heads",
            {"x": numbered(2, 5, 12) + 1, "gate": torch.tensor([0.0, 0.5, 1.0], dtype=torch.float64)},
        ),
        Probe(
            "equal sizes",
            "With as many words as heads",
            {"x": numbered(2, 3, 9) + 1, "gate": torch.tensor([1.0, 2.0, 0.0], dtype=torch.float64)},
        ),
    ),
    singles=(
        MISTAKES["T4"].committed_by(_by_patterns(_CUT_EVERY, _JOIN_EVERY)),
        MISTAKES["T20"].committed_by(_by_patterns(_CUT, _JOIN_EVERY)),
        MISTAKES["T20"].committed_by(_by_patterns(_CUT_EVERY, _JOIN)),
        MISTAKES["T5"].committed_by(
            _by_patterns("b t (h d) -> b t h d", "b t h d -> b t (h d)"),
            why="The gate (h, 1, 1) then meets the words: it needs the heads third from the end.",
            then="Write the axes of `heads` above those of the gate.",
        ),
        MISTAKES["H2"].committed_by(_by_patterns(_CUT, "b h t d -> b h (t d)")),
    ),
    pairs=lambda: [pair(MISTAKES["T4"], MISTAKES["H2"], _by_patterns(_CUT_EVERY, "b h t d -> b h (t d)"))],
    gradient=True,
    shown="Both patterns hold: cut, multiply and join leave every entry in its place.",
    transfer="What would the gate (1, 1, 1) show about your two patterns?",
    review="05",
    see=FIT,
)

# 5. split


def split_heads(x: Tensor, num_heads: int) -> Tensor:
    """x (b, t, d_model) → heads (b, h, t, d_k); head i owns entries i · d_k … (i + 1) · d_k - 1."""
    b, t, d_model = x.shape
    if num_heads < 1 or d_model % num_heads:
        raise ValueError(f"d_model = {d_model} is no multiple of num_heads = {num_heads}")
    return x.reshape(b, t, num_heads, d_model // num_heads).transpose(1, 2)


def _refusing(split: Split) -> Split:
    def mutant(x: Tensor, num_heads: int) -> Tensor:
        if x.shape[-1] % num_heads:
            raise ValueError
        return split(x, num_heads)

    return mutant


def _unchecked(split: Split) -> Split:
    return split


def _stumbling(split: Split) -> Split:
    """The same split, which stops with an error of its own where a remainder is left."""

    def mutant(x: Tensor, num_heads: int) -> Tensor:
        if x.shape[-1] % num_heads:
            raise RuntimeError
        return split(x, num_heads)

    return mutant


_LEFT_TO_STUMBLE: tuple[Split, ...] = (  # errors differ in their words
    lambda x, h: x.reshape(*x.shape[:2], h, x.shape[2] // h).transpose(1, 2),
    lambda x, h: x.reshape(*x.shape[:2], h, -1).transpose(1, 2),
    lambda x, h: rearrange(x, "b t (h d) -> b h t d", h=h),
)
_SPLIT_WORDS: dict[Split, dict[str, str]] = {
    _sentences_mixed: {
        "phrase": "a split in which the heads come before the sentences",
        "why": "The first head then gets the numbers of the first sentences.",
        "then": "Change sentence 1 and look at your heads of sentence 0.",
    },
    _heads_before_sentences: {
        "phrase": "heads before sentences, [h, b, …]",
        "why": "Read as [b, h, …], a sentence gets the heads of others.",
        "then": "Say what the first axis of your result counts.",
    },
}

SPLIT_HEADS = Function(
    id="multi_head.split_heads",
    number=5,
    title="Split into heads",
    chapter="03",
    kind="write",
    difficulty=2,
    minutes=10,
    prompt=(
        "Split x (b, t, d_model) into heads (b, h, t, d_k). Head i owns d_k neighbouring entries of every word. If"
        " d_model is no multiple of `num_heads`, raise a `ValueError` that names both numbers."
    ),
    imports="from torch import Tensor",
    template=(
        "def split_heads(x: Tensor, num_heads: int) -> Tensor:\n"
        '    """x (b, t, d_model) → heads (b, h, t, d_k); head i owns entries i · d_k … (i + 1) · d_k - 1."""\n'
        "    return ..."
    ),
    hints=(
        "Two steps: give the last axis two parts, then swap two axes. Which two?",
        "On other numbers: x (1, 2, 6) with the rows 0 … 5 and 6 … 11, 3 heads. Head 0 holds `0 1` and `6 7`, head 2"
        " holds `4 5` and `10 11`.",
        "x.reshape(b, t, ▢, ▢).transpose(▢, ▢), after a test of d_model % ▢",
    ),
    answer=split_heads,
    reference=split_heads,
    result="a tensor",
    probes=(
        Probe("the toy", "On the toy's queries in two heads", {"x": QUERIES, "num_heads": 2}),
        Probe("all sizes different", "With b 2, t 5, h 3, d_k 4", {"x": numbered(2, 5, 12), "num_heads": 3}),
        Probe("equal sizes", "With b = t = h = d_k = 3", {"x": numbered(3, 3, 9), "num_heads": 3}),
        Probe("one head", "With a single head", {"x": numbered(2, 3, 5), "num_heads": 1}),
        Probe("a remainder", "With d_model 7 and 3 heads", {"x": numbered(2, 5, 7), "num_heads": 3}, sizes=(7, 3)),
    ),
    singles=(
        MISTAKES["H4"].committed_by(_cut),
        *(MISTAKES["T21"].committed_by(split) for split in _LEFT_TO_STUMBLE),
        *(
            MISTAKES[code].committed_by(_refusing(split), **_SPLIT_WORDS.get(split, {}))
            for code, splits in _SPLITS.items()
            for split in splits
        ),
    ),
    pairs=lambda: [
        pair(MISTAKES[code].committed_by(None, **_SPLIT_WORDS.get(split, {})), MISTAKES[other], change(split))
        for code, splits in _SPLITS.items()
        for split in splits
        for other, change in (("H4", _unchecked), ("T21", _stumbling))
    ],
    gradient=True,
    shown="Every head holds its part of every word, sentence by sentence, and a remainder is refused.",
    transfer="Which input shows the missing swap, although the shape is right?",
    review="05",
    see=FIT,
)

# 6. merge


def merge_heads(x: Tensor) -> Tensor:
    """x (b, h, t, d) → (b, t, h · d): for every word, what its heads found, side by side."""
    return x.transpose(1, 2).flatten(2)


MERGE_HEADS = Function(
    id="multi_head.merge_heads",
    number=6,
    title="Merge the heads",
    chapter="03",
    kind="write",
    difficulty=2,
    minutes=6,
    prompt=(
        "Undo the split: x (b, h, t, d) becomes (b, t, h · d). Row t holds what all heads found for word t: first head"
        " 0, then head 1, and so on."
    ),
    imports="from torch import Tensor",
    template=(
        "def merge_heads(x: Tensor) -> Tensor:\n"
        '    """x (b, h, t, d) → (b, t, h · d): for every word, what its heads found, side by side."""\n'
        "    return ..."
    ),
    hints=(
        "Which two axes become one? They must lie next to each other before they do, in which order?",
        "On other numbers: head 0 holds `0 1` and `2 3`, head 1 holds `4 5` and `6 7`. The first word's row is"
        " `0 1 4 5`.",
        "x.transpose(▢, ▢), then one axis out of the last ▢",
    ),
    answer=merge_heads,
    reference=attention.merge_heads,
    result="a tensor",
    probes=(
        Probe("the toy", "On the toy's queries in two heads", {"x": _cut(QUERIES, 2)}),
        Probe("all sizes different", "With b 2, h 3, t 5, d 4", {"x": numbered(2, 3, 5, 4)}),
        Probe("equal sizes", "With b = h = t = d = 3", {"x": numbered(3, 3, 3, 3)}),
        Probe("one head", "With a single head", {"x": numbered(2, 1, 3, 5)}),
    ),
    singles=tuple(
        MISTAKES[code].committed_by(merge, **_MERGE_WORDS.get(code, {}))
        for code, merges in _MERGES.items()
        for merge in merges
    ),
    gradient=True,
    shown="Every row holds all heads of one word, in order.",
    transfer="Why does `.view` refuse right after the swap, where `.reshape` copies?",
    review="05",
    see=WHOSE,
)

# 9. attention with several heads, from given weights


def multi_head_attention(
    x: Tensor,
    w_query: Tensor,
    w_key: Tensor,
    w_value: Tensor,
    w_output: Tensor,
    num_heads: int,
    may_attend: Tensor | None = None,
) -> Tensor:
    """concat(head_1 … head_h) W_O; every head attends by itself; may_attend (b, t, t) is the same for all heads."""
    query, key, value = (
        (x @ w).reshape(*x.shape[:2], num_heads, -1).transpose(1, 2) for w in (w_query, w_key, w_value)
    )
    scores = query @ key.transpose(-2, -1) / math.sqrt(query.shape[-1])
    if may_attend is not None:
        scores = scores.masked_fill(~may_attend[:, None], -math.inf)
    heads = torch.softmax(scores, dim=-1) @ value
    return heads.transpose(1, 2).flatten(2) @ w_output


def by_library(
    x: Tensor,
    w_query: Tensor,
    w_key: Tensor,
    w_value: Tensor,
    w_output: Tensor,
    num_heads: int,
    may_attend: Tensor | None = None,
) -> Tensor:
    """The same by the tested parts of ``qkv.nn.attention``."""
    query, key, value = (attention.split_heads(x @ w, num_heads) for w in (w_query, w_key, w_value))
    mask = None if may_attend is None else may_attend[:, None]
    heads, _ = attention.scaled_dot_product_attention(query, key, value, mask)
    return attention.merge_heads(heads) @ w_output


def _averaged(heads: Tensor, w_output: Tensor) -> Tensor:
    return attention.merge_heads(heads) @ w_output / heads.shape[1]


def _average_once(heads: Tensor, w_output: Tensor) -> Tensor:
    return heads.mean(1) @ w_output[: heads.shape[-1]]


def _average_tiled(heads: Tensor, w_output: Tensor) -> Tensor:
    return heads.mean(1).repeat(1, 1, heads.shape[1]) @ w_output


def _own_piece(x: Tensor, w: Tensor, num_heads: int) -> Tensor:
    pieces = _cut(x, num_heads).unbind(1)
    d_k = x.shape[-1] // num_heads
    squares = [w[i : i + d_k, i : i + d_k] for i in range(0, num_heads * d_k, d_k)]
    return torch.cat([piece @ square for piece, square in zip(pieces, squares, strict=True)], -1)


_PROJECT: dict[str, Callable[[Tensor, Tensor, int], Tensor]] = {
    "": lambda x, w, h: x @ w,
    "shared": lambda x, w, h: (x @ w[:, : w.shape[-1] // h]).repeat(1, 1, h),
    "transposed": lambda x, w, h: x @ w.T,
    "own piece": _own_piece,
}
_JOINS: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "words first": lambda heads, w: heads.flatten(2) @ w,
    "view": lambda heads, w: _MERGES["T23"][0](heads) @ w,
    "": lambda heads, w: attention.merge_heads(heads) @ w,
    "none": lambda heads, w: attention.merge_heads(heads),
    "transposed": lambda heads, w: attention.merge_heads(heads) @ w.T,
    "in reading order": lambda heads, w: _MERGES["H2"][0](heads) @ w,
    "every": lambda heads, w: _MERGES["T4"][0](heads) @ w,
    "averaged": _averaged,
    "average once": _average_once,
    "average tiled": _average_tiled,
}
_SCALE: dict[str, Callable[[Tensor, int], float]] = {
    "": lambda query, h: math.sqrt(query.shape[-1]),
    "A1": lambda query, h: 1.0,
    "A2": lambda query, h: math.sqrt(query.shape[-1] * h),
    "S10": lambda query, h: math.sqrt(h),
    "S15": lambda query, h: math.sqrt(2),
}
_MASK: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "": lambda scores, may: scores.masked_fill(~may[:, None], -INF),
    "inverted": lambda scores, may: scores.masked_fill(may[:, None], -INF),
    "score 0": lambda scores, may: scores.masked_fill(~may[:, None], 0.0),
    "added": lambda scores, may: scores + may[:, None],
    "unused": lambda scores, may: scores,
    "after": lambda scores, may: scores,
    "meets heads": lambda scores, may: scores.masked_fill(~may, -INF),
    "meets heads, by where": lambda scores, may: torch.where(may, scores, -INF),
}


def heads_with(
    *,
    keys_mixed: bool = False,
    split: Split = _cut,
    project: str = "",
    scale: str = "",
    axis: int = -1,
    whole: bool = False,
    mask: str = "",
    join: str = "",
) -> Callable[..., Tensor]:
    """Attention with several heads, some of its parts replaced: the mutants of exercise 9."""

    def mutant(
        x: Tensor,
        w_query: Tensor,
        w_key: Tensor,
        w_value: Tensor,
        w_output: Tensor,
        num_heads: int,
        may_attend: Tensor | None = None,
    ) -> Tensor:
        projected = [_PROJECT[project](x, w, num_heads) for w in (w_query, w_key, w_value)]
        query, key, value = (split(each, num_heads) for each in projected)
        if whole:
            query, key = (each[:, None].expand(-1, num_heads, -1, -1) for each in projected[:2])
        if keys_mixed:
            value = key
        scores = query @ key.transpose(-2, -1) / _SCALE[scale](query, num_heads)
        if may_attend is not None:
            scores = _MASK[mask](scores, may_attend)
        weights = torch.softmax(scores, axis)
        if mask == "after" and may_attend is not None:
            weights = weights * may_attend[:, None]
        return _JOINS[join](weights @ value, w_output)

    return mutant


Change = tuple[str, dict[str, Any], dict[str, str]]  # code, what is replaced, words that differ from the usual ones
_CHANGES: dict[str, list[Change]] = {
    "project": [
        ("H5", {"project": "shared"}, {}),
        ("T6", {"project": "transposed"}, {}),
    ],
    "scale": [("A1", {"scale": "A1"}, {}), ("A2", {"scale": "A2"}, {})],
    "split": [
        ("H1", {"split": _in_reading_order}, {}),
        ("H1", {"split": _sentences_mixed}, _SPLIT_WORDS[_sentences_mixed]),
        ("T4", {"split": _every}, {}),
    ],
    "share": [
        ("A4", {"axis": -2}, {"phrase": "a softmax over the queries"}),
        ("A4", {"axis": 1}, {"phrase": "a softmax over the heads"}),
        ("A4", {"axis": 0}, {"phrase": "a softmax over the sentences"}),
        ("T3", {"whole": True}, {}),
    ],
    "mask": [
        ("M1", {"mask": "after"}, {}),
        ("M3", {"mask": "inverted"}, {}),
        ("S4", {"mask": "unused"}, {}),
        ("T7", {"mask": "meets heads"}, {}),
        ("T7", {"mask": "meets heads, by where"}, {}),
    ],
    "join": [
        ("A6", {"join": "none"}, {}),
        ("T23", {"join": "view"}, {}),
        ("H2", {"join": "in reading order"}, {}),
        ("H6", {"join": "averaged"}, {}),
        ("H6", {"join": "average once"}, {}),
        ("H6", {"join": "average tiled"}, {}),
        ("T4", {"join": "every"}, {"phrase": "heads merged entry by entry"}),
        ("T6", {"join": "transposed"}, {"phrase": "W_O used transposed"}),
    ],
}

_ALONE: dict[str, dict[str, Any]] = {  # named by themselves, not together with others
    "S10": {"scale": "S10"},
    "S15": {"scale": "S15"},
    "M4": {"mask": "added"},
    "M7": {"mask": "score 0"},
    "T26": {"project": "own piece"},
}


def _singles() -> Iterator[Mutant]:
    for code, change, words in itertools.chain(*_CHANGES.values()):
        yield MISTAKES[code].committed_by(heads_with(**change), **words)
    for mask in ("", "unused"):
        yield MISTAKES["T5"].committed_by(
            heads_with(split=_SPLITS["T5"][0], join="words first", mask=mask),
            phrase="attention of heads to heads",
            why="Without a swap the last two axes are heads and entries: no word meets another.",
            then="Write the shape of your scores: two of its axes count words.",
        )
    yield MISTAKES["A6"].committed_by(
        heads_with(keys_mixed=True),
        phrase="a mix of keys, not of values",
        why="Keys decide the shares; the values are what gets shared out.",
        then="Follow `w_value` through your code: where is it read?",
    )
    yield MISTAKES["T3"].committed_by(heads_with(whole=True, scale="A2"), then="Count the softmaxes of one word.")
    for code, change in _ALONE.items():
        yield MISTAKES[code].committed_by(heads_with(**change))
    yield MISTAKES["T6"].committed_by(
        heads_with(project="transposed", join="transposed"), phrase="all weights used transposed"
    )


def _pairs() -> Iterator[Mutant]:
    """Two changes of different groups, where both show in the result."""
    for first, second in itertools.combinations(_CHANGES, 2):
        for (code, change, words), (other, more, others) in itertools.product(_CHANGES[first], _CHANGES[second]):
            if _shows_both(code, change, other, more):
                one = MISTAKES[code].committed_by(None, **words)
                two = MISTAKES[other].committed_by(None, **others)
                yield pair(one, two, heads_with(**(change | more)))


def _shows_both(code: str, change: dict[str, Any], other: str, more: dict[str, Any]) -> bool:
    if "T23" in (code, other):  # stops, whatever else is done
        return False
    if code == other or {code, other} in ({"T3", "H1"}, {"T3", "A2"}, {"T3", "A1"}, {"H5", "T3"}, {"H5", "T4"}):
        return False
    if code == "H5" and more.get("join") == "average tiled":  # equal heads are their own average
        return False
    usual = change.get("axis", -1) != 0 and change.get("split") is not _sentences_mixed
    return usual and more.get("axis", -1) != 0 and more.get("split") is not _sentences_mixed


def _weights(size: int, seed: int) -> dict[str, Tensor]:
    names = ("w_query", "w_key", "w_value", "w_output")
    return {name: draw(size, size, seed=seed + i) for i, name in enumerate(names)}


def _square(table: Tensor) -> Tensor:
    """The toy's table as a weight of four rows; the fourth belongs to no word."""
    return torch.cat([table[0], torch.zeros(1, 4, dtype=torch.float64)])


W_OUTPUT = torch.tensor([[1, 0, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1], [0, 1, 0, 0]], dtype=torch.float64)
_TOY = {
    "x": torch.eye(4, dtype=torch.float64)[None, :3],
    "w_query": _square(QUERIES),
    "w_key": _square(KEYS),
    "w_value": _square(CARRIED),
    "w_output": W_OUTPUT,
    "num_heads": 2,
    "may_attend": None,
}
_DIFFERENT = {"x": draw(2, 5, 12, seed=210)} | _weights(12, 211) | {"num_heads": 3, "may_attend": None}
_EQUAL = {"x": draw(4, 4, 16, seed=220)} | _weights(16, 221) | {"num_heads": 4, "may_attend": None}

MULTI_HEAD = Function(
    id="multi_head.multi_head_attention",
    number=9,
    title="Attention with several heads",
    chapter="03",
    kind="write",
    difficulty=3,
    minutes=25,
    prompt=(
        "Write self-attention with several heads, from given weights, each (d_model, d_model) and used as `x @ w`"
        " without biases. x is (b, t, d_model). `may_attend` (b, t, t) is True where a word may read another, the same"
        " for all heads; every word may read at least one. Return (b, t, d_model).\n\n"
        "On the toy, x holds one row of the unit matrix for each word, so x @ w picks that word's row. Before W_O the"
        " row of *it* is `[6.73, 1.64, 4.46, 4.46]`, as in exercise 7; the toy's W_O changes the order of the entries:"
        " `[6.73, 4.46, 1.64, 4.46]`."
    ),
    imports="import math\n\nimport torch\nfrom torch import Tensor",
    template=(
        "def multi_head_attention(\n"
        "    x: Tensor,\n"
        "    w_query: Tensor,\n"
        "    w_key: Tensor,\n"
        "    w_value: Tensor,\n"
        "    w_output: Tensor,\n"
        "    num_heads: int,\n"
        "    may_attend: Tensor | None = None,\n"
        ") -> Tensor:\n"
        '    """concat(head_1 … head_h) W_O; every head attends by itself; may_attend (b, t, t) is the same for all'
        ' heads."""\n'
        "    return ..."
    ),
    hints=(
        "Project, split, attend, merge, mix by W_O. Attention works on the last two axes whatever stands before them.",
        "On other numbers: scores (2, 3, 5, 5) and a mask (2, 5, 5). Written as (2, 1, 5, 5) it serves all 3 heads of"
        " its sentence.",
        "scores.masked_fill(~may_attend[:, ▢], -math.inf) / …, and at the end heads.transpose(▢, ▢).flatten(2) @ ▢",
    ),
    answer=multi_head_attention,
    reference=by_library,
    result="a tensor",
    probes=(
        Probe("the toy", "On the toy with two heads", _TOY),
        Probe("all sizes different", "With b 2, t 5, h 3, d_k 4", _DIFFERENT),
        Probe("equal sizes", "With b = t = h = d_k = 4", _EQUAL),
        Probe("the toy, causal", "With the causal mask", _TOY | {"may_attend": CAUSAL}, masked=True),
        Probe(
            "a mask",
            "With a mask, 2 sentences and 3 heads",
            _DIFFERENT | {"may_attend": draw_mask(2, 5, 5, seed=230)},
            masked=True,
        ),
        Probe(
            "a mask, equal sizes",
            "With a mask and as many sentences as heads",
            _EQUAL | {"may_attend": draw_mask(4, 4, 4, seed=231)},
            masked=True,
        ),
    ),
    singles=tuple(_singles()),
    pairs=lambda: tuple(_pairs()),
    gradient=True,
    feed=lambda inputs: tuple(value for value in inputs.values() if value is not None),  # a mask may be left out
    shown="Toy, masks, equal and different sizes and gradients all agree with the reference.",
    transfer="Which of your lines would change if keys came from another sentence?",
    review="05",
    see=FAST,
)

# 10. fused projections


def unpack(fused: Tensor, num_heads: int) -> Tensor:
    """fused (b, t, 3 · d_model) → (3, b, h, t, d_k): query, key and value of every head."""
    b, t, width = fused.shape
    return fused.reshape(b, t, 3, num_heads, width // (3 * num_heads)).permute(2, 0, 3, 1, 4)


def _by_pattern(left: str, right: str = "c b h t d") -> Callable[[Tensor, int], Tensor]:
    return lambda fused, num_heads: rearrange(fused, f"b t ({left}) -> {right}", c=3, h=num_heads)


UNPACK = Function(
    id="multi_head.unpack",
    number=10,
    title="Three projections in one",
    chapter="03",
    kind="write",
    difficulty=3,
    minutes=10,
    prompt=(
        "Fast code makes query, key and value by one matrix product. Each row of `fused` (b, t, 3 · d_model) holds all"
        " queries, then all keys, then all values; within each of them first head 0, then head 1, and so on. Return one"
        " tensor (3, b, h, t, d_k)."
    ),
    imports="from torch import Tensor",
    template=(
        "def unpack(fused: Tensor, num_heads: int) -> Tensor:\n"
        '    """fused (b, t, 3 · d_model) → (3, b, h, t, d_k): query, key and value of every head."""\n'
        "    return ..."
    ),
    hints=(
        "The last axis is three axes in one. Say their order, from the slowest to the fastest.",
        "On other numbers: with d_model 4 and 2 heads the row is `q q q q k k k k v v v v`. Entries 4 and 5 are the key"
        " of head 0.",
        "fused.reshape(b, t, ▢, ▢, d_k).permute(▢, 0, ▢, 1, 4)",
    ),
    answer=unpack,
    reference=unpack,
    result="one tensor",
    probes=(
        Probe("the toy", "On the toy in two heads", {"fused": torch.cat([QUERIES, KEYS, CARRIED], -1), "num_heads": 2}),
        Probe("all sizes different", "With b 2, t 5, h 4, d_k 2", {"fused": numbered(2, 5, 24), "num_heads": 4}),
        Probe("equal sizes", "With b = t = h = d_k = 3", {"fused": numbered(3, 3, 27), "num_heads": 3}),
        Probe("one head", "With a single head", {"fused": numbered(2, 4, 15), "num_heads": 1}),
    ),
    singles=(
        MISTAKES["H7"].committed_by(_by_pattern("h c d"), phrase="a row cut by heads first"),
        MISTAKES["H7"].committed_by(_by_pattern("h d c"), phrase="a row cut by heads, with q, k, v innermost"),
        MISTAKES["H7"].committed_by(_by_pattern("d h c"), phrase="a row with q, k, v innermost"),
        *(
            MISTAKES["H7"].committed_by(lambda fused, h, order=order: unpack(fused, h)[list(order)])
            for order in itertools.permutations(range(3))
            if order != (0, 1, 2)
        ),
        MISTAKES["T4"].committed_by(_by_pattern("c d h")),
        MISTAKES["T5"].committed_by(_by_pattern("c h d", "c b t h d")),
        MISTAKES["H1"].committed_by(
            lambda fused, h: torch.stack([_in_reading_order(x, h) for x in fused.chunk(3, dim=-1)])
        ),
        MISTAKES["H1"].committed_by(
            lambda fused, h: fused.reshape(3, fused.shape[0], h, fused.shape[1], -1),
            phrase="a `reshape` alone",
            why="`reshape` moves no number: the first third is then the first sentences, not the queries.",
            then="Read the axes of `fused` in their order, then permute.",
        ),
    ),
    pairs=lambda: [
        pair(MISTAKES["H7"], MISTAKES["T5"], _by_pattern("h c d", "c b t h d")),
        pair(MISTAKES["T4"], MISTAKES["T5"], _by_pattern("c d h", "c b t h d")),
    ],
    gradient=True,
    shown="Query, key and value of every head come out of one row in the order in which they lie there.",
    transfer="What does a model say whose weights were saved with another order?",
    review="09",
    see=WHOSE,
)

# 14. without one head


def without_head(heads: Tensor, w_output: Tensor, bias: Tensor, removed: int) -> Tensor:
    """The layer's output when head ``removed`` hands on nothing."""
    kept = heads.clone()
    kept[:, removed] = 0.0
    return kept.transpose(1, 2).flatten(2) @ w_output + bias


def silenced(
    *,
    late: str = "",
    grown: bool = False,
    bias: bool = True,
    shift: int = 0,
    only: bool = False,
) -> Callable[..., Tensor]:
    """A layer without one head, some of its parts replaced: the mutants of exercise 14.

    ``late``: where zeros come after W_O, "before" or "after" the bias.
    """

    def mutant(heads: Tensor, w_output: Tensor, bias_row: Tensor, removed: int) -> Tensor:
        number, size = heads.shape[1], heads.shape[-1]
        head = (removed - shift) % number
        gate = torch.tensor([float((i == head) == only) for i in range(number)], dtype=heads.dtype)
        gate = gate * (number / max(number - 1, 1) if grown else 1)
        added = bias_row if bias else torch.zeros_like(bias_row)
        if not late:
            return attention.merge_heads(heads * gate[:, None, None]) @ w_output + added
        output = attention.merge_heads(heads) @ w_output + (added if late == "after" else 0)
        own = torch.arange(output.shape[-1]) // size == head
        return output.masked_fill(own, 0.0) + (added if late == "before" else 0)

    return mutant


_SILENCED: dict[str, dict[str, Any]] = {
    "T8": {"late": "after"},
    "T9": {"grown": True},
    "T10": {"bias": False},
    "T11": {"shift": 1},
    "T12": {"only": True},
}


def _first_rows(heads: Tensor, w_output: Tensor, bias: Tensor, removed: int) -> Tensor:
    kept = attention.merge_heads(heads[:, [i for i in range(heads.shape[1]) if i != removed]])
    return kept @ w_output[: kept.shape[-1]] + bias


def _silenced_along(axis: int) -> Callable[..., Tensor]:
    def mutant(heads: Tensor, w_output: Tensor, bias: Tensor, removed: int) -> Tensor:
        kept = heads.clone()
        kept.transpose(0, axis)[removed] = 0.0
        return attention.merge_heads(kept) @ w_output + bias

    return mutant


def _merged_in_reading_order(heads: Tensor, w_output: Tensor, bias: Tensor, removed: int) -> Tensor:
    kept = heads.clone()
    kept[:, removed] = 0.0
    return _MERGES["H2"][0](kept) @ w_output + bias


_SILENCED_COUPLES = (
    ("T8", "T10"), ("T8", "T11"), ("T9", "T10"), ("T9", "T11"), ("T10", "T11"), ("T10", "T12"), ("T11", "T12"),
)  # fmt: skip


def _layer(b: int, h: int, t: int, d: int, seed: int, removed: int) -> dict[str, Any]:
    drawn = {"heads": (b, h, t, d), "w_output": (h * d, h * d), "bias": (h * d,)}
    return {n: draw(*s, seed=seed + i) for i, (n, s) in enumerate(drawn.items())} | {"removed": removed}


_TOY_HEADS = attention.scaled_dot_product_attention(*(_cut(table, 2) for table in (QUERIES, KEYS, CARRIED)))[0]

WITHOUT_HEAD = Function(
    id="multi_head.without_head",
    number=14,
    title="A layer without one head",
    chapter="03",
    kind="write",
    difficulty=3,
    minutes=10,
    prompt=(
        "To ask what a head is worth, silence it: it hands on zeros, and everything else stays as it is. `heads`"
        " (b, h, t, d) is what the heads found, `w_output` (h · d, d_model) mixes them, `bias` (d_model) is added at"
        " the end. Return the layer's output (b, t, d_model) without head number `removed`; the first head is number 0."
    ),
    imports="import torch\nfrom torch import Tensor",
    template=(
        "def without_head(heads: Tensor, w_output: Tensor, bias: Tensor, removed: int) -> Tensor:\n"
        '    """The layer\'s output when head ``removed`` hands on nothing."""\n'
        "    return ..."
    ),
    hints=(
        "At which point of the layer do a head's numbers still stand alone?",
        "On other numbers: heads `[2]` and `[3]`, W_O with the rows `[1, 1]` and `[1, −1]`, bias `[5, 5]`. The whole"
        " output is `[10, 4]`; without head 1 it is `[7, 7]`. No entry is 0.",
        "gate = torch.ones(heads.shape[1]); gate[▢] = 0; merge(heads * gate[:, None, None]) @ ▢ + ▢",
    ),
    answer=without_head,
    reference=without_head,
    result="a tensor",
    probes=(
        Probe(
            "the toy",
            "On the toy without head 0",
            {"heads": _TOY_HEADS, "w_output": W_OUTPUT, "bias": torch.ones(4, dtype=torch.float64), "removed": 0},
        ),
        Probe("all sizes different", "With b 2, h 3, t 5, d 4", _layer(2, 3, 5, 4, 240, 1)),
        Probe("equal sizes", "With b = h = t = d = 3", _layer(3, 3, 3, 3, 250, 0)),
        Probe("four heads", "Without the last of four heads", _layer(1, 4, 2, 3, 260, 3)),
    ),
    singles=(
        *(MISTAKES[code].committed_by(silenced(**change)) for code, change in _SILENCED.items()),
        MISTAKES["T8"].committed_by(silenced(late="before"), phrase="zeros between W_O and the bias"),
        MISTAKES["T22"].committed_by(_first_rows),
        MISTAKES["H2"].committed_by(_merged_in_reading_order),
        *(MISTAKES["T28"].committed_by(_silenced_along(axis)) for axis in (0, 2, 3)),
    ),
    pairs=lambda: [
        pair(MISTAKES[a], MISTAKES[b], silenced(**(_SILENCED[a] | _SILENCED[b]))) for a, b in _SILENCED_COUPLES
    ],
    gradient=True,
    shown="The head hands on nothing, the others and the bias stay: that is what “removed” means in this chapter.",
    transfer="Would a head's average output in place of zeros ask the same question?",
    review="05",
    see=NEEDED,
)

# 16. heads folded into the batch


def attend_folded(query: Tensor, key: Tensor, value: Tensor, may_attend: Tensor, num_heads: int) -> Tensor:
    """Attention of heads that stand in the batch axis, all sentences of head 0 first; merged to (b, t, h · d_k)."""
    scores = query @ key.transpose(-2, -1) / math.sqrt(query.shape[-1])
    scores = scores.masked_fill(~may_attend.repeat(num_heads, 1, 1), -math.inf)
    output = torch.softmax(scores, dim=-1) @ value
    return torch.cat(output.chunk(num_heads, dim=0), dim=-1)


def folded_with(
    *, scale: str = "", order: str = "heads first", mask: str = "heads first", inverted: bool = False
) -> Callable[..., Tensor]:
    """Attention of folded heads, some of its parts replaced: the mutants of exercise 16."""
    patterns = {
        "heads first": "(h b) t d -> b t (h d)",
        "sentences first": "(b h) t d -> b t (h d)",
        "every": "(h b) t d -> b t (d h)",
        "every, sentences first": "(b h) t d -> b t (d h)",
    }

    def repeated(may: Tensor, num_heads: int) -> Tensor:
        if mask == "once":
            return may
        return may.repeat(num_heads, 1, 1) if mask == "heads first" else may.repeat_interleave(num_heads, dim=0)

    def mutant(query: Tensor, key: Tensor, value: Tensor, may_attend: Tensor, num_heads: int) -> Tensor:
        scores = query @ key.transpose(-2, -1) / _SCALE[scale](query, num_heads)
        may = repeated(may_attend, num_heads)
        if mask != "unused":
            scores = scores.masked_fill(may if inverted else ~may, -INF)
        output = torch.softmax(scores, -1) @ value
        if order == "in reading order":
            return output.reshape(*may_attend.shape[:2], -1)
        return rearrange(output, patterns[order], h=num_heads)

    return mutant


_FOLDED: dict[str, dict[str, Any]] = {
    "A1": {"scale": "A1"},
    "A2": {"scale": "A2"},
    "H2": {"order": "in reading order"},
    "H3": {"order": "sentences first"},
    "M3": {"inverted": True},
    "M10": {"mask": "sentences first"},
    "S4": {"mask": "unused"},
    "T4": {"order": "every"},
}
_FOLDED_COUPLES = (
    ("M10", "H3"), ("M10", "H2"), ("M10", "T4"), ("M10", "A1"), ("M10", "A2"), ("M10", "M3"), ("H3", "A1"),
    ("H3", "A2"), ("H3", "M3"), ("H3", "S4"), ("H2", "A1"), ("H2", "A2"), ("T4", "A1"), ("T4", "A2"), ("A1", "S4"),
    ("A2", "S4"),
)  # fmt: skip


def _folded_probe(name: str, where: str, b: int, h: int, t: int, d: int, seed: int) -> Probe:
    inputs: dict[str, Any] = {n: draw(h * b, t, d, seed=seed + i) for i, n in enumerate(("query", "key", "value"))}
    return Probe(name, where, inputs | {"may_attend": draw_mask(b, t, t, seed=seed + 3), "num_heads": h})


_FOLDED_TOY = {name: _cut(table, 2)[0] for name, table in (("query", QUERIES), ("key", KEYS), ("value", CARRIED))} | {
    "may_attend": torch.ones(1, 3, 3, dtype=torch.bool),
    "num_heads": 2,
}

FOLDED = Function(
    id="multi_head.attend_folded",
    number=16,
    title="Heads folded into the batch",
    chapter="03",
    kind="write",
    difficulty=4,
    minutes=15,
    prompt=(
        "Older code stacks the heads on the batch axis: `query`, `key` and `value` are (h · b, t, d_k), all sentences"
        " of head 0 first, then all sentences of head 1. `may_attend` is (b, t, t), one mask for each sentence. Return"
        " the heads of each word side by side: (b, t, h · d_k).\n\n"
        "In chapter 02 the heads of one sentence lay side by side; here it is the other way round."
    ),
    imports="import math\n\nimport torch\nfrom torch import Tensor",
    template=(
        "def attend_folded(query: Tensor, key: Tensor, value: Tensor, may_attend: Tensor, num_heads: int) -> Tensor:\n"
        '    """Attention of heads that stand in the batch axis, all sentences of head 0 first; merged to'
        ' (b, t, h · d_k)."""\n'
        "    return ..."
    ),
    hints=(
        "With 2 sentences and 3 heads, write down sentence and head of each of the six rows.",
        "On other numbers: sentences `a, b` and three heads lie as `a b a b a b`. Their masks must lie so too, and the"
        " first word of `a` needs rows 0, 2 and 4.",
        "may_attend.▢(num_heads, 1, 1); torch.cat(output.chunk(▢, dim=0), dim=▢)",
    ),
    answer=attend_folded,
    reference=attend_folded,
    result="a tensor",
    probes=(
        Probe("the toy", "On the toy in two heads", _FOLDED_TOY),
        _folded_probe("all sizes different", "With b 2, h 3, t 5, d_k 4", 2, 3, 5, 4, 270),
        _folded_probe("equal sizes", "With b = h = t = d_k = 3", 3, 3, 3, 3, 280),
        _folded_probe("one head", "With a single head", 2, 1, 4, 3, 290),
    ),
    singles=(
        *(MISTAKES[code].committed_by(folded_with(**change)) for code, change in _FOLDED.items()),
        MISTAKES["T7"].committed_by(
            folded_with(mask="once"),
            phrase="a mask that is not repeated",
            why="The scores have h · b tables, the mask only b.",
            then="Write the axes of the scores above those of the mask.",
        ),
    ),
    pairs=lambda: [
        pair(MISTAKES[a], MISTAKES[b], folded_with(**(_FOLDED[a] | _FOLDED[b]))) for a, b in _FOLDED_COUPLES
    ],
    gradient=True,
    shown="Every row met the mask of its own sentence and went back to its own word.",
    transfer="Why does the shape (b, h, t, d_k) make both questions disappear?",
    review="05",
    see=WHOSE,
)

# 17. ★ grouped queries


def grouped_attention(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
    """Attention in which h query heads share g key and value heads, h / g neighbours each."""
    h, g = query.shape[1], key.shape[1]
    if h % g:
        raise ValueError(f"{h} query heads cannot share {g} key heads evenly")
    key, value = (x.repeat_interleave(h // g, dim=1) for x in (key, value))
    scores = query @ key.transpose(-2, -1) / math.sqrt(query.shape[-1])
    return torch.softmax(scores, dim=-1) @ value


def _shared_by_neighbours(i: int, h: int, g: int) -> int:
    return i * g // h


def _shared_in_turn(i: int, h: int, g: int) -> int:
    return i % g


def grouped_with(
    *,
    scale: str = "",
    axis: int = -1,
    pick: Callable[[int, int, int], int] = _shared_by_neighbours,
    refuse: bool = True,
    pool: bool = False,
    pick_value: Callable[[int, int, int], int] | None = None,
) -> Callable[..., Tensor]:
    """Grouped attention, some of its parts replaced; ``pick`` says which key head query head i reads.

    ``pick_value``: which value head, where it is another one.
    """

    def mutant(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
        h, g = query.shape[1], key.shape[1]
        if refuse and h % g:
            raise ValueError
        if pool:
            key, value = (x.mean(1, keepdim=True).expand_as(x) for x in (key, value))
        chosen = [pick(i, h, g) for i in range(h)]
        scores = query @ key[:, chosen].transpose(-2, -1) / _SCALE[scale](query, h)
        read = [pick_value(i, h, g) for i in range(h)] if pick_value else chosen
        return torch.softmax(scores, axis) @ value[:, read]

    return mutant


def _stumbles(i: int, h: int, g: int) -> int:
    if h % g:  # as where g · (h // g) repeated keys meet h queries
        raise RuntimeError(
            f"The size of tensor a ({h}) must match the size of tensor b ({h // g * g}) at non-singleton dimension 1"
        )
    return i * g // h


def _stumbles_otherwise(i: int, h: int, g: int) -> int:
    return _stumbles(i, h, g) if h % g else i % g


_GROUPED: dict[str, dict[str, Any]] = {
    "A1": {"scale": "A1"},
    "A2": {"scale": "A2"},
    "A4": {"axis": -2},
    "H6": {"pool": True},
    "T16": {"pick": _shared_in_turn},
    "T19": {"refuse": False},
    "T21": {"refuse": False, "pick": _stumbles},
}
_GROUPED_MISTAKES = MISTAKES | {
    "H6": MISTAKES["H6"].committed_by(
        None,
        phrase="an average of the key heads",
        why="Then all groups read the same keys, and one key head would do.",
        then="Compare what query heads of two groups read.",
    )
}
_GROUPED_COUPLES = (
    ("T16", "T19"), ("T16", "A1"), ("T16", "A2"), ("T16", "A4"), ("A1", "T19"), ("A2", "T19"), ("A4", "T19"),
    ("A1", "T21"), ("A2", "T21"), ("A4", "T21"),
)  # fmt: skip


def _grouped(b: int, h: int, g: int, t: int, d: int, seed: int) -> dict[str, Any]:
    shapes = {"query": (b, h, t, d), "key": (b, g, t, d), "value": (b, g, t, d)}
    return {name: draw(*shape, seed=seed + i) for i, (name, shape) in enumerate(shapes.items())}


GROUPED = Function(
    id="multi_head.grouped_attention",
    number=17,
    title="★ Grouped queries",
    chapter="03",
    kind="write",
    difficulty=5,
    minutes=15,
    starred=True,
    prompt=(
        "Models that write word by word keep all old keys and values. To keep fewer, several query heads share one key"
        " and one value head: `query` is (b, h, t, d), `key` and `value` are (b, g, t, d). The first h / g query heads"
        " share the first key head, the next ones the second, and so on.\n\n"
        "Return (b, h, t, d). If h is no multiple of g, raise a `ValueError` that names both numbers."
    ),
    imports="import math\n\nimport torch\nfrom torch import Tensor",
    template=(
        "def grouped_attention(query: Tensor, key: Tensor, value: Tensor) -> Tensor:\n"
        '    """Attention in which h query heads share g key and value heads, h / g neighbours each."""\n'
        "    return ..."
    ),
    hints=(
        "With 6 query heads and 2 key heads, which key head does query head 2 read, and which does query head 3?",
        "On other numbers: 4 query heads, 2 key heads `a, b` are read as `a a b b`. Four rows read as `a b a b` would"
        " have the right shape too.",
        "key.▢(h // g, dim=▢), and the same for value",
    ),
    answer=grouped_attention,
    reference=grouped_attention,
    result="a tensor",
    probes=(
        Probe(
            "the toy",
            "On the toy with one key head",
            {
                "query": _cut(QUERIES, 2),
                "key": _cut(KEYS, 2)[:, :1],
                "value": _cut(CARRIED, 2)[:, :1],
            },
        ),
        Probe("all sizes different", "With h 6, g 2, t 5, d 4", _grouped(3, 6, 2, 5, 4, 300)),
        Probe("four and two", "With h 4 and g 2", _grouped(2, 4, 2, 4, 4, 310)),
        Probe("as many", "With as many key heads as query heads", _grouped(2, 3, 3, 4, 3, 320)),
        Probe("a remainder", "With 5 query heads and 2 key heads", _grouped(2, 5, 2, 4, 3, 330), sizes=(5, 2)),
    ),
    singles=(
        *(_GROUPED_MISTAKES[code].committed_by(grouped_with(**change)) for code, change in _GROUPED.items()),
        *(
            MISTAKES["T16"].committed_by(
                grouped_with(pick=pick, pick_value=pick_value),
                phrase="keys and values repeated in two orders",
                why="The shares then belong to another head's values.",
                then="Say which key and which value head query head 1 reads.",
            )
            for pick, pick_value in itertools.permutations((_shared_by_neighbours, _shared_in_turn))
        ),
    ),
    pairs=lambda: [
        pair(MISTAKES["T16"], MISTAKES["T21"], grouped_with(refuse=False, pick=_stumbles_otherwise)),
        *(
            pair(_GROUPED_MISTAKES[a], _GROUPED_MISTAKES[b], grouped_with(**(_GROUPED[a] | _GROUPED[b])))
            for a, b in _GROUPED_COUPLES
        ),
    ],
    gradient=True,
    shown="Neighbouring query heads share a key head, and a remainder is refused: the cache shrinks by h / g.",
    transfer="What is the model called in which g is 1?",
    review="08",
    see=FIT,
)

EXERCISES = (
    FILL_THE_PATTERNS,
    SPLIT_HEADS,
    MERGE_HEADS,
    MULTI_HEAD,
    UNPACK,
    WITHOUT_HEAD,
    FOLDED,
    GROUPED,
)
