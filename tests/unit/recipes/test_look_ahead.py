"""A model of characters with and without a mask: alike but for it, and judged by somebody else."""

import math

import pytest
import torch

from qkv.recipes import look_ahead as recipe
from qkv.recipes.look_ahead import ARMS, PRESETS, losses, model_of, read_by, whole_words, written
from qkv.recipes.ngram import KneserNey, count_levels
from qkv.recipes.protocol import judge
from qkv.recipes.result import Result

SMOKE, VOCAB = PRESETS["smoke"], 11


def models():
    made = []
    for arm in ARMS[:2]:
        torch.manual_seed(0)
        made.append(model_of(SMOKE, VOCAB, arm).eval())
    return made


def test_both_models_begin_alike():
    causal, opened = (model.state_dict() for model in models())
    assert all(torch.equal(opened[name], weights) for name, weights in causal.items())


def test_one_sees_what_comes_and_the_other_does_not():
    ids = torch.arange(6)[None]
    changed = ids.clone()
    changed[0, 4] = 9
    causal, opened = models()
    assert torch.equal(causal(ids)[:, :4], causal(changed)[:, :4])
    assert (opened(ids) != opened(changed)).any(-1).all()


def test_no_other_arm_has_a_model():
    with pytest.raises(ValueError, match="'no mask', got 'the book itself'"):
        model_of(SMOKE, VOCAB, "the book itself")
    with pytest.raises(ValueError, match="got 'T5'"):
        recipe.run(SMOKE, "T5", 0)


class Next(torch.nn.Module):
    """A stand-in that is sure of the id after the one it reads."""

    def forward(self, ids):
        return 50.0 * torch.nn.functional.one_hot((ids + 1) % VOCAB, VOCAB)


def test_writing_goes_on_from_the_prompt():
    prompts = torch.tensor([[3, 4], [7, 8]])
    assert written(Next(), prompts, 4, seed=0).tolist() == [[3, 4, 5, 6, 7, 8], [7, 8, 9, 10, 0, 1]]
    assert losses(Next(), torch.arange(6)[None]).max() < 1e-6


def test_the_third_party_reads_what_was_written_and_not_the_prompt():
    party = KneserNey(count_levels([[0, 1] * 50], recipe.ORDER), 3, recipe.DISCOUNT)
    assert read_by(party, [0, 1, 0, 1, 0, 1], 4) < 0.1
    assert read_by(party, [2, 2, 0, 1, 0, 1], 2) > read_by(party, [0, 1, 0, 1, 0, 1], 2)
    assert read_by(party, [0, 1, 0, 1, 0, 2], 5) > 1
    assert read_by(party, [2, 2, 2, 2, 0, 1], 4) < math.log(3) + 3


def test_whole_words_leave_out_both_ends():
    assert whole_words("ing of the tab") == ["of", "the"]
    assert whole_words(" of the tab") == ["of", "the"]
    assert whole_words("of the ") == ["the"]
    assert whole_words("ooooo") == []


def test_the_contrast_by_hand():
    values = {"no mask": {"written": [4.0, 5.0]}, "causal mask": {"written": [2.5, 3.0]}}
    assert recipe.differences({}, values) == [1.5, 2.0]


def test_run_judge_and_tell():
    values = {arm: {} for arm in recipe.arms(SMOKE)}
    for seed in range(2):
        for arm in values:
            for quantity, found in recipe.run(SMOKE, arm, seed).items():
                values[arm].setdefault(quantity, []).append(found)
    assert recipe.run(SMOKE, "no mask", 1) == {name: each[1] for name, each in values["no mask"].items()}
    assert set(values["no mask"]) == {"as trained", "last place", "written", "words"}
    assert set(values["the book itself"]) == {"written", "words"}
    assert values["the book itself"]["written"][0] < values["letters at random"]["written"][0]
    effect, verdict = judge(recipe, {}, values)
    facts = recipe.facts(Result("", "", {}, [0, 1], values, effect, verdict, 1, {}, ""))
    assert facts["written, no mask minus causal"] == effect
