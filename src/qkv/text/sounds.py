"""Spelling and sound as the pronunciation task writes them: letters a–z with the apostrophe, 39 sounds of ARPAbet.

One vocabulary of 69 symbols serves both, since the Transformer shares one matrix between source and target
(Vaswani et al. 2017, section 3.4): padding, start, end, then the letters, then the sounds.
"""

import re
from collections.abc import Iterable, Sequence
from typing import Final

from qkv.assets import QkvError

PAD: Final = 0
START: Final = 1
END: Final = 2
LETTERS: Final = "'abcdefghijklmnopqrstuvwxyz"
SOUNDS: Final = (
    *("AA", "AE", "AH", "AO", "AW", "AY", "B", "CH", "D", "DH", "EH", "ER", "EY", "F", "G", "HH", "IH", "IY", "JH"),
    *("K", "L", "M", "N", "NG", "OW", "OY", "P", "R", "S", "SH", "T", "TH", "UH", "UW", "V", "W", "Y", "Z", "ZH"),
)
SYMBOLS: Final = ("<pad>", "<start>", "<end>", *LETTERS, *SOUNDS)
_ID: Final = {symbol: i for i, symbol in enumerate(SYMBOLS)}


class UnreadableWordError(QkvError, ValueError):
    """A word that cannot be read: empty, too long, or with characters other than a–z and apostrophe."""


def letter_ids(spelling: str) -> list[int]:
    """``"cat"`` → ids of c, a, t.

    Raises:
        UnreadableWordError: the word is empty or holds anything but a–z and apostrophe; it names what.
    """
    if unknown := sorted(set(spelling) - set(LETTERS)):
        listed = ", ".join(map(repr, unknown))
        raise UnreadableWordError(f"expected a word of a–z and apostrophe, got {spelling!r}; cannot read {listed}")
    if not spelling:
        raise UnreadableWordError("expected a word of a–z and apostrophe, got an empty one")
    return [_ID[letter] for letter in spelling]


def sound_ids(sounds: Iterable[str]) -> list[int]:
    """``("K", "AE", "T")`` → ids of start, K, AE, T, end.  Raises ValueError: not one of ``SOUNDS``."""
    listed = list(sounds)
    if unknown := [sound for sound in listed if sound not in SOUNDS]:
        raise ValueError(f"expected sounds of ARPAbet without stress, such as 'AE', got {unknown[0]!r}")
    return [START, *(_ID[sound] for sound in listed), END]


def symbols(ids: Sequence[int]) -> tuple[str, ...]:
    """Ids → letters, sounds or special symbols, as they come."""
    return tuple(SYMBOLS[i] for i in ids)


def without_stress(pronunciation: str) -> tuple[str, ...]:
    """``"K ER1 N AH0 L"`` → ("K", "ER", "N", "AH", "L")."""
    return tuple(re.sub(r"\d", "", pronunciation).split())
