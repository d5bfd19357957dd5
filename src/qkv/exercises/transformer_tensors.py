"""Chapter 05, exercises on tensors: shift, masks, norm, block, loss, cross-attention, a cache."""

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from qkv import toy
from qkv.exercises.attention_tensors import draw
from qkv.exercises.functions import Function, Probe, pair
from qkv.exercises.start_tensors import draw_ids
from qkv.exercises.transformer_mistakes import (
    AT_ONCE,
    CACHE,
    LENGTHS,
    LOOKS,
    MEAN,
    MISTAKES,
    PLACE,
    RANGE,
)
from qkv.nn import attention

INF = math.inf
PAD = 0
_WORDS = torch.tensor([[7, 4, 9, 2], [5, 2, PAD, PAD]])  # two words, the second with padding

# 4. shift


def shift_right(ids: Tensor, start_id: int) -> Tensor:
    """ids (b, t) one place late: start_id first, the last id dropped."""
    start = torch.full_like(ids[:, :1], start_id)
    return torch.cat([start, ids[:, :-1]], dim=1)


def _starts(ids: Tensor, start_id: int) -> Tensor:
    return torch.full_like(ids[:, :1], start_id)


def _overwritten(ids: Tensor, start_id: int) -> Tensor:
    return torch.cat([_starts(ids, start_id), ids[:, 1:]], dim=1)


def _along_the_batch(ids: Tensor, start_id: int) -> Tensor:
    return torch.cat([torch.full_like(ids[:1], start_id), ids[:-1]], dim=0)


def _twice(ids: Tensor, start_id: int) -> Tensor:
    start = _starts(ids, start_id)
    return torch.cat([start, start, ids[:, :-2]], dim=1)[:, : ids.shape[1]]


_SHIFTS: tuple[tuple[str, Callable[[Tensor, int], Tensor], dict[str, str]], ...] = (
    ("B6", lambda ids, start_id: ids.clone(), {"phrase": "ids that are not shifted"}),
    ("B6", _twice, {"phrase": "ids that are shifted twice", "why": "Then a symbol is read only two places later."}),
    ("M14", lambda ids, start_id: torch.cat([ids[:, 1:], _starts(ids, start_id)], dim=1), {}),
    ("D15", lambda ids, start_id: ids.roll(1, 1), {}),
    ("D16", _overwritten, {}),
    ("D17", _along_the_batch, {}),
    ("D17", lambda ids, start_id: ids.roll(1, 0), {"phrase": "a roll along the batch"}),
    ("D18", lambda ids, start_id: torch.cat([_starts(ids, start_id), ids], dim=1), {}),
    ("D19", lambda ids, start_id: torch.cat([ids[:, :-1], _starts(ids, start_id)], dim=1), {}),
    (
        "D18",
        lambda ids, start_id: ids[:, :-1],
        {
            "phrase": "ids that only lose their last place",
            "why": "The start symbol is missing, and a place with it.",
        },
    ),
)

SHIFT_RIGHT = Function(
    id="transformer.shift_right",
    number=4,
    title="Shift a batch to the right",
    chapter="05",
    kind="write",
    difficulty=2,
    minutes=5,
    prompt=(
        "The same shift for a whole batch: `ids` (b, t) holds what must be said, padding included. Return what the"
        " decoder reads, again (b, t): `start_id` first, then all ids one place later, the last one dropped. Leave"
        " `ids` as it is.\n\n"
        "For `[[7, 4, 9, 2]]` and start 1 return `[[1, 7, 4, 9]]`."
    ),
    imports="import torch\nfrom torch import Tensor",
    template=(
        "def shift_right(ids: Tensor, start_id: int) -> Tensor:\n"
        '    """ids (b, t) one place late: start_id first, the last id dropped."""\n'
        "    return ..."
    ),
    hints=(
        "Which ids are still there after the shift, and what stands before them?",
        "On other numbers: 3 1 4 1 with start 8 becomes 8 3 1 4.",
        "torch.cat([torch.full_like(ids[:, :1], ▢), ids[:, :▢]], dim=▢)",
    ),
    answer=shift_right,
    reference=shift_right,
    result="a tensor",
    probes=(
        Probe("two words", "For two words, one with padding", {"ids": _WORDS, "start_id": 1}),
        Probe("sizes", "With b 3 and t 5", {"ids": draw_ids(3, 5, size=30, seed=1) + 2, "start_id": 1}),
        Probe("square", "With b = t = 3", {"ids": draw_ids(3, 3, size=30, seed=2) + 2, "start_id": 0}),
        Probe("one place", "With a single place", {"ids": torch.tensor([[4], [6]]), "start_id": 3}),
    ),
    singles=tuple(MISTAKES[code].committed_by(shift, **words) for code, shift, words in _SHIFTS),
    shown="Every word is read one place late, in its own row, and the ids stay ids.",
    transfer="What must be said at the place that reads padding?",
    review="08",
    see=AT_ONCE,
)

# 5. complete: two masks in one


def decoder_mask(ids: Tensor, pad_id: int) -> Tensor:
    """What each place of ids (b, t) may read, (b, t, t): itself and what came before it, and no padding."""
    causal = torch.ones(ids.shape[1], ids.shape[1], dtype=torch.bool).tril()
    real = (ids != pad_id)[:, None, :]
    return causal & real


