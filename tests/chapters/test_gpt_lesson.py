"""What the prose of the GPT lesson claims and its cells do not assert."""

import math
import re

import pytest
import torch

from qkv.decoding.search import sharpened
from qkv.exercises.gpt import SIMILARITY_INPUTS, guesses, similarity_inputs
from qkv.exercises.gpt_tensors import extract_position as written
from qkv.models.gpt import GPT, PRESETS, GPTConfig
from qkv.recipes import four_tasks, gpt_layers, gpt_pairs, gpt_parts
from qkv.recipes.result import load
from qkv.transfer import inputs
from qkv.transfer.heads import Classification, Similarity

LESSON = "08_gpt/lesson"


def test_section_2_the_published_sizes():
    paper = PRESETS["paper"]
    assert (paper.num_layers, paper.d_model, paper.max_length) == (12, 768, 512)
    assert 100e6 < sum(weight.numel() for weight in GPT(paper).parameters()) < 130e6


def test_section_2_the_norm_stands_last_in_a_block():
    torch.manual_seed(0)
    states = GPT(PRESETS["smoke"]).eval().hidden_states(torch.randint(40, (2, 7)))
    torch.testing.assert_close(states.mean(-1), torch.zeros(2, 7), atol=1e-5, rtol=0)
    torch.testing.assert_close(states.std(-1, correction=0), torch.ones(2, 7), atol=1e-3, rtol=0)


def test_section_3_the_prediction_at_temperature_one_half():
    squared = [chance**2 for chance in (0.5, 0.3, 0.15, 0.05)]
    assert squared == pytest.approx([0.25, 0.09, 0.0225, 0.0025])
    assert sum(squared) == pytest.approx(0.365)
    assert round(squared[0] / sum(squared), 2) == 0.68


def test_section_3_at_a_high_temperature_the_same_p_keeps_more():
    chances = torch.tensor([[0.5, 0.3, 0.15, 0.05]]).log()
    kept = [int((sharpened(chances, t, None, 0.75).softmax(-1) > 0).sum()) for t in (1.0, 2.0)]
    assert kept == [2, 3]


def test_section_4_the_new_numbers_of_entailment(prose):
    new = 3 * 768 + 3 * 768 + 3
    assert new == 4611
    assert f"{new:,}" in prose(LESSON)


def test_section_4_positions_count_on_and_nothing_but_the_delimiter_parts_the_texts():
    config = GPTConfig(20, 8, 2, 12, 1, max_length=16)
    names = dict(GPT(config).named_parameters())
    assert not [name for name in names if "segment" in name]


def test_section_5_a_product_would_be_fair_as_well():
    a, b = torch.randn(2, 5)
    assert torch.equal(a * b, b * a)


def test_section_6_padding_behind_leaves_every_score_and_the_last_slot_does_not():
    torch.manual_seed(0)
    task = Classification(GPT(GPTConfig(23, 8, 2, 12, 2, max_length=32)), 22, 2).eval()
    row, longer = [20, 3, 4, 22], [20, *range(1, 9), 22]
    alone, batch = inputs.padded([[row]]), inputs.padded([[row], [longer]])
    with torch.no_grad():
        torch.testing.assert_close(task(batch)[0], task(alone)[0], atol=1e-6, rtol=0)
        last = [task.linear(task.gpt.hidden_states(ids[:, 0])[0, -1]) for ids in (alone, batch)]
    assert not torch.allclose(*last, atol=1e-3)


def test_section_7_the_prediction_three_guesses():
    assert len(guesses([90, 5, 6, 92, 0, 0], 92)) == 3


def test_section_9_half_of_the_pairs_hold_and_a_kind_alone_says_little(prose):
    assert "constructed" in prose(LESSON)
    labels = [item.label for item in four_tasks.kinds()["test"]]
    assert sum(labels) * 2 == len(labels)


def test_no_place_waits_for_a_claim(prose):
    assert re.findall(r"<!-- claim: ", prose(LESSON)) == []


