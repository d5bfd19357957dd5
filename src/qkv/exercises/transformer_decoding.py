"""Chapter 05, exercises in plain Python on speaking: scores by hand, length, a beam step, a cache, a beam search.

Standard library only, so that they are judged in a page as well as in a notebook.
"""

import math
from collections.abc import Callable, Sequence
from typing import Any, Final

from qkv.exercises.attention import numbered
from qkv.exercises.choices import Choice, Choose, Option
from qkv.exercises.functions import Function, Probe, pair
from qkv.exercises.transformer_mistakes import CACHE, LENGTH, MISTAKES, SCORES, SPEAKING

Table = list[list[float]]
Rows = list[list[float | int]]

# 18. errors by hand

SAID: Final = {  # word: what a model said, what is right
    "cat": ("K AE T", "K AE T"),
    "phone": ("P OW N", "F OW N"),
    "night": ("K N AY T", "N AY T"),
    "banana": ("B AE N AE N AH", "B AH N AE N AH"),
}

SCORE_BY_HAND = Choice(
    id="transformer.score_by_hand",
    number=19,
    title="Word and sound errors by hand",
    chapter="05",
    kind="predict",
    difficulty=2,
    minutes=6,
    prompt=(
        "A model said four words. An edit is a sound put in, left out or replaced, as in chapter 00.\n\n"
        "```\nword    said                right\n"
        + "\n".join(f"{word:6}  {said:18}  {right}" for word, (said, right) in SAID.items())
        + "\n```\n\n"
        "How many edits does *night* need, and what are the rates of words and of sounds in error?"
    ),
    hints=(
        "For each word: the fewest edits. Then one sum of edits, and one sum of right sounds.",
        "On other numbers: 1 edit in 2 sounds and none in 8 make a rate of 1 / 10, and not the mean of 1/2 and 0.",
        "words: ▢ / 4; sounds: (0 + 1 + ▢ + 1) / (3 + 3 + 3 + ▢)",
    ),
    fields=(
        Choose(
            name="night",
            question="Edits for *night*",
            options={
                "A": Option("1", "Leave the K out, and all else stands.", True),
                "B": Option("4", "Place by place all four differ; an edit may also leave a sound out."),
                "C": Option("0", "N AY T is there, and so is a K that should not be."),
            },
        ),
        Choose(
            name="words",
            question="Words in error",
            options={
                "A": Option("75 %", "Three of four words hold at least one error.", True),
                "B": Option("20 %", "That is the rate of sounds."),
                "C": Option("25 %", "That is the rate of words that are right."),
            },
        ),
        Choose(
            name="sounds",
            question="Sounds in error",
            options={
                "A": Option("21 %", "The mean of 0, 1/3, 1/3 and 1/6: long words then count too little."),
                "B": Option("20 %", "3 edits for 15 right sounds.", True),
                "C": Option("19 %", "3 edits for the 16 sounds that were said."),
                "D": Option("75 %", "That is the rate of words."),
            },
        ),
        Choose(
            name="batches",
            question="One batch has 3 words, all right; the last batch has 1 word, in error. Words in error:",
            options={
                "A": Option("50 %", "The mean of 0 % and 100 %: the last word counts three times."),
                "B": Option("25 %", "One of four words.", True),
                "C": Option("0 %", "The last batch is small, and still counts."),
            },
        ),
    ),
    beliefs=(
        MISTAKES["Q36"].committed_by({"night": "B"}),
        MISTAKES["Q22"].committed_by({"words": "B"}),
        MISTAKES["Q22"].committed_by({"sounds": "D"}),
        MISTAKES["B17"].committed_by({"sounds": "A"}),
        MISTAKES["B17"].committed_by({"sounds": "A", "batches": "A"}),
        MISTAKES["B17"].committed_by({"batches": "A"}, phrase="a mean of the batches' rates"),
        MISTAKES["D40"].committed_by({"sounds": "C"}),
        pair(MISTAKES["D40"], MISTAKES["B17"], {"sounds": "C", "batches": "A"}),
    ),
    shown="Fewest edits, one sum above, one sum below: words and sounds are different rates of one list.",
    transfer="Can the rate of sounds in error exceed 100 %?",
    review="06",
    see=SCORES,
)

# 19. length penalty

ANSWERS: Final = {"short": (2, -1.8), "long": (4, -2.1)}  # symbols, the end included; log P


