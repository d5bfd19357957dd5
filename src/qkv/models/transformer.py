"""The Transformer of "Attention Is All You Need" (Vaswani et al. 2017): an encoder reads, a decoder writes.

Shapes: b sequences, t_s source tokens, t target tokens, d_model entries per token, v entries in the vocabulary.

One matrix serves three times, as in section 3.4: it embeds source tokens, embeds target tokens, and scores the next
token.  So source and target share a vocabulary.  Padding is known by its id and stands at the right:
source padding is masked, and from target padding the causal mask keeps every real place.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Final, Literal, get_args

import torch
from jaxtyping import Bool, Float, Integer
from safetensors.torch import load_file
from torch import Tensor, nn

from qkv import assets
from qkv.nn.attention import KeyValueCache, MultiHeadAttention, Recorder
from qkv.nn.masks import causal
from qkv.nn.positions import LearnedPositions, sinusoidal

Norm = Literal["post", "pre"]
Positions = Literal["sinusoidal", "learned", "none"]
Activation = Literal["relu", "gelu", "tanh", "sigmoid"]
ACTIVATIONS: Final[dict[str, Callable[[Tensor], Tensor]]] = {
    "relu": torch.relu,
    "gelu": nn.functional.gelu,
    "tanh": torch.tanh,
    "sigmoid": torch.sigmoid,
}


@dataclass(frozen=True)
class TransformerConfig:
    """Sizes and choices; the defaults of the choices are the paper's.

    Raises:
        ValueError: a size below 1, a dropout outside [0, 1), a padding id outside the vocabulary, an unknown choice.
    """

    vocab_size: int
    d_model: int
    num_heads: int
    d_ff: int
    num_encoder_layers: int
    num_decoder_layers: int
    dropout: float = 0.1
    norm: Norm = "post"
    activation: Activation = "relu"
    positions: Positions = "sinusoidal"
    max_length: int = 512
    pad_id: int = 0

    def __post_init__(self) -> None:
        for name, value in asdict(self).items():
            if isinstance(value, int) and name != "pad_id" and value < 1:
                raise ValueError(f"{name}: expected at least 1, got {value}")
        if not 0 <= self.dropout < 1:
            raise ValueError(f"dropout: expected a share in [0, 1), got {self.dropout}")
        if not 0 <= self.pad_id < self.vocab_size:
            raise ValueError(f"pad_id: expected an id below vocab_size = {self.vocab_size}, got {self.pad_id}")
        for name, choices in {"norm": Norm, "activation": Activation, "positions": Positions}.items():
            if getattr(self, name) not in get_args(choices):
                raise ValueError(f"{name}: expected one of {get_args(choices)}, got {getattr(self, name)!r}")


PRESETS: Final = {
    "paper": TransformerConfig(37_000, 512, 8, 2048, 6, 6),  # "base", Table 3
    "smoke": TransformerConfig(24, 16, 2, 32, 2, 2, max_length=32),
    "g2p": TransformerConfig(69, 128, 4, 512, 4, 2, norm="pre", max_length=40),
}


@dataclass(frozen=True)
class Extras:
    """What a call may bring along, by the name of the attention it is for, such as "decoder0.cross_attention"."""

    trace: Recorder | None = None
    head_gates: Mapping[str, Tensor] = field(default_factory=dict)
    cache: dict[str, KeyValueCache] | None = None

    def of(self, name: str) -> dict[str, Any]:
        """Keyword arguments for that attention."""
        return {
            "trace": None if self.trace is None else self.trace.within(name),
            "head_gate": self.head_gates.get(name),
            "cache": None if self.cache is None else self.cache.setdefault(name, KeyValueCache()),
        }


class FeedForward(nn.Module):
    """FFN(x) = max(0, x W₁ + b₁) W₂ + b₂, for each position on its own (equation 2)."""

    def __init__(self, config: TransformerConfig):
        super().__init__()
        self.inner = nn.Linear(config.d_model, config.d_ff)
        self.outer = nn.Linear(config.d_ff, config.d_model)
        self.activation = ACTIVATIONS[config.activation]

    def forward(self, x: Float[Tensor, "b t d_model"]) -> Float[Tensor, "b t d_model"]:
        """Two linear maps with a bend between them, and no dropout there (``nn.Transformer`` has one)."""
        return self.outer(self.activation(self.inner(x)))


class PostNormBlock(nn.Module):
    """x → LayerNorm(x + Sublayer(x)), once per sublayer, as published (section 3.1).

    Sublayers: self-attention; in a decoder, attention over the encoder's output; the feed-forward network.
    """

    def __init__(self, config: TransformerConfig, is_decoder: bool):
        super().__init__()
        self.self_attention = MultiHeadAttention(config.d_model, config.num_heads)
        self.self_attention_norm = nn.LayerNorm(config.d_model)
        if is_decoder:
            self.cross_attention = MultiHeadAttention(config.d_model, config.num_heads)
            self.cross_attention_norm = nn.LayerNorm(config.d_model)
        self.feed_forward = FeedForward(config)
        self.feed_forward_norm = nn.LayerNorm(config.d_model)
        self.dropout = nn.Dropout(config.dropout)

    def residual(
        self, x: Tensor, norm: nn.Module, sublayer: Callable[[Tensor], Tensor]
    ) -> Float[Tensor, "b t d_model"]:
        """One sublayer with its detour: what it adds is dropped out, added, then normalised."""
        return norm(x + self.dropout(sublayer(x)))

    def forward(
        self,
        x: Float[Tensor, "b t d_model"],
        may_attend: Bool[Tensor, "#b #t t_k"] | Bool[Tensor, "t t_k"] | None,
        memory: Float[Tensor, "b t_s d_model"] | None = None,
        memory_may_attend: Bool[Tensor, "b 1 t_s"] | None = None,
        *,
        extras: Extras,
        name: str,
    ) -> Float[Tensor, "b t d_model"]:
        """Keys and values of the cross-attention are the encoder's output, ``memory``, as it is."""

        def look_around(x: Tensor) -> Tensor:
            return self.self_attention(x, may_attend=may_attend, **extras.of(f"{name}.self_attention"))

        def look_at_source(x: Tensor) -> Tensor:
            return self.cross_attention(x, memory, may_attend=memory_may_attend, **extras.of(f"{name}.cross_attention"))

        x = self.residual(x, self.self_attention_norm, look_around)
        if memory is not None:
            x = self.residual(x, self.cross_attention_norm, look_at_source)
        return self.residual(x, self.feed_forward_norm, self.feed_forward)


