"""The score of a side: what a change does to creators, and to consumers, as one number each per
world.

With x_rm and y_rm the means of outcome m in world r without and with the change, s_m the standard
deviation of x_rm over worlds (one degree of freedom less than worlds) and o_m the way that is good
for the side,

    score_r = mean over m of  o_m (y_rm - x_rm) / s_m

over the outcomes that count: known in every world that was compared, and different from world to
world. Which outcomes a side has is in `engineering.OUTCOMES`; equal weights are a choice, and tables
show every part.

    T^2 = n m' S^-1 m,   T^2 (n - k) / (k (n - 1)) ~ F(k, n - k)        Hotelling (1931): k scores,
                         n worlds, mean m, covariance S

A score that is exactly zero in every world was not tested and is left out of T^2; where S has no
inverse, p is the least p of the scores by themselves (Student's t), times their number
(Bonferroni).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import fdtrc

from twin.experiments import effects
from twin.experiments.audit.engineering import OUTCOMES
from twin.record.watch import Rows
from twin.world.metric import label_text

Array = NDArray[np.float64]
Places = NDArray[np.int64]


@dataclass(frozen=True)
class Score:
    """What something does to one side: effect and interval in standard deviations from world to
    world."""

    effect: float
    low: float
    high: float

    @property
    def sign(self) -> int:
        """Which side of zero the interval lies on; 0 if it covers it."""
        return 1 if self.low > 0 else -1 if self.high < 0 else 0


def places(side: str, rows: Rows) -> list[tuple[int, int]]:
    """Outcomes of a side that the world has: place among the series, and direction."""
    index = {(metric.name, label_text(labels)): i for i, (metric, labels) in enumerate(rows)}
    return [
        (index[name, labels], sign)
        for name, labels, sign in OUTCOMES[side]
        if (name, labels) in index
    ]


def counted(
    x: Array, y: Array, side: str, rows: Rows, of: Places | None = None
) -> tuple[NDArray[np.bool_], Array]:
    """Which outcomes of the side count, and their standard deviations from world to world
    (outcomes,).

    ``x`` (worlds, series) without and ``y`` (runs, series) with; ``of`` (runs,) is the world of
    each run, by default its own place.
    """
    at = np.array([i for i, _ in places(side, rows)], np.int64)
    # a world that failed is NaN in all series; one that ran may lack readings of some
    alive = np.asarray(np.isfinite(x).any(1))
    # runs that ended, in worlds that ended too
    compared = np.asarray((alive if of is None else alive[of]) & np.isfinite(y).any(1))
    known = x[alive][:, at]
    scale = np.std(known, 0, ddof=1) if alive.sum() > 1 else np.zeros(len(at))
    # not by the sd, which rounding may make positive where all worlds are equal
    differs = np.ptp(known, 0) > 0 if alive.any() else np.zeros(len(at), bool)
    return np.isfinite(known).all(0) & np.isfinite(y[compared][:, at]).all(0) & differs, np.where(
        differs, scale, 0.0
    )


def scores(x: Array, y: Array, side: str, rows: Rows, of: Places | None = None) -> Array:
    """Scores of a side (runs,); NaN for a run that failed, and for all if no outcome counts.
    Arguments as of `counted`."""
    which, scale = counted(x, y, side, rows, of)
    found = [
        (i, sign) for (i, sign), counts in zip(places(side, rows), which, strict=True) if counts
    ]
    if not found:
        return np.full(len(y), np.nan)
    at, sign = [i for i, _ in found], np.array([s for _, s in found], float)
    base = x if of is None else x[of]
    return np.asarray((sign * (y[:, at] - base[:, at]) / scale[which]).mean(1))


def both(x: Array, y: Array, rows: Rows, of: Places | None = None) -> Array:
    """Scores of both sides (sides, runs), in the order of OUTCOMES. Arguments as of `counted`."""
    return np.array([scores(x, y, side, rows, of) for side in OUTCOMES])


def score(values: Array) -> Score:
    """Effect and interval of scores (worlds,)."""
    found = effects.paired(values[:, None], np.zeros((len(values), 1)))
    return (
        Score(float(found.effect[0]), float(found.low[0]), float(found.high[0]))
        if len(values)
        else Score(np.nan, np.nan, np.nan)
    )


def hotelling(scores: Array) -> float:
    """p that the mean of (variables, n) is zero; 1 where all is exactly zero; NaN where n is too
    small."""
    # exactly zero in every world: not tested
    tested = scores[scores.any(1)]
    variables, n = tested.shape
    # F has n - k degrees of freedom, and needs one at least
    if n < 2 or n <= variables:
        return float("nan")
    if not variables:
        return 1.0
    covariance, mean = np.atleast_2d(np.cov(tested)), tested.mean(1)
    # S has no inverse: each score by itself, and Bonferroni for their number
    if np.linalg.matrix_rank(covariance) < variables or (np.ptp(tested, 1) == 0).any():
        alone = effects.paired(tested.T, np.zeros((n, variables))).p
        return float(min(1.0, variables * alone.min()))
    t2 = n * mean @ np.linalg.solve(covariance, mean)
    return float(fdtrc(variables, n - variables, t2 * (n - variables) / (variables * (n - 1))))
