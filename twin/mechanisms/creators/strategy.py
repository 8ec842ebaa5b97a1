"""How strategies follow from what posts earned: the rule of the package's docstring. A class that
derives from `Creators` may have another one (`Creators.learn`).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from twin.ground.errors import StateError
from twin.mechanisms.creators.declared import STRATEGY

Floats = NDArray[np.float64]
NAMES = tuple(name for name, _, _ in STRATEGY)
"""What a strategy is made of, in the order of the columns of ``strategy`` and ``tried``."""


class Settled(NamedTuple):
    """A day on which posts of n creators settled, m posts in all, the earlier post first."""

    creator: NDArray[np.int64]  # (n,) rows of the table, rising
    ai: NDArray[np.bool_]  # (n,)
    strategy: Floats  # (n, 4) where each creator stands: the columns of NAMES
    rate: Floats  # (n,) learning rate times the creator's own responsiveness
    sigma: Floats  # (n,) how far a post strays from its creator's strategy, 1 sd
    by: NDArray[np.int64]  # (m,) whose the post is: 0..n-1
    tried: Floats  # (m, 4) how far the post strayed, in sd
    reward: Floats  # (m,) log(1 + pay) - effort
    baseline: Floats  # (m,) moving mean of its creator's rewards until yesterday

    def mean(self, values: Floats) -> Floats:
        """Means over each creator's posts (n,) of what the posts have (m,)."""
        count = np.bincount(self.by, minlength=len(self.creator))
        found: Floats = np.bincount(self.by, weights=values, minlength=len(count)) / count
        return found


def reinforce(day: Settled) -> Floats:
    """Strategies (n, 4) after a day of REINFORCE."""
    surprise = day.reward - day.baseline
    return np.stack(
        [
            # mean((r - baseline) eps)
            learned(
                day.strategy[:, k],
                day.rate,
                day.sigma,
                day.mean(surprise * day.tried[:, k]),
                (low, high),
            )
            for k, (_, low, high) in enumerate(STRATEGY)
        ],
        axis=1,
    )


def learned(
    z: NDArray[np.floating], rate: Floats, sigma: Floats, score: Floats, bounds: tuple[float, float]
) -> Floats:
    """Strategies (n,) after a day: a step of rate x sigma x score, within ``bounds``.

    ``score`` is the mean of surprise x noise (in sd) over the posts settled that day. No step is
    longer than sigma: what posts that were tried around z say of pay holds about as far as they
    went (a trust region; Schulman et al. 2015).
    """
    step = np.clip(rate * score, -1.0, 1.0) * sigma
    moved: Floats = np.clip(z + step, *bounds)
    return moved


def usable(found: object, day: Settled, title: str) -> Floats:
    """What a rule gave, which may be that of a class ``title`` of the user's own. Raises
    StateError."""
    made: Floats = np.asarray(found)
    if made.shape == day.strategy.shape and np.isfinite(made).all():
        return made
    what = "NaN or infinity" if made.shape == day.strategy.shape else f"shape {made.shape}"
    raise StateError(
        f"learn of {title} gave {what}, not a number for each of {day.strategy.shape}: creators "
        f"with settled posts, parts of a strategy"
    )
