"""Chapter 05, exercises in plain Python on the block and its training: predict, order, complete, write, debug, claim.

Standard library only, so that they are judged in a page as well as in a notebook.
"""

import math
from collections.abc import Callable, Iterable
from typing import Final

from qkv import toy
from qkv.exercises.attention import attend as read_by
from qkv.exercises.attention import numbered
from qkv.exercises.choices import Choice, Choose, Line, Option, Parsons
from qkv.exercises.functions import Function, Probe, pair
from qkv.exercises.positions import norm
from qkv.exercises.transformer_mistakes import (
    ARROW,
    AT_ONCE,
    FIGURE,
    HOW_FAST,
    LESS_SURE,
    MEAN,
    MISTAKES,
    PLACE,
)

Table = list[list[float]]

# 1. predict

PREDICT_THE_SHIFT = Choice(
    id="transformer.predict_the_shift",
    number=1,
    title="What is read, what is said",
    chapter="05",
    kind="predict",
    difficulty=1,
    minutes=2,
    prompt=(
        "*phone* is said F OW N. In training the decoder reads four symbols at once, and at each place must say one."
        " What does it read, what must it say, and what would the loss do if it had to say what it reads?"
    ),
    hints=(
        "Before anything is said, what does the decoder read? After the last sound, what must it say?",
        "On other numbers: for the sounds T UW it reads start T UW and must say T UW end.",
        "reads: ▢ F OW N; says: F OW N ▢",
    ),
    fields=(
        Choose(
            name="reads",
            question="The decoder reads",
            options={
                "A": Option("start F OW N", "The start symbol makes room for the first sound.", True),
                "B": Option("F OW N end", "Then it reads at each place what it must say there."),
                "C": Option("start F OW N end", "These are five; after the end nothing is to be said."),
            },
        ),
        Choose(
            name="says",
            question="and must say",
            options={
                "A": Option("start F OW N", "It tempts, since it lines up with what is read. So it is only copied."),
                "B": Option("F OW N end", "At each place what comes next.", True),
                "C": Option("OW N end, and nothing at the last place", "One place too far: F is never asked for."),
            },
        ),
        Choose(
            name="unshifted",
            question="If it must say what it reads, the loss",
            options={
                "A": Option("stays high, and so gives the mistake away", "To repeat is easy: that loss falls."),
                "B": Option("falls to nearly 0, and the model cannot speak", "It has learned to repeat.", True),
                "C": Option("becomes NaN", "Every label is an ordinary symbol; nothing breaks."),
            },
        ),
    ),
    beliefs=(
        MISTAKES["B6"].committed_by({"says": "A"}),
        MISTAKES["B6"].committed_by({"says": "C"}, phrase="labels that are shifted twice"),
        MISTAKES["M14"].committed_by({"reads": "B"}),
        MISTAKES["M14"].committed_by({"reads": "B", "says": "A"}, phrase="what is read and what is said, exchanged"),
        MISTAKES["D12"].committed_by({"unshifted": "A"}),
        MISTAKES["D12"].committed_by({"unshifted": "C"}, phrase="“a mistake in the labels breaks the loss”"),
        pair(MISTAKES["B6"], MISTAKES["D12"], {"says": "A", "unshifted": "A"}),
    ),
    shown="One place late is read, and what comes next is said; a wonderful loss proves nothing.",
    transfer="Which mask keeps place 0 from reading the sound that it must say?",
    review="08",
    see=AT_ONCE,
)

# 2. Parsons


def feed(row: list[float]) -> list[float]:
    """A small feed-forward network: the entries and their neighbours, bent at 0."""
    return [max(0.0, 2 * a - b) for a, b in zip(row, [*row[1:], row[0]], strict=True)]


def run_lines(lines: Iterable[str]) -> Table:
    """The output on the toy of lines that were put into an order."""
    names: dict = {"embedding": [[2.0 * entry for entry in row] for row in toy.KEY]}
    names |= {
        "norm": lambda rows: [norm(row) for row in rows],
        "attend": lambda rows: [read_by(row, rows, rows) for row in rows],
        "feed": lambda rows: [feed(row) for row in rows],
        "add": lambda one, other: [
            [a + b for a, b in zip(*rows, strict=True)] for rows in zip(one, other, strict=True)
        ],
    }
    for line in lines:
        exec(line, names)
    return names["x"]


ORDER_THE_BLOCK = Parsons(
    id="transformer.order_the_block",
    number=2,
    title="Order an encoder with one block",
    chapter="05",
    kind="Parsons",
    difficulty=1,
    minutes=4,
    prompt=(
        "Put lines into an order that makes `x`, the output of an encoder with a single **pre-LN** block: each layer"
        " reads a normed copy, what it finds is added to the word, and at the very top there is one norm more. Two"
        " lines are false friends and stay out.\n\n"
        "`embedding` holds three rows, one for each word; `attend`, `feed`, `norm` and `add` work on all rows."
    ),
    hints=(
        "Which line makes the first x? Which one hands on the result?",
        "On other numbers: a note of 5 goes round. Each reader copies it, works on the copy, and adds a 1 to the note:"
        " 5, 6, 7. Nobody replaces the note.",
        "C, ▢, E, ▢",
    ),
    lines={
        "A": Line("x = norm(x)", ("x",), "x", True, "The one norm at the top of a pre-LN stack."),
        "B": Line("x = feed(norm(x))", ("x",), "x", False, "Line B replaces the word; there is no plus."),
        "C": Line("x = embedding", (), "x", True, "The first x: a row for each word."),
        "D": Line("x = norm(add(x, attend(x)))", ("x",), "x", False, "Line D is post-LN: the norm is around the sum."),
        "E": Line("x = add(x, feed(norm(x)))", ("x",), "x", True, "Feed-forward reads a normed copy and is added."),
        "F": Line("x = add(x, attend(norm(x)))", ("x",), "x", True, "Attention reads a normed copy and is added."),
    },
    wanted="x",
    order="CFEA",
    orders=(
        MISTAKES["B2"].committed_by(
            "CFE",
            phrase="a pre-LN stack without its last norm",
            why="With every block the sum grows, and nothing brings it back.",
        ),
        MISTAKES["B2"].committed_by("CDEA", phrase="post-LN in the first step, pre-LN in the second"),
        MISTAKES["B2"].committed_by("CDE", phrase="post-LN in the first step, and no norm at the top"),
        *(MISTAKES["B1"].committed_by(order) for order in ("CAFEA", "CAFE", "CFAE", "CFAEA", "CAFAE")),
        MISTAKES["B4"].committed_by("CFBA"),
        pair(MISTAKES["B4"], MISTAKES["B2"], "CFB"),
        pair(MISTAKES["B4"], MISTAKES["B1"], "CAFBA"),
        MISTAKES["D6"].committed_by("CEFA"),
        pair(MISTAKES["D6"], MISTAKES["B2"], "CEF"),
    ),
    run=run_lines,
    rows=tuple(toy.WORDS),
    shown="Attention, then feed-forward, each from a normed copy, each added; one norm at the top.",
    transfer="Which two lines would become one each in post-LN?",
    review="08",
    see=PLACE,
)

