"""Byte-level BPE: text is a row of bytes, and the pairs that stood together most often in training become one token.

Source: Sennrich et al. (2016), section 3.2, learns the merges; Radford et al. (2019), section 2.2, starts from bytes
instead of characters, so that every text can be written and no token for unknown ones is needed.  Before that a text is
cut into pieces, roughly words with the space before them, and no merge reaches across a cut:

    "The cat's hat" → The | ␣cat | 's | ␣hat

A byte that is no printable sign of its own is shown as another one, as GPT-2's files do: a space is ``Ġ``.
"""

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import regex

from qkv import assets
from qkv.text import pairs
from qkv.text.pairs import Pair, PairCounts, PairQueue

GPT2: Final = regex.compile(
    r"'(?:[sdmt]|ll|ve|re)"  # what an apostrophe shortens: don't, we'll
    r"| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+"  # letters, digits or other signs, with one space before them
    r"|\s+(?!\S)|\s+"  # white space; its last sign is left to what follows
)
SMOLLM: Final = regex.compile(
    r"'(?:[sdmt]|ll|ve|re)| ?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+"  # the same, but each digit alone and without a space
    r"|\s+(?![^\s\p{N}])|\s+"
)
PATTERNS: Final = {"gpt-2": GPT2, "smollm": SMOLLM}  # by llama.cpp's names
_PRINTABLE: Final = (*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100))
_HIDDEN: Final = sorted(set(range(256)) - set(_PRINTABLE))
_SIGNS: Final = {byte: chr(byte) for byte in _PRINTABLE} | {byte: chr(256 + i) for i, byte in enumerate(_HIDDEN)}
_BYTES: Final = {sign: byte for byte, sign in _SIGNS.items()}
ALPHABET: Final = tuple(_BYTES)  # one sign per byte, in GPT-2's order: printable ones first


class BPE:
    """Text → ids of tokens and back, byte for byte.

    Tokens that are neither a byte nor made by a merge are special: written in the text, they are kept whole.

    Args:
        vocabulary: token → id; the ids are 0, 1, 2, … in any order.  A byte may be missing, as in SmolLM2, whose
            training text had no such byte; then a text that has it cannot be read.
        merges: pairs of tokens, first learned first: it is the order in which they are applied.
        pattern: finds the pieces of a text that are cut into tokens each on its own.

    Raises:
        ValueError: a merged token is missing, or the ids have gaps.
    """

    def __init__(self, vocabulary: Mapping[str, int], merges: Iterable[Pair], pattern: regex.Pattern[str] = GPT2):
        self.ids, self.merges, self.pattern = dict(vocabulary), tuple(merges), pattern
        made = [*ALPHABET, *(left + right for left, right in self.merges)]
        if missing := [token for token in made[len(ALPHABET) :] if token not in self.ids]:
            raise ValueError(f"vocabulary: expected every merged token, got none for {missing[0]!r}")
        if sorted(self.ids.values()) != list(range(len(self.ids))):
            raise ValueError(f"vocabulary: expected the ids 0 to {len(self.ids) - 1}, each once, got others")
        self.vocabulary = tuple(sorted(self.ids, key=self.ids.__getitem__))
        self.special = frozenset(self.ids) - frozenset(made)
        longest_first = sorted(self.special, key=lambda token: (-len(token), token))
        self._special = regex.compile(f"({'|'.join(map(regex.escape, longest_first)) or '(?!)'})")
        self._absent = frozenset(ALPHABET) - frozenset(self.ids)
        self._ranks = {pair: rank for rank, pair in enumerate(self.merges)}
        self._cut: dict[str, list[str]] = {}  # pieces met before

    @classmethod
    def train(cls, corpus: Iterable[str], vocab_size: int, special: Sequence[str] = ()) -> "BPE":
        """Special tokens, the 256 bytes, then merges until there are ``vocab_size`` tokens.

        Raises:
            ValueError: no room for a merge, or fewer merges in the corpus than asked for.
        """
        vocabulary = {token: i for i, token in enumerate((*special, *ALPHABET))}
        if vocab_size <= len(vocabulary):
            raise ValueError(f"vocab_size: expected more than the {len(vocabulary)} to begin with, got {vocab_size}")
        counts = Counter(piece for text in corpus for piece in pieces(text))
        return cls(vocabulary, learn(counts, vocabulary, vocab_size))

    @classmethod
    def load(cls, folder: Path) -> "BPE":
        """Reads ``vocab.json`` and ``merges.txt`` as GPT-2 has them."""
        lines = (folder / "merges.txt").read_text(encoding="utf-8").split("\n")
        merges = [line.split(" ") for line in lines if line and not line.startswith("#version")]
        vocabulary = json.loads((folder / "vocab.json").read_text(encoding="utf-8"))
        return cls(vocabulary, [(left, right) for left, right in merges])

    @classmethod
    def from_gguf(cls, fields: Mapping[str, Any]) -> "BPE":
        """Reads the ``fields`` of a ``gguf.GGUFReader``: a file of llama.cpp holds tokens beside weights.

        Raises:
            ValueError: the file names a way of cutting text into pieces that is not known here.
        """
        found = {name: fields[f"tokenizer.ggml.{name}"].contents() for name in ("tokens", "merges", "pre")}
        if found["pre"] not in PATTERNS:
            raise ValueError(f"tokenizer.ggml.pre: expected one of {', '.join(PATTERNS)}, got {found['pre']!r}")
        merges = [tuple(line.split(" ")) for line in found["merges"]]
        return cls({token: i for i, token in enumerate(found["tokens"])}, merges, PATTERNS[found["pre"]])

    @classmethod
    def from_pretrained(cls, name: str) -> "BPE":
        """The tokens of a trained model, "smollm2" or one of the course's own, such as "translation".

        Raises as ``qkv.assets.path`` and ``qkv.assets.tokenizer``.
        """
        if name != "smollm2":
            return cls.load(assets.tokenizer(name))
        from gguf import GGUFReader  # here, so that strings alone need no numpy

        return cls.from_gguf(GGUFReader(assets.path(name)).fields)

    def save(self, folder: Path) -> None:
        """Writes ``vocab.json`` and ``merges.txt``, which other libraries read too."""
        vocabulary = {token: i for i, token in enumerate(self.vocabulary)}
        (folder / "vocab.json").write_text(json.dumps(vocabulary, ensure_ascii=False), encoding="utf-8")
        lines = ["#version: 0.2", *(f"{left} {right}" for left, right in self.merges)]
        (folder / "merges.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")

    def __len__(self) -> int:
        return len(self.vocabulary)

    def tokens(self, text: str) -> list[str]:
        """The tokens of a text, a space as ``Ġ``.

        Raises:
            ValueError: half a surrogate pair, which has no bytes; or a byte that is not in the vocabulary.
        """
        found: list[str] = []
        for i, part in enumerate(self._special.split(text)):  # every second one is a special token
            cut = pieces(part, self.pattern)
            found += [part] if i % 2 else [token for piece in cut for token in self._tokens(piece)]
        return found

    def encode(self, text: str) -> list[int]:
        """Ids of the tokens of a text.  Raises as ``tokens``."""
        return [self.ids[token] for token in self.tokens(text)]

    def decode(self, ids: Iterable[int]) -> str:
        """The text, exactly; where the ids stop within a character, that one becomes the replacement character.

        Raises:
            ValueError: an id outside the vocabulary.
        """
        listed = list(ids)
        if wrong := [i for i in listed if not 0 <= i < len(self)]:
            raise ValueError(f"expected ids from 0 to {len(self) - 1}, got {wrong[0]}")
        return b"".join(self._bytes(self.vocabulary[i]) for i in listed).decode(errors="replace")

    def _tokens(self, piece: str) -> list[str]:
        if piece not in self._cut:
            if absent := [sign for sign in piece if sign in self._absent]:
                raise ValueError(f"this vocabulary has no token for the byte 0x{_BYTES[absent[0]]:02x}, got {piece!r}")
            self._cut[piece] = apply(self._ranks, piece)
        return self._cut[piece]

    def _bytes(self, token: str) -> bytes:
        return token.encode() if token in self.special else bytes(_BYTES[sign] for sign in token)


