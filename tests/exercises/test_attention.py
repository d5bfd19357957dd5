"""Chapter 02: what its checkers say beyond the rules that all exercises keep, and what its plain exercises claim."""

import math
import random
import re
import runpy
from pathlib import Path

import pytest
import torch

from qkv import toy
from qkv.exercises import Report, catalogue, check, hint, mutants, progress
from qkv.exercises.attention import VERSIONS, version_source
from qkv.exercises.attention import softmax as plain_softmax
from qkv.exercises.attention_mistakes import MISTAKES
from qkv.exercises.engine import exercises, find

ROOT = Path(__file__).resolve().parents[2]
ALL = exercises("02")
ANSWERS = runpy.run_path(str(Path(__file__).with_name("answers_02.py")))
attention_by_library, attention_with_where, chunks_by_logsumexp, heads_by_expand, one_query_by_a_loop = (
    ANSWERS[name]
    for name in (
        "attention_by_library",
        "attention_with_where",
        "chunks_by_logsumexp",
        "heads_by_expand",
        "one_query_by_a_loop",
    )
)


def for_ever():
    while True:
        pass


def test_a_division_by_d_k_and_one_done_twice_are_the_same_numbers_and_both_are_named():
    for identifier in ("attention.one_query", "attention.scaled_dot_product_attention", "attention.fill_the_scores"):
        report = check(identifier, mutants(identifier)["A3 or A10"])
        assert report.mistake == "A3 or A10"
        assert report.codes == ("A3", "A10")
        assert "(A3)" in report.message
        assert "(A10)" in report.message


def test_the_catalogue_of_attention_and_masks_is_covered():
    named = {code for entry in catalogue() if entry.chapter == "02" for code in entry.codes}
    # M14, a decoder's input shifted by the wrong amount, belongs to the exercise on shifting.
    wanted = {f"A{n}" for n in range(1, 11)} | {f"M{n}" for n in range(1, 14)}
    assert wanted <= named
    assert named <= set(MISTAKES)


def test_a_nearly_right_answer_is_not_called_by_a_name():
    def off(query, key, value, may_attend=None):
        return attention_with_where(query, key, value, may_attend)[0] + 2e-6 * query.shape[-2]

    assert check("attention.scaled_dot_product_attention", off).mistake is None


def test_an_endless_loop_inside_a_value_is_stopped():
    class Endless(dict):
        def __iter__(self):
            for_ever()

        __len__ = __iter__

    report = check("attention.predict_softmax", Endless())
    assert report.status == "failed"
    assert "could not be read" in report.message or "Expected a dictionary" in report.message


def test_a_keyboard_interrupt_passes_through():
    def interrupted(*arguments):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        check("attention.one_query", interrupted)


def test_a_change_of_the_inputs_is_told_and_harms_no_later_check():
    def changes(query, keys, values):
        result = one_query_by_a_loop(query, keys, values)
        values.append([0.0])
        query[:] = [0.0] * len(query)
        return result

    for _ in range(2):
        report = check("attention.one_query", changes)
        assert report.status == "failed"
        assert "changes its input `query`, `values` in place" in report.message
    before = torch.tensor(toy.QUERY)

    def changes_tensor(query, key, value, may_attend=None):
        query *= 1 / math.sqrt(query.shape[-1])
        key_t = key.mT
        scores = query @ key_t
        query.zero_()
        if may_attend is not None:
            if not may_attend.any(-1).all():
                raise ValueError
            scores = scores.masked_fill(~may_attend, -math.inf)
        return scores.softmax(-1) @ value

    assert "changes its input `query`" in check("attention.scaled_dot_product_attention", changes_tensor).message
    assert before.equal(torch.tensor(toy.QUERY))
    assert check("attention.scaled_dot_product_attention", attention_with_where).status == "passed"


