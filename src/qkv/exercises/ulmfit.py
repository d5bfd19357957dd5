"""Chapter 07, exercises in plain Python: predict, order, complete, write with numbers, debug, claim.

Standard library only, so that they are judged in a page as well as in a notebook.
"""

import math
from collections.abc import Callable, Iterable

from qkv.exercises.attention import numbered
from qkv.exercises.choices import Choice, Choose, Line, Option, Parsons
from qkv.exercises.functions import Function, Probe, pair
from qkv.exercises.ulmfit_mistakes import (
    EFFECTIVE,
    MEASURED,
    MISTAKES,
    READ_BEFORE,
    WHEN,
    WHICH_LAYER,
    WHO_FIRST,
)

Table = list[list[float]]

# 1. predict

WHO_LEARNS = Choice(
    id="ulmfit.who_learns",
    number=1,
    title="Who learns in which epoch?",
    chapter="07",
    kind="predict",
    difficulty=1,
    minutes=2,
    prompt=(
        "A classifier has four groups of weights, from the bottom up: words, lower layer, upper layer, head. The head"
        " is new, the rest was pretrained. It is unfrozen gradually, an epoch at a time, and the rates differ by a"
        " factor of 2.6 from group to group. Epochs count from 0."
    ),
    hints=(
        "Which group knows nothing yet?",
        "On other numbers: with two groups, epoch 0 trains the top one, and epoch 1 both.",
        "Epoch 0: the head. Epoch 1: the head and the ▢ layer.",
    ),
    fields=(
        Choose(
            name="learning",
            question="In epoch 1 these learn",
            options={
                "A": Option("words and lower layer", "From the bottom: the random head would shake them first."),
                "B": Option("upper layer and head", "The top group, and now the next one below.", True),
                "C": Option("the upper layer alone", "What is unfrozen stays so; the head goes on learning."),
                "D": Option("lower layer, upper layer and head", "That is epoch 2: one group joins per epoch."),
            },
        ),
        Choose(
            name="fastest",
            question="Once all are unfrozen, the largest rate belongs to",
            options={
                "A": Option("the words", "They hold what most tasks need, and take the smallest steps."),
                "B": Option("the head", "Its rate is the full one, and each group below has less.", True),
                "C": Option("all alike", "That would be plain fine-tuning, a factor of 1."),
            },
        ),
    ),
    beliefs=(
        MISTAKES["U1"].committed_by({"learning": "A"}),
        MISTAKES["U2"].committed_by({"learning": "C"}),
        MISTAKES["U2"].committed_by({"learning": "D"}, phrase="an unfreezing of one group too many"),
        MISTAKES["U3"].committed_by({"fastest": "A"}),
        MISTAKES["U3"].committed_by(
            {"fastest": "C"},
            phrase="one rate for all groups",
            why="What is pretrained has less to learn than what is new.",
        ),
        pair(MISTAKES["U1"], MISTAKES["U3"], {"learning": "A", "fastest": "A"}),
    ),
    shown="From the top down: who knows least learns first, and fastest.",
    transfer="In which epoch do the words learn for the first time?",
    review="09",
    see=WHO_FIRST,
)

# 2. Parsons

GENERAL_TEXT, FILM_TEXT, TEST_TEXT = [8.0, 0.0], [4.0, 4.0], [0.0, 8.0]
GROUPS = ("words", "layers", "head")


def halfway(row: list[float], goal: list[float]) -> list[float]:
    """A row after some training: half of the way to where a text pulls it."""
    return [(a + b) / 2 for a, b in zip(row, goal, strict=True)]


def run_lines(lines: Iterable[str]) -> Table:
    """What words, layers and head have become after lines that were put into an order."""
    names: dict = {
        "general": GENERAL_TEXT,
        "films": FILM_TEXT,
        "test_films": TEST_TEXT,
        "fresh": lambda: [[0.0, 0.0] for _ in GROUPS],
        "next_word": lambda model, text: [halfway(row, text) for row in model],
        "new_head": lambda model: [*model[:2], [0.0, 0.0]],
        "other_words": lambda model: [[1.0, 1.0], *model[1:]],
        "label": lambda model, text: [halfway(row, [text[1], text[0] + 2]) for row in model],
    }
    for line in lines:
        exec(line, names)
    return names["x"]


