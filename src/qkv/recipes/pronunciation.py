"""How well does a small Transformer pronounce words that it has not seen?

Data: cmudict without stress marks, words of a–z and apostrophe, split by the sha256 of the word (``qkv.data``): 109,281
to learn from, 10,647 to test on.  The model learns the first pronunciation of each word; in scoring any listed one
counts.  How many checkpoints are averaged, beam size and length penalty are chosen on the validation words, then the
test words are opened once, with the weights in half precision: the very numbers that are committed.

Stated before the run.  Primary contrast, over the test words: words wrong for a table of letters in context, minus
words wrong for the Transformer, in points.  Intervals are bootstraps over words and speak of this one model.
Two test sets, since many held-out words are inflections of learnt ones: all, and those without ``related`` words.
Beside it the packaged recurrent network, which was trained on our test words, and a yardstick: 33.9 % of words wrong
for a published WFST and about 31 % for a published Transformer, on this dictionary without stress but another split
(README of cmusphinx/g2p-seq2seq).

Command: python -m qkv run pronunciation.  It writes to ``runs/`` and goes on where it stopped.  About 70 minutes of one
core: 55 of training, 12 of choosing, 2 of testing, 1 of baselines.
"""

import base64
import re
import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, partial
from pathlib import Path
from typing import Any, Final

import torch
from torch import Tensor, nn

from qkv.data import load
from qkv.models.transformer import PRESETS as MODELS
from qkv.models.transformer import Transformer, TransformerConfig
from qkv.pronounce import pronounce
from qkv.recipes import claims, protocol, weights
from qkv.recipes.commands import runs_folder
from qkv.recipes.pronunciation_baselines import LetterToSound, PackagedGRU
from qkv.recipes.protocol import Fact, fingerprint
from qkv.recipes.result import Quantity, Result, Values, rounded
from qkv.recipes.result import load as load_result
from qkv.scoring.edit_distance import Outcome, outcomes, word_error_rate
from qkv.scoring.intervals import Interval, bootstrap_interval, bootstrap_ratio, paired_differences
from qkv.text.sounds import LETTERS, PAD, letter_ids, sound_ids, without_stress
from qkv.training import checkpoint
from qkv.training.batches import Batch, BucketedBatches, Pair
from qkv.training.loop import Record, Settings, smoothed_loss, train
from qkv.training.schedules import warmup_hold_decay

CLAIM = "A small Transformer gets fewer unseen English words wrong than a table of letters in context."
PAPER = (
    "Yolchuyeva et al. 2019 (2004.06338): a Transformer of 4 + 4 layers leads the recurrent models on an older "
    "dictionary, with 22.1 % of words wrong. No paper has this split."
)
CONTRAST = "test words wrong, table of letters in context minus Transformer"
UNIT = "points"
OVER = "items"
SEEDS = 1
VERIFY = "packaged GRU"
TOLERANCE = {"WER": 0.02}  # two words of 10,647: another processor adds in another order

VALIDATION_BATCHES: Final = 12  # in the history; what is chosen is chosen on all validation words
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
        return letter_ids(self.spelling), sound_ids(self.pronunciations[0])


@dataclass(frozen=True)
class Config:
    """The presets are "smoke" (seconds, for tests) and "full" (the published run)."""

    model: TransformerConfig
    settings: Settings
    batch_size: int = 128
    warmup_steps: int = 300
    decay_steps: int = 5500
    label_smoothing: float = 0.1
    num_words: int | None = None  # of each split, spread evenly; None = all
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
    """Split name → its words; with ``num_words`` so many of each, spread evenly over the dictionary."""
    return {name: evenly(found, config.num_words) for name, found in _all_words().items()}


