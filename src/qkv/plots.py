"""Static figures of the lessons, in the course's role colours: query, key, value, output.

Hue belongs to roles alone; scores and weights are ink.  Every picture stands on an opaque white card, so that it reads
on a dark page too.  The functions draw and return the figure; the notebook shows it.
"""

import math
from collections.abc import Mapping, Sequence
from itertools import cycle
from typing import Final

import matplotlib.pyplot as plt
import torch
from cycler import cycler
from jaxtyping import Bool, Float
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor

from qkv.scoring.intervals import Interval

QUERY: Final = "#2563EB"
KEY: Final = "#C2410C"
VALUE: Final = "#7A3B80"
OUTPUT: Final = "#7A3B80"  # value's hue on purpose: an output is a mix of values; drawn filled
MASK: Final = "#6B7280"
INK: Final = "#222832"
MUTED: Final = "#48566B"
FAIL: Final = "#A11D33"
CARD: Final = "#FFFFFF"

WIDTH: Final = 4.4  # inches; 484 px, so that a phone of 390 px shrinks a figure to three quarters and no further
POINTS: Final = 11.0  # 17 px at 110 dots per inch, 12 on that phone
SMALL: Final = 10.0


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
    height = len(panels) * (0.5 + 0.28 * len(words)) + 0.2
    figure, axes = plt.subplots(len(panels), 1, figsize=(WIDTH, height), sharex=True, squeeze=False)
    for axis, (title, weights) in zip(axes[:, 0], panels.items(), strict=True):
        bars = axis.barh(words, weights.tolist(), color=INK, height=0.6)
        axis.bar_label(bars, fmt="%.2f", padding=4)
        axis.set(title=title, xlim=(0, 1.15), xticks=[0, 0.5, 1])
        axis.tick_params(left=False)
        axis.invert_yaxis()
    axes[-1, 0].set_xlabel("share")
    return figure


def grids(
    panels: Mapping[str, Float[Tensor, "t_q t_k"]],
    words: Sequence[str],
    may_attend: Mapping[str, Bool[Tensor, "t_q t_k"]] | None = None,
) -> Figure:
    """Tables of attention weights: rows ask, columns are read, a blocked pair is hatched, a zero is empty.

    ``may_attend`` holds the mask of each panel that has one, under the panel's title.
    """
    figure, axes = plt.subplots(1, len(panels), figsize=(WIDTH, 5.2 / len(panels)), squeeze=False)
    for axis, (title, weights) in zip(axes[0], panels.items(), strict=True):
        axis.pcolormesh(weights, cmap="Greys", vmin=0, vmax=2.2, edgecolor=MUTED, linewidth=0.8)
        for (row, column), blocked in _cells(weights, (may_attend or {}).get(title)):
            _write_cell(axis, row, column, float(weights[row, column]), blocked)
        ticks = [index + 0.5 for index in range(len(words))]
        axis.set(xticks=ticks, xticklabels=words, yticks=ticks, yticklabels=words, aspect="equal")
        axis.tick_params(length=0, top=True, labeltop=True, bottom=False, labelbottom=False)
        axis.set_ylim(len(words), 0)
        axis.set_title(title)
        axis.set_xlabel(f"weights (t_q {weights.shape[0]} × t_k {weights.shape[1]})", fontsize=SMALL, color=MUTED)
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
    values: Float[Tensor, "t 2"],
    weights: Float[Tensor, "t t"],
    words: Sequence[str],
    wanted: tuple[float, float],
) -> Figure:
    """The plane of the values: their triangle, every output as a filled dot, and a cross at a point one might want."""
    figure, axis = plt.subplots(figsize=(WIDTH, 3.7))
    outputs = weights @ values
    axis.fill(*values.T.tolist(), color=VALUE, alpha=0.12, linewidth=0)
    axis.plot(*values.T.tolist(), "s", markerfacecolor=CARD, markeredgecolor=VALUE, markersize=8, label="value")
    axis.plot(*outputs.T.tolist(), "o", color=OUTPUT, markersize=9, label="output")
    axis.plot(*wanted, "x", color=FAIL, markersize=9)
    _write_beside(axis, f"({wanted[0]:g}, {wanted[1]:g})", wanted, (-16.0, 10.0), INK)
    for word, value, output in zip(words, values.tolist(), outputs.tolist(), strict=True):
        _write_beside(axis, word, value, (-4.0, -20.0), MUTED)
        _write_beside(axis, word, output, (9.0, -4.0), INK)
    axis.set(xlim=(-1, 13.5), ylim=(-2, 11.5), yticks=range(0, 11, 2))
    axis.set(xlabel="first entry of d_v = 2", ylabel="second entry")
    axis.legend(loc="upper right")
    return figure


def _write_beside(axis: Axes, text: str, point: Sequence[float], offset: tuple[float, float], colour: str) -> None:
    axis.annotate(text, (point[0], point[1]), textcoords="offset points", xytext=offset, color=colour)


def losses(curves: Mapping[str, Sequence[float]]) -> Figure:
    """Training losses on a logarithmic scale, one line and one dash pattern per run."""
    figure, axis = plt.subplots(figsize=(WIDTH, 2.9))
    for (name, curve), (style, colour) in zip(curves.items(), [("-", INK), ("--", FAIL)], strict=False):
        axis.plot(range(1, len(curve) + 1), curve, style, color=colour, label=name)
    axis.set(yscale="log", xlabel="training step", ylabel="loss in nats")
    axis.legend()
    return figure


