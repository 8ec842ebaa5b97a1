"""Sums and means over the rows of groups that are made of arms.

Rows are summed by arm, in the order of rows, and arms by group: one pass over the rows serves all
groups.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from twin.world.arms import members

Floats = NDArray[np.float64]


class Group:
    """The arms of a table's rows, who is there, and the groups that arms make up (`twin.world.arms`).

    ``arm`` int (rows,), ``here`` bool (rows,), ``arms`` how many arms there are.
    """

    def __init__(self, arm: NDArray[np.integer], here: NDArray[np.bool_], arms: int) -> None:
        self.arm, self.here, self.arms = arm, here, arms
        self.members = members(arms)
        self._there, self._weight = self.members.any(axis=1), self.members.astype(np.float64)

    def joined(self, by_arm: NDArray[np.generic]) -> Floats:
        """Sums by arm (arms, ...) as sums by group, float64 (ARMS, ...); NaN where there is no such
        group."""
        # einsum, whose order of summing is fixed
        made: Floats = np.einsum("ga,a...->g...", self._weight, by_arm.astype(np.float64))
        made[~self._there] = np.nan
        return made

    def by_arm(self, values: NDArray[np.generic], who: NDArray[np.bool_]) -> Floats:
        """Sums over the rows ``who`` of values (rows,) or (rows, L): float64 (arms, 1 or L)."""
        width = int(np.prod(values.shape[1:], dtype=int))
        columns = values[who].reshape(int(who.sum()), width).T
        arm = self.arm[who]
        cells = [np.bincount(arm, weights=column, minlength=self.arms) for column in columns]
        return np.stack(cells, axis=1)

    def sums(self, values: NDArray[np.generic], who: NDArray[np.bool_]) -> Floats:
        """Sums over the rows ``who`` of values (rows,) or (rows, L): float64 (1 or L, ARMS)."""
        return self.joined(self.by_arm(values, who)).T

    def count(self, who: NDArray[np.bool_]) -> Floats:
        """How many of ``who`` are in each group, float64 (ARMS,)."""
        return self.joined(np.bincount(self.arm[who], minlength=self.arms))

    def means(self, values: NDArray[np.generic], here: NDArray[np.bool_]) -> tuple[Floats, Floats]:
        """Means over the rows that have a value, and standard deviations between them (divided by
        n - 1), each float64 (1 or L, ARMS); NaN of nobody, and the latter of a single row."""
        width = int(np.prod(values.shape[1:], dtype=int))
        plain = np.asarray(values, np.float64).reshape(len(values), width)
        mean, sd = np.empty((2, plain.shape[1], len(self.members)))
        for place, column in enumerate(plain.T):
            who = here & np.isfinite(column)
            n = self.count(who)
            mean[place] = self.sums(column, who)[0] / self.positive(n)
            # from about the middle: squares of what is far from 0 would lose their last digits
            middle = column[who].mean() if who.any() else 0.0
            off, square = (self.sums((column - middle) ** k, who)[0] for k in (1, 2))
            apart = (square - off**2 / self.positive(n)) / self.positive(n - 1)
            sd[place] = np.sqrt(np.maximum(apart, 0))
        return mean, sd

    @staticmethod
    def positive(count: Floats) -> Floats:
        """Counts to divide by: NaN for 0."""
        return np.where(count > 0, count, np.nan)


def spread(mean: Floats, square: Floats) -> Floats:
    """Standard deviations from means and means of squares."""
    # rounding may leave a little less than nothing; NaN stays
    return np.sqrt(np.maximum(square - mean**2, 0))
