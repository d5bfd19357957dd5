"""How well does a small Transformer pronounce words that it has not seen?

Data: cmudict without stress marks, words of a–z and apostrophe, split by the sha256 of the word (``qkv.data``): 109,281
to learn from, 10,647 to test on.  The model learns the first pronunciation of each word; in scoring any listed one
counts.  How many checkpoints are averaged, beam size and length penalty are chosen on the validation words, then the
test words are opened once.  Error rates come with bootstrap intervals over words: they speak of this one model.

Two test sets, since many held-out words are inflections of learnt ones: all, and those without ``related`` words.
Yardstick: 33.9 % of words wrong for a published WFST and about 31 % for a published Transformer, on this dictionary
without stress (README of cmusphinx/g2p-seq2seq); their split is another one.

Command: python -m qkv.recipes.pronunciation.  It writes to ``runs/`` and goes on where it stopped.
"""

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cache, partial
from pathlib import Path
from typing import Any, Final

import torch
from torch import Tensor, nn

from qkv.data import load
from qkv.decoding.search import Cached, Limits, beam
from qkv.models.transformer import PRESETS as MODELS
from qkv.models.transformer import Transformer, TransformerConfig
from qkv.nn.attention import KeyValueCache
from qkv.recipes.commands import runs_folder
from qkv.recipes.protocol import fingerprint
from qkv.recipes.result import write_text
from qkv.scoring.edit_distance import Outcome, outcomes, phoneme_error_rate
from qkv.scoring.intervals import bootstrap_interval
from qkv.training import checkpoint
from qkv.training.batches import Batch, BucketedBatches, Pair, pad
from qkv.training.loop import Record, Settings, smoothed_loss, train
from qkv.training.schedules import warmup_hold_decay

PAD, START, END = 0, 1, 2
VALIDATION_BATCHES: Final = 12  # in the history; what is chosen is chosen on all validation words
LETTERS: Final = "'abcdefghijklmnopqrstuvwxyz"
SOUNDS: Final = (
    *("AA", "AE", "AH", "AO", "AW", "AY", "B", "CH", "D", "DH", "EH", "ER", "EY", "F", "G", "HH", "IH", "IY", "JH"),
    *("K", "L", "M", "N", "NG", "OW", "OY", "P", "R", "S", "SH", "T", "TH", "UH", "UW", "V", "W", "Y", "Z", "ZH"),
)
LETTER_IDS: Final = {letter: 3 + i for i, letter in enumerate(LETTERS)}
SOUND_IDS: Final = {sound: 3 + len(LETTERS) + i for i, sound in enumerate(SOUNDS)}
SYMBOLS: Final = ("<pad>", "<start>", "<end>", *LETTERS, *SOUNDS)
ENDINGS: Final = {  # what may stand in the place of an ending
    **dict.fromkeys(("'s", "s'", "'", "s", "ly", "ness"), ("",)),
    **dict.fromkeys(("es", "ed", "er", "ers", "ing", "ings"), ("", "e")),
    **dict.fromkeys(("ies", "ied"), ("y",)),
}


@dataclass(frozen=True)
class Word:
    """A word, and every way to say it that the dictionary lists, without stress."""

    spelling: str
    pronunciations: tuple[tuple[str, ...], ...]

    def pair(self) -> Pair:
        """Ids of the letters, and of the sounds of the first pronunciation between start and end."""
        letters = [LETTER_IDS[letter] for letter in self.spelling]
        return letters, [START, *(SOUND_IDS[sound] for sound in self.pronunciations[0]), END]


@dataclass(frozen=True)
class Config:
    """The presets are "smoke" (seconds, for tests) and "full" (the published run)."""

    model: TransformerConfig
    settings: Settings
    batch_size: int = 128
    warmup_steps: int = 300
    decay_steps: int = 5500
    label_smoothing: float = 0.1
    num_words: int | None = None  # of each split; None = all
    averaged: tuple[int, ...] = (1, 5, 10)  # last checkpoints to average; tried on validation words, as those below
    beams: tuple[tuple[int, float], ...] = ((1, 0.0), (4, 0.0), (4, 1.0))  # size, alpha


