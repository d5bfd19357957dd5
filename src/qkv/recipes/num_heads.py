"""Does the number of heads matter at equal cost?  Vaswani et al. (2017), Table 3, row A.

The paper keeps the model's width and divides it among more and more heads: 24.9 BLEU with one, 25.8 with 8 or 16, 25.4
with 32.  Every model costs the same: h heads of width d_model / h have the same weights as one of width d_model.

Task: pronunciation, as in ``qkv.recipes.positions``, whose models with sinusoids are the ones with four heads here.
Nothing is chosen.  Arms differ in the number of heads alone: 1, 4 and 8, of width 128, 32 and 16.

Stated before the first run.  Primary contrast, paired by seed, + = the paper's side: test words wrong with one head
minus with eight, in points.  Secondary: one head minus four.

Command: python -m qkv run num-heads --seeds 5
Takes about 65 minutes on one core after ``positions``, 95 before it.  Expect: not seen, a difference below a point.
"""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from qkv.recipes import positions
from qkv.recipes.commands import runs_folder
from qkv.recipes.positions import Config, train_and_score
from qkv.recipes.positions import facts as facts
from qkv.recipes.protocol import Record, collect, fingerprint
from qkv.recipes.result import Values
from qkv.scoring.intervals import paired_differences

CLAIM = "A model with one head gets more words wrong than one with eight heads of an eighth of the width."
PAPER = "Vaswani et al. 2017, Table 3, row A: 24.9 BLEU with one head, 25.8 with eight, at equal cost, one run each."
CONTRAST = "test words wrong, one head minus eight"
UNIT = "points"
OVER = "seeds"
SEEDS = 5
VERIFY = "1 head"
TOLERANCE = positions.TOLERANCE
PRESETS = positions.PRESETS
HEADS: Final = {"1 head": 1, "4 heads": 4, "8 heads": 8}


def arms(config: Config) -> list[str]:
    """How many heads share the width."""
    return list(HEADS)


def run(config: Config, arm: str, seed: int) -> Record:
    """Train with this many heads; words and sounds wrong among the first test words, in %.

    Raises:
        ValueError: an arm that is none of ``HEADS``.
    """
    if arm not in HEADS:
        raise ValueError(f"expected one of {list(HEADS)}, got {arm!r}")
    model = replace(config.training.model, num_heads=HEADS[arm])
    if model == config.training.model:  # trained already, for another claim
        return collect(config, [model.positions], [seed], positions.run, runs_folder())[model.positions][0].record
    return train_and_score(config, model, seed, checkpoints(config, arm, seed))


def checkpoints(config: Config, arm: str, seed: int) -> Path:
    """Where the trained model of a cell is kept."""
    return runs_folder() / "num_heads" / fingerprint(config) / f"{arm.replace(' ', '_')}_{seed}"


def differences(config: Mapping[str, Any], values: Values) -> list[float]:
    """Words wrong with one head minus with eight, in %, seed by seed."""
    return paired_differences(values["1 head"]["WER"], values["8 heads"]["WER"])
