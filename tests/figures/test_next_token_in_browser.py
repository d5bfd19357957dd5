"""The explorer of next tokens in Chromium."""

import pytest

from qkv.figures import gpt_rows

ROOT = "document.querySelector('qkv-figure').shadowRoot"
OVERFLOWING = f"""[...{ROOT}.querySelectorAll("table, .row, input, .chip")]
  .filter(n => n.getBoundingClientRect().right > 375).map(n => n.textContent.slice(0, 40))"""


def sentence(page):
    return page.locator(".sentence").inner_text()


def left(beginning, temperature=1.0, top_k=None, top_p=0.9):
    return int((gpt_rows.odds(beginning, temperature, top_k, top_p) > 0).sum())


def slide(page, name, key, times=1):
    page.get_by_role("slider", name=name).focus()
    for _ in range(times):
        page.keyboard.press(key)


def says(page, number):
    return sentence(page).split(": ")[1].startswith("one token is left" if number == 1 else f"{number} tokens")


def test_opens_where_the_model_is_sure(open_page):
    page = open_page("next_token")
    assert sentence(page).startswith("T 1, no k, p .9: ")
    assert says(page, left(0))
    assert page.locator(".row").count() == 13


def test_surprise_the_same_p_leaves_more_after_another_beginning_and_the_same_k_does_not(open_page):
    page = open_page("next_token")
    page.get_by_role("radio", name=gpt_rows.BEGINNINGS[1]).check()
    assert left(1) > 10 * left(0)
    assert says(page, left(1))
    slide(page, "top-p", "End")
    slide(page, "top-k", "Home")
    slide(page, "top-k", "ArrowRight", 4)
    for beginning in gpt_rows.BEGINNINGS:
        page.get_by_role("radio", name=beginning).check()
        assert "k 10, p 1: 10 tokens" in sentence(page)


def test_a_temperature_moves_every_odd_and_p_keeps_more(open_page):
    page = open_page("next_token")
    page.get_by_role("radio", name=gpt_rows.BEGINNINGS[2]).check()
    slide(page, "temperature", "ArrowRight", 10)
    assert sentence(page).startswith("T 2, ")
    assert says(page, left(2, 2.0))
    assert left(2, 2.0) > left(2)


def test_what_is_cut_is_marked_in_words(open_page):
    page = open_page("next_token")
    slide(page, "top-p", "End")
    slide(page, "top-k", "Home")
    assert page.locator(".row.cut").count() == 12
    assert page.locator(".row.cut").first.inner_text().endswith("cut")


def test_draws_change_and_keep_to_the_cut(open_page):
    page = open_page("next_token")
    page.get_by_role("radio", name=gpt_rows.BEGINNINGS[2]).check()
    button = page.get_by_role("button", name="Draw ten")
    button.click()
    first = page.locator(".drawn").inner_text()
    assert first.count("“") == 10
    button.click()
    assert page.locator(".drawn").inner_text() != first
    slide(page, "top-k", "Home")
    button.click()
    best = gpt_rows.next_token_data()["beginnings"][2]["tokens"][0]
    assert page.locator(".drawn").inner_text().count(f"“{best}”") == 10


def test_keyboard_only(open_page, tab_stops):
    page = open_page("next_token")
    opening = sentence(page)
    assert tab_stops(page) <= 6
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowDown")
    assert sentence(page) != opening
    for _ in range(4):
        page.keyboard.press("Tab")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    assert sentence(page) == opening


def test_show_as_table_follows_the_state(open_page):
    page = open_page("next_token")
    page.get_by_role("radio", name=gpt_rows.BEGINNINGS[2]).check()  # where many tokens may come next
    page.get_by_role("button", name="Show as table").click()
    rows = page.get_by_role("table", name="The best tokens").locator("tbody tr")
    assert rows.count() == 13
    before = rows.all_inner_texts()
    slide(page, "temperature", "ArrowRight", 3)
    assert rows.all_inner_texts() != before


def test_spoken_once_after_a_long_slide(open_page):
    page = open_page("next_token")
    slide(page, "temperature", "ArrowRight", 4)
    spoken = page.get_by_role("status")
    assert spoken.inner_text() == ""
    page.wait_for_timeout(700)
    assert spoken.inner_text() == sentence(page)


def test_phone(open_page):
    page = open_page("next_token", viewport={"width": 390, "height": 844}, has_touch=True)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert page.evaluate(OVERFLOWING) == []


def test_two_on_a_page_do_not_disturb_each_other(open_page):
    page = open_page("next_token", "next_token")
    first, second = page.locator("qkv-figure").all()
    before = second.locator(".sentence").inner_text()
    first.get_by_role("slider", name="temperature").focus()
    page.keyboard.press("End")
    assert first.locator(".sentence").inner_text().startswith("T 3, ")
    assert second.locator(".sentence").inner_text() == before


@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(open_page, violations, width, scheme):
    page = open_page("next_token", color_scheme=scheme, viewport={"width": width, "height": 900})
    page.get_by_role("button", name="Show as table").click()
    page.wait_for_timeout(300)
    assert violations(page) == []
