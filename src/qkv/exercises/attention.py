"""Chapter 02, exercises in plain Python: predict, order, write with lists, choose, debug, claim.

Standard library only, so that they are judged in a page as well as in a notebook.
"""

import math
from collections.abc import Callable, Iterable, Sequence

from qkv import toy
from qkv.exercises.attention_mistakes import GRADIENT, MAY_BE_READ, MISTAKES, SCORES_TO_SHARES, SHARED_OUT
from qkv.exercises.choices import Choice, Choose, Line, Numbers, Option, Parsons
from qkv.exercises.functions import Function, Probe, pair
from qkv.exercises.mutant import Mutant

WORDS = tuple(toy.WORDS)
QUERY, KEY, VALUE = ([list(map(float, row)) for row in table] for table in (toy.QUERY, toy.KEY, toy.VALUE))


def dot(first: Sequence[float], second: Sequence[float]) -> float:
    """Multiply entry by entry, then add up."""
    return sum(a * b for a, b in zip(first, second, strict=True))


def softmax(scores: Sequence[float]) -> list[float]:
    """Shares that are positive and add up to 1."""
    exponents = [math.exp(score - max(scores)) for score in scores]
    return [exponent / sum(exponents) for exponent in exponents]


def mix(shares: Sequence[float], values: Sequence[Sequence[float]]) -> list[float]:
    """The values, each counted by its share, entry by entry."""
    return [dot(shares, column) for column in zip(*values, strict=True)]


def attend(query: list[float], keys: list[list[float]], values: list[list[float]]) -> list[float]:
    """What one query reads: a mix of the values, by the shares of the keys."""
    scores = [sum(q * k for q, k in zip(query, key, strict=True)) / math.sqrt(len(query)) for key in keys]
    largest = max(scores)
    exponents = [math.exp(score - largest) for score in scores]
    shares = [exponent / sum(exponents) for exponent in exponents]
    return [sum(share * value[i] for share, value in zip(shares, values, strict=True)) for i in range(len(values[0]))]


# 1. predict

PREDICT_SOFTMAX = Choice(
    id="attention.predict_softmax",
    number=1,
    title="Predict two softmaxes",
    chapter="02",
    kind="predict",
    difficulty=1,
    minutes=2,
    prompt=(
        "The scores `2, 1, 0` become the shares `.67 .24 .09`. Without running anything: what do `102, 101, 100` and"
        " `4, 2, 0` become, and why?"
    ),
    hints=(
        "Look at what changes from `2, 1, 0` to `102, 101, 100`, and at what stays.",
        "On other numbers: `7, 7` and `0, 0` both become `.50 .50`. `1, 0` becomes `.73 .27`; so does `51, 50`.",
        "softmax(102, 101, 100) = softmax(102 − 100, 101 − 100, ▢) = softmax(2, ▢, ▢)",
    ),
    fields=(
        Choose(
            name="softmax(102, 101, 100)",
            question="softmax(102, 101, 100) is",
            options={
                "A": Option("`.34 .33 .33`", "It tempts, since the three numbers look nearly equal; they differ by 1."),
                "B": Option("`.67 .24 .09`", "The differences are those of `2, 1, 0`, and exp sees only them.", True),
                "C": Option("`1 0 0`", "Large scores sharpen nothing; large *gaps* do, and the gap here is 1."),
                "D": Option(
                    "no number: exp(102) is too large",
                    "It tempts, since exp(102) overflows in 32 bits. The shares exist; shift the scores to get them.",
                ),
            },
        ),
        Choose(
            name="softmax(4, 2, 0)",
            question="softmax(4, 2, 0) is",
            options={
                "A": Option("`.67 .24 .09`", "It tempts, since 4 : 2 is 2 : 1; but the gaps have doubled."),
                "B": Option("`.67 .33 .00`", "That divides each score by the sum; softmax takes exp first."),
                "C": Option("`.87 .12 .02`", "The gaps doubled, so each ratio of shares is squared.", True),
                "D": Option("`.50 .33 .17`", "That ranks the scores; softmax also sees how far apart they are."),
            },
        ),
        Choose(
            name="reason",
            question="because softmax sees",
            options={
                "A": Option("the differences between scores", "One point more means e times the share.", True),
                "B": Option("the ratios between scores", "It tempts, but 102 : 101 and 2 : 1 would then differ."),
                "C": Option("each score divided by their sum", "That fails as soon as a score is negative."),
                "D": Option("the size of the largest score", "Adding 100 to every score leaves the shares alone."),
            },
        ),
    ),
    beliefs=(
        MISTAKES["S1"].committed_by({"softmax(102, 101, 100)": "A", "softmax(4, 2, 0)": "B", "reason": "C"}),
        MISTAKES["S1"].committed_by({"softmax(102, 101, 100)": "A", "softmax(4, 2, 0)": "A", "reason": "B"}),
        MISTAKES["S1"].committed_by({"softmax(102, 101, 100)": "C", "reason": "D"}),
        MISTAKES["A9"].committed_by(
            {"softmax(102, 101, 100)": "D"},
            why="In 32 bits exp(102) overflows, and the naive recipe fails; the shares it was to compute exist.",
        ),
    ),
    shown="Both predictions and the reason hold: softmax sees differences only.",
    transfer="What would `-98, -99, -100` become?",
    review="03",
    see=SCORES_TO_SHARES,
)

