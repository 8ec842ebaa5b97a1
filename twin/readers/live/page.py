"""What the live page shows: headline cards of each side, and chapters whose pictures are made once
and then only grow.

The chapters, their order and their words are those of the report (`panels`), drawn by the same code
(`courses`, `distributions`). A chapter goes to the pages as a Bokeh document with everything read
so far, and a plan that says which row of a reading continues which line; from then on a page asks
for the rows of what it draws, when it draws it. Two things differ from the report: distributions
show the start and now (a heat map cannot be continued, and the report draws it), and counters of
rare events stay per day (the report's weekly means need the whole course).

Labels of axes are formatted without code that a browser would have to evaluate, so the page's
security policy need not allow it.
"""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import dataclass
from typing import Any

import numpy as np
from bokeh.document import Document
from bokeh.models import NumeralTickFormatter, Range1d
from bokeh.plotting import figure

from twin.readers.baseline import Windows, note
from twin.readers.chapters import Chapter, Picture, chapters
from twin.readers.courses import courses
from twin.readers.distributions import distribution, moments_of
from twin.readers.headlines import SIDES
from twin.readers.lines import styled, y_range
from twin.readers.live.history import History
from twin.readers.live.theme import recolour
from twin.readers.live.unequal import KEY, now, unequal
from twin.readers.panels import title, tone, unit
from twin.readers.pictures import Mark, Section, drawn_marks, spark
from twin.readers.text import change, compact, human
from twin.record.results import Metrics

NUMBERS = "0.[00000]a"
GOOD = {"up": "More is better.", "down": "Less is better."}
LEAST_MS = 7 * 86.4e6
"""A picture spans at least a week."""


@dataclass(frozen=True)
class Continuation:
    """How a reading continues a line: the row of the reading, the column of the source; with an
    error, that of its row and the band."""

    column: str
    row: int
    error: int | None
    place: int


