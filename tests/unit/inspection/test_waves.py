"""Wrong tables of positions are wrong in the way their name says, and each promise is kept or broken as predicted."""

import math

import pytest
import torch

from qkv.inspection import waves
from qkv.inspection.waves import PROPERTIES, VERSIONS
from qkv.nn.positions import sinusoidal

LENGTH, D_MODEL = 60, 22

KEPT = {  # rows equally long, a step turns the hands, only distance counts, row 0, equals the formula
    "formula": (True, True, True, True, True),
    "doubled exponent": (True, True, True, True, False),
    "cosine's own exponent": (False, False, False, True, False),
    "not interleaved": (True, False, True, False, False),
    "base 1000": (True, True, True, True, False),
    "starts at 1": (True, True, True, False, False),
}


def test_the_first_version_is_the_librarys():
    assert next(iter(VERSIONS)) == "formula"
    torch.testing.assert_close(VERSIONS["formula"](LENGTH, D_MODEL), sinusoidal(LENGTH, D_MODEL))


@pytest.mark.parametrize("name", VERSIONS)
def test_what_each_version_keeps(name):
    table = VERSIONS[name](LENGTH, D_MODEL)
    assert table.shape == (LENGTH, D_MODEL)
    assert table.abs().max() <= 1
    assert tuple(keeps(table) for keeps in PROPERTIES.values()) == KEPT[name]


def test_the_second_hand_of_four_columns_by_hand():
    """d_model = 4: the second hand turns by 1/100 per step; with the exponent doubled, by 1/10000."""
    angle = {name: table(2, 4)[1, 2].asin().item() for name, table in VERSIONS.items()}
    assert angle["formula"] == pytest.approx(1 / 100)
    assert angle["doubled exponent"] == pytest.approx(1 / 10_000)
    assert angle["base 1000"] == pytest.approx(1 / math.sqrt(1000))
    cosine = VERSIONS["cosine's own exponent"](2, 4)[1, 1].acos().item()
    assert cosine == pytest.approx(1 / 10, rel=1e-4)


def test_starting_at_1_and_standing_side_by_side_move_rows_and_columns_only():
    right = sinusoidal(LENGTH + 1, D_MODEL)
    torch.testing.assert_close(VERSIONS["starts at 1"](LENGTH, D_MODEL), right[1:])
    halves = VERSIONS["not interleaved"](LENGTH, D_MODEL)
    torch.testing.assert_close(halves, torch.cat([right[:LENGTH, 0::2], right[:LENGTH, 1::2]], dim=-1))


def test_hands_are_turned_by_multiplying():
    tips = waves.hands(sinusoidal(9, 4))
    turned = tips[2] * torch.polar(torch.ones(2, dtype=torch.double), torch.tensor([3, 0.03], dtype=torch.double))
    torch.testing.assert_close(tips[5], turned, atol=1e-6, rtol=0)


@pytest.mark.parametrize("step", [1, 10])
def test_one_matrix_takes_every_row_of_a_clock_onwards_and_none_of_noise(step):
    noise = torch.randn(LENGTH * 4, D_MODEL, generator=torch.Generator().manual_seed(0))
    assert waves.one_matrix_steps(noise, step=step) < 0.1
    assert waves.one_matrix_steps(sinusoidal(LENGTH * 4, 6), step=step) == pytest.approx(1, abs=1e-4)
    assert waves.one_matrix_steps(sinusoidal(LENGTH * 4, 6), num_directions=3, step=step) < 0.999


def test_periods_of_two_waves_are_found_fastest_first():
    place = torch.arange(240.0)[:, None]
    table = torch.cat([(2 * math.pi * place / 60).sin(), 2 * (2 * math.pi * place / 8).cos()], dim=-1)
    assert waves.periods(table, count=2) == [8, 60]
    assert waves.periods(table, count=1) == [8]


def test_rows_of_the_formula_are_most_like_their_neighbours_and_shuffled_rows_are_not():
    table = sinusoidal(LENGTH, D_MODEL)
    assert waves.neighbours_nearest(table).all()
    shuffled = table[torch.randperm(LENGTH, generator=torch.Generator().manual_seed(0))]
    assert waves.neighbours_nearest(shuffled).float().mean() < 0.2


@pytest.mark.parametrize("d_model", [0, 5])
def test_an_odd_size_is_refused(d_model):
    with pytest.raises(ValueError, match=f"even d_model of at least 2, got {d_model}"):
        waves.waves(3, d_model)
