"""The numbers behind the figures "merge game" and "mask tallies"; the page computes the same in JavaScript.

The game's words are those of the lesson.  The tallies' draws are words of mulberry32 (see ``qkv.figures.reference``),
divided by 2^32: token i of text n takes the words 4 (n t + i) and the three after it, for choice, fate, a second toss
and another token.
"""

from typing import Any, Final

import numpy as np

from qkv.figures import reference
from qkv.text.wordpiece import SPECIAL, Score, association, characters, frequency, learn

READ: Final = {"walk": 8, "walked": 4, "talk": 6, "talked": 3, "jumped": 3}
NUM_MERGES: Final = 6
SCORES: Final = {"count": frequency, "score": association}

TOKENS: Final = (
    *("[CLS]", "the", "cat", "left", "the", "mat", "because", "it", "was", "hungry", "[SEP]"),
    *("em", "##bed", "##ding", "##s", "are", "rows", "of", "numbers", "[SEP]"),
)
VERSIONS: Final = ("as published", "a draw compared with a part of itself", "two tosses", "special tokens too")
FATES: Final = ("[MASK]", "another", "itself")


def alphabet() -> list[str]:
    """Special tokens and characters, in the order in which ``WordPiece.train`` has them."""
    found = {piece for word in READ for piece in characters(word)}
    return [*SPECIAL, *sorted(found, key=lambda piece: (piece.startswith("##"), piece))]


def merges(score: Score, count: int = NUM_MERGES) -> list[tuple[str, str]]:
    """The first merges of the library."""
    vocabulary = {piece: i for i, piece in enumerate(alphabet())}
    return learn(READ, vocabulary, len(vocabulary) + count, score)


def tallies(version: str, num_texts: int, seed: int = reference.SEED) -> dict[str, int]:
    """How many tokens were chosen, what became of them, and how many special ones are among them."""
    drawn = reference.words(seed, 0, 4 * num_texts * len(TOKENS)).astype(np.float64) / 2**32
    choice, fate, second, _ = drawn.reshape(-1, 4).T
    special = np.tile([token.startswith("[") for token in TOKENS], num_texts)
    chosen = (choice < 0.15) & (~special | (version == VERSIONS[3]))
    hidden, other = fate < 0.8, (fate >= 0.8) & (fate < 0.9)
    if version == VERSIONS[1]:
        hidden, other = choice < choice * 0.8, (choice >= choice * 0.8) & (choice < choice * 0.9)
    if version == VERSIONS[2]:
        other = (fate >= 0.8) & (second < 0.1)
    counts = {"chosen": chosen, "[MASK]": chosen & hidden, "another": chosen & other, "special": chosen & special}
    found = {name: int(hits.sum()) for name, hits in counts.items()}
    return found | {"itself": found["chosen"] - found["[MASK]"] - found["another"]}


def merge_game_data() -> dict[str, Any]:
    """Words, how often each was read, and the vocabulary to begin with."""
    return {"read": [[word, times] for word, times in READ.items()], "alphabet": alphabet()}


def mask_tallies_data() -> dict[str, Any]:
    """Tokens, versions and seed."""
    return {"tokens": TOKENS, "versions": VERSIONS, "seed": reference.SEED}
