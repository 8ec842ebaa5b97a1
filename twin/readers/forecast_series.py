"""A platform and the forecasts of its twin as series of Prometheus, at real dates.

A day's number stands at **noon UTC** of the day: noon is on no border of two days, and on that date
in nearly every zone in which a platform may count its days. A forecast that was made ``a`` days
ahead stands ``a`` seconds before noon. So forecasts of one day that were made on several days are
different samples (Prometheus cannot change one that it has), all are kept, and the last sample of a
day is the latest forecast:

    last_over_time(twin_forecast{quantile="0.5"}[1d] offset -1d)    at midnight, for the day after

Every series carries the labels ``calibration`` and ``scenario``.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

import numpy as np
from numpy.typing import NDArray

from twin.ground import files
from twin.ground.units import DAY, at
from twin.readers.openmetrics import head, lines
from twin.record.names import series
from twin.world.metric import Metric

NOON_S = DAY // 2
IDENTITY = ("calibration", "scenario")
"""Labels on every series, beside its declared ones."""


@dataclass(frozen=True)
class Quantity:
    """What is forecast of a day: ``unit`` in words, ``help`` one sentence."""

    name: str
    unit: str
    help: str


QUANTITIES = (
    Quantity("click rate", "ratio", "Share of the day's impressions that got a click."),
    Quantity("people", "people", "People who came on the day."),
    Quantity("impressions", "impressions", "Impressions on the day."),
    Quantity("new items", "items", "Items that were shown for the first time on the day."),
    Quantity("makers", "makers", "Makers of whom an item was shown on the day."),
)
"""Those that have a panel of their own; others are written as well."""
LEVELS = (0.025, 0.1, 0.25, 0.5, 0.75, 0.9, 0.975)
"""Quantiles of a forecast: medians and the central 50, 80 and 95 %."""
_NAMES = tuple(each.name for each in QUANTITIES)

FORECAST = Metric(
    "forecast",
    "gauge",
    "1",
    "Quantile of what the calibrated twin foretells of a day; the latest forecast is the day's last.",
    "platform",
    "Twin and platform",
    labels={"quantity": _NAMES, "quantile": tuple(f"{level:g}" for level in LEVELS)},
)
OBSERVED = Metric(
    "observed",
    "gauge",
    "1",
    "What was observed of the platform on a day.",
    "platform",
    "Twin and platform",
    labels={"quantity": _NAMES},
)
ORIGIN = Metric(
    "forecast_origin",
    "gauge",
    "s",
    "The last day that was read before the day's latest forecast was made, since 1970.",
    "platform",
    "Twin and platform",
)
DECLARED = (FORECAST, OBSERVED, ORIGIN)


@dataclass(frozen=True)
class Series:
    """One series: ``times`` (samples,) in seconds since 1970, rising, and ``values`` (samples,)."""

    metric: Metric
    labels: Mapping[str, str]
    times: NDArray[np.int64]
    values: NDArray[np.float64]

    @classmethod
    def of(cls, metric: Metric, labels: Mapping[str, str], samples: Mapping[int, float]) -> Series:
        """From values by time."""
        times = sorted(samples)
        values = [samples[time] for time in times]
        return cls(metric, labels, np.array(times, np.int64), np.array(values, np.float64))

    def until(self, second: float) -> Series:
        """The part at or before a time."""
        return self.part(slice(None, int(np.searchsorted(self.times, second, "right"))))

    def part(self, which: slice) -> Series:
        """Some of its samples."""
        return Series(self.metric, self.labels, self.times[which], self.values[which])

    def named(self, identity: Mapping[str, str]) -> tuple[str, dict[str, str]]:
        """Name and labels in Prometheus."""
        return series([(self.metric, self.labels)], identity)[0]


Ahead = Mapping[tuple[dt.date, int], Sequence[float]]
"""Quantiles at LEVELS of a day, by the day and how many days ahead it was."""


def noon(day: dt.date) -> int:
    """When a day's number stands, seconds since 1970."""
    return int(at(day, NOON_S).timestamp())


def observed(by_quantity: Mapping[str, Mapping[dt.date, float]]) -> list[Series]:
    """What was observed of each quantity."""
    return [
        Series.of(
            OBSERVED, {"quantity": quantity}, {noon(day): value for day, value in days.items()}
        )
        for quantity, days in by_quantity.items()
    ]


def forecast(by_quantity: Mapping[str, Ahead]) -> list[Series]:
    """What was foretold of each quantity, and from which day."""
    made = [
        Series.of(
            FORECAST,
            {"quantity": quantity, "quantile": level},
            {noon(day) - days: fan[place] for (day, days), fan in ahead.items()},
        )
        for quantity, ahead in by_quantity.items()
        for place, level in enumerate(FORECAST.labels["quantile"])
    ]
    origins = {
        noon(day) - days: float(noon(day) - days * DAY)
        for ahead in by_quantity.values()
        for day, days in ahead
    }
    return [*made, Series.of(ORIGIN, {}, origins)]


def count(those: Iterable[Series]) -> str:
    """How much there is, in words."""
    sizes = [len(each.times) for each in those if len(each.times)]
    return f"{sum(sizes):,} samples of {len(sizes):,} series"


def export(file: Path, those: Iterable[Series], identity: Mapping[str, str]) -> None:
    """Write OpenMetrics text, whole or not at all (the format: `twin.readers.openmetrics`)."""
    with files.whole(file) as work, work.open("w", encoding="utf-8", errors="replace") as into:
        write(into, those, identity)


def write(into: TextIO, those: Iterable[Series], identity: Mapping[str, str]) -> None:
    """Series as OpenMetrics text; those of a metric stand together."""
    last = None
    for each in those:
        if each.metric != last:
            into.write(head(each.metric))
            last = each.metric
        into.write(lines(*each.named(identity), each.times.tolist(), each.values)[0])
    into.write("# EOF\n")
