"""Does attention need its 1/√d_k?  Vaswani et al. (2017), section 3.2.1; no table there.

The paper says: for small d_k, dot-product and additive attention do about equally well; for large d_k, dot products
without scaling fall behind additive attention, probably because large scores push softmax to where its slope is tiny.

Task: 32 pairs of a symbol and a digit are shown, then one of the symbols; name its digit.  One attention step answers
it: the question asks, the symbols are the keys, the digits the values.  Only the score and its d_k change between arms;
the sizes of embeddings, values and output stay.  Every entry of a fresh query or key has mean 0 and variance 1, as the
paper's footnote 4 assumes.  Parameters grow with d_k, equally in both dot-product arms: 2 · d_model · d_k, and d_k more
in the additive one.

Stated before the first run.  Primary contrast, in points of test accuracy, paired by seed, + = the paper's side:
(accuracy at the smallest d_k - accuracy at the largest) without scaling, minus the same drop with scaling.
Secondary: the same against additive attention; and additive attention's own drop.  Each arm, d_k and seed tries the
same three learning rates, keeps the best on validation data, and opens the test set once.

Command: python -m qkv run dk-scaling --seeds 10
Takes about 20 minutes on one core.  Expect: reproduced, a drop of some 45 points without scaling, none with it.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from qkv.recipes.protocol import Fact, mean_effect, mean_quantity
from qkv.recipes.result import Result, Values
from qkv.scoring.intervals import paired_differences

CLAIM = "As d_k grows, attention without 1/√d_k loses more accuracy than attention with it."
PAPER = (
    "Vaswani et al. 2017, section 3.2.1: for small d_k dot products and additive attention do alike; for large d_k "
    "dot products without scaling fall behind, and dividing by √d_k is the remedy."
)
CONTRAST = "drop in test accuracy from d_k 4 to d_k 512, without scaling minus with it"
UNIT = "points"
OVER = "seeds"
SEEDS = 10
VERIFY = "scaled 4"
# Other processors add in another order.  Initial weights changed by a millionth left this arm's test accuracy as it was
# in four reruns out of four, but moved the validation accuracy at the highest rate by up to 0.11: it is not compared.
TOLERANCE = {"test": 0.01}

SCORES = ("scaled", "unscaled", "additive")


@dataclass(frozen=True)
class Config:
    """What all arms share; the presets are "smoke" (seconds, for tests) and "full" (the published run)."""

    d_k: tuple[int, ...] = (4, 16, 64, 256, 512)
    learning_rates: tuple[float, ...] = (1e-3, 3e-3, 1e-2)
    num_steps: int = 400
    batch_size: int = 64
    num_symbols: int = 64
    num_pairs: int = 32
    num_digits: int = 16
    d_model: int = 64
    validation_items: int = 1024
    test_items: int = 4096


PRESETS = {
    "smoke": Config(d_k=(4, 16), learning_rates=(3e-3, 1e-2), num_steps=5, validation_items=64, test_items=64),
    "full": Config(),
}


@dataclass(frozen=True)
class Lookup:
    """A batch of the task; the digit behind the asked symbol is what the model must name."""

    question: Int[Tensor, " b"]
    symbols: Int[Tensor, "b t_k"]
    digits: Int[Tensor, "b t_k"]
    answer: Int[Tensor, " b"]


def draw(config: Config, size: int, generator: torch.Generator) -> Lookup:
    """Random pairs, no symbol twice, and a question about one of them."""
    symbols = torch.rand(size, config.num_symbols, generator=generator).argsort(-1)[:, : config.num_pairs]
    digits = torch.randint(config.num_digits, symbols.shape, generator=generator)
    asked = torch.randint(config.num_pairs, (size, 1), generator=generator)
    return Lookup(symbols.gather(1, asked)[:, 0], symbols, digits, digits.gather(1, asked)[:, 0])


class LookupAttention(nn.Module):
    """One attention step with learnt projections; ``score`` is one of ``SCORES``."""

    def __init__(self, config: Config, score: str, d_k: int):
        super().__init__()
        if score not in SCORES:
            raise ValueError(f"score: expected one of {SCORES}, got {score!r}")
        self.factor = 1 / math.sqrt(d_k) if score == "scaled" else 1.0
        self.symbol = nn.Embedding(config.num_symbols, config.d_model)
        self.digit = nn.Embedding(config.num_digits, config.d_model)
        self.query = nn.Linear(config.d_model, d_k, bias=False)
        self.key = nn.Linear(config.d_model, d_k, bias=False)
        self.output = nn.Linear(config.d_model, config.num_digits)
        self.pair = nn.Linear(d_k, 1, bias=False) if score == "additive" else None
        for layer in filter(None, (self.query, self.key, self.pair)):
            nn.init.normal_(layer.weight, std=layer.in_features**-0.5)  # inputs of variance 1 stay of variance 1

    def scores(self, query: Float[Tensor, "b 1 d_k"], key: Float[Tensor, "b t_k d_k"]) -> Float[Tensor, "b 1 t_k"]:
        """q · k, q · k / √d_k, or v · tanh(q + k)."""
        if self.pair is not None:
            return self.pair(torch.tanh(query + key)).mT
        return self.factor * (query @ key.mT)

    def forward(self, batch: Lookup) -> Float[Tensor, "b num_digits"]:
        """Logits of the digit behind the question."""
        query = self.query(self.symbol(batch.question))[:, None]
        weights = self.scores(query, self.key(self.symbol(batch.symbols))).softmax(-1)
        return self.output((weights @ self.digit(batch.digits))[:, 0])


@torch.no_grad()
def accuracy(model: LookupAttention, batch: Lookup) -> float:
    """Share of questions answered right."""
    return (model(batch).argmax(-1) == batch.answer).float().mean().item()


def train(config: Config, score: str, d_k: int, learning_rate: float, seed: int) -> LookupAttention:
    """Adam at a constant rate on fresh batches; the same seed gives every arm the same batches."""
    torch.manual_seed(seed)
    model, generator = LookupAttention(config, score, d_k), torch.Generator().manual_seed(seed)
    optimizer = torch.optim.Adam(model.parameters(), lr=learning_rate)
    for _ in range(config.num_steps):
        batch = draw(config, config.batch_size, generator)
        loss = cross_entropy(model(batch), batch.answer)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return model


def arms(config: Config) -> list[str]:
    """One arm per score and d_k, such as "unscaled 512"."""
    return [f"{score} {d_k}" for d_k in config.d_k for score in SCORES]


def run(config: Config, arm: str, seed: int) -> dict[str, Any]:
    """Validation accuracy per learning rate, the rate chosen by it, and that model's test accuracy."""
    score, d_k = arm.split()
    validation = draw(config, config.validation_items, torch.Generator().manual_seed(1_000_000 + seed))
    models = [train(config, score, int(d_k), rate, seed) for rate in config.learning_rates]
    scores = [accuracy(model, validation) for model in models]
    best = scores.index(max(scores))
    test = draw(config, config.test_items, torch.Generator().manual_seed(2_000_000 + seed))
    return {
        "validation": [round(score, 4) for score in scores],
        "learning_rate": config.learning_rates[best],
        "test": round(accuracy(models[best], test), 4),
    }


