"""Every exercise: each mutant is named in words that keep the rules, and mutants of different names differ."""

import itertools
import re

import pytest

from qkv.exercises import check, mutants
from qkv.exercises.chapters import CHAPTERS
from qkv.exercises.choices import Choice
from qkv.exercises.engine import exercises, judged
from qkv.exercises.functions import Function
from qkv.exercises.judge import same
from qkv.exercises.sandbox import state_kept

ALL = [exercise for chapter in CHAPTERS for exercise in exercises(chapter)]
every = pytest.mark.parametrize("exercise", ALL, ids=lambda e: e.id)
FUNCTIONS = [exercise for exercise in ALL if isinstance(exercise, Function)]
every_function = pytest.mark.parametrize("exercise", FUNCTIONS, ids=lambda e: e.id)
BANK = [pytest.param(e, m, id=f"{e.id}-{i}-{m.code}") for e in ALL for i, m in enumerate(e.bank())]
FORBIDDEN = re.compile(r"\b(wrong|simply|just|oops|obviously)\b|!(?!=)", re.I)


@pytest.mark.parametrize(("exercise", "mutant"), BANK)
def test_every_mutant_is_named(exercise, mutant):
    report = judged(exercise, mutant.answer)
    assert (report.status, report.mistake) == ("failed", mutant.code), report.message
    assert mutant.why in report.message
    assert mutant.phrase in report.message
    assert mutant.then in report.message
    assert report.message.endswith(f"→ {mutant.see}")
    assert len(report.message.split()) <= 70, report.message
    assert not FORBIDDEN.search(report.body)


@every_function
def test_mutants_with_different_codes_differ_on_some_probe(exercise):
    with state_kept():
        outcomes = [
            (m.code, [exercise.run_known(m.answer, probe) for probe in exercise.probes]) for m in exercise.bank()
        ]
    for (code, first), (other, second) in itertools.combinations(outcomes, 2):
        assert code == other or not all(map(same, first, second)), f"{code} and {other} give the same outcomes"
    for code, outcome in outcomes:
        assert not all(map(same, outcome, exercise.expected)), f"{code} equals the reference"


@pytest.mark.parametrize("exercise", [e for e in ALL if isinstance(e, Choice)], ids=lambda e: e.id)
def test_beliefs_differ(exercise):
    answers = [tuple(sorted(map(str, m.answer.items()))) for m in exercise.bank()]
    assert len(set(answers)) == len(answers)


@every
def test_mutants_of_the_interface_are_reported_by_their_key(exercise):
    found = mutants(exercise.id)
    assert found
    for code, answer in found.items():
        assert check(exercise.id, answer).mistake == code
