"""What a run shows of itself in a notebook: headline numbers by side, then the report's pictures.

Pictures are static SVG inside the HTML, so a saved notebook shows them without scripts and without
a network. Which series share a picture, and in which order, is decided where it is for the report
(`twin.readers.panels`).
"""

from __future__ import annotations

import html
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twin.readers.baseline import Windows, policies_in_force
from twin.readers.chapters import Picture, chapters
from twin.readers.headlines import SIDES, cards
from twin.readers.lines import Line, styled, y_range
from twin.readers.panels import unit
from twin.readers.pictures import FAINT, INK, MARK, Mark
from twin.readers.text import human, short
from twin.record.results import Metrics, load_events

PICTURES = 4
"""Most pictures of a side: one for each of its first chapters that moved."""
WIDTH, HEIGHT, POINTS = 340, 110, 120
LEFT = 46
"""Room for the numbers of the vertical axis."""


def shown(folder: Path, manifest: dict[str, Any], metrics: Metrics) -> str:
    """HTML of a run: a table of headline numbers with their courses, and pictures of each side."""
    marks = policies_in_force(load_events(folder))
    windows = Windows(metrics, marks)
    head = html.escape(f"{manifest['name']}, {manifest['status']}: {folder}")
    return f"<p><b>{head}</b></p>{_table(metrics, windows)}{_gallery(metrics, marks)}"


def _table(metrics: Metrics, windows: Windows) -> str:
    rows = []
    for side in cards(metrics, windows):
        rows.append(
            f"<tr><th colspan=5 style='text-align:left'>{html.escape(side['title'])}</th></tr>"
        )
        for card in side["cards"]:
            rows.append(
                f"<tr title='{html.escape(card['help'], quote=True)}'>"
                f"<td style='text-align:left'>{html.escape(card['title'])}</td>"
                f"<td>{card['before']}</td><td>{card['after']}</td>"
                f"<td>{html.escape(card['change'])}</td><td><svg width=150 height=36>"
                f"<polyline points='{card['spark']}' fill='none' stroke='#0072b2' "
                f"stroke-width='1.6'/></svg></td></tr>"
            )
    return (
        f"<table><tr><th></th><th>{html.escape(windows.name)}</th>"
        f"<th>{html.escape(windows.last)}</th><th>change</th><th></th></tr>{''.join(rows)}</table>"
    )


def _gallery(metrics: Metrics, marks: Sequence[Mark]) -> str:
    """The first picture of each of a side's first chapters that moved."""
    # The first reading is not drawn, and a line needs two
    if len(metrics.times) < 3:
        return ""
    parts = []
    for side, (name, _) in SIDES.items():
        found = [
            next(picture for picture in chapter.pictures if picture.series)
            for chapter in chapters(metrics, side)
            if any(picture.series for picture in chapter.pictures)
        ]
        if found:
            drawn = "".join(_figure(metrics, picture, marks) for picture in found[:PICTURES])
            parts.append(f"<p><b>{html.escape(name)}</b></p><div>{drawn}</div>")
    return "".join(parts)


def _figure(metrics: Metrics, picture: Picture, marks: Sequence[Mark]) -> str:
    one = picture.series[0]
    names = [
        (each.metric.name.replace("_", " "), each.label.removeprefix(picture.within))
        for each in picture.series
    ]
    lines = styled(names, [each.values for each in picture.series])
    words = f"{picture.title} ({unit(one.metric)})" if unit(one.metric) != "1" else picture.title
    legend = "".join(
        f"<span style='color:{line.colour}'>&#9632;</span> {html.escape(line.name)} "
        for line in lines
        if len(lines) > 1
    )
    helped = html.escape(" ".join(metric.help for metric in picture.metrics), quote=True)
    return (
        f"<figure style='display:inline-block;margin:4px 10px;width:{WIDTH}px;"
        f"vertical-align:top' title='{helped}'>"
        f"<figcaption style='font-size:12px'>{html.escape(words)}</figcaption>"
        f"{courses_svg(metrics.times, lines, marks)}"
        f"<div style='font-size:11px'>{legend}</div></figure>"
    )


def courses_svg(
    times: NDArray[np.datetime64], lines: Sequence[Line], marks: Sequence[Mark] = ()
) -> str:
    """Series over simulated time as one SVG, a dashed mark where each policy took effect.

    ``times`` datetime64[s] (readings,), three or more. The first reading is left out: nothing has
    happened before it.
    """
    # At most POINTS readings, evenly, without the first
    keep = np.unique(np.linspace(1, len(times) - 1, POINTS).astype(int))
    seconds = times.astype("datetime64[s]").astype(np.int64)
    first, last = int(seconds[keep[0]]), int(seconds[keep[-1]])
    (low, high), _ = y_range([line.values[keep] for line in lines])

    def across(second: float) -> float:
        return LEFT + (second - first) / max(last - first, 1) * (WIDTH - LEFT - 4)

    def up(value: float) -> float:
        # Readings outside the range (see `y_range`) stay at its edge
        return HEIGHT - 16 - (min(max(value, low), high) - low) / (high - low) * (HEIGHT - 22)

    # The vertical axis: its two ends and the middle
    parts = []
    for value in (low, (low + high) / 2, high):
        parts.append(
            f"<line x1='{LEFT}' x2='{WIDTH}' y1='{up(value):.1f}' y2='{up(value):.1f}' "
            f"stroke='{FAINT}'/><text x='{LEFT - 4}' y='{up(value) + 3:.1f}' "
            f"text-anchor='end'>{human(value)}</text>"
        )
    # Marks of policies
    for when, text in marks:
        x = across(when.timestamp())
        parts.append(
            f"<line x1='{x:.1f}' x2='{x:.1f}' y1='6' y2='{HEIGHT - 16}' stroke='{MARK}' "
            f"stroke-dasharray='3 3'><title>{html.escape(short(text, 60))}</title></line>"
        )
    for line in lines:
        dash = "" if line.dash == "solid" else " stroke-dasharray='5 3'"
        # A line goes straight across readings without a value
        points = " ".join(
            f"{across(int(seconds[k])):.1f},{up(float(line.values[k])):.1f}"
            for k in keep
            if np.isfinite(line.values[k])
        )
        parts.append(
            f"<polyline points='{points}' fill='none' stroke='{line.colour}' "
            f"stroke-width='1.6'{dash}/>"
        )
    # The horizontal axis: the first and the last date
    for x, anchor, at in ((LEFT, "start", keep[0]), (WIDTH - 2, "end", keep[-1])):
        day = times[at].astype("datetime64[D]")
        parts.append(f"<text x='{x}' y='{HEIGHT - 3}' text-anchor='{anchor}'>{day}</text>")
    return (
        f"<svg width='{WIDTH}' height='{HEIGHT}' style='background:#fff' font-size='10' "
        f"font-family='system-ui' fill='{INK}'>{''.join(parts)}</svg>"
    )
