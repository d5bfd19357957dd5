"""Does a falling loss show that attention is right?  A claim of this course; no paper's table.

Task: read ten random symbols, then a separator, then write the ten symbols again.  A small causal Transformer (two
pre-norm layers, d_model 48, four heads, 300 steps of Adam) is trained once with correct attention and once with each of
19 classic mistakes, all of them seen in public code.  (Two of them, a fill of 1e-10 and scores times mask, come to the
same function: a blocked key counts as score 0.)  Loss and accuracy count the copied half only; the rest is random.
Then each model writes on its own, fed its own symbols ("free running"), and eight probes look at each attention layer
before any training.

Stated before the first run.  Primary contrast: per seed, the training loss of the *worst* of the 19 mutants minus that
of the correct model, each the mean of the last 20 steps, in nats; an equivalence with a margin of 0.02 nats.  That is
what a curve hides: exp(-0.02) = 0.98, so the right symbol gets two percent less probability, where guessing among 16
symbols costs ln 16 = 2.77 nats.  A mutant "reaches the correct model's loss" when its mean over the seeds lies within
the same margin.  Settings were chosen by looking at the correct model alone.
Secondary: free-running accuracy per mutant, and which probe fails which mutant.

Command: python -m qkv run mutants-train --seeds 5
Takes about 10 minutes on one core.  Expect: reversed, by one mutant alone (the mask with the wrong sign learns slowly);
the other 18 end within a thousandth of a nat of the correct model, and half a dozen of those cannot copy on their own.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from einops import rearrange
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from qkv.nn.attention import scaled_dot_product_attention
from qkv.nn.masks import causal
from qkv.recipes.protocol import Fact, mean_effect, mean_quantity
from qkv.recipes.result import Result, Values
from qkv.scoring.intervals import paired_differences

CLAIM = "Training loss tells none of 19 classic attention mistakes from correct attention."
PAPER = "None: a claim of this course. Each of the mistakes was seen in public code."
CONTRAST = "final training loss, the worst of 19 mutants minus the correct model"
UNIT = "nats"
OVER = "seeds"
SEEDS = 5
VERIFY = "correct"
# Other processors add in another order.  Initial weights changed by a millionth moved neither number in its last digit.
TOLERANCE = {"loss": 0.0002, "accuracy": 0.005}

CORRECT = "correct"
Attend = Callable[[Tensor, Tensor, Tensor, Tensor | None], tuple[Tensor, Tensor]]  # query, key, value, may_attend
BLOCKED = -1e9  # what most public code writes for "minus infinity"


@dataclass(frozen=True)
class Config:
    """Sizes and training; the presets are "smoke" (seconds, for tests) and "full" (the published run)."""

    num_symbols: int = 16
    copy_length: int = 10
    d_model: int = 48
    num_heads: int = 4
    num_layers: int = 2
    num_steps: int = 300
    batch_size: int = 32
    learning_rate: float = 3e-3
    final_steps: int = 20
    curve_every: int = 10
    test_items: int = 512
    margin: float = 0.02


PRESETS = {"smoke": Config(num_steps=4, batch_size=4, final_steps=2, curve_every=2, test_items=8), "full": Config()}


# Heads ---------------------------------------------------------------------------------------------------------------


def split_heads(x: Float[Tensor, "b t d_model"], num_heads: int) -> Float[Tensor, "b h t d_k"]:
    """Cut each token's vector into one piece per head."""
    return rearrange(x, "b t (h d_k) -> b h t d_k", h=num_heads)


def merge_heads(x: Float[Tensor, "b h t d_v"]) -> Float[Tensor, "b t d_model"]:
    """Put each token's pieces side by side again."""
    return rearrange(x, "b h t d_v -> b t (h d_v)")


