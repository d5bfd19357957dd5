"""The command line: ``python -m qkv COMMAND``.  Thin: a command's module is imported only when that command runs.

A command is one line in ``COMMANDS``: its name, where its function lives, and one sentence for ``--help``.  Arguments,
options and the long help come from the function's signature and docstring, as typer reads them.
"""

import importlib
import inspect
import re
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from typer.core import TyperCommand, TyperGroup

from qkv import __version__
from qkv.assets import QkvError

COMMANDS: Final = {
    "list": ("qkv.exercises.commands:list_exercises", "List the exercises, with kind, difficulty and minutes."),
    "start": ("qkv.exercises.commands:start", "Copy a chapter's exercises to workbook/, to work on."),
    "check": ("qkv.exercises.commands:check", "Check your answers; a mistake is called by its name."),
    "hint": ("qkv.exercises.commands:hint", "Give the next hint of an exercise."),
    "solution": ("qkv.exercises.commands:solution", "Show the solution of an exercise."),
    "progress": ("qkv.exercises.commands:progress", "Show which exercises are done."),
    "pronounce": ("qkv.pronounce:main", "Say how words sound: letters in, sounds out."),
    "translate": ("qkv.translate:main", "Translate a Bible verse into French, or simplify old English."),
    "generate": ("qkv.generate:main", "Let SmolLM2, a small language model, go on with a text."),
    "fill": ("qkv.fill:main", "Name the words that may be missing where a text has [MASK]."),
    "run": ("qkv.recipes.commands:run", "Measure a claim of a paper again, or verify the published numbers."),
    "data": ("qkv.data.commands:app", "List the data and weights, show a data card, install what is missing."),
    "doctor": ("qkv.doctor:main", "Check this machine; each lack comes with the command that mends it."),
    "bench": ("qkv.bench:main", "Measure how fast the models run here."),
}


class LazyCommand(TyperCommand):
    """A name and a sentence for the help page; becomes the real command when it is called."""

    def __init__(self, name: str, target: str, help: str) -> None:
        super().__init__(name, help=help)
        self.target = target

    def make_context(self, info_name: str | None, args: list[str], parent: Any = None, **extra: Any) -> Any:
        """Imports the command and hands over to it."""
        return load(self.target).make_context(info_name, args, parent, **extra)


class LazyGroup(TyperGroup):
    """Offers the commands whose module exists, and turns errors of the course into one line and exit code 1."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        for name, (target, help) in COMMANDS.items():
            if is_there(target):
                self.add_command(LazyCommand(name, target, help))

    def invoke(self, ctx: Any) -> Any:
        """Runs the chosen command."""
        try:
            return super().invoke(ctx)
        except QkvError as error:
            typer.echo(f"error: {error}", err=True)
            raise typer.Exit(1) from None


def is_there(target: str) -> bool:
    """Whether the file of ``"qkv.package.module:function"`` exists; looks without importing."""
    parts = target.partition(":")[0].split(".")[1:]
    return Path(__file__).parent.joinpath(*parts).with_suffix(".py").is_file()


def load(target: str) -> Any:
    """Imports ``"module:function"``, or ``"module:app"`` with commands of its own, and makes it a command."""
    module, _, attribute = target.partition(":")
    found = getattr(importlib.import_module(module), attribute)
    if isinstance(found, typer.Typer):
        return typer.main.get_command(found)
    single = typer.Typer(add_completion=False)
    help = re.split(r"\n\n(?:Args|Returns|Raises):", inspect.getdoc(found) or "")[0]
    single.command(help=help)(found)
    return typer.main.get_command(single)


app = typer.Typer(
    cls=LazyGroup,
    help="Query, Key, Value: an executable course from the dot product to BERT.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


def _print_version(wanted: bool) -> bool:
    if wanted:
        typer.echo(f"qkv {__version__}")
        raise typer.Exit
    return wanted


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Options that stand before the command."""


if __name__ == "__main__":
    app(prog_name="python -m qkv")
