"""Probes by hand: what a straight cut finds, pieces and words, pointing, and the rules for arcs."""

import pytest
import torch

from qkv.inspection.probes import best_offset, between_words, determiners, linear_probe, objects, pointing


def test_a_straight_cut_finds_what_is_there_and_nothing_else():
    generator = torch.Generator().manual_seed(0)
    states = torch.randn(400, 5, generator=generator)
    there, absent = (states[:, 2] > 0).long(), torch.randint(2, (400,), generator=generator)
    assert linear_probe(states[:300], there[:300], states[300:], there[300:]) > 0.95
    assert linear_probe(states[:300], absent[:300], states[300:], absent[300:]) < 0.65


def test_from_pieces_to_words_by_hand():
    """[CLS] em ##bed cat [SEP]: what is read of a word adds up, what its pieces read is averaged."""
    weights = torch.tensor(
        [
            [1.0, 0.0, 0.0, 0.0, 0.0],
            [0.1, 0.2, 0.3, 0.4, 0.0],
            [0.5, 0.0, 0.1, 0.2, 0.2],
            [0.0, 0.25, 0.25, 0.5, 0.0],
            [1.0, 0.0, 0.0, 0.0, 0.0],
        ]
    )
    expected = torch.tensor([[(0.5 + 0.1) / 2, (0.4 + 0.2) / 2], [0.5, 0.5]])
    assert torch.allclose(between_words(weights, [1, 3], 4), expected)
    assert between_words(weights.expand(6, 12, 5, 5), [1, 3], 4).shape == (6, 12, 2, 2)


@pytest.mark.parametrize(("places", "end"), [([1, 1], 3), ([2, 1], 3), ([1, 3], 3), ([1, 2], 6)])
def test_places_that_cannot_be(places, end):
    with pytest.raises(ValueError, match="expected growing places up to 5"):
        between_words(torch.eye(5), places, end)


def test_pointing_leaves_the_word_itself_out():
    weights = torch.tensor([[0.9, 0.08, 0.02], [0.2, 0.5, 0.3], [0.6, 0.3, 0.1]])[None, None]
    arcs = [(0, 1), (1, 2), (2, 1)]
    assert pointing([weights], [arcs]).tolist() == [[pytest.approx(2 / 3)]]
    with pytest.raises(ValueError, match="at least one arc"):
        pointing([weights], [[]])


def test_the_best_blind_rule():
    assert best_offset([[(0, 1), (4, 6)], [(2, 3), (5, 3)]]) == (1, 0.5)
    with pytest.raises(ValueError, match="at least one arc"):
        best_offset([[], []])


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        ("DET ADJ NOUN NOUN VERB", [(0, 3)]),
        ("DET NOUN ADP DET NOUN", [(0, 1), (3, 4)]),
        ("DET NOUN DET NOUN", [(0, 1), (2, 3)]),
        ("DET DET NOUN", [(0, 2), (1, 2)]),
        ("DET VERB NOUN", []),
    ],
)
def test_determiners_and_their_nouns(tags, expected):
    assert determiners(tags.split()) == expected


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        ("PRON VERB DET NOUN", [(3, 1)]),
        ("PRON VERB ADP DET NOUN", []),
        ("VERB VERB NUM NOUN .", [(3, 1)]),
        ("PRON VERB .", []),
    ],
)
def test_objects_and_their_verbs(tags, expected):
    assert objects(tags.split()) == expected
