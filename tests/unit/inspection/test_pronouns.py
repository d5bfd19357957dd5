"""Heads are scored by the rule that the lesson states, on attention made by hand."""

import pytest
import torch

from qkv.inspection.pronouns import PAIRS, best_by_luck, best_head, follows_meaning, gaps

# One pair, 2 layers × 2 heads: (gap where *it* is the first noun, gap where it is the second).
FOLLOWS, NEAREST, FIRST, REVERSED = (0.3, -0.1), (-0.2, -0.4), (0.2, 0.1), (-0.3, 0.5)
ONE_PAIR = torch.tensor([FOLLOWS, NEAREST, FIRST, REVERSED]).T.reshape(2, 2, 2)


def test_there_are_forty_different_pairs():
    assert len(PAIRS) == 40
    assert len({sentence for pair in PAIRS for sentence in pair.sentences}) == 80


@pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: pair.first)
def test_the_two_sentences_of_a_pair_differ_in_one_word(pair):
    first, second = (sentence.rstrip(".").lower().split() for sentence in pair.sentences)
    assert [(a, b) for a, b in zip(first, second, strict=True) if a != b] == [(pair.first_word, pair.second_word)]
    for word in ("it", pair.first, pair.second):
        assert first.count(word) == 1
    assert first.index(pair.first) < first.index(pair.second) < first.index("it")


def test_a_gap_is_first_noun_minus_second_in_the_row_of_the_pronoun():
    attention = torch.zeros(2, 3, 5, 5)
    attention[1, 2, 4, 0], attention[1, 2, 4, 3] = 0.6, 0.1
    attention[0, 0, 0, 4] = 1.0  # a column of the pronoun, not its row
    found = gaps(attention, pronoun=4, first=0, second=3)
    assert found[1, 2] == pytest.approx(0.5)
    assert found.count_nonzero() == 1


@pytest.mark.parametrize("positions", [(4, 4, 1), (0, 1, 5), (-1, 0, 1)])
def test_gaps_refuses_positions_that_cannot_be(positions):
    with pytest.raises(ValueError, match="three different positions from 0 to 4"):
        gaps(torch.zeros(1, 1, 5, 5), *positions)


def test_only_a_head_that_turns_with_the_meaning_is_right():
    assert follows_meaning(ONE_PAIR).tolist() == [[True, False], [False, False]]


def test_equal_weights_are_not_right():
    assert not follows_meaning(torch.zeros(2, 1, 1)).any()


def test_the_best_head_is_the_first_of_those_with_most_pairs():
    right = torch.tensor([[[0, 1, 0], [1, 0, 1]], [[0, 1, 0], [0, 1, 1]]], dtype=torch.bool)
    assert best_head(right) == (0, 1)
    assert best_head(right.flip(1)) == (0, 2)


def test_luck_is_a_fair_coin_for_a_single_head():
    head = torch.tensor(FOLLOWS).reshape(1, 2, 1, 1).expand(6, 2, 1, 1)
    counts = best_by_luck(head, 20_000, torch.Generator().manual_seed(0))
    binomial = torch.tensor([1, 6, 15, 20, 15, 6, 1]) / 64
    seen = torch.bincount(counts, minlength=7) / 20_000
    assert (seen - binomial).abs().max() < 0.02  # six standard errors of the most frequent count


def test_luck_takes_the_best_of_all_heads_under_the_same_coins():
    """Two heads that always disagree: whatever the coin, one of the two is right."""
    both = torch.stack([torch.tensor([[FOLLOWS, REVERSED]]).transpose(1, 2)[0]])[:, :, None]
    counts = best_by_luck(both, 100, torch.Generator().manual_seed(0))
    assert (counts == 1).all()


def test_luck_never_makes_a_habit_right():
    habits = torch.tensor([NEAREST, FIRST]).T.reshape(1, 2, 1, 2).expand(5, 2, 1, 2)
    assert (best_by_luck(habits, 200, torch.Generator().manual_seed(0)) == 0).all()
