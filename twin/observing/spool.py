"""Rows of a log on the disk, in parts that fit into memory: all rows of one key are in one part."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from twin.ground.errors import UsageError

Columns = dict[str, NDArray[Any]]
"""Fields of rows, each in one piece: what is read often is not picked out of records."""
SPREAD = (np.uint64(0x9E3779B97F4A7C15), np.uint64(0xC2B2AE3D27D4EB4F))
"""Odd numbers that spread keys."""
MOST = 1024
"""Parts; each is an open file."""


class Sorted(NamedTuple):
    """Rows (n,) by the part that they belong to, and where each part ends (parts,)."""

    rows: NDArray[Any]
    ends: NDArray[np.int64]


class Spool:
    """``parts`` (a power of two) files of rows, by a key that is spread evenly."""

    def __init__(self, folder: Path, parts: int, dtype: np.dtype[Any]) -> None:
        folder.mkdir(parents=True)
        self.paths = [folder / f"{i}" for i in range(parts)]
        self.dtype = dtype
        self._files = [path.open("wb") for path in self.paths]

    def sorted(self, rows: NDArray[Any], key: NDArray[np.uint64]) -> Sorted:
        """Rows (n,) by the part of their key (n,), for `add`; order is kept within a part."""
        parts = len(self.paths)
        if parts == 1:
            return Sorted(rows, np.array([len(rows)]))
        part = (key & np.uint64(parts - 1)).astype(np.uint16)
        ends = np.cumsum(np.bincount(part, minlength=parts))
        # in two bytes a stable sort counts, and is quick; take copies records as blocks
        return Sorted(rows.take(np.argsort(part, kind="stable")), ends)

    def add(self, found: Sorted) -> None:
        """Append rows, each to its part."""
        start = 0
        try:
            for file, end in zip(self._files, found.ends.tolist(), strict=True):
                if end > start:
                    found.rows[start:end].tofile(file)
                start = end
        except OSError as error:
            raise UsageError(
                f"{self.paths[0].parent}: cannot be written: {error.strerror} (give --out a place "
                f"with more room)"
            ) from None

    def close(self) -> None:
        """No more rows."""
        for file in self._files:
            file.close()

    def take(self, part: int) -> NDArray[Any]:
        """The rows of a part, which is then gone."""
        rows: NDArray[Any] = np.fromfile(self.paths[part], self.dtype)
        self.paths[part].unlink()
        return rows


def parts(rows: float, most_rows: int) -> int:
    """How many parts so many rows need."""
    wanted = 1
    while wanted * most_rows < rows and wanted < MOST:
        wanted *= 2
    return wanted


def grouped(
    key: NDArray[np.uint64], within: NDArray[np.int64] | None = None, most: int = 0
) -> NDArray[np.int64]:
    """An order (n,) in which equal keys (n,) stand together: by ``within`` (n,), which is at most
    ``most``, and else as they stood.

    All are sorted as one number, which is several times as quick as a stable sort; keys that
    differ in their last bits alone would be mixed, and are then sorted the slow way.
    """
    bits, second = len(key).bit_length(), most.bit_length()
    packed = np.arange(len(key), dtype=np.uint64)
    if within is not None:
        packed |= within.astype(np.uint64) << np.uint64(bits)
    shift = np.uint64(bits + second)
    packed |= key >> shift << shift
    packed.sort()
    order = (packed & np.uint64(2**bits - 1)).astype(np.int64)
    packed >>= shift
    found = key.take(order)
    if ((packed[1:] == packed[:-1]) & (found[1:] != found[:-1])).any():
        return np.lexsort((key,) if within is None else (within, key))
    return order
