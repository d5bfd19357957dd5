"""The result file: exactly its keys, the same bytes twice, found with and without a checkout, clear errors."""

import json
from dataclasses import replace
from importlib import metadata
from pathlib import Path

import pytest

from qkv.recipes import result
from qkv.recipes.result import Effect, Result, ResultError, read, save

KEYS = ["claim", "paper", "config", "seeds", "values", "effect", "verdict", "seconds", "versions", "command"]


@pytest.fixture
def found():
    values = {"√ arm": {"test": [0.5, 0.75]}, "other": {"test": [0.25, 0.5]}}
    effect = Effect(0.25, 0.25, 0.25, "points")
    return Result("A claim.", "A paper.", {"margin": 0.5}, [0, 1], values, effect, "equivalent", 3, {"qkv": "0"}, "run")


@pytest.fixture
def file(found, tmp_path):
    save(found, tmp_path / "x.json")
    return tmp_path / "x.json"


def test_the_keys_are_exactly_these(file):
    data = json.loads(file.read_text(encoding="utf-8"))
    assert list(data) == KEYS
    assert list(data["effect"]) == ["mean", "low", "high", "unit"]


def test_saving_and_reading_gives_the_same_result_and_the_same_bytes(found, file, tmp_path):
    assert read(file) == found
    save(read(file), tmp_path / "y.json")
    assert (tmp_path / "y.json").read_bytes() == file.read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["x.json", "y.json"]  # nothing half-written is left


def test_a_file_without_a_key_is_refused(file):
    data = json.loads(file.read_text())
    file.write_text(json.dumps({key: data[key] for key in KEYS if key != "seeds"}))
    with pytest.raises(ResultError, match=r"x\.json: expected the keys .*'seeds'"):
        read(file)
    file.write_text(json.dumps(data | {"effect": {"mean": 1}}))
    with pytest.raises(ResultError, match=r"effect: expected the keys"):
        read(file)


def test_a_result_that_does_not_fit_together_is_refused(found):
    with pytest.raises(ResultError, match="one test per seed, 3, got 2"):
        replace(found, seeds=[0, 1, 2])
    object.__setattr__(found, "verdict", "proved")
    with pytest.raises(ResultError, match="got 'proved'"):
        found.__post_init__()


def test_nan_is_refused(found, tmp_path):
    with pytest.raises(ValueError, match="Out of range"):
        save(replace(found, config={"margin": float("nan")}), tmp_path / "x.json")
    assert not list(tmp_path.iterdir())


def test_the_checkout_has_its_results_in_the_book():
    assert result.folder() == Path(__file__).parents[3] / "book" / "results"


def test_an_unknown_name_lists_those_there_are():
    with pytest.raises(ResultError, match=r"no result 'nope'; there are: .*\bdk-scaling, .*mutants-train"):
        result.load("nope")


def test_an_installed_package_finds_its_results_through_its_metadata(monkeypatch, found, file, tmp_path):
    for folder in ("share/qkv/results", "lib/python/site-packages"):
        (tmp_path / folder).mkdir(parents=True)
    file.rename(tmp_path / "share/qkv/results/x.json")
    installed = metadata.PackagePath("../../../share/qkv/results/x.json")
    installed.dist = metadata.PathDistribution(tmp_path / "lib/python/site-packages/qkv.dist-info")
    monkeypatch.setattr(result, "__file__", "/nowhere/site-packages/qkv/recipes/result.py")
    monkeypatch.setattr(metadata, "files", lambda _: [metadata.PackagePath("qkv/toy.py"), installed])
    assert result.load("x") == found
    with pytest.raises(ResultError, match="expected a checkout"):
        result.folder()
    monkeypatch.setattr(metadata, "files", lambda _: None)
    with pytest.raises(ResultError, match="there are: none"):
        result.load("x")
