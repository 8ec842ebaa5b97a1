"""Summary statistics: Gini, top share, least squares from moments, and the number of rankings that
d dimensions can express."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def gini(values: NDArray[np.float64]) -> float:
    """Gini coefficient of non-negative values: 0 all equal, towards 1 all with one; 0 for nothing
    to share."""
    total, n = float(values.sum()), len(values)
    if n == 0 or total <= 0:
        return 0.0
    ordered = np.sort(values)
    # mean absolute difference over twice the mean, from sorted values in one sum
    return float(((2 * np.arange(1, n + 1) - n - 1) * ordered).sum() / (n * total))


def top_share(values: NDArray[np.float64], share: float) -> float:
    """Part of the total held by the top ``share`` of entries (at least one)."""
    total = float(values.sum())
    if len(values) == 0 or total <= 0:
        return 0.0
    return float(np.sort(values)[::-1][: max(1, round(share * len(values)))].sum() / total)


def least_squares(
    xx: NDArray[np.float64], xy: NDArray[np.float64], yy: float, n: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Ordinary least squares from the moments X'X (k, k), X'y (k,), y'y of n observations:
    coefficients and standard errors.

    NaN for a regressor that is zero throughout, and for all where they cannot be distinguished or n is
    too small. Moments of several samples may be added up.
    """
    beta, error = np.full(len(xy), np.nan), np.full(len(xy), np.nan)
    used = np.flatnonzero(np.diag(xx) > 0)
    free = n - len(used)
    if free <= 0 or not len(used):
        return beta, error
    # a diagonal of ones: the condition number must not depend on the units of the regressors
    scale = np.sqrt(np.diag(xx)[used])
    scaled = xx[np.ix_(used, used)] / np.outer(scale, scale)
    if np.linalg.cond(scaled) > 1e10:
        return beta, error
    beta[used] = np.linalg.solve(scaled, xy[used] / scale) / scale
    left = max(yy - float(beta[used] @ xy[used]), 0.0)
    error[used] = np.sqrt(left / free * np.diag(np.linalg.inv(scaled))) / scale
    return beta, error


def rankings(n: int, d: int) -> int:
    """How many full rankings of n items in general position in R^d dot products with a user vector
    can give (exact).

    Q(n, d) = Q(n - 1, d) + (n - 1) Q(n - 1, d - 1), Q(n, 1) = 2 for n > 1, Q(1, d) = 1 (Cover 1967;
    Good & Tideman 1977): n! where d >= n - 1, far fewer below (Ohsaka & Togashi, SIGIR 2023).
    """
    if n < 1 or d < 1:
        raise ValueError(f"rankings of {n} items in {d} dimensions: both must be at least 1")
    # of one item, by dimension; below[0] is of no dimension, where all items tie
    below = [1] * (d + 1)
    for items in range(2, n + 1):
        below = [1, 2, *(below[k] + (items - 1) * below[k - 1] for k in range(2, d + 1))]
    return below[d]
