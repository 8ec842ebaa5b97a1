"""Whether a posterior can be believed: every world of a bank is a truth that the others are asked
for.

    rank      share of posterior draws below the truth: uniform where the posterior is right
    coverage  share of truths inside the central interval of a level
    width     median posterior sd over the prior's; above `UNIDENTIFIED` the data say nothing
    error     root mean square distance of the posterior mean from the truth, over the prior's

It costs no world. Source: Talts et al. (2018), Validating Bayesian inference algorithms with
simulation-based calibration.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import kolmogorov

from twin.experiments.calibrate.ensemble import Array, Ensemble

LEVELS = (0.5, 0.8, 0.9, 0.95)
UNIDENTIFIED = 0.8
"""Posterior over prior: a quantity above is called not identified."""
TOO_NARROW, TOO_WIDE = 0.76, 0.84
"""Pooled coverage of the 80 % interval below or above which a posterior is called overconfident or
too cautious."""
LEAST_RANKS = 0.004
"""p of a Kolmogorov-Smirnov test below which ranks of a quantity are called not uniform."""
LEAST_TRUTHS = 60
"""Fewer say nothing of coverage: the sd of a share of 0.8 is 0.05 with as many."""
Update = Callable[[Ensemble, Array, Array, int], Array]
"""`smoother.posterior` or `neighbours.posterior`."""


@dataclass(frozen=True)
class Coverage:
    """What held-out truths say. Arrays by quantity: ``ranks`` (truths, quantities), ``widths`` and
    ``errors`` (quantities,)."""

    quantities: tuple[str, ...]
    ranks: Array
    widths: Array
    errors: Array

    def part(self, quantities: Sequence[str]) -> Coverage:
        """The same of some quantities."""
        at = [self.quantities.index(name) for name in quantities]
        return Coverage(tuple(quantities), self.ranks[:, at], self.widths[at], self.errors[at])

    def inside(self, level: float) -> Array:
        """Share of truths inside the central interval of a level (quantities,)."""
        edge = (1 - level) / 2
        return np.asarray(((self.ranks >= edge) & (self.ranks <= 1 - edge)).mean(0))

    def pooled(self, level: float) -> float:
        """The same over all quantities."""
        return float(self.inside(level).mean())

    @property
    def uniform(self) -> Array:
        """p of a Kolmogorov-Smirnov test of the ranks against uniform ones (quantities,), by
        Stephens' (1970, J. R. Statist. Soc. B 32) approximation: within 4 % of the exact one from 30
        worlds on, and without the second that `scipy.stats` takes to import at every sync."""
        n = len(self.ranks)
        ranks, steps = np.sort(self.ranks, axis=0), np.arange(n + 1)[:, None] / n
        apart = np.maximum(steps[1:] - ranks, ranks - steps[:-1]).max(0)
        return np.asarray(kolmogorov(apart * (np.sqrt(n) + 0.12 + 0.11 / np.sqrt(n))))

    @property
    def identified(self) -> NDArray[np.bool_]:
        """Which quantities the statistics say something of (quantities,)."""
        return np.asarray(self.widths <= UNIDENTIFIED)

    @property
    def verdict(self) -> str:
        """In a word."""
        if len(self.ranks) < LEAST_TRUTHS:
            return "too few worlds to say"
        found = self.pooled(0.8)
        if found < TOO_NARROW:
            return "overconfident"
        return "too cautious" if found > TOO_WIDE else "calibrated"


def ranked(draws: Array, truth: Array) -> Array:
    """Share of draws below the truth (quantities,); ties count half."""
    below, same = (draws < truth).mean(0), (draws == truth).mean(0)
    return np.asarray(below + same / 2)


def held_out(worlds: Ensemble, noise: Array, update: Update, seed: int) -> Coverage:
    """Ask for every world in turn, from all others."""
    return against(worlds, [*range(len(worlds))], noise, update, seed, None)


def fresh(worlds: Ensemble, truths: Ensemble, noise: Array, update: Update, seed: int) -> Coverage:
    """Ask for truths that are in no way part of ``worlds``; both on one scale."""
    return against(worlds, [*range(len(truths))], noise, update, seed, truths)


def against(
    worlds: Ensemble,
    chosen: list[int],
    noise: Array,
    update: Update,
    seed: int,
    truths: Ensemble | None,
) -> Coverage:
    """Coverage over chosen truths; ``truths`` None: worlds of the bank, left out in turn."""
    of = worlds if truths is None else truths
    ranks, sds, off = [], [], []
    for truth in chosen:
        rest = worlds.without(truth) if truths is None else worlds
        # the luck of an observation: what the platform's own noise adds to a world's statistics
        error = np.random.default_rng([seed, truth]).standard_normal(len(noise)) * np.sqrt(noise)
        draws = update(rest, of.y[truth] + error, noise, seed)
        ranks.append(ranked(draws, of.x[truth]))
        sds.append(draws.std(0, ddof=1))
        off.append(draws.mean(0) - of.x[truth])
    prior = worlds.x.std(0, ddof=1)
    return Coverage(
        worlds.quantities,
        np.array(ranks),
        np.asarray(np.median(sds, axis=0) / prior),
        np.asarray(np.sqrt((np.array(off) ** 2).mean(0)) / prior),
    )
