"""Neighbouring tokens: how often each pair stands in the words of a text, kept up to date while pairs become tokens.

BPE and WordPiece learn alike: a word is a row of characters, the best pair becomes one token wherever it stands, and so
on.  They differ in what they call best, and in how they write a token inside a word.
"""

import heapq
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Final

Pair = tuple[str, str]
Entry = tuple[float, int, int, Pair]  # minus the score, the ids of the two tokens, the pair

_CROWDED: Final = 8  # entries of a queue for each pair there is


class PairCounts:
    """How often tokens and pairs stand in the words; a merge touches only the words where its pair is.

    Args:
        counts: how often each word was seen.
        cut: a word → the tokens to begin with.
    """

    def __init__(self, counts: Mapping[str, int], cut: Callable[[str], list[str]]):
        self.counts = counts
        self.words = {word: cut(word) for word in counts}
        self.tokens, self.pairs = Counter[str](), Counter[Pair]()
        self.where: dict[Pair, set[str]] = defaultdict(set)  # the words that hold a pair, or once did
        for word in counts:
            self._add(word)
        self.total = self.tokens.total()

    def merge(self, pair: Pair, whole: str) -> set[Pair]:
        """The token ``whole`` in place of the pair, everywhere.  Gives the pairs whose count has risen."""
        risen, before = set[Pair](), self.tokens[whole]
        for word in self.where.pop(pair):
            self._take_away(word)
            self.words[word] = merged(self.words[word], pair, whole)
            risen |= {each for each in self._add(word) if whole in each}
        self.total -= self.tokens[whole] - before
        return risen

    def _add(self, word: str) -> list[Pair]:
        tokens, times = self.words[word], self.counts[word]
        pairs = list(pairwise(tokens))
        for token in tokens:
            self.tokens[token] += times
        for pair in pairs:
            self.pairs[pair] += times
            self.where[pair].add(word)
        return pairs

    def _take_away(self, word: str) -> None:
        tokens, times = self.words[word], self.counts[word]
        for token in tokens:
            self.tokens[token] -= times
        for pair in pairwise(tokens):
            self.pairs[pair] -= times
            if not self.pairs[pair]:
                del self.pairs[pair]


class PairQueue:
    """The best pair first; of equally good ones that with the lower id on the left, then on the right.

    A score that has fallen is noticed when its turn comes.  One that may have risen must be pushed again.

    Args:
        score: how good a pair is now.
        ids: of all tokens; they may become more.
    """

    def __init__(self, counts: PairCounts, score: Callable[[Pair], float], ids: Mapping[str, int]):
        self.counts, self.score, self.ids = counts, score, ids
        self.queue = list[Entry]()
        self.push(counts.pairs)

    def push(self, pairs: Iterable[Pair]) -> None:
        """Pairs that are new or may have become better."""
        if len(self.queue) > _CROWDED * len(self.counts.pairs):
            self.queue, pairs = [], self.counts.pairs
        for pair in pairs:
            heapq.heappush(self.queue, (-self.score(pair), self.ids[pair[0]], self.ids[pair[1]], pair))

    def pop(self) -> Pair | None:
        """The best pair; None when there is none left."""
        while self.queue:
            noted, _, _, pair = heapq.heappop(self.queue)
            if pair not in self.counts.pairs:
                continue
            now = -self.score(pair)
            if now == noted:
                return pair
            if now > noted:  # it was worth more when it was pushed
                self.push([pair])
        return None


def merged(tokens: Sequence[str], pair: Pair, whole: str) -> list[str]:
    """``whole`` wherever the pair stands; from the left, so that of a a a the first two become one."""
    found = list[str]()
    for token in tokens:
        if found and (found[-1], token) == pair:
            found[-1] = whole
        else:
            found.append(token)
    return found
