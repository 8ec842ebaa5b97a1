"""A posterior from a bank and what was observed until a day.

What is asked for: parameters, and what was to come: rates, people and impressions of every day
after. Both are quantities of the worlds of the bank, so one update gives both (`smoother`), and each
world in turn shows how far they can be believed (`coverage`). Nothing of the platform after the day
is read.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twin.experiments.calibrate import coverage, ensemble, neighbours, regression, smoother
from twin.experiments.calibrate import statistics as stats
from twin.experiments.calibrate.coverage import Coverage
from twin.experiments.calibrate.ensemble import Array, Ensemble
from twin.observing.folder import Observed

MARGIN = 0.25
"""Sds beyond the farthest world at which an observed statistic is one that the model cannot
produce."""
MOST_MISSING = 0.05
"""Share of worlds that may lack a statistic."""
Daily = Mapping[str, Mapping[dt.date, float]]


@dataclass(frozen=True)
class Seen:
    """What is read of one log until a day: statistics by name, quantities by day."""

    statistics: stats.Statistics
    daily: Daily

    @classmethod
    def of(cls, observed: Observed, until: dt.date, explore: bool) -> Seen:
        """Statistics until a day, and all days: of a platform those until then as well."""
        return cls(stats.of(observed.until(until), explore), stats.daily(observed))


@dataclass(frozen=True)
class Check:
    """A statistic of the platform beside what the calibrated model says of it, on its own scale:
    ``z`` how far apart they are in sds of the model."""

    name: str
    observed: float
    prior: tuple[float, float]
    posterior: tuple[float, float]
    z: float


@dataclass(frozen=True)
class Fit:
    """``draws`` (worlds, quantities) of the posterior in normal scores; ``parameters`` are the first
    of its quantities. ``held`` and ``second``: coverage of the smoother and of the second opinion
    over the worlds of the bank; ``checks``: worst first; ``beyond``: statistics that no world comes
    near, left out."""

    worlds: Ensemble
    parameters: tuple[str, ...]
    draws: Array
    other: Array
    held: Coverage
    second: Coverage
    checks: tuple[Check, ...]
    beyond: tuple[str, ...]

    def shares(self) -> Array:
        """Draws of the parameters as shares of the way through their ranges."""
        return ensemble.shares(self.draws[:, : len(self.parameters)])


@dataclass(frozen=True)
class Future:
    """What was to come in the worlds of a bank: ``values`` (worlds, days) per name, on the scale of
    `twin.experiments.calibrate.statistics.DAILY`; of people and impressions less the mean until the
    day, as worlds are smaller than a platform."""

    days: tuple[dt.date, ...]
    values: Mapping[str, Array]


RELATIVE = ("people", "impressions")
"""Forecast against their own mean until the day."""


def relative(daily: Daily, until: dt.date) -> dict[str, dict[dt.date, float]]:
    """Days of a log, with what is `RELATIVE` less its mean until a day."""
    made = {}
    for name, days in daily.items():
        known = [value for day, value in days.items() if day <= until and np.isfinite(value)]
        base = float(np.mean(known)) if name in RELATIVE and known else 0.0
        made[name] = {day: value - base for day, value in days.items()}
    return made


def future(worlds: Sequence[Seen], until: dt.date, last: dt.date) -> Future:
    """Days after ``until`` up to ``last`` in all worlds; a day on which a world has no reading is
    NaN there."""
    days = tuple(until + dt.timedelta(days=1 + i) for i in range((last - until).days))
    each = [relative(world.daily, until) for world in worlds]
    values = {
        name: np.array([[world[name].get(day, np.nan) for day in days] for world in each])
        for name in stats.DAILY
    }
    return Future(days, values)


def matrix(
    worlds: Sequence[Seen], observed: stats.Statistics
) -> tuple[tuple[str, ...], Array, Array]:
    """Names of the statistics that the platform and nearly all worlds have, those of the worlds
    (worlds, statistics) and of the platform (statistics,). A world that lacks one has the mean."""
    names = []
    columns = []
    for name in observed:
        column = np.array([world.statistics.get(name, np.nan) for world in worlds])
        missing = ~np.isfinite(column)
        if missing.mean() > MOST_MISSING:
            continue
        names.append(name)
        columns.append(np.where(missing, column[~missing].mean(), column))
    return tuple(names), np.column_stack(columns), np.array([observed[name] for name in names])


def fit(
    parameters: Sequence[str],
    scores: Array,
    worlds: Sequence[Seen],
    observed: stats.Statistics,
    to_come: Future,
    seed: int,
) -> Fit:
    """The posterior given ``observed``. ``scores`` (worlds, parameters): normal scores of where the
    worlds lie in the priors."""
    names, raw, target = matrix(worlds, observed)
    beyond = out_of_reach(names, raw, target)
    kept = np.array([name not in beyond for name in names])
    quantities, ahead = [*parameters], [scores]
    for name, values in to_come.values.items():
        if values.size and np.isfinite(values).all():
            quantities += [f"{name} on {day}" for day in to_come.days]
            ahead.append(values)
    known = tuple(name for name, keep in zip(names, kept, strict=True) if keep)
    bank = ensemble.ensemble(quantities, np.concatenate(ahead, axis=1), known, raw[:, kept])
    at = bank.standard(
        np.array([dict(zip(names, target, strict=True))[name] for name in bank.statistics])
    )
    noise = np.zeros(len(at))
    draws = smoother.posterior(bank, at, noise, seed)
    return Fit(
        bank,
        tuple(parameters),
        draws,
        neighbours.posterior(bank, at, noise, seed),
        coverage.held_out(bank, noise, smoother.posterior, seed),
        coverage.held_out(bank, noise, neighbours.posterior, seed),
        checks(bank, draws[:, : len(parameters)], at),
        beyond,
    )


def out_of_reach(names: Sequence[str], raw: Array, target: Array) -> tuple[str, ...]:
    """Statistics of the platform that lie beyond every world."""
    reach = MARGIN * raw.std(0, ddof=1)
    outside = (target < raw.min(0) - reach) | (target > raw.max(0) + reach)
    return tuple(name for name, out in zip(names, outside, strict=True) if out)


def checks(bank: Ensemble, draws: Array, observed: Array) -> tuple[Check, ...]:
    """What the model says of each statistic at the posterior's parameters, with the luck that
    worlds have, beside what was observed; worst first."""
    known = draws.shape[1]
    found = regression.fit(quadratic(bank.x[:, :known]), bank.y)
    said = found.at(quadratic(draws)) + (bank.y - found.left)
    made = []
    for k, name in enumerate(bank.statistics):
        scale, middle = bank.spread[k], bank.middle[k]
        posterior = said[:, k] * scale + middle
        prior = bank.y[:, k] * scale + middle
        made.append(
            Check(
                name,
                float(observed[k] * scale + middle),
                _central(prior),
                _central(posterior),
                float((observed[k] - said[:, k].mean()) / max(said[:, k].std(ddof=1), 1e-9)),
            )
        )
    return tuple(sorted(made, key=lambda each: -abs(each.z)))


def quadratic(x: Array) -> Array:
    """Parameters and their squares: statistics bend with them."""
    return np.concatenate([x, x**2 - 1.0], axis=1)


def _central(values: NDArray[np.float64]) -> tuple[float, float]:
    low, high = np.quantile(values, [0.1, 0.9])
    return float(low), float(high)
