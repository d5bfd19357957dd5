"""The backward language model: the same network, trained on text that is read from its end.

Nothing in the model changes.  Turn the ids round, train and fine-tune a second model with them, and let both answer
(Howard & Ruder 2018, section 3.3, "Bidirectional language model").
"""

import torch
from jaxtyping import Float, Integer
from torch import Tensor

from qkv.nn.masks import not_padding


def reversed_ids(ids: Integer[Tensor, "b t"], lengths: Integer[Tensor, " b"]) -> Integer[Tensor, "b t"]:
    """Each text back to front, its padding left where it is; twice is as it was.

    ``[[5, 6, 7, 0, 0]]`` with length 3 → ``[[7, 6, 5, 0, 0]]``; ``ids.flip(1)`` would put the padding first.

    Raises:
        ValueError: a length below 1 or above t.
    """
    real = not_padding(lengths, ids.shape[1])[:, 0]
    position = torch.arange(ids.shape[1], device=ids.device)
    return ids.gather(1, torch.where(real, lengths[:, None] - 1 - position, position))


def mean_prediction(forward: Float[Tensor, "b c"], backward: Float[Tensor, "b c"]) -> Float[Tensor, "b c"]:
    """Scores of two classifiers → the mean of their probabilities."""
    return (forward.softmax(-1) + backward.softmax(-1)) / 2