def split_without_transpose(x: Float[Tensor, "b t d_model"], num_heads: int) -> Float[Tensor, "b h t d_k"]:
    """H1: the right shape, but a head gets whole tokens, and each of its rows mixes up pieces of one."""
    b, t, d_model = x.shape
    return x.reshape(b, num_heads, t, d_model // num_heads)


def merge_without_transpose(x: Float[Tensor, "b h t d_v"]) -> Float[Tensor, "b t d_model"]:
    """H2: the right shape, but a token gets pieces of other tokens."""
    b, h, t, d_v = x.shape
    return x.reshape(b, t, h * d_v)


# Mistakes ------------------------------------------------------------------------------------------------------------


def fill(scores: Tensor, may_attend: Tensor) -> Tensor:
    """The usual way to block: a score so low that softmax gives it nothing."""
    return scores.masked_fill(~may_attend, BLOCKED)


def attention_with(
    factor: Callable[[Tensor], float] = lambda query: query.shape[-1] ** -0.5,
    block: Callable[[Tensor, Tensor], Tensor] = fill,
    after: Callable[[Tensor, Tensor], Tensor] = lambda weights, may_attend: weights,
    dim: int = -1,
) -> Attend:
    """Attention on (b, h, t, d) with one step replaced: scale, block, softmax axis, or what follows softmax."""

    def attend(query: Tensor, key: Tensor, value: Tensor, may_attend: Tensor | None = None) -> tuple[Tensor, Tensor]:
        scores = query @ key.mT * factor(query)
        weights = (scores if may_attend is None else block(scores, may_attend)).softmax(dim)
        weights = weights if may_attend is None else after(weights, may_attend)
        return weights @ value, weights

    return attend


def key_as_value(query: Tensor, key: Tensor, value: Tensor, may_attend: Tensor | None = None) -> tuple[Tensor, Tensor]:
    """A6: the keys are mixed, the values never used."""
    return scaled_dot_product_attention(query, key, key, may_attend)


@dataclass(frozen=True)
class Mutant:
    """Multi-head attention with one mistake; ``code`` is its name in the course's list of mistakes, where it has one.

    ``attend`` takes and gives (b, h, t, d), and the weights too, as the teaching function does.
    """

    code: str = ""
    attend: Attend = scaled_dot_product_attention
    split: Callable[[Tensor, int], Tensor] = split_heads
    merge: Callable[[Tensor], Tensor] = merge_heads
    projects_output: bool = True


MODELS: dict[str, Mutant] = {
    CORRECT: Mutant(),
    "no 1/√d_k": Mutant("A1", attention_with(factor=lambda query: 1.0)),
    "1/√d_model": Mutant("A2", attention_with(factor=lambda query: (query.shape[-3] * query.shape[-1]) ** -0.5)),
    "×√d_k": Mutant("A3", attention_with(factor=lambda query: query.shape[-1] ** 0.5)),
    "1/d_k": Mutant("A3", attention_with(factor=lambda query: 1 / query.shape[-1])),
    "softmax over queries": Mutant("A4", attention_with(dim=-2)),
    "softmax over heads": Mutant("A4", attention_with(dim=-3)),
    "split heads without transpose": Mutant("H1", split=split_without_transpose),
    "merge heads without transpose": Mutant("H2", merge=merge_without_transpose),
    "mask after softmax": Mutant(
        "M1", attention_with(block=lambda s, may: s, after=lambda weights, may: weights * may)
    ),
    "mask sign wrong": Mutant("M2", attention_with(block=lambda s, may: s.masked_fill(~may, -BLOCKED))),
    "mask inverted": Mutant("M3", attention_with(block=lambda s, may: fill(s, ~may))),
    "mask fill 1e-10": Mutant("M7", attention_with(block=lambda s, may: s.masked_fill(~may, 1e-10))),
    "scores times mask": Mutant("", attention_with(block=lambda s, may: s * may)),
    "boolean mask added": Mutant("M4", attention_with(block=lambda s, may: s + may)),
    "no mask": Mutant("", attention_with(block=lambda s, may: s)),
    "off by one: blocks self": Mutant("M8", attention_with(block=lambda s, may: fill(s, may.tril(-1)))),
    "off by one: leaks one": Mutant("M8", attention_with(block=lambda s, may: fill(s, torch.ones_like(may).tril(1)))),
    "keys as values": Mutant("A6", key_as_value),
    "no output projection": Mutant("A6", projects_output=False),
}


# Model ---------------------------------------------------------------------------------------------------------------


class Attention(nn.Module):
    """Multi-head self-attention whose steps come from a ``Mutant``; returns output and weights."""

    def __init__(self, d_model: int, num_heads: int, mutant: Mutant):
        super().__init__()
        self.num_heads, self.mutant = num_heads, mutant
        self.query, self.key, self.value, self.output = (nn.Linear(d_model, d_model) for _ in range(4))

    def forward(
        self, x: Float[Tensor, "b t d_model"], may_attend: Bool[Tensor, "t t"] | None = None
    ) -> tuple[Tensor, Tensor]:
        """Project, split, attend, merge, project.  Shapes are not enforced here: whether they are right is a probe."""
        projections = (self.query, self.key, self.value)
        query, key, value = (self.mutant.split(project(x), self.num_heads) for project in projections)
        output, weights = self.mutant.attend(query, key, value, may_attend)
        output = self.mutant.merge(output)
        return (self.output(output) if self.mutant.projects_output else output), weights


class Block(nn.Module):
    """Attention, then a feed-forward network; each is normed before and added after."""

    def __init__(self, config: Config, mutant: Mutant):
        super().__init__()
        d_model = config.d_model
        self.attention = Attention(d_model, config.num_heads, mutant)
        self.feed_forward = nn.Sequential(nn.Linear(d_model, 4 * d_model), nn.ReLU(), nn.Linear(4 * d_model, d_model))
        self.norms = nn.ModuleList(nn.LayerNorm(d_model) for _ in range(2))

    def forward(self, x: Float[Tensor, "b t d_model"]) -> Float[Tensor, "b t d_model"]:
        """Each position is meant to see itself and what came before."""
        x = x + self.attention(self.norms[0](x), causal(x.shape[1]))[0]
        return x + self.feed_forward(self.norms[1](x))


class CopyModel(nn.Module):
    """A small language model with learnt positions; the separator is the last input id."""

    def __init__(self, config: Config, mutant: Mutant):
        super().__init__()
        self.symbol = nn.Embedding(config.num_symbols + 1, config.d_model)
        self.position = nn.Embedding(2 * config.copy_length, config.d_model)
        self.blocks = nn.Sequential(*(Block(config, mutant) for _ in range(config.num_layers)))
        self.norm, self.output = nn.LayerNorm(config.d_model), nn.Linear(config.d_model, config.num_symbols)

    def forward(self, ids: Int[Tensor, "b t"]) -> Float[Tensor, "b t v"]:
        """Logits of the symbol that comes after each position."""
        x = self.symbol(ids) + self.position.weight[: ids.shape[1]]
        return self.output(self.norm(self.blocks(x)))


# Training and free running -------------------------------------------------------------------------------------------


def draw(config: Config, size: int, generator: torch.Generator) -> Int[Tensor, "b t"]:
    """Random symbols and the separator: what the model is to copy."""
    symbols = torch.randint(config.num_symbols, (size, config.copy_length), generator=generator)
    return torch.cat([symbols, torch.full((size, 1), config.num_symbols)], dim=1)


def train(config: Config, mutant: Mutant, seed: int) -> tuple[CopyModel, list[float]]:
    """The trained model and its loss at every step, in nats per copied symbol."""
    torch.manual_seed(seed)
    model, generator = CopyModel(config, mutant), torch.Generator().manual_seed(seed)
    optimizer, losses = torch.optim.Adam(model.parameters(), lr=config.learning_rate), []
    for _ in range(config.num_steps):
        prompt = draw(config, config.batch_size, generator)
        target = prompt[:, :-1]
        logits = model(torch.cat([prompt, target[:, :-1]], dim=1))[:, config.copy_length :]
        loss = cross_entropy(rearrange(logits, "b t v -> b v t"), target)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return model, losses


@torch.no_grad()
def free_running_accuracy(config: Config, model: nn.Module, seed: int) -> float:
    """Share of symbols copied right when each next symbol is the model's own best guess, one at a time."""
    prompt = draw(config, config.test_items, torch.Generator().manual_seed(1_000_000 + seed))
    ids = prompt
    for _ in range(config.copy_length):
        ids = torch.cat([ids, model(ids)[:, -1:].argmax(-1)], dim=1)
    return (ids[:, config.copy_length + 1 :] == prompt[:, :-1]).float().mean().item()


# Probes --------------------------------------------------------------------------------------------------------------

BATCH, LENGTH, HEADS, D_MODEL = 3, 7, 4, 32  # pairwise different, d_k = 8 as well


def _layer(mutant: Mutant, seed: int, num_heads: int = HEADS) -> tuple[Attention, Tensor]:
    torch.manual_seed(seed)
    return Attention(D_MODEL, num_heads, mutant), torch.randn(BATCH, LENGTH, D_MODEL)


def _torch_output(layer: Attention, x: Tensor, may_attend: Tensor | None) -> Tensor:
    """The same weights in ``torch.nn.MultiheadAttention``, where True blocks."""
    oracle = nn.MultiheadAttention(D_MODEL, layer.num_heads, batch_first=True)
    projections = (layer.query, layer.key, layer.value)
    oracle.in_proj_weight.copy_(torch.cat([project.weight for project in projections]))
    oracle.in_proj_bias.copy_(torch.cat([project.bias for project in projections]))
    oracle.out_proj.load_state_dict(layer.output.state_dict())
    return oracle(x, x, x, attn_mask=None if may_attend is None else ~may_attend, need_weights=False)[0]


def _agree(first: Tensor, second: Tensor) -> bool:
    return torch.allclose(first, second, rtol=1e-4, atol=1e-5)


def right_shape(mutant: Mutant, seed: int) -> bool:
    """Output and input have one shape."""
    layer, x = _layer(mutant, seed)
    return layer(x, causal(LENGTH))[0].shape == x.shape


def finite(mutant: Mutant, seed: int) -> bool:
    """No NaN, no infinity."""
    layer, x = _layer(mutant, seed)
    return bool(layer(x, causal(LENGTH))[0].isfinite().all())


def rows_sum_to_one(mutant: Mutant, seed: int) -> bool:
    """Under the causal mask, each query hands out shares that add up to 1."""
    layer, x = _layer(mutant, seed)
    sums = layer(x, causal(LENGTH))[1].sum(-1)
    return _agree(sums, torch.ones_like(sums))


def saturated(mutant: Mutant, seed: int) -> bool:
    """One head, scores so large that each query picks one key: equal to torch's layer."""
    layer, x = _layer(mutant, seed, num_heads=1)
    layer.query.weight *= 1e3
    layer.key.weight *= 1e3
    return _agree(layer(x)[0], _torch_output(layer, x, None))


def parity_without_mask(mutant: Mutant, seed: int) -> bool:
    """Equal to torch's layer, no mask."""
    layer, x = _layer(mutant, seed)
    return _agree(layer(x)[0], _torch_output(layer, x, None))


def parity_causal(mutant: Mutant, seed: int) -> bool:
    """Equal to torch's layer under the causal mask."""
    layer, x = _layer(mutant, seed)
    return _agree(layer(x, causal(LENGTH))[0], _torch_output(layer, x, causal(LENGTH)))


def causality(mutant: Mutant, seed: int) -> bool:
    """A change from position 4 on leaves the outputs before it alone."""
    layer, x = _layer(mutant, seed)
    changed = x.clone()
    changed[:, 4:] += 1
    return _agree(layer(x, causal(LENGTH))[0][:, :4], layer(changed, causal(LENGTH))[0][:, :4])


def permutation_equivariance(mutant: Mutant, seed: int) -> bool:
    """Without a mask, reordered tokens give the outputs in that order."""
    layer, x = _layer(mutant, seed)
    order = torch.randperm(LENGTH)
    return _agree(layer(x[:, order])[0], layer(x)[0][:, order])


PROBES: dict[str, Callable[[Mutant, int], bool]] = {
    "shape": right_shape,
    "finite": finite,
    "rows sum to 1": rows_sum_to_one,
    "saturated, one head": saturated,
    "parity, no mask": parity_without_mask,
    "parity, causal": parity_causal,
    "causality": causality,
    "permutation": permutation_equivariance,
}


@torch.no_grad()
def failed_probes(mutant: Mutant, seed: int) -> list[str]:
    """Names of the probes that a freshly initialised layer with this mistake fails."""
    return [name for name, passes in PROBES.items() if not passes(mutant, seed)]


# The recipe ----------------------------------------------------------------------------------------------------------


def arms(config: Config) -> list[str]:
    """The correct model and the 19 mutants."""
    return list(MODELS)


def run(config: Config, arm: str, seed: int) -> dict[str, Any]:
    """Final loss (nats), loss curve, free-running accuracy, and the probes that this arm fails."""
    model, losses = train(config, MODELS[arm], seed)
    final = losses[-config.final_steps :]
    return {
        "loss": round(sum(final) / len(final), 5),
        "accuracy": round(free_running_accuracy(config, model, seed), 4),
        "fails": failed_probes(MODELS[arm], seed),
        "curve": [float(f"{loss:.3g}") for loss in losses[:: config.curve_every]],
    }


def differences(config: Mapping[str, Any], values: Values) -> list[float]:
    """Primary contrast, in nats: per seed, the worst mutant's final training loss minus the correct model's."""
    mutants = (entries["loss"] for arm, entries in values.items() if arm != CORRECT)
    return paired_differences([max(losses) for losses in zip(*mutants, strict=True)], values[CORRECT]["loss"])


def facts(result: Result) -> dict[str, Fact]:
    """How many mutants pass as correct by each sign; loss (nats) and free-running accuracy (%) of each arm."""
    values, mutants = result.values, [arm for arm in result.values if arm != CORRECT]
    gaps = {
        arm: mean_effect(paired_differences(values[arm]["loss"], values[CORRECT]["loss"]), "nats") for arm in mutants
    }
    accuracy = {arm: entries["accuracy"] for arm, entries in values.items()}
    slower = [arm for arm in mutants if all(a < b for a, b in zip(accuracy[arm], accuracy[CORRECT], strict=True))]
    return {
        "mutants": len(mutants),
        "reached": sum(abs(gap.mean) <= result.config["margin"] for gap in gaps.values()),
        "worst mutant": max(gaps, key=lambda arm: gaps[arm].mean),
        "copy worse": len(slower),  # free-running accuracy below the correct model's for every seed
        **{f"fail {probe}": sum(probe in caught for caught in _caught(values, mutants)) for probe in PROBES},
        **{f"gap {arm}": gap for arm, gap in gaps.items()},
        **{f"loss {arm}": mean_effect(entries["loss"], "nats") for arm, entries in values.items()},
        **{f"accuracy {arm}": mean_quantity(entries, "%", 100.0) for arm, entries in accuracy.items()},
    }


def _caught(values: Values, mutants: Iterable[str]) -> list[set[str]]:
    """Per mutant, the probes that it fails for every seed."""
    return [set.intersection(*map(set, values[arm]["fails"])) for arm in mutants]
