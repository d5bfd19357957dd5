"""What readers are shown of a result: numbers with their unit, the claim box, and words for every mistake in a name."""

from dataclasses import replace
from html import unescape

import pytest

from qkv.recipes import catalogue, claims
from qkv.recipes.claims import Claim, field, interval, number, show_claim
from qkv.recipes.protocol import Recipe
from qkv.recipes.result import Effect, Result, ResultError, load

NAMES = list(catalogue.MODULES)


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (12.34, "points", "12.3 points"),
        (-0.5, "points", "−0.5 points"),
        (-0.04, "points", "−0.04 points"),
        (-0.004, "points", "0.00 points"),  # no minus before a zero
        (0.0, "points", "0.0 points"),
        (0.00149, "nats", "0.001 nats"),
        (0.00049, "nats", "0.0005 nats"),
        (0.1749, "nats", "0.175 nats"),
        (99.96, "%", "100.0 %"),
        (1234.5, "words", "1234.50 words"),
    ],
)
def test_a_number_has_the_decimals_of_its_unit(value, unit, text):
    assert number(value, unit).replace("\u00a0", " ") == text


def test_an_interval_in_words():
    text = interval(Effect(1.0, -1.25, 2.25, "points")).replace("\u00a0", " ")
    assert text == "1.0 points (95 % interval −1.2 to 2.2)"


def test_every_experiment_is_a_whole_recipe():
    assert all(isinstance(catalogue.recipe(name), Recipe) for name in NAMES)
    with pytest.raises(ResultError, match=r"no experiment 'nope'; there are: dk-scaling"):
        catalogue.recipe("nope")


def test_fields_come_from_the_file_or_from_the_recipes_facts():
    found = load("mutants-train")
    assert field("mutants-train", "effect.mean") == number(found.effect.mean, "nats")
    assert field("mutants-train", "effect") == interval(found.effect)
    assert field("mutants-train", "effect.unit") == "nats"
    assert field("mutants-train", "verdict") == found.verdict
    assert field("mutants-train", "seeds") == str(len(found.seeds))
    assert field("mutants-train", "mutants") == "19"
    dotted = "cost of one head left in decoder1.cross_attention"
    assert field("head-removal", f"{dotted}.mean") == field("head-removal", dotted).partition(" (")[0]
    assert field("mutants-train", "accuracy correct").endswith("\u00a0%")
    assert field("mutants-train", "gap no mask.low").endswith("\u00a0nats")


@pytest.mark.parametrize("path", ["", "effects", "effect.median", "verdict.mean", "gap no mask.", "accuracy nope"])
def test_a_field_that_is_not_there_is_an_error_that_lists_the_others(path):
    with pytest.raises(ResultError, match=r"mutants-train: no field .*there are: claim, paper, effect"):
        field("mutants-train", path)


@pytest.mark.parametrize("name", NAMES)
def test_the_box_says_claim_paper_measurement_verdict_and_command(name):
    found, box = load(name), show_claim(name)
    sample = f"{len(found.seeds)} seeds" if catalogue.recipe(name).OVER == "seeds" else "one model, drawn over its"
    for text in (repr(box), unescape(box._repr_html_()).replace("\u00a0", " ")):
        for part in ("Claim", found.claim, "Paper", sample, found.verdict, found.command):
            assert part in text
        assert interval(found.effect).replace("\u00a0", " ") in text


def result_with(verdict, margin=None):
    config = {} if margin is None else {"margin": margin}
    effect = Effect(0.0, 0.0, 0.0, "nats")
    return Result("a < b", "p", config, [], {}, effect, verdict, 0, {}, "c")


@pytest.mark.parametrize(
    ("verdict", "margin", "reason"),
    [
        ("reproduced", None, "✓ reproduced: the whole interval is on the paper's side of 0"),
        ("reversed", None, "✗ reversed: the whole interval is on the other side of 0"),
        ("not seen", None, "○ not seen: the whole interval is not on one side of 0"),
        ("equivalent", 0.02, "≈ equivalent: the whole interval is within ± 0.020 nats"),
        ("not seen", 0.02, "○ not seen: the whole interval is not within ± 0.020 nats"),
        ("reversed", 0.02, "✗ reversed: the whole interval is beyond ± 0.020 nats"),
    ],
)
def test_the_box_gives_the_rule_behind_the_verdict(verdict, margin, reason):
    assert reason in repr(Claim("dk-scaling", result_with(verdict, margin)))


def test_html_is_escaped():
    assert "a &lt; b" in Claim("dk-scaling", result_with("not seen"))._repr_html_()


def test_every_verdict_has_a_sign():
    assert set(claims.SIGNS) == {"reproduced", "reversed", "not seen", "equivalent", "exact"}


def test_facts_are_noted_once_for_each_result(monkeypatch):
    found, noted = load("dk-scaling"), []
    module = catalogue.recipe("dk-scaling")
    monkeypatch.setattr(claims, "_KEPT", {})
    monkeypatch.setattr(module, "facts", lambda result: noted.append(result) or {"times": len(noted)})
    assert [field("dk-scaling", "times") for _ in range(3)] == ["1", "1", "1"]
    monkeypatch.setattr(claims, "load", lambda name: replace(found, seconds=found.seconds + 1))
    assert field("dk-scaling", "times") == "2"