# 2. Parsons


def _columns(table: list[list[float]]) -> list[list[float]]:
    return [list(column) for column in zip(*table, strict=True)]


def run_lines(lines: Iterable[str]) -> list[list[float]]:
    """The output on the toy of lines that were put into an order."""
    names: dict = {"query": QUERY, "key": KEY, "value": VALUE, "d_k": 4, "sqrt": math.sqrt}
    names |= {"dot": dot, "softmax": softmax, "mix": mix, "columns": _columns}
    for line in lines:
        exec(line, names)
    return names["output"]


ORDER_THE_STEPS = Parsons(
    id="attention.order_the_steps",
    number=2,
    title="Order the steps of attention",
    chapter="02",
    kind="Parsons",
    difficulty=1,
    minutes=4,
    prompt=(
        "Put lines into an order that turns `query`, `key` and `value` of the toy into `output`. Two lines are false"
        " friends and stay out.\n\n`dot`, `softmax` and `mix` work on plain lists; `columns(table)` turns a table on"
        " its side. Each line may overwrite a name that an earlier line made."
    ),
    hints=(
        "Start at the end: which line makes `output` out of shares?",
        "On other numbers: to share 12 euros by the marks 3 and 1, compare first, then turn marks into shares"
        " (three quarters, one quarter), and only then hand out money (9 and 3).",
        "B, ▢, ▢, F. The third one makes every *row* add up to 1.",
    ),
    lines={
        "A": Line(
            "weights = [softmax(row) for row in scores]",
            ("scores",),
            "weights",
            True,
            "Turns each row of scores into shares: every query hands out one unit.",
        ),
        "B": Line(
            "scores = [[dot(q, k) for k in key] for q in query]",
            (),
            "scores",
            True,
            "Compares every query with every key.",
        ),
        "C": Line(
            "output = [softmax(mix(row, value)) for row in scores]",
            ("scores",),
            "output",
            False,
            "Mixes by scores that are no shares yet; softmax then distorts the mixed values.",
        ),
        "D": Line(
            "scores = [[s / sqrt(d_k) for s in row] for row in scores]",
            ("scores",),
            "scores",
            True,
            "Brings the spread of the scores back to that of one product.",
        ),
        "E": Line(
            "weights = columns([softmax(column) for column in columns(scores)])",
            ("scores",),
            "weights",
            False,
            "Lets every *column* add up to 1: then the queries compete for a key.",
        ),
        "F": Line(
            "output = [mix(shares, value) for shares in weights]",
            ("weights",),
            "output",
            True,
            "Mixes the values, each counted by its share.",
        ),
    },
    wanted="output",
    order="BDAF",
    orders=(
        MISTAKES["A4"].committed_by("BDEF"),
        MISTAKES["A7"].committed_by("BDC"),
        MISTAKES["A10"].committed_by("BDDAF", then="Count how often D stands in your order."),
        MISTAKES["A1"].committed_by("BAF"),
        pair(MISTAKES["A1"], MISTAKES["A4"], "BEF"),
        pair(MISTAKES["A1"], MISTAKES["A7"], "BC"),
        pair(MISTAKES["A4"], MISTAKES["A10"], "BDDEF"),
    ),
    run=run_lines,
    rows=WORDS,
    shown="Score, scale, softmax along the row, mix: your order gives the toy's outputs.",
    transfer="Where else could the division stand without changing a number?",
    review="05",
    see=SHARED_OUT,
)

