"""What a log adds up to while it is read: arrays by period that parts of the log add to.

A period is a day (several days in a log of more than MOST_PERIODS days). All sums are of whole
numbers but those of amounts and propensities; parts are added in a fixed order, so a log gives the
same bytes on any number of threads.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from twin.kernels.observing import COUNTS, DONE, pairs
from twin.observing import bins

MOST_PERIODS = 400
AGES = (0, 1, 2, 3, 7, 14, 28)
"""Days since somebody, or something, was first seen: least of each class."""
DEPTHS = (*range(10), 10, 15, 20, 30, 50, 100)
"""Impressions before this one in its session: least of each class."""
RATE = "rate:"
Key = tuple[str, str, str]
"""Of what, in which window, which quantity."""


@dataclass(frozen=True)
class Frame:
    """What all parts of a log share."""

    first: int
    """First day (since 1970)."""
    last: int
    step: int
    """Days of a period."""
    responses: tuple[str, ...]
    amounts: tuple[str, ...]
    keys: dict[str, int]
    """How many classes each cut has: all, hour, position, ..."""
    gap: int
    """Seconds."""
    users: bool
    clock: bool
    """Whether times say more than the day."""
    drop: bool
    """Whether repeated rows are dropped."""

    @property
    def periods(self) -> int:
        """How many periods."""
        return (self.last - self.first) // self.step + 1

    def period(self, day: NDArray[Any]) -> NDArray[np.int64]:
        """The period of days (n,)."""
        made: NDArray[np.int64] = (day.astype(np.int64) - self.first) // self.step
        return made

    def day(self, period: int) -> int:
        """Last day of a period."""
        return min(self.first + (period + 1) * self.step - 1, self.last)


class Group(NamedTuple):
    """A unit (a person, an item, ...) in one period; units stand together, periods in order."""

    first: NDArray[np.bool_]
    """Whether the unit was not seen before."""
    period: NDArray[np.int64]
    shown: NDArray[np.int64]
    known: NDArray[np.int64]
    """(n, responses)."""
    done: NDArray[np.int64]


@dataclass
class Tally:
    """Sums of a log, or of a part of it."""

    frame: Frame
    counts: dict[str, NDArray[Any]] = field(default_factory=dict)
    """By cut: (classes, periods) of `COUNTS`."""
    done: dict[str, NDArray[Any]] = field(default_factory=dict)
    """By cut: (classes, periods, responses) of `DONE`."""
    sessions: dict[str, NDArray[np.int64]] = field(default_factory=dict)
    """By cut: (classes, periods)."""
    amounts: dict[str, NDArray[np.float64]] = field(default_factory=dict)
    """By cut: (classes, periods, amounts, 3): known, sum, sum of squares."""
    histograms: dict[Key, NDArray[np.float64]] = field(default_factory=dict)
    """(periods, bins, 2): units and their total; of windows ``so far``, changes."""
    pairs: dict[str, NDArray[np.float64]] = field(default_factory=dict)
    """By unit: (periods, responses, 3): units with a pair, pairs, pairs in which both responded;
    as floats, since those of an item with 10^10 impressions do not fit into integers."""
    cohorts: NDArray[np.int64] | None = None
    """(first periods, periods, 3): people, impressions, sessions."""
    supply: dict[str, NDArray[np.int64]] = field(default_factory=dict)
    """Of items and makers: (periods, 2): shown, of these for the first time."""
    facts: Counter[str] = field(default_factory=Counter)

    def histogram(self, key: Key) -> NDArray[np.float64]:
        """A histogram, empty where it is new."""
        many = bins.SHARES if key[2].startswith(RATE) else bins.COUNTS
        return self.histograms.setdefault(key, np.zeros((self.frame.periods, many, 2)))

    def note(self, key: Key, period: NDArray[np.int64], values: NDArray[np.int64]) -> None:
        """Count values (n,), each in its period; those outside the log's days are left out."""
        inside = (period >= 0) & (period < self.frame.periods)
        _count(self.histogram(key), period[inside], bins.of_counts(values[inside]), values[inside])

    def spread(self, of: str, name: str, group: Group, values: NDArray[np.int64]) -> None:
        """Count a quantity of units (n,): in each period, and in all periods so far."""
        self.note((of, "day", name), group.period, values)
        after, before = _running(group.first, values)
        hist = self.histogram((of, "so far", name))
        _count(hist, group.period, bins.of_counts(after), after)
        old = ~group.first
        _count(hist, group.period[old], bins.of_counts(before[old]), before[old], -1)

    def shares(self, of: str, group: Group) -> None:
        """Count shares of responses of units, in all periods so far."""
        for r, name in enumerate(self.frame.responses):
            known, known_before = _running(group.first, group.known[:, r])
            done, done_before = _running(group.first, group.done[:, r])
            hist = self.histogram((of, "so far", RATE + name))
            for n, x, sign in ((known, done, 1), (known_before, done_before, -1)):
                fit = n >= bins.LEAST_FOR_SHARE
                at = bins.of_shares(np.minimum(x[fit], n[fit]), n[fit])
                _count(hist, group.period[fit], at, x[fit] / n[fit], sign)

    def pair(
        self,
        of: str,
        order: NDArray[np.int64],
        begins: NDArray[np.bool_],
        period: NDArray[np.int64],
        seen: NDArray[Any],
    ) -> None:
        """Add pairs of impressions within units, and in how many of them both got a response; see
        `twin.kernels.observing.pairs`."""
        many = len(self.frame.responses)
        table = self.pairs.setdefault(of, np.zeros((self.frame.periods, many, 3)))
        pairs(order, begins, period, seen, many, table)

    def add(self, other: Tally) -> None:
        """Add another part."""
        for name in ("sessions", "amounts", "histograms", "pairs", "supply"):
            mine, theirs = getattr(self, name), getattr(other, name)
            for key, array in theirs.items():
                mine[key] = mine[key] + array if key in mine else array
        for name, kind in (("counts", COUNTS), ("done", DONE)):
            mine, theirs = getattr(self, name), getattr(other, name)
            for key, array in theirs.items():
                if key not in mine:
                    mine[key] = array
                    continue
                for column in kind.names or ():
                    mine[key][column] += array[column]
        if other.cohorts is not None:
            self.cohorts = other.cohorts if self.cohorts is None else self.cohorts + other.cohorts
        self.facts.update(other.facts)


def _running(
    first: NDArray[np.bool_], values: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Sum within a unit up to each period, with it and without it."""
    total = np.cumsum(values)
    starts = np.flatnonzero(first)
    base = np.repeat((total - values)[starts], np.diff(np.append(starts, len(values))))
    after = total - base
    return after, after - values


def _count(
    into: NDArray[np.float64],
    period: NDArray[np.int64],
    at: NDArray[np.int64],
    values: NDArray[Any],
    sign: int = 1,
) -> None:
    shape = into.shape[:2]
    cell = period * shape[1] + at
    into[:, :, 0] += sign * np.bincount(cell, minlength=shape[0] * shape[1]).reshape(shape)
    into[:, :, 1] += sign * np.bincount(
        cell, values.astype(np.float64), shape[0] * shape[1]
    ).reshape(shape)
