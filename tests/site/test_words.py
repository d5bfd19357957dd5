"""Glossary and notation stay true: terms are linked before they are introduced, and every name in a table exists."""

import importlib
import inspect
import re
from pathlib import Path

import pytest
import yaml

BOOK = Path(__file__).resolve().parents[2] / "book"
TERMS = yaml.safe_load((BOOK / "glossary.yml").read_text())
ROWS = yaml.safe_load((BOOK / "notation.yml").read_text())
NAMES = sorted({row[package] for row in ROWS for package in ("qkv", "torch", "transformers") if row.get(package)})

# ---------------------------------------------------------------- glossary


def reading_order():
    """Pages in the order of the table of contents."""
    toc = yaml.safe_load((BOOK.parent / "_toc.yml").read_text())
    return [toc["root"], *(entry["file"] for part in toc["parts"] for entry in part["chapters"])]


def earlier_pages(introduced_in, pages):
    """Pages that a reader meets before a term is introduced.  A lesson not yet written counts by its chapter number."""
    if introduced_in in pages:
        return pages[: pages.index(introduced_in)]
    lessons = [page for page in pages if page.startswith("chapters/")]
    return pages[: pages.index(lessons[0])] + [lesson for lesson in lessons if lesson < introduced_in]


def uses_without_link(soup, term):
    """True when a page speaks of a term and never links it to the glossary."""
    anchor = "#term-" + term["term"].lower().replace(" ", "-")
    article = soup.select_one("article")
    if any(link["href"].endswith(anchor) for link in article.select("a[href]")):
        return False
    words = "|".join(map(re.escape, [term["term"], *term.get("forms", [])]))
    texts = [text for text in article.find_all(string=True) if not text.find_parent(is_skipped)]
    return bool(re.search(rf"\b({words})\b", " ".join(texts), re.IGNORECASE))


def is_skipped(tag):
    """A link of any kind, code, formulas, drawings, the page's own title, and the path: a table of contents."""
    return tag.name in {"a", "code", "pre", "h1", "button", "svg"} or bool(
        {"katex", "path"} & set(tag.get("class", []))
    )


@pytest.mark.parametrize("term", TERMS, ids=lambda term: term["term"])
def test_a_term_is_linked_before_it_is_introduced(soups, term):
    pages = [f"{page}.html" for page in earlier_pages(term["introduced_in"], reading_order())]
    assert [page for page in pages if uses_without_link(soups[page], term)] == []


def test_the_rule_sees_a_missing_link(soups):
    page = soups["chapters/02_attention/lesson.html"]
    assert uses_without_link(page, {"term": "softmax"})
    assert not uses_without_link(soups["book/index.html"], {"term": "attention"})


def test_every_term_has_its_anchor(soups):
    ids = {tag["id"] for tag in soups["book/glossary.html"].select("[id]")}
    assert {"term-" + term["term"].lower().replace(" ", "-") for term in TERMS} <= ids


def test_a_term_of_a_written_lesson_is_used_there(soups):
    for term in TERMS:
        if page := soups.get(f"{term['introduced_in']}.html"):
            words = "|".join(map(re.escape, [term["term"], *term.get("forms", [])]))
            assert re.search(rf"\b({words})\b", page.select_one("article").get_text(), re.IGNORECASE), term["term"]


# ---------------------------------------------------------------- notation


def find(path):
    """The thing at a dotted path: the longest importable module, then attributes."""
    parts = path.split(".")
    for cut in range(len(parts), 0, -1):
        try:
            thing = importlib.import_module(".".join(parts[:cut]))
        except ModuleNotFoundError:
            continue
        for name in parts[cut:]:
            thing = getattr(thing, name)
        return thing
    raise AssertionError(f"no module on the path {path}")


def parameters(thing):
    """Parameter names; built-in functions of torch state them in the first line of their documentation."""
    try:
        return set(inspect.signature(thing).parameters)
    except ValueError:
        return set(re.findall(r"(\w+)(?:=[\w.]+)?[,)]", thing.__doc__.strip().partition("->")[0]))


@pytest.mark.parametrize("name", NAMES)
def test_every_name_exists(name):
    path, parameter, axis = re.fullmatch(r"([\w.]+)(?:\((\w+)\)|\[(\w+)\])?", name).groups()
    thing = find(path)
    if parameter:
        assert parameter in parameters(thing)
    if axis:
        shapes = re.findall(r'"([^"]*)"', inspect.getsource(thing))
        assert any(axis in shape.split() for shape in shapes)


def test_a_name_that_does_not_exist_is_seen():
    with pytest.raises(AttributeError):
        find("torch.nn.functional.scaled_product")
    assert "mask" not in parameters(find("torch.nn.functional.scaled_dot_product_attention"))
