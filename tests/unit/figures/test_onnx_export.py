"""The exported model, run by ONNX's own reference in NumPy, against PyTorch."""

import json
import subprocess
import sys
from dataclasses import asdict, replace

import numpy as np
import pytest
import torch
from onnx.reference import ReferenceEvaluator

from qkv.figures.onnx_export import DecoderStep
from qkv.models.transformer import PRESETS, Transformer
from qkv.text.sounds import SYMBOLS

CONFIG = replace(PRESETS["smoke"], vocab_size=len(SYMBOLS), norm="pre")
# The exporter traces with symbols in the place of sizes, which the type checks of the tests take for a mistake.
PROGRAM = """
import json, sys, torch
from pathlib import Path
from qkv.figures.onnx_export import export
from qkv.models.transformer import Transformer, TransformerConfig
folder, model = Path(sys.argv[1]), Transformer(TransformerConfig(**json.loads(sys.argv[2])))
model.load_state_dict(torch.load(folder / "model.pt"))
export(model.eval(), folder)
"""


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(0)
    return Transformer(CONFIG).eval()


@pytest.fixture(scope="module")
def sessions(model, tmp_path_factory):
    folder = tmp_path_factory.mktemp("onnx")
    torch.save(model.state_dict(), folder / "model.pt")
    command = [sys.executable, "-c", PROGRAM, folder, json.dumps(asdict(CONFIG))]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stderr == "", "the build shows what the exporter prints"
    return [ReferenceEvaluator(str(folder / f"{name}.onnx")) for name in ("encoder", "decoder")]


@pytest.mark.parametrize(("letters", "beam", "sounds"), [(1, 1, 1), (5, 1, 3), (11, 4, 7), (32, 3, 32)])
def test_equals_pytorch_at_sizes_it_was_not_exported_with(model, sessions, letters, beam, sounds):
    encoder, decoder = sessions
    source, ids = torch.randint(3, 69, (1, letters)), torch.randint(1, 69, (beam, sounds))
    with torch.no_grad():
        memory = model.encode(source)
        expected, looks = DecoderStep(model)(ids, memory)
    (ours,) = encoder.run(None, {"source": source.numpy()})
    np.testing.assert_allclose(ours, memory, atol=1e-5)
    answer, weights = decoder.run(None, {"ids": ids.numpy(), "memory": ours})
    np.testing.assert_allclose(answer, expected, atol=1e-4)
    np.testing.assert_allclose(weights, looks, atol=1e-5)
    assert weights.shape == (beam, letters)


def test_a_step_says_what_the_whole_model_says_of_the_last_position(model):
    source, ids = torch.randint(3, 69, (1, 6)), torch.randint(1, 69, (1, 5))
    with torch.no_grad():
        log_probabilities, looks = DecoderStep(model)(ids, model.encode(source))
        torch.testing.assert_close(log_probabilities, model(source, ids)[:, -1].log_softmax(-1))
    torch.testing.assert_close(looks.sum(-1), torch.ones(1))
