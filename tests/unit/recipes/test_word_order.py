"""The small task of chapter 07: what is exchanged, what is read, what fine-tuning moves."""

import random

import pytest
import torch

from qkv.models.awd_lstm import AWDLSTM, AWDLSTMConfig
from qkv.recipes import word_order
from qkv.text.words import WordVocabulary
from qkv.transfer.unfreezing import unfreeze_gradually

SENTENCES = [["a", "b", "c", "d", "e", "f"], ["b", "c", "a", "e", "d", "f", "a"], ["f", "e", "d", "c", "b", "a"]]
VOCABULARY = WordVocabulary("abcdef")


@pytest.fixture
def model():
    torch.manual_seed(0)
    return AWDLSTM(AWDLSTMConfig(len(VOCABULARY), 5, 7, 2, 0.0, 0.0, 0.0, 0.0, 0.0))


@pytest.mark.parametrize("seed", range(50))
def test_exchanged_keeps_the_words_and_never_their_order(seed):
    words = list("abcdefg")
    moved = word_order.exchanged(words, random.Random(seed))
    assert sorted(moved) == words
    assert moved != words
    assert words == list("abcdefg"), "the sentence itself stays"


def test_every_second_sentence_is_exchanged_and_padded_on_the_right():
    ids, lengths, labels = word_order.labelled(SENTENCES, VOCABULARY)
    assert lengths.tolist() == [7, 8, 7]
    assert labels.tolist() == [0, 1, 0]
    assert ids.shape == (3, 8)
    assert VOCABULARY.decode(ids[0, :7].tolist()) == ["</s>", *SENTENCES[0]]
    exchanged = VOCABULARY.decode(ids[1].tolist())[1:]
    assert exchanged != SENTENCES[1]
    assert sorted(exchanged) == sorted(SENTENCES[1])
    assert (ids[[0, 2], 7] == 0).all()


def test_running_ends_every_sentence():
    text = VOCABULARY.decode(word_order.running(SENTENCES[:2], VOCABULARY).tolist())
    assert text == [*SENTENCES[0], "</s>", *SENTENCES[1], "</s>"]


def test_reading_lowers_the_surprise_and_surprise_leaves_the_mode(model):
    text = word_order.running(SENTENCES * 40, VOCABULARY)
    before = word_order.surprise(model, text)
    word_order.learn_to_read(model, text, num_steps=25, peak_lr=0.05)
    assert word_order.surprise(model, text) < before - 0.1
    assert model.training


def test_fine_tuning_copies_the_model_and_is_the_same_each_time(model):
    data = word_order.labelled(SENTENCES * 14, VOCABULARY)
    weights = {name: weight.clone() for name, weight in model.state_dict().items()}
    first, losses = word_order.fine_tune(model, data, passes=2)
    again, same = word_order.fine_tune(model, data, passes=2)
    assert losses == same
    assert len(losses) == 2 * 3  # 42 texts in batches of 20
    assert all(torch.equal(weights[name], weight) for name, weight in model.state_dict().items())
    assert not first.training
    assert word_order.right(first, data) == word_order.right(again, data)


def test_moved_tells_who_learned(model):
    data = word_order.labelled(SENTENCES * 14, VOCABULARY)
    start, none = word_order.fine_tune(model, data, passes=0)
    assert none == []
    assert word_order.moved(start, start) == [0, 0, 0, 0]
    once, _ = word_order.fine_tune(model, data, thaw=unfreeze_gradually, passes=1)
    assert [bool(distance > 0) for distance in word_order.moved(start, once)] == [False, False, False, True]


def test_reviews_divides_without_overlap():
    kept, to_read, vocabulary = word_order.reviews()
    assert len(vocabulary) == 1500
    assert all(6 <= len(words) <= 25 for words in kept)
    assert not {tuple(words) for words in kept} & {tuple(words) for words in to_read}
