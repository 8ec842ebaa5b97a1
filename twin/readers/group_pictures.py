"""Pictures of who gains and who loses: changes by group, and Lorenz curves before and after."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from bokeh.models import ColumnDataSource, HoverTool, Range1d
from bokeh.plotting import figure
from numpy.typing import NDArray

from twin.readers.baseline import Windows
from twin.readers.groups import Fortune, Split, group_words, lorenz
from twin.readers.headlines import SIDES
from twin.readers.panels import label_words
from twin.readers.pictures import (
    BAD,
    FAINT,
    GOOD,
    NOISE,
    PALETTE,
    canvas,
    legend_below,
    legend_columns,
    padded,
    zero_line,
)
from twin.readers.text import human
from twin.record.results import Metrics

COLOUR = {"good": GOOD, "bad": BAD}
LORENZ = "How unequal: Lorenz curves of creators"
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


@dataclass(frozen=True)
class GroupMark:
    """One quantity of one group: its change in percent, with a line from ``low`` to ``high``."""

    label: str
    quantity: str
    change: float
    low: float
    high: float
    tone: str
    """``good`` or ``bad`` for the group; anything else may be noise."""
    words: str


def pictures(
    metrics: Metrics,
    windows: Windows,
    found: Mapping[str, Sequence[Split]],
    figures: dict[str, Any],
) -> list[dict[str, Any]]:
    """By side: heading and pictures of the ways in which it is split (``found``); what they draw
    goes to ``figures`` by id. None of a run whose readings know no groups."""
    made = []
    for side, ways in found.items():
        shown = []
        for split in ways:
            marks = [_mark(one) for one in split.fortunes if np.isfinite(one.percent)]
            if marks:
                key = f"who_{side}_{split.name}"
                figures[key] = changes(split.name, marks)
                words = f"{SIDES[side][0]} by {BY.get(split.name, split.name)}"
                told = f"Change in percent ({legend(marks)}). Green gains, red loses; grey may be noise."
                shown.append({"id": key, "title": words, "help": told})
        curves = lorenz(metrics, windows) if side == "producer" else []
        if curves:
            figures["who_lorenz"] = lorenz_curves(curves, ("before", "at the end"))
            shown.append(
                {
                    "id": "who_lorenz",
                    "title": LORENZ,
                    "help": "Share of all that goes to the creators who have least of it, from left "
                    "to right. Equal shares would lie on the straight line. Dashed: before; solid: "
                    "at the end.",
                }
            )
        if shown:
            made.append({"heading": SIDES[side][0], "pictures": shown})
    return made


def _mark(one: Fortune) -> GroupMark:
    noise = "" if one.move else ", may be noise"
    words = f"{human(one.before)} to {human(one.after)} ({one.percent:+.1f} %{noise})"
    # a line from zero: one run has no interval
    ends = (0.0, one.percent)
    return GroupMark(one.label, one.quantity.lower(), one.percent, *ends, one.tone, words)


def _quantities(marks: Sequence[GroupMark]) -> list[str]:
    return list(dict.fromkeys(one.quantity for one in marks))


def legend(marks: Sequence[GroupMark]) -> str:
    """Which mark is which quantity: ``circle: reach; diamond: pay``."""
    each = enumerate(_quantities(marks))
    return "; ".join(f"{MARKS[k % len(MARKS)]}: {name}" for k, name in each)


def changes(split: str, marks: Sequence[GroupMark]) -> figure:
    """Change of every group in percent, one row each, the first on top; one mark per quantity."""
    names = list(dict.fromkeys(one.label for one in marks))
    rows = len(names)
    plot = canvas(None, 84 + 24 * rows, "1")
    plot.xaxis.axis_label = "% change"
    # not so narrow that noise would fill the picture
    ends = [end for one in marks for end in (one.low, one.high)]
    plot.x_range = Range1d(*padded(ends, ROOM, 1.0))
    plot.y_range = Range1d(-0.6, rows - 0.4)
    zero_line(plot, "height")
    drawn = []
    for place, name in enumerate(_quantities(marks)):
        mine = [one for one in marks if one.quantity == name]
        source = ColumnDataSource(
            {
                **{key: [getattr(one, key) for one in mine] for key in ("change", "low", "high")},
                # slightly below those of the quantity before
                "y": [rows - 1 - names.index(one.label) - 0.2 * place for one in mine],
                "colour": [COLOUR.get(one.tone, NOISE) for one in mine],
                "who": [group_words(split, one.label) for one in mine],
                "what": [name] * len(mine),
                "words": [one.words for one in mine],
            }
        )
        plot.segment("low", "y", "high", "y", source=source, color="colour", line_width=2)
        look = {"size": 9, "marker": MARKS[place % len(MARKS)], "line_color": "white"}
        drawn.append(plot.scatter("change", "y", source=source, color="colour", **look))
    plot.yaxis.ticker = list(range(rows))
    plot.yaxis.major_label_overrides = {
        rows - 1 - k: f"community {name}" if name.isdigit() else label_words(name)
        for k, name in enumerate(names)
    }
    plot.ygrid.grid_line_color, plot.xgrid.grid_line_color = None, FAINT
    plot.add_tools(HoverTool(renderers=drawn, tooltips=[("", "@who"), ("@what", "@words")]))
    return plot


def lorenz_curves(
    curves: Sequence[tuple[str, NDArray[np.float64], NDArray[np.float64]]], names: tuple[str, str]
) -> figure:
    """Curves (points,) of every quantity in two worlds or at two times: the first dashed, the
    second solid; ``names`` of both."""
    plot = canvas(None, 300, "share of all")
    plot.xaxis.axis_label = "share of creators, those with least first"
    plot.x_range, plot.y_range = Range1d(0, 1), Range1d(0, 1)
    plot.line([0, 1], [0, 1], color=FAINT, line_width=2)
    known = []
    for place, (what, *both) in enumerate(curves):
        for dash, width, when, curve in zip(
            ("dashed", "solid"), (1.6, 2.2), names, both, strict=True
        ):
            known.append(f"{what}, {when}")
            plot.line(
                np.linspace(0, 1, len(curve)),
                curve,
                color=PALETTE[place % len(PALETTE)],
                line_dash=dash,
                line_width=width,
                legend_label=known[-1],
            )
    plot.add_tools(HoverTool(tooltips=[("", "the first $x{0 %} of creators: $y{0.0 %}")]))
    legend_below(plot, legend_columns(known))
    return plot
