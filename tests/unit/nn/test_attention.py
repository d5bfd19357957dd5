"""Attention by hand, on the course's running example: every number here can be followed on paper."""

import math

import jaxtyping
import pytest
import torch

from qkv import toy
from qkv.nn.attention import (
    AdditiveAttention,
    attend_one_by_one,
    attention_gradients,
    dot,
    scaled_dot_product_attention,
    softmax,
    softmax_gradient,
)
from qkv.nn.masks import causal, not_padding

QUERY, KEY, VALUE = (torch.tensor(rows, dtype=torch.float32) for rows in (toy.QUERY, toy.KEY, toy.VALUE))
CAT, MAT, IT = range(3)


def close(actual, expected, digits=3):
    """Equal when rounded as the table in the lesson is: to half a unit of the last digit."""
    torch.testing.assert_close(actual, torch.tensor(expected), rtol=0, atol=0.5 * 10**-digits + 1e-6)


def test_toy_weights_and_outputs():
    output, weights = scaled_dot_product_attention(QUERY, KEY, VALUE)
    close(weights, [[0.333, 0.333, 0.333], [0.107, 0.107, 0.787], [0.665, 0.245, 0.090]])
    close(output, [[3.33, 3.33], [1.07, 1.07], [6.65, 2.45]], digits=2)


def test_toy_under_the_causal_mask():
    output, weights = scaled_dot_product_attention(QUERY, KEY, VALUE, causal(3))
    close(weights, [[1.0, 0.0, 0.0], [0.5, 0.5, 0.0], [0.665, 0.245, 0.090]])
    close(output, [[10.0, 0.0], [5.0, 5.0], [6.65, 2.45]], digits=2)


def test_wet_moves_it_from_the_cat_to_the_mat():
    _, weights = scaled_dot_product_attention(torch.tensor([toy.QUERY_IT_WET], dtype=torch.float32), KEY, VALUE)
    close(weights, [[0.245, 0.665, 0.090]])


def test_unscaled_row_it_is_sharper():
    """Twice the query undoes the division by √d_k = 2: the scores are 4 2 0 once more."""
    _, weights = scaled_dot_product_attention(2 * QUERY[IT:], KEY, VALUE)
    close(weights, [[0.867, 0.117, 0.016]])


def test_only_differences_of_scores_count():
    close(softmax(torch.tensor([2.0, 1.0, 0.0])), [0.665, 0.245, 0.090])
    assert torch.equal(softmax(torch.tensor([102.0, 101.0, 100.0])), softmax(torch.tensor([2.0, 1.0, 0.0])))


def test_softmax_over_the_other_axis():
    """Down the columns the rows of the toy add up to .912, .911 and 1.178: the planted mistake of the lesson."""
    scores = QUERY @ KEY.mT / 2
    close(softmax(scores, dim=-2).sum(-1), [0.912, 0.911, 1.178])
    close(softmax(scores, dim=-1).sum(-1), [1.0, 1.0, 1.0])


def test_a_bias_is_added_after_the_scale():
    """ln 2 on the scaled score of one of three equal keys doubles its share: 1/4, 1/2, 1/4."""
    bias = torch.tensor([[0.0, math.log(2), 0.0]])
    _, weights = scaled_dot_product_attention(QUERY[CAT:MAT], KEY, VALUE, bias=bias)
    torch.testing.assert_close(weights, torch.tensor([[0.25, 0.5, 0.25]]))


def test_plain_python_gives_the_same():
    output, _ = scaled_dot_product_attention(QUERY.double(), KEY.double(), VALUE.double())
    expected = torch.tensor(attend_one_by_one(toy.QUERY, toy.KEY, toy.VALUE), dtype=torch.float64)
    torch.testing.assert_close(output, expected, rtol=0, atol=1e-14)


def test_plain_python_survives_large_scores():
    assert attend_one_by_one([[1000.0]], [[1.0], [-1.0]], [[3.0, 4.0], [5.0, 6.0]]) == [[3.0, 4.0]]


def test_dot_by_hand_and_unequal_lengths():
    assert dot(toy.QUERY[IT], toy.KEY[CAT]) == 4
    with pytest.raises(ValueError, match="shorter"):
        dot([1.0, 2.0], [1.0])


# --- the gradient ---------------------------------------------------------------------------------------------------


