"""Which positions let a model read texts longer than it was trained on?  Press et al. (2022), ALiBi; Figure 1.

The paper trains on short texts, tests on longer ones, and finds that sinusoids soon fail, that rotary positions fail a
little later, and that a penalty growing with distance (ALiBi) does not fail.

Task: name the next character.  Small causal Transformers learn from windows of 64 characters of Project Gutenberg's
books, without the Bible and without "Alice in Wonderland".  That book is for scoring: the same 64 neighbouring
characters with windows of 64, 128, 256 and 512 that end with them, so that nothing grows but the text before.  Arms
differ in positions alone, and have the same weights but for the table of the learned positions.  That table ends at
64: this arm is scored there and cannot be anywhere else.  No setting is chosen by a score; 1,200 steps, a fifth of the
text once, are what the time allows, so these models are far from finished.

Read the scores at 64 with care: there the first scored character has one character before it and the last has 64; in
longer windows each has 65 or more.  So a model that makes nothing of longer texts still gains from 64 to 128.

Stated before the first run.  Primary contrast, paired by seed, + = the paper's side: rise of the loss from length 64 to
length 512 with sinusoids minus the same rise with ALiBi, in nats per character.  Secondary: the same against rotary
positions and against none, and ALiBi's own rise.

Command: python -m qkv run length-extrapolation --seeds 5
Takes about 65 minutes on one core.  Expect: reproduced.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional

from qkv.data import load
from qkv.nn.attention import merge_heads, split_heads
from qkv.nn.masks import causal
from qkv.nn.positions import LearnedPositions, RotaryPositions, alibi_bias, sinusoidal
from qkv.recipes.protocol import Fact, Record, mean_effect
from qkv.recipes.result import Result, Values
from qkv.scoring.intervals import paired_differences
from qkv.training.loop import Settings, train
from qkv.training.schedules import warmup_cosine

CLAIM = "Beyond the length of training, the loss rises more with sinusoids than with ALiBi."
PAPER = (
    "Press et al. 2022, Figure 1: on texts longer than those of training perplexity soon grows with sinusoids, a "
    "little later with rotary positions, and does not with ALiBi."
)
CONTRAST = "rise of the loss per character from 64 to 512 characters, sinusoids minus ALiBi"
UNIT = "nats"
OVER = "seeds"
SEEDS = 5
VERIFY = "learned"
TOLERANCE = {"loss 64": 0.02}  # other processors add in another order, and a thousand steps make that grow

HELD_OUT = "carroll-alice"
ARMS = ("sinusoidal", "learned", "rotary", "ALiBi", "none")


@dataclass(frozen=True)
class Config:
    """What all arms share; the presets are "smoke" (seconds, for tests) and "full" (the published run)."""

    settings: Settings
    d_model: int = 128
    num_heads: int = 4
    num_layers: int = 4
    trained_length: int = 64
    lengths: tuple[int, ...] = (64, 128, 256, 512)
    batch_size: int = 16
    warmup_steps: int = 100
    num_windows: int = 256


PRESETS = {
    "smoke": Config(
        Settings(4, 1e-3), 16, 2, 2, trained_length=8, lengths=(8, 16), batch_size=3, warmup_steps=1, num_windows=5
    ),
    "full": Config(Settings(1_200, 1.5e-3)),
}


# Text ----------------------------------------------------------------------------------------------------------------


@cache
def texts() -> tuple[str, str]:
    """What the models read, and the whole book they are scored on, in reading order."""
    splits = load("gutenberg")
    learnt = [row["text"] for row in splits["train"] if row["book"] != HELD_OUT]
    held_out = [row for name in ("train", "validation", "test") for row in splits[name] if row["book"] == HELD_OUT]
    held_out.sort(key=lambda row: row["passage"])
    return "\n\n".join(learnt), "\n\n".join(row["text"] for row in held_out)


@cache
def corpora() -> tuple[int, Int[Tensor, " t"], Int[Tensor, " t_s"]]:
    """Size of the vocabulary, and the ids of both texts."""
    learnt, held_out = texts()
    alphabet = sorted(set(learnt))
    return len(alphabet) + 1, encode(learnt, alphabet), encode(held_out, alphabet)


def encode(text: str, alphabet: Sequence[str]) -> Int[Tensor, " t"]:
    """Characters → their places in the alphabet, from 1; 0 stands for all characters that are not in it."""
    place = {character: i for i, character in enumerate(alphabet, start=1)}
    return torch.tensor([place.get(character, 0) for character in text])


class Windows:
    """The batch of any step: windows of ``length`` + 1 characters at random places, from seed and step alone."""

    def __init__(self, ids: Int[Tensor, " t"], length: int, batch_size: int, seed: int):
        self.ids, self.length, self.batch_size, self.seed = ids.unfold(0, length + 1, 1), length, batch_size, seed

    def __getitem__(self, step: int) -> Int[Tensor, "b t"]:
        """The batch of step 0, 1, …"""
        generator = torch.Generator().manual_seed(self.seed * 1_000_003 + step)
        return self.ids[torch.randint(len(self.ids), (self.batch_size,), generator=generator)]


# Model ---------------------------------------------------------------------------------------------------------------


class CausalAttention(nn.Module):
    """Causal self-attention.  Positions may turn queries and keys, or lie in the mask that is added to the scores."""

    def __init__(self, config: Config, turn: nn.Module):
        super().__init__()
        self.num_heads, self.turn = config.num_heads, turn
        self.query, self.key, self.value, self.output = (nn.Linear(config.d_model, config.d_model) for _ in range(4))

    def forward(self, x: Float[Tensor, "b t d_model"], mask: Float[Tensor, "#h t t"]) -> Float[Tensor, "b t d_model"]:
        """What each character gathers from those before it."""
        query, key, value = (split_heads(project(x), self.num_heads) for project in (self.query, self.key, self.value))
        heads = functional.scaled_dot_product_attention(self.turn(query), self.turn(key), value, mask)
        return self.output(merge_heads(heads))


class Block(nn.Module):
    """Attention, then a feed-forward network; each is normed before and added after."""

    def __init__(self, config: Config, turn: nn.Module):
        super().__init__()
        d_model = config.d_model
        self.attention = CausalAttention(config, turn)
        self.feed_forward = nn.Sequential(nn.Linear(d_model, 4 * d_model), nn.GELU(), nn.Linear(4 * d_model, d_model))
        self.norms = nn.ModuleList(nn.LayerNorm(d_model) for _ in range(2))

    def forward(self, x: Float[Tensor, "b t d_model"], mask: Float[Tensor, "#h t t"]) -> Float[Tensor, "b t d_model"]:
        """Both sublayers, each on a detour."""
        x = x + self.attention(self.norms[0](x), mask)
        return x + self.feed_forward(self.norms[1](x))


class CharacterModel(nn.Module):
    """A small language model; ``arm`` says how it knows positions.

    Raises:
        ValueError: an arm that is none of ``ARMS``.
    """

    def __init__(self, config: Config, vocab_size: int, arm: str):
        super().__init__()
        if arm not in ARMS:
            raise ValueError(f"arm: expected one of {ARMS}, got {arm!r}")
        self.config, self.arm = config, arm
        self.embedding = nn.Embedding(vocab_size, config.d_model)
        turn = RotaryPositions(config.d_model // config.num_heads) if arm == "rotary" else nn.Identity()
        self.blocks = nn.ModuleList(Block(config, turn) for _ in range(config.num_layers))
        self.norm, self.output = nn.LayerNorm(config.d_model), nn.Linear(config.d_model, vocab_size)
        if arm == "learned":  # last, so that a seed gives all other weights as in the other arms
            self.positions = LearnedPositions(config.trained_length, config.d_model)

    def forward(self, ids: Int[Tensor, "b t"]) -> Float[Tensor, "b t v"]:
        """Logits of the character that comes after each one."""
        x, length = self.embedding(ids), ids.shape[1]
        if self.arm == "sinusoidal":
            x = x + sinusoidal(length, self.config.d_model)
        elif self.arm == "learned":
            x = x + self.positions(length)
        mask = self.mask(length)
        for block in self.blocks:
            x = block(x, mask)
        return self.output(self.norm(x))

    def mask(self, length: int) -> Float[Tensor, "#h t t"]:
        """What is added to the scores: -inf for the future, and ALiBi's penalty for the past."""
        bias = alibi_bias(self.config.num_heads, length) if self.arm == "ALiBi" else torch.zeros(1, length, length)
        return bias.masked_fill(~causal(length), -torch.inf)


