"""SmolLM2's headlines: the wording is chosen on validation articles, answers are cut, new words are counted."""

import pytest

from qkv.recipes import headlines, smollm2_headlines
from qkv.recipes.protocol import measure
from qkv.scoring.rouge import rouge_l, words

SMOKE = smollm2_headlines.PRESETS["smoke"]
LENGTH = headlines.headline_length(headlines.PRESETS["full"])


@pytest.fixture
def prompts(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Puts a parrot in the model's place: it says the first words of the article, but only if asked with a request."""
    asked: list[str] = []

    def parrot(prompt: str, max_new_tokens: int) -> str:
        asked.append(prompt)
        assert max_new_tokens == SMOKE.max_new_tokens
        if "Write a headline" not in prompt:
            return "qqq"
        return prompt.partition("user\n")[2].partition("\n\nWrite")[0] + " Zebra!"

    monkeypatch.setattr(smollm2_headlines, "write", parrot)
    smollm2_headlines.trials.cache_clear()
    yield asked
    smollm2_headlines.trials.cache_clear()


def test_the_wording_is_chosen_on_validation_articles(prompts) -> None:
    tried = smollm2_headlines.trials(SMOKE)
    assert list(tried) == list(smollm2_headlines.WORDINGS)
    assert tried["request"] > 0 == tried["request first"] == tried["text that goes on"]
    beginnings = [" ".join(a.text.split()[:12]) for a in smollm2_headlines.articles("validation", 2)]
    assert len(prompts) == 6
    assert all(beginning in prompt for beginning, prompt in zip(beginnings * 3, prompts, strict=True))


def test_answers_are_cut_to_the_length_of_a_headline(prompts) -> None:
    given = smollm2_headlines.tested(SMOKE)
    expected = [words(" ".join(article.text.split()[:12]))[:LENGTH] for article in given]
    assert smollm2_headlines.smollm2(SMOKE) == expected
    assert len(given) == 3


def test_articles_are_spread_over_the_split() -> None:
    found = smollm2_headlines.articles("test", 3)
    all_of_them = headlines.load("news-headlines")["test"]
    assert [article.headline for article in found] == [
        all_of_them[i * len(all_of_them) // 3]["headline"] for i in range(3)
    ]


def test_a_run_from_end_to_end(prompts, tmp_path) -> None:
    result = measure("smollm2-headlines", smollm2_headlines, SMOKE, range(1), tmp_path)
    given, lead = smollm2_headlines.tested(SMOKE), smollm2_headlines.ARMS["lead"](SMOKE)
    answers = smollm2_headlines.smollm2(SMOKE)
    for i, difference in enumerate(smollm2_headlines.differences(result.config, result.values)):
        ours, other = (rouge_l(" ".join(each[i]), given[i].headline).f1 for each in (answers, lead))
        assert difference == pytest.approx(100 * (ours - other))
    facts = smollm2_headlines.facts(result)
    assert (facts["wording"], facts["articles"]) == ("request", 3)
    assert facts["new words lead"].mean == 0
    assert facts["new words printed"].mean > 0
    assert "ROUGE-L printed" not in facts


def test_new_words_are_those_that_the_article_does_not_hold(prompts, monkeypatch) -> None:
    article = headlines.Article("Cat missing", "A cat sat. A dog ran.", [["a", "cat", "sat"]])
    monkeypatch.setattr(smollm2_headlines, "tested", lambda config: [article])
    record = smollm2_headlines.run(SMOKE, "printed", 0)
    assert smollm2_headlines.unpack(record["new words"]) == [1]
    assert smollm2_headlines.unpack(smollm2_headlines.run(SMOKE, "lead", 0)["new words"]) == [0]
