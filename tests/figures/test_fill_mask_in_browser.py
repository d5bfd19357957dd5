"""The gap filler in Chromium, before its model is loaded; a page opened from a file never loads it."""

import pytest

from qkv.figures import gaps
from qkv.text.wordpiece import WordPiece

ROOT = "document.querySelector('qkv-figure').shadowRoot"
OPENING = "In the gap the model expects “out” (.703), then “down”, “back”, “up” and “on”."
STRIP = ".strip .row button"


def sentence(page):
    return page.locator(".sentence").inner_text()


def fill(page, text):
    page.get_by_role("textbox", name="A text with [MASK]").fill(text)
    page.get_by_role("button", name="Fill", exact=True).click()
    return page.get_by_role("alert").inner_text()


def test_opens_with_what_the_library_expects(open_page):
    page = open_page("fill_mask")
    assert sentence(page) == OPENING
    assert page.locator(STRIP).all_inner_texts() == WordPiece.from_pretrained("bert").tokens(gaps.EXAMPLES[0])
    ((*best,),) = gaps.expected(gaps.EXAMPLES[0])
    assert page.locator(".best b").all_inner_texts() == [piece for piece, _ in best]
    widths = page.evaluate(f"[...{ROOT}.querySelectorAll('.track span')].map(bar => parseFloat(bar.style.width))")
    assert widths == pytest.approx([100 * chance for _, chance in best], abs=0.01)


def test_surprise_the_words_behind_the_gap_change_the_guess(open_page):
    page = open_page("fill_mask")
    page.get_by_role("button", name=gaps.EXAMPLES[1]).click()
    assert sentence(page).startswith("In the gap the model expects “on” (.181), then “to”, “into”,")
    assert page.get_by_role("textbox").input_value() == gaps.EXAMPLES[1]


def test_every_example_is_answered_without_the_model(open_page):
    page = open_page("fill_mask")
    for text in gaps.EXAMPLES:
        page.get_by_role("button", name=text).click()
        expected = gaps.expected(text)
        assert page.locator(".best b").all_inner_texts() == [piece for gap in expected for piece, _ in gap]
        assert page.locator(".gaps .title").count() == len(expected) == text.count("[MASK]")
    page.get_by_role("button", name="Reset").click()
    assert sentence(page) == OPENING


def test_two_gaps_are_numbered_and_guessed_alone(open_page):
    page = open_page("fill_mask")
    page.get_by_role("button", name=gaps.EXAMPLES[3]).click()
    assert page.locator(STRIP).all_inner_texts()[1:3] == ["[MASK] 1", "[MASK] 2"]
    assert sentence(page).endswith("Each is guessed alone, with all gaps open.")


def test_a_page_opened_from_a_file_says_what_is_needed_and_stays_as_it_is(open_page):
    page = open_page("fill_mask")
    assert "run “make serve”" in fill(page, "A [MASK].")
    assert sentence(page) == OPENING
    page.get_by_role("button", name="Reset").click()
    assert page.get_by_role("alert").inner_text() == ""
    page.get_by_role("button", name="went: hide it").click()
    assert "run “make serve”" in page.get_by_role("alert").inner_text()
    assert page.locator(STRIP).all_inner_texts()[:3] == ["he", "went", "[MASK]"]
    assert page.get_by_role("textbox").get_attribute("aria-invalid") == "true"


def test_no_text_is_told_so(open_page):
    page = open_page("fill_mask")
    assert fill(page, "  ") == "There is no text yet. Write a line with [MASK] where a word is missing."
    assert sentence(page) == OPENING


def test_says_what_it_is_and_how_much_it_loads(open_page):
    page = open_page("fill_mask")
    words = page.locator("qkv-figure .figure").inner_text().replace("\n", " ")
    assert gaps.about().replace("\u00a0", " ") in words.replace("\u00a0", " ")
    assert "26.7" in gaps.about()
    assert f"about {gaps.MEGABYTES} MB" in words


def test_keyboard_only(open_page):
    page = open_page("fill_mask")
    stops = 0
    while stops < 9:
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement === document.body"):
            break
        stops += 1
    assert stops == 5
    for _ in range(3):
        page.keyboard.press("Tab")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    assert page.get_by_role("textbox").input_value() == gaps.EXAMPLES[1]
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowRight")
    assert page.evaluate(f"{ROOT}.activeElement.textContent") == "went"
    page.keyboard.press("Enter")
    assert "run “make serve”" in page.get_by_role("alert").inner_text()
    assert page.evaluate(f"{ROOT}.activeElement.textContent") == "went"


def test_show_as_table_holds_the_present_state(open_page):
    page = open_page("fill_mask")
    page.get_by_role("button", name="Show as table").click()
    rows = page.get_by_role("table", name="The gap").locator("tbody tr").all_inner_texts()
    assert [row.split("\t")[0] for row in rows] == ["out", "down", "back", "up", "on"]
    page.get_by_role("button", name=gaps.EXAMPLES[3]).click()
    assert page.get_by_role("table").count() == 2
    assert page.get_by_role("table", name="Gap 2").locator("tbody tr").first.inner_text().startswith("##s\t.115")


def test_spoken_once_after_several_examples(open_page):
    page = open_page("fill_mask")
    for text in gaps.EXAMPLES[1:3]:
        page.get_by_role("button", name=text).click()
    spoken = page.locator("p.hidden[role=status]")
    assert spoken.inner_text() == ""
    page.wait_for_timeout(700)
    assert spoken.inner_text() == sentence(page)


def test_two_on_a_page_do_not_disturb_each_other(open_page):
    page = open_page("fill_mask", "fill_mask", reduced_motion="reduce")
    first, second = page.locator("qkv-figure").all()
    first.get_by_role("button", name=gaps.EXAMPLES[2]).click()
    assert "“she”" in first.locator(".sentence").inner_text()
    assert second.locator(".sentence").inner_text() == OPENING


def test_beside_the_pronouncer(open_page):
    page = open_page("pronouncer", "fill_mask")
    assert page.locator(".sentence").all_inner_texts()[1] == OPENING


@pytest.mark.parametrize("width", [320, 390])
def test_phone(open_page, width):
    page = open_page("fill_mask", viewport={"width": width, "height": 844}, has_touch=True)
    page.get_by_role("button", name="Show as table").tap()
    for text in gaps.EXAMPLES:
        page.get_by_role("button", name=text).tap()
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        wide = f"[...{ROOT}.querySelectorAll('button, form *, .best *, td')]"
        outside = f"{wide}.filter(n => n.getBoundingClientRect().right > {width - 15}).map(n => n.textContent)"
        assert page.evaluate(outside) == []
    heights = f"[...{ROOT}.querySelectorAll('button, input')].map(n => n.getBoundingClientRect().height)"
    assert min(page.evaluate(heights)) >= 44


@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(open_page, violations, width, scheme):
    page = open_page("fill_mask", color_scheme=scheme, viewport={"width": width, "height": 900})
    page.get_by_role("button", name="Show as table").click()
    page.get_by_role("button", name=gaps.EXAMPLES[3]).click()
    fill(page, " ")
    page.wait_for_timeout(300)
    assert violations(page) == []
