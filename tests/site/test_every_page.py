"""What must hold on every page, in the browser: silence, no foreign request, accessibility, no sideways scrolling."""

from pathlib import Path
from urllib.parse import urlsplit

import pytest

ROOT = Path(__file__).resolve().parents[2]
AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"
RUN_AXE = """async (only) => {
  const { violations } = await axe.run(document, { resultTypes: ["violations"], ...(only && { runOnly: only }) });
  const shown = (nodes) => nodes.slice(0, 3).map((node) => node.html.slice(0, 160)).join(" | ");
  return violations.map(({ id, nodes }) => `${id}: ${shown(nodes)}`);
}"""

PAPER = "getComputedStyle(document.body).backgroundColor"


def violations(page, only=None):
    """What axe finds, by all of its rules or by these alone."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE.read_text())
    return page.evaluate(RUN_AXE, only)


def watch(page):
    """Collect what a page complains about and whom it calls."""
    complaints, requests = [], []
    page.on("console", lambda line: complaints.append(line.text) if line.type in {"error", "warning"} else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("request", lambda request: requests.append(request.url))
    return complaints, requests


@pytest.fixture(scope="module")
def walk(soups, address, browser):
    """What was found when each page was opened once and looked at by daylight, then in the dark.

    Without motion: a colour that is still on its way from light to dark is in no figure.
    """
    look = {"color_scheme": "light", "reduced_motion": "reduce"}
    page = browser.new_context(viewport={"width": 1280, "height": 800}, **look).new_page()
    complaints, requests = watch(page)
    found = {"complaints": {}, "requests": requests, "light": {}, "dark": {}, "papers": set()}
    for name in soups:
        page.emulate_media(color_scheme="light")
        page.goto(address + name, wait_until="networkidle")
        found["complaints"][name] = complaints[:]
        found["light"][name], paper = violations(page), page.evaluate(PAPER)
        page.emulate_media(color_scheme="dark")
        found["papers"].add((paper, page.evaluate(PAPER)))
        found["dark"][name] = violations(page, only=["color-contrast", "link-in-text-block"])
        complaints.clear()
    page.context.close()
    return found


def test_pages_are_quiet_and_call_nobody_else(soups, address, walk):
    assert {name: lines for name, lines in walk["complaints"].items() if lines} == {}
    requests = walk["requests"]
    assert len(requests) >= len(soups)
    assert {url for url in requests if urlsplit(url).scheme != "data" and not url.startswith(address)} == set()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pages_pass_axe(soups, walk, scheme):
    """By daylight every rule; in the dark those that look at colours."""
    ((light, dark),) = walk["papers"]
    assert light != dark, "the pages did not follow when the system turned dark"
    assert walk[scheme].keys() == soups.keys()
    assert {name: problems for name, problems in walk[scheme].items() if problems} == {}


def test_axe_would_see_a_violation(desk):
    desk.set_content("<html lang=en><title>x</title><main><h1>x</h1><img src='data:,'></main></html>")
    assert any(problem.startswith("image-alt") for problem in violations(desk))


def test_no_page_scrolls_sideways_on_a_phone(soups, address, phone):
    wide = {}
    for name in soups:
        phone.goto(address + name)
        excess = phone.evaluate("document.documentElement.scrollWidth - innerWidth")
        wide |= {name: excess} if excess > 0 else {}
    assert wide == {}


def test_pages_read_from_the_file_system(soups, site, phone):
    complaints, _ = watch(phone)
    for name, soup in soups.items():
        phone.goto((site / name).as_uri())
        heading = soup.find("h1").get_text().removesuffix("#")
        assert phone.locator("h1").inner_text().removesuffix("#") == heading
        assert phone.evaluate("getComputedStyle(document.body).fontFamily").startswith("system-ui")
    assert complaints == []


def test_pages_read_without_scripts(soups, address, browser):
    page = browser.new_context(java_script_enabled=False).new_page()
    for name in soups:
        page.goto(address + name)
        assert page.locator("main").is_visible(), name
        hidden = page.locator("article .cell_output").filter(visible=False).count()
        assert hidden == 0, f"{name}: {hidden} outputs are hidden"
    page.context.close()