# 3. complete: what is read, what is said


def reads_and_says(sounds: list[int], start: int, end: int) -> list[list[int]]:
    """What the decoder reads and what it must say there, as two lists of one length."""
    reads = [start, *sounds]
    says = [*sounds, end]
    return [reads, says]


def _cut(read: slice, say: slice) -> Callable[[list[int], int, int], list[list[int]]]:
    def mutant(sounds: list[int], start: int, end: int) -> list[list[int]]:
        whole = [start, *sounds, end]
        return [whole[read], whole[say]]

    return mutant


_EARLY, _LATE = slice(None, -1), slice(1, None)  # without the end, without the start

READS_AND_SAYS = Function(
    id="transformer.reads_and_says",
    number=3,
    title="Two cuts of one word",
    chapter="05",
    kind="complete",
    difficulty=1,
    minutes=5,
    prompt=(
        "Fill the two gaps: from the sounds of one word, as ids, make what the decoder reads and what it must say. For"
        " the sounds `[7, 4, 9]` with start 1 and end 2 it reads `[1, 7, 4, 9]` and must say `[7, 4, 9, 2]`. Leave the"
        " list `sounds` as it is."
    ),
    imports="",
    template=(
        "def reads_and_says(sounds: list[int], start: int, end: int) -> list[list[int]]:\n"
        '    """What the decoder reads and what it must say there, as two lists of one length."""\n'
        "    reads = ...\n"
        "    says = ...\n"
        "    return [reads, says]"
    ),
    hints=(
        "Which of the two lists holds the start symbol, and which one the end symbol?",
        "On other numbers: for the sounds `[5]` with start 8 and end 9 it reads `[8, 5]` and must say `[5, 9]`.",
        "reads = [▢, *sounds]; says = [*sounds, ▢]",
    ),
    answer=reads_and_says,
    reference=reads_and_says,
    result="a list of two lists",
    tensors=False,
    probes=(
        Probe("three sounds", "For the sounds 7, 4, 9", {"sounds": [7, 4, 9], "start": 1, "end": 2}),
        Probe("one sound", "For a single sound", {"sounds": [5], "start": 8, "end": 9}),
        Probe("five sounds", "For five sounds", {"sounds": [3, 3, 6, 4, 3], "start": 0, "end": 1}),
    ),
    singles=(
        MISTAKES["B6"].committed_by(_cut(_EARLY, _EARLY)),
        MISTAKES["M14"].committed_by(_cut(_LATE, _LATE)),
        MISTAKES["M14"].committed_by(_cut(_LATE, _EARLY), phrase="what is read and what is said, exchanged"),
        MISTAKES["D13"].committed_by(_cut(slice(1, -1), slice(2, None))),
        MISTAKES["D14"].committed_by(_cut(slice(None, -2), slice(1, -1))),
        MISTAKES["B6"].committed_by(_cut(slice(None, -2), slice(2, None)), phrase="labels that are shifted twice"),
        MISTAKES["D14"].committed_by(
            lambda sounds, start, end: [sounds, sounds],
            phrase="sounds without start and end",
            why="The first sound is never asked for, and the model does not learn when to stop.",
            then="Say what is read before the first sound, and what is said after the last.",
        ),
        MISTAKES["D14"].committed_by(
            lambda sounds, start, end: [[start, *sounds], [*sounds]],
            phrase="a word that is never closed",
            why="Nothing is said at its last place, so the model never stops.",
            then="Say which symbol comes last.",
        ),
        MISTAKES["D14"].committed_by(
            lambda sounds, start, end: [[start, *sounds], [*sounds, start]], phrase="a word that ends with its start"
        ),
        MISTAKES["D13"].committed_by(
            lambda sounds, start, end: [[end, *sounds], [*sounds, end]],
            phrase="a decoder that begins with the end symbol",
            why="The start symbol asks for the first sound; the end symbol closes the word.",
        ),
        MISTAKES["D18"].committed_by(
            lambda sounds, start, end: [[start, *sounds, end], [start, *sounds, end]],
            phrase="the whole word in both lists",
            why="After the end nothing is said, and the start is never said.",
            then="Count both lists: three sounds make four places.",
        ),
    ),
    shown="Start makes room at the front, end closes the word, and at each place the next symbol is asked for.",
    transfer="How would you make both lists out of one list that holds start and end?",
    review="08",
    see=AT_ONCE,
)

# 8. debug: an encoder after a well-known pattern

ENCODERS: Final = {
    "A": (
        "for attend, feed, first, second in blocks:",
        "    x = x + attend(first(x))",
        "    x = x + feed(second(x))",
        "return last(x)",
    ),
    "B": (
        "for attend, feed, first, second in blocks:",
        "    x = x + attend(first(x))",
        "    x = x + feed(second(x))",
        "return x",
    ),
    "C": (
        "for attend, feed, first, second in blocks:",
        "    x = first(x); x = x + attend(x)",
        "    x = second(x); x = x + feed(x)",
        "return last(x)",
    ),
}

