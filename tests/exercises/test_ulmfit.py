"""Chapter 07: what its checkers say beyond the rules that all exercises keep, and what its exercises claim."""

import math

import pytest
import torch
from torch import nn

from qkv.exercises import check
from qkv.exercises.engine import exercises
from qkv.exercises.functions import Function
from qkv.exercises.ulmfit import layer_rates, rates_at, slanted_triangular, steps_below_zero
from qkv.exercises.ulmfit_mistakes import MISTAKES
from qkv.exercises.ulmfit_tensors import carried, concat_pooling, dropped_run, pooled_in_chunks, running_rows
from qkv.training import schedules
from qkv.training.bptt import ContiguousBatches
from qkv.transfer import pooling, vocabulary
from qkv.transfer.param_groups import discriminative


def test_the_catalogue_of_ulmfit_is_covered():
    named = {code for exercise in exercises("07") for code in exercise.codes}
    assert {f"U{n}" for n in range(1, 15)} <= named
    assert named == set(MISTAKES)


def test_there_are_fifteen_and_one_is_starred():
    found = exercises("07")
    assert len(found) == 15
    assert [exercise.id for exercise in found if exercise.starred] == ["ulmfit.pooled_in_chunks"]
    assert sum(isinstance(exercise, Function) for exercise in found) == 9


@pytest.mark.parametrize(("num_steps", "cut_frac", "ratio"), [(20, 0.1, 32.0), (99, 0.1, 32.0), (6, 0.1, 8.0)])
def test_the_triangle_is_the_librarys(num_steps, cut_frac, ratio):
    for step in range(num_steps + 1):
        ours = slanted_triangular(step, num_steps, cut_frac, ratio)
        assert ours == pytest.approx(schedules.slanted_triangular(step, num_steps, cut_frac=cut_frac, ratio=ratio))


def test_what_the_prompts_say_of_the_triangle():
    assert [round(slanted_triangular(step, 20, 0.1, 32.0), 3) for step in (0, 2, 11)] == [0.031, 1, 0.516]
    assert steps_below_zero(20, 0.1, 32.0) == []
    assert steps_below_zero(19, 0.1, 32.0)[0] == 11
    assert [t for t in range(20, 31) if not steps_below_zero(t, 0.1, 32.0)] == [20, 30]
    assert [round(rate, 3) for rate in rates_at(6, 20, 3, 5)] == [0, 0.302, 0.785]
    assert rates_at(2, 20, 3, 5) == [0, 0, 1]
    assert layer_rates(3, 0.01, 2.0) == [0.0025, 0.005, 0.01]


def test_rates_at_is_what_the_library_gives_an_optimizer():
    groups = [[nn.Parameter(torch.zeros(1))] for _ in range(4)]
    rates = [group["lr"] for group in discriminative(groups, 1.0)]
    assert rates_at(29, 30, 4, 6) == pytest.approx([schedules.slanted_triangular(29, 30) * rate for rate in rates])


def test_running_rows_are_the_librarys_chunks():
    ids = torch.arange(47)
    chunk = ContiguousBatches(ids, 5, 100)[0]
    assert torch.equal(running_rows(ids, 5), torch.stack([chunk.ids, chunk.targets]))


def test_dropped_run_is_an_rnn_with_a_masked_matrix():
    torch.manual_seed(0)
    x, w_in, w_hidden = torch.randn(6, 4), torch.randn(5, 4), torch.randn(5, 5)
    masks = (torch.rand(6, 5, 5) > 0.3).long()
    rnn = nn.RNN(4, 5, bias=False)
    with torch.no_grad():
        rnn.weight_ih_l0.copy_(w_in)
        rnn.weight_hh_l0.copy_(w_hidden * masks[0] / 0.7)
        torch.testing.assert_close(rnn(x)[0], dropped_run(x, w_in, w_hidden, masks, 0.3))


def test_pooling_and_rows_are_the_librarys():
    torch.manual_seed(0)
    states, lengths = torch.randn(3, 6, 4), torch.tensor([2, 6, 5])
    torch.testing.assert_close(concat_pooling(states, lengths), pooling.concat_pooling(states, lengths))
    torch.testing.assert_close(pooled_in_chunks(states, lengths, 0.0, 4), pooling.concat_pooling(states, lengths))
    old, new = ["a", "b", "c"], ["c", "x", "a"]
    torch.testing.assert_close(carried(states[:, 0], old, new), vocabulary.carried_rows(states[:, 0], old, new))


@pytest.mark.parametrize("fills", [None, 0.0])
def test_freezing_exercise_tells_the_truth_about_torch(fills):
    """A gradient of None is passed over; an old one, or zeros, still move a weight of Adam with weight decay."""
    weight = nn.Parameter(torch.ones(3))
    optimizer = torch.optim.AdamW([weight], lr=0.1, weight_decay=0.1)
    weight.sum().backward()
    optimizer.step()
    weight.requires_grad_(False)
    weight.grad = None if fills is None else torch.zeros(3)
    before = weight.clone()
    optimizer.step()
    assert torch.equal(weight, before) == (fills is None)


def test_one_cycle_exercise_tells_the_truth():
    steps = range(201)
    triangle = [schedules.slanted_triangular(step, 200) for step in steps]
    cycle = [schedules.one_cycle(step, 200) for step in steps]
    assert (triangle.index(max(triangle)), cycle.index(max(cycle))) == (20, 50)
    assert triangle[-1] == 1 / 32
    assert math.isclose(cycle[-1], 1e-5)


def test_padding_has_a_name_in_each_of_the_three_parts():
    def slip(part):
        def pooled(hidden_states, lengths):
            right = concat_pooling(hidden_states, lengths)
            d = hidden_states.shape[-1]
            over_all = [hidden_states[:, -1], hidden_states.amax(1), hidden_states.mean(1)]
            right[:, part * d : (part + 1) * d] = over_all[part]
            return right

        return check("ulmfit.concat_pooling", pooled)

    reports = [slip(part) for part in range(3)]
    assert {report.mistake for report in reports} == {"U11"}
    assert len({report.message for report in reports}) == 3