# 4. write one query in plain lists (3 is in attention_tensors)

SCALES = {
    "": math.sqrt,
    "A1": lambda d_k: 1.0,
    "A3": lambda d_k: 1 / math.sqrt(d_k),
    "A3 or A10": float,
    "S15": lambda d_k: 2.0,
}


def unit_rows(size: int) -> list[list[float]]:
    """1 on the diagonal, 0 elsewhere: mixing these rows gives the shares back."""
    return [[float(i == j) for j in range(size)] for i in range(size)]


def attend_with(
    *,
    scale: Callable[[float], float] = math.sqrt,
    mixed: str = "values",
    stable: bool = True,
    shares: Callable[[list[float]], list[float]] | None = None,
    late: bool = False,
) -> Callable[..., list[float]]:
    """One query's attention with some of its parts replaced: the mutants of ``attend``."""

    def share(scores: list[float]) -> list[float]:
        if shares:
            return shares(scores)
        shift = max(scores) if stable else 0.0
        exponents = [math.exp(score - shift) for score in scores]
        return [exponent / sum(exponents) for exponent in exponents]

    def mutant(query: list[float], keys: list[list[float]], values: list[list[float]]) -> list[float]:
        scores = [dot(query, key) / scale(len(query)) for key in keys]
        read = {"keys": keys, "values": values, "nothing": unit_rows(len(keys))}[mixed]
        return share(mix(scores, read)) if late else mix(share(scores), read)

    return mutant


def _proportional(scores: list[float]) -> list[float]:
    return [score / sum(scores) for score in scores]


_LIST_CHANGES: dict[str, dict] = {
    "A1": {"scale": SCALES["A1"]},
    "A3": {"scale": SCALES["A3"]},
    "A3 or A10": {"scale": SCALES["A3 or A10"]},
    "A6": {"mixed": "keys"},
    "A7": {"late": True},
    "A9": {"stable": False},
    "S1": {"shares": _proportional},
    "S15": {"scale": SCALES["S15"]},
    "S13": {"mixed": "nothing"},
    "S14": {"shares": lambda scores: unit_rows(len(scores))[scores.index(max(scores))]},
}
TWICE = Mutant(
    "A3 or A10",
    "a division by d_k (A3) and a division by √d_k done twice (A10)",
    "Both shrink the scores too far, and all shares drift towards equal.",
    "Count the divisions between the dot product and softmax, and read each divisor.",
    MISTAKES["A1"].see,
)
_LIST_MISTAKES = MISTAKES | {
    "A3 or A10": TWICE,
    "A6": MISTAKES["A6"].committed_by(None, then="Follow `values` through your code: where is it read?"),
    "S1": MISTAKES["S1"].committed_by(
        None,
        phrase="shares that are scores divided by their sum",
        why="That has no answer for scores that add up to 0, and negative shares below it.",
    ),
}


def _list_pairs() -> list[Mutant]:
    couples = [("A1", "A6"), ("A1", "A7"), ("A1", "A9"), ("A3", "A9"), ("A6", "A9"), ("A6", "A7")]
    return [
        pair(_LIST_MISTAKES[a], _LIST_MISTAKES[b], attend_with(**_LIST_CHANGES[a], **_LIST_CHANGES[b]))
        for a, b in couples
    ]


