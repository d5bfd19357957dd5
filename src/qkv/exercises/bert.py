"""Chapter 09, exercises in plain Python: cut words, learn pieces, make gaps, number segments.

Standard library only, so that they are judged in a page as well as in a notebook.
"""

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from itertools import pairwise
from typing import Any

from qkv.exercises.attention import numbered
from qkv.exercises.bert_mistakes import ASK, CUT, FOLLOWS, MISTAKES, MIXTURE, NO_MASKS, PIECES, SIZE, UNKNOWN
from qkv.exercises.choices import Choice, Choose, Line, Option, Parsons
from qkv.exercises.functions import Function, Probe, pair
from qkv.exercises.sandbox import TimeLimit

# 1. predict

_SHORTER = MISTAKES["W5"].committed_by({"replayed": "A"}, then="Try the longest piece first.")
PREDICT_THE_PIECES = Choice(
    id="bert.predict_the_pieces",
    number=1,
    title="Two words, cut",
    chapter="09",
    kind="predict",
    difficulty=1,
    minutes=2,
    prompt=(
        "The vocabulary is *play, pl, re, ##play, ##pla, ##yed, ##ed, ##y*. How does WordPiece cut *replayed* and"
        " *playing*?"
    ),
    hints=(
        "Which piece begins the word, and is there a longer one?",
        "On other numbers: with *a, ab, ##c, ##bc* the word *abc* becomes *ab ##c*, for *ab* is longer than *a*.",
        "re, then the longest of ##pla and ##▢, then what is left.",
    ),
    fields=(
        Choose(
            name="replayed",
            question="*replayed*",
            options={
                "A": Option("re ##pla ##yed", "It fills the word too, but *##play* is longer than *##pla*."),
                "B": Option("re ##play ##ed", "The longest piece at each place.", True),
                "C": Option("re play ed", "Inside a word a piece carries ##."),
            },
        ),
        Choose(
            name="playing",
            question="*playing*",
            options={
                "A": Option("play [UNK]", "One place that cannot be filled makes the whole word unknown."),
                "B": Option("pl [UNK]", "Neither the shorter piece nor a half-known word."),
                "C": Option("[UNK]", "After *play* no piece begins with *##i*, so nothing of the word is kept.", True),
            },
        ),
    ),
    beliefs=(
        _SHORTER,
        MISTAKES["W2"].committed_by({"replayed": "C"}),
        MISTAKES["W3"].committed_by({"playing": "A"}),
        MISTAKES["W3"].committed_by({"playing": "B"}),
        pair(_SHORTER, MISTAKES["W3"], {"replayed": "A", "playing": "B"}),
    ),
    shown="Both hold: the longest piece at each place, and all of the word or nothing.",
    transfer="Which single piece would you add to make *playing* known?",
    review="10",
    see=UNKNOWN,
)

# 2. Parsons

NUMBER = {"[PAD]": 0, "[UNK]": 1, "[CLS]": 2, "[SEP]": 3, "[MASK]": 4, "walk": 5, "##ing": 6, "talk": 7, "##ed": 8}
WORDS = {"walking": ["walk", "##ing"], "talked": ["talk", "##ed"]}


def run_lines(lines: Iterable[str]) -> list[list[float]]:
    """Ids and labels of "Walking talked" after lines that were put into an order."""
    draws = [0.05, 0.9, 0.1, 0.5, 0.12, 0.7]
    names: dict = {"text": "Walking talked", "number": NUMBER, "draws": draws, "cut": WORDS.__getitem__, "MASK": 4}
    names["SPECIAL"] = ("[CLS]", "[SEP]")
    for line in lines:
        exec(line, names)
    return [list(map(float, row)) for row in names["batch"]]


ORDER_THE_BATCH = Parsons(
    id="bert.order_the_batch",
    number=2,
    title="From a text to a question",
    chapter="09",
    kind="Parsons",
    difficulty=2,
    minutes=5,
    prompt=(
        "Put lines into an order that makes `batch`: what the model reads, and what it has to tell. `draws` holds one"
        " number between 0 and 1 per token, and every chosen token becomes `MASK`. Two lines are false friends and stay"
        " out."
    ),
    hints=(
        "One line hides tokens, another notes what stood there. Which of the two must see the true ids?",
        "On other numbers: to hide the 7 in 5 7 9, first note down 7, then write the mask over it.",
        "A, B, C, D, then the ▢, then the masks, then G.",
    ),
    lines={
        "A": Line(
            "pieces = [p for word in text.lower().split() for p in cut(word)]", (), "pieces", True, "Cuts the words."
        ),
        "B": Line(
            'pieces = ["[CLS]", *pieces, "[SEP]"]', ("pieces",), "pieces", True, "Adds the marks that no one guesses."
        ),
        "C": Line("ids = [number[p] for p in pieces]", ("pieces",), "ids", True, "Turns pieces into numbers."),
        "D": Line(
            "chosen = [u < 0.15 and p not in SPECIAL for p, u in zip(pieces, draws)]",
            ("pieces",),
            "chosen",
            True,
            "Chooses tokens, the marks never.",
        ),
        "E": Line(
            "labels = [i if c else -100 for i, c in zip(ids, chosen)]",
            ("ids", "chosen"),
            "labels",
            True,
            "Notes what stood there.",
        ),
        "F": Line(
            "ids = [MASK if c else i for i, c in zip(ids, chosen)]",
            ("ids", "chosen"),
            "ids",
            True,
            "Hides the chosen ones.",
        ),
        "G": Line("batch = [ids, labels]", ("ids", "labels"), "batch", True, "Question and answer."),
        "H": Line("chosen = [u < 0.15 for u in draws]", (), "chosen", False, "Line H may choose [CLS] and [SEP]."),
        "I": Line(
            "labels = [-100 if c else i for i, c in zip(ids, chosen)]",
            ("ids", "chosen"),
            "labels",
            False,
            "Line I asks for everything but the gaps.",
        ),
    },
    wanted="batch",
    order="ABCDEFG",
    orders=(
        MISTAKES["K7"].committed_by("ABCDFEG"),
        MISTAKES["K4"].committed_by("ABCHEFG"),
        MISTAKES["K5"].committed_by("ABCDIFG"),
        MISTAKES["E2"].committed_by("ACDEFG"),
        pair(MISTAKES["K7"], MISTAKES["K4"], "ABCHFEG"),
    ),
    run=run_lines,
    rows=("ids", "labels"),
    shown="The labels hold what stood in the gaps, and nothing else.",
    transfer="Which line would you change to leave one gap in ten as it is?",
    review="10",
    see=ASK,
)

# 3. write the cut


def wordpiece_encode(word: str, vocabulary: dict[str, int]) -> list[int]:
    """Ids of the longest pieces from left to right, or the id of [UNK] for the whole word."""
    if len(word) > 100:
        return [vocabulary["[UNK]"]]
    found, start = [], 0
    while start < len(word):
        mark = "##" if start else ""
        ends = [end for end in range(start + 1, len(word) + 1) if mark + word[start:end] in vocabulary]
        if not ends:
            return [vocabulary["[UNK]"]]
        found.append(vocabulary[mark + word[start : ends[-1]]])
        start = ends[-1]
    return found