ORDER_THE_STAGES = Parsons(
    id="ulmfit.order_the_stages",
    number=2,
    title="Three stages in order",
    chapter="07",
    kind="Parsons",
    difficulty=2,
    minutes=4,
    prompt=(
        "Put lines into an order that makes ULMFiT's classifier `x`: pretrain on general text, go on with the words of"
        " the films, put a new head on top, learn the labels. Two lines are false friends and stay out.\n\n"
        "In this toy a model is three rows, *words*, *layers* and *head*. `next_word` and `label` move all rows halfway"
        " to where their text pulls, `new_head` replaces the last row by zeros, `other_words` makes a new first row."
    ),
    hints=(
        "Which line needs nothing before it? Which text is the last one that the language model reads?",
        "On other numbers: 0 goes halfway to 8, then halfway to 4: 4, 4. The other way round: 2, 5. Order matters.",
        "A, B, ▢, D, ▢",
    ),
    lines={
        "A": Line("x = fresh()", (), "x", True, "Random weights, here zeros."),
        "B": Line("x = next_word(x, general)", ("x",), "x", True, "Stage 1: the general language model."),
        "C": Line("x = next_word(x, films)", ("x",), "x", True, "Stage 2: the same task on the films' own text."),
        "D": Line("x = new_head(x)", ("x",), "x", True, "A head for labels in the place of the scores of words."),
        "E": Line("x = label(x, films)", ("x",), "x", True, "Stage 3: the labels."),
        "F": Line(
            "x = other_words(x)",
            ("x",),
            "x",
            False,
            "Line F makes the table of words anew, and what it had learned is gone.",
        ),
        "G": Line(
            "x = next_word(x, test_films)",
            ("x",),
            "x",
            False,
            "Line G lets the language model read what the classifier is tested on.",
        ),
    },
    wanted="x",
    order="ABCDE",
    orders=(
        MISTAKES["L1"].committed_by("ACBDE"),
        MISTAKES["L1"].committed_by(
            "ADBCE", phrase="a head put on before the language is learned", why="What scores words would then be kept."
        ),
        MISTAKES["L1"].committed_by(
            "ABCED",
            phrase="a head replaced after the labels",
            why="What was learned about labels is thrown away with it.",
        ),
        MISTAKES["L2"].committed_by("ACDE"),
        MISTAKES["L2"].committed_by("ABDE", phrase="the films' own text left out"),
        MISTAKES["L2"].committed_by("ADE", phrase="no pretraining at all"),
        MISTAKES["L2"].committed_by(
            "ABCE",
            phrase="labels learned by the old head",
            why="The old head scores words; the labels need one of their own.",
        ),
        MISTAKES["U8"].committed_by(
            "ABCFDE",
            phrase="a table of words made anew for the classifier",
            why="The layers then meet rows that they have never seen.",
            then="Keep the vocabulary of the language model, in its order.",
        ),
        MISTAKES["U8"].committed_by(
            "ABFCDE",
            phrase="a table of words made anew for the films",
            why="Shared words keep their rows; only words never met begin elsewhere.",
        ),
        MISTAKES["U14"].committed_by("ABGDE"),
        MISTAKES["U14"].committed_by("ABCGDE"),
        pair(MISTAKES["L1"], MISTAKES["U14"], "ABGCDE"),
    ),
    run=run_lines,
    rows=GROUPS,
    shown="General text, films, head, labels: each stage starts from what the last one left.",
    transfer="Which line would you leave out if the films had no text besides the labelled ones?",
    review="10",
    see=READ_BEFORE,
)

# 3. write


def slanted_triangular(step: int, num_steps: int, cut_frac: float, ratio: float) -> float:
    """Factor on the peak rate: up to 1 at step ⌊T · cut_frac⌋, then down to 1 / ratio; never below."""
    cut = math.floor(num_steps * cut_frac)
    if step < cut:
        p = step / cut
    else:
        fall = cut * (1 / cut_frac - 1) if cut > 0 else num_steps
        p = max(0.0, 1 - (step - cut) / fall)
    return (1 + p * (ratio - 1)) / ratio


def triangle_with(
    *,
    corner: Callable[[float], int] = math.floor,
    clamped: bool = True,
    guarded: bool = True,
    end: str = "1 / ratio",
    early: int = 0,
    straight: bool = False,
    cosine: bool = False,
) -> Callable[[int, int, float, float], float]:
    """The triangle with some of its parts replaced: the mutants of ``slanted_triangular``."""

    def mutant(step: int, num_steps: int, cut_frac: float, ratio: float) -> float:
        step += early
        cut = corner(num_steps * cut_frac)
        if step < cut:
            p = step / cut
        else:
            fall = cut * (1 / cut_frac - 1) if cut > 0 or not guarded else num_steps
            if straight:
                fall = num_steps - cut
            p = 1 - (step - cut) / fall
            p = max(0.0, p) if clamped else p
            p = (1 - math.cos(math.pi * p)) / 2 if cosine else p
        if end == "zero":
            return p
        if end == "twice":
            return (1 + p * (ratio - 1)) / ratio / ratio
        if end == "p / ratio":
            return (1 + p * ratio) / ratio
        return (1 + p * (ratio - 1)) / ratio

    return mutant


_PUBLISHED = {
    "phrase": "the published formula to the letter",
    "why": "Where T · cut_frac is no whole number, p falls below 0 near the end, and the rate may too.",
    "then": "Let p stop at 0.",
}
_NO_CUT = {
    "phrase": "a division by a cut of 0",
    "why": "A run shorter than 1 / cut_frac steps has no step before the peak.",
    "then": "Start such a run at its peak, and let it fall until T.",
}
_DOUBLED = {
    "phrase": "a ratio that is applied twice",
    "why": "The numerator is 1 + p (ratio − 1), and it is divided by ratio once.",
    "then": "Put p = 1 into your last line: it must give 1.",
}

