"""Is the mean of the last checkpoints better than the last one?  Vaswani et al. (2017), section 6.1.

The paper's base models are the mean of the last five checkpoints, written ten minutes apart.  Its rate falls with the
root of the step and is far from zero at the end; it does not say what the mean is worth.

Task and models: ``qkv.recipes.pronouncers``, ``BRIEF``, with a checkpoint every 50 steps.  The rate is level until step
600 and then falls to zero at step 1,000, so there are two places to look: five checkpoints of the level part, and the
last five of the run.

Stated before the first run.  Primary contrast, paired by seed, + = the paper's side: test words wrong with the
checkpoint of step 600 minus with the mean of steps 400, 450, … 600, in points: there the rate is far from zero, as in
the paper.  Secondary: the same at the end, where it is zero.

Command: python -m qkv run averaging --seeds 5
Takes about 15 minutes on one core.  Expect: reproduced in the level part, nothing at the end.
"""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from qkv.models.transformer import Transformer
from qkv.recipes import positions, pronouncers, pronunciation
from qkv.recipes.commands import runs_folder
from qkv.recipes.pronouncers import Config
from qkv.recipes.pronunciation import fit
from qkv.recipes.protocol import Fact, Record, fingerprint
from qkv.recipes.result import Result, Values
from qkv.scoring.intervals import paired_differences
from qkv.training import checkpoint

CLAIM = "The mean of five checkpoints gets fewer words wrong than the last of them."
PAPER = (
    "Vaswani et al. 2017, section 6.1: base models are the mean of the last five checkpoints; its worth is not given."
)
CONTRAST = "test words wrong, last checkpoint of the level part minus mean of its last five"
UNIT = "points"
OVER = "seeds"
SEEDS = 5
VERIFY = "last, level rate"
TOLERANCE = positions.TOLERANCE
PRESETS = pronouncers.BRIEF
NUM_CHECKPOINTS: Final = 20  # of a run
LEVEL: Final = 0.6  # of the steps: then the rate falls
CHOICES: Final = {  # share of the run after which we look; how many checkpoints enter the mean
    "last, level rate": (LEVEL, 1),
    "mean of 5, level rate": (LEVEL, 5),
    "last, at the end": (1.0, 1),
    "mean of 5, at the end": (1.0, 5),
}


def arms(config: Config) -> list[str]:
    """Which checkpoints make the model."""
    return list(CHOICES)


def run(config: Config, arm: str, seed: int) -> Record:
    """Train, unless a run is kept, and score the mean of these checkpoints on test words.

    Raises:
        ValueError: an arm that is none of ``CHOICES``.
    """
    if arm not in CHOICES:
        raise ValueError(f"expected one of {list(CHOICES)}, got {arm!r}")
    share, count = CHOICES[arm]
    training = _often_kept(config.usual.training)
    folder = runs_folder() / "averaging" / fingerprint(config) / f"seed_{seed}"
    fit(training, folder, seed)
    return pronouncers.scores(config, mean_of(training, folder, share, count))


def mean_of(training: pronunciation.Config, folder: Path, share: float, count: int) -> Transformer:
    """The mean of ``count`` checkpoints, the last of them after this share of the steps."""
    until = round(share * training.settings.num_steps)
    paths = [path for path in sorted(folder.glob("step_*.pt")) if int(path.stem[5:]) <= until][-count:]
    model = Transformer(training.model)
    model.load_state_dict(checkpoint.average([checkpoint.load(path)["model"] for path in paths]))
    return model.half().float().eval()


def _often_kept(training: pronunciation.Config) -> pronunciation.Config:
    every = max(1, training.settings.num_steps // NUM_CHECKPOINTS)
    return replace(training, settings=replace(training.settings, checkpoint_every=every))


def differences(config: Mapping[str, Any], values: Values) -> list[float]:
    """Words wrong with the last level checkpoint minus with the mean of five, in %, seed by seed."""
    return paired_differences(values["last, level rate"]["WER"], values["mean of 5, level rate"]["WER"])


def facts(result: Result) -> dict[str, Fact]:
    """Scores of each arm, and the contrast at the end of the run."""
    at_the_end = pronouncers.words_wrong(result, "last, at the end", "mean of 5, at the end")
    return pronouncers.score_facts(result) | {"words wrong, last minus mean of 5, at the end": at_the_end}
