"""Exercises done on the page: the notebook's reports, a limit of time, nothing loaded before it is asked for."""

import gzip
import json
import re
import subprocess
import sys
import zipfile
from pathlib import Path
from urllib.parse import urlsplit

import page_judge
import pytest
from bs4 import BeautifulSoup

from qkv.exercises.choices import Choice, Choose, Parsons
from qkv.exercises.engine import exercises, judged
from qkv.exercises.functions import WORDING
from qkv.exercises.report import mark_up, slug

ROOT = Path(__file__).resolve().parents[2]
AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"
RUN_AXE = """async () => (await axe.run(document, { resultTypes: ["violations"] })).violations
    .map((found) => `${found.id}: ${found.nodes.slice(0, 3).map((node) => node.html.slice(0, 160)).join(" | ")}`)"""
NAME = "chapters/02_attention/exercises.html"
LIMIT = 500_000  # bytes of the page, compressed, before Python is asked for
LOADING = 90_000  # milliseconds that a busy machine may take to start Python
ALL = exercises("02")
CODE = next(exercise for exercise in ALL if exercise.id == "attention.one_query")
CHOICES = [exercise for exercise in ALL if isinstance(exercise, Choice)]
CHOSEN = [exercise for exercise in CHOICES if all(isinstance(field, Choose) for field in exercise.fields)]
FORM = next(exercise for exercise in CHOICES if exercise not in CHOSEN)
PARSONS = [exercise for exercise in ALL if isinstance(exercise, Parsons)]
GARBAGE = {
    "no Python": "def attend(query, keys, values:\n    return 1",
    "stops in the cell": "import math\n1 / 0",
    "stops in the function": "def attend(query, keys, values):\n    return values[7]",
    "a string": "def attend(query, keys, values):\n    return 'shares'",
    "nothing": "def attend(query, keys, values):\n    query",
    "uneven rows": "def attend(query, keys, values):\n    return [1.0, [2.0]]",
    "too long": "def attend(query, keys, values):\n    return [1.0] * 9",
    "not a number": "def attend(query, keys, values):\n    return [float('nan')] * len(values[0])",
    "unknown numbers": "def attend(query, keys, values):\n    return values[0]",
    "changes its input": f"{CODE.solution}\n\n\nf = attend\n\n\ndef attend(query, keys, values):\n"
    "    result = f(query, keys, values)\n    keys.clear()\n    return result",
    "too few arguments": "def attend(query):\n    return query",
    "no function": "attend = 3",
    "exits": "def attend(query, keys, values):\n    raise SystemExit(3)",
    "not defined": "def attention(query, keys, values):\n    return values[0]",
    "stub": CODE.stub,
}
ENDLESS = {
    "in the function": "def attend(query, keys, values):\n    while True:\n        pass",
    "in the cell": "while True:\n    pass",
    "that catches everything": "while True:\n    try:\n        while True:\n            pass\n"
    "    except BaseException:\n        pass",
}


def plain_text(report):
    """A report as the page must show it: the words of ``report.message`` without its marks."""
    body = BeautifulSoup(mark_up(report.body), "html.parser").get_text()
    return f"{body} → {report.see}" if report.see else body


def head(exercise, report):
    icon = {"passed": "✓", "failed": "✗", "not attempted": "○"}[report.status]
    return f"{exercise.title}: {icon} {report.status}"


def verdict(box, timeout=LOADING):
    """The two paragraphs of the report that is shown: status and words."""
    shown = box.locator(".verdict[data-status]")
    shown.wait_for(timeout=timeout)
    return [paragraph.text_content() for paragraph in shown.locator("> p").all()[:2]]


def submit(editor, source):
    editor.locator("textarea").fill(source)
    editor.get_by_role("button", name="Check").click()
    return verdict(editor)


def choose(box, exercise, answer):
    for field, group in zip(exercise.fields, box.locator("fieldset").all(), strict=True):
        value = answer[field.name]
        if isinstance(field, Choose):
            group.get_by_role("radio").nth(list(field.options).index(value)).check()
        else:
            for number, entry in zip(value, group.get_by_role("spinbutton").all(), strict=True):
                entry.fill(repr(number))


