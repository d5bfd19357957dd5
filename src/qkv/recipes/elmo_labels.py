"""How many labels does a tagger need with ELMo's states, and how many without?

Peters et al. 2018, section 5.4 and figure 1: a semantic role tagger with ELMo and 1 % of the labels is as good as one
without and 10 %, and it reaches in 10 epochs what the other has after 486.

Here: Brown's twelve coarse tags, 10 to 10,000 labelled sentences.  The tagger is a bidirectional LSTM over word vectors
that a character CNN spells, all of it learning from nothing; so it has no unknown words.  Three arms, which differ in
what is put beside each word vector:

- characters: nothing;
- characters and spelling: layer 0 of our biLM (``elmo_lm``), frozen: its character CNN, which knows no neighbours;
- characters and ELMo: all three layers of it, frozen, in a scalar mix that learns.

The second is a control: what it gains comes from having seen English words, and only the rest from their context.

All arms learn for 100, 200, 600 or 2,000 steps of 16 sentences, so each of 10 sentences is met 160 times and each of
10,000 about 3 times.  Each arm tries three peak rates with 100 sentences of a further seed, keeps the one that is best
on 300 validation sentences, and has it for all sizes and seeds.  Tested: 1,000 sentences of other files.  Larger sets
of labels hold the smaller ones.  Score: labels right, in %.

Stated before the first run.  Primary contrast, paired by seed, in points: with ELMo minus without, 100 sentences.
Secondary: the same with the control and at other sizes; the label equivalence (how many times the labels the tagger
without needs); the steps after which each is as good on validation sentences as the one without is at its best.

Command: python -m qkv run elmo-labels.  About 50 minutes of one core.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from typing import Any, Final, NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence, pad_sequence

from qkv.nn.char_cnn import CharCNN
from qkv.nn.scalar_mix import ScalarMix
from qkv.recipes.protocol import Fact, Record, mean_effect
from qkv.recipes.result import Quantity, Result, Values
from qkv.recipes.transfer_systems import Item, Learner, elmo_layers, predictions, source
from qkv.recipes.transfer_tasks import TASKS, Splits, TextExample, labelled, share_right, splits
from qkv.recipes.tuned import TUNING_SEED, Trials, accuracies, ahead, best, learning_curve, mean_right
from qkv.scoring.equivalence import labels_needed
from qkv.scoring.intervals import Interval
from qkv.text.words import spell
from qkv.training.fine_tuning import Shuffled, fine_tune
from qkv.training.schedules import slanted_triangular

CLAIM = "With 100 labelled sentences a tagger names more parts of speech with ELMo's frozen states than without."
PAPER = (
    "Peters et al. 2018, section 5.4: for semantic roles, ELMo with 1 % of the training set is as good as the model "
    "without and 10 %, and 10 epochs are worth 486."
)
CONTRAST = "labels right with 100 sentences, characters and ELMo minus characters"
UNIT = "points"
OVER = "seeds"
SEEDS = 5
VERIFY = "10 characters"
TOLERANCE = {"accuracy": 1.0}  # in %, of 60 or so: sums of other lengths round otherwise, and ten sentences are few

RATES: Final = (1e-3, 3e-3, 1e-2)
POS: Final = TASKS["POS"]
BESIDE: Final[dict[str, tuple[int, ...]]] = {  # layers of the biLM
    "characters": (),
    "characters and spelling": (0,),
    "characters and ELMo": (0, 1, 2),
}
PLAIN, SPELLING, ELMO = BESIDE


@dataclass(frozen=True)
class Config:
    """The presets are "smoke" (seconds, for tests) and "full" (the published run).

    ``num_steps`` are those for each of the sizes; ``contrast_at`` is the place of the primary contrast among these.
    """

    sizes: tuple[int, ...] = (10, 100, 1_000, 10_000)
    num_steps: tuple[int, ...] = (100, 200, 600, 2_000)
    contrast_at: int = 1
    batch_size: int = 16
    observed_every: int = 25
    max_words: int = 25
    num_validation: int = 300
    num_test: int = 1_000
    d_hidden: int = 64

    @property
    def data(self) -> Splits:
        """Tagged sentences."""
        return splits("POS", self.max_words, self.num_validation, self.num_test)


PRESETS: Final = {
    "smoke": Config((3, 12), (4, 6), 0, 4, 2, max_words=6, num_validation=10, num_test=20, d_hidden=4),
    "full": Config(),
}


class Arm(NamedTuple):
    """Number of labelled sentences, and what stands beside the word vectors."""

    size: int
    beside: str

    def __str__(self) -> str:
        return f"{self.size} {self.beside}"


class Tagger(Learner):
    """Characters → word vectors, beside them a mix of frozen layers or nothing → biLSTM → scores of the tags."""

    def __init__(self, layers: Sequence[int], d_hidden: int, dropout: float = 0.3):
        super().__init__()
        self.chosen, self.source = list(layers), source("ELMo")
        size = self.source.model.config
        self.spelling = CharCNN(size.num_characters, size.d_character, size.filters, size.d_model)
        self.mix = ScalarMix(len(layers)) if layers else None
        width = size.d_model + (2 * size.d_model if layers else 0)
        self.lstm = nn.LSTM(width, d_hidden, bidirectional=True, batch_first=True)
        self.dropout, self.scores = nn.Dropout(dropout), nn.Linear(2 * d_hidden, POS.num_classes)

    def encode(self, example: TextExample) -> Item:
        """Characters of the words, and the chosen layers (t, layers, 2 d) where there are any."""
        frozen = elmo_layers(self.source, example.words)[:, self.chosen] if self.chosen else None
        characters = torch.tensor(spell([example.words])[0])
        return Item((characters, frozen), list(range(len(example.words))), torch.tensor(example.labels))

    def forward(self, items: Sequence[Item]) -> Float[Tensor, "n c"]:
        """Scores of the words, sentence after sentence."""
        spelled = self.spelling(_side_by_side([item.read[0] for item in items]))  # (words, d)
        lengths = [len(item.places) for item in items]
        read = self.dropout(pad_sequence([*spelled.split(lengths)], batch_first=True))
        if self.mix is not None:
            frozen = pad_sequence([item.read[1] for item in items], batch_first=True).movedim(2, 0)
            read = torch.cat([read, self.dropout(self.mix(frozen))], dim=-1)
        packed = pack_padded_sequence(read, torch.tensor(lengths), batch_first=True, enforce_sorted=False)
        states, _ = pad_packed_sequence(self.lstm(packed)[0], batch_first=True)
        return self.scores(self.dropout(torch.cat([row[:n] for row, n in zip(states, lengths, strict=True)])))


def _side_by_side(words: Sequence[Tensor]) -> Tensor:
    """Characters of all words of all sentences, one row for each word."""
    widest = max(each.shape[1] for each in words)
    return torch.cat([nn.functional.pad(each, (0, widest - each.shape[1])) for each in words])


def arms(config: Config) -> list[str]:
    """Size and what stands beside the word vectors, such as "100 characters and ELMo"."""
    return [str(Arm(size, beside)) for size in config.sizes for beside in BESIDE]


def run(config: Config, arm: str, seed: int) -> Record:
    """Labels right on test sentences, the rate that was chosen, what its trials gave; and on the way, step → labels
    right on validation sentences."""
    found = next(Arm(size, beside) for size in config.sizes for beside in BESIDE if str(Arm(size, beside)) == arm)
    tried = _trials(config, found.beside)
    chosen = best(tried)
    tagger, curve = fit(config, found, chosen, seed)
    test = config.data.test
    return {
        "accuracy": round(share_right(predictions(tagger, test), test), 4),
        "chosen": chosen,
        "validation": list(tried.values()),
        "steps": list(curve),
        "curve": list(curve.values()),
    }


def fit(config: Config, arm: Arm, rate: float, seed: int) -> tuple[Tagger, dict[int, float]]:
    """A tagger that has learnt, and step → labels right on validation sentences on the way and at the end."""
    torch.manual_seed(seed)
    tagger, curve = Tagger(BESIDE[arm.beside], config.d_hidden), dict[int, float]()
    train = labelled(POS, config.data.train, arm.size, seed)
    batches = Shuffled([tagger.encode(example) for example in train], config.batch_size, seed)
    num_steps = config.num_steps[config.sizes.index(arm.size)]
    schedule = partial(slanted_triangular, num_steps=num_steps)
    observe = partial(_observe, config, tagger, curve)
    fine_tune(tagger, tagger.loss, batches, tagger.optimizer(rate), schedule, num_steps, observe)
    curve[num_steps] = _on_validation(config, tagger)
    return tagger, curve


def _observe(config: Config, tagger: Tagger, curve: dict[int, float], step: int) -> None:
    if step > 0 and step % config.observed_every == 0:
        tagger.eval()
        curve[step] = _on_validation(config, tagger)
        tagger.train()


def _on_validation(config: Config, tagger: Tagger) -> float:
    validation = config.data.validation
    return round(share_right(predictions(tagger, validation), validation), 3)


@cache
def _trials(config: Config, beside: str) -> Trials:
    """Rate → labels right on validation sentences, with the further seed, at the size of the primary contrast."""
    arm = Arm(config.sizes[config.contrast_at], beside)
    curves = {rate: fit(config, arm, rate, TUNING_SEED)[1] for rate in RATES}
    return {rate: [*curve.values()][-1] for rate, curve in curves.items()}


def differences(config: Mapping[str, Any], values: Values) -> list[float]:
    """With ELMo minus without, seed by seed."""
    return gain(values, config["sizes"][config["contrast_at"]], ELMO)


def gain(values: Values, size: int, beside: str) -> list[float]:
    """Points by which a tagger is ahead of the one with nothing beside its word vectors, seed by seed."""
    return ahead(values, str(Arm(size, beside)), str(Arm(size, PLAIN)))


def facts(result: Result) -> dict[str, Fact]:
    """For each size: accuracy of each arm in %, gains over the plain one and of ELMo over the control in points, how
    many times the labels the plain one needs, and after how many steps each is where the plain one is at its best."""
    values, sizes = result.values, result.config["sizes"]
    noted = accuracies(values)
    plain = [mean_right(values, str(Arm(size, PLAIN))) for size in sizes]
    for size in sizes:
        context = ahead(values, str(Arm(size, ELMO)), str(Arm(size, SPELLING)))
        noted[f"{size} ELMo minus spelling"] = mean_effect(context, UNIT)
        for beside in (SPELLING, ELMO):
            noted[f"gain {size} {beside}"] = mean_effect(gain(values, size, beside), UNIT)
        needed = labels_needed(sizes, plain, mean_right(values, str(Arm(size, ELMO))))
        beyond = f"more than {sizes[-1] / size:g} ×"
        noted[f"worth {size}"] = beyond if math.isinf(needed) else Quantity(round(needed / size, 3), "×")
        for beside in BESIDE:
            noted[f"steps {size} {beside}"] = steps_to_plain(values, size, beside)
    return noted


def curves(result: Result) -> dict[str, dict[int, Interval]]:
    """What stands beside the word vectors → number of sentences → labels right in %, for ``plots.learning_curves``."""
    sizes = result.config["sizes"]
    return {
        beside: learning_curve(result.values, {size: str(Arm(size, beside)) for size in sizes}) for beside in BESIDE
    }


def steps_to_plain(values: Values, size: int, beside: str) -> Quantity | str:
    """Steps until the mean curve is as high as that of the plain tagger at its best."""
    best = max(_curve(values, Arm(size, PLAIN)))
    steps = values[str(Arm(size, beside))]["steps"][0]
    reached = (step for step, right in zip(steps, _curve(values, Arm(size, beside)), strict=True) if right >= best)
    first = next(reached, None)
    return "not within the run" if first is None else Quantity(float(first), "steps")


def _curve(values: Values, arm: Arm) -> list[float]:
    return [_mean(each) for each in zip(*values[str(arm)]["curve"], strict=True)]


def _mean(numbers: Sequence[float]) -> float:
    return sum(numbers) / len(numbers)
