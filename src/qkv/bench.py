"""How fast is the code that teaches?  Ratios of running times, measured in pairs within one run.

    python -m qkv bench

A time says something about this machine on this day, so none is reported.  Both sides of a comparison run in turn,
many times, and each turn gives one ratio; what slows the machine slows both.  The table shows the median ratio and its
95 % interval (exact, from order statistics: no assumption about how times are spread).  2.0 means: ours takes twice
as long.  One thread.
"""

import json
import math
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Annotated, Final, NamedTuple

import numpy as np
import torch
import typer
from rich.console import Console
from rich.progress import track
from rich.table import Table
from scipy.stats import quantile_test
from torch import Tensor, nn
from torch.nn.functional import linear
from torch.nn.functional import scaled_dot_product_attention as fused_attention
from transformers import BartConfig, BartForConditionalGeneration, BertConfig, BertModel, LlamaForCausalLM
from transformers import LlamaConfig as TheirLlamaConfig

from qkv import growth
from qkv.decoding.search import Cached, Limits, beam, greedy
from qkv.models import llama
from qkv.models.awd_lstm import AWDLSTM, AWDLSTMConfig
from qkv.models.bert import BERT, BERTConfig, from_transformers
from qkv.models.transformer import PRESETS, Transformer, TransformerConfig
from qkv.nn.attention import KeyValueCache, MultiHeadAttention, scaled_dot_product_attention
from qkv.nn.lstm import LSTM
from qkv.recipes.protocol import versions
from qkv.recipes.result import write_text

NUM_PAIRS: Final = 101
WARM_UP: Final = 5

Run = Callable[[], Tensor | tuple[Tensor, ...]]


class Comparison(NamedTuple):
    """Two ways to do the same work; both return what the test compares."""

    name: str
    work: str
    size: tuple[int, ...]
    ours: Run
    theirs: Run


class Sizes(NamedTuple):
    """What is measured.

    (b, heads, t, d_k) for attention alone, (b, t, d_model, heads) for multi-head attention, (b, t, d_model, heads,
    layers) for an encoder or a decoder, (b, t, d_hidden) for an LSTM, (b, t, d_model, d_hidden, layers) for a language
    model of LSTMs, (b, source letters, new tokens, beam size) for decoding, and (b, given tokens, new tokens, layers)
    for a text that goes on.
    """

    attention: Sequence[tuple[int, ...]] = ((1, 4, 16, 16), (8, 4, 64, 32), (4, 8, 256, 64))
    multi_head: Sequence[tuple[int, ...]] = ((32, 64, 128, 4), (8, 256, 384, 6), (64, 16, 256, 4))
    encoder: Sequence[tuple[int, ...]] = ((16, 64, 192, 6, 4), (4, 256, 384, 12, 6))
    decoder: Sequence[tuple[int, ...]] = ((16, 64, 192, 6, 4), (4, 256, 384, 12, 6))
    lstm: Sequence[tuple[int, ...]] = ((16, 64, 256),)
    lstm_model: Sequence[tuple[int, ...]] = ((32, 70, 128, 256, 3),)
    decoding: Sequence[tuple[int, ...]] = ((1, 10, 20, 1), (32, 10, 20, 1), (32, 10, 20, 4))
    going_on: Sequence[tuple[int, ...]] = ((1, 10, 20, 4),)


class Ratio(NamedTuple):
    """Time of ours divided by time of theirs: the median over all pairs and its 95 % interval."""

    median: float
    low: float
    high: float


class Measured(NamedTuple):
    """A comparison, measured."""

    name: str
    work: str
    size: tuple[int, ...]
    ratio: Ratio


def comparisons(sizes: Sizes) -> Iterator[Comparison]:
    """All rows of the table, one after the other; weights and inputs of a row exist while it is measured."""
    for size in sizes.attention:
        yield from attention_alone(size)
    for size in sizes.multi_head:
        yield multi_head(size)
    for size in sizes.encoder:
        yield encoder(size)
    for size in sizes.decoder:
        yield decoder(size)
    for size in sizes.lstm:
        yield lstm(size)
    for size in sizes.lstm_model:
        yield lstm_model(size)
    for size in sizes.decoding:
        yield decoding(size)
    for size in sizes.going_on:
        yield going_on(size)


