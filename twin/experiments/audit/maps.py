"""Maps of an audit: steps by what they do to both sides, and levers by their index on both sides.

Creators lie across, consumers up; scores are in standard deviations from world to world.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from bokeh.models import BoxAnnotation, ColumnDataSource, HoverTool, Label, Range1d
from bokeh.plotting import figure
from numpy.typing import NDArray

from twin.experiments.audit.forces import Force
from twin.experiments.drawing import text
from twin.readers.pictures import (
    BAD,
    BLUE,
    FAINT,
    GOOD,
    INK,
    NOISE,
    PALETTE,
    canvas,
    padded,
    zero_line,
)

SIDE_COLOURS = {"producer": PALETTE[3], "consumer": PALETTE[2]}
SPLIT = "#6a3d9a"
"""For one side and against the other; on an index map, both sides."""
AXES = {"x": "producer", "y": "consumer"}
NAMED = 12
"""Most steps whose names stand on the map; hovering shows all."""
ROOM, LEAST = 0.1, 0.1
"""Free at either end of an axis: a share of its width, and the least, in standard deviations."""
CORNERS = (
    ("good for both", "right", "top"),
    ("good for consumers, bad for creators", "left", "top"),
    ("bad for both", "left", "bottom"),
    ("good for creators, bad for consumers", "right", "bottom"),
)
Array = NDArray[np.float64]
Rows = Mapping[str, Mapping[str, Mapping[str, Any]]]
"""What was found, by lever and side."""


def colour(force: Force) -> str:
    """Green for both, red against both, violet for one against the other, blue for one side, grey
    where it may be noise."""
    signs = force.producer.sign, force.consumer.sign
    if not force.sure or signs == (0, 0):
        return NOISE
    if 0 in signs:
        return BLUE
    return {(1, 1): GOOD, (-1, -1): BAD}.get(signs, SPLIT)


def force_map(forces: Sequence[Force], clouds: Mapping[str, tuple[Array, Array]]) -> figure:
    """One point a step with the cross of its intervals and the cloud of its worlds; ``clouds``:
    scores (creators, consumers) by step."""
    known = [force for force in forces if np.isfinite(force.size)]
    steps, worlds = _steps(known), _worlds(known, clouds)
    plot = _map("creators' score (sd from world to world, more is better)")
    plot.yaxis.axis_label = "consumers' score (sd, more is better)"
    ranges = {
        which: padded(
            [*steps[f"{which}_low"], *steps[f"{which}_high"], *_middle(worlds[which])], ROOM, LEAST
        )
        for which in AXES
    }
    plot.x_range, plot.y_range = Range1d(*ranges["x"]), Range1d(*ranges["y"])
    _quarters(plot, ranges["x"], ranges["y"])
    # worlds first, so that the crosses of the steps lie on top of them
    faint = plot.scatter(
        "x",
        "y",
        source=ColumnDataSource(worlds),
        size=4,
        color="colour",
        alpha=0.22,
        line_color=None,
    )
    strong = _crosses(ColumnDataSource(steps), plot, "x_effect", "y_effect")
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


def _map(across: str) -> figure:
    """An empty map with lines of both grids."""
    plot = canvas(None, 560, "1")
    plot.xaxis.axis_label = across
    plot.xgrid.grid_line_color = plot.ygrid.grid_line_color = FAINT
    return plot


def _steps(forces: Sequence[Force]) -> dict[str, list[Any]]:
    """Columns of the points: steps with effects and intervals along both axes; only the strongest
    that are sure have names."""
    # forces come strongest first
    named = {force.step for force in [force for force in forces if force.sure][:NAMED]}
    data: dict[str, list[Any]] = {
        "step": [force.step for force in forces],
        "set": [force.set for force in forces],
        "colour": [colour(force) for force in forces],
        "towards": [force.towards for force in forces],
        "name": [force.step if force.step in named else "" for force in forces],
    }
    for which, side in AXES.items():
        for end in ("effect", "low", "high"):
            data[f"{which}_{end}"] = [getattr(getattr(force, side), end) for force in forces]
    return data


def _worlds(
    forces: Sequence[Force], clouds: Mapping[str, tuple[Array, Array]]
) -> dict[str, list[Any]]:
    """Columns of the small points: one per step and world."""
    dots: dict[str, list[Any]] = {"x": [], "y": [], "step": [], "colour": [], "world": []}
    for force in forces:
        x, y = clouds[force.step]
        dots["x"] += x.tolist()
        dots["y"] += y.tolist()
        dots["step"] += [force.step] * len(x)
        dots["colour"] += [colour(force)] * len(x)
        dots["world"] += list(range(len(x)))
    return dots


def _middle(values: Sequence[float]) -> list[float]:
    """What the map must show of its clouds: all but the outermost hundredth at either end."""
    known = np.array([each for each in values if np.isfinite(each)])
    return [float(each) for each in np.quantile(known, (0.01, 0.99))] if len(known) else []


def _quarters(plot: figure, x: tuple[float, float], y: tuple[float, float]) -> None:
    """The quarters that are good or bad for both, shaded; lines at zero; what each quarter means, in
    its corner."""
    # an edge that is not given lies at the end of the picture
    for fill, edges in ((GOOD, {"left": 0, "bottom": 0}), (BAD, {"right": 0, "top": 0})):
        plot.add_layout(
            BoxAnnotation(
                **edges, fill_color=fill, fill_alpha=0.05, line_color=None, level="underlay"
            )
        )
    zero_line(plot, "width", "height")
    for words, across, up in CORNERS:
        plot.add_layout(
            Label(
                x=x[across == "right"],
                y=y[up == "top"],
                text=words,
                text_align=across,
                text_baseline=up,
                x_offset=-4 if across == "right" else 4,
                y_offset=-2 if up == "top" else 2,
                text_font_size="11px",
                text_font="system-ui",
                text_color=INK,
                text_alpha=0.65,
            )
        )


def _crosses(source: ColumnDataSource, plot: figure, x: str, y: str) -> Any:
    """Points with the crosses of their intervals and their names; the points."""
    plot.segment("x_low", y, "x_high", y, source=source, color="colour", line_width=2)
    plot.segment(x, "y_low", x, "y_high", source=source, color="colour", line_width=2)
    points = plot.scatter(x, y, source=source, size=10, color="colour", line_color="white")
    text(plot, source, x, y, "name", x_offset=7, y_offset=-5)
    return points


def index_map(rows: Rows, index: str, luck: str) -> figure:
    """Levers by their index on creators (across) and consumers (up), with intervals; what lies
    within luck's is shaded."""
    name = "mu*" if index == "mu_star" else index
    plot = _map(f"{name} of creators' score")
    plot.height, plot.yaxis.axis_label = 520, f"{name} of consumers' score"
    data = _levers(rows, luck)
    for which, side in AXES.items():
        middle = np.array([sides[side][index] for sides in rows.values()])
        spread = np.array([sides[side][f"{index}_conf"] for sides in rows.values()])
        data |= {
            which: middle.tolist(),
            f"{which}_low": (middle - spread).tolist(),
            f"{which}_high": (middle + spread).tolist(),
        }
        box = BoxAnnotation(fill_color=NOISE, fill_alpha=0.12, line_color=None, level="underlay")
        # up to luck's upper end, and open on the other side
        end = float(data[f"{which}_high"][list(rows).index(luck)])
        box.update(**{"right" if which == "x" else "top": end})
        plot.add_layout(box)
    plot.x_range, plot.y_range = (
        Range1d(*padded([*data[f"{which}_low"], *data[f"{which}_high"]], ROOM, 0.01))
        for which in AXES
    )
    points = _crosses(ColumnDataSource(data), plot, "x", "y")
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


def _levers(rows: Rows, luck: str) -> dict[str, list[Any]]:
    """Names and colours: violet on both sides, a side's colour on that side alone, grey on neither;
    only what is distinguishable from luck has a name, and luck itself, which is black."""
    data: dict[str, list[Any]] = {"lever": [], "name": [], "colour": []}
    for lever, sides in rows.items():
        moved = [side for side, row in sides.items() if row["distinguishable"]]
        named = bool(moved) or lever == luck
        one = SIDE_COLOURS[moved[0]] if moved else NOISE
        data["lever"].append(lever)
        data["name"].append(lever.removeprefix("recommender.") if named else "")
        data["colour"].append(INK if lever == luck else SPLIT if len(moved) == 2 else one)
    return data
