"""Pairs of sentences, one of them mistaken, and the recipe that asks GPT's checkpoints about them."""

import random
from collections import Counter

import pytest

from qkv.recipes import gpt_lm, gpt_pairs
from qkv.recipes.gpt_pairs import PARTNER, PRESETS, SINGULAR, Pair, agreement, pairs, word_order
from qkv.recipes.protocol import judge
from qkv.recipes.result import Result

SMOKE = PRESETS["smoke"]


def test_agreement_by_hand():
    assert agreement("The cats on the mat were hungry .") == Pair(
        "The cats on the mat were hungry .", "The cats on the mat was hungry ."
    )
    assert agreement("The cat sat .") is None
    assert agreement("The cat was where the dogs were .") is None


def test_two_neighbours_change_places_inside_the_sentence():
    sentence = "A b c, d e e"
    found = {word_order(sentence, random.Random(seed)) for seed in range(50)}
    assert found == {Pair("A b c, d e e", "A b c, e d e")}  # c, is no plain word, e e is no exchange
    assert word_order("One two 3", random.Random(0)) is None


def test_real_pairs_are_balanced_and_differ_in_what_they_ask():
    found = pairs(100, 60)
    numbers = Counter(bool(set(pair.printed.split()) & set(SINGULAR)) for pair in found["agreement"])
    assert numbers == {True: 30, False: 30}
    for pair in found["agreement"]:
        (changed,) = [(a, b) for a, b in zip(pair.printed.split(), pair.mistaken.split(), strict=True) if a != b]
        assert PARTNER[changed[0]] == changed[1]
    for pair in found["word order"]:
        printed, mistaken = pair.printed.split(), pair.mistaken.split()
        first, second = [place for place, (a, b) in enumerate(zip(printed, mistaken, strict=True)) if a != b]
        assert second == first + 1
        assert (printed[first], printed[second]) == (mistaken[second], mistaken[first])
        assert first > 0
    assert all(len(set(found[kind])) == 60 for kind in found)


@pytest.fixture
def measured(tmp_path, monkeypatch):
    monkeypatch.setattr(gpt_lm, "runs_folder", lambda: tmp_path)
    return {
        arm: {kind: [right] for kind, right in gpt_pairs.run(SMOKE, arm, 0).items()} for arm in gpt_pairs.arms(SMOKE)
    }


def test_from_run_to_verdict(measured):
    assert list(measured) == ["step 0", "step 2", "step 4", "n-grams"]
    config = {"steps": list(SMOKE.steps)}
    effect, verdict = judge(gpt_pairs, config, measured)
    right = {arm: sum(measured[arm]["agreement"][0]) / SMOKE.num_pairs for arm in measured}
    assert effect.mean == pytest.approx(100 * (right["step 4"] - right["step 2"]))
    facts = gpt_pairs.facts(Result("", "", config, [0], measured, effect, verdict, 1, {}, ""))
    assert facts["pairs"] == SMOKE.num_pairs
    assert facts["agreement n-grams"].value == pytest.approx(100 * right["n-grams"], abs=0.05)
    other = 100 * (right["step 4"] - right["n-grams"])
    assert facts["agreement, last minus n-grams"].mean == pytest.approx(other, abs=0.01)


def test_the_likelier_sentence_counts_as_right_and_a_tie_as_half(monkeypatch):
    """Losses that know nothing but a sentence's length, the sentence alone, or its opposite."""
    mistaken = {pair.mistaken for pair in pairs(SMOKE.gpt.num_passages, SMOKE.num_pairs)["agreement"]}
    decode = gpt_lm.corpus_of(SMOKE.gpt).tokens.decode
    for cost, expected in ((lambda wrong: float(wrong), 1), (lambda wrong: -float(wrong), 0), (lambda wrong: 1.0, 0.5)):
        monkeypatch.setattr(
            gpt_pairs, "_counted", lambda config, cost=cost: lambda ids: cost(decode(ids[1:]) in mistaken)
        )
        assert gpt_pairs.run(SMOKE, "n-grams", 0)["agreement"] == [expected] * SMOKE.num_pairs