def penalised(length: int, log_probability: float, alpha: float) -> float:
    """log P / ((5 + length) / 6)^α."""
    return log_probability / ((5 + length) / 6) ** alpha


LONGER_OR_SHORTER = Choice(
    id="transformer.longer_or_shorter",
    number=20,
    title="Longer or shorter?",
    chapter="05",
    kind="predict",
    difficulty=2,
    minutes=5,
    prompt=(
        "Two finished hypotheses for *cat*. The score is log P / ((5 + length) / 6)^α; the length counts the end"
        " symbol.\n\n"
        "```\n"
        "            symbols       log P\n"
        "short       K end         -1.8\n"
        "long        K AE T end    -2.1\n"
        "```\n\n"
        "Which one wins with α = 0 and with α = 1, and why is a penalty needed at all?"
    ),
    hints=(
        "What is anything to the power of 0? And how long are the two, with their ends?",
        "On other numbers: log P −3 and length 7 give −3 / (12 / 6) = −1.5 with α = 1.",
        "long, α = 1: −2.1 / ((5 + ▢) / 6)",
    ),
    fields=(
        Choose(
            name="alpha 0",
            question="With α = 0 the winner is",
            options={
                "A": Option("short", "−1.8 is larger than −2.1; the penalty is 1.", True),
                "B": Option("long", "−2.1 is the smaller number of the two."),
                "C": Option("neither: the scores are equal", "The penalty is 1 for both, and log P differs."),
            },
        ),
        Choose(
            name="long",
            question="With α = 1 the score of the long one is",
            options={
                "A": Option("−1.4", "−2.1 divided by 9 / 6.", True),
                "B": Option("−3.15", "That is a multiplication by 9 / 6."),
                "C": Option("−.525", "That is −2.1 divided by the length 4."),
                "D": Option("−1.575", "That is −2.1 divided by 8 / 6: the end was not counted."),
            },
        ),
        Choose(
            name="alpha 1",
            question="and the winner is",
            options={
                "A": Option("short", "Its score is −1.8 / (7 / 6) = −1.54."),
                "B": Option("long", "−1.4 is larger than −1.54.", True),
            },
        ),
        Choose(
            name="why",
            question="Without a penalty",
            options={
                "A": Option("longer answers win: they have more terms", "More terms, and all of them negative."),
                "B": Option(
                    "shorter answers win too often: log P only falls", "Each symbol multiplies P by less than 1.", True
                ),
                "C": Option("length does not matter", "Every further symbol costs."),
            },
        ),
    ),
    beliefs=(
        MISTAKES["D41"].committed_by({"why": "A"}),
        MISTAKES["D41"].committed_by({"alpha 0": "B", "why": "A"}),
        MISTAKES["D42"].committed_by({"long": "B"}),
        MISTAKES["D42"].committed_by({"long": "B", "alpha 1": "A"}),
        MISTAKES["D43"].committed_by({"long": "C"}),
        MISTAKES["D44"].committed_by({"long": "D"}),
        MISTAKES["D44"].committed_by({"long": "D", "alpha 1": "A"}),
        MISTAKES["D47"].committed_by(
            {"alpha 0": "B"}, phrase="the smaller log probability taken for the better", see=LENGTH
        ),
        MISTAKES["D47"].committed_by(
            {"alpha 0": "B", "alpha 1": "A"}, phrase="the smaller score taken for the better", see=LENGTH
        ),
    ),
    shown="A penalty divides, so that a longer answer pays less for each of its symbols.",
    transfer="Which α would make both hypotheses equally good?",
    review="08",
    see=LENGTH,
)

# 20. one step of beam search


def beam_step(
    totals: list[float], log_probabilities: list[list[float]], beam_size: int, end: int
) -> list[list[float | int]]:
    """Rows [total, parent, symbol], best first: those that end, then those that go on."""
    every = [
        [total + log_p, parent, symbol]
        for parent, (total, row) in enumerate(zip(totals, log_probabilities, strict=True))
        for symbol, log_p in enumerate(row)
    ]
    every.sort(key=lambda row: -row[0])
    finished = [row for row in every[:beam_size] if row[2] == end]
    going_on = [row for row in every if row[2] != end][:beam_size]
    return finished + going_on


