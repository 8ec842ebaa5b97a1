"""The chapters of a side from what was read: pictures of series that moved, a list of those that
did not.

A series that never moved says nothing in a picture, so constant series are listed, not drawn.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from twin.readers.panels import (
    by_heading,
    groups,
    label_words,
    picture_title,
    standard_errors,
    title,
    unit,
)
from twin.readers.text import human
from twin.record.results import Metrics
from twin.world.arms import MAIN
from twin.world.metric import Metric


@dataclass(frozen=True)
class Series:
    """One line of a picture: its metric, its label values as one text, and what was read
    (readings,)."""

    metric: Metric
    label: str
    values: NDArray[np.float64]

    @property
    def name(self) -> str:
        """Metric and label, as people read them."""
        return title(self.metric, self.label)


@dataclass(frozen=True)
class Picture:
    """What shares one set of axes: series of one unit, or histograms with the same bins.

    ``key`` is an id for HTML; ``within`` what all labels begin with, which the title already says.
    """

    key: str
    title: str
    metrics: tuple[Metric, ...]
    series: tuple[Series, ...] = ()
    errors: tuple[Series | None, ...] = ()
    within: str = ""


@dataclass(frozen=True)
class Chapter:
    """A heading with its pictures, and the names of series that are listed instead: at zero,
    constant (with the value), never read."""

    heading: str
    pictures: tuple[Picture, ...]
    at_zero: tuple[str, ...]
    constant: tuple[str, ...]
    unread: tuple[str, ...]

    @property
    def quiet(self) -> str:
        """Sentences that list the series that are not drawn; empty if all are."""
        listed = (
            ("At zero throughout", self.at_zero),
            ("Unchanged throughout", self.constant),
            ("Never read", self.unread),
        )
        return " ".join(f"{words}: {', '.join(names)}." for words, names in listed if names)


def chapters(metrics: Metrics, side: str) -> list[Chapter]:
    """The headings of a side in the order of its story."""
    return [
        _chapter(metrics, heading, mine)
        for heading, mine in by_heading(metrics.declared.values(), side)
    ]


def _chapter(metrics: Metrics, heading: str, mine: Sequence[Metric]) -> Chapter:
    at_zero: list[str] = []
    constant: list[str] = []
    unread: list[str] = []
    pictures: list[Picture] = []
    errors = standard_errors(mine)
    for together in groups(mine):
        metric = together[0]
        if metric.kind == "histogram":
            # Without the first reading, before which nothing has happened
            moved = tuple(other for other in together if metrics.of(other.name)[1:].any())
            at_zero += [title(other) for other in together if other not in moved]
            if moved:
                pictures.append(Picture(metric.name, picture_title(metric, len(moved)), moved))
            continue
        series = [
            Series(other, label, values)
            for other in together
            for label, values in metrics.lines(other.name)
            if _shown(other, label, values)
        ]
        # By identity, since arrays make a series neither hashable nor comparable
        still = {id(one): _still(one) for one in series}
        lively = [one for one in series if still[id(one)] is None]
        for kind, names in (("zero", at_zero), ("constant", constant), ("unread", unread)):
            names += _listed(
                together, [one for one in series if still[id(one)] == kind], kind == "constant"
            )
        for key, words, within, group in _split(together, lively):
            bands = tuple(
                _error_of(metrics, errors.get(one.metric.name), one.label) for one in group
            )
            pictures.append(Picture(key, words, _metrics_of(group), tuple(group), bands, within))
    return Chapter(heading, tuple(pictures), tuple(at_zero), tuple(constant), tuple(unread))


def _shown(metric: Metric, label: str, values: NDArray[np.float64]) -> bool:
    """Whether a series has a place in a chapter: readings by arm are many, and most arms empty."""
    return not metric.trial or (
        label.rpartition(", ")[2] in MAIN and bool(np.isfinite(values).any())
    )


def _metrics_of(series: Sequence[Series]) -> tuple[Metric, ...]:
    return tuple({one.metric.name: one.metric for one in series}.values())


def _error_of(metrics: Metrics, error: Metric | None, label: str) -> Series | None:
    return (
        next(
            (
                Series(error, label, values)
                for name, values in metrics.lines(error.name)
                if name == label
            ),
            None,
        )
        if error
        else None
    )


def _split(
    together: Sequence[Metric], lively: Sequence[Series]
) -> list[tuple[str, str, str, list[Series]]]:
    """Id, title, common label and lines of each picture: a metric with several labels has one per
    value of the first."""
    first = together[0]
    if len(first.labels) < 2:
        named = _metrics_of(lively)
        return (
            [(first.name, picture_title(named[0], len(named)), "", list(lively))] if lively else []
        )

    def value(one: Series) -> str:
        return one.label.partition(", ")[0]

    return [
        (f"{first.name}_{key}", f"{title(first)}: {label_words(key)}", f"{key}, ", list(group))
        # Lines are in declared order, in which the first label varies slowest
        for key, group in groupby(lively, value)
    ]


def _still(one: Series) -> str | None:
    """Whether a series never moved after its first reading: ``zero``, ``constant``, ``unread``;
    else None."""
    known = one.values[1:] if len(one.values) > 1 else one.values
    known = known[np.isfinite(known)]
    if not len(known):
        return "unread"
    if (known != known[0]).any():
        return None
    return "constant" if known[0] else "zero"


def _listed(together: Sequence[Metric], still: Sequence[Series], with_value: bool) -> list[str]:
    """Names of still series; a metric all of whose series are still, at one value, is named
    once."""
    names = []
    for metric in together:
        mine = [one for one in still if one.metric is metric]
        # Named once only if all series of the metric are still, and at one value
        values = {float(one.values[-1]) for one in mine if np.isfinite(one.values[-1])}
        tail = f" {_kept(values.pop(), metric)}" if with_value and len(values) == 1 else ""
        if len(mine) == sum(1 for _ in metric.series()) and (tail or not with_value):
            names.append(title(metric) + tail)
        else:
            names += [
                one.name + (f" {_kept(float(one.values[-1]), metric)}" if with_value else "")
                for one in mine
            ]
    return names


def _kept(value: float, metric: Metric) -> str:
    # `human` writes the unit of durations and of bytes itself
    words = "" if metric.unit in ("s", "bytes") else unit(metric)
    return f"at {human(value, metric.unit)} {words}".rstrip()
