"""Pictures of a sweep: the response of one outcome to one parameter, and heat maps of grids of
two."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
from bokeh.models import (
    ColumnDataSource,
    CustomJSTickFormatter,
    FactorRange,
    FixedTicker,
    HoverTool,
    LinearColorMapper,
    Range1d,
)
from bokeh.plotting import figure
from numpy.typing import NDArray

from twin.experiments.design import Vary, quantity
from twin.experiments.drawing import text
from twin.readers.pictures import BLUE, INK, SEQUENTIAL, canvas
from twin.readers.text import human

BINS, LEAST = 10, 3
"""Most bins of a range, and fewest points of each."""
SDS, FLAT = 2.5, 0.05
"""An axis reaches at least so many standard deviations between runs, and so much of the value, to
either side."""
DARK = 0.55
"""Share of the scale beyond which a cell is too dark for dark text."""
Array = NDArray[np.float64]


def response(vary: Vary, at: Sequence[str], values: Array, unit: str) -> figure:
    """An outcome (points, replicates) over a parameter's value at every point: runs, means and
    standard deviations."""
    x = _across(vary, at)
    plot = canvas(None, 230, unit)
    order = np.repeat(np.arange(len(at)), values.shape[1])
    known = np.isfinite(values.ravel())
    runs = ColumnDataSource(
        {"x": x[order][known], "y": values.ravel()[known], "at": [at[i] for i in order[known]]}
    )
    points = plot.scatter("x", "y", source=runs, size=5, color=BLUE, alpha=0.35, line_color=None)
    # one mean a level; over a range hardly two points are equal, so neighbours are joined
    groups = [x == level for level in np.unique(x)] if vary.levels else _bins(x)
    source = ColumnDataSource(_means(x, values, groups))
    plot.segment("x", "low", "x", "high", source=source, color=INK, line_width=1.5)
    plot.line("x", "y", source=source, color=INK, line_width=1.5)
    means = plot.scatter("x", "y", source=source, size=8, color=INK, line_color="white")
    plot.add_tools(
        HoverTool(renderers=[points], tooltips=[("", "@at"), ("", "@y{0.[0000]}")]),
        HoverTool(
            renderers=[means],
            tooltips=[("mean", "@y{0.[0000]}"), ("± sd", "@low{0.[0000]} to @high{0.[0000]}")],
        ),
    )
    _ticks(plot, vary)
    if known.any():
        plot.y_range = Range1d(*_reach(values))
    return plot


def _reach(values: Array) -> tuple[float, float]:
    """Ends of an axis on which noise looks like noise: wide enough for all runs, for `SDS` standard
    deviations between runs of one point, and for `FLAT` of the value, so that a ripple of a
    thousandth is a line and not a mountain."""
    known = values[np.isfinite(values)]
    low, high = float(known.min()), float(known.max())
    middle = (low + high) / 2
    with warnings.catch_warnings():
        # points whose runs all failed, or have one
        warnings.simplefilter("ignore", RuntimeWarning)
        noise = float(np.nan_to_num(np.nanmean(np.nanstd(values, 1)))) * SDS
    half = max((high - low) * 0.55, noise, abs(middle) * FLAT, 1e-12)
    return middle - half, middle + half


def _across(vary: Vary, at: Sequence[str]) -> Array:
    """Where values lie across the picture (points,)."""
    if vary.levels:
        # levels stand side by side, whatever they are
        return np.array([vary.levels.index(text) for text in at], np.float64)
    numbers = np.array([quantity(text) for text in at])
    return np.log10(numbers) if vary.log else numbers


def _means(x: Array, values: Array, groups: Sequence[Any]) -> dict[str, list[float]]:
    """Mean and standard deviation of the runs of each group of points that has any."""
    data: dict[str, list[float]] = {"x": [], "y": [], "low": [], "high": []}
    for some in groups:
        runs = values[some][np.isfinite(values[some])]
        if len(runs):
            mean, spread = float(runs.mean()), float(runs.std(ddof=1)) if len(runs) > 1 else 0.0
            data["x"].append(float(x[some].mean()))
            data["y"].append(mean)
            data["low"].append(mean - spread)
            data["high"].append(mean + spread)
    return data


def _bins(x: Array) -> list[Any]:
    """Points in order of x in groups of the same size."""
    many = max(1, min(BINS, len(x) // LEAST))
    return list(np.array_split(np.argsort(x, kind="stable"), many))


def _ticks(plot: figure, vary: Vary) -> None:
    """Levels by their names, at most eight; of a range the ends and three values between."""
    if vary.levels:
        # every so many levels, rounded up, so that names do not overlap
        step = -(-len(vary.levels) // 8)
        plot.xaxis.ticker = FixedTicker(ticks=list(range(0, len(vary.levels), step)))
        plot.xaxis.formatter = CustomJSTickFormatter(
            args={"names": list(vary.levels)}, code="return names[tick] ?? ''"
        )
        return
    shares = (0.0, 0.25, 0.5, 0.75, 1.0)
    # once each: whole numbers in a short range are the same at several shares
    names = dict.fromkeys(vary.at(share) for share in shares)
    places = {
        float(np.log10(quantity(name)) if vary.log else quantity(name)): name for name in names
    }
    plot.xaxis.ticker = FixedTicker(ticks=list(places))
    plot.xaxis.formatter = CustomJSTickFormatter(
        # the nearest place, since ticks need not come back as exactly these numbers
        args={"at": list(places), "names": list(places.values())},
        code="""
        let best = 0;
        for (let i = 0; i < at.length; i++)
            if (Math.abs(at[i] - tick) < Math.abs(at[best] - tick)) best = i;
        return names[best];""",
    )


def heat(varied: Sequence[Vary], points: Sequence[tuple[str, ...]], means: Array) -> figure:
    """Means of the points of a grid of two parameters: the first across, the second up; values in
    the cells."""
    across, up = varied
    plot = _grid(across, up)
    known = np.isfinite(means)
    low, high = (
        (float(means[known].min()), float(means[known].max())) if known.any() else (0.0, 1.0)
    )
    # white on dark cells; where all means are equal every cell is light
    dark = ((means - low) > DARK * (high - low)) & (high > low)
    source = ColumnDataSource(
        {
            "x": [point[0] for point in points],
            "y": [point[1] for point in points],
            "v": means,
            "text": [human(float(each)) for each in means],
            "ink": ["white" if each else INK for each in dark],
        }
    )
    # a scale needs two different ends
    colours = LinearColorMapper(
        palette=SEQUENTIAL, low=low, high=high if high > low else low + 1, nan_color="#eeeeee"
    )
    cells = plot.rect(
        "x",
        "y",
        width=1,
        height=1,
        source=source,
        line_color="white",
        fill_color={"field": "v", "transform": colours},
    )
    look = {"text_align": "center", "text_baseline": "middle", "text_color": "ink"}
    text(plot, source, "x", "y", "text", **look)
    plot.add_tools(
        HoverTool(
            renderers=[cells],
            tooltips=[(across.path, "@x"), (up.path, "@y"), ("mean", "@v{0.[0000]}")],
        )
    )
    return plot


def _grid(across: Vary, up: Vary) -> figure:
    """An empty picture with the levels of two parameters along its axes."""
    plot = figure(
        x_range=FactorRange(*across.levels),
        y_range=FactorRange(*up.levels),
        height=120 + 36 * len(up.levels),
        sizing_mode="stretch_width",
        tools="reset,save",
        toolbar_location="above",
        background_fill_color=None,
        border_fill_color=None,
        outline_line_color=None,
    )
    plot.toolbar.autohide, plot.toolbar.logo = True, None
    plot.grid.grid_line_color = None
    plot.xaxis.axis_label, plot.yaxis.axis_label = across.path, up.path
    for axis in (*plot.xaxis, *plot.yaxis):
        axis.axis_line_color = axis.major_tick_line_color = None
        axis.major_label_text_font = axis.axis_label_text_font = "system-ui"
        axis.axis_label_text_font_style = "normal"
        axis.major_label_text_color = axis.axis_label_text_color = INK
    return plot
