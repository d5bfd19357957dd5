"""Chapter 03, exercises in plain Python: predict, order, write with lists, debug, claim.

Standard library only, so that they are judged in a page as well as in a notebook.
"""

import math
from collections.abc import Callable, Iterable, Iterator, Sequence

from qkv import toy
from qkv.exercises.attention import KEY, QUERY, attend, dot, mix, numbered, softmax
from qkv.exercises.choices import Choice, Choose, Line, Option, Parsons
from qkv.exercises.functions import Function, Probe, pair
from qkv.exercises.multi_head_mistakes import (
    COST_MORE,
    FIT,
    LOOK_AT,
    MISTAKES,
    NEEDED,
    TWO_THINGS,
    WHOSE,
)
from qkv.exercises.mutant import Mutant

WORDS = tuple(toy.WORDS)
VALUES = [[float(entry) for entry in (*row, *row)] for row in toy.VALUE]  # each of two heads carries the toy's values
Table = list[list[float]]

# 1. predict

PREDICT_SHAPES = Choice(
    id="multi_head.predict_shapes",
    number=1,
    title="Predict what eight heads cost",
    chapter="03",
    kind="predict",
    difficulty=1,
    minutes=2,
    prompt=(
        "A layer reads 2 sentences of 5 words, d_model = 24. One version has 1 head, the other 8. Without running"
        " anything: what are the shapes with 8 heads, and which version has more parameters?"
    ),
    hints=(
        "All heads together are as wide as the row they were cut from.",
        "On other numbers: 12 entries in 3 heads make 4 entries each. One sentence of 7 words then has queries of shape"
        " (1, 3, 7, 4) and shares of shape (1, 3, 7, 7).",
        "queries: (2, 8, 5, 24 / ▢); shares: (2, 8, 5, ▢)",
    ),
    fields=(
        Choose(
            name="queries",
            question="The queries of all 8 heads have shape",
            options={
                "A": Option("(2, 8, 5, 24)", "That is eight layers of full width; the heads share the 24 entries."),
                "B": Option("(2, 8, 5, 3)", "24 entries in 8 heads: 3 each.", True),
                "C": Option("(2, 5, 8, 3)", "It tempts, since it comes first; attention needs words and entries last."),
                "D": Option("(2, 8, 5, 8)", "8 is the number of heads, 24 / 8 that of entries in one."),
            },
        ),
        Choose(
            name="shares",
            question="The shares (weights) have shape",
            options={
                "A": Option("(2, 5, 5)", "Then all heads would have one softmax in common."),
                "B": Option("(2, 8, 5, 3)", "A query hands out shares to words, and there are 5."),
                "C": Option("(2, 8, 5, 5)", "For each head, five queries share among five keys.", True),
                "D": Option("(2, 8, 8)", "Heads do not look at heads; words look at words."),
            },
        ),
        Choose(
            name="parameters",
            question="The version with 8 heads has",
            options={
                "A": Option("8 times as many parameters", "It tempts, but each head is an eighth as wide."),
                "B": Option("as many parameters as with 1 head", "8 heads × 3 entries = 1 head × 24 entries.", True),
                "C": Option("an eighth of the parameters", "One head is an eighth as wide; there are 8 of them."),
            },
        ),
    ),
    beliefs=(
        MISTAKES["T1"].committed_by({"parameters": "A"}),
        MISTAKES["T2"].committed_by({"queries": "A"}),
        MISTAKES["T2"].committed_by({"queries": "A", "parameters": "A"}),
        MISTAKES["T3"].committed_by({"shares": "A"}),
        pair(MISTAKES["T3"], MISTAKES["T1"], {"shares": "A", "parameters": "A"}),
        MISTAKES["T5"].committed_by({"queries": "C"}),
    ),
    shown="Eight heads cut up the same width: no parameter more, but eight rows of shares for each word.",
    transfer="What does grow eightfold?",
    review="05",
    see=COST_MORE,
)

# 2. Parsons


def split_rows(rows: list[list[float]], num_heads: int) -> list[list[list[float]]]:
    """heads[i][t]: the i-th piece of row t."""
    d_model = len(rows[0])
    if num_heads < 1 or d_model % num_heads:
        raise ValueError(f"{d_model} entries cannot be cut into {num_heads} heads of equal size")
    d_k = d_model // num_heads
    return [[row[i * d_k : (i + 1) * d_k] for row in rows] for i in range(num_heads)]


W_OUTPUT = [[1.0, 0.0], [0.0, 1.0], [0.0, 2.0], [1.0, 0.0]]


def run_lines(lines: Iterable[str]) -> Table:
    """The output on the toy of lines that were put into an order."""
    names: dict = {"query": QUERY, "key": KEY, "value": VALUES, "w_output": W_OUTPUT, "split": split_rows}
    names |= {
        "attend": lambda queries, keys, values: [attend(query, keys, values) for query in queries],
        "concat": lambda pieces: [entry for piece in pieces for entry in piece],
        "average": _average,
        "times": lambda rows, matrix: [mix(row, matrix) for row in rows],
    }
    for line in lines:
        exec(line, names)
    return names["output"]


def _average(heads: list[Table]) -> Table:
    return [[sum(entries) / len(heads) for entries in zip(*rows, strict=True)] for rows in zip(*heads, strict=True)]


