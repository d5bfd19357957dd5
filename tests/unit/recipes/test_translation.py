"""The translation recipe: its baselines by hand, its rule for examples, and the whole of it at a size of seconds."""

import json
from collections.abc import Iterator
from dataclasses import replace

import pytest
import torch

from qkv import assets
from qkv.models.transformer import Transformer
from qkv.recipes import translation
from qkv.recipes.protocol import judge
from qkv.recipes.result import Result
from qkv.recipes.translation import PRESETS, examples, pairs, tokenizer
from qkv.recipes.translation_baselines import NearestVerse, WordByWord
from qkv.translate import END, START, pretrained

SMOKE = PRESETS["smoke"]
LEARNT = [
    ("the house", "la maison"),
    ("the book", "le livre"),
    ("a book", "un livre"),
    ("the house , the door", "la maison , la porte"),
]


def test_the_dictionary_by_hand():
    """The textbook example of model 1: "book" stands beside "livre" twice, so "le" and "un" are left for the rest."""
    model = WordByWord(LEARNT)
    assert {word: model.dictionary[word] for word in ("book", "a", ",")} == {
        "book": "livre",
        "a": "un",
        ",": ",",
    }
    assert model.translate("a book, Ruth.") == "un livre, Ruth."


def test_one_round_counts_each_possible_source_alike():
    """The words a and b each take half of x and y; b also takes all of z."""
    model = WordByWord([("a b", "x y"), ("b", "z")], num_rounds=1)
    assert model.dictionary == {"a": "x", "b": "z"}


def test_the_nearest_verse_shares_the_rare_word():
    model = NearestVerse([("the king of Tyre", "roi"), ("the man of the town", "homme"), ("a sheep", "mouton")])
    assert model.translate(["the sons of the king", "in the town"]) == ["roi", "homme"]


def test_both_tasks_have_the_sizes_of_the_card():
    config = replace(SMOKE, num_verses=None)
    for task, (source, target) in translation.COLUMNS.items():
        found = pairs(config, task)
        assert {split: len(verses) for split, verses in found.items()} == {
            "train": 13234,
            "validation": 791,
            "test": 970,
        }
        row = translation._verses()["test"][7]
        assert found["test"][7] == (row[source], row[target])


def test_a_pair_reads_back():
    verses = pairs(SMOKE, "french")["train"]
    for (source, target), (source_ids, target_ids) in zip(verses, translation.encoded(SMOKE, verses), strict=True):
        assert tokenizer(SMOKE).decode(source_ids) == source
        assert (target_ids[0], target_ids[-1]) == (START, END)
        assert tokenizer(SMOKE).decode(target_ids[1:-1]) == target


def test_two_models_are_at_most_five_megabytes_in_half_precision():
    numbers = sum(weight.numel() for weight in Transformer(PRESETS["full"].model).parameters())
    assert 2 * 2 * numbers < 5e6


def test_examples_are_the_best_and_the_worst_of_the_longer_verses():
    rows = translation._verses()["test"][: SMOKE.num_verses]
    answers = [row["french"] if i % 2 else "" for i, row in enumerate(rows)]
    found = examples(SMOKE, "french", answers)
    assert [each[0] for each in found["good"]] == [100.0] * 5
    assert [each[0] for each in found["bad"]] == [0.0] * 5
    short = {row["verse"] for row in rows if len(row["basic"].split()) < 7}
    assert not short & {each[1] for listed in found.values() for each in listed}


@pytest.fixture(scope="module")
def measured(tmp_path_factory) -> Iterator[Result]:
    """The whole recipe at a size of seconds; its checkpoints are kept as long as the result is used."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(translation, "runs_folder", lambda: folder)
        folder = tmp_path_factory.mktemp("runs")
        values = {
            arm: {key: [value] for key, value in translation.run(SMOKE, arm, 0).items()}
            for arm in translation.arms(SMOKE)
        }
        effect, verdict = judge(translation, {}, values)
        yield Result("", "", {}, [0], values, effect, verdict, 1, {}, "")


def test_train_choose_and_test(measured):
    values = measured.values
    assert len(values) == 8
    ours = values["french: Transformer"]
    (trials,) = ours["validation"]
    assert len(trials) == len(SMOKE.averaged) * len(SMOKE.beams) == 4
    assert trials[ours["chosen"][0]] == max(trials.values())
    gains = translation.differences({}, values)
    means = [sum(values[arm]["verses"][0]) / 16 for arm in ("french: Transformer", "french: dictionary")]
    assert sum(gains) / len(gains) == pytest.approx(means[0] - means[1])
    assert measured.verdict == "reversed"  # four steps teach nothing, and a dictionary knows the commas


def test_what_prose_may_quote(measured):
    facts = translation.facts(measured)
    assert facts["verses"] == 16
    assert facts["chrF basic: copy"].mean > facts["chrF french: copy"].mean
    assert facts["BLEU basic: copy"].low <= facts["BLEU basic: copy"].mean <= facts["BLEU basic: copy"].high
    assert "version:" in facts["signature chrF"]
    json.dumps(measured.values)


def test_published_weights_are_those_that_were_tested(measured, monkeypatch, tmp_path):
    monkeypatch.setattr(assets, "__file__", str(tmp_path / "assets.py"))
    monkeypatch.setattr(translation, "load_result", lambda name: measured)
    monkeypatch.setattr(translation.claims, "field", lambda name, fact: fact)
    monkeypatch.setitem(PRESETS, "full", SMOKE)
    translation.publish()
    model, read = pretrained("basic")
    assert read.merges == tokenizer(SMOKE).merges
    sources = [source for source, _ in pairs(SMOKE, "basic")["test"]]
    found = measured.values["basic: Transformer"]
    search = next(each for each in SMOKE.beams if found["chosen"][0].endswith("beam {}, alpha {:g}".format(*each)))
    answers = translation.translate(model, read, sources, *search)
    assert examples(SMOKE, "basic", answers) == found["examples"][0]


def test_a_few_verses_are_learnt_by_heart(tmp_path):
    """Four verses, the batch of every step: in the end greedy search writes them all."""
    model = replace(SMOKE.model, vocab_size=400, d_model=32, num_heads=4, d_ff=64)
    settings = replace(SMOKE.settings, num_steps=200, peak_lr=5e-3, checkpoint_every=200)
    config = replace(SMOKE, model=replace(model, dropout=0.0), settings=settings, warmup_steps=10, decay_steps=50)
    config = replace(config, num_verses=4, label_smoothing=0.0)
    translation.fit(config, "french", tmp_path)
    learnt = pairs(config, "french")["train"]
    model = translation.averaged(config.model, tmp_path, 1)
    assert all(torch.equal(weight, weight.half().float()) for weight in model.state_dict().values())
    written = translation.translate(model, tokenizer(config), [source for source, _ in learnt], beam_size=1)
    assert written == [target for _, target in learnt]
