"""Reward models from comparisons: pooled, per person, and the shrinkage between them, learned
online.

Bradley-Terry with features phi and a person's own weights (reward factorisation: Barreto et al.,
arXiv 2503.17338):

    P(y preferred to y' by u) = sigmoid(<phi(y) - phi(y'), v_u>),    v_u = w + d_u,    d_u ~ N(0, spread^2 I)

spread 0 is one pooled model, a large spread one model per person, anything between shrinks people
towards the pool by what is known of them. Inference is assumed-density filtering with diagonal
Gaussians, one Newton step per comparison, the Laplace approximation of Chapelle & Li (NIPS 2011,
algorithm 3) carried over to two levels. Per person and feature two numbers are held, the natural
parameters of the person's own likelihood: precision l and pull h (their own estimate alone would be
h / l). With c = 1 / (1 + spread^2 l), the pool is what remains when d_u is integrated out,

    A = 1 / prior_sd^2 + sum_u c l        B = sum_u c h        w = B / A        d_u = spread^2 c (h
                                          - l w)

and a comparison x = phi(y) - phi(y') moves, with p = sigmoid(<x, v_u>), R = A - c l and Q = l + R /
(1 + spread^2 R) (the precision of v_u given all comparisons),

    t = (1 - p) / (1 + p (1 - p) sum_k x_k^2 / Q_k)        v_u <- v_u + x t / Q        (one Newton
                                                           step, Sherman-Morrison)
    l <- l + p (1 - p) x^2                                 h <- h + x t + p (1 - p) x^2 v_u

At spread 0 this is Chapelle & Li's update of one model for all consumers. A factor ``weight`` on a
comparison's log likelihood says how much a comparison is worth that was inferred and not stated.
Everything is sequential: the same comparisons in the same order give the same bits.

Arrays: ``pull`` and ``precision`` f4 (people, M), ``total`` f8 (2, K): A and B. Features M..K-1 are
pooled for all consumers. What people left behind stays in the pool when their rows are given to others
and zeroed.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from twin.ground.compiled import inlined, inner, kernel

Array = Any


def pool(features: int, prior_sd: float) -> Array:
    """``total`` before any comparison: float64 (2, features)."""
    total = np.zeros((2, features))
    total[0] = 1.0 / prior_sd**2
    return total


@kernel
def margin(u, x, pull, precision, total, spread, share):
    """Reward difference <x, w + share d_u> of two answers whose features differ by ``x`` (K,), as
    person ``u`` (-1: no one)."""
    z, s2 = 0.0, spread * spread
    for k in range(len(x)):
        w = total[1, k] / total[0, k]
        if u >= 0 and k < pull.shape[1]:
            h, known = np.float64(pull[u, k]), np.float64(precision[u, k])
            w += share * s2 * (h - known * w) / (1.0 + s2 * known)
        z += x[k] * w
    return z


@inlined
def _believed(h, known, s2, a, b):
    """Posterior mean and precision of one weight v_u, from all comparisons of all consumers."""
    shrink, w = 1.0 / (1.0 + s2 * known), b / a
    rest = a - known * shrink
    return w + s2 * shrink * (h - known * w), known + rest / (1.0 + s2 * rest)


@inner
def update(u, x, pull, precision, total, spread, weight):
    """Learn that ``u`` preferred the answer whose features exceed the other's by ``x`` (K,).

    ``u`` = -1: somebody who is not remembered; the pool learns as much as from a new person's first
    comparison.
    """
    own = pull.shape[1]
    # first <x, v_u>, and the sum of x^2 / Q that Sherman-Morrison needs, over all features
    z, reach = 0.0, 0.0
    for k in range(len(x)):
        s2 = spread * spread if k < own else 0.0
        h, known = (
            (np.float64(pull[u, k]), np.float64(precision[u, k]))
            if u >= 0 and k < own
            else (0.0, 0.0)
        )
        v, q = _believed(h, known, s2, total[0, k], total[1, k])
        z += x[k] * v
        reach += x[k] * x[k] / q
    # exp overflows beyond 709
    p = 1.0 / (1.0 + math.exp(-z)) if z > -700.0 else 0.0
    bend = weight * p * (1.0 - p)
    t = weight * (1.0 - p) / (1.0 + bend * reach)
    # then each feature, which writes its own numbers alone: those of the next are as they were
    for k in range(len(x)):
        if x[k] == 0.0:
            continue
        s2 = spread * spread if k < own else 0.0
        stored = u >= 0 and k < own
        h, known = (np.float64(pull[u, k]), np.float64(precision[u, k])) if stored else (0.0, 0.0)
        v, q = _believed(h, known, s2, total[0, k], total[1, k])
        gained = bend * x[k] * x[k]
        more, sure = h + x[k] * t + gained * (v + x[k] * t / q), known + gained
        if stored:
            pull[u, k], precision[u, k] = more, sure
            # as rounded to f4, so that the same numbers can be taken off the pool again
            more, sure = np.float64(pull[u, k]), np.float64(precision[u, k])
        # the pool loses the person's former part and gains the new one
        total[0, k] += sure / (1.0 + s2 * sure) - known / (1.0 + s2 * known)
        total[1, k] += more / (1.0 + s2 * sure) - h / (1.0 + s2 * known)


@kernel
def learn(people, x, pull, precision, total, spread, weight):
    """One pass over comparisons ``x`` (n, K), preferred minus other, each first predicted and then
    learned.

    Progressive validation: (number predicted rightly, with a half for a tie; sum of log losses in
    nats).
    """
    right, loss = 0.0, 0.0
    for i in range(len(people)):
        z = margin(people[i], x[i], pull, precision, total, spread, 1.0)
        right += 1.0 if z > 0.0 else (0.5 if z == 0.0 else 0.0)
        # log(1 + exp(-z)) in a form that cannot overflow
        loss += math.log1p(math.exp(-abs(z))) + max(-z, 0.0)
        update(people[i], x[i], pull, precision, total, spread, weight)
    return right, loss


def own(pull: Array, precision: Array, total: Array, spread: float) -> Array:
    """d_u of all consumers: float64 (people, M)."""
    s2 = spread * spread
    w = (total[1] / total[0])[: pull.shape[1]]
    known = precision.astype(np.float64)
    return s2 * (pull - known * w) / (1.0 + s2 * known)


@kernel
def comparisons(consumer, responses, place):
    """Pairs (clicked, skipped) of places in a log: every clicked impression against the nearest
    unclicked one of its session.

    A session is a run of rows of one consumer with rising ``place``; of two as near, the one shown
    earlier counts, which was seen for certain (skip above: Joachims et al., SIGIR 2005). Sessions
    without both kinds give none. Int64 (n,) each.
    """
    n = len(consumer)
    clicked, skipped = np.empty(n, np.int64), np.empty(n, np.int64)
    count, start = 0, 0
    while start < n:
        end = start + 1
        while end < n and consumer[end] == consumer[start] and place[end] > place[end - 1]:
            end += 1
        for i in range(start, end):
            if not responses[i] & 1:
                continue
            above, below = i - 1, i + 1
            while above >= start and responses[above] & 1:
                above -= 1
            while below < end and responses[below] & 1:
                below += 1
            # every impression of the session was clicked: none of them has a partner
            if above < start and below >= end:
                break
            near = above >= start and (
                below >= end or place[i] - place[above] <= place[below] - place[i]
            )
            clicked[count], skipped[count] = i, above if near else below
            count += 1
        start = end
    return clicked[:count], skipped[:count]
