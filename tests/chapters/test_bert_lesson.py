"""What the prose of the BERT lesson claims and its cells do not assert."""

from qkv.data import load as load_data
from qkv.exercises.bert import READ, TIMES, pair_score
from qkv.recipes import right_context, unmasked
from qkv.recipes.result import load
from qkv.text.wordpiece import WordPiece, cut


def test_section_1_only_minilms_marks_and_the_hash_are_as_told():
    pieces = WordPiece.from_pretrained("minilm")
    assert not {"embeddings", "brobdingnagian", "café", "cat🐈"} & set(pieces.ids)
    assert "#" in pieces.ids


def test_section_2_the_change_one_missing_end_makes_the_word_unknown():
    few = {"un", "una", "##able", "##ble", "##a", "##ff", "##f"}
    assert cut("unaffableness", few) == ["[UNK]"]


def test_section_3_scores_told_in_the_options():
    assert pair_score(READ, TIMES, "j", "##u") == 1 / 3
    assert pair_score(READ, TIMES, "##e", "##d") == 1 / 10


def test_section_4_each_doubling_saves_less_and_a_few_of_a_hundred_words_are_unknown():
    result = load("vocabulary-size")
    assert result.verdict == "exact"
    tokens = [result.values[f"pieces {size}"]["tokens"][0] for size in result.config["sizes"]]
    saved = [before - after for before, after in zip(tokens, tokens[1:], strict=False)]  # noqa: RUF007
    assert saved == sorted(saved, reverse=True)
    assert 1 < result.values["words 16000"]["share unknown"][0] < 5
    assert result.values["pieces 16000"]["types"][0] < 0.6 * 16000


def test_section_5_left_to_right_is_ahead_but_not_where_the_right_neighbour_decides():
    result = load("right-context")
    facts = right_context.facts(result)
    assert result.verdict == "reversed"
    assert result.config["num_labelled"] == 20_000
    words = sum(min(25, len(row)) for row in load_data("brown")["test"]["words"])
    assert round(words / (facts["words, right decides"] + facts["words, left decides"]), -1) == 90
    assert facts["right decides, both ways minus left to right"].low > 5
    assert facts["left decides, both ways minus left to right"].high < -5
    for kind in ("accuracy", "right decides"):
        arms = [facts[f"{kind} {arm}"].value for arm in ("both ways", "left to right")]
        assert facts[f"{kind} left to right and LSTM"].value > max(arms)
    assert facts["both ways minus LSTM"].high < 0 < facts["LSTM minus left to right"].low


def test_section_6_what_the_mixture_does_to_open_places():
    result = load("unmasked")
    facts = unmasked.facts(result)
    assert result.verdict == "reproduced"
    assert result.config["bert"]["chosen"] == 0.4
    hidden = [facts[f"masked {mixture}"].mean for mixture in unmasked.MIXTURES]
    assert max(hidden) - min(hidden) < 0.1
    assert facts["own 80/0/20"].mean < 0.05
    assert facts["own first 80/0/20"].value > 99
    assert facts["own first 100/0/0"].value < 20
    assert facts["noticed 80/0/20"].value < 5 < 50 < facts["noticed 80/10/10"].value < facts["noticed 100/0/0"].value
    assert facts["probe 80/10/10"].value > facts["probe 100/0/0"].value > 50
