"""Chapter 08, exercises in plain Python: rows of tokens, odds, labels moved by one, two losses, padding.

Standard library only, so that they are judged in a page as well as in a notebook.
"""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from qkv.exercises.attention import numbered
from qkv.exercises.choices import Choice, Choose, Line, Option, Parsons
from qkv.exercises.functions import Function, Probe, pair
from qkv.exercises.gpt_mistakes import BESIDE, DECODER, MISTAKES, ORDERS, READ, ROWS, SLOT, WRITE
from qkv.exercises.judge import Outcome

Scores = list[list[float]]

# 1. predict

PREDICT_THE_STATE = Choice(
    id="gpt.predict_the_state",
    number=1,
    title="Which slot answers?",
    chapter="08",
    kind="predict",
    difficulty=1,
    minutes=2,
    prompt="A row of eight slots, numbered from 0:\n\n```\n⟨s⟩  it  rained  $  wet  ⟨e⟩  pad  pad\n```",
    hints=(
        "Who has read both texts, and nothing else?",
        "On other numbers: in ⟨s⟩ a ⟨e⟩ pad the token ⟨e⟩ stands in slot 2, and has read slots 0, 1 and 2.",
        "The state of slot ▢ answers; $ has read slots 0 to ▢; *wet* has position ▢.",
    ),
    fields=(
        Choose(
            name="answers",
            question="The state of which slot goes to the head?",
            options={
                "A": Option("0", "It has read ⟨s⟩ alone."),
                "B": Option("5", "⟨e⟩ has read both texts.", True),
                "C": Option("7", "Padding; how far it is from the text depends on the batch."),
            },
        ),
        Choose(
            name="delimiter",
            question="What has the state of `$` read?",
            options={
                "A": Option("slots 0 to 3", "Itself and all before it.", True),
                "B": Option("all eight", "That is BERT's way."),
                "C": Option("slots 0 to 2", "A token reads itself as well."),
            },
        ),
        Choose(
            name="position",
            question="Which position has *wet*?",
            options={
                "A": Option("4", "Positions count on through the row.", True),
                "B": Option("0", "It is the second text's first word, and yet one row has one count."),
                "C": Option("3", "The delimiter has a position too."),
            },
        ),
    ),
    beliefs=(
        MISTAKES["E1"].committed_by({"answers": "A"}),
        MISTAKES["G1"].committed_by({"answers": "C"}),
        MISTAKES["G8"].committed_by({"delimiter": "B"}),
        MISTAKES["M8"].committed_by({"delimiter": "C"}),
        MISTAKES["G7"].committed_by({"position": "B"}),
        MISTAKES["E2"].committed_by(
            {"position": "C"},
            phrase="a count that leaves out a mark",
            why="Every slot has a position, those of ⟨s⟩ and $ as well.",
            then="Number the slots from 0, marks included.",
        ),
        pair(MISTAKES["G1"], MISTAKES["G8"], {"answers": "C", "delimiter": "B"}),
    ),
    shown="All three hold: ⟨e⟩ answers, each token reads up to itself, and positions go on.",
    transfer="What would the head see if ⟨e⟩ stood in slot 0?",
    review="10",
    see=READ,
)

# 2. Parsons


def reads(ids: Sequence[int]) -> list[list[float]]:
    """A causal reader for the toy: state i holds the sum of the ids up to i, and the place times the id."""
    return [[float(sum(ids[: i + 1])), float((i + 1) * each)] for i, each in enumerate(ids)]


def run_lines(lines: Iterable[str]) -> list[list[float]]:
    """The state of the toy after lines that were put into an order."""
    names: dict[str, Any] = {"S": 90, "D": 91, "E": 92, "PAD": 0, "premise": [3, 7], "hypothesis": [5], "longest": 9}
    names |= {"reads": reads, "head": [[1.0, 0.5], [-1.0, 2.0]]}
    names["dot"] = lambda a, b: sum(x * y for x, y in zip(a, b, strict=True))
    for line in lines:
        exec(line, names)
    return [names["scores"]]


ORDER_THE_ROW = Parsons(
    id="gpt.order_the_row",
    number=2,
    title="From two texts to scores",
    chapter="08",
    kind="Parsons",
    difficulty=2,
    minutes=4,
    prompt=(
        "Put lines into an order that makes `scores` of an entailment. `S`, `D`, `E` are the ids of start, delimiter"
        " and extract; `reads` is a causal model that gives a state per slot; the batch's longest row has `longest`"
        " slots. Three lines are false friends and stay out."
    ),
    hints=(
        "Which line finds the slot that has read both texts and nothing else?",
        "On other numbers: in 90 3 92 0 0 the extract token 92 stands in slot 2, not in slot 4.",
        "A, B, then the ▢, then the state, then E.",
    ),
    lines={
        "A": Line("row = [S, *premise, D, *hypothesis, E]", (), "row", True, "Both texts in one row."),
        "B": Line("ids = row + [PAD] * (longest - len(row))", ("row",), "ids", True, "Pads behind the text."),
        "C": Line("place = ids.index(E)", ("ids",), "place", True, "Looks the extract token up."),
        "D": Line("state = reads(ids)[place]", ("ids", "place"), "state", True, "The state at that place."),
        "E": Line(
            "scores = [dot(row_of, state) for row_of in head]", ("state",), "scores", True, "One score for each answer."
        ),
        "F": Line("place = longest - 1", (), "place", False, "Line F takes the last slot, whatever stands there."),
        "G": Line("row = [S, *premise, *hypothesis, E]", (), "row", False, "Line G lets the texts run together."),
        "H": Line("state = reads(ids)[0]", ("ids",), "state", False, "Line H asks the first token."),
    },
    wanted="scores",
    order="ABCDE",
    orders=(
        MISTAKES["G1"].committed_by("ABFDE"),
        MISTAKES["E2"].committed_by("GBCDE", then="Compare lines A and G mark by mark."),
        MISTAKES["E1"].committed_by("ABHE"),
        pair(MISTAKES["G1"], MISTAKES["E2"], "GBFDE"),
        pair(MISTAKES["E1"], MISTAKES["E2"], "GBHE"),
    ),
    run=run_lines,
    rows=("scores",),
    shown="One row, padded behind, and the state of ⟨e⟩ at its own place.",
    transfer="Which line would change for BERT, and how?",
    review="10",
    see=ROWS,
)

# 3. write both orders


@dataclass(frozen=True, kw_only=True, eq=False)
class Rows(Function):
    """A function that returns several rows: a list of them or a tuple, both are judged whole."""

    def _call(self, function: Callable[..., Any], inputs: dict[str, Any]) -> Outcome:
        def listed(*arguments: Any) -> Any:
            result = function(*arguments)
            return list(result) if isinstance(result, tuple) else result

        return super()._call(listed, inputs)


def similarity_inputs(first: list[int], second: list[int], start: int, delimiter: int, extract: int) -> list[list[int]]:
    """Both orders: start first delimiter second extract, and start second delimiter first extract."""
    return [[start, *a, delimiter, *b, extract] for a, b in ((first, second), (second, first))]


def _orders(rows: Callable[..., Any]) -> Callable[[list[int], list[int], int, int, int], Any]:
    def mutant(first: list[int], second: list[int], start: int, delimiter: int, extract: int) -> Any:
        return rows(first, second, start, delimiter, extract)

    return mutant


