"""Does dropout help a model that meets its words again and again?  Vaswani et al. (2017), Table 3, row D.

The paper: 24.6 BLEU without dropout, 25.8 with .1, 25.5 with .2.

Task and models: ``qkv.recipes.pronouncers``, ``BRIEF``, but with 4,000 words to learn from, taken evenly from the whole
dictionary, so that each is met 32 times; 4,000 test words, taken in the same way.  One rate for all.

Stated before the first run.  Primary contrast, paired by seed, + = the paper's side: test words wrong without dropout
minus with .1, in points.  Secondary: the same for .3, and for the loss of the right sounds.

Command: python -m qkv run dropout --seeds 5
Takes about 30 minutes on one core.  Expect: reproduced.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from qkv.recipes import positions, pronouncers
from qkv.recipes.pronouncers import Config
from qkv.recipes.protocol import Fact, Record, mean_effect
from qkv.recipes.result import Result, Values
from qkv.scoring.intervals import paired_differences

CLAIM = "Without dropout a Transformer that reads few words often gets more new words wrong than with it."
PAPER = "Vaswani et al. 2017, Table 3, row D: 24.6 BLEU without dropout, 25.8 with .1, 25.5 with .2, one run each."
CONTRAST = "test words wrong, without dropout minus with .1"
UNIT = "points"
OVER = "seeds"
SEEDS = 5
VERIFY = "0"
TOLERANCE = positions.TOLERANCE
_USUAL = pronouncers.BRIEF["full"].usual
PRESETS = {
    "smoke": pronouncers.BRIEF["smoke"],
    "full": Config(replace(_USUAL, training=replace(_USUAL.training, num_words=4_000), num_tested=4_000)),
}
DROPOUT: Final = {"0": 0.0, "0.1": 0.1, "0.3": 0.3}


def arms(config: Config) -> list[str]:
    """The share of numbers set to zero while training."""
    return list(DROPOUT)


def run(config: Config, arm: str, seed: int) -> Record:
    """Train with this dropout; scores on test words.

    Raises:
        ValueError: an arm that is none of ``DROPOUT``.
    """
    if arm not in DROPOUT:
        raise ValueError(f"expected one of {list(DROPOUT)}, got {arm!r}")
    return pronouncers.changed_model(config, seed, dropout=DROPOUT[arm])


def differences(config: Mapping[str, Any], values: Values) -> list[float]:
    """Words wrong without dropout minus with .1, in %, seed by seed."""
    return paired_differences(values["0"]["WER"], values["0.1"]["WER"])


def facts(result: Result) -> dict[str, Fact]:
    """Scores of each arm, and what each dropout changes in words and in loss."""
    noted = pronouncers.score_facts(result)
    for arm in ("0.1", "0.3"):
        noted[f"words wrong, 0 minus {arm}"] = pronouncers.words_wrong(result, "0", arm)
        less = paired_differences(result.values["0"]["loss"], result.values[arm]["loss"])
        noted[f"loss, 0 minus {arm}"] = mean_effect(less, "nats")
    return noted
