"""Chapter 06, exercises in plain Python: gates, bits, spelling, targets, turning back, leaks, claims.

Standard library only, so that they are judged in a page as well as in a notebook.
"""

import math
from collections.abc import Callable, Iterable

from qkv.exercises.attention import numbered
from qkv.exercises.choices import Choice, Choose, Line, Option, Parsons
from qkv.exercises.elmo_mistakes import (
    BOTH_ENDS,
    GATES,
    GUESS,
    LEAK,
    MISTAKES,
    SPELLING,
    SURPRISE,
    TAGGER,
    WHICH_GATE,
)
from qkv.exercises.functions import Function, Probe, pair

# 1. predict

PREDICT_THE_GATES = Choice(
    id="elmo.predict_the_gates",
    number=1,
    title="Three settings of the gates",
    chapter="06",
    kind="predict",
    difficulty=1,
    minutes=2,
    prompt=(
        "A memory cell holds c = 2, and what may be written is g = −1. First the forget gate is f = 1 and the input"
        " gate i = 0. Then, again from c = 2, f = 1/2 and i = 1. At last the output gate is o = 0."
    ),
    hints=(
        "The new memory is f · c + i · g. What of it is the old memory?",
        "On other numbers: c = 10, g = 3, f = .1 and i = 1 give .1 · 10 + 1 · 3 = 4.",
        "1 · 2 + ▢ · (−1); then ½ · 2 + 1 · ▢; and h = ▢ · tanh(c).",
    ),
    fields=(
        Choose(
            name="keep",
            question="f = 1, i = 0: the new memory",
            options={
                "A": Option("2", "All is kept, nothing is written.", True),
                "B": Option("0", "It tempts by the name of the gate; f is the share that is kept."),
                "C": Option("−1", "The input gate is closed, so g is not written."),
            },
        ),
        Choose(
            name="half",
            question="f = 1/2, i = 1: the new memory",
            options={
                "A": Option("0", "½ · 2 + 1 · (−1).", True),
                "B": Option("1", "The half that is kept, but something is written as well."),
                "C": Option("−1", "What is written, but half of the old memory is kept."),
                "D": Option(".5", "That is the middle of 2 and −1; the gates need not add up to 1."),
            },
        ),
        Choose(
            name="shut",
            question="o = 0",
            options={
                "A": Option("h = 0, and the memory goes on to the next step", "o acts on what is said.", True),
                "B": Option("h = 0, and the memory is 0 from now on", "o does not occur in the new memory."),
                "C": Option("h = tanh(c)", "That is o = 1."),
            },
        ),
    ),
    beliefs=(
        MISTAKES["L1"].committed_by({"keep": "B"}),
        MISTAKES["L4"].committed_by({"half": "C"}),
        MISTAKES["L20"].committed_by({"half": "D"}),
        MISTAKES["L21"].committed_by({"shut": "B"}),
        pair(MISTAKES["L1"], MISTAKES["L21"], {"keep": "B", "shut": "B"}),
    ),
    shown="All three hold: keep, write and speak are three decisions of their own.",
    transfer="Which setting carries a memory over a hundred steps unchanged?",
    review="07",
    see=GATES,
)

# 2. Parsons

STEP = {"i": [0.5, -1.0], "f": [1.0, 0.2], "g": [0.8, -0.6], "o": [-0.4, 1.5], "old": [2.0, -1.0]}


def sigmoid(x: float) -> float:
    """1 / (1 + e^-x): from 0, closed, to 1, open."""
    return 1 / (1 + math.exp(-x))


def run_lines(lines: Iterable[str]) -> list[list[float]]:
    """The hidden state of the toy after lines that were put into an order."""
    names: dict = dict(STEP) | {
        "gate": lambda row: [sigmoid(x) for x in row],
        "tanh": lambda row: [math.tanh(x) for x in row],
        "times": lambda a, b: [x * y for x, y in zip(a, b, strict=True)],
        "plus": lambda a, b: [x + y for x, y in zip(a, b, strict=True)],
    }
    for line in lines:
        exec(line, names)
    return [names["h"]]


