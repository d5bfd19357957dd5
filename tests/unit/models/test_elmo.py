"""What ELMo promises: directions that never see each other's words, states that stand at their words, and the rest."""

import math
import warnings
from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from qkv.data import load
from qkv.models.elmo import PRESETS, Direction, ELMo, reversed_by_length
from qkv.nn.lstm import LSTMCell
from qkv.text.words import BEGIN, END, NUM_CHARACTERS, WordVocabulary, sentences, spell
from qkv.training.batches import pad

SMOKE = PRESETS["smoke"]
B, T, C, D = 3, 7, 5, SMOKE.d_model
LENGTHS = torch.tensor([7, 4, 6])
LAYERS = range(1, SMOKE.num_layers + 1)


@pytest.fixture
def model() -> ELMo:
    torch.manual_seed(0)
    return ELMo(SMOKE).double().eval()


def spelled(b: int = B, t: int = T, seed: int = 0) -> Tensor:
    """Words of C characters, no two alike."""
    return torch.randint(1, SMOKE.num_characters, (b, t, C), generator=torch.Generator().manual_seed(seed))


def padded(characters: Tensor, lengths: Tensor) -> Tensor:
    real = torch.arange(characters.shape[1]) < lengths[:, None]
    return characters * real[..., None]


def halves(layers: Tensor) -> tuple[Tensor, Tensor]:
    """What has read from the left, what has read from the right."""
    return layers[..., :D], layers[..., D:]


def ids(seed: int = 0) -> Tensor:
    return torch.randint(SMOKE.vocab_size, (B, T), generator=torch.Generator().manual_seed(seed))


def test_shapes_and_the_token_layer_twice(model):
    characters = padded(spelled(), LENGTHS)
    layers = model(characters, LENGTHS)
    assert layers.shape == (SMOKE.num_layers + 1, B, T, 2 * D)
    left, right = halves(layers[0])
    assert torch.equal(left, right)
    torch.testing.assert_close(left[1, :4], model.token(characters[1, :4]))


@pytest.mark.parametrize("changed", range(T))
def test_a_word_reaches_only_those_after_it_from_the_left_and_before_it_from_the_right(model, changed):
    """In every layer.  ``nn.LSTM(bidirectional=True)`` with two layers fails here: its second layer sees all words."""
    characters, lengths = spelled(1), torch.tensor([T])
    other = characters.clone()
    other[0, changed] = spelled(1, 1, seed=1)[0, 0]
    before, after = (halves(model(each, lengths)) for each in (characters, other))
    for layer in LAYERS:
        left, right = ((new - old)[layer, 0].norm(dim=-1) > 1e-12 for old, new in zip(before, after, strict=True))
        assert left.tolist() == [i >= changed for i in range(T)]
        assert right.tolist() == [i <= changed for i in range(T)]


def one_step_at_a_time(direction: Direction, words: Tensor) -> list[Tensor]:
    """The layers written out with the teaching cell: (t, d) → one (t, d) per layer.

    Our cell knows no projection P: it gets U P in the place of U, and what it says is projected afterwards.
    """
    x, layers = words, []
    for number, lstm in enumerate(direction.layers):
        cell = LSTMCell(D, SMOKE.d_cell).double()
        weights = lstm.state_dict()
        projection = weights["weight_hr_l0"]
        cell.from_input.load_state_dict({"weight": weights["weight_ih_l0"], "bias": weights["bias_ih_l0"]})
        recurrent = {"weight": weights["weight_hh_l0"] @ projection, "bias": weights["bias_hh_l0"]}
        cell.from_hidden.load_state_dict(recurrent)
        state, outputs = (torch.zeros(SMOKE.d_cell).double(), torch.zeros(SMOKE.d_cell).double()), []
        for step in x:
            state = cell(step, state)
            outputs.append(projection @ state[0] + (step if number > 0 else 0))
        x = torch.stack(outputs)
        layers.append(x)
    return layers


