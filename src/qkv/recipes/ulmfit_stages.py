"""ULMFiT's three stages on a task with few labels, and what may be taken away from them.

1. The general language model is ``ulmfit_lm``'s.  2. It goes on learning on all training texts of the task, without
labels: ``target_model``.  3. A classifier on top learns from the labelled ones: ``fit``.

A ``Way`` says what stage 3 begins with and how it learns (Howard & Ruder 2018, sections 3.2 and 3.3); its default is
the paper's in everything.  Stage 2 runs once for each task, not for each seed."""

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, partial
from typing import Final, cast

import torch
from torch import Tensor

from qkv.models.awd_lstm import AWDLSTM
from qkv.recipes.transfer_systems import AWDLearner, Predict, Source, Training, grown, predictions, scratch, source
from qkv.recipes.transfer_tasks import TextExample, TextTask
from qkv.text.words import END, WordVocabulary
from qkv.training.bptt import Carried, Chunk, ContiguousBatches
from qkv.training.fine_tuning import Shuffled, fine_tune
from qkv.training.schedules import slanted_triangular, warmup_cosine
from qkv.transfer.param_groups import discriminative
from qkv.transfer.unfreezing import unfreeze_top
from qkv.transfer.vocabulary import with_vocabulary

BETAS: Final = (0.7, 0.99)  # section 4.1
FACTOR: Final = 2.6  # section 3.2
LM_RATE: Final = 3e-3
LM_SEED: Final = 0
Examples = tuple[TextExample, ...]


# How a classifier learns ---------------------------------------------------------------------------------------------


def slanted(step: int, num_steps: int) -> float:
    """Factor on the rate at step 0, 1, …: equation 3."""
    return slanted_triangular(step, num_steps)


def constant(step: int, num_steps: int) -> float:
    """The peak rate all the time."""
    return 1.0


def cosine(step: int, num_steps: int) -> float:
    """From the peak down to 0 along half a cosine: the rival in the paper's table 7."""
    return warmup_cosine(step + 1, num_steps=num_steps + 1, warmup_steps=0)


def gradually(step: int, num_steps: int, num_groups: int) -> int:
    """How many groups learn: in the first tenth of the run the head, in the second one layer more, and so on."""
    return min(1 + 10 * step // num_steps, num_groups)


def all_at_once(step: int, num_steps: int, num_groups: int) -> int:
    """Everything learns from the first step."""
    return num_groups


def head_alone(step: int, num_steps: int, num_groups: int) -> int:
    """The language model stays as it is ("Last" in table 7)."""
    return 1


@dataclass(frozen=True)
class Way:
    """``start`` is one of ``STARTS``; ``factor`` parts the rate of a group from that below; 1 gives all the same."""

    start: str = "target"
    factor: float = FACTOR
    schedule: Callable[[int, int], float] = slanted
    learning: Callable[[int, int, int], int] = gradually


class StagedLearner(AWDLearner):
    """A classifier on an AWD-LSTM that learns in a given way."""

    def __init__(self, task: TextTask, found: Source, way: Way):
        super().__init__(task, copy.deepcopy(found.model), found.words)
        self.way = way

    def optimizer(self, rate: float) -> torch.optim.Optimizer:
        """The top group has the rate."""
        return torch.optim.AdamW(discriminative(self.network.groups(), rate, self.way.factor), betas=BETAS)

    def before_step(self, step: int, num_steps: int) -> None:
        """Freezes and unfreezes."""
        groups = self.network.groups()
        unfreeze_top(groups, self.way.learning(step, num_steps, len(groups)))


def fit(
    task: TextTask,
    unlabelled: Examples,
    train: Sequence[TextExample],
    way: Way,
    rate: float,
    training: Training,
    lm_epochs: int,
    seed: int,
) -> Predict:
    """Stage 3; ``unlabelled`` are the training texts that stage 2 may read, ``lm_epochs`` how often."""
    found = STARTS[way.start](unlabelled, lm_epochs)
    return partial(predictions, classifier(found, task, train, way, rate, training, seed))


def classifier(
    found: Source,
    task: TextTask,
    train: Sequence[TextExample],
    way: Way,
    rate: float,
    training: Training,
    seed: int,
) -> StagedLearner:
    """Stage 3 from a given language model, of which a copy learns."""
    torch.manual_seed(seed)
    learner = StagedLearner(task, found, way)
    fine_tune(
        learner,
        learner.loss,
        Shuffled([learner.encode(example) for example in train], training.batch_size, seed),
        learner.optimizer(rate),
        lambda step: way.schedule(step, training.num_steps),
        training.num_steps,
        partial(learner.before_step, num_steps=training.num_steps),
    )
    return learner


# What it begins with -------------------------------------------------------------------------------------------------


@cache
def general_model(unlabelled: Examples, lm_epochs: int) -> Source:
    """Stage 1 alone: the published language model, with the task's words."""
    return with_words_of(unlabelled, source("AWD-LSTM"))


@cache
def target_model(unlabelled: Examples, lm_epochs: int) -> Source:
    """Stages 1 and 2: the language model goes on learning on the task's texts, as section 3.2 says."""
    return tuned_on(unlabelled, general_model(unlabelled, 0), lm_epochs)


def with_words_of(texts: Examples, found: Source) -> Source:
    """The language model with vectors for the texts' words that come twice (``grown``)."""
    vocabulary = grown(found.words, texts)
    return Source(with_vocabulary(found.model, found.words.words, vocabulary.words), vocabulary)


def tuned_on(texts: Examples, found: Source, lm_epochs: int) -> Source:
    """Stage 2 from a given language model, of which a copy learns; its words are those of ``found``."""
    model = copy.deepcopy(found.model)
    batches = ContiguousBatches(running(texts, found.words), batch_size=16, chunk_length=35)
    num_steps = lm_epochs * len(batches)
    optimizer = torch.optim.AdamW(discriminative(model.groups(), LM_RATE, FACTOR), betas=BETAS)
    carried, schedule = Carried(model), partial(slanted, num_steps=num_steps)
    with torch.random.fork_rng():
        torch.manual_seed(LM_SEED)
        fine_tune(carried, partial(language_loss, carried), batches, optimizer, schedule, num_steps)
    return Source(model, found.words)


def fresh_model(unlabelled: Examples, lm_epochs: int) -> Source:
    """No stage before the third: the same network and words, weights drawn anew."""
    found = general_model(unlabelled, 0)
    return Source(scratch(found.model), found.words)


STARTS: Final[dict[str, Callable[[Examples, int], Source]]] = {
    "general": general_model,
    "target": target_model,
    "scratch": fresh_model,
}


def running(texts: Examples, words: WordVocabulary) -> Tensor:
    """A </s>, then the words of every text and its </s>, as the general model has read."""
    end = words.ids[END]
    return torch.tensor([end, *(i for text in texts for i in [*words.encode(text.words), end])])


def language_loss(carried: Carried, chunk: Chunk) -> Tensor:
    """Mean nats per word and both penalties; the state is kept for the next chunk."""
    nats, penalty, state = cast(AWDLSTM, carried.model).loss(chunk.ids, chunk.targets, carried.state_before(chunk))
    carried.keep(state)
    return nats + penalty
