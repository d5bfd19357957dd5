"""Does a news article say at its start what its headline says?  Baselines that any model of headlines has to beat.

Data: news-headlines, on which nothing is trained; 2,458 test articles.  An answer's score is ROUGE with the printed
headline (``qkv.scoring.rouge``, F1).  Since ROUGE changes with length, the answers that are compared have one length:
the mean length of the validation headlines, 9 words.  They are openings of sentences; a sentence with fewer words is
passed over, and in an article of short sentences alone the text's first words stand in.

Stated before the run.  Primary contrast, over the test articles: ROUGE-L of the first sentence minus that of a random
sentence of the same article, both cut to that length, in points.  The interval is a bootstrap over articles.
Beside it, for chapters to come: the whole first sentence, the first 12 words of the text, and the sentence whose
opening has the most tf-idf weight in the article (frequencies of other articles from the validation split).

Command: python -m qkv run headlines.  Half a minute of one core.
"""

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer

from qkv.data import load
from qkv.recipes import protocol
from qkv.recipes.pronunciation import pack, unpack
from qkv.recipes.protocol import Fact
from qkv.recipes.result import Result, Values, rounded
from qkv.scoring.intervals import bootstrap_interval, paired_differences
from qkv.scoring.rouge import Overlap, rouge_l, rouge_n, words
from qkv.text.words import sentences

CLAIM = "A news article's first sentence is nearer to its headline than another of its sentences."
PAPER = (
    "Rush et al. 2015 take the first sentence for the whole article, and the headline for its summary; See et al. 2017 "
    "find the first three sentences ahead of their own model. Neither tests the sentence against the others."
)
CONTRAST = "ROUGE-L with the headline, first sentence minus random sentence, both cut to the mean headline length"
UNIT = "points"
OVER = "items"
SEEDS = 1
VERIFY = "random sentence, cut"
TOLERANCE = {"ROUGE-L": 1e-6}

SCORES: Final = ("ROUGE-1", "ROUGE-2", "ROUGE-L")
Answer = list[str]  # the words of a proposed headline


@dataclass(frozen=True)
class Config:
    """The presets are "smoke" (seconds, for tests) and "full" (the published run)."""

    num_articles: int | None = None  # of each split; None = all
    first_words: int = 12  # of the text, for the arm that knows no sentences


PRESETS: Final = {"smoke": Config(num_articles=20), "full": Config()}


@dataclass(frozen=True)
class Article:
    """A text and its headline; ``openings`` are those of its sentences, one length for all, in order."""

    headline: str
    text: str
    openings: list[Answer]


def openings(text: str, length: int) -> list[Answer]:
    """The first ``length`` words of every sentence that has so many; else those of the whole text."""
    found = [words(" ".join(sentence)) for sentence in sentences(text)]
    return [sentence[:length] for sentence in found if len(sentence) >= length] or [words(text)[:length]]


@cache
def headline_length(config: Config) -> int:
    """Mean number of words of a validation headline, to the nearest whole one."""
    lengths = [len(words(row["headline"])) for row in load("news-headlines")["validation"]]
    return round(float(np.mean(lengths[: config.num_articles])))


@cache
def articles(config: Config) -> list[Article]:
    """The test articles."""
    rows, length = load("news-headlines")["test"].to_list()[: config.num_articles], headline_length(config)
    return [Article(row["headline"], row["text"], openings(row["text"], length)) for row in rows]


def first_sentence(config: Config, seed: int) -> list[Answer]:
    """The whole first sentence of each article."""
    return [words(" ".join(next(sentences(article.text)))) for article in articles(config)]


def first_words(config: Config, seed: int) -> list[Answer]:
    """Where a sentence ends does not matter."""
    return [words(article.text)[: config.first_words] for article in articles(config)]


def first_cut(config: Config, seed: int) -> list[Answer]:
    """The opening of the first sentence."""
    return [article.openings[0] for article in articles(config)]


