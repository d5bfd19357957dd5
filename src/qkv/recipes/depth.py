"""Do more layers pronounce better?  Vaswani et al. (2017), Table 3, row C.

The paper: with 2, 4, 6 and 8 layers on either side 23.7, 25.3, 25.8 and 25.5 BLEU, after equally many steps.  A step
of a deeper model takes longer, so the same question is asked again at equal time.

Task and models: ``qkv.recipes.pronouncers``, ``BRIEF``, whose usual model has 2 + 2 layers.  One rate for all.

Stated before the first run.  Primary contrast, paired by seed, + = the paper's side: test words wrong with one layer on
either side minus with four, in points, after equally many steps.  Secondary: the same at equal time.  There, a model of
one layer takes 1.8 times the usual steps, one of four layers .48 times: the ratios of the processor time of a step,
measured before any model was trained.

Command: python -m qkv run depth --seeds 5
Takes about 55 minutes on one core.  Expect: reproduced at equal steps; at equal time the order may turn.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from qkv.recipes import positions, pronouncers
from qkv.recipes.pronouncers import Config
from qkv.recipes.protocol import Fact, Record
from qkv.recipes.result import Result, Values
from qkv.scoring.intervals import paired_differences

CLAIM = "After equally many steps a Transformer of four layers gets fewer words wrong than one of a single layer."
PAPER = "Vaswani et al. 2017, Table 3, row C: 23.7 BLEU with two layers, 25.3 with four, 25.5 with eight, one run each."
CONTRAST = "test words wrong, 1 + 1 layers minus 4 + 4"
UNIT = "points"
OVER = "seeds"
SEEDS = 5
VERIFY = "1 layer"
TOLERANCE = positions.TOLERANCE
PRESETS = pronouncers.BRIEF
LAYERS: Final = {  # layers on either side, and how many times the usual steps
    "1 layer": (1, 1.0),
    "2 layers": (2, 1.0),
    "4 layers": (4, 1.0),
    "1 layer, equal time": (1, 1.8),
    "4 layers, equal time": (4, 0.48),
}


def arms(config: Config) -> list[str]:
    """Layers on either side, and whether steps or time are those of two layers."""
    return list(LAYERS)


def run(config: Config, arm: str, seed: int) -> Record:
    """Train with so many layers; scores on test words.

    Raises:
        ValueError: an arm that is none of ``LAYERS``.
    """
    if arm not in LAYERS:
        raise ValueError(f"expected one of {list(LAYERS)}, got {arm!r}")
    layers, factor = LAYERS[arm]
    usual = config.usual.training
    model = replace(usual.model, num_encoder_layers=layers, num_decoder_layers=layers)
    if model == usual.model:
        return pronouncers.usual(config, seed)
    return pronouncers.changed(config, pronouncers.stretched(replace(usual, model=model), factor), seed)


def differences(config: Mapping[str, Any], values: Values) -> list[float]:
    """Words wrong with one layer minus with four, in %, seed by seed."""
    return paired_differences(values["1 layer"]["WER"], values["4 layers"]["WER"])


def facts(result: Result) -> dict[str, Fact]:
    """Scores of each arm; the contrast at equal time; and two layers against four."""
    minus = {
        "words wrong, 1 layer minus 4, equal time": ("1 layer, equal time", "4 layers, equal time"),
        "words wrong, 2 layers minus 4": ("2 layers", "4 layers"),
        "words wrong, 2 layers minus 4, equal time": ("2 layers", "4 layers, equal time"),
    }
    contrasts = {name: pronouncers.words_wrong(result, *pair) for name, pair in minus.items()}
    return pronouncers.score_facts(result) | contrasts
