"""The recipes about ELMo's layers, labels and senses at a size of seconds."""

import pytest
import torch

from qkv.models.bert import BERT
from qkv.models.bert import PRESETS as BERTS
from qkv.models.elmo import PRESETS as ELMOS
from qkv.models.elmo import ELMo
from qkv.recipes import elmo_labels, elmo_layers, senses, transfer_systems, transfer_tasks
from qkv.recipes.protocol import measure
from qkv.recipes.senses import Use, Word, nearness, share_right, use
from qkv.recipes.transfer_systems import Source, Training
from qkv.recipes.transfer_tasks import TASKS, TextExample
from qkv.text.wordpiece import SPECIAL, WordPiece

NOUN, VERB = 5, 9
SENTENCES = ("cats sleep", "dogs bark now", "birds sing", "a fish swims well", "horses run", "men talk")


def brown_like(name):
    """Sentences of our own, noun and verb by turns, in the columns of ``brown``."""
    rows = []
    for i in range(60):
        words = f"{SENTENCES[i % 6]} {i}".split()
        rows.append({"words": words, "coarse": [NOUN if len(word) % 2 else VERB for word in words]})
    return {"train": rows[:20], "validation": rows[20:40], "test": rows[40:]}


@pytest.fixture(autouse=True)
def small(stand_in):
    """A biLM and a MiniLM whose weights are drawn, in the place of the published ones."""
    torch.manual_seed(3)
    pieces = WordPiece([*SPECIAL, *"abcdefghijklmnopqrstuvwxyz", *(f"##{c}" for c in "abcdefghijklmnopqrstuvwxyz")])
    size = BERTS["smoke"].__class__(len(pieces), 16, 2, 32, 2, max_length=128)
    found = {"ELMo": Source(ELMo(ELMOS["smoke"]).eval()), "MiniLM": Source(BERT(size).eval(), pieces)}
    caches = (elmo_layers._trials, elmo_layers.biLM, elmo_labels._trials)
    return stand_in(found, brown_like, (transfer_systems, elmo_layers, elmo_labels, senses), caches)


@pytest.mark.parametrize("recipe", [elmo_layers, elmo_labels], ids=lambda recipe: recipe.__name__)
def test_all_arms_and_what_prose_may_quote(recipe, tmp_path):
    result = measure("x", recipe, recipe.PRESETS["smoke"], [0, 1], tmp_path)
    assert len(recipe.differences(result.config, result.values)) == 2
    facts = recipe.facts(result)
    assert all(0 <= facts[f"accuracy {arm}"].value <= 100 for arm in result.values)
    first = next(iter(result.values))
    rerun = recipe.run(recipe.PRESETS["smoke"], first, 0)
    assert rerun["accuracy"] == result.values[first]["accuracy"][0]


def test_a_probe_reads_its_layers_alone(small):
    """What it says does not change when another layer does."""
    example = TextExample(("cats", "sleep"), (NOUN, VERB))
    for arm, chosen in {"layer 0": [0], "layer 1": [1], "layer 2": [2], "all layers": [0, 1, 2]}.items():
        torch.manual_seed(0)
        probe = elmo_layers.PROBES[arm].learner(TASKS["POS"], [example]).eval()
        item = probe.encode(example)
        before = probe([item])
        for layer in range(3):
            changed = item.read.clone()
            changed[:, layer] += 1.0
            moved = not torch.equal(probe([item._replace(read=changed)]), before)
            assert moved == (layer in chosen)


def test_the_untrained_control_is_the_same_for_all_and_is_not_the_published_one(small):
    control = elmo_layers.biLM("scratch")
    state = torch.get_rng_state()
    elmo_layers.biLM.cache_clear()
    again = elmo_layers.biLM("scratch")
    assert torch.equal(torch.get_rng_state(), state)
    for name, weight in control.model.state_dict().items():
        assert torch.equal(weight, again.model.state_dict()[name])
    assert not torch.equal(control.model.word_scores.weight, small["ELMo"].model.word_scores.weight)
    assert elmo_layers.biLM("pretrained") is small["ELMo"]


def test_a_probe_learns_what_its_layer_tells():
    """Two words, two tags: layer 0 of any network tells them apart."""
    train = [TextExample(("cats", "sleep"), (NOUN, VERB)), TextExample(("sleep", "cats"), (VERB, NOUN))]
    predict = elmo_layers.PROBES["layer 0"].fit(TASKS["POS"], train, 3e-2, Training(300, 4), 0)
    assert transfer_tasks.share_right(predict(train), train) == 100


