"""The baselines for headlines: what each answers, and the scores that come back from the packed counts."""

import pytest

from qkv.recipes import headlines
from qkv.recipes.protocol import measure
from qkv.scoring.rouge import rouge_l, rouge_n, words

SMOKE = headlines.PRESETS["smoke"]
TEXT = "A big fire burnt the old mill down. Nobody came. The town mourns its oldest landmark of all."


def test_openings_have_one_length_and_short_sentences_are_passed_over() -> None:
    assert headlines.openings(TEXT, 5) == [
        ["a", "big", "fire", "burnt", "the"],
        ["the", "town", "mourns", "its", "oldest"],
    ]
    assert headlines.openings("Nobody came. Why?", 3) == [["nobody", "came", "why"]]


def test_answers_of_each_arm(monkeypatch: pytest.MonkeyPatch) -> None:
    other = "The mill burnt."
    found = [headlines.Article(title, TEXT, headlines.openings(TEXT, 5)) for title in (other, "Old mill gone")]
    monkeypatch.setattr(headlines, "articles", lambda config: found)
    answers = {arm: [" ".join(answer) for answer in headlines.ARMS[arm](SMOKE, 0)] for arm in headlines.ARMS}
    first, last = "a big fire burnt the", "the town mourns its oldest"
    assert answers["first sentence"] == ["a big fire burnt the old mill down"] * 2
    assert answers["first words"] == ["a big fire burnt the old mill down nobody came the town"] * 2
    assert answers["first sentence, cut"] == [first] * 2
    assert {*answers["random sentence, cut"]} <= {first, last}
    drawn = {headlines.random_cut(SMOKE, seed)[0][0] for seed in range(20)}
    assert drawn == {"a", "the"}  # of the first sentence and of the last
    assert answers["tf-idf sentence, cut"] in ([first] * 2, [last] * 2)


def test_the_heaviest_opening_has_the_articles_rarest_words(monkeypatch: pytest.MonkeyPatch) -> None:
    others = ["the cat of the house", "the dog and the fox", "to the house of the cat"]
    monkeypatch.setattr(headlines, "load", lambda name: {"validation": {"text": others}})
    plain, rare = ["the", "house", "of", "the", "cat"], ["the", "fox", "and", "the", "dog"]
    text = " ".join([*plain, *rare])
    monkeypatch.setattr(headlines, "articles", lambda config: [headlines.Article("", text, [plain, rare])])
    assert headlines.heaviest_cut(SMOKE, 0) == [rare]


def test_scores_come_back_from_the_packed_counts(tmp_path) -> None:
    result = measure("headlines", headlines, SMOKE, range(1), tmp_path)
    for arm, answer in headlines.ARMS.items():
        article, said = headlines.articles(SMOKE)[3], " ".join(answer(SMOKE, 0)[3])
        assert headlines.scores(result.values, arm, "ROUGE-2")[3] == 100 * rouge_n(said, article.headline, 2).f1
        assert headlines.scores(result.values, arm, "ROUGE-L")[3] == 100 * rouge_l(said, article.headline).f1
    facts = headlines.facts(result)
    assert (facts["articles"], facts["length"]) == (20, headlines.headline_length(SMOKE))
    lead = result.values["first sentence, cut"]["ROUGE-L"][0]
    assert facts["ROUGE-L first sentence, cut"].mean == pytest.approx(lead, abs=1e-5)


def test_cut_answers_have_the_length_of_a_headline() -> None:
    length = headlines.headline_length(SMOKE)
    for arm in headlines.ARMS:
        if arm.endswith("cut"):
            assert {len(answer) for answer in headlines.ARMS[arm](SMOKE, 0)} == {length}
    assert 6 < length < 12


def test_contrast_by_hand() -> None:
    packed = {"ROUGE-L shared": [headlines.pack([2, 0])], "answer": [headlines.pack([4, 4])]}
    other = packed | {"ROUGE-L shared": [headlines.pack([1, 1])]}
    headline = {"reference": [headlines.pack([4, 1])]}
    values = {"first sentence, cut": packed | headline, "random sentence, cut": other | headline}
    assert headlines.differences({}, values) == pytest.approx([25, -40])


def test_words_of_the_answers_are_those_of_rouge() -> None:
    (answer,) = headlines.openings("It's five o'clock in Dublin-town today.", 9)
    assert answer == words("It's five o'clock in Dublin-town today.")
