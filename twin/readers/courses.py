"""Pictures of series over simulated time: one line each, marks of policies, bands of standard
errors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from bokeh.models import (
    ColumnDataSource,
    GlyphRenderer,
    HoverTool,
    Range1d,
)
from bokeh.plotting import figure
from numpy.typing import NDArray

from twin.readers.pictures import (
    OF_LABEL,
    PALETTE,
    Section,
    add_marks,
    canvas,
    legend_below,
    legend_columns,
    milliseconds,
)
from twin.readers.pictures import zero_line as at_zero

DASHES = ("solid", "dashed", "dotted", "dotdash")
POINTS = 400
"""Most points of a line: as many as a picture is wide."""
OUTLIERS = 0.02
"""Part of the readings at either end that may be outside a picture if they would flatten the
rest."""
BEGINNING = "Readings of the beginning may be outside the picture."
BEYOND = "A few readings are outside the picture."
LEAST_SPAN = 0.02
"""A vertical axis spans at least this part of its greatest value, or noise would look like a
change."""


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
    # only while each metric has dashes of its own
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
                # when colours run out, dashes tell apart lines of the same one
                else DASHES[place // len(PALETTE) % len(DASHES)],
                errors[place] if errors else None,
            )
        )
    return lines


def y_range(drawn: Sequence[NDArray[np.float64]]) -> tuple[Range1d, bool]:
    """Room for all lines, from zero where they come near it, never so narrow that noise fills the
    picture; whether some
    readings are outside."""
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
    # a few extreme readings at the beginning would flatten all that come after
    if usual and high - low > 3 * (max(usual) - min(usual)) > 0:
        room = 0.5 * (max(usual) - min(usual))
        low, high, beyond = (
            max(low, float(min(usual) - room)),
            min(high, float(max(usual) + room)),
            True,
        )
    # where zero is not far, heights can be compared
    if 0 < low < 0.6 * high:
        low = 0.0
    span = max(high - low, LEAST_SPAN * max(abs(low), abs(high)), 1e-9)
    centre = (low + high) / 2
    if low == 0:
        # six percent of room, so that no line touches the frame
        return Range1d(0, max(high, span) * 1.06), beyond
    return Range1d(centre - 0.56 * span, centre + 0.56 * span), beyond


def courses(
    times: NDArray[np.datetime64],
    lines: Sequence[Line],
    unit: str,
    frame: Section,
    *,
    height: int = 230,
    zero_line: bool = False,
    scale_from: int = 0,
) -> figure:
    """Series over simulated time, one line each, with a dashed mark where each policy took effect
    and a band of two standard errors.

    ``times`` (readings,) are those of all lines. The first reading is left out: nothing has
    happened yet in its world. The vertical axis has room for the readings from number
    ``scale_from`` on.
    """
    columns = legend_columns([line.name for line in lines])
    plot = canvas(frame.x_range, height, unit)
    # each further row of the legend takes 20 pixels, which the picture must not lose
    plot.height = height + 20 * max(0, -(-len(lines) // columns) - 1)
    skip = 1 if len(times) > 2 else 0
    keep = _thinned(len(times), skip)
    plot.y_range, beyond = y_range([line.values[keep[keep >= scale_from]] for line in lines])
    # `sections` puts these words under the picture
    plot.tags = [BEGINNING] if scale_from > skip else [BEYOND] if beyond else []
    if zero_line:
        at_zero(plot, "width")
    drawn = _draw_lines(plot, lines, _source(times, lines, keep))
    plot.add_tools(
        HoverTool(
            # a single line answers to the pointer at any height
            mode="vline" if len(lines) == 1 else "mouse",
            renderers=drawn,
            formatters={"@t": "datetime"},
            tooltips="$name @t{%d %b %Y}: @$name{0.[0000]}",
        )
    )
    add_marks(plot, frame)
    if len(lines) > 1:
        legend_below(plot, columns)
    return plot


def _thinned(readings: int, skip: int) -> NDArray[np.int64]:
    """Numbers of the readings that are drawn: all after ``skip``, or POINTS of them evenly."""
    count = readings - skip
    if count <= POINTS:
        return skip + np.arange(count)
    return skip + np.unique(np.linspace(0, count - 1, POINTS).astype(int))


def _source(
    times: NDArray[np.datetime64], lines: Sequence[Line], keep: NDArray[np.int64]
) -> ColumnDataSource:
    """The columns that Bokeh draws: ``t`` (ms), one per line by its name, and the ends of bands.

    float32 halves the page; a picture shows four digits.
    """
    data = {"t": milliseconds(times)[keep]}
    for place, line in enumerate(lines):
        values = line.values[keep]
        data[line.name] = np.where(np.isfinite(values), values, np.nan).astype(np.float32)
        if line.error is not None:
            data[f"low{place}"] = (values - 2 * line.error[keep]).astype(np.float32)
            data[f"high{place}"] = (values + 2 * line.error[keep]).astype(np.float32)
    return ColumnDataSource(data)


def _draw_lines(
    plot: figure, lines: Sequence[Line], source: ColumnDataSource
) -> list[GlyphRenderer]:
    """Each line above its band; a legend only where there are several lines."""
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
    return drawn
