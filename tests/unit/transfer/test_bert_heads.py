"""Heads on BERT: the best span by hand and against trying all, what padding must not change, and that they learn."""

from dataclasses import replace
from itertools import product

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn.functional import cross_entropy

from qkv.models.bert import BERT, PRESETS
from qkv.nn.masks import not_padding
from qkv.transfer.bert_heads import SentenceClassifier, SpanFinder, TokenClassifier, best_span

SMOKE = replace(PRESETS["smoke"], dropout=0.0)
EVERYWHERE = torch.ones(1, 4, dtype=torch.bool)


def scores(*numbers: float) -> torch.Tensor:
    return torch.tensor([numbers]).float()


def test_the_best_span_by_hand():
    """The best ends are 2 and 0, which is no span; 0 to 0 has 1 + 5, and 2 to 3 only 4 + 1."""
    first, last = scores(1, 0, 4, 0), scores(5, 3, 0, 1)
    assert best_span(first, last, EVERYWHERE, 4).tolist() == [[0, 0]]
    last = scores(0, 3, 0, 2)
    assert best_span(first, last, EVERYWHERE, 4).tolist() == [[2, 3]]
    assert best_span(first, last, EVERYWHERE, 1).tolist() == [[2, 2]]
    assert best_span(first, last, torch.tensor([[True, True, False, True]]), 4).tolist() == [[0, 1]]


@settings(deadline=None, max_examples=50)
@given(st.integers(1, 7), st.integers(1, 9), st.integers(0, 2**31))
def test_no_allowed_span_is_better(length, max_length, seed):
    generator = torch.Generator().manual_seed(seed)
    first, last = (torch.randn(3, length, generator=generator).double() for _ in range(2))
    may_answer = torch.rand(3, length, generator=generator) < 0.6
    may_answer[:, 0] = True
    for row, (i, j) in enumerate(best_span(first, last, may_answer, max_length).tolist()):
        spans = [
            (a, b)
            for a, b in product(range(length), repeat=2)
            if a <= b < a + max_length and may_answer[row, a] and may_answer[row, b]
        ]
        assert (i, j) == max(spans, key=lambda span: float(first[row, span[0]] + last[row, span[1]]))


@pytest.mark.parametrize(
    ("may_answer", "max_length", "message"),
    [
        (EVERYWHERE, 0, "max_length: expected at least 1 token, got 0"),
        (~EVERYWHERE, 2, "in each row, got none in row 0"),
    ],
)
def test_spans_that_cannot_be(may_answer, max_length, message):
    with pytest.raises(ValueError, match=message):
        best_span(scores(1, 2, 3, 4), scores(1, 2, 3, 4), may_answer, max_length)


def model(kind, *arguments):
    torch.manual_seed(0)
    return kind(BERT(SMOKE), *arguments).double()


def ids(b: int, t: int) -> torch.Tensor:
    return torch.randint(5, SMOKE.vocab_size, (b, t), generator=torch.Generator().manual_seed(0))


def test_padding_changes_nothing():
    short, real = ids(3, 5), not_padding(torch.tensor([5, 5, 5]), 9)
    padded = torch.cat([short, torch.full((3, 4), 7)], dim=1)
    sentence, token, span = model(SentenceClassifier, 4), model(TokenClassifier, 6), model(SpanFinder)
    torch.testing.assert_close(sentence(padded, may_attend=real), sentence(short))
    torch.testing.assert_close(token(padded, may_attend=real)[:, :5], token(short))
    for with_padding, without in zip(span(padded, may_attend=real), span(short), strict=True):
        torch.testing.assert_close(with_padding[:, :5], without)


def test_dropout_is_off_when_evaluated():
    torch.manual_seed(0)
    both = [kind(BERT(PRESETS["smoke"]), 3) for kind in (SentenceClassifier, TokenClassifier)]
    for each in both:
        assert not torch.equal(each(ids(2, 5)), each(ids(2, 5)))
        each.eval()
        assert torch.equal(each(ids(2, 5)), each(ids(2, 5)))


def test_all_three_learn():
    """One batch: the class is that of one token, a tag says whether a token is large, the answer is the largest."""
    x = ids(8, 6)
    tasks = {
        SentenceClassifier: ((2,), lambda out: cross_entropy(out, x[:, 1] % 2)),
        TokenClassifier: ((2,), lambda out: cross_entropy(out.flatten(0, 1), (x > 20).long().flatten())),
        SpanFinder: ((), lambda out: (cross_entropy(out[0], x.argmax(1)) + cross_entropy(out[1], x.argmax(1))) / 2),
    }
    for kind, (arguments, loss_of) in tasks.items():
        each = model(kind, *arguments)
        optimizer = torch.optim.AdamW(each.parameters(), lr=3e-3)
        for _ in range(60):
            loss = loss_of(each(x))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        assert loss < 0.1
