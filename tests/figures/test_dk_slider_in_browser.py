"""The d_k slider in Chromium."""

import pytest

ROOT = "document.querySelector('qkv-figure').shadowRoot"
BRACKETS = f"[...{ROOT}.querySelectorAll('.bracket')].map(n => n.offsetWidth / n.parentNode.offsetWidth)"
OVERFLOWING = f"""[...{ROOT}.querySelectorAll("table, .chart")]
  .filter(n => n.getBoundingClientRect().right > 375).map(n => n.textContent.slice(0, 40))"""
MILLISECONDS_TO_OPEN = """() => {
  const figure = document.createElement("qkv-figure");
  figure.setAttribute("name", "dk_slider");
  const start = performance.now();
  document.querySelector("main").append(figure);
  return performance.now() - start;
}"""


def sentence(page):
    return page.locator(".sentence").inner_text()


def slide(page, times, key="ArrowRight"):
    page.get_by_role("slider").focus()
    for _ in range(times):
        page.keyboard.press(key)


def weights(page):
    return page.locator(".weights span").all_inner_texts()


OPENING = "d_k = 64, not scaled: the top key takes .96, entropy .18 of 2.08. Slope: median .037, mean .148."


def test_opens_at_64_not_scaled_with_one_word_taking_nearly_everything(open_page):
    page = open_page("dk_slider")
    assert page.get_by_role("slider", name="d_k").get_attribute("aria-valuetext") == "d_k = 64"
    assert sentence(page) == OPENING
    assert len(weights(page)) == 16, "both versions are always drawn"
    assert page.get_by_text("Draw 1 of 1500; seed 11.").is_visible()


def test_keyboard_only(open_page, tab_stops):
    page = open_page("dk_slider")
    assert tab_stops(page) <= 6
    slide(page, 2)
    assert sentence(page).startswith("d_k = 512, not scaled: the top key takes 1,")
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowRight")
    assert sentence(page).startswith("d_k = 512, divided by 22.63: the top key takes .")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert page.get_by_text("Draw 2 of 1500; seed 11.").is_visible()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    assert sentence(page) == OPENING


def test_surprise_the_median_vanishes_while_the_mean_grows(open_page):
    page = open_page("dk_slider")
    page.get_by_role("radio", name="q", exact=True).check()
    slide(page, 3, "ArrowLeft")
    slide(page, 1)
    said = {}
    for stop in (4, 16, 64, 256, 512):
        head, tail = sentence(page).split("Slope with respect to q: median ")
        assert head.startswith(f"d_k = {stop},")
        said[stop] = [float(number) for number in tail.rstrip(".").split(", mean ")]
        slide(page, 1)
    assert said[512][0] < said[4][0] / 50
    assert said[512][1] > 2 * said[4][1]


def test_two_to_the_fourth_can_be_counted_by_hand(open_page):
    page = open_page("dk_slider")
    slide(page, 2, "ArrowLeft")
    assert page.get_by_text("−4 −2 0 2 4 occur 1 : 4 : 6 : 4 : 1 of 16").is_visible()
    path = page.locator(".counts path").first.get_attribute("d")
    assert path.count("M") == 5


def test_bracket_is_the_spread_on_a_fixed_axis(open_page):
    page = open_page("dk_slider")
    page.wait_for_timeout(300)
    assert page.evaluate(BRACKETS) == pytest.approx([8 / 72, 1 / 72], abs=0.006)
    slide(page, 2)
    page.wait_for_timeout(300)
    assert page.evaluate(BRACKETS) == pytest.approx([22.63 / 72, 1 / 72], abs=0.006)


def test_hand_table(open_page):
    page = open_page("dk_slider")
    rows = page.get_by_role("table", name="By hand: two keys").locator("tbody tr").all_inner_texts()
    assert [row.split("\t") for row in rows] == [["0", ".25"], ["2", ".105"], ["4", ".018"], ["8", ".0003"]]


def test_show_as_table_holds_the_reference_values(open_page):
    page = open_page("dk_slider")
    page.get_by_role("button", name="Show as table").click()
    plain = page.get_by_role("table", name="not scaled: 1500 draws").locator("tbody tr").all_inner_texts()
    assert [row.split("\t")[0] for row in plain] == ["1", "4", "16", "64", "256", "512"]
    assert all(len(row.split("\t")) == 5 for row in plain)
    one = page.get_by_role("table", name="Draw 1 at d_k = 64").locator("tbody tr").all_inner_texts()
    assert sum(float(row.split("\t")[1]) for row in one) == pytest.approx(1, abs=1e-3)


def test_spoken_once_after_a_long_slide(open_page):
    page = open_page("dk_slider")
    slide(page, 5, "ArrowLeft")
    spoken = page.get_by_role("status")
    assert spoken.inner_text() == ""
    page.wait_for_timeout(700)
    assert spoken.inner_text().startswith("d_k = 1, not scaled:")


def test_reduced_motion(open_page):
    page = open_page("dk_slider", reduced_motion="reduce")
    slide(page, 1, "ArrowLeft")
    assert page.locator(".weights s").count() > 0
    assert page.evaluate("document.querySelector('qkv-figure').shadowRoot.getAnimations().length") == 0


def test_phone(open_page):
    page = open_page("dk_slider", viewport={"width": 390, "height": 844}, has_touch=True)
    page.get_by_role("button", name="Show as table").tap()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    overflowing = page.evaluate(OVERFLOWING)
    assert overflowing == []


@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(open_page, violations, width, scheme):
    page = open_page("dk_slider", color_scheme=scheme, viewport={"width": width, "height": 900})
    page.get_by_role("button", name="Show as table").click()
    page.wait_for_timeout(300)
    assert violations(page) == []
    page.get_by_role("radio", name="÷ √d_k").check()
    page.get_by_role("radio", name="q", exact=True).check()
    page.wait_for_timeout(300)
    assert violations(page) == []


def test_opening_is_quick(open_page):
    """All six stops of 1,500 draws are computed on opening; a page must not freeze for it."""
    page = open_page("dk_slider")
    spent = page.evaluate(MILLISECONDS_TO_OPEN)
    assert spent < 2000
