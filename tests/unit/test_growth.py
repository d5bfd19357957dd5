"""How cost grows: counting against torch's own counters, exponents by hand, and what fusing attention saves."""

import itertools

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from qkv import growth
from qkv.growth import Size


def test_exponents_by_hand():
    assert growth.exponent([1, 2, 4], [3, 12, 48]) == pytest.approx(2)
    assert growth.exponent([10, 20, 40], [5, 10, 20]) == pytest.approx(1)
    with pytest.raises(ValueError, match=r"expected two sizes .*, got \[4, 4\] and \[1, 1\]"):
        growth.exponent([4, 4], [1, 1])


@pytest.mark.parametrize("size", [Size(2, 5, 32), Size(3, 7, 64)])
def test_operations_are_those_that_torch_counts(size):
    run = growth.forward(size, weights=True)
    with FlopCounterMode(display=False) as counter:
        run().sum().backward()
    assert growth.operations(size) == counter.get_total_flops()


def test_saved_bytes_by_hand():
    """exp keeps its result, 3 × 5 numbers of four bytes; a linear layer its input, and its weights do not count."""
    x, layer = torch.ones(3, 5), torch.nn.Linear(5, 7)
    assert growth.saved_bytes(lambda: x.clone().requires_grad_().exp()) == 60
    assert growth.saved_bytes(lambda: layer(x)) == 60
    assert growth.saved_bytes(lambda: layer(x).tanh()) == 60 + 84


def test_fused_attention_keeps_no_table_of_weights():
    """Twice the length: twice the memory.  Step by step, the tables of t × t weights of every head come on top."""
    short, long = Size(2, 64, 64), Size(2, 128, 64)
    fused, explicit = (
        [growth.saved_bytes(growth.forward(size, each)) for size in (short, long)] for each in (False, True)
    )
    assert fused[1] / fused[0] == pytest.approx(2, abs=0.01)
    square = explicit[1] - 2 * explicit[0]  # what grows with t² grows fourfold: two more than twice
    one_table = 2 * 2 * 64**2 * 4 * growth.NUM_LAYERS  # b · h · t² numbers in each layer
    tables = square / (2 * one_table)
    assert tables == pytest.approx(round(tables), abs=0.05)
    assert tables > 0.9


@pytest.mark.parametrize(("axis", "expected"), [("batch", 1), ("length", 2), ("width", 2 / 3)])
def test_each_axis_is_fitted_against_its_own_size(axis, expected):
    """Four times the cost for 4 times the batch, twice the length and 8 times the width."""
    sizes, costs = [Size(2, 16, 32), Size(8, 32, 256)], [3, 12]
    found = growth.Growth(axis, sizes, [0.5, 2.0], costs, costs, costs)
    for each in ("seconds", "operations", "fused_bytes", "explicit_bytes"):
        assert found.exponent(each) == pytest.approx(expected)


def test_time_is_that_of_the_fastest_pass_after_one_to_warm_up(monkeypatch):
    """Passes of 1, 7, 5, 3, 4 and 6 seconds: the first would be the fastest and does not count."""
    moments = itertools.accumulate([0.0, 1.0, 0.0, 7.0, 0.0, 5.0, 0.0, 3.0, 0.0, 4.0, 0.0, 6.0])
    monkeypatch.setattr(growth.time, "process_time", lambda: next(moments))
    weight = torch.ones(2, requires_grad=True)
    assert growth.processor_seconds(lambda: 3 * weight) == 3
    assert weight.grad.tolist() == [18, 18]  # six times there and back


def test_every_size_is_measured_and_counted():
    sizes = [Size(1, 16, 32), Size(1, 64, 32)]
    found = growth.measured("length", sizes)
    assert (found.axis, found.sizes) == ("length", sizes)
    assert len(found.seconds) == 2
    assert min(found.seconds) > 0
    assert found.operations == [6 * (24 * 16 * 32**2 + 4 * 16**2 * 32), 6 * (24 * 64 * 32**2 + 4 * 64**2 * 32)]
    assert all(fused < explicit for fused, explicit in zip(found.fused_bytes, found.explicit_bytes, strict=True))