def differences(config: Mapping[str, Any], values: Values) -> list[float]:
    """Primary contrast, in points: the drop without scaling minus the drop with it."""
    return paired_differences(_drop(config, values, "unscaled"), _drop(config, values, "scaled"))


def facts(result: Result) -> dict[str, Fact]:
    """Drops and their contrast with additive attention, in points; test accuracy of each arm, in %."""
    config, values = result.config, result.values
    drops = {score: _drop(config, values, score) for score in SCORES}
    against_additive = paired_differences(drops["unscaled"], drops["additive"])
    largest = {score: values[f"{score} {config['d_k'][-1]}"]["test"] for score in SCORES}
    ahead = paired_differences(largest["additive"], largest["unscaled"])
    return {
        "smallest d_k": config["d_k"][0],
        "largest d_k": config["d_k"][-1],
        **{f"drop {score}": mean_effect(drop, UNIT) for score, drop in drops.items()},
        "drop unscaled minus additive": mean_effect(against_additive, UNIT),
        "additive ahead of unscaled": mean_effect(ahead, UNIT, 100.0),  # the paper's own sentence, at the largest d_k
        **{f"accuracy {arm}": mean_quantity(entries["test"], "%", 100.0) for arm, entries in values.items()},
    }


def _drop(config: Mapping[str, Any], values: Values, score: str) -> list[float]:
    """Test accuracy at the smallest d_k minus that at the largest, in points, per seed."""
    first, last = (values[f"{score} {d_k}"]["test"] for d_k in (config["d_k"][0], config["d_k"][-1]))
    return [100 * difference for difference in paired_differences(first, last)]
