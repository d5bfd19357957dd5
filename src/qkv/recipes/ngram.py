"""What a neural language model has to beat: how often words followed each other, smoothed by Kneser and Ney.

The probability of a word after the two before it is mostly a matter of counting.  Two questions remain: how much to
keep back for what was never seen, and what to put there.  Every count gives up the same discount D; what is gathered
goes to the model with one word less of context.  And that one does not ask how often a word was seen, but after how
many *different* words: "Francisco" is frequent, yet it follows one word alone.

Source: Kneser & Ney (1995), in the interpolated form of Chen & Goodman (1999).
"""

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

Ids = Sequence[int]
Gram = tuple[int, ...]


@dataclass(frozen=True)
class Level:
    """Counts of n words in a row, and for each context, the first n - 1: their sum, and how many different words."""

    grams: Counter[Gram]
    seen: Counter[Gram]
    different: Counter[Gram]


def count_levels(sentences: Iterable[Ids], order: int) -> list[Level]:
    """Counts for contexts of 0, 1, …, order - 1 words; only the last are true frequencies.

    Below, a gram counts once for each different word that stood before it.  The first id of a sentence is its begin
    mark; it is given, never predicted, and repeated where a context reaches further back.

    Raises:
        ValueError: an order below 1, or no sentence with a word to predict.
    """
    if order < 1:
        raise ValueError(f"order: expected at least 1, got {order}")
    grams = Counter(gram for sentence in sentences for gram in _grams(sentence, order))
    if not grams:
        raise ValueError("expected a sentence of at least two ids, its begin mark and a word, got none")
    return levels_of(grams, order)


def levels_of(grams: Counter[Gram], order: int) -> list[Level]:
    """The same for grams of ``order`` ids that were counted by someone else; the last id is the one to predict."""
    levels = []
    for _ in range(order):
        seen: Counter[Gram] = Counter()
        for gram, times in grams.items():
            seen[gram[:-1]] += times
        levels.append(Level(grams, seen, Counter(gram[:-1] for gram in grams)))
        grams = Counter(gram[1:] for gram in grams)
    return levels[::-1]


class KneserNey:
    """p(w | u) = (max(c(u w) - D, 0) + D · N(u) · p(w | u without its first word)) / c(u).

    c(u) is the sum of the counts c(u w) over all words, N(u) how many different words came after u.  An unseen context
    leaves the shorter one's word standing.  Below the single words lies 1 / vocab_size.  All words together have 1.

    Args:
        levels: from ``count_levels``.
        discount: D, the same everywhere.

    Raises:
        ValueError: a discount that is not between 0 and 1, or an id outside the vocabulary.
    """

    def __init__(self, levels: Sequence[Level], vocab_size: int, discount: float):
        if not 0 < discount < 1:
            raise ValueError(f"discount: expected a number between 0 and 1, got {discount}")
        if (highest := max(gram[-1] for gram in levels[0].grams)) >= vocab_size:
            raise ValueError(f"vocab_size: expected more than the highest id, {highest}, got {vocab_size}")
        self.levels, self.vocab_size, self.discount = levels, vocab_size, discount

    def probability(self, word: int, context: Ids) -> float:
        """Of the word, after the context; of a longer context only the last order - 1 ids count."""
        p = 1 / self.vocab_size
        for length, level in enumerate(self.levels):
            given = tuple(context[len(context) - length :])
            if len(given) < length or not (seen := level.seen[given]):
                break
            kept = max(level.grams[(*given, word)] - self.discount, 0.0)
            p = (kept + self.discount * level.different[given] * p) / seen
        return p

    def distribution(self, context: Ids) -> np.ndarray:
        """The probabilities of all words after the context, (vocab_size,)."""
        p = np.full(self.vocab_size, 1 / self.vocab_size)
        for length, level in enumerate(self.levels):
            given = tuple(context[len(context) - length :])
            if len(given) < length or not (seen := level.seen[given]):
                break
            words, counts = self._after[length][given]
            p *= self.discount * level.different[given] / seen
            p[words] += (counts - self.discount).clip(0) / seen
        return p

    @cached_property
    def _after(self) -> list[dict[Gram, tuple[np.ndarray, np.ndarray]]]:
        """Of each level: context → the words that came after it, and how often."""
        found = []
        for level in self.levels:
            lists: dict[Gram, tuple[list[int], list[int]]] = {}
            for gram, times in level.grams.items():
                words, counts = lists.setdefault(gram[:-1], ([], []))
                words.append(gram[-1])
                counts.append(times)
            found.append({gram: (np.array(words), np.array(counts)) for gram, (words, counts) in lists.items()})
        return found

    def loss(self, sentence: Ids) -> float:
        """Sum of -ln p over all ids but the first, in nats."""
        grams = _grams(sentence, len(self.levels))
        return -sum(math.log(self.probability(gram[-1], gram[:-1])) for gram in grams)


def _grams(sentence: Ids, order: int) -> Iterable[Gram]:
    """Every id but the first with the order - 1 before it."""
    padded = (*[sentence[0]] * (order - 2), *sentence)
    start = max(order - 2, 0) + 1  # the first id that is predicted
    return (padded[i - order + 1 : i + 1] for i in range(start, len(padded)))
