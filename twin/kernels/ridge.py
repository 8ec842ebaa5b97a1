"""Ridge regression with forgetting, by which AI creators predict engagement.

    A <- gamma A + sum_i w_i x_i x_i' ,  b <- gamma b + sum_i w_i y_i x_i ,  beta = (A + ridge D)^-1
                                         b

D is the identity but for the intercept (feature 0), which is all but free. Before any data beta is
0. Sums run in the order of rows, which does not depend on threads.
"""

from __future__ import annotations

import math

import numpy as np

from twin.ground.compiled import kernel

FREE = 1e-9
"""Penalty of the intercept, and the least pivot of the decomposition."""


@kernel
def accumulate(memory, x, y, weight, gram, moment):
    """Forget a little, then add rows x (n, f) with outcomes y and weights; gram (f, f) lower
    triangle and moment (f,) in place."""
    n, f = x.shape
    # lower triangle alone: the matrix is symmetric, and `solve` reads nothing else
    for i in range(f):
        moment[i] *= memory
        for j in range(i + 1):
            gram[i, j] *= memory
    for r in range(n):
        for i in range(f):
            wx = weight[r] * x[r, i]
            moment[i] += wx * y[r]
            for j in range(i + 1):
                gram[i, j] += wx * x[r, j]


@kernel
def solve(gram, moment, ridge):
    """Coefficients beta (f,) by Cholesky's decomposition of the lower triangle plus the penalty."""
    f = len(moment)
    low, beta = np.zeros((f, f)), np.empty(f)
    for i in range(f):
        for j in range(i + 1):
            s = gram[i, j]
            if i == j:
                s += FREE if i == 0 else ridge
            for k in range(j):
                s -= low[i, k] * low[j, k]
            # a pivot is held above 0, where rounding or dependent features could bring it
            low[i, j] = math.sqrt(max(s, FREE * FREE)) if i == j else s / low[j, j]
    # forward substitution, then backward
    for i in range(f):
        s = moment[i]
        for k in range(i):
            s -= low[i, k] * beta[k]
        beta[i] = s / low[i, i]
    for i in range(f - 1, -1, -1):
        s = beta[i]
        for k in range(i + 1, f):
            s -= low[k, i] * beta[k]
        beta[i] = s / low[i, i]
    return beta


@kernel
def predict(x, beta):
    """x (n, f) times beta, summed in order."""
    out = np.zeros(len(x))
    for r in range(len(x)):
        for i in range(len(beta)):
            out[r] += x[r, i] * beta[i]
    return out
