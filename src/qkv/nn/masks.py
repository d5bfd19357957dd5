"""Masks: which query may look at which key.

One convention in the whole course: a mask is boolean and **True means "may attend"**, as in
``torch.nn.functional.scaled_dot_product_attention``.  ``torch.nn.MultiheadAttention`` means the opposite (there True
blocks a key): invert with ``~`` before you hand a mask to it.  Masks are combined with ``&``:

    may_attend = causal(t) & not_padding(lengths, t)   # (t, t) & (b, 1, t) -> (b, t, t)
"""

from collections.abc import Sequence

import torch
from jaxtyping import Bool, Integer
from torch import Tensor


def causal(length: int) -> Bool[Tensor, "t t"]:
    """Each position may attend to itself and to what came before it (Vaswani et al. 2017, section 3.2.3).

    Row i asks, column j is read: True where j <= i.  ``nn.MultiheadAttention`` wants the opposite, ``~causal(t)``.

    Raises:
        ValueError: ``length`` is below 1.
    """
    if length < 1:
        raise ValueError(f"causal(length): expected a length of at least 1, got {length}")
    return torch.ones(length, length, dtype=torch.bool).tril()


def prefix(length: int, prefix_length: int) -> Bool[Tensor, "t t"]:
    """Each position may attend to the whole prefix, to itself and to what came before it.

    The first ``prefix_length`` positions so read each other in both directions, and the rest is causal: with a prefix
    of 0 or 1 the mask is ``causal(length)``, with one of ``length`` nothing is blocked.

    Source: the "prefix LM" of Raffel et al. (2020), section 3.2.1, figure 3.

    Raises:
        ValueError: ``length`` is below 1, or ``prefix_length`` is not between 0 and ``length``.
    """
    if not 0 <= prefix_length <= length:
        raise ValueError(f"prefix({length}, prefix_length): expected between 0 and {length}, got {prefix_length}")
    return causal(length) | (torch.arange(length) < prefix_length)  # (t, t) | (t): whole columns are opened


def not_padding(
    lengths: Sequence[int] | Integer[Tensor, " b"], max_length: int | None = None
) -> Bool[Tensor, "b 1 t_k"]:
    """Every query of a sequence may attend to its real keys, and to none of the padding behind them.

    Args:
        lengths: number of real tokens of each sequence in the batch; the padding stands after them.
        max_length: t_k, the padded length; by default that of the longest sequence.

    The axis of size 1 stands for the queries: a (b, t_k) mask would be read as (t_q, t_k) whenever b = t_q, silently.
    ``nn.MultiheadAttention`` wants the opposite, and no axis for the queries: ``~not_padding(lengths)[:, 0]``.

    Raises:
        TypeError: ``lengths`` are no whole numbers.
        ValueError: ``lengths`` is empty or has more than one axis, a length is below 1 (its queries would have nothing
            to attend to) or above ``max_length``; the message names the sequence.
    """
    lengths = torch.as_tensor(lengths)
    _check_lengths(lengths, max_length)
    position = torch.arange(max_length or int(lengths.max()), device=lengths.device)
    return position < lengths[:, None, None]  # (t_k) < (b, 1, 1) -> (b, 1, t_k)


def _check_lengths(lengths: Tensor, max_length: int | None) -> None:
    if lengths.ndim != 1 or len(lengths) == 0:
        raise ValueError(f"not_padding: expected one length per sequence, shape (b,), got shape {tuple(lengths.shape)}")
    if lengths.dtype == torch.bool or lengths.is_floating_point() or lengths.is_complex():
        raise TypeError(f"not_padding: expected lengths as whole numbers, got {lengths.dtype}")
    for index, length in enumerate(lengths.tolist()):
        if length < 1:
            raise ValueError(f"not_padding: sequence {index} has length {length}, expected at least 1")
        if max_length is not None and length > max_length:
            raise ValueError(f"not_padding: sequence {index} has length {length}, above max_length = {max_length}")
