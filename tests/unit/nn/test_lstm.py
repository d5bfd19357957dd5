"""The LSTM by hand: what each gate does alone, and that a text may be read in pieces."""

import math

import pytest
import torch

from qkv.nn.lstm import LSTM, LSTMCell


def cell_with_gates(i: float, f: float, g: float, o: float) -> LSTMCell:
    """One entry, weights 0: the four parts are sigmoids (g: tanh) of the given numbers, whatever is read."""
    cell = LSTMCell(1, 1)
    for parameter in cell.parameters():
        torch.nn.init.zeros_(parameter)
    cell.from_input.bias.data = torch.tensor([i, f, g, o], dtype=torch.float32)
    return cell


def test_half_open_gates_by_hand():
    """All weights 0: gates are 1/2, nothing new is written, so c goes from 2 to 1 and h = tanh(1) / 2."""
    hidden, cell = cell_with_gates(0, 0, 0, 0)(torch.zeros(3, 1), (torch.ones(3, 1), torch.full((3, 1), 2.0)))
    assert cell.tolist() == [[1.0]] * 3
    torch.testing.assert_close(hidden, torch.full((3, 1), math.tanh(1) / 2))


@pytest.mark.parametrize(
    ("gates", "expected"),
    [
        ((-50, 50, 1, 50), 0.7),  # forget gate open, input gate closed: kept
        ((-50, -50, 1, 50), 0.0),  # both closed: cleared
        ((50, -50, 50, 50), 1.0),  # input gate open: written anew, g = 1
        ((50, 50, 50, -50), 1.7),  # both open: added; a closed output gate hides it
    ],
    ids=["keep", "clear", "write", "add"],
)
def test_what_each_gate_does(gates, expected):
    hidden, cell = cell_with_gates(*gates)(torch.zeros(1), (torch.zeros(1), torch.tensor([0.7])))
    assert cell.item() == pytest.approx(expected)
    assert hidden.item() == pytest.approx(math.tanh(expected) if gates[3] > 0 else 0)


def test_a_text_may_be_read_in_pieces():
    torch.manual_seed(0)
    lstm, x = LSTM(3, 5).double(), torch.randn(2, 7, 3, dtype=torch.float64)
    whole, last = lstm(x)
    first, state = lstm(x[:, :4])
    second, end = lstm(x[:, 4:], state)
    torch.testing.assert_close(torch.cat([first, second], dim=1), whole)
    torch.testing.assert_close(end, last)
    torch.testing.assert_close(last[0], whole[:, -1])
    fresh, _ = lstm(x[:, 4:])
    assert not torch.allclose(fresh, second)


def test_no_steps():
    with pytest.raises(ValueError, match=r"at least one step, got x of shape \(2, 0, 3\)"):
        LSTM(3, 5)(torch.zeros(2, 0, 3))
