"""Exercises answered by a function: run it on probes, compare with the reference, name the mistake.

Order: it runs → type, dtype, device → shape → finiteness → invariants → parity → inputs untouched → gradient.
Standard library only; what needs torch works on whatever the probes hold.
"""

import inspect
import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from textwrap import dedent
from types import CodeType
from typing import Any, NamedTuple

from qkv.exercises import judge, sandbox
from qkv.exercises.choices import short
from qkv.exercises.exercise import Exercise
from qkv.exercises.judge import Outcome
from qkv.exercises.mutant import Mutant
from qkv.exercises.report import Report, two_figures

ORDINALS = ("first", "second", "third", "fourth", "fifth")


@dataclass(frozen=True, eq=False)
class Probe:
    """One set of inputs.  ``where`` opens a sentence about it ("With the causal mask"); ``rows`` label its output.

    ``sizes`` are numbers that the message of a refusal must name: sizes, or the number of a row.
    """

    name: str
    where: str
    inputs: dict[str, Any]
    rows: tuple[str, ...] = ()
    masked: bool = False
    sizes: tuple[int, ...] = ()


class Attempt(NamedTuple):
    """What a function did on one probe, and the inputs that it changed."""

    outcome: Outcome
    changed: tuple[str, ...] = ()


Invariant = Callable[[Callable[..., Any]], str]  # a sentence when the function breaks it, else ""


def _same_code(one: CodeType, other: CodeType) -> bool:
    """Equal bytecode, also of what is defined inside, wherever it stands in its file."""
    if (one.co_code, one.co_names, len(one.co_consts)) != (other.co_code, other.co_names, len(other.co_consts)):
        return False
    pairs = zip(one.co_consts, other.co_consts, strict=True)
    return all(_same_code(a, b) if isinstance(a, CodeType) and isinstance(b, CodeType) else a == b for a, b in pairs)


