"""The stepper in Chromium: keyboard only, every word it says, every number it shows, on large and small screens."""

import pytest

FOCUS = """() => {
  let node = document.activeElement;
  while (node?.shadowRoot?.activeElement) node = node.shadowRoot.activeElement;
  const label = node.getAttribute("aria-label") ?? (node.type === "radio" ? node.value : node.textContent);
  return label.trim();
}"""
ROOT = "document.querySelector('qkv-figure').shadowRoot"
LONGEST_MOTION = f"Math.max(0, ...{ROOT}.getAnimations().map(a => a.effect.getTiming().duration))"
BAR_SHARES = f"[...{ROOT}.querySelectorAll('.track .bar')].map(n => n.offsetWidth / n.parentNode.offsetWidth)"
TOO_SMALL_TO_TAP = f"""[...{ROOT}.querySelectorAll("button, .chip")]
  .filter(n => n.getBoundingClientRect().width < 44 || n.getBoundingClientRect().height < 43.9)
  .map(n => n.textContent)"""
ALL_IDS = """[...document.querySelectorAll("qkv-figure")]
  .flatMap(figure => [...figure.shadowRoot.querySelectorAll("[id]")].map(node => node.id))"""
HOLDS_POINT = """(polygon, [x, y]) => {
  const point = Object.assign(polygon.ownerSVGElement.createSVGPoint(), { x, y });
  return polygon.isPointInFill(point);
}"""
LIGHT_BLUE, DARK_BLUE = "rgb(37, 99, 235)", "rgb(107, 137, 249)"


def focused(page):
    return page.evaluate(FOCUS)


def sentence(page):
    return page.locator(".sentence").inner_text()


def steps(page):
    """Yield at step 1, 2, 3 and 4."""
    yield 1
    for step in (2, 3, 4):
        page.get_by_role("button", name="Next").first.click()
        yield step


def press(page, *keys):
    for key in keys:
        page.keyboard.press(key)


def cell(page, name):
    return page.get_by_role("gridcell", name=name)


def numbers(page, kind):
    return page.locator(f".{kind} .number").all_inner_texts()


def test_opens_on_row_it_with_the_pair_it_cat(open_page):
    page = open_page("stepper")
    assert page.get_by_role("group", name="How does it come to mean the cat?").is_visible()
    assert page.get_by_role("radio", name="it", exact=True).is_checked()
    assert page.get_by_role("radio", name="hungry").is_checked()
    assert page.locator(".working").inner_text() == "it · cat = 2·1 + 0·0 + 2·1 + 0·0 = 4"
    assert sentence(page) == "Step 1. it scores cat 4, mat 2, it 0."
    assert not page.get_by_role("img").locator("nth=0").get_attribute("src"), "the stand-in is still shown"


def test_all_steps_by_keyboard_alone(open_page):
    page = open_page("stepper")
    stops = []
    for _ in range(8):
        press(page, "Tab")
        if page.evaluate("document.activeElement === document.body"):
            break
        stops.append(focused(page))
    assert stops == ["it", "hungry", "Back", "none", "query it, alive: 2"]
    page.get_by_role("button", name="Back").focus()
    press(page, "ArrowRight")
    assert focused(page) == "Next"
    said = [sentence(page)]
    for _ in range(4):
        press(page, "Enter")
        said.append(sentence(page))
    assert said == [
        "Step 1. it scores cat 4, mat 2, it 0.",
        "Step 2. Divided by 2, it has cat 2, mat 1, it 0.",
        "Step 3. it gives cat .67, mat .24, it .09.",
        "Step 4. it receives (6.65, 2.45), a mix of the values.",
        "Step 4. it receives (6.65, 2.45), a mix of the values.",
    ]
    assert focused(page) == "Next", "a button at its end must keep the focus"
    press(page, "ArrowLeft", "Enter")
    assert sentence(page).startswith("Step 3.")


