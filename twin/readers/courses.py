"""Pictures of series over simulated time: one line each, marks of policies, bands of standard
errors."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from bokeh.core.serialization import Serializable, Serializer
from bokeh.models import (
    ColumnDataSource,
    GlyphRenderer,
    HoverTool,
    Range1d,
    Span,
)
from bokeh.plotting import figure
from numpy.typing import NDArray

from twin.readers.lines import Line, y_range
from twin.readers.pictures import (
    FORMATS,
    Section,
    add_marks,
    axis_label,
    canvas,
    legend_below,
    legend_columns,
    milliseconds,
)
from twin.readers.pictures import zero_line as at_zero
from twin.readers.stencils import Stencil, stencil

POINTS = 400
"""Most points of a line: as many as a picture is wide."""
BEGINNING = "Readings of the beginning may be outside the picture."
BEYOND = "A few readings are outside the picture."


@dataclass(frozen=True, eq=False)
class Courses(Serializable):  # type: ignore[misc]  # Bokeh has no types here
    """Series over simulated time as data, one line each; ``times`` (readings,) are those of all
    lines, ``keep`` the numbers of the readings that are drawn, ``y_range`` the ends of the vertical
    axis, ``remark`` what is to be said below the picture."""

    times: NDArray[np.datetime64]
    lines: Sequence[Line]
    unit: str
    frame: Section
    height: int
    zero_line: bool
    keep: NDArray[np.int64]
    y_range: tuple[float, float]
    remark: str

    @property
    def columns(self) -> int:
        """Columns of the legend."""
        return legend_columns([line.name for line in self.lines])

    def figure(self) -> figure:
        """The picture as Bokeh draws it."""
        plot = canvas(self.frame.x_range, self.height, self.unit)
        plot.y_range = Range1d(*self.y_range)
        if self.zero_line:
            at_zero(plot, "width")
        drawn = _draw_lines(plot, self.lines, ColumnDataSource(self.data()))
        plot.add_tools(
            HoverTool(
                # a single line answers to the pointer at any height
                mode="vline" if len(self.lines) == 1 else "mouse",
                renderers=drawn,
                formatters={"@t": "datetime"},
                tooltips="$name @t{%d %b %Y}: @$name{0.[0000]}",
            )
        )
        add_marks(plot, self.frame)
        if len(self.lines) > 1:
            legend_below(plot, self.columns)
        return plot

    def data(self) -> dict[str, NDArray[Any]]:
        """The columns that Bokeh draws: ``t`` (ms), one per line by its name, and the ends of
        bands.

        float32 halves the page; a picture shows four digits.
        """
        data: dict[str, NDArray[Any]] = {"t": milliseconds(self.times)[self.keep]}
        for place, line in enumerate(self.lines):
            values = line.values[self.keep]
            data[line.name] = np.where(np.isfinite(values), values, np.nan).astype(np.float32)
            if line.error is not None:
                spread = 2 * line.error[self.keep]
                data[f"low{place}"] = (values - spread).astype(np.float32)
                data[f"high{place}"] = (values + spread).astype(np.float32)
        return data

    def to_serializable(self, serializer: Serializer) -> Any:
        """What Bokeh would write of `figure`, from a stencil of its kind."""
        values: dict[str, Any] = {}
        for place, line in enumerate(self.lines):
            values |= {f"name {place}": line.name, f"colour {place}": line.colour}
        values |= {
            "height": self.height,
            "columns": self.columns,
            "unit": axis_label(self.unit),
            "low": self.y_range[0],
            "high": self.y_range[1],
            "data": self.data(),
            "x_range": self.frame.x_range,
            "marks": tuple(self.frame.marks),
        }
        kinds = tuple((line.dash, line.error is not None) for line in self.lines)
        return _stencil(kinds, self.zero_line).filled(values, serializer)


@functools.cache
def _stencil(kinds: tuple[tuple[str, bool], ...], zero_line: bool) -> Stencil:
    """The stencil of pictures whose lines have these dashes, and a band or none."""
    none = np.zeros(2)
    # words and colours that stand nowhere else in a picture
    lines = [
        Line(f"name {place}", none, f"#0102{place:02x}", dash, none if band else None)
        for place, (dash, band) in enumerate(kinds)
    ]
    mark, x_range = Span(), Range1d(0, 1)
    plot = Courses(
        times=np.arange(2).astype("datetime64[D]"),
        lines=lines,
        unit="",
        frame=Section(x_range, [mark]),
        height=1,
        zero_line=zero_line,
        keep=np.arange(2),
        y_range=(0.0, 1.0),
        remark="",
    ).figure()
    words = {line.name: line.name for line in lines}
    words |= {line.colour: f"colour {place}" for place, line in enumerate(lines)}
    return stencil(
        plot,
        attributes={
            plot: {"height": "height"},
            plot.y_range: {"start": "low", "end": "high"},
            plot.yaxis[0]: {"axis_label": "unit"},
            plot.select_one(ColumnDataSource): {"data": "data"},
            **{legend: {"ncols": "columns"} for legend in plot.legend},
        },
        words=words,
        models={x_range: "x_range", mark: "marks"},
        shared=FORMATS,
    )


def courses(
    times: NDArray[np.datetime64],
    lines: Sequence[Line],
    unit: str,
    frame: Section,
    *,
    height: int = 230,
    zero_line: bool = False,
    scale_from: int = 0,
) -> Courses:
    """Series over simulated time, one line each, with a dashed mark where each policy took effect
    and a band of two standard errors.

    ``times`` (readings,) are those of all lines. The first reading is left out: nothing has
    happened yet in its world. The vertical axis has room for the readings from number
    ``scale_from`` on.
    """
    skip = 1 if len(times) > 2 else 0
    keep = _thinned(len(times), skip)
    ends, beyond = y_range([line.values[keep[keep >= scale_from]] for line in lines])
    rows = -(-len(lines) // legend_columns([line.name for line in lines]))
    return Courses(
        times=times,
        lines=lines,
        unit=unit,
        frame=frame,
        # each further row of the legend takes 20 pixels, which the picture must not lose
        height=height + 20 * max(0, rows - 1),
        zero_line=zero_line,
        keep=keep,
        y_range=ends,
        remark=BEGINNING if scale_from > skip else BEYOND if beyond else "",
    )


def _thinned(readings: int, skip: int) -> NDArray[np.int64]:
    """Numbers of the readings that are drawn: all after ``skip``, or POINTS of them evenly."""
    count = readings - skip
    if count <= POINTS:
        return skip + np.arange(count)
    return skip + np.unique(np.linspace(0, count - 1, POINTS).astype(int))


def _draw_lines(
    plot: figure, lines: Sequence[Line], source: ColumnDataSource
) -> list[GlyphRenderer]:
    """Each line above its band; a legend only where there are several lines."""
    drawn = []
    for place, line in enumerate(lines):
        extra = {"legend_label": line.name} if len(lines) > 1 else {}
        if line.error is not None:
            plot.varea(
                "t",
                f"low{place}",
                f"high{place}",
                source=source,
                color=line.colour,
                alpha=0.18,
                **extra,
            )
        drawn.append(
            plot.line(
                "t",
                line.name,
                source=source,
                name=line.name,
                color=line.colour,
                line_width=2,
                line_dash=line.dash,
                **extra,
            )
        )
    return drawn