def _masked(combine: Callable[[Tensor, Tensor], Tensor], diagonal: int = 0) -> Callable[[Tensor, int], Tensor]:
    """A mask from causal (t, t) and real (b, t)."""

    def mutant(ids: Tensor, pad_id: int) -> Tensor:
        causal = torch.ones(ids.shape[1], ids.shape[1], dtype=torch.bool).tril(diagonal)
        return combine(causal, ids != pad_id)

    return mutant


_FUTURE = {
    "phrase": "a padding mask alone, for a decoder",
    "why": "Every place then reads the symbols that it has yet to say.",
}

DECODER_MASK = Function(
    id="transformer.decoder_mask",
    number=5,
    title="Two masks in one",
    chapter="05",
    kind="complete",
    difficulty=2,
    minutes=6,
    prompt=(
        "Fill the two gaps. `ids` (b, t) is a batch of words, filled up with `pad_id`. Say for each word which places"
        " may be read from which: itself and what came before, and no padding. True means *may attend*; rows ask,"
        " columns are read; the result is (b, t, t)."
    ),
    imports="import torch\nfrom torch import Tensor",
    template=(
        "def decoder_mask(ids: Tensor, pad_id: int) -> Tensor:\n"
        '    """What each place of ids (b, t) may read, (b, t, t): itself and what came before it, and no padding."""\n'
        "    causal = torch.ones(ids.shape[1], ids.shape[1], dtype=torch.bool).tril()\n"
        "    real = ...\n"
        "    return ..."
    ),
    hints=(
        "Which shape must `real` have, so that it blocks columns and is the same for all readers?",
        "On other numbers: a word of 2 places in a batch of 3 gives the rows `1 0 0`, `1 1 0`, `1 1 0`.",
        "real = (ids != pad_id)[:, ▢, ▢]; causal ▢ real",
    ),
    answer=decoder_mask,
    reference=decoder_mask,
    result="a tensor of True and False",
    probes=(
        Probe("two words", "For words of 4 and 2", {"ids": _WORDS, "pad_id": PAD}),
        Probe(
            "square",
            "With as many words as places",
            {"ids": torch.tensor([[5, 6, 7], [5, PAD, PAD], [8, 9, PAD]]), "pad_id": PAD},
        ),
        Probe(
            "another id",
            "With padding 3",
            {"ids": torch.tensor([[1, 0, 2, 3, 3], [4, 3, 3, 3, 3], [0, 0, 5, 1, 2]]), "pad_id": 3},
        ),
    ),
    singles=(
        MISTAKES["M9"].committed_by(
            _masked(lambda causal, real: causal & real[:, :, None]),  # blocking both axes gives the same mask
            phrase="rows of padding that may read nothing",
            why="It is the columns of padding that must be blocked; a row without a True gives NaN in softmax.",
        ),
        MISTAKES["B8"].committed_by(lambda ids, pad_id: decoder_mask(ids, PAD)),
        MISTAKES["D20"].committed_by(_masked(lambda causal, real: causal | real[:, None])),
        MISTAKES["D21"].committed_by(_masked(lambda causal, real: causal.expand(len(real), -1, -1))),
        MISTAKES["M14"].committed_by(
            _masked(lambda causal, real: real[:, None].expand(-1, len(causal), -1)), **_FUTURE
        ),
        MISTAKES["M3"].committed_by(_masked(lambda causal, real: ~(causal & real[:, None]))),
        MISTAKES["M3"].committed_by(
            _masked(lambda causal, real: causal & ~real[:, None]),
            phrase="padding taken for what is real",
            why="`real` is True where there is no padding.",
        ),
        MISTAKES["M3"].committed_by(
            _masked(lambda causal, real: ~causal & real[:, None]),
            phrase="a causal mask turned round",
            why="True means *may attend*, and the future may not.",
        ),
        MISTAKES["M8"].committed_by(_masked(lambda causal, real: causal & real[:, None], -1)),
        MISTAKES["M8"].committed_by(_masked(lambda causal, real: causal & real[:, None], 1)),
        MISTAKES["D22"].committed_by(_masked(lambda causal, real: causal & real)),
        MISTAKES["D22"].committed_by(_masked(lambda causal, real: real & causal)),
    ),
    shown="Both masks hold together: nobody reads padding, and nobody reads ahead.",
    transfer="Why may the rows of padding read something, although nobody reads their output?",
    review="08",
    see=LENGTHS,
)

# 6. LayerNorm


def layer_norm(x: Tensor, gain: Tensor, bias: Tensor, eps: float = 1e-5) -> Tensor:
    """Each word of x (b, t, d) with mean 0 and spread 1, times gain (d), plus bias (d)."""
    mean = x.mean(-1, keepdim=True)
    variance = ((x - mean) ** 2).mean(-1, keepdim=True)
    return gain * (x - mean) / (variance + eps).sqrt() + bias


def norm_with(
    *,
    axes: tuple[int, ...] = (-1,),
    correction: int = 0,
    eps: str = "inside",
    centre: bool = True,
    root: bool = True,
    order: str = "gain, bias",
) -> Callable[..., Tensor]:
    """A norm with some of its parts replaced: the mutants of ``layer_norm``."""

    def mutant(x: Tensor, gain: Tensor, bias: Tensor, eps_value: float = 1e-5) -> Tensor:
        mean = x.mean(axes, keepdim=True) if centre else 0.0
        size = math.prod(x.shape[axis] for axis in axes)
        variance = ((x - mean) ** 2).sum(axes, keepdim=True) / (size - correction)
        spread = {
            "inside": lambda: (variance + eps_value).sqrt(),
            "outside": lambda: variance.sqrt() + eps_value,
            "none": lambda: variance.sqrt(),
        }[eps]()
        normed = (x - mean) / (spread if root else variance + eps_value)
        return {
            "gain, bias": gain * normed + bias,
            "bias, gain": gain * (normed + bias),
            "none": normed,
            "gain": gain * normed,
            "bias": normed + bias,
        }[order]

    return mutant


