"""Heads for words, and for texts over frozen layers: what stands on a language model that has no such head elsewhere.

ELMo's layers are only read: a scalar mix and one linear map learn (Peters et al. 2018, section 3.2; one linear map is
the classifier of their section 5.3).  AWD-LSTM and GPT were published as classifiers of texts; here each gets a linear
map over the state of every word, as BERT has it (``qkv.transfer.bert_heads.TokenClassifier``).  Both read from the left
alone, so a word's state knows nothing of the words behind it.

Shapes: b texts, t tokens, n words of all texts one after the other, c classes.
"""

import torch
from jaxtyping import Float, Integer
from torch import Tensor, nn

from qkv.models.awd_lstm import AWDLSTM
from qkv.models.gpt import GPT
from qkv.nn.masks import not_padding
from qkv.nn.scalar_mix import ScalarMix
from qkv.transfer.heads import next_token_loss
from qkv.transfer.pooling import concat_pooling

Layers = Float[Tensor, "layers b t d"]


class MixTagger(nn.Module):
    """W · dropout(γ · Σ s_j h_j) + b for each word."""

    def __init__(self, num_layers: int, d: int, num_classes: int, dropout: float = 0.5):
        super().__init__()
        self.mix, self.dropout, self.linear = ScalarMix(num_layers), nn.Dropout(dropout), nn.Linear(d, num_classes)

    def forward(self, layers: Layers, lengths: Integer[Tensor, " b"]) -> Float[Tensor, "n c"]:
        """Scores of the real words, text after text.  Raises ValueError: a length below 1 or above t."""
        real = not_padding(lengths, layers.shape[2])[:, 0]
        return self.linear(self.dropout(self.mix(layers)[real]))


class MixClassifier(nn.Module):
    """W · dropout([h_T, max, mean]) + b of the mixed layers of a text."""

    def __init__(self, num_layers: int, d: int, num_classes: int, dropout: float = 0.5):
        super().__init__()
        self.mix, self.dropout, self.linear = ScalarMix(num_layers), nn.Dropout(dropout), nn.Linear(3 * d, num_classes)

    def forward(self, layers: Layers, lengths: Integer[Tensor, " b"]) -> Float[Tensor, "b c"]:
        """Scores of the texts.  Raises ValueError: a length below 1 or above t."""
        return self.linear(self.dropout(concat_pooling(self.mix(layers), lengths)))


class RecurrentTagger(nn.Module):
    """W · dropout(h) + b for each token that an AWD-LSTM reads."""

    def __init__(self, model: AWDLSTM, num_classes: int, dropout: float = 0.4):
        super().__init__()
        self.model, self.dropout = model, nn.Dropout(dropout)
        self.linear = nn.Linear(model.config.d_model, num_classes)

    def forward(self, ids: Integer[Tensor, "b t"]) -> Float[Tensor, "b t c"]:
        """Scores of all tokens, those of the padding too."""
        return self.linear(self.dropout(self.model.read(ids)[0]))

    def groups(self) -> list[list[nn.Parameter]]:
        """Weights from the bottom up: word vectors, each LSTM layer, the new map."""
        layers = [list(layer.parameters()) for layer in self.model.layers]
        return [list(self.model.token.parameters()), *layers, list(self.linear.parameters())]


class GPTTagger(nn.Module):
    """W · dropout(h) + b for each token of a GPT; it learns L2 + λ · L1, the tags and still the next tokens."""

    def __init__(self, gpt: GPT, num_classes: int, dropout: float = 0.1):
        super().__init__()
        self.gpt, self.dropout = gpt, nn.Dropout(dropout)
        self.linear = nn.Linear(gpt.config.d_model, num_classes)
        nn.init.normal_(self.linear.weight, std=0.02)
        nn.init.zeros_(self.linear.bias)

    def forward(self, ids: Integer[Tensor, "b t"]) -> Float[Tensor, "b t c"]:
        """Scores of all tokens, those of the padding too."""
        return self.linear(self.dropout(self.gpt.hidden_states(ids)))

    def loss(
        self, ids: Integer[Tensor, "b t"], lengths: Integer[Tensor, " b"], tags: Integer[Tensor, "b t"], weight: float
    ) -> Float[Tensor, ""]:
        """Mean cross-entropy of the tags (-100: the token has none) plus λ = ``weight`` times that of next tokens."""
        hidden = self.gpt.hidden_states(ids)
        scores = self.linear(self.dropout(hidden))
        task = nn.functional.cross_entropy(scores.flatten(0, 1), tags.flatten())
        return task + weight * next_token_loss(self.gpt, hidden, ids, lengths)


def at_places(scores: Float[Tensor, "b t c"], places: list[list[int]]) -> Float[Tensor, "n c"]:
    """The scores of chosen tokens, text after text: where each word begins, or where it ends.

    Raises:
        ValueError: not one list of places for each text.
    """
    if len(places) != len(scores):
        raise ValueError(f"expected places for {len(scores)} texts, got them for {len(places)}")
    rows = [row for row, found in enumerate(places) for _ in found]
    return scores[torch.tensor(rows), torch.tensor([place for found in places for place in found])]
