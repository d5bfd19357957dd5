"""AWD-LSTM: where each dropout falls, one table for reading and scoring, a text in pieces, and the two penalties."""

import math
from dataclasses import replace
from itertools import pairwise

import pytest
import torch
from torch import Tensor, nn

from qkv.data import load
from qkv.models.awd_lstm import (
    AWDLSTM,
    PRESETS,
    activation_regularization,
    temporal_activation_regularization,
)
from qkv.nn.lstm import detached
from qkv.text.words import WordVocabulary, tokens

SMOKE = PRESETS["smoke"]
B, T = 3, 7
NONE = {f"{name}_dropout": 0.0 for name in ("embedding", "input", "weight", "hidden", "output")}


def model_with(**dropouts: float) -> AWDLSTM:
    """In training mode, all dropouts 0 but those given."""
    torch.manual_seed(0)
    return AWDLSTM(replace(SMOKE, **NONE | {f"{name}_dropout": share for name, share in dropouts.items()})).double()


def ids(b: int = B, t: int = T) -> Tensor:
    return torch.randint(SMOKE.vocab_size, (b, t), generator=torch.Generator().manual_seed(0))


def test_shapes():
    model = AWDLSTM(SMOKE)
    logits, state = model(ids())
    hidden, _ = model.read(ids())
    assert logits.shape == (B, T, SMOKE.vocab_size)
    assert hidden.shape == (B, T, SMOKE.d_model)
    assert [tuple(each.shape) for layer in state for each in layer] == [(1, B, d) for d in (10, 10, 10, 10, 6, 6)]


def test_one_table_reads_and_scores():
    """Not a copy: one parameter, and both uses add to its gradient."""
    model = model_with()
    assert sum(parameter.shape == (SMOKE.vocab_size, SMOKE.d_model) for parameter in model.parameters()) == 1
    assert [name for name in model.state_dict() if "weight" in name and "lstm" not in name] == [
        "token.embedding.weight"
    ]
    hidden, _ = model.read(torch.zeros(1, 1, dtype=torch.long))
    torch.testing.assert_close(model.scores(hidden), hidden @ model.token.embedding.weight.T + model.bias)
    model.read(torch.tensor([[3, 5]]))[0].sum().backward()
    read = model.token.embedding.weight.grad.clone()
    assert read.any(-1).nonzero().flatten().tolist() == [3, 5]
    model.scores(hidden.detach()).sum().backward()
    assert (model.token.embedding.weight.grad != read).any(-1).all()


def test_a_word_that_is_not_read_is_scored_all_the_same():
    """With its row at 0 it would score its bias, which is 0 here."""
    model = model_with(embedding=0.9)
    assert (model.token(ids()) == 0).all(-1).any()
    assert (model(ids())[0] != 0).all()


def inputs_and_outputs(model: AWDLSTM) -> tuple[list[Tensor], list[Tensor]]:
    """What each layer is given and what it says, and last of all what is scored."""
    given, said = [], [model.token.embedding(ids())]

    def note(_: nn.Module, inputs: tuple[Tensor, ...], output: tuple[Tensor, object]) -> None:
        given.append(inputs[0])
        said.append(output[0])

    for layer in model.layers:
        layer.register_forward_hook(note)
    model.output_dropout.register_forward_hook(lambda _, inputs, output: given.append(output))
    model(ids())
    return given, said


@pytest.mark.parametrize(
    ("name", "places"), [("input", [0]), ("hidden", [1, 2]), ("output", [3]), ("weight", []), ("embedding", [0])]
)
def test_where_each_dropout_falls(name, places):
    """Three layers have four seams: before the first, between them twice, after the last."""
    given, said = inputs_and_outputs(model_with(**{name: 0.5}))
    changed = [i for i, (after, before) in enumerate(zip(given, said, strict=True)) if not torch.equal(after, before)]
    assert changed == places
    for i in changed:
        ratio = given[i] / said[i]
        assert {round(value, 9) for value in ratio.unique().tolist()} == {0.0, 2.0}
        if name != "embedding":
            assert (ratio == ratio[:, :1]).all()  # one mask for all steps