@pytest.mark.parametrize("row", range(B))
def test_layers_step_by_step(model, row):
    """Projection, residual from the second layer on, reading from the right, and where its states stand."""
    layers = model(padded(spelled(), LENGTHS), LENGTHS)
    length = LENGTHS[row]
    words = model.token(spelled()[row, :length])
    left = one_step_at_a_time(model.from_left, words)
    right = [layer.flip(0) for layer in one_step_at_a_time(model.from_right, words.flip(0))]
    for number, both in enumerate(zip(left, right, strict=True), start=1):
        expected = torch.cat(both, dim=-1)
        torch.testing.assert_close(layers[number, row, :length], expected, rtol=0, atol=1e-12)


def test_padding_changes_nothing_and_is_zero(model):
    layers = model(spelled(), LENGTHS)
    for row, length in enumerate(LENGTHS.tolist()):
        alone = model(spelled()[row : row + 1, :length], torch.tensor([length]))
        torch.testing.assert_close(layers[:, row, :length], alone[:, 0], rtol=0, atol=1e-12)
        assert (layers[:, row, length:] == 0).all()
    wider = functional.pad(spelled(), (0, 4, 0, 2))
    torch.testing.assert_close(model(wider, LENGTHS)[:, :, :T], layers, rtol=0, atol=1e-12)


def test_padding_changes_no_loss(model):
    sums, count = model.loss(padded(spelled(), LENGTHS), LENGTHS, ids())
    assert count == (LENGTHS - 1).sum()
    filled = ids().where(torch.arange(T) < LENGTHS[:, None], SMOKE.vocab_size + 7)  # no word of the vocabulary
    torch.testing.assert_close(model.loss(spelled(), LENGTHS, filled)[0], sums, rtol=0, atol=1e-10)
    alone = [
        model.loss(spelled()[i : i + 1, :n], LENGTHS[i : i + 1], ids()[i : i + 1, :n]) for i, n in enumerate(LENGTHS)
    ]
    torch.testing.assert_close(sum(each for each, _ in alone), sums, rtol=0, atol=1e-10)


def test_next_word_from_the_left_previous_word_from_the_right(model):
    """Word by word: the first is not predicted from the left, nor the last from the right."""
    layers, words = model(spelled(), LENGTHS), ids()
    left, right = (model.word_scores(half).log_softmax(-1) for half in halves(layers[-1]))
    next_word = [-left[b, i, words[b, i + 1]] for b, n in enumerate(LENGTHS) for i in range(n - 1)]
    previous_word = [-right[b, i, words[b, i - 1]] for b, n in enumerate(LENGTHS) for i in range(1, n)]
    sums, count = model.loss(spelled(), LENGTHS, words)
    assert len(next_word) == len(previous_word) == count
    torch.testing.assert_close(sums, torch.stack([sum(next_word), sum(previous_word)]), rtol=0, atol=1e-10)


@pytest.mark.parametrize(("place", "side"), [(0, 1), (6, 0)], ids=["first", "last"])
def test_words_at_the_edges_are_predicted_from_one_side(model, place, side):
    words, changed = ids()[:1], ids()[:1].clone()
    changed[0, place] = (words[0, place] + 1) % SMOKE.vocab_size
    (before, _), (after, _) = (model.loss(spelled(1), torch.tensor([T]), each) for each in (words, changed))
    assert ((before - after).abs() > 1e-6).tolist() == [side == 0, side == 1]


def test_equal_scores_cost_ln_v(model):
    """By hand: 40 words that all score alike; each prediction costs ln 40 = 3.69 nats."""
    for parameter in model.word_scores.parameters():
        nn.init.zeros_(parameter)
    sums, count = model.loss(spelled(), LENGTHS, ids())
    assert (sums / count).tolist() == pytest.approx([math.log(40)] * 2)


def test_rows_do_not_meet(model):
    order = torch.tensor([2, 0, 1])
    layers = model(spelled(), LENGTHS)
    torch.testing.assert_close(model(spelled()[order], LENGTHS[order]), layers[:, order], rtol=0, atol=1e-12)
    torch.testing.assert_close(model(spelled(), LENGTHS), layers, rtol=0, atol=0)  # no state is carried over


def test_both_directions_share_words_and_scores_and_nothing_else(model):
    names = [name.split(".")[0] for name, _ in model.named_parameters()]
    assert list(dict.fromkeys(names)) == ["token", "from_left", "from_right", "word_scores"]
    touched = []
    for side in range(2):
        model.zero_grad()
        model.loss(spelled(), LENGTHS, ids())[0][side].backward()
        touched.append(
            {name.split(".")[0] for name, p in model.named_parameters() if p.grad is not None and p.grad.any()}
        )
    assert touched == [{"token", "from_left", "word_scores"}, {"token", "from_right", "word_scores"}]


