"""Batches of neighbours in length: little padding, and still another mixture in every epoch."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Integer
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

Pair = tuple[Sequence[int], Sequence[int]]  # ids of the source; ids of the target, with its start and end symbols


@dataclass(frozen=True)
class Batch:
    """Sources and targets, each padded on the right."""

    source: Integer[Tensor, "b t_s"]
    target: Integer[Tensor, "b t"]


def pad(sequences: Sequence[Sequence[int]], pad_id: int) -> Integer[Tensor, "b t"]:
    """Lists of ids → one tensor, padded on the right.

    Raises:
        ValueError: no sequences, or one without ids.
    """
    if not sequences or not all(map(len, sequences)):
        raise ValueError(f"expected sequences of at least one id, got {len(sequences)} with lengths {_few(sequences)}")
    return pad_sequence([torch.tensor(ids) for ids in sequences], batch_first=True, padding_value=pad_id)


class BucketedBatches:
    """The batch of any step, computed from seed and step alone: a run that starts again meets the same batches.

    Every epoch shuffles the pairs, sorts each pool of ``pool_size`` batches by length, cuts it into batches and
    shuffles those.  Each pair comes once per epoch.

    Raises:
        ValueError: no pairs, or a batch or pool size below 1.
    """

    def __init__(self, pairs: Sequence[Pair], batch_size: int, pad_id: int, seed: int = 0, pool_size: int = 20):
        if not pairs or min(batch_size, pool_size) < 1:
            raise ValueError(
                f"expected pairs, batch_size >= 1 and pool_size >= 1, got {len(pairs)}, {batch_size}, {pool_size}"
            )
        self.pairs, self.batch_size, self.pad_id, self.seed, self.pool_size = pairs, batch_size, pad_id, seed, pool_size
        self._epoch, self._order = -1, list[list[int]]()

    def __len__(self) -> int:
        """Batches per epoch."""
        return -(-len(self.pairs) // self.batch_size)

    def __getitem__(self, step: int) -> Batch:
        """The batch of step 0, 1, …; epochs follow each other without end."""
        epoch, position = divmod(step, len(self))
        if epoch != self._epoch:
            self._epoch, self._order = epoch, self.order(epoch)
        chosen = [self.pairs[index] for index in self._order[position]]
        sources, targets = zip(*chosen, strict=True)
        return Batch(pad(sources, self.pad_id), pad(targets, self.pad_id))

    def order(self, epoch: int) -> list[list[int]]:
        """Which pairs form each batch of an epoch."""
        generator = torch.Generator().manual_seed(self.seed * 1_000_003 + epoch)
        shuffled = torch.randperm(len(self.pairs), generator=generator).tolist()
        pool = self.pool_size * self.batch_size
        ordered = [
            index for i in range(0, len(shuffled), pool) for index in sorted(shuffled[i : i + pool], key=self._size)
        ]
        batches = [ordered[i : i + self.batch_size] for i in range(0, len(ordered), self.batch_size)]
        return [batches[i] for i in torch.randperm(len(batches), generator=generator).tolist()]

    def _size(self, index: int) -> tuple[int, int]:
        source, target = self.pairs[index]
        return len(source), len(target)


def _few(sequences: Sequence[Sequence[int]]) -> list[int]:
    return [len(ids) for ids in sequences[:10]]
