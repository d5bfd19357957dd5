"""The first page: it fits a phone's first screen, its numbers are the toy's, its button leads to the first lesson."""

import math

import landing
import pytest
import torch
import yaml

from qkv import toy
from qkv.nn.attention import scaled_dot_product_attention

PAGE = "book/index.html"


def test_shares_equal_the_library():
    query = torch.tensor([toy.QUERY[2], toy.QUERY_IT_WET], dtype=torch.float32)
    key, value = torch.tensor(toy.KEY, dtype=torch.float32), torch.tensor(toy.VALUE, dtype=torch.float32)
    _, weights = scaled_dot_product_attention(query, key, value)
    ours = torch.tensor([[hungry, wet] for _, hungry, wet in landing.toy_rows()]).T
    torch.testing.assert_close(ours, weights)


def numbers(page):
    return [float(text) for text in page.locator(".toy tbody td:not(.meter):visible").all_inner_texts()]


def test_the_first_screen_fits_a_phone(address, phone):
    phone.goto(address + PAGE)
    for selector in ("h1", ".toy", ".start a", ".quiet"):
        box = phone.locator(selector).first.bounding_box()
        assert box["y"] + box["height"] <= 844, selector


def test_one_word_changes_the_shares(address, phone):
    phone.goto(address + PAGE)
    assert numbers(phone) == [0.67, 0.24, 0.09]
    phone.get_by_role("radio", name="hungry").focus()
    phone.keyboard.press("ArrowRight")
    assert numbers(phone) == [0.24, 0.67, 0.09]
    assert phone.locator(".says").inner_text() == "With wet, most comes from mat."


def test_bars_are_as_long_as_their_numbers(address, phone):
    phone.goto(address + PAGE)
    lengths = [bar.bounding_box()["width"] for bar in phone.locator(".toy tbody .meter span").all()]
    assert [length / sum(lengths) for length in lengths] == pytest.approx([0.665, 0.245, 0.090], abs=0.005)


def test_the_swap_needs_no_script_and_paper_shows_both(address, browser):
    page = browser.new_context(java_script_enabled=False).new_page()
    page.goto(address + PAGE)
    page.get_by_role("radio", name="wet").check(force=True)
    assert numbers(page) == [0.24, 0.67, 0.09]
    page.emulate_media(media="print")
    assert numbers(page) == [0.67, 0.24, 0.24, 0.67, 0.09, 0.09]
    page.context.close()


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


def test_plain_softmax_by_hand():
    assert landing.shares([2.0, 0.0, 0.0, 0.0], [[1, 0, 0, 0], [0, 1, 0, 0]]) == pytest.approx(
        [math.e / (math.e + 1), 1 / (math.e + 1)]
    )
