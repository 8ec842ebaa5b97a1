"""The course of all series of a run from its start, in bounded memory, so that a page that is
opened late sees the whole of it."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from twin.ground.units import DAY, WEEK, at
from twin.readers.heads import Heads
from twin.record.results import Metrics, load_metrics
from twin.record.watch import RunInfo
from twin.world.metric import Metric

MOST = 601
"""Readings that are kept, an odd number. When they are full, every second one is dropped (the
newest stays), and from then on only every second reading is kept."""


class History:
    """Thinned readings of all series. The first reading and the latest are always among them."""

    def __init__(self, info: RunInfo, most: int = MOST) -> None:
        self.declared = list({metric.name: metric for metric, _ in info.rows}.values())
        self.index = {
            (metric.name, ", ".join(labels.values())): row
            for row, (metric, labels) in enumerate(info.rows)
        }
        """Row of a series in a reading, by metric and label values as `Metrics.lines` names
        them."""
        self.heads = Heads(info)
        """Every reading of the headlines: their changes are to the digit those of the report."""
        self.kept, self.taken, self.stride = 0, 0, 1
        """Readings that are kept; readings ever kept (also the number of the newest); how many
        readings one kept reading stands for."""
        self.moved = np.zeros(len(info.rows), bool)
        """Series that have changed since the second reading; at the first, nothing has happened
        yet."""
        # odd, so that dropping every second one keeps the first and the newest
        self._most, self._seen, self._start = most | 1, 0, info.start
        # one more than are kept: the latest
        self._times = np.zeros(self._most + 1, np.int64)
        self._values = np.zeros((self._most + 1, len(info.rows)))
        # of those that are kept
        self._numbers = np.zeros(self._most, np.int64)
        self._drawn = np.zeros((self._most, len(info.rows)))
        self._ahead = False  # whether the latest reading comes after the kept ones, not among them
        self._first: NDArray[np.float64] | None = None
        self._counter = np.array([metric.kind == "counter" for metric, _ in info.rows], bool)
        self._total = np.array([metric.total for metric, _ in info.rows], bool)

    @property
    def count(self) -> int:
        """Readings in `times` and `metrics`."""
        return self.kept + self._ahead

    def take(self, now_s: int, values: NDArray[np.float64]) -> bool:
        """Take a reading; returns whether it was kept. Repeated readings (of a resumed run) are
        ignored."""
        if self.count and now_s <= self._times[self.count - 1]:
            return False
        self.heads.take(now_s, values)
        # in the place after the kept ones, over the latest reading if that was not kept
        self._times[self.kept], self._values[self.kept] = now_s, values
        self._ahead = True
        keep = self._seen % self.stride == 0
        self._seen += 1
        if keep:
            self.kept, self._ahead, self.taken = self.kept + 1, False, self.taken + 1
            self._numbers[self.kept - 1], self._drawn[self.kept - 1] = self.taken, self._shown()
            self._move()
            if self.kept == self._most:
                self._halve()
        return keep

    def load(self, folder: Path) -> None:
        """Take the readings that a resumed run or a branch has in its folder from before. Raises
        UsageError."""
        metrics = load_metrics(folder)
        origin = np.datetime64(at(self._start, 0).replace(tzinfo=None), "s")
        seconds = (metrics.times - origin).astype(np.int64)
        for now_s, values in zip(seconds.tolist(), metrics.values, strict=True):
            self.take(now_s, values)

    def _move(self) -> None:
        if self.kept < 2:
            return
        shown = self._drawn[self.kept - 1]
        if self._first is None:
            self._first = shown.copy()
        # a series that begins late is compared with its own first value
        self._first = np.where(np.isfinite(self._first), self._first, shown)
        self.moved |= np.isfinite(shown) & (shown != self._first)

    def _halve(self) -> None:
        half = -(-self.kept // 2)
        for each in (self._times, self._values, self._numbers, self._drawn):
            # a copy, since source and target overlap
            each[:half] = each[: self.kept : 2].copy()
        self.kept, self.stride = half, self.stride * 2

    def since(
        self, number: int
    ) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]:
        """Readings that are kept, after that number: numbers (readings,), simulated times in
        milliseconds since 1970 (readings,), and values as pictures draw them (readings, series):
        running totals per day, by the rule of `results.per_day`, running totals of a distribution
        as what is new within a week, all else as it is.
        """
        first = int(np.searchsorted(self._numbers[: self.kept], number, side="right"))
        seconds = at(self._start, 0).timestamp() + self._times[first : self.kept].astype(np.float64)
        return self._numbers[first : self.kept], 1000 * seconds, self._drawn[first : self.kept]

    def _shown(self) -> NDArray[np.float64]:
        k = self.kept - 1
        row: NDArray[np.float64] = self._values[k].copy()
        if not k:
            row[self._counter] = np.nan
            return row
        # as `results.per_day`: the earliest reading within the span, at least the one before
        day, week = (
            min(int(np.searchsorted(self._times[:k], self._times[k] - span)), k - 1)
            for span in (DAY, WEEK)
        )
        row[self._counter] -= self._values[day, self._counter]
        row[self._counter] *= DAY / (self._times[k] - self._times[day])
        row[self._total] -= self._values[week, self._total]
        return row

    def ms(self) -> list[float]:
        """First and latest simulated time, in milliseconds since 1970."""
        first, last = (self._times[0], self._times[self.count - 1]) if self.count else (0, 0)
        return [at(self._start, int(when)).timestamp() * 1000 for when in (first, last)]

    def metrics(self) -> Metrics:
        """All that is kept, and the latest reading, as readers know it. It is a view: use it before
        the next reading is taken."""
        origin = np.datetime64(
            dt.datetime(self._start.year, self._start.month, self._start.day), "s"
        )
        return Metrics(
            self.declared,
            origin + self._times[: self.count].astype("timedelta64[s]"),
            self._values[: self.count],
        )

    def row(self, metric: Metric, label: str) -> int:
        """Where a series is in a reading."""
        return self.index[metric.name, label]