WHICH_ENCODER = Choice(
    id="transformer.which_encoder",
    number=8,
    title="Famous code: which encoder grows?",
    chapter="05",
    kind="debug",
    difficulty=3,
    minutes=8,
    prompt=(
        "Three encoders, written after a pattern that has been copied many times. All are meant to be pre-LN, all run,"
        " and each of them learns to copy words. One hands on words that no norm has brought back to size. In another"
        " the way around is closed.\n\n"
        + "\n\n".join(
            f"Version {letter}\n\n```\n{numbered(chr(10).join(code))}\n```" for letter, code in ENCODERS.items()
        )
    ),
    hints=(
        "What is the last thing that happens to a word? And what stands to the left of each plus?",
        "On other numbers: start with 1 and add 1 in each of 12 blocks: 13. With a norm at the top it is 1 again.",
        "x = ▢ + attend(first(▢)): one of the two is normed, and at the end comes ▢(x)",
    ),
    fields=(
        Choose(
            name="grows",
            question="In which version do the words it hands on grow with every block?",
            options={
                "A": Option("Version A", "Inside they grow, and line 4 brings them back."),
                "B": Option("Version B", "What the blocks add is handed on as it is.", True),
                "C": Option("Version C", "The norm in line 4 brings them back, and so do lines 2 and 3."),
            },
        ),
        Choose(
            name="closed",
            question="In which version is the way around closed by norms?",
            options={
                "A": Option("Version A", "The sum begins with x itself."),
                "B": Option("Version B", "The sum begins with x itself; only the top differs."),
                "C": Option("Version C", "x is overwritten by its normed copy before the sum.", True),
            },
        ),
        Choose(
            name="evidence",
            question="What shows which version grows?",
            options={
                "A": Option("the training loss", "It falls in all three."),
                "B": Option("the shape of the output", "It is the same in all three."),
                "C": Option(
                    "the spread of a word's entries, with 2 and with 12 blocks",
                    "After a fresh norm it is 1, whatever the depth.",
                    True,
                ),
                "D": Option("the sum of the attention weights", "Softmax makes it 1 everywhere."),
            },
        ),
        Choose(
            name="fix",
            question="What mends that version?",
            options={
                "A": Option("line 4: `return last(x)`", "One norm at the top.", True),
                "B": Option("line 2: `x = first(x + attend(x))`", "That is post-LN in one of two lines (B2)."),
                "C": Option("line 2: `x = first(x); x = x + attend(x)`", "That closes the way around (B1)."),
                "D": Option("train longer", "It learns already; its size is no matter of time."),
            },
        ),
    ),
    beliefs=(
        MISTAKES["B1"].committed_by({"closed": "B"}, phrase="taking a missing norm for a closed way around"),
        MISTAKES["B1"].committed_by({"fix": "C"}),
        MISTAKES["B2"].committed_by({"fix": "B"}),
        MISTAKES["B2"].committed_by(
            {"grows": "C", "closed": "B"},
            phrase="taking each of the two mistakes for the other",
            why="A missing norm at the top lets words grow; a norm before the sum closes the way around.",
            then="Work through both versions with x = 3 and layers that return 1.",
        ),
        MISTAKES["D11"].committed_by({"evidence": "A"}),
        MISTAKES["D11"].committed_by(
            {"evidence": "B"}, phrase="“a right shape means a right network”", then="Find two versions of one shape."
        ),
        pair(MISTAKES["D11"], MISTAKES["B2"], {"evidence": "A", "fix": "B"}),
    ),
    shown="Both mistakes, the evidence and the fix hold. The loss had nothing to say about either.",
    transfer="Why does a post-LN stack need no norm at the top?",
    review="08",
    see=ARROW,
)

# 9. review of chapters 00 to 04

AGAIN = Choice(
    id="transformer.again",
    number=9,
    title="From all chapters before",
    chapter="05",
    kind="predict",
    difficulty=2,
    minutes=5,
    prompt=(
        "Four decisions of the chapters before, met again in one model: d_model 64, four heads, 8 symbols, and a batch"
        " of 5 words with 5 places each, some of them padding."
    ),
    hints=(
        "Four numbers decide: the root of the width, the width of a head, the axes of a mask, and how many symbols an"
        " even guess chooses among.",
        "On other numbers: with d_model 100 and 10 heads the embedding is multiplied by 10 and the scores are divided"
        " by the root of 10. An even guess among 4 costs ln 4.",
        "√▢ · embedding; scores / √▢; padding (5, ▢, 5); loss ln ▢",
    ),
    fields=(
        Choose(
            name="embedding",
            question="Chapter 04: before positions are added, the embedding is multiplied by",
            options={
                "A": Option("8", "The root of d_model, once.", True),
                "B": Option("64", "That is the root applied twice."),
                "C": Option("nothing", "Then the positions are far larger than the words."),
            },
        ),
        Choose(
            name="divisor",
            question="Chapter 03: the scores of one head are divided by",
            options={
                "A": Option("8", "The root of 64 would belong to a single head of full width."),
                "B": Option("4", "64 entries in four heads: the root of 16.", True),
                "C": Option("nothing", "16 products spread four times as wide as one."),
            },
        ),
        Choose(
            name="mask",
            question="Chapter 02: to meet the causal mask (5, 5), a padding mask has shape",
            options={
                "A": Option("(5, 5)", "It runs, and blocks word i for reader i of every word: five is five."),
                "B": Option("(5, 1, 5)", "One row for each word of the batch, the same for all readers.", True),
                "C": Option("(5, 5, 1)", "That blocks padding as a reader, and lets it be read."),
            },
        ),
        Choose(
            name="guess",
            question="Chapter 00: a model that guesses evenly among the 8 symbols has",
            options={
                "A": Option("a loss of ln 8 and a perplexity of 8", "e to the power of ln 8.", True),
                "B": Option("a loss of 8", "8 is the perplexity; the loss is its logarithm."),
                "C": Option("a loss of 1/8", "1/8 is the probability that it gives."),
            },
        ),
    ),
    beliefs=(
        MISTAKES["P11"].committed_by({"embedding": "B"}, phrase="an embedding with the factor √d_model twice"),
        MISTAKES["P11"].committed_by({"embedding": "C"}, phrase="an embedding without the factor √d_model"),
        MISTAKES["A2"].committed_by({"divisor": "A"}),
        MISTAKES["A1"].committed_by({"divisor": "C"}),
        MISTAKES["D22"].committed_by({"mask": "A"}),
        MISTAKES["M9"].committed_by({"mask": "C"}),
        MISTAKES["D59"].committed_by({"guess": "B"}),
        pair(MISTAKES["P11"], MISTAKES["A2"], {"embedding": "C", "divisor": "A"}),
        pair(MISTAKES["A2"], MISTAKES["D22"], {"divisor": "A", "mask": "A"}),
    ),
    shown="Factor, divisor, mask and even guess hold; each of them would have run in silence.",
    transfer="Which of the four would you have noticed from the first loss of an untrained model?",
    review="08",
    see=FIGURE,
)

# 10. label smoothing


def smoothed_loss(log_probabilities: list[list[float]], labels: list[int], epsilon: float, pad_id: int) -> float:
    """The mean smoothed loss over the places that are no padding."""
    total, count = 0.0, 0
    for row, label in zip(log_probabilities, labels, strict=True):
        if label != pad_id:
            total -= (1 - epsilon) * row[label] + epsilon * sum(row) / len(row)
            count += 1
    return total / count


Target = Callable[[int, int, float, int], list[float]]