def step_with(
    *,
    add: Callable[[float, float], float] = lambda total, log_p: total + log_p,
    single: bool = False,
    reverse: bool = True,
    ends: str = "among the best",
) -> Callable[..., Rows]:
    """A step with some of its parts replaced; ``ends`` says what becomes of extensions by the end symbol."""

    def mutant(totals: Sequence[float], log_probabilities: Table, beam_size: int, end: int) -> Rows:
        every = [
            [add(total, log_p), parent, symbol]
            for parent, (total, row) in enumerate(zip(totals, log_probabilities, strict=True))
            for symbol, log_p in enumerate(row)
        ]
        every.sort(key=lambda row: row[0], reverse=reverse)
        if single:
            parents = range(len(totals))
            every = [next(row for row in every if row[1] == parent) for parent in parents]
            every.sort(key=lambda row: row[0], reverse=reverse)
        best = every[:beam_size]
        if ends == "go on":
            return best
        going_on = [row for row in (best if ends == "take a place" else every) if row[2] != end][:beam_size]
        finished = [row for row in (every if ends == "all" else best) if row[2] == end]
        if ends == "thrown away":
            return going_on
        return going_on + finished if ends == "behind" else finished + going_on

    return mutant


_STEPS: dict[str, dict[str, Any]] = {
    "D45": {"add": lambda total, log_p: log_p},
    "D46": {"single": True},
    "D47": {"reverse": False},
    "D48": {"ends": "take a place"},
    "D49": {"ends": "go on"},
    "D50": {"ends": "all"},
    "D53": {"add": lambda total, log_p: total * log_p},
    "D60": {"ends": "thrown away"},
    "D61": {"ends": "behind"},
}
_STEP_WORDS: dict[str, dict[str, str]] = {
    "D49": {
        "phrase": "a list of the best extensions, whether they end or go on",
        "why": "Where one ends, another one has to go on.",
        "then": "Count the rows that go on.",
    },
}


def _logs(*rows: tuple[float, ...]) -> Table:
    """Natural logarithms, entry by entry."""
    return [[math.log(p) for p in row] for row in rows]


BEAM_STEP = Function(
    id="transformer.beam_step",
    number=21,
    title="One step of beam search",
    chapter="05",
    kind="write",
    difficulty=3,
    minutes=15,
    prompt=(
        "Write one step of beam search in plain Python. `totals` holds the log probability of each open hypothesis,"
        " `log_probabilities` a row for each of them: the log probability of every symbol that may come next. An"
        " extension is a row `[total, parent, symbol]`, with the number of its hypothesis as parent.\n\n"
        "Return one list. First come the extensions by the symbol `end` that are among the `beam_size` best of all:"
        " they are finished, and leave the beam. Then come the `beam_size` best extensions that go on. Both parts begin"
        " with their best.\n\n"
        "With totals ln `.6` and ln `.4`, the probabilities `.1, .5, .4` and `.7, .2, .1`, beam 2 and end 0 the best"
        " are `.30, .28, .24, .08` …: return `[ln .28, 1, 0]`, `[ln .30, 0, 1]`, `[ln .24, 0, 2]`."
    ),
    imports="",
    template=(
        "def beam_step(\n"
        "    totals: list[float], log_probabilities: list[list[float]], beam_size: int, end: int\n"
        ") -> list[list[float | int]]:\n"
        '    """Rows [total, parent, symbol], best first: those that end, then those that go on."""\n'
        "    return ..."
    ),
    hints=(
        "How many extensions are there in all? Make a list of them first, then sort it.",
        "On other numbers: extensions of −1, −2 (end), −3, −4 (end), −5 with beam 2. Among the two best is one end: −2"
        " is finished; −1 and −3 go on; −4 is dropped.",
        "finished = [row for row in every[:▢] if row[2] == end]; going_on = [row for row in ▢ if row[2] != end][:▢]",
    ),
    answer=beam_step,
    reference=beam_step,
    result="a list of rows with three numbers",
    tensors=False,
    probes=(
        Probe(
            "the prompt",
            "With the numbers of the prompt",
            {
                "totals": [math.log(0.6), math.log(0.4)],
                "log_probabilities": _logs((0.1, 0.5, 0.4), (0.7, 0.2, 0.1)),
                "beam_size": 2,
                "end": 0,
            },
        ),
        Probe(
            "no end among the best",
            "Where no end is among the best",
            {
                "totals": [-0.5, -1.0, -3.0],
                "log_probabilities": _logs((0.3, 0.45, 0.2, 0.05), (0.25, 0.3, 0.4, 0.05), (0.1, 0.4, 0.1, 0.4)),
                "beam_size": 3,
                "end": 3,
            },
        ),
        Probe(
            "two ends",
            "With two ends among the best",
            {
                "totals": [-0.2, -0.4, -2.0],
                "log_probabilities": _logs((0.1, 0.2, 0.55, 0.15), (0.3, 0.05, 0.6, 0.05), (0.4, 0.3, 0.2, 0.1)),
                "beam_size": 3,
                "end": 2,
            },
        ),
        Probe(
            "the first step",
            "At the first step, with one hypothesis",
            {"totals": [0.0], "log_probabilities": _logs((0.1, 0.4, 0.3, 0.2)), "beam_size": 2, "end": 0},
        ),
    ),
    singles=(
        *(
            MISTAKES[code].committed_by(step_with(**change), **_STEP_WORDS.get(code, {}))
            for code, change in _STEPS.items()
        ),
        MISTAKES["D62"].committed_by(
            lambda *inputs: [[total, symbol, parent] for total, parent, symbol in beam_step(*inputs)]
        ),
    ),
    pairs=lambda: [
        pair(
            MISTAKES[a].committed_by(None, **_STEP_WORDS.get(a, {})), MISTAKES[b], step_with(**(_STEPS[a] | _STEPS[b]))
        )
        for a, b in (
            ("D45", "D48"),
            ("D45", "D50"),
            ("D47", "D48"),
            ("D49", "D47"),
            ("D49", "D46"),
            ("D46", "D45"),
            ("D53", "D48"),
            ("D49", "D53"),
        )
    ],
    shown="All extensions compete, ends leave, and the beam stays as wide as it was.",
    transfer="Why does the sum of logarithms keep the order of the products?",
    review="08",
    see=SPEAKING,
)

