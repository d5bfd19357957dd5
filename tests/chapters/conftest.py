"""A lesson as its tests read it: what it says, and what one of its cells does."""

from pathlib import Path

import nbformat
import pytest

CHAPTERS = Path(__file__).resolve().parents[2] / "chapters"


def source(lesson):
    return (CHAPTERS / f"{lesson}.py").read_text(encoding="utf-8")


@pytest.fixture(scope="session")
def prose():
    """From the name of a lesson, such as "00_start/lesson", to its text in one line, without the code."""

    def read(lesson):
        lines = (line.removeprefix("#") for line in source(lesson).splitlines() if line.startswith("#"))
        return " ".join(" ".join(lines).split())

    return read


@pytest.fixture(scope="session")
def code():
    """From the name of a lesson and a part of one cell's code to that cell."""

    def find(lesson, part):
        (cell,) = (cell for cell in source(lesson).split("\n# %%\n") if part in cell.partition("\n# %%")[0])
        return cell.partition("\n# %%")[0]

    return find


@pytest.fixture(scope="session")
def printed_by():
    """From the name of a lesson to everything that its executed notebook prints."""

    def read(lesson):
        cells = nbformat.read(CHAPTERS / f"{lesson}.ipynb", as_version=4).cells
        outputs = (output for cell in cells if cell.cell_type == "code" for output in cell.outputs)
        return "\n".join(output.get("text", "") for output in outputs)

    return read
