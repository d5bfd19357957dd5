"""Trace: names in front of names, no graph kept, and a clear word about a name that is not there."""

import pytest
import torch

from qkv.inspection.trace import Trace


def test_what_is_written_within_gets_the_name_in_front():
    trace = Trace()
    trace.within("encoder0").within("self_attention")["weights"] = torch.ones(2)
    trace["logits"] = torch.zeros(1)
    assert list(trace) == ["encoder0.self_attention.weights", "logits"]
    assert list(trace.within("encoder0")) == ["self_attention.weights"]
    assert len(trace.within("encoder0")) == 1
    assert trace.within("encoder0")["self_attention.weights"] is trace["encoder0.self_attention.weights"]


def test_no_graph_is_kept_and_a_second_call_writes_over_the_first():
    trace, x = Trace(), torch.ones(1, requires_grad=True)
    trace["x"] = x * 2
    assert not trace["x"].requires_grad
    trace["x"] = x * 3
    assert (len(trace), trace["x"].item()) == (1, 3.0)


def test_unknown_name():
    trace = Trace()
    trace["decoder0.weights"] = torch.ones(1)
    with pytest.raises(
        KeyError, match=r"nothing was traced under 'decoder0\.weight'; did you mean 'decoder0\.weights'"
    ):
        trace["decoder0.weight"]
