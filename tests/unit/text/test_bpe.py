"""Byte-level BPE by hand: which pair is merged, where no merge reaches, and every text back byte for byte."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qkv.data import load
from qkv.text.bpe import ALPHABET, BPE, SMOLLM, apply, learn, merged, pieces

BYTES = {sign: i for i, sign in enumerate(ALPHABET)}
TINY = BPE(BYTES | {"th": 256, "the": 257, "Ġthe": 258, "<end>": 259}, [("t", "h"), ("th", "e"), ("Ġ", "the")])


def learned(counts: dict[str, int], num_merges: int) -> list[tuple[str, str]]:
    return learn(counts, dict(BYTES), len(BYTES) + num_merges)


def test_the_papers_example():
    """Sennrich et al. (2016), figure 1: low, lower, newest, widest; without their sign for the end of a word."""
    counts = {"low": 5, "lower": 2, "newest": 6, "widest": 3}
    assert learned(counts, 4) == [("e", "s"), ("es", "t"), ("l", "o"), ("lo", "w")]


def test_of_equally_frequent_pairs_the_lower_ids_come_first():
    assert learned({"cd": 2, "ab": 2, "ac": 2}, 3) == [("a", "b"), ("a", "c"), ("c", "d")]
    assert learned({"ab": 2, "xy": 3}, 2) == [("x", "y"), ("a", "b")]


def test_counts_follow_what_was_merged():
    """After a b has become one token, b c stands there once, not three times."""
    assert learned({"abc": 2, "bc": 1, "ab": 3}, 2) == [("a", "b"), ("ab", "c")]


def test_overlapping_pairs_are_merged_from_the_left():
    assert merged(["a", "a", "a"], ("a", "a")) == ["aa", "a"]
    assert merged(list("abab"), ("a", "b")) == ["ab", "ab"]
    assert learned({"aaa": 1}, 2) == [("a", "a"), ("aa", "a")]


def test_the_pair_learned_first_is_merged_first():
    ranks = {("b", "c"): 0, ("a", "b"): 1, ("a", "bc"): 2}
    assert apply(ranks, "abc") == ["abc"]
    assert apply({("b", "c"): 1, ("a", "b"): 0}, "abc") == ["ab", "c"]
    assert apply(ranks, "") == []


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("The cat's hat, we'll", ["The", "Ġcat", "'s", "Ġhat", ",", "Ġwe", "'ll"]),
        ("a  b\n\nc ", ["a", "Ġ", "Ġb", "Ċ", "Ċ", "c", "Ġ"]),
        ("x2 3.5", ["x", "2", "Ġ3", ".", "5"]),
        ("é", ["Ã©"]),
        ("", []),
    ],
)
def test_pieces_of_a_text(text, found):
    assert pieces(text) == found


def test_the_signs_are_those_of_gpt2():
    assert len(set(ALPHABET)) == 256
    assert (ALPHABET[0], ALPHABET[93], ALPHABET[187], ALPHABET[188], ALPHABET[-1]) == ("!", "~", "ÿ", "Ā", "Ń")


def test_there_and_back():
    assert TINY.tokens("the then theé") == ["the", "Ġthe", "n", "Ġthe", "Ã", "©"]
    assert TINY.encode("the the") == [257, 258]
    assert TINY.decode([258, 257]) == " thethe"
    assert (TINY.encode(""), TINY.decode([]), len(TINY)) == ([], "", 260)


def test_special_tokens_are_kept_whole_and_longer_ones_win():
    assert TINY.tokens("the<end>the <end") == ["the", "<end>", "the", "Ġ", "<", "e", "n", "d"]
    assert TINY.decode(TINY.encode("a<end>b")) == "a<end>b"
    both = BPE.train(["aa"], 259, special=("<s>", "<s>x"))
    assert both.tokens("<s>x<s>") == ["<s>x", "<s>"]
    assert (both.ids["<s>"], both.ids["!"], both.ids["aa"]) == (0, 2, 258)


def test_a_character_that_is_cut_is_marked():
    assert TINY.decode(TINY.encode("né")[:-1]) == "n\ufffd"


TRAINED = BPE.train(load("gutenberg")["test"][:20]["text"], 700, special=("<pad>", "<end>"))


@given(st.text(st.characters(exclude_categories=["Cs"]) | st.sampled_from(" \n\t'the<pad>"), max_size=60))
def test_any_text_comes_back(text):
    assert TRAINED.decode(TRAINED.encode(text)) == text
    assert len(TRAINED.encode(text)) <= len(text.encode())


def test_half_a_surrogate_pair_has_no_bytes():
    with pytest.raises(ValueError, match="surrogates not allowed"):
        TINY.encode("a\ud800")


def test_files_as_gpt2_has_them(tmp_path):
    TRAINED.save(tmp_path)
    again = BPE.load(tmp_path)
    assert (again.vocabulary, again.merges) == (TRAINED.vocabulary, TRAINED.merges)
    first, second, *_ = (tmp_path / "merges.txt").read_text(encoding="utf-8").splitlines()
    assert (first, second) == ("#version: 0.2", " ".join(TRAINED.merges[0]))
    assert json.loads((tmp_path / "vocab.json").read_text(encoding="utf-8"))["<pad>"] == 0


def test_a_merge_of_number_signs_is_not_read_as_a_heading(tmp_path):
    BPE.train(["## ## #version"], 257).save(tmp_path)
    assert BPE.load(tmp_path).merges == (("#", "#"),)


def test_a_vocabulary_without_some_bytes_reads_what_it_can():
    """As SmolLM2's, which lacks bytes that its training text never had."""
    few = BPE({"a": 0, "b": 1, "ab": 2}, [("a", "b")])
    assert few.encode("abba") == [2, 1, 0]
    for _ in range(2):  # a piece that was refused once is not remembered as read
        with pytest.raises(ValueError, match="no token for the byte 0xc3, got 'aÃ©'"):
            few.encode("aé")


def test_digits_alone():
    """SmolLM's way of cutting: a digit takes no space before it and no digit after it."""
    assert pieces("x2  34 ½ don't  we", SMOLLM) == [
        *("x", "2", "ĠĠ", "3", "4", "Ġ", "Â½", "Ġdon", "'t", "Ġ", "Ġwe"),
    ]
    assert pieces("x2  34 ½") == ["x", "2", "Ġ", "Ġ34", "ĠÂ½"]


def test_vocabularies_that_cannot_be():
    with pytest.raises(ValueError, match="expected every merged token, got none for 'ab'"):
        BPE(BYTES, [("a", "b")])
    with pytest.raises(ValueError, match="expected the ids 0 to 256, each once"):
        BPE(BYTES | {"ab": 300}, [("a", "b")])


@pytest.mark.parametrize(
    ("size", "message"), [(256, "more than the 256 to begin with, got 256"), (300, "at most 258 for this corpus")]
)
def test_sizes_that_cannot_be(size, message):
    with pytest.raises(ValueError, match=message):
        BPE.train(["abc"], size)


@pytest.mark.parametrize("wrong", [260, -1])
def test_ids_that_cannot_be(wrong):
    with pytest.raises(ValueError, match=f"expected ids from 0 to 259, got {wrong}"):
        TINY.decode([wrong])
