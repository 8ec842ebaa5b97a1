"""Adagrad: how a batch's gradients move embeddings, row by row, and dense weights, element by
element (see `twin.kernels.training`)."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from twin.ground.compiled import inner
from twin.kernels.gradients import square_of
from twin.kernels.lanes import dot8

Array = Any
NEIGHBOURS = 4
"""Rows whose numbers differ in the last so many bits alone are moved by one thread: several lie in
one line of memory."""
EPS = np.float32(1e-6)


class Share(NamedTuple):
    """One part of all rows and weights, which one thread moves, and its scratch."""

    part: int
    parts: int  # a power of 2
    row: Array  # f4 (1, D)


@inner
def move(share, first, size, tables, samples, dense, batch, rates):
    """Move a `Share` of all rows, by their numbers, and of the dense weights by the batch of
    ``size`` samples from ``first`` on."""
    factors, consumer, item = batch.factors, batch.consumer, batch.item
    # every thread goes through all samples and moves only rows of its own: log order, and no locks
    for b in range(size):
        i = first + b
        _move(tables.consumer, samples.consumer, i, consumer, factors.consumer, b, share, rates)
        _move(tables.post, samples.post, i, item, factors.post, b, share, rates)
        _move(tables.creator, samples.creator, i, item, factors.creator, b, share, rates)
    _dense(share, size, dense, batch, rates)


@inner
def _move(table, places, i, gradient, factor, b, share, rates):
    """Move the rows of one ID, the i-th of its `Places`, that belong to a share; b is the sample's
    number in the batch."""
    one, g, row = places.first[i], gradient.vector, share.row
    if not len(places.second):
        if _belongs(one, share):
            _step(table, one, g, b, gradient.square[b], gradient.bias[b], rates)
        return
    two = places.second[i]
    for which in range(2):
        mine = two if which else one
        if not _belongs(mine, share):
            continue
        if places.multiplies and two >= 0:
            for k in range(g.shape[1]):  # the derivative of a product is the other row
                row[0, k] = g[b, k] * factor[b, 1 - which, k]
            _step(table, mine, row, 0, square_of(row, 0), gradient.bias[b], rates)
        else:
            _step(table, mine, g, b, gradient.square[b], gradient.bias[b], rates)


@inner
def _belongs(row, share):
    """Whether a row (-1: none) is one of a share's."""
    return row >= 0 and ((row >> NEIGHBOURS) & (share.parts - 1)) == share.part


@inner
def _step(table, row, g, b, square, gb, rates):
    """Row-wise Adagrad on one row: gradient g[b] (D,) of that squared length, and gb of the
    bias."""
    E, G, dim, lr, l2 = table.E, table.G, g.shape[1], rates.embedding, rates.l2
    G[row, 0] += square / np.float32(dim)
    rate = lr / np.float32(math.sqrt(G[row, 0]) + EPS)
    # L2 joins the step and does not enter the accumulator
    keep = np.float32(1) - rate * l2
    for k in range(dim):
        E[row, k] = E[row, k] * keep - rate * g[b, k]
    G[row, 1] += gb * gb
    rate = lr / np.float32(math.sqrt(G[row, 1]) + EPS)
    E[row, dim] = E[row, dim] * (np.float32(1) - rate * l2) - rate * gb


@inner
def _dense(share, size, dense, batch, rates):
    """Adagrad on a share of the dense weights, by a batch of ``size`` samples."""
    lr, lr_side, part, parts = rates.dense, rates.signals, share.part, share.parts
    W, GW, z, total = dense.W, dense.GW, batch.z, batch.total
    rows, read = len(W) + 1 + len(dense.S), len(dense.P)
    # a stretch of P, then one of W, c and S together: no two threads write the same element
    for j in range(part * read // parts, (part + 1) * read // parts):
        _project(j, size, dense, batch, lr_side, share.row)
    for k in range(part * rows // parts, (part + 1) * rows // parts):
        # gradient of row k by head, summed over the batch
        dot8(z, k, batch.e, 0, total, 8 * k)
        for h in range(8):  # rows of z: those of W, then ones for c, then the signals for S
            g = total[8 * k + h]
            if k < len(W):
                GW[k, h] += g * g
                W[k, h] -= lr * g / np.float32(math.sqrt(GW[k, h]) + EPS)
                # `gradients` reads this copy in the next batch
                batch.transposed[h, k] = W[k, h]
            elif k > len(W):
                j = k - len(W) - 1
                dense.GS[j, h] += g * g
                dense.S[j, h] -= lr_side * g / np.float32(math.sqrt(dense.GS[j, h]) + EPS)
            else:
                dense.Gc[h] += g * g
                dense.c[h] -= lr * g / np.float32(math.sqrt(dense.Gc[h]) + EPS)


@inner
def _project(j, size, dense, batch, lr, row):
    """Adagrad on P[j] by the gradients of the items' vectors; scratch: row (1, D)."""
    P, GP, v, z, dim = dense.P, dense.GP, batch.item.vector, batch.z, batch.item.vector.shape[1]
    for k in range(dim):
        row[0, k] = np.float32(0)
    for b in range(size):
        # s of the sample: in z it lies behind u * v, the two biases and the ones
        x = z[dim + 3 + j, b]
        for k in range(dim):
            row[0, k] += x * v[b, k]
    for k in range(dim):
        g = row[0, k]
        GP[j, k] += g * g
        P[j, k] -= lr * g / np.float32(math.sqrt(GP[j, k]) + EPS)