ORDER_THE_CELL = Parsons(
    id="elmo.order_the_cell",
    number=2,
    title="One step of an LSTM",
    chapter="06",
    kind="Parsons",
    difficulty=2,
    minutes=4,
    prompt=(
        "Put lines into an order that makes the hidden state `h` of one step. `old` is the memory before it; `i`, `f`,"
        " `g` and `o` are rows of numbers that have not gone through a sigmoid or tanh yet. `gate` is the sigmoid,"
        " `times` and `plus` work entry by entry. Three lines are false friends and stay out."
    ),
    hints=(
        "What is kept, what is written, what is said? Which memory is the last one made of?",
        "On other numbers: keep .5 of 4, write .1 of 1; the memory is 2.1, and tanh of that, times a gate, is said.",
        "A, B, ▢, ▢. The memory must be new before anything is said.",
    ),
    lines={
        "A": Line("kept = times(gate(f), old)", (), "kept", True, "The share of the old memory that stays."),
        "B": Line("written = times(gate(i), tanh(g))", (), "written", True, "The share of the news that is written."),
        "C": Line("new = plus(kept, written)", ("kept", "written"), "new", True, "The new memory is a sum."),
        "D": Line("h = times(gate(o), tanh(new))", ("new",), "h", True, "What is said of the new memory."),
        "E": Line("h = times(gate(o), tanh(old))", (), "h", False, "Line E speaks of the memory before the step."),
        "F": Line("new = plus(old, written)", ("written",), "new", False, "Line F keeps all of the old memory."),
        "G": Line("h = times(gate(o), new)", ("new",), "h", False, "Line G hands the memory out as large as it is."),
    },
    wanted="h",
    order="ABCD",
    orders=(
        MISTAKES["L2"].committed_by("ABCE"),
        MISTAKES["L22"].committed_by("BFD"),
        MISTAKES["L3"].committed_by("ABCG"),
        pair(MISTAKES["L22"], MISTAKES["L3"], "BFG"),
    ),
    run=run_lines,
    rows=("h",),
    shown="Keep, write, add, speak: the memory is new before the cell speaks of it.",
    transfer="Which two lines could change places without changing anything?",
    review="07",
    see=GATES,
)

# 3. write one step


def lstm_step(parts: list[float], cell: list[float]) -> list[list[float]]:
    """Hidden state and memory after one step; ``parts`` are i, f, g, o in a row, before sigmoid and tanh."""
    d = len(cell)
    i, f, g, o = (parts[k * d : (k + 1) * d] for k in range(4))
    new = [sigmoid(f[j]) * cell[j] + sigmoid(i[j]) * math.tanh(g[j]) for j in range(d)]
    return [[sigmoid(o[j]) * math.tanh(new[j]) for j in range(d)], new]


def _step_with(
    *,
    order: str = "ifgo",
    interleaved: bool = False,
    speaks_of: str = "new",
    bend: Callable[[float], float] = math.tanh,
    written: Callable[[float], float] = math.tanh,
    keeps: str = "gate",
    swapped: bool = False,
) -> Callable[[list[float], list[float]], list[list[float]]]:
    """One step with some of its parts replaced: the mutants of ``lstm_step``."""

    def mutant(parts: list[float], cell: list[float]) -> list[list[float]]:
        d = len(cell)
        cut = [parts[k::4] for k in range(4)] if interleaved else [parts[k * d : (k + 1) * d] for k in range(4)]
        named = dict(zip(order, cut, strict=True))
        kept = {"gate": lambda j: sigmoid(named["f"][j]), "all": lambda j: 1.0, "none": lambda j: 0.0}[keeps]
        new = [kept(j) * cell[j] + sigmoid(named["i"][j]) * written(named["g"][j]) for j in range(d)]
        said = new if speaks_of == "new" else cell
        hidden = [sigmoid(named["o"][j]) * bend(said[j]) for j in range(d)]
        return [new, hidden] if swapped else [hidden, new]

    return mutant


_STEPS: dict[str, dict] = {
    "E11": {"order": "igfo"},
    "L24": {"interleaved": True},
    "L2": {"speaks_of": "old"},
    "L3": {"bend": lambda x: x},
    "L4": {"keeps": "none"},
    "L5": {"written": sigmoid},
    "L22": {"keeps": "all"},
    "L23": {"swapped": True},
}
_STEP_COUPLES = (("E11", "L2"), ("E11", "L3"), ("E11", "L22"), ("L3", "L22"), ("L2", "L22"), ("L3", "L23"))
_OTHER_ORDER = {
    "phrase": "gates in the order i, f, o, g",
    "why": "torch stacks them as i, f, g, o; many papers list the gates first, and no shape tells.",
}

