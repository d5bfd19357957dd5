"""Exercises answered by choosing, ordering or naming numbers.  Standard library only; they work on paper too.

``html()`` of each is complete without scripts: every option is a ``<details>`` that says whether it holds and why.
"""

import html
import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from qkv.exercises import judge
from qkv.exercises.exercise import Exercise
from qkv.exercises.mutant import Mutant
from qkv.exercises.report import Report, block_html, figure, mark_up, two_figures

ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth")
HOLDS, TEMPTS = "✓ holds", "✗ does not hold"


@dataclass(frozen=True, kw_only=True, eq=False)
class Field(ABC):
    """One part of an answer: a question and how to judge what was put in."""

    name: str
    question: str

    @abstractmethod
    def problem(self, value: Any) -> str:
        """A sentence when the value cannot be judged, else ""."""

    @abstractmethod
    def outcome(self, value: Any) -> str:
        """What is compared between an answer, the solution and the mutants."""

    @abstractmethod
    def explain(self, value: Any) -> str:
        """Where this value differs and why, in one or two sentences."""

    @property
    @abstractmethod
    def right(self) -> Any:
        """A value that holds."""

    @property
    @abstractmethod
    def note(self) -> str:
        """The comment behind this field in the stub."""

    @property
    @abstractmethod
    def text(self) -> str:
        """The question as plain text."""

    @abstractmethod
    def html(self) -> str:
        """The question, readable and answerable without scripts."""


@dataclass(frozen=True, eq=False)
class Option:
    """One possible choice and the reason why it holds, or why it tempts."""

    text: str
    why: str
    holds: bool = False


@dataclass(frozen=True, kw_only=True, eq=False)
class Choose(Field):
    """Choose one option by its letter."""

    options: dict[str, Option]

    def problem(self, value: Any) -> str:
        """A sentence when the value is no letter of an option."""
        if isinstance(value, str | int) and self.outcome(value) in self.options:
            return ""
        return f"For `{self.name}` expected one of {', '.join(self.options)}, got {short(value)}."

    def outcome(self, value: Any) -> str:
        """The letter; a line may be given as a number."""
        return str(value).strip().upper()

    def explain(self, value: Any) -> str:
        """The choice and why it tempts."""
        option = self.options[self.outcome(value)]
        return f"You chose {self.outcome(value)}: {option.text.rstrip('.')}. {option.why}"

    @property
    def right(self) -> str:
        """The letter of the option that holds."""
        return next(letter for letter, option in self.options.items() if option.holds)

    @property
    def note(self) -> str:
        """The letters to choose from."""
        return ", ".join(f'"{letter}"' for letter in self.options)

    @property
    def text(self) -> str:
        """The question and its options, without explanations."""
        return "\n".join([self.question, *(f"  {letter}  {o.text}" for letter, o in self.options.items())])

    def html(self) -> str:
        """A list of options, each with its folded explanation."""
        items = "".join(
            f'<details name="{html.escape(self.name)}" data-option="{letter}" data-holds="{str(option.holds).lower()}">'
            f"<summary><strong>{letter}</strong> {mark_up(option.text)}</summary>"
            f"<p>{HOLDS if option.holds else TEMPTS}: {mark_up(option.why)}</p></details>"
            for letter, option in self.options.items()
        )
        return f"<section><h3>{mark_up(self.question)}</h3>{items}</section>"


