"""How cost grows: counting against torch's own counters, exponents by hand, and what fusing attention saves."""

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


def test_time_grows_with_length():
    found = growth.measured("length", [Size(1, 16, 32), Size(1, 512, 32)])
    assert found.exponent("seconds") > 0  # how far above is for the benchmark to say, on a quiet machine
    assert found.exponent("operations") == pytest.approx(1.352, abs=0.01)
    assert growth.measured("batch", [Size(1, 4, 32), Size(4, 4, 32)]).exponent("operations") == pytest.approx(1)