TRIANGLE = Function(
    id="ulmfit.slanted_triangular",
    number=3,
    title="The slanted triangle, made safe",
    chapter="07",
    kind="write",
    difficulty=3,
    minutes=10,
    prompt=(
        "Write the factor on the peak rate at `step` = t of `num_steps` = T. With cut = ⌊T · cut_frac⌋, p = t / cut"
        " before the cut and 1 − (t − cut) / (cut · (1 / cut_frac − 1)) from there on. The factor is"
        " (1 + p · (ratio − 1)) / ratio.\n\n"
        "As published it goes negative for some T, and for a short run cut is 0. So let p stop at 0; and where cut is"
        " 0, start at p = 1 and fall in a straight line to 0 at step T. With T 20, cut_frac `.1` and ratio 32, steps 0,"
        " 2 and 11 give `.031`, `1` and `.516`."
    ),
    imports="import math",
    template=(
        "def slanted_triangular(step: int, num_steps: int, cut_frac: float, ratio: float) -> float:\n"
        '    """Factor on the peak rate: up to 1 at step ⌊T · cut_frac⌋, then down to 1 / ratio; never below."""\n'
        "    return ..."
    ),
    hints=(
        "What is p at step 0, at the cut, and at T? The factor follows from p alone.",
        "On other numbers: with T 40, cut_frac .25 and ratio 5, cut is 10. Step 5: p .5, factor (1 + .5 · 4) / 5 = .6.",
        "p = step / cut if step < cut else max(0.0, 1 - (step - cut) / ▢); return (1 + p * (▢ - 1)) / ratio",
    ),
    answer=slanted_triangular,
    reference=slanted_triangular,
    result="a number",
    tensors=False,
    probes=tuple(
        Probe(
            f"step {step} of {total}",
            f"At step {step} of {total}, cut_frac {cut_frac:g}, ratio {ratio:g}",
            {"step": step, "num_steps": total, "cut_frac": cut_frac, "ratio": ratio},
        )
        for step, total, cut_frac, ratio in (
            (1, 20, 0.1, 32.0),
            (2, 20, 0.1, 32.0),
            (11, 20, 0.1, 32.0),
            (0, 20, 0.1, 32.0),
            (20, 20, 0.1, 32.0),
            (5, 40, 0.25, 5.0),
            (12, 47, 0.25, 5.0),
            (98, 99, 0.1, 32.0),
            (3, 6, 0.1, 32.0),
            (0, 6, 0.1, 32.0),
        )
    ),
    singles=(
        MISTAKES["U4"].committed_by(triangle_with(clamped=False), **_PUBLISHED),
        MISTAKES["U4"].committed_by(triangle_with(guarded=False), **_NO_CUT),
        MISTAKES["U4"].committed_by(triangle_with(clamped=False, guarded=False), **_NO_CUT),
        MISTAKES["U4"].committed_by(triangle_with(corner=math.ceil)),
        MISTAKES["U4"].committed_by(triangle_with(corner=round)),
        MISTAKES["U4"].committed_by(triangle_with(early=1), phrase="steps that are counted from 1"),
        MISTAKES["U4"].committed_by(triangle_with(end="twice"), **_DOUBLED),
        MISTAKES["U4"].committed_by(
            triangle_with(end="p / ratio"),
            phrase="p multiplied by ratio, not by ratio − 1",
            why="The peak then lies above 1, by 1 / ratio.",
            then="Put p = 1 into your last line: it must give 1.",
        ),
        MISTAKES["U4"].committed_by(
            triangle_with(straight=True),
            phrase="a fall that lasts T − cut steps",
            why="The formula's fall lasts cut · (1 / cut_frac − 1) steps.",
            then="Compare both lengths for T 47 and cut_frac .25.",
        ),
        MISTAKES["L3"].committed_by(triangle_with(end="zero")),
        MISTAKES["U5"].committed_by(triangle_with(cosine=True)),
    ),
    pairs=lambda: [
        pair(MISTAKES["L3"], MISTAKES["U5"], triangle_with(end="zero", cosine=True)),
        pair(MISTAKES["L3"], MISTAKES["U4"], triangle_with(end="zero", clamped=False, guarded=False)),
    ],
    shown="Corner, ends and both repairs hold.",
    transfer="At which step is the factor largest when T is 9 and cut_frac .1?",
    review="09",
    see=WHEN,
)

# 4. write: where the published formula fails


def steps_below_zero(num_steps: int, cut_frac: float, ratio: float) -> list[int]:
    """Steps 0, 1, …, T at which the published formula gives a rate below 0."""
    cut = math.floor(num_steps * cut_frac)
    found = []
    for step in range(num_steps + 1):
        p = step / cut if step < cut else 1 - (step - cut) / (cut * (1 / cut_frac - 1))
        if 1 + p * (ratio - 1) < -1e-9:
            found.append(step)
    return found


