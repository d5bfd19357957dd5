"""Every chapter's exercises page: what can be done there gets the notebook's reports, and nobody else is asked."""

from urllib.parse import urlsplit

import page_judge
import pytest
from bs4 import BeautifulSoup

from qkv.exercises.chapters import CHAPTERS
from qkv.exercises.engine import exercises, judged
from qkv.exercises.functions import Function
from qkv.exercises.report import mark_up

LOADING = 90_000  # milliseconds that a busy machine may take to start Python
ICONS = {"passed": "✓", "failed": "✗", "not attempted": "○"}
WITH_CODE = [number for number in CHAPTERS if any(isinstance(e, Function) and not e.tensors for e in exercises(number))]


def expected(exercise, answer):
    report = judged(exercise, answer)
    body = BeautifulSoup(mark_up(report.body), "html.parser").get_text()
    words = f"{body} → {report.see}" if report.see else body
    return [f"{exercise.title}: {ICONS[report.status]} {report.status}", words]


def answers(exercise, module):
    """Source of the solution, of the stub, and of one mutant for each name, with what each must be told."""
    yield exercise.solution, expected(exercise, exercise.answer)
    yield exercise.stub, expected(exercise, None)
    first = {mutant.code: (number, mutant) for number, mutant in reversed([*enumerate(exercise.singles)])}
    for number, mutant in first.values():
        source = (
            f"from qkv.exercises.{module} import EXERCISES\n"
            f"exercise = next(e for e in EXERCISES if e.id == {exercise.id!r})\n"
            f"{exercise.variable} = exercise.bank()[{number}].answer"
        )
        yield source, expected(exercise, mutant.answer)


def submit(editor, source):
    editor.locator("textarea").fill(source)
    editor.get_by_role("button", name="Check").click()
    shown = editor.locator(".verdict[data-status]")
    shown.wait_for(timeout=LOADING)
    return [paragraph.text_content() for paragraph in shown.locator("> p").all()[:2]]


@pytest.mark.parametrize("chapter", WITH_CODE)
def test_plain_functions_are_judged_in_the_page_as_in_a_notebook(chapter, browser, address):
    page = browser.new_context(viewport={"width": 1280, "height": 900}).new_page()
    requests, complaints = [], []
    page.on("request", lambda request: requests.append(request.url))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(f"{address}chapters/{CHAPTERS[chapter].folder}/exercises.html", wait_until="networkidle")
    modules = [name for name in CHAPTERS[chapter].modules if not name.endswith("_tensors")]
    plain = [(e, name) for name in modules for e in page_judge.declared(name)]
    for exercise, module in plain:
        if isinstance(exercise, Function):
            heading = page.get_by_role("heading", name=exercise.title)
            box = page.locator("section", has=heading).last
            box.get_by_role("button", name="Try it here").click()
            editor = box.locator(".exercise", has=page.locator("textarea"))
            for source, wanted in answers(exercise, module):
                assert submit(editor, source) == wanted, f"{exercise.id}\n{source}"
    page.context.close()
    assert complaints == []
    assert [url for url in requests if urlsplit(url).scheme not in {"data", "blob"} and address not in url] == []