SIMILARITY_INPUTS = Rows(
    id="gpt.similarity_inputs",
    number=3,
    title="A pair without an order",
    chapter="08",
    kind="write",
    difficulty=2,
    minutes=6,
    prompt=(
        "Write the two rows by which GPT compares two texts: first with `first` before the delimiter, then with"
        " `second` before it. Each begins with `start` and ends with `extract`. Return both rows, in this order."
    ),
    imports="",
    template=(
        "def similarity_inputs(first: list[int], second: list[int], start: int, delimiter: int, extract: int)"
        " -> list[list[int]]:\n"
        '    """Both orders: start first delimiter second extract, and start second delimiter first extract."""\n'
        "    return ..."
    ),
    hints=(
        "Write one row on paper, marks included. What changes in the other, and what stays?",
        "On other numbers: texts 1 2 and 3 with marks 7, 8, 9 give 7 1 2 8 3 9 and 7 3 8 1 2 9.",
        "[[start, *first, ▢, *second, extract], [start, *▢, delimiter, *▢, extract]]",
    ),
    answer=similarity_inputs,
    reference=similarity_inputs,
    result="two rows of ids",
    tensors=False,
    probes=tuple(
        Probe(name, where, {"first": first, "second": second, "start": 90, "delimiter": 91, "extract": 92})
        for name, where, first, second in (
            ("lengths", "With texts of three tokens and one", [5, 6, 7], [8]),
            ("equal lengths", "With texts of equal length", [5, 6], [7, 8]),
            ("zeros", "With a text that holds 0", [0, 4], [4, 0, 2]),
        )
    ),
    singles=(
        MISTAKES["G3"].committed_by(
            _orders(lambda a, b, s, d, e: [[s, *a, d, *b, e]] * 2), phrase="the same order twice"
        ),
        MISTAKES["G3"].committed_by(_orders(lambda a, b, s, d, e: [s, *a, d, *b, e]), phrase="one order alone"),
        MISTAKES["G3"].committed_by(_orders(lambda a, b, s, d, e: [[s, *a, d, *b, e]]), phrase="one order alone"),
        MISTAKES["G3"].committed_by(
            _orders(lambda a, b, s, d, e: [s, *a, d, *b, e, s, *b, d, *a, e]),
            phrase="both orders in one row",
            why="The second half would then be read with the first in mind, and two extract tokens stand in one row.",
            then="Return a list of two lists.",
        ),
        MISTAKES["G3"].committed_by(
            _orders(lambda a, b, s, d, e: [[s, *b, d, *a, e], [s, *a, d, *b, e]]),
            phrase="the two orders, exchanged",
            why="The sum would not mind, but the row that begins with `first` is asked for as the first one.",
            then="Swap the two rows.",
        ),
        MISTAKES["E3"].committed_by(_orders(lambda a, b, s, d, e: [[s, *a, d, *b, e], [e, *b[::-1], d, *a[::-1], s]])),
        MISTAKES["E3"].committed_by(_orders(lambda a, b, s, d, e: [[s, *a, d, *b, e], [s, *b[::-1], d, *a[::-1], e]])),
        MISTAKES["E2"].committed_by(_orders(lambda a, b, s, d, e: [[s, *a, *b, e], [s, *b, *a, e]])),
        MISTAKES["E2"].committed_by(_orders(lambda a, b, s, d, e: [[s, *a, d, *b], [s, *b, d, *a]])),
        MISTAKES["E2"].committed_by(_orders(lambda a, b, s, d, e: [[*a, d, *b, e], [*b, d, *a, e]])),
        MISTAKES["E2"].committed_by(_orders(lambda a, b, s, d, e: [[*a, d, *b], [*b, d, *a]])),
        MISTAKES["E2"].committed_by(
            _orders(lambda a, b, s, d, e: [[*a, *b], [*b, *a]]), phrase="rows without their marks"
        ),
        MISTAKES["E2"].committed_by(_orders(lambda a, b, s, d, e: [[s, *a, d, *b, e], [s, *b, *a, e]])),
        MISTAKES["E2"].committed_by(
            _orders(lambda a, b, s, d, e: [[s, *a, e, *b, d], [s, *b, e, *a, d]]),
            phrase="delimiter and extract token, exchanged",
            why="The delimiter parts the two texts; the extract token ends the row.",
        ),
        MISTAKES["E2"].committed_by(
            _orders(lambda a, b, s, d, e: [[s, *a, d, *b, e], [e, *b, d, *a, s]]),
            phrase="a second row whose marks change places too",
            why="Only the texts change places: each row begins with start and ends with extract.",
        ),
        *(
            MISTAKES["E2"].committed_by(
                _orders(rows),
                phrase="another mark between the texts",
                why="The delimiter alone tells where one text ends and the other begins.",
            )
            for rows in (
                lambda a, b, s, d, e: [[s, *a, s, *b, e], [s, *b, s, *a, e]],
                lambda a, b, s, d, e: [[s, *a, e, *b, e], [s, *b, e, *a, e]],
            )
        ),
        MISTAKES["E2"].committed_by(
            _orders(lambda a, b, s, d, e: [[s, a, d, b, e], [s, b, d, a, e]]),
            phrase="texts that stay lists inside the row",
            why="A row is flat: one id beside the other.",
            then="Write `*first` where the text is to be unpacked.",
        ),
        MISTAKES["G3"].committed_by(
            _orders(lambda a, b, s, d, e: [[s, *b, d, *a, e]] * 2), phrase="the same order twice"
        ),
        *(
            MISTAKES["G3"].committed_by(
                _orders(rows),
                phrase="each text in a row of its own",
                why="Then no state reads both texts.",
                then="Put both texts into each row.",
            )
            for rows in (
                lambda a, b, s, d, e: [[s, *a, e], [s, *b, e]],
                lambda a, b, s, d, e: [[s, *a, d, e], [s, *b, d, e]],
            )
        ),
    ),
    pairs=lambda: [
        pair(MISTAKES["G3"], MISTAKES["E2"], _orders(lambda a, b, s, d, e: [[s, *a, *b, e]] * 2)),
        pair(MISTAKES["G3"], MISTAKES["E2"], _orders(lambda a, b, s, d, e: [s, *a, *b, e])),
    ],
    shown="Both rows hold, with every mark in its place.",
    transfer="Which of the two rows would you drop for entailment, and why?",
    review="10",
    see=ORDERS,
)

# 4. complete the softmax over candidates


def candidate_chances(scores: list[list[float]]) -> list[list[float]]:
    """Chances of the candidates of each example: each row adds up to 1."""
    chances = []
    for row in scores:
        top = max(row)
        powers = [math.exp(score - top) for score in row]
        chances.append([power / sum(powers) for power in powers])
    return chances


def _softmax(row: Sequence[float], shift: bool = True) -> list[float]:
    top = max(row) if shift else 0.0
    powers = [math.exp(score - top) for score in row]
    return [power / sum(powers) for power in powers]


def _over_examples(scores: Scores) -> Scores:
    columns = [_softmax(column) for column in zip(*scores, strict=True)]
    return [list(row) for row in zip(*columns, strict=True)]


def _over_all(scores: Scores) -> Scores:
    flat, width = _softmax([score for row in scores for score in row]), len(scores[0])
    return [flat[i : i + width] for i in range(0, len(flat), width)]


def _each_alone(scores: Scores) -> Scores:
    return [[0.5 * (1 + math.tanh(score / 2)) for score in row] for row in scores]


def _filled(
    top: Callable[[list[float], Scores], float],
    minus: Callable[[float, float], float] = lambda score, top: score - top,
    whole: Callable[[list[float], list[float], float], float] = lambda powers, row, top: sum(powers),
) -> Callable[[Scores], Scores]:
    """The template with its three gaps filled."""

    def mutant(scores: Scores) -> Scores:
        chances = []
        for row in scores:
            most = top(row, scores)
            powers = [math.exp(minus(score, most)) for score in row]
            chances.append([power / whole(powers, row, most) for power in powers])
        return chances

    return mutant


_TOPS: tuple[Callable[[list[float], Scores], float], ...] = (
    lambda row, scores: min(row),
    lambda row, scores: row[0],
    lambda row, scores: row[-1],
    lambda row, scores: sum(row) / len(row),
    lambda row, scores: sum(row),
    lambda row, scores: max(map(max, scores)),
)


def _largest(row: list[float], scores: Scores) -> float:
    return max(row)


_WHOLES: tuple[tuple[Callable[[list[float], list[float], float], float], str], ...] = (
    (lambda powers, row, top: len(powers), "powers divided by their number"),
    (lambda powers, row, top: sum(row), "powers divided by the sum of the scores"),
    (lambda powers, row, top: top, "powers divided by the largest score"),
)


def _plain_shares(scores: Scores) -> Scores:
    return [[score / sum(row) for score in row] for row in scores]


