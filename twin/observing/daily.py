"""Quantities of a day that a calibrated model foretells, and what is read of a log until a day.

    click rate    log-odds of the share of impressions that got a click
    people        logarithm of how many came
    impressions   logarithm of how many there were
    new items     logarithm of how many items were shown for the first time; not on the first day, of
                  which every item is
    makers        logarithm of how many makers' items were shown

All are foretold less their mean over the days until the forecast is made: amounts because worlds and
platforms differ in size, rates because a platform's own level is known better than any parameter.
"""

from __future__ import annotations

import datetime as dt
import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twin.observing.folder import Observed
from twin.observing.statistics import BY_CHANCE, Statistics, amount, odds, of, where

Array = NDArray[np.float64]
Daily = Mapping[str, Mapping[dt.date, float]]
"""Values by quantity and day, on the quantity's scale."""
VERSION = 1
"""Of what `Seen` holds; counted up when a statistic changes, so that stored ones are read anew."""


@dataclass(frozen=True)
class Quantity:
    """One quantity of a day: a ``share``, or an amount."""

    name: str
    share: bool

    def shown(self, values: Array) -> Array:
        """Values as people read them: shares of the log-odds, amounts of the logarithms."""
        return np.asarray(1.0 / (1.0 + np.exp(-values)) if self.share else np.exp(values))

    def scored(self, values: Array, base: float) -> Array:
        """Values less their mean ``base``, as they are compared between platforms: shares as shares,
        amounts as multiples of their mean."""
        return self.shown(values + (base if self.share else 0.0))


QUANTITIES = {
    each.name: each
    for each in (
        Quantity("click rate", share=True),
        Quantity("people", share=False),
        Quantity("impressions", share=False),
        Quantity("new items", share=False),
        Quantity("makers", share=False),
    )
}
"""By name."""


def daily(observed: Observed) -> dict[str, dict[dt.date, float]]:
    """Quantities by day, on their scales; days without a finite value are left out, and so are
    quantities that a log has on no day."""
    made: dict[str, dict[dt.date, float]] = {name: {} for name in QUANTITIES}
    for name, day, value in _values(observed):
        if math.isfinite(value):
            made[name][day] = value
    return {name: dict(sorted(days.items())) for name, days in made.items() if days}


def shown(days: Daily) -> dict[str, dict[dt.date, float]]:
    """Quantities by day as people read them."""
    return {
        name: {day: float(QUANTITIES[name].shown(np.array(value))) for day, value in values.items()}
        for name, values in days.items()
    }


def _values(observed: Observed) -> Iterator[tuple[str, dt.date, float]]:
    for row in where(observed, "counts", cut="all").to_pylist():
        yield "people", row["day"], amount(row["users"] or 0)
        yield "impressions", row["day"], amount(row["impressions"] or 0)
    for row in where(observed, "responses", cut="all", response="click").to_pylist():
        if row["known"] and row["total"] is not None:
            yield "click rate", row["day"], odds(row["total"] / row["known"])
    for row in where(observed, "supply", of="maker").to_pylist():
        yield "makers", row["day"], amount(row["shown"] or 0)
    items = where(observed, "supply", of="item").to_pylist()
    first = min((row["day"] for row in items), default=None)
    for row in items:
        if row["day"] != first:
            yield "new items", row["day"], amount(row["new"] or 0)


@dataclass(frozen=True)
class Seen:
    """What is read of one log: statistics until a day, quantities of all its days."""

    statistics: Statistics
    daily: Daily

    @classmethod
    def until(cls, observed: Observed, day: dt.date) -> Seen:
        """Statistics until a day, and all days there are."""
        days = daily(observed)
        return cls(of(observed.until(day)) | recent(days, day), days)

    def without_chance(self) -> Seen:
        """Without what chance chose."""
        kept = {
            name: value for name, value in self.statistics.items() if not name.endswith(BY_CHANCE)
        }
        return Seen(kept, self.daily)

    def encoded(self) -> bytes:
        """As a file."""
        days = {
            name: {day.isoformat(): value for day, value in values.items()}
            for name, values in self.daily.items()
        }
        return json.dumps({"statistics": self.statistics, "daily": days}).encode()

    @classmethod
    def decoded(cls, data: bytes) -> Seen:
        """From a file."""
        found = json.loads(data)
        days = {
            name: {dt.date.fromisoformat(day): value for day, value in values.items()}
            for name, values in found["daily"].items()
        }
        return cls(found["statistics"], days)


def file(day: dt.date) -> str:
    """The name of a file of what was seen until a day."""
    return f"seen-{VERSION}-{day}.json"


def level(days: Mapping[dt.date, float], until: dt.date) -> float:
    """Mean of a quantity over the days until a day; NaN where there is none."""
    known = [value for day, value in days.items() if day <= until]
    return float(np.mean(known)) if known else math.nan


def centred(seen: Seen, until: dt.date) -> dict[str, dict[dt.date, float]]:
    """Days of a log, less their mean until a day."""
    made = {}
    for name, days in seen.daily.items():
        base = level(days, until)
        made[name] = {day: value - base for day, value in days.items()}
    return made


RECENT = (1, 3, 7)
"""The last so many days."""


def recent(days: Daily, until: dt.date) -> Statistics:
    """Statistics of where each quantity stands: its last days against all of them."""
    made: Statistics = {}
    for name, values in days.items():
        known = [value for day, value in values.items() if day <= until]
        for many in RECENT:
            if len(known) > many:
                made[f"{name}, last {many} d"] = float(np.mean(known[-many:]) - np.mean(known))
    return made
