"""Gradual unfreezing: the new layer learns first, then one old layer after the other, from the top down.

At first the new layer is random, and so is what it tells the layers below.  If all of them followed at once, they would
forget what they are wanted for (Howard & Ruder 2018, section 3.3).
"""

from qkv.transfer.param_groups import Groups, check


def unfreeze_gradually(groups: Groups, epoch: int) -> None:
    """In epoch 0 the top group learns, in epoch 1 the top two, …, in the end all.  Call it before every epoch.

    "We first unfreeze the last layer and fine-tune all unfrozen layers for one epoch" (section 3.3), then the next.

    Raises:
        ValueError: a negative epoch, or groups that ``qkv.transfer.param_groups.check`` refuses.
    """
    if epoch < 0:
        raise ValueError(f"epoch: expected 0 or more, got {epoch}")
    unfreeze_top(groups, min(epoch + 1, len(groups)))


def unfreeze_top(groups: Groups, number: int) -> None:
    """The top ``number`` groups learn, the others stand still, whatever the optimizer remembers.

    ``requires_grad = False`` alone is not enough: a gradient left from before would still be applied, and one of zeros
    still moves a weight by momentum and weight decay.  A weight without a gradient (None) is passed over by every
    optimizer of torch.  The dropouts of frozen layers go on in ``train()``, as in the published code.

    Raises:
        ValueError: a number below 1 or above that of the groups, or groups that ``check`` refuses.
    """
    check(groups)
    if not 1 <= number <= len(groups):
        raise ValueError(f"number: expected 1 to {len(groups)} groups, got {number}")
    first = len(groups) - number
    for level, group in enumerate(groups):
        for parameter in group:
            parameter.requires_grad_(level >= first)
            if level < first:
                parameter.grad = None
