"""What every experiment shares: the shape of a recipe, running it cell by cell, and turning values into a verdict.

A recipe is a module; ``Recipe`` lists what it holds, and its docstring says paper, task, contrast and command.  The
contrast is written there before the first run.  A run is a table, arms by seeds; each finished cell is kept in
``runs/``, so an interrupted run goes on where it stopped.
"""

import hashlib
import json
import platform
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final, Literal, Protocol, runtime_checkable

import torch

from qkv.recipes.result import Effect, Quantity, Result, Values, rounded, write_text
from qkv.scoring.intervals import Interval, Verdict, bootstrap_interval, student_interval, verdict

MIN_SEEDS = 5  # Student's interval is honest for fewer, but too wide to say anything
Sampled = Literal["seeds", "items"]
INTERVALS: Final[dict[Sampled, Callable[[Sequence[float]], Interval]]] = {
    "seeds": student_interval,
    "items": bootstrap_interval,
}
Record = dict[str, Any]  # what one arm gives for one seed: plain JSON values by name
Fact = Effect | Quantity | int | str  # a number or word that prose may quote besides the effect


@runtime_checkable
class Recipe(Protocol):
    """What the module of an experiment holds."""

    CLAIM: str
    PAPER: str
    CONTRAST: str  # the primary one, in words
    UNIT: str  # of the effect
    OVER: Sampled  # what the interval speaks of: other seeds, or other test items for one fixed model
    SEEDS: int  # how many the published run takes; 1 where the interval is over items
    PRESETS: Mapping[str, Any]  # frozen dataclasses: "smoke" and "full"; a field ``margin`` makes it an equivalence
    VERIFY: str  # a short arm
    TOLERANCE: Mapping[str, float]  # how far a rerun of that arm may be off, by quantity; measured, see the module

    def arms(self, config: Any) -> list[str]:
        """Names of the arms."""

    def run(self, config: Any, arm: str, seed: int) -> Record:
        """One cell of the table.  Depends on its arguments alone."""

    def differences(self, config: Mapping[str, Any], values: Values) -> list[float]:
        """The primary contrast, one number per seed or per item, signed so that + is the paper's side."""

    def facts(self, result: Result) -> dict[str, Fact]:
        """Everything else that prose may quote, computed from the stored values."""


@dataclass(frozen=True)
class Cell:
    """A finished cell: what it gave, and its processor time."""

    record: Record
    seconds: float


def measure(name: str, recipe: Recipe, config: Any, seeds: Sequence[int], runs: Path) -> Result:
    """Run all arms for all seeds and judge them."""
    cells = collect(config, recipe.arms(config), seeds, recipe.run, runs)
    values = {
        arm: {quantity: [cell.record[quantity] for cell in row] for quantity in row[0].record}
        for arm, row in cells.items()
    }
    settings = json.loads(json.dumps(asdict(config)))  # as a file will give it back: lists, no tuples
    effect, word = judge(recipe, settings, values)
    seconds = sum(cell.seconds for row in cells.values() for cell in row)
    command = f"python -m qkv run {name} --seeds {len(seeds)}"
    return Result(
        recipe.CLAIM, recipe.PAPER, settings, list(seeds), values, effect, word, round(seconds), versions(), command
    )


def judge(recipe: Recipe, config: Mapping[str, Any], values: Values) -> tuple[Effect, Verdict]:
    """Effect and verdict from stored values; nothing else enters."""
    effect = rounded(INTERVALS[recipe.OVER](recipe.differences(config, values)), recipe.UNIT)
    return effect, verdict(effect, config.get("margin"))


def mean_effect(values: Iterable[float], unit: str, factor: float = 1.0) -> Effect:
    """Student's interval over the seeds of any quantity, times a factor (100 for a share in %)."""
    return rounded(student_interval([factor * value for value in values]), unit)


def mean_quantity(values: Sequence[float], unit: str, factor: float = 1.0) -> Quantity:
    """The plain mean over the seeds: for what has a ceiling, where Student's interval would reach beyond it."""
    return Quantity(round(factor * sum(values) / len(values), 6), unit)


def per_unit(sums: Iterable[float], counts: Sequence[int]) -> list[float]:
    """Each sum over the mean of the counts: nats of whole passages become nats per word.

    Passages differ in length, so their own means would not average to the mean of all words; these do.
    """
    mean = sum(counts) / len(counts)
    return [each / mean for each in sums]


def collect(
    config: Any,
    arms: Sequence[str],
    seeds: Iterable[int],
    run: Callable[[Any, str, int], Record],
    runs: Path,
) -> dict[str, list[Cell]]:
    """Every arm for every seed, seed by seed, so that an early stop leaves whole seeds.  Finished cells are read.

    They lie under the name of the module that holds ``run``: two claims about the same models share them.
    """
    torch.set_num_threads(1)
    folder = runs / run.__module__.rpartition(".")[2] / fingerprint(config)
    cells: dict[str, list[Cell]] = {arm: [] for arm in arms}
    for seed in seeds:
        for arm in arms:
            path = folder / f"{_file_name(arm)}.{seed}.json"
            if not path.exists():
                _run_cell(path, config, arm, seed, run)
            cells[arm].append(Cell(**json.loads(path.read_text(encoding="utf-8"))))
    return cells


def fingerprint(config: Any) -> str:
    """Eight hexadecimal digits that change with any setting but ``margin``, which judges cells and makes none."""
    settings = {key: value for key, value in asdict(config).items() if key != "margin"}
    return hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()[:8]


def deviations(recipe: Recipe, result: Result) -> dict[str, float]:
    """How far a rerun of the recipe's short arm is off, for the first seed: |rerun - stored| by quantity.

    A list counts by its largest deviation.
    """
    torch.set_num_threads(1)
    rerun = recipe.run(recipe.PRESETS["full"], recipe.VERIFY, result.seeds[0])
    stored = {quantity: entries[0] for quantity, entries in result.values[recipe.VERIFY].items()}
    return {quantity: _distance(rerun[quantity], stored[quantity]) for quantity in recipe.TOLERANCE}


def versions() -> dict[str, str]:
    """What the numbers were made with."""
    return {"python": platform.python_version()} | {package: version(package) for package in ("qkv", "torch", "numpy")}


def _run_cell(path: Path, config: Any, arm: str, seed: int, run: Callable[[Any, str, int], Record]) -> None:
    start = time.process_time()
    record = run(config, arm, seed)
    seconds = round(time.process_time() - start, 2)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_text(path, json.dumps({"record": record, "seconds": seconds}, ensure_ascii=False))


def _file_name(arm: str) -> str:
    return arm.replace(" ", "_").replace("/", "÷")


def _distance(rerun: Any, stored: Any) -> float:
    """Of two numbers, or the largest within two lists of numbers."""
    if isinstance(stored, list):
        return max(_distance(a, b) for a, b in zip(rerun, stored, strict=True))
    return abs(rerun - stored)
