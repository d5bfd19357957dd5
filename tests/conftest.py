"""Every test runs as notebooks do: no network beyond this machine, one thread, a learner's state of its own."""

import os
import runpy
import shutil

import pytest
from notebook_environment import NO_NETWORK, notebook_environment
from playwright.sync_api import sync_playwright

FLAGS = [
    "--no-sandbox",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]

os.environ |= notebook_environment()
runpy.run_path(str(NO_NETWORK / "sitecustomize.py"))


@pytest.fixture(scope="session")
def browser():
    """Chromium without a window, one for all tests: a process can drive a single Playwright."""
    if not (program := shutil.which("chromium")):
        pytest.fail("pages and figures are tested in Chromium, which is not installed: apt-get install chromium")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=program, args=FLAGS)
        yield chromium
        chromium.close()
