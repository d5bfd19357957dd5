"""Spans by hand, and what is no tag."""

import pytest

from qkv.scoring.spans import SpanScore, span_f1, spans


@pytest.mark.parametrize(
    ("tags", "found"),
    [
        ("O O", set()),
        ("B-a I-a O", {("a", 0, 2)}),
        ("B-a B-a", {("a", 0, 1), ("a", 1, 2)}),
        ("B-a I-b", {("a", 0, 1), ("b", 1, 2)}),  # an I of another type opens a span
        ("O I-a I-a", {("a", 1, 3)}),  # so does an I after O
        ("B-film-title I-film-title", {("film-title", 0, 2)}),
        ("", set()),
    ],
)
def test_spans_by_hand(tags, found):
    assert spans(tags.split()) == found


def test_half_a_span_is_no_span():
    """Two true spans; two given, one of them too short: 1 of 2 and 1 of 2."""
    references = [["B-a", "I-a", "O"], ["B-b"]]
    assert span_f1([["B-a", "O", "O"], ["B-b"]], references) == SpanScore(0.5, 0.5, 0.5)
    assert span_f1([["B-a", "I-a", "B-b"], ["O"]], references) == SpanScore(0.5, 0.5, 0.5)
    assert span_f1(references, references) == SpanScore(1.0, 1.0, 1.0)


def test_precision_and_recall_are_not_swapped():
    found = span_f1([["B-a", "B-a", "B-a"]], [["B-a", "O", "O"]])
    assert (found.precision, found.recall, found.f1) == pytest.approx((1 / 3, 1, 0.5))


def test_nothing_found_is_zero():
    assert span_f1([["O"]], [["B-a"]]) == span_f1([["B-a"]], [["O"]]) == SpanScore(0.0, 0.0, 0.0)


@pytest.mark.parametrize("tag", ["B", "I-", "person", "X-a", "", "o"])
def test_what_is_no_tag(tag):
    with pytest.raises(ValueError, match=f"got '{tag}' at token 1"):
        spans(["O", tag])


def test_lengths_that_disagree():
    with pytest.raises(ValueError, match="1 tags for 2 tokens in sentence 1"):
        span_f1([["O"], ["O"]], [["O"], ["O", "O"]])
    with pytest.raises(ValueError, match="1 answers and 2 references"):
        span_f1([["O"]], [["O"], ["O"]])
