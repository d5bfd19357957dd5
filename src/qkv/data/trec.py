"""Questions by the kind of answer they ask for: a small classification task of six classes."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from datasets import ClassLabel, Dataset, Features, Value

from qkv import assets
from qkv.data.cards import DataCard
from qkv.data.splits import Row, by_hash

LABELS = ("ABBR", "DESC", "ENTY", "HUM", "LOC", "NUM")
FEATURES = Features({"text": Value("string"), "label": ClassLabel(names=list(LABELS)), "fine": Value("string")})

CARD = DataCard(
    name="trec",
    title="TREC questions",
    summary=(
        "Questions in English, each with the kind of answer that is asked for: an abbreviation, a description, an "
        "entity, a human, a location or a number; 50 finer kinds stand beside. `How far is it from Denver to Aspen ?` "
        "asks for a number."
    ),
    source="University of Illinois, question classification; cogcomp.seas.upenn.edu/Data/QA/QC",
    citation="Li and Roth, Learning Question Classifiers, COLING 2002",
    columns={
        "text": "one question, words and signs separated by spaces as in the original",
        "label": "one of six coarse kinds, in the order of the alphabet",
        "fine": "one of 50 fine kinds, such as `NUM:dist`",
    },
    splits={"train": 4_296, "validation": 539, "test": 545},
    split_rule=(
        "By the sha256 of the question in lower case without spaces: one question in ten is for validation, one in ten "
        "for testing. The test questions that papers report on, 500 of them, are not in the package."
    ),
    removed={
        "repeated lines: the file holds five nested training sets": 10_071,
        "a question that differs from another one in spaces alone": 1,
    },
    cleaning=(
        "One question stands there with two fine labels (`What is the chromosome number of an elephant ?`); the more "
        "frequent one is kept.",
        "One hyphen was lost in the file's making and is put back (`sister-city`).",
    ),
    limits=(
        "Scores on this split are not comparable with published ones, which are on 500 other questions.",
        "Questions come from American quizzes and users of about the year 2000.",
        "The classes are uneven: entities make up 23 % and abbreviations 2 %.",
    ),
    hub_id="CogComp/trec",
    hub_note="It has the official test questions; its splits are kept, and there is no validation split.",
)


def read() -> dict[str, list[Row]]:
    """The rows of every split, from the checked file."""
    rows = parse(assets.path("trec").read_text("utf-8").splitlines())
    return by_hash(rows, lambda row: row["text"].lower().replace(" ", ""), validation=0.1, test=0.1)


def parse(lines: Iterable[str]) -> list[Row]:
    """Lines ``NUM:dist How far … ?`` → one row per question, with its most frequent label."""
    found: dict[str, Counter[str]] = {}
    for line in lines:
        fine, text = line.split(" ", 1)
        found.setdefault(text.strip().replace("\ufffd", "-"), Counter())[fine] += 1
    rows: dict[str, Row] = {}
    for text, fines in found.items():
        fine = fines.most_common(1)[0][0]
        label = LABELS.index(fine.partition(":")[0])
        rows.setdefault(text.lower().replace(" ", ""), {"text": text, "label": label, "fine": fine})
    return list(rows.values())


def from_hub(hub: dict[str, Dataset]) -> dict[str, Dataset]:
    """``text``, ``coarse_label`` and ``fine_label`` of the hub → our columns."""

    def columns(row: Mapping[str, Any], coarse: ClassLabel, fine: ClassLabel) -> Row:
        label = LABELS.index(coarse.int2str(row["coarse_label"]))
        return {"text": row["text"], "label": label, "fine": fine.int2str(row["fine_label"])}

    return {
        split: rows.map(
            columns,
            fn_kwargs={"coarse": rows.features["coarse_label"], "fine": rows.features["fine_label"]},
            features=FEATURES,
            remove_columns=rows.column_names,
        )
        for split, rows in hub.items()
    }
