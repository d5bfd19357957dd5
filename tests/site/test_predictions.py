"""A prediction on the site: radio buttons, a reply, and an output that stays folded until a choice is made."""

from pathlib import Path

import pytest

STATIC = Path(__file__).resolve().parents[2] / "book" / "_static"
PAGE = """<!DOCTYPE html><html lang="en"><title>x</title><nav id="contents"></nav><main><article>
<div class="predict"><p>Which one?</p>
<details><summary>A. This <em>one</em></summary>Because A.</details>
<details><summary>B. That one</summary><p>Because B.</p></details></div>
<p>Text between.</p>
<div class="cell"><div class="cell_input">setup()</div></div>
<div class="cell"><div class="cell_output">42</div></div>
<div class="cell"><div class="cell_output">43</div></div>
</article></main></html>"""


@pytest.fixture
def page(desk):
    desk.set_content(PAGE)
    desk.add_style_tag(path=STATIC / "tokens.css")
    desk.add_style_tag(path=STATIC / "course.css")
    desk.add_script_tag(path=STATIC / "course.js")
    return desk


def test_only_the_next_output_is_folded(page):
    assert not page.get_by_text("42").is_visible()
    assert page.get_by_text("43").is_visible()


def test_a_choice_opens_its_reply_and_the_output(page):
    page.get_by_role("radio", name="B. That one").check()
    assert page.get_by_text("Because B.").is_visible()
    assert not page.get_by_text("Because A.").is_visible()
    assert page.get_by_text("42").is_visible()


def test_another_choice_changes_the_reply(page):
    page.get_by_role("radio", name="B. That one").check()
    page.get_by_role("radio", name="A. This one").check()
    assert page.get_by_text("Because A.").is_visible()
    assert not page.get_by_text("Because B.").is_visible()


def test_keyboard_alone_is_enough(page):
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    assert page.get_by_text("Because A.").is_visible()
    page.keyboard.press("ArrowDown")
    assert page.get_by_text("Because B.").is_visible()
    assert page.get_by_role("radiogroup", name="Which one?").is_visible()


def test_show_opens_the_output_without_a_choice(page):
    page.get_by_role("button", name="Show").click()
    assert page.get_by_text("42").is_visible()
    assert page.get_by_role("radio", checked=True).count() == 0
    assert page.evaluate("document.activeElement.textContent") == "42"


def test_every_prediction_of_a_lesson_opens(address, desk):
    desk.goto(address + "chapters/02_attention/lesson.html")
    groups = desk.locator(".predict [role=radiogroup]").all()
    assert len(groups) >= 3
    assert desk.locator(".cell_output[hidden]").count() >= 3
    for group in groups:
        group.get_by_role("radio").first.check()
        assert group.locator(".reply:visible").count() == 1
    assert desk.locator(".cell_output[hidden]").count() == 0