CANDIDATE_CHANCES = Function(
    id="gpt.candidate_chances",
    number=4,
    title="One of four",
    chapter="08",
    kind="complete",
    difficulty=2,
    minutes=5,
    prompt=(
        "`scores` holds a row for each example: one score for each of its candidates. Fill the gaps: the chances of the"
        " candidates. Scores may be large."
    ),
    imports="import math",
    template=(
        "def candidate_chances(scores: list[list[float]]) -> list[list[float]]:\n"
        '    """Chances of the candidates of each example: each row adds up to 1."""\n'
        "    chances = []\n"
        "    for row in scores:\n"
        "        top = ...\n"
        "        powers = [math.exp(...) for score in row]\n"
        "        chances.append([power / ... for power in powers])\n"
        "    return chances"
    ),
    hints=(
        "Which numbers share 1 among them?",
        "On other numbers: scores 1001 and 1000 give what 1 and 0 give, .73 and .27.",
        "top = max(▢); math.exp(score - ▢); power / sum(▢)",
    ),
    answer=candidate_chances,
    reference=candidate_chances,
    result="a list of rows of chances",
    tensors=False,
    probes=(
        Probe("two examples", "With two examples of three candidates", {"scores": [[2.0, 1.0, 0.0], [0.0, 0.0, 3.0]]}),
        Probe("square", "With as many examples as candidates", {"scores": [[1.0, 2.0], [4.0, 2.5]]}),
        Probe("one example", "With a single example", {"scores": [[0.5, 2.0, 1.0, 4.0]]}),
        Probe("large", "With scores of ±1000", {"scores": [[1001.0, 1000.0, 999.0], [-1000.0, -1001.0, -1002.0]]}),
        Probe("far", "With one score far above the others", {"scores": [[0.0, 3000.0, -5.0], [3000.0, 1.0, 0.0]]}),
    ),
    singles=(
        MISTAKES["G4"].committed_by(_over_examples, phrase="a softmax over the examples of the batch"),
        MISTAKES["G4"].committed_by(_over_all, phrase="a softmax over all scores of the batch"),
        MISTAKES["G4"].committed_by(
            _each_alone,
            phrase="each candidate judged alone, by a sigmoid",
            why="Candidates compete: what one gains the others lose.",
        ),
        MISTAKES["G4"].committed_by(
            lambda scores: [[1 / (1 + math.exp(-score)) for score in row] for row in scores],
            phrase="each candidate judged alone, by a sigmoid that overflows",
            why="Candidates compete: what one gains the others lose.",
        ),
        MISTAKES["A9"].committed_by(lambda scores: [_softmax(row, shift=False) for row in scores]),
        MISTAKES["E7"].committed_by(
            lambda scores: [[math.exp(score - max(row)) for score in row] for row in scores],
            phrase="powers that are not shared out",
            why="Each power is divided by the sum of its row's powers.",
            then="Add up the chances of each example.",
            see=ORDERS,
        ),
        *(
            MISTAKES["E7"].committed_by(
                _filled(_largest, whole=whole),
                phrase=phrase,
                why="Each power is divided by the sum of its row's powers.",
                then="Add up the chances of each example.",
                see=ORDERS,
            )
            for whole, phrase in _WHOLES
        ),
        *(
            MISTAKES["A9"].committed_by(
                _filled(top),
                phrase="a subtraction of another number than the row's largest score",
                why="Scores far above it overflow, and where all are far below it every power is 0.",
            )
            for top in _TOPS
        ),
        MISTAKES["A9"].committed_by(
            _filled(_largest, lambda score, top: top - score),
            phrase="a difference taken the other way round",
            why="The best candidate then gets the smallest chance.",
            then="Look which candidate has the largest chance.",
        ),
        MISTAKES["A9"].committed_by(
            _filled(_largest, lambda score, top: score / top),
            phrase="scores divided by the largest",
            why="A quotient changes how far scores are apart; a difference does not.",
        ),
        MISTAKES["G4"].committed_by(
            _plain_shares,
            phrase="scores divided by their sum",
            why="Scores may be negative; powers may not.",
            then="Take powers of e first.",
        ),
    ),
    shown="Each example's chances add up to 1, however large its scores are.",
    transfer="What happens to the chances if every candidate of an example scores 5 more?",
    review="10",
    see=ORDERS,
)  # fmt: skip

# 5. write the odds


def odds(chances: list[float], temperature: float, top_k: int, top_p: float) -> list[float]:
    """Odds after temperature, then the best k, then the fewest best ones that reach p; ordered, adding up to 1."""
    hot = [chance ** (1 / temperature) for chance in chances]
    kept = [each / sum(hot[:top_k]) for each in hot[:top_k]]
    last = 1
    while last < len(kept) and sum(kept[:last]) < top_p:
        last += 1
    return [each / sum(kept[:last]) for each in kept[:last]] + [0.0] * (len(chances) - last)


def _odds(
    *,
    power: Callable[[float], float] = lambda t: 1 / t,
    order: str = "hot k p",
    one_more: int = 0,
    shared: bool = True,
    strict: bool = False,
) -> Callable[[list[float], float, int, float], list[float]]:
    """The odds with some of their parts replaced."""

    def mutant(chances: list[float], temperature: float, top_k: int, top_p: float) -> list[float]:
        now = list(chances)
        for step in order.split():
            if step == "hot":
                now = [each ** power(temperature) for each in now]
                now = [each / sum(now) for each in now]
            elif step == "k":
                now = now[:top_k]
                now = [each / sum(now) for each in now]
            else:
                sums = [sum(now[: i + 1]) for i in range(len(now))]
                enough = [i + 1 for i, total in enumerate(sums) if (total > top_p if strict else total >= top_p)]
                number = (enough[0] if enough else len(now)) + one_more
                now = now[: max(number, 1 if one_more < 0 else 0)]
        now = [each / sum(now) for each in now] if shared else now
        return now + [0.0] * (len(chances) - len(now))

    return mutant


def _softmax_of_chances(chances: list[float], temperature: float, top_k: int, top_p: float) -> list[float]:
    return odds([math.exp(chance / temperature) for chance in chances], 1.0, top_k, top_p)


def _raw_powers(chances: list[float], temperature: float, top_k: int, top_p: float) -> list[float]:
    hot = [chance ** (1 / temperature) for chance in chances][:top_k]
    last = 1
    while last < len(hot) and sum(hot[:last]) < top_p:
        last += 1
    return [each / sum(hot[:last]) for each in hot[:last]] + [0.0] * (len(chances) - last)


def _below(reached: bool, one: bool) -> Callable[[list[float], float, int, float], list[float]]:
    """Top-p keeps what stays below p, or reaches it exactly; at least one token or none."""

    def mutant(chances: list[float], temperature: float, top_k: int, top_p: float) -> list[float]:
        now = odds(chances, temperature, top_k, 1.0)
        sums = [sum(now[: i + 1]) for i in range(min(top_k, len(now)))]
        number = sum(total <= top_p if reached else total < top_p for total in sums)
        number = max(number, int(one))
        return [each / sum(now[:number]) for each in now[:number]] + [0.0] * (len(now) - number)

    return mutant