_NORMS: tuple[tuple[str, dict[str, Any], dict[str, str]], ...] = (
    (
        "B3",
        {"axes": (-2,)},
        {"phrase": "a norm over the words", "why": "Every word then knows of the others, past every mask."},
    ),
    ("B3", {"axes": (-2, -1)}, {"phrase": "a norm over the whole sentence", "why": "Each word has its own mean."}),
    ("B3", {"axes": (0,)}, {"phrase": "a norm over the batch", "why": "A word then depends on its neighbours there."}),
    (
        "B3",
        {"correction": 1},
        {"phrase": "a variance divided by d − 1", "why": "LayerNorm takes the mean of the squares: it divides by d."},
    ),
    (
        "B3",
        {"eps": "outside"},
        {
            "phrase": "an ε added behind the root",
            "why": "It stands under the root, beside the variance.",
            "then": "Norm a word of tiny numbers by hand: there ε decides.",
        },
    ),
    (
        "B3",
        {"eps": "outside", "correction": 1},
        {"phrase": "a standard deviation over d − 1, with ε behind it", "why": "Divide by d; ε stands under the root."},
    ),
    (
        "B3",
        {"eps": "none"},
        {"phrase": "a norm without ε", "why": "A word of equal numbers has a spread of 0, and 0 / 0 is no number."},
    ),
    ("D7", {"order": "none"}, {}),
    ("D7", {"order": "gain"}, {"phrase": "a norm without its bias", "then": "Find the line that reads `bias`."}),
    ("D7", {"order": "bias"}, {"phrase": "a norm without its gain", "then": "Find the line that reads `gain`."}),
    ("D8", {"order": "bias, gain"}, {}),
    ("D9", {"centre": False}, {}),
    ("D10", {"root": False}, {}),
)
_FOUR = torch.tensor([[[1.0, 1, 5, 5], [10, 10, 50, 50]], [[0, 2, 2, 4], [3, 3, 3, 3]]], dtype=torch.float64)

LAYER_NORM = Function(
    id="transformer.layer_norm",
    number=6,
    title="LayerNorm",
    chapter="05",
    kind="write",
    difficulty=2,
    minutes=8,
    prompt=(
        "Write LayerNorm without `nn.LayerNorm`. Each word of x (b, t, d) gets mean 0 and spread 1 from its own d"
        " numbers: subtract their mean, divide by the root of (their variance plus `eps`). The variance is the mean of"
        " the squares. Then multiply by `gain` (d) and add `bias` (d).\n\n"
        "The word (1, 1, 5, 5) becomes (−1, −1, 1, 1) with gain 1 and bias 0."
    ),
    imports="import torch\nfrom torch import Tensor",
    template=(
        "def layer_norm(x: Tensor, gain: Tensor, bias: Tensor, eps: float = 1e-5) -> Tensor:\n"
        '    """Each word of x (b, t, d) with mean 0 and spread 1, times gain (d), plus bias (d)."""\n'
        "    return ..."
    ),
    hints=(
        "Along which axis do the numbers of one word lie? By how many numbers is the sum of squares divided?",
        "On other numbers: (0, 4, 4, 8) has mean 4; the squares 16, 0, 0, 16 have the mean 8, and the root is 2.83.",
        "variance = ((x - mean) ** 2).mean(▢, keepdim=True); gain * (x - mean) / (variance + ▢).sqrt() + ▢",
    ),
    answer=layer_norm,
    reference=layer_norm,
    result="a tensor",
    probes=(
        Probe(
            "the lesson's",
            "For the words of lesson 1",
            {"x": _FOUR, "gain": torch.ones(4).double(), "bias": torch.zeros(4).double()},
        ),
        Probe(
            "sizes",
            "With b 2, t 3, d 5",
            {"x": draw(2, 3, 5, seed=1), "gain": draw(5, seed=2), "bias": draw(5, seed=3)},
        ),
        Probe(
            "cube",
            "With b = t = d = 3",
            {"x": 2 + draw(3, 3, 3, seed=4), "gain": draw(3, seed=5), "bias": draw(3, seed=6)},
        ),
        Probe(
            "tiny",
            "With tiny numbers",
            {"x": draw(2, 2, 4, seed=7) / 100, "gain": torch.ones(4).double(), "bias": torch.zeros(4).double()},
        ),
    ),
    singles=tuple(MISTAKES[code].committed_by(norm_with(**change), **words) for code, change, words in _NORMS),
    pairs=lambda: [
        pair(
            MISTAKES["B3"].committed_by(None, **_NORMS[i][2]),
            MISTAKES[_NORMS[j][0]],
            norm_with(**(_NORMS[i][1] | _NORMS[j][1])),
        )
        for i, j in ((0, 7), (0, 10), (3, 7), (3, 10), (4, 7), (3, 11), (5, 7))
    ],
    gradient=True,
    shown="Each word is normed by its own numbers, tiny and equal ones included.",
    transfer="What does LayerNorm make of a word of four equal numbers, and which part of the formula decides it?",
    review="06",
    see=RANGE,
)

