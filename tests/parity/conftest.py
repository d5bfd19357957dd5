"""What comparisons of whole models share: both precisions, and how near is equal."""

import pytest
import torch

TOLERANCE = {torch.float32: 1e-5, torch.float64: 1e-12}


@pytest.fixture(params=TOLERANCE, ids=str)
def dtype(request):
    return request.param


@pytest.fixture
def close():
    """To 1e-5 in float32 and 1e-12 in float64, of the largest entry where that is above 1."""

    def check(actual, expected):
        scale = max(1.0, expected.abs().max().item())
        torch.testing.assert_close(actual, expected, rtol=0, atol=TOLERANCE[actual.dtype] * scale)

    return check
