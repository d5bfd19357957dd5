"""Chapter 09, exercises on tensors: masking judged by its shares, the loss at the gaps, heads, the mean of a text."""

import inspect
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy, gelu, layer_norm, relu

from qkv.exercises import judge
from qkv.exercises.bert_mistakes import ASK, MISTAKES, MIXTURE, WHICH_STATE
from qkv.exercises.functions import Function, Probe, pair, returned
from qkv.exercises.judge import Outcome
from qkv.exercises.report import Report


def draw(*shape: int, seed: int) -> Tensor:
    """Normal numbers in float64, the same on every machine."""
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


# 14. masking, judged by what it does to half a million tokens

SHARES = (
    "the share of tokens that are asked for",
    "the share of [MASK] among them",
    "the share of other tokens among them",
    "the share of unchanged ones among them",
    "the share of special tokens that are asked for",
    "the share of labels that are not the token that stood there",
    "the share of tokens that changed without being asked for",
    "the middle of the other tokens, as a share of the vocabulary",
    "the share of the ids below 1000 that are ever drawn",
    "the share of gaps that come back at the next call",
    "the smallest label",
    "the agreement of two calls whose generators have one seed",
)


@dataclass(frozen=True, kw_only=True, eq=False)
class Masking(Function):
    """A function that draws: two calls on half a million tokens, told in twelve numbers, each rounded to a grid.

    The nearest other grid point is always more than six standard deviations away: the share of chosen tokens may be off
    by .005 (nine of them), the shares of their fates by .01 (six and more, of 70,000 tokens), the gaps that come back
    by .025 and the middle of the drawn tokens by .05.  Of the 1000 ids that no word of the text has, 7,000 draws meet
    1 − exp(−.23) = .21, and .1 to .3 may be met (nine).  So a right answer fails by chance less than once in a million.
    The last number needs no grid: with one seed, all has to be the same.
    """

    def judge(self, answer: Any) -> Report:
        """As for other functions; the report holds what the function was called with, not the recipe for it."""
        report = super().judge(answer)
        if report.inputs is None:
            return report
        names = inspect.signature(self.answer).parameters
        return replace(report, inputs=dict(zip(names, self.feed(report.inputs), strict=True)))

    def _call(self, function: Callable[..., Any], inputs: dict[str, Any]) -> Outcome:
        arguments = self.feed(inputs)
        ids, before = arguments[0], arguments[0].clone()
        first = returned(function, arguments)
        if problem := misshapen(first, ids):
            return Outcome(problem=problem, text="complaint")
        second = returned(function, arguments)
        if not torch.equal(ids, before):
            return Outcome(problem="its ids changed in place; the caller still needs them", text="complaint")
        return judge.read([*shares(first, second, arguments), agreement(function, arguments)])

    def _holds(self, differing: list[int], outcomes: list[Outcome]) -> str:
        return ""

    def _first_number(self, probe: Probe, given: Outcome, expected: Outcome) -> str:
        found = judge.first_difference(given, expected)
        assert found is not None, "called for outcomes that differ"
        (place, *_), mine, right = found
        return f"{probe.where}, {SHARES[place]} is {mine:.2f}, expected {right:.2f}."

    def _clue(self, answer: Callable[..., Any], index: int, given: Outcome) -> str:
        return "Count the same on your own output; the inputs are in `report.inputs`."

    def _too_long(self, outcomes: list[Outcome]) -> Report:
        probe = self.probes[len(outcomes) - 1]
        slow = "One Python step per token is too slow for half a million tokens; compare whole tensors."
        stopped = self._where(len(outcomes) - 1, outcomes[-1])
        return self.unnamed(f"{stopped} {slow} The inputs are in `report.inputs`.", probe.inputs)


ORDER = "first the masked ids, then the labels"


