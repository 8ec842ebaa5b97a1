"""The looks that all pictures of a run share: colours, canvas, legend, marks of policies.

Humans are always blue and AI always orange; colours are the colour-blind-safe set of Okabe and Ito
(2008).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from bokeh.models import (
    CustomJSTickFormatter,
    DatetimeTicker,
    DatetimeTickFormatter,
    Label,
    PlainText,
    Range1d,
    Span,
)
from bokeh.plotting import figure
from numpy.typing import NDArray

from twin.readers import bokeh_defaults as bokeh_defaults  # its pictures come sooner
from twin.readers.baseline import Mark as Mark
from twin.readers.text import short
from twin.record.results import Metrics

BLUE, ORANGE = "#0072b2", "#e69f00"
PALETTE = (BLUE, ORANGE, "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#7a6f00", "#555555")
OF_LABEL = {"human": BLUE, "ai": ORANGE}
INK, FAINT, MARK = "#333c48", "#d9dee6", "#8a2be2"
GOOD, BAD, NOISE = "#00785a", "#b4401a", "#9aa4b2"
"""Better for a side, worse for it, and what may be noise."""
SEQUENTIAL = tuple(
    f"#{r:02x}{g:02x}{b:02x}"
    for r, g, b in np.linspace((247, 250, 253), (8, 64, 129), 64).astype(int)
)
MARKS_MOST, MARKS_NAMED = 24, 3
"""Marks that are drawn at most, and up to how many are named. More are numbered, and the list at
the head of the page names them."""

_SHORT = CustomJSTickFormatter(
    code="""
    const a = Math.abs(tick), sign = tick < 0 ? "\u2212" : "";
    if (a >= 1e9) return sign + (a / 1e9).toPrecision(3) / 1 + " G";
    if (a >= 1e6) return sign + (a / 1e6).toPrecision(3) / 1 + " M";
    if (a >= 1e4) return sign + (a / 1e3).toPrecision(3) / 1 + " k";
    return sign + Number(a.toPrecision(4));
"""
)

_DATES = DatetimeTickFormatter(days="%d %b", months="%b %Y", years="%Y", hours="%d %b %H:%M")
_DATE_TICKS = DatetimeTicker(desired_num_ticks=3)
FORMATS = (_SHORT, _DATES, _DATE_TICKS)
"""Models that all pictures share."""


def milliseconds(times: NDArray[np.datetime64]) -> NDArray[np.float64]:
    """Times as Bokeh takes them: milliseconds since 1970, same shape."""
    return np.asarray(times.astype("datetime64[s]").astype(np.int64) * 1000.0, np.float64)


def time_range(metrics: Metrics) -> Range1d:
    """The whole run as an x range; figures that share it pan and zoom together."""
    ms = milliseconds(metrics.times)
    first, last = (ms[0], ms[-1]) if len(ms) else (0.0, 1.0)
    # at least an hour wide, also for a single reading
    return Range1d(first, max(last, first + 3.6e6), bounds=(first, max(last, first + 3.6e6)))


def canvas(
    x_range: Range1d | None, height: int, unit: str, log: bool = False, log_x: bool = False
) -> figure:
    """An empty picture in the common style; over time if a range of time (ms) is given; ``log``,
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
        # dragging and scrolling move the page until a tool is chosen
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
    plot.yaxis.axis_label = axis_label(unit)
    if x_range:
        plot.xaxis.formatter, plot.xaxis.ticker = _DATES, _DATE_TICKS
    return plot


def axis_label(unit: str) -> str:
    """What stands beside an axis in this unit."""
    return "" if unit == "1" else unit


def drawn_marks(marks: Sequence[Mark], x_range: Range1d) -> list[Span | Label]:
    """A dashed line and a name or number for each policy; made once, and shared by all pictures
    over the same time."""
    middle = (x_range.start + x_range.end) / 2
    found: list[Span | Label] = []
    for number, (when, text) in enumerate(marks[:MARKS_MOST]):
        x = when.timestamp() * 1000
        # names extend towards the middle of the picture, where they have room
        left = x > middle
        found.append(
            Span(location=x, dimension="height", line_color=MARK, line_dash="dashed", line_width=1)
        )
        found.append(
            Label(
                x=x,
                # two heights in turn, so that neighbours overlap less
                y=2 + 13 * (number % 2),
                y_units="screen",
                x_offset=-3 if left else 3,
                # a policy's name must never be read as TeX
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
class Section:
    """What all pictures of a section share: the range of time, which pans and zooms them together,
    and the marks in it."""

    x_range: Range1d
    marks: Sequence[Span | Label]


def padded(values: Sequence[float], room: float, least: float = 0.0) -> tuple[float, float]:
    """A range that shows all values and zero, with a share ``room`` of its width, at least
    ``least``, free at either end."""
    known = [each for each in (*values, 0.0) if np.isfinite(each)]
    low, high = min(known), max(known)
    # a single value has no width of its own, and a range needs one
    free = max(room * (high - low), least) or 1.0
    return low - free, high + free


def zero_line(plot: figure, *dimensions: str) -> None:
    """Lines at zero: ``width`` runs across the picture, ``height`` up it."""
    for dimension in dimensions:
        plot.add_layout(Span(location=0, dimension=dimension, line_color=INK, line_width=1))


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


def add_marks(plot: figure, frame: Section) -> None:
    """Draw the marks of the section into a picture."""
    for mark in frame.marks:
        plot.add_layout(mark)


def spark(values: NDArray[np.float64], width: int = 150, height: int = 36) -> str:
    """Points of an SVG polyline for a small course."""
    # without the first reading, before which nothing has happened
    known = values[1:][np.isfinite(values[1:])]
    if len(known) < 2:
        return ""
    means = np.array([block.mean() for block in np.array_split(known, min(60, len(known)))])
    spread = means.max() - means.min()
    y = height - 3 - (means - means.min()) / (spread or 1) * (height - 6)
    x = np.linspace(2, width - 2, len(means))
    return " ".join(f"{a:.1f},{b:.1f}" for a, b in zip(x, y, strict=True))
