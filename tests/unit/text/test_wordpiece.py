"""Cutting words by hand, what is lost on the way back, and vocabularies that cannot be."""

import pytest

from qkv.text.wordpiece import WordPiece, cut, words

TINY = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "un", "##aff", "##able", "##a", "##b", "aff", "a", ",")


def test_the_longest_piece_first():
    """The paper's example: un, aff, able."""
    assert cut("unaffable", TINY) == ["un", "##aff", "##able"]
    assert cut("aff", TINY) == ["aff"]
    assert cut("ab", TINY) == ["a", "##b"]


def test_one_missing_piece_makes_the_whole_word_unknown():
    assert cut("unaffx", TINY) == ["[UNK]"]
    assert cut("", TINY) == []


def test_words_of_more_than_a_hundred_characters_are_unknown():
    assert cut("a" * 100, TINY) == ["a"] + ["##a"] * 99
    assert cut("a" * 101, TINY) == ["[UNK]"]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Café, naïve?", ["cafe", ",", "naive", "?"]),
        ("don't", ["don", "'", "t"]),
        ("a\tb\nc\u00a0d", ["a", "b", "c", "d"]),
        ("a\u200bb\x07c\x00d", ["abcd"]),
        ("東京 tower", ["東", "京", "tower"]),
        ("ΟΔΟΣ", ["οδοσ"]),
        ("", []),
    ],
)
def test_words_of_a_text(text, found):
    assert words(text) == found


def test_there_and_back():
    tiny = WordPiece(TINY)
    assert tiny.tokens("Unaffable, AFF [MASK]x") == ["un", "##aff", "##able", ",", "aff", "[MASK]", "[UNK]"]
    assert tiny.encode("unaffable, aff") == [5, 6, 7, 12, 10]
    assert tiny.decode([5, 6, 7, 12, 10]) == "unaffable , aff"
    assert tiny.encode("") == []
    assert tiny.decode([]) == ""


def test_special_tokens_are_kept_only_as_written():
    assert WordPiece(TINY).tokens("[mask] [CLS][SEP]") == ["[UNK]", "[UNK]", "[UNK]", "[CLS]", "[SEP]"]


@pytest.mark.parametrize(
    ("vocabulary", "message"), [(("a", "b"), r"got no \[UNK\]"), (("[UNK]", "b", "a", "b"), "got 'b' twice")]
)
def test_vocabularies_that_cannot_be(vocabulary, message):
    with pytest.raises(ValueError, match=message):
        WordPiece(vocabulary)


@pytest.mark.parametrize("wrong", [13, -1])
def test_ids_that_cannot_be(wrong):
    with pytest.raises(ValueError, match=f"expected ids from 0 to 12, got {wrong}"):
        WordPiece(TINY).decode([5, wrong])


def test_a_sentence_with_the_real_vocabulary():
    real = WordPiece.from_pretrained("minilm")
    assert real.tokens("Embeddings of the cat.") == ["em", "##bed", "##ding", "##s", "of", "the", "cat", "."]
    assert real.decode(real.encode("The cat left.")) == "the cat left ."
