"""Does post-LN need a warm-up where pre-LN does not?  Xiong et al. (2020), "On Layer Normalization in the Transformer
Architecture".

The paper: normalising after the sum (post-LN, as published in 2017) makes the gradients of the last layers large at the
beginning, so that training without a warm-up fails; normalising inside the detour (pre-LN) does not.

Task: pronunciation, with 6 + 6 layers of 64 entries and 300 steps.  Gradients are not clipped, for clipping is another
cure.  Each arm tries the same three peak rates, keeps the best on validation words, and opens the test words once.  A
run that ends in NaN counts as guessing all sounds alike.

Stated before the first run.  Primary contrast, paired by seed, + = the paper's side: what leaving out the warm-up costs
post-LN, in nats per test sound, minus what it costs pre-LN.  Secondary: both costs on their own, and the norm of the
gradient of each layer's last feed-forward matrix, before the first step.  Looked at afterwards: the same costs at each
rate by itself, on validation words.

Command: python -m qkv run warmup --seeds 5
Takes about 20 minutes on one core.  Expected before the run: reproduced.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch
from torch import Tensor

from qkv.models.transformer import FeedForward, Transformer
from qkv.recipes import pronunciation
from qkv.recipes.pronunciation import Word, fit, loss, splits, validation_loss
from qkv.recipes.protocol import Fact, Record, mean_effect
from qkv.recipes.result import Result, Values
from qkv.scoring.intervals import paired_differences
from qkv.text.sounds import PAD
from qkv.training import checkpoint
from qkv.training.batches import Batch, BucketedBatches
from qkv.training.loop import Settings, TrainingError

CLAIM = "Without a warm-up post-LN loses more than pre-LN."
PAPER = "Xiong et al. 2020: post-LN needs the warm-up, pre-LN trains without it; measured on translation and on BERT."
CONTRAST = "cost of no warm-up in nats per test sound, post-LN minus pre-LN"
UNIT = "nats"
OVER = "seeds"
SEEDS = 5
VERIFY = "pre 75"
TOLERANCE = {"loss": 0.1}  # other processors add in another order, and 300 steps make that grow


@dataclass(frozen=True)
class Config:
    """The run of every arm but for norm, warm-up and peak rate, which are listed here."""

    training: pronunciation.Config
    warmup_steps: tuple[int, ...]
    peak_rates: tuple[float, ...]
    num_tested: int


_DEEP = replace(
    pronunciation.PRESETS["full"].model, d_model=64, d_ff=256, num_encoder_layers=6, num_decoder_layers=6, dropout=0.0
)
_RUN = pronunciation.Config(
    _DEEP,
    Settings(300, 1.0, checkpoint_every=300, clip_norm=1e9),
    batch_size=64,
    decay_steps=75,
    label_smoothing=0.0,
    averaged=(1,),
)
_SMOKE = replace(pronunciation.PRESETS["smoke"], averaged=(1,), label_smoothing=0.0)
PRESETS = {
    "smoke": Config(_SMOKE, (0, 2), (1e-3, 1e-2), 16),
    "full": Config(_RUN, (0, 75), (5e-4, 1.5e-3, 4.5e-3), 3_000),
}


def arms(config: Config) -> list[str]:
    """Where the norm stands, and how many steps the warm-up takes."""
    return [f"{norm} {steps}" for norm in ("post", "pre") for steps in config.warmup_steps]


def run(config: Config, arm: str, seed: int) -> Record:
    """Validation loss of each rate, the rate chosen by it, that model's test loss, and the gradients at the start.

    Raises:
        ValueError: an arm that is none of ``arms``.
    """
    if arm not in arms(config):
        raise ValueError(f"expected one of {arms(config)}, got {arm!r}")
    norm, steps = arm.split()
    model = replace(config.training.model, norm=norm)  # type: ignore[arg-type]
    training = replace(config.training, model=model, warmup_steps=int(steps))
    validation = batches(training, "validation", 1_000)
    models = [trained(training, rate, seed) for rate in config.peak_rates]
    losses = [nats(each, validation) for each in models]
    best = losses.index(min(losses))
    return {
        "validation": [round(each, 5) for each in losses],
        "peak rate": config.peak_rates[best],
        "loss": round(nats(models[best], batches(training, "test", config.num_tested)), 5),
        "gradients": [float(f"{each:.3g}") for each in gradients(training, seed)],
    }


def trained(training: pronunciation.Config, peak_rate: float, seed: int) -> Transformer | None:
    """The model after the last step, or None when the run ended in NaN."""
    settings = replace(training.settings, peak_lr=peak_rate)
    with TemporaryDirectory() as folder:
        try:
            fit(replace(training, settings=settings), Path(folder), seed)
        except TrainingError:
            return None
        (last,) = sorted(Path(folder).glob("step_*.pt"))[-1:]
        model = Transformer(training.model)
        model.load_state_dict(checkpoint.load(last)["model"])
    return model.eval()


def batches(training: pronunciation.Config, split: str, num_words: int) -> list[Batch]:
    """The first words of a split."""
    return in_batches(splits(training)[split][:num_words], training.batch_size)


def in_batches(words: list[Word], batch_size: int) -> list[Batch]:
    """Words of like length together."""
    bucketed = BucketedBatches([word.pair() for word in words], batch_size, PAD)
    return [bucketed[i] for i in range(len(bucketed))]


@torch.no_grad()
def nats(model: Transformer | None, held_out: list[Batch]) -> float:
    """Loss per sound; where there is no model, that of guessing all sounds alike."""
    if model is None:
        return math.log(pronunciation.MODELS["g2p"].vocab_size)
    return float(validation_loss(0, model, held_out)["validation_loss"])


def gradients(training: pronunciation.Config, seed: int) -> list[float]:
    """Norm of the loss's gradient with respect to W₂ of each feed-forward network, encoder first, before any step."""
    torch.manual_seed(seed)
    model = Transformer(training.model)
    total, count = loss(model, batches(training, "train", training.batch_size)[0], 0.0)
    (total / count).backward()
    layers = [module for module in model.modules() if isinstance(module, FeedForward)]
    return [_norm(layer.outer.weight.grad) for layer in layers]


