"""What the prose of the lesson "from 2018 to now" claims and its cells do not assert.

The large model is not loaded: what was measured with it is read from the committed notebook.
"""

import math
import re
from dataclasses import replace

import pytest
import torch

from qkv.models import gpt
from qkv.models.llama import PRESETS, Llama, RMSNorm
from qkv.nn.attention import KeyValueCache, scaled_dot_product_attention
from qkv.nn.masks import causal
from qkv.nn.positions import RotaryPositions
from qkv.recipes import smollm2_headlines
from qkv.recipes.result import load
from qkv.scoring.rouge import rouge_l

SMOLLM2 = PRESETS["smollm2"]


@pytest.fixture(scope="module")
def printed(printed_by) -> str:
    """Everything that the executed notebook prints."""
    return printed_by("08_gpt/lesson_2_llama")


def number(printed: str, before: str) -> float:
    """The first number that is printed after these words."""
    return float(re.search(rf"{re.escape(before)}\D*?(-?\d[\d.,]*(?:e\+\d+)?)", printed)[1].replace(",", ""))


@pytest.fixture
def small() -> Llama:
    torch.manual_seed(0)
    return Llama(replace(PRESETS["smoke"], max_length=400)).double().eval()


def ids(t: int) -> torch.Tensor:
    return torch.randint(40, (1, t), generator=torch.Generator().manual_seed(1))


# --- section 1
def test_what_the_two_lists_lack():
    with torch.device("meta"):
        old = gpt.GPT(replace(gpt.PRESETS["paper"], num_layers=1))
        new = Llama(replace(SMOLLM2, num_layers=1))
    names = [{name for name, _ in model.named_parameters()} for model in (old, new)]
    assert [any(name.endswith("bias") for name in each) for each in names] == [True, False]
    assert [any("gate" in name for name in each) for each in names] == [False, True]
    assert [any("position" in name for name in each) for each in names] == [True, False]
    assert not any(name.startswith(("head", "lm_head", "output")) for each in names for name in each)
    key, query = new.layers[0].attention.key, new.layers[0].attention.query
    assert len(key.weight) < len(query.weight)


# --- section 2
def test_norms_agree_where_the_mean_is_zero():
    x = torch.tensor([-4.0, 4.0])
    assert torch.allclose(RMSNorm(2, 1e-5)(x), torch.nn.functional.layer_norm(x, (2,)))
    assert math.isclose(math.sqrt((101**2 + 107**2) / 2), 104, abs_tol=0.1)


# --- section 3
def test_a_quarter_turn_by_hand():
    query, key = (1j ** (place % 4) for place in (3, 1))
    assert (query, key) == (-1j, 1j)
    assert (query * key.conjugate()).real == -1 == (1j ** (103 % 4) * (1j ** (101 % 4)).conjugate()).real


def test_how_slow_the_slowest_hands_are():
    d_k = SMOLLM2.d_model // SMOLLM2.num_heads
    rounds = {base: 2 * math.pi / RotaryPositions(d_k, base).frequency[-1].item() for base in (1e4, 1e5)}
    assert round(rounds[1e4], -3) == 47_000
    assert 400_000 < rounds[1e5] < 450_000
    assert 360 * SMOLLM2.max_length / rounds[1e5] < 7
    assert SMOLLM2.rotary_base == 1e5


def test_the_change_an_unturned_query_sees_where_the_key_stands():
    torch.manual_seed(0)
    rotate, query, key = RotaryPositions(16), torch.randn(1, 16), torch.randn(1, 16)
    scores = [(query @ rotate(key, place).T).item() for place in (1, 101, 1)]
    assert scores[0] == scores[2] != pytest.approx(scores[1], abs=1e-3)


def test_turned_values_would_see_the_place():
    torch.manual_seed(0)
    rotate, (q, k, v) = RotaryPositions(8), torch.randn(3, 5, 8)

    def outputs(start, turn_values):
        value = rotate(v, start) if turn_values else v
        return scaled_dot_product_attention(rotate(q, start), rotate(k, start), value, causal(5))[0]

    assert torch.allclose(outputs(0, False), outputs(100, False), atol=1e-5)
    assert not torch.allclose(outputs(0, True), outputs(100, True), atol=1e-2)


# --- sections 4 and 5
def test_what_the_gate_costs_and_lets_through():
    d = SMOLLM2.d_model
    assert SMOLLM2.d_ff * 3 == 8 * d
    assert 3 * (4 * d) * d == 1.5 * 2 * (4 * d) * d
    assert torch.nn.functional.silu(torch.tensor([-10.0, 0.0, 10.0])).tolist() == pytest.approx([0, 0, 10], abs=1e-3)


def test_what_a_cache_weighs():
    weights = 4 * 134_515_008  # counted in the tests of the model
    full = SMOLLM2.num_layers * 2 * SMOLLM2.d_model * SMOLLM2.max_length * 4
    assert (round(weights / 1e6), round(full / 1e6)) == (538, 1132)
    assert 2 < full / weights < 2.2
    assert SMOLLM2.num_heads // SMOLLM2.num_kv_heads == 3


