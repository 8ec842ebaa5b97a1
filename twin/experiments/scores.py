"""Proper scores of a forecast of one number; less is better, zero is perfect.

With y the result, l and u the ends of a central interval that misses y with probability alpha, m
the median, and x_1 <= ... <= x_M the members of an ensemble:

    interval   (u - l) + (2 / alpha) max(l - y, 0) + (2 / alpha) max(y - u, 0)
               Gneiting & Raftery 2007 (10.1198/016214506000001437)
    weighted   (|m - y| / 2 + sum over K intervals of (alpha / 2) interval) / (K + 1/2)
               Bracher et al. 2021 (10.1371/journal.pcbi.1008618)
    crps       mean |x - y| - mean |x - x'| / 2 over all pairs, which from sorted members is
               mean |x - y| - sum (2 i - M - 1) x_i / M^2

Written out here, and held to `scoringrules` 0.10 by a test: importing that library beside numba
compiles for 5 seconds in each process, and its weighted score in numpy takes the median itself for
the median's distance from the result.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]


def interval(lower: ArrayLike, upper: ArrayLike, alpha: ArrayLike, y: ArrayLike) -> Floats:
    """Scores of intervals; all shapes broadcast."""
    low, high, result = (np.asarray(each, np.float64) for each in (lower, upper, y))
    missed = np.maximum(low - result, 0) + np.maximum(result - high, 0)
    return np.asarray(high - low + 2 / np.asarray(alpha, np.float64) * missed)


def weighted(
    median: ArrayLike, lower: ArrayLike, upper: ArrayLike, alpha: ArrayLike, y: ArrayLike
) -> Floats:
    """Scores (...) of medians (...) and intervals (..., K) at ``alpha`` (K,) for results (...)."""
    result, level = np.asarray(y, np.float64), np.asarray(alpha, np.float64)
    intervals = (level / 2 * interval(lower, upper, level, result[..., None])).sum(-1)
    total = np.abs(np.asarray(median, np.float64) - result) / 2 + intervals
    return np.asarray(total / (len(level) + 0.5))


def crps(members: ArrayLike, y: ArrayLike) -> Floats:
    """Scores (...) of ensembles (..., M) for results (...); NaN where a member is."""
    ordered, result = np.sort(np.asarray(members, np.float64), -1), np.asarray(y, np.float64)
    many = ordered.shape[-1]
    ranks = 2 * np.arange(1, many + 1) - many - 1
    near = np.abs(ordered - result[..., None]).mean(-1)
    return np.asarray(near - (ranks * ordered).sum(-1) / many**2)
