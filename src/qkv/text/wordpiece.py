"""WordPiece: a word is cut into the longest pieces that the vocabulary has, from left to right.

Source: Wu et al. (2016), section 4.1; the cutting below is that of BERT (Devlin et al. 2019, section 3), uncased:
accents and case are taken away, each Chinese character and each punctuation mark is a word of its own, and what goes on
inside a word is written with ``##``:  ``embeddings`` → ``em ##bed ##ding ##s``.
"""

import re
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from typing import Final

from qkv import assets

PAD: Final = "[PAD]"
UNKNOWN: Final = "[UNK]"
CLS: Final = "[CLS]"
SEP: Final = "[SEP]"
MASK: Final = "[MASK]"
SPECIAL: Final = (PAD, UNKNOWN, CLS, SEP, MASK)
INSIDE: Final = "##"
LONGEST_WORD: Final = 100  # characters; anything longer is unknown as a whole
CHINESE: Final = (  # CJK ideographs, as BERT lists them; Japanese and Korean letters stay in their words
    *((0x4E00, 0x9FFF), (0x3400, 0x4DBF), (0x20000, 0x2A6DF), (0x2A700, 0x2B73F), (0x2B740, 0x2B81F)),
    *((0x2B920, 0x2CEAF), (0xF900, 0xFAFF), (0x2F800, 0x2FA1F)),
)


class WordPiece:
    """Text → ids of pieces and back.  No special tokens are added, but those written in the text are kept whole.

    Args:
        vocabulary: every piece once; its place is its id.

    Raises:
        ValueError: a piece comes twice, or ``[UNK]`` is missing.
    """

    def __init__(self, vocabulary: Iterable[str]):
        self.vocabulary = tuple(vocabulary)
        self.ids = {piece: i for i, piece in enumerate(self.vocabulary)}
        if len(self.ids) < len(self.vocabulary) or UNKNOWN not in self.ids:
            raise ValueError(f"expected {UNKNOWN} and pieces that differ, got {_flaw(self.vocabulary)}")
        special = [re.escape(token) for token in SPECIAL if token in self.ids]
        self._special = re.compile(f"({'|'.join(special)})")
        self._cut: dict[str, list[str]] = {}  # words met before

    @classmethod
    def from_pretrained(cls, name: str) -> "WordPiece":
        """The vocabulary of a pretrained model, "minilm": 30,522 pieces.  Raises as ``qkv.assets.path``."""
        return cls(assets.path(name, "vocab.txt").read_text(encoding="utf-8").splitlines())

    def tokens(self, text: str) -> list[str]:
        """The pieces of a text; a word that cannot be cut is ``[UNK]``."""
        parts = self._special.split(text)  # every second one is a special token
        found: list[str] = []
        for i, part in enumerate(parts):
            found += [part] if i % 2 else [piece for word in words(part) for piece in self._pieces(word)]
        return found

    def encode(self, text: str) -> list[int]:
        """Ids of the pieces of a text."""
        return [self.ids[token] for token in self.tokens(text)]

    def decode(self, ids: Sequence[int]) -> str:
        """Pieces joined to words, with one space between words: what case, accents and spacing were is lost.

        Raises:
            ValueError: an id outside the vocabulary.
        """
        if wrong := [i for i in ids if not 0 <= i < len(self.vocabulary)]:
            raise ValueError(f"expected ids from 0 to {len(self.vocabulary) - 1}, got {wrong[0]}")
        return " ".join(self.vocabulary[i] for i in ids).replace(f" {INSIDE}", "")

    def _pieces(self, word: str) -> list[str]:
        if word not in self._cut:
            self._cut[word] = cut(word, self.ids)
        return self._cut[word]


def cut(word: str, vocabulary: Iterable[str]) -> list[str]:
    """The longest piece that begins the word, then the longest that goes on, to the end.

    If some rest begins with no piece, or the word has more than 100 characters, the whole word is ``[UNK]``.
    """
    known, pieces, start = vocabulary if isinstance(vocabulary, dict) else set(vocabulary), list[str](), 0
    while start < len(word) <= LONGEST_WORD:
        mark = INSIDE if start else ""
        ends = (end for end in range(len(word), start, -1) if mark + word[start:end] in known)
        if (end := next(ends, None)) is None:
            return [UNKNOWN]
        pieces.append(mark + word[start:end])
        start = end
    return pieces if start == len(word) else [UNKNOWN]


def words(text: str) -> list[str]:
    """Lower case without accents, control characters dropped, cut at spaces and round punctuation.

    "Café, naïve?" → cafe , naive ?
    """
    return unicodedata.normalize("NFD", text.translate(_CLEANED)).translate(_SEPARATED).split()


class _Table(dict[int, str]):
    """For ``str.translate``: what a character becomes, worked out when it is first met."""

    def __init__(self, change: Callable[[str], str]):
        super().__init__()
        self.change = change

    def __missing__(self, code: int) -> str:
        self[code] = self.change(chr(code))
        return self[code]


def _cleaned(character: str) -> str:
    """Nothing for a control character, a space for white space, spaces round a Chinese one."""
    if character in "\t\n\r":
        return " "
    if character in "\0\ufffd" or unicodedata.category(character) in ("Cc", "Cf", "Co", "Cs"):
        return ""
    if character.isspace():
        return " "
    return f" {character} " if any(low <= ord(character) <= high for low, high in CHINESE) else character


def _separated(character: str) -> str:
    """Nothing for an accent that stands alone, spaces round punctuation, else lower case."""
    if unicodedata.category(character) == "Mn":
        return ""
    ascii_mark = character.isascii() and character.isprintable() and not character.isalnum() and character != " "
    if ascii_mark or unicodedata.category(character).startswith("P"):
        return f" {character} "
    return character.lower()


_CLEANED: Final = _Table(_cleaned)
_SEPARATED: Final = _Table(_separated)


def _flaw(vocabulary: Sequence[str]) -> str:
    twice = [piece for piece, again in zip(sorted(vocabulary), sorted(vocabulary)[1:], strict=False) if piece == again]
    return f"{twice[0]!r} twice" if twice else f"no {UNKNOWN}"
