"""Claims about small pronunciation models that differ in one setting."""

import math
from dataclasses import replace

import pytest

from qkv.recipes import activations, label_smoothing, positions, pronouncers
from qkv.recipes.protocol import measure

SMOKE = pronouncers.PRESETS["smoke"]


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(positions, "runs_folder", lambda: folder)
        yield folder


def test_the_usual_model_is_trained_once_for_all_claims(runs):
    first = pronouncers.usual(SMOKE, 0)
    kept = {path: path.stat().st_mtime_ns for path in runs.rglob("*.pt")}
    assert kept
    assert label_smoothing.run(SMOKE, "0.1", 0) == activations.run(SMOKE, "relu", 0) == first
    assert {path: path.stat().st_mtime_ns for path in runs.rglob("*.pt")} == kept
    assert first["WER"] == positions.run(SMOKE.usual, "sinusoidal", 0)["WER"]


def test_the_loss_of_an_untrained_model_is_about_that_of_guessing(runs):
    assert pronouncers.usual(SMOKE, 0)["loss"] == pytest.approx(math.log(69), abs=1.5)


def test_settings_reach_the_model(runs):
    same = pronouncers.changed(SMOKE, SMOKE.usual.training, 0)
    assert same == pronouncers.usual(SMOKE, 0)
    assert pronouncers.changed_model(SMOKE, 0, activation="sigmoid")["loss"] != same["loss"]
    unsmoothed = replace(SMOKE.usual.training, label_smoothing=0.0)
    assert pronouncers.changed(SMOKE, unsmoothed, 0)["loss"] != same["loss"]


@pytest.mark.parametrize("module", [label_smoothing, activations])
def test_a_run_of_all_arms(module, runs):
    found = measure("name", module, SMOKE, range(2), runs)
    facts = module.facts(found)
    assert {f"loss {arm}" for arm in module.arms(SMOKE)} <= set(facts)
    assert sum("minus" in name for name in facts) >= 2


def test_contrasts_by_hand():
    scores = {"0": {"loss": [1.0, 1.0]}, "0.1": {"loss": [1.25, 1.5]}}
    assert label_smoothing.differences({}, scores) == [0.25, 0.5]
    assert activations.differences({}, {"sigmoid": {"WER": [50, 52]}, "relu": {"WER": [45, 45]}}) == [5, 7]


def test_unknown_arms():
    with pytest.raises(ValueError, match=r"got '0\.3'"):
        label_smoothing.run(SMOKE, "0.3", 0)
    with pytest.raises(ValueError, match="got 'swish'"):
        activations.run(SMOKE, "swish", 0)
