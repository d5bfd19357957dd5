"""Every exercise: the stub is not attempted, the solution and two other ways pass."""

import runpy
from pathlib import Path

import pytest

from qkv.exercises import check, solution
from qkv.exercises.chapters import CHAPTERS
from qkv.exercises.engine import exercises
from qkv.exercises.functions import Function

ALL = [exercise for chapter in CHAPTERS for exercise in exercises(chapter)]
every = pytest.mark.parametrize("exercise", ALL, ids=lambda e: e.id)
OTHER_WAYS = {
    identifier: answers
    for path in sorted(Path(__file__).parent.glob("answers_*.py"))
    for identifier, answers in runpy.run_path(str(path))["OTHER_WAYS"].items()
}


def run(source: str, name: str, before: str = ""):
    names: dict = {}
    exec(before, names)
    exec(source, names)
    return names[name]


@every
def test_stub_is_not_attempted(exercise):
    report = check(exercise.id, run(exercise.stub, exercise.variable))
    assert report.status == "not attempted"
    assert f"{exercise.minutes} minutes" in report.message
    if isinstance(exercise, Function):
        assert f"Fill in `{exercise.variable}`" in report.message
        apart = run(exercise.template, exercise.variable, exercise.imports)
        assert check(exercise.id, apart).message == report.message


@every
def test_solution_passes_and_asks_one_question(exercise):
    report = check(exercise.id, run(str(solution(exercise.id)), exercise.variable))
    assert (report.status, report.mistake) == ("passed", None), report.message
    assert report.message.count("?") == 1


@every
def test_two_other_ways_pass(exercise):
    assert len(OTHER_WAYS[exercise.id]) >= 2
    for answer in OTHER_WAYS[exercise.id]:
        report = check(exercise.id, answer)
        assert report.status == "passed", report.message
