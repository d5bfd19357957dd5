"""Ways to find the answer in a passage (``qkv.data.span_questions``): BERT with a span head, and counting.

Shapes: b questions, t pieces of the longest question with its passage.

BERT reads [CLS] question [SEP] passage [SEP]; the passage is segment 1, a vector that our own BERT has never trained.
An answer begins and ends with words, so the last word of an answer is scored at its first piece, as its first one is.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Final, NamedTuple

import numpy as np
import torch
from jaxtyping import Bool, Float
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from qkv.data.span_questions import SpanQuestion
from qkv.models.bert import BERT
from qkv.recipes.transfer_systems import Source, Training, shortened
from qkv.text.wordpiece import CLS, PAD, SEP, UNKNOWN, WordPiece
from qkv.training.fine_tuning import Shuffled, fine_tune
from qkv.training.schedules import slanted_triangular
from qkv.transfer.bert_heads import SpanFinder, best_span
from qkv.transfer.bert_inputs import Marks, PieceRow, side_by_side, two_texts
from qkv.transfer.param_groups import decayed

MOST_PIECES: Final = 16  # from the first piece of an answer to the first piece of its last word
MOST_WORDS: Final = 5  # of an answer, for counting
REACH: Final = 6  # words to each side in which counting looks for words of the question
Spans = list[list[int]]  # first and last word of each answer, included
Find = Callable[[Sequence[SpanQuestion]], Spans]


def exact(found: Spans, questions: Sequence[SpanQuestion]) -> float:
    """Answers whose words are those of the true one, in %; capitals do not count.

    Raises:
        ValueError: not one span per question, or no questions.
    """
    if not questions or len(found) != len(questions):
        raise ValueError(f"expected one span for each of at least one question, got {len(found)}, {len(questions)}")
    pairs = zip(found, questions, strict=True)
    right = [" ".join(each.passage[a : b + 1]).lower() == each.answer.lower() for (a, b), each in pairs]
    return 100 * sum(right) / len(right)


# BERT ----------------------------------------------------------------------------------------------------------------


class Asked(NamedTuple):
    """A question as the network reads it, and the places of its answer's first and last word."""

    row: PieceRow
    first: int
    last: int


def marks_of(pieces: WordPiece) -> Marks:
    """What stands around texts, and behind the shorter ones."""
    return Marks(*(pieces.ids[mark] for mark in (CLS, SEP, PAD)))


def asked(question: SpanQuestion, pieces: WordPiece) -> Asked:
    """The pieces of both texts."""
    first, second = (
        [shortened(pieces.encode(word) or [pieces.ids[UNKNOWN]]) for word in words]
        for words in (question.question, question.passage)
    )
    row = two_texts(first, second, marks_of(pieces))
    return Asked(row, row.places[question.first], row.places[question.last])


class Finder(nn.Module):
    """BERT and its span head."""

    def __init__(self, bert: BERT, pieces: WordPiece):
        super().__init__()
        self.network, self.pieces = SpanFinder(bert), pieces
        self.marks = marks_of(pieces)

    def encode(self, question: SpanQuestion) -> Asked:
        """The pieces of both texts."""
        return asked(question, self.pieces)

    def forward(self, items: Sequence[Asked]) -> tuple[Float[Tensor, "b t"], Float[Tensor, "b t"]]:
        """Scores of every piece as first and as last; padding has none."""
        rows = side_by_side([item.row for item in items], self.marks)
        nowhere = ~rows.may_attend[:, 0]
        first, last = self.network(rows.ids, rows.segments, rows.may_attend)
        return first.masked_fill(nowhere, -torch.inf), last.masked_fill(nowhere, -torch.inf)

    def loss(self, items: Sequence[Asked]) -> Float[Tensor, ""]:
        """Cross-entropy of the first and of the last place, and the mean of both."""
        first, last = self(items)
        of_first, of_last = (torch.tensor(places) for places in zip(*((i.first, i.last) for i in items), strict=True))
        return (cross_entropy(first, of_first) + cross_entropy(last, of_last)) / 2


