"""Two gloo processes under torchrun give the loss of one, step by step."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from qkv.training.distributed import global_sum, my_share, rank, replicated, world_size

SCRIPT = Path(__file__).with_name("two_processes.py")
TORCHRUN = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]


def losses(folder: Path, *launcher: str) -> list[float]:
    folder.mkdir()
    run = subprocess.run(
        [sys.executable, *launcher, str(SCRIPT), str(folder)], capture_output=True, text=True, timeout=280
    )
    assert run.returncode == 0, run.stderr
    return json.loads((folder / "losses.json").read_text())


def test_two_processes_give_one_processs_loss_over_fifty_steps(tmp_path):
    one, two = losses(tmp_path / "one"), losses(tmp_path / "two", *TORCHRUN)
    assert len(one) == len(two) == 50
    assert two == pytest.approx(one, abs=1e-4)
    assert one[-1] < one[0] - 0.3  # it went somewhere, so equal losses mean equal gradients
    final = [torch.load(tmp_path / run / "step_000050.pt", weights_only=True)["model"] for run in ("one", "two")]
    assert final[0].keys() == final[1].keys()  # the wrapping leaves no trace in the names


def test_alone():
    rows, model = torch.arange(5), torch.nn.Linear(1, 1)
    assert (world_size(), rank()) == (1, 0)
    assert my_share(rows).tolist() == [0, 1, 2, 3, 4]
    assert global_sum(torch.tensor(3)).item() == 3
    assert replicated(model) is model
