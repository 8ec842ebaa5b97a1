"""Quantities on the platform's own scale.

A forecast of people or impressions is kept as multiples of their mean until the day that was read
last: exp of the mean logarithm, as `twin.experiments.calibrate.fit.relative` takes it.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping

from twin.experiments.calibrate.fit import RELATIVE
from twin.experiments.calibrate.statistics import daily
from twin.observing.folder import Observed

Daily = Mapping[str, Mapping[dt.date, float]]


def shown(observed: Observed) -> dict[str, dict[dt.date, float]]:
    """What was observed, by quantity and day; days on which it is not known are left out."""
    return {
        name: {day: _shown(name, value) for day, value in days.items() if math.isfinite(value)}
        for name, days in daily(observed).items()
    }


def unit(quantity: str, observed: Daily, until: dt.date) -> float:
    """What a forecast made on a day is a multiple of; NaN where the platform's is not known."""
    if quantity not in RELATIVE:
        return 1.0
    days = observed.get(quantity, {})
    known = [math.log(value) for day, value in days.items() if day <= until]
    return math.exp(sum(known) / len(known)) if known else math.nan


def _shown(quantity: str, value: float) -> float:
    return math.exp(value) if quantity in RELATIVE else 1 / (1 + math.exp(-value))
