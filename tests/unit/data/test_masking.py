"""BERT's masking by statistics: a right answer fails once in more than a million runs, a known mistake always.

Every generator is seeded, so a run is always the same; the bound says how rare a false alarm is over all seeds.
"""

from collections.abc import Callable

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest, chisquare

from qkv.data.masking import IGNORED, corrupt, drawable, mask_tokens, mask_whole_words

FALSE_ALARM = 1e-7  # per test statistic; fewer than ten of them stand in any one test
PAD, UNK, CLS, SEP, MASK, V = 0, 1, 2, 3, 4, 61
SPECIAL = (PAD, UNK, CLS, SEP, MASK)
B, T = 8_000, 103  # about 112,000 chosen tokens


def batch() -> tuple[torch.Tensor, torch.Tensor]:
    """[CLS], 91 tokens, [SEP], padding; one token in fifty is [UNK]."""
    ids = torch.randint(5, V, (B, T), generator=torch.Generator().manual_seed(1))
    ids[:, 49] = UNK
    ids[:, 0], ids[:, 92], ids[:, 93:] = CLS, SEP, PAD
    return ids, torch.isin(ids, torch.tensor(SPECIAL))


IDS, IS_SPECIAL = batch()


def flaws(ids: torch.Tensor, special: torch.Tensor, masked: torch.Tensor, labels: torch.Tensor) -> list[str]:
    """What speaks against a masking of one large batch: exact rules, then shares by χ² and binomial tests."""
    chosen, kept = labels != IGNORED, masked == ids
    found = [
        name
        for name, broken in {
            "a special token is chosen": (chosen & special).any(),
            "an id has changed that is not chosen": (~chosen & ~kept).any(),
            "a label is not the token that stood there": (labels[chosen] != ids[chosen]).any(),
            "a special token is drawn": torch.isin(masked[chosen], torch.tensor([PAD, UNK, CLS, SEP])).any(),
        }.items()
        if broken
    ]
    tests = {"how many are chosen": share_of(chosen[~special].sum(), (~special).sum(), 0.15)}
    if chosen.any():
        tests |= chosen_tests(ids, masked, chosen)
    return found + [name for name, p in tests.items() if p < FALSE_ALARM]


def chosen_tests(ids: torch.Tensor, masked: torch.Tensor, chosen: torch.Tensor) -> dict[str, float]:
    """p-values: of what the chosen tokens became, of which ids were drawn, and of where the choice falls."""
    before, after = ids[chosen], masked[chosen]
    changed = (after != MASK) & (after != before)
    tally = [(after == MASK).sum(), changed.sum(), (after == before).sum()]
    same = 0.1 / (V - len(SPECIAL))  # a random token that happens to be the one that stood there
    return {
        "what became of the chosen": chi_square(torch.stack(tally), torch.tensor([0.8, 0.1 - same, 0.1 + same])),
        "which ids are drawn": uniformity(torch.bincount(after[changed], minlength=V)[5:]),
        "where the choice falls": uniformity(chosen.sum(0)[[i for i in range(1, 92) if i != 49]]),
        "which tokens are chosen": chi_square(
            torch.bincount(before, minlength=V)[5:], torch.bincount(IDS.flatten(), minlength=V)[5:].double()
        ),
        "neighbours are chosen on their own": share_of(
            chosen[:, 1:49].unflatten(1, (24, 2)).all(-1).sum(), torch.tensor(B * 24), 0.15**2
        ),
    }


def share_of(hits: torch.Tensor, of: torch.Tensor, share: float) -> float:
    """p-value of a count of independent events."""
    return binomtest(int(hits), int(of), share).pvalue


def chi_square(tally: torch.Tensor, shares: torch.Tensor) -> float:
    expected = shares.double() / shares.double().sum() * tally.sum()
    return float(chisquare(tally.numpy(), expected.numpy()).pvalue)


def uniformity(tally: torch.Tensor) -> float:
    return chi_square(tally, torch.ones(len(tally))) if tally.any() else 0.0


def ours(ids, special, generator):
    return mask_tokens(ids, special, MASK, V, generator, SPECIAL)


def test_more_than_a_hundred_thousand_chosen_tokens():
    masked, labels = ours(IDS, IS_SPECIAL, torch.Generator().manual_seed(0))
    assert (labels != IGNORED).sum() > 100_000
    assert flaws(IDS, IS_SPECIAL, masked, labels) == []


def test_no_false_alarm_over_other_seeds():
    """Ten batches; the mean of the p-values is that of uniform draws, so they are not large by construction."""
    values = []
    for seed in range(1, 11):
        masked, labels = ours(IDS, IS_SPECIAL, torch.Generator().manual_seed(seed))
        chosen = labels != IGNORED
        values += chosen_tests(IDS, masked, chosen).values()
    assert min(values) > 1e-5
    assert 0.3 < sum(values) / len(values) < 0.7


# Mistakes that have been made ----------------------------------------------------------------------------------------


