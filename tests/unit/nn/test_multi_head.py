"""What MultiHeadAttention promises beyond parity: gates, caches, traces, rows without a key, errors."""

import pytest
import torch

from qkv.inspection.trace import Trace
from qkv.nn.attention import KeyValueCache, MultiHeadAttention, merge_heads, split_heads
from qkv.nn.masks import causal, not_padding


@pytest.fixture
def attention() -> MultiHeadAttention:
    torch.manual_seed(0)
    return MultiHeadAttention(d_model=12, num_heads=3).double()


def draw(*shape: int) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(len(shape) + sum(shape))).double()


def test_heads_are_neighbouring_entries():
    x = torch.arange(12.0).reshape(1, 2, 6)
    heads = split_heads(x, 3)
    assert heads[0, :, 1].tolist() == [[6, 7], [8, 9], [10, 11]]
    assert torch.equal(merge_heads(heads), x)


def test_one_head_by_hand():
    """Both scores are 1 and 0, so the shares are e / (e + 1) and 1 / (e + 1); values are 1 and 0."""
    attention = MultiHeadAttention(1, 1)
    with torch.no_grad():
        for parameter in attention.parameters():
            parameter.fill_(float(parameter.ndim == 2))
    output = attention(torch.tensor([[[1.0]]]), torch.tensor([[[1.0], [0.0]]]))
    assert output.item() == pytest.approx(2.718281828 / 3.718281828)


def test_a_query_without_keys_gathers_nothing(attention):
    """Every value is blocked, so what remains is the bias of the output projection; in the traced path too."""
    x, may_attend = draw(2, 4, 12), causal(4).repeat(2, 1, 1)
    may_attend[1, 2] = False
    trace = Trace()
    for output in (attention(x, may_attend=may_attend), attention(x, may_attend=may_attend, trace=trace)):
        torch.testing.assert_close(output[1, 2], attention.output.bias)
    assert trace["weights"][1, :, 2].eq(0).all()


def test_its_gradient_stays_finite(attention):
    x = draw(1, 3, 12).requires_grad_()
    attention(x, may_attend=torch.zeros(3, 3, dtype=torch.bool), trace=Trace()).sum().backward()
    assert x.grad.isfinite().all()


def test_padding_mask_of_a_square_batch_is_per_sequence(attention):
    """b = t = 4: were the mask read as (t_q, t_k), every sequence would get the lengths of all."""
    x, lengths = draw(4, 4, 12), [1, 4, 2, 3]
    output = attention(x, may_attend=not_padding(lengths, 4))
    for row, length in enumerate(lengths):
        alone = attention(x[row, :length])
        torch.testing.assert_close(output[row, :length], alone)


def test_any_leading_axes(attention):
    x = draw(2, 3, 5, 12)
    torch.testing.assert_close(attention(x, may_attend=causal(5))[1, 2], attention(x[1, 2], may_attend=causal(5)))


def test_gate_of_zero_removes_a_head_and_of_one_changes_nothing(attention):
    x = draw(2, 5, 12)
    trace = Trace()
    full = attention(x, trace=trace)
    torch.testing.assert_close(attention(x, head_gate=torch.ones(3).double()), full)
    without = attention(x, head_gate=torch.tensor([1.0, 0.0, 1.0]).double())
    removed = trace["heads"][:, 1] @ attention.output.weight[:, 4:8].T
    torch.testing.assert_close(full - without, removed)


def test_gate_per_sequence(attention):
    x = draw(2, 5, 12)
    gate = torch.tensor([[1.0, 0.5, 0.0], [0.0, 1.0, 2.0]]).double()
    torch.testing.assert_close(attention(x, head_gate=gate)[1], attention(x[1], head_gate=gate[1]))


def test_steps_with_a_cache_equal_one_causal_call(attention):
    x, cache = draw(2, 6, 12), KeyValueCache()
    steps = [attention(x[:, t : t + 1], cache=cache) for t in range(6)]
    torch.testing.assert_close(torch.cat(steps, dim=1), attention(x, may_attend=causal(6)))
    assert len(cache) == 6


def test_cross_attention_projects_its_source_once(attention):
    x, memory, cache = draw(2, 3, 12), draw(2, 7, 12), KeyValueCache()
    first = attention(x, memory, cache=cache)
    torch.testing.assert_close(attention(x, torch.zeros_like(memory), cache=cache), first)
    assert len(cache) == 7


def test_cache_follows_its_rows(attention):
    x, cache, rows = draw(3, 4, 12), KeyValueCache(), torch.tensor([2, 0, 0, 1])
    attention(x[:, :3], cache=cache, may_attend=causal(3))
    cache.select(rows)
    expected = attention(x, may_attend=causal(4))[rows, 3:]
    torch.testing.assert_close(attention(x[rows, 3:], cache=cache), expected)


def test_dropout_only_in_training():
    attention, x = MultiHeadAttention(8, 2, dropout=0.5), torch.randn(1, 20, 8)
    assert not torch.equal(attention(x), attention(x))
    trace = Trace()
    attention(x, trace=trace)
    assert 0.3 < trace["weights"].eq(0).float().mean() < 0.7
    attention.eval()
    assert torch.equal(attention(x), attention(x))


@pytest.mark.parametrize(("d_model", "num_heads"), [(10, 3), (4, 8), (4, 0)])
def test_sizes_that_do_not_divide(d_model, num_heads):
    with pytest.raises(ValueError, match=f"got {d_model} and {num_heads}"):
        MultiHeadAttention(d_model, num_heads)


def test_queries_of_another_size(attention):
    with pytest.raises(ValueError, match=r"d_model = 12, got \(2, 5, 8\)"):
        attention(torch.randn(2, 5, 8).double())
