"""Training of the multi-head model on a log, in log order.

    logit_h = c_h + sum_k W[k,h] u_k v_k + W[D,h] b_u + W[D+1,h] b_v ,   v = post vector + creator vector

A vector is one row of its table, or is made of two (double hashing, quotient and remainder): their sum, or their elementwise product
(Shi et al. 2020), the bias always the sum. Both rows take the gradient of what they are part of: g for a sum, g * the other row
for a product.

Loss: binary cross-entropy summed over the eight heads, all trained on every examined impression, plus L2 on touched rows.
Rows move by row-wise Adagrad (one accumulator for the vector, one for the bias, as in large production tables), dense weights by
elementwise Adagrad on gradients summed over BATCH samples in log order. Everything is sequential: the same log gives the same bits.
"""

from __future__ import annotations

import math

import numpy as np

from twin.compiled import kernel
from twin.draws import words
from twin.kernels.lanes import dot8
from twin.kernels.maths import sigmoid32

HEADS = ("click", "long_view", "like", "comment", "reshare", "follow", "hide", "report")
BATCH = 256
EPS = np.float32(1e-6)


@kernel
def _step(E, G, row, g, gb, dim, lr, l2):
    """Row-wise Adagrad on one row: gradient g (D,) and gb of the bias."""
    a0 = a1 = a2 = a3 = np.float32(0)
    d = 0
    while d + 4 <= dim:
        a0 += g[d] * g[d]
        a1 += g[d + 1] * g[d + 1]
        a2 += g[d + 2] * g[d + 2]
        a3 += g[d + 3] * g[d + 3]
        d += 4
    square = (a0 + a1) + (a2 + a3)
    while d < dim:
        square += g[d] * g[d]
        d += 1
    G[row, 0] += square / np.float32(dim)
    rate = lr / np.float32(math.sqrt(G[row, 0]) + EPS)
    keep = np.float32(1) - rate * l2
    for k in range(dim):
        E[row, k] = E[row, k] * keep - rate * g[k]
    G[row, 1] += gb * gb
    rate = lr / np.float32(math.sqrt(G[row, 1]) + EPS)
    E[row, dim] = E[row, dim] * (np.float32(1) - rate * l2) - rate * gb


@kernel
def _dense(W, GW, gW, c, Gc, gc, lr):
    for k in range(W.shape[0]):
        for h in range(8):
            g = gW[k, h]
            GW[k, h] += g * g
            W[k, h] -= lr * g / np.float32(math.sqrt(GW[k, h]) + EPS)
            gW[k, h] = 0
    for h in range(8):
        Gc[h] += gc[h] * gc[h]
        c[h] -= lr * gc[h] / np.float32(math.sqrt(Gc[h]) + EPS)
        gc[h] = 0


@kernel
def _vector(E, one, two, product, dim, out):
    """The vector of an ID with rows ``one`` and ``two`` (-1: none) into ``out``; returns what the second row adds to its bias."""
    for k in range(dim):
        out[k] = E[one, k] if one >= 0 else np.float32(0)
    if two < 0:
        return np.float32(0)
    for k in range(dim):
        out[k] = out[k] * E[two, k] if product else out[k] + E[two, k]
    return E[two, dim]


@kernel
def _join(Eu, Ep, Ec, ru, rp, rc, second, product, dim, u, v, t):
    """Vectors u and v of a sample whose IDs have two rows; returns what second rows add to the two biases. Scratch: t."""
    du = _vector(Eu, ru, second[0], product[0], dim, u)
    dv = _vector(Ep, rp, second[1], product[1], dim, v) + _vector(Ec, rc, second[2], product[2], dim, t)
    for k in range(dim):
        v[k] += t[k]
    return du, dv


@kernel
def _step_pair(E, G, one, two, product, g, gb, dim, lr, l2, spare):
    """Adagrad on the rows of one ID (-1: none); scratch: spare (3, D)."""
    if one < 0:
        return
    if two < 0:
        _step(E, G, one, g, gb, dim, lr, l2)
        return
    g1, g2 = spare[1], spare[2]
    for k in range(dim):
        g1[k] = g[k] * E[two, k] if product else g[k]
        g2[k] = g[k] * E[one, k] if product else g[k]
    _step(E, G, one, g1, gb, dim, lr, l2)
    _step(E, G, two, g2, gb, dim, lr, l2)