def test_weight_dropout_falls_in_every_layer():
    model = model_with(weight=0.5)
    model(ids())[0].sum().backward()
    recurrent = [parameter for name, parameter in model.named_parameters() if "weight_hh" in name]
    assert len(recurrent) == SMOKE.num_layers
    assert all((parameter.grad == 0).any() and (parameter.grad != 0).any() for parameter in recurrent)


def test_dropout_falls_in_training_alone():
    model = AWDLSTM(SMOKE)
    assert not torch.equal(model(ids())[0], model(ids())[0])
    assert torch.equal(model.eval()(ids())[0], model(ids())[0])


@pytest.mark.parametrize("changed", range(T))
def test_the_future_cannot_change_the_past(changed):
    model, other = model_with(), ids(1)
    other[0, changed] = (other[0, changed] + 1) % SMOKE.vocab_size
    moved = (model(ids(1))[0] - model(other)[0])[0].norm(dim=-1) > 1e-12
    assert moved.tolist() == [i >= changed for i in range(T)]


def test_a_text_may_be_read_in_pieces():
    model = model_with()
    whole, end = model(ids())
    first, state = model(ids()[:, :3])
    second, last = model(ids()[:, 3:], state)
    torch.testing.assert_close(torch.cat([first, second], dim=1), whole)
    torch.testing.assert_close(last, end)
    assert not torch.allclose(model(ids()[:, 3:])[0], second)  # the state mattered


def test_no_gradient_goes_back_beyond_a_detached_state():
    """Words 1 … 3 in the first piece, 11 … 13 in the second: whose vectors does the second piece's loss reach?"""
    for carry, reached in ((detached, [11, 12, 13]), (lambda state: state, [1, 2, 3, 11, 12, 13])):
        model = model_with()
        _, state = model.read(torch.tensor([[1, 2, 3]]))
        hidden, _ = model.read(torch.tensor([[11, 12, 13]]), carry(state))
        hidden.sum().backward()
        assert model.token.embedding.weight.grad.any(-1).nonzero().flatten().tolist() == reached


def test_rows_do_not_meet():
    model, order = model_with(), torch.tensor([2, 0, 1])
    torch.testing.assert_close(model(ids()[order])[0], model(ids())[0][order])


def test_activation_regularization_by_hand():
    """States 0 2, 1 2 and 4 2.  AR: (0 + 4 + 1 + 4 + 16 + 4) / 6.  TAR: steps of 1 0 and 3 0, (1 + 0 + 9 + 0) / 4."""
    states = torch.tensor([[[0.0, 2], [1, 2], [4, 2]]])
    assert activation_regularization(states).item() == pytest.approx(29 / 6)
    assert temporal_activation_regularization(states).item() == 2.5
    assert temporal_activation_regularization(states[:, :1]).item() == 0


def test_equal_scores_cost_ln_v():
    model = model_with()
    torch.nn.init.zeros_(model.token.embedding.weight)
    nats, _, _ = model.loss(ids(), ids())
    assert nats.item() == pytest.approx(math.log(SMOKE.vocab_size))


def test_loss_is_that_of_the_next_tokens_and_both_penalties():
    model, text = model_with(), ids(B, T + 1)
    nats, penalty, state = model.loss(text[:, :-1], text[:, 1:])
    logits, end = model(text[:, :-1])
    chosen = logits.log_softmax(-1).gather(-1, text[:, 1:, None])
    torch.testing.assert_close(nats, -chosen.mean())
    torch.testing.assert_close(state, end)
    hidden, _ = model.read(text[:, :-1])
    expected = 2 * activation_regularization(hidden) + temporal_activation_regularization(hidden)
    torch.testing.assert_close(penalty, expected)
    assert model.loss(text[:, :-1], text[:, 1:], alpha=0.0, beta=0.0)[1] == 0


def test_ar_sees_what_dropout_left_and_tar_what_it_took():
    model = model_with(output=0.5)
    hidden, _ = model.read(ids())
    torch.manual_seed(5)
    dropped = model.output_dropout(hidden)
    for weights, expected in (
        ({"alpha": 1.0, "beta": 0.0}, activation_regularization(dropped)),
        ({"alpha": 0.0, "beta": 1.0}, temporal_activation_regularization(hidden)),
    ):
        torch.manual_seed(5)
        torch.testing.assert_close(model.loss(ids(), ids(), **weights)[1], expected)


