"""Chapter 06, exercises on tensors: matches of filters, the scalar mix, two directions joined, who has read what."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import pad

from qkv.exercises.elmo_mistakes import BOTH_ENDS, LAYERS, MISTAKES, NOT_BOTH, SPELLING
from qkv.exercises.functions import Function, Probe, pair
from qkv.exercises.positions_tensors import draw

# 12. complete


def best_matches(letters: Tensor, filters: Tensor, bias: Tensor, lengths: Tensor) -> Tensor:
    """The best match of each filter in each word, at least 0, (n, k); none starts in the padding."""
    width = filters.shape[1]
    windows = pad(letters, (0, 0, 0, width - 1)).unfold(1, width, 1)  # (n, c, d, width)
    matches = torch.einsum("ncdw,kwd->nck", windows, filters) + bias
    place = torch.arange(letters.shape[1])[None, :, None]
    matches = matches.masked_fill(place >= lengths[:, None, None], float("-inf"))
    return matches.amax(1).relu()


def _matches_with(
    *,
    blocked: Callable[[Tensor, Tensor], Tensor] = lambda place, lengths: place >= lengths,
    best: Callable[[Tensor], Tensor] = lambda matches: matches.amax(1).relu(),
    filler: float = float("-inf"),
) -> Callable[..., Tensor]:
    """Matches with another mask, or another way to sum them up."""

    def mutant(letters: Tensor, filters: Tensor, bias: Tensor, lengths: Tensor) -> Tensor:
        width = filters.shape[1]
        windows = pad(letters, (0, 0, 0, width - 1)).unfold(1, width, 1)
        matches = torch.einsum("ncdw,kwd->nck", windows, filters) + bias
        place = torch.arange(letters.shape[1])[None, :, None]
        return best(matches.masked_fill(blocked(place, lengths[:, None, None]), filler))

    return mutant


def _nothing(place: Tensor, lengths: Tensor) -> Tensor:
    return torch.zeros_like(place >= lengths)


def _word(*lengths: int, size: int, d: int, seed: int) -> dict[str, Tensor]:
    """Letters (n, size, d) with zeros behind each word, and the lengths."""
    letters = draw(len(lengths), size, d, seed=seed)
    real = torch.arange(size) < torch.tensor(lengths)[:, None]
    return {"letters": letters * real[..., None], "lengths": torch.tensor(lengths)}


def _matching(words: dict[str, Tensor], k: int, width: int, bias: Tensor, seed: int) -> dict[str, Tensor]:
    filters = draw(k, width, words["letters"].shape[-1], seed=seed)
    return {"letters": words["letters"], "filters": filters, "bias": bias, "lengths": words["lengths"]}


_AT = {  # one letter is (1, 0), the other (0, 1): "abb", and a filter that looks for "ab"
    "letters": torch.tensor([[[1.0, 0.0], [0.0, 1.0], [0.0, 1.0]]], dtype=torch.float64),
    "filters": torch.tensor([[[1.0, 0.0], [0.0, 1.0]], [[0.0, -1.0], [-1.0, 0.0]]], dtype=torch.float64),
    "bias": torch.tensor([0.0, -0.5], dtype=torch.float64),
    "lengths": torch.tensor([3]),
}
_IN_PADDING = MISTAKES["E12"].committed_by(
    _matches_with(blocked=_nothing),
    phrase="a match that starts in the padding",
    why="Behind the word nothing is written; with a positive bias that nothing would match.",
    then="Fill a word up with more zeros: its numbers must stay.",
)

BEST_MATCHES = Function(
    id="elmo.best_matches",
    number=12,
    title="Fill two gaps in the character CNN",
    chapter="06",
    kind="complete",
    difficulty=3,
    minutes=8,
    prompt=(
        "Filters slide over the letters of words, and of each filter the best match is kept, at least 0. `letters` are"
        " vectors, (n, c, d), zeros behind each word; `lengths` counts the letters of each; `filters` is (k, width, d)"
        " and `bias` (k). A filter may hang over the end of a word, but no match starts behind it. Fill the two gaps."
    ),
    imports="import torch\nfrom torch import Tensor\nfrom torch.nn.functional import pad",
    template=(
        "def best_matches(letters: Tensor, filters: Tensor, bias: Tensor, lengths: Tensor) -> Tensor:\n"
        '    """The best match of each filter in each word, at least 0, (n, k); none starts in the padding."""\n'
        "    width = filters.shape[1]\n"
        "    windows = pad(letters, (0, 0, 0, width - 1)).unfold(1, width, 1)  # (n, c, d, width)\n"
        '    matches = torch.einsum("ncdw,kwd->nck", windows, filters) + bias\n'
        "    place = torch.arange(letters.shape[1])[None, :, None]\n"
        '    matches = matches.masked_fill(..., float("-inf"))\n'
        "    return ..."
    ),
    hints=(
        "Which places are blocked: those in the word or those behind it? Which axis of `matches` counts places?",
        "On other numbers: with two letters of five, places 2, 3 and 4 are blocked; matches −1 and −3 give 0.",
        "place >= ▢; then matches.amax(▢).relu()",
    ),
    answer=best_matches,
    reference=best_matches,
    result="a tensor",
    probes=(
        Probe("abb", "With *abb*, a filter for *ab*", _AT),
        Probe(
            "three words",
            "With words of 5, 1 and 3 letters",
            _matching(_word(5, 1, 3, size=5, d=4, seed=1), 6, 2, torch.full((6,), 2.0, dtype=torch.float64), seed=3),
        ),
        Probe(
            "square",
            "With as many filters as places",
            _matching(_word(3, 1, size=3, d=2, seed=4), 3, 3, draw(3, seed=5) - 1, seed=6),
        ),
    ),
    singles=(
        _IN_PADDING,
        MISTAKES["L44"].committed_by(_matches_with(blocked=lambda place, lengths: place < lengths)),
        MISTAKES["L14"].committed_by(_matches_with(filler=0.0, best=lambda matches: matches.mean(1).relu())),
        MISTAKES["L14"].committed_by(_matches_with(blocked=_nothing, best=lambda matches: matches.mean(1).relu())),
        MISTAKES["L15"].committed_by(_matches_with(best=lambda matches: matches.amax(-1).relu())),
        MISTAKES["L16"].committed_by(_matches_with(best=lambda matches: matches.amax(1))),
        MISTAKES["L43"].committed_by(_matches_with(best=lambda matches: matches.relu().sum(1))),
    ),
    pairs=lambda: [
        pair(_IN_PADDING, MISTAKES["L16"], _matches_with(blocked=_nothing, best=lambda m: m.amax(1))),
        pair(_IN_PADDING, MISTAKES["L15"], _matches_with(blocked=_nothing, best=lambda m: m.amax(-1).relu())),
    ],
    gradient=True,
    shown="Each filter keeps its best place, whatever stands behind the word.",
    transfer="What does a filter of width 1 find?",
    review="09",
    see=SPELLING,
)

# 13. write


def scalar_mix(layers: Tensor, weights: Tensor, gamma: Tensor) -> Tensor:
    """γ times the layers weighed by softmax(weights); (layers, …, d) → (…, d)."""
    shares = weights.softmax(0)
    return gamma * torch.einsum("j,j...->...", shares, layers)


def _mixed(shares: Callable[[Tensor, Tensor], Tensor], factor: Callable[[Tensor], Any], first: int = 0) -> Any:
    def mutant(layers: Tensor, weights: Tensor, gamma: Tensor) -> Tensor:
        return factor(gamma) * torch.einsum("j,j...->...", shares(weights[first:], gamma), layers[first:])

    return mutant


def _usual(weights: Tensor, gamma: Tensor) -> Tensor:
    return weights.softmax(0)


def _itself(gamma: Tensor) -> Tensor:
    return gamma


def _raw(weights: Tensor, gamma: Tensor) -> Tensor:
    return weights


def _without(gamma: Tensor) -> float:
    return 1.0


def _on_the_last_axis(layers: Tensor, weights: Tensor, gamma: Tensor) -> Tensor:
    return gamma * (weights.softmax(0) * layers).sum(0)


_INSIDE = {
    "phrase": "γ inside the softmax",
    "why": "There it makes the shares more or less even, and the size of the vectors stays as it was.",
}
_EACH = {
    "phrase": "a γ for each layer",
    "why": "One factor for all layers: another one per layer would change the shares.",
}
_BY_SUM = {
    "phrase": "weights divided by their sum",
    "why": "They add up to 1 then, but a share may be negative or divided by 0; softmax cannot.",
}
_SIZES = ((3, 2, 5, 4), (4, 3, 2, 6))


def _to_mix(*shape: int, seed: int) -> dict[str, Tensor]:
    return {
        "layers": draw(*shape, seed=seed),
        "weights": draw(shape[0], seed=seed + 1),
        "gamma": torch.tensor(2.5, dtype=torch.float64),
    }


SCALAR_MIX = Function(
    id="elmo.scalar_mix",
    number=13,
    title="One vector of several layers",
    chapter="06",
    kind="write",
    difficulty=2,
    minutes=8,
    prompt=(
        "`layers` are the layers of a language model, (layers, …, d), the token layer first. Return γ times their sum,"
        " each weighed by its share; the shares are the softmax of `weights`, one number per layer. `gamma` is one"
        " number."
    ),
    imports="import torch\nfrom torch import Tensor",
    template=(
        "def scalar_mix(layers: Tensor, weights: Tensor, gamma: Tensor) -> Tensor:\n"
        '    """γ times the layers weighed by softmax(weights); (layers, …, d) → (…, d)."""\n'
        "    return ..."
    ),
    hints=(
        "What do the weights add up to before you multiply? Which axis of `layers` vanishes?",
        "On other numbers: weights 0 and 0, vectors (2, 0) and (0, 4), γ = 3 give 3 · (1, 2) = (3, 6).",
        'gamma * torch.einsum("j,j...->...", ▢, layers)',
    ),
    answer=scalar_mix,
    reference=scalar_mix,
    result="a tensor",
    probes=(
        Probe(
            "by hand",
            "With the lesson's numbers",
            {
                "layers": torch.tensor([[[2.0, 0.0]], [[0.0, 4.0]], [[2.0, 2.0]]], dtype=torch.float64),
                "weights": torch.tensor([2.0, 1.0, 1.0], dtype=torch.float64).log(),
                "gamma": torch.tensor(2.0, dtype=torch.float64),
            },
            ("bank",),
        ),
        *(
            Probe(f"{shape[0]} layers", f"With layers of shape {shape}", _to_mix(*shape, seed=10 + i))
            for i, shape in enumerate(_SIZES)
        ),
        Probe("square", "With three layers of three entries", _to_mix(3, 3, 3, seed=20)),
    ),
    singles=(
        MISTAKES["E5"].committed_by(_mixed(_raw, _itself)),
        MISTAKES["E5"].committed_by(_mixed(lambda weights, gamma: weights / weights.sum(), _itself), **_BY_SUM),
        MISTAKES["E6"].committed_by(_mixed(_usual, _without)),
        MISTAKES["E6"].committed_by(_mixed(lambda weights, gamma: (gamma * weights).softmax(0), _without), **_INSIDE),
        MISTAKES["E6"].committed_by(
            _mixed(lambda weights, gamma: weights.softmax(0) * gamma ** torch.arange(len(weights)), _without), **_EACH
        ),
        MISTAKES["E7"].committed_by(_mixed(_usual, lambda gamma: gamma * gamma)),
        MISTAKES["E9"].committed_by(_mixed(_usual, _itself, first=1)),
        MISTAKES["L45"].committed_by(_mixed(lambda weights, gamma: weights.softmax(0) / len(weights), _itself)),
        MISTAKES["L47"].committed_by(_on_the_last_axis),
    ),
    pairs=lambda: [
        pair(MISTAKES["E5"], MISTAKES["E6"], _mixed(_raw, _without)),
        pair(MISTAKES["E5"], MISTAKES["E9"], _mixed(_raw, _itself, first=1)),
        pair(MISTAKES["E6"], MISTAKES["E9"], _mixed(_usual, _without, first=1)),
    ],
    gradient=True,
    shown="Shares that add up to 1, one factor for all, and gradients for weights and γ.",
    transfer="With all weights equal and γ = 1, what is the mix?",
    review="09",
    see=LAYERS,
)

# 14. write


def both_ways(left: Tensor, right: Tensor, lengths: Tensor) -> Tensor:
    """(b, t, 2 d): for each word its state from the left, then its state from the right; 0 in the padding."""
    place = torch.arange(left.shape[1])
    mirrored = lengths[:, None] - 1 - place
    source = torch.where(mirrored >= 0, mirrored, place)
    by_place = right.gather(1, source[..., None].expand_as(right))
    joined = torch.cat([left, by_place], dim=-1)
    return joined.masked_fill((mirrored < 0)[..., None], 0.0)


def _by_place(right: Tensor, lengths: Tensor) -> Tensor:
    return both_ways(torch.zeros_like(right), right, lengths)[..., right.shape[-1] :]


def _with_rest(right: Tensor, lengths: Tensor) -> Tensor:
    """Turned back by length; what stands behind a sentence stays."""
    rows = [torch.cat([row[:n].flip(0), row[n:]]) for row, n in zip(right, lengths.tolist(), strict=True)]
    return torch.stack(rows)


def _one_apart(right: Tensor, lengths: Tensor) -> Tensor:
    turned = _by_place(right, lengths)
    return torch.cat([turned[:, 1:], torch.zeros_like(turned[:, :1])], dim=1)


def _joined(
    turn: Callable[[Tensor, Tensor], Tensor] = _with_rest, exchanged: bool = False, zeros: bool = True
) -> Callable[[Tensor, Tensor, Tensor], Tensor]:
    def mutant(left: Tensor, right: Tensor, lengths: Tensor) -> Tensor:
        halves = [left, turn(right, lengths)]
        joined = torch.cat(halves[::-1] if exchanged else halves, dim=-1)
        behind = torch.arange(left.shape[1]) >= lengths[:, None]
        return joined.masked_fill(behind[..., None], 0.0) if zeros else joined

    return mutant


def _flipped(right: Tensor, lengths: Tensor) -> Tensor:
    return right.flip(1)


def _as_read(right: Tensor, lengths: Tensor) -> Tensor:
    return right


def _one_back(right: Tensor, lengths: Tensor) -> Tensor:
    turned = _by_place(right, lengths)
    return torch.cat([torch.zeros_like(turned[:, :1]), turned[:, :-1]], dim=1)


_JOINED: list[tuple[str, dict[str, Any]]] = [
    ("E3", {"turn": _flipped}),
    ("E4", {"turn": _one_apart}),
    ("E4", {"turn": _one_back}),
    ("L19", {"turn": _as_read}),
    ("L17", {"exchanged": True}),
    ("L18", {"zeros": False}),
]
_JOINED_COUPLES = (
    ("E3", "L18", {"turn": _flipped, "zeros": False}),
    ("E3", "L17", {"turn": _flipped, "exchanged": True}),
    ("L17", "L18", {"exchanged": True, "zeros": False}),
    ("L18", "L19", {"turn": _as_read, "zeros": False}),
)


def _states(*lengths: int, t: int, d: int, seed: int) -> dict[str, Tensor]:
    shape = len(lengths), t, d
    return {
        "left": draw(*shape, seed=seed),
        "right": draw(*shape, seed=seed + 1),
        "lengths": torch.tensor(lengths),
    }


BOTH_WAYS = Function(
    id="elmo.both_ways",
    number=14,
    title="Join what two readers know",
    chapter="06",
    kind="write",
    difficulty=3,
    minutes=12,
    prompt=(
        "`left` holds the states of the reader from the left, (b, t, d), word by word. `right` holds those of the"
        " reader from the right **in the order of its reading**: row 0 belongs to the last word of its sentence. Behind"
        " a sentence of `lengths` words both hold numbers that mean nothing. Return (b, t, 2 d): for each word its"
        " state from the left, then the one from the right, and 0 behind the sentence."
    ),
    imports="import torch\nfrom torch import Tensor",
    template=(
        "def both_ways(left: Tensor, right: Tensor, lengths: Tensor) -> Tensor:\n"
        '    """(b, t, 2 d): for each word its state from the left, then its state from the right; 0 in the'
        ' padding."""\n'
        "    return ..."
    ),
    hints=(
        "In a sentence of n words, in which row of `right` is the state of word 0? Of word 1?",
        "On other numbers: with 3 words in 5 places, words 0, 1, 2 take rows 2, 1, 0.",
        "torch.stack([torch.cat([row[:n].flip(▢), row[n:]]) for row, n in zip(right, lengths.tolist())])",
    ),
    answer=both_ways,
    reference=both_ways,
    result="a tensor",
    probes=(
        Probe(
            "by hand",
            "With one sentence of three words",
            {
                "left": torch.tensor([[[1.0], [2.0], [3.0]]], dtype=torch.float64),
                "right": torch.tensor([[[30.0], [20.0], [10.0]]], dtype=torch.float64),
                "lengths": torch.tensor([3]),
            },
        ),
        Probe("two sentences", "With sentences of 5 and 3 words", _states(5, 3, t=5, d=4, seed=1)),
        Probe("all shorter", "With room for more than the longest", _states(2, 4, 1, t=6, d=3, seed=5)),
        Probe("square", "With b, t and d equal", _states(3, 2, 3, t=3, d=3, seed=9)),
    ),
    singles=tuple(MISTAKES[code].committed_by(_joined(**change)) for code, change in _JOINED),
    pairs=lambda: [pair(MISTAKES[a], MISTAKES[b], _joined(**change)) for a, b, change in _JOINED_COUPLES],
    gradient=True,
    shown="Both halves speak of the same word, in sentences of any length.",
    transfer="Which of the mistakes shows nothing in a batch of equal lengths?",
    review="09",
    see=BOTH_ENDS,
)

