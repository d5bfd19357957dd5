"""The classifier: chunks change nothing but where gradients come from, padding changes nothing at all."""

import math
from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn

from qkv.models.awd_lstm import AWDLSTM, PRESETS, AWDLSTMConfig
from qkv.transfer.classifier import ClassifierHead, RecurrentClassifier
from qkv.transfer.pooling import concat_pooling

SMOKE = replace(PRESETS["smoke"], embedding_dropout=0.0, input_dropout=0.0, weight_dropout=0.0, hidden_dropout=0.0)
LENGTHS = torch.tensor([11, 4, 8])
IDS = torch.arange(33).view(3, 11)  # no id twice: a row of the table stands for a place


def classifier(**sizes: int) -> RecurrentClassifier:
    torch.manual_seed(0)
    return RecurrentClassifier(AWDLSTM(SMOKE), 4, **sizes).double()


@pytest.mark.parametrize("chunk_length", [1, 3, 4, 70])
@pytest.mark.parametrize("gradient_chunks", [1, 20])
def test_in_chunks_as_in_one_piece(chunk_length, gradient_chunks):
    """The state is carried, and the states of all chunks are pooled."""
    model = classifier(chunk_length=chunk_length, gradient_chunks=gradient_chunks).eval()
    whole, _ = model.model.read(IDS)
    expected = model.head(concat_pooling(whole, LENGTHS))
    torch.testing.assert_close(model(IDS, LENGTHS), expected, rtol=0, atol=1e-12)


def reached(model: RecurrentClassifier, part: Tensor) -> list[list[int]]:
    """Of each text, the places whose word vectors get a gradient."""
    part.sum().backward()
    touched = model.model.token.embedding.weight.grad.any(-1)[:33].view(3, 11)
    model.zero_grad()
    return [row.nonzero().flatten().tolist() for row in touched]


@pytest.mark.parametrize(
    ("chunk_length", "gradient_chunks", "expected"),
    [
        (3, 1, [range(9, 11), range(3, 4), range(6, 8)]),  # from the last chunk of each text, not of the batch
        (3, 2, [range(6, 11), range(4), range(3, 8)]),
        (3, 9, [range(11), range(4), range(8)]),
        (70, 1, [range(11), range(4), range(8)]),
    ],
)
def test_gradients_come_from_the_last_chunks_of_each_text(chunk_length, gradient_chunks, expected):
    model = classifier(chunk_length=chunk_length, gradient_chunks=gradient_chunks).train()
    assert reached(model, model(IDS, LENGTHS)) == [list(places) for places in expected]


def test_no_gradient_goes_from_one_chunk_into_the_one_before():
    """The state at place 9, the first of its chunk, knows of places 0 … 8, but their vectors do not learn from it."""
    model = classifier(chunk_length=3)
    assert reached(model, model.read(IDS, LENGTHS)[0, 9]) == [[9], [], []]
    assert reached(model, model.read(IDS, LENGTHS)[0, 8]) == [[6, 7, 8], [], []]


def test_chunks_without_gradient_are_read_without_one(monkeypatch):
    model, enabled = classifier(chunk_length=2, gradient_chunks=1), []
    read = AWDLSTM.read

    def noted(self: AWDLSTM, ids: Tensor, state=None):
        enabled.append(torch.is_grad_enabled())
        return read(self, ids, state)

    monkeypatch.setattr(AWDLSTM, "read", noted)
    model.read(IDS, LENGTHS)  # last places 10, 3 and 7: chunks 5, 1 and 3
    assert enabled == [False, True, False, True, False, True]


def test_padding_changes_nothing():
    model = classifier(chunk_length=3).eval()
    scores = model(IDS, LENGTHS)
    for row, length in enumerate(LENGTHS):
        alone = model(IDS[row : row + 1, :length], LENGTHS[row : row + 1])
        torch.testing.assert_close(scores[row : row + 1], alone, rtol=0, atol=1e-12)
    filled = IDS.where(torch.arange(11) < LENGTHS[:, None], 42)
    torch.testing.assert_close(model(filled, LENGTHS), scores, rtol=0, atol=1e-12)


def test_the_head_as_published():
    """Batch normalisation, dropout, linear; ReLU; the same again: 50 hidden entries, scores without softmax."""
    head = ClassifierHead(1200, 2)
    kinds = [nn.BatchNorm1d, nn.Dropout, nn.Linear, nn.ReLU, nn.BatchNorm1d, nn.Dropout, nn.Linear]
    assert [type(part) for part in head] == kinds
    assert (head[2].in_features, head[2].out_features, head[6].out_features) == (1200, 50, 2)
    assert (head[1].p, head[5].p) == (0.4, 0.1)


def test_it_learns_which_word_was_there():
    """The sign stands at a place chosen by lot in each text; sixty steps with dropout."""
    torch.manual_seed(0)
    ids, lengths = torch.randint(5, 43, (32, 12)), torch.randint(6, 13, (32,))
    labels = torch.arange(32) % 4
    ids[torch.arange(32), (torch.rand(32) * lengths).long()] = labels
    model = RecurrentClassifier(AWDLSTM(AWDLSTMConfig(43, 16, 24, 1, 0.0, 0.1, 0.1, 0.1, 0.1)), 4, chunk_length=5)
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-2)
    for _ in range(60):
        loss = nn.functional.cross_entropy(model(ids, lengths), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    with torch.no_grad():
        assert nn.functional.cross_entropy(model.eval()(ids, lengths), labels) < math.log(4) / 2


@pytest.mark.parametrize("wrong", [0, 12])
def test_lengths_that_cannot_be(wrong):
    with pytest.raises(ValueError, match=f"sequence 1 has length {wrong}"):
        classifier()(IDS, torch.tensor([11, wrong, 8]))


@pytest.mark.parametrize("sizes", [{"chunk_length": 0}, {"gradient_chunks": 0}])
def test_sizes_that_cannot_be(sizes):
    with pytest.raises(ValueError, match="chunk_length and gradient_chunks of at least 1"):
        classifier(**sizes)
    with pytest.raises(ValueError, match="at least 1, got 3, 50 and 0"):
        ClassifierHead(3, 0)
