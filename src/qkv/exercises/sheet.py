"""A chapter's exercises as a notebook: the one source of chapters/NN_name/exercises.py and of every learner's copy.

python -m qkv.exercises.sheet 02 > chapters/02_attention/exercises.py
"""

import hashlib
import re
import sys
import textwrap
from typing import Any, NamedTuple

from qkv.exercises.chapters import CHAPTERS
from qkv.exercises.choices import Choice, Parsons
from qkv.exercises.engine import exercises
from qkv.exercises.exercise import Exercise, minutes
from qkv.exercises.functions import Function

HEADER = """\
# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---
"""
INTRODUCTION = """\
# Exercises: {title}

Work on a copy: `python -m qkv start {chapter}` makes one in the folder `workbook`, and nothing ever overwrites it.
Replace `None` and `...` by your answer, then run the cell.

`check` says what holds, where the first difference is, and the name of the mistake when it knows it.
After `report = check(…)`, `report.inputs` holds the numbers that it speaks of.
`hint` gives three hints, one at a time: where to look, the idea on other numbers, the line with a gap.
`solution` shows one right answer.

A star marks the exercise that goes beyond the lesson. All names below come from the first cell."""
SETUP = """\
import math

import torch
from torch import Tensor

from qkv import toy
from qkv.exercises import ask, check, hint, progress, solution
from qkv.notebook import setup

setup()
for tool in (ask, check, hint, solution, progress):
    print(f"{tool.__name__}: {tool.__doc__.splitlines()[0]}")"""


class Cell(NamedTuple):
    """One cell of a notebook."""

    kind: str  # "markdown" or "code"
    source: str


def cells(chapter: str) -> list[Cell]:
    """The notebook of a chapter's exercises, cell by cell."""
    start = [
        Cell("markdown", INTRODUCTION.format(title=CHAPTERS[chapter].title, chapter=chapter)),
        Cell("code", SETUP),
        Cell("markdown", CHAPTERS[chapter].opening),
        Cell("code", CHAPTERS[chapter].example),
    ]
    middle = [cell for exercise in exercises(chapter) for cell in exercise_cells(exercise)]
    return [*start, *middle, Cell("markdown", "## How far you are"), Cell("code", "progress()")]


def exercise_cells(exercise: Exercise) -> list[Cell]:
    """Heading and prompt, the question where it has options, the stub with its check."""
    facts = f"{exercise.kind} · difficulty {exercise.difficulty} of 5 · about {minutes(exercise.minutes)}"
    heading = f"## {exercise.number}. {exercise.title}\n\n*{facts} · comes back in chapter {exercise.review}*"
    call = f'check("{exercise.id}", {exercise.variable})'
    if isinstance(exercise, Choice | Parsons):
        question = Cell("code", f'ask("{exercise.id}")')
        return [Cell("markdown", heading), question, Cell("code", f"{exercise.stub}\n\n{call}")]
    assert isinstance(exercise, Function)
    prompt = "".join(_wrapped(part) for part in re.split(r"(```.*?```)", exercise.prompt, flags=re.S))
    more = "\n".join(line for line in exercise.imports.splitlines() if line and line not in SETUP)
    code = "\n\n\n".join(filter(None, [more, exercise.template, call]))
    return [Cell("markdown", f"{heading}\n\n{prompt}"), Cell("code", code)]


def _wrapped(part: str) -> str:
    """Paragraphs of at most 116 characters to a line; a fenced block stays as it is."""
    if part.startswith("```"):
        return part
    lines = (textwrap.wrap(text, 116, break_long_words=False, break_on_hyphens=False) for text in part.split("\n\n"))
    return "\n\n".join("\n".join(each) for each in lines)


def as_percent(chapter: str) -> str:
    """The notebook as a py:percent file."""
    parts = [HEADER]
    for kind, source in cells(chapter):
        if kind == "markdown":
            lines = [f"# {line}".rstrip() for line in source.splitlines()]
            parts.append("\n".join(["# %% [markdown]", *lines, ""]))
        else:
            parts.append(("\n" if source.startswith("def ") else "") + f"# %%\n{source}\n")
    return "\n".join(parts)


def as_notebook(chapter: str) -> dict[str, Any]:
    """The notebook as the JSON of an .ipynb file, without outputs."""
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    return {
        "cells": [_notebook_cell(cell, number) for number, cell in enumerate(cells(chapter))],
        "metadata": {"kernelspec": kernel, "language_info": {"name": "python"}},
        "nbformat": 4,
        "nbformat_minor": 5,
    }


def _notebook_cell(cell: Cell, number: int) -> dict[str, Any]:
    identifier = hashlib.sha256(f"{number} {cell.source}".encode()).hexdigest()[:8]
    made = {"cell_type": cell.kind, "id": identifier, "metadata": {}, "source": cell.source.splitlines(keepends=True)}
    return made | ({"execution_count": None, "outputs": []} if cell.kind == "code" else {})


if __name__ == "__main__":
    print(as_percent(sys.argv[1]), end="")