# 7. a pre-LN block

Layer = Callable[[Tensor], Tensor]


def pre_norm_block(
    x: Tensor,
    attend: Callable[[Tensor], Tensor],
    feed: Callable[[Tensor], Tensor],
    first: Callable[[Tensor], Tensor],
    second: Callable[[Tensor], Tensor],
) -> Tensor:
    """Two layers with their detours: attend reads first(x), feed reads second(…); both add to the word."""
    x = x + attend(first(x))
    return x + feed(second(x))


def _attend(x: Tensor) -> Tensor:
    return attention.scaled_dot_product_attention(x, x, x)[0]


def _feed(x: Tensor) -> Tensor:
    return torch.relu(x.roll(1, -1) - x / 2)


def _first(x: Tensor) -> Tensor:
    return layer_norm(x, torch.full_like(x[0, 0], 2.0), torch.zeros_like(x[0, 0]))


def _second(x: Tensor) -> Tensor:
    return layer_norm(x, torch.ones_like(x[0, 0]), torch.full_like(x[0, 0], 0.5))


Step = Callable[[Tensor, Layer, Layer], Tensor]
_STEPS: dict[str, Step] = {
    "pre": lambda x, layer, norm: x + layer(norm(x)),
    "post": lambda x, layer, norm: norm(x + layer(x)),
    "behind": lambda x, layer, norm: norm(x) + layer(norm(x)),
    "no detour": lambda x, layer, norm: layer(norm(x)),
    "no norm": lambda x, layer, norm: x + layer(x),
    "after": lambda x, layer, norm: x + norm(layer(x)),
    "both": lambda x, layer, norm: norm(x + layer(norm(x))),
}


def block_with(
    one: str = "pre", two: str = "pre", *, norms: str = "own", order: str = "in turn"
) -> Callable[..., Tensor]:
    """A block made of two steps by name; ``order`` says what the second step reads."""

    def mutant(x: Tensor, attend: Layer, feed: Layer, first: Layer, second: Layer) -> Tensor:
        first, second = {"own": (first, second), "first": (first, first), "exchanged": (second, first)}[norms]
        if order == "feed first":
            return _STEPS[one](_STEPS[two](x, feed, second), attend, first)
        found = _STEPS[one](x, attend, first)
        if order == "parallel":
            return found + _STEPS[two](x, feed, second) - x
        if order == "from the start":
            return x + feed(second(found))
        return _STEPS[two](found, feed, second)

    return mutant


_BLOCKS: tuple[tuple[str, dict[str, Any], dict[str, str]], ...] = (
    ("B1", {"one": "behind", "two": "behind"}, {}),
    ("B1", {"one": "behind"}, {"phrase": "a first sum that begins behind the norm"}),
    ("B1", {"two": "behind"}, {"phrase": "a second sum that begins behind the norm"}),
    ("B2", {"one": "post", "two": "post"}, {"phrase": "a post-LN block", "why": "Pre-LN was asked for."}),
    ("B2", {"one": "post"}, {"phrase": "post-LN in the first step, pre-LN in the second"}),
    ("B2", {"two": "post"}, {"phrase": "pre-LN in the first step, post-LN in the second"}),
    ("B2", {"one": "both", "two": "both"}, {"phrase": "norms inside the sum and around it"}),
    ("B4", {"two": "no detour"}, {}),
    ("B4", {"one": "no detour", "two": "no detour"}, {"phrase": "two layers without a way around"}),
    ("D1", {"one": "no detour"}, {}),
    ("D2", {"norms": "first"}, {"phrase": "the first norm in both places"}),
    ("D2", {"norms": "exchanged"}, {"phrase": "the two norms exchanged"}),
    ("D3", {"order": "parallel"}, {}),
    (
        "D3",
        {"order": "from the start"},
        {
            "phrase": "a second sum that begins with the first x",
            "why": "What attention found is read, and then left out of the sum.",
            "then": "Say what stands left of the second plus.",
        },
    ),
    (
        "D1",
        {"one": "no detour", "order": "from the start"},
        {
            "phrase": "one way around both layers together",
            "why": "Each layer has a way around of its own.",
        },
    ),
    ("D4", {"one": "no norm", "two": "no norm"}, {}),
    ("D4", {"one": "no norm"}, {"phrase": "an attention that reads numbers without a norm"}),
    ("D4", {"two": "no norm"}, {"phrase": "a feed-forward network that reads numbers without a norm"}),
    ("D5", {"one": "after", "two": "after"}, {}),
    ("D5", {"one": "after"}, {}),
    ("D5", {"two": "after"}, {}),
    ("D6", {"order": "feed first"}, {}),
)  # fmt: skip


def _block_probe(name: str, where: str, x: Tensor) -> Probe:
    return Probe(name, where, {"x": x, "attend": _attend, "feed": _feed, "first": _first, "second": _second})


