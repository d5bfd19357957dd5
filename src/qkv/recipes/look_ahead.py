"""May a model that predicts the next symbol look ahead?  Devlin et al. (2019), section 3.1: it would see the answer.

The paper says why a language model reads in one direction only: in both directions each word could see itself, and the
prediction would be trivial.  It shows no such model.  Here is one.

Task: name the next character.  Two small Transformers learn from windows of 48 characters of Project Gutenberg's books
("Alice in Wonderland" is held out, for scoring).  They have the same first weights, batches and steps.  One has a
causal mask; the other has none, so that in all places but the last the character to be named lies open before it.

Each is scored twice.  *As trained*: the mean loss over all places of windows of the held-out book.  *Writing*: after 24
characters of that book it draws 24 more, one by one.  What it wrote is read by a third party, a 5-gram model of the
same books (``qkv.recipes.ngram``): its loss per character is low for English and high for rubbish.  Two arms without a
model give the scale: the book's own next 24 characters, and the same ones drawn at random from the book's letters.

The model without a mask has met one honest place in training, the last of each window.  So the loss of that place in
full windows is noted as well: it is what the model knows when nothing can be copied.

Stated before the first run.  Primary contrast, paired by seed, + = the paper's side: loss of the written characters
under the 5-gram model, no mask minus causal mask.  Secondary: the same for the loss as trained (expected to be far
below 0), the loss of the last place, and the share of written words that occur in the books.

Command: python -m qkv run look-ahead --seeds 5
Takes about 4 minutes on one core.  Expect: reproduced.
"""

import math
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional

from qkv.recipes import length_extrapolation
from qkv.recipes.length_extrapolation import CharacterModel, Windows, corpora
from qkv.recipes.ngram import KneserNey, count_levels
from qkv.recipes.protocol import Fact, Record, mean_effect, mean_quantity
from qkv.recipes.result import Result, Values
from qkv.scoring.intervals import paired_differences
from qkv.training.loop import Settings, train
from qkv.training.schedules import warmup_cosine

CLAIM = "A model that may look ahead while it learns to name the next character writes worse than one that may not."
PAPER = (
    "Devlin et al. 2019, section 3.1: conditioned on both sides, each word could see itself, and predicting it would "
    "be trivial; so language models read one way. The paper trains no such model."
)
CONTRAST = "loss of the written characters under a 5-gram model, no mask minus causal mask"
UNIT = "nats"
OVER = "seeds"
SEEDS = 5
VERIFY = "causal mask"
TOLERANCE = {"as trained": 0.02}  # other processors add in another order, and hundreds of steps make that grow
ARMS: Final = ("causal mask", "no mask", "the book itself", "letters at random")
ORDER: Final = 5  # of the third party
DISCOUNT: Final = 0.75


@dataclass(frozen=True)
class Config:
    """What both models share; the presets are "smoke" (seconds, for tests) and "full" (the published run)."""

    settings: Settings
    d_model: int = 64
    num_heads: int = 4
    num_layers: int = 2
    trained_length: int = 48
    batch_size: int = 16
    warmup_steps: int = 100
    num_windows: int = 96
    prompt_length: int = 24
    num_counted: int = 1_000_000  # characters of the books that the 5-gram model reads

    def sizes(self) -> length_extrapolation.Config:
        """The same for ``CharacterModel``."""
        return length_extrapolation.Config(
            self.settings, self.d_model, self.num_heads, self.num_layers, self.trained_length
        )


PRESETS = {
    "smoke": Config(
        Settings(4, 1e-3),
        16,
        2,
        2,
        trained_length=12,
        batch_size=3,
        warmup_steps=1,
        num_windows=4,
        prompt_length=6,
        num_counted=20_000,
    ),
    "full": Config(Settings(600, 3e-3)),
}


class OpenModel(CharacterModel):
    """The same network without a mask: every place reads all places, those behind it included."""

    def mask(self, length: int) -> Float[Tensor, "#h t t"]:
        """Nothing is taken off any score."""
        return torch.zeros(1, length, length)


def model_of(config: Config, vocab_size: int, arm: str) -> CharacterModel:
    """The network of an arm, with waves for positions.

    Raises:
        ValueError: an arm that is none of ``ARMS``, or has no model.
    """
    kinds = {"causal mask": CharacterModel, "no mask": OpenModel}
    if arm not in kinds:
        raise ValueError(f"expected one of {', '.join(map(repr, kinds))}, got {arm!r}")
    return kinds[arm](config.sizes(), vocab_size, "sinusoidal")


def trained(config: Config, arm: str, seed: int) -> CharacterModel:
    """The model of an arm after its training."""
    vocab_size, learnt, _ = corpora()
    torch.manual_seed(seed)
    model = model_of(config, vocab_size, arm)
    windows = Windows(learnt, config.trained_length, config.batch_size, seed)
    schedule = partial(warmup_cosine, num_steps=config.settings.num_steps, warmup_steps=config.warmup_steps)
    with TemporaryDirectory() as folder:
        train(model, windows, length_extrapolation.loss, config.settings, schedule, Path(folder))
    return model.eval()