def put(box, order):
    box.get_by_role("button", name="Reset").click()
    for letter in order:
        box.get_by_role("button", name=f"Add line {letter}").click()


def component(page, exercise):
    return page.locator(f"qkv-choice[data-exercise='{exercise.id}']")


def open_editor(page):
    page.get_by_role("button", name="Try it here").click()
    return page.locator(".exercise", has=page.locator("textarea"))


@pytest.fixture(scope="module")
def visit(browser, address):
    """The exercises page with Python loaded once, and every address that it asked for."""
    page = browser.new_context(viewport={"width": 1280, "height": 900}).new_page()
    requests, complaints = [], []
    page.on("request", lambda request: requests.append(request.url))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda line: complaints.append(line.text) if line.type in {"error", "warning"} else None)
    page.goto(address + NAME, wait_until="networkidle")
    yield page, open_editor(page), requests
    page.context.close()
    assert complaints == []


@pytest.fixture
def editor(visit):
    return visit[1]


@pytest.fixture
def page(visit):
    return visit[0]


@pytest.fixture
def fresh(desk, address):
    desk.goto(address + NAME)
    return desk


# --- plain Python


def test_solution_passes(editor):
    report = judged(CODE, CODE.answer)
    assert report.status == "passed"
    assert submit(editor, CODE.solution) == [head(CODE, report), plain_text(report)]


def test_a_mistake_of_ones_own_is_named(editor):
    source = CODE.solution.replace(" / math.sqrt(len(query))", "")
    assert source != CODE.solution
    status, words = submit(editor, source)
    assert status.endswith("✗ failed")
    assert "a missing division by √d_k (A1)" in words


@pytest.mark.parametrize("number", range(len(CODE.bank())), ids=[mutant.code for mutant in CODE.bank()])
def test_every_mutant_is_named_in_the_same_words(editor, number):
    mutant = CODE.bank()[number]
    report = judged(CODE, mutant.answer)
    source = f"from qkv.exercises.attention import ONE_QUERY\n\nattend = ONE_QUERY.bank()[{number}].answer"
    assert report.mistake == mutant.code
    assert submit(editor, source) == [head(CODE, report), plain_text(report)]


@pytest.mark.parametrize("source", GARBAGE.values(), ids=GARBAGE)
def test_anything_else_gets_the_same_sentence(editor, source):
    expected = json.loads(page_judge.check_source("attention", CODE.id, source))
    words = BeautifulSoup(expected["html"], "html.parser").get_text()
    assert len(words) > 20
    status, shown = submit(editor, source)
    assert status.endswith(expected["status"])
    assert shown == words


@pytest.mark.parametrize("source", ENDLESS.values(), ids=ENDLESS)
def test_an_endless_loop_is_stopped_and_the_page_goes_on(editor, source):
    status, words = submit(editor, source)
    assert status.endswith("✗ failed")
    stopped = WORDING["too long"].format(where="In this page", seconds=5)
    assert words == stopped
    assert submit(editor, CODE.solution)[0].endswith("✓ passed")


def test_printed_text_and_inputs_are_there_to_read(editor):
    submit(editor, "def attend(query, keys, values):\n    print('read', len(keys))\n    return values[0]")
    assert editor.get_by_text("read 3").first.is_visible()
    editor.get_by_text("report.inputs").last.click()
    assert editor.get_by_text("query = [2.0, 0.0, 2.0, 0.0]").is_visible()


def test_nobody_else_is_asked(visit, address):
    _, editor, requests = visit
    submit(editor, CODE.solution)
    foreign = [url for url in requests if urlsplit(url).scheme not in {"data", "blob"} and not url.startswith(address)]
    assert any(url.endswith("pyodide.asm.wasm") for url in requests)
    assert foreign == []


# --- options, numbers, lines


@pytest.mark.parametrize("exercise", CHOSEN, ids=lambda e: e.id)
def test_choices_get_the_reports_of_the_notebook(fresh, exercise):
    box = component(fresh, exercise)
    box.get_by_role("button", name="Check").click()
    blank = judged(exercise, {field.name: None for field in exercise.fields})
    assert verdict(box) == [head(exercise, blank), plain_text(blank)]
    right = {field.name: field.right for field in exercise.fields}
    for answer in [right, *(mutant.answer for mutant in exercise.bank())]:
        choose(box, exercise, answer)
        box.get_by_role("button", name="Check").click()
        report = judged(exercise, answer)
        assert verdict(box) == [head(exercise, report), plain_text(report)]
        assert box.locator(".reply:visible").count() == len(exercise.fields)


