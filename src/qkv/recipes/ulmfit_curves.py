"""How many labels is ULMFiT worth?  Learning curves on questions and on film reviews.

Howard & Ruder 2018, figure 3: with pretraining, 100 labels do as well as ten times as many without (IMDb), or twenty
times as many (AG); with unlabelled texts of the task besides, as well as 100 and 50 times as many.

Here: our own general language model (``ulmfit_lm``: two million weights, three million words), which goes on learning
on all training texts of the task, without labels (``ulmfit_stages``), twice through.  Tasks: TREC's six kinds of
questions, 50 to all 4,296; film review snippets, pleased or not, 50 to all 8,000.  Of each text the first 40 words.

Systems: ULMFiT; the same network from scratch, all layers at once with one rate; a bag of bigrams; NB-SVM; MiniLM, a
real encoder with 23 million weights, frozen, with a logistic regression.

A network learns for 60, 120, 240 or 600 steps of 16 texts.  Every system sees the same labelled texts of a seed, and
larger sets hold the smaller ones.  For each task a system tries three settings with 200 texts of a further seed, keeps
the one that is best on 539 validation texts, and has it for all sizes and seeds.  A cell opens the test texts once.

Stated before the first run.  Primary contrast, paired by seed, in points: ULMFiT minus scratch with 200 labels, mean
over both tasks.  Secondary: the same for each task and size; ULMFiT minus each plain rival; the label equivalence, on
the means over seeds.  Nothing is corrected for the many secondary ones.

Command: python -m qkv run ulmfit-curves.  About 20 minutes of one core.  Finished cells in ``runs/`` do not know with
which weights they were made: after new weights, delete ``runs/ulmfit_curves``.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, partial
from typing import Any, ClassVar, Final, NamedTuple

from qkv.recipes.protocol import Fact, Record, mean_effect
from qkv.recipes.result import Quantity, Result, Values
from qkv.recipes.transfer_systems import Counted, MiniLM, Predict, System, Training
from qkv.recipes.transfer_tasks import TASKS, Splits, labelled, splits
from qkv.recipes.tuned import Trials, accuracies, ahead, learning_curve, mean_right, outcome, trials
from qkv.recipes.ulmfit_stages import Way, all_at_once, fit
from qkv.scoring.equivalence import labels_needed
from qkv.scoring.intervals import Interval

CLAIM = "With 200 labels a small ULMFiT labels more texts rightly than the same network from scratch."
PAPER = (
    "Howard & Ruder 2018, figure 3: with 100 labels ULMFiT is as good as a model from scratch with 10 (IMDb) or 20 "
    "(AG) times as many; with unlabelled texts of the task, 100 and 50 times as many."
)
CONTRAST = "labels right with 200 texts, ULMFiT minus scratch, mean over two tasks"
UNIT = "points"
OVER = "seeds"
SEEDS = 5
VERIFY = "TREC 50 bag of bigrams"
TOLERANCE = {"accuracy": 0.5}  # the bag alone, which no weights of ours touch

OURS: Final = {"ULMFiT": Way(), "scratch": Way("scratch", factor=1.0, learning=all_at_once)}
PLAIN: Final[dict[str, System]] = {
    "bag of bigrams": Counted("bag of bigrams"),
    "NB-SVM": Counted("NB-SVM"),
    "MiniLM": MiniLM(),
}
RATES: Final = (1e-3, 3e-3, 1e-2)


@dataclass(frozen=True)
class Config:
    """The presets are "smoke" (seconds, for tests) and "full" (the published run); None among the sizes means all.

    ``num_steps`` are those for each of the sizes; ``contrast_at`` is the place among them of tuning and contrast.
    """

    sizes: tuple[int | None, ...] = (50, 200, 1_000, None)
    num_steps: tuple[int, ...] = (60, 120, 240, 600)
    contrast_at: int = 1
    lm_epochs: int = 2
    batch_size: int = 16
    max_words: int = 40
    num_validation: int = 539
    num_test: int = 2_000

    TASKS: ClassVar = ("TREC", "movies")

    def data(self, task: str) -> Splits:
        """Texts of the task."""
        return splits(task, self.max_words, self.num_validation, self.num_test)


PRESETS: Final = {
    "smoke": Config((12, 24), (2, 3), 0, 1, batch_size=8, max_words=6, num_validation=20, num_test=30),
    "full": Config(),
}


class Arm(NamedTuple):
    """One system that learns one task from so many texts; None = all."""

    task: str
    size: int | None
    system: str

    def __str__(self) -> str:
        return f"{self.task} {self.size or 'all'} {self.system}"


def table(config: Config) -> dict[str, Arm]:
    """Name → arm; those of one task and size side by side."""
    found = [Arm(task, size, system) for task in Config.TASKS for size in config.sizes for system in (*OURS, *PLAIN)]
    return {str(arm): arm for arm in found}


def arms(config: Config) -> list[str]:
    """TextTask, number of texts and system, such as "TREC 200 ULMFiT"."""
    return list(table(config))


def run(config: Config, arm: str, seed: int) -> Record:
    """Labels right on test texts with the setting that was chosen, that setting, what its trials gave, how many texts
    were learnt from."""
    found = table(config)[arm]
    data, tried = config.data(found.task), _trials(config, found.task, found.system)
    return outcome(partial(_fit, config, found), tried, data.test, seed) | {"texts": found.size or len(data.train)}


def differences(config: Mapping[str, Any], values: Values) -> list[float]:
    """ULMFiT minus scratch, seed by seed, mean over the tasks."""
    size = config["sizes"][config["contrast_at"]]
    gains = [_ahead(values, task, size, "scratch") for task in Config.TASKS]
    return [sum(each) / len(each) for each in zip(*gains, strict=True)]


def facts(result: Result) -> dict[str, Fact]:
    """What prose may quote:

    "accuracy ARM" in %; for each task and size "TASK SIZE minus RIVAL" in points with interval, and "worth TASK SIZE",
    how many times the labels scratch needs; "contrasts", how many intervals there are beside the primary one.
    """
    values, sizes = result.values, result.config["sizes"]
    noted = accuracies(values)
    for task in Config.TASKS:
        for size in sizes:
            for rival in ("scratch", *PLAIN):
                noted[f"{task} {size or 'all'} minus {rival}"] = mean_effect(_ahead(values, task, size, rival), UNIT)
            noted[f"worth {task} {size or 'all'}"] = worth(values, task, sizes, size)
    noted["contrasts"] = len(Config.TASKS) * len(sizes) * (1 + len(PLAIN))
    return noted


def worth(values: Values, task: str, sizes: list[int | None], size: int | None) -> Quantity | str:
    """How many times the labels scratch needs for ULMFiT's mean score, as far as it was measured."""
    numbers = [values[str(Arm(task, each, "scratch"))]["texts"][0] for each in sizes]
    scores = [mean_right(values, str(Arm(task, each, "scratch"))) for each in sizes]
    here = numbers[sizes.index(size)]
    needed = labels_needed(numbers, scores, mean_right(values, str(Arm(task, size, "ULMFiT"))))
    if math.isinf(needed):
        return f"more than {numbers[-1] / here:.2g} ×"
    if needed == numbers[0]:
        return f"at most {numbers[0] / here:.2g} ×"
    return Quantity(round(needed / here, 3), "×")


