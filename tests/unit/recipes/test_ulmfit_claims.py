"""The recipes about ULMFiT's stages at a size of seconds: what each stage begins with, and what each way lets learn."""

from dataclasses import replace

import pytest
import torch

from qkv.models.awd_lstm import AWDLSTM
from qkv.models.awd_lstm import PRESETS as AWD
from qkv.models.bert import BERT, BERTConfig
from qkv.recipes import transfer_systems, transfer_tasks, ulmfit_ablations, ulmfit_curves, ulmfit_stages
from qkv.recipes.protocol import measure
from qkv.recipes.transfer_systems import Source, Training
from qkv.recipes.transfer_tasks import TASKS, TextExample
from qkv.recipes.ulmfit_stages import (
    Way,
    all_at_once,
    constant,
    cosine,
    fresh_model,
    general_model,
    gradually,
    head_alone,
    running,
    slanted,
    target_model,
)
from qkv.text.wordpiece import SPECIAL, WordPiece
from qkv.text.words import WordVocabulary

NO_DROPOUT = {f"{place}_dropout": 0.0 for place in ("embedding", "input", "weight", "hidden", "output")}
LETTERS = "abcdefghijklmnopqrstuvwxyz"
WORDS = [f"{one}{two}" for one in "vw" for two in LETTERS][-(AWD["smoke"].vocab_size - 3) :]


def rows_like(name):
    """Questions whose first word tells the kind."""
    labels = range({"trec": 6, "movie-snippets": 2}[name])
    rows = [
        {"text": f"w{LETTERS[label]} wz x{LETTERS[i % 5]} w{LETTERS[i % 7]}", "label": label}
        for i in range(40)
        for label in labels
    ]
    return {"train": rows[:80], "validation": rows[20:50], "test": rows[30:80]}


@pytest.fixture(autouse=True)
def small(stand_in):
    """An AWD-LSTM and a MiniLM whose weights are drawn, in the place of the published ones."""
    torch.manual_seed(7)
    pieces = WordPiece([*SPECIAL, *LETTERS, *(f"##{letter}" for letter in LETTERS)])
    found = {
        "AWD-LSTM": Source(AWDLSTM(replace(AWD["smoke"], **NO_DROPOUT)).eval(), WordVocabulary(WORDS)),
        "MiniLM": Source(BERT(BERTConfig(len(pieces), 16, 2, 32, 2, max_length=64)).eval(), pieces),
    }
    tried = (ulmfit_curves._trials, ulmfit_ablations._trials)
    caches = (*tried, general_model, target_model, transfer_systems.minilm_states)
    return stand_in(found, rows_like, (transfer_systems, ulmfit_stages), caches)


@pytest.fixture
def questions():
    return transfer_tasks.splits("TREC", 6, 20, 30).train


@pytest.mark.parametrize("recipe", [ulmfit_curves, ulmfit_ablations], ids=lambda recipe: recipe.__name__)
def test_all_arms_and_what_prose_may_quote(recipe, tmp_path):
    result = measure("x", recipe, recipe.PRESETS["smoke"], [0, 1], tmp_path)
    assert len(recipe.differences(result.config, result.values)) == 2
    facts = recipe.facts(result)
    assert all(0 <= facts[f"accuracy {arm}"].value <= 100 for arm in result.values)
    assert facts["contrasts"] == {ulmfit_curves: 16, ulmfit_ablations: 7}[recipe]


def test_general_words_keep_their_vectors_and_new_ones_get_the_mean(small, questions):
    found, table = general_model(questions, 1), small["AWD-LSTM"].model.token.embedding.weight
    new = found.model.token.embedding.weight
    assert {"xa", "xe"} <= set(found.words.words)
    assert torch.equal(new[found.words.ids["wd"]], table[small["AWD-LSTM"].words.ids["wd"]])
    torch.testing.assert_close(new[found.words.ids["xa"]], table.mean(0))