@dataclass(frozen=True, kw_only=True, eq=False)
class Numbers(Field):
    """Give ``length`` numbers; ``observe`` turns them into a result, which must lie within ``within`` of ``target``."""

    length: int
    observe: Callable[[list[float]], list[float]]
    target: tuple[float, ...]
    within: float
    example: tuple[float, ...]
    advice: str

    def problem(self, value: Any) -> str:
        """A sentence when the value is not ``length`` finite numbers."""
        outcome = judge.read(list(value) if isinstance(value, tuple) else value)
        if outcome.problem or outcome.shape != (self.length,):
            return f"For `{self.name}` expected a list of {self.length} numbers, got {short(value)}."
        return "" if outcome.finite else f"For `{self.name}` expected finite numbers, got {short(value)}."

    def outcome(self, value: Any) -> str:
        """Whether the target is reached."""
        gaps = [abs(a - b) for a, b in zip(self._result(value), self.target, strict=True)]
        return "reached" if max(gaps) <= self.within else "missed"

    def explain(self, value: Any) -> str:
        """What the numbers give and what was asked for."""
        given = ", ".join(map(figure, self._result(value)))
        wanted = ", ".join(map(figure, self.target))
        return f"Your {self.name} gives ({given}); asked for: within {figure(self.within)} of ({wanted}). {self.advice}"

    def _result(self, value: Any) -> list[float]:
        return self.observe([float(x) for x in judge.read(list(value)).flat])

    @property
    def right(self) -> list[float]:
        """One of many right answers."""
        return list(self.example)

    @property
    def note(self) -> str:
        """How many numbers."""
        return f"a list of {self.length} numbers"

    @property
    def text(self) -> str:
        """The question."""
        return self.question

    def html(self) -> str:
        """The question and one folded answer."""
        return (
            f"<section><h3>{mark_up(self.question)}</h3><details><summary>Show one answer</summary>"
            f"<p><code>{self.right}</code> {mark_up(self.advice)}</p></details></section>"
        )


def _is_about(belief: Mutant, field: Field, value: Any) -> bool:
    """Whether the belief leads to this value of this field, and says nothing of the others."""
    return set(belief.answer) == {field.name} and field.outcome(belief.answer[field.name]) == field.outcome(value)


@dataclass(frozen=True, kw_only=True, eq=False)
class Choice(Exercise):
    """An answer with several parts; ``beliefs`` are the whole answers that a known mistake leads to."""

    equals: str = "Your answer fits"
    fields: tuple[Field, ...]
    beliefs: tuple[Mutant, ...]  # .answer holds the fields in which the mistaken answer differs from the solution

    @property
    def variable(self) -> str:
        """Every choice is written into a dictionary of this name."""
        return "answer"

    @property
    def stub(self) -> str:
        """A dictionary to fill in."""
        lines = [f'    "{field.name}": None,  # {field.note}' for field in self.fields]
        return "\n".join(["answer = {", *lines, "}"])

    @property
    def solution(self) -> str:
        """The dictionary, filled in."""
        return "\n".join(["answer = {", *(f'    "{f.name}": {f.right!r},' for f in self.fields), "}"])

    def bank(self) -> Sequence[Mutant]:
        """Each belief with its whole answer."""
        right = {field.name: field.right for field in self.fields}
        return [belief.committed_by(right | belief.answer) for belief in self.beliefs]

    def judge(self, answer: Any) -> Report:
        """Unfilled, unreadable, right, a known belief, or the first part that does not hold."""
        names = [field.name for field in self.fields]
        if answer is None:
            answer = dict.fromkeys(names)
        if not isinstance(answer, dict) or set(answer) != set(names):
            wanted = ", ".join(f"`{name}`" for name in names)
            return self.unnamed(f"Expected a dictionary with the keys {wanted}; got {short(answer)}.")
        if blank := [f"`{name}`" for name in names if answer[name] is None]:
            return self.open(f"Still to fill in: {', '.join(blank)}.")
        if problems := list(filter(None, (field.problem(answer[field.name]) for field in self.fields))):
            return self.unnamed(problems[0])
        return self._compare(answer)

    def _compare(self, answer: dict[str, Any]) -> Report:
        outcomes = self._outcomes(answer)
        expected = self._outcomes({field.name: field.right for field in self.fields})
        if outcomes == expected:
            return self.passed()
        holding = [f"`{f.name}`" for f, a, b in zip(self.fields, outcomes, expected, strict=True) if a == b]
        differing = [f for f, a, b in zip(self.fields, outcomes, expected, strict=True) if a != b]
        holds = f"{' and '.join(holding)} {'hold' if len(holding) > 1 else 'holds'}." if holding else ""
        if fits := [mutant for mutant in self.bank() if self._outcomes(mutant.answer) == outcomes]:
            chosen = ", ".join(f"`{f.name}` {short(answer[f.name])}" for f in differing)
            return self.named(holds, f"Differs: {chosen}.", fits[0])
        first, value = differing[0], answer[differing[0].name]
        others = [f"`{field.name}` does not hold either." for field in differing[1:]]
        where = " ".join([f"`{first.name}`: {first.explain(value)}", *others])
        if fits := [belief for belief in self.beliefs if _is_about(belief, first, value)]:
            return self.named(holds, where, fits[0])
        return self.unnamed(" ".join(filter(None, [holds, where])))

    def _outcomes(self, answer: dict[str, Any]) -> list[str]:
        return [field.outcome(answer[field.name]) for field in self.fields]

    def text(self) -> str:
        """Every question as plain text."""
        return "\n".join(field.text for field in self.fields)

    def html(self) -> str:
        """The prompt and every question."""
        return wrap(self, "".join(field.html() for field in self.fields))


