"""Trains a small Transformer, alone or as one of several processes; writes its losses.  Started by the test."""

import json
import sys
from pathlib import Path

import torch

from qkv.models.transformer import Transformer, TransformerConfig
from qkv.training.batches import BucketedBatches
from qkv.training.distributed import joined, my_share, rank, replicated
from qkv.training.loop import Settings, smoothed_loss, train

CONFIG = TransformerConfig(20, 16, 2, 32, 1, 1, dropout=0.0)


def loss(model, batch):
    """Rows are dealt out unsorted by length, so processes hold different numbers of target tokens."""
    source, target = my_share(batch.source), my_share(batch.target)
    return smoothed_loss(model(source, target[:, :-1]), target[:, 1:], CONFIG.pad_id, smoothing=0.1)


def main(folder: Path) -> None:
    torch.set_num_threads(1)
    torch.manual_seed(0)
    lengths = torch.randint(2, 12, (64,)).tolist()
    sources = [torch.randint(3, 20, (length,)).tolist() for length in lengths]
    pairs = [(source, [1, *reversed(source), 2]) for source in sources]
    with joined():
        model = replicated(Transformer(CONFIG))
        batches = BucketedBatches(pairs, batch_size=7, pad_id=0, pool_size=1)  # 64 = 9 · 7 + 1: one batch of one row
        history = train(model, batches, loss, Settings(50, 1e-2), lambda step: 1.0, folder)
        if rank() == 0:
            (folder / "losses.json").write_text(json.dumps([record["loss"] for record in history]))


main(Path(sys.argv[1]))
