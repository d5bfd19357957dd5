"""The numbers behind the figures: the coin generator, the d_k reference table, the toy table."""

import itertools
import math

import numpy as np
import pytest
import torch

from qkv import toy
from qkv.figures import reference
from qkv.figures.pictures import it_gives
from qkv.nn.attention import scaled_dot_product_attention
from qkv.nn.masks import causal

MASK_32 = 0xFFFFFFFF


def mulberry32(state):
    """The generator as published, one word after the other, in whole numbers."""
    while True:
        state = (state + 0x6D2B79F5) & MASK_32
        t = ((state ^ (state >> 15)) * (1 | state)) & MASK_32
        t ^= (t + (((t ^ (t >> 7)) * (61 | t)) & MASK_32)) & MASK_32
        yield t ^ (t >> 14)


@pytest.mark.parametrize("seed", [0, 11, 2**32 - 1])
def test_words_are_mulberry32(seed):
    assert reference.words(seed, 0, 50).tolist() == list(itertools.islice(mulberry32(seed), 50))
    assert reference.words(seed, 17, 3).tolist() == list(itertools.islice(mulberry32(seed), 17, 20))


def test_coins_are_fair_and_scores_have_variance_d_k():
    drawn = reference.coins(64)
    assert set(np.unique(drawn)) == {-1, 1}
    assert abs(drawn.mean()) < 5 / math.sqrt(drawn.size)
    scores = np.einsum("n d, n k d -> n k", drawn[:, 0], drawn[:, 1:])
    assert scores.var() == pytest.approx(64, rel=0.06)  # five standard errors of a variance over 1,500 draws of 8


def test_every_entry_of_four_coins_occurs_as_the_binomial_says():
    drawn = reference.coins(4, num_draws=6000)
    scores = np.einsum("n d, n k d -> n k", drawn[:, 0], drawn[:, 1:]).ravel()
    shares = [np.mean(scores == score) for score in (-4, -2, 0, 2, 4)]
    assert shares == pytest.approx([1 / 16, 4 / 16, 6 / 16, 4 / 16, 1 / 16], abs=0.015)


@pytest.mark.parametrize("scaled", [False, True])
def test_slopes_equal_autograd(scaled):
    drawn = reference.coins(16, num_draws=4)
    measured = reference.measure(drawn, scaled)
    for n, draw in enumerate(torch.tensor(drawn, dtype=torch.float64)):
        scale = 1 / math.sqrt(16) if scaled else 1.0
        by_query = torch.func.jacrev(lambda q, k=draw[1:], c=scale: torch.softmax(c * k @ q, 0))(draw[0])
        by_scores = torch.func.jacrev(lambda s: torch.softmax(s, 0))(scale * draw[1:] @ draw[0])
        assert measured["slope_q"][n].item() == pytest.approx(by_query.norm().item(), abs=1e-10)
        assert measured["slope"][n].item() == pytest.approx(by_scores.norm().item(), abs=1e-10)


# Published reference of the figure, from another 1,500 draws: (d_k, scaled, quantity, statistic, value, rounding unit).
PUBLISHED = [
    *[(4, False, *row) for row in (("top", "median", 0.45, 0.01), ("entropy", "median", 1.25, 0.01))],
    *[(4, False, *row) for row in (("slope", "median", 0.388, 0.001), ("slope", "mean", 0.354, 0.001))],
    *[(16, False, *row) for row in (("top", "median", 0.83, 0.01), ("entropy", "median", 0.67, 0.01))],
    *[(16, False, *row) for row in (("slope", "median", 0.223, 0.001), ("slope", "mean", 0.250, 0.001))],
    *[(64, False, *row) for row in (("top", "median", 0.98, 0.01), ("entropy", "median", 0.13, 0.01))],
    *[(64, False, *row) for row in (("slope", "median", 0.038, 0.001), ("slope", "mean", 0.154, 0.001))],
    *[(512, False, *row) for row in (("top", "median", 1.00, 0.01), ("entropy", "median", 0.00, 0.01))],
    *[(512, False, *row) for row in (("slope", "median", 0.0001, 0.0001), ("slope", "mean", 0.062, 0.001))],
    *[
        (d, True, *row)
        for d in (16, 64, 512)
        for row in (("top", "median", 0.33, 0.01), ("entropy", "median", 1.76, 0.01))
    ],
    *[
        (d, True, *row)
        for d in (16, 64, 512)
        for row in (("slope", "median", 0.367, 0.001), ("slope", "mean", 0.366, 0.001))
    ],
    *[(4, False, *row) for row in (("slope_q", "median", 0.55, 0.01), ("slope_q", "mean", 0.54, 0.01))],
    *[(512, False, *row) for row in (("slope_q", "median", 0.002, 0.001), ("slope_q", "mean", 1.40, 0.01))],
]


def standard_error(values, statistic):
    """By bootstrap, 400 resamples."""
    generator = np.random.default_rng(0)
    resamples = generator.choice(values.numpy(), (400, len(values)))
    return float(getattr(np, statistic)(resamples, axis=1).std())


@pytest.fixture(scope="module")
def measured():
    return {
        (d, scaled): reference.measure(reference.coins(d), scaled) for d in reference.STOPS for scaled in (False, True)
    }


@pytest.mark.parametrize(("d_k", "scaled", "quantity", "statistic", "value", "unit"), PUBLISHED)
def test_published_table(measured, d_k, scaled, quantity, statistic, value, unit):
    """Two estimates from 1,500 draws each differ by less than four standard errors, plus the rounding."""
    values = measured[d_k, scaled][quantity]
    ours = getattr(reference.Spread.of(values), statistic)
    assert abs(ours - value) <= unit / 2 + 4 * math.sqrt(2) * standard_error(values, statistic)


def test_surprise_median_of_the_query_slope_vanishes_while_its_mean_grows():
    small, large = (reference.summary(d, scaled=False)["slope_q"] for d in (4, 512))
    assert large.mean > 2 * small.mean
    assert large.median < small.median / 50
    steady = [reference.summary(d, scaled=True)["slope"].median for d in (16, 64, 256, 512)]
    assert max(steady) - min(steady) < 0.005


def test_two_keys_by_hand():
    assert [reference.two_key_slope(gap) for gap in (0, 2, 4, 8)] == pytest.approx(
        [0.25, 0.105, 0.018, 0.0003], abs=5e-4
    )
    assert reference.two_key_slope(8) == pytest.approx(0.0003, abs=5e-5)


def rows(numbers):
    return torch.tensor(numbers, dtype=torch.float64)


def test_toy_table():
    output, weights = scaled_dot_product_attention(rows(toy.QUERY), rows(toy.KEY), rows(toy.VALUE))
    assert weights.tolist() == [
        pytest.approx(row, abs=5e-4) for row in ([0.333] * 3, [0.107, 0.107, 0.787], [0.665, 0.245, 0.090])
    ]
    assert output.tolist() == [pytest.approx(row, abs=5e-3) for row in ([3.33, 3.33], [1.07, 1.07], [6.65, 2.45])]


def test_toy_swap():
    assert it_gives(wet=True)[0] == pytest.approx([0.245, 0.665, 0.090], abs=5e-4)


def test_causal_surprise_row_cat_reads_itself_whatever_its_query():
    generator = torch.Generator().manual_seed(0)
    for query in (rows(toy.QUERY), 5 * torch.randn(3, 4, generator=generator, dtype=torch.float64)):
        output, _ = scaled_dot_product_attention(query, rows(toy.KEY), rows(toy.VALUE), may_attend=causal(3))
        assert output[0].tolist() == [10, 0]
