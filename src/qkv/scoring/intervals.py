"""How sure is a measured difference?  Intervals over seeds and over items, and a verdict that follows by rule.

Seeds and items answer two questions.  "Would it happen again with another start?" needs several trained models:
``student_interval`` over one difference per seed.  "Would it happen again with other test items?" needs one model and
its score on each item: ``bootstrap_interval``.  Neither replaces the other.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy import stats

Values = Sequence[float | int] | np.ndarray  # one axis
Verdict = Literal["reproduced", "reversed", "not seen", "equivalent", "exact"]


@dataclass(frozen=True)
class Interval:
    """A mean and the two ends of its interval, in the unit of the values."""

    mean: float
    low: float
    high: float


def paired_differences(first: Values, second: Values) -> list[float]:
    """``first`` minus ``second``, seed by seed.

    The same seed gives both arms the same data and order, so what is luck in both cancels in the difference.

    Raises:
        ValueError: the lists differ in length.
    """
    if len(first) != len(second):
        raise ValueError(f"expected one value per seed in both arms, got {len(first)} and {len(second)}")
    return [float(a - b) for a, b in zip(first, second, strict=True)]


def student_interval(values: Values, confidence: float = 0.95) -> Interval:
    """mean ± t · s / √n, with Student's t for n - 1 degrees of freedom and s the standard deviation (n - 1).

    For one value per seed, a paired difference in the usual case.  Five seeds are few, and t knows it: it is 2.78
    there, against 1.96 for very many.  (A bootstrap over three seeds covers about 71 % instead of 95 %.)

    Raises:
        ValueError: fewer than two values, a value that is NaN or infinite, or a confidence outside (0, 1).
    """
    array = _numbers(values, confidence)
    mean, spread = float(array.mean()), float(array.std(ddof=1))
    reach = float(stats.t.ppf((1 + confidence) / 2, len(array) - 1)) * spread / math.sqrt(len(array))
    return Interval(mean, mean - reach, mean + reach)


def bootstrap_interval(items: Values, confidence: float = 0.95, num_resamples: int = 10_000, seed: int = 0) -> Interval:
    """Percentile bootstrap of the mean over test items, for one fixed model or one fixed pair of models.

    Each resample draws as many items as there are, with replacement.  Says nothing about other seeds.

    Raises:
        ValueError: as ``student_interval``, or fewer than 100 resamples.
    """
    array = _numbers(items, confidence)
    if num_resamples < 100:
        raise ValueError(f"num_resamples: expected at least 100, got {num_resamples}")
    generator = np.random.default_rng(seed)
    draws = (generator.choice(array, len(array)).mean() for _ in range(num_resamples))
    low, high = np.quantile(np.fromiter(draws, float, num_resamples), [(1 - confidence) / 2, (1 + confidence) / 2])
    return Interval(float(array.mean()), float(low), float(high))


def bootstrap_ratio(
    numerators: Values, denominators: Values, confidence: float = 0.95, num_resamples: int = 10_000, seed: int = 0
) -> Interval:
    """Percentile bootstrap of Σ numerators / Σ denominators, such as edits over lengths, one pair per test item.

    Raises:
        ValueError: as ``bootstrap_interval``, lists of different length, or denominators that are not above 0.
    """
    array = np.stack([_numbers(numerators, confidence), _numbers(denominators, confidence)])
    if num_resamples < 100 or array[1].min() <= 0:
        raise ValueError(f"expected num_resamples >= 100 and denominators > 0, got {num_resamples}, {array[1].min()}")
    generator = np.random.default_rng(seed)
    sums = (array[:, generator.integers(array.shape[1], size=array.shape[1])].sum(1) for _ in range(num_resamples))
    ratios = [top / bottom for top, bottom in sums]
    low, high = np.quantile(ratios, [(1 - confidence) / 2, (1 + confidence) / 2])
    return Interval(float(array[0].sum() / array[1].sum()), float(low), float(high))


def verdict(interval: Interval, margin: float | None = None) -> Verdict:
    """The word that an interval earns; nobody chooses it.

    Without a margin the claim is a difference, signed so that + is the paper's side: ``reproduced`` when the whole
    interval is above 0, ``reversed`` when it is below, else ``not seen``.
    With a margin the claim is "no difference worth speaking of": ``equivalent`` when the interval lies inside ± margin,
    ``reversed`` when it lies outside altogether, else ``not seen``.
    A margin of 0 is for claims without chance: ``exact`` when every value was 0, by the same rule.

    Raises:
        ValueError: a negative margin, or ends that are NaN or out of order.
    """
    if not interval.low <= interval.mean <= interval.high:
        raise ValueError(f"expected low <= mean <= high, got {interval}")
    if margin is None:
        return "reproduced" if interval.low > 0 else "reversed" if interval.high < 0 else "not seen"
    if not margin >= 0:
        raise ValueError(f"margin: expected 0 or more, got {margin}")
    if -margin <= interval.low and interval.high <= margin:
        return "equivalent" if margin else "exact"
    return "reversed" if interval.low > margin or interval.high < -margin else "not seen"


def _numbers(values: Values, confidence: float) -> np.ndarray:
    array = np.asarray(values, dtype=float)
    if array.ndim != 1 or len(array) < 2:
        raise ValueError(f"expected a list of at least two values, got shape {array.shape}")
    if not np.isfinite(array).all():
        raise ValueError(f"expected finite values, got {array[~np.isfinite(array)][0]} at {_first_bad(array)}")
    if not 0 < confidence < 1:
        raise ValueError(f"confidence: expected a share between 0 and 1, got {confidence}")
    return array


def _first_bad(array: np.ndarray) -> int:
    return int(np.flatnonzero(~np.isfinite(array))[0])
