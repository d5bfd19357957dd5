"""Chapter 05: what its checkers say beyond the rules that all exercises keep, and what its exercises claim."""

import itertools
import math

import pytest
import torch
from torch import nn
from torch.nn.functional import cross_entropy

from qkv.decoding.search import Limits, Slow, beam
from qkv.exercises import check
from qkv.exercises.engine import exercises, find
from qkv.exercises.functions import Function
from qkv.exercises.transformer import (
    ENCODERS,
    LOSSES,
    MEASURED,
    SCRIPT,
    perplexity,
    reads_and_says,
    smoothed_loss,
    warmup_rate,
)
from qkv.exercises.transformer_decoding import ANSWERS, CACHES, SAID, TREES, beam_search, beam_step, penalised
from qkv.exercises.transformer_mistakes import MISTAKES
from qkv.exercises.transformer_tensors import cached_attention, layer_norm
from qkv.nn import attention, masks
from qkv.recipes.claims import field
from qkv.recipes.result import load
from qkv.scoring.edit_distance import outcomes, phoneme_error_rate, word_error_rate
from qkv.training.schedules import warmup_inverse_sqrt


def test_the_catalogue_of_blocks_and_training_is_covered():
    named = {code for exercise in exercises("05") for code in exercise.codes}
    assert {f"B{n}" for n in range(1, 18)} | {"M9", "M11", "M12", "M13", "M14", "P11"} <= named
    assert named == set(MISTAKES)


def test_there_are_twenty_four_and_one_is_starred():
    found = exercises("05")
    assert len(found) == 24
    assert [exercise.id for exercise in found if exercise.starred] == ["transformer.beam_search"]
    assert sum(isinstance(exercise, Function) for exercise in found) == 13


# --- messages


def test_a_refusal_of_step_0_names_it():
    def says(text):
        def answer(step, d_model, warmup):
            if step < 1:
                raise ValueError(text)
            return warmup_rate(step, d_model, warmup)

        return check("transformer.warmup_rate", answer)

    assert "put 0 into the message" in says("steps count from one").message
    assert says("step 0 is below 1").status == "passed"


def test_the_famous_slips_have_names():
    def slips(logits, target, pad_id):
        return {
            "B5": cross_entropy(logits.softmax(-1).flatten(0, 1), target[:, 1:].flatten(), ignore_index=pad_id),
            "B6": cross_entropy(logits.flatten(0, 1), target[:, :-1].flatten(), ignore_index=pad_id),
            "B7": cross_entropy(logits.flatten(0, 1), target[:, 1:].flatten()),
            "B8": cross_entropy(logits.flatten(0, 1), target[:, 1:].flatten(), ignore_index=0),
            "B9": cross_entropy(logits.flatten(0, 1), target[:, 1:].T.flatten(), ignore_index=pad_id),
        }

    for code in ("B5", "B6", "B7", "B8", "B9"):
        report = check("transformer.sequence_loss", lambda *inputs, code=code: slips(*inputs)[code])
        assert report.mistake == code, report.message


def test_pytorchs_causal_flag_forgets_the_cache():
    def by_flag(query, key, value, kept_key, kept_value):
        key, value = torch.cat([kept_key, key], 2), torch.cat([kept_value, value], 2)
        return nn.functional.scaled_dot_product_attention(query, key, value, is_causal=True)

    assert check("transformer.cached_attention", by_flag).mistake == "M11"


# --- what the exercises claim is computed, not believed


def test_the_measured_numbers_are_the_stored_ones():
    stored = {"loss, nats per sound": "effect", "words in error, points": "words wrong, 0.1 minus 0"}
    for name, path in stored.items():
        expected = [field("label-smoothing", f"{path}.{part}").split("\xa0")[0] for part in ("mean", "low", "high")]
        assert [f"{number:g}".replace("-", "−") for number in MEASURED[name]] == [
            text.removesuffix(".0") for text in expected
        ]
    result = load("label-smoothing")
    assert (result.verdict, len(result.seeds)) == ("reproduced", 5)


def encode(letter, depth, width=16):
    """A stack of this version: layers that add a part of what they read, norms without learned rows."""
    torch.manual_seed(0)

    def norm(x):
        return nn.functional.layer_norm(x, x.shape[-1:])

    blocks = [(nn.Linear(width, width), nn.Linear(width, width), norm, norm) for _ in range(depth)]
    body = "\n".join(["def run(x, blocks, last):", *(f"    {line}" for line in ENCODERS[letter])])
    names: dict = {}
    exec(body, names)
    with torch.no_grad():
        return names["run"](torch.randn(5, width), blocks, norm)


