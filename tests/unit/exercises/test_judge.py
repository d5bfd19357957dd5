"""The rule of comparison: what an outcome is, and when two are the same."""

import json
import math
from decimal import Decimal

import numpy as np
import pytest
import torch

from qkv.exercises.judge import Outcome, close, first_difference, raised, read, same, unravel
from qkv.exercises.report import figure, mark_up, two_figures


@pytest.mark.parametrize(
    ("value", "shape", "flat"),
    [
        (3, (), (3.0,)),
        (True, (), (1.0,)),
        ([[1, 2.5], [3, 4]], (2, 2), (1.0, 2.5, 3.0, 4.0)),
        ((6.65, 2.45), (2,), (6.65, 2.45)),
        (([1.0], "weights"), (1,), (1.0,)),
        ((torch.ones(1, 2), None), (1, 2), (1.0, 1.0)),
        (np.array([[1, 2]]), (1, 2), (1.0, 2.0)),
        ([np.float64(1.5)], (1,), (1.5,)),
        ([], (0,), ()),
    ],
)
def test_numbers_lists_tuples_and_tensors_are_read(value, shape, flat):
    assert (read(value).shape, read(value).flat) == (shape, flat)


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        (None, "None"),
        ("12", "a str"),
        ({1: 2}, "a dict"),
        ([[1], [1, 2]], "a list whose rows differ in length: 1, 2"),
        ([[1, 2, 3], [1], [2], [3], [4]], "a list whose rows differ in length: 3, 1"),
        ([[1], 2], "a list whose rows differ in length: 1, a number"),
        ([[[1]], [[1, 2]]], "a list whose rows differ in length: (1, 1), (1, 2)"),
        ([1, "x"], "a list that holds a str"),
        ([Decimal(1)], "a list that holds a Decimal"),
        (object(), "a object"),
        (torch.ones(1, dtype=torch.complex64), "a tensor of complex numbers"),
    ],
)
def test_what_is_no_number_is_named(value, problem):
    assert read(value).problem == problem


def test_a_list_that_contains_itself_is_named():
    loop: list = []
    loop.append(loop)
    assert read(loop).problem == "a list that contains itself"


def test_dtype_and_device_are_noted():
    outcome = read(torch.ones(2, dtype=torch.bool))
    assert (outcome.dtype, outcome.device, outcome.flat) == ("bool", "cpu", (1.0, 1.0))


@pytest.mark.parametrize(
    ("a", "b", "equal"),
    [
        (1.0, 1.0 + 9e-7, True),
        (1.0, 1.0 + 2e-6, False),
        (0.0, 9e-7, True),
        (1e6, 1e6 + 0.5, True),
        (math.nan, math.nan, True),
        (math.nan, 1.0, False),
        (math.inf, math.inf, True),
        (math.inf, -math.inf, False),
        (math.inf, 1.0, False),
    ],
)
def test_close(a, b, equal):
    assert close(a, b) == close(b, a) == equal


def test_same_looks_at_shape_exception_and_device():
    assert same(raised(ValueError("a")), raised(ValueError("b")))
    assert not same(raised(ValueError()), raised(TypeError()))
    assert not same(read([1.0]), read([[1.0]]))
    assert not same(read([1.0]), raised(ValueError()))
    assert not same(read([1.0]), read(torch.ones(1)))
    assert not same(read("a"), read(None))


def test_the_first_difference_is_found_by_index():
    given, expected = read([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]), read([[1.0, 2.0, 3.0], [4.0, 0.0, 0.0]])
    assert first_difference(given, expected) == ((1, 1), 5.0, 0.0)
    assert first_difference(given, given) is None
    assert unravel(23, (2, 3, 4)) == (1, 2, 3)


def test_outcomes_become_json():
    outcome = read([[math.nan, math.inf, -math.inf, 1.5]])
    assert json.loads(json.dumps(outcome.plain(), allow_nan=False)) == {
        "shape": [1, 4],
        "flat": ["nan", "inf", "-inf", 1.5],
    }
    assert raised(OverflowError("math range error")).plain() == {"raised": "OverflowError"}
    assert Outcome(problem="None").plain() == {"problem": "None"}


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0.9123, ".912"), (-0.4119, "−.412"), (3.3333, "3.33"), (10.0, "10"), (-1000.0, "−1000"), (0.0, "0"),
        (math.nan, "NaN"), (-math.inf, "−∞"), (0.0000123, "1.23e−05"), (12345.6, "12346"),
    ],
)  # fmt: skip
def test_three_digits(number, text):
    assert figure(number) == text


def test_more_digits_where_three_do_not_tell_numbers_apart():
    assert two_figures(1.0, 1.0001) == ("1", "1.0001")
    assert two_figures(2.0, 3.0) == ("2", "3")


def test_emphasis_needs_no_space_inside():
    assert mark_up("row *cat*, 2 * 3 * 4") == "row <em>cat</em>, 2 * 3 * 4"
