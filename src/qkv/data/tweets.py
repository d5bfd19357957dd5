"""Tweets with a human score each: a second domain for a model of sentiment."""

from typing import Final

from qkv.data import scored
from qkv.data.cards import DataCard
from qkv.data.splits import Row

FEATURES: Final = scored.FEATURES
CARD: Final = DataCard(
    name="tweets",
    title="Tweets, scored",
    summary=(
        "Tweets in English, each with the mean score that about twenty people gave it. The columns are those of "
        "movie-snippets, so a model of film reviews can be tested here."
    ),
    source="the VADER ground truth, from the public stream of Twitter",
    citation=scored.CITATION,
    columns=scored.COLUMNS,
    splits={"train": 2_658, "validation": 352, "test": 352},
    split_rule="By the sha256 of the text: one tweet in ten is for validation, one in ten for testing.",
    removed={scored.UNDECIDED: 838, scored.REPEATED: 0},
    cleaning=("The file's header line, its numbering and the white space at the ends of a text are dropped.",),
    limits=(
        "Two thirds are positive: always saying so is right two times of three. Report a score by class as well.",
        "Tweets were chosen by the set's authors, and 200 of them written to show degrees of feeling.",
        "Signs such as `:)` carry much of the feeling; a tokenizer that drops them loses it.",
        "Tweets are of about 2013, by people who did not expect to be studied. Do not look for them.",
    ),
    hub_id=None,
    hub_note="A set of the kind with three classes is `cardiffnlp/tweet_eval` on the hub, configuration `sentiment`.",
)


def read() -> dict[str, list[Row]]:
    """The rows of every split, from the checked file."""
    return scored.read(CARD)