def _encoded(
    *,
    marks: tuple[str, str] = ("", "##"),
    pick: Callable[[Sequence[int]], int] = max,
    limit: int = 100,
    unknown: str = "whole",
) -> Callable[[str, dict[str, int]], list[int]]:
    """The cut with some of its parts replaced."""

    def mutant(word: str, vocabulary: dict[str, int]) -> list[int]:
        if len(word) > limit:
            return [vocabulary["[UNK]"]]
        found, start = [], 0
        while start < len(word):
            mark = marks[start > 0]
            ends = [end for end in range(start + 1, len(word) + 1) if mark + word[start:end] in vocabulary]
            if ends:
                found.append(vocabulary[mark + word[start : pick(ends)]])
                start = pick(ends)
                continue
            if unknown == "whole":
                return [vocabulary["[UNK]"]]
            found.append(vocabulary["[UNK]"])
            if unknown == "stop":
                return found
            start += 1
        return found

    return mutant


def _from_the_right(word: str, vocabulary: dict[str, int]) -> list[int]:
    if len(word) > 100:
        return [vocabulary["[UNK]"]]
    found: list[int] = []
    end = len(word)
    while end > 0:
        starts = [s for s in range(end) if ("##" if s else "") + word[s:end] in vocabulary]
        if not starts:
            return [vocabulary["[UNK]"]]
        found.insert(0, vocabulary[("##" if starts[0] else "") + word[starts[0] : end]])
        end = starts[0]
    return found


def _marks_are_cut(word: str, vocabulary: dict[str, int], endless: bool = False) -> list[int]:
    """Where ``endless``, a mark that is cut and written anew for ever runs too long; else it is dropped."""
    if len(word) > 100:
        return [vocabulary["[UNK]"]]
    found = []
    while word:
        ends = [end for end in range(1, len(word) + 1) if word[:end] in vocabulary]
        if not ends:
            return [vocabulary["[UNK]"]]
        piece, word = word[: ends[-1]], word[ends[-1] :]
        found.append(vocabulary[piece])
        if word and piece == "#" and endless:
            raise TimeLimit
        if word and piece != "#":
            word = "##" + word
    return found


_PIECES = (
    ["[UNK]", "un", "una", "##able", "##ble", "##a", "##ff", "##f", "u"],
    ["##n", "able", "ff", "c", "##l", "b", "#", "0", "##0"],
)
_VOCABULARY = {piece: i for i, piece in enumerate(_PIECES[0] + _PIECES[1])}

WORDPIECE_ENCODE = Function(
    id="bert.wordpiece_encode",
    number=3,
    title="Cut a word",
    chapter="09",
    kind="write",
    difficulty=3,
    minutes=15,
    prompt=(
        "Cut one word as WordPiece does and return the ids of its pieces: the longest piece that begins the word, then"
        " the longest that goes on, written with `##`. A word with a place that no piece fills, or with more than 100"
        ' characters, gives `[vocabulary["[UNK]"]]`. The vocabulary may hold a `#`.'
    ),
    imports="",
    template=(
        "def wordpiece_encode(word: str, vocabulary: dict[str, int]) -> list[int]:\n"
        '    """Ids of the longest pieces from left to right, or the id of [UNK] for the whole word."""\n'
        "    return ..."
    ),
    hints=(
        "Keep an index into the word. Which piece do you look up at index 0, and which later?",
        "On other numbers: in *abcd*, with *ab, ##c, ##cd*, look up *abcd, abc, ab*; then *##cd*.",
        'mark = "##" if ▢ else ""; try `mark + word[start:end]` for end from len(word) down to ▢',
    ),
    answer=wordpiece_encode,
    reference=wordpiece_encode,
    result="a list of ids",
    tensors=False,
    probes=(
        Probe("unaffable", "With *unaffable*", {"word": "unaffable", "vocabulary": _VOCABULARY}),
        Probe("unable", "With *unable*", {"word": "unable", "vocabulary": _VOCABULARY}),
        Probe("a strange end", "With *unablex*", {"word": "unablex", "vocabulary": _VOCABULARY}),
        Probe("a strange middle", "With *unxable*", {"word": "unxable", "vocabulary": _VOCABULARY}),
        Probe("no beginning", "With *fable*", {"word": "fable", "vocabulary": _VOCABULARY}),
        Probe("hash", "With *cb* and a vocabulary that has #", {"word": "cb", "vocabulary": _VOCABULARY}),
        Probe("hundred", "With 100 zeros", {"word": "0" * 100, "vocabulary": _VOCABULARY}),
        Probe("longer", "With 101 zeros", {"word": "0" * 101, "vocabulary": _VOCABULARY}),
    ),
    singles=(
        MISTAKES["W2"].committed_by(_encoded(marks=("", ""))),
        MISTAKES["W2"].committed_by(_encoded(marks=("##", "##"))),
        MISTAKES["W3"].committed_by(_encoded(unknown="stop")),
        MISTAKES["W3"].committed_by(_encoded(unknown="go on")),
        MISTAKES["W4"].committed_by(_marks_are_cut),
        MISTAKES["W4"].committed_by(
            partial(_marks_are_cut, endless=True),
            phrase="a mark that is cut off and written anew, for ever",
        ),
        MISTAKES["W5"].committed_by(_encoded(pick=min)),
        MISTAKES["W5"].committed_by(
            _from_the_right,
            phrase="a cut from the right",
            then="Start with the piece that begins the word.",
        ),
        MISTAKES["W6"].committed_by(_encoded(limit=10**6)),
        MISTAKES["W6"].committed_by(
            _encoded(limit=99),
            phrase="a word of a hundred characters, refused",
            why="More than a hundred characters are unknown; a hundred are not yet.",
            then="Put a word of exactly a hundred characters into your comparison.",
        ),
    ),
    pairs=lambda: [
        pair(MISTAKES["W3"], MISTAKES["W6"], _encoded(unknown="stop", limit=10**6)),
        pair(MISTAKES["W3"], MISTAKES["W6"], _encoded(unknown="go on", limit=10**6)),
        pair(MISTAKES["W5"], MISTAKES["W6"], _encoded(pick=min, limit=10**6)),
        pair(MISTAKES["W2"], MISTAKES["W6"], _encoded(marks=("", ""), limit=10**6)),
        pair(MISTAKES["W5"], MISTAKES["W3"], _encoded(pick=min, unknown="stop")),
    ],
    shown="Your cut holds with strange signs, very long words and a # in the vocabulary.",
    transfer="How many look-ups does a word of n letters cost at most?",
    review="10",
    see=CUT,
)

# 4. complete the score