# 15. who has read what


def reach(states: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    """(t, t), True at [i, j] where state i has read word j: where it moves when word j is another one."""
    before = states(x)
    columns = []
    for j in range(len(x)):
        other = x.clone()
        other[j] += 1.0
        columns.append((states(other) != before).any(-1))
    return torch.stack(columns, dim=1)


def _reach_with(
    *, transposed: bool = False, stays: bool = False, summed: bool = False, itself: bool = True
) -> Callable[[Callable[[Tensor], Tensor], Tensor], Tensor]:
    def mutant(states: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
        before, columns, other = states(x), [], x.clone()
        for j in range(len(x)):
            other = other if stays else x.clone()
            other[j] += 1.0
            after = states(other)
            moved = (after.sum() != before.sum()).expand(len(x)) if summed else (after != before).any(-1)
            columns.append(moved)
        found = torch.stack(columns, dim=0 if transposed else 1)
        return found if itself else found & ~torch.eye(len(x), dtype=torch.bool)

    return mutant


def _lstm(num_layers: int, both: bool, seed: int) -> torch.nn.LSTM:
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return torch.nn.LSTM(3, 5, num_layers, bidirectional=both).double().requires_grad_(False)


_LEFT, _RIGHT, _TWO_LAYERS = _lstm(2, False, 1), _lstm(2, False, 2), _lstm(2, True, 3)


def _from_left(x: Tensor) -> Tensor:
    return _LEFT(x)[0]


def _from_right(x: Tensor) -> Tensor:
    return _RIGHT(x.flip(0))[0].flip(0)


def _left_half(x: Tensor) -> Tensor:
    return _TWO_LAYERS(x)[0][:, :5]


def _each_alone(x: Tensor) -> Tensor:
    return x.tanh()


def _word_before(x: Tensor) -> Tensor:
    return torch.cat([torch.zeros_like(x[:1]), x[:-1]])


_READERS = {
    "left": ("With a reader from the left", _from_left),
    "right": ("With a reader from the right", _from_right),
    "half": ("With the left half of a two-layer `bidirectional=True`", _left_half),
    "alone": ("With states that read their own word alone", _each_alone),
    "before": ("With states that read the word before alone", _word_before),
}

REACH = Function(
    id="elmo.reach",
    number=15,
    title="★ Who has read what?",
    chapter="06",
    kind="write",
    difficulty=4,
    minutes=12,
    starred=True,
    prompt=(
        "Write the test that finds every leak. `states` turns words, (t, d), into states, (t, e). Return a table of"
        " truth values, (t, t): True at [i, j] where state i moves when word j is changed. The words themselves must"
        " stay as they are."
    ),
    imports="from collections.abc import Callable\n\nimport torch\nfrom torch import Tensor",
    template=(
        "def reach(states: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:\n"
        '    """(t, t), True at [i, j] where state i has read word j: where it moves when word j is another one."""\n'
        "    return ..."
    ),
    hints=(
        "Change one word, call `states` again, and compare row by row. What must the next round start from?",
        "On other numbers: if only row 2 moved when word 0 was changed, column 0 is False, False, True.",
        "columns.append((states(other) != ▢).any(-1)), then torch.stack(columns, dim=▢)",
    ),
    answer=reach,
    reference=reach,
    result="a tensor of truth values",
    probes=tuple(
        Probe(f"{name}, {t} words", f"{where} and {t} words", {"states": states, "x": draw(t, 3, seed=t)})
        for t in (3, 4)
        for name, (where, states) in _READERS.items()
    ),
    singles=(
        MISTAKES["L49"].committed_by(_reach_with(transposed=True)),
        MISTAKES["L50"].committed_by(_reach_with(stays=True)),
        MISTAKES["L51"].committed_by(_reach_with(summed=True)),
        MISTAKES["L52"].committed_by(_reach_with(itself=False)),
    ),
    pairs=lambda: [
        pair(MISTAKES["L49"], MISTAKES["L50"], _reach_with(transposed=True, stays=True)),
        pair(MISTAKES["L49"], MISTAKES["L52"], _reach_with(transposed=True, itself=False)),
    ],
    shown="Your table tells all readers apart, the one that leaks included.",
    transfer="What does the table of a masked Transformer look like?",
    review="08",
    see=NOT_BOTH,
)

EXERCISES = (BEST_MATCHES, SCALAR_MIX, BOTH_WAYS, REACH)