PRE_NORM_BLOCK = Function(
    id="transformer.pre_norm_block",
    number=7,
    title="A pre-LN block",
    chapter="05",
    kind="write",
    difficulty=3,
    minutes=8,
    prompt=(
        "Write one pre-LN block. `attend`, `feed`, `first` and `second` are functions from (b, t, d) to (b, t, d): the"
        " attention, the feed-forward network, and the norm that belongs to each. Each layer reads a normed copy, and"
        " what it finds is added to the word."
    ),
    imports="from collections.abc import Callable\n\nimport torch\nfrom torch import Tensor",
    template=(
        "def pre_norm_block(\n"
        "    x: Tensor,\n"
        "    attend: Callable[[Tensor], Tensor],\n"
        "    feed: Callable[[Tensor], Tensor],\n"
        "    first: Callable[[Tensor], Tensor],\n"
        "    second: Callable[[Tensor], Tensor],\n"
        ") -> Tensor:\n"
        '    """Two layers with their detours: attend reads first(x), feed reads second(…); both add to the word."""\n'
        "    return ..."
    ),
    hints=(
        "Two lines, one for each layer. What stands to the left of each plus sign?",
        "On other numbers: x = 10, norms that give 1, an attention that doubles, a feed-forward that trebles: 10 + 2 ="
        " 12, then 12 + 3 = 15.",
        "x = ▢ + attend(▢(x)); return ▢ + feed(▢(x))",
    ),
    answer=pre_norm_block,
    reference=pre_norm_block,
    result="a tensor",
    probes=(
        _block_probe("the toy", "On the toy's keys", torch.tensor([toy.KEY], dtype=torch.float64)),
        _block_probe("sizes", "With b 2, t 3, d 5", draw(2, 3, 5, seed=11)),
        _block_probe("large", "With larger numbers", 30 * draw(2, 4, 6, seed=12)),
    ),
    singles=tuple(MISTAKES[code].committed_by(block_with(**change), **words) for code, change, words in _BLOCKS),
    pairs=lambda: [
        pair(MISTAKES["B1"], MISTAKES["B4"], block_with("behind", "no detour")),
        pair(MISTAKES["B2"], MISTAKES["B4"], block_with("post", "no detour")),
        pair(MISTAKES["B1"], MISTAKES["D2"], block_with("behind", "behind", norms="first")),
        pair(MISTAKES["B2"], MISTAKES["D2"], block_with("post", "post", norms="first")),
        pair(MISTAKES["B4"], MISTAKES["D2"], block_with("pre", "no detour", norms="first")),
        pair(MISTAKES["D6"], MISTAKES["B2"], block_with("post", "post", order="feed first")),
        pair(MISTAKES["D6"], MISTAKES["B1"], block_with("behind", "behind", order="feed first")),
    ],
    gradient=True,
    shown="Both layers read a normed copy, and the way around them is open from end to end.",
    transfer="How large does x grow in a stack of such blocks, and who brings it back?",
    review="08",
    see=PLACE,
)

# 12. the loss of a batch


def sequence_loss(logits: Tensor, target: Tensor, pad_id: int) -> Tensor:
    """Mean loss per real symbol; logits (b, t, v) come from target[:, :-1], and target is (b, t + 1)."""
    labels = target[:, 1:]
    return torch.nn.functional.cross_entropy(logits.flatten(0, 1), labels.flatten(), ignore_index=pad_id)


def loss_with(
    *,
    labels: Callable[[Tensor], Tensor] = lambda target: target[:, 1:],
    scores: Callable[[Tensor], Tensor] = lambda logits: logits,
    flat: str = "alike",
    kept: str = "real",
    mean: str = "symbols",
) -> Callable[..., Tensor]:
    """The loss with some of its parts replaced; ``kept`` says which places count, ``mean`` over what."""

    def mutant(logits: Tensor, target: Tensor, pad_id: int) -> Tensor:
        wanted = labels(target)
        given = scores(logits)[:, logits.shape[1] - wanted.shape[1] :] if flat != "twice" else logits[:, :-1]
        if flat == "reshaped":
            given = given.reshape(len(given), -1, given.shape[1]).transpose(1, 2)
        if flat == "crossed":
            given = given.transpose(0, 1).reshape(given.shape)
        losses = torch.nn.functional.cross_entropy(given.transpose(1, 2), wanted, reduction="none")
        real = {
            "real": lambda: wanted != pad_id,
            "all": lambda: torch.ones_like(wanted, dtype=torch.bool),
            "counted": lambda: wanted != pad_id,
            "not 0": lambda: wanted != 0,
        }[kept]()
        losses = losses * real
        if mean == "words":
            return (losses.sum(1) / real.sum(1)).mean()
        if mean == "sum":
            return losses.sum()
        return losses.mean() if kept == "counted" else losses.sum() / real.sum()

    return mutant


_SEQUENCES: tuple[tuple[str, dict[str, Any], dict[str, str]], ...] = (
    ("B5", {"scores": lambda logits: logits.softmax(-1)}, {}),
    ("B6", {"labels": lambda target: target[:, :-1]}, {}),
    ("B6", {"labels": lambda target: target[:, 2:], "flat": "twice"}, {"phrase": "labels that are shifted twice"}),
    ("B7", {"kept": "all"}, {}),
    ("B7", {"kept": "counted"}, {"phrase": "a sum of real places divided by all places"}),
    ("B8", {"kept": "not 0"}, {}),
    ("B9", {"flat": "crossed"}, {}),
    (
        "B9",
        {"flat": "reshaped"},
        {
            "phrase": "scores reshaped to (b, v, t) where axes should be swapped",
            "why": "`reshape` deals numbers out in reading order; only a transpose moves an axis.",
            "then": "Compare entry [0, 1, 0] before and after your line.",
        },
    ),
    ("B9", {"labels": lambda target: target[:, 1:].T.reshape(target[:, 1:].shape)}, {}),
    ("D25", {"mean": "words"}, {}),
    ("Q15", {"mean": "sum"}, {}),
)
_SEQUENCE_COUPLES = ((0, 3), (0, 4), (1, 3), (1, 4), (0, 1), (6, 3), (8, 3), (0, 9), (1, 10), (0, 10))


