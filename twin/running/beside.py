"""A branch that runs beside the run it was forked from: a process of its own, which reports every
reading through a pipe.

It is `resume` like any other, on one thread, so the branch ends with the bytes that `twin resume`
gives. It goes after the run where processors are few, with the priority of the process that began
it. When the other end of the pipe is closed, or asks for it, the branch is interrupted as by
Ctrl-C: it stops with a checkpoint and can be resumed.
"""

from __future__ import annotations

import contextlib
import os
import signal
import threading
import time
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twin.ground.errors import TwinError
from twin.record.watch import Frame, RunInfo, Watcher
from twin.running.drive import resume

SHOW_S = 0.25
"""Wall-clock seconds between two frames that are sent."""
ASK_S = 0.2
"""Wall-clock seconds between two requests to stop: the first may come before the run listens."""


class Told(Watcher):
    """Sends what happens through a pipe; nothing of it can stop the branch."""

    def __init__(self, pipe: Connection[Any, Any]) -> None:
        self.pipe, self.shown_wall = pipe, 0.0

    def say(self, kind: str, *data: Any) -> None:
        """Send a message; nobody may listen any more."""
        with contextlib.suppress(OSError):
            self.pipe.send((kind, data))

    def begin(self, info: RunInfo) -> None:
        """Pass it on."""
        self.say("begin", info)

    def reading(self, now_s: int, values: NDArray[np.float64]) -> None:
        """Pass it on."""
        self.say("reading", now_s, values)

    def mark(self, now_s: int, kind: str, text: str) -> None:
        """Pass it on."""
        self.say("mark", now_s, kind, text)

    def update(self, frame: Frame) -> None:
        """Say where the branch is, a few times a second."""
        if time.monotonic() - self.shown_wall >= SHOW_S:
            self.shown_wall = time.monotonic()
            self.say("update", frame.now_s)


def main(pipe: Connection[Any, Any], folder: Path, pace: float | None) -> None:
    """Entry point of the process. The last message is ``("end", status)`` or ``("error", text)``."""
    # Ctrl-C in a terminal reaches all processes there; the page decides what becomes of branches
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    threading.Thread(target=_stop_when_asked, args=(pipe,), daemon=True).start()
    told = Told(pipe)
    try:
        outcome = resume(folder, watcher=told, pace=pace)
        told.say("end", outcome.status)
    except TwinError as error:
        told.say("error", str(error))
    except Exception as error:
        told.say("error", f"{type(error).__name__}: {error} (a bug in twin, please report it)")


def _stop_when_asked(pipe: Connection[Any, Any]) -> None:
    """Whatever comes through the pipe, or its end, means stop."""
    with contextlib.suppress(EOFError, OSError):
        pipe.recv()
    while True:
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(ASK_S)
