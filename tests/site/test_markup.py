"""What the HTML files say, without a browser: links lead somewhere, pictures are described, pages carry their card."""

import json
import re
from pathlib import Path
from urllib.parse import unquote, urlsplit
from xml.etree import ElementTree

FILE_NAME = re.compile(r"[\w./-]+\.(png|svg|jpe?g|gif)$|^_images/|^[0-9a-f]{16,}$")


def target_of(site, name, href):
    """(file inside the site, anchor) that a link on a page leads to."""
    parts = urlsplit(href)
    path = (site / name).parent / unquote(parts.path) if parts.path else site / name
    return path.resolve(), unquote(parts.fragment)


def test_internal_links_and_anchors_resolve(soups, site):
    anchors = {
        (site / name).resolve(): {tag["id"] for tag in soup.select("[id]")} | {""} for name, soup in soups.items()
    }
    broken = []
    for name, soup in soups.items():
        for link in soup.select("a[href], link[rel~=stylesheet][href], script[src], img[src]"):
            href = link.get("href") or link.get("src")
            if urlsplit(href).scheme:
                continue
            path, anchor = target_of(site, name, href)
            if not path.is_file() or (path in anchors and anchor not in anchors[path]):
                broken.append(f"{name}: {href}")
    assert broken == []


def test_pictures_are_described(soups):
    bad = [
        f"{name}: {image.get('src', '')[:60]} has alt={image.get('alt')!r}"
        for name, soup in soups.items()
        for image in soup.select("img")
        if len((image.get("alt") or "").split()) < 3 or FILE_NAME.search(image["alt"])
    ]
    assert bad == []


def test_ids_are_unique(soups):
    for name, soup in soups.items():
        ids = [tag["id"] for tag in soup.select("[id]")]
        assert len(ids) == len(set(ids)), f"{name}: {sorted({i for i in ids if ids.count(i) > 1})}"


def test_every_page_has_one_heading_a_title_and_a_skip_link(soups):
    for name, soup in soups.items():
        assert len(soup.select("h1")) == 1, name
        assert soup.title.get_text().strip(), name
        if name != "404.html":
            assert soup.select_one("a.skip[href='#content']"), name
            assert soup.select_one("#content"), name


def test_pages_carry_a_social_card_that_exists(soups, site):
    for name in soups.keys() - {"404.html", "search.html"}:
        card = soups[name].select_one("meta[property='og:image']")["content"]
        assert (site / urlsplit(card).path.removeprefix("/qkv/")).is_file(), name


def test_the_sitemap_lists_the_pages(soups, site):
    tree = ElementTree.parse(site / "sitemap.xml")
    listed = {urlsplit(place.text).path.removeprefix("/qkv/") for place in tree.iter() if place.tag.endswith("loc")}
    assert listed == soups.keys() - {"404.html", "search.html"}


def test_lessons_can_be_downloaded_and_launched(soups, site):
    lessons = [name for name in soups if name.startswith("chapters/")]
    assert lessons
    for name in lessons:
        links = [link["href"] for link in soups[name].select(".notebook a")]
        path, _ = target_of(site, name, links[0])
        assert path.suffix == ".ipynb"
        notebook = name.replace(".html", ".ipynb")
        assert all(link.endswith(notebook) for link in links[1:])
        assert {urlsplit(link).hostname for link in links[1:]} == {"colab.research.google.com", "mybinder.org"}


def test_formulas_are_drawn_and_spoken(soups):
    drawn = [math for soup in soups.values() for math in soup.select(".katex")]
    assert drawn
    assert all(math.select_one("math annotation") for math in drawn), "MathML is for screen readers"
    assert soups["book/notation.html"].select_one(".katex .q"), r"\Q has lost its role"


def test_speed_page_shows_every_measured_ratio(soups):
    published = json.loads((Path(__file__).parents[2] / "book" / "speed.json").read_text())
    tables = [
        [row.get_text(" ") for row in table.select("tbody tr")] for table in soups["book/speed.html"].select("table")
    ]
    ratios, grown = tables
    assert len(grown) == len(published["growth"])
    for shown, measured in zip(ratios, published["ratios"], strict=True):
        assert measured["name"] in shown
        assert f"{measured['ratio'][0]:.2f} ({measured['ratio'][1]:.2f} to" in shown
