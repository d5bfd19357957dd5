"""Figure 1 token by token, what is cut when it is too long, new rows in the token table, and padding."""

from dataclasses import replace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from qkv.models.gpt import GPT, PRESETS
from qkv.transfer.inputs import (
    SpecialIds,
    classification,
    entailment,
    extract_position,
    multiple_choice,
    padded,
    shares,
    similarity,
    with_special_tokens,
)

SPECIAL = SpecialIds(start=40, delimiter=41, extract=42)
MARKS = {40, 41, 42}
texts = st.lists(st.integers(0, 39), min_size=1, max_size=12)
lengths = st.integers(5, 30)


def test_classification_by_hand():
    assert classification([7, 8, 9], SPECIAL) == [40, 7, 8, 9, 42]


def test_entailment_by_hand():
    assert entailment([7, 8, 9], [5, 6], SPECIAL) == [40, 7, 8, 9, 41, 5, 6, 42]


def test_similarity_by_hand():
    both = similarity([7, 8, 9], [5, 6], SPECIAL)
    assert both == ([40, 7, 8, 9, 41, 5, 6, 42], [40, 5, 6, 41, 7, 8, 9, 42])


def test_multiple_choice_by_hand():
    rows = multiple_choice([7, 8, 9], [[5, 6], [4], [3, 2, 1]], SPECIAL)
    assert rows == [[40, 7, 8, 9, 41, 5, 6, 42], [40, 7, 8, 9, 41, 4, 42], [40, 7, 8, 9, 41, 3, 2, 1, 42]]


def test_what_is_too_long_is_cut_by_hand():
    """The first text keeps half of the room, then what the second does not need; a context loses its beginning."""
    assert classification([1, 2, 3, 4, 5], SPECIAL, max_length=5) == [40, 1, 2, 3, 42]
    assert entailment([1, 2, 3, 4], [5, 6, 7, 8], SPECIAL, max_length=7) == [40, 1, 2, 41, 5, 6, 42]
    assert entailment([1, 2, 3, 4], [5], SPECIAL, max_length=7) == [40, 1, 2, 3, 41, 5, 42]
    assert similarity([1, 2, 3], [4, 5, 6], SPECIAL, max_length=8) == (
        [40, 1, 2, 41, 4, 5, 42],
        [40, 4, 5, 41, 1, 2, 42],
    )
    assert multiple_choice([1, 2, 3, 4], [[5], [6, 7]], SPECIAL, max_length=7) == [
        [40, 3, 4, 41, 5, 42],
        [40, 3, 4, 41, 6, 7, 42],
    ]


def test_shares_by_hand():
    assert shares(3, 9, 8) == (3, 5)
    assert shares(9, 3, 8) == (5, 3)
    assert shares(9, 9, 7) == (3, 3)
    assert shares(2, 3, 8) == (2, 3)


@given(texts, texts, lengths)
def test_a_swap_gives_the_same_two_rows(first, second, max_length):
    """Cut or not: otherwise similarity would depend on the order after all."""
    assert similarity(first, second, SPECIAL, max_length) == similarity(second, first, SPECIAL, max_length)[::-1]


@given(texts, texts, st.lists(texts, min_size=2, max_size=4), lengths)
def test_special_tokens_are_never_cut(first, second, answers, max_length):
    rows = [entailment(first, second, SPECIAL, max_length), *similarity(first, second, SPECIAL, max_length)]
    rows += multiple_choice(first, answers, SPECIAL, max_length)
    for row in rows:
        assert len(row) <= max_length
        assert [each for each in row if each in MARKS] == [40, 41, 42]
        assert (row[0], row[-1]) == (40, 42)
        assert 1 < row.index(41) < len(row) - 2  # something is left of both texts


@given(texts, texts, lengths)
def test_no_room_is_wasted(first, second, max_length):
    """Nothing is cut that fits; of what does not fit, at most one place stays empty, the odd one of two halves."""
    row = entailment(first, second, SPECIAL, max_length)
    whole = len(first) + len(second) + 3
    assert len(row) == whole if whole <= max_length else max_length - 1 <= len(row) <= max_length


