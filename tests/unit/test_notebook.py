"""The notebook helpers: repeatable and quiet, real source, readable tables, a control that redraws."""

import os
import random
import subprocess
import sys
import warnings

import ipywidgets
import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch

from qkv import notebook, toy
from qkv.nn import attention


def draw() -> tuple[float, float, float]:
    return random.random(), float(np.random.rand()), float(torch.rand(()))


@pytest.fixture
def _restored():
    """Put back the settings of the process that setup() changes."""
    environment, threads = dict(os.environ), torch.get_num_threads()
    with warnings.catch_warnings(), plt.rc_context():
        yield
    os.environ.clear()
    os.environ.update(environment)
    torch.set_num_threads(threads)
    torch.set_printoptions(profile="default")


@pytest.mark.usefixtures("_restored")
def test_setup_fixes_all_three_sources_of_chance():
    notebook.setup()
    first = draw()
    notebook.setup()
    assert draw() == first
    notebook.setup(seed=1)
    assert draw() != first


@pytest.mark.usefixtures("_restored")
def test_setup_uses_one_thread_and_hides_warnings():
    torch.set_num_threads(2)
    notebook.setup()
    assert torch.get_num_threads() == 1
    warnings.warn("not shown, and no error", stacklevel=1)


def test_setup_silences_progress_bars_of_libraries_loaded_later():
    code = (
        "from qkv.notebook import setup; setup()\n"
        "import datasets, transformers\n"
        "assert not transformers.utils.logging.is_progress_bar_enabled()\n"
        "assert datasets.utils.are_progress_bars_disabled()"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr


def test_source_is_the_text_of_the_file():
    text = notebook.source(attention.softmax).data
    assert text.startswith("From `src/qkv/nn/attention.py`:\n\n```python\ndef softmax(")
    assert "exponents.sum(dim, keepdim=True)\n```" in text


@pytest.mark.parametrize("thing", [random.choice, len, torch.nn.Linear])
def test_source_refuses_what_is_not_ours(thing):
    with pytest.raises(TypeError, match=r"function or class of qkv, got <"):
        notebook.source(thing)


def test_show_prints_whole_numbers_whole(capsys):
    scores = torch.tensor([[2.0, 2.0, 2.0], [0.0, 0.0, 4.0], [4.0, 2.0, 0.0]])
    notebook.show("scores", scores, toy.WORDS, toy.WORDS)
    assert capsys.readouterr().out == (
        "scores (t_q 3 × t_k 3)\n     cat  mat  it\ncat    2    2   2\nmat    0    0   4\nit     4    2   0\n"
    )


def test_show_adds_the_sum_of_each_row(capsys):
    notebook.show("weights", torch.tensor([[0.5, 0.25]]), ["it"], ["cat", "mat"], sums=True)
    header, line = capsys.readouterr().out.splitlines()[1:]
    assert header.split() == ["cat", "mat", "sum"]
    assert line.split() == ["it", "0.500", "0.250", "0.750"]


def test_show_wants_a_label_for_each_row_and_column():
    with pytest.raises(ValueError, match=r"show\('scores'\): 2 × 3 labels for a \(3, 3\) table"):
        notebook.show("scores", torch.zeros(3, 3), ["cat", "mat"], toy.WORDS)


def test_explore_redraws_and_commits_only_the_note(monkeypatch):
    published, drawn = [], []
    monkeypatch.setattr(notebook, "display", lambda bundle, raw: published.append(bundle))

    def draw_line(height: int, dashed: bool):
        drawn.append((height, dashed))
        figure, axis = plt.subplots()
        axis.plot([0, height], "--" if dashed else "-")
        return figure

    box = notebook.explore(draw_line, "A line.", height=(1, 3), dashed=False)
    *controls, picture = box.children
    before = bytes(picture.value)
    controls[1].value = True
    assert drawn == [(2, False), (2, True)]
    assert [control.description for control in controls] == ["height", "dashed"]
    assert isinstance(picture, ipywidgets.Image)
    assert bytes(picture.value) != before
    assert bytes(picture.value).startswith(b"\x89PNG")
    assert published[0]["text/plain"] == published[0]["text/markdown"] == "A line."
    assert not plt.get_fignums()
