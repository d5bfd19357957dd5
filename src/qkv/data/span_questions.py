"""Questions whose answer is a span of a passage, built by rule from books and from Wikipedia; nobody asked them.

Real extractive question answering has people who read a passage and then ask (Rajpurkar et al. 2016, SQuAD).  Such a
set is in no package that the course may read, so these are made: a pattern finds a year, a place, a number of things or
a speaker, that becomes the answer, and up to four other words of its sentence become the question, none of them within
two places of the answer.

    passage   In 1819 Alabama joined the Union. Its old capital is now in Montgomery.
    question  where old capital
    answer    Montgomery

Every passage holds another year, name or number, so the kind of the question does not give the answer away.  Its words
do: a question repeats its sentence, where a person would use words of her own.  So these are easier than SQuAD's, and a
score on them is not a score on SQuAD.  The patterns err too; "in English" counts as a place.
"""

import hashlib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from qkv.text.words import sentences

MOST_WORDS: Final = 60  # of a passage
MOST_ASKED, FEWEST_ASKED = 4, 2  # words of the sentence that a question repeats
APART: Final = 2  # so many places on both sides of the answer give no word to the question
Words = Sequence[str]
Places = tuple[int, int]  # first word and last word, this one included


class SpanQuestion(NamedTuple):
    """A question in words, a passage in words, and where the answer stands in it: first and last word, included."""

    kind: str
    question: tuple[str, ...]
    passage: tuple[str, ...]
    first: int
    last: int

    @property
    def answer(self) -> str:
        """The words of the answer."""
        return " ".join(self.passage[self.first : self.last + 1])


_NUMBERS: Final = "two three four five six seven eight nine ten eleven twelve twenty thirty fifty"
_MONTHS: Final = "January February March April May June July August September October November December"
_SAYING: Final = "said cried replied asked answered exclaimed observed whispered remarked"
_FUNCTION: Final = (
    "a an the and or but nor of in on at to from by with for as into onto than then so that this these those it its he"
    " his him she her hers they their them we our us you your i my me who whom whose which what when where how why is"
    " are was were be been being am has have had do does did not no will would shall should can could may might must if"
    " there here also very more most some any all both each other such only s t mr mrs miss"
)
NUMBERS, MONTHS, SAYING, FUNCTION_WORDS = (
    frozenset(words.split()) for words in (_NUMBERS, _MONTHS, _SAYING, _FUNCTION)
)
_YEAR: Final = re.compile(r"1\d{3}|20[01]\d")
_NUMBER: Final = re.compile(r"\d{1,3}(?:,\d{3})*")
_TITLES: Final = frozenset(("Mr.", "Mrs.", "Dr.", "St."))


def years(words: Words) -> Iterator[Places]:
    """A year behind *in*, *since*, *until* or *by*."""
    for first, last in any_year(words):
        if first and words[first - 1].lower() in ("in", "since", "until", "by"):
            yield first, last


def places(words: Words) -> Iterator[Places]:
    """Names behind *in*, *at* or *near*, with or without *the*; not months, nor what goes on: *in the French town*."""
    for first, last in any_names(words):
        before = _before(words, first)
        after = words[last + 1] if last + 1 < len(words) else "."
        goes_on = after == "of" or (after.islower() and after not in FUNCTION_WORDS)
        if before >= 0 and words[before].lower() in ("in", "at", "near") and words[first] not in MONTHS and not goes_on:
            yield first, last


def counts(words: Words) -> Iterator[Places]:
    """A number before a word in small letters that ends in *s*: two cats, 67 counties."""
    for first, last in any_number(words):
        thing = words[last + 1] if last + 1 < len(words) else ""
        if thing.isalpha() and thing.islower() and thing.endswith("s") and thing not in FUNCTION_WORDS:
            yield first, last


def speakers(words: Words) -> Iterator[Places]:
    """Names behind *said* and its like, where a quotation has ended; *the King* without its article."""
    for first, last in any_names(words):
        verb = _before(words, first)
        if verb > 0 and words[verb] in SAYING and words[verb - 1] in ('"', "'", "”"):
            yield first, last


