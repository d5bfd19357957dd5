"""Which labels, plain baselines, and how a setting is chosen."""

import hashlib
import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_matrix
from sklearn.svm import LinearSVC

from qkv.data import load
from qkv.recipes.few_labels import (
    BASELINES,
    STRENGTHS,
    Labelled,
    NaiveBayesSVM,
    accuracy,
    bag_of_bigrams,
    choose,
    hits,
    log_ratios,
    macro_f1,
    nested_subsets,
)


@pytest.fixture(scope="module")
def snippets():
    found = load("movie-snippets")
    return {name: Labelled(list(split["text"]), list(split["label"])) for name, split in found.items()}


@given(st.lists(st.integers(0, 2), min_size=6, max_size=60), st.integers(0, 3))
@settings(deadline=None)
def test_subsets_are_nested_and_keep_the_shares(labels, seed):
    data = Labelled([f"text {i}" for i in range(len(labels))], labels)
    sizes = [1, 3, len(labels) // 2, len(labels)]
    found = nested_subsets(data, sizes, seed)
    for small, large in itertools.pairwise(sizes):
        assert set(found[small]) <= set(found[large])
    for size, rows in found.items():
        assert len(rows) == len(set(rows)) == size
        for label in set(labels):
            exact = size * labels.count(label) / len(labels)
            assert abs(sum(labels[i] == label for i in rows) - exact) <= 1.5


def test_a_subset_by_hand():
    """Class 0 has four texts, class 1 two: they stand at 1/8, 3/8, 5/8, 7/8 and at 1/4, 3/4."""
    texts = [f"text {i}" for i in range(6)]
    labels = [0, 0, 0, 0, 1, 1]

    def digest(i):
        return hashlib.sha256(f"7 {texts[i]}".encode()).hexdigest()

    zeros, ones = sorted(range(4), key=digest), sorted((4, 5), key=digest)
    wanted = [zeros[0], ones[0], zeros[1], zeros[2], ones[1], zeros[3]]
    assert nested_subsets(Labelled(texts, labels), [6], 7)[6] == wanted


def test_seeds_give_other_labels_and_the_order_of_rows_none(snippets):
    train = snippets["train"]
    first, second = (nested_subsets(train, [50], seed)[50] for seed in (0, 1))
    assert len(set(first) & set(second)) < 10
    turned = Labelled(train.texts[::-1], train.labels[::-1])
    again = {turned.texts[i] for i in nested_subsets(turned, [50], 0)[50]}
    assert again == {train.texts[i] for i in first}


@pytest.mark.parametrize("size", [0, 4])
def test_impossible_sizes(size):
    with pytest.raises(ValueError, match=rf"expected 1 to 3, got \[{size}\]"):
        nested_subsets(Labelled(["a", "b", "c"], [0, 1, 0]), [size])


def test_the_ratio_by_hand():
    """Feature 0 occurs in both positives, feature 1 in the negative: p = (3, 1), q = (1, 2)."""
    x, positive = csr_matrix(np.array([[1.0, 0], [1, 0], [0, 1]])), np.array([True, True, False])
    np.testing.assert_allclose(log_ratios(x, positive), [np.log(0.75 / (1 / 3)), np.log(0.25 / (2 / 3))])


def test_weights_are_the_machines_drawn_towards_their_mean():
    texts, labels = ["good film", "good plot", "bad film", "bad plot"], [1, 1, 0, 0]
    model = NaiveBayesSVM(1.0).fit(texts, labels)
    x, positive = model.bag.transform(texts), np.array(labels) == 1
    ratio = log_ratios(x, positive)
    machine = LinearSVC(C=1.0, random_state=0).fit(x.multiply(ratio).tocsr(), positive)
    drawn = 0.75 * np.abs(machine.coef_).mean() + 0.25 * machine.coef_.ravel()
    np.testing.assert_allclose(model.weights[1][0], ratio * drawn, rtol=1e-4)
    assert model.predict(["a good one", "a bad one"]).tolist() == [1, 0]


@pytest.mark.parametrize("make", BASELINES.values(), ids=BASELINES)
def test_bigrams_tell_what_words_alone_cannot(make):
    """The same words in another order: only pairs of words tell the classes apart."""
    texts = ["not good but bad", "not bad but good", "bad but not good", "good but not bad"] * 3
    data = Labelled(texts, [0, 1, 0, 1] * 3)
    assert accuracy(hits(make(10.0).fit(*data), data)) == 100


def test_three_classes():
    data = Labelled(["who is it", "where is it", "when is it"] * 4, [0, 1, 2] * 4)
    for make in BASELINES.values():
        assert hits(make(1.0).fit(*data), data) == [1] * 12


def test_real_snippets_beat_the_larger_class_and_more_labels_help(snippets):
    """With 2,000 labels both are clearly above the share of the larger class; NB-SVM as Wang and Manning found."""
    train, validation = snippets["train"], snippets["validation"]
    larger = 100 * max(map(validation.labels.count, (0, 1))) / len(validation.labels)
    for make in BASELINES.values():
        scores = {}
        for size, rows in nested_subsets(train, [100, 2_000]).items():
            few = Labelled([train.texts[i] for i in rows], [train.labels[i] for i in rows])
            scores[size] = accuracy(hits(make(1.0).fit(*few), validation))
        assert scores[2_000] > max(larger + 10, scores[100] + 5)


def test_choosing_keeps_the_best_of_all_trials(snippets):
    train = Labelled(*(part[:200] for part in snippets["train"]))
    validation = Labelled(*(part[:200] for part in snippets["validation"]))
    chosen = choose(bag_of_bigrams, train, validation)
    assert tuple(chosen.trials) == STRENGTHS
    assert chosen.trials[chosen.strength] == max(chosen.trials.values())
    assert accuracy(hits(chosen.classifier, validation)) == chosen.trials[chosen.strength]


def test_metrics_by_hand():
    assert accuracy([1, 0, 1, 1]) == 75
    # class 0: precision 2/3, recall 1, F1 .8; class 1: never found, F1 0; class 2: 1
    assert macro_f1([0, 0, 0, 2], [0, 0, 1, 2]) == pytest.approx(60)
    with pytest.raises(ValueError, match="got none"):
        accuracy([])
