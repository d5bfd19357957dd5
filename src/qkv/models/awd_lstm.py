"""AWD-LSTM (Merity et al. 2017, arXiv:1708.02182): a plain LSTM language model, kept from learning its text by heart.

Shapes: b texts, t tokens, d = d_model entries of a token's vector and of what the last layer says, v = vocab_size.

There is nothing new in the network itself: layers of LSTM, one above the other.  New is where it forgets on purpose.
With ULMFiT's sizes and dropouts (Howard & Ruder 2018, arXiv:1801.06146, section 4.1) it is the model that ULMFiT
carries over to other tasks; what those add stands in ``qkv.transfer``.
"""

from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Final

import torch
from jaxtyping import Float, Integer
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn import functional

from qkv import assets
from qkv.nn.dropout import EmbeddingDropout, VariationalDropout, WeightDrop
from qkv.nn.lstm import LayerStates


@dataclass(frozen=True)
class AWDLSTMConfig:
    """Sizes and five dropouts, in the order in which a word meets them.

    ``d_hidden`` is the size of all layers but the last, which speaks in d_model entries, since those are compared with
    word vectors.  Dropouts: ``embedding`` whole words; ``input`` entries of word vectors; ``weight`` between steps;
    ``hidden`` between layers; ``output`` entries of what the last layer says.

    Raises:
        ValueError: a size below 1, a dropout outside [0, 1).
    """

    vocab_size: int
    d_model: int
    d_hidden: int
    num_layers: int = 3
    embedding_dropout: float = 0.05
    input_dropout: float = 0.4
    weight_dropout: float = 0.5
    hidden_dropout: float = 0.3
    output_dropout: float = 0.4

    def __post_init__(self) -> None:
        for name, value in asdict(self).items():
            if name.endswith("dropout"):
                if not 0 <= value < 1:
                    raise ValueError(f"{name}: expected a share in [0, 1), got {value}")
            elif value < 1:
                raise ValueError(f"{name}: expected at least 1, got {value}")


PRESETS: Final = {
    "paper": AWDLSTMConfig(267_735, 400, 1150),  # ULMFiT's sizes; all words of WikiText-103 (its own file: 238,462)
    "cpu": AWDLSTMConfig(
        6_000,
        128,
        256,
        embedding_dropout=0.02,
        input_dropout=0.1,
        weight_dropout=0.2,
        hidden_dropout=0.1,
        output_dropout=0.1,
    ),
    "smoke": AWDLSTMConfig(43, 6, 10),
}


