"""Is this sentence in its order?  The small task of chapter 07, a language model that has read, and its fine-tuning.

Not an experiment but what the lessons share.  Sentences of film critics; in every second one three pairs of neighbours
have changed places.  Labels cost nothing here, word order is what a language model learns, and a bag of words sees
nothing: so the task shows in seconds what reading is good for, and says nothing about tasks that people labelled.

Shapes: b sentences, t words, n words of a running text.
"""

import random
from collections.abc import Callable, Sequence
from copy import deepcopy
from typing import NamedTuple

import torch
from jaxtyping import Float, Integer
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from torch.nn.utils.rnn import pad_sequence

from qkv.data import load
from qkv.models.awd_lstm import AWDLSTM, AWDLSTMConfig
from qkv.text.words import END, WordVocabulary, tokens
from qkv.training.bptt import Carried, ContiguousBatches
from qkv.training.schedules import slanted_triangular
from qkv.transfer.classifier import RecurrentClassifier
from qkv.transfer.param_groups import Groups, discriminative

SHORTEST, LONGEST = 6, 25  # words of a sentence of the task
NUM_HELD = 1600  # sentences that no language model reads
EXCHANGES = 3
BATCH_SIZE = 20
BETAS = (0.7, 0.99)  # Adam's, as in ULMFiT

Words = Sequence[str]
Thaw = Callable[[Groups, int], None]


class Reviews(NamedTuple):
    """Sentences for the task, sentences to be read, and the vocabulary of the latter."""

    kept: list[list[str]]
    to_read: list[list[str]]
    vocabulary: WordVocabulary


class PaddedTexts(NamedTuple):
    """A labelled batch, padded on the right; label 1 is for an exchanged sentence."""

    ids: Integer[Tensor, "b t"]
    lengths: Integer[Tensor, " b"]
    labels: Integer[Tensor, " b"]


def reviews(vocab_size: int = 1500, seed: int = 0) -> Reviews:
    """The training snippets in small letters, shuffled and divided.  Sentences of the task have 6 to 25 words."""
    snippets = [[word.lower() for word in tokens(text)] for text in load("movie-snippets")["train"]["text"]]
    random.Random(seed).shuffle(snippets)
    kept = [words for words in snippets[:NUM_HELD] if SHORTEST <= len(words) <= LONGEST]
    to_read = snippets[NUM_HELD:]
    return Reviews(kept, to_read, WordVocabulary.train([word for words in to_read for word in words], vocab_size))


def exchanged(words: Words, draw: random.Random) -> list[str]:
    """The same words after three exchanges of neighbours, at three different places, one after the other."""
    moved = [*words]
    for place in draw.sample(range(len(words) - 1), EXCHANGES):
        moved[place], moved[place + 1] = moved[place + 1], moved[place]
    return moved


def labelled(sentences: Sequence[Words], vocabulary: WordVocabulary, seed: int = 0) -> PaddedTexts:
    """Every second sentence is exchanged.  Each begins with a ``</s>``, as in the running text."""
    draw, labels = random.Random(seed), torch.arange(len(sentences)) % 2
    chosen = [exchanged(words, draw) if label else words for words, label in zip(sentences, labels, strict=True)]
    rows = [torch.tensor([vocabulary.ids[END], *vocabulary.encode(words)]) for words in chosen]
    return PaddedTexts(pad_sequence(rows, batch_first=True), torch.tensor([len(row) for row in rows]), labels)


def running(sentences: Sequence[Words], vocabulary: WordVocabulary) -> Integer[Tensor, " n"]:
    """One sentence behind the other, a ``</s>`` after each."""
    return torch.tensor([i for words in sentences for i in [*vocabulary.encode(words), vocabulary.ids[END]]])


def model_of(vocab_size: int) -> AWDLSTM:
    """Two layers, small enough to learn in seconds; random weights."""
    return AWDLSTM(AWDLSTMConfig(vocab_size, 48, 96, 2, 0.02, 0.1, 0.1, 0.1, 0.1))


def learn_to_read(model: AWDLSTM, text: Integer[Tensor, " n"], num_steps: int, peak_lr: float = 0.01) -> None:
    """Train on a running text, 32 rows of it side by side, 35 words at a time."""
    batches, carried = ContiguousBatches(text, batch_size=32, chunk_length=35), Carried(model.train())
    optimizer = torch.optim.Adam(model.parameters())
    for step in range(num_steps):
        optimizer.param_groups[0]["lr"] = peak_lr * slanted_triangular(step, num_steps)
        chunk = batches[step]
        nats, penalty, state = model.loss(chunk.ids, chunk.targets, carried.state_before(chunk))
        carried.keep(state)
        optimizer.zero_grad()
        (nats + penalty).backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()


@torch.no_grad()
def surprise(model: AWDLSTM, text: Integer[Tensor, " n"]) -> float:
    """Nats per word of a running text, read in one piece without dropout."""
    was_training = model.training
    nats, _, _ = model.eval().loss(text[None, :-1], text[None, 1:])
    model.train(was_training)
    return nats.item()


def fine_tune(
    model: AWDLSTM,
    data: PaddedTexts,
    *,
    factor: float = 1.0,
    thaw: Thaw | None = None,
    passes: int = 8,
    peak_lr: float = 0.01,
    seed: int = 0,
) -> tuple[RecurrentClassifier, list[float]]:
    """A classifier on top of a copy of the model, trained with one slanted triangle; and its loss at every step.

    ``factor`` is that of discriminative rates; ``thaw(groups, epoch)`` says before each pass who learns.
    """
    torch.manual_seed(seed)
    classifier, losses = RecurrentClassifier(deepcopy(model), num_classes=2).train(), list[float]()
    optimizer = torch.optim.Adam(discriminative(classifier.groups(), peak_lr, factor), betas=BETAS)
    num_steps = max(1, passes * -(-len(data.labels) // BATCH_SIZE))
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: slanted_triangular(step, num_steps))
    for epoch in range(passes):
        if thaw is not None:
            thaw(classifier.groups(), epoch)
        for rows in torch.randperm(len(data.labels)).split(BATCH_SIZE):
            loss = cross_entropy(classifier(data.ids[rows], data.lengths[rows]), data.labels[rows])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            losses.append(loss.item())
    return classifier.eval(), losses


@torch.no_grad()
def right(classifier: nn.Module, data: PaddedTexts) -> float:
    """The share of labels that are found."""
    return (classifier(data.ids, data.lengths).argmax(-1) == data.labels).float().mean().item()


def moved(before: RecurrentClassifier, after: RecurrentClassifier) -> list[Float[Tensor, ""]]:
    """How far each group of two classifiers lies apart, relative to its size at first: ‖w' - w‖ / ‖w‖."""
    distances = []
    for old, new in zip(before.groups(), after.groups(), strict=True):
        start, end = (torch.cat([weight.detach().flatten() for weight in group]) for group in (old, new))
        distances.append((end - start).norm() / start.norm())
    return distances
