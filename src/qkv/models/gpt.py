"""GPT (Radford et al. 2018, "Improving Language Understanding by Generative Pre-Training"): a decoder on its own.

Shapes: b sequences, t tokens, d_model entries per token, v entries in the vocabulary.

It is the Transformer's decoder without a source to look at.  Every token sees itself and what came before it, and every
position predicts the next token.  Blocks are post-LN, as published (figure 1): LayerNorm stands after each sum.  GPT-2
moved it to the front; many drawings of GPT show that.

Padding needs no mask here.  It stands behind the text, and no real token looks ahead.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Final

from jaxtyping import Bool, Float, Integer
from safetensors.torch import load_file
from torch import Tensor, nn

from qkv import assets
from qkv.nn.attention import KeyValueCache, MultiHeadAttention, Recorder
from qkv.nn.masks import causal
from qkv.nn.positions import LearnedPositions

Cache = dict[str, KeyValueCache]


@dataclass(frozen=True)
class GPTConfig:
    """Sizes; the defaults are those of the paper (section 4.1).

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

    def __post_init__(self) -> None:
        for name, value in asdict(self).items():
            if isinstance(value, int) and value < 1:
                raise ValueError(f"{name}: expected at least 1, got {value}")
        if not 0 <= self.dropout < 1:
            raise ValueError(f"dropout: expected a share in [0, 1), got {self.dropout}")


PRESETS: Final = {
    "paper": GPTConfig(40_478, 768, 12, 3072, 12),  # section 4.1; 40,000 merges on the 478 signs of the published file
    "cpu": GPTConfig(4_096, 160, 5, 640, 4, max_length=128),  # 1.9 million numbers: 4 MB in half precision
    "smoke": GPTConfig(40, 16, 2, 32, 2, max_length=32),
}


class Block(nn.Module):
    """n = LayerNorm(x + attention(x)), then LayerNorm(n + W₂ GELU(W₁ n + b₁) + b₂).

    GELU in its tanh form: ½ x (1 + tanh(√(2/π) (x + 0.044715 x³)))  (Hendrycks & Gimpel 2016; the published code).
    """

    def __init__(self, config: GPTConfig):
        super().__init__()
        self.attention = MultiHeadAttention(config.d_model, config.num_heads, config.dropout)
        self.attention_norm = nn.LayerNorm(config.d_model)
        self.inner = nn.Linear(config.d_model, config.d_ff)
        self.outer = nn.Linear(config.d_ff, config.d_model)
        self.feed_forward_norm = nn.LayerNorm(config.d_model)
        self.dropout = nn.Dropout(config.dropout)

    def forward(
        self,
        x: Float[Tensor, "b t d_model"],
        may_attend: Bool[Tensor, "t t_k"],
        cache: KeyValueCache | None,
        trace: Recorder | None,
    ) -> Float[Tensor, "b t d_model"]:
        """Every token gathers from itself and those before it, then is worked on alone."""
        gathered = self.attention(x, may_attend=may_attend, cache=cache, trace=trace)
        x = self.attention_norm(x + self.dropout(gathered))
        worked = self.outer(nn.functional.gelu(self.inner(x), approximate="tanh"))
        return self.feed_forward_norm(x + self.dropout(worked))


