"""What a small translation model has to beat: copying, a dictionary learned from the pairs, and the nearest verse."""

import re
from collections.abc import Sequence
from typing import Final

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer

from qkv.text.words import tokens

Pairs = Sequence[tuple[str, str]]  # source, target
NUM_ROUNDS: Final = 5


class WordByWord:
    """Each word becomes the one that it most probably stands for; the order stays, and an unknown word is copied.

    Probabilities are those of IBM's model 1 (Brown et al. 1993, section 4.1), without its empty word: every target
    word comes from one source word of the same pair, each equally likely at first, and five rounds of
    expectation–maximisation make it sharper.
    """

    def __init__(self, pairs: Pairs, num_rounds: int = NUM_ROUNDS):
        cut = [(tokens(source), tokens(target)) for source, target in pairs]
        self.dictionary = most_probable(cut, num_rounds)

    def translate(self, text: str) -> str:
        """Words joined by spaces, with none before a mark that closes."""
        words = " ".join(self.dictionary.get(word, word) for word in tokens(text))
        return re.sub(r" ([,.;:?!)])", r"\1", words)


def most_probable(pairs: Sequence[tuple[list[str], list[str]]], num_rounds: int) -> dict[str, str]:
    """Source word → the target word of highest probability; of equal ones the first in the alphabet."""
    sources, targets = (sorted({word for pair in pairs for word in pair[side]}) for side in (0, 1))
    source_ids, target_ids = ({word: i for i, word in enumerate(words)} for words in (sources, targets))
    links, places, place = [], [], 0  # each link: a target word at its place, with one of its possible sources
    for source, target in pairs:
        for word in target:
            links += [source_ids[each] * len(targets) + target_ids[word] for each in source]
            places += [place] * len(source)
            place += 1
    known, link = np.unique(np.array(links), return_inverse=True)
    where, source_of = np.array(places), known // len(targets)
    probability = np.ones(len(known))
    for _ in range(num_rounds):
        share = probability[link] / np.bincount(where, probability[link])[where]
        counts = np.bincount(link, share)
        probability = counts / np.bincount(source_of, counts)[source_of]
    best = np.lexsort((known, -probability, source_of))
    first = best[np.unique(source_of[best], return_index=True)[1]]
    return {sources[each // len(targets)]: targets[each % len(targets)] for each in known[first].tolist()}


class NearestVerse:
    """The translation of the learning text that shares most words with the one to translate, rare ones counting more.

    Nearness is the cosine of tf-idf vectors; of equally near texts the first is taken.
    """

    def __init__(self, pairs: Pairs):
        self.targets = [target for _, target in pairs]
        self.vectorizer = TfidfVectorizer(tokenizer=tokens, token_pattern=None)
        self.vectors = self.vectorizer.fit_transform([source for source, _ in pairs])

    def translate(self, texts: Sequence[str]) -> list[str]:
        """One target per text."""
        nearness = self.vectorizer.transform(texts) @ self.vectors.T
        return [self.targets[i] for i in np.asarray(nearness.argmax(axis=1)).ravel()]
