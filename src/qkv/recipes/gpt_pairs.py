"""What does a GPT know of grammar while it is being pretrained, asked with no training for the question?

Radford et al. 2018, section 5, figure 2 (right): tasks that were never trained are answered better and better over
pretraining, by the likelihood that the language model gives to each answer.  Their tasks need a far larger model; here
are two that a small one can begin to answer.  Each is a pair: a sentence as printed, and the same with one mistake.
Whoever gives the printed one more nats of likelihood is right; a tie counts half, guessing is right in 50 %.

- agreement: the sentence has one of *is, are, was, were*, which is exchanged for its partner.  As many pairs with a
  singular as with a plural, so preferring the more frequent word is worth nothing.
- word order: two different neighbouring words, inside the sentence, change places.

Data: sentences of the test passages of ``running-text``, of which the model has read nothing; alone, without what
stood before them.  Arms: our GPT's run (``gpt_lm``) before its first step and at some of its checkpoints, each in half
precision as it would be published, and the n-grams that it was compared with.

Stated before the first run.  Primary contrast, over pairs: agreement right, last checkpoint minus the first one kept,
in points.  The interval is a bootstrap over pairs and speaks of this one run.  Secondary: the same for word order; the
last checkpoint minus the n-grams, for both.

Command: python -m qkv run gpt-pairs.  It goes on from the checkpoints of gpt-lm, and trains them where there are none.
"""

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import Any, Final, NamedTuple

import torch

from qkv.models.gpt import GPT
from qkv.recipes import gpt_lm
from qkv.recipes.four_tasks import sentences
from qkv.recipes.ngram import KneserNey, count_levels
from qkv.recipes.passages import running_passages
from qkv.recipes.protocol import Fact, Record
from qkv.recipes.result import Quantity, Result, Values, rounded
from qkv.scoring.intervals import bootstrap_interval, paired_differences

CLAIM = "A GPT agrees its verbs better and better over pretraining, with no training for that question."
PAPER = (
    "Radford et al. 2018, section 5, figure 2, right: on five tasks that were never trained, answers chosen by "
    "likelihood become better over pretraining, steadily; an LSTM's vary more."
)
CONTRAST = "agreement right, last checkpoint minus the first"
UNIT = "points"
OVER = "items"
SEEDS = 1
VERIFY = "step 0"
TOLERANCE = {"agreement": 0.0, "word order": 0.0}

PARTNER: Final = {"is": "are", "was": "were", "are": "is", "were": "was"}
SINGULAR: Final = ("is", "was")
LENGTHS: Final = range(6, 31)  # words of a sentence
KINDS: Final = ("agreement", "word order")
Loss = Callable[[gpt_lm.Passage], float]


@dataclass(frozen=True)
class Config:
    """The presets are "smoke" (seconds, for tests) and "full" (the published run)."""

    gpt: gpt_lm.Config
    steps: tuple[int, ...]  # checkpoints, the first and the last of them for the primary contrast
    order: int  # of the n-grams, and
    discount: float  # theirs: what gpt_lm chose
    num_pairs: int  # of each kind


PRESETS: Final = {
    "smoke": Config(gpt_lm.PRESETS["smoke"], (2, 4), 2, 0.8, 6),
    "full": Config(gpt_lm.PRESETS["full"], (300, 600, 1_200, 2_400, 4_800, 7_200), 5, 0.9, 500),
}


class Pair(NamedTuple):
    """A printed sentence, and the same with one mistake."""

    printed: str
    mistaken: str


def agreement(sentence: str) -> Pair | None:
    """The sentence and its verb in the other number; None unless it has exactly one *is, are, was* or *were*."""
    words = sentence.split()
    places = [place for place, word in enumerate(words) if word in PARTNER]
    if len(places) != 1:
        return None
    (place,) = places
    return Pair(sentence, " ".join([*words[:place], PARTNER[words[place]], *words[place + 1 :]]))


def word_order(sentence: str, chance: random.Random) -> Pair | None:
    """The sentence and two neighbours inside it exchanged; None where no two are plain words that differ."""
    words = sentence.split()
    places = [
        place
        for place, (one, other) in enumerate(pairwise(words))
        if place > 0 and one.isalpha() and other.isalpha() and one.lower() != other.lower()
    ]
    if not places:
        return None
    place = chance.choice(places)
    return Pair(sentence, " ".join([*words[:place], words[place + 1], words[place], *words[place + 2 :]]))