def test_section_8_the_ladder_is_none():
    found = load("gpt-layers")
    facts = gpt_layers.facts(found)
    assert found.verdict == "not seen"
    right = [facts[f"accuracy {arm}"].value for arm in ("scratch, λ = 0.5", *gpt_layers.LADDER)]
    scratch, embeddings, one, two, three, all_four = right
    assert abs(one - scratch) < 1
    assert abs(two - scratch) < 1
    assert facts["step 1"].high < 0
    assert three > two + 3
    half = found.values["2 blocks"]["accuracy"]
    for better in (found.values[arm]["accuracy"] for arm in ("0 blocks", "pretrained, λ = 0.5")):
        assert all(a > b for a, b in zip(better, half, strict=True))
    assert all_four > embeddings
    seeds = [values["accuracy"] for values in found.values.values()]
    assert min(max(each) - min(each) for each in seeds) > 8


def test_section_7_the_second_loss_costs_most_from_scratch():
    result = load("gpt-parts")
    facts = gpt_parts.facts(result)
    assert result.verdict == "reproduced"
    assert facts["second loss, scratch"].high < 0
    assert facts["second loss, pretrained"].low < 0 < facts["second loss, pretrained"].high
    without = facts["accuracy pretrained, λ = 0"].value - facts["accuracy scratch, λ = 0"].value
    assert 2 < without < result.effect.mean / 2
    assert facts["GPT minus AWD-LSTM"].high < 0


def test_the_exercises_rows_are_those_of_the_library():
    special = inputs.SpecialIds(90, 91, 92)
    for probe in SIMILARITY_INPUTS.probes:
        first, second = probe.inputs["first"], probe.inputs["second"]
        ours = similarity_inputs(first, second, 90, 91, 92)
        assert ours == [list(row) for row in inputs.similarity(first, second, special)]
    ids = torch.tensor([[90, 3, 92, 0], [90, 4, 5, 92]])
    assert torch.equal(written(ids, 92), inputs.extract_position(ids, 92))


def test_an_even_guess_and_the_sum_that_both_orders_share():
    assert math.log(4096) == pytest.approx(8.32, abs=0.01)
    torch.manual_seed(0)
    task = Similarity(GPT(GPTConfig(23, 8, 2, 12, 1, max_length=32)), 22, 3).eval()
    special = inputs.SpecialIds(20, 21, 22)
    both = inputs.padded([inputs.similarity([1, 2, 3], [4], special), inputs.similarity([4], [1, 2, 3], special)])
    scores = task(both)
    assert torch.equal(scores[0], scores[1])


def test_section_3_no_lead_over_n_grams_in_grammar():
    facts = gpt_pairs.facts(load("gpt-pairs"))
    for kind in gpt_pairs.KINDS:
        lead = facts[f"{kind}, last minus n-grams"]
        assert lead.low < 0 < lead.high


def test_section_3_below_half_before_the_first_step_and_300_is_the_first_checkpoint():
    facts, steps = gpt_pairs.facts(load("gpt-pairs")), load("gpt-pairs").config["steps"]
    assert facts["agreement step 0"].value < 50
    assert min(step for step in steps if step > 0) == 300


def test_section_9_three_of_four_tasks_reach_down_to_chance(printed_by):
    printed = printed_by(LESSON)
    rows = re.findall(r"^(movies|kinds|verses|next line) +(\d+)% +(\d+)% +(\d+)% ± (\d+)%$", printed, re.M)
    table = {task: tuple(map(int, each)) for task, *each in rows}
    above = [task for task, (chance, _, ours, half) in table.items() if ours - half > chance]
    assert (len(table), above) == (4, ["movies"])
    assert table["movies"][1] > table["movies"][2]
    zero_shot = int(re.search(r"nothing fine-tuned: (\d+)%", printed)[1])
    assert table["next line"][2] < zero_shot < table["next line"][1]


def test_section_3_ahead_of_counting():
    assert load("gpt-lm").effect.low > 0


def test_section_3_n_grams_see_four_tokens_back():
    assert load("gpt-lm").values["n-grams"]["chosen"][0].startswith("order 5,")
    assert load("gpt-pairs").config["order"] == 5
