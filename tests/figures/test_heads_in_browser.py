"""The heads in Chromium."""

import math

import pytest

ROOT = "document.querySelector('qkv-figure').shadowRoot"
LOSS_BAR = f"parseFloat({ROOT}.querySelector('.loss .box').style.getPropertyValue('--is'))"
OPENING = "Silent: 1 (who). For left, who is cat, what is mat. Loss .036 nats, .018 more than with all heads."


def sentence(page):
    return page.locator(".sentence").inner_text()


def head(page, number, asks):
    return page.get_by_role("switch", name=f"Head {number}: {asks}")


def test_opens_with_one_head_silent_and_hardly_anything_lost(open_page):
    page = open_page("heads")
    assert sentence(page) == OPENING
    assert [one.get_attribute("aria-checked") for one in page.get_by_role("switch").all()] == ["false", "true", "true"]
    assert page.locator(".off").count() == 1
    assert page.locator(".gives").all_inner_texts() == ["hands over (0, 0)", "hands over (10, 0)", "hands over (0, 10)"]


def test_surprise_the_other_who_head_takes_the_loss_to_a_guess(open_page):
    page = open_page("heads")
    before = page.evaluate(LOSS_BAR)
    head(page, 2, "who").click()
    assert sentence(page).startswith("Silent: 1 (who) and 2 (who). For left, who is a guess, what is mat. Loss .711")
    assert before == pytest.approx(100 * 0.0363 / math.log(4), abs=0.1)
    assert page.evaluate(LOSS_BAR) == pytest.approx(100 * 0.7113 / math.log(4), abs=0.1)
    head(page, 1, "who").click()
    assert page.evaluate(LOSS_BAR) == pytest.approx(before, abs=0.01)


def test_the_other_sentence_moves_the_weights_and_not_the_loss(open_page):
    page = open_page("heads")
    page.get_by_role("radio", name="The mat left the cat.").check()
    assert sentence(page) == OPENING.replace("who is cat, what is mat", "who is mat, what is cat")
    assert page.locator(".gives").all_inner_texts()[1:] == ["hands over (0, 10)", "hands over (10, 0)"]
    assert page.get_by_role("img").nth(1).get_attribute("aria-label").endswith("left gives mat 1, left 0, cat 0.")


def test_keyboard_only(open_page, tab_stops):
    page = open_page("heads")
    assert tab_stops(page) <= 6
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Space")
    assert "who is a guess, what is mat" in sentence(page)
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    assert "Loss 1.386 nats" in sentence(page)
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert sentence(page) == OPENING


def test_show_as_table_holds_the_present_state(open_page):
    page = open_page("heads")
    page.get_by_role("button", name="Show as table").click()
    silent = page.get_by_role("table", name="Head 1: who, silent").locator("tbody tr").all_inner_texts()
    assert [row.split("\t") for row in silent] == [
        ["cat", ".33", ".33", ".33", "(0, 0)"],
        ["left", "1", "0", "0", "(0, 0)"],
        ["mat", ".33", ".33", ".33", "(0, 0)"],
    ]
    head(page, 2, "who").click()
    answers = page.get_by_role("table", name="Answers for left; loss .711 nats").locator("tbody tr").all_inner_texts()
    assert [row.split("\t") for row in answers] == [["who", ".5", ".5"], ["what", ".018", ".982"]]


def test_spoken_once_after_rest(open_page):
    page = open_page("heads")
    head(page, 1, "who").click()
    head(page, 3, "what").click()
    spoken = page.get_by_role("status")
    assert spoken.inner_text() == ""
    page.wait_for_timeout(700)
    assert spoken.inner_text().startswith("Silent: 3 (what). For left, who is cat, what is a guess.")


def test_reduced_motion(open_page):
    page = open_page("heads", reduced_motion="reduce")
    head(page, 2, "who").click()
    assert page.locator(".result s").count() > 0, "the old number stays beside the new one"
    assert page.evaluate(f"{ROOT}.getAnimations().length") == 0


def test_two_on_a_page_are_apart(open_page):
    page = open_page("heads", "heads")
    page.get_by_role("switch", name="Head 2: who").first.click()
    first, second = page.locator(".sentence").all_inner_texts()
    assert "guess" in first
    assert second == OPENING


def test_phone(open_page):
    page = open_page("heads", viewport={"width": 390, "height": 844}, has_touch=True)
    page.get_by_role("button", name="Show as table").tap()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    wide = f"[...{ROOT}.querySelectorAll('.card, table, .loss, .ticks span')]"
    assert page.evaluate(f"{wide}.filter(n => n.getBoundingClientRect().right > 375).map(n => n.textContent)") == []
    sizes = page.evaluate(f"[...{ROOT}.querySelectorAll('button')].map(n => n.getBoundingClientRect().height)")
    assert min(sizes) >= 44


@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(open_page, violations, width, scheme):
    page = open_page("heads", color_scheme=scheme, viewport={"width": width, "height": 900})
    page.get_by_role("button", name="Show as table").click()
    page.wait_for_timeout(300)
    assert violations(page) == []
    head(page, 2, "who").click()
    page.wait_for_timeout(300)
    assert violations(page) == []
