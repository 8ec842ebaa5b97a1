"""What is advised: effects of each policy with their posterior, whether it keeps the goals, how one
would see that it works, and how long the advice holds.

A policy is recommended where the posterior gives all goals together at least `SURE`; of several,
the one that keeps them most surely. Where none does, nothing is: the platform stays as it is.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from twin.experiments.calibrate.ensemble import Array
from twin.experiments.calibrate.fit import Fit
from twin.experiments.recommend import arms
from twin.experiments.stress.goals import Goal
from twin.experiments.words import Key
from twin.observing.daily import QUANTITIES
from twin.record.watch import Rows
from twin.world.metric import Metric, label_text

SURE = 0.8
"""Probability of all goals together from which on a policy is recommended."""
TOLD = 0.8
"""Share of futures under a policy that lie outside the central 90 % of those without it, from which
on a quantity is said to show the policy."""
QUANTILES = (0.025, 0.1, 0.5, 0.9, 0.975)
Fan = tuple[float, float, float]
"""10, 50 and 90 % of draws."""


@dataclass(frozen=True)
class Effect:
    """What a policy does to a series: ``draws`` of the effect and ``base`` of the series without it
    (draws,); ``held``: share of worlds, each in turn the truth, that the 80 % interval held."""

    metric: Metric
    labels: str
    draws: Array
    base: Array
    held: float

    @property
    def quantiles(self) -> Array:
        """At QUANTILES."""
        return np.quantile(self.draws, QUANTILES)

    @property
    def percent(self) -> float:
        """Median effect in percent of the base."""
        base = float(np.median(self.base))
        return 100 * float(np.median(self.draws)) / abs(base) if base else np.nan

    @property
    def better(self) -> float:
        """Probability that it is for the good of its side; NaN where no direction is good."""
        if self.metric.good not in ("up", "down"):
            return np.nan
        good = self.draws > 0 if self.metric.good == "up" else self.draws < 0
        return float(good.mean())


@dataclass(frozen=True)
class Measure:
    """How one sees whether a policy works: the mean of a ``quantity`` over the first ``days``, with
    its central 80 % ``without`` and ``with_`` the policy, on the platform's own scale; ``told``:
    share of futures under the policy that lie outside the central 90 % of those without."""

    quantity: str
    days: int
    without: Fan
    with_: Fan
    told: float


@dataclass(frozen=True)
class Advice:
    """What is said of a policy: ``goals`` with the probability of each, ``keeps`` that of all."""

    policy: str
    describe: str
    goals: tuple[tuple[str, float], ...]
    keeps: float
    effects: tuple[Effect, ...]
    measure: Measure | None

    @property
    def recommended(self) -> bool:
        """Whether it keeps the goals surely enough."""
        return self.keeps >= SURE


def best(found: Sequence[Advice]) -> Advice | None:
    """The policy that is recommended, if any."""
    sure = [each for each in found if each.recommended]
    return max(sure, key=lambda each: each.keeps, default=None)


def effects(found: Fit, rows: Rows, arm: int) -> tuple[Effect, ...]:
    """Effects of a policy on the series that it touches."""
    names = found.worlds.quantities
    held = dict(zip(names, found.every.inside(0.8), strict=True))
    made = []
    for metric, labels in rows:
        key = metric.name, label_text(labels)
        name = arms.effect(arm, key)
        draws, base = found.named(name), found.named(arms.effect(0, key))
        if draws is not None and base is not None:
            made.append(Effect(metric, key[1], draws, base, float(held[name])))
    return tuple(made)


def kept(found: Fit, goals: Sequence[Goal], arm: int) -> Array:
    """Which draws keep which goal under a policy (draws, goals); what is not known is not kept."""
    made = np.zeros((len(found.draws), len(goals)))
    for place, goal in enumerate(goals):
        key: Key = goal.metric.name, goal.labels
        base = found.named(arms.effect(0, key))
        if base is None:
            continue
        change = found.named(arms.effect(arm, key))
        # untouched: as without the policy
        values = base + (0.0 if change is None else change)
        made[:, place] = [
            goal.holds(float(one), float(other)) is True
            for one, other in zip(base, values, strict=True)
        ]
    return made


def measure(
    found: Fit, levels: dict[str, float], arm: int, days: Sequence[dt.date]
) -> Measure | None:
    """The quantity that shows a policy soonest, and of several the most surely. ``levels``: the
    platform's own, on the quantity's scale."""
    best: Measure | None = None
    for name, base in levels.items():
        sums = np.zeros((2, len(found.draws)))
        for many, day in enumerate(days, 1):
            each = [found.named(arms.day_of(side, name, day)) for side in (0, arm)]
            if each[0] is None or each[1] is None:
                break
            sums += np.array(each)
            without, with_ = sums / many
            told = outside(with_, without)
            better = best is None or (many, -told) < (best.days, -best.told)
            if told >= TOLD and better:
                shown = [central(QUANTITIES[name].shown(side + base)) for side in (without, with_)]
                best = Measure(name, many, shown[0], shown[1], told)
            if told >= TOLD:
                break
    return best


def outside(draws: Array, of: Array) -> float:
    """Share of draws beyond the central 90 % of others, on the side on which most lie."""
    low, high = np.quantile(of, (0.05, 0.95))
    return float(max((draws < low).mean(), (draws > high).mean()))


def central(values: Array) -> Fan:
    """Median and central 80 % of draws."""
    low, middle, high = (float(each) for each in np.quantile(values, (0.1, 0.5, 0.9)))
    return low, middle, high
