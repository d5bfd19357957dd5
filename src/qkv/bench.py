"""How fast is the code that teaches?  Ratios of running times, measured in pairs within one run.

    python -m qkv bench

A time says something about this machine on this day, so none is reported.  Both sides of a comparison run in turn,
many times, and each turn gives one ratio; what slows the machine slows both.  The table shows the median ratio and its
95 % interval (exact, from order statistics: no assumption about how times are spread).  2.0 means: ours takes twice
as long.  One thread.
"""

import math
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Final, NamedTuple

import numpy as np
import torch
from rich.console import Console
from rich.progress import track
from rich.table import Table
from scipy.stats import quantile_test
from torch import Tensor
from torch.nn.functional import scaled_dot_product_attention as fused_attention

from qkv.nn.attention import scaled_dot_product_attention

NUM_PAIRS: Final = 101
WARM_UP: Final = 5

Run = Callable[[], object]


class Comparison(NamedTuple):
    """Two ways to do the same work: three random tensors of one size → the tensor that a backward pass starts from.

    With fewer inputs, let a run ignore the rest: ``lambda x, *_: model(x)``.
    """

    name: str
    run_ours: Callable[..., Tensor]
    run_theirs: Callable[..., Tensor]
    sizes: Sequence[tuple[int, ...]]


class Ratio(NamedTuple):
    """Time of ours divided by time of theirs: the median over all pairs and its 95 % interval."""

    median: float
    low: float
    high: float


def taught_attention(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
    """The teaching function; its weights are computed as well, and dropped."""
    return scaled_dot_product_attention(query, key, value)[0]


def explicit_attention(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
    """The same four steps in torch's operators, with no check and torch's softmax."""
    return torch.softmax(query @ key.mT / math.sqrt(query.shape[-1]), dim=-1) @ value


ATTENTION_SIZES: Final = [(1, 4, 16, 16), (8, 4, 64, 32), (4, 8, 256, 64)]  # b, heads, t, d_k

# One line adds a row.
COMPARISONS: Final = [
    Comparison("taught / fused", taught_attention, fused_attention, ATTENTION_SIZES),
    Comparison("taught / explicit", taught_attention, explicit_attention, ATTENTION_SIZES),
]


def forward(run: Callable[..., Tensor], size: tuple[int, ...]) -> Run:
    """One forward pass on fixed random inputs, without a graph."""
    inputs = [torch.randn(size, generator=torch.Generator().manual_seed(seed)) for seed in range(3)]
    return torch.no_grad()(lambda: run(*inputs))


def forward_and_backward(run: Callable[..., Tensor], size: tuple[int, ...]) -> Run:
    """One forward pass and the gradients of the sum of its output with respect to the inputs."""
    inputs = [torch.randn(size, generator=torch.Generator().manual_seed(seed)).requires_grad_() for seed in range(3)]
    return lambda: torch.autograd.grad(run(*inputs).sum(), inputs, allow_unused=True)


PASSES: Final = {"forward": forward, "forward + backward": forward_and_backward}


def paired_ratios(ours: Run, theirs: Run, num_pairs: int = NUM_PAIRS) -> list[float]:
    """Time of ours / time of theirs, once per pair; who goes first alternates, so that neither finds a warmer cache."""
    for _ in range(WARM_UP):
        ours()
        theirs()
    ratios = []
    for pair in range(num_pairs):
        first, second = (ours, theirs) if pair % 2 == 0 else (theirs, ours)
        times = {first: seconds(first), second: seconds(second)}
        ratios.append(times[ours] / times[theirs])
    return ratios


def seconds(run: Run) -> float:
    """Wall-clock time of one call."""
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def summary(ratios: list[float]) -> Ratio:
    """Median and its 95 % interval.

    Raises:
        ValueError: fewer than six ratios; no interval of order statistics reaches 95 % then.
    """
    if len(ratios) < 6:
        raise ValueError(f"expected at least 6 ratios for a 95 % interval of the median, got {len(ratios)}")
    interval = quantile_test(ratios, p=0.5).confidence_interval(confidence_level=0.95)
    return Ratio(float(np.median(ratios)), float(interval.low), float(interval.high))


@contextmanager
def one_thread() -> Iterator[None]:
    """Within, torch uses one thread."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def measure(comparison: Comparison, size: tuple[int, ...], num_pairs: int) -> dict[str, Ratio]:
    """Kind of pass → ratio, for one comparison at one size."""
    ratios = {}
    for name, prepare in PASSES.items():
        ours, theirs = prepare(comparison.run_ours, size), prepare(comparison.run_theirs, size)
        ratios[name] = summary(paired_ratios(ours, theirs, num_pairs))
    return ratios


def main(num_pairs: int = NUM_PAIRS) -> None:
    """Measure every comparison and print the table."""
    table = Table("ours / theirs", "size", *PASSES, title=f"Ratios of running times: median of {num_pairs} pairs")
    rows = [(comparison, size) for comparison in COMPARISONS for size in comparison.sizes]
    with one_thread():
        for comparison, size in track(rows, "Measuring", transient=True):
            ratios = measure(comparison, size, num_pairs).values()
            cells = [f"{ratio.median:.2f} ({ratio.low:.2f}–{ratio.high:.2f})" for ratio in ratios]
            table.add_row(comparison.name, "×".join(map(str, size)), *cells)
    Console().print(table)


if __name__ == "__main__":
    main()
