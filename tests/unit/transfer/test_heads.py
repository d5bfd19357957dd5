"""Tasks on GPT: which state is read, sums and candidates in any order, L2 + λ · L1, where gradients reach, layers."""

import math
from dataclasses import replace

import pytest
import torch
from torch.nn import functional

from qkv.models.gpt import GPT, PRESETS
from qkv.transfer.heads import Classification, MultipleChoice, Similarity, first_layers, next_token_loss
from qkv.transfer.inputs import (
    classification,
    entailment,
    multiple_choice,
    padded,
    similarity,
    with_special_tokens,
)

FIRST, SECOND = [[3, 5, 7], [11, 2], [8, 8, 1, 9]], [[4, 6], [13, 17, 19, 21, 23], [30]]
LABELS = torch.tensor([1, 0, 1])


@pytest.fixture
def grown():
    """A small GPT with larger weights than at first, so that no difference is lost in the noise; and special ids."""
    torch.manual_seed(0)
    model, special = with_special_tokens(GPT(replace(PRESETS["smoke"], dropout=0.0)))
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, mean=float(parameter.ndim == 1), std=0.3)
    return model, special


def single(special, pad_id: int = 0) -> torch.Tensor:
    return padded([[classification(text, special)] for text in SECOND], pad_id)


def pairs(special, first=FIRST, second=SECOND) -> torch.Tensor:
    return padded([similarity(a, b, special) for a, b in zip(first, second, strict=True)])


def choices(special, order=(0, 1, 2)) -> torch.Tensor:
    return padded([multiple_choice(context, [SECOND[i] for i in order], special) for context in FIRST])


def test_scores_come_from_the_extract_token_whatever_is_padded(grown):
    """By hand: the last state of each row run alone, without padding, through the linear map."""
    model, special = grown
    task = Classification(model, special.extract, 4).eval()
    alone = [model.hidden_states(torch.tensor([classification(text, special)]))[0, -1] for text in SECOND]
    expected = torch.stack(alone) @ task.linear.weight.T + task.linear.bias
    torch.testing.assert_close(task(single(special)), expected)
    torch.testing.assert_close(task(single(special, pad_id=7)), expected)
    longer = functional.pad(single(special), (0, 9))
    torch.testing.assert_close(task(longer), expected)


def test_the_state_has_read_every_token(grown):
    model, special = grown
    task = Classification(model, special.extract, 4).eval()
    rows = [entailment(FIRST[0], SECOND[0], special) for _ in range(8)]
    for place in range(1, 8):
        if rows[place][place] != special.extract:
            rows[place][place] = 39
    scores = task(padded([[row] for row in rows]))
    for place in range(1, 7):
        assert not torch.allclose(scores[place], scores[0]), place
    torch.testing.assert_close(scores[7], scores[0])


def test_a_swap_leaves_similarity_as_it_was_to_the_last_bit(grown):
    model, special = grown
    task = Similarity(model, special.extract, 2).eval()
    there, back = task(pairs(special)), task(pairs(special, SECOND, FIRST))
    assert torch.equal(there, back)
    one_order = Classification(model, special.extract, 2).eval()
    assert not torch.allclose(one_order(pairs(special)[:, :1]), one_order(pairs(special)[:, 1:]))


def test_similarity_adds_the_two_states(grown):
    model, special = grown
    task = Similarity(model, special.extract, 2).eval()
    rows = [similarity(a, b, special) for a, b in zip(FIRST, SECOND, strict=True)]
    sums = [sum(model.hidden_states(torch.tensor([row]))[0, -1] for row in both) for both in rows]
    torch.testing.assert_close(task(pairs(special)), torch.stack(sums) @ task.linear.weight.T + task.linear.bias)


