"""Heads over every word: which states they read, and what they learn from."""

import pytest
import torch
from torch.nn.functional import cross_entropy

from qkv.models import awd_lstm, gpt
from qkv.models.awd_lstm import AWDLSTM
from qkv.models.gpt import GPT
from qkv.transfer.word_heads import GPTTagger, MixClassifier, MixTagger, RecurrentTagger, at_places

LENGTHS = torch.tensor([3, 5])


@pytest.fixture
def layers():
    return torch.randn(3, 2, 5, 7, generator=torch.Generator().manual_seed(0))


def test_the_tagger_reads_the_mean_of_the_layers_word_by_word(layers):
    head = MixTagger(3, 7, 4).eval()
    mean = layers.mean(0)
    expected = head.linear(torch.cat([mean[0, :3], mean[1]]))
    torch.testing.assert_close(head(layers, LENGTHS), expected)


def test_the_classifier_reads_last_max_and_mean(layers):
    head = MixClassifier(3, 7, 4).eval()
    mean = layers.mean(0)
    pooled = [torch.cat([each[-1], each.amax(0), each.mean(0)]) for each in (mean[0, :3], mean[1])]
    torch.testing.assert_close(head(layers, LENGTHS), head.linear(torch.stack(pooled)))


@pytest.mark.parametrize("kind", [MixTagger, MixClassifier])
def test_padding_does_not_matter(layers, kind):
    head = kind(3, 7, 4).eval()
    before = head(layers, LENGTHS)
    layers[:, 0, 3:] = 99.0
    torch.testing.assert_close(head(layers, LENGTHS), before)


def test_recurrent_tagger_scores_states_and_groups_hold_every_weight_once():
    model = AWDLSTM(awd_lstm.PRESETS["smoke"])
    tagger, ids = RecurrentTagger(model, 4).eval(), torch.tensor([[3, 4, 5]])
    torch.testing.assert_close(tagger(ids), tagger.linear(model.read(ids)[0]))
    grouped = [id(each) for group in tagger.groups() for each in group]
    assert len(grouped) == len(set(grouped))
    assert set(grouped) == {id(each) for name, each in tagger.named_parameters() if name != "model.bias"}
    assert len(tagger.groups()) == 5


def test_gpt_tagger_learns_tags_and_next_tokens():
    """L2 over tagged tokens, and λ times the mean over rows of the mean over next tokens."""
    model = GPT(gpt.PRESETS["smoke"])
    tagger = GPTTagger(model, 4).eval()
    ids, lengths = torch.tensor([[5, 6, 7, 0], [8, 9, 10, 11]]), torch.tensor([3, 4])
    tags = torch.tensor([[-100, 2, -100, -100], [1, -100, 3, -100]])
    scores, following = tagger(ids), model(ids)
    task = cross_entropy(torch.stack([scores[0, 1], scores[1, 0], scores[1, 2]]), torch.tensor([2, 1, 3]))
    rows = [cross_entropy(following[0, :2], ids[0, 1:3]), cross_entropy(following[1, :3], ids[1, 1:])]
    torch.testing.assert_close(tagger.loss(ids, lengths, tags, 0.0), task)
    torch.testing.assert_close(tagger.loss(ids, lengths, tags, 0.5), task + 0.5 * (rows[0] + rows[1]) / 2)


def test_places_by_hand():
    scores = torch.arange(12.0).view(2, 3, 2)
    assert at_places(scores, [[1], [0, 2]]).tolist() == [[2, 3], [6, 7], [10, 11]]
    with pytest.raises(ValueError, match="expected places for 2 texts, got them for 1"):
        at_places(scores, [[1]])
