"""Pictures of a calibration."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence

import numpy as np
from bokeh.models import ColumnDataSource
from bokeh.plotting import figure

from twin.experiments import drawing
from twin.experiments.calibrate.bank import Bank
from twin.experiments.calibrate.fit import Check, Fit
from twin.observing.daily import daily, shown
from twin.observing.folder import Observed
from twin.readers.pictures import BAD, INK, zero_line

DARK, PALE = "#2f6fab", "#d5dbe3"
MOST = 20
"""Statistics that are drawn: the worst."""


def rows_of(names: Sequence[str], x_range: tuple[float, float]) -> figure:
    """An empty picture with a named row for each name, the first on top."""
    return figure(
        height=60 + 30 * len(names),
        x_range=x_range,
        y_range=(-0.6, len(names) - 0.2),
        toolbar_location=None,
        sizing_mode="stretch_width",
    )


def parameters(worlds: Bank, found: Fit) -> figure:
    """Where posterior draws lie in their ranges."""
    shares = found.shares()
    names = [each.vary.path for each in worlds.given]
    plot = rows_of(names, (0.0, 1.0))
    y = np.arange(len(names))[::-1].astype(float)
    low, middle, high = np.quantile(shares, (0.1, 0.5, 0.9), axis=0)
    plot.hbar(y=y, left=0.1, right=0.9, height=0.16, color=PALE)
    plot.hbar(y=y, left=low, right=high, height=0.16, color=DARK)
    plot.scatter(middle, y, size=8, color=INK)
    source = ColumnDataSource({"left": np.zeros(len(y)), "above": y + 0.36, "name": names})
    drawing.names_above(plot, source, "name")
    plot.xaxis.axis_label = "share of the way through the range"
    return plot


def checks(found: Fit) -> figure:
    """Observed statistics in sds of the calibrated model."""
    drawn: Sequence[Check] = found.checks[:MOST]
    most = max([3.5, *(abs(each.z) for each in drawn)]) * 1.05
    plot = rows_of([each.name for each in drawn], (-most, most))
    y = np.arange(len(drawn))[::-1].astype(float)
    plot.hbar(y=y, left=-1.28, right=1.28, height=0.16, color=PALE)
    z = np.array([each.z for each in drawn])
    far = [BAD if abs(each) > 3 else DARK for each in z]
    plot.scatter(z, y, size=9, color=far)
    zero_line(plot, "height")
    source = ColumnDataSource(
        {"left": np.full(len(y), -most), "above": y + 0.36, "name": [each.name for each in drawn]}
    )
    drawing.names_above(plot, source, "name")
    plot.xaxis.axis_label = "observed less model, in sd of the model"
    return plot


def fans(
    observed: Observed, rows: Sequence[Mapping[str, object]], after: Observed | None = None
) -> list[tuple[str, str, figure]]:
    """One picture for each quantity of a forecast (`twin.experiments.calibrate.outcome.forecast`):
    what was observed, the fan, and what was observed afterwards if it is there."""
    made = []
    later = {} if after is None else daily(after)
    for quantity, days in daily(observed).items():
        ahead = [row for row in rows if row["quantity"] == quantity]
        if not ahead:
            continue
        plot = figure(
            height=260,
            x_axis_type="datetime",
            toolbar_location=None,
            sizing_mode="stretch_width",
        )
        times = [_noon(row["day"]) for row in ahead]
        for low, high, alpha in (
            ("q0.025", "q0.975", 0.15),
            ("q0.1", "q0.9", 0.25),
            ("q0.25", "q0.75", 0.4),
        ):
            ends = [[float(str(row[name])) for row in ahead] for name in (low, high)]
            plot.varea(x=times, y1=ends[0], y2=ends[1], fill_color=DARK, fill_alpha=alpha)
        plot.line(times, [float(str(row["q0.5"])) for row in ahead], color=DARK, width=2)
        _dots(plot, quantity, days, INK)
        told = {row["day"] for row in ahead}
        found = {day: value for day, value in later.get(quantity, {}).items() if day in told}
        _dots(plot, quantity, found, BAD)
        drawing.time_mark(plot, _noon(observed.last) + dt.timedelta(hours=12))
        made.append((f"fan-{quantity.replace(' ', '-')}", quantity.capitalize(), plot))
    return made


def _dots(plot: figure, quantity: str, days: Mapping[dt.date, float], color: str) -> None:
    """Observed days of a quantity."""
    values = shown({quantity: days})[quantity]
    plot.scatter([_noon(day) for day in values], [*values.values()], size=5, color=color)


def _noon(day: object) -> dt.datetime:
    assert isinstance(day, dt.date)
    return dt.datetime(day.year, day.month, day.day, 12, tzinfo=dt.UTC)