_CHANCES = [0.4, 0.3, 0.2, 0.1]
ODDS = Function(
    id="gpt.odds",
    number=5,
    title="Change the odds",
    chapter="08",
    kind="write",
    difficulty=3,
    minutes=12,
    prompt=(
        "`chances` are ordered, the best first. Apply three steps: the temperature (each chance to the power 1/T, then"
        " shared out anew), then keep the best `top_k` and share out anew, then keep the fewest best ones that reach"
        " `top_p` together (at least one). Return the odds, which add up to 1, and 0 for what was cut."
    ),
    imports="",
    template=(
        "def odds(chances: list[float], temperature: float, top_k: int, top_p: float) -> list[float]:\n"
        '    """Odds after temperature, then the best k, then the fewest best ones that reach p; ordered, adding up'
        ' to 1."""\n'
        "    return ..."
    ),
    hints=(
        "Three steps, each followed by a division by the sum. Which chance does p stop at?",
        "On other numbers: .5 .3 .2 with p = .6 keeps .5 and .3, as .5 is below .6; shared out, .625 .375.",
        "hot = [c ** (▢) for c in chances]; kept = hot[:▢]; stop once the running sum is at least ▢",
    ),
    answer=odds,
    reference=odds,
    result="a list of odds",
    tensors=False,
    probes=tuple(
        Probe(
            name,
            f"With T {t:g}, k {k}, p {p:g}",
            {"chances": chances, "temperature": t, "top_k": k, "top_p": p},
            ("",),
        )
        for name, chances, t, k, p in (
            ("half", _CHANCES, 0.5, 4, 1.0),
            ("three", _CHANCES, 1.0, 3, 1.0),
            ("p", _CHANCES, 1.0, 4, 0.65),
            ("k then p", _CHANCES, 1.0, 2, 0.55),
            ("hot then p", _CHANCES, 3.0, 4, 0.65),
            ("small p", _CHANCES, 1.0, 4, 0.1),
            ("k beyond", _CHANCES, 2.0, 9, 0.8),
            ("reached", [0.5, 0.25, 0.25], 1.0, 3, 0.5),
        )
    ),
    singles=(
        MISTAKES["E4"].committed_by(_odds(power=lambda t: t), phrase="a power of T, where 1/T is asked for"),
        MISTAKES["E4"].committed_by(
            _softmax_of_chances,
            phrase="a softmax of the chances",
            why="Chances are powers already; the temperature changes the exponent, which becomes 1/T.",
        ),
        MISTAKES["S1"].committed_by(
            _odds(power=lambda t: 1.0),
            phrase="a temperature that changes nothing",
            why="Chances divided by T and shared out anew are the same chances; 1/T is an exponent here.",
            then="Try T = 1/2 on .8 and .2.",
        ),
        *(
            MISTAKES["E6"].committed_by(
                _odds(order=order), phrase=phrase, why="Three steps change the odds; one of them is missing."
            )
            for order, phrase in (("hot p", "odds without top-k"), ("hot k", "odds without top-p"))
        ),
        MISTAKES["E6"].committed_by(_odds(order="k p hot")),
        MISTAKES["E6"].committed_by(
            _odds(order="hot p k"),
            phrase="top-p before top-k",
            why="Here p adds up what k has left, shared out anew.",
        ),
        MISTAKES["E5"].committed_by(_odds(one_more=-1), phrase="a top-p without the token that reaches p"),
        MISTAKES["E5"].committed_by(_odds(one_more=1), phrase="a top-p with one token too many"),
        MISTAKES["E5"].committed_by(
            _odds(strict=True),
            phrase="a top-p that must be passed, not reached",
            then="Try .5 .25 .25 with p = .5: one token.",
        ),
        *(
            MISTAKES["E5"].committed_by(answer, phrase="a top-p without the token that reaches p")
            for answer in (_below(False, False), _below(True, False), _below(True, True))
        ),
        MISTAKES["E5"].committed_by(
            lambda chances, temperature, top_k, top_p: [
                each for each in odds(chances, temperature, top_k, top_p) if each
            ],
            phrase="odds without the zeros",
            why="The list keeps its length: what was cut has the odds 0.",
            then="Compare the length of your list with that of `chances`.",
        ),
        MISTAKES["E7"].committed_by(_odds(shared=False)),
        MISTAKES["E7"].committed_by(
            _raw_powers,
            phrase="a p that is compared with powers not yet shared out",
            why="p is a part of 1, so what it is compared with must add up to 1.",
            then="Print the sum of what you add up.",
        ),
    ),
    pairs=lambda: [
        pair(MISTAKES["E4"], MISTAKES["E7"], _odds(power=lambda t: t, shared=False)),
        pair(MISTAKES["E5"], MISTAKES["E7"], _odds(one_more=-1, shared=False)),
    ],
    shown="Temperature, k and p come in their order, and what is kept adds up to 1.",
    transfer="Which of the three would you turn to make a model repeat itself less?",
    review="09",
    see=WRITE,
)

# 6. write: what the second loss counts


def guesses(ids: list[int], extract_id: int) -> list[list[int]]:
    """[place, token to say] for every guess of a padded row, up to and with the extract token."""
    end = ids.index(extract_id)
    return [[place, ids[place + 1]] for place in range(end)]


def _guesses(first: int = 0, shift: int = 1, more: Callable[[list[int], int], int] = lambda ids, end: end) -> Any:
    def mutant(ids: list[int], extract_id: int) -> list[list[int]]:
        last = more(ids, ids.index(extract_id))
        return [[place, ids[place + shift]] for place in range(first, last) if place + shift < len(ids)]

    return mutant


def _from_one(ids: list[int], extract_id: int) -> list[list[int]]:
    return [[place, ids[place + 1]] for place in range(1, ids.index(extract_id) + 1)]  # may leave the row


def _not_nought(shift: int) -> Callable[[list[int], int], list[list[int]]]:
    """Guesses wherever the place, or the token to say, is no 0."""
    return lambda ids, extract_id: [[i, ids[i + 1]] for i in range(len(ids) - 1) if ids[i + shift] != 0]


GUESSES = Function(
    id="gpt.guesses",
    number=6,
    title="Which guesses count?",
    chapter="08",
    kind="write",
    difficulty=2,
    minutes=7,
    prompt=(
        "`ids` is one padded row: ⟨s⟩ … ⟨e⟩ and then padding of any id. List every guess that L1 counts, as"
        " `[place, token]`: the place whose state guesses, and the token it must say. The delimiter and ⟨e⟩ are guessed"
        " as well, padding is not.\n\n"
        "For `90 5 92 0` with extract token 92 that is `[[0, 5], [1, 92]]`."
    ),
    imports="",
    template=(
        "def guesses(ids: list[int], extract_id: int) -> list[list[int]]:\n"
        '    """[place, token to say] for every guess of a padded row, up to and with the extract token."""\n'
        "    return ..."
    ),
    hints=(
        "Which place guesses the extract token, and does any place come after it?",
        "On other numbers: of four tokens in a row three can be guessed, from places 0, 1 and 2.",
        "end = ids.index(extract_id); [[i, ids[i + ▢]] for i in range(▢)]",
    ),
    answer=guesses,
    reference=guesses,
    result="a list of pairs",
    tensors=False,
    probes=tuple(
        Probe(name, where, {"ids": ids, "extract_id": extract})
        for name, where, ids, extract in (
            ("short", "With a short row and padding", [90, 5, 92, 0, 0], 92),
            ("pair", "With two texts and padding", [90, 5, 6, 91, 7, 92, 0, 0, 0], 92),
            ("no padding", "Without padding", [90, 5, 6, 92], 92),
            ("zeros", "With a 0 in the text and padding of another id", [50, 0, 3, 0, 52, 7, 7], 52),
        )
    ),
    singles=(
        MISTAKES["G5"].committed_by(_guesses(more=lambda ids, end: len(ids)), phrase="guesses at padding"),
        MISTAKES["G5"].committed_by(
            _guesses(more=lambda ids, end: end + 1),
            phrase="a guess after the extract token",
            why="Behind ⟨e⟩ there is nothing of the row to guess.",
        ),
        MISTAKES["G5"].committed_by(
            _guesses(more=lambda ids, end: end - 1),
            phrase="guesses that leave out the extract token",
            why="That the text ends here is to be guessed as well; the published code counts it.",
        ),
        MISTAKES["G5"].committed_by(
            _guesses(first=1),
            phrase="guesses that begin after the first text token",
            why="⟨s⟩ is given; the token behind it is the first guess.",
        ),
        *(
            MISTAKES["G5"].committed_by(
                answer,
                phrase="places counted from 1",
                why="The state of ⟨s⟩, at place 0, makes the first guess; the place of ⟨e⟩ makes none.",
            )
            for answer in (_guesses(first=1, more=lambda ids, end: end + 1), _from_one)
        ),
        MISTAKES["G5"].committed_by(
            lambda ids, extract_id: [[i, ids[i + 1]] for i in range(ids.index(extract_id) + 1)],
            phrase="a guess after the extract token",
            why="Behind ⟨e⟩ there is nothing of the row to guess.",
        ),
        MISTAKES["G5"].committed_by(
            lambda ids, extract_id: [[ids[i + 1], i] for i in range(ids.index(extract_id))],
            phrase="the token before its place",
            why="Asked for is `[place, token]`, the place first.",
            then="Exchange the two in each pair.",
        ),
        MISTAKES["G5"].committed_by(
            lambda ids, extract_id: ids[1 : ids.index(extract_id) + 1],
            phrase="tokens without their places",
            why="Asked for is `[place, token]` for each guess.",
            then="Write the place that guesses before each token.",
        ),
        *(MISTAKES["E10"].committed_by(_not_nought(shift), see=BESIDE) for shift in (0, 1)),
        *(
            MISTAKES["B6"].committed_by(_guesses(first=first, shift=-1, more=more), phrase="labels moved the other way")
            for first, more in ((0, lambda ids, end: end), (1, lambda ids, end: end), (1, lambda ids, end: end + 1))
        ),
        MISTAKES["G6"].committed_by(_guesses(shift=2, more=lambda ids, end: end - 1)),
        MISTAKES["G6"].committed_by(_guesses(shift=2)),
        MISTAKES["B6"].committed_by(_guesses(shift=0, more=lambda ids, end: end + 1)),
        MISTAKES["B6"].committed_by(_guesses(shift=0)),
        MISTAKES["B6"].committed_by(_guesses(first=1, shift=0, more=lambda ids, end: end + 1)),
    ),
    shown="Every token behind ⟨s⟩ is guessed once, ⟨e⟩ the last, and no padding.",
    transfer="How many guesses does a row of n slots without padding have?",
    review="09",
    see=BESIDE,
)

