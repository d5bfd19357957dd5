"""The JSON for the page: complete, plain, and a second judge that reads nothing else comes to the same words."""

import json
import math
import subprocess
import sys

import pytest

from qkv.exercises import check, mutants
from qkv.exercises.attention import attend
from qkv.exercises.engine import find
from qkv.exercises.export import to_json

DATA = to_json("02")
BY_ID = {exercise["id"]: exercise for exercise in DATA["exercises"]}
IN_PAGE = [exercise for exercise in DATA["exercises"] if exercise["runs_in_page"]]


@pytest.fixture(autouse=True)
def own_state(tmp_path, monkeypatch):
    monkeypatch.setenv("QKV_HOME", str(tmp_path))


def equal(a, b):
    a, b = (math.nan if x == "nan" else x for x in (a, b))
    if isinstance(a, str) or isinstance(b, str):
        return a == b
    return (math.isnan(a) and math.isnan(b)) or abs(a - b) <= DATA["tolerance"] * max(1, abs(a), abs(b))


def agree(a, b):
    if set(a) != set(b) or "raised" in a:
        return a == b
    return a["shape"] == b["shape"] and all(map(equal, a["flat"], b["flat"]))


def page_judges_function(exercise, function):
    """What a page does, from the JSON alone."""
    outcomes = []
    for probe in exercise["probes"]:
        try:
            flat = function(**json.loads(json.dumps(probe["inputs"])))
            outcomes.append({"shape": [len(flat)], "flat": [x if math.isfinite(x) else str(x) for x in flat]})
        except Exception as error:
            outcomes.append({"raised": type(error).__name__})
    if all(map(agree, outcomes, [probe["expected"] for probe in exercise["probes"]])):
        return None, exercise["passed"]
    for mutant in exercise["mutants"]:
        if all(map(agree, outcomes, mutant["outcomes"])):
            return mutant["code"], mutant["message"]
    return None, "no known mistake"


def test_it_is_plain_json():
    assert json.loads(json.dumps(DATA, allow_nan=False)) == DATA


def test_seven_exercises_run_in_the_page_and_load_without_torch_or_numpy():
    assert [exercise["number"] for exercise in IN_PAGE] == [1, 2, 4, 5, 6, 8, 9]
    code = "import sys; import qkv.exercises as e; e.check('attention.order_the_steps', 'BDAF'); print(*sys.modules)"
    loaded = set(
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    )
    assert not {"torch", "numpy", "qkv.nn"} & loaded


def test_page_and_notebook_say_the_same_about_functions():
    exercise = BY_ID["attention.one_query"]
    assert page_judges_function(exercise, attend) == (None, check("attention.one_query", attend).message)
    for code, mutant in mutants("attention.one_query").items():
        report = check("attention.one_query", lambda query, keys, values, f=mutant: f(query, keys, values))
        assert page_judges_function(exercise, lambda query, keys, values, f=mutant: f(query, keys, values)) == (
            code,
            report.message,
        )


def test_page_and_notebook_say_the_same_about_choices_and_orders():
    for exercise in IN_PAGE:
        if exercise["judge"] != "function":
            for mutant in exercise["mutants"]:
                report = check(exercise["id"], mutant["answer"])
                assert (report.mistake, report.message) == (mutant["code"], mutant["message"])


def test_an_order_can_be_traced_from_the_json():
    exercise = BY_ID["attention.order_the_steps"]

    def trace(order):
        made = {}
        for letter in order:
            line = exercise["lines"][letter]
            inner = ", ".join(made[name] for name in line["reads"])
            made[line["makes"]] = f"{letter}({inner})" if inner else letter
        return made[exercise["wanted"]]

    assert trace(exercise["order"]) == exercise["trace"]
    assert [trace(m["answer"]) for m in exercise["mutants"]] == [m["trace"] for m in exercise["mutants"]]


def test_every_option_has_an_explanation_and_one_holds():
    for exercise in IN_PAGE:
        for field in exercise.get("fields", []):
            if field["type"] == "options":
                holding = [letter for letter, option in field["options"].items() if option["holds"]]
                assert holding == [field["right"]]
                assert all(option["why"] for option in field["options"].values())


def test_tensor_exercises_come_with_their_messages_to_read():
    exercise = BY_ID["attention.scaled_dot_product_attention"]
    assert not exercise["runs_in_page"]
    assert {mutant["code"] for mutant in exercise["mutants"]} >= {"A1", "M6", "A3 or A10"}
    assert exercise["stub"] == find(exercise["id"]).stub