# Training and scoring ------------------------------------------------------------------------------------------------


def loss(model: nn.Module, windows: Int[Tensor, "b t"]) -> tuple[Tensor, Tensor]:
    """Sum of cross-entropies over all characters of the windows but the first, and how many there are."""
    targets = windows[:, 1:]
    losses = functional.cross_entropy(model(windows[:, :-1]).mT, targets, reduction="sum")
    return losses, torch.tensor(targets.numel())


@torch.no_grad()
def score(config: Config, model: nn.Module, ids: Int[Tensor, " t"], length: int) -> float:
    """Mean loss in nats of the last ``trained_length`` characters of windows of ``length``.

    The windows' ends are spread evenly over the text and are the same for every length.
    """
    ends = torch.linspace(max(config.lengths) + 1, len(ids), config.num_windows).long().tolist()
    losses = []
    for first in range(0, len(ends), 16):
        windows = torch.stack([ids[end - length - 1 : end] for end in ends[first : first + 16]])
        logits = model(windows[:, :-1])[:, -config.trained_length :]
        losses.append(functional.cross_entropy(logits.mT, windows[:, -config.trained_length :], reduction="none"))
    return torch.cat(losses).mean().item()


def arms(config: Config) -> list[str]:
    """How the models know positions."""
    return list(ARMS)


