"""ROUGE by hand, against another implementation of the longest common subsequence, and its properties."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rapidfuzz.distance import LCSseq

from qkv.scoring.rouge import Overlap, longest_common, rouge_l, rouge_n, words

TEXTS = st.lists(st.sampled_from("abcd"), max_size=12).map(" ".join)
REFERENCE = "police killed the gunman"


def test_words_are_small_letters_and_digits() -> None:
    assert words("It's 5 o'clock – Île!") == ["it", "s", "5", "o", "clock", "le"]


def test_lins_example_of_order() -> None:
    """Lin (2004), section 3.1: both answers share two words in pairs of one, but only the first keeps the order."""
    assert rouge_n("police kill the gunman", REFERENCE, 2) == Overlap(1, 3, 3)
    assert rouge_n("the gunman kill police", REFERENCE, 2) == Overlap(1, 3, 3)
    assert rouge_l("police kill the gunman", REFERENCE).f1 == 3 / 4
    assert rouge_l("the gunman kill police", REFERENCE).f1 == 2 / 4


def test_a_number_by_hand() -> None:
    # shared: the, the, cat (the third "the" has no partner); 5 words against 4
    assert rouge_n("the the the cat sat", "the cat saw the", 1) == Overlap(3, 5, 4)
    assert rouge_n("the the the cat sat", "the cat saw the", 1).f1 == 6 / 9
    assert rouge_l("the the the cat sat", "the cat saw the") == Overlap(2, 5, 4)


def test_nothing_shared_is_zero_and_no_division_by_it() -> None:
    for answer in ("", "…", "dogs"):
        assert rouge_l(answer, "the cat").f1 == rouge_n(answer, "the cat", 2).f1 == 0.0
    assert rouge_n("cat", "cat", 2) == Overlap(0, 0, 0)


def test_n_below_one_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 1, got 0"):
        rouge_n("a", "a", 0)


@given(st.lists(st.integers(0, 5)), st.lists(st.integers(0, 5)))
def test_longest_common_subsequence_equals_another_implementation(first, second) -> None:
    assert longest_common([*map(str, first)], [*map(str, second)]) == LCSseq.similarity(first, second)


@given(TEXTS, TEXTS)
def test_both_sides_may_be_swapped_and_the_whole_bounds_the_parts(first: str, second: str) -> None:
    one = rouge_n(first, second, 1)
    assert one.f1 == rouge_n(second, first, 1).f1
    assert rouge_l(first, second).f1 == rouge_l(second, first).f1 <= one.f1 <= 1
    assert not first or rouge_l(first, first).f1 == 1
