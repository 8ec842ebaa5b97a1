"""Pictures of findings: primary claims beside their controls, every outcome over the arms, and the
curves that a part declares. Intervals are over worlds."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from bokeh.models import ColumnDataSource, CustomJSTickFormatter, FixedTicker, HoverTool
from bokeh.plotting import figure

from twin.experiments.findings.kit.arms import Curve
from twin.experiments.findings.kit.claims import Claim
from twin.experiments.findings.kit.declare import Part
from twin.experiments.findings.kit.means import Interval, interval
from twin.experiments.findings.kit.readings import Readings, called
from twin.experiments.page import Picture
from twin.readers.pictures import FAINT, PALETTE, canvas, legend_below, legend_columns, zero_line
from twin.world.metric import label_text

LEGEND_ROW = 22
"""Pixels."""
ROW = 34
"""Pixels of a claim or control in its picture."""


class Row(NamedTuple):
    """A line of the picture of a claim: its short name, what it says, effect and interval, and what
    does not matter there (NaN: not stated)."""

    name: str
    says: str
    ends: Interval
    margin: float


def _rows(claim: Claim, controls: Sequence[Claim]) -> list[Row]:
    """A settled claim and its controls. A control that is measured in another way than the claim
    has the effect in its own measure beside it."""
    rows = [Row("effect", claim.says, Interval(claim.effect, claim.low, claim.high), claim.margin)]
    # An exact control has no interval; the table has it.
    for place, each in enumerate((one for one in controls if one.kind == "vanishes"), 1):
        name = f"control {place}"
        ends = Interval(each.effect, each.low, each.high)
        rows.append(Row(name, each.says, ends, each.margin))
        if each.others != claim.values:
            says = f"the effect that should vanish in {name}"
            rows.append(Row(f"beside {place}", says, interval(each.others), math.nan))
    return rows


def of_claim(claim: Claim, controls: Sequence[Claim], key: str) -> Picture:
    """The effect of a settled claim with its interval, and below it those of its controls. Grey is
    what does not matter: the smallest effect of interest, and what may be left in a control."""
    rows = _rows(claim, controls)
    # The claim on top.
    y = [float(-place) for place in range(len(rows))]
    plot = canvas(None, 70 + ROW * len(rows), "1")
    plot.xaxis.axis_label = None if claim.unit == "1" else claim.unit
    plot.yaxis.ticker = FixedTicker(ticks=y)
    plot.yaxis.formatter = CustomJSTickFormatter(
        args={"names": [row.name for row in rows]}, code="return names[Math.round(-tick)] ?? ''"
    )
    plot.ygrid.grid_line_color = None
    zero_line(plot, "height")
    colours = {"effect": PALETTE[0], "control": PALETTE[1], "beside": PALETTE[4]}
    data = {
        "says": [row.says for row in rows],
        "y": y,
        "effect": [row.ends.effect for row in rows],
        "low": [row.ends.low for row in rows],
        "high": [row.ends.high for row in rows],
        "left": [-row.margin for row in rows],
        "right": [row.margin for row in rows],
        "top": [each + 0.36 for each in y],
        "bottom": [each - 0.36 for each in y],
        "colour": [colours[row.name.split()[0]] for row in rows],
    }
    source = ColumnDataSource(data)
    plot.quad("left", "right", "top", "bottom", source=source, color=FAINT, line_color=None)
    plot.segment("low", "y", "high", "y", source=source, color="colour", line_width=2.5)
    points = plot.scatter("effect", "y", source=source, size=9, color="colour", line_color="white")
    tips = [
        ("", "@says"),
        ("effect", "@effect{0.[00000]}"),
        ("interval", "@low{0.[00000]} to @high{0.[00000]}"),
        ("does not matter within", "@right{0.[00000]}"),
    ]
    plot.add_tools(HoverTool(renderers=[points], tooltips=tips))
    below = "; ".join(f"{row.name}: {row.says}" for row in rows[1:])
    return Picture(key, claim.says, plot, below)


def of_arms(part: Part, seen: Readings, key: str) -> list[Picture]:
    """One picture per outcome: arms side by side, the part's own and those of its controls."""
    # Unique in the order of declaration, so a group has the same colour in every picture.
    groups = list(dict.fromkeys(arm.control for arm in part.arms))
    names = list(dict.fromkeys(arm.name for arm in part.arms))
    made = []
    for place, outcome in enumerate(part.outcomes):
        curves = []
        for number, group in enumerate(groups):
            arms = [
                arm
                for arm in seen.arms(group)
                if (outcome.metric, label_text(outcome.labels)) in seen.rows[called(arm)]
            ]
            # The shape is given for groups of which no arm has the series.
            ends = np.array([interval(seen.of(called(arm), outcome)) for arm in arms]).reshape(
                -1, 3
            )
            # Controls share the position of their arm, moved a little so that intervals do not
            # overlap.
            x = [names.index(arm.name) + 0.12 * (number - (len(groups) - 1) / 2) for arm in arms]
            curves.append(
                Curve(
                    "",
                    group or "experiment",
                    x=x,
                    y=ends[:, 0].tolist(),
                    low=ends[:, 1].tolist(),
                    high=ends[:, 2].tolist(),
                    control=bool(group),
                )
            )
        # Names of arms are categories on a numeric axis: too many or too long ones would collide.
        slanted = len(names) > 4 or max(map(len, names)) > 12
        plot = drawn(curves, join=part.doses, more=5 * max(map(len, names)) if slanted else 0)
        plot.xaxis.ticker = FixedTicker(ticks=list(range(len(names))))
        plot.xaxis.formatter = CustomJSTickFormatter(
            args={"names": names}, code="return names[tick] ?? ''"
        )
        if slanted:
            plot.xaxis.major_label_orientation = 0.6
        side = "creators" if outcome.side == "producer" else "consumers"
        made.append(Picture(f"{key}-{place}", outcome.words, plot, f"{side}; over {part.varies}"))
    return made


