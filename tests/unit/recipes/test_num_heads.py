"""One head against four and eight, at equal cost."""

import pytest

from qkv.models.transformer import Transformer
from qkv.recipes import num_heads, positions
from qkv.recipes.pronunciation import published
from qkv.recipes.protocol import measure

SMOKE = num_heads.PRESETS["smoke"]


@pytest.fixture
def runs(tmp_path, monkeypatch):
    for module in (positions, num_heads):
        monkeypatch.setattr(module, "runs_folder", lambda: tmp_path)
    return tmp_path


def test_the_usual_number_of_heads_is_not_trained_twice(runs, monkeypatch):
    usual = f"{SMOKE.training.model.num_heads} heads"
    monkeypatch.setattr(num_heads, "HEADS", {"1 head": 1, usual: SMOKE.training.model.num_heads, "8 heads": 8})
    found = measure("num-heads", num_heads, SMOKE, range(2), runs)
    assert [len(found.values[arm]["WER"]) for arm in num_heads.HEADS] == [2, 2, 2]
    assert len(list((runs / "positions").rglob("*.json"))) == 2
    assert set(num_heads.facts(found)) == {f"{quantity} {arm}" for quantity in ("WER", "PER") for arm in found.values}


def test_the_models_cost_the_same_and_differ(runs):
    sizes = set()
    for arm in ("1 head", "8 heads"):
        num_heads.run(SMOKE, arm, 0)
        model = published(SMOKE.training, num_heads.checkpoints(SMOKE, arm, 0), 1)
        assert isinstance(model, Transformer)
        sizes.add(sum(weights.numel() for weights in model.parameters()))
    assert len(sizes) == 1


def test_contrast_by_hand():
    values = {"1 head": {"WER": [40, 42]}, "4 heads": {"WER": [0, 0]}, "8 heads": {"WER": [39, 43]}}
    assert num_heads.differences({}, values) == [1, -1]


def test_unknown_arm():
    with pytest.raises(ValueError, match="got '3 heads'"):
        num_heads.run(SMOKE, "3 heads", 0)
