"""Every exercise survives every answer with a sentence, and stops loops that never end."""

import math
import re
import time

import pytest
import torch

from qkv.exercises import check, sandbox
from qkv.exercises.chapters import CHAPTERS
from qkv.exercises.engine import exercises
from qkv.exercises.functions import Function

ALL = [exercise for chapter in CHAPTERS for exercise in exercises(chapter)]
every = pytest.mark.parametrize("exercise", ALL, ids=lambda e: e.id)
FUNCTIONS = [exercise for exercise in ALL if isinstance(exercise, Function)]
every_function = pytest.mark.parametrize("exercise", FUNCTIONS, ids=lambda e: e.id)
FORBIDDEN = re.compile(r"\b(wrong|simply|just|oops|obviously)\b|!(?!=)", re.I)


class Unreadable:
    def __repr__(self):
        raise RuntimeError("no")

    def __eq__(self, other):
        raise RuntimeError("no")

    __hash__ = None


def raises(*arguments):
    raise ZeroDivisionError("a division by zero, with a long explanation that nobody wants to read in full here")


def leaves(*arguments):
    raise SystemExit(3)


class OwnBaseError(BaseException):
    pass


def raises_base(*arguments):
    raise OwnBaseError


def for_ever(*arguments):
    while True:
        pass


def for_ever_and_swallows(*arguments):
    while True:
        try:
            while True:
                time.sleep(0.001)
        except:  # noqa: E722
            pass


def recursion(*arguments):
    return recursion(*arguments)


async def later(*arguments):
    return 1


def generates(*arguments):
    yield 1


GARBAGE_VALUES = [
    0, "text", b"", [], [1, [2]], {}, {1: 2}, {"reason": "A"}, float("nan"), Unreadable(), object(), int, torch.ones(2),
    {"query": "x"}, "Q" * 500, ["A", 1], True,
]  # fmt: skip
GARBAGE_FUNCTIONS = [
    lambda: None, lambda *a, extra: None, lambda *a: None, lambda *a: "text", lambda *a: {}, lambda *a: (),
    lambda *a: [[1.0], [1.0, 2.0]], lambda *a: float("nan"), lambda *a: [float("nan")] * 2, lambda *a: 1j,
    lambda *a: torch.full((3, 2), math.nan), lambda *a: torch.zeros(3, 2, dtype=torch.int64), lambda *a: Unreadable(),
    lambda *a: torch.zeros(1), lambda *a: torch.zeros(3, 2, dtype=torch.complex64), lambda *a: torch.ones(3).numpy(),
    raises, leaves, raises_base, recursion, later, generates, print, len, torch.softmax, dict,
]  # fmt: skip


@every
def test_garbage_gives_a_sentence(exercise):
    for answer in [*GARBAGE_VALUES, *GARBAGE_FUNCTIONS]:
        report = check(exercise.id, answer)
        assert report.status in ("failed", "not attempted")
        assert report.mistake is None
        assert re.match(r"[A-Z`0★].*\w", report.message), report.message
        assert len(report.message.split()) <= 70, report.message
        assert not FORBIDDEN.search(report.body), report.message
        assert report._repr_html_()
    assert check(exercise.id, None).status == "not attempted"


@every_function
@pytest.mark.parametrize("loop", [for_ever, for_ever_and_swallows])
def test_an_endless_loop_is_stopped(exercise, loop, monkeypatch):
    assert check(exercise.id, print).status == "failed"  # what is compared is there from now on
    monkeypatch.setattr(sandbox, "TIME_LIMIT", 0.3)  # the usual one, 3 s, would make 14 minutes of all these
    started = time.monotonic()
    report = check(exercise.id, loop)
    assert "was stopped" in report.message
    assert time.monotonic() - started < 30  # a busy machine
