"""Was a series already moving before a policy? How much of a reported change its own pace explains.

Over the four weeks before the policy (two at least, and only what was read after the start, so
after a warm-up), the series' readings are cut into BATCHES of equal length; with z_1 .. z_8 their
means, the pace is the least-squares slope of z on time, and its interval that of the slope, t(6):
means of three or four days depend on one another much less than readings do (batch means: Law,
Simulation Modeling and Analysis, 5th ed. 2015, section 9.5.3). The pace is reported where its
interval excludes zero and

    |pace| * (time between the two windows that are compared) > SHARE * |change|
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from twin.ground.later import stats
from twin.ground.units import in_percent
from twin.readers.text import human

Floats = NDArray[np.float64]
SHARE = 0.25
"""Part of a reported change from which on an earlier drift is reported beside it."""
LOOK, LEAST = np.timedelta64(28, "D"), np.timedelta64(14, "D")
BATCHES = 8


def pace(times: NDArray[np.datetime64], values: Floats, until: np.datetime64) -> float | None:
    """Change per second of a series before ``until``; None where it cannot be distinguished from
    none, or too little was read.

    ``times`` datetime64[s] and ``values`` float64, both (readings,); NaN is no reading.
    """
    inside = (times > until - LOOK) & (times <= until) & np.isfinite(values)
    seconds, known = times[inside].astype("datetime64[s]").astype(np.int64), values[inside]
    if len(seconds) < BATCHES or until - times[0] < LEAST:
        return None
    # one second more, so that the last reading falls into the last batch
    edges = np.linspace(seconds[0], seconds[-1] + 1, BATCHES + 1)
    batch = np.searchsorted(edges, seconds, "right") - 1
    count = np.bincount(batch, minlength=BATCHES)
    # readings are too sparse: a batch without any has no mean
    if (count == 0).any():
        return None
    # means per batch of values and of times, which need not lie evenly
    z, t = (
        np.bincount(batch, weights=each, minlength=BATCHES) / count
        for each in (known, (seconds - seconds[0]).astype(float))
    )
    if np.ptp(z) == 0:
        return None
    fit = stats().linregress(t, z)
    sure = abs(fit.slope) > stats().t.ppf(0.975, BATCHES - 2) * fit.stderr
    return float(fit.slope) if sure else None


def part(moved: float, change: float) -> float | None:
    """What the drift makes of a change, as a share with its sign; None where that is too small
    to report."""
    return moved / change if change and abs(moved) > SHARE * abs(change) else None


def words(what: str, share: float, rose: bool) -> str:
    """One series in the warning: ``satisfaction had already been falling, by 60 % of the reported change
    at that pace``."""
    way = "rising" if rose else "falling"
    # "had been": a verb that needs no agreement in number with the name of a series
    if share < 0:
        return f"{what} had been {way}, against the reported change: by {amount(share)} it at that pace"
    return f"{what} had already been {way}, by {amount(share)} the reported change at that pace"


def amount(share: float) -> str:
    """``60 % of``, ``3.2 times``: percent of hundreds are read twice."""
    return f"{in_percent(abs(share))} of" if abs(share) < 2 else f"{human(abs(share))} times"
