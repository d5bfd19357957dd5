"""ELMo (Peters et al. 2018, arXiv:1802.05365): word vectors that depend on the sentence, from two language models.

Shapes: b sequences, t words, c characters of a word, d = d_model entries per word and direction, v words in the
vocabulary.

One language model reads from the left and predicts the next word, the other reads from the right and predicts the
previous one.  They share how a word is spelled into a vector and how words are scored (section 3.1), nothing else: what
one direction has read never reaches the other, or it would be told what it is to predict.
"""

import warnings
from dataclasses import asdict, dataclass
from typing import Final

import torch
from jaxtyping import Bool, Float, Integer
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn import functional

from qkv import assets
from qkv.nn.char_cnn import CharCNN
from qkv.nn.masks import not_padding

Filters = tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class ELMoConfig:
    """Sizes; ``filters`` are (width in characters, how many) pairs, ``d_cell`` the entries of a memory cell.

    Dropout falls on the input of every LSTM layer and of the word scores; the default is that of the published code.

    Raises:
        ValueError: a size below 1, a memory cell not larger than what it is projected to, a dropout outside [0, 1).
    """

    vocab_size: int
    num_characters: int
    d_character: int
    filters: Filters
    d_model: int
    d_cell: int
    num_layers: int = 2
    num_highway: int = 2
    dropout: float = 0.1

    def __post_init__(self) -> None:
        for name, value in asdict(self).items():
            if isinstance(value, int) and value < 1:
                raise ValueError(f"{name}: expected at least 1, got {value}")
        if self.d_cell <= self.d_model:
            raise ValueError(f"d_cell: expected more than d_model = {self.d_model}, got {self.d_cell}")
        if not 0 <= self.dropout < 1:
            raise ValueError(f"dropout: expected a share in [0, 1), got {self.dropout}")


PUBLISHED_FILTERS: Final = ((1, 32), (2, 32), (3, 64), (4, 128), (5, 256), (6, 512), (7, 1024))  # 2,048 in all

PRESETS: Final = {  # 261 characters: those of qkv.text.words
    "paper": ELMoConfig(793_471, 261, 16, PUBLISHED_FILTERS, 512, 4096),  # section 3.4, and the published options
    "cpu": ELMoConfig(6_000, 261, 16, ((1, 16), (2, 16), (3, 32), (4, 64), (5, 64), (6, 64)), 128, 192),
    "smoke": ELMoConfig(40, 261, 5, ((1, 3), (2, 4), (3, 6)), 8, 12),
}


class Direction(nn.Module):
    """LSTM layers that read from the left; what the second and later ones read is added to what they say.

    h = projection of o ⊙ tanh(c), so that a large memory cell speaks through a small state (Sak et al. 2014).  The
    first layer has no residual connection, as in the published code.  That code also clips c and h at ± 3, and starts
    a batch with the memory that the last one left; here every call starts with none.
    """

    def __init__(self, config: ELMoConfig):
        super().__init__()
        d = config.d_model
        self.layers = nn.ModuleList(
            nn.LSTM(d, config.d_cell, proj_size=d, batch_first=True) for _ in range(config.num_layers)
        )
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, x: Float[Tensor, "b t d"]) -> Float[Tensor, "layers b t d"]:
        """Hidden states of every layer; that of word i has read words 0 … i."""
        outputs = []
        for i, lstm in enumerate(self.layers):
            read = self.dropout(x)
            x = _run(lstm, read) + (read if i > 0 else 0.0)
            outputs.append(x)
        return torch.stack(outputs)


