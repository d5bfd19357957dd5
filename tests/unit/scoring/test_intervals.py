"""Intervals against numbers by hand, against scipy, and against what they promise: their coverage."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from qkv.scoring.intervals import (
    Interval,
    bootstrap_interval,
    bootstrap_ratio,
    paired_differences,
    student_interval,
    verdict,
)

VALUES = st.lists(st.floats(-100, 100), min_size=2, max_size=9)


def test_student_interval_by_hand():
    # 1, 2, 3: mean 2, standard deviation 1, n 3; t for 2 degrees of freedom at 95 % is 4.3027
    interval = student_interval([1, 2, 3])
    reach = 4.3027 / math.sqrt(3)
    assert (interval.mean, interval.low, interval.high) == pytest.approx((2, 2 - reach, 2 + reach), abs=1e-4)


@given(VALUES, st.sampled_from([0.5, 0.9, 0.95, 0.99]))
def test_student_interval_equals_scipys(values, confidence):
    ours = student_interval(values, confidence)
    if (scale := stats.sem(values)) > 1e-9:  # scipy gives NaN for equal values
        low, high = stats.t.interval(confidence, len(values) - 1, loc=np.mean(values), scale=scale)
        assert (ours.low, ours.high) == pytest.approx((low, high), abs=1e-9)


def test_equal_values_give_an_interval_without_width():
    assert student_interval([0.5, 0.5, 0.5]) == Interval(0.5, 0.5, 0.5)


def test_pairing_removes_what_both_arms_share():
    luck = [0.0, 10.0, -7.0, 3.0, 25.0]
    better = [value + 1 + noise for value, noise in zip(luck, [0.1, -0.1, 0.0, 0.1, -0.1], strict=True)]
    interval = student_interval(paired_differences(better, luck))
    assert 0.8 < interval.low < 1 < interval.high < 1.2


@pytest.mark.parametrize("num_seeds", [3, 5, 10])
def test_student_interval_covers_the_truth_as_often_as_it_says(num_seeds):
    generator = np.random.default_rng(0)
    runs = generator.normal(3.0, 2.0, (2000, num_seeds))
    covered = np.mean([interval.low <= 3.0 <= interval.high for interval in map(student_interval, runs)])
    assert abs(covered - 0.95) < 4 * math.sqrt(0.95 * 0.05 / 2000)  # four standard errors of the simulation


def test_a_bootstrap_over_three_seeds_promises_too_much():
    generator = np.random.default_rng(0)
    intervals = [bootstrap_interval(run, num_resamples=200) for run in generator.normal(0.0, 1.0, (400, 3))]
    covered = np.mean([interval.low <= 0 <= interval.high for interval in intervals])
    assert 0.6 < covered < 0.82


def test_bootstrap_over_many_items_agrees_with_the_normal_approximation():
    items = np.random.default_rng(1).random(2000) < 0.8  # right or wrong, one fixed model
    interval, reach = bootstrap_interval(items.astype(float)), 1.96 * items.std() / math.sqrt(2000)
    assert (interval.mean - interval.low, interval.high - interval.mean) == pytest.approx((reach, reach), rel=0.05)


def test_bootstrap_repeats_itself():
    items = np.random.default_rng(2).normal(size=20)
    assert bootstrap_interval(items, seed=3) == bootstrap_interval(items, seed=3) != bootstrap_interval(items, seed=4)


@pytest.mark.parametrize(
    ("low", "high", "margin", "word"),
    [
        (0.1, 2.0, None, "reproduced"),
        (-2.0, -0.1, None, "reversed"),
        (-0.1, 2.0, None, "not seen"),
        (0.0, 2.0, None, "not seen"),  # the interval holds 0
        (-0.01, 0.02, 0.02, "equivalent"),
        (-0.01, 0.03, 0.02, "not seen"),
        (0.03, 0.05, 0.02, "reversed"),
        (-0.05, -0.03, 0.02, "reversed"),
        (0.0, 0.0, 0.0, "exact"),
        (0.0, 1e-9, 0.0, "not seen"),
    ],
)
def test_verdict_follows_the_rule(low, high, margin, word):
    assert verdict(Interval((low + high) / 2, low, high), margin) == word


@given(VALUES)
def test_turning_the_sign_turns_the_verdict(values):
    mirrored = {"reproduced": "reversed", "reversed": "reproduced", "not seen": "not seen"}
    turned = [-value for value in values]
    assert verdict(student_interval(turned)) == mirrored[verdict(student_interval(values))]


@pytest.mark.parametrize("interval", [student_interval, bootstrap_interval])
@pytest.mark.parametrize(
    ("values", "message"),
    [
        ([], "at least two values, got shape \\(0,\\)"),
        ([1.0], "at least two values"),
        ([[1.0, 2.0]], "at least two values, got shape \\(1, 2\\)"),
        ([1.0, math.nan], "finite values, got nan at 1"),
        ([math.inf, 1.0], "finite values, got inf at 0"),
    ],
)
def test_bad_values_are_refused(interval, values, message):
    with pytest.raises(ValueError, match=message):
        interval(np.array(values))


def test_bad_settings_are_refused():
    with pytest.raises(ValueError, match="between 0 and 1, got 95"):
        student_interval([1, 2], confidence=95.0)
    with pytest.raises(ValueError, match="at least 100, got 10"):
        bootstrap_interval([1, 2], num_resamples=10)
    with pytest.raises(ValueError, match="got 2 and 3"):
        paired_differences([1, 2], [1, 2, 3])
    with pytest.raises(ValueError, match="0 or more, got -1"):
        verdict(Interval(0.0, 0.0, 0.0), margin=-1.0)
    with pytest.raises(ValueError, match="low <= mean <= high"):
        verdict(Interval(0.0, 1.0, 2.0))


def test_a_ratio_is_of_sums_and_not_a_mean_of_ratios():
    """1 edit in 2 sounds and 0 in 8: 10 %, not 25 %; both draws of the same word give 50 % and 0 %."""
    found = bootstrap_ratio([1, 0], [2, 8])
    assert (found.mean, found.low, found.high) == pytest.approx((0.1, 0.0, 0.5))


def test_a_ratio_with_equal_denominators_is_the_mean():
    items = np.random.default_rng(0).integers(3, size=200)
    plain, ratio = bootstrap_interval(items), bootstrap_ratio(items, np.ones(200))
    assert ratio.mean == pytest.approx(plain.mean)
    assert (ratio.low, ratio.high) == pytest.approx((plain.low, plain.high), abs=0.02)


@pytest.mark.parametrize(("top", "bottom"), [([1, 2], [1, 0]), ([1, 2], [1, 2, 3]), ([1], [1])])
def test_ratios_that_cannot_be_drawn(top, bottom):
    with pytest.raises(ValueError, match=r"expected|same shape"):
        bootstrap_ratio(top, bottom)
