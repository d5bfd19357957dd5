"""Answers that beginners gave to the exercises, and what a checker once said to them instead.

Each test holds one answer from a reading of the course: a slip that passed, a right answer that did not, a name for a
mistake that was not made, or advice that led astray.
"""

import math

import pytest
import torch

from qkv.exercises import check
from qkv.exercises.engine import find

ATTENTION = "attention.scaled_dot_product_attention"
SCORES = "attention.fill_the_scores"
CHUNKS = "attention.in_chunks"


@pytest.fixture(autouse=True)
def own_state(tmp_path, monkeypatch):
    monkeypatch.setenv("QKV_HOME", str(tmp_path))


def refuse_empty_rows(may_attend, message="row {row} may read nothing"):
    if may_attend is not None and not may_attend.any(-1).all():
        raise ValueError(message.format(row=(~may_attend.any(-1)).nonzero()[0].tolist()))


def attend(scores, value, may_attend=None, blocked=-math.inf):
    if may_attend is not None:
        scores = scores.masked_fill(~may_attend, blocked)
    return torch.softmax(scores, -1) @ value


def in_chunks(query, chunks, start=-math.inf, divisor=None):
    largest, mixed, total = start, 0.0, 0.0
    for key, value, may_attend in chunks:
        scores = (key @ query / (divisor or math.sqrt(len(query)))).masked_fill(~may_attend, -math.inf)
        new = max(largest, scores.max().item())
        if new == -math.inf:
            continue
        shrink, exponents = math.exp(largest - new), torch.exp(scores - new)
        mixed, total, largest = mixed * shrink + exponents @ value, total * shrink + exponents.sum(), new
    return mixed / total


# --- slips that passed


def test_a_divisor_of_2_is_right_on_the_toy_alone():
    answers = {
        SCORES: lambda query, key, d_model: query @ key.mT / 2,
        ATTENTION: lambda query, key, value, may_attend=None: (
            refuse_empty_rows(may_attend) or attend(query @ key.mT / 2, value, may_attend)
        ),
        CHUNKS: lambda query, chunks: in_chunks(query, chunks, divisor=2.0),
    }
    assert {check(identifier, answer).mistake for identifier, answer in answers.items()} == {"S15"}


def test_a_maximum_that_starts_at_0_fails_where_all_scores_are_low():
    assert check(CHUNKS, in_chunks).status == "passed"
    report = check(CHUNKS, lambda query, chunks: in_chunks(query, chunks, start=0.0))
    assert report.mistake == "S16"
    assert "With scores of −1000 and below" in report.message


def test_values_of_all_chunks_are_held_chunks_too():
    def keeps_values(query, chunks):
        scores, values = [], []
        for key, value, may_attend in chunks:
            scores.append((key @ query / math.sqrt(len(query))).masked_fill(~may_attend, -math.inf))
            values.append(value)
        return torch.softmax(torch.cat(scores), 0) @ torch.cat(values)

    assert "held several chunks at once" in check(CHUNKS, keeps_values).message


def test_chunks_arrive_once():
    def two_passes(query, chunks):
        def scored(key, may_attend):
            return (key @ query / math.sqrt(len(query))).masked_fill(~may_attend, -math.inf)

        largest = max(scored(key, may).max() for key, _, may in chunks)
        parts = [(torch.exp(scored(key, may) - largest), value) for key, value, may in chunks]
        return sum(e @ value for e, value in parts) / sum(e.sum() for e, _ in parts)

    def two_light_passes(query, chunks):
        largest = max((key @ query).masked_fill(~may, -math.inf).max() for key, _, may in chunks)
        mixed, total = 0.0, 0.0
        for key, value, may in chunks:
            exponents = torch.exp(((key @ query) - largest) / math.sqrt(len(query))) * may
            mixed, total = mixed + exponents @ value, total + exponents.sum()
        return mixed / total

    assert "held several chunks at once" in check(CHUNKS, two_passes).message
    assert "read the chunks twice" in check(CHUNKS, two_light_passes).message