class GPT(nn.Module):
    """The language model.  ``forward`` scores next tokens; a task reads ``hidden_states`` (``qkv.transfer.heads``)."""

    def __init__(self, config: GPTConfig):
        super().__init__()
        self.config = config
        self.token = nn.Embedding(config.vocab_size, config.d_model)
        self.position = LearnedPositions(config.max_length, config.d_model)
        self.dropout = nn.Dropout(config.dropout)
        self.layers = nn.ModuleList(Block(config) for _ in range(config.num_layers))
        self.apply(_initialise)

    @classmethod
    def from_pretrained(cls, name: str) -> "GPT":
        """A trained model of the course by name, ready to use.  Raises as ``qkv.assets.weights``."""
        path, card = assets.weights(name)
        model = cls(GPTConfig(**card["config"]))
        model.load_state_dict({key: value.float() for key, value in load_file(path).items()})
        return model.eval()

    def forward(
        self, ids: Integer[Tensor, "b t"], cache: Cache | None = None, trace: Recorder | None = None
    ) -> Float[Tensor, "b t v"]:
        """Scores of the next token at every position: softmax of row i is P(token i + 1 | tokens 0 … i), equation 2.

        Arguments and errors as in ``hidden_states``.
        """
        return self.next_token_scores(self.hidden_states(ids, cache, trace))

    def hidden_states(
        self, ids: Integer[Tensor, "b t"], cache: Cache | None = None, trace: Recorder | None = None
    ) -> Float[Tensor, "b t d_model"]:
        """Output of the last block; that of token i has read tokens 0 … i.

        Args:
            cache: at first an empty dict; then ``ids`` holds only what is new since the last call.
            trace: receives "embeddings", "layer0.attention.weights", "layer0.attention.heads", "layer0.output", ….

        Raises:
            ValueError: no tokens, more than ``max_length`` of them, or an id outside the vocabulary.
        """
        start = max(map(len, (cache or {}).values()), default=0)
        self._check(ids, start)
        end = start + ids.shape[1]
        may_attend = causal(end).to(ids.device)[start:]  # (t, t_k): rows are the new tokens
        x = self.dropout(self.token(ids) + self.position(ids.shape[1], start))
        if trace is not None:
            trace["embeddings"] = x
        for i, layer in enumerate(self.layers):
            name = f"layer{i}.attention"
            kept = None if cache is None else cache.setdefault(name, KeyValueCache())
            x = layer(x, may_attend, kept, None if trace is None else trace.within(name))
            if trace is not None:
                trace[f"layer{i}.output"] = x
        return x

    def next_token_scores(self, hidden: Float[Tensor, "*n d_model"]) -> Float[Tensor, "*n v"]:
        """h W_eᵀ: hidden states against every token vector, with the matrix that embeds (equation 2).

        ``hidden`` may be some positions alone, which saves the work on the others.
        """
        return hidden @ self.token.weight.T

    def _check(self, ids: Tensor, start: int) -> None:
        length, most = start + ids.shape[1], self.config.max_length
        if not ids.numel():
            raise ValueError(f"expected ids of shape (b, t) with at least one token, got shape {tuple(ids.shape)}")
        if length > most:
            raise ValueError(f"expected at most max_length = {most} tokens, got {length}")
        lowest, highest = (bound.item() for bound in ids.aminmax())
        if not 0 <= lowest <= highest < self.config.vocab_size:
            raise ValueError(
                f"expected ids from 0 to {self.config.vocab_size - 1}, got {lowest if lowest < 0 else highest}"
            )


PARTS: Final = {  # transformers' names, piece by piece; the longer ones first
    "transformer.": "",
    "tokens_embed": "token",
    "positions_embed": "position",
    "h.": "layers.",
    "attn.c_proj": "attention.output",
    "attn.": "attention.",
    "ln_1": "attention_norm",
    "mlp.c_fc": "inner",
    "mlp.c_proj": "outer",
    "ln_2": "feed_forward_norm",
}


def from_transformers(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The weights of transformers' ``OpenAIGPTModel`` or ``OpenAIGPTLMHeadModel`` under our names.

    There a linear map is a ``Conv1D``: its matrix is the transpose of ``nn.Linear``'s.  ``c_attn`` is query, key and
    value side by side.  The scoring matrix is the token vectors again.
    """
    ours: dict[str, Tensor] = {}
    for name, tensor in state.items():
        if ".c_" in name and name.endswith("weight"):
            tensor = tensor.T
        if "c_attn" in name:
            parts = zip(("query", "key", "value"), tensor.chunk(3), strict=True)
            ours |= {_our_name(name.replace("c_attn", part)): rows for part, rows in parts}
        elif not name.startswith("lm_head."):
            ours[_our_name(name)] = tensor
    return ours


def _our_name(name: str) -> str:
    for theirs, ours in PARTS.items():
        name = name.replace(theirs, ours)
    return name


def _initialise(module: nn.Module) -> None:
    """Weights from N(0, 0.02), 0.02 the standard deviation; biases 0 (section 4.1 and the published code)."""
    if isinstance(module, nn.Linear | nn.Embedding | LearnedPositions):
        nn.init.normal_(module.weight, std=0.02)
    if isinstance(module, nn.Linear):
        nn.init.zeros_(module.bias)