def _batch(b: int, t: int, v: int, seed: int, lengths: tuple[int, ...], pad_id: int) -> dict[str, Any]:
    """Scores, and a target of these lengths (start included) that holds every id but padding's."""
    ids = draw_ids(b, t + 1, size=v - 1, seed=seed)
    ids = ids + (ids >= pad_id)
    for row, length in enumerate(lengths):
        ids[row, length:] = pad_id
    return {"logits": 2 * draw(b, t, v, seed=seed + 1), "target": ids, "pad_id": pad_id}


SEQUENCE_LOSS = Function(
    id="transformer.sequence_loss",
    number=12,
    title="The loss of a batch",
    chapter="05",
    kind="write",
    difficulty=3,
    minutes=10,
    prompt=(
        "`target` (b, t + 1) holds whole words, from the start symbol to the end symbol, filled up with `pad_id`. The"
        " decoder read `target[:, :-1]`, the plain cut of exercise 3, and gave `logits` (b, t, v), scores of what comes"
        " next. Return the mean cross-entropy over all real symbols that had to be said: one number.\n\n"
        "You may use `torch.nn.functional.cross_entropy`."
    ),
    imports="import torch\nfrom torch import Tensor",
    template=(
        "def sequence_loss(logits: Tensor, target: Tensor, pad_id: int) -> Tensor:\n"
        '    """Mean loss per real symbol; logits (b, t, v) come from target[:, :-1], and target is (b, t + 1)."""\n'
        "    return ..."
    ),
    hints=(
        "Which symbols had to be said? And which of these places must not count?",
        "On other numbers: losses 1, 1, 1, 1 of one word and 3 of another, with three places of padding, have the mean"
        " 7 / 5.",
        "cross_entropy(logits.flatten(0, 1), target[:, ▢:].flatten(), ignore_index=▢)",
    ),
    answer=sequence_loss,
    reference=sequence_loss,
    result="a tensor with one number",
    probes=(
        Probe("two words", "For words of 3 and 1", _batch(2, 3, 5, 21, (4, 2), 0)),
        Probe("another id", "With padding 3", _batch(3, 4, 7, 23, (5, 3, 2), 3)),
        Probe("cube", "With b = t = v = 4", _batch(4, 4, 4, 25, (5, 3, 4, 2), 0)),
    ),
    singles=tuple(MISTAKES[code].committed_by(loss_with(**change), **words) for code, change, words in _SEQUENCES),
    pairs=lambda: [
        pair(MISTAKES[_SEQUENCES[i][0]], MISTAKES[_SEQUENCES[j][0]], loss_with(**(_SEQUENCES[i][1] | _SEQUENCES[j][1])))
        for i, j in _SEQUENCE_COUPLES
    ],
    gradient=True,
    shown="Every real symbol counts once, its scores are read as scores, and padding has no say.",
    transfer="What does this loss begin at, for an untrained model with 69 symbols?",
    review="08",
    see=MEAN,
)

# 14. cross-attention


def cross_attention(query: Tensor, memory: Tensor, source: Tensor, pad_id: int) -> Tensor:
    """Each row of query (b, t, d) reads the rows of memory (b, t_s, d) whose source id is no padding."""
    scores = query @ memory.transpose(-2, -1) / math.sqrt(query.shape[-1])
    real = (source != pad_id)[:, None, :]
    return scores.masked_fill(~real, -math.inf).softmax(-1) @ memory


def cross_with(
    *,
    scale: Callable[[int], float] = math.sqrt,
    axis: int = -1,
    mask: str = "columns",
    key: str = "memory",
    value: str = "memory",
    late: bool = False,
    blocked: float = -INF,
) -> Callable[..., Tensor]:
    """Cross-attention with some of its parts replaced; ``mask`` says what is blocked, ``blocked`` its score."""

    def mutant(query: Tensor, memory: Tensor, source: Tensor, pad_id: int) -> Tensor:
        rows = {"memory": memory, "query": query}
        scores = query @ rows[key].transpose(-2, -1) / scale(query.shape[-1])
        real = source != pad_id
        may = {
            "columns": lambda: real[:, None],
            "rows": lambda: real[:, :, None],
            "no axis": lambda: real,
            "inverted": lambda: ~real[:, None],
            "none": lambda: torch.ones_like(real[:, None]),
            "causal": lambda: real[:, None] & torch.ones(scores.shape[-2:], dtype=torch.bool).tril(),
            "causal alone": lambda: torch.ones(scores.shape[-2:], dtype=torch.bool).tril(),
        }[mask]()
        if late:
            return scores.softmax(axis).masked_fill(~may, 0.0) @ rows[value]
        return scores.masked_fill(~may, blocked).softmax(axis) @ rows[value]

    return mutant


