"""Questions built by rule: each pattern by hand, the rival that a passage must have, where the answer stands."""

import pytest

from qkv.data.span_questions import (
    FEWEST_ASKED,
    FUNCTION_WORDS,
    MOST_ASKED,
    MOST_WORDS,
    PATTERNS,
    counts,
    places,
    span_questions,
    speakers,
    years,
)
from qkv.text.words import tokens

ALABAMA = "In 1819 Alabama joined the Union. Its old capital is now in Montgomery."


@pytest.mark.parametrize(
    ("rule", "text", "found"),
    [
        (years, "In 1819 and until 1846 , not 1846 or 3019", ["1819", "1846"]),
        (places, "He was in Paris , near the Black Sea , in May , at the French town", ["Paris", "Black Sea"]),
        (places, "It was sold in La Coruña , near Évreux and at LA", ["La Coruña", "Évreux"]),
        (counts, "67 counties , two old cats , three cats in 1846 and 1,200 ships", ["67", "three", "1,200"]),
        (speakers, '" No , " said Alice . " Oh ! " cried the White Rabbit , and Bill said', ["Alice", "White Rabbit"]),
    ],
)  # fmt: skip
def test_each_pattern_by_hand(rule, text, found):
    words = text.split()
    assert [" ".join(words[a : b + 1]) for a, b in rule(words)] == found


def test_a_question_from_the_docstring():
    (where,) = span_questions([ALABAMA])
    assert (where.kind, where.answer) == ("where", "Montgomery")
    assert where.question == ("where", "old", "capital")
    assert where.passage == tuple(tokens(ALABAMA))


def test_a_passage_without_a_rival_asks_nothing():
    assert span_questions(["It was in 1819 that it joined the others."]) == []
    assert span_questions(["He lived in Paris and loved it there."]) == []


def test_an_unknown_kind():
    with pytest.raises(KeyError):
        span_questions([ALABAMA], ["why"])


def test_what_every_question_keeps():
    texts = [
        f"In {year} Pisa built as many as {year % 7 + 2} ships of a new kind near Genoa. Rome had fifty in {year + 9}."
        for year in range(1200, 1300)
    ]
    asked = span_questions(texts)
    assert {question.kind for question in asked} == {"when", "where", "how many"} < set(PATTERNS)
    for question in asked:
        assert len(question.passage) <= MOST_WORDS
        assert question.passage[question.first : question.last + 1] == tuple(question.answer.split())
        content = question.question[len(question.kind.split()) :]
        assert FEWEST_ASKED <= len(content) == len(set(content)) <= MOST_ASKED
        assert not set(content) & (FUNCTION_WORDS | {question.answer.lower()})
    assert len({question.answer for question in asked if question.kind == "when"}) > 30
