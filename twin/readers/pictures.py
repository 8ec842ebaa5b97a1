"""Pictures of a run, from the metric declarations alone: courses with policy marks, distributions,
heat maps.

Humans are always blue and AI always orange; colours are the colour-blind-safe set of Okabe and Ito
(2008).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from bokeh.models import (
    ColumnDataSource,
    CustomJSTickFormatter,
    DatetimeTicker,
    DatetimeTickFormatter,
    FixedTicker,
    HoverTool,
    Label,
    LinearColorMapper,
    PlainText,
    Range1d,
    Span,
)
from bokeh.plotting import figure
from numpy.typing import NDArray

from twin.readers.text import human, short
from twin.record.results import Metrics
from twin.world.metric import Metric

BLUE, ORANGE = "#0072b2", "#e69f00"
PALETTE = (BLUE, ORANGE, "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#7a6f00", "#555555")
OF_LABEL = {"human": BLUE, "ai": ORANGE}
INK, FAINT, MARK = "#333c48", "#d9dee6", "#8a2be2"
SEQUENTIAL = tuple(
    f"#{r:02x}{g:02x}{b:02x}"
    for r, g, b in np.linspace((247, 250, 253), (8, 64, 129), 64).astype(int)
)
DASHES = ("solid", "dashed", "dotted", "dotdash")
POINTS = 400
"""Most points of a line: as many as a picture is wide."""
MARKS_MOST, MARKS_NAMED = 24, 3
"""With more marks than this, pictures number them; the list at the head of the page says which is
which."""
OUTLIERS = 0.02
"""Part of the readings at either end of the scale that may lie outside a picture if they would
flatten the rest."""
BEGINNING = "Readings of the beginning may lie beyond the picture."
BEYOND = "A few readings lie beyond the picture."
LEAST_SPAN = 0.02
"""A vertical axis spans at least this part of its greatest value, or luck would look like drama."""

_SHORT = CustomJSTickFormatter(
    code="""
    const a = Math.abs(tick);
    if (a >= 1e9) return (tick / 1e9).toPrecision(3) / 1 + " G";
    if (a >= 1e6) return (tick / 1e6).toPrecision(3) / 1 + " M";
    if (a >= 1e4) return (tick / 1e3).toPrecision(3) / 1 + " k";
    return String(Number(tick.toPrecision(4)));
