"""Filling gaps with any BERT, and with the committed one at the command line."""

from dataclasses import replace

import pytest
import torch
from typer.testing import CliRunner

from qkv.__main__ import app
from qkv.fill import UnfillableTextError, chances, fill
from qkv.models.bert import PRESETS, BERTForPreTraining
from qkv.text.wordpiece import SPECIAL, WordPiece

PIECES = WordPiece([*SPECIAL, *"abc", "##b", "##c"])


@pytest.fixture(scope="module")
def untrained() -> BERTForPreTraining:
    torch.manual_seed(0)
    return BERTForPreTraining(replace(PRESETS["smoke"], vocab_size=len(PIECES))).eval()


def test_chances_are_those_of_the_whole_model_at_the_gaps(untrained):
    row = torch.tensor([[2, 5, 4, 5, 8, 4, 3]])  # [CLS] a [MASK] a ##b [MASK] [SEP]
    with torch.no_grad():
        expected = untrained(row)[0][0, [2, 5]].softmax(-1)
    torch.testing.assert_close(chances(untrained, PIECES, "a [MASK] ab [MASK]"), expected)


def test_the_best_come_first_and_gaps_in_the_order_of_the_text(untrained):
    found = fill(untrained, PIECES, "[MASK] a [MASK]", count=3)
    all_chances = chances(untrained, PIECES, "[MASK] a [MASK]")
    for gap, row in zip(found, all_chances, strict=True):
        assert [piece for piece, _ in gap] == [PIECES.vocabulary[i] for i in row.argsort(descending=True)[:3]]
        assert [chance for _, chance in gap] == sorted(row.tolist(), reverse=True)[:3]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a b", r"expected a text with \[MASK\] where a word is missing, got 'a b'"),
        ("a [mask]", r"expected a text with \[MASK\]"),
        ("[MASK]" + " a" * 30, r"at most 30 pieces, got '\[MASK\] a.*': 31"),
    ],
)
def test_a_text_that_cannot_be_filled_is_told_so(untrained, text, message):
    with pytest.raises(UnfillableTextError, match=message):
        fill(untrained, PIECES, text)


def test_the_longest_text_is_read(untrained):
    assert len(fill(untrained, PIECES, "[MASK]" + " a" * 29)) == 1


def test_the_command_prints_one_line_per_gap():
    answer = CliRunner().invoke(app, ["fill", "He went [MASK] of the [MASK]."])
    assert answer.exit_code == 0
    first, second = answer.output.splitlines()
    assert first.startswith("out 0.")
    assert len(first.split()) == len(second.split()) == 10


def test_the_command_says_what_it_cannot_fill():
    answer = CliRunner().invoke(app, ["fill", "He went out."])
    assert answer.exit_code == 1
    assert "error: expected a text with [MASK] where a word is missing, got 'He went out.'" in answer.output
