"""The built site, served on this machine, and the sizes of window it is looked at in."""

import functools
import http.server
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from bs4 import BeautifulSoup

ROOT = Path(__file__).resolve().parents[2]
SITE = ROOT / "_build" / "html"
sys.path.insert(0, str(ROOT / "book" / "_ext"))  # the book's own Sphinx extensions, which some tests import


class QuietHandler(http.server.SimpleHTTPRequestHandler):
    """Serves files without a line in the terminal for each."""

    def log_message(self, format, *args):
        """Stay silent."""


@pytest.fixture(scope="session")
def site():
    """The folder of the built site; it must be newer than everything it is built from."""
    installed = [f"--old-file={folder}/.installed" for folder in (".venv", "node_modules")]  # asks about pages only
    question = ["make", "--question", *installed, "_build/html/index.html"]
    if subprocess.run(question, cwd=ROOT, capture_output=True, check=False).returncode:
        pytest.fail("_build/html is missing or older than its sources: run `make book`")
    return SITE


@pytest.fixture(scope="session")
def soups(site):
    """Every page, parsed: path relative to the site -> BeautifulSoup."""
    paths = [
        path for path in sorted(site.rglob("*.html")) if "_static" not in path.parts and path != site / "index.html"
    ]
    return {path.relative_to(site).as_posix(): BeautifulSoup(path.read_text(), "html.parser") for path in paths}


@pytest.fixture(scope="session")
def address(site):
    """Address of the served site, on the loopback interface, ending in a slash."""
    handler = functools.partial(QuietHandler, directory=site)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


@pytest.fixture(scope="session")
def phone(browser):
    """A page 390 pixels wide, shared by the tests that only look."""
    page = browser.new_context(viewport={"width": 390, "height": 844}).new_page()
    yield page
    page.context.close()


@pytest.fixture
def desk(browser):
    """A page 1280 pixels wide, fresh for each test."""
    page = browser.new_context(viewport={"width": 1280, "height": 800}).new_page()
    yield page
    page.context.close()
