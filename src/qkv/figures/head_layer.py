"""The numbers behind the figure "heads": the layer of chapter 03's first section, with one head twice, and its loss.

*left* asks, in three heads: who, who again, and what.  Each head hands over a mix of the values; the two nouns have
(10, 0) and (0, 10), so a head that reads one noun hands over that noun.  The output projection adds up the heads that
ask the same and multiplies by 0.4: one head gives its noun a score of 4, two give it 8, none leaves both at 0.
"""

from collections.abc import Sequence
from typing import Final

import torch
from jaxtyping import Float
from torch import Tensor

from qkv import toy
from qkv.nn.attention import scaled_dot_product_attention

HEADS: Final = (("who", toy.KEY_WHO), ("who", toy.KEY_WHO), ("what", toy.KEY_WHAT))
ORDERS: Final = (toy.WORDS_LEFT, toy.WORDS_LEFT_SWAPPED)
ASKS: Final = 1  # the row of *left*
OUTPUT: Final = 0.4
NOUNS: Final = ("cat", "mat")  # of the two scores that every head hands over


def attend(words: Sequence[str]) -> tuple[Float[Tensor, "h t d_v"], Float[Tensor, "h t t"]]:
    """What each head hands over in each row, and its weights; ``words`` are in the order of the sentence."""
    query = torch.tensor(toy.QUERY_LEFT, dtype=torch.float64).expand(len(HEADS), -1, -1)
    key = torch.tensor([key for _, key in HEADS], dtype=torch.float64)
    value = torch.tensor([toy.VALUE_OF[word] for word in words], dtype=torch.float64).expand(len(HEADS), -1, -1)
    return scaled_dot_product_attention(query, key, value)


def answers(words: Sequence[str], gates: Sequence[int]) -> dict[str, Float[Tensor, "nouns"]]:
    """Shares of the two nouns as the answer to "who" and to "what"; a gate of 0 silences a head."""
    handed = attend(words)[0][:, ASKS] * torch.tensor(gates, dtype=torch.float64)[:, None]
    asked = [name for name, _ in HEADS]
    return {
        name: torch.softmax(OUTPUT * handed[[own == name for own in asked]].sum(0), dim=-1) for name in ("who", "what")
    }


def loss(words: Sequence[str], gates: Sequence[int]) -> float:
    """Surprise at both right answers, in nats: -ln p(who) - ln p(what)."""
    right = {"who": words[0], "what": words[-1]}
    shares = answers(words, gates)
    return -sum(float(shares[name][NOUNS.index(noun)].log()) for name, noun in right.items())
