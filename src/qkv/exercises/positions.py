"""Chapter 04, exercises in plain Python: predict, order, write with lists, debug, claim.

Standard library only, so that they are judged in a page as well as in a notebook.
"""

import math
from collections.abc import Callable, Iterable

from qkv.exercises.attention import numbered
from qkv.exercises.choices import Choice, Choose, Line, Option, Parsons
from qkv.exercises.functions import Function, Probe, pair
from qkv.exercises.positions_mistakes import ADDED, CLOCK, COLUMN_FOR_I, FORMULA, LEARNED, MISTAKES, ORDER, PROVED, STEP

# 1. predict

PREDICT_THE_SWAP = Choice(
    id="positions.predict_the_swap",
    number=1,
    title="Two words change places",
    chapter="04",
    kind="predict",
    difficulty=1,
    minutes=2,
    prompt=(
        "The toy without positions: *cat*, *mat*, *it* have the values (10, 0), (0, 10), (0, 0). *it* outputs"
        " (6.65, 2.45), and *cat* shares its attention evenly. Now *cat* and *mat* change places: *mat cat it*. What"
        " does *it* output now? And what does *cat* output before and after, when a word may read only itself and"
        " what came before?"
    ),
    hints=(
        "Without a mask, does any weight know where its two words stand?",
        "On other numbers: 2 of 10, 3 of 20 and 5 of 30 add up to the same in any order. Leave out all behind the"
        " first, and the order decides what is added.",
        "Before, *cat* reads ▢ alone; after, it reads *mat* and ▢, half each.",
    ),
    fields=(
        Choose(
            name="it",
            question="*it*, without a mask, after the swap",
            options={
                "A": Option("(6.65, 2.45), as before", "Keys and values move together; the sum has no order.", True),
                "B": Option("(2.45, 6.65)", "It tempts, but the weight of *cat* goes with the cat to its new place."),
                "C": Option("(3.33, 3.33)", "The weights compare *it* with each word, and no word has changed."),
            },
        ),
        Choose(
            name="cat",
            question="*cat* under the causal mask, before → after",
            options={
                "A": Option("(10, 0) → (10, 0)", "After the swap *mat* stands before *cat*, so *cat* reads it."),
                "B": Option("(10, 0) → (5, 5)", "First it reads itself alone, then *mat* and itself.", True),
                "C": Option("(3.33, 3.33) → (3.33, 3.33)", "That is *cat* without a mask."),
                "D": Option("(5, 5) → (10, 0)", "Before the swap nothing stands before *cat*."),
            },
        ),
    ),
    beliefs=(
        MISTAKES["R1"].committed_by({"it": "B"}),
        MISTAKES["R1"].committed_by({"it": "C"}),
        MISTAKES["R2"].committed_by({"cat": "A"}),
        MISTAKES["R2"].committed_by({"cat": "C"}),
        pair(MISTAKES["R1"], MISTAKES["R2"], {"it": "B", "cat": "A"}),
    ),
    shown="Both hold: attention alone is blind to order, and the causal mask lets a little of it in.",
    transfer="Which word's output can never change under that mask, whoever comes after it?",
    review="05",
    see=ORDER,
)

# 2. Parsons

EMBEDDING = [[1.0, 0.0, 1.0, 0.0], [0.0, 1.0, 1.0, 0.0], [0.0, 0.0, 0.0, 1.0]]


def position_row(position: int, d_model: int) -> list[float]:
    """One row of the table: sine and cosine of position / 10000^(2i / d_model), in turn."""
    row = []
    for column in range(d_model):
        even = column - column % 2
        angle = position / 10_000 ** (even / d_model)
        row.append(math.cos(angle) if column % 2 else math.sin(angle))
    return row


def norm(row: list[float]) -> list[float]:
    """Entries with mean 0 and spread 1; equal entries become 0."""
    mean = sum(row) / len(row)
    spread = math.sqrt(sum((entry - mean) ** 2 for entry in row) / len(row) + 1e-5)
    return [(entry - mean) / spread for entry in row]


def add(first: list[float], second: list[float]) -> list[float]:
    """Entry by entry."""
    return [a + b for a, b in zip(first, second, strict=True)]


def run_lines(lines: Iterable[str]) -> list[list[float]]:
    """The model's input for the words 0, 1, 0 after lines that were put into an order."""
    names: dict = {"ids": [0, 1, 0], "embedding": EMBEDDING, "table": [position_row(p, 4) for p in range(5)]}
    names |= {"add": add, "norm": norm, "scale": math.sqrt(4)}
    for line in lines:
        exec(line, names)
    return names["x"]


