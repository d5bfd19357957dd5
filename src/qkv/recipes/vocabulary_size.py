"""What does the size of a vocabulary cost: pieces per word, words unknown, entries never met?  Counted, not sampled.

Sennrich et al. (2016), Table 1, count tokens, types and unknown tokens of one text under several ways to cut it: words
leave some unknown, characters and BPE none, or next to none.  Wu et al. (2016), section 4.1, say of wordpieces that
they sit between characters and words.

Data: the set ``gutenberg``.  Vocabularies are learnt from the training passages and used on the test passages, of the
same books: of a book that was not opened, more words would be unknown to a vocabulary of words.  Word pieces are learnt
by the likelihood gain, as our BERT's; a vocabulary of words of the same size holds the most frequent words and the five
special tokens.  Words are those of BERT: lower case, punctuation marks alone.

Stated before the run.  Primary contrast, over test passages and all sizes: words that the pieces leave unknown.  The
claim is that there are none, so the margin is 0 and the verdict ``exact`` or not.  It is a claim about this text, whose
characters all stand in the training passages; a word with any other character is unknown as a whole.
Beside it, for each size: unknown words of a vocabulary of words, tokens per word, and types, the different tokens met.

Command: python -m qkv run vocabulary-size.  About two minutes of one core.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from qkv.data import load
from qkv.recipes import protocol
from qkv.recipes.protocol import Fact
from qkv.recipes.result import Quantity, Result, Values
from qkv.text.wordpiece import SPECIAL, UNKNOWN, characters, cut, learn, likelihood_gain, words

CLAIM = "A vocabulary of word pieces leaves no word of new passages unknown, at any size."
PAPER = (
    "Sennrich et al. 2016, table 1: of a test text, 1,079 words are unknown to a vocabulary of words, 0 to BPE with "
    "59,500 merges; 100 million words become 112 million tokens."
)
CONTRAST = "words of a test passage that the pieces leave unknown, over all sizes"
UNIT = "words"
OVER = "items"
SEEDS = 1
VERIFY = "pieces 500"
TOLERANCE = {"tokens": 0.0, "types": 0.0, "share unknown": 0.0}


@dataclass(frozen=True)
class Config:
    """The presets are "smoke" (seconds, for tests) and "full" (the published run)."""

    sizes: tuple[int, ...] = (500, 1000, 2000, 4000, 8000, 16000)
    num_passages: int | None = None  # of training and of test; None = all
    margin: float = 0.0


PRESETS: Final = {"smoke": Config((500, 1000), 20), "full": Config()}


@cache
def passages(config: Config, split: str) -> list[Counter[str]]:
    """The words of each passage and how often they stand there."""
    return [Counter(words(text)) for text in load("gutenberg")[split]["text"][: config.num_passages]]


@cache
def training_words(config: Config) -> Counter[str]:
    """The words of all training passages."""
    return Counter(word for passage in passages(config, "train") for word in passage.elements())


def pieces(config: Config, size: int) -> dict[str, int]:
    """A vocabulary of word pieces: special tokens, characters, then merges."""
    counts = training_words(config)
    alphabet = sorted({piece for word in counts for piece in characters(word)})
    vocabulary = {piece: i for i, piece in enumerate((*SPECIAL, *alphabet))}
    learn(counts, vocabulary, size, likelihood_gain)
    return vocabulary


def whole_words(config: Config, size: int) -> dict[str, int]:
    """The most frequent words; of equals the one met first."""
    frequent = [word for word, _ in training_words(config).most_common(size - len(SPECIAL))]
    return {token: i for i, token in enumerate((*SPECIAL, *frequent))}


def arms(config: Config) -> list[str]:
    """Both kinds of vocabulary at each size."""
    return [f"{kind} {size}" for size in config.sizes for kind in ("pieces", "words")]


def run(config: Config, arm: str, seed: int) -> protocol.Record:
    """Unknown words of each test passage, and the counts over all of them."""
    kind, size = arm.split()
    vocabulary = (pieces if kind == "pieces" else whole_words)(config, int(size))
    split = (lambda word: cut(word, vocabulary)) if kind == "pieces" else (lambda word: [known(word, vocabulary)])
    test = passages(config, "test")
    cuts = {word: split(word) for passage in test for word in passage}
    unknown = [sum(times for word, times in passage.items() if UNKNOWN in cuts[word]) for passage in test]
    seen = Counter[str]()
    for passage in test:
        for word, times in passage.items():
            seen.update({token: times * cuts[word].count(token) for token in cuts[word]})
    total = sum(passage.total() for passage in test)
    return {
        "unknown": unknown,
        "share unknown": round(100 * sum(unknown) / total, 6),
        "tokens": round(seen.total() / total, 6),
        "types": len(seen),
        "words": total,
    }


def known(word: str, vocabulary: Mapping[str, int]) -> str:
    """The word, or the token for unknown ones."""
    return word if word in vocabulary else UNKNOWN


def differences(config: Mapping[str, Any], values: Values) -> list[float]:
    """Unknown words under word pieces, one number for each passage and size."""
    return [float(count) for arm in values if arm.startswith("pieces") for count in values[arm]["unknown"][0]]


def facts(result: Result) -> dict[str, Fact]:
    """Share of unknown words, tokens per word and types of every vocabulary."""
    noted: dict[str, Fact] = {"words": result.values[VERIFY]["words"][0]}
    for arm, values in result.values.items():
        noted[f"unknown {arm}"] = Quantity(values["share unknown"][0], "%")
        noted[f"tokens {arm}"] = Quantity(values["tokens"][0], "tokens a word")
        noted[f"types {arm}"] = values["types"][0]
    return noted