def test_slope_of_row_it():
    _, weights = scaled_dot_product_attention(QUERY, KEY, VALUE)
    close(softmax_gradient(weights)[IT, CAT], [0.223, -0.163, -0.060])


def test_the_slope_predicts_what_a_nudge_does():
    """Raise the scaled score of *cat* by .1: the shares of row *it* move by +.022, -.016, -.006."""
    before = softmax(torch.tensor([2.0, 1.0, 0.0], dtype=torch.float64))
    after = softmax(torch.tensor([2.1, 1.0, 0.0], dtype=torch.float64))
    moved = 0.1 * softmax_gradient(before)[CAT]
    close(moved.float(), [0.022, -0.016, -0.006])
    torch.testing.assert_close(after - before, moved, rtol=0, atol=0.1**2 / 2)  # the rest is of second order


@pytest.mark.parametrize(("gap", "slope"), [(0, 0.25), (2, 0.105), (4, 0.018), (8, 0.0003)])
def test_slope_between_two_keys_fades_with_the_gap(gap, slope):
    torch.testing.assert_close(
        softmax_gradient(softmax(torch.tensor([float(gap), 0.0])))[0, 0], torch.tensor(slope), rtol=0, atol=5e-4
    )


def test_what_one_share_gains_the_others_lose():
    jacobian = softmax_gradient(scaled_dot_product_attention(QUERY, KEY, VALUE)[1])
    torch.testing.assert_close(jacobian.sum(-1), torch.zeros(3, 3), rtol=0, atol=1e-7)
    torch.testing.assert_close(jacobian, jacobian.mT)


def test_blocked_keys_get_no_gradient():
    query, key, value = QUERY[: CAT + 1], KEY, VALUE
    _, grad_key, grad_value = attention_gradients(query, key, value, torch.ones(1, 2), causal(3)[:1])
    assert torch.count_nonzero(grad_key[MAT:]) == 0
    assert torch.count_nonzero(grad_value[MAT:]) == 0
    close(grad_value[CAT], [1.0, 1.0])


# --- the additive score ---------------------------------------------------------------------------------------------


def additive_of_ones() -> AdditiveAttention:
    """W = U = v = 1, so that the score is tanh(q + k)."""
    attention = AdditiveAttention(d_query=1, d_key=1, d_hidden=1)
    for parameter in attention.parameters():
        torch.nn.init.ones_(parameter)
    return attention


@pytest.mark.parametrize(("size", "scores"), [(1.0, [0.964, 0.762, 0.0]), (10.0, [1.0, 1.0, 0.0])])
def test_additive_scores_by_hand(size, scores):
    """q = 1 and k = 1, 0, -1; ten times larger, tanh is full: 1 1 0, where the dot product would give 100 0 -100."""
    query, key = torch.tensor([[size]]), size * torch.tensor([[1.0], [0.0], [-1.0]])
    _, weights = additive_of_ones()(query, key, VALUE)
    close(weights[0], softmax(torch.tensor(scores)).tolist())


def test_additive_against_the_formula_pair_by_pair():
    torch.manual_seed(0)
    attention = AdditiveAttention(d_query=5, d_key=7, d_hidden=4)
    query, key, value = torch.randn(2, 3, 5), torch.randn(2, 6, 7), torch.randn(2, 6, 11)
    may_attend = not_padding([6, 2])
    output, weights = attention(query, key, value, may_attend)
    w, u, v = (p.detach() for p in attention.parameters())
    for b in range(2):
        for i in range(3):
            pairs = [math.exp(float(v @ torch.tanh(w @ query[b, i] + u @ k))) for k in key[b, : [6, 2][b]]]
            shares = torch.tensor([p / sum(pairs) for p in pairs] + [0.0] * (6 - len(pairs)))
            torch.testing.assert_close(weights[b, i], shares, rtol=0, atol=1e-6)
            torch.testing.assert_close(output[b, i], shares @ value[b], rtol=0, atol=1e-5)


def test_additive_has_the_papers_parameters_and_no_biases():
    sizes = {name: tuple(p.shape) for name, p in AdditiveAttention(3, 5, 7).named_parameters()}
    assert sizes == {"query_projection.weight": (7, 3), "key_projection.weight": (7, 5), "score.weight": (1, 7)}


# --- what is refused ------------------------------------------------------------------------------------------------


