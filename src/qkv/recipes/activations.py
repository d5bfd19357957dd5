"""Is ReLU better than what came before it?  Dirac's talk (2019), minute 20; Vaswani et al. (2017), equation 2.

The talk says why deep networks left sigmoid and tanh for ReLU: those flatten out, and where they are flat no gradient
passes.  The Transformer has one bend per layer, between two linear maps and beside a sum that gradients pass anyway.

Task and models: ``qkv.recipes.pronouncers``, ``BRIEF``, whose usual model has ReLU.  Arms differ in the bend of
the feed-forward networks alone.

Stated before the first run.  Primary contrast, paired by seed, + = the talk's side: test words wrong with sigmoid minus
with ReLU, in points.  Secondary: tanh and GELU minus ReLU.

Command: python -m qkv run activations --seeds 5
Takes about 35 minutes on one core.  Expect: reproduced for sigmoid; GELU within a point or two.
"""

from collections.abc import Mapping
from typing import Any, Final

from qkv.recipes import positions, pronouncers
from qkv.recipes.pronouncers import Config
from qkv.recipes.protocol import Fact, Record
from qkv.recipes.result import Result, Values
from qkv.scoring.intervals import paired_differences

CLAIM = "With sigmoid in its feed-forward networks a Transformer gets more words wrong than with ReLU."
PAPER = "Leo Dirac, LSTM is dead, 2019, minute 20: ReLU passes gradients where sigmoid does not."
CONTRAST = "test words wrong, sigmoid minus ReLU"
UNIT = "points"
OVER = "seeds"
SEEDS = 5
VERIFY = "sigmoid"
TOLERANCE = positions.TOLERANCE
PRESETS = pronouncers.BRIEF
ACTIVATIONS: Final = ("relu", "sigmoid", "tanh", "gelu")


def arms(config: Config) -> list[str]:
    """The bend in the feed-forward networks."""
    return list(ACTIVATIONS)


def run(config: Config, arm: str, seed: int) -> Record:
    """Train with this activation; scores on test words.

    Raises:
        ValueError: an arm that is none of ``ACTIVATIONS``.
    """
    if arm not in ACTIVATIONS:
        raise ValueError(f"expected one of {ACTIVATIONS}, got {arm!r}")
    if arm == config.usual.training.model.activation:
        return pronouncers.usual(config, seed)
    return pronouncers.changed_model(config, seed, activation=arm)


def differences(config: Mapping[str, Any], values: Values) -> list[float]:
    """Words wrong with sigmoid minus with ReLU, in %, seed by seed."""
    return paired_differences(values["sigmoid"]["WER"], values["relu"]["WER"])


def facts(result: Result) -> dict[str, Fact]:
    """Scores of each arm, and what each costs beside ReLU."""
    minus = {f"words wrong, {arm} minus ReLU": pronouncers.words_wrong(result, arm, "relu") for arm in ACTIVATIONS[1:]}
    return pronouncers.score_facts(result) | minus
