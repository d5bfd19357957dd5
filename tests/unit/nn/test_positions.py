"""Positions against their formulas, transformers' Llama, the paper's slopes; and what each of them promises."""

import math

import pytest
import torch
from transformers import LlamaConfig
from transformers.models.llama.modeling_llama import LlamaRotaryEmbedding, apply_rotary_pos_emb

from qkv.nn.positions import LearnedPositions, RotaryPositions, alibi_bias, alibi_slopes, sinusoidal


@pytest.mark.parametrize("d_model", [1, 2, 7, 8, 13])
def test_sinusoidal_entry_by_entry(d_model):
    table = sinusoidal(50, d_model)
    for position in range(50):
        for column in range(d_model):
            angle = position / 10_000 ** (2 * (column // 2) / d_model)
            expected = math.sin(angle) if column % 2 == 0 else math.cos(angle)
            assert table[position, column].item() == pytest.approx(expected, abs=1e-6)


def test_a_shift_is_the_same_rotation_everywhere():
    """Section 3.5: PE(pos + k) is a linear function of PE(pos); here the dot product sees the distance only."""
    table = sinusoidal(40, 16).double()
    products = table @ table.T
    assert torch.allclose(products.diagonal(3), products[0, 3].expand(37), atol=1e-5)


@pytest.mark.parametrize(("length", "d_model"), [(0, 4), (4, 0)])
def test_no_positions(length, d_model):
    with pytest.raises(ValueError, match=f"got {length} and {d_model}"):
        sinusoidal(length, d_model)


def test_learned_positions_go_on_where_they_stopped():
    positions = LearnedPositions(10, 4)
    assert torch.equal(torch.cat([positions(6), positions(4, start=6)]), positions(10))
    positions(3, start=2).sum().backward()
    assert positions.weight.grad.sum(1).tolist() == [0, 0, 4, 4, 4, 0, 0, 0, 0, 0]


@pytest.mark.parametrize(("length", "start"), [(11, 0), (5, 6)])
def test_beyond_what_was_learned(length, start):
    with pytest.raises(ValueError, match="at most 10 positions, as many as were learnt, got 11"):
        LearnedPositions(10, 4)(length, start)


@pytest.mark.parametrize("base", [10_000.0, 500_000.0])
@pytest.mark.parametrize("start", [0, 17])
def test_rotary_equals_llama(base, start):
    torch.manual_seed(0)
    query, key = torch.randn(2, 3, 9, 8), torch.randn(2, 3, 9, 8)
    config = LlamaConfig(
        hidden_size=24, num_attention_heads=3, rope_parameters={"rope_type": "default", "rope_theta": base}
    )
    cos, sin = LlamaRotaryEmbedding(config)(query, torch.arange(start, start + 9)[None])
    expected_query, expected_key = apply_rotary_pos_emb(query, key, cos, sin)
    rotary = RotaryPositions(8, base)
    torch.testing.assert_close(rotary(query, start), expected_query, rtol=0, atol=1e-5)
    torch.testing.assert_close(rotary(key, start), expected_key, rtol=0, atol=1e-5)


def test_rotary_scores_see_distance_only_and_keep_lengths():
    torch.manual_seed(0)
    rotary = RotaryPositions(6).double()
    query, key = torch.randn(1, 6).double(), torch.randn(1, 6).double()
    near, far = (rotary(query, start + 3) @ rotary(key, start).T for start in (0, 100))
    torch.testing.assert_close(near, far, rtol=0, atol=1e-5)
    torch.testing.assert_close(rotary(query, 50).norm(), query.norm())


@pytest.mark.parametrize("d_k", [0, 1, 7])
def test_an_entry_without_partner(d_k):
    with pytest.raises(ValueError, match=f"even d_k of at least 2, got {d_k}"):
        RotaryPositions(d_k)


def test_rotary_of_another_size():
    with pytest.raises(ValueError, match=r"expected d_k = 8, got \(5, 6\)"):
        RotaryPositions(8)(torch.zeros(5, 6))


def test_alibi_slopes_of_the_paper():
    """Section 3: 8 heads have 1/2, 1/4, …, 1/256; 16 heads 2^-0.5, 2^-1, …, 2^-8."""
    assert alibi_slopes(8).tolist() == [2.0**-i for i in range(1, 9)]
    torch.testing.assert_close(alibi_slopes(16), 2.0 ** (-torch.arange(1, 17) / 2))
    torch.testing.assert_close(alibi_slopes(12), torch.cat([alibi_slopes(8), alibi_slopes(16)[:8:2]]))


def test_alibi_bias_by_hand():
    expected = [[0.0, 0.0, 0.0], [-0.5, 0.0, 0.0], [-1.0, -0.5, 0.0]]
    assert alibi_bias(8, 3)[0].tolist() == expected
    assert alibi_bias(8, 1, 3)[0].tolist() == expected[2:]


@pytest.mark.parametrize(("t_q", "t_k"), [(0, 3), (4, 3)])
def test_more_queries_than_keys(t_q, t_k):
    with pytest.raises(ValueError, match=f"got {t_q} and {t_k}"):
        alibi_bias(2, t_q, t_k)


def test_no_heads():
    with pytest.raises(ValueError, match="at least 1 head, got 0"):
        alibi_slopes(0)
