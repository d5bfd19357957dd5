"""Post-LN and pre-LN, with and without warm-up: every arm runs, bad arms are named, and a run that fails is a guess."""

import math
from dataclasses import replace

import pytest

from qkv.recipes import warmup
from qkv.recipes.result import Effect, Result

SMOKE = warmup.PRESETS["smoke"]


@pytest.fixture(scope="module")
def values():
    cells = {arm: [warmup.run(SMOKE, arm, seed) for seed in (0, 1)] for arm in warmup.arms(SMOKE)}
    return {arm: {name: [cell[name] for cell in found] for name in found[0]} for arm, found in cells.items()}


def test_each_arm_chooses_its_rate_on_validation_words(values):
    assert list(values) == ["post 0", "post 2", "pre 0", "pre 2"]
    for entries in values.values():
        for validation, rate in zip(entries["validation"], entries["peak rate"], strict=True):
            assert SMOKE.peak_rates[validation.index(min(validation))] == rate


def test_gradients_before_the_first_step_do_not_depend_on_the_schedule(values):
    assert values["post 0"]["gradients"] == values["post 2"]["gradients"] != values["pre 0"]["gradients"]
    assert all(len(each) == 4 for each in values["pre 0"]["gradients"])  # two encoder layers, two decoder layers


def test_the_contrast_by_hand():
    losses = {"post 0": 3.0, "post 2": 1.0, "pre 0": 1.5, "pre 2": 1.25}
    config = {"warmup_steps": (0, 2)}
    assert warmup.differences(config, {arm: {"loss": [nats]} for arm, nats in losses.items()}) == [1.75]


def test_facts_name_both_costs(values):
    config = {"warmup_steps": [0, 2], "peak_rates": [1e-3, 1e-2], "training": {"model": {"num_encoder_layers": 2}}}
    noted = warmup.facts(Result("", "", config, [0, 1], values, Effect(0.0, 0.0, 0.0, "nats"), "not seen", 1, {}, ""))
    assert {
        "cost post",
        "cost pre",
        "loss post 0",
        "cost pre at rate 0.01",
        "last decoder layer's gradient over the first's, pre",
    } <= set(noted)


def test_an_unknown_arm_is_refused():
    with pytest.raises(ValueError, match=r"expected one of \['post 0', .*\], got 'post 7'"):
        warmup.run(SMOKE, "post 7", 0)


def test_a_run_that_ends_in_nan_counts_as_guessing():
    hopeless = replace(SMOKE.training.settings, num_steps=60, checkpoint_every=60)
    failed = warmup.trained(replace(SMOKE.training, settings=hopeless), 1e30, 0)
    assert failed is None
    assert warmup.nats(failed, []) == math.log(69)
