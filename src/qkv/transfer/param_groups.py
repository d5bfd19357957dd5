"""Parameters in groups, so that an optimizer treats them differently."""

from typing import Any

from torch import nn


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