def run(config: Config, arm: str, seed: int) -> Record:
    """Train, then score at every length; the learned table at its own length alone."""
    vocab_size, learnt, held_out = corpora()
    torch.manual_seed(seed)
    model = CharacterModel(config, vocab_size, arm)
    windows = Windows(learnt, config.trained_length, config.batch_size, seed)
    schedule = partial(warmup_cosine, num_steps=config.settings.num_steps, warmup_steps=config.warmup_steps)
    with TemporaryDirectory() as folder:
        train(model, windows, loss, config.settings, schedule, Path(folder))
    lengths = [config.trained_length] if arm == "learned" else config.lengths
    return {f"loss {length}": round(score(config, model.eval(), held_out, length), 5) for length in lengths}


# What the values say -------------------------------------------------------------------------------------------------


def rises(config: Mapping[str, Any], values: Values, arm: str) -> list[float]:
    """Loss at the longest windows minus loss at the shortest, seed by seed."""
    first, last = (f"loss {length}" for length in (config["lengths"][0], config["lengths"][-1]))
    return paired_differences(values[arm][last], values[arm][first])


def differences(config: Mapping[str, Any], values: Values) -> list[float]:
    """Rise with sinusoids minus rise with ALiBi."""
    return paired_differences(rises(config, values, "sinusoidal"), rises(config, values, "ALiBi"))


def facts(result: Result) -> dict[str, Fact]:
    """The loss of each arm at each length, each arm's rise, and by how much it exceeds ALiBi's."""
    noted: dict[str, Fact] = {}
    for arm, scores in result.values.items():
        noted |= {f"{quantity} {arm}": mean_effect(each, UNIT) for quantity, each in scores.items()}
    risen = {arm: rises(result.config, result.values, arm) for arm in result.values if arm != "learned"}
    for arm, rise in risen.items():
        noted[f"rise {arm}"] = mean_effect(rise, UNIT)
        noted[f"rise {arm} above ALiBi"] = mean_effect(paired_differences(rise, risen["ALiBi"]), UNIT)
    return noted
