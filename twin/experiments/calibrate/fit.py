"""A posterior from a bank and what was observed until a day.

What is asked for: parameters, and what was to come: rates, people and impressions of every day
after. Both are quantities of the worlds of the bank, so one update gives both (`smoother`), and each
world in turn shows how far they can be believed (`coverage`). Nothing of the platform after the day
is read.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from twin.experiments.calibrate import coverage, ensemble, neighbours, regression, smoother
from twin.experiments.calibrate.coverage import Coverage
from twin.experiments.calibrate.ensemble import Array, Ensemble, Scale
from twin.observing.daily import QUANTITIES, Seen, centred
from twin.observing.statistics import Statistics

MARGIN = 0.25
"""Sds beyond the farthest world at which an observed statistic is one that the model cannot
produce."""
MOST_MISSING = 0.05
"""Share of worlds that may lack a statistic."""
CLEARLY = 0.98
"""Error over that on the first scale below which another scale is taken."""
MOST_RARE = 0.5
"""Share of worlds in which a response may be too rare to be shown."""
TRUTHS = 60
"""Worlds that a second opinion is asked for: it refits for each."""


@dataclass(frozen=True)
class Asked:
    """Parameters that are asked for: where the worlds lie in their ranges (worlds, parameters), 0 ..
    1, and the scales on which each might be told."""

    names: tuple[str, ...]
    shares: Array
    scales: Sequence[Sequence[Scale]]

    def told(self, statistics: Array) -> tuple[Scale, ...]:
        """The scale of each on which standardised statistics (worlds, statistics) tell it best, out
        of fold; the first unless another is clearly better."""
        chosen = []
        for place, scales in enumerate(self.scales):
            x = np.column_stack([scale.of(self.shares[:, place]) for scale in scales])
            x = (x - x.mean(0)) / x.std(0)
            error = regression.fit(statistics, x).error
            best = int(np.argmin(error))
            chosen.append(scales[best if error[best] < CLEARLY * error[0] else 0])
        return tuple(chosen)


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
    """``draws`` (worlds, quantities) of the posterior; ``parameters``, on ``scales``, are the first
    of its quantities, days to come the others. ``at`` (statistics,): what was observed, on the scale
    of ``worlds.y``; ``every``: coverage over the worlds of the bank; ``checks``: worst first;
    ``beyond``: statistics that no world comes near, left out; ``effective``: how many worlds lie
    around what was observed, over how many lie around a typical world; ``days`` that worlds go on
    for."""

    worlds: Ensemble
    at: Array
    parameters: tuple[str, ...]
    scales: tuple[Scale, ...]
    draws: Array
    every: Coverage
    checks: tuple[Check, ...]
    beyond: tuple[str, ...]
    effective: float
    days: int

    @property
    def held(self) -> Coverage:
        """Coverage of the parameters."""
        return self.every.part(self.parameters)

    @property
    def foretold(self) -> Coverage:
        """Coverage of days to come."""
        return self.every.part(self.worlds.quantities[len(self.parameters) :])

    def column(self, name: str, day: dt.date) -> Array | None:
        """Draws of a quantity of a day (worlds,); None where it is not foretold."""
        return self.named(quantity(name, day))

    def named(self, wanted: str) -> Array | None:
        """Draws of a quantity (worlds,) by its whole name; None where it is not asked for."""
        if wanted not in self.worlds.quantities:
            return None
        return np.asarray(self.draws[:, self.worlds.quantities.index(wanted)])

    def shares(self) -> Array:
        """Draws of the parameters as shares of the way through their ranges."""
        return np.column_stack(
            [scale.back(self.draws[:, place]) for place, scale in enumerate(self.scales)]
        )


@dataclass(frozen=True)
class Future:
    """What was to come in the worlds of a bank: ``values`` (worlds, days) by quantity, as
    `twin.observing.daily.centred` has them. A day on which a world has no reading is NaN there."""

    days: tuple[dt.date, ...]
    values: Mapping[str, Array]


def future(worlds: Sequence[Seen], until: dt.date, last: dt.date, names: Collection[str]) -> Future:
    """Days after ``until`` up to ``last`` in all worlds, of these quantities."""
    days = tuple(until + dt.timedelta(days=1 + i) for i in range((last - until).days))
    each = [centred(world, until) for world in worlds]
    values = {
        name: np.array([[world.get(name, {}).get(day, np.nan) for day in days] for world in each])
        for name in QUANTITIES
        if name in names
    }
    return Future(days, values)


def quantity(name: str, day: dt.date) -> str:
    """What a quantity of a day is called among the quantities of a posterior."""
    return f"{name} on {day}"


def ahead(to_come: Future) -> Iterator[tuple[str, Array]]:
    """Every quantity of every day with its values in the worlds (worlds,). One that many worlds lack
    is left out; a world that lacks another has the mean."""
    for name, values in to_come.values.items():
        for place, day in enumerate(to_come.days):
            column = filled(values[:, place])
            if column is not None:
                yield quantity(name, day), column


def filled(column: Array) -> Array | None:
    """Values of the worlds (worlds,) with the mean where a world has none; None if many lack it."""
    missing = ~np.isfinite(column)
    if missing.mean() > MOST_MISSING:
        return None
    return np.where(missing, column[~missing].mean(), column)


def matrix(worlds: Sequence[Seen], observed: Statistics) -> tuple[tuple[str, ...], Array, Array]:
    """Names of the statistics that the platform and nearly all worlds have, those of the worlds
    (worlds, statistics) and of the platform (statistics,). A world that lacks one has the mean; one
    in which a response was too rare to be shown has the least rate that was."""
    names = []
    columns = []
    for name in observed:
        column = np.array([world.statistics.get(name, np.nan) for world in worlds])
        missing = ~np.isfinite(column)
        rare = name.endswith(" rate")
        if missing.mean() > (MOST_RARE if rare else MOST_MISSING):
            continue
        names.append(name)
        known = column[~missing]
        columns.append(np.where(missing, known.min() if rare else known.mean(), column))
    return tuple(names), np.column_stack(columns), np.array([observed[name] for name in names])


def fit(
    asked: Asked,
    worlds: Sequence[Seen],
    observed: Statistics,
    to_come: Mapping[str, Array],
    days: int,
) -> Fit:
    """The posterior given ``observed`` of what is ``asked`` for and what was ``to_come``: other
    quantities of the worlds (worlds,), among them those of so many days.

    Raises ValueError where no statistic differs between the worlds.
    """
    names, raw, target = matrix(worlds, observed)
    beyond = out_of_reach(names, raw, target)
    kept = np.array([name not in beyond for name in names])
    known = tuple(name for name, keep in zip(names, kept, strict=True) if keep)
    bank = ensemble.ensemble(asked.names, asked.shares, known, raw[:, kept])
    scales = asked.told(bank.y)
    x = [scale.of(asked.shares[:, place]) for place, scale in enumerate(scales)]
    bank = replace(
        bank,
        quantities=(*asked.names, *to_come),
        x=np.column_stack([*x, *to_come.values()]),
    )
    by_name = dict(zip(names, target, strict=True))
    at = bank.standard(np.array([by_name[name] for name in bank.statistics]))
    told = regression.fit(bank.y, bank.x)
    draws = smoother.draws(bank, told, at)
    own = bank.x[:, : len(scales)]
    return Fit(
        bank,
        at,
        asked.names,
        scales,
        draws,
        smoother.held_out(bank, told),
        checks(bank, (own, draws[:, : len(scales)]), at),
        beyond,
        float(1.0 / np.median(told.alone(at)[: len(scales)])),
        days,
    )


def second(found: Fit, seed: int) -> Coverage:
    """Coverage of the second opinion on the parameters, over `TRUTHS` of the worlds."""
    at = [found.worlds.quantities.index(name) for name in found.parameters]
    bank = replace(found.worlds, quantities=found.parameters, x=found.worlds.x[:, at])
    chosen = np.unique(np.linspace(0, len(bank) - 1, TRUTHS).round().astype(int)).tolist()
    none = np.zeros(len(bank.statistics))
    return coverage.against(bank, chosen, none, neighbours.posterior, seed, None)


def out_of_reach(names: Sequence[str], raw: Array, target: Array) -> tuple[str, ...]:
    """Statistics of the platform that lie beyond every world."""
    reach = MARGIN * raw.std(0, ddof=1)
    outside = (target < raw.min(0) - reach) | (target > raw.max(0) + reach)
    return tuple(name for name, out in zip(names, outside, strict=True) if out)


def checks(bank: Ensemble, parameters: tuple[Array, Array], observed: Array) -> tuple[Check, ...]:
    """What the model says of each statistic at the posterior's parameters, with the luck that
    worlds have, beside what was observed; worst first. ``parameters``: of the worlds, and draws,
    both (worlds, parameters)."""
    own, draws = parameters
    middle, spread = own.mean(0), own.std(0)
    found = regression.fit(quadratic((own - middle) / spread), bank.y)
    said = found.at(quadratic((draws - middle) / spread)) + (bank.y - found.left)
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
