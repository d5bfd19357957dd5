"""A task in which one word needs two things at once: who did it, and to whom.

Three words: a noun, *left*, a noun.  From the row of *left* alone the network must name both nouns, each in its role.
One attention layer and one feed-forward layer; models with more heads have narrower ones and cost the same.
"""

from dataclasses import dataclass
from typing import Final

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from qkv.inspection.trace import Trace
from qkv.nn.attention import MultiHeadAttention

NUM_NOUNS: Final = 20
LEFT: Final = NUM_NOUNS  # the id of the verb
D_MODEL: Final = 32


@dataclass(frozen=True)
class TwoThingsRun:
    """What a training run shows: the loss at each step (nats per noun), and the share of sentences fully right."""

    losses: list[float]
    right: float
    weights: Float[Tensor, "h 3"]  # how *left* shares itself out over the three words, mean over the test sentences


class TwoThings(nn.Module):
    """*left* attends to the three words, the result is worked on alone, and two answers are read off."""

    def __init__(self, num_heads: int):
        super().__init__()
        self.words = nn.Embedding(NUM_NOUNS + 1, D_MODEL)
        self.positions = nn.Embedding(3, D_MODEL)
        self.attention = MultiHeadAttention(D_MODEL, num_heads)
        self.feed_forward = nn.Sequential(
            nn.LayerNorm(D_MODEL), nn.Linear(D_MODEL, 4 * D_MODEL), nn.ReLU(), nn.Linear(4 * D_MODEL, D_MODEL)
        )
        self.answer = nn.Linear(D_MODEL, 2 * NUM_NOUNS)

    def forward(self, ids: Int[Tensor, "b 3"], trace: Trace | None = None) -> Float[Tensor, "b 2 nouns"]:
        """Logits: who did it (entry 0 of the middle axis) and to whom (entry 1)."""
        hidden = self.words(ids) + self.positions.weight
        verb = hidden[:, 1:2]
        verb = verb + self.attention(verb, hidden, trace=trace)
        verb = verb + self.feed_forward(verb)
        return self.answer(verb).view(-1, 2, NUM_NOUNS)


def train_two_things(num_heads: int, seed: int = 0, num_steps: int = 300, batch_size: int = 64) -> TwoThingsRun:
    """Train on random pairs of nouns, then test on 2,000 new ones (about a second).

    The same seed gives the same starting weights and the same sentences whatever the number of heads.

    Raises:
        ValueError: the width, 32, is no multiple of ``num_heads``.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = TwoThings(num_heads)
    generator = torch.Generator().manual_seed(seed)
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3, fused=True)
    losses = []
    for _ in range(num_steps):
        nouns = torch.randint(NUM_NOUNS, (batch_size, 2), generator=generator)
        loss = nn.functional.cross_entropy(model(_sentences(nouns)).flatten(0, 1), nouns.flatten())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return _test(model, torch.randint(NUM_NOUNS, (2_000, 2), generator=generator), losses)


def _sentences(nouns: Int[Tensor, "b 2"]) -> Int[Tensor, "b 3"]:
    return torch.stack([nouns[:, 0], torch.full((len(nouns),), LEFT), nouns[:, 1]], dim=1)


@torch.no_grad()
def _test(model: TwoThings, nouns: Int[Tensor, "b 2"], losses: list[float]) -> TwoThingsRun:
    trace = Trace()
    right = model(_sentences(nouns), trace).argmax(-1) == nouns
    return TwoThingsRun(losses, right.all(-1).float().mean().item(), trace["weights"].mean(0)[:, 0])