# Few labels ----------------------------------------------------------------------------------------------------------


def test_what_stands_beside_the_words_reaches_the_tagger_and_stays_frozen(small):
    example, other = TextExample(("a", "fish", "swims"), (5, 5, 9)), TextExample(("men", "talk"), (5, 9))
    for beside, layers in elmo_labels.BESIDE.items():
        torch.manual_seed(0)
        tagger = elmo_labels.Tagger(layers, 4).eval()
        own = {id(weight) for weight in small["ELMo"].model.parameters()}
        assert not own & {id(weight) for weight in tagger.parameters()}
        item, second = tagger.encode(example), tagger.encode(other)
        alone = tagger([item])
        torch.testing.assert_close(tagger([second, item])[2:], alone)  # padding and order do not matter
        if layers:
            assert item.read[1].shape[1] == len(layers)
            changed = item._replace(read=(item.read[0], item.read[1] + 1.0))
            assert not torch.equal(tagger([changed]), alone)
        tagger.loss([item]).backward()
        assert all(weight.grad is not None for weight in tagger.parameters()), beside


def test_the_curve_has_a_point_at_every_observation_and_at_the_end():
    config = elmo_labels.PRESETS["smoke"]
    record = elmo_labels.run(config, "12 characters and ELMo", 0)
    assert record["steps"] == [2, 4, 6]
    assert len(record["curve"]) == 3


def test_steps_to_the_plain_tagger_at_its_best():
    values = {
        "10 characters": {"steps": [[1, 2, 3]], "curve": [[10.0, 30.0, 20.0], [10.0, 50.0, 20.0]]},
        "10 characters and ELMo": {"steps": [[1, 2, 3]], "curve": [[40.0, 60.0, 60.0], [40.0, 60.0, 60.0]]},
        "10 characters and spelling": {"steps": [[1, 2, 3]], "curve": [[1.0, 2.0, 3.0], [1.0, 2.0, 3.0]]},
    }
    found = [elmo_labels.steps_to_plain(values, 10, beside) for beside in elmo_labels.BESIDE]
    assert found[0].value == 2
    assert found[1] == "not within the run"
    assert found[2].value == 1


# Senses --------------------------------------------------------------------------------------------------------------


def test_a_use_knows_its_place():
    assert use("a check at the bank", "bank") == Use(("a", "check", "at", "the", "bank"), 4)
    assert use("by the water's edge", "water").place == 2
    with pytest.raises(ValueError, match="'river' in 'the bank'"):
        use("the bank", "river")


def test_share_right_by_hand():
    """Uses in one sense lie on one axis; of the pairs in two senses one is as near, one is farther."""
    east, north = torch.tensor([1.0, 0.0]), torch.tensor([0.0, 1.0])
    vectors = {"a": east, "b": 2 * east, "c": north}
    uses = {name: Use((name,), 0) for name in vectors}
    word = Word("w", ((uses["a"], uses["b"]),), ((uses["a"], uses["c"]), (uses["b"], uses["a"])))

    def vector(each):
        return vectors[each.words[0]]

    assert nearness((uses["a"], uses["b"]), vector) == 1.0
    assert share_right(word, vector) == 0.75
    assert share_right(Word("w", word.different, word.same), vector) == 0.25


def test_static_vectors_tie_where_spellings_are_alike():
    pair = use("the bank was open", "bank"), use("on the bank they sat", "bank")
    assert nearness(pair, senses.VECTORS["static"]) == 1.0
    assert nearness(pair, senses.VECTORS["biLM layer 2"]) < 1.0


def test_senses_whole(tmp_path):
    result = measure("senses", senses, senses.PRESETS["smoke"], [0], tmp_path)
    facts = senses.facts(result)
    assert facts["words"] == len(senses.test_words(40)) > 5
    means = {arm: sum(result.values[arm]["right"][0]) / facts["words"] for arm in senses.VECTORS}
    assert result.effect.mean == pytest.approx(100 * (means["biLM layer 2"] - means["static"]), abs=1e-3)


def test_every_test_pair_finds_its_word():
    words = senses.test_words(None)
    assert sum(len(word.same) for word in words) == sum(len(word.different) for word in words)
    assert len(words) > 150