LSTM_STEP = Function(
    id="elmo.lstm_step",
    number=3,
    title="The cell in plain Python",
    chapter="06",
    kind="write",
    difficulty=2,
    minutes=10,
    prompt=(
        "Write one step of an LSTM. `parts` holds four parts one behind the other, each as long as the memory `cell`:"
        " input gate, forget gate, what may be written, output gate. They have not gone through sigmoid or tanh yet."
        " Return two rows: the hidden state, then the new memory. All numbers lie between −30 and 30."
    ),
    imports="import math\n\n\ndef sigmoid(x: float) -> float:\n    return 1 / (1 + math.exp(-x))",
    template=(
        "def lstm_step(parts: list[float], cell: list[float]) -> list[list[float]]:\n"
        '    """Hidden state and memory after one step; ``parts`` are i, f, g, o in a row, before sigmoid and'
        ' tanh."""\n'
        "    return ..."
    ),
    hints=(
        "How long is each of the four parts? Which of them go through the sigmoid, and which one through tanh?",
        "On other numbers: with a memory of 2 the eight numbers are i, i, f, f, g, g, o, o.",
        "new = [sigmoid(f[j]) * ▢ + sigmoid(i[j]) * ▢ for j in range(d)]",
    ),
    answer=lstm_step,
    reference=lstm_step,
    result="two lists of numbers",
    tensors=False,
    probes=(
        Probe(
            "by hand",
            "With round numbers",
            {"parts": [0.0, math.log(3), math.atanh(0.5), 0.0], "cell": [2.0]},
            ("hidden", "memory"),
        ),
        Probe(
            "three entries",
            "With a memory of three entries",
            {"parts": [0.3, -1.2, 2.0, 1.1, -0.4, 0.6, -0.9, 0.2, 1.7, 0.8, -2.1, 0.5], "cell": [1.5, -0.7, 0.4]},
            ("hidden", "memory"),
        ),
        Probe(
            "four entries",
            "With a memory of four entries",
            {
                "parts": [1.0, 0.1, -0.3, 2.2, -1.4, 0.9, 0.7, -0.2, 0.5, -1.1, 1.3, -0.6, 0.4, 1.9, -0.8, -1.7],
                "cell": [-2.0, 3.0, 0.1, -0.5],
            },
            ("hidden", "memory"),
        ),
        Probe(
            "wide open",
            "With gates wide open and shut",
            {"parts": [30.0, -30.0, -30.0, 30.0, 3.0, 3.0, 30.0, -30.0], "cell": [5.0, 7.0]},
            ("hidden", "memory"),
        ),
    ),
    singles=(
        *(MISTAKES[code].committed_by(_step_with(**change)) for code, change in _STEPS.items()),
        MISTAKES["E11"].committed_by(_step_with(order="ifog"), **_OTHER_ORDER),
    ),
    pairs=lambda: [pair(MISTAKES[a], MISTAKES[b], _step_with(**(_STEPS[a] | _STEPS[b]))) for a, b in _STEP_COUPLES],
    shown="Hidden state and memory agree, with small gates and with gates wide open.",
    transfer="What must the four parts be for the memory to stay as it is?",
    review="07",
    see=WHICH_GATE,
)

# 4. write bits per character


def bits_per_character(nats: list[float], texts: list[str]) -> float:
    """The loss of all texts together, in bits for each of their characters."""
    return sum(nats) / math.log(2) / sum(len(text) for text in texts)


def _bits_with(
    *,
    unit: float = 1 / math.log(2),
    count: Callable[[str], int] = len,
    mean: bool = False,
    power: bool = False,
) -> Callable[[list[float], list[str]], float]:
    def mutant(nats: list[float], texts: list[str]) -> float:
        if mean:
            each = [unit * loss / count(text) for loss, text in zip(nats, texts, strict=True)]
            return sum(each) / len(each)
        per = sum(nats) / sum(map(count, texts))
        return math.exp(per) if power else unit * per

    return mutant


_BITS: dict[str, dict] = {
    "L6": {"unit": 1.0},
    "L7": {"count": lambda text: len(text.split())},
    "L8": {"mean": True},
    "L9": {"unit": math.log(2)},
    "L25": {"power": True},
    "L26": {"count": lambda text: len(text.replace(" ", ""))},
}
_BITS_COUPLES = (("L6", "L7"), ("L6", "L8"), ("L7", "L8"), ("L8", "L9"), ("L7", "L9"), ("L7", "L25"), ("L6", "L26"))

BITS_PER_CHARACTER = Function(
    id="elmo.bits_per_character",
    number=4,
    title="Bits per character",
    chapter="06",
    kind="write",
    difficulty=2,
    minutes=6,
    prompt=(
        "A language model has read some texts. `nats` holds its whole loss on each of them, in nats. Return its bits"
        " per character over all texts together, so that models with words and models with characters can be compared."
        " A loss of 3 ln 2 on `cat` is 1 bit per character."
    ),
    imports="import math",
    template=(
        "def bits_per_character(nats: list[float], texts: list[str]) -> float:\n"
        '    """The loss of all texts together, in bits for each of their characters."""\n'
        "    return ..."
    ),
    hints=(
        "How many nats are there in all, and how many characters? How many bits is one nat?",
        "On other numbers: 20 nats on 10 characters are 2 nats each, and 2 / .693 = 2.89 bits.",
        "sum(nats) / ▢ / sum(len(text) for text in texts)",
    ),
    answer=bits_per_character,
    reference=bits_per_character,
    result="a number",
    tensors=False,
    probes=(
        Probe("cat", "With `cat` and 3 ln 2", {"nats": [3 * math.log(2)], "texts": ["cat"]}),
        Probe("a cat", "With `a cat` and 7 nats", {"nats": [7.0], "texts": ["a cat"]}),
        Probe(
            "two texts",
            "With a short and a long text",
            {"nats": [9.0, 21.5], "texts": ["no", "the bank of the river"]},
        ),
        Probe(
            "three texts",
            "With three texts",
            {"nats": [4.0, 0.0, 30.0], "texts": ["a b c", "x", "she sat on the bank and read"]},
        ),
    ),
    singles=tuple(MISTAKES[code].committed_by(_bits_with(**change)) for code, change in _BITS.items()),
    pairs=lambda: [pair(MISTAKES[a], MISTAKES[b], _bits_with(**(_BITS[a] | _BITS[b]))) for a, b in _BITS_COUPLES],
    shown="One number for all texts, whatever the model's tokens are.",
    transfer="How many bits per character has an even guess among 32 characters?",
    review="07",
    see=SURPRISE,
)

