"""Dropout that lasts: one mask for all steps, the share that was asked for, raw weights that learn, nothing in eval.

Shares are tested with an exact binomial test at 1e-6: so often a right dropout would fail if no seed were set.
"""

import copy

import pytest
import torch
from scipy.stats import binomtest
from torch import Tensor, nn

from qkv.nn.dropout import EmbeddingDropout, VariationalDropout, WeightDrop

B, T, D, H = 3, 7, 4, 5
P = 0.3


@pytest.fixture
def lstm() -> nn.LSTM:
    torch.manual_seed(0)
    return nn.LSTM(D, H, batch_first=True).double()


def sequence(b: int = B, t: int = T, d: int = D) -> Tensor:
    return torch.randn(b, t, d, dtype=torch.float64, generator=torch.Generator().manual_seed(1))


def has_share(dropped: Tensor, share: float) -> bool:
    return binomtest(int(dropped.sum()), dropped.numel(), share).pvalue > 1e-6


def kept(output: Tensor, layer: WeightDrop) -> Tensor:
    """Which recurrent weights an output depends on: the others get a gradient of exactly 0."""
    (gradient,) = torch.autograd.grad(output.sum(), layer.lstm.weight_hh_l0, retain_graph=True)
    return gradient != 0


# Weights -------------------------------------------------------------------------------------------------------------


def test_one_mask_serves_all_steps_and_sequences(lstm):
    """A mask drawn anew at each step would leave step 5 with weights that step 2 never had."""
    layer = WeightDrop(lstm, P)
    output, _ = layer(sequence())
    masks = [kept(output[b, t], layer) for b in range(B) for t in range(2, T)]
    assert all(torch.equal(mask, masks[0]) for mask in masks)
    assert 0 < masks[0].sum() < masks[0].numel()


def test_what_is_kept_is_scaled_and_the_rest_is_zero(lstm):
    layer = WeightDrop(lstm, P)
    output, state = layer(sequence())
    plain = copy.deepcopy(lstm)
    plain.weight_hh_l0.data *= kept(output[:, -1], layer).double() / (1 - P)
    expected, end = plain(sequence())
    torch.testing.assert_close(output, expected, rtol=0, atol=1e-12)
    torch.testing.assert_close(state, end, rtol=0, atol=1e-12)


def test_every_call_draws_another_mask(lstm):
    layer = WeightDrop(lstm, P)
    first, second = (kept(layer(sequence())[0], layer) for _ in range(2))
    assert not torch.equal(first, second)


@pytest.mark.parametrize("share", [0.1, 0.5])
def test_share_of_weights(share):
    torch.manual_seed(0)
    layer = WeightDrop(nn.LSTM(2, 60, batch_first=True).double(), share)
    found = torch.stack([~kept(layer(sequence(2, 3, 2))[0][:, -1], layer) for _ in range(2)])
    assert found.numel() == 2 * 240 * 60
    assert has_share(found, share)


def test_only_weights_between_steps_are_dropped(lstm):
    WeightDrop(lstm, 0.9)(sequence())[0].sum().backward()
    assert (lstm.weight_hh_l0.grad == 0).any()
    for name, parameter in lstm.named_parameters():
        assert name == "weight_hh_l0" or (parameter.grad != 0).all()


def test_the_raw_weights_learn(lstm):
    """They are the parameters, unmasked before and after; a step moves those that were kept."""
    layer = WeightDrop(lstm, P)
    assert [name for name, _ in layer.named_parameters()] == [f"lstm.{name}" for name, _ in lstm.named_parameters()]
    before = lstm.weight_hh_l0.detach().clone()
    optimizer = torch.optim.SGD(layer.parameters(), lr=1.0)
    output, _ = layer(sequence())
    assert torch.equal(lstm.weight_hh_l0, before)
    was_kept = kept(output, layer)
    output.sum().backward()
    optimizer.step()
    assert torch.equal(lstm.weight_hh_l0 != before, was_kept)


@pytest.mark.parametrize("nothing", ["eval", "share of 0"])
def test_weights_without_dropout(lstm, nothing):
    layer = WeightDrop(lstm, P).eval() if nothing == "eval" else WeightDrop(lstm, 0.0)
    assert torch.equal(layer(sequence())[0], lstm(sequence())[0])


def test_eval_after_training_uses_the_raw_weights(lstm):
    """torch's LSTM keeps a list of its weights; what was masked must not stay in it."""
    expected = lstm(sequence())[0]
    layer = WeightDrop(lstm, P)
    layer(sequence())
    assert torch.equal(layer.eval()(sequence())[0], expected)