def any_year(words: Words) -> Iterator[Places]:
    """Every year."""
    return ((i, i) for i, word in enumerate(words) if _YEAR.fullmatch(word))


def any_number(words: Words) -> Iterator[Places]:
    """Every number, in digits or as a word."""
    return ((i, i) for i, word in enumerate(words) if word.lower() in NUMBERS or _NUMBER.fullmatch(word))


def any_names(words: Words) -> Iterator[Places]:
    """Every run of words with a capital, but for the first word of a sentence and *I*."""
    start = 1
    while start < len(words):
        end = start
        while end < len(words) and _is_name(words[end]):
            end += 1
        if end > start:
            yield start, end - 1
        start = end + 1


class Pattern(NamedTuple):
    """What becomes an answer, and what else in the passage is of its kind."""

    answers: Callable[[Words], Iterator[Places]]
    rivals: Callable[[Words], Iterator[Places]]


PATTERNS: Final[Mapping[str, Pattern]] = {
    "when": Pattern(years, any_year),
    "where": Pattern(places, any_names),
    "how many": Pattern(counts, any_number),
    "who": Pattern(speakers, any_names),
}


def span_questions(texts: Iterable[str], kinds: Sequence[str] = tuple(PATTERNS)) -> list[SpanQuestion]:
    """At most one question of each kind for each passage, in reading order; passages do not overlap.

    Which candidate is asked for, and with which words, follows from the sha256 of the text: no question depends on
    another.

    Raises:
        KeyError: there is no such kind.
    """
    rules = [(kind, PATTERNS[kind]) for kind in kinds]
    asked = (_ask(kind, rule, passage) for text in texts for passage in _passages(text) for kind, rule in rules)
    return [question for question in asked if question]


def _passages(text: str) -> Iterator[list[tuple[str, ...]]]:
    """Neighbouring sentences, as many as fit."""
    held: list[tuple[str, ...]] = []
    for sentence in map(tuple, sentences(text)):
        if held and sum(map(len, held)) + len(sentence) > MOST_WORDS:
            yield held
            held = []
        held.append(sentence)
    yield held


def _ask(kind: str, rule: Pattern, passage: list[tuple[str, ...]]) -> SpanQuestion | None:
    """None where the passage is too long, has no answer of this kind, no rival to it, or too few words to ask with."""
    words = tuple(word for sentence in passage for word in sentence)
    found = [(k, *span) for k, sentence in enumerate(passage) for span in rule.answers(sentence)]
    rivals = {sentence[a : b + 1] for sentence in passage for a, b in rule.rivals(sentence)}
    if len(words) > MOST_WORDS or not found or len(rivals) < 2:
        return None
    k, first, last = found[_drawn(f"{kind} {' '.join(words)}") % len(found)]
    asked = _repeated(passage[k], first, last)
    if len(asked) < FEWEST_ASKED:
        return None
    before = sum(map(len, passage[:k]))
    return SpanQuestion(kind, (*kind.split(), *asked), words, before + first, before + last)


def _repeated(sentence: tuple[str, ...], first: int, last: int) -> list[str]:
    """Words with content, drawn, in the order of the sentence, in small letters; none near the answer, none twice."""
    answer = {word.lower() for word in sentence[first : last + 1]}
    content = {
        word.lower(): i
        for i, word in enumerate(sentence)
        if word.isalnum() and len(word) > 1 and not first - APART <= i <= last + APART
    }
    allowed = [word for word in content if word not in FUNCTION_WORDS | SAYING | answer]
    chosen = sorted(allowed, key=lambda word: _drawn(f"{word} {' '.join(sentence)}"))[:MOST_ASKED]
    return sorted(chosen, key=content.__getitem__)


def _drawn(text: str) -> int:
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")


def _is_name(word: str) -> bool:
    """A word of two letters or more, of which the first alone is a capital; or a title."""
    return (len(word) > 1 and word.isalpha() and word.istitle()) or word in _TITLES


def _before(words: Words, first: int) -> int:
    """The place before a name and its article; -1 where it opens the sentence."""
    return first - 1 - (words[first - 1] == "the")
