"""Means over replicates, their intervals, and one-sided tests of them.

From values v_1 .. v_n

    effect = mean v        interval = effect +- t(n - 1, level) sd(v) / sqrt(n)

A rank correlation r of n pairs is a mean on Fisher's scale, z = atanh r, with standard error
sqrt(1.06 / (n - 3)) and the normal law (Fieller, Hartley & Pearson 1957).
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import stdtr, stdtrit
from scipy.stats import rankdata

from twin.experiments import effects

LEVEL = effects.LEVEL
ALPHA = 1 - LEVEL
"""Of every test: two one-sided ones at this level are a 90 % interval."""
NORMAL = 1e9
"""Degrees of freedom that are as good as endless."""
Array = NDArray[np.float64]


class Interval(NamedTuple):
    """A mean over replicates and the ends of its confidence interval."""

    effect: float
    low: float
    high: float


class Mean(NamedTuple):
    """An estimate, its standard error and degrees of freedom; NaN where they are not known."""

    value: float
    error: float
    freedom: float

    def interval(self, level: float = LEVEL) -> Interval:
        """The estimate and the ends of its interval."""
        half = float(stdtrit(self.freedom, (1 + level) / 2)) * self.error
        return Interval(self.value, self.value - half, self.value + half)

    def above(self, bound: float) -> float:
        """One-sided p of "not above ``bound``"; NaN without a standard error."""
        if not math.isfinite(self.error):
            return math.nan
        if self.error == 0:
            return float(self.value <= bound)
        return float(stdtr(self.freedom, (bound - self.value) / self.error))

    def below(self, bound: float) -> float:
        """One-sided p of "not below ``bound``"."""
        return Mean(-self.value, self.error, self.freedom).above(-bound)

    def within(self, low: float, high: float) -> float:
        """p of two one-sided tests: below `ALPHA` where the 90 % interval lies within the
        bounds."""
        return max(self.above(low), self.below(high))

    def other_than_zero(self) -> float:
        """Two-sided p."""
        return min(1.0, 2 * min(self.above(0.0), self.below(0.0)))


def mean_of(values: ArrayLike) -> Mean:
    """The mean of values (n,); its error is NaN for fewer than two values or where one is NaN."""
    v = np.asarray(values, np.float64)
    if len(v) < 2 or not np.isfinite(v).all():
        return Mean(float(v.mean()) if len(v) else math.nan, math.nan, math.nan)
    # Equal values: rounding must not make an error of them.
    error = 0.0 if np.ptp(v) == 0 else float(v.std(ddof=1) / math.sqrt(len(v)))
    return Mean(float(v.mean()), error, len(v) - 1.0)


def interval(values: ArrayLike, level: float = LEVEL) -> Interval:
    """Mean of values (replicates,) and its interval. The ends are NaN for fewer than two values,
    and equal to the mean where all values are equal."""
    # A world that failed is NaN: the claim stays open rather than rest on the other worlds.
    return mean_of(values).interval(level)


def beyond(control: ArrayLike, main: ArrayLike, factor: float) -> Mean:
    """The mean of ``control`` less ``factor`` times the mean of ``main``.

    As many values of both are pairs. Otherwise both errors count (Welch), and one value of ``main``
    is a number without an error.
    """
    c, m = np.asarray(control, np.float64), np.asarray(main, np.float64)
    if len(c) == len(m):
        return mean_of(c - factor * m)
    left, right = mean_of(c), mean_of(m)
    error = abs(factor) * right.error if len(m) > 1 else 0.0
    squares = left.error**2, error**2
    freedom = left.freedom
    if squares[1] > 0:
        shares = squares[0] ** 2 / left.freedom + squares[1] ** 2 / right.freedom
        freedom = sum(squares) ** 2 / shares
    return Mean(left.value - factor * right.value, math.sqrt(sum(squares)), freedom)


def fisher(x: ArrayLike, y: ArrayLike) -> Mean:
    """The rank correlation of two series (n,) on Fisher's scale; NaN for fewer than five pairs or a
    constant series."""
    a, b = np.asarray(x, np.float64), np.asarray(y, np.float64)
    known = len(a) >= 5 and np.isfinite(a).all() and np.isfinite(b).all()
    if not known or np.ptp(a) == 0 or np.ptp(b) == 0:
        return Mean(math.nan, math.nan, math.nan)
    r = float(np.corrcoef(rankdata(a), rankdata(b))[0, 1])
    # Perfect agreement has no finite z.
    z = math.atanh(max(-1 + 1e-9, min(1 - 1e-9, r)))
    return Mean(z, math.sqrt(1.06 / (len(a) - 3)), NORMAL)


def slope(doses: ArrayLike, values: ArrayLike) -> Array:
    """Least-squares slopes over standardised doses: (doses,), (doses, replicates) ->
    (replicates,)."""
    x = np.asarray(doses, np.float64)
    x = (x - x.mean()) / x.std()
    y = np.asarray(values, np.float64)
    # Less the first value, so that an outcome that does not move has slope zero to the bit.
    return np.asarray(x @ (y - y[0]) / len(x), np.float64)
