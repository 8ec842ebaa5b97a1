"""The large chart of the live page: one series of the creators' side and one of the consumers', of
the run and of its branches, drawn over each other, and below how far each branch is from the run.

Two series of different units share one axis as parts of what they were before (`baseline`):

    drawn = 100 * value / mean over the baseline,  difference = drawn in the branch - in the run

A series that was zero then is drawn as a part of its greatest value, and the page says so. One
series alone is drawn in its own unit. The page draws the numbers itself, within milliseconds: the
library that draws the chapters takes half a second to load.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twin.ground.units import WEEK, at
from twin.readers.baseline import Windows, mean
from twin.readers.headlines import SIDES
from twin.readers.lines import y_range
from twin.readers.live.beside import Branch, Branches, courses_of
from twin.readers.live.page import LivePage
from twin.readers.panels import HEADINGS, by_heading, title, unit
from twin.readers.text import change, compact, human
from twin.world.metric import Metric

NONE = "none"
"""What is chosen where a side is to be left out."""
LEAST_DIFFERENCE = 2.0
"""Percent that the axis of differences spans at least to either side: noise looks like noise."""
KEPT = 12
"""Charts that are kept ready for further pages."""
PLACES = ("producer", "consumer")
"""The two lines, and whose they are; the platform and chatbots are offered with the consumers."""


@dataclass(frozen=True)
class Chosen:
    """A series that is drawn: where it stands in a reading, and what makes a value comparable."""

    place: int
    metric: Metric
    label: str
    row: int
    before: float
    scale: float
    note: str

    @property
    def key(self) -> str:
        """As cards and choices name it."""
        return f"{self.metric.name} {self.label}"


class Face:
    """The chart of one run, for all who look at it."""

    def __init__(self, page: LivePage, branches: Branches) -> None:
        self.page, self.branches = page, branches
        self.choices = _choices(page)
        self._metrics = {
            f"{metric.name} {label}": (metric, label)
            for metric in page.history.declared
            if _offered(metric)
            for label in (", ".join(labels.values()) for labels in metric.series())
        }
        self._made: dict[tuple[Any, ...], bytes] = {}

    @property
    def edition(self) -> int:
        """Grows with everything but readings that changes the chart."""
        return self.page.edition + self.branches.edition

    def known(self, key: str) -> bool:
        """Whether a series of that name can be chosen."""
        return key == NONE or key in self._metrics

    def first(self) -> tuple[str, str]:
        """What is drawn before anything was chosen: the first headline of each side."""
        heads = [
            next(
                (
                    one["key"]
                    for group in self.choices[side]
                    for one in group["series"]
                    if one["headline"]
                ),
                NONE,
            )
            for side in PLACES
        ]
        return heads[0], heads[1]

    def chart(self, keys: tuple[str, str]) -> bytes:
        """The chart of two series as JSON, made once for all pages; "" is the first headline."""
        keys = tuple(key or first for key, first in zip(keys, self.first(), strict=True))  # type: ignore[assignment]
        history = self.page.history
        state = (
            keys,
            self.edition,
            history.taken,
            *(branch.history.taken if branch.history else 0 for branch in self.branches.all),
        )
        made = self._made.get(state)
        if made is None:
            made = compact(self._chart(keys))
            while len(self._made) >= KEPT:
                del self._made[next(iter(self._made))]
            self._made[state] = made
        return made

    def _chart(self, keys: tuple[str, str]) -> dict[str, Any]:
        history = self.page.history
        alone = NONE in keys
        chosen = [
            self._chosen(place, *self._metrics[key], alone)
            for place, key in enumerate(keys)
            if key in self._metrics
        ]
        _, times, values = history.since(0)
        # at the first reading nothing has happened yet
        times, values = times[1:], values[1:]
        lines, differences, says = [], [], []
        for one in chosen:
            mine = one.scale * values[:, one.row]
            lines.append(_line(one, "", times, mine))
            run = dict(zip(times.tolist(), mine.tolist(), strict=True))
            for branch in self.branches.all:
                course = {
                    when: one.scale * value for when, value in courses_of(branch, one.row).items()
                }
                lines.append(_line(one, branch.name, list(course), np.array([*course.values()])))
                both = [when for when in course if when in run]
                gap = np.array([course[when] - run[when] for when in both])
                differences.append(_line(one, branch.name, both, gap))
                says += _said(one, branch, course, run, both)
        unit_ = (unit(chosen[0].metric) if chosen else "") if alone else "%"
        first, last = history.ms()
        return {
            "keys": keys,
            "edition": self.edition,
            "taken": history.taken,
            "unit": unit_,
            "normal": not alone,
            "baseline": self.page.windows().name,
            "span": [first, max(last, *(line["t"][-1] for line in lines if line["t"]), first + 1)],
            "range": _range([line["y"] for line in lines]),
            "gap": _gap([line["y"] for line in differences], alone),
            "series": [self._about(one) for one in chosen],
            "lines": lines,
            "differences": differences,
            "marks": [
                {"t": when.timestamp() * 1000, "text": text, "number": number}
                for number, (when, text) in enumerate(self.page.marks, 1)
            ],
            "forks": [
                {"t": _ms(self.page, branch.fork_s), "name": branch.name}
                for branch in self.branches.all
            ],
            "says": says,
        }

    def _chosen(self, place: int, metric: Metric, label: str, alone: bool) -> Chosen:
        """A series with its baseline: of headlines from every reading, as on the cards; of others
        from those that are kept."""
        page = self.page
        metrics = page.history.heads.metrics() if metric.headline else page.history.metrics()
        values = dict(metrics.lines(metric.name))[label]
        before, _ = Windows(metrics, page.marks).values(values)
        scale, note = 1.0, ""
        if not alone:
            known = np.abs(values[1:][np.isfinite(values[1:])])
            most = float(known.max()) if len(known) else 0.0
            if np.isfinite(before) and before > 0:
                scale = 100 / before
            elif most > 0:
                scale = 100 / most
                note = f"{title(metric, label)}: in % of its greatest value (it was 0 at first)."
        return Chosen(place, metric, label, page.history.row(metric, label), before, scale, note)

    def _about(self, one: Chosen) -> dict[str, Any]:
        _, _, values = self.page.history.since(0)
        last = float(values[-1, one.row]) if len(values) else float("nan")
        return {
            "key": one.key,
            "side": PLACES[one.place],
            "title": title(one.metric, one.label),
            "unit": unit(one.metric),
            "now": human(last, one.metric.unit),
            "help": one.metric.help,
            "good": one.metric.good,
            "note": one.note,
        }


def _ms(page: LivePage, seconds: int) -> float:
    return at(page.history.heads.info.start, seconds).timestamp() * 1000


def _offered(metric: Metric) -> bool:
    return metric.kind != "histogram" and not metric.trial and not metric.name.endswith("_se")


def _choices(page: LivePage) -> dict[str, list[dict[str, Any]]]:
    """By line, the series that can be chosen for it: the headlines, then all in the order of the
    story."""
    found: dict[str, list[dict[str, Any]]] = {}
    for side in PLACES:
        sides = [side] if side == PLACES[0] else [one for one in HEADINGS if one != PLACES[0]]
        heads = [
            metric for metric in page.history.declared if metric.headline and metric.side in sides
        ]
        groups = [("Headlines", heads)]
        for one in sides:
            before = "" if one == side else f"{SIDES[one][0]}: "
            groups += [
                (f"{before}{heading}", [metric for metric in mine if not metric.headline])
                for heading, mine in by_heading(page.history.declared, one)
            ]
        found[side] = [
            {"group": name, "series": series}
            for name, mine in groups
            if (series := [each for metric in mine if _offered(metric) for each in _named(metric)])
        ]
    return found


def _named(metric: Metric) -> Sequence[dict[str, Any]]:
    labels = [", ".join(labels.values()) for labels in metric.series()]
    return [
        {
            "key": f"{metric.name} {label}",
            "title": title(metric, label),
            "headline": metric.headline,
        }
        for label in labels
    ]


def _line(
    one: Chosen, branch: str, times: Sequence[float] | NDArray[Any], values: NDArray[np.float64]
) -> dict[str, Any]:
    return {"place": one.place, "branch": branch, "t": list(times), "y": values.tolist()}


def _range(drawn: Sequence[Sequence[float]]) -> list[float]:
    span, _ = y_range([np.array(each, np.float64) for each in drawn])
    return list(span)


def _gap(drawn: Sequence[Sequence[float]], alone: bool) -> float:
    """How far the axis of differences reaches to either side of zero."""
    known = np.abs(np.concatenate([np.zeros(0), *(np.array(each, np.float64) for each in drawn)]))
    known = known[np.isfinite(known)]
    most = float(known.max()) if len(known) else 0.0
    return max(1.1 * most, 1e-9 if alone else LEAST_DIFFERENCE)


def _said(
    one: Chosen,
    branch: Branch,
    course: Mapping[float, float],
    run: Mapping[float, float],
    both: Sequence[float],
) -> list[dict[str, Any]]:
    """The difference in words: means of the last week that both have, after the fork."""
    if len(both) < 2:
        return []
    # the reading at the fork is that of both
    last = [when for when in both[1:] if when > both[-1] - 1000 * WEEK]
    here = mean(np.array([course[when] for when in last])) / one.scale
    there = mean(np.array([run[when] for when in last])) / one.scale
    return [
        {
            "branch": branch.name,
            "place": one.place,
            "title": title(one.metric, one.label),
            "branch_value": human(here, one.metric.unit),
            "run_value": human(there, one.metric.unit),
            "change": change(there, here),
            "good": one.metric.good,
        }
    ]
