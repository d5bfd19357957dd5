"""Edit distance against its recursive definition; error rates by hand."""

from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rapidfuzz.distance import Levenshtein

from qkv.scoring.edit_distance import Outcome, edit_distance, nearest, outcomes, phoneme_error_rate, word_error_rate

short = st.lists(st.sampled_from("abc"), max_size=6)


def by_definition(first, second):
    """The least over the three ways the last step can have gone."""

    @cache
    def distance(i, j):
        if i == 0 or j == 0:
            return i + j
        change = distance(i - 1, j - 1) + (first[i - 1] != second[j - 1])
        return min(distance(i - 1, j) + 1, distance(i, j - 1) + 1, change)

    return distance(len(first), len(second))


@settings(max_examples=400, deadline=None, derandomize=True, database=None)
@given(first=st.text("abcdé", max_size=20), second=st.text("abcdé", max_size=20))
def test_equals_rapidfuzz(first, second):
    assert edit_distance(first, second) == Levenshtein.distance(first, second)


@settings(max_examples=400, deadline=None, derandomize=True, database=None)
@given(first=short, second=short)
def test_equals_its_definition(first, second):
    assert edit_distance(first, second) == by_definition(first, second)


def test_kitten_and_sitting():
    assert edit_distance("kitten", "sitting") == 3


def test_sounds_are_compared_whole():
    assert edit_distance(["AA", "B"], ["AH", "B"]) == 1


def test_nearest_reference_counts_and_the_first_of_equals():
    assert nearest("abc", ["xyz", "abd", "abcde"]) == Outcome(edits=1, length=3)
    assert nearest("ab", ["a", "abc"]) == Outcome(edits=1, length=1)


def test_rates_by_hand():
    """0 edits of 3, 1 of 2, 3 of 1: two words of three are wrong, four edits fall on six sounds."""
    items = outcomes(["abc", "ax", "wxyz"], [["abc"], ["ab", "qqqq"], ["w"]])
    assert word_error_rate(items) == pytest.approx(2 / 3)
    assert phoneme_error_rate(items) == pytest.approx(4 / 6)


@pytest.mark.parametrize("references", [[], ["ab", ""]])
def test_references_that_are_none(references):
    with pytest.raises(ValueError, match="expected references that are not empty"):
        nearest("ab", references)


@pytest.mark.parametrize(("answers", "references"), [([], []), (["a"], [["a"], ["b"]])])
def test_lists_that_do_not_fit(answers, references):
    with pytest.raises(ValueError, match=f"got {len(answers)} and {len(references)}"):
        outcomes(answers, references)