def test_groups_hold_every_weight_once():
    model = AWDLSTM(SMOKE)
    groups = model.groups()
    assert [len(group) for group in groups] == [4, 4, 4, 2]
    assert sorted(id(parameter) for group in groups for parameter in group) == sorted(map(id, model.parameters()))
    assert [group[0].shape[1] for group in groups[:-1]] == [SMOKE.d_model, SMOKE.d_hidden, SMOKE.d_hidden]


def test_it_learns_a_batch_of_real_words():
    """Sixty steps with all dropouts on: less than half of what guessing costs, in nats."""
    torch.manual_seed(0)
    words = tokens(load("gutenberg")["train"][0]["text"])[:241]
    vocabulary = WordVocabulary(sorted(set(words)))
    text = torch.tensor(vocabulary.encode(words))
    batch, targets = text[:-1].view(8, 30), text[1:].view(8, 30)
    config = replace(SMOKE, vocab_size=len(vocabulary), d_model=48, d_hidden=64, num_layers=2)
    model = AWDLSTM(replace(config, **dict.fromkeys(NONE, 0.1)))
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    for _ in range(60):
        nats, penalty, _ = model.loss(batch, targets)
        optimizer.zero_grad()
        (nats + penalty).backward()
        optimizer.step()
    assert model.eval().loss(batch, targets)[0] < math.log(len(vocabulary)) / 2


def test_the_published_sizes():
    """Merity et al., tables 1 and 2: 24 million weights for a text of 10,000 words, 33 million for one of 33,278."""
    paper = PRESETS["paper"]
    assert (paper.d_model, paper.d_hidden, paper.num_layers) == (400, 1150, 3)
    assert [getattr(paper, name) for name in NONE] == [0.05, 0.4, 0.5, 0.3, 0.4]
    counted = []
    for vocab_size in (10_000, 33_278):
        with torch.device("meta"):
            model = AWDLSTM(replace(paper, vocab_size=vocab_size))
        counted.append(sum(parameter.numel() for parameter in model.parameters()) // 1_000_000)
    assert counted == [24, 33]


def test_first_weights_as_published():
    torch.manual_seed(0)
    model = AWDLSTM(PRESETS["cpu"])
    table = model.token.embedding.weight
    assert 0.0999 < table.max() <= 0.1
    assert -0.1 <= table.min() < -0.0999
    assert not model.bias.any()
    for layer, (_, d_hidden) in zip(model.layers, pairwise([128, 256, 256, 128]), strict=True):
        assert layer.lstm.weight_hh_l0.abs().max().item() == pytest.approx(1 / math.sqrt(d_hidden), rel=1e-3)


def test_the_small_one_fits_into_four_megabytes():
    assert 2 * sum(parameter.numel() for parameter in AWDLSTM(PRESETS["cpu"]).parameters()) <= 4_000_000


@pytest.mark.parametrize(
    ("state", "message"),
    [
        (
            [(torch.zeros(1, 2, 10), torch.zeros(1, 2, 10))] * 3,
            r"3 layers of 3 texts each, got texts by layer \[2, 2, 2\]",
        ),
        ([(torch.zeros(1, 3, 10), torch.zeros(1, 3, 10))], r"3 layers of 3 texts each, got texts by layer \[3\]"),
    ],
    ids=["texts", "layers"],
)
def test_states_that_cannot_be(state, message):
    with pytest.raises(ValueError, match=message):
        AWDLSTM(SMOKE)(ids(), state)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"num_layers": 0}, "num_layers: expected at least 1, got 0"),
        ({"weight_dropout": 1.0}, r"weight_dropout: expected a share in \[0, 1\), got 1"),
        ({"input_dropout": -0.1}, r"input_dropout: expected a share in \[0, 1\), got -0.1"),
    ],
)
def test_configuration_that_cannot_be(wrong, message):
    with pytest.raises(ValueError, match=message):
        replace(SMOKE, **wrong)


def test_a_model_that_is_not_there():
    with pytest.raises(LookupError, match="no model 'awd-lstm-of-nobody'"):
        AWDLSTM.from_pretrained("awd-lstm-of-nobody")
