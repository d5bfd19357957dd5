"""The sets that papers report on and no package carries: fetched, with the columns of our own sets of the kind.

    load("imdb", source="hub")

They need a network and some hundred megabytes; nothing in the course waits for them.  What is said of their ids and
columns is from their pages and not tested here: tests read small files of the same form.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from datasets import ClassLabel, Dataset, Features, List, Value

from qkv.data.movie_snippets import FEATURES as SCORED_TEXT
from qkv.data.splits import Row
from qkv.text.words import places, tokens

PAIR = Features(
    {
        "premise": Value("string"),
        "hypothesis": Value("string"),
        "label": ClassLabel(names=["entailment", "neutral", "contradiction"]),
    }
)
SPAN = Features(
    {
        "question": List(Value("string")),
        "passage": List(Value("string")),
        "first": Value("int32"),
        "last": Value("int32"),
    }
)
Hub = Mapping[str, Dataset]


@dataclass(frozen=True)
class HubSet:
    """Where a set lies, what it holds, and what of the course comes nearest offline."""

    name: str
    hub_id: str
    hub_config: str | None
    holds: str
    instead: str
    from_hub: Callable[[Hub], dict[str, Dataset]]


def imdb(hub: Hub) -> dict[str, Dataset]:
    """Whole film reviews as in ``movie-snippets``; the unlabelled half, which has no classes, is left out."""

    def row(found: Mapping[str, Any]) -> Row:
        return {"text": found["text"], "score": None, "label": found["label"]}

    return {split: _mapped(rows, row, SCORED_TEXT) for split, rows in hub.items() if split != "unsupervised"}


def snli(hub: Hub) -> dict[str, Dataset]:
    """Pairs of sentences; those on which the annotators found no majority (label -1) are left out."""
    agreed = {split: rows.filter(lambda found: found["label"] >= 0) for split, rows in hub.items()}
    return {
        split: _mapped(rows, lambda found: {name: found[name] for name in PAIR}, PAIR) for split, rows in agreed.items()
    }


def conll(hub: Hub) -> dict[str, Dataset]:
    """Newspaper sentences as in ``ner-tweets``: words and tags.  The kinds of name are those of the set."""

    def row(found: Mapping[str, Any]) -> Row:
        return {"words": found["tokens"], "tags": found["ner_tags"]}

    return {
        split: _mapped(rows, row, Features({"words": List(Value("string")), "tags": rows.features["ner_tags"]}))
        for split, rows in hub.items()
    }


def squad(hub: Hub) -> dict[str, Dataset]:
    """Questions that people asked: words of question and passage, and the first and last word of the answer.

    An answer that begins or ends inside a word gets the whole word; of several answers the first is taken.
    """

    def row(found: Mapping[str, Any]) -> Row:
        answer, start = found["answers"]["text"][0], found["answers"]["answer_start"][0]
        covered = [
            place
            for place, (begin, end) in enumerate(places(found["context"]))
            if begin < start + len(answer) and end > start
        ]
        return {
            "question": tokens(found["question"]),
            "passage": tokens(found["context"]),
            "first": covered[0],
            "last": covered[-1],
        }

    return {split: _mapped(rows, row, SPAN) for split, rows in hub.items()}


_ALL: Final = (
    HubSet(
        "imdb",
        "stanfordnlp/imdb",
        None,
        "50,000 whole film reviews, praise or not",
        'Offline, with the same columns: `load("movie-snippets")`.',
        imdb,
    ),
    HubSet(
        "snli",
        "stanfordnlp/snli",
        None,
        "570,000 pairs of sentences: does the first say the second, deny it, or neither?",
        "Offline: pairs made by rule, `qkv.recipes.four_tasks.kinds()`.",
        snli,
    ),
    HubSet(
        "conll2003",
        "lhoestq/conll2003",
        None,
        "22,000 newspaper sentences with the names marked",
        'Offline, with the same columns and other kinds of name: `load("ner-tweets")`.',
        conll,
    ),
    HubSet(
        "squad",
        "rajpurkar/squad",
        None,
        "100,000 questions that people asked about passages of Wikipedia",
        'Offline there is none of this form; passages without questions: `load("wikipedia-sample")`.',
        squad,
    ),
)
HUB_SETS: Final = {each.name: each for each in _ALL}


def _mapped(rows: Dataset, row: Callable[[Mapping[str, Any]], Row], features: Features) -> Dataset:
    return rows.map(row, features=features, remove_columns=rows.column_names)
