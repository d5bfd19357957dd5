"""MultiHeadAttention against nn.MultiheadAttention, weights mapped both ways, at sizes that Hypothesis draws."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from qkv.inspection.trace import Trace
from qkv.nn.attention import MultiHeadAttention

TOLERANCE = {torch.float32: 1e-5, torch.float64: 1e-12}
drawn = settings(max_examples=60, deadline=None, derandomize=True, database=None)


def to_torch(ours: MultiHeadAttention) -> dict[str, Tensor]:
    """Our weights under torch's names: query, key and value on top of each other."""
    inputs = ours.query, ours.key, ours.value
    return {
        "in_proj_weight": torch.cat([linear.weight for linear in inputs]),
        "in_proj_bias": torch.cat([linear.bias for linear in inputs]),
        "out_proj.weight": ours.output.weight,
        "out_proj.bias": ours.output.bias,
    }


def from_torch(theirs: nn.MultiheadAttention) -> dict[str, Tensor]:
    """The other way."""
    names, state = ("query", "key", "value"), theirs.state_dict()
    weights = dict(zip([f"{name}.weight" for name in names], state["in_proj_weight"].chunk(3), strict=True))
    biases = dict(zip([f"{name}.bias" for name in names], state["in_proj_bias"].chunk(3), strict=True))
    return weights | biases | {"output.weight": state["out_proj.weight"], "output.bias": state["out_proj.bias"]}


def same_weights(d_model: int, num_heads: int, dtype: torch.dtype, ours_first: bool):
    ours = MultiHeadAttention(d_model, num_heads).to(dtype)
    theirs = nn.MultiheadAttention(d_model, num_heads, batch_first=True, dtype=dtype)
    nn.init.normal_(theirs.in_proj_bias)
    if ours_first:
        theirs.load_state_dict(to_torch(ours))
    else:
        ours.load_state_dict(from_torch(theirs))
    return ours, theirs


def assert_near(actual: Tensor, expected: Tensor) -> None:
    torch.testing.assert_close(actual, expected, rtol=0, atol=TOLERANCE[actual.dtype])


@pytest.mark.parametrize("dtype", TOLERANCE, ids=str)
@drawn
@given(
    sizes=st.tuples(st.integers(1, 4), st.integers(1, 9), st.integers(1, 11), st.integers(1, 5), st.integers(1, 7)),
    kind=st.sampled_from(["self", "cross", "three inputs"]),
    masked=st.booleans(),
    ours_first=st.booleans(),
)
def test_output_weights_and_gradients(dtype, sizes, kind, masked, ours_first):
    b, t_q, t_k, num_heads, d_k = sizes
    torch.manual_seed(sum(sizes))
    t_k = t_q if kind == "self" else t_k
    ours, theirs = same_weights(num_heads * d_k, num_heads, dtype, ours_first)
    query, key, value = (torch.randn(b, t, num_heads * d_k, dtype=dtype, requires_grad=True) for t in (t_q, t_k, t_k))
    given_inputs = {"self": (query,), "cross": (query, key), "three inputs": (query, key, value)}[kind]
    full = {"self": (query, query, query), "cross": (query, key, key), "three inputs": (query, key, value)}[kind]
    chance = torch.rand(b, t_q, t_k)
    may_attend = (chance < 0.6) | (chance == chance.amax(-1, keepdim=True)) if masked else None
    blocked = None if may_attend is None else (~may_attend).repeat_interleave(num_heads, dim=0)

    trace = Trace()
    output = ours(*given_inputs, may_attend=may_attend)
    expected, weights = theirs(*full, attn_mask=blocked, average_attn_weights=False)
    assert_near(output, expected)
    assert_near(ours(*given_inputs, may_attend=may_attend, trace=trace), expected)
    assert_near(trace["weights"], weights)
    direction = torch.randn_like(output)
    for actual, wanted in zip(
        torch.autograd.grad(output, given_inputs, direction),
        torch.autograd.grad(expected, given_inputs, direction),
        strict=True,
    ):
        assert_near(actual, wanted)


@drawn
@given(length=st.integers(1, 9), num_heads=st.integers(1, 5), seed=st.integers(0, 2**31))
def test_bias_is_a_float_mask_per_head(length, num_heads, seed):
    torch.manual_seed(seed)
    ours, theirs = same_weights(4 * num_heads, num_heads, torch.float64, ours_first=True)
    x, bias = torch.randn(3, length, 4 * num_heads).double(), torch.randn(num_heads, length, length).double()
    may_attend = torch.ones(length, length, dtype=torch.bool).tril()
    mask = bias.masked_fill(~may_attend, -math.inf).repeat(3, 1, 1)
    expected = theirs(x, x, x, attn_mask=mask, need_weights=False)[0]
    assert_near(ours(x, may_attend=may_attend, bias=bias), expected)
    assert_near(ours(x, may_attend=may_attend, bias=bias, trace=Trace()), expected)
