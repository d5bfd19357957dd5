"""The recipe of the two language models: its text, its sums, and the whole of it at a size of seconds."""

import math
from dataclasses import replace

import pytest
import torch

from qkv import assets
from qkv.models.elmo import ELMo
from qkv.recipes import elmo_lm
from qkv.recipes.elmo_lm import PRESETS, SIDES, corpus_of, num_words, pieces
from qkv.recipes.ngram import KneserNey, count_levels
from qkv.recipes.protocol import judge
from qkv.recipes.result import Result
from qkv.text.words import BEGIN, END, NUM_CHARACTERS, WordVocabulary, character_ids
from qkv.training.batches import Batch, pad

SMOKE = PRESETS["smoke"]


@pytest.fixture(scope="module")
def corpus() -> elmo_lm.Corpus:
    return corpus_of(SMOKE)


def batch_of(passage) -> Batch:
    spelled, words = zip(*passage, strict=True)
    return Batch(pad(spelled, 0), pad(words, 0))


def test_long_sentences_are_cut():
    assert pieces(list("abcde"), 3) == [["<s>", "a", "b", "c", "</s>"], ["<s>", "d", "e", "</s>"]]
    assert pieces(list("abc"), 3) == [["<s>", "a", "b", "c", "</s>"]]


def test_sentences_read_back(corpus):
    """What is read is the word as written; what is predicted is the same word, or <unk>."""
    for passages in corpus.splits.values():
        for spelled, words in passages[0]:
            written = [corpus.spellings[i - 1] for i in spelled]
            assert (written[0], written[-1]) == (BEGIN, END)
            assert len(written) == len(words) <= SMOKE.max_words + 2
            known = corpus.vocabulary.decode(words)
            assert all(word in (each, "<unk>") for each, word in zip(written, known, strict=True))
    assert len(corpus.vocabulary) == SMOKE.model.vocab_size


def test_the_vocabulary_is_that_of_the_training_passages(corpus):
    texts = elmo_lm.texts(SMOKE.num_passages)["train"]
    learnt = [word for passage in texts for sentence in passage for word in sentence]
    frequency = [learnt.count(word) for word in corpus.vocabulary.words[3:]]
    assert frequency == sorted(frequency, reverse=True)
    assert frequency[-1] > 0


def test_a_batch_is_spelled_no_wider_than_its_widest_word(corpus):
    batch = batch_of(corpus.splits["train"][0])
    characters, lengths, words = corpus.read(batch)
    assert characters.shape[:2] == words.shape
    row, place = 1, 2
    word = corpus.spellings[batch.source[row, place] - 1]
    assert [i for i in characters[row, place].tolist() if i] == character_ids(word)
    assert lengths.tolist() == [len(words) for _, words in corpus.splits["train"][0]]
    assert (characters[..., -1] != 0).any()
    assert characters[row, lengths[row] :].sum() == 0


def test_guessing_costs_ln_v_in_both_directions_and_all_passages(corpus):
    model = ELMo(SMOKE.model)
    for parameter in model.word_scores.parameters():
        torch.nn.init.zeros_(parameter)
    passages = corpus.splits["test"]
    for nats in elmo_lm.neural_losses(model.eval(), corpus, passages):
        expected = [math.log(SMOKE.model.vocab_size) * words for words in num_words(passages)]
        assert nats == pytest.approx(expected, rel=1e-5)


def test_as_many_predictions_as_words_and_one_mark(corpus):
    passage = corpus.splits["test"][0]
    _, count = ELMo(SMOKE.model).loss(*corpus.read(batch_of(passage)))
    assert num_words([passage]) == [count] == [sum(len(words) - 2 for _, words in passage) + len(passage)]


def test_trigrams_from_the_right_read_back_to_front():
    """By symmetry: what is learnt and scored is one sentence, so both directions find it equally likely."""
    words = [1, 3, 4, 5, 2]
    models = [KneserNey(count_levels([each], 3), 6, 0.5) for each in (words, words[::-1])]
    left, right = elmo_lm.trigram_losses(models, [[(words, words)], [(words, words)] * 2])
    assert left == pytest.approx(right)
    assert left[1] == pytest.approx(2 * left[0])
    assert left[0] < 4 * math.log(3)


