"""Pairs for "does B follow A?": half of them false, from other books, never too long; and what a batch holds."""

from itertools import pairwise

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from qkv.data.masking import IGNORED
from qkv.data.sentence_pairs import (
    PairBatches,
    Passage,
    SentencePair,
    collate,
    passages_of,
    shortened,
    until_full,
)
from qkv.text.wordpiece import SPECIAL, WordPiece

FALSE_ALARM = 1e-7
PIECES = WordPiece([*SPECIAL, *(f"w{i}" for i in range(900))])
CLS, SEP, MASK, PAD = 2, 3, 4, 0


def passage(document: str, first: int, lengths: list[int]) -> Passage:
    """Ids count upwards through the sentences, so that a pair shows where it comes from."""
    starts = [first + sum(lengths[:i]) for i in range(len(lengths))]
    return Passage(document, [list(range(start, start + n)) for start, n in zip(starts, lengths, strict=True)])


BOOKS = [
    passage("one", 5, [3, 4, 2, 5, 3]),
    passage("two", 105, [6, 1, 4, 9]),
    passage("one", 205, [2, 2]),
    passage("three", 305, [7]),  # a sentence alone is part of no pair
    passage("four", 405, [40, 30, 2]),
]
BOOK_OF = {i: each.document for each in BOOKS for ids in each.sentences for i in ids}
BATCHES = PairBatches(BOOKS, PIECES, batch_size=4, max_length=21)


def many(number: int = 3000) -> list[SentencePair]:
    generator = torch.Generator().manual_seed(0)
    return [BATCHES.pair(generator) for _ in range(number)]


PAIRS = many()


def test_half_of_the_pairs_are_true():
    assert binomtest(sum(pair.follows for pair in PAIRS), len(PAIRS), 0.5).pvalue > FALSE_ALARM


def test_a_false_text_is_from_another_book_and_a_true_one_goes_on():
    for pair in PAIRS:
        (first_book,), (second_book,) = ({BOOK_OF[i] for i in text} for text in (pair.first, pair.second))
        assert pair.follows == (first_book == second_book)
        for text in (pair.first, pair.second):
            assert all(b == a + 1 for a, b in pairwise(text))
        if pair.follows:
            assert pair.first[-1] < pair.second[0]
            assert len(pair.first) + len(pair.second) == 18 or pair.first[-1] + 1 == pair.second[0]


def test_no_pair_is_too_long_or_empty_on_one_side():
    sizes = [len(pair.first) + len(pair.second) for pair in PAIRS]
    assert max(sizes) == 21 - 3
    assert all(pair.first and pair.second for pair in PAIRS)


def test_all_sentences_with_a_neighbour_are_met():
    met = {i for pair in PAIRS for i in pair.first + pair.second}
    assert [bool(met & {*ids}) for each in BOOKS for ids in each.sentences] == [
        len(each.sentences) > 1 for each in BOOKS for _ in each.sentences
    ]


def test_true_and_false_texts_are_of_one_kind():
    """A false B is never a passage's first sentence: no true one could be, and that would give it away."""
    firsts = {ids[0] for each in BOOKS for ids in each.sentences[:1]}
    assert not firsts & {pair.second[0] for pair in PAIRS}


def test_sentences_until_they_fill_the_room():
    following = [[1, 2], [3], [4, 5, 6], [7]]
    assert until_full(following, 3, fewest=1) == [[1, 2], [3]]
    assert until_full(following, 4, fewest=1) == [[1, 2], [3], [4, 5, 6]]
    assert until_full(following, 1, fewest=2) == [[1, 2], [3]]
    assert until_full(following, 99, fewest=1) == following


def test_the_longer_text_is_cut_at_both_ends():
    generator = torch.Generator().manual_seed(0)
    left = {tuple(shortened([1, 2, 3, 4], [8, 9], 5, generator)[0]) for _ in range(50)}
    assert left == {(2, 3, 4), (1, 2, 3)}
    assert {tuple(shortened([1, 2], [8, 9], 3, generator)[1]) for _ in range(50)} == {(8,), (9,)}
    assert shortened([1, 2], [8, 9], 4, generator) == ([1, 2], [8, 9])


@given(st.integers(1, 40), st.integers(1, 40), st.integers(2, 90))
def test_shortened_texts_fit_and_neither_is_lost(first, second, room):
    texts = shortened([5] * first, [6] * second, room, torch.Generator().manual_seed(0))
    assert sum(map(len, texts)) == min(room, first + second)
    assert min(map(len, texts)) == min(first, second, max(room // 2, room - max(first, second)))


def test_a_batch_by_hand():
    """Marks, segments and padding: the first [SEP] belongs to A, the last one to B."""
    pairs = [SentencePair([10, 11], [12], True), SentencePair([13], [14, 15, 16], False)]
    batch = collate(pairs, PIECES, torch.Generator().manual_seed(0))
    whole = batch.ids.where(batch.labels == IGNORED, batch.labels)
    assert whole.tolist() == [[CLS, 10, 11, SEP, 12, SEP, PAD], [CLS, 13, SEP, 14, 15, 16, SEP]]
    assert batch.segments.tolist() == [[0, 0, 0, 0, 1, 1, 0], [0, 0, 0, 1, 1, 1, 1]]
    assert (batch.lengths.tolist(), batch.not_next.tolist()) == ([6, 7], [0, 1])


def test_gaps_never_at_marks_and_anew_in_each_batch():
    steps = [BATCHES[step] for step in range(200)]
    for batch in steps:
        marks = (batch.ids == CLS) | (batch.ids == SEP) | (batch.ids == PAD)
        assert (batch.labels[marks] == IGNORED).all()
        assert (marks.sum(1) == 3 + batch.ids.shape[1] - batch.lengths).all()
    chosen = torch.cat([(batch.labels != IGNORED).flatten() for batch in steps])
    open_to_choice = sum(int(batch.lengths.sum()) - 3 * 4 for batch in steps)
    assert binomtest(int(chosen.sum()), open_to_choice, 0.15).pvalue > FALSE_ALARM


def test_a_step_does_not_depend_on_those_before():
    again = PairBatches(BOOKS, PIECES, batch_size=4, max_length=21)
    for step in (7, 3):
        for name, tensor in vars(again[step]).items():
            assert torch.equal(tensor, getattr(BATCHES[step], name))
    assert not torch.equal(BATCHES[7].ids, PairBatches(BOOKS, PIECES, 4, 21, seed=1)[7].ids)


def test_rows_become_sentences():
    rows = [{"book": "emma", "text": "Hello there. How are you?\n\nFine."}]
    pieces = WordPiece.train([rows[0]["text"]], 36)
    (found,) = passages_of(rows, pieces)
    assert found.document == "emma"
    assert [pieces.decode(ids) for ids in found.sentences] == ["hello there .", "how are you ?", "fine ."]


@pytest.mark.parametrize(
    ("books", "batch_size", "max_length", "message"),
    [
        (BOOKS, 0, 21, "batch_size >= 1 and max_length >= 5, got 0 and 21"),
        (BOOKS, 4, 4, "got 4 and 4"),
        ([BOOKS[0], BOOKS[2]], 4, 21, r"at least two documents, got \['one'\]"),
        ([BOOKS[0], BOOKS[3]], 4, 21, r"at least two documents, got \['one'\]"),
    ],
)
def test_what_cannot_be(books, batch_size, max_length, message):
    with pytest.raises(ValueError, match=message):
        PairBatches(books, PIECES, batch_size, max_length)
