"""Learning from few labels: which ones, two plain baselines that may win, and how each arm's setting is chosen.

Every comparison of the course that counts labels uses these, so that its arms see the same texts and the same number
of trials: ``nested_subsets`` for the labels, ``BASELINES`` beside the networks, ``choose`` on validation data.
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, NamedTuple, Protocol, runtime_checkable

import numpy as np
from scipy.sparse import csr_matrix
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score
from sklearn.pipeline import make_pipeline
from sklearn.svm import LinearSVC

STRENGTHS: Final = (0.01, 0.1, 1.0, 10.0)  # C, the inverse of the penalty: four trials, as for every other arm
TOKENS: Final = r"\w+|[^\w\s]"  # words and single signs; "n't" and "!" tell something
INTERPOLATION: Final = 0.25  # β of Wang and Manning (2012), section 2.3


class Labelled(NamedTuple):
    """Texts and their labels."""

    texts: Sequence[str]
    labels: Sequence[int]


def nested_subsets(data: Labelled, sizes: Sequence[int], seed: int = 0) -> dict[int, list[int]]:
    """Size → indices of so many rows; each subset holds all smaller ones, and classes keep their shares in each.

    The order within a class is by sha256 of seed and text, so it depends on no other row and on no library.

    Raises:
        ValueError: a size below 1 or above the number of rows, or lists of different length.
    """
    order = _stratified_order(data, seed)
    if not all(1 <= size <= len(order) for size in sizes):
        raise ValueError(f"sizes: expected 1 to {len(order)}, got {list(sizes)}")
    return {size: order[:size] for size in sizes}


def _stratified_order(data: Labelled, seed: int) -> list[int]:
    """All indices, classes dealt out in proportion: row k of a class of n stands at (k + ½) / n of the whole."""
    classes: dict[int, list[tuple[str, int]]] = {}
    for index, (text, label) in enumerate(zip(*data, strict=True)):
        digest = hashlib.sha256(f"{seed} {text}".encode()).hexdigest()
        classes.setdefault(label, []).append((digest, index))
    places = [
        ((k + 0.5) / len(rows), digest, index)
        for rows in classes.values()
        for k, (digest, index) in enumerate(sorted(rows))
    ]
    return [index for _, _, index in sorted(places)]


@runtime_checkable
class Classifier(Protocol):
    """What a baseline is: it learns from labelled texts, then labels others."""

    def fit(self, texts: Sequence[str], labels: Sequence[int]) -> Any:
        """Learn; returns the classifier itself."""

    def predict(self, texts: Sequence[str]) -> np.ndarray:
        """One label per text."""


def bag_of_bigrams(strength: float) -> Classifier:
    """Which words and pairs of words occur, then logistic regression; ``strength`` is C, the inverse of the penalty."""
    return make_pipeline(_bag(), LogisticRegression(C=strength, max_iter=2_000))


class NaiveBayesSVM:
    """The same bag, weighted by naive Bayes' log ratios, then a support vector machine for each class.

    For a class and the rest: r = log((p / |p|₁) / (q / |q|₁)), where p and q count each feature in the two, plus 1; an
    SVM on x ∘ r; w' = (1 - β) w̄ + β w, with w̄ the mean of |w| (Wang and Manning 2012, equations 2 and 5).
    """

    def __init__(self, strength: float):
        self.strength, self.bag = strength, _bag()
        self.weights: dict[int, tuple[np.ndarray, float]] = {}

    def fit(self, texts: Sequence[str], labels: Sequence[int]) -> "NaiveBayesSVM":
        """Learn; returns the classifier itself."""
        x, y = self.bag.fit_transform(texts), np.asarray(labels)
        self.weights = {label: self._one_class(x, y == label) for label in np.unique(y).tolist()}
        return self

    def _one_class(self, x: csr_matrix, positive: np.ndarray) -> tuple[np.ndarray, float]:
        """Weights of the bag's features, and the offset."""
        ratio = log_ratios(x, positive)
        machine = LinearSVC(C=self.strength, random_state=0).fit(x.multiply(ratio).tocsr(), positive)
        weights = machine.coef_.ravel()
        drawn = (1 - INTERPOLATION) * np.abs(weights).mean() + INTERPOLATION * weights
        return ratio * drawn, float(machine.intercept_[0])

    def predict(self, texts: Sequence[str]) -> np.ndarray:
        """The class whose machine answers highest."""
        x = self.bag.transform(texts)
        scores = [x @ weights + offset for weights, offset in self.weights.values()]
        return np.array(list(self.weights))[np.argmax(scores, axis=0)]


def log_ratios(x: csr_matrix, positive: np.ndarray) -> np.ndarray:
    """How much more often each feature occurs in the positive rows than in the others, as a logarithm."""
    p, q = (np.asarray(x[rows].sum(0)).ravel() + 1.0 for rows in (positive, ~positive))
    return np.log(p / p.sum()) - np.log(q / q.sum())


BASELINES: Final[Mapping[str, Callable[[float], Classifier]]] = {
    "bag of bigrams": bag_of_bigrams,
    "NB-SVM": NaiveBayesSVM,
}


class Chosen(NamedTuple):
    """A fitted classifier, the setting that did best on validation texts, and the accuracy of each, in %."""

    classifier: Classifier
    strength: float
    trials: dict[float, float]


def choose(make: Callable[[float], Classifier], train: Labelled, validation: Labelled) -> Chosen:
    """Fit with each strength, keep the best on validation texts; of equal ones the stronger penalty."""
    fitted = {strength: make(strength).fit(train.texts, train.labels) for strength in STRENGTHS}
    trials = {strength: accuracy(hits(each, validation)) for strength, each in fitted.items()}
    best = max(trials, key=lambda strength: trials[strength])
    return Chosen(fitted[best], best, trials)


def hits(classifier: Classifier, data: Labelled) -> list[int]:
    """1 for a text whose label is found, else 0: one outcome per test item."""
    return (np.asarray(classifier.predict(data.texts)) == np.asarray(data.labels)).astype(int).tolist()


def accuracy(outcomes: Sequence[int]) -> float:
    """The share of hits, in %.

    Raises:
        ValueError: there are none to count.
    """
    if not outcomes:
        raise ValueError("expected at least one outcome, got none")
    return 100 * sum(outcomes) / len(outcomes)


def macro_f1(predicted: Sequence[int], labels: Sequence[int]) -> float:
    """The mean over classes of the harmonic mean of precision and recall, in %: small classes count as much."""
    return 100 * float(f1_score(labels, predicted, average="macro", zero_division=0))


def _bag() -> CountVectorizer:
    return CountVectorizer(ngram_range=(1, 2), binary=True, token_pattern=TOKENS, dtype=np.float64)
