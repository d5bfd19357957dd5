"""What does a head look at?  Its share of weight on the previous word, the next, equal words, separators, one's kind.

A pattern is a table of pairs (t_q, t_k): True where reading that key would count.  ``shares`` asks how much weight a
head puts there, over many sentences.  A share says little alone: ``offset_shares`` gives what a blind rule gets that
always reads k places away (the baseline of Clark et al. 2019, "What Does BERT Look At?", section 4.2), and
``even_shares`` what spreading evenly gets.  Compare with a model of random weights as well.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Final

import torch
from jaxtyping import Bool, Float
from torch import Tensor

SEPARATORS: Final = ("[CLS]", "[SEP]")
Pairs = Bool[Tensor, "_ _"]  # square; sentences of one list differ in length, so the size has no name
Sentence = tuple[Sequence[str], Sequence[str | None]]  # tokens, and the kind of each where it is known


def offset(tokens: Sequence[str], distance: int) -> Pairs:
    """The key ``distance`` places to the right of the query (-1 = the previous token), where both are words."""
    place = torch.arange(len(tokens))
    return (place[None] - place[:, None] == distance) & _words(tokens)


def same_word(tokens: Sequence[str]) -> Pairs:
    """Other places at which the query's own token stands."""
    equal = torch.tensor([[a == b for b in tokens] for a in tokens], dtype=torch.bool)
    return equal & _words(tokens) & ~torch.eye(len(tokens), dtype=torch.bool)


def separators(tokens: Sequence[str]) -> Pairs:
    """``[CLS]`` and ``[SEP]``, read by words."""
    word = _is_word(tokens)
    return word[:, None] & ~word[None]


def same_kind(tokens: Sequence[str], kinds: Sequence[str | None]) -> Pairs:
    """Other words of the query's kind; words of unknown kind neither ask nor are read.

    Raises:
        ValueError: not one kind per token.
    """
    if len(kinds) != len(tokens):
        raise ValueError(f"expected one kind (or None) per token, got {len(kinds)} for {len(tokens)} tokens")
    equal = torch.tensor([[a is not None and a == b for b in kinds] for a in kinds], dtype=torch.bool)
    return equal & _words(tokens) & ~torch.eye(len(tokens), dtype=torch.bool)


PATTERNS: Final[dict[str, Callable[[Sentence], Pairs]]] = {
    "previous word": lambda sentence: offset(sentence[0], -1),
    "itself": lambda sentence: offset(sentence[0], 0),
    "next word": lambda sentence: offset(sentence[0], 1),
    "same word elsewhere": lambda sentence: same_word(sentence[0]),
    "separators": lambda sentence: separators(sentence[0]),
    "same part of speech": lambda sentence: same_kind(*sentence),
}


def shares(
    weights: Iterable[Float[Tensor, "layers heads _ _"]], pairs: Iterable[Pairs]
) -> Float[Tensor, "layers heads"]:
    """Mean weight that each head puts on the pattern, over all rows in which the pattern has a key to offer.

    Args:
        weights: of one sentence after the other; rows add up to 1.
        pairs: the pattern's table for each of these sentences.

    Raises:
        ValueError: the pattern occurs in no sentence, or the lists differ in length.
    """
    total, rows = torch.zeros(()), 0
    for attention, counts in zip(weights, pairs, strict=True):
        asked = counts.any(-1)
        total = total + (attention * counts).sum(-1)[..., asked].sum(-1)
        rows += int(asked.sum())
    if not rows:
        raise ValueError("the pattern occurs in none of the sentences")
    return total / rows


def offset_shares(pairs: Sequence[Pairs], distances: Sequence[int]) -> dict[int, float]:
    """What a blind rule gets that puts all its weight ``distance`` places away, and none where that is outside."""
    return {
        distance: float(shares([_shifted(len(table), distance)[None, None] for table in pairs], pairs))
        for distance in distances
    }


def even_shares(pairs: Sequence[Pairs]) -> float:
    """What a head gets that reads all tokens alike."""
    return float(shares([torch.full((1, 1, len(table), len(table)), 1 / len(table)) for table in pairs], pairs))


def _shifted(length: int, distance: int) -> Float[Tensor, "t t"]:
    place = torch.arange(length)
    return (place[None] - place[:, None] == distance).float()


def _is_word(tokens: Sequence[str]) -> Bool[Tensor, " t"]:
    return torch.tensor([token not in SEPARATORS for token in tokens], dtype=torch.bool)


def _words(tokens: Sequence[str]) -> Pairs:
    word = _is_word(tokens)
    return word[:, None] & word[None]
