"""Does the size of a batch decide whether a Transformer learns from characters?  Wu, Cotterell and Hulden (2021).

The paper: on tasks over characters "batch size plays a crucial role" for the Transformer; with 400 words a batch it
beats recurrent models, with few words it does not.

Task and models: ``qkv.recipes.pronouncers``, ``BRIEF``, with one layer on either side and 400 steps.  Each arm tries
the same three rates with one further seed and keeps the one with the lowest loss on validation words.

Stated before the first run.  Primary contrast, paired by seed, + = the paper's side: test words wrong with 16 words a
batch minus with 512, in points, after equally many steps.  Secondary: the same after equally many words, 51,200:
batches of 16 then take 3,200 steps and batches of 512 only 100.

Command: python -m qkv run batch-size --seeds 5
Takes about 40 minutes on one core.  Expect: reproduced after equally many steps, reversed after equally many words.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from qkv.recipes import positions, pronouncers, pronunciation
from qkv.recipes.pronunciation import fit
from qkv.recipes.protocol import Fact, Record
from qkv.recipes.result import Quantity, Result, Values
from qkv.scoring.intervals import paired_differences

CLAIM = "After equally many steps a Transformer gets more words wrong with batches of 16 words than of 512."
PAPER = (
    "Wu, Cotterell and Hulden 2021 (2005.10213): the Transformer needs large batches on characters; theirs have 400."
)
CONTRAST = "test words wrong, batches of 16 minus batches of 512, after equally many steps"
UNIT = "points"
OVER = "seeds"
SEEDS = 5
VERIFY = "16 words"
TOLERANCE = positions.TOLERANCE
TUNING_SEED: Final = 1000
BATCHES: Final = {  # words a batch, and the steps as a share of the usual ones
    "16 words": (16, 0.4),
    "128 words": (128, 0.4),
    "512 words": (512, 0.4),
    "16 words, as many words": (16, 3.2),
    "512 words, as many words": (512, 0.1),
}


@dataclass(frozen=True)
class Config:
    """The run that all arms change, and the peak rates that each tries."""

    brief: pronouncers.Config
    rates: tuple[float, ...]


PRESETS = {
    "smoke": Config(pronouncers.BRIEF["smoke"], (1e-3, 3e-3)),
    "full": Config(pronouncers.BRIEF["full"], (7e-4, 2e-3, 6e-3)),
}


def arms(config: Config) -> list[str]:
    """Words a batch, and whether the steps or the words are those of 128."""
    return list(BATCHES)


def run(config: Config, arm: str, seed: int) -> Record:
    """Train with this batch at the rate chosen for it; scores on test words, and that rate.

    Raises:
        ValueError: an arm that is none of ``BATCHES``.
    """
    if arm not in BATCHES:
        raise ValueError(f"expected one of {list(BATCHES)}, got {arm!r}")
    rate = chosen_rate(config, arm)
    return pronouncers.changed(config.brief, training_of(config, arm, rate), seed) | {"rate": rate}


def training_of(config: Config, arm: str, rate: float) -> pronunciation.Config:
    """One layer on either side, and this arm's batch and number of steps."""
    batch_size, factor = BATCHES[arm]
    usual = config.brief.usual.training
    model = replace(usual.model, num_encoder_layers=1, num_decoder_layers=1)
    settings = replace(usual.settings, peak_lr=rate)
    return pronouncers.stretched(replace(usual, model=model, settings=settings, batch_size=batch_size), factor)


@cache
def chosen_rate(config: Config, arm: str) -> float:
    """The rate with the lowest loss on validation words, for one further seed."""
    losses = {}
    for rate in config.rates:
        with TemporaryDirectory() as folder:
            history = fit(training_of(config, arm, rate), Path(folder), TUNING_SEED)
        losses[rate] = history[-1]["validation_loss"]
    return min(losses, key=lambda rate: losses[rate])


def differences(config: Mapping[str, Any], values: Values) -> list[float]:
    """Words wrong with batches of 16 minus with batches of 512, in %, seed by seed."""
    return paired_differences(values["16 words"]["WER"], values["512 words"]["WER"])


def facts(result: Result) -> dict[str, Fact]:
    """Scores and rate of each arm, and the contrast after equally many words."""
    scores = {
        arm: {quantity: entries for quantity, entries in each.items() if quantity != "rate"}
        for arm, each in result.values.items()
    }
    noted = pronouncers.score_facts(replace(result, values=scores))
    noted |= {f"rate {arm}": Quantity(each["rate"][0], "") for arm, each in result.values.items()}
    equal = pronouncers.words_wrong(result, "16 words, as many words", "512 words, as many words")
    return noted | {"words wrong, 16 words minus 512, after as many words": equal}
