"""How well does a small Transformer pronounce words it has not seen?  A model, and what it scores.

Data: cmudict, no stress marks, words of a–z and apostrophe, split by the sha256 of the word (``qkv.data``).  Trained
on the first pronunciation of each word; in scoring any listed one counts.  Settings were chosen on the validation
words; the test words were opened once.

Command: python -m qkv.recipes.pronunciation
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Final

import torch
from torch import Tensor, nn

from qkv.data import load
from qkv.models.transformer import PRESETS as MODELS
from qkv.models.transformer import Transformer, TransformerConfig
from qkv.training.batches import Batch, BucketedBatches, Pair
from qkv.training.loop import Record, Settings, smoothed_loss, train
from qkv.training.schedules import warmup_hold_decay

PAD, START, END = 0, 1, 2
VALIDATION_BATCHES: Final = 12  # in the history; what is chosen is chosen on all validation words
LETTERS: Final = "'abcdefghijklmnopqrstuvwxyz"
SOUNDS: Final = (
    *("AA", "AE", "AH", "AO", "AW", "AY", "B", "CH", "D", "DH", "EH", "ER", "EY", "F", "G", "HH", "IH", "IY", "JH"),
    *("K", "L", "M", "N", "NG", "OW", "OY", "P", "R", "S", "SH", "T", "TH", "UH", "UW", "V", "W", "Y", "Z", "ZH"),
)
LETTER_IDS: Final = {letter: 3 + i for i, letter in enumerate(LETTERS)}
SOUND_IDS: Final = {sound: 3 + len(LETTERS) + i for i, sound in enumerate(SOUNDS)}


@dataclass(frozen=True)
class Word:
    """A word, and every way to say it that the dictionary lists, without stress."""

    spelling: str
    pronunciations: tuple[tuple[str, ...], ...]

    def pair(self) -> Pair:
        """Ids of the letters, and of the sounds of the first pronunciation between start and end."""
        letters = [LETTER_IDS[letter] for letter in self.spelling]
        return letters, [START, *(SOUND_IDS[sound] for sound in self.pronunciations[0]), END]


@dataclass(frozen=True)
class Config:
    """The presets are "smoke" (seconds, for tests) and "full" (the published run)."""

    model: TransformerConfig
    settings: Settings
    batch_size: int = 128
    warmup_steps: int = 300
    decay_steps: int = 2000
    label_smoothing: float = 0.1
    num_words: int | None = None


PRESETS: Final = {
    "smoke": Config(
        replace(MODELS["smoke"], vocab_size=69), Settings(6, 1e-3, checkpoint_every=3), 8, 2, 3, num_words=64
    ),
    "full": Config(MODELS["g2p"], Settings(20_000, 1.5e-3, checkpoint_every=250)),
}


def words(rows: Iterable[dict]) -> list[Word]:
    """The rows whose words hold nothing but a–z and apostrophe; pronunciations that differ in stress only are one."""
    kept = (row for row in rows if set(row["word"]) <= set(LETTERS))
    return [Word(row["word"], tuple(dict.fromkeys(map(without_stress, row["pronunciations"])))) for row in kept]


def without_stress(pronunciation: str) -> tuple[str, ...]:
    """``K ER1 N AH0 L`` → ("K", "ER", "N", "AH", "L")."""
    return tuple(re.sub(r"\d", "", pronunciation).split())


def loss(model: nn.Module, batch: Batch, smoothing: float) -> tuple[Tensor, Tensor]:
    """Sum over the sounds of a batch, and their number: each is to be named from those before it."""
    logits = model(batch.source, batch.target[:, :-1])
    return smoothed_loss(logits, batch.target[:, 1:], PAD, smoothing)


def validation_loss(step: int, model: nn.Module, batches: Sequence[Batch]) -> Record:
    """Nats per sound, without smoothing."""
    sums = [loss(model, batch, 0.0) for batch in batches]
    return {"validation_loss": sum(s.item() for s, _ in sums) / sum(int(n) for _, n in sums)}


def fit(config: Config, folder: Path, seed: int = 0) -> Transformer:
    """Train, or go on with a run that stopped; checkpoints are kept in ``folder``."""
    torch.set_num_threads(1)
    data = load("cmudict")
    torch.manual_seed(seed)
    model = Transformer(config.model)
    pairs = [word.pair() for word in words(data["train"])[: config.num_words]]
    held_out = [word.pair() for word in words(data["validation"])[: config.num_words]]
    validation = BucketedBatches(held_out, config.batch_size, PAD)
    train(
        model,
        BucketedBatches(pairs, config.batch_size, PAD, seed),
        partial(loss, smoothing=config.label_smoothing),
        replace(config.settings, seed=seed),
        partial(
            warmup_hold_decay,
            num_steps=config.settings.num_steps,
            warmup_steps=config.warmup_steps,
            decay_steps=config.decay_steps,
        ),
        folder,
        partial(validation_loss, batches=[validation[i] for i in range(VALIDATION_BATCHES)]),
    )
    return model.eval()
