"""What the prose of the lessons on ELMo claims and their cells do not assert."""

import itertools
import math
import re

import pytest
import torch
from torch import nn

from qkv.data import wordnet_senses
from qkv.figures import banks
from qkv.nn.lstm import LSTMCell
from qkv.recipes import elmo_labels, senses
from qkv.recipes.result import load
from qkv.recipes.transfer_systems import elmo_layers, source
from qkv.text.words import tokens

# ---------------------------------------------------------------- lesson 1: a model that reads word by word


def plain_state(u, words):
    h = 0.0
    for x in words:
        h = math.tanh(x + u * h)
    return h


def test_a_model_1_the_puzzle_is_wordnets(code):
    cell = code("06_elmo/lesson", "FIRST = ")
    sentences = re.findall(r'"((?:\w+ ){4,}\w+)"', cell)
    assert len(sentences) == 5
    found = {example.text for lemma, kind, example in wordnet_senses._examples() if (lemma, kind) == ("bank", "noun")}
    assert set(sentences) <= found


def test_a_model_2_the_first_word_fades_or_stays():
    first, later = plain_state(0.5, [1]), plain_state(0.5, [1, *[0] * 8])
    assert later < first / 100
    assert later < 0.5**8
    assert plain_state(2.0, [1, *[0] * 8]) > 0.95
    assert plain_state(1.0, [1, *[0] * 8]) < plain_state(1.0, [1, *[0] * 4]), "tanh eats the memory slowly"


def test_a_model_2_a_full_state_takes_more_words_to_turn_round():
    def words_to_turn(u):
        h = plain_state(u, [1, *[0] * 8])
        return next(n for n in itertools.count(1) if (h := math.tanh(-1 + u * h)) < 0)

    assert words_to_turn(2.0) > words_to_turn(0.5)


def run_with(names, cell, x):
    hidden, memory = torch.zeros(5), torch.zeros(5)
    for word in x:
        part = dict(zip(names, (cell.from_input(word) + cell.from_hidden(hidden)).chunk(4), strict=True))
        memory = part["f"].sigmoid() * memory + part["i"].sigmoid() * part["g"].tanh()
        hidden = part["o"].sigmoid() * memory.tanh()
    return hidden


def test_a_model_8_any_order_of_the_gates_trains_alike():
    """An exchange of two names is an exchange of rows, and rows of random numbers have no names."""
    torch.manual_seed(0)
    cell, x = LSTMCell(3, 5).requires_grad_(False), torch.randn(4, 3)
    right = run_with("ifgo", cell, x)
    assert not torch.allclose(run_with("igfo", cell, x), right)
    for linear in (cell.from_input, cell.from_hidden):
        for parameter in linear.parameters():
            i, f, g, o = parameter.chunk(4)
            parameter.copy_(torch.cat([i, g, f, o]))
    torch.testing.assert_close(run_with("igfo", cell, x), right)


# ---------------------------------------------------------------- lesson 2: two readers, one vector


@pytest.mark.parametrize(("num_layers", "moves"), [(1, False), (2, True)])
def test_two_readers_4_one_layer_is_innocent(num_layers, moves):
    torch.manual_seed(0)
    lstm = nn.LSTM(3, 5, num_layers, bidirectional=True).requires_grad_(False)
    x = torch.randn(6, 3)
    changed = torch.cat([x[:-1], x[-1:] + 1])
    assert (not torch.equal(lstm(x)[0][0, :5], lstm(changed)[0][0, :5])) == moves


def test_two_readers_5_a_sum_cannot_tell_equal_from_different():
    """f(0) + g(0) + f(1) + g(1) is the sum of the two cases of A, and of the two of B."""
    for f, g in zip(torch.randn(50, 2), torch.randn(50, 2), strict=True):
        a, b = (f[0] + g[0], f[1] + g[1]), (f[0] + g[1], f[1] + g[0])
        assert not (min(a) > 0 > max(b))


def test_two_readers_6_the_mix_by_hand():
    layers = torch.tensor([[2.0, 0], [0, 4], [2, 2]])
    shares = torch.tensor([2.0, 1, 1]).log().softmax(0)
    torch.testing.assert_close(shares, torch.tensor([0.5, 0.25, 0.25]))
    torch.testing.assert_close(2 * shares @ layers, torch.tensor([3.0, 3.0]))


def test_two_readers_7_the_row_of_the_same_sense_comes_last_and_counting_says_otherwise(code):
    """The prose of the puzzle's answer, from the model's states; and what it says beside the measured claim."""
    texts = re.findall(r'"((?:\w+ ){4,}\w+)"', code("06_elmo/lesson_2_elmo", "FIRST = "))
    states = [elmo_layers(source("ELMo"), tuple(tokens(text)))[tokens(text).index("bank")] for text in texts]
    for layer in (1, 2):
        cosines = [torch.cosine_similarity(states[0][layer], other[layer], dim=0) for other in states[1:]]
        assert int(torch.stack(cosines).argmin()) == 1
    found = load("senses")
    facts = senses.facts(found)
    assert facts["words"] == 230
    assert facts["layer 2 minus averaged static"].low > 0
    assert facts["layer 2 minus MiniLM"].high < 0
    assert facts["layer 2 minus layer 1"].low < 0 < facts["layer 2 minus layer 1"].high


def test_two_readers_6_one_layer_tells_the_senses_apart_better():
    vectors = banks.layers()
    assert banks.same_sense(vectors, [0.0, 1.0, 0.0]) != banks.same_sense(vectors, [0.0, 0.0, 1.0])


def test_two_readers_8_what_the_learning_curves_say():
    found = load("elmo-labels")
    facts, curves = elmo_labels.facts(found), elmo_labels.curves(found)
    assert all(facts[f"worth {size}"].value > 9 for size in (10, 100, 1000))
    assert 0.9 < facts["gain 10000 characters and ELMo"].mean < 1.3
    steps = [facts[f"steps 1000 {beside}"].value for beside in ("characters and ELMo", "characters")]
    assert steps == [50, 600]
    for size in (10, 100, 1000):
        lead, of_spelling = (facts[f"gain {size} characters and {what}"].mean for what in ("ELMo", "spelling"))
        assert of_spelling > 0.8 * lead
    context = [facts[f"{size} ELMo minus spelling"] for size in (10, 100, 1000, 10000)]
    assert [each.low > 0 for each in context] == [False, True, True, True]
    assert max(each.mean for each in context) < 1.2
    assert curves["characters and ELMo"][10].mean > curves["characters"][10].mean + 20
    assert max(curve[10000].mean for curve in curves.values()) - min(curve[10000].mean for curve in curves.values()) < 2