def _spread(right: float, each: Callable[[int, float], float], *, on_label: bool = True, on_pad: bool = True) -> Target:
    """A target: ``right`` · (1 - ε) on the label, ``each`` on the others, or on all."""

    def target(size: int, label: int, epsilon: float, pad_id: int) -> list[float]:
        row = [each(size, epsilon)] * size
        if not on_label:
            row[label] = 0.0
        if not on_pad:
            row[pad_id] = 0.0
        row[label] += right * (1 - epsilon)
        return row

    return target


_TARGETS: dict[str, Target] = {
    "right": _spread(1.0, lambda size, epsilon: epsilon / size),
    "others only": _spread(1.0, lambda size, epsilon: epsilon / (size - 1), on_label=False),
    "no padding": _spread(1.0, lambda size, epsilon: epsilon / (size - 1), on_pad=False),
    "neither": _spread(1.0, lambda size, epsilon: epsilon / (size - 2), on_label=False, on_pad=False),
    "too little": _spread(1.0, lambda size, epsilon: epsilon / size, on_label=False),
    "too much": _spread(1.0, lambda size, epsilon: epsilon),
    "all of it": lambda size, label, epsilon, pad_id: [epsilon / size + (i == label) for i in range(size)],
    "plain": lambda size, label, epsilon, pad_id: [float(i == label) for i in range(size)],
    "exchanged": lambda size, label, epsilon, pad_id: [
        (1 - epsilon) / size + epsilon * (i == label) for i in range(size)
    ],
}


def smoothed_with(
    target: str = "right", *, sign: float = -1.0, kept: str = "real", divide: bool = True
) -> Callable[..., float]:
    """The smoothed loss with some of its parts replaced; ``kept`` says which places are added up and counted."""

    def mutant(log_probabilities: Table, labels: list[int], epsilon: float, pad_id: int) -> float:
        total, count = 0.0, 0
        for row, label in zip(log_probabilities, labels, strict=True):
            real = label != (0 if kept == "not 0" else pad_id)
            if real or kept == "all":
                weights = _TARGETS[target](len(row), label, epsilon, pad_id)
                total += sign * sum(w * entry for w, entry in zip(weights, row, strict=True))
            count += real or kept in ("all", "counted")
        return total / count if divide else total

    return mutant


def _bare_share(log_probabilities: Table, labels: list[int], epsilon: float, pad_id: int) -> float:
    """The shares of ε are added as they are."""
    real = [(row, label) for row, label in zip(log_probabilities, labels, strict=True) if label != pad_id]
    return -sum((1 - epsilon) * row[label] + epsilon / len(row) for row, label in real) / len(real)


def _logs(*rows: tuple[float, ...]) -> Table:
    """Natural logarithms, entry by entry."""
    return [[math.log(p) for p in row] for row in rows]


_SMOOTHED: tuple[tuple[str, dict, dict[str, str]], ...] = (
    ("B7", {"kept": "all"}, {}),
    ("B7", {"kept": "counted"}, {"phrase": "a sum of real places divided by all places"}),
    ("B8", {"kept": "not 0"}, {}),
    ("D26", {"target": "others only"}, {}),
    ("D26", {"target": "no padding"}, {"phrase": "smoothing that leaves padding out"}),
    ("D26", {"target": "neither"}, {"phrase": "smoothing that leaves the right symbol and padding out"}),
    ("D27", {"target": "too little"}, {}),
    ("D27", {"target": "too much"}, {"phrase": "ε on every symbol", "why": "ε is to be shared: each gets ε / V."}),
    ("D27", {"target": "all of it"}, {"phrase": "a whole 1 on the right symbol, and ε on top"}),
    ("D28", {"target": "plain"}, {}),
    ("D29", {"target": "exchanged"}, {}),
    ("Q15", {"divide": False}, {}),
    ("Q18", {"sign": 1.0}, {}),
)

SMOOTHED_LOSS = Function(
    id="transformer.smoothed_loss",
    number=10,
    title="Label smoothing by hand",
    chapter="05",
    kind="write",
    difficulty=3,
    minutes=12,
    prompt=(
        "For each place of a word, `log_probabilities` holds one row with the logarithms of the model's probabilities,"
        " one for each of V symbols, and `labels` the id that is right. The target gives ε / V to every symbol, padding"
        " included, and 1 − ε on top to the right one; a place's loss is −Σ target · log probability. Return the mean"
        " over the places whose label is not `pad_id`.\n\n"
        "One place with the probabilities `.7, .1, .1, .1`, the first one right and ε = `.1` costs `.503`: the"
        " target is `.925, .025, .025, .025`."
    ),
    imports="import math",
    template=(
        "def smoothed_loss(log_probabilities: list[list[float]], labels: list[int], epsilon: float, pad_id: int)"
        " -> float:\n"
        '    """The mean smoothed loss over the places that are no padding."""\n'
        "    return ..."
    ),
    hints=(
        "Split the loss in two: a part that only the right symbol has, and a part that all symbols share.",
        "On other numbers: five symbols and ε = .5 give the target .6 and four times .1. With log probabilities −1 and"
        " four times −3 the loss is .6 + 4 · .3 = 1.8.",
        "(1 - epsilon) * row[▢] + epsilon * sum(row) / ▢, with a minus in front, for places with label != ▢",
    ),
    answer=smoothed_loss,
    reference=smoothed_loss,
    result="a number",
    tensors=False,
    probes=(
        Probe(
            "one place",
            "For one place",
            {"log_probabilities": _logs((0.7, 0.1, 0.1, 0.1)), "labels": [0], "epsilon": 0.1, "pad_id": 3},
        ),
        Probe(
            "padding behind",
            "With two sounds and padding behind",
            {
                "log_probabilities": _logs(
                    (0.1, 0.6, 0.1, 0.1, 0.1), (0.05, 0.05, 0.3, 0.2, 0.4), (0.5, 0.2, 0.1, 0.1, 0.1)
                ),
                "labels": [1, 4, 0],
                "epsilon": 0.1,
                "pad_id": 0,
            },
        ),
        Probe(
            "another padding id",
            "With padding 3, where 0 is a real symbol",
            {
                "log_probabilities": _logs(
                    (0.5, 0.1, 0.1, 0.2, 0.1), (0.2, 0.3, 0.3, 0.1, 0.1), (0.1, 0.2, 0.1, 0.5, 0.1)
                ),
                "labels": [0, 2, 3],
                "epsilon": 0.2,
                "pad_id": 3,
            },
        ),
        Probe(
            "no smoothing",
            "With ε = 0",
            {
                "log_probabilities": _logs((0.2, 0.5, 0.2, 0.1), (0.6, 0.2, 0.1, 0.1)),
                "labels": [1, 2],
                "epsilon": 0.0,
                "pad_id": 0,
            },
        ),
    ),
    singles=(
        *(MISTAKES[code].committed_by(smoothed_with(**change), **words) for code, change, words in _SMOOTHED),
        MISTAKES["D27"].committed_by(
            _bare_share,
            phrase="ε / V added without its logarithm",
            why="A target is a share; each share multiplies the log probability of its symbol.",
            then="Write the sum out for one place with four symbols: eight factors.",
        ),
    ),
    pairs=lambda: [
        pair(MISTAKES[code], MISTAKES[other], smoothed_with(**(change | more)))
        for code, change in (
            ("D26", {"target": "others only"}),
            ("D26", {"target": "no padding"}),
            ("D27", {"target": "too little"}),
            ("D27", {"target": "too much"}),
            ("D28", {"target": "plain"}),
            ("D29", {"target": "exchanged"}),
        )
        for other, more in (("B7", {"kept": "all"}), ("B7", {"kept": "counted"}), ("Q15", {"divide": False}))
    ],
    shown="The loss holds with padding, with another padding id, and without smoothing.",
    transfer="What is the smallest smoothed loss that any model can reach on one place?",
    review="08",
    see=LESS_SURE,
)