READ = [["w", "##a", "##l", "##k"], ["w", "##a", "##l", "##k", "##e", "##d"], ["t", "##a", "##l", "##k"],
        ["t", "##a", "##l", "##k", "##e", "##d"], ["j", "##u", "##m", "##p", "##e", "##d"]]  # fmt: skip
TIMES = [8, 4, 6, 3, 3]


def pair_score(words: list[list[str]], times: list[int], left: str, right: str) -> float:
    """f_ab / (f_a · f_b): how often the pair stands in the text, over how often its parts do."""
    together = lefts = rights = 0
    for word, n in zip(words, times, strict=True):
        together += n * list(pairwise(word)).count((left, right))
        lefts += n * word.count(left)
        rights += n * word.count(right)
    return together / (lefts * rights)


Score = Callable[[list[list[str]], list[int], str, str], float]
Count = Callable[[list[str], str, int], int]  # of a piece in a word that was read n times


def _read(word: list[str], part: str, n: int) -> int:
    return n * word.count(part)


def _listed(word: list[str], part: str, n: int) -> int:
    return word.count(part)


def _read_if_there(word: list[str], part: str, n: int) -> int:
    return n * (part in word)


def _listed_if_there(word: list[str], part: str, n: int) -> int:
    return int(part in word)


def _scored(
    value: Callable[[int, int, int], float] = lambda both, left, right: both / (left * right),
    *,
    counts: tuple[Count, Count] = (_read, _read),
    once: bool = False,
) -> Score:
    def mutant(words: list[list[str]], times: list[int], left: str, right: str) -> float:
        rows = list(zip(words, [1] * len(times) if once else times, strict=True))
        both = sum(n * list(pairwise(word)).count((left, right)) for word, n in rows)
        parts = (
            sum(count(word, part, n) for word, n in rows) for count, part in zip(counts, (left, right), strict=True)
        )
        return value(both, *parts)

    return mutant


_TWICE = (["o", "##o", "##o"], ["g", "##o", "##o", "##d"])

PAIR_SCORE = Function(
    id="bert.pair_score",
    number=4,
    title="Fill the gaps in a score",
    chapter="09",
    kind="complete",
    difficulty=2,
    minutes=6,
    prompt=(
        "`words` are words in pieces, and `times` says how often each was read. Fill the gaps: the score of a pair is"
        " how often it stands in the text, divided by the product of how often its two parts do. In the lesson's five"
        " words *j ##u* scores 1/3 and *##e ##d* 1/10."
    ),
    imports="from itertools import pairwise",
    template=(
        "def pair_score(words: list[list[str]], times: list[int], left: str, right: str) -> float:\n"
        '    """f_ab / (f_a · f_b): how often the pair stands in the text, over how often its parts do."""\n'
        "    together = lefts = rights = 0\n"
        "    for word, n in zip(words, times, strict=True):\n"
        "        together += n * list(pairwise(word)).count((left, right))\n"
        "        lefts += ...\n"
        "        rights += ...\n"
        "    return ..."
    ),
    hints=(
        "A piece may stand in a word twice, and a word may be read many times.",
        "On other numbers: *a* stands twice in a word read 5 times: that makes 10.",
        "n * word.count(▢), and at the end together / (lefts * ▢)",
    ),
    answer=pair_score,
    reference=pair_score,
    result="a number",
    tensors=False,
    probes=(
        Probe("j u", "For *j ##u*", {"words": READ, "times": TIMES, "left": "j", "right": "##u"}),
        Probe("e d", "For *##e ##d*", {"words": READ, "times": TIMES, "left": "##e", "right": "##d"}),
        Probe("a l", "For *##a ##l*", {"words": READ, "times": TIMES, "left": "##a", "right": "##l"}),
        Probe("w a", "For *w ##a*", {"words": READ, "times": TIMES, "left": "w", "right": "##a"}),
        Probe("k e", "For *##k ##e*", {"words": READ, "times": TIMES, "left": "##k", "right": "##e"}),
        Probe(
            "twice",
            "For *##o ##o* in *o ##o ##o* and *g ##o ##o ##d*",
            {
                "words": list(_TWICE),
                "times": [2, 5],
                "left": "##o",
                "right": "##o",
            },
        ),
        Probe(
            "same letter",
            "For *o ##o* in *o ##o ##o* and *g ##o ##o ##d*",
            {"words": list(_TWICE), "times": [2, 5], "left": "o", "right": "##o"},
        ),
    ),
    singles=(
        MISTAKES["W1"].committed_by(_scored(lambda both, left, right: float(both))),
        MISTAKES["W8"].committed_by(_scored(once=True)),
        *(
            MISTAKES["W8"].committed_by(
                _scored(counts=counts),
                phrase="parts counted once per word of the list",
                why="*walk* was read eight times, and so were its pieces.",
                then="Put `n` beside what you add to `lefts` and `rights`.",
            )
            for counts in ((_listed, _listed), (_listed, _read), (_read, _listed), (_listed_if_there,) * 2)
        ),
        *(
            MISTAKES["W8"].committed_by(
                _scored(counts=counts),
                phrase="a piece counted once per word",
                why="In *o ##o ##o* the piece ##o stands twice, and both count.",
                then="Count it instead of asking whether it is there.",
            )
            for counts in ((_read_if_there,) * 2, (_read_if_there, _read), (_read, _read_if_there))
        ),
        MISTAKES["E3"].committed_by(_scored(lambda both, left, right: both / left)),
        MISTAKES["E3"].committed_by(_scored(lambda both, left, right: both / right)),
        MISTAKES["E3"].committed_by(_scored(lambda both, left, right: both / (left + right))),
        MISTAKES["E3"].committed_by(
            _scored(lambda both, left, right: both / left * right),
            phrase="a product that slipped above the line",
            why="Python divides first and multiplies afterwards; the product needs brackets.",
        ),
        *(
            MISTAKES["E3"].committed_by(
                _scored(value),
                phrase="a score divided twice by the count of one part",
                why="A copied line may have kept its old name; each part counts for itself.",
                then="Read the lines of `lefts` and `rights` side by side.",
            )
            for value in (
                lambda both, left, right: both / (left * left),
                lambda both, left, right: both / (right * right),
            )
        ),
    ),
    shown="Your score counts every reading, and rare pairs that never part come out on top.",
    transfer="Which pair of the five words scores least?",
    review="10",
    see=PIECES,
)

# 5. write the merge


def merge(ids: list[int], left: int, right: int, new: int) -> list[int]:
    """The ids with each left, right replaced by new, from left to right."""
    merged: list[int] = []
    i = 0
    while i < len(ids):
        if ids[i : i + 2] == [left, right]:
            merged.append(new)
            i += 2
        else:
            merged.append(ids[i])
            i += 1
    return merged


def _overlapping(ids: list[int], left: int, right: int, new: int) -> list[int]:
    merged, i = [], 0
    while i < len(ids):
        hit = ids[i : i + 2] == [left, right]
        merged.append(new if hit else ids[i])
        i += 1
    return merged


