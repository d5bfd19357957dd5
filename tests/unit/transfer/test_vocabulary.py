"""Other words, the same model: shared words keep what they had, new ones begin with the mean."""

from dataclasses import replace

import pytest
import torch

from qkv.models.awd_lstm import AWDLSTM, PRESETS
from qkv.transfer.vocabulary import carried_rows, with_vocabulary

OLD = ["the", "cat", "sat", "here"]
NEW = ["cat", "dog", "here", "the", "runs"]


def test_by_hand():
    rows = torch.tensor([[1.0, 0], [2, 4], [3, 0], [6, 0]])
    assert carried_rows(rows, OLD, NEW).tolist() == [[2, 4], [3, 1], [6, 0], [1, 0], [3, 1]]
    assert carried_rows(rows[:, 0], OLD, NEW).tolist() == [2, 3, 6, 1, 3]  # biases


@pytest.fixture
def model() -> AWDLSTM:
    torch.manual_seed(0)
    model = AWDLSTM(replace(PRESETS["smoke"], vocab_size=len(OLD))).double().eval()
    torch.nn.init.normal_(model.bias)
    return model


def test_shared_words_are_read_and_scored_as_before(model):
    """A new vocabulary has another order; with the old rows left in their places the model would read nonsense."""
    other = with_vocabulary(model, OLD, NEW)
    sentence = ["the", "cat", "here", "the"]
    logits, expected = (
        each(torch.tensor([[words.index(word) for word in sentence]]))[0]
        for each, words in ((other, NEW), (model, OLD))
    )
    for word in ("the", "cat", "here"):
        assert torch.equal(logits[..., NEW.index(word)], expected[..., OLD.index(word)])


def test_unseen_words_score_the_mean(model):
    """Scores are linear in the row and the bias, so the mean word scores the mean of all words."""
    other = with_vocabulary(model, OLD, NEW)
    logits, expected = other(torch.tensor([[0]]))[0], model(torch.tensor([[1]]))[0]
    for word in ("dog", "runs"):
        torch.testing.assert_close(logits[..., NEW.index(word)], expected.mean(-1))


@pytest.mark.parametrize("training", [True, False])
def test_the_copy_is_a_copy(model, training):
    model.train(training)
    before = {name: weight.clone() for name, weight in model.state_dict().items()}
    other = with_vocabulary(model, OLD, NEW)
    assert (other.training, other.config) == (training, replace(model.config, vocab_size=len(NEW)))
    assert other.bias.dtype == torch.float64
    for parameter in other.parameters():
        parameter.data.zero_()
    assert all(torch.equal(weight, before[name]) for name, weight in model.state_dict().items())


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (OLD[:3], NEW, "one old word for each of 4 rows, got 3 words"),
        (["the", "the", "sat", "here"], NEW, "old: expected words that differ, got 4 words, 3 different ones"),
        (OLD, ["cat", "cat"], "new: expected words that differ, got 2 words, 1 different ones"),
    ],
)
def test_words_that_cannot_be(old, new, message):
    with pytest.raises(ValueError, match=message):
        carried_rows(torch.zeros(4, 2), old, new)
