"""How well do ELMo's two language models know the next and the previous word of English text?

Data: the set ``running-text``: books, presidents' addresses, Wikipedia, reviews and tweets, in passages of about 500
words.  Test books, addresses and articles are whole ones of which the model has read nothing.

Every sentence stands alone, between <s> and </s>; what is longer than 80 words is cut.  Words are read by their
characters.  To be predicted are the 5,997 most frequent words of the training passages, <unk> for all others, and the
mark at the far end: </s> from the left, <s> from the right.  So perplexities here compare with each other alone; the
paper's 39.7 belongs to 793,471 words and a text of a thousand million.

Baseline: trigrams with interpolated Kneser–Ney smoothing over the same words and the same sentences, a second one over
the sentences back to front.  Its discount, and how many checkpoints of the neural model are averaged, are chosen on
validation passages; then the test passages are opened once, with the weights in half precision, as they are committed.

Stated before the run.  Primary contrast, over test passages: nats per word, trigrams minus biLM, mean of both
directions.  The interval is a bootstrap over passages and speaks of this one model.

Command: python -m qkv run elmo-lm.  It writes to ``runs/`` and goes on where it stopped.  It took 53 minutes of
one core beside other programs.
"""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, cached_property, partial
from pathlib import Path
from typing import Any, Final, cast

import torch
from jaxtyping import Integer
from torch import Tensor, nn

from qkv.models.elmo import PRESETS as MODELS
from qkv.models.elmo import ELMo, ELMoConfig
from qkv.recipes import claims, protocol, weights
from qkv.recipes.commands import runs_folder
from qkv.recipes.ngram import KneserNey, count_levels
from qkv.recipes.passages import per_source, running_passages, sources
from qkv.recipes.protocol import Fact, fingerprint, per_unit
from qkv.recipes.result import Quantity, Result, Values
from qkv.recipes.result import load as load_result
from qkv.scoring.intervals import paired_differences
from qkv.text.words import BEGIN, END, PADDING, WordVocabulary, character_ids, sentences
from qkv.training import checkpoint
from qkv.training.batches import Batch, BucketedBatches, Pair, pad
from qkv.training.loop import Record, Settings, train
from qkv.training.schedules import warmup_hold_decay

CLAIM = "Reading words by their characters, two small LSTM language models predict held-out words better than trigrams."
PAPER = (
    "Peters et al. 2018, section 3.4: after ten epochs on a text of a thousand million words, the mean of the forward "
    "and the backward perplexity is 39.7. The paper has no n-gram to compare with."
)
CONTRAST = "nats per word on test passages, trigrams minus biLM, mean of both directions"
UNIT = "nats"
OVER = "items"
SEEDS = 1
VERIFY = "trigrams"
TOLERANCE = {"perplexity from left": 0.01, "perplexity from right": 0.01}

SIDES: Final = ("from left", "from right")
Sentence = list[str]
Passage = Sequence[Pair]  # of each sentence: which spellings it has, and which words of the vocabulary


@dataclass(frozen=True)
class Config:
    """The presets are "smoke" (seconds, for tests) and "full" (the published run)."""

    model: ELMoConfig
    settings: Settings
    batch_size: int = 32
    warmup_steps: int = 300
    decay_steps: int = 2_000
    max_words: int = 80  # of a sentence
    num_passages: int | None = None  # of each split; None = all
    order: int = 3
    discounts: tuple[float, ...] = (0.75, 0.8, 0.85, 0.9, 0.95)
    averaged: tuple[int, ...] = (1, 5, 10)  # last checkpoints


PRESETS: Final = {
    "smoke": Config(
        MODELS["smoke"],
        Settings(4, 1e-2, checkpoint_every=2),
        batch_size=8,
        warmup_steps=1,
        decay_steps=2,
        max_words=20,
        num_passages=3,
        discounts=(0.6, 0.8),
        averaged=(1, 2),
    ),
    "full": Config(MODELS["cpu"], Settings(5_000, 3e-3, checkpoint_every=200)),
}


# Text ----------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Corpus:
    """Passages as ids, by split: word ids for what is predicted, numbers of spellings for what is read.

    ``spellings`` are all different words of the three splits, as written, which is no secret: a model spells them.
    Row i of ``characters`` spells number i; row 0 is padding.
    """

    vocabulary: WordVocabulary
    spellings: tuple[str, ...]
    splits: Mapping[str, Sequence[Passage]]

    @cached_property
    def characters(self) -> Integer[Tensor, "n c"]:
        """Ids of the characters of every spelling."""
        table = pad([character_ids(word) for word in self.spellings], PADDING)
        return torch.cat([torch.zeros_like(table[:1]), table])

    def read(self, batch: Batch) -> tuple[Tensor, Tensor, Tensor]:
        """What ``ELMo.loss`` takes: characters (b, t, c), no wider than the widest word, lengths (b,) and words."""
        characters = self.characters[batch.source]
        widest = int((characters != PADDING).any(0).any(0).sum())
        return characters[..., :widest], (batch.source != 0).sum(1), batch.target


