"""Schedules at the points one can compute in the head, and their shape between them."""

import math
from functools import partial
from itertools import pairwise

import pytest
import torch

from qkv.training.schedules import (
    one_cycle,
    slanted_triangular,
    warmup_cosine,
    warmup_hold_decay,
    warmup_inverse_sqrt,
)


def test_inverse_sqrt_is_the_papers_formula():
    """d^-0.5 · min(step^-0.5, step · warmup^-1.5), with its peak taken out."""
    for step in (1, 3999, 4000, 4001, 100_000):
        paper = 512**-0.5 * min(step**-0.5, step * 4000**-1.5)
        ours = (512 * 4000) ** -0.5 * warmup_inverse_sqrt(step, warmup_steps=4000)
        assert ours == pytest.approx(paper)


def test_cosine_by_hand():
    factor = partial(warmup_cosine, num_steps=110, warmup_steps=10)
    assert [factor(step) for step in (1, 5, 10, 60, 110)] == pytest.approx([0.1, 0.5, 1.0, 0.5, 0.0])


def test_hold_by_hand():
    factor = partial(warmup_hold_decay, num_steps=20, warmup_steps=4, decay_steps=9)
    assert [factor(step) for step in (1, 4, 5, 11, 12, 16, 20)] == pytest.approx([0.25, 1, 1, 1, 0.9, 0.5, 0.1])


def test_before_the_decay_the_length_does_not_matter():
    short, long = (partial(warmup_hold_decay, num_steps=n, warmup_steps=5, decay_steps=10) for n in (40, 400))
    assert [short(step) for step in range(1, 31)] == [long(step) for step in range(1, 31)]


def test_no_warmup_starts_at_the_top():
    assert warmup_hold_decay(1, num_steps=5, warmup_steps=0, decay_steps=0) == 1.0
    assert warmup_cosine(1, num_steps=1000, warmup_steps=0) == pytest.approx(1.0, abs=1e-5)


@pytest.mark.parametrize("step", [0, 21])
@pytest.mark.parametrize(
    "schedule",
    [
        partial(warmup_cosine, num_steps=20, warmup_steps=4),
        partial(warmup_hold_decay, num_steps=20, warmup_steps=4, decay_steps=9),
    ],
)
def test_steps_outside_the_run(schedule, step):
    with pytest.raises(ValueError, match=f"got step {step}, num_steps 20"):
        schedule(step)


def test_parts_longer_than_the_run():
    with pytest.raises(ValueError, match="warmup_steps 4, decay_steps 7"):
        warmup_hold_decay(1, num_steps=10, warmup_steps=4, decay_steps=7)
    with pytest.raises(ValueError, match="got 0 and 5"):
        warmup_inverse_sqrt(0, warmup_steps=5)


def test_slanted_triangular_by_hand():
    """T = 100, a tenth of it up, ratio 32: p = 0, 1/2, 1, 1/2, 0, and the factor is (1 + 31 p) / 32."""
    steps = (0, 5, 10, 55, 100)
    expected = [1 / 32, 16.5 / 32, 1, 16.5 / 32, 1 / 32]
    assert [slanted_triangular(step, 100) for step in steps] == pytest.approx(expected, abs=1e-12)


def test_slanted_triangular_with_other_numbers():
    """T = 8, cut 2, ratio 5: up by 0.4 a step, down by 0.8 / 6."""
    found = [slanted_triangular(step, 8, cut_frac=0.25, ratio=5.0) for step in range(9)]
    assert found == pytest.approx([0.2, 0.6, 1, *(1 - 0.8 / 6 * i for i in range(1, 7))], abs=1e-12)


def published_triangle(t: int, T: int, cut_frac: float, ratio: float) -> float:  # noqa: N803
    """The paper's equation 3, letter by letter."""
    cut = math.floor(T * cut_frac)
    p = t / cut if t < cut else 1 - (t - cut) / (cut * (1 / cut_frac - 1))
    return (1 + p * (ratio - 1)) / ratio