def test_the_error_of_an_empty_row_says_where():
    def silent(query, key, value, may_attend=None):
        refuse_empty_rows(may_attend, "something is blocked")
        return attend(query @ key.mT / math.sqrt(query.shape[-1]), value, may_attend)

    report = check(ATTENTION, silent)
    assert report.status == "failed"
    assert "your ValueError says 'something is blocked'" in report.message


def test_a_mask_may_be_left_out():
    def wants_a_mask(query, key, value, may_attend):
        refuse_empty_rows(may_attend)
        return attend(query @ key.mT / math.sqrt(query.shape[-1]), value, may_attend)

    assert (
        "cannot be called as `scaled_dot_product_attention(query, key, value)`"
        in check(ATTENTION, wants_a_mask).message
    )
    no_mask = check(ATTENTION, lambda query, key, value: attend(query @ key.mT / 2, value))
    assert "cannot be called as `scaled_dot_product_attention(query, key, value, may_attend)`" in no_mask.message


def test_a_hand_that_points_down_is_not_turned_by_its_cosine_alone():
    def through_the_angle(hand, offset, frequency):
        angle = math.acos(hand[1]) + offset * frequency
        return [math.sin(angle), math.cos(angle)]

    assert "With a hand that points down" in check("positions.shift_hand", through_the_angle).message


def test_a_sentence_as_long_as_the_table_is_let_in_and_a_refusal_tells_both_sizes():
    def add(refuses, message):
        def add_positions(ids, embedding, table):
            if refuses(ids.shape[1], len(table)):
                raise ValueError(message)
            return math.sqrt(embedding.shape[1]) * embedding[ids] + table[: ids.shape[1]]

        return check("positions.add_positions", add_positions)

    assert add(lambda words, rows: words > rows, "6 words, 4 rows").status == "passed"
    assert "With as many words as the table has rows" in add(lambda words, rows: words >= rows, "too long").message
    assert "put 4 and 6 into the message" in add(lambda words, rows: words > rows, "too long").message


def test_equal_sums_are_no_sign_of_blindness_to_order():
    def by_sums(layer, x, order):
        return torch.allclose(layer(x[order]).sum(0), layer(x).sum(0), atol=1e-8)

    assert check("positions.is_order_blind", by_sums).mistake == "R20"


# --- right answers that did not pass


def test_a_list_of_tensors_of_one_number_is_a_list_of_numbers():
    def with_torch(query, keys, values):
        query, keys, values = (torch.tensor(x, dtype=torch.float64) for x in (query, keys, values))
        return list(torch.softmax(keys @ query / math.sqrt(len(query)), 0) @ values)

    assert check("attention.one_query", with_torch).status == "passed"


def test_a_query_may_be_a_tensor():
    answer = {"query": torch.tensor([0.0, 14.0, 0.0, 0.0]), "can reach (12, 0)": "A"}
    assert check("attention.find_the_query", answer).status == "passed"


# --- things said that were not so


def test_an_error_that_speaks_of_an_ellipsis_is_no_open_gap():
    report = check(SCORES, lambda query, key, d_model: torch.einsum("qd,kd->qk", query, key) / query.shape[-1] ** 0.5)
    assert report.status == "failed"
    assert "stops with RuntimeError: einsum()" in report.message


def test_a_returned_gap_is_an_open_gap():
    def half(query, key, value, may_attend=None):
        scores = query @ key.mT  # noqa: F841
        return ...

    assert check(ATTENTION, half).status == "not attempted"


def test_a_test_that_never_holds_is_no_comparison_of_last_digits():
    def never(layer, x, order):
        return False

    def exact(layer, x, order):
        return torch.equal(layer(x[order]), layer(x)[order])

    assert check("positions.is_order_blind", never).mistake is None
    assert check("positions.is_order_blind", exact).mistake == "R18"


def test_a_tiny_number_is_not_called_a_rounded_one():
    def angles(length, d_model):
        even = torch.arange(0, d_model, 2, dtype=torch.float64)
        return torch.arange(length, dtype=torch.float64)[:, None] / 10_000**even

    assert check("positions.fill_the_angles", angles).mistake == "R15"