@cache
def pairs(num_passages: int | None, num_pairs: int) -> dict[str, list[Pair]]:
    """Kind → so many pairs, drawn from all that the test passages hold; agreement: half of them singular."""
    chance, found = random.Random(0), list(_sentences(num_passages))
    verbs = [pair for sentence in found if (pair := agreement(sentence))]
    singular, plural = ([pair for pair in verbs if _is_singular(pair) == wanted] for wanted in (True, False))
    orders = [pair for sentence in found if (pair := word_order(sentence, chance))]
    half = num_pairs // 2
    return {
        "agreement": chance.sample(singular, half) + chance.sample(plural, half),
        "word order": chance.sample(orders, num_pairs),
    }


def _is_singular(pair: Pair) -> bool:
    return not set(SINGULAR).isdisjoint(pair.printed.split())


def _sentences(num_passages: int | None) -> Iterator[str]:
    for passage in running_passages(num_passages)["test"]:
        for sentence in sentences(passage.text):
            if len(sentence.split()) in LENGTHS and sentence[0].isupper() and sentence[-1] in ".!?":
                yield sentence


def arms(config: Config) -> list[str]:
    """Before the first step, the checkpoints in order, and the n-grams."""
    return ["step 0", *(f"step {step}" for step in config.steps), "n-grams"]


def run(config: Config, arm: str, seed: int) -> Record:
    """For each pair of each kind: 1 where the printed sentence is likelier, 0.5 at a tie, 0 else."""
    loss = _counted(config) if arm == "n-grams" else _neural(config, int(arm.removeprefix("step ")), seed)
    tokens, found = gpt_lm.corpus_of(config.gpt).tokens, pairs(config.gpt.num_passages, config.num_pairs)

    def nats(text: str) -> float:
        return round(loss([0, *tokens.encode(text)]), 4)

    return {kind: [_right(nats(pair.printed), nats(pair.mistaken)) for pair in found[kind]] for kind in KINDS}


def _right(printed: float, mistaken: float) -> float:
    return (printed < mistaken) + (printed == mistaken) / 2


def _neural(config: Config, step: int, seed: int) -> Loss:
    model = _untrained(config.gpt, seed) if step == 0 else _checkpoint(config.gpt, step, seed)
    return lambda passage: gpt_lm.neural_losses(model, [passage])[0]


def _untrained(config: gpt_lm.Config, seed: int) -> GPT:
    torch.manual_seed(seed)
    return GPT(config.model).half().float().eval()


def _checkpoint(config: gpt_lm.Config, step: int, seed: int) -> GPT:
    folder = gpt_lm.checkpoints(config, seed)
    gpt_lm.fit(config, folder, seed)
    return gpt_lm.published(config, folder, step)


def _counted(config: Config) -> Loss:
    corpus = gpt_lm.corpus_of(config.gpt)
    levels = count_levels(corpus.splits["train"], config.order)
    return KneserNey(levels, len(corpus.tokens), config.discount).loss


def differences(config: Mapping[str, Any], values: Values) -> list[float]:
    """Agreement, last checkpoint minus first, pair by pair, in points."""
    return _ahead(values, "agreement", _last(config), f"step {config['steps'][0]}")


def facts(result: Result) -> dict[str, Fact]:
    """Right by kind and arm, secondary contrasts, and how many pairs were asked."""
    values, last = result.values, _last(result.config)
    noted: dict[str, Fact] = {"pairs": len(values[last]["agreement"][0])}
    for kind in KINDS:
        for arm, quantities in values.items():
            noted[f"{kind} {arm}"] = Quantity(round(100 * _mean(quantities[kind][0]), 1), "%")
        noted[f"{kind}, last minus n-grams"] = rounded(bootstrap_interval(_ahead(values, kind, last, "n-grams")), UNIT)
    first = f"step {result.config['steps'][0]}"
    noted["word order, last minus first"] = rounded(bootstrap_interval(_ahead(values, "word order", last, first)), UNIT)
    return noted


def _last(config: Mapping[str, Any]) -> str:
    return f"step {config['steps'][-1]}"


def _ahead(values: Values, kind: str, one: str, other: str) -> list[float]:
    first, second = ([100 * right for right in values[arm][kind][0]] for arm in (one, other))
    return paired_differences(first, second)


def _mean(shares: Sequence[float]) -> float:
    return sum(shares) / len(shares)
