"""A Ctrl-C that a library swallows or turns into another error is a Ctrl-C all the same."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import time

import pytest

from tests.conftest import PATIENCE_S
from twin.ground import interrupts
from twin.ground.errors import UsageError


class Interrupted(UsageError):
    status = 130


def pressed() -> None:
    os.kill(os.getpid(), signal.SIGINT)


def swallowed(then: Exception) -> None:
    """What a library does that clears an interrupt while it is imported, and then misses a part."""
    with contextlib.suppress(KeyboardInterrupt):
        pressed()
    raise then


@pytest.mark.parametrize("then", [AttributeError("partially initialized"), UsageError("damaged")])
def test_an_error_that_an_interrupt_became_is_an_interrupt(then: Exception) -> None:
    with interrupts.listening(), pytest.raises(KeyboardInterrupt), interrupts.kept():
        swallowed(then)


@pytest.mark.parametrize("then", [Interrupted("interrupted"), KeyError("an end")])
def test_what_says_so_itself_stays(then: Exception) -> None:
    with interrupts.listening(), pytest.raises(type(then)), interrupts.kept(but=(KeyError,)):
        swallowed(then)


def test_errors_of_their_own_stay() -> None:
    """Without an interrupt, after one that was answered, and in the next command."""
    with interrupts.listening():
        with pytest.raises(AttributeError), interrupts.kept():
            raise AttributeError
        with pytest.raises(KeyboardInterrupt):
            pressed()
        interrupts.answered()
        with pytest.raises(AttributeError), interrupts.kept():
            raise AttributeError
        with pytest.raises(KeyboardInterrupt):
            pressed()
    with interrupts.listening(), pytest.raises(AttributeError), interrupts.kept():
        raise AttributeError


def test_one_that_was_swallowed_is_raised_before_work_becomes_final() -> None:
    with interrupts.listening():
        interrupts.check()
        with contextlib.suppress(KeyboardInterrupt):
            pressed()
        with pytest.raises(KeyboardInterrupt):
            interrupts.check()


def test_one_that_came_within_c_comes_again() -> None:
    """Python drops what is raised in a function that C calls; here it comes a moment later."""

    def called_from_c() -> None:
        pressed()
        time.sleep(PATIENCE_S)  # the interrupt is raised here, and ends in ctypes

    with interrupts.listening(), pytest.raises(KeyboardInterrupt):
        ctypes.CFUNCTYPE(None)(called_from_c)()
        time.sleep(PATIENCE_S)


def test_what_a_process_was_told_to_ignore_stays_ignored() -> None:
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with interrupts.listening():
            pressed()
        assert signal.getsignal(signal.SIGINT) == signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, before)
