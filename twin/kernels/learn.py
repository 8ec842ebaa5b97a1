"""What creators learn from others, and estimates from settled posts of what pays.

Imitation. Creator i compares the mean reward of those whom it follows with its own, e_j = max(r_j -
r_i, 0), and moves a share of the way to what they do, weighted by their lead:

    z_i <- z_i + rate_i (sum_j e_j z_j / sum_j e_j - z_i)

and stays where it is if no one whom it follows earns more.

Incentives. The slope of y = log(1 + pay) on x = (arousal, comprehensiveness, |slant|) within
creators. Of each post, v = (y, x) is compared with the mean of the creator's earlier posts
(backward orthogonal deviations; Arellano & Bover 1995)

    v* = sqrt(W / (W + 1)) (v - mean of W earlier posts)

which takes the creator's own level out and leaves errors of equal variance that do not go together.
Least squares of y* on x* without an intercept is the fixed-effects estimator, beta = (sum x*
x*')^-1 sum x* y*, and needs no post that has gone. With weights w that fade by a share per day, its
variance that holds under unequal variances (White 1980) is, e* = y* - x* beta,

    A^-1 (sum w^2 e*^2 x* x*') A^-1 ,  A = sum w x* x*'

for which the sums of products of four of (y*, x*) are kept.
"""

from __future__ import annotations

import math

import numpy as np

from twin.ground.compiled import kernel

MANY = 4
WEIGHT, MEANS = 0, 1
"""Columns of ``window``: how much a creator's earlier posts weigh, and from which on their means
are."""
PAIRS = MANY * (MANY + 1) // 2
"""Products of two of (y, x1, x2, x3), upper triangle row by row."""


@kernel
def imitate(rows, person, start, target, reward, known, strategies, rate):
    """New strategies f8 (rows, K) after a day of learning from followed creators, all at once.

    ``person`` the consumer who is each creator (-1: none, who follows no one); ``start`` and
    ``target`` the follow graph in CSR form (-1: a follow that was dropped); ``reward`` f4 (C,) mean
    rewards, ``known`` bool (C,) creators with one who are active; ``strategies`` f4 (K, C);
    ``rate`` f8 (rows,), at most 1. Sums go in the order of the edges.
    """
    many = len(strategies)
    out, mean = np.empty((len(rows), many)), np.empty(many)
    for i in range(len(rows)):
        r = rows[i]
        p, whole = person[r], 0.0
        mean[:] = 0.0
        if known[r] and 0 <= p < len(start) - 1:
            for e in range(start[p], start[p + 1]):
                j = target[e]
                if j >= 0 and j != r and known[j] and reward[j] > reward[r]:
                    excess = np.float64(reward[j]) - np.float64(reward[r])
                    whole += excess
                    for k in range(many):
                        mean[k] += excess * strategies[k, j]
        for k in range(many):
            # old strategies are read and new ones returned: all learn at once
            z = np.float64(strategies[k, r])
            out[i, k] = z + rate[i] * (mean[k] / whole - z) if whole > 0 else z
    return out


@kernel
def gather(maker, kind, outcome, strategy, window, second, fourth, count):
    """Take settled posts, in order, into the sums of the incentive slopes (see the module).

    ``maker`` i8 (n,), ``kind`` bool (C,), ``outcome`` f8 (n,), ``strategy`` f8 (n, 3); in place
    ``window`` f4 (C, 5), weight and means of a creator's earlier posts, ``second`` f8 (2, PAIRS),
    ``fourth`` f8 (2, PAIRS, PAIRS), ``count`` f8 (2,) of posts compared.
    """
    v, u = np.empty(MANY), np.empty(PAIRS)
    for i in range(len(maker)):
        m, k = maker[i], int(kind[maker[i]])
        weight = np.float64(window[m, WEIGHT])
        v[0] = outcome[i]
        for a in range(MANY - 1):
            v[1 + a] = strategy[i, a]
        # v* against the mean of earlier posts, which then takes this post in
        for a in range(MANY):
            gap = v[a] - window[m, MEANS + a]
            window[m, MEANS + a] += gap / (weight + 1)
            v[a] = gap * math.sqrt(weight / (weight + 1))
        window[m, WEIGHT] = weight + 1
        if weight > 0:  # a first post has nothing to be compared with
            # products of two, and products of those, of which the robust variance is made
            place = 0
            for a in range(MANY):
                for b in range(a, MANY):
                    u[place] = v[a] * v[b]
                    place += 1
            count[k] += 1
            for a in range(PAIRS):
                second[k, a] += u[a]
                for b in range(PAIRS):
                    fourth[k, a, b] += u[a] * u[b]
