"""The copy network: causal, repeatable, and it sees what its attention sees."""

import math

import pytest
import torch

from qkv.inspection import copy_task
from qkv.inspection.copy_task import GO, LENGTH, NUM_LETTERS, Copier, train_copier
from qkv.nn.attention import scaled_dot_product_attention
from qkv.nn.positions import sinusoidal


def no_attention(query, key, value, may_attend):
    return torch.zeros_like(value), may_attend.float()


def test_strings_repeat_their_letters_after_go():
    ids = copy_task._strings(3, torch.Generator().manual_seed(0))
    assert ids.shape == (3, 2 * LENGTH + 1)
    assert (ids[:, LENGTH] == GO).all()
    assert torch.equal(ids[:, :LENGTH], ids[:, LENGTH + 1 :])
    assert int(ids[:, :LENGTH].max()) < NUM_LETTERS


def test_a_later_letter_changes_no_earlier_prediction():
    model = Copier(scaled_dot_product_attention)
    ids = copy_task._strings(2, torch.Generator().manual_seed(0))
    changed = ids.clone()
    changed[:, 9] = (ids[:, 9] + 1) % NUM_LETTERS
    before, after = model(ids), model(changed)
    assert torch.equal(before[:, :9], after[:, :9])
    assert not torch.allclose(before[:, 9], after[:, 9])


def test_the_same_seed_gives_the_same_run_and_leaves_the_callers_chance_alone():
    torch.manual_seed(5)
    expected = torch.rand(())
    torch.manual_seed(5)
    first = train_copier(scaled_dot_product_attention, seed=1, num_steps=3)
    assert torch.rand(()) == expected
    assert train_copier(scaled_dot_product_attention, seed=1, num_steps=3) == first
    assert train_copier(scaled_dot_product_attention, seed=2, num_steps=3) != first


def test_without_attention_nothing_can_be_copied():
    run = train_copier(no_attention, num_steps=60)
    assert run.losses[-1] == pytest.approx(math.log(NUM_LETTERS), abs=0.15)
    assert run.told < 0.2
    assert run.alone < 0.2


def test_with_attention_it_learns_to_copy():
    run = train_copier(scaled_dot_product_attention, num_steps=150)
    assert run.losses[0] > 2
    assert run.told > 0.99
    assert run.alone > 0.99


def test_a_given_table_of_positions_is_used_and_kept():
    positions = sinusoidal(2 * LENGTH + 1, copy_task.D_MODEL)
    first = train_copier(scaled_dot_product_attention, seed=1, num_steps=3, positions=positions)
    assert torch.equal(positions, sinusoidal(2 * LENGTH + 1, copy_task.D_MODEL))
    assert first == train_copier(scaled_dot_product_attention, seed=1, num_steps=3, positions=positions)
    assert first != train_copier(scaled_dot_product_attention, seed=1, num_steps=3)


def test_the_given_table_changes_no_other_starting_weight():
    models = []
    for positions in (None, torch.zeros(2 * LENGTH + 1, copy_task.D_MODEL)):
        torch.manual_seed(0)
        models.append(Copier(scaled_dot_product_attention, positions))
    learnt, given = models
    assert not given.positions.weight.requires_grad
    assert torch.equal(learnt.to_query.weight, given.to_query.weight)
    assert torch.equal(learnt.next_letter.weight, given.next_letter.weight)


def test_a_table_of_positions_of_another_size_is_refused():
    with pytest.raises(ValueError, match=r"of shape \(17, 32\), got \(17, 30\)"):
        train_copier(scaled_dot_product_attention, positions=torch.zeros(17, 30))
