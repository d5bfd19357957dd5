"""The numbers behind the figure "families": six words, four ways to read them, and what each way is made for."""

from dataclasses import dataclass
from typing import Final

import torch
from jaxtyping import Bool
from torch import Tensor

from qkv.nn import masks

WORDS: Final = ("the", "cat", "sleeps", "le", "chat", "dort")
SOURCE: Final = 3  # the first text; the second is its translation
TASKS: Final = (
    "sentence classification",
    "word classification, names",
    "answer cut out of a passage",
    "writing on",
    "summarising",
    "translating",
    "answer in own words",
)
MADE, DETOUR, NOT = "made for it", "by a detour", "not as it stands"


@dataclass(frozen=True)
class Family:
    """How it reads, in words, and for each of ``TASKS`` whether it is made for it."""

    reads: str
    fit: tuple[str, ...]


_WRITES_AFTER_READING: Final = (DETOUR,) * 4 + (MADE,) * 3
FAMILIES: Final = {
    "encoder-only": Family("every word reads every word", (MADE,) * 3 + (NOT,) * 4),
    "decoder-only": Family("every word reads itself and what came before", (DETOUR,) * 3 + (MADE,) + (DETOUR,) * 3),
    "prefix": Family("the first text is read both ways, the second as it is written", _WRITES_AFTER_READING),
    "encoder–decoder": Family(
        "one stack reads the first text both ways, another writes the second and reads both", _WRITES_AFTER_READING
    ),
}


def mask(family: str) -> Bool[Tensor, "t t"]:
    """Who may read whom, from ``qkv.nn.masks``.

    Encoder and decoder are two stacks, so theirs is put together of four pieces: the encoder's own mask, nothing from
    the second text for the first, all of the first for the second, and the decoder's causal mask.

    Raises:
        KeyError: no such family.
    """
    length, rest = len(WORDS), len(WORDS) - SOURCE
    return {
        "encoder-only": lambda: torch.ones(length, length, dtype=torch.bool),
        "decoder-only": lambda: masks.causal(length),
        "prefix": lambda: masks.prefix(length, SOURCE),
        "encoder–decoder": lambda: torch.cat(
            [
                torch.cat([torch.ones(SOURCE, SOURCE), torch.zeros(SOURCE, rest)], dim=1).bool(),
                torch.cat([torch.ones(rest, SOURCE).bool(), masks.causal(rest)], dim=1),
            ]
        ),
    }[family]()
