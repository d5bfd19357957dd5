"""Does each transferred block of GPT help?

Radford et al. 2018, section 5 and figure 2 on the left: on MultiNLI and RACE every further block that is taken over
from the pretrained model helps, up to 9 points on MultiNLI for all twelve, beside embeddings alone.

Here: the set-up of ``gpt_parts`` (TREC, 200 labels, our small GPT of four blocks).  Arms: embeddings alone, then the
first 1, 2, 3 and all 4 blocks; the others begin anew.  All of it learns in fine-tuning.

Stated before the first run.  Primary contrast, paired by seed, in points: all four blocks minus embeddings alone.
Secondary: each block minus one block fewer; embeddings alone minus nothing.

Command: python -m qkv run gpt-layers.  About 10 minutes of one core; the arms it shares with ``gpt-parts`` run once.
"""

from collections.abc import Mapping
from typing import Any, Final

from qkv.recipes import gpt_parts
from qkv.recipes.gpt_parts import ALL, PRETRAINED, SCRATCH, Config
from qkv.recipes.gpt_parts import PRESETS as PRESETS
from qkv.recipes.gpt_parts import run as run
from qkv.recipes.protocol import Fact, mean_effect
from qkv.recipes.result import Result, Values
from qkv.recipes.tuned import accuracies, ahead

CLAIM = "Each pretrained block that a small GPT takes over helps it to label questions."
PAPER = (
    "Radford et al. 2018, section 5: taking over embeddings helps, and each further block, up to 9 points for all of "
    "them on MultiNLI."
)
CONTRAST = "labels right with 200 questions, four pretrained blocks minus embeddings alone"
UNIT, OVER, SEEDS = gpt_parts.UNIT, gpt_parts.OVER, gpt_parts.SEEDS
VERIFY = "0 blocks"
TOLERANCE = gpt_parts.TOLERANCE
LADDER: Final = (*(f"{number} blocks" for number in range(ALL)), PRETRAINED)


def arms(config: Config) -> list[str]:
    """From nothing to the whole model."""
    return [SCRATCH, *LADDER]


def differences(config: Mapping[str, Any], values: Values) -> list[float]:
    """Four blocks minus embeddings alone, seed by seed."""
    return ahead(values, PRETRAINED, "0 blocks")


def facts(result: Result) -> dict[str, Fact]:
    """Accuracy of each arm in %, and what each step of the ladder brings."""
    values = result.values
    noted = accuracies(values)
    for number, (below, above) in enumerate(zip((SCRATCH, *LADDER), LADDER, strict=False)):
        noted[f"step {number}"] = mean_effect(ahead(values, above, below), UNIT)
    return noted
