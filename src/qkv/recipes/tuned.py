"""Choose a setting on validation texts, then open the test texts: what comparisons of fine-tuned models share.

Every arm tries its settings (peak rate, or penalty) with a further seed, keeps the one that is best on validation
texts, and has it for all seeds.  A cell of the result opens the test texts once.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from qkv.recipes.protocol import Fact, Record, mean_quantity
from qkv.recipes.result import Values
from qkv.recipes.transfer_systems import Predict, Training
from qkv.recipes.transfer_tasks import TASKS, Splits, TextExample, TextTask, labelled, share_right, splits
from qkv.scoring.intervals import Interval, paired_differences, student_interval

TUNING_SEED: Final = 1000
Fit = Callable[[float, int], Predict]  # setting and seed → what a system has learnt
Trials = dict[float, float]  # setting → labels right on validation texts, in %


@dataclass(frozen=True)
class OneTask:
    """One task, one number of labelled texts; of each text the first ``max_words`` words."""

    task: str = "TREC"
    num_labelled: int = 200
    num_steps: int = 150
    batch_size: int = 16
    max_words: int = 40
    num_validation: int = 539
    num_test: int = 2_000

    @property
    def kind(self) -> TextTask:
        """The task."""
        return TASKS[self.task]

    @property
    def data(self) -> Splits:
        """Its texts."""
        return splits(self.task, self.max_words, self.num_validation, self.num_test)

    @property
    def training(self) -> Training:
        """How long a network learns."""
        return Training(self.num_steps, self.batch_size)

    def labelled(self, seed: int) -> list[TextExample]:
        """What may be learnt from with the labels."""
        return labelled(self.kind, self.data.train, self.num_labelled, seed)


def trials(fit: Fit, settings: Sequence[float], validation: Sequence[TextExample]) -> Trials:
    """What each setting gives, with the further seed."""
    tried = {setting: fit(setting, TUNING_SEED)(validation) for setting in settings}
    return {setting: round(share_right(found, validation), 4) for setting, found in tried.items()}


def outcome(fit: Fit, tried: Trials, test: Sequence[TextExample], seed: int) -> Record:
    """Labels right on test texts with the setting that was best, that setting, and what its trials gave."""
    chosen = best(tried)
    accuracy = share_right(fit(chosen, seed)(test), test)
    return {"accuracy": round(accuracy, 4), "chosen": chosen, "validation": list(tried.values())}


def best(tried: Trials) -> float:
    """The setting with the most labels right; of equal ones the first."""
    return max(tried, key=lambda setting: tried[setting])


def accuracies(values: Values) -> dict[str, Fact]:
    """For prose: "accuracy ARM" in %, mean over seeds with interval, for each arm."""
    return {f"accuracy {arm}": mean_quantity(quantities["accuracy"], "%") for arm, quantities in values.items()}


def ahead(values: Values, one: str, other: str) -> list[float]:
    """Points by which one arm is ahead of another, seed by seed."""
    return paired_differences(values[one]["accuracy"], values[other]["accuracy"])


def mean_right(values: Values, arm: str) -> float:
    """Labels right in %, mean over seeds."""
    found = values[arm]["accuracy"]
    return sum(found) / len(found)


def learning_curve(values: Values, arms: Mapping[int, str]) -> dict[int, Interval]:
    """Number of labels → labels right in %, mean over seeds with Student's interval; ``arms`` names the arm of each.

    These intervals are of each arm alone.  A difference of two arms is paired by seed and has its own, often shorter.
    """
    return {size: student_interval(values[arm]["accuracy"]) for size, arm in arms.items()}
