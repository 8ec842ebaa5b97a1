"""What the rows of a group give together: how many different posts were shown, and how diverse
what was opened is.

Different posts grow with impressions, so both groups of a pair are read at the same number m of
them, that of the smaller group: the expected number of different posts among m impressions drawn
without replacement from the N of a group,

    sum over posts i of 1 - C(N - n_i, m) / C(N, m)          rarefaction, Hurlbert, Ecology 1971

with n_i impressions of post i. Diversity is Shannon's entropy over communities, in nats.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy.special import entr, gammaln

from twin.world.arms import PAIRS

Floats = NDArray[np.float64]


def rarefied(counts: Floats, m: float) -> float:
    """Expected number of different posts among m impressions drawn from ``counts`` by post; m at
    most their sum."""
    seen, posts = np.unique(counts[counts > 0], return_counts=True)
    n = float(counts.sum())
    # ln C(n - k, m) - ln C(n, m), where n - k impressions are enough to leave the post out
    rest = n - seen
    can = rest >= m
    logs = np.full(len(seen), -math.inf)
    logs[can] = (gammaln(rest[can] + 1) - gammaln(rest[can] - m + 1)) - (
        gammaln(n + 1) - gammaln(n - m + 1)
    )
    return float((posts * -np.expm1(logs)).sum())


def distinct(shown: Floats) -> Floats:
    """Different posts shown to each group at equal impressions of its pair, float64 (ARMS,), from
    impressions by group and post (ARMS, posts). NaN for everybody, who are no pair, and where
    either group saw nothing."""
    made = np.full(len(shown), np.nan)
    total = shown.sum(axis=1)
    for place in range(len(PAIRS)):
        pair = [1 + 2 * place, 2 + 2 * place]
        m = float(total[pair].min())
        # NaN where there is no such pair
        if m > 0:
            made[pair] = [rarefied(shown[group], m) for group in pair]
    return made


def entropy(counts: NDArray[np.floating]) -> Floats:
    """Shannon's entropy in nats over the last axis; NaN of nothing."""
    total = counts.sum(axis=-1, keepdims=True, dtype=np.float64)
    share = counts / np.where(total > 0, total, np.nan)
    found: Floats = entr(share).sum(axis=-1)
    return found
