"""How well does a small BERT name the hidden pieces of English text, beside counts of left and right neighbours?

Data: the set ``running-text``: books, presidents' addresses, Wikipedia, reviews and tweets, in passages of about 500
words.  Test books, addresses and articles are whole ones of which the model has read nothing.

4,000 pieces, learnt by the likelihood gain: the usual stand-in for WordPiece's score spends its pieces on rare words
here.  A passage is cut into rows of at most 126 pieces between [CLS] and [SEP].  Masked language model alone, no next
sentence prediction; so the pooler keeps its first weights.

Training chooses 40 % of the pieces, anew at every step, where the paper has 15 %: a model learns from what is hidden
alone, and with 15 % ours knew next to nothing of a gap's neighbours after a fifth of its run.  Wettig et al. (2023,
"Should you mask 15 % in masked language modeling?") find 40 % better, too.  No dropout: a row is met about twice.

At first a piece may look at its two neighbours alone, then farther and farther, from step 1,600 on at its whole row.
Behind [MASK] nothing says which piece stood there; all must come through attention.  Over a whole row attention is even
at first, and what it finds is the mean of 128 pieces; ours stayed there for more than a thousand steps.  What is
trained, tested and published is BERT as it is: which places may be looked at is a matter of the batch.

To be tested, 15 % of the pieces of validation and test passages are hidden, always the same ones and all of them behind
[MASK]: so all models know what is asked.  Neighbours of a gap may be hidden, too.

Baselines: how often each piece stands anywhere, and p(piece | its left and its right neighbour) by counting, smoothed
after Kneser and Ney: the mean of two models, one that forgets the left neighbour first and one that forgets the right
one.  Their discount, and how many checkpoints of BERT are averaged, are chosen on validation passages; then the test
passages are opened once, with the weights in half precision, as they would be committed.

Stated before the run.  Primary contrast, over test passages: nats per hidden piece, neighbours minus BERT.  The
interval is a bootstrap over passages and speaks of this one model.

Command: python -m qkv run bert-mlm.  It writes to ``runs/`` and goes on where it stopped.  It took an hour of one core
beside other programs.  Then ``python -m qkv.recipes.bert_mlm`` publishes the weights.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, partial
from pathlib import Path
from typing import Any, Final, NamedTuple, cast

import numpy as np
import torch
from jaxtyping import Bool, Integer
from torch import Tensor, nn

from qkv.data.masking import IGNORED, corrupt, mask_tokens
from qkv.models.bert import PRESETS as MODELS
from qkv.models.bert import BERTConfig, BERTForPreTraining
from qkv.nn.masks import not_padding
from qkv.recipes import claims, protocol, weights
from qkv.recipes.commands import runs_folder
from qkv.recipes.ngram import KneserNey, levels_of
from qkv.recipes.passages import per_source, running_passages, sources
from qkv.recipes.protocol import Fact, fingerprint, per_unit
from qkv.recipes.result import Quantity, Result, Values
from qkv.recipes.result import load as load_result
from qkv.scoring.intervals import paired_differences
from qkv.text.wordpiece import CLS, MASK, PAD, SEP, SPECIAL, WordPiece, likelihood_gain
from qkv.training import checkpoint
from qkv.training.batches import pad
from qkv.training.loop import Record, Settings, train
from qkv.training.schedules import warmup_hold_decay

CLAIM = "A small BERT names hidden pieces of held-out text better than counts of their two neighbours."
PAPER = (
    "Devlin et al. 2019, table 6: the smallest model, 3 layers with 768 entries, has a perplexity of 5.84 on held-out "
    "masked pieces, after a million steps on 3,300 million words. The paper has no n-gram to compare with."
)
CONTRAST = "nats per hidden piece on test passages, neighbours minus BERT"
UNIT = "nats"
OVER = "items"
SEEDS = 1
VERIFY = "neighbours"
TOLERANCE = {"loss": 0.01, "accuracy": 0.001}

Passage = Sequence[list[int]]  # rows of ids, each with [CLS] and [SEP]
Question = tuple[Tensor, Tensor]  # rows with gaps, labels
GAPS_SEED: Final = 20181011  # of the gaps in validation and test passages


@dataclass(frozen=True)
class Config:
    """The presets are "smoke" (seconds, for tests) and "full" (the run to be published).

    ``chosen`` is the share of pieces that training hides or changes at a step.  ``reaches`` says from which step on a
    piece may look how many places to each side; None = as far as the row goes.
    """

    model: BERTConfig
    settings: Settings
    batch_size: int = 32
    chosen: float = 0.4
    reaches: tuple[tuple[int, int | None], ...] = ((0, None),)
    warmup_steps: int = 300
    decay_steps: int = 1_200
    num_passages: int | None = None  # of each split; None = all
    discounts: tuple[float, ...] = (0.6, 0.75, 0.9)
    averaged: tuple[int, ...] = (1, 5)  # last checkpoints


PRESETS: Final = {
    "smoke": Config(
        replace(MODELS["smoke"], vocab_size=200),
        Settings(4, 1e-2, checkpoint_every=2),
        batch_size=8,
        reaches=((0, 1), (2, None)),
        warmup_steps=1,
        decay_steps=2,
        num_passages=3,
        discounts=(0.6, 0.8),
        averaged=(1, 2),
    ),
    "full": Config(
        replace(MODELS["cpu"], dropout=0.0),
        Settings(3_600, 1e-3, checkpoint_every=200),
        reaches=((0, 1), (400, 2), (600, 3), (800, 4), (1_000, 8), (1_200, 16), (1_400, 32), (1_600, None)),
    ),
}


# Text ----------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Corpus:
    """Passages as rows of ids, by split."""

    pieces: WordPiece
    splits: Mapping[str, Sequence[Passage]]

    def gaps(self, ids: Integer[Tensor, "b t"], generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """``mask_tokens`` with what this vocabulary knows of its special tokens."""
        special, is_special = self._special(ids)
        return mask_tokens(ids, is_special, self.pieces.ids[MASK], len(self.pieces), generator, special)

    def changed(
        self, ids: Integer[Tensor, "b t"], chosen: Bool[Tensor, "b t"], generator: torch.Generator
    ) -> tuple[Tensor, Tensor]:
        """The same with pieces that are chosen already; special tokens among them are left alone."""
        special, is_special = self._special(ids)
        return corrupt(ids, chosen & ~is_special, self.pieces.ids[MASK], len(self.pieces), generator, special)

    def _special(self, ids: Integer[Tensor, "b t"]) -> tuple[list[int], Bool[Tensor, "b t"]]:
        special = [self.pieces.ids[token] for token in SPECIAL]
        return special, torch.isin(ids, torch.tensor(special))


@cache
def questions(corpus: Corpus, split: str) -> list[Question]:
    """Of each passage its rows with every chosen piece hidden, and the labels: the same whenever asked."""
    generator, mask_id = torch.Generator().manual_seed(GAPS_SEED), corpus.pieces.ids[MASK]
    found = []
    for passage in corpus.splits[split]:
        ids = pad(passage, corpus.pieces.ids[PAD])
        _, labels = corpus.gaps(ids, generator)
        found.append((ids.masked_fill(labels != IGNORED, mask_id), labels))
    return found


@cache
def build_corpus(vocab_size: int, max_length: int, num_passages: int | None) -> Corpus:
    """The running text for these settings; the pieces are learnt from the training passages."""
    found = running_passages(num_passages)
    pieces = WordPiece.train([each.text for each in found["train"]], vocab_size, likelihood_gain)
    cut = partial(rows, pieces=pieces, max_length=max_length)
    return Corpus(pieces, {split: [cut(each.text) for each in passages] for split, passages in found.items()})


def rows(text: str, pieces: WordPiece, max_length: int) -> Passage:
    """The text in rows of at most ``max_length`` ids, each between [CLS] and [SEP]."""
    ids, room = pieces.encode(text), max_length - 2
    return [[pieces.ids[CLS], *ids[i : i + room], pieces.ids[SEP]] for i in range(0, len(ids), room)]


def corpus_of(config: Config) -> Corpus:
    """The running text as these settings want it."""
    return build_corpus(config.model.vocab_size, config.model.max_length, config.num_passages)


class Batch(NamedTuple):
    """Rows with gaps, labels, and who may look at whom; padding looks at itself, for nobody may look nowhere."""

    ids: Integer[Tensor, "b t"]
    labels: Integer[Tensor, "b t"]
    may_attend: Bool[Tensor, "b t t"]


class MaskedBatches:
    """The batch of any step, computed from seed and step alone; every epoch shuffles the rows.

    Raises:
        ValueError: fewer rows than a batch holds.
    """

    def __init__(self, corpus: Corpus, config: Config, seed: int):
        self.corpus, self.batch_size, self.seed = corpus, config.batch_size, seed
        self.chosen, self.reaches = config.chosen, config.reaches
        self.rows = [row for passage in corpus.splits["train"] for row in passage]
        if len(self.rows) < self.batch_size:
            raise ValueError(f"expected at least batch_size = {self.batch_size} rows, got {len(self.rows)}")
        self.order = cache(self._order)

    def __getitem__(self, step: int) -> Batch:
        """The batch of step 0, 1, …; the rows that are left over at the end of an epoch are left out of it."""
        epoch, place = divmod(step, len(self.rows) // self.batch_size)
        numbers = self.order(epoch)[place * self.batch_size : (place + 1) * self.batch_size]
        ids = pad([self.rows[i] for i in numbers], self.corpus.pieces.ids[PAD])
        generator = torch.Generator().manual_seed(self.seed * 1_000_003 + step)
        chosen = torch.rand(ids.shape, generator=generator) < self.chosen
        masked, labels = self.corpus.changed(ids, chosen, generator)
        near, itself = (within(ids.shape[1], reach) for reach in (reach_at(step, self.reaches), 0))
        return Batch(masked, labels, real(ids, self.corpus.pieces.ids[PAD]) & near | itself)

    def _order(self, epoch: int) -> list[int]:
        generator = torch.Generator().manual_seed(self.seed * 1_000_003 + epoch)
        return torch.randperm(len(self.rows), generator=generator).tolist()


def reach_at(step: int, reaches: Sequence[tuple[int, int | None]]) -> int | None:
    """How far a piece may look at step 0, 1, …; None = as far as the row goes.

    Raises:
        ValueError: the first reach does not begin at step 0.
    """
    if not reaches or reaches[0][0] != 0:
        raise ValueError(f"reaches: expected the first to begin at step 0, got {reaches}")
    return next(reach for first, reach in reversed(reaches) if first <= step)


def within(length: int, reach: int | None) -> Bool[Tensor, "t t"]:
    """True where two places are at most ``reach`` apart."""
    place = torch.arange(length)
    return (place[:, None] - place).abs() <= (length if reach is None else reach)


# BERT, trained and scored --------------------------------------------------------------------------------------------


def loss(model: nn.Module, batch: Batch) -> tuple[Tensor, Tensor]:
    """Sum over the chosen pieces of a batch, and their number."""
    return cast(BERTForPreTraining, model).masked_loss(batch.ids, batch.labels, may_attend=batch.may_attend)


def real(ids: Integer[Tensor, "b t"], pad_id: int) -> Tensor:
    """Where a row may look: at all that is no padding."""
    return not_padding((ids != pad_id).sum(1), ids.shape[1])


def fit(config: Config, folder: Path, seed: int = 0) -> list[Record]:
    """Train, or go on with a run that stopped; checkpoints are kept in ``folder``.  Returns the history."""
    torch.set_num_threads(1)
    torch.manual_seed(seed)
    model, corpus = BERTForPreTraining(config.model), corpus_of(config)
    schedule = partial(
        warmup_hold_decay,
        num_steps=config.settings.num_steps,
        warmup_steps=config.warmup_steps,
        decay_steps=config.decay_steps,
    )
    observe = partial(validation_loss, corpus=corpus)
    batches = MaskedBatches(corpus, config, seed)
    return train(model, batches, loss, replace(config.settings, seed=seed), schedule, folder, observe)


def validation_loss(step: int, model: nn.Module, corpus: Corpus) -> Record:
    """Nats per hidden piece of every fourth validation passage, and the share that is named rightly."""
    scores = bert_scores(cast(BERTForPreTraining, model), corpus, questions(corpus, "validation")[::4])
    return {"validation_loss": scores.loss, "validation_accuracy": scores.accuracy}


@dataclass(frozen=True)
class Scores:
    """Of each passage: nats of all hidden pieces together, how many the model names rightly, how many there are."""

    nats: list[float]
    right: list[int]
    gaps: list[int]

    @property
    def loss(self) -> float:
        """Nats per hidden piece."""
        return sum(self.nats) / sum(self.gaps)

    @property
    def accuracy(self) -> float:
        """Share of the hidden pieces that got the highest score."""
        return sum(self.right) / sum(self.gaps)


@torch.no_grad()
def bert_scores(model: BERTForPreTraining, corpus: Corpus, passages: Sequence[Question]) -> Scores:
    """What BERT makes of the hidden pieces."""
    found = []
    for ids, labels in passages:
        chosen = labels != IGNORED
        hidden = model.bert(ids, may_attend=real(ids, corpus.pieces.ids[PAD]))[chosen]
        found.append(_scored(model.piece_scores(hidden).log_softmax(-1), labels[chosen]))
    return Scores(*map(list, zip(*found, strict=True)))


def _scored(log_p: Tensor, labels: Tensor) -> tuple[float, int, int]:
    nats = -log_p.gather(1, labels[:, None]).sum().item()
    return nats, int((log_p.argmax(1) == labels).sum()), len(labels)


def published(config: Config, folder: Path, last: int) -> BERTForPreTraining:
    """The model whose weights are the mean of the last checkpoints, rounded to half precision.

    Raises:
        ValueError: there are fewer of them.
    """
    model = BERTForPreTraining(config.model)
    model.load_state_dict(checkpoint.average(checkpoint.last(folder, last)))
    return model.half().float().eval()


# The same gaps by counting -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Neighbours:
    """p(piece | left, right): the mean of a model that forgets the left neighbour first, and one the right."""

    left_first: KneserNey
    right_first: KneserNey

    def distribution(self, left: int, right: int) -> np.ndarray:
        """Of all pieces; a neighbour that is hidden is as one never seen."""
        return (self.left_first.distribution([left, right]) + self.right_first.distribution([right, left])) / 2


def neighbours(config: Config) -> dict[str, Neighbours]:
    """One model for every discount, counted on the training passages."""
    corpus = corpus_of(config)
    seen = [row for passage in corpus.splits["train"] for row in passage]
    forms: tuple[Callable, Callable] = (lambda a, b, c: (a, c, b), lambda a, b, c: (c, a, b))
    grams = (
        Counter(form(*three) for row in seen for three in zip(row, row[1:], row[2:], strict=False)) for form in forms
    )
    levels = [levels_of(each, 3) for each in grams]
    size = len(corpus.pieces)
    return {f"discount {d:g}": Neighbours(*(KneserNey(each, size, d) for each in levels)) for d in config.discounts}


def counted_scores(distribution: Callable[[int, int], np.ndarray], passages: Sequence[Question]) -> Scores:
    """What a model of two neighbours makes of the hidden pieces; the short end of a document may have no gap."""
    found = []
    for ids, labels in passages:
        gaps = (labels != IGNORED).nonzero().tolist()
        p = [distribution(int(ids[row, i - 1]), int(ids[row, i + 1])) for row, i in gaps]
        found.append(_scored(torch.from_numpy(np.log(np.stack(p))), labels[labels != IGNORED]) if p else (0.0, 0, 0))
    return Scores(*map(list, zip(*found, strict=True)))


def frequencies(config: Config) -> np.ndarray:
    """How often each piece stands in the training passages, one added to each, as shares."""
    corpus = corpus_of(config)
    counts = np.bincount([i for passage in corpus.splits["train"] for row in passage for i in row[1:-1]])
    smoothed = np.pad(counts, (0, len(corpus.pieces) - len(counts))) + 1.0
    return smoothed / smoothed.sum()


# What the protocol asks for ------------------------------------------------------------------------------------------


def arms(config: Config) -> list[str]:
    """The models that name the hidden pieces."""
    return ["BERT", "neighbours", "frequency"]


def run(config: Config, arm: str, seed: int) -> protocol.Record:
    """One model on all test passages: nats and hits of each, and what was chosen how."""
    models = {"BERT": _berts, "neighbours": _neighbours, "frequency": _frequency}[arm](config, seed)
    corpus = corpus_of(config)
    validation = {name: scores(questions(corpus, "validation")).loss for name, scores in models.items()}
    chosen = min(validation, key=lambda name: validation[name])
    tested = models[chosen](questions(corpus, "test"))
    return {
        "chosen": chosen,
        "validation": {name: round(nats, 5) for name, nats in validation.items()},
        "source": sources(config.num_passages, "test"),
        "gaps": tested.gaps,
        "nats": [round(each, 3) for each in tested.nats],
        "right": tested.right,
        "loss": tested.loss,
        "accuracy": tested.accuracy,
    }


def differences(config: Mapping[str, Any], values: Values) -> list[float]:
    """Neighbours minus BERT, passage by passage: nats per hidden piece."""
    gaps = values["BERT"]["gaps"][0]
    return paired_differences(*(per_unit(values[arm]["nats"][0], gaps) for arm in ("neighbours", "BERT")))


def facts(result: Result) -> dict[str, Fact]:
    """Loss and accuracy of every arm, this also by source, what was chosen, and how much was tested."""
    gaps, origins = (result.values["BERT"][name][0] for name in ("gaps", "source"))
    noted: dict[str, Fact] = {"gaps": sum(gaps), "passages": len(gaps)}
    for arm, quantities in result.values.items():
        noted[f"loss {arm}"] = Quantity(round(quantities["loss"][0], 3), "nats")
        noted[f"accuracy {arm}"] = Quantity(round(100 * quantities["accuracy"][0], 1), "%")
        for source, share in per_source(quantities["right"][0], gaps, origins).items():
            noted[f"accuracy {arm} {source}"] = Quantity(round(100 * share, 1), "%")
        noted[f"chosen {arm}"] = quantities["chosen"][0]
    return noted


Scorers = dict[str, Callable[[Sequence[Question]], Scores]]  # by the name of a choice


def _berts(config: Config, seed: int) -> Scorers:
    folder, corpus = checkpoints(config, seed), corpus_of(config)
    fit(config, folder, seed)
    return {weights.mean_of(n): partial(bert_scores, published(config, folder, n), corpus) for n in config.averaged}


def _neighbours(config: Config, seed: int) -> Scorers:
    return {name: partial(counted_scores, each.distribution) for name, each in neighbours(config).items()}


def _frequency(config: Config, seed: int) -> Scorers:
    shares = frequencies(config)
    return {"one added": partial(counted_scores, lambda left, right: shares)}


def checkpoints(config: Config, seed: int) -> Path:
    """Where the run of these settings keeps its checkpoints."""
    return runs_folder() / "bert_mlm" / fingerprint(config) / f"seed_{seed}"


def publish() -> None:
    """Copy the weights of the finished run into the package, in half precision, with their card and their pieces."""
    result, config = load_result("bert-mlm"), PRESETS["full"]
    last = next(last for last in config.averaged if weights.mean_of(last) == facts(result)["chosen BERT"])
    about = {
        "data": weights.RUNNING_TEXT,
        "recipe": result.command,
        "scores": {name: claims.field("bert-mlm", name) for name in ("accuracy BERT", "accuracy neighbours")},
        "limits": weights.LIMITS + " The pooler is untrained.",
    }
    title = "BERT, small: an encoder that names hidden pieces"
    weights.publish("bert", published(config, checkpoints(config, 0), last), config.model, title, about)
    corpus_of(config).pieces.save(weights.folder("bert"))


if __name__ == "__main__":
    publish()
