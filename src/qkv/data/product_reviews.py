"""Sentences of product reviews with a human score each: another domain for a model of sentiment."""

from typing import Final

from qkv.data import scored
from qkv.data.cards import DataCard
from qkv.data.splits import Row

FEATURES: Final = scored.FEATURES
CARD: Final = DataCard(
    name="product-reviews",
    title="Sentences of product reviews, scored",
    summary=(
        "Sentences from buyers' reviews of five technical products, each with the mean score that about twenty people "
        "gave it. The columns are those of movie-snippets."
    ),
    source="the VADER ground truth, re-scored sentences of Hu and Liu's Amazon reviews",
    citation=f"{scored.CITATION}; Hu and Liu, Mining and Summarizing Customer Reviews, KDD 2004",
    columns=scored.COLUMNS,
    splits={"train": 2_372, "validation": 276, "test": 287},
    split_rule=(
        "By the sha256 of the review's number, so that a review is in one split only: one in ten is for validation, "
        "one in ten for testing."
    ),
    removed={scored.UNDECIDED: 765, scored.REPEATED: 8},
    cleaning=("The file's header line, its numbering and the white space at the ends of a text are dropped.",),
    limits=(
        "Five products of about 2003, a player of DVDs and a camera among them: their names help in testing too.",
        "A sentence is judged alone; what it says of the whole review is not recorded.",
        "Small letters only, and signs stand apart as their first collectors left them.",
    ),
    hub_id=None,
    hub_note="Whole reviews, many more, are in `fancyzhx/amazon_polarity` on the hub, labelled by their stars.",
)


def read() -> dict[str, list[Row]]:
    """The rows of every split, from the checked file."""
    return scored.read(CARD)
