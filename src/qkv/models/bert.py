"""BERT (Devlin et al. 2019, arXiv:1810.04805): an encoder in which every token sees every other.

Shapes: b sequences, t tokens, d_model entries per token, v pieces in the vocabulary.

Blocks are those of the Transformer as published, with LayerNorm after each sum and GELU in its exact form.  Token,
position and segment each have a learnt vector; the three are added and normalised (section 3, figure 2).
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Final

from jaxtyping import Bool, Float, Integer
from safetensors.torch import load_file
from torch import Tensor, nn

from qkv import assets
from qkv.nn.attention import MultiHeadAttention, Recorder


@dataclass(frozen=True)
class BERTConfig:
    """Sizes; the defaults are those that all published models share.

    Raises:
        ValueError: a size below 1, or a dropout outside [0, 1).
    """

    vocab_size: int
    d_model: int
    num_heads: int
    d_ff: int
    num_layers: int
    dropout: float = 0.1
    max_length: int = 512
    num_segments: int = 2
    norm_epsilon: float = 1e-12

    def __post_init__(self) -> None:
        for name, value in asdict(self).items():
            if isinstance(value, int) and value < 1:
                raise ValueError(f"{name}: expected at least 1, got {value}")
        if not 0 <= self.dropout < 1:
            raise ValueError(f"dropout: expected a share in [0, 1), got {self.dropout}")


PRESETS: Final = {
    "paper": BERTConfig(30_522, 768, 12, 3072, 12),  # "base", section 3; the pieces of the published file
    "minilm": BERTConfig(30_522, 384, 12, 1536, 6),
    "cpu": BERTConfig(4000, 160, 5, 640, 4, max_length=128),
    "smoke": BERTConfig(40, 16, 2, 32, 2, max_length=32),
}


class EncoderBlock(nn.Module):
    """x → LayerNorm(x + attention(x)), then x → LayerNorm(x + W₂ GELU(W₁ x + b₁) + b₂)."""

    def __init__(self, config: BERTConfig):
        super().__init__()
        self.attention = MultiHeadAttention(config.d_model, config.num_heads, config.dropout)
        self.attention_norm = nn.LayerNorm(config.d_model, config.norm_epsilon)
        self.inner = nn.Linear(config.d_model, config.d_ff)
        self.outer = nn.Linear(config.d_ff, config.d_model)
        self.feed_forward_norm = nn.LayerNorm(config.d_model, config.norm_epsilon)
        self.dropout = nn.Dropout(config.dropout)

    def forward(
        self,
        x: Float[Tensor, "b t d_model"],
        may_attend: Bool[Tensor, "#b #t t"] | None,
        trace: Recorder | None,
        head_gate: Tensor | None,
    ) -> Float[Tensor, "b t d_model"]:
        """Every token gathers from all it may attend to, then is worked on alone."""
        gathered = self.attention(x, may_attend=may_attend, trace=trace, head_gate=head_gate)
        x = self.attention_norm(x + self.dropout(gathered))
        worked = self.outer(nn.functional.gelu(self.inner(x)))
        return self.feed_forward_norm(x + self.dropout(worked))


class BERT(nn.Module):
    """The encoder; ``pooled`` is what its authors classify sentences with."""

    def __init__(self, config: BERTConfig):
        super().__init__()
        self.config = config
        self.token = nn.Embedding(config.vocab_size, config.d_model)
        self.position = nn.Embedding(config.max_length, config.d_model)
        self.segment = nn.Embedding(config.num_segments, config.d_model)
        self.embedding_norm = nn.LayerNorm(config.d_model, config.norm_epsilon)
        self.dropout = nn.Dropout(config.dropout)
        self.layers = nn.ModuleList(EncoderBlock(config) for _ in range(config.num_layers))
        self.pooler = nn.Linear(config.d_model, config.d_model)
        self.apply(_initialise)

    @classmethod
    def from_pretrained(cls, name: str) -> "BERT":
        """Real weights by name, "minilm", ready to use.  Raises as ``qkv.assets.path``; ValueError: no such preset."""
        if name != "minilm":
            raise ValueError(f"expected 'minilm', the pretrained BERT of this course, got {name!r}")
        model = cls(PRESETS[name])
        model.load_state_dict(from_transformers(load_file(assets.path(name, "model.safetensors"))))
        return model.eval()

    def forward(
        self,
        ids: Integer[Tensor, "b t"],
        segments: Integer[Tensor, "b t"] | None = None,
        may_attend: Bool[Tensor, "#b #t t"] | None = None,
        *,
        trace: Recorder | None = None,
        head_gates: Mapping[str, Tensor] | None = None,
    ) -> Float[Tensor, "b t d_model"]:
        """Hidden states of the last layer.

        Args:
            segments: 0 for the first text, 1 for the second; by default all 0.
            may_attend: True = may look; ``qkv.nn.masks.not_padding`` for texts of several lengths.
            trace: receives "embeddings", "layer0.attention.weights", "layer0.attention.heads", "layer0.output", ….
            head_gates: factors on the heads of an attention, by name: "layer0.attention".

        Raises:
            ValueError: more than ``max_length`` tokens.
        """
        x = self._embed(ids, segments)
        if trace is not None:
            trace["embeddings"] = x
        for i, layer in enumerate(self.layers):
            name = f"layer{i}.attention"
            x = layer(x, may_attend, None if trace is None else trace.within(name), (head_gates or {}).get(name))
            if trace is not None:
                trace[f"layer{i}.output"] = x
        return x

    def pooled(self, hidden: Float[Tensor, "b t d_model"]) -> Float[Tensor, "b d_model"]:
        """tanh(W h + b) of the first token, ``[CLS]``; trained by next sentence prediction alone."""
        return self.pooler(hidden[:, 0]).tanh()

    def _embed(self, ids: Tensor, segments: Tensor | None) -> Float[Tensor, "b t d_model"]:
        length = ids.shape[1]
        if length > self.config.max_length:
            raise ValueError(f"expected at most max_length = {self.config.max_length} tokens, got {length}")
        segment = self.segment.weight[0] if segments is None else self.segment(segments)
        return self.dropout(self.embedding_norm(self.token(ids) + self.position.weight[:length] + segment))


class BERTForPreTraining(nn.Module):
    """BERT with its two tasks (section 3.1): name the hidden pieces, and tell whether B really followed A."""

    def __init__(self, config: BERTConfig):
        super().__init__()
        self.bert = BERT(config)
        self.transform = nn.Linear(config.d_model, config.d_model)
        self.transform_norm = nn.LayerNorm(config.d_model, config.norm_epsilon)
        self.bias = nn.Parameter(self.transform.bias.new_zeros(config.vocab_size))
        self.is_next = nn.Linear(config.d_model, 2)
        for module in (self.transform, self.is_next):
            _initialise(module)

    @classmethod
    def from_pretrained(cls, name: str) -> "BERTForPreTraining":
        """A trained model of the course by name, with its encoder in ``.bert``.  Raises as ``assets.weights``."""
        path, card = assets.weights(name)
        model = cls(BERTConfig(**card["config"]))
        model.load_state_dict({key: value.float() for key, value in load_file(path).items()})
        return model.eval()

    def forward(
        self,
        ids: Integer[Tensor, "b t"],
        segments: Integer[Tensor, "b t"] | None = None,
        may_attend: Bool[Tensor, "#b #t t"] | None = None,
    ) -> tuple[Float[Tensor, "b t v"], Float[Tensor, "b 2"]]:
        """Scores of every piece at every position, and scores of "B follows A" (entry 0) and "it does not" (1)."""
        hidden = self.bert(ids, segments, may_attend)
        return self.piece_scores(hidden), self.is_next(self.bert.pooled(hidden))

    def piece_scores(self, hidden: Float[Tensor, "*n d_model"]) -> Float[Tensor, "*n v"]:
        """Masked language model: LayerNorm(GELU(W h + b)) against every token vector.

        ``hidden`` may be the chosen positions alone, which saves six sevenths of the work in pre-training.
        """
        x = self.transform_norm(nn.functional.gelu(self.transform(hidden)))
        return x @ self.bert.token.weight.T + self.bias

    def masked_loss(
        self,
        ids: Integer[Tensor, "b t"],
        labels: Integer[Tensor, "b t"],
        segments: Integer[Tensor, "b t"] | None = None,
        may_attend: Bool[Tensor, "#b #t t"] | None = None,
    ) -> tuple[Float[Tensor, ""], Integer[Tensor, ""]]:
        """Sum of cross-entropies in nats where a label is not -100, and how many those are; the sum may be 0 of 0.

        Nothing is scored elsewhere.  Labels as ``qkv.data.masking.mask_tokens`` gives them.
        """
        chosen = labels != -100
        scores = self.piece_scores(self.bert(ids, segments, may_attend)[chosen])
        return nn.functional.cross_entropy(scores, labels[chosen], reduction="sum"), chosen.sum()


PARTS: Final = {  # transformers' names, piece by piece; the longer ones first
    "embeddings.word_embeddings": "token",
    "embeddings.position_embeddings": "position",
    "embeddings.token_type_embeddings": "segment",
    "embeddings.LayerNorm": "embedding_norm",
    "encoder.layer": "layers",
    "attention.self.": "attention.",
    "attention.output.dense": "attention.output",
    "attention.output.LayerNorm": "attention_norm",
    "intermediate.dense": "inner",
    "output.dense": "outer",
    "output.LayerNorm": "feed_forward_norm",
    "pooler.dense": "pooler",
    "cls.predictions.transform.dense": "transform",
    "cls.predictions.transform.LayerNorm": "transform_norm",
    "cls.predictions.bias": "bias",
    "cls.seq_relationship": "is_next",
}
REPEATED: Final = ("embeddings.position_ids", "cls.predictions.decoder.")  # counted from 0; the token vectors again


def from_transformers(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The weights of transformers' ``BertModel`` or ``BertForPreTraining`` under our names."""
    return {_our_name(name): tensor for name, tensor in state.items() if not any(part in name for part in REPEATED)}


def _our_name(name: str) -> str:
    for theirs, ours in PARTS.items():
        name = name.replace(theirs, ours)
    return name


def _initialise(module: nn.Module) -> None:
    """Weights from a normal distribution of spread 0.02, biases 0; the published code also cuts its tails off."""
    if isinstance(module, nn.Linear | nn.Embedding):
        nn.init.normal_(module.weight, std=0.02)
    if isinstance(module, nn.Linear):
        nn.init.zeros_(module.bias)
