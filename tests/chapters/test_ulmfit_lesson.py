"""What the prose of chapter 07 claims and its cells do not assert."""

import math

import pytest
import torch

from qkv import assets
from qkv.data import load
from qkv.figures.rates import Rates
from qkv.recipes import transfer_pilot, ulmfit_ablations, ulmfit_both_ways, ulmfit_curves, word_order
from qkv.recipes.result import load as published_result
from qkv.text.words import WordVocabulary, tokens
from qkv.training.schedules import slanted_triangular
from qkv.transfer.pooling import concat_pooling
from qkv.transfer.vocabulary import carried_rows


def published(t, num_steps, cut_frac=0.1, ratio=32):
    cut = math.floor(num_steps * cut_frac)
    p = t / cut if t < cut else 1 - (t - cut) / (cut * (1 / cut_frac - 1))
    return (1 + p * (ratio - 1)) / ratio


def test_lesson_1_section_1_the_number_of_words_and_sentences():
    kept, to_read, vocabulary = word_order.reviews()
    assert len(vocabulary) == 1500
    assert len(kept) > 700
    assert 6_000 < len(to_read) < 8_000


def test_lesson_1_section_3_what_dropped_states_leave():
    assert 1000 * 0.5**10 < 1
    assert round(1000 * 0.9**10) == 349


def test_lesson_1_section_4_a_word_twice_is_refused():
    with pytest.raises(ValueError, match="new: expected words that differ"):
        carried_rows(torch.zeros(3, 2), ["the", "king", "ship"], ["film", "film"])


@pytest.mark.parametrize("padding", [9.0, -9.0])
def test_lesson_1_section_5_the_change_padding_moves_the_naive_numbers_only(padding):
    states = torch.tensor([[[-4.0], [-2.0], [padding], [padding]]])
    assert concat_pooling(states, torch.tensor([2])).tolist() == [[-2, -2, -3]]
    assert states[0, -1].item() == padding
    assert states.amax().item() == max(-2, padding)
    assert states.mean().item() != -3


def test_lesson_2_section_2_the_numbers_by_hand():
    assert slanted_triangular(0, 20) == 1 / 32
    assert slanted_triangular(2, 20) == 1
    assert slanted_triangular(11, 20) == pytest.approx((1 + 31 / 2) / 32)
    assert 9 * 9 == 81
    assert published(90, 99) == pytest.approx(1 / 32)
    assert published(98, 99) < 0


def test_lesson_2_section_2_the_change_to_19_steps():
    below = [t for t in range(20) if published(t, 19) < 0]
    assert below == list(range(11, 20))


def test_lesson_2_section_6_only_the_head_sees_the_peak_and_the_words_never_a_hundredth():
    table = Rates().table()
    assert [row[10] for row in table] == [0, 0, 0, 0, 1]
    assert [row[20] > 0 for row in table] == [False, False, False, True, True]
    assert max(table[0]) < 0.01


def test_lesson_3_section_1_critics_use_unknown_words_three_times_as_often_as_presidents():
    words = WordVocabulary(assets.weights("ulmfit")[1]["words"])
    shares = {}
    for kind in ("movie-snippets", "state-of-the-union"):
        texts = [row["text"] for row in load("running-text")["test"] if row["source"] == kind]
        ids = [i for text in texts for i in words.encode(tokens(text))]
        shares[kind] = ids.count(0) / len(ids)
    assert 2.5 < shares["movie-snippets"] / shares["state-of-the-union"] < 3.5


def test_lesson_3_section_3_reading_hardly_pays_for_questions_and_costs_for_films():
    facts = ulmfit_curves.facts(published_result("ulmfit-curves"))
    gains = {
        task: [facts[f"{task} {size} minus scratch"] for size in (50, 200, 1000, "all")] for task in ("TREC", "movies")
    }
    assert [gain.low > 0 for gain in gains["TREC"]] == [False, False, True, False]
    assert all(gain.high < 0 for gain in gains["movies"][1:])
    worth = [facts[f"worth TREC {size}"].value for size in (50, 200, 1000, "all")]
    assert max(worth[:3]) < 2.5
    assert worth[3] < 1
    assert facts["contrasts"] == 32


def test_lesson_3_section_3_who_is_ahead_for_films():
    facts = ulmfit_curves.facts(published_result("ulmfit-curves"))
    for size in (1000, "all"):
        network = max(facts[f"accuracy movies {size} {way}"].value for way in ("ULMFiT", "scratch"))
        bags = [facts[f"accuracy movies {size} {bag}"].value for bag in ("bag of bigrams", "NB-SVM")]
        assert min(bags) > network
        assert (facts[f"accuracy movies {size} MiniLM"].value > max(bags)) == (size == 1000)


def test_lesson_3_section_3_the_lines_of_the_picture():
    """What its description says, and that each point is the mean that is published."""
    found = published_result("ulmfit-curves")
    drawn, facts = ulmfit_curves.curves(found), ulmfit_curves.facts(found)
    assert drawn["TREC"].keys() == {"ULMFiT", "scratch", "bag of bigrams", "NB-SVM", "MiniLM"}
    assert [*drawn["TREC"]["scratch"]] == [50, 200, 1000, 4296]
    assert drawn["movies"]["MiniLM"][200].mean == pytest.approx(facts["accuracy movies 200 MiniLM"].value, abs=1e-4)
    for curves in drawn["TREC"], drawn["movies"]:
        rows = [{system: curve[size].mean for system, curve in curves.items()} for size in curves["ULMFiT"]]
        if curves is drawn["TREC"]:
            assert all(max(row, key=row.get) == "MiniLM" for row in rows)
            assert min(rows[-1][each] for each in ("bag of bigrams", "NB-SVM", "MiniLM")) > rows[-1]["scratch"] + 9
        else:
            assert all(min(row, key=row.get) == "ULMFiT" for row in rows)


def test_lesson_3_section_4_what_the_table_of_ablations_says():
    effects = {
        name: fact
        for name, fact in ulmfit_ablations.facts(published_result("ulmfit-ablations")).items()
        if name.startswith("ULMFiT minus")
    }
    ahead = {name.removeprefix("ULMFiT minus ") for name, effect in effects.items() if effect.low > 0}
    behind = {name.removeprefix("ULMFiT minus ") for name, effect in effects.items() if effect.high < 0}
    assert (len(effects), ahead, behind) == (8, {"last layer alone"}, {"one rate for all layers"})
    assert effects["ULMFiT minus from scratch"].low < 0 < effects["ULMFiT minus from scratch"].high


def test_lesson_3_section_4_where_pretraining_pays():
    facts = transfer_pilot.facts(published_result("transfer-pilot"))
    speech = [facts[f"gain POS {size}"] for size in (50, 200, 1000, 2000)]
    questions = [facts[f"gain TREC {size}"] for size in (50, 200, 1000, 4296)]
    assert all(gain.low > 0 for gain in speech)
    assert speech == sorted(speech, key=lambda gain: -gain.mean)
    assert speech[-1].mean < speech[0].mean / 2
    assert facts["POS 2000 AWD-LSTM minus bag"].high < 0 < facts["POS 50 AWD-LSTM minus bag"].low
    assert all(few.mean < many.mean for few, many in zip(questions[:2], speech[:2], strict=True))
    assert questions[-1].high < 0


def test_lesson_3_section_4_what_reading_backwards_adds():
    found = published_result("ulmfit-both-ways")
    facts = ulmfit_both_ways.facts(found)
    assert found.verdict == "not seen"
    assert facts["forward and backward minus forward"].low > 0
    assert facts["two forward minus forward"].mean > 0
