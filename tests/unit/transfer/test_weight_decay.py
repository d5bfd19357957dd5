"""What decays in GPT: every matrix, embeddings included; no bias and no gain (Radford et al. 2018, section 4.1)."""

import pytest
import torch

from qkv.models.gpt import GPT, PRESETS
from qkv.transfer.param_groups import decayed


def test_biases_and_gains_do_not_decay():
    model = GPT(PRESETS["smoke"])
    weights, others = decayed(model)
    names = {parameter: name for name, parameter in model.named_parameters()}
    spared = {names[each] for each in others["params"]}
    assert spared == {name for name in names.values() if name.endswith("bias") or "norm" in name}
    assert {names[each] for each in weights["params"]} == set(names.values()) - spared
    assert {"token.weight", "position.weight"} <= set(names.values()) - spared
    assert len(weights["params"]) + len(others["params"]) == len(names)
    assert (weights["weight_decay"], others["weight_decay"]) == (0.01, 0.0)


def test_a_step_without_gradient_shrinks_weights_alone():
    """AdamW takes rate · decay of each weight: with gradients of 0 that is all that happens."""
    model = GPT(PRESETS["smoke"])
    torch.nn.init.ones_(model.layers[0].inner.bias)
    before = {name: parameter.detach().clone() for name, parameter in model.named_parameters()}
    for parameter in model.parameters():
        parameter.grad = torch.zeros_like(parameter)
    torch.optim.AdamW(decayed(model, 0.5), lr=0.1).step()
    for name, parameter in model.named_parameters():
        kept = 1.0 if name.endswith("bias") or "norm" in name else 0.95
        torch.testing.assert_close(parameter.detach(), kept * before[name])


def test_no_negative_decay():
    with pytest.raises(ValueError, match=r"weight_decay: expected at least 0, got -0.1"):
        decayed(torch.nn.Linear(2, 2), -0.1)
