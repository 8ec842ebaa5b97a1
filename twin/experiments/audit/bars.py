"""Ranked bars of an audit: the force of every step and its two parts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from bokeh.models import ColumnDataSource, HoverTool, Range1d
from bokeh.plotting import figure

from twin.experiments.audit.forces import Force
from twin.experiments.audit.maps import LEAST, ROOM, SIDE_COLOURS
from twin.experiments.drawing import names_above
from twin.experiments.words import WHO
from twin.readers.pictures import INK, canvas, legend_below, padded, zero_line

STEP = 44
"""Pixels of one step: its name, then a bar for each side."""
BELOW = {"producer": 0.52, "consumer": 0.76}
"""Where a side's bar lies below the top of its step, as a share of the step's height."""


def force_bars(forces: Sequence[Force]) -> figure:
    """Steps by force: a bar for each side with its interval, and the force itself as a diamond;
    names above. What no world differs by is left out."""
    known = [force for force in forces if np.isfinite(force.size) and not force.untouched]
    plot = canvas(None, 90 + STEP * len(known), "1")
    plot.xaxis.axis_label = "standard deviations from world to world, more is better for that side"
    # the diamond lies at the force, which may be right of both intervals
    ends = [
        end
        for force in known
        for side in (force.producer, force.consumer)
        for end in (side.low, side.high, force.size)
    ]
    low, high = padded(ends, ROOM, LEAST)
    plot.x_range, plot.y_range = Range1d(low, high), Range1d(0, max(1, len(known)))
    zero_line(plot, "height")
    # the strongest step comes first, and belongs on top: y runs up
    tops = [float(len(known) - place) for place in range(len(known))]
    drawn = [_bars(plot, known, tops, side) for side in BELOW]
    _diamonds(plot, known, tops, low)
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
    if known:
        legend_below(plot, 3)
        # a click would hide a side's bars, but leave their intervals
        plot.legend[0].click_policy = "none"
    return plot


def _bars(plot: figure, forces: Sequence[Force], tops: Sequence[float], side: str) -> Any:
    """One side's bars with their intervals; pale where it may be noise."""
    parts = [getattr(force, side) for force in forces]
    source = ColumnDataSource(
        {
            "y": [top - BELOW[side] for top in tops],
            "effect": [each.effect for each in parts],
            "low": [each.low for each in parts],
            "high": [each.high for each in parts],
            "step": [force.step for force in forces],
            "alpha": [0.9 if force.sure else 0.35 for force in forces],
            "said": [force.towards for force in forces],
        }
    )
    bars = plot.hbar(
        "y",
        right="effect",
        left=0,
        height=0.2,
        source=source,
        color=SIDE_COLOURS[side],
        alpha="alpha",
        line_color=None,
        legend_label=WHO[side],
    )
    plot.segment("low", "y", "high", "y", source=source, color=INK, line_width=1.2)
    return bars


def _diamonds(plot: figure, forces: Sequence[Force], tops: Sequence[float], left: float) -> None:
    """The forces themselves, and the names of the steps from ``left`` on."""
    names = [f"{place}. {force.step}: {force.towards}" for place, force in enumerate(forces, 1)]
    source = ColumnDataSource(
        {
            "y": [top - 0.64 for top in tops],
            "above": [top - 0.24 for top in tops],
            "left": [left] * len(forces),
            "force": [force.size for force in forces],
            "name": names,
        }
    )
    look: dict[str, Any] = {"size": 9, "marker": "diamond", "color": INK}
    plot.scatter("force", "y", source=source, legend_label="force of both", **look)
    names_above(plot, source, "name")
