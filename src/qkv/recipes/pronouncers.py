"""Small pronunciation models that differ in one setting: what the claims about training and size share.

The usual model is that of ``qkv.recipes.positions`` with sinusoids: pronunciation, 2 + 2 layers, 2,500 steps, nothing
chosen.  It is trained once and read by every claim that compares with it.  Each model is scored on the first 3,000 test
words: words and sounds wrong, greedily, and the loss of the right sounds.

``BRIEF`` is the same at a fraction of the cost, for claims with many arms: 64 entries instead of 128, 1,000 steps of
128 words (a little over one epoch), the first 2,000 test words.
"""

from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import torch

from qkv.models.transformer import Transformer
from qkv.recipes import positions, pronunciation
from qkv.recipes.pronunciation import answer, fit, published, splits
from qkv.recipes.protocol import Fact, Record, mean_effect
from qkv.recipes.result import Effect, Result
from qkv.scoring.edit_distance import phoneme_error_rate, word_error_rate
from qkv.scoring.intervals import paired_differences
from qkv.text.sounds import PAD
from qkv.training.batches import BucketedBatches
from qkv.training.loop import Settings


@dataclass(frozen=True)
class Config:
    """The usual model's settings; ``margin`` where equality is claimed."""

    usual: positions.Config
    margin: float | None = None


PRESETS = {name: Config(config) for name, config in positions.PRESETS.items()}
_NARROW = replace(PRESETS["full"].usual.training.model, d_model=64, d_ff=256)
_SHORT = pronunciation.Config(
    _NARROW, Settings(1_000, 2e-3, checkpoint_every=1_000), warmup_steps=100, decay_steps=400, averaged=(1,)
)
BRIEF = {"smoke": PRESETS["smoke"], "full": Config(positions.Config(_SHORT, 2_000))}


def usual(config: Config, seed: int) -> Record:
    """Scores of the usual model."""
    return scores(config, positions.kept_model(config.usual, "sinusoidal", seed))


def changed(config: Config, training: pronunciation.Config, seed: int) -> Record:
    """Train with other settings and score."""
    with TemporaryDirectory() as folder:
        fit(training, Path(folder), seed)
        return scores(config, published(training, Path(folder), 1))


def changed_model(config: Config, seed: int, **settings: object) -> Record:
    """Train with other settings of the model, such as ``activation="tanh"``, and score."""
    training = config.usual.training
    return changed(config, replace(training, model=replace(training.model, **settings)), seed)  # type: ignore[arg-type]


def stretched(training: pronunciation.Config, factor: float) -> pronunciation.Config:
    """The same schedule over ``factor`` times as many steps, warm-up and decay included."""
    steps, warmup, decay = (
        round(factor * each) for each in (training.settings.num_steps, training.warmup_steps, training.decay_steps)
    )
    settings = replace(training.settings, num_steps=steps, checkpoint_every=steps)
    return replace(training, settings=settings, warmup_steps=warmup, decay_steps=decay)


def scores(config: Config, model: Transformer) -> Record:
    """WER and PER in %, and the loss in nats per sound without smoothing, on the first test words."""
    tested = splits(config.usual.training)["test"][: config.usual.num_tested]
    items = answer(model, tested, 1, 0.0)
    loss = partial(pronunciation.validation_loss, 0, model)
    batches = BucketedBatches([word.pair() for word in tested], 128, PAD)
    with torch.no_grad():
        nats = loss([batches[i] for i in range(len(batches))])["validation_loss"]
    found = {"WER": 100 * word_error_rate(items), "PER": 100 * phoneme_error_rate(items), "loss": nats}
    return {name: round(value, 5) for name, value in found.items()}


def score_facts(result: Result) -> dict[str, Fact]:
    """WER, PER and loss of each arm, as means over the seeds."""
    return {
        f"{quantity} {arm}": mean_effect(each, "nats" if quantity == "loss" else "%")
        for arm, scores in result.values.items()
        for quantity, each in scores.items()
    }


def words_wrong(result: Result, one: str, other: str) -> Effect:
    """Words wrong in one arm minus in the other, in points, seed by seed."""
    return mean_effect(paired_differences(result.values[one]["WER"], result.values[other]["WER"]), "points")
