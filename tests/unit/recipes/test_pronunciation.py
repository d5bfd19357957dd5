"""The pronunciation recipe: its data, its idea of related words, and the whole of it at a size of seconds."""

from dataclasses import replace

import pytest
import torch

from qkv.models.transformer import Transformer
from qkv.recipes import pronunciation
from qkv.recipes.pronunciation import LETTERS, PRESETS, SOUNDS, SYMBOLS, Word, pronounce, related, stems, words
from qkv.scoring.edit_distance import Outcome

SMOKE = PRESETS["smoke"]


def word(spelling: str) -> Word:
    return Word(spelling, (("AH",),))


@pytest.fixture(scope="module")
def all_words() -> dict[str, list[Word]]:
    return pronunciation.splits(replace(SMOKE, num_words=None))


def test_stress_goes_and_what_differs_in_stress_only_becomes_one():
    rows = [{"word": "read", "pronunciations": ["R EH1 D", "R IY1 D", "R EH0 D"]}]
    assert words(rows) == [Word("read", (("R", "EH", "D"), ("R", "IY", "D")))]


def test_words_with_other_characters_are_left_out():
    rows = [{"word": spelling, "pronunciations": ["AH0"]} for spelling in ("a.", "b-c", "it's", "été")]
    assert [each.spelling for each in words(rows)] == ["it's"]


def test_a_pair_reads_back(all_words):
    for each in all_words["validation"][::500]:
        source, target = each.pair()
        assert "".join(SYMBOLS[i] for i in source) == each.spelling
        assert [SYMBOLS[i] for i in target] == ["<start>", *each.pronunciations[0], "<end>"]


def test_sizes_and_vocabulary_are_those_the_text_tells(all_words):
    assert {name: len(found) for name, found in all_words.items()} == {
        "train": 109281,
        "validation": 4998,
        "test": 10647,
    }
    assert (len(LETTERS), len(SOUNDS)) == (27, 39)
    config = PRESETS["full"].model
    assert config.vocab_size == len(SYMBOLS) == 69
    longest = max(len(each) for found in all_words.values() for one in found for each in one.pair())
    assert longest <= config.max_length
    assert {sound for found in all_words.values() for one in found for p in one.pronunciations for sound in p} == set(
        SOUNDS
    )


def test_no_word_is_in_two_splits(all_words):
    spellings = [each.spelling for found in all_words.values() for each in found]
    assert len(spellings) == len(set(spellings))


@pytest.mark.parametrize(
    ("first", "second"),
    [("walked", "walk"), ("making", "makes"), ("tries", "try"), ("dogs'", "dog's"), ("movers", "move"), ("bed", "bed")],
)
def test_relatives(first, second):
    assert related([word(first)], [word(second)]) == [True]


@pytest.mark.parametrize(("first", "second"), [("bran", "brand"), ("as", "a"), ("red", "ring"), ("cat", "dog")])
def test_strangers(first, second):
    assert related([word(first)], [word(second)]) == [False]


def test_stems_by_hand():
    assert stems("moved") == {"moved", "mov", "move"}


@pytest.mark.parametrize(
    ("spelling", "message"),
    [("", "got ''"), ("naïve", "got 'naïve', where 'ï' cannot be read"), ("Cat", "where 'C' cannot be read")],
)
def test_words_that_cannot_be_read(spelling, message):
    with pytest.raises(ValueError, match=message):
        pronounce(Transformer(SMOKE.model), ["cat", spelling])


def test_a_word_says_the_same_alone_and_among_longer_ones():
    torch.manual_seed(0)
    model = Transformer(replace(SMOKE.model, dropout=0.0)).eval()
    spellings = ["cat", "o'clock", "pronunciation"]
    assert pronounce(model, spellings) == [pronounce(model, [each])[0] for each in spellings]


def test_rates_by_hand():
    """One word of four wrong, two edits in ten sounds."""
    items = [Outcome(0, 2), Outcome(2, 3), Outcome(0, 4), Outcome(0, 1)]
    found = pronunciation.rates(items)
    assert (found["words"], found["WER"]["mean"], found["PER"]) == (4, 25.0, 20.0)
    assert found["WER"]["low"] < 25 < found["WER"]["high"]


def test_train_choose_and_test(tmp_path):
    history = pronunciation.fit(SMOKE, tmp_path)
    assert [record["step"] for record in history if "validation_loss" in record] == [3, 6]
    report = pronunciation.evaluate(SMOKE, tmp_path)
    assert len(report["validation"]) == 4
    best = min(found["WER"]["mean"] for found in report["validation"].values())
    chosen = "averaged {averaged}, beam {beam}, alpha {alpha}".format(**report["chosen"])
    assert report["validation"][chosen]["WER"]["mean"] == best
    assert report["test"]["words"] == 64 >= report["test without relatives"]["words"]


def test_too_few_checkpoints_to_average(tmp_path):
    with pytest.raises(ValueError, match="at least 3 checkpoints to average, found 0"):
        pronunciation.averaged(SMOKE, tmp_path, 3)


def test_a_few_words_are_learnt_by_heart(tmp_path):
    """Eight words, the batch of every step: in the end greedy search says them all as the dictionary does."""
    model_config = replace(SMOKE.model, d_model=32, d_ff=64, dropout=0.0, norm="pre")
    settings = replace(SMOKE.settings, num_steps=150, peak_lr=5e-3, checkpoint_every=150)
    config = replace(SMOKE, model=model_config, settings=settings, warmup_steps=10, decay_steps=50, num_words=8)
    pronunciation.fit(config, tmp_path)
    learnt = pronunciation.splits(config)["train"]
    model = pronunciation.averaged(config, tmp_path, 1)
    said = pronounce(model, [each.spelling for each in learnt], beam_size=1)
    assert said == [each.pronunciations[0] for each in learnt]
