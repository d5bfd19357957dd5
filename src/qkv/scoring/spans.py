"""F1 of spans, for tags such as B-person, I-person, O: a span counts only if its type and both its ends are right."""

from collections.abc import Sequence
from dataclasses import dataclass

Span = tuple[str, int, int]  # type, first token, one past the last


@dataclass(frozen=True)
class SpanScore:
    """Shares from 0 to 1 over all spans of all sentences (micro average); 0 where there is nothing to divide by."""

    precision: float
    recall: float
    f1: float


def spans(tags: Sequence[str]) -> set[Span]:
    """The spans of one sentence: B opens one, I goes on with it.

    An I that follows no span of its type opens one, as in the evaluation script of CoNLL-2000.

        >>> spans(["B-person", "I-person", "O", "I-film"])
        {("person", 0, 2), ("film", 3, 4)}

    Raises:
        ValueError: a tag that is neither O nor B- or I- with a type.
    """
    found: set[Span] = set()
    start, kind = 0, ""
    for i, tag in enumerate([*tags, "O"]):
        mark, _, name = tag.partition("-")
        if (mark in "BI") != bool(name) or mark not in ("B", "I", "O"):
            raise ValueError(f"expected O, B-type or I-type, got {tag!r} at token {i}")
        if kind and (mark != "I" or name != kind):
            found.add((kind, start, i))
            kind = ""
        if name and not kind:
            start, kind = i, name
    return found


def span_f1(answers: Sequence[Sequence[str]], references: Sequence[Sequence[str]]) -> SpanScore:
    """Precision, recall and F1 over all sentences (Tjong Kim Sang & De Meulder 2003, section 2).

    Raises:
        ValueError: not one answer per reference, or not one tag per token, or as ``spans``.
    """
    if [len(tags) for tags in answers] != [len(tags) for tags in references]:
        raise ValueError(f"expected as many tags as tokens in each sentence, got {_lengths(answers, references)}")
    given, true = (list(map(spans, each)) for each in (answers, references))
    right = sum(len(a & b) for a, b in zip(given, true, strict=True))
    precision, recall = (right / max(1, sum(map(len, each))) for each in (given, true))
    return SpanScore(precision, recall, 2 * precision * recall / max(precision + recall, 1e-300))


def _lengths(answers: Sequence[Sequence[str]], references: Sequence[Sequence[str]]) -> str:
    if len(answers) != len(references):
        return f"{len(answers)} answers and {len(references)} references"
    i = next(i for i, (a, b) in enumerate(zip(answers, references, strict=True)) if len(a) != len(b))
    return f"{len(answers[i])} tags for {len(references[i])} tokens in sentence {i}"
