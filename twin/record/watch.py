"""What a running simulation reports to its watchers, and how.

A Watcher only listens: the simulation reads nothing from it. All calls come from the
run's own thread, in the order of simulated time, and must be quick; slow work (network, pages) is
done in another process, see `sidecar`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from twin.world.metric import Metric

Rows = Sequence[tuple[Metric, Mapping[str, str]]]


@dataclass(frozen=True)
class RunInfo:
    """What is about to run.

    ``rows`` are the declared series in the order of a reading's values; ``labels`` the run's
    identity (see `names`); ``out`` its folder; ``warm_up_s`` how long its world warms up before the
    start.
    """

    name: str
    start: dt.date
    duration_s: int
    resumed_at_s: int
    rows: Rows
    out: Path
    labels: Mapping[str, str] = field(default_factory=dict)
    warm_up_s: int = 0


@dataclass(frozen=True)
class Frame:
    """Where a run is: simulated and wall-clock seconds, sessions so far, the latest reading
    (series,), memory in MB.

    ``now_s`` counts from the scenario's start, and is negative while the world warms up. ``health``
    are numbers on the run itself, by name (see `health`). ``wall_s`` includes ``paused_s``, for
    which the run was paused by hand, and ``compiled_s``, in which kernels were compiled.
    """

    now_s: int
    wall_s: float
    sessions: int
    values: NDArray[np.float64]
    memory_mb: float
    health: Mapping[str, float] = field(default_factory=dict)
    paused_s: float = 0.0
    compiled_s: float = 0.0

    @property
    def paused(self) -> bool:
        """Whether the run is paused by hand now."""
        return bool(self.health.get("paused"))

    @property
    def point(self) -> tuple[float, int, int]:
        """A point of the course of which `pace` takes the speed: pauses are no part of it, nor is
        what is compiled once."""
        return self.wall_s - self.paused_s - self.compiled_s, self.now_s, self.sessions


def pace(course: Sequence[tuple[float, int, int]], duration_s: int) -> tuple[float, float]:
    """Sessions per wall-clock second and seconds left, from a course of (wall-clock s without
    pauses and compiling, simulated s, sessions), see `Frame.point`; 0 and NaN if it makes no progress."""
    if not course or course[-1][0] <= course[0][0] or course[-1][1] <= course[0][1]:
        return 0.0, float("nan")
    (w0, n0, s0), (w1, n1, s1) = course[0], course[-1]
    return (s1 - s0) / (w1 - w0), (duration_s - n1) * (w1 - w0) / (n1 - n0)


class Watcher:
    """Something that watches a run; each call does nothing unless it is overridden."""

    def begin(self, info: RunInfo) -> None:
        """The run starts, or resumes."""

    def reading(self, now_s: int, values: NDArray[np.float64]) -> None:
        """A reading of all series (series,) at a simulated time; the array is never changed
        afterwards."""

    def mark(self, now_s: int, kind: str, text: str) -> None:
        """An event of the simulation: a policy took effect, a migration began."""

    def update(self, frame: Frame) -> None:
        """Called about once per simulated hour, and several times a second while the run is
        paused."""

    def saved(self, now_s: int) -> None:
        """Every reading and mark before this time is in the run folder now."""

    def note(self, text: str) -> None:
        """One line for the user."""

    def end(self, text: str) -> None:
        """The run ended or was interrupted; ``text`` says how."""

    def undone(self) -> list[str]:
        """After the end: what was asked of it and not done, a line each."""
        return []


class Watchers(Watcher):
    """Several watchers as one."""

    def __init__(self, *those: Watcher) -> None:
        self.those = those

    def begin(self, info: RunInfo) -> None:
        """Pass it on to all."""
        for each in self.those:
            each.begin(info)

    def reading(self, now_s: int, values: NDArray[np.float64]) -> None:
        """Pass it on to all."""
        for each in self.those:
            each.reading(now_s, values)

    def mark(self, now_s: int, kind: str, text: str) -> None:
        """Pass it on to all."""
        for each in self.those:
            each.mark(now_s, kind, text)

    def update(self, frame: Frame) -> None:
        """Pass it on to all."""
        for each in self.those:
            each.update(frame)

    def saved(self, now_s: int) -> None:
        """Pass it on to all."""
        for each in self.those:
            each.saved(now_s)

    def note(self, text: str) -> None:
        """Pass it on to all."""
        for each in self.those:
            each.note(text)

    def end(self, text: str) -> None:
        """Pass it on to all."""
        for each in self.those:
            each.end(text)

    def undone(self) -> list[str]:
        """That of all."""
        return [line for each in self.those for line in each.undone()]