def of_curves(curves: Sequence[Curve], key: str) -> list[Picture]:
    """One picture per panel."""
    made = []
    for place, panel in enumerate(dict.fromkeys(curve.panel for curve in curves)):
        made.append(
            Picture(
                f"{key}-{place}",
                panel,
                drawn([curve for curve in curves if curve.panel == panel], join=True),
            )
        )
    return made


def drawn(curves: Sequence[Curve], join: bool, more: int = 0) -> figure:
    """Lines with points and intervals; controls are dashed. ``more`` is the height in pixels of
    labels below the axis."""
    first, columns = curves[0], legend_columns([curve.name for curve in curves])
    plot = canvas(
        None,
        # Rows of the legend, rounded up, come on top of the plot's own height.
        220 + more + LEGEND_ROW * -(-len(curves) // columns),
        first.y_label or "1",
        log_x=first.log_x,
    )
    plot.xaxis.axis_label = first.x_label or None
    for number, curve in enumerate(curves):
        colour = PALETTE[number % len(PALETTE)]
        data = {
            "x": list(curve.x),
            "y": list(curve.y),
            # Without intervals the segments have no length.
            "low": list(curve.low or curve.y),
            "high": list(curve.high or curve.y),
        }
        source = ColumnDataSource(data)
        plot.segment("x", "low", "x", "high", source=source, color=colour, line_width=1.5)
        if join:
            plot.line(
                "x",
                "y",
                source=source,
                color=colour,
                line_width=2,
                line_dash="dashed" if curve.control else "solid",
                legend_label=curve.name,
            )
        points = plot.scatter(
            "x",
            "y",
            source=source,
            size=7,
            color=colour,
            line_color="white",
            legend_label=curve.name,
        )
        plot.add_tools(
            HoverTool(
                renderers=[points],
                tooltips=[
                    (curve.name, "@y{0.[0000]}"),
                    ("interval", "@low{0.[0000]} to @high{0.[0000]}"),
                ],
            )
        )
    if len(curves) > 1 or first.name:
        legend_below(plot, columns)
    return plot
