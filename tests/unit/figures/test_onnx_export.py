"""The exported models, run by ONNX's own reference in NumPy, against PyTorch."""

import json
import subprocess
import sys
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from onnx.reference import ReferenceEvaluator

from qkv.figures.onnx_export import DecoderStep, Filler
from qkv.models import bert
from qkv.models.transformer import PRESETS, Transformer
from qkv.text.sounds import SYMBOLS

CONFIG = replace(PRESETS["smoke"], vocab_size=len(SYMBOLS), norm="pre")
# The exporter traces with symbols in the place of sizes, which the type checks of the tests take for a mistake.
PROGRAM = """
import json, sys, torch
from pathlib import Path
from qkv.figures.onnx_export import export, export_filler
from qkv.models.bert import BERTConfig, BERTForPreTraining
from qkv.models.transformer import Transformer, TransformerConfig
folder, write, settings = Path(sys.argv[1]), sys.argv[2], json.loads(sys.argv[3])
if write == "export":
    model = Transformer(TransformerConfig(**settings))
else:
    model = BERTForPreTraining(BERTConfig(**settings))
model.load_state_dict(torch.load(folder / "model.pt"))
globals()[write](model.eval(), folder)
"""


def export_apart(tmp_path_factory, write, model, config):
    """The folder in which a fresh process has written the model."""
    folder = tmp_path_factory.mktemp("onnx")
    torch.save(model.state_dict(), folder / "model.pt")
    command = [sys.executable, "-c", PROGRAM, folder, write, json.dumps(asdict(config))]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stderr == "", "the build shows what the exporter prints"
    return folder


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(0)
    return Transformer(CONFIG).eval()


@pytest.fixture(scope="module")
def sessions(model, tmp_path_factory):
    folder = export_apart(tmp_path_factory, "export", model, CONFIG)
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


@pytest.fixture(scope="module")
def half_bert():
    """A small BERT whose weights are half precision numbers, as those of a published model are."""
    torch.manual_seed(0)
    return bert.BERTForPreTraining(bert.PRESETS["smoke"]).half().float().eval()


@pytest.fixture(scope="module")
def filler(half_bert, tmp_path_factory):
    return export_apart(tmp_path_factory, "export_filler", half_bert, bert.PRESETS["smoke"]) / "filler.onnx"


@pytest.mark.parametrize(("length", "places"), [(3, [1]), (9, [7, 2, 3]), (32, list(range(1, 31)))])
def test_gaps_equal_pytorch_at_sizes_it_was_not_exported_with(half_bert, filler, length, places):
    ids = torch.randint(0, 40, (1, length), generator=torch.Generator().manual_seed(length))
    with torch.no_grad():
        expected = half_bert(ids)[0][0, places].softmax(-1)
        torch.testing.assert_close(Filler(half_bert)(ids, torch.tensor(places)), expected)
    (ours,) = ReferenceEvaluator(str(filler)).run(None, {"ids": ids.numpy(), "places": np.array(places)})
    np.testing.assert_allclose(ours, expected, atol=1e-6)


def test_no_file_says_where_it_was_made(filler, sessions):
    root = str(Path(__file__).resolve().parents[3]).encode()
    for program in (onnx.load(filler), *(session.proto_ for session in sessions)):
        found = program.SerializeToString()
        assert root not in found
        assert b".py" not in found


def test_weights_that_half_precision_holds_are_stored_so_once_each(half_bert, filler, sessions):
    kinds = {onnx.TensorProto.FLOAT: 0, onnx.TensorProto.FLOAT16: 0}
    for tensor in onnx.load(filler).graph.initializer:
        if tensor.data_type in kinds:
            kinds[tensor.data_type] += int(np.prod(tensor.dims))
    used = [*half_bert.bert.named_parameters(), *half_bert.transform.named_parameters()]
    weights = sum(part.numel() for name, part in used if not name.startswith("pooler"))
    assert weights <= kinds[onnx.TensorProto.FLOAT16] <= 1.2 * weights
    assert kinds[onnx.TensorProto.FLOAT] <= 0.01 * weights
    whole = {tensor.data_type for tensor in sessions[0].proto_.graph.initializer if len(tensor.dims) == 2}
    assert whole == {onnx.TensorProto.FLOAT}, "weights that it does not hold stay whole"
