"""Sentences of newspaper editorials with a human score each: the domain in which feeling is hardest to see."""

from typing import Final

from qkv.data import scored
from qkv.data.cards import DataCard
from qkv.data.splits import Row

FEATURES: Final = scored.FEATURES
CARD: Final = DataCard(
    name="editorials",
    title="Sentences of editorials, scored",
    summary=(
        "Sentences from 500 editorials and articles of opinion in the New York Times, each with the mean score that "
        "about twenty people gave it. The columns are those of movie-snippets."
    ),
    source="the VADER ground truth, sentences of the New York Times",
    citation=scored.CITATION,
    columns=scored.COLUMNS,
    splits={"train": 2_089, "validation": 303, "test": 359},
    split_rule=(
        "By the sha256 of the article's number, so that an article is in one split only: one in ten is for validation, "
        "one in ten for testing."
    ),
    removed={scored.UNDECIDED: 2_402, scored.REPEATED: 37},
    cleaning=("The file's header line, its numbering and the white space at the ends of a text are dropped.",),
    limits=(
        "Nearly half of the sentences were undecided and are gone: what is left is easier than the newspaper.",
        "Raters saw one sentence; irony that builds up over a paragraph is lost.",
        "The sentences are the newspaper's: read and score them, quote a line at most.",
    ),
    hub_id=None,
    hub_note="There is no set on the hub with the same kind of sentences and scores.",
)


def read() -> dict[str, list[Row]]:
    """The rows of every split, from the checked file."""
    return scored.read(CARD)
