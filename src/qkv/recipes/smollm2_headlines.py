"""Does SmolLM2 write headlines that are nearer to the printed ones than the first words of the articles are?

Data: news-headlines, on which nothing is trained; 250 of the 2,458 test articles, evenly spaced, so that all sites are
among them.  The model reads the first 60 words of an article and a request, writes up to 16 tokens greedily, and its
answer is cut to the mean length of a printed headline, 9 words, as the baselines of ``qkv.recipes.headlines`` are.  Of
three wordings of the request the one with the most ROUGE-L on 40 validation articles is taken; they were written before
any test article was read.

Stated before the run.  Primary contrast, over the test articles: ROUGE-L with the printed headline, SmolLM2 minus the
lead (the opening of the first sentence that is long enough, cut to the same length), in points.  The interval is a
bootstrap over articles: it speaks of other articles and of this one model.  Beside it: a random sentence, and how many
words of each answer stand nowhere in the article; the printed headlines have such words too.

Not tested: larger models, whole articles, sampling, or a model trained on headlines.

Command: python -m qkv run smollm2-headlines.  370 answers of a second each: about 6 minutes of one core.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

import numpy as np

from qkv.data import load
from qkv.generate import TURN, continuation, pretrained
from qkv.models.llama import Llama
from qkv.recipes import headlines
from qkv.recipes.headlines import SCORES, Answer, Article
from qkv.recipes.pronunciation import pack, unpack
from qkv.recipes.protocol import Fact, Record
from qkv.recipes.result import Result, Values, rounded
from qkv.scoring.intervals import bootstrap_interval, paired_differences
from qkv.scoring.rouge import rouge_l, words
from qkv.text.bpe import BPE

CLAIM = "A small pretrained decoder's headlines are nearer to the printed ones than the articles' first words."
PAPER = (
    "Rush et al. 2015, Table 1: a network trained on millions of headlines is ahead of the first words of the text in "
    "all three scores. SmolLM2 was tuned for many tasks, summaries among them, and not on the headlines of this set."
)
CONTRAST = "ROUGE-L with the printed headline, SmolLM2 minus the lead, both cut to the mean headline length"
UNIT = "points"
OVER = "items"
SEEDS = 1
VERIFY = "lead"
TOLERANCE = {"ROUGE-L": 1e-6}

WORDINGS: Final = {  # {} = the beginning of the article
    "request": TURN.format("{}\n\nWrite a headline for this article."),
    "request first": TURN.format("Write a short headline of at most nine words for this news article:\n\n{}"),
    "text that goes on": "{}\n\nHeadline:",
}


@dataclass(frozen=True)
class Config:
    """The presets are "smoke" (for tests) and "full" (the published run)."""

    num_articles: int = 250  # of the test split
    num_validation: int = 40
    num_words: int = 60  # of an article, for the model to read
    max_new_tokens: int = 16


PRESETS: Final = {"smoke": Config(num_articles=3, num_validation=2, num_words=12, max_new_tokens=3), "full": Config()}


@cache
def reader() -> tuple[Llama, BPE]:
    """SmolLM2 and its tokens, read once."""
    return pretrained()


def write(prompt: str, max_new_tokens: int) -> str:
    """How SmolLM2 goes on, the most probable token at every step."""
    return continuation(*reader(), prompt, max_new_tokens)


@cache
def articles(split: str, number: int) -> list[Article]:
    """``number`` articles of a split, evenly spaced."""
    rows = load("news-headlines")[split]
    length = headlines.headline_length(headlines.PRESETS["full"])
    chosen = rows.select([i * len(rows) // number for i in range(number)])
    return [Article(row["headline"], row["text"], headlines.openings(row["text"], length)) for row in chosen.to_list()]


def written(config: Config, wording: str, given: Sequence[Article]) -> Iterator[Answer]:
    """The model's headline of each article: its words, cut."""
    length = headlines.headline_length(headlines.PRESETS["full"])
    for article in given:
        beginning = " ".join(article.text.split()[: config.num_words])
        yield words(write(WORDINGS[wording].format(beginning), config.max_new_tokens))[:length]


@cache
def trials(config: Config) -> dict[str, float]:
    """Mean ROUGE-L of each wording on validation articles, in points."""
    given = articles("validation", config.num_validation)
    found = {}
    for wording in WORDINGS:
        answers = zip(written(config, wording, given), given, strict=True)
        each = [rouge_l(" ".join(answer), article.headline).f1 for answer, article in answers]
        found[wording] = round(100 * float(np.mean(each)), 4)
    return found


def smollm2(config: Config) -> list[Answer]:
    """With the wording that is best on validation articles."""
    tried = trials(config)
    return list(written(config, max(tried, key=tried.__getitem__), tested(config)))


def tested(config: Config) -> list[Article]:
    """The test articles."""
    return articles("test", config.num_articles)


ARMS: Final[dict[str, Callable[[Config], list[Answer]]]] = {
    "SmolLM2": smollm2,
    "lead": lambda config: [article.openings[0] for article in tested(config)],
    "random sentence": lambda config: [headlines.random_opening(article, 0) for article in tested(config)],
    "printed": lambda config: [words(article.headline) for article in tested(config)],
}


def arms(config: Config) -> list[str]:
    """Where a headline comes from; the printed one is there for its new words alone."""
    return list(ARMS)


def run(config: Config, arm: str, seed: int) -> Record:
    """Counts behind ROUGE for each article, packed, the mean scores, and the words that the article does not hold."""
    given, answers = tested(config), ARMS[arm](config)
    counts = headlines.counted(answers, [article.headline for article in given])
    new = [sum(word not in set(words(a.text)) for word in answer) for answer, a in zip(answers, given, strict=True)]
    record = counts | {"new words": pack(new)}
    return record | ({"trials": trials(config)} if arm == "SmolLM2" else {})


def differences(config: Mapping[str, Any], values: Values) -> list[float]:
    """ROUGE-L of SmolLM2 minus that of the lead, article by article."""
    return paired_differences(*(headlines.scores(values, arm, "ROUGE-L") for arm in ("SmolLM2", "lead")))


def facts(result: Result) -> dict[str, Fact]:
    """Every score of every arm but the printed one, the share of new words of each, and the wording that was taken."""
    noted: dict[str, Fact] = {
        f"{score} {arm}": rounded(bootstrap_interval(headlines.scores(result.values, arm, score)), UNIT)
        for arm in result.values
        if arm != "printed"
        for score in SCORES
    }
    for arm, kept in result.values.items():
        new, length = unpack(kept["new words"][0]), unpack(kept["answer"][0])
        shares = [100 * n / max(total, 1) for n, total in zip(new, length, strict=True)]
        noted[f"new words {arm}"] = rounded(bootstrap_interval(shares), "%")
    tried = result.values["SmolLM2"]["trials"][0]
    return noted | {"wording": max(tried, key=tried.__getitem__), "articles": len(unpack(kept["answer"][0]))}
