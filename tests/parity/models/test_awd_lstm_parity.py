"""Without dropout, AWD-LSTM is torch's LSTM under a linear layer that shares its weights with the table."""

from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from qkv.models.awd_lstm import AWDLSTM, PRESETS, AWDLSTMConfig
from qkv.nn.lstm import LSTM


def without_dropout(vocab_size: int, d_model: int, d_hidden: int, num_layers: int) -> AWDLSTM:
    return AWDLSTM(AWDLSTMConfig(vocab_size, d_model, d_hidden, num_layers, 0.0, 0.0, 0.0, 0.0, 0.0))


def torch_stack(model: AWDLSTM, d: int, num_layers: int) -> tuple[nn.LSTM, nn.Linear]:
    """One ``nn.LSTM`` of several layers, which all have one size there, and a ``nn.Linear``."""
    lstm = nn.LSTM(d, d, num_layers, batch_first=True).to(model.bias)
    weights = {
        name.replace("l0", f"l{i}"): weight
        for i, layer in enumerate(model.layers)
        for name, weight in layer.lstm.state_dict().items()
    }
    lstm.load_state_dict(weights)
    linear = nn.Linear(d, len(model.bias)).to(model.bias)
    linear.load_state_dict({"weight": model.token.embedding.weight, "bias": model.bias})
    return lstm, linear


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float32, 1e-6), (torch.float64, 1e-14)], ids=str)
@settings(max_examples=20, deadline=None)
@given(
    b=st.integers(1, 4), t=st.integers(1, 9), d=st.integers(1, 12), layers=st.integers(1, 4), seed=st.integers(0, 999)
)
def test_equal_to_torch_in_logits_state_and_gradients(dtype, tolerance, b, t, d, layers, seed):
    torch.manual_seed(seed)
    model = without_dropout(17, d, d, layers).to(dtype)
    nn.init.normal_(model.bias)
    lstm, linear = torch_stack(model, d, layers)
    ids = torch.randint(17, (b, t))
    start = [(torch.randn(1, b, d, dtype=dtype), torch.randn(1, b, d, dtype=dtype)) for _ in range(layers)]
    logits, state = model(ids, start)
    together = tuple(torch.cat(part) for part in zip(*start, strict=True))
    output, end = lstm(model.token.embedding(ids), together)
    torch.testing.assert_close(logits, linear(output), rtol=0, atol=tolerance)
    for ours, theirs in zip(zip(*state, strict=True), end, strict=True):
        torch.testing.assert_close(torch.cat(ours), theirs, rtol=0, atol=tolerance)
    model(ids)[0].sum().backward()
    linear(lstm(model.token.embedding(ids))[0]).sum().backward()
    torch.testing.assert_close(
        model.layers[-1].lstm.weight_hh_l0.grad, lstm.get_parameter(f"weight_hh_l{layers - 1}").grad
    )


def test_equal_to_the_lstm_by_hand():
    """Layers of different size, each computed step by step from the equations."""
    torch.manual_seed(0)
    model = without_dropout(17, 6, 10, 3).double()
    ids = torch.randint(17, (3, 7))
    x: Tensor = model.token.embedding(ids)
    for layer in model.layers:
        weights = layer.lstm.state_dict()
        by_hand = LSTM(layer.lstm.input_size, layer.lstm.hidden_size).double()
        for name, part in (("ih", by_hand.cell.from_input), ("hh", by_hand.cell.from_hidden)):
            part.load_state_dict({"weight": weights[f"weight_{name}_l0"], "bias": weights[f"bias_{name}_l0"]})
        x = by_hand(x)[0]
    torch.testing.assert_close(model(ids)[0], x @ model.token.embedding.weight.T + model.bias, rtol=0, atol=1e-12)


def test_dropouts_of_zero_are_eval():
    """The same weights with and without dropouts in the configuration: equal in ``eval()``, the names included."""
    torch.manual_seed(0)
    with_dropout = AWDLSTM(PRESETS["smoke"])
    none = {name: 0.0 for name in vars(PRESETS["smoke"]) if name.endswith("dropout")}
    without = AWDLSTM(replace(PRESETS["smoke"], **none))
    without.load_state_dict(with_dropout.state_dict())
    ids = torch.randint(43, (3, 7))
    assert torch.equal(without(ids)[0], with_dropout.eval()(ids)[0])
