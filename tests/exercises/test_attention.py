"""Every exercise of chapter 02: stub, right answers, each named mistake, each kind of garbage, the reports' words."""

import ast
import itertools
import math
import random
import re
import time
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor

from qkv import toy
from qkv.exercises import Report, ask, catalogue, check, hint, mutants, progress, solution
from qkv.exercises.attention import VERSIONS, version_source
from qkv.exercises.attention import softmax as plain_softmax
from qkv.exercises.choices import Choice, Choose, Parsons
from qkv.exercises.engine import exercises, judged
from qkv.exercises.functions import Function
from qkv.exercises.judge import same
from qkv.exercises.mistakes import MISTAKES
from qkv.exercises.report import slug
from qkv.exercises.sandbox import state_kept

ROOT = Path(__file__).resolve().parents[2]
ALL = exercises("02")
FUNCTIONS = [exercise for exercise in ALL if isinstance(exercise, Function)]
every = pytest.mark.parametrize("exercise", ALL, ids=lambda e: e.id)
every_function = pytest.mark.parametrize("exercise", FUNCTIONS, ids=lambda e: e.id)
BANK = [pytest.param(e, m, id=f"{e.id}-{i}-{m.code}") for e in ALL for i, m in enumerate(e.bank())]
FORBIDDEN = re.compile(r"\b(wrong|simply|just|oops|obviously)\b|!(?!=)", re.I)


@pytest.fixture(autouse=True)
def own_state(tmp_path, monkeypatch):
    monkeypatch.setenv("QKV_HOME", str(tmp_path))


def run(source: str, name: str):
    names: dict = {}
    exec(source, names)
    return names[name]


# --- right answers


@every
def test_stub_is_not_attempted(exercise):
    report = check(exercise.id, run(exercise.stub, exercise.variable))
    assert report.status == "not attempted"
    assert f"{exercise.minutes} minutes" in report.message


@every
def test_solution_passes_and_asks_one_question(exercise):
    report = check(exercise.id, run(str(solution(exercise.id)), exercise.variable))
    assert (report.status, report.mistake) == ("passed", None), report.message
    assert report.message.count("?") == 1


def scores_by_einsum(query, key, d_model):
    return torch.einsum("...qd,...kd->...qk", query, key) * query.size(-1) ** -0.5


def scores_by_scaled_query(query: Tensor, key: Tensor, d_model: int) -> Tensor:
    return (query / math.sqrt(key.shape[-1])) @ key.mT


def one_query_by_differences(query, keys, values):
    scores = [sum(q * k for q, k in zip(query, key, strict=True)) * len(query) ** -0.5 for key in keys]
    shares = []
    for score in scores:
        gaps = [other - score for other in scores]
        shares.append(0.0 if max(gaps) > 700 else 1 / sum(map(math.exp, gaps)))
    return tuple(sum(s * v[i] for s, v in zip(shares, values, strict=True)) for i in range(len(values[0])))


def one_query_by_a_loop(q, k, v):
    best, total, mixed = -math.inf, 0.0, [0.0] * len(v[0])
    for key, value in zip(k, v, strict=True):
        score = sum(map(lambda a, b: a * b, q, key)) / len(q) ** 0.5
        new = max(best, score)
        old, mine = math.exp(best - new), math.exp(score - new)
        total = total * old + mine
        mixed = [m * old + mine * x for m, x in zip(mixed, value, strict=True)]
        best = new
    return [m / total for m in mixed]


def attention_with_where(query, key, value, may_attend=None):
    scores = torch.einsum("...qd,...kd->...qk", query * query.shape[-1] ** -0.5, key)
    if may_attend is not None:
        if (~may_attend).all(-1).any():
            raise ValueError(f"query {(~may_attend).all(-1).nonzero()[0].tolist()} reads nothing")
        scores = torch.where(may_attend, scores, torch.finfo(scores.dtype).min)
    weights = torch.softmax(scores, dim=-1)
    return weights @ value, weights


def attention_by_library(query, key, value, may_attend=None):
    if may_attend is not None and not may_attend.any(dim=-1).all():
        raise ValueError(may_attend.any(dim=-1).tolist().index(False))
    return F.scaled_dot_product_attention(query, key, value, attn_mask=may_attend)


