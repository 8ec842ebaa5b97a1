"""The readings of a run in order: from the run's folder, or from memory for those since its last
checkpoint.

The folder is the buffer of everything that is delivered late: it keeps each reading anyway, so no
memory grows while a receiver is down.
"""

from __future__ import annotations

import datetime as dt
import threading
from collections import deque
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from twin.ground.errors import UsageError
from twin.ground.units import at
from twin.record.watch import Rows
from twin.world.metric import label_text, metric_from_dict

Readings = tuple[NDArray[np.int64], NDArray[np.float64]]
"""Times (readings,) in seconds since the start, values (readings, series)."""
PIECE = 2**20
"""Values that are read at once, about."""


def declared(manifest: Mapping[str, Any]) -> Rows:
    """The series of a run in the order of its readings, from its manifest."""
    metrics = [metric_from_dict(data) for data in manifest["metrics"]]
    return [(metric, labels) for metric in metrics for labels in metric.series()]


def _files(folder: Path, after_s: int) -> list[Path]:
    """The files that hold the readings at ``after_s`` and later. A part is named by the time that
    all its readings precede."""
    whole = folder / "metrics.parquet"
    if whole.exists():
        return [whole]
    return [
        path
        for path in sorted((folder / "metrics").glob("part-*.parquet"))
        if int(path.stem.removeprefix("part-")) > after_s
    ]


def stored(
    folder: Path, start: dt.date, rows: Rows, after_s: int = -1, *, values: bool = True
) -> Iterator[Readings]:
    """The readings in a run folder at ``after_s`` and later, a piece at a time; without ``values``
    only the times, which is quicker.

    Raises UsageError if the folder has other series.
    """
    series, origin = len(rows), int(at(start, 0).timestamp())
    names = [(metric.name, label_text(labels)) for metric, labels in rows]
    try:
        for path in _files(folder, after_s):
            with pq.ParquetFile(path, page_checksum_verification=True) as file:
                if file.metadata.num_rows % series:
                    raise UsageError(
                        f"{path}: does not match the series that manifest.json declares"
                    )
                for piece in _pieces(file, path, names, origin, after_s, values):
                    yield piece
                    # where to continue if the parts become one file between two pieces
                    after_s = int(piece[0][-1]) + 1
    except FileNotFoundError:  # the run has just ended and its parts have become one file
        if not (folder / "metrics.parquet").exists():
            raise
        yield from stored(folder, start, rows, after_s, values=values)
    except (pa.ArrowException, ValueError, KeyError) as error:
        raise UsageError(f"{folder}: the readings cannot be read: {error}") from None


def _pieces(
    file: pq.ParquetFile,
    path: Path,
    names: list[tuple[str, str]],
    origin: int,
    after_s: int,
    values: bool,
) -> Iterator[Readings]:
    series, checked = len(names), not values
    # the rest of a batch that ends within a reading
    times, rest = np.zeros(0, np.int64), np.zeros(0)
    columns = ["time", *(["metric", "labels", "value"] if values else [])]
    for batch in file.iter_batches(max(1, PIECE // series) * series, columns=columns):
        times = np.concatenate([times, batch["time"].cast(pa.int64()).to_numpy()])
        rest = np.concatenate([rest, batch["value"].to_numpy()]) if values else rest
        # once per file: every reading has the same series in the same order
        if not checked and batch.num_rows >= series:
            found = zip(
                *(batch[name].slice(0, series).to_pylist() for name in ("metric", "labels")),
                strict=True,
            )
            if list(found) != names:
                raise UsageError(f"{path}: does not match the series that manifest.json declares")
            checked = True
        # whole readings only; the rest waits for the next batch
        whole = len(times) // series * series
        seconds = times[:whole:series] // 1000 - origin
        read = rest[:whole].reshape(-1, series) if values else np.zeros((len(seconds), 0))
        times, rest = times[whole:], rest[whole:]
        late = seconds >= after_s
        if late.any():
            yield seconds[late], read[late]


class Backlog:
    """The readings of a running simulation that a sender has not delivered yet. One thread adds,
    another takes."""

    def __init__(self, folder: Path, start: dt.date, rows: Rows, delivered_s: int) -> None:
        self._place = (folder, start, rows)
        self._memory: deque[tuple[int, NDArray[np.float64]]] = deque()
        self._changed = threading.Condition()
        self._delivered_s, self._closed = delivered_s, False
        self._disk: Iterator[Readings] | None = None
        # times of the last reading in the folder, and of the last one that was seen at all
        self._disk_s, self._seen_s, self.total, self.undelivered = -1, -1, 0, 0
        for times, _ in stored(*self._place, values=False):
            self._disk_s = self._seen_s = int(times[-1])
            self.total += len(times)
            self.undelivered += int((times > delivered_s).sum())

    def add(self, now_s: int, values: NDArray[np.float64]) -> None:
        """A new reading."""
        with self._changed:
            self._memory.append((now_s, values))
            # a resumed run computes readings again that were counted before
            self.total += now_s > self._seen_s
            self.undelivered += now_s > max(self._delivered_s, self._seen_s)
            self._seen_s = max(self._seen_s, now_s)
            self._changed.notify_all()

    def saved(self, before_s: int) -> None:
        """All readings before this time are in the folder now: drop them from memory."""
        with self._changed:
            while self._memory and self._memory[0][0] < before_s:
                self._disk_s = self._memory.popleft()[0]

    def delivered(self, now_s: int, count: int) -> None:
        """All readings up to this time have arrived, ``count`` more than before."""
        with self._changed:
            self._delivered_s = now_s
            self.undelivered -= count
            # the last one stays: it says which series had a value
            while len(self._memory) > 1 and self._memory[0][0] < now_s:
                self._memory.popleft()

    def close(self) -> None:
        """No more readings will come."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def take(self) -> Readings | None:
        """The next readings from the last delivered one on (that one included, if it is there),
        waiting for some; None at the end."""
        while True:
            with self._changed:
                after, disk = self._delivered_s, self._disk_s > self._delivered_s
                # copied under the lock; the arrays never change, so they are read without it
                kept = list(self._memory)
                if not disk and not (kept and kept[-1][0] > after):
                    if self._closed:
                        return None
                    self._changed.wait()
                    continue
            if not disk:
                return np.array([now for now, _ in kept]), np.array([values for _, values in kept])
            # None: the folder was read to its end, so look again where the next readings are
            if (piece := self._from_disk(after)) is not None:
                return piece

    def _from_disk(self, after: int) -> Readings | None:
        # one iterator to the end: a finished run is one file, which would be read from its start
        if self._disk is None:
            self._disk = stored(*self._place, after)
            found = next(self._disk, None)
            if found is None:
                raise UsageError(f"{self._place[0]}: readings after {after} s are missing")
            return found
        found = next(self._disk, None)
        # what was there when it was opened; the run may have saved more since
        if found is None:
            self._disk = None
        return found