class LivePage:
    """The page of one run, for all who have it open. ``marks`` are the policies that took
    effect."""

    def __init__(self, history: History) -> None:
        self.history, self.marks = history, list[Mark]()
        self.edition = 0
        """Grows whenever pictures must be drawn again: a series moved for the first time, a policy
        took effect, readings were thinned."""
        # by chapter and theme: edition, and the chapter as JSON
        self._drawn: dict[tuple[str, str], tuple[int, bytes]] = {}
        # by chapter: how readings continue each of its pictures
        self._plans: dict[str, dict[str, dict[str, Any]]] = {}
        # headings follow from the declarations alone, so the outline needs no reading
        nothing = Metrics(
            history.declared, np.zeros(1, "datetime64[s]"), np.full((1, len(history.index)), np.nan)
        )
        self.outline: list[dict[str, Any]] = [
            {
                "side": side,
                "title": name,
                "lead": lead,
                "chapters": [
                    {"id": f"{side}-{number}", "heading": each.heading}
                    for number, each in enumerate(chapters(nothing, side))
                ],
            }
            for side, (name, lead) in SIDES.items()
        ]
        self._keys = {each["id"] for side in self.outline for each in side["chapters"]}

    def mark(self, when: dt.datetime, text: str) -> None:
        """A policy took effect."""
        note(self.marks, when, text)
        self.edition += 1

    def known(self, key: str) -> bool:
        """Whether there is a chapter of that name."""
        return key in self._keys

    def _chapter(self, key: str, metrics: Metrics) -> Chapter:
        side, _, number = key.rpartition("-")
        return chapters(metrics, side)[int(number)]

    def windows(self) -> Windows:
        """What is compared on this page, and its words."""
        return Windows(self.history.heads.metrics(), self.marks)

    def cards(self) -> list[dict[str, Any]]:
        """The headline metrics: what they are now, and how that differs from the baseline."""
        metrics, windows, shown = self.history.heads.metrics(), self.windows(), []
        for metric in metrics.declared.values():
            for label, values in metrics.lines(metric.name):
                before, after = windows.values(values)
                shown.append(
                    {
                        "key": f"{metric.name} {label}",
                        "side": metric.side,
                        "title": title(metric, label),
                        "unit": unit(metric),
                        "help": f"{metric.help} {GOOD.get(metric.good, '')}".strip(),
                        "value": human(after, metric.unit),
                        "change": change(before, after),
                        "tone": tone(metric, before, after),
                        "spark": spark(values),
                    }
                )
        return shown

    def chapter(self, key: str, theme: str) -> bytes:
        """A chapter's pictures with all readings so far, and how to extend them, as JSON; made
        once for all pages."""
        edition, made = self._drawn.get((key, theme), (-1, b""))
        if edition != self.edition:
            made_now = self._make(key, theme)
            edition, made = self.edition, json.dumps(made_now).encode()
            self._drawn[key, theme] = edition, made
            # of all pictures ever drawn: a page may still show those of an earlier edition
            self._plans.setdefault(key, {}).update(
                {one["key"]: one for one in made_now["pictures"]}
            )
        return made

    def readings(self, key: str, since: int) -> bytes:
        """What continues a chapter's pictures after reading number ``since``, as JSON: numbers and
        times of readings, the columns that are drawn by row, the latest bins by row, and the
        vertical range of each picture of courses."""
        plans = self._plans.get(key, {})
        numbers, times, values = self.history.since(since)
        # from the start, since a vertical range is that of the whole course
        _, _, all_ = self.history.since(0)
        columns, bins, ranges, curves = (
            dict[int, list[float]](),
            dict[int, list[float]](),
            dict[str, list[float]](),
            dict[str, list[float]](),
        )
        for name, plan in plans.items():
            for line in plan.get("lines", ()):
                for row in (line["row"], line["error"]):
                    if row is not None:
                        columns[row] = values[:, row].tolist()
            for one in plan.get("bins", ()):
                bins[one["row"]] = all_[-1, one["row"] : one["row"] + one["count"]].tolist()
            if "curves" in plan:
                metrics = self.history.metrics()
                curves = now(metrics, Windows(metrics, self.marks))
            if "lines" in plan:
                span, _ = y_range([all_[1:, line["row"]] for line in plan["lines"]])
                ranges[name] = list(span)
        return compact(
            {
                "numbers": numbers.tolist(),
                "times": times.tolist(),
                "columns": columns,
                "bins": bins,
                "ranges": ranges,
                "curves": curves,
            }
        )

    def _make(self, key: str, theme: str) -> dict[str, Any]:
        metrics = self.history.metrics()
        if len(metrics.times) < 2:
            return {
                "edition": self.edition,
                "taken": self.history.taken,
                "pictures": [],
                "quiet": "There are no readings yet.",
            }
        chapter = self._chapter(key, metrics)
        first, last = self.history.ms()
        x_range = Range1d(first, max(last, first + LEAST_MS))
        frame = Section(x_range, drawn_marks(self.marks, x_range))
        document, pictures = Document(), []
        # else adding a figure visits all before it
        with document.models.freeze():
            for picture in chapter.pictures:
                plot, plan = self._draw(metrics, picture, frame)
                words = " ".join(
                    f"{title(one)}: {one.help}"
                    if len(picture.metrics) > 1
                    else f"{one.help} {GOOD.get(one.good, '')}"
                    for one in picture.metrics
                )
                about = {"key": picture.key, "title": picture.title, "help": words.strip()}
                pictures.append(_put(document, plot, theme, {**about, **plan}))
            if found := unequal(chapter, metrics, Windows(metrics, self.marks)):
                about = {"key": KEY, "title": found.title, "help": found.help}
                pictures.append(
                    _put(document, found.plot, theme, {**about, "curves": found.sources})
                )
        made = {
            "edition": self.edition,
            "taken": self.history.taken,
            "pictures": pictures,
            "quiet": chapter.quiet,
            "document": document.to_json(deferred=False),
        }
        # a formatter belongs to one document at a time, and all figures share theirs
        document.clear()
        return made

    def _draw(
        self, metrics: Metrics, picture: Picture, frame: Section
    ) -> tuple[figure, dict[str, Any]]:
        """A picture, and how readings continue it."""
        if picture.series:
            lines = styled(
                [
                    (title(one.metric), one.label.removeprefix(picture.within))
                    for one in picture.series
                ],
                [one.values for one in picture.series],
                [each.values if each else None for each in picture.errors],
            )
            plot = courses(metrics.times, lines, unit(picture.metrics[0]), frame).figure()
            plan = [
                Continuation(
                    line.name,
                    self.history.row(one.metric, one.label),
                    self.history.row(error.metric, error.label) if error else None,
                    place,
                )
                for place, (line, one, error) in enumerate(
                    zip(lines, picture.series, picture.errors, strict=True)
                )
            ]
            return plot, {"lines": [vars(line) for line in plan]}
        return self._bins(metrics, picture)

    def _bins(self, metrics: Metrics, picture: Picture) -> tuple[figure, dict[str, Any]]:
        """Distributions: one at the start and now, or several now."""
        start, now = (
            each.astype(dt.datetime).replace(tzinfo=dt.UTC)
            # at the first reading nothing has happened
            for each in (metrics.times[1], metrics.times[-1])
        )
        metric = picture.metrics[0]
        if len(picture.metrics) == 1:
            plot = distribution(
                metric, moments_of(metrics, metric, [("start", start), ("now", now)])
            )
            # the first source is the start, which stays as it is
            growing = [(metric, 1)]
        else:
            plot = distribution(
                metric,
                [
                    (title(one), moments_of(metrics, one, [("now", now)])[0][1])
                    for one in picture.metrics
                ],
            )
            growing = [(one, place) for place, one in enumerate(picture.metrics)]
        # one per distribution, shared by its bars or steps and its points
        sources = list(dict.fromkeys(drawn.data_source for drawn in plot.renderers))
        plan = []
        for one, place in growing:
            sources[place].name = f"bins {one.name}"
            row = next(self.history.row(one, ", ".join(labels.values())) for labels in one.series())
            plan.append({"source": sources[place].name, "row": row, "count": len(one.edges)})
        return plot, {"bins": plan}


def _put(document: Document, plot: figure, theme: str, about: dict[str, Any]) -> dict[str, Any]:
    """A picture into the document of its chapter; what a page needs to know of it."""
    plot.name = about["key"]
    plot.yaxis.formatter = NumeralTickFormatter(format=NUMBERS)
    if theme == "dark":
        recolour(plot)
    document.add_root(plot)
    return {"root": plot.id, **about}
