"""ROUGE-1, ROUGE-2 and ROUGE-L: how much of a reference summary's wording an answer shares.

Source: Lin (2004), "ROUGE: A Package for Automatic Evaluation of Summaries", sections 2 and 3, with beta = 1, so that
recall and precision weigh the same.  Words are runs of a–z and 0–9 in small letters, as in the field's usual
implementation without stemming; scores of other tokenizers, of stemmed words or of recall alone are other scores.
"""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Overlap:
    """What an answer and a reference share, and how much each holds: single words, pairs or other n-grams."""

    shared: int
    answer: int
    reference: int

    @property
    def f1(self) -> float:
        """2 · shared / (answer + reference), from 0 to 1: the harmonic mean of precision and recall."""
        return 2 * self.shared / (self.answer + self.reference) if self.shared else 0.0


def words(text: str) -> list[str]:
    """``"It's 5 o'clock!"`` → it, s, 5, o, clock; other letters than a–z part words."""
    return re.findall(r"[a-z0-9]+", text.lower())


def rouge_n(answer: str, reference: str, n: int) -> Overlap:
    """ROUGE-N: n words in a row that both hold; one that occurs twice in each counts twice.

    Raises:
        ValueError: n below 1.
    """
    if n < 1:
        raise ValueError(f"n: expected at least 1, got {n}")
    said, wanted = (_grams(words(text), n) for text in (answer, reference))
    return Overlap((said & wanted).total(), said.total(), wanted.total())


def rouge_l(answer: str, reference: str) -> Overlap:
    """ROUGE-L: the longest list of words that both hold in this order, with gaps."""
    said, wanted = words(answer), words(reference)
    return Overlap(longest_common(said, wanted), len(said), len(wanted))


def longest_common(first: Sequence[str], second: Sequence[str]) -> int:
    """Length of the longest common subsequence.

    Row by row: ``row[j]`` is the length for what was read of ``first`` and ``second[:j]``.
    """
    row = [0] * (len(second) + 1)
    for a in first:
        diagonal = 0
        for j, b in enumerate(second, start=1):
            diagonal, row[j] = row[j], diagonal + 1 if a == b else max(row[j], row[j - 1])
    return row[-1]


def _grams(listed: Sequence[str], n: int) -> Counter[tuple[str, ...]]:
    return Counter(tuple(listed[i : i + n]) for i in range(len(listed) - n + 1))
