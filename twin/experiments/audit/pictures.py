"""Pictures of an audit: the two-sided map of steps, ranked bars of force, and the map of indices of
levers.

Creators lie across, consumers up; every number is in standard deviations from world to world unless
said.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from bokeh.core.properties import value
from bokeh.models import BoxAnnotation, ColumnDataSource, HoverTool, Label, Range1d, Span
from bokeh.plotting import figure
from numpy.typing import NDArray

from twin.experiments.audit.forces import Force
from twin.readers.pictures import FAINT, INK, PALETTE, canvas, legend_below

CREATORS, CONSUMERS, NOISE = PALETTE[3], PALETTE[2], "#9aa4b2"
SIDE_COLOURS = {"producer": CREATORS, "consumer": CONSUMERS}
FOR_BOTH, AGAINST_BOTH, SPLIT, ONE = "#00785a", "#b4401a", "#6a3d9a", "#0072b2"
NAMED = 12
"""Most steps whose names stand on the map; all are told on hovering."""
ROOM = 0.1
Array = NDArray[np.float64]


def colour(force: Force) -> str:
    """Green for both, red against both, violet for one against the other, blue for one side, grey
    where it may be noise."""
    signs = force.producer.sign, force.consumer.sign
    if not force.sure or signs == (0, 0):
        return NOISE
    if 0 in signs:
        return ONE
    return {(1, 1): FOR_BOTH, (-1, -1): AGAINST_BOTH}.get(signs, SPLIT)


def _span(values: Sequence[float], least: float = 0.1) -> tuple[float, float]:
    """A range with room around all values and zero."""
    known = [each for each in (*values, 0.0) if np.isfinite(each)]
    low, high = min(known), max(known)
    room = max(ROOM * (high - low), least)
    return low - room, high + room


def _text(source: ColumnDataSource, plot: figure, x: str, y: str, text: str, **look: Any) -> None:
    plot.text(
        x,
        y,
        text=text,
        source=source,
        text_font_size="11px",
        text_font=value("system-ui"),
        text_color=INK,
        **look,
    )


def _crosses(source: ColumnDataSource, plot: figure, x: str, y: str) -> Any:
    """Points with the crosses of their intervals and their names; the points."""
    plot.segment("x_low", y, "x_high", y, source=source, color="colour", line_width=2)
    plot.segment(x, "y_low", x, "y_high", source=source, color="colour", line_width=2)
    points = plot.scatter(x, y, source=source, size=10, color="colour", line_color="white")
    _text(source, plot, x, y, "name", x_offset=7, y_offset=-5)
    return points


def force_map(forces: Sequence[Force], clouds: Mapping[str, tuple[Array, Array]]) -> figure:
    """One point a step with the cross of its intervals and the cloud of its worlds; ``clouds``:
    scores (creators, consumers) by step."""
    plot = canvas(None, 560, "1")
    plot.xaxis.axis_label = "creators' score (sd from world to world, more is better)"
    plot.yaxis.axis_label = "consumers' score (sd, more is better)"
    plot.xgrid.grid_line_color = plot.ygrid.grid_line_color = FAINT
    known = [force for force in forces if np.isfinite(force.size)]
    data: dict[str, list[Any]] = {
        "step": [force.step for force in known],
        "set": [force.set for force in known],
        "colour": [colour(force) for force in known],
        "towards": [force.towards for force in known],
    }
    for which, side in (("x", "producer"), ("y", "consumer")):
        for end in ("effect", "low", "high"):
            data[f"{which}_{end}"] = [getattr(getattr(force, side), end) for force in known]
    named = {force.step for force in [force for force in known if force.sure][:NAMED]}
    data["name"] = [force.step if force.step in named else "" for force in known]
    dots: dict[str, list[Any]] = {"x": [], "y": [], "step": [], "colour": [], "world": []}
    for force in known:
        x, y = clouds[force.step]
        dots["x"] += x.tolist()
        dots["y"] += y.tolist()
        dots["step"] += [force.step] * len(x)
        dots["colour"] += [colour(force)] * len(x)
        dots["world"] += list(range(len(x)))
    source, cloud = ColumnDataSource(data), ColumnDataSource(dots)
    x_range = _span([*data["x_low"], *data["x_high"], *_middle(dots["x"])])
    y_range = _span([*data["y_low"], *data["y_high"], *_middle(dots["y"])])
    plot.x_range, plot.y_range = Range1d(*x_range), Range1d(*y_range)
    plot.add_layout(
        BoxAnnotation(
            left=0,
            bottom=0,
            fill_color=FOR_BOTH,
            fill_alpha=0.05,
            line_color=None,
            level="underlay",
        )
    )
    plot.add_layout(
        BoxAnnotation(
            right=0,
            top=0,
            fill_color=AGAINST_BOTH,
            fill_alpha=0.05,
            line_color=None,
            level="underlay",
        )
    )
    for dimension in ("width", "height"):
        plot.add_layout(Span(location=0, dimension=dimension, line_color=INK, line_width=1))
    for text, x_end, y_end in (
        ("good for both", 1, 1),
        ("good for consumers, bad for creators", 0, 1),
        ("bad for both", 0, 0),
        ("good for creators, bad for consumers", 1, 0),
    ):
        plot.add_layout(
            Label(
                x=x_range[x_end],
                y=y_range[y_end],
                text=text,
                text_align="right" if x_end else "left",
                text_baseline="top" if y_end else "bottom",
                x_offset=-4 if x_end else 4,
                y_offset=-2 if y_end else 2,
                text_font_size="11px",
                text_font="system-ui",
                text_color=INK,
                text_alpha=0.65,
            )
        )
    faint = plot.scatter(
        "x", "y", source=cloud, size=4, color="colour", alpha=0.22, line_color=None
    )
    strong = _crosses(source, plot, "x_effect", "y_effect")
    plot.add_tools(
        HoverTool(
            renderers=[strong],
            tooltips=[
                ("", "@step"),
                ("", "@set"),
                ("creators", "@x_effect{0.[00]} [@x_low{0.[00]}, @x_high{0.[00]}]"),
                ("consumers", "@y_effect{0.[00]} [@y_low{0.[00]}, @y_high{0.[00]}]"),
                ("", "@towards"),
            ],
        ),
        HoverTool(
            renderers=[faint],
            tooltips=[
                ("", "@step, world @world"),
                ("creators", "@x{0.[00]}"),
                ("consumers", "@y{0.[00]}"),
            ],
        ),
    )
    return plot


def _middle(values: Sequence[float]) -> list[float]:
    """What the map must show of its clouds: all but the outermost hundredth at either end."""
    known = np.array([each for each in values if np.isfinite(each)])
    return [float(each) for each in np.quantile(known, (0.01, 0.99))] if len(known) else []


def force_bars(forces: Sequence[Force]) -> figure:
    """Steps by force: a bar for each side with its interval, and the force itself as a diamond;
    names above."""
    known = [force for force in forces if np.isfinite(force.size) and not force.untouched]
    plot = canvas(None, 90 + 44 * len(known), "1")
    plot.xaxis.axis_label = "standard deviations from world to world, more is better for that side"
    ends = [
        end
        for force in known
        for side in (force.producer, force.consumer)
        for end in (side.low, side.high, force.size)
    ]
    low, high = _span(ends)
    plot.x_range, plot.y_range = Range1d(low, high), Range1d(0, max(1, len(known)))
    plot.add_layout(Span(location=0, dimension="height", line_color=INK, line_width=1))
    top = [float(len(known) - place) for place in range(len(known))]
    drawn = []
    for side, below, words in (("producer", 0.52, "creators"), ("consumer", 0.76, "consumers")):
        parts = [getattr(force, side) for force in known]
        source = ColumnDataSource(
            {
                "y": [each - below for each in top],
                "effect": [each.effect for each in parts],
                "low": [each.low for each in parts],
                "high": [each.high for each in parts],
                "step": [force.step for force in known],
                "alpha": [0.9 if force.sure else 0.35 for force in known],
                "said": [force.towards for force in known],
            }
        )
        drawn.append(
            plot.hbar(
                "y",
                right="effect",
                left=0,
                height=0.2,
                source=source,
                color=SIDE_COLOURS[side],
                alpha="alpha",
                line_color=None,
                legend_label=words,
            )
        )
        plot.segment("low", "y", "high", "y", source=source, color=INK, line_width=1.2)
    source = ColumnDataSource(
        {
            "y": [each - 0.64 for each in top],
            "above": [each - 0.24 for each in top],
            "left": [low] * len(known),
            "force": [force.size for force in known],
            "name": [
                f"{place}. {force.step}: {force.towards}" for place, force in enumerate(known, 1)
            ],
        }
    )
    plot.scatter(
        "force",
        "y",
        source=source,
        size=9,
        marker="diamond",
        color=INK,
        legend_label="force of both",
    )
    _text(source, plot, "left", "above", "name", x_offset=4, text_baseline="middle")
    plot.add_tools(
        HoverTool(
            renderers=drawn,
            tooltips=[
                ("", "@step"),
                ("", "@effect{0.[00]} [@low{0.[00]}, @high{0.[00]}]"),
                ("", "@said"),
            ],
        )
    )
    plot.yaxis.visible = False
    plot.ygrid.grid_line_color = None
    if known:
        legend_below(plot, 3)
        plot.legend[0].click_policy = "none"
    return plot


def index_map(rows: Mapping[str, Mapping[str, Mapping[str, Any]]], index: str, luck: str) -> figure:
    """Levers by their index on creators (across) and consumers (up), with intervals; what lies
    within luck's is shaded.

    ``rows``: by lever and side, what was found.
    """
    plot = canvas(None, 520, "1")
    said = "mu*" if index == "mu_star" else index
    plot.xaxis.axis_label, plot.yaxis.axis_label = (
        f"{said} of creators' score",
        f"{said} of consumers' score",
    )
    plot.xgrid.grid_line_color = plot.ygrid.grid_line_color = FAINT
    data: dict[str, list[Any]] = {"lever": [], "name": [], "colour": []}
    for lever, sides in rows.items():
        told = [side for side, row in sides.items() if row["told"]]
        data["lever"].append(lever)
        data["name"].append(lever.removeprefix("recommender.") if told or lever == luck else "")
        data["colour"].append(
            INK
            if lever == luck
            else SPLIT
            if len(told) == 2
            else SIDE_COLOURS[told[0]]
            if told
            else NOISE
        )
    for which, side in (("x", "producer"), ("y", "consumer")):
        middle = np.array([sides[side][index] for sides in rows.values()])
        spread = np.array([sides[side][f"{index}_conf"] for sides in rows.values()])
        data |= {
            which: middle.tolist(),
            f"{which}_low": (middle - spread).tolist(),
            f"{which}_high": (middle + spread).tolist(),
        }
        box = BoxAnnotation(fill_color=NOISE, fill_alpha=0.12, line_color=None, level="underlay")
        end = float(data[f"{which}_high"][list(rows).index(luck)])
        box.update(**{"right" if which == "x" else "top": end})
        plot.add_layout(box)
    plot.x_range, plot.y_range = (
        Range1d(*_span([*data[f"{which}_low"], *data[f"{which}_high"]], 0.01))
        for which in ("x", "y")
    )
    source = ColumnDataSource(data)
    points = _crosses(source, plot, "x", "y")
    plot.add_tools(
        HoverTool(
            renderers=[points],
            tooltips=[
                ("", "@lever"),
                ("creators", "@x{0.[000]} [@x_low{0.[000]}, @x_high{0.[000]}]"),
                ("consumers", "@y{0.[000]} [@y_low{0.[000]}, @y_high{0.[000]}]"),
            ],
        )
    )
    return plot
