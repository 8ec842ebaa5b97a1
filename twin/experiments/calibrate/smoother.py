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
"""

from __future__ import annotations

import numpy as np

from twin.experiments.calibrate import regression
from twin.experiments.calibrate.ensemble import Array, Ensemble


def posterior(worlds: Ensemble, observed: Array, noise: Array, seed: int) -> Array:
    """Draws of the posterior, as many as there are worlds (worlds, quantities), in normal scores.

    ``observed`` (statistics,) on the scale of ``worlds.y``; ``noise`` (statistics,) the variance
    there of what was observed beyond that of a world of this size, which the statistics of worlds
    are given too.
    """
    luck = np.random.default_rng(seed).standard_normal(worlds.y.shape)
    found = regression.fit(worlds.y + luck * np.sqrt(noise), worlds.x)
    return np.asarray(found.at(observed) + (worlds.x - found.left))