def _norm(gradient: Tensor | None) -> float:
    assert gradient is not None
    return float(gradient.norm())


def differences(config: Mapping[str, Any], values: Values) -> list[float]:
    """What no warm-up costs post-LN minus what it costs pre-LN, seed by seed."""
    return paired_differences(_cost(config, values, "post"), _cost(config, values, "pre"))


def facts(result: Result) -> dict[str, Fact]:
    """Test loss of each arm, the cost of leaving out the warm-up, at each rate too, and gradients of the decoder."""
    noted: dict[str, Fact] = {
        f"loss {arm}": mean_effect(entries["loss"], UNIT) for arm, entries in result.values.items()
    }
    for norm in ("post", "pre"):
        noted[f"cost {norm}"] = mean_effect(_cost(result.config, result.values, norm), UNIT)
        for place, rate in enumerate(result.config["peak_rates"]):
            noted[f"cost {norm} at rate {rate:g}"] = mean_effect(_cost_at(result, norm, place), UNIT)
        gradients = result.values[f"{norm} 0"]["gradients"]
        num_layers = result.config["training"]["model"]["num_encoder_layers"]
        ratio = [each[-1] / each[num_layers] for each in gradients]
        noted[f"last decoder layer's gradient over the first's, {norm}"] = mean_effect(ratio, "")
    return noted


def _cost(config: Mapping[str, Any], values: Values, norm: str) -> list[float]:
    without, with_warmup = (values[f"{norm} {steps}"]["loss"] for steps in config["warmup_steps"])
    return paired_differences(without, with_warmup)


def _cost_at(result: Result, norm: str, place: int) -> list[float]:
    """The same on validation words, where every arm has the rate of this place in the list."""
    without, with_warmup = (
        [trials[place] for trials in result.values[f"{norm} {steps}"]["validation"]]
        for steps in result.config["warmup_steps"]
    )
    return paired_differences(without, with_warmup)
