"""Static figures of the lessons, in the course's role colours: query, key, value, output.

Hue belongs to roles alone; scores and weights are ink.  Every picture stands on an opaque white card, so that it reads
on a dark page too.  The functions draw and return the figure; the notebook shows it.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Final

import matplotlib.pyplot as plt
import torch
from cycler import cycler
from jaxtyping import Bool, Float
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor

QUERY: Final = "#2563EB"
KEY: Final = "#C2410C"
VALUE: Final = "#7A3B80"
OUTPUT: Final = "#7A3B80"  # value's hue on purpose: an output is a mix of values; drawn filled
MASK: Final = "#6B7280"
INK: Final = "#222832"
MUTED: Final = "#48566B"
FAIL: Final = "#A11D33"
CARD: Final = "#FFFFFF"

POINTS: Final = 10.5  # at 110 dots per inch about 16 px; nothing is smaller than 13 px
SMALL: Final = 9.0


def use_style() -> None:
    """Set matplotlib's defaults: white card, ink on white, no box around the picture, readable sizes."""
    plt.rcParams.update(
        {
            "figure.dpi": 110,
            "figure.facecolor": CARD,
            "savefig.facecolor": CARD,
            "figure.constrained_layout.use": True,
            "axes.facecolor": CARD,
            "axes.edgecolor": MUTED,
            "axes.labelcolor": INK,
            "axes.spines.top": False,
            "axes.spines.right": False,
            "axes.prop_cycle": cycler(color=[INK, MUTED, FAIL]),
            "axes.titlesize": POINTS,
            "axes.titlelocation": "left",
            "text.color": INK,
            "xtick.color": INK,
            "ytick.color": INK,
            "font.size": POINTS,
            "xtick.labelsize": SMALL,
            "ytick.labelsize": SMALL,
            "legend.fontsize": SMALL,
            "legend.frameon": False,
            "hatch.color": MASK,
            "svg.hashsalt": "qkv",
        }
    )


def shares(panels: Mapping[str, Float[Tensor, " t_k"]], words: Sequence[str]) -> Figure:
    """One row of attention weights per panel, as labelled bars that share one scale from 0 to 1."""
    figure, axes = plt.subplots(1, len(panels), figsize=(3.1 * len(panels), 1.9), sharey=True, squeeze=False)
    for axis, (title, weights) in zip(axes[0], panels.items(), strict=True):
        bars = axis.barh(words, weights.tolist(), color=INK, height=0.6)
        axis.bar_label(bars, fmt="%.2f", padding=4)
        axis.set(title=title, xlim=(0, 1.15), xticks=[0, 0.5, 1])
        axis.tick_params(left=False)
    axes[0, 0].invert_yaxis()
    return figure


def grids(
    panels: Mapping[str, Float[Tensor, "t_q t_k"]],
    words: Sequence[str],
    may_attend: Mapping[str, Bool[Tensor, "t_q t_k"]] | None = None,
) -> Figure:
    """Tables of attention weights: rows ask, columns are read, a blocked pair is hatched, a zero is empty.

    ``may_attend`` holds the mask of each panel that has one, under the panel's title.
    """
    figure, axes = plt.subplots(1, len(panels), figsize=(3.1 * len(panels), 2.9), squeeze=False)
    for axis, (title, weights) in zip(axes[0], panels.items(), strict=True):
        axis.pcolormesh(weights, cmap="Greys", vmin=0, vmax=2.2, edgecolor=MUTED, linewidth=0.8)
        for (row, column), blocked in _cells(weights, (may_attend or {}).get(title)):
            _write_cell(axis, row, column, float(weights[row, column]), blocked)
        ticks = [index + 0.5 for index in range(len(words))]
        axis.set(xticks=ticks, xticklabels=words, yticks=ticks, yticklabels=words, aspect="equal")
        axis.tick_params(length=0, top=True, labeltop=True, bottom=False, labelbottom=False)
        axis.set_ylim(len(words), 0)
        axis.set_title(f"{title} (t_q {len(words)} × t_k {len(words)})")
        axis.spines[:].set_visible(False)
    return figure


def _cells(
    weights: Float[Tensor, "t_q t_k"], may_attend: Bool[Tensor, "t_q t_k"] | None
) -> list[tuple[tuple[int, int], bool]]:
    blocked = torch.zeros_like(weights, dtype=torch.bool) if may_attend is None else ~may_attend
    rows, columns = weights.shape
    return [((row, column), bool(blocked[row, column])) for row in range(rows) for column in range(columns)]