def test_weight_drop_goes_on_from_a_state(lstm):
    layer = WeightDrop(lstm, P)
    whole = layer.eval()(sequence())[0]
    _, state = layer(sequence()[:, :4])
    torch.testing.assert_close(layer(sequence()[:, 4:], state)[0], whole[:, 4:])
    start = (torch.ones(1, B, H).double(), torch.ones(1, B, H).double())
    assert not torch.allclose(layer.train()(sequence(), start)[0], layer(sequence())[0])


def test_a_model_in_training_can_be_copied(lstm):
    layer = WeightDrop(lstm, P)
    layer(sequence())
    twin = copy.deepcopy(layer)
    torch.manual_seed(3)
    expected = layer(sequence())[0]
    torch.manual_seed(3)
    assert torch.equal(twin(sequence())[0], expected)


# Entries -------------------------------------------------------------------------------------------------------------


def test_the_same_entries_at_all_steps():
    torch.manual_seed(0)
    mask = VariationalDropout(P)(torch.ones(B, T, 20))
    assert (mask == mask[:, :1]).all()
    assert not torch.equal(mask[0], mask[1])  # every sequence has a mask of its own
    assert {round(value, 5) for value in mask.unique().tolist()} == {0.0, round(1 / (1 - P), 5)}


def test_kept_entries_are_scaled():
    """By hand: of 1 2 3 4, half of them thrown away, what is left is doubled."""
    torch.manual_seed(0)
    x = torch.tensor([1.0, 2, 3, 4]).expand(1, 2, 4)
    dropped = VariationalDropout(0.5)(x)
    assert ((dropped == 0) | (dropped == 2 * x)).all()


@pytest.mark.parametrize("share", [0.1, 0.4])
def test_share_of_entries(share):
    torch.manual_seed(0)
    assert has_share(VariationalDropout(share)(torch.ones(200, 2, 100))[:, 0] == 0, share)


def test_gradient_flows_through_kept_entries_alone():
    torch.manual_seed(0)
    x = torch.ones(2, 3, 50, requires_grad=True)
    dropped = VariationalDropout(P)(x)
    dropped.sum().backward()
    torch.testing.assert_close(x.grad, dropped.detach())


@pytest.mark.parametrize("layer", [VariationalDropout(P).eval(), VariationalDropout(0.0)], ids=["eval", "share of 0"])
def test_entries_without_dropout(layer):
    assert torch.equal(layer(sequence()), sequence())


# Words ---------------------------------------------------------------------------------------------------------------


@pytest.fixture
def table() -> nn.Embedding:
    torch.manual_seed(0)
    return nn.Embedding(11, D)


def test_a_word_is_missing_wherever_it_stands(table):
    ids = torch.randint(11, (B, 40), generator=torch.Generator().manual_seed(2))
    vectors = EmbeddingDropout(table, 0.5)(ids)
    missing = (vectors == 0).all(-1)
    assert ((vectors == 0) == missing[..., None]).all()  # whole rows
    for word in range(11):
        assert missing[ids == word].unique().numel() == 1
    torch.testing.assert_close(vectors[~missing], 2 * table(ids)[~missing])
    assert 0 < missing.sum() < missing.numel()


@pytest.mark.parametrize("share", [0.05, 0.5])
def test_share_of_words(share):
    torch.manual_seed(0)
    layer = EmbeddingDropout(nn.Embedding.from_pretrained(torch.ones(20_000, 1)), share)
    assert has_share(layer(torch.arange(20_000)[None]) == 0, share)


def test_every_call_draws_other_words(table):
    layer, ids = EmbeddingDropout(table, 0.5), torch.arange(11)[None]
    assert not torch.equal(layer(ids), layer(ids))


def test_the_raw_table_learns(table):
    before = table.weight.detach().clone()
    vectors = EmbeddingDropout(table, 0.5)(torch.arange(11)[None])
    vectors.sum().backward()
    assert torch.equal(table.weight, before)
    expected = 2.0 * (vectors[0] != 0)
    torch.testing.assert_close(table.weight.grad, expected)


@pytest.mark.parametrize("nothing", ["eval", "share of 0"])
def test_words_without_dropout(table, nothing):
    layer = EmbeddingDropout(table, 0.5).eval() if nothing == "eval" else EmbeddingDropout(table, 0.0)
    ids = torch.arange(11)[None]
    assert torch.equal(layer(ids), table(ids))


@pytest.mark.parametrize("share", [-0.1, 1.0, 1.5])
@pytest.mark.parametrize(
    "make",
    [
        VariationalDropout,
        lambda p: WeightDrop(nn.LSTM(2, 3, batch_first=True), p),
        lambda p: EmbeddingDropout(nn.Embedding(2, 3), p),
    ],
    ids=["entries", "weights", "words"],
)
def test_shares_that_cannot_be(make, share):
    with pytest.raises(ValueError, match=rf"dropout: expected a share in \[0, 1\), got {share}"):
        make(share)
