"""By what a branch differs from the world as it is, per metric, and how sure that is.

Every replicate r gives a pair (y_r with the policy, x_r without) of means over a window; the two
shared their luck up to the fork and, as far as the policy does not touch it, after it.

    d_r = y_r - x_r        effect = mean d        95 % interval: effect +- t(n - 1) sd(d) / sqrt(n)
    size = effect / sqrt((var x + var y) / 2)     in standard deviations from run to run
    gain = (var x + var y) / var d                so many times the runs would be as sure without
                                                  pairing
    unpaired = t(f) sqrt((var x + var y) / n)     half the width of the interval from as many
                                                  independent runs (Welch; f his degrees of
                                                  freedom), so unpaired / (t(n - 1) sd(d) / sqrt n)
                                                  is how much narrower pairing made it

p is that of the paired t-test; q corrects it for the many metrics of a branch by Benjamini and
Hochberg (1995), whose false discovery rate holds for positively dependent tests, as metrics of one
world are. Where all d_r are equal the interval has no width, and where neither side varies from run
to run, any effect is infinitely many standard deviations.
"""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri, stdtr, stdtrit

from twin.ground.later import stats

LEVEL = 0.95
"""Of every interval; what has q below 1 - LEVEL is established."""
POWER = 0.8
"""Chance with which an effect that counts should be shown."""
ESTABLISHED, SUGGESTIVE, NOISE = "established", "suggestive", "not distinguishable from noise"
STANDINGS = (ESTABLISHED, SUGGESTIVE, NOISE)
Array = NDArray[np.float64]


@dataclass(frozen=True)
class Effects:
    """Effects of one branch; every array is (...,): one number per series, or per bin and series.

    ``n`` pairs with a reading on both sides; what needs more pairs than there are is NaN.
    """

    base: Array
    value: Array
    effect: Array
    low: Array
    high: Array
    size: Array
    correlation: Array
    gain: Array
    p: Array
    n: NDArray[np.int64]
    unpaired: Array

    @property
    def narrower(self) -> Array:
        """How many times wider the interval of as many independent runs is; NaN where the pairs are
        equal."""
        with np.errstate(all="ignore"):
            return np.asarray(
                np.where(self.high > self.low, 2 * self.unpaired / (self.high - self.low), np.nan),
                np.float64,
            )

    @property
    def runs_saved(self) -> Array:
        """Independent runs that would be as sure, less the 2 n that were made; below zero where
        branches go against each other."""
        return 2 * self.n * (self.gain - 1)


def paired(y: Array, x: Array, level: float = LEVEL) -> Effects:
    """Effects from pairs: ``y`` with the policy and ``x`` without, (replicates, ...). NaN is no
    reading; its pair does not count."""
    both = np.isfinite(y) & np.isfinite(x)
    y, x = np.where(both, y, np.nan), np.where(both, x, np.nan)
    n = both.sum(0)
    with np.errstate(all="ignore"), warnings.catch_warnings():
        # means of nothing are NaN, as they should be
        warnings.simplefilter("ignore", RuntimeWarning)
        d = y - x
        effect = np.nanmean(d, 0)
        # exactly equal differences: rounding must not make an interval of them
        same = np.nanmax(d, 0) == np.nanmin(d, 0)
        spread = np.where(same & (n > 1), 0.0, np.nanstd(d, 0, ddof=1))
        half = stdtrit(n - 1, (1 + level) / 2) * spread / np.sqrt(n)
        of_x, of_y = np.nanvar(x, 0, ddof=1), np.nanvar(y, 0, ddof=1)
        pooled = np.sqrt((of_x + of_y) / 2)
        t = effect / (spread / np.sqrt(n))
        # without any difference t is 0 / 0: no evidence; with equal ones it is infinite: certain
        p = np.where(effect == 0, 1.0, np.where(spread == 0, 0.0, 2 * stdtr(n - 1, -np.abs(t))))
        # Welch's degrees of freedom, with n runs on both sides
        freedom = (n - 1) * (of_x + of_y) ** 2 / (of_x**2 + of_y**2)
        unpaired = np.where(
            of_x + of_y > 0,
            stdtrit(freedom, (1 + level) / 2) * np.sqrt((of_x + of_y) / n),
            # zero where nothing varies, NaN where a variance is not known
            0 * of_x,
        )
        covariance = np.nansum((x - np.nanmean(x, 0)) * (y - np.nanmean(y, 0)), 0) / (n - 1)
        return Effects(
            base=np.nanmean(x, 0),
            value=np.nanmean(y, 0),
            effect=effect,
            low=effect - half,
            high=effect + half,
            # not 0 / 0 where nothing differs and nothing varies
            size=np.where(effect == 0, 0.0, effect / pooled),
            correlation=covariance / np.sqrt(of_x * of_y),
            gain=(of_x + of_y) / spread**2,
            p=np.where(n > 1, p, np.nan),
            n=n,
            unpaired=unpaired,
        )


