"""Transformer against nn.Transformer with the same weights: both norm orders, all masks together, and gradients."""

import math

import pytest
import torch
from torch import Tensor, nn

from qkv.models.transformer import Transformer, TransformerConfig

SIZES = {"vocab_size": 31, "d_model": 24, "num_heads": 3, "d_ff": 40, "num_encoder_layers": 2, "num_decoder_layers": 3}


def torch_transformer(config: TransformerConfig) -> nn.Transformer:
    """As published there is no norm on top of a post-LN stack; nn.Transformer adds one unless told otherwise."""
    pre = config.norm == "pre"
    options = {"dropout": 0.0, "activation": config.activation, "batch_first": True, "norm_first": pre}
    sizes = config.d_model, config.num_heads, config.d_ff
    norms = [nn.LayerNorm(config.d_model) if pre else None for _ in range(2)]
    encoder = nn.TransformerEncoder(
        nn.TransformerEncoderLayer(*sizes, **options), config.num_encoder_layers, norms[0], enable_nested_tensor=False
    )
    decoder = nn.TransformerDecoder(nn.TransformerDecoderLayer(*sizes, **options), config.num_decoder_layers, norms[1])
    return nn.Transformer(*sizes[:2], custom_encoder=encoder, custom_decoder=decoder, batch_first=True)


def mapped(ours: dict[str, Tensor]) -> dict[str, Tensor]:
    """Our weights under torch's names."""
    state = {}
    for name, tensor in ours.items():
        stack, *rest = name.split(".")
        if stack in ("encoder_norm", "decoder_norm"):
            state[f"{stack.removesuffix('_norm')}.norm.{rest[0]}"] = tensor
        if stack not in ("encoder", "decoder"):
            continue
        layer, part, leaf = rest[0], rest[1], ".".join(rest[2:])
        where = f"{stack}.layers.{layer}"
        attention = {"self_attention": "self_attn", "cross_attention": "multihead_attn"}.get(part)
        norms = ["self_attention_norm", *(["cross_attention_norm"] if stack == "decoder" else []), "feed_forward_norm"]
        if attention and leaf.startswith("output"):
            state[f"{where}.{attention}.out_proj.{leaf.removeprefix('output.')}"] = tensor
        elif attention and leaf.startswith("query"):
            kind = leaf.removeprefix("query.")
            three = [ours[f"{stack}.{layer}.{part}.{which}.{kind}"] for which in ("query", "key", "value")]
            state[f"{where}.{attention}.in_proj_{kind}"] = torch.cat(three)
        elif part in norms:
            state[f"{where}.norm{norms.index(part) + 1}.{leaf}"] = tensor
        elif part == "feed_forward":
            state[f"{where}.{leaf.replace('inner', 'linear1').replace('outer', 'linear2')}"] = tensor
    return state


def torch_logits(theirs: nn.Transformer, ours: Transformer, source: Tensor, target: Tensor) -> Tensor:
    """nn.Transformer knows neither embeddings nor logits; its masks say True for "blocked"."""
    config = ours.config
    waves = ours.waves if config.positions == "sinusoidal" else None
    positions = (waves, waves) if waves is not None else (ours.source_positions.weight, ours.target_positions.weight)
    embedded = [
        math.sqrt(config.d_model) * ours.embedding(ids) + position[: ids.shape[1]]
        for ids, position in zip((source, target), positions, strict=True)
    ]
    blocked = source == config.pad_id
    future = torch.ones(target.shape[1], target.shape[1], dtype=torch.bool).triu(1)
    hidden = theirs(*embedded, tgt_mask=future, src_key_padding_mask=blocked, memory_key_padding_mask=blocked)
    return hidden @ ours.embedding.weight.T


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
@pytest.mark.parametrize("positions", ["sinusoidal", "learned"])
@pytest.mark.parametrize("activation", ["relu", "gelu"])
@pytest.mark.parametrize("norm", ["post", "pre"])
def test_logits_and_gradients(norm, activation, positions, dtype):
    torch.manual_seed(0)
    config = TransformerConfig(**SIZES, dropout=0.0, norm=norm, activation=activation, positions=positions)
    ours, theirs = Transformer(config).to(dtype), torch_transformer(config).to(dtype)
    for parameter in ours.parameters():
        nn.init.normal_(parameter, mean=float(parameter.ndim == 1), std=0.2)  # norms and biases unlike their start
    theirs.load_state_dict(mapped(ours.state_dict()))
    source, target = torch.randint(1, 31, (5, 9)), torch.randint(1, 31, (5, 7))
    for row, length in enumerate((9, 1, 4, 8, 2)):
        source[row, length:] = config.pad_id

    logits, expected = ours(source, target), torch_logits(theirs, ours, source, target)
    tolerance = 1e-5 if dtype == torch.float32 else 1e-12
    scale = max(1.0, expected.abs().max().item())
    torch.testing.assert_close(logits, expected, rtol=0, atol=tolerance * scale)
    embedding = ours.embedding.weight
    direction = torch.randn_like(logits)
    actual = torch.autograd.grad(logits, embedding, direction)[0]
    wanted = torch.autograd.grad(expected, embedding, direction)[0]
    torch.testing.assert_close(actual, wanted, rtol=0, atol=tolerance * max(1.0, wanted.abs().max().item()))
