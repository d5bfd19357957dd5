"""Where does pretraining of our size pay?  A pilot: few labels, four small language models, and plain rivals.

ULMFiT (Howard & Ruder 2018, figure 3), GPT (Radford et al. 2018, table 5) and ELMo (Peters et al. 2018, figure 1) gain
most from pretraining where labels are few.  Their language models have about a hundred million weights and have read
100 to 1,000 million words; ours have two million weights and have read three million words, some of them twice.
In an earlier pilot of the course a decoder of that size gained nothing for the sentiment of film reviews.  Here are two
tasks nearer to what a small model may know: the kind of answer a question asks for, and parts of speech.

Tasks: TREC's six kinds of questions, 50 to all 4,296 questions; Brown's twelve coarse tags, 50 to 2,000 sentences.
Sizes count texts; a sentence has about 17 labels.  Of each text the first 25 words.  Tested: all 545 questions, and
1,000 sentences of other files than those that are learnt from.  Score: labels right, in %.

Systems (``qkv.recipes.transfer_systems`` says how each learns): ELMo, AWD-LSTM (ULMFiT), GPT and a small BERT, each
pretrained by the recipes ``elmo_lm``, ``ulmfit_lm``, ``gpt_lm`` and ``bert_mlm``, and each from scratch: the same
architecture, weights drawn anew.  Beside them a bag of bigrams for questions; for tags a logistic regression over each
word, its ending and its neighbours; and MiniLM, a real encoder with 23 million weights, frozen, with a logistic
regression over the mean of a text or of a word's pieces.  MiniLM's own training data, a thousand million pairs, is not
known to be free of questions such as TREC's.

A network learns for 60, 120, 240 or 400 steps of 16 texts, so it meets each of 50 questions 19 times, but each of all
4,296 one and a half times.  That is little for a network from scratch: a gain with all labels may be one of time.

Every system sees the same labelled texts of a seed, and larger sets hold the smaller ones.  For each task a system
tries three settings (peak rate, or penalty) with 200 texts of a further seed, keeps the one that is best on 539
validation texts, and has it for all sizes and seeds; a choice for each size would double the time.  So more labels are
used to choose than the smallest sets have, by all systems alike.  A cell opens the test texts once.

Stated before the first run.  Primary contrast, paired by seed, in points, + = pretraining pays: pretrained minus
scratch with the fewest labels, 50 texts, mean over the four models and both tasks.  Secondary: the same for each
model, task and size; pretrained minus the bag and minus MiniLM; the label equivalence, how many times the labels
scratch needs for the score of the pretrained model, on the means over seeds.  Three seeds make wide intervals, and
nothing is corrected for the many secondary ones.

Command: python -m qkv run transfer-pilot.  It wants the weights of all four models in the package.  Finished cells in
``runs/`` do not know with which weights they were made: after new weights, delete ``runs/transfer_pilot``.
Takes up to 120 minutes of one core, as far as a few steps of each network tell.  Expect: reproduced, by parts of
speech more than by questions; the gain gone with all labels; the bag ahead of all four on questions with all labels;
MiniLM ahead of everything on questions with few.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache, partial
from typing import Any, Final, NamedTuple

from qkv.recipes.protocol import Fact, Record, mean_effect
from qkv.recipes.result import Quantity, Result, Values
from qkv.recipes.transfer_systems import MODELS, SYSTEMS, Training
from qkv.recipes.transfer_tasks import TASKS, Splits, labelled, splits
from qkv.recipes.tuned import Trials, accuracies, ahead, mean_right, outcome, trials
from qkv.scoring.equivalence import labels_needed

CLAIM = "With 50 labelled texts, language models of two million weights do better pretrained than from scratch."
PAPER = (
    "Howard & Ruder 2018, figure 3: with 100 labels a pretrained model matches one from scratch that has 10 to 20 "
    "times as many. Radford et al. 2018, table 5: without pretraining the mean score falls by 14.8 points."
)
CONTRAST = "labels right with 50 texts, pretrained minus scratch, mean over four models and two tasks"
UNIT = "points"
OVER = "seeds"
SEEDS = 3
VERIFY = "TREC 50 bag of bigrams"
TOLERANCE = {"accuracy": 0.5}  # the bag alone, which no weights of ours touch

TUNED_AT: Final = 1  # place among the sizes
PLAIN: Final = {"TREC": "bag of bigrams", "POS": "word and suffix"}


@dataclass(frozen=True)
class Config:
    """The presets are "smoke" (seconds, for tests) and "full" (the published run).

    ``num_steps`` are those of a network for each of the sizes, in order.
    """

    trec_sizes: tuple[int, ...] = (50, 200, 1_000, 4_296)
    pos_sizes: tuple[int, ...] = (50, 200, 1_000, 2_000)
    num_steps: tuple[int, ...] = (60, 120, 240, 400)
    batch_size: int = 16
    max_words: int = 25
    num_validation: int = 539
    num_test: int = 1_000

    def __post_init__(self) -> None:
        if not len(self.trec_sizes) == len(self.pos_sizes) == len(self.num_steps):
            raise ValueError(f"expected as many sizes of both tasks as numbers of steps, got {self}")

    def sizes(self, task: str) -> tuple[int, ...]:
        """Numbers of labelled texts, growing."""
        return {"TREC": self.trec_sizes, "POS": self.pos_sizes}[task]

    def data(self, task: str) -> Splits:
        """Texts of the task."""
        return splits(task, self.max_words, self.num_validation, self.num_test)


PRESETS: Final = {
    "smoke": Config((12, 24), (6, 12), (2, 3), batch_size=8, max_words=6, num_validation=20, num_test=30),
    "full": Config(),
}


class Arm(NamedTuple):
    """One system that learns one task from so many texts."""

    task: str
    size: int
    system: str

    def __str__(self) -> str:
        return f"{self.task} {self.size} {self.system}"


def table(config: Config) -> Iterator[Arm]:
    """All arms; those of one task and size side by side."""
    for task in PLAIN:
        systems = [name for name in SYSTEMS if name not in PLAIN.values() or name == PLAIN[task]]
        for size in config.sizes(task):
            yield from (Arm(task, size, system) for system in systems)


def arms(config: Config) -> list[str]:
    """TextTask, number of texts and system, such as "POS 50 GPT pretrained"."""
    return [str(arm) for arm in table(config)]


def run(config: Config, arm: str, seed: int) -> Record:
    """Labels right on test texts with the setting that was chosen, that setting, and what its trials gave.

    Raises:
        ValueError: no such arm.
        qkv.assets.AssetError: the weights of the model have not been published, or a package is missing.
    """
    found = _arm(config, arm)
    tried, test = _trials(config, found.task, found.system), config.data(found.task).test
    return outcome(partial(_fit, config, found), tried, test, seed)


def differences(config: Mapping[str, Any], values: Values) -> list[float]:
    """Pretrained minus scratch at the smallest sizes, mean over models and tasks, seed by seed."""
    smallest = {"TREC": config["trec_sizes"][0], "POS": config["pos_sizes"][0]}
    gains = [gain(values, task, size, model) for task, size in smallest.items() for model in MODELS]
    return [sum(each) / len(each) for each in zip(*gains, strict=True)]


def gain(values: Values, task: str, size: int, model: str) -> list[float]:
    """Points by which the pretrained model is ahead of the same from scratch, seed by seed."""
    return ahead(values, f"{task} {size} {model} pretrained", f"{task} {size} {model} scratch")


def facts(result: Result) -> dict[str, Fact]:
    """What prose may quote, for each task, size and model:

    "accuracy ARM" in %, "gain TASK SIZE MODEL" over scratch, "TASK SIZE MODEL minus bag" and "… minus MiniLM", all in
    points with intervals; "worth TASK SIZE MODEL", how many times the labels scratch needs.
    """
    values, sizes = result.values, {"TREC": result.config["trec_sizes"], "POS": result.config["pos_sizes"]}
    noted = accuracies(values)
    for task in PLAIN:
        for size in sizes[task]:
            for model in MODELS:
                name, here = f"{task} {size} {model}", f"{task} {size}"
                pretrained = f"{name} pretrained"
                noted[f"gain {name}"] = mean_effect(gain(values, task, size, model), UNIT)
                noted[f"{name} minus bag"] = mean_effect(ahead(values, pretrained, f"{here} {PLAIN[task]}"), UNIT)
                noted[f"{name} minus MiniLM"] = mean_effect(ahead(values, pretrained, f"{here} MiniLM"), UNIT)
                noted[f"worth {name}"] = worth(values, task, sizes[task], size, model)
            noted[f"gain {task} {size}"] = mean_effect(_mean_gain(values, task, size), UNIT)
    return noted


def worth(values: Values, task: str, sizes: list[int], size: int, model: str) -> Quantity | str:
    """How many times the labels scratch needs for the mean score of the pretrained model, as far as it was measured."""
    scores = [mean_right(values, f"{task} {each} {model} scratch") for each in sizes]
    needed = labels_needed(sizes, scores, mean_right(values, f"{task} {size} {model} pretrained"))
    if math.isinf(needed):
        return f"more than {sizes[-1] / size:.1f} ×"
    if needed == sizes[0]:
        return f"at most {sizes[0] / size:.2g} ×"
    return Quantity(round(needed / size, 3), "×")


def _arm(config: Config, name: str) -> Arm:
    known = {str(arm): arm for arm in table(config)}
    if name not in known:
        sizes = "; ".join(f"{task} {', '.join(map(str, config.sizes(task)))}" for task in PLAIN)
        raise ValueError(
            f"arm: expected task, size and system such as {next(iter(known))!r}, got {name!r}; sizes: {sizes}; "
            f"systems: {', '.join(SYSTEMS)}"
        )
    return known[name]


@cache
def _trials(config: Config, task: str, system: str) -> Trials:
    arm = Arm(task, config.sizes(task)[TUNED_AT], system)
    return trials(partial(_fit, config, arm), SYSTEMS[system].settings, config.data(task).validation)


def _fit(config: Config, arm: Arm, setting: float, seed: int) -> Any:
    task = TASKS[arm.task]
    train = labelled(task, config.data(arm.task).train, arm.size, seed)
    training = Training(config.num_steps[config.sizes(arm.task).index(arm.size)], config.batch_size)
    return SYSTEMS[arm.system].fit(task, train, setting, training, seed)


def _mean_gain(values: Values, task: str, size: int) -> list[float]:
    gains = [gain(values, task, size, model) for model in MODELS]
    return [sum(each) / len(each) for each in zip(*gains, strict=True)]