def test_the_encoders_do_what_their_options_say():
    for letter, grows in (("A", False), ("B", True), ("C", False)):
        spreads = [encode(letter, depth).var(-1, correction=0).mean().item() for depth in (2, 12)]
        assert (spreads[1] > 2 * spreads[0]) == grows, (letter, spreads)
        assert grows or spreads == pytest.approx([1, 1], abs=1e-3)
    assert not torch.allclose(encode("A", 12), encode("C", 12), atol=0.1)  # another network at the same weights


def test_all_encoders_learn_to_copy():
    for letter, code in ENCODERS.items():
        torch.manual_seed(1)
        table, read = nn.Embedding(7, 16), nn.Linear(16, 7)
        parts = [nn.ModuleList([nn.Linear(16, 16), nn.Linear(16, 16), nn.LayerNorm(16), nn.LayerNorm(16)])]
        last = nn.LayerNorm(16)
        names: dict = {}
        exec("\n".join(["def run(x, blocks, last):", *(f"    {line}" for line in code)]), names)
        optimizer = torch.optim.Adam(nn.ModuleList([table, read, last, *parts]).parameters(), lr=0.02)
        for _ in range(60):
            loss = cross_entropy(read(names["run"](table(torch.arange(7)), parts, last)), torch.arange(7))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        assert loss.item() < 0.1, letter


def ending(letter, losses, is_padding):
    """The loss of this version, where each place's loss is given: one symbol with that log probability."""
    names = {"target": torch.ones(1, 1, 1), "log_p": -losses[..., None], "is_padding": is_padding}
    exec("\n".join(["def run(target, log_p, is_padding):", *(f"    {line}" for line in LOSSES[letter])]), names)
    return names["run"](names["target"], names["log_p"], names["is_padding"]).item()


def test_the_endings_of_the_loss_do_what_their_options_say():
    short = torch.tensor([[1.2, 1.2]]), torch.zeros(1, 2, dtype=torch.bool)
    filled = torch.tensor([[1.2, 1.2, 4.0, 4.0]]), torch.tensor([[False, False, True, True]])
    assert {letter: ending(letter, *short) for letter in LOSSES} == pytest.approx(dict.fromkeys(LOSSES, 1.2))
    assert [ending(letter, *filled) for letter in "ABC"] == pytest.approx([1.2, 0.6, 2.6])


def test_numbers_of_the_prompts_and_hints():
    assert round(smoothed_loss([[math.log(p) for p in (0.7, 0.1, 0.1, 0.1)]], [0], 0.1, 3), 3) == 0.503
    assert smoothed_loss([[-1.0, -3.0, -3.0, -3.0, -3.0]], [0], 0.5, 4) == pytest.approx(1.8)
    assert [round(warmup_rate(step, 64, 4), 4) for step in (1, 4)] == [0.0156, 0.0625]
    assert warmup_rate(9, 100, 9) == pytest.approx(1 / 30)
    assert perplexity([[[math.log(2)] * 3], [[math.log(32)]]]) == pytest.approx(4)
    assert reads_and_says([7, 4, 9], 1, 2) == [[1, 7, 4, 9], [7, 4, 9, 2]]
    step = beam_step(
        [math.log(0.6), math.log(0.4)], find("transformer.beam_step").probes[0].inputs["log_probabilities"], 2, 0
    )
    assert [(round(math.exp(total), 2), parent, symbol) for total, parent, symbol in step] == [
        (0.28, 1, 0), (0.30, 0, 1), (0.24, 0, 2),
    ]  # fmt: skip


def test_the_rate_is_the_librarys():
    for step in (1, 3, 10, 100):
        expected = (64 * 10) ** -0.5 * warmup_inverse_sqrt(step, warmup_steps=10)
        assert warmup_rate(step, 64, 10) == pytest.approx(expected)


def test_smoothing_and_norm_are_pytorchs():
    logits, labels = torch.randn(5, 7).double(), torch.tensor([1, 6, 0, 3, 0])
    expected = cross_entropy(logits, labels, ignore_index=0, label_smoothing=0.2).item()
    assert smoothed_loss(logits.log_softmax(-1).tolist(), labels.tolist(), 0.2, 0) == pytest.approx(expected)
    x, gain, bias = torch.randn(2, 3, 6), torch.randn(6), torch.randn(6)
    torch.testing.assert_close(layer_norm(x, gain, bias), nn.functional.layer_norm(x, (6,), gain, bias))


def test_a_cache_equals_the_whole_sentence():
    query, key, value = (torch.randn(2, 3, 5, 4) for _ in range(3))
    whole, _ = attention.scaled_dot_product_attention(query, key, value, masks.causal(5))
    for kept in range(5):
        rows = cached_attention(
            query[:, :, kept:], key[:, :, kept:], value[:, :, kept:], key[:, :, :kept], value[:, :, :kept]
        )
        torch.testing.assert_close(rows, whole[:, :, kept:])