def attention_alone(size: tuple[int, ...]) -> Iterator[Comparison]:
    """The teaching function against torch's fused one, and against the same four steps without checks."""
    inputs = [torch.randn(size, generator=torch.Generator().manual_seed(seed)).requires_grad_() for seed in range(3)]
    for name, theirs in {"fused": fused_attention, "explicit": explicit_attention}.items():
        plain = (partial(forward, run, inputs) for run in (taught_attention, theirs))
        yield Comparison(f"taught / {name}", "forward", size, *plain)
        graph = (partial(forward_and_backward, run, inputs, inputs) for run in (taught_attention, theirs))
        yield Comparison(f"taught / {name}", "forward + backward", size, *graph)


def taught_attention(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
    """The teaching function; its weights are computed as well, and dropped."""
    return scaled_dot_product_attention(query, key, value)[0]


def explicit_attention(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
    """The same four steps in torch's operators, with no check and torch's softmax."""
    return torch.softmax(query @ key.mT / math.sqrt(query.shape[-1]), dim=-1) @ value


def multi_head(size: tuple[int, ...]) -> Comparison:
    """``MultiHeadAttention`` against torch's own, with gradients of input and weights; the weights are the same."""
    b, t, d_model, num_heads = size
    torch.manual_seed(0)
    ours, theirs = MultiHeadAttention(d_model, num_heads), nn.MultiheadAttention(d_model, num_heads, batch_first=True)
    three = (ours.query, ours.key, ours.value)
    with torch.no_grad():
        theirs.in_proj_weight.copy_(torch.cat([each.weight for each in three]))
        theirs.in_proj_bias.copy_(torch.cat([each.bias for each in three]))
    theirs.out_proj.load_state_dict(ours.output.state_dict())
    x = torch.randn(b, t, d_model, requires_grad=True)
    our_run = partial(forward_and_backward, ours, [x], [x, *ours.parameters()])
    their_run = partial(
        forward_and_backward, lambda x: theirs(x, x, x, need_weights=False)[0], [x], [x, *theirs.parameters()]
    )
    return Comparison("multi-head / nn.", "forward + backward", size, our_run, their_run)


def encoder(size: tuple[int, ...]) -> Comparison:
    """``BERT`` against ``BertModel`` of transformers, both with torch's fused attention, gradients of all weights.

    The weights are the same; gains and biases are drawn too, since under gains of 1 the sum of a layer has no gradient.
    """
    b, t, d_model, num_heads, num_layers = size
    torch.manual_seed(0)
    config = BERTConfig(1000, d_model, num_heads, 4 * d_model, num_layers, dropout=0.0, max_length=t)
    ours, theirs = BERT(config), bert(config)
    for parameter in theirs.parameters():
        if parameter.ndim == 1:
            nn.init.normal_(parameter, mean=1.0, std=0.3)
    ours.load_state_dict(from_transformers(theirs.state_dict()), strict=False)  # theirs is without the pooler
    ids = torch.randint(config.vocab_size, (b, t))
    wanted = [parameter for name, parameter in ours.named_parameters() if not name.startswith("pooler")]
    our_run = partial(forward_and_backward, ours, [ids], wanted)
    their_run = partial(forward_and_backward, lambda ids: theirs(ids).last_hidden_state, [ids], [*theirs.parameters()])
    return Comparison("encoder / BertModel", "forward + backward", size, our_run, their_run)


def bert(config: BERTConfig) -> BertModel:
    """An encoder of transformers with as many layers, heads and entries; its attention is PyTorch's own (sdpa)."""
    theirs = BertConfig(
        vocab_size=config.vocab_size,
        hidden_size=config.d_model,
        num_attention_heads=config.num_heads,
        intermediate_size=config.d_ff,
        num_hidden_layers=config.num_layers,
        max_position_embeddings=config.max_length,
        hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0,
    )
    return BertModel(theirs, add_pooling_layer=False)


def decoder(size: tuple[int, ...]) -> Comparison:
    """``Llama`` against transformers' own, both with torch's fused attention, gradients of all weights."""
    b, t, d_model, num_heads, num_layers = size
    torch.manual_seed(0)
    config = llama.LlamaConfig(1000, d_model, num_heads, num_heads, 4 * d_model, num_layers, max_length=t)
    ours, theirs = llama.Llama(config), their_llama(config)
    ours.load_state_dict(llama.from_transformers(theirs.state_dict()))
    ids = torch.randint(config.vocab_size, (b, t))
    our_run = partial(forward_and_backward, ours, [ids], [*ours.parameters()])
    their_run = partial(
        forward_and_backward, lambda ids: theirs(ids, use_cache=False).logits, [ids], [*theirs.parameters()]
    )
    return Comparison("decoder / Llama", "forward + backward", size, our_run, their_run)


def lstm_model(size: tuple[int, ...]) -> Comparison:
    """AWD-LSTM without dropout against an embedding, ``nn.LSTM`` layers and a tied output: what its parts cost."""
    b, t, d_model, d_hidden, num_layers = size
    torch.manual_seed(0)
    ours = AWDLSTM(AWDLSTMConfig(1000, d_model, d_hidden, num_layers, *[0.0] * 5))
    theirs, ids = PlainModel(ours), torch.randint(1000, (b, t))
    our_run = partial(forward_and_backward, lambda ids: ours(ids)[0], [ids], [*ours.parameters()])
    their_run = partial(forward_and_backward, theirs, [ids], [*theirs.parameters()])
    return Comparison("AWD-LSTM / nn.LSTM", "forward + backward", size, our_run, their_run)


class PlainModel(nn.Module):
    """The layers of an ``AWDLSTM``, copied, and nothing around them; the table is the output's too."""

    def __init__(self, model: AWDLSTM):
        super().__init__()
        self.table = deepcopy(model.token.embedding)
        self.layers = nn.ModuleList(deepcopy(layer.get_submodule("lstm")) for layer in model.layers)
        self.bias = nn.Parameter(model.bias.detach().clone())

    def forward(self, ids: Tensor) -> Tensor:
        """Scores of the next token."""
        x = self.table(ids)
        for layer in self.layers:
            x = layer(x)[0]
        return linear(x, self.table.weight, self.bias)


def lstm(size: tuple[int, ...]) -> Comparison:
    """The LSTM written to be read, step by step, against ``nn.LSTM``, which the course's models use."""
    b, t, d_hidden = size
    torch.manual_seed(0)
    ours, theirs = LSTM(d_hidden, d_hidden), nn.LSTM(d_hidden, d_hidden, batch_first=True)
    parts = (ours.cell.from_input.weight, ours.cell.from_hidden.weight, ours.cell.from_input.bias)
    with torch.no_grad():
        for theirs_of, part in zip(theirs.parameters(), (*parts, ours.cell.from_hidden.bias), strict=True):
            theirs_of.copy_(part)
    x = torch.randn(b, t, d_hidden, requires_grad=True)
    our_run = partial(forward_and_backward, lambda x: ours(x)[0], [x], [x, *ours.parameters()])
    their_run = partial(forward_and_backward, lambda x: theirs(x)[0], [x], [x, *theirs.parameters()])
    return Comparison("taught LSTM / nn.LSTM", "forward + backward", size, our_run, their_run)


def decoding(size: tuple[int, ...]) -> Comparison:
    """Our greedy or beam search with a cache against ``generate`` of transformers: BART of the same sizes.

    Random weights, and an end symbol that may not come, so that both write the same number of tokens.
    """
    b, t_s, num_tokens, beam_size = size
    torch.manual_seed(0)
    config = replace(PRESETS["g2p"], dropout=0.0)
    ours, theirs = Transformer(config).eval(), bart(config).eval()
    source = torch.randint(3, config.vocab_size, (b, t_s))

    endless = torch.zeros(config.vocab_size).index_fill(0, torch.tensor(2), -1e9)
    limits = Limits(start_id=1, end_id=2, max_new_tokens=num_tokens)

    @torch.no_grad()
    def our_run() -> Tensor:
        memory = ours.encode(source)

        def logits(ids: Tensor, rows: Tensor, cache: dict[str, KeyValueCache]) -> Tensor:
            return ours.decode(ids, memory[rows], source[rows], cache=cache) + endless

        if beam_size == 1:
            return torch.tensor(greedy(Cached(logits, b), b, limits))
        return torch.tensor([best.ids for best, *_ in beam(Cached(logits, b), b, limits, beam_size=beam_size)])

    @torch.no_grad()
    def their_run() -> Tensor:
        options = {"num_beams": beam_size, "do_sample": False, "use_cache": True}
        return theirs.generate(source, max_new_tokens=num_tokens, min_new_tokens=num_tokens, **options)

    name = "greedy / generate" if beam_size == 1 else "beam / generate"
    return Comparison(name, f"{num_tokens} tokens", size, our_run, their_run)


def bart(config: TransformerConfig) -> BartForConditionalGeneration:
    """An encoder–decoder of transformers with as many layers, heads and entries."""
    return BartForConditionalGeneration(
        BartConfig(
            vocab_size=config.vocab_size,
            d_model=config.d_model,
            encoder_layers=config.num_encoder_layers,
            decoder_layers=config.num_decoder_layers,
            encoder_attention_heads=config.num_heads,
            decoder_attention_heads=config.num_heads,
            encoder_ffn_dim=config.d_ff,
            decoder_ffn_dim=config.d_ff,
            max_position_embeddings=config.max_length,
            dropout=0.0,
            pad_token_id=0,
            bos_token_id=1,
            decoder_start_token_id=1,
            eos_token_id=2,
            forced_eos_token_id=None,
        )
    )


def going_on(size: tuple[int, ...]) -> Comparison:
    """Our greedy search on Llama with a cache against ``generate`` of transformers on its own Llama, weights the same.

    As wide as SmolLM2, but of few layers and tokens; both write as many new ones.  The whole model with its real
    weights: ``tools/smollm2_parity.py``.
    """
    b, t, num_tokens, num_layers = size
    torch.manual_seed(0)
    config = replace(llama.PRESETS["smollm2"], num_layers=num_layers, vocab_size=1000)
    ours, theirs = llama.Llama(config).eval(), their_llama(config).eval()
    ours.load_state_dict(llama.from_transformers(theirs.state_dict()))
    given = torch.randint(3, config.vocab_size, (1, t)).expand(b, t)
    endless = torch.zeros(config.vocab_size).index_fill(0, torch.tensor(2), -1e9)
    limits = Limits(start_id=int(given[0, -1]), end_id=2, max_new_tokens=num_tokens)

    @torch.no_grad()
    def our_run() -> Tensor:
        next_token = Cached(lambda ids, _, cache: ours(ids, cache) + endless, b)
        ours.hidden_states(given[:, :-1], next_token.cache)
        return torch.tensor(greedy(next_token, b, limits))

    @torch.no_grad()
    def their_run() -> Tensor:
        options = {"do_sample": False, "use_cache": True, "pad_token_id": 0, "eos_token_id": 2}
        lengths = {"max_new_tokens": num_tokens, "min_new_tokens": num_tokens}
        return theirs.generate(given, attention_mask=torch.ones_like(given), **lengths, **options)[:, t:]

    return Comparison("llama / generate", f"{num_tokens} tokens", size, our_run, their_run)


def their_llama(config: llama.LlamaConfig) -> LlamaForCausalLM:
    """Llama of transformers with the same sizes."""
    return LlamaForCausalLM(
        TheirLlamaConfig(
            vocab_size=config.vocab_size,
            hidden_size=config.d_model,
            num_attention_heads=config.num_heads,
            num_key_value_heads=config.num_kv_heads,
            intermediate_size=config.d_ff,
            num_hidden_layers=config.num_layers,
            max_position_embeddings=config.max_length,
            rope_parameters={"rope_type": "default", "rope_theta": config.rotary_base},
            rms_norm_eps=config.norm_epsilon,
            tie_word_embeddings=True,
        )
    )


def forward(run: Callable[..., Tensor], inputs: Sequence[Tensor]) -> Tensor:
    """One forward pass, without a graph."""
    with torch.no_grad():
        return run(*inputs)


def forward_and_backward(
    run: Callable[..., Tensor], inputs: Sequence[Tensor], wanted: Sequence[Tensor]
) -> tuple[Tensor, ...]:
    """One forward pass and the gradients of the sum of its output."""
    return torch.autograd.grad(run(*inputs).sum(), wanted)


def paired_ratios(ours: Run, theirs: Run, num_pairs: int = NUM_PAIRS) -> list[float]:
    """Time of ours / time of theirs, once per pair; who goes first alternates, so that neither finds a warmer cache."""
    for _ in range(WARM_UP):
        ours()
        theirs()
    ratios = []
    for pair in range(num_pairs):
        first, second = (ours, theirs) if pair % 2 == 0 else (theirs, ours)
        times = {first: seconds(first), second: seconds(second)}
        ratios.append(times[ours] / times[theirs])
    return ratios


def seconds(run: Run) -> float:
    """Wall-clock time of one call."""
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def summary(ratios: list[float]) -> Ratio:
    """Median and its 95 % interval.

    Raises:
        ValueError: fewer than six ratios; no interval of order statistics reaches 95 % then.
    """
    if len(ratios) < 6:
        raise ValueError(f"expected at least 6 ratios for a 95 % interval of the median, got {len(ratios)}")
    interval = quantile_test(ratios, p=0.5).confidence_interval(confidence_level=0.95)
    return Ratio(float(np.median(ratios)), float(interval.low), float(interval.high))


@contextmanager
def one_thread() -> Iterator[None]:
    """Within, torch uses one thread."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def measured(sizes: Sizes, num_pairs: int) -> list[Measured]:
    """Every comparison, measured."""
    found = track(list(comparisons(sizes)), "Measuring", transient=True)
    return [
        Measured(each.name, each.work, each.size, summary(paired_ratios(each.ours, each.theirs, num_pairs)))
        for each in found
    ]


def ratio_table(rows: Sequence[Measured], num_pairs: int) -> Table:
    """One line per comparison: median and 95 % interval."""
    table = Table(
        "ours / theirs", "work", "size", "ratio", title=f"Ratios of running times: median of {num_pairs} pairs"
    )
    for row in rows:
        interval = f"{row.ratio.median:.2f} ({row.ratio.low:.2f}–{row.ratio.high:.2f})"
        table.add_row(row.name, row.work, "×".join(map(str, row.size)), interval)
    return table


def to_json(rows: Sequence[Measured], grown: Sequence[growth.Growth], num_pairs: int) -> str:
    """What the page on speed shows: ratios and exponents with three decimals, and the versions measured."""
    ratios = [row._asdict() | {"ratio": [round(each, 3) for each in row.ratio]} for row in rows]
    exponents = [
        {"axis": row.axis, "from": row.sizes[0], "to": row.sizes[-1]}
        | {costs: round(row.exponent(costs), 3) for costs in growth.COSTS}
        for row in grown
    ]
    shown = {"pairs": num_pairs, "versions": versions(), "ratios": ratios, "growth": exponents}
    return json.dumps(shown, indent=1, ensure_ascii=False) + "\n"


def main(
    num_pairs: int = NUM_PAIRS,
    write: Annotated[Path | None, typer.Option(help="Also write the figures to this JSON file.")] = None,
) -> None:
    """Measure every comparison and how cost grows, and print both tables."""
    with one_thread():
        rows = measured(Sizes(), num_pairs)
        grown = [growth.measured(axis, sizes) for axis, sizes in track(growth.AXES.items(), "Growing", transient=True)]
    Console().print(ratio_table(rows, num_pairs), growth.table(grown))
    if write is not None:
        write_text(write, to_json(rows, grown, num_pairs))


if __name__ == "__main__":
    typer.run(main)