# 11. warm-up


def warmup_rate(step: int, d_model: int, warmup: int) -> float:
    """The learning rate of the paper's equation 3; step counts from 1."""
    if step < 1:
        raise ValueError(f"expected a step of at least 1, got {step}")
    return d_model**-0.5 * min(step**-0.5, step * warmup**-1.5)


def rate_with(
    *,
    width: float = -0.5,
    choose: Callable[..., float] = min,
    rise: float = -1.5,
    fall: float = -0.5,
    further: int = 0,
    at_0: str = "refuse",
) -> Callable[[int, int, int], float]:
    """The rate with some of its parts replaced; ``at_0`` says what happens to steps below 1."""

    def mutant(step: int, d_model: int, warmup: int) -> float:
        if step < 1 and at_0 == "refuse":
            raise ValueError
        if step < 1 and at_0 != "stumble":
            step = {"lift": 1, "zero": 0}[at_0]
        step += further
        if step == 0 and at_0 == "zero":
            return 0.0
        return d_model**width * choose(step**fall, step * warmup**rise)

    return mutant


def _falling_with_the_step(refuse: bool) -> Callable[[int, int, int], float]:
    """Up to the peak, then down as warmup / step; without the refusal, step 0 gives 0."""

    def mutant(step: int, d_model: int, warmup: int) -> float:
        if refuse and step < 1:
            raise ValueError
        return (d_model * warmup) ** -0.5 * (step / warmup if step < warmup else warmup / step)

    return mutant


_RATES: tuple[tuple[str, dict], ...] = (
    ("D34", {"choose": max}),
    ("D35", {"width": 0.5}),
    ("D36", {"rise": -0.5}),
    ("D36", {"rise": -1.0}),
    ("D37", {"width": 0.0}),
    ("D38", {"fall": -1.0}),
    ("D39", {"further": 1}),
)

WARMUP_RATE = Function(
    id="transformer.warmup_rate",
    number=11,
    title="Warm-up, step by step",
    chapter="05",
    kind="write",
    difficulty=2,
    minutes=8,
    prompt=(
        "The paper's learning rate (Vaswani et al. 2017, equation 3) is"
        " `d_model^(−.5) · min(step^(−.5), step · warmup^(−1.5))`. Write it with plain Python."
        " Steps count from 1: a step below 1 is a `ValueError` that names it.\n\n"
        "With d_model 64 and a warm-up of 4 steps, step 1 has the rate `.0156` and step 4 the peak, `.0625`."
    ),
    imports="import math",
    template=(
        "def warmup_rate(step: int, d_model: int, warmup: int) -> float:\n"
        '    """The learning rate of the paper\'s equation 3; step counts from 1."""\n'
        "    return ..."
    ),
    hints=(
        "Which of the two arguments is smaller at step 1, and which at a late step? What happens to step^(−.5) at 0?",
        "On other numbers: with d_model 100 and a warm-up of 9, step 9 has .1 · min(1/3, 9/27) = 1/30.",
        "d_model ** (-0.5) * min(step ** ▢, step * warmup ** ▢), after a test of step < ▢",
    ),
    answer=warmup_rate,
    reference=warmup_rate,
    result="a number",
    tensors=False,
    probes=(
        Probe("step 1", "At step 1, d_model 64, warm-up 4", {"step": 1, "d_model": 64, "warmup": 4}),
        Probe("the peak", "At the end of the warm-up", {"step": 4, "d_model": 64, "warmup": 4}),
        Probe("later", "At step 100", {"step": 100, "d_model": 16, "warmup": 10}),
        Probe("on the way", "At step 3 of a warm-up of 10", {"step": 3, "d_model": 100, "warmup": 10}),
        Probe("the paper's", "With the paper's numbers at step 2000", {"step": 2000, "d_model": 512, "warmup": 4000}),
        Probe("step 0", "At step 0", {"step": 0, "d_model": 64, "warmup": 4}, sizes=(0,)),
    ),
    singles=(
        MISTAKES["B14"].committed_by(rate_with(at_0="stumble")),
        MISTAKES["B14"].committed_by(rate_with(at_0="zero"), phrase="a rate of 0 at step 0"),
        MISTAKES["B14"].committed_by(
            rate_with(at_0="lift"),
            phrase="step 0 taken for step 1 in silence",
            why="Whoever counts from 0 then takes the first step twice, and never learns of it.",
            then="Refuse step 0 with a ValueError.",
        ),
        MISTAKES["D39"].committed_by(rate_with(further=1, at_0="stumble")),
        *(MISTAKES[code].committed_by(rate_with(**change)) for code, change in _RATES),
        *(MISTAKES["D38"].committed_by(_falling_with_the_step(refuse)) for refuse in (True, False)),
    ),
    pairs=lambda: [
        *(
            pair(MISTAKES[code], MISTAKES["B14"], rate_with(**change, at_0=at_0))
            for code, change in _RATES
            for at_0 in (("stumble",) if code != "D39" else ())
        ),
        pair(MISTAKES["D34"], MISTAKES["D35"], rate_with(choose=max, width=0.5)),
        pair(MISTAKES["D34"], MISTAKES["D37"], rate_with(choose=max, width=0.0)),
    ],
    shown="Up in a straight line, down with the root, and step 0 is refused.",
    transfer="By which factor does the peak change when the warm-up is four times as long?",
    review="08",
    see=HOW_FAST,
)

# 13. perplexity


