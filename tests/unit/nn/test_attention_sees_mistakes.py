"""What attention promises, as checks that any implementation can be put through – and the mistakes they must see.

The first test runs every check on ours.  The second runs them on known mistakes (codes as the exercises name them):
a check that passes a mistake it should see is blind, and this fails.
"""

import math
from collections.abc import Callable

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from qkv import toy
from qkv.nn.attention import scaled_dot_product_attention
from qkv.nn.masks import causal

Attend = Callable[..., tuple[Tensor, Tensor]]


def draw(seed: int = 0) -> tuple[Tensor, Tensor, Tensor]:
    """Random query (2, 3, 5, 4), key (2, 3, 7, 4), value (2, 3, 7, 6): sizes pairwise different, two leading axes."""
    generator = torch.Generator().manual_seed(seed)
    sizes = [(2, 3, 5, 4), (2, 3, 7, 4), (2, 3, 7, 6)]
    return tuple(torch.randn(size, generator=generator, dtype=torch.float64) for size in sizes)


def draw_for_self_attention() -> tuple[Tensor, Tensor, Tensor]:
    """As many queries as keys, for the causal mask: (2, 7, 4), (2, 7, 4), (2, 7, 6)."""
    _, key, value = draw()
    return key[:, 2], key[:, 0], value[:, 1]


def near(actual: Tensor, expected: Tensor, tolerance: float = 1e-10) -> None:
    torch.testing.assert_close(actual, expected, rtol=0, atol=tolerance)


def toy_rows(attend: Attend) -> None:
    query, key, value = (torch.tensor(rows, dtype=torch.float64) for rows in (toy.QUERY, toy.KEY, toy.VALUE))
    expected = torch.tensor([[3.33, 3.33], [1.07, 1.07], [6.65, 2.45]], dtype=torch.float64)
    near(attend(query, key, value)[0], expected, 0.005)


def toy_causal_rows(attend: Attend) -> None:
    query, key, value = (torch.tensor(rows, dtype=torch.float64) for rows in (toy.QUERY, toy.KEY, toy.VALUE))
    expected = torch.tensor([[10, 0], [5, 5], [6.65, 2.45]], dtype=torch.float64)
    near(attend(query, key, value, causal(3))[0], expected, 0.005)


def equals_torch(attend: Attend) -> None:
    query, key, value = draw()
    near(attend(query, key, value)[0], functional.scaled_dot_product_attention(query, key, value))


def equals_torch_when_causal(attend: Attend) -> None:
    query, key, value = draw_for_self_attention()
    expected = functional.scaled_dot_product_attention(query, key, value, is_causal=True)
    near(attend(query, key, value, causal(7))[0], expected)


def rows_sum_to_one(attend: Attend) -> None:
    _, weights = attend(*draw())
    near(weights.sum(-1), torch.ones(2, 3, 5, dtype=torch.float64))


def rows_sum_to_one_when_causal(attend: Attend) -> None:
    _, weights = attend(*draw_for_self_attention(), causal(7))
    near(weights.sum(-1), torch.ones(2, 7, dtype=torch.float64))


def future_cannot_change_the_past(attend: Attend) -> None:
    query, key, value = draw_for_self_attention()
    before, _ = attend(query, key, value, causal(7))
    for now in range(6):
        changed = [x.clone() for x in (query, key, value)]  # a later word changes all three
        for x in changed:
            x[:, now + 1 :] += 3
        near(attend(*changed, causal(7))[0][:, : now + 1], before[:, : now + 1])


def order_of_the_keys_is_free(attend: Attend) -> None:
    query, key, value = draw()
    order = torch.tensor([3, 0, 6, 2, 5, 1, 4])
    output, weights = attend(query, key, value)
    shuffled_output, shuffled_weights = attend(query, key[..., order, :], value[..., order, :])
    near(shuffled_output, output)
    near(shuffled_weights, weights[..., order])


def a_constant_on_the_scores_changes_nothing(attend: Attend) -> None:
    """The same vector on every key adds q·c to the whole row of scores."""
    query, key, value = draw()
    near(attend(query, key + 2, value)[0], attend(query, key, value)[0])


def output_stays_within_the_values(attend: Attend) -> None:
    """A mix lies between the extremes of what is mixed, along every direction; under a mask, of what may be read."""
    query, key, value = draw_for_self_attention()
    directions = torch.cat([torch.eye(6), torch.randn(6, 20, generator=torch.Generator().manual_seed(1)).T]).double()
    output, _ = attend(query, key, value, causal(7))
    for row in range(7):
        heights = value[:, : row + 1] @ directions.T
        height = output[:, row] @ directions.T
        assert (height <= heights.amax(1) + 1e-10).all()
        assert (height >= heights.amin(1) - 1e-10).all()


def large_scores_stay_finite(attend: Attend) -> None:
    """Scaled scores of +1000 and -1000: the winner takes all, and nothing overflows."""
    query, key, value = torch.tensor([[2000.0]]), torch.tensor([[0.5], [-0.5]]), torch.tensor([[3.0, 4.0], [5.0, 6.0]])
    near(attend(query, key, value)[0], torch.tensor([[3.0, 4.0]]))
    near(attend(-query, key, value)[0], torch.tensor([[5.0, 6.0]]))


