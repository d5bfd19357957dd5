"""Is an encoder worth having?  An encoder–decoder against a decoder alone, with equally many parameters.

An encoder–decoder reads the letters in both directions and asks them in every block of the decoder.  A decoder alone
reads letters and sounds as one row, each symbol only what is before it.  Raffel et al. (2020), Table 2, find the
encoder–decoder ahead on translation at equal cost; theirs are large and pretrained.

Task and models: ``qkv.recipes.pronouncers``, ``BRIEF``.  An encoder block holds 12 d² numbers, a decoder block 16 d²
(chapter 05, lesson 1), so 3 + 3 blocks equal 7 blocks of a decoder alone: 84 d².  Blocks, waves, width, rate and steps
are the same.  The decoder alone takes longer, since all 7 blocks see both letters and sounds.

Stated before the first run.  Primary contrast, paired by seed, + = Raffel's side: test words wrong with the decoder
alone minus with encoder and decoder, in points.  Secondary: the same for the loss of the right sounds.

Command: python -m qkv run decoder-only --seeds 5
Takes about 30 minutes on one core.  Expect: reproduced.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import torch
from jaxtyping import Float, Integer
from torch import Tensor, nn

from qkv.decoding.search import Limits, Slow, greedy
from qkv.models.transformer import Extras, PreNormBlock, TransformerConfig, initialise
from qkv.nn.masks import causal
from qkv.nn.positions import sinusoidal
from qkv.recipes import positions, pronouncers
from qkv.recipes.pronouncers import Config
from qkv.recipes.pronunciation import Word, splits
from qkv.recipes.protocol import Fact, Record, mean_effect
from qkv.recipes.result import Result, Values
from qkv.scoring.edit_distance import outcomes, phoneme_error_rate, word_error_rate
from qkv.scoring.intervals import paired_differences
from qkv.text.sounds import END, PAD, START, letter_ids, sound_ids, symbols
from qkv.training.batches import Batch, BucketedBatches, Pair
from qkv.training.loop import smoothed_loss, train
from qkv.training.schedules import warmup_hold_decay

CLAIM = "With equally many parameters a decoder alone gets more words wrong than an encoder with a decoder."
PAPER = "Raffel et al. 2020, Table 2: encoder–decoder ahead of a language model of equal size or cost on every task."
CONTRAST = "test words wrong, decoder alone minus encoder and decoder"
UNIT = "points"
OVER = "seeds"
SEEDS = 5
VERIFY = "encoder and decoder"
TOLERANCE = positions.TOLERANCE
PRESETS = pronouncers.BRIEF
ARMS: Final = ("encoder and decoder", "decoder alone")
BLOCKS: Final = 3  # on either side
ALONE: Final = 7  # (12 + 16) · 3 / 12
MOST_SOUNDS: Final = 30


class DecoderAlone(nn.Module):
    """The blocks of ``qkv.models.transformer`` in one causal stack over letters, start symbol and sounds."""

    def __init__(self, config: TransformerConfig, num_layers: int):
        super().__init__()
        self.config = config
        self.embedding = nn.Embedding(config.vocab_size, config.d_model)
        self.blocks = nn.ModuleList(PreNormBlock(config, is_decoder=False) for _ in range(num_layers))
        self.norm = nn.LayerNorm(config.d_model)
        self.waves: Tensor
        self.register_buffer("waves", sinusoidal(2 * config.max_length, config.d_model), persistent=False)
        self.dropout = nn.Dropout(config.dropout)
        self.apply(initialise)

    def forward(self, ids: Integer[Tensor, "b t"]) -> Float[Tensor, "b t v"]:
        """Scores of the symbol after each; padding on the right is read by nobody before it."""
        x = math.sqrt(self.config.d_model) * self.embedding(ids) + self.waves[: ids.shape[1]]
        x, may_attend = self.dropout(x), causal(ids.shape[1])
        for block in self.blocks:
            x = block(x, may_attend, extras=Extras(), name="")
        return self.norm(x) @ self.embedding.weight.T


def arms(config: Config) -> list[str]:
    """With an encoder, and without."""
    return list(ARMS)


def run(config: Config, arm: str, seed: int) -> Record:
    """Train this kind of model; words and sounds wrong in %, and the loss in nats per sound, on test words.

    Raises:
        ValueError: an arm that is none of ``ARMS``.
    """
    if arm not in ARMS:
        raise ValueError(f"expected one of {ARMS}, got {arm!r}")
    if arm == "encoder and decoder":
        return pronouncers.changed_model(config, seed, num_encoder_layers=BLOCKS, num_decoder_layers=BLOCKS)
    return alone(config, seed)


def alone(config: Config, seed: int) -> Record:
    """The decoder alone: trained with the usual settings, scored as ``pronouncers.scores`` does."""
    training = config.usual.training
    torch.set_num_threads(1)
    torch.manual_seed(seed)
    model = DecoderAlone(training.model, ALONE)
    batches = BucketedBatches(rows(splits(training)["train"]), training.batch_size, PAD, seed)
    schedule = partial(
        warmup_hold_decay,
        num_steps=training.settings.num_steps,
        warmup_steps=training.warmup_steps,
        decay_steps=training.decay_steps,
    )
    per_batch = partial(loss, smoothing=training.label_smoothing)
    with TemporaryDirectory() as folder:
        train(model, batches, per_batch, replace(training.settings, seed=seed), schedule, Path(folder))
    return scores(model.half().float().eval(), splits(training)["test"][: config.usual.num_tested])


def rows(words: Sequence[Word]) -> list[Pair]:
    """What is read, letters then start and sounds; and what must be said, padding under the letters."""
    pairs = [(letter_ids(word.spelling), sound_ids(word.pronunciations[0])) for word in words]
    return [(letters + sounds[:-1], [PAD] * len(letters) + sounds[1:]) for letters, sounds in pairs]


def loss(model: nn.Module, batch: Batch, smoothing: float) -> tuple[Tensor, Tensor]:
    """Sum over the sounds of a batch, and their number: letters are read and not learned."""
    return smoothed_loss(model(batch.source), batch.target, PAD, smoothing)


@torch.no_grad()
def scores(model: DecoderAlone, tested: Sequence[Word]) -> Record:
    """WER and PER in %, greedily, and the loss in nats per sound without smoothing."""
    batches = BucketedBatches(rows(tested), 128, PAD)
    sums = [loss(model, batches[i], 0.0) for i in range(len(batches))]
    nats = sum(s.item() for s, _ in sums) / sum(int(n) for _, n in sums)
    items = outcomes(said(model, tested), [word.pronunciations for word in tested])
    found = {"WER": 100 * word_error_rate(items), "PER": 100 * phoneme_error_rate(items), "loss": nats}
    return {name: round(value, 5) for name, value in found.items()}


def said(model: DecoderAlone, tested: Sequence[Word]) -> list[tuple[str, ...]]:
    """The most probable sound at every step; words of one length together, so that no letter row needs padding."""
    answers: dict[int, tuple[str, ...]] = {}
    for length in {len(word.spelling) for word in tested}:
        group = [i for i, word in enumerate(tested) if len(word.spelling) == length]
        letters = torch.tensor([letter_ids(tested[i].spelling) for i in group])
        next_sound = Slow(partial(_after, model, letters), len(group))
        found = greedy(next_sound, len(group), Limits(START, END, MOST_SOUNDS))
        answers |= {i: symbols(ids) for i, ids in zip(group, found, strict=True)}
    return [answers[i] for i in range(len(tested))]


def _after(model: DecoderAlone, letters: Tensor, ids: Tensor, rows: Tensor) -> Tensor:
    return model(torch.cat([letters[rows], ids], dim=1))


def differences(config: Mapping[str, Any], values: Values) -> list[float]:
    """Words wrong with the decoder alone minus with encoder and decoder, in %, seed by seed."""
    return paired_differences(values["decoder alone"]["WER"], values["encoder and decoder"]["WER"])


def facts(result: Result) -> dict[str, Fact]:
    """Scores of each arm, and the contrast in loss."""
    more = paired_differences(*(result.values[arm]["loss"] for arm in ("decoder alone", "encoder and decoder")))
    return pronouncers.score_facts(result) | {
        "loss, decoder alone minus encoder and decoder": mean_effect(more, "nats")
    }
