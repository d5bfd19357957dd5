"""Judge an answer that was given on the static page.

The same file runs twice: while the site is built, and in the reader's browser, where Python is WebAssembly.
Standard library and the plain part of ``qkv.exercises`` only: the rule and the words are those of the notebook.
"""

import contextlib
import html
import importlib
import io
import json

from qkv.exercises.chapters import lesson_of
from qkv.exercises.engine import judged
from qkv.exercises.notebook import run_cell
from qkv.exercises.report import FAILED, mark_up, slug

PRINTED = 2000  # characters of printed text that are sent back


def declared(module):
    """The exercises of one module; no other module is loaded."""
    return importlib.import_module(f"qkv.exercises.{module}").EXERCISES


def find(module, identifier):
    return next(exercise for exercise in declared(module) if exercise.id == identifier)


def plain(report):
    """A report as the page shows it: status, code of the mistake, HTML, and the inputs it speaks of."""
    lesson, _ = lesson_of(report.folder, report.see)
    link = f' → <a href="{lesson}.html#{slug(report.see)}">{html.escape(report.see)}</a>' if report.see else ""
    shown = {"status": report.status, "mistake": report.mistake, "html": mark_up(report.body) + link}
    if report.inputs:
        shown["inputs"] = "\n".join(f"{name} = {value!r}" for name, value in report.inputs.items())
    return shown


def check_source(module, identifier, source):
    """Run code as a notebook's cell, judge the name that the exercise asks for, and return the report as JSON."""
    exercise, names = find(module, identifier), {"__name__": "__main__"}
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        problem = run_cell(source, names, exercise.number)
        report = exercise.report(FAILED, problem) if problem else judged(exercise, names.get(exercise.variable))
    return json.dumps(plain(report) | {"printed": printed.getvalue()[:PRINTED]})


def check_answer(module, identifier, answer):
    """Judge an answer given as JSON, such as the fields of a form, and return the report as JSON."""
    return json.dumps(plain(judged(find(module, identifier), json.loads(answer))))
