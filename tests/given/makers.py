"""Creators who are followed over days, and what they feel."""

import numpy as np

from twin.kernels import learn as kernel
from twin.kernels.follows import Follows


def followed(*lists):
    """A follow graph: whom person 0, 1, ... follows."""
    start = np.concatenate([[0], np.cumsum([len(each) for each in lists])]).astype(np.int32)
    return Follows(
        start,
        np.array([j for each in lists for j in each], np.int16),
        *(np.zeros(0, np.int32),) * 4,
    )


def panel(rng, makers, posts, slope, fade=1.0, day=50):
    """Sums of a panel: levels differ, strategies and errors vary (errors more for some), strategies
    drift; the raw data too."""
    maker = np.sort(rng.integers(0, makers, posts))[rng.permutation(posts)]
    level, spread = rng.normal(0, 2, makers), rng.uniform(0.3, 1.5, makers)
    x = 0.3 + 0.2 * level[maker, None] / 4 + 0.1 * rng.normal(size=(posts, 3))
    y = level[maker] + x @ slope + spread[maker] * rng.normal(size=posts)
    window, second = np.zeros((makers, 5), np.float32), np.zeros((2, kernel.PAIRS))
    fourth, count = np.zeros((2, kernel.PAIRS, kernel.PAIRS)), np.zeros(2)
    kind = np.zeros(makers, bool)
    for first in range(0, posts, day):
        part = slice(first, first + day)
        window[:, 0] *= np.float32(fade)
        second, fourth, count = second * fade, fourth * fade**2, count * fade
        kernel.gather(maker[part], kind, y[part], x[part], window, second, fourth, count)
    return (maker, x, y), (second[0], fourth[0], float(count[0]))


def feel(mechanism, rows, reach):
    """A day of reach."""
    mechanism.learning._feel(rows, np.asarray(reach, float))