# 21. debug: a cache

CACHES: Final = {
    "A": (
        "def step(new, kept):                     # new (1, d): one word",
        "    x = new + table[len(kept)]",
        "    kept = torch.cat([kept, x])",
        "    scores = x @ kept.T / d ** 0.5",
        "    return scores.softmax(-1) @ kept, kept",
    ),
    "B": (
        "def step(new, kept):                     # new (1, d): one word",
        "    x = new + table[0]",
        "    kept = torch.cat([kept, x])",
        "    scores = x @ kept.T / d ** 0.5",
        "    return scores.softmax(-1) @ kept, kept",
    ),
    "C": (
        "def step(new, kept):                     # new (1, d): one word",
        "    x = new + table[len(kept)]",
        "    kept = torch.cat([kept, x])",
        "    may = torch.ones(1, len(kept)).tril().bool()",
        "    scores = (x @ kept.T / d ** 0.5).masked_fill(~may, -math.inf)",
        "    return scores.softmax(-1) @ kept, kept",
    ),
}

WHICH_CACHE = Choice(
    id="transformer.which_cache",
    number=22,
    title="Why does the cached decoder differ?",
    chapter="05",
    kind="debug",
    difficulty=4,
    minutes=10,
    prompt=(
        "A decoder of one layer says a word at a time. `kept` holds the rows of the words before, at first none, and"
        " serves as keys and values; `table` holds the positions. Three versions of a step. One gives the numbers of"
        " the whole sentence computed at once, up to rounding; two do not.\n\n"
        + "\n\n".join(
            f"Version {letter}\n\n```\n{numbered(chr(10).join(code))}\n```" for letter, code in CACHES.items()
        )
    ),
    hints=(
        "Follow the third word: which position does it get, and which rows may it read?",
        "On other numbers: `tril` of one row and five columns keeps the first column alone; of row 5 in a square of"
        " five it keeps all.",
        "table[len(▢)]; the newest word may read all ▢ + 1 rows",
    ),
    fields=(
        Choose(
            name="equal",
            question="Which version equals the whole sentence?",
            options={
                "A": Option("Version A", "Its own position, and all rows so far.", True),
                "B": Option("Version B", "Every word gets position 0."),
                "C": Option("Version C", "From the second word on it reads the first row only."),
            },
        ),
        Choose(
            name="version B",
            question="What is the matter with version B?",
            options={
                "A": Option(
                    "Positions restart: each new word is taken for the first", "table[0], whatever was kept.", True
                ),
                "B": Option("The causal mask is missing", "The newest word may read all that is kept, and itself."),
                "C": Option("Nothing: rounding alone", "The difference is far larger than rounding."),
            },
        ),
        Choose(
            name="version C",
            question="What is the matter with version C?",
            options={
                "A": Option("Positions restart", "Its second line is that of version A."),
                "B": Option(
                    "The mask forgets the kept words: its one row is taken for row 0", "It reads row 0 alone.", True
                ),
                "C": Option("A mask has no place in a decoder", "With several new words at once it is needed."),
            },
        ),
        Choose(
            name="test",
            question="Which test finds both?",
            options={
                "A": Option("The first word", "It is right in all three: nothing is kept yet."),
                "B": Option("Three words one by one, against the three at once", "B and C differ at the second.", True),
                "C": Option("The shapes of the outputs", "They are right in all three."),
                "D": Option("The time that a step takes", "All three are equally fast."),
            },
        ),
    ),
    beliefs=(
        MISTAKES["D54"].committed_by({"equal": "B"}),
        MISTAKES["M11"].committed_by({"equal": "C"}),
        MISTAKES["M11"].committed_by({"version C": "C"}, phrase="“a step needs no mask, so none is ever needed”"),
        MISTAKES["M11"].committed_by(
            {"version B": "B", "version C": "A"},
            phrase="taking each of the two mistakes for the other",
            why="B gives each word position 0; C lets each word read row 0 alone.",
            then="Follow the second word through both versions.",
        ),
        MISTAKES["D58"].committed_by({"version B": "C"}),
        MISTAKES["D11"].committed_by(
            {"test": "C"},
            phrase="“a right shape means a right cache”",
            why="All versions return one row; only its numbers differ.",
            then="Compare step by step with the sentence computed at once.",
            see=CACHE,
        ),
        pair(MISTAKES["M11"], MISTAKES["D58"], {"equal": "C", "version B": "C"}),
    ),
    shown="Position and mask both have to know how much is kept; the second word already tells.",
    transfer="Which of the two mistakes would a model without positions never show?",
    review="08",
    see=CACHE,
)

