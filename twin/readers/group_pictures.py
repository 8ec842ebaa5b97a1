"""Pictures of who gains and who loses: changes by group, and Lorenz curves before and after."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from bokeh.models import ColumnDataSource, HoverTool, Range1d, Span
from bokeh.plotting import figure
from numpy.typing import NDArray

from twin.readers.baseline import Windows
from twin.readers.groups import Fortune, Split, group_words, lorenz, quantity, splits
from twin.readers.headlines import SIDES
from twin.readers.panels import label_words
from twin.readers.pictures import (
    FAINT,
    INK,
    PALETTE,
    canvas,
    legend_below,
    legend_columns,
)
from twin.readers.text import human
from twin.record.results import Metrics

COLOUR = {"good": "#00785a", "bad": "#b4401a", "flat": "#9aa4b2"}
MARKS = ("circle", "diamond", "square", "triangle")
"""One per quantity, in declared order."""
BY = {
    "followers": "followers",
    "age": "time on the platform",
    "community": "community",
    "kind": "kind of creator",
    "activity": "activity",
    "opinion": "opinion",
    "tenure": "newcomers and settled people",
}
ROOM = 0.08


def pictures(metrics: Metrics, windows: Windows, figures: dict[str, Any]) -> list[dict[str, Any]]:
    """By side: heading and pictures; what they draw goes to ``figures`` by id. None of a run whose
    readings know no groups."""
    made = []
    for side in ("producer", "consumer"):
        shown = []
        for split in splits(metrics, windows, side):
            if any(np.isfinite(one.percent) for one in split.fortunes):
                key = f"who_{side}_{split.name}"
                figures[key] = changes(split)
                words = f"{SIDES[side][0]} by {BY.get(split.name, split.name)}"
                shown.append({"id": key, "title": words, "help": _caption(split)})
        curves = lorenz(metrics, windows) if side == "producer" else []
        if curves:
            figures["who_lorenz"] = lorenz_curves(
                [(quantity(metric), before, after) for metric, before, after in curves],
                ("before", "at the end"),
            )
            shown.append(
                {
                    "id": "who_lorenz",
                    "title": "How unequal: Lorenz curves of creators",
                    "help": "Share of all that goes to the creators who have least of it, from left "
                    "to right. Equal shares would lie on the straight line. Dashed: before; solid: "
                    "at the end.",
                }
            )
        if shown:
            made.append({"heading": SIDES[side][0], "pictures": shown})
    return made


def _caption(split: Split) -> str:
    names = list(dict.fromkeys(one.quantity.lower() for one in split.fortunes))
    marks = "; ".join(f"{MARKS[k % len(MARKS)]}: {name}" for k, name in enumerate(names))
    return f"Change in percent ({marks}). Green gains, red loses; grey may be noise."


def group_axis(names: list[str]) -> figure:
    """An empty picture of changes in percent with one line per group, the first on top."""
    rows = len(names)
    plot = canvas(None, 84 + 24 * rows, "1")
    plot.xaxis.axis_label = "% change"
    plot.y_range = Range1d(-0.6, rows - 0.4)
    plot.yaxis.ticker = list(range(rows))
    plot.yaxis.major_label_overrides = {
        rows - 1 - k: f"community {name}" if name.isdigit() else label_words(name)
        for k, name in enumerate(names)
    }
    plot.ygrid.grid_line_color, plot.xgrid.grid_line_color = None, FAINT
    return plot


def changes(split: Split) -> figure:
    """Change of every group in percent, one row each, one mark per quantity."""
    known = [one for one in split.fortunes if np.isfinite(one.percent)]
    names = list(dict.fromkeys(one.label for one in known))
    quantities = list(dict.fromkeys(one.metric.name for one in known))
    plot = group_axis(names)
    ends = [0.0, *(one.percent for one in known)]
    # not so narrow that noise would fill the picture
    free = max(ROOM * (max(ends) - min(ends)), 1.0)
    plot.x_range = Range1d(min(ends) - free, max(ends) + free)
    plot.add_layout(Span(location=0, dimension="height", line_color=INK, line_width=1))
    drawn = [
        _marks(plot, [one for one in known if one.metric.name == name], names, place)
        for place, name in enumerate(quantities)
    ]
    plot.add_tools(HoverTool(renderers=drawn, tooltips=[("", "@who"), ("@what", "@words")]))
    return plot


def _marks(plot: figure, mine: list[Fortune], names: list[str], place: int) -> Any:
    """The marks of one quantity, slightly below those of the one before."""
    data = {
        "x": [one.percent for one in mine],
        "y": [len(names) - 1 - names.index(one.label) - 0.16 * place for one in mine],
        "colour": [COLOUR[one.tone] for one in mine],
        "who": [group_words(one.metric.split, one.label) for one in mine],
        "what": [one.quantity.lower() for one in mine],
        "words": [_between(one) for one in mine],
    }
    source = ColumnDataSource({**data, "zero": [0.0] * len(mine)})
    plot.segment("zero", "y", "x", "y", source=source, color="colour", line_width=2, alpha=0.5)
    return plot.scatter(
        "x",
        "y",
        source=source,
        size=9,
        marker=MARKS[place % len(MARKS)],
        color="colour",
        line_color="white",
    )


def _between(one: Fortune) -> str:
    noise = "" if one.move else ", may be noise"
    return f"{human(one.before)} to {human(one.after)} ({one.percent:+.1f} %{noise})"


def lorenz_curves(
    curves: Sequence[tuple[str, NDArray[np.float64], NDArray[np.float64]]], names: tuple[str, str]
) -> figure:
    """Curves (points,) of every quantity in two worlds or at two times: the first dashed, the
    second solid; ``names`` of both."""
    plot = canvas(None, 300, "share of all")
    plot.xaxis.axis_label = "share of creators, those with least first"
    plot.x_range, plot.y_range = Range1d(0, 1), Range1d(0, 1)
    plot.line([0, 1], [0, 1], color=FAINT, line_width=2)
    legend = []
    for place, (what, *both) in enumerate(curves):
        for dash, width, when, curve in zip(
            ("dashed", "solid"), (1.6, 2.2), names, both, strict=True
        ):
            legend.append(f"{what}, {when}")
            plot.line(
                np.linspace(0, 1, len(curve)),
                curve,
                color=PALETTE[place % len(PALETTE)],
                line_dash=dash,
                line_width=width,
                legend_label=legend[-1],
            )
    plot.add_tools(HoverTool(tooltips=[("", "the first $x{0 %} of creators: $y{0.0 %}")]))
    legend_below(plot, legend_columns(legend))
    return plot
