"""Schedules at the points one can compute in the head, and their shape between them."""

from functools import partial

import pytest

from qkv.training.schedules import warmup_cosine, warmup_hold_decay, warmup_inverse_sqrt


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
