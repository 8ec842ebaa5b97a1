"""Ridge regression of quantities on statistics, with its errors out of fold in closed form.

    x^ = mean + (y - middle) W,   W of the penalty whose error on worlds left out is least

The prediction of a world by all others is x_i - (x_i - x^_i) / (1 - h_i) with h_i its leverage, so
every penalty is tried on all worlds at the price of one decomposition (Allen 1974, PRESS).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from twin.experiments.calibrate.ensemble import Array

PENALTIES = np.geomspace(0.01, 10_000.0, 25)
"""Tried for each quantity; the largest takes it for not told by any statistic."""


@dataclass(frozen=True)
class Fit:
    """``weights`` (features, quantities), ``middle`` (features,), ``mean`` (quantities,); ``left``
    (worlds, quantities) what all other worlds say of each, and ``error`` (quantities,) the root
    mean square of how far off that is; ``penalty`` (quantities,), and ``u`` (worlds, k), ``d``
    (k,), ``vt`` (k, features) the decomposition of the features less their middle."""

    weights: Array
    middle: Array
    mean: Array
    left: Array
    error: Array
    penalty: Array
    u: Array
    d: Array
    vt: Array

    def at(self, features: Array) -> Array:
        """Predictions for features (..., features)."""
        return np.asarray(self.mean + (features - self.middle) @ self.weights)

    def hat(self, penalty: float) -> Array:
        """How much each world's value pulls each world's prediction (worlds, worlds)."""
        shrunk = self.d**2 / (self.d**2 + penalty)
        return np.asarray((self.u * shrunk) @ self.u.T + 1.0 / len(self.u))

    def leverage(self, penalty: float) -> Array:
        """How much each world's value pulls its own prediction (worlds,)."""
        return leverage(self.u, self.d, penalty)

    def alone(self, features: Array) -> Array:
        """How far from the worlds some features (features,) lie, by quantity (quantities,): the
        leverage that they would have, over what a world of the bank has on the line of all others.
        About 1 where there are as many worlds around as around a typical one."""
        along = (features - self.middle) @ self.vt.T
        made = np.empty(len(self.penalty))
        for penalty in np.unique(self.penalty):
            own = self.leverage(float(penalty))
            there = 1.0 / len(self.u) + (along**2 / (self.d**2 + penalty)).sum()
            made[self.penalty == penalty] = there / (own / np.maximum(1.0 - own, 1e-6)).mean()
        return made


def leverage(u: Array, d: Array, penalty: ArrayLike) -> Array:
    """The diagonal of the hat matrix of a decomposition (worlds,), or one for each of several
    penalties (worlds, penalties)."""
    shrunk = (d**2 / (d**2 + np.asarray(penalty)[..., None])).T
    return np.asarray(u**2 @ shrunk + 1.0 / len(u))


def fit(features: Array, x: Array) -> Fit:
    """The regression of ``x`` (worlds, quantities) on ``features`` (worlds, features)."""
    middle, mean = features.mean(0), x.mean(0)
    u, d, vt = np.linalg.svd(features - middle, full_matrices=False)
    told = u.T @ (x - mean)
    error = np.full(x.shape[1], np.inf)
    left = np.zeros_like(x)
    chosen = np.full(x.shape[1], PENALTIES[-1])
    for penalty, own in zip(PENALTIES, leverage(u, d, PENALTIES).T, strict=True):
        fitted = mean + u @ ((d**2 / (d**2 + penalty))[:, None] * told)
        # more features than worlds and hardly a penalty: the line goes through every point
        out = x - (x - fitted) / np.maximum(1.0 - own, 1e-6)[:, None]
        off = np.sqrt(((x - out) ** 2).mean(0))
        better = off < error
        error[better], left[:, better], chosen[better] = off[better], out[:, better], penalty
    weights = vt.T @ (d[:, None] / (d[:, None] ** 2 + chosen) * told)
    return Fit(weights, middle, mean, left, error, chosen, u, d, vt)