def _first_only(ids: list[int], left: int, right: int, new: int) -> list[int]:
    for i in range(len(ids) - 1):
        if ids[i : i + 2] == [left, right]:
            return [*ids[:i], new, *ids[i + 2 :]]
    return list(ids)


def _from_the_end(ids: list[int], left: int, right: int, new: int) -> list[int]:
    return merge(ids[::-1], right, left, new)[::-1]


def _again_and_again(ids: list[int], left: int, right: int, new: int) -> list[int]:
    out, i = list(ids), 0
    while i < len(out) - 1:
        if out[i : i + 2] == [left, right]:
            out[i : i + 2] = [new]
            i = 0
        else:
            i += 1
    return out


def _skips(ids: list[int], left: int, right: int, new: int) -> list[int]:
    out, i = list(ids), 0
    while i < len(out) - 1:
        if out[i : i + 2] == [left, right]:
            out[i : i + 2] = [new]
            i += 2
        else:
            i += 1
    return out


def _any_order(ids: list[int], left: int, right: int, new: int) -> list[int]:
    merged, i = [], 0
    while i < len(ids):
        hit = sorted(ids[i : i + 2]) == sorted([left, right])
        merged.append(new if hit else ids[i])
        i += 2 if hit else 1
    return merged


MERGE = Function(
    id="bert.merge",
    number=5,
    title="Merge a pair",
    chapter="09",
    kind="write",
    difficulty=2,
    minutes=8,
    prompt=(
        "`ids` is a row of pieces. Replace `left` followed by `right` by the one piece `new`, wherever the two stand,"
        " from left to right. Each piece is used once, and what was merged is not merged again. Return a new list."
    ),
    imports="",
    template=(
        "def merge(ids: list[int], left: int, right: int, new: int) -> list[int]:\n"
        '    """The ids with each left, right replaced by new, from left to right."""\n'
        "    return ..."
    ),
    hints=(
        "After a hit, how far does the index move? And after none?",
        "On other numbers: merging 5 5 into 9 in 5 5 5 gives 9 5; the middle 5 is used up.",
        "if ids[i : i + 2] == [left, right]: append ▢ and go on at i + ▢, else append ids[i] and go on at i + 1",
    ),
    answer=merge,
    reference=merge,
    result="a list of ids",
    tensors=False,
    probes=(
        Probe("once", "With 3 1 2 4", {"ids": [3, 1, 2, 4], "left": 1, "right": 2, "new": 9}),
        Probe("end", "With the pair at the end", {"ids": [3, 1, 2], "left": 1, "right": 2, "new": 9}),
        Probe("side by side", "With 1 2 1 2 1 2 3", {"ids": [1, 2, 1, 2, 1, 2, 3], "left": 1, "right": 2, "new": 9}),
        Probe("three alike", "With 1 1 1", {"ids": [1, 1, 1], "left": 1, "right": 1, "new": 9}),
        Probe("other order", "With 2 1 0", {"ids": [2, 1, 0], "left": 1, "right": 2, "new": 9}),
        Probe("its own new", "With 1 2 2 3 and new 1", {"ids": [1, 2, 2, 3], "left": 1, "right": 2, "new": 1}),
        Probe("no pair", "With 4 1 3", {"ids": [4, 1, 3], "left": 1, "right": 2, "new": 9}),
        Probe("two digits", "With 11 2 1 2", {"ids": [11, 2, 1, 2], "left": 1, "right": 2, "new": 9}),
    ),
    singles=(
        MISTAKES["W9"].committed_by(_overlapping, phrase="a walk that uses the right part again"),
        MISTAKES["W9"].committed_by(_first_only, phrase="a walk that stops after the first hit"),
        MISTAKES["W9"].committed_by(_from_the_end, phrase="a walk from the right end"),
        MISTAKES["W9"].committed_by(_again_and_again),
        MISTAKES["W9"].committed_by(_skips),
        MISTAKES["E3"].committed_by(
            _any_order,
            phrase="a pair taken in either order",
            why="*left, right* is another pair than *right, left*.",
            then="Try 2 1 with left 1 and right 2: nothing happens.",
        ),
    ),
    shown="Your merge holds for neighbours, for equal pieces and at the end.",
    transfer="Why does 1 1 1 not become 9 9?",
    review="10",
    see=PIECES,
)

# 6. debug: the loop that never ends

LOOPS = {
    "A": "while rest:\n"
    "    end = len(rest)\n"
    "    while end and rest[:end] not in vocabulary: end -= 1\n"
    '    if end == 0: return ["[UNK]"]\n'
    "    found.append(rest[:end])\n"
    "    rest = rest[end:]\n"
    '    if rest: rest = "##" + rest',
    "B": "while start < len(word):\n"
    "    end = len(word)\n"
    '    mark = "##" if start else ""\n'
    "    while end > start and mark + word[start:end] not in vocabulary: end -= 1\n"
    '    if end == start: return ["[UNK]"]\n'
    "    found.append(mark + word[start:end])\n"
    "    start = end",
}

WHICH_LOOP = Choice(
    id="bert.which_loop",
    number=6,
    title="The word that never ends",
    chapter="09",
    kind="debug",
    difficulty=3,
    minutes=8,
    prompt=(
        "Two versions of the cut, the first after a well-known tutorial (`rest` begins as the word). On most words both"
        " agree. For one of them there is a vocabulary with which it never ends. Which version, which line, which"
        " input, and what mends it?\n\n"
        + "\n\n".join(f"Version {letter}\n\n```\n{numbered(code)}\n```" for letter, code in LOOPS.items())
    ),
    hints=(
        "In which version does the word itself grow?",
        "On other numbers: a clerk takes one page off a pile and puts two on it. When is he done?",
        "With a piece ▢ in the vocabulary, the mark is cut off, and line 7 writes a new one.",
    ),
    fields=(
        Choose(
            name="version",
            question="Which version may never end?",
            options={
                "A": Option("Version A", "Its marks become part of what is cut.", True),
                "B": Option("Version B", "Its index grows by at least one in each round."),
            },
        ),
        Choose(
            name="line",
            question="In which line?",
            options={
                "3": Option("line 3", "It stops at 0 at the latest."),
                "4": Option("line 4", "It ends the loop, when it is reached."),
                "7": Option("line 7", "It writes marks into the word.", True),
            },
        ),
        Choose(
            name="input",
            question="Which input shows it?",
            options={
                "A": Option(
                    "*cb* with the pieces c, b, #", "c, then the rest ##b: # fits, and a new mark is put on.", True
                ),
                "B": Option("*cb* with the pieces c, b", "Nothing fits ##b: both say [UNK]."),
                "C": Option("a word of a hundred letters", "Slow, but each round takes something away."),
            },
        ),
        Choose(
            name="fix",
            question="What mends it?",
            options={
                "A": Option("take # out of every vocabulary", "Then texts with a # cannot be read (MiniLM has it)."),
                "B": Option("mark the look-up, not the word", "The word stays as it is, and the index moves on.", True),
                "C": Option("stop after 100 rounds", "It ends, with a hundred false pieces."),
            },
        ),
    ),
    beliefs=(
        MISTAKES["W4"].committed_by(
            {"version": "B"},
            phrase="“an index may run for ever”",
            why="In B `start` grows in each round and ends at the end of the word.",
            then="Follow `start` in B and `rest` in A, round by round.",
        ),
        MISTAKES["W4"].committed_by(
            {"input": "B"},
            phrase="“what does not fit never ends”",
            why="Where nothing fits, both versions return [UNK] at once.",
            then="Follow the rest ##b through version A, with each of the two vocabularies.",
        ),
        MISTAKES["W4"].committed_by(
            {"input": "C"},
            phrase="“slow is endless”",
            why="Each round takes a letter away, so a hundred letters are gone after a hundred rounds.",
            then="Look for an input whose rest does not get shorter.",
        ),
        MISTAKES["W4"].committed_by(
            {"fix": "A"},
            phrase="“the vocabulary is to blame”",
            why="The vocabulary is given, and texts hold a #; the loop has to cope.",
        ),
        MISTAKES["W6"].committed_by(
            {"fix": "C"},
            phrase="a limit in the place of a cure",
            why="A limit on rounds ends the loop and keeps what it has cut from its own marks.",
            then="Look at the pieces found until then.",
        ),
    ),
    shown="Version, line, input and fix hold: what is looked up may carry marks, the word may not.",
    transfer="Which vocabulary entries would make version A return false pieces without hanging?",
    review="10",
    see=CUT,
)