def _below(*, of_p: bool = False, last: int = 1) -> Callable[[int, float, float], list[int]]:
    def mutant(num_steps: int, cut_frac: float, ratio: float) -> list[int]:
        cut = math.floor(num_steps * cut_frac)
        found = []
        for step in range(num_steps + last):
            p = step / cut if step < cut else 1 - (step - cut) / (cut * (1 / cut_frac - 1))
            if (p if of_p else 1 + p * (ratio - 1)) < -1e-9:
                found.append(step)
        return found

    return mutant


BELOW_ZERO = Function(
    id="ulmfit.steps_below_zero",
    number=4,
    title="Where does the published formula fail?",
    chapter="07",
    kind="write",
    difficulty=3,
    minutes=8,
    prompt=(
        "Return the list of all steps t = 0, 1, …, T at which the *published* formula, without any repair, gives a rate"
        " below 0. A step with a negative rate climbs the loss. Every T here is at least 1 / cut_frac, so cut is not 0;"
        " count a rate above −1e-9 as not below 0.\n\n"
        "For T 20 and cut_frac `.1` the list is empty, for T 19 it is not."
    ),
    imports="import math",
    template=(
        "def steps_below_zero(num_steps: int, cut_frac: float, ratio: float) -> list[int]:\n"
        '    """Steps 0, 1, …, T at which the published formula gives a rate below 0."""\n'
        "    return ..."
    ),
    hints=(
        "The factor is (1 + p (ratio − 1)) / ratio. How far below 0 must p be before the factor is?",
        "On other numbers: with ratio 5, p = −.2 gives 1 − .8 = .2, still above 0; p = −.3 gives −.2.",
        "[t for t in range(▢) if 1 + p(t) * (ratio - 1) < ▢]",
    ),
    answer=steps_below_zero,
    reference=steps_below_zero,
    result="a list of steps",
    tensors=False,
    probes=tuple(
        Probe(
            f"T {total}",
            f"With T {total}, cut_frac {cut_frac:g}, ratio {ratio:g}",
            {"num_steps": total, "cut_frac": cut_frac, "ratio": ratio},
            ("",),
        )
        for total, cut_frac, ratio in (
            (19, 0.1, 32.0),
            (20, 0.1, 32.0),
            (99, 0.1, 32.0),
            (47, 0.25, 5.0),
            (11, 0.3, 8.0),
            (29, 0.1, 4.0),
        )
    ),
    singles=(
        MISTAKES["L4"].committed_by(_below(of_p=True)),
        MISTAKES["U4"].committed_by(
            _below(last=0),
            phrase="a run that ends one step early",
            why="The steps go from 0 to T, and T itself is among them.",
            then="Print the last step that you look at.",
        ),
    ),
    pairs=lambda: [pair(MISTAKES["L4"], MISTAKES["U4"], _below(of_p=True, last=0))],
    shown="The list agrees: the formula fails where T · cut_frac is far from whole.",
    transfer="Which T between 20 and 30 are safe with cut_frac .1?",
    review="08",
    see=WHEN,
)

# 5. complete


def layer_rates(num_groups: int, top_rate: float, factor: float) -> list[float]:
    """Rates from the bottom up: the top group has the full rate, each one below that of the group above / factor."""
    rates = [top_rate]
    for _ in range(num_groups - 1):
        rates.append(rates[-1] / factor)
    return rates[::-1]


def _rates(
    *,
    multiply: bool = False,
    reverse: bool = True,
    extra: int = 0,
    linear: bool = False,
    alike: bool = False,
) -> Callable[[int, float, float], list[float]]:
    def mutant(num_groups: int, top_rate: float, factor: float) -> list[float]:
        powers = range(extra, num_groups + extra)
        slower = [1.0 if alike else (1 + k * (factor - 1) if linear else factor**k) for k in powers]
        rates = [top_rate * each if multiply else top_rate / each for each in slower]
        return rates[::-1] if reverse else rates

    return mutant


