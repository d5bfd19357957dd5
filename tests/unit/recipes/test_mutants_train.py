"""The nineteen mistakes: each is one, each probe finds what it is meant to find, and the numbers are counted right."""

import pytest
import torch

from qkv.recipes import mutants_train
from qkv.recipes.mutants_train import CORRECT, MODELS, PROBES, Config, failed_probes
from qkv.recipes.result import Effect, Result

MUTANTS = [arm for arm in MODELS if arm != CORRECT]
PARITY = {"parity, no mask", "parity, causal"}
MIXES_TOKENS = PARITY | {"causality", "permutation"}
MASK_ONLY = {"parity, causal", "causality"}
NOT_ONE = PARITY | {"rows sum to 1", "saturated, one head", "causality"}
CAUGHT = {  # measured once before, by other code: the table must come out again
    CORRECT: set(),
    **dict.fromkeys(["no 1/√d_k", "1/√d_model", "×√d_k", "1/d_k"], PARITY),
    **dict.fromkeys(["softmax over queries", "softmax over heads"], NOT_ONE),
    **dict.fromkeys(["split heads without transpose", "merge heads without transpose"], MIXES_TOKENS),
    "mask after softmax": MASK_ONLY | {"rows sum to 1"},
    **dict.fromkeys(["mask sign wrong", "mask inverted", "mask fill 1e-10", "scores times mask"], MASK_ONLY),
    **dict.fromkeys(["boolean mask added", "no mask"], MASK_ONLY),
    **dict.fromkeys(["off by one: blocks self", "off by one: leaks one"], MASK_ONLY),
    **dict.fromkeys(["keys as values", "no output projection"], PARITY | {"saturated, one head"}),
}


@pytest.mark.parametrize("seed", [0, 11])
@pytest.mark.parametrize("arm", MODELS)
def test_which_probe_finds_which_mistake(arm, seed):
    assert set(failed_probes(MODELS[arm], seed)) == CAUGHT[arm]


def test_parity_under_the_causal_mask_finds_all_nineteen_and_shape_none():
    assert len(MUTANTS) == 19
    assert all("parity, causal" in CAUGHT[arm] for arm in MUTANTS)
    assert not any({"shape", "finite"} & CAUGHT[arm] for arm in MUTANTS)


def test_the_shape_and_finiteness_probes_can_fail():
    def halved(query, key, value, may_attend=None):
        output, weights = MODELS[CORRECT].attend(query, key, value, may_attend)
        return output[..., :3, :], weights

    def broken(query, key, value, may_attend=None):
        return value * torch.nan, query @ key.mT

    assert not PROBES["shape"](mutants_train.Mutant(attend=halved), 0)
    assert not PROBES["finite"](mutants_train.Mutant(attend=broken), 0)


def test_the_mistakes_are_pairwise_different_but_for_one_pair():
    torch.manual_seed(0)
    x, mask = torch.randn(3, 7, 32), mutants_train.causal(7)
    outputs = []
    for arm in MODELS:
        torch.manual_seed(1)
        outputs.append(mutants_train.Attention(32, 4, MODELS[arm])(x, mask)[0])
    same = [(a, b) for a, one in zip(MODELS, outputs, strict=True) for b, two in zip(MODELS, outputs, strict=True)
            if a < b and torch.allclose(one, two, atol=1e-5)]  # fmt: skip
    assert same == [("mask fill 1e-10", "scores times mask")]  # both count a blocked key as score 0


def test_the_correct_model_learns_to_copy_and_then_copies_alone():
    config = Config(num_symbols=4, copy_length=3, num_steps=120, batch_size=32, learning_rate=1e-2)
    model, losses = mutants_train.train(config, MODELS[CORRECT], seed=0)
    assert losses[0] > 1.2  # about ln 4, guessing
    assert losses[-1] < 0.05
    assert mutants_train.free_running_accuracy(config, model, seed=0) > 0.99


def test_free_running_never_shows_the_target():
    seen = []

    class Recorder(torch.nn.Module):
        def forward(self, ids):
            seen.append(ids)
            return torch.nn.functional.one_hot(torch.zeros_like(ids), 4).float()  # always answers symbol 0

    config = Config(num_symbols=4, copy_length=3, test_items=400)
    accuracy = mutants_train.free_running_accuracy(config, Recorder(), seed=0)
    assert accuracy == pytest.approx(0.25, abs=0.06)
    assert [ids.shape[1] for ids in seen] == [4, 5, 6]
    assert (seen[-1][:, 4:] == 0).all()


@pytest.mark.parametrize("arm", [CORRECT, "mask inverted"])
def test_a_cell_repeats_itself(arm):
    config = mutants_train.PRESETS["smoke"]
    cell = mutants_train.run(config, arm, seed=2)
    assert cell == mutants_train.run(config, arm, seed=2)
    assert len(cell["curve"]) == 2
    assert set(cell["fails"]) == CAUGHT[arm]


def test_contrast_and_counts_by_hand():
    values = {
        CORRECT: {"loss": [0.10, 0.20], "accuracy": [1.0, 1.0], "fails": [[], []]},
        "a": {"loss": [0.11, 0.21], "accuracy": [1.0, 0.5], "fails": [["finite", "shape"], ["shape"]]},
        "b": {"loss": [0.30, 0.15], "accuracy": [0.5, 0.75], "fails": [["finite"], ["finite"]]},
    }
    assert mutants_train.differences({}, values) == pytest.approx([0.20, 0.01])
    effect = Effect(0.105, 0.0, 0.2, "nats")
    found = Result("", "", {"margin": 0.02}, [0, 1], values, effect, "not seen", 0, {}, "")
    facts = mutants_train.facts(found)
    assert (facts["mutants"], facts["reached"], facts["worst mutant"], facts["copy worse"]) == (2, 1, "b", 1)
    assert (facts["fail shape"], facts["fail finite"], facts["fail causality"]) == (1, 1, 0)
    assert facts["accuracy b"].value == 62.5
