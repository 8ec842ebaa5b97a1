"""How long this process has compiled kernels or read their machine code, which is no part of the
speed of a run: the first hours of a run on a new machine take minutes, and later ones milliseconds.

It stands apart from `compiled`, on which the kept machine code of every kernel depends.
"""

from __future__ import annotations

import time
from typing import Any

from numba.core import event

LOCK = "numba:compiler_lock"
"""numba's event around everything that its compiler does, also for what it finds compiled."""


class _Clock(event.Listener):
    """Adds up the outermost of these events: compiling one kernel compiles others inside."""

    def __init__(self) -> None:
        self.seconds, self._depth, self._began = 0.0, 0, 0.0

    def on_start(self, event: Any) -> None:
        """The compiler begins, or one kernel needs another."""
        if self._depth == 0:
            self._began = time.monotonic()
        self._depth += 1

    def on_end(self, event: Any) -> None:
        """It ends."""
        self._depth -= 1
        if self._depth == 0:
            self.seconds += time.monotonic() - self._began


_clock = _Clock()
event.register(LOCK, _clock)  # type: ignore[no-untyped-call]


def compiled_s() -> float:
    """Wall-clock seconds that this process has spent so, since this module was imported."""
    return _clock.seconds
