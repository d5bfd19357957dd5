"""Silencing heads, and what the gradient says of them before."""

from dataclasses import replace

import pytest
import torch
from torch import nn

from qkv.inspection.heads import Head, every_head, gradient_importance, normalised, without
from qkv.models.transformer import PRESETS, Transformer
from qkv.nn.attention import MultiHeadAttention

NUM_HEADS = {"a": 2, "b": 3}


def test_gates_by_hand():
    gates = without(NUM_HEADS, [Head("b", 0), Head("b", 2)])
    assert {name: gate.tolist() for name, gate in gates.items()} == {"a": [1, 1], "b": [0, 1, 0]}
    assert len(every_head(NUM_HEADS)) == 5
    for head in (Head("b", 3), Head("c", 0), Head("a", -1)):
        with pytest.raises(ValueError, match="got head"):
            without(NUM_HEADS, [head])


def test_a_silent_head_takes_its_columns_of_the_output_projection_with_it():
    torch.manual_seed(0)
    attention, x = MultiHeadAttention(12, 3), torch.randn(2, 5, 12)
    gated = attention(x, head_gate=without({"only": 3}, [Head("only", 1)])["only"])
    with torch.no_grad():
        attention.output.weight[:, 4:8] = 0  # what head 1 hands on
    torch.testing.assert_close(gated, attention(x))


def test_slopes_of_a_known_loss():
    """loss = 3 · first gate - 2 · last gate of b, times the example's number: slopes 3 and 2 times it, as sizes."""
    factor = torch.tensor([1.0, 2.0])

    def losses(gates):
        return factor * (3 * gates["a"][:, 0] - 2 * gates["b"][:, 2])

    found = gradient_importance(losses, NUM_HEADS, 2)
    assert found[Head("a", 0)].tolist() == [3, 6]
    assert found[Head("b", 2)].tolist() == [2, 4]
    assert found[Head("b", 1)].tolist() == [0, 0]
    with pytest.raises(ValueError, match=r"got \(\)"):
        gradient_importance(lambda gates: gates["a"].sum(), NUM_HEADS, 2)


def test_slopes_equal_a_small_nudge_of_each_gate():
    torch.manual_seed(1)
    model = Transformer(replace(PRESETS["smoke"], activation="gelu")).double().eval()  # ReLU has a bend
    source, target = torch.randint(1, 24, (3, 6)), torch.randint(1, 24, (3, 5))
    num_heads = {f"{stack}.self_attention": 2 for stack in ("encoder0", "encoder1", "decoder0")}

    def losses(gates):
        logits = model(source, target[:, :-1], head_gates={name: gate.double() for name, gate in gates.items()})
        return nn.functional.cross_entropy(logits.mT, target[:, 1:], reduction="none").sum(-1)

    found = gradient_importance(losses, num_heads, 3)
    for head in every_head(num_heads):
        up, down = ({name: torch.ones(3, 2) for name in num_heads} for _ in range(2))
        up[head.attention][:, head.number] += 1e-3
        down[head.attention][:, head.number] -= 1e-3
        slope = (losses(up) - losses(down)) / 2e-3
        torch.testing.assert_close(found[head].double(), slope.abs(), rtol=1e-3, atol=1e-4)


def test_each_attention_is_brought_to_length_one():
    found = normalised({Head("a", 0): 3.0, Head("a", 1): 4.0, Head("b", 0): 0.0})
    assert found == {Head("a", 0): 0.6, Head("a", 1): 0.8, Head("b", 0): 0.0}