def test_the_target_stage_knows_the_text_better_and_leaves_the_general_model_alone(questions):
    before, after = general_model(questions, 60), target_model(questions, 60)
    kept = {name: weight.clone() for name, weight in before.model.state_dict().items()}
    ids = running(questions, before.words)[None]
    losses = [each.model.eval().loss(ids[:, :-1], ids[:, 1:])[0].item() for each in (before, after)]
    assert losses[1] < losses[0] - 0.05
    assert all(torch.equal(weight, kept[name]) for name, weight in before.model.state_dict().items())


def test_text_runs_on_from_end_to_end(questions):
    words = general_model(questions, 1).words
    ids = running(questions[:2], words)
    assert words.decode(ids.tolist()) == ["</s>", *questions[0].words, "</s>", *questions[1].words, "</s>"]


def test_scratch_is_drawn_anew_by_each_seed(questions):
    tables = []
    for seed in (0, 1):
        torch.manual_seed(seed)
        tables.append(fresh_model(questions, 1).model.token.embedding.weight)
    assert not torch.equal(*tables)


def test_schedules_and_numbers_of_groups_by_hand():
    assert [slanted(step, 100) for step in (0, 10)] == pytest.approx([1 / 32, 1.0])
    assert [constant(step, 100) for step in (0, 99)] == [1.0, 1.0]
    assert [cosine(step, 3) for step in (0, 1, 2)] == pytest.approx([(1 + c) / 2 for c in (0.7071068, 0, -0.7071068)])
    assert [gradually(step, 100, 5) for step in (0, 9, 10, 39, 40, 99)] == [1, 1, 2, 4, 5, 5]
    assert (all_at_once(0, 100, 5), head_alone(99, 100, 5)) == (5, 1)


@pytest.mark.parametrize(
    ("way", "moved"),
    [
        (Way(learning=head_alone), {"head"}),
        (Way(learning=all_at_once), {"head", "model"}),
        (Way("scratch", factor=1.0, learning=all_at_once), {"head", "model"}),
    ],
)
def test_what_moves(way, moved, questions):
    torch.manual_seed(0)
    learner = ulmfit_stages.StagedLearner(TASKS["TREC"], general_model(questions, 1), way)
    before = {name: weight.clone() for name, weight in learner.named_parameters()}
    optimizer = learner.optimizer(1e-2)
    learner.train()
    learner.before_step(0, 10)
    learner.loss([learner.encode(each) for each in questions[:8]]).backward()
    optimizer.step()
    changed = {
        name.split(".")[1] for name, weight in learner.named_parameters() if not torch.equal(weight, before[name])
    }
    assert changed == moved


def test_rates_fall_from_layer_to_layer(questions):
    learner = ulmfit_stages.StagedLearner(TASKS["TREC"], general_model(questions, 1), Way())
    rates = [group["lr"] for group in learner.optimizer(1.0).param_groups]
    assert rates == pytest.approx([2.6 ** -(len(rates) - 1 - level) for level in range(len(rates))])


@pytest.mark.parametrize("start", ulmfit_stages.STARTS)
def test_a_way_learns_a_rule(start, questions):
    """The first word tells the kind: easy to learn for any start."""
    train = list(questions[:48])
    way = Way(start, factor=1.0, learning=all_at_once)
    predict = ulmfit_stages.fit(TASKS["TREC"], questions, train, way, 2e-2, Training(300, 16), 1, 0)
    assert transfer_tasks.share_right(predict(train), train) > 60  # guessing: 17


def test_a_learner_does_not_change_what_others_begin_with(small, questions):
    kept = {name: weight.clone() for name, weight in target_model(questions, 1).model.state_dict().items()}
    way = Way(learning=all_at_once)
    ulmfit_stages.fit(TASKS["TREC"], questions, list(questions[:8]), way, 1e-2, Training(2, 8), 1, 0)
    assert all(torch.equal(w, kept[name]) for name, w in target_model(questions, 1).model.state_dict().items())


def test_examples_are_those_of_the_task(questions):
    assert isinstance(questions[0], TextExample)
    assert questions[0].words[0] == "wa"
