"""The colours keep their promised contrast, in both schemes, on the page and on surfaces."""

import re
from pathlib import Path

import pytest

CSS = (Path(__file__).resolve().parents[2] / "book" / "_static" / "tokens.css").read_text()
PAIRS = dict(re.findall(r"--([\w-]+): light-dark\((#\w{6}, #\w{6})\)", CSS))


def luminance(colour):
    """Relative luminance (WCAG 2.2)."""
    channels = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(first, second):
    high, low = sorted([luminance(first), luminance(second)], reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize("ground", ["page", "surface"])
@pytest.mark.parametrize("token", ["ink", "muted", "query", "key", "value", "pass", "fail"])
def test_text_colours_reach_level_aa(token, ground, scheme):
    assert contrast(PAIRS[token].split(", ")[scheme], PAIRS[ground].split(", ")[scheme]) >= 4.5


def test_contrast_by_hand():
    assert contrast("#ffffff", "#000000") == pytest.approx(21)
    assert contrast("#2563eb", "#ffffff") == pytest.approx(5.17, abs=0.01)


def test_the_course_uses_no_other_colour():
    sheet = (Path(__file__).resolve().parents[2] / "book" / "_static" / "course.css").read_text()
    assert set(re.findall(r"#[0-9a-fA-F]{3,8}\b(?=[;, )])", sheet)) == {"#fff"}, "only the white card of pictures"