ONE_QUERY = Function(
    id="attention.one_query",
    number=4,
    title="One query, in plain lists",
    chapter="02",
    kind="write",
    difficulty=2,
    minutes=12,
    prompt=(
        "Write attention for a single query with plain lists: no tensors, no loops hidden in a library. On the toy, the"
        " query of *it* must give `[6.65, 2.45]`. Scores may be as large as 1000, and the values may be shorter or"
        " longer than the keys."
    ),
    imports="import math",
    template=(
        "def attend(query: list[float], keys: list[list[float]], values: list[list[float]]) -> list[float]:\n"
        '    """What one query reads: a mix of the values, by the shares of the keys."""\n'
        "    return ..."
    ),
    hints=(
        "Four steps, one line each: score, scale, share, mix. Which of them never looks at `values`?",
        "On other numbers: scores `1001, 1000` give the same shares as `1, 0` and as `0, -1`; the last pair needs no"
        " large exp.",
        "exponents = [math.exp(score - ▢) for score in scores]",
    ),
    answer=attend,
    reference=attend,
    result="a list of numbers",
    tensors=False,
    probes=(
        Probe("it", "On the toy's row *it*", {"query": QUERY[2], "keys": KEY, "values": VALUE}, ("it",)),
        Probe("mat", "On the toy's row *mat*", {"query": QUERY[1], "keys": KEY, "values": VALUE}, ("mat",)),
        Probe(
            "longer values",
            "With two keys and values of three entries",
            {"query": [1.0, 2.0], "keys": [[1.0, 0.5], [-1.0, 2.0]], "values": [[1.0, 2.0, 3.0], [0.0, -1.0, 5.0]]},
            ("",),
        ),
        Probe(
            "as many keys as entries",
            "With three keys of three entries",
            {
                "query": [0.5, -1.0, 2.0],
                "keys": [[1.0, 2.0, 0.0], [0.0, 1.0, 1.5], [-2.0, 0.0, 1.0]],
                "values": [[3.0, 1.0, 0.0], [0.0, 2.0, 4.0], [5.0, 0.0, 1.0]],
            },
            ("",),
        ),
        Probe(
            "scores of ±1000",
            "With scores of 1000, 999 and −1000",
            {
                "query": [2000.0, 0.0, 0.0, 0.0],
                "keys": [[1.0, 0.0, 0.0, 0.0], [0.999, 0.0, 0.0, 0.0], [-1.0, 0.0, 0.0, 0.0]],
                "values": [[10.0, 0.0], [0.0, 10.0], [5.0, 5.0]],
            },
            ("",),
        ),
        Probe(
            "scores of −1000",
            "With scores of −1000 and −1001",
            {"query": [1000.0], "keys": [[-1.0], [-1.001]], "values": [[1.0, 0.0], [0.0, 1.0]]},
            ("",),
        ),
        Probe(
            "one key", "With a single key", {"query": [3.0, 1.0], "keys": [[1.0, 1.0]], "values": [[7.0, 8.0]]}, ("",)
        ),
    ),
    singles=tuple(_LIST_MISTAKES[c].committed_by(attend_with(**change)) for c, change in _LIST_CHANGES.items()),
    pairs=_list_pairs,
    shown="Your function agrees on the toy, on other sizes and on scores of ±1000.",
    transfer="What would it return if all keys were equal?",
    review="03",
    see=SHARED_OUT,
)

# 5. choose numbers

FIND_THE_QUERY = Choice(
    id="attention.find_the_query",
    number=5,
    title="Find the query",
    chapter="02",
    kind="write",
    difficulty=2,
    minutes=6,
    prompt=(
        "Keep the toy's keys and values. Give four numbers for a query whose output lies within `.05` of `(0, 10)`,"
        " the value of *mat*. Then say whether any query can reach `(12, 0)`."
    ),
    hints=(
        "The output is a mix of three values. Whose share must come close to 1, and whose to 0?",
        "On other numbers: with keys `(1, 0)` and `(0, 1)`, the query `(8, 0)` scores 8 against 0. Divided by √2 the"
        " gap is 5.7, and exp(5.7) is about 290: the first share is above .99.",
        "query = [0, ▢, 0, 0], since only *mat* has a 1 in its second entry. The gap ▢ / 2 must make"
        " exp(▢ / 2) exceed 400.",
    ),
    fields=(
        Numbers(
            name="query",
            question="A query that reads almost only *mat*",
            length=4,
            observe=lambda query: attend(query, KEY, VALUE),
            target=(0.0, 10.0),
            within=0.05,
            example=(0.0, 14.0, 0.0, 0.0),
            advice="Only *mat* has a 1 in *thing*: the larger that entry of the query, the larger *mat*'s share.",
        ),
        Choose(
            name="can reach (12, 0)",
            question="Can any query reach (12, 0)?",
            options={
                "A": Option(
                    "No",
                    "Shares are positive and add up to 1: the output stays inside the triangle of the values.",
                    True,
                ),
                "B": Option("Yes, with a longer query", "A longer query sharpens the shares; none of them passes 1."),
                "C": Option("Yes, with a negative entry", "A negative score still gives a positive share, below 1."),
                "D": Option(
                    "No, because d_k is only 4", "More entries change the scores; they do not lift a share over 1."
                ),
            },
        ),
    ),
    beliefs=(
        MISTAKES["S2"].committed_by({"can reach (12, 0)": "B"}),
        MISTAKES["S2"].committed_by(
            {"can reach (12, 0)": "C"}, why="A negative score makes a share small, never negative: exp is positive."
        ),
    ),
    shown="Your query reads *mat* almost alone, and no query leaves the triangle of the values.",
    transfer="Which output do equal scores give?",
    review="04",
    see=SHARED_OUT,
)

