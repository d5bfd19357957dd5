"""Does a Transformer need positions?  Vaswani et al. (2017), section 3.5; Table 3, row E, for the kind of them.

Without positions attention reads a bag: the encoder gives ``act`` and ``cat`` the same vectors.  The decoder alone
still knows how much it has written, through its causal mask.

Task: pronunciation, as in ``qkv.recipes.pronunciation``, with 2 + 2 layers and 2,500 steps (about three epochs).
Nothing is chosen; the first 3,000 test words are said greedily.  Arms differ in what is added to the embeddings.

Stated before the first run.  Primary contrast, paired by seed, + = the paper's side: test words wrong without
positions minus with sinusoids, in points.  ``qkv.recipes.learned_positions`` judges the second claim on these models.

Command: python -m qkv run positions --seeds 5
Takes about 65 minutes on one core.  Expect: reproduced, most words wrong without positions.
"""

import shutil
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, cast, get_args

from qkv.models.transformer import Positions, Transformer, TransformerConfig
from qkv.recipes import pronunciation
from qkv.recipes.commands import runs_folder
from qkv.recipes.pronunciation import answer, fit, published, splits
from qkv.recipes.protocol import Fact, Record, fingerprint, mean_effect
from qkv.recipes.result import Result, Values
from qkv.scoring.edit_distance import phoneme_error_rate, word_error_rate
from qkv.scoring.intervals import paired_differences
from qkv.training.loop import Settings

CLAIM = "Without positions a Transformer gets more words wrong than with sinusoids."
PAPER = (
    "Vaswani et al. 2017, section 3.5: attention has no order of its own, so positions must be put in. The paper "
    "states it and measures no model without them."
)
CONTRAST = "test words wrong, without positions minus with sinusoids"
UNIT = "points"
OVER = "seeds"
SEEDS = 5
VERIFY = "sinusoidal"
TOLERANCE = {"WER": 3.0}  # other processors add in another order, and 2,500 steps make that grow


@dataclass(frozen=True)
class Config:
    """The pronunciation run of every arm, and how many test words it says."""

    training: pronunciation.Config
    num_tested: int
    margin: float | None = None


_SMALL = replace(pronunciation.PRESETS["full"].model, num_encoder_layers=2, num_decoder_layers=2)
_RUN = pronunciation.Config(_SMALL, Settings(2_500, 1.5e-3, checkpoint_every=2_500), decay_steps=1_000, averaged=(1,))
PRESETS = {
    "smoke": Config(replace(pronunciation.PRESETS["smoke"], averaged=(1,)), 16),
    "full": Config(_RUN, 3_000),
}


def arms(config: Config) -> list[str]:
    """What is added to the embeddings."""
    return ["none", "sinusoidal"]


def run(config: Config, arm: str, seed: int) -> Record:
    """Train with these positions; words and sounds wrong among the first test words, in %.

    Always trains, so that ``--verify`` compares two trainings; the last weights are kept for other recipes to look at.
    """
    if arm not in get_args(Positions):
        raise ValueError(f"expected one of {get_args(Positions)}, got {arm!r}")
    model = replace(config.training.model, positions=cast(Positions, arm))
    return train_and_score(config, model, seed, checkpoints(config, arm, seed))


def train_and_score(config: Config, model: TransformerConfig, seed: int, kept: Path) -> Record:
    """One cell of the table for a model of any settings; its last weights go to ``kept``."""
    training = replace(config.training, model=model)
    with TemporaryDirectory() as folder:
        fit(training, Path(folder), seed)
        trained = published(training, Path(folder), 1)
        shutil.copytree(folder, kept, dirs_exist_ok=True)
    items = answer(trained, splits(training)["test"][: config.num_tested], 1, 0.0)
    return {"WER": round(100 * word_error_rate(items), 4), "PER": round(100 * phoneme_error_rate(items), 4)}


def checkpoints(config: Config, arm: str, seed: int) -> Path:
    """Where the trained model of a cell is kept: ``pronunciation.published(…, checkpoints(…), 1)`` reads it."""
    return runs_folder() / "positions" / fingerprint(config) / f"{arm}_{seed}"


def kept_model(config: Config, arm: str, seed: int) -> Transformer:
    """The trained model of a cell, rounded as it was scored; trained now where it is not kept."""
    folder = checkpoints(config, arm, seed)
    if not list(folder.glob("step_*.pt")):
        run(config, arm, seed)
    return published(config.training, folder, 1)


def differences(config: Mapping[str, Any], values: Values) -> list[float]:
    """Words wrong without positions minus with sinusoids, in %, seed by seed."""
    return paired_differences(values["none"]["WER"], values["sinusoidal"]["WER"])


def facts(result: Result) -> dict[str, Fact]:
    """Both error rates of each arm, means over the seeds."""
    return {
        f"{quantity} {arm}": mean_effect(entries[quantity], "%")
        for arm, entries in result.values.items()
        for quantity in ("WER", "PER")
    }