def misshapen(result: Any, ids: Tensor) -> str:
    """What is returned, in words, unless it is masked ids and labels: whole numbers in the shape of ids."""
    if result is None or result is ...:
        return judge.read(result).problem
    if not isinstance(result, tuple | list):
        alone = "tensor" if isinstance(result, Tensor) else type(result).__name__
        return f"a {alone} alone, expected two tensors: {ORDER}"
    if len(result) != 2:
        return f"a {type(result).__name__} of {len(result)}, expected two tensors: {ORDER}"
    for each in result:
        if not isinstance(each, Tensor) or each.shape != ids.shape or each.dtype != ids.dtype:
            kind = f"{each.dtype} {tuple(each.shape)}" if isinstance(each, Tensor) else type(each).__name__
            return f"something of kind {kind} where ids have {ids.dtype} {tuple(ids.shape)}"
    return f"the labels first, expected {ORDER}" if (result[0] == -100).any() else ""


def agreement(function: Callable[..., Any], arguments: tuple[Any, ...]) -> float:
    """1 if two generators with one seed give the same answer on a thousand tokens, else 0."""
    ids, special_mask, mask_id, vocab_size, _ = arguments
    one, other = (
        function(ids[:20], special_mask[:20], mask_id, vocab_size, torch.Generator().manual_seed(1)) for _ in range(2)
    )
    return float(all(map(torch.equal, one, other)))


def shares(first: tuple[Tensor, Tensor], second: tuple[Tensor, Tensor], arguments: tuple[Any, ...]) -> list[float]:
    """All numbers but the last."""
    (masked, labels), (ids, special_mask, mask_id, vocab_size, _) = first, arguments
    asked = labels != -100
    hidden, kept = masked == mask_id, masked == ids
    other = asked & ~hidden & ~kept
    again = (second[1] != -100) & asked
    return [
        part(asked, ~special_mask, 0.01),
        part(hidden, asked),
        part(other, asked),
        part(kept, asked),
        part(asked, special_mask, 0.05),
        part(labels != ids, asked),
        part(~kept, ~asked),
        round(float(masked[other].double().mean()) / vocab_size, 1) if other.any() else 0.0,
        round(round(len(masked[other & (masked < 1000)].unique()) / 1000 / 0.2) * 0.2, 2),
        part(again, asked, 0.05),
        float(labels.min()),
    ]


def part(of: Tensor, all_of: Tensor, grid: float = 0.02) -> float:
    """The share of the second in which the first is true as well, to the nearest multiple of ``grid``."""
    return round(round(float((of & all_of).sum()) / max(int(all_of.sum()), 1) / grid) * grid, 2)