# Scoring -------------------------------------------------------------------------------------------------------------


def held_out(config: Config) -> Int[Tensor, "windows t"]:
    """Windows of the held-out book, spread evenly, one character longer than what a model reads."""
    ids = corpora()[2]
    ends = torch.linspace(config.trained_length + 1, len(ids), config.num_windows).long().tolist()
    return torch.stack([ids[end - config.trained_length - 1 : end] for end in ends])


@torch.no_grad()
def losses(model: nn.Module, windows: Int[Tensor, "windows t"]) -> Float[Tensor, "windows places"]:
    """Of every place, in nats, as in training."""
    return functional.cross_entropy(model(windows[:, :-1]).mT, windows[:, 1:], reduction="none")


@torch.no_grad()
def written(model: nn.Module, prompts: Int[Tensor, "b t"], length: int, seed: int) -> Int[Tensor, "b t_all"]:
    """The prompts with ``length`` characters drawn after them, one by one, from the model's probabilities."""
    generator, ids = torch.Generator().manual_seed(seed), prompts
    for _ in range(length):
        chances = model(ids)[:, -1].softmax(-1)
        ids = torch.cat([ids, torch.multinomial(chances, 1, generator=generator)], dim=1)
    return ids


@cache
def third_party(num_counted: int) -> KneserNey:
    """How often characters followed each other in the first so many of the books."""
    vocab_size, learnt, _ = corpora()
    return KneserNey(count_levels([learnt[:num_counted].tolist()], ORDER), vocab_size, DISCOUNT)


def read_by(party: KneserNey, ids: Sequence[int], start: int) -> float:
    """Mean loss of the characters from ``start`` on, each after the few before it."""
    nats = [-math.log(party.probability(ids[i], ids[max(i - ORDER + 1, 0) : i])) for i in range(start, len(ids))]
    return sum(nats) / len(nats)


@cache
def alphabet() -> list[str]:
    """The character of each id; 0 stands for those that the books do not have."""
    return ["�", *sorted(set(length_extrapolation.texts()[0]))]


@cache
def known_words() -> frozenset[str]:
    """Everything between two spaces in the books."""
    return frozenset(length_extrapolation.texts()[0].split())


def whole_words(text: str) -> list[str]:
    """What stands between two blanks: neither the first piece, which the prompt began, nor the last, cut off."""
    return (text + "|").split()[1:-1] if text[:1].strip() else (text + "|").split()[:-1]


def arms(config: Config) -> list[str]:
    """Two models, and two texts that give the scale."""
    return list(ARMS)


def run(config: Config, arm: str, seed: int) -> Record:
    """What this arm writes, read by the third party; of a model also the losses as trained.

    Raises:
        ValueError: an arm that is none of ``ARMS``.
    """
    if arm not in ARMS:
        raise ValueError(f"expected one of {ARMS}, got {arm!r}")
    windows, start = held_out(config), config.prompt_length
    noted: Record = {}
    if arm == "the book itself":
        texts = windows[:, :-1]
    elif arm == "letters at random":
        texts = windows[:, :-1].clone()
        ids, draw = corpora()[2].tolist(), random.Random(seed)
        texts[:, start:] = torch.tensor([draw.choices(ids, k=config.trained_length - start) for _ in texts])
    else:
        model = trained(config, arm, seed)
        found = losses(model, windows)
        noted = {"as trained": found.mean().item(), "last place": found[:, -1].mean().item()}
        texts = written(model, windows[:, :start], config.trained_length - start, seed)
    return {name: round(value, 5) for name, value in (noted | judged(config, texts)).items()}


def judged(config: Config, texts: Int[Tensor, "b t"]) -> Record:
    """Loss per written character under the third party, and the share of written words that the books have, in %."""
    rows, start, party = texts.tolist(), config.prompt_length, third_party(config.num_counted)
    loss = sum(read_by(party, row, start) for row in rows) / len(rows)
    words = [word for row in rows for word in whole_words("".join(alphabet()[i] for i in row[start:]))]
    return {"written": loss, "words": 100 * sum(word in known_words() for word in words) / max(len(words), 1)}


# What the values say -------------------------------------------------------------------------------------------------


def differences(config: Mapping[str, Any], values: Values) -> list[float]:
    """Loss of what was written without a mask minus with one, seed by seed."""
    return paired_differences(values["no mask"]["written"], values["causal mask"]["written"])


def facts(result: Result) -> dict[str, Fact]:
    """Every quantity of every arm, and the contrast of each loss.

    The share of known words has a ceiling, so it is a plain mean; without a mask hardly a word is finished.
    """
    noted: dict[str, Fact] = {}
    for arm, scores in result.values.items():
        for quantity, each in scores.items():
            words = quantity == "words"
            noted[f"{quantity}, {arm}"] = mean_quantity(each, "%") if words else mean_effect(each, "nats")
    for quantity in ("as trained", "last place", "written"):
        pair = (result.values[arm][quantity] for arm in ("no mask", "causal mask"))
        noted[f"{quantity}, no mask minus causal"] = mean_effect(paired_differences(*pair), "nats")
    return noted
