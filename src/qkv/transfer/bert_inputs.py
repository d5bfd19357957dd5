"""What BERT reads for a task, and where its heads read it (Devlin et al. 2019, figure 4): one text, or two.

    one text    [CLS] words [SEP]
    two texts   [CLS] first [SEP] second [SEP]      segments 0 and 1

Words come as lists of pieces, so that it stays known which piece begins which word.  A label of a word stands at its
first piece; all other places say "not asked" (section 5.3).
"""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from jaxtyping import Bool, Integer
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from qkv.nn.masks import not_padding

NOT_ASKED = -100
Pieces = Sequence[int]  # of one word, at least one


class Marks(NamedTuple):
    """Ids of the three marks."""

    cls: int
    sep: int
    pad: int


class PieceRow(NamedTuple):
    """Ids and segments of a text or two, and where the words begin that a head may be asked about."""

    ids: list[int]
    segments: list[int]
    places: list[int]


class PaddedRows(NamedTuple):
    """Several rows side by side; ``may_attend`` leaves padding out."""

    ids: Integer[Tensor, "b t"]
    segments: Integer[Tensor, "b t"]
    may_attend: Bool[Tensor, "b 1 t"]


def one_text(words: Sequence[Pieces], marks: Marks) -> PieceRow:
    """[CLS] words [SEP], all in segment 0; places of all words.

    Raises:
        ValueError: no words, or one without pieces.
    """
    _check(words)
    ids = [marks.cls, *(piece for word in words for piece in word), marks.sep]
    return PieceRow(ids, [0] * len(ids), _places(words, start=1))


def two_texts(first: Sequence[Pieces], second: Sequence[Pieces], marks: Marks) -> PieceRow:
    """[CLS] first [SEP] second [SEP]; places of the second text's words, where an answer may stand.

    Raises:
        ValueError: a text without words, or a word without pieces.
    """
    _check(second)
    left = one_text(first, marks).ids
    right = [*(piece for word in second for piece in word), marks.sep]
    return PieceRow([*left, *right], [0] * len(left) + [1] * len(right), _places(second, start=len(left)))


def at_first_pieces(row: PieceRow, labels: Sequence[int]) -> list[int]:
    """One entry per piece: each word's label at its first piece, -100 everywhere else.

    Raises:
        ValueError: not one label per word.
    """
    if len(labels) != len(row.places):
        raise ValueError(f"expected one label for each of {len(row.places)} words, got {len(labels)}")
    told = [NOT_ASKED] * len(row.ids)
    for place, label in zip(row.places, labels, strict=True):
        told[place] = label
    return told


def side_by_side(rows: Sequence[PieceRow], marks: Marks) -> PaddedRows:
    """Padded on the right; padding has segment 0.

    Raises:
        ValueError: no rows.
    """
    if not rows:
        raise ValueError("expected at least one row, got none")
    lengths = [len(row.ids) for row in rows]
    ids = pad_sequence([torch.tensor(row.ids) for row in rows], batch_first=True, padding_value=marks.pad)
    segments = pad_sequence([torch.tensor(row.segments) for row in rows], batch_first=True)
    return PaddedRows(ids, segments, not_padding(lengths, ids.shape[1]))


def _places(words: Sequence[Pieces], start: int) -> list[int]:
    found = []
    for word in words:
        found.append(start)
        start += len(word)
    return found


def _check(words: Sequence[Pieces]) -> None:
    if not words or not all(map(len, words)):
        raise ValueError(f"expected words of at least one piece, got {[len(word) for word in words]} pieces")
