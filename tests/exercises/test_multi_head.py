"""Chapter 03: what its checkers say beyond the rules that all exercises keep, and what its exercises claim."""

import math
import runpy
from pathlib import Path

import pytest
import torch
from torch import nn

from qkv.exercises import check
from qkv.exercises.attention import attend
from qkv.exercises.engine import exercises, find
from qkv.exercises.functions import Function
from qkv.exercises.multi_head import (
    KEY,
    MODULE_VERSIONS,
    QUERY,
    SPLIT_VERSIONS,
    TOY_SHARES,
    VALUES,
    attend_with_heads,
    shares_at_offsets,
)
from qkv.exercises.multi_head_mistakes import MISTAKES
from qkv.exercises.multi_head_tensors import by_library, grouped_attention, multi_head_attention, split_heads
from qkv.nn import attention, masks

ANSWERS = runpy.run_path(str(Path(__file__).with_name("answers_03.py")))


def test_the_catalogue_of_heads_is_covered():
    named = {code for exercise in exercises("03") for code in exercise.codes}
    assert {f"H{n}" for n in range(1, 10)} | {"M10", "A1", "A2", "A4", "A6"} <= named
    assert named == set(MISTAKES)


def test_there_are_seventeen_and_one_is_starred():
    found = exercises("03")
    assert len(found) == 17
    assert [exercise.id for exercise in found if exercise.starred] == ["multi_head.grouped_attention"]
    assert sum(isinstance(exercise, Function) for exercise in found) == 11


# --- messages


@pytest.mark.parametrize(
    ("identifier", "sizes"),
    [("split_rows", "7 and 3"), ("split_heads", "7 and 3"), ("grouped_attention", "5 and 2")],
)
def test_a_refusal_must_name_both_numbers(identifier, sizes):
    solution = find(f"multi_head.{identifier}").answer

    def says(text):
        def answer(*inputs):
            try:
                return solution(*inputs)
            except ValueError:
                raise ValueError(text) from None

        return check(f"multi_head.{identifier}", answer)

    for text in ("does not fit", "7 does not fit", "73 and 25"):
        message = says(text).message
        assert f"needs its numbers: put {sizes} into the message" in message
        assert f"says {text!r}" in message
        assert len(message.split()) <= 70
    assert says(f"does not fit: {sizes}").status == "passed"


