"""Pronouncing with any Transformer, and the committed one at the command line."""

from dataclasses import replace

import pytest
import torch
from typer.testing import CliRunner

from qkv.__main__ import app
from qkv.models.transformer import PRESETS, Transformer
from qkv.pronounce import pronounce
from qkv.text.sounds import SOUNDS, SYMBOLS, UnreadableWordError


@pytest.fixture(scope="module")
def untrained() -> Transformer:
    torch.manual_seed(0)
    return Transformer(replace(PRESETS["smoke"], vocab_size=len(SYMBOLS))).eval()


def test_a_word_says_the_same_alone_and_among_longer_ones(untrained):
    spellings = ["cat", "o'clock", "pronunciation"]
    assert pronounce(untrained, spellings) == [pronounce(untrained, [each])[0] for each in spellings]


def test_words_that_cannot_be_read_name_the_word(untrained):
    with pytest.raises(UnreadableWordError, match="got 'naïve'; cannot read 'ï'"):
        pronounce(untrained, ["cat", "naïve"])
    with pytest.raises(UnreadableWordError, match=r"at most 32 letters, got 'a{33}': 33"):
        pronounce(untrained, ["a" * 33])


def test_the_committed_model_knows_common_words():
    said = pronounce(Transformer.from_pretrained("g2p"), ["cat", "phone", "attention"])
    assert said == [("K", "AE", "T"), ("F", "OW", "N"), ("AH", "T", "EH", "N", "SH", "AH", "N")]


def test_the_command_prints_one_line_per_word():
    answer = CliRunner().invoke(app, ["pronounce", "Cat", "transformer"])
    assert answer.exit_code == 0
    first, second = answer.output.splitlines()
    assert first == "Cat          K AE T"
    word, *sounds = second.split()
    assert word == "transformer"
    assert set(sounds) <= set(SOUNDS)


def test_the_command_says_what_it_cannot_read():
    answer = CliRunner().invoke(app, ["pronounce", "naïve"])
    assert answer.exit_code == 1
    assert "error: expected a word of a–z and apostrophe, got 'naïve'; cannot read 'ï'" in answer.output
