"""A record of the answers of a service, by what was asked: a run that has it needs no service.

The file is a row of records, each written at once behind the last:

    4 bytes  "TWAN"
    1 byte   FAILED where the service had failed and others' scores were used, + PLAIN
    32 bytes SHA-256 of what was asked
    4 + 4    length and CRC-32 of what follows, little endian
    ...      float32 scores, little endian; without PLAIN compressed (zlib), as they once were

Compressed they take a fifth less room, and as long as all else that is done with an answer.

A record that a killed process left half written ends the file, and is cut off.
"""

from __future__ import annotations

import struct
import zlib
from pathlib import Path
from typing import BinaryIO, NamedTuple

import numpy as np
from numpy.typing import NDArray

NAME = "answers.bin"
"""Of the record in a run folder."""
FAILED, PLAIN = 1, 2
_MAGIC, _HEAD = b"TWAN", struct.Struct("<4sB32sII")


class Answer(NamedTuple):
    """What was answered: scores f4 (m,), and whether the service had failed."""

    scores: NDArray[np.float32]
    failed: bool


class Answers:
    """The record in a file; ``write`` adds to it, and makes it where there is none."""

    def __init__(self, path: Path, *, write: bool = False) -> None:
        self.path = path
        self._at: dict[bytes, tuple[int, int]] = {}
        if write:
            path.touch()
        self._file: BinaryIO = path.open("r+b" if write else "rb", buffering=0)
        end = self._look()
        if write:
            self._file.truncate(end)

    def __len__(self) -> int:
        return len(self._at)

    def _look(self) -> int:
        """Find all whole records; returns where they end."""
        end, size = 0, self.path.stat().st_size
        while end + _HEAD.size <= size:
            self._file.seek(end)
            magic, _, asked, length, _ = _HEAD.unpack(self._file.read(_HEAD.size))
            body = end + _HEAD.size
            if magic != _MAGIC or body + length > size:
                break
            self._at[asked] = body, length
            end = body + length
        return end

    def get(self, asked: bytes) -> Answer | None:
        """The answer to what has this digest, if there is one."""
        if asked not in self._at:
            return None
        place, length = self._at[asked]
        self._file.seek(place - _HEAD.size)
        _, kind, *_, crc = _HEAD.unpack(self._file.read(_HEAD.size))
        body = self._file.read(length)
        if zlib.crc32(body) != crc:
            return None
        scores = np.frombuffer(body if kind & PLAIN else zlib.decompress(body), "<f4")
        return Answer(scores.astype(np.float32), bool(kind & FAILED))

    def add(self, asked: bytes, answer: Answer) -> None:
        """Write an answer down."""
        body = answer.scores.astype("<f4").tobytes()
        kind = PLAIN | (FAILED if answer.failed else 0)
        head = _HEAD.pack(_MAGIC, kind, asked, len(body), zlib.crc32(body))
        place = self._file.seek(0, 2)
        # At once, so that a killed process leaves whole records and at most one half
        self._file.write(head + body)
        self._at[asked] = place + len(head), len(body)

    def close(self) -> None:
        """Close the file."""
        self._file.close()
