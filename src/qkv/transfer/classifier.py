"""A classifier on top of a recurrent language model, for texts of any length  (Howard & Ruder 2018, section 3.3).

Shapes: b texts, t tokens, d entries of a hidden state, c classes.
"""

import torch
from jaxtyping import Float, Integer
from torch import Tensor, nn

from qkv.models.awd_lstm import AWDLSTM
from qkv.nn.lstm import detached
from qkv.nn.masks import not_padding
from qkv.transfer.pooling import concat_pooling


class ClassifierHead(nn.Sequential):
    """Two blocks, each of batch normalisation, dropout and a linear layer, with a ReLU between them; no softmax.

    The paper gives the parts and the 50 hidden entries; their order, and the second dropout, are those of its code.  In
    ``train()`` a batch needs two texts or more: batch normalisation of a single one leaves nothing.

    Raises:
        ValueError: a size below 1.
    """

    def __init__(self, d_in: int, num_classes: int, d_hidden: int = 50, dropout: tuple[float, float] = (0.4, 0.1)):
        if min(d_in, num_classes, d_hidden) < 1:
            raise ValueError(f"expected sizes of at least 1, got {d_in}, {d_hidden} and {num_classes}")
        first, second = dropout
        super().__init__(
            *(nn.BatchNorm1d(d_in), nn.Dropout(first), nn.Linear(d_in, d_hidden), nn.ReLU()),
            *(nn.BatchNorm1d(d_hidden), nn.Dropout(second), nn.Linear(d_hidden, num_classes)),
        )


class RecurrentClassifier(nn.Module):
    """Language model, concat pooling, head.  Long texts are read chunk by chunk (BPT3C).

    Args:
        chunk_length: tokens read at once; the next chunk begins with the state that the last one ended with.
        gradient_chunks: from how many chunks of each text, counted from its last, gradients come.  The states of all
            chunks are pooled.  (The published code also pools those alone, 20 chunks of 70.)

    Raises:
        ValueError: a size below 1.
    """

    def __init__(self, model: AWDLSTM, num_classes: int, *, chunk_length: int = 70, gradient_chunks: int = 20):
        super().__init__()
        if min(chunk_length, gradient_chunks) < 1:
            raise ValueError(
                f"expected chunk_length and gradient_chunks of at least 1, got {chunk_length} and {gradient_chunks}"
            )
        self.model, self.head = model, ClassifierHead(3 * model.config.d_model, num_classes)
        self.chunk_length, self.gradient_chunks = chunk_length, gradient_chunks

    def forward(self, ids: Integer[Tensor, "b t"], lengths: Integer[Tensor, " b"]) -> Float[Tensor, "b c"]:
        """Scores of the classes.

        Args:
            ids: padded on the right; what stands in the padding does not matter.

        Raises:
            ValueError: a length below 1 or above t.
        """
        not_padding(lengths, ids.shape[1])  # refuses lengths that cannot be before anything is read
        return self.head(concat_pooling(self.read(ids, lengths), lengths))

    def read(self, ids: Integer[Tensor, "b t"], lengths: Integer[Tensor, " b"]) -> Float[Tensor, "b t d"]:
        """Hidden states of all chunks; no gradient goes from one chunk back into the one before.

        Chunks that no text wants a gradient from are read without one, which saves the memory for it.
        """
        last_chunk = (lengths - 1) // self.chunk_length
        state, read = None, []
        for number, part in enumerate(ids.split(self.chunk_length, dim=1)):
            wants = (number > last_chunk - self.gradient_chunks) & (number <= last_chunk)  # (b,)
            with torch.set_grad_enabled(torch.is_grad_enabled() and bool(wants.any())):
                hidden, state = self.model.read(part, state)
            state = detached(state)
            read.append(torch.where(wants[:, None, None], hidden, hidden.detach()))
        return torch.cat(read, dim=1)

    def groups(self) -> list[list[nn.Parameter]]:
        """Weights from the bottom up: word vectors, each LSTM layer, the head.  The bias of the word scores is idle."""
        layers = [list(layer.parameters()) for layer in self.model.layers]
        return [list(self.model.token.parameters()), *layers, list(self.head.parameters())]
