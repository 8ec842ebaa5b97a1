"""Ids, hashes of names and times as JSON, by column and without a Python object for each.

What takes longest in a request is to write its texts. Each is written once for the row that it
belongs to, as bytes of a fixed width that NUL fills; a column of a request is rows of that table,
one behind the other, without the NULs. A row that was given to another has another id, and so other
texts.
"""

from __future__ import annotations

import datetime as dt
import functools
from collections.abc import Callable
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


def _column(quoted: NDArray[np.void]) -> bytes:
    """All of them as a JSON array."""
    return b"[%s]" % quoted.tobytes().replace(b"\0", b"")[:-1]


def column(texts: Bytes) -> bytes:
    """Texts as a JSON array."""
    return _column(_quoted(texts))


class Texts:
    """Texts by row, one of each of the ``writers``."""

    def __init__(self, *writers: Writer) -> None:
        self._writers = writers
        self._id = np.zeros(0, np.int64)
        # how wide a writer's texts are it says of no text, too
        self._texts = [_quoted(write(np.zeros(0, np.int64))) for write in writers]

    def __call__(self, rows: NDArray[Any], *numbers: NDArray[Any]) -> list[bytes]:
        """Texts of the numbers i8 or u8 (m,) that rows (m,) have now, a JSON array for each writer.

        The first numbers are the rows' ids: a row that keeps its id keeps all its texts.
        """
        self._grow(int(rows.max(initial=-1)) + 1)
        ids = numbers[0].view(np.int64)
        new = np.flatnonzero(self._id[rows] != ids)
        if len(new):
            self._id[rows[new]] = ids[new]
            for write, texts, given in zip(self._writers, self._texts, numbers, strict=True):
                texts[rows[new]] = _quoted(write(given[new]))
        return [_column(texts[rows]) for texts in self._texts]

    def _grow(self, size: int) -> None:
        more = size - len(self._id)
        if more > 0:
            more = max(more, len(self._id))
            self._id = np.append(self._id, np.full(more, NOBODY))
            self._texts = [np.append(each, np.zeros(more, each.dtype)) for each in self._texts]