@pytest.mark.parametrize("exercise", CHOSEN, ids=lambda e: e.id)
def test_every_option_explains_itself(fresh, exercise):
    box = component(fresh, exercise)
    explain = box.get_by_role("button", name="Explain every option")
    explain.click()
    assert box.locator(".reply:visible").count() == 0  # not before a first answer
    choose(box, exercise, {field.name: field.right for field in exercise.fields})
    box.get_by_role("button", name="Check").click()
    explain.click()
    replies = [reply.inner_text() for reply in box.locator(".reply:visible").all()]
    assert len(replies) == sum(len(field.options) for field in exercise.fields)
    assert all(re.match("(✓ holds|✗ does not hold): .{15}", reply) for reply in replies)
    assert sum(reply.startswith("✓") for reply in replies) == len(exercise.fields)


def test_numbers_are_judged_by_python(page):
    box = component(page, FORM)
    right = {field.name: field.right for field in FORM.fields}
    for answer in [right, {**right, FORM.fields[0].name: [0, 1, 0, 0]}, *(mutant.answer for mutant in FORM.bank())]:
        choose(box, FORM, answer)
        box.get_by_role("button", name="Check").click()
        report = judged(FORM, answer)
        assert verdict(box) == [head(FORM, report), plain_text(report)]


@pytest.mark.parametrize("exercise", PARSONS, ids=lambda e: e.id)
def test_orders_get_the_reports_of_the_notebook(fresh, exercise):
    box = component(fresh, exercise)
    for order in [exercise.order, "", "A", "BDAFD", exercise.order[::-1], *(m.answer for m in exercise.bank())]:
        put(box, order)
        box.get_by_role("button", name="Check").click()
        report = judged(exercise, order)
        assert verdict(box) == [head(exercise, report), plain_text(report)]


def test_lines_move_by_keyboard(fresh):
    exercise = PARSONS[0]
    box = component(fresh, exercise)
    put(box, "DBAC")
    box.get_by_role("button", name="Move line B up").focus()
    fresh.keyboard.press("Enter")
    assert [row.inner_text()[0] for row in box.locator(".order .text").all()] == ["B", "D", "A", "C"]
    assert fresh.evaluate("document.activeElement.getAttribute('aria-label')") == "Move line B down"
    box.get_by_role("button", name="Take line C out").focus()
    fresh.keyboard.press("Space")
    assert fresh.evaluate("document.activeElement.getAttribute('aria-label')") == "Take line A out"
    box.get_by_role("button", name="Add line F").press("Enter")
    box.get_by_role("button", name="Check").press("Enter")
    assert verdict(box)[0].endswith("✓ passed")
    box.get_by_role("button", name="Add line E").click()
    box.get_by_role("button", name="Add line E").click()
    assert "room for 5 lines" in box.locator(".verdict").inner_text()


# --- what every exercise offers


def test_hints_come_one_at_a_time(fresh):
    box = component(fresh, CHOSEN[0])
    for number in (1, 2, 3):
        box.get_by_role("button", name=f"Hint {number} of 3").click()
        assert box.locator(".hints li").count() == number
    assert box.get_by_role("button", name="All hints shown").get_attribute("aria-disabled") == "true"
    words = [BeautifulSoup(mark_up(hint), "html.parser").get_text() for hint in CHOSEN[0].hints]
    assert [hint.text_content() for hint in box.locator(".hints li").all()] == words


def test_solution_waits_for_a_first_answer(fresh):
    exercise = CHOSEN[0]
    box = component(fresh, exercise)
    box.get_by_role("button", name="Solution").click()
    assert not box.locator(".answer").is_visible()
    assert "after your first check" in box.locator(".verdict").inner_text()
    choose(box, exercise, exercise.bank()[0].answer)
    box.get_by_role("button", name="Check").click()
    box.get_by_role("button", name="Solution").click()
    assert box.locator(".answer").inner_text() == exercise.solution