@kernel
def train(Eu, Gu, Ep, Gp, Ec, Gc_, user, post, creator, second, product, responses, W, GW, c, Gc, lr, lr_dense, l2):
    """One pass over the log. Rows of -1 mean "no row": read as zeros, never written.

    ``second`` is None where all tables have one row per ID (compiled apart, for speed), else (n, 3) i4: the second rows of consumer,
    post and creator, -1 for none; ``product`` (3,) says which tables multiply their rows.
    """
    dim = W.shape[0] - 2
    z, v, u = np.empty(dim, np.float32), np.empty(dim, np.float32), np.empty(dim, np.float32)
    gu, gv = np.empty(dim, np.float32), np.empty(dim, np.float32)
    spare = np.empty((3, 0 if second is None else dim), np.float32)
    gW, gc = np.zeros((dim + 2, 8), np.float32), np.zeros(8, np.float32)
    e = np.empty(8, np.float32)
    one = np.float32(1)
    for i in range(len(user)):
        ru, rp, rc = user[i], post[i], creator[i]
        bu = Eu[ru, dim] if ru >= 0 else np.float32(0)
        bv = (Ep[rp, dim] if rp >= 0 else np.float32(0)) + (Ec[rc, dim] if rc >= 0 else np.float32(0))
        for k in range(dim):
            u[k] = Eu[ru, k] if ru >= 0 else np.float32(0)
        if rp >= 0 and rc >= 0:
            for k in range(dim):
                v[k] = Ep[rp, k] + Ec[rc, k]
        else:
            for k in range(dim):
                v[k] = (Ep[rp, k] if rp >= 0 else np.float32(0)) + (Ec[rc, k] if rc >= 0 else np.float32(0))
        if second is not None:
            du, dv = _join(Eu, Ep, Ec, ru, rp, rc, second[i], product, dim, u, v, spare[0])
            bu += du
            bv += dv
        for k in range(dim):
            z[k] = u[k] * v[k]
        a0, a1 = c[0] + W[dim, 0] * bu + W[dim + 1, 0] * bv, c[1] + W[dim, 1] * bu + W[dim + 1, 1] * bv
        a2, a3 = c[2] + W[dim, 2] * bu + W[dim + 1, 2] * bv, c[3] + W[dim, 3] * bu + W[dim + 1, 3] * bv
        a4, a5 = c[4] + W[dim, 4] * bu + W[dim + 1, 4] * bv, c[5] + W[dim, 5] * bu + W[dim + 1, 5] * bv
        a6, a7 = c[6] + W[dim, 6] * bu + W[dim + 1, 6] * bv, c[7] + W[dim, 7] * bu + W[dim + 1, 7] * bv
        for k in range(dim):
            x = z[k]
            a0 += W[k, 0] * x
            a1 += W[k, 1] * x
            a2 += W[k, 2] * x
            a3 += W[k, 3] * x
            a4 += W[k, 4] * x
            a5 += W[k, 5] * x
            a6 += W[k, 6] * x
            a7 += W[k, 7] * x
        e[0], e[1], e[2], e[3], e[4], e[5], e[6], e[7] = a0, a1, a2, a3, a4, a5, a6, a7
        for h in range(8):
            e[h] = sigmoid32(e[h]) - (one if responses[i] >> h & 1 else np.float32(0))
        e0, e1, e2, e3, e4, e5, e6, e7 = e[0], e[1], e[2], e[3], e[4], e[5], e[6], e[7]
        for k in range(dim):
            s = (((W[k, 0] * e0 + W[k, 1] * e1) + (W[k, 2] * e2 + W[k, 3] * e3))
                 + ((W[k, 4] * e4 + W[k, 5] * e5) + (W[k, 6] * e6 + W[k, 7] * e7)))
            gu[k] = s * v[k]
            gv[k] = s * u[k]
        for k in range(dim):
            x = z[k]
            gW[k, 0] += e0 * x
            gW[k, 1] += e1 * x
            gW[k, 2] += e2 * x
            gW[k, 3] += e3 * x
            gW[k, 4] += e4 * x
            gW[k, 5] += e5 * x
            gW[k, 6] += e6 * x
            gW[k, 7] += e7 * x
        gbu = gbv = np.float32(0)
        for h in range(8):
            gbu += e[h] * W[dim, h]
            gbv += e[h] * W[dim + 1, h]
            gW[dim, h] += e[h] * bu
            gW[dim + 1, h] += e[h] * bv
            gc[h] += e[h]
        if second is not None:
            _step_pair(Eu, Gu, ru, second[i, 0], product[0], gu, gbu, dim, lr, l2, spare)
            _step_pair(Ep, Gp, rp, second[i, 1], product[1], gv, gbv, dim, lr, l2, spare)
            _step_pair(Ec, Gc_, rc, second[i, 2], product[2], gv, gbv, dim, lr, l2, spare)
        else:
            if ru >= 0:
                _step(Eu, Gu, ru, gu, gbu, dim, lr, l2)
            if rp >= 0:
                _step(Ep, Gp, rp, gv, gbv, dim, lr, l2)
            if rc >= 0:
                _step(Ec, Gc_, rc, gv, gbv, dim, lr, l2)
        if i % BATCH == BATCH - 1:
            _dense(W, GW, gW, c, Gc, gc, lr_dense)
    _dense(W, GW, gW, c, Gc, gc, lr_dense)


