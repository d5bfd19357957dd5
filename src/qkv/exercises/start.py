"""Chapter 00, exercises in plain Python: predict, order, shape puzzles with lists, debug, claim.

Standard library only, so that they are judged in a page as well as in a notebook.
"""

import math
from collections import Counter
from collections.abc import Callable, Iterable
from itertools import accumulate
from typing import Any

from qkv import toy
from qkv.exercises.choices import Choice, Choose, Line, Option, Parsons
from qkv.exercises.functions import Function, Probe, pair
from qkv.exercises.start_mistakes import DOWN, KNOW, MEET, MISTAKES, PRODUCT, SHAPE, SOUND, SURPRISED

CAT, MAT, IT = ([float(mark) for mark in row] for row in toy.KEY)
WORDS = [CAT, MAT, IT]
ASKING = [[float(mark) for mark in row] for row in toy.QUERY]
Row = list[float]
Table = list[list[float]]
Sounds = list[str]

# 1. predict

PREDICT_SHAPES = Choice(
    id="start.predict_shapes",
    number=1,
    title="Predict two shapes",
    chapter="00",
    kind="predict",
    difficulty=1,
    minutes=2,
    prompt=(
        "`words` is the table of the lesson, with 3 rows and 4 columns: shape `(3, 4)`. Without running anything: which"
        " shapes do `words.sum(0)` and `words @ words.T` have, and why?"
    ),
    hints=(
        "Axis 0 counts the rows. Which axis is gone after `sum(0)`?",
        "On other numbers: a table of shape `(2, 5)` has `sum(0)` of shape `(5,)`, and `table @ table.T` has shape"
        " `(2, 2)`.",
        "words.sum(0) adds ▢ rows and leaves (▢,). For the product: (3, 4) @ (4, 3), and the inner ▢ disappears.",
    ),
    fields=(
        Choose(
            name="sum(0)",
            question="`words.sum(0)` has the shape",
            options={
                "A": Option("`(3,)`", "That is `sum(1)`: one sum for each row."),
                "B": Option("`(4,)`", "The rows are added up, and one sum is left for each column.", True),
                "C": Option("`(3, 4)`", "A sum along an axis makes that axis disappear."),
                "D": Option("`()`, a single number", "That is `words.sum()`, without an axis."),
            },
        ),
        Choose(
            name="product",
            question="`words @ words.T` has the shape",
            options={
                "A": Option("`(3, 4)`", "That is `words * words`, entry by entry."),
                "B": Option("`(4, 4)`", "That is `words.T @ words`: columns compared with columns."),
                "C": Option("`(3, 3)`", "Each row is compared with each row.", True),
                "D": Option("none: it is an error", "(3, 4) @ (4, 3) fits: the inner sizes agree."),
            },
        ),
        Choose(
            name="reason",
            question="because what is added up",
            options={
                "A": Option("disappears from the shape", "Sum and matrix product both add along an axis.", True),
                "B": Option("is the axis that stays", "Then `sum(0)` would leave the rows; it leaves the columns."),
                "C": Option("keeps its size", "Adding up 3 rows leaves one of them."),
            },
        ),
    ),
    beliefs=(
        MISTAKES["Q1"].committed_by({"sum(0)": "A", "reason": "B"}),
        MISTAKES["Q1"].committed_by({"sum(0)": "A"}),
        MISTAKES["Q1"].committed_by({"sum(0)": "A", "product": "B", "reason": "B"}),
        MISTAKES["Q2"].committed_by({"product": "A", "reason": "C"}),
        MISTAKES["Q2"].committed_by({"product": "A"}),
        MISTAKES["Q9"].committed_by({"product": "B"}, then="Ask which axis stands inside, next to the `@`."),
        pair(MISTAKES["Q1"], MISTAKES["Q2"], {"sum(0)": "A", "product": "A", "reason": "C"}),
        pair(MISTAKES["Q1"], MISTAKES["Q2"], {"sum(0)": "A", "product": "A", "reason": "B"}),
    ),
    shown="Both shapes and the reason hold: what is added up is gone.",
    transfer="Which shape does `words.T @ words` have?",
    review="02",
    see=SHAPE,
)

# 2. write: the exercise that fails first


def squared_distance(first: list[float], second: list[float]) -> float:
    """How far apart two rows are: the squares of their differences, added up."""
    return sum((a - b) ** 2 for a, b in zip(first, second, strict=True))


def _of_differences(change: Callable[[float], float]) -> Callable[[Row, Row], float]:
    return lambda first, second: sum(change(a - b) for a, b in zip(first, second, strict=True))


