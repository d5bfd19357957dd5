"""WordPiece: a word is cut into the longest pieces that the vocabulary has, from left to right.

Source: Wu et al. (2016), section 4.1; the cutting below is that of BERT (Devlin et al. 2019, section 3), uncased:
accents and case are taken away, each Chinese character and each punctuation mark is a word of its own, and what goes on
inside a word is written with ``##``:  ``embeddings`` → ``em ##bed ##ding ##s``.
"""

import math
import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final

from qkv import assets
from qkv.text.pairs import Pair, PairCounts, PairQueue

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


Score = Callable[[int, int, int, int], float]  # counts of the pair, its left and right token, and all tokens


def association(pair: int, left: int, right: int, total: int) -> float:
    """f_ab / (f_a · f_b): how much more often two pieces meet than they would by chance, but for a constant factor.

    Rare pieces win: two that occur once each, side by side, cannot be surpassed.
    """
    return pair / (left * right)


def likelihood_gain(pair: int, left: int, right: int, total: int) -> float:
    """f_ab · ln(N f_ab / (f_a · f_b)): by how many nats the corpus becomes more likely, about.

    The corpus is read as pieces drawn independently, each as often as it stands there; the counts that the merge itself
    changes are left out, which matters little while a pair is rare beside its parts.
    """
    return pair * math.log(total * pair / (left * right))


def frequency(pair: int, left: int, right: int, total: int) -> float:
    """f_ab, as BPE has it; this is what the ``tokenizers`` library does when it trains WordPiece."""
    return float(pair)


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
        self._special = _special_tokens(token for token in SPECIAL if token in self.ids)
        self._cut: dict[str, list[str]] = {}  # words met before

    @classmethod
    def train(cls, corpus: Iterable[str], vocab_size: int, score: Score = association) -> "WordPiece":
        """Special tokens, every character of the corpus as it begins a word or goes on with one, then merges.

        Always the pair with the highest score becomes a piece; of equal ones the one whose left part is older, then
        whose right part is.  Special tokens written in the corpus and words that ``cut`` calls unknown do not count.

        Google described its trainer (Schuster & Nakajima 2012, section 2; Wu et al. 2016, section 4.1: the pair that
        raises the likelihood of the corpus most) but never released it.  ``association``, the default, is the
        stand-in that is widely used for it; ``likelihood_gain`` follows the description; ``frequency`` would be BPE.

        Args:
            score: one of these, or a function of the same four counts.

        Raises:
            ValueError: no room for a merge, or fewer merges in the corpus than asked for.
        """
        parts = (part for text in corpus for part in _special_tokens(SPECIAL).split(text)[::2])
        seen = Counter(word for part in parts for word in words(part))
        counts = {word: times for word, times in seen.items() if len(word) <= LONGEST_WORD}
        alphabet = {piece for word in counts for piece in characters(word)}
        first_ones_first = sorted(alphabet, key=lambda piece: (piece.startswith(INSIDE), piece))
        vocabulary = {piece: i for i, piece in enumerate((*SPECIAL, *first_ones_first))}
        if vocab_size <= len(vocabulary):
            raise ValueError(f"vocab_size: expected more than the {len(vocabulary)} to begin with, got {vocab_size}")
        learn(counts, vocabulary, vocab_size, score)
        return cls(vocabulary)

    @classmethod
    def load(cls, folder: Path) -> "WordPiece":
        """Reads ``vocab.txt`` as BERT has it: a piece a line."""
        return cls((folder / "vocab.txt").read_text(encoding="utf-8").splitlines())

    @classmethod
    def from_pretrained(cls, name: str) -> "WordPiece":
        """The vocabulary of a pretrained model: "minilm" with 30,522 pieces, or one of the course's own.

        Raises:
            qkv.assets.AssetError: as ``qkv.assets.path``, or as ``qkv.assets.tokenizer``.
        """
        own = name != "minilm"
        return cls.load(assets.tokenizer(name, "vocab.txt") if own else assets.path(name, "vocab.txt").parent)

    def save(self, folder: Path) -> None:
        """Writes ``vocab.txt``, which other libraries read too."""
        (folder / "vocab.txt").write_text("".join(f"{piece}\n" for piece in self.vocabulary), encoding="utf-8")

    def __len__(self) -> int:
        return len(self.vocabulary)

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


def characters(word: str) -> list[str]:
    """What a word is cut into before anything is learnt: "cat" → c ##a ##t."""
    return [*word[:1], *(INSIDE + character for character in word[1:])]


def learn(counts: Mapping[str, int], vocabulary: dict[str, int], vocab_size: int, score: Score) -> list[Pair]:
    """The merges, best first; ``vocabulary`` grows to ``vocab_size``.  Raises as ``WordPiece.train``."""
    found, merges = PairCounts(counts, characters), list[Pair]()

    def value(pair: Pair) -> float:
        return score(found.pairs[pair], found.tokens[pair[0]], found.tokens[pair[1]], found.total)

    queue, beside = PairQueue(found, value, vocabulary), _by_token(found.pairs)
    while len(vocabulary) < vocab_size:
        if (pair := queue.pop()) is None:
            raise ValueError(f"vocab_size: expected at most {len(vocabulary)} for this corpus, got {vocab_size}")
        merges.append(pair)
        whole = joined(*pair)
        vocabulary.setdefault(whole, len(vocabulary))
        new = found.merge(pair, whole)
        for token, pairs in _by_token(new).items():
            beside[token] |= pairs
        for token in pair:  # what is left of the two is rarer now, so all their pairs have become better
            beside[token] = {each for each in beside[token] if each in found.pairs}
            new |= beside[token]
        queue.push(new)
    return merges


def joined(left: str, right: str) -> str:
    """One piece of two: ##d, ##ing → ##ding."""
    return left + right.removeprefix(INSIDE)


def words(text: str) -> list[str]:
    """Lower case without accents, control characters dropped, cut at spaces and round punctuation.

    "Café, naïve?" → cafe , naive ?
    """
    return unicodedata.normalize("NFD", text.translate(_CLEANED)).translate(_SEPARATED).split()


def _by_token(pairs: Iterable[Pair]) -> defaultdict[str, set[Pair]]:
    """Token → the pairs that hold it."""
    found = defaultdict[str, set[Pair]](set)
    for pair in pairs:
        for token in pair:
            found[token].add(pair)
    return found


def _special_tokens(tokens: Iterable[str]) -> re.Pattern[str]:
    """Splits a text into parts, of which every second one is a special token."""
    return re.compile(f"({'|'.join(map(re.escape, tokens))})")


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
