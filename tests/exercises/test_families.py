"""Chapter 01: what its exercises say of answers that the banks do not hold."""

from pathlib import Path

import pytest
import torch

from qkv.exercises import check
from qkv.exercises.families import reach, reading_table
from qkv.exercises.families_tensors import PREFIX_MASKS, prefix_masks, two_stacks
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


def asked(compare, dim=1):
    """An answer to `who_reads` whose comparison is another one."""

    def answer(run, text, other):
        before, columns = run(text), []
        for j in range(len(text)):
            changed = text.clone()
            changed[j] = other[j]
            columns.append(compare(run(changed), before, changed))
        return torch.stack(columns, dim=dim)

    return answer


@pytest.mark.parametrize(
    ("compare", "code"),
    [
        (lambda after, before, changed: ((after - before).abs() > 1e-6)[:, 0], "Z29"),
        (lambda after, before, changed: ((after - before).abs() > 1e-6)[:, -1], "Z29"),
        (lambda after, before, changed: (after - before).mean(-1).abs() > 1e-6, None),
        (lambda after, before, changed: (after - before).sum(-1).abs() > 1e-6, "Z29"),
        (lambda after, before, changed: (after - before > 1e-6).any(-1), "Z29"),
        (lambda after, before, changed: (after != before).any(-1), "Z29"),
        (lambda after, before, changed: ((after - before).abs() > 0.1).any(-1), None),
        (lambda after, before, changed: ((after - changed).abs() > 1e-6).any(-1), "Z30"),
        (lambda after, before, changed: ((after - before).abs() > 1e-6).any(), "Z28"),
        (lambda after, before, changed: ((after - before).abs() < 1e-6).any(-1), "M3"),
    ],
)
def test_rows_that_are_compared_otherwise_do_not_pass(compare, code):
    report = check("families.who_reads", asked(compare))
    assert report.status == "failed"
    if code:
        assert report.mistake == code
    if code == "Z29":
        assert "must change in every entry" not in report.message


def test_a_turned_answer_with_another_slip_is_sent_to_the_sealed_box():
    report = check("families.who_reads", asked(lambda after, before, changed: (after - before > 1e-6).any(-1), dim=0))
    assert report.mistake == "Z14+Z29"
    assert report.message.endswith("What does a sealed box promise?")


def test_the_last_hint_for_prefixes_is_right_once_its_gap_is_filled():
    hint = PREFIX_MASKS.hints[-1].removeprefix("return ").replace("▢", "None")

    def answer(lengths, prefix_lengths, longest):
        names = {"place": torch.arange(longest), "lengths": lengths, "prefix_lengths": prefix_lengths}
        return eval(hint, names)

    assert check("families.prefix_masks", answer).status == "passed"


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("(place[:, None] >= place | (place < p[:, None, None])) & (place < n[:, None, None])", "Z8"),
        ("(place[:, None] >= place | place < p[:, None, None]) & (place < n[:, None, None])", "Z8"),
        ("(place[:, None] >= place or place < p[:, None, None]) and place < n[:, None, None]", "Z8"),
        ("(place[:, None] >= place) & (place < p[:, None, None]) & (place < n[:, None, None])", "Z8"),
        ("((place[:, None] >= place) | (place < p[:, None])) & (place < n[:, None, None])", "Z31"),
        ("((place[:, None] >= place) | (place < p[:, None])) & (place < n[:, None])", "Z31"),
        ("((place[:, None] >= place) | (place < p[:, None, None])) & (place < n[0])", "Z31"),
        ("((place[:, None] >= place) | (place < p[:, None, None])) & (place <= n[:, None, None])", "Z32"),
        ("(((place[:, None] >= place) | (place < p[:, None, None])) & (place < n[:, None, None])).mT", "Z4"),
    ],
)
def test_slips_in_the_line_for_prefixes_are_named(line, code):
    report = check("families.prefix_masks", lambda n, p, t: eval(line, {"place": torch.arange(t), "n": n, "p": p}))
    assert report.mistake == code, report.message


