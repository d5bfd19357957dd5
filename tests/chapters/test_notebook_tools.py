"""The tools that run and compare notebooks do what they promise, tried on notebooks made here."""

import os
import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
import run_notebooks
from nbclient.exceptions import CellExecutionError

ROOT = Path(__file__).resolve().parents[2]

CELLS = {
    "same": "print(0.12345)",
    "last digit": "print(0.123450001)",
    "other number": "print(0.12345)",
    "other integer": "print(3)",
    "other words": "print('three')",
    "picture": "import matplotlib.pyplot as plt\nplt.plot([0, 1]); plt.show()",
    "other picture": "plt.fill_between([0, 1], [1, 1]); plt.show()",
    "loopback": "import socket\nserver = socket.create_server(('127.0.0.1', 0))\n"
    "socket.create_connection(server.getsockname()).close()\nprint('reached')",
    "network": "socket.create_connection(('192.0.2.1', 80), timeout=1)",
}
CHANGED = {"last digit": "0.12345", "other number": "0.12445", "other integer": "4", "other words": "four"}
EXPECTED_TO_FAIL = {"other number", "other integer", "other words", "other picture", "network"}


@pytest.fixture
def notebook(tmp_path):
    """A notebook executed once, then some of its recorded outputs changed."""
    source = tmp_path / "tried.py"
    runnable = [code for name, code in CELLS.items() if name != "network"]
    source.write_text("".join(f"# %%\n{code}\n\n" for code in runnable))
    subprocess.run([sys.executable, ROOT / "tools/run_notebooks.py", source], check=True, capture_output=True)
    recorded = nbformat.read(source.with_suffix(".ipynb"), as_version=4)
    by_name = dict(zip([name for name in CELLS if name != "network"], recorded.cells, strict=True))
    for name, text in CHANGED.items():
        by_name[name].outputs[0].text = text + "\n"
    by_name["other picture"].outputs[0].data = by_name["picture"].outputs[0].data
    recorded.cells.append(nbformat.v4.new_code_cell(CELLS["network"], execution_count=len(recorded.cells) + 1))
    nbformat.write(recorded, source.with_suffix(".ipynb"))
    for name in ("conftest.py", "nbval_sanitize.cfg"):
        (tmp_path / name).write_text((ROOT / "chapters" / name).read_text())
    return source.with_suffix(".ipynb")


def test_comparison_is_tolerant_and_the_network_is_blocked(notebook):
    command = [sys.executable, "-m", "pytest", "--nbval", "--nbval-current-env", "-p", "no:cacheprovider", "-rA", "-q"]
    sanitize = f"--nbval-sanitize-with={notebook.parent / 'nbval_sanitize.cfg'}"
    environment = os.environ | {"PYTHONPATH": str(ROOT / "tools")}
    run = subprocess.run(
        [*command, sanitize, f"--rootdir={notebook.parent}", notebook],
        cwd=notebook.parent,
        env=environment,
        capture_output=True,
        text=True,
    )
    verdicts = re.findall(r"^(PASSED|FAILED) \S*::Cell (\d+)", run.stdout, re.M)
    outcome = {int(cell): verdict for verdict, cell in verdicts}
    failed = {name for i, name in enumerate(CELLS) if outcome[i] == "FAILED"}
    assert failed == EXPECTED_TO_FAIL, run.stdout[-3000:]
    assert "asked for '192.0.2.1'" in run.stdout


def test_a_second_run_is_byte_identical(tmp_path):
    source = tmp_path / "twice.py"
    source.write_text("# %% [markdown]\n# # Title\n\n# %%\nprint(object())\n\n# %%\n" + CELLS["picture"] + "\n")
    first = run_notebooks.execute(source).read_bytes()
    assert run_notebooks.execute(source).read_bytes() == first
    assert b"0x0>" in first


def test_a_failing_cell_stops_the_run(tmp_path):
    source = tmp_path / "fails.py"
    source.write_text("# %%\n1 / 0\n")
    with pytest.raises(CellExecutionError, match="ZeroDivisionError"):
        run_notebooks.execute(source)
    assert not source.with_suffix(".ipynb").exists()
