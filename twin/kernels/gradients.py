"""Gradients of one sample in the vectors, biases and logits of the model (see
`twin.kernels.training`)."""

from __future__ import annotations

import numpy as np

from twin.ground.compiled import inner
from twin.kernels.lanes import dot8
from twin.kernels.maths import sigmoid32
from twin.kernels.side import fill


@inner
def gradients(i, b, tables, samples, dense, batch, row):
    """Process sample i of the log, number b of its batch; scratch: row (D,)."""
    u, v, z, e = batch.consumer.vector, batch.item.vector, batch.z, batch.e
    W, transposed, factors = dense.W, batch.transposed, batch.factors
    dim, zero, one = u.shape[1], np.float32(0), np.float32(1)
    for k in range(dim):
        u[b, k] = v[b, k] = zero
    bu = _vector(tables.consumer.E, samples.consumer, i, u, factors.consumer, b)
    bv = _vector(tables.post.E, samples.post, i, v, factors.post, b)
    bv += _vector(tables.creator.E, samples.creator, i, v, factors.creator, b)
    wide = len(dense.S)
    # before the product of the vectors: P adds to the item's
    if wide:
        _side(i, b, samples, dense, batch)
    for k in range(dim):
        row[k] = u[b, k] * v[b, k]
    for k in range(dim):  # a loop of its own: z is written column by column
        z[k, b] = row[k]
    z[dim, b], z[dim + 1, b] = bu, bv
    # over the first D rows of W, into e[b], whose memory ``error`` shares
    dot8(row, 0, W, 0, batch.error, 8 * b)
    gu = gv = zero
    for h in range(8):
        logit = e[b, h] + (dense.c[h] + (W[dim, h] * bu + W[dim + 1, h] * bv))
        if wide:
            logit += batch.lift[8 * b + h]
        # derivative of the cross-entropy in the logit
        e[b, h] = sigmoid32(logit) - (one if samples.responses[i] >> h & 1 else zero)
    # gradients of the two biases
    for h in range(8):
        gu += e[b, h] * W[dim, h]
        gv += e[b, h] * W[dim + 1, h]
    batch.consumer.bias[b], batch.item.bias[b] = gu, gv
    # Written out for speed: eight heads in a tree of sums, so that the loop over k packs.
    e0, e1, e2, e3 = e[b, 0], e[b, 1], e[b, 2], e[b, 3]
    e4, e5, e6, e7 = e[b, 4], e[b, 5], e[b, 6], e[b, 7]
    for k in range(dim):
        row[k] = (
            (transposed[0, k] * e0 + transposed[1, k] * e1)
            + (transposed[2, k] * e2 + transposed[3, k] * e3)
        ) + (
            (transposed[4, k] * e4 + transposed[5, k] * e5)
            + (transposed[6, k] * e6 + transposed[7, k] * e7)
        )
    for k in range(dim):  # the vectors are not needed any more: their gradients take their place
        x = u[b, k]
        u[b, k] = row[k] * v[b, k]
        v[b, k] = row[k] * x
    batch.consumer.square[b], batch.item.square[b] = square_of(u, b), square_of(v, b)


@inner
def _vector(E, places, i, out, factor, b):
    """Add the vector of an ID, the i-th of its `Places`, to out[b]; returns its bias. Rows that
    multiply are kept in ``factor``."""
    dim, one = out.shape[1], places.first[i]
    two = places.second[i] if len(places.second) else np.int32(-1)
    if one < 0:
        return np.float32(0)
    if two < 0:
        for k in range(dim):
            out[b, k] += E[one, k]
        return E[one, dim]
    if places.multiplies:
        for k in range(dim):
            factor[b, 0, k], factor[b, 1, k] = E[one, k], E[two, k]
            out[b, k] += E[one, k] * E[two, k]
    else:
        for k in range(dim):
            out[b, k] += E[one, k] + E[two, k]
    return E[one, dim] + E[two, dim]


@inner
def _side(i, b, samples, dense, batch):
    """Add what is known of sample i beside its IDs to the item's vector, and write its log-odds by
    head to ``lift``."""
    side, v, z, P, dim = batch.side, batch.item.vector, batch.z, dense.P, batch.item.vector.shape[1]
    fill(samples.reading, samples.place[i], samples.tally[i], samples.mask, side, b)
    for j in range(len(P)):
        x = side[b, j]
        for k in range(dim):
            v[b, k] += x * P[j, k]
    # kept for the gradients of S and P
    for j in range(side.shape[1]):
        z[dim + 3 + j, b] = side[b, j]
    dot8(side, b, dense.S, 0, batch.lift, 8 * b)


@inner
def square_of(g, b):
    """Squared length of g[b], in four sums side by side: one sum would wait for itself."""
    dim = g.shape[1]
    a0 = a1 = a2 = a3 = np.float32(0)
    for k in range(0, dim - 3, 4):
        a0 += g[b, k] * g[b, k]
        a1 += g[b, k + 1] * g[b, k + 1]
        a2 += g[b, k + 2] * g[b, k + 2]
        a3 += g[b, k + 3] * g[b, k + 3]
    square = (a0 + a1) + (a2 + a3)
    # what is left over of the fours
    for k in range(dim - dim % 4, dim):
        square += g[b, k] * g[b, k]
    return square
