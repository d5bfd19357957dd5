"""Edit distance, and the error rates that are counted with it: PER over sounds, WER over words."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

Sounds = Sequence[Hashable]


def edit_distance(first: Sounds, second: Sounds) -> int:
    """Fewest insertions, deletions and substitutions that turn one sequence into the other (Levenshtein 1966).

    Row by row (Wagner & Fischer 1974): ``row[j]`` is the distance between what was read of ``first`` and
    ``second[:j]``.
    """
    row = list(range(len(second) + 1))
    for i, a in enumerate(first, start=1):
        diagonal, row[0] = row[0], i
        for j, b in enumerate(second, start=1):
            diagonal, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, diagonal + (a != b))
    return row[-1]


@dataclass(frozen=True)
class Outcome:
    """One item: edits to the nearest reference, and that reference's length."""

    edits: int
    length: int


def nearest(answer: Sounds, references: Sequence[Sounds]) -> Outcome:
    """Against the reference with the fewest edits; of equals, the first.

    Raises:
        ValueError: no references, or an empty one.
    """
    if not references or not all(map(len, references)):
        raise ValueError(f"expected references that are not empty, got {list(references)}")
    return min((Outcome(edit_distance(answer, each), len(each)) for each in references), key=lambda each: each.edits)


def outcomes(answers: Sequence[Sounds], references: Sequence[Sequence[Sounds]]) -> list[Outcome]:
    """One outcome per item.  Raises ValueError: no items, or not one set of references per answer."""
    if not answers or len(answers) != len(references):
        raise ValueError(f"expected one set of references per answer, got {len(answers)} and {len(references)}")
    return [nearest(answer, listed) for answer, listed in zip(answers, references, strict=True)]


def word_error_rate(items: Sequence[Outcome]) -> float:
    """Share of items that equal none of their references."""
    return sum(item.edits > 0 for item in items) / len(items)


def phoneme_error_rate(items: Sequence[Outcome]) -> float:
    """Edits of all items, divided by the length of all their nearest references; may exceed 1."""
    return sum(item.edits for item in items) / sum(item.length for item in items)
