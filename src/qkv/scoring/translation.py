"""BLEU and chrF by sacrebleu, with the signature without which a score says nothing, and intervals over sentences."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from sacrebleu.metrics.bleu import BLEU
from sacrebleu.metrics.chrf import CHRF

from qkv.scoring.intervals import Interval

Metric = Literal["BLEU", "chrF"]
_METRICS: Final = {"BLEU": BLEU, "chrF": CHRF}
RESAMPLES: Final = 1000


@dataclass(frozen=True)
class Score:
    """A score from 0 to 100, and the signature that tells how it was computed; print both."""

    value: float
    signature: str


def corpus_score(metric: Metric, answers: Sequence[str], references: Sequence[Sequence[str]]) -> Score:
    """BLEU (Papineni et al. 2002) or chrF (Popović 2015) of a whole corpus; no mean of sentence scores.

    Args:
        references: one list per answer, each with the same number of references.

    Raises:
        ValueError: no answers, an unknown metric, or not the same number of references for each answer.
    """
    scorer = _scorer(metric)
    found = scorer.corpus_score(list(answers), _streams(answers, references))
    return Score(found.score, str(scorer.get_signature()))


def score_interval(metric: Metric, answers: Sequence[str], references: Sequence[Sequence[str]]) -> Interval:
    """The score and its 95 % bootstrap interval over sentences, for one fixed system.  Raises as ``corpus_score``."""
    statistics = _statistics(metric, answers, references)
    return _percentiles(len(statistics), lambda draw: _score(metric, statistics[draw].sum(0)))


def difference_interval(
    metric: Metric, first: Sequence[str], second: Sequence[str], references: Sequence[Sequence[str]]
) -> Interval:
    """``first`` minus ``second``, with a paired 95 % bootstrap: both systems are scored on the same drawn sentences.

    Source: Koehn (2004), "Statistical Significance Tests for Machine Translation Evaluation".  Raises as
    ``corpus_score``.
    """
    one, two = (_statistics(metric, answers, references) for answers in (first, second))
    return _percentiles(len(one), lambda draw: _score(metric, one[draw].sum(0)) - _score(metric, two[draw].sum(0)))


def sentence_chrf(answers: Sequence[str], references: Sequence[Sequence[str]]) -> list[float]:
    """chrF of each sentence alone, 0 to 100.  Their mean is not the corpus score.  Raises as ``corpus_score``."""
    return [_score("chrF", counts) for counts in _statistics("chrF", answers, references)]


def _percentiles(size: int, value: Callable[[np.ndarray], float]) -> Interval:
    generator = np.random.default_rng(0)
    draws = [value(generator.integers(size, size=size)) for _ in range(RESAMPLES)]
    low, high = np.quantile(draws, [0.025, 0.975])
    return Interval(value(np.arange(size)), float(low), float(high))


def _statistics(metric: Metric, answers: Sequence[str], references: Sequence[Sequence[str]]) -> np.ndarray:
    """Counts of each sentence, (sentences, counts): the score of a corpus follows from their sums."""
    scorer = _scorer(metric)
    return np.array(scorer._extract_corpus_statistics(list(answers), _streams(answers, references)))


def _score(metric: Metric, sums: np.ndarray) -> float:
    return _scorer(metric)._compute_score_from_stats(sums.tolist()).score


def _scorer(metric: Metric) -> BLEU | CHRF:
    if metric not in _METRICS:
        raise ValueError(f"metric: expected one of {', '.join(_METRICS)}, got {metric!r}")
    return _METRICS[metric]()


def _streams(answers: Sequence[str], references: Sequence[Sequence[str]]) -> list[list[str]]:
    """sacrebleu wants one list per reference instead of one per answer."""
    counts = {len(listed) for listed in references}
    if not answers or len(answers) != len(references) or len(counts) != 1 or counts == {0}:
        raise ValueError(
            f"expected one list of references per answer, all of one length above 0, got {len(answers)} answers and "
            f"{len(references)} lists of lengths {sorted(counts)}"
        )
    return [list(stream) for stream in zip(*references, strict=True)]
