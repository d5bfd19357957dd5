"""What the prose of BERT's second lesson claims and its cells do not assert."""

import pytest
import torch

from qkv.data import load
from qkv.inspection.probes import determiners
from qkv.models.bert import BERT, PRESETS, BERTForPreTraining
from qkv.recipes import bert_layers, bert_tasks, budget
from qkv.recipes.result import load as load_result
from qkv.scoring.spans import span_f1
from qkv.text.wordpiece import WordPiece
from qkv.transfer.bert_heads import SpanFinder, best_span


def test_section_1_a_name_half_found_costs_twice():
    truth, half = ["B-person", "I-person", "O"], ["B-person", "O", "O"]
    score = span_f1([half], [truth])
    assert (score.precision, score.recall) == (0, 0)


def test_section_1_a_name_where_there_is_none_costs_precision_alone():
    truth = [["B-person", "O", "O"]]
    score = span_f1([["B-person", "O", "B-company"]], truth)
    assert (score.precision, score.recall) == (0.5, 1)


def test_section_2_one_piece_in_seven_and_about_as_many_named():
    values = load_result("bert-mlm").values
    accuracy = {arm: values[arm]["accuracy"][0] for arm in ("BERT", "neighbours")}
    assert abs(accuracy["BERT"] - accuracy["neighbours"]) < 0.01
    assert values["BERT"]["loss"][0] < values["neighbours"]["loss"][0]
    config = BERTForPreTraining.from_pretrained("bert").bert.config
    assert (config.num_layers, config.vocab_size) == (4, 4000)
    assert round(1 / 0.15) == 7


def in_the_gap(text):
    bert, pieces = BERTForPreTraining.from_pretrained("bert"), WordPiece.from_pretrained("bert")
    ids = torch.tensor([pieces.encode(f"[CLS] {text} [SEP]")])
    with torch.no_grad():
        chances = bert.piece_scores(bert.bert(ids)[ids == pieces.ids["[MASK]"]])[0].softmax(-1)
    return chances[pieces.ids["he"]], chances[pieces.ids["she"]]


@pytest.mark.parametrize("start", ["the president", "the nurse", "the girl"])
def test_section_2_he_is_ahead_in_all_three_rows(start):
    he, she = in_the_gap(f"{start} said that [MASK] was tired .")
    assert he > she


def test_section_2_the_change_a_word_from_the_far_end_moves_the_gap():
    rest = "walked to the village , and [MASK] was tired ."
    he, she = in_the_gap(f"she and her sister {rest}")
    assert she > 2 * he
    he, she = in_the_gap(f"he and his brother {rest}")
    assert he > she


def test_section_3_the_third_head_has_770_numbers():
    finder = SpanFinder(BERT(PRESETS["minilm"]))
    assert sum(weight.numel() for weight in finder.ends.parameters()) == 770
    assert 770 * 100 == 77_000


def test_section_5_weights_are_a_few_hundredths_large():
    spreads = [w.std().item() for n, w in BERTForPreTraining.from_pretrained("bert").named_parameters() if w.ndim == 2]
    assert 0.02 < sorted(spreads)[len(spreads) // 2] < 0.1


def test_section_6_the_options_of_the_prediction_and_the_change():
    first = torch.tensor([[0.0, 6, 0, 0, 3, 2, 0, 4, 0]])
    last = torch.tensor([[0.0, 5, 1, 0, 0, 5, 1, 2, 0]])
    passage = torch.tensor([[False] * 4 + [True] * 4 + [False]])
    assert (first + last).argmax() == 1
    inside = passage[0].nonzero()[:, 0]
    ends = inside[first[0, inside].argmax()], inside[last[0, inside].argmax()]
    assert tuple(map(int, ends)) == (7, 5)
    everywhere = torch.ones_like(passage)
    assert best_span(first, last, everywhere, 4).tolist() == [[1, 1]]
    assert first[0, 1] + last[0, 5] == first[0, 1] + last[0, 1], "hence the limit of four places"


def test_section_7_a_fifth_of_the_words_of_short_sentences_are_nouns():
    tags = [tag for row in load("brown")["test"]["coarse"] if 5 < len(row) < 16 for tag in row]
    assert 0.17 < tags.count(5) / len(tags) < 0.24


def test_section_7_what_the_table_of_layers_says():
    facts = bert_layers.facts(load_result("bert-layers"))
    read_before_last = ("second to last", "last four weighted", "last four side by side", "all weighted")
    means = [facts[arm].mean for arm in read_before_last]
    assert max(means) - min(means) < 2
    assert min(means) > facts["embeddings"].mean + 10
    assert facts["last minus embeddings"].high < 0
    assert facts["side by side minus untrained"].low > 20
    assert facts["fine-tuned minus side by side"].low < 0 < facts["fine-tuned minus side by side"].high


def test_section_8_the_old_cat_and_the_number_of_heads():
    assert determiners(["DET", "ADJ", "NOUN"]) == [(0, 2)]
    assert PRESETS["minilm"].num_layers * PRESETS["minilm"].num_heads == 72


@pytest.mark.parametrize("word", ["US", "us"])
def test_section_9_capitals_are_lost(word):
    assert WordPiece.from_pretrained("minilm").tokens(word) == ["us"]


def test_section_5_what_the_four_tasks_say():
    result = load_result("bert-tasks")
    facts = bert_tasks.facts(result)
    assert (result.config["num_labelled"], len(result.seeds), result.verdict) == (640, 5, "reproduced")
    assert facts["pretraining, answers"].low > 15
    assert facts["pretraining, speech"].low > 5
    assert facts["pretraining, films"].low < 0 < facts["pretraining, films"].high
    assert min(result.values["BERT pretrained, films"]["score"]) < 50
    for system in ("BERT pretrained", "BERT scratch"):
        assert set(result.values[f"{system}, names"]["score"]) == {0.0}
        assert max(max(tried) for tried in result.values[f"{system}, names"]["validation"]) == 0
    assert sorted(result.values["MiniLM, names"]["score"])[:3] == pytest.approx([0, 0, 14.3], abs=0.1)
    ahead = {task: facts[f"MiniLM minus BERT, {task}"].mean for task in bert_tasks.FOUR}
    assert ahead["films"] > 10 < ahead["answers"]
    assert 2 < ahead["speech"] < 10


def test_section_5_where_counting_is_ahead():
    facts = bert_tasks.facts(load_result("bert-tasks"))
    for task in bert_tasks.FOUR:
        assert facts[f"counting, {task}"].mean > facts[f"BERT pretrained, {task}"].mean
    ahead = [task for task in bert_tasks.FOUR if facts[f"MiniLM minus counting, {task}"].high < 0]
    assert ahead == ["names", "answers"]


def test_section_2_the_short_budgets():
    result = load_result("budget")
    facts = budget.facts(result)
    assert (result.verdict, result.config["steps"][0]) == ("not seen", 600)
    differences = {step: facts[f"GPT minus BERT, step {step}"] for step in result.config["steps"]}
    assert len(differences) == 6
    assert all(each.mean > 0 for each in differences.values())
    assert [step for step, each in differences.items() if each.low > 0] == [2400]
    accuracy = {name: fact.value for name, fact in facts.items() if name.startswith("accuracy")}
    assert max(accuracy.values()) - min(accuracy[f"accuracy {model}, step 0"] for model in ("GPT", "BERT")) < 7
    read, predicted = (
        facts[f"{kind} BERT, step 600"] / facts[f"{kind} GPT, step 600"] for kind in ("read", "predicted")
    )
    assert 1.7 < read < 2
    assert predicted < 1