@cache
def texts(num_passages: int | None) -> dict[str, list[list[Sentence]]]:
    """Split → passages, at most so many → sentences."""
    found = running_passages(num_passages)
    return {split: [list(sentences(each.text)) for each in passages] for split, passages in found.items()}


@cache
def build_corpus(vocab_size: int, max_words: int, num_passages: int | None) -> Corpus:
    """The running text for these settings; the vocabulary is that of the training passages."""
    split = {
        name: [[piece for each in passage for piece in pieces(each, max_words)] for passage in passages]
        for name, passages in texts(num_passages).items()
    }
    learnt = (word for passage in split["train"] for each in passage for word in each[1:-1])
    vocabulary = WordVocabulary.train(learnt, vocab_size)
    spellings = sorted({word for found in split.values() for passage in found for each in passage for word in each})
    number = {word: i for i, word in enumerate(spellings, start=1)}
    coded = {
        name: [[([number[word] for word in each], vocabulary.encode(each)) for each in passage] for passage in passages]
        for name, passages in split.items()
    }
    return Corpus(vocabulary, tuple(spellings), coded)


def pieces(sentence: Sentence, max_words: int) -> list[Sentence]:
    """The sentence, cut after every ``max_words`` words, each piece between <s> and </s>."""
    return [[BEGIN, *sentence[i : i + max_words], END] for i in range(0, len(sentence), max_words)]


def corpus_of(config: Config) -> Corpus:
    """The running text as these settings want it."""
    return build_corpus(config.model.vocab_size, config.max_words, config.num_passages)


# Two directions, trained and scored ----------------------------------------------------------------------------------


def loss(model: nn.Module, batch: Batch, corpus: Corpus) -> tuple[Tensor, Tensor]:
    """Sum over both directions of a batch, and the number of predictions in both."""
    sums, count = cast(ELMo, model).loss(*corpus.read(batch))
    return sums.sum(), 2 * count


def fit(config: Config, folder: Path, seed: int = 0) -> list[Record]:
    """Train, or go on with a run that stopped; checkpoints are kept in ``folder``.  Returns the history."""
    torch.set_num_threads(1)
    torch.manual_seed(seed)
    model, corpus = ELMo(config.model), corpus_of(config)
    pairs = [pair for passage in corpus.splits["train"] for pair in passage]
    batches = BucketedBatches(pairs, config.batch_size, 0, seed)
    schedule = partial(
        warmup_hold_decay,
        num_steps=config.settings.num_steps,
        warmup_steps=config.warmup_steps,
        decay_steps=config.decay_steps,
    )
    observe = partial(validation_loss, corpus=corpus)
    per_batch = partial(loss, corpus=corpus)
    return train(model, batches, per_batch, replace(config.settings, seed=seed), schedule, folder, observe)


def validation_loss(step: int, model: nn.Module, corpus: Corpus) -> Record:
    """Nats per word of every sixteenth validation passage, both directions."""
    passages = corpus.splits["validation"][::16]
    left, right = neural_losses(cast(ELMo, model), corpus, passages)
    return {"validation_loss": sum(left + right) / (2 * sum(num_words(passages)))}


@torch.no_grad()
def neural_losses(model: ELMo, corpus: Corpus, passages: Sequence[Passage]) -> tuple[list[float], list[float]]:
    """Nats of every passage, from the left and from the right."""
    found = []
    for passage in passages:
        spelled, words = zip(*passage, strict=True)
        sums, _ = model.loss(*corpus.read(Batch(pad(spelled, 0), pad(words, 0))))
        found.append(sums.tolist())
    left, right = zip(*found, strict=True)
    return list(left), list(right)


def num_words(passages: Iterable[Passage]) -> list[int]:
    """Predictions per passage in each direction: every word, and the mark at the far end."""
    return [sum(len(words) - 1 for _, words in passage) for passage in passages]


def published(config: Config, folder: Path, last: int) -> ELMo:
    """The model whose weights are the mean of the last checkpoints, rounded to half precision, as they are committed.

    Raises:
        ValueError: there are fewer of them.
    """
    model = ELMo(config.model)
    model.load_state_dict(checkpoint.average(checkpoint.last(folder, last)))
    return model.half().float().eval()


# The same words by counting ------------------------------------------------------------------------------------------


def trigram_losses(models: Sequence[KneserNey], passages: Sequence[Passage]) -> tuple[list[float], list[float]]:
    """Nats of every passage, from the left and from the right: one model for each, the second reads back to front."""
    from_left, from_right = models
    left = [sum(from_left.loss(words) for _, words in passage) for passage in passages]
    right = [sum(from_right.loss(words[::-1]) for _, words in passage) for passage in passages]
    return left, right


# What the protocol asks for ------------------------------------------------------------------------------------------