@pytest.mark.parametrize(("letter", "equal"), [("A", True), ("B", False), ("C", False)])
def test_versions_of_the_cached_step_do_what_their_options_say(letter, equal):
    torch.manual_seed(2)
    d, table, words = 6, torch.randn(4, 6), torch.randn(4, 6)
    names = {"torch": torch, "math": math, "d": d, "table": table}
    exec("\n".join(CACHES[letter]), names)
    x = words + table
    whole, _ = attention.scaled_dot_product_attention(x, x, x, masks.causal(4))
    kept, rows = torch.empty(0, d), []
    for word in words:
        row, kept = names["step"](word[None], kept)
        rows.append(row[0])
    same = [torch.allclose(row, expected, atol=1e-5) for row, expected in zip(rows, whole, strict=True)]
    assert same == ([True] * 4 if equal else [True, False, False, False])


def test_the_scores_by_hand():
    items = outcomes([said.split() for said, _ in SAID.values()], [[right.split()] for _, right in SAID.values()])
    assert [item.edits for item in items] == [0, 1, 1, 1]
    assert (word_error_rate(items), phoneme_error_rate(items)) == (0.75, 0.2)
    assert round(sum(item.edits / item.length for item in items) / 4, 2) == 0.21
    assert round(3 / sum(len(said.split()) for said, _ in SAID.values()), 2) == 0.19


def test_the_scores_of_long_and_short():
    scores = {name: [round(penalised(*answer, alpha), 3) for alpha in (0.0, 1.0)] for name, answer in ANSWERS.items()}
    assert scores == {"short": [-1.8, -1.543], "long": [-2.1, -1.4]}
    assert penalised(7, -3.0, 1.0) == -1.5


def every_sequence(table, start, end, max_length):
    """The best of all sequences that end, by trying each of them."""
    symbols = [symbol for symbol in range(len(table)) if symbol != end]
    bodies = (body for n in range(max_length) for body in itertools.product(symbols, repeat=n))
    return max(
        [sum(table[a][b] for a, b in itertools.pairwise([start, *body, end])), start, *body, end] for body in bodies
    )


@pytest.mark.parametrize("tree", TREES)
def test_a_wide_beam_finds_what_trying_everything_finds(tree):
    for max_length in (1, 2, 3, 4):
        expected = every_sequence(TREES[tree], 0, 1, max_length)
        assert beam_search(TREES[tree], 500, 0, 1, max_length) == pytest.approx(expected)


@pytest.mark.parametrize("tree", TREES)
def test_the_search_is_the_librarys(tree):
    table = torch.tensor(TREES[tree], dtype=torch.float64)
    log_probabilities = table.log_softmax(-1)
    for beam_size in (1, 2, 3):
        search = Slow(lambda ids, rows: log_probabilities[ids], 1)
        best = beam(search, 1, Limits(0, 1, 4), beam_size=beam_size, alpha=0.0)[0][0]
        assert beam_search(log_probabilities.tolist(), beam_size, 0, 1, 4) == pytest.approx(
            [best.log_probability, 0, *best.ids, 1]
        )


def test_the_lines_that_the_script_names():
    lines = SCRIPT.splitlines()
    wanted = {
        1: "Adam(",
        2: "with_new_rows",
        7: "clip_grad_norm_",
        8: "backward",
        9: "step()",
        10: "set_rate",
        11: "accuracy",
    }
    assert all(part in lines[number - 1] for number, part in wanted.items())


def test_slips_of_the_script_do_what_their_options_say():
    torch.manual_seed(3)
    old = nn.Embedding(4, 3)
    optimizer = torch.optim.SGD(old.parameters(), lr=1.0)
    new = nn.Embedding(7, 3)
    before = new.weight.detach().clone()
    new(torch.tensor([1, 5])).sum().backward()
    optimizer.step()
    assert torch.equal(new.weight, before)
    assert nn.utils.clip_grad_norm_(old.parameters(), 1.0) == 0  # nothing to clip before backward
    dropped = nn.Dropout(0.5)
    assert not torch.equal(dropped(torch.ones(64)), dropped(torch.ones(64)))
    assert torch.equal(dropped.eval()(torch.ones(64)), torch.ones(64))


def test_a_copy_is_no_tie_and_a_plain_tensor_no_buffer():
    class Model(nn.Module):
        def __init__(self):
            super().__init__()
            self.embedding = nn.Embedding(69, 128)
            self.scores = nn.Linear(128, 69, bias=False)
            self.scores.weight = nn.Parameter(self.embedding.weight.clone())
            self.waves = torch.zeros(40, 128)

    model = Model()
    assert sum(p.numel() for p in model.parameters()) == 2 * 69 * 128
    assert model.to(torch.float64).waves.dtype == torch.float32
    assert "waves" not in model.state_dict()
    model.scores.weight = model.embedding.weight
    assert sum(p.numel() for p in model.parameters()) == 69 * 128