# 5. spell a word


def character_ids(word: str, length: int) -> list[int]:
    """Begin 1, the bytes of the word plus 5, end 2, then 0 up to ``length`` ids; a long word loses its last letters."""
    letters = [5 + byte for byte in word.encode()][: length - 2]
    ids = [1, *letters, 2]
    return ids + [0] * (length - len(ids))


def _spelled(
    *,
    shift: int = 5,
    by: str = "bytes",
    begin: bool = True,
    end: bool = True,
    cut: str = "letters",
    fill: str = "right",
) -> Callable[[str, int], list[int]]:
    """Spelling with some of its parts replaced: the mutants of ``character_ids``."""

    def mutant(word: str, length: int) -> list[int]:
        codes = list(word.encode()) if by == "bytes" else [ord(letter) for letter in word]
        letters = [shift + code for code in codes]
        marks = begin + end
        if cut == "letters":
            letters = letters[: length - marks]
        room = [0] * max(length - len(letters) - marks, 0)
        if fill == "before the end":
            letters, room = letters + room, []
        ids = [1] * begin + letters + [2] * end
        if fill == "left":
            return (room + ids)[:length]
        return ids[:length] if fill == "none" else (ids + room)[:length]

    return mutant


_SPELLED: list[tuple[str, dict, dict[str, str]]] = [
    ("E12", {"begin": False, "end": False}, {"phrase": "a word without its marks"}),
    ("E12", {"begin": False}, {"phrase": "a word without its begin mark"}),
    ("E12", {"end": False}, {"phrase": "a word without its end mark"}),
    (
        "E12",
        {"cut": "marks"},
        {
            "phrase": "a long word that loses its end mark",
            "why": "The end mark tells a suffix from letters inside; a long word gives up letters instead.",
            "then": "Spell “river” by hand with room for four ids: 1, 119, 110, 2.",
        },
    ),
    ("E12", {"fill": "left"}, {"phrase": "padding in front of the word"}),
    ("E12", {"fill": "before the end"}, {"phrase": "padding between the word and its end mark"}),
    ("L27", {"shift": 0}, {}),
    ("L28", {"by": "letters"}, {}),
    ("L29", {"fill": "none"}, {}),
]
_SPELLED_PAIRS = (
    ("E12", "L27", {"begin": False, "end": False, "shift": 0}),
    ("E12", "L29", {"begin": False, "end": False, "fill": "none"}),
    ("L27", "L28", {"shift": 0, "by": "letters"}),
    ("L27", "L29", {"shift": 0, "fill": "none"}),
    ("L28", "L29", {"by": "letters", "fill": "none"}),
)
_IN_IDS = ("",)

CHARACTER_IDS = Function(
    id="elmo.character_ids",
    number=5,
    title="A word, byte by byte",
    chapter="06",
    kind="write",
    difficulty=2,
    minutes=8,
    prompt=(
        "Spell a word as ELMo reads it: 1 for its begin, then each byte of its UTF-8 plus 5, then 2 for its end, then 0"
        " until there are `length` ids. A word that is too long loses its last letters and keeps its end. `length` is"
        " at least 3; `word.encode()` gives the bytes. With room for six, *at* is `[1, 102, 121, 2, 0, 0]`."
    ),
    imports="",
    template=(
        "def character_ids(word: str, length: int) -> list[int]:\n"
        '    """Begin 1, the bytes of the word plus 5, end 2, then 0 up to ``length`` ids; a long word loses its last'
        ' letters."""\n'
        "    return ..."
    ),
    hints=(
        "How many letters have room when two of the ids are marks? What comes behind a short word?",
        "On other numbers: with room for four, *cab* keeps two letters: begin, c, a, end.",
        "letters = [5 + byte for byte in word.encode()][: length - ▢]",
    ),
    answer=character_ids,
    reference=character_ids,
    result="a list of whole numbers",
    tensors=False,
    probes=(
        Probe("at", "With *at*, room 6", {"word": "at", "length": 6}, _IN_IDS),
        Probe("bank", "With *bank*, room 6", {"word": "bank", "length": 6}, _IN_IDS),
        Probe("river", "With *river*, room 4", {"word": "river", "length": 4}, _IN_IDS),
        Probe("é", "With *née*, room 8", {"word": "née", "length": 8}, _IN_IDS),
        Probe("one letter", "With *a*, room 3", {"word": "a", "length": 3}, _IN_IDS),
    ),
    singles=tuple(MISTAKES[code].committed_by(_spelled(**change), **words) for code, change, words in _SPELLED),
    pairs=lambda: [pair(MISTAKES[a], MISTAKES[b], _spelled(**change)) for a, b, change in _SPELLED_PAIRS],
    shown="Short, long and accented words come out as the model reads them.",
    transfer="What becomes of two long words that differ in their last letter alone?",
    review="09",
    see=SPELLING,
)