def test_a_loop_without_zip_is_not_told_about_zip():
    def by_columns(asking, words):
        return [[sum(row[k] * words[k][j] for k in range(len(words))) for j in range(len(words[0]))] for row in asking]

    report = check("start.dot_products", by_columns)
    assert report.mistake == "Q9"
    assert "zip" not in report.message


def test_two_slips_of_the_edit_distance_are_told_apart():
    def in_one_row(first, second):
        row = list(range(len(second) + 1))
        for a in first:
            for j, b in enumerate(second, start=1):
                row[j] = min(row[j] + 1, row[j - 1] + 1, row[j - 1] + (a != b))
        return row[-1]

    report = check("start.edit_distance", in_one_row)
    assert (report.mistake, "overwritten" in report.message) == ("Q42", True)


def test_an_exception_of_another_kind_of_slip_gets_no_name():
    def two_axes_only(query, key, d_model):
        return torch.mm(query, key.mT) / math.sqrt(query.shape[-1])

    assert check(SCORES, two_axes_only).mistake is None
    swapped = check(SCORES, lambda query, key, d_model: query @ key.swapaxes(0, 1) / math.sqrt(query.shape[-1]))
    assert swapped.mistake == "S12"
    assert "stops with RuntimeError. So does a swap of other axes (S12)." in swapped.message


def test_a_batch_is_suspected_only_where_item_1_alone_comes_out_different():
    def weakly_blocked(query, key, value, may_attend=None):
        refuse_empty_rows(may_attend)
        return attend(query @ key.mT / math.sqrt(query.shape[-1]), value, may_attend, blocked=-1000.0)

    message = check(ATTENTION, weakly_blocked).message
    assert "With a mask and scores of ±1000" in message
    assert "Item 0" not in message


def test_a_refusal_of_another_kind_is_told_to_raise():
    def asserts(query, key, value, may_attend=None):
        assert may_attend is None or may_attend.any(-1).all()
        return attend(query @ key.mT / math.sqrt(query.shape[-1]), value, may_attend)

    def returns(query, key, value, may_attend=None):
        try:
            refuse_empty_rows(may_attend)
        except ValueError as error:
            return error
        return attend(query @ key.mT / math.sqrt(query.shape[-1]), value, may_attend)

    for answer in (asserts, returns):
        assert "Find the line that must `raise ValueError(…)`" in check(ATTENTION, answer).message


def test_a_change_in_place_is_told_as_the_reason_why_no_gradient_flows():
    def in_place(scores, value, keep, rate, training):
        weights = torch.softmax(scores, -1)
        if training:
            weights[~keep] = 0
            weights /= 1 - rate
        return weights @ value

    message = check("attention.dropout", in_place).message
    assert "changed in place" in message
    assert ".detach()" not in message


def test_rounded_numbers_are_told_to_be_rounded():
    reference = find("attention.one_query").answer
    rounded = check("attention.one_query", lambda *inputs: [round(x, 2) for x in reference(*inputs)])
    assert "the expected numbers, rounded" in rounded.message


def test_an_overflow_in_32_bits_is_not_denied():
    answer = {"softmax(102, 101, 100)": "D", "softmax(4, 2, 0)": "C", "reason": "D"}
    message = check("attention.predict_softmax", answer).message
    assert "overflows in 32 bits" in message


def test_dropout_slips_have_names():
    def dropped(change):
        return lambda s, value, keep, rate, training: torch.softmax(s, -1) * change(keep, rate, training) @ value

    slips = {
        "S11": [lambda k, r, t: k * (1 - r) if t else 1, lambda k, r, t: (k if t else 1) / (1 - r)],
        "A8": [lambda k, r, t: 1 if t else k / (1 - r)],
        "M3": [lambda k, r, t: ~k / (1 - r) if t else 1],
    }
    for code, changes in slips.items():
        assert {check("attention.dropout", dropped(change)).mistake for change in changes} == {code}