def perplexity(batches: list[list[list[float]]]) -> float:
    """e to the mean loss per token; batches hold words, words hold one loss (nats) for each token."""
    losses = [loss for batch in batches for word in batch for loss in word]
    return math.exp(sum(losses) / len(losses))


def _mean(values: Iterable[float]) -> float:
    values = list(values)
    return sum(values) / len(values)


def _flat(batches: list[Table]) -> list[float]:
    return [loss for batch in batches for word in batch for loss in word]


def _padded(batches: list[Table]) -> float:
    places = sum(len(batch) * max(map(len, batch)) for batch in batches)
    return math.exp(sum(_flat(batches)) / places)


PERPLEXITY = Function(
    id="transformer.perplexity",
    number=13,
    title="The perplexity of uneven batches",
    chapter="05",
    kind="write",
    difficulty=2,
    minutes=6,
    prompt=(
        "A test set comes in batches; a batch is a list of words, a word a list with the loss −ln p of each of its"
        " tokens, in nats. Batches and words differ in length, and there is no padding. Return the perplexity per"
        " token of the whole set: e to the power of the mean loss.\n\n"
        "Two batches `[[ln 2, ln 2, ln 2]]` and `[[ln 32]]` have a perplexity of 4."
    ),
    imports="import math",
    template=(
        "def perplexity(batches: list[list[list[float]]]) -> float:\n"
        '    """e to the mean loss per token; batches hold words, words hold one loss (nats) for each token."""\n'
        "    return ..."
    ),
    hints=(
        "How many tokens are there in all? What is the sum of all their losses?",
        "On other numbers: three tokens of loss 1 in one batch and one token of loss 5 in another have the mean"
        " 8 / 4 = 2; the mean of the two means would be 3.",
        "math.exp(sum(losses) / ▢), with losses a flat list over ▢, words and tokens",
    ),
    answer=perplexity,
    reference=perplexity,
    result="a number",
    tensors=False,
    probes=(
        Probe(
            "two words",
            "For the prompt's batches",
            {"batches": [[[math.log(2)] * 3], [[math.log(32)]]]},
        ),
        Probe(
            "three batches",
            "For three uneven batches",
            {"batches": [[[0.5, 1.0], [2.0]], [[0.1, 0.2, 0.3, 0.4]], [[1.5], [0.7, 0.9], [0.2]]]},
        ),
        Probe("even guesses", "For even guesses among 8", {"batches": [[[math.log(8)] * 2], [[math.log(8)]]]}),
    ),
    singles=(
        MISTAKES["B16"].committed_by(lambda batches: math.exp(_mean(_mean(_flat([batch])) for batch in batches))),
        MISTAKES["B16"].committed_by(
            lambda batches: _mean(math.exp(_mean(_flat([batch]))) for batch in batches),
            phrase="a mean of the batches' perplexities",
        ),
        MISTAKES["D25"].committed_by(
            lambda batches: math.exp(_mean(_mean(word) for batch in batches for word in batch))
        ),
        MISTAKES["D31"].committed_by(lambda batches: _mean(map(math.exp, _flat(batches)))),
        MISTAKES["D32"].committed_by(lambda batches: _mean(_flat(batches))),
        MISTAKES["D33"].committed_by(lambda batches: math.exp(-_mean(_flat(batches)))),
        MISTAKES["Q15"].committed_by(lambda batches: math.exp(sum(_flat(batches)))),
        MISTAKES["Q15"].committed_by(
            lambda batches: math.exp(sum(_flat(batches)) / sum(map(len, batches))),
            phrase="a sum divided by the number of words",
            why="Perplexity is per token: a long word has several.",
        ),
        MISTAKES["Q15"].committed_by(
            lambda batches: math.exp(sum(_flat(batches)) / len(batches)),
            phrase="a sum divided by the number of batches",
            why="Perplexity is per token: a batch has many.",
        ),
        MISTAKES["Q17"].committed_by(lambda batches: 2 ** _mean(_flat(batches))),
        MISTAKES["B7"].committed_by(_padded, phrase="a count of padded places"),
    ),
    shown="Every token counts once, in whatever batch it came.",
    transfer="When do the mean of all tokens and the mean of the batches' means agree?",
    review="08",
    see=MEAN,
)

# 15. debug: a smoothed loss and its padding

LOSSES: Final = {
    "A": (
        "loss = -(target * log_p).sum(-1)       # (b, t)",
        "loss = loss.masked_fill(is_padding, 0)",
        "return loss.sum() / (~is_padding).sum()",
    ),
    "B": (
        "loss = -(target * log_p).sum(-1)       # (b, t)",
        "loss = loss.masked_fill(is_padding, 0)",
        "return loss.mean()",
    ),
    "C": (
        "loss = -(target * log_p).sum(-1)       # (b, t)",
        "return loss.mean()",
    ),
}

WHICH_LOSS = Choice(
    id="transformer.which_loss",
    number=15,
    title="Famous code: smoothing that spreads over padding",
    chapter="05",
    kind="debug",
    difficulty=3,
    minutes=8,
    prompt=(
        "Three endings of a smoothed loss, after code that has been copied many times. `target` and `log_p` have shape"
        " (b, t, V), the target spreads `.1` over all symbols, and `is_padding` (b, t) is True at padding.\n\n"
        + "\n\n".join(
            f"Version {letter}\n\n```\n{numbered(chr(10).join(code))}\n```" for letter, code in LOSSES.items()
        )
        + "\n\nTake a batch with one word of two sounds, each with a loss of 1.2. Then the same batch, filled up with"
        " two places of padding."
    ),
    hints=(
        "For each version: what is added up, and by how much is it divided?",
        "On other numbers: losses 3, 3 and a place of padding with loss 9. By real places 6 / 2 = 3; by all places"
        " 6 / 3 = 2; with padding added 15 / 3 = 5.",
        "loss.sum() / (~is_padding).▢()",
    ),
    fields=(
        Choose(
            name="keeps",
            question="Which version gives the same loss with and without padding?",
            options={
                "A": Option("Version A", "Padding is neither in the sum nor in the count.", True),
                "B": Option("Version B", "Its sum holds; `mean` counts the places of padding."),
                "C": Option("Version C", "Padding is added up and counted."),
            },
        ),
        Choose(
            name="half",
            question="What does version B give with the padding?",
            options={
                "A": Option("1.2", "The sum 2.4 is divided by four places."),
                "B": Option("0.6", "2.4 / 4: the more padding, the better it looks.", True),
                "C": Option("2.4", "`mean` does divide, by all places."),
            },
        ),
        Choose(
            name="learns",
            question="What does version C teach the model at places of padding?",
            options={
                "A": Option("nothing: padding carries no meaning", "Its label is an id like any other."),
                "B": Option("to say padding, and a little of every symbol", "The target there is a target.", True),
                "C": Option("to say the end symbol", "The label there is padding, not the end."),
            },
        ),
        Choose(
            name="shows",
            question="Which test shows both mistakes?",
            options={
                "A": Option("The loss falls", "All three fall; B and C look even better with more padding."),
                "B": Option("Fill a batch up with padding: the loss may not change", "B and C change, A stays.", True),
                "C": Option("Smoothing 0 gives the plain loss", "That is so in each, on a batch without padding."),
            },
        ),
    ),
    beliefs=(
        MISTAKES["B7"].committed_by({"keeps": "B", "half": "A"}, phrase="a sum of real places divided by all places"),
        MISTAKES["B7"].committed_by({"keeps": "B"}, phrase="a sum of real places divided by all places"),
        MISTAKES["B7"].committed_by({"half": "A"}, phrase="a `mean` that is thought to count real places"),
        MISTAKES["B7"].committed_by({"learns": "A"}),
        MISTAKES["B7"].committed_by({"keeps": "C", "learns": "A"}, phrase="“padding carries nothing into a loss”"),
        MISTAKES["Q15"].committed_by({"half": "C"}),
        MISTAKES["D12"].committed_by(
            {"shows": "A"},
            phrase="“a falling loss shows that it is the right loss”",
            why="Each of the three falls; what differs is the question that it answers.",
            then="Change the batch in a way that may not matter, and compare.",
        ),
    ),
    shown="Sum and count must both leave padding out; one batch, filled up, tells the three versions apart.",
    transfer="Two machines hold halves of a batch with different amounts of padding: what must they exchange?",
    review="09",
    see=MEAN,
)

