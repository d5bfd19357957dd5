"""Chapter 08, exercises on tensors: the place of the extract token, both orders, the block as published, new tokens."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import gelu, layer_norm, relu

from qkv.exercises.functions import Function, Probe, pair
from qkv.exercises.gpt_mistakes import DECODER, MISTAKES, ORDERS, ROWS, SLOT

Bend = Callable[[Tensor], Tensor]


def draw(*shape: int, seed: int) -> Tensor:
    """Normal numbers in float64, the same on every machine."""
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


# 15. where the extract token stands


def extract_position(ids: Tensor, extract_id: int) -> Tensor:
    """The place of the extract token in each row, (b); a row without it is a ValueError that names the row."""
    found = ids == extract_id
    for row, count in enumerate(found.sum(-1).tolist()):
        if count != 1:
            raise ValueError(f"row {row}: expected the extract token once, got it {count} times")
    return found.int().argmax(-1)


def _unchecked(ids: Tensor, extract_id: int) -> Tensor:
    return (ids == extract_id).int().argmax(-1)


def _then_checked(place: Callable[[Tensor, int], Tensor]) -> Callable[[Tensor, int], Tensor]:
    """Another place, with the refusal in order."""

    def mutant(ids: Tensor, extract_id: int) -> Tensor:
        extract_position(ids, extract_id)
        return place(ids, extract_id)

    return mutant


def _last_slot(ids: Tensor, extract_id: int) -> Tensor:
    return torch.full((len(ids),), ids.shape[1] - 1)


def _before_zeros(ids: Tensor, extract_id: int) -> Tensor:
    return (ids != 0).sum(-1) - 1


def _first_slot(ids: Tensor, extract_id: int) -> Tensor:
    return torch.zeros(len(ids), dtype=torch.long)


def _before(ids: Tensor, extract_id: int) -> Tensor:
    return _unchecked(ids, extract_id) - 1


def _behind(ids: Tensor, extract_id: int) -> Tensor:
    return _unchecked(ids, extract_id) + 1


def _minus_one(ids: Tensor, extract_id: int) -> Tensor:
    return torch.full((len(ids),), -1)


def _largest_id(ids: Tensor, extract_id: int) -> Tensor:
    return ids.argmax(-1)


def _not_zeros(ids: Tensor, extract_id: int) -> Tensor:
    return (ids != 0).sum(-1)


def _absent(ids: Tensor, extract_id: int) -> Tensor:
    return torch.where((ids == extract_id).any(-1), _unchecked(ids, extract_id), -1)


_READS_ALL = "The extract token itself has read everything and was trained to answer."
_MINUS = "Look whether you subtract 1."
_ROWS = {
    "lengths": [[90, 5, 92, 0, 0], [90, 5, 6, 7, 92], [90, 8, 9, 92, 0]],
    "alike": [[90, 5, 92], [90, 6, 92]],
    "zeros": [[50, 0, 3, 52, 7, 7], [50, 0, 0, 4, 52, 7]],
    "small": [[90, 5, 3, 0, 0], [80, 7, 8, 3, 99]],
    "missing": [[90, 5, 92, 0], [90, 5, 6, 7]],
}
_IDS = {"zeros": 52, "small": 3}


EXTRACT_POSITION = Function(
    id="gpt.extract_position",
    number=15,
    title="Where does the extract token stand?",
    chapter="08",
    kind="write",
    difficulty=3,
    minutes=8,
    prompt=(
        "`ids` (b, t) are padded rows; each holds `extract_id` once. Return its place in each row, a tensor of shape"
        " (b). A row without it is a `ValueError` whose message holds the row's number. Padding may have any id, and a"
        " text may hold 0."
    ),
    imports="import torch\nfrom torch import Tensor",
    template=(
        "def extract_position(ids: Tensor, extract_id: int) -> Tensor:\n"
        '    """The place of the extract token in each row, (b); a row without it is a ValueError that names the'
        ' row."""\n'
        "    return ..."
    ),
    hints=(
        "Compare the whole tensor with the id. How many True has each row?",
        "On other numbers: in 4 9 4 9 9, `(x == 4)` is 1 0 1 0 0, and the first 1 is at place 0.",
        "found = ids == ▢; refuse rows whose found.sum(▢) is not 1; found.int().argmax(▢)",
    ),
    answer=extract_position,
    reference=extract_position,
    result="a tensor of places",
    probes=tuple(
        Probe(
            name,
            where,
            {"ids": torch.tensor(_ROWS[name]), "extract_id": _IDS.get(name, 92)},
            sizes=(1,) if name == "missing" else (),
        )
        for name, where in (
            ("lengths", "With rows of three lengths"),
            ("alike", "With rows of one length"),
            ("zeros", "With 0 in the texts and padding of another id"),
            ("small", "With an extract token whose id is small"),
            ("missing", "With a row that lacks the token"),
        )
    ),
    singles=(
        MISTAKES["G1"].committed_by(_last_slot),
        MISTAKES["G1"].committed_by(_then_checked(_last_slot)),
        MISTAKES["E10"].committed_by(_before_zeros),
        MISTAKES["E10"].committed_by(_then_checked(_before_zeros)),
        MISTAKES["E1"].committed_by(_first_slot, phrase="the first token of each row", see=SLOT),
        MISTAKES["E1"].committed_by(_then_checked(_first_slot), phrase="the first token of each row", see=SLOT),
        MISTAKES["G1"].committed_by(
            _before,
            phrase="the token before the extract token",
            why=_READS_ALL,
            then=_MINUS,
        ),
        MISTAKES["G1"].committed_by(
            _then_checked(_before), phrase="the token before the extract token", why=_READS_ALL, then=_MINUS
        ),
        *(
            MISTAKES["G1"].committed_by(
                place,
                phrase="the slot behind the extract token",
                why="Behind it stands padding, or nothing.",
                then="Count places from 0, and look whether you add 1.",
            )
            for place in (_behind, _then_checked(_behind))
        ),
        *(MISTAKES["G1"].committed_by(place) for place in (_minus_one, _then_checked(_minus_one))),
        *(
            MISTAKES["E10"].committed_by(
                place,
                phrase="the place of the largest id",
                why="An extract token may have any id.",
                then="Compare `ids` with `extract_id` first.",
            )
            for place in (_largest_id, _then_checked(_largest_id))
        ),
        *(
            MISTAKES["E10"].committed_by(place, phrase="a count of the ids that are not 0")
            for place in (_not_zeros, _then_checked(_not_zeros))
        ),
        MISTAKES["E11"].committed_by(_unchecked),
        MISTAKES["E11"].committed_by(
            _absent,
            phrase="place −1 for a row without the token",
            why="−1 picks the last slot, and nobody would notice.",
            then="Raise a ValueError that names the row.",
        ),
        MISTAKES["E11"].committed_by(
            lambda ids, extract_id: (ids == extract_id).nonzero()[:, 1],
            phrase="no place at all for a row without the token",
            why="Fewer places than rows come out, and nobody knows whose they are.",
        ),
    ),
    shown="Each row answers from its own ⟨e⟩, and a row without one is refused by number.",
    transfer="How would you pick the states at these places out of a tensor (b, t, d)?",
    review="10",
    see=SLOT,
)

