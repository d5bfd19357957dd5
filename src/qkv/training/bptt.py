"""A long text cut for a recurrent network: each chunk goes on where the last one stopped.

Shapes: b rows, t tokens of a chunk.

Back-propagation through time would have to remember the whole text, so the text is read in chunks: the state is handed
on, the gradient is not ("truncated").  That is worth something only if the next chunk really continues the last one,
row by row; so chunks come in order, never shuffled.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Integer
from torch import Tensor, nn

from qkv.nn.lstm import LayerStates, detached


@dataclass(frozen=True)
class Chunk:
    """Tokens and the tokens that follow each.  ``is_first``: nothing came before; start with a state of zeros."""

    ids: Integer[Tensor, "b t"]
    targets: Integer[Tensor, "b t"]
    is_first: bool


class ContiguousBatches:
    """The text in ``batch_size`` rows of equal length, read side by side in chunks of ``chunk_length`` tokens.

    ``a b c d e f g h i`` in 2 rows, chunks of 3: first ``a b c`` and ``e f g``, then ``d`` and ``h``.  Every row goes
    on in the next chunk; the last chunk of an epoch may be shorter.  What does not fill the rows is lost: at the end of
    the text, fewer tokens than there are rows.  The chunk of any step follows from the step alone; epochs repeat.

    Raises:
        ValueError: a size below 1, or a text too short for one token and its successor in each row.
    """

    def __init__(self, ids: Sequence[int] | Integer[Tensor, " n"], batch_size: int, chunk_length: int):
        text = torch.as_tensor(ids)
        if min(batch_size, chunk_length) < 1:
            raise ValueError(f"expected batch_size and chunk_length >= 1, got {batch_size} and {chunk_length}")
        if (row_length := (len(text) - 1) // batch_size) < 1:
            raise ValueError(f"expected at least batch_size + 1 = {batch_size + 1} tokens, got {len(text)}")
        used = batch_size * row_length
        self.ids = text[:used].view(batch_size, row_length)
        self.targets = text[1 : used + 1].view(batch_size, row_length)
        self.chunk_length = chunk_length

    def __len__(self) -> int:
        """Chunks per epoch."""
        return -(-self.ids.shape[1] // self.chunk_length)

    def __getitem__(self, step: int) -> Chunk:
        """The chunk of step 0, 1, …; after the last the text begins again."""
        position = step % len(self)
        part = slice(position * self.chunk_length, (position + 1) * self.chunk_length)
        return Chunk(self.ids[:, part], self.targets[:, part], is_first=position == 0)


class Carried(nn.Module):
    """A model together with the state in which the last chunk left it.

    The state is part of ``state_dict()``, so a run that goes on from a checkpoint reads on as if it had never stopped.
    """

    def __init__(self, model: nn.Module):
        super().__init__()
        self.model = model
        self._state: LayerStates | None = None

    def state_before(self, chunk: Chunk) -> LayerStates | None:
        """What the model starts this chunk from; None, which stands for zeros, where the text begins."""
        return None if chunk.is_first else self._state

    def keep(self, state: LayerStates) -> None:
        """Remember the state after a chunk, without its history: no gradient reaches back into that chunk."""
        self._state = detached(state)

    def get_extra_state(self) -> LayerStates | None:
        """What ``state_dict()`` takes along besides weights."""
        return self._state

    def set_extra_state(self, state: LayerStates | None) -> None:
        """What ``load_state_dict()`` gives back."""
        self._state = state