# 7. debug: the labels

SHIFT = """\
ids = [s, *text, e]
scores = model(ids)
labels = ids[1:] + [IGNORED]
loss = library_loss(scores, labels)"""

WHICH_SHIFT = Choice(
    id="gpt.which_shift",
    number=7,
    title="The token after next",
    chapter="08",
    kind="debug",
    difficulty=3,
    minutes=6,
    prompt=(
        "Code from a fine-tuning script. `library_loss` compares `scores[:-1]` with `labels[1:]`, and leaves out"
        " `IGNORED`. The loss falls; what the model writes gets worse.\n\n```\n"
        f"{numbered(SHIFT)}\n```"
    ),
    hints=(
        "Which label does the score at place 0 meet in the end?",
        "On other numbers: moved once, 5 6 7 becomes 6 7; moved twice, 7.",
        "scores[0] meets labels[▢], and that is ids[▢].",
    ),
    fields=(
        Choose(
            name="line",
            question="Which line?",
            options={
                "1": Option("line 1", "The row is as it should be."),
                "2": Option("line 2", "Scores of every place, none moved."),
                "3": Option("line 3", "It moves what the library moves again.", True),
            },
        ),
        Choose(
            name="asks",
            question="What is place 0 asked for?",
            options={
                "A": Option("ids[0], itself", "That would be no move at all."),
                "B": Option("ids[1], the next token", "So it would be with one move."),
                "C": Option("ids[2], the token after next", "Moved here and in the library.", True),
            },
        ),
        Choose(
            name="shows",
            question="What shows it at once?",
            options={
                "A": Option("the training loss falls", "It falls for this question as well."),
                "B": Option(
                    "a pretrained model's loss before the first step is far above what it was",
                    "The right question costs what it cost in pretraining.",
                    True,
                ),
                "C": Option("the shapes disagree", "They agree: one place is ignored."),
            },
        ),
        Choose(
            name="fix",
            question="The fix",
            options={
                "A": Option("labels = ids", "The library moves them.", True),
                "B": Option("labels = [IGNORED] + ids[:-1]", "Moved the other way, each place is asked for itself."),
                "C": Option("scores = scores[1:]", "Then ids[1] is never asked for, and the lengths differ."),
            },
        ),
    ),
    beliefs=(
        MISTAKES["B6"].committed_by({"asks": "A"}, phrase="labels that are not moved at all"),
        MISTAKES["G6"].committed_by(
            {"asks": "B"},
            phrase="one move counted, where there are two",
            why="Line 3 moves the labels, and the library moves them again.",
        ),
        MISTAKES["E15"].committed_by({"shows": "A"}),
        MISTAKES["B6"].committed_by({"fix": "B"}, why="Two moves in opposite directions cancel out."),
        MISTAKES["G5"].committed_by(
            {"fix": "C"},
            phrase="labels left as they are, and the first state dropped",
            why="The first guess is then never asked for, and scores and labels differ in length.",
            then="Write down what place 0 has read, and what it must say.",
        ),
    ),
    equals="Your answer fits",
    shown="Line, question, evidence and fix hold. An example of the library that is now `transformers` had this line.",
    transfer="Why does the loss fall all the same?",
    review="10",
    see=BESIDE,
)

# 8. complete the joint loss


def joint_loss(label_losses: list[float], token_losses: list[list[float]], lm_weight: float) -> float:
    """L2 + λ · L1: the mean of the labels' losses, and λ times the mean of the rows' means."""
    of_labels = sum(label_losses) / len(label_losses)
    of_rows = [sum(row) / len(row) for row in token_losses]
    return of_labels + lm_weight * sum(of_rows) / len(of_rows)


def _joint(mix: Callable[[float, float, float], float], rows: str = "means") -> Any:
    def mutant(label_losses: list[float], token_losses: list[list[float]], lm_weight: float) -> float:
        flat = [loss for row in token_losses for loss in row]
        means = [sum(row) / len(row) for row in token_losses]
        sums = [sum(row) for row in token_losses]
        tokens = {"means": sum(means) / len(means), "flat": sum(flat) / len(flat), "sums": sum(sums) / len(sums)}
        return mix(sum(label_losses) / len(label_losses), tokens[rows], lm_weight)

    return mutant


def _undivided(labels: bool, rows: bool, together: bool) -> Any:
    """Sums where a mean is asked for, or one division too many."""

    def mutant(label_losses: list[float], token_losses: list[list[float]], lm_weight: float) -> float:
        number = len(token_losses)
        of_labels = sum(label_losses) / (number if labels else 1)
        of_rows = sum(sum(row) / len(row) for row in token_losses) / (number if rows else 1)
        return (of_labels + lm_weight * of_rows) / (number if together else 1)

    return mutant


JOINT_LOSS = Function(
    id="gpt.joint_loss",
    number=8,
    title="Label and tokens",
    chapter="08",
    kind="complete",
    difficulty=2,
    minutes=5,
    prompt=(
        "`label_losses` has the label's loss of each row, `token_losses` the losses of each row's tokens. Fill the"
        " gaps: L2 + λ · L1. Each row has its own mean, and rows are averaged."
    ),
    imports="",
    template=(
        "def joint_loss(label_losses: list[float], token_losses: list[list[float]], lm_weight: float) -> float:\n"
        '    """L2 + λ · L1: the mean of the labels\' losses, and λ times the mean of the rows\' means."""\n'
        "    of_labels = sum(label_losses) / ...\n"
        "    of_rows = [... for row in token_losses]\n"
        "    return ..."
    ),
    hints=(
        "Two means over rows. Which of them is λ put before?",
        "On other numbers: label losses 1 and 3, rows 4 4 and 8, λ one half: 2 + 1/2 · (4 + 8)/2 = 5.",
        "of_rows = [sum(row) / ▢ for row in token_losses]; of_labels + lm_weight * ▢ / len(of_rows)",
    ),
    answer=joint_loss,
    reference=joint_loss,
    result="a number",
    tensors=False,
    probes=tuple(
        Probe(name, where, {"label_losses": labels, "token_losses": rows, "lm_weight": weight})
        for name, where, labels, rows, weight in (
            ("half", "With λ one half and rows of different length", [1.0, 2.0], [[4.0, 6.0, 2.0], [10.0]], 0.5),
            ("none", "With λ 0", [0.5, 1.5], [[3.0], [5.0, 1.0]], 0.0),
            ("whole", "With λ 1", [0.5, 1.5, 1.0], [[3.0, 3.0], [5.0, 1.0], [2.0]], 1.0),
            ("two", "With λ 2", [1.0], [[0.5, 1.5]], 2.0),
        )
    ),
    singles=(
        MISTAKES["G5"].committed_by(_joint(lambda a, b, w: w * a + b), phrase="λ before the label's loss"),
        MISTAKES["E8"].committed_by(_joint(lambda a, b, w: w * (a + b)), phrase="λ before both losses"),
        MISTAKES["E8"].committed_by(
            _joint(lambda a, b, w: (1 - w) * a + w * b), phrase="a mix by λ and 1 − λ"
        ),
        MISTAKES["E8"].committed_by(_joint(lambda a, b, w: a + b), phrase="a sum without λ"),
        MISTAKES["E8"].committed_by(_joint(lambda a, b, w: a), phrase="the label's loss alone",
                                    then="Put λ = 1 into your line: both losses must be in it."),
        MISTAKES["E8"].committed_by(
            _joint(lambda a, b, w: a - w * b), phrase="a difference",
            why="Both are losses, and both should fall.",
            then="Put λ = 1 into your line: both losses must be added."),
        MISTAKES["E8"].committed_by(_joint(lambda a, b, w: (1 - w) * b + w * a), phrase="a mix by λ and 1 − λ"),
        *(
            MISTAKES["E8"].committed_by(answer, phrase="the tokens' loss alone")
            for answer in (_joint(lambda a, b, w: w * b), _joint(lambda a, b, w: b))
        ),
        MISTAKES["E8"].committed_by(
            _joint(lambda a, b, w: (a + w * b) / 2),
            phrase="the mean of both losses",
            why="L2 + λ · L1 is a sum: the label's loss counts in full.",
        ),
        *(
            MISTAKES["E8"].committed_by(
                _undivided(labels, rows, together),
                phrase=phrase,
                why="Both losses are means over the rows, each divided by their number once.",
                then="Work out losses 1 and 3, rows 4 4 and 8, λ one half by hand: 5.",
            )
            for labels, rows, together, phrase in (
                (False, True, False, "the labels' losses added, not averaged"),
                (True, False, False, "the rows' means added, not averaged"),
                (False, False, False, "both losses added over the rows, not averaged"),
                (True, False, True, "a label's loss that is divided twice"),
            )
        ),
        MISTAKES["B7"].committed_by(_joint(lambda a, b, w: a + w * b, rows="flat")),
        MISTAKES["B7"].committed_by(
            _joint(lambda a, b, w: a + w * b, rows="sums"), phrase="sums where each row's mean is asked for"
        ),
    ),
    pairs=lambda: [
        pair(
            MISTAKES["G5"].committed_by(None, phrase="λ before the label's loss"),
            MISTAKES["B7"],
            _joint(lambda a, b, w: w * a + b, rows="flat"),
        ),
    ],
    shown="The label counts in full, the tokens with λ, and each row alike.",
    transfer="What is left of L1's gradient when λ is 0?",
    review="10",
    see=BESIDE,
)  # fmt: skip

