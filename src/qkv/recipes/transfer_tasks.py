"""Tasks for few labels: what a question asks for, whether a film pleased (one a text), parts of speech (one a word).

All become the same: words, and labels.  So every system reads the same words, and is scored the same way, by the share
of labels that are right.  Of each text the first ``max_words`` words are kept.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from qkv.data import load
from qkv.data.brown import COARSE
from qkv.data.trec import LABELS
from qkv.recipes.few_labels import Labelled, nested_subsets
from qkv.text.words import tokens

HELD_OUT_SEED: Final = 20181011  # which validation and test items are used, where not all of them are


@dataclass(frozen=True)
class TextExample:
    """Words of a text, and its labels: one of the text, or one of each word."""

    words: tuple[str, ...]
    labels: tuple[int, ...]


@dataclass(frozen=True)
class TextTask:
    """``per_word`` says what has a label: each word, or the text."""

    name: str
    num_classes: int
    per_word: bool


@dataclass(frozen=True)
class Splits:
    """All that may be learnt from, and what is held out."""

    train: tuple[TextExample, ...]
    validation: tuple[TextExample, ...]
    test: tuple[TextExample, ...]


TASKS: Final = {
    "TREC": TextTask("TREC", len(LABELS), per_word=False),
    "POS": TextTask("POS", len(COARSE), per_word=True),
    "movies": TextTask("movies", 2, per_word=False),
}
DATA: Final = {"TREC": "trec", "POS": "brown", "movies": "movie-snippets"}


@cache
def splits(task: str, max_words: int, num_validation: int, num_test: int) -> Splits:
    """The data of a task; of validation and test split at most so many, always the same ones."""
    kind, found, kept = TASKS[task], load(DATA[task]), {}
    most = {"train": None, "validation": num_validation, "test": num_test}
    for name, limit in most.items():
        examples = [_example(kind, row) for row in found[name]]
        drawn = examples if limit is None else labelled(kind, examples, min(limit, len(examples)), HELD_OUT_SEED)
        kept[name] = tuple(_shortened(kind, each, max_words) for each in drawn)
    return Splits(**kept)


def labelled(task: TextTask, examples: Sequence[TextExample], size: int, seed: int) -> list[TextExample]:
    """So many examples, drawn by seed: each set holds all smaller ones of the same seed.

    Kinds of questions keep their shares; of sentences any may come.
    """
    kinds = [0 if task.per_word else example.labels[0] for example in examples]
    data = Labelled([" ".join(example.words) for example in examples], kinds)
    return [examples[i] for i in nested_subsets(data, [size], seed)[size]]


def share_right(predicted: Sequence[Sequence[int]], examples: Sequence[TextExample]) -> float:
    """Labels that are right, in %.

    Raises:
        ValueError: not one prediction for each label.
    """
    pairs = [
        pair
        for labels, example in zip(predicted, examples, strict=True)
        for pair in zip(labels, example.labels, strict=True)
    ]
    return 100 * sum(a == b for a, b in pairs) / len(pairs)


def _example(task: TextTask, row: Mapping[str, Any]) -> TextExample:
    if task.per_word:
        return TextExample(tuple(row["words"]), tuple(row["coarse"]))
    return TextExample(tuple(tokens(row["text"])), (row["label"],))


def _shortened(task: TextTask, example: TextExample, max_words: int) -> TextExample:
    labels = example.labels[:max_words] if task.per_word else example.labels
    return TextExample(example.words[:max_words], labels)
