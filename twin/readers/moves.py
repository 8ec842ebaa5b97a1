"""How far the series of a side moved between two spans of time, and around a policy."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twin.readers.baseline import WEEK, Windows, mean
from twin.readers.chapters import Chapter, Series
from twin.readers.panels import label_words, title, unit
from twin.readers.text import change, human
from twin.world.metric import Metric

NOISE, LEAST, BREAK, MOST = 3.0, 0.03, 4.0, math.log(10)
SETTING = 8
"""A series of so few values is a setting, such as the embedding dimension, not an outcome."""
NAMES = ("Gini", "Esteban", "Sarle")
MEASURES = (
    "share",
    "mean",
    "average",
    "gini",
    "variance",
    "correlation",
    "movement",
    "revenue",
    "standard",
    "density",
)
_SINCE = re.compile(r",?( in the sessions)? since the last reading( with any| that saw (any|one))?")


@dataclass(frozen=True)
class Move:
    """A series with its means before and after, and the size of the difference."""

    one: Series
    heading: str
    before: float
    after: float
    size: float

    @property
    def sentence(self) -> str:
        """``morale of active human creators fell from 0.45 to 0.31 (−31 %)``."""
        first, last = (
            human(self.before, self.one.metric.unit),
            with_unit(self.after, self.one.metric),
        )
        verb = "rose" if self.after > self.before else "fell"
        percent = change(self.before, self.after)
        tail = f" ({percent})" if "%" in percent else ""
        return f"{phrase(self.one.metric, self.one.label)} {verb} from {first} to {last}{tail}"

    @property
    def better(self) -> bool | None:
        """Whether it is good for its side; None where neither direction is."""
        good = self.one.metric.good
        return None if good == "neither" else (self.after > self.before) == (good == "up")


def with_unit(value: float, metric: Metric) -> str:
    """A value as people read it, with the unit of its metric."""
    units = unit(metric) if metric.unit not in ("s", "bytes") else ""
    return f"{human(value, metric.unit)}{' ' + units if units else ''}"


def phrase(metric: Metric, label: str = "") -> str:
    """What a metric measures, as words within a sentence: the start of its help, or its name where
    that is long."""
    words = _SINCE.sub("", metric.help.rstrip("."))
    for stop in (" (", ": ", "; ", ", by ", " by arm ", ", 0..1", ", -1..1", ", sampling "):
        words = words.partition(stop)[0]
    if len(words) > 90 or words[:1].isdigit():
        words = title(metric)
    if not (words[1:2].isupper() or words.startswith(NAMES)):
        words = words[:1].lower() + words[1:]
    words = f"the {words}" if words.split(" ")[0].lower() in MEASURES else words
    return words + (f" ({label_words(label)})" if label else "")


def drawn_series(found: Sequence[Chapter]) -> list[tuple[str, Series]]:
    """Every series that is drawn, with the heading under which it stands."""
    return [
        (chapter.heading, one)
        for chapter in found
        for picture in chapter.pictures
        for one in picture.series
    ]


def moves_of_side(found: Sequence[Chapter], windows: Windows) -> list[Move]:
    """Changes beyond noise of metrics with a good direction or a headline."""
    return [
        move
        for heading, one in drawn_series(found)
        if (one.metric.good != "neither" or one.metric.headline)
        # who gains and who loses has sentences of its own
        and not one.metric.split
        and (move := move_of(one, heading, windows))
    ]


def move_of(one: Series, heading: str, windows: Windows) -> Move | None:
    """How far a series moved, if that is beyond noise."""
    first, last = (
        values[np.isfinite(values)]
        for values in (one.values[windows.before], one.values[windows.after])
    )
    # one reading has no variance, so noise is unknown
    if len(first) < 2 or len(last) < 2:
        return None
    before, after = float(first.mean()), float(last.mean())
    # standard error of the difference of the two means
    noise = math.sqrt(first.var(ddof=1) / len(first) + last.var(ddof=1) / len(last))
    # read, but without any event: the last mean is repeated
    stale = any(values[0] != 0 and (values == values[0]).all() for values in (first, last))
    if abs(after - before) <= max(NOISE * noise, LEAST * abs(before)) or stale:
        return None
    return Move(one, heading, before, after, _size(before, after))


def _size(before: float, after: float) -> float:
    """|log(after / before)|, at most a factor of ten: from nothing, or across zero, counts as
    that."""
    return MOST if before * after <= 0 else min(MOST, abs(math.log(after / before)))


def break_around(
    one: Series, heading: str, times: NDArray[np.datetime64], when: np.datetime64
) -> tuple[float, Move] | None:
    """How far a series moved around a time, in units of what it usually does in as long; None if
    not unusually far."""
    if len(np.unique(one.values)) <= SETTING:
        return None

    # the week before a moment, and the second week after it
    def difference(moment: np.datetime64) -> tuple[float, float]:
        return (
            mean(one.values[(times > moment - WEEK) & (times <= moment)]),
            mean(one.values[(times > moment + WEEK) & (times <= moment + 2 * WEEK)]),
        )

    before, after = difference(when)
    if not (math.isfinite(before) and math.isfinite(after)) or abs(after - before) <= LEAST * abs(
        before
    ):
        return None
    # the same difference around every week of the run
    usual = np.array(
        [
            b - a
            for a, b in (
                difference(moment)
                for moment in np.arange(times[0] + WEEK, times[-1] - 2 * WEEK, WEEK)
            )
            if math.isfinite(a) and math.isfinite(b)
        ]
    )
    # a median, which the break itself hardly moves
    typical = float(np.sqrt(np.median(usual**2))) if len(usual) else 0.0
    far = abs(after - before) / typical if typical > 0 else math.inf
    if far <= BREAK:
        return None
    return min(far, 1e6), Move(one, heading, before, after, _size(before, after))