def test_torchs_random_state_grad_mode_and_dtype_are_restored():
    def meddles(*arguments):
        torch.manual_seed(5)
        random.seed(5)
        torch.set_grad_enabled(False)
        torch.set_default_dtype(torch.float16)
        raise ValueError

    torch.manual_seed(1)
    expected = torch.rand(3)
    torch.manual_seed(1)
    with torch.no_grad():
        check("attention.scaled_dot_product_attention", meddles)
        assert not torch.is_grad_enabled()
    assert torch.get_default_dtype() == torch.float32
    assert torch.rand(3).equal(expected)
    assert torch.is_grad_enabled()


@pytest.mark.parametrize("context", [torch.no_grad, torch.inference_mode])
def test_check_works_where_gradients_are_off(context):
    with context():
        assert check("attention.scaled_dot_product_attention", attention_with_where).status == "passed"


# --- what an unnamed mistake is told


def test_dtype_gradient_batch_and_memory_have_their_own_sentences():
    identifier = "attention.scaled_dot_product_attention"

    def message(function):
        return check(identifier, function).message

    assert "float32 tensor" in message(lambda q, k, v, m=None: attention_by_library(q, k, v, m).float())
    lost = message(lambda q, k, v, m=None: attention_by_library(q, k.detach(), v, m))
    assert "gradient with respect to `key` does not arrive" in lost
    assert lost.endswith("→ What may be read?")
    assert "no gradient flows back" in message(lambda q, k, v, m=None: attention_by_library(q, k, v, m).detach())

    def shares_item_0(query, key, value, may_attend=None):
        if query.ndim > 2 and may_attend is None:
            key = key[:1].expand_as(key)
        return attention_by_library(query, key, value, may_attend)

    assert "Item 0 right and a later one not" in message(shares_item_0)
    held = check("attention.in_chunks", lambda query, chunks: chunks_by_logsumexp(query, list(chunks)))
    assert "held several chunks at once" in held.message
    unnormalised = message(lambda q, k, v, m=None: attention_by_library(q, k, v, m) * 1.5)
    assert "row *cat* gives 1.5 instead of 1" in unnormalised


def test_a_gap_that_is_still_open_is_not_attempted():
    def half(query, key, d_model):
        return query @ key.mT / ...

    report = check("attention.fill_the_scores", half)
    assert report.status == "not attempted"
    assert "A gap still holds" in report.message


def test_a_mask_that_is_mixed_in_late_is_told_where_nan_comes_from():
    def late(query, key, value, may_attend=None):
        weights = attention_with_where(query, key, torch.eye(key.shape[-2]).expand(*key.shape[:-1], -1))[0]
        if may_attend is not None:
            if not may_attend.any(-1).all():
                raise ValueError
            weights = weights * may_attend
            weights = weights / weights.sum(-1, keepdim=True)
        return weights @ value

    message = check("attention.scaled_dot_product_attention", late).message
    assert "Without a mask everything agrees. With a mask and scores of ±1000" in message
    assert "NaN comes from 0 / 0" in message


def test_a_table_of_floats_is_told_its_dtype_first():
    report = check("attention.causal_mask", lambda scores: torch.ones(scores.shape[-2:]).tril())
    assert report.mistake is None
    assert "returns a float64 tensor on cpu, expected a bool tensor" in report.message


def test_the_probe_is_handed_over():
    report = check(
        "attention.scaled_dot_product_attention", lambda q, k, v, m=None: attention_by_library(q, k, v, m) * 2
    )
    assert report.inputs["query"].tolist() == toy.QUERY


# --- what the plain exercises claim is computed, not believed


def test_predictions_of_softmax():
    def shown(scores):
        return " ".join(f"{share:.2f}"[1:] for share in plain_softmax(scores))

    assert shown([2.0, 1.0, 0.0]) == shown([102.0, 101.0, 100.0]) == ".67 .24 .09"
    assert shown([4.0, 2.0, 0.0]) == ".87 .12 .02"


