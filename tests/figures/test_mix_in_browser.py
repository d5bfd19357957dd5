"""The mix of layers in Chromium."""

import pytest

from qkv.figures import banks

ROOT = "document.querySelector('qkv-figure').shadowRoot"
OVERFLOWING = f"""[...{ROOT}.querySelectorAll("table, svg, li, input")]
  .filter(n => n.getBoundingClientRect().right > 375).map(n => n.textContent.slice(0, 40))"""


def agreeing(shares):
    return f"for {banks.same_sense(banks.layers(), shares)} of 10 banks the nearest other bank means the same."


def sentence(page):
    return page.locator(".sentence").inner_text()


def slide(page, name, key, times=1):
    page.get_by_role("slider", name=name).focus()
    for _ in range(times):
        page.keyboard.press(key)


def test_opens_with_even_shares(open_page):
    page = open_page("mix")
    assert sentence(page) == f"Shares .33, .33, .33, γ 1: {agreeing([1 / 3] * 3)}"
    assert page.locator("circle").count() == page.locator("rect").count() == 5
    assert page.locator("li").count() == 10


def test_surprise_the_token_layer_alone_is_one_point(open_page):
    page = open_page("mix")
    slide(page, "token layer", "End")
    slide(page, "layer 1", "Home")
    slide(page, "layer 2", "Home")
    assert sentence(page).startswith("Shares 1, 0, 0, γ 1:")
    places = {group.get_attribute("transform") for group in page.locator("svg g").all()}
    middles = [tuple(map(float, place[10:-1].split())) for place in places]
    assert all(abs(x - 150) < 1 and abs(y - 150) < 1 for x, y in middles)


def test_gamma_moves_every_point_and_changes_no_sign(open_page):
    page = open_page("mix")
    before = [node.get_attribute("transform") for node in page.locator("svg g").all()]
    signs = page.locator("li b").all_inner_texts()
    slide(page, "γ", "End")
    after = [node.get_attribute("transform") for node in page.locator("svg g").all()]
    assert all(one != two for one, two in zip(before, after, strict=True))
    assert page.locator("li b").all_inner_texts() == signs
    assert "γ 2:" in sentence(page)


def test_the_signs_add_up_to_the_sentence(open_page):
    page = open_page("mix")
    slide(page, "layer 1", "End")
    found = page.locator("li b").all_inner_texts().count("✓")
    assert f"for {found} of 10 banks" in sentence(page)


def test_keyboard_only(open_page, tab_stops):
    page = open_page("mix")
    opening = sentence(page)
    assert tab_stops(page) <= 6
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowRight")
    assert sentence(page) != opening
    for _ in range(4):
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert sentence(page) == opening


def test_show_as_table_follows_the_state(open_page):
    page = open_page("mix")
    page.get_by_role("button", name="Show as table").click()
    rows = page.get_by_role("table", name="The ten banks under this mix").locator("tbody tr")
    assert rows.count() == 10
    before = rows.all_inner_texts()
    slide(page, "γ", "End")
    assert rows.all_inner_texts() != before


def test_spoken_once_after_a_long_slide(open_page):
    page = open_page("mix")
    slide(page, "layer 2", "ArrowRight", 5)
    spoken = page.get_by_role("status")
    assert spoken.inner_text() == ""
    page.wait_for_timeout(700)
    assert spoken.inner_text() == sentence(page)


def test_the_picture_says_what_it_shows(open_page):
    page = open_page("mix")
    slide(page, "layer 1", "ArrowRight", 2)
    assert page.locator("svg").get_attribute("aria-label") == f"Ten banks in the plane. {sentence(page)}"


def test_phone(open_page):
    page = open_page("mix", viewport={"width": 390, "height": 844}, has_touch=True)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert page.evaluate(OVERFLOWING) == []


def test_two_on_a_page_do_not_disturb_each_other(open_page):
    page = open_page("mix", "mix")
    first, second = page.locator("qkv-figure").all()
    before = second.locator(".sentence").inner_text()
    first.get_by_role("slider", name="γ").focus()
    page.keyboard.press("End")
    assert "γ 2:" in first.locator(".sentence").inner_text()
    assert second.locator(".sentence").inner_text() == before


@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(open_page, violations, width, scheme):
    page = open_page("mix", color_scheme=scheme, viewport={"width": width, "height": 900})
    page.get_by_role("button", name="Show as table").click()
    page.wait_for_timeout(300)
    assert violations(page) == []