@pytest.mark.parametrize(
    ("cell", "rounds", "begin", "code"),
    [
        ("k[i][j] or any(table[i][m] and k[m][j] for m in n)", "boxes", "table", "Z11"),
        ("k[i][j] or any(table[i][m] and k[m][j] for m in n)", "boxes - 1", "table", "Z11"),
        ("k[i][j] or any(k[i][m] and k[m][j] for m in n)", "boxes", "[[i == j for j in n] for i in n]", "Z10"),
        (
            "k[i][j] or any(k[i][m] and k[m][j] for m in n)",
            "boxes",
            "[[i == j or table[i][j] for j in n] for i in n]",
            "Z11",
        ),
        ("k[i][j] or any(table[i][m] and k[j][m] for m in n)", "boxes", "[[i == j for j in n] for i in n]", "Z14"),
        ("k[i][j] or any(table[i][m] and k[m][i] for m in n)", "boxes", "[[i == j for j in n] for i in n]", "Z14"),
        ("k[i][j] or any(table[i][m] and k[i][j] for m in n)", "boxes", "[[i == j for j in n] for i in n]", "Z10"),
    ],
)
def test_slips_on_the_way_through_the_boxes_are_named(cell, rounds, begin, code):
    names = {}
    exec(
        f"def answer(table, boxes):\n    n = range(len(table))\n    k = {begin}\n    for _ in range({rounds}):\n"
        f"        k = [[{cell} for j in n] for i in n]\n    return k",
        names,
    )
    report = check("families.reach", names["answer"])
    assert report.mistake == code, report.message


def test_rows_that_are_changed_while_the_box_reads_them_are_named():
    def in_place(table, boxes):
        n = range(len(table))
        known = [[i == j for j in n] for i in n]
        for _ in range(boxes):
            for i in n:
                for j in n:
                    known[i][j] = known[i][j] or any(table[i][m] and known[m][j] for m in n)
        return known

    assert check("families.reach", in_place).mistake == "Z27"


@pytest.mark.parametrize(("cell", "code"), [("j <= i + p", "Z6"), ("i == j or j < p", "Z8"), ("j > i or j < p", "M3")])
def test_slips_in_the_rule_of_the_table_are_named(cell, code):
    rule = eval(f"lambda length, p: [[{cell} for j in range(length)] for i in range(length)]")
    assert check("families.reading_table", rule).mistake == code


@pytest.mark.parametrize(
    ("top_right", "bottom_left", "code"),
    [
        ("zeros(n, m)", "ones(m, n).triu()", "Z25"),
        ("ones(n, m).tril()", "ones(m, n)", "Z22"),
        ("zeros(m, n)", "zeros(n, m)", "Z26+Z24"),
        ("ones(m, n)", "ones(n, m)", "Z26+Z22"),
    ],
)
def test_slips_in_the_two_corners_are_named(top_right, bottom_left, code):
    def answer(n, m):
        names = {"zeros": torch.zeros, "ones": torch.ones, "n": n, "m": m}
        right, left = eval(top_right, names).bool(), eval(bottom_left, names).bool()
        source, before = torch.ones(n, n).bool(), torch.ones(m, m).bool().tril()
        return torch.cat([torch.cat([source, right], dim=1), torch.cat([left, before], dim=1)])

    assert check("families.two_stacks", answer).mistake == code


def test_choices_are_answered_in_words_that_fit_them():
    again = {"begin": "A", "leak": "B", "shape": "B"}
    for letter in "AC":
        report = check("families.again", again | {"shape": letter})
        assert report.message.endswith("Which masks are there?")  # comparisons of columns and rows stand there
    assert "more training" in check("families.again", again | {"leak": "C"}).message
    ahead = {"version": "C", "line": "3", "evidence": "B", "fix": "A"}
    assert "“whoever copies looks ahead”" in check("families.which_looks_ahead", ahead).message
    cards = ("snippet", "names", "extract", "story", "summary", "translation", "answer")
    assert "“an encoder–decoder for everything”" in check("families.deal_the_cards", dict.fromkeys(cards, "C")).message