@pytest.mark.parametrize("size", [lambda q, k: len(q), lambda q, k: k.shape[1], lambda q, k: q.shape[-2]])
def test_the_root_of_another_size_has_a_name(size):
    assert check(SCORES, lambda query, key, d_model: query @ key.mT / math.sqrt(size(query, key))).mistake == "S10"


def test_slips_in_speaking_and_training_have_names():
    solve = {name: find(f"transformer.{name}").answer for name in ("beam_step", "warmup_rate")}
    answers = {
        ("transformer.reads_and_says", "D14"): lambda sounds, start, end: [[start, *sounds], [*sounds, start]],
        ("transformer.reads_and_says", "D13"): lambda sounds, start, end: [[end, *sounds], [*sounds, end]],
        ("transformer.perplexity", "Q15"): lambda batches: math.exp(
            sum(loss for batch in batches for word in batch for loss in word) / len(batches)
        ),
        ("transformer.beam_step", "D60"): lambda *inputs: [
            row for row in solve["beam_step"](*inputs) if row[2] != inputs[3]
        ],
        ("transformer.beam_step", "D62"): lambda *inputs: [[t, s, p] for t, p, s in solve["beam_step"](*inputs)],
        ("transformer.warmup_rate", "D38"): lambda step, d_model, warmup: (
            (d_model * warmup) ** -0.5 * (step / warmup if step < warmup else warmup / step)
        ),
    }
    for (identifier, code), answer in answers.items():
        assert check(identifier, answer).mistake == code, (identifier, code)


def test_the_same_row_by_chance_is_shown_with_the_digits_that_differ():
    message = check("transformer.order_the_block", "CAFEA").message
    given, expected = message.partition("entry: ")[2].partition(". Your")[0].split(", expected ")
    assert given != expected


def test_an_error_of_torch_is_no_unwritten_function():
    """torch raises NotImplementedError itself where it does not take a dtype."""

    def mask_tokens(ids, special_mask, mask_id, vocab_size, generator):
        return torch.rand(ids.shape, generator=generator) < 0.15 & ~special_mask

    report = check("bert.mask_tokens", mask_tokens)
    assert report.status == "failed"
    assert "stops with NotImplementedError: " in report.message


def test_a_stub_of_ones_own_is_unwritten():
    def merge(ids, left, right, new):
        raise NotImplementedError("later")

    assert check("bert.merge", merge).status == "not attempted"


def test_two_lists_may_be_returned_without_brackets():
    solution = find("bert.make_gaps").answer

    def make_gaps(*given):
        masked, labels = solution(*given)
        return masked, labels

    assert check("bert.make_gaps", make_gaps).status == "passed"


def test_sizes_of_lists_are_told_without_tensors():
    message = check("bert.merge", lambda ids, left, right, new: ids[:1]).message
    assert "your list holds" in message
    assert "shape is" not in message
    message = check("bert.wordpiece_encode", lambda word, vocabulary: vocabulary["[UNK]"]).message
    assert "returns a number, expected a list" in message


def test_one_wrong_part_is_named_beside_another():
    right = {field.name: field.right for field in find("bert.again").fields}
    report = check("bert.again", right | {"mask": "A", "gaps": "A"})
    assert report.mistake == "K13"
    assert "It would take one side of every gap away." in report.message
    assert "`gaps` does not hold either." in report.message


def test_the_loop_of_a_tutorial_that_never_ends_is_named():
    def wordpiece_encode(word, vocabulary):
        found, rest = [], word
        while rest and len(word) <= 100:
            end = len(rest)
            while end > 0 and rest[:end] not in vocabulary:
                end -= 1
            if end == 0:
                return [vocabulary["[UNK]"]]
            found.append(vocabulary[rest[:end]])
            rest = rest[end:]
            if rest:
                rest = "##" + rest
        return found if len(word) <= 100 else [vocabulary["[UNK]"]]

    report = check("bert.wordpiece_encode", wordpiece_encode)
    assert report.mistake == "W4"
    assert "ran for more than 3 s and was stopped" in report.message