# 6. who predicts what

NOTHING = -100


def targets(ids: list[int]) -> list[list[int]]:
    """For each word: what is to be predicted there from the left, and what from the right; -100 where nothing is."""
    return [[*ids[1:], -100], [-100, *ids[:-1]]]


def _next_and_previous(nothing: int) -> tuple[Callable[[list[int]], list[int]], Callable[[list[int]], list[int]]]:
    return (lambda ids: [*ids[1:], nothing]), (lambda ids: [nothing, *ids[:-1]])


def _targets_with(
    *, both_next: bool = False, same: bool = False, round_the_end: bool = False, exchanged: bool = False,
    by_reading: bool = False, nothing: int = NOTHING,
) -> Callable[[list[int]], list[list[int]]]:  # fmt: skip
    after, before = _next_and_previous(nothing)

    def mutant(ids: list[int]) -> list[list[int]]:
        if same:
            return [list(ids), list(ids)]
        if round_the_end:
            return [[*ids[1:], ids[0]], [ids[-1], *ids[:-1]]]
        left, right = after(ids), after(ids) if both_next else before(ids)
        if by_reading:
            right = right[::-1]
        return [right, left] if exchanged else [left, right]

    return mutant


_TARGETS: dict[str, dict] = {
    "E1": {"both_next": True},
    "L10": {"same": True},
    "L11": {"round_the_end": True},
    "L30": {"exchanged": True},
    "L31": {"by_reading": True},
    "L32": {"nothing": 0},
}
_TARGET_COUPLES = (("E1", "L32"), ("L30", "L32"), ("L31", "L32"), ("L30", "L31"))

TARGETS = Function(
    id="elmo.targets",
    number=6,
    title="Who predicts what",
    chapter="06",
    kind="write",
    difficulty=2,
    minutes=6,
    prompt=(
        "Two language models read a sentence of word ids, one from the left, one from the right. At each place a model"
        " has read the word there and all before it, in its own direction, and predicts the word that comes next for"
        " it. Return two rows, both by place: what the left reader predicts at each word, and what the right reader"
        " does. Where there is nothing to predict, put −100."
    ),
    imports="",
    template=(
        "def targets(ids: list[int]) -> list[list[int]]:\n"
        '    """For each word: what is to be predicted there from the left, and what from the right; -100 where nothing'
        ' is."""\n'
        "    return ..."
    ),
    hints=(
        "At the second word, which words has each reader not seen yet? Which of them comes first for it?",
        "On other numbers: for 5, 6, 7 the left reader at 6 predicts 7, the right reader at 6 predicts 5.",
        "[[*ids[1:], -100], [▢, *ids[: ▢]]]",
    ),
    answer=targets,
    reference=targets,
    result="two lists of whole numbers",
    tensors=False,
    probes=(
        Probe("three words", "With 5, 6, 7", {"ids": [5, 6, 7]}, ("left", "right")),
        Probe("four words", "With 3, 9, 3, 1", {"ids": [3, 9, 3, 1]}, ("left", "right")),
        Probe("one word", "With a single word", {"ids": [8]}, ("left", "right")),
    ),
    singles=tuple(MISTAKES[code].committed_by(_targets_with(**change)) for code, change in _TARGETS.items()),
    pairs=lambda: [
        pair(MISTAKES[a], MISTAKES[b], _targets_with(**(_TARGETS[a] | _TARGETS[b]))) for a, b in _TARGET_COUPLES
    ],
    shown="Each reader predicts what it has not read, and the ends predict nothing.",
    transfer="Which two marks round a sentence give the first and the last word a neighbour?",
    review="08",
    see=BOTH_ENDS,
)

# 7. turn back


def reverse_by_length(rows: list[list[int]], lengths: list[int]) -> list[list[int]]:
    """Each sentence back to front, its padding left behind it."""
    return [row[:n][::-1] + row[n:] for row, n in zip(rows, lengths, strict=True)]


