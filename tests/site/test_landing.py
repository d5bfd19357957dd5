"""The first page: it fits a phone's first screen, its figure lives, its button leads to the first lesson."""

import landing
import pytest
import yaml

from qkv.exercises.engine import find, judged, mutants
from qkv.exercises.report import slug

PAGE = "book/index.html"


def bars(page):
    """Word and share of each bar of the live figure."""
    rows = page.get_by_role("table", name="Shares that the word it gives").locator("tr").all_inner_texts()
    return [tuple(row.split()) for row in rows]


def test_the_first_screen_fits_a_phone(address, phone):
    phone.goto(address + PAGE)
    phone.locator("qkv-figure .figure").wait_for()
    for selector in ("h1", "qkv-figure", ".start a", ".quiet"):
        box = phone.locator(selector).first.bounding_box()
        assert box["y"] + box["height"] <= 844, selector


@pytest.mark.parametrize("where", ["http", "file"])
def test_one_word_changes_the_shares(address, site, browser, where):
    page = browser.new_context(viewport={"width": 390, "height": 844}).new_page()
    page.goto(address + PAGE if where == "http" else (site / PAGE).as_uri())
    assert bars(page) == [("cat", ".67"), ("mat", ".24"), ("it", ".09")]
    page.get_by_role("radio", name="hungry").focus()
    page.keyboard.press("ArrowRight")
    assert bars(page) == [("cat", ".24"), ("mat", ".67"), ("it", ".09")]
    page.context.close()


def test_without_scripts_both_sentences_stand_side_by_side(address, browser):
    page = browser.new_context(java_script_enabled=False, viewport={"width": 390, "height": 844}).new_page()
    page.goto(address + PAGE)
    rows = page.locator("qkv-figure tr").all_inner_texts()
    assert [row.split() for row in rows[1:]] == [["cat", ".67", ".24"], ["mat", ".24", ".67"], ["it", ".09", ".09"]]
    for selector in ("h1", "qkv-figure", ".start a"):
        box = page.locator(selector).first.bounding_box()
        assert box["y"] + box["height"] <= 844, selector
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.context.close()


def test_the_page_is_light(address, desk):
    sizes = []
    desk.on("response", lambda response: sizes.append(len(response.body())))
    desk.goto(address + PAGE, wait_until="networkidle")
    assert sum(sizes) <= 500_000


def test_the_checkers_message_is_the_checkers_own(soups):
    identifier = "attention.scaled_dot_product_attention"
    report = judged(find(identifier), mutants(identifier)["A4"])
    assert report.mistake == "A4"
    said = soups[PAGE].select_one(".says")
    assert " ".join(said.get_text().split()).startswith(f"{report.title}: ✗ failed")
    assert "one unit to share among the keys" in said.get_text()
    assert said.select_one("a")["href"] == f"../chapters/02_attention/lesson.html#{slug(report.see)}"


def test_one_button_leads_to_the_first_lesson(soups):
    written = landing.lesson_files(yaml.safe_load((landing.ROOT / "_toc.yml").read_text()))
    (button,) = soups[PAGE].select(".start a")
    assert button["href"] == f"../{written[0]}.html"
    assert f"{landing.minutes_of(written[0])} minutes" in button.get_text()


def test_the_path_has_eleven_chapters_and_says_which_exist(soups):
    steps = soups[PAGE].select(".path > li")
    assert len(steps) == 11
    for step, chapter in zip(steps, landing.chapters(), strict=True):
        assert bool(step.select("a")) == bool(chapter["lessons"])
        assert ("in preparation" in step.get_text()) == (not chapter["lessons"])


def test_a_lesson_without_minutes_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(landing, "ROOT", tmp_path)
    (tmp_path / "lesson.ipynb").write_text('{"cells": [{"cell_type": "markdown", "source": ["# Title"]}]}')
    with pytest.raises(ValueError, match=r"lesson\.ipynb: expected '<number> minutes'"):
        landing.minutes_of("lesson")
