"""What every notebook needs: one setup call, the real source of a thing, a labelled table, a control to move."""

import inspect
import io
import os
import random
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import ipywidgets
import matplotlib.pyplot as plt
import numpy as np
import torch
from IPython.display import Markdown, display
from jaxtyping import Float
from matplotlib.figure import Figure
from torch import Tensor

from qkv import plots

QUIET = {
    "HF_HUB_DISABLE_PROGRESS_BARS": "1",  # transformers obeys it too
    "HF_DATASETS_DISABLE_PROGRESS_BARS": "1",
    "TRANSFORMERS_VERBOSITY": "error",
    "TOKENIZERS_PARALLELISM": "false",
}


def setup(seed: int = 0) -> None:
    """Make a notebook repeatable and quiet: a seed, one thread, no progress bars, no warnings, the course's colours.

    One thread, because the models here are small: on a busy machine two threads can be far slower than one.
    Call it before ``datasets`` or ``transformers`` is imported; they read their settings when they load.
    """
    os.environ |= QUIET
    warnings.filterwarnings("ignore")
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)
    torch.set_num_threads(1)
    torch.set_printoptions(precision=3, sci_mode=False)
    plots.use_style()


def source(thing: Callable[..., Any] | type) -> Markdown:
    """The source of a function or class of this package, read from its file and highlighted.

    Raises:
        TypeError: ``thing`` is written outside ``qkv``, or has no Python source.
    """
    module = inspect.getmodule(thing)
    if module is None or module.__name__.partition(".")[0] != "qkv":
        raise TypeError(f"source: expected a function or class of qkv, got {thing!r}")
    path = Path("src", *module.__name__.split(".")).with_suffix(".py")
    return Markdown(f"From `{path.as_posix()}`:\n\n```python\n{inspect.getsource(inspect.unwrap(thing))}```")


def show(
    name: str,
    table: Float[Tensor, "rows columns"],
    rows: Sequence[str],
    columns: Sequence[str],
    *,
    axes: tuple[str, str] = ("t_q", "t_k"),
    sums: bool = False,
) -> None:
    """Print a table with its name, its shape and a word at each row and column; ``sums`` adds what each row sums to.

    Whole numbers are printed whole, all others with three decimals.

    Raises:
        ValueError: there is not one label per row and per column.
    """
    if tuple(table.shape) != (len(rows), len(columns)):
        raise ValueError(f"show({name!r}): {len(rows)} × {len(columns)} labels for a {tuple(table.shape)} table")
    whole = bool((table == table.round()).all())
    cells = [[f"{number:.0f}" if whole else f"{number:.3f}" for number in row] for row in table.tolist()]
    heads = [*columns]
    if sums:
        heads.append("sum")
        cells = [[*row, f"{total:.3f}"] for row, total in zip(cells, table.sum(-1).tolist(), strict=True)]
    first = max(map(len, rows))
    lines = [heads, *cells]
    widths = [max(map(len, column)) + 2 for column in zip(*lines, strict=True)]
    print(f"{name} ({axes[0]} {len(rows)} × {axes[1]} {len(columns)})")
    for label, line in zip(["", *rows], lines, strict=True):
        print(label.ljust(first) + "".join(text.rjust(width) for text, width in zip(line, widths, strict=True)))


def explore(draw: Callable[..., Figure], note: str, **controls: Any) -> ipywidgets.VBox:
    """Controls that redraw a picture while the notebook runs; where nothing runs, ``note`` says what to expect.

    ``controls`` are abbreviations as in ``ipywidgets.interact``: a list to choose from, a truth value to tick, a
    (low, high) pair to slide.  The picture travels as an image, not through an Output widget, so that the committed
    notebook holds ``note`` and nothing that changes from run to run.
    """
    make = ipywidgets.interactive.widget_from_abbrev
    widgets = {name: make(abbreviation) for name, abbreviation in controls.items()}
    picture = ipywidgets.Image(format="png")

    def redraw(_: object = None) -> None:
        picture.value = _png(draw(**{name: widget.value for name, widget in widgets.items()}))

    for name, widget in widgets.items():
        widget.description = name
        widget.observe(redraw, names="value")
    redraw()
    box = ipywidgets.VBox([*widgets.values(), picture])
    live = {"model_id": box.model_id, "version_major": 2, "version_minor": 0}
    display({"application/vnd.jupyter.widget-view+json": live, "text/markdown": note, "text/plain": note}, raw=True)
    return box


def _png(figure: Figure) -> bytes:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png")
    plt.close(figure)
    return buffer.getvalue()
