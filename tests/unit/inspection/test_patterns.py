"""Shares of weight on a pattern: by hand, against blind rules, on a made head that follows it."""

import pytest
import torch

from qkv.inspection.patterns import (
    PATTERNS,
    even_shares,
    offset,
    offset_shares,
    same_kind,
    same_word,
    separators,
    shares,
)

TOKENS = ["[CLS]", "the", "cat", "saw", "the", "mat", "[SEP]"]
KINDS = [None, None, "noun", "verb", None, "noun", None]
SENTENCE = TOKENS, KINDS


def places(table):
    return table.nonzero().tolist()


def test_tables_by_hand():
    assert places(offset(TOKENS, -1)) == [[2, 1], [3, 2], [4, 3], [5, 4]]  # "the" follows no word
    assert places(offset(TOKENS, 1)) == [[1, 2], [2, 3], [3, 4], [4, 5]]
    assert places(same_word(TOKENS)) == [[1, 4], [4, 1]]
    assert places(same_kind(TOKENS, KINDS)) == [[2, 5], [5, 2]]
    assert places(separators(TOKENS)) == [[row, column] for row in range(1, 6) for column in (0, 6)]


def test_a_share_by_hand():
    """Two rows ask; one head puts .5 and .1 there, the other 0 and 1: means .3 and .5."""
    pairs = torch.zeros(3, 3, dtype=torch.bool)
    pairs[0, 1] = pairs[2, 0] = True
    weights = torch.tensor([[[0.5, 0.5, 0], [0, 1, 0], [0.1, 0.9, 0]], [[1, 0, 0], [0, 1, 0], [1, 0, 0]]])
    torch.testing.assert_close(shares([weights[None]], [pairs]), torch.tensor([[0.3, 0.5]]))


def test_rows_count_alike_however_long_their_sentence_is():
    short, long = torch.eye(3).bool(), torch.eye(5).bool()
    weights = [torch.eye(3)[None, None], torch.zeros(1, 1, 5, 5)]
    assert shares(weights, [short, long]).item() == pytest.approx(3 / 8)


@pytest.mark.parametrize("name", PATTERNS)
def test_a_head_that_follows_the_pattern_gets_everything_and_no_blind_rule_does_better(name):
    pairs = PATTERNS[name](SENTENCE)
    follower = pairs / pairs.sum(-1, keepdim=True).clamp(min=1)
    assert shares([follower[None, None]], [pairs]).item() == pytest.approx(1)
    blind = offset_shares([pairs], range(-4, 5))
    assert max(blind.values()) <= 1
    assert 0 < even_shares([pairs]) < 1


def test_blind_rules_by_hand():
    pairs = [same_word(TOKENS)]
    assert offset_shares(pairs, [-3, 1, 3]) == {-3: 0.5, 1: 0.0, 3: 0.5}
    assert even_shares(pairs) == pytest.approx(1 / 7)
    assert offset_shares([offset(TOKENS, -1)], [-1]) == {-1: 1.0}


def test_what_is_refused():
    with pytest.raises(ValueError, match="none of the sentences"):
        shares([torch.eye(2)[None, None]], [torch.zeros(2, 2, dtype=torch.bool)])
    with pytest.raises(ValueError, match="got 1 for 7 tokens"):
        same_kind(TOKENS, ["noun"])
