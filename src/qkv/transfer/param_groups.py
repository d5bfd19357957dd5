"""Parameters in groups, so that an optimizer treats them differently.

Discriminative fine-tuning: the lower a layer, the smaller its steps.  What a language model has learnt near its words
is of use for most tasks; what it has learnt near its scores is about the next word.  So the upper layers have more to
unlearn (Howard & Ruder 2018, section 3.2).
"""

from collections.abc import Sequence
from typing import Any

from torch import nn

Groups = Sequence[Sequence[nn.Parameter]]  # from the bottom of a model to its top, as its ``groups()`` gives them


def decayed(model: nn.Module, weight_decay: float = 0.01) -> list[dict[str, Any]]:
    """Two groups for an optimizer: weights, which decay, and biases and gains, which do not.

    The token and position vectors decay too.  A shared matrix is there once.  A parameter with a single axis is a bias
    or a gain.  Source: Radford et al. (2018), section 4.1: "w = 0.01 on all non bias or gain weights".

    Raises:
        ValueError: a negative weight decay.
    """
    if weight_decay < 0:
        raise ValueError(f"weight_decay: expected at least 0, got {weight_decay}")
    parameters = list(model.parameters())
    return [
        {"params": [each for each in parameters if each.ndim > 1], "weight_decay": weight_decay},
        {"params": [each for each in parameters if each.ndim <= 1], "weight_decay": 0.0},
    ]


def discriminative(groups: Groups, rate: float, factor: float = 2.6) -> list[dict[str, Any]]:
    """What an optimizer takes: the top group learns with ``rate``, each one below with the rate above it / factor.

    ``torch.optim.Adam(discriminative(model.groups(), 0.01), betas=(0.7, 0.99))``; a schedule's factor then falls on the
    rates of all groups, as ``LambdaLR`` has it.  η^(l-1) = η^l / 2.6 (section 3.2); a factor of 1 is plain fine-tuning.

    Raises:
        ValueError: no groups, an empty one, a weight in two groups, a rate of 0 or below, or a factor below 1, which
            would let the lower layers learn faster.
    """
    if rate <= 0 or factor < 1:
        raise ValueError(f"expected a rate above 0 and a factor of at least 1, got rate {rate} and factor {factor}")
    check(groups)
    top = len(groups) - 1
    return [{"params": list(group), "lr": rate / factor ** (top - level)} for level, group in enumerate(groups)]


def check(groups: Groups) -> None:
    """Raises ValueError: no groups, an empty one, or a weight in two of them; the message names the groups."""
    if not groups or not all(map(len, groups)):
        raise ValueError(f"expected groups with a weight in each, got groups of {[len(group) for group in groups]}")
    home: dict[int, int] = {}
    for level, group in enumerate(groups):
        for parameter in group:
            if home.setdefault(id(parameter), level) != level:
                raise ValueError(
                    f"expected each weight in one group, got one of shape {tuple(parameter.shape)} in groups "
                    f"{home[id(parameter)]} and {level}"
                )
