"""Kneser–Ney by hand, and what it promises: probabilities that add up, and words that count by their company."""

import math

import pytest

from qkv.recipes.ngram import KneserNey, count_levels

TWO = [[0, 1, 2], [0, 1, 3]]  # <s> a b, <s> a c


def model(sentences, order, vocab_size, discount=0.5) -> KneserNey:
    return KneserNey(count_levels(sentences, order), vocab_size, discount)


def test_bigrams_by_hand():
    """Each of a, b, c follows one word: p(b) = (1 - ½) / 3 + ½ · 3/3 · 1/5 = 4/15.

    After a come b and c, once each: p(b | a) = (1 - ½) / 2 + ½ · 2/2 · 4/15 = 23/60.
    After <s> came a twice: p(a | <s>) = (2 - ½) / 2 + ½ · 1/2 · 4/15 = 49/60.
    A word that never came: p(a) has nothing to keep, ½ · 3/3 · 1/5 = 1/10, and after a half of that.
    """
    bigrams = model(TWO, 2, 5)
    assert bigrams.probability(2, []) == pytest.approx(4 / 15)
    assert bigrams.probability(2, [1]) == pytest.approx(23 / 60)
    assert bigrams.probability(1, [0]) == pytest.approx(49 / 60)
    assert bigrams.probability(4, [1]) == pytest.approx(1 / 20)
    assert bigrams.loss([0, 1, 2]) == pytest.approx(-math.log(49 / 60 * 23 / 60))


def test_trigrams_by_hand():
    """<s> stands twice where two words of context are asked for; "<s> a" came twice, "a b" after one word."""
    trigrams = model(TWO, 3, 5)
    after_a = 0.25 + 0.5 * 4 / 15  # as above: "a b" and "a c" each follow one word
    assert trigrams.probability(2, [0, 1]) == pytest.approx(0.25 + 0.5 * after_a)
    after_start = (1 - 0.5) / 1 + 0.5 * 1 / 1 * 4 / 15  # "<s> a" follows one word, <s>, however often
    assert trigrams.probability(1, [0, 0]) == pytest.approx(0.75 + 0.25 * after_start)
    assert trigrams.loss([0, 1, 2]) == pytest.approx(-math.log((0.75 + 0.25 * after_start) * (0.25 + 0.5 * after_a)))


@pytest.mark.parametrize("order", [1, 2, 3, 4])
def test_probabilities_add_up_in_every_context(order):
    sentences = [[0, 3, 1, 3, 2, 1], [0, 1, 1, 3], [0, 2], [0, 3, 1, 2, 2]]
    found = model(sentences, order, 7, 0.7)
    for context in ([], [0], [3], [6], [3, 1], [0, 3, 1], [6, 3, 1], [5, 6, 6, 2]):
        shares = [found.probability(word, context) for word in range(7)]
        assert sum(shares) == pytest.approx(1)
        assert min(shares) > 0


def test_a_frequent_word_that_follows_one_word_alone_is_not_expected_elsewhere():
    """7 always follows 5, five times; 8 came three times, after three different words."""
    found = model([[0, 5, 7]] * 5 + [[0, 1, 8], [0, 2, 8], [0, 3, 8]], 2, 9)
    assert found.probability(8, [4]) > 2 * found.probability(7, [4])
    assert found.probability(7, [5]) > 0.8


def test_only_the_last_words_of_a_context_count():
    found = model(TWO, 2, 5)
    assert found.probability(2, [3, 3, 1]) == found.probability(2, [1])


def test_more_context_predicts_what_depends_on_it():
    """2 after 1 if 3 came before, else 4: two words tell, one does not."""
    sentences = [[0, 3, 1, 2], [0, 5, 1, 4]] * 3
    assert model(sentences, 3, 6).probability(2, [3, 1]) > 0.8
    assert model(sentences, 2, 6).probability(2, [3, 1]) < 0.5


@pytest.mark.parametrize(
    ("sentences", "order", "vocab_size", "discount", "message"),
    [
        (TWO, 0, 5, 0.5, "order: expected at least 1, got 0"),
        ([[0]], 2, 5, 0.5, "begin mark and a word, got none"),
        (TWO, 2, 3, 0.5, "more than the highest id, 3, got 3"),
        (TWO, 2, 5, 1.0, "between 0 and 1, got 1.0"),
    ],
)
def test_what_cannot_be(sentences, order, vocab_size, discount, message):
    with pytest.raises(ValueError, match=message):
        model(sentences, order, vocab_size, discount)


@pytest.mark.parametrize("context", [[], [1], [0, 1], [3, 1], [4, 4], [0, 0, 1]])
def test_a_distribution_is_the_probabilities_of_all_words(context):
    trigrams = model([*TWO, [0, 3, 1, 2], [0, 1, 2]], 3, 5)
    found = trigrams.distribution(context)
    assert found.tolist() == pytest.approx([trigrams.probability(word, context) for word in range(5)])
    assert found.sum() == pytest.approx(1)
