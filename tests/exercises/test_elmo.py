"""Chapter 06: what its checkers say beyond the rules that all exercises keep, and what its exercises claim."""

import math

import pytest
import torch
from torch import nn

from qkv.exercises import check
from qkv.exercises.elmo import READERS, lstm_step
from qkv.exercises.elmo_mistakes import MISTAKES
from qkv.exercises.elmo_tensors import reach
from qkv.exercises.engine import exercises
from qkv.exercises.functions import Function
from qkv.nn.scalar_mix import ScalarMix


def test_the_catalogue_of_elmo_is_covered():
    named = {code for exercise in exercises("06") for code in exercise.codes}
    assert {f"E{n}" for n in range(1, 13)} <= named
    assert named == set(MISTAKES)


def test_there_are_fifteen_and_one_is_starred():
    found = exercises("06")
    assert len(found) == 15
    assert [exercise.id for exercise in found if exercise.starred] == ["elmo.reach"]
    assert sum(isinstance(exercise, Function) for exercise in found) == 9
    assert sum(isinstance(exercise, Function) and exercise.tensors for exercise in found) == 4


# --- what the exercises claim


def halves(code, x):
    """``from_left`` and ``from_right`` of a version of "which leaks"."""
    torch.manual_seed(0)
    names = {"nn": nn, "torch": torch, "d": x.shape[-1], "x": x}
    exec(code, names)
    return names["from_left"], names["from_right"]


def gradient_reaches(code, side, at, word):
    x = torch.randn(1, 4, 3, requires_grad=True)
    state = halves(code, x)[side][0, at]
    (slope,) = torch.autograd.grad(state.sum(), x)
    return bool(slope[0, word].abs().max() > 0)


@pytest.mark.parametrize(("name", "leaks"), [("A", False), ("B", True), ("C", False)])
def test_which_leaks_one_version_has_read_the_answer(name, leaks):
    assert gradient_reaches(READERS[name], 0, at=0, word=3) == leaks
    assert gradient_reaches(READERS[name], 1, at=3, word=0) == leaks
    assert gradient_reaches(READERS[name], 0, at=3, word=0), "what came before may be read"


def test_which_perplexity_five_letters_take_the_fifth_power():
    assert 3**5 == 243
    assert math.exp(5 * math.log(3)) == pytest.approx(243)


def test_which_setup_a_mix_of_one_vector_is_gamma_times_it():
    mix, vector = ScalarMix(3), torch.randn(4)
    mix.weights.data, mix.gamma.data = torch.randn(3), torch.tensor(2.5)
    torch.testing.assert_close(mix(torch.stack([vector] * 3)), 2.5 * vector)


def test_the_first_probe_of_the_cell_can_be_done_by_hand():
    (hidden,), (memory,) = lstm_step([0.0, math.log(3), math.atanh(0.5), 0.0], [2.0])
    assert memory == pytest.approx(0.75 * 2 + 0.5 * 0.5)
    assert hidden == pytest.approx(0.5 * math.tanh(1.75))


def test_again_the_numbers_of_the_other_chapters():
    assert math.sqrt(256 / 4) == 8
    assert (1 + 2 + 3) / 3 == 2


def test_reach_sees_what_the_lesson_says_of_bidirectional():
    torch.manual_seed(0)
    one, two = (nn.LSTM(3, 4, layers, bidirectional=True).requires_grad_(False) for layers in (1, 2))
    x = torch.randn(5, 3)
    assert torch.equal(reach(lambda x: one(x)[0][:, :4], x), torch.ones(5, 5, dtype=torch.bool).tril())
    assert reach(lambda x: two(x)[0][:, :4], x).all()


# --- messages


def test_flipping_shows_nothing_without_padding_and_is_named_with_it():
    def by_flip(left, right, lengths):
        joined = torch.cat([left, right.flip(1)], dim=-1)
        return joined * (torch.arange(left.shape[1]) < lengths[:, None])[..., None]

    report = check("elmo.both_ways", by_flip)
    assert report.mistake == "E3"
    assert "With one sentence of three words, everything agrees" in report.message


def test_another_order_of_the_gates_is_named_by_the_order():
    def gates_first(parts, cell):
        d = len(cell)
        i, f, o, g = (parts[k * d : (k + 1) * d] for k in range(4))
        return lstm_step([*i, *f, *g, *o], cell)

    report = check("elmo.lstm_step", gates_first)
    assert report.mistake == "E11"
    assert "i, f, o, g" in report.message
