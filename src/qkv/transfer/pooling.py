"""From the hidden states of a text of any length to one vector.

Shapes: b texts, t tokens, d entries per token.
"""

import torch
from jaxtyping import Float, Integer
from torch import Tensor

from qkv.nn.masks import not_padding


def concat_pooling(hidden_states: Float[Tensor, "b t d"], lengths: Integer[Tensor, " b"]) -> Float[Tensor, "b three_d"]:
    """[h_T, max, mean]: the last state, and of each entry the largest and the mean  (Howard & Ruder 2018, section 3.3).

    The word that decides may stand anywhere in a text, and the last state may have forgotten it.  Padding behind a text
    counts for nothing: h_T is the state at its last token, the maximum may be below 0, the mean divides by its length.

    Raises:
        ValueError: a length below 1 or above t.
    """
    real = not_padding(lengths, hidden_states.shape[1])[:, 0, :, None]  # (b, t, 1)
    last = hidden_states[torch.arange(len(lengths)), lengths - 1]
    largest = hidden_states.masked_fill(~real, -torch.inf).amax(1)
    mean = hidden_states.masked_fill(~real, 0.0).sum(1) / lengths[:, None]
    return torch.cat([last, largest, mean], dim=-1)
