"""How do time and memory of an encoder grow with length, width and batch?  Measured, beside what counting says.

    python -m qkv bench

A layer multiplies every token by matrices of 12 d² numbers, and every token with every other: per layer and sequence
24 t d² + 4 t² d operations, and twice as many again on the way back.  So time is linear in t while t is far below 6 d,
and quadratic far above it.  What the way back needs is kept until then: some vectors for each token, and, unless
attention is fused, h · t² weights as well.

Each row of the table is a straight line through points on logarithmic axes.  Its slope, the exponent, says what
doubling costs: 1 means twice as much, 2 four times.  Time is that of the processor, so other programs disturb it
little; one thread.  Memory is what the graph keeps, counted byte by byte: the same on every machine.
"""

import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Final, NamedTuple

import numpy as np
import torch
from rich.table import Table
from torch import Tensor
from torch.autograd.graph import saved_tensors_hooks

from qkv.inspection.trace import Trace
from qkv.models.bert import BERT, BERTConfig

NUM_LAYERS: Final = 2
D_K: Final = 32
COSTS: Final = ("seconds", "operations", "fused_bytes", "explicit_bytes")


class Size(NamedTuple):
    """One point: b sequences of t tokens with d_model entries."""

    b: int
    t: int
    d_model: int


AXES: Final = {
    "length": [Size(2, t, 128) for t in (64, 128, 256, 512, 1024)],
    "width": [Size(8, 64, d_model) for d_model in (64, 128, 256, 512)],
    "batch": [Size(b, 64, 128) for b in (1, 2, 4, 8, 16)],
}


class Growth(NamedTuple):
    """One axis: what each of its points costs."""

    axis: str
    sizes: list[Size]
    seconds: list[float]
    operations: list[int]
    fused_bytes: list[int]
    explicit_bytes: list[int]

    def exponent(self, costs: str) -> float:
        """Slope of "seconds", "operations", "fused_bytes" or "explicit_bytes" against the size, both logarithmic."""
        place = {"batch": 0, "length": 1, "width": 2}[self.axis]
        return exponent([size[place] for size in self.sizes], getattr(self, costs))


def measured(axis: str, sizes: Sequence[Size]) -> Growth:
    """All points of an axis: "length", "width" or "batch"."""
    fused, explicit = ([partial(forward, size, weights) for size in sizes] for weights in (False, True))
    return Growth(
        axis,
        list(sizes),
        [processor_seconds(each()) for each in fused],
        [operations(size) for size in sizes],
        [saved_bytes(each()) for each in fused],
        [saved_bytes(each()) for each in explicit],
    )


def forward(size: Size, weights: bool) -> Callable[[], Tensor]:
    """A model of this size and random ids, ready to be run; with ``weights`` attention is done step by step."""
    torch.manual_seed(0)
    b, t, d_model = size
    model = BERT(BERTConfig(1000, d_model, d_model // D_K, 4 * d_model, NUM_LAYERS, dropout=0.0, max_length=t))
    ids = torch.randint(1000, (b, t))
    return lambda: model(ids, trace=Trace() if weights else None)


def operations(size: Size) -> int:
    """Additions and multiplications of all matrix products, forward and backward."""
    b, t, d_model = size
    return 3 * NUM_LAYERS * b * (24 * t * d_model**2 + 4 * t**2 * d_model)


def processor_seconds(run: Callable[[], Tensor], repeats: int = 5) -> float:
    """Of forward and backward, the fastest of several after one to warm up."""
    times = []
    for _ in range(repeats + 1):
        start = time.process_time()
        run().sum().backward()
        times.append(time.process_time() - start)
    return min(times[1:])


def saved_bytes(run: Callable[[], Tensor]) -> int:
    """What the graph keeps for the way back; the weights are there anyway, and shared storage counts once."""
    kept: dict[int, int] = {}

    def note(tensor: Tensor) -> Tensor:
        owner = tensor if tensor._base is None else tensor._base  # a weight may be kept turned round
        if not (owner.is_leaf and owner.requires_grad):
            kept[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage().nbytes()
        return tensor

    with saved_tensors_hooks(note, lambda tensor: tensor):
        result = run()
    del result
    return sum(kept.values())


def exponent(sizes: Sequence[int], costs: Sequence[float | int]) -> float:
    """p of the best fit costs ≈ c · size^p: the slope of a line through the logarithms.

    Raises:
        ValueError: fewer than two different sizes, or not one cost above 0 for each.
    """
    if len(set(sizes)) < 2 or len(sizes) != len(costs) or min(costs) <= 0:
        raise ValueError(f"expected two sizes and a cost above 0 for each, got {list(sizes)} and {list(costs)}")
    return float(np.polyfit(np.log(sizes), np.log(costs), 1)[0])


def table(rows: Sequence[Growth]) -> Table:
    """The exponents, measured and counted."""
    shown = Table(
        "grows",
        "from – to",
        "time",
        "operations",
        "memory, fused",
        "memory, explicit",
        title="What doubling costs: exponents of an encoder's forward + backward",
    )
    for row in rows:
        ends = " – ".join("×".join(map(str, size)) for size in (row.sizes[0], row.sizes[-1]))
        shown.add_row(row.axis, ends, *(f"{row.exponent(each):.2f}" for each in COSTS))
    return shown