def test_each_step_shows_its_working(open_page):
    page = open_page("stepper")
    shown = []
    for _ in steps(page):
        shown.append(" ".join(page.locator(".working").inner_text().split()))
    assert shown == [
        "it · cat = 2·1 + 0·0 + 2·1 + 0·0 = 4",
        "4 ÷ √4 = 4 ÷ 2 = 2",
        "e2 = 7.39, e1 = 2.72, e0 = 1; sum 11.11 cat: 7.39 ÷ 11.11 = .67",
        ".67·(10, 0) + .24·(0, 10) + .09·(0, 0) = (6.65, 2.45)",
    ]
    assert numbers(page, "s") == ["4", "2", "0"]
    assert numbers(page, "a") == ["2", "1", "0"]
    assert numbers(page, "w") == [".67", ".24", ".09"]
    assert numbers(page, "o") == ["6.65", "2.45"]


def test_numbers_of_later_steps_are_not_given_away(open_page):
    page = open_page("stepper")
    assert numbers(page, "w") == ["", "", ""]
    assert cell(page, "share cat: not yet").count() == 1


def test_the_marked_line_of_source_follows_the_step(open_page):
    page = open_page("stepper")
    marked = []
    for _ in steps(page):
        marked.append(page.locator(".code .now").all_inner_texts())
    assert [len(lines) for lines in marked] == [1, 1, 1, 1]
    for lines, word in zip(
        marked, ["einsum(query, key", "math.sqrt", "softmax(", "einsum(weights, value"], strict=True
    ):
        assert word in lines[0]
    assert page.locator(".code .now").evaluate("node => getComputedStyle(node).borderLeftWidth") == "3px"
    page.get_by_role("radio", name="causal").check()
    for _ in range(2):
        page.get_by_role("button", name="Back").click()
    assert any("masked_fill" in line for line in page.locator(".code .now").all_inner_texts())


def test_arrows_walk_the_grid_and_light_the_pair(open_page):
    page = open_page("stepper")
    cell(page, "query it, pronoun").focus()
    press(page, "ArrowRight")
    assert focused(page) == "score cat: 4"
    press(page, "ArrowRight")
    assert focused(page) == "score mat: 2"
    assert page.locator(".working").inner_text() == "it · mat = 2·0 + 0·1 + 2·1 + 0·0 = 2"
    press(page, "ArrowUp")
    assert focused(page) == "key mat, pronoun: 0"
    assert page.locator(".k.on").count() == 4
    press(page, "Tab", "Shift+Tab")
    assert focused(page) == "key mat, pronoun: 0", "the grid has one tab stop, the last cell visited"


def test_edit_a_number_escape_and_reset(open_page):
    page = open_page("stepper")
    target = cell(page, "key mat, alive")
    target.focus()
    press(page, "Enter")
    page.keyboard.type("3")
    press(page, "Escape")
    assert focused(page) == "key mat, alive: 0"
    assert sentence(page) == "Step 1. it scores cat 4, mat 2, it 0."
    press(page, "Enter")
    page.keyboard.type("3")
    press(page, "Enter")
    assert focused(page) == "key mat, alive: 3"
    assert sentence(page) == "Step 1. it scores cat 4, mat 8, it 0."
    page.get_by_role("button", name="Reset").click()
    assert sentence(page) == "Step 1. it scores cat 4, mat 2, it 0."


@pytest.mark.parametrize("text", ["cat", "", "21", "1e9", "--1", "0x"])
def test_what_is_no_number_is_named_and_the_old_one_stays(open_page, text):
    page = open_page("stepper")
    cell(page, "key mat, alive").click()
    press(page, "Delete")
    page.keyboard.type(text)
    press(page, "Enter")
    assert sentence(page) == f"“{text}” is no number from −20 to 20; 0 stays."
    assert focused(page) == "key mat, alive: 0"


def test_large_numbers_stay_finite(open_page):
    page = open_page("stepper")
    for feature in ("alive", "thing", "singular", "pronoun"):
        for name in (f"query it, {feature}", f"key cat, {feature}"):
            cell(page, name).click()
            page.keyboard.type("-20")
            press(page, "Enter")
    for _ in range(2):
        page.get_by_role("button", name="Next").click()
    assert sentence(page) == "Step 3. it gives cat 1, mat 0, it 0."
    assert page.locator(".working").inner_text().startswith("Subtract the largest, 800.")


