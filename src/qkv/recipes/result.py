"""A result file: what one experiment measured, in one small JSON that prose, lessons and tests read.

In a checkout the files lie in ``book/results``, under version control; that folder is looked for above this module.  An
installed package has no ``book`` folder, so the wheel carries the same files as data (``share/qkv/results``), and they
are found through the package's metadata.  They are kept once, in the book, since that is where they are reviewed.
"""

import json
import math
import os
from dataclasses import asdict, dataclass, fields
from importlib import metadata
from pathlib import Path
from typing import Any, get_args

from qkv.assets import QkvError
from qkv.scoring.intervals import Interval, Verdict

Values = dict[str, dict[str, list[Any]]]  # arm → quantity → one entry per seed


class ResultError(QkvError, LookupError):
    """There is no result of that name, or it is not what a result must be."""


@dataclass(frozen=True)
class Effect(Interval):
    """An interval and the unit of its three numbers."""

    unit: str


@dataclass(frozen=True)
class Quantity:
    """One number and its unit."""

    value: float
    unit: str


@dataclass(frozen=True)
class Result:
    """Everything needed to print a claim and to check it.

    ``claim`` is the sentence that was tested, ``paper`` where it comes from and what it says there in our words,
    ``seconds`` the processor time of all arms, ``command`` what repeats the run.
    """

    claim: str
    paper: str
    config: dict[str, Any]
    seeds: list[int]
    values: Values
    effect: Effect
    verdict: Verdict
    seconds: int
    versions: dict[str, str]
    command: str

    def __post_init__(self) -> None:
        if self.verdict not in get_args(Verdict):
            raise ResultError(f"verdict: expected one of {get_args(Verdict)}, got {self.verdict!r}")
        for arm, quantities in self.values.items():
            for name, entries in quantities.items():
                if len(entries) != len(self.seeds):
                    raise ResultError(
                        f"values of {arm!r}: expected one {name} per seed, {len(self.seeds)}, got {len(entries)}"
                    )


def folder() -> Path:
    """``book/results`` of this checkout, to read from and write to.

    Raises:
        ResultError: the package runs from an installation, not from a checkout.
    """
    for parent in Path(__file__).resolve().parents:
        if (parent / "pyproject.toml").is_file() and (parent / "book" / "results").is_dir():
            return parent / "book" / "results"
    raise ResultError("book/results: expected a checkout of the course above the package, found an installed package")


def names() -> list[str]:
    """Names of all published results, sorted."""
    return sorted(path.stem for path in _files())


def path_of(name: str) -> Path:
    """The file of a published result.  Raises ResultError, naming those there are, when there is none."""
    if found := [path for path in _files() if path.stem == name]:
        return found[0]
    raise ResultError(f"no result {name!r}; there are: {', '.join(names()) or 'none'}")


def load(name: str) -> Result:
    """A published result by name, such as "dk-scaling".  Raises ResultError: unknown name, or wrong keys."""
    return read(path_of(name))


def read(path: Path) -> Result:
    """The result in a file.  Raises ResultError when its keys are not exactly those of ``Result``."""
    data = json.loads(path.read_text(encoding="utf-8"))
    _check_keys(path.name, data, [field.name for field in fields(Result)])
    _check_keys(f"{path.name}: effect", data["effect"], [field.name for field in fields(Effect)])
    return Result(**data | {"effect": Effect(**data["effect"])})


def save(result: Result, path: Path) -> None:
    """Write the file whole or not at all; the same result gives the same bytes.  One line per key, one per arm."""
    data = asdict(result)
    values = ",\n".join(f"  {_compact(arm)}: {_compact(quantities)}" for arm, quantities in data["values"].items())
    lines = [
        f' "{key}": ' + (f"{{\n{values}\n }}" if key == "values" else _compact(value)) for key, value in data.items()
    ]
    write_text(path, "{\n" + ",\n".join(lines) + "\n}\n")


def write_text(path: Path, text: str) -> None:
    """Write a whole file or nothing: a reader never meets half of it."""
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    partial.write_text(text, encoding="utf-8")
    partial.replace(path)


def _files() -> list[Path]:
    try:
        return list(folder().glob("*.json"))
    except ResultError:
        listed = metadata.files("qkv") or []
        return [Path(str(file.locate())) for file in listed if file.match("share/qkv/results/*.json")]


def _check_keys(where: str, data: dict[str, Any], expected: list[str]) -> None:
    if list(data) != expected:
        raise ResultError(f"{where}: expected the keys {expected}, got {list(data)}")


def _compact(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False)


def rounded(interval: Interval, unit: str) -> Effect:
    """The interval with six decimals, as files keep it.  Raises ValueError when an end is not finite."""
    if not all(map(math.isfinite, (interval.mean, interval.low, interval.high))):
        raise ValueError(f"expected a finite interval, got {interval}")
    return Effect(round(interval.mean, 6), round(interval.low, 6), round(interval.high, 6), unit)
