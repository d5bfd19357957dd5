"""The commands behind ``python -m qkv run``: what they write, refuse and compare."""

from dataclasses import replace

import pytest
from typer.testing import CliRunner

from qkv.__main__ import app
from qkv.assets import QkvError
from qkv.recipes import catalogue, commands, result
from qkv.recipes.result import read, save


@pytest.fixture
def checkout(monkeypatch, tmp_path):
    """A checkout with empty results, where the full run is as short as the smoke run."""
    (tmp_path / "book" / "results").mkdir(parents=True)
    for module in (commands, result):
        monkeypatch.setattr(module, "folder", lambda: tmp_path / "book" / "results")
    for name in catalogue.MODULES:
        monkeypatch.setitem(catalogue.recipe(name).PRESETS, "full", catalogue.recipe(name).PRESETS["smoke"])
    return tmp_path


def test_a_run_writes_the_file_and_a_rerun_matches(checkout, capsys):
    commands.run("dk-scaling", seeds=5)
    found = read(checkout / "book" / "results" / "dk-scaling.json")
    assert found.seeds == [0, 1, 2, 3, 4]
    assert found.command == "python -m qkv run dk-scaling --seeds 5"
    assert found.claim in capsys.readouterr().out
    assert (checkout / "runs" / "dk_scaling").is_dir()
    commands.run("dk-scaling", verify=True)
    assert "test is off by 0 (at most" in capsys.readouterr().out


def test_a_rerun_that_differs_is_an_error(checkout):
    commands.run("dk-scaling", seeds=5)
    path = checkout / "book" / "results" / "dk-scaling.json"
    found = read(path)
    arm = catalogue.recipe("dk-scaling").VERIFY
    found.values[arm]["test"][0] += 0.5
    save(replace(found), path)
    with pytest.raises(commands.MismatchError, match=r"'scaled 4', seed 0: test is off by 0\.5, expected at most"):
        commands.run("dk-scaling", verify=True)


def test_all_runs_every_experiment(monkeypatch):
    ran = []
    monkeypatch.setattr(commands, "run_one", lambda name, seeds: ran.append((name, seeds)))
    commands.run(all=True, seeds=7)
    assert ran == [(name, 7) for name in catalogue.MODULES]


def test_bad_requests_are_refused():
    with pytest.raises(QkvError, match="at least 5, got 4"):
        commands.run("dk-scaling", seeds=4)
    with pytest.raises(QkvError, match="no experiment 'nope'; there are: dk-scaling"):
        commands.run("nope")
    for name, everything in ((None, False), ("dk-scaling", True)):
        with pytest.raises(QkvError, match=r"name of an experiment \(dk-scaling, .*or --all"):
            commands.run(name, all=everything)


def test_the_name_stands_behind_the_command():
    """As every result file prints it: python -m qkv run NAME."""
    answer = CliRunner().invoke(app, ["run", "nope", "--verify"])
    assert answer.exit_code == 1
    assert "error: no experiment 'nope'; there are: dk-scaling" in answer.output