def chunks_by_logsumexp(query, chunks):
    log_total, output = torch.tensor(-math.inf), torch.tensor(0.0)
    for key, value, may_attend in chunks:
        key, value = key[may_attend], value[may_attend]
        if len(key):
            scores = key @ query / len(query) ** 0.5
            new = torch.logaddexp(log_total, scores.logsumexp(0))
            output = output * (log_total - new).exp() + (scores - new).exp() @ value
            log_total = new
    return output


def chunks_one_by_one(query, chunks):
    best, total, mixed = -math.inf, 0.0, 0.0
    for key, value, may_attend in chunks:
        for k, v, readable in zip(key, value, may_attend, strict=True):
            if readable:
                score = float(k @ query) / math.sqrt(len(query))
                new = max(best, score)
                total = total * math.exp(best - new) + math.exp(score - new)
                mixed = mixed * math.exp(best - new) + v * math.exp(score - new)
                best = new
    return mixed / total


def dropped_by_where(scores, value, keep, rate, training):
    weights = scores.softmax(-1)
    return torch.where(keep, weights / (1 - rate), 0.0) @ value if training else weights @ value


def dropped_afterwards(scores, value, keep, rate, training):
    weights = torch.softmax(scores, dim=1)
    return (weights * keep) @ value * (1 / (1 - rate)) if training else torch.mm(weights, value)


def causal_by_positions(scores):
    t_q, t_k = scores.shape[-2:]
    asked = torch.arange(t_k - t_q, t_k, device=scores.device)
    return torch.arange(t_k, device=scores.device) <= asked[:, None]


def causal_from_scores(scores):
    mask = torch.ones_like(scores[(0,) * (scores.ndim - 2)], dtype=torch.bool)
    return mask.tril(mask.shape[1] - mask.shape[0])


def heads_by_expand(may_attend, num_heads):
    return may_attend[:, None].expand(-1, num_heads, -1, -1).reshape(-1, *may_attend.shape[1:])


def heads_by_stack(may_attend, num_heads):
    return torch.stack([mask for mask in may_attend for _ in range(num_heads)])


OTHER_WAYS = {
    "attention.predict_softmax": [
        {"softmax(102, 101, 100)": "b", "softmax(4, 2, 0)": "c", "reason": "a"},
        {"reason": " A ", "softmax(4, 2, 0)": "C", "softmax(102, 101, 100)": "B"},
    ],
    "attention.order_the_steps": ["b d a f", ["B", "D", "A", "F"]],
    "attention.fill_the_scores": [scores_by_einsum, scores_by_scaled_query],
    "attention.one_query": [one_query_by_differences, one_query_by_a_loop],
    "attention.find_the_query": [
        {"query": (-14, 14, 0, -3.5), "can reach (12, 0)": "A"},
        {"query": [0, 200, 0, 0], "can reach (12, 0)": "a"},
    ],
    "attention.predict_causal_rows": [
        {"cat": "b", "mat": "d", "reason": "c"},
        {"reason": "C", "mat": " D", "cat": "B"},
    ],
    "attention.scaled_dot_product_attention": [attention_with_where, attention_by_library],
    "attention.find_the_leak": [
        {"version": "b", "line": "3", "input": "a", "fix": "a"},
        {"fix": "A", "input": "A ", "line": " 3", "version": "B"},
    ],
    "attention.which_sentence": [
        {"slope": "b", "evidence": "b", "accuracy": "c"},
        {"accuracy": "C", "evidence": "B", "slope": " B"},
    ],
    "attention.in_chunks": [chunks_by_logsumexp, chunks_one_by_one],
    "attention.dropout": [dropped_by_where, dropped_afterwards],
    "attention.causal_mask": [causal_by_positions, causal_from_scores],
    "attention.mask_for_heads": [heads_by_expand, heads_by_stack],
}


@every
def test_two_other_ways_pass(exercise):
    assert len(OTHER_WAYS[exercise.id]) >= 2
    for answer in OTHER_WAYS[exercise.id]:
        report = check(exercise.id, answer)
        assert report.status == "passed", report.message


# --- mistakes


@pytest.mark.parametrize(("exercise", "mutant"), BANK)
def test_every_mutant_is_named(exercise, mutant):
    report = judged(exercise, mutant.answer)
    assert (report.status, report.mistake) == ("failed", mutant.code), report.message
    assert mutant.why in report.message
    assert mutant.phrase in report.message
    assert mutant.then in report.message
    assert report.message.endswith(f"→ {mutant.see}")
    assert len(report.message.split()) <= 70, report.message
    assert not FORBIDDEN.search(report.message)


