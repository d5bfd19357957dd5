"""Sealed boxes, who reads whom, and a writer to be fooled."""

import math
import random

import pytest
import torch

from qkv.inspection.families import LENGTH, SealedBox, Writer, print_reading, train_writer, who_reads, write
from qkv.nn.masks import causal, prefix

TEXT = "abcdefg " * 60


def open_mask(length):
    return torch.ones(length, length, dtype=torch.bool)


@pytest.mark.parametrize("mask", [causal(5), prefix(5, 3), open_mask(5), torch.eye(5).bool()])
def test_a_box_reads_what_it_may_and_nothing_else(mask):
    torch.manual_seed(0)
    box, (text, other) = SealedBox(8), torch.randn(2, 5, 8)
    assert torch.equal(who_reads(lambda x: box(x, x, mask), text, other), mask | torch.eye(5).bool())


def test_rows_of_one_text_read_another():
    torch.manual_seed(0)
    box, rows, (text, other) = SealedBox(8), torch.randn(3, 8), torch.randn(2, 4, 8)
    may_read = torch.tensor([[True, False, False, True]] * 3)
    assert torch.equal(who_reads(lambda x: box(rows, x, may_read), text, other), may_read)


def test_who_reads_by_hand():
    table = who_reads(lambda ids: ids.cumsum(0)[:, None].double(), torch.tensor([1, 2, 3]), torch.tensor([2, 3, 4]))
    assert torch.equal(table, causal(3))


@pytest.mark.parametrize("other", [[2, 2, 4], [2, 3]])
def test_the_other_text_differs_at_every_place(other):
    with pytest.raises(ValueError, match="something else at every place"):
        who_reads(lambda ids: ids[:, None], torch.tensor([1, 2, 3]), torch.tensor(other))


def test_a_table_is_printed_with_its_words(capsys):
    print_reading(causal(2), ["cat", "it"], ["cat", "it"], "reads")
    assert capsys.readouterr().out.splitlines() == ["reads  cat  it", "cat      ■   ·", "it       ■   ■"]
    with pytest.raises(ValueError, match="1 × 2 labels"):
        print_reading(causal(2), ["cat"], ["cat", "it"])


def test_the_writers_mask_decides_who_reads_whom():
    torch.manual_seed(0)
    for mask in (causal, open_mask):
        writer = Writer("abc", mask).eval()
        table = who_reads(lambda ids, w=writer: w(ids[None])[0], torch.tensor([0, 1, 2]), torch.tensor([1, 2, 0]))
        assert torch.equal(table, mask(3))


def test_in_letters_at_random_only_a_writer_that_looks_ahead_loses_less_than_a_guess_and_not_at_the_last_place():
    letters = "".join(random.Random(0).choices("abcdefgh", k=4000))
    runs = {mask: train_writer(letters, letters[::-1], mask, num_steps=200) for mask in (causal, open_mask)}
    assert runs[causal].test_loss > math.log(8) - 0.05
    places = runs[open_mask].by_place
    assert len(places) == LENGTH
    assert sum(places[:-1]) / (LENGTH - 1) < math.log(8) / 2
    assert places[-1] > math.log(8) - 0.05
    assert runs[open_mask].test_loss == pytest.approx(sum(places) / LENGTH)


def test_writing_goes_on_and_ends_where_training_did():
    run = train_writer(TEXT, TEXT, causal, num_steps=80)
    assert write(run.writer, "abcdefg abc", 8) == "abcdefg abcdefg abc"
    with pytest.raises(ValueError, match="1 to 32 letters in all"):
        write(run.writer, "abc", 30)
    with pytest.raises(ValueError, match="1 to 32"):
        write(run.writer, "", 3)
