"""One process or several: the few places where training has to know.  Several are started by ``torchrun``."""

import torch
from torch import Tensor, distributed


def world_size() -> int:
    """How many processes share the work; 1 without ``torchrun``."""
    return distributed.get_world_size() if distributed.is_initialized() else 1


def rank() -> int:
    """Number of this process, from 0."""
    return distributed.get_rank() if distributed.is_initialized() else 0


def my_share(rows: Tensor) -> Tensor:
    """The rows of a global batch that this process works on: every ``world_size``-th."""
    return rows[rank() :: world_size()]


def global_sum(value: Tensor) -> Tensor:
    """The sum over all processes; each of them gets it."""
    total = value.detach().clone()
    if distributed.is_initialized():
        distributed.all_reduce(total)
    return total.to(torch.float64) if total.is_floating_point() else total