@dataclass(frozen=True, eq=False)
class Line:
    """A line of a Parsons puzzle: the names it reads, the name it makes, and whether it belongs in the answer."""

    code: str
    reads: tuple[str, ...]
    makes: str
    belongs: bool
    why: str


@dataclass(frozen=True, kw_only=True, eq=False)
class Parsons(Exercise):
    """Put lines into order, leaving false ones out; an answer is a string of their letters.

    Two orders are the same answer when the same lines feed each other: ``D(C(B(A)))``.
    """

    lines: dict[str, Line]
    wanted: str  # the name that the last line must make
    order: str  # a right answer
    orders: tuple[Mutant, ...]  # .answer is an order
    run: Callable[[Iterable[str]], list[list[float]]]  # executes the code of lines on the toy
    rows: tuple[str, ...]  # labels of the result's rows

    @property
    def variable(self) -> str:
        """The letters are written into a string of this name."""
        return "order"

    @property
    def stub(self) -> str:
        """An empty order."""
        return f'order = None  # letters, for example "{"".join(reversed(self.lines))[:4]}"'

    @property
    def solution(self) -> str:
        """A right order."""
        return f'order = "{self.order}"'

    def bank(self) -> Sequence[Mutant]:
        """The orders with a known mistake."""
        return self.orders

    def judge(self, answer: Any) -> Report:
        """Unreadable, not runnable, right, a known order, or what it computes instead."""
        if answer is None or answer == "":
            return self.open(f"Give the order as letters of {', '.join(self.lines)}.")
        letters = read_order(answer)
        if letters is None or not set(letters) <= set(self.lines) or len(letters) > 12:
            return self.unnamed(f"Expected letters of {', '.join(self.lines)}, at most 12, got {short(answer)}.")
        missing = self._missing(letters)
        return self.unnamed(missing) if missing else self._compare(letters)

    def _missing(self, letters: str) -> str:
        made: set[str] = set()
        for letter in letters:
            for name in self.lines[letter].reads:
                if name not in made:
                    return f"Line {letter} reads `{name}`, which no line above it makes. Find the line that makes it."
            made.add(self.lines[letter].makes)
        last = f"No line makes `{self.wanted}` yet. Which line comes last?"
        return "" if self.wanted in made else last

    def _compare(self, letters: str) -> Report:
        flow, used = self.trace(letters)
        if flow == self.trace(self.order)[0]:
            idle = [letter for position, letter in enumerate(letters) if position not in used]
            if not idle:
                return self.passed()
            return self.unnamed(
                f"The result on the toy holds. Line {idle[0]} adds nothing: what it makes is overwritten or never read."
                " Leave out what the result does not need."
            )
        fits = [mutant for mutant in self.orders if self.trace(mutant.answer)[0] == flow]
        where = self._first_difference(letters)
        if fits:
            return self.named("Every line finds what it reads.", where, fits[0])
        wrong = [letter for letter in letters if not self.lines[letter].belongs]
        clue = self.lines[wrong[0]].why if wrong else "Say what each line makes before you place the next."
        return self.unnamed(f"Every line finds what it reads. {where} No known mistake gives this. {clue}")

    def _first_difference(self, letters: str) -> str:
        given, expected = judge.read(self.run(self._codes(letters))), judge.read(self.run(self._codes(self.order)))
        if given.shape != expected.shape:
            return f"The result has shape {given.shape}, expected {expected.shape}."
        found = judge.first_difference(given, expected)
        if found is None:
            return "On the toy the numbers agree by chance."
        (row, column), mine, right = found
        place = f"Row *{self.rows[row]}*, {ORDINALS[column]} entry"
        mine_text, right_text = two_figures(mine, right)
        return f"{place}: {mine_text}, expected {right_text}."

    def _codes(self, letters: str) -> list[str]:
        return [self.lines[letter].code for letter in letters]

    def trace(self, letters: str) -> tuple[str, set[int]]:
        """How the wanted name comes about, such as ``D(C(B(A)))``, and the positions of the lines that took part."""
        made: dict[str, tuple[str, set[int]]] = {}
        for position, letter in enumerate(letters):
            line = self.lines[letter]
            parts = [made[name] for name in line.reads if name in made]
            inner = ", ".join(text for text, _ in parts)
            used = set().union(*(positions for _, positions in parts)) | {position}
            made[line.makes] = (f"{letter}({inner})" if inner else letter, used)
        return made[self.wanted]

    def text(self) -> str:
        """The lines as plain text."""
        return "\n".join(f"  {letter}  {line.code}" for letter, line in self.lines.items())

    def html(self) -> str:
        """The lines with what each does, and the named wrong orders, all folded."""
        lines = "".join(
            f'<details data-line="{letter}" data-belongs="{str(line.belongs).lower()}"><summary><strong>{letter}'
            f"</strong> <code>{html.escape(line.code)}</code></summary><p>{mark_up(line.why)}</p></details>"
            for letter, line in self.lines.items()
        )
        orders = "".join(
            f'<details data-order="{m.answer}"><summary>{" ".join(m.answer)}</summary>'
            f"<p>{TEMPTS}: this is {mark_up(m.phrase)} ({m.code}). {mark_up(m.why)}</p></details>"
            for m in self.orders
        )
        right = (
            f"<details><summary>Show the order</summary><p>{' '.join(self.order)}. {mark_up(self.shown)}</p></details>"
        )
        return wrap(self, f"<section><h3>Lines</h3>{lines}</section><section><h3>Orders</h3>{orders}{right}</section>")


def wrap(exercise: Exercise, inner: str) -> str:
    """The element that a script may enhance: without one, its content stands as it is."""
    return f'<qkv-choice data-exercise="{exercise.id}">{block_html(exercise.prompt)}{inner}</qkv-choice>'


def read_order(answer: Any) -> str | None:
    """The letters of an order given as "B, A" or ["B", "A"], in capitals; None when it is neither."""
    if isinstance(answer, list | tuple) and all(isinstance(item, str) for item in answer):
        answer = "".join(answer)
    if not isinstance(answer, str) or len(answer) > 200:
        return None
    return "".join(c for c in answer.upper() if c not in " ,;>-→\n")


def short(value: Any, length: int = 40) -> str:
    """How a value looks, cut to ``length`` characters; the type's name when it cannot be shown."""
    try:
        text = re.sub(r" at 0x\w+", "", repr(value))
    except Exception:
        text = f"a {type(value).__name__}"
    return text if len(text) <= length else text[: length - 1] + "…"
