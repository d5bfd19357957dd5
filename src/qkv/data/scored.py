"""What the domains of the VADER ground truth share: texts with a mean human score each."""

from collections.abc import Iterable
from typing import Final

from datasets import ClassLabel, Features, Value

from qkv import assets
from qkv.data.cards import DataCard
from qkv.data.splits import Row, by_hash

FEATURES: Final = Features(
    {"text": Value("string"), "score": Value("float64"), "label": ClassLabel(names=["negative", "positive"])}
)
COLUMNS: Final = {
    "text": "one text, as the raters saw it",
    "score": "mean human score, from -4 (very negative) to 4 (very positive)",
    "label": "`positive` (1) when the score is above 0, else `negative` (0)",
}
UNDECIDED: Final = "undecided texts, `|score| <= 0.5`"
REPEATED: Final = "duplicates of an earlier text"
CITATION: Final = (
    "Hutto and Gilbert, VADER: A Parsimonious Rule-based Model for Sentiment Analysis of Social Media Text, ICWSM 2014"
)


def read(card: DataCard) -> dict[str, list[Row]]:
    """The rows of every split, from the checked file."""
    return select(assets.path(card.name).read_text("utf-8").splitlines())[0]


def select(lines: Iterable[str]) -> tuple[dict[str, list[Row]], dict[str, int]]:
    """Lines ``number TAB score TAB text``, the first a header → splits, and how many each rule took away.

    A number such as ``17_3`` is the third sentence of the seventeenth document; a document is in one split only.
    """
    removed = {UNDECIDED: 0, REPEATED: 0}
    rows: dict[str, tuple[str, Row]] = {}
    for line in list(lines)[1:]:
        number, mean, text = line.split("\t")
        score, text = float(mean), text.strip()
        document, part, _ = number.partition("_")
        if abs(score) <= 0.5:
            removed[UNDECIDED] += 1
        elif text in rows:
            removed[REPEATED] += 1
        else:
            rows[text] = (document if part else text, {"text": text, "score": score, "label": int(score > 0)})
    keys = {text: key for text, (key, _) in rows.items()}
    kept = [row for _, row in rows.values()]
    return by_hash(kept, lambda row: keys[row["text"]], validation=0.1, test=0.1), removed