class AWDLSTM(nn.Module):
    """The language model.  ``forward`` scores the next token, ``read`` gives the hidden states that a task wants.

    The table of word vectors is also what the next word is scored with (section 4.4, after Press & Wolf 2017 and Inan
    et al. 2017): one tensor, twice in use.
    """

    def __init__(self, config: AWDLSTMConfig):
        super().__init__()
        self.config = config
        self.token = EmbeddingDropout(nn.Embedding(config.vocab_size, config.d_model), config.embedding_dropout)
        self.input_dropout = VariationalDropout(config.input_dropout)
        sizes = [config.d_model, *[config.d_hidden] * (config.num_layers - 1), config.d_model]
        self.layers = nn.ModuleList(
            WeightDrop(nn.LSTM(d_in, d_out, batch_first=True), config.weight_dropout) for d_in, d_out in pairwise(sizes)
        )
        self.hidden_dropout = VariationalDropout(config.hidden_dropout)
        self.output_dropout = VariationalDropout(config.output_dropout)
        self.bias = nn.Parameter(torch.zeros(config.vocab_size))
        nn.init.uniform_(self.token.embedding.weight, -0.1, 0.1)  # section 5; nn.LSTM has the paper's ± 1 / √H already

    @classmethod
    def from_pretrained(cls, name: str) -> "AWDLSTM":
        """A trained model of the course by name, ready to use.  Raises as ``qkv.assets.weights``."""
        path, card = assets.weights(name)
        model = cls(AWDLSTMConfig(**card["config"]))
        model.load_state_dict({key: value.float() for key, value in load_file(path).items()})
        return model.eval()

    def forward(
        self, ids: Integer[Tensor, "b t"], state: LayerStates | None = None
    ) -> tuple[Float[Tensor, "b t v"], LayerStates]:
        """Scores of the token after each, and the state after the last.

        Args:
            state: h and c of every layer, (1, b, d_hidden) each; by default zeros.  Hand on what came back, and the
                text goes on where it stopped; ``detached``, if no gradient is to go back further.

        Raises:
            ValueError: a state of another number of layers or texts.
        """
        hidden, state = self.read(ids, state)
        return self.scores(self.output_dropout(hidden)), state

    def read(
        self, ids: Integer[Tensor, "b t"], state: LayerStates | None = None
    ) -> tuple[Float[Tensor, "b t d"], LayerStates]:
        """What the last layer says after each token, before any dropout on it, and the state after the last.

        Raises:
            ValueError: a state of another number of layers or texts.
        """
        before = [None] * len(self.layers) if state is None else _checked(state, len(self.layers), len(ids))
        x = self.input_dropout(self.token(ids))
        after: LayerStates = []
        for i, (layer, start) in enumerate(zip(self.layers, before, strict=True)):
            x, end = layer(x if i == 0 else self.hidden_dropout(x), start)
            after.append(end)
        return x, after

    def scores(self, hidden: Float[Tensor, "*n d"]) -> Float[Tensor, "*n v"]:
        """Each hidden state against every word vector, plus the word's own bias."""
        return functional.linear(hidden, self.token.embedding.weight, self.bias)

    def loss(
        self,
        ids: Integer[Tensor, "b t"],
        targets: Integer[Tensor, "b t"],
        state: LayerStates | None = None,
        *,
        alpha: float = 2.0,
        beta: float = 1.0,
    ) -> tuple[Float[Tensor, ""], Float[Tensor, ""], LayerStates]:
        """Mean cross-entropy in nats; what training adds to it, α · AR + β · TAR; and the state after the last token.

        Train on the sum of both; report the first.  α and β are those of the published code.
        """
        hidden, state = self.read(ids, state)
        dropped = self.output_dropout(hidden)
        nats = functional.cross_entropy(self.scores(dropped).flatten(0, 1), targets.flatten())
        penalty = alpha * activation_regularization(dropped) + beta * temporal_activation_regularization(hidden)
        return nats, penalty, state

    def groups(self) -> list[list[nn.Parameter]]:
        """Weights from the bottom up, for rates that differ and for unfreezing: each LSTM layer, then what is tied.

        The table is both the lowest layer and the highest.  As in ULMFiT's code it learns with the highest.
        """
        layers = [list(layer.parameters()) for layer in self.layers]
        return [*layers, [*self.token.parameters(), self.bias]]


def activation_regularization(dropped: Float[Tensor, "b t d"]) -> Float[Tensor, ""]:
    """AR: the mean of h², over what dropout left of the last layer's states; keeps them small  (section 4.6).

    The paper writes a norm, L2(m ⊙ h); the published code takes the mean of squares, and so does this.
    """
    return dropped.square().mean()


def temporal_activation_regularization(hidden: Float[Tensor, "b t d"]) -> Float[Tensor, ""]:
    """TAR: the mean of (h_t - h_t+1)², before dropout; keeps neighbouring states alike  (section 4.6).

    A single step has no neighbour, and costs 0.
    """
    if hidden.shape[1] < 2:
        return hidden.new_zeros(())
    return hidden.diff(dim=1).square().mean()


def _checked(state: LayerStates, num_layers: int, num_texts: int) -> LayerStates:
    found = [hidden.shape[1] for hidden, _ in state]
    if found != [num_texts] * num_layers:
        raise ValueError(f"state: expected {num_layers} layers of {num_texts} texts each, got texts by layer {found}")
    return state
