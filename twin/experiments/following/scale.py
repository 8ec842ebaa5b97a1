"""Quantities on the platform's own scale, as ``forecast.parquet`` has them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

import numpy as np

from twin.observing.daily import QUANTITIES, daily
from twin.observing.folder import Observed

Daily = Mapping[str, Mapping[dt.date, float]]


def shown(observed: Observed) -> dict[str, dict[dt.date, float]]:
    """What was observed, by quantity and day; days on which it is not known are left out."""
    return {
        name: {day: float(QUANTITIES[name].shown(np.array(value))) for day, value in days.items()}
        for name, days in daily(observed).items()
    }
