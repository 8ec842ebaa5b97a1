"""The process in which a run lives: its signals and its memory."""

from __future__ import annotations

import resource
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any


@contextmanager
def interrupts() -> Iterator[threading.Event]:
    """Turn the first Ctrl-C (or SIGTERM) into a flag; a second one falls through to Python."""
    asked = threading.Event()
    # Python sets signal handlers in the main thread only
    if threading.current_thread() is not threading.main_thread():
        yield asked
        return
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def ask(number: int, frame: Any) -> None:
        asked.set()
        # at once: a second Ctrl-C must end a process that does not reach its next barrier
        for each, handler in before.items():
            signal.signal(each, handler)

    for number in before:
        signal.signal(number, ask)
    try:
        yield asked
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def memory_mb() -> float:
    """Resident memory now (Linux), else the peak."""
    try:
        # the second number is the count of resident pages
        return (
            int(Path("/proc/self/statm").read_text(encoding="utf-8").split()[1])
            * resource.getpagesize()
            / 2**20
        )
    except OSError:
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        # bytes on macOS, kilobytes elsewhere
        return peak / 2**20 if sys.platform == "darwin" else peak / 1024
