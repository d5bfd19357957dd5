"""One process or several: the few places where training has to know.  Several are started by ``torchrun``."""

from collections.abc import Iterator
from contextlib import contextmanager

from torch import Tensor, distributed, nn


@contextmanager
def joined() -> Iterator[None]:
    """Within, this process belongs to the group that ``torchrun`` started; without ``torchrun``, nothing happens."""
    started = distributed.is_torchelastic_launched()
    if started:
        distributed.init_process_group("gloo")
    try:
        yield
    finally:
        if started:
            distributed.destroy_process_group()


def replicated(model: nn.Module) -> nn.Module:
    """The model, wrapped so that all processes step with the mean of their gradients; alone, the model itself."""
    return nn.parallel.DistributedDataParallel(model) if world_size() > 1 else model


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
    return total