def test_every_exercise_has_hints_and_says_where_it_runs(fresh):
    assert fresh.get_by_role("button", name="Hint 1 of 3").count() == len(ALL) - 1  # the editor's is not open yet
    in_notebook = sum("Needs PyTorch" in text for text in fresh.locator(".exercise").all_inner_texts())
    assert in_notebook + len(CHOICES) + len(PARSONS) + 1 == len(ALL)


def test_answers_are_kept_until_reset(fresh, address):
    box = component(fresh, CHOSEN[0])
    box.get_by_role("radio").nth(1).check()
    put(component(fresh, PARSONS[0]), "BD")
    open_editor(fresh).locator("textarea").fill("kept = 1")
    fresh.goto(address + NAME)
    assert component(fresh, CHOSEN[0]).get_by_role("radio").nth(1).is_checked()
    assert component(fresh, PARSONS[0]).locator(".order li").count() == 2
    editor = open_editor(fresh)
    assert editor.locator("textarea").input_value() == "kept = 1"
    editor.get_by_role("button", name="Reset").click()
    assert editor.locator("textarea").input_value() == CODE.stub
    assert fresh.evaluate(f"localStorage.getItem('qkv:{CODE.id}')") is None


def test_page_works_where_nothing_may_be_stored(browser, address):
    page = browser.new_page()
    page.add_init_script("Object.defineProperty(window, 'localStorage', { get() { throw new Error('refused'); } })")
    errors = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(address + NAME)
    box = component(page, CHOSEN[0])
    choose(box, CHOSEN[0], {field.name: field.right for field in CHOSEN[0].fields})
    box.get_by_role("button", name="Check").click()
    assert verdict(box)[0].endswith("✓ passed")
    open_editor(page).locator("textarea").fill("kept = 0")
    page.context.close()
    assert errors == []


# --- keyboard, other ways in, weight


def test_keyboard_alone_is_enough_and_never_trapped(fresh):
    fresh.get_by_role("button", name="Try it here").focus()
    fresh.keyboard.press("Enter")
    area = fresh.locator("textarea")
    assert fresh.evaluate("document.activeElement.tagName") == "TEXTAREA"
    area.fill("")
    fresh.keyboard.type("def attend(query, keys, values):\nreturn [1.0]")  # Enter after a colon indents
    assert area.input_value() == "def attend(query, keys, values):\n    return [1.0]"
    fresh.keyboard.press("Enter")
    fresh.keyboard.press("Tab")
    assert area.input_value().endswith("\n        ")
    fresh.keyboard.press("Escape")
    fresh.keyboard.press("Tab")
    assert fresh.evaluate("document.activeElement.textContent") == "Check"
    fresh.keyboard.press("Shift+Tab")
    fresh.keyboard.press("Control+Enter")
    assert verdict(fresh.locator(".exercise", has=area))[0].endswith("✗ failed")


def test_from_a_file_choices_work_and_python_says_what_to_do(site, desk):
    desk.goto((site / NAME).as_uri())
    box = component(desk, CHOSEN[0])
    choose(box, CHOSEN[0], {field.name: field.right for field in CHOSEN[0].fields})
    box.get_by_role("button", name="Check").click()
    assert verdict(box)[0].endswith("✓ passed")
    status, words = submit(open_editor(desk), CODE.solution)
    assert status.endswith("○ not attempted")
    assert "make serve" in words


def test_a_second_check_waits_for_the_first(fresh):
    editor, box = open_editor(fresh), component(fresh, FORM)
    editor.locator("textarea").fill(CODE.solution)
    choose(box, FORM, {field.name: field.right for field in FORM.fields})
    editor.get_by_role("button", name="Check").click()
    box.get_by_role("button", name="Check").click()
    assert verdict(editor)[0] == head(CODE, judged(CODE, CODE.answer))
    assert verdict(box)[0].endswith("✓ passed")


def test_a_missing_file_is_said(desk, address):
    desk.route("**/exercises.zip", lambda route: route.fulfill(status=404, body=""))
    desk.goto(address + NAME)
    status, words = submit(open_editor(desk), CODE.solution)
    assert status.endswith("○ not attempted")
    assert "Python could not be loaded" in words
    desk.unroute("**/exercises.zip")
    desk.get_by_role("button", name="Check").last.wait_for()
    assert submit(desk.locator(".exercise", has=desk.locator("textarea")), CODE.solution)[0].endswith("✓ passed")


