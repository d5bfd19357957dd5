"""Llama (Touvron et al. 2023, arXiv:2302.13971): a decoder as it is built today, here with SmolLM2's real weights.

Shapes: b sequences, t tokens, d_model entries per token, v entries in the vocabulary.

What changed since the Transformer of 2017, each from a paper of its own:

- a norm stands before each sublayer and only rescales: ``RMSNorm``;
- positions turn queries and keys and are added to nothing: ``qkv.nn.positions.RotaryPositions``;
- query heads share keys and values in groups: ``qkv.nn.attention.GroupedQueryAttention`` (in the largest Llama 2);
- the feed-forward network has a gate: ``SwiGLU``;
- no linear map has a bias.

The matrix that embeds tokens also scores the next one, as in SmolLM2 (Allal et al. 2025, arXiv:2502.02737); the Llamas
of 2023 have two.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Final

import torch
from einops import rearrange
from gguf import GGUFReader, ReaderTensor, dequantize
from jaxtyping import Bool, Float, Integer
from torch import Tensor, nn

from qkv import assets
from qkv.nn.attention import GroupedQueryAttention, KeyValueCache
from qkv.nn.masks import causal
from qkv.nn.positions import RotaryPositions


@dataclass(frozen=True)
class LlamaConfig:
    """Sizes; length and rotary base of the first Llama, and the epsilon of Llama 2 (the first one has 1e-6).

    Raises:
        ValueError: a size below 1.
    """

    vocab_size: int
    d_model: int
    num_heads: int
    num_kv_heads: int
    d_ff: int
    num_layers: int
    max_length: int = 2048
    rotary_base: float = 10_000.0
    norm_epsilon: float = 1e-5

    def __post_init__(self) -> None:
        for name, value in asdict(self).items():
            if isinstance(value, int) and value < 1:
                raise ValueError(f"{name}: expected at least 1, got {value}")


PRESETS: Final = {
    "smollm2": LlamaConfig(49_152, 576, 9, 3, 1536, 30, max_length=8192, rotary_base=100_000.0),
    "smoke": LlamaConfig(40, 24, 6, 2, 32, 2, max_length=32),
}


class RMSNorm(nn.Module):
    """g · x / √(mean(x²) + ε): a LayerNorm that neither centres nor shifts (Zhang & Sennrich 2019, equation 4)."""

    def __init__(self, d_model: int, epsilon: float):
        super().__init__()
        self.weight, self.epsilon = nn.Parameter(torch.ones(d_model)), epsilon  # g, ε

    def forward(self, x: Float[Tensor, "*b d_model"]) -> Float[Tensor, "*b d_model"]:
        """Every vector gets a mean square of 1, then each entry its own factor."""
        return self.weight * (x * torch.rsqrt(x.square().mean(-1, keepdim=True) + self.epsilon))


class SwiGLU(nn.Module):
    """FFN(x) = (SiLU(x W) ⊗ x V) W₂, with SiLU(z) = z · sigmoid(z)  (Shazeer 2020).

    W is ``gate``, V is ``inner``, W₂ is ``outer``.  The gate says, entry by entry, how much of the other passes.
    """

    def __init__(self, d_model: int, d_ff: int):
        super().__init__()
        self.gate, self.inner = (nn.Linear(d_model, d_ff, bias=False) for _ in range(2))
        self.outer = nn.Linear(d_ff, d_model, bias=False)

    def forward(self, x: Float[Tensor, "*b d_model"]) -> Float[Tensor, "*b d_model"]:
        """Each position on its own."""
        return self.outer(nn.functional.silu(self.gate(x)) * self.inner(x))


class DecoderBlock(nn.Module):
    """x → x + attention(norm(x)), then x → x + feed_forward(norm(x))."""

    def __init__(self, config: LlamaConfig):
        super().__init__()
        positions = RotaryPositions(config.d_model // config.num_heads, config.rotary_base)
        self.attention_norm = RMSNorm(config.d_model, config.norm_epsilon)
        self.attention = GroupedQueryAttention(config.d_model, config.num_heads, config.num_kv_heads, positions)
        self.feed_forward_norm = RMSNorm(config.d_model, config.norm_epsilon)
        self.feed_forward = SwiGLU(config.d_model, config.d_ff)

    def forward(
        self, x: Float[Tensor, "b t d_model"], may_attend: Bool[Tensor, "t t_k"] | None, cache: KeyValueCache | None
    ) -> Float[Tensor, "b t d_model"]:
        """Every token gathers from those before it, then is worked on alone."""
        x = x + self.attention(self.attention_norm(x), may_attend, cache=cache)
        return x + self.feed_forward(self.feed_forward_norm(x))


class Llama(nn.Module):
    """The language model: ids → scores of the next token at every position."""

    def __init__(self, config: LlamaConfig):
        super().__init__()
        self.config = config
        self.embedding = nn.Embedding(config.vocab_size, config.d_model)
        self.layers = nn.ModuleList(DecoderBlock(config) for _ in range(config.num_layers))
        self.norm = RMSNorm(config.d_model, config.norm_epsilon)
        self.apply(_initialise)

    @classmethod
    def from_pretrained(cls, name: str) -> "Llama":
        """SmolLM2-135M-Instruct by the name "smollm2", ready to use.

        The file holds 4 bits per weight (8 for the embedding) and one scale for 32 of them; in memory each takes 32
        bits.  Apache-2.0.  It was trained on English and tuned to answer questions, and it makes up facts.

        Raises as ``qkv.assets.path``; ValueError: no such preset.
        """
        if name != "smollm2":
            raise ValueError(f"expected 'smollm2', the pretrained Llama of this course, got {name!r}")
        return cls.from_gguf(GGUFReader(assets.path(name)).tensors, PRESETS[name])

    @classmethod
    def from_gguf(cls, tensors: Sequence[ReaderTensor], config: LlamaConfig) -> "Llama":
        """The model with the ``tensors`` of a ``gguf.GGUFReader``: llama.cpp's format of files.

        Raises:
            RuntimeError: they are not those of a model with this configuration.
        """
        with torch.device("meta"):  # no numbers yet: the file's become the parameters, without a second copy
            model = cls(config)
        model.load_state_dict(from_gguf(tensors, config), assign=True)
        return model.eval()

    def forward(
        self, ids: Integer[Tensor, "b t"], cache: dict[str, KeyValueCache] | None = None
    ) -> Float[Tensor, "b t v"]:
        """Scores of the next token (logits).

        With a cache, at first an empty dict, ``ids`` holds only what is new since the last call.  Sequences of a batch
        are equally long: there is no padding.

        Raises:
            ValueError: no token, or more than ``max_length`` with those in the cache.
        """
        return nn.functional.linear(self.hidden_states(ids, cache), self.embedding.weight)

    def hidden_states(
        self, ids: Integer[Tensor, "b t"], cache: dict[str, KeyValueCache] | None = None
    ) -> Float[Tensor, "b t d_model"]:
        """What ``forward`` scores the vocabulary with; enough to fill a cache, and 85 times smaller in SmolLM2."""
        start = len(cache["layer0.attention"]) if cache else 0
        new, most = ids.shape[1], self.config.max_length
        if new < 1 or start + new > most:
            raise ValueError(f"expected 1 to {most} tokens, the kept ones included, got {start} kept and {new} new")
        may_attend = causal(start + new).to(ids.device)[start:] if new > 1 else None  # a single new token sees all
        x = self.embedding(ids)
        for i, layer in enumerate(self.layers):
            kept = None if cache is None else cache.setdefault(f"layer{i}.attention", KeyValueCache())
            x = layer(x, may_attend, kept)
        return self.norm(x)


TRANSFORMERS: Final = {  # names of ``LlamaForCausalLM`` → ours, piece by piece; the longer ones first
    "model.embed_tokens": "embedding",
    "model.layers": "layers",
    "model.norm": "norm",
    "post_attention_layernorm": "feed_forward_norm",
    "input_layernorm": "attention_norm",
    "self_attn.q_proj": "attention.query",
    "self_attn.k_proj": "attention.key",
    "self_attn.v_proj": "attention.value",
    "self_attn.o_proj": "attention.output",
    "mlp.gate_proj": "feed_forward.gate",
    "mlp.up_proj": "feed_forward.inner",
    "mlp.down_proj": "feed_forward.outer",
}
GGUF: Final = {  # names in GGUF files → ours
    "token_embd": "embedding",
    "blk": "layers",
    "output_norm": "norm",
    "ffn_norm": "feed_forward_norm",
    "attn_norm": "attention_norm",
    "attn_q": "attention.query",
    "attn_k": "attention.key",
    "attn_v": "attention.value",
    "attn_output": "attention.output",
    "ffn_gate": "feed_forward.gate",
    "ffn_up": "feed_forward.inner",
    "ffn_down": "feed_forward.outer",
}


def from_transformers(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The weights of transformers' ``LlamaForCausalLM`` with a tied output, under our names."""
    return {_renamed(name, TRANSFORMERS): tensor for name, tensor in state.items() if name != "lm_head.weight"}


def from_gguf(tensors: Sequence[ReaderTensor], config: LlamaConfig) -> dict[str, Tensor]:
    """The weights of a GGUF file in 32 bits, under our names.

    llama.cpp turns neighbours, entries 2i and 2i + 1 of a query or key; Llama here and in transformers turns entries i
    and i + d_k / 2.  So in the file the rows that make queries and keys stand in another order, head by head.
    """
    rows = {"attn_q": config.num_heads, "attn_k": config.num_kv_heads}
    state = {}
    for tensor in tensors:
        weight = dequantize(tensor.data, tensor.tensor_type)
        if heads := next((number for part, number in rows.items() if part in tensor.name), None):
            weight = rearrange(weight, "(h i two) d -> (h two i) d", h=heads, two=2)
        state[_renamed(tensor.name, GGUF)] = torch.tensor(weight)
    return state


def _renamed(name: str, parts: Mapping[str, str]) -> str:
    for theirs, ours in parts.items():
        name = name.replace(theirs, ours)
    return name


def _initialise(module: nn.Module) -> None:
    """Weights from a normal distribution of spread 0.02, as transformers does; the paper is silent."""
    if isinstance(module, nn.Linear | nn.Embedding):
        nn.init.normal_(module.weight, std=0.02)
