"""Parts of speech from WordNet's own index."""

import pytest

from qkv.data.wordnet import hypernyms, only_part_of_speech, parts_of_speech


@pytest.mark.parametrize(
    ("word", "kinds"),
    [("cat", {"noun", "verb"}), ("table", {"noun", "verb"}), ("happiness", {"noun"}), ("slowly", {"adverb"})],
)
def test_words_and_their_parts_of_speech(word, kinds):
    assert parts_of_speech()[word] == kinds


def test_one_or_none():
    assert only_part_of_speech("Happiness") == "noun"
    assert only_part_of_speech("cat") is None  # also a verb
    assert only_part_of_speech("the") is None  # a word of grammar
    assert only_part_of_speech("decide") == "verb"


def test_every_entry_is_read_and_no_line_of_the_licence():
    assert len(parts_of_speech()) == 147_306  # lemmas of WordNet 3.0, each counted once
    assert not any(word.startswith(" ") or not word for word in parts_of_speech())


def test_what_stands_above_a_noun():
    robin = hypernyms()["robin"]
    assert {"thrush", "bird", "animal", "vertebrate"} <= robin[0]
    assert "robin" not in robin[0]
    assert "plant" not in robin[0]
    assert not any("animal" in sense for sense in hypernyms()["chair"][:1])


def test_each_sense_has_its_own_ancestors_in_the_order_of_the_index():
    bank = hypernyms()["bank"]
    assert "slope" in bank[0]  # sloping land, the first sense of WordNet 3.0
    assert "institution" in bank[1]
    assert "institution" not in bank[0]
