"""The Sphinx extension: a page gets the scripts of the figures it holds, and no others."""

import subprocess
import sys
from pathlib import Path

import pytest
from bs4 import BeautifulSoup

from qkv.figures import pictures, scripts

EXTENSIONS = Path(__file__).resolve().parents[2] / "book/_ext"
PAGES = {
    "index": "# Start\n\n```{toctree}\nboth\nraw\n```\n\nNo figure here.\n",
    "both": "# Both\n\n```{figure-live} stepper\n:compact:\n```\n\n```{figure-live} dk_slider\n```\n",
    "raw": f"# A notebook's output\n\n{pictures.element('stepper')}\n",
}


def build(folder, **pages):
    (folder / "source").mkdir()
    for name, text in pages.items():
        (folder / "source" / f"{name}.md").write_text(text, encoding="utf-8")
    settings = f"import sys\nsys.path.insert(0, {str(EXTENSIONS)!r})\nextensions = ['myst_parser', 'figures']\n"
    (folder / "source/conf.py").write_text(settings, encoding="utf-8")
    command = [sys.executable, "-m", "sphinx", "-W", "-q", "-b", "html", "source", "out"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=300)


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("book")
    done = build(folder, **PAGES)
    assert done.returncode == 0, done.stderr
    return folder / "out"


def figure_scripts(site, page):
    tags = BeautifulSoup((site / f"{page}.html").read_text("utf-8"), "html.parser").find_all("script", src=True)
    return {Path(tag["src"].split("?")[0]).name: tag for tag in tags if "/figures/" in tag["src"]}


@pytest.mark.parametrize(
    ("page", "names"), [("index", set()), ("both", {"stepper.js", "dk_slider.js"}), ("raw", {"stepper.js"})]
)
def test_each_page_loads_the_scripts_of_its_figures(site, page, names):
    tags = figure_scripts(site, page)
    assert set(tags) == names
    assert all(tag.has_attr("defer") and tag.get("type") != "module" for tag in tags.values())
    assert all((site / tag["src"].split("?")[0]).exists() for tag in tags.values())


def test_written_scripts_are_the_packages_own(site):
    for name in scripts.NAMES:
        assert (site / f"_static/figures/{name}.js").read_text("utf-8") == scripts.classic(name)


def test_directive_writes_element_and_stand_in(site):
    page = BeautifulSoup((site / "both.html").read_text("utf-8"), "html.parser")
    compact, slider = page.find_all("qkv-figure")
    assert compact["name"] == "stepper"
    assert compact.has_attr("compact")
    assert slider["name"] == "dk_slider"
    assert not slider.has_attr("compact")
    assert slider.find("img")["alt"]
    assert [cell.get_text() for cell in compact.select("thead th")] == ["word", "… it was hungry.", "… it was wet."]


def test_an_unknown_figure_stops_the_build_with_the_names_there_are(tmp_path):
    done = build(tmp_path, index="# Start\n\n```{figure-live} heat-map\n```\n")
    assert done.returncode != 0
    assert f"no figure is called 'heat-map'; expected one of {', '.join(scripts.NAMES)}" in done.stderr