@every_function
def test_mutants_with_different_codes_differ_on_some_probe(exercise):
    with state_kept():
        outcomes = [
            (m.code, [exercise.run_known(m.answer, probe) for probe in exercise.probes]) for m in exercise.bank()
        ]
    for (code, first), (other, second) in itertools.combinations(outcomes, 2):
        assert code == other or not all(map(same, first, second)), f"{code} and {other} give the same outcomes"
    for code, outcome in outcomes:
        assert not all(map(same, outcome, exercise.expected)), f"{code} equals the reference"


@pytest.mark.parametrize("exercise", [e for e in ALL if isinstance(e, Choice)], ids=lambda e: e.id)
def test_beliefs_differ(exercise):
    answers = [tuple(sorted(map(str, m.answer.items()))) for m in exercise.bank()]
    assert len(set(answers)) == len(answers)


def test_a_division_by_d_k_and_one_done_twice_are_the_same_numbers_and_both_are_named():
    for identifier in ("attention.one_query", "attention.scaled_dot_product_attention", "attention.fill_the_scores"):
        report = check(identifier, mutants(identifier)["A3 or A10"])
        assert report.mistake == "A3 or A10"
        assert report.codes == ("A3", "A10")
        assert "(A3)" in report.message
        assert "(A10)" in report.message


@every
def test_mutants_of_the_interface_are_reported_by_their_key(exercise):
    found = mutants(exercise.id)
    assert found
    for code, answer in found.items():
        assert check(exercise.id, answer).mistake == code


def test_the_catalogue_of_attention_and_masks_is_covered():
    named = {code for entry in catalogue() for code in entry.codes}
    # M14, a decoder's input shifted by the wrong amount, belongs to the exercise on shifting.
    wanted = {f"A{n}" for n in range(1, 11)} | {f"M{n}" for n in range(1, 14)}
    assert wanted <= named
    assert named <= set(MISTAKES)


def test_a_nearly_right_answer_is_not_called_by_a_name():
    def off(query, key, value, may_attend=None):
        return attention_with_where(query, key, value, may_attend)[0] + 2e-6 * query.shape[-2]

    assert check("attention.scaled_dot_product_attention", off).mistake is None


# --- garbage


class Unreadable:
    def __repr__(self):
        raise RuntimeError("no")

    def __eq__(self, other):
        raise RuntimeError("no")

    __hash__ = None


def raises(*arguments):
    raise ZeroDivisionError("a division by zero, with a long explanation that nobody wants to read in full here")


def leaves(*arguments):
    raise SystemExit(3)


class OwnBaseError(BaseException):
    pass


def raises_base(*arguments):
    raise OwnBaseError


def for_ever(*arguments):
    while True:
        pass


def for_ever_and_swallows(*arguments):
    while True:
        try:
            while True:
                time.sleep(0.001)
        except:  # noqa: E722
            pass


def recursion(*arguments):
    return recursion(*arguments)


async def later(*arguments):
    return 1


def generates(*arguments):
    yield 1


GARBAGE_VALUES = [
    0, "text", b"", [], [1, [2]], {}, {1: 2}, {"reason": "A"}, float("nan"), Unreadable(), object(), int, torch.ones(2),
    {"query": "x"}, "Q" * 500, ["A", 1], True,
]  # fmt: skip
GARBAGE_FUNCTIONS = [
    lambda: None, lambda *a, extra: None, lambda *a: None, lambda *a: "text", lambda *a: {}, lambda *a: (),
    lambda *a: [[1.0], [1.0, 2.0]], lambda *a: float("nan"), lambda *a: [float("nan")] * 2, lambda *a: 1j,
    lambda *a: torch.full((3, 2), math.nan), lambda *a: torch.zeros(3, 2, dtype=torch.int64), lambda *a: Unreadable(),
    lambda *a: torch.zeros(1), lambda *a: torch.zeros(3, 2, dtype=torch.complex64), lambda *a: torch.ones(3).numpy(),
    raises, leaves, raises_base, recursion, later, generates, print, len, torch.softmax, dict,
]  # fmt: skip


@every
def test_garbage_gives_a_sentence(exercise):
    for answer in [*GARBAGE_VALUES, *GARBAGE_FUNCTIONS]:
        report = check(exercise.id, answer)
        assert report.status in ("failed", "not attempted")
        assert report.mistake is None
        assert re.match(r"[A-Z`0★].*\w", report.message), report.message
        assert len(report.message.split()) <= 70, report.message
        assert not FORBIDDEN.search(report.message), report.message
        assert report._repr_html_()
    assert check(exercise.id, None).status == "not attempted"