ORDER_THE_INPUT = Parsons(
    id="positions.order_the_input",
    number=2,
    title="From words to the model's input",
    chapter="04",
    kind="Parsons",
    difficulty=2,
    minutes=4,
    prompt=(
        "Put lines into an order that makes the input `x` of a model out of `ids`, the words *cat mat cat*. The model"
        " multiplies embeddings by `scale`, the root of d_model, adds positions, and norms the sum. Two lines are"
        " false friends and stay out.\n\n`table` holds one row per position, `add` and `norm` work on a row. To norm"
        " a row is to shift and stretch its entries until their mean is 0 and their spread is 1; chapter 05 says why."
    ),
    hints=(
        "Which line makes `x` out of `ids`, and which one needs a finished sum?",
        "On other numbers: a price of 3 with tax factor 2 and a fee of 1 costs 3 · 2 + 1 = 7; the fee first gives 8.",
        "A, ▢, C, ▢. The factor comes before the sum.",
    ),
    lines={
        "A": Line("x = [embedding[i] for i in ids]", (), "x", True, "Picks a row for each word."),
        "B": Line(
            "x = [[scale * entry for entry in row] for row in x]",
            ("x",),
            "x",
            True,
            "Brings words and positions to one size.",
        ),
        "C": Line(
            "x = [add(row, table[p]) for p, row in enumerate(x)]",
            ("x",),
            "x",
            True,
            "Adds to each word the row of its place, counted from 0.",
        ),
        "D": Line("x = [norm(row) for row in x]", ("x",), "x", True, "Norms what word and position make together."),
        "E": Line(
            "x = [add(row, table[i]) for i, row in zip(ids, x)]",
            ("x",),
            "x",
            False,
            "Line E looks the position up by the word: both *cat* get the same row.",
        ),
        "F": Line(
            "x = [add(row, table[p + 1]) for p, row in enumerate(x)]",
            ("x",),
            "x",
            False,
            "Line F counts places from 1.",
        ),
    },
    wanted="x",
    order="ABCD",
    orders=(
        MISTAKES["P11"].committed_by("ACD", phrase="an embedding without the factor √d_model"),
        MISTAKES["P11"].committed_by("ABBCD", phrase="an embedding with the factor √d_model twice"),
        MISTAKES["P12"].committed_by("ABDC"),
        MISTAKES["P12"].committed_by("ADBC"),
        MISTAKES["R3"].committed_by("ABED"),
        MISTAKES["P7"].committed_by("ABFD"),
        MISTAKES["R4"].committed_by("ACBD"),
        pair(MISTAKES["P11"], MISTAKES["P12"], "ADC"),
        pair(MISTAKES["P11"], MISTAKES["R3"], "AED"),
        pair(MISTAKES["P11"], MISTAKES["P7"], "AFD"),
    ),
    run=run_lines,
    rows=("cat", "mat", "cat"),
    shown="Word, factor, position, norm: the two *cat* now differ, and they differ by their places alone.",
    transfer="What would the two rows of *cat* be without line C?",
    review="05",
    see=ADDED,
)

# 3. write one row of the table


