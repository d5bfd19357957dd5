"""The sheet of exercises, and the commands that hand it out and check it."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from qkv.__main__ import app
from qkv.exercises import catalogue, notebook, sheet
from qkv.exercises.chapters import CHAPTERS
from qkv.exercises.engine import exercises

ROOT = Path(__file__).resolve().parents[3]
RUNNER = CliRunner()
SOLVED = 'from qkv.exercises import check\ncheck("attention.order_the_steps", "BDAF")'


@pytest.fixture(autouse=True)
def own_state(tmp_path, monkeypatch):
    monkeypatch.setenv("QKV_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)


def written(path, *sources):
    cells = [{"cell_type": "code", "source": source.splitlines(keepends=True)} for source in sources]
    path.write_text(json.dumps({"cells": [{"cell_type": "markdown", "source": ["# text"]}, *cells]}))
    return path


def statuses(rows):
    return {row.id: (row.status, row.mistake) for row in rows}


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_the_chapters_notebook_is_the_sheet(chapter):
    """Rewrite it with `python -m qkv.exercises.sheet 02 > chapters/02_attention/exercises.py`."""
    notebook = ROOT / "chapters" / CHAPTERS[chapter].folder / "exercises.py"
    assert notebook.read_text(encoding="utf-8") == sheet.as_percent(chapter)


def test_start_writes_a_valid_notebook_and_never_overwrites(tmp_path):
    import nbformat

    result = RUNNER.invoke(app, ["start", "02"])
    assert result.exit_code == 0, result.output
    path = tmp_path / "workbook/02_attention/exercises.ipynb"
    nbformat.validate(nbformat.read(path, as_version=4))
    path.write_text("my work")
    again = RUNNER.invoke(app, ["start", "02"])
    assert again.exit_code == 0
    assert "stays as it is" in again.output
    assert path.read_text() == "my work"


def test_start_says_which_chapters_there_are_and_where_it_cannot_write(tmp_path):
    assert f"there are: {', '.join(CHAPTERS)}" in RUNNER.invoke(app, ["start", "77"]).output
    (tmp_path / "workbook").write_text("in the way")
    result = RUNNER.invoke(app, ["start", "02"])
    assert result.exit_code == 1
    assert "cannot write" in result.output


def test_a_fresh_copy_is_not_attempted_and_a_solved_one_passes(tmp_path):
    fresh = tmp_path / "fresh.ipynb"
    fresh.write_text(json.dumps(sheet.as_notebook("02")))
    rows = notebook.check_notebook(fresh)
    assert [row.status for row in rows] == ["not attempted"] * len(exercises("02"))
    solved = sheet.as_notebook("02")
    for exercise in exercises("02"):
        for cell in solved["cells"]:
            if f'check("{exercise.id}"' in "".join(cell["source"]):
                cell["source"] = [f'{exercise.solution}\n\ncheck("{exercise.id}", {exercise.variable})']
    path = tmp_path / "solved.ipynb"
    path.write_text(json.dumps(solved))
    result = RUNNER.invoke(app, ["check", str(path)])
    assert result.exit_code == 0, result.output
    assert "13 of 13 passed" in result.output


def test_a_broken_cell_costs_its_own_exercise_only(tmp_path):
    path = written(
        tmp_path / "n.ipynb",
        "%matplotlib inline\n!ls\nfrom qkv.exercises import check",
        'def broken(:\ncheck("attention.one_query", broken)',
        'check("attention.find_the_leak", undefined_name)',
        'raise SystemExit\ncheck("attention.dropout", None)',
        SOLVED,
        'check("attention.mask_for_heads", lambda m, h: m.repeat(h, 1, 1))',
    )
    rows = notebook.check_notebook(path)
    assert statuses(rows) == {
        "attention.one_query": ("failed", None),
        "attention.find_the_leak": ("failed", None),
        "attention.dropout": ("failed", None),
        "attention.order_the_steps": ("passed", None),
        "attention.mask_for_heads": ("failed", "M10"),
    }
    messages = {row.id: row.message for row in rows}
    assert messages["attention.one_query"].startswith("Cell 2 is no Python")
    assert "NameError: name 'undefined_name'" in messages["attention.find_the_leak"]
    assert "SystemExit" in messages["attention.dropout"]
    result = RUNNER.invoke(app, ["check", str(path)], env={"COLUMNS": "200"})
    assert result.exit_code == 1
    assert "1 of 5 passed" in result.output


def test_an_endless_cell_is_stopped_and_the_rest_still_runs(tmp_path, monkeypatch):
    path = written(tmp_path / "n.ipynb", 'while True:\n    pass\ncheck("attention.dropout", None)', SOLVED)
    monkeypatch.setattr(notebook, "CELL_SECONDS", 0.3)
    results = tmp_path / "rows.jsonl"
    notebook.run_cells(path, results)
    rows = [json.loads(line) for line in results.read_text().splitlines()]
    assert [row[:2] for row in rows] == [["attention.dropout", "failed"], ["attention.order_the_steps", "passed"]]
    assert "was stopped before its check" in rows[0][3]


@pytest.mark.parametrize(
    ("source", "seconds", "sentence"),
    [
        ("import os\nos._exit(7)", 60.0, "ended early (exit code 7)"),
        (
            "import time\nwhile True:\n    try:\n        time.sleep(9)\n    except BaseException:\n        pass",
            8.0,
            "stopped",
        ),
    ],
)
def test_a_process_that_dies_or_never_ends_keeps_what_was_reported(tmp_path, source, seconds, sentence):
    path = written(tmp_path / "n.ipynb", SOLVED, source, 'check("attention.dropout", None)')
    rows = notebook.check_notebook(path, seconds)
    assert statuses(rows)["attention.order_the_steps"] == ("passed", None)
    assert sentence in rows[1].message


@pytest.mark.parametrize("content", ["", "[]", '{"cells": 3}', '{"cells": [{}]}', "\x00"])
def test_a_file_that_is_no_notebook_is_refused(tmp_path, content):
    path = tmp_path / "n.ipynb"
    path.write_text(content)
    result = RUNNER.invoke(app, ["check", str(path)])
    assert result.exit_code == 1
    assert "is no notebook" in result.output


def test_missing_file_and_notebook_without_exercises_are_refused(tmp_path):
    assert "there is no file" in RUNNER.invoke(app, ["check", "nowhere.ipynb"]).output
    path = written(tmp_path / "n.ipynb", "1 + 1")
    assert "checks no exercise" in RUNNER.invoke(app, ["check", str(path)]).output


def test_hint_solution_progress_and_list():
    assert "Hint 1 of 3" in RUNNER.invoke(app, ["hint", "attention.one_query"]).output
    assert "Hint 3 of 3" in RUNNER.invoke(app, ["hint", "attention.one_query", "--number", "3"]).output
    assert "def attend(" in RUNNER.invoke(app, ["solution", "attention.one_query"]).output
    assert f"0 of {len(catalogue())} exercises passed" in RUNNER.invoke(app, ["progress"]).output
    listed = RUNNER.invoke(app, ["list"], env={"COLUMNS": "200"}).output
    assert all(exercise.id in listed for exercise in exercises("02"))
    for command in ("hint", "solution"):
        result = RUNNER.invoke(app, [command, "attention.one_quary"])
        assert result.exit_code == 1
        assert "did you mean 'attention.one_query'" in result.output


def test_start_works_far_from_the_repository(tmp_path):
    """As from a wheel: nothing but the package is needed."""
    done = subprocess.run(
        [sys.executable, "-m", "qkv", "start", "02"], cwd=tmp_path, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert "Your exercises: workbook/02_attention/exercises.ipynb" in done.stdout
