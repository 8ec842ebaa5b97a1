"""What is known of a run's health now, gathered from its frames and readings, in wall-clock
time."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Mapping

from twin.ground.units import DAY
from twin.record.watch import Frame, RunInfo

WINDOW_S = 15.0
"""Wall-clock seconds over which the speed is taken."""


class Pulse:
    """What is known of a run's health now. Times are wall-clock: ``now`` in seconds of
    `time.monotonic`.

    ``beside()`` says what waits in the process beside the run, by name.
    """

    def __init__(self, info: RunInfo, beside: Callable[[], Mapping[str, int]] = dict) -> None:
        self.info, self.beside = info, beside
        self.began = self.moved = time.monotonic()
        self.moved_unix = time.time()
        """When simulated time last advanced, as seconds since 1970; at first, the beginning."""
        self.frame: Frame | None = None
        self.framed = self.began
        self.reading_s: int | None = None
        self._course: deque[tuple[float, int]] = deque()
        self._readings: deque[tuple[int, float]] = deque()

    def take(self, frame: Frame, now: float | None = None) -> None:
        """Note a frame."""
        now = time.monotonic() if now is None else now
        if self.frame is None or frame.now_s > self.frame.now_s:
            self.moved, self.moved_unix = now, time.time()
        self.frame, self.framed = frame, now
        self._course.append((now, frame.now_s))
        # One point from before the window stays: the difference begins there
        while len(self._course) > 2 and self._course[1][0] <= now - WINDOW_S:
            self._course.popleft()

    def reading(self, now_s: int, sessions: float) -> None:
        """Note a reading: its simulated time and the running total of sessions."""
        if self.reading_s is not None and now_s <= self.reading_s:
            self._readings.clear()
        self.reading_s = now_s
        self._readings.append((now_s, sessions))
        # Likewise one from before the last day
        while len(self._readings) > 2 and self._readings[1][0] <= now_s - DAY:
            self._readings.popleft()

    def speed(self, now: float) -> float:
        """Simulated seconds per second over the last WINDOW_S; falls to 0 when the run
        stalls."""
        if len(self._course) < 2:
            return float("nan")
        first = next(
            (point for point in reversed(self._course) if point[0] <= now - WINDOW_S),
            self._course[0],
        )
        return (self._course[-1][1] - first[1]) / max(now - first[0], 1e-9)

    def density(self) -> float:
        """Sessions per simulated second over the last simulated day of readings (or since the one
        before the last)."""
        if len(self._readings) < 2:
            return float("nan")
        (first, before), (last, after) = self._readings[0], self._readings[-1]
        return (after - before) / (last - first)

    def health(self, name: str) -> float:
        """A number of the latest frame's ``health``; NaN if it has none of that name."""
        return self.frame.health.get(name, float("nan")) if self.frame else float("nan")

    def by(self, prefix: str) -> dict[str, float]:
        """Those of the latest frame's ``health`` whose names begin so, by the rest of their
        names."""
        return {
            name.removeprefix(prefix): value
            for name, value in (self.frame.health if self.frame else {}).items()
            if name.startswith(prefix)
        }