def discoveries(p: Array) -> Array:
    """q values: p corrected for many tests (Benjamini-Hochberg); NaN where p is."""
    q = np.full(p.shape, np.nan)
    known = np.isfinite(p)
    if known.any():
        q[known] = stats().false_discovery_control(p[known])
    return q


def holm(p: Array) -> Array:
    """p corrected so that no more than 5 % of families have any false rejection (Holm 1979); NaN
    where p is, and such tests are no part of the family."""
    corrected = np.full(p.shape, np.nan)
    known = np.flatnonzero(np.isfinite(p))
    order = known[np.argsort(p[known], kind="stable")]
    # The smallest of k is taken k times, the next k - 1 times; none falls below one before it.
    times = p[order] * np.arange(len(order), 0, -1)
    corrected[order] = np.minimum(np.maximum.accumulate(times), 1)
    return corrected


def established(q: float) -> bool:
    """Whether a difference with this q is distinguishable from noise; False where q is NaN."""
    return bool(q < 1 - LEVEL)


def standing(q: float, low: float, high: float) -> str:
    """How sure a difference is, in the one wording of all reports: `ESTABLISHED`, `SUGGESTIVE`
    (its own interval clears zero, and so many were looked at that this is no proof), or `NOISE`."""
    return _standing(q, low > 0 or high < 0)


def standing_of_test(q: float, p: float) -> str:
    """The same of what has a test and no interval: suggestive where its own ``p`` is small."""
    return _standing(q, p < 1 - LEVEL)


def _standing(q: float, alone: bool) -> str:
    if established(q):
        return ESTABLISHED
    return SUGGESTIVE if alone else NOISE


def smallest(low: float, high: float, n: int) -> float:
    """The smallest effect that as many worlds would show with `POWER`, from the interval of a
    series: (t(.975) + t(.80)) s / sqrt(n); NaN where that is not known."""
    if n < 2:
        return math.nan
    error = (high - low) / 2 / float(stdtrit(n - 1, (1 + LEVEL) / 2))
    return error * float(stdtrit(n - 1, (1 + LEVEL) / 2) + stdtrit(n - 1, POWER))


def smallest_correlation(n: int) -> float:
    """The smallest rank correlation that n points would show with `POWER`, after Fisher's z with
    the variance of Fieller, Hartley and Pearson (1957):

        tanh((z(.975) + z(.80)) sqrt(1.06 / (n - 3)))

    NaN below five points."""
    if n < 5:
        return math.nan
    reach = float(ndtri((1 + LEVEL) / 2) + ndtri(POWER))
    return math.tanh(reach * math.sqrt(1.06 / (n - 3)))


def more_worlds(effect: float, low: float, high: float, n: int, tests: int = 1) -> float:
    """How many more worlds would establish an effect of the size found, with `POWER`, safely among
    so many ``tests`` (Bonferroni, which q never asks more than): the fewest m of

        (t(1 - (1 - LEVEL) / 2 tests) + t(POWER)) s / sqrt(m) <= |effect|    t at m - 1 degrees

    Infinite for no effect, NaN where the spread is not known."""
    if n < 2 or not math.isfinite(high - low):
        return math.nan
    if effect == 0:
        return math.inf
    spread = (high - low) / 2 / float(stdtrit(n - 1, (1 + LEVEL) / 2)) * math.sqrt(n)
    m = float(n)
    # the quantiles hardly move with m beyond a few: this settles in some steps
    for _ in range(50):
        reach = float(stdtrit(m - 1, 1 - (1 - LEVEL) / 2 / tests) + stdtrit(m - 1, POWER))
        m = max(3.0, (m + (reach * spread / effect) ** 2) / 2)
    return float(max(0, math.ceil(m - 1e-6) - n))


def window_means(times: NDArray[np.int64], values: Array, begin: int, end: int) -> Array:
    """Means of the readings with begin < time <= end: (..., readings, series) -> (..., series); NaN
    where there is none."""
    inside = values[..., (times > begin) & (times <= end), :]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        return np.asarray(np.nanmean(inside, -2), np.float64)


def appears(low: Array, high: Array) -> NDArray[np.int64]:
    """First bin from which on the interval lies on one side of zero to the end; -1 where it does
    not at the end.

    (bins, series) -> (series,).
    """
    first = np.full(low.shape[1:], -1, np.int64)
    # NaN counts as not clear: a bin without an interval ends the stretch
    for clear in (np.nan_to_num(low, nan=-1.0) > 0, np.nan_to_num(high, nan=1.0) < 0):
        # accumulated backwards: true where this bin and all later ones are clear
        lasting = np.logical_and.accumulate(clear[::-1], 0)[::-1]
        first = np.where(lasting.any(0), lasting.argmax(0), first)
    return first