# 9. debug: who looks ahead

WHO_LOOKS_AHEAD = Choice(
    id="gpt.who_looks_ahead",
    number=9,
    title="Who looks ahead?",
    chapter="08",
    kind="debug",
    difficulty=2,
    minutes=5,
    prompt=(
        "Three models read *a b c d* and then *a b x d*. Printed: how far the states of the two readings are"
        " apart, place by place.\n\n"
        "```\n"
        "P   0     0     1.9   0.4\n"
        "Q   0.3   0.2   1.8   0.5\n"
        "R   0     0     2.1   0\n"
        "```"
    ),
    hints=(
        "Which places stand before the changed word, and may they move?",
        "On other numbers: if word 1 of five changes, a decoder's states move at places 1, 2, 3 and 4.",
        "A decoder: zeros before place ▢, and none from there on.",
    ),
    fields=(
        Choose(
            name="P",
            question="P is",
            options={
                "A": Option("a decoder", "Nothing moves before the change, everything after it.", True),
                "B": Option("an encoder, as BERT is", "Then places 0 and 1 would move."),
                "C": Option("a table of vectors without attention", "Then place 3 would not move."),
            },
        ),
        Choose(
            name="Q",
            question="Q is",
            options={
                "A": Option("a decoder, a little noisy", "A causal mask leaves earlier states as they were, exactly."),
                "B": Option("an encoder, or a decoder whose mask was forgotten", "Earlier places move.", True),
                "C": Option("a decoder with padding", "Padding stands behind; earlier places do not see it."),
            },
        ),
        Choose(
            name="R",
            question="R is",
            options={
                "A": Option("a decoder whose second half did not depend on the word", "Attention always moves a bit."),
                "B": Option("a model in which each token reads itself alone", "Only the changed place moves.", True),
            },
        ),
        Choose(
            name="loss",
            question="Q is trained to guess the next token. Its training loss",
            options={
                "A": Option("is higher than P's: it was built for another task", "The answer stands in its view."),
                "B": Option("falls to nearly nothing", "It reads the next token and repeats it.", True),
            },
        ),
    ),
    beliefs=(
        MISTAKES["G8"].committed_by(
            {"P": "B"},
            phrase="the two ways of reading, exchanged",
            then="Look at places 0 and 1 of P: do they move?",
        ),
        MISTAKES["M8"].committed_by(
            {"P": "C"},
            phrase="a token that reads itself alone",
            why="The word at place 3 is the same in both readings, and yet its state moves: it has read place 2.",
            then="Compare rows P and R at place 3.",
        ),
        MISTAKES["G8"].committed_by(
            {"Q": "A"}, phrase="a small leak taken for noise", then="Look at places 0 and 1 of Q: are they exactly 0?"
        ),
        MISTAKES["G1"].committed_by(
            {"Q": "C"},
            phrase="padding taken for the cause",
            why="Padding stands behind the text, and no earlier token looks at it.",
            then="Ask which token place 0 may read.",
        ),
        MISTAKES["M8"].committed_by(
            {"R": "A"},
            phrase="an exact 0 taken for a small effect",
            why="A decoder's token reads all before it, so behind the change its state moves, if only a little.",
            then="Compare rows P and R at place 3.",
        ),
        MISTAKES["G8"].committed_by(
            {"loss": "A"},
            phrase="a leak that would show as a high loss",
            why="Whoever sees the answer repeats it, and its loss is low.",
            then="Ask what stands in Q's view when it guesses the next token.",
        ),
    ),
    shown="Reading, leak and its loss hold.",
    transfer="Which number of the table would change if the first word were another?",
    review="09",
    see=READ,
)

# 10. debug: two scores for one text

LAST_SLOT = """\
ids = pad(rows, value=0)
hidden = model(ids)
state = hidden[:, -1]
scores = head(state)"""

TWO_SCORES = Choice(
    id="gpt.two_scores",
    number=10,
    title="One text, two scores",
    chapter="08",
    kind="debug",
    difficulty=3,
    minutes=7,
    prompt=(
        "A fine-tuned GPT gives the same review another score on Monday than on Tuesday. It is in `eval()`, and no"
        " weight has changed; the reviews beside it have. Rows end with ⟨e⟩ and are padded behind.\n\n```\n"
        f"{numbered(LAST_SLOT)}\n```"
    ),
    hints=(
        "Which line depends on the other rows of the batch?",
        "On other numbers: rows of 3 and 5 tokens are padded to 5; the last slot of the first is padding.",
        "state = hidden[arange, ▢(ids == ▢)]",
    ),
    fields=(
        Choose(
            name="line",
            question="Which line?",
            options={
                "1": Option("line 1", "Padding behind the text harms nobody who does not look at it."),
                "2": Option("line 2", "No real token looks ahead, so the states of the text are right."),
                "3": Option("line 3", "In all rows but the longest this is padding.", True),
                "4": Option("line 4", "It scores what it is given."),
            },
        ),
        Choose(
            name="input",
            question="Which input shows it?",
            options={
                "A": Option("one review alone", "Without neighbours there is no padding."),
                "B": Option("two reviews of the same length", "Neither is padded."),
                "C": Option("a short and a long review, and the short one alone", "Its two scores differ.", True),
            },
        ),
        Choose(
            name="missed",
            question="Why did validation accuracy not tell?",
            options={
                "A": Option("It was computed on too few reviews.", "More reviews would show the same accuracy."),
                "B": Option(
                    "It was measured in batches like those of the training, where the model answers from padding.",
                    "Padded slots may read the text, and learn to answer.",
                    True,
                ),
                "C": Option("It did; nobody looked.", "One number does not say which texts share a batch."),
            },
        ),
        Choose(
            name="fix",
            question="The fix",
            options={
                "A": Option("hidden[i, place of ⟨e⟩ in row i]", "Each row's own end.", True),
                "B": Option("a mask that hides padding from the text", "Under a causal mask it is hidden already."),
                "C": Option("hidden[:, 0]", "The first token has read itself alone."),
            },
        ),
    ),
    beliefs=(
        MISTAKES["G1"].committed_by(
            {"input": "A"},
            phrase="a test without padding",
            why="The mistake needs a row that is padded.",
            then="Ask which rows of your batch are padded.",
        ),
        MISTAKES["G1"].committed_by(
            {"input": "B"},
            phrase="a test without padding",
            why="Rows of one length are not padded.",
            then="Ask which rows of your batch are padded.",
        ),
        MISTAKES["E14"].committed_by({"missed": "A"}),
        MISTAKES["E14"].committed_by({"missed": "C"}),
        MISTAKES["G8"].committed_by(
            {"fix": "B"},
            phrase="a mask for padding where a causal one stands",
            why="No real token looks ahead; the state was taken at the padding.",
            then="Ask which state goes to the head.",
            see=SLOT,
        ),
        MISTAKES["E1"].committed_by({"fix": "C"}),
    ),
    equals="Your answer fits",
    shown="Line, input, reason and fix hold.",
    transfer="Which test, in two lines, would you keep for every classifier?",
    review="10",
    see=SLOT,
)

