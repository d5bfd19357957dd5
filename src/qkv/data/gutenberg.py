"""Books of Project Gutenberg, cut into passages: the general text that the course's language models learn from.

A language model needs runs of text longer than its context, and a test split that is no neighbour, sentence by
sentence, of what it learned.  So a row is neither a book (18 rows cannot be split fairly) nor a paragraph (a model
would be tested between two paragraphs it has read) but a passage: whole paragraphs up to about 500 words.  Rows stay
in reading order; ``"\\n\\n".join(split["text"])`` is the stream that a language model reads.
"""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from datasets import Dataset, Features, Value

from qkv import assets
from qkv.data.cards import DataCard
from qkv.data.splits import Row, by_hash, split_of

WORDS_PER_PASSAGE = 500
BIBLE = "bible-kjv"
VERSE = {  # line breaks are part of these texts
    "blake-poems",
    "milton-paradise",
    "shakespeare-caesar",
    "shakespeare-hamlet",
    "shakespeare-macbeth",
    "whitman-leaves",
}

FEATURES = Features(
    {
        "book": Value("string"),
        "author": Value("string"),
        "title": Value("string"),
        "year": Value("int32"),
        "passage": Value("int32"),
        "text": Value("string"),
    }
)

_SHARES = {"validation": 0.05, "test": 0.05}

CARD = DataCard(
    name="gutenberg",
    title="Eighteen books of Project Gutenberg",
    summary=(
        "Novels, stories, poems and plays in English from 1599 to 1920, as the NLTK project selected them, cut into "
        "passages of about 500 words for language modelling. The King James Bible has a split of its own."
    ),
    source="Project Gutenberg, by way of the NLTK corpora",
    citation="Bird, Klein and Loper, Natural Language Processing with Python, O'Reilly 2009; gutenberg.org",
    columns={
        "book": "short name of the book, such as `carroll-alice`",
        "author": "as on the file's first line; missing for the Bible",
        "title": "as on the file's first line",
        "year": "as on the file's first line; missing for the Bible and for Edgeworth",
        "passage": "place of the passage in its book, from 0; a gap means that the passage is in another split",
        "text": "whole paragraphs, one empty line between them; inside prose a paragraph is one line",
    },
    splits={"train": 2_027, "validation": 117, "test": 134, "king_james": 1_567},
    split_rule=(
        "By the sha256 of the passage: one in twenty is for validation, one in twenty for testing. Rows keep "
        "reading order. `king_james` holds the whole Bible: it is more than a third of all words "
        "and repeats itself, so a model trained with it writes scripture."
    ),
    removed={
        "header lines, read into the columns": 18,
        "marks of illustrations": 8,
        "characters of licence text": 13_466,
    },
    cleaning=(
        "In prose a line break inside a paragraph becomes a space; a line that is short or followed by an indented "
        "line keeps its break, so that quoted poems survive. Poems and plays keep all breaks.",
        "Runs of empty lines become one; spaces at the ends of lines are dropped.",
        "A passage ends with the first paragraph that brings it to 500 words; in verse without empty lines, with the "
        "line that brings it to 1,000.",
    ),
    limits=(
        "Old books by few authors: spelling, manners and prejudices of their time, above all about race, class and "
        "women. A model repeats them.",
        "The test passages come from the same books as the training passages. They measure how well a model knows "
        "these authors, not English.",
        "A heading or refrain that occurs in several passages can be in several splits.",
        "Shakespeare keeps the spelling of the first folio (`vpon`, `haue`); italics are marked by underscores.",
        "Titles and years are the file's own and not always right: Whitman's text is a late edition, not that of 1855.",
    ),
    hub_id="sedthh/gutenberg_english",
    hub_note=(
        "It holds some 48,000 English books, a download of about 11 GB. Author and title come from its catalogue, the "
        "year stays missing, and passages and splits are made by the same rule."
    ),
)


def read() -> dict[str, list[Row]]:
    """The rows of every split, from the checked files."""
    folder = assets.folder("gutenberg")
    books = {file.stem: list(rows_of(file)) for file in sorted(folder.glob("*.txt"))}
    bible = books.pop(BIBLE)
    passages = [row for rows in books.values() for row in rows]
    return {**by_hash(passages, lambda row: row["text"], **_SHARES), "king_james": bible}


def rows_of(file: Path) -> Iterator[Row]:
    """The passages of one book with what its first line says."""
    first_line, _, text = file.read_text("latin-1").partition("\n")
    about = header(first_line)
    for number, passage in enumerate(passages_of(clean(text, verse=file.stem in VERSE))):
        yield {"book": file.stem, **about, "passage": number, "text": passage}


def header(line: str) -> Row:
    """``[Emma by Jane Austen 1816]`` → title, author, year; the last two may be missing.

    Raises:
        ValueError: the line is no such header.
    """
    match = re.fullmatch(r"\[(?P<title>.+?)(?:,? by (?P<author>.+?))?(?: (?P<year>\d{4}))?\]", line.strip())
    if match is None:
        raise ValueError(f"expected a first line such as '[Emma by Jane Austen 1816]', got {line!r}")
    return {**match.groupdict(), "year": int(match["year"]) if match["year"] else None}


def clean(text: str, *, verse: bool) -> str:
    """Drops licence text, marks of illustrations and stray white space; in prose joins the lines of a paragraph.

    In prose a break is kept where the line before has fewer than 40 characters or the next one is indented.
    """
    text = text.partition("End of Project Gutenberg")[0].replace("\x1a", "").replace("\r\n", "\n")
    text = re.sub(r"\[Illustration[^\]]*\]", "", text)
    text = re.sub(r"[ \t]+$", "", text, flags=re.MULTILINE)
    if not verse:
        text = re.sub(r"(?<=[^\n]{40})\n(?=\S)", " ", text)
    return re.sub(r"\n{3,}", "\n\n", text).strip("\n")


def passages_of(text: str) -> Iterator[str]:
    """Cuts a text at the empty line after 500 words, at the latest at the line end after 1,000."""
    lines: list[str] = []
    num_words = 0
    for line in text.split("\n"):
        lines.append(line)
        num_words += len(line.split())
        if num_words >= (2 * WORDS_PER_PASSAGE if line else WORDS_PER_PASSAGE):
            yield "\n".join(lines).strip("\n")
            lines, num_words = [], 0
    if num_words:
        yield "\n".join(lines).strip("\n")


def from_hub(hub: dict[str, Dataset]) -> dict[str, Dataset]:
    """Whole books (``TEXT``, and ``METADATA`` as JSON) of the hub → our passages and splits."""
    with_split = Features({**FEATURES, "split": Value("string")})
    passages = hub["train"].map(
        _hub_passages, batched=True, batch_size=16, remove_columns=hub["train"].column_names, features=with_split
    )
    names = passages["split"]
    chosen = {split: [i for i, name in enumerate(names) if name == split] for split in CARD.splits}
    return {split: passages.select(rows).remove_columns("split") for split, rows in chosen.items()}


def _hub_passages(books: Mapping[str, list]) -> dict[str, list]:
    rows: dict[str, list] = {column: [] for column in [*FEATURES, "split"]}
    for text, metadata in zip(books["TEXT"], books["METADATA"], strict=True):
        about = json.loads(metadata)
        for number, passage in enumerate(passages_of(clean(text, verse=False))):
            split = "king_james" if "King James" in about["title"] else split_of(passage, **_SHARES)
            values = (str(about["text_id"]), about["authors"], about["title"], None, number, passage, split)
            for column, value in zip(rows, values, strict=True):
                rows[column].append(value)
    return rows
