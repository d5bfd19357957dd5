"""The LSTM against torch's, with the same weights, at sizes that Hypothesis draws: outputs, states and gradients."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from qkv.nn.lstm import LSTM, LSTMCell

TOLERANCE = {torch.float32: 1e-6, torch.float64: 1e-12}
drawn = settings(max_examples=60, deadline=None, derandomize=True, database=None)
sizes = {"b": st.integers(1, 4), "t": st.integers(1, 9), "d_in": st.integers(1, 7), "d_hidden": st.integers(1, 11)}


def copy_weights(ours: LSTMCell, theirs: nn.Module, layer: str = "") -> None:
    theirs.load_state_dict(
        {
            f"{kind}_{short}{layer}": getattr(getattr(ours, name), kind)
            for name, short in (("from_input", "ih"), ("from_hidden", "hh"))
            for kind in ("weight", "bias")
        }
    )


@pytest.mark.parametrize("dtype", list(TOLERANCE), ids=str)
@drawn
@given(**{name: size for name, size in sizes.items() if name != "t"}, seed=st.integers(0, 2**20))
def test_cell(dtype, b, d_in, d_hidden, seed):
    torch.manual_seed(seed)
    ours, theirs = LSTMCell(d_in, d_hidden).to(dtype), nn.LSTMCell(d_in, d_hidden).to(dtype)
    copy_weights(ours, theirs)
    x, hidden, cell = (torch.randn(b, size, dtype=dtype) for size in (d_in, d_hidden, d_hidden))
    torch.testing.assert_close(ours(x, (hidden, cell)), theirs(x, (hidden, cell)), rtol=0, atol=TOLERANCE[dtype])


@pytest.mark.parametrize("given_state", [False, True], ids=["zeros", "given"])
@pytest.mark.parametrize("dtype", list(TOLERANCE), ids=str)
@drawn
@given(**sizes, seed=st.integers(0, 2**20))
def test_layer(dtype, given_state, b, t, d_in, d_hidden, seed):
    torch.manual_seed(seed)
    ours, theirs = LSTM(d_in, d_hidden).to(dtype), nn.LSTM(d_in, d_hidden, batch_first=True).to(dtype)
    copy_weights(ours.cell, theirs, "_l0")
    x = torch.randn(b, t, d_in, dtype=dtype, requires_grad=True)
    state = tuple(torch.randn(b, d_hidden, dtype=dtype) for _ in range(2)) if given_state else None
    output, last = ours(x, state)
    expected, their_last = theirs(x, None if state is None else tuple(each[None] for each in state))
    close = {"rtol": 0, "atol": TOLERANCE[dtype]}
    torch.testing.assert_close(output, expected, **close)
    torch.testing.assert_close(last, tuple(each[0] for each in their_last), **close)

    direction = torch.randn_like(output)
    actual, wanted = (torch.autograd.grad(result, x, direction)[0] for result in (output, expected))
    scale = max(1.0, wanted.abs().max().item())
    torch.testing.assert_close(actual, wanted, rtol=0, atol=TOLERANCE[dtype] * scale)