PRESETS: Final = {
    "smoke": Config(
        replace(MODELS["smoke"], vocab_size=69),
        Settings(6, 1e-3, checkpoint_every=3),
        batch_size=8,
        warmup_steps=2,
        decay_steps=3,
        num_words=64,
        averaged=(1, 2),
        beams=((1, 0.0), (2, 0.5)),
    ),
    "full": Config(MODELS["g2p"], Settings(16_500, 1.5e-3, checkpoint_every=250)),
}


def words(rows: Iterable[dict]) -> list[Word]:
    """The rows whose words hold nothing but a–z and apostrophe; pronunciations that differ in stress only are one."""
    kept = (row for row in rows if set(row["word"]) <= set(LETTERS))
    return [Word(row["word"], tuple(dict.fromkeys(map(without_stress, row["pronunciations"])))) for row in kept]


def without_stress(pronunciation: str) -> tuple[str, ...]:
    """``K ER1 N AH0 L`` → ("K", "ER", "N", "AH", "L")."""
    return tuple(re.sub(r"\d", "", pronunciation).split())


def loss(model: nn.Module, batch: Batch, smoothing: float) -> tuple[Tensor, Tensor]:
    """Sum over the sounds of a batch, and their number: each is to be named from those before it."""
    logits = model(batch.source, batch.target[:, :-1])
    return smoothed_loss(logits, batch.target[:, 1:], PAD, smoothing)


def validation_loss(step: int, model: nn.Module, batches: Sequence[Batch]) -> Record:
    """Nats per sound, without smoothing."""
    sums = [loss(model, batch, 0.0) for batch in batches]
    return {"validation_loss": sum(s.item() for s, _ in sums) / sum(int(n) for _, n in sums)}


def fit(config: Config, folder: Path, seed: int = 0) -> list[Record]:
    """Train, or go on with a run that stopped; checkpoints are kept in ``folder``.  Returns the history."""
    torch.set_num_threads(1)
    torch.manual_seed(seed)
    model, split = Transformer(config.model), splits(config)
    batches, held_out = (
        BucketedBatches([word.pair() for word in split[name]], config.batch_size, PAD, seed)
        for name in ("train", "validation")
    )
    schedule = partial(
        warmup_hold_decay,
        num_steps=config.settings.num_steps,
        warmup_steps=config.warmup_steps,
        decay_steps=config.decay_steps,
    )
    observe = partial(validation_loss, batches=[held_out[i] for i in range(VALIDATION_BATCHES)])
    per_batch = partial(loss, smoothing=config.label_smoothing)
    return train(model, batches, per_batch, replace(config.settings, seed=seed), schedule, folder, observe)


def splits(config: Config) -> dict[str, list[Word]]:
    """Split name → its words, at most ``num_words`` of each."""
    return {name: found[: config.num_words] for name, found in _all_words().items()}


@cache
def _all_words() -> dict[str, list[Word]]:
    return {name: words(rows) for name, rows in load("cmudict").items()}


def averaged(config: Config, folder: Path, last: int) -> Transformer:
    """The model whose weights are the mean of the last checkpoints.

    Raises:
        ValueError: there are fewer of them.
    """
    paths = sorted(folder.glob("step_*.pt"))[-last:]
    if len(paths) < last:
        raise ValueError(f"expected at least {last} checkpoints to average, found {len(paths)}")
    model = Transformer(config.model)
    model.load_state_dict(checkpoint.average([checkpoint.load(path)["model"] for path in paths]))
    return model.eval()


