"""The API pages name everything public, show shapes as they are written, and link to the lessons and back."""

import api

import qkv.nn.attention


def test_everything_public_has_a_place(soups):
    anchors = {tag["id"] for name, soup in soups.items() if name.startswith("book/api/") for tag in soup.select("[id]")}
    public = [f"{module}.{name}" for module in api.public_modules("qkv") for name in api.documented(module)]
    missing = sorted(name for name in public if name not in anchors and not name.startswith("qkv.__"))
    assert missing == [], "add a page for the room in book/api and in _toc.yml"


def test_signatures_are_as_written():
    arguments, result = api.written_signature(qkv.nn.attention.softmax)
    assert arguments == "(scores: Float[Tensor, '*shape'], dim: int=-1)"
    assert result == "Float[Tensor, '*shape']"


def test_a_method_loses_self():
    arguments, _ = api.written_signature(qkv.nn.attention.AdditiveAttention)
    assert arguments == "(d_query: int, d_key: int, d_hidden: int)"


def test_imports_are_found_and_brought_home():
    cell = "%matplotlib inline\nfrom qkv.nn.attention import softmax, dot\nfrom torch import nn\nfrom qkv import toy"
    assert list(api.imported_names(cell)) == ["qkv.nn.attention.softmax", "qkv.nn.attention.dot", "qkv.toy"]
    assert api.home_of("qkv.nn.attention.softmax") == "qkv.nn.attention.softmax"


def test_lesson_and_code_link_to_each_other(soups):
    lesson, page = soups["chapters/02_attention/lesson.html"], soups["book/api/nn.html"]
    target = "../../book/api/nn.html#qkv.nn.attention.scaled_dot_product_attention"
    assert target in [link["href"] for link in lesson.select(".lesson-code a")]
    entry = page.find(id="qkv.nn.attention.scaled_dot_product_attention").find_parent("dl")
    assert entry.select_one(".taught-in a")["href"] == "../../chapters/02_attention/lesson.html"
