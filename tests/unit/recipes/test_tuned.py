"""Choosing on validation texts: which setting, which seed, and how often the test texts are opened."""

from qkv.recipes.transfer_tasks import TextExample
from qkv.recipes.tuned import TUNING_SEED, accuracies, ahead, best, mean_right, outcome, trials

VALIDATION = [TextExample(("a",), (i % 2,)) for i in range(10)]
TEST = [TextExample(("b",), (1,)) for _ in range(4)]
VALUES = {"one": {"accuracy": [50.0, 70.0]}, "other": {"accuracy": [40.0, 65.0]}}


def test_the_best_on_validation_is_tested_once_with_its_own_seed():
    asked = []

    def fit(setting, seed):
        def predict(examples):
            asked.append((setting, seed, list(examples)))
            right = round(setting * len(examples))
            return [[each.labels[0] if i < right else 9] for i, each in enumerate(examples)]

        return predict

    tried = trials(fit, [0.2, 0.8, 0.5], VALIDATION)
    assert tried == {0.2: 20.0, 0.8: 80.0, 0.5: 50.0}
    assert asked == [(setting, TUNING_SEED, VALIDATION) for setting in (0.2, 0.8, 0.5)]
    assert outcome(fit, tried, TEST, 7) == {"accuracy": 75.0, "chosen": 0.8, "validation": [20.0, 80.0, 50.0]}
    assert asked[3:] == [(0.8, 7, TEST)]


def test_of_equal_settings_the_first_is_kept():
    assert best({0.1: 50.0, 0.2: 60.0, 0.3: 60.0}) == 0.2


def test_what_prose_may_quote_by_hand():
    assert accuracies(VALUES)["accuracy one"].value == 60.0
    assert ahead(VALUES, "one", "other") == [10.0, 5.0]
    assert mean_right(VALUES, "other") == 52.5
