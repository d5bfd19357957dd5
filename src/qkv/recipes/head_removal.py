"""How many heads does a trained model need?  Michel et al. (2019), "Are Sixteen Heads Really Better than One?".

The paper silences heads of trained models.  One at a time, most can go: of 96 encoder heads of a translation model 8
change BLEU noticeably (Table 1), but the last encoder–decoder attention cannot do with one (section 3.3).  Many at a
time, in the order of a gradient's importance, 20 % go at little cost, in BERT 40 % (section 4.2).

Task: the pronunciation models of ``qkv.recipes.positions`` with sinusoids: 2 + 2 layers, 24 heads.  Nothing is trained
here.  Importance is measured on validation words; the words said are the first 3,000 test words, those of that recipe.

Stated before the first run.  Primary contrast, paired by seed: test words wrong without the 5 least important heads
(a fifth) minus with all, in points; the paper's claim holds here if the whole interval lies within ± 2 points.
Secondary: each head alone, with a bootstrap over words for each model, and how many would look significant by chance;
the same number of heads at random; all of one attention's heads but the most important.

Command: python -m qkv run head-removal --seeds 5
Takes about 60 minutes on one core, after ``positions``.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import torch
from torch import Tensor, nn

from qkv.inspection.heads import Gates, Head, every_head, gradient_importance, normalised, without
from qkv.models.transformer import Transformer, TransformerConfig
from qkv.recipes import positions
from qkv.recipes.pronunciation import Word, answer, pack, splits, unpack
from qkv.recipes.protocol import Fact, Record, mean_effect, mean_quantity
from qkv.recipes.result import Result, Values
from qkv.scoring.intervals import bootstrap_interval, paired_differences
from qkv.text.sounds import PAD
from qkv.training.batches import pad

CLAIM = "A fifth of a model's heads, the least important ones, can be silenced at no cost worth speaking of."
PAPER = (
    "Michel et al. 2019, section 4.2: up to 20 % of the heads of a translation model and 40 % of BERT's can be removed "
    "without a noticeable loss, in the order of importance."
)
CONTRAST = "test words wrong, without the 5 least important heads minus with all"
UNIT = "points"
OVER = "seeds"
SEEDS = 5
VERIFY = "all heads"
TOLERANCE = positions.TOLERANCE

ARMS: Final = ("all heads", "without one", "least important first", "at random", "one head left")
PRIMARY: Final = 5  # heads removed in the primary contrast


@dataclass(frozen=True)
class Config:
    """Whose models, how many validation words weigh their heads, and how many heads are removed."""

    models: positions.Config
    num_weighed: int
    removed: tuple[int, ...]
    margin: float = 2.0


PRESETS: Final = {
    "smoke": Config(positions.PRESETS["smoke"], 8, (5,)),
    "full": Config(positions.PRESETS["full"], 1_000, (2, 5, 8, 10, 12, 14, 16, 18, 20, 22)),
}


def arms(config: Config) -> list[str]:
    """What is silenced."""
    return list(ARMS)


def run(config: Config, arm: str, seed: int) -> Record:
    """Say the test words with some heads silent; one record holds all that this arm removes."""
    model, found = positions.kept_model(config.models, "sinusoidal", seed), attentions(config.models.training.model)
    if arm == "all heads":
        return _said(config, model, {})
    if arm == "without one":
        return {_name(head): _said(config, model, without(found, [head]))["wrong"] for head in every_head(found)}
    ranked = [] if arm == "at random" else ranking(config, model)
    if arm == "one head left":
        return {name: _said(config, model, without(found, _others(ranked, name)))["WER"] for name in found}
    order = _shuffled(every_head(found), seed) if arm == "at random" else ranked
    wer = {str(n): _said(config, model, without(found, order[:n]))["WER"] for n in config.removed}
    return wer | {"order": [_name(head) for head in order]}


def attentions(model: TransformerConfig) -> dict[str, int]:
    """Every attention of such a model, and its number of heads."""
    encoder = [f"encoder{i}.self_attention" for i in range(model.num_encoder_layers)]
    kinds = ("self_attention", "cross_attention")
    decoder = [f"decoder{i}.{kind}" for i in range(model.num_decoder_layers) for kind in kinds]
    return dict.fromkeys(encoder + decoder, model.num_heads)


def ranking(config: Config, model: Transformer) -> list[Head]:
    """All heads, least important first, by the gradient on the first validation words."""
    weighed = splits(config.models.training)["validation"][: config.num_weighed]
    total = dict.fromkeys(every_head(attentions(config.models.training.model)), 0.0)
    for start in range(0, len(weighed), 100):
        for head, slopes in importance(model, weighed[start : start + 100]).items():
            total[head] += float(slopes.sum())
    weights = normalised(total)
    return sorted(weights, key=lambda head: weights[head])


def importance(model: Transformer, words: Sequence[Word]) -> dict[Head, Tensor]:
    """How steeply each word's loss, in nats per sound, moves with each head's gate, (b)."""
    sources, targets = zip(*(word.pair() for word in words), strict=True)
    source, target = pad(sources, PAD), pad(targets, PAD)

    def losses(gates: Gates) -> Tensor:
        logits = model(source, target[:, :-1], head_gates=gates)
        each = nn.functional.cross_entropy(logits.mT, target[:, 1:], ignore_index=PAD, reduction="none")
        return each.sum(-1) / (target[:, 1:] != PAD).sum(-1)

    return gradient_importance(losses, attentions(model.config), len(words))


def differences(config: Mapping[str, Any], values: Values) -> list[float]:
    """Words wrong without the least important heads minus with all, in %, seed by seed."""
    return paired_differences(values["least important first"][str(PRIMARY)], values["all heads"]["WER"])


def facts(result: Result) -> dict[str, Fact]:
    """Words wrong with all heads, without each one, and without many; which single heads count, and by chance."""
    noted: dict[str, Fact] = {"WER all heads": mean_effect(result.values["all heads"]["WER"], "%")}
    for arm in ("least important first", "at random"):
        for removed in map(str, result.config["removed"]):
            noted[f"WER without {removed} heads, {arm}"] = mean_effect(result.values[arm][removed], "%")
    for name, wer in result.values["one head left"].items():
        cost = paired_differences(wer, result.values["all heads"]["WER"])
        noted[f"cost of one head left in {name}"] = mean_effect(cost, UNIT)
    return noted | _single_heads(result)


def _single_heads(result: Result) -> dict[str, Fact]:
    """The mean cost of each head, and how many of a model's heads have an interval over words that leaves out 0."""
    whole = [np.array(unpack(packed)) for packed in result.values["all heads"]["wrong"]]
    costs = {
        name: [100.0 * (np.array(unpack(packed)) - mine) for packed, mine in zip(each, whole, strict=True)]
        for name, each in result.values["without one"].items()
    }
    intervals = [[bootstrap_interval(cost, num_resamples=2_000) for cost in each] for each in costs.values()]
    noted: dict[str, Fact] = {
        f"cost of {name}": mean_effect([float(cost.mean()) for cost in each], UNIT) for name, each in costs.items()
    }
    harmful = [float(sum(row[seed].low > 0 for row in intervals)) for seed in range(len(whole))]
    helpful = [float(sum(row[seed].high < 0 for row in intervals)) for seed in range(len(whole))]
    noted["heads whose loss costs words"] = mean_quantity(harmful, "heads")
    noted["heads whose loss saves words"] = mean_quantity(helpful, "heads")
    noted["heads expected by chance"] = mean_quantity([0.05 * len(costs)], "heads")
    return noted | {"heads": len(costs)}


def _said(config: Config, model: Transformer, gates: Gates) -> Record:
    tested = splits(config.models.training)["test"][: config.models.num_tested]
    wrong = [int(item.edits > 0) for item in answer(model, tested, 1, 0.0, gates)]
    return {"WER": round(100 * sum(wrong) / len(wrong), 4), "wrong": pack(wrong)}


def _others(ranked: Sequence[Head], name: str) -> list[Head]:
    """All heads of one attention but the most important."""
    return [head for head in ranked if head.attention == name][:-1]


def _shuffled(heads: Sequence[Head], seed: int) -> list[Head]:
    order = torch.randperm(len(heads), generator=torch.Generator().manual_seed(seed))
    return [heads[i] for i in order]


def _name(head: Head) -> str:
    return f"{head.attention} {head.number}"
