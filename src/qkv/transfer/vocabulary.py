"""Carrying a language model over to a text with other words.

The layers know what to do with vectors, whatever words these stand for.  So a word that both vocabularies have keeps
its vector, wherever its new place is, and a word that the model never met begins with the mean of all vectors: with
what words have in common.  (Howard & Ruder's published code; the paper does not mention it.)

Shapes: v words, d entries of a vector.
"""

from collections.abc import Sequence
from dataclasses import replace

import torch
from jaxtyping import Float
from torch import Tensor

from qkv.models.awd_lstm import AWDLSTM


def carried_rows(rows: Float[Tensor, "v *d"], old: Sequence[str], new: Sequence[str]) -> Float[Tensor, "v_new *d"]:
    """One row for each new word: its old row, or the mean of all old rows.  Works for a table and for biases alike.

    Raises:
        ValueError: as many old words as rows are expected, and no word twice in one of the lists.
    """
    if len(rows) != len(old):
        raise ValueError(f"expected one old word for each of {len(rows)} rows, got {len(old)} words")
    place = {word: i for i, word in enumerate(old)}
    for name, words, different in (("old", old, len(place)), ("new", new, len(set(new)))):
        if different < len(words):
            raise ValueError(f"{name}: expected words that differ, got {len(words)} words, {different} different ones")
    known = torch.cat([rows, rows.mean(0, keepdim=True)])  # the last row is for unseen words
    return known[torch.tensor([place.get(word, len(old)) for word in new], device=rows.device)]


def with_vocabulary(model: AWDLSTM, old: Sequence[str], new: Sequence[str]) -> AWDLSTM:
    """A copy of the model for other words, in the same mode; its layers, and ``carried_rows``.

    Raises:
        ValueError: as ``carried_rows``.
    """
    state = model.state_dict()
    changed = {name: carried_rows(state[name], old, new) for name in ("token.embedding.weight", "bias")}
    other = AWDLSTM(replace(model.config, vocab_size=len(new))).to(model.bias)
    other.load_state_dict(state | changed)
    return other.train(model.training)
