"""A chapter's exercises as JSON for the static page: the same checks, mistakes and words, without a kernel.

The judging rule is that of ``qkv.exercises.judge``.  For a ``function``, call it on the inputs of every probe and
compare with ``expected`` to 1e-6 (absolute below 1, relative above; NaN equals NaN; an exception equals one of the same
class).  All equal: say ``passed``.  Else look for the mutant whose ``outcomes`` equal *all* of the answer's, single
mistakes before pairs, and say its ``message``; when none fits, fill the templates of ``wording``.  For a ``choice``,
compare the parts with ``right`` and the beliefs; for ``parsons``, compare ``trace`` (see ``Parsons.trace``).
"""

import inspect
import json
import sys
from collections.abc import Sequence
from typing import Any

from qkv.exercises.chapters import CHAPTERS
from qkv.exercises.choices import Choice, Choose, Field, Numbers, Parsons
from qkv.exercises.engine import exercises, judged
from qkv.exercises.exercise import Exercise
from qkv.exercises.functions import ADVICE, WORDING, Function
from qkv.exercises.judge import TOLERANCE
from qkv.exercises.mutant import Mutant
from qkv.exercises.report import ICONS, block_html, slug


def to_json(chapter: str) -> dict[str, Any]:
    """Everything that a page needs to show and judge a chapter's exercises; only numbers, text, lists, dictionaries.

    Exercises on tensors have ``"runs_in_page": False``: prompt, stub, hints and the messages of their mistakes
    are there to read, and the check needs a notebook.

    Raises:
        ValueError: the chapter has no exercises.
    """
    return {
        "chapter": chapter,
        "tolerance": TOLERANCE,
        "icons": ICONS,
        "sections": {section: slug(section) for asked in CHAPTERS[chapter].lessons.values() for section in asked},
        "wording": WORDING | {"advice": list(ADVICE)},
        "exercises": [describe(exercise) for exercise in exercises(chapter)],
    }


def describe(exercise: Exercise) -> dict[str, Any]:
    """One exercise: what is common to all kinds, then what its kind needs."""
    plain = ("id", "number", "title", "kind", "difficulty", "minutes", "prompt", "review", "see", "starred", "variable")
    common = {name: getattr(exercise, name) for name in plain} | {
        "prompt_html": block_html(exercise.prompt),
        "stub": exercise.stub,
        "hints": list(exercise.hints),
        "passed": exercise.passed().message,
        "not_attempted": judged(exercise, _untouched(exercise)).message,
        "mutants": [_mutant(exercise, mutant) for mutant in _to_show(exercise)],
    }
    if isinstance(exercise, Choice):
        return common | {"judge": "choice", "runs_in_page": True, "fields": [_field(f) for f in exercise.fields]}
    if isinstance(exercise, Parsons):
        return common | {"judge": "parsons", "runs_in_page": True} | _parsons(exercise)
    assert isinstance(exercise, Function)
    return common | {"judge": "function", "runs_in_page": not exercise.tensors} | _function(exercise)


def _to_show(exercise: Exercise) -> Sequence[Mutant]:
    """What a page can name; of exercises that need a notebook, single mistakes to read about."""
    return exercise.singles if isinstance(exercise, Function) and exercise.tensors else exercise.bank()


def _untouched(exercise: Exercise) -> Any:
    return {field.name: None for field in exercise.fields} if isinstance(exercise, Choice) else None


def _mutant(exercise: Exercise, mutant: Mutant) -> dict[str, Any]:
    report = judged(exercise, mutant.answer)
    common = {"code": report.mistake, "message": report.message, "see": report.see}
    if isinstance(exercise, Function):
        if exercise.tensors:
            return common
        return common | {"outcomes": [exercise.run_known(mutant.answer, probe).plain() for probe in exercise.probes]}
    if isinstance(exercise, Parsons):
        return common | {"answer": mutant.answer, "trace": exercise.trace(mutant.answer)[0]}
    return common | {"answer": mutant.answer}


def _function(exercise: Function) -> dict[str, Any]:
    if exercise.tensors:
        return {"signature": str(inspect.signature(exercise.answer))}
    probes = zip(exercise.probes, exercise.expected, strict=True)
    return {
        "result": exercise.result,
        "probes": [
            {
                "name": probe.name,
                "where": probe.where,
                "rows": list(probe.rows),
                "inputs": probe.inputs,
                "expected": expected.plain(),
            }
            for probe, expected in probes
        ],
    }


def _parsons(exercise: Parsons) -> dict[str, Any]:
    keys = ("code", "makes", "belongs", "why")
    lines = exercise.lines.items()
    return {
        "lines": {k: {key: getattr(line, key) for key in keys} | {"reads": list(line.reads)} for k, line in lines},
        "wanted": exercise.wanted,
        "order": exercise.order,
        "trace": exercise.trace(exercise.order)[0],
    }


def _field(field: Field) -> dict[str, Any]:
    common = {"name": field.name, "question": field.question, "right": field.right}
    if isinstance(field, Choose):
        options = {
            letter: {"text": option.text, "why": option.why, "holds": option.holds}
            for letter, option in field.options.items()
        }
        return common | {"type": "options", "options": options}
    assert isinstance(field, Numbers)
    numbers = {"length": field.length, "target": list(field.target), "within": field.within, "advice": field.advice}
    return common | {"type": "numbers"} | numbers | {"observe": "one_query_on_the_toy"}


if __name__ == "__main__":
    print(json.dumps(to_json(sys.argv[1]), ensure_ascii=False, indent=1))
