"""The composer of rows in Chromium."""

import pytest

from qkv.figures import gpt_rows, pictures

ROOT = "document.querySelector('qkv-figure').shadowRoot"
OVERFLOWING = f"""[...{ROOT}.querySelectorAll("table, input, .strips")]
  .filter(n => n.getBoundingClientRect().right > 375).map(n => n.textContent.slice(0, 40))"""


def sentence(page):
    return page.locator(".sentence").inner_text()


def score(task="entailment", slots=14, last=False):
    return [pictures.short(x, 3) for x in gpt_rows.scores(task, *gpt_rows.TASKS[task], slots, last)]


def read_slots(page):
    return [int(each) for each in page.locator(".slot.read small").all_inner_texts()]


def test_opens_with_an_entailment_read_at_its_extract_token(open_page):
    page = open_page("composer")
    assert sentence(page) == f"One row, read at slot 10, where ⟨e⟩ stands: score {score()[0]}."
    assert page.locator(".slot.read").inner_text().startswith("⟨e⟩")
    assert page.locator(".slot").count() == 14
    assert page.locator(".slot.pad").count() == 3
    assert page.locator(".slot.guessed").count() == 10


def test_surprise_the_last_slot_follows_the_batch_and_the_extract_token_does_not(open_page):
    page = open_page("composer")
    slider = page.get_by_role("slider")
    slider.focus()
    before = sentence(page)
    page.keyboard.press("ArrowRight")
    assert sentence(page) == before
    page.get_by_role("button", name="Read at the last slot").click()
    assert read_slots(page) == [14]
    assert f"score {score(slots=15, last=True)[0]}. That is padding" in sentence(page)
    slider.focus()
    page.keyboard.press("ArrowRight")
    assert f"score {score(slots=16, last=True)[0]}. That is padding" in sentence(page)


def test_each_task_has_its_rows(open_page):
    page = open_page("composer")
    for task, number in {"classification": 1, "similarity": 2, "multiple choice": 3, "entailment": 1}.items():
        page.get_by_role("radio", name=task).check()
        assert page.locator(".strip").count() == number
        assert len(read_slots(page)) == number
        assert page.locator("input[type=text]:visible").count() == (1 if task == "classification" else 2)


def test_both_orders_give_one_score_and_candidates_chances(open_page):
    page = open_page("composer")
    page.get_by_role("radio", name="similarity").check()
    before = page.locator(".title").inner_text()
    first, second = page.locator("input[type=text]").all()
    texts = gpt_rows.TASKS["similarity"]
    first.fill(texts[1])
    second.fill(texts[0])
    assert page.locator(".title").inner_text() == before
    page.get_by_role("radio", name="multiple choice").check()
    assert ", ".join(score("multiple choice")) in page.locator(".title").inner_text()
    assert sentence(page).startswith("3 rows, read where ⟨e⟩ stands in each row: chances")


def test_a_missing_text_is_asked_for(open_page):
    page = open_page("composer")
    page.get_by_label("hypothesis").fill("")
    assert sentence(page) == "Type a text in each box."
    page.get_by_role("button", name="Reset").click()
    assert sentence(page).endswith(f"score {score()[0]}.")


def test_keyboard_only(open_page, tab_stops):
    page = open_page("composer")
    assert tab_stops(page) <= 6
    for _ in range(5):
        page.keyboard.press("Tab")
    opening = sentence(page)
    page.keyboard.press("Enter")
    assert sentence(page) != opening


def test_show_as_table_follows_the_state(open_page):
    page = open_page("composer")
    page.get_by_role("button", name="Show as table").click()
    rows = page.get_by_role("table", name="Row 1").locator("tbody tr")
    assert rows.count() == 14
    assert "✓" in rows.nth(10).locator("td").nth(2).inner_text()
    page.get_by_role("button", name="Read at the last slot").click()
    assert "✓" in page.get_by_role("table", name="Row 1").locator("tbody tr").nth(13).inner_text()


def test_spoken_once_after_a_rest(open_page):
    page = open_page("composer")
    page.get_by_label("premise").fill("it is a very long premise")
    spoken = page.get_by_role("status")
    assert spoken.inner_text() == ""
    page.wait_for_timeout(700)
    assert spoken.inner_text() == sentence(page)


def test_phone(open_page):
    page = open_page("composer", viewport={"width": 390, "height": 844}, has_touch=True)
    page.get_by_role("radio", name="multiple choice").check()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert page.evaluate(OVERFLOWING) == []


def test_two_on_a_page_do_not_disturb_each_other(open_page):
    page = open_page("composer", "composer")
    first, second = page.locator("qkv-figure").all()
    before = second.locator(".sentence").inner_text()
    first.get_by_role("radio", name="similarity").check()
    assert first.locator(".strip").count() == 2
    assert second.locator(".sentence").inner_text() == before


@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(open_page, violations, width, scheme):
    page = open_page("composer", color_scheme=scheme, viewport={"width": width, "height": 900})
    page.get_by_role("button", name="Show as table").click()
    page.wait_for_timeout(300)
    assert violations(page) == []