# 6. predict


def _row(letters: Sequence[tuple[str, str]], right: str) -> dict[str, Option]:
    return {chr(65 + i): Option(f"`{text}`", why, chr(65 + i) == right) for i, (text, why) in enumerate(letters)}


PREDICT_CAUSAL_ROWS = Choice(
    id="attention.predict_causal_rows",
    number=6,
    title="Predict two rows under the causal mask",
    chapter="02",
    kind="predict",
    difficulty=2,
    minutes=5,
    prompt=(
        "Scaled scores of the toy: row *cat* `1 1 1`, row *mat* `0 0 2`. Without a mask their shares are"
        " `.333 .333 .333` and `.107 .107 .787`. Now each word may read itself and what came before it."
        " What are the shares of *cat*, *mat*, *it* in these two rows?"
    ),
    hints=(
        "How many words may *cat* read? A row of shares always adds up to 1.",
        "On other numbers: scores `3, 3, 9` with the last one blocked give `.5 .5 0`, as `3, 3` alone would.",
        "Row *mat*: exp(0) / (exp(0) + ▢) for *cat*, the same for *mat*, and ▢ for *it*.",
    ),
    fields=(
        Choose(
            name="cat",
            question="Row *cat*",
            options=_row(
                [
                    (".333 0 0", "The blocked shares are gone, and .667 of the unit with them."),
                    ("1 0 0", "*cat* reads only itself, so it keeps the whole unit."),
                    (".5 .5 0", "That lets *cat* read *mat*, the word after it."),
                    (".576 .212 .212", "Score 0 in place of a blocked score still has exp(0) = 1."),
                    ("none: it may read nothing", "A word may read itself."),
                    (".333 .333 0", "One word too many is read, and the rest is not shared out again."),
                ],
                "B",
            ),
        ),
        Choose(
            name="mat",
            question="Row *mat*",
            options=_row(
                [
                    (".107 .107 0", "The blocked share is gone, and .787 of the unit with it."),
                    (".107 .107 .787", "That lets *mat* read *it*, the word after it."),
                    (".333 .333 .333", "Score 0 in place of the blocked 2 makes three equal scores."),
                    (
                        ".5 .5 0",
                        "Two equal scores share one unit.",
                    ),
                    ("1 0 0", "That keeps *mat* from reading itself."),
                ],
                "D",
            ),
        ),
        Choose(
            name="reason",
            question="because a blocked key",
            options={
                "A": Option("leaves the result, after the shares are made", "Then the row no longer adds up to 1."),
                "B": Option("counts as a key with score 0", "exp(0) is 1: such a key keeps a share."),
                "C": Option("has score −∞ before softmax", "exp(−∞) is 0, and the others share the whole unit.", True),
                "D": Option("is the word after next", "The word right after it is blocked too."),
                "E": Option("is the word itself and all after it", "A word may read itself."),
            },
        ),
    ),
    beliefs=(
        MISTAKES["M1"].committed_by({"cat": "A", "mat": "A", "reason": "A"}),
        MISTAKES["S3"].committed_by({"cat": "D", "mat": "C", "reason": "B"}),
        MISTAKES["M8"].committed_by({"cat": "C", "mat": "B", "reason": "D"}, phrase="a mask that leaks one word"),
        MISTAKES["M8"].committed_by(
            {"cat": "E", "mat": "E", "reason": "E"}, phrase="a mask that blocks the word itself"
        ),
        pair(MISTAKES["M1"], MISTAKES["M8"], {"cat": "F", "mat": "B", "reason": "A"}),
    ),
    shown="Both rows and the reason hold: blocked keys leave before the shares are made.",
    transfer="Does row *it* change under this mask?",
    review="05",
    see=MAY_BE_READ,
)

# 8. debug

VERSIONS = {"A": ("j < max(i, 1)", "-inf"), "B": ("j <= i + 1", "-inf"), "C": ("j <= i", "-1e9")}