def row_with(
    *,
    start: int = 0,
    base: float = 10_000.0,
    exponent: Callable[[int, int], float] = lambda column, d_model: (column - column % 2) / d_model,
    divide: bool = True,
    swapped: bool = False,
    halves: bool = False,
    even_only: bool = False,
    floored: bool = False,
) -> Callable[[int, int], list[float]]:
    """One row with some of its parts replaced: the mutants of ``position_row``."""

    def frequency(column: int, d_model: int) -> float:
        if floored:
            return math.exp((column - column % 2) * (-math.log(base) / d_model // 1))
        power = base ** exponent(column, d_model)
        return 1 / power if divide else power

    def mutant(position: int, d_model: int) -> list[float]:
        columns = range(d_model + d_model % 2 if even_only else d_model)
        angles = [(position + start) * frequency(column, d_model) for column in columns]
        waves = [math.cos(a) if (column % 2) != swapped else math.sin(a) for column, a in enumerate(angles)]
        return waves[::2] + waves[1::2] if halves else waves

    return mutant


_ROW_CHANGES: dict[str, dict] = {
    "P1": {"exponent": lambda column, d_model: 2 * (column - column % 2) / d_model},
    "P2": {"exponent": lambda column, d_model: column / d_model},
    "P3": {"floored": True},
    "P4": {"divide": False},
    "P5": {"halves": True},
    "P6": {"base": 1000.0},
    "P7": {"start": 1},
    "P13": {"even_only": True},
    "R5": {"swapped": True},
    "R14": {"exponent": lambda column, d_model: column // 2 / d_model},
    "R15": {"exponent": lambda column, d_model: column - column % 2},
}


def _row_pairs() -> list:
    couples = [("P1", "P5"), ("P1", "P7"), ("P2", "P7"), ("P4", "P5"), ("P5", "P7"), ("P1", "R5"), ("P6", "P7")]
    return [pair(MISTAKES[a], MISTAKES[b], row_with(**_ROW_CHANGES[a], **_ROW_CHANGES[b])) for a, b in couples]


ONE_ROW = Function(
    id="positions.position_row",
    number=3,
    title="One row of the table",
    chapter="04",
    kind="write",
    difficulty=2,
    minutes=10,
    prompt=(
        "Write one row of the table of positions with plain Python: column 2i holds sin(position / 10000^(2i / d_model)"
        "), column 2i + 1 the cosine of the same angle. With d_model 4, position 1 must give"
        " `[0.841, 0.540, 0.010, 1.000]`. An odd d_model ends with a sine."
    ),
    imports="import math",
    template=(
        "def position_row(position: int, d_model: int) -> list[float]:\n"
        '    """One row of the table: sine and cosine of position / 10000^(2i / d_model), in turn."""\n'
        "    return ..."
    ),
    hints=(
        "Columns 0 and 1 share an angle, columns 2 and 3 share the next. Which number of the formula do they share?",
        "On other numbers: with base 100 and d_model 4 the angles of position 3 are 3 / 1 and 3 / 10.",
        "angle = position / 10000 ** (▢ / d_model), where ▢ is the column, or one less if the column is odd",
    ),
    answer=position_row,
    reference=position_row,
    result="a list of numbers",
    tensors=False,
    probes=(
        Probe("position 1", "With position 1 and d_model 4", {"position": 1, "d_model": 4}, ("",)),
        Probe("position 0", "With position 0 and d_model 6", {"position": 0, "d_model": 6}, ("",)),
        Probe("position 7", "With position 7 and d_model 10", {"position": 7, "d_model": 10}, ("",)),
        Probe("odd", "With position 3 and d_model 5", {"position": 3, "d_model": 5}, ("",)),
        Probe("far", "With position 5000 and d_model 16", {"position": 5000, "d_model": 16}, ("",)),
        Probe("one pair", "With position 2 and d_model 2", {"position": 2, "d_model": 2}, ("",)),
    ),
    singles=(
        *(MISTAKES[code].committed_by(row_with(**change)) for code, change in _ROW_CHANGES.items()),
        MISTAKES["P1"].committed_by(row_with(exponent=lambda column, d_model: 2 * column / d_model), **COLUMN_FOR_I),
        MISTAKES["P13"].committed_by(lambda position, d_model: position_row(position, d_model)[: d_model // 2 * 2]),
    ),
    pairs=_row_pairs,
    shown="Your row agrees near and far, for even and odd sizes.",
    transfer="Which two columns are still almost 0 and 1 at position 100, with d_model 16?",
    review="05",
    see=CLOCK,
)

# 4. turn a hand


def shift_hand(hand: list[float], offset: float, frequency: float) -> list[float]:
    """The hand (sin, cos) of position p, turned to position p + offset."""
    sine, cosine = hand
    angle = offset * frequency
    return [
        sine * math.cos(angle) + cosine * math.sin(angle),
        cosine * math.cos(angle) - sine * math.sin(angle),
    ]


def _hand_by(angle: Callable[[float, float], float], added: bool = False) -> Callable[..., list[float]]:
    def mutant(hand: list[float], offset: float, frequency: float) -> list[float]:
        turn = angle(offset, frequency)
        if added:
            return [entry + turn for entry in hand]
        return shift_hand(hand, turn, 1.0)

    return mutant


SHIFT_THE_HAND = Function(
    id="positions.shift_hand",
    number=4,
    title="One step further, without the position",
    chapter="04",
    kind="write",
    difficulty=3,
    minutes=10,
    prompt=(
        "A pair of columns is the hand of a clock: `hand` is [sin(p · frequency), cos(p · frequency)] of some position"
        " p that you are not told. Return the hand of position p + offset. The offset may be negative."
    ),
    imports="import math",
    template=(
        "def shift_hand(hand: list[float], offset: float, frequency: float) -> list[float]:\n"
        '    """The hand (sin, cos) of position p, turned to position p + offset."""\n'
        "    return ..."
    ),
    hints=(
        "By which angle does the hand turn when the position grows by `offset`?",
        "On other numbers: a hand of 0° is (0, 1). Turned by 90° it is (1, 0), by 180° (0, −1).",
        "[sine * cos(angle) + cosine * ▢, cosine * cos(angle) - sine * ▢]",
    ),
    answer=shift_hand,
    reference=shift_hand,
    result="a list of two numbers",
    tensors=False,
    probes=(
        Probe("from 0", "From the hand of position 0", {"hand": [0.0, 1.0], "offset": 1.0, "frequency": 1.0}, ("",)),
        Probe(
            "slow",
            "With a slow hand",
            {"hand": [math.sin(0.3), math.cos(0.3)], "offset": 4.0, "frequency": 0.1},
            ("",),
        ),
        Probe(
            "back",
            "With a step back",
            {"hand": [math.sin(2.5), math.cos(2.5)], "offset": -2.0, "frequency": 0.5},
            ("",),
        ),
        Probe(
            "below",
            "With a hand that points down",
            {"hand": [math.sin(4.0), math.cos(4.0)], "offset": 1.0, "frequency": 0.5},
            ("",),
        ),
        Probe(
            "no step", "With offset 0", {"hand": [math.sin(1.1), math.cos(1.1)], "offset": 0.0, "frequency": 0.7}, ("",)
        ),
    ),
    singles=(
        MISTAKES["R6"].committed_by(_hand_by(lambda offset, frequency: -offset * frequency)),
        MISTAKES["R7"].committed_by(
            lambda hand, offset, frequency: [
                hand[0] * math.sin(offset * frequency),
                hand[1] * math.cos(offset * frequency),
            ]
        ),
        MISTAKES["R8"].committed_by(_hand_by(lambda offset, frequency: offset * frequency, added=True)),
        MISTAKES["R8"].committed_by(
            lambda hand, offset, frequency: [
                hand[0] * math.cos(offset * frequency) + hand[1] * math.sin(offset * frequency),
                hand[1] * math.cos(offset * frequency) + hand[0] * math.sin(offset * frequency),
            ],
            phrase="two plus signs in the turn",
            why="One of the four products is subtracted, or the hand changes its length.",
        ),
        MISTAKES["R9"].committed_by(_hand_by(lambda offset, frequency: offset)),
        MISTAKES["R9"].committed_by(
            _hand_by(lambda offset, frequency: offset / frequency),
            phrase="an offset divided by the frequency",
        ),
    ),
    pairs=lambda: [
        pair(MISTAKES["R6"], MISTAKES["R9"], _hand_by(lambda offset, frequency: -offset)),
        pair(MISTAKES["R8"], MISTAKES["R9"], _hand_by(lambda offset, frequency: offset, added=True)),
    ],
    shown="Your turn needs no position: a step is the same turn wherever it starts.",
    transfer="Why does the dot product of two rows of the table depend on their distance alone?",
    review="08",
    see=STEP,
)

# 5. debug

TABLES = {
    "A": ("10000 ** (2 * i / d)", "10000 ** (2 * i / d)", "p"),
    "B": ("10000 ** (2 * i / d)", "10000 ** ((2 * i + 1) / d)", "p"),
    "C": ("10000 ** (2 * i / d)", "10000 ** (2 * i / d)", "(p + 1)"),
}


def table_source(letter: str) -> str:
    """The code of one version of exercise 5."""
    for_sine, for_cosine, place = TABLES[letter]
    first, second = ("i", "half + i") if letter == "A" else ("2 * i", "2 * i + 1")
    return (
        "for p in range(t):\n"
        "    for i in range(half):\n"
        f"        table[p][{first}] = sin({place} / {for_sine})\n"
        f"        table[p][{second}] = cos({place} / {for_cosine})"
    )


WHICH_TABLE = Choice(
    id="positions.which_table",
    number=5,
    title="Three tables, one loss",
    chapter="04",
    kind="debug",
    difficulty=3,
    minutes=8,
    prompt=(
        "Three versions of the table, `d` columns, `half = d / 2` (d is even). With each a small model learned to copy"
        " words, to the same loss. In exactly one of them the dot product of two rows depends on more than their"
        " distance. Find it, its line, what shows it, and the fix.\n\n"
        + "\n\n".join(f"Version {letter}\n\n```\n{numbered(table_source(letter))}\n```" for letter in TABLES)
    ),
    hints=(
        "The distance of a row to itself is 0 for every row. So which number must be the same for all rows?",
        "On other numbers: (sin a, cos a) has length 1 for every a. (sin a, cos b) has length 1.4 for a = 90°, b = 0°.",
        "Sine and cosine of a pair must share the exponent 2 * i / ▢.",
    ),
    fields=(
        Choose(
            name="version",
            question="In which version does the dot product depend on more than the distance?",
            options={
                "A": Option("Version A", "The same numbers in another order of columns: dot products do not notice."),
                "B": Option("Version B", "Sine and cosine of a pair have two speeds, so they are no hand.", True),
                "C": Option("Version C", "All positions are one further; distances are as before."),
            },
        ),
        Choose(
            name="line",
            question="In which line?",
            options={
                "1": Option("line 1", "All versions walk over the same positions."),
                "2": Option("line 2", "There are half as many pairs as columns."),
                "3": Option("line 3", "The sine has the paper's exponent."),
                "4": Option("line 4", "The cosine has an exponent of its own.", True),
            },
        ),
        Choose(
            name="evidence",
            question="What shows it?",
            options={
                "A": Option("the training loss", "It is the same for all three."),
                "B": Option("the shape, and that no entry exceeds 1", "All three pass both."),
                "C": Option(
                    "the length of each row", "It is the dot product at distance 0: the same for all rows?", True
                ),
                "D": Option("row 0", "In version B row 0 is as it should be: 0, 1, 0, 1."),
            },
        ),
        Choose(
            name="fix",
            question="What mends it?",
            options={
                "A": Option("line 4: `10000 ** (2 * i / d)`", "One exponent for both.", True),
                "B": Option("line 3: `10000 ** (4 * i / d)`", "That doubles an exponent (P1) and mends nothing."),
                "C": Option("line 4: `table[p][half + i]`", "Another column, with the same number in it (P5)."),
                "D": Option("train longer", "The table is not trained."),
            },
        ),
    ),
    beliefs=(
        MISTAKES["P5"].committed_by(
            {"version": "A"},
            why="Version A has sines first and cosines after; a dot product adds up the same terms in another order.",
        ),
        MISTAKES["P7"].committed_by(
            {"version": "C"}, why="Version C starts at 1: every row moves by one, and no distance changes."
        ),
        MISTAKES["R13"].committed_by({"evidence": "A"}),
        MISTAKES["R13"].committed_by(
            {"evidence": "B"},
            phrase="“a right shape and entries up to 1 mean a right table”",
            why="All known mistakes in this table pass these two checks.",
        ),
        MISTAKES["P1"].committed_by({"fix": "B"}),
        MISTAKES["P5"].committed_by(
            {"fix": "C"},
            phrase="sines first, cosines after them, for a fix",
            why="The number stays what it was; it only stands elsewhere.",
        ),
    ),
    shown="Version, line, evidence and fix hold. The loss was blind; one dot product saw it.",
    transfer="Which check would find the other two versions?",
    review="09",
    see=FORMULA,
)

# 6. claim

WHICH_SENTENCE = Choice(
    id="positions.which_sentence",
    number=6,
    title="Learned or computed: what may be printed?",
    chapter="04",
    kind="claim",
    difficulty=3,
    minutes=6,
    prompt=(
        "Errors with learned positions minus errors with sinusoids, five seeds, in points. Before the run it was"
        " written down that a difference inside ± 2 points would count as equal. Two outcomes, mean and 95 % interval;"
        " the first is measured, the second invented:\n\n"
        "```\n"
        "measured   +0.2  from -0.8 to +1.3\n"
        "invented   +0.2  from -2.9 to +3.3\n"
        "```\n\n"
        "Which sentence may be printed about each, and what makes the difference?"
    ),
    hints=(
        "Both intervals hold 0. What else was fixed before the run?",
        "On other numbers: margin ± 5. From −1 to 4 is inside, so the two are equal within 5. From −1 to 9 leaves 9"
        " possible.",
        "Equal within the margin means that the ▢ interval lies inside ± 2.",
    ),
    fields=(
        Choose(
            name="measured",
            question="About the measured one",
            options={
                "A": Option("Learned positions are worse by 0.2 points.", "The interval reaches from −0.8 to +1.3."),
                "B": Option(
                    "Within ± 2 points, learned positions and sinusoids are equal on this task.",
                    "The whole interval lies inside the margin.",
                    True,
                ),
                "C": Option("Learned positions and sinusoids are the same.", "Up to 1.3 points remain possible."),
                "D": Option("No conclusion is possible.", "The margin was stated, and the interval is inside it."),
            },
        ),
        Choose(
            name="invented",
            question="About the invented one",
            options={
                "A": Option("They are equal, for the interval holds 0.", "It also holds +3.3, more than the margin."),
                "B": Option(
                    "Equality within ± 2 points was not shown, nor was a difference.",
                    "The interval reaches beyond the margin on both sides.",
                    True,
                ),
                "C": Option("Learned positions are worse.", "The interval reaches below 0."),
            },
        ),
        Choose(
            name="reason",
            question="What decides",
            options={
                "A": Option("whether the interval holds 0", "Both do."),
                "B": Option(
                    "whether the whole interval lies within the margin stated before", "That is the rule.", True
                ),
                "C": Option("the mean", "It is the same in both."),
                "D": Option("a margin chosen so that the interval fits", "Chosen afterwards, it can prove anything."),
            },
        ),
    ),
    beliefs=(
        MISTAKES["S5"].committed_by({"measured": "A"}),
        MISTAKES["S5"].committed_by({"measured": "C"}),
        MISTAKES["S6"].committed_by({"invented": "A", "reason": "A"}),
        MISTAKES["S6"].committed_by({"invented": "A"}),
        MISTAKES["S5"].committed_by(
            {"reason": "D"},
            phrase="a margin chosen after the run",
            why="A margin that follows the data can make anything equal.",
            then="Ask on which day the margin was written down.",
        ),
    ),
    shown="Both sentences say what interval and margin say, and no more.",
    transfer="How many seeds more would you need to halve the width of an interval?",
    review="07",
    see=LEARNED,
)

# 7. review

AGAIN = Choice(
    id="positions.again",
    number=7,
    title="From the chapters before",
    chapter="04",
    kind="predict",
    difficulty=2,
    minutes=4,
    prompt=(
        "Three questions that return. A model has d_model 512 and eight heads. Its words are numbered 0, 1, 2, …, and"
        " it may not read ahead."
    ),
    hints=(
        "How many entries does one head's query have? Which words may word 2 read?",
        "On other numbers: d_model 96 with 12 heads makes heads of 8. Word 1 may read words 0 and 1.",
        "512 / ▢ = 64; word 2 may read 0, 1 and ▢; first cut the row, then ▢ the axes.",
    ),
    fields=(
        Choose(
            name="divisor",
            question="By which root are the scores divided?",
            options={
                "A": Option("that of 512", "A head's dot product adds up 64 products, not 512."),
                "B": Option("that of 64", "64 products are added up for each score.", True),
                "C": Option("that of 8", "The number of heads does not occur in one dot product."),
            },
        ),
        Choose(
            name="mask",
            question="Which words may word 2 read?",
            options={
                "A": Option("0 and 1", "A word may read itself."),
                "B": Option("0, 1 and 2", "Itself and what came before.", True),
                "C": Option("0, 1, 2 and 3", "Word 3 comes after it."),
            },
        ),
        Choose(
            name="split",
            question="From (t, 512) to (8, t, 64), one gets by",
            options={
                "A": Option("`x.reshape(8, t, 64)`", "It deals out numbers in reading order, across words."),
                "B": Option("`x.reshape(t, 8, 64).transpose(0, 1)`", "Cut each word's row, then move the axis.", True),
                "C": Option("`x.reshape(t, 64, 8)`", "That cuts each row into 64 pieces of 8."),
            },
        ),
    ),
    beliefs=(
        MISTAKES["A2"].committed_by({"divisor": "A"}),
        MISTAKES["M8"].committed_by({"mask": "A"}),
        MISTAKES["M8"].committed_by({"mask": "C"}),
        MISTAKES["H1"].committed_by({"split": "A"}),
    ),
    shown="Divisor, mask and cut are as in the chapters before.",
    transfer="Which of the three would the training loss have told you?",
    review="05",
    see=PROVED,
)

EXERCISES = (
    PREDICT_THE_SWAP,
    ORDER_THE_INPUT,
    ONE_ROW,
    SHIFT_THE_HAND,
    WHICH_TABLE,
    WHICH_SENTENCE,
    AGAIN,
)
