"""Which split a text belongs to: decided by the text alone, so that it never depends on order, seed or machine."""

import hashlib
from collections.abc import Callable, Iterable
from typing import Any

Row = dict[str, Any]


def split_of(text: str, *, validation: float, test: float) -> str:
    """``"train"``, ``"validation"`` or ``"test"``; equal texts always share a split.

    The first eight bytes of the text's sha256, read as a fraction of 2⁶⁴, fall evenly in [0, 1).  The lowest ``test``
    of that range is the test split, the next ``validation`` is the validation split, the rest is for training.

    Raises:
        ValueError: the shares are negative or leave nothing for training.
    """
    if min(validation, test) < 0 or validation + test >= 1:
        raise ValueError(f"shares must be >= 0 and sum to less than 1, got validation={validation}, test={test}")
    fraction = int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") / 2**64
    if fraction < test:
        return "test"
    return "validation" if fraction < test + validation else "train"


def by_hash(rows: Iterable[Row], key: Callable[[Row], str], *, validation: float, test: float) -> dict[str, list[Row]]:
    """Deals rows into the three splits by the text that ``key`` picks; order within a split is kept."""
    splits: dict[str, list[Row]] = {"train": [], "validation": [], "test": []}
    for row in rows:
        splits[split_of(key(row), validation=validation, test=test)].append(row)
    return splits