@pytest.fixture
def finished(tmp_path, monkeypatch) -> Result:
    """The whole recipe at its smallest."""
    monkeypatch.setattr(elmo_lm, "runs_folder", lambda: tmp_path)
    values = {arm: {key: [value] for key, value in elmo_lm.run(SMOKE, arm, 0).items()} for arm in elmo_lm.arms(SMOKE)}
    effect, verdict = judge(elmo_lm, {}, values)
    return Result("", "", {}, [0], values, effect, verdict, 1, {}, "python -m qkv run elmo-lm")


def test_choose_test_and_tell(finished):
    """What is stored gives effect and facts."""
    values = finished.values
    assert values["biLM"]["words"] == values["trigrams"]["words"]
    for arm, trials in (("biLM", len(SMOKE.averaged)), ("trigrams", len(SMOKE.discounts))):
        (validation,), (chosen,) = values[arm]["validation"], values[arm]["chosen"]
        assert len(validation) == trials
        assert validation[chosen] == min(validation.values())
    logs = {arm: sum(math.log(values[arm][f"perplexity {side}"][0]) for side in SIDES) / 2 for arm in values}
    assert finished.effect.mean == pytest.approx(logs["trigrams"] - logs["biLM"], abs=1e-4)
    trigrams = [values["trigrams"][f"perplexity {side}"][0] for side in SIDES]
    assert max(trigrams) < 1.1 * min(trigrams)  # English is about as hard to guess from either side
    facts = elmo_lm.facts(finished)
    assert facts["passages"] == SMOKE.num_passages
    assert 1 < facts["perplexity trigrams"].value < SMOKE.model.vocab_size
    assert facts["perplexity biLM from left"].value == pytest.approx(
        values["biLM"]["perplexity from left"][0], abs=1e-3
    )


def test_what_is_published_is_what_was_tested(finished, tmp_path, monkeypatch, corpus):
    """Weights and card go to the package; read back by name, they give the stored losses."""
    (tmp_path / "weights").mkdir()
    monkeypatch.setattr(assets, "__file__", str(tmp_path / "assets.py"))
    monkeypatch.setattr(elmo_lm, "load_result", lambda name: finished)
    monkeypatch.setattr(elmo_lm.claims, "field", lambda name, fact: str(elmo_lm.facts(finished)[fact].value))
    monkeypatch.setattr(elmo_lm, "PRESETS", {"full": SMOKE})
    elmo_lm.publish()
    losses = elmo_lm.neural_losses(ELMo.from_pretrained("elmo"), corpus, corpus.splits["test"])
    for side, nats in zip(SIDES, losses, strict=True):
        assert nats == pytest.approx(finished.values["biLM"][f"nats {side}"][0], abs=1e-2)
    _, card = assets.weights("elmo")
    assert WordVocabulary(card["words"]).words == corpus.vocabulary.words


def test_a_run_that_stopped_goes_on_to_the_same_numbers(tmp_path):
    whole = elmo_lm.fit(SMOKE, tmp_path / "whole")
    elmo_lm.fit(SMOKE, tmp_path / "halves")
    (tmp_path / "halves" / "step_000004.pt").unlink()
    assert elmo_lm.fit(SMOKE, tmp_path / "halves") == whole
    assert [record["step"] for record in whole if "validation_loss" in record] == [2, 4]


def test_what_is_tested_has_half_precision(tmp_path):
    elmo_lm.fit(SMOKE, tmp_path)
    model = elmo_lm.published(SMOKE, tmp_path, 1)
    assert all(torch.equal(weight, weight.half().float()) for weight in model.state_dict().values())
    with pytest.raises(ValueError, match="at least 3 checkpoints to average, found 2"):
        elmo_lm.published(SMOKE, tmp_path, 3)


def test_a_passage_is_learnt_by_heart(tmp_path):
    """One passage, again and again: both directions soon know it better than the words' frequencies tell."""
    model = replace(SMOKE.model, d_model=24, d_cell=32, dropout=0.0)
    config = replace(SMOKE, model=model, num_passages=1, batch_size=64, settings=replace(SMOKE.settings, num_steps=100))
    history = elmo_lm.fit(config, tmp_path)
    corpus = corpus_of(config)
    words = [word for _, each in corpus.splits["train"][0] for word in each[1:]]
    entropy = -sum(words.count(word) / len(words) * math.log(words.count(word) / len(words)) for word in set(words))
    assert history[-1]["loss"] < 0.9 * entropy


def test_the_full_run_reads_characters_and_fits_into_four_megabytes():
    config = PRESETS["full"].model
    assert config.num_characters == NUM_CHARACTERS
    assert 2 * sum(parameter.numel() for parameter in ELMo(config).parameters()) <= 4_000_000
