"""The two systems that the pronunciation model is compared with."""

import pytest

from qkv.recipes.pronunciation_baselines import LetterToSound, PackagedGRU, best_chunks, contexts

ONE = [1.0, 0.0, 1.0]


def test_contexts_from_wide_to_narrow():
    assert next(iter(contexts("ab"))) == ["4:####ab###", "3:###ab##", "2:##ab#", "1:#ab", "0:a"]
    assert [context[-1] for context in contexts("box")] == ["0:b", "0:o", "0:x"]


def test_letters_share_out_the_sounds():
    """Four letters, three sounds: one letter stays silent; after learning that e is silent, it is the e."""
    costs = {"e": {(): 0.0, ("EH",): 3.0}}
    assert best_chunks("cake", ("K", "EY", "K"), costs, [4.0, 1.0, 4.0]) == [("K",), ("EY",), ("K",), ()]
    assert best_chunks("x", ("K", "S"), {}, ONE) == [("K", "S")]
    assert best_chunks("x", ("K", "S", "S"), {}, ONE) is None


def test_the_widest_context_decides():
    """A final e is silent, and c before e is soft, though c alone is hard more often."""
    pairs = [("cat", ("K", "AE", "T")), ("cot", ("K", "AA", "T")), ("cut", ("K", "AH", "T")), ("ace", ("EY", "S"))]
    table = LetterToSound(pairs)
    assert table.pronounce("ace") == ("EY", "S")
    assert table.pronounce("tat") == ("T", "AE", "T")
    assert table.pronounce("c") == ("K",)


def test_a_letter_that_was_never_seen_is_silent():
    assert LetterToSound([("a", ("AH",))]).pronounce("bab") == ("AH",)


@pytest.fixture(scope="module")
def network() -> PackagedGRU:
    return PackagedGRU()


def test_the_network_says_what_its_authors_print(network):
    assert network.pronounce("transformer") == ("T", "R", "AE", "N", "S", "F", "AO", "R", "M", "ER")


def test_the_network_has_the_published_size_and_one_symbol_per_score(network):
    assert sum(parameter.numel() for parameter in network.parameters()) == 834_890
    assert len(network.symbols) == network.scores.out_features == 74
    assert len(network.LETTER_SYMBOLS) == network.letters.num_embeddings


def test_an_unknown_letter_is_read_as_unknown(network):
    assert network.pronounce("it's")