def test_without_scripts_every_explanation_is_there(soups):
    page = soups[NAME]
    for exercise in [*CHOICES, *PARSONS]:
        shown = page.select_one(f"qkv-choice[data-exercise='{exercise.id}']")
        assert shown == BeautifulSoup(exercise.html(), "html.parser").contents[0], "run `make notebooks CHAPTER=02`"
        assert len(shown.select("details > p")) == len(shown.select("details")) >= 4
    assert page.find("button", string="Try it here") is None


def test_reports_link_to_headings_that_exist(soups):
    anchors = {tag["id"] for tag in soups["chapters/02_attention/lesson.html"].find_all(id=True)}
    sections = {mutant.see for exercise in ALL for mutant in exercise.bank()} | {exercise.see for exercise in ALL}
    assert {slug(section) for section in sections} <= anchors


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_everything_open_passes_axe_and_fits_a_phone(browser, address, scheme):
    page = browser.new_context(viewport={"width": 390, "height": 844}, color_scheme=scheme).new_page()
    page.goto(address + NAME)
    for exercise in CHOSEN:
        box = component(page, exercise)
        choose(box, exercise, exercise.bank()[0].answer)
        box.get_by_role("button", name="Check").click()
        box.get_by_role("button", name="Explain every option").click()
        box.get_by_role("button", name="Hint 1").click()
        box.get_by_role("button", name="Solution").click()
    box = component(page, PARSONS[0])
    put(box, PARSONS[0].bank()[0].answer)
    box.get_by_role("button", name="Check").click()
    box.get_by_role("button", name="Explain every line").click()
    assert box.locator(".reply:visible").count() == len(PARSONS[0].lines)
    assert box.get_by_text("Show the order").is_visible()
    editor = open_editor(page)
    submit(editor, "def attend(query, keys, values):\n    print('x' * 300)\n    return values[0]")
    editor.get_by_role("button", name="Hint 1").click()
    page.evaluate(AXE.read_text())
    assert page.evaluate(RUN_AXE) == []
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    heights = "(buttons) => buttons.map((button) => button.offsetHeight)"
    assert min(page.locator("qkv-choice button, .exercise button").filter(visible=True).evaluate_all(heights)) >= 44
    page.context.close()


def test_page_is_light_and_python_comes_on_the_first_check_only(desk, address, capsys):
    sizes = {}
    desk.on("response", lambda response: sizes.update({response.url: len(gzip.compress(response.body()))}))
    desk.goto(address + NAME, wait_until="networkidle")
    editor = open_editor(desk)
    desk.wait_for_load_state("networkidle")
    before = sum(sizes.values())
    assert address + NAME in sizes
    assert not any("pyodide" in url or url.endswith("exercises.zip") for url in sizes)
    submit(editor, CODE.solution)
    desk.wait_for_load_state("networkidle")
    with capsys.disabled():
        print(f"\n{NAME}: {before / 1000:.0f} kB compressed, with Python {sum(sizes.values()) / 1000:.0f} kB")
    assert before <= LIMIT
    assert sum("pyodide" in url for url in sizes) >= 3


# --- the archive


def test_archive_holds_all_that_judging_needs_and_no_library(site, tmp_path):
    archive = site / "_static" / "exercises.zip"
    program = (
        f"import sys, json; sys.path.insert(0, {str(archive)!r}); import page_judge\n"
        f"report = page_judge.check_source('attention', {CODE.id!r}, {CODE.solution!r})\n"
        "libraries = {'torch', 'numpy', 'filelock', 'platformdirs'} & set(sys.modules)\n"
        "print(json.loads(report)['status'], sorted(libraries), sys.modules['qkv'].__file__.startswith(sys.path[0]))"
    )
    command = [sys.executable, "-S", "-I", "-c", program]  # no installed package can be found
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=False)
    assert done.stdout.strip() == "passed [] True", done.stderr
    for name in zipfile.ZipFile(archive).namelist():
        source = ROOT / ("book/_ext" if name == "page_judge.py" else "src") / name
        assert zipfile.ZipFile(archive).read(name) == source.read_bytes(), f"{name} differs from {source}"