CHECKS = [
    toy_rows,
    toy_causal_rows,
    equals_torch,
    equals_torch_when_causal,
    rows_sum_to_one,
    rows_sum_to_one_when_causal,
    future_cannot_change_the_past,
    order_of_the_keys_is_free,
    a_constant_on_the_scores_changes_nothing,
    output_stays_within_the_values,
    large_scores_stay_finite,
]


def variant(
    turn: Callable[[Tensor], Tensor] = lambda key: key.mT,
    divisor: Callable[[int], float] = math.sqrt,
    mask: Callable[[Tensor, Tensor], Tensor] = lambda scores, may: scores.masked_fill(~may, -math.inf),
    shares: Callable[[Tensor], Tensor] = lambda scores: scores.softmax(-1),
    late_mask: Callable[[Tensor, Tensor], Tensor] = lambda weights, may: weights,
    mixed: Callable[[Tensor, Tensor], Tensor] = lambda key, value: value,
) -> Attend:
    """Attention with one of its parts replaced."""

    def attend(query, key, value, may_attend=None):
        scores = query @ turn(key) / divisor(query.shape[-1])
        weights = shares(scores if may_attend is None else mask(scores, may_attend))
        weights = weights if may_attend is None else late_mask(weights, may_attend)
        return weights @ mixed(key, value), weights

    return attend


def filled(fill: float, blocked: Callable[[Tensor], Tensor] = torch.logical_not) -> Callable[[Tensor, Tensor], Tensor]:
    return lambda scores, may: scores.masked_fill(blocked(may), fill)


BY_VALUE = {toy_rows, equals_torch}
BY_MASKED_VALUE = {toy_causal_rows, equals_torch_when_causal}
LEAKS = BY_MASKED_VALUE | {future_cannot_change_the_past}

MISTAKES = {
    "A1 no scale": (variant(divisor=lambda d_k: 1), BY_VALUE),
    "A2 scale by d_model": (variant(divisor=lambda d_k: math.sqrt(4 * d_k)), BY_VALUE),
    "A3 times the root": (variant(divisor=lambda d_k: 1 / math.sqrt(d_k)), BY_VALUE),
    "A10 scaled twice": (variant(divisor=lambda d_k: d_k), BY_VALUE),
    "A4 softmax over the queries": (
        variant(shares=lambda scores: scores.softmax(-2)),
        BY_VALUE | LEAKS | {rows_sum_to_one, rows_sum_to_one_when_causal, a_constant_on_the_scores_changes_nothing},
    ),
    "A5 reshaped, not transposed": (
        variant(turn=lambda key: key.reshape(*key.shape[:-2], key.shape[-1], key.shape[-2])),
        BY_VALUE | {order_of_the_keys_is_free},
    ),
    "A6 keys mixed in place of values": (variant(mixed=lambda key, value: key), BY_VALUE),
    "A9 exp overflows": (
        variant(shares=lambda scores: scores.exp() / scores.exp().sum(-1, keepdim=True)),
        {large_scores_stay_finite},
    ),
    "M0 no mask": (variant(mask=lambda scores, may: scores), LEAKS | {output_stays_within_the_values}),
    "M1 mask after softmax": (
        variant(mask=lambda scores, may: scores, late_mask=lambda weights, may: weights * may),
        LEAKS | {rows_sum_to_one_when_causal},
    ),
    "M2 sign of the fill": (variant(mask=filled(1e9)), LEAKS),
    "M3 inverted boolean": (variant(mask=filled(-1e9, blocked=lambda may: may)), LEAKS),
    "M4 boolean added": (variant(mask=lambda scores, may: scores + may), LEAKS),
    "M7 tiny fill": (variant(mask=filled(1e-10)), LEAKS),
    "M8 blocks itself": (
        variant(mask=filled(-1e9, blocked=lambda may: ~may.tril(-1))),
        BY_MASKED_VALUE | {future_cannot_change_the_past},
    ),
    "M8 leaks one": (variant(mask=filled(-1e9, blocked=lambda may: ~(may | may.roll(1, -1)))), LEAKS),
}


def sees(check: Callable[[Attend], None], attend: Attend) -> bool:
    try:
        check(attend)
    except (AssertionError, RuntimeError):  # a difference, or shapes that no longer fit together
        return True
    return False


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_ours_keeps_every_promise(check):
    check(scaled_dot_product_attention)
    check(variant())  # the frame of the mistakes below holds none of its own


@pytest.mark.parametrize("name", MISTAKES)
def test_each_mistake_is_seen_by_the_checks_meant_for_it(name):
    attend, meant_to_see = MISTAKES[name]
    blind = [check.__name__ for check in meant_to_see if not sees(check, attend)]
    assert blind == []


def test_every_check_sees_some_mistake():
    idle = [check.__name__ for check in CHECKS if not any(sees(check, attend) for attend, _ in MISTAKES.values())]
    assert idle == []