@given(texts, st.lists(texts, min_size=2, max_size=4), lengths)
def test_every_candidate_has_the_same_context_and_its_end(context, answers, max_length):
    rows = multiple_choice(context, answers, SPECIAL, max_length)
    contexts = {tuple(row[1 : row.index(41)]) for row in rows}
    assert len(contexts) == 1
    (kept,) = contexts
    assert list(kept) == context[-len(kept) :]
    for row, answer in zip(rows, answers, strict=True):
        written = row[row.index(41) + 1 : -1]
        assert written == answer[: len(written)]


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: classification([], SPECIAL), "text: expected at least one token"),
        (lambda: entailment([1], [], SPECIAL), "hypothesis: expected at least one token"),
        (lambda: similarity([1, 42], [2], SPECIAL), "first: expected ids of a text, got the special id 42"),
        (lambda: multiple_choice([1], [[2], []], SPECIAL), "answer 1: expected at least one token"),
        (lambda: multiple_choice([1], [[2]], SPECIAL), "answers: expected at least two to choose from, got 1"),
        (lambda: classification([1], SPECIAL, max_length=2), "max_length: expected at least 3, got 2"),
        (lambda: entailment([1], [2], SPECIAL, max_length=4), "max_length: expected at least 5, got 4"),
        (lambda: SpecialIds(4, 5, 4), r"three different ids of at least 0, got \(4, 5, 4\)"),
        (lambda: SpecialIds(4, 5, -1), r"three different ids of at least 0, got \(4, 5, -1\)"),
        (lambda: padded([]), "equally many rows"),
        (lambda: padded([[[1]], [[1], [2]]]), r"examples of \[1, 2\] rows"),
    ],
)
def test_what_cannot_be_built(build, message):
    with pytest.raises(ValueError, match=message):
        build()


def test_padding_stands_behind_each_row():
    ids = padded([[[1, 2, 3], [4]], [[5, 6], [7]]], pad_id=9)
    assert ids.tolist() == [[[1, 2, 3], [4, 9, 9]], [[5, 6, 9], [7, 9, 9]]]


def test_where_the_extract_token_stands():
    ids = torch.tensor([[40, 7, 42, 0, 0], [40, 7, 8, 9, 42], [40, 42, 0, 0, 0]])
    assert extract_position(ids, 42).tolist() == [2, 4, 1]
    assert extract_position(ids.view(3, 1, 5), 42).tolist() == [[2], [4], [1]]


@pytest.mark.parametrize(
    ("ids", "message"),
    [
        ([[[40, 7, 42]], [[40, 7, 8]]], r"row \(1, 0\): expected the extract token, id 42, once, got it 0 times"),
        ([[[40, 7, 42]], [[40, 42, 42]]], r"row \(1, 0\): .* got it 2 times"),
    ],
)
def test_no_extract_token_or_several(ids, message):
    with pytest.raises(ValueError, match=message):
        extract_position(torch.tensor(ids), 42)


@pytest.fixture
def pretrained() -> GPT:
    torch.manual_seed(0)
    return GPT(replace(PRESETS["smoke"], d_model=400, d_ff=30)).double().eval()


def test_three_new_rows(pretrained):
    model, special = with_special_tokens(pretrained)
    assert special == SpecialIds(40, 41, 42)
    assert model.config == replace(pretrained.config, vocab_size=43)
    assert not model.training
    assert torch.equal(model.token.weight[:40], pretrained.token.weight)
    new = model.token.weight[40:]
    assert new.std().item() == pytest.approx(0.02, rel=0.1)  # 1,200 draws: five standard errors
    assert len(new.unique(dim=0)) == 3
    for name, parameter in pretrained.named_parameters():
        if name != "token.weight":
            assert torch.equal(model.state_dict()[name], parameter), name


def test_new_rows_are_scored_too_and_old_scores_stay(pretrained):
    model, _ = with_special_tokens(pretrained)
    ids = torch.tensor([[3, 1, 4, 1, 5]])
    scores = model(ids)
    assert scores.shape == (1, 5, 43)
    torch.testing.assert_close(scores[..., :40], pretrained(ids))
    torch.testing.assert_close(scores[..., 40:], model.hidden_states(ids) @ model.token.weight[40:].T)


def test_the_pretrained_model_is_left_alone(pretrained):
    before = {name: tensor.clone() for name, tensor in pretrained.state_dict().items()}
    model, special = with_special_tokens(pretrained)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(1)
    assert all(torch.equal(before[name], tensor) for name, tensor in pretrained.state_dict().items())
    with pytest.raises(ValueError, match="ids from 0 to 39, got 42"):
        pretrained(torch.tensor([classification([1], special)]))