def test_an_error_that_comes_by_itself_is_no_refusal():
    def reshapes(x, num_heads):
        return x.reshape(*x.shape[:2], num_heads, x.shape[2] // num_heads).transpose(1, 2)

    def swaps_nothing(x, num_heads):
        b, t, d_model = x.shape
        return x.view(b, num_heads, t, d_model // num_heads)

    def repeats(query, key, value):
        times = query.shape[1] // key.shape[1]
        key, value = (x.repeat_interleave(times, 1) for x in (key, value))
        return nn.functional.scaled_dot_product_attention(query, key, value)

    assert check("multi_head.split_heads", reshapes).mistake == "T21"
    assert "expected a ValueError, got RuntimeError" in check("multi_head.split_heads", reshapes).message
    assert check("multi_head.split_heads", swaps_nothing).mistake == "H1+T21"
    assert check("multi_head.grouped_attention", repeats).mistake == "T21"


def test_slips_of_learners_have_names():
    def heads_to_heads(x, w_query, w_key, w_value, w_output, num_heads, may_attend=None):
        query, key, value = ((x @ w).view(*x.shape[:2], num_heads, -1) for w in (w_query, w_key, w_value))
        scores = query @ key.mT / math.sqrt(query.shape[-1])
        if may_attend is not None:
            scores = scores.masked_fill(~may_attend[:, None], -torch.inf)
        return (scores.softmax(-1) @ value).reshape(x.shape) @ w_output

    def fewer_rows(heads, w_output, bias, removed):
        kept = torch.cat([heads[:, :removed], heads[:, removed + 1 :]], 1).transpose(1, 2).flatten(2)
        return kept @ w_output[: kept.shape[-1]] + bias

    assert check("multi_head.multi_head_attention", heads_to_heads).mistake == "T5"
    assert check("multi_head.without_head", fewer_rows).mistake == "T22"
    viewed = check("multi_head.merge_heads", lambda x: x.transpose(1, 2).view(x.shape[0], x.shape[2], -1))
    assert viewed.mistake == "T23"
    assert "So does a `view` after a swap of axes" in viewed.message


def heads_of(x, weights, num_heads, divisor=None, block=None, may_attend=None):
    """Attention with the given divisor and the given way to block, in place of the right ones."""
    query, key, value = (split_heads(x @ w, num_heads) for w in weights[:3])
    scores = query @ key.mT / (divisor or math.sqrt(query.shape[-1]))
    if may_attend is not None:
        scores = block(scores, may_attend[:, None])
    return attention.merge_heads(scores.softmax(-1) @ value) @ weights[3]


def test_slips_that_the_toy_alone_does_not_show_have_names():
    """On the toy's two heads the number of heads, d_k and d_v are all 2."""

    def blocked(scores, may):
        return scores.masked_fill(~may, -torch.inf)

    def by(divisor=lambda h: None, block=blocked):
        return lambda x, *rest: heads_of(x, rest[:4], rest[4], divisor(rest[4]), block, *rest[5:])

    answers = {
        "S10": by(divisor=math.sqrt),
        "S15": by(divisor=lambda h: math.sqrt(2)),
        "M4": by(block=lambda scores, may: scores + may),
        "M7": by(block=lambda scores, may: scores * may),
    }
    for code, answer in answers.items():
        assert check("multi_head.multi_head_attention", answer).mistake == code
    near_0 = by(block=lambda scores, may: scores.masked_fill(~may, 1e-9))  # the sign of -1e9 slipped
    assert check("multi_head.multi_head_attention", near_0).mistake == "M7"


def test_words_cut_before_the_projection_have_a_name():
    def own_pieces(x, w_query, w_key, w_value, w_output, num_heads, may_attend=None):
        d_k, found = x.shape[-1] // num_heads, []
        for start in range(0, x.shape[-1], d_k):
            own = slice(start, start + d_k)
            query, key, value = (x[..., own] @ w[own, own] for w in (w_query, w_key, w_value))
            scores = query @ key.mT / math.sqrt(d_k)
            if may_attend is not None:
                scores = scores.masked_fill(~may_attend, -torch.inf)
            found.append(scores.softmax(-1) @ value)
        return torch.cat(found, -1) @ w_output

    assert check("multi_head.multi_head_attention", own_pieces).mistake == "T26"


def test_slips_along_the_axes_have_names():
    def zeros_for(*before):
        def without(heads, w_output, bias, removed):
            kept = heads.clone()
            kept[*before, removed] = 0
            return attention.merge_heads(kept) @ w_output + bias

        return without

    def one_mask_for_all(query, key, value, may_attend, num_heads):
        scores = (query @ key.mT / math.sqrt(query.shape[-1])).masked_fill(~may_attend, -torch.inf)
        return torch.cat((scores.softmax(-1) @ value).chunk(num_heads), -1)

    every = slice(None)
    assert {check("multi_head.without_head", zeros_for(*b)).mistake for b in ((), (every, every))} == {"T28"}
    assert check("multi_head.without_head", zeros_for(every)).status == "passed"
    stops = check("multi_head.attend_folded", one_mask_for_all)
    assert stops.mistake == "T7"
    assert "a mask that is not repeated" in stops.message
    sentences = check("multi_head.merge_heads", lambda x: torch.cat(list(x), -1))
    assert "sentences laid side by side (H3)" in sentences.message


def test_an_average_that_overwrites_the_output_is_found_by_its_line():
    message = check("multi_head.order_the_steps", "DBFCA").message  # W_O is used, and then no longer read
    assert "an average of the heads (H6)" in message
    assert "which line makes `output` last" in message


def test_mistakes_show_on_the_toy_where_the_toy_can_expose_them():
    """The numbers that a learner can check on paper come first."""
    blind = {
        "split_heads": {"H4", "T21"},  # no remainder
        "merge_heads": set(),
        "multi_head_attention": {"M1", "M3", "M4", "M7", "S4", "S10", "S15", "T7"},
        "unpack": set(),
        "without_head": set(),
        "attend_folded": {"H3", "M10", "S4", "T7"},
        "grouped_attention": {"T16", "T19", "T21", "H6"},
        "split_rows": {"H4"},
        "one_query": {"A9", "S10", "S15", "T25"},
        "shares_at_offsets": set(),
        "fill_the_patterns": set(),
    }
    for name, unseen in blind.items():
        exercise = find(f"multi_head.{name}")
        for mutant in exercise.singles:
            seen = not exercise._agree(exercise.run_known(mutant.answer, exercise.probes[0]), exercise.expected[0])
            assert seen or mutant.code in unseen | {"A4"}, (name, mutant.code, mutant.phrase)


def test_a_mask_without_an_axis_for_heads_has_a_name_whether_it_runs_or_stops():
    def spread(x, w_query, w_key, w_value, w_output, num_heads, may_attend=None):
        query, key, value = (split_heads(x @ w, num_heads) for w in (w_query, w_key, w_value))
        scores = query @ key.mT / math.sqrt(query.shape[-1])
        if may_attend is not None:
            scores = scores.masked_fill(may_attend.logical_not(), -torch.inf)
        return attention.merge_heads(scores.softmax(-1) @ value) @ w_output

    report = check("multi_head.multi_head_attention", spread)
    assert report.mistake == "T7"
    assert "2 sentences and 3 heads" in report.message


def test_a_puzzle_without_a_last_line_asks_for_it():
    assert "No line makes `output` yet. Which line comes last?" in check("multi_head.order_the_steps", "DBF").message


def test_two_mistakes_are_named_together():
    def both(x, w_query, w_key, w_value, w_output, num_heads, may_attend=None):
        query, key, value = (split_heads(x @ w, num_heads) for w in (w_query, w_key, w_value))
        scores = query @ key.mT / math.sqrt(x.shape[-1])
        if may_attend is not None:
            scores = scores.masked_fill(~may_attend[:, None], -torch.inf)
        return (scores.softmax(-1) @ value).reshape(x.shape) @ w_output

    report = check("multi_head.multi_head_attention", both)
    assert report.codes == ("A2", "H2")
    assert "a division by √d_model (A2) together with a merge without a swap of axes (H2)" in report.message


# --- what the exercises claim is computed, not believed


def test_shapes_and_parameters_of_exercise_1():
    one, eight = attention.MultiHeadAttention(24, 1), attention.MultiHeadAttention(24, 8)
    assert sum(p.numel() for p in one.parameters()) == sum(p.numel() for p in eight.parameters())
    query = attention.split_heads(torch.randn(2, 5, 24), 8)
    assert query.shape == (2, 8, 5, 3)
    assert attention.scaled_dot_product_attention(query, query, query)[1].shape == (2, 8, 5, 5)


def test_the_numbers_of_the_prompts():
    read = attend_with_heads(QUERY[2], KEY, VALUES, 2)
    assert [round(entry, 2) for entry in read] == [6.73, 1.64, 4.46, 4.46]
    toy = find("multi_head.multi_head_attention").probes[0].inputs
    assert [round(entry, 2) for entry in by_library(**toy)[0, 2].tolist()] == [6.73, 4.46, 1.64, 4.46]
    assert [round(TOY_SHARES[1][0], 3), round(TOY_SHARES[2][1], 3)] == [0.107, 0.245]
    assert round(shares_at_offsets(TOY_SHARES, [-1])[0], 3) == 0.176
    assert shares_at_offsets([[0.9, 0.1], [0.4, 0.6]], [-1, 0, 1]) == [0.4, 0.75, 0.1]
    silenced = ANSWERS["silence_by_other_letters"](torch.tensor([QUERY]), torch.tensor([0.0, 1.0]))
    assert silenced[0, 2].tolist() == [0, 0, 2, 0]


def test_one_head_cannot_read_what_two_heads_read():
    """The transfer question of exercise 7: one head gives the same two numbers in both halves of a row."""
    for query in ([2.0, 0.0, 2.0, 0.0], [5.0, -3.0, 0.5, 1.0]):
        read = attend(query, KEY, VALUES)
        assert read[:2] == pytest.approx(read[2:])


def test_the_reference_equals_pytorchs_layer():
    torch.manual_seed(0)
    layer = nn.MultiheadAttention(12, 3, bias=False, batch_first=True).eval()
    x, may_attend = torch.randn(2, 5, 12), masks.causal(5).expand(2, 5, 5)
    w_query, w_key, w_value = (w.T for w in layer.in_proj_weight.chunk(3))
    expected = layer(x, x, x, attn_mask=~masks.causal(5), need_weights=False)[0]
    for function in (multi_head_attention, by_library):
        given = function(x, w_query, w_key, w_value, layer.out_proj.weight.T, 3, may_attend)
        torch.testing.assert_close(given, expected, atol=1e-6, rtol=0)


def test_grouped_attention_equals_the_librarys():
    query, key, value = (torch.randn(2, heads, 5, 4) for heads in (6, 2, 2))
    expected = ANSWERS["grouped_by_library"](query, key, value)
    torch.testing.assert_close(grouped_attention(query, key, value), expected, atol=1e-6, rtol=0)


def split_by(letter, x, h):
    b, t, d_model = x.shape
    return eval(SPLIT_VERSIONS[letter], {"x": x, "b": b, "t": t, "h": h, "d_k": d_model // h})


def attend_by(letter, query, key, value, may_attend=None):
    """Attention of 2 heads, with this version of the split."""
    heads = [split_by(letter, x, 2) for x in (query, key, value)]
    found, _ = attention.scaled_dot_product_attention(*heads, may_attend)
    return attention.merge_heads(found)


@pytest.mark.parametrize(("letter", "sentences_mix", "words_mix"), [("A", 0, 0), ("B", 0, 1), ("C", 1, 1)])
def test_probes_of_the_split_versions(letter, sentences_mix, words_mix):
    torch.manual_seed(1)
    x, causal = torch.randn(3, 5, 8), masks.causal(5)
    before = attend_by(letter, x, x, x, causal)
    other, later = x.clone(), x.clone()
    other[1], later[:, -1] = 0.0, 0.0
    assert before[0].equal(attend_by(letter, other, other, other, causal)[0]) != sentences_mix
    assert before[:, :-1].equal(attend_by(letter, later, later, later, causal)[:, :-1]) != words_mix
    assert before.shape == x.shape
    scores = split_by(letter, x, 2) @ split_by(letter, x, 2).mT
    torch.testing.assert_close(scores.softmax(-1).sum(-1), torch.ones(3, 2, 5))


def test_all_split_versions_learn_a_batch_by_heart():
    losses = {}
    for letter in SPLIT_VERSIONS:
        torch.manual_seed(2)
        words = torch.randint(11, (4, 6))
        embed, project, read = (
            nn.Embedding(11, 16),
            nn.ModuleList(nn.Linear(16, 16) for _ in range(3)),
            nn.Linear(16, 11),
        )
        places = nn.Parameter(torch.randn(6, 16))
        parameters = [places, *embed.parameters(), *project.parameters(), *read.parameters()]
        optimizer = torch.optim.Adam(parameters, lr=0.02)
        for _ in range(100):
            x = embed(words) + places
            loss = nn.functional.cross_entropy(read(attend_by(letter, *(p(x) for p in project))).mT, words)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        losses[letter] = loss.item()
    assert max(losses.values()) < 0.001, losses


class Head(nn.Module):
    def __init__(self, d_model, d_k):
        super().__init__()
        self.projections = nn.ModuleList(nn.Linear(d_model, d_k, bias=False) for _ in range(3))

    def forward(self, x):
        return attention.scaled_dot_product_attention(*(projection(x) for projection in self.projections))[0]


@pytest.mark.parametrize(("letter", "count", "the_same_twice"), [("A", 156, True), ("B", 588, True), ("C", 156, False)])
def test_versions_of_the_layer_do_what_their_options_say(letter, count, the_same_twice):
    torch.manual_seed(3)
    names = {"nn": nn, "torch": torch, "Head": Head}
    exec(MODULE_VERSIONS[letter], names)
    layer = names["Heads"](12, 4, 3)
    x = torch.randn(2, 5, 12)
    assert sum(p.numel() for p in layer.parameters()) == count
    assert layer(x).equal(layer(x)) == the_same_twice
    assert layer(x).shape == x.shape
    lines = MODULE_VERSIONS[letter].splitlines()
    assert "Head(" in lines[3]  # the fix names line 4
    assert "heads = self." in lines[7]  # and line 8


def test_a_tuple_of_modules_is_not_registered_either():
    names = {"nn": nn, "torch": torch, "Head": Head}
    exec(
        MODULE_VERSIONS["A"].replace("self.heads = [", "self.heads = tuple([").replace("num_heads)]", "num_heads)])"),
        names,
    )
    assert sum(p.numel() for p in names["Heads"](12, 4, 3).parameters()) == 156


def test_the_chances_of_the_claim_exercise():
    exercise = find("multi_head.which_sentence")
    right = {field.name: field.options[field.right].text for field in exercise.fields}
    assert right["by chance"] == f"{20 * 0.05:g}"
    assert right["at least one"] == f"about {100 * (1 - 0.95**20):.0f} %"
    assert f"About {100 / 2**5:.0f} of them show heads 5 times." in exercise.hints[1]


def test_the_decisions_of_the_review():
    scores, mask = torch.randn(2, 3, 5, 7), torch.ones(2, 5, 7, dtype=torch.bool)
    assert scores.masked_fill(mask[:, None], 0).shape == scores.shape
    for bad in (mask, mask[None], mask[..., None]):
        with pytest.raises(RuntimeError):
            scores.masked_fill(bad, 0)
    assert torch.randn(2, 2, 5, 7).masked_fill(mask[None], 0).shape == (2, 2, 5, 7)  # with 2 heads it runs