LAYER_RATES = Function(
    id="ulmfit.layer_rates",
    number=5,
    title="A rate for each layer",
    chapter="07",
    kind="complete",
    difficulty=2,
    minutes=5,
    prompt=(
        "Fill the three gaps: the rates of all groups from the bottom up. The top group learns with `top_rate`, each"
        " group below with the rate of the one above it divided by `factor`. Three groups, top rate `.01` and factor 2"
        " give `[.0025, .005, .01]`."
    ),
    imports="",
    template=(
        "def layer_rates(num_groups: int, top_rate: float, factor: float) -> list[float]:\n"
        '    """Rates from the bottom up: the top group has the full rate, each one below that of the group above'
        ' / factor."""\n'
        "    rates = [top_rate]\n"
        "    for _ in range(...):\n"
        "        rates.append(...)\n"
        "    return ..."
    ),
    hints=(
        "The list starts with the top group. How many are still to come, and which end is asked for first?",
        "On other numbers: halving 80 three times gives 80, 40, 20, 10; from the smallest: 10, 20, 40, 80.",
        "for _ in range(num_groups - ▢): rates.append(rates[-1] / ▢); return rates[::▢]",
    ),
    answer=layer_rates,
    reference=layer_rates,
    result="a list of numbers",
    tensors=False,
    probes=tuple(
        Probe(
            f"{groups} groups",
            f"With {groups} group{'s' if groups > 1 else ''}, top rate {rate:g}, factor {factor:g}",
            {"num_groups": groups, "top_rate": rate, "factor": factor},
            ("",),
        )
        for groups, rate, factor in ((3, 8.0, 2.0), (4, 10.0, 2.6), (1, 5.0, 2.6), (5, 1.0, 1.5))
    ),
    singles=(
        MISTAKES["U3"].committed_by(_rates(reverse=False)),
        MISTAKES["U3"].committed_by(
            _rates(multiply=True),
            phrase="rates that are multiplied on the way down",
            why="A multiplied rate grows towards the words, above the full rate.",
        ),
        MISTAKES["U3"].committed_by(
            _rates(multiply=True, reverse=False),
            phrase="a bottom group with the full rate, and larger ones above",
            why="No group learns faster than `top_rate`; it is the top group's.",
            then="Compare your largest rate with `top_rate`.",
        ),
        MISTAKES["U3"].committed_by(
            _rates(alike=True), phrase="one rate for all groups", why="That is plain fine-tuning."
        ),
        MISTAKES["L5"].committed_by(_rates(extra=1)),
        MISTAKES["L5"].committed_by(
            lambda num_groups, top_rate, factor: _rates()(num_groups + 1, top_rate, factor),
            phrase="one rate too many",
            why="The top rate is in the list already; one less is to be added than there are groups.",
        ),
        MISTAKES["L6"].committed_by(_rates(linear=True)),
    ),
    pairs=lambda: [
        pair(MISTAKES["U3"], MISTAKES["L5"], _rates(reverse=False, extra=1)),
        pair(MISTAKES["U3"], MISTAKES["L6"], _rates(reverse=False, linear=True)),
    ],
    shown="The rates agree, for one group and for five.",
    transfer="With which factor would all layers learn alike?",
    review="09",
    see=WHICH_LAYER,
)

# 6. write: all three together


def rates_at(step: int, num_steps: int, num_groups: int, steps_per_epoch: int) -> list[float]:
    """Factor on the peak rate for every group, from the bottom up; 0 while it is frozen."""
    cut = num_steps // 10
    p = step / cut if step < cut else max(0.0, 1 - (step - cut) / (9 * cut))
    factor = (1 + 31 * p) / 32
    learning = step // steps_per_epoch + 1
    return [
        factor / 2.6 ** (num_groups - 1 - level) if level >= num_groups - learning else 0.0
        for level in range(num_groups)
    ]


