"""What does each part of ULMFiT bring?  One part taken away at a time, on questions with 200 labels.

Howard & Ruder 2018, tables 6 and 7, single runs with all labels, error in % on TREC-6: 5.69 with all parts; from
scratch 13.36; without tuning on the target text 6.38; the last layer alone 16.09; all layers at once with one rate
6.86.

Here: our own general language model (``ulmfit_lm``), TREC's six kinds of questions, 200 labels, 150 steps of 16
questions.  Every way tries three peak rates with a further seed and keeps the one that is best on 539 validation
questions.  Seeds change labels, order and dropout; the language model on the target text is one for all.

Stated before the first run.  Primary contrast, paired by seed, in points: ULMFiT minus plain fine-tuning (all layers at
once, one rate for all, no schedule), both from the language model on the target text.  Secondary, seven contrasts:
ULMFiT minus each way that lacks one part.  In the paper such parts bring 0.1 to 1 point; ten seeds see about 1.

Command: python -m qkv run ulmfit-ablations.  About 50 minutes of one core.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, partial
from typing import Any, Final

from qkv.recipes.protocol import Fact, Record, mean_effect
from qkv.recipes.result import Result, Values
from qkv.recipes.transfer_systems import Predict
from qkv.recipes.tuned import OneTask, Trials, accuracies, ahead, outcome, trials
from qkv.recipes.ulmfit_stages import Way, all_at_once, constant, cosine, fit, head_alone

CLAIM = "ULMFiT's way of fine-tuning labels more questions rightly than plain fine-tuning of the same language model."
PAPER = (
    "Howard & Ruder 2018, table 7, TREC-6: an error of 5.69 % with all parts, 6.86 % with plain fine-tuning of all "
    "layers; one run each."
)
CONTRAST = "labels right with 200 questions, ULMFiT minus plain fine-tuning"
UNIT = "points"
OVER = "seeds"
SEEDS = 10
VERIFY = "last layer alone"
TOLERANCE = {"accuracy": 3.0}  # in %, of 60 or so: sums of other lengths round otherwise, and 150 steps multiply it

RATES: Final = (1e-3, 3e-3, 1e-2)
ULMFIT, PLAIN = "ULMFiT", "plain fine-tuning"
WAYS: Final = {
    ULMFIT: Way(),
    PLAIN: Way(factor=1.0, schedule=constant, learning=all_at_once),
    "one rate for all layers": Way(factor=1.0),
    "constant rate": Way(schedule=constant),
    "cosine": Way(schedule=cosine),
    "all layers at once": Way(learning=all_at_once),
    "last layer alone": Way(learning=head_alone),
    "no target text": Way("general"),
    "from scratch": Way("scratch", factor=1.0, learning=all_at_once),
}


@dataclass(frozen=True)
class Config(OneTask):
    """The presets are "smoke" (seconds, for tests) and "full" (the published run).

    ``lm_epochs`` is how often the language model reads the texts of the task.
    """

    lm_epochs: int = 2


PRESETS: Final = {
    "smoke": Config("TREC", 12, 3, batch_size=8, max_words=6, num_validation=20, num_test=30, lm_epochs=1),
    "full": Config(),
}


def arms(config: Config) -> list[str]:
    """Ways to fine-tune."""
    return list(WAYS)


def run(config: Config, arm: str, seed: int) -> Record:
    """Labels right on test questions with the rate that was chosen, that rate, and what its trials gave."""
    return outcome(partial(_fit, config, arm), _trials(config, arm), config.data.test, seed)


def differences(config: Mapping[str, Any], values: Values) -> list[float]:
    """ULMFiT minus plain fine-tuning, seed by seed."""
    return ahead(values, ULMFIT, PLAIN)


def facts(result: Result) -> dict[str, Fact]:
    """Accuracy of each way in %, how far each is behind ULMFiT, and how many such contrasts there are."""
    others = [way for way in WAYS if way != ULMFIT]
    behind = {f"ULMFiT minus {way}": mean_effect(ahead(result.values, ULMFIT, way), UNIT) for way in others}
    return accuracies(result.values) | behind | {"contrasts": len(others) - 1}


@cache
def _trials(config: Config, arm: str) -> Trials:
    return trials(partial(_fit, config, arm), RATES, config.data.validation)


def _fit(config: Config, arm: str, rate: float, seed: int) -> Predict:
    train, labels = config.data.train, config.labelled(seed)
    return fit(config.kind, train, labels, WAYS[arm], rate, config.training, config.lm_epochs, seed)
