"""Pages that hold figures as the site writes them, opened from file://."""

from pathlib import Path

import pytest

from qkv.figures import pictures, scripts

ROOT = Path(__file__).resolve().parents[2]
AXE = ROOT / "node_modules/axe-core/axe.min.js"
TOKENS = ROOT / "book/_static/tokens.css"


@pytest.fixture
def open_page(browser, tmp_path):
    """``open_page("stepper", "stepper compact", …)``: a page with these figures.

    Any message on the console and any request that leaves the page fails the test.
    """
    contexts, troubles = [], []

    def open_page(*figures, tokens=True, **options):
        used = {figure.split()[0] for figure in figures}
        for name in used:
            (tmp_path / f"{name}.js").write_text(scripts.classic(name), encoding="utf-8")
        head = f"<style>{TOKENS.read_text('utf-8')}</style>" if tokens else ""
        body = "".join(pictures.element(figure.split()[0], figure.endswith("compact")) for figure in figures)
        tags = "".join(f'<script defer src="{name}.js"></script>' for name in sorted(used))
        (tmp_path / "page.html").write_text(
            '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Figures</title>'
            f'<meta name="viewport" content="width=device-width,initial-scale=1">{head}{tags}</head>'
            f'<body style="margin:16px;background:var(--page)"><main><h1>Figures</h1>{body}</main></body></html>',
            encoding="utf-8",
        )
        context = browser.new_context(**{"viewport": {"width": 1280, "height": 900}, **options})
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: troubles.append(message.text))
        page.on("pageerror", lambda error: troubles.append(str(error)))
        page.on(
            "request",
            lambda request: request.url.startswith(("file:", "data:", "blob:")) or troubles.append(request.url),
        )
        page.goto((tmp_path / "page.html").as_uri())
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert troubles == []


@pytest.fixture
def tab_stops():
    """``tab_stops(page)``: how often Tab is pressed before the focus leaves the page, 9 at most."""

    def tab_stops(page):
        for stops in range(9):
            page.keyboard.press("Tab")
            if page.evaluate("document.activeElement === document.body"):
                return stops
        return 9

    return tab_stops


@pytest.fixture
def violations():
    """``violations(page)``: what axe finds, one line each."""
    assert AXE.exists(), "axe-core is missing: run `make node_modules/.installed`"

    def violations(page):
        page.evaluate(AXE.read_text("utf-8"))
        found = page.evaluate("async () => (await axe.run(document, { resultTypes: ['violations'] })).violations")
        return [f"{one['id']}: {node['html'][:120]} {node['failureSummary']}" for one in found for node in one["nodes"]]

    return violations