# 7. debug: tallies

WHICH_TALLY = Choice(
    id="bert.which_tally",
    number=7,
    title="Four tallies",
    chapter="09",
    kind="debug",
    difficulty=3,
    minutes=6,
    prompt=(
        "Each row is a different piece of code on a million tokens: how many of them are to be guessed, and of these"
        " how many became [MASK], another token, or stayed, in percent.\n\n"
        "```\n"
        "     guessed  [MASK]  another  stayed\n"
        "P       15.0    80.0     10.0    10.0\n"
        "Q       15.0     0.0      0.0   100.0\n"
        "R       15.0    80.0      2.0    18.0\n"
        "S       13.5    88.9     11.1     0.0\n"
        "```\n\n"
        "P is right. What does the code of Q, R and S do?"
    ),
    hints=(
        "Of Q nothing changes. Of R, what are 2 of the 20 that are left? Of S, what is missing?",
        "On other numbers: 70 % of 100 leave 30, and 20 % of those are 6.",
        "2 is ▢ % of 20, and 13.5 is ▢ % of 15.",
    ),
    fields=(
        Choose(
            name="Q",
            question="Q",
            options={
                "A": Option("`if prob < prob * 0.8: mask`", "Never true, so nothing is masked.", True),
                "B": Option("labels are copied after masking", "Then the gaps would show masks."),
                "C": Option("every fate is drawn for all tokens", "Then far more than 15 % would change."),
            },
        ),
        Choose(
            name="R",
            question="R",
            options={
                "A": Option("`if a < 0.8` … `elif a < 0.9`, one draw", "That is P: 80, 10 and 10."),
                "B": Option("`if draw() < 0.8` … `elif draw() < 0.1`", "A tenth of the 20 that are left.", True),
                "C": Option("special tokens are chosen too", "They would share the fates of the rest."),
            },
        ),
        Choose(
            name="S",
            question="S",
            options={
                "A": Option("tokens that stay have no label", "A tenth of the 15 is missing.", True),
                "B": Option("15 is a little off by chance", "A million tokens vary by less than a tenth of a percent."),
                "C": Option("no token ever stays", "Then 15 % would still be asked for."),
            },
        ),
    ),
    beliefs=(
        MISTAKES["K7"].committed_by(
            {"Q": "B"},
            phrase="“late labels leave the text as it was”",
            why="Labels copied late are themselves [MASK]; the gaps show masks all the same.",
            then="Compare the column [MASK] of Q and of P.",
        ),
        MISTAKES["K3"].committed_by({"Q": "C"}),
        MISTAKES["K2"].committed_by(
            {"R": "A"},
            phrase="“one draw gives 2 %”",
            why="One draw with two limits gives 80, 10 and 10: that is row P.",
        ),
        MISTAKES["K4"].committed_by(
            {"R": "C"},
            phrase="“special tokens shift the fates”",
            why="Chosen special tokens would share the fates of the others: 80, 10 and 10.",
            then="Compare the last two columns of R and of P.",
        ),
        MISTAKES["E4"].committed_by(
            {"S": "B"},
            phrase="“it is chance”",
            why="Chance moves 15 % of a million tokens by less than a tenth of a percent.",
            then="Work out 1.96 · √(.15 · .85 / 1,000,000).",
            see=MIXTURE,
        ),
        MISTAKES["E1"].committed_by({"S": "C"}),
    ),
    shown=(
        "Three bugs told by their counts alone: a draw compared with itself, a second draw, and no question about what"
        " stays. The loss of each falls nicely."
    ),
    transfer="Which of the four has the lowest training loss?",
    review="10",
    see=NO_MASKS,
)

# 8. write the fates


def make_gaps(
    ids: list[int], choice: list[float], fate: list[float], drawn: list[int], special: list[bool], mask_id: int
) -> list[list[int]]:
    """What the model reads, and the labels: the id where a token was chosen, else -100."""
    masked, labels = [], []
    for i, token in enumerate(ids):
        chosen = choice[i] < 0.15 and not special[i]
        labels.append(token if chosen else -100)
        if chosen and fate[i] < 0.8:
            masked.append(mask_id)
        elif chosen and fate[i] < 0.9:
            masked.append(drawn[i])
        else:
            masked.append(token)
    return [masked, labels]


Gaps = Callable[[list[int], list[float], list[float], list[int], list[bool], int], list[list[int]]]


def _gaps(
    *,
    choose: Callable[[float, bool], bool] = lambda u, special: u < 0.15 and not special,
    change: Callable[[float, bool], bool] = lambda u, special: u < 0.15 and not special,
    fates: Callable[[float, float], str] = lambda u, v: "mask" if v < 0.8 else "draw" if v < 0.9 else "keep",
    ignored: int = -100,
    labels: str = "ids",
) -> Gaps:
    def mutant(
        ids: list[int], choice: list[float], fate: list[float], drawn: list[int], special: list[bool], mask_id: int
    ) -> list[list[int]]:
        masked, told = [], []
        for i, token in enumerate(ids):
            what = fates(choice[i], fate[i]) if change(choice[i], special[i]) else "keep"
            seen = {"mask": mask_id, "draw": drawn[i], "keep": token}[what]
            asked = choose(choice[i], special[i]) and not (labels == "changed" and what == "keep")
            masked.append(seen)
            told.append((seen if labels == "masked" else token) if asked else ignored)
        return [masked, told]

    return mutant


