"""Naive forecasts of a daily series: what a calibrated model has to beat.

    mean         the mean of all days so far
    last         the last day
    week ago     the same weekday of the last week
    last week    the mean of the last seven days
    trend        a straight line through all days so far

Each is a normal distribution around its value, with the root mean square of the errors that the same
rule made so far as many days ahead. All work on the scale of the quantity (`twin.observing.daily`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from scipy.special import ndtri

from twin.experiments.calibrate.ensemble import Array

WEEK = 7
LEAST = 3
"""Past errors at a lead, or those of the longest lead that has as many."""
SHARES = (np.arange(99) + 0.5) / 99
"""A normal distribution as an ensemble: its quantiles at these shares."""


def _mean(past: Array, ahead: int) -> float:
    return float(past.mean())


def _last(past: Array, ahead: int) -> float:
    return float(past[-1])


def _week_ago(past: Array, ahead: int) -> float:
    # the newest day of the same weekday, as many weeks back as it takes
    back = -(-ahead // WEEK) * WEEK - ahead
    return float(past[-1 - back]) if back < len(past) else float(past[-1])


def _last_week(past: Array, ahead: int) -> float:
    return float(past[-WEEK:].mean())


def _trend(past: Array, ahead: int) -> float:
    if len(past) < LEAST:
        return float(past[-1])
    slope, level = np.polyfit(np.arange(len(past)), past, 1)
    return float(level + slope * (len(past) - 1 + ahead))


FORECASTERS: Mapping[str, Callable[[Array, int], float]] = {
    "mean": _mean,
    "last": _last,
    "week ago": _week_ago,
    "last week": _last_week,
    "trend": _trend,
}
"""By name: the value ``ahead`` days after the end of ``past`` (days,)."""


def draws(name: str, past: Array, ahead: int) -> Array:
    """A naive forecast as an ensemble (99,), on the scale of ``past`` (days,)."""
    rule = FORECASTERS[name]
    return np.asarray(rule(past, ahead) + max(_error(rule, past, ahead), 1e-9) * ndtri(SHARES))


def _error(rule: Callable[[Array, int], float], past: Array, ahead: int) -> float:
    """Root mean square of what the rule missed by so far, as many days ahead."""
    for lead in range(ahead, 0, -1):
        origins = range(2, len(past) - lead + 1)
        if len(origins) >= LEAST:
            missed = [past[at + lead - 1] - rule(past[:at], lead) for at in origins]
            return float(np.sqrt(np.mean(np.square(missed))))
    return float(past.std()) if len(past) > 1 else 0.0
