"""The update of a calibration: one closed-form step of the ensemble smoother.

    x_i' = m(d) + (x_i - m_i(y_i))

for prior worlds i with quantities x_i and statistics y_i: m(d) is the best linear prediction of the
quantities from what was observed, m_i that prediction from all worlds but i. Every world gives one
draw of the posterior: the prediction, and the error that was made for an unseen world.

With many worlds this is the ensemble smoother, x_i' = x_i + C_xy C_yy^-1 (d - y_i) (van Leeuwen and
Evensen 1996, Monthly Weather Review 124). Worlds are few, and there the smoother is overconfident:
each world has drawn the line that its residual is measured from, and with 39 statistics of 60
worlds the line goes almost through them all. Errors out of fold mend that, and a penalty chosen out
of fold keeps statistics that say nothing from adding noise (`regression`).

Leaving a world i out as the truth, and then each j as a draw, is a refit without both. A ridge line
has it in closed form, with hat matrix H and residuals e = x - x^ (penalties as of all worlds):

    x_j - m_ij(y_j) = (h_ij e_i + (1 - h_ii) e_j) / ((1 - h_ii) (1 - h_jj) - h_ij^2)

so that all worlds are truths in turn at the price of one fit.
"""

from __future__ import annotations

import numpy as np

from twin.experiments.calibrate import regression
from twin.experiments.calibrate.coverage import Coverage
from twin.experiments.calibrate.ensemble import Array, Ensemble


def posterior(worlds: Ensemble, observed: Array, noise: Array, seed: int) -> Array:
    """Draws of the posterior, as many as there are worlds (worlds, quantities), in normal scores.

    ``observed`` (statistics,) on the scale of ``worlds.y``; ``noise`` (statistics,) the variance
    there of what was observed beyond that of a world of this size, which the statistics of worlds
    are given too.
    """
    luck = np.random.default_rng(seed).standard_normal(worlds.y.shape)
    return draws(worlds, regression.fit(worlds.y + luck * np.sqrt(noise), worlds.x), observed)


def draws(worlds: Ensemble, found: regression.Fit, observed: Array) -> Array:
    """The same by a regression that was made: predictions, and errors out of fold."""
    return np.asarray(found.at(observed) + (worlds.x - found.left))


def held_out(worlds: Ensemble, found: regression.Fit) -> Coverage:
    """Every world asked for from all others by their regression, as
    `twin.experiments.calibrate.coverage.held_out` does by refits."""
    many, quantities = worlds.x.shape
    ranks, sds = np.empty((many, quantities)), np.empty((many, quantities))
    others = ~np.eye(many, dtype=bool)
    for penalty in np.unique(found.penalty):
        hat = found.hat(float(penalty))
        free = 1.0 - np.diag(hat)
        scale = np.outer(free, free) - hat**2
        for place in np.flatnonzero(found.penalty == penalty):
            # truths in rows, draws in columns
            alone = worlds.x[:, place] - found.left[:, place]
            left = alone * free
            told = (hat * left[:, None] + free[:, None] * left) / np.maximum(scale, 1e-9)
            below = (told < alone[:, None]) & others
            ranks[:, place] = below.sum(1) / (many - 1)
            spread = np.where(others, told, np.nan)
            sds[:, place] = np.nanstd(spread, axis=1, ddof=1)
    prior = worlds.x.std(0, ddof=1)
    # what is the same in all worlds has no width to compare with
    prior[prior == 0] = np.nan
    return Coverage(worlds.quantities, ranks, np.median(sds, axis=0) / prior, found.error / prior)
