"""What a score is worth in labels."""

import math

import pytest

from qkv.scoring.equivalence import labels_needed

SIZES, SCORES = [50, 200, 1_000], [40.0, 60.0, 70.0]


@pytest.mark.parametrize(
    ("target", "expected"), [(50, 100.0), (60, 200), (65, math.sqrt(200 * 1_000)), (70, 1_000), (40, 50), (10, 50)]
)
def test_by_hand(target, expected):
    assert labels_needed(SIZES, SCORES, target) == pytest.approx(expected, rel=1e-6)


def test_a_score_that_is_never_reached():
    assert labels_needed(SIZES, SCORES, 70.1) == math.inf


def test_of_a_curve_that_falls_the_first_place_counts():
    assert labels_needed([10, 20, 40, 80], [50, 60, 40, 80], 60) == 20


@pytest.mark.parametrize(
    ("sizes", "scores"), [([], []), ([50, 50], [1, 2]), ([50, 20], [1, 2]), ([50], [1, 2]), ([0], [1])]
)
def test_curves_that_are_none(sizes, scores):
    with pytest.raises(ValueError, match="growing sizes and a score for each"):
        labels_needed(sizes, scores, 1.0)
