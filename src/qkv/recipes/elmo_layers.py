"""Which of ELMo's layers knows parts of speech?

Peters et al. 2018, section 5.3 and table 6: a linear classifier over one frozen layer of the biLM names the parts of
speech of the Penn Treebank; the first LSTM layer is ahead of the second, 97.3 against 96.8.  Table 2 weighs all layers
against the last one alone, for question answering, inference and roles.

Here: our own small biLM (``elmo_lm``), Brown's twelve coarse tags, 1,000 labelled sentences.  Every arm is a linear map
over frozen states (``qkv.transfer.word_heads.MixTagger``); only the layers that it may read differ.  Layer 0 knows how
a word is spelled and nothing of its neighbours.  As a control the first layer of the same architecture with weights
that nobody trained: what it gets right needs no language model.

Each arm tries three peak rates with a further seed and keeps the one that is best on 539 validation sentences; the
1,000 test sentences are of other files than those that are learnt from.  Seeds change labelled sentences and heads; the
biLM is always the same one.

Stated before the first run.  Primary contrast, paired by seed, in points: layer 1 minus layer 2.  Secondary: all three
layers, weighed by a scalar mix, minus layer 2 (expect little); layer 1 minus the untrained layer 1.

Command: python -m qkv run elmo-layers.  About 6 minutes of one core.
"""

from collections.abc import Mapping, Sequence
from functools import cache, partial
from typing import Any, Final

import torch
from jaxtyping import Float
from torch import Tensor

from qkv.recipes.protocol import Fact, Record, mean_effect
from qkv.recipes.result import Result, Values
from qkv.recipes.transfer_systems import FrozenELMo, Item, Learner, Network, Predict, Source, scratch, source
from qkv.recipes.transfer_tasks import TextExample, TextTask
from qkv.recipes.tuned import TUNING_SEED, OneTask, Trials, accuracies, ahead, outcome, trials
from qkv.transfer.word_heads import MixTagger

CLAIM = "A linear map names parts of speech better from ELMo's first LSTM layer than from its second."
PAPER = "Peters et al. 2018, table 6: 97.3 % from the first layer and 96.8 % from the second, Penn Treebank."
CONTRAST = "labels right, layer 1 minus layer 2"
UNIT = "points"
OVER = "seeds"
SEEDS = 5
VERIFY = "layer 2"
TOLERANCE = {"accuracy": 0.3}  # in %; sums of other lengths round otherwise

Config = OneTask
PRESETS: Final = {
    "smoke": Config("POS", 12, 3, batch_size=8, max_words=6, num_validation=20, num_test=30),
    "full": Config("POS", 1_000, 600, max_words=25, num_test=1_000),
}


class LayerProbe(FrozenELMo):
    """A linear map over the mix of chosen layers, frozen; one layer needs no mixing and has only γ."""

    def __init__(self, task: TextTask, found: Source, chosen: Sequence[int]):
        super().__init__(task, found)
        self.chosen = list(chosen)
        self.head = MixTagger(len(self.chosen), 2 * found.model.config.d_model, task.num_classes)

    def layers(self, items: Sequence[Item]) -> Float[Tensor, "layers b t d"]:
        """The chosen ones."""
        return super().layers(items)[self.chosen]


class Probe(Network):
    """Learns to tag from some layers of one biLM; ``start`` is as in ``transfer_systems.STARTS``."""

    model, settings = "ELMo", (1e-3, 3e-3, 1e-2)

    def __init__(self, start: str, chosen: Sequence[int]):
        super().__init__(start)
        self.chosen = chosen

    def learner(self, task: TextTask, train: Sequence[TextExample]) -> Learner:
        """The network before its first step."""
        return LayerProbe(task, biLM(self.start), self.chosen)


@cache
def biLM(start: str) -> Source:  # noqa: N802 - the paper's word
    """The published biLM, or the same with weights drawn once for all runs."""
    found = source("ELMo")
    if start == "pretrained":
        return found
    with torch.random.fork_rng():
        torch.manual_seed(TUNING_SEED)
        return Source(scratch(found.model))


PROBES: Final = {
    "layer 0": Probe("pretrained", [0]),
    "layer 1": Probe("pretrained", [1]),
    "layer 2": Probe("pretrained", [2]),
    "all layers": Probe("pretrained", [0, 1, 2]),
    "untrained layer 1": Probe("scratch", [1]),
}


def arms(config: Config) -> list[str]:
    """Layers that may be read."""
    return list(PROBES)


def run(config: Config, arm: str, seed: int) -> Record:
    """Labels right on test sentences with the rate that was chosen, that rate, and what its trials gave."""
    return outcome(partial(_fit, config, arm), _trials(config, arm), config.data.test, seed)


def differences(config: Mapping[str, Any], values: Values) -> list[float]:
    """Layer 1 minus layer 2, seed by seed."""
    return ahead(values, "layer 1", "layer 2")


def facts(result: Result) -> dict[str, Fact]:
    """Accuracy of each arm, and the secondary contrasts."""
    values = result.values
    return accuracies(values) | {
        "all layers minus layer 2": mean_effect(ahead(values, "all layers", "layer 2"), UNIT),
        "all layers minus layer 1": mean_effect(ahead(values, "all layers", "layer 1"), UNIT),
        "layer 1 minus layer 0": mean_effect(ahead(values, "layer 1", "layer 0"), UNIT),
        "layer 1 minus untrained": mean_effect(ahead(values, "layer 1", "untrained layer 1"), UNIT),
    }


@cache
def _trials(config: Config, arm: str) -> Trials:
    return trials(partial(_fit, config, arm), Probe.settings, config.data.validation)


def _fit(config: Config, arm: str, rate: float, seed: int) -> Predict:
    return PROBES[arm].fit(config.kind, config.labelled(seed), rate, config.training, seed)
