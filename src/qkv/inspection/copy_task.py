"""A network too small to be useful and large enough to be fooled: it copies eight letters.

It takes its attention as an argument, so that a right and a broken version can be trained side by side, and it reports
three things that ought to agree: the training loss, the accuracy while the right answer stands in the input, and the
accuracy when the network writes alone and reads its own letters.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from qkv.nn.masks import causal

Attention = Callable[[Tensor, Tensor, Tensor, Tensor], tuple[Tensor, Tensor]]

NUM_LETTERS: Final = 10
LENGTH: Final = 8
GO: Final = NUM_LETTERS  # the id that says: now repeat
D_MODEL: Final = 32


@dataclass(frozen=True)
class CopyRun:
    """What a training run shows: the loss at each step (nats per letter) and two accuracies between 0 and 1."""

    losses: list[float]
    told: float  # each next letter predicted with all right letters before it in the input
    alone: float  # the network reads the letters that it wrote itself


class Copier(nn.Module):
    """One attention layer and one feed-forward layer, each added to its input, on letters and positions.

    The table of positions is learned, unless one is given: that one is added as it is and stays as it is.
    """

    def __init__(self, attention: Attention, positions: Float[Tensor, "t d_model"] | None = None):
        super().__init__()
        self.attention = attention
        self.letters = nn.Embedding(NUM_LETTERS + 1, D_MODEL)
        self.positions = nn.Embedding(2 * LENGTH + 1, D_MODEL)
        if positions is not None:
            _check_positions(positions)
            self.positions = nn.Embedding.from_pretrained(positions, freeze=True)
        self.to_query, self.to_key, self.to_value, self.to_output = (nn.Linear(D_MODEL, D_MODEL) for _ in range(4))
        self.feed_forward = nn.Sequential(
            nn.LayerNorm(D_MODEL), nn.Linear(D_MODEL, 4 * D_MODEL), nn.ReLU(), nn.Linear(4 * D_MODEL, D_MODEL)
        )
        self.norm_before, self.norm_after = nn.LayerNorm(D_MODEL), nn.LayerNorm(D_MODEL)
        self.next_letter = nn.Linear(D_MODEL, NUM_LETTERS + 1)

    def forward(self, ids: Int[Tensor, "b t"]) -> Float[Tensor, "b t letters"]:
        """Logits for the letter after each position; no position may read a later one."""
        length = ids.shape[1]
        hidden = self.letters(ids) + self.positions.weight[:length]
        normed = self.norm_before(hidden)
        query, key, value = self.to_query(normed), self.to_key(normed), self.to_value(normed)
        mixed, _ = self.attention(query, key, value, causal(length))
        hidden = hidden + self.to_output(mixed)
        hidden = hidden + self.feed_forward(hidden)
        return self.next_letter(self.norm_after(hidden))


def _check_positions(positions: Tensor) -> None:
    expected = 2 * LENGTH + 1, D_MODEL
    if tuple(positions.shape) != expected:
        raise ValueError(f"expected a table of positions of shape {expected}, got {tuple(positions.shape)}")


def train_copier(
    attention: Attention,
    seed: int = 0,
    num_steps: int = 300,
    batch_size: int = 64,
    *,
    positions: Float[Tensor, "t d_model"] | None = None,
) -> CopyRun:
    """Train a Copier with this attention, then test it on 500 new strings, told and alone (about two seconds).

    The same seed gives the same starting weights and the same strings whatever the attention and the positions.

    Raises:
        ValueError: a table of positions that has not one row per letter read, or rows of another size than D_MODEL.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = Copier(attention, positions)
    generator = torch.Generator().manual_seed(seed)
    learnt = [weight for weight in model.parameters() if weight.requires_grad]
    optimizer = torch.optim.Adam(learnt, lr=3e-3, fused=True)
    losses = []
    for _ in range(num_steps):
        ids = _strings(batch_size, generator)
        loss = nn.functional.cross_entropy(_copy_logits(model, ids).flatten(0, 1), _copy(ids).flatten())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    told, alone = _test(model, _strings(500, generator))
    return CopyRun(losses, told, alone)


def _strings(count: int, generator: torch.Generator) -> Int[Tensor, "b t"]:
    """Eight random letters, GO, and the same eight again."""
    letters = torch.randint(NUM_LETTERS, (count, LENGTH), generator=generator)
    return torch.cat([letters, torch.full((count, 1), GO), letters], dim=1)


def _copy(ids: Int[Tensor, "b t"]) -> Int[Tensor, "b copied"]:
    return ids[:, LENGTH + 1 :]


def _copy_logits(model: nn.Module, ids: Int[Tensor, "b t"]) -> Float[Tensor, "b copied letters"]:
    """Predictions for the second half; the last letter is not fed in, for nothing comes after it."""
    return model(ids[:, :-1])[:, LENGTH:]


@torch.no_grad()
def _test(model: nn.Module, ids: Int[Tensor, "b t"]) -> tuple[float, float]:
    told = _copy_logits(model, ids).argmax(-1)
    written = ids[:, : LENGTH + 1]
    for _ in range(LENGTH):
        following = model(written)[:, -1:].argmax(-1)
        written = torch.cat([written, following], dim=1)
    right = _copy(ids)
    return (told == right).float().mean().item(), (_copy(written) == right).float().mean().item()
