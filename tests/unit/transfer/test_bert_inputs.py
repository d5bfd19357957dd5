"""Rows for BERT by hand: marks, segments, where words begin, labels at first pieces, padding."""

import pytest

from qkv.transfer.bert_inputs import Marks, at_first_pieces, one_text, side_by_side, two_texts

MARKS = Marks(cls=101, sep=102, pad=0)
WORDS = [[7], [8, 9, 10], [11, 12]]


def test_one_text_by_hand():
    row = one_text(WORDS, MARKS)
    assert row.ids == [101, 7, 8, 9, 10, 11, 12, 102]
    assert row.segments == [0] * 8
    assert row.places == [1, 2, 5]
    assert at_first_pieces(row, [4, 0, 5]) == [-100, 4, 0, -100, -100, 5, -100, -100]


def test_two_texts_have_places_in_the_second_alone():
    row = two_texts([[7], [8, 9]], [[3, 4], [5]], MARKS)
    assert row.ids == [101, 7, 8, 9, 102, 3, 4, 5, 102]
    assert row.segments == [0, 0, 0, 0, 0, 1, 1, 1, 1]
    assert row.places == [5, 7]


def test_side_by_side_pads_and_hides_the_padding():
    rows = side_by_side([one_text(WORDS, MARKS), two_texts([[7]], [[8]], MARKS)], MARKS)
    assert rows.ids.tolist()[1] == [101, 7, 102, 8, 102, 0, 0, 0]
    assert rows.segments.tolist()[1] == [0, 0, 0, 1, 1, 0, 0, 0]
    assert rows.may_attend[1, 0].tolist() == [True] * 5 + [False] * 3


def test_what_cannot_be_read():
    with pytest.raises(ValueError, match=r"at least one piece, got \[1, 0\] pieces"):
        one_text([[7], []], MARKS)
    with pytest.raises(ValueError, match="at least one piece"):
        two_texts([[7]], [], MARKS)
    with pytest.raises(ValueError, match="one label for each of 3 words, got 8"):
        at_first_pieces(one_text(WORDS, MARKS), [0] * 8)
    with pytest.raises(ValueError, match="at least one row"):
        side_by_side([], MARKS)
