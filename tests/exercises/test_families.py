"""Chapter 01: what its exercises say of answers that the banks do not hold."""

from pathlib import Path

import pytest
import torch

from qkv.exercises import check
from qkv.exercises.families import reach, reading_table
from qkv.exercises.families_tensors import prefix_masks, two_stacks
from qkv.exercises.sheet import as_percent
from qkv.inspection import families as library
from qkv.nn.masks import causal, prefix

ROOT = Path(__file__).resolve().parents[2]


def test_the_notebook_is_the_sheet_of_the_declarations():
    """Rewrite it with `python -m qkv.exercises.sheet 01 > chapters/01_families/exercises.py`."""
    assert (ROOT / "chapters/01_families/exercises.py").read_text(encoding="utf-8") == as_percent("01")


@pytest.mark.parametrize("length", [1, 2, 5])
def test_the_references_agree_with_the_library(length):
    for k in range(length + 1):
        assert torch.equal(torch.tensor(reading_table(length, k)), prefix(length, k))
        assert torch.equal(two_stacks(length, 3), prefix(length + 3, length))
        assert torch.equal(prefix_masks(torch.tensor([length]), torch.tensor([k]), length)[0], prefix(length, k))
    assert torch.equal(torch.tensor(reach(causal(length).tolist(), 3)), causal(length))


def test_the_librarys_own_test_from_outside_passes():
    assert check("families.who_reads", library.who_reads).status == "passed"


def test_a_rounded_mask_of_numbers_is_as_good_as_true_and_false():
    report = check("families.reading_table", lambda n, p: torch.tensor(reading_table(n, p)).int().tolist())
    assert report.status == "passed"


def test_a_mask_of_floats_is_told_its_type():
    report = check("families.two_stacks", lambda n, m: two_stacks(n, m).float())
    assert (report.status, report.mistake) == ("failed", None)
    assert "float32" in report.message


def test_a_table_for_square_texts_only_is_not_called_by_another_name():
    report = check("families.two_stacks", lambda n, m: prefix(2 * n, n))
    assert (report.status, report.mistake) == ("failed", None)
    assert "shape" in report.message


def test_one_box_less_than_asked_is_named():
    assert check("families.reach", lambda table, boxes: reach(table, max(boxes - 1, 0))).mistake == "Z11"


def test_text_changed_in_place_is_told():
    def in_place(run, text, other):
        before, columns = run(text), []
        for j in range(len(text)):
            kept = text[j].clone()
            text[j] = other[j]
            columns.append((run(text) - before).abs().amax(-1) > 1e-6)
            text[j] = kept
        text += 0.5
        return torch.stack(columns, dim=1)

    report = check("families.who_reads", in_place)
    assert report.status == "failed"
    assert "in place" in report.message
