"""Ridge regression of quantities on statistics, with its errors out of fold in closed form.

    x^ = mean + (y - middle) W,   W of the penalty whose error on worlds left out is least

The prediction of a world by all others is x_i - (x_i - x^_i) / (1 - h_i) with h_i its leverage, so
every penalty is tried on all worlds at the price of one decomposition (Allen 1974, PRESS): that of
the features' products with each other, X'X = A S A'. Along its axes, T = X A, a prediction is
T (S + penalty)^-1 T' x, which divides by no small number as long as there is a penalty.
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
    mean square of how far off that is; ``penalty`` (quantities,). The decomposition of the
    features less their middle: ``axes`` (features, features), ``along`` (worlds, features) where
    the worlds lie on them, ``spread`` (features,) the squares summed along each."""

    weights: Array
    middle: Array
    mean: Array
    left: Array
    error: Array
    penalty: Array
    axes: Array
    along: Array
    spread: Array

    def at(self, features: Array) -> Array:
        """Predictions for features (..., features)."""
        return np.asarray(self.mean + (features - self.middle) @ self.weights)

    def hat(self, penalty: float) -> Array:
        """How much each world's value pulls each world's prediction (worlds, worlds)."""
        pull = self.along / (self.spread + penalty)
        return np.asarray(pull @ self.along.T + 1.0 / len(self.along))

    def leverage(self, penalty: float) -> Array:
        """How much each world's value pulls its own prediction (worlds,)."""
        return leverage(self.along, self.spread, penalty)

    def alone(self, features: Array) -> Array:
        """How far from the worlds some features (features,) lie, by quantity (quantities,): the
        leverage that they would have, over what a world of the bank has on the line of all others.
        About 1 where there are as many worlds around as around a typical one."""
        squares = ((features - self.middle) @ self.axes) ** 2
        made = np.empty(len(self.penalty))
        for penalty in np.unique(self.penalty):
            own = self.leverage(float(penalty))
            there = 1.0 / len(self.along) + (squares / (self.spread + penalty)).sum()
            made[self.penalty == penalty] = there / (own / np.maximum(1.0 - own, 1e-6)).mean()
        return made


def leverage(along: Array, spread: Array, penalty: ArrayLike) -> Array:
    """The diagonal of the hat matrix of a decomposition (worlds,), or one for each of several
    penalties (worlds, penalties)."""
    shrunk = (1.0 / (spread + np.asarray(penalty)[..., None])).T
    return np.asarray(along**2 @ shrunk + 1.0 / len(along))


def fit(features: Array, x: Array) -> Fit:
    """The regression of ``x`` (worlds, quantities) on ``features`` (worlds, features)."""
    middle, mean = features.mean(0), x.mean(0)
    centred = features - middle
    spread, axes = np.linalg.eigh(centred.T @ centred)
    # what no world moves along has a spread of zero, give or take the last digit
    spread, along = np.maximum(spread, 0.0), centred @ axes
    told = along.T @ (x - mean)
    error = np.full(x.shape[1], np.inf)
    left = np.zeros_like(x)
    chosen = np.full(x.shape[1], PENALTIES[-1])
    for penalty, own in zip(PENALTIES, leverage(along, spread, PENALTIES).T, strict=True):
        fitted = mean + along @ (told / (spread + penalty)[:, None])
        # more features than worlds and hardly a penalty: the line goes through every point
        out = x - (x - fitted) / np.maximum(1.0 - own, 1e-6)[:, None]
        off = np.sqrt(((x - out) ** 2).mean(0))
        better = off < error
        error[better], left[:, better], chosen[better] = off[better], out[:, better], penalty
    weights = axes @ (told / (spread[:, None] + chosen))
    return Fit(weights, middle, mean, left, error, chosen, axes, along, spread)
