"""Movie review snippets with a human score each: the course's target task for transfer learning."""

from collections.abc import Mapping
from typing import Any

from datasets import Dataset

from qkv.data import scored
from qkv.data.cards import DataCard
from qkv.data.splits import Row

FEATURES = scored.FEATURES

CARD = DataCard(
    name="movie-snippets",
    title="Movie review snippets",
    summary=(
        "Sentences from film reviews, each with the mean score that about twenty people gave it, from `-4` (very "
        "negative) to `4` (very positive)."
    ),
    source="the VADER ground truth, re-scored snippets of Pang and Lee's sentence polarity data",
    citation=(
        "Hutto and Gilbert, VADER: A Parsimonious Rule-based Model for Sentiment Analysis of Social Media Text, ICWSM "
        "2014; Pang and Lee, Seeing Stars, ACL 2005"
    ),
    columns={
        "text": "one snippet, most often one sentence",
        "score": "mean human score; missing when the set comes from the hub",
        "label": "`positive` (1) when the score is above 0, else `negative` (0)",
    },
    splits={"train": 8_055, "validation": 1_010, "test": 976},
    split_rule="By the sha256 of the text: one snippet in ten is for validation, one in ten for testing.",
    removed={scored.UNDECIDED: 562, scored.REPEATED: 2},
    cleaning=(
        "The file's header line, its numbering and the white space at the ends of a text are dropped.",
        "The file is read as UTF-8; read as Latin-1 it shows `clichÃ©s` for `clichés`.",
    ),
    limits=(
        "Undecided snippets are gone, so the task is easier than rating every sentence a critic writes.",
        "Several snippets may speak of one film, and the film is not recorded: a title learned in training can help in "
        "testing.",
        "English, professional critics, films of about the year 2000; the scores are those of paid raters who read the "
        "snippet alone.",
        "Dashes and some hyphens were lost before the file was made: a gap of spaces stands in their place.",
        "The best-known sets on the hub hold the same sentences. Never train on one and test on the other.",
    ),
    hub_id="cornell-movie-review-data/rotten_tomatoes",
    hub_note=(
        "It is the same family of snippets in lower case, with the label taken from the critic's stars, no scores and "
        "splits of its own, which are kept. Whole reviews, many more, are in `stanfordnlp/imdb`."
    ),
)


def read() -> dict[str, list[Row]]:
    """The rows of every split, from the checked file."""
    return scored.read(CARD)


def from_hub(hub: dict[str, Dataset]) -> dict[str, Dataset]:
    """``text`` and ``label`` (0 negative, 1 positive) of the hub → our columns; there are no scores."""

    def columns(row: Mapping[str, Any]) -> Row:
        return {"text": row["text"], "score": None, "label": row["label"]}

    return {split: rows.map(columns, features=FEATURES) for split, rows in hub.items()}
