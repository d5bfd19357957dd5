"""Attention learns where to look: real words are spelled backwards, so letter i must read letter length - 1 - i."""

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from qkv.data import load
from qkv.nn.attention import AdditiveAttention, scaled_dot_product_attention
from qkv.nn.masks import not_padding

NUM_WORDS, D_MODEL, LONGEST = 64, 32, 12
PADDING = 0


@pytest.fixture(scope="module")
def words() -> list[str]:
    """64 words of 4 to 12 plain letters, spread evenly over the training words of the dictionary."""
    plain = [word for word in load("cmudict")["train"]["word"] if word.isascii() and word.isalpha()]
    fitting = [word for word in plain if 4 <= len(word) <= LONGEST]
    return fitting[:: len(fitting) // NUM_WORDS][:NUM_WORDS]


def spelled(words: list[str]) -> Tensor:
    """Letters as 1 to 26, filled up with padding: (b, t)."""
    rows = [torch.tensor([ord(letter) - ord("a") + 1 for letter in word]) for word in words]
    return nn.utils.rnn.pad_sequence(rows, batch_first=True, padding_value=PADDING)


class Reverser(nn.Module):
    """The query tells the position that is wanted, the key the position that is held, the value the letter there."""

    def __init__(self, attention):
        super().__init__()
        self.attention = attention
        self.wanted = nn.Embedding(LONGEST, D_MODEL)
        self.held = nn.Embedding(LONGEST, D_MODEL)
        self.letter = nn.Embedding(27, D_MODEL)
        self.spell = nn.Linear(D_MODEL, 27)

    def forward(self, letters: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        position = torch.arange(letters.shape[1])
        query = self.wanted((lengths[:, None] - 1 - position).clamp(min=0))
        key = self.held(position.expand_as(letters))
        mix, weights = self.attention(query, key, self.letter(letters), not_padding(lengths))
        return self.spell(mix), weights


def without_looking(query: Tensor, key: Tensor, value: Tensor, may_attend: Tensor) -> tuple[Tensor, Tensor]:
    """Equal shares for all letters of the word: a bag of letters, what is left of attention without its weights."""
    weights = (may_attend / may_attend.sum(-1, keepdim=True)).expand(-1, query.shape[1], -1)
    return weights @ value, weights


def train(attention, words: list[str], num_steps: int = 60) -> tuple[float, float]:
    """Final loss in nats per letter, and the mean weight that a letter gives to the one it must read."""
    letters, lengths = spelled(words), torch.tensor([len(word) for word in words])
    target = spelled([word[::-1] for word in words])
    model = Reverser(attention)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.02)
    for _ in range(num_steps):
        logits, weights = model(letters, lengths)
        loss = functional.cross_entropy(logits.mT, target, ignore_index=PADDING)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    right = [weights[b, i, n - 1 - i].item() for b, n in enumerate(lengths.tolist()) for i in range(n)]
    return loss.item(), sum(right) / len(right)


@pytest.mark.parametrize("kind", ["scaled dot product", "additive"])
def test_attention_learns_to_look_where_the_letter_is(kind, words):
    """60 steps take the loss below a tenth of what a bag of letters reaches, and nearly all weight to the right key."""
    torch.manual_seed(0)
    attention = scaled_dot_product_attention if kind == "scaled dot product" else AdditiveAttention(32, 32, 32)
    bag_loss, bag_weight = train(without_looking, words)
    loss, weight = train(attention, words)
    assert bag_loss > 1  # the letters of a word, without their order, leave much open
    assert bag_weight < 0.2
    assert loss < bag_loss / 10
    assert weight > 0.9
