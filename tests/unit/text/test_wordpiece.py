"""Cutting words and learning pieces by hand, what is lost on the way back, and vocabularies that cannot be."""

import math
import random
from collections import Counter
from itertools import pairwise

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from qkv import assets
from qkv.text.wordpiece import (
    SPECIAL,
    WordPiece,
    association,
    characters,
    cut,
    frequency,
    joined,
    learn,
    likelihood_gain,
    words,
)

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


# Learning ------------------------------------------------------------------------------------------------------------

COUNTS = {"low": 5, "lower": 2, "newest": 6, "widest": 3}  # the words of Sennrich et al. (2016), section 3.2
SCORES = (association, likelihood_gain, frequency)


def learned(counts: dict[str, int], num_merges: int, score=association) -> list[str]:
    vocabulary = alphabet(counts)
    return [joined(*pair) for pair in learn(counts, vocabulary, len(vocabulary) + num_merges, score)]


def alphabet(counts) -> dict[str, int]:
    pieces = {piece for word in counts for piece in characters(word)}
    return {piece: i for i, piece in enumerate(sorted(pieces, key=lambda piece: (piece.startswith("##"), piece)))}


def test_scores_by_hand():
    """Of 79 characters ##s and ##t stand 9 times each, always together; w 3 times, ##e 17 times."""
    assert association(9, 9, 9, 79) == 1 / 9
    assert association(3, 3, 3, 79) == 1 / 3
    assert association(9, 17, 9, 79) == 1 / 17
    assert likelihood_gain(9, 9, 9, 79) == pytest.approx(9 * math.log(79 / 9))
    assert frequency(9, 17, 9, 79) == 9


def test_what_is_best_depends_on_the_score():
    """Rare w ##i and ##i ##d for the one, ##s ##t for the likelihood; ##e ##s is as frequent, and older."""
    assert learned(COUNTS, 3) == ["wi", "wid", "lo"]
    assert learned(COUNTS, 2, likelihood_gain) == ["##st", "lo"]
    assert learned(COUNTS, 2, frequency) == ["##es", "##est"]


def test_words_count_as_often_as_they_stand_there():
    """As types each pair stands there once; as tokens the five of ab win."""
    assert learned({"cd": 1, "ab": 5}, 1, frequency) == ["ab"]
    assert learned({"ab": 1, "cd": 5}, 1, likelihood_gain) == ["cd"]
    assert WordPiece.train(["ab cd cd"], 10, frequency).vocabulary[-1] == "cd"


def test_of_equal_scores_the_older_piece_comes_first():
    assert learned({"cd": 2, "ab": 2, "ac": 2}, 3, frequency) == ["ab", "ac", "cd"]
    assert learned({"xaa": 1, "yaa": 1}, 2, frequency) == ["##aa", "xaa"]


def test_the_mark_is_written_once():
    assert joined("##d", "##ing") == "##ding"
    assert joined("b", "##ed") == "bed"
    assert characters("cat") == ["c", "##a", "##t"]
    assert characters("") == []


def test_pieces_that_meet_themselves():
    assert learned({"aaaa": 1}, 2, frequency) == ["##aa", "aaa"]


def by_the_book(counts: dict[str, int], num_merges: int, score) -> list[str]:
    """The same, everything counted again before each merge."""
    vocabulary, found = alphabet(counts), []
    cuts = {word: characters(word) for word in counts}
    while len(found) < num_merges:
        tokens, pairs = Counter(), Counter()
        for word, times in counts.items():
            tokens.update({token: times * n for token, n in Counter(cuts[word]).items()})
            pairs.update({pair: times * n for pair, n in Counter(pairwise(cuts[word])).items()})
        if not pairs:
            break
        worth = {pair: score(times, tokens[pair[0]], tokens[pair[1]], tokens.total()) for pair, times in pairs.items()}
        best = min(pairs, key=lambda pair: (-worth[pair], vocabulary[pair[0]], vocabulary[pair[1]]))
        found.append(joined(*best))
        vocabulary.setdefault(found[-1], len(vocabulary))
        for word, cut_so_far in cuts.items():
            cuts[word] = by_hand(cut_so_far, best)
    return found