def _every(u: float, special: bool) -> bool:
    return True


def _even_special(u: float, special: bool) -> bool:
    return u < 0.15


_GAPS: dict[str, dict[str, Any]] = {
    "K1": {"fates": lambda u, v: "mask" if u < u * 0.8 else "draw" if u < u * 0.9 else "keep"},
    "K3": {"change": _every},
    "K4": {"choose": _even_special, "change": _even_special},
    "K5": {"choose": _every},
    "K6": {"labels": "changed"},
    "K7": {"labels": "masked"},
    "K14": {"ignored": -1},
    "B8": {"ignored": 0},
}
_TOKENS = {
    "ids": [2, 7, 5, 9, 6, 8, 5, 3, 0],
    "choice": [0.1, 0.1, 0.05, 0.14, 0.5, 0.02, 0.149, 0.01, 0.12],
    "fate": [0.2, 0.5, 0.85, 0.95, 0.3, 0.79, 0.89, 0.4, 0.85],
    "drawn": [5, 6, 9, 5, 8, 7, 6, 8, 9],
    "special": [True, False, False, False, False, False, False, True, True],
    "mask_id": 4,
}

MAKE_GAPS = Function(
    id="bert.make_gaps",
    number=8,
    title="What becomes of each token",
    chapter="09",
    kind="write",
    difficulty=3,
    minutes=12,
    prompt=(
        "All draws are made already, one per token: a token is chosen if its `choice` is below `0.15` and it is not"
        " special. Of the chosen ones, a `fate` below `0.8` makes it `mask_id`, below `0.9` the token in `drawn`, else"
        " it stays. Return two lists: what the model reads, and the labels, −100 where nothing is asked."
    ),
    imports="",
    template=(
        "def make_gaps(\n"
        "    ids: list[int],\n"
        "    choice: list[float],\n"
        "    fate: list[float],\n"
        "    drawn: list[int],\n"
        "    special: list[bool],\n"
        "    mask_id: int,\n"
        ") -> list[list[int]]:\n"
        '    """What the model reads, and the labels: the id where a token was chosen, else -100."""\n'
        "    return ..."
    ),
    hints=(
        "There are two draws per token. Which of them decides whether it is chosen, and which what it becomes?",
        "On other numbers: choice .3 is no gap, whatever its fate. Choice .1 with fate .95 is a gap that stays.",
        "chosen = choice[i] < 0.15 and not ▢; labels: ids[i] if chosen else ▢",
    ),
    answer=make_gaps,
    reference=make_gaps,
    result="two lists of ids",
    tensors=False,
    probes=(
        Probe("nine tokens", "With nine tokens", _TOKENS, ("read", "labels")),
        Probe(
            "two gaps",
            "With a gap that stays and one that is masked",
            {
                "ids": [2, 5, 6, 3],
                "choice": [0.9, 0.03, 0.11, 0.9],
                "fate": [0.1, 0.97, 0.1, 0.1],
                "drawn": [7, 7, 8, 8],
                "special": [True, False, False, True],
                "mask_id": 4,
            },
            ("read", "labels"),
        ),
        Probe(
            "at the limits",
            "With draws of exactly .15, .8 and .9",
            {
                "ids": [5, 6, 8],
                "choice": [0.15, 0.1, 0.1],
                "fate": [0.2, 0.8, 0.9],
                "drawn": [7, 9, 7],
                "special": [False, False, False],
                "mask_id": 4,
            },
            ("read", "labels"),
        ),
    ),
    singles=(
        *(MISTAKES[code].committed_by(_gaps(**change)) for code, change in _GAPS.items()),
        MISTAKES["E1"].committed_by(_gaps(fates=lambda u, v: "mask"), phrase="masks alone"),
        MISTAKES["E1"].committed_by(
            _gaps(fates=lambda u, v: "mask" if v < 0.8 else "draw"), phrase="a mixture in which no token stays"
        ),
        MISTAKES["E1"].committed_by(
            _gaps(fates=lambda u, v: "mask" if v < 0.8 else "keep"), phrase="a mixture without other tokens"
        ),
        MISTAKES["E1"].committed_by(
            _gaps(fates=lambda u, v: "mask" if v < 0.8 else "keep" if v < 0.9 else "draw"),
            phrase="a mixture whose last two parts are exchanged",
        ),
        MISTAKES["K5"].committed_by(
            _gaps(choose=lambda u, special: not (u < 0.15 and not special)),
            phrase="labels everywhere but at the gaps",
        ),
    ),
    pairs=lambda: (
        [
            pair(MISTAKES[first], MISTAKES[second], _gaps(**{**_GAPS[first], **_GAPS[second]}))
            for first, second in (("K1", "K4"), ("K4", "K7"), ("K4", "K14"), ("K7", "K14"), ("K4", "K6"))
        ]
        + [pair(MISTAKES["K7"], MISTAKES["K5"], _gaps(labels="masked", choose=_every))]
    ),
    shown="Every fate and every label is where it belongs, and no special token is asked for.",
    transfer="How many percent of a text does the model see changed?",
    review="10",
    see=MIXTURE,
)

# 9. write the segments


def segment_ids(ids: list[int], sep_id: int, pad_id: int) -> list[int]:
    """0 up to and with the first [SEP], 1 up to and with the second, 0 for padding."""
    segment, found = 0, []
    for token in ids:
        found.append(0 if token == pad_id else segment)
        segment += token == sep_id
    return found


def _segments(
    value: Callable[[int], int] = lambda before: before,
    early: bool = False,
    pad: Callable[[int], int] = lambda before: 0,
) -> Callable[[list[int], int, int], list[int]]:
    def mutant(ids: list[int], sep_id: int, pad_id: int) -> list[int]:
        before, found = 0, []
        for token in ids:
            before += early and token == sep_id
            found.append(pad(before) if token == pad_id else value(before))
            before += not early and token == sep_id
        return found

    return mutant