@pytest.mark.parametrize("order", [(1, 0, 2), (2, 0, 1)])
def test_candidates_in_another_order_have_their_own_scores(grown, order):
    model, special = grown
    task = MultipleChoice(model, special.extract).eval()
    scores = task(choices(special))
    assert scores.shape == (3, 3)
    assert torch.equal(task(choices(special, order)), scores[:, list(order)])


def test_softmax_goes_over_candidates(grown):
    """One number for each; the loss of label k is minus the log of its share among the candidates of its example."""
    model, special = grown
    task = MultipleChoice(model, special.extract).eval()
    scores, labels = task(choices(special)).tolist(), [2, 0, 1]
    shares = [math.exp(row[k]) / sum(map(math.exp, row)) for row, k in zip(scores, labels, strict=True)]
    expected = -sum(map(math.log, shares)) / 3
    assert task.loss(choices(special), torch.tensor(labels), lm_weight=0.0).item() == pytest.approx(expected, rel=1e-5)


def test_all_candidates_lose_the_same_entries(grown):
    """Two candidates with one state have one score, dropout or not."""
    model, special = grown
    task = MultipleChoice(model, special.extract, dropout=0.5).train()
    state = torch.randn(50, 16)
    scores = task.scores([state, state])
    assert torch.equal(scores[:, 0], scores[:, 1])
    assert not torch.equal(task.scores([state])[:, 0], scores[:, 0])


def test_the_loss_is_l2_plus_lambda_l1(grown):
    """Both parts by hand: a row at a time, without padding."""
    model, special = grown
    task = Classification(model, special.extract, 2).eval()
    rows = [classification(text, special) for text in SECOND]
    of_labels = functional.cross_entropy(task(single(special)), LABELS)
    of_tokens = [functional.cross_entropy(model(torch.tensor([row]))[0, :-1], torch.tensor(row[1:])) for row in rows]
    of_tokens = torch.stack(of_tokens).mean()
    for weight in (0.0, 0.5, 2.0):
        torch.testing.assert_close(task.loss(single(special), LABELS, weight), of_labels + weight * of_tokens)
    torch.testing.assert_close(task.loss(single(special), LABELS), of_labels + 0.5 * of_tokens)


def test_padding_adds_nothing_to_the_loss(grown):
    model, special = grown
    task = Classification(model, special.extract, 2).eval()
    expected = task.loss(single(special), LABELS)
    torch.testing.assert_close(task.loss(functional.pad(single(special), (0, 9)), LABELS), expected)
    torch.testing.assert_close(task.loss(single(special, pad_id=7), LABELS), expected)


def test_the_language_model_loss_is_of_every_row(grown):
    """Of both orders, and of all candidates, wrong ones included, as in the published code."""
    model, special = grown
    for task, ids in ((Similarity(model, 42, 2), pairs(special)), (MultipleChoice(model, 42), choices(special))):
        flat = ids.flatten(0, 1)
        expected = next_token_loss(model, model.hidden_states(flat), flat, (flat == 42).int().argmax(-1) + 1)
        task.eval()
        torch.testing.assert_close(task.loss(ids, LABELS, 1.0) - task.loss(ids, LABELS, 0.0), expected)


def test_a_guess_costs_ln_v(grown):
    model, special = grown
    torch.nn.init.zeros_(model.token.weight)
    ids = single(special)[:, 0]
    loss = next_token_loss(model, model.hidden_states(ids), ids, torch.tensor([4, 7, 3]))
    assert loss.item() == pytest.approx(math.log(43))
    with pytest.raises(ValueError, match=r"rows of at least two tokens, got lengths \[1, 7, 3\]"):
        next_token_loss(model, model.hidden_states(ids), ids, torch.tensor([1, 7, 3]))


