"""Silencing heads of the models of another recipe."""

import pytest
import torch

from qkv.models.transformer import Transformer
from qkv.recipes import head_removal, positions
from qkv.recipes.pronunciation import pack, splits
from qkv.recipes.protocol import measure
from qkv.recipes.result import Effect, Result

SMOKE = head_removal.PRESETS["smoke"]
HEADS = head_removal.attentions(SMOKE.models.training.model)


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(positions, "runs_folder", lambda: folder)
        yield folder


def test_every_attention_is_known_to_the_model():
    torch.manual_seed(0)
    model = Transformer(SMOKE.models.training.model).eval()
    words = splits(SMOKE.models.training)["validation"][:3]
    found = head_removal.importance(model, words)
    assert len(found) == sum(HEADS.values()) == 12
    assert all(len(slopes) == 3 and bool((slopes > 0).all()) for slopes in found.values())


def test_importance_of_a_word_does_not_depend_on_its_neighbours():
    torch.manual_seed(0)
    model = Transformer(SMOKE.models.training.model).eval()
    words = splits(SMOKE.models.training)["validation"][:4]
    together, alone = head_removal.importance(model, words), head_removal.importance(model, words[2:3])
    for head, slopes in together.items():
        torch.testing.assert_close(slopes[2:3], alone[head], rtol=1e-3, atol=1e-6)


def test_a_run_of_all_arms(runs):
    found = measure("head-removal", head_removal, SMOKE, range(2), runs)
    facts = head_removal.facts(found)
    assert facts["heads"] == 12
    assert facts["heads expected by chance"].value == pytest.approx(0.6)
    assert {"WER without 5 heads, at random", "cost of one head left in decoder1.cross_attention"} <= set(facts)
    for order in (*found.values["at random"]["order"], *found.values["least important first"]["order"]):
        assert len(set(order)) == 12


def test_contrast_and_counts_by_hand(runs):
    """Of 200 words 20 are wrong; without head a 0 twenty more are, without head a 1 the same ones."""
    some, more = [1] * 20 + [0] * 180, [1] * 40 + [0] * 160
    values = {
        "all heads": {"WER": [10.0, 10.0], "wrong": [pack(some)] * 2},
        "without one": {"a 0": [pack(more)] * 2, "a 1": [pack(some)] * 2},
        "least important first": {"5": [10.5, 11.5]},
        "at random": {"5": [30.0, 31.0]},
        "one head left": {"a": [12.0, 14.0]},
    }
    assert head_removal.differences({}, values) == [0.5, 1.5]
    effect = Effect(1.0, 0.5, 1.5, "points")
    result = Result("c", "p", {"removed": [5]}, [0, 1], values, effect, "equivalent", 1, {}, "run")
    facts = head_removal.facts(result)
    assert facts["cost of a 0"] == Effect(10.0, 10.0, 10.0, "points")
    assert (facts["heads whose loss costs words"].value, facts["heads whose loss saves words"].value) == (1, 0)