@torch.no_grad()
def spans(finder: Finder, questions: Sequence[SpanQuestion], at_once: int = 32) -> Spans:
    """The best span of each question, in words of its passage."""
    found: Spans = []
    for i in range(0, len(questions), at_once):
        items = [finder.encode(question) for question in questions[i : i + at_once]]
        first, last = finder(items)
        best = best_span(first, last, _may_answer(items, first.shape[1]), MOST_PIECES)
        found += [[item.row.places.index(p) for p in ends] for item, ends in zip(items, best.tolist(), strict=True)]
    return found


def _may_answer(items: Sequence[Asked], length: int) -> Bool[Tensor, "b t"]:
    allowed = torch.zeros(len(items), length, dtype=torch.bool)
    for row, item in enumerate(items):
        allowed[row, item.row.places] = True
    return allowed


def fine_tuned(
    bert: BERT, pieces: WordPiece, train: Sequence[SpanQuestion], rate: float, training: Training, seed: int
) -> Finder:
    """The span head and all of BERT that is not frozen, trained with ``rate`` as the peak."""
    torch.manual_seed(seed)
    finder = Finder(bert, pieces)
    fine_tune(
        finder,
        finder.loss,
        Shuffled([finder.encode(question) for question in train], training.batch_size, seed),
        torch.optim.AdamW(decayed(finder), lr=rate),
        partial(slanted_triangular, num_steps=training.num_steps),
        training.num_steps,
    )
    return finder


def find_by_bert(
    found: Source,
    start: Callable[[BERT], BERT],
    train: Sequence[SpanQuestion],
    rate: float,
    training: Training,
    seed: int,
) -> Find:
    """As ``fine_tuned``, from a copy of a published model or from one drawn anew; returns what answers questions."""
    torch.manual_seed(seed)
    return partial(spans, fine_tuned(start(found.model), found.words, train, rate, training, seed))


# Counting ------------------------------------------------------------------------------------------------------------


def features(question: SpanQuestion, i: int) -> list[str]:
    """What counting sees of a word: how it is written, beside what, and how much of the question stands near it."""
    words, asked = question.passage, set(question.question)
    near = sum(word.lower() in asked for word in words[max(0, i - REACH) : i + REACH + 1])
    before, after = (words[j] if 0 <= j < len(words) else "" for j in (i - 1, i + 1))
    written = f"{question.kind} {_written(words[i])}"
    return [
        written,
        f"{question.kind} before={before.lower()}",
        f"{written} before={_written(before)} after={_written(after)}",
        f"{question.kind} {words[i].lower()}",
        f"asked={words[i].lower() in asked}",
        f"{written} near={min(near, 6)}",
    ]


def _written(word: str) -> str:
    return (
        "digits" if word[:1].isdigit() else "capital" if word[:1].isupper() else "letters" if word.isalpha() else "mark"
    )


class CountedEnds:
    """Two logistic regressions: does an answer begin here, does it end here?  Then the best pair of words."""

    def __init__(self, strength: float):
        self.models = [
            make_pipeline(
                CountVectorizer(analyzer=lambda given: given, binary=True, dtype=float),
                LogisticRegression(C=strength, max_iter=200),
            )
            for _ in range(2)
        ]

    def fit(self, questions: Sequence[SpanQuestion]) -> "CountedEnds":
        """Learn from every word of every passage; returns itself."""
        rows = [features(each, i) for each in questions for i in range(len(each.passage))]
        for model, end in zip(self.models, ("first", "last"), strict=True):
            model.fit(rows, [i == getattr(each, end) for each in questions for i in range(len(each.passage))])
        return self

    def __call__(self, questions: Sequence[SpanQuestion]) -> Spans:
        """The pair with the highest sum of scores, first <= last, at most five words."""
        return [self._best([features(each, i) for i in range(len(each.passage))]) for each in questions]

    def _best(self, rows: list[list[str]]) -> list[int]:
        first, last = (model.decision_function(rows) for model in self.models)
        scores: Any = first[:, None] + last[None]
        fits = np.triu(np.tril(np.ones_like(scores), MOST_WORDS - 1))
        best = int(np.where(fits > 0, scores, -np.inf).argmax())
        return [best // len(rows), best % len(rows)]


def find_by_counting(train: Sequence[SpanQuestion], strength: float) -> Find:
    """A plain rival for the span head."""
    return CountedEnds(strength).fit(train)
