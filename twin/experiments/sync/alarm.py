"""Whether a new day lies in what was foretold of it the day before.

    T^2 = (d - m)' S^-1 (d - m)      d: quantities of the day, m and S: mean and covariance of draws
    p = (1 + draws with a larger T^2) / (1 + draws)

Draws are the day as worlds had it, seen from the posterior of the day before, with the errors that
worlds left out show (`twin.experiments.calibrate.smoother`), so p is uniform on quiet days whatever
the shape of the errors. An alarm is p <= `RATE`: by chance once in 200 days.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import numpy as np

from twin.experiments.calibrate.ensemble import Array
from twin.experiments.calibrate.fit import Fit
from twin.observing.daily import QUANTITIES, Seen, centred, level

RATE = 0.005
"""Share of quiet days with an alarm."""


@dataclass(frozen=True)
class Day:
    """A new day: ``p`` as above, and what of it lies outside its own central 95 %: quantity,
    observed, ends; amounts as multiples of their mean until then. ``least``: the smallest p that
    so many worlds allow."""

    day: dt.date
    p: float
    least: float
    outside: tuple[tuple[str, float, float, float], ...]

    @property
    def alarm(self) -> bool:
        """Whether the platform left the fan."""
        return self.p <= max(RATE, self.least)


def check(found: Fit, seen: Seen, day: dt.date) -> Day | None:
    """A day against a posterior of the day before; None where nothing of it was foretold."""
    before = day - dt.timedelta(days=1)
    values = centred(seen, before)
    columns = {
        name: draws
        for name in QUANTITIES
        if (draws := found.column(name, day)) is not None and day in values.get(name, {})
    }
    if not columns:
        return None
    draws = np.column_stack([*columns.values()])
    observed = np.array([values[name][day] for name in columns])
    outside = []
    for (name, column), value in zip(columns.items(), observed, strict=True):
        low, high = np.quantile(column, [0.025, 0.975])
        if not low <= value <= high:
            base = level(seen.daily[name], before)
            shown = QUANTITIES[name].scored(np.array([value, low, high]), base)
            outside.append((name, float(shown[0]), float(shown[1]), float(shown[2])))
    return Day(day, p(observed, draws), 1.0 / (1 + len(draws)), tuple(outside))


def p(observed: Array, draws: Array) -> float:
    """Share of draws (draws, quantities) that lie at least as far out as what was observed
    (quantities,)."""
    away = draws - draws.mean(0)
    # quantities that hardly differ between worlds would make the covariance singular
    inverse = np.linalg.pinv(np.atleast_2d(np.cov(away, rowvar=False)), rcond=1e-9)
    own = np.einsum("ij,jk,ik->i", away, inverse, away)
    off = observed - draws.mean(0)
    far = float(off @ inverse @ off)
    return float((1 + (own >= far).sum()) / (1 + len(draws)))
