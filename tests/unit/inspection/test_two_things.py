"""The task of two things at once: two heads do it, one does not quite; equal cost."""

import pytest
import torch

from qkv.inspection import two_things
from qkv.inspection.two_things import LEFT, NUM_NOUNS, TwoThings, train_two_things


def test_sentences_hold_the_verb_in_the_middle():
    nouns = torch.tensor([[3, 5], [0, NUM_NOUNS - 1]])
    assert two_things._sentences(nouns).tolist() == [[3, LEFT, 5], [0, LEFT, NUM_NOUNS - 1]]


def test_every_number_of_heads_costs_the_same():
    sizes = {sum(parameter.numel() for parameter in TwoThings(heads).parameters()) for heads in (1, 2, 8)}
    assert len(sizes) == 1


def test_two_heads_name_both_nouns_and_one_does_not_quite():
    one, two = (train_two_things(heads, seed=0) for heads in (1, 2))
    assert one.right < 0.95
    assert two.right > 0.99
    assert sorted(two.weights.argmax(-1).tolist()) == [0, 2], "one head reads who, the other what"
    torch.testing.assert_close(two.weights.sum(-1), torch.ones(2))


def test_the_same_seed_gives_the_same_run_and_leaves_the_callers_chance_alone():
    torch.manual_seed(5)
    expected = torch.rand(())
    torch.manual_seed(5)
    first = train_two_things(2, seed=1, num_steps=3)
    assert torch.rand(()) == expected
    assert first.losses == train_two_things(2, seed=1, num_steps=3).losses


def test_a_width_that_cannot_be_cut_is_refused():
    with pytest.raises(ValueError, match="multiple of num_heads"):
        train_two_things(3)
