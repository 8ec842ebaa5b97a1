"""Worlds drawn from a prior, as the update of a calibration sees them.

    x    what is asked for (worlds, quantities): of a parameter its place in its range, on the scale
         on which the statistics tell it best (`Scale`): normal scores, shares, logarithms or log-odds
    y    what would be observed of such a world (worlds, statistics), each on a scale of its own on
         which its spread over worlds is near to normal (log of amounts, logit of shares), less the
         mean over worlds and divided by their sd

Luck between seeds is in y: every world has a seed of its own, so that it counts as noise of the
statistics and not as information about parameters.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

Array = NDArray[np.float64]
EDGE = 1e-4
"""Shares closer than this to an end of a range count as that close: a normal score is finite."""
LEAST_SD = 1e-9
"""A statistic that varies less over worlds says nothing."""


def scores(shares: Array) -> Array:
    """Normal scores of shares (0..1)."""
    return np.asarray(ndtri(np.clip(shares, EDGE, 1 - EDGE)))


@dataclass(frozen=True)
class Scale:
    """A scale of a parameter: ``values`` (points,), rising, at ``grid`` (points,), shares 0..1 of
    the way through its range. Draws beyond an end are at the end."""

    grid: Array
    values: Array

    def of(self, shares: Array) -> Array:
        """Values at shares."""
        return np.interp(shares, self.grid, self.values)

    def back(self, values: Array) -> Array:
        """Shares at values."""
        return np.interp(values, self.values, self.grid)


@dataclass(frozen=True)
class Ensemble:
    """Worlds of a prior: ``x`` (worlds, quantities), ``y`` (worlds, statistics), both standardised;
    ``middle`` and ``spread`` are the statistics' mean and sd before that."""

    quantities: tuple[str, ...]
    statistics: tuple[str, ...]
    x: Array
    y: Array
    middle: Array
    spread: Array

    def __len__(self) -> int:
        return len(self.x)

    def standard(self, observed: Array) -> Array:
        """Observed statistics (statistics,) on the scale of ``y``."""
        return np.asarray((observed - self.middle) / self.spread)

    def without(self, world: int) -> Ensemble:
        """All worlds but one, on the same scale."""
        kept = np.arange(len(self)) != world
        return replace(self, x=self.x[kept], y=self.y[kept])


def ensemble(
    quantities: Sequence[str], x: Array, statistics: Sequence[str], raw: Array
) -> Ensemble:
    """An ensemble from normal scores ``x`` (worlds, quantities) and transformed statistics ``raw``
    (worlds, statistics). Statistics that are the same in all worlds, or not finite in one, are left
    out: they say nothing of parameters. Raises ValueError where no statistic is left.
    """
    finite = np.isfinite(raw).all(0)
    spread = np.where(finite, np.nan_to_num(raw).std(0, ddof=1), 0.0)
    kept = finite & (spread > LEAST_SD)
    if not kept.any():
        raise ValueError("no statistic differs between the worlds")
    raw, spread = raw[:, kept], spread[kept]
    middle = raw.mean(0)
    names = tuple(name for name, keep in zip(statistics, kept, strict=True) if keep)
    return Ensemble(tuple(quantities), names, x, (raw - middle) / spread, middle, spread)