ORDER_THE_STEPS = Parsons(
    id="multi_head.order_the_steps",
    number=2,
    title="Order the steps of two heads",
    chapter="03",
    kind="Parsons",
    difficulty=1,
    minutes=4,
    prompt=(
        "Put lines into an order that makes `output`, three rows of two entries, with two heads. `query`, `key` and"
        " `value` are tables of three rows and four entries, `w_output` has four rows and two columns. Two lines are"
        " false friends and stay out.\n\n"
        "`split(rows, 2)` gives one table for each head, `attend` is attention on plain tables, `concat` lays the"
        " pieces of one word side by side, `times(rows, matrix)` multiplies, `average(heads)` averages tables."
    ),
    hints=(
        "Start at the end: which line uses `w_output`, and what must it read?",
        "On other numbers: two cooks get half of the ingredients each, cook alone, put their dishes on one tray, and"
        " only the waiter arranges the tray.",
        "D, ▢, ▢, C. The third one keeps apart what the heads found.",
    ),
    lines={
        "A": Line(
            "output = average(heads)",
            ("heads",),
            "output",
            False,
            "An average no longer knows which head said what.",
        ),
        "B": Line(
            "heads = [attend(q, k, v) for q, k, v in zip(*parts)]",
            ("parts",),
            "heads",
            True,
            "Every head attends by itself, with a softmax of its own.",
        ),
        "C": Line(
            "output = times(joined, w_output)",
            ("joined",),
            "output",
            True,
            "W_O lets each output entry draw on both heads.",
        ),
        "D": Line(
            "parts = [split(table, 2) for table in (query, key, value)]",
            (),
            "parts",
            True,
            "Cuts every row into one piece for each head.",
        ),
        "E": Line(
            "heads = [attend(query, key, value)]",
            (),
            "heads",
            False,
            "One softmax over whole rows: a single head of full width.",
        ),
        "F": Line(
            "joined = [concat(pieces) for pieces in zip(*heads)]",
            ("heads",),
            "joined",
            True,
            "Lays what the heads found for a word side by side.",
        ),
    },
    wanted="output",
    order="DBFC",
    orders=(
        MISTAKES["H6"].committed_by("DBA", then="See which line makes `output` last."),
        MISTAKES["T3"].committed_by("EFC", then="Ask which line lets each half of a row have shares of its own."),
        pair(MISTAKES["T3"], MISTAKES["H6"], "EA"),
    ),
    run=run_lines,
    rows=WORDS,
    shown="Split, attend in each head, lay side by side, mix by W_O: your order gives the toy's output.",
    transfer="Which of these lines could run on eight machines at once?",
    review="05",
    see=FIT,
)

# 3. split, in plain lists


def count_up(num_rows: int, num_entries: int) -> Table:
    """Rows of different numbers 0, 1, 2, …: every entry can be followed."""
    return [[float(row * num_entries + entry) for entry in range(num_entries)] for row in range(num_rows)]


def _pieces(row: Sequence[float], num_heads: int) -> Table:
    d_k = len(row) // num_heads
    return [list(row[i * d_k : (i + 1) * d_k]) for i in range(num_heads)]


def _by_reading_order(rows: Table, num_heads: int) -> list[Table]:
    flat, d_k = [entry for row in rows for entry in row], len(rows[0]) // num_heads
    cut = [flat[i : i + d_k] for i in range(0, len(rows) * num_heads * d_k, d_k)]
    return [cut[i * len(rows) : (i + 1) * len(rows)] for i in range(num_heads)]


