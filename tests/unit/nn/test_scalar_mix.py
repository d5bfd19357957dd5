"""The scalar mix by hand, in NumPy, and what equation 1 says about its weights and its factor."""

import math

import numpy as np
import pytest
import torch

from qkv.nn.scalar_mix import ScalarMix


def mix_with(weights: list[float], gamma: float) -> ScalarMix:
    mix = ScalarMix(len(weights)).double()
    mix.load_state_dict({"weights": torch.tensor(weights), "gamma": torch.tensor(gamma)})
    return mix


def test_by_hand():
    """softmax(0, ln 3) = 1/4, 3/4; so twice (1/4 · 4 + 3/4 · 8) = 14."""
    layers = torch.tensor([[4.0], [8.0]], dtype=torch.float64)
    assert mix_with([0.0, math.log(3)], 2.0)(layers).item() == pytest.approx(14)


def test_it_starts_as_the_mean():
    layers = torch.randn(3, 2, 5, 7, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(ScalarMix(3)(layers), layers.mean(0))


@pytest.mark.parametrize("shape", [(7,), (5, 7), (2, 5, 7)], ids=str)
def test_in_numpy(shape):
    random = np.random.default_rng(0)
    layers, weights, gamma = random.normal(size=(3, *shape)), random.normal(size=3), 1.7
    shares = np.exp(weights) / np.exp(weights).sum()
    expected = gamma * sum(share * layer for share, layer in zip(shares, layers, strict=True))
    actual = mix_with(weights.tolist(), gamma)(torch.tensor(layers))
    np.testing.assert_allclose(actual.detach().numpy(), expected, rtol=0, atol=1e-6)


def test_only_differences_of_weights_count():
    """Softmax, not the raw weights: the same number on top of each changes nothing."""
    layers = torch.randn(3, 2, 7, dtype=torch.float64)
    torch.testing.assert_close(mix_with([0.5, -1.0, 2.0], 1.0)(layers), mix_with([5.5, 4.0, 7.0], 1.0)(layers))


def test_gamma_scales_the_mix_once_and_both_learn():
    mix, layers = mix_with([0.5, -1.0, 2.0], 3.0), torch.randn(3, 2, 7, dtype=torch.float64)
    torch.testing.assert_close(mix(layers), 3 * mix_with([0.5, -1.0, 2.0], 1.0)(layers))
    mix(layers).square().sum().backward()
    assert mix.gamma.grad.shape == ()
    assert mix.weights.grad.abs().min() > 0


def test_layers_that_are_missing():
    with pytest.raises(ValueError, match="expected 3 layers, the token layer included, got 2"):
        ScalarMix(3)(torch.zeros(2, 4, 5))
    with pytest.raises(ValueError, match="num_layers: expected at least 1, got 0"):
        ScalarMix(0)
