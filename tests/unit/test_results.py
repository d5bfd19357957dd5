"""Every published result follows from the values in its file: effect and verdict are computed again."""

import json
from dataclasses import asdict

import pytest

from qkv.recipes import catalogue, result
from qkv.recipes.protocol import MIN_SEEDS, judge

NAMES = result.names()
PILOTS = {"transfer-pilot"}  # they say themselves that few seeds make wide intervals


def test_every_experiment_is_published_and_every_file_has_an_experiment():
    assert sorted(NAMES) == sorted(catalogue.MODULES)


@pytest.mark.parametrize("name", NAMES)
def test_effect_and_verdict_follow_from_the_stored_values(name):
    found, recipe = result.load(name), catalogue.recipe(name)
    effect, verdict = judge(recipe, found.config, found.values)
    stored = (found.effect.mean, found.effect.low, found.effect.high)
    assert (effect.mean, effect.low, effect.high) == pytest.approx(stored, abs=2e-6)
    assert (verdict, effect.unit) == (found.verdict, found.effect.unit)


@pytest.mark.parametrize("name", NAMES)
def test_the_file_is_a_full_run_of_the_recipe_as_it_stands(name):
    found, recipe = result.load(name), catalogue.recipe(name)
    config = recipe.PRESETS["full"]
    assert found.config == json.loads(json.dumps(asdict(config)))
    assert list(found.values) == recipe.arms(config)
    assert found.seeds == list(range(recipe.SEEDS))
    if recipe.OVER == "seeds":
        assert len(found.seeds) >= (3 if name in PILOTS else MIN_SEEDS)
    else:
        assert len(found.seeds) == 1
    assert found.command == f"python -m qkv run {name} --seeds {recipe.SEEDS}"
    assert (found.claim, found.paper) == (recipe.CLAIM, recipe.PAPER)


@pytest.mark.parametrize("name", NAMES)
def test_every_fact_can_be_computed(name):
    assert all(fact is not None for fact in catalogue.recipe(name).facts(result.load(name)).values())


@pytest.mark.parametrize("name", NAMES)
def test_the_file_is_small_and_written_as_save_writes_it(name, tmp_path):
    path = result.path_of(name)
    assert path.stat().st_size < 100_000  # head-removal keeps every word that a model got wrong
    result.save(result.read(path), tmp_path / path.name)
    assert (tmp_path / path.name).read_bytes() == path.read_bytes()