def _dot(first: Row, second: Row) -> float:
    return sum(a * b for a, b in zip(first, second, strict=True))


MEET_THE_CHECKER = Function(
    id="start.meet_the_checker",
    number=2,
    title="Meet the checker: how far apart?",
    chapter="00",
    kind="write",
    difficulty=1,
    minutes=5,
    prompt=(
        "This one is made to fail first, so that you see how feedback looks. The slow loop says what is asked for:\n\n"
        "```\n"
        "total = 0\n"
        "for i in range(len(first)):\n"
        "    total = total + (first[i] - second[i]) ** 2\n"
        "```\n\n"
        "First put this line into the stub, in place of `return ...`, and run the check. It is not right, on purpose:"
        "\n\n"
        "```\n"
        "    return (sum(first) - sum(second)) ** 2\n"
        "```\n\n"
        "Read the message: what holds, where the first difference is, the name of the mistake, what to do next. Then"
        " repair the function, in one line if you like."
    ),
    imports="",
    template=(
        "def squared_distance(first: list[float], second: list[float]) -> float:\n"
        '    """How far apart two rows are: the squares of their differences, added up."""\n'
        "    return ..."
    ),
    hints=(
        "Three things happen in the slow loop: subtract, square, add up. In which order?",
        "On other numbers: (5, 1) and (2, 3) differ by 3 and −2. The squares are 9 and 4, and the answer is 13.",
        "return sum((a - ▢) ** 2 for a, b in zip(first, ▢))",
    ),
    answer=squared_distance,
    reference=squared_distance,
    result="a number",
    tensors=False,
    probes=(
        Probe("cat and mat", "For *cat* and *mat*", {"first": CAT, "second": MAT}),
        Probe("cat and it", "For *cat* and *it*", {"first": CAT, "second": IT}),
        Probe("a row asks", "For the row 2 0 2 0 and *cat*", {"first": ASKING[2], "second": CAT}),
        Probe("other lengths", "With two entries", {"first": [5.0, 1.0], "second": [2.0, 3.0]}),
        Probe("fractions", "With fractions", {"first": [0.5, -1.5, 2.0], "second": [0.25, 1.0, 2.5]}),
        Probe("equal rows", "For two equal rows", {"first": [3.0, 1.0, 4.0], "second": [3.0, 1.0, 4.0]}),
    ),
    singles=(
        MISTAKES["Q3"].committed_by(
            lambda first, second: (sum(first) - sum(second)) ** 2,
            why="Sums forget which entry was where: *cat* and *mat* both add up to 2, so they look equal.",
        ),
        MISTAKES["Q4"].committed_by(_of_differences(lambda gap: gap)),
        MISTAKES["Q4"].committed_by(_of_differences(abs)),
        MISTAKES["Q4"].committed_by(
            _of_differences(lambda gap: 2 * gap),
            phrase="differences doubled instead of squared",
            why="`gap * 2` is twice the gap; its square is `gap ** 2`.",
        ),
        MISTAKES["Q4"].committed_by(
            lambda first, second: sum(a**2 - b**2 for a, b in zip(first, second, strict=True)),
            phrase="squares taken before the subtraction",
            why="a² − b² is another number than (a − b)².",
            then="Work out both for 5 and 2.",
        ),
        MISTAKES["Q44"].committed_by(lambda first, second: squared_distance(first, second) / len(first)),
        MISTAKES["Q5"].committed_by(lambda first, second: math.sqrt(squared_distance(first, second))),
        MISTAKES["Q29"].committed_by(lambda first, second: (first[0] - second[0]) ** 2),
        MISTAKES["Q29"].committed_by(lambda first, second: (first[-1] - second[-1]) ** 2),
        MISTAKES["Q30"].committed_by(lambda first, second: [(a - b) ** 2 for a, b in zip(first, second, strict=True)]),
        MISTAKES["Q6"].committed_by(_dot),
    ),
    shown="Your function agrees on every probe. You have met the checker: it failed first, and it told you where.",
    transfer="Which two words of the toy are nearest to each other?",
    review="02",
    see="How does the checker talk?",
)

# 3. write: turn a table on its side


def turn(table: list[list[float]]) -> list[list[float]]:
    """Rows become columns."""
    return [[row[j] for row in table] for j in range(len(table[0]))]