def arms(config: Config) -> list[str]:
    """The models that predict the test passages."""
    return ["biLM", "trigrams"]


def run(config: Config, arm: str, seed: int) -> protocol.Record:
    """One model on all test passages: nats of each passage in each direction, and what was chosen how."""
    losses_of, chosen, trials = {"biLM": _neural, "trigrams": _counted}[arm](config, seed)
    tested = corpus_of(config).splits["test"]
    counts = num_words(tested)
    record: protocol.Record = {"chosen": chosen, "validation": trials, "words": counts}
    record["source"] = sources(config.num_passages, "test")
    for side, nats in zip(SIDES, losses_of(tested), strict=True):
        record[f"nats {side}"] = [round(each, 3) for each in nats]
        record[f"perplexity {side}"] = math.exp(sum(nats) / sum(counts))
    return record


def differences(config: Mapping[str, Any], values: Values) -> list[float]:
    """Trigrams minus biLM, passage by passage: nats per word, mean of both directions."""
    counts = values["biLM"]["words"][0]
    both = []
    for arm in ("trigrams", "biLM"):
        left, right = (values[arm][f"nats {side}"][0] for side in SIDES)
        both.append(per_unit([(a + b) / 2 for a, b in zip(left, right, strict=True)], counts))
    return paired_differences(*both)


def facts(result: Result) -> dict[str, Fact]:
    """Perplexities by arm and direction, their mean by source as well, what was chosen and how much was tested."""
    counts, origins = (result.values["biLM"][name][0] for name in ("words", "source"))
    noted: dict[str, Fact] = {"words": sum(counts), "passages": len(counts)}
    for arm, quantities in result.values.items():
        found = [quantities[f"perplexity {side}"][0] for side in SIDES]
        for side, perplexity in zip(SIDES, found, strict=True):
            noted[f"perplexity {arm} {side}"] = Quantity(round(perplexity, 3), "")
        noted[f"perplexity {arm}"] = Quantity(round(sum(found) / 2, 3), "")
        left, right = (per_source(quantities[f"nats {side}"][0], counts, origins) for side in SIDES)
        for source in left:
            mean = (math.exp(left[source]) + math.exp(right[source])) / 2
            noted[f"perplexity {arm} {source}"] = Quantity(round(mean, 3), "")
        noted[f"chosen {arm}"] = quantities["chosen"][0]
    return noted


Losses = Callable[[Sequence[Passage]], tuple[list[float], list[float]]]
Chosen = tuple[Losses, str, dict[str, float]]  # what scores passages, its name, and the validation loss of every trial


def _neural(config: Config, seed: int) -> Chosen:
    folder, corpus = checkpoints(config, seed), corpus_of(config)
    fit(config, folder, seed)
    trials = {last: partial(neural_losses, published(config, folder, last), corpus) for last in config.averaged}
    return _best({weights.mean_of(last): losses for last, losses in trials.items()}, corpus)


def _counted(config: Config, seed: int) -> Chosen:
    corpus = corpus_of(config)
    words = [words for passage in corpus.splits["train"] for _, words in passage]
    levels = [count_levels(read, config.order) for read in (words, (each[::-1] for each in words))]
    trials: dict[str, Losses] = {}
    for discount in config.discounts:
        models = [KneserNey(each, len(corpus.vocabulary), discount) for each in levels]
        trials[f"discount {discount:g}"] = partial(trigram_losses, models)
    return _best(trials, corpus)


def _best(trials: Mapping[str, Losses], corpus: Corpus) -> Chosen:
    """The one with the smallest loss per word on the validation passages."""
    passages = corpus.splits["validation"]
    total = 2 * sum(num_words(passages))
    found = {name: sum(map(sum, losses(passages))) / total for name, losses in trials.items()}
    best = min(found, key=lambda name: found[name])
    return trials[best], best, {name: round(nats, 5) for name, nats in found.items()}


def checkpoints(config: Config, seed: int) -> Path:
    """Where the run of these settings keeps its checkpoints."""
    return runs_folder() / "elmo_lm" / fingerprint(config) / f"seed_{seed}"


def publish() -> None:
    """Copy the weights of the finished run into the package, in half precision, with their card and its words."""
    result, config = load_result("elmo-lm"), PRESETS["full"]
    last = next(last for last in config.averaged if weights.mean_of(last) == facts(result)["chosen biLM"])
    about = {
        "data": weights.RUNNING_TEXT,
        "recipe": result.command,
        "scores": {name: claims.field("elmo-lm", name) for name in ("perplexity biLM", "perplexity trigrams")},
        "limits": weights.LIMITS + " One sentence at a time.",
        "words": corpus_of(config).vocabulary.words[3:],
    }
    title = "ELMo: two LSTM language models over words that are read by their characters"
    weights.publish("elmo", published(config, checkpoints(config, 0), last), config.model, title, about)


if __name__ == "__main__":
    publish()
