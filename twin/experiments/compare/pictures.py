"""Pictures of a comparison: the two-sided map, effects over time, forest plots, and what the
pairing gained.

Effects are drawn in percent of the world as it is, 100 effect / |base|, where that world's value is
not zero.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from bokeh.core.properties import value
from bokeh.layouts import column, row
from bokeh.models import (
    BoxAnnotation,
    ColumnDataSource,
    CustomJS,
    FixedTicker,
    HoverTool,
    Range1d,
    Select,
    Span,
)
from bokeh.plotting import figure
from numpy.typing import NDArray

from twin.experiments.compare.rows import Row, name_of
from twin.readers.pictures import INK, MARK, PALETTE, canvas, legend_below, legend_columns
from twin.readers.text import human, short

GOOD, BAD, PLAIN, NOISE = "#00785a", "#b4401a", "#0072b2", "#9aa4b2"
TONE = {"better": GOOD, "worse": BAD, "more": PLAIN, "less": PLAIN, "": NOISE}
ROOM = 0.12
FAR = 1e6
"""Percent beyond every picture."""
Array = NDArray[np.float64]
Key = tuple[str, str]
"""Metric and labels."""


@dataclass(frozen=True)
class Axis:
    """A series that the map may show: its key, name, and the way that is good for its side."""

    key: Key
    name: str
    good: str

    @property
    def label(self) -> str:
        """What stands along the axis."""
        way = {"up": ", more is better", "down": ", less is better"}.get(self.good, "")
        return f"{self.name} (%{way})"


def colour(place: int) -> str:
    """The colour of a branch, the same in all pictures."""
    return PALETTE[place % len(PALETTE)]


def two_sided_map(
    branches: Sequence[str],
    axes: Mapping[str, Sequence[Axis]],
    rows: Mapping[tuple[str, Key], Row],
    clouds: Mapping[tuple[str, Key], Array],
) -> Any:
    """One point per branch with the cloud of its replicates and its interval along both axes, and a
    choice of axes.

    ``axes``: what can be chosen on x and y, first what is shown; ``clouds``: differences of the
    pairs (replicates,).
    """
    cloud: dict[str, list[Any]] = {"branch": [], "colour": [], "replicate": []}
    cross: dict[str, list[Any]] = {"branch": [], "colour": []}
    points: dict[str, dict[str, list[float]]] = {
        axis.name: {"cloud": [], "mid": [], "low": [], "high": []}
        for side in axes.values()
        for axis in side
    }
    for place, branch in enumerate(branches):
        n = len(next(iter(clouds.values())))
        cloud["branch"] += [branch] * n
        cloud["colour"] += [colour(place)] * n
        cloud["replicate"] += list(range(n))
        cross["branch"].append(branch)
        cross["colour"].append(colour(place))
        for axis in (axis for side in axes.values() for axis in side):
            mine, held = rows[branch, axis.key], points[axis.name]
            held["cloud"] += [mine.percent(float(each)) for each in clouds[branch, axis.key]]
            for end, at in (("mid", mine.effect), ("low", mine.low), ("high", mine.high)):
                held[end].append(mine.percent(at))
    x, y = axes["x"][0], axes["y"][0]
    for which, axis in (("x", x), ("y", y)):
        cloud[which] = points[axis.name]["cloud"]
        for end in ("mid", "low", "high"):
            cross[f"{which}_{end}"] = points[axis.name][end]
    dots, crosses = ColumnDataSource(cloud), ColumnDataSource(cross)
    plot = canvas(None, 520, "1")
    plot.xaxis.axis_label, plot.yaxis.axis_label = x.label, y.label
    plot.xgrid.grid_line_color = plot.ygrid.grid_line_color
    both = BoxAnnotation(fill_color=GOOD, fill_alpha=0.06, line_color=None, level="underlay")
    plot.add_layout(both)
    for dimension in ("width", "height"):
        plot.add_layout(Span(location=0, dimension=dimension, line_color=INK, line_width=1))
    faint = plot.scatter("x", "y", source=dots, size=5, color="colour", alpha=0.35, line_color=None)
    plot.segment(
        "x_low", "y_mid", "x_high", "y_mid", source=crosses, color="colour", line_width=2.5
    )
    plot.segment(
        "x_mid", "y_low", "x_mid", "y_high", source=crosses, color="colour", line_width=2.5
    )
    strong = plot.scatter(
        "x_mid",
        "y_mid",
        source=crosses,
        size=12,
        color="colour",
        line_color="white",
        line_width=1.5,
        legend_group="branch",
    )
    legend_below(plot, legend_columns([*branches, "x" * 12]))
    plot.legend[0].click_policy = "none"
    plot.add_tools(
        HoverTool(
            renderers=[strong],
            tooltips=[
                ("", "@branch"),
                ("x", "@x_mid{0.[00]} % [@x_low{0.[00]}, @x_high{0.[00]}]"),
                ("y", "@y_mid{0.[00]} % [@y_low{0.[00]}, @y_high{0.[00]}]"),
            ],
        ),
        HoverTool(
            renderers=[faint],
            tooltips=[
                ("", "@branch, world @replicate"),
                ("x", "@x{0.[00]} %"),
                ("y", "@y{0.[00]} %"),
            ],
        ),
    )
    goods = {
        axis.name: {"up": 1, "down": -1}.get(axis.good, 0)
        for side in axes.values()
        for axis in side
    }
    labels = {axis.name: axis.label for side in axes.values() for axis in side}
    ranges = {
        name: _span([*held["cloud"], *held["low"], *held["high"]]) for name, held in points.items()
    }
    plot.x_range, plot.y_range = Range1d(*ranges[x.name]), Range1d(*ranges[y.name])
    _shade(both, goods[x.name], goods[y.name])
    chosen = {
        which: Select(
            title={"x": "Creators (across)", "y": "Consumers (up)"}[which],
            value=axes[which][0].name,
            options=[axis.name for axis in axes[which]],
            sizing_mode="stretch_width",
        )
        for which in ("x", "y")
    }
    change = CustomJS(
        args={
            "xs": chosen["x"],
            "ys": chosen["y"],
            "dots": dots,
            "crosses": crosses,
            "plot": plot,
            "both": both,
            "points": points,
            "goods": goods,
            "labels": labels,
            "ranges": ranges,
            "far": FAR,
        },
        code="""
        for (const [which, select] of [["x", xs], ["y", ys]]) {
            const held = points[select.value];
            dots.data[which] = held.cloud;
            for (const end of ["mid", "low", "high"]) crosses.data[which + "_" + end] = held[end];
            const range = which == "x" ? plot.x_range : plot.y_range;
            [range.start, range.end] = ranges[select.value];
            (which == "x" ? plot.below[0] : plot.left[0]).axis_label = labels[select.value];
        }
        dots.change.emit(); crosses.change.emit();
        const x = goods[xs.value], y = goods[ys.value];
        both.visible = x != 0 && y != 0;
        both.left = x > 0 ? 0 : -far; both.right = x < 0 ? 0 : far; both.bottom = y > 0 ? 0 : -far; both.top = y < 0 ? 0 : far;
    """,
    )
    for select in chosen.values():
        select.js_on_change("value", change)
    return column(
        row(chosen["x"], chosen["y"], sizing_mode="stretch_width"),
        plot,
        sizing_mode="stretch_width",
    )


def _shade(box: BoxAnnotation, x: int, y: int) -> None:
    """The quarter that is better for both sides, where both have a better."""
    box.visible = x != 0 and y != 0
    box.left, box.right = (0 if x > 0 else -FAR), (0 if x < 0 else FAR)
    box.bottom, box.top = (0 if y > 0 else -FAR), (0 if y < 0 else FAR)


def _span(values: Sequence[float]) -> tuple[float, float]:
    """A range with room around all values and zero."""
    known = [each for each in (*values, 0.0) if np.isfinite(each)]
    low, high = min(known), max(known)
    room = ROOM * (high - low) or 1.0
    return low - room, high + room


def _ms(time: dt.datetime) -> float:
    return time.timestamp() * 1000


@dataclass(frozen=True)
class Course:
    """One series of a branch week by week (weeks,): ends of weeks and what was found; see
    `twin.experiments.effects`."""

    time: Sequence[dt.datetime]
    base: Array
    effect: Array
    low: Array
    high: Array
    correlation: Array
    narrower: Array


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
    every = list(courses.values())
    share = in_percent(every)
    end = max(_ms(each.time[-1]) for each in every)
    lead = 0.04 * (end - _ms(fork))
    plot = canvas(
        Range1d(_ms(fork) - lead, end + lead), 250, "% of the world as it is" if share else unit
    )
    plot.add_layout(Span(location=0, dimension="width", line_color=INK, line_width=1))
    plot.add_layout(
        Span(
            location=_ms(fork),
            dimension="height",
            line_color=MARK,
            line_dash="dashed",
            line_width=1,
        )
    )
    drawn = []
    for name, each in courses.items():
        scale = 100 / each.base if share else np.ones(len(each.base))
        times = np.array([_ms(time) for time in each.time])
        data = {
            "t": times,
            "low": each.low * scale,
            "high": each.high * scale,
            "effect": each.effect * scale,
        }
        source = ColumnDataSource({**data, "branch": [name] * len(times)})
        label = {"legend_label": short(name, 40)}
        whole = ColumnDataSource(
            {
                "t": [_ms(fork), *times],
                **{key: [0.0, *data[key]] for key in ("low", "high", "effect")},
            }
        )  # equal there
        plot.varea("t", "low", "high", source=whole, color=colours[name], alpha=0.16, **label)
        plot.line("t", "effect", source=whole, color=colours[name], line_width=2, **label)
        drawn.append(
            plot.scatter("t", "effect", source=source, size=4, color=colours[name], **label)
        )
        if name in since:
            at = next((k for k, time in enumerate(each.time) if time > since[name]), len(times) - 1)
            plot.scatter(
                [times[at]],
                [data["effect"][at]],
                size=12,
                fill_color=None,
                line_color=colours[name],
                line_width=2,
                **label,
            )
    plot.y_range = Range1d(*_span([end for each in every for end in _known(each, share)]))
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
    columns = legend_columns([*courses, "x" * 12])
    plot.height = 220 + 22 * -(-len(courses) // columns)
    legend_below(plot, columns)
    return plot


def _known(course: Course, share: bool) -> list[float]:
    scale = 100 / course.base if share else np.ones(len(course.base))
    values = np.concatenate([course.low * scale, course.high * scale])
    return [float(each) for each in values if np.isfinite(each)]


def forest(rows: Sequence[Row]) -> figure:
    """Effects in standard deviations from run to run with their intervals, one under another, named
    above their lines."""
    plot = canvas(None, 60 + 34 * len(rows), "1")
    plot.xaxis.axis_label = "effect in standard deviations from run to run"
    scale = [row.size / row.effect for row in rows]
    below = [float(len(rows) - place) for place in range(len(rows))]
    data: dict[str, list[Any]] = {
        "y": [each - 0.68 for each in below],
        "above": [each - 0.36 for each in below],
        "size": [row.size for row in rows],
        "low": [row.low * each for row, each in zip(rows, scale, strict=True)],
        "high": [row.high * each for row, each in zip(rows, scale, strict=True)],
        "colour": [TONE[row.verdict] for row in rows],
        "said": [f"{name_of(row)}: {row.verdict}" for row in rows],
        "words": [
            f"{human(row.base)} to {human(row.value)} {'' if row.unit == '1' else row.unit}, q "
            f"{row.q:.2g}"
            for row in rows
        ],
    }
    low, high = _span([*data["low"], *data["high"]])
    data["left"] = [low] * len(rows)
    source = ColumnDataSource(data)
    plot.x_range, plot.y_range = Range1d(low, high), Range1d(0, len(rows))
    plot.add_layout(Span(location=0, dimension="height", line_color=INK, line_width=1))
    plot.text(
        "left",
        "above",
        text="said",
        source=source,
        text_font_size="11px",
        text_font=value("system-ui"),
        text_color=INK,
        x_offset=4,
        text_baseline="middle",
    )
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
    plot.yaxis.visible = False
    plot.ygrid.grid_line_color = None
    return plot


def pairing(
    courses: Mapping[str, Course], what: str, fork: dt.datetime, month: dt.datetime
) -> figure:
    """``correlation`` of the branches, or how many times ``narrower`` pairing made the interval,
    week by week, one line per series."""
    end = max(_ms(each.time[-1]) for each in courses.values())
    lead = 0.04 * (end - _ms(fork))
    ratio = what == "narrower"
    plot = canvas(
        Range1d(_ms(fork) - lead, end + lead),
        300,
        "times narrower" if ratio else "correlation",
        log=ratio,
    )
    dashes = ("solid", "dashed")
    values: list[float] = []
    drawn = []
    for place, (name, each) in enumerate(courses.items()):
        found = getattr(each, what)
        values += [float(each) for each in found if np.isfinite(each)]
        source = ColumnDataSource(
            {"t": [_ms(time) for time in each.time], "v": np.asarray(found, np.float64)}
        )
        look = {"color": colour(place), "legend_label": name, "name": name}
        plot.line(
            "t",
            "v",
            source=source,
            line_width=2,
            line_dash=dashes[place // len(PALETTE) % 2],
            **look,
        )
        drawn.append(plot.scatter("t", "v", source=source, size=5, **look))
    for level in (1.0, 3.0) if ratio else (0.0, 1.0):
        plot.add_layout(
            Span(
                location=level,
                dimension="width",
                line_color=INK,
                line_width=1,
                line_dash="solid" if level < 2 else "dotted",
            )
        )
    plot.add_layout(
        Span(
            location=_ms(month),
            dimension="height",
            line_color=MARK,
            line_dash="dashed",
            line_width=1,
        )
    )
    if ratio:
        plot.y_range.start, plot.y_range.end = 0.8 * min([1.0, *values]), 1.3 * max([4.0, *values])
        plot.yaxis.ticker = FixedTicker(ticks=[0.3, 1, 3, 10, 30, 100, 300, 1000, 10000, 100000])
    else:
        plot.y_range = Range1d(min([-0.05, *values]) - 0.05, 1.05)
    plot.add_tools(
        HoverTool(
            renderers=drawn,
            formatters={"@t": "datetime"},
            tooltips="$name, week to @t{%d %b %Y}: @v{0.[00]}",
        )
    )
    columns = legend_columns(list(courses))
    plot.height = 260 + 22 * -(-len(courses) // columns)
    legend_below(plot, columns)
    return plot
