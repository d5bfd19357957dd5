"""Taggers that read both ways, left to right, and left to right with an LSTM on top, at a size of seconds."""

import pytest
import torch

from qkv.recipes import right_context
from qkv.recipes.protocol import measure
from qkv.recipes.right_context import BOTH, LEFT, LSTM, PRESETS, TAGGERS, counted, kinds
from qkv.recipes.transfer_systems import predictions
from qkv.recipes.transfer_tasks import TextExample, share_right
from qkv.text.wordpiece import SPECIAL, WordPiece
from qkv.training.fine_tuning import Shuffled, fine_tune

NOUN, VERB, DET, PRT = 5, 9, 4, 8
SENTENCES = ("cats sleep", "dogs bark now", "birds sing", "a fish swims well", "horses run", "men talk")
SMOKE = PRESETS["smoke"]


def brown_like(name):
    """Sentences of our own in the columns of ``brown``."""
    rows = []
    for i in range(90):
        words = f"{SENTENCES[i % 6]} {i}".split()
        rows.append({"words": words, "coarse": [NOUN if len(word) % 2 else VERB for word in words]})
    return {"train": rows[:30], "validation": rows[30:60], "test": rows[60:]}


@pytest.fixture(autouse=True)
def small(stand_in, monkeypatch):
    """Pieces are single characters; nothing has to be learnt for that."""
    alphabet = [chr(code) for code in (*range(ord("a"), ord("z") + 1), *range(ord("0"), ord("9") + 1))]
    pieces = WordPiece([*SPECIAL, *alphabet, *(f"##{each}" for each in alphabet)])
    monkeypatch.setattr(right_context, "pieces_of", lambda config: pieces)
    stand_in({}, brown_like, (), [right_context._trials, right_context._test_kinds, right_context._learnt])


def tagger_of(arm):
    torch.manual_seed(0)
    return TAGGERS[arm](SMOKE).eval()


def test_who_hears_of_a_change_behind_and_before():
    """The last word is exchanged: left to right, the words before it must not notice.  The first: all notice."""
    original, end, start = (
        TextExample(tuple(words.split()), (NOUN, VERB, NOUN)) for words in ("cat sat on", "cat sat it", "dog sat on")
    )
    for arm, hears in {BOTH: True, LEFT: False, LSTM: True}.items():
        tagger = tagger_of(arm)
        scores, behind, before = (tagger([tagger.encode(each)]) for each in (original, end, start))
        assert torch.equal(scores[:2], behind[:2]) != hears, arm
        assert not torch.equal(scores[2], before[2]), arm


def test_a_word_is_tagged_when_all_of_it_is_read():
    """Its last letter is exchanged: left to right, its own tag may change."""
    tagger = tagger_of(LEFT)
    one, other = (TextExample(("the", word), (DET, NOUN)) for word in ("cat", "car"))
    item = tagger.encode(one)
    assert item.places == [3, 6]  # [CLS] t h e c a t [SEP]
    assert not torch.equal(tagger([item])[1], tagger([tagger.encode(other)])[1])


def test_the_arms_differ_in_the_mask_alone():
    """Same first weights; one word with nothing round it is read alike where no [SEP] is looked at."""
    both, left = tagger_of(BOTH), tagger_of(LEFT)
    for (name, weight), (other, its) in zip(both.named_parameters(), left.named_parameters(), strict=True):
        assert name == other
        assert torch.equal(weight, its)
    width = 5
    lengths = [5, 3]
    assert torch.equal(both.may_attend(lengths, width).tril(), left.may_attend(lengths, width))
    assert both.may_attend(lengths, width)[0].all()
    of_both, of_lstm = (dict(tagger_of(arm).bert.named_parameters()) for arm in (BOTH, LSTM))
    assert all(torch.equal(weight, of_lstm[name]) for name, weight in of_both.items())


def test_pieces_are_those_of_the_training_sentences():
    pieces = right_context._learnt(60, SMOKE.max_words, SMOKE.num_validation, SMOKE.num_test)
    assert len(pieces) == 60
    unknown = pieces.ids["[UNK]"]
    assert not any(unknown in pieces.encode(word) for each in SMOKE.data.train for word in each.words)
    assert unknown in pieces.encode("quiz")


def test_padding_changes_nothing():
    short, long = (
        TextExample(tuple(words.split()), (NOUN,) * len(words.split())) for words in ("a b", "some more words")
    )
    for arm in TAGGERS:
        tagger = tagger_of(arm)
        items = [tagger.encode(each) for each in (short, long)]
        torch.testing.assert_close(tagger(items)[:2], tagger(items[:1]), msg=arm)


