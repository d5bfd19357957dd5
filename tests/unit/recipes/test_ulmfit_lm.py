"""The recipe of the general language model: its running text, its sums, and the whole of it at a size of seconds."""

import math
from dataclasses import replace

import pytest
import torch

from qkv import assets
from qkv.models.awd_lstm import AWDLSTM
from qkv.recipes import ulmfit_lm
from qkv.recipes.elmo_lm import Corpus, num_words
from qkv.recipes.protocol import judge
from qkv.recipes.result import Result
from qkv.recipes.ulmfit_lm import PRESETS, corpus_of, running
from qkv.text.words import BEGIN, END, WordVocabulary

SMOKE = PRESETS["smoke"]


@pytest.fixture(scope="module")
def corpus() -> Corpus:
    return corpus_of(SMOKE)


def test_running_text_by_hand():
    """Two passages, of two sentences and of one; ids 1 and 2 are <s> and </s>."""
    vocabulary = WordVocabulary(["a", "b", "c"])
    sentences = [[BEGIN, "a", "b", END], [BEGIN, "c", END], [BEGIN, "b", END]]
    first, second, third = (([], vocabulary.encode(words)) for words in sentences)
    corpus = Corpus(vocabulary, (), {})
    assert running([[first, second], [third]], corpus).tolist() == [2, 3, 4, 2, 5, 2, 4, 2]


def test_as_many_predictions_as_the_trigrams_have(corpus):
    for passage in corpus.splits["test"]:
        assert len(running([passage], corpus)) - 1 == num_words([passage])[0]


def test_guessing_costs_ln_v(corpus):
    model = AWDLSTM(SMOKE.model).eval()
    torch.nn.init.zeros_(model.token.embedding.weight)
    passages = corpus.splits["test"]
    expected = [math.log(SMOKE.model.vocab_size) * words for words in num_words(passages)]
    assert ulmfit_lm.neural_losses(model, corpus, passages) == pytest.approx(expected, rel=1e-5)


@pytest.fixture
def finished(tmp_path, monkeypatch) -> Result:
    """The whole recipe at its smallest."""
    monkeypatch.setattr(ulmfit_lm, "runs_folder", lambda: tmp_path)
    values = {
        arm: {key: [value] for key, value in ulmfit_lm.run(SMOKE, arm, 0).items()} for arm in ulmfit_lm.arms(SMOKE)
    }
    effect, verdict = judge(ulmfit_lm, {}, values)
    return Result("", "", {}, [0], values, effect, verdict, 1, {}, "python -m qkv run ulmfit-lm")


def test_choose_test_and_tell(finished):
    """What is stored gives effect and facts."""
    values = finished.values
    assert values["AWD-LSTM"]["words"] == values["trigrams"]["words"]
    for arm, trials in (("AWD-LSTM", len(SMOKE.averaged)), ("trigrams", len(SMOKE.discounts))):
        (validation,), (chosen,) = values[arm]["validation"], values[arm]["chosen"]
        assert len(validation) == trials
        assert validation[chosen] == min(validation.values())
    neural, counted = (math.log(values[arm]["perplexity"][0]) for arm in ("AWD-LSTM", "trigrams"))
    assert finished.effect.mean == pytest.approx(counted - neural, abs=1e-4)
    facts = ulmfit_lm.facts(finished)
    assert facts["passages"] == SMOKE.num_passages
    assert 1 < facts["perplexity trigrams"].value < SMOKE.model.vocab_size
    assert facts["perplexity AWD-LSTM"].value == pytest.approx(values["AWD-LSTM"]["perplexity"][0], abs=1e-3)


def test_what_is_published_is_what_was_tested(finished, tmp_path, monkeypatch, corpus):
    """Weights and card go to the package; read back by name, they give the stored losses."""
    (tmp_path / "weights").mkdir()
    monkeypatch.setattr(assets, "__file__", str(tmp_path / "assets.py"))
    monkeypatch.setattr(ulmfit_lm, "load_result", lambda name: finished)
    monkeypatch.setattr(ulmfit_lm.claims, "field", lambda name, fact: str(ulmfit_lm.facts(finished)[fact].value))
    monkeypatch.setattr(ulmfit_lm, "PRESETS", {"full": SMOKE})
    ulmfit_lm.publish()
    losses = ulmfit_lm.neural_losses(AWDLSTM.from_pretrained("ulmfit"), corpus, corpus.splits["test"])
    assert losses == pytest.approx(finished.values["AWD-LSTM"]["nats"][0], abs=1e-2)
    _, card = assets.weights("ulmfit")
    assert WordVocabulary(card["words"]).words == corpus.vocabulary.words


def test_a_run_that_stopped_goes_on_to_the_same_numbers(tmp_path):
    """In the middle of the text, so that the carried state counts."""
    whole = ulmfit_lm.fit(SMOKE, tmp_path / "whole")
    ulmfit_lm.fit(SMOKE, tmp_path / "halves")
    (tmp_path / "halves" / "step_000004.pt").unlink()
    assert ulmfit_lm.fit(SMOKE, tmp_path / "halves") == whole
    assert [record["step"] for record in whole if "validation_loss" in record] == [2, 4]


def test_what_is_tested_has_half_precision(tmp_path):
    ulmfit_lm.fit(SMOKE, tmp_path)
    model = ulmfit_lm.published(SMOKE, tmp_path, 1)
    assert all(torch.equal(weight, weight.half().float()) for weight in model.state_dict().values())
    with pytest.raises(ValueError, match="at least 3 checkpoints to average, found 2"):
        ulmfit_lm.published(SMOKE, tmp_path, 3)


def test_a_passage_is_learnt_by_heart(tmp_path):
    """One passage, again and again: the model soon knows it better than the words' frequencies tell."""
    none = {name: 0.0 for name in vars(SMOKE.model) if name.endswith("dropout")}
    model = replace(SMOKE.model, d_model=24, d_hidden=32, num_layers=1, **none)
    settings = replace(SMOKE.settings, num_steps=150, checkpoint_every=150)
    config = replace(SMOKE, model=model, num_passages=1, batch_size=8, chunk_length=200, settings=settings)
    ulmfit_lm.fit(config, tmp_path)
    passages, corpus = corpus_of(config).splits["train"], corpus_of(config)
    words = running(passages, corpus)[1:].tolist()
    entropy = -sum(words.count(word) / len(words) * math.log(words.count(word) / len(words)) for word in set(words))
    (nats,) = ulmfit_lm.neural_losses(ulmfit_lm.published(config, tmp_path, 1), corpus, passages)
    assert nats / len(words) < 0.9 * entropy


def test_the_full_run_fits_into_four_megabytes():
    assert 2 * sum(parameter.numel() for parameter in AWDLSTM(PRESETS["full"].model).parameters()) <= 4_000_000
