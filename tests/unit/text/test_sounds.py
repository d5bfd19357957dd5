"""Letters and sounds as numbers, and words that cannot be read."""

import pytest

from qkv.text.sounds import END, START, SYMBOLS, UnreadableWordError, letter_ids, sound_ids, symbols, without_stress


def test_a_word_and_its_sounds_by_hand():
    assert letter_ids("'ab") == [3, 4, 5]
    assert sound_ids(("AA", "ZH")) == [START, 30, 68, END]
    assert len(SYMBOLS) == len(set(SYMBOLS)) == 69


def test_ids_read_back():
    assert symbols(letter_ids("o'clock")) == tuple("o'clock")
    assert symbols(sound_ids(("K", "AE", "T"))) == ("<start>", "K", "AE", "T", "<end>")


def test_stress_is_taken_away():
    assert without_stress("K ER1 N AH0 L") == ("K", "ER", "N", "AH", "L")


@pytest.mark.parametrize(
    ("spelling", "message"),
    [
        ("", "got an empty one"),
        ("naïve", "got 'naïve'; cannot read 'ï'"),
        ("Cat", "cannot read 'C'"),
        ("a b-c", "cannot read ' ', '-'"),
    ],
)
def test_words_that_cannot_be_read(spelling, message):
    with pytest.raises(UnreadableWordError, match=message):
        letter_ids(spelling)


@pytest.mark.parametrize("sound", ["AH0", "k", "<end>", "A"])
def test_only_sounds_without_stress(sound):
    with pytest.raises(ValueError, match=f"got '{sound}'"):
        sound_ids(["K", sound])