def _without_zeros(rows: list[list[int]], lengths: list[int]) -> list[list[int]]:
    counts = [sum(x != 0 for x in row) for row in rows]
    return reverse_by_length(rows, counts)


def _batch_reversed(rows: list[list[int]], lengths: list[int]) -> list[list[int]]:
    return [list(row) for row in rows[::-1]]


def _last_kept(rows: list[list[int]], lengths: list[int]) -> list[list[int]]:
    return [row[: n - 1][::-1] + row[n - 1 :] for row, n in zip(rows, lengths, strict=True)]


REVERSE_BY_LENGTH = Function(
    id="elmo.reverse_by_length",
    number=7,
    title="Back to front, padding behind",
    chapter="06",
    kind="write",
    difficulty=2,
    minutes=6,
    prompt=(
        "The reader from the right gets each sentence back to front. `rows` are sentences of word ids, filled up with 0"
        " to one length; `lengths` says how many ids of each are words. Return the rows with the words reversed and the"
        " padding where it was. The id 0 may be a word too."
    ),
    imports="",
    template=(
        "def reverse_by_length(rows: list[list[int]], lengths: list[int]) -> list[list[int]]:\n"
        '    """Each sentence back to front, its padding left behind it."""\n'
        "    return ..."
    ),
    hints=(
        "Which part of a row is turned, and which part stays?",
        "On other numbers: `[5, 6, 7, 0, 0]` of length 3 becomes `[7, 6, 5, 0, 0]`.",
        "row[:n][::▢] + row[▢:]",
    ),
    answer=reverse_by_length,
    reference=reverse_by_length,
    result="lists of whole numbers",
    tensors=False,
    probes=(
        Probe("one sentence", "With `[5, 6, 7, 0, 0]`", {"rows": [[5, 6, 7, 0, 0]], "lengths": [3]}, ("5 6 7",)),
        Probe(
            "two sentences",
            "With sentences of 4 and 2 words",
            {"rows": [[4, 8, 2, 9], [3, 1, 0, 0]], "lengths": [4, 2]},
        ),
        Probe(
            "a word of id 0",
            "With a word whose id is 0",
            {"rows": [[3, 0, 4, 0, 0], [1, 2, 0, 0, 0], [6, 0, 5, 4, 2]], "lengths": [3, 3, 5]},
        ),
        Probe("one word", "With a single word", {"rows": [[7, 0, 0]], "lengths": [1]}),
    ),
    singles=(
        MISTAKES["E3"].committed_by(lambda rows, lengths: [row[::-1] for row in rows]),
        MISTAKES["L35"].committed_by(_batch_reversed),
        MISTAKES["L37"].committed_by(_last_kept),
        MISTAKES["L39"].committed_by(_without_zeros),
    ),
    shown="Words are turned and padding stays, also where a word has the id 0.",
    transfer="What does your function do when it is called twice?",
    review="08",
    see=BOTH_ENDS,
)

# 8. debug: which one leaks

READERS = {
    "A": """\
left = nn.LSTM(d, d, num_layers=2, batch_first=True)
right = nn.LSTM(d, d, num_layers=2, batch_first=True)
from_left = left(x)[0]
from_right = right(x.flip(1))[0].flip(1)""",
    "B": """\
both = nn.LSTM(d, d, num_layers=2, bidirectional=True, batch_first=True)
from_left, from_right = both(x)[0].chunk(2, dim=-1)""",
    "C": """\
both = nn.LSTM(d, d, num_layers=1, bidirectional=True, batch_first=True)
from_left, from_right = both(x)[0].chunk(2, dim=-1)""",
}

WHICH_LEAKS = Choice(
    id="elmo.which_leaks",
    number=8,
    title="Which reader has seen the answer?",
    chapter="06",
    kind="debug",
    difficulty=3,
    minutes=6,
    prompt=(
        "`x` holds sentences without padding, (b, t, d). Each version is trained to predict the next word from"
        " `from_left` and the previous one from `from_right`. One of them has read what it is to predict.\n\n"
        + "\n\n".join(f"```\n# {name}\n{numbered(code)}\n```" for name, code in READERS.items())
    ),
    hints=(
        "What does the second layer read? Which halves of the first are in it?",
        "On other numbers: in a chain of three people, the third knows whatever either of the first two was told.",
        "Change x[:, ▢] and see whether from_left[:, 0] moves.",
    ),
    fields=(
        Choose(
            name="leaks",
            question="Which version has read the answer?",
            options={
                "A": Option("A", "Two stacks that never meet."),
                "B": Option("B", "Its second layer reads both halves of the first.", True),
                "C": Option("C", "With one layer each half has read words alone, in its own direction."),
            },
        ),
        Choose(
            name="test",
            question="Which test shows it?",
            options={
                "A": Option("Train, and see which loss is higher.", "The one that leaks has by far the lowest."),
                "B": Option("Compare the shapes of `from_left`.", "All three have (b, t, d)."),
                "C": Option("Change the last word and look at `from_left[:, 0]`.", "It must not move.", True),
            },
        ),
        Choose(
            name="fix",
            question="What mends it?",
            options={
                "A": Option("Dropout between the layers", "It hides the answer at some places, at random."),
                "B": Option(
                    "Two stacks, joined behind their last layers", "Nothing passes from one to the other.", True
                ),
                "C": Option("Predict from the joined halves", "Then every version is told the answer."),
            },
        ),
    ),
    beliefs=(
        MISTAKES["E2"].committed_by({"leaks": "A"}),
        MISTAKES["L33"].committed_by({"leaks": "C"}),
        MISTAKES["L34"].committed_by({"test": "A"}),
        MISTAKES["E2"].committed_by({"fix": "C"}),
        MISTAKES["E2"].committed_by({"fix": "A"}),
        pair(MISTAKES["L33"], MISTAKES["L34"], {"leaks": "C", "test": "A"}),
    ),
    shown="One line tells: two layers, both directions, one module.",
    transfer="Why is the same module right in a tagger, which predicts no words?",
    review="09",
    see=LEAK,
)

