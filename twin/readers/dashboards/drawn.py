"""Panels of declared metrics: courses, distributions, single numbers.

People are always blue and AI always orange. Lines of a scale (bins, deciles) go from dark to
bright; others take a palette without blue and orange. Where several metrics meet several labels in
a picture, colour tells the label and dots the metric; branches other than main are dashed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from twin.readers.dashboards.frame import Json, colour, override, panel, target
from twin.readers.dashboards.queries import (
    SAME,
    axis_words,
    bin_words,
    by_branch,
    description,
    grafana_unit,
    legend_pattern,
    line_name,
    pattern,
    selector,
    shown,
    stat_unit,
)
from twin.readers.panels import Sketch, label_words, title
from twin.world.metric import Metric

HUMAN, AI = "#0072b2", "#e69f00"
PALETTE = ("#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#b5a300", "#9467bd", "#8c8c8c", "#17becf")
VIRIDIS = ((68, 1, 84), (59, 82, 139), (33, 145, 140), (94, 201, 98), (253, 231, 37))
"""Anchors of matplotlib's map viridis."""
SCALES = ("bin", "decile", "bucket")
"""Labels whose values are steps of a scale."""
# A legend ends with its branch
_OTHER_BRANCH = r"/^(?!.*(^|, )main$).+/"


def course(sketch: Sketch, errors: Mapping[str, Metric]) -> Json:
    """A picture over simulated time."""
    first = sketch.metrics[0]
    if first.kind == "histogram":
        return _distribution(sketch)
    targets: list[Json] = []
    overrides: list[Json] = []
    colours, names = _colours(sketch), [_name(sketch, *line) for line in sketch.lines]
    for (metric, labels), name, fixed in zip(sketch.lines, names, colours, strict=True):
        targets.append(
            target(
                by_branch(shown(metric, labels)),
                f"{name}, {{{{branch}}}}" if name else "{{branch}}",
            )
        )
        if name and fixed:
            overrides.append(colour(legend_pattern(name), fixed))
        # The standard error as a thin line on either side
        if metric.name in errors:
            for sign, words in (("+", "plus"), ("-", "minus")):
                around = shown(
                    metric,
                    labels,
                    plus=f" {sign} on ({SAME}) {selector(errors[metric.name], labels)}",
                )
                legend = f"{name or title(metric)}, {words} standard error"
                targets.append(target(by_branch(around), f"{legend}, {{{{branch}}}}"))
    overrides.append(override(_OTHER_BRANCH, custom__lineStyle={"fill": "dash", "dash": [10, 6]}))
    # Colour tells the label, so dots must tell the metric
    if len(sketch.metrics) > 1 and first.labels:
        dotted = {"fill": "dot", "dash": [0, 8]}
        overrides += [
            override(f"/^{pattern(title(metric))},/", custom__lineStyle=dotted)
            for metric in sketch.metrics[1:]
        ]
    if any(metric.name in errors for metric in sketch.metrics):
        # In the legend they would outnumber the lines themselves
        hidden = {"legend": True, "tooltip": False, "viz": False}
        overrides.append(
            override(
                "/ standard error,/",
                custom__lineWidth=1,
                custom__hideFrom=hidden,
                custom__lineStyle={"fill": "dot", "dash": [0, 6]},
            )
        )
    drawn_errors = [errors[metric.name] for metric in sketch.metrics if metric.name in errors]
    return panel(
        "timeseries",
        sketch.title,
        description(sketch.metrics, drawn_errors),
        targets,
        options=lines(),
        defaults=axis(grafana_unit(first), axis_words(first)),
        overrides=overrides,
    )


def _distribution(sketch: Sketch) -> Json:
    """How a histogram's shares move: bins stacked to the whole."""
    metric = sketch.metrics[0]
    targets, overrides = [], []
    for place, (_, labels) in enumerate(sketch.lines):
        name = ", ".join(
            [
                *(label_words(value) for key, value in labels.items() if key != "bin"),
                bin_words(metric, labels["bin"]),
            ]
        )
        # Over branches too: the bins of several would not add up to one whole
        targets.append(target(f"avg({shown(metric, labels)})", name))
        overrides.append(colour(legend_pattern(name), scale(place, len(sketch.lines))))
    defaults = axis(
        "short",
        f"share of {metric.unit}",
        fillOpacity=75,
        lineWidth=0,
        stacking={"mode": "percent", "group": "A"},
    )
    return panel(
        "timeseries",
        sketch.title,
        description(sketch.metrics),
        targets,
        options=lines(right=True),
        defaults=defaults,
        overrides=overrides,
    )