def returned(function: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
    """What the function returns; a coroutine, which nobody will await, is closed."""
    result = function(*arguments)
    if inspect.iscoroutine(result):
        result.close()
    return result


@dataclass(frozen=True, kw_only=True, eq=False)
class Function(Exercise):
    """Write, or complete, a function.  ``reference`` is what it is compared with, ``answer`` the solution shown."""

    imports: str  # what stub and solution need
    template: str  # the stub without its imports
    answer: Callable[..., Any]
    reference: Callable[..., Any]
    result: str  # what it must return, in words
    probes: tuple[Probe, ...]
    singles: tuple[Mutant, ...]
    pairs: Callable[[], Sequence[Mutant]] = tuple
    tensors: bool = True
    gradient: bool = False
    invariants: tuple[Invariant, ...] = ()
    feed: Callable[[dict[str, Any]], tuple[Any, ...]] = lambda inputs: tuple(inputs.values())
    audit: Callable[[tuple[Any, ...]], str] = lambda arguments: ""  # looks at the arguments after the call

    @property
    def variable(self) -> str:
        """The function's name."""
        return self.answer.__name__

    @property
    def stub(self) -> str:
        """The typed stub."""
        return self._after_imports(self.template)

    @property
    def solution(self) -> str:
        """The source of the solution."""
        return self._after_imports(dedent(inspect.getsource(self.answer)).strip())

    def _after_imports(self, source: str) -> str:
        return "\n\n\n".join(filter(None, [self.imports, source]))

    def bank(self) -> Sequence[Mutant]:
        """Single mistakes, then pairs of them."""
        return self._bank

    @cached_property
    def _bank(self) -> tuple[Mutant, ...]:
        return (*self.singles, *self.pairs())

    @cached_property
    def expected(self) -> tuple[Outcome, ...]:
        """The reference's outcome on every probe."""
        with sandbox.state_kept():
            return tuple(self.run_known(self.reference, probe) for probe in self.probes)

    def run_known(self, function: Callable[..., Any], probe: Probe) -> Outcome:
        """The outcome of the reference or of a mutant, which leave their inputs alone; computed once."""
        if (function, probe) not in self._known:
            self._known[function, probe] = self.outcome(function, probe.inputs, sandbox.TIME_LIMIT)
        return self._known[function, probe]

    @cached_property
    def _known(self) -> dict[tuple[Callable[..., Any], Probe], Outcome]:
        return {}

    # running

    def attempt(self, function: Callable[..., Any], probe: Probe, seconds: float = sandbox.TIME_LIMIT) -> Attempt:
        """Call the function on a copy of the probe's inputs, and see whether the copy stays as it was."""
        inputs = sandbox.clone(probe.inputs)
        outcome = self.outcome(function, inputs, seconds)
        changed = [n for n in inputs if not judge.same(judge.read(inputs[n]), judge.read(probe.inputs[n]))]
        return Attempt(outcome, tuple(changed))

    def outcome(self, function: Callable[..., Any], inputs: dict[str, Any], seconds: float) -> Outcome:
        """Call the function on these inputs, with one seed for all."""
        sandbox.seed(0)
        outcome, error = sandbox.survive(self._call, function, inputs, seconds=seconds)
        return judge.raised(error) if error else outcome

    def _call(self, function: Callable[..., Any], inputs: dict[str, Any]) -> Outcome:
        arguments = self.feed(inputs)
        result = returned(function, arguments)
        if isinstance(result, tuple) and not self.tensors:
            result = list(result)  # two lists may be returned with brackets or without
        outcome = judge.read(result)
        if function is not self.reference and (complaint := self.audit(arguments)):
            return Outcome(problem=complaint, text="complaint")
        return outcome if self.tensors else replace(outcome, dtype="", device="")

    # judging

    def judge(self, answer: Any) -> Report:
        """Not attempted, not callable, or compared on every probe."""
        if answer is None or self._is_stub(answer):
            return self.open(f"Fill in `{self.variable}` where it says `...`.")
        if not callable(answer):
            return self.unnamed(
                f"Expected the function itself, as in `check({self.id!r}, {self.variable})`; got {short(answer)}."
            )
        if misfit := self._misfit(answer):
            return self.unnamed(misfit)
        attempts = self._attempts(answer)
        last = attempts[-1].outcome
        if _unwritten(answer, last):
            return self.open(f"`{self.variable}` raises NotImplementedError: put your lines in its place.")
        if _open_gap(answer, last):
            return self.open("A gap still holds `...`.")
        return self._verdict(answer, attempts)

    def _attempts(self, answer: Callable[..., Any]) -> list[Attempt]:
        attempts: list[Attempt] = []
        deadline = time.monotonic() + sandbox.TIME_LIMIT
        for probe in self.probes:
            attempts.append(self.attempt(answer, probe, max(deadline - time.monotonic(), 0.05)))
            last = attempts[-1].outcome
            if last.raised == "TimeLimit" or _unwritten(answer, last) or _open_gap(answer, last):
                break
        return attempts

    def _is_stub(self, answer: Any) -> bool:
        """Whether the function's bytecode is that of the stub, its imports in the same cell or in one before."""
        given = getattr(answer, "__code__", None)
        return given is not None and any(_same_code(given, stub) for stub in self._stubs)

    @cached_property
    def _stubs(self) -> list[CodeType]:
        compiled = [compile(source, "stub", "exec").co_consts for source in (self.stub, self.template)]
        return [
            next(c for c in consts if isinstance(c, CodeType) and c.co_name == self.variable) for consts in compiled
        ]

    def _misfit(self, answer: Callable[..., Any]) -> str:
        names = list(inspect.signature(self.answer).parameters)
        for arguments in (self.feed(sandbox.clone(probe.inputs)) for probe in self.probes):
            try:
                inspect.signature(answer).bind(*arguments)
            except TypeError as error:
                call = f"{self.variable}({', '.join(names[: len(arguments)])})"
                counts = f"it has {len(inspect.signature(answer).parameters)}, the call gives {len(arguments)}"
                return f"Your function cannot be called as `{call}`: {error} ({counts})."
            except ValueError:  # a built-in function does not tell its signature
                return ""
        return ""

    def _verdict(self, answer: Callable[..., Any], attempts: list[Attempt]) -> Report:
        outcomes = [attempt.outcome for attempt in attempts]
        if outcomes[-1].raised == "TimeLimit":
            return self._too_long(outcomes)
        differing = [i for i, (a, b) in enumerate(zip(outcomes, self.expected, strict=True)) if not self._agree(a, b)]
        if not differing:
            return self._last_stages(answer, attempts)
        fits = self._fits(outcomes, differing[0])
        if fits is not None:
            return self._known_mistake(fits, outcomes, differing)
        return self._unknown(answer, outcomes, differing)

    def _known_mistake(self, mutant: Mutant, outcomes: list[Outcome], differing: list[int]) -> Report:
        given, expected = outcomes[differing[0]], self.expected[differing[0]]
        where = self._where(differing[0], replace(given, text=""))
        stops = given.raised and not expected.raised  # then there is no output to compare
        speaker = replace(self, equals="So does") if stops else self
        report = speaker.named(self._holds(differing, outcomes), where, mutant)
        return replace(report, inputs=self.probes[differing[0]].inputs)

    def _agree(self, given: Outcome, expected: Outcome) -> bool:
        return judge.same(given, expected) and given.dtype == expected.dtype

    def _fits(self, outcomes: list[Outcome], first: int) -> Mutant | None:
        """The mutant that agrees on all probes; two that do, under a joint name; single mistakes before pairs."""
        order = [first, *(i for i in range(len(outcomes)) if i != first)]  # where mutants part company soonest
        for mutants in (self.singles, self._bank[len(self.singles) :]):
            found: dict[str, Mutant] = {}
            for mutant in mutants:
                if mutant.code not in found and self._equals(mutant, outcomes, order):
                    found[mutant.code] = mutant
            if found:
                return joint(list(found.values()))
        return None

    def _equals(self, mutant: Mutant, outcomes: list[Outcome], order: Sequence[int]) -> bool:
        known = [self.run_known(mutant.answer, self.probes[i]) for i in order]
        if not all(map(self._agree, (outcomes[i] for i in order), known)):
            return False
        pairs = [(outcomes[i], k) for i, k in zip(order, known, strict=True) if not self._agree(k, self.expected[i])]
        vague = all(given.raised in VAGUE for given, _ in pairs)  # nothing but exceptions that any slip may raise
        return not vague or all(given.text == k.text for given, k in pairs)

    # wording

    def _too_long(self, outcomes: list[Outcome]) -> Report:
        index = len(outcomes) - 1
        if mutant := self._fits(outcomes, index):
            return self._known_mistake(mutant, outcomes, [index])
        body = f"{self._where(index, outcomes[index])} Look for a loop whose condition never changes."
        return self.unnamed(body + " The inputs are in `report.inputs`.", self.probes[index].inputs)

    def _holds(self, differing: list[int], outcomes: list[Outcome]) -> str:
        first = differing[0]
        if first and all(self.probes[i].masked for i in differing) and not all(p.masked for p in self.probes[:first]):
            return "Without a mask everything agrees."
        if first:
            return WORDING["agrees"].format(where=self.probes[0].where)
        given, expected = outcomes[first], self.expected[first]
        if given.raised or given.problem or given.shape != expected.shape or not given.finite:
            return ""
        if not expected.shape:
            return ""
        if not self.tensors:
            return WORDING["length holds"]
        return f"Shape {given.shape} holds." if given.dtype == "bool" else f"Shape {given.shape} and finiteness hold."

    def _where(self, index: int, given: Outcome) -> str:
        """Where an outcome differs from the expected one, in one sentence."""
        probe, expected = self.probes[index], self.expected[index]
        if expected.raised:
            got = stop(given) if given.raised else "no error"
            return WORDING["no error"].format(where=probe.where, expected=expected.raised, given=got)
        if given.raised == "TimeLimit":
            return WORDING["too long"].format(where=probe.where, seconds=f"{sandbox.TIME_LIMIT:.0f}")
        if given.raised:
            return WORDING["stops"].format(where=probe.where, given=stop(given))
        if given.problem:
            wanted = "" if given.text == "complaint" else f", expected {self.result}"
            ask = " Is there a `return`?" if given.problem == "None" else ""
            return WORDING["returns"].format(where=probe.where, given=given.problem + wanted) + ask
        if given.dtype != expected.dtype or given.device != expected.device:
            return WORDING["returns"].format(where=probe.where, given=f"{kind(given)}, expected {kind(expected)}")
        if given.shape != expected.shape and not self.tensors:
            return f"{probe.where}, {_entries(given.shape, expected.shape)}."
        if given.shape != expected.shape:
            return WORDING["shape"].format(where=probe.where, given=given.shape, expected=expected.shape)
        return self._first_number(probe, given, expected)

    def _first_number(self, probe: Probe, given: Outcome, expected: Outcome) -> str:
        found = judge.first_difference(given, expected)
        assert found is not None, "called for outcomes that differ"
        place, mine, right = found
        mine_text, right_text = (str(bool(mine)), str(bool(right))) if is_answer(expected) else two_figures(mine, right)
        place_text = label(place, probe.rows)
        return WORDING["number"].format(where=probe.where, place=place_text, given=mine_text, expected=right_text)

    def _unknown(self, answer: Callable[..., Any], outcomes: list[Outcome], differing: list[int]) -> Report:
        stages = [self._stage(outcomes[i], self.expected[i]) for i in differing]
        index = 0 if differing[0] == 0 else differing[stages.index(min(stages))]  # the toy can be checked by hand
        stage = self._stage(outcomes[index], self.expected[index])
        where = self._where(index, outcomes[index])
        inputs = self.probes[index].inputs
        if stage < STAGES.index("finite"):
            return self.unnamed(f"{where} {self._advice(stage, outcomes[index])}".strip(), inputs)
        holds = self._holds(differing, outcomes)
        clue = self._broken_invariant(answer) or self._clue(answer, index, outcomes[index])
        return self.unnamed(WORDING["unnamed"].format(holds=holds, where=where, clue=clue).strip(), inputs)

    def _advice(self, stage: int, given: Outcome) -> str:
        if given.text == "complaint":
            return ""
        if STAGES[stage] == "shape" and not self.tensors:
            return "Follow one of `report.inputs` by hand, and count what each step adds."
        return ADVICE[stage]

    def _stage(self, given: Outcome, expected: Outcome) -> int:
        tests = {
            "runs": bool(given.raised) and not expected.raised,
            "type": bool(given.problem) and not expected.raised,
            "dtype": (given.dtype, given.device) != (expected.dtype, expected.device) and not expected.raised,
            "shape": given.shape != expected.shape and not expected.raised,
            "finite": not given.finite,
            "parity": True,
        }
        return next(i for i, stage in enumerate(STAGES) if tests[stage])

    def _broken_invariant(self, answer: Callable[..., Any]) -> str:
        for invariant in self.invariants:
            sentence, error = sandbox.survive(invariant, answer)
            if sentence and not error:
                return sentence
        return ""

    def _clue(self, answer: Callable[..., Any], index: int, given: Outcome) -> str:
        expected = self.expected[index]
        if expected.raised:
            return f"Find the line that must `raise {expected.raised}(…)`; to print or return one stops nobody."
        if not given.finite:
            return WORDING["not finite"]
        if any(_equal(given.flat, [round(x, digits) for x in expected.flat]) for digits in range(1, 5)):
            return "These are the expected numbers, rounded: return them as they are."
        if self._mixes_batch(answer, index, given):
            return (
                "Item 0 right and a later one not suggests something mixed across the batch."
                " Compare `f(x)[1:2]` with `f(x[1:2])`; the probe is in `report.inputs`."
            )
        return WORDING["clue"]

    def _mixes_batch(self, answer: Callable[..., Any], index: int, given: Outcome) -> bool:
        """Whether item 0 is right, and item 1 comes out different when it is alone."""
        expected, inputs = self.expected[index], sandbox.clone(self.probes[index].inputs)
        if len(expected.shape) < 3 or expected.shape[0] < 2:
            return False
        size = len(expected.flat) // expected.shape[0]
        batched = {n: x for n, x in inputs.items() if getattr(x, "ndim", 0) > 2 and x.shape[0] == expected.shape[0]}
        if not batched or not _equal(given.flat[:size], expected.flat[:size]):
            return False
        alone = self.outcome(answer, inputs | {n: x[1:2] for n, x in batched.items()}, sandbox.TIME_LIMIT)
        return not _equal(alone.flat, given.flat[size : 2 * size])

    def _last_stages(self, answer: Callable[..., Any], attempts: list[Attempt]) -> Report:
        for probe, attempt in zip(self.probes, attempts, strict=True):
            if attempt.changed:
                names = ", ".join(f"`{name}`" for name in attempt.changed)
                text = f"All numbers agree. {probe.where}, your function changes its input {names} in place."
                text += " The caller still needs it: make a new value instead."
                return self.unnamed(text, probe.inputs)
        if self.gradient and (lost := self._gradient_problem(answer)):
            return self.unnamed(f"All numbers agree. {lost}", self.probes[0].inputs)
        return self._unnumbered(attempts) or self._unplaced(attempts) or self.passed()

    def _unplaced(self, attempts: list[Attempt]) -> Report | None:
        """A refusal that holds no index, where the reference's holds one."""
        for probe, attempt, expected in zip(self.probes, attempts, self.expected, strict=True):
            if any(map(str.isdigit, expected.text)) and not any(map(str.isdigit, attempt.outcome.text)):
                return self.unnamed(
                    f"All numbers agree. {probe.where}, your {expected.raised} says {attempt.outcome.text!r}."
                    " Whoever reads it must find the place: put its index into the message.",
                    probe.inputs,
                )
        return None

    def _unnumbered(self, attempts: list[Attempt]) -> Report | None:
        """A refusal that does not name the sizes, or the row, which it refuses."""
        for probe, attempt in zip(self.probes, attempts, strict=True):
            text = attempt.outcome.text
            if not set(map(str, probe.sizes)) <= set(re.findall(r"\d+", text)):
                wanted = " and ".join(map(str, probe.sizes))
                return self.unnamed(
                    f"All numbers agree. {probe.where}, your {attempt.outcome.raised} says {cut(text)!r}."
                    f" Whoever reads it needs its numbers: put {wanted} into the message.",
                    probe.inputs,
                )
        return None

    def _gradient_problem(self, answer: Callable[..., Any]) -> str:
        for probe, expected in zip(self.probes[:3], self._gradients, strict=True):
            given, error = sandbox.survive(self._gradient, answer, probe)
            if error and "inplace" in str(error):
                return f"{probe.where}, no gradient flows back through a tensor changed in place. {IN_PLACE}"
            if error:
                text = f"{type(error).__name__}: {cut(str(error))}"
                return f"{probe.where}, no gradient flows back ({text}). Look for `.detach()`, `.item()` or `.numpy()`."
            for name, mine in given.items():
                if not judge.same(mine, expected[name]):
                    what = "does not arrive" if mine.problem else "differs from the reference"
                    return (
                        f"{probe.where}, the gradient with respect to `{name}` {what}. Look for `.detach()` or `.data`."
                    )
        return ""

    @cached_property
    def _gradients(self) -> list[dict[str, Outcome]]:
        with sandbox.state_kept():
            return [self._gradient(self.reference, probe) for probe in self.probes[:3]]

    def _gradient(self, function: Callable[..., Any], probe: Probe) -> dict[str, Outcome]:
        inputs = sandbox.clone(probe.inputs)
        leaves = {n: x for n, x in inputs.items() if hasattr(x, "requires_grad_") and x.is_floating_point()}
        for tensor in leaves.values():
            tensor.requires_grad_()
        result = function(*self.feed(inputs))
        output = result[0] if isinstance(result, tuple) else result
        (output * output.detach().cos()).sum().backward()
        return {n: judge.read(x.grad) for n, x in leaves.items()}  # None is no number: a problem


WORDING = {
    "agrees": "{where}, everything agrees.",
    "length holds": "The length holds.",
    "stops": "{where}, your function stops with {given}.",
    "no error": "{where}, expected a {expected}, got {given}.",
    "returns": "{where}, your function returns {given}.",
    "shape": "{where}, the shape is {given}, expected {expected}.",
    "number": "{where}, {place}: {given}, expected {expected}.",
    "too long": "{where}, your function ran for more than {seconds} s and was stopped.",
    "unnamed": "{holds} {where} No known mistake gives this. {clue}",
    "not finite": "NaN comes from 0 / 0 or ∞ − ∞: print what you divide by. The probe is in `report.inputs`.",
    "clue": "Work the first differing entry by hand; the probe is in `report.inputs`.",
}
IN_PLACE = "Look for `x[…] =`, `*=`, `/=`, or a method whose name ends in `_`."
VAGUE = ("RuntimeError", "TypeError", "IndexError", "ValueError", "AttributeError")
STAGES = ("runs", "type", "dtype", "shape", "finite", "parity")
ADVICE = (
    "No known mistake does this. Call it on `report.inputs` and read the last line of the traceback.",
    "Return one value, and print its type before you return it.",
    "Look for a conversion, or for a new tensor that does not take over dtype and device.",
    "Write the shape behind each line, from the inputs in `report.inputs` to the result.",
)


def _unwritten(answer: Any, outcome: Outcome) -> bool:
    """Whether the answer's own lines raise NotImplementedError; torch raises it as well."""
    names = getattr(getattr(answer, "__code__", None), "co_names", ())
    return outcome.raised == "NotImplementedError" and outcome.raised in names


def _open_gap(answer: Any, outcome: Outcome) -> bool:
    """Whether the answer returned or stumbled over a `...` of its own; einsum's errors speak of an ellipsis as well."""
    constants = getattr(getattr(answer, "__code__", None), "co_consts", ())
    return Ellipsis in constants and ("ellipsis" in outcome.text or outcome.problem == "a ellipsis")


def _equal(given: Sequence[float], expected: Sequence[float]) -> bool:
    return len(given) == len(expected) and all(map(judge.close, given, expected))


def kind(outcome: Outcome) -> str:
    """Dtype and device in words."""
    if is_answer(outcome):
        return "True or False"
    if not outcome.dtype:
        return "a list or array, no tensor" if outcome.shape else "a number, no tensor"
    return f"{'an' if outcome.dtype.startswith('int') else 'a'} {outcome.dtype} tensor on {outcome.device}"


def is_answer(outcome: Outcome) -> bool:
    """Whether it is a single True or False."""
    return outcome.dtype == "bool" and not outcome.shape and not outcome.device


def _entries(given: tuple[int, ...], expected: tuple[int, ...]) -> str:
    """How two results in plain Python differ in size, in words where they are lists of numbers."""
    if not given or not expected:
        got, wanted = ("a list" if shape else "a number" for shape in (given, expected))
        return f"your function returns {got}, expected {wanted}"
    if len(given) == len(expected) == 1:
        return f"your list holds {given[0]}, expected {expected[0]}"
    return f"the shape is {given}, expected {expected}"


def stop(outcome: Outcome) -> str:
    """An exception and what it says."""
    return f"{outcome.raised}: {cut(outcome.text)}" if outcome.text else outcome.raised


def cut(text: str, length: int = 110) -> str:
    """The first line of a text, cut to ``length``."""
    line = (text.strip().splitlines() or ["no message"])[0].rstrip(".")
    return line if len(line) <= length else line[: length - 1] + "…"


def label(place: tuple[int, ...], rows: tuple[str, ...]) -> str:
    """A place in words where rows have names, else as an index; a single number is "the result"."""
    if not place:
        return "the result"
    if rows and len(place) == 2 and place[1] < len(ORDINALS):
        return f"row *{rows[place[0]]}*, {ORDINALS[place[1]]} entry"
    if rows and len(place) == 1 and place[0] < len(ORDINALS):
        return f"{ORDINALS[place[0]]} entry"
    return str(list(place))


def joint(mutants: list[Mutant]) -> Mutant:
    """One mutant, or the first two under a joint name: both fit, and neither may be called the cause."""
    if len(mutants) == 1:
        return mutants[0]
    first, second = mutants[:2]
    phrase = f"{with_code(first)} and {with_code(second)}"
    return replace(first, code=f"{first.code} or {second.code}", phrase=phrase)


def pair(first: Mutant, second: Mutant, answer: Any) -> Mutant:
    """Two mistakes in one answer; the message explains the first."""
    phrase = f"{with_code(first)} together with {with_code(second)}"
    return replace(first, code=f"{first.code}+{second.code}", phrase=phrase, answer=answer)


def with_code(mutant: Mutant) -> str:
    """The phrase and its code, unless the phrase holds codes already."""
    return mutant.phrase if "+" in mutant.code or " or " in mutant.code else f"{mutant.phrase} ({mutant.code})"