def _write_cell(axis: Axes, row: int, column: int, weight: float, blocked: bool) -> None:
    if blocked:
        axis.add_patch(plt.Rectangle((column, row), 1, 1, fill=False, hatch="///", edgecolor=MASK, linewidth=0))
    elif weight:
        axis.text(column + 0.5, row + 0.5, f"{weight:.3f}", ha="center", va="center")


def mix(
    values: Float[Tensor, "t_k 2"], weights: Float[Tensor, "t_q t_k"], words: Sequence[str], asking: Sequence[str]
) -> Figure:
    """The plane of the values: their triangle, and every output as a filled dot inside it."""
    figure, axis = plt.subplots(figsize=(4.6, 3.8))
    axis.fill(*values.T.tolist(), color=VALUE, alpha=0.12, linewidth=0)
    axis.plot(*values.T.tolist(), "s", markerfacecolor=CARD, markeredgecolor=VALUE, markersize=8, label="value")
    outputs = weights @ values
    axis.plot(*outputs.T.tolist(), "o", color=OUTPUT, markersize=9, label="output")
    for word, point in zip(words, values.tolist(), strict=True):
        axis.annotate(f"value of {word}", point, textcoords="offset points", xytext=(8, 6), color=MUTED)
    for word, point in zip(asking, outputs.tolist(), strict=True):
        axis.annotate(word, point, textcoords="offset points", xytext=(9, -4))
    axis.set(xlim=(-0.8, 13.8), ylim=(-0.8, 11.5), aspect="equal", xlabel="first entry", ylabel="second entry")
    axis.legend(loc="upper right")
    return figure


def losses(curves: Mapping[str, Sequence[float]]) -> Figure:
    """Training losses on a logarithmic scale, one line and one dash pattern per run."""
    figure, axis = plt.subplots(figsize=(6.2, 2.8))
    for (name, curve), (style, colour) in zip(curves.items(), [("-", INK), ("--", FAIL)], strict=False):
        axis.plot(range(1, len(curve) + 1), curve, style, color=colour, label=name)
    axis.set(yscale="log", xlabel="training step", ylabel="loss in nats")
    axis.legend()
    return figure


def spread(scores: Mapping[int, Float[Tensor, " n"]]) -> Figure:
    """Histograms of dot products for each d_k: above as they are, below divided by √d_k, each with a bar of ± √d_k."""
    figure, axes = plt.subplots(2, len(scores), figsize=(2.2 * len(scores), 3.8), sharex=True, sharey="row")
    for column, (d_k, drawn) in enumerate(scores.items()):
        for axis, numbers, width in [
            (axes[0, column], drawn, math.sqrt(d_k)),
            (axes[1, column], drawn / math.sqrt(d_k), 1),
        ]:
            axis.hist(numbers.tolist(), bins=[*range(-49, 50, 2)], color=MUTED, density=True)
            axis.plot([-width, width], [0.46, 0.46], "|-", color=INK)
            axis.set(yticks=[], ylim=(0, 0.55), xlim=(-49, 49))
            axis.spines["left"].set_visible(False)
        axes[0, column].set_title(f"d_k = {d_k}")
    axes[0, 0].set_ylabel("as they are")
    axes[1, 0].set_ylabel("divided by √d_k")
    figure.supxlabel("dot product of two random vectors (bar: ± one standard deviation)", fontsize=SMALL)
    return figure


def heads(counts: Float[Tensor, "layers heads"], total: int) -> Figure:
    """How often each head of a model passed a test: one cell per head, the number in it, the shade its share."""
    layers, num_heads = counts.shape
    figure, axis = plt.subplots(figsize=(6.2, 3.4))
    axis.pcolormesh(counts / total, cmap="Greys", vmin=0, vmax=1.1, edgecolor=CARD, linewidth=1)
    for (row, column), _ in _cells(counts, None):
        if counts[row, column]:
            axis.text(column + 0.5, row + 0.5, f"{counts[row, column]:.0f}", ha="center", va="center")
    axis.set(xticks=[i + 0.5 for i in range(num_heads)], xticklabels=range(num_heads), xlabel="head")
    axis.set(yticks=[i + 0.5 for i in range(layers)], yticklabels=range(layers), ylabel="layer", ylim=(layers, 0))
    axis.tick_params(length=0)
    axis.spines[:].set_visible(False)
    return figure
