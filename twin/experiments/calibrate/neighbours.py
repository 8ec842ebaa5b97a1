"""A second opinion on a posterior: regression-adjusted approximate Bayesian computation.

    s(y)   for each quantity a ridge regression on the statistics and their squares: its prediction
           is the summary that counts, taken out of fold for the worlds that taught it
    near   the worlds whose summaries lie nearest to the observed one
    x_i' = m(s(d)) + (x_i - m_i(s(y_i))),   m the regression of x on s among them, m_i without i

It assumes less of the shape than the smoother, and needs more worlds. Where the two differ, neither
is to be trusted.

Source: Beaumont, Zhang and Balding (2002), Genetics 162; summaries as in Fearnhead and Prangle
(2012), J. R. Statist. Soc. B 74.
"""

from __future__ import annotations

import numpy as np

from twin.experiments.calibrate import regression
from twin.experiments.calibrate.ensemble import Array, Ensemble

SHARE = 0.5
"""Of the worlds, the nearest are kept."""
LEAST = 20
"""Kept at least, or the regression among them has too few."""


def _features(y: Array) -> Array:
    """Statistics and their squares, bounded: few worlds lie far out, and squares would follow
    them."""
    kept = np.clip(y, -4.0, 4.0)
    return np.concatenate([kept, kept**2 - 1.0], axis=-1)


def posterior(worlds: Ensemble, observed: Array, noise: Array, seed: int) -> Array:
    """Draws of the posterior, as many as there are worlds, in normal scores; arguments as of
    `twin.experiments.calibrate.smoother.posterior`."""
    rng = np.random.default_rng(seed)
    # worlds are observed with the noise that the platform is observed with
    noisy = worlds.y + rng.standard_normal(worlds.y.shape) * np.sqrt(noise)
    found = regression.fit(_features(noisy), worlds.x)
    summaries, target = found.left, found.at(_features(observed))
    # a summary that tells nothing must not choose who is near
    told = np.maximum(summaries.std(0) / found.error, 1e-3)
    scaled = (summaries - target) / np.maximum(summaries.std(0), 1e-9) * told / told.max()
    distance = np.sqrt((scaled**2).sum(1))
    kept = np.argsort(distance, kind="stable")[: max(LEAST, round(SHARE * len(worlds)))]
    near = regression.fit(summaries[kept], worlds.x[kept])
    draws = near.at(target) + (worlds.x[kept] - near.left)
    # as many as there are worlds, each of the near ones equally often
    return np.asarray(draws[np.resize(rng.permutation(len(kept)), len(worlds))])
