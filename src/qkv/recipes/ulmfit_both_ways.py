"""Do a forward and a backward ULMFiT together do better than two forward ones?

Howard & Ruder 2018, section 3.3: a classifier on a language model that reads forwards and one on a language model that
reads backwards answer together; their mean is .5 to .7 points better than the forward one alone (section 5).  Two
models nearly always do better than one, whatever they read.  So here the rival is a team too: two forward ones, whose
language models differ in their seed.

Three language models, those of ``ulmfit_lm`` with a third of its steps: forward, forward with another seed, and
backward, which reads the same text from its end.  Each goes on learning on TREC's questions without labels, backward
from their end; then classifiers learn from 1,000 labelled questions as ULMFiT's do (``ulmfit_stages``).  A team's
answer is the mean of two probabilities.  A single model is a team with itself.

Every team tries three peak rates with a further seed and keeps the one that is best on 539 validation questions.  Seeds
change labels, order and dropout of the classifiers; the language models are three in all.

Stated before the first run.  Primary contrast, paired by seed, in points: forward and backward minus two forward.
Secondary: each team of two, and the backward one, minus the forward one alone.

Command: python -m qkv run ulmfit-both-ways.  About 20 minutes of one core, most of it for the language models.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, partial
from typing import Any, Final, NamedTuple

from qkv.recipes import ulmfit_lm
from qkv.recipes.commands import runs_folder
from qkv.recipes.protocol import Fact, Record, fingerprint, mean_effect
from qkv.recipes.result import Result, Values
from qkv.recipes.transfer_systems import Predict, Source, scores
from qkv.recipes.transfer_tasks import TextExample
from qkv.recipes.tuned import OneTask, Trials, accuracies, ahead, outcome, trials
from qkv.recipes.ulmfit_stages import StagedLearner, Way, classifier, tuned_on, with_words_of
from qkv.training.loop import Record as Noted
from qkv.transfer.backward import mean_prediction

CLAIM = "A forward and a backward ULMFiT together label more questions rightly than two forward ones together."
PAPER = (
    "Howard & Ruder 2018, section 5: forward and backward together are .5 to .7 points better than the forward one "
    "alone. The paper has no team of two forward ones."
)
CONTRAST = "labels right with 1,000 questions, forward and backward minus two forward"
UNIT = "points"
OVER = "seeds"
SEEDS = 5
VERIFY = "forward"
TOLERANCE = {"accuracy": 3.0}  # as in ulmfit_ablations: rounding, multiplied by the steps

RATES: Final = (1e-3, 3e-3, 1e-2)


class Reader(NamedTuple):
    """A language model: which way it reads, and its seed."""

    backward: bool
    seed: int


FORWARD, ANOTHER, BACKWARD = Reader(False, 0), Reader(False, 1), Reader(True, 0)
TEAMS: Final = {
    "forward": (FORWARD, FORWARD),
    "backward": (BACKWARD, BACKWARD),
    "two forward": (FORWARD, ANOTHER),
    "forward and backward": (FORWARD, BACKWARD),
}


@dataclass(frozen=True)
class Config(OneTask):
    """The presets are "smoke" (seconds, for tests) and "full" (the published run).

    ``lm`` trains the language models, ``lm_epochs`` is how often they read the texts of the task.
    """

    lm_epochs: int = 2
    lm: ulmfit_lm.Config = ulmfit_lm.PRESETS["full"]


_FULL: Final = ulmfit_lm.PRESETS["full"]
PRESETS: Final = {
    "smoke": Config("TREC", 12, 3, 8, 6, 20, 30, lm_epochs=1, lm=ulmfit_lm.PRESETS["smoke"]),
    "full": Config(
        num_labelled=1_000,
        num_steps=240,
        lm=replace(_FULL, settings=replace(_FULL.settings, num_steps=1_000), decay_steps=400),
    ),
}


def arms(config: Config) -> list[str]:
    """Teams."""
    return list(TEAMS)


def run(config: Config, arm: str, seed: int) -> Record:
    """Labels right on test questions with the rate that was chosen, that rate, and what its trials gave."""
    return outcome(partial(_fit, config, arm), _trials(config, arm), config.data.test, seed)


def differences(config: Mapping[str, Any], values: Values) -> list[float]:
    """Forward and backward minus two forward, seed by seed."""
    return ahead(values, "forward and backward", "two forward")


def facts(result: Result) -> dict[str, Fact]:
    """Accuracy of each team in %, and what each is ahead of the forward model alone."""
    others = [team for team in TEAMS if team != "forward"]
    gains = {f"{team} minus forward": mean_effect(ahead(result.values, team, "forward"), UNIT) for team in others}
    return accuracies(result.values) | gains


def turned(examples: Sequence[TextExample]) -> tuple[TextExample, ...]:
    """The texts from their end; their labels are of the whole text."""
    return tuple(replace(example, words=example.words[::-1]) for example in examples)


def seen_by(reader: Reader, examples: Sequence[TextExample]) -> tuple[TextExample, ...]:
    """The texts as the reader reads them."""
    return turned(examples) if reader.backward else tuple(examples)


@cache
def language_model(config: ulmfit_lm.Config, reader: Reader) -> Source:
    """Stage 1: trained, or read from its last checkpoint."""
    corpus = ulmfit_lm.corpus_of(config)
    ids = ulmfit_lm.running(corpus.splits["train"], corpus)
    folder = (
        runs_folder() / "ulmfit_both_ways" / f"{fingerprint(config)}_{'backward' if reader.backward else 'forward'}"
    )
    folder /= f"seed_{reader.seed}"
    ulmfit_lm.fit_on(ids.flip(0) if reader.backward else ids, config, folder, reader.seed, _nothing)
    return Source(ulmfit_lm.published(config, folder, 1), corpus.vocabulary)


def _nothing(step: int, model: object) -> Noted:
    return {}


@cache
def target_model(config: Config, reader: Reader) -> Source:
    """Stage 2: on the task's questions, each read the reader's way."""
    texts = seen_by(reader, config.data.train)
    return tuned_on(texts, with_words_of(texts, language_model(config.lm, reader)), config.lm_epochs)


@cache
def member(config: Config, reader: Reader, rate: float, seed: int) -> StagedLearner:
    """Stage 3."""
    found, labelled = target_model(config, reader), seen_by(reader, config.labelled(seed))
    return classifier(found, config.kind, labelled, Way(), rate, config.training, seed)


@cache
def _trials(config: Config, arm: str) -> Trials:
    return trials(partial(_fit, config, arm), RATES, config.data.validation)


def _fit(config: Config, arm: str, rate: float, seed: int) -> Predict:
    team = [(reader, member(config, reader, rate, seed)) for reader in TEAMS[arm]]

    def predict(examples: Sequence[TextExample]) -> list[list[int]]:
        first, second = (scores(learner, seen_by(reader, examples)) for reader, learner in team)
        return mean_prediction(first, second).argmax(-1)[:, None].tolist()

    return predict
