"""How well does a small GPT know the next token of English text?

Data: the set ``running-text``: books, presidents' addresses, Wikipedia, reviews and tweets, in passages of about 500
words.  Test books, addresses and articles are whole ones of which the model has read nothing.  Byte-level BPE
learned from the training passages.  Each passage follows a mark, which is given and never scored; so perplexities
are per token of this vocabulary, and compare with each other alone.  The paper's 18.4 belongs to 40,000 merges and
7,000 books.  Bits per character compare with any model of these texts.

GPT learns from windows of ``max_length`` tokens, cut from the training passages end to end, at another offset in each
epoch.  Adam, warm-up, cosine and weight decay as published; sizes, batch and rate are ours.  No dropout: a token is met
fewer than four times.  In a test passage every token is predicted from at least half a window, or from all that stands
before it.

Baseline: n-grams with interpolated Kneser–Ney smoothing over the same tokens of the same passages.  Its order and
discount, and the checkpoint of GPT, are chosen on every eighth validation passage; then the test passages are opened
once, with the weights in half precision, as they are committed.

Stated before the run.  Primary contrast, over test passages: nats per token, n-grams minus GPT.  The interval is a
bootstrap over passages and speaks of this one model.

Command: python -m qkv run gpt-lm.  It writes to ``runs/`` and goes on where it stopped.  It took 83 minutes
of one core beside other programs.  Then ``python -m qkv.recipes.gpt_lm`` publishes the weights.
"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, partial
from pathlib import Path
from typing import Any, Final, cast

import torch
from jaxtyping import Integer
from torch import Tensor, nn
from torch.nn import functional

from qkv.models.gpt import GPT, GPTConfig
from qkv.models.gpt import PRESETS as MODELS
from qkv.recipes import claims, protocol, weights
from qkv.recipes.commands import runs_folder
from qkv.recipes.ngram import KneserNey, count_levels
from qkv.recipes.passages import per_source, running_passages, sources
from qkv.recipes.protocol import Fact, fingerprint, per_unit
from qkv.recipes.result import Quantity, Result, Values
from qkv.recipes.result import load as load_result
from qkv.scoring.intervals import paired_differences
from qkv.text.bpe import BPE
from qkv.training import checkpoint
from qkv.training.loop import Record, Settings, train
from qkv.training.schedules import warmup_cosine
from qkv.transfer.param_groups import decayed

CLAIM = "A small GPT predicts the next token of held-out passages better than n-grams of the same tokens."
PAPER = (
    "Radford et al. 2018, section 4.1: a perplexity of 18.4 per token on BooksCorpus, after 100 epochs on 7,000 books. "
    "The paper has no n-gram to compare with."
)
CONTRAST = "nats per token on test passages, n-grams minus GPT"
UNIT = "nats"
OVER = "items"
SEEDS = 1
VERIFY = "n-grams"
TOLERANCE = {"perplexity": 0.01}

MARK: Final = "<|passage|>"  # id 0, in front of every passage
Passage = list[int]
Losses = Callable[[Sequence[Passage]], list[float]]
Chosen = tuple[Losses, str, dict[str, float]]  # what scores passages, its name, and the validation loss of every trial


@dataclass(frozen=True)
class Config:
    """The presets are "smoke" (seconds, for tests) and "full" (the published run)."""

    model: GPTConfig
    settings: Settings
    batch_size: int = 16
    warmup_steps: int = 400
    num_passages: int | None = None  # of each split; None = all
    orders: tuple[int, ...] = (3, 4, 5)
    discounts: tuple[float, ...] = (0.7, 0.75, 0.8, 0.85, 0.9)


PRESETS: Final = {
    "smoke": Config(
        replace(MODELS["smoke"], vocab_size=300),
        Settings(4, 3e-3, checkpoint_every=2),
        batch_size=4,
        warmup_steps=1,
        num_passages=3,
        orders=(2, 3),
        discounts=(0.6, 0.8),
    ),
    "full": Config(
        replace(MODELS["cpu"], dropout=0.0), Settings(7_200, 1e-3, betas=(0.9, 0.999), checkpoint_every=300)
    ),
}


# Text ----------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Corpus:
    """Passages as ids by split, each behind its mark, and the characters of the test passages."""

    tokens: BPE
    splits: Mapping[str, Sequence[Passage]]
    test_characters: Sequence[int]

    @property
    def validation(self) -> Sequence[Passage]:
        """What both arms choose on."""
        return self.splits["validation"][::8]


@cache
def build_corpus(vocab_size: int, num_passages: int | None) -> Corpus:
    """The running text for these settings; the tokens are learned from the training passages."""
    found = running_passages(num_passages)
    tokens = BPE.train([each.text for each in found["train"]], vocab_size, [MARK])
    coded = {split: [[0, *tokens.encode(each.text)] for each in rows] for split, rows in found.items()}
    return Corpus(tokens, coded, [len(each.text) for each in found["test"]])


def corpus_of(config: Config) -> Corpus:
    """The running text as these settings want it."""
    return build_corpus(config.model.vocab_size, config.num_passages)


class Windows:
    """Batches of ``length`` + 1 tokens in a row, from one long text: what is read, and one more to predict.

    The batch of any step is computed from seed and step alone.  Every epoch cuts the text at another offset.

    Raises:
        ValueError: the text is too short for one batch.
    """

    def __init__(self, ids: Integer[Tensor, " n"], length: int, batch_size: int, seed: int = 0):
        self.ids, self.length, self.batch_size, self.seed = ids, length, batch_size, seed
        self.num_windows = (len(ids) - length) // length  # at any offset below length
        if self.num_windows < batch_size:
            least = (batch_size + 1) * length
            raise ValueError(f"expected at least {least} tokens for {batch_size} windows of {length}, got {len(ids)}")

    def __len__(self) -> int:
        """Batches per epoch; windows that fill no batch are left out."""
        return self.num_windows // self.batch_size

    def __getitem__(self, step: int) -> Integer[Tensor, "b t_and_one"]:
        """The batch of step 0, 1, …; epochs follow each other without end."""
        epoch, position = divmod(step, len(self))
        generator = torch.Generator().manual_seed(self.seed * 1_000_003 + epoch)
        offset = int(torch.randint(self.length, (), generator=generator))
        order = torch.randperm(self.num_windows, generator=generator)
        chosen = order[position * self.batch_size : (position + 1) * self.batch_size]
        return self.ids[(offset + self.length * chosen)[:, None] + torch.arange(self.length + 1)]


def scored_windows(num_tokens: int, length: int) -> Iterator[tuple[int, int]]:
    """Where each window of a passage begins, and the first token that it predicts; half of a window overlaps.

    10 tokens in windows of 4: (0, 1) reads 0 … 3 and predicts 1 … 4, (2, 5) reads 2 … 5 and predicts 5, 6, and so on.
    """
    first = 1
    for start in range(0, num_tokens, max(length // 2, 1)):
        if first < num_tokens:
            yield start, first
        first = start + length + 1


# The neural model, trained and scored --------------------------------------------------------------------------------


def loss(model: nn.Module, batch: Integer[Tensor, "b t_and_one"]) -> tuple[Tensor, Tensor]:
    """Sum of cross-entropies of the next tokens, and their number."""
    scores, targets = model(batch[:, :-1]), batch[:, 1:]
    losses = functional.cross_entropy(scores.flatten(0, 1), targets.flatten(), reduction="sum")
    return losses, torch.tensor(targets.numel())


def fit(config: Config, folder: Path, seed: int = 0) -> list[Record]:
    """Train, or go on with a run that stopped; checkpoints are kept in ``folder``.  Returns the history."""
    torch.set_num_threads(1)
    torch.manual_seed(seed)
    model, corpus, settings = GPT(config.model), corpus_of(config), replace(config.settings, seed=seed)
    stream = torch.tensor([each for passage in corpus.splits["train"] for each in passage])
    batches = Windows(stream, config.model.max_length, config.batch_size, seed)
    schedule = partial(warmup_cosine, num_steps=settings.num_steps, warmup_steps=config.warmup_steps)
    observe = partial(validation_loss, corpus=corpus)
    groups = partial(decayed, weight_decay=settings.weight_decay)
    return train(model, batches, loss, settings, schedule, folder, observe, groups)


def validation_loss(step: int, model: nn.Module, corpus: Corpus) -> Record:
    """Nats per token of the validation passages on which is chosen."""
    passages = corpus.validation
    return {"validation_loss": sum(neural_losses(cast(GPT, model), passages)) / sum(num_tokens(passages))}


@torch.no_grad()
def neural_losses(model: GPT, passages: Sequence[Passage]) -> list[float]:
    """Nats of every passage."""
    return [_passage_loss(model, torch.tensor(passage)) for passage in passages]


def _passage_loss(model: GPT, ids: Integer[Tensor, " n"]) -> float:
    """All windows at once; what stands behind the end of the last one is padding, neither read by others nor scored."""
    length = model.config.max_length
    places = list(scored_windows(len(ids), length))
    reach = length + 1  # tokens of a window, the last of them only predicted
    rows = nn.utils.rnn.pad_sequence([ids[start : start + reach] for start, _ in places], batch_first=True)
    scores = model(rows[:, :-1]).transpose(1, 2)
    losses = functional.cross_entropy(scores, rows[:, 1:], reduction="none")
    first = torch.tensor([first - start - 1 for start, first in places])
    end = torch.tensor([min(len(ids) - start, reach) - 1 for start, _ in places])
    column = torch.arange(losses.shape[1])
    return losses[(column >= first[:, None]) & (column < end[:, None])].sum().item()


def num_tokens(passages: Sequence[Passage]) -> list[int]:
    """Predictions per passage: all but the mark."""
    return [len(passage) - 1 for passage in passages]


def published(config: Config, folder: Path, step: int) -> GPT:
    """The model at a checkpoint, rounded to half precision, as it is committed."""
    model = GPT(config.model)
    model.load_state_dict(checkpoint.load(folder / f"step_{step:06d}.pt")["model"])
    return model.half().float().eval()


# What the protocol asks for ------------------------------------------------------------------------------------------


def arms(config: Config) -> list[str]:
    """The models that predict the test passages."""
    return ["GPT", "n-grams"]


def run(config: Config, arm: str, seed: int) -> protocol.Record:
    """One model on all test passages: nats of each, and what was chosen how."""
    losses_of, chosen, trials = {"GPT": _neural, "n-grams": _counted}[arm](config, seed)
    corpus = corpus_of(config)
    tested = corpus.splits["test"]
    nats, counts = losses_of(tested), num_tokens(tested)
    return {
        "chosen": chosen,
        "validation": trials,
        "source": sources(config.num_passages, "test"),
        "tokens": counts,
        "nats": [round(each, 3) for each in nats],
        "perplexity": math.exp(sum(nats) / sum(counts)),
        "bits per character": sum(nats) / math.log(2) / sum(corpus.test_characters),
    }


def differences(config: Mapping[str, Any], values: Values) -> list[float]:
    """N-grams minus GPT, passage by passage: nats per token."""
    counts = values["GPT"]["tokens"][0]
    return paired_differences(*(per_unit(values[arm]["nats"][0], counts) for arm in ("n-grams", "GPT")))


def facts(result: Result) -> dict[str, Fact]:
    """Perplexity, also of each source, and bits per character of both arms, what was chosen, how much was tested."""
    counts, origins = (result.values["GPT"][name][0] for name in ("tokens", "source"))
    noted: dict[str, Fact] = {"tokens": sum(counts), "passages": len(counts)}
    for arm, quantities in result.values.items():
        for name in ("perplexity", "bits per character"):
            noted[f"{name} {arm}"] = Quantity(round(quantities[name][0], 3), "")
        for source, nats in per_source(quantities["nats"][0], counts, origins).items():
            noted[f"perplexity {arm} {source}"] = Quantity(round(math.exp(nats), 3), "")
        noted[f"chosen {arm}"] = quantities["chosen"][0]
    return noted


def _neural(config: Config, seed: int) -> Chosen:
    folder = checkpoints(config, seed)
    history = fit(config, folder, seed)
    found = {f"step {each['step']}": each["validation_loss"] for each in history if "validation_loss" in each}
    best = min(found, key=lambda name: found[name])
    model = published(config, folder, _step(best))
    return partial(neural_losses, model), best, {name: round(nats, 5) for name, nats in found.items()}


def _counted(config: Config, seed: int) -> Chosen:
    corpus, found = corpus_of(config), dict[str, float]()
    best: tuple[float, str, KneserNey] | None = None  # kept alone: the counts of long n-grams fill the memory
    for order in config.orders:
        levels = count_levels(corpus.splits["train"], order)
        for discount in config.discounts:
            model, name = KneserNey(levels, len(corpus.tokens), discount), f"order {order}, discount {discount:g}"
            found[name] = round(sum(map(model.loss, corpus.validation)) / sum(num_tokens(corpus.validation)), 5)
            if best is None or found[name] < best[0]:
                best = found[name], name, model
    assert best is not None, "expected at least one order and one discount"
    _, name, model = best
    return lambda passages: [model.loss(each) for each in passages], name, found


def _step(chosen: str) -> int:
    return int(chosen.removeprefix("step "))


def checkpoints(config: Config, seed: int) -> Path:
    """Where the run of these settings keeps its checkpoints."""
    return runs_folder() / "gpt_lm" / fingerprint(config) / f"seed_{seed}"


def publish() -> None:
    """Copy weights and tokens of the finished run into the package, the weights in half precision, with their card."""
    result, config = load_result("gpt-lm"), PRESETS["full"]
    model = published(config, checkpoints(config, 0), _step(str(facts(result)["chosen GPT"])))
    about = {
        "data": weights.RUNNING_TEXT,
        "recipe": result.command,
        "scores": {f"perplexity {arm}": claims.field("gpt-lm", f"perplexity {arm}") for arm in ("GPT", "n-grams")},
        "limits": weights.LIMITS,
    }
    title = "GPT: a small decoder that predicts the next token"
    weights.publish("gpt", model, config.model, title, about)
    corpus_of(config).tokens.save(weights.folder("gpt"))


if __name__ == "__main__":
    publish()
