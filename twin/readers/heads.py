"""Every reading of a run's headline series, and what they are compared with (see `baseline`): what
the terminal and the live page keep of a run while it runs.

A resumed run begins with what is stored in its folder, so the process that reads it does not
matter.
"""

from __future__ import annotations

import datetime as dt

import numpy as np
from numpy.typing import NDArray

from twin.ground.units import at
from twin.readers.baseline import Mark, Windows, policies_in_force, took_effect
from twin.record.results import Metrics, load_events, load_some
from twin.record.watch import RunInfo

ROOM = 256
"""Readings for which there is room at first; it is doubled whenever it is full."""


class Heads:
    """The headline series of one run, whole, and the policies that took effect in it."""

    def __init__(self, info: RunInfo) -> None:
        self.info = info
        declared = {metric.name: metric for metric, _ in info.rows}.values()
        self.declared = [metric for metric in declared if metric.headline]
        self.marks: list[Mark] = []
        self.count = 0
        self._rows = [i for i, (metric, _) in enumerate(info.rows) if metric.headline]
        self._origin = np.datetime64(at(info.start, 0).replace(tzinfo=None), "s")
        self._times = np.zeros(ROOM, np.int64)
        self._values = np.zeros((ROOM, len(self._rows)))

    def load(self) -> list[tuple[dt.datetime, str, str]]:
        """Take what a resumed run stored before it was interrupted; returns its events. Raises
        UsageError where that cannot be read."""
        resumed = self.info.resumed_at_s
        if not resumed or not self.declared:
            return []
        metrics = load_some(self.info.out, [metric.name for metric in self.declared])
        seconds = (metrics.times - self._origin).astype(np.int64)
        for now_s, values in zip(seconds.tolist(), metrics.values, strict=True):
            if now_s <= resumed:
                self._keep(now_s, values)
        events = load_events(self.info.out)
        self.marks = policies_in_force(events)
        return events

    def take(self, now_s: int, values: NDArray[np.float64]) -> None:
        """Take a reading of all series (series,); repeated ones are ignored."""
        self._keep(now_s, values[self._rows])

    def _keep(self, now_s: int, values: NDArray[np.float64]) -> None:
        if self.count and now_s <= self._times[self.count - 1]:
            return
        if self.count == len(self._times):
            self._times = np.concatenate([self._times, np.zeros_like(self._times)])
            self._values = np.concatenate([self._values, np.zeros_like(self._values)])
        self._times[self.count], self._values[self.count] = now_s, values
        self.count += 1

    def mark(self, now_s: int, kind: str, text: str) -> None:
        """Note an event; only a policy that takes effect counts."""
        name = took_effect(kind, text)
        if name is not None:
            self.marks.append((at(self.info.start, now_s), name))

    def metrics(self) -> Metrics:
        """All readings so far. It is a view: use it before the next reading is taken."""
        times = self._origin + self._times[: self.count].astype("timedelta64[s]")
        return Metrics(self.declared, times, self._values[: self.count])

    def windows(self, metrics: Metrics) -> Windows:
        """What these readings are compared with."""
        return Windows(metrics, self.marks)
