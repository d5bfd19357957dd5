"""Check a whole notebook: run its code cells in a process of its own and collect one row per exercise.

A cell that fails, exits or never ends costs its own exercises only; the cells after it still run.
"""

import ast
import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, NamedTuple

from qkv.exercises import sandbox

CELL_SECONDS = 30.0
PROCESS_SECONDS = 300.0
CALL = re.compile(r"""\bcheck\(\s*["']([\w.]+)["']""")
FAILED = "failed"


class Row(NamedTuple):
    """What became of one exercise in a notebook."""

    id: str
    status: str
    mistake: str | None
    message: str


def check_notebook(path: Path, seconds: float = PROCESS_SECONDS) -> list[Row]:
    """One row per exercise that the notebook checks, in its order; never raises for what the notebook contains.

    Raises:
        ValueError: the file is no notebook, or it checks no exercise.
    """
    identifiers = [i for source in code_cells(path) for i in CALL.findall(source)]
    if not identifiers:
        raise ValueError(f'{path} checks no exercise; expected cells with check("…", …)')
    found, ending = _run_apart(path, seconds)
    rows = {row.id: row for row in found}
    return [rows.get(i, Row(i, FAILED, None, ending)) for i in dict.fromkeys(identifiers)]


def code_cells(path: Path) -> list[str]:
    """The sources of a notebook's code cells.

    Raises:
        ValueError: the file is no notebook.
    """
    try:
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        return ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{path} is no notebook: expected the JSON of an .ipynb file ({error})") from None


def _run_apart(path: Path, seconds: float) -> tuple[list[Row], str]:
    with tempfile.TemporaryDirectory() as folder:
        results = Path(folder) / "rows.jsonl"
        command = [sys.executable, "-m", "qkv.exercises.notebook", str(path.resolve()), str(results)]
        environment = os.environ | {"OMP_NUM_THREADS": "1", "MPLBACKEND": "agg"}
        try:
            done = subprocess.run(
                command, timeout=seconds, env=environment, cwd=path.resolve().parent, capture_output=True, check=False
            )
            ending = f"The notebook's process ended early (exit code {done.returncode}), before this check."
        except subprocess.TimeoutExpired:
            ending = f"The notebook ran for more than {seconds:.0f} s and was stopped before this check."
        lines = results.read_text(encoding="utf-8").splitlines() if results.exists() else []
    return [Row(*json.loads(line)) for line in lines], ending


def run_cells(path: Path, results: Path) -> None:
    """Run the code cells in one namespace and append a row per report to ``results``, as soon as it is there."""
    from qkv import exercises

    names: dict[str, Any] = {"__name__": "__main__"}
    judge = exercises.check

    def check(identifier: str, answer: Any) -> Any:
        report = judge(identifier, answer)
        _append(results, Row(identifier, report.status, report.mistake, report.message))
        return report

    exercises.check = check  # what the cells import
    try:
        for number, source in enumerate(code_cells(path), start=1):
            if problem := run_cell(source, names, number):
                for identifier in set(CALL.findall(source)) - _written(results):
                    _append(results, Row(identifier, FAILED, None, problem))
    finally:
        exercises.check = judge


def run_cell(source: str, names: dict[str, Any], number: int) -> str:
    """Run one cell in ``names``; a sentence on what stopped it, or nothing.  Magics are left out, line by line."""
    lines = ["" if line.lstrip().startswith(("%", "!", "?")) else line for line in source.splitlines()]
    try:
        code = compile(ast.parse("\n".join(lines), f"cell {number}"), f"cell {number}", "exec")
    except (SyntaxError, ValueError) as error:
        return f"Cell {number} is no Python: {error}."
    _, stop = sandbox.survive(exec, code, names, seconds=CELL_SECONDS)
    if isinstance(stop, sandbox.TimeLimit):
        return f"Cell {number} ran for more than {CELL_SECONDS:.0f} s and was stopped before its check."
    return f"Cell {number} stops with {type(stop).__name__}: {stop}." if stop else ""


def _append(results: Path, row: Row) -> None:
    with open(results, "a", encoding="utf-8") as file:
        file.write(json.dumps(row) + "\n")


def _written(results: Path) -> set[str]:
    if not results.exists():
        return set()
    return {json.loads(line)[0] for line in results.read_text(encoding="utf-8").splitlines()}


if __name__ == "__main__":
    run_cells(Path(sys.argv[1]), Path(sys.argv[2]))
