"""The three families before attention is explained: a sealed box, who reads whom, and a small writer to be fooled.

A box promises one thing: each row may read the rows that its mask allows, and becomes a new row.  What happens inside
is the subject of the next chapters; ``who_reads`` finds out from outside which rows were read.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from torch.nn import functional

from qkv.nn.attention import MultiHeadAttention
from qkv.nn.positions import sinusoidal

MayRead = Callable[[int], Bool[Tensor, "t t"]]  # length → mask
OPEN, CLOSED = "■", "·"


class SealedBox(nn.Module):
    """One block: rows that may read a text become new rows.  Its weights are drawn, not trained.

    It is a block of the Transformer, with norms before each half (chapter 05); here nobody looks inside.
    """

    def __init__(self, d_model: int, num_heads: int = 4):
        super().__init__()
        self.reader = MultiHeadAttention(d_model, num_heads)
        self.worker = nn.Sequential(nn.Linear(d_model, 4 * d_model), nn.GELU(), nn.Linear(4 * d_model, d_model))
        self.row_norm, self.text_norm, self.worker_norm = (nn.LayerNorm(d_model) for _ in range(3))

    def forward(
        self,
        rows: Float[Tensor, "*b t_q d_model"],
        text: Float[Tensor, "*b t_k d_model"],
        may_read: Bool[Tensor, "t_q t_k"],
    ) -> Float[Tensor, "*b t_q d_model"]:
        """Row i gathers from those rows of the text that ``may_read[i]`` allows; a row keeps what it was and adds."""
        gathered = self.reader(self.row_norm(rows), self.text_norm(text), may_attend=may_read)
        rows = rows + gathered
        return rows + self.worker(self.worker_norm(rows))


def who_reads(run: Callable[[Tensor], Tensor], text: Tensor, other: Tensor) -> Bool[Tensor, "t_q t_k"]:
    """Cell (i, j): does row i of ``run(text)`` change when place j of the text becomes that of ``other``?

    Args:
        run: text → one row per position, of the same text or of another one; it must not draw at random.
        text: ids (t_k) or vectors (t_k, d).
        other: the same shape, different at every place.

    Raises:
        ValueError: ``other`` has another shape, or agrees with the text somewhere.
    """
    if other.shape != text.shape or bool((other == text).reshape(len(text), -1).all(-1).any()):
        raise ValueError("other: expected the shape of the text and something else at every place")
    before, columns = run(text), []
    for j in range(len(text)):
        changed = text.clone()
        changed[j] = other[j]
        columns.append(~torch.isclose(run(changed), before, atol=1e-5).all(-1))
    return torch.stack(columns, dim=1)


def print_reading(matrix: Bool[Tensor, "t_q t_k"], rows: Sequence[str], columns: Sequence[str], name: str = "") -> None:
    """Print who reads (rows) whom (columns): ■ may read, · may not.

    Raises:
        ValueError: there is not one label per row and per column.
    """
    if tuple(matrix.shape) != (len(rows), len(columns)):
        raise ValueError(f"{len(rows)} × {len(columns)} labels for a {tuple(matrix.shape)} matrix")
    first, widths = max(map(len, [name, *rows])), [max(len(column), 1) + 2 for column in columns]
    print(name.ljust(first) + "".join(column.rjust(width) for column, width in zip(columns, widths, strict=True)))
    for label, line in zip(rows, matrix.tolist(), strict=True):
        signs = "".join((OPEN if cell else CLOSED).rjust(width) for cell, width in zip(line, widths, strict=True))
        print(label.ljust(first) + signs)


# A writer too small to be useful and large enough to be fooled -------------------------------------------------------

D_MODEL: Final = 48
LENGTH: Final = 32
BATCH_SIZE: Final = 16


class Writer(nn.Module):
    """Letters → scores of the letter that comes next, through two sealed boxes under any mask."""

    def __init__(self, letters: str, may_read: MayRead):
        super().__init__()
        self.letters, self.may_read = letters, may_read
        self.embedding = nn.Embedding(len(letters), D_MODEL)
        self.boxes = nn.ModuleList(SealedBox(D_MODEL) for _ in range(2))
        self.norm, self.output = nn.LayerNorm(D_MODEL), nn.Linear(D_MODEL, len(letters))

    def forward(self, ids: Int[Tensor, "b t"]) -> Float[Tensor, "b t letters"]:
        """Of every place; ``may_read`` says what it may see of the others."""
        length = ids.shape[1]
        x, may_read = self.embedding(ids) + sinusoidal(length, D_MODEL), self.may_read(length)
        for box in self.boxes:
            x = box(x, x, may_read)
        return self.output(self.norm(x))

    def encode(self, text: str) -> Int[Tensor, " t"]:
        """Letters to ids.  Raises ValueError: a letter that it does not know."""
        return torch.tensor([self.letters.index(letter) for letter in text], dtype=torch.long)


@dataclass(frozen=True)
class WriterRun:
    """A trained writer, its loss at every step, and on text kept back the loss of every place, in nats per letter."""

    writer: Writer
    losses: list[float]
    by_place: list[float]

    @property
    def test_loss(self) -> float:
        """The mean over all places."""
        return sum(self.by_place) / len(self.by_place)


def train_writer(learnt: str, kept_back: str, may_read: MayRead, num_steps: int = 300, seed: int = 0) -> WriterRun:
    """Predict the next letter at every place of windows of ``LENGTH`` letters, under this mask."""
    torch.manual_seed(seed)
    writer = Writer("".join(sorted(set(learnt + kept_back))), may_read)
    windows, tested = (writer.encode(text).unfold(0, LENGTH + 1, 1) for text in (learnt, kept_back))
    optimizer, losses = torch.optim.AdamW(writer.parameters(), 3e-3), []
    for _ in range(num_steps):
        loss = _losses(writer, windows[torch.randint(len(windows), (BATCH_SIZE,))]).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    with torch.no_grad():
        by_place = _losses(writer.eval(), tested[:: LENGTH + 1]).mean(0)
    return WriterRun(writer, losses, by_place.tolist())


def _losses(writer: Writer, windows: Int[Tensor, "b t_all"]) -> Float[Tensor, "b t"]:
    return functional.cross_entropy(writer(windows[:, :-1]).mT, windows[:, 1:], reduction="none")


@torch.no_grad()
def write(writer: Writer, beginning: str, num_letters: int, seed: int = 0) -> str:
    """The beginning, and letters drawn one after another from the writer's probabilities; at most ``LENGTH`` in all.

    Raises:
        ValueError: there would be more letters than the writer has ever seen at once, or one that it does not know.
    """
    if not beginning or len(beginning) + num_letters > LENGTH:
        raise ValueError(f"expected 1 to {LENGTH} letters in all, got {len(beginning)} and {num_letters}")
    generator, ids = torch.Generator().manual_seed(seed), writer.encode(beginning)
    for _ in range(num_letters):
        chances = writer(ids[None])[0, -1].softmax(-1)
        ids = torch.cat([ids, torch.multinomial(chances, 1, generator=generator)])
    return "".join(writer.letters[i] for i in ids.tolist())
