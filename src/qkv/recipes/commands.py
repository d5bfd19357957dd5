"""``python -m qkv run``: measure a claim again, or check that one cell of its table comes out as published."""

from pathlib import Path
from typing import Annotated

from typer import Argument

from qkv.assets import QkvError
from qkv.recipes.catalogue import MODULES, recipe
from qkv.recipes.claims import Claim
from qkv.recipes.protocol import MIN_SEEDS, deviations, measure
from qkv.recipes.result import folder, load, save


class MismatchError(QkvError):
    """A rerun does not give what the result file says."""


def run(
    name: Annotated[str | None, Argument()] = None, seeds: int | None = None, verify: bool = False, all: bool = False
) -> None:
    """Run one experiment, or all, and write book/results/NAME.json; with ``verify``, rerun one seed of one short arm.

    Args:
        name: as in ``qkv.recipes.catalogue.MODULES``, such as "dk-scaling"; leave it out with ``all``.
        seeds: how many, counted from 0; by default what the published run took.
        verify: compare instead of measuring; nothing is written.
        all: every experiment, one after the other.

    Raises:
        QkvError: no such experiment, neither or both of name and ``all``, too few seeds, or a rerun that differs.
    """
    if (name is None) != all:
        raise QkvError(f"run: expected the name of an experiment ({', '.join(MODULES)}) or --all, and not both")
    for each in MODULES if name is None else [name]:
        verify_one(each) if verify else run_one(each, seeds)


def run_one(name: str, seeds: int | None = None) -> None:
    """Measure, write the result file, print the claim.  Finished cells in ``runs/`` are not run again."""
    module = recipe(name)
    seeds = module.SEEDS if seeds is None else seeds
    if seeds < (least := min(MIN_SEEDS, module.SEEDS)):
        raise QkvError(f"--seeds: expected at least {least}, got {seeds}; fewer make no honest interval")
    target = folder() / f"{name}.json"
    result = measure(name, module, module.PRESETS["full"], range(seeds), runs_folder())
    save(result, target)
    print(f"{Claim(name, result)!r}\n→ {target}\n")


def verify_one(name: str) -> None:
    """Rerun the recipe's short arm for one seed.  Raises MismatchError when it is off by more than the tolerance."""
    module, result = recipe(name), load(name)
    for quantity, deviation in deviations(module, result).items():
        tolerance = module.TOLERANCE[quantity]
        text = f"{name}, arm {module.VERIFY!r}, seed {result.seeds[0]}: {quantity} is off by {deviation:.2g}"
        if not deviation <= tolerance:
            raise MismatchError(f"{text}, expected at most {tolerance:g}; the file was made with {result.versions}")
        print(f"{text} (at most {tolerance:g})")


def runs_folder() -> Path:
    """Where finished cells are kept: ``runs/`` at the top of the checkout, ignored by git."""
    return folder().parents[1] / "runs"
