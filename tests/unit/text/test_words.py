"""Running text as sentences of words, words as ids, and a word as the ids of its characters."""

import pytest

from qkv.data import load
from qkv.text.words import (
    MAX_CHARACTERS,
    NUM_CHARACTERS,
    PADDING,
    WordVocabulary,
    character_ids,
    sentences,
    spell,
    tokens,
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Don't go, Mr. Fox--it's 5!", ["Don't", "go", ",", "Mr.", "Fox", "--", "it's", "5", "!"]),
        ("to-day... 1,234.5", ["to", "-", "day", "...", "1,234.5"]),
        ('"Café," _he_ said', ['"', "Café", ",", '"', "_", "he", "_", "said"]),
        ("Mister. St Drake. <s>", ["Mister", ".", "St", "Drake", ".", "<", "s", ">"]),
        (" \n ", []),
    ],
)
def test_tokens_by_hand(text, expected):
    assert tokens(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("One two. Three!", ["One two .", "Three !"]),
        ('"What!" said he. "No."', ['" What ! " said he .', '" No . "']),
        ("Mr. Fox came. So?!\n\nNo stop\n\n", ["Mr. Fox came .", "So ? !", "No stop"]),
        ("He (and she.) Then", ["He ( and she . )", "Then"]),
        ("...", ["..."]),
    ],
)
def test_sentences_by_hand(text, expected):
    assert [" ".join(each) for each in sentences(text)] == expected


def test_sentences_keep_every_token_of_a_book():
    texts = load("gutenberg")["validation"]["text"]
    for text in texts:
        found = list(sentences(text))
        assert [token for sentence in found for token in sentence] == tokens(text)
        assert all(found)


def test_the_most_frequent_words_and_a_before_b():
    vocabulary = WordVocabulary.train(["b", "b", "c", "a", "a", "d"], 6)
    assert vocabulary.words == ("<unk>", "<s>", "</s>", "a", "b", "c")
    assert vocabulary.encode(["<s>", "c", "d", "a", "</s>"]) == [1, 5, 0, 3, 2]
    assert vocabulary.decode([1, 5, 0, 3, 2]) == ["<s>", "c", "<unk>", "a", "</s>"]
    assert len(vocabulary) == 6


@pytest.mark.parametrize("size", [3, 8])
def test_a_size_that_no_vocabulary_can_have(size):
    with pytest.raises(ValueError, match=f"expected from 4 to 7 for this text, got {size}"):
        WordVocabulary.train(["b", "b", "c", "a", "a", "d"], size)


@pytest.mark.parametrize("words", [["a", "b", "a"], ["a", "<s>"]], ids=str)
def test_a_word_twice(words):
    with pytest.raises(ValueError, match=f"got '{words[-1]}' twice"):
        WordVocabulary(words)


@pytest.mark.parametrize("wrong", [-1, 4])
def test_ids_outside_the_vocabulary(wrong):
    with pytest.raises(ValueError, match=f"from 0 to 3, got {wrong}"):
        WordVocabulary(["a"]).decode([3, wrong])


def test_a_word_spelled_by_hand():
    """The byte of c is 99 and bytes start at 5; begin and end of a word are 1 and 2."""
    assert character_ids("cat") == [1, 104, 102, 121, 2]
    assert character_ids("<s>") == [1, 3, 2]
    assert character_ids("</s>") == [1, 4, 2]
    assert character_ids("é") == [1, 5 + 0xC3, 5 + 0xA9, 2]


def test_a_long_word_keeps_its_begin_and_end():
    assert character_ids("cats", max_characters=4) == [1, 104, 102, 2]
    assert len(character_ids("x" * 999)) == MAX_CHARACTERS
    assert len(character_ids("x" * (MAX_CHARACTERS - 2))) == MAX_CHARACTERS


def test_all_ids_are_below_their_number_and_none_is_padding():
    ids = {i for word in [*map(chr, range(0x800)), "<s>", "</s>", "\U0010ffff"] for i in character_ids(word)}
    assert max(ids) < NUM_CHARACTERS
    assert PADDING not in ids


@pytest.mark.parametrize(
    ("word", "limit", "message"),
    [
        ("", 50, "got an empty one"),
        ("a", 2, "expected at least 3, one between two marks, got 2"),
        ("\ud800", 50, "utf-8"),
    ],
)
def test_words_that_cannot_be_spelled(word, limit, message):
    with pytest.raises(ValueError, match=message):
        character_ids(word, limit)


def test_sentences_in_a_box_by_hand():
    """Two sentences, at most two words, at most four characters with their marks."""
    empty = [0, 0, 0, 0]
    assert spell([["a"], ["<s>", "ab"]]) == [[[1, 102, 2, 0], empty], [[1, 3, 2, 0], [1, 102, 103, 2]]]
    assert spell([["abcd"]], max_characters=3) == [[[1, 102, 2]]]


@pytest.mark.parametrize("sentences", [[], [["a"], []]], ids=str)
def test_nothing_to_spell(sentences):
    with pytest.raises(ValueError, match="at least one word, got lengths"):
        spell(sentences)