# 11. write: who decays


def decays(names: list[str]) -> list[int]:
    """1 for each weight that decays, 0 for biases and for the gains of norms."""
    return [int(not (name.endswith(".bias") or "norm" in name)) for name in names]


def _decays(rule: Callable[[str], bool]) -> Callable[[list[str]], list[int]]:
    return lambda names: [int(rule(name)) for name in names]


_NAMES = (
    ["token.weight", "position.weight"],
    ["layers.0.inner.weight", "layers.0.inner.bias", "layers.0.attention_norm.weight", "layers.0.attention_norm.bias"],
    ["token.weight", "layers.1.attention.query.weight", "layers.1.attention.query.bias", "final_norm.weight"],
)


def _without(table: str) -> Callable[[list[str]], list[int]]:
    return _decays(lambda name: name != table and not (name.endswith(".bias") or "norm" in name))


DECAYS = Function(
    id="gpt.decays",
    number=11,
    title="Who decays?",
    chapter="08",
    kind="write",
    difficulty=2,
    minutes=5,
    prompt=(
        "The published GPT is trained with weight decay on all weights but biases and gains (§4.1). `names` are those"
        " of a model's parameters; a name with `norm` in it belongs to a LayerNorm, whose `weight` is its gain. Return"
        " 1 for each that decays and 0 for each that does not. Embeddings decay too."
    ),
    imports="",
    template=(
        "def decays(names: list[str]) -> list[int]:\n"
        '    """1 for each weight that decays, 0 for biases and for the gains of norms."""\n'
        "    return ..."
    ),
    hints=(
        "Two kinds of name are free of decay. How does each end, or what does it hold?",
        "On other numbers: *norm.weight* 0, *linear.bias* 0, *linear.weight* 1, *token.weight* 1.",
        "[int(not (name.endswith(▢) or ▢ in name)) for name in names]",
    ),
    answer=decays,
    reference=decays,
    result="a list of 0s and 1s",
    tensors=False,
    probes=tuple(
        Probe(name, where, {"names": names}, ("",))
        for name, where, names in (
            ("block", "With names of a block", _NAMES[1]),
            ("tables", "With the two tables", _NAMES[0]),
            ("all kinds", "With a table, attention and a last norm", _NAMES[2]),
        )
    ),
    singles=(
        MISTAKES["G9"].committed_by(_decays(lambda name: True), phrase="decay on everything"),
        MISTAKES["G9"].committed_by(
            _decays(lambda name: not name.endswith(".bias")), phrase="decay on the gains of norms"
        ),
        MISTAKES["G9"].committed_by(_decays(lambda name: "norm" not in name), phrase="decay on biases"),
        MISTAKES["G9"].committed_by(
            _decays(lambda name: not (name.endswith(".bias") or "norm" in name or name in _NAMES[0])),
            phrase="embeddings that do not decay",
            why="Many later models leave them out; the published GPT does not.",
        ),
        *(
            MISTAKES["G9"].committed_by(
                _without(table),
                phrase="a table that does not decay",
                why="Many later models leave embeddings out; the published GPT does not.",
            )
            for table in _NAMES[0]
        ),
        MISTAKES["G9"].committed_by(
            _decays(lambda name: not (name.endswith(".bias") and "norm" in name)),
            phrase="decay on all but the biases of norms",
            why="A bias is free, and so is a gain: one of the two is enough.",
            then="Look for `and` where `or` is meant.",
        ),
        MISTAKES["G9"].committed_by(
            _decays(lambda name: name.endswith(".bias") or "norm" in name), phrase="the two groups exchanged"
        ),
    ),
    shown="Biases and gains are free, everything else decays, the tables too.",
    transfer="Why would a gain of a norm that decays to 0 be a bad thing?",
    review="09",
    see=DECODER,
)

# 12. claim

WHICH_SENTENCE = Choice(
    id="gpt.which_sentence",
    number=12,
    title="With and without the second loss",
    chapter="08",
    kind="claim",
    difficulty=3,
    minutes=5,
    prompt=(
        "A table of a paper, one training each: average of eight tasks 74.7 with the second loss, 75.0 without.\n\n"
        "Somebody repeats it on one small task with five seeds. With minus without: .4 points, 95 % interval −1.2 to"
        " 2.0."
    ),
    hints=(
        "Which of the two says how far chance alone may go?",
        "On other numbers: an interval from −3 to 5 holds 0, and 4 as well.",
        "With ▢ training each, the sign may be chance; the interval holds ▢.",
    ),
    fields=(
        Choose(
            name="paper",
            question="About the table",
            options={
                "A": Option("The second loss harms.", "One training each, and a difference of .3."),
                "B": Option("One training each does not tell which is better.", "It does not.", True),
                "C": Option("The second loss makes no difference.", "Nothing was said about how large one could be."),
            },
        ),
        Choose(
            name="seeds",
            question="About the five seeds",
            options={
                "A": Option("The second loss helps by .4 points.", "The interval holds 0."),
                "B": Option("The second loss has no effect here.", "The interval holds 2 points as well."),
                "C": Option("No effect was seen; up to about 2 points may be there.", "That is what was measured.",
                            True),
            },
        ),
        Choose(
            name="other",
            question="About other tasks",
            options={
                "A": Option("The result holds for small tasks in general.", "One task was tried."),
                "B": Option("Nothing yet.", "One task was tried.", True),
            },
        ),
    ),
    beliefs=(
        MISTAKES["S5"].committed_by({"paper": "A"}),
        MISTAKES["S6"].committed_by(
            {"paper": "C"},
            phrase="one small difference read as “no difference”",
            why="One training each leaves open how far chance goes, and so how large an effect may be.",
            then="Look for an interval in the table: there is none.",
        ),
        MISTAKES["S5"].committed_by({"seeds": "A"}),
        MISTAKES["S6"].committed_by({"seeds": "B"}),
        MISTAKES["S5"].committed_by({"other": "A"}),
        pair(MISTAKES["S5"], MISTAKES["S6"], {"paper": "A", "seeds": "B"}),
    ),
    shown="Each sentence says what was measured, and no more.",
    transfer="How many seeds would you want before you say “equal within a point”?",
    review="10",
    see=BESIDE,
)  # fmt: skip

# 13. review