def _rates_at(
    *,
    bottom: bool = False,
    ahead: int = 0,
    faster_below: bool = False,
    extra: int = 0,
    restart: bool = False,
    frozen: bool = True,
    only: bool = False,
    rounded_up: bool = False,
) -> Callable[[int, int, int, int], list[float]]:
    def mutant(step: int, num_steps: int, num_groups: int, steps_per_epoch: int) -> list[float]:
        now, total = (step % steps_per_epoch, steps_per_epoch) if restart else (step, num_steps)
        factor = slanted_triangular(now, total, 0.1, 32.0)
        learning = -(-step // steps_per_epoch) if rounded_up else step // steps_per_epoch + 1
        learning += ahead
        rates = []
        for level in range(num_groups):
            below = level if faster_below else num_groups - 1 - level
            place = level if bottom else num_groups - 1 - level
            on = place == min(learning, num_groups) - 1 if only else place < learning
            rates.append(factor / 2.6 ** (below + extra) if on or not frozen else 0.0)
        return rates

    return mutant


RATES_AT = Function(
    id="ulmfit.rates_at",
    number=6,
    title="Who moves how far at this step?",
    chapter="07",
    kind="write",
    difficulty=4,
    minutes=12,
    prompt=(
        "Put the three ideas together, with the numbers of the paper: cut_frac `.1`, ratio 32, factor `2.6`. Return"
        " the factor on the peak rate of each group, from the bottom up, at `step` (from 0) of `num_steps`, one"
        " triangle for the whole run. A frozen group has 0. In epoch 0 the top group learns, and every"
        " `steps_per_epoch` steps the next one below joins. `num_steps` is a multiple of 10 here.\n\n"
        "Step 2 of 20 with three groups and epochs of 5 steps gives `[0, 0, 1]`; step 6 gives `[0, .302, .785]`."
    ),
    imports="",
    template=(
        "def rates_at(step: int, num_steps: int, num_groups: int, steps_per_epoch: int) -> list[float]:\n"
        '    """Factor on the peak rate for every group, from the bottom up; 0 while it is frozen."""\n'
        "    return ..."
    ),
    hints=(
        "Three numbers are multiplied: one depends on the step alone, one on the group alone, one is 0 or 1.",
        "On other numbers: epochs of 4 steps: steps 0 to 3 are epoch 0, step 4 begins epoch 1; 9 // 4 = 2.",
        "factor / 2.6 ** (num_groups - 1 - level) if level >= num_groups - (step // steps_per_epoch + ▢) else ▢",
    ),
    answer=rates_at,
    reference=rates_at,
    result="a list of numbers",
    tensors=False,
    probes=tuple(
        Probe(
            f"step {step}",
            f"At step {step} of {total}, {groups} groups, epochs of {epoch}",
            {"step": step, "num_steps": total, "num_groups": groups, "steps_per_epoch": epoch},
            ("",),
        )
        for step, total, groups, epoch in (
            (2, 20, 3, 5),
            (6, 20, 3, 5),
            (5, 20, 3, 5),
            (19, 20, 3, 5),
            (1, 30, 4, 6),
            (13, 30, 4, 6),
            (30, 30, 2, 10),
        )
    ),
    singles=(
        MISTAKES["U1"].committed_by(_rates_at(bottom=True)),
        MISTAKES["U2"].committed_by(_rates_at(ahead=1)),
        MISTAKES["U2"].committed_by(
            _rates_at(ahead=-1), phrase="an unfreezing that starts one epoch late", why="In epoch 0 the top learns."
        ),
        MISTAKES["U2"].committed_by(
            _rates_at(rounded_up=True),
            phrase="an epoch that is rounded up",
            why="Step 5 is the first of epoch 1.",
        ),
        MISTAKES["U2"].committed_by(
            _rates_at(only=True),
            phrase="one group at a time",
            why="What is unfrozen stays so. (One at a time is called chain-thaw.)",
        ),
        MISTAKES["U3"].committed_by(_rates_at(faster_below=True)),
        MISTAKES["L5"].committed_by(_rates_at(extra=1)),
        MISTAKES["L7"].committed_by(_rates_at(frozen=False)),
        MISTAKES["L8"].committed_by(_rates_at(restart=True)),
    ),
    pairs=lambda: [
        pair(MISTAKES["U1"], MISTAKES["U3"], _rates_at(bottom=True, faster_below=True)),
        pair(MISTAKES["U1"], MISTAKES["U2"], _rates_at(bottom=True, ahead=1)),
        pair(MISTAKES["U2"], MISTAKES["U3"], _rates_at(ahead=1, faster_below=True)),
        pair(MISTAKES["L7"], MISTAKES["U3"], _rates_at(frozen=False, faster_below=True)),
    ],
    shown="Triangle, layer and thaw agree at every step that was tried.",
    transfer="Which group makes the largest step of the whole run, and when?",
    review="10",
    see=EFFECTIVE,
)

# 7. debug

FREEZERS = {
    "A": (
        "for weight in lower.parameters():",
        "    weight.requires_grad = False",
        "loss.backward()",
        "optimizer.step()",
    ),
    "B": (
        "for weight in lower.parameters():",
        "    weight.requires_grad, weight.grad = False, None",
        "loss.backward()",
        "optimizer.step()",
    ),
    "C": ("lower.eval()", "optimizer.zero_grad()", "loss.backward()", "optimizer.step()"),
}

WHICH_FREEZES = Choice(
    id="ulmfit.which_freezes",
    number=7,
    title="Three ways to freeze",
    chapter="07",
    kind="debug",
    difficulty=3,
    minutes=8,
    prompt=(
        "A run has trained all layers for a while, with Adam, momentum and weight decay. Gradients of the last step are"
        " still there. Now the lower layer is to stand still, and three versions try it. The loss falls in all three."
        " In exactly one the lower layer stands still. Find it, the line that breaks version A, what shows it, and the"
        " fix.\n\n"
        + "\n\n".join(
            f"Version {letter}\n\n```\n{numbered(chr(10).join(lines))}\n```" for letter, lines in FREEZERS.items()
        )
    ),
    hints=(
        "`requires_grad` stops new gradients. What does the optimizer look at?",
        "On other numbers: a gradient of .5 that nobody clears is applied again at every step: .5, .5, .5.",
        "An optimizer of torch passes over a weight whose `.grad` is ▢.",
    ),
    fields=(
        Choose(
            name="version",
            question="In which version does the lower layer stand still?",
            options={
                "A": Option("Version A", "The old gradient is still there, and the optimizer applies it."),
                "B": Option("Version B", "Without a gradient every optimizer of torch passes the weight over.", True),
                "C": Option("Version C", "`eval()` turns dropout off; its weights learn as before."),
            },
        ),
        Choose(
            name="line",
            question="Which line of version A moves the lower layer?",
            options={
                "2": Option("line 2", "It stops new gradients and moves nothing."),
                "3": Option("line 3", "It reaches the lower layer no more."),
                "4": Option("line 4", "It applies what it finds in `.grad`, and its own memory.", True),
            },
        ),
        Choose(
            name="evidence",
            question="What shows it?",
            options={
                "A": Option("the training loss", "It falls in all three."),
                "B": Option("that `requires_grad` is False", "It is, and the weight moves."),
                "C": Option(
                    "the weights before and after a step", "A frozen weight is the same to the last bit.", True
                ),
            },
        ),
        Choose(
            name="fix",
            question="What mends version A?",
            options={
                "A": Option("`lower.eval()` besides", "It changes dropout and batch statistics, no weight."),
                "B": Option("set the old gradients to None", "Then the optimizer passes these weights over.", True),
                "C": Option("set the old gradients to 0", "Momentum and weight decay still move them."),
                "D": Option("a rate ten times smaller", "It moves more slowly, and moves."),
            },
        ),
    ),
    beliefs=(
        MISTAKES["U6"].committed_by({"version": "A"}),
        MISTAKES["U7"].committed_by({"version": "C"}, phrase="“`eval()` freezes a layer”"),
        MISTAKES["U6"].committed_by({"evidence": "B"}),
        MISTAKES["U6"].committed_by(
            {"fix": "C"},
            phrase="“a gradient of 0 moves nothing”",
            why="Momentum remembers older gradients, and weight decay needs none.",
        ),
        MISTAKES["U7"].committed_by({"fix": "A"}),
        pair(MISTAKES["U7"], MISTAKES["U6"], {"version": "C", "fix": "A"}),
        pair(MISTAKES["U6"], MISTAKES["U7"], {"version": "A", "fix": "A"}),
    ),
    shown="Version, line, evidence and fix hold: compare weights, not settings.",
    transfer="Which statistics of a frozen batch normalisation still move in `train()`?",
    review="09",
    see=WHO_FIRST,
)

# 8. predict

ONE_CYCLE = Choice(
    id="ulmfit.one_cycle",
    number=8,
    title="One-cycle is another curve",
    chapter="07",
    kind="predict",
    difficulty=2,
    minutes=4,
    prompt=(
        "fastai's `fit_one_cycle` came after the paper and is often named in one breath with it. With its defaults it"
        " rises over a quarter of the run, along a cosine, from peak / 25; falls along a cosine to peak / 100,000; and"
        " lowers momentum while the rate is high. The slanted triangle has cut_frac .1 and ratio 32. A run has 200"
        " steps and a peak of .01."
    ),
    hints=(
        "Where is each peak? What is left at the end?",
        "On other numbers: a run of 80 steps peaks at step 8 with a tenth, and at step 20 with a quarter.",
        "Peaks: 200 · .1 = ▢ and 200 / 4 = ▢.",
    ),
    fields=(
        Choose(
            name="peaks",
            question="The peaks of triangle and one-cycle are at the steps",
            options={
                "A": Option("20 and 50", "A tenth and a quarter of 200.", True),
                "B": Option("20 and 20", "They would be the same curve only in name."),
                "C": Option("50 and 20", "Exchanged."),
            },
        ),
        Choose(
            name="end",
            question="At the end of the run the rates are about",
            options={
                "A": Option("0 and 0", "The triangle stops at a 32nd of its peak."),
                "B": Option("a 32nd of the peak, and almost 0", "1 / ratio; and a hundred-thousandth.", True),
                "C": Option("a 32nd of the peak in both", "One-cycle goes on down."),
            },
        ),
        Choose(
            name="momentum",
            question="Momentum",
            options={
                "A": Option("stays the same in both", "One-cycle lowers it while the rate is high."),
                "B": Option("moves in one-cycle only", "The triangle is a schedule of the rate alone.", True),
                "C": Option("moves in both", "The paper keeps Adam's β₁ at one value."),
            },
        ),
    ),
    beliefs=(
        MISTAKES["U5"].committed_by({"peaks": "B"}),
        MISTAKES["U5"].committed_by({"end": "C"}),
        MISTAKES["U5"].committed_by({"momentum": "C"}),
        MISTAKES["U5"].committed_by({"momentum": "A"}, phrase="one-cycle without its momentum"),
        MISTAKES["L3"].committed_by(
            {"end": "A"}, phrase="a triangle that ends at 0", why="It ends at peak / ratio.", then="Put p = 0 in."
        ),
        MISTAKES["U5"].committed_by({"peaks": "B", "end": "C", "momentum": "C"}),
    ),
    shown="Peak, end and momentum differ: two schedules, two names.",
    transfer="Which of the two has the larger mean rate over the run?",
    review="10",
    see=WHEN,
)

# 9. claim

WHICH_SENTENCE = Choice(
    id="ulmfit.which_sentence",
    number=9,
    title="Half a per cent of five hundred questions",
    chapter="07",
    kind="claim",
    difficulty=3,
    minutes=6,
    prompt=(
        "Two results of the paper. On TREC-6 the test set has 500 questions; ULMFiT errs on 3.6 % of them, the best"
        " system before it on 3.9 %. And with and without slanted triangular rates, one run each, the *validation*"
        " error on IMDb is 5.00 and 5.39 %; the setting was chosen on the same validation texts.\n\n"
        "Somebody adds a third: a language model that had read the test reviews, without labels, before stage 3."
    ),
    hints=(
        "How many questions are .3 % of 500? How many runs stand behind the second pair?",
        "On other numbers: 4.0 and 4.2 % of 1,000 are 40 and 42 mistakes; two coins more or less.",
        ".036 · 500 = 18 and .039 · 500 = 19.5, so the two differ by about ▢ questions.",
    ),
    fields=(
        Choose(
            name="trec",
            question="About TREC-6 one may print",
            options={
                "A": Option("ULMFiT is better on TREC-6.", "By one or two questions of 500."),
                "B": Option(
                    "A difference was not shown: it is one or two questions of 500.",
                    "The paper says so too: not significant.",
                    True,
                ),
                "C": Option("The two systems are equally good.", "So few questions cannot show that."),
            },
        ),
        Choose(
            name="triangle",
            question="About the triangle one may print",
            options={
                "A": Option("Slanted triangular rates lower the error of classifiers.", "One task, one run each."),
                "B": Option(
                    "In one run each, on the texts that chose the setting, the error was .39 points lower.",
                    "This is what was done.",
                    True,
                ),
                "C": Option("The triangle does nothing.", "One run cannot show that either."),
            },
        ),
        Choose(
            name="leak",
            question="The model that had read the test reviews",
            options={
                "A": Option("is fine, since it saw no labels", "Its words and names are known to the model then."),
                "B": Option(
                    "answers another question: how well it does on texts it has read", "New texts cost more.", True
                ),
            },
        ),
    ),
    beliefs=(
        MISTAKES["S5"].committed_by({"trec": "A"}),
        MISTAKES["S6"].committed_by({"trec": "C"}),
        MISTAKES["S5"].committed_by({"triangle": "A"}),
        MISTAKES["S6"].committed_by({"triangle": "C"}, why="One run leaves room for a gain and for a loss."),
        MISTAKES["U14"].committed_by({"leak": "A"}),
        MISTAKES["S5"].committed_by({"trec": "A", "triangle": "A"}),
        pair(MISTAKES["S5"], MISTAKES["U14"], {"trec": "A", "triangle": "A", "leak": "A"}),
    ),
    shown="The sentences say what the runs say, and no more.",
    transfer="How many test questions would make a gap of .3 points worth printing?",
    review="10",
    see=MEASURED,
)

# 10. review

AGAIN = Choice(
    id="ulmfit.again",
    number=10,
    title="From chapters 02 to 05",
    chapter="07",
    kind="predict",
    difficulty=2,
    minutes=4,
    prompt=(
        "Four questions that return. A Transformer scores t_q queries against t_k keys; its positions are waves; it has"
        " eight heads. Its loss is measured over batches of unequal size."
    ),
    hints=(
        "Whose shares add up to 1? Where do all hands point to the right?",
        "On other numbers: losses 10 and 2 over 4 and 1 words make 12 / 5, not the mean of 2.5 and 2.",
        "rows of t_q · position ▢ · (t, 8, d_k).▢(0, 1) · total loss / total ▢",
    ),
    fields=(
        Choose(
            name="softmax",
            question="Softmax goes over",
            options={
                "A": Option("the keys of each query", "Each query has one unit to share.", True),
                "B": Option("the queries of each key", "Then the columns add up to 1."),
            },
        ),
        Choose(
            name="wave",
            question="The row of the first word begins with",
            options={
                "A": Option("sin 1, cos 1", "The first position is 0."),
                "B": Option("0, 1", "The sine and cosine of 0.", True),
            },
        ),
        Choose(
            name="heads",
            question="From (t, 8 · d_k) to (8, t, d_k) by",
            options={
                "A": Option("`reshape(8, t, d_k)`", "It deals out numbers across words."),
                "B": Option("`reshape(t, 8, d_k).transpose(0, 1)`", "Cut each word's row, then move the axis.", True),
            },
        ),
        Choose(
            name="mean",
            question="The loss per word over two batches is",
            options={
                "A": Option("the mean of the two batches' means", "The small batch would count as much."),
                "B": Option("all losses added up, over all words", "Each word counts once.", True),
            },
        ),
    ),
    beliefs=(
        MISTAKES["A4"].committed_by({"softmax": "B"}),
        MISTAKES["P7"].committed_by({"wave": "A"}),
        MISTAKES["H1"].committed_by({"heads": "A"}),
        MISTAKES["B16"].committed_by({"mean": "A"}),
    ),
    shown="Shares, waves, heads and means are as in the chapters before.",
    transfer="Which of the four mistakes would the training loss have shown?",
    review="08",
    see=READ_BEFORE,
)

EXERCISES = (
    WHO_LEARNS,
    ORDER_THE_STAGES,
    TRIANGLE,
    BELOW_ZERO,
    LAYER_RATES,
    RATES_AT,
    WHICH_FREEZES,
    ONE_CYCLE,
    WHICH_SENTENCE,
    AGAIN,
)
