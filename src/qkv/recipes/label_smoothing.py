"""Does label smoothing make the model worse at being sure?  Vaswani et al. (2017), section 5.4 and Table 3, row D.

The paper: smoothing of .1 "hurts perplexity, as the model learns to be more unsure, but improves accuracy and BLEU";
perplexity 4.67 without, 4.92 with, 5.47 with .2, and 25.3, 25.8, 25.7 BLEU.

Task and models: ``qkv.recipes.pronouncers``, whose usual model has smoothing .1.

Stated before the first run.  Primary contrast, paired by seed, + = the paper's side: loss of the right sounds on test
words, in nats per sound and without smoothing, of models trained with .1 minus of those trained without.  Secondary:
the same for words wrong, where the paper's side is a negative number; both with .2.

Command: python -m qkv run label-smoothing --seeds 5
Takes about 60 minutes on one core, after ``positions``.  Expect: reproduced for the loss, little for the words.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from qkv.recipes import positions, pronouncers
from qkv.recipes.pronouncers import Config
from qkv.recipes.protocol import Fact, Record
from qkv.recipes.result import Result, Values
from qkv.scoring.intervals import paired_differences

CLAIM = "Label smoothing makes a model less sure of the right sounds."
PAPER = "Vaswani et al. 2017, Table 3, row D: perplexity 4.67 without smoothing, 4.92 with .1, 5.47 with .2."
CONTRAST = "test loss per sound, trained with smoothing .1 minus without"
UNIT = "nats"
OVER = "seeds"
SEEDS = 5
VERIFY = "0"
TOLERANCE = positions.TOLERANCE
PRESETS = pronouncers.PRESETS
SMOOTHING: Final = {"0": 0.0, "0.1": 0.1, "0.2": 0.2}


def arms(config: Config) -> list[str]:
    """How much of the target is spread over all sounds."""
    return list(SMOOTHING)


def run(config: Config, arm: str, seed: int) -> Record:
    """Train with this smoothing; scores on test words.

    Raises:
        ValueError: an arm that is none of ``SMOOTHING``.
    """
    if arm not in SMOOTHING:
        raise ValueError(f"expected one of {list(SMOOTHING)}, got {arm!r}")
    training = config.usual.training
    if SMOOTHING[arm] == training.label_smoothing:
        return pronouncers.usual(config, seed)
    return pronouncers.changed(config, replace(training, label_smoothing=SMOOTHING[arm]), seed)


def differences(config: Mapping[str, Any], values: Values) -> list[float]:
    """Loss with smoothing .1 minus without, in nats per sound, seed by seed."""
    return paired_differences(values["0.1"]["loss"], values["0"]["loss"])


def facts(result: Result) -> dict[str, Fact]:
    """Loss and error rates of each arm, and what smoothing changes in the words wrong."""
    minus = {f"words wrong, {arm} minus 0": pronouncers.words_wrong(result, arm, "0") for arm in ("0.1", "0.2")}
    return pronouncers.score_facts(result) | minus
