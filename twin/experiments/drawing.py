"""What pictures of experiments share: colours of verdicts, ranges with room, lines at zero, and rows
that are named above their marks."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

import numpy as np
from bokeh.core.properties import value
from bokeh.models import ColumnDataSource, Span
from bokeh.plotting import figure

from twin.readers.pictures import INK, MARK

GOOD, BAD, NOISE = "#00785a", "#b4401a", "#9aa4b2"
"""Better for a side, worse for it, and what may be noise."""


def padded(values: Sequence[float], room: float, least: float = 0.0) -> tuple[float, float]:
    """A range that shows all values and zero, with a share ``room`` of its width, at least
    ``least``, free at either end."""
    known = [each for each in (*values, 0.0) if np.isfinite(each)]
    low, high = min(known), max(known)
    # a single value has no width of its own, and a range needs one
    free = max(room * (high - low), least) or 1.0
    return low - free, high + free


def zero_line(plot: figure, *dimensions: str) -> None:
    """Lines at zero: ``width`` runs across the picture, ``height`` up it."""
    for dimension in dimensions:
        plot.add_layout(Span(location=0, dimension=dimension, line_color=INK, line_width=1))


def time_mark(plot: figure, time: dt.datetime) -> None:
    """A dashed line up the picture at a time."""
    plot.add_layout(
        Span(
            location=milliseconds(time),
            dimension="height",
            line_color=MARK,
            line_dash="dashed",
            line_width=1,
        )
    )


def milliseconds(time: dt.datetime) -> float:
    """A time as Bokeh has it."""
    return time.timestamp() * 1000


def text(plot: figure, source: ColumnDataSource, x: str, y: str, column: str, **look: Any) -> None:
    """Small text at the points of a source; ``look`` as of Bokeh's text glyph."""
    plot.text(
        x,
        y,
        text=column,
        source=source,
        text_font_size="11px",
        text_font=value("system-ui"),
        **{"text_color": INK, **look},
    )


def names_above(plot: figure, source: ColumnDataSource, column: str) -> None:
    """Names of rows above their marks, at the columns ``left`` and ``above`` of the source; so long
    names need no margin, also on a phone."""
    text(plot, source, "left", "above", column, x_offset=4, text_baseline="middle")
    plot.yaxis.visible = False
    plot.ygrid.grid_line_color = None
