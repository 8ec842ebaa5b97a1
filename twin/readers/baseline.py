"""What a change is a change from: the one rule of the terminal, the live page, the report and
notebooks.

The baseline is the first week after the warm-up or, once a policy has taken effect, the week
before the last one that did. It is compared with the last week, as far as that lies after the
policy. The very first reading is left out, since nothing has happened before it. In a run shorter
than four weeks both spans are a quarter of it, so that they do not meet.

    before = mean over (p - w, p],  after = mean over (max(end - w, p), end],  w = min(7 d, end / 4)

All of it follows from the readings and events that a run stores, never from when a process began.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from twin.ground.units import DAY, HOUR
from twin.readers.text import short
from twin.record.results import Metrics

Mark = tuple[dt.datetime, str]
"""When which policy took effect."""

WEEK = np.timedelta64(7, "D")
YEAR = np.timedelta64(365, "D")
POLICY_KINDS = ("policy", "condition")


def took_effect(kind: str, text: str) -> str | None:
    """The name of the policy that an event says took effect; None of another event."""
    if kind not in POLICY_KINDS or text.endswith(": ended"):
        return None
    # the policy's title stands before the colon, what it sets after it
    return text.partition(": ")[0]


def policies_in_force(events: Sequence[tuple[dt.datetime, str, str]]) -> list[Mark]:
    """When which policy took effect, of all events of a run."""
    named = ((when, took_effect(kind, text)) for when, kind, text in events)
    return [(when, name) for when, name in named if name is not None]


class Windows:
    """The two spans of time that are compared, of readings ``metrics`` and policies ``marks`` in
    the order in which they took effect."""

    def __init__(self, metrics: Metrics, marks: Sequence[Mark]) -> None:
        times = metrics.times
        self.times = times
        self.mark: Mark | None = None
        """The last policy that anything was read before, if there is one."""
        self.policy: np.datetime64 | None = None
        """When it took effect."""
        self.called = ""
        first = times[0] if len(times) else np.datetime64(0, "s")
        end = times[-1] if len(times) else first
        # the time between two readings at least, so that there is one in it
        gap = times[1] - times[0] if len(times) > 1 else np.timedelta64(1, "s")
        self.width = max(min(WEEK, (end - first) // 4), gap)
        start: np.datetime64 = first
        stop: np.datetime64 = first + self.width
        # newest first: one that took effect with the first reading has nothing before it
        for mark in reversed(marks):
            moment = np.datetime64(mark[0].replace(tzinfo=None), "s")
            if (times[1:] <= moment).any():
                self.mark, self.policy, self.called = mark, moment, f"“{short(mark[1], 40)}”"
                start, stop = max(first, moment - self.width), moment
                break
        self.start_of_before: np.datetime64 = start
        self.before = (times >= start) & (times <= stop)
        since = end - self.width
        self.after = times >= since
        if self.policy is not None and self.policy > since:
            since = self.policy
            # at least the last reading
            self.after = (times > since) | (times == end)
        for span in (self.before, self.after):
            if span[1:].any():
                span[0] = False
        self.start = first + self.width // 2
        self.last = f"the last {lasting(end - since)}"
        self.name = f"the first {lasting(self.width)}"
        if self.policy is not None:
            written = f"{self.called} on {day(self.policy, bool(end - first > YEAR))}"
            self.name = f"the {lasting(stop - start)} before {written}"

    @property
    def words(self) -> str:
        """What is shown where changes are shown."""
        return f"means of {self.last}; changes against {self.name}"

    def values(self, series: NDArray[np.float64]) -> tuple[float, float]:
        """Means before and at the end, of a series (readings,); NaN where nothing was read."""
        return mean(series[self.before]), mean(series[self.after])


def mean(values: NDArray[np.float64]) -> float:
    """The mean of what was read; NaN of nothing."""
    known = values[np.isfinite(values)]
    return float(known.mean()) if len(known) else float("nan")


def lasting(span: np.timedelta64) -> str:
    """How long a span is: ``week``, ``2.5 days``, ``6 hours``."""
    seconds = int(span / np.timedelta64(1, "s"))
    if span == WEEK:
        return "week"
    size, name = (DAY, "day") if seconds >= DAY else (HOUR, "hour")
    number = f"{seconds / size:.2g}"
    return name if number == "1" else f"{number} {name}s"


def day(moment: np.datetime64, year: bool) -> str:
    """A date in words: ``3 March``, or ``3 March 2025`` where the day alone would not do."""
    date: dt.datetime = moment.astype("datetime64[s]").astype(dt.datetime)
    return f"{date.day} {date:%B %Y}" if year else f"{date.day} {date:%B}"
