"""Attention against torch's own, at sizes that Hypothesis draws: outputs, weights and gradients."""

import math
from dataclasses import dataclass

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.nn import functional

from qkv.nn.attention import (
    attend_one_by_one,
    attention_gradients,
    scaled_dot_product_attention,
    softmax,
    softmax_gradient,
)

TOLERANCE = {torch.float32: 1e-5, torch.float64: 1e-12}
drawn = settings(max_examples=150, deadline=None, derandomize=True, database=None)


@dataclass(frozen=True)
class Case:
    """One call.  ``mask_shape`` and ``bias_shape`` broadcast to the scores, or are None."""

    batch: tuple[int, ...]
    t_q: int
    t_k: int
    d_k: int
    d_v: int
    mask_shape: tuple[int, ...] | None
    bias_shape: tuple[int, ...] | None
    seed: int

    def inputs(self, dtype: torch.dtype) -> tuple[Tensor, Tensor, Tensor]:
        generator = torch.Generator().manual_seed(self.seed)
        sizes = [(self.t_q, self.d_k), (self.t_k, self.d_k), (self.t_k, self.d_v)]
        return tuple(torch.randn(*self.batch, *size, generator=generator).to(dtype) for size in sizes)

    def masks(self, dtype: torch.dtype) -> tuple[Tensor | None, Tensor | None]:
        """The boolean mask, every row with at least one key, and the bias."""
        generator = torch.Generator().manual_seed(self.seed + 1)
        may_attend = bias = None
        if self.mask_shape is not None:
            chance = torch.rand(self.mask_shape, generator=generator)
            may_attend = (chance < 0.5) | (chance == chance.amax(-1, keepdim=True))
        if self.bias_shape is not None:
            bias = torch.randn(self.bias_shape, generator=generator).to(dtype)
        return may_attend, bias

    def torch_mask(self, dtype: torch.dtype) -> Tensor | None:
        """Both masks as the one that torch takes: added to the scores, -inf where blocked."""
        may_attend, bias = self.masks(dtype)
        if may_attend is None and bias is None:
            return None
        total = torch.zeros(*self.batch, self.t_q, self.t_k, dtype=dtype)
        total = total if bias is None else total + bias
        return total if may_attend is None else total.masked_fill(~may_attend, -math.inf)


@st.composite
def broadcast_shapes(draw, full: tuple[int, ...]) -> tuple[int, ...]:
    """Each axis full or 1; any number of leading axes left out, never the last two."""
    sizes = tuple(draw(st.sampled_from([size, 1])) for size in full)
    return sizes[draw(st.integers(0, len(full) - 2)) :]


@st.composite
def cases(draw) -> Case:
    batch = tuple(draw(st.lists(st.integers(1, 3), max_size=3)))
    t_q, t_k, d_k, d_v = (draw(st.integers(1, high)) for high in (13, 17, 48, 24))
    mask_shape, bias_shape = (draw(st.none() | broadcast_shapes((*batch, t_q, t_k))) for _ in range(2))
    return Case(batch, t_q, t_k, d_k, d_v, mask_shape, bias_shape, seed=draw(st.integers(0, 2**31)))


def assert_near(actual: Tensor, expected: Tensor, tolerance: float) -> None:
    torch.testing.assert_close(actual, expected, rtol=0, atol=tolerance)


@pytest.mark.parametrize("dtype", TOLERANCE, ids=str)
@drawn
@given(case=cases())
def test_output_and_weights(dtype, case):
    query, key, value = case.inputs(dtype)
    output, weights = scaled_dot_product_attention(query, key, value, *case.masks(dtype))
    mask = case.torch_mask(dtype)
    expected = functional.scaled_dot_product_attention(query, key, value, mask)
    every_key = torch.eye(case.t_k, dtype=dtype).expand(*case.batch, -1, -1)  # mixing unit vectors shows the weights
    assert_near(output, expected, TOLERANCE[dtype])
    assert_near(weights, functional.scaled_dot_product_attention(query, key, every_key, mask), TOLERANCE[dtype])


@drawn
@given(case=cases())
def test_gradients_by_hand(case):
    """Against autograd, through our own forward function and through torch's."""
    leaves = [x.requires_grad_() for x in case.inputs(torch.float64)]
    may_attend, _ = case.masks(torch.float64)
    grad_output = torch.linspace(-2, 3, case.t_q * case.d_v, dtype=torch.float64).reshape(case.t_q, case.d_v)
    grad_output = grad_output.expand(*case.batch, -1, -1)
    by_hand = attention_gradients(*(x.detach() for x in leaves), grad_output, may_attend)
    for output in (
        scaled_dot_product_attention(*leaves, may_attend)[0],
        functional.scaled_dot_product_attention(*leaves, may_attend),
    ):
        by_autograd = torch.autograd.grad(output, leaves, grad_output)
        for ours, expected in zip(by_hand, by_autograd, strict=True):
            assert_near(ours, expected, 1e-10)


@drawn
@given(case=cases())
def test_plain_python(case):
    query, key, value = (x.flatten(0, -3)[0] if x.ndim > 2 else x for x in case.inputs(torch.float64))
    expected = functional.scaled_dot_product_attention(query, key, value)
    output = torch.tensor(attend_one_by_one(query.tolist(), key.tolist(), value.tolist()), dtype=torch.float64)
    assert_near(output, expected, 1e-12)


@pytest.mark.parametrize("dtype", TOLERANCE, ids=str)
@drawn
@given(
    shape=st.lists(st.integers(1, 9), min_size=1, max_size=4),
    size=st.sampled_from([1, 30, 1000]),
    data=st.data(),
)
def test_softmax_over_any_axis(dtype, shape, size, data):
    dim = data.draw(st.integers(-len(shape), len(shape) - 1))
    scores = (size * torch.randn(shape, generator=torch.Generator().manual_seed(sum(shape)))).to(dtype)
    assert_near(softmax(scores, dim), scores.softmax(dim), TOLERANCE[dtype])


@drawn
@given(batch=st.lists(st.integers(1, 3), max_size=2), t_k=st.integers(1, 9), seed=st.integers(0, 2**31))
def test_softmax_gradient(batch, t_k, seed):
    scores = torch.randn(*batch, t_k, generator=torch.Generator().manual_seed(seed)).double()
    ours = softmax_gradient(softmax(scores)).reshape(-1, t_k, t_k)
    for row, jacobian in zip(scores.reshape(-1, t_k), ours, strict=True):
        assert_near(jacobian, torch.autograd.functional.jacobian(lambda x: x.softmax(-1), row), 1e-12)
