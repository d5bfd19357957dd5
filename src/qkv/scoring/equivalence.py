"""How many labels is something worth?  What a score says when it is read off another learning curve."""

import math
from collections.abc import Sequence
from itertools import pairwise


def labels_needed(sizes: Sequence[int], scores: Sequence[float | int], target: float | int) -> float:
    """With how many labels a learning curve first reaches a score; ∞ where it never does.

    Between two sizes the curve is a straight line over the logarithm of the size.  A score that the curve has at its
    smallest size already gives that size, which then is an upper bound.

        >>> labels_needed([50, 200], [40.0, 60.0], 50.0)  # halfway in the logarithm: √(50 · 200)
        100.0

    Howard & Ruder (2018), figure 3, read theirs the same way: "matches … with 10 times more data".

    Raises:
        ValueError: not one score per size, no sizes, or sizes that do not grow.
    """
    if not sizes or len(sizes) != len(scores) or any(a >= b for a, b in pairwise((0, *sizes))):
        raise ValueError(f"expected growing sizes and a score for each, got {list(sizes)} and {list(scores)}")
    if scores[0] >= target:
        return float(sizes[0])
    for (n, low), (m, high) in pairwise(zip(sizes, scores, strict=True)):
        if low < target <= high:
            share = (target - low) / (high - low)
            return round(math.exp(math.log(n) + share * math.log(m / n)), 6)
    return math.inf
