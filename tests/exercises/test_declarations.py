"""Every exercise keeps the contract: hints, kinds, links to the lesson, options that explain themselves."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from qkv.exercises import ask
from qkv.exercises.chapters import CHAPTERS
from qkv.exercises.choices import Choice, Choose, Parsons
from qkv.exercises.engine import exercises
from qkv.exercises.functions import Function
from qkv.exercises.report import slug

ALL = [exercise for chapter in CHAPTERS for exercise in exercises(chapter)]
every = pytest.mark.parametrize("exercise", ALL, ids=lambda e: e.id)
ROOT = Path(__file__).resolve().parents[2]
every_chapter = pytest.mark.parametrize("chapter", CHAPTERS)
IN_PAGE = {  # the numbers of the exercises that a static page can judge
    "00": [1, 2, 3, 4, 8, 11, 12, 13, 14],
    "01": [1, 2, 3, 4, 5, 6, 7, 8],
    "02": [1, 2, 4, 5, 6, 8, 9],
    "03": [1, 2, 3, 7, 8, 11, 12, 13, 15],
    "04": [1, 2, 3, 4, 5, 6, 7],
    "05": [1, 2, 3, 8, 9, 10, 11, 13, 15, 16, 17, 18, 19, 20, 21, 22, 24],
    "06": [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11],
    "07": [1, 2, 3, 4, 5, 6, 7, 8, 9, 10],
    "08": [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14],
    "09": [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 17, 18, 19, 20, 21, 22],
}
FORBIDDEN = re.compile(r"\b(wrong|simply|just|oops|obviously)\b|!(?!=)", re.I)


@every
def test_declaration_keeps_the_contract(exercise):
    assert len(exercise.hints) >= 3
    assert len(set(exercise.hints)) == len(exercise.hints)
    assert "▢" in exercise.hints[-1], "the last hint is the line with a gap"
    assert exercise.hints[1].startswith("On other numbers")
    assert 1 <= exercise.difficulty <= 5
    assert re.fullmatch(r"\d\d", exercise.review)
    assert int(exercise.review) > int(exercise.chapter)
    assert exercise.transfer.endswith("?")
    texts = [exercise.prompt, exercise.shown, exercise.transfer, *exercise.hints]
    assert not [text for text in texts if FORBIDDEN.search(text.replace("softmax!", ""))]


@every_chapter
def test_the_first_exercise_takes_two_minutes_and_all_kinds_occur(chapter):
    found = exercises(chapter)
    assert len(found) >= 8
    assert found[0].minutes <= 2
    assert [exercise.number for exercise in found] == list(range(1, len(found) + 1))
    assert {"predict", "Parsons", "complete", "write", "debug", "claim"} == {exercise.kind for exercise in found}


def in_page(chapter):
    return [exercise for exercise in exercises(chapter) if not (isinstance(exercise, Function) and exercise.tensors)]


@pytest.mark.parametrize("exercise", [e for e in ALL if isinstance(e, Function)], ids=lambda e: e.id)
def test_what_is_expected_can_be_compared(exercise):
    """Words cannot: any two lists of words would count as equal."""
    assert not [outcome.problem for outcome in exercise.expected if outcome.problem]


@every_chapter
def test_which_exercises_a_page_can_judge(chapter):
    assert [exercise.number for exercise in in_page(chapter)] == IN_PAGE[chapter]


@every_chapter
def test_what_a_page_judges_loads_without_torch(chapter):
    code = (
        "import sys; from qkv.exercises.engine import find; [find(each) for each in sys.argv[1:]]; print(*sys.modules)"
    )
    command = [sys.executable, "-c", code, *(exercise.id for exercise in in_page(chapter))]
    loaded = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    assert "qkv.exercises.engine" in loaded
    assert not {"torch", "numpy", "qkv.nn"} & set(loaded)


@pytest.mark.parametrize("exercise", [e for e in ALL if isinstance(e, Choice | Parsons)], ids=lambda e: e.id)
def test_every_option_explains_itself_without_scripts(exercise):
    page = ask(exercise.id)._repr_html_()
    assert "<script" not in page
    for field in getattr(exercise, "fields", ()):
        if isinstance(field, Choose):
            assert sum(option.holds for option in field.options.values()) == 1
            for letter, option in field.options.items():
                assert option.why
                assert f'data-option="{letter}"' in page
    for letter in getattr(exercise, "lines", ()):
        assert f'data-line="{letter}"' in page
    assert page.count("<details") == page.count("</details>")
    assert exercise.title in repr(ask(exercise.id))


@every_chapter
def test_headings_of_the_lessons_exist(chapter):
    """Sections are numbered in order, and every link of a report leads to one."""
    _, folder, _, lessons, _, _ = CHAPTERS[chapter]
    for stem, sections in lessons.items():
        text = (ROOT / "chapters" / folder / f"{stem}.py").read_text(encoding="utf-8")
        headings = re.findall(r"^# ## (\d+)\. (.+)$", text, re.M)
        assert [(int(number), slug(heading)) for number, heading in headings] == [
            (number, slug(section)) for number, section in enumerate(sections, start=1)
        ]
    linked = {m.see for e in exercises(chapter) for m in e.bank()} | {e.see for e in exercises(chapter)}
    assert linked <= {section for sections in lessons.values() for section in sections}


@pytest.mark.parametrize("exercise", [e for e in ALL if e.kind in ("write", "complete")], ids=lambda e: e.id)
def test_the_last_hint_can_be_pasted(exercise):
    assert "−" not in exercise.hints[-1], "Python knows the hyphen as minus and no other sign"