def by_hand(tokens: list[str], pair: tuple[str, str]) -> list[str]:
    for i in range(len(tokens) - 1):
        if (tokens[i], tokens[i + 1]) == pair:
            return [*tokens[:i], joined(*pair), *by_hand(tokens[i + 2 :], pair)]
    return tokens


WORDS = st.dictionaries(st.text("abc", min_size=1, max_size=7), st.integers(1, 9), min_size=1, max_size=9)


@settings(deadline=None, max_examples=60)
@given(WORDS, st.sampled_from(SCORES), st.randoms(use_true_random=False))
def test_counts_kept_up_to_date_are_counts(counts, score, chance: random.Random):
    """Whatever the order of the words: the same merges as when everything is counted again before each."""
    expected = by_the_book(counts, 12, score)
    shuffled = list(counts.items())
    chance.shuffle(shuffled)
    vocabulary = alphabet(counts)
    size = len({*vocabulary, *expected})
    merges = learn(dict(shuffled), vocabulary, size, score)
    assert [joined(*pair) for pair in merges] == expected[: len(merges)]
    assert len(vocabulary) == size


TEXTS = st.lists(st.text("abcé #[]'\n", max_size=30), min_size=1, max_size=6)


@settings(deadline=None, max_examples=60)
@given(TEXTS, st.sampled_from(SCORES), st.integers(0, 8))
def test_what_was_learnt_from_can_be_written(texts, score, num_merges):
    """Every word of the corpus has pieces, and they come back; the pieces differ."""
    counts = Counter(word for text in texts for word in words(text))
    found = by_the_book(counts, num_merges, score)
    fewest = len({*SPECIAL, *alphabet(counts)})
    size = len({*SPECIAL, *alphabet(counts), *found})
    assume(size > fewest)
    trained = WordPiece.train(texts, size, score)
    assert trained.vocabulary[:5] == SPECIAL
    assert len(trained) == len(set(trained.vocabulary)) == size
    assert set(found) <= set(trained.vocabulary)
    for text in texts:
        assert "[UNK]" not in trained.tokens(text)
        assert trained.decode(trained.encode(text)) == " ".join(words(text))


def test_number_signs_end():
    """# is a word of its own, so no piece can be mistaken for the mark."""
    trained = WordPiece.train(["##a #a a## a#a ### ab ab"], 9)
    assert trained.vocabulary[5:] == ("#", "a", "##b", "ab")
    assert trained.tokens("##a") == ["#", "#", "a"]


def test_special_tokens_in_the_corpus_do_not_count():
    trained = WordPiece.train(["ab [MASK] ab[SEP]"], 8)
    assert trained.vocabulary == (*SPECIAL, "a", "##b", "ab")


def test_words_that_would_be_unknown_do_not_count():
    trained = WordPiece.train(["x" * 101 + " ab"], 8)
    assert trained.vocabulary == (*SPECIAL, "a", "##b", "ab")


@pytest.mark.parametrize(
    ("size", "message"), [(7, "more than the 7 to begin with, got 7"), (9, "at most 8 for this corpus, got 9")]
)
def test_sizes_that_cannot_be(size, message):
    with pytest.raises(ValueError, match=message):
        WordPiece.train(["ab"], size)


def test_the_file_is_that_of_bert(tmp_path, monkeypatch):
    trained = WordPiece.train(["the cat sat on the mat"], 24)
    trained.save(tmp_path)
    assert (tmp_path / "vocab.txt").read_text(encoding="utf-8").split("\n")[:6] == [*SPECIAL, "c"]
    assert WordPiece.load(tmp_path).vocabulary == trained.vocabulary
    monkeypatch.setattr(assets, "tokenizer", lambda name, file: {("mats", "vocab.txt"): tmp_path}[name, file])
    assert WordPiece.from_pretrained("mats").vocabulary == trained.vocabulary


def test_no_such_pieces():
    with pytest.raises(assets.AssetError, match="no tokenizer 'mats'"):
        WordPiece.from_pretrained("mats")