# 16. both orders, added


def pair_scores(first: Tensor, second: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """(first + second) Wᵀ + bias: states of both orders (b, d), weight (c, d), bias (c)."""
    return (first + second) @ weight.T + bias


def _combined(join: Callable[[Tensor, Tensor], Tensor], times: float = 1.0) -> Callable[..., Tensor]:
    def mutant(first: Tensor, second: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        return join(first, second) @ weight.T + times * bias

    return mutant


def _halves(first: Tensor, second: Tensor) -> Tensor:
    """Two halves side by side, as wide as one state."""
    half = first.shape[1] // 2
    return torch.cat([first[:, :half], second[:, half:]], -1)


def _fair(function: Callable[..., Any]) -> str:
    """Whether a swap of the two leaves the scores as they are."""
    states, weight, bias = draw(2, 3, 4, seed=7), draw(2, 4, seed=8), draw(2, seed=9)
    given, swapped = (function(*pairs, weight, bias) for pairs in ((*states,), (states[1], states[0])))
    return "" if torch.equal(given, swapped) else "A swap of the two orders changes your scores; a sum has no order."


PAIR_SCORES = Function(
    id="gpt.pair_scores",
    number=16,
    title="Fair to both orders",
    chapter="08",
    kind="complete",
    difficulty=2,
    minutes=5,
    prompt=(
        "`first` and `second` (b, d) are the extract tokens' states of both orders. Fill the gaps: the scores (b, c) of"
        " a pair, with `weight` (c, d) as `nn.Linear` keeps it and one `bias` (c)."
    ),
    imports="import torch\nfrom torch import Tensor",
    template=(
        "def pair_scores(first: Tensor, second: Tensor, weight: Tensor, bias: Tensor) -> Tensor:\n"
        '    """(first + second) Wᵀ + bias: states of both orders (b, d), weight (c, d), bias (c)."""\n'
        "    both = ...\n"
        "    return both @ ... + ..."
    ),
    hints=(
        "What may happen to two states so that nobody can tell which came first?",
        "On other numbers: states (1, 2) and (3, 0) add up to (4, 2), in whichever order.",
        "both = first ▢ second; both @ weight.▢ + ▢",
    ),
    answer=pair_scores,
    reference=pair_scores,
    result="a tensor of scores",
    gradient=True,
    invariants=(_fair,),
    probes=tuple(
        Probe(
            name,
            where,
            {
                "first": draw(b, d, seed=seed),
                "second": draw(b, d, seed=seed + 1),
                "weight": draw(c, d, seed=seed + 2),
                "bias": draw(c, seed=seed + 3),
            },
        )
        for name, where, b, d, c, seed in (
            ("three pairs", "With three pairs", 3, 4, 2, 1),
            ("one pair", "With one pair", 1, 5, 3, 10),
            ("square", "With as many classes as entries", 2, 4, 4, 20),
        )
    ),
    singles=(
        MISTAKES["G3"].committed_by(_combined(lambda a, b: a), phrase="the first order alone"),
        MISTAKES["G3"].committed_by(_combined(lambda a, b: b), phrase="the second order alone"),
        MISTAKES["E12"].committed_by(_combined(lambda a, b: (a + b) / 2), phrase="the mean of both states"),
        MISTAKES["E12"].committed_by(_combined(lambda a, b: a * b), phrase="the product of both states"),
        MISTAKES["E12"].committed_by(_combined(torch.maximum), phrase="the larger of each two entries"),
        MISTAKES["E12"].committed_by(
            _combined(lambda a, b: a - b),
            phrase="a difference",
            why="A difference changes its sign when the texts are swapped.",
        ),
        MISTAKES["E12"].committed_by(
            _combined(lambda a, b: b - a),
            phrase="a difference",
            why="A difference changes its sign when the texts are swapped.",
        ),
        MISTAKES["E12"].committed_by(_combined(torch.minimum), phrase="the smaller of each two entries"),
        MISTAKES["E12"].committed_by(
            _combined(lambda a, b: torch.cat([a, b], -1)),
            phrase="the two states side by side",
            why="Side by side they are twice as wide as `weight`, and one of them comes first.",
            then="Add the states.",
        ),
        MISTAKES["E12"].committed_by(_combined(lambda a, b: (a - b).abs()), phrase="the distance of both states"),
        MISTAKES["E12"].committed_by(
            _combined(torch.add, times=2.0),
            phrase="a head on each order, and the two results added",
            why="Then the offset comes twice.",
            then="Add the states first.",
        ),
        MISTAKES["E12"].committed_by(
            _combined(torch.add, times=0.0), phrase="scores without the offset", why="`bias` belongs to the matrix."
        ),
        MISTAKES["G3"].committed_by(
            _combined(_halves),
            phrase="half of one state beside half of the other",
            why="A swap exchanges the halves, and the matrix has other weights for each.",
        ),
    ),
    shown="Scores are fair to both orders to the last bit, and the gradient reaches both.",
    transfer="Which of your parts would you change for entailment?",
    review="10",
    see=ORDERS,
)

# 17. the block as published


def decoder_block(x: Tensor, weights: Tensor, inner: Tensor, outer: Tensor) -> Tensor:
    """LN(n + GELU(n inner) outer) with n = LN(x + weights x); x (t, d), weights (t, t), inner (d, d_ff), outer back."""
    n = layer_norm(x + weights @ x, x.shape[-1:])
    return layer_norm(n + gelu(n @ inner, approximate="tanh") @ outer, x.shape[-1:])


def _norm(x: Tensor) -> Tensor:
    return layer_norm(x, x.shape[-1:])


def _tanh_gelu(x: Tensor) -> Tensor:
    return gelu(x, approximate="tanh")


def _block(
    *, bend: Bend = _tanh_gelu, first_sum: bool = True, second_sum: bool = True, norms: tuple[bool, bool] = (True, True)
) -> Callable[..., Tensor]:
    """The block with some of its parts left out or exchanged."""

    def mutant(x: Tensor, weights: Tensor, inner: Tensor, outer: Tensor) -> Tensor:
        n = weights @ x + (x if first_sum else 0)
        n = _norm(n) if norms[0] else n
        h = bend(n @ inner) @ outer + (n if second_sum else 0)
        return _norm(h) if norms[1] else h

    return mutant


def _pre_norm(x: Tensor, weights: Tensor, inner: Tensor, outer: Tensor) -> Tensor:
    n = x + weights @ _norm(x)
    return n + _tanh_gelu(_norm(n) @ inner) @ outer


def _pre_norm_and_last(x: Tensor, weights: Tensor, inner: Tensor, outer: Tensor) -> Tensor:
    return _norm(_pre_norm(x, weights, inner, outer))


def _norm_inside(x: Tensor, weights: Tensor, inner: Tensor, outer: Tensor) -> Tensor:
    n = x + _norm(weights @ x)
    return n + _norm(_tanh_gelu(n @ inner) @ outer)


def _sum_from_the_start(x: Tensor, weights: Tensor, inner: Tensor, outer: Tensor) -> Tensor:
    n = _norm(x + weights @ x)
    return _norm(x + _tanh_gelu(n @ inner) @ outer)


def _feed_the_input(x: Tensor, weights: Tensor, inner: Tensor, outer: Tensor) -> Tensor:
    n = _norm(x + weights @ x)
    return _norm(n + _tanh_gelu(x @ inner) @ outer)


def _twice_from_the_start(x: Tensor, weights: Tensor, inner: Tensor, outer: Tensor) -> Tensor:
    return _norm(x + _tanh_gelu(x @ inner) @ outer)


def _bent_too_early(x: Tensor, weights: Tensor, inner: Tensor, outer: Tensor) -> Tensor:
    n = _norm(x + weights @ x)
    return _norm(n + _tanh_gelu(n) @ inner @ outer)


def _bent_early_exactly(x: Tensor, weights: Tensor, inner: Tensor, outer: Tensor) -> Tensor:
    n = _norm(x + weights @ x)
    return _norm(n + gelu(n) @ inner @ outer)


def _bent_too_late(x: Tensor, weights: Tensor, inner: Tensor, outer: Tensor) -> Tensor:
    n = _norm(x + weights @ x)
    return _norm(n + _tanh_gelu(n @ inner @ outer))


def _normed_together(x: Tensor, weights: Tensor, inner: Tensor, outer: Tensor) -> Tensor:
    n = layer_norm(x + weights @ x, x.shape)
    return layer_norm(n + _tanh_gelu(n @ inner) @ outer, x.shape)


def _exact_pre_norm(x: Tensor, weights: Tensor, inner: Tensor, outer: Tensor) -> Tensor:
    n = x + weights @ _norm(x)
    return n + gelu(_norm(n) @ inner) @ outer


def _looks_back(t: int) -> Tensor:
    """Causal weights: each token takes the mean of itself and those before it."""
    return torch.ones(t, t, dtype=torch.float64).tril() / torch.arange(1, t + 1, dtype=torch.float64)[:, None]


_SLIPS: tuple[tuple[dict[str, Any], str], ...] = (
    ({"bend": relu}, "ReLU in the place of GELU"),
    ({"bend": gelu}, "GELU in its exact form, where the tanh form is asked for"),
    ({"bend": lambda x: x}, "a block without a bend"),
    ({"first_sum": False}, "a first half without its sum"),
    ({"second_sum": False}, "a second half without its sum"),
    ({"norms": (False, True)}, "a first half without its norm"),
    ({"norms": (True, False)}, "a second half without its norm"),
    ({"norms": (False, False)}, "a block without norms"),
)

DECODER_BLOCK = Function(
    id="gpt.decoder_block",
    number=17,
    title="The block as published",
    chapter="08",
    kind="complete",
    difficulty=3,
    minutes=10,
    prompt=(
        "Fill the gaps: one block of the published GPT. Attention is given as its `weights` (t, t), so `weights @ x` is"
        " what each token gathers. `inner` (d, d_ff) and `outer` (d_ff, d) are the two matrices, GELU is in its tanh"
        " form, and the norms have no factors of their own (ε `1e-5`)."
    ),
    imports="import torch\nfrom torch import Tensor\nfrom torch.nn.functional import gelu, layer_norm",
    template=(
        "def decoder_block(x: Tensor, weights: Tensor, inner: Tensor, outer: Tensor) -> Tensor:\n"
        '    """LN(n + GELU(n inner) outer) with n = LN(x + weights x); x (t, d), weights (t, t), inner (d, d_ff),'
        ' outer back."""\n'
        "    n = layer_norm(..., x.shape[-1:])\n"
        "    return layer_norm(... + gelu(...) @ outer, x.shape[-1:])"
    ),
    hints=(
        "Each half of the block: do something, add, norm. What is added to what?",
        "On other numbers: post-LN of x = (1, 3) and what was gathered, (2, 0), norms the sum (3, 3).",
        'n = layer_norm(x + weights @ ▢, x.shape[-1:]); n + gelu(▢ @ inner, approximate="▢") @ outer',
    ),
    answer=decoder_block,
    reference=decoder_block,
    result="a tensor like x",
    gradient=True,
    probes=tuple(
        Probe(
            name,
            where,
            {
                "x": scale * draw(t, d, seed=seed),
                "weights": _looks_back(t),
                "inner": draw(d, f, seed=seed + 1),
                "outer": draw(f, d, seed=seed + 2),
            },
        )
        for name, where, t, d, f, scale, seed in (
            ("three tokens", "With three tokens of four entries", 3, 4, 8, 1.0, 1),
            ("wide", "With five tokens of six entries", 5, 6, 7, 3.0, 10),
            ("square", "With as many tokens as entries", 4, 4, 4, 1.0, 20),
        )
    ),
    singles=(
        MISTAKES["G11"].committed_by(_pre_norm),
        MISTAKES["G11"].committed_by(_pre_norm_and_last, phrase="norms in front, and one more at the end"),
        MISTAKES["G11"].committed_by(
            _norm_inside,
            phrase="a norm on what is added, not on the sum",
            why="The published GPT adds first, and the norm comes over the whole sum.",
        ),
        MISTAKES["E13"].committed_by(_sum_from_the_start, phrase="a second sum that adds the block's input"),
        MISTAKES["E13"].committed_by(_feed_the_input, phrase="a second half that reads the block's input"),
        *(MISTAKES["E13"].committed_by(_block(**change), phrase=phrase) for change, phrase in _SLIPS),
        MISTAKES["G11"].committed_by(_exact_pre_norm, phrase="norms in front, and GELU in its exact form"),
        MISTAKES["E13"].committed_by(
            lambda x, weights, inner, outer: decoder_block(x, torch.zeros_like(weights), inner, outer),
            phrase="a first half that gathers nothing",
        ),
        MISTAKES["E13"].committed_by(
            lambda x, weights, inner, outer: decoder_block(x, weights.T, inner, outer),
            phrase="weights with rows and columns exchanged",
            why="Row i of the weights says what token i takes from each token.",
        ),
        MISTAKES["E13"].committed_by(_twice_from_the_start, phrase="a second half that goes on from the block's input"),
        *(
            MISTAKES["E13"].committed_by(answer, phrase="GELU before the inner matrix")
            for answer in (_bent_too_early, _bent_early_exactly)
        ),
        MISTAKES["E13"].committed_by(_bent_too_late, phrase="GELU behind the outer matrix"),
        MISTAKES["E13"].committed_by(
            _normed_together,
            phrase="norms over all tokens together",
            why="Each token is normed by its own entries: `x.shape[-1:]`, not `x.shape`.",
        ),
        *(
            MISTAKES["E13"].committed_by(_block(bend=gelu, **change), phrase=f"{phrase}, and with exact GELU")
            for change, phrase in _SLIPS
            if "bend" not in change
        ),
    ),
    shown="Your block is the published one: sums, norms behind them, GELU in its tanh form.",
    transfer="Where would GPT-2 put the two norms, and what comes after its last block?",
    review="10",
    see=DECODER,
)

# 18. three new tokens


def grown_scores(hidden: Tensor, table: Tensor, new: Tensor) -> Tensor:
    """Scores of all tokens, the new ones last: hidden (…, d) against table (v, d) and new (n, d)."""
    return hidden @ torch.cat([table, new]).T


def _scored(rows: Callable[[Tensor, Tensor], Tensor]) -> Callable[[Tensor, Tensor, Tensor], Tensor]:
    return lambda hidden, table, new: hidden @ rows(table, new).T


def _replaced(table: Tensor, new: Tensor) -> Tensor:
    return torch.cat([table[: len(table) - len(new)], new])


GROWN_SCORES = Function(
    id="gpt.grown_scores",
    number=18,
    title="Three new tokens",
    chapter="08",
    kind="complete",
    difficulty=2,
    minutes=6,
    prompt=(
        "GPT scores tokens with the table that embeds them. Fill the gaps: scores (…, v + n) of states `hidden` (…, d)"
        " for the v tokens of `table` (v, d) and n new ones, whose rows are `new` (n, d) and whose ids come last. Both"
        " tables must go on learning."
    ),
    imports="import torch\nfrom torch import Tensor",
    template=(
        "def grown_scores(hidden: Tensor, table: Tensor, new: Tensor) -> Tensor:\n"
        '    """Scores of all tokens, the new ones last: hidden (…, d) against table (v, d) and new (n, d)."""\n'
        "    rows = torch.cat(...)\n"
        "    return hidden @ ..."
    ),
    hints=(
        "How many scores must come out, and which of them are the new tokens'?",
        "On other numbers: rows (1, 0) and (0, 2) and a new one (1, 1): the state (3, 4) scores 3, 8, 7.",
        "rows = torch.cat([▢, ▢]); hidden @ rows.▢",
    ),
    answer=grown_scores,
    reference=grown_scores,
    result="a tensor of scores",
    gradient=True,
    probes=tuple(
        Probe(
            name,
            where,
            {
                "hidden": draw(*shape, d, seed=seed),
                "table": draw(v, d, seed=seed + 1),
                "new": draw(n, d, seed=seed + 2),
            },
        )
        for name, where, shape, v, n, d, seed in (
            ("two states", "With two states, five tokens and three new ones", (2,), 5, 3, 4, 1),
            ("batch", "With a batch", (2, 3), 6, 3, 5, 10),
            ("square", "With as many tokens as entries", (4,), 4, 2, 4, 20),
        )
    ),
    singles=(
        MISTAKES["G10"].committed_by(_scored(lambda table, new: table)),
        MISTAKES["G10"].committed_by(
            _scored(lambda table, new: new),
            phrase="scores for the new tokens alone",
            why="The old tokens are still to be guessed.",
        ),
        MISTAKES["G10"].committed_by(
            _scored(_replaced),
            phrase="new rows in the places of old ones",
            why="The last tokens of the vocabulary lose their vectors; new ids come behind all old ones.",
        ),
        MISTAKES["G2"].committed_by(
            _scored(lambda table, new: torch.cat([table, torch.zeros_like(new)])),
            phrase="rows of zeros for the new tokens",
        ),
        MISTAKES["G2"].committed_by(
            _scored(lambda table, new: torch.cat([table, table.mean(0).expand_as(new)])),
            phrase="the mean of all old rows for each new token",
            why="Then the three cannot be told apart; GPT draws a random row for each.",
        ),
        MISTAKES["G2"].committed_by(
            _scored(lambda table, new: torch.cat([new, table])),
            phrase="new tokens that come first",
            why="Then every old id points at another row.",
            then="Ask which row the old token 0 has now.",
        ),
    ),
    pairs=lambda: [
        pair(
            MISTAKES["G2"],
            MISTAKES["G10"],
            _scored(lambda table, new: torch.cat([table[: len(table) - len(new)], torch.zeros_like(new)])),
        )
    ],
    shown="Old tokens score as before, new ones come last, and both tables learn.",
    transfer="Why need the model's blocks not be told of the new tokens?",
    review="09",
    see=ROWS,
)

EXERCISES = (EXTRACT_POSITION, PAIR_SCORES, DECODER_BLOCK, GROWN_SCORES)
