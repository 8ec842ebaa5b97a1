"""Few published effects and more parameters: weighted least squares with a prior, and designs that
change all parameters at once.

Parameters theta have prior means m and sds t; effect k has the published value y_k with standard
deviation s_k, and the twin's f_k(theta). The fit minimises

    sum over k of ((y_k - f_k(theta)) / s_k)^2 + sum over i of ((theta_i - m_i) / t_i)^2

within bounds, which is the mode of the posterior for normal errors. With the derivatives J = df /
dtheta, each Gauss-Newton step solves the linearised problem (`step`), and the posterior's
covariance is (J' W J + T^-1)^-1, W = diag s^-2, T = diag t^2. A parameter whose posterior sd is
about its prior sd was not identified: the effects do not depend on it.

Derivatives of answers that only worlds give come from a two-level design. Rows of a Hadamard matrix
set every parameter one prior sd up or down at once, and the contrast of a parameter is half the
mean difference between both levels. All R runs inform every parameter: the variance of a slope is
1/R of that of a run (in units of the step). Differences one parameter at a time have twice that of
a run. Main effects do not mix with each other, but interactions of two parameters mix into them
(resolution III: Plackett & Burman, Biometrika 33:305, 1946).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import hadamard

from twin.ground.errors import UsageError

Floats = NDArray[np.float64]


class Prior(NamedTuple):
    """Means and sds of the parameters, and the bounds that each may not leave; all (P,)."""

    mean: Floats
    sd: Floats
    low: Floats
    high: Floats


class Posterior(NamedTuple):
    """Mode and sd (P,)."""

    mean: Floats
    sd: Floats


def step(prior: Prior, at: Floats, residual: Floats, slopes: Floats, sd: Floats) -> Posterior:
    """One Gauss-Newton step from ``at``: residual y - f(at) (K,), slopes (K, P), sd of the effects
    (K,)."""
    # Effects in units of their sd, so that all count alike.
    weighted = slopes / sd[:, None]
    precision = weighted.T @ weighted + np.diag(prior.sd**-2)
    # normal equations for theta itself, not for the step: y - f(at) + J at, and the prior's mean
    right = weighted.T @ (residual / sd + weighted @ at) + prior.mean / prior.sd**2
    mean = np.linalg.solve(precision, right)
    return Posterior(
        np.clip(mean, prior.low, prior.high), np.sqrt(np.diag(np.linalg.inv(precision)))
    )


def misfit(prior: Prior, at: Floats, residual: Floats, sd: Floats) -> float:
    """The quantity that the fit minimises."""
    return float(((residual / sd) ** 2).sum() + (((at - prior.mean) / prior.sd) ** 2).sum())


def design(parameters: int) -> NDArray[np.int64]:
    """Levels -1 and +1 (R, P), R the least power of two above P; columns are orthogonal and each
    sums to 0. Raises UsageError."""
    if parameters < 1:
        raise UsageError("nothing to fit: give one parameter at least")
    # Hadamard matrices exist for all powers of two; the first column is the mean.
    runs = 1 << parameters.bit_length()
    return np.asarray(hadamard(runs)[:, 1 : parameters + 1], np.int64)


def contrasts(levels: NDArray[np.int64], values: Floats, width: Floats) -> tuple[Floats, Floats]:
    """Slopes (K, P) and their standard errors (K, P) of effects ``values`` (R, K) in parameters
    that were moved by ``levels`` (R, P) times ``width`` (P,).

    The errors come from the residual beside the main effects (infinite where no run is left for
    it).
    """
    runs, parameters = levels.shape
    # columns are orthogonal and +-1, so least squares is a mean with signs
    slopes = levels.T @ values / runs
    rest = values - values.mean(0) - levels @ slopes
    # Degrees of freedom left beside the mean and the main effects.
    free = runs - parameters - 1
    spread = (
        np.sqrt((rest**2).sum(0) / free / runs) if free > 0 else np.full(values.shape[1], np.inf)
    )
    return (slopes / width[:, None]).T, spread[:, None] / width[None, :]