def pieces(text: str, pattern: regex.Pattern[str] = GPT2) -> list[str]:
    """The parts that are cut into tokens each on its own, every byte as its sign: "a cat" → a, Ġcat."""
    return ["".join(_SIGNS[byte] for byte in piece.encode()) for piece in pattern.findall(text)]


def apply(ranks: Mapping[Pair, int], piece: str) -> list[str]:
    """The tokens of one piece: of its pairs the one learned first is merged, until no pair has been learned."""
    tokens = list(piece)
    while known := [pair for pair in pairwise(tokens) if pair in ranks]:
        tokens = merged(tokens, min(known, key=ranks.__getitem__))
    return tokens


def merged(tokens: Sequence[str], pair: Pair) -> list[str]:
    """Wherever the pair stands, one token; from the left, so that a a a gives aa a."""
    return pairs.merged(tokens, pair, pair[0] + pair[1])


def learn(counts: Mapping[str, int], vocabulary: dict[str, int], vocab_size: int) -> list[Pair]:
    """The merges, most frequent pair first; ``vocabulary`` grows to ``vocab_size``.

    Of equally frequent pairs the one with the lower id on the left is taken, then the one with the lower id on the
    right.  Two merges may give the same token (a bc, ab c): it is one entry.  Raises as ``BPE.train``.
    """
    found, merges = PairCounts(counts, list), list[Pair]()
    queue = PairQueue(found, found.pairs.__getitem__, vocabulary)
    while len(vocabulary) < vocab_size:
        if (pair := queue.pop()) is None:
            raise ValueError(f"vocab_size: expected at most {len(vocabulary)} for this corpus, got {vocab_size}")
        merges.append(pair)
        whole = pair[0] + pair[1]
        vocabulary.setdefault(whole, len(vocabulary))
        queue.push(found.merge(pair, whole))
    return merges