AGAIN = Choice(
    id="gpt.again",
    number=13,
    title="From the chapters before",
    chapter="08",
    kind="predict",
    difficulty=2,
    minutes=4,
    prompt="Chapters 02 to 07 in five questions; each returns in GPT.",
    hints=(
        "Name the chapter of each question first.",
        "On other numbers: guessing among 8 costs ln 8 nats, and 64 entries per head divide by 8.",
        "√▢, not √d_model; ▢ keeps the far past; the norm comes ▢ the sum.",
    ),
    fields=(
        Choose(
            name="scale",
            question="Chapters 02 and 03: d_model 768, 12 heads. Scores are divided by",
            options={
                "A": Option("√768", "Each head compares its own 64 entries."),
                "B": Option("8", "√64.", True),
            },
        ),
        Choose(
            name="positions",
            question="Chapter 04: learned positions, 512 of them. A text of 600 tokens",
            options={
                "A": Option("cannot be read in one go", "There is no row for place 512.", True),
                "B": Option("is read, a little worse", "That is what sines allow."),
            },
        ),
        Choose(
            name="norm",
            question="Chapter 05: in post-LN the norm comes",
            options={
                "A": Option("after the sum", "Add, then norm.", True),
                "B": Option("before the attention", "That is pre-LN, and GPT-2."),
            },
        ),
        Choose(
            name="elmo",
            question="Chapter 06: ELMo reads both ways, GPT one. ELMo's two readers",
            options={
                "A": Option("never see the word they guess", "Each reads towards it from its own side.", True),
                "B": Option("read both sides at once, as BERT does", "They are two models, joined at the end."),
            },
        ),
        Choose(
            name="ulmfit",
            question="Chapter 07: ULMFiT unfreezes layer by layer. GPT",
            options={
                "A": Option("does so as well", "The paper trains all of it from the first step."),
                "B": Option("trains everything at once, with the second loss", "So it is.", True),
            },
        ),
    ),
    beliefs=(
        MISTAKES["S1"].committed_by(
            {"scale": "A"},
            phrase="a divisor of the whole width",
            why="A head has d_model divided by the number of heads.",
            then="Divide 768 by 12 first.",
            see=DECODER,
        ),
        MISTAKES["G7"].committed_by(
            {"positions": "B"},
            phrase="a table with rows beyond its end",
            why="A learned position exists only where it was learned.",
            then="Count the rows of the table.",
        ),
        MISTAKES["G11"].committed_by({"norm": "B"}, then="Say “add and norm” aloud: which comes second?"),
        MISTAKES["K13"].committed_by({"elmo": "B"}),
        MISTAKES["K13"].committed_by(
            {"ulmfit": "A"},
            phrase="ULMFiT's stages carried over",
            why="GPT folds stage 2 into one extra term of the loss.",
            then="Look for a schedule of layers in §3.2: there is none.",
            see=BESIDE,
        ),
        pair(MISTAKES["G11"], MISTAKES["K13"], {"norm": "B", "elmo": "B"}),
    ),
    shown="Scale, positions, norm and both older models hold.",
    transfer="Which of the five would a lower training loss have told you?",
    review="10",
    see=DECODER,
)

# 14. ★ the room for two texts


def shares(first: int, second: int, room: int) -> list[int]:
    """How many tokens each of two texts keeps: half of the room, and what the other leaves of its half."""
    half = room // 2
    return [min(first, max(half, room - second)), min(second, max(half, room - first))]


def _shares(rule: Callable[[int, int, int], Sequence[int]]) -> Callable[[int, int, int], list[int]]:
    return lambda first, second, room: list(rule(first, second, room))


def _longest_first(first: int, second: int, room: int) -> list[int]:
    while first + second > room:
        if first >= second:
            first -= 1
        else:
            second -= 1
    return [first, second]


def _never_short(first: int, second: int, room: int) -> Sequence[int]:
    """Shares that forget that both texts may fit."""
    if first <= room // 2:
        return first, room - first
    return (room - second, second) if second <= room // 2 else (room // 2, room // 2)


_Rule = Callable[[int, int, int], Sequence[int]]
_NINES, _FIT = "Try 9 and 9 in 7.", "Try 2 and 3 in 8."
_BOTH = "room handed to one of the texts alone", "What either text does not need the other may use."
_ODD = "a place of an odd room given away", "Half is rounded down for both; one place stays empty."
_PROMISED = "more room than a text has tokens", "A text keeps no more tokens than it has."
_EXCHANGED = "the two numbers, exchanged", "The first number belongs to the first text."
_UNFAIR: tuple[tuple[tuple[str, str], str, _Rule], ...] = (
    (_BOTH, "Try 9 and 3.", lambda a, b, room: (min(a, room // 2), min(b, room - min(a, room // 2)))),
    (_BOTH, "Try 3 and 9.", lambda a, b, room: (min(a, room - min(b, room // 2)), min(b, room // 2))),
    (_ODD, _NINES, lambda a, b, room: (min(a, room - min(b, room // 2)), min(b, room - min(a, room // 2)))),
    (_ODD, _NINES, lambda a, b, room: (min(a, max((room + 1) // 2, room - b)), min(b, max(room // 2, room - a)))),
    (_ODD, _NINES, lambda a, b, room: (min(a, max((room + 1) // 2, room - b)), min(b, max((room + 1) // 2, room - a)))),
    (_ODD, _NINES, lambda a, b, room: _longest_first(b, a, room)[::-1]),
    (_PROMISED, _FIT, lambda a, b, room: (max(room // 2, room - b), max(room // 2, room - a))),
    (_PROMISED, _FIT, lambda a, b, room: (room // 2, room // 2)),
    (_PROMISED, _FIT, _never_short),
    (_EXCHANGED, "Try 3 and 9.", lambda a, b, room: shares(b, a, room)),
)

SHARES = Rows(
    id="gpt.shares",
    number=14,
    title="★ Room for two",
    chapter="08",
    kind="write",
    difficulty=4,
    minutes=10,
    starred=True,
    prompt=(
        "Two texts of `first` and `second` tokens must fit into `room`. Each may keep half (rounded down), and what one"
        " does not need of its half the other may use. Return how many tokens each keeps. A swap of the texts must swap"
        " the two numbers: two long texts in an odd room leave one place empty.\n\n"
        "Lengths 3 and 9 in a room of 8 give 3 and 5; 9 and 9 in a room of 7 give 3 and 3."
    ),
    imports="",
    template=(
        "def shares(first: int, second: int, room: int) -> list[int]:\n"
        '    """How many tokens each of two texts keeps: half of the room, and what the other leaves of its half."""\n'
        "    return ..."
    ),
    hints=(
        "What may a text keep at most: half, or the room less what the other needs?",
        "On other numbers: in a room of 10 a text of 2 leaves 8 to the other; one of 7 leaves it its half, 5.",
        "min(first, max(▢ // 2, room - ▢))",
    ),
    answer=shares,
    reference=shares,
    result="two numbers",
    tensors=False,
    probes=tuple(
        Probe(f"{a} {b} {room}", f"With {a} and {b} in a room of {room}",
              {"first": a, "second": b, "room": room}, ("",))
        for a, b, room in ((3, 9, 8), (9, 3, 8), (9, 9, 7), (2, 3, 8), (5, 5, 10), (9, 4, 9), (6, 20, 11), (20, 20, 9))
    ),
    singles=(
        MISTAKES["E9"].committed_by(
            _shares(lambda a, b, room: (min(a, room), max(0, min(b, room - a)))),
            phrase="all the room for the first text",
        ),
        MISTAKES["E9"].committed_by(
            _shares(lambda a, b, room: (max(0, min(a, room - b)), min(b, room))),
            phrase="all the room for the second text",
        ),
        MISTAKES["E9"].committed_by(
            _shares(lambda a, b, room: (min(a, room // 2), min(b, room // 2))),
            phrase="half each, and nothing handed over",
            why="A short text leaves room that the other could use.",
        ),
        MISTAKES["E9"].committed_by(
            _longest_first,
            phrase="a token off the longer one, again and again",
            why="In an odd room one of two long texts then loses more.",
            then="Try 9 and 9.",
        ),
        MISTAKES["E9"].committed_by(
            _shares(lambda a, b, room: (room * a // (a + b), room * b // (a + b)) if a + b > room else (a, b)),
            phrase="room in proportion to length",
            why="A long text then takes what a short one needs.",
        ),
        *(
            MISTAKES["E9"].committed_by(_shares(rule), phrase=phrase, why=why, then=then)
            for (phrase, why), then, rule in _UNFAIR
        ),
    ),
    shown="Room is shared fairly, handed over where it is not needed, and a swap swaps.",
    transfer="Why must similarity cut both orders alike?",
    review="10",
    see=ROWS,
)  # fmt: skip

EXERCISES = (
    PREDICT_THE_STATE,
    ORDER_THE_ROW,
    SIMILARITY_INPUTS,
    CANDIDATE_CHANCES,
    ODDS,
    GUESSES,
    WHICH_SHIFT,
    JOINT_LOSS,
    WHO_LOOKS_AHEAD,
    TWO_SCORES,
    DECAYS,
    WHICH_SENTENCE,
    AGAIN,
    SHARES,
)