def test_dropout_falls_in_training_alone(model):
    assert not torch.equal(model.train()(spelled(), LENGTHS), model(spelled(), LENGTHS))
    assert torch.equal(model.eval()(spelled(), LENGTHS), model(spelled(), LENGTHS))


def test_reversed_by_hand():
    x = torch.tensor([[1.0, 2, 3, 8, 9], [1, 2, 3, 4, 5]])[..., None]
    mirrored = reversed_by_length(x, torch.tensor([3, 5]))
    assert mirrored[..., 0].tolist() == [[3, 2, 1, 8, 9], [5, 4, 3, 2, 1]]
    assert torch.equal(reversed_by_length(mirrored, torch.tensor([3, 5])), x)


def test_it_learns_a_batch_of_real_words():
    """Eight sentences of a book, fifty steps: both directions go from guessing to less than half of that in nats."""
    torch.manual_seed(0)
    found = [each for each in sentences(load("gutenberg")["train"][0]["text"]) if len(each) > 5][:8]
    vocabulary = WordVocabulary(sorted({word for each in found for word in each}))
    found = [[BEGIN, *each, END] for each in found]
    characters, lengths = torch.tensor(spell(found)), torch.tensor([len(each) for each in found])
    words = pad([vocabulary.encode(each) for each in found], 0)
    model = ELMo(replace(SMOKE, vocab_size=len(vocabulary), d_model=32, d_cell=48, dropout=0.0))
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    for step in range(50):
        sums, count = model.loss(characters, lengths, words)
        if step == 0:
            assert (sums / count).tolist() == pytest.approx([math.log(len(vocabulary))] * 2, rel=0.1)
        optimizer.zero_grad()
        (sums.sum() / count).backward()
        optimizer.step()
    assert (sums / count < math.log(len(vocabulary)) / 2).all()


def test_characters_are_those_of_the_text_room():
    assert {config.num_characters for config in PRESETS.values()} == {NUM_CHARACTERS}


def test_float32_without_warnings():
    """torch warns once per process that projections are slow; a reader is to see no warning that needs no action."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert ELMo(SMOKE)(spelled(), LENGTHS).isfinite().all()


def test_the_published_sizes():
    """93.6 million weights besides the scores, as the published model has; torch's LSTM has a second bias on top."""
    paper = PRESETS["paper"]
    with torch.device("meta"):
        model = ELMo(paper)
    counted = (parameter.numel() for name, parameter in model.named_parameters() if "word_scores" not in name)
    second_biases = 4 * 4 * paper.d_cell
    assert round((sum(counted) - second_biases) / 1e5) == 936
    assert sum(number for _, number in paper.filters) == 2048
    assert (paper.d_model, paper.d_cell, paper.num_layers, paper.num_highway) == (512, 4096, 2, 2)


def test_the_small_one_fits_into_four_megabytes():
    assert 2 * sum(parameter.numel() for parameter in ELMo(PRESETS["cpu"]).parameters()) <= 4_000_000


@pytest.mark.parametrize("lengths", [[7, 0, 6], [7, 8, 6]], ids=str)
def test_lengths_that_cannot_be(model, lengths):
    with pytest.raises(ValueError, match=f"sequence 1 has length {lengths[1]}"):
        model(spelled(), torch.tensor(lengths))


def test_nothing_to_predict(model):
    with pytest.raises(ValueError, match="at least two words, got lengths of 1 alone"):
        model.loss(spelled(), torch.ones(B, dtype=torch.long), ids())


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"num_layers": 0}, "num_layers: expected at least 1, got 0"),
        ({"d_cell": 8}, "d_cell: expected more than d_model = 8, got 8"),
        ({"dropout": 1.0}, r"dropout: expected a share in \[0, 1\), got 1"),
    ],
)
def test_configuration_that_cannot_be(wrong, message):
    with pytest.raises(ValueError, match=message):
        replace(SMOKE, **wrong)
