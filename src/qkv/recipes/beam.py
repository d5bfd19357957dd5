"""Does beam search find better pronunciations than the best sound at every step?  Vaswani et al. (2017), section 6.1.

The paper decodes with a beam of 4 and a length penalty of .6, and does not say what greedy decoding would give.

Model: the committed one (``Transformer.from_pretrained("g2p")``), on all test words.  The length penalty is 1, as
``qkv.recipes.pronunciation`` chose it on validation words.  Nothing is trained.

Stated before the first run.  Primary contrast, over the test words, + = beam search is better: words wrong, greedy
minus beam 4, in points; a bootstrap over words, which speaks of this one model.  Secondary: beam 4 without length
penalty, and beam 16.

Command: python -m qkv run beam
Takes about 8 minutes on one core.  Expect: reproduced, by a third of a point, as on the validation words.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from qkv.models.transformer import Transformer
from qkv.recipes.pronunciation import PRESETS as PRONUNCIATION
from qkv.recipes.pronunciation import answer, pack, splits, stored_items, wrong_words
from qkv.recipes.protocol import Fact, Record
from qkv.recipes.result import Result, Values, rounded
from qkv.scoring.edit_distance import word_error_rate
from qkv.scoring.intervals import bootstrap_interval, paired_differences

CLAIM = "Beam search gets fewer words wrong than taking the most probable sound at every step."
PAPER = "Vaswani et al. 2017, section 6.1: a beam of 4 with a length penalty of .6; no greedy figure is given."
CONTRAST = "test words wrong, greedy minus beam 4"
UNIT = "points"
OVER = "items"
SEEDS = 1
VERIFY = "greedy"
TOLERANCE = {"WER": 0.02}  # two words: another processor adds in another order
SEARCHES: Final = {  # beam size, alpha
    "greedy": (1, 0.0),
    "beam 4": (4, 1.0),
    "beam 4, no length penalty": (4, 0.0),
    "beam 16": (16, 1.0),
}


@dataclass(frozen=True)
class Config:
    """How many of the test words; None = all."""

    num_words: int | None = None


PRESETS = {"smoke": Config(32), "full": Config()}


def arms(config: Config) -> list[str]:
    """How the model looks for what to say."""
    return list(SEARCHES)


def run(config: Config, arm: str, seed: int) -> Record:
    """Say all test words; edits and length of the nearest pronunciation of each, packed.

    Raises:
        ValueError: an arm that is none of ``SEARCHES``.
    """
    if arm not in SEARCHES:
        raise ValueError(f"expected one of {list(SEARCHES)}, got {arm!r}")
    tested = splits(replace(PRONUNCIATION["full"], num_words=config.num_words))["test"]
    items = answer(Transformer.from_pretrained("g2p"), tested, *SEARCHES[arm])
    edits, lengths = pack(item.edits for item in items), pack(item.length for item in items)
    return {"edits": edits, "lengths": lengths, "WER": 100 * word_error_rate(items)}


def differences(config: Mapping[str, Any], values: Values) -> list[float]:
    """Words wrong, greedy minus beam 4, in %, word by word."""
    return _fewer(values, "greedy", "beam 4")


def facts(result: Result) -> dict[str, Fact]:
    """Words wrong with each search, and what every beam saves beside greedy."""
    noted: dict[str, Fact] = {"words": len(_wrong(result.values, "greedy"))}
    for arm in result.values:
        noted[f"WER {arm}"] = rounded(bootstrap_interval(_wrong(result.values, arm)), "%")
        if arm != "greedy":
            fewer = bootstrap_interval(_fewer(result.values, "greedy", arm))
            noted[f"words wrong, greedy minus {arm}"] = rounded(fewer, UNIT)
    return noted


def _fewer(values: Values, one: str, other: str) -> list[float]:
    return paired_differences(_wrong(values, one), _wrong(values, other))


def _wrong(values: Values, arm: str) -> list[float]:
    """100 for a word that equals none of its pronunciations, else 0."""
    return wrong_words(stored_items(values, arm))