@every_function
@pytest.mark.parametrize("loop", [for_ever, for_ever_and_swallows])
def test_an_endless_loop_is_stopped(exercise, loop):
    started = time.monotonic()
    report = check(exercise.id, loop)
    assert "was stopped" in report.message
    assert time.monotonic() - started < 30  # limits are 2 s; the rest is for busy machines


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
    assert lost.endswith("→ What does the gradient move?")
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


# --- declarations


@every
def test_declaration_keeps_the_contract(exercise):
    assert len(exercise.hints) >= 3
    assert len(set(exercise.hints)) == len(exercise.hints)
    assert "▢" in exercise.hints[-1], "the last hint is the line with a gap"
    assert exercise.hints[1].startswith("On other numbers")
    assert 1 <= exercise.difficulty <= 5
    assert re.fullmatch(r"\d\d", exercise.review)
    assert int(exercise.review) > int(exercise.chapter)
    assert exercise.transfer.endswith("?")
    texts = [exercise.prompt, exercise.shown, exercise.transfer, *exercise.hints]
    assert not [text for text in texts if FORBIDDEN.search(text.replace("softmax!", ""))]


def test_the_first_exercise_takes_two_minutes_and_half_are_no_pasting():
    assert ALL[0].minutes <= 2
    assert [exercise.number for exercise in ALL] == list(range(1, len(ALL) + 1))
    kinds = [exercise.kind for exercise in ALL]
    assert {"predict", "Parsons", "complete", "write", "debug", "claim"} == set(kinds)


@pytest.mark.parametrize("exercise", [e for e in ALL if isinstance(e, Choice | Parsons)], ids=lambda e: e.id)
def test_every_option_explains_itself_without_scripts(exercise):
    page = ask(exercise.id)._repr_html_()
    assert "<script" not in page
    for field in getattr(exercise, "fields", ()):
        if isinstance(field, Choose):
            assert sum(option.holds for option in field.options.values()) == 1
            for letter, option in field.options.items():
                assert option.why
                assert f'data-option="{letter}"' in page
    for letter in getattr(exercise, "lines", ()):
        assert f'data-line="{letter}"' in page
    assert page.count("<details") == page.count("</details>")
    assert exercise.title in repr(ask(exercise.id))


def test_headings_of_the_lesson_exist():
    text = (ROOT / "chapters/02_attention/lesson.py").read_text(encoding="utf-8")
    headings = {slug(re.sub(r"^\d+\. ", "", h)) for h in re.findall(r"^# ## (.+)$", text, re.M)}
    linked = {m.see for e in ALL for m in e.bank()} | {e.see for e in ALL}
    assert {slug(section) for section in linked} <= headings


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
    assert found[4] == pytest.approx((0.54, 0.55), abs=0.05)
    assert found[512] == pytest.approx((1.40, 0.002), rel=0.25)


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
    assert "1 of 13 exercises passed" in repr(progress())


def test_catalogue_lists_what_tools_need():
    entries = catalogue()
    assert len({entry.id for entry in entries}) == len(entries) == 13
    assert {entry.id for entry in entries} >= {"attention.scaled_dot_product_attention"}
    assert [entry.id for entry in entries if entry.starred] == ["attention.in_chunks"]


def test_reports_show_the_link_and_escape_html():
    report = Report("x", "<b>", "failed", "Row *cat*: `a < b`.", "A4", "Whose shares add up to 1?", "02_attention")
    page = report._repr_html_()
    assert "<em>cat</em>" in page
    assert "<code>a &lt; b</code>" in page
    assert "&lt;b&gt;" in page
    assert "lesson.ipynb#5.-Whose-shares-add-up-to-1?" in page
    assert str(report) == "<b>: ✗ failed\nRow *cat*: `a < b`. → Whose shares add up to 1?"


def test_solutions_and_stubs_are_python_by_themselves():
    for exercise in ALL:
        ast.parse(exercise.stub)
        ast.parse(exercise.solution)


def test_a_line_may_be_given_as_a_number():
    answer = {"version": "B", "line": 3, "input": "A", "fix": "A"}
    assert check("attention.find_the_leak", answer).status == "passed"
    wrong = check("attention.find_the_leak", answer | {"line": 6})
    assert wrong.message.startswith("For `line` expected one of 2, 3, 4, 5, got 6.")
