"""Dropout for recurrent networks: what is thrown away stays away for the whole sequence.

Shapes: b sequences, t steps, d entries per step, v rows of a table.

Ordinary dropout throws a new die at every step.  A memory that is to last over many steps would lose something at each
of them, and after t steps a share (1 - p)^t of it would be left.  So one throw serves all steps: here for the weights
between a step and the next, for the entries of a vector, and for whole words (Merity et al. 2017, arXiv:1708.02182).
What stays is divided by 1 - p, so that the mean is as without dropout; in ``eval()`` nothing is thrown away.
"""

from jaxtyping import Float, Integer
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn import functional

LSTMState = tuple[Float[Tensor, "layers b d_hidden"], Float[Tensor, "layers b d_cell"]]  # h, c of ``nn.LSTM``


class WeightDrop(nn.Module):
    """An ``nn.LSTM`` some of whose weights from one step to the next are 0: DropConnect on U (section 2).

    One mask serves all steps and all sequences of a call; the next call draws another.  The optimizer trains
    ``lstm.weight_hh_l0``, which is never masked itself: a weight that was thrown away gets no gradient in this call and
    is back in the next.  Weights from the input (``weight_ih``) and biases are left alone.

    Raises:
        ValueError: a share outside [0, 1).
    """

    def __init__(self, lstm: nn.LSTM, dropout: float):
        super().__init__()
        self.lstm, self.dropout = lstm, _share(dropout)

    def forward(
        self, x: Float[Tensor, "b t d"], state: LSTMState | None = None
    ) -> tuple[Float[Tensor, "b t d_hidden"], LSTMState]:
        """As the LSTM itself: the hidden state after every step, and the state after the last."""
        if not self.training or self.dropout == 0:
            return self.lstm(x, state)
        weights = {
            name: functional.dropout(weight, self.dropout) if name.startswith("weight_hh") else weight
            for name, weight in self.lstm.named_parameters()
        }
        return functional_call(self.lstm, weights, (x, state))


class VariationalDropout(nn.Module):
    """Entries of a vector thrown away at every step alike: mask (b, 1, d), one for each sequence (section 4.2).

    Source: Gal & Ghahramani (2016).  fastai calls it ``RNNDropout``, the published code ``LockedDropout``.

    Raises:
        ValueError: a share outside [0, 1).
    """

    def __init__(self, dropout: float):
        super().__init__()
        self.dropout = _share(dropout)

    def forward(self, x: Float[Tensor, "b t d"]) -> Float[Tensor, "b t d"]:
        """The sequence times its mask."""
        if not self.training or self.dropout == 0:
            return x
        return x * functional.dropout(x.new_ones(len(x), 1, x.shape[-1]), self.dropout)


class EmbeddingDropout(nn.Module):
    """A table of word vectors some of whose rows are 0: such a word is missing all over the batch (section 4.3).

    ``embedding`` holds the raw table.  Where it also scores the next word, it does so with all its rows.

    Raises:
        ValueError: a share outside [0, 1).
    """

    def __init__(self, embedding: nn.Embedding, dropout: float):
        super().__init__()
        self.embedding, self.dropout = embedding, _share(dropout)

    def forward(self, ids: Integer[Tensor, "*b t"]) -> Float[Tensor, "*b t d"]:
        """The vector of every id.  One number is drawn per row of the table, and ids pick theirs."""
        vectors = self.embedding(ids)
        if not self.training or self.dropout == 0:
            return vectors
        rows = functional.dropout(vectors.new_ones(self.embedding.num_embeddings, 1), self.dropout)  # (v, 1)
        return vectors * rows[ids]


def _share(dropout: float) -> float:
    if not 0 <= dropout < 1:
        raise ValueError(f"dropout: expected a share in [0, 1), got {dropout}")
    return dropout
