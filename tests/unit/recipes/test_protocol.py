"""Running a recipe cell by cell: what is kept, what is run again, and what a rerun may differ by."""

from dataclasses import dataclass, replace

import pytest

from qkv.recipes import protocol
from qkv.recipes.result import Effect
from qkv.scoring.intervals import student_interval


@dataclass(frozen=True)
class Config:
    scale: float = 1.0
    sizes: tuple[int, ...] = (2, 3)


class Counting:
    """A recipe that remembers its calls; arm "b" is one above arm "a", give or take a little."""

    CLAIM, PAPER, CONTRAST, UNIT = "b is above a", "none", "b - a", "points"
    OVER, SEEDS, VERIFY = "seeds", 5, "a"
    PRESETS = {"full": Config()}  # noqa: RUF012
    TOLERANCE = {"value": 0.5, "list": 0.5}  # noqa: RUF012

    def __init__(self):
        self.calls = []

    def arms(self, config):
        return ["a", "b"]

    def run(self, config, arm, seed):
        self.calls.append((arm, seed))
        value = config.scale * (seed + (arm == "b") + 0.01 * seed * (arm == "b"))
        return {"value": value, "list": [value, 2 * value], "word": "free"}

    def differences(self, config, values):
        return [b - a for a, b in zip(values["a"]["value"], values["b"]["value"], strict=True)]

    def facts(self, result):
        return {}


def test_a_run_gives_values_effect_and_verdict(tmp_path):
    found = protocol.measure("counting", Counting(), Config(), range(5), tmp_path)
    assert found.values["a"]["value"] == [0, 1, 2, 3, 4]
    assert found.config == {"scale": 1.0, "sizes": [2, 3]}
    expected = student_interval([1, 1.01, 1.02, 1.03, 1.04])
    assert (found.effect.mean, found.effect.low) == pytest.approx((expected.mean, expected.low), abs=1e-6)
    assert found.verdict == "reproduced"
    assert found.command == "python -m qkv run counting --seeds 5"
    assert set(found.versions) == {"python", "qkv", "torch", "numpy"}


def test_finished_cells_are_not_run_again(tmp_path):
    recipe = Counting()
    first = protocol.measure("counting", recipe, Config(), range(2), tmp_path)
    assert recipe.calls == [("a", 0), ("b", 0), ("a", 1), ("b", 1)]  # seed by seed
    assert protocol.measure("counting", recipe, Config(), range(2), tmp_path) == first
    assert len(recipe.calls) == 4
    protocol.measure("counting", recipe, Config(), range(3), tmp_path)
    assert recipe.calls[4:] == [("a", 2), ("b", 2)]


def test_a_changed_setting_runs_everything_again(tmp_path):
    recipe = Counting()
    protocol.measure("counting", recipe, Config(), range(2), tmp_path)
    protocol.measure("counting", recipe, replace(Config(), scale=2.0), range(2), tmp_path)
    assert len(recipe.calls) == 8


def test_a_rerun_is_compared_with_the_stored_first_seed(tmp_path):
    found = protocol.measure("counting", Counting(), Config(), range(2), tmp_path)
    assert protocol.deviations(Counting(), found) == {"value": 0, "list": 0}
    found.values["a"]["list"][0][1] += 0.75
    assert protocol.deviations(Counting(), found) == {"value": 0, "list": 0.75}


def test_summaries_of_a_quantity():
    assert protocol.mean_effect([0.5, 0.5], "%", 100.0) == Effect(50.0, 50.0, 50.0, "%")
    assert protocol.mean_quantity([0.9, 1.0, 1.0], "%", 100.0).value == pytest.approx(96.666667)


def test_sums_per_unit_by_hand():
    """4 and 9 nats for 1 and 3 words, 2 a passage: 13 nats for 4 words, 3.25 each, is the mean of 2 and 4.5."""
    assert protocol.per_unit([4.0, 9.0], [1, 3]) == [2.0, 4.5]
