"""Every command that a page tells the reader to type exists."""

import re
from pathlib import Path

import pytest
import typer.main

from qkv.__main__ import app

BOOK = Path(__file__).resolve().parents[2] / "book"
MAKEFILE = (BOOK.parent / "Makefile").read_text()
TEXT = "\n".join(page.read_text() for page in sorted(BOOK.glob("*.md")))
COMMANDS = sorted(set(re.findall(r"python -m qkv (\w+)", TEXT)))
TARGETS = sorted(set(re.findall(r"^(?:make|.*`make) (\w+)", TEXT, re.MULTILINE)))


@pytest.mark.parametrize("name", COMMANDS)
def test_command_exists(name):
    assert name in typer.main.get_command(app).commands


@pytest.mark.parametrize("name", TARGETS)
def test_make_target_exists(name):
    assert re.search(rf"^{name}:", MAKEFILE, re.MULTILINE)


def test_pages_name_commands():
    assert {"check", "doctor", "start"} <= set(COMMANDS)
    assert {"book", "test"} <= set(TARGETS)
