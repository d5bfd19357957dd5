"""Words from characters: by hand, one window at a time; what padding, order and the highway layers do and do not."""

import pytest
import torch
from torch import Tensor, nn

from qkv.nn.char_cnn import CARRY_BIAS, CharCNN, Highway

FILTERS = ((1, 3), (2, 4), (5, 6))


@pytest.fixture
def network() -> CharCNN:
    torch.manual_seed(0)
    return CharCNN(23, 7, FILTERS, 11).double()


def words(*shape: int) -> Tensor:
    return torch.randint(1, 23, shape, generator=torch.Generator().manual_seed(0))


def one_window_at_a_time(network: CharCNN, word: list[int]) -> Tensor:
    """The definition: filter · window + bias at every character, the window filled up with nothing, best of all."""
    vectors = network.character.weight[word]
    best = []
    for convolution in network.filters:
        for weight, bias in zip(convolution.weight, convolution.bias, strict=True):
            matches = []
            for start in range(len(word)):
                window = vectors[start : start + weight.shape[1]]
                matches.append((weight.T[: len(window)] * window).sum() + bias)
            best.append(torch.stack(matches).max().relu())
    x = torch.stack(best)
    for layer in network.highway:
        gate = torch.sigmoid(layer.carry.weight @ x + layer.carry.bias)
        x = gate * x + (1 - gate) * torch.relu(layer.transform.weight @ x + layer.transform.bias)
    return network.projection.weight @ x + network.projection.bias


def test_one_filter_by_hand():
    """Characters worth 1, 2, 4; the filter of width 2 takes first minus second: -1, -2, and 4 with nothing after it."""
    network = CharCNN(4, 1, [(2, 1)], 1, num_highway=0)
    network.character.weight.data = torch.tensor([[0.0], [1.0], [2.0], [4.0]])
    network.filters[0].weight.data = torch.tensor([[[1.0, -1.0]]])
    for parameter, value in (
        (network.filters[0].bias, 0),
        (network.projection.weight, 1),
        (network.projection.bias, 0),
    ):
        nn.init.constant_(parameter, value)
    assert network(torch.tensor([1, 2, 3])).tolist() == [4.0]
    assert network(torch.tensor([3, 2, 1])).tolist() == [2.0]
    assert network(torch.tensor([3, 2, 1, 0, 0])).tolist() == [2.0]


@pytest.mark.parametrize("length", [1, 2, 4, 9])
def test_window_by_window(network, length):
    word = words(length)
    torch.testing.assert_close(network(word), one_window_at_a_time(network, word.tolist()), rtol=0, atol=1e-12)


@pytest.mark.parametrize("length", [1, 3, 8])
def test_padding_changes_nothing(network, length):
    word = words(2, length)
    padded = nn.functional.pad(word, (0, 10))
    torch.testing.assert_close(network(padded), network(word), rtol=0, atol=1e-12)
    nn.init.normal_(network.filters[2].bias, mean=5.0)  # empty windows now match better than any letters
    torch.testing.assert_close(network(padded), network(word), rtol=0, atol=1e-12)


def test_the_vector_of_padding_learns_nothing(network):
    network(nn.functional.pad(words(5, 4), (0, 3))).square().sum().backward()
    assert network.character.weight.grad[0].norm() == 0
    assert network.character.weight.grad[words(5, 4).unique()].norm(dim=-1).min() > 0


def test_leading_axes_and_neighbours_do_not_matter(network):
    batch = words(2, 3, 5)
    vectors = network(batch)
    assert vectors.shape == (2, 3, 11)
    torch.testing.assert_close(vectors[1, 2], network(batch[1, 2]), rtol=0, atol=1e-12)


def test_a_word_of_padding_is_a_number(network):
    vector = network(torch.zeros(2, 4, dtype=torch.long))
    assert vector.isfinite().all()
    vector.sum().backward()
    assert all(parameter.grad.isfinite().all() for parameter in network.parameters())


def test_order_of_characters_matters(network):
    assert not torch.allclose(network(torch.tensor([3, 4, 5])), network(torch.tensor([5, 4, 3])))


def test_a_highway_layer_by_hand():
    """Gate 1/2, transform 3 · 2 = 6: half of 2 and half of 6 is 4; a transform below 0 leaves half of 2."""
    layer = Highway(1)
    for parameter, value in ((layer.carry.weight, 0), (layer.carry.bias, 0), (layer.transform.bias, 0)):
        nn.init.constant_(parameter, value)
    for factor, expected in ((3.0, 4.0), (-3.0, 1.0)):
        nn.init.constant_(layer.transform.weight, factor)
        assert layer(torch.tensor([2.0])).item() == expected


def test_a_highway_layer_starts_by_carrying():
    torch.manual_seed(0)
    layer, x = Highway(50), torch.randn(200, 50)
    assert (layer.carry.bias == CARRY_BIAS).all()
    assert (layer(x) - x).norm() < 0.25 * x.norm()
    nn.init.constant_(layer.carry.bias, 50.0)
    torch.testing.assert_close(layer(x), x)
    nn.init.constant_(layer.carry.bias, -50.0)
    torch.testing.assert_close(layer(x), layer.transform(x).relu())


@pytest.mark.parametrize("filters", [(), ((0, 4),), ((3, 2), (2, 0))], ids=str)
def test_filters_that_cannot_be(filters):
    with pytest.raises(ValueError, match="pairs of at least 1 each, got"):
        CharCNN(23, 7, filters, 11)
