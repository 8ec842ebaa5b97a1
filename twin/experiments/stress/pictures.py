"""Pictures of a stress test: margins of all worlds, which parameters decide, and margins against one
parameter."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from bokeh.models import ColumnDataSource, FixedTicker, HoverTool, Range1d
from bokeh.plotting import figure

from twin.experiments.drawing import names_above
from twin.experiments.stress.goals import Goal
from twin.experiments.stress.outcomes import CONFIRM, DRAWN, SEARCH, Outcome
from twin.experiments.stress.uncertain import Uncertain
from twin.experiments.stress.verdicts import Direction, Fresh, Verdict
from twin.readers.pictures import BLUE, INK, NOISE, canvas, legend_below, zero_line
from twin.readers.text import human

FAILS, HOLDS = "#d55e00", BLUE
NAMES = {DRAWN: "drawn", SEARCH: "searched", CONFIRM: "fresh seeds"}
"""Phases as reports call them."""


def strip(seen: Sequence[Outcome], goals: Sequence[Goal], g: int, verdict: Verdict) -> figure:
    """Margins of all worlds on goal ``g``, in rows by phase; the order within a row is that of the
    worlds. Extreme worlds have a row each, with mean and interval over the fresh seeds."""
    goal = goals[g]
    extremes = {"worst, fresh": verdict.worst, "least bad, fresh": verdict.best}
    rows = _rows(seen, extremes)
    plot = canvas(None, 90 + 70 * len(rows), "1")
    unit = "percentage points" if goal.percent else goal.unit
    plot.xaxis.axis_label = f"margin ({unit})" if unit else "margin"
    tops = {name: float(len(rows) - place) for place, name in enumerate(rows)}
    data: dict[str, list[Any]] = {"x": [], "y": [], "colour": [], "said": []}
    for name, those in rows.items():
        for k, each in enumerate(those):
            margin = each.margins(goals)[g]
            if math.isfinite(margin):
                fails = goal.holds(each.base[g], each.value[g]) is False
                data["x"].append(margin)
                # down the row in the order of the worlds, below the bar of mean and interval
                data["y"].append(tops[name] - 0.2 - 0.6 * (k + 0.5) / len(those))
                data["colour"].append(FAILS if fails else HOLDS)
                data["said"].append(
                    f"world {each.world.point}: {human(each.base[g])} without, "
                    f"{human(each.value[g])} with the policy"
                )
    source = ColumnDataSource(data)
    points = plot.scatter(
        "x", "y", source=source, size=7, color="colour", alpha=0.75, line_color="white"
    )
    for name, one in extremes.items():
        if one and name in rows and math.isfinite(one.mean):
            y = tops[name] - 0.1
            plot.segment([one.low], [y], [one.high], [y], color=INK, line_width=2.5)
            plot.scatter([one.mean], [y], size=9, color=INK)
    zero_line(plot, "height")
    plot.y_range = Range1d(0, len(rows))
    plot.yaxis.ticker = FixedTicker(ticks=[top - 0.5 for top in tops.values()])
    plot.yaxis.major_label_overrides = {top - 0.5: name for name, top in tops.items()}
    plot.ygrid.grid_line_color = None
    plot.add_tools(
        HoverTool(renderers=[points], tooltips=[("", "@said"), ("margin", "@x{0.[0000]}")])
    )
    return plot


def _rows(seen: Sequence[Outcome], extremes: dict[str, Fresh | None]) -> dict[str, list[Outcome]]:
    """Worlds by the row that they are drawn in; rows without a world are left out."""
    rows = {
        NAMES[phase]: [each for each in seen if each.world.phase == phase]
        for phase in (DRAWN, SEARCH)
    }
    for name, one in extremes.items():
        rows[name] = [
            each
            for each in seen
            if one and each.world.phase == CONFIRM and each.world.point == one.point
        ]
    return {name: those for name, those in rows.items() if those}


def ladder(directions: Sequence[Direction]) -> figure:
    """Rank correlations one under another, named above their lines."""
    # what was not tested has no place on the scale
    known = [each for each in directions if math.isfinite(each.correlation)]
    plot = canvas(None, 60 + 30 * max(1, len(known)), "1")
    plot.xaxis.axis_label = "rank correlation with the margin"
    tops = [float(len(known) - k) for k in range(len(known))]
    source = ColumnDataSource(
        {
            "y": [top - 0.7 for top in tops],
            "above": [top - 0.35 for top in tops],
            "x": [each.correlation for each in known],
            "zero": [0.0] * len(known),
            "left": [-1.0] * len(known),
            "name": [each.parameter for each in known],
            "colour": [_colour(each) for each in known],
            "q": [each.q for each in known],
        }
    )
    plot.x_range, plot.y_range = Range1d(-1, 1), Range1d(0, max(1, len(known)))
    zero_line(plot, "height")
    names_above(plot, source, "name")
    plot.segment("zero", "y", "x", "y", source=source, color="colour", line_width=5)
    points = plot.scatter("x", "y", source=source, size=8, color="colour")
    plot.add_tools(
        HoverTool(
            renderers=[points],
            tooltips=[("", "@name"), ("correlation", "@x{0.[00]}"), ("q", "@q{0.[0000]}")],
        )
    )
    return plot


def _colour(each: Direction) -> str:
    if not each.sure:
        return NOISE
    # below zero, high values go with small margins
    return FAILS if each.correlation < 0 else HOLDS


def against(
    drawn: Sequence[Outcome], goals: Sequence[Goal], g: int, one: Uncertain, place: int
) -> figure:
    """Margins of the worlds drawn on goal ``g`` against one parameter's place in its range;
    ``place`` is that of the parameter among the values of a world."""
    goal, vary = goals[g], one.vary
    plot = canvas(None, 260, "1")
    ends = (vary.levels[0], vary.levels[-1]) if vary.levels else (vary.at(0.0), vary.at(1.0))
    plot.xaxis.ticker = FixedTicker(ticks=[0, 1])
    plot.xaxis.major_label_overrides = {0: ends[0], 1: ends[1]}
    plot.yaxis.axis_label = "margin"
    for label, colour, holds in (("fails", FAILS, False), ("holds", HOLDS, True)):
        mine = [
            each
            for each in drawn
            # `is`: None, where it is not known, is neither
            if goal.holds(each.base[g], each.value[g]) is holds
            and math.isfinite(each.margins(goals)[g])
        ]
        if mine:
            plot.scatter(
                [one.position(each.world.values[place]) for each in mine],
                [each.margins(goals)[g] for each in mine],
                size=7,
                color=colour,
                alpha=0.75,
                line_color="white",
                legend_label=label,
            )
    zero_line(plot, "width")
    # the place in the range, with room for points at its ends
    plot.x_range = Range1d(-0.05, 1.05)
    if plot.legend:
        legend_below(plot, 2)
    return plot
