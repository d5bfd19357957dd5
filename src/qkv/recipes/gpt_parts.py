"""What do pretraining and the second loss bring to GPT, and would an LSTM have done?

Radford et al. 2018, table 5, mean score over eight tasks: 74.7 with both; 75.0 without the second loss, λ · L1, in
fine-tuning; 59.9 without pretraining; 69.1 with an LSTM of 2,048 entries in the Transformer's place.  Single runs.

Here: our own GPT (``gpt_lm``: two million weights, three million words) on TREC's six kinds of questions, 200 labels,
150 steps of 16 questions.  Arms: pretrained or from scratch, each with λ = 0.5 and with λ = 0; and our AWD-LSTM
(``ulmfit_lm``), pretrained on the same text, all its layers learning at once with one rate, as GPT's do.

Every arm tries three peak rates with a further seed and keeps the one that is best on 539 validation questions.  Seeds
change labels, order and dropout, and the weights of the arms from scratch.

Stated before the first run.  Primary contrast, paired by seed, in points: pretrained minus from scratch, both with
λ = 0.5.  Secondary: the second loss for each of the two starts; GPT minus the AWD-LSTM.

Command: python -m qkv run gpt-parts.  About 15 minutes of one core.
"""

from collections.abc import Mapping, Sequence
from functools import cache, partial
from typing import Any, Final

from qkv.recipes.protocol import Fact, Record, mean_effect
from qkv.recipes.result import Result, Values
from qkv.recipes.transfer_systems import (
    LM_WEIGHT,
    AWDLearner,
    GPTTexts,
    Learner,
    Network,
    Predict,
    grown,
    pretrained,
    scratch,
    source,
)
from qkv.recipes.transfer_tasks import TextExample, TextTask
from qkv.recipes.tuned import OneTask, Trials, accuracies, ahead, outcome, trials
from qkv.transfer.heads import first_layers
from qkv.transfer.inputs import with_special_tokens
from qkv.transfer.vocabulary import with_vocabulary

CLAIM = "With 200 labels a small GPT labels more questions rightly after pretraining than from scratch."
PAPER = "Radford et al. 2018, table 5: the mean score of eight tasks falls from 74.7 to 59.9 without pretraining."
CONTRAST = "labels right with 200 questions, pretrained minus scratch, both with the second loss"
UNIT = "points"
OVER = "seeds"
SEEDS = 5
VERIFY = "scratch, λ = 0"
TOLERANCE = {"accuracy": 3.0}  # in %, of 70 or so: sums of other lengths round otherwise, and 150 steps multiply it

Config = OneTask
PRESETS: Final = {
    "smoke": Config("TREC", 12, 3, batch_size=8, max_words=6, num_validation=20, num_test=30),
    "full": Config(),
}


class GPTFrom(Network):
    """A GPT whose embeddings and first ``num_layers`` blocks are the pretrained ones; None: all from scratch."""

    model, settings = "GPT", (1e-4, 3e-4, 1e-3)

    def __init__(self, num_layers: int | None, lm_weight: float):
        super().__init__("pretrained")
        self.num_layers, self.lm_weight = num_layers, lm_weight

    def learner(self, task: TextTask, train: Sequence[TextExample]) -> Learner:
        """The network before its first step."""
        found = source(self.model)
        begun = scratch(found.model) if self.num_layers is None else first_layers(found.model, self.num_layers)
        gpt, special = with_special_tokens(begun)
        return GPTTexts(task, gpt, found.words, special, self.lm_weight)


class WholeLSTM(Network):
    """A pretrained AWD-LSTM without ULMFiT's way of fine-tuning: one rate, all layers from the first step."""

    model, settings = "AWD-LSTM", (1e-3, 3e-3, 1e-2)

    def learner(self, task: TextTask, train: Sequence[TextExample]) -> Learner:
        """The network before its first step, with its new words."""
        found = source(self.model)
        vocabulary = grown(found.words, train)
        return AWDLearner(
            task, pretrained(with_vocabulary(found.model, found.words.words, vocabulary.words)), vocabulary
        )


ALL: Final = 4  # blocks of our GPT
PRETRAINED, SCRATCH = "pretrained, λ = 0.5", "scratch, λ = 0.5"
SYSTEMS: Final[dict[str, Network]] = {
    PRETRAINED: GPTFrom(ALL, LM_WEIGHT),
    "pretrained, λ = 0": GPTFrom(ALL, 0.0),
    SCRATCH: GPTFrom(None, LM_WEIGHT),
    "scratch, λ = 0": GPTFrom(None, 0.0),
    "AWD-LSTM": WholeLSTM("pretrained"),
    **{f"{number} blocks": GPTFrom(number, LM_WEIGHT) for number in range(ALL)},  # for ``gpt_layers``
}


def arms(config: Config) -> list[str]:
    """GPT from both starts with and without the second loss, and the LSTM."""
    return [arm for arm in SYSTEMS if not arm.endswith("blocks")]


def run(config: Config, arm: str, seed: int) -> Record:
    """Labels right on test questions with the rate that was chosen, that rate, and what its trials gave."""
    return outcome(partial(_fit, config, arm), _trials(config, arm), config.data.test, seed)


def differences(config: Mapping[str, Any], values: Values) -> list[float]:
    """Pretrained minus scratch, seed by seed."""
    return ahead(values, PRETRAINED, SCRATCH)


def facts(result: Result) -> dict[str, Fact]:
    """Accuracy of each arm in %, and the secondary contrasts."""
    values = result.values
    noted = accuracies(values)
    for start in ("pretrained", "scratch"):
        second = ahead(values, f"{start}, λ = 0.5", f"{start}, λ = 0")
        noted[f"second loss, {start}"] = mean_effect(second, UNIT)
    noted["GPT minus AWD-LSTM"] = mean_effect(ahead(values, PRETRAINED, "AWD-LSTM"), UNIT)
    return noted


@cache
def _trials(config: Config, arm: str) -> Trials:
    return trials(partial(_fit, config, arm), SYSTEMS[arm].settings, config.data.validation)


def _fit(config: Config, arm: str, rate: float, seed: int) -> Predict:
    return SYSTEMS[arm].fit(config.kind, config.labelled(seed), rate, config.training, seed)
