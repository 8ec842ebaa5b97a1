"""The diurnal curve: when in the day people come and post.

A curve is 24 shares by local hour; `cumulated` makes it a function from the fraction of the day's
activity to the time of day, so that a flat Poisson process, read through it, becomes one whose
intensity follows the curve.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from twin.ground.units import DAY, HOUR

MIND_HOURS = (
    0.5,
    1.2,
    1.1,
    1.7,
    3.5,
    5.1,
    7.2,
    7.9,
    8.5,
    7.1,
    7.3,
    8.0,
    7.1,
    6.4,
    5.1,
    3.9,
    4.2,
    3.5,
    3.0,
    2.4,
    1.9,
    1.8,
    1.0,
    0.7,
)
"""Share (%) of news impressions by hour, MIND sample (Wu et al., ACL 2020), as in FINDINGS; the
sample's zone is unknown."""


def cumulated(hours: Sequence[float]) -> NDArray[np.float64]:
    """Cumulated share of activity at the start of each local hour, 25 values from 0 to 1."""
    share = np.concatenate([[0.0], np.cumsum(np.array(hours, float))])
    whole: NDArray[np.float64] = share / share[-1]
    return whole


def seconds(fraction: NDArray[np.float64], curve: NDArray[np.float64]) -> NDArray[np.int64]:
    """Local second of the day by which ``fraction`` of the day's activity has happened."""
    # a fraction of 1 would be the first second of the next day
    return np.minimum((np.interp(fraction, curve, np.arange(25)) * HOUR).astype(np.int64), DAY - 1)


def warp(
    days: NDArray[np.float64], curve: NDArray[np.float64], tz: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Seconds since the start for times on a flat clock (in days), read through the diurnal curve
    in a time zone (hours)."""
    # the curve is by local hour: to local time here, back to UTC at the end
    local = days + tz / 24.0
    whole = np.floor(local)
    return whole.astype(np.int64) * DAY + seconds(local - whole, curve) - tz * HOUR