def number(sketch: Sketch) -> Json:
    """The last value of each line and its course in small."""
    first = sketch.metrics[0]
    names = [_name(sketch, *line) for line in sketch.lines]
    targets = [
        target(
            by_branch(shown(metric, labels)), f"{name}, {{{{branch}}}}" if name else "{{branch}}"
        )
        for (metric, labels), name in zip(sketch.lines, names, strict=True)
    ]
    overrides = [
        colour(legend_pattern(name), fixed)
        for name, fixed in zip(names, _colours(sketch), strict=True)
        if name and fixed
    ]
    return panel(
        "stat",
        sketch.title,
        description(sketch.metrics),
        targets,
        options=stat(),
        overrides=overrides,
        defaults={"unit": stat_unit(first), "color": {"mode": "fixed", "fixedColor": PALETTE[0]}},
    )


def axis(unit: str, label: str, **custom: Any) -> Json:
    """How lines are drawn by default."""
    return {
        "unit": unit,
        "color": {"mode": "palette-classic"},
        "custom": {
            "drawStyle": "line",
            "lineInterpolation": "linear",
            "lineWidth": 2,
            "fillOpacity": 0,
            "showPoints": "auto",
            "pointSize": 3,
            # A gap in the readings stays a gap
            "spanNulls": False,
            "axisPlacement": "auto",
            "axisLabel": label,
            "axisColorMode": "text",
            **custom,
        },
    }


def lines(right: bool = False) -> Json:
    """Options of a panel of lines; the legend below, or to the right where it is long."""
    return {
        "legend": {
            "showLegend": True,
            "displayMode": "list",
            "placement": "right" if right else "bottom",
            "calcs": [],
        },
        "tooltip": {"mode": "multi", "sort": "none"},
    }


def stat(graph: str = "area", text: str = "auto") -> Json:
    """Options of a panel of single numbers: the last of each line."""
    return {
        "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False},
        "orientation": "auto",
        "textMode": text,
        "colorMode": "value",
        "graphMode": graph,
        "justifyMode": "auto",
        "wideLayout": True,
        "showPercentChange": False,
    }


def scale(place: int, of: int) -> str:
    """A colour between dark and bright."""
    # Linear between the two nearest anchors
    x = place / max(of - 1, 1) * (len(VIRIDIS) - 1)
    left = min(int(x), len(VIRIDIS) - 2)
    mixed = (
        round(a + (b - a) * (x - left))
        for a, b in zip(VIRIDIS[left], VIRIDIS[left + 1], strict=True)
    )
    return "#" + "".join(f"{part:02x}" for part in mixed)


def _name(sketch: Sketch, metric: Metric, labels: Mapping[str, str]) -> str:
    """A line's name without what the title says already."""
    if len(sketch.lines) == 1:
        return ""
    rest = dict(list(labels.items())[1:]) if sketch.within else labels
    return line_name(metric, rest, sketch.metrics)


def _colours(sketch: Sketch) -> list[str | None]:
    """A colour per line; None where lines differ by branch alone."""
    if len(sketch.lines) == 1:
        return [None]
    # The last label tells lines apart; without labels the metric does
    tails: Sequence[str] = [
        list(labels.values())[-1] if labels else metric.name for metric, labels in sketch.lines
    ]
    kinds = list(dict.fromkeys(tails))
    last = list(sketch.metrics[0].labels)[-1:]
    found: list[str | None] = []
    for tail in tails:
        fixed = {"human": HUMAN, "ai": AI}.get(tail)
        place = kinds.index(tail)
        found.append(
            fixed
            or (
                scale(place, len(kinds))
                if last and last[0] in SCALES
                else PALETTE[place % len(PALETTE)]
            )
        )
    return found
