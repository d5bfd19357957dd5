"""Four tasks with 640 labels each: is a fine-tuned BERT ahead of the same network that has read nothing?

Devlin et al. 2019, table 1 and section 4: one pretrained model and one new layer for each task, ahead of everything
before.  How far pretraining itself carries is not in their tables; their table 5 compares ways to pretrain, and their
figure 5 how long.  GPT's table 5 has it for a decoder: 59.9 against 74.7 without and with pretraining.

Here: whether a film pleased (``movie-snippets``), parts of speech (``brown``), names in tweets (``ner-tweets``) and
answers in a passage (``qkv.data.span_questions``, built by rule: easier than SQuAD, and not comparable with it; 8 of
4,889 questions are left out, which with their passage are longer than our BERT's 128 places).
Scores go from 0 to 100: films and words with the right label, F1 of whole names with their kinds, answers with exactly
the right words.

Arms of each task:

- BERT: our own small one (``bert_mlm``: four blocks, three million words), pretrained or with weights drawn anew; all
  of it learns, 200 steps.
- MiniLM: the real one, six blocks, made from a larger model that had read billions of words, then trained on pairs of
  sentences.  Its table of pieces, half of its weights, stays as it is; all else learns, 80 steps, for each costs eight
  of ours.
- counting: a bag of words and bigrams; a word, its ending and its neighbours; or the same for the ends of an answer.

A step has 16 texts, or 8 questions.  Every arm tries three settings with a further seed and keeps the one that is best
on validation data; then the test data are opened once.  Seeds change which examples are labelled, order, dropout, and
the weights that are drawn.

Stated before the first run.  Primary contrast, paired by seed, in points: our BERT pretrained minus from scratch, the
mean of the four tasks.  Secondary: the same for each task; MiniLM minus counting, and MiniLM minus our BERT, for each.

Command: python -m qkv run bert-tasks.  About 80 minutes of one core.
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Final, NamedTuple

from qkv.data import load
from qkv.data.ner_tweets import TAGS
from qkv.data.span_questions import SpanQuestion, span_questions
from qkv.models.bert import BERT
from qkv.recipes.answers import Spans, asked, exact, find_by_bert, find_by_counting
from qkv.recipes.protocol import Fact, Record, mean_effect
from qkv.recipes.result import Result, Values
from qkv.recipes.transfer_systems import (
    STARTS,
    BERTLearner,
    BERTSystem,
    Counted,
    Learner,
    Network,
    System,
    Training,
    WordAndSuffix,
    pretrained,
    source,
)
from qkv.recipes.transfer_tasks import HELD_OUT_SEED, TASKS, TextExample, TextTask, share_right
from qkv.recipes.tuned import TUNING_SEED
from qkv.scoring.intervals import paired_differences
from qkv.scoring.spans import span_f1
from qkv.text.words import tokens

CLAIM = "On four tasks with 640 labels a small BERT is better after pretraining than from scratch, on average."
PAPER = (
    "Devlin et al. 2019, sections 1 and 4: a pretrained encoder with one new layer per task is ahead of systems made "
    "for each task."
)
CONTRAST = "mean score of four tasks, our BERT pretrained minus from scratch"
UNIT = "points"
OVER = "seeds"
SEEDS = 5
VERIFY = "counting, films"
TOLERANCE = {"score": 0.5}  # in %; logistic regression stops at a tolerance of its own

NER: Final = TextTask("NER", len(TAGS), per_word=True)
Examples = Sequence[Any]  # TextExample or SpanQuestion


@dataclass(frozen=True)
class Config:
    """The presets are "smoke" (seconds, for tests) and "full" (the run to be published)."""

    num_labelled: int = 640
    num_steps: int = 200
    num_steps_minilm: int = 80
    batch_size: int = 16
    num_questions: int = 8  # in a batch
    max_words: int = 40
    num_validation: int = 240
    num_test: int = 600


PRESETS: Final = {
    "smoke": Config(12, 3, 2, 6, 3, 8, num_validation=10, num_test=12),
    "full": Config(),
}


# Tasks ---------------------------------------------------------------------------------------------------------------


class Parts(NamedTuple):
    """All that may be learnt from, and what is held out."""

    train: Examples
    validation: Examples
    test: Examples


def films(config: Config) -> dict[str, Examples]:
    """Snippets of reviews, and whether they praise."""
    return {
        split: [TextExample(tuple(tokens(row["text"])[: config.max_words]), (row["label"],)) for row in rows]
        for split, rows in load("movie-snippets").items()
    }


def speech(config: Config) -> dict[str, Examples]:
    """Sentences of Brown with twelve parts of speech."""
    return _tagged("brown", "coarse", config)


def names(config: Config) -> dict[str, Examples]:
    """Tweets with ten kinds of names."""
    return _tagged("ner-tweets", "tags", config)


def answers(config: Config) -> dict[str, Examples]:
    """Who said it, from books; when, where and how many, from articles."""
    books, articles = load("gutenberg"), load("wikipedia-sample")
    made = {
        split: [
            *span_questions(books[split]["text"], ("who",)),
            *span_questions(articles[split]["text"], ("when", "where", "how many")),
        ]
        for split in Parts._fields
    }
    return {split: [question for question in questions if is_short(question)] for split, questions in made.items()}


def is_short(question: SpanQuestion) -> bool:
    """Whether our BERT, which has 128 places, can read the question with its passage; no arm gets the others."""
    ours = source("BERT")
    return len(asked(question, ours.words).row.ids) <= ours.model.config.max_length


def _tagged(name: str, labels: str, config: Config) -> dict[str, Examples]:
    most = config.max_words
    return {
        split: [TextExample(tuple(row["words"][:most]), tuple(row[labels][:most])) for row in rows]
        for split, rows in load(name).items()
    }


def drawn(examples: Examples, size: int, seed: int) -> Examples:
    """So many examples, or all if there are fewer; the order is by sha256 of seed and example."""
    keys = [hashlib.sha256(f"{seed} {example}".encode()).digest() for example in examples]
    return [examples[i] for i in sorted(range(len(keys)), key=keys.__getitem__)[:size]]


def f1(predicted: Sequence[Sequence[int]], examples: Sequence[TextExample]) -> float:
    """F1 of whole names with their kinds, in %."""
    given, true = ([[TAGS[i] for i in tags] for tags in rows] for rows in (predicted, (e.labels for e in examples)))
    return 100 * span_f1(given, true).f1


class LabelledTask(NamedTuple):
    """Where examples come from, how answers are scored, and what stands for a text task in ``transfer_systems``."""

    read: Callable[[Config], dict[str, Examples]]
    score: Callable[[Any, Any], float]
    kind: TextTask | None
    counting: System | None


FOUR: Final = {
    "films": LabelledTask(films, share_right, TASKS["movies"], Counted("bag of bigrams")),
    "speech": LabelledTask(speech, share_right, TASKS["POS"], WordAndSuffix()),
    "names": LabelledTask(names, f1, NER, WordAndSuffix()),
    "answers": LabelledTask(answers, exact, None, None),
}


@cache
def parts(config: Config, task: str) -> Parts:
    """The data of a task, always the same ones held out."""
    found, seed = FOUR[task].read(config), HELD_OUT_SEED
    return Parts(
        found["train"],
        drawn(found["validation"], config.num_validation, seed),
        drawn(found["test"], config.num_test, seed),
    )


# Systems -------------------------------------------------------------------------------------------------------------


def without_table(model: BERT) -> BERT:
    """A copy that may learn, but for its table of pieces."""
    copied = pretrained(model)
    copied.token.requires_grad_(False)
    return copied


class TunedMiniLM(Network):
    """The real MiniLM, fine-tuned."""

    model, settings = "MiniLM", (5e-5, 1.5e-4, 5e-4)

    def learner(self, task: TextTask, train: Sequence[TextExample]) -> Learner:
        """The network before its first step."""
        found = source(self.model)
        return BERTLearner(task, without_table(found.model), found.words)


NETWORKS: Final = {
    "MiniLM": TunedMiniLM("pretrained"),
    "BERT pretrained": BERTSystem("pretrained"),
    "BERT scratch": BERTSystem("scratch"),
}
BEGINS: Final[dict[str, Callable[[BERT], BERT]]] = {
    "MiniLM": without_table,
    "BERT pretrained": STARTS["pretrained"],
    "BERT scratch": STARTS["scratch"],
}
SYSTEMS: Final = (*NETWORKS, "counting")
STRENGTHS: Final = (0.1, 1.0, 10.0)


def arms(config: Config) -> list[str]:
    """Every system on every task."""
    return [f"{system}, {task}" for task in FOUR for system in SYSTEMS]


def run(config: Config, arm: str, seed: int) -> Record:
    """The score on test data with the setting that was best on validation data."""
    system, task = arm.split(", ")
    tried = _trials(config, system, task)
    chosen = max(tried, key=lambda setting: tried[setting])
    test = parts(config, task).test
    score = FOUR[task].score(_fit(config, system, task, chosen, seed)(test), test)
    return {"score": round(score, 4), "chosen": chosen, "validation": list(tried.values())}


def settings(system: str) -> Sequence[float]:
    """Three rates, or three penalties."""
    return NETWORKS[system].settings if system in NETWORKS else STRENGTHS


def differences(config: Mapping[str, Any], values: Values) -> list[float]:
    """Pretrained minus scratch, the mean of the tasks, seed by seed."""
    gains = [_ahead(values, task, "BERT pretrained", "BERT scratch") for task in FOUR]
    return [sum(each) / len(each) for each in zip(*gains, strict=True)]


def facts(result: Result) -> dict[str, Fact]:
    """The score of each arm, and the secondary contrasts."""
    values = result.values
    noted: dict[str, Fact] = {arm: mean_effect(found["score"], "%") for arm, found in values.items()}
    for task in FOUR:
        noted[f"pretraining, {task}"] = mean_effect(_ahead(values, task, "BERT pretrained", "BERT scratch"), UNIT)
        noted[f"MiniLM minus counting, {task}"] = mean_effect(_ahead(values, task, "MiniLM", "counting"), UNIT)
        noted[f"MiniLM minus BERT, {task}"] = mean_effect(_ahead(values, task, "MiniLM", "BERT pretrained"), UNIT)
    return noted


def _ahead(values: Values, task: str, one: str, other: str) -> list[float]:
    return paired_differences(values[f"{one}, {task}"]["score"], values[f"{other}, {task}"]["score"])


@cache
def _trials(config: Config, system: str, task: str) -> dict[float, float]:
    """What each setting gives on validation data, with the further seed."""
    held_out = parts(config, task).validation
    tried = {setting: _fit(config, system, task, setting, TUNING_SEED)(held_out) for setting in settings(system)}
    return {setting: round(FOUR[task].score(found, held_out), 4) for setting, found in tried.items()}


def _fit(config: Config, system: str, task: str, setting: float, seed: int) -> Callable[[Any], Any]:
    train = drawn(parts(config, task).train, config.num_labelled, seed)
    if task == "answers":
        return _find(config, system, train, setting, seed)
    kind, counting = FOUR[task].kind, FOUR[task].counting
    assert kind is not None, "answers alone have no kind"
    assert counting is not None, "answers count in another way"
    learns = NETWORKS.get(system, counting)
    return learns.fit(kind, train, setting, _training(config, system, config.batch_size), seed)


def _find(
    config: Config, system: str, train: Sequence[SpanQuestion], setting: float, seed: int
) -> Callable[[Sequence[SpanQuestion]], Spans]:
    if system == "counting":
        return find_by_counting(train, setting)
    training = _training(config, system, config.num_questions)
    return find_by_bert(source(NETWORKS[system].model), BEGINS[system], train, setting, training, seed)


def _training(config: Config, system: str, batch_size: int) -> Training:
    return Training(config.num_steps_minilm if system == "MiniLM" else config.num_steps, batch_size)
