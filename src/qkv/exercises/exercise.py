"""An exercise: one declaration holds prompt, stub, judge, mutants, hints, solution and the chapter of its review."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from qkv.exercises.chapters import CHAPTERS
from qkv.exercises.mutant import Mutant
from qkv.exercises.report import FAILED, NOT_ATTEMPTED, PASSED, Report


@dataclass(frozen=True, kw_only=True, eq=False)
class Exercise(ABC):
    """What all kinds share.  ``difficulty`` runs from 1 to 5, ``review`` is the chapter in which it comes back."""

    id: str
    title: str
    chapter: str
    kind: str  # predict, Parsons, complete, write, debug, claim
    difficulty: int
    minutes: int
    number: int  # its place in the chapter
    prompt: str
    hints: tuple[str, ...]  # where to look; the idea on other numbers; the line with a gap
    shown: str  # what a right answer has shown
    transfer: str  # one question to carry away
    review: str
    see: str  # heading of the lesson
    starred: bool = False
    equals: str = "Your output equals that of"

    @property
    @abstractmethod
    def stub(self) -> str:
        """What the learner starts from, as Python."""

    @property
    @abstractmethod
    def solution(self) -> str:
        """A right answer, as Python."""

    @property
    @abstractmethod
    def variable(self) -> str:
        """The name that stub and solution define."""

    @abstractmethod
    def bank(self) -> Sequence[Mutant]:
        """Every answer whose mistake has a name; mutants that agree everywhere are listed under one joint code."""

    @abstractmethod
    def judge(self, answer: Any) -> Report:
        """Compare an answer; may raise whatever the answer makes it raise."""

    @property
    def codes(self) -> tuple[str, ...]:
        """The codes of all mistakes that this exercise names, in order."""
        return tuple(dict.fromkeys(code for m in self.bank() for code in m.code.replace("+", " or ").split(" or ")))

    def report(self, status: str, body: str, mistake: str | None = None, see: str = "", inputs: Any = None) -> Report:
        """A report about this exercise."""
        return Report(self.id, self.title, status, body, mistake, see, CHAPTERS[self.chapter].folder, inputs)

    def passed(self) -> Report:
        """What was shown, and one question."""
        return self.report(PASSED, f"{self.shown} {self.transfer}")

    def open(self, what: str) -> Report:
        """Not attempted: what to fill in and about how long it takes."""
        return self.report(NOT_ATTEMPTED, f"{what} It takes about {minutes(self.minutes)}.")

    def named(self, holds: str, where: str, mutant: Mutant) -> Report:
        """A failure whose mistake is known."""
        holds = "" if "+" in mutant.code else holds  # two mistakes need the words
        body = " ".join(filter(None, [holds, where, causes(mutant, self.equals), mutant.why, mutant.then]))
        return self.report(FAILED, body, mutant.code, mutant.see)

    def unnamed(self, text: str, inputs: Any = None) -> Report:
        """A failure that no known mistake explains."""
        return self.report(FAILED, text, see=self.see, inputs=inputs)


def causes(mutant: Mutant, equals: str) -> str:
    """The sentence that names one mistake, or the two that fit."""
    if " or " in mutant.code:
        return f"Your output fits two causes: {mutant.phrase}."
    code = "" if "+" in mutant.code else f" ({mutant.code})"
    return f"{equals} {mutant.phrase}{code}."


def minutes(number: int) -> str:
    """A duration in words."""
    return "one minute" if number == 1 else f"{number} minutes"