class ELMo(nn.Module):
    """Both language models.  ``forward`` gives the layers that a task mixes, ``loss`` is what they are trained with.

    Weigh the layers with ``qkv.nn.scalar_mix.ScalarMix``.  A task that only reads them calls ``eval()`` first, since
    dropout would change them, and freezes the weights with ``requires_grad_(False)``.
    """

    def __init__(self, config: ELMoConfig):
        super().__init__()
        self.config = config
        self.token = CharCNN(
            config.num_characters, config.d_character, config.filters, config.d_model, config.num_highway
        )
        self.from_left, self.from_right = Direction(config), Direction(config)
        self.dropout = nn.Dropout(config.dropout)
        self.word_scores = nn.Linear(config.d_model, config.vocab_size)

    @classmethod
    def from_pretrained(cls, name: str) -> "ELMo":
        """A trained model of the course by name, ready to use.  Raises as ``qkv.assets.weights``."""
        path, card = assets.weights(name)
        filters = tuple((width, number) for width, number in card["config"]["filters"])
        model = cls(ELMoConfig(**card["config"] | {"filters": filters}))
        model.load_state_dict({key: value.float() for key, value in load_file(path).items()})
        return model.eval()

    def forward(
        self, characters: Integer[Tensor, "b t c"], lengths: Integer[Tensor, " b"]
    ) -> Float[Tensor, "layers b t two_d"]:
        """num_layers + 1 layers of 2 d entries: first what has read from the left, then what has read from the right.

        Layer 0 knows no context: the word's own vector, twice, so that all layers have one size.  Padding words are 0.

        Args:
            characters: ids of each word's characters, 0 for padding; behind a sentence, words of padding alone.
            lengths: words of each sentence.

        Raises:
            ValueError: a length below 1 or above t.
        """
        real = not_padding(lengths, characters.shape[1])[:, 0]
        words, left, right = self._read(characters, lengths)
        layers = torch.cat([torch.stack([words, words], dim=-2).flatten(-2)[None], torch.cat([left, right], dim=-1)])
        return layers.masked_fill(~real[..., None], 0.0)

    def loss(
        self,
        characters: Integer[Tensor, "b t c"],
        lengths: Integer[Tensor, " b"],
        words: Integer[Tensor, "b t"],
    ) -> tuple[Float[Tensor, " two"], Integer[Tensor, ""]]:
        """Sums of cross-entropies in nats, from the left and from the right, and how many words each has predicted.

        A state from the left predicts the next word, one from the right the previous one.  Nothing predicts the first
        word from the left or the last from the right: give a sentence marks for its begin and end, and they are those.

        Args:
            words: the same words as ids of the vocabulary; what stands in the padding does not matter.

        Raises:
            ValueError: a length below 1 or above t, or all are 1, so that no word has a neighbour.
        """
        has_next = not_padding(lengths, characters.shape[1])[:, 0, 1:]  # word i + 1 is real
        if not has_next.any():
            raise ValueError("expected a sequence of at least two words, got lengths of 1 alone: nothing to predict")
        _, left, right = self._read(characters, lengths)
        from_left = self._cross_entropy(left[-1, :, :-1], words[:, 1:], has_next)
        from_right = self._cross_entropy(right[-1, :, 1:], words[:, :-1], has_next)
        return torch.stack([from_left, from_right]), has_next.sum()

    def _cross_entropy(
        self, states: Float[Tensor, "b n d"], targets: Integer[Tensor, "b n"], chosen: Bool[Tensor, "b n"]
    ) -> Float[Tensor, ""]:
        scores = self.word_scores(self.dropout(states[chosen]))
        return functional.cross_entropy(scores, targets[chosen], reduction="sum")

    def _read(self, characters: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Word vectors (b, t, d), and the states of both directions (layers, b, t, d), word by word alike."""
        words = self._spell(characters)
        left = self.from_left(words)
        right = self.from_right(reversed_by_length(words, lengths))
        return words, left, torch.stack([reversed_by_length(layer, lengths) for layer in right])

    def _spell(self, characters: Integer[Tensor, "b t c"]) -> Float[Tensor, "b t d"]:
        """Every different word of the batch is spelled once; about half of running text are words met before."""
        different, place = characters.flatten(0, 1).unique(dim=0, return_inverse=True)
        return functional.embedding(place.view(characters.shape[:2]), self.token(different))


def reversed_by_length(x: Float[Tensor, "b t d"], lengths: Integer[Tensor, " b"]) -> Float[Tensor, "b t d"]:
    """Each sequence back to front, its padding left where it is; twice is as it was.

    ``x.flip(1)`` would put the padding first, and a model would read it before the last word.
    ``[a b c _ _]``, length 3 → ``[c b a _ _]``
    """
    position = torch.arange(x.shape[1], device=x.device)
    mirrored = lengths[:, None] - 1 - position  # below 0 in the padding
    source = torch.where(mirrored >= 0, mirrored, position)
    return x.gather(1, source[..., None].expand_as(x))


def _run(lstm: nn.Module, x: Tensor) -> Tensor:
    """All outputs.  That oneDNN knows no projections makes them slower, not wrong; torch warns of it nevertheless."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="LSTM with projections is not supported")
        return lstm(x)[0]
