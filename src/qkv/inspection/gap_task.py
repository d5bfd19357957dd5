"""A model too small to be useful and large enough to be fooled: it fills gaps in words, letter by letter.

It takes the function that makes the gaps as an argument, so that a right and a broken one can be trained side by side.
The training loss speaks about the gaps that this very function makes; ``three_questions`` asks every model the same.
"""

from collections.abc import Callable
from typing import Any, cast

import torch
from jaxtyping import Integer
from torch import Tensor, nn

IGNORED = -100
MakeGaps = Callable[[Tensor, Tensor, int, int, torch.Generator], tuple[Tensor, Tensor]]


def train_filler(
    model: nn.Module,
    make_gaps: MakeGaps,
    ids: Integer[Tensor, "n t"],
    mask_id: int,
    vocab_size: int,
    *,
    num_special: int = 5,
    num_steps: int = 400,
    batch_size: int = 64,
    peak_lr: float = 5e-3,
) -> list[float]:
    """Train the model on gaps drawn anew at each step; gives the loss of each step in nats per gap.

    The same rows are drawn whatever makes the gaps.  The rate rises for 40 steps and falls to 0.

    Args:
        model: has ``masked_loss(ids, labels)``, as ``BERTForPreTraining``.
        make_gaps: called as ``qkv.data.masking.mask_tokens``: ids, special_mask, mask_id, vocab_size, generator.
        num_special: ids below it are never to be guessed.
    """
    optimizer = torch.optim.AdamW(model.parameters(), lr=peak_lr, betas=(0.9, 0.98), fused=True)
    rows, gaps, losses = torch.Generator().manual_seed(0), torch.Generator().manual_seed(1), []
    for step in range(num_steps):
        for group in optimizer.param_groups:
            group["lr"] = peak_lr * min(1, (step + 1) / 40) * (1 - step / num_steps)
        batch = ids[torch.randint(len(ids), (batch_size,), generator=rows)]
        total, count = cast(Any, model).masked_loss(*make_gaps(batch, batch < num_special, mask_id, vocab_size, gaps))
        optimizer.zero_grad()
        (total / count.clamp(min=1)).backward()
        optimizer.step()
        losses.append(float(total.detach() / count.clamp(min=1)))
    return losses


@torch.no_grad()
def three_questions(
    model: nn.Module, ids: Integer[Tensor, "n t"], mask_id: int, vocab_size: int, *, num_special: int = 5
) -> dict[str, float]:
    """Nats per guess at 15 % of the places, in three disguises: behind the mask, as it is, behind another token."""
    generator = torch.Generator().manual_seed(0)
    chosen = (torch.rand(ids.shape, generator=generator) < 0.15) & (ids >= num_special)
    others = torch.randint(num_special, vocab_size, ids.shape, generator=generator)
    disguises = {"[MASK]": ids.masked_fill(chosen, mask_id), "itself": ids, "another": torch.where(chosen, others, ids)}
    labels, found = ids.masked_fill(~chosen, IGNORED), {}
    for name, seen in disguises.items():
        total, count = cast(Any, model.eval()).masked_loss(seen, labels)
        found[name] = float(total / count)
    return found