def k1_a_branch_that_is_never_taken(ids, special, generator):
    """As published more than once: the draw is below 0.15 here, so it is always below 0.8."""
    draw = torch.rand(ids.shape, generator=generator)
    chosen = (draw < 0.15) & ~special
    masked = torch.where(chosen & (draw < 0.8), torch.tensor(MASK), ids)
    return masked, ids.masked_fill(~chosen, IGNORED)


def k2_two_independent_draws(ids, special, generator):
    """One draw for "stays", another for "random": 81 / 10 / 9."""
    chosen, stays, random = (torch.rand(ids.shape, generator=generator) < share for share in (0.15, 0.1, 0.1))
    chosen &= ~special
    drawn = torch.randint(5, V, ids.shape, generator=generator)
    masked = torch.where(chosen & ~stays, torch.tensor(MASK), ids)
    return torch.where(chosen & random, drawn, masked), ids.masked_fill(~chosen, IGNORED)


def k3_shares_of_all_tokens(ids, special, generator):
    """80 % of all tokens hidden, not of those chosen."""
    draw = torch.rand(ids.shape, generator=generator)
    chosen = (draw < 0.9) & ~special
    drawn = torch.randint(5, V, ids.shape, generator=generator)
    masked = torch.where(chosen & (draw < 0.8), torch.tensor(MASK), ids)
    masked = torch.where(chosen & (draw >= 0.8), drawn, masked)
    return masked, ids.masked_fill(~chosen, IGNORED)


def k4_special_tokens_chosen(ids, special, generator):
    return ours(ids, torch.zeros_like(special), generator)


def k4_special_tokens_drawn(ids, special, generator):
    return mask_tokens(ids, special, MASK, V, generator)


def k5_labels_everywhere(ids, special, generator):
    masked, _ = ours(ids, special, generator)
    return masked, ids.masked_fill(special, IGNORED)


def k6_unchanged_ones_not_asked(ids, special, generator):
    masked, _ = ours(ids, special, generator)
    return masked, ids.masked_fill(masked == ids, IGNORED)


def k7_labels_after_masking(ids, special, generator):
    masked, labels = ours(ids, special, generator)
    return masked, masked.masked_fill(labels == IGNORED, IGNORED)


def k14_another_ignored_label(ids, special, generator):
    masked, labels = ours(ids, special, generator)
    return masked, labels.masked_fill(labels == IGNORED, -1)


def the_last_id_never_drawn(ids, special, generator):
    return mask_tokens(ids, special, MASK, V, generator, (*SPECIAL, V - 1))


def whole_row_at_once(ids, special, generator):
    chosen = (torch.rand(len(ids), 1, generator=generator) < 0.15) & ~special
    return corrupt(ids, chosen, MASK, V, generator, SPECIAL)


def an_exact_quota_in_front(ids, special, generator):
    """15 % of each row, always the first ones."""
    chosen = ((~special).cumsum(1) <= 0.15 * (~special).sum(1, keepdim=True)) & ~special
    return corrupt(ids, chosen, MASK, V, generator, SPECIAL)


def masked_twice(ids, special, generator):
    masked, _ = ours(ids, special, generator)
    return ours(masked, torch.isin(masked, torch.tensor(SPECIAL)), generator)


MISTAKES: dict[Callable, str] = {
    k1_a_branch_that_is_never_taken: "what became of the chosen",
    k2_two_independent_draws: "what became of the chosen",
    k3_shares_of_all_tokens: "how many are chosen",
    k4_special_tokens_chosen: "a special token is chosen",
    k4_special_tokens_drawn: "a special token is drawn",
    k5_labels_everywhere: "how many are chosen",
    k6_unchanged_ones_not_asked: "what became of the chosen",
    k7_labels_after_masking: "a label is not the token that stood there",
    k14_another_ignored_label: "a special token is chosen",
    the_last_id_never_drawn: "which ids are drawn",
    whole_row_at_once: "neighbours are chosen on their own",
    an_exact_quota_in_front: "where the choice falls",
    masked_twice: "an id has changed that is not chosen",
}


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda mistake: mistake.__name__)
def test_known_mistakes_are_seen(mistake):
    masked, labels = mistake(IDS, IS_SPECIAL, torch.Generator().manual_seed(0))
    assert MISTAKES[mistake] in flaws(IDS, IS_SPECIAL, masked, labels)


# Rules ---------------------------------------------------------------------------------------------------------------


def test_by_hand():
    """Everything chosen: what is not [MASK] is the old token or one of the two that may be drawn."""
    ids = torch.tensor([[7, 8, 9, 7]])
    masked, labels = corrupt(ids, torch.ones_like(ids).bool(), 4, 10, torch.Generator().manual_seed(0), (0, 1, 2, 3))
    assert labels.tolist() == ids.tolist()
    assert all(new in (4, old, *range(5, 10)) for new, old in zip(masked[0].tolist(), ids[0].tolist(), strict=True))
    assert drawable(10, {0, 1, 2, 3, 4}).tolist() == [5, 6, 7, 8, 9]
    nothing, none = corrupt(ids, torch.zeros_like(ids).bool(), 4, 10, torch.Generator())
    assert nothing.tolist() == ids.tolist()
    assert none.tolist() == [[-100] * 4]


