"""How well does an AWD-LSTM know the next word of English text?  The general language model that ULMFiT carries over.

Data: the set ``running-text`` in passages of about 500 words.  Words, sentences and vocabulary are those of
``qkv.recipes.elmo_lm``, so perplexities compare with those of its biLM from the left.  Here a passage is read in one
piece, from zeros, beginning with a </s>; to be predicted are its words, <unk> for those outside the vocabulary, and the
</s> behind every sentence.  For training the passages stand one behind the other in 32 rows, and the state is carried
on from chunk to chunk.

Baseline: trigrams with interpolated Kneser–Ney smoothing over the same words; they know the last two words of the same
sentence.  Their discount, and how many checkpoints of the neural model are averaged, are chosen on validation passages;
then the test passages are opened once, with the weights in half precision, as they are committed.

Stated before the run.  Primary contrast, over test passages: nats per word, trigrams minus AWD-LSTM.  The interval is a
bootstrap over passages and speaks of this one model.

Command: python -m qkv run ulmfit-lm.  It writes to ``runs/`` and goes on where it stopped.  It took 38 minutes of
one core beside other programs.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Final, cast

import torch
from jaxtyping import Integer
from torch import Tensor, nn

from qkv.models.awd_lstm import AWDLSTM, AWDLSTMConfig
from qkv.models.awd_lstm import PRESETS as MODELS
from qkv.recipes import claims, elmo_lm, protocol, weights
from qkv.recipes.commands import runs_folder
from qkv.recipes.elmo_lm import Corpus, Passage, num_words
from qkv.recipes.ngram import KneserNey, count_levels
from qkv.recipes.passages import per_source, sources
from qkv.recipes.protocol import Fact, fingerprint, per_unit
from qkv.recipes.result import Quantity, Result, Values
from qkv.recipes.result import load as load_result
from qkv.scoring.intervals import paired_differences
from qkv.text.words import END
from qkv.training import checkpoint
from qkv.training.bptt import Carried, Chunk, ContiguousBatches
from qkv.training.loop import Record, Settings, train
from qkv.training.schedules import warmup_hold_decay

CLAIM = "Reading on from sentence to sentence, a small AWD-LSTM predicts held-out words better than trigrams."
PAPER = (
    "Merity et al. 2017, tables 1 and 2: perplexity 57.3 on Penn Treebank and 65.8 on WikiText-2, with 24 and 33 "
    "million weights. ULMFiT gives no perplexity."
)
CONTRAST = "nats per word on test passages, trigrams minus AWD-LSTM"
UNIT = "nats"
OVER = "items"
SEEDS = 1
VERIFY = "trigrams"
TOLERANCE = {"perplexity": 0.01}


@dataclass(frozen=True)
class Config:
    """The presets are "smoke" (seconds, for tests) and "full" (the published run)."""

    model: AWDLSTMConfig
    settings: Settings
    batch_size: int = 32
    chunk_length: int = 70
    warmup_steps: int = 300
    decay_steps: int = 1_200
    max_words: int = 80  # of a sentence; what is longer is cut, as in ``elmo_lm``
    num_passages: int | None = None  # of each split; None = all
    order: int = 3
    discounts: tuple[float, ...] = (0.75, 0.8, 0.85, 0.9, 0.95)
    averaged: tuple[int, ...] = (1, 5, 10)  # last checkpoints


PRESETS: Final = {
    "smoke": Config(
        MODELS["smoke"],
        Settings(4, 1e-2, checkpoint_every=2),
        batch_size=3,
        chunk_length=20,
        warmup_steps=1,
        decay_steps=2,
        max_words=20,
        num_passages=3,
        discounts=(0.6, 0.8),
        averaged=(1, 2),
    ),
    "full": Config(MODELS["cpu"], Settings(3_000, 3e-3, checkpoint_every=200)),
}


Observe = Callable[[int, nn.Module], Record]


# Text ----------------------------------------------------------------------------------------------------------------


def corpus_of(config: Config) -> Corpus:
    """The running text as these settings want it."""
    return elmo_lm.build_corpus(config.model.vocab_size, config.max_words, config.num_passages)


def running(passages: Sequence[Passage], corpus: Corpus) -> Integer[Tensor, " n"]:
    """A </s>, then the words of every sentence and its </s>; the <s> is left out, since it says the same."""
    end = corpus.vocabulary.ids[END]
    return torch.tensor([end, *(word for passage in passages for _, words in passage for word in words[1:])])


# A model, trained and scored -----------------------------------------------------------------------------------------


def loss(model: nn.Module, chunk: Chunk) -> tuple[Tensor, Tensor]:
    """Sum over a chunk, with both penalties, and its number of words; the state is kept for the next chunk."""
    carried = cast(Carried, model)
    nats, penalty, state = cast(AWDLSTM, carried.model).loss(chunk.ids, chunk.targets, carried.state_before(chunk))
    carried.keep(state)
    count = torch.tensor(chunk.targets.numel())
    return (nats + penalty) * count, count


def fit(config: Config, folder: Path, seed: int = 0) -> list[Record]:
    """Train, or go on with a run that stopped; checkpoints are kept in ``folder``.  Returns the history."""
    corpus = corpus_of(config)
    return fit_on(
        running(corpus.splits["train"], corpus), config, folder, seed, partial(validation_loss, corpus=corpus)
    )


def fit_on(ids: Integer[Tensor, " n"], config: Config, folder: Path, seed: int, observe: Observe) -> list[Record]:
    """The same on any text, with anything to note at each checkpoint."""
    torch.set_num_threads(1)
    torch.manual_seed(seed)
    model = Carried(AWDLSTM(config.model))
    schedule = partial(
        warmup_hold_decay,
        num_steps=config.settings.num_steps,
        warmup_steps=config.warmup_steps,
        decay_steps=config.decay_steps,
    )
    batches = ContiguousBatches(ids, config.batch_size, config.chunk_length)
    return train(model, batches, loss, replace(config.settings, seed=seed), schedule, folder, observe)


def validation_loss(step: int, model: nn.Module, corpus: Corpus) -> Record:
    """Nats per word of every sixteenth validation passage."""
    passages = corpus.splits["validation"][::16]
    found = neural_losses(cast(AWDLSTM, cast(Carried, model).model), corpus, passages)
    return {"validation_loss": sum(found) / sum(num_words(passages))}


@torch.no_grad()
def neural_losses(model: AWDLSTM, corpus: Corpus, passages: Sequence[Passage]) -> list[float]:
    """Nats of every passage, each read in one piece."""
    found = []
    for passage in passages:
        ids = running([passage], corpus)[None]
        nats, _, _ = model.loss(ids[:, :-1], ids[:, 1:])
        found.append(nats.item() * (ids.shape[1] - 1))
    return found


def published(config: Config, folder: Path, last: int) -> AWDLSTM:
    """The model whose weights are the mean of the last checkpoints, rounded to half precision, as they are committed.

    Raises:
        ValueError: there are fewer of them.
    """
    model = AWDLSTM(config.model)
    model.load_state_dict(checkpoint.average([_weights(state) for state in checkpoint.last(folder, last)]))
    return model.half().float().eval()


def _weights(state: Mapping[str, Any]) -> dict[str, Tensor]:
    """Those of the language model in a checkpoint, without the state that it carried."""
    return {name.removeprefix("model."): weight for name, weight in state.items() if name.startswith("model.")}


# The same words by counting ------------------------------------------------------------------------------------------


def trigram_losses(model: KneserNey, passages: Sequence[Passage]) -> list[float]:
    """Nats of every passage, sentence by sentence."""
    return [sum(model.loss(words) for _, words in passage) for passage in passages]


# What the protocol asks for ------------------------------------------------------------------------------------------


def arms(config: Config) -> list[str]:
    """The models that predict the test passages."""
    return ["AWD-LSTM", "trigrams"]


def run(config: Config, arm: str, seed: int) -> protocol.Record:
    """One model on all test passages: nats of each passage, and what was chosen how."""
    losses_of, chosen, trials = {"AWD-LSTM": _neural, "trigrams": _counted}[arm](config, seed)
    tested = corpus_of(config).splits["test"]
    counts, nats = num_words(tested), losses_of(tested)
    return {
        "chosen": chosen,
        "validation": trials,
        "source": sources(config.num_passages, "test"),
        "words": counts,
        "nats": [round(each, 3) for each in nats],
        "perplexity": math.exp(sum(nats) / sum(counts)),
    }


def differences(config: Mapping[str, Any], values: Values) -> list[float]:
    """Trigrams minus AWD-LSTM, passage by passage: nats per word."""
    counts = values["AWD-LSTM"]["words"][0]
    return paired_differences(*(per_unit(values[arm]["nats"][0], counts) for arm in ("trigrams", "AWD-LSTM")))


def facts(result: Result) -> dict[str, Fact]:
    """Perplexities of both arms, also by source, what was chosen, and how many words were tested."""
    counts, origins = (result.values["AWD-LSTM"][name][0] for name in ("words", "source"))
    noted: dict[str, Fact] = {"words": sum(counts), "passages": len(counts)}
    for arm, quantities in result.values.items():
        noted[f"perplexity {arm}"] = Quantity(round(quantities["perplexity"][0], 3), "")
        for source, nats in per_source(quantities["nats"][0], counts, origins).items():
            noted[f"perplexity {arm} {source}"] = Quantity(round(math.exp(nats), 3), "")
        noted[f"chosen {arm}"] = quantities["chosen"][0]
    return noted


Losses = Callable[[Sequence[Passage]], list[float]]
Chosen = tuple[Losses, str, dict[str, float]]  # what scores passages, its name, and the validation loss of every trial


def _neural(config: Config, seed: int) -> Chosen:
    folder, corpus = checkpoints(config, seed), corpus_of(config)
    fit(config, folder, seed)
    trials = {last: partial(neural_losses, published(config, folder, last), corpus) for last in config.averaged}
    return _best({weights.mean_of(last): losses for last, losses in trials.items()}, corpus)


def _counted(config: Config, seed: int) -> Chosen:
    corpus = corpus_of(config)
    levels = count_levels([words for passage in corpus.splits["train"] for _, words in passage], config.order)
    models = {discount: KneserNey(levels, len(corpus.vocabulary), discount) for discount in config.discounts}
    return _best(
        {f"discount {discount:g}": partial(trigram_losses, model) for discount, model in models.items()}, corpus
    )


def _best(trials: Mapping[str, Losses], corpus: Corpus) -> Chosen:
    """The one with the smallest loss per word on the validation passages."""
    passages = corpus.splits["validation"]
    total = sum(num_words(passages))
    found = {name: sum(losses(passages)) / total for name, losses in trials.items()}
    best = min(found, key=lambda name: found[name])
    return trials[best], best, {name: round(nats, 5) for name, nats in found.items()}


def checkpoints(config: Config, seed: int) -> Path:
    """Where the run of these settings keeps its checkpoints."""
    return runs_folder() / "ulmfit_lm" / fingerprint(config) / f"seed_{seed}"


def publish() -> None:
    """Copy the weights of the finished run into the package, in half precision, with their card and its words."""
    result, config = load_result("ulmfit-lm"), PRESETS["full"]
    last = next(last for last in config.averaged if weights.mean_of(last) == facts(result)["chosen AWD-LSTM"])
    about = {
        "data": weights.RUNNING_TEXT,
        "recipe": result.command,
        "scores": {name: claims.field("ulmfit-lm", name) for name in ("perplexity AWD-LSTM", "perplexity trigrams")},
        "limits": weights.LIMITS,
        "words": corpus_of(config).vocabulary.words[3:],
    }
    title = "AWD-LSTM: a language model of LSTM layers, the general one that ULMFiT begins with"
    weights.publish("ulmfit", published(config, checkpoints(config, 0), last), config.model, title, about)


if __name__ == "__main__":
    publish()