def pronounce(
    model: Transformer, spellings: Sequence[str], beam_size: int = 4, alpha: float = 0.0
) -> list[tuple[str, ...]]:
    """The best pronunciation of each word that beam search finds.

    Raises:
        ValueError: a word is empty, too long for the model, or holds anything but a–z and apostrophe.
    """
    for spelling in spellings:
        if not spelling or not set(spelling) <= set(LETTERS):
            raise ValueError(f"expected words of a–z and apostrophe, got {spelling!r}" + _which(spelling))
    source = pad([[LETTER_IDS[letter] for letter in spelling] for spelling in spellings], PAD)
    with torch.no_grad():
        memory = model.encode(source)

    def logits(ids: Tensor, rows: Tensor, cache: dict[str, KeyValueCache]) -> Tensor:
        return model.decode(ids, memory[rows], source[rows], cache=cache)

    limits = Limits(START, END, model.config.max_length)
    found = beam(Cached(logits, len(spellings)), len(spellings), limits, beam_size=beam_size, alpha=alpha)
    return [tuple(SYMBOLS[i] for i in best.ids) for best, *_ in found]


def answer(model: Transformer, tested: Sequence[Word], beam_size: int, alpha: float) -> list[Outcome]:
    """One outcome per word, against all of its pronunciations; decoded in groups of like length."""
    order = sorted(range(len(tested)), key=lambda i: len(tested[i].spelling))
    said: dict[int, tuple[str, ...]] = {}
    for start in range(0, len(order), 128):
        group = order[start : start + 128]
        said |= zip(group, pronounce(model, [tested[i].spelling for i in group], beam_size, alpha), strict=True)
    return outcomes([said[i] for i in range(len(tested))], [word.pronunciations for word in tested])


def related(tested: Sequence[Word], learnt: Sequence[Word]) -> list[bool]:
    """Whether a word shares a stem with a learnt one: ``walked`` with ``walk``, ``making`` with ``makes``."""
    known = {stem for word in learnt for stem in stems(word.spelling)}
    return [not known.isdisjoint(stems(word.spelling)) for word in tested]


def stems(spelling: str) -> set[str]:
    """The word itself, and what is left without an English ending, at least three letters: moved → mov, move."""
    found = {spelling}
    for ending, replacements in ENDINGS.items():
        stem = spelling.removesuffix(ending)
        if stem != spelling:
            found |= {stem + replacement for replacement in replacements if len(stem + replacement) >= 3}
    return found


def rates(items: Sequence[Outcome]) -> dict[str, Any]:
    """Words wrong, with a bootstrap interval over words, and sounds wrong; all in %."""
    wrong = bootstrap_interval([100.0 * (item.edits > 0) for item in items])
    return {"words": len(items), "WER": asdict(wrong), "PER": 100 * phoneme_error_rate(items)}


def evaluate(config: Config, folder: Path) -> dict[str, Any]:
    """Choose on the validation words, then open the test words once."""
    split = splits(config)
    trials = {
        (last, size, alpha): rates(answer(averaged(config, folder, last), split["validation"], size, alpha))
        for last in config.averaged
        for size, alpha in config.beams
    }
    last, size, alpha = min(trials, key=lambda each: trials[each]["WER"]["mean"])
    items = answer(averaged(config, folder, last), split["test"], size, alpha)
    has_relative = related(split["test"], split["train"])
    strangers = [item for item, known in zip(items, has_relative, strict=True) if not known]
    return {
        "validation": {"averaged {}, beam {}, alpha {}".format(*each): found for each, found in trials.items()},
        "chosen": {"averaged": last, "beam": size, "alpha": alpha},
        "test": rates(items),
        "test without relatives": rates(strangers),
    }


def main(preset: str = "full") -> None:
    """Train, choose, test; the numbers go to ``report.json`` next to the checkpoints."""
    config = PRESETS[preset]
    folder = runs_folder() / "pronunciation" / fingerprint(config)
    fit(config, folder)
    write_text(folder / "report.json", json.dumps(evaluate(config, folder), indent=1))
    print(f"→ {folder / 'report.json'}")


def _which(spelling: str) -> str:
    unknown = sorted(set(spelling) - set(LETTERS))
    return f", where {', '.join(map(repr, unknown))} cannot be read" if unknown else ""


if __name__ == "__main__":
    main()