def evenly(found: list[Word], num_words: int | None) -> list[Word]:
    """At most so many words in even steps; all of them for None."""
    if num_words is None or num_words >= len(found):
        return found
    return [found[i * len(found) // num_words] for i in range(num_words)]


@cache
def _all_words() -> dict[str, list[Word]]:
    return {name: words(rows) for name, rows in load("cmudict").items()}


def published(config: Config, folder: Path, last: int) -> Transformer:
    """The model whose weights are the mean of the last checkpoints, rounded to half precision, as they are committed.

    Raises:
        ValueError: there are fewer of them.
    """
    return averaged(config.model, folder, last)


def averaged(config: TransformerConfig, folder: Path, last: int) -> Transformer:
    """What ``published`` does, for any Transformer."""
    model = Transformer(config)
    model.load_state_dict(checkpoint.average(checkpoint.last(folder, last)))
    return model.half().float().eval()


def answer(
    model: Transformer,
    tested: Sequence[Word],
    beam_size: int,
    alpha: float,
    head_gates: Mapping[str, Tensor] | None = None,
) -> list[Outcome]:
    """One outcome per word, against all of its pronunciations; decoded in groups of like length."""
    order = sorted(range(len(tested)), key=lambda i: len(tested[i].spelling))
    said: dict[int, tuple[str, ...]] = {}
    for start in range(0, len(order), 128):
        group = order[start : start + 128]
        spellings = [tested[i].spelling for i in group]
        said |= zip(group, pronounce(model, spellings, beam_size, alpha, head_gates), strict=True)
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


def wrong_words(items: Sequence[Outcome]) -> list[float]:
    """100 for a word that equals none of its pronunciations, else 0: their mean is the word error rate in %."""
    return [100.0 * (item.edits > 0) for item in items]


def choose(config: Config, folder: Path) -> tuple[tuple[int, int, float], dict[str, float]]:
    """The number of averaged checkpoints, the beam size and alpha with the fewest validation words wrong; all WERs."""
    tested = splits(config)["validation"]
    trials = {
        (last, size, alpha): 100 * word_error_rate(answer(published(config, folder, last), tested, size, alpha))
        for last in config.averaged
        for size, alpha in config.beams
    }
    return min(trials, key=lambda each: trials[each]), {_named(*each): wer for each, wer in trials.items()}


def arms(config: Config) -> list[str]:
    """The systems that pronounce the test words."""
    return ["Transformer", "letters in context", "packaged GRU"]


def run(config: Config, arm: str, seed: int) -> protocol.Record:
    """One system on all test words: edits and length of the nearest pronunciation of each, packed."""
    system = {"Transformer": _transformer, "letters in context": _table, "packaged GRU": _recurrent}[arm]
    items, noted = system(config, seed)
    edits, lengths = pack(item.edits for item in items), pack(item.length for item in items)
    return {"edits": edits, "lengths": lengths, "WER": 100 * word_error_rate(items)} | noted


def differences(config: Mapping[str, Any], values: Values) -> list[float]:
    """Words wrong for the table minus for the Transformer, in %, word by word."""
    ours, table = (wrong_words(stored_items(values, arm)) for arm in ("Transformer", "letters in context"))
    return paired_differences(table, ours)


def facts(result: Result) -> dict[str, Fact]:
    """WER and PER of each system on both test sets, and what was chosen how."""
    known = unpack(result.values["Transformer"]["related"][0])
    noted: dict[str, Fact] = {"chosen": result.values["Transformer"]["chosen"][0], "words": len(known)}
    noted["words without relatives"] = known.count(0)
    for arm, quantities in result.values.items():
        for suffix, left_out in (("", [0] * len(known)), (" without relatives", known)):
            rates = _rates(quantities["edits"][0], quantities["lengths"][0], pack(left_out))
            noted[f"WER {arm}{suffix}"], noted[f"PER {arm}{suffix}"] = (rounded(each, "%") for each in rates)
    trials = result.values["Transformer"]["validation"][0]
    return noted | {f"validation {name}": Quantity(wer, "%") for name, wer in trials.items()}


def publish() -> None:
    """Copy the weights of the finished run into the package, in half precision, with their card."""
    result, config = load_result("pronunciation"), PRESETS["full"]
    chosen = int(re.findall(r"\d+", str(facts(result)["chosen"]))[0])
    about = {
        "data": "cmudict 1.1.3 (BSD-2-Clause), training split, first pronunciation of each word, without stress",
        "recipe": result.command,
        "decoding": facts(result)["chosen"],
        "scores": {name: claims.field("pronunciation", name) for name in ("WER Transformer", "PER Transformer")},
        "limits": "American English; no stress marks; names and foreign words are often wrong; it always answers.",
    }
    model = published(config, checkpoints(config, 0), chosen)
    weights.publish("g2p", model, config.model, "a Transformer that pronounces English words", about)


def checkpoints(config: Config, seed: int) -> Path:
    """Where the run of these settings keeps its checkpoints."""
    return runs_folder() / "pronunciation" / fingerprint(config) / f"seed_{seed}"


def pack(numbers: Iterable[int]) -> str:
    """Numbers from 0 to 255 as text, one per test item: bytes, compressed, in base 85."""
    return base64.b85encode(zlib.compress(bytes(numbers), 9)).decode()


def unpack(text: str) -> list[int]:
    """Undoes ``pack``."""
    return list(zlib.decompress(base64.b85decode(text)))


def _transformer(config: Config, seed: int) -> tuple[list[Outcome], protocol.Record]:
    folder, split = checkpoints(config, seed), splits(config)
    fit(config, folder, seed)
    best, trials = choose(config, folder)
    items = answer(published(config, folder, best[0]), split["test"], *best[1:])
    known = pack(related(split["test"], split["train"]))
    return items, {"chosen": _named(*best), "validation": trials, "related": known}


def _table(config: Config, seed: int) -> tuple[list[Outcome], protocol.Record]:
    learnt = [(word.spelling, word.pronunciations[0]) for word in splits(config)["train"]]
    return _scored(LetterToSound(learnt).pronounce, config)


def _recurrent(config: Config, seed: int) -> tuple[list[Outcome], protocol.Record]:
    return _scored(PackagedGRU().pronounce, config)


def _scored(say: Callable[[str], tuple[str, ...]], config: Config) -> tuple[list[Outcome], protocol.Record]:
    tested = splits(config)["test"]
    return outcomes([say(word.spelling) for word in tested], [word.pronunciations for word in tested]), {}


@cache
def _rates(edits: str, lengths: str, left_out: str) -> tuple[Interval, Interval]:
    """WER and PER in %, from packed numbers: a page that quotes five of them draws the samples once, not five times."""
    columns = zip(*map(unpack, (edits, lengths, left_out)), strict=True)
    kept = [Outcome(edits, length) for edits, length, out in columns if not out]
    per_word = [100.0 * item.edits for item in kept]
    return bootstrap_interval(wrong_words(kept)), bootstrap_ratio(per_word, [item.length for item in kept])


def stored_items(values: Values, arm: str) -> list[Outcome]:
    """The outcome of every test word, from a result file."""
    edits, lengths = (unpack(values[arm][quantity][0]) for quantity in ("edits", "lengths"))
    return [Outcome(*each) for each in zip(edits, lengths, strict=True)]


def _named(last: int, beam_size: int, alpha: float) -> str:
    return f"mean of {last} checkpoints, beam {beam_size}, alpha {alpha:g}"


if __name__ == "__main__":
    publish()