TURN_A_TABLE = Function(
    id="start.turn_a_table",
    number=3,
    title="Turn a table on its side",
    chapter="00",
    kind="write",
    difficulty=1,
    minutes=5,
    prompt=(
        "A shape puzzle in plain lists: what `.T` does. `table` has n rows of m numbers; the result has m rows of n."
        "\n\n"
        "```\n"
        "for i in range(n):\n"
        "    for j in range(m):\n"
        "        turned[j][i] = table[i][j]\n"
        "```"
    ),
    imports="",
    template=(
        'def turn(table: list[list[float]]) -> list[list[float]]:\n    """Rows become columns."""\n    return ...'
    ),
    hints=(
        "How many rows does the result have? Your outer loop must run that often.",
        "On other numbers: `[[1, 2, 3]]` becomes `[[1], [2], [3]]`, one row of three becomes three rows of one.",
        "return [[row[▢] for row in table] for j in range(len(▢))]",
    ),
    answer=turn,
    reference=turn,
    result="a list of lists",
    tensors=False,
    probes=(
        Probe("the toy", "On the toy's three words", {"table": WORDS}),
        Probe("wide", "With 2 rows of 3", {"table": [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]}),
        Probe("tall", "With 3 rows of 2", {"table": [[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]}),
        Probe("square", "With 2 rows of 2", {"table": [[1.0, 2.0], [3.0, 4.0]]}),
        Probe("one row", "With a single row", {"table": [[7.0, 8.0]]}),
    ),
    singles=(
        MISTAKES["Q7"].committed_by(lambda table: [[*row] for row in table]),
        MISTAKES["Q8"].committed_by(lambda table: [row[::-1] for row in table[::-1]]),
        MISTAKES["Q8"].committed_by(lambda table: [row[::-1] for row in turn(table)]),
        MISTAKES["Q8"].committed_by(lambda table: turn(table)[::-1]),
        MISTAKES["Q25"].committed_by(lambda table: [[row[j] for row in table] for j in range(len(table))]),
        MISTAKES["Q31"].committed_by(lambda table: [[row[-1] for row in table]] * len(table[0])),
        MISTAKES["H1"].committed_by(
            lambda table: _cut([x for row in table for x in row], len(table)),
            phrase="numbers poured into the new shape row by row",
            why="The shape holds, and yet no row has become a column.",
            then="Compare the first row of your result with the first column of the table.",
            see=PRODUCT,
        ),
    ),
    shown="Rows become columns for tables of every shape, with one row as well as with many.",
    transfer="What comes out when you turn a table twice?",
    review="03",
    see=PRODUCT,
)


def _cut(numbers: Row, size: int) -> Table:
    return [numbers[i : i + size] for i in range(0, len(numbers), size)]


# 4. write: a table of dot products


def dot_products(asking: list[list[float]], words: list[list[float]]) -> list[list[float]]:
    """Every row of asking with every row of words."""
    return [[sum(a * b for a, b in zip(row, word, strict=True)) for word in words] for row in asking]


def _compared(compare: Callable[[Row, Row], Any]) -> Callable[[Table, Table], list]:
    return lambda asking, words: [[compare(row, word) for word in words] for row in asking]


def _one_total(asking: Table, words: Table) -> Table:
    totals = list(accumulate(_dot(row, word) for row in asking for word in words))
    return _cut(totals, len(words))


def _by_columns(asking: Table, words: Table) -> Table:
    if len(asking) != len(words):
        raise IndexError
    return dot_products(turn(asking), turn(words))


TABLE_OF_DOTS = Function(
    id="start.dot_products",
    number=4,
    title="A table of dot products",
    chapter="00",
    kind="write",
    difficulty=2,
    minutes=8,
    prompt=(
        "A shape puzzle in plain lists: what `asking @ words.T` does. `asking` has n rows and `words` has m rows, all"
        " of d numbers; the result has n rows of m numbers.\n\n"
        "```\n"
        "for i in range(n):\n"
        "    for j in range(m):\n"
        "        total = 0\n"
        "        for k in range(d):\n"
        "            total = total + asking[i][k] * words[j][k]\n"
        "        table[i][j] = total\n"
        "```"
    ),
    imports="",
    template=(
        "def dot_products(asking: list[list[float]], words: list[list[float]]) -> list[list[float]]:\n"
        '    """Every row of asking with every row of words."""\n'
        "    return ..."
    ),
    hints=(
        "Three loops: which two make the shape of the result, and which one adds up?",
        "On other numbers: `[[1, 2]]` with `[[3, 4], [5, 6]]` gives `[[11, 17]]`, for 1·3 + 2·4 is 11.",
        "return [[sum(a * b for a, b in zip(row, ▢)) for word in ▢] for row in asking]",
    ),
    answer=dot_products,
    reference=dot_products,
    result="a list of lists",
    tensors=False,
    probes=(
        Probe("the toy", "On the toy", {"asking": ASKING, "words": WORDS}, tuple(toy.WORDS)),
        Probe(
            "sizes all different",
            "With n 2, m 3, d 4",
            {
                "asking": [[1.0, 2.0, 0.0, -1.0], [0.5, 0.0, 3.0, 1.0]],
                "words": [[1.0, 1.0, 2.0, 2.0], [0.0, -1.0, 1.0, 4.0], [2.0, 0.0, 0.5, 1.0]],
            },
        ),
        Probe(
            "equal sizes",
            "With n = m = d = 2",
            {"asking": [[1.0, 2.0], [3.0, 5.0]], "words": [[2.0, 0.0], [1.0, 4.0]]},
        ),
        Probe(
            "one row asks", "With a single row that asks", {"asking": [[1.0, 2.0]], "words": [[3.0, 4.0], [5.0, 6.0]]}
        ),
    ),
    singles=(
        MISTAKES["Q10"].committed_by(lambda asking, words: dot_products(words, asking)),
        MISTAKES["Q9"].committed_by(_by_columns),
        MISTAKES["Q9"].committed_by(
            lambda asking, words: [
                [sum(a * b for a, b in zip(row, column, strict=False)) for column in turn(words)] for row in asking
            ],
            phrase="rows compared with columns",
            why="A row has one number for each mark, a column one for each word; what has no partner is dropped.",
            then="Compare the lengths of the two lists that you multiply.",
        ),
        MISTAKES["Q29"].committed_by(
            _compared(lambda row, word: row[-1] * word[-1]), then="Print the total after each round of the inner loop."
        ),
        MISTAKES["Q29"].committed_by(
            _compared(lambda row, word: row[0] * word[0]), then="Print the total after each round of the inner loop."
        ),
        MISTAKES["Q31"].committed_by(
            lambda asking, words: [[sum(_dot(row, word) for row in asking) for word in words]] * len(asking)
        ),
        MISTAKES["Q31"].committed_by(lambda asking, words: [[_dot(asking[-1], word) for word in words]] * len(asking)),
        MISTAKES["Q40"].committed_by(
            lambda asking, words: [list(accumulate(_dot(row, word) for word in words)) for row in asking]
        ),
        MISTAKES["Q40"].committed_by(_one_total),
        MISTAKES["Q30"].committed_by(
            _compared(lambda row, word: [a * b for a, b in zip(row, word, strict=True)]),
        ),
        MISTAKES["Q3"].committed_by(
            _compared(lambda row, word: sum(row) * sum(word)),
            phrase="adding up before multiplying",
            then="Follow the row *cat* and the word *mat* through your code, entry by entry.",
        ),
        MISTAKES["Q2"].committed_by(
            lambda asking, words: [
                [a * b for a, b in zip(row, word, strict=True)] for row, word in zip(asking, words, strict=True)
            ],
        ),
        MISTAKES["Q2"].committed_by(
            lambda asking, words: [
                [a * b for a, b in zip(row, word, strict=False)] for row, word in zip(asking, words, strict=False)
            ],
        ),
        MISTAKES["Q23"].committed_by(
            lambda asking, words: [_dot(row, word) for row, word in zip(asking, words, strict=False)],
            then="Count the numbers in your result: n times m are asked for.",
        ),
        MISTAKES["Q6"].committed_by(
            _compared(squared_distance),
            phrase="a distance in place of a dot product",
            why="A distance is 0 for equal rows; a dot product is large for them.",
        ),
    ),
    shown="Your table agrees for every shape: rows ask, columns are compared.",
    transfer="How many multiplications does your function make for n, m and d?",
    review="02",
    see=PRODUCT,
)

# 8. predict: who is less surprised


PREDICT_SURPRISE = Choice(
    id="start.predict_surprise",
    number=8,
    title="Predict who is less surprised",
    chapter="00",
    kind="predict",
    difficulty=2,
    minutes=4,
    prompt=(
        "Three models name the next letter four times. These are the shares that each gave to the *right* letter:\n\n"
        "```\n"
        "model  shares of the right letters   their average\n"
        "one    .5   .5   .5   .5             .5\n"
        "two    .99  .99  .99  .01            .745\n"
        "three  .9   .9   .2   .2             .55\n"
        "```\n\n"
        "Which model has the lowest loss, and what would a model have that chooses blindly among 8 letters? The loss is"
        " the average of −ln p; ln 2 is .69, ln 8 is 2.08, and −ln .01 is 4.61."
    ),
    hints=(
        "Model two is nearly sure three times. What does it pay for the fourth?",
        "On other numbers: the shares .9 and .001 average to .45 and cost (.11 + 6.91) / 2, about 3.51. The shares .4"
        " and .4 cost .92.",
        "Model one: every share is .5, so the loss is ▢. Model two: the last letter alone brings 4.61 / ▢.",
    ),
    fields=(
        Choose(
            name="lowest",
            question="The lowest loss has model",
            options={
                "A": Option("one", "Four times ln 2: the average is .69.", True),
                "B": Option("two", "Its last letter costs 4.61, and a quarter of that is 1.15 already."),
                "C": Option("three", "Two small shares cost 1.61 each; the average is .86."),
                "D": Option("none: they are equal", "Neither the averages of p nor those of −ln p are equal."),
            },
        ),
        Choose(
            name="blind",
            question="Choosing blindly among 8 letters costs",
            options={
                "A": Option("2.08", "Each share is 1/8, and −ln(1/8) is ln 8.", True),
                "B": Option(".88", "That is 1 − 1/8."),
                "C": Option("3", "That is the logarithm of base 2: three bits, 2.08 nats."),
                "D": Option("−2.08", "A surprise is never negative."),
            },
        ),
        Choose(
            name="reason",
            question="because a small share",
            options={
                "A": Option("costs more than a large one saves", "The logarithm falls without end towards 0.", True),
                "B": Option("costs as much as a large one saves", "Then the averages of p would decide."),
                "C": Option("costs 1 at most", "−ln .01 is 4.61."),
            },
        ),
    ),
    beliefs=(
        MISTAKES["Q16"].committed_by({"lowest": "B", "reason": "B"}),
        MISTAKES["Q16"].committed_by({"lowest": "B"}),
        MISTAKES["Q17"].committed_by({"blind": "C"}),
        MISTAKES["Q18"].committed_by({"blind": "D"}),
        MISTAKES["Q19"].committed_by({"blind": "B"}),
        MISTAKES["Q19"].committed_by({"lowest": "B", "blind": "B", "reason": "C"}),
        MISTAKES["Q19"].committed_by({"lowest": "B", "blind": "B", "reason": "B"}),
        pair(MISTAKES["Q16"], MISTAKES["Q17"], {"lowest": "B", "blind": "C", "reason": "B"}),
    ),
    shown="Both numbers and the reason hold: the logarithm punishes boldness that fails.",
    transfer="Which share would model two need at the fourth letter to draw level with model one?",
    review="05",
    see=SURPRISED,
)

# 11. Parsons: one step of training


def run_lines(lines: Iterable[str]) -> Table:
    """The weight after the lines were run once, from 1, with input 2 and target 6."""
    names: dict = {"weight": 1.0, "x": 2.0, "target": 6.0, "rate": 0.1}
    for line in lines:
        exec(line, names)
    return [[names["weight"]]]


TRAINING_STEP = Parsons(
    id="start.order_a_training_step",
    number=11,
    title="Order a step of training",
    chapter="00",
    kind="Parsons",
    difficulty=2,
    minutes=4,
    prompt=(
        "The smallest network: it guesses `weight * x`, and its loss is the squared error. Put lines into an order that"
        " makes one step of training, without any autograd. Two lines are false friends and stay out.\n\n"
        "At the start `weight` is 1, `x` is 2, `target` is 6 and `rate` is .1; the right step takes `weight` to 2.6."
    ),
    hints=(
        "Start at the end: which line makes the new `weight`, and what does it read?",
        "On other numbers: with the weight 1, x 1 and target 3 the guess is 1, the error −2, the slope −4. A rate of .1"
        " takes the weight to 1.4, nearer to 3.",
        "C, ▢, ▢, B. The third one makes the slope, and it must know `x`.",
    ),
    lines={
        "A": Line(
            "slope = 2 * error * x",
            ("error",),
            "slope",
            True,
            "A nudge of the weight moves the guess by x times as much, and the squared error by 2 · error · x.",
        ),
        "B": Line("weight = weight - rate * slope", ("slope",), "weight", True, "Goes down: against the slope."),
        "C": Line("guess = weight * x", (), "guess", True, "The network's guess."),
        "D": Line("weight = weight + rate * slope", ("slope",), "weight", False, "Goes up: the error grows."),
        "E": Line("error = guess - target", ("guess",), "error", True, "How far the guess is off, with its sign."),
        "F": Line(
            "slope = 2 * error", ("error",), "slope", False, "The slope with respect to the guess, not to the weight."
        ),
    },
    wanted="weight",
    order="CEAB",
    orders=(
        MISTAKES["Q20"].committed_by("CEAD"),
        MISTAKES["Q21"].committed_by("CEFB"),
        pair(MISTAKES["Q20"], MISTAKES["Q21"], "CEFD"),
    ),
    run=run_lines,
    rows=("weight",),
    shown="Guess, compare, find the slope, step against it: your order takes the weight from 1 to 2.6.",
    transfer="What would a rate of 1 do here?",
    review="05",
    see=DOWN,
)

# 12. debug: a column meets a row

TRAINING_CODE = """\
guesses = x[:, None] * weight
errors = guesses - answers
loss = (errors ** 2).mean()
loss.backward()
with torch.no_grad():
    weight -= 0.1 * weight.grad
weight.grad = None"""


def numbered(source: str) -> str:
    """Source with a number before each line."""
    return "\n".join(f"{number}  {line}" for number, line in enumerate(source.splitlines(), start=1))


FIND_THE_COLUMN = Choice(
    id="start.find_the_column",
    number=12,
    title="The loss falls, and the weight is 0",
    chapter="00",
    kind="debug",
    difficulty=3,
    minutes=8,
    prompt=(
        "A network with one weight must learn `answers = 3 * x`. Here `x` is (−1, 0, 1), `answers` is (−3, 0, 3), both"
        " of shape (3,), and `weight` is a single number that starts at 1. These lines run many times. The loss falls"
        " and comes to rest at 6, with the weight at 0 instead of 3.\n\n"
        f"```\n{numbered(TRAINING_CODE)}\n```\n\n"
        "Find the shape of `errors`, an assertion that exposes the mistake, and the fix."
    ),
    hints=(
        "Write the shape behind each of the first three lines.",
        "On other numbers: shapes (5, 1) and (5,) are stretched to (5, 5); shapes (5,) and (5,) stay as they are.",
        "guesses has the shape (▢, ▢), answers has (3,): line 2 makes a table of ▢ numbers.",
    ),
    fields=(
        Choose(
            name="shape",
            question="`errors` has the shape",
            options={
                "A": Option("`(3,)`", "That is what was meant; line 1 adds an axis."),
                "B": Option("`(3, 1)`", "`answers` is a row, and a column meets it."),
                "C": Option("`(3, 3)`", "Column and row are stretched: each guess meets each answer.", True),
                "D": Option("`()`", "Only the loss is a single number."),
            },
        ),
        Choose(
            name="assertion",
            question="What exposes it at once?",
            options={
                "A": Option("`assert loss < 10`", "The loss is small enough for that, and it even falls."),
                "B": Option("`assert guesses.shape == answers.shape`", "(3, 1) is not (3,): it stops.", True),
                "C": Option("`assert len(guesses) == len(answers)`", "Both lengths are 3, so it holds."),
                "D": Option("`assert weight.grad is not None`", "There is a slope, of the wrong loss."),
            },
        ),
        Choose(
            name="fix",
            question="What mends it?",
            options={
                "A": Option("line 1: `guesses = x * weight`", "Both are rows of 3 then, and meet one by one.", True),
                "B": Option("line 3: `.sum()` in place of `.mean()`", "Nine differences are added up then."),
                "C": Option("line 6: `weight += …`", "That climbs: the loss grows."),
                "D": Option("line 6: a smaller rate", "It comes to rest at the same place, later."),
                "E": Option("delete line 7", "The slopes then pile up from step to step."),
            },
        ),
    ),
    beliefs=(
        MISTAKES["Q11"].committed_by({"shape": "A"}, phrase="overlooking a column that meets a row"),
        MISTAKES["Q11"].committed_by({"shape": "B"}, phrase="overlooking a column that meets a row"),
        MISTAKES["Q11"].committed_by(
            {"assertion": "C"},
            phrase="comparing lengths where shapes differ",
            why="The length is the size of axis 0 alone; (3, 1) and (3,) have the same.",
            then="Compare the whole shapes.",
        ),
        MISTAKES["Q20"].committed_by({"fix": "C"}),
        MISTAKES["Q15"].committed_by(
            {"fix": "B"},
            phrase="a sum in place of a mean",
            why="Sum or mean changes the size of the slope; which guess meets which answer stays as it was.",
            then="Ask which of nine differences are wanted.",
        ),
        pair(MISTAKES["Q11"], MISTAKES["Q20"], {"shape": "A", "fix": "C"}),
    ),
    shown="Shape, assertion and fix hold. The loss fell, and it was the loss of another question.",
    transfer="Why does the weight end at 0, when each guess is to fit all three answers at once?",
    review="05",
    see=MEET,
)

# 13. claim

WHICH_SENTENCE = Choice(
    id="start.which_sentence",
    number=13,
    title="Which sentence may be printed?",
    chapter="00",
    kind="claim",
    difficulty=3,
    minutes=8,
    prompt=(
        "Two models, A and B, pronounce words that neither has seen. The numbers are invented for practice. Of 100"
        " sounds, model A has 10 in error. Words in error, A minus B, in points over five seeds, mean and 95 %"
        " interval:\n\n"
        "```\n"
        "smaller models   +6.0  from +4.5 to +7.5\n"
        "larger batch     +0.4  from -1.2 to +2.0\n"
        "```\n\n"
        "Words have six sounds on average. What may be printed about the words of model A, and about each of the two"
        " differences?"
    ),
    hints=(
        "Does an interval hold 0? And how many sounds must be right for a word to be right?",
        "On other numbers: if 1 of 2 coins falls heads, all of 3 coins do so in 1 of 8 throws. And an interval from −3"
        " to +1 shows neither a difference nor its absence.",
        "A word of six sounds is right in about .9 to the power of ▢ of the cases, so ▢ of 100 are not. The second"
        " interval holds ▢.",
    ),
    fields=(
        Choose(
            name="words",
            question="Of 100 words, model A misses",
            options={
                "A": Option("exactly 10", "A word fails with any of its sounds, so more words fail than sounds."),
                "B": Option("more than 10; 47 if errors fall independently", ".9 to the sixth power is .53.", True),
                "C": Option("fewer than 10", "Each sound in error spoils a word; fewer needs several in one word."),
                "D": Option("60: six times ten", "Errors may share a word, so it is less than that."),
            },
        ),
        Choose(
            name="smaller",
            question="With smaller models",
            options={
                "A": Option(
                    "A missed more words than B, by 4.5 to 7.5 points in this experiment.",
                    "The whole interval lies above 0, and the sentence keeps to what was measured.",
                    True,
                ),
                "B": Option("B is the better model.", "It was measured in one setting and on one task."),
                "C": Option("A misses 6 points more words in every run.", "6 is an average of five."),
            },
        ),
        Choose(
            name="batch",
            question="With a larger batch",
            options={
                "A": Option("A missed more words than B.", "The interval reaches below 0."),
                "B": Option("A and B are equally good.", "The interval also holds +2.0, which would matter."),
                "C": Option(
                    "No difference was seen; −1.2 to +2.0 points remain possible.",
                    "It says what was measured and what stays open.",
                    True,
                ),
            },
        ),
    ),
    beliefs=(
        MISTAKES["Q22"].committed_by({"words": "A"}),
        MISTAKES["S5"].committed_by({"smaller": "B"}),
        MISTAKES["S5"].committed_by({"smaller": "C"}),
        MISTAKES["S5"].committed_by({"batch": "A"}),
        MISTAKES["S6"].committed_by({"batch": "B"}),
        pair(MISTAKES["Q22"], MISTAKES["S6"], {"words": "A", "batch": "B"}),
        pair(MISTAKES["S5"], MISTAKES["S6"], {"smaller": "B", "batch": "B"}),
    ),
    shown="All three sentences say what the numbers say, and no more.",
    transfer="What would you measure to be allowed to say “equally good”?",
    review="04",
    see=KNOW,
)

# 14. ★ write: the edit distance


def _pronounced(where: str, first: str, second: str) -> Probe:
    return Probe(where, where, {"first": first.split(), "second": second.split()})


def edit_distance(first: list[str], second: list[str]) -> int:
    """Fewest insertions, deletions and replacements that turn one list into the other."""
    row = list(range(len(second) + 1))  # what an empty list costs against the first j of second
    for i, a in enumerate(first, start=1):
        above, row = row, [i]
        for j, b in enumerate(second, start=1):
            row.append(min(above[j] + 1, row[j - 1] + 1, above[j - 1] + (a != b)))
    return row[-1]


def _edits(
    replacing: int = 1, equal: int = 0, start: int = 1, first_column: int = 1
) -> Callable[[Sounds, Sounds], int]:
    """The edit distance with other prices: of a replacement, of equal sounds, of what comes before the first sound."""

    def mutant(first: Sounds, second: Sounds) -> int:
        row = [start * j for j in range(len(second) + 1)]
        for i, a in enumerate(first, start=1):
            above, row = row, [start * first_column * i]
            for j, b in enumerate(second, start=1):
                row.append(min(above[j] + 1, row[j - 1] + 1, above[j - 1] + (equal if a == b else replacing)))
        return row[-1]

    return mutant


def _from_the_first_row(first: Sounds, second: Sounds) -> int:
    above = row = list(range(len(second) + 1))
    for i, a in enumerate(first, start=1):
        row = [i]
        for j, b in enumerate(second, start=1):
            row.append(min(above[j] + 1, row[j - 1] + 1, above[j - 1] + (a != b)))
    return row[-1]


def _in_one_row(first: Sounds, second: Sounds) -> int:
    row = list(range(len(second) + 1))
    for a in first:
        for j, b in enumerate(second, start=1):
            row[j] = min(row[j] + 1, row[j - 1] + 1, row[j - 1] + (a != b))
    return row[-1]


def _by_places(first: Sounds, second: Sounds) -> int:
    return sum(a != b for a, b in zip(first, second, strict=False)) + abs(len(first) - len(second))


def _without_order(first: Sounds, second: Sounds) -> int:
    return max(len(first), len(second)) - (Counter(first) & Counter(second)).total()


EDIT_DISTANCE = Function(
    id="start.edit_distance",
    number=14,
    title="★ How far off is a pronunciation?",
    chapter="00",
    kind="write",
    difficulty=4,
    minutes=20,
    starred=True,
    prompt=(
        "The edit distance of section 11, for lists of sounds: the fewest insertions, deletions and replacements that"
        " turn one into the other. This is what it means:\n\n"
        "```\n"
        "def slow(first, second):\n"
        "    if not first or not second:\n"
        "        return len(first) + len(second)\n"
        "    if first[0] == second[0]:\n"
        "        return slow(first[1:], second[1:])\n"
        "    delete, insert = slow(first[1:], second), slow(first, second[1:])\n"
        "    return 1 + min(delete, insert, slow(first[1:], second[1:]))\n"
        "```\n\n"
        "It asks the same questions again and again, and twelve sounds take it minutes. Write one that does not: keep a"
        " row of answers, and make the next row out of it."
    ),
    imports="",
    template=(
        "def edit_distance(first: list[str], second: list[str]) -> int:\n"
        '    """Fewest insertions, deletions and replacements that turn one list into the other."""\n'
        "    return ..."
    ),
    hints=(
        "Make a table: entry [i][j] is the distance between the first i sounds of one and the first j of the other."
        " Which three neighbours decide an entry?",
        "On other numbers: for A against B, C the first row is 0 1 2, what nothing costs against nothing, B, and B C."
        " The next one is 1 1 2.",
        "row.append(min(above[j] + 1, row[j - 1] + ▢, above[j - 1] + (a != ▢)))",
    ),
    answer=edit_distance,
    reference=edit_distance,
    result="a number",
    tensors=False,
    probes=(
        _pronounced("For *cat* and *mat*", "K AE T", "M AE T"),
        _pronounced("For *colonel* as the model said it", "K AA L AH N AH L", "K ER N AH L"),
        _pronounced("With a sound in front", "K AE T", "AE T"),
        _pronounced("For *cat* and *tack*", "K AE T", "T AE K"),
        _pronounced("With sounds that come twice", "M AA", "M AA M AA"),
        _pronounced("With an empty list", "", "K AE T"),
        _pronounced("For two equal words", "M AE T", "M AE T"),
        _pronounced("With twelve sounds each", "AA B AA D AA F AA G AA K AA L", "M EH N EH P EH R EH S EH T EH"),
    ),
    singles=(
        MISTAKES["Q36"].committed_by(_by_places),
        MISTAKES["Q36"].committed_by(
            lambda first, second: sum(a != b for a, b in zip(first, second, strict=False)),
            why="`zip` stops at the shorter one, and one sound too many moves all that follow.",
        ),
        MISTAKES["Q37"].committed_by(_edits(replacing=2)),
        MISTAKES["Q38"].committed_by(_without_order),
        MISTAKES["Q39"].committed_by(_edits(start=0)),
        MISTAKES["Q39"].committed_by(
            _edits(first_column=0),
            phrase="rows that all begin with 0",
            why="To leave nothing of i sounds takes i deletions.",
            then="Ask what `K AE T` and an empty list should cost.",
        ),
        MISTAKES["Q42"].committed_by(_from_the_first_row),
        MISTAKES["Q42"].committed_by(
            _in_one_row,
            phrase="a row overwritten while it is still read",
            why="The entry to the upper left is needed, and by then the new one stands in its place.",
        ),
        MISTAKES["Q43"].committed_by(_edits(equal=1, replacing=0)),
        MISTAKES["Q43"].committed_by(_edits(equal=1)),
    ),
    shown="The distances hold, for twelve sounds in no time.",
    transfer="How many entries does your table have for words of m and n sounds?",
    review="05",
    see=SOUND,
)

EXERCISES = (
    PREDICT_SHAPES,
    MEET_THE_CHECKER,
    TURN_A_TABLE,
    TABLE_OF_DOTS,
    PREDICT_SURPRISE,
    TRAINING_STEP,
    FIND_THE_COLUMN,
    WHICH_SENTENCE,
    EDIT_DISTANCE,
)
