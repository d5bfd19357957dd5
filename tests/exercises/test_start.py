"""Chapter 00: what its prompts claim, and what its checkers say beyond the rules that all exercises keep."""

import re
from pathlib import Path

import pytest
import torch
from torch.nn import functional

from qkv.exercises import check, mutants
from qkv.exercises.engine import exercises, find
from qkv.exercises.functions import Function
from qkv.exercises.sheet import as_percent
from qkv.exercises.start import TRAINING_CODE, run_lines, squared_distance
from qkv.exercises.start_mistakes import MISTAKES
from qkv.exercises.start_tensors import one_hot, surprises
from qkv.scoring.edit_distance import edit_distance as packaged

ROOT = Path(__file__).resolve().parents[2]
ALL = exercises("00")
LOOPS = [exercise for exercise in ALL if isinstance(exercise, Function) and not exercise.starred]


def test_eight_shape_puzzles_each_with_a_slow_loop_three_of_them_in_the_page():
    assert len(LOOPS) == 8
    assert all(re.search(r"```\n.*\bfor \w+ in range\(.*```", exercise.prompt, re.S) for exercise in LOOPS)
    assert sum(not exercise.tensors for exercise in LOOPS) == 3


def test_the_line_to_paste_first_fails_by_name_and_the_toy_shows_it():
    line = re.search(r"^    return (.+)$", find("start.meet_the_checker").prompt, re.M).group(1)
    pasted = eval(f"lambda first, second: {line}")
    report = check("start.meet_the_checker", pasted)
    assert (report.status, report.mistake) == ("failed", "Q3")
    assert "For *cat* and *mat*, the result: 0, expected 2." in report.message


def test_a_stub_without_imports_begins_with_its_function():
    exercise = find("start.turn_a_table")
    assert exercise.stub.startswith("def turn(")
    assert exercise.solution.startswith("def turn(")


def test_every_mistake_of_the_chapter_is_named_somewhere():
    named = {code for exercise in ALL for code in exercise.codes}
    assert named == set(MISTAKES)


def test_mistakes_of_other_chapters_keep_their_names():
    from qkv.exercises.attention_mistakes import MISTAKES as LATER

    for code in ("S5", "S6"):
        assert (MISTAKES[code].phrase, MISTAKES[code].why) == (LATER[code].phrase, LATER[code].why)
    assert not {code for code in MISTAKES if code.startswith("Q")} & set(LATER)


def test_the_shares_of_exercise_8_cost_what_its_options_say():
    exercise = find("start.predict_surprise")
    rows = re.findall(r"^(\w+) +((?:\.\d+ +){4})(\.\d+)$", exercise.prompt, re.M)
    given = {name: [float(share) for share in shares.split()] for name, shares, _ in rows}
    assert {name: sum(shares) / 4 for name, shares in given.items()} == pytest.approx(
        {name: float(average) for name, _, average in rows}
    )
    losses = {name: -torch.tensor(shares).log().mean().item() for name, shares in given.items()}
    lowest = exercise.fields[0]
    assert lowest.options[lowest.right].text == min(losses, key=losses.get) == "one"
    for letter, name in (("A", "one"), ("C", "three")):
        assert f"the average is {losses[name]:.2f}.".replace("0.", ".") in lowest.options[letter].why


def test_the_training_step_is_that_of_autograd():
    weight = torch.tensor(1.0, requires_grad=True)
    ((weight * 2 - 6) ** 2).backward()
    lines = [find("start.order_a_training_step").lines[letter].code for letter in "CEAB"]
    assert run_lines(lines) == [[pytest.approx((1 - 0.1 * weight.grad).item())]]
    assert run_lines(lines) == [[pytest.approx(2.6)]]


@pytest.mark.parametrize(
    ("first_line", "loss", "weight"), [("x[:, None] * weight", 6.0, 0.0), ("x * weight", 0.0, 3.0)]
)
def test_the_code_of_exercise_12_comes_to_rest_where_the_prompt_says(first_line, loss, weight):
    x = torch.tensor([-1.0, 0, 1])
    names = {"x": x, "answers": 3 * x, "weight": torch.tensor(1.0, requires_grad=True), "torch": torch}
    code = TRAINING_CODE.replace("x[:, None] * weight", first_line)
    losses = []
    for _ in range(100):
        exec(code, names)
        losses.append(names["loss"].item())
    assert losses[0] > losses[-1] == pytest.approx(loss, abs=1e-4)
    assert names["weight"].item() == pytest.approx(weight, abs=1e-4)


def test_independent_errors_in_exercise_13():
    words = find("start.which_sentence").fields[0]
    assert f"; {100 * (1 - 0.9**6):.0f} if errors fall independently" in words.options[words.right].text


def test_references_agree_with_pytorch():
    scores, right = torch.randn(5, 7, generator=torch.Generator().manual_seed(0)), torch.tensor([0, 6, 3, 3, 1])
    torch.testing.assert_close(surprises(scores, right), functional.cross_entropy(scores, right, reduction="none"))
    assert torch.equal(one_hot(right, 7).long(), functional.one_hot(right, 7))
    first, second = [1.0, 2.0, 4.0], [0.5, 2.5, -1.0]
    assert squared_distance(first, second) == pytest.approx(torch.dist(*map(torch.tensor, (first, second))).item() ** 2)


def test_a_missing_last_line_of_a_parsons_answer_is_told_without_words_of_another_chapter():
    assert check("start.order_a_training_step", "CEA").message.startswith("No line makes `weight` yet.")


def test_mutants_on_the_page_answer_on_plain_lists():
    for identifier in ("start.meet_the_checker", "start.turn_a_table", "start.dot_products"):
        for code, answer in mutants(identifier).items():
            assert check(identifier, answer).mistake == code


def test_slips_of_beginners_with_loops_have_names():
    def returns_too_early(first, second):
        for a, b in zip(first, second, strict=True):
            return (a - b) ** 2
        return None

    def keeps_the_last(first, second):
        for a, b in zip(first, second, strict=True):
            total = (a - b) ** 2
        return total

    def writes_into_one_row(table):
        turned = [[0.0] * len(table)] * len(table[0])
        for i, row in enumerate(table):
            for j, number in enumerate(row):
                turned[j][i] = number
        return turned

    assert check("start.meet_the_checker", returns_too_early).mistake == "Q29"
    assert check("start.meet_the_checker", keeps_the_last).mistake == "Q29"
    assert check("start.turn_a_table", writes_into_one_row).mistake == "Q31"


def test_a_count_without_keepdim_is_named_where_sizes_are_equal_by_chance():
    def counts_meet_columns(rows, real):
        return (rows * real[..., None]).sum(1) / real.sum(1)

    report = check("start.mean_of_real", counts_meet_columns)
    assert report.mistake == "Q33"
    assert "second entry" in report.message or "[0, 1]" in report.message


def test_the_notebook_is_the_sheet_of_the_declarations():
    """Rewrite it with `python -m qkv.exercises.sheet 00 > chapters/00_start/exercises.py`."""
    assert (ROOT / "chapters/00_start/exercises.py").read_text(encoding="utf-8") == as_percent("00")


def test_the_slow_edit_distance_of_the_prompt_is_right_and_too_slow():
    exercise, names = find("start.edit_distance"), {}
    exec(re.search(r"```\n(.*?)```", exercise.prompt, re.S).group(1), names)
    for probe in exercise.probes[:-1]:
        assert names["slow"](**probe.inputs) == packaged(**probe.inputs)
    assert exercise.expected[-1].flat == (packaged(**exercise.probes[-1].inputs),)
    assert "was stopped" in check("start.edit_distance", names["slow"]).message
