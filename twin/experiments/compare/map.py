"""The two-sided map of a comparison: one point per branch, with the cloud of its replicates and its
interval along both axes, and a choice of what the axes show.

Effects are in percent of the world without the policy, 100 effect / |base|.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bokeh.layouts import column, row
from bokeh.models import BoxAnnotation, ColumnDataSource, CustomJS, HoverTool, Range1d, Select
from bokeh.plotting import figure

from twin.experiments.compare.data import Array, colour
from twin.experiments.compare.rows import Row
from twin.experiments.words import Key
from twin.readers.pictures import (
    FAINT,
    GOOD,
    canvas,
    legend_below,
    legend_columns,
    padded,
    zero_line,
)

ROOM = 0.12
FAR = 1e6
"""Percent beyond every picture."""
ENDS = ("mid", "low", "high")
TITLES = {"x": "Creators (across)", "y": "Consumers (up)"}
WAYS = {"up": 1, "down": -1}
"""Which way is good, by the word of a metric's declaration."""
CHOOSE = """
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
    both.left = x > 0 ? 0 : -far; both.right = x < 0 ? 0 : far;
    both.bottom = y > 0 ? 0 : -far; both.top = y < 0 ? 0 : far;
"""
"""Runs in the browser when another series is chosen: moves points, crosses, ranges, labels and the
shaded quarter (as `_shade` does)."""


@dataclass(frozen=True)
class Axis:
    """A series that the map may show: its key, name, and the way that is good for its side."""

    key: Key
    name: str
    good: str

    @property
    def label(self) -> str:
        """The words along the axis."""
        way = {"up": ", more is better", "down": ", less is better"}.get(self.good, "")
        return f"{self.name} (%{way})"

    @property
    def way(self) -> int:
        """1 if more is better, -1 if less is, 0 if neither."""
        return WAYS.get(self.good, 0)


@dataclass(frozen=True)
class Positions:
    """Where branches lie along one axis, in percent: their effects (``mid``), the ends of the
    intervals, and the ``cloud`` of all their replicates in order."""

    mid: list[float]
    low: list[float]
    high: list[float]
    cloud: list[float]

    @property
    def range(self) -> tuple[float, float]:
        """What the axis must show."""
        return padded([*self.cloud, *self.low, *self.high], ROOM)


def two_sided_map(
    branches: Sequence[str],
    axes: Mapping[str, Sequence[Axis]],
    rows: Mapping[tuple[str, Key], Row],
    clouds: Mapping[tuple[str, Key], Array],
) -> Any:
    """The map with a choice of axes above it.

    ``axes``: what can be chosen on x and y, first what is shown; ``clouds``: differences of the
    pairs (replicates,).
    """
    every = [axis for side in axes.values() for axis in side]
    # by name, which is what a choice in the browser returns
    positions = {axis.name: _positions(branches, axis, rows, clouds) for axis in every}
    shown = {which: side[0] for which, side in axes.items()}
    replicates = len(next(iter(clouds.values())))
    dots, crosses = _sources(
        branches, replicates, {which: positions[axis.name] for which, axis in shown.items()}
    )
    plot = canvas(None, 520, "1")
    plot.xgrid.grid_line_color = FAINT
    quarter = BoxAnnotation(fill_color=GOOD, fill_alpha=0.06, line_color=None, level="underlay")
    plot.add_layout(quarter)
    _draw(plot, dots, crosses)
    # with a name of twelve letters two columns at most
    legend_below(plot, legend_columns([*branches, "x" * 12]))
    # one glyph draws all branches, so a click would hide all of them
    plot.legend[0].click_policy = "none"
    x, y = shown["x"], shown["y"]
    plot.xaxis.axis_label, plot.yaxis.axis_label = x.label, y.label
    plot.x_range = Range1d(*positions[x.name].range)
    plot.y_range = Range1d(*positions[y.name].range)
    _shade(quarter, x.way, y.way)
    chosen = {
        which: Select(
            title=TITLES[which],
            value=axes[which][0].name,
            options=[axis.name for axis in axes[which]],
            sizing_mode="stretch_width",
        )
        for which in ("x", "y")
    }
    # the page has no server: everything that can be chosen is in it
    change = CustomJS(
        args={
            "xs": chosen["x"],
            "ys": chosen["y"],
            "dots": dots,
            "crosses": crosses,
            "plot": plot,
            "both": quarter,
            "points": {name: vars(each) for name, each in positions.items()},
            "goods": {axis.name: axis.way for axis in every},
            "labels": {axis.name: axis.label for axis in every},
            "ranges": {name: each.range for name, each in positions.items()},
            "far": FAR,
        },
        code=CHOOSE,
    )
    for select in chosen.values():
        select.js_on_change("value", change)
    choice = row(chosen["x"], chosen["y"], sizing_mode="stretch_width")
    return column(choice, plot, sizing_mode="stretch_width")


def _positions(
    branches: Sequence[str],
    axis: Axis,
    rows: Mapping[tuple[str, Key], Row],
    clouds: Mapping[tuple[str, Key], Array],
) -> Positions:
    mine = [rows[branch, axis.key] for branch in branches]
    return Positions(
        mid=[each.percent(each.effect) for each in mine],
        low=[each.percent(each.low) for each in mine],
        high=[each.percent(each.high) for each in mine],
        # in the order of `_sources`: branch by branch, each with all its replicates
        cloud=[
            each.percent(float(value))
            for branch, each in zip(branches, mine, strict=True)
            for value in clouds[branch, axis.key]
        ],
    )


def _sources(
    branches: Sequence[str], replicates: int, shown: Mapping[str, Positions]
) -> tuple[ColumnDataSource, ColumnDataSource]:
    """Columns of the replicates and of the branches; ``shown`` by axis, x and y."""
    colours = [colour(place) for place in range(len(branches))]
    # replicates run fastest, as in the clouds of `Positions`
    dots: dict[str, list[Any]] = {
        "branch": [branch for branch in branches for _ in range(replicates)],
        "colour": [each for each in colours for _ in range(replicates)],
        "replicate": list(range(replicates)) * len(branches),
    }
    crosses: dict[str, list[Any]] = {"branch": list(branches), "colour": colours}
    for which, positions in shown.items():
        dots[which] = positions.cloud
        for end in ENDS:
            crosses[f"{which}_{end}"] = getattr(positions, end)
    return ColumnDataSource(dots), ColumnDataSource(crosses)


def _draw(plot: figure, dots: ColumnDataSource, crosses: ColumnDataSource) -> None:
    """Lines at zero, small points of the replicates, crosses and large points of the branches."""
    zero_line(plot, "width", "height")
    # drawn first, so that branches lie on top of their worlds
    faint = plot.scatter("x", "y", source=dots, size=5, color="colour", alpha=0.35, line_color=None)
    line: dict[str, Any] = {"source": crosses, "color": "colour", "line_width": 2.5}
    plot.segment("x_low", "y_mid", "x_high", "y_mid", **line)
    plot.segment("x_mid", "y_low", "x_mid", "y_high", **line)
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


def _shade(box: BoxAnnotation, x: int, y: int) -> None:
    """The quarter that is better for both sides, where both have a better."""
    box.visible = x != 0 and y != 0
    # an edge beyond every picture, since ranges change with the choice of axes
    box.left, box.right = (0 if x > 0 else -FAR), (0 if x < 0 else FAR)
    box.bottom, box.top = (0 if y > 0 else -FAR), (0 if y < 0 else FAR)