def version_source(letter: str) -> str:
    """The code of one version of exercise 8."""
    may_read, fill = VERSIONS[letter]
    return (
        "for i in range(t):\n"
        "    for j in range(t):\n"
        f"        if not {may_read}:\n"
        f"            scores[i][j] = {fill}\n"
        "    weights[i] = softmax(scores[i])"
    )


def numbered(source: str) -> str:
    """Source with a number before each line."""
    return "\n".join(f"{number}  {line}" for number, line in enumerate(source.splitlines(), start=1))


FIND_THE_LEAK = Choice(
    id="attention.find_the_leak",
    number=8,
    title="Which version sees the future?",
    chapter="02",
    kind="debug",
    difficulty=3,
    minutes=8,
    prompt=(
        "Three versions of a causal mask; `scores` is a table with t rows and t columns. Each was trained on copying,"
        " and each reached the same low training loss. Exactly one lets a word read a later word. Find it, its line, an"
        " input that exposes it, and the fix.\n\n"
        + "\n\n".join(f"Version {letter}\n\n```\n{numbered(version_source(letter))}\n```" for letter in VERSIONS)
    ),
    hints=(
        "For t = 3, write down which pairs (i, j) pass line 3 in each version. A causal table has none with j above i.",
        "On other numbers: if doubling entry 5 of a sentence changes what row 3 reads, row 3 has seen the future. Entry"
        " 2 may change it freely.",
        "Row i may read column j where j ▢ i.",
    ),
    fields=(
        Choose(
            name="version",
            question="Which version reads a later word?",
            options={
                "A": Option("Version A", "Each row reads only what came before it; it even misses itself. No leak."),
                "B": Option("Version B", "Row i reads column i + 1, one word ahead.", True),
                "C": Option("Version C", "exp(−1e9) is 0 in floating point: later words get no share."),
            },
        ),
        Choose(
            name="line",
            question="In which line?",
            options={
                "2": Option("line 2", "Every column must be looked at."),
                "3": Option("line 3", "Here it is decided which columns a row may read.", True),
                "4": Option("line 4", "A blocked score of −∞ is right; the error is in what counts as blocked."),
                "5": Option("line 5", "Softmax runs along each row, as it should."),
            },
        ),
        Choose(
            name="input",
            question="What exposes it?",
            options={
                "A": Option(
                    "Raise the score of row *cat*, column *mat*; look at row *cat*",
                    "*mat* comes after *cat*: in a causal mask nothing may move.",
                    True,
                ),
                "B": Option(
                    "Raise the score of row *it*, column *cat*; look at row *it*",
                    "*cat* comes before *it*, so its shares move in every version that is right.",
                ),
                "C": Option(
                    "Train longer and look at the loss", "All three reach the same loss; a leak even helps it."
                ),
                "D": Option("Add up the shares of each row", "Every version makes rows that add up to 1."),
            },
        ),
        Choose(
            name="fix",
            question="What mends it?",
            options={
                "A": Option("line 3: `j <= i`", "A row reads itself and what came before it.", True),
                "B": Option("line 4: `+inf` in place of `-inf`", "Blocked words would win every share (M2)."),
                "C": Option("line 3: `j > i + 1`", "That keeps only later words (M3)."),
                "D": Option(
                    "line 4: `1e-10` in place of `-inf`", "exp(1e-10) is 1, so blocked words keep a share (M7)."
                ),
                "E": Option("line 3: `j < i`", "A row then misses itself, and the first row reads nothing (M8)."),
            },
        ),
    ),
    beliefs=(
        MISTAKES["M2"].committed_by(
            {"fix": "B"}, then="Compute exp(+∞) and exp(−∞), then decide which a blocked key needs."
        ),
        MISTAKES["M3"].committed_by(
            {"fix": "C"}, why="Here True means *may read*, and `j > i + 1` is True for later words."
        ),
        MISTAKES["M7"].committed_by({"fix": "D"}),
        MISTAKES["M8"].committed_by({"fix": "E"}),
        MISTAKES["M8"].committed_by(
            {"version": "A"},
            phrase="taking the other off-by-one for the leak",
            why="Version A is off by one as well, the other way: a row misses itself but sees nothing later.",
        ),
    ),
    shown="Version, line, input and fix hold. The loss could not tell these versions apart; one changed score could.",
    transfer="Which single number would you change to test a whole model for such a leak?",
    review="08",
    see=MAY_BE_READ,
)

