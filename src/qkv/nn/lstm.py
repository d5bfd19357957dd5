"""LSTM: a memory cell that gates write to, clear and read, one step after another.

Shapes: b sequences, t steps, d_in entries of an input, d_hidden entries of the hidden state and of the memory cell.

Written from the equations to be read.  Models use ``nn.LSTM``, which gives the same numbers faster.
"""

import torch
from jaxtyping import Float
from torch import Tensor, nn

State = tuple[Float[Tensor, "*b d_hidden"], Float[Tensor, "*b d_hidden"]]  # hidden state h, memory cell c
LayerStates = list[tuple[Tensor, Tensor]]  # the same of several layers, which may differ in d_hidden


class LSTMCell(nn.Module):
    """One step:  c ← f ⊙ c + i ⊙ g  and  h = o ⊙ tanh(c), with four parts computed from the input x and the last h.

    i, f, o = σ(W x + b + U h + b'): input, forget and output gate, from 0 (closed) to 1 (open); g = tanh(same form):
    what may be written.  W and U hold the four parts on top of each other **in the order i, f, g, o**, torch's order;
    TensorFlow has i, g, f, o.  Two biases where one would do, as torch has them.

    Source: Hochreiter & Schmidhuber (1997); the forget gate: Gers et al. (2000), section 3.
    """

    def __init__(self, d_in: int, d_hidden: int):
        super().__init__()
        self.from_input = nn.Linear(d_in, 4 * d_hidden)  # W, b;  torch: weight_ih, bias_ih
        self.from_hidden = nn.Linear(d_hidden, 4 * d_hidden)  # U, b';  torch: weight_hh, bias_hh

    def forward(self, x: Float[Tensor, "*b d_in"], state: State) -> State:
        """The next state; its first half, h, is also the output of this step."""
        hidden, cell = state
        i, f, g, o = (self.from_input(x) + self.from_hidden(hidden)).chunk(4, dim=-1)
        cell = f.sigmoid() * cell + i.sigmoid() * g.tanh()
        return o.sigmoid() * cell.tanh(), cell


class LSTM(nn.Module):
    """The same cell at every step, from left to right: ``nn.LSTM`` with one layer and ``batch_first=True``."""

    def __init__(self, d_in: int, d_hidden: int):
        super().__init__()
        self.d_hidden = d_hidden
        self.cell = LSTMCell(d_in, d_hidden)

    def forward(
        self, x: Float[Tensor, "b t d_in"], state: State | None = None
    ) -> tuple[Float[Tensor, "b t d_hidden"], State]:
        """The hidden state after every step, and the state after the last.

        Args:
            state: where to start; by default zeros.  Hand on what came back, and the text goes on where it stopped.

        Raises:
            ValueError: a sequence without steps.
        """
        if x.shape[1] == 0:
            raise ValueError(f"expected at least one step, got x of shape {tuple(x.shape)}")
        if state is None:
            state = x.new_zeros(len(x), self.d_hidden), x.new_zeros(len(x), self.d_hidden)
        outputs = []
        for step in x.unbind(1):
            state = self.cell(step, state)
            outputs.append(state[0])
        return torch.stack(outputs, dim=1), state


def detached(states: LayerStates) -> LayerStates:
    """The same numbers without their history: reading goes on from them, but no gradient goes back beyond them."""
    return [(hidden.detach(), cell.detach()) for hidden, cell in states]
