"""Are learned positions as good as sinusoids?  Vaswani et al. (2017), section 3.5 and Table 3, row E.

The paper finds "nearly identical" results: 25.7 BLEU against 25.8.  An equality can only be claimed within a margin.

Task and models: those of ``qkv.recipes.positions``, whose finished cells are used again.

Stated before the first run.  Primary contrast, paired by seed: test words wrong with learned positions minus with
sinusoids, in points; equal means that the whole interval lies within ± 2 points.

Command: python -m qkv run learned-positions --seeds 5
Takes about 35 minutes on one core after ``positions``, 65 before it.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from qkv.recipes import positions
from qkv.recipes.positions import facts as facts
from qkv.recipes.positions import run as run
from qkv.recipes.result import Values
from qkv.scoring.intervals import paired_differences

CLAIM = "Learned positions and sinusoids get about equally many words wrong."
PAPER = "Vaswani et al. 2017, Table 3, row E: learned positions give 25.7 BLEU, sinusoids 25.8, one run each."
CONTRAST = "test words wrong, learned positions minus sinusoids"
UNIT = "points"
OVER = "seeds"
SEEDS = 5
VERIFY = "sinusoidal"
TOLERANCE = positions.TOLERANCE
PRESETS = {name: replace(config, margin=2.0) for name, config in positions.PRESETS.items()}


def arms(config: positions.Config) -> list[str]:
    """What is added to the embeddings."""
    return ["sinusoidal", "learned"]


def differences(config: Mapping[str, Any], values: Values) -> list[float]:
    """Words wrong with learned positions minus with sinusoids, in %, seed by seed."""
    return paired_differences(values["learned"]["WER"], values["sinusoidal"]["WER"])