# 9. debug: three slips round a frozen model

WHICH_SETUP = Choice(
    id="elmo.which_setup",
    number=9,
    title="Three lines round a frozen ELMo",
    chapter="06",
    kind="debug",
    difficulty=3,
    minutes=6,
    prompt=(
        "A tagger reads the layers of a trained ELMo, which has a token layer and two LSTM layers. The features must be"
        " the same whenever a sentence is read, and training must leave ELMo as it is."
    ),
    hints=(
        "Which line stops dropout, and which one stops learning? What does a mix of equal vectors give?",
        "On other numbers: the shares .2, .3 and .5 of three vectors that are all (4, 0) give (4, 0).",
        "γ · (s₀ v + s₁ v + s₂ v) = γ · ▢",
    ),
    fields=(
        Choose(
            name="frozen",
            question="Which lines stand before training?",
            options={
                "A": Option("`elmo.eval()` alone", "Dropout is off, but an optimizer may still change the weights."),
                "B": Option("`elmo.requires_grad_(False)` alone", "Weights stay, but dropout changes every reading."),
                "C": Option("both", "One stops dropout, the other stops learning.", True),
            },
        ),
        Choose(
            name="number",
            question="AllenNLP's `num_output_representations=2` gives",
            options={
                "A": Option("the two LSTM layers, one after the other", "Two equal tensors puzzled many: no layers."),
                "B": Option("two mixes of all layers, each with weights of its own", "One for each place.", True),
                "C": Option("vectors of two directions", "Both directions are in every layer."),
            },
        ),
        Choose(
            name="twice",
            question="`v` is a mix already. `mix(torch.stack([v, v, v]))` gives",
            options={
                "A": Option("γ · v", "The shares add up to 1, and only γ is left.", True),
                "B": Option("the layers, weighed anew", "The layers are gone: v is one vector."),
                "C": Option("3 · γ · v", "The shares add up to 1, not to 3."),
            },
        ),
    ),
    beliefs=(
        MISTAKES["E10"].committed_by({"frozen": "A"}),
        MISTAKES["E10"].committed_by({"frozen": "B"}),
        MISTAKES["E8"].committed_by({"number": "A"}),
        MISTAKES["E7"].committed_by({"twice": "B"}),
        pair(MISTAKES["E10"], MISTAKES["E8"], {"frozen": "A", "number": "A"}),
        pair(MISTAKES["E10"], MISTAKES["E8"], {"frozen": "B", "number": "A"}),
        pair(MISTAKES["E8"], MISTAKES["E7"], {"number": "A", "twice": "B"}),
    ),
    shown="Frozen twice over, one mix for each place, and each vector mixed once.",
    transfer="Which of the two lines also saves time, and why?",
    review="09",
    see=TAGGER,
)

# 10. claim

