"""A scenario from standard input, for which ``-`` stands on the command line.

Its errors name ``<stdin>``; what it extends or uses is relative to the current folder. It is read
once: a command that loads its scenario for several worlds finds the same text each time.
"""

from __future__ import annotations

import io
import sys
from pathlib import Path
from typing import Any

DASH = "-"
PATH = Path("<stdin>")
"""The file that the scenario is said to come from."""

_read: tuple[Any, bytes] | None = None
"""The stream that was read, and what it held."""


def opened(most: int) -> io.BytesIO:
    """The first bytes of standard input, ``most`` at most. Raises OSError where it is closed or
    cannot be read."""
    global _read
    stream = sys.stdin
    if stream is None or stream.closed:
        raise OSError("it is closed")
    if _read is None or _read[0] is not stream:
        _read = stream, stream.buffer.read(most)
    return io.BytesIO(_read[1])
