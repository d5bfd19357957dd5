"""Run a learner's code so that nothing it does outlives the check: endless loops, random state, dtypes, exceptions.

Standard library only; torch and numpy are looked after when they are loaded.

An endless loop is stopped by a signal timer.  That works in the main thread on Linux, macOS and in notebooks there.
It does not work on Windows, in other threads, or while one single call into C runs (``10**10**9``): there a loop runs
until you interrupt it.
"""

import contextlib
import copy
import gc
import random
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any

TIME_LIMIT = 3.0  # seconds for everything that a learner's answer does in one check
REPEAT = 0.01  # seconds until code that swallowed the interruption is interrupted again
OURS = (__file__, contextlib.__file__)


class TimeLimit(BaseException):
    """The answer ran too long.  No subclass of Exception, so that ``except Exception`` does not swallow it."""


def can_interrupt() -> bool:
    """Whether an endless loop can be stopped here."""
    return hasattr(signal, "setitimer") and threading.current_thread() is threading.main_thread()


@contextlib.contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """Raise TimeLimit inside the block after ``seconds`` (where ``can_interrupt()``); a timer set before goes on."""
    if not can_interrupt():
        yield
        return
    collecting, running, tracer, interruptions = gc.isenabled(), True, sys.gettrace(), 0

    def interrupt(signum: int, frame: FrameType | None) -> None:
        nonlocal interruptions
        if not running:  # the signal came before the timer was stopped, its turn after: start no new one
            return
        gc.disable()  # an exception inside a callback of the collector would be lost, and printed
        signal.setitimer(signal.ITIMER_REAL, REPEAT)
        if frame is None or frame.f_code.co_filename not in OURS:  # never interrupt the clearing up below
            interruptions += 1
            _stop_at_line(frame, interruptions)
            raise TimeLimit

    started = time.monotonic()
    handler = signal.signal(signal.SIGALRM, interrupt)
    remaining, interval = signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        running = False
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, handler)
        sys.settrace(tracer)
        if collecting:
            gc.enable()
        if remaining:
            left = remaining - (time.monotonic() - started)
            signal.setitimer(signal.ITIMER_REAL, max(left, 5e-5), interval)


def _stop_at_line(frame: FrameType | None, number: int) -> None:
    """Raise TimeLimit again when the answer comes to its ``number``-th line from here.

    The first is inside the ``except`` that swallowed TimeLimit.  Where one ``except`` stands in another, a later line
    is outside of both; the number grows with every interruption, so its turn comes.

    Functions that are called from now on are not watched: they may be clearing up.
    """

    def stop(frame: FrameType, event: str, argument: Any) -> Any:
        nonlocal number
        number -= event == "line"
        if number == 0:
            raise TimeLimit
        return stop

    while frame is not None and frame.f_code.co_filename not in OURS:
        frame.f_trace = stop
        frame = frame.f_back
    sys.settrace(lambda frame, event, argument: None)


@contextlib.contextmanager
def state_kept() -> Iterator[None]:
    """Restore afterwards: the random states of Python, numpy and torch; torch's grad mode and default dtype.

    Inside, gradients are on and torch makes float64, so that equal formulas agree far beyond the tolerance.
    """
    numpy, torch = sys.modules.get("numpy"), sys.modules.get("torch")
    python_state, numpy_state = random.getstate(), numpy.random.get_state() if numpy else None
    with _torch_kept(torch) if torch else contextlib.nullcontext():
        try:
            yield
        finally:
            random.setstate(python_state)
            if numpy:
                numpy.random.set_state(numpy_state)


@contextlib.contextmanager
def _torch_kept(torch: Any) -> Iterator[None]:
    generator, dtype, grad = torch.get_rng_state(), torch.get_default_dtype(), torch.is_grad_enabled()
    torch.set_default_dtype(torch.float64)
    try:
        with torch.inference_mode(False):
            torch.set_grad_enabled(True)
            yield
    finally:
        torch.set_grad_enabled(grad)
        torch.set_default_dtype(dtype)
        torch.set_rng_state(generator)


def seed(number: int) -> None:
    """Seed every generator that is loaded, so that two calls of one function can be compared."""
    random.seed(number)
    if numpy := sys.modules.get("numpy"):
        numpy.random.seed(number)
    if torch := sys.modules.get("torch"):
        torch.default_generator.manual_seed(number)  # the CPU's alone: torch.manual_seed walks all backends


def clone(value: Any) -> Any:
    """A copy that shares no memory with ``value``: tensors, and lists, tuples and dictionaries of them."""
    if hasattr(value, "detach"):
        return value.detach().clone()
    if isinstance(value, list | tuple):
        return type(value)(clone(item) for item in value)
    if isinstance(value, dict):
        return {name: clone(item) for name, item in value.items()}
    return copy.deepcopy(value)


def survive(function: Callable[..., Any], *arguments: Any, seconds: float = TIME_LIMIT) -> tuple[Any, Any]:
    """Call and catch everything but KeyboardInterrupt; returns (result, None) or (None, what was raised)."""
    try:
        with time_limit(seconds):
            return function(*arguments), None
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # SystemExit, TimeLimit and a learner's own BaseException are answers too
        return None, error
