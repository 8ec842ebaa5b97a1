"""The story of a side in a few plain sentences, by rule, every number from the readings.

Two windows are compared: the week before the first policy (or the first week) and the last week. A
change counts when it exceeds `NOISE` standard errors of the two means and `LEAST` of the value
before; the largest is the one with the largest |log(after / before)|. A move around a policy counts
when the mean of the second week after it differs from the week before it by more than `BREAK` times
what three weeks usually do to that series. Where a series was moving before the first policy
already, a sentence beside its change says how much of it that pace would have made (see `drift`).
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twin.readers import drift
from twin.readers.panels import Chapter, Series, chapters, label_words, title, unit
from twin.readers.pictures import Mark
from twin.readers.text import change, human, short
from twin.record.results import Metrics
from twin.world.metric import Metric

WEEK = np.timedelta64(7, "D")
NOISE, LEAST, BREAK, MOST = 3.0, 0.03, 4.0, math.log(10)
MARKS_TOLD = 3
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


class Windows:
    """The two spans of time that the report compares."""

    def __init__(self, metrics: Metrics, marks: Sequence[Mark]) -> None:
        times = metrics.times
        self.times = times
        self.policy: np.datetime64 | None = None
        """The first policy, where the week before it is what the last week is compared with."""
        self.called = ""
        length = (times[-1] - times[0]) if len(times) else np.timedelta64(0, "s")
        width = min(WEEK, max(length // 4, np.timedelta64(1, "s")))
        policies = [np.datetime64(when.replace(tzinfo=None), "s") for when, _ in marks]
        first = times[0] if len(times) else np.datetime64(0, "s")
        if policies and policies[0] - first >= width:
            self.policy, self.called = policies[0], f"“{short(marks[0][1], 40)}”"
            self.name, start = f"the week before {self.called}", policies[0] - width
        else:
            self.name, start = "the first week", first
        self.last = "the last week"
        if width < WEEK:
            self.name, self.last = self.name.replace("week", "part"), "the last part"
        self.width = width
        self.start_of_before: np.datetime64 = start
        self.before = (times >= start) & (times <= start + width)
        self.after = times >= times[-1] - width if len(times) else np.zeros(0, bool)
        self.start = first + (width // 2)

    def values(self, series: NDArray[np.float64]) -> tuple[float, float]:
        """Means before and at the end; NaN where nothing was read."""
        return mean(series[self.before]), mean(series[self.after])


def mean(values: NDArray[np.float64]) -> float:
    """The mean of what was read; NaN of nothing."""
    known = values[np.isfinite(values)]
    return float(known.mean()) if len(known) else float("nan")


@dataclass(frozen=True)
class _Move:
    """A series with its means before and after, and how large that is."""

    one: Series
    heading: str
    before: float
    after: float
    size: float

    @property
    def told(self) -> str:
        """``morale of active human creators fell from 0.45 to 0.31 (−31 %)``."""
        first, last = (
            human(self.before, self.one.metric.unit),
            _with_unit(self.after, self.one.metric),
        )
        verb = "rose" if self.after > self.before else "fell"
        percent = change(self.before, self.after)
        tail = f" ({percent})" if "%" in percent else ""
        return f"{phrase(self.one.metric, self.one.label)} {verb} from {first} to {last}{tail}"

    @property
    def better(self) -> bool | None:
        """Whether it is good for its side; None where neither way is."""
        good = self.one.metric.good
        return None if good == "neither" else (self.after > self.before) == (good == "up")


def _with_unit(value: float, metric: Metric) -> str:
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


def story(metrics: Metrics, side: str, windows: Windows, marks: Sequence[Mark]) -> list[str]:
    """A few sentences; none before there is anything to compare."""
    if len(metrics.times) < 8:
        return []
    told = chapters(metrics, side)
    moves = sorted(_moves(told, windows), key=lambda move: -move.size)
    heads = [move for move in moves if move.one.metric.headline]
    sentences: list[str] = []
    used: set[str] = set()

    def tell(start: str, chosen: Sequence[_Move]) -> None:
        if chosen:
            sentences.append(f"{start}{'; '.join(move.told for move in chosen)}.")
            sentences.extend(_restless(chosen, windows))
            used.update(move.one.metric.name for move in chosen)

    tell(f"From {windows.name} to {windows.last}, ", _various(heads, 3, used))
    after_heads = len(sentences)
    tell("What else got better: ", _various([move for move in moves if move.better], 2, used))
    tell(
        "What else got worse: ", _various([move for move in moves if move.better is False], 2, used)
    )
    steady = [
        one
        for _, one in _drawn(told)
        if one.metric.headline and all(one is not move.one for move in heads)
    ]
    if steady:
        sentences.insert(
            after_heads or min(1, len(sentences)),
            f"Within its own noise or {LEAST:.0%}: "
            + ", ".join(
                f"{phrase(one.metric, one.label)} "
                f"({_with_unit(windows.values(one.values)[1], one.metric)})"
                for one in steady
            )
            + ".",
        )
    return sentences + _around(told, windows, marks)


def _restless(moves: Sequence[_Move], windows: Windows) -> list[str]:
    """A sentence on those of the changes told that were under way before the first policy."""
    if windows.policy is None:
        return []
    found = []
    for move in moves:
        pace = drift.pace(windows.times, move.one.values, windows.policy)
        seconds = float((windows.times[-1] - windows.policy) / np.timedelta64(1, "s"))
        share = drift.part(pace * seconds, move.after - move.before) if pace is not None else None
        if share is not None and pace is not None:
            found.append(drift.words(phrase(move.one.metric, move.one.label), share, pace > 0))
    return (
        [f"Not at rest in the weeks before {windows.called}: {'; '.join(found)}."] if found else []
    )


def _various(moves: Sequence[_Move], most: int, used: set[str]) -> list[_Move]:
    """The first few: no two of one metric or of the same numbers, and but for headlines one per
    heading."""
    chosen: list[_Move] = []
    for move in moves:
        if (
            move.one.metric.name not in used
            and all(
                move.heading != other.heading for other in chosen if not move.one.metric.headline
            )
            and all(move.one.metric.name != other.one.metric.name for other in chosen)
            and all((move.before, move.after) != (other.before, other.after) for other in chosen)
            and len(chosen) < most
        ):
            chosen.append(move)
    return chosen


def _drawn(told: Sequence[Chapter]) -> list[tuple[str, Series]]:
    return [
        (chapter.heading, one)
        for chapter in told
        for picture in chapter.pictures
        for one in picture.series
    ]


def _moves(told: Sequence[Chapter], windows: Windows) -> list[_Move]:
    """Changes beyond noise of what has a good way or is a headline."""
    moves = []
    for heading, one in _drawn(told):
        if one.metric.good == "neither" and not one.metric.headline:
            continue
        first, last = (
            values[np.isfinite(values)]
            for values in (one.values[windows.before], one.values[windows.after])
        )
        if len(first) < 2 or len(last) < 2:
            continue
        before, after = float(first.mean()), float(last.mean())
        noise = math.sqrt(first.var(ddof=1) / len(first) + last.var(ddof=1) / len(last))
        stale = any(
            values[0] != 0 and (values == values[0]).all() for values in (first, last)
        )  # read, but nothing happened
        if abs(after - before) > max(NOISE * noise, LEAST * abs(before)) and not stale:
            moves.append(_Move(one, heading, before, after, _size(before, after)))
    return moves


def _size(before: float, after: float) -> float:
    """|log(after / before)|, at most a factor of ten: from nothing, or across zero, counts as
    that."""
    return MOST if before * after <= 0 else min(MOST, abs(math.log(after / before)))


def _around(told: Sequence[Chapter], windows: Windows, marks: Sequence[Mark]) -> list[str]:
    """What broke step around the policies, if there were any."""
    times = windows.times
    found: list[tuple[float, str, str]] = []
    calm: list[str] = []
    for when, name in marks:
        moment = np.datetime64(when.replace(tzinfo=None), "s")
        if moment - WEEK < times[0] or moment + 2 * WEEK > times[-1]:
            continue  # too near an end of the run to tell
        best: tuple[float, _Move] | None = None
        for heading, one in _drawn(told):
            move = _break(one, heading, times, moment)
            if move and (best is None or move[0] > best[0]):
                best = move
        if best:
            found.append((best[0], f"“{short(name, 60)}” ({when:%d %B})", best[1].told))
        else:
            calm.append(f"“{short(name, 60)}”")
    kept = sorted(sorted(found, key=lambda each: -each[0])[:MARKS_TOLD], key=found.index)
    sentences = []
    if kept:
        sentences.append(
            "Around the policies (which need not be the cause): "
            + "; ".join(f"within two weeks of {name}, {words}" for _, name, words in kept)
            + "."
        )
    if calm:
        sentences.append(f"No series here broke step around {', '.join(calm)}.")
    return [" ".join(sentences)] if sentences else []


def _break(
    one: Series, heading: str, times: NDArray[np.datetime64], when: np.datetime64
) -> tuple[float, _Move] | None:
    """How far a series moved around a time, in units of what it usually does in as long; None if
    not unusually far."""
    if len(np.unique(one.values)) <= SETTING:
        return None

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
    typical = float(np.sqrt(np.median(usual**2))) if len(usual) else 0.0
    far = abs(after - before) / typical if typical > 0 else math.inf
    if far <= BREAK:
        return None
    return min(far, 1e6), _Move(one, heading, before, after, _size(before, after))
