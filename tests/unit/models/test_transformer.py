"""What the Transformer promises: no look into the future, padding without effect, one matrix, and that it learns."""

from dataclasses import replace

import pytest
import torch
from torch import nn

from qkv.inspection.trace import Trace
from qkv.models.transformer import PRESETS, Transformer, TransformerConfig

SMOKE = replace(PRESETS["smoke"], dropout=0.0)


@pytest.fixture(params=["post", "pre"])
def model(request) -> Transformer:
    torch.manual_seed(0)
    return Transformer(replace(SMOKE, norm=request.param)).double()


def ids(b: int, t: int, seed: int = 0) -> torch.Tensor:
    return torch.randint(1, 24, (b, t), generator=torch.Generator().manual_seed(seed))


def test_the_future_cannot_change_the_past(model):
    source, target = ids(2, 5), ids(2, 7, seed=1)
    changed = target.clone()
    changed[:, 4:] = (changed[:, 4:] + 5) % 23 + 1
    before, after = model(source, target), model(source, changed)
    torch.testing.assert_close(before[:, :4], after[:, :4])
    assert not torch.allclose(before[:, 4:], after[:, 4:])


def test_padding_of_the_source_changes_nothing(model):
    source, target = ids(2, 5), ids(2, 4, seed=1)
    padded = nn.functional.pad(source, (0, 3), value=SMOKE.pad_id)
    torch.testing.assert_close(model(padded, target), model(source, target))


def test_the_end_of_the_source_reaches_the_first_target(model):
    source, target = ids(1, 5), ids(1, 3, seed=1)
    changed = source.clone()
    changed[0, -1] = source[0, -1] % 23 + 1
    assert not torch.allclose(model(source, target)[:, 0], model(changed, target)[:, 0])


def test_order_of_the_source_matters(model):
    source, target = torch.tensor([[3, 4, 5]]), ids(1, 3)
    assert not torch.allclose(model(source, target), model(source.flip(1), target))


def test_without_positions_the_source_is_a_bag():
    """Letters in another order: the same vectors in another order, so the decoder's scores stay."""
    model = Transformer(replace(PRESETS["smoke"], positions="none")).eval()
    source, target, order = torch.tensor([[3, 4, 5, 6]]), torch.tensor([[1, 7, 8]]), torch.tensor([2, 0, 3, 1])
    torch.testing.assert_close(model.encode(source)[:, order], model.encode(source[:, order]))
    torch.testing.assert_close(model(source, target), model(source[:, order], target))


@pytest.mark.parametrize("sizes", [[1] * 6, [2, 3, 1], [6]])
def test_steps_with_a_cache_equal_one_call(model, sizes):
    source, target, cache = ids(3, 5), ids(3, 6, seed=1), {}
    memory = model.encode(source)
    steps = [model.decode(new, memory, source, cache=cache) for new in target.split(sizes, dim=1)]
    torch.testing.assert_close(torch.cat(steps, dim=1), model(source, target))


def test_a_trace_changes_nothing_and_names_every_attention(model):
    source, target, trace = ids(2, 5), ids(2, 4, seed=1), Trace()
    torch.testing.assert_close(model(source, target, trace=trace), model(source, target))
    names = [*(f"encoder{i}.self_attention" for i in range(2))]
    names += [f"decoder{i}.{kind}_attention" for i in range(2) for kind in ("self", "cross")]
    assert {name.removesuffix(".weights") for name in trace if name.endswith("weights")} == set(names)
    assert trace["decoder1.cross_attention.weights"].shape == (2, 2, 4, 5)


def test_head_gates_reach_the_head_they_name(model):
    source, target = ids(2, 5), ids(2, 4, seed=1)
    gates = {"decoder0.cross_attention": torch.ones(2, dtype=torch.float64, requires_grad=True)}
    logits = model(source, target, head_gates=gates)
    torch.testing.assert_close(logits, model(source, target))
    logits.square().sum().backward()
    assert gates["decoder0.cross_attention"].grad.abs().min() > 0


def test_one_matrix_embeds_and_scores(model):
    shapes = [tuple(parameter.shape) for parameter in model.parameters()]
    assert shapes.count((SMOKE.vocab_size, SMOKE.d_model)) == 1
    assert not any(SMOKE.vocab_size in shape for shape in shapes if shape != (SMOKE.vocab_size, SMOKE.d_model))


def test_the_paper_counts_65_million():
    """Table 3, "base": 65 · 10⁶ parameters, for a vocabulary of about 37,000."""
    with torch.device("meta"):
        model = Transformer(PRESETS["paper"])
    assert round(sum(parameter.numel() for parameter in model.parameters()) / 1e6) in (63, 64, 65)


@pytest.mark.parametrize("norm", ["post", "pre"])
def test_it_learns_to_reverse(norm):
    torch.manual_seed(0)
    model = Transformer(replace(SMOKE, norm=norm, d_model=32, d_ff=64))
    source = ids(16, 5)
    target = torch.cat([torch.full((16, 1), 23), source.flip(1)], dim=1)
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    for _ in range(150):
        loss = nn.functional.cross_entropy(model(source, target[:, :-1]).flatten(0, 1), target[:, 1:].flatten())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert loss.item() < 0.3


@pytest.mark.parametrize("positions", ["sinusoidal", "learned"])
def test_too_long(positions):
    model = Transformer(replace(SMOKE, positions=positions))
    with pytest.raises(ValueError, match="max_length = 32 tokens, got 33"):
        model.encode(ids(1, 33))


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"d_ff": 0}, "d_ff: expected at least 1, got 0"),
        ({"dropout": 1.0}, r"dropout: expected a share in \[0, 1\), got 1.0"),
        ({"pad_id": 24}, "pad_id: expected an id below vocab_size = 24, got 24"),
        ({"d_model": 15}, "got 15 and 2"),
    ],
)
def test_configuration_that_cannot_be(wrong, message):
    with pytest.raises(ValueError, match=message):
        Transformer(replace(SMOKE, **wrong))


def test_unknown_choice_without_shape_checks():
    with pytest.raises(Exception, match="middle"):
        TransformerConfig(9, 4, 2, 4, 1, 1, norm="middle")
