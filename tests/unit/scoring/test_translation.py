"""BLEU and chrF with their signatures, and intervals that follow from the sentences' own counts."""

import pytest
import sacrebleu

from qkv.scoring.translation import corpus_score, difference_interval, score_interval

REFERENCES = [["the cat sat on the mat"], ["it was very hungry"], ["the mat was wet today"]] * 7
PERFECT = [listed[0] for listed in REFERENCES]
WORSE = ["the cat sat on a mat", "it was very hungry", "the mat is dry today"] * 7


def test_by_hand():
    """One sentence of five words, of which the last differs: 4/5 · 3/4 · 2/3 · 1/2 under the fourth root."""
    found = corpus_score("BLEU", ["a b c d e"], [["a b c d f"]])
    assert found.value == pytest.approx(100 * (4 / 5 * 3 / 4 * 2 / 3 * 1 / 2) ** 0.25)
    assert "tok:13a" in found.signature
    assert "version:" in found.signature


def test_several_references_and_chrf_are_sacrebleus():
    references = [["a cat sat", "the cat sat down"], ["it rains", "rain falls"]]
    answers = ["the cat sat", "it rains"]
    streams = [[listed[i] for listed in references] for i in range(2)]
    assert corpus_score("chrF", answers, references).value == sacrebleu.corpus_chrf(answers, streams).score
    assert corpus_score("BLEU", answers, references).value == sacrebleu.corpus_bleu(answers, streams).score


@pytest.mark.parametrize("metric", ["BLEU", "chrF"])
def test_intervals_hold_their_score(metric):
    whole = score_interval(metric, WORSE, REFERENCES)
    assert whole.mean == pytest.approx(corpus_score(metric, WORSE, REFERENCES).value)
    assert whole.low < whole.mean < whole.high
    gain = difference_interval(metric, PERFECT, WORSE, REFERENCES)
    assert gain.mean == pytest.approx(100 - whole.mean)
    assert 0 < gain.low < gain.mean < gain.high


def test_a_system_does_not_differ_from_itself():
    same = difference_interval("BLEU", WORSE, WORSE, REFERENCES)
    assert (same.mean, same.low, same.high) == (0, 0, 0)


@pytest.mark.parametrize(
    ("answers", "references"), [([], []), (["a"], []), (["a"], [[]]), (["a", "b"], [["a"], ["b", "c"]])]
)
def test_references_that_do_not_fit(answers, references):
    with pytest.raises(ValueError, match="expected one list of references per answer"):
        corpus_score("BLEU", answers, references)
