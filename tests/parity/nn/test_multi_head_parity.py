"""MultiHeadAttention against nn.MultiheadAttention, weights mapped both ways, at sizes that Hypothesis draws."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from transformers import LlamaConfig
from transformers.models.llama.modeling_llama import LlamaAttention, LlamaRotaryEmbedding

from qkv.inspection.trace import Trace
from qkv.nn.attention import GroupedQueryAttention, KeyValueCache, MultiHeadAttention, attend_head_by_head
from qkv.nn.masks import causal
from qkv.nn.positions import RotaryPositions

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
    assert_near(attend_head_by_head(ours, *full, may_attend), expected)
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


@pytest.mark.parametrize("dtype", TOLERANCE, ids=str)
@drawn
@given(length=st.integers(1, 12), seed=st.integers(0, 2**31))
def test_causal_attention_takes_the_short_cut_exactly(dtype, length, seed):
    torch.manual_seed(seed)
    ours, theirs = same_weights(12, 3, dtype, ours_first=True)
    x = torch.randn(2, length, 12, dtype=dtype)
    expected = theirs(x, x, x, attn_mask=~causal(length), need_weights=False)[0]
    assert_near(ours(x, may_attend=causal(length)), expected)


@pytest.mark.parametrize("num_kv_heads", [1, 2, 3, 6])
def test_grouped_query_equals_llama(num_kv_heads):
    """With rotary positions; in one causal call, and token by token with a cache."""
    torch.manual_seed(num_kv_heads)
    config = LlamaConfig(
        hidden_size=24, num_attention_heads=6, num_key_value_heads=num_kv_heads, attn_implementation="eager"
    )
    theirs = LlamaAttention(config, layer_idx=0)
    ours = GroupedQueryAttention(24, 6, num_kv_heads, RotaryPositions(4))
    names = {"query": "q_proj", "key": "k_proj", "value": "v_proj", "output": "o_proj"}
    ours.load_state_dict({f"{name}.weight": theirs.state_dict()[f"{other}.weight"] for name, other in names.items()})
    x = torch.randn(2, 7, 24)
    angles = LlamaRotaryEmbedding(config)(x, torch.arange(7)[None])
    blocked = torch.zeros(7, 7).masked_fill(~causal(7), -math.inf)
    expected = theirs(x, position_embeddings=angles, attention_mask=blocked[None, None])[0]
    assert_near(ours(x, causal(7)), expected)
    cache = KeyValueCache()
    assert_near(torch.cat([ours(x[:, t : t + 1], cache=cache) for t in range(7)], dim=1), expected)
    assert cache.key.shape == (2, num_kv_heads, 7, 4)


def test_grouped_query_with_as_many_key_heads_is_multi_head():
    torch.manual_seed(0)
    grouped, multi = GroupedQueryAttention(12, 3, 3).double(), MultiHeadAttention(12, 3).double()
    multi.load_state_dict(grouped.state_dict(), strict=False)
    for linear in (multi.query, multi.key, multi.value, multi.output):
        nn.init.zeros_(linear.bias)
    x = torch.randn(2, 5, 12).double()
    assert_near(grouped(x, causal(5)), multi(x, may_attend=causal(5)))


@pytest.mark.parametrize(("sizes", "message"), [((10, 3, 1), "got 10 and 3"), ((12, 6, 4), "got 6 and 4")])
def test_groups_that_do_not_divide(sizes, message):
    with pytest.raises(ValueError, match=message):
        GroupedQueryAttention(*sizes)
