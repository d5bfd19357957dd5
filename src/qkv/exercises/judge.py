"""The one rule by which answers are compared and mistakes are named.  Standard library only.

An answer gives one outcome per probe.  It is right when every outcome equals the expected one; a mistake is named only
when its mutant gives the same outcome on *all* probes, to 1e-6.  A static page runs
this module too.
"""

import math
import numbers
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

TOLERANCE = 1e-6  # absolute below 1, relative above


@dataclass(frozen=True)
class Outcome:
    """What an answer did on one probe: numbers in a shape, an exception, or something that is no such thing."""

    shape: tuple[int, ...] = ()
    flat: tuple[float, ...] = ()
    dtype: str = ""
    device: str = ""
    raised: str = ""  # name of the exception's class
    text: str = ""  # the exception's message, first line
    problem: str = ""  # "a str", "a list that holds a str": no numbers to compare

    @property
    def finite(self) -> bool:
        """No NaN and no infinity."""
        return all(map(math.isfinite, self.flat))

    def plain(self) -> dict[str, Any]:
        """The same for JSON, where NaN and the infinities are strings."""
        if self.raised or self.problem:
            return {"raised": self.raised} if self.raised else {"problem": self.problem}
        return {"shape": list(self.shape), "flat": [x if math.isfinite(x) else str(x) for x in self.flat]}


def raised(error: BaseException) -> Outcome:
    """The outcome of a call that ended in an exception."""
    lines = str(error).strip().splitlines() or [""]
    return Outcome(raised=type(error).__name__, text=lines[0])


def read(value: Any) -> Outcome:
    """The outcome of a call that returned ``value``: a number, nested lists of numbers, a tensor, True or False.

    A tuple is judged by its first element, unless it is a row of plain numbers.
    """
    if isinstance(value, tuple) and value and not isinstance(value[0], numbers.Number):
        value = value[0]
    if hasattr(value, "detach") and hasattr(value, "tolist"):
        return _read_tensor(value)
    if isinstance(value, bool):
        return Outcome((), (float(value),), "bool")
    if isinstance(value, str | bytes | dict | set) or value is None:
        return Outcome(problem=f"a {type(value).__name__}" if value is not None else "None")
    try:
        value = _plain(value)
        shape = _shape(value)
        return Outcome(shape, tuple(_flatten(value)))
    except RecursionError:
        return Outcome(problem="a list that contains itself")
    except TypeError as error:
        return Outcome(problem=f"a list that holds {error}" if isinstance(value, list) else str(error))
    except ValueError as error:
        return Outcome(problem=str(error))


def _read_tensor(value: Any) -> Outcome:
    dtype, device = str(value.dtype).removeprefix("torch."), value.device.type
    if dtype == "bool" and not value.shape:
        return read(bool(value))
    if dtype.startswith("complex"):
        return Outcome(problem="a tensor of complex numbers")
    flat = () if device == "meta" else tuple(map(float, value.detach().reshape(-1).tolist()))
    return Outcome(tuple(value.shape), flat, dtype, device)


def _plain(value: Any) -> Any:
    """Arrays, and tensors in lists, as lists and numbers."""
    if hasattr(value, "tolist"):
        return value.tolist()
    return [_plain(item) for item in value] if isinstance(value, list | tuple) else value


def _shape(value: Any) -> tuple[int, ...]:
    if isinstance(value, numbers.Real):
        return ()
    if not isinstance(value, list | tuple):
        raise TypeError(f"a {type(value).__name__}")
    shapes = [_shape(item) for item in value]
    if len(set(shapes)) > 1:
        different = list(dict.fromkeys(map(_size, shapes)))
        raise ValueError(f"a list whose rows differ in length: {', '.join(different[:4])}")
    return (len(value), *(shapes[0] if shapes else ()))


def _size(shape: tuple[int, ...]) -> str:
    if not shape:
        return "a number"
    return str(shape[0]) if len(shape) == 1 else str(shape)


def _flatten(value: Any) -> Iterable[float]:
    if isinstance(value, numbers.Real):
        yield float(value)
    else:
        for item in value:
            yield from _flatten(item)


def close(a: float, b: float) -> bool:
    """Equal to 1e-6; NaN equals NaN, an infinity equals itself."""
    if math.isnan(a) or math.isnan(b):
        return math.isnan(a) and math.isnan(b)
    if math.isinf(a) or math.isinf(b):
        return a == b
    return abs(a - b) <= TOLERANCE * max(1.0, abs(a), abs(b))


def same(a: Outcome, b: Outcome) -> bool:
    """Whether two outcomes agree: the same exception, or the same numbers in the same shape on the same device."""
    if (a.raised, a.problem) != (b.raised, b.problem):
        return False
    return (a.shape, a.device) == (b.shape, b.device) and (a.flat == b.flat or all(map(close, a.flat, b.flat)))


def first_difference(given: Outcome, expected: Outcome) -> tuple[tuple[int, ...], float, float] | None:
    """Index, given and expected number at the first place where two outcomes of one shape differ."""
    for position, (a, b) in enumerate(zip(given.flat, expected.flat, strict=True)):
        if not close(a, b):
            return unravel(position, expected.shape), a, b
    return None


def unravel(position: int, shape: Sequence[int]) -> tuple[int, ...]:
    """The index of an entry, from its place in the flattened list."""
    index: list[int] = []
    for size in reversed(shape):
        position, rest = divmod(position, size)
        index.insert(0, rest)
    return tuple(index)
