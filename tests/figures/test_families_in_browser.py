"""The four masks in Chromium."""

import pytest

from qkv.figures import reading

ROOT = "document.querySelector('qkv-figure').shadowRoot"
OVERFLOWING = f"""[...{ROOT}.querySelectorAll("table, svg, li, .grid, .cell, .chip")]
  .filter(n => n.getBoundingClientRect().right > 375).map(n => n.textContent.slice(0, 40))"""
CROPPED = (
    f"[...{ROOT}.querySelectorAll('.head, .side')].filter(n => n.scrollWidth > n.clientWidth).map(n => n.textContent)"
)
OPENING = "Encoder-only: cat may read sleeps: everything is open."


def sentence(page):
    return page.locator(".sentence").inner_text()


def choose(page, family):
    page.get_by_role("radio", name=family, exact=True).check(force=True)


def cell(page, reader, read):
    return page.get_by_role("gridcell", name=f"{reader} reads {read}:")


def signs(page):
    return [
        [sign == "■" for sign in signs]
        for signs in zip(*[iter(page.locator(".cell").all_inner_texts())] * 6, strict=True)
    ]


def fits(page):
    return tuple(page.locator("li small").all_inner_texts())


def test_opens_on_a_cell_that_reads_ahead(open_page):
    page = open_page("families")
    assert sentence(page) == OPENING
    assert page.locator("svg").get_attribute("aria-label") == "cat reads the, cat, sleeps, le, chat, dort."


@pytest.mark.parametrize("family", reading.FAMILIES)
def test_each_family_shows_its_mask_and_its_tasks(open_page, family):
    page = open_page("families")
    choose(page, family)
    assert signs(page) == reading.mask(family).tolist()
    assert fits(page) == reading.FAMILIES[family].fit


def test_surprise_from_prefix_to_two_stacks_no_cell_moves(open_page):
    page = open_page("families")
    choose(page, "prefix")
    assert page.locator(".cell.new").count() == 12
    choose(page, "encoder–decoder")
    assert page.locator(".cell.new").count() == 0
    assert sentence(page).endswith("From prefix, no cells changed.")


def test_pointing_at_a_cell_says_whether_it_may_be_read(open_page):
    page = open_page("families")
    choose(page, "decoder-only")
    cell(page, "le", "chat").hover()
    assert sentence(page) == "Decoder-only: le may not read chat: it comes later."
    cell(page, "chat", "chat").hover()
    assert sentence(page) == "Decoder-only: chat may read itself."


def test_keyboard_only(open_page, tab_stops):
    page = open_page("families")
    assert tab_stops(page) <= 6
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowRight")
    assert sentence(page).startswith("Decoder-only: cat may not read sleeps: it comes later.")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowDown")
    assert sentence(page) == "Decoder-only: sleeps may read itself."
    page.keyboard.press("ArrowRight")
    assert sentence(page) == "Decoder-only: sleeps may not read le: it comes later."
    page.get_by_role("button", name="Reset").click()
    assert sentence(page) == OPENING


def test_show_as_table_follows_the_state(open_page):
    page = open_page("families")
    page.get_by_role("button", name="Show as table").click()
    choose(page, "prefix")
    rows = page.get_by_role("table", name="Who may read whom, prefix").locator("tbody tr").all_inner_texts()
    found = [[each == "yes" for each in row.split("\t")[1:]] for row in rows]
    assert found == reading.mask("prefix").tolist()


def test_spoken_after_a_walk(open_page):
    page = open_page("families")
    cell(page, "cat", "sleeps").focus()
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    page.wait_for_timeout(700)
    assert page.get_by_role("status").inner_text() == "Encoder-only: cat may read dort: everything is open."


def test_phone(open_page):
    page = open_page("families", viewport={"width": 390, "height": 844}, has_touch=True)
    page.get_by_role("button", name="Show as table").tap()
    cell(page, "dort", "the").tap()
    assert sentence(page) == "Encoder-only: dort may read the: everything is open."
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert page.evaluate(OVERFLOWING) == []
    assert page.evaluate(CROPPED) == []


def test_two_on_a_page_do_not_disturb_each_other(open_page):
    page = open_page("families", "families")
    first, second = page.locator("qkv-figure").all()
    first.get_by_role("radio", name="decoder-only").check(force=True)
    assert first.locator(".sentence").inner_text().startswith("Decoder-only")
    assert second.locator(".sentence").inner_text() == OPENING


@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(open_page, violations, width, scheme):
    page = open_page("families", color_scheme=scheme, viewport={"width": width, "height": 900})
    page.get_by_role("button", name="Show as table").click()
    choose(page, "encoder–decoder")
    page.wait_for_timeout(700)
    assert violations(page) == []
