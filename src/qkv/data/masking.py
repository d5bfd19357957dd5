"""BERT's gaps: which tokens are to be guessed, and what stands in their place.

A model that sees both sides of every token can be trained on one question only: which token stood here?  Devlin et al.
(2019, section 3.1) choose 15 % of the tokens.  Of the chosen ones 80 % become ``[MASK]``; but no reader of a finished
model ever meets a ``[MASK]``, so 10 % become another token, drawn at random, and 10 % stay as they are.  All of the
chosen ones are to be guessed, those that stayed too; nothing else is.

The gaps are drawn anew with every call (dynamic masking, Liu et al. 2019, section 4.1): the ids given are not changed.
"""

from collections.abc import Collection
from typing import Final

import torch
from jaxtyping import Bool, Integer
from torch import Tensor

CHOSEN: Final = 0.15  # of all tokens that are not special
HIDDEN: Final = 0.8  # of the chosen ones: become [MASK]
RANDOM: Final = 0.1  # of the chosen ones: become a random token; the rest stay
IGNORED: Final = -100  # the label that torch's cross-entropy leaves out


def mask_tokens(
    ids: Integer[Tensor, "b t"],
    special_mask: Bool[Tensor, "b t"],
    mask_id: int,
    vocab_size: int,
    generator: torch.Generator,
    special_ids: Collection[int] = (),
) -> tuple[Integer[Tensor, "b t"], Integer[Tensor, "b t"]]:
    """Masked ids, and labels: the token that stood there where it was chosen, else -100.

    Every token is chosen or not on its own, so the share of a batch varies a little; a small batch may have no gap.

    Args:
        special_mask: True where a token must not be chosen: ``[CLS]``, ``[SEP]``, ``[UNK]`` and all padding.
        special_ids: never drawn as a random token, and neither is ``mask_id``.  All other ids of the vocabulary are
            equally likely, the token that stood there included.

    Raises:
        ValueError: shapes that differ, an id outside the vocabulary, or no id left to draw from.
    """
    _check(ids, special_mask)
    chosen = torch.rand(ids.shape, generator=generator) < CHOSEN
    return corrupt(ids, chosen & ~special_mask, mask_id, vocab_size, generator, special_ids)


def mask_whole_words(
    ids: Integer[Tensor, "b t"],
    special_mask: Bool[Tensor, "b t"],
    goes_on: Bool[Tensor, "b t"],
    mask_id: int,
    vocab_size: int,
    generator: torch.Generator,
    special_ids: Collection[int] = (),
) -> tuple[Integer[Tensor, "b t"], Integer[Tensor, "b t"]]:
    """As ``mask_tokens``, but the pieces of a word are chosen together or not at all.

    From one piece of a word the others are easily guessed.  What becomes of each chosen piece is still decided piece by
    piece, as in the code that Google published with its whole-word models in May 2019.

    Args:
        goes_on: True where a piece goes on with the word before it, such as ``##ding``.

    Raises:
        ValueError: as ``mask_tokens``.
    """
    _check(ids, special_mask)
    _check(ids, goes_on)
    first = ~goes_on
    first[:, :1] = True  # a text may have been cut inside a word
    word = first.cumsum(1) - 1  # 0, 1, 2, …: which word of its row a piece belongs to
    chosen = torch.rand(ids.shape, generator=generator).gather(1, word) < CHOSEN
    return corrupt(ids, chosen & ~special_mask, mask_id, vocab_size, generator, special_ids)


def corrupt(
    ids: Integer[Tensor, "b t"],
    chosen: Bool[Tensor, "b t"],
    mask_id: int,
    vocab_size: int,
    generator: torch.Generator,
    special_ids: Collection[int] = (),
    *,
    hidden: float = HIDDEN,
    random: float = RANDOM,
) -> tuple[Integer[Tensor, "b t"], Integer[Tensor, "b t"]]:
    """Masked ids and labels where it is known which tokens are chosen.

    Other shares of the chosen ones change neither draw: 80/10/10 and 100/0/0 give the same gaps from one generator.

    Raises:
        ValueError: as ``mask_tokens``, or shares that are below 0 or together above 1.
    """
    _check(ids, chosen)
    if min(hidden, random) < 0 or hidden + random > 1:
        raise ValueError(f"expected shares of at least 0, together at most 1, got hidden {hidden} and random {random}")
    allowed = drawable(vocab_size, {mask_id, *special_ids})
    if ((ids < 0) | (ids >= vocab_size)).any():
        raise ValueError(f"ids: expected 0 to {vocab_size - 1}, got {int(ids.min())} to {int(ids.max())}")
    fate = torch.rand(ids.shape, generator=generator)  # one draw decides: two would give 80 / 2 / 18
    drawn = allowed[torch.randint(len(allowed), ids.shape, generator=generator)]
    masked = ids.masked_fill(chosen & (fate < hidden), mask_id)
    masked = torch.where(chosen & (fate >= 1 - random), drawn, masked)
    return masked, ids.masked_fill(~chosen, IGNORED)


def drawable(vocab_size: int, excluded: Collection[int]) -> Integer[Tensor, " n"]:
    """The ids that a random token is drawn from.

    Raises:
        ValueError: an excluded id outside the vocabulary, or nothing left.
    """
    if wrong := [i for i in excluded if not 0 <= i < vocab_size]:
        raise ValueError(f"expected ids from 0 to {vocab_size - 1}, got the special id {wrong[0]}")
    allowed = torch.ones(vocab_size, dtype=torch.bool)
    allowed[list(excluded)] = False
    if not allowed.any():
        raise ValueError(f"expected an id that is not special, got a vocabulary of {vocab_size}, all of them special")
    return allowed.nonzero()[:, 0]


def _check(ids: Tensor, mask: Tensor) -> None:
    """A mask of another shape would be broadcast in silence."""
    if ids.shape != mask.shape:
        raise ValueError(f"expected one entry for each id, shape {(*ids.shape,)}, got {(*mask.shape,)}")