def test_swap_to_wet_moves_the_shares(open_page):
    page = open_page("stepper")
    for _ in range(2):
        page.get_by_role("button", name="Next").click()
    page.get_by_role("radio", name="hungry").focus()
    press(page, "ArrowRight")
    assert sentence(page) == "Step 3. it gives cat .24, mat .67, it .09."
    assert numbers(page, "q") == ["0", "2", "2", "0"]


def test_surprise_under_the_causal_mask(open_page):
    page = open_page("stepper")
    page.get_by_role("radio", name="cat", exact=True).check()
    page.get_by_role("radio", name="causal").check()
    assert page.locator(".blocked").count() == 0, "the mask appears at step 2, before softmax"
    page.get_by_role("button", name="Next").click()
    assert sentence(page) == "Step 2. Divided by 2, cat has cat 1. It may not read mat and it."
    assert cell(page, "scaled score mat: blocked").inner_text() == "✕"
    for _ in range(2):
        page.get_by_role("button", name="Next").click()
    assert sentence(page) == "Step 4. cat receives (10, 0), whatever its query: it can read only itself."
    cell(page, "query cat, alive").click()
    page.keyboard.type("17")
    press(page, "Enter")
    assert numbers(page, "o") == ["10", "0"]


def test_output_stays_inside_the_triangle(open_page):
    page = open_page("stepper")
    for _ in range(3):
        page.get_by_role("button", name="Next").click()
    dot = page.locator(".plane circle")
    dot.wait_for()
    place = [float(dot.get_attribute(name)) for name in ("cx", "cy")]
    assert page.locator(".plane polygon").evaluate(HOLDS_POINT, place)


def test_spoken_after_half_a_second_of_rest(open_page):
    page = open_page("stepper")
    page.clock.install()
    page.clock.pause_at("2030-01-01")
    spoken = page.get_by_role("status")
    assert spoken.inner_text() == "", "nothing is spoken before the reader acts"
    page.get_by_role("button", name="Next").click()
    page.clock.run_for(400)
    page.get_by_role("button", name="Next").click()
    page.clock.run_for(400)
    assert spoken.inner_text() == ""
    page.clock.run_for(200)
    assert spoken.inner_text() == "Step 3. it gives cat .67, mat .24, it .09."


def test_show_as_table_is_a_table(open_page):
    page = open_page("stepper")
    toggle = page.get_by_role("button", name="Show as table")
    assert page.get_by_role("table").count() == 0
    toggle.click()
    assert toggle.get_attribute("aria-expanded") == "true"
    shown = page.get_by_role("table", name="Row it")
    assert shown.get_by_role("columnheader").all_inner_texts() == ["key", "score", "÷ 2", "share", "value"]
    lines = [line.split("\t") for line in shown.locator("tbody tr").all_inner_texts()]
    assert lines[0] == ["cat", "4", "2", ".665", "(10, 0)"]
    assert lines[-1] == ["output", "", "", "1", "(6.65, 2.45)"]
    page.get_by_role("radio", name="mat", exact=True).check()
    assert page.get_by_role("table", name="Row mat").count() == 1


def test_two_figures_do_not_meet(open_page):
    page = open_page("stepper", "stepper", "dk_slider")
    first, second = page.locator("qkv-figure").nth(0), page.locator("qkv-figure").nth(1)
    first.get_by_role("button", name="Next").click()
    first.get_by_role("radio", name="wet").check()
    assert second.locator(".sentence").inner_text() == "Step 1. it scores cat 4, mat 2, it 0."
    assert second.get_by_role("radio", name="hungry").is_checked()
    ids = page.evaluate(ALL_IDS)
    assert len(ids) == len(set(ids)) > 6


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("tokens", [True, False])
def test_follows_the_system_and_then_the_page(open_page, scheme, tokens):
    page = open_page("stepper", tokens=tokens, color_scheme=scheme)
    border = "node => getComputedStyle(node).borderTopColor"
    query = page.locator(".q").first
    assert query.evaluate(border) == {"light": LIGHT_BLUE, "dark": DARK_BLUE}[scheme]
    other = {"light": "dark", "dark": "light"}[scheme]
    page.evaluate("theme => { document.documentElement.dataset.theme = theme }", other)
    page.wait_for_timeout(50)
    assert query.evaluate(border) == {"light": LIGHT_BLUE, "dark": DARK_BLUE}[other]