SEGMENT_IDS = Function(
    id="bert.segment_ids",
    number=9,
    title="Which text is it?",
    chapter="09",
    kind="write",
    difficulty=2,
    minutes=6,
    prompt=(
        "Number the segments of [CLS] A [SEP] B [SEP] [PAD] …: 0 for A, 1 for B. A [SEP] belongs to the text that it"
        " ends, [CLS] to A, and padding has 0. There may be no B, and no padding."
    ),
    imports="",
    template=(
        "def segment_ids(ids: list[int], sep_id: int, pad_id: int) -> list[int]:\n"
        '    """0 up to and with the first [SEP], 1 up to and with the second, 0 for padding."""\n'
        "    return ..."
    ),
    hints=(
        "How many [SEP] stand *before* a token?",
        "On other numbers: with 9 as mark, 4 9 5 5 has 0, 0, 1, 1 marks before each.",
        "append 0 if token == ▢ else segment; then segment += token == ▢",
    ),
    answer=segment_ids,
    reference=segment_ids,
    result="a list of 0s and 1s",
    tensors=False,
    probes=(
        Probe("pair", "With a pair and padding", {"ids": [2, 7, 3, 8, 9, 3, 0, 0], "sep_id": 3, "pad_id": 0}),
        Probe("no padding", "Without padding", {"ids": [2, 7, 8, 3, 9, 3], "sep_id": 3, "pad_id": 0}),
        Probe("one text", "With one text and padding", {"ids": [2, 7, 8, 3, 0], "sep_id": 3, "pad_id": 0}),
        Probe(
            "other ids",
            "With other ids for the marks",
            {"ids": [101, 5, 102, 0, 102, 6, 6], "sep_id": 102, "pad_id": 6},
        ),
    ),
    singles=(
        MISTAKES["K11"].committed_by(
            _segments(early=True, value=lambda b: min(b, 1)), phrase="a [SEP] counted with the next text"
        ),
        MISTAKES["K11"].committed_by(_segments(early=True), phrase="a [SEP] counted before it is written"),
        MISTAKES["K11"].committed_by(_segments(pad=lambda b: 1), phrase="padding in segment 1"),
        MISTAKES["K11"].committed_by(_segments(pad=lambda b: b), phrase="segments that count on into the padding"),
        MISTAKES["K11"].committed_by(_segments(value=lambda b: 0), phrase="one segment for all"),
    ),
    shown="Marks, padding and single texts have the segments that BERT was trained with.",
    transfer="What would a segment number 2 do to a table with two rows?",
    review="10",
    see=ASK,
)

# 10. debug: pairs

NEXT_OR_NOT = Choice(
    id="bert.next_or_not",
    number=10,
    title="Does B follow A?",
    chapter="09",
    kind="debug",
    difficulty=3,
    minutes=6,
    prompt=(
        "Three sources of pairs for next sentence prediction; the label 0 says “B follows”. Models learn from each, and"
        " the loss of each falls. `book` is one document, `books` are all.\n\n"
        "```\n"
        "X  b = book[i + 1] if coin else choice(book);             label = 0 if coin else 1\n"
        "Y  b = book[i + 1] if coin else choice(choice(others));   label = 0 if coin else 1\n"
        "Z  b = book[i + 1] if coin else choice(choice(others));   label = int(coin)\n"
        "```\n\n"
        "`coin` is True or False, `choice` draws one of a list, `others` are all books but this one."
    ),
    hints=(
        "Which source can label the true next sentence as false?",
        "On other numbers: drawing from 1, 2, 3 for something that is *not* 2 gives 2 in a third of the draws.",
        "The false B of X is from ▢; the labels of Z say 1 where B ▢.",
    ),
    fields=(
        Choose(
            name="right",
            question="Which source is BERT's?",
            options={
                "A": Option("X", "Its false B is from the same document, and may even be the true one."),
                "B": Option("Y", "Another document, and 0 for “follows”.", True),
                "C": Option("Z", "`int(True)` is 1, so its labels say the reverse."),
            },
        ),
        Choose(
            name="shows",
            question="What shows the mistake in Z?",
            options={
                "A": Option("the training loss", "The reverse is learnt as easily."),
                "B": Option("the accuracy on held-out pairs of Z", "They carry the same reversed labels."),
                "C": Option("three pairs, read beside their labels", "You see B follow and read 1.", True),
            },
        ),
        Choose(
            name="later",
            question="Two papers trained with and without NSP, once each; their signs differ. What may one print?",
            options={
                "A": Option("NSP has no effect.", "Two single trainings do not show equality."),
                "B": Option("NSP helps.", "One of the two found that; the other did not."),
                "C": Option("They disagree; the sources of their pairs differ, too.", "That much is known.", True),
            },
        ),
    ),
    beliefs=(
        MISTAKES["K10"].committed_by({"right": "A"}, phrase="a false B from the same document"),
        MISTAKES["K10"].committed_by({"right": "C"}, phrase="labels the other way round"),
        MISTAKES["E4"].committed_by(
            {"shows": "A"},
            phrase="“a falling loss shows right labels”",
            why="Reversed labels are learnt as easily, so the loss of Z falls like that of Y.",
            then="Read the pairs themselves.",
            see=FOLLOWS,
        ),
        MISTAKES["E4"].committed_by(
            {"shows": "B"},
            phrase="“held-out pairs tell”",
            why="Held-out pairs from the same source carry the same mistake.",
            then="Read the pairs themselves.",
            see=FOLLOWS,
        ),
        MISTAKES["S6"].committed_by({"later": "A"}),
        MISTAKES["S5"].committed_by({"later": "B"}, see=FOLLOWS),
    ),
    shown="The source, the evidence and the sentence hold.",
    transfer="How could a model tell false pairs of Y without reading any order?",
    review="10",
    see=FOLLOWS,
)

# 11. claim

WHICH_SENTENCE = Choice(
    id="bert.which_sentence",
    number=11,
    title="Nothing unknown: what may be printed?",
    chapter="09",
    kind="claim",
    difficulty=3,
    minutes=5,
    prompt=(
        "Counted on new passages of English books, with pieces from the training passages: 0 unknown words at every"
        " size. Somebody counts again on tweets, with pieces learnt from *the same tweets*, and finds 0 as well."
    ),
    hints=(
        "Which signs stand in which text?",
        "On other numbers: an exam of the very questions that were practised says little about new ones.",
        "Every ▢ of the test passages stood in the training passages.",
    ),
    fields=(
        Choose(
            name="books",
            question="About the books",
            options={
                "A": Option("WordPiece never meets an unknown word.", "A sign without a piece makes one, as 🐈 did."),
                "B": Option("On these books, no word is unknown at any size.", "That was counted.", True),
                "C": Option("Next to none is unknown, within chance.", "It was counted, and there is no chance in it."),
            },
        ),
        Choose(
            name="tweets",
            question="About the tweets",
            options={
                "A": Option("No new tweet has unknown words.", "No new tweet was read."),
                "B": Option(
                    "It says nothing about new tweets.", "The pieces had seen the text they were counted on.", True
                ),
                "C": Option("Pieces from tweets are better than pieces from books.", "Nothing was compared."),
            },
        ),
    ),
    beliefs=(
        MISTAKES["S5"].committed_by({"books": "A"}),
        MISTAKES["S6"].committed_by(
            {"books": "C"},
            phrase="“counts have an error bar too”",
            why="Here everything was counted, and the claim is about this text alone.",
            then="Ask what another draw could change.",
            see=SIZE,
        ),
        MISTAKES["W12"].committed_by({"tweets": "A"}),
        MISTAKES["S5"].committed_by({"tweets": "C"}),
    ),
    shown="One sentence says what was counted, the other that nothing was.",
    transfer="Which one text would you read to break the first claim?",
    review="10",
    see=SIZE,
)

# 12. review

