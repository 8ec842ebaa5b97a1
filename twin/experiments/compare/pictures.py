"""Pictures of a comparison beside its map: effects over time, forest plots, and what the pairing
gained.

Effects over time are in percent of the world without the policy, 100 effect / |base|, where that
world's value is nowhere zero.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from bokeh.models import ColumnDataSource, FixedTicker, HoverTool, Range1d, Span
from bokeh.plotting import figure

from twin.experiments.compare.data import Array, Course, colour
from twin.experiments.compare.map import ROOM
from twin.experiments.compare.rows import Row, name_of
from twin.experiments.drawing import milliseconds, names_above, time_mark
from twin.experiments.words import two_digits
from twin.readers.pictures import (
    BAD,
    BLUE,
    GOOD,
    INK,
    NOISE,
    PALETTE,
    canvas,
    legend_below,
    legend_columns,
    padded,
    zero_line,
)
from twin.readers.text import human, short

TONE = {"better": GOOD, "worse": BAD, "more": BLUE, "less": BLUE, "": NOISE}
LEAD = 0.04
"""Room before the fork and after the end, as a share of the time between."""
DASHES = ("solid", "dashed")


def in_percent(courses: Sequence[Course]) -> bool:
    """Whether the effects of a series can be drawn in percent of its base: nowhere is that zero or
    without sign."""
    base = np.concatenate([each.base for each in courses])
    base = base[np.isfinite(base)]
    return bool(len(base) and (base > 0).all())


def over_time(
    courses: Mapping[str, Course],
    colours: Mapping[str, str],
    unit: str,
    fork: dt.datetime,
    since: Mapping[str, dt.datetime],
) -> figure:
    """The effect of every branch on one series, with bands; the fork marked, and where each effect
    begins to show for good (a ring)."""
    share = in_percent(list(courses.values()))
    plot = canvas(_after(fork, courses.values()), 250, "% of the world as it is" if share else unit)
    zero_line(plot, "width")
    time_mark(plot, fork)
    drawn, values = [], list[float]()
    for name, course in courses.items():
        scale = course.scale if share else np.ones(len(course.base))
        points = {
            "t": np.array([milliseconds(time) for time in course.time]),
            "low": course.low * scale,
            "high": course.high * scale,
            "effect": course.effect * scale,
        }
        values += [*points["low"], *points["high"]]
        look = {"color": colours[name], "legend_label": short(name, 40)}
        drawn.append(_band(plot, name, points, milliseconds(fork), look))
        if name in since:
            _ring(plot, points, course, since[name], look)
    plot.y_range = Range1d(*padded(values, ROOM))
    plot.add_tools(
        HoverTool(
            renderers=drawn,
            formatters={"@t": "datetime"},
            tooltips=[
                ("", "@branch, week to @t{%d %b %Y}"),
                ("effect", "@effect{0.[0000]} [@low{0.[0000]}, @high{0.[0000]}]"),
            ],
        )
    )
    _legend(plot, courses, 220, legend_columns([*courses, "x" * 12]))
    return plot


def _after(fork: dt.datetime, courses: Iterable[Course]) -> Range1d:
    """Times from a little before the fork to a little after the end."""
    begin, end = milliseconds(fork), max(milliseconds(each.time[-1]) for each in courses)
    lead = LEAD * (end - begin)
    return Range1d(begin - lead, end + lead)


def _band(
    plot: figure, name: str, points: Mapping[str, Array], fork: float, look: Mapping[str, str]
) -> Any:
    """One branch's effect with its band; the points. Branches are equal at the fork, so lines and
    bands begin there, at zero."""
    ends = {key: [0.0, *points[key]] for key in ("low", "high", "effect")}
    # with the fork as a first point; the points themselves are of weeks alone
    whole = ColumnDataSource({"t": [fork, *points["t"]], **ends})
    plot.varea("t", "low", "high", source=whole, alpha=0.16, **look)
    plot.line("t", "effect", source=whole, line_width=2, **look)
    source = ColumnDataSource({**points, "branch": [name] * len(points["t"])})
    return plot.scatter("t", "effect", source=source, size=4, **look)


def _ring(
    plot: figure,
    points: Mapping[str, Array],
    course: Course,
    since: dt.datetime,
    look: Mapping[str, str],
) -> None:
    """A ring at the first week that ends after ``since``."""
    last = len(course.time) - 1
    # points stand at the ends of weeks, `since` is the begin of one
    at = next((k for k, time in enumerate(course.time) if time > since), last)
    plot.scatter(
        [points["t"][at]],
        [points["effect"][at]],
        size=12,
        fill_color=None,
        line_color=look["color"],
        line_width=2,
        legend_label=look["legend_label"],
    )


def _legend(plot: figure, names: Iterable[str], height: int, columns: int) -> None:
    """A legend below, and so much more height as its lines take."""
    plot.height = height + 22 * -(-len(list(names)) // columns)
    legend_below(plot, columns)


def forest(rows: Sequence[Row]) -> figure:
    """Effects in standard deviations from run to run with their intervals, one under another, named
    above their lines."""
    plot = canvas(None, 60 + 34 * len(rows), "1")
    plot.xaxis.axis_label = "effect in standard deviations from run to run"
    # brings intervals into the unit of the sizes; an established effect is never zero
    scale = [row.size / row.effect for row in rows]
    tops = [float(len(rows) - place) for place in range(len(rows))]
    data: dict[str, list[Any]] = {
        "y": [top - 0.68 for top in tops],
        "above": [top - 0.36 for top in tops],
        "size": [row.size for row in rows],
        "low": [row.low * each for row, each in zip(rows, scale, strict=True)],
        "high": [row.high * each for row, each in zip(rows, scale, strict=True)],
        "colour": [TONE[row.verdict] for row in rows],
        "said": [f"{name_of(row)}: {row.verdict}" for row in rows],
        "words": [
            f"{human(row.base)} to {human(row.value)} {'' if row.unit == '1' else row.unit}, q "
            f"{two_digits(row.q)}"
            for row in rows
        ],
    }
    low, high = padded([*data["low"], *data["high"]], ROOM)
    data["left"] = [low] * len(rows)
    source = ColumnDataSource(data)
    plot.x_range, plot.y_range = Range1d(low, high), Range1d(0, len(rows))
    zero_line(plot, "height")
    names_above(plot, source, "said")
    plot.segment("low", "y", "high", "y", source=source, color="colour", line_width=2.5)
    points = plot.scatter("size", "y", source=source, size=9, color="colour", line_color="white")
    plot.add_tools(
        HoverTool(
            renderers=[points],
            tooltips=[
                ("", "@said"),
                ("sd", "@size{0.[00]} [@low{0.[00]}, @high{0.[00]}]"),
                ("", "@words"),
            ],
        )
    )
    return plot


def narrower(courses: Mapping[str, Course], fork: dt.datetime, month: dt.datetime) -> figure:
    """How many times narrower pairing made the interval, week by week, one line per series; a line
    at one, where it gains nothing, and at three."""
    plot = canvas(_after(fork, courses.values()), 300, "times narrower", log=True)
    known = _weekly(plot, courses, {name: each.narrower for name, each in courses.items()})
    _level(plot, 1.0)
    _level(plot, 3.0, "dotted")
    time_mark(plot, month)
    # by factors, as the scale is a logarithm; the lines at one and three are always in it
    plot.y_range.start, plot.y_range.end = 0.8 * min([1.0, *known]), 1.3 * max([4.0, *known])
    plot.yaxis.ticker = FixedTicker(ticks=[0.3, 1, 3, 10, 30, 100, 300, 1000, 10000, 100000])
    return plot


def correlation(courses: Mapping[str, Course], fork: dt.datetime, month: dt.datetime) -> figure:
    """Correlation of the two branches over the worlds, week by week, one line per series."""
    plot = canvas(_after(fork, courses.values()), 300, "correlation")
    known = _weekly(plot, courses, {name: each.correlation for name, each in courses.items()})
    _level(plot, 0.0)
    _level(plot, 1.0)
    time_mark(plot, month)
    # a correlation is one at most; below zero there is room as far as it goes
    plot.y_range = Range1d(min([-0.05, *known]) - 0.05, 1.05)
    return plot


def _weekly(
    plot: figure, courses: Mapping[str, Course], values: Mapping[str, Array]
) -> list[float]:
    """Lines over weeks with points and legend; all values that are known."""
    drawn, known = [], list[float]()
    for place, (name, found) in enumerate(values.items()):
        known += [float(each) for each in found if np.isfinite(each)]
        times = [milliseconds(time) for time in courses[name].time]
        source = ColumnDataSource({"t": times, "v": np.asarray(found, np.float64)})
        look: dict[str, Any] = {"color": colour(place), "legend_label": name, "name": name}
        # with more series than colours, the second round is dashed
        dash = DASHES[place // len(PALETTE) % len(DASHES)]
        plot.line("t", "v", source=source, line_width=2, line_dash=dash, **look)
        drawn.append(plot.scatter("t", "v", source=source, size=5, **look))
    plot.add_tools(
        HoverTool(
            renderers=drawn,
            formatters={"@t": "datetime"},
            tooltips="$name, week to @t{%d %b %Y}: @v{0.[00]}",
        )
    )
    _legend(plot, courses, 260, legend_columns(list(courses)))
    return known


def _level(plot: figure, value: float, dash: str = "solid") -> None:
    """A line across the picture."""
    plot.add_layout(
        Span(location=value, dimension="width", line_color=INK, line_width=1, line_dash=dash)
    )
