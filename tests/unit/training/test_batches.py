"""Batches: each pair once per epoch, neighbours in length, a function of the step alone."""

import random

import pytest
import torch

from qkv.training.batches import BucketedBatches, pad


def make(num_pairs: int = 103, batch_size: int = 8, seed: int = 0) -> BucketedBatches:
    """The first id of a source is the number of its pair, from 1."""
    lengths = random.Random(0)
    pairs = [([i + 1] * lengths.randint(1, 20), [1] * lengths.randint(2, 9)) for i in range(num_pairs)]
    return BucketedBatches(pairs, batch_size, pad_id=0, seed=seed, pool_size=5)


def test_every_pair_once_per_epoch():
    batches = make()
    for epoch in range(2):
        steps = range(epoch * len(batches), (epoch + 1) * len(batches))
        seen = [number for step in steps for number in batches[step].source[:, 0].tolist()]
        assert sorted(seen) == list(range(1, 104))


def test_epochs_and_seeds_differ():
    assert make().order(0) != make().order(1)
    assert make().order(0) != make(seed=1).order(0)


def test_a_step_does_not_depend_on_those_before():
    walked, jumped = make(), make()
    for step in range(31):
        last = walked[step]
    assert torch.equal(last.source, jumped[30].source)
    assert torch.equal(last.target, jumped[30].target)


def test_buckets_save_padding():
    """Against batches of the same pairs in random order."""
    batches = make(num_pairs=400)
    padding = sum((batches[step].source == 0).sum().item() for step in range(len(batches)))
    chunks = [batches.pairs[i : i + 8] for i in range(0, 400, 8)]
    unsorted = sum((pad([source for source, _ in chunk], 0) == 0).sum().item() for chunk in chunks)
    assert padding < unsorted / 2


def test_padding_stands_on_the_right():
    assert pad([[5, 6], [7]], 0).tolist() == [[5, 6], [7, 0]]


@pytest.mark.parametrize("sequences", [[], [[1], []]])
def test_nothing_to_pad(sequences):
    with pytest.raises(ValueError, match="at least one id"):
        pad(sequences, 0)


@pytest.mark.parametrize(("pairs", "size"), [([], 2), ([([1], [1, 2])], 0)])
def test_batches_that_cannot_be(pairs, size):
    with pytest.raises(ValueError, match=f"got {len(pairs)}, {size}, 20"):
        BucketedBatches(pairs, size, 0)
