"""A command that runs beside a run: a process of its own, which reports each line that it prints
through a pipe.

It is the command line like any other, with its arguments and its exit status. When the other end of
the pipe is closed, or asks for it, it is interrupted as by Ctrl-C.
"""

from __future__ import annotations

import contextlib
import io
import os
import signal
import sys
import threading
from multiprocessing.connection import Connection
from typing import Any

from twin.cli import main as twin


class _Lines(io.RawIOBase):
    """A stream whose lines go through a pipe, each as ``(kind, (line,))``; nobody may listen any
    more."""

    def __init__(self, pipe: Connection[Any, Any], kind: str) -> None:
        self._pipe, self._kind, self._rest = pipe, kind, b""

    def writable(self) -> bool:
        """It is."""
        return True

    def write(self, data: Any) -> int:
        """Send what is whole."""
        *whole, self._rest = (self._rest + bytes(data)).split(b"\n")
        for line in whole:
            with contextlib.suppress(OSError):
                self._pipe.send((self._kind, (line.decode("utf-8", "replace"),)))
        return len(data)


def main(pipe: Connection[Any, Any], arguments: list[str]) -> None:
    """Entry point of the process. Messages are ``("said", (line,))`` and ``("complained", (line,))``;
    the last is ``("end", (status,))``."""
    # Ctrl-C in a terminal reaches all processes there; the page decides what becomes of this one
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    threading.Thread(target=_stop_when_asked, args=(pipe,), daemon=True).start()
    sys.stdout, sys.stderr = (
        io.TextIOWrapper(
            io.BufferedWriter(_Lines(pipe, kind)), encoding="utf-8", line_buffering=True
        )
        for kind in ("said", "complained")
    )
    status: Any = 0
    try:
        twin(arguments)
    except SystemExit as error:
        status = error.code or 0
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    with contextlib.suppress(OSError):
        pipe.send(("end", (status,)))


def _stop_when_asked(pipe: Connection[Any, Any]) -> None:
    """Whatever comes through the pipe, or its end, means stop."""
    with contextlib.suppress(EOFError, OSError):
        pipe.recv()
    os.kill(os.getpid(), signal.SIGTERM)