def spread(scores: Mapping[int, Float[Tensor, " n"]]) -> Figure:
    """How dot products of coins spread, one row per d_k: left as they are, right divided by √d_k, on one axis.

    A dot product of d_k coins is even or odd as d_k is, so neighbouring values lie 2 apart: one bar for each value.
    """
    figure, axes = plt.subplots(len(scores), 2, figsize=(WIDTH, 1.1 * len(scores) + 0.7), sharex=True, squeeze=False)
    for (left, right), (d_k, drawn) in zip(axes, scores.items(), strict=True):
        _bars_of_values(left, drawn, spacing=2.0, deviation=math.sqrt(d_k))
        _bars_of_values(right, drawn / math.sqrt(d_k), spacing=2 / math.sqrt(d_k), deviation=1.0)
        left.set_ylabel(f"d_k = {d_k}")
    axes[0, 0].set_title("as they are")
    axes[0, 1].set_title("divided by √d_k")
    figure.supxlabel("dot product (line: ± one standard deviation)", fontsize=SMALL)
    return figure


def _bars_of_values(axis: Axes, drawn: Float[Tensor, " n"], spacing: float, deviation: float) -> None:
    values, counts = drawn.unique(return_counts=True)
    axis.bar(values.tolist(), (counts / counts.max()).tolist(), width=spacing, color=MUTED, linewidth=0)
    axis.plot([-deviation, deviation], [1.2, 1.2], "|-", color=INK)
    axis.set(yticks=[], ylim=(0, 1.4), xlim=(-25, 25))
    axis.spines["left"].set_visible(False)


def heads(counts: Float[Tensor, "layers heads"], total: int) -> Figure:
    """How often each head of a model passed a test: one cell per head, the number in it, the shade its share."""
    layers, num_heads = counts.shape
    figure, axis = plt.subplots(figsize=(WIDTH, 2.9))
    axis.pcolormesh(counts / total, cmap="Greys", vmin=0, vmax=1.1, edgecolor="#D5D9DE", linewidth=0.8)
    for (row, column), _ in _cells(counts, None):
        if counts[row, column]:
            axis.text(column + 0.5, row + 0.5, f"{counts[row, column]:.0f}", ha="center", va="center")
    axis.set(xticks=[i + 0.5 for i in range(num_heads)], xticklabels=range(num_heads), xlabel="head")
    axis.set(yticks=[i + 0.5 for i in range(layers)], yticklabels=range(layers), ylabel="layer", ylim=(layers, 0))
    axis.tick_params(length=0)
    axis.spines[:].set_visible(False)
    return figure


def tables(panels: Mapping[str, Float[Tensor, "_ _"]], rows: str, columns: str) -> Figure:
    """Tables of numbers from -1 to 1 side by side, as shades from white to ink, row 0 at the top."""
    figure, axes = plt.subplots(1, len(panels), figsize=(WIDTH, 5.6 / len(panels)), squeeze=False, sharey=True)
    for axis, (title, table) in zip(axes[0], panels.items(), strict=True):
        axis.imshow(table.detach().numpy(), cmap="Greys", vmin=-1, vmax=1, aspect="auto", interpolation="nearest")
        axis.set(title=title, xlabel=columns)
        axis.spines[:].set_visible(False)
    axes[0, 0].set_ylabel(rows)
    return figure


def schedules(curves: Mapping[str, Sequence[float]]) -> Figure:
    """Factors on the peak rate by step, from 0 on; one dash pattern and colour per schedule."""
    figure, axis = plt.subplots(figsize=(WIDTH, 2.7))
    for (name, curve), (style, colour) in zip(curves.items(), [("-", INK), (":", MUTED), ("--", FAIL)], strict=False):
        axis.plot(range(len(curve)), curve, style, color=colour, label=name)
    axis.set(xlabel="step", ylabel="factor on the peak rate", ylim=(0, 1.05))
    axis.legend()
    return figure


def learning_curves(panels: Mapping[str, Mapping[str, Mapping[int, Interval]]]) -> Figure:
    """Scores against the number of labelled texts: one panel per task, one dash pattern per system, bars for intervals.

    The systems of a panel stand a little side by side, so that their bars do not hide one another.
    """
    looks = [("-", "o", INK), ("--", "s", FAIL), (":", "^", MUTED), ("-.", "v", MUTED), ((0, (6, 2)), "D", INK)]
    figure, axes = plt.subplots(len(panels), 1, figsize=(WIDTH, 2.5 * len(panels) + 0.6), squeeze=False)
    for axis, (title, systems) in zip(axes[:, 0], panels.items(), strict=True):
        for place, ((name, curve), (style, marker, colour)) in enumerate(
            zip(systems.items(), cycle(looks), strict=False)
        ):
            sizes = [size * 1.04**place for size in curve]
            reach = [[s.mean - s.low for s in curve.values()], [s.high - s.mean for s in curve.values()]]
            means = [score.mean for score in curve.values()]
            axis.errorbar(sizes, means, reach, ls=style, marker=marker, ms=4, color=colour, capsize=2, label=name)
        ticks = [*next(iter(systems.values()))]
        axis.set(
            title=title, xscale="log", xticks=ticks, xticklabels=[f"{size:,}" for size in ticks], ylabel="right, %"
        )
        axis.minorticks_off()
    axes[-1, 0].set_xlabel("labelled texts")
    figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=2)
    return figure
