"""What pictures of experiments share: colours of verdicts, ranges with room, lines at zero, and rows
that are named above their marks."""

from __future__ import annotations

import datetime as dt
from typing import Any

from bokeh.core.properties import value
from bokeh.models import ColumnDataSource, Span
from bokeh.plotting import figure

from twin.readers.pictures import INK, MARK


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
