"""Chapter 08: slips that passed or had no name, and things said that were not so."""

import itertools
import math

import pytest
import torch
from torch.nn.functional import gelu, layer_norm

from qkv.exercises import check
from qkv.exercises.engine import find
from qkv.exercises.gpt import odds, shares
from qkv.exercises.gpt_mistakes import BESIDE, ORDERS
from qkv.exercises.gpt_tensors import extract_position


@pytest.fixture(autouse=True)
def own_state(tmp_path, monkeypatch):
    monkeypatch.setenv("QKV_HOME", str(tmp_path))


def filled(identifier, **wrong):
    """The report on the right answer with these fields changed."""
    right = {field.name: field.right for field in find(identifier).fields}
    return check(identifier, right | wrong)


# --- choices


@pytest.mark.parametrize(
    ("identifier", "wrong", "said", "unsaid"),
    [
        ("predict_the_state", {"position": "C"}, "Every slot has a position", "Print"),
        ("which_shift", {"fix": "C"}, "differ in length", "has read token 1 already"),
        ("who_looks_ahead", {"P": "B"}, "places 0 and 1 of P", "Change the last word"),
        ("who_looks_ahead", {"P": "C"}, "at place 3", "a mask that cuts off"),
        ("who_looks_ahead", {"Q": "A"}, "exactly 0", "Change the last word"),
        ("who_looks_ahead", {"R": "A"}, "at place 3", "a mask that cuts off"),
        ("who_looks_ahead", {"loss": "A"}, "in Q's view", "Change the last word"),
        ("two_scores", {"input": "A"}, "which rows of your batch", "Look the extract token up"),
        ("two_scores", {"input": "B"}, "which rows of your batch", "Look the extract token up"),
        ("which_sentence", {"paper": "C"}, "there is none", "Read both ends"),
        ("again", {"norm": "B"}, "which comes second", "Look at the mean"),
    ],
)
def test_a_belief_speaks_of_what_was_chosen(identifier, wrong, said, unsaid):
    report = filled(f"gpt.{identifier}", **wrong)
    assert report.mistake
    assert said in report.message
    assert unsaid not in report.message


def test_the_first_state_dropped_is_no_label_at_its_own_place():
    ids, ignored = list("sabce"), "-"
    scores, labels = [f"after {token}" for token in ids][1:], [*ids[1:], ignored]
    pairs = list(itertools.zip_longest(scores[:-1], labels[1:]))
    assert pairs[0] == ("after a", "b")  # the next token, and "after s" is never asked
    assert len(scores) != len(labels)
    assert filled("gpt.which_shift", fix="C").mistake == "G5"


def test_two_false_lines_have_both_names():
    assert check("gpt.order_the_row", "GBHE").mistake == "E1+E2"
    assert "Print" not in check("gpt.order_the_row", "GBCDE").message


# --- functions of lists


@pytest.mark.parametrize(
    ("rows", "code"),
    [
        (lambda a, b, s, d, e: [[s, *a, d, *b, e], [s, *b, *a, e]], "E2"),
        (lambda a, b, s, d, e: [[s, *a, d, *b, e], [e, *b, d, *a, s]], "E2"),
        (lambda a, b, s, d, e: [[s, *a, e, *b, d], [s, *b, e, *a, d]], "E2"),
        (lambda a, b, s, d, e: [[s, *a, s, *b, e], [s, *b, s, *a, e]], "E2"),
        (lambda a, b, s, d, e: [[s, *a, e, *b, e], [s, *b, e, *a, e]], "E2"),
        (lambda a, b, s, d, e: [[s, a, d, b, e], [s, b, d, a, e]], "E2"),
        (lambda a, b, s, d, e: [[*a, *b], [*b, *a]], "E2"),
        (lambda a, b, s, d, e: [[*a, d, *b], [*b, d, *a]], "E2"),
        (lambda a, b, s, d, e: [[s, *b, d, *a, e]] * 2, "G3"),
        (lambda a, b, s, d, e: [[s, *a, e], [s, *b, e]], "G3"),
        (lambda a, b, s, d, e: ((s, *a, d, *b, e), (s, *b, d, *a, e)), None),
    ],
)
def test_rows_of_a_pair(rows, code):
    report = check(
        "gpt.similarity_inputs",
        lambda first, second, start, delimiter, extract: rows(first, second, start, delimiter, extract),
    )
    assert report.status == "passed" if code is None else report.mistake == code, report.message