AGAIN = Choice(
    id="bert.again",
    number=12,
    title="From the chapters before",
    chapter="09",
    kind="predict",
    difficulty=2,
    minutes=4,
    prompt="Someone turns the code of a language model (chapter 05) into one for BERT. Four things are asked.",
    hints=(
        "Where does the answer stand in a language model's row, and where here?",
        "On other numbers: to guess 7 in 5 ▢ 9, the label 7 belongs to place 1, and both 5 and 9 may be read.",
        "Same place, both ▢, other gaps each time, and plain ▢ at the end.",
    ),
    fields=(
        Choose(
            name="labels",
            question="The labels",
            options={
                "A": Option("stay one place late, as in chapter 05", "There the next symbol is asked for."),
                "B": Option("stand at the place of their gap", "The gap itself is asked for.", True),
            },
        ),
        Choose(
            name="mask",
            question="The causal mask",
            options={
                "A": Option("stays on", "It would take one side of every gap away."),
                "B": Option("goes; a mask against padding stays", "Both sides may be read, padding never.", True),
            },
        ),
        Choose(
            name="gaps",
            question="The gaps of a text",
            options={
                "A": Option("are drawn once and stored", "The same questions return at every epoch."),
                "B": Option("are drawn anew each time", "Liu et al. call it dynamic masking.", True),
            },
        ),
        Choose(
            name="use",
            question="Texts for the finished model",
            options={
                "A": Option("carry 15 % [MASK] as well", "Readers bring plain text."),
                "B": Option("carry none", "That is why some gaps show plain words in training.", True),
            },
        ),
    ),
    beliefs=(
        MISTAKES["B6"].committed_by({"labels": "A"}),
        MISTAKES["K13"].committed_by({"mask": "A"}),
        MISTAKES["K8"].committed_by({"gaps": "A"}, then="Ask what the second epoch would ask."),
        MISTAKES["K15"].committed_by({"use": "A"}),
        pair(MISTAKES["B6"], MISTAKES["K13"], {"labels": "A", "mask": "A"}),
    ),
    shown="Labels, mask, gaps and use are those of a masked language model.",
    transfer="Which of the four would the training loss have told you?",
    review="10",
    see=ASK,
)

# 13. ★ whole words


def choose_words(goes_on: list[bool], draws: list[float]) -> list[bool]:
    """Whether each piece is chosen: all pieces of a word as the draw of its first one says."""
    chosen: list[bool] = []
    for i, inside in enumerate(goes_on):
        chosen.append(chosen[i - 1] if inside and i else draws[i] < 0.15)
    return chosen


def _words_by(rule: Callable[[list[float]], bool]) -> Callable[[list[bool], list[float]], list[bool]]:
    def mutant(goes_on: list[bool], draws: list[float]) -> list[bool]:
        starts = [i for i, inside in enumerate(goes_on) if not inside or i == 0]
        ends = [*starts[1:], len(draws)]
        return [rule(draws[a:b]) for a, b in zip(starts, ends, strict=True) for _ in range(a, b)]

    return mutant


def _unstarted(goes_on: list[bool], draws: list[float]) -> list[bool]:
    chosen, now = [], False
    for inside, draw in zip(goes_on, draws, strict=True):
        now = now if inside else draw < 0.15
        chosen.append(now)
    return chosen


CHOOSE_WORDS = Function(
    id="bert.choose_words",
    number=13,
    title="★ Whole words",
    chapter="09",
    kind="write",
    difficulty=4,
    minutes=10,
    starred=True,
    prompt=(
        "Choose whole words: all pieces of a word are chosen if the draw of its *first* piece is below `0.15`."
        " `goes_on` is True for a piece with ##. A row may have been cut inside a word: then its first piece begins"
        " what is left of it."
    ),
    imports="",
    template=(
        "def choose_words(goes_on: list[bool], draws: list[float]) -> list[bool]:\n"
        '    """Whether each piece is chosen: all pieces of a word as the draw of its first one says."""\n'
        "    return ..."
    ),
    hints=(
        "Whose draw decides for a piece with ##, and whose if there is no piece before it?",
        "On other numbers: with draws .1 .9 .9 and *a ##b c*, the pieces a and ##b are chosen.",
        "chosen[i - 1] if goes_on[i] and i > ▢ else draws[i] < ▢",
    ),
    answer=choose_words,
    reference=choose_words,
    result="a list of True and False",
    tensors=False,
    probes=(
        Probe("two words", "With a ##b c", {"goes_on": [False, True, False], "draws": [0.1, 0.9, 0.9]}),
        Probe(
            "more",
            "With a b ##c ##d e ##f",
            {"goes_on": [False, False, True, True, False, True], "draws": [0.5, 0.9, 0.05, 0.3, 0.1, 0.8]},
        ),
        Probe("end", "With a ##b ##c", {"goes_on": [False, True, True], "draws": [0.6, 0.7, 0.01]}),
        Probe(
            "cut inside", "With a row that begins with ##a", {"goes_on": [True, True, False], "draws": [0.02, 0.9, 0.4]}
        ),
        Probe("at the limit", "With a draw of exactly .15", {"goes_on": [False, True], "draws": [0.15, 0.1]}),
    ),
    singles=(
        MISTAKES["W10"].committed_by(lambda goes_on, draws: [draw < 0.15 for draw in draws]),
        MISTAKES["W10"].committed_by(
            _words_by(lambda draws: min(draws) < 0.15),
            phrase="a word chosen if any of its pieces is",
            why="Long words then have many chances, and more than 15 % are chosen.",
            then="Count the draws that decide for a word of three pieces: one.",
        ),
        MISTAKES["W10"].committed_by(
            _words_by(lambda draws: draws[-1] < 0.15),
            phrase="a word chosen by its last piece",
            why="Here the first piece decides for its word.",
        ),
        MISTAKES["W10"].committed_by(
            _words_by(lambda draws: max(draws) < 0.15),
            phrase="a word chosen if all of its pieces are",
            why="Long words are then hardly ever chosen.",
        ),
        MISTAKES["W10"].committed_by(
            _unstarted,
            phrase="a row whose first word has no beginning",
            why="A row may be cut inside a word; its first piece has to draw for itself.",
            then="Try a row that begins with ##.",
        ),
        MISTAKES["W10"].committed_by(
            lambda goes_on, draws: [draw < 0.15 and not inside for inside, draw in zip(goes_on, draws, strict=True)],
            phrase="gaps in first pieces alone",
            why="The rest of the word stays in sight and gives it away.",
        ),
    ),
    shown="Words are chosen whole, with one draw each, also where a row begins inside one.",
    transfer="Why are whole words the harder question?",
    review="10",
    see=MIXTURE,
)

EXERCISES = (
    PREDICT_THE_PIECES,
    ORDER_THE_BATCH,
    WORDPIECE_ENCODE,
    PAIR_SCORE,
    MERGE,
    WHICH_LOOP,
    WHICH_TALLY,
    MAKE_GAPS,
    SEGMENT_IDS,
    NEXT_OR_NOT,
    WHICH_SENTENCE,
    AGAIN,
    CHOOSE_WORDS,
)