WHICH_PERPLEXITY = Choice(
    id="elmo.which_perplexity",
    number=10,
    title="Two perplexities: what may be printed?",
    chapter="06",
    kind="claim",
    difficulty=3,
    minutes=5,
    prompt=(
        "Two models read the same held-out book. The first predicts characters, with perplexity 3 for each. The second"
        " predicts words out of a list of 6,000, with perplexity 90 for each; what is not on the list is `<unk>`. In"
        " this book a word has five characters, its space included."
    ),
    hints=(
        "What is one prediction of each model? What must each of them say at a rare name?",
        "On other numbers: perplexity 2 per letter and words of three letters make 2 · 2 · 2 = 8 per word.",
        "3 to the power of ▢ per word; and `<unk>` stands for ▢ different words.",
    ),
    fields=(
        Choose(
            name="per_word",
            question="The character model's perplexity per word is about",
            options={
                "A": Option("15", "That is 3 times 5; probabilities are multiplied, not added."),
                "B": Option("243", "3 to the power of 5.", True),
                "C": Option("3", "That is one character."),
            },
        ),
        Choose(
            name="sentence",
            question="Which sentence may be printed?",
            options={
                "A": Option("The character model is better: 3 is less than 90.", "The two 3 and 90 have other units."),
                "B": Option(
                    "The word model is better: 90 is less than 243.",
                    "At every rare word it says `<unk>`, and the other must spell it.",
                ),
                "C": Option(
                    "From these numbers alone nobody can say; the word model was spared the rare words.",
                    "They do not predict the same text.",
                    True,
                ),
            },
        ),
        Choose(
            name="settles",
            question="What would settle it?",
            options={
                "A": Option("both in bits per character of the whole text, rare words spelled out", "One text.", True),
                "B": Option("a longer training of both", "The units stay what they are."),
                "C": Option("a larger list of words", "Then the first number changes again, and no unit is shared."),
            },
        ),
    ),
    beliefs=(
        MISTAKES["L12"].committed_by({"sentence": "A"}),
        MISTAKES["L13"].committed_by({"per_word": "A"}),
        MISTAKES["L41"].committed_by({"sentence": "B"}),
        pair(MISTAKES["L13"], MISTAKES["L12"], {"per_word": "A", "sentence": "A"}),
        pair(MISTAKES["L13"], MISTAKES["L41"], {"per_word": "A", "sentence": "B"}),
        MISTAKES["L12"].committed_by({"per_word": "C", "sentence": "A"}),
    ),
    shown="Perplexities compare when the text, its units and its unknown words are the same.",
    transfer="A paper reports perplexity 40 over words: which two things do you look up before you compare?",
    review="08",
    see=SURPRISE,
)

# 11. review

AGAIN = Choice(
    id="elmo.again",
    number=11,
    title="From the chapters before",
    chapter="06",
    kind="predict",
    difficulty=2,
    minutes=4,
    prompt=(
        "Four questions that return, one from each of the chapters 02 to 05. A writing model has d_model 256, four"
        " heads and a table of sines and cosines."
    ),
    hints=(
        "What does a blocked key still do when it is blocked late? How many products make one score?",
        "On other numbers: d_model 90 with 9 heads divides by the root of 10; losses 4 and 2, of which the second is"
        " padding, have the mean 4.",
        "√(256 / ▢); row 0 is 0, ▢, 0, ▢; and (1 + 2 + 3) / ▢.",
    ),
    fields=(
        Choose(
            name="mask",
            question="02. Blocked keys are set to 0 after softmax. The row's weights add up to",
            options={
                "A": Option("1", "They did before the blocked ones were taken away."),
                "B": Option("less than 1", "What the blocked keys had is lost.", True),
                "C": Option("more than 1", "Nothing is added."),
            },
        ),
        Choose(
            name="divisor",
            question="03. Each head divides its scores by",
            options={
                "A": Option("√256 = 16", "A head adds up 64 products, not 256."),
                "B": Option("√64 = 8", "256 / 4 products make one score.", True),
                "C": Option("√4 = 2", "The number of heads does not occur in one dot product."),
            },
        ),
        Choose(
            name="row",
            question="04. The first word is given the row",
            options={
                "A": Option("0, 1, 0, 1, …", "At position 0 every hand points to the right.", True),
                "B": Option(".841, .540, …", "That is position 1."),
                "C": Option("1, 1, 1, 1, …", "A sine of 0 is 0."),
            },
        ),
        Choose(
            name="loss",
            question="05. Three words cost 1, 2 and 3 nats; a fourth place is padding and costs 6. The loss is",
            options={
                "A": Option("3", "12 / 4 counts the padding."),
                "B": Option("2", "6 / 3.", True),
                "C": Option("1.5", "6 / 4: the padding's loss is out, its place is still counted."),
            },
        ),
    ),
    beliefs=(
        MISTAKES["M1"].committed_by({"mask": "A"}),
        MISTAKES["A2"].committed_by({"divisor": "A"}),
        MISTAKES["P7"].committed_by({"row": "B"}),
        MISTAKES["B7"].committed_by({"loss": "A"}),
        MISTAKES["B7"].committed_by({"loss": "C"}),
    ),
    shown="Mask, divisor, position and loss are as in the chapters before.",
    transfer="Which of the four has no counterpart in an LSTM, and why?",
    review="07",
    see=GUESS,
)

EXERCISES = (
    PREDICT_THE_GATES,
    ORDER_THE_CELL,
    LSTM_STEP,
    BITS_PER_CHARACTER,
    CHARACTER_IDS,
    TARGETS,
    REVERSE_BY_LENGTH,
    WHICH_LEAKS,
    WHICH_SETUP,
    WHICH_PERPLEXITY,
    AGAIN,
)
