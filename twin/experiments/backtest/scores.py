"""Forecasts held against what came: one row for each quantity, origin, day and forecaster.

    crps      continuous ranked probability score of the ensemble, in the unit of the quantity
    error     how far the median was off
    in_L      whether the central L % interval held what came

Shares are scored as shares, amounts as multiples of their mean until the origin, so that a score
does not depend on how large a platform is. Source: Gneiting and Raftery (2007), J. Am. Stat. Assoc.
102.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from twin.experiments import scores as proper
from twin.experiments.backtest import naive
from twin.experiments.calibrate.ensemble import Array
from twin.experiments.calibrate.fit import Fit
from twin.observing.daily import QUANTITIES, Seen, centred, level

TWIN = "twin"
LEVELS = (50, 80, 95)
SCHEMA = pa.schema(
    [
        ("quantity", pa.string()),
        ("origin", pa.date32()),
        ("day", pa.date32()),
        ("ahead_d", pa.int64()),
        ("forecaster", pa.string()),
        ("observed", pa.float64()),
        ("median", pa.float64()),
        ("low80", pa.float64()),
        ("high80", pa.float64()),
        ("crps", pa.float64()),
        ("error", pa.float64()),
        *((f"in_{level}", pa.bool_()) for level in LEVELS),
    ]
)


@dataclass(frozen=True)
class Forecast:
    """What a forecast is of."""

    quantity: str
    origin: dt.date
    day: dt.date
    ahead_d: int


def rows(found: Fit, seen: Seen, origin: dt.date, last: dt.date) -> Iterator[dict[str, Any]]:
    """Scores of a fit until ``origin`` on all days up to ``last`` that were observed, and of the
    naive forecasts made on the same day from the same days."""
    for name, days in centred(seen, origin).items():
        past = np.array([value for day, value in days.items() if day <= origin])
        for ahead in range(1, (last - origin).days + 1):
            day = origin + dt.timedelta(days=ahead)
            told = found.column(name, day)
            if told is None or day not in days:
                continue
            of = Forecast(name, origin, day, ahead)
            quantity, base = QUANTITIES[name], level(seen.daily[name], origin)
            truth = float(quantity.scored(np.array(days[day]), base))
            yield _row(of, TWIN, quantity.scored(told, base), truth)
            for rule in naive.FORECASTERS:
                draws = naive.draws(rule, past, ahead)
                yield _row(of, rule, quantity.scored(draws, base), truth)


def _row(of: Forecast, forecaster: str, draws: Array, truth: float) -> dict[str, Any]:
    values = np.sort(draws)
    ends = {level: np.quantile(values, [0.5 - level / 200, 0.5 + level / 200]) for level in LEVELS}
    median = float(np.median(values))
    return {
        **asdict(of),
        "forecaster": forecaster,
        "observed": truth,
        "median": median,
        "low80": float(ends[80][0]),
        "high80": float(ends[80][1]),
        "crps": float(proper.crps(values, truth)),
        "error": abs(median - truth),
        **{f"in_{level}": bool(low <= truth <= high) for level, (low, high) in ends.items()},
    }


@dataclass(frozen=True)
class Summary:
    """A quantity at some leads: mean score and error of the twin, the naive forecaster with the
    least mean score and the one with the least mean error, with theirs; shares of days that the
    twin's intervals held; days scored."""

    quantity: str
    leads: str
    days: int
    crps: float
    error: float
    best: tuple[str, float]
    nearest: tuple[str, float]
    held: Mapping[int, float]

    @property
    def skill(self) -> float:
        """Share of the best naive score that is saved; negative where the twin is worse."""
        return 1.0 - self.crps / self.best[1]


LEADS = {"all": (1, 10_000), "1 day": (1, 1), "2 to 7 days": (2, 7), "8 days on": (8, 10_000)}
"""Classes of days ahead."""


def summaries(scored: Sequence[Mapping[str, Any]]) -> list[Summary]:
    """Every quantity at all leads and at each class of them."""
    made = []
    for name in dict.fromkeys(row["quantity"] for row in scored):
        for leads, (low, high) in LEADS.items():
            some = [
                row for row in scored if row["quantity"] == name and low <= row["ahead_d"] <= high
            ]
            if some:
                made.append(_summary(name, leads, some))
    return made


def _summary(name: str, leads: str, scored: Sequence[Mapping[str, Any]]) -> Summary:
    def mean(forecaster: str, column: str) -> float:
        return float(np.mean([r[column] for r in scored if r["forecaster"] == forecaster]))

    crps = {rule: mean(rule, "crps") for rule in naive.FORECASTERS}
    error = {rule: mean(rule, "error") for rule in naive.FORECASTERS}
    best, nearest = min(crps, key=crps.__getitem__), min(error, key=error.__getitem__)
    return Summary(
        name,
        leads,
        sum(row["forecaster"] == TWIN for row in scored),
        mean(TWIN, "crps"),
        mean(TWIN, "error"),
        (best, crps[best]),
        (nearest, error[nearest]),
        {level: mean(TWIN, f"in_{level}") for level in LEVELS},
    )