def chances_with(top, minus, whole):
    """The template, its gaps filled."""

    def chances(scores):
        found = []
        for row in scores:
            most = top(row)
            powers = [math.exp(minus(score, most)) for score in row]
            found.append([power / whole(powers) for power in powers])
        return found

    return chances


def less(score, top):
    return score - top


@pytest.mark.parametrize("top", [min, lambda row: row[0], lambda row: row[-1], lambda row: sum(row) / len(row), sum])
def test_only_the_largest_score_keeps_powers_small(top):
    report = check("gpt.candidate_chances", chances_with(top, less, sum))
    assert (report.status, report.mistake) == ("failed", "A9"), report.message
    assert "far above" in report.message or "±1000" in report.message


@pytest.mark.parametrize(
    ("minus", "whole", "code"),
    [
        (less, len, "E7"),
        (less, max, "E7"),
        (lambda score, top: top - score, sum, "A9"),
        (lambda score, top: score / top, sum, "A9"),
        (less, sum, None),
    ],
)
def test_the_other_gaps_of_the_chances(minus, whole, code):
    report = check("gpt.candidate_chances", chances_with(max, minus, whole))
    assert report.status == "passed" if code is None else report.mistake == code, report.message
    if code == "E7":
        assert report.see == ORDERS
        assert "odds" not in report.message


@pytest.mark.parametrize(
    ("answer", "code", "said"),
    [
        (lambda c, t, k, p: odds([x / t for x in c], 1.0, k, p), "S1", "are the same chances"),
        (lambda c, t, k, p: odds([math.exp(x / t) for x in c], 1.0, k, p), "E4", "powers already"),
        (lambda c, t, k, p: odds(c, 1 / t, k, p), "E4", "a power of T"),
        (lambda c, t, k, p: odds(c, t, len(c), p), "E6", "odds without top-k"),
        (lambda c, t, k, p: odds(c, t, k, 2.0), "E6", "odds without top-p"),
        (lambda c, t, k, p: [x for x in odds(c, t, k, p) if x], "E5", "keeps its length"),
    ],
)
def test_steps_of_the_odds(answer, code, said):
    report = check("gpt.odds", lambda chances, temperature, top_k, top_p: answer(chances, temperature, top_k, top_p))
    assert report.mistake == code, report.message
    assert said in report.message


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (lambda ids, e: [[i, ids[i + 1]] for i in range(1, ids.index(e) + 1)], "G5"),
        (lambda ids, e: [[i, ids[i + 1]] for i in range(ids.index(e) + 1)], "G5"),
        (lambda ids, e: [[ids[i + 1], i] for i in range(ids.index(e))], "G5"),
        (lambda ids, e: ids[1 : ids.index(e) + 1], "G5"),
        (lambda ids, e: [[i, ids[i + 1]] for i in range(len(ids) - 1) if ids[i + 1] != 0], "E10"),
        (lambda ids, e: [[i, ids[i + 1]] for i in range(len(ids) - 1) if ids[i] != 0], "E10"),
        (lambda ids, e: [[i, ids[i - 1]] for i in range(ids.index(e))], "B6"),
        (lambda ids, e: [[i, ids[i - 1]] for i in range(1, ids.index(e) + 1)], "B6"),
    ],
)
def test_guesses(answer, code):
    report = check("gpt.guesses", lambda ids, extract_id: answer(ids, extract_id))
    assert (report.mistake, report.see) == (code, BESIDE), report.message


def mean(numbers):
    return sum(numbers) / len(numbers)


@pytest.mark.parametrize(
    "mix",
    [
        lambda a, b, w: sum(a) + w * mean(list(map(mean, b))),
        lambda a, b, w: mean(a) + w * sum(map(mean, b)),
        lambda a, b, w: sum(a) + w * sum(map(mean, b)),
        lambda a, b, w: (mean(a) + w * sum(map(mean, b))) / len(b),
        lambda a, b, w: (mean(a) + w * mean(list(map(mean, b)))) / 2,
        lambda a, b, w: w * mean(a) + (1 - w) * mean(list(map(mean, b))),
        lambda a, b, w: w * mean(list(map(mean, b))),
    ],
)
def test_losses_that_are_not_the_sum_asked_for(mix):
    report = check(
        "gpt.joint_loss", lambda label_losses, token_losses, lm_weight: mix(label_losses, token_losses, lm_weight)
    )
    assert report.mistake == "E8", report.message