# 16. predict: what a model holds

WHAT_IS_HELD = Choice(
    id="transformer.what_is_held",
    number=16,
    title="What does a model hold?",
    chapter="05",
    kind="predict",
    difficulty=2,
    minutes=5,
    prompt=(
        "A model with 69 symbols and d_model 128. Its table of positions is computed, not learned; its table of scores"
        " is meant to be the table of embeddings.\n\n```\n"
        + numbered(
            "self.embedding = nn.Embedding(69, 128)\n"
            "self.scores = nn.Linear(128, 69, bias=False)\n"
            "self.scores.weight = nn.Parameter(self.embedding.weight.clone())\n"
            "self.waves = sinusoidal(40, 128)\n"
            "self.norm = nn.LayerNorm(128)"
        )
        + "\n```\n\nWhat do lines 3 and 4 do, and which of these numbers should a weight decay pull towards 0?"
    ),
    hints=(
        "What is one object, what is a copy, and what does the module know of at all?",
        "On other numbers: of two lists `a = [1]`, `b = list(a)`, an `a.append(2)` leaves b as it was.",
        "self.scores.weight = ▢; self.register_buffer(▢, …); decay for tables, none for ▢ and biases",
    ),
    fields=(
        Choose(
            name="tied",
            question="After line 3 the two tables",
            options={
                "A": Option("stay equal, for they begin equal", "Two parameters get two gradients."),
                "B": Option("are two tables, equal on the first day", "`clone` copies; a tie is one object.", True),
                "C": Option("are one table", "That would be line 3 without `nn.Parameter(…)` and `clone`."),
            },
        ),
        Choose(
            name="count",
            question="The two tables have together",
            options={
                "A": Option("69 · 128 parameters", "So many has one table that serves twice."),
                "B": Option("2 · 69 · 128 parameters", "As line 3 stands, both are counted and trained.", True),
                "C": Option("no parameters of their own", "Both are `nn.Parameter`s, assigned to a module."),
            },
        ),
        Choose(
            name="waves",
            question='`model.to("cuda")` takes `waves`',
            options={
                "A": Option("along: it is assigned to self", "A plain tensor is no parameter and no buffer."),
                "B": Option("not along: it needs `register_buffer`", "Modules move parameters and buffers.", True),
                "C": Option("along, and trains it", "It is not trained either way."),
            },
        ),
        Choose(
            name="decay",
            question="Weight decay should act on",
            options={
                "A": Option("all parameters alike", "A gain that is pulled to 0 silences its layer."),
                "B": Option("the tables, not the gain and bias of the norm", "A gain belongs near 1.", True),
                "C": Option("the norm alone", "It is the tables that grow."),
            },
        ),
    ),
    beliefs=(
        MISTAKES["B11"].committed_by({"tied": "A"}),
        MISTAKES["B11"].committed_by({"tied": "C", "count": "A"}),
        MISTAKES["B11"].committed_by({"tied": "C"}),
        MISTAKES["M12"].committed_by({"waves": "A"}),
        MISTAKES["B10"].committed_by({"decay": "A"}),
        pair(MISTAKES["B11"], MISTAKES["M12"], {"tied": "A", "waves": "A"}),
        pair(MISTAKES["M12"], MISTAKES["B10"], {"waves": "A", "decay": "A"}),
    ),
    shown="A tie is one object, a fixed table is a buffer, and gains are left without decay.",
    transfer="Which of the three slips would a saved and loaded model show?",
    review="06",
    see=FIGURE,
)

# 17. predict: four slips of a training script

SCRIPT: Final = """\
optimizer = Adam(model.parameters(), lr=peak)
model.embedding = with_new_rows(model.embedding, 3)
for epoch in range(10):
    for batch in batches:
        loss = loss_of(model, batch)
        optimizer.zero_grad()
        clip_grad_norm_(model.parameters(), 1.0)
        loss.backward()
        optimizer.step()
    set_rate(optimizer, warmup_rate(epoch + 1, 512, warmup=4000))
print(accuracy(model, test_batches))"""

