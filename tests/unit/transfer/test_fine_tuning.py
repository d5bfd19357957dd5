"""Rates by layer and gradual unfreezing: which rate, and which weight moved after which step."""

import pytest
import torch
from torch import nn

from qkv.models.awd_lstm import AWDLSTM, PRESETS
from qkv.training.schedules import slanted_triangular
from qkv.transfer.classifier import RecurrentClassifier
from qkv.transfer.param_groups import discriminative
from qkv.transfer.unfreezing import unfreeze_gradually, unfreeze_top

IDS = torch.randint(43, (4, 9), generator=torch.Generator().manual_seed(0))
LENGTHS, LABELS = torch.tensor([9, 3, 7, 5]), torch.tensor([0, 1, 2, 0])

OPTIMIZERS = {
    "momentum and weight decay": lambda groups: torch.optim.SGD(groups, momentum=0.9, weight_decay=0.1),
    "Adam": lambda groups: torch.optim.Adam(groups, betas=(0.7, 0.99), weight_decay=0.1),
    "AdamW": lambda groups: torch.optim.AdamW(groups, weight_decay=0.1),
}


@pytest.fixture
def classifier() -> RecurrentClassifier:
    torch.manual_seed(0)
    return RecurrentClassifier(AWDLSTM(PRESETS["smoke"]), num_classes=3)


def moved(classifier: RecurrentClassifier, optimizer: torch.optim.Optimizer, set_to_none: bool = True) -> list[bool]:
    """One step; of which groups did any weight change?"""
    before = [[parameter.detach().clone() for parameter in group] for group in classifier.groups()]
    optimizer.zero_grad(set_to_none=set_to_none)
    nn.functional.cross_entropy(classifier(IDS, LENGTHS), LABELS).backward()
    optimizer.step()
    return [
        any(not torch.equal(new, old) for new, old in zip(group, olds, strict=True))
        for group, olds in zip(classifier.groups(), before, strict=True)
    ]


def test_rates_by_hand():
    """A thousandth at the top of four groups, divided by 10 for each step down."""
    groups = [[nn.Parameter(torch.zeros(1))] for _ in range(4)]
    found = discriminative(groups, rate=1.0, factor=10.0)
    assert [group["lr"] for group in found] == pytest.approx([0.001, 0.01, 0.1, 1.0])
    assert [group["params"] for group in found] == groups


def test_published_rates(classifier):
    """0.01 for the head, the next lower one its 2.6th part, … down to the word vectors: five groups, four divisions."""
    rates = [group["lr"] for group in discriminative(classifier.groups(), 0.01)]
    assert rates == pytest.approx([0.01 / 2.6**4, 0.01 / 2.6**3, 0.01 / 2.6**2, 0.01 / 2.6, 0.01])


def test_each_group_moves_at_its_rate():
    """Plain descent with a gradient of 1 everywhere: a weight moves by its rate, times the schedule's factor."""
    groups = [[nn.Parameter(torch.zeros(1))] for _ in range(3)]
    optimizer = torch.optim.SGD(discriminative(groups, 0.26))
    torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: slanted_triangular(step, 100))
    sum(group[0].sum() for group in groups).backward()
    optimizer.step()
    assert [-group[0].item() for group in groups] == pytest.approx([0.1 / 2.6 / 32, 0.1 / 32, 0.26 / 32])


def test_groups_of_a_classifier_are_all_that_its_loss_reaches(classifier):
    nn.functional.cross_entropy(classifier(IDS, LENGTHS), LABELS).backward()
    grouped = {id(parameter) for group in classifier.groups() for parameter in group}
    for name, parameter in classifier.named_parameters():
        assert (id(parameter) in grouped) == (parameter.grad is not None) == (name != "model.bias")
    assert [len(group) for group in classifier.groups()] == [1, 4, 4, 4, 8]


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_which_group_moved_in_which_epoch(classifier, name):
    """From the top, one more each epoch; two steps per epoch, so that the optimizer has something to remember."""
    optimizer = OPTIMIZERS[name](discriminative(classifier.groups(), 0.01))
    for epoch in range(7):
        unfreeze_gradually(classifier.groups(), epoch)
        for _ in range(2):
            assert moved(classifier, optimizer) == [level >= 5 - (epoch + 1) for level in range(5)]


@pytest.mark.parametrize("set_to_none", [True, False])
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_frozen_again_nothing_moves_by_itself(classifier, name, set_to_none):
    """Momentum, weight decay and a gradient left behind would all move a weight that only lost ``requires_grad``."""
    optimizer = OPTIMIZERS[name](discriminative(classifier.groups(), 0.01))
    for _ in range(3):
        assert moved(classifier, optimizer, set_to_none) == [True] * 5
    unfreeze_top(classifier.groups(), 2)
    for _ in range(2):
        assert moved(classifier, optimizer, set_to_none) == [False, False, False, True, True]
    unfreeze_top(classifier.groups(), 5)
    assert moved(classifier, optimizer, set_to_none) == [True] * 5


def test_every_weight_of_a_thawed_group_moves(classifier):
    unfreeze_gradually(classifier.groups(), 1)
    thawed = [parameter for group in classifier.groups()[3:] for parameter in group]
    assert all(parameter.requires_grad for parameter in thawed)
    assert sum(parameter.requires_grad for parameter in classifier.parameters()) == len(thawed) + 1  # the idle bias


def test_frozen_layers_still_drop_out(classifier):
    unfreeze_top(classifier.groups(), 1)
    classifier.train()
    first, second = (classifier.read(IDS, LENGTHS) for _ in range(2))
    assert not torch.equal(first, second)


def test_a_language_model_has_groups_too():
    model = AWDLSTM(PRESETS["smoke"])
    unfreeze_gradually(model.groups(), 0)
    learning = [name for name, parameter in model.named_parameters() if parameter.requires_grad]
    assert learning == ["bias", "token.embedding.weight"]


PARAMETER = nn.Parameter(torch.zeros(2, 3))


@pytest.mark.parametrize(
    ("groups", "message"),
    [
        ([], r"groups of \[\]"),
        ([[PARAMETER], []], r"groups of \[1, 0\]"),
        ([[PARAMETER], [PARAMETER]], r"shape \(2, 3\) in groups 0 and 1"),
    ],
    ids=["none", "empty", "twice"],
)
@pytest.mark.parametrize("use", [lambda groups: discriminative(groups, 0.1), lambda groups: unfreeze_top(groups, 1)])
def test_groups_that_cannot_be(use, groups, message):
    with pytest.raises(ValueError, match=message):
        use(groups)


@pytest.mark.parametrize(("rate", "factor"), [(0.0, 2.6), (0.1, 0.5)])
def test_rates_that_cannot_be(rate, factor):
    with pytest.raises(ValueError, match=f"got rate {rate} and factor {factor}"):
        discriminative([[PARAMETER]], rate, factor)


def test_numbers_of_groups_that_cannot_be():
    for number in (0, 2):
        with pytest.raises(ValueError, match=f"expected 1 to 1 groups, got {number}"):
            unfreeze_top([[PARAMETER]], number)
    with pytest.raises(ValueError, match="epoch: expected 0 or more, got -1"):
        unfreeze_gradually([[PARAMETER]], -1)
