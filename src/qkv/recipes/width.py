"""Do wider vectors pronounce better?  Vaswani et al. (2017), Table 3, row C.

The paper: with 256, 512 and 1,024 entries per word 24.5, 25.8 and 26.0 BLEU, after equally many steps.  A step of a
wider model takes longer, so the same question is asked again at equal time.

Task and models: ``qkv.recipes.pronouncers``, ``BRIEF``, whose usual model has 64 entries.  The feed-forward network is
four times as wide, and four heads share the width.  One rate for all.

Stated before the first run.  Primary contrast, paired by seed, + = the paper's side: test words wrong with 32 entries
minus with 128, in points, after equally many steps.  Secondary: the same at equal time.  There, a model with 32
entries takes 1.6 times the usual steps, one with 128 .43 times: the ratios of the processor time of a step, measured
before any model was trained.

Command: python -m qkv run width --seeds 5
Takes about 60 minutes on one core.  Expect: reproduced at equal steps; at equal time the order may turn.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from qkv.recipes import positions, pronouncers
from qkv.recipes.pronouncers import Config
from qkv.recipes.protocol import Fact, Record
from qkv.recipes.result import Result, Values
from qkv.scoring.intervals import paired_differences

CLAIM = "After equally many steps a Transformer with 128 entries per symbol gets fewer words wrong than one with 32."
PAPER = "Vaswani et al. 2017, Table 3, row C: 24.5 BLEU with 256 entries, 25.8 with 512, 26.0 with 1,024, one run each."
CONTRAST = "test words wrong, 32 entries minus 128"
UNIT = "points"
OVER = "seeds"
SEEDS = 5
VERIFY = "32 entries"
TOLERANCE = positions.TOLERANCE
PRESETS = pronouncers.BRIEF
WIDTHS: Final = {  # d_model, and how many times the usual steps
    "32 entries": (32, 1.0),
    "64 entries": (64, 1.0),
    "128 entries": (128, 1.0),
    "32 entries, equal time": (32, 1.6),
    "128 entries, equal time": (128, 0.43),
}


def arms(config: Config) -> list[str]:
    """Entries per symbol, and whether steps or time are those of 64 entries."""
    return list(WIDTHS)


def run(config: Config, arm: str, seed: int) -> Record:
    """Train with this width; scores on test words.

    Raises:
        ValueError: an arm that is none of ``WIDTHS``.
    """
    if arm not in WIDTHS:
        raise ValueError(f"expected one of {list(WIDTHS)}, got {arm!r}")
    d_model, factor = WIDTHS[arm]
    usual = config.usual.training
    model = replace(usual.model, d_model=d_model, d_ff=4 * d_model)
    if model == usual.model:
        return pronouncers.usual(config, seed)
    return pronouncers.changed(config, pronouncers.stretched(replace(usual, model=model), factor), seed)


def differences(config: Mapping[str, Any], values: Values) -> list[float]:
    """Words wrong with 32 entries minus with 128, in %, seed by seed."""
    return paired_differences(values["32 entries"]["WER"], values["128 entries"]["WER"])


def facts(result: Result) -> dict[str, Fact]:
    """Scores of each arm; the contrast at equal time; and 64 entries against 128."""
    minus = {
        "words wrong, 32 entries minus 128, equal time": ("32 entries, equal time", "128 entries, equal time"),
        "words wrong, 64 entries minus 128": ("64 entries", "128 entries"),
        "words wrong, 64 entries minus 128, equal time": ("64 entries", "128 entries, equal time"),
    }
    contrasts = {name: pronouncers.words_wrong(result, *pair) for name, pair in minus.items()}
    return pronouncers.score_facts(result) | contrasts
