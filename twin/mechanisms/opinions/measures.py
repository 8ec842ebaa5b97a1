"""Indices of a distribution of opinions on -1..1.

Polarisation is the index of Esteban & Ray (Econometrica 1994) over 20 bins with shares p and
midpoints y, scaled so that two equal camps in the outermost bins have 1 and one camp has 0:

    c sum_ij p_i^(1+a) p_j |y_i - y_j|, a = 1.6

Bimodality is Sarle's coefficient (SAS/STAT; Pfister et al., Frontiers in Psychology 4:700, 2013) in
its population form,

    b = (skewness^2 + 1) / kurtosis       1/3 for a normal law, 5/9 for a uniform one, 1 (the most)
                                          for two points

and clusters are counted as in studies of bounded confidence: a gap of more than GAP separates two
of them, and only those with SHARE of the people or more count.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from twin.mechanisms.opinions.declared import BINS

Floats = NDArray[np.float64]
GAP, SHARE = 0.02, 0.02
"""Least gap between two clusters of opinion (1 % of the axis), and least share of people in one that
counts."""


def histogram(x: Floats) -> Floats:
    """People by opinion, float64 (BINS,)."""
    place = np.clip(((x + 1) / 2 * BINS).astype(int), 0, BINS - 1)
    counts: Floats = np.bincount(place, minlength=BINS).astype(float)
    return counts


def between(x: Floats, community: NDArray[np.integer]) -> float:
    """Variance of the communities' mean opinions, weighted by people; 0 of nobody."""
    if not len(x):
        return 0.0
    # an empty community has a mean of 0 and no weight
    size = np.maximum(np.bincount(community, minlength=1), 1e-12)
    mean = np.bincount(community, weights=x, minlength=1) / size
    return float((size * (mean - x.mean()) ** 2).sum() / len(x))


def polarisation(counts: Floats, alpha: float = 1.6) -> float:
    """Esteban-Ray index of a histogram over -1..1, 0..1 (see the module's equation)."""
    total = counts.sum()
    if total == 0:
        return 0.0
    share = counts / total
    # distances on 0..1, so that the outermost bins are 1 apart
    middle = np.arange(len(counts)) / (len(counts) - 1)
    apart = np.abs(middle[:, None] - middle[None, :])
    # two equal camps at distance 1 have 2^-(1 + alpha): the last factor makes it 1
    return float((share[:, None] ** (1 + alpha) * share[None, :] * apart).sum() * 2 ** (1 + alpha))


def bimodality(x: Floats) -> float:
    """Sarle's bimodality coefficient, 0..1; 0 where all agree."""
    apart = x - x.mean() if len(x) else x
    square = apart**2
    variance = float(square.mean()) if len(x) else 0.0
    # below this, rounding alone would decide both moments
    if variance < 1e-12:
        return 0.0
    skewness, kurtosis = (
        float((square * apart).mean()) / variance**1.5,
        float((square**2).mean()) / variance**2,
    )
    return float((skewness**2 + 1) / kurtosis)


def clusters(x: Floats) -> int:
    """Groups of at least SHARE of the people after cutting the sorted opinions at every gap above
    GAP."""
    if len(x) == 0:
        return 0
    ordered = np.sort(x)
    cuts = np.flatnonzero(np.diff(ordered) > GAP) + 1
    size = np.diff(np.concatenate([[0], cuts, [len(x)]]))
    return int((size >= SHARE * len(x)).sum())
