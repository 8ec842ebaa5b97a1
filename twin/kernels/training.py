"""Training of the multi-head model on a log, in log order.

    logit_h = c_h + sum_k W[k,h] u_k v_k + W[D,h] b_u + W[D+1,h] b_v ,   v = post row + creator row

Loss: binary cross-entropy summed over the eight heads, all trained on every examined impression, plus L2 on touched rows.
Rows move by row-wise Adagrad (one accumulator for the vector, one for the bias, as in large production tables), dense weights by
elementwise Adagrad on gradients summed over BATCH samples in log order. Everything is sequential: the same log gives the same bits.
"""

from __future__ import annotations

import math

import numba as nb
import numpy as np

from twin.kernels.maths import sigmoid32

HEADS = ("click", "long_view", "like", "comment", "reshare", "follow", "hide", "report")
BATCH = 256
EPS = np.float32(1e-6)


@nb.njit(cache=True)
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


@nb.njit(cache=True)
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


@nb.njit(cache=True)
def train(Eu, Gu, Ep, Gp, Ec, Gc_, user, post, creator, responses, W, GW, c, Gc, lr, lr_dense, l2):
    """One pass over the log. Rows of -1 mean "no row": read as zeros, never written."""
    dim = W.shape[0] - 2
    z, v, u = np.empty(dim, np.float32), np.empty(dim, np.float32), np.empty(dim, np.float32)
    gu, gv = np.empty(dim, np.float32), np.empty(dim, np.float32)
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
        if ru >= 0:
            _step(Eu, Gu, ru, gu, gbu, dim, lr, l2)
        if rp >= 0:
            _step(Ep, Gp, rp, gv, gbv, dim, lr, l2)
        if rc >= 0:
            _step(Ec, Gc_, rc, gv, gbv, dim, lr, l2)
        if i % BATCH == BATCH - 1:
            _dense(W, GW, gW, c, Gc, gc, lr_dense)
    _dense(W, GW, gW, c, Gc, gc, lr_dense)