def test_dynamic_and_repeatable():
    """Two calls draw different gaps, one seed always the same; what was given is left alone."""
    before, generator = IDS[:50].clone(), torch.Generator().manual_seed(3)
    first, second = (ours(IDS[:50], IS_SPECIAL[:50], generator)[0] for _ in range(2))
    assert not torch.equal(first, second)
    assert torch.equal(IDS[:50], before)
    again, _ = ours(IDS[:50], IS_SPECIAL[:50], torch.Generator().manual_seed(3))
    assert torch.equal(first, again)


def test_the_global_generator_is_left_alone():
    torch.manual_seed(0)
    state = torch.get_rng_state()
    ours(IDS[:5], IS_SPECIAL[:5], torch.Generator().manual_seed(3))
    assert torch.equal(torch.get_rng_state(), state)


@given(st.integers(0, 5), st.integers(0, 9), st.integers(0, 2**31))
def test_exact_rules_at_any_size(b, t, seed):
    generator = torch.Generator().manual_seed(seed)
    ids = torch.randint(V, (b, t), generator=generator)
    special = torch.isin(ids, torch.tensor(SPECIAL))
    masked, labels = ours(ids, special, generator)
    chosen = labels != IGNORED
    assert masked.shape == labels.shape == ids.shape
    assert not (chosen & special).any()
    assert torch.equal(masked[~chosen], ids[~chosen])
    assert torch.equal(labels[chosen], ids[chosen])


# Whole words ---------------------------------------------------------------------------------------------------------


def test_whole_words_are_chosen_together():
    """Words of one, two and three pieces in turn; ids above 40 go on with a word."""
    ids = IDS.clone()
    ids[:, 1:91] = torch.tensor([10, 11, 41, 12, 42, 43]).repeat(B, 15)
    goes_on = ids > 40
    goes_on[:, 91] = False
    special = torch.isin(ids, torch.tensor(SPECIAL))
    masked, labels = mask_whole_words(ids, special, goes_on, MASK, V, torch.Generator().manual_seed(0), SPECIAL)
    chosen = labels != IGNORED
    assert torch.equal(chosen[:, 1:][goes_on[:, 1:]], chosen[:, :-1][goes_on[:, 1:]])
    assert share_of(chosen[:, 1:91].reshape(B, 15, 6)[..., [0, 1, 3]].sum(), torch.tensor(B * 45), 0.15) > FALSE_ALARM
    assert share_of((masked[chosen] == MASK).sum(), chosen.sum(), 0.8) > FALSE_ALARM
    assert not (chosen & special).any()


def test_what_becomes_of_a_piece_is_decided_piece_by_piece():
    """Of words with two chosen pieces 64 % have both hidden."""
    ids, goes_on = torch.tensor([[10, 41]]).repeat(200_000, 1), torch.tensor([[False, True]]).repeat(200_000, 1)
    nothing = torch.zeros_like(goes_on)
    masked, labels = mask_whole_words(ids, nothing, goes_on, MASK, V, torch.Generator().manual_seed(0), SPECIAL)
    both = (masked == MASK).all(1)
    assert share_of(both.sum(), (labels[:, 0] != IGNORED).sum(), 0.64) > FALSE_ALARM


def test_without_inner_pieces_whole_words_are_tokens():
    nothing = torch.zeros_like(IS_SPECIAL)
    masked, labels = mask_whole_words(IDS, IS_SPECIAL, nothing, MASK, V, torch.Generator().manual_seed(0), SPECIAL)
    assert flaws(IDS, IS_SPECIAL, masked, labels) == []


def test_a_row_that_begins_inside_a_word():
    """A text that was cut: its first piece has no word before it."""
    ids = torch.tensor([[41, 42, 10]])
    chosen = set()
    for seed in range(200):
        _, labels = mask_whole_words(ids, ids > 99, ids > 40, MASK, V, torch.Generator().manual_seed(seed), SPECIAL)
        chosen.add(tuple((labels[0] != IGNORED).tolist()))
    assert chosen == {(a, a, b) for a in (False, True) for b in (False, True)}


# What cannot be ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((IDS[:2] + V, IS_SPECIAL[:2], MASK, V), "ids: expected 0 to 60, got 61 to"),
        ((IDS[:2], IS_SPECIAL[:2], V, V), "expected ids from 0 to 60, got the special id 61"),
        ((torch.zeros(1, 2).long(), torch.zeros(1, 2).bool(), 0, 1), "a vocabulary of 1, all of them special"),
    ],
)
def test_ids_that_cannot_be(arguments, message):
    with pytest.raises(ValueError, match=message):
        mask_tokens(*arguments, torch.Generator())
