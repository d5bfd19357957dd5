"""The pronunciation recipe: its data, its idea of related words, and the whole of it at a size of seconds."""

from dataclasses import replace

import pytest
import torch

from qkv.pronounce import pronounce
from qkv.recipes import pronunciation
from qkv.recipes.pronunciation import PRESETS, Word, pack, related, stems, unpack, words
from qkv.recipes.protocol import judge
from qkv.recipes.result import Result
from qkv.scoring.edit_distance import Outcome
from qkv.text.sounds import LETTERS, SOUNDS, SYMBOLS

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


def test_one_word_of_four_is_wrong():
    items = [Outcome(0, 2), Outcome(2, 3), Outcome(0, 4), Outcome(0, 1)]
    assert pronunciation.wrong_words(items) == [0, 100, 0, 0]


def test_packing_keeps_every_number():
    numbers = [0, 1, 0, 255, 7] * 100
    assert unpack(pack(numbers)) == numbers
    assert len(pack(numbers)) < 60
    with pytest.raises(ValueError, match="256"):
        pack([256])


def test_train_choose_test_and_tell(tmp_path, monkeypatch):
    """The whole recipe at a size of seconds: what is stored gives effect and facts, on as many words as were tested."""
    monkeypatch.setattr(pronunciation, "runs_folder", lambda: tmp_path)
    values = {
        arm: {key: [value] for key, value in pronunciation.run(SMOKE, arm, 0).items()}
        for arm in pronunciation.arms(SMOKE)
    }
    (trials,) = values["Transformer"]["validation"]
    assert len(trials) == len(SMOKE.averaged) * len(SMOKE.beams) == 4
    assert trials[values["Transformer"]["chosen"][0]] == min(trials.values())
    differences = pronunciation.differences({}, values)
    expected = values["letters in context"]["WER"][0] - values["Transformer"]["WER"][0]
    assert sum(differences) / len(differences) == pytest.approx(expected)
    effect, verdict = judge(pronunciation, {}, values)
    found = Result("", "", {}, [0], values, effect, verdict, 1, {}, "")
    values["Transformer"]["related"] = [pack([1] * 10 + [0] * 54)]
    facts = pronunciation.facts(found)
    assert (facts["words"], facts["words without relatives"]) == (64, 54)
    assert facts["WER packaged GRU"].mean == pytest.approx(values["packaged GRU"]["WER"][0])
    assert facts["PER packaged GRU"].mean < facts["PER Transformer"].mean


def test_what_is_tested_has_half_precision(tmp_path):
    pronunciation.fit(SMOKE, tmp_path)
    model = pronunciation.published(SMOKE, tmp_path, 1)
    assert all(torch.equal(weight, weight.half().float()) for weight in model.state_dict().values())


def test_too_few_checkpoints_to_average(tmp_path):
    with pytest.raises(ValueError, match="at least 3 checkpoints to average, found 0"):
        pronunciation.published(SMOKE, tmp_path, 3)


def test_a_few_words_are_learnt_by_heart(tmp_path):
    """Eight words, the batch of every step: in the end greedy search says them all as the dictionary does."""
    model_config = replace(SMOKE.model, d_model=32, d_ff=64, dropout=0.0, norm="pre")
    settings = replace(SMOKE.settings, num_steps=150, peak_lr=5e-3, checkpoint_every=150)
    config = replace(SMOKE, model=model_config, settings=settings, warmup_steps=10, decay_steps=50, num_words=8)
    pronunciation.fit(config, tmp_path)
    learnt = pronunciation.splits(config)["train"]
    model = pronunciation.published(config, tmp_path, 1)
    said = pronounce(model, [each.spelling for each in learnt], beam_size=1)
    assert said == [each.pronunciations[0] for each in learnt]