# 9. claim

WHICH_SENTENCE = Choice(
    id="attention.which_sentence",
    number=9,
    title="Which sentence may be printed?",
    chapter="02",
    kind="claim",
    difficulty=4,
    minutes=8,
    prompt=(
        "Two experiments about the division by √d_k. The first was computed from 1500 random draws: how far do the"
        " shares move when the query moves, *without* the division? The second is invented for practice: accuracy with"
        " the division minus accuracy without it.\n\n"
        "```\n"
        "slope without division      d_k = 4    d_k = 512\n"
        "  mean                         0.54         1.40\n"
        "  median                       0.55        0.002\n"
        "\n"
        "accuracy, with minus without (5 seeds, points)\n"
        "  mean +0.3, 95 % interval from -0.4 to +1.0\n"
        "```\n\n"
        "Which sentence may be printed about each, and which number supports the first?"
    ),
    hints=(
        "Ask of every sentence: which number would have to be different for it to be false?",
        "On other numbers: nine people earn 1 and one earns 91. The mean is 10, the median 1; “people here earn about"
        " 10” is false for all of them. And an interval from −2 to +9 neither shows an effect nor its absence.",
        "In most draws the slope ▢ between d_k = 4 and 512; a few draws lift the ▢. The interval holds ▢, so the"
        " accuracies differ by an amount that was ▢.",
    ),
    fields=(
        Choose(
            name="slope",
            question="About the slope",
            options={
                "A": Option(
                    "Without the division, slopes grow with d_k.", "The mean grows; most draws shrink to nothing."
                ),
                "B": Option(
                    "Without the division, most slopes vanish at d_k = 512, while a few are large.",
                    "The median fell to nearly 0 while the mean rose: few draws carry it.",
                    True,
                ),
                "C": Option(
                    "Without the division, every slope vanishes at d_k = 512.", "A mean of 1.40 needs large ones."
                ),
                "D": Option(
                    "The division makes no difference to slopes.", "The median changes by a factor of hundreds."
                ),
            },
        ),
        Choose(
            name="evidence",
            question="Supported by",
            options={
                "A": Option("the mean alone", "It cannot tell many middling draws from few huge ones."),
                "B": Option(
                    "the median together with the mean", "One tells the typical draw, both tell the spread.", True
                ),
                "C": Option("the interval", "It belongs to the other experiment."),
                "D": Option("the training loss", "None was measured here."),
            },
        ),
        Choose(
            name="accuracy",
            question="About the accuracy",
            options={
                "A": Option("The division improves accuracy.", "The interval reaches below 0."),
                "B": Option(
                    "The division has no effect on accuracy.", "The interval also holds +1.0, which would matter."
                ),
                "C": Option(
                    "In these five seeds no difference was seen; −0.4 to +1.0 remain possible.",
                    "It says what was measured and what stays open.",
                    True,
                ),
                "D": Option(
                    "Attention may be built without the division.", "Nothing here shows that it is not needed."
                ),
            },
        ),
    ),
    beliefs=(
        MISTAKES["S7"].committed_by({"slope": "A", "evidence": "A"}),
        MISTAKES["S5"].committed_by({"slope": "C"}),
        MISTAKES["S5"].committed_by({"accuracy": "A"}),
        MISTAKES["S6"].committed_by({"accuracy": "B"}),
        MISTAKES["A1"].committed_by(
            {"accuracy": "D"},
            phrase="leaving the division by √d_k out",
            why="One null on one task is no licence: the median slope fell to .002 without it.",
            then="Say which measurement would allow that sentence.",
        ),
        pair(MISTAKES["S7"], MISTAKES["S6"], {"slope": "A", "evidence": "A", "accuracy": "B"}),
    ),
    shown="Both sentences say what the numbers say, and no more.",
    transfer="What would you measure next to tell “not seen” from “equivalent”?",
    review="07",
    see=GRADIENT,
)

EXERCISES = (
    PREDICT_SOFTMAX,
    ORDER_THE_STEPS,
    ONE_QUERY,
    FIND_THE_QUERY,
    PREDICT_CAUSAL_ROWS,
    FIND_THE_LEAK,
    WHICH_SENTENCE,
)
