"""Models as ONNX files that a browser can run.

The pronunciation model is two files: the encoder, and one step of the decoder.  A decoder step runs the whole beginning
of a word, without a cache: with words this short it costs little, and the page has no state to keep in order.  BERT is
one file, from the ids of a text to chances for its gaps.

Weights that half precision holds exactly, as it does all that the course publishes, are stored so and made whole when
the model is loaded: half the bytes, the same numbers.  Needs the packages ``onnx`` and ``onnxscript``.
"""

import logging
import warnings
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

import numpy as np
import onnx
import torch
from onnx import numpy_helper
from torch import Tensor, nn
from torch.export import Dim

from qkv.inspection.trace import Trace
from qkv.models.bert import BERTForPreTraining
from qkv.models.transformer import Transformer
from qkv.text.sounds import PAD

OPSET: Final = 18
LARGEST_BEAM: Final = 16


class Encoder(nn.Module):
    """Ids of one word's letters (1, t_s) → one vector per letter (1, t_s, d_model)."""

    def __init__(self, model: Transformer):
        super().__init__()
        self.model = model

    def forward(self, source: Tensor) -> Tensor:
        """See ``Transformer.encode``."""
        return self.model.encode(source)


class DecoderStep(nn.Module):
    """Several beginnings of one word's pronunciation, the start symbol included, → what may come next.

    The second result says where the newest position looks: the cross-attention of the last layer, mean over its heads.
    """

    def __init__(self, model: Transformer):
        super().__init__()
        self.model = model

    def forward(self, ids: Tensor, memory: Tensor) -> tuple[Tensor, Tensor]:
        """ids (b, t), memory (1, t_s, d_model) → log probabilities (b, v), weights (b, t_s) that add up to 1."""
        source = torch.full((ids.shape[0], memory.shape[1]), PAD + 1)  # any letter: nothing here is padding
        trace = Trace()
        logits = self.model.decode(ids, memory.expand(ids.shape[0], -1, -1), source, trace=trace)
        last = len(self.model.decoder) - 1
        weights = trace[f"decoder{last}.cross_attention.weights"]  # (b, h, t, t_s)
        return logits[:, -1].log_softmax(-1), weights[:, :, -1].mean(1)


class Filler(nn.Module):
    """Ids of one text with gaps, [CLS] and [SEP] included (1, t), and where its gaps are (n) → chances (n, v)."""

    def __init__(self, model: BERTForPreTraining):
        super().__init__()
        self.model = model

    def forward(self, ids: Tensor, places: Tensor) -> Tensor:
        """Of every piece for each gap; a row adds up to 1."""
        return self.model.piece_scores(self.model.bert(ids)[0, places]).softmax(-1)


def export_filler(model: BERTForPreTraining, folder: Path) -> Path:
    """Write ``filler.onnx`` into an existing folder; returns its path.

    Inputs and output are named as in ``Filler``: ids, places → chances.  t is free from 3 to the model's
    ``max_length``, the number of gaps from 1 to two less.
    """
    most = model.bert.config.max_length
    time, gaps = Dim("t", min=3, max=most), Dim("n", min=1, max=most - 2)
    example = torch.arange(7)[None], torch.tensor([2, 4, 5])
    path = folder / "filler.onnx"
    _write(Filler(model), example, path, {"ids": {1: time}, "places": {0: gaps}}, ["chances"])
    return path


def export(model: Transformer, folder: Path) -> list[Path]:
    """Write ``encoder.onnx`` and ``decoder.onnx`` into an existing folder; returns both paths.

    Inputs and outputs are named as the arguments and results of ``Encoder`` and ``DecoderStep``: source → memory;
    ids, memory → log_probabilities, weights.  b, t and t_s are free, up to 16 and the model's ``max_length``.
    """
    most = model.config.max_length
    letters, beam, time = Dim("t_s", min=1, max=most), Dim("b", min=1, max=LARGEST_BEAM), Dim("t", min=1, max=most)
    source = torch.full((1, 7), PAD + 1)
    with torch.no_grad():
        memory = model.encode(source)
    encoder, decoder = folder / "encoder.onnx", folder / "decoder.onnx"
    _write(Encoder(model), (source,), encoder, {"source": {1: letters}}, ["memory"])
    shapes = {"ids": {0: beam, 1: time}, "memory": {1: letters}}
    _write(DecoderStep(model), (source[0, :6].view(2, 3), memory), decoder, shapes, ["log_probabilities", "weights"])
    return [encoder, decoder]


def _write(
    module: nn.Module, example: tuple[Tensor, ...], path: Path, shapes: dict[str, Any], outputs: Iterable[str]
) -> None:
    """Export without the exporter's remarks about packages and trees that are not ours."""
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        torch.onnx.export(
            module.eval(),
            example,
            path,
            input_names=list(shapes),
            output_names=list(outputs),
            dynamic_shapes=shapes,
            dynamo=True,
            opset_version=OPSET,
            external_data=False,
            verbose=False,
        )
    program = onnx.load(path)
    _forget_origins(program.graph)
    _store_half(program.graph)
    onnx.save(program, path)


def _forget_origins(graph: onnx.GraphProto) -> None:
    """Remove what the exporter notes beside each node: lines of Python, with the paths of the machine it ran on."""
    for part in (graph, *graph.node, *graph.value_info, *graph.input, *graph.output, *graph.initializer):
        del part.metadata_props[:]


def _store_half(graph: onnx.GraphProto) -> None:
    """Store matrices and vectors in half precision where that holds them exactly; a Cast makes them whole again."""
    casts = []
    for tensor in graph.initializer:
        whole = numpy_helper.to_array(tensor)
        half = whole.astype(np.float16) if whole.dtype == np.float32 and whole.ndim else None
        if half is None or not np.array_equal(half.astype(np.float32), whole):
            continue
        name = tensor.name
        tensor.CopyFrom(numpy_helper.from_array(half, f"{name}.half"))
        casts.append(onnx.helper.make_node("Cast", [tensor.name], [name], to=onnx.TensorProto.FLOAT))
    nodes = [*casts, *graph.node]
    del graph.node[:]
    graph.node.extend(nodes)