@pytest.mark.parametrize("num_steps", [10, 99, 100, 1234])
def test_slanted_triangular_is_the_papers_wherever_that_is_a_rate(num_steps):
    for step in range(num_steps + 1):
        published = published_triangle(step, num_steps, 0.1, 32.0)
        assert slanted_triangular(step, num_steps) == pytest.approx(max(published, 1 / 32), abs=1e-12)


def test_what_is_published_falls_below_zero():
    assert published_triangle(98, 99, 0.1, 32.0) == pytest.approx(-0.064, abs=5e-4)
    assert slanted_triangular(98, 99) == 1 / 32


@pytest.mark.parametrize("num_steps", range(1, 10))
def test_a_run_too_short_for_a_rise_starts_at_its_peak(num_steps):
    found = [slanted_triangular(step, num_steps) for step in range(num_steps + 1)]
    assert (found[0], found[-1]) == (1, 1 / 32)
    falls = [before - after for before, after in pairwise(found)]
    assert falls == pytest.approx([31 / 32 / num_steps] * num_steps)


@pytest.mark.parametrize("cut_frac", [0.1, 0.25, 0.29, 0.9])
def test_slanted_triangular_has_one_peak_and_never_leaves_its_bounds(cut_frac):
    for num_steps in range(1, 50):
        found = [slanted_triangular(step, num_steps, cut_frac=cut_frac) for step in range(num_steps + 1)]
        peak = math.floor(num_steps * cut_frac)
        assert max(found) == found[peak] == 1
        assert min(found) >= 1 / 32
        assert found[:peak] == sorted(found[:peak])
        assert found[peak:] == sorted(found[peak:], reverse=True)


@pytest.mark.parametrize(
    ("step", "num_steps", "cut_frac", "ratio"),
    [(-1, 9, 0.1, 32.0), (10, 9, 0.1, 32.0), (0, 0, 0.1, 32.0), (0, 9, 0.0, 32.0), (0, 9, 1.0, 32.0), (0, 9, 0.1, 0.5)],
)
def test_slanted_triangular_refuses(step, num_steps, cut_frac, ratio):
    with pytest.raises(ValueError, match=f"got step {step}, num_steps {num_steps}, cut_frac {cut_frac}, ratio {ratio}"):
        slanted_triangular(step, num_steps, cut_frac=cut_frac, ratio=ratio)


@pytest.mark.parametrize("num_steps", [8, 40, 100])
def test_one_cycle_is_torchs(num_steps):
    """torch counts ``total_steps`` calls and ends its rise one step early, so both are moved to meet."""
    weight = torch.nn.Parameter(torch.zeros(1))
    optimizer = torch.optim.SGD([weight], lr=1.0)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer,
        max_lr=1.0,
        total_steps=num_steps + 1,
        pct_start=(num_steps / 4 + 1) / (num_steps + 1),
        div_factor=25,
        final_div_factor=1e5 / 25,
        cycle_momentum=False,
    )
    found = []
    for _ in range(num_steps + 1):
        found.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        if len(found) <= num_steps:
            schedule.step()
    assert [one_cycle(step, num_steps) for step in range(num_steps + 1)] == pytest.approx(found, abs=1e-9)


def test_one_cycle_by_hand():
    assert one_cycle(0, 100) == pytest.approx(1 / 25)
    assert one_cycle(25, 100) == 1
    assert one_cycle(100, 100) == pytest.approx(1e-5)
    assert one_cycle(50, 80, rise=0.5) == pytest.approx(1e-5 + (1 - 1e-5) * (1 + math.cos(math.pi / 4)) / 2)


@pytest.mark.parametrize(("step", "num_steps", "rise"), [(-1, 10, 0.25), (11, 10, 0.25), (0, 0, 0.25), (1, 10, 1.0)])
def test_one_cycle_refuses(step, num_steps, rise):
    with pytest.raises(ValueError, match=f"got step {step}, num_steps {num_steps}, rise {rise}"):
        one_cycle(step, num_steps, rise=rise)