_CROSS: tuple[tuple[str, dict[str, Any], dict[str, str]], ...] = (
    ("M13", {"mask": "none"}, {}),
    ("M9", {"mask": "rows"}, {}),
    ("M3", {"mask": "inverted"}, {}),
    ("D22", {"mask": "no axis"}, {}),
    ("D24", {"mask": "causal"}, {}),
    ("D24", {"mask": "causal alone"}, {"phrase": "a causal mask in the place of the padding mask"}),
    ("D23", {"key": "query", "value": "query"}, {"phrase": "keys and values made of the decoder's own rows"}),
    ("D23", {"key": "query"}, {"phrase": "keys made of the decoder's own rows"}),
    ("D23", {"value": "query"}, {"phrase": "values made of the decoder's own rows"}),
    ("A1", {"scale": lambda d: 1.0}, {}),
    ("A4", {"axis": -2}, {}),
    ("M1", {"late": True}, {}),
    ("M7", {"blocked": 0.0}, {}),
)
_CROSS_COUPLES = ((0, 9), (2, 9), (4, 9), (0, 10), (9, 10), (9, 11), (10, 11))


def _cross_probe(name: str, where: str, sizes: tuple[int, int, int, int], seed: int, source: list[list[int]]) -> Probe:
    b, t, t_s, d = sizes
    inputs = {"query": draw(b, t, d, seed=seed), "memory": draw(b, t_s, d, seed=seed + 1)}
    return Probe(name, where, inputs | {"source": torch.tensor(source), "pad_id": PAD})


CROSS_ATTENTION = Function(
    id="transformer.cross_attention",
    number=14,
    title="Cross-attention and its padding",
    chapter="05",
    kind="write",
    difficulty=3,
    minutes=10,
    prompt=(
        "Write the middle box of a decoder block, with one head and without projections. `query` (b, t, d) comes from"
        " the decoder; keys and values are the encoder's output `memory` (b, t_s, d), as it is. `source` (b, t_s) holds"
        " the ids that the encoder read: no row that belongs to `pad_id` may be read. Each word has at least one real"
        " id.\n\nThe same word must get the same numbers, whoever stands beside it in the batch."
    ),
    imports="import math\n\nimport torch\nfrom torch import Tensor",
    template=(
        "def cross_attention(query: Tensor, memory: Tensor, source: Tensor, pad_id: int) -> Tensor:\n"
        '    """Each row of query (b, t, d) reads the rows of memory (b, t_s, d) whose source id is no padding."""\n'
        "    return ..."
    ),
    hints=(
        "The scores have shape (b, t, t_s). Which of these axes does `source` speak of?",
        "On other numbers: with source ids 5 7 0 and padding 0 each row of shares is like `.4 .6 0`, whoever asks.",
        "scores.masked_fill((source == pad_id)[:, ▢, ▢], -math.inf).softmax(▢) @ ▢",
    ),
    answer=cross_attention,
    reference=cross_attention,
    result="a tensor",
    probes=(
        Probe(
            "the toy",
            "On the toy, *it* padding",
            {
                "query": torch.tensor([toy.QUERY[::-1]], dtype=torch.float64)[:, :2],
                "memory": torch.tensor([toy.KEY], dtype=torch.float64),
                "source": torch.tensor([[4, 5, PAD]]),
                "pad_id": PAD,
            },
        ),
        _cross_probe("sizes", "With b 2, t 3, t_s 5, d 4", (2, 3, 5, 4), 31, [[3, 1, 4, 1, 5], [2, 6, 0, 0, 0]]),
        _cross_probe("square", "With as many places read as written", (2, 4, 4, 3), 33, [[3, 1, 0, 0], [2, 6, 5, 0]]),
        _cross_probe("cube", "With b = t = t_s = 3", (3, 3, 3, 5), 35, [[3, 1, 0], [2, 0, 0], [4, 4, 1]]),
        _cross_probe("no padding", "Without padding", (2, 2, 3, 6), 37, [[3, 1, 4], [2, 6, 5]]),
    ),
    singles=tuple(MISTAKES[code].committed_by(cross_with(**change), **words) for code, change, words in _CROSS),
    pairs=lambda: [
        pair(MISTAKES[_CROSS[i][0]], MISTAKES[_CROSS[j][0]], cross_with(**(_CROSS[i][1] | _CROSS[j][1])))
        for i, j in _CROSS_COUPLES
    ],
    gradient=True,
    shown="The decoder asks, the encoder's rows answer, and padding is read by nobody.",
    transfer="Why is there no causal mask in this box?",
    review="08",
    see=LOOKS,
)

# 22. attention with a cache


def cached_attention(query: Tensor, key: Tensor, value: Tensor, kept_key: Tensor, kept_value: Tensor) -> Tensor:
    """Causal attention of n new words (b, h, n, d), behind m words whose keys and values are kept, (b, h, m, d)."""
    key, value = torch.cat([kept_key, key], dim=-2), torch.cat([kept_value, value], dim=-2)
    scores = query @ key.transpose(-2, -1) / math.sqrt(query.shape[-1])
    may_attend = torch.ones_like(scores, dtype=torch.bool).tril(kept_key.shape[-2])
    return scores.masked_fill(~may_attend, -math.inf).softmax(-1) @ value