def mask_tokens(
    ids: Tensor, special_mask: Tensor, mask_id: int, vocab_size: int, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Masked ids, and labels: the token that stood there where it was chosen, else -100."""
    chosen = (torch.rand(ids.shape, generator=generator) < 0.15) & ~special_mask
    fate = torch.rand(ids.shape, generator=generator)
    drawn = torch.randint(vocab_size, ids.shape, generator=generator)
    masked = ids.masked_fill(chosen & (fate < 0.8), mask_id)
    masked = torch.where(chosen & (fate >= 0.9), drawn, masked)
    return masked, ids.masked_fill(~chosen, -100)


def _feed(inputs: dict[str, Any]) -> tuple[Any, ...]:
    """Half a million tokens and a generator: too many to keep in the probe."""
    generator = torch.Generator().manual_seed(inputs["seed"])
    ids = torch.randint(1000, inputs["vocab_size"], inputs["shape"], generator=generator)
    ids[:, 0], ids[:, -1], ids[:, -2] = 101, 102, 0
    return ids, ids < 1000, 103, inputs["vocab_size"], generator


def _evenly(ids: Tensor, vocab_size: int, generator: torch.Generator | None) -> Tensor:
    return torch.randint(vocab_size, ids.shape, generator=generator)


def _masking(
    *,
    fates: Callable[[Tensor, Tensor, Callable[[], Tensor]], tuple[Tensor, Tensor]] | None = None,
    choose: str = "not special",
    change: str = "chosen",
    labels: str = "ids",
    ignored: int = -100,
    source: Callable[[torch.Generator], torch.Generator | None] = lambda generator: generator,
    exchange: Callable[[Tensor, int, torch.Generator | None], Tensor] = _evenly,
) -> Callable[..., tuple[Tensor, Tensor]]:
    """Masking with some of its parts replaced."""

    def mutant(
        ids: Tensor, special_mask: Tensor, mask_id: int, vocab_size: int, generator: torch.Generator
    ) -> tuple[Tensor, Tensor]:
        draws = source(generator)

        def rand() -> Tensor:
            return torch.rand(ids.shape, generator=draws)

        prob, fate = rand(), rand()
        chosen = prob < 0.15 if choose == "special too" else (prob < 0.15) & ~special_mask
        hide, swap = (fate < 0.8, fate >= 0.9) if fates is None else fates(prob, fate, rand)
        where = torch.ones_like(chosen) if change == "all" else chosen
        masked = torch.where(where & swap, exchange(ids, vocab_size, draws), ids)
        masked = torch.where(where & hide, mask_id, masked)
        told = masked if labels == "masked" else ids
        kept_silent = (masked == ids) if labels == "changed" else torch.zeros_like(chosen)
        asked = torch.ones_like(chosen) if labels == "everywhere" else chosen & ~kept_silent
        return masked, told.masked_fill(~asked, ignored)

    return mutant


_NEVER, _ALWAYS = (lambda p: torch.zeros_like(p, dtype=torch.bool)), (lambda p: torch.ones_like(p, dtype=torch.bool))
_MASKINGS: dict[str, dict[str, Any]] = {
    "K1": {"fates": lambda p, v, rand: (p < p * 0.8, (p >= p * 0.8) & (p < p * 0.9))},
    "K2": {"fates": lambda p, v, rand: (v < 0.8, rand() < 0.1)},
    "K3": {"change": "all"},
    "K4": {"choose": "special too"},
    "K5": {"labels": "everywhere"},
    "K6": {"labels": "changed"},
    "K7": {"labels": "masked"},
    "K8": {"source": lambda generator: torch.Generator().manual_seed(0)},
    "K14": {"ignored": -1},
    "B8": {"ignored": 0},
    "E14": {"source": lambda generator: None},
}

MASK_TOKENS = Masking(
    id="bert.mask_tokens",
    number=14,
    title="Hide tokens as BERT does",
    chapter="09",
    kind="write",
    difficulty=4,
    minutes=15,
    prompt=(
        "Write BERT's masking for `ids` (b, t). `special_mask` is True where nothing may be asked. Choose `15 %` of the"
        " rest; of these `80 %` become `mask_id`, `10 %` a token drawn from `vocab_size`, `10 %` stay. Return the"
        " masked ids and the labels, −100 where nothing is asked. Draw from `generator` alone, and leave `ids` as they"
        " are.\n\n"
        "The check calls it twice on half a million tokens and counts."
    ),
    imports="import torch\nfrom torch import Tensor",
    template=(
        "def mask_tokens(\n"
        "    ids: Tensor, special_mask: Tensor, mask_id: int, vocab_size: int, generator: torch.Generator\n"
        ") -> tuple[Tensor, Tensor]:\n"
        '    """Masked ids, and labels: the token that stood there where it was chosen, else -100."""\n'
        "    return ..."
    ),
    hints=(
        "How many draws does a token need: to be chosen, for its fate, for another token?",
        "On other numbers: a draw below .5 chooses; a new draw below .5 hides. Then a quarter is hidden.",
        "chosen = (torch.rand(▢, generator=generator) < 0.15) & ~▢; a second rand is the fate of the chosen ones",
    ),
    answer=mask_tokens,
    reference=mask_tokens,
    result="two tensors like ids",
    feed=_feed,
    probes=(
        Probe(
            "half a million",
            "On half a million tokens",
            {"seed": 0, "shape": (10_000, 50), "vocab_size": 30_522},
            SHARES,
        ),
    ),
    singles=(
        *(MISTAKES[code].committed_by(_masking(**change)) for code, change in _MASKINGS.items()),
        MISTAKES["E1"].committed_by(_masking(fates=lambda p, v, rand: (_ALWAYS(p), _NEVER(p))), phrase="masks alone"),
        MISTAKES["E1"].committed_by(
            _masking(fates=lambda p, v, rand: (v < 0.8, v >= 0.8)), phrase="a mixture in which no token stays"
        ),
        MISTAKES["E1"].committed_by(
            _masking(fates=lambda p, v, rand: (v < 0.8, _NEVER(p))), phrase="a mixture without other tokens"
        ),
        MISTAKES["E1"].committed_by(
            _masking(exchange=lambda ids, vocab_size, generator: torch.full_like(ids, 1500)),
            phrase="one and the same token for all that are exchanged",
            why="Each exchanged token is drawn on its own, from all of the vocabulary.",
            then="Print ten of the exchanged tokens.",
        ),
        *(
            MISTAKES["E1"].committed_by(
                _masking(exchange=exchange),
                phrase="exchanged tokens from a part of the vocabulary",
                why="Each is drawn on its own, evenly, from 0 up to `vocab_size`.",
                then="Count the exchanged tokens with an id below 1000: one in thirty.",
            )
            for exchange in (
                lambda ids, vocab_size, generator: ids.roll(1),
                lambda ids, vocab_size, generator: torch.randint(1000, vocab_size, ids.shape, generator=generator),
            )
        ),
    ),
    pairs=lambda: [
        pair(MISTAKES[first], MISTAKES[second], _masking(**_MASKINGS[first], **_MASKINGS[second]))
        for first, second in (("K1", "K4"), ("K4", "K7"), ("K4", "K6"), ("K4", "K8"))
    ],
    shown="All twelve numbers lie where they should, and the gaps are other ones at each call.",
    transfer="Which of the shares would a training loss have told you?",
    review="10",
    see=MIXTURE,
)

# 15. the loss at the gaps


def masked_loss(scores: Tensor, labels: Tensor) -> Tensor:
    """Mean cross-entropy over the places whose label is not -100; scores (b, t, v), labels (b, t)."""
    asked = labels != -100
    return cross_entropy(scores[asked], labels[asked])


def _loss(scores: Tensor, labels: Tensor, *, ignored: int = -100, reduction: str = "mean") -> Tensor:
    return cross_entropy(scores.flatten(0, 1), labels.flatten(), ignore_index=ignored, reduction=reduction)


def _everywhere(scores: Tensor, labels: Tensor) -> Tensor:
    return _loss(scores, labels.clamp(min=0))


def _without_zero(scores: Tensor, labels: Tensor) -> Tensor:
    return _loss(scores, labels.clamp(min=0), ignored=0)


def _shifted(scores: Tensor, labels: Tensor) -> Tensor:
    return _loss(scores[:, :-1], labels[:, 1:])


def _row_means(scores: Tensor, labels: Tensor) -> Tensor:
    return torch.stack([cross_entropy(s, w, ignore_index=-100) for s, w in zip(scores, labels, strict=True)]).mean()


def _labels(*rows: tuple[int, ...]) -> Tensor:
    return torch.tensor(rows)


MASKED_LOSS = Function(
    id="bert.masked_loss",
    number=15,
    title="The loss at the gaps",
    chapter="09",
    kind="complete",
    difficulty=3,
    minutes=6,
    prompt=(
        "`scores` has a row of v scores for each place, (b, t, v), and `labels` (b, t) the id that stood there, or −100"
        " where nothing is asked. Fill the gaps: the mean cross-entropy in nats over the places that are asked for. 0"
        " is a piece like any other."
    ),
    imports="import torch\nfrom torch import Tensor\nfrom torch.nn.functional import cross_entropy",
    template=(
        "def masked_loss(scores: Tensor, labels: Tensor) -> Tensor:\n"
        '    """Mean cross-entropy over the places whose label is not -100; scores (b, t, v), labels (b, t)."""\n'
        "    asked = ...\n"
        "    return cross_entropy(..., ...)"
    ),
    hints=(
        "Which places count, and how do you pick their scores and their labels?",
        "On other numbers: of labels −100 4 −100 two places are left out, and the mean is over one.",
        "asked = labels != ▢; cross_entropy(scores[▢], labels[▢])",
    ),
    answer=masked_loss,
    reference=masked_loss,
    result="a number",
    gradient=True,
    probes=(
        Probe(
            "three gaps",
            "With three gaps in two rows",
            {"scores": draw(2, 5, 7, seed=1), "labels": _labels((-100, 3, -100, 6, -100), (-100, -100, 2, -100, -100))},
        ),
        Probe(
            "label 0",
            "With a gap whose answer is piece 0",
            {"scores": draw(2, 4, 3, seed=2), "labels": _labels((-100, 0, 1, -100), (-100, 2, -100, -100))},
        ),
        Probe(
            "large",
            "With large scores",
            {"scores": 40 * draw(3, 3, 5, seed=3), "labels": _labels((4, 1, -100), (-100, 0, -100), (2, -100, -100))},
        ),
    ),
    singles=(
        MISTAKES["K5"].committed_by(
            _everywhere,
            phrase="a loss at every place, asked or not",
            then="Count the terms of your mean: three gaps make three.",
            see=ASK,
        ),
        MISTAKES["B8"].committed_by(_without_zero, phrase="a loss that leaves out class 0"),
        MISTAKES["B7"].committed_by(lambda scores, labels: _loss(scores, labels, reduction="sum") / labels.numel()),
        MISTAKES["B7"].committed_by(
            lambda scores, labels: _loss(scores, labels, reduction="sum"),
            phrase="a sum where a mean was asked for",
            why="A sum grows with the number of gaps.",
        ),
        MISTAKES["B7"].committed_by(
            _row_means,
            phrase="a mean of the means of rows",
            why="A row with few gaps then counts as much as one with many.",
        ),
        MISTAKES["B5"].committed_by(lambda scores, labels: _loss(scores.softmax(-1), labels)),
        MISTAKES["B6"].committed_by(_shifted),
    ),
    shown="Your loss counts the gaps alone, piece 0 among them, and its gradient arrives.",
    transfer="What is the mean over a batch without any gap?",
    review="10",
    see=ASK,
)

# 16. the head that names pieces


def piece_scores(hidden: Tensor, weight: Tensor, offset: Tensor, tokens: Tensor, bias: Tensor) -> Tensor:
    """LayerNorm(GELU(hidden Wᵀ + offset)) against every token vector, plus a bias; (…, v)."""
    x = gelu(hidden @ weight.T + offset)
    return layer_norm(x, x.shape[-1:]) @ tokens.T + bias


def _head(
    bend: Callable[[Tensor], Tensor] = gelu, *, norm: str = "after", transform: bool = True, shift: bool = True,
    transposed: bool = False, first: bool = True, sizes: Callable[[Tensor], Any] = lambda x: x.shape[-1:],
) -> Callable[..., Tensor]:  # fmt: skip
    def mutant(hidden: Tensor, weight: Tensor, offset: Tensor, tokens: Tensor, bias: Tensor) -> Tensor:
        x = hidden
        if transform:
            x = x @ (weight if transposed else weight.T) + (offset if first else 0)
        if norm == "before":
            x = bend(layer_norm(x, sizes(x)))
        else:
            x = bend(x) if transform else x
            x = layer_norm(x, sizes(x)) if norm == "after" else x
        return x @ tokens.T + (bias if shift else 0)

    return mutant


_HEADS: tuple[tuple[dict[str, Any], dict[str, str]], ...] = (
    ({"shift": False}, {"phrase": "a head without its bias", "then": "Look for what is added per piece."}),
    ({"first": False}, {"phrase": "a transform without its offset", "then": "Add `offset` before the bend."}),
    ({"norm": "none"}, {"phrase": "a head without its norm", "then": "Norm what comes out of GELU."}),
    ({"norm": "before"}, {"phrase": "a norm before the bend", "then": "Bend first, then norm."}),
    ({"transform": False, "norm": "none"}, {"phrase": "no transform at all"}),
    ({"transform": False}, {"phrase": "a head that norms and does not transform"}),
    ({"bend": relu}, {"phrase": "ReLU in the place of GELU", "then": "Look up which bend BERT uses."}),
    ({"bend": lambda x: x}, {"phrase": "a head without a bend", "then": "Find GELU in your line."}),
    (
        {"bend": lambda x: gelu(x, approximate="tanh")},
        {"phrase": "GELU by its approximation", "then": "Use the exact one."},
    ),
    ({"transposed": True}, {"phrase": "a transform used transposed", "then": "`nn.Linear` multiplies by Wᵀ."}),
    (
        {"sizes": lambda x: x.shape},
        {
            "phrase": "one norm over all states together",
            "why": "Each state is normed by its own mean and spread; its neighbours have no part in it.",
            "then": "Name the last axis alone.",
        },
    ),
    (
        {"sizes": lambda x: x.shape[-1]},
        {
            "phrase": "a norm that is given a number for a shape",
            "why": "`layer_norm` takes the sizes of the axes over which it norms, one axis or more.",
            "then": "Cut the last size out of `x.shape` as a slice.",
        },
    ),
)

PIECE_SCORES = Function(
    id="bert.piece_scores",
    number=16,
    title="Name the hidden piece",
    chapter="09",
    kind="complete",
    difficulty=3,
    minutes=10,
    prompt=(
        "Fill the gaps. The head of a masked language model: a linear layer (`weight` (d, d) as `nn.Linear` keeps it,"
        " and `offset`), GELU in its exact form, a LayerNorm without factors of its own (ε `1e-5`), and then the dot"
        " product with the vector of every token, `tokens` (v, d), plus a `bias` for each."
        " `hidden` is (…, d); the result (…, v)."
    ),
    imports="import torch\nfrom torch import Tensor\nfrom torch.nn.functional import gelu, layer_norm",
    template=(
        "def piece_scores(hidden: Tensor, weight: Tensor, offset: Tensor, tokens: Tensor, bias: Tensor) -> Tensor:\n"
        '    """LayerNorm(GELU(hidden Wᵀ + offset)) against every token vector, plus a bias; (…, v)."""\n'
        "    x = gelu(...)\n"
        "    x = layer_norm(x, ...)\n"
        "    return ..."
    ),
    hints=(
        "Four steps in a row. Which of them turns d entries into v scores?",
        "On other numbers: with tokens (1, 0) and (0, 2), the state (3, 1) scores 3 and 2.",
        "x = gelu(hidden @ ▢ + offset); then layer_norm(x, x.shape[-1:]) @ ▢ + bias",
    ),
    answer=piece_scores,
    reference=piece_scores,
    result="a tensor",
    gradient=True,
    probes=(
        Probe(
            "small",
            "With two states of three entries",
            {name: draw(*shape, seed=i) for i, (name, shape) in enumerate(
                {"hidden": (2, 3), "weight": (3, 3), "offset": (3,), "tokens": (5, 3), "bias": (5,)}.items())},
        ),
        Probe(
            "batch",
            "With a batch",
            {name: draw(*shape, seed=9 + i) for i, (name, shape) in enumerate(
                {"hidden": (2, 3, 4), "weight": (4, 4), "offset": (4,), "tokens": (7, 4), "bias": (7,)}.items())},
        ),
        Probe(
            "square",
            "With as many tokens as entries",
            {name: draw(*shape, seed=20 + i) for i, (name, shape) in enumerate(
                {"hidden": (4, 4), "weight": (4, 4), "offset": (4,), "tokens": (4, 4), "bias": (4,)}.items())},
        ),
    ),
    singles=tuple(MISTAKES["K12"].committed_by(_head(**change), **words) for change, words in _HEADS),
    shown="Your head has all its parts, and token vectors are used a second time.",
    transfer="How many numbers does the head have of its own, if d is 384 and v is 30,522?",
    review="10",
    see=ASK,
)  # fmt: skip

# 23. the mean of a text


def mean_pool(hidden: Tensor, lengths: Tensor) -> Tensor:
    """Mean of the states of each text's real pieces: hidden (b, t, d), lengths (b,) → (b, d)."""
    real = torch.arange(hidden.shape[1]) < lengths[:, None]
    return (hidden * real[..., None]).sum(1) / lengths[:, None]


def _pool(*, more: int = 0, divide: str = "length") -> Callable[[Tensor, Tensor], Tensor]:
    def mutant(hidden: Tensor, lengths: Tensor) -> Tensor:
        real = (torch.arange(hidden.shape[1]) < (lengths + more)[:, None])[..., None]
        total = (hidden * real).sum(1)
        by: dict[str, Any] = {
            "length": (lengths + more)[:, None],
            "all": hidden.shape[1],
            "one": 1,
            "longest": lengths.max(),
        }
        return total / by[divide]

    return mutant


def _cut(pool: Callable[[Tensor], Tensor], first: int = 0, *, end: int = 0) -> Callable[[Tensor, Tensor], Tensor]:
    def mutant(hidden: Tensor, lengths: Tensor) -> Tensor:
        return torch.stack([pool(row[first : n + end]) for row, n in zip(hidden, lengths.tolist(), strict=True)])

    return mutant


def _largest(hidden: Tensor, lengths: Tensor) -> Tensor:
    real = (torch.arange(hidden.shape[1]) < lengths[:, None])[..., None]
    return hidden.masked_fill(~real, -torch.inf).amax(1)


def _hidden(*shape: int, seed: int) -> Tensor:
    return draw(*shape, seed=seed) + 1.0


_PADDING = MISTAKES["K9"].committed_by(None, see=WHICH_STATE)

MEAN_POOL = Function(
    id="bert.mean_pool",
    number=23,
    title="The mean of a text",
    chapter="09",
    kind="write",
    difficulty=3,
    minutes=8,
    prompt=(
        "MiniLM gives a sentence one vector: the mean of the states of its pieces, [CLS] and [SEP] included, padding"
        " left out. `hidden` is (b, t, d), `lengths` (b,) says how many pieces of each row are real. Return (b, d)."
    ),
    imports="import torch\nfrom torch import Tensor",
    template=(
        "def mean_pool(hidden: Tensor, lengths: Tensor) -> Tensor:\n"
        '    """Mean of the states of each text\'s real pieces: hidden (b, t, d), lengths (b,) → (b, d)."""\n'
        "    return ..."
    ),
    hints=(
        "Which states count in each row, and by what is their sum divided?",
        "On other numbers: of 4, 2, 9 with length 2 the mean is 3.",
        "real = torch.arange(t) < ▢[:, None]; (hidden * real[..., None]).sum(▢) / ▢[:, None]",
    ),
    answer=mean_pool,
    reference=mean_pool,
    result="a tensor",
    gradient=True,
    probes=(
        Probe(
            "two rows",
            "With rows of 2 and 4 pieces",
            {"hidden": _hidden(2, 5, 3, seed=31), "lengths": torch.tensor([2, 4])},
        ),
        Probe(
            "three rows",
            "With rows of 2, 4 and 3 pieces",
            {"hidden": _hidden(3, 5, 4, seed=32), "lengths": torch.tensor([2, 4, 3])},
        ),
        Probe(
            "square",
            "With as many pieces as entries",
            {"hidden": _hidden(2, 4, 4, seed=33), "lengths": torch.tensor([4, 2])},
        ),
    ),
    singles=(
        _PADDING.committed_by(_pool(more=100, divide="all"), phrase="a mean over padding too"),
        _PADDING.committed_by(
            _pool(divide="all"),
            phrase="a sum of real pieces divided by the padded length",
            why="A short text in a long batch then has a vector near 0.",
        ),
        _PADDING.committed_by(
            _pool(divide="longest"),
            phrase="a sum divided by the longest length",
            why="Each row is divided by its own number of pieces.",
        ),
        _PADDING.committed_by(
            lambda hidden, lengths: hidden.sum(1) / lengths[:, None],
            phrase="a sum over padding too, divided by the real length",
            why="The length is right; the states of padding are still in the sum.",
            then="Set the states of padding to 0 before you add up.",
        ),
        _PADDING.committed_by(
            lambda hidden, lengths: hidden[:, : lengths.max()].mean(1),
            phrase="a mean up to the end of the longest text",
            why="Shorter texts have padding before that end.",
        ),
        _PADDING.committed_by(lambda hidden, lengths: hidden.amax(1), phrase="the largest entries, padding too"),
        _PADDING.committed_by(
            lambda hidden, lengths: hidden[:, -1],
            phrase="the state of the last place, padding or not",
            why="In a shorter text that place is padding.",
            then="Average over all real pieces.",
        ),
        *(
            MISTAKES["E7"].committed_by(
                answer,
                phrase="one place of padding too many",
                why="Places count from 0: with length 2 they are 0 and 1.",
                then="Write your mask for a row of two pieces.",
                see=WHICH_STATE,
            )
            for answer in (
                lambda hidden, lengths: _pool(more=1)(hidden, lengths) * ((lengths + 1) / lengths)[:, None],
                _cut(lambda row: row.mean(0), end=1),
            )
        ),
        MISTAKES["E2"].committed_by(
            _cut(lambda row: row.mean(0), 1, end=-1),
            phrase="a mean without [CLS] and [SEP]",
            why="MiniLM was trained with both in the mean; and a text of no words has nothing else.",
            then="Take in all real places, the first and the last as well.",
            see=WHICH_STATE,
        ),
        MISTAKES["E2"].committed_by(
            _cut(lambda row: row.mean(0), 1),
            phrase="a mean without [CLS]",
            why="MiniLM was trained with both marks in the mean.",
            then="Take in all real places, the first one as well.",
            see=WHICH_STATE,
        ),
        MISTAKES["B7"].committed_by(
            _cut(lambda row: row.mean()),
            phrase="one number for each text",
            why="Each of the d entries has a mean of its own, over the pieces of the text.",
            then="Ask over which axis you average.",
            see=WHICH_STATE,
        ),
        MISTAKES["B7"].committed_by(
            _pool(divide="one"),
            phrase="a sum where a mean was asked for",
            why="Long texts then have long vectors.",
            then="Divide by each row's length.",
            see=WHICH_STATE,
        ),
        MISTAKES["E12"].committed_by(lambda hidden, lengths: hidden[:, 0]),
        MISTAKES["E12"].committed_by(
            _largest, phrase="the largest entries", why="MiniLM was trained to be read by the mean of its states."
        ),
        MISTAKES["E12"].committed_by(
            lambda hidden, lengths: hidden[torch.arange(len(hidden)), lengths - 1], phrase="the state of the last piece"
        ),
        MISTAKES["E7"].committed_by(
            _pool(more=-1),
            phrase="a mean without the last piece",
            why="`lengths` counts [SEP] in.",
            then="Compare a row of two pieces by hand.",
            see=WHICH_STATE,
        ),
    ),
    shown="Padding has no part in your means, and each row is divided by its own length.",
    transfer="What does a fully padded row give, and what should it?",
    review="10",
    see=WHICH_STATE,
)

EXERCISES = (MASK_TOKENS, MASKED_LOSS, PIECE_SCORES, MEAN_POOL)