# 23. ★ beam search


def beam_search(table: list[list[float]], beam_size: int, start: int, end: int, max_length: int) -> list[float | int]:
    """[total, start, …, end]: the best finished hypothesis with at most max_length symbols after the start."""
    opened: list[list] = [[0.0, start]]
    finished: list[list] = []
    for step in range(max_length):
        every = [[total + log_p, *ids, symbol] for total, *ids in opened for symbol, log_p in enumerate(table[ids[-1]])]
        every.sort(key=lambda row: -row[0])
        may_end = every if step == max_length - 1 else every[:beam_size]
        finished += [row for row in may_end if row[-1] == end]
        opened = [row for row in every if row[-1] != end][:beam_size]
    return max(finished)


def search_with(
    *,
    add: Callable[[float, float], float] = lambda total, log_p: total + log_p,
    width: Callable[[int], int] = lambda beam_size: beam_size,
    reverse: bool = True,
    single: bool = False,
    ends: str = "among the best",
) -> Callable[..., list[float | int]]:
    """A search with some of its parts replaced; ``ends`` says what becomes of extensions by the end symbol."""

    def mutant(table: Table, beam_size: int, start: int, end: int, max_length: int) -> list[float | int]:
        opened: list[list] = [[0.0, start]]
        finished: list[list] = []
        beam_size = width(beam_size)
        for step in range(max_length):
            parts = [
                [[add(total, log_p), *ids, symbol] for symbol, log_p in enumerate(table[ids[-1]])]
                for total, *ids in opened
            ]
            every = [max(rows) for rows in parts] if single else [row for rows in parts for row in rows]
            every.sort(key=lambda row: row[0], reverse=reverse)
            last, best = step == max_length - 1, every[:beam_size]
            finished += [row for row in (every if last or ends == "all" else best) if row[-1] == end]
            if finished and ends == "stop":
                break
            opened = [row for row in every if row[-1] != end][:beam_size]
        return max(finished)

    return mutant


def _never_aside(table: Table, beam_size: int, start: int, end: int, max_length: int) -> list[float | int]:
    """The end is a symbol like any other; what follows it counts."""
    opened: list[list] = [[0.0, start]]
    for _ in range(max_length):
        every = [[total + p, *ids, symbol] for total, *ids in opened for symbol, p in enumerate(table[ids[-1]])]
        opened = sorted(every, key=lambda row: -row[0])[:beam_size]
    return opened[0]