@kernel
def with_negatives(consumer, key, post, creator, responses, pool, maker, count, stream, occasion):
    """The log with ``count`` negatives behind every impression: a post drawn from ``pool`` that got no response.

    Draws are keyed by the consumer, the occasion, and how many of the consumer's impressions went before. ``maker`` is the creator of
    every post. Returns consumer, post, creator, responses.
    """
    n, wide = len(consumer), 1 + count
    out_u, out_p, out_c = np.empty(n * wide, np.int32), np.empty(n * wide, np.int32), np.empty(n * wide, np.int32)
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
def predict(consumer, post, heads, user_vec, user_bias, item_vec, item_bias, interaction, user_scale, item_scale, intercept):
    """Probabilities f4 (n, ``heads``) of the first heads that the served model (see `ranking.value_scores`, whose order of sums this is)
    gives to logged impressions; the product of weights and user vector is kept while the person stays the same."""
    n, dim = len(consumer), interaction.shape[0]
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
            out[i, h] = sigmoid32(eight[h] + (base[h] + item_scale[h] * item_bias[p]))
    return out


@kernel
def losses(p, truth):
    """Log loss of every prediction, float64 (n,)."""
    out = np.empty(len(p))
    for i in range(len(p)):
        q = min(max(np.float64(p[i]), 1e-7), 1 - 1e-7)
        out[i] = -math.log(q) if truth[i] else -math.log1p(-q)
    return out


@kernel
def judge_groups(order, p, truth, group, groups, loss):
    """Per group of impressions: AUC by mid-ranks (NaN where a class is missing), sum of log loss, sum of p, positives, number.

    ``order`` sorts p upwards; ``group`` of an impression, -1 for none; ``loss`` is what `losses` gives. Returns (groups, 5).
    """
    out = np.zeros((groups, 5))
    above, positives_tied, tied = np.zeros(groups), np.zeros(groups), np.zeros(groups)
    below = np.zeros(groups)  # impressions of the group with a smaller p
    i, n = 0, len(order)
    while i < n:
        j = i
        while j < n and p[order[j]] == p[order[i]]:
            g = group[order[j]]
            if g >= 0:
                tied[g] += 1
                if truth[order[j]]:
                    positives_tied[g] += 1
            j += 1
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
        good, bad = out[g, 3], out[g, 4] - out[g, 3]
        out[g, 0] = (above[g] - good * (good + 1) / 2) / (good * bad) if good > 0 and bad > 0 else np.nan
    return out