def test_the_versions_of_the_debug_exercise_do_what_their_options_say():
    def weights(letter, scores):
        names = {"t": 3, "scores": [row[:] for row in scores], "weights": [None] * 3, "softmax": plain_softmax}
        exec(version_source(letter), names | {"inf": math.inf})
        return names["weights"]

    scores = [[1.0, 1.0, 1.0], [0.0, 0.0, 2.0], [2.0, 1.0, 0.0]]
    raised = [[1.0, 3.0, 1.0], *scores[1:]]
    for letter in VERSIONS:
        moved = weights(letter, scores)[0] != weights(letter, raised)[0]
        assert moved == (letter == "B")
        assert all(math.isclose(sum(row), 1) for row in weights(letter, scores))
    assert weights("A", scores)[1] == [1.0, 0.0, 0.0]
    assert weights("C", scores)[1] == [0.5, 0.5, 0.0]


def test_the_slopes_of_the_claim_exercise():
    """Mean and median of the slope of the shares with respect to the query, unscaled, keys and queries of coins ±1."""
    generator = torch.Generator().manual_seed(0)
    found = {}
    for d_k in (4, 512):
        coins = torch.randint(0, 2, (1500, 9, d_k), generator=generator) * 2.0 - 1
        query, keys = coins[:, 0], coins[:, 1:]
        shares = torch.softmax((keys @ query[..., None])[..., 0], -1)
        jacobian = torch.diag_embed(shares) - shares[:, :, None] * shares[:, None, :]
        slopes = torch.linalg.matrix_norm(jacobian @ keys)
        found[d_k] = slopes.mean().item(), slopes.median().item()
    prompt = find("attention.which_sentence").prompt
    means, medians = (
        map(float, re.search(rf"^ +{name} +(\S+) +(\S+)$", prompt, re.M).groups()) for name in ("mean", "median")
    )
    small, large = zip(means, medians, strict=True)
    assert found[4] == pytest.approx(small, abs=0.05)
    assert found[512] == pytest.approx(large, rel=0.25)


# --- hints, progress


def test_hints_come_one_at_a_time_and_the_last_stays():
    identifier = "attention.one_query"
    given = [str(hint(identifier)) for _ in range(4)]
    assert [text[:6] for text in given] == ["Hint 1", "Hint 2", "Hint 3", "Hint 3"]
    assert str(hint(identifier, 1)) == given[0]
    with pytest.raises(ValueError, match="has hints 1 to 3, got 4"):
        hint(identifier, 4)


def test_an_unknown_exercise_names_the_nearest():
    with pytest.raises(ValueError, match=r"did you mean 'attention\.one_query'"):
        check("attention.one_quary", 1)


def test_progress_remembers_passes_and_mistakes():
    check("attention.mask_for_heads", mutants("attention.mask_for_heads")["M10"])
    check("attention.mask_for_heads", heads_by_expand)
    check("attention.mask_for_heads", None)
    row = next(row for row in progress().rows if row["id"] == "attention.mask_for_heads")
    assert (row["status"], row["attempts"], row["mistakes"]) == ("passed", 2, ["M10"])
    assert f"1 of {len(catalogue())} exercises passed" in repr(progress())


def test_catalogue_lists_what_tools_need():
    entries = catalogue()
    assert len({entry.id for entry in entries}) == len(entries)
    assert sum(entry.chapter == "02" for entry in entries) == 13
    assert {entry.id for entry in entries} >= {"attention.scaled_dot_product_attention"}
    assert [e.id for e in entries if e.starred and e.chapter == "02"] == ["attention.in_chunks"]


def test_reports_show_the_link_and_escape_html():
    report = Report("x", "<b>", "failed", "Row *cat*: `a < b`.", "A4", "Whose shares add up to 1?", "02_attention")
    page = report._repr_html_()
    assert "<em>cat</em>" in page
    assert "<code>a &lt; b</code>" in page
    assert "&lt;b&gt;" in page
    assert "lesson.ipynb#5.-Whose-shares-add-up-to-1?" in page
    assert str(report) == "<b>: ✗ failed\nRow *cat*: `a < b`. → Whose shares add up to 1?"


def test_a_line_may_be_given_as_a_number():
    answer = {"version": "B", "line": 3, "input": "A", "fix": "A"}
    assert check("attention.find_the_leak", answer).status == "passed"
    wrong = check("attention.find_the_leak", answer | {"line": 6})
    assert wrong.message.startswith("For `line` expected one of 2, 3, 4, 5, got 6.")
