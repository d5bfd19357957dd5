"""The recipe of the small BERT: its text, its gaps, its sums, and the whole of it at a size of seconds."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from qkv import assets
from qkv.data.masking import IGNORED
from qkv.models.bert import BERTForPreTraining
from qkv.recipes import bert_mlm
from qkv.recipes.bert_mlm import PRESETS, MaskedBatches, Scores, corpus_of, questions, reach_at, rows, within
from qkv.recipes.protocol import judge
from qkv.recipes.result import Result
from qkv.text.wordpiece import WordPiece

SMOKE = PRESETS["smoke"]


@pytest.fixture(scope="module")
def corpus() -> bert_mlm.Corpus:
    return corpus_of(SMOKE)


def test_a_text_in_rows():
    pieces = WordPiece(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *"abc"])
    assert rows("a b c a b", pieces, 5) == [[2, 5, 6, 7, 3], [2, 5, 6, 3]]
    assert rows("", pieces, 5) == []


def test_the_pieces_are_those_of_the_training_passages(corpus):
    assert len(corpus.pieces) == SMOKE.model.vocab_size
    longest = max(len(row) for passages in corpus.splits.values() for passage in passages for row in passage)
    assert longest == SMOKE.model.max_length
    unknown = corpus.pieces.ids["[UNK]"]
    assert not any(unknown in row for passage in corpus.splits["train"] for row in passage)


def test_questions_are_always_the_same_and_hide_all_that_is_asked(corpus):
    first, again = questions(corpus, "test"), questions.__wrapped__(corpus, "test")
    for (ids, labels), (ids_again, _), passage in zip(first, again, corpus.splits["test"], strict=True):
        assert torch.equal(ids, ids_again)
        assert (ids[labels != IGNORED] == corpus.pieces.ids["[MASK]"]).all()
        whole = ids.where(labels == IGNORED, labels)
        assert [row[row != corpus.pieces.ids["[PAD]"]].tolist() for row in whole] == list(passage)
        assert 0.05 < (labels != IGNORED).float().mean() < 0.3


def test_every_row_once_per_epoch_with_gaps_anew(corpus):
    config = replace(PRESETS["smoke"], batch_size=4)
    batches = MaskedBatches(corpus, config, seed=0)
    per_epoch = len(batches.rows) // 4
    assert len(set(batches.order(0)[: per_epoch * 4])) == per_epoch * 4
    assert batches.order(0) != batches.order(1)
    jumped = MaskedBatches(corpus, config, seed=0)[per_epoch + 1]
    assert all(torch.equal(a, b) for a, b in zip(batches[per_epoch + 1], jumped, strict=True))
    assert not torch.equal(batches[0][0], MaskedBatches(corpus, config, seed=1)[0][0])
    with pytest.raises(ValueError, match="at least batch_size = 9999 rows, got"):
        MaskedBatches(corpus, replace(config, batch_size=9999), seed=0)


def test_training_chooses_the_share_it_says_and_no_special_token(corpus):
    for share in (0.15, 0.6):
        batches = MaskedBatches(corpus, replace(PRESETS["smoke"], batch_size=4, chosen=share), seed=0)
        drawn = [batches[step] for step in range(30)]
        ids, labels = (torch.cat([getattr(each, name).flatten() for each in drawn]) for name in ("ids", "labels"))
        special = torch.tensor([corpus.pieces.ids[token] for token in ("[PAD]", "[CLS]", "[SEP]")])
        pieces = ~torch.isin(ids, special)
        assert (labels[~pieces] == IGNORED).all()
        assert (labels[pieces] != IGNORED).float().mean().item() == pytest.approx(share, abs=0.05)


def test_how_far_a_piece_may_look_grows_from_its_neighbours_to_the_row(corpus):
    assert [reach_at(step, [(0, 1), (2, 3), (5, None)]) for step in range(7)] == [1, 1, 3, 3, 3, None, None]
    with pytest.raises(ValueError, match=r"to begin at step 0, got \(\(3, None\),\)"):
        reach_at(5, ((3, None),))
    assert within(4, 1).int().tolist() == [[1, 1, 0, 0], [1, 1, 1, 0], [0, 1, 1, 1], [0, 0, 1, 1]]
    assert within(4, None).all()
    every_row = sum(map(len, corpus.splits["train"]))
    config = replace(PRESETS["smoke"], batch_size=every_row, reaches=((0, 1), (3, None)))
    batches, pad_id = MaskedBatches(corpus, config, seed=0), corpus.pieces.ids["[PAD]"]
    for step, reach in ((2, 1), (3, None)):
        ids, _, may_attend = batches[step]
        length = ids.shape[1]
        expected = within(length, reach) & (ids != pad_id)[:, None] | torch.eye(length, dtype=torch.bool)
        assert torch.equal(may_attend, expected)
        assert (ids == pad_id).any()


def test_a_passage_without_gaps_counts_for_nothing():
    ids, labels = torch.tensor([[2, 7, 3]]), torch.full((1, 3), IGNORED)
    even = np.full(10, 0.1)
    found = bert_mlm.counted_scores(
        lambda left, right: even, [(ids, labels), (ids, torch.tensor([[IGNORED, 7, IGNORED]]))]
    )
    assert found.gaps == [0, 1]
    assert found.nats == pytest.approx([0, math.log(10)])


def test_guessing_costs_ln_v(corpus):
    model = BERTForPreTraining(SMOKE.model).eval()
    for parameter in (model.bert.token.weight, model.bias):
        torch.nn.init.zeros_(parameter)
    scores = bert_mlm.bert_scores(model, corpus, questions(corpus, "test"))
    assert scores.loss == pytest.approx(math.log(SMOKE.model.vocab_size), rel=1e-4)
    assert scores.gaps == [int((labels != IGNORED).sum()) for _, labels in questions(corpus, "test")]


def test_counts_by_hand():
    """One gap between 5 and 6; of four pieces the second is asked for, the third has most."""
    ids, labels = torch.tensor([[2, 5, 4, 6, 3]]), torch.tensor([[-100, -100, 1, -100, -100]])
    asked = []

    def distribution(left, right):
        asked.append((left, right))
        return np.array([0.1, 0.25, 0.5, 0.15])

    scores = bert_mlm.counted_scores(distribution, [(ids, labels)])
    assert asked == [(5, 6)]
    assert vars(scores) == vars(Scores([math.log(4)], [0], [1])) | {"nats": [pytest.approx(math.log(4))]}


def test_both_neighbours_count_and_a_hidden_one_does_not(corpus):
    model = bert_mlm.neighbours(SMOKE)["discount 0.6"]
    row = corpus.splits["train"][0][0]
    left, piece, right = row[4:7]
    mask_id = corpus.pieces.ids["[MASK]"]
    known = model.distribution(left, right)
    assert known.sum() == pytest.approx(1)
    assert known[piece] > model.distribution(left, mask_id)[piece]
    assert known[piece] > model.distribution(mask_id, right)[piece]
    alone = model.distribution(mask_id, mask_id)
    assert alone == pytest.approx((model.left_first.distribution([]) + model.right_first.distribution([])) / 2)


@pytest.fixture
def finished(tmp_path, monkeypatch) -> Result:
    """The whole recipe at its smallest."""
    monkeypatch.setattr(bert_mlm, "runs_folder", lambda: tmp_path)
    values = {arm: {key: [value] for key, value in bert_mlm.run(SMOKE, arm, 0).items()} for arm in bert_mlm.arms(SMOKE)}
    effect, verdict = judge(bert_mlm, {}, values)
    return Result("", "", {}, [0], values, effect, verdict, 1, {}, "python -m qkv run bert-mlm")


def test_choose_test_and_tell(finished):
    """What is stored gives effect and facts; knowing the neighbours helps."""
    values = finished.values
    assert values["BERT"]["gaps"] == values["neighbours"]["gaps"] == values["frequency"]["gaps"]
    for arm, trials in (("BERT", 2), ("neighbours", 2), ("frequency", 1)):
        (validation,), (chosen,) = values[arm]["validation"], values[arm]["chosen"]
        assert len(validation) == trials
        assert validation[chosen] == min(validation.values())
    losses = {arm: values[arm]["loss"][0] for arm in values}
    assert finished.effect.mean == pytest.approx(losses["neighbours"] - losses["BERT"], abs=1e-3)
    assert losses["neighbours"] < losses["frequency"] < math.log(SMOKE.model.vocab_size)
    facts = bert_mlm.facts(finished)
    assert facts["passages"] == SMOKE.num_passages
    assert facts["accuracy neighbours"].value > facts["accuracy frequency"].value > 0


def test_what_is_published_is_what_was_tested(finished, tmp_path, monkeypatch, corpus):
    """Weights and pieces go to the package; read back, they give the stored losses."""
    (tmp_path / "weights").mkdir()
    monkeypatch.setattr(assets, "__file__", str(tmp_path / "assets.py"))
    monkeypatch.setattr(bert_mlm, "load_result", lambda name: finished)
    monkeypatch.setattr(bert_mlm.claims, "field", lambda name, fact: str(bert_mlm.facts(finished)[fact].value))
    monkeypatch.setattr(bert_mlm, "PRESETS", {"full": SMOKE})
    bert_mlm.publish()
    model = BERTForPreTraining(SMOKE.model).eval()
    model.load_state_dict(load_file(tmp_path / "weights" / "bert.safetensors"))
    scores = bert_mlm.bert_scores(model, corpus, questions(corpus, "test"))
    assert scores.nats == pytest.approx(finished.values["BERT"]["nats"][0], abs=1e-2)
    assert WordPiece.from_pretrained("bert").vocabulary == corpus.pieces.vocabulary


def test_a_run_that_stopped_goes_on_to_the_same_numbers(tmp_path):
    whole = bert_mlm.fit(SMOKE, tmp_path / "whole")
    bert_mlm.fit(SMOKE, tmp_path / "halves")
    (tmp_path / "halves" / "step_000004.pt").unlink()
    assert bert_mlm.fit(SMOKE, tmp_path / "halves") == whole
    assert [record["step"] for record in whole if "validation_loss" in record] == [2, 4]


def test_what_is_tested_has_half_precision(tmp_path):
    bert_mlm.fit(SMOKE, tmp_path)
    model = bert_mlm.published(SMOKE, tmp_path, 1)
    assert all(torch.equal(weight, weight.half().float()) for weight in model.state_dict().values())
    with pytest.raises(ValueError, match="at least 3 checkpoints to average, found 2"):
        bert_mlm.published(SMOKE, tmp_path, 3)


def test_the_full_run_fits_into_four_megabytes():
    config = PRESETS["full"].model
    assert 2 * sum(parameter.numel() for parameter in BERTForPreTraining(config).parameters()) <= 4_000_000
