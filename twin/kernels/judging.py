"""How well predictions foretold what happened: AUC by mid-ranks (Mann & Whitney 1947), log loss,
calibration.

A holdout is judged on a memory: random slots are few, so those of the last days are judged
together, at most `MOST` of them.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from twin.ground.compiled import kernel

Array = Any
MOST = 2**20
"""Impressions of random slots that are remembered at most, the newest: an AUC of so many is known
to .001."""


@kernel
def losses(p, truth):
    """Log loss of every prediction, float64 (n,)."""
    out = np.empty(len(p))
    for i in range(len(p)):
        # a certain prediction that fails would cost infinity
        q = min(max(np.float64(p[i]), 1e-7), 1 - 1e-7)
        out[i] = -math.log(q) if truth[i] else -math.log1p(-q)
    return out


@kernel
def judge_groups(order, p, truth, group, groups, loss):
    """Per group of impressions: AUC by mid-ranks (NaN where a class is missing), sum of log loss,
    sum of p, positives, number.

    ``order`` sorts p upwards; ``group`` of an impression, -1 for none; ``loss`` is what `losses`
    gives. Returns (groups, 5).
    """
    out = np.zeros((groups, 5))
    above, positives_tied, tied = np.zeros(groups), np.zeros(groups), np.zeros(groups)
    below = np.zeros(groups)  # impressions of the group with a smaller p
    i, n = 0, len(order)
    # runs of equal p, from the lowest: all impressions of a run have its middle rank
    while i < n:
        j = i
        while j < n and p[order[j]] == p[order[i]]:
            g = group[order[j]]
            if g >= 0:
                tied[g] += 1
                if truth[order[j]]:
                    positives_tied[g] += 1
            j += 1
        # a group's part of the run is settled at its first impression there, and then cleared
        for m in range(i, j):
            g = group[order[m]]
            if g >= 0 and tied[g] > 0:
                above[g] += positives_tied[g] * (below[g] + 0.5 * (tied[g] + 1))
                below[g] += tied[g]
                tied[g] = positives_tied[g] = 0
        i = j
    for i in range(n):
        g = group[i]
        if g >= 0:
            q = min(max(np.float64(p[i]), 1e-7), 1 - 1e-7)
            out[g, 1] += loss[i]
            out[g, 2] += q
            out[g, 3] += truth[i]
            out[g, 4] += 1
    for g in range(groups):
        # the ranks of positives, less what they would add up to if all positives came lowest
        good, bad = out[g, 3], out[g, 4] - out[g, 3]
        out[g, 0] = (
            (above[g] - good * (good + 1) / 2) / (good * bad) if good > 0 and bad > 0 else np.nan
        )
    return out


def judge(
    p: Array,
    truth: Array,
    group: Array,
    groups: int,
    order: Array | None = None,
    each: Array | None = None,
) -> Array:
    """AUC, log loss (nats per impression) and calibration (mean prediction over mean outcome),
    float64 (3, groups); NaN where a group lacks one of the outcomes. ``p`` f4 (n,), ``truth`` bool
    (n,), ``group`` as for `judge_groups`."""
    order = np.argsort(p) if order is None else order
    each = losses(p, truth) if each is None else each
    auc, loss, mean, good, n = judge_groups(order, p, truth, group, groups, each).T
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(np.isfinite(auc), np.stack([auc, loss / n, mean / good]), np.nan)


def judge_all(p: Array, truth: Array) -> Array:
    """`judge` of all together, float64 (3,)."""
    scores: Array = judge(p, truth, np.zeros(len(p), np.int64), 1)[:, 0]
    return scores