_SEARCHES: dict[str, dict[str, Any]] = {
    "D45": {"add": lambda total, log_p: log_p},
    "D46": {"single": True},
    "D47": {"reverse": False},
    "D50": {"ends": "all"},
    "D51": {"ends": "stop"},
    "D52": {"width": lambda beam_size: 1},
}

# symbols: 0 start, 1 end, 2 A, 3 B, 4 C; each row says how likely every symbol is after the one of its number.
# No two extensions are equally good where it matters: a right answer may sort ties as it likes.
TREES: Final = {
    "greedy fails": _logs(
        (0.001, 0.009, 0.55, 0.44),
        (0.25, 0.25, 0.25, 0.25),
        (0.001, 0.3, 0.349, 0.35),
        (0.001, 0.9, 0.049, 0.05),
    ),
    "late end": _logs(
        (0.001, 0.399, 0.2, 0.4),
        (0.25, 0.25, 0.25, 0.25),
        (0.001, 0.95, 0.02, 0.029),
        (0.001, 0.019, 0.95, 0.03),
    ),
    "five symbols": _logs(
        (0.001, 0.049, 0.35, 0.31, 0.29),
        (0.2, 0.2, 0.2, 0.2, 0.2),
        (0.001, 0.199, 0.2, 0.29, 0.31),
        (0.001, 0.329, 0.31, 0.03, 0.33),
        (0.001, 0.749, 0.11, 0.05, 0.09),
    ),
}


def _search_probe(name: str, where: str, tree: str, beam_size: int, max_length: int) -> Probe:
    inputs = {"table": TREES[tree], "beam_size": beam_size, "start": 0, "end": 1, "max_length": max_length}
    return Probe(name, where, inputs)


BEAM_SEARCH = Function(
    id="transformer.beam_search",
    number=24,
    title="★ A whole beam search",
    chapter="05",
    kind="write",
    difficulty=5,
    minutes=20,
    starred=True,
    prompt=(
        "Build a whole search out of your step. `table[a][b]` is the log probability of symbol b after symbol a: the"
        " model looks at the last symbol only. Begin with `[start]` and a total of 0. At each step an extension by"
        " `end` that is among the `beam_size` best is finished; the `beam_size` best others go on. At step number"
        " `max_length`, the last one, every open hypothesis may end, whatever its rank.\n\n"
        "Return the best finished hypothesis as one list, `[total, start, …, end]`. There is no length penalty. With a"
        " beam as wide as all that is open, the search must find what trying every sequence finds."
    ),
    imports="",
    template=(
        "def beam_search(table: list[list[float]], beam_size: int, start: int, end: int, max_length: int)"
        " -> list[float | int]:\n"
        '    """[total, start, …, end]: the best finished hypothesis with at most max_length symbols after the'
        ' start."""\n'
        "    return ..."
    ),
    hints=(
        "Keep two lists: what is open, and what is finished. Which of them does a step replace, which does it fill?",
        "On other numbers: with beam 1 and two steps, A (.6) then end (.5) gives .30; B (.4) then end (.9) gives .36,"
        " which needs beam 2.",
        "every = [[total + log_p, *ids, symbol] for total, *ids in ▢ for symbol, log_p in enumerate(table[▢])]",
    ),
    answer=beam_search,
    reference=beam_search,
    result="a list of numbers",
    tensors=False,
    probes=(
        _search_probe("beam 2", "With beam 2", "greedy fails", 2, 3),
        _search_probe("beam 1", "With beam 1 on the same table", "greedy fails", 1, 3),
        _search_probe("late", "Where a longer hypothesis beats an early end", "late end", 2, 3),
        _search_probe("five", "With five symbols and beam 2", "five symbols", 2, 4),
        _search_probe("wide", "With a wide beam", "five symbols", 200, 3),
        _search_probe("narrow", "With five symbols and beam 3", "five symbols", 3, 2),
    ),
    singles=(
        *(MISTAKES[code].committed_by(search_with(**change)) for code, change in _SEARCHES.items()),
        MISTAKES["D49"].committed_by(_never_aside),
    ),
    shown="With a wide beam your search finds what trying everything finds, and with a narrow one what it should.",
    transfer="How many sequences would trying everything cost, with V symbols and length n?",
    review="08",
    see=SPEAKING,
)

EXERCISES = (SCORE_BY_HAND, LONGER_OR_SHORTER, BEAM_STEP, WHICH_CACHE, BEAM_SEARCH)
