"""Pictures of a histogram metric: its shares at a few moments, and over time."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import numpy as np
from bokeh.models import (
    ColumnDataSource,
    CustomJSTickFormatter,
    FixedTicker,
    HoverTool,
    LinearColorMapper,
    Range1d,
)
from bokeh.plotting import figure
from numpy.typing import NDArray

from twin.readers.pictures import (
    BLUE,
    FAINT,
    INK,
    PALETTE,
    SEQUENTIAL,
    Section,
    add_marks,
    canvas,
    milliseconds,
)
from twin.readers.text import human
from twin.record.results import Metrics
from twin.world.metric import Metric


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
                # The last reading at or before the moment
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
            # From faint to strong, so that the last moment is always blue
            (FAINT, "#56b4e9", BLUE)[place + 3 - len(shown)]
            if len(shown) <= 3
            else PALETTE[place % len(PALETTE)]
        )
        # The first moment as bars behind, the others as steps in front of them
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
        # Invisible, for the pointer: one point per bin
        points = plot.scatter("x", "y", source=source, size=7, alpha=0)
        plot.add_tools(
            HoverTool(
                renderers=[points],
                tooltips=[("", name), (f"from {metric.unit}", "@edge"), ("share", "@y{0.[0] %}")],
            )
        )
    # At most eight names have room
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


def heat_map(metrics: Metrics, metric: Metric, frame: Section) -> figure:
    """A histogram metric over time: the share of each bin, darker for more."""
    plot = canvas(frame.x_range, 230, "")
    times, counts = _occupancy(metrics, metric)
    some = (
        # At most 180 columns
        np.unique(np.linspace(0, len(times) - 1, min(len(times), 180)).astype(int))
        if len(times)
        else np.zeros(0, int)
    )
    ms = milliseconds(times[some])
    totals = counts[some].sum(1, keepdims=True)
    share = np.divide(counts[some], totals, out=np.zeros_like(counts[some]), where=totals > 0)
    if len(ms) > 1:
        # Not the maximum, since a few extreme bins would make all others pale
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
    add_marks(plot, frame)
    return plot
