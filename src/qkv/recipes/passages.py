"""The running text that the course's language models learn from and are tested on, in passages of about 500 words.

Every row of the set ``running-text``, in its order.  Tweets, reviews and other single sentences stand together in one
passage with their neighbours from the same set.  What is left at the end of a document is shorter.
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from itertools import groupby
from typing import Final, NamedTuple

from datasets import Dataset

from qkv.data import load

WORDS: Final = 500
SPLITS: Final = ("train", "validation", "test")


class Written(NamedTuple):
    """A passage of running text and the set that it comes from."""

    source: str
    text: str


@cache
def running_passages(most: int | None = None) -> dict[str, list[Written]]:
    """Split → passages, the first ``most`` of each split; None = all."""
    sets = load("running-text")
    return {split: _joined(sets[split])[:most] for split in SPLITS}


def sources(most: int | None, split: str) -> list[str]:
    """The set that each passage of a split comes from."""
    return [passage.source for passage in running_passages(most)[split]]


def per_source(
    units: Sequence[int] | Sequence[float], counts: Sequence[int], origins: Sequence[str]
) -> Mapping[str, float]:
    """Sum of units over sum of counts, such as nats and words, of the passages of every source."""
    sums: dict[str, tuple[float, int]] = {}
    for unit, count, source in zip(units, counts, origins, strict=True):
        before = sums.get(source, (0.0, 0))
        sums[source] = before[0] + unit, before[1] + count
    return {source: total / number for source, (total, number) in sums.items()}


def _joined(rows: Dataset) -> list[Written]:
    documents = groupby(rows, key=lambda row: (row["source"], row["document"]))
    return [Written(source, text) for (source, _), document in documents for text in _lots(document)]


def _lots(document: Iterator[Mapping[str, str]]) -> Iterator[str]:
    """Neighbours put together, an empty line between them, until they have 500 words."""
    texts: list[str] = []
    for row in document:
        texts.append(row["text"])
        if sum(len(text.split()) for text in texts) >= WORDS:
            yield "\n\n".join(texts)
            texts = []
    if texts:
        yield "\n\n".join(texts)