FOUR_SLIPS = Choice(
    id="transformer.four_slips",
    number=17,
    title="Four slips in a training script",
    chapter="05",
    kind="predict",
    difficulty=3,
    minutes=8,
    prompt=(
        "A training script runs to its end and prints a loss that falls. It holds four slips. What does each do?\n\n"
        f"```\n{numbered(SCRIPT)}\n```"
    ),
    hints=(
        "Read each line and ask: what does it need to have happened before, and has it?",
        "On other numbers: whoever weighs the parcel before packing it, at 0 kg, will not learn that it is too heavy.",
        "backward, ▢, step; set_rate(▢) in the inner loop; model.▢() before measuring",
    ),
    fields=(
        Choose(
            name="new rows",
            question="Line 2 comes after line 1. The new embedding",
            options={
                "A": Option("is trained: the optimizer asks the model again", "It keeps the list it was given."),
                "B": Option("is never moved by this optimizer", "It holds the old table, which nobody uses now.", True),
                "C": Option("is trained at twice the rate", "It is in no group at all."),
            },
        ),
        Choose(
            name="clip",
            question="Line 7 clips",
            options={
                "A": Option("the gradients that line 9 uses", "Those come to be in line 8."),
                "B": Option("nothing: the gradients were cleared one line before", "So line 9 is unclipped.", True),
                "C": Option("the loss", "It is handed parameters, and looks at their gradients."),
            },
        ),
        Choose(
            name="rate",
            question="Line 10 sets the rate once for each epoch. After ten epochs the warm-up of 4000 steps",
            options={
                "A": Option("is over", "Ten calls have been made, not 4000."),
                "B": Option("has come to its tenth step", "Every batch is a step; here they are not counted.", True),
                "C": Option("has been left out", "Only the first epoch ran at the rate of line 1."),
            },
        ),
        Choose(
            name="measure",
            question="Line 11, called twice, prints",
            options={
                "A": Option("the same number: nothing is trained there", "Dropout is still on, and draws at random."),
                "B": Option("two different numbers", "`model.eval()` is missing.", True),
                "C": Option("an error: there are no gradients", "Measuring needs none."),
            },
        ),
    ),
    beliefs=(
        MISTAKES["B13"].committed_by({"new rows": "A"}),
        MISTAKES["B15"].committed_by({"clip": "A"}),
        MISTAKES["B14"].committed_by(
            {"rate": "A"},
            phrase="epochs counted where the schedule counts steps",
            why="A warm-up in steps, told one number for each epoch, hardly rises.",
            then="Count how often line 10 runs, and how often line 9.",
        ),
        MISTAKES["B12"].committed_by({"measure": "A"}),
        pair(MISTAKES["B13"], MISTAKES["B15"], {"new rows": "A", "clip": "A"}),
        pair(MISTAKES["B15"], MISTAKES["B12"], {"clip": "A", "measure": "A"}),
    ),
    shown="Four slips, four effects, and a loss that falls through all of them.",
    transfer="Which of the four would a test find that counts the parameters in the optimizer?",
    review="07",
    see=HOW_FAST,
)

# 18. claim

MEASURED: Final = {  # smoothing .1 minus none over five seeds: mean, low, high, rounded as in the claim box
    "loss, nats per sound": (0.071, 0.065, 0.077),
    "words in error, points": (-0.6, -1.2, 0.07),
}


def measured_lines() -> str:
    """The stored outcomes as a table."""
    rows = (f"{name:<22}  {mean:+g}  from {low:+g} to {high:+g}" for name, (mean, low, high) in MEASURED.items())
    return "\n".join(rows)


WHICH_SENTENCE = Choice(
    id="transformer.which_sentence",
    number=18,
    title="Label smoothing: what may be printed?",
    chapter="05",
    kind="claim",
    difficulty=3,
    minutes=8,
    prompt=(
        "Our pronouncer, trained with smoothing `.1` minus the same without, five seeds, mean and 95 % interval."
        " Written down before the run: the loss is the primary contrast, the words are secondary, and no margin was"
        " stated.\n\n"
        f"```\n{measured_lines()}\n```\n\n"
        "Which sentences may be printed?"
    ),
    hints=(
        "For each line: does the interval hold 0? And what had been written down before?",
        "On other numbers: from +2 to +5 shows an increase. From −5 to +1 shows neither a decrease nor that nothing"
        " changes.",
        "The loss: its interval lies ▢ 0 on one side. The words: the interval ▢ 0, and a margin was not ▢.",
    ),
    fields=(
        Choose(
            name="loss",
            question="About the loss",
            options={
                "A": Option("On this task smoothing of .1 raises the loss.", "The whole interval lies above 0.", True),
                "B": Option("Smoothing makes models worse.", "Measured was the loss, of one model on one task."),
                "C": Option("No conclusion is possible with five seeds.", "The interval counts them in already."),
            },
        ),
        Choose(
            name="words",
            question="About the words",
            options={
                "A": Option("Smoothing gets fewer words in error.", "The interval reaches 0 and a little beyond."),
                "B": Option("Smoothing does not change the words in error.", "It may be more than a point fewer."),
                "C": Option(
                    "A decrease was not shown, nor was its absence.", "The interval holds 0, and much else.", True
                ),
            },
        ),
        Choose(
            name="both",
            question="Loss up, words perhaps down: how do they go together?",
            options={
                "A": Option("One of the two must be an error.", "They ask different questions."),
                "B": Option(
                    "The loss asks how sure a model is of the right sound, the words only which sound comes first.",
                    "A model may be less sure and choose as before.",
                    True,
                ),
                "C": Option(
                    "The paper says the opposite of our first line.", "It says the same: perplexity gets worse."
                ),
            },
        ),
        Choose(
            name="next",
            question="What would settle the words?",
            options={
                "A": Option("Call the words primary now, since they come close", "The run has been looked at."),
                "B": Option(
                    "More seeds, with words as primary, written down first", "A new question, a new run.", True
                ),
                "C": Option("Drop the seed that fits least", "Then the interval says nothing any more."),
            },
        ),
    ),
    beliefs=(
        MISTAKES["S5"].committed_by({"loss": "B"}),
        MISTAKES["S5"].committed_by({"words": "A"}),
        MISTAKES["S5"].committed_by({"loss": "B", "words": "A"}),
        MISTAKES["S6"].committed_by({"words": "B"}),
        MISTAKES["S5"].committed_by(
            {"next": "A"},
            phrase="a contrast made primary after the run",
            why="Whoever picks the question after the answers will always find one that fits.",
            then="Ask on which day each contrast was written down.",
        ),
        MISTAKES["S5"].committed_by(
            {"next": "C"},
            phrase="a seed dropped after the run",
            why="An interval over chosen seeds is an interval over nothing.",
            then="Ask what would have been done if another seed had been the odd one.",
        ),
        pair(MISTAKES["S5"], MISTAKES["S6"], {"loss": "B", "words": "B"}),
    ),
    shown="Each sentence says what its interval says, and the open question gets a run of its own.",
    transfer="Why may the perplexity of a smoothed model not be compared with that of one trained without?",
    review="07",
    see=LESS_SURE,
)

EXERCISES = (
    PREDICT_THE_SHIFT,
    ORDER_THE_BLOCK,
    READS_AND_SAYS,
    WHICH_ENCODER,
    AGAIN,
    SMOOTHED_LOSS,
    WARMUP_RATE,
    PERPLEXITY,
    WHICH_LOSS,
    WHAT_IS_HELD,
    FOUR_SLIPS,
    WHICH_SENTENCE,
)
