"""The clock in Chromium."""

import pytest

ROOT = "document.querySelector('qkv-figure').shadowRoot"
OVERFLOWING = f"""[...{ROOT}.querySelectorAll("table, .dials, .map, li, select")]
  .filter(n => n.getBoundingClientRect().right > 375).map(n => n.textContent.slice(0, 40))"""
OPENING = "The formula keeps all five promises. Rows 5 and 8 have the dot product 5.54."


def sentence(page):
    return page.locator(".sentence").inner_text()


def slide(page, name, times, key="ArrowRight"):
    page.get_by_role("slider", name=name).focus()
    for _ in range(times):
        page.keyboard.press(key)


def choose(page, version):
    page.get_by_role("combobox", name="table built with").select_option(version)


def signs(page):
    return "".join(page.locator("li b").all_inner_texts())


def test_opens_with_the_formula_and_five_promises_kept(open_page):
    page = open_page("clock")
    assert sentence(page) == OPENING
    assert signs(page) == "✓✓✓✓✓"
    assert page.locator(".dials svg").count() == 8
    assert page.locator(".map g rect").count() == 64 * 16


def test_surprise_a_doubled_exponent_breaks_the_last_promise_only(open_page):
    page = open_page("clock")
    choose(page, "doubled exponent")
    assert signs(page) == "✓✓✓✓✗"
    assert sentence(page).startswith("“doubled exponent” keeps 4 of 5 promises, not the fifth.")


@pytest.mark.parametrize(
    ("version", "expected"),
    [
        ("cosine's own exponent", "✗✗✗✓✗"),
        ("not interleaved", "✓✗✓✗✗"),
        ("base 1000", "✓✓✓✓✗"),
        ("starts at 1", "✓✓✓✗✗"),
    ],
)
def test_each_mistake_breaks_its_own_promises(open_page, version, expected):
    page = open_page("clock")
    choose(page, version)
    assert signs(page) == expected


def test_the_dot_product_is_the_same_wherever_the_step_begins(open_page):
    page = open_page("clock")
    slide(page, "position", 7)
    assert sentence(page).endswith("Rows 12 and 15 have the dot product 5.54.")
    slide(page, "offset", 2)
    assert "Rows 12 and 17" in sentence(page)
    assert not sentence(page).endswith("5.54.")


def test_the_outlined_rows_follow_the_sliders(open_page):
    page = open_page("clock")
    slide(page, "position", 2)
    assert [mark.get_attribute("y") for mark in page.locator(".mark").all()] == ["10", "7"]
    label = page.locator(".map").get_attribute("aria-label")
    assert label == "The table, formula: 64 positions by 16 columns, rows 7 and 10 outlined."


def test_keyboard_only(open_page, tab_stops):
    page = open_page("clock")
    assert tab_stops(page) <= 6
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowRight")
    assert "Rows 6 and 9" in sentence(page)
    page.keyboard.press("Tab")
    page.keyboard.press("End")
    assert "Rows 6 and 26" in sentence(page)
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowDown")
    assert sentence(page).startswith("“doubled exponent”")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert sentence(page) == OPENING


def test_show_as_table_follows_the_state(open_page):
    page = open_page("clock")
    page.get_by_role("button", name="Show as table").click()
    rows = page.get_by_role("table", name="Hands at 5 and 8, formula").locator("tbody tr").all_inner_texts()
    assert [float(row.split("\t")[-1]) for row in rows][:3] == pytest.approx([3, 0.949, 0.3], abs=5e-4)
    choose(page, "starts at 1")
    kept = page.get_by_role("table", name="Promises").locator("tbody tr").all_inner_texts()
    assert [row.split("\t")[1] for row in kept] == ["✓ yes"] * 3 + ["✗ no"] * 2


def test_spoken_once_after_a_long_slide(open_page):
    page = open_page("clock")
    slide(page, "position", 5)
    spoken = page.get_by_role("status")
    assert spoken.inner_text() == ""
    page.wait_for_timeout(700)
    assert spoken.inner_text().endswith("Rows 10 and 13 have the dot product 5.54.")


def test_reduced_motion_shows_the_old_number_and_moves_nothing(open_page):
    page = open_page("clock", reduced_motion="reduce")
    slide(page, "offset", 1)
    assert page.locator(".dials s").count() > 0
    assert page.evaluate(f"{ROOT}.getAnimations().length") == 0


def test_phone(open_page):
    page = open_page("clock", viewport={"width": 390, "height": 844}, has_touch=True)
    page.get_by_role("button", name="Show as table").tap()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert page.evaluate(OVERFLOWING) == []


def test_two_on_a_page_do_not_disturb_each_other(open_page):
    page = open_page("clock", "clock")
    first, second = page.locator("qkv-figure").all()
    first.get_by_role("combobox").select_option("base 1000")
    assert first.locator(".sentence").inner_text().startswith("“base 1000”")
    assert second.locator(".sentence").inner_text() == OPENING


@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(open_page, violations, width, scheme):
    page = open_page("clock", color_scheme=scheme, viewport={"width": width, "height": 900})
    page.get_by_role("button", name="Show as table").click()
    choose(page, "cosine's own exponent")
    page.wait_for_timeout(300)
    assert violations(page) == []
