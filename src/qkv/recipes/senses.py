"""Is a word's vector nearer to that of the same word in the same sense than in another sense?

Peters et al. 2018, section 5.3: nearest neighbours of biLM states tell the senses of words apart (table 4 shows *play*
beside sports and beside the stage; table 5: the second layer is ahead of the first, 69.0 against 67.4).  Static vectors
cannot: *bank* is *bank*.

Here no training at all.  Data: wordnet-senses (``qkv.data``), 626 test pairs of phrases that share a word, for every
word as many with one sense as with two.  Each pair in one sense is put beside each pair in two: in which are the two
vectors of the word nearer to each other (cosine)?  A tie counts half.  Guessing is right in 50 %.

Arms: the layers of our biLM (``elmo_lm``) and the last layer of MiniLM, each at the place of the word; layer 0 of the
biLM, a static vector, which differs only where spellings do (*bank*, *banks*); and the same static vectors averaged
over the whole phrase, which knows the neighbours but not their order.

Stated before the first run.  Primary contrast, over words: right with the biLM's second layer minus right with layer 0,
in points.  The interval is a bootstrap over words and speaks of these models.  Secondary: layer 2 minus layer 1 (the
paper's order), layer 2 minus the averaged static vectors, layer 2 minus MiniLM.

Command: python -m qkv run senses.  Less than a minute of one core.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import product
from typing import Any, Final

from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import cosine_similarity

from qkv.data import load
from qkv.recipes.protocol import Fact, Record
from qkv.recipes.result import Quantity, Result, Values, rounded
from qkv.recipes.transfer_systems import elmo_layers, minilm_states, source
from qkv.scoring.intervals import bootstrap_interval, paired_differences
from qkv.text.words import tokens

CLAIM = "ELMo's second layer puts two uses of a word in one sense nearer to each other than two uses in two senses."
PAPER = (
    "Peters et al. 2018, table 5: word senses by nearest neighbours, F1 69.0 from the second layer and 67.4 from the "
    "first; the most frequent sense alone has 65.9."
)
CONTRAST = "comparisons right, second layer of the biLM minus static vectors, mean over words"
UNIT = "points"
OVER = "items"
SEEDS = 1
VERIFY = "biLM layer 1"
TOLERANCE = {"right": 0.51}  # one comparison of a word with two may turn where two cosines are all but equal

Vector = Float[Tensor, " d"]


@dataclass(frozen=True)
class Config:
    """The presets are "smoke" (seconds, for tests) and "full" (the published run)."""

    num_pairs: int | None = None  # the first so many; None = all


PRESETS: Final = {"smoke": Config(40), "full": Config()}


@dataclass(frozen=True)
class Use:
    """A phrase, and the word in it."""

    words: tuple[str, ...]
    place: int


Pair = tuple[Use, Use]


@dataclass(frozen=True)
class Word:
    """Pairs of uses of one word: in one sense, and in two."""

    lemma: str
    same: tuple[Pair, ...]
    different: tuple[Pair, ...]


@cache
def test_words(num_pairs: int | None) -> list[Word]:
    """Words with at least one pair of either kind, in the order of the set."""
    rows = load("wordnet-senses")["test"].to_list()[:num_pairs]
    found: dict[tuple[str, int], list[list[Pair]]] = {}
    for row in rows:
        pair = use(row["first"], row["first_word"]), use(row["second"], row["second_word"])
        found.setdefault((row["lemma"], row["kind"]), [[], []])[row["label"]].append(pair)
    return [Word(lemma, tuple(same), tuple(other)) for (lemma, _), (other, same) in found.items() if same and other]


def use(phrase: str, word: str) -> Use:
    """Where the word stands first, alone or in one token with others: *water* in ``the water's edge``.

    Raises:
        ValueError: it does not stand there.
    """
    words = tuple(tokens(phrase))
    for place, token in enumerate(words):
        if word in re.findall("[A-Za-z]+", token):
            return Use(words, place)
    raise ValueError(f"expected the word {word!r} in {phrase!r}")


def layer(number: int) -> Callable[[Use], Vector]:
    """The word's state in that layer of the biLM."""
    return lambda each: elmo_layers(source("ELMo"), each.words)[each.place, number]


def averaged(each: Use) -> Vector:
    """Mean of the static vectors of the phrase."""
    return elmo_layers(source("ELMo"), each.words)[:, 0].mean(0)


def minilm(each: Use) -> Vector:
    """Mean over the word's pieces in the last layer."""
    return minilm_states(source("MiniLM"), each.words, per_word=True)[each.place]


VECTORS: Final[dict[str, Callable[[Use], Vector]]] = {
    "static": layer(0),
    "biLM layer 1": layer(1),
    "biLM layer 2": layer(2),
    "averaged static": averaged,
    "MiniLM": minilm,
}


def arms(config: Config) -> list[str]:
    """Ways to give a word in a phrase a vector."""
    return list(VECTORS)


def run(config: Config, arm: str, seed: int) -> Record:
    """For each word the share of its comparisons that come out right; nothing here depends on the seed."""
    return {"right": [round(share_right(each, VECTORS[arm]), 4) for each in test_words(config.num_pairs)]}


def share_right(word: Word, vector: Callable[[Use], Vector]) -> float:
    """Comparisons of a pair in one sense with a pair in two where the first is nearer; ties count half."""
    same, different = ([nearness(pair, vector) for pair in pairs] for pairs in (word.same, word.different))
    return sum((a > b) + (a == b) / 2 for a, b in product(same, different)) / (len(same) * len(different))


def nearness(pair: Pair, vector: Callable[[Use], Vector]) -> float:
    """Cosine of the two vectors, rounded so that equal vectors tie."""
    first, second = map(vector, pair)
    return round(cosine_similarity(first, second, dim=0).item(), 5)


def differences(config: Mapping[str, Any], values: Values) -> list[float]:
    """Second layer minus static vectors, word by word, in points."""
    return _ahead(values, "biLM layer 2", "static")


def facts(result: Result) -> dict[str, Fact]:
    """Comparisons right by arm, secondary contrasts, and how many words were tested."""
    values = result.values
    noted: dict[str, Fact] = {"words": len(values["static"]["right"][0])}
    for arm, quantities in values.items():
        noted[f"right {arm}"] = Quantity(round(100 * _mean(quantities["right"][0]), 2), "%")
    for other in ("biLM layer 1", "averaged static", "MiniLM"):
        interval = bootstrap_interval(_ahead(values, "biLM layer 2", other))
        noted[f"layer 2 minus {other.removeprefix('biLM ')}"] = rounded(interval, UNIT)
    return noted


def _ahead(values: Values, one: str, other: str) -> list[float]:
    first, second = ([100 * share for share in values[arm]["right"][0]] for arm in (one, other))
    return paired_differences(first, second)


def _mean(shares: Sequence[float]) -> float:
    return sum(shares) / len(shares)
