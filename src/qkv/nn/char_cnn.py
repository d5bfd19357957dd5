"""Words from their characters: filters slide over the letters, the best match of each is kept (Kim et al. 2016).

Shapes: b any number of leading axes (batch, words), c characters of a word with its padding, d entries of a vector.

Character ids are those of ``qkv.text.words.character_ids``: 0 is padding, a word stands between marks of its own for
begin and end.  So a filter can tell the prefix "un" from the same letters inside a word.
"""

from collections.abc import Sequence
from typing import Final

import torch
from einops import rearrange
from jaxtyping import Float, Integer
from torch import Tensor, nn
from torch.nn import functional

PADDING: Final = 0
CARRY_BIAS: Final = 2.0  # σ(2) = 0.88: at first a highway layer hands on seven eighths of what came in


class Highway(nn.Module):
    """c ⊙ x + (1 - c) ⊙ relu(W x + b): the carry gate c = σ(W_c x + b_c) says how much of x goes through untouched.

    b_c starts above 0, so that the layer starts close to handing x on.  Srivastava et al. (2015), section 2.2, write
    it with t = 1 - c, the transform gate, whose bias then starts below 0.  (ELMo's published code names t "carry".)
    """

    def __init__(self, d: int):
        super().__init__()
        self.transform, self.carry = nn.Linear(d, d), nn.Linear(d, d)
        nn.init.constant_(self.carry.bias, CARRY_BIAS)

    def forward(self, x: Float[Tensor, "*b d"]) -> Float[Tensor, "*b d"]:
        """A mix of x and of what the layer makes of it, entry by entry."""
        carry = self.carry(x).sigmoid()
        return carry * x + (1 - carry) * self.transform(x).relu()


class CharCNN(nn.Module):
    """Characters → filters of several widths → maximum over the word → relu → highway layers → projection.

    relu as in ELMo's published options (Kim et al. have tanh); so are the order of the parts and the projection last
    (Peters et al. 2018, section 3.4; there 2,048 filters, 2 highway layers, 512 entries).

    A word is followed by empty vectors for ever: a filter may hang over its end, but none starts behind it.  How far a
    batch is padded therefore changes nothing.  (In the published code all words have 50 characters, and filters read
    the padding too.)

    Args:
        filters: (width, how many) pairs, such as ``((1, 32), (2, 32), (3, 64))``.

    Raises:
        ValueError: no filters, or a width or number below 1.
    """

    def __init__(
        self,
        num_characters: int,
        d_character: int,
        filters: Sequence[tuple[int, int]],
        d_model: int,
        num_highway: int = 2,
    ):
        super().__init__()
        if not filters or min(map(min, filters)) < 1:
            raise ValueError(f"filters: expected (width, how many) pairs of at least 1 each, got {tuple(filters)}")
        num_filters = sum(number for _, number in filters)
        self.character = nn.Embedding(num_characters, d_character, padding_idx=PADDING)
        self.widths = [width for width, _ in filters]
        self.filters = nn.ModuleList(nn.Conv1d(d_character, number, width) for width, number in filters)
        self.highway = nn.Sequential(*(Highway(num_filters) for _ in range(num_highway)))
        self.projection = nn.Linear(num_filters, d_model)

    def forward(self, characters: Integer[Tensor, "*b c"]) -> Float[Tensor, "*b d_model"]:
        """One vector per word.  A word of padding alone gets the vector that no match of any filter leads to."""
        words = characters.reshape(-1, characters.shape[-1])
        x = rearrange(self.character(words), "n c d -> n d c")
        matches = [self._best(x, words == PADDING, *each) for each in zip(self.filters, self.widths, strict=True)]
        vectors = self.projection(self.highway(torch.cat(matches, dim=-1)))
        return vectors.reshape(*characters.shape[:-1], -1)

    def _best(self, x: Tensor, is_padding: Tensor, convolution: nn.Module, width: int) -> Float[Tensor, "n number"]:
        """max(0, best match) of each filter; matches that start in the padding count as none."""
        matches = convolution(functional.pad(x, (0, width - 1))).relu()  # (n, number, c)
        return matches.masked_fill(is_padding[:, None], 0.0).amax(-1)