def random_opening(article: Article, seed: int) -> Answer:
    """Any of the article's openings, all equally likely."""
    return random.Random(f"{seed} {article.headline}").choice(article.openings)


def random_cut(config: Config, seed: int) -> list[Answer]:
    """The opening of any sentence, the first one included, all equally likely."""
    return [random_opening(article, seed) for article in articles(config)]


def heaviest_cut(config: Config, seed: int) -> list[Answer]:
    """The opening whose different words have the largest sum of tf-idf weights in the article; of equals the first."""
    vectorizer = TfidfVectorizer(tokenizer=words, token_pattern=None, sublinear_tf=True)
    vectorizer.fit(load("news-headlines")["validation"]["text"][: config.num_articles])
    vectors, known = vectorizer.transform([article.text for article in articles(config)]), vectorizer.vocabulary_
    chosen = []
    for i, article in enumerate(articles(config)):
        weights = vectors[i].toarray()[0]
        sums = [sum(weights[known[w]] for w in dict.fromkeys(each) if w in known) for each in article.openings]
        chosen.append(article.openings[int(np.argmax(sums))])
    return chosen


ARMS: Final[dict[str, Callable[[Config, int], list[Answer]]]] = {
    "first sentence": first_sentence,
    "first words": first_words,
    "first sentence, cut": first_cut,
    "random sentence, cut": random_cut,
    "tf-idf sentence, cut": heaviest_cut,
}


def arms(config: Config) -> list[str]:
    """Ways to find a headline in the text."""
    return list(ARMS)


def run(config: Config, arm: str, seed: int) -> protocol.Record:
    """One way on all test articles: counts behind ROUGE for each article, packed, and the mean scores."""
    printed = [article.headline for article in articles(config)]
    return counted(ARMS[arm](config, seed), printed) | {"length": headline_length(config)}


def counted(answers: Sequence[Answer], printed: Sequence[str]) -> protocol.Record:
    """Counts behind ROUGE for each answer and its printed headline, packed, and the mean scores in points."""
    pairs = [(" ".join(answer), headline) for answer, headline in zip(answers, printed, strict=True)]
    overlaps = {
        "ROUGE-1": [rouge_n(*pair, n=1) for pair in pairs],
        "ROUGE-2": [rouge_n(*pair, n=2) for pair in pairs],
        "ROUGE-L": [rouge_l(*pair) for pair in pairs],
    }
    packed = {f"{score} shared": pack(each.shared for each in overlaps[score]) for score in SCORES}
    lengths = {name: pack(getattr(each, name) for each in overlaps["ROUGE-1"]) for name in ("answer", "reference")}
    means = {score: 100 * float(np.mean([each.f1 for each in overlaps[score]])) for score in SCORES}
    return packed | lengths | means


def scores(values: Values, arm: str, score: str) -> list[float]:
    """F1 of each article in points, from the packed counts; a text of w words has w − 1 pairs."""
    shared, answer, reference = (
        unpack(values[arm][quantity][0]) for quantity in (f"{score} shared", "answer", "reference")
    )
    less = 1 if score == "ROUGE-2" else 0
    counts = zip(shared, answer, reference, strict=True)
    return [100 * Overlap(s, max(a - less, 0), max(r - less, 0)).f1 for s, a, r in counts]


def differences(config: Mapping[str, Any], values: Values) -> list[float]:
    """ROUGE-L of the first sentence minus of a random one, both cut, article by article."""
    first, other = (scores(values, f"{which} sentence, cut", "ROUGE-L") for which in ("first", "random"))
    return paired_differences(first, other)


def facts(result: Result) -> dict[str, Fact]:
    """Every score of every arm, the number of articles and the length of the cut answers in words."""
    noted: dict[str, Fact] = {
        f"{score} {arm}": rounded(bootstrap_interval(scores(result.values, arm, score)), UNIT)
        for arm in result.values
        for score in SCORES
    }
    lead = result.values["first sentence, cut"]
    return noted | {"articles": len(unpack(lead["answer"][0])), "length": lead["length"][0]}
