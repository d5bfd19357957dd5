"""The recipes about GPT's parts and blocks at a size of seconds."""

from dataclasses import replace

import pytest
import torch

from qkv.models import awd_lstm, gpt
from qkv.recipes import gpt_layers, gpt_parts, transfer_systems
from qkv.recipes.protocol import measure
from qkv.recipes.transfer_systems import Source
from qkv.recipes.transfer_tasks import TASKS
from qkv.text.bpe import BPE
from qkv.text.words import WordVocabulary, tokens

TEXTS = [f"What is the {thing} of a {other}?" for thing in ("name", "size", "age") for other in ("cat", "town", "star")]


def rows_like(name):
    rows = [{"text": f"{TEXTS[i % 9]} {i % 6}", "label": i % 6} for i in range(120)]
    return {"train": rows[:60], "validation": rows[60:90], "test": rows[90:]}


@pytest.fixture(autouse=True)
def small(stand_in):
    torch.manual_seed(2)
    bpe = BPE.train(TEXTS * 3, 280, ["<|passage|>"])
    words = sorted({word for text in TEXTS for word in tokens(text)})
    config = replace(gpt.PRESETS["smoke"], vocab_size=280, num_layers=4)
    found = {
        "GPT": Source(gpt.GPT(config).eval(), bpe),
        "AWD-LSTM": Source(
            awd_lstm.AWDLSTM(replace(awd_lstm.PRESETS["smoke"], vocab_size=len(words) + 3)).eval(),
            WordVocabulary(words),
        ),
    }
    return stand_in(found, rows_like, (transfer_systems, gpt_parts), [gpt_parts._trials])


@pytest.mark.parametrize("recipe", [gpt_parts, gpt_layers], ids=lambda recipe: recipe.__name__)
def test_all_arms_and_what_prose_may_quote(recipe, tmp_path):
    result = measure("x", recipe, gpt_parts.PRESETS["smoke"], [0, 1], tmp_path)
    assert len(recipe.differences(result.config, result.values)) == 2
    facts = recipe.facts(result)
    assert all(0 <= facts[f"accuracy {arm}"].value <= 100 for arm in result.values)


def test_what_is_taken_over(small):
    whole = small["GPT"].model
    for arm, number in {"0 blocks": 0, "2 blocks": 2, gpt_parts.PRETRAINED: 4}.items():
        begun = gpt_parts.SYSTEMS[arm].learner(TASKS["TREC"], []).network.gpt
        assert torch.equal(begun.token.weight[:280], whole.token.weight)
        same = [
            all(torch.equal(a, b) for a, b in zip(one.parameters(), other.parameters(), strict=True))
            for one, other in zip(begun.layers, whole.layers, strict=True)
        ]
        assert same == [True] * number + [False] * (4 - number)
    anew = gpt_parts.SYSTEMS[gpt_parts.SCRATCH].learner(TASKS["TREC"], []).network.gpt
    assert not torch.equal(anew.token.weight[:280], whole.token.weight)


def test_the_second_loss_is_there_or_not():
    example = gpt_parts.PRESETS["smoke"].data.train[0]
    losses = {}
    for arm in (gpt_parts.PRETRAINED, "pretrained, λ = 0"):
        torch.manual_seed(0)
        learner = gpt_parts.SYSTEMS[arm].learner(TASKS["TREC"], []).eval()
        losses[arm] = learner.loss([learner.encode(example)]).item()
    assert losses[gpt_parts.PRETRAINED] > losses["pretrained, λ = 0"] + 1  # half of ln 283 or so


def test_a_learner_leaves_the_source_alone(small):
    kept = {name: weight.clone() for name, weight in small["GPT"].model.state_dict().items()}
    gpt_parts.run(gpt_parts.PRESETS["smoke"], gpt_parts.PRETRAINED, 0)
    assert all(torch.equal(weight, kept[name]) for name, weight in small["GPT"].model.state_dict().items())