def test_the_reach_grows_and_ends_with_the_whole_row():
    tagger = tagger_of(BOTH)
    found = []
    for step in range(10):
        tagger.before_step(step, 10)
        found.append(tagger.reach)
    assert found == [1, 1, 2, 4, 8, None, None, None, None, None]
    tagger.before_step(0, 10)
    assert tagger.may_attend([3], 3)[0].tolist() == [[True, True, False], [True, True, True], [False, True, True]]


def test_only_who_sees_the_right_neighbour_learns_what_it_decides():
    """The first word is "to"; what follows tells its tag."""
    train = [TextExample(("to", "go"), (PRT, VERB)), TextExample(("to", "it"), (VERB, NOUN))] * 2
    first = {}
    for arm in TAGGERS:
        torch.manual_seed(0)
        tagger = TAGGERS[arm](SMOKE)
        batches = Shuffled([tagger.encode(example) for example in train], 4, seed=0)
        fine_tune(tagger, tagger.loss, batches, tagger.optimizer(3e-3), lambda step: 1.0, 120)
        first[arm] = share_right(predictions(tagger, train), train)
    assert first == {BOTH: 100, LEFT: 75, LSTM: 100}


# Kinds of words ------------------------------------------------------------------------------------------------------


def sentence(words, *tags):
    return TextExample(tuple(words.split()), tags)


def test_kinds_by_hand():
    """``to`` behind ``want`` is mostly a preposition here, and before ``go`` always a particle."""
    beside = counted(
        [sentence("want to her", VERB, DET, NOUN)] * 3
        + [sentence("want to go", VERB, PRT, VERB)] * 2
        + [sentence("rare go", NOUN, VERB)]
    )
    assert kinds(beside, sentence("Want TO go", VERB, PRT, VERB)) == ["", "right decides", ""]
    assert kinds(beside, sentence("want to go", VERB, DET, VERB)) == ["", "left decides", ""]  # the left one is right
    assert kinds(beside, sentence("want to her", VERB, DET, NOUN)) == ["", "", ""]  # both say so
    assert kinds(beside, sentence("rare go", VERB, VERB)) == ["", ""]  # met once


def test_a_pair_must_have_been_met_twice():
    once = counted([sentence("want to her", VERB, DET, NOUN)] * 3 + [sentence("want to go", VERB, PRT, VERB)])
    assert kinds(once, sentence("want to go", VERB, PRT, VERB)) == ["", "", ""]


# The whole -----------------------------------------------------------------------------------------------------------


def test_all_arms_and_what_prose_may_quote(tmp_path, monkeypatch):
    marks = ("right decides", "left decides", "")
    total = sum(len(example.labels) for example in SMOKE.data.test)
    monkeypatch.setattr(right_context, "_test_kinds", lambda config: [marks[i % 3] for i in range(total)])
    result = measure("x", right_context, SMOKE, [0, 1], tmp_path)
    values = result.values
    expected = [a - b for a, b in zip(values[BOTH]["accuracy"], values[LEFT]["accuracy"], strict=True)]
    assert right_context.differences(result.config, values) == expected
    facts = right_context.facts(result)
    assert facts["words, right decides"] == len(range(0, total, 3))
    assert all(0 <= facts[f"{kind} {arm}"].value <= 100 for kind in marks[:2] for arm in values)
    rerun = right_context.run(SMOKE, LEFT, 0)
    assert rerun == {name: entries[0] for name, entries in values[LEFT].items()}


def test_the_share_right_of_a_kind_is_of_its_words_alone(monkeypatch):
    """A system that is right at every second word; the kinds are those words and the others."""
    test = SMOKE.data.test
    labels = [label for example in test for label in example.labels]
    answers = iter([label if i % 2 else label + 1 for i, label in enumerate(labels)])
    given = [[next(answers) for _ in example.labels] for example in test]
    monkeypatch.setattr(right_context, "_trials", lambda config, arm: {1e-3: 50.0})
    monkeypatch.setattr(right_context, "_fit", lambda config, arm, rate, seed: lambda examples: given)
    kinds_of = ["right decides" if i % 2 else "left decides" for i in range(len(labels))]
    monkeypatch.setattr(right_context, "_test_kinds", lambda config: kinds_of)
    record = right_context.run(SMOKE, LEFT, 0)
    assert (record["right decides"], record["left decides"]) == (100, 0)
    assert record["words, right decides"] == len(labels) // 2
    assert record["accuracy"] == pytest.approx(100 * (len(labels) // 2) / len(labels), abs=1e-3)