# --- section 7, as printed
def test_what_the_exchanges_cost(printed):
    loss = {
        name: number(printed, f"\n{name} ")
        for name in ("nothing", "mean subtracted", "base 10,000", "neighbours turned", "nothing turned")
    }
    worst = [number(printed, f"\n{name} ") for name in ("keys dealt in turn", "gate and inner swapped")]
    assert max(loss["mean subtracted"], loss["base 10,000"]) - loss["nothing"] < 0.2
    assert min(loss["neighbours turned"], loss["nothing turned"]) - loss["nothing"] > 1
    assert worst[1] > math.log(SMOLLM2.vocab_size)
    assert float(re.search(r"squared mean makes [\d.]+ to ([\d.]+)", printed)[1]) < 0.01


# --- section 8
class Forgetful(KeyValueCache):
    def __len__(self):
        return 0


class Ahead(KeyValueCache):
    def __len__(self):
        return super().__len__() + 100 * (super().__len__() > 0)


def in_parts(model, kind, text, first):
    cache = {f"layer{i}.attention": kind() for i in range(len(model.layers))}
    parts = (text[:, :first], *(text[:, i : i + 1] for i in range(first, text.shape[1])))
    return torch.cat([model(part, cache) for part in parts], dim=1)


@pytest.mark.parametrize("kind", [Forgetful, Ahead])
def test_a_forgotten_place_shows_in_parts_and_not_in_one_go(small, kind):
    whole = small(ids(12))
    assert torch.allclose(in_parts(small, kind, ids(12), 12), whole)
    parts = in_parts(small, kind, ids(12), 5)
    assert torch.allclose(parts[:, :5], whole[:, :5])
    assert all(not torch.allclose(parts[:, i], whole[:, i], rtol=1e-5, atol=1e-7) for i in range(5, 12))


def test_all_tokens_too_far_is_no_mistake(small, monkeypatch):
    before, turn = small(ids(12)), RotaryPositions.forward
    monkeypatch.setattr(RotaryPositions, "forward", lambda self, x, start=0: turn(self, x, start + 100))
    assert torch.allclose(small(ids(12)), before, atol=1e-5)


def test_the_whole_text_again_shows_in_the_length_of_the_cache(small):
    cache = {}
    small(ids(6), cache)
    again = small(torch.cat([ids(6), ids(1)], dim=1), cache)
    assert len(cache["layer0.attention"]) == 13
    assert not torch.allclose(again[:, -1], small(torch.cat([ids(6), ids(1)], dim=1))[:, -1], rtol=1e-5)


def test_the_first_token_is_right_and_the_loss_two_to_three_times_as_large(printed):
    rows = re.findall(r"(\w+) +nats per token in three stretches: ([\d. ]+) +largest", printed)
    right, forgetful = ([float(each) for each in row.split()] for _, row in rows)
    assert right[0] == forgetful[0]
    assert all(2 < wrong / true < 3 for wrong, true in zip(forgetful[1:], right[1:], strict=True))
    assert all(printed.count(f"{start}' {word}") == 2 for start, word in [("France is", "Paris"), ("a little", "girl")])


# --- section 9
def test_perplexities_as_told(printed):
    true, sentences, words, again = (
        number(printed, f"\n{name} ")
        for name in ("as it stands", "sentences shuffled", "words shuffled", "a second time")
    )
    assert round(true) == 7
    assert sentences < 2 * true
    assert 40 < words / true < 60
    assert SMOLLM2.vocab_size / words > 100
    assert again < 2


# --- sections 10 to 12
def test_answers_with_and_without_the_text(printed):
    counts = re.search(
        r"\{'alone': (\d), 'with the text': (\d), 'with a changed text': (\d)\} of (\d)", printed
    ).groups()
    alone, with_text, changed, total = map(int, counts)
    assert 0 == alone < with_text < total == 4
    assert changed < total
    capital = printed.partition("What is the capital of Alabama?")[2].partition("Who founded")[0]
    assert ("✓" in capital, "Birmingham" in capital, "Springfield" in capital) == (True, True, False)


def test_rouge_by_hand():
    found = rouge_l("a cat sat on the mat", "the cat sat")
    assert (found.shared, found.answer, found.reference) == (2, 6, 3)


def test_the_lead_is_not_behind_on_the_four(printed):
    scores = {name: re.findall(rf"^{name} +(\d\.\d\d) ", printed, re.M) for name in ("lead", "SmolLM2")}
    lead, ours = (sum(map(float, each)) for each in scores.values())
    assert [len(each) for each in scores.values()] == [4, 4]
    assert lead > ours


def test_whom_it_expects(printed):
    odds = {job: float(ratio) for job, ratio in re.findall(r"The (\w+) said that .* ([\d.]+) to 1", printed)}
    assert len(odds) == 6
    assert odds["nurse"] > 2 * odds["doctor"] > 2
    assert max(odds["carpenter"], odds["president"]) < 1


def test_an_illness_before_its_time(printed):
    assert re.search(r"^2017-\d\d-\d\d: Hundreds Of Health Groups.*\n.*COVID", printed, re.M)


def test_section_11_the_lead_is_ahead_over_250_articles_and_the_model_copies():
    result = load("smollm2-headlines")
    facts = smollm2_headlines.facts(result)
    assert facts["articles"] == 250
    assert result.config["num_validation"] == 40
    assert len(result.values["SmolLM2"]["trials"][0]) == 3
    assert result.verdict == "reversed"
    assert facts["ROUGE-L SmolLM2"].low > facts["ROUGE-L random sentence"].high
    assert round(100 / facts["new words printed"].mean) == 5
    assert round(100 / facts["new words SmolLM2"].mean) == 16
