"""Who gains, who loses: how the means of groups of creators and of consumers moved between the two
spans of time of a report (`baseline`), and the Lorenz curves of both.

The metrics are those that say by which label they split (``Metric.split``). A group of a few dozen
creators moves with each of them, for weeks: so its move is beyond noise where the rule of `moves`
says so, and it also exceeds SPREADS standard deviations of the weekly means before the last policy
(of all weeks, if there was none; at least WEEKS of them).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twin.readers.baseline import WEEK, Windows
from twin.readers.chapters import Series
from twin.readers.moves import Move, move_of
from twin.readers.panels import label_words, title, tone
from twin.readers.text import change, human
from twin.record.results import Metrics
from twin.world.metric import Metric

SPREADS, WEEKS = 3.0, 4
CURVE = "tenth"
"""The split whose readings are the steps of a Lorenz curve."""


@dataclass(frozen=True)
class Fortune:
    """One quantity of one group: means of both spans, and its move if that is beyond noise."""

    metric: Metric
    label: str
    before: float
    after: float
    move: Move | None

    @property
    def quantity(self) -> str:
        """What the group has of it: ``Reach``."""
        return quantity(title(self.metric))

    @property
    def tone(self) -> str:
        """``good`` or ``bad`` for the group; ``flat`` where it may be noise."""
        return tone(self.metric, self.before, self.after) if self.move else "flat"

    @property
    def percent(self) -> float:
        """The change in percent; NaN from nothing."""
        if not (np.isfinite(self.before) and self.before > 0):
            return float("nan")
        return (self.after / self.before - 1) * 100

    @property
    def sentence(self) -> str:
        """``the highest tenth by followers: reach +34 % (12 to 16.1 impressions)``."""
        unit = "" if self.metric.unit == "1" else f" {self.metric.unit}"
        return (
            f"{group_words(self.metric.split, self.label)}: {self.quantity.lower()} "
            f"{change(self.before, self.after)} ({human(self.before)} to {human(self.after)}{unit})"
        )


@dataclass(frozen=True)
class Split:
    """One way to split a side, with the fortunes of its groups, quantity by quantity."""

    side: str
    name: str
    fortunes: tuple[Fortune, ...]


def quantity(words: str) -> str:
    """The name of a mean or a share by group, without what it is split by: ``Reach``."""
    return words.partition(" by ")[0].removesuffix(" share")


def curve(steps: NDArray[np.float64]) -> NDArray[np.float64]:
    """Lorenz curves (parts + 1, ...) from their steps (parts, ...)."""
    return np.concatenate([np.zeros((1, *steps.shape[1:])), np.cumsum(steps, axis=0)])


def group_words(split: str, label: str) -> str:
    """A group as people say it: ``highest tenth by followers``, ``community 3``, ``AI``."""
    words = label_words(label)
    if split in ("followers", "activity"):
        return f"{words} by {split}"
    if split == "community":
        return f"community {words}" if words.isdigit() else f"{words} communities"
    return {
        "age": f"creators in their {words}"
        if words.startswith("first")
        else f"creators of {words}",
        "kind": f"{words} creators",
        "opinion": f"people on the {words}" if words != "middle" else "people in the middle",
        "tenure": "newcomers" if words.startswith("new") else "settled people",
    }.get(split, words)


def splits(metrics: Metrics, windows: Windows, side: str) -> list[Split]:
    """Every way in which a side is split, with those groups that had readings in both spans."""
    made: dict[str, list[Fortune]] = {}
    for metric in metrics.declared.values():
        if metric.side == side and metric.split and metric.split != CURVE:
            made.setdefault(metric.split, []).extend(_fortunes(metrics, windows, metric))
    return [Split(side, name, tuple(found)) for name, found in made.items() if found]


def _fortunes(metrics: Metrics, windows: Windows, metric: Metric) -> Iterator[Fortune]:
    for label, values in metrics.lines(metric.name):
        before, after = windows.values(values)
        if np.isfinite(before) and np.isfinite(after):
            move = move_of(Series(metric, label, values), metric.panel, windows)
            if abs(after - before) <= SPREADS * _usual(values, windows):
                move = None
            yield Fortune(metric, label, before, after, move)


def _usual(values: NDArray[np.float64], windows: Windows) -> float:
    """Standard deviation of weekly means before the last policy, or of all; infinite where these
    are too few."""
    times = windows.times
    end = windows.policy if windows.policy is not None else times[-1]
    week = ((end - times) // WEEK).astype(np.int64)
    # what was read after the policy, and the first reading of all, are no part of it
    use = (times <= end) & np.isfinite(values)
    use[0] = False
    n, total = (np.bincount(week[use], weights=each) for each in (None, values[use]))
    means = total[n > 0] / n[n > 0]
    return float(means.std(ddof=1)) if len(means) >= WEEKS else float("inf")


def lorenz(
    metrics: Metrics, windows: Windows
) -> list[tuple[str, NDArray[np.float64], NDArray[np.float64]]]:
    """Name and Lorenz curve (11,) of the span before and of the last, per quantity."""
    made = []
    for metric in metrics.declared.values():
        if metric.split == CURVE:
            both = np.array([windows.values(values) for _, values in metrics.lines(metric.name)])
            if np.isfinite(both).all():
                before, after = curve(both).T
                made.append((quantity(title(metric)), before, after))
    return made


def extremes(found: Sequence[Split], better: bool, most: int) -> list[Fortune]:
    """The groups that gained (or lost) most beyond noise: no two of one split."""
    moved = [
        one
        for split in found
        for one in split.fortunes
        # cohorts pass from one group to the next: theirs is nobody's gain
        if one.move and not one.metric.moves and one.tone == ("good" if better else "bad")
    ]
    moved.sort(key=lambda one: -one.move.size if one.move else 0.0)
    chosen: list[Fortune] = []
    for one in moved:
        if len(chosen) < most and all(one.metric.split != other.metric.split for other in chosen):
            chosen.append(one)
    return chosen
