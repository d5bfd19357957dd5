"""Articles of Wikipedia as plain text: the course's small stand-in for the general text that language models read."""

import bz2
import html
import re
from collections.abc import Iterator
from typing import Final

from datasets import Features, Value

from qkv import assets
from qkv.data.cards import DataCard
from qkv.data.gutenberg import passages_of
from qkv.data.splits import Row, by_hash

FEATURES = Features({"title": Value("string"), "passage": Value("int32"), "text": Value("string")})
FEWEST_WORDS: Final = 100

CARD = DataCard(
    name="wikipedia-sample",
    title="Articles of English Wikipedia",
    summary=(
        "The first articles of an old copy of English Wikipedia, most of them with an A (Aristotle, Alabama, Autism), "
        "as plain text in passages of about 500 words. Small, but of the kind that general language models read."
    ),
    source="Wikipedia, the free encyclopedia, by way of the test data of gensim",
    citation="Wikipedia contributors, en.wikipedia.org, copy of about 2015",
    columns={
        "title": "title of the article",
        "passage": "place of the passage in its article, from 0",
        "text": "whole paragraphs, one empty line between them; a paragraph is one line",
    },
    splits={"train": 583, "validation": 110, "test": 79},
    split_rule=(
        "By the sha256 of the title, so that no article is in two splits: one article in ten is for validation, one in "
        "ten for testing."
    ),
    removed={
        "redirects": 100,
        "articles of fewer than 100 words of running text, most of them lists of meanings": 10,
        "paragraphs that stand in an article before": 0,
    },
    cleaning=(
        "Templates, tables, pictures, references, formulas and the parts behind the text (`See also`, `References`) "
        "are taken out; of a link its words stay.",
        "Headings, lists and lines of fewer than eight words are left out: running text remains.",
        "Empty brackets, which a pronunciation leaves behind, are taken away.",
    ),
    limits=(
        "About a hundred articles are no picture of Wikipedia: their titles begin with the same letter.",
        "Where a formula, a quotation box or a foreign word was a template, the sentence has a gap.",
        "Articles are of one day some ten years ago; facts in them are old, and some were wrong then.",
        "Wikipedia may be used and changed, but whoever passes it on must name it and give the same rights.",
    ),
    hub_id=None,
    hub_note="Whole Wikipedia is on the hub as `wikimedia/wikipedia`; its articles are not these.",
)

_OUT: Final = re.compile(
    r"<!--.*?-->|<ref[^>/]*/>|<ref.*?</ref>|<(math|gallery|timeline|source|code|pre|score|table|div)\b.*?</\1>",
    re.DOTALL | re.IGNORECASE,
)
_TEMPLATE: Final = re.compile(r"\{\{[^{}]*\}\}|\{\|(?:(?!\{\||\|\}).)*\|\}", re.DOTALL)
_BACK_MATTER: Final = re.compile(
    r"^==+\s*(?:See also|References|External links|Further reading|Notes|Bibliography|Sources|Footnotes)\s*==.*",
    re.MULTILINE | re.DOTALL | re.IGNORECASE,
)
_LINK: Final = re.compile(r"\[\[(?!(?:File|Image|Category):)(?:[^\[\]|]*\|)?([^\[\]|]*)\]\]", re.IGNORECASE)
_PICTURE: Final = re.compile(r"\[\[[^\[\]]*\]\]")
_WEB: Final = re.compile(r"\[(?:https?:|ftp:|mailto:|//)\S*\s*([^\]]*)\]")
_EMPTY: Final = re.compile(r" ?\((?:[\s,;:/–-]|or)*\)")
_HALF_EMPTY: Final = re.compile(r"\((?:[,;] ?)+")
_NO_TEXT: Final = re.compile(r"^[=*#:;|!{}\[\]<>]|\{\{|\}\}|\[http")


def read() -> dict[str, list[Row]]:
    """The rows of every split, from the checked file."""
    raw = bz2.decompress(assets.path("wikipedia-sample").read_bytes()).decode("utf-8")
    return select(raw)[0]


def select(raw: str) -> tuple[dict[str, list[Row]], dict[str, int]]:
    """The splits, and how much each rule of the card took away."""
    removed = dict.fromkeys(CARD.removed, 0)
    redirects, short, repeated = CARD.removed
    rows: list[Row] = []
    seen: set[str] = set()
    for title, markup in pages(raw):
        paragraphs = plain(markup).split("\n\n")
        if markup.lstrip().lower().startswith("#redirect"):
            removed[redirects] += 1
        elif sum(len(paragraph.split()) for paragraph in paragraphs) < FEWEST_WORDS:
            removed[short] += 1
        else:
            unique = [paragraph for paragraph in dict.fromkeys(paragraphs) if paragraph not in seen]
            seen.update(unique)
            removed[repeated] += len(paragraphs) - len(unique)
            passages = enumerate(passages_of("\n\n".join(unique)))
            rows += ({"title": title, "passage": number, "text": text} for number, text in passages)
    return by_hash(rows, lambda row: row["title"], validation=0.1, test=0.1), removed


def pages(raw: str) -> Iterator[tuple[str, str]]:
    """Title and markup of each page of Wikipedia's XML."""
    for page in re.findall(r"<page>.*?<title>(.*?)</title>.*?<text[^>]*>(.*?)</text>", raw, re.DOTALL):
        title, markup = map(html.unescape, page)
        yield title, markup


def plain(markup: str) -> str:
    """Wikipedia's markup → its running text, paragraphs parted by an empty line.

    ``'''Ice''' is [[water|frozen water]].<ref>Smith</ref>`` → Ice is frozen water.
    """
    text = _until_stable(_TEMPLATE, "", _OUT.sub("", markup))
    text = _until_stable(_LINK, r"\1", _BACK_MATTER.sub("", text))
    text = _WEB.sub(r"\1", _until_stable(_PICTURE, "", text))
    text = html.unescape(re.sub(r"<[^<>]*>|'{2,}", "", text))
    lines = (_HALF_EMPTY.sub("(", _EMPTY.sub("", " ".join(line.split()))) for line in text.split("\n"))
    return "\n\n".join(line for line in lines if not _NO_TEXT.search(line) and len(line.split()) >= 8)


def _until_stable(pattern: re.Pattern[str], replacement: str, text: str) -> str:
    """Replaces from the inside out: what is nested in another match goes first."""
    while True:
        text, found = pattern.subn(replacement, text)
        if not found:
            return text
