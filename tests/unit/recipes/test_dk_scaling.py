"""The look-up task and its three scores: what the experiment assumes, checked before it is believed."""

import math

import pytest
import torch
from torch import nn
from torch.nn.functional import scaled_dot_product_attention

from qkv.recipes import dk_scaling
from qkv.recipes.dk_scaling import Config, LookupAttention, draw

CONFIG = Config()


def batch(size=256, seed=0):
    return draw(CONFIG, size, torch.Generator().manual_seed(seed))


def test_the_answer_stands_behind_the_question_and_no_symbol_comes_twice():
    lookup = batch()
    asked = lookup.symbols == lookup.question[:, None]
    assert (asked.sum(-1) == 1).all()
    assert (lookup.digits[asked] == lookup.answer).all()
    assert all(len(set(row)) == CONFIG.num_pairs for row in lookup.symbols.tolist())


@pytest.mark.parametrize("d_k", [4, 64, 512])
@pytest.mark.parametrize(("score", "spread"), [("unscaled", math.sqrt), ("scaled", lambda d_k: 1.0)])
def test_a_fresh_models_scores_spread_as_the_paper_says(d_k, score, spread):
    torch.manual_seed(0)
    lookup, drawn = batch(), []
    for _ in range(20):
        model = LookupAttention(CONFIG, score, d_k)
        query, key = model.query(model.symbol(lookup.question))[:, None], model.key(model.symbol(lookup.symbols))
        drawn.append(model.scores(query, key).detach())
    assert torch.cat(drawn).std().item() == pytest.approx(spread(d_k), rel=0.1)


def test_the_scaled_arm_is_attention_as_torch_computes_it():
    torch.manual_seed(0)
    model, lookup = LookupAttention(CONFIG, "scaled", 8), batch(5)
    query, key = model.query(model.symbol(lookup.question))[:, None], model.key(model.symbol(lookup.symbols))
    mixed = scaled_dot_product_attention(query, key, model.digit(lookup.digits))
    torch.testing.assert_close(model(lookup), model.output(mixed[:, 0]))


def test_additive_scores_by_hand():
    model = LookupAttention(CONFIG, "additive", 2)
    model.pair.weight = nn.Parameter(torch.tensor([[1.0, 2.0]]))
    scores = model.scores(torch.tensor([[[1.0, 0.0]]]), torch.tensor([[[1.0, 0.0], [-1.0, 1.0]]]))
    assert scores.flatten().tolist() == pytest.approx([math.tanh(2), 2 * math.tanh(1)])


def test_both_dot_product_arms_start_equal_and_additive_has_d_k_more():
    count = {
        score: sum(p.numel() for p in LookupAttention(CONFIG, score, 16).parameters()) for score in dk_scaling.SCORES
    }
    assert count["scaled"] == count["unscaled"] == count["additive"] - 16
    states = []
    for score in ("scaled", "unscaled"):
        torch.manual_seed(0)
        states.append(LookupAttention(CONFIG, score, 16).state_dict())
    assert all(torch.equal(states[0][name], states[1][name]) for name in states[0])


def test_it_learns():
    config = Config(num_symbols=8, num_pairs=4, num_digits=4, num_steps=60, validation_items=200)
    model = dk_scaling.train(config, "scaled", 16, 1e-2, seed=0)
    assert dk_scaling.accuracy(model, draw(config, 200, torch.Generator().manual_seed(1))) > 0.9  # guessing: 0.25


def test_a_cell_repeats_itself_and_picks_the_best_rate_on_validation():
    config = dk_scaling.PRESETS["smoke"]
    cell = dk_scaling.run(config, "unscaled 16", seed=3)
    assert cell == dk_scaling.run(config, "unscaled 16", seed=3)
    assert cell["learning_rate"] == config.learning_rates[cell["validation"].index(max(cell["validation"]))]


def test_the_contrast_by_hand():
    config = {"d_k": [4, 8, 16]}
    accuracies = {"unscaled 4": [1.0, 0.9], "unscaled 16": [0.5, 0.6], "scaled 4": [0.8, 0.9], "scaled 16": [1.0, 0.8]}
    values = {arm: {"test": test} for arm, test in accuracies.items()}
    assert dk_scaling.differences(config, values) == pytest.approx([50 + 20, 30 - 10])


def test_an_unknown_score_is_refused():
    with pytest.raises(ValueError, match=r"expected one of .*'additive'.*, got 'cosine'"):
        LookupAttention(CONFIG, "cosine", 4)