@pytest.mark.parametrize(
    "decays",
    [
        lambda name: not (name.endswith("bias") and "norm" in name),
        lambda name: not (name.endswith("bias") or "norm" in name or name.startswith("token")),
        lambda name: not (name.endswith("bias") or "norm" in name or name.startswith("position")),
    ],
)
def test_decay_has_one_name(decays):
    assert check("gpt.decays", lambda names: [int(decays(name)) for name in names]).mistake == "G9"


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        (lambda a, b, r: [min(a, r // 2), min(b, r - min(a, r // 2))], "one of the texts alone"),
        (lambda a, b, r: [min(a, r - min(b, r // 2)), min(b, r // 2)], "one of the texts alone"),
        (lambda a, b, r: [min(a, r - min(b, r // 2)), min(b, r - min(a, r // 2))], "odd room"),
        (lambda a, b, r: [max(r // 2, r - b), max(r // 2, r - a)], "than a text has tokens"),
        (lambda a, b, r: shares(b, a, r), "exchanged"),
    ],
)
def test_rooms_shared_unfairly(rule, said):
    report = check("gpt.shares", lambda first, second, room: rule(first, second, room))
    assert report.mistake == "E9", report.message
    assert said in report.message


# --- tensors


def refused(place):
    def answer(ids, extract_id):
        extract_position(ids, extract_id)
        return place(ids, extract_id)

    return answer


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (refused(lambda ids, e: ids.argmax(-1)), "E10"),
        (lambda ids, extract_id: ids.argmax(-1), "E10"),
        (refused(lambda ids, e: (ids != 0).sum(-1)), "E10"),
        (refused(lambda ids, e: (ids == e).int().argmax(-1) + 1), "G1"),
        (refused(lambda ids, e: (ids == e).int().argmax(-1) - 1), "G1"),
        (lambda ids, extract_id: torch.full((len(ids),), -1), "G1"),
        (lambda ids, extract_id: (ids == extract_id).nonzero()[:, 1], "E11"),
        (refused(lambda ids, e: (ids == e).nonzero()[:, 1]), None),
    ],
)
def test_places(answer, code):
    report = check("gpt.extract_position", answer)
    assert report.status == "passed" if code is None else report.mistake == code, report.message


def test_a_refusal_is_asked_for_its_row():
    message = check(
        "gpt.extract_position", lambda ids, extract_id: torch.tensor([r.index(extract_id) for r in ids.tolist()])
    ).message
    assert "put 1 into the message" in message
    assert "sizes" not in message


@pytest.mark.parametrize("join", [lambda a, b: b - a, torch.minimum, lambda a, b: torch.cat([a, b], -1)])
def test_other_ways_to_join_two_states(join):
    report = check("gpt.pair_scores", lambda first, second, weight, bias: join(first, second) @ weight.T + bias)
    assert report.mistake == "E12", report.message


def norm(x):
    return layer_norm(x, x.shape[-1:])


def bent(x):
    return gelu(x, approximate="tanh")


@pytest.mark.parametrize(
    ("first", "second", "code"),
    [
        (lambda x, w: x, lambda x, n, i, o: n + bent(n @ i) @ o, "E13"),
        (lambda x, w: x + w.T @ x, lambda x, n, i, o: n + bent(n @ i) @ o, "E13"),
        (lambda x, w: w @ x, lambda x, n, i, o: n + gelu(n @ i) @ o, "E13"),
        (lambda x, w: x + w @ x, lambda x, n, i, o: x + bent(x @ i) @ o, "E13"),
        (lambda x, w: x + w @ x, lambda x, n, i, o: n + bent(n) @ i @ o, "E13"),
        (lambda x, w: x + w @ x, lambda x, n, i, o: n + gelu(n) @ i @ o, "E13"),
        (lambda x, w: x + w @ x, lambda x, n, i, o: n + bent(n @ i @ o), "E13"),
        (lambda x, w: w @ x + x, lambda x, n, i, o: bent(n @ i) @ o + n, None),
    ],
)
def test_gaps_of_the_block(first, second, code):
    def block(x, weights, inner, outer):
        n = norm(first(x, weights))
        return norm(second(x, n, inner, outer))

    report = check("gpt.decoder_block", block)
    assert report.status == "passed" if code is None else report.mistake == code, report.message
