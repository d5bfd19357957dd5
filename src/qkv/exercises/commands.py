"""The command line of the exercises: start, check, hint, solution, progress, list."""

import json
from pathlib import Path
from typing import Annotated

import typer
from rich import box
from rich.console import Console
from rich.table import Table

from qkv.assets import QkvError
from qkv.exercises import engine, sheet
from qkv.exercises.chapters import CHAPTERS
from qkv.exercises.notebook import check_notebook
from qkv.exercises.report import ICONS, PASSED

Identifier = Annotated[str, typer.Argument(metavar="ID", help="For example attention.one_query; `qkv list` shows all.")]


def start(
    chapter: Annotated[str, typer.Argument(help="The chapter's number, such as 02.")],
    folder: Annotated[Path, typer.Option(help="Where the copies go.")] = Path("workbook"),
) -> None:
    """Put a chapter's exercises into workbook/, to work on.  A file that is there already stays as it is."""
    if chapter not in CHAPTERS:
        raise QkvError(f"chapter {chapter!r} has no exercises yet; there are: {', '.join(CHAPTERS)}")
    target = folder / CHAPTERS[chapter].folder / "exercises.ipynb"
    text = json.dumps(sheet.as_notebook(chapter), indent=1, ensure_ascii=False) + "\n"
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with open(target, "x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        typer.echo(f"{target} is there already and stays as it is. To begin anew, rename it and run this again.")
        return
    except OSError as error:
        raise QkvError(f"cannot write {target}: {error.strerror or error}") from None
    typer.echo(f"Your exercises: {target}\nOpen them with: jupyter lab {target}")


def check(path: Annotated[Path, typer.Argument(help="A notebook with your answers.")]) -> None:
    """Run a notebook's exercises in a process of their own and show a table.  Exit code 1 unless all are passed."""
    if not path.is_file():
        raise QkvError(
            f"there is no file {path}; expected a notebook, for example workbook/02_attention/exercises.ipynb"
        )
    try:
        rows = check_notebook(path)
    except ValueError as error:
        raise QkvError(str(error)) from None
    table = Table("", "exercise", "status", "mistake", "message", box=box.SIMPLE_HEAD, pad_edge=False)
    for row in rows:
        table.add_row(ICONS[row.status], row.id, row.status, row.mistake or "", row.message)
    Console().print(table)
    done = sum(row.status == PASSED for row in rows)
    typer.echo(f"{done} of {len(rows)} passed")
    if done < len(rows):
        raise typer.Exit(1)


def hint(
    id: Identifier, number: Annotated[int | None, typer.Option(help="Which hint; by default the next one.")] = None
) -> None:
    """Give the next hint of an exercise: where to look, the idea on other numbers, the line with a gap."""
    try:
        typer.echo(engine.hint(id, number))
    except ValueError as error:
        raise QkvError(str(error)) from None


def solution(id: Identifier) -> None:
    """Show one right answer to an exercise."""
    try:
        typer.echo(engine.solution(id))
    except ValueError as error:
        raise QkvError(str(error)) from None


def progress() -> None:
    """Show which exercises are done, and in which chapter each comes back."""
    typer.echo(engine.progress())


def list_exercises() -> None:
    """List the exercises with kind, level (1 to 5), minutes and the number of mistakes that each can name."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("exercise", no_wrap=True)  # what a learner types into check(…)
    for heading in ("kind", "level", "minutes", "mistakes"):
        table.add_column(heading)
    for entry in engine.catalogue():
        table.add_row(entry.id, entry.kind, str(entry.difficulty), str(entry.minutes), str(len(entry.codes)))
    Console().print(table)
