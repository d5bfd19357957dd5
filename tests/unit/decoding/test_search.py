"""Greedy, beam and sampling, each against its slow definition: lists, loops and every sequence there is."""

import itertools
import math

import pytest
import torch

from qkv.decoding.search import (
    Cached,
    Hypothesis,
    Limits,
    Slow,
    beam,
    greedy,
    length_penalty,
    sample,
    sharpened,
)
from qkv.models.transformer import Transformer, TransformerConfig

V, START, END = 6, 1, 2
LIMITS = Limits(START, END, max_new_tokens=5)


@pytest.fixture(params=range(3))
def task(request):
    """A model with random weights, sharpened so that sequences end at different lengths, and three sources."""
    torch.manual_seed(request.param)
    model = Transformer(TransformerConfig(V, 8, 2, 16, 1, 1, dropout=0.0)).double().eval()
    with torch.no_grad():
        model.embedding.weight.mul_(3)
    return model, torch.randint(1, V, (3, 4))


def slow(task) -> Slow:
    model, source = task
    return Slow(lambda ids, rows: model(source[rows], ids), len(source))


def cached(task) -> Cached:
    model, source = task
    memory = model.encode(source)
    return Cached(lambda ids, rows, cache: model.decode(ids, memory[rows], source[rows], cache=cache), len(source))


def log_odds(task, row: int, ids: list[int]) -> list[float]:
    model, source = task
    with torch.no_grad():
        return model(source[row : row + 1], torch.tensor([[START, *ids]]))[0, -1].log_softmax(-1).tolist()


def greedy_by_definition(task, row: int) -> list[int]:
    ids: list[int] = []
    while len(ids) < LIMITS.max_new_tokens:
        odds = log_odds(task, row, ids)
        best = odds.index(max(odds))
        if best == END:
            break
        ids.append(best)
    return ids


def beam_by_definition(task, row: int, size: int, alpha: float) -> list[Hypothesis]:
    """One sequence, Python lists, all steps, no early stop."""
    open_ones, finished = [([], 0.0)], []
    for step in range(1, LIMITS.max_new_tokens + 1):
        longer = [
            ([*ids, token], total + odds)
            for ids, total in open_ones
            for token, odds in enumerate(log_odds(task, row, ids))
        ]
        longer.sort(key=lambda each: -each[1])
        last = step == LIMITS.max_new_tokens
        ended = [each for each in (longer if last else longer[:size]) if each[0][-1] == END]
        finished += [Hypothesis(ids[:-1], total) for ids, total in ended]
        open_ones = [each for each in longer if each[0][-1] != END][:size]
    return sorted(finished, key=lambda each: -each.score(alpha))[:size]


def assert_same(actual: list[Hypothesis], expected: list[Hypothesis]) -> None:
    assert [each.ids for each in actual] == [each.ids for each in expected]
    for ours, theirs in zip(actual, expected, strict=True):
        assert ours.log_probability == pytest.approx(theirs.log_probability, abs=1e-5)


@pytest.mark.parametrize("kind", [slow, cached])
def test_greedy(task, kind):
    assert greedy(kind(task), 3, LIMITS) == [greedy_by_definition(task, row) for row in range(3)]


@pytest.mark.parametrize("kind", [slow, cached])
@pytest.mark.parametrize(("size", "alpha"), [(1, 0.0), (2, 0.6), (3, 0.0), (4, 1.2)])
def test_beam(task, kind, size, alpha):
    found = beam(kind(task), 3, LIMITS, beam_size=size, alpha=alpha)
    for row in range(3):
        assert_same(found[row], beam_by_definition(task, row, size, alpha))


def test_a_beam_of_one_is_greedy(task):
    found = beam(slow(task), 3, LIMITS, beam_size=1, alpha=0.0)
    expected = greedy(slow(task), 3, LIMITS)
    ended = [row for row in range(3) if len(expected[row]) < LIMITS.max_new_tokens]
    assert [found[row][0].ids for row in ended] == [expected[row] for row in ended]


