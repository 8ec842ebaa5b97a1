"""Training of the multi-head model on a log, in log order.

    logit_h = c_h + sum_k W[k,h] u_k v_k + W[D,h] b_u + W[D+1,h] b_v + sum_j S[j,h] s_j
    v       = post vector + creator vector + sum_j P[j] s_j

where s is what is known of a post beside its IDs (`twin.kernels.side`): S weighs it for everybody,
by head; through P, which has no rows for the counts, a person's own vector meets it. Without
signals S and P have no rows, and neither term is there.

A vector is one row of its table, or is made of two (double hashing, quotient and remainder): their
sum, or their elementwise product (Shi et al. 2020), the bias always the sum. Both rows take the
gradient of what they are part of: g for a sum, g * the other row for a product.

Loss: binary cross-entropy summed over the eight heads, all trained on every examined impression,
plus L2 on touched rows. Training goes by batches of BATCH samples: all gradients of a batch are
taken at its start, then rows move by row-wise Adagrad (one accumulator for the vector, one for the
bias, as in large production tables), sample after sample in log order, and dense weights by
elementwise Adagrad on the batch's sum. So within a batch samples can be worked out, and rows be
moved, on any number of threads: the same log gives the same bits. Work is cut into units, taken in
turn by whichever thread is free; a unit begins when those of the phase before it are done.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from twin.ground.compiled import inner, kernel
from twin.ground.draws import words
from twin.kernels.lanes import announce, dot8, take_turn, wait_until
from twin.kernels.maths import sigmoid32
from twin.kernels.side import fill

Array = Any
HEADS = ("click", "long_view", "like", "comment", "reshare", "follow", "hide", "report")
BATCH = 256
"""Samples of a batch."""
NEIGHBOURS = 4
"""Rows whose numbers differ in the last so many bits alone are moved by one thread: several lie in
one line of memory."""
EPS = np.float32(1e-6)


class Embeddings(NamedTuple):
    """Tables of consumers, posts and creators: E (rows, D + 1), bias last, and Adagrad accumulators
    G (rows, 2) of each."""

    Eu: Array
    Gu: Array
    Ep: Array
    Gp: Array
    Ec: Array
    Gc: Array


class Samples(NamedTuple):
    """The log (n): rows in the tables, -1 for "no row" (read as zeros, never written), and
    responses."""

    user: Array  # i4
    post: Array  # i4
    creator: Array  # i4
    second: (
        Array  # i4 (n, 3): second rows, -1 for none; (0, 3) where all tables have one row per ID
    )
    product: Array  # bool (3,): whether a table multiplies its two rows
    responses: Array  # u2
    place: Array  # i4: rows of posts in ``reading``; (0,) without signals
    tally: (
        Array  # i4: the post's counts as they stood, see `twin.kernels.side`; (0,) without signals
    )
    reading: Array  # f4 (posts, READ)
    mask: Array  # f4 (F,): 1 for a signal that is used, else 0


class Dense(NamedTuple):
    """Dense weights with their accumulators."""

    W: Array  # f4 (D + 2, 8)
    GW: Array
    c: Array  # f4 (8,)
    Gc: Array
    S: Array  # f4 (F, 8); F is 0 without signals
    GS: Array
    P: Array  # f4 (READ, D); no rows without signals
    GP: Array


class Rates(NamedTuple):
    """Adagrad's rates of embeddings, of dense weights and of signals' weights, and L2 on touched
    rows."""

    embedding: float
    dense: float
    l2: float = 0.0
    signals: float = 0.02


class Batch(NamedTuple):
    """What is worked out of one batch (B samples), and where the threads are."""

    u: Array  # f4 (B, D): the consumer's vector, then the gradient of it
    v: Array  # f4 (B, D): the item's, likewise
    z: Array  # f4 (D + 3 + F, B): u * v, the two biases, ones, and s
    side: Array  # f4 (B, F): s, and (8,) what S makes of it
    lift: Array
    e: Array  # f4 (B, 8): predicted less observed
    error: Array  # f4 (8 B,): the same numbers
    bias: Array  # f4 (B, 2): gradients of the biases
    square: Array  # f4 (B, 2): squared lengths of the gradients in u and v
    factor: Array  # f4 (B, 6, D): the two rows of each table that multiplies; empty where none does
    transposed: Array  # f4 (8, D + 2): W
    total: Array  # f4 (8 (D + 3 + F),): gradient of the dense weights
    cut: tuple[
        int, int
    ]  # units into which a batch's samples, and then its rows and dense weights, are cut: no bit depends on them
    done: Array  # i8 (1,): units done
    turn: Array  # i8 (1,): the next unit


def empty_batch(dim: int, multiplies: bool, dense: Dense, threads: int = 1) -> Batch:
    """Room for the batches of one pass by so many threads."""
    parts = 1 << (threads - 1).bit_length()  # a power of 2
    cut = (1, 1) if threads == 1 else (2 * parts, parts)
    f4, wide = np.float32, len(dense.S)
    z, e = np.ones((dim + 3 + wide, BATCH), f4), np.empty((BATCH, 8), f4)
    return Batch(
        np.empty((BATCH, dim), f4),
        np.empty((BATCH, dim), f4),
        z,
        np.empty((BATCH, wide), f4),
        np.empty(8 * BATCH, f4),
        e,
        e.reshape(-1),
        np.empty((BATCH, 2), f4),
        np.empty((BATCH, 2), f4),
        np.empty((BATCH if multiplies else 0, 6, dim), f4),
        np.ascontiguousarray(dense.W.T),
        np.empty(8 * (dim + 3 + wide), f4),
        cut,
        np.zeros(1, np.int64),
        np.zeros(1, np.int64),
    )


@inner
def _vector(E, one, two, product, out, b, factor, place):
    """The vector of an ID with rows ``one`` and ``two`` (-1: none), added to out[b]; returns its
    bias. Rows that multiply are kept."""
    dim = out.shape[1]
    if one < 0:
        return np.float32(0)
    if two < 0:
        for k in range(dim):
            out[b, k] += E[one, k]
        return E[one, dim]
    if product:
        for k in range(dim):
            factor[b, place, k], factor[b, place + 1, k] = E[one, k], E[two, k]
            out[b, k] += E[one, k] * E[two, k]
    else:
        for k in range(dim):
            out[b, k] += E[one, k] + E[two, k]
    return E[one, dim] + E[two, dim]


@inner
def _rows(i, samples):
    """First and second rows of a sample: consumer, post, creator."""
    second = samples.second
    if len(second):
        return (
            samples.user[i],
            samples.post[i],
            samples.creator[i],
            second[i, 0],
            second[i, 1],
            second[i, 2],
        )
    return (
        samples.user[i],
        samples.post[i],
        samples.creator[i],
        np.int32(-1),
        np.int32(-1),
        np.int32(-1),
    )


@inner
def _side(i, b, samples, dense, batch):
    """What is known of sample i beside its IDs: into the item's vector, and what S makes of it into
    ``lift``."""
    side, v, z, P, dim = batch.side, batch.v, batch.z, dense.P, batch.u.shape[1]
    fill(samples.reading, samples.place[i], samples.tally[i], samples.mask, side, b)
    for j in range(len(P)):
        x = side[b, j]
        for k in range(dim):
            v[b, k] += x * P[j, k]
    for j in range(side.shape[1]):
        z[dim + 3 + j, b] = side[b, j]
    dot8(side, b, dense.S, 0, batch.lift, 8 * b)


@inner
def _gradients(i, b, tables, samples, dense, batch, row):
    """Work out sample i of the log, number b of its batch; scratch: row (D,)."""
    u, v, z, e, product, W, transposed = (
        batch.u,
        batch.v,
        batch.z,
        batch.e,
        samples.product,
        dense.W,
        batch.transposed,
    )
    dim, zero, one = u.shape[1], np.float32(0), np.float32(1)
    ru, rp, rc, su, sp, sc = _rows(i, samples)
    for k in range(dim):
        u[b, k] = v[b, k] = zero
    bu = _vector(tables.Eu, ru, su, product[0], u, b, batch.factor, 0)
    bv = _vector(tables.Ep, rp, sp, product[1], v, b, batch.factor, 2)
    bv += _vector(tables.Ec, rc, sc, product[2], v, b, batch.factor, 4)
    wide = len(dense.S)
    if wide:
        _side(i, b, samples, dense, batch)
    for k in range(dim):
        row[k] = u[b, k] * v[b, k]
    for k in range(dim):
        z[k, b] = row[k]
    z[dim, b], z[dim + 1, b] = bu, bv
    dot8(row, 0, W, 0, batch.error, 8 * b)
    gu = gv = zero
    for h in range(8):
        logit = e[b, h] + (dense.c[h] + (W[dim, h] * bu + W[dim + 1, h] * bv))
        if wide:
            logit += batch.lift[8 * b + h]
        e[b, h] = sigmoid32(logit) - (one if samples.responses[i] >> h & 1 else zero)
    for h in range(8):
        gu += e[b, h] * W[dim, h]
        gv += e[b, h] * W[dim + 1, h]
    batch.bias[b, 0], batch.bias[b, 1] = gu, gv
    e0, e1, e2, e3, e4, e5, e6, e7 = (
        e[b, 0],
        e[b, 1],
        e[b, 2],
        e[b, 3],
        e[b, 4],
        e[b, 5],
        e[b, 6],
        e[b, 7],
    )
    for k in range(dim):
        row[k] = (
            (transposed[0, k] * e0 + transposed[1, k] * e1)
            + (transposed[2, k] * e2 + transposed[3, k] * e3)
        ) + (
            (transposed[4, k] * e4 + transposed[5, k] * e5)
            + (transposed[6, k] * e6 + transposed[7, k] * e7)
        )
    for k in range(dim):
        x = u[b, k]
        u[b, k] = row[k] * v[b, k]
        v[b, k] = row[k] * x
    batch.square[b, 0], batch.square[b, 1] = _square(u, b), _square(v, b)


@inner
def _square(g, b):
    """Squared length of g[b], in four sums side by side."""
    dim = g.shape[1]
    a0 = a1 = a2 = a3 = np.float32(0)
    for k in range(0, dim - 3, 4):
        a0 += g[b, k] * g[b, k]
        a1 += g[b, k + 1] * g[b, k + 1]
        a2 += g[b, k + 2] * g[b, k + 2]
        a3 += g[b, k + 3] * g[b, k + 3]
    square = (a0 + a1) + (a2 + a3)
    for k in range(dim - dim % 4, dim):
        square += g[b, k] * g[b, k]
    return square


@inner
def _step(E, G, row, g, b, square, gb, rates):
    """Row-wise Adagrad on one row: gradient g[b] (D,) of that squared length, and gb of the
    bias."""
    dim, lr, l2 = g.shape[1], rates.embedding, rates.l2
    G[row, 0] += square / np.float32(dim)
    rate = lr / np.float32(math.sqrt(G[row, 0]) + EPS)
    keep = np.float32(1) - rate * l2
    for k in range(dim):
        E[row, k] = E[row, k] * keep - rate * g[b, k]
    G[row, 1] += gb * gb
    rate = lr / np.float32(math.sqrt(G[row, 1]) + EPS)
    E[row, dim] = E[row, dim] * (np.float32(1) - rate * l2) - rate * gb


@inner
def _step_pair(E, G, rows, part, parts, g, b, square, gb, product, factor, place, rates, row):
    """Move the rows of one ID, the first and perhaps a second, that belong to a part; scratch: row
    (1, D)."""
    for which in range(2):
        mine = rows[which]
        if mine < 0 or ((mine >> NEIGHBOURS) & (parts - 1)) != part:
            continue
        if product and rows[1] >= 0:
            for k in range(g.shape[1]):
                row[0, k] = g[b, k] * factor[b, place + 1 - which, k]
            _step(E, G, mine, row, 0, _square(row, 0), gb, rates)
        else:
            _step(E, G, mine, g, b, square, gb, rates)


@inner
def _dense(part, size, dense, batch, rates, row):
    """Adagrad on a part of the dense weights, by a batch of ``size`` samples; scratch: row (1,
    D)."""
    lr, lr_side = rates.dense, rates.signals
    W, GW, z, total, parts = dense.W, dense.GW, batch.z, batch.total, batch.cut[1]
    rows, read = len(W) + 1 + len(dense.S), len(dense.P)
    for j in range(part * read // parts, (part + 1) * read // parts):
        _project(j, size, dense, batch, lr_side, row)
    for k in range(part * rows // parts, (part + 1) * rows // parts):
        dot8(z, k, batch.e, 0, total, 8 * k)
        for h in range(8):
            g = total[8 * k + h]
            if k < len(W):
                GW[k, h] += g * g
                W[k, h] -= lr * g / np.float32(math.sqrt(GW[k, h]) + EPS)
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
    P, GP, v, z, dim = dense.P, dense.GP, batch.v, batch.z, batch.u.shape[1]
    for k in range(dim):
        row[0, k] = np.float32(0)
    for b in range(size):
        x = z[dim + 3 + j, b]
        for k in range(dim):
            row[0, k] += x * v[b, k]
    for k in range(dim):
        g = row[0, k]
        GP[j, k] += g * g
        P[j, k] -= lr * g / np.float32(math.sqrt(GP[j, k]) + EPS)


@inner
def _piece(piece, first, size, tables, samples, dense, batch, row):
    """Work out a piece of the batch of ``size`` samples that begins at ``first``; what it lacks of
    a whole batch weighs nothing."""
    pieces = batch.cut[0]
    for b in range(piece * BATCH // pieces, (piece + 1) * BATCH // pieces):
        if b < size:
            _gradients(first + b, b, tables, samples, dense, batch, row)
        else:
            for h in range(8):
                batch.e[b, h] = np.float32(0)
            for j in range(len(dense.S)):
                batch.z[batch.u.shape[1] + 3 + j, b] = np.float32(0)


@inner
def _part(part, first, size, tables, samples, dense, batch, rates, row):
    """Move a part of all rows, by their numbers, and of the dense weights by the batch of ``size``
    samples that begins at ``first``."""
    u, v, bias, square, parts = batch.u, batch.v, batch.bias, batch.square, batch.cut[1]
    user, post, creator, second, product, factor = (
        samples.user,
        samples.post,
        samples.creator,
        samples.second,
        samples.product,
        batch.factor,
    )
    for b in range(size):
        i = first + b
        ru, rp, rc = user[i], post[i], creator[i]
        if len(second):
            _step_pair(
                tables.Eu,
                tables.Gu,
                (ru, second[i, 0]),
                part,
                parts,
                u,
                b,
                square[b, 0],
                bias[b, 0],
                product[0],
                factor,
                0,
                rates,
                row,
            )
            _step_pair(
                tables.Ep,
                tables.Gp,
                (rp, second[i, 1]),
                part,
                parts,
                v,
                b,
                square[b, 1],
                bias[b, 1],
                product[1],
                factor,
                2,
                rates,
                row,
            )
            _step_pair(
                tables.Ec,
                tables.Gc,
                (rc, second[i, 2]),
                part,
                parts,
                v,
                b,
                square[b, 1],
                bias[b, 1],
                product[2],
                factor,
                4,
                rates,
                row,
            )
            continue
        if ru >= 0 and ((ru >> NEIGHBOURS) & (parts - 1)) == part:
            _step(tables.Eu, tables.Gu, ru, u, b, square[b, 0], bias[b, 0], rates)
        if rp >= 0 and ((rp >> NEIGHBOURS) & (parts - 1)) == part:
            _step(tables.Ep, tables.Gp, rp, v, b, square[b, 1], bias[b, 1], rates)
        if rc >= 0 and ((rc >> NEIGHBOURS) & (parts - 1)) == part:
            _step(tables.Ec, tables.Gc, rc, v, b, square[b, 1], bias[b, 1], rates)
    _dense(part, size, dense, batch, rates, row)


@kernel
def train(tables, samples, dense, rates, batch):
    """One pass over the log at the `Rates`, by one thread or by as many as call it at the same
    time; each returns when nothing is left to take, the last of them when all is done."""
    n, pieces, each = len(samples.user), batch.cut[0], batch.cut[0] + batch.cut[1]
    units, row = -(-n // BATCH) * each, np.empty((1, batch.u.shape[1]), np.float32)
    unit = take_turn(batch.turn, 0)
    while unit < units:
        first, phase = unit // each * BATCH, unit % each
        size = min(BATCH, n - first)
        wait_until(batch.done, 0, unit - phase + (pieces if phase >= pieces else 0))
        if phase < pieces:
            _piece(phase, first, size, tables, samples, dense, batch, row[0])
        else:
            _part(phase - pieces, first, size, tables, samples, dense, batch, rates, row)
        announce(batch.done, 0)
        unit = take_turn(batch.turn, 0)


@kernel
def with_negatives(consumer, key, post, creator, responses, pool, maker, count, stream, occasion):
    """The log with ``count`` negatives behind every impression: a post drawn from ``pool`` that got
    no response.

    Draws are keyed by the consumer, the occasion, and how many of the consumer's impressions went
    before. ``maker`` is the creator of every post. Returns consumer, post, creator, responses.
    """
    n, wide = len(consumer), 1 + count
    out_u, out_p, out_c = (
        np.empty(n * wide, np.int32),
        np.empty(n * wide, np.int32),
        np.empty(n * wide, np.int32),
    )
    out_r = np.zeros(n * wide, np.uint16)
    turn = np.zeros(len(key), np.int64)
    size = np.uint64(len(pool))
    for i in range(n):
        u, at = consumer[i], i * wide
        out_u[at], out_p[at], out_c[at], out_r[at] = u, post[i], creator[i], responses[i]
        a = b = c = d = np.uint64(0)
        for j in range(count):
            if j & 3 == 0:
                a, b, c, d = words(stream, key[u], occasion, turn[u])
                turn[u] += 1
            else:
                a, b, c = b, c, d
            p = pool[(a * size) >> np.uint64(32)]
            out_u[at + 1 + j], out_p[at + 1 + j], out_c[at + 1 + j] = u, p, maker[p]
    return out_u, out_p, out_c, out_r


@kernel
def predict(
    consumer,
    post,
    heads,
    user_vec,
    user_bias,
    item_vec,
    item_bias,
    interaction,
    user_scale,
    item_scale,
    intercept,
    side,
):
    """Probabilities f4 (n, ``heads``) of the first heads that the served model (see
    `ranking.value_scores`, whose order of sums this is) gives to logged impressions; the product of
    weights and user vector is kept while the person stays the same."""
    n, dim, wide = len(consumer), interaction.shape[0], len(side.S)
    known, lift = np.empty((1, wide), np.float32), np.zeros(8, np.float32)
    out, lanes = np.empty((n, heads), np.float32), np.empty((dim, 8), np.float32)
    base, eight = np.empty(8, np.float32), np.empty(8, np.float32)
    last = -1
    for i in range(n):
        u, p = consumer[i], post[i]
        if u != last:
            last = u
            for d in range(dim):
                for h in range(8):
                    lanes[d, h] = interaction[d, h] * user_vec[u, d]
            for h in range(8):
                base[h] = intercept[h] + user_scale[h] * user_bias[u]
        dot8(item_vec, p, lanes, 0, eight, 0)
        for h in range(heads):
            eight[h] += base[h] + item_scale[h] * item_bias[p]
        if wide:
            fill(side.reading, p, side.tally[i], side.mask, known, 0)
            dot8(known, 0, side.S, 0, lift, 0)
            for h in range(heads):
                eight[h] += lift[h]
        for h in range(heads):
            out[i, h] = sigmoid32(eight[h])
    return out
