"""Running text for pretraining: everything that a language model of the course may read, and what it is tested on."""

from collections.abc import Iterable
from typing import Final

from datasets import Features, Value

from qkv.data import (
    editorials,
    gutenberg,
    movie_snippets,
    product_reviews,
    state_of_the_union,
    tweets,
    wikipedia_sample,
)
from qkv.data.cards import DataCard
from qkv.data.splits import Row

FEATURES = Features({"source": Value("string"), "document": Value("string"), "text": Value("string")})
HELD_OUT: Final = {  # whole books
    "validation": ("austen-persuasion", "bryant-stories"),
    "test": ("carroll-alice", "chesterton-thursday"),
}
_DOCUMENT: Final = {  # of the sets besides Gutenberg: the column that names the document
    wikipedia_sample: "title",
    state_of_the_union: "year",
    movie_snippets: None,
    tweets: None,
    editorials: None,
    product_reviews: None,
}

CARD = DataCard(
    name="running-text",
    title="Running text for pretraining",
    summary=(
        "Books, articles of Wikipedia, addresses of presidents, and short texts with feeling, put together from other "
        "sets of the course. Models that are compared learn from the same text, and what they are tested on later is "
        "not in it."
    ),
    source=(
        "the sets gutenberg, wikipedia-sample, state-of-the-union, movie-snippets, tweets, editorials and "
        "product-reviews"
    ),
    citation="see the cards of these sets",
    columns={
        "source": "name of the set the text comes from",
        "document": "the book, the article or the year of the address; empty for single texts",
        "text": "a passage of about 500 words, or one short text",
    },
    splits={"train": 20_687, "validation": 2_460, "test": 2_337},
    split_rule=(
        "Of Gutenberg whole books are held out: Persuasion and Bryant's stories for validation, Alice and The Man Who "
        "Was Thursday for testing. All other sets keep their own splits, so that no test item of theirs is read here. "
        "Rows stand in the order of the sets, and within a set in its own."
    ),
    removed={
        "passages of the King James Bible": 1_567,
        "passages of other books that `gutenberg` tests or validates on": 209,
        "texts that stand in the set before": 0,
    },
    cleaning=("As in the sets themselves; nothing is changed.",),
    limits=(
        "About three million words, most of them more than a hundred years old: less than one part in a hundred of "
        "what GPT-1 or BERT read.",
        "Half of the words are presidents' addresses and a third are books, so a model speaks like a state paper or a "
        "novel. Look at the loss of each source by itself.",
        "Two held-out books are by authors with other books in training, two are by authors without.",
        "Undecided texts of the scored sets are missing, as they are there.",
    ),
    hub_id=None,
    hub_note="Larger running text is on the hub as `Salesforce/wikitext`; it has other splits and other sources.",
    parts=("gutenberg", *(module.CARD.name for module in _DOCUMENT)),
)


def read() -> dict[str, list[Row]]:
    """The rows of every split, from the checked files of all the sets."""
    return select({module.CARD.name: module.read() for module in (gutenberg, *_DOCUMENT)})[0]


def select(sets: dict[str, dict[str, list[Row]]]) -> tuple[dict[str, list[Row]], dict[str, int]]:
    """Set → split → rows, put together, and how many passages each rule of the card took away."""
    bible, elsewhere, repeated = CARD.removed
    books = sets["gutenberg"]
    splits = {"train": [row for row in books["train"] if not held_out(row)], "validation": [], "test": []}
    for split in HELD_OUT:
        splits[split] = in_order(row for part in books.values() for row in part if held_out(row) == split)
    removed = {bible: len(books["king_james"])}
    removed[elsewhere] = sum(not held_out(row) for split in ("validation", "test") for row in books[split])
    joined = {split: [_row("gutenberg", "book", row) for row in rows] for split, rows in splits.items()}
    for module, column in _DOCUMENT.items():
        for split, rows in sets[module.CARD.name].items():
            joined[split] += (_row(module.CARD.name, column, row) for row in rows)
    seen: set[str] = set()
    unique = {split: _first(joined[split], seen) for split in ("test", "validation", "train")}
    removed[repeated] = sum(map(len, joined.values())) - len(seen)
    return {split: unique[split] for split in joined}, removed


def held_out(row: Row) -> str:
    """The split of a passage of a held-out book, or nothing."""
    return next((split for split, books in HELD_OUT.items() if row["book"] in books), "")


def in_order(rows: Iterable[Row]) -> list[Row]:
    """The passages as the books have them."""
    return sorted(rows, key=lambda row: (row["book"], row["passage"]))


def _row(source: str, column: str | None, row: Row) -> Row:
    return {"source": source, "document": str(row[column]) if column else "", "text": row["text"]}


def _first(rows: Iterable[Row], seen: set[str]) -> list[Row]:
    kept = []
    for row in rows:
        if row["text"] not in seen:
            kept.append(row)
            seen.add(row["text"])
    return kept