def test_a_beam_wide_enough_finds_the_best_of_all_sequences(task):
    """1 + 5 + 25 sequences end within three tokens; a beam of 25 forgets none."""
    limits, alpha = Limits(START, END, max_new_tokens=3), 0.6
    tokens = [token for token in range(V) if token != END]
    everything = [list(ids) for length in range(3) for ids in itertools.product(tokens, repeat=length)]
    best = beam(cached(task), 3, limits, beam_size=25, alpha=alpha)

    def score(ids: list[int]) -> float:
        steps = [log_odds(task, 0, ids[:i])[token] for i, token in enumerate([*ids, END])]
        return Hypothesis(ids, sum(steps)).score(alpha)

    assert best[0][0].score(alpha) == pytest.approx(max(map(score, everything)), abs=1e-5)


def test_length_penalty_by_hand():
    assert length_penalty(7, 1.0) == 2.0
    assert length_penalty(123, 0.0) == 1.0
    assert Hypothesis([5] * 6, -3.0).score(1.0) == -1.5


def sharpened_by_definition(logits: list[float], temperature: float, top_k: int | None, top_p: float) -> list[float]:
    scaled = [each / temperature for each in logits]
    order = sorted(range(len(scaled)), key=lambda i: -scaled[i])[:top_k]
    total = sum(math.exp(scaled[i]) for i in order)
    kept, reached = [], 0.0
    for i in order:
        if reached >= top_p and top_p < 1:
            break
        kept.append(i)
        reached += math.exp(scaled[i]) / total
    return [score if i in kept else -math.inf for i, score in enumerate(scaled)]


@pytest.mark.parametrize("temperature", [0.5, 1.0, 3.0])
@pytest.mark.parametrize("top_k", [None, 1, 3, 99])
@pytest.mark.parametrize("top_p", [0.01, 0.6, 0.95, 1.0])
def test_sharpened(temperature, top_k, top_p):
    logits = torch.randn(7, 9, generator=torch.Generator().manual_seed(0)).double()
    expected = [sharpened_by_definition(row, temperature, top_k, top_p) for row in logits.tolist()]
    torch.testing.assert_close(sharpened(logits, temperature, top_k, top_p), torch.tensor(expected).double())


def test_sampling_follows_the_odds(task):
    """First tokens of 6,000 draws; a difference of five standard errors has odds below one in a million."""
    model, source = task
    many = source[:1].expand(6000, -1)
    next_token = Slow(lambda ids, rows: model(many[rows], ids), 6000)
    limits = Limits(START, END, max_new_tokens=1)
    drawn = sample(next_token, 6000, limits, torch.Generator().manual_seed(1), temperature=2.0)
    odds = torch.tensor(log_odds(task, 0, [])).div(2).softmax(-1)
    for token in range(V):
        share = sum(ids == ([] if token == END else [token]) for ids in drawn) / 6000
        assert abs(share - odds[token]) <= 5 * math.sqrt(odds[token] * (1 - odds[token]) / 6000) + 1e-9


def test_sampling_the_best_only_is_greedy(task):
    drawn = sample(cached(task), 3, LIMITS, torch.Generator().manual_seed(0), top_k=1)
    assert drawn == greedy(cached(task), 3, LIMITS)


@pytest.mark.parametrize("wrong", [{"temperature": 0.0}, {"top_k": 0}, {"top_p": 0.0}, {"top_p": 1.1}])
def test_odds_that_cannot_be(wrong):
    with pytest.raises(ValueError, match="expected temperature > 0"):
        sharpened(torch.zeros(1, 3), **wrong)


@pytest.mark.parametrize("wrong", [{"beam_size": 0}, {"alpha": -1.0}])
def test_beams_that_cannot_be(task, wrong):
    with pytest.raises(ValueError, match="beam_size >= 1 and alpha >= 0"):
        beam(slow(task), 3, LIMITS, **wrong)


def test_a_limit_of_nothing():
    with pytest.raises(ValueError, match="at least 1, got 0"):
        Limits(START, END, 0)