def test_follows_the_theme_of_jupyterlab(open_page):
    page = open_page("stepper", tokens=False)
    page.evaluate("document.body.dataset.jpThemeLight = 'false'")
    page.wait_for_timeout(50)
    assert page.locator(".q").first.evaluate("node => getComputedStyle(node).borderTopColor") == DARK_BLUE


def test_reduced_motion_keeps_the_old_number_outlined_with_an_arrow(open_page):
    page = open_page("stepper", reduced_motion="reduce")
    for _ in range(2):
        page.get_by_role("button", name="Next").click()
    page.get_by_role("radio", name="wet").check()
    assert numbers(page, "w")[0].split() == [".67→.24"]
    assert page.locator(".w s").first.evaluate("node => getComputedStyle(node).borderTopStyle") == "dashed"
    assert page.evaluate("document.querySelector('qkv-figure').shadowRoot.getAnimations().length") == 0


def test_motion_is_short_and_follows_an_action(open_page):
    page = open_page("stepper")
    assert page.evaluate(LONGEST_MOTION) == 0
    page.get_by_role("radio", name="wet").check()
    assert page.evaluate(LONGEST_MOTION) == 180


def test_phone(open_page):
    page = open_page("stepper", viewport={"width": 390, "height": 844}, has_touch=True)
    for _ in steps(page):
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
    small = page.evaluate(TOO_SMALL_TO_TAP)
    assert small == []
    page.get_by_role("button", name="Show as table").tap()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    cell(page, "value cat, x").tap()
    page.keyboard.type("4")
    press(page, "Enter")
    assert sentence(page) == "Step 4. it receives (2.66, 2.45), a mix of the values."


@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(open_page, violations, width, scheme):
    page = open_page("stepper", "stepper compact", color_scheme=scheme, viewport={"width": width, "height": 900})
    full = page.locator("qkv-figure").first
    full.get_by_role("radio", name="causal").check()
    full.get_by_role("radio", name="mat", exact=True).check()
    full.get_by_role("button", name="Show as table").click()
    for _ in steps(page):
        page.wait_for_timeout(500)
        assert violations(page) == []


def test_compact_form(open_page):
    page = open_page("stepper compact", viewport={"width": 390, "height": 844})
    bars = page.get_by_role("table", name="Shares that the word it gives")
    rows = [row.split() for row in bars.locator("tr").all_inner_texts()]
    assert rows == [["cat", ".67"], ["mat", ".24"], ["it", ".09"]]
    press(page, "Tab", "ArrowRight")
    rows = [row.split() for row in bars.locator("tr").all_inner_texts()]
    assert rows == [["cat", ".24"], ["mat", ".67"], ["it", ".09"]]
    assert sentence(page) == "With “wet”, it gives cat .24, mat .67, it .09."
    page.wait_for_timeout(300)
    widths = page.evaluate(BAR_SHARES)
    assert widths == pytest.approx([0.2447, 0.6652, 0.0900], abs=0.01)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert page.locator("qkv-figure").bounding_box()["height"] < 380, "the first screen of the site has to hold it"


def test_without_scripts_a_picture_and_a_sentence(open_page):
    page = open_page("stepper", java_script_enabled=False)
    assert page.get_by_role("img", name="Bars: how the word it shares itself out").is_visible()
    assert "it gives cat .24, mat .67, it .09" in page.locator("figcaption").inner_text()
    assert page.locator("img").evaluate("node => node.naturalWidth") == 680
