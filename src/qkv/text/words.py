"""Whole words: running English text → sentences of words → ids, and a word → ids of its characters (ELMo).

A model that scores words needs a list of them, ``WordVocabulary``; what is not in it is ``<unk>``.  A model that reads
words by their characters needs none: ``character_ids`` spells any word, also one that it has never seen.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

UNKNOWN: Final = "<unk>"
BEGIN: Final = "<s>"
END: Final = "</s>"
SPECIAL: Final = (UNKNOWN, BEGIN, END)

PADDING: Final = 0  # character ids: padding, marks round every word, the two marks of a sentence, then the 256 bytes
WORD_BEGIN: Final = 1
WORD_END: Final = 2
_SENTENCE_MARKS: Final = {BEGIN: 3, END: 4}
_FIRST_BYTE: Final = 5
NUM_CHARACTERS: Final = _FIRST_BYTE + 256
MAX_CHARACTERS: Final = 50  # of a word with its two marks, as in ELMo's published options

SHORTENED: Final = (
    "Mr",
    "Mrs",
    "Messrs",
    "Dr",
    "St",
    "Esq",
    "Capt",
    "Prof",
    "Rev",
    "Hon",
    "etc",
)  # their dot ends nothing
_TOKEN: Final = re.compile(
    rf"(?:{'|'.join(SHORTENED)})\.(?=\s)"  # a shortened word with its dot
    r"|[^\W\d_]+(?:['’][^\W\d_]+)*"  # letters, with apostrophes inside: don't
    r"|\d+(?:[.,]\d+)*"  # numbers: 1,234.5
    r"|--+|\.\.+"  # a dash, an ellipsis
    r"|\S"  # any other mark, alone
)
_STOPS: Final = frozenset(".!?")
_CLOSING: Final = frozenset("\"'”’)]_")
_MAY_END: Final = _STOPS | _CLOSING


def tokens(text: str) -> list[str]:
    """Words and marks in order, case and accents kept; what parts them is lost.

    ``"Don't go, Mr. Fox--it's 5!"`` → Don't  go  ,  Mr.  Fox  --  it's  5  !
    """
    return _TOKEN.findall(text)


def places(text: str) -> list[tuple[int, int]]:
    """For each of ``tokens(text)`` the characters that it takes up: the first, and the one behind its last."""
    return [found.span() for found in _TOKEN.finditer(text)]


def sentences(text: str) -> Iterator[list[str]]:
    """The tokens of each sentence; an empty line always ends one.

    A sentence ends behind . ! or ? and closing quotes, unless the next word has a small letter: "What!" said he.  Rules
    as short as these are wrong now and then: "at 5 p.m. Fox came" is two sentences.
    """
    for paragraph in re.split(r"\n\s*\n", text):
        found = list(_TOKEN.finditer(paragraph))
        start = 0
        for end, token in enumerate(found, start=1):
            if end == len(found) or (token[0] in _MAY_END and _ends(found, end)):
                yield [token[0] for token in found[start:end]]
                start = end


def _ends(found: Sequence[re.Match], end: int) -> bool:
    """Whether a sentence ends before place ``end``, behind a stop or what closes after it."""
    stop = end - 1
    while stop > 0 and _closes(found[stop]):
        stop -= 1
    following = found[end]
    return found[stop][0] in _STOPS and not (_closes(following) or following[0] in _STOPS or following[0][0].islower())


def _closes(token: re.Match) -> bool:
    """Whether it is a quote or bracket that closes: one that stands close behind the token before."""
    return token[0] in _CLOSING and not token.string[token.start() - 1].isspace()


class WordVocabulary:
    """Words with ids: ``<unk>`` 0, begin and end of a sentence 1 and 2, then the words as given.

    Raises:
        ValueError: a word twice, or one of the three special ones among them.
    """

    def __init__(self, words: Iterable[str]):
        self.words = (*SPECIAL, *words)
        self.ids = {word: i for i, word in enumerate(self.words)}
        if len(self.ids) < len(self.words):
            twice = next(word for word, times in Counter(self.words).items() if times > 1)
            raise ValueError(f"expected words that differ from each other and from {SPECIAL}, got {twice!r} twice")

    def __len__(self) -> int:
        return len(self.words)

    @classmethod
    def train(cls, words: Iterable[str], vocab_size: int) -> "WordVocabulary":
        """The most frequent words, the special ones on top, ``vocab_size`` in all; of equally frequent ones a before b.

        Raises:
            ValueError: a size of 3 or less, or more than there are different words.
        """
        counts = Counter(words)
        room = vocab_size - len(SPECIAL)
        if not 0 < room <= len(counts):
            most = len(counts) + len(SPECIAL)
            raise ValueError(f"vocab_size: expected from {len(SPECIAL) + 1} to {most} for this text, got {vocab_size}")
        return cls(sorted(counts, key=lambda word: (-counts[word], word))[:room])

    def encode(self, words: Iterable[str]) -> list[int]:
        """Ids of the words; an unknown word is 0."""
        return [self.ids.get(word, 0) for word in words]

    def decode(self, ids: Iterable[int]) -> list[str]:
        """Ids → words.  Raises ValueError: an id outside the vocabulary."""
        listed = list(ids)
        if wrong := [i for i in listed if not 0 <= i < len(self)]:
            raise ValueError(f"expected ids from 0 to {len(self) - 1}, got {wrong[0]}")
        return [self.words[i] for i in listed]


def character_ids(word: str, max_characters: int = MAX_CHARACTERS) -> list[int]:
    """Begin of word, the bytes of its UTF-8, end of word; ``"cat"`` → [1, 104, 102, 121, 2].

    The marks ``<s>`` and ``</s>`` have a character of their own.  A word with more than ``max_characters`` ids loses
    its last letters and keeps its end.  The list is not padded; pad with 0.

    Raises:
        ValueError: an empty word, one that has no UTF-8, or no room for one character between the marks.
    """
    if max_characters < 3:
        raise ValueError(f"max_characters: expected at least 3, one between two marks, got {max_characters}")
    if not word:
        raise ValueError("expected a word of at least one character, got an empty one")
    if word in _SENTENCE_MARKS:
        return [WORD_BEGIN, _SENTENCE_MARKS[word], WORD_END]
    spelled = [_FIRST_BYTE + byte for byte in word.encode()]
    return [WORD_BEGIN, *spelled[: max_characters - 2], WORD_END]


def spell(sentences: Sequence[Sequence[str]], max_characters: int = MAX_CHARACTERS) -> list[list[list[int]]]:
    """Sentences of words → ids in a box of (sentences, words, characters), filled up with 0: ready for a tensor.

    Begin and end of a sentence are words like others; put them in where a model expects them.

    Raises:
        ValueError: no sentences, one without words, or as ``character_ids``.
    """
    if not sentences or not all(map(len, sentences)):
        raise ValueError(f"expected sentences of at least one word, got lengths {[*map(len, sentences)]}")
    spelled = [[character_ids(word, max_characters) for word in sentence] for sentence in sentences]
    widest = max(len(ids) for sentence in spelled for ids in sentence)
    longest = max(map(len, spelled))
    filled = [[ids + [PADDING] * (widest - len(ids)) for ids in sentence] for sentence in spelled]
    return [sentence + [[PADDING] * widest] * (longest - len(sentence)) for sentence in filled]