def cached_with(
    *,
    scale: Callable[[int], float] = math.sqrt,
    diagonal: Callable[[int], float] = lambda kept: kept,
    order: str = "behind",
    late: bool = False,
) -> Callable[..., Tensor]:
    """Attention with a cache, some of its parts replaced; ``diagonal`` is the last column that row 0 may read."""

    def mutant(query: Tensor, key: Tensor, value: Tensor, kept_key: Tensor, kept_value: Tensor) -> Tensor:
        m, d = kept_key.shape[-2:]
        if order == "forgotten":
            kept_key, kept_value, m = kept_key[..., :0, :], kept_value[..., :0, :], 0
        keys, values = ([kept_key, key], [kept_value, value])
        if order == "before":
            keys, values = keys[::-1], values[::-1]
        key, value = torch.cat(keys, dim=-2), torch.cat(values, dim=-2)
        scores = query @ key.mT / scale(d)
        column, row = torch.arange(scores.shape[-1]), torch.arange(scores.shape[-2])[:, None]
        may = column <= row + diagonal(m)
        if late:
            return scores.softmax(-1).masked_fill(~may, 0.0) @ value
        return scores.masked_fill(~may, -INF).softmax(-1) @ value

    return mutant


_CACHED: tuple[tuple[str, dict[str, Any], dict[str, str]], ...] = (
    ("M11", {"diagonal": lambda kept: 0}, {}),
    ("M8", {"diagonal": lambda kept: kept + 1}, {}),
    ("M8", {"diagonal": lambda kept: kept - 1}, {"phrase": "a causal mask that hides each word from itself"}),
    ("D57", {"diagonal": lambda kept: INF}, {}),
    ("D55", {"order": "forgotten"}, {}),
    ("D56", {"order": "before"}, {}),
    ("A1", {"scale": lambda d: 1.0}, {}),
    ("M1", {"late": True}, {}),
)
_CACHED_COUPLES = ((0, 6), (3, 6), (4, 6), (5, 6), (3, 4), (6, 7))


def _cached_probe(name: str, where: str, b: int, h: int, n: int, m: int, d: int, seed: int) -> Probe:
    lengths = {"query": n, "key": n, "value": n, "kept_key": m, "kept_value": m}
    return Probe(
        name, where, {part: draw(b, h, length, d, seed=seed + i) for i, (part, length) in enumerate(lengths.items())}
    )


def _toy_rows(table: list[list[Any]], rows: slice) -> Tensor:
    return torch.tensor([[table[rows]]], dtype=torch.float64)


_OLD, _NEW = slice(0, 1), slice(1, 3)

CACHED_ATTENTION = Function(
    id="transformer.cached_attention",
    number=23,
    title="Attention with a cache",
    chapter="05",
    kind="write",
    difficulty=4,
    minutes=12,
    prompt=(
        "A decoder has kept the keys and values of m words, `kept_key` and `kept_value` (b, h, m, d). Now n new words"
        " arrive, with `query`, `key` and `value` (b, h, n, d). Return what the new words read, (b, h, n, d): each may"
        " read all that is kept, the new words before it, and itself. m may be 0 and n may be 1.\n\n"
        "It must equal the last n rows of causal attention over all m + n words."
    ),
    imports="import math\n\nimport torch\nfrom torch import Tensor",
    template=(
        "def cached_attention(query: Tensor, key: Tensor, value: Tensor, kept_key: Tensor, kept_value: Tensor)"
        " -> Tensor:\n"
        '    """Causal attention of n new words (b, h, n, d), behind m words whose keys and values are kept,'
        ' (b, h, m, d)."""\n'
        "    return ..."
    ),
    hints=(
        "The scores have n rows and m + n columns. Draw the mask for three kept and two new words.",
        "On other numbers: two kept and two new words have the mask rows `1 1 1 0` and `1 1 1 1`.",
        "key = torch.cat([▢, ▢], dim=-2); may_attend = torch.ones_like(scores, dtype=torch.bool).tril(▢)",
    ),
    answer=cached_attention,
    reference=cached_attention,
    result="a tensor",
    probes=(
        Probe(
            "the toy",
            "On the toy, *cat* kept",
            {
                "query": _toy_rows(toy.QUERY, _NEW),
                "key": _toy_rows(toy.KEY, _NEW),
                "value": _toy_rows(toy.VALUE, _NEW),
                "kept_key": _toy_rows(toy.KEY, _OLD),
                "kept_value": _toy_rows(toy.VALUE, _OLD),
            },
        ),
        _cached_probe("one new", "With three kept words and one new", 2, 3, 1, 3, 4, 41),
        _cached_probe("two new", "With three kept words and two new", 2, 1, 2, 3, 5, 46),
        _cached_probe("nothing kept", "With nothing kept", 1, 2, 3, 0, 4, 51),
        _cached_probe("as many", "With as many kept as new", 2, 3, 3, 3, 3, 56),
    ),
    singles=tuple(MISTAKES[code].committed_by(cached_with(**change), **words) for code, change, words in _CACHED),
    pairs=lambda: [
        pair(MISTAKES[_CACHED[i][0]], MISTAKES[_CACHED[j][0]], cached_with(**(_CACHED[i][1] | _CACHED[j][1])))
        for i, j in _CACHED_COUPLES
    ],
    gradient=True,
    shown="One new word or several, kept words or none: the rows are those of the whole sentence.",
    transfer="How many dot products does a sentence of n words cost with a cache, and how many without?",
    review="08",
    see=CACHE,
)

EXERCISES = (
    SHIFT_RIGHT,
    DECODER_MASK,
    LAYER_NORM,
    PRE_NORM_BLOCK,
    SEQUENCE_LOSS,
    CROSS_ATTENTION,
    CACHED_ATTENTION,
)