def test_a_row_with_nothing_to_attend_to_is_named():
    may_attend = torch.ones(3, 3, dtype=torch.bool)
    may_attend[MAT] = False
    with pytest.raises(
        ValueError, match=r"query row 1 may attend to no key; expected at least one \(rows like this: 1\)"
    ):
        scaled_dot_product_attention(QUERY, KEY, VALUE, may_attend)


def test_an_empty_row_is_named_with_its_place_in_the_batch():
    x = torch.randn(2, 3, 4, 5)
    may_attend = torch.ones(2, 1, 4, 4, dtype=torch.bool)
    may_attend[1, :, 2] = False
    for attention in (scaled_dot_product_attention, AdditiveAttention(5, 5, 6)):
        with pytest.raises(
            ValueError, match=r"query row 2 of batch index \(1, 0\) may attend to no key.*rows like this: 3"
        ):
            attention(x, x, x, may_attend)


def test_mask_and_bias_together_can_empty_a_row():
    bias = torch.tensor([[-math.inf, 0.0, 0.0]])
    with pytest.raises(ValueError, match="query row 0 may attend to no key"):
        scaled_dot_product_attention(QUERY, KEY, VALUE, causal(3), bias)


def test_no_keys_at_all_is_an_empty_row():
    with pytest.raises(ValueError, match="query row 0 may attend to no key"):
        scaled_dot_product_attention(QUERY, KEY[:0], VALUE[:0])


def test_shape_strings_are_enforced_in_tests():
    with pytest.raises(jaxtyping.TypeCheckError):
        scaled_dot_product_attention(QUERY, KEY[:, :3], VALUE)


def refused(**changes):
    arguments = {"query": torch.ones(2, 5, 4), "key": torch.ones(2, 7, 4), "value": torch.ones(2, 7, 6)}
    return arguments | changes


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (refused(key=torch.ones(2, 7, 3)), ValueError, r"d_k of query and key to be equal, got \(4, 3\)"),
        (refused(value=torch.ones(2, 8, 6)), ValueError, "one value per key, got 7 keys and 8 values"),
        (refused(query=torch.ones(3, 5, 4)), ValueError, r"same leading axes everywhere, got query \(3, 5, 4\)"),
        (refused(value=torch.ones(7, 6)), ValueError, r"same leading axes everywhere.*value \(7, 6\)"),
        (refused(query=torch.ones(4)), ValueError, r"at least two axes.*query \(4,\)"),
        (refused(query=torch.ones(2, 5, 4).long()), TypeError, "one floating-point dtype.*torch.int64"),
        (refused(value=torch.ones(2, 7, 6).double()), TypeError, "one floating-point dtype.*torch.float64"),
        (refused(query=[[1.0]]), TypeError, "one floating-point dtype.*list"),
        (refused(bias=torch.zeros(5, 7).double()), TypeError, "one floating-point dtype.*'bias': torch.float64"),
        (refused(bias=torch.zeros(7, 5)), ValueError, r"bias to broadcast.*\(2, 5, 7\), got \(7, 5\)"),
        (refused(may_attend=torch.ones(5, 7)), TypeError, "boolean tensor, True = may attend, got torch.float32"),
        (refused(may_attend=[[True]]), TypeError, "boolean tensor, True = may attend, got <class 'list'>"),
        (refused(may_attend=torch.ones(5, 6).bool()), ValueError, r"may_attend to broadcast.*got \(5, 6\)"),
        (refused(may_attend=torch.ones(7).bool()), ValueError, r"may_attend to broadcast.*got \(7,\)"),
        (refused(may_attend=torch.ones(3, 1, 5, 7).bool()), ValueError, r"may_attend to broadcast.*\(3, 1, 5, 7\)"),
    ],
)
def test_what_does_not_fit_is_refused_with_both_sides(plain_attention, arguments, error, message):
    with pytest.raises(error, match=message):
        plain_attention.scaled_dot_product_attention(**arguments)


def test_additive_names_the_sizes_it_was_made_for(plain_attention):
    attention = plain_attention.AdditiveAttention(d_query=4, d_key=3, d_hidden=8)
    with pytest.raises(ValueError, match=r"d_k of query and key to be \(4, 3\), got \(4, 4\)"):
        attention(**refused())


def test_the_checks_let_good_input_pass(plain_attention):
    output, weights = plain_attention.scaled_dot_product_attention(**refused(may_attend=torch.ones(1, 7).bool()))
    assert output.shape == (2, 5, 6)
    assert weights.shape == (2, 5, 7)
