"""Ctrl-C that arrives while a library works.

Python raises KeyboardInterrupt wherever the main thread happens to be. A library that is being
imported, or that Python calls through C, may swallow it, or make another error of it ("partially
initialized module ..."). Here it is noted when it comes, so that whatever it became is known for
what it was, and it is raised once more where nothing became of it.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

AGAIN_S = 0.05
"""How much later an interrupt that was swallowed comes again: out of the swallower's frame."""

_noted = threading.Event()


@contextmanager
def listening() -> Iterator[None]:
    """Note every Ctrl-C of the block; none is lost in a call from C."""
    before = signal.getsignal(signal.SIGINT)
    # another handler, or a process that was told to ignore it (a job in the background), stays
    if (
        before is not signal.default_int_handler
        or threading.current_thread() is not threading.main_thread()
    ):
        yield
        return
    hook, again = sys.unraisablehook, list[threading.Timer]()

    def unraisable(lost: Any) -> None:
        if issubclass(lost.exc_type, KeyboardInterrupt):
            # a signal, which also ends a call that waits
            again.append(threading.Timer(AGAIN_S, os.kill, (os.getpid(), signal.SIGINT)))
            again[-1].start()
        else:
            hook(lost)

    signal.signal(signal.SIGINT, _note)
    sys.unraisablehook = unraisable
    try:
        yield
    finally:
        # none may come when the command is over, nor be known to the next one
        for timer in again:
            timer.cancel()
        sys.unraisablehook = hook
        signal.signal(signal.SIGINT, before)
        _noted.clear()


def _note(number: int, frame: Any) -> None:
    _noted.set()
    raise KeyboardInterrupt


@contextmanager
def kept(but: tuple[type[Exception], ...] = ()) -> Iterator[None]:
    """An error after a Ctrl-C is a KeyboardInterrupt again, unless it says by its status that it is
    one, or is of the kinds ``but``."""
    try:
        yield
    except Exception as error:
        if not _noted.is_set() or getattr(error, "status", 0) == 130 or isinstance(error, but):
            raise
        raise KeyboardInterrupt from None


def check() -> None:
    """Before work becomes final: raise KeyboardInterrupt if a Ctrl-C came that was swallowed."""
    if _noted.is_set():
        raise KeyboardInterrupt


def answered() -> None:
    """The Ctrl-C was taken for what it was, and work goes on: a later error is one of its own."""
    _noted.clear()
