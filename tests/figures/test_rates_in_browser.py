"""The map of learning rates in Chromium."""

import re

import pytest

from qkv.figures.rates import GROUPS, Rates

ROOT = "document.querySelector('qkv-figure').shadowRoot"
OVERFLOWING = f"""[...{ROOT}.querySelectorAll(".controls, .map, ol li, svg")]
  .filter(n => n.getBoundingClientRect().right > 375).map(n => n.textContent.slice(0, 40))"""
OPENING = (
    "At step 50 of 100, layer 2 learns with .0842 of the peak rate; its largest rate in the run is .1002. "
    "One-cycle would stand at .75."
)


def sentence(page):
    return page.locator(".sentence").inner_text()


def slide(page, name, times, key="ArrowRight"):
    page.get_by_role("slider", name=name).focus()
    for _ in range(times):
        page.keyboard.press(key)


def heat_map(page):
    return page.get_by_role("application")


def workings(page):
    return page.get_by_role("list", name="How the value comes about").locator("li").all_inner_texts()


def test_opens_with_the_papers_numbers_on_a_hundred_steps(open_page):
    page = open_page("rates")
    assert sentence(page) == OPENING
    assert page.locator(".cells g > *").count() == 5 * 101
    frozen = sum(not Rates().learns(level, step) for level in range(5) for step in range(101))
    assert page.locator(".cells g > path").count() == frozen


def test_a_click_gives_the_value_and_the_sum_that_makes_it(open_page):
    page = open_page("rates")
    frame = page.locator(".cells svg").bounding_box()
    heat_map(page).click(position={"x": frame["width"] * 42.5 / 101, "y": frame["height"] * 1.5 / 5})
    assert sentence(page).startswith("At step 42 of 100, layer 3 learns with .2521")
    assert workings(page)[-1] == "epoch 2: unfrozen since epoch 1, × 1"
    assert "(1 + .6444 · (32 − 1)) / 32 = .6556" in workings(page)[2]


def test_surprise_at_the_peak_the_head_learns_alone(open_page):
    page = open_page("rates")
    heat_map(page).focus()
    page.keyboard.press("Home")
    page.keyboard.press("PageUp")
    for name in GROUPS[2:4]:
        assert sentence(page).startswith(f"At step 10 of 100, {name} is frozen")
        page.keyboard.press("ArrowUp")
    assert sentence(page).startswith("At step 10 of 100, head learns with 1 of the peak rate")


def test_where_the_published_formula_goes_negative(open_page):
    page = open_page("rates")
    slide(page, "T =", 1, "ArrowLeft")
    heat_map(page).focus()
    page.keyboard.press("End")
    assert sentence(page).startswith("At step 99 of 99")
    assert "stopped at 0" in workings(page)[1]
    assert re.fullmatch(r"As published p is −\.\d+ and the triangle −\.\d+\.", workings(page)[-1])


def test_a_short_run_starts_at_its_peak(open_page):
    page = open_page("rates")
    slide(page, "T =", 1, "Home")
    assert "= 0: the run starts at its peak" in workings(page)[0]
    assert "of 5," in sentence(page)


@pytest.mark.parametrize(
    ("name", "key", "expected"),
    [("cut_frac", "End", "cut_frac = .5"), ("ratio", "End", "ratio = 64"), ("factor", "Home", "factor = 1")],
)
def test_each_slider_says_its_value_and_changes_the_rates(open_page, name, key, expected):
    page = open_page("rates")
    slide(page, name, 1, key)
    assert page.get_by_text(expected, exact=True).count() == 1
    assert sentence(page) != OPENING


def test_without_gradual_unfreezing_nobody_is_frozen(open_page):
    page = open_page("rates")
    toggle = page.get_by_role("button", name="Gradual unfreezing")
    assert toggle.get_attribute("aria-pressed") == "true"
    toggle.click()
    assert toggle.get_attribute("aria-pressed") == "false"
    assert page.locator(".cells path").count() == 0
    assert workings(page)[-1] == "no group is frozen"


def test_keyboard_only(open_page, tab_stops):
    page = open_page("rates")
    assert tab_stops(page) <= 6
    for _ in range(5):
        page.keyboard.press("Tab")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    assert sentence(page) == OPENING  # Reset is the second button of the bar
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowDown")
    assert sentence(page).startswith("At step 51 of 100, layer 1 is frozen")


def test_show_as_table_follows_the_state(open_page):
    page = open_page("rates")
    page.get_by_role("button", name="Show as table").click()
    table = page.get_by_role("table", name="Rates, as shares of the peak")
    lines = [row.split("\t") for row in table.locator("tbody tr").all_inner_texts()]
    assert [line[0] for line in lines] == list(reversed(GROUPS))
    run = Rates()
    for line, level in zip(lines, reversed(range(5)), strict=True):
        for text, step in zip(line[1:], range(0, 101, 10), strict=True):
            found = 0.0 if text == "frozen" else float(text)
            assert found == pytest.approx(run.at(level, step), abs=5e-4)
    page.get_by_role("button", name="Gradual unfreezing").click()
    assert "frozen" not in table.inner_text()


def test_spoken_once_after_a_long_slide(open_page):
    page = open_page("rates")
    slide(page, "factor", 5)
    spoken = page.get_by_role("status")
    assert spoken.inner_text() == ""
    page.wait_for_timeout(700)
    assert spoken.inner_text() == sentence(page)


def test_phone(open_page):
    page = open_page("rates", viewport={"width": 390, "height": 844}, has_touch=True)
    page.get_by_role("button", name="Show as table").tap()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert page.evaluate(OVERFLOWING) == []


def test_two_on_a_page_do_not_disturb_each_other(open_page):
    page = open_page("rates", "rates")
    first, second = page.locator("qkv-figure").all()
    first.get_by_role("button", name="Gradual unfreezing").click()
    assert second.locator(".sentence").inner_text() == OPENING
    assert second.locator(".cells path").count() > 0


@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(open_page, violations, width, scheme):
    page = open_page("rates", color_scheme=scheme, viewport={"width": width, "height": 900})
    page.get_by_role("button", name="Show as table").click()
    page.wait_for_timeout(300)
    assert violations(page) == []
