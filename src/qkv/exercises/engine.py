"""Look up, judge, record: what learners and tools call."""

import difflib
import importlib
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, NamedTuple

from qkv.exercises import sandbox, store
from qkv.exercises.chapters import CHAPTERS
from qkv.exercises.choices import Choice, Parsons, short
from qkv.exercises.exercise import Exercise
from qkv.exercises.functions import Function
from qkv.exercises.report import ICONS, NOT_ATTEMPTED, PASSED, Note, Report, block_html

READ_SECONDS = 5.0  # for an answer that is no function: an endless ``__eq__`` ends here
CALL_SECONDS = 60.0  # a last resort: functions have the limit of ``sandbox.TIME_LIMIT``


class Entry(NamedTuple):
    """One line of the catalogue."""

    id: str
    chapter: str
    kind: str
    difficulty: int
    minutes: int
    codes: tuple[str, ...]
    title: str
    starred: bool


@dataclass(frozen=True)
class Question:
    """An exercise as it is read: prompt, and options that explain themselves when opened."""

    exercise: Exercise

    def __repr__(self) -> str:
        exercise = self.exercise
        parts = [exercise.title, exercise.prompt, exercise.text() if isinstance(exercise, Choice | Parsons) else ""]
        return "\n\n".join(filter(None, parts))

    def _repr_html_(self) -> str:
        exercise = self.exercise
        return exercise.html() if isinstance(exercise, Choice | Parsons) else block_html(exercise.prompt)


@cache
def _module(chapter: str, name: str) -> tuple[Exercise, ...]:
    exercises = importlib.import_module(f"qkv.exercises.{name}").EXERCISES
    assert all(exercise.chapter == chapter for exercise in exercises)
    return exercises


def exercises(chapter: str) -> list[Exercise]:
    """The exercises of a chapter such as "02", easy ones first, as they stand in the notebook.

    Raises:
        ValueError: the chapter has no exercises.
    """
    if chapter not in CHAPTERS:
        raise ValueError(f"no exercises for chapter {chapter!r}; there are {', '.join(CHAPTERS)}")
    found = [exercise for name in CHAPTERS[chapter].modules for exercise in _module(chapter, name)]
    return sorted(found, key=lambda exercise: exercise.number)


def find(identifier: str) -> Exercise:
    """The exercise with this id.

    Raises:
        ValueError: there is none; the message names the nearest.
    """
    prefix = str(identifier).partition(".")[0]
    modules = [(number, name) for number, chapter in CHAPTERS.items() for name in chapter.modules]
    for number, name in sorted(modules, key=lambda module: not module[1].startswith(prefix)):  # spares loading torch
        for exercise in _module(number, name):
            if exercise.id == identifier:
                return exercise
    known = [entry.id for entry in catalogue()]
    near = difflib.get_close_matches(str(identifier), known, 1, 0.3) or known[:1]
    raise ValueError(f"no exercise {identifier!r}; did you mean {near[0]!r}? catalogue() lists all {len(known)}")


def catalogue() -> list[Entry]:
    """All exercises, chapter by chapter."""
    return [
        Entry(e.id, e.chapter, e.kind, e.difficulty, e.minutes, e.codes, e.title, e.starred)
        for chapter in CHAPTERS
        for e in exercises(chapter)
    ]


def mutants(identifier: str) -> dict[str, Any]:
    """For each mistake that the exercise names, a wrong answer that commits it; the key is what ``check`` reports."""
    found: dict[str, Any] = {}
    for mutant in find(identifier).bank():
        found.setdefault(mutant.code, mutant.answer)
    return found


def ask(identifier: str) -> Question:
    """The exercise's prompt, with options where it has some; shown by a notebook as HTML."""
    return Question(find(identifier))


def check(identifier: str, answer: Any) -> Report:
    """Judge an answer and remember the result.

    No answer makes it raise: an exception, SystemExit or an endless loop inside the answer becomes a sentence
    (``qkv.exercises.sandbox`` says where a loop cannot be stopped).  KeyboardInterrupt passes through.

    Raises:
        ValueError: there is no exercise with this id.
    """
    exercise = find(identifier)
    report = judged(exercise, answer)
    return replace(report, notes=tuple(store.update(lambda state: _count(state, report))))


def judged(exercise: Exercise, answer: Any) -> Report:
    """The report on an answer, without remembering it."""
    with sandbox.state_kept():
        seconds = CALL_SECONDS if isinstance(exercise, Function) else READ_SECONDS
        report, error = sandbox.survive(exercise.judge, answer, seconds=seconds)
    if error:
        kind = type(error).__name__
        return exercise.unnamed(
            f"The answer could not be read ({kind}). It is {short(answer)}; see the prompt for its form."
        )
    return report


def _count(state: store.State, report: Report) -> None:
    record = store.record(state, report.exercise)
    if report.status == NOT_ATTEMPTED:
        return
    record["attempts"] += 1
    if record["status"] != PASSED:
        record["status"] = report.status
    if report.mistake:
        record["mistakes"][report.mistake] = record["mistakes"].get(report.mistake, 0) + 1


def hint(identifier: str, number: int | None = None) -> Note:
    """The next hint of an exercise, or the one with this number; the last one stays.

    Raises:
        ValueError: there is no such exercise or no such hint.
    """
    exercise = find(identifier)
    total = len(exercise.hints)
    if number is not None and not 1 <= number <= total:
        raise ValueError(f"{identifier} has hints 1 to {total}, got {number}")
    shown = [number or 0]

    def count(state: store.State) -> None:
        record = store.record(state, identifier)
        shown[0] = number or min(record["hints"] + 1, total)
        record["hints"] = max(record["hints"], shown[0])

    notes = store.update(count)
    chosen = shown[0] or 1  # progress could not be stored
    after = f"Next: hint({identifier!r})" if chosen < total else f"Last hint. The solution: solution({identifier!r})"
    return Note("\n".join([f"Hint {chosen} of {total}. {exercise.hints[chosen - 1]}", after, *notes]))


def solution(identifier: str) -> Note:
    """A right answer, as Python source."""
    return Note(find(identifier).solution)


@dataclass(frozen=True)
class Progress:
    """What a learner has done: one row per exercise (id, minutes, status, attempts, hints, mistakes met, review)."""

    rows: tuple[dict[str, Any], ...]
    notes: tuple[str, ...]

    def __repr__(self) -> str:
        done = sum(row["status"] == PASSED for row in self.rows)
        width = max(len(row["id"]) for row in self.rows)
        lines = [
            f"{ICONS[row['status']]} {row['id']:<{width}}  {row['status']:<13}  {row['minutes']:>2} min"
            f"  review in {row['review']}  {', '.join(row['mistakes'])}".rstrip()
            for row in self.rows
        ]
        return "\n".join([f"{done} of {len(self.rows)} exercises passed", *lines, *self.notes])


def progress() -> Progress:
    """Every exercise with the learner's status."""
    state, notes = store.load()
    rows = []
    for chapter in CHAPTERS:
        for exercise in exercises(chapter):
            record = store.record(state, exercise.id)
            fixed = {"id": exercise.id, "title": exercise.title, "chapter": chapter, "minutes": exercise.minutes}
            rows.append(fixed | record | {"review": exercise.review, "mistakes": list(record["mistakes"])})
    return Progress(tuple(rows), tuple(notes))
