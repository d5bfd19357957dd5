"""The sandbox: what it stops, what it restores, what it copies, and that timers set before go on."""

import random
import signal
import sys
import threading
import time

import numpy as np
import pytest
import torch

from qkv.exercises import sandbox


def spin(*arguments):
    while True:
        pass


def test_a_timer_that_was_set_before_goes_on():
    rings = []
    handler = signal.signal(signal.SIGALRM, lambda *_: rings.append(time.monotonic()))
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.4)
        started = time.monotonic()
        result, error = sandbox.survive(spin, seconds=0.1)
        assert result is None
        assert isinstance(error, sandbox.TimeLimit)
        while not rings and time.monotonic() - started < 5:
            time.sleep(0.01)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, handler)
    assert rings
    assert rings[0] - started >= 0.35


def test_no_timer_is_left_behind():
    handler = signal.getsignal(signal.SIGALRM)
    sandbox.survive(spin, seconds=0.05)
    assert signal.getsignal(signal.SIGALRM) is handler
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)


def test_except_exception_does_not_swallow_the_time_limit():
    def swallows():
        while True:
            try:
                spin()
            except Exception:
                continue

    assert isinstance(sandbox.survive(swallows, seconds=0.1)[1], sandbox.TimeLimit)


def test_a_bare_except_around_the_loop_ends_the_call_all_the_same():
    def swallows_once():
        try:
            spin()
        except:  # noqa: E722
            return "rescued"

    result, error = sandbox.survive(swallows_once, seconds=0.1)
    assert result == "rescued" or isinstance(error, sandbox.TimeLimit)


def test_a_thread_runs_without_a_timer():
    found = []
    thread = threading.Thread(target=lambda: found.append((sandbox.can_interrupt(), sandbox.survive(lambda: 7))))
    thread.start()
    thread.join()
    assert found == [(False, (7, None))]
    assert sandbox.can_interrupt()


def test_keyboard_interrupt_passes_and_system_exit_does_not():
    def interrupt():
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        sandbox.survive(interrupt)
    assert isinstance(sandbox.survive(lambda: exit(1))[1], SystemExit)


def test_state_is_kept_when_the_block_raises():
    torch.manual_seed(3)
    np.random.seed(3)
    random.seed(3)
    expected = torch.rand(2), np.random.rand(2), random.random()
    torch.manual_seed(3)
    np.random.seed(3)
    random.seed(3)

    def meddle():
        with sandbox.state_kept():
            assert torch.get_default_dtype() == torch.float64
            torch.rand(5), np.random.rand(5), random.seed(9)
            torch.set_default_dtype(torch.float16)
            raise ValueError("on purpose")

    with pytest.raises(ValueError, match="on purpose"):
        meddle()
    assert random.random() == expected[2]
    assert torch.rand(2).equal(expected[0])
    assert (np.random.rand(2) == expected[1]).all()
    assert torch.get_default_dtype() == torch.float32


def test_clones_share_no_memory():
    original = {"a": torch.ones(2, requires_grad=True), "b": [[1.0], (2.0,)], "c": None}
    copy = sandbox.clone(original)
    copy["a"].zero_()
    copy["b"][0][0] = 5.0
    assert original["a"].tolist() == [1, 1]
    assert original["b"] == [[1.0], (2.0,)]
    assert not copy["a"].requires_grad


def sleeps_and_swallows():
    while True:
        try:
            while True:
                time.sleep(0.001)
        except:  # noqa: E722
            pass


def spins_and_swallows():
    while True:
        try:
            while True:
                None  # noqa: B018
        except BaseException:
            continue


def swallows_twice():
    while True:
        try:
            try:
                while True:
                    time.sleep(0.001)
            except:  # noqa: E722
                pass
        except:  # noqa: E722
            pass


@pytest.mark.parametrize("stubborn", [sleeps_and_swallows, spins_and_swallows, swallows_twice])
def test_a_loop_that_swallows_every_interruption_is_stopped_each_time(stubborn):
    """It used to run on until an interruption happened to fall between two of its lines: up to a minute."""
    tracer = sys.gettrace()
    for _ in range(50):
        assert isinstance(sandbox.survive(stubborn, seconds=0.01)[1], sandbox.TimeLimit)
        assert signal.setitimer(signal.ITIMER_REAL, 0) == (0, 0)
        assert sys.gettrace() is tracer