def curves(result: Result) -> dict[str, dict[str, dict[int, Interval]]]:
    """Task → system → number of texts → labels right in %, for ``plots.learning_curves``."""
    values, sizes = result.values, result.config["sizes"]
    drawn: dict[str, dict[str, dict[int, Interval]]] = {}
    for task in Config.TASKS:
        for system in (*OURS, *PLAIN):
            named = [str(Arm(task, size, system)) for size in sizes]
            by_number = {values[arm]["texts"][0]: arm for arm in named}
            drawn.setdefault(task, {})[system] = learning_curve(values, by_number)
    return drawn


@cache
def _trials(config: Config, task: str, system: str) -> Trials:
    arm = Arm(task, config.sizes[config.contrast_at], system)
    settings = RATES if system in OURS else PLAIN[system].settings
    return trials(partial(_fit, config, arm), settings, config.data(task).validation)


def _fit(config: Config, arm: Arm, setting: float, seed: int) -> Predict:
    task, train = TASKS[arm.task], config.data(arm.task).train
    chosen = labelled(task, train, arm.size or len(train), seed)
    training = Training(config.num_steps[config.sizes.index(arm.size)], config.batch_size)
    if arm.system in PLAIN:
        return PLAIN[arm.system].fit(task, chosen, setting, training, seed)
    return fit(task, train, chosen, OURS[arm.system], setting, training, config.lm_epochs, seed)


def _ahead(values: Values, task: str, size: int | None, rival: str) -> list[float]:
    return ahead(values, *(str(Arm(task, size, each)) for each in ("ULMFiT", rival)))
