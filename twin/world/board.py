"""The value of every declared series in one float64 vector, in declared order.

Mechanisms write here at the metrics clock; readers get a copy from `snapshot`, so they see the old
values or the new, never half of each. Counts start at the scenario's start: mechanisms
write totals of the world's whole life, and `rebase`, called once when a warm-up ends, makes the
values at that moment the zero of every counter and of every histogram of events.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
from numpy.typing import NDArray

from twin.ground.errors import StateError, nearest
from twin.world.metric import Metric, label_text


class Board:
    """All metric values of one run.

    ``values`` float64 (series,); ``rows`` lists (metric, labels) in the same order.
    """

    def __init__(self, metrics: Iterable[Metric]) -> None:
        self.metrics: dict[str, Metric] = {}
        self.rows: list[tuple[Metric, dict[str, str]]] = []
        # Where the series of each metric begin, how many they are, and where each one is
        self._first: dict[str, int] = {}
        self._size: dict[str, int] = {}
        self._index: dict[tuple[str, str], int] = {}
        for metric in metrics:
            if metric.name in self.metrics:
                raise StateError(f"metric {metric.name} is declared twice")
            self.metrics[metric.name] = metric
            self._first[metric.name] = len(self.rows)
            for labels in metric.series():
                self._index[metric.name, label_text(labels)] = len(self.rows)
                self.rows.append((metric, labels))
            self._size[metric.name] = len(self.rows) - self._first[metric.name]
        self.values: NDArray[np.float64] = np.zeros(len(self.rows))
        self.zero: NDArray[np.float64] = np.zeros(len(self.rows))
        """Subtracted from every total that is written: its value when the warm-up ended; 0 for
        gauges and without a warm-up."""

    def _unknown(self, name: str, labels: dict[str, str]) -> StateError:
        if name not in self.metrics:
            return StateError(f"metric {name} is not declared ({nearest(name, self.metrics)})")
        known = [text for metric, text in self._index if metric == name]
        return StateError(
            f"metric {name} has no series {label_text(labels)!r} "
            f"({nearest(label_text(labels), known)})"
        )

    def index(self, name: str, **labels: str) -> int:
        """Place of a series in ``values``; raises StateError for a series that was not declared."""
        place = self._index.get((name, label_text(labels) if labels else ""))
        if place is None:
            raise self._unknown(name, labels)
        return place

    def set(self, name: str, value: float, **labels: str) -> None:
        """Set one series to a value (a counter to its running total)."""
        place = self.index(name, **labels)
        # Mechanisms count over the world's whole life, readers from the scenario's start
        self.values[place] = value - self.zero[place]

    def set_all(self, name: str, values: NDArray[np.float64] | list[float]) -> None:
        """Set every series of a metric, in declared order: the bins of a histogram, or one value
        per label."""
        if name not in self._first:
            raise self._unknown(name, {})
        first, size = self._first[name], self._size[name]
        if len(values) != size:
            raise StateError(f"metric {name} has {size} series, {len(values)} values were given")
        self.values[first : first + size] = (
            np.asarray(values, np.float64) - self.zero[first : first + size]
        )

    def get(self, name: str, **labels: str) -> float:
        """The value of one series now."""
        return float(self.values[self.index(name, **labels)])

    def total(self, name: str, **labels: str) -> float:
        """The running total of one series over the world's whole life, its warm-up included."""
        place = self.index(name, **labels)
        # The inverse of `set`
        return float(self.values[place] + self.zero[place])

    def rebase(self) -> None:
        """Count from now on: every total becomes zero."""
        # Gauges tell what is now, so they have no zero to count from
        counted = np.array([metric.counts for metric, _ in self.rows], bool)
        # values are totals less the old zero: added again, they are whole-life totals
        self.zero = np.where(counted, self.values + self.zero, 0.0)
        self.values[counted] = 0.0

    def snapshot(self) -> NDArray[np.float64]:
        """A copy of all values, safe to keep."""
        return self.values.copy()

    def describe(self) -> list[Mapping[str, str]]:
        """Name and labels of every series, for a checkpoint's schema."""
        return [
            {"metric": metric.name, "labels": label_text(labels)} for metric, labels in self.rows
        ]
