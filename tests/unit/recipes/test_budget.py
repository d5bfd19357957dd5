"""Checkpoints of two language models as readers of questions, at a size of seconds."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from qkv.recipes import bert_mlm, budget, gpt_lm, transfer_tasks
from qkv.recipes.bert_mlm import within
from qkv.recipes.budget import PRESETS, Arm
from qkv.recipes.protocol import judge
from qkv.recipes.result import Result
from qkv.recipes.transfer_tasks import TextExample
from qkv.training import checkpoint

SMOKE = PRESETS["smoke"]
QUESTION = TextExample(("What", "is", "the", "name", "?"), (0,))


@pytest.fixture(autouse=True)
def folders(tmp_path, monkeypatch):
    for module in (gpt_lm, bert_mlm):
        monkeypatch.setattr(module, "runs_folder", lambda: tmp_path)
    return tmp_path


def test_which_arms_there_are():
    """Until its second step the small BERT may look at its neighbours alone."""
    assert budget.arms(SMOKE) == [
        *(f"GPT, step {step}" for step in (0, 2, 4)),
        *(f"BERT, step {step}" for step in (0, 2, 4)),
        "BERT with its whole row, step 2",
    ]
    short = [arm.step for arm in budget.plan(PRESETS["full"]) if arm.model == budget.WHOLE_ROW]
    assert short == [600, 1_200]


def test_budgets_are_steps_at_which_both_have_a_checkpoint():
    config = PRESETS["full"]
    for run in (config.gpt, config.bert):
        assert all(step % run.settings.checkpoint_every == 0 for step in config.steps)
        assert config.steps[-1] <= run.settings.num_steps


def test_the_mark_is_read_and_not_averaged():
    model, tokens = budget._gpt(SMOKE.gpt, 2, 0), gpt_lm.corpus_of(SMOKE.gpt).tokens
    with torch.no_grad():
        states = model.hidden_states(torch.tensor([[0, *tokens.encode("What is the name ?")]]))[0]
        found = budget.gpt_reader(SMOKE, 2, 0)(QUESTION)
    torch.testing.assert_close(found, states[1:].mean(0))


def test_bert_reads_within_its_reach_and_without_marks():
    corpus = bert_mlm.corpus_of(SMOKE.bert)
    ids = torch.tensor(bert_mlm.rows("What is the name ?", corpus.pieces, 32)[0])[None]
    model = budget._bert(SMOKE.bert, 2, 0)
    with torch.no_grad():
        for reach in (1, None):
            expected = model(ids, may_attend=within(ids.shape[1], reach)[None])[0, 1:-1].mean(0)
            torch.testing.assert_close(budget.bert_reader(SMOKE, 2, 0, reach)(QUESTION), expected)
        as_trained, whole, last = (
            budget._reader(SMOKE, Arm(model, step), 0)(QUESTION)
            for model, step in ((budget.BERT_NAME, 2), (budget.WHOLE_ROW, 2), (budget.BERT_NAME, 4))
        )
        torch.testing.assert_close(as_trained, budget.bert_reader(SMOKE, 2, 0, 1)(QUESTION))
        torch.testing.assert_close(whole, budget.bert_reader(SMOKE, 2, 0, None)(QUESTION))
        torch.testing.assert_close(last, budget.bert_reader(SMOKE, 4, 0, None)(QUESTION))
    assert not torch.equal(as_trained, whole)


def test_each_budget_is_its_own_checkpoint(folders):
    """Read from the files that the two recipes keep, in half precision; step 0 is none of them."""
    budget._bert(SMOKE.bert, 2, 0)
    folder = bert_mlm.checkpoints(SMOKE.bert, 0)
    for step in (2, 4):
        kept = checkpoint.load(folder / f"step_{step:06d}.pt")["model"]["bert.token.weight"]
        assert torch.equal(budget._bert(SMOKE.bert, step, 0).token.weight, kept.half().float())
        theirs = checkpoint.load(_gpt_file(step))["model"]["token.weight"]
        assert torch.equal(budget._gpt(SMOKE.gpt, step, 0).token.weight, theirs.half().float())
    assert not torch.equal(budget._bert(SMOKE.bert, 0, 0).token.weight, budget._bert(SMOKE.bert, 2, 0).token.weight)
    assert torch.equal(budget._gpt(SMOKE.gpt, 0, 0).token.weight, budget._gpt(SMOKE.gpt, 0, 0).token.weight)


def _gpt_file(step):
    return budget._checkpoint(gpt_lm, SMOKE.gpt, step, 0)


def test_what_is_there_is_not_trained_again(monkeypatch):
    file = _gpt_file(2)
    monkeypatch.setattr(gpt_lm, "fit", lambda *given: pytest.fail("trained again"))
    assert budget._checkpoint(gpt_lm, SMOKE.gpt, 4, 0) == file.with_name("step_000004.pt")


def test_long_questions_are_cut():
    long = TextExample(tuple("name" for _ in range(200)), (0,))
    for read in (budget.gpt_reader(SMOKE, 2, 0), budget.bert_reader(SMOKE, 2, 0, None)):
        assert read(long).isfinite().all()


def questions_like(name):
    """Two kinds of questions, told by a word."""
    rows = [{"text": f"{'who' if i % 2 else 'where'} is number {i}", "label": i % 2} for i in range(90)]
    return {"train": rows[:50], "validation": rows[50:70], "test": rows[70:]}


@pytest.fixture
def measured(monkeypatch):
    monkeypatch.setattr(transfer_tasks, "load", questions_like)
    transfer_tasks.splits.cache_clear()
    yield {arm: {name: [value] for name, value in budget.run(SMOKE, arm, 0).items()} for arm in budget.arms(SMOKE)}
    transfer_tasks.splits.cache_clear()


def test_from_run_to_verdict(measured):
    config = {"steps": list(SMOKE.steps)}
    effect, verdict = judge(budget, config, measured)
    right = {arm: np.mean(measured[arm]["right"][0]) for arm in measured}
    assert effect.mean == pytest.approx(100 * (right["GPT, step 2"] - right["BERT, step 2"]), abs=1e-4)
    facts = budget.facts(Result("", "", config, [0], measured, effect, verdict, 1, {}, ""))
    assert facts["questions"] == 20
    for arm in measured:
        assert measured[arm]["accuracy"][0] == pytest.approx(100 * right[arm])
        assert facts[f"accuracy {arm}"].value == pytest.approx(100 * right[arm], abs=0.01)
    whole = right["GPT, step 2"] - right["BERT with its whole row, step 2"]
    assert facts["GPT minus BERT with its whole row, step 2"].mean == pytest.approx(100 * whole, abs=1e-4)
    gain = right["BERT, step 4"] - right["BERT, step 0"]
    assert facts["gain BERT, step 4"].mean == pytest.approx(100 * gain, abs=1e-4)
    assert "GPT minus BERT with its whole row, step 4" not in facts


def test_tokens_of_a_budget():
    """GPT predicts all it reads; BERT the chosen pieces of its rows, marks left out."""
    size = SMOKE.gpt.batch_size * SMOKE.gpt.model.max_length
    assert budget._tokens(SMOKE, Arm("GPT", 2)) == {"read": 2 * size, "predicted": 2 * size}
    found = budget._tokens(SMOKE, Arm("BERT", 3))
    batches = bert_mlm.MaskedBatches(bert_mlm.corpus_of(SMOKE.bert), replace(SMOKE.bert, batch_size=1), 0)
    mean = sum(len(row) - 2 for row in batches.rows) / len(batches.rows)
    assert found["read"] == round(3 * SMOKE.bert.batch_size * mean)
    assert found["predicted"] == pytest.approx(0.4 * found["read"], abs=1)


def test_the_penalty_is_chosen_on_validation_questions_alone(monkeypatch, measured):
    """One penalty is right on validation questions and wrong on test questions, the others the other way about."""
    data = transfer_tasks.splits("TREC", SMOKE.max_words, 10_000, 10_000)

    class Told:
        def __init__(self, strength):
            self.is_the_one, self.asked = strength == budget.STRENGTHS[1], iter((data.validation, data.test))

        def fit(self, x, y):
            return self

        def predict(self, x):
            examples = next(self.asked)
            truth = np.array([each.labels[0] for each in examples])
            return truth if self.is_the_one == (examples is data.validation) else 1 - truth

    monkeypatch.setattr(budget, "_classifier", Told)
    record = budget.run(SMOKE, "GPT, step 0", 0)
    assert record["chosen"] == budget.STRENGTHS[1]
    assert record["accuracy"] == 0
    assert record["validation"] == [0, 100, 0, 0, 0]
