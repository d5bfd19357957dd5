"""What the figure "pronouncer" shows of a search, against the search itself and against arithmetic by hand."""

import math
import re

import pytest
import torch

from qkv.data import cmudict
from qkv.decoding.search import Limits
from qkv.decoding.search import beam as beam_search
from qkv.figures import beam_tree
from qkv.figures.beam_tree import Watched, opening, search_tree
from qkv.models.transformer import Transformer
from qkv.pronounce import pronounce
from qkv.text.sounds import END, START, symbols, without_stress

A, B = 3, 4  # two sounds; A looks better at first, but what follows it is a toss-up, and B surely ends
NEXT = {(START,): {A: 0.6, B: 0.4}, (START, A): {A: 0.25, B: 0.25, END: 0.5}}


class Table:
    """A ``NextToken`` that looks its answer up; beyond the table, the word ends."""

    def __call__(self, ids):
        """Log probabilities."""
        rows = [NEXT.get(tuple(row), {END: 1.0}) for row in ids.tolist()]
        return torch.tensor([[row.get(i, 0.0) for i in range(5)] for row in rows]).log()

    def select(self, rows):
        """Nothing to follow."""


def test_a_tree_by_hand():
    watched = Watched(Table())
    found = beam_search(watched, 1, Limits(START, END, 3), beam_size=2, alpha=0.0)[0]
    assert found[0].ids == [B]
    assert watched.open[:2] == [[(START,)], [(START, A), (START, B)]]
    assert watched.totals[START, A] == pytest.approx(math.log(0.6))
    assert watched.totals[START, A, B] == pytest.approx(math.log(0.15))


@pytest.fixture(scope="module")
def model():
    return Transformer.from_pretrained("g2p")


@pytest.mark.parametrize("word", ["cat", "photograph", "o'clock"])
def test_a_tree_holds_what_the_search_found_and_every_beginning_of_it(model, word):
    tree = search_tree(model, word)
    best = tree["found"][0]
    assert [symbols(best["ids"])] == pronounce(model, [word])
    for one in tree["found"]:
        for length in range(1, len(one["ids"]) + 1):
            assert one["ids"][:length] in [kept["ids"] for kept in tree["steps"][length - 1]["kept"]]
        looks = torch.tensor(one["looks"])
        assert looks.shape == (len(one["ids"]) + 1, len(word))
        torch.testing.assert_close(looks.sum(-1), torch.ones(len(looks)))


def test_kept_is_better_than_dropped_and_both_go_on_from_what_was_kept(model):
    steps = search_tree(model, "photograph")["steps"]
    for before, step in zip([{"kept": [{"ids": []}]}, *steps], steps, strict=False):
        totals = [one["total"] for one in step["kept"] + step["dropped"]]
        assert len(totals) == beam_tree.BEAM_SIZE + beam_tree.NUM_DROPPED
        assert totals == sorted(totals, reverse=True)
        parents = [one["ids"] for one in before["kept"]]
        assert all(one["ids"][:-1] in parents for one in step["kept"] + step["dropped"])


def test_the_opening_word_is_chosen_by_its_rule(model):
    """Of all test words up to it, by the alphabet, only this one is mended by beam search from its first sound on."""
    rows = [row for row in cmudict.read()["test"] if re.fullmatch("[a-z']+", row["word"])]
    rows = rows[: [row["word"] for row in rows].index(beam_tree.OPENING) + 1]
    words = [row["word"] for row in rows]
    assert words == sorted(words)
    greedy, beam = (pronounce(model, words, beam_size=size) for size in (1, beam_tree.BEAM_SIZE))
    mended = [
        row["word"]
        for row, one, other in zip(rows, greedy, beam, strict=True)
        if one[0] != other[0]
        and (said := set(map(without_stress, row["pronunciations"]))) & {other}
        and one not in said
    ]
    assert mended == [beam_tree.OPENING]


def test_surprise_the_winner_was_second_after_the_first_sound():
    tree = opening()
    first, second = tree["steps"][0]["kept"][:2]
    assert tree["found"][0]["ids"][:1] == second["ids"] != first["ids"]
    assert Transformer.from_pretrained("g2p").config.max_length == beam_tree.LONGEST