class PreNormBlock(PostNormBlock):
    """x → x + Sublayer(LayerNorm(x)): nothing stands in the way of the sum, so deep stacks train without warm-up.

    Source: Xiong et al. (2020), "On Layer Normalization in the Transformer Architecture".  The stack's output is
    normalised once more.
    """

    def residual(
        self, x: Tensor, norm: nn.Module, sublayer: Callable[[Tensor], Tensor]
    ) -> Float[Tensor, "b t d_model"]:
        """One sublayer with its detour: it reads a normalised copy."""
        return x + self.dropout(sublayer(norm(x)))


class Transformer(nn.Module):
    """Encoder and decoder; ``forward`` for training, ``encode`` and ``decode`` for writing one token after another."""

    def __init__(self, config: TransformerConfig):
        super().__init__()
        self.config = config
        block = {"post": PostNormBlock, "pre": PreNormBlock}[config.norm]
        self.embedding = nn.Embedding(config.vocab_size, config.d_model)
        self.encoder = nn.ModuleList(block(config, is_decoder=False) for _ in range(config.num_encoder_layers))
        self.decoder = nn.ModuleList(block(config, is_decoder=True) for _ in range(config.num_decoder_layers))
        self.encoder_norm = nn.LayerNorm(config.d_model) if config.norm == "pre" else nn.Identity()
        self.decoder_norm = nn.LayerNorm(config.d_model) if config.norm == "pre" else nn.Identity()
        if config.positions == "learned":
            self.source_positions = LearnedPositions(config.max_length, config.d_model)
            self.target_positions = LearnedPositions(config.max_length, config.d_model)
        elif config.positions == "sinusoidal":
            self.waves: Tensor
            self.register_buffer("waves", sinusoidal(config.max_length, config.d_model), persistent=False)
        self.dropout = nn.Dropout(config.dropout)
        self.apply(initialise)

    @classmethod
    def from_pretrained(cls, name: str) -> "Transformer":
        """A trained model of the course by name, such as "g2p", ready to use.  Raises as ``qkv.assets.weights``."""
        path, card = assets.weights(name)
        model = cls(TransformerConfig(**card["config"]))
        model.load_state_dict({key: value.float() for key, value in load_file(path).items()})
        return model.eval()

    def forward(
        self,
        source: Integer[Tensor, "b t_s"],
        target: Integer[Tensor, "b t"],
        *,
        trace: Recorder | None = None,
        head_gates: Mapping[str, Tensor] | None = None,
    ) -> Float[Tensor, "b t v"]:
        """Scores of the next token at every position of ``target``, which starts with the start symbol.

        Position i sees target tokens 0 … i, so one call trains on all positions at once (teacher forcing).
        """
        memory = self.encode(source, trace=trace, head_gates=head_gates)
        return self.decode(target, memory, source, trace=trace, head_gates=head_gates)

    def encode(
        self,
        source: Integer[Tensor, "b t_s"],
        *,
        trace: Recorder | None = None,
        head_gates: Mapping[str, Tensor] | None = None,
    ) -> Float[Tensor, "b t_s d_model"]:
        """One vector per source token.

        Raises:
            ValueError: an id outside the vocabulary, a sequence of padding only, or one longer than ``max_length``.
        """
        may_attend = self._real(source)
        extras = Extras(trace, head_gates or {})
        x = self._embed(source, "source_positions")
        for i, block in enumerate(self.encoder):
            x = block(x, may_attend, extras=extras, name=f"encoder{i}")
        return self.encoder_norm(x)

    def decode(
        self,
        target: Integer[Tensor, "b t"],
        memory: Float[Tensor, "b t_s d_model"],
        source: Integer[Tensor, "b t_s"],
        *,
        cache: dict[str, KeyValueCache] | None = None,
        trace: Recorder | None = None,
        head_gates: Mapping[str, Tensor] | None = None,
    ) -> Float[Tensor, "b t v"]:
        """Scores of the next token.  ``source`` tells which rows of ``memory`` are padding.

        With a cache (at first an empty dict) ``target`` holds only what is new since the last call.
        """
        start = max((len(kept) for name, kept in (cache or {}).items() if name.endswith("self_attention")), default=0)
        may_attend = causal(start + target.shape[1]).to(target.device)[start:]
        extras = Extras(trace, head_gates or {}, cache)
        x = self._embed(target, "target_positions", start)
        for i, block in enumerate(self.decoder):
            x = block(x, may_attend, memory, self._real(source), extras=extras, name=f"decoder{i}")
        return self.decoder_norm(x) @ self.embedding.weight.T

    def _real(self, ids: Tensor) -> Bool[Tensor, "b 1 t"]:
        return (ids != self.config.pad_id)[:, None]

    def _embed(self, ids: Tensor, positions: str, start: int = 0) -> Float[Tensor, "b t d_model"]:
        """√d_model · embedding + position, if there is one (section 3.4), then dropout (section 5.4)."""
        length, most = start + ids.shape[1], self.config.max_length
        if length > most:
            raise ValueError(f"expected at most max_length = {most} tokens, got {length}")
        x = math.sqrt(self.config.d_model) * self.embedding(ids)
        if self.config.positions == "learned":
            x = x + getattr(self, positions)(ids.shape[1], start)
        elif self.config.positions == "sinusoidal":
            x = x + self.waves[start:length]
        return self.dropout(x)


def initialise(module: nn.Module) -> None:
    """Glorot for linear maps; embeddings with variance 1 / d_model, since they are multiplied by √d_model."""
    if isinstance(module, nn.Linear):
        nn.init.xavier_uniform_(module.weight)
        nn.init.zeros_(module.bias)
    elif isinstance(module, nn.Embedding):
        nn.init.normal_(module.weight, std=module.embedding_dim**-0.5)