"""
)

_DATES = DatetimeTickFormatter(days="%d %b", months="%b %Y", years="%Y", hours="%d %b %H:%M")
_DATE_TICKS = DatetimeTicker(desired_num_ticks=3)

Mark = tuple[dt.datetime, str]


def _ms(times: NDArray[np.datetime64]) -> NDArray[np.float64]:
    return np.asarray(times.astype("datetime64[s]").astype(np.int64) * 1000.0, np.float64)


def time_range(metrics: Metrics) -> Range1d:
    """The whole run as an x range; figures that share it pan and zoom together."""
    ms = _ms(metrics.times)
    first, last = (ms[0], ms[-1]) if len(ms) else (0.0, 1.0)
    return Range1d(first, max(last, first + 3.6e6), bounds=(first, max(last, first + 3.6e6)))


def canvas(
    x_range: Range1d | None, height: int, unit: str, log: bool = False, log_x: bool = False
) -> figure:
    """An empty picture in the looks of all; over time if a range of time (ms) is given; ``log``,
    ``log_x``: the vertical, horizontal axis is logarithmic.
    """
    over_time: dict[str, Range1d | str] = (
        {"x_range": x_range, "x_axis_type": "datetime"} if x_range else {}
    )
    if log:
        over_time["y_axis_type"] = "log"
    if log_x:
        over_time["x_axis_type"] = "log"
    plot = figure(
        **over_time,
        height=height,
        sizing_mode="stretch_width",
        tools="xpan,xwheel_zoom,reset,save",
        active_drag=None,
        active_scroll=None,
        toolbar_location="above",
        background_fill_color=None,
        border_fill_color=None,
        outline_line_color=None,
        min_border_right=12,
    )
    plot.toolbar.autohide, plot.toolbar.logo, plot.toolbar_inner = True, None, True
    plot.grid.grid_line_color = FAINT
    plot.xgrid.grid_line_color = None
    for axis in (*plot.xaxis, *plot.yaxis):
        axis.axis_line_color = axis.major_tick_line_color = FAINT
        axis.minor_tick_line_color = None
        axis.major_label_text_color = axis.axis_label_text_color = INK
        axis.major_label_text_font = axis.axis_label_text_font = "system-ui"
        axis.axis_label_text_font_style = "normal"
    plot.yaxis.formatter = _SHORT
    plot.yaxis.axis_label = "" if unit == "1" else unit
    if x_range:
        plot.xaxis.formatter, plot.xaxis.ticker = _DATES, _DATE_TICKS
    return plot


def drawn_marks(marks: Sequence[Mark], x_range: Range1d) -> list[Span | Label]:
    """A dashed line and a name or number for each policy; made once, and shared by all pictures
    over the same time."""
    middle = (x_range.start + x_range.end) / 2
    found: list[Span | Label] = []
    for number, (when, text) in enumerate(marks[:MARKS_MOST]):
        x = when.timestamp() * 1000
        left = x > middle
        found.append(
            Span(location=x, dimension="height", line_color=MARK, line_dash="dashed", line_width=1)
        )
        found.append(
            Label(
                x=x,
                y=2 + 13 * (number % 2),
                y_units="screen",
                x_offset=-3 if left else 3,
                text=PlainText(
                    str(number + 1) if len(marks) > MARKS_NAMED else short(text, 22)
                ),  # never as TeX
                text_font_size="10px",
                text_color=MARK,
                text_align="right" if left else "left",
                text_font="system-ui",
                background_fill_color="white",
                background_fill_alpha=0.7,
            )
        )
    return found


@dataclass(frozen=True)
class Frame:
    """What all pictures of a section share: the range of time, which pans and zooms them together,
    and the marks in it."""

    x_range: Range1d
    marks: Sequence[Span | Label]


@dataclass(frozen=True)
class Line:
    """One line of a picture (readings,), with a standard error around it if there is one."""

    name: str
    values: NDArray[np.float64]
    colour: str
    dash: str = "solid"
    error: NDArray[np.float64] | None = None


def styled(
    names: Sequence[tuple[str, str]],
    values: Sequence[NDArray[np.float64]],
    errors: Sequence[NDArray[np.float64] | None] = (),
) -> list[Line]:
    """Lines from (metric, label) names: where several metrics meet several labels, colour tells the
    label and dashes the metric."""
    metrics = list(dict.fromkeys(metric for metric, _ in names))
    labels = list(dict.fromkeys(label for _, label in names))
    crossed = 1 < len(metrics) <= len(DASHES) and len(labels) > 1
    lines = []
    for place, (metric, label) in enumerate(names):
        words = "AI" if label == "ai" else label.replace("_", " ")
        name = (
            (f"{metric}, {words}" if label else metric) if len(metrics) > 1 or not label else words
        )
        number = labels.index(label) if crossed else place
        lines.append(
            Line(
                name,
                values[place],
                OF_LABEL.get(label, PALETTE[number % len(PALETTE)]),
                DASHES[metrics.index(metric)]
                if crossed
                else DASHES[place // len(PALETTE) % len(DASHES)],
                errors[place] if errors else None,
            )
        )
    return lines


def y_range(drawn: Sequence[NDArray[np.float64]]) -> tuple[Range1d, bool]:
    """Room for all lines, from zero where they come near it, never so narrow that noise fills the
    picture; whether some lies beyond."""
    each = [values[np.isfinite(values)] for values in drawn]
    beyond = False
    ends = [end for values in each if len(values) for end in (values.min(), values.max())]
    low, high = (float(min(ends)), float(max(ends))) if ends else (0.0, 1.0)
    usual = [
        end
        for values in each
        if len(values)
        for end in np.quantile(values, (OUTLIERS, 1 - OUTLIERS))
    ]
    if (
        usual and high - low > 3 * (max(usual) - min(usual)) > 0
    ):  # a wild beginning would flatten all that comes after
        room = 0.5 * (max(usual) - min(usual))
        low, high, beyond = (
            max(low, float(min(usual) - room)),
            min(high, float(max(usual) + room)),
            True,
        )
    if 0 < low < 0.6 * high:
        low = 0.0
    span = max(high - low, LEAST_SPAN * max(abs(low), abs(high)), 1e-9)
    centre = (low + high) / 2
    if low == 0:
        return Range1d(0, max(high, span) * 1.06), beyond
    return Range1d(centre - 0.56 * span, centre + 0.56 * span), beyond


def courses(
    times: NDArray[np.datetime64],
    lines: Sequence[Line],
    unit: str,
    frame: Frame,
    *,
    height: int = 230,
    zero_line: bool = False,
    scale_from: int = 0,
) -> figure:
    """Series over simulated time, one line each, with a dashed mark where each policy took hold, a
    band of two standard errors.

    The first reading is left out: it is of a world in which nothing has happened yet. The vertical
    axis has room for the readings from number ``scale_from`` on.
    """
    columns = legend_columns([line.name for line in lines])
    plot = canvas(frame.x_range, height, unit)
    plot.height = height + 20 * max(0, -(-len(lines) // columns) - 1)
    skip = 1 if len(times) > 2 else 0
    count = len(times) - skip
    keep = skip + (
        np.unique(np.linspace(0, count - 1, POINTS).astype(int))
        if count > POINTS
        else np.arange(count)
    )
    data = {"t": _ms(times)[keep]}
    for place, line in enumerate(lines):
        data[line.name] = np.where(
            np.isfinite(line.values[keep]), line.values[keep], np.nan
        ).astype(np.float32)
        if line.error is not None:
            data[f"low{place}"] = (line.values[keep] - 2 * line.error[keep]).astype(np.float32)
            data[f"high{place}"] = (line.values[keep] + 2 * line.error[keep]).astype(np.float32)
    source = ColumnDataSource(data)
    plot.y_range, beyond = y_range([line.values[keep[keep >= scale_from]] for line in lines])
    plot.tags = [BEGINNING] if scale_from > skip else [BEYOND] if beyond else []
    if zero_line:
        plot.add_layout(Span(location=0, dimension="width", line_color=INK, line_width=1))
    drawn = []
    for place, line in enumerate(lines):
        extra = {"legend_label": line.name} if len(lines) > 1 else {}
        if line.error is not None:
            plot.varea(
                "t",
                f"low{place}",
                f"high{place}",
                source=source,
                color=line.colour,
                alpha=0.18,
                **extra,
            )
        drawn.append(
            plot.line(
                "t",
                line.name,
                source=source,
                name=line.name,
                color=line.colour,
                line_width=2,
                line_dash=line.dash,
                **extra,
            )
        )
    plot.add_tools(
        HoverTool(
            mode="vline" if len(lines) == 1 else "mouse",
            renderers=drawn,
            formatters={"@t": "datetime"},
            tooltips="$name @t{%d %b %Y}: @$name{0.[0000]}",
        )
    )
    _mark(plot, frame)
    if len(lines) > 1:
        legend_below(plot, columns)
    return plot


def legend_below(plot: figure, columns: int) -> None:
    """Put the legend below the picture; a click on a name hides its line."""
    legend = plot.legend[0]
    plot.add_layout(legend, "below")
    legend.location = "left"
    legend.orientation, legend.ncols = "horizontal", columns
    legend.click_policy, legend.label_text_color, legend.label_text_font_size = "hide", INK, "11px"
    legend.border_line_color, legend.background_fill_color, legend.label_text_font = (
        None,
        None,
        "system-ui",
    )
    legend.glyph_width, legend.spacing, legend.padding, legend.margin, legend.label_height = (
        22,
        8,
        2,
        2,
        12,
    )


def legend_columns(names: Sequence[str]) -> int:
    """As many columns as have room on a phone."""
    longest = max((len(name) for name in names), default=0)
    return 4 if longest < 11 else 2 if longest < 24 else 1


def _mark(plot: figure, frame: Frame) -> None:
    for mark in frame.marks:
        plot.add_layout(mark)


def _occupancy(
    metrics: Metrics, metric: Metric
) -> tuple[NDArray[np.datetime64], NDArray[np.float64]]:
    """Times and counts per bin: a running total becomes what was new between two (about weekly)
    readings."""
    counts, times = metrics.of(metric.name), metrics.times
    if not metric.total or len(times) < 3:
        return times, counts
    some = np.unique(np.linspace(0, len(times) - 1, min(len(times), 60)).astype(int))
    return times[some[1:]], np.diff(counts[some], axis=0)


def _edge_names(metric: Metric) -> list[str]:
    return [human(edge).replace(" ", "") if edge >= 1000 else f"{edge:g}" for edge in metric.edges]


Shares = Sequence[tuple[str, NDArray[np.float64]]]


def moments_of(
    metrics: Metrics, metric: Metric, moments: Sequence[tuple[str, dt.datetime]]
) -> Shares:
    """A histogram metric at a few moments: name and counts per bin."""
    times, counts = _occupancy(metrics, metric)
    if not len(times):
        return []
    found = []
    for name, when in moments:
        at = int(
            np.clip(
                np.searchsorted(times, np.datetime64(when.replace(tzinfo=None), "s"), "right") - 1,
                0,
                len(times) - 1,
            )
        )
        found.append((name, counts[at]))
    return found


def distribution(metric: Metric, shown: Shares) -> figure:
    """Counts per bin as shares of all; bins are drawn equally wide and named by their lower
    edge."""
    plot = canvas(None, 230, "share")
    bins = len(metric.edges)
    for place, (name, counts) in enumerate(shown):
        total = counts.sum()
        share = counts / total if total else counts
        source = ColumnDataSource(
            {"x": np.arange(bins) + 0.5, "y": share, "edge": _edge_names(metric)}
        )
        colour = (
            (FAINT, "#56b4e9", BLUE)[place + 3 - len(shown)]
            if len(shown) <= 3
            else PALETTE[place % len(PALETTE)]
        )
        if place == 0:
            plot.vbar("x", width=0.96, top="y", source=source, color=FAINT, legend_label=name)
        else:
            plot.step(
                "x",
                "y",
                source=source,
                mode="center",
                color=colour,
                line_width=2,
                legend_label=name,
            )
        points = plot.scatter("x", "y", source=source, size=7, alpha=0)
        plot.add_tools(
            HoverTool(
                renderers=[points],
                tooltips=[("", name), (f"from {metric.unit}", "@edge"), ("share", "@y{0.[0] %}")],
            )
        )
    step = -(-bins // 8)
    plot.xaxis.ticker = FixedTicker(ticks=list(range(0, bins, step)))
    plot.xaxis.major_label_overrides = {i: _edge_names(metric)[i] for i in range(0, bins, step)}
    plot.y_range.start = 0
    if plot.legend:
        legend = plot.legend[0]
        plot.add_layout(legend, "below")
        legend.location = "left"
        legend.orientation, legend.border_line_color, legend.background_fill_color = (
            "horizontal",
            None,
            None,
        )
        legend.ncols = 3 if sum(len(name) for name, _ in shown) < 44 else 2
        legend.label_text_font, legend.label_text_color, legend.label_text_font_size = (
            "system-ui",
            INK,
            "11px",
        )
        legend.click_policy, legend.glyph_width, legend.padding, legend.margin = "hide", 14, 2, 2
    return plot


def heat_map(metrics: Metrics, metric: Metric, frame: Frame) -> figure:
    """A histogram metric over time: the share of each bin, darker for more."""
    plot = canvas(frame.x_range, 230, "")
    times, counts = _occupancy(metrics, metric)
    some = (
        np.unique(np.linspace(0, len(times) - 1, min(len(times), 180)).astype(int))
        if len(times)
        else np.zeros(0, int)
    )
    ms = _ms(times[some])
    totals = counts[some].sum(1, keepdims=True)
    share = np.divide(counts[some], totals, out=np.zeros_like(counts[some]), where=totals > 0)
    if len(ms) > 1:
        top = float(np.quantile(share, 0.995)) or 1.0
        plot.image(
            image=[share.T],
            x=ms[0],
            y=0,
            dw=ms[-1] - ms[0],
            dh=len(metric.edges),
            color_mapper=LinearColorMapper(palette=SEQUENTIAL, low=0, high=top),
        )
    bins = len(metric.edges)
    step = -(-bins // 8)
    plot.y_range = Range1d(0, bins)
    plot.yaxis.ticker = FixedTicker(ticks=list(range(0, bins, step)))
    plot.yaxis.formatter = CustomJSTickFormatter(
        args={"names": _edge_names(metric)}, code="return names[tick] ?? ''"
    )
    plot.grid.grid_line_color = None
    _mark(plot, frame)
    return plot


def spark(values: NDArray[np.float64], width: int = 150, height: int = 36) -> str:
    """Points of an SVG polyline for a small course."""
    known = values[1:][np.isfinite(values[1:])]
    if len(known) < 2:
        return ""
    means = np.array([block.mean() for block in np.array_split(known, min(60, len(known)))])
    spread = means.max() - means.min()
    y = height - 3 - (means - means.min()) / (spread or 1) * (height - 6)
    x = np.linspace(2, width - 2, len(means))
    return " ".join(f"{a:.1f},{b:.1f}" for a, b in zip(x, y, strict=True))
