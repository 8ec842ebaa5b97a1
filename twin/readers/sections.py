"""The pictures of a report: both sides on one scale, and each side's chapters."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twin.readers.baseline import WEEK, Windows, mean
from twin.readers.chapters import Chapter, Picture
from twin.readers.courses import courses
from twin.readers.distributions import distribution, heat_map, moments_of
from twin.readers.headlines import SIDES
from twin.readers.lines import styled
from twin.readers.panels import title, unit
from twin.readers.pictures import Mark, Section, drawn_marks, time_range
from twin.readers.story import story
from twin.readers.text import short
from twin.record.results import Metrics

RARE = 40.0
"""Events per day below which a course is drawn as a weekly mean."""


def _weekly(times: NDArray[np.datetime64], values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mean over the week before each reading."""
    known = np.isfinite(values)
    # differences of running sums: one pass, however wide the window
    total = np.concatenate([[0.0], np.cumsum(np.where(known, values, 0.0))])
    count = np.concatenate([[0], np.cumsum(known)])
    first = np.searchsorted(times, times - WEEK, "right")
    last = np.arange(1, len(times) + 1)
    n = count[last] - count[first]
    mean: NDArray[np.float64] = np.divide(
        total[last] - total[first], n, out=np.full(len(times), np.nan), where=n > 0
    )
    return mean


def glance(
    metrics: Metrics, windows: Windows, marks: list[Mark], figures: dict[str, Any]
) -> list[dict[str, str]]:
    """Both sides' headline metrics on one scale: percent of the baseline week."""
    made = []
    x_range = time_range(metrics)
    frame = Section(x_range, drawn_marks(marks, x_range))
    # the settling of a run would flatten all that comes later
    first = windows.start_of_before - 4 * WEEK
    scale_from = int((metrics.times < first).sum())
    for side in ("producer", "consumer"):
        lines = []
        for metric in metrics.declared.values():
            if metric.side == side and metric.headline:
                for label, values in metrics.lines(metric.name):
                    before, _ = windows.values(values)
                    # a percentage of zero has no meaning
                    if np.isfinite(before) and before > 0:
                        lines.append(
                            (
                                title(metric, label),
                                (_weekly(metrics.times, values) / before - 1) * 100,
                            )
                        )
        if lines and len(metrics.times) > 1:
            name = f"glance_{side}"
            drawn = styled([(words, "") for words, _ in lines], [values for _, values in lines])
            figures[name] = courses(
                metrics.times,
                drawn,
                "% change",
                frame,
                height=320,
                zero_line=True,
                scale_from=scale_from,
            )
            made.append(
                {
                    "id": name,
                    "title": f"{SIDES[side][0]} at a glance",
                    "help": figures[name].remark,
                }
            )
    return made


def sections(
    metrics: Metrics,
    found: Mapping[str, Sequence[Chapter]],
    marks: list[Mark],
    windows: Windows,
    parts: dict[str, dict[str, Any]],
) -> list[dict[str, Any]]:
    """Each side's story and chapters (``found``); what they draw goes to ``parts`` by chapter and
    id."""
    sections = []
    moments = _moments(metrics, windows)
    for side, (name, lead) in SIDES.items():
        shown, silent = [], []
        for number, chapter in enumerate(found[side]):
            figures = parts.setdefault(f"{side}-{number}", {})
            # those of a chapter pan and zoom together
            x_range = time_range(metrics)
            frame = Section(x_range, drawn_marks(marks, x_range))
            pictures = [
                one
                for picture in chapter.pictures
                for one in _pictures(metrics, picture, moments, frame, figures)
            ]
            if pictures:
                shown.append(
                    {
                        "id": f"{side}-{number}",
                        "heading": chapter.heading,
                        "quiet": chapter.quiet,
                        "pictures": pictures,
                    }
                )
            else:
                silent.append({"heading": chapter.heading, "quiet": chapter.quiet})
        if shown or silent:
            sections.append(
                {
                    "id": side,
                    "title": name,
                    "lead": lead,
                    "story": story(found[side], windows, marks),
                    "chapters": shown,
                    "count": sum(len(chapter["pictures"]) for chapter in shown),
                    "silent": silent,
                }
            )
    return sections


def _moments(metrics: Metrics, windows: Windows) -> list[tuple[str, dt.datetime]]:
    if not len(metrics.times):
        return []
    utc = dt.UTC
    start = windows.start.astype("datetime64[s]").astype(dt.datetime).replace(tzinfo=utc)
    first, last = (metrics.times[k].astype(dt.datetime).replace(tzinfo=utc) for k in (0, -1))
    mark = windows.mark
    middle = mark[0] if mark else first + (last - first) / 2
    return [
        ("start", start),
        (f"before {short(mark[1], 22)}" if mark else "middle", middle),
        ("end", last),
    ]


def _pictures(
    metrics: Metrics,
    picture: Picture,
    moments: list[tuple[str, dt.datetime]],
    frame: Section,
    figures: dict[str, Any],
) -> list[dict[str, str]]:
    metric = picture.metrics[0]
    alone = len(picture.metrics) == 1
    words = (
        metric.help if alone else " ".join(f"{title(one)}: {one.help}" for one in picture.metrics)
    )
    # series over time
    if picture.series:
        names = [
            (title(one.metric), one.label.removeprefix(picture.within)) for one in picture.series
        ]
        lines = styled(
            names,
            [one.values for one in picture.series],
            [error.values if error else None for error in picture.errors],
        )
        if _rare(metrics, picture):
            lines = [replace(line, values=_weekly(metrics.times, line.values)) for line in lines]
            words += " Drawn as the mean over a week."
        figures[picture.key] = courses(metrics.times, lines, unit(metric), frame)
        words = f"{words} {figures[picture.key].remark}".rstrip()
        if any(picture.errors):
            words += " The band is two standard errors."
        return [{"id": picture.key, "title": picture.title, "help": words}]
    # several distributions, at the end
    if not alone:
        last = [
            (title(one), found[-1][1])
            for one in picture.metrics
            if (found := moments_of(metrics, one, moments))
        ]
        figures[picture.key] = distribution(metric, last)
        return [
            {
                "id": picture.key,
                "title": picture.title,
                "help": f"{words} Shares of all at the end.",
            }
        ]
    # one distribution, at three moments and over time
    figures[picture.key] = distribution(metric, moments_of(metrics, metric, moments))
    figures[f"{picture.key}_time"] = heat_map(metrics, metric, frame)
    return [
        {
            "id": picture.key,
            "title": picture.title,
            "help": f"{words} Shares of all at three moments.",
        },
        {
            "id": f"{picture.key}_time",
            "title": f"{picture.title}, over time",
            "help": "Darker: a larger share in that bin.",
        },
    ]


def _rare(metrics: Metrics, picture: Picture) -> bool:
    """Whether a picture counts so few events per day that only noise would be seen, over months."""
    return (
        picture.metrics[0].kind == "counter"
        and len(metrics.times) > 1
        and bool(metrics.times[-1] - metrics.times[0] > 8 * WEEK)
        and max(mean(one.values) for one in picture.series) < RARE
    )