def test_gradients_reach_all_that_was_read_and_nothing_else(grown):
    """Of the task alone: every block, the linear map, the rows of the tokens read; no padding, no later position."""
    model, special = grown
    task = Classification(model, special.extract, 2)
    task.loss(single(special, pad_id=39), LABELS, lm_weight=0.0).backward()
    read = {each for text in SECOND for each in text} | {special.start, special.extract}
    moved = task.gpt.token.weight.grad.norm(dim=-1) > 0
    assert set(moved.nonzero()[:, 0].tolist()) == read
    assert (task.gpt.position.weight.grad.norm(dim=-1) > 0).tolist() == [True] * 7 + [False] * 25
    for name, parameter in task.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.abs().max() > 0 or name.endswith("key.bias"), name  # softmax sees differences only


def test_the_language_model_reaches_every_row_of_the_table(grown):
    """Each token is a wrong answer somewhere, so its row, which scores it, moves."""
    model, special = grown
    Classification(model, special.extract, 2).loss(single(special), LABELS).backward()
    assert (model.token.weight.grad.norm(dim=-1) > 0).all()


def test_the_new_map_begins_small(grown):
    model, special = grown
    task = Classification(model, special.extract, 2_000)
    assert task.linear.weight.std().item() == pytest.approx(0.02, rel=0.05)
    assert not task.linear.bias.any()


def test_dropout_falls_on_the_state_in_training(grown):
    model, special = grown
    for task, ids in ((Classification(model, 42, 2), single(special)), (Similarity(model, 42, 2), pairs(special))):
        assert not torch.equal(task(ids), task(ids))
        assert torch.equal(task.eval()(ids), task(ids))


def test_it_learns_which_sentence_is_about_the_cat():
    torch.manual_seed(0)
    model, special = with_special_tokens(GPT(replace(PRESETS["smoke"], dropout=0.0)))
    task = Classification(model, special.extract, 2, dropout=0.0)
    generator = torch.Generator().manual_seed(0)
    texts = [torch.randint(1, 40, (length,), generator=generator).tolist() for length in (3, 5, 7, 4, 6, 8, 5, 9)]
    for text in texts[::2]:
        text[len(text) // 2] = 0  # the cat
    labels = torch.tensor([0 in text for text in texts]).long()
    ids = padded([[classification(text, special)] for text in texts], pad_id=1)
    optimizer = torch.optim.AdamW(task.parameters(), lr=1e-2)
    for _ in range(60):
        optimizer.zero_grad()
        task.loss(ids, labels).backward()
        optimizer.step()
    assert task(ids).argmax(-1).tolist() == labels.tolist()


@pytest.mark.parametrize(
    ("head", "rows", "message"),
    [(Classification, 2, "expected 1 rows .* got 2"), (Similarity, 3, "expected 2 rows .* got 3")],
)
def test_not_as_many_rows_as_the_task_has(grown, head, rows, message):
    model, special = grown
    ids = torch.tensor([[[special.start, 3, special.extract]] * rows])
    with pytest.raises(ValueError, match=message):
        head(model, special.extract, 2)(ids)


def test_a_row_without_an_extract_token(grown):
    model, special = grown
    with pytest.raises(ValueError, match=r"row \(1,\): expected the extract token, id 42, once, got it 0 times"):
        Classification(model, special.extract, 2)(torch.tensor([[[40, 3, 42]], [[40, 3, 4]]]))


@pytest.mark.parametrize("num_layers", [0, 1, 2])
def test_the_first_layers_are_carried_over(grown, num_layers):
    model, _ = grown
    fresh = first_layers(model, num_layers)
    assert fresh.config == model.config
    old, new = model.state_dict(), fresh.state_dict()
    copied = ("token.", "position.", *(f"layers.{i}." for i in range(num_layers)))
    for name, tensor in new.items():
        assert torch.equal(tensor, old[name]) == name.startswith(copied), name
        assert tensor.data_ptr() != old[name].data_ptr(), name


def test_not_so_many_layers(grown):
    for wrong in (-1, 3):
        with pytest.raises(ValueError, match=f"num_layers: expected 0 to 2, got {wrong}"):
            first_layers(grown[0], wrong)
