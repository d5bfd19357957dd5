"""What every notebook of every chapter must keep: executed in order, equal to its twin, readable, quiet, described."""

import json
import re
import statistics
from pathlib import Path

import nbformat
import pytest
from run_notebooks import read_twin

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOKS = sorted(ROOT.glob("chapters/*/*.ipynb"))
LESSONS = [path for path in NOTEBOOKS if path.stem.startswith("lesson")]
LONGEST_CELL, LONGEST_P90, MEDIAN = 25, 20, (3, 8)
NOISE = re.compile(r"Traceback|Warning:|WARNING|it/s\]|\d+%\|")
# What may hold digits: code, formulas, links, citations of a section (§3.2.1), quotations of a paper (> …).
NOT_PROSE = re.compile(
    r"```.*?```|`[^`]*`|\$\$.*?\$\$|\$[^$]*\$|\]\([^)]*\)|<!--.*?-->|<[^>]+>|§[\d.]+|^>.*?$", re.S | re.M
)
TYPED_NUMBER = re.compile(r"\d*\.\d+|\d+(?:\.\d+)? ?%")
HOLLOW_WORDS = re.compile(r"\b(simply|obviously|trivially|of course|as everyone knows)\b", re.I)
SENTENCE_END = re.compile(r"[.?!][”\"*_)]*\s+(?=[A-Z“*_])")


def pytest_ids(path: Path) -> str:
    return f"{path.parent.name}/{path.stem}"


every_notebook = pytest.mark.parametrize("path", NOTEBOOKS, ids=pytest_ids)
every_lesson = pytest.mark.parametrize("path", LESSONS, ids=pytest_ids)


def cells(path: Path, kind: str) -> list[nbformat.NotebookNode]:
    return [cell for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == kind]


def prose(path: Path) -> list[str]:
    return [NOT_PROSE.sub(" ", cell.source) for cell in cells(path, "markdown")]


def test_there_are_notebooks():
    assert LESSONS, "no lesson found under chapters/"


@every_notebook
def test_executed_from_top_to_bottom_without_error(path):
    code = cells(path, "code")
    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1))
    errors = [o for cell in code for o in cell.outputs if o.output_type == "error"]
    assert not errors


@every_notebook
def test_equals_its_twin(path):
    expected = [(c.cell_type, c.source, c.id) for c in read_twin(path.with_suffix(".py")).cells]
    given = [(c.cell_type, c.source, c.id) for c in nbformat.read(path, as_version=4).cells]
    assert given == expected, f"run `python tools/run_notebooks.py {path.with_suffix('.py').relative_to(ROOT)}`"


@every_notebook
def test_every_picture_has_a_text_alternative(path):
    for cell in cells(path, "code"):
        if any("image/png" in output.get("data", {}) for output in cell.outputs):
            alt = cell.metadata.get("mystnb", {}).get("image", {}).get("alt", "")
            assert len(alt) >= 40, f"cell {cell.execution_count} draws a picture; its alt text is {alt!r}"


@every_notebook
def test_outputs_are_quiet(path):
    text = json.dumps([cell.outputs for cell in cells(path, "code")])
    assert not NOISE.search(text)
    assert not any(o.get("name") == "stderr" for cell in cells(path, "code") for o in cell.outputs)


@every_notebook
def test_no_number_is_typed_in_prose(path):
    typed = [match for text in prose(path) for match in TYPED_NUMBER.findall(text)]
    assert not typed, "decimals and percentages come from a cell, or stand in code or a formula"


@every_notebook
def test_the_words_respect_the_reader(path):
    assert not [word for text in prose(path) for word in HOLLOW_WORDS.findall(text)]


@every_notebook
def test_paragraphs_are_short(path):
    paragraphs = [
        p for text in prose(path) for p in re.split(r"\n\s*\n", text) if not p.lstrip().startswith(("-", "|", "#"))
    ]
    long = [p for p in paragraphs if len(SENTENCE_END.findall(p.strip())) >= 4]
    assert not long, "no paragraph has more than four sentences"


@every_lesson
def test_code_cells_are_short(path):
    lines = sorted(len(cell.source.splitlines()) for cell in cells(path, "code"))
    assert MEDIAN[0] <= statistics.median(lines) <= MEDIAN[1]
    assert lines[int(0.9 * (len(lines) - 1))] <= LONGEST_P90
    assert lines[-1] <= LONGEST_CELL


@every_lesson
def test_opens_with_one_setup_call(path):
    assert cells(path, "code")[0].source == "from qkv.notebook import setup\n\nsetup()"


@every_lesson
def test_plain_markdown_only(path):
    """Sphinx roles and directives would show as raw text in JupyterLab and Colab."""
    text = "\n".join(cell.source for cell in cells(path, "markdown"))
    assert not re.search(r"\{[a-z:-]+\}`|^:::|^```\{", text, re.M)
