"""Ids, hashes of names and times as JSON, by column and without a Python object for each.

What takes longest in a request is to write its texts. Each is written once for the row that it
belongs to, as bytes of a fixed width that NUL fills; a column of a request is rows of that table,
one behind the other, without the NULs. A row that was given to another has another id, and so other
texts.
"""

from __future__ import annotations

import datetime as dt
import functools
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twin.ground.units import DAY, HOUR, MINUTE

Bytes = NDArray[np.uint8]
Writer = Callable[[NDArray[Any]], Bytes]
"""Texts of numbers (m,) as bytes u1 (m, width), filled with NUL behind what is shorter."""
NOBODY = -(2**63)
"""An id that no row has."""


def decimal(numbers: NDArray[np.uint64]) -> Bytes:
    """Numbers as decimal digits."""
    return numbers.astype("S20").view(np.uint8).reshape(-1, 20)


def hashed(numbers: NDArray[np.uint64]) -> Bytes:
    """What stands for the hash of a name: 16 hexadecimal digits of its number."""
    digits = numbers.astype(">u8").tobytes().hex().encode()
    return np.frombuffer(digits, np.uint8).reshape(-1, 16)


class Clock:
    """Writes times as ``2025-01-01 00:00:00``, from seconds since a date."""

    def __init__(self, start: dt.date) -> None:
        @functools.lru_cache
        def date(day: int) -> bytes:
            return str(start + dt.timedelta(days=day)).encode()

        self._date = date

    @functools.cached_property
    def _clock(self) -> Bytes:
        """The times of a day, u1 (DAY, 9)."""
        second = np.arange(DAY)
        parts = (second // HOUR, second // MINUTE % (HOUR // MINUTE), second % MINUTE)
        made = np.full((DAY, 9), ord(":"), np.uint8)
        made[:, 0] = ord(" ")
        for at, part in zip((1, 4, 7), parts, strict=True):
            made[:, at], made[:, at + 1] = ord("0") + part // 10, ord("0") + part % 10
        return made

    def __call__(self, seconds: NDArray[np.int64]) -> Bytes:
        """Texts of times i8 (m,)."""
        day, second = np.divmod(seconds, DAY)
        # posts that may be shown are of few days
        first, last = (int(day.min()), int(day.max())) if len(day) else (0, -1)
        dates = b"".join(self._date(each) for each in range(first, last + 1))
        made = np.empty((len(seconds), 19), np.uint8)
        made[:, :10] = np.frombuffer(dates, np.uint8).reshape(-1, 10)[day - first]
        made[:, 10:] = self._clock[second]
        return made


def _quoted(texts: Bytes) -> NDArray[np.void]:
    """The same as JSON texts (m,), each with the comma behind it."""
    width = texts.shape[1] + 3
    made = np.zeros((len(texts), width), np.uint8)
    made[:, 0] = made[:, -2] = ord('"')
    made[:, 1:-2], made[:, -1] = texts, ord(",")
    # rows of bytes are copied one by one, and these at once
    return made.view(f"V{width}")[:, 0]


def _array(quoted: NDArray[np.void]) -> bytes:
    """All of them as a JSON array."""
    return b"[%s]" % quoted.tobytes().replace(b"\0", b"")[:-1]


def json_array(texts: Bytes) -> bytes:
    """Texts as a JSON array."""
    return _array(_quoted(texts))


class Texts:
    """Texts by row, one of each of the ``writers``."""

    def __init__(self, *writers: Writer) -> None:
        self._writers = writers
        # how wide its texts are a writer says of no text, too
        none = [_quoted(write(np.zeros(0, np.int64))).dtype for write in writers]
        self._texts = [f"text{k}" for k in range(len(none))]
        # all of a row in one place, which is looked up once
        self._rows = np.zeros(0, [("id", np.int64), *zip(self._texts, none, strict=True)])

    def __call__(
        self,
        rows: NDArray[Any],
        ids: NDArray[np.uint64],
        numbers: Callable[[NDArray[np.int64]], Iterable[NDArray[Any]]],
    ) -> list[bytes]:
        """What rows (m,), whose ids these are, have as texts: a JSON array for each writer.

        ``numbers`` gives what each writer writes of some of them, by their places (k,): an i8 or u8
        (k,) each. A row that keeps its id keeps all its texts, and is not asked for again.
        """
        self._grow(int(rows.max(initial=-1)) + 1)
        known, now = self._rows[rows], ids.view(np.int64)
        new = np.flatnonzero(known["id"] != now)
        if len(new):
            known["id"][new] = now[new]
            for name, write, given in zip(self._texts, self._writers, numbers(new), strict=True):
                known[name][new] = _quoted(write(given))
            self._rows[rows[new]] = known[new]
        return [_array(known[name]) for name in self._texts]

    def _grow(self, size: int) -> None:
        more = size - len(self._rows)
        if more > 0:
            added = np.zeros(max(more, len(self._rows)), self._rows.dtype)
            added["id"] = NOBODY
            self._rows = np.append(self._rows, added)
