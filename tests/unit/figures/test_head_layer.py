"""The three-head layer behind the figure "heads", by hand."""

import math

import pytest

from qkv.figures import head_layer
from qkv.figures.head_layer import answers, attend, loss


@pytest.mark.parametrize("order", [0, 1])
def test_each_head_reads_one_noun_and_hands_it_over(order):
    words = head_layer.ORDERS[order]
    output, weights = attend(words)
    assert weights[:, 1].argmax(-1).tolist() == [0, 0, 2]
    assert weights[:, [0, 2]].flatten().tolist() == pytest.approx([1 / 3] * 18)  # the nouns ask nothing
    cat_first = [10, 0] if words[0] == "cat" else [0, 10]
    assert output[0, 1].tolist() == pytest.approx(cat_first, abs=1e-6)
    assert output[2, 1].tolist() == pytest.approx(cat_first[::-1], abs=1e-6)


@pytest.mark.parametrize(
    ("gates", "expected"),
    [
        ((1, 1, 1), math.log(1 + math.exp(-8)) + math.log(1 + math.exp(-4))),
        ((1, 0, 1), 2 * math.log(1 + math.exp(-4))),
        ((0, 0, 1), math.log(2) + math.log(1 + math.exp(-4))),
        ((0, 0, 0), math.log(4)),
    ],
)
def test_losses_by_hand(gates, expected):
    for words in head_layer.ORDERS:
        assert loss(words, gates) == pytest.approx(expected, abs=1e-6)


def test_answers_follow_the_roles_and_not_the_words():
    for words in head_layer.ORDERS:
        shares = answers(words, (1, 1, 1))
        assert head_layer.NOUNS[shares["who"].argmax()] == words[0]
        assert head_layer.NOUNS[shares["what"].argmax()] == words[2]