_SPLITS: dict[str, Callable[[Table, int], list[Table]]] = {
    "H4": lambda rows, h: [list(pieces) for pieces in zip(*(_pieces(row, h) for row in rows), strict=True)],
    "H1": _by_reading_order,
    "T2": lambda rows, h: [[list(row) for row in rows] for _ in range(h)],
    "T4": lambda rows, h: [[list(row[i::h]) for row in rows] for i in range(h)],
    "T5": lambda rows, h: [_pieces(row, h) for row in rows],
    "T24": lambda rows, h: [[list(row[i : i + len(row) // h]) for row in rows] for i in range(h)],
}


def _checked(split: Callable[[Table, int], list[Table]]) -> Callable[[Table, int], list[Table]]:
    def mutant(rows: Table, num_heads: int) -> list[Table]:
        if len(rows[0]) % num_heads:
            raise ValueError
        return split(rows, num_heads)

    return mutant


SPLIT_ROWS = Function(
    id="multi_head.split_rows",
    number=3,
    title="Cut rows into heads, in plain lists",
    chapter="03",
    kind="write",
    difficulty=1,
    minutes=8,
    prompt=(
        "Cut a table into heads with plain lists. `rows` has one row for each word. `heads[i][t]` is the i-th piece of"
        " row t: neighbouring entries, all pieces equally long. Rows that cannot be cut into `num_heads` equal pieces"
        " are a `ValueError` that names both numbers.\n\n"
        "The toy's queries `[0, 0, 2, 2], [0, 0, 0, 4], [2, 0, 2, 0]` in two heads give head 0"
        " `[0, 0], [0, 0], [2, 0]` and head 1 `[2, 2], [0, 4], [2, 0]`."
    ),
    imports="",
    template=(
        "def split_rows(rows: list[list[float]], num_heads: int) -> list[list[list[float]]]:\n"
        '    """heads[i][t]: the i-th piece of row t."""\n'
        "    return ..."
    ),
    hints=(
        "How long is one piece? Where does piece i of a row begin, and where does it end?",
        "On other numbers: `[1, 2, 3, 4, 5, 6]` in three pieces is `[1, 2], [3, 4], [5, 6]`; piece 1 begins at 2.",
        "[[row[i * d_k : ▢] for row in rows] for i in range(▢)]",
    ),
    answer=split_rows,
    reference=split_rows,
    result="a list of tables",
    tensors=False,
    probes=(
        Probe("the toy", "On the toy's queries in two heads", {"rows": QUERY, "num_heads": 2}),
        Probe("other sizes", "With 5 words, 6 entries, 3 heads", {"rows": count_up(5, 6), "num_heads": 3}),
        Probe("equal sizes", "With 3 words, 9 entries, 3 heads", {"rows": count_up(3, 9), "num_heads": 3}),
        Probe("one head", "With a single head", {"rows": count_up(2, 3), "num_heads": 1}),
        Probe("a remainder", "With 7 entries and 3 heads", {"rows": count_up(4, 7), "num_heads": 3}, sizes=(7, 3)),
    ),
    singles=(
        MISTAKES["H4"].committed_by(_SPLITS["H4"]),
        *(MISTAKES[code].committed_by(_checked(split)) for code, split in _SPLITS.items() if code != "H4"),
    ),
    pairs=lambda: [
        pair(MISTAKES[code], MISTAKES["H4"], split) for code, split in _SPLITS.items() if code not in ("H4", "T2")
    ],
    shown="Each head holds one piece of every word, and a remainder is refused.",
    transfer="How would you put the pieces together again?",
    review="04",
    see=FIT,
)

# 7. one query with several heads, in plain lists


def attend_with_heads(
    query: list[float], keys: list[list[float]], values: list[list[float]], num_heads: int
) -> list[float]:
    """What one query reads with several heads: the outputs of the heads, side by side."""
    d_k, d_v = len(query) // num_heads, len(values[0]) // num_heads
    output = []
    for head in range(num_heads):
        own = slice(head * d_k, (head + 1) * d_k)
        scores = [sum(q * k for q, k in zip(query[own], key[own], strict=True)) / math.sqrt(d_k) for key in keys]
        largest = max(scores)
        exponents = [math.exp(score - largest) for score in scores]
        for i in range(head * d_v, (head + 1) * d_v):
            output.append(sum(e * value[i] for e, value in zip(exponents, values, strict=True)) / sum(exponents))
    return output


def heads_with(
    *,
    scale: Callable[[int, int], float] = lambda d_k, d_model: math.sqrt(d_k),
    every: bool = False,
    whole: bool = False,
    average: bool = False,
    stable: bool = True,
    cut_alike: bool = False,
) -> Callable[..., list[float]]:
    """One query's heads with some parts replaced: the mutants of ``attend_with_heads``.

    ``every``: a head takes every h-th entry; ``whole``: all heads follow the shares of the whole query; ``cut_alike``:
    values are cut where keys are.
    """

    def share(scores: Sequence[float]) -> list[float]:
        if stable:
            return softmax(scores)
        exponents = [math.exp(score) for score in scores]
        return [exponent / sum(exponents) for exponent in exponents]

    def mutant(query: list[float], keys: Table, values: Table, num_heads: int) -> list[float]:
        def cut(rows: Table) -> list[Table]:
            return _SPLITS["T4" if every else "H4"](rows, num_heads)

        (queries, own_keys, own_values) = cut([query]), cut(keys), cut(values)
        d_k = len(queries[0][0])
        divisor = scale(d_k, len(query))
        if cut_alike:
            own_values = [[row[i * d_k : (i + 1) * d_k] for row in values] for i in range(num_heads)]
        if whole:
            queries, own_keys = [[query]] * num_heads, [keys] * num_heads
        shares = [
            share([dot(q, key) / divisor for key in table]) for (q,), table in zip(queries, own_keys, strict=True)
        ]
        outputs = [mix(own, table) for own, table in zip(shares, own_values, strict=True)]
        if average:
            return [sum(entries) / num_heads for entries in zip(*outputs, strict=True)]
        return [entry for output in outputs for entry in output]

    return mutant


_HEAD_CHANGES: dict[str, dict] = {
    "A1": {"scale": lambda d_k, d_model: 1.0},
    "A2": {"scale": lambda d_k, d_model: math.sqrt(d_model)},
    "A9": {"stable": False},
    "H6": {"average": True},
    "S10": {"scale": lambda d_k, d_model: math.sqrt(d_model / d_k)},
    "S15": {"scale": lambda d_k, d_model: math.sqrt(2)},
    "T25": {"cut_alike": True},
    "T3": {"whole": True, "scale": lambda d_k, d_model: math.sqrt(d_model)},
    "T4": {"every": True},
}


def _head_pairs() -> Iterator[Mutant]:
    for first, second in (
        ("A1", "H6"), ("A1", "T4"), ("A1", "A9"), ("A2", "H6"), ("A2", "T4"), ("A2", "A9"), ("H6", "T3"), ("A9", "T4"),
        ("A9", "H6"), ("A9", "T3"),
    ):  # fmt: skip
        yield pair(MISTAKES[first], MISTAKES[second], heads_with(**(_HEAD_CHANGES[first] | _HEAD_CHANGES[second])))
    yield pair(MISTAKES["T3"], MISTAKES["A1"], heads_with(whole=True, scale=_HEAD_CHANGES["A1"]["scale"]))


ONE_QUERY = Function(
    id="multi_head.one_query",
    number=7,
    title="One query, several heads, in plain lists",
    chapter="03",
    kind="write",
    difficulty=2,
    minutes=15,
    prompt=(
        "Attention of a single query with several heads, in plain lists. Every head takes its piece of the query, of"
        " each key and of each value, and attends by itself; return the outputs side by side. There is no W_O here.\n\n"
        "The toy with two heads: the query of *it*, `[2, 0, 2, 0]`, asks *alive* in head 0 and *singular* in head 1."
        " With the values `[10, 0, 10, 0], [0, 10, 0, 10], [0, 0, 0, 0]` it must read `[6.73, 1.64, 4.46, 4.46]`."
        " Scores may be as large as 1000. You may build on your `attend` of chapter 02 and on `split_rows`."
    ),
    imports="import math",
    template=(
        "def attend_with_heads(\n"
        "    query: list[float], keys: list[list[float]], values: list[list[float]], num_heads: int\n"
        ") -> list[float]:\n"
        '    """What one query reads with several heads: the outputs of the heads, side by side."""\n'
        "    return ..."
    ),
    hints=(
        "Two heads are two calls of attention on shorter lists. Which divisor belongs to a shorter list?",
        "On other numbers: the query `[3, 1, 0, 5]` in two heads asks `[3, 1]` of the first half of each key and"
        " `[0, 5]` of the second half. Both scores are divided by the root of 2.",
        "scores = [dot(query[own], key[▢]) / math.sqrt(▢) for key in keys], with own = slice(head * d_k, ▢)",
    ),
    answer=attend_with_heads,
    reference=attend_with_heads,
    result="a list of numbers",
    tensors=False,
    probes=(
        Probe(
            "it",
            "On the toy's row *it* in two heads",
            {"query": QUERY[2], "keys": KEY, "values": VALUES, "num_heads": 2},
            ("it",),
        ),
        Probe(
            "other sizes",
            "With 2 keys, 3 heads, d_k 2 and d_v 1",
            {
                "query": [1.0, 2.0, -1.0, 0.5, 2.0, 0.0],
                "keys": [[1.0, 0.5, 0.0, 2.0, 1.0, 1.0], [-1.0, 2.0, 1.0, 0.0, 0.5, 3.0]],
                "values": [[1.0, 2.0, 3.0], [4.0, -1.0, 0.0]],
                "num_heads": 3,
            },
            ("",),
        ),
        Probe(
            "longer values",
            "With 3 keys, 2 heads, d_k 1 and d_v 3",
            {
                "query": [1.5, -1.0],
                "keys": [[1.0, 2.0], [0.0, 1.0], [-1.0, 0.5]],
                "values": count_up(3, 6),
                "num_heads": 2,
            },
            ("",),
        ),
        Probe(
            "one head", "With a single head", {"query": QUERY[1], "keys": KEY, "values": VALUES, "num_heads": 1}, ("",)
        ),
        Probe(
            "large scores",
            "With scores of 1000 and −1000",
            {
                "query": [1450.0, 0.0, -1450.0, 1.0],
                "keys": [[1.0, 1.0, 1.0, 0.0], [1.001, 0.0, -1.0, 0.5], [-1.0, 2.0, 0.0, 3.0]],
                "values": [[1.0, 2.0], [3.0, 5.0], [0.0, -1.0]],
                "num_heads": 2,
            },
            ("",),
        ),
    ),
    singles=(
        *(MISTAKES[code].committed_by(heads_with(**change)) for code, change in _HEAD_CHANGES.items()),
        MISTAKES["T3"].committed_by(heads_with(whole=True)),
    ),
    pairs=lambda: tuple(_head_pairs()),
    shown="Each head asks its own question with its own divisor: *it* reads the cat in one, *singular* in the other.",
    transfer="Could one head of four entries read `[6.73, 1.64, 4.46, 4.46]`?",
    review="05",
    see=TWO_THINGS,
)

# 8. debug: which version mixes the sentences

SPLIT_VERSIONS = {
    "A": "x.reshape(b, t, h, d_k).transpose(1, 2)",
    "B": "x.reshape(b, h, t, d_k)",
    "C": "x.reshape(h, b, t, d_k).transpose(0, 1)",
}
FIND_THE_MIX = Choice(
    id="multi_head.find_the_mix",
    number=8,
    title="Which version mixes the sentences?",
    chapter="03",
    kind="debug",
    difficulty=3,
    minutes=8,
    prompt=(
        "Three ways to split `x` (b, t, h · d_k) into heads (b, h, t, d_k). All three return the right shape, and"
        " with each of them a small model learned one batch by heart, to the same low loss. One is right, one mixes"
        " the words of a sentence, one mixes the sentences of the batch.\n\n"
        + "\n\n".join(f"Version {letter}\n\n```\n{code}\n```" for letter, code in SPLIT_VERSIONS.items())
    ),
    hints=(
        "`reshape` never moves a number: it reads them in order, last axis fastest. Which axes of the new shape lie in"
        " the old order?",
        "On other numbers: 0 … 7 as (2 words, 4 entries) are `0 1 2 3` and `4 5 6 7`. Reshaped to (2 heads, 2 words, 2"
        " entries), head 0 holds `0 1` and `2 3`: both from the first word.",
        "(b, t, h · d_k) may be read as (b, t, ▢, ▢) without moving a number; any other order needs a swap.",
    ),
    fields=(
        Choose(
            name="version",
            question="Which version mixes the sentences?",
            options={
                "A": Option("Version A", "It cuts each row where it lies and then swaps two axes: right."),
                "B": Option("Version B", "It mixes words, but b stays first: each sentence keeps its numbers."),
                "C": Option("Version C", "Its first axis is h: the first head gets the first sentences.", True),
            },
        ),
        Choose(
            name="sentences",
            question="What exposes it?",
            options={
                "A": Option(
                    "Change sentence 1, look at sentence 0",
                    "In a right layer, and in version B, nothing of sentence 0 may move.",
                    True,
                ),
                "B": Option("Look at the shape", "All three have the right one."),
                "C": Option("Look at the training loss", "It was low with all three."),
                "D": Option("Try it with a single sentence", "With b = 1 there is no other sentence to mix with."),
            },
        ),
        Choose(
            name="words",
            question="And what exposes the version that mixes the words?",
            options={
                "A": Option("Change sentence 1, look at sentence 0", "This version passes: its sentences stay apart."),
                "B": Option(
                    "Under a causal mask, change the last word, look at the rows before it",
                    "What comes last may move no earlier row; here it does.",
                    True,
                ),
                "C": Option("Merge the heads again, compare with x", "Its own inverse gives x back, mixed or not."),
                "D": Option("Add up each row of shares", "Softmax makes them 1 for any numbers."),
            },
        ),
        Choose(
            name="fix",
            question="What mends version C?",
            options={
                "A": Option("`x.reshape(b, t, h, d_k).transpose(1, 2)`", "Cut where it lies, then swap.", True),
                "B": Option("`x.reshape(b, h, t, d_k)`", "Sentences stay apart, but words mix (H1)."),
                "C": Option(
                    "`x.reshape(h, b, t, d_k)`", "That only hides the mix: [h, b, …] is then read as [b, h, …] (H3)."
                ),
                "D": Option("`x.reshape(b, t, d_k, h).permute(0, 3, 1, 2)`", "Heads of every h-th entry (T4)."),
            },
        ),
    ),
    beliefs=(
        MISTAKES["H1"].committed_by({"fix": "B"}),
        MISTAKES["H1"].committed_by({"version": "B", "fix": "B"}),
        MISTAKES["H1"].committed_by(
            {"version": "B"}, phrase="taking the mix of words for one of sentences", then="Follow entry [1, 0, 0] of x."
        ),
        MISTAKES["H3"].committed_by({"fix": "C"}, then="Follow entry [1, 0, 0] of x."),
        MISTAKES["T4"].committed_by({"fix": "D"}),
    ),
    shown="Version, both probes and the fix hold. Shape and loss could not tell these versions apart.",
    transfer="Which probe would expose a layer that mixes the heads?",
    review="08",
    see=WHOSE,
)

# 12. where a head looks


def shares_at_offsets(weights: list[list[float]], offsets: list[int]) -> list[float]:
    """For each offset, the mean share that a word gives to the word at that distance (−1: the previous one)."""
    found = []
    for offset in offsets:
        shares = [row[i + offset] for i, row in enumerate(weights) if 0 <= i + offset < len(row)]
        found.append(sum(shares) / len(shares))
    return found


def _looks(
    *, backwards: bool = False, wraps: bool = False, all_rows: bool = False, most: bool = False, total: bool = False
) -> Callable[[Table, list[int]], list[float]]:
    def mutant(weights: Table, offsets: list[int]) -> list[float]:
        found = []
        for offset in (-each if backwards else each for each in offsets):
            size = len(weights)
            read = [(i, (i + offset) % size) for i in range(size) if wraps or 0 <= i + offset < size]
            shares = [weights[i][j] for i, j in read]
            if most:
                shares = [float(max(weights[i]) == weights[i][j]) for i, j in read]
            found.append(sum(shares) / (1 if total else size if all_rows else len(read)))
        return found

    return mutant


def _wraps_on_the_left(weights: Table, offsets: list[int]) -> list[float]:
    found = []
    for offset in offsets:
        shares = [row[i + offset] for i, row in enumerate(weights) if i + offset < len(row)]
        found.append(sum(shares) / len(shares))
    return found


def _starts_at_row_0(weights: Table, offsets: list[int]) -> list[float]:
    sizes = [len(weights) - abs(offset) for offset in offsets]
    return [sum(weights[i][i + k] for i in range(size)) / size for k, size in zip(offsets, sizes, strict=True)]


TOY_SHARES = [softmax([dot(query, key) / 2 for key in KEY]) for query in QUERY]
_UNEVEN = [softmax([math.sin(1.7 * row + 2.3 * column) * 2 for column in range(5)]) for row in range(5)]
_LOOK_CHANGES: dict[str, dict[str, bool]] = {
    "T13": {"backwards": True},
    "T14": {"wraps": True},
    "T15": {"all_rows": True},
    "T18": {"most": True},
    "T27": {"total": True},
}

SHARES_AT_OFFSETS = Function(
    id="multi_head.shares_at_offsets",
    number=12,
    title="Does a head look at the previous word?",
    chapter="03",
    kind="write",
    difficulty=2,
    minutes=8,
    prompt=(
        "Before a head may be called “previous word”, its share must be measured, and compared with heads that know"
        " nothing. `weights` is the table of shares of one head: row i belongs to the word that asks. For each offset"
        " in `offsets` return the mean share that words give to the word at that distance: −1 is the previous word, 0"
        " the word itself, 1 the next. Words that have no such neighbour are left out.\n\n"
        "On the toy, offset −1 gives `.176`: *mat* gives *cat* `.107`, and *it* gives *mat* `.245`."
    ),
    imports="",
    template=(
        "def shares_at_offsets(weights: list[list[float]], offsets: list[int]) -> list[float]:\n"
        '    """For each offset, the mean share that a word gives to the word at that distance (−1: the previous'
        ' one)."""\n'
        "    return ..."
    ),
    hints=(
        "Write down the pairs (row, column) that belong to offset −1 in a table of three words. There are two.",
        "On other numbers: two words with the shares `.9 .1` and `.4 .6`. Offset −1 reads one entry, .4; offset 1 reads"
        " .1; offset 0 reads .9 and .6, on average .75.",
        "[row[i + ▢] for i, row in enumerate(weights) if ▢ <= i + offset < ▢]",
    ),
    answer=shares_at_offsets,
    reference=shares_at_offsets,
    result="a list of numbers",
    tensors=False,
    probes=(
        Probe("the toy", "On the toy at offsets −1, 0 and 1", {"weights": TOY_SHARES, "offsets": [-1, 0, 1]}, ("",)),
        Probe("five words", "With five words at offset −1", {"weights": _UNEVEN, "offsets": [-1]}, ("",)),
        Probe("far away", "With five words at offsets −3 and 2", {"weights": _UNEVEN, "offsets": [-3, 2]}, ("",)),
        Probe("the word itself", "With five words at offset 0", {"weights": _UNEVEN, "offsets": [0]}, ("",)),
    ),
    singles=(
        *(MISTAKES[code].committed_by(_looks(**change)) for code, change in _LOOK_CHANGES.items()),
        MISTAKES["T14"].committed_by(_wraps_on_the_left),
        MISTAKES["T14"].committed_by(_starts_at_row_0),
    ),
    pairs=lambda: [
        pair(MISTAKES[a], MISTAKES[b], _looks(**(_LOOK_CHANGES[a] | _LOOK_CHANGES[b])))
        for a, b in (("T13", "T14"), ("T13", "T15"), ("T13", "T18"), ("T13", "T27"), ("T15", "T18"), ("T14", "T18"))
    ],
    shown="The profile agrees at every distance, and words without such a neighbour are left out.",
    transfer="Which share on the previous word would a head reach that looks at all words alike?",
    review="06",
    see=LOOK_AT,
)

# 13. debug: layers that are not trained

_START = """\
class Heads(nn.Module):
    def __init__(self, d_model, d_k, num_heads):
        super().__init__()
        {kept}
        self.output = nn.Linear(d_model, d_model)

    def forward(self, x):
        {heads}
        return self.output(torch.cat([head(x) for head in heads], dim=-1))"""
_MADE = "[Head(d_model, d_k) for _ in range(num_heads)]"
MODULE_VERSIONS = {
    "A": _START.format(kept=f"self.heads = {_MADE}", heads="heads = self.heads"),
    "B": _START.format(kept=f"self.heads = nn.ModuleList({_MADE})", heads="heads = self.heads"),
    "C": _START.format(kept="self.make = lambda: " + _MADE, heads="heads = self.make()"),
}
WHICH_HEADS_LEARN = Choice(
    id="multi_head.which_heads_learn",
    number=13,
    title="Which heads learn?",
    chapter="03",
    kind="debug",
    difficulty=2,
    minutes=6,
    prompt=(
        "`Head(d_model, d_k)` is a module with three projections without bias, each d_model → d_k. Three versions of a"
        " layer with several heads; each runs and returns the right shape.\n\n"
        + "\n\n".join(f"Version {letter}\n\n```\n{numbered(source)}\n```" for letter, source in MODULE_VERSIONS.items())
        + "\n\nTake d_model = 12 and 3 heads. The three heads then hold 3 · 3 · 12 · 4 = 432 parameters, the output"
        " 12 · 12 + 12 = 156."
    ),
    hints=(
        "A module finds its parts where they are assigned to `self`. Which kinds of value does it look into?",
        "On other numbers: a module with one `nn.Linear(2, 1)` in a plain list and one assigned to `self` reports 3"
        " parameters, not 6.",
        "sum(p.numel() for p in ▢.parameters()) in version A counts the ▢ only.",
    ),
    fields=(
        Choose(
            name="version",
            question="In which version does an optimizer train the heads?",
            options={
                "A": Option("Version A", "A plain list hides its modules from `parameters()`."),
                "B": Option("Version B", "`nn.ModuleList` registers each head.", True),
                "C": Option("Version C", "The heads are made anew at every call; nobody keeps them."),
                "D": Option("All three", "It tempts, since all of them run, and `output` is trained in each."),
            },
        ),
        Choose(
            name="count",
            question="How many parameters does version A report?",
            options={
                "A": Option("588", "That is 432 + 156, what version B reports."),
                "B": Option("156", "Only `output` is registered.", True),
                "C": Option("432", "The heads are the part that is *not* registered."),
                "D": Option("0", "`output` is assigned to `self`, and found."),
            },
        ),
        Choose(
            name="probe",
            question="What tells version C from version A?",
            options={
                "A": Option("Count the parameters", "Both report the same number."),
                "B": Option(
                    "Call the module twice on one input",
                    "A keeps its heads, random as they are; C draws new ones and gives another result.",
                    True,
                ),
                "C": Option("Look at the shape", "Both return the right one."),
                "D": Option("Watch the loss fall", "`output` learns in both, so both losses fall."),
            },
        ),
        Choose(
            name="fix",
            question="What mends version A?",
            options={
                "A": Option("line 4: wrap the list in `nn.ModuleList(…)`", "Then every head is registered.", True),
                "B": Option("line 4: turn the list into a tuple", "A tuple hides its modules as a list does."),
                "C": Option("line 8: make the heads in `forward`", "They would be new at every call (H8)."),
                "D": Option("lower the learning rate", "What an optimizer does not see, no rate moves."),
            },
        ),
    ),
    beliefs=(
        MISTAKES["H9"].committed_by({"version": "A", "count": "A"}),
        MISTAKES["H9"].committed_by({"version": "D", "count": "A"}),
        MISTAKES["H9"].committed_by({"count": "A"}),
        MISTAKES["H9"].committed_by({"fix": "B"}, phrase="layers kept in a plain tuple"),
        MISTAKES["H8"].committed_by({"version": "C"}),
        MISTAKES["H8"].committed_by({"fix": "C"}),
        MISTAKES["H8"].committed_by({"version": "C", "fix": "C"}),
    ),
    shown="Version, count, probe and fix hold: counting parameters finds one bug, calling twice the other.",
    transfer="Which of the two bugs would show after saving and loading the model?",
    review="05",
    see=COST_MORE,
)

# 15. claim

WHICH_SENTENCE = Choice(
    id="multi_head.which_sentence",
    number=15,
    title="Which sentence may be printed?",
    chapter="03",
    kind="claim",
    difficulty=4,
    minutes=8,
    prompt=(
        "An experiment, invented for practice. A trained model has 20 heads. Each is silenced alone, and the accuracy"
        " with it is compared with the accuracy without it on 1000 words. Every comparison is a test at the 5 %"
        " level.\n\n"
        "```\n"
        "heads silenced one at a time            20\n"
        "  p below .05                            1   head 13: 1.1 points lost, interval 0.1 to 2.1\n"
        "  p above .05                           19   intervals between -1.4 and +1.6\n"
        "```\n\n"
        "What would chance alone give, which sentence may be printed, and what settles the matter?"
    ),
    hints=(
        "Suppose that no head matters at all. How many of 20 tests come out below .05 all the same?",
        "On other numbers: 100 fair coins, each tossed 5 times. About 3 of them show heads 5 times. Nobody should call"
        " these three bent before tossing them again.",
        "expected: 20 · ▢; at least one: 1 − .95 to the power ▢",
    ),
    fields=(
        Choose(
            name="by chance",
            question="If no head mattered: how many of 20 tests come out below .05, on average?",
            options={
                "A": Option("none: that is what the test is for", "Each test errs in one case out of twenty."),
                "B": Option("1", "20 tests, each with a chance of .05.", True),
                "C": Option("5", "The level is 5 %, and 5 % of 20 is not 5."),
                "D": Option("19", "That is the number of tests that would *not*."),
            },
        ),
        Choose(
            name="at least one",
            question="How likely is at least one of them then, if the tests are independent?",
            options={
                "A": Option("5 %", "That is the chance of one single test."),
                "B": Option("about 64 %", "1 − .95²⁰ = .64: more likely than not.", True),
                "C": Option("100 %", "20 · 5 % adds up to 100 %, but several may fall together."),
                "D": Option("1.1 %", "1.1 points is what head 13 lost."),
            },
        ),
        Choose(
            name="sentence",
            question="Which sentence may be printed?",
            options={
                "A": Option(
                    "Head 13 is the one that the model needs.", "Chance alone gives one such head, more often than not."
                ),
                "B": Option(
                    "19 of the 20 heads have no effect.", "Their intervals reach up to 1.6 points, which would matter."
                ),
                "C": Option(
                    "One of 20 heads came out below .05, as many as chance gives; for the others losses of up to 1.6"
                    " points remain possible.",
                    "It says what was measured, against what, and what stays open.",
                    True,
                ),
                "D": Option(
                    "19 of the 20 heads can be removed together.", "They were silenced one at a time, never together."
                ),
            },
        ),
        Choose(
            name="next",
            question="What settles whether head 13 matters?",
            options={
                "A": Option("Silence head 13 again, on new words", "One test that was named in advance.", True),
                "B": Option("Silence all 20 again on the same words", "The same draw gives the same p."),
                "C": Option("Look at what head 13 attends to", "A fitting story is found for any head."),
                "D": Option("Raise the level to 10 %", "Then chance gives two such heads."),
            },
        ),
    ),
    beliefs=(
        MISTAKES["T17"].committed_by({"by chance": "A", "at least one": "A", "sentence": "A"}),
        MISTAKES["T17"].committed_by({"by chance": "A", "at least one": "D", "sentence": "A"}),
        MISTAKES["T17"].committed_by({"sentence": "A"}),
        MISTAKES["T17"].committed_by({"at least one": "A"}, phrase="the chance of one test taken for that of twenty"),
        MISTAKES["S6"].committed_by({"sentence": "B"}),
        MISTAKES["S5"].committed_by(
            {"sentence": "D"}, why="Heads may stand in for each other: what one loss shows, nineteen need not."
        ),
        MISTAKES["S5"].committed_by({"next": "C"}, why="What a head looks at does not show what the model needs."),
        pair(MISTAKES["T17"], MISTAKES["S6"], {"by chance": "A", "at least one": "A", "sentence": "B"}),
    ),
    shown="Twenty tests at 5 % give one finding by chance; the sentence says so, and the next test is named first.",
    transfer="At which level would each of 20 tests have to run, for 5 % in all?",
    review="05",
    see=NEEDED,
)

# 11. spaced review of chapter 02

REVIEW_WITH_HEADS = Choice(
    id="multi_head.review_with_heads",
    number=11,
    title="Chapter 02 again, with heads",
    chapter="03",
    kind="predict",
    difficulty=2,
    minutes=5,
    prompt=(
        "Scores of a layer with 3 heads have shape (2, 3, 5, 7): 2 sentences, 3 heads, 5 queries, 7 keys. d_model is"
        " 12. `may_attend` has shape (2, 5, 7). Four decisions of chapter 02, now with heads."
    ),
    hints=(
        "Say the four axes aloud: sentence, head, query, key. One head of one query hands out one unit.",
        "On other numbers: with d_model 40 in 5 heads one score adds up 8 products, so the root of 8 is its spread.",
        "softmax(dim=▢); the root of 12 / ▢; a mask of shape (2, ▢, 5, 7)",
    ),
    fields=(
        Choose(
            name="softmax",
            question="Softmax runs along dim",
            options={
                "A": Option("0, the sentences", "Sentences would compete for a word."),
                "B": Option("1, the heads", "Heads would compete: what one gives, the others lose."),
                "C": Option("2, the queries", "Queries would compete for a key."),
                "D": Option("3, the keys", "One query of one head shares one unit among the keys.", True),
            },
        ),
        Choose(
            name="divisor",
            question="The scores are divided by",
            options={
                "A": Option("√12", "d_model counts all heads; one score adds up 4 products."),
                "B": Option("√4", "12 entries in 3 heads: 4 products in one score.", True),
                "C": Option("√7", "The number of keys does not change the spread of one score."),
                "D": Option("nothing: smaller heads need none", "√4 = 2 still changes every share."),
            },
        ),
        Choose(
            name="mask",
            question="To fit the scores, the mask becomes",
            options={
                "A": Option("(2, 5, 7), as it is", "Broadcasting reads from the right: 2 would meet the 3 heads."),
                "B": Option("(2, 1, 5, 7)", "One mask for each sentence, the same for all of its heads.", True),
                "C": Option("(1, 2, 5, 7)", "Then 2 sentences meet 3 heads; with 2 heads it would even run."),
                "D": Option("(2, 5, 7, 1)", "Then 5 queries would meet 3 heads."),
            },
        ),
        Choose(
            name="when",
            question="It is applied",
            options={
                "A": Option(
                    "to the scores, as −∞, before softmax", "Blocked keys leave before the unit is shared.", True
                ),
                "B": Option("to the shares, as 0, after softmax", "The rows then no longer add up to 1."),
                "C": Option("to the merged heads", "By then the blocked words have been read."),
            },
        ),
    ),
    beliefs=(
        *(MISTAKES["A4"].committed_by({"softmax": letter}) for letter in "ABC"),
        MISTAKES["A2"].committed_by({"divisor": "A"}),
        MISTAKES["A1"].committed_by({"divisor": "D"}),
        MISTAKES["T7"].committed_by({"mask": "A"}),
        MISTAKES["T7"].committed_by({"mask": "C"}),
        MISTAKES["M1"].committed_by({"when": "B"}),
        pair(MISTAKES["A4"], MISTAKES["A2"], {"softmax": "C", "divisor": "A"}),
        pair(MISTAKES["A2"], MISTAKES["T7"], {"divisor": "A", "mask": "A"}),
        pair(MISTAKES["A2"], MISTAKES["M1"], {"divisor": "A", "when": "B"}),
    ),
    shown="Axis, divisor, shape and moment hold: heads add an axis, and the rules stay.",
    transfer="Which of the four would no training loss have told you?",
    review="05",
    see=WHOSE,
)

EXERCISES = (
    PREDICT_SHAPES,
    ORDER_THE_STEPS,
    SPLIT_ROWS,
    ONE_QUERY,
    FIND_THE_MIX,
    REVIEW_WITH_HEADS,
    SHARES_AT_OFFSETS,
    WHICH_HEADS_LEARN,
    WHICH_SENTENCE,
)
