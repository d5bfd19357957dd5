"""The pronouncer in Chromium, before its model is loaded; a page opened from a file never loads it."""

import pytest

from qkv.figures import beam_tree
from qkv.text.sounds import symbols

ROOT = "document.querySelector('qkv-figure').shadowRoot"
OPENING = (
    "The most probable pronunciation found for adherence is AH D HH IH R AH N S: log probability −2.02, "
    "probability .133. After 1 sound, AE (−.65) was ahead of AH (−.98)."
)
KNOWS = "It knows the letters a to z and the apostrophe."


def sentence(page):
    return page.locator(".sentence").inner_text()


def try_word(page, word):
    page.get_by_role("textbox", name="A word").fill(word)
    page.get_by_role("button", name="Pronounce").click()
    return page.get_by_role("alert").inner_text()


def test_opens_with_the_library_s_own_search(open_page):
    page = open_page("pronouncer")
    tree = beam_tree.opening()
    assert sentence(page) == OPENING
    for kind in ("kept", "dropped"):
        expected = [symbols(one["ids"])[-1] for step in tree["steps"] for one in step[kind]]
        assert page.locator(f".cell.{kind} b").all_inner_texts() == expected
    best = page.locator(".cell.best b").all_inner_texts()
    assert tuple(best) == symbols(tree["found"][0]["ids"])
    assert page.locator("line.best").count() == len(best) - 1
    assert page.locator(".cell em").count() == len(tree["found"])


def test_another_pronunciation_lights_its_path_and_shows_where_it_looks(open_page):
    page = open_page("pronouncer")
    second = beam_tree.opening()["found"][1]
    page.get_by_role("radio").nth(1).check()
    assert tuple(page.locator(".cell.best b").all_inner_texts()) == symbols(second["ids"])
    assert sentence(page).startswith("The second pronunciation found for adherence is AE D HH IH R AH N S: ")
    assert "was ahead of AE D HH IH" in sentence(page)
    looks = page.locator(".looks").get_attribute("aria-label")
    assert looks.startswith("AE looks most at a, D looks most at d,")
    shares = page.evaluate(
        f"[...{ROOT}.querySelectorAll('.looks span')].map(x => parseFloat(x.style.cssText.slice(5)))"
    )
    assert shares == pytest.approx([100 * share for row in second["looks"] for share in row], abs=0.06)


@pytest.mark.parametrize(
    ("typed", "answer"),
    [
        ("naïve", f"The model cannot read “ï” in “naïve”. {KNOWS}"),
        ("Ice Cream 2", f"The model cannot read a space and “2” in “ice cream 2”. {KNOWS}"),
        ("слово", f"The model cannot read “с”, “л”, “о” and “в” in “слово”. {KNOWS}"),
        ("  ", f"There is no word yet. Type one; the model reads it letter by letter. {KNOWS}"),
        ("a" * 41, "This word has 41 letters. The model reads at most 40."),
    ],
)
def test_a_word_that_cannot_be_read_is_told_so(open_page, typed, answer):
    page = open_page("pronouncer")
    assert try_word(page, typed) == answer
    assert page.get_by_role("textbox").get_attribute("aria-invalid") == "true"
    assert sentence(page) == OPENING
    page.get_by_role("button", name="Reset").click()
    assert page.get_by_role("alert").inner_text() == ""


def test_a_page_opened_from_a_file_says_what_is_needed(open_page):
    page = open_page("pronouncer")
    assert "run “make serve”" in try_word(page, "cat")
    assert sentence(page) == OPENING


def test_keyboard_only(open_page, tab_stops):
    page = open_page("pronouncer")
    assert tab_stops(page) <= 6
    page.keyboard.press("Tab")
    page.keyboard.press("ControlOrMeta+A")
    page.keyboard.type("cat!")
    page.keyboard.press("Enter")
    assert page.get_by_role("alert").inner_text() == f"The model cannot read “!” in “cat!”. {KNOWS}"
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowDown")
    assert sentence(page).startswith("The second pronunciation")


def test_show_as_table_holds_the_present_state(open_page):
    page = open_page("pronouncer")
    page.get_by_role("button", name="Show as table").click()
    found = page.get_by_role("table", name="adherence: pronunciations found").locator("tbody tr").all_inner_texts()
    assert found[0].split("\t") == ["AH D HH IH R AH N S", "−2.02", ".133"]
    steps = page.get_by_role("table", name="Beginnings after each sound").locator("tbody tr").all_inner_texts()
    assert steps[1].split("\t")[:3] == ["2", "AE D −.78", "AH D −1.11"]
    page.get_by_role("radio").nth(1).check()
    assert page.get_by_role("table", name="Where each sound of AE D HH").locator("tbody tr").count() == 9


def test_reduced_motion_and_two_on_a_page(open_page):
    page = open_page("pronouncer", "pronouncer", reduced_motion="reduce")
    page.get_by_role("radio").nth(1).check()
    first, second = page.locator(".sentence").all_inner_texts()
    assert first.startswith("The second")
    assert second == OPENING
    assert page.evaluate(f"{ROOT}.getAnimations().length") == 0


@pytest.mark.parametrize("width", [320, 390])
def test_phone(open_page, width):
    page = open_page("pronouncer", viewport={"width": width, "height": 844}, has_touch=True)
    page.get_by_role("button", name="Show as table").tap()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    wide = f"[...{ROOT}.querySelectorAll('.cell, .chip, form *')]"
    outside = f"{wide}.filter(n => n.getBoundingClientRect().right > {width - 15}).map(n => n.textContent)"
    assert page.evaluate(outside) == []
    heights = (
        f"[...{ROOT}.querySelectorAll('button, .chip, input[type=text]')].map(n => n.getBoundingClientRect().height)"
    )
    assert min(page.evaluate(heights)) >= 44


@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(open_page, violations, width, scheme):
    page = open_page("pronouncer", color_scheme=scheme, viewport={"width": width, "height": 900})
    page.get_by_role("button", name="Show as table").click()
    try_word(page, "naïve")
    page.wait_for_timeout(300)
    assert violations(page) == []
