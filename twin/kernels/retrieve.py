"""Candidates and ranking of one session, from the serving snapshot alone: nothing here knows what a person or post truly is.

Candidate sources, each with a quota: posts of followed creators, newest first; the nearest posts of a two-tower index
(inverted lists: score the centroids, scan the lists of the best ``probes``, keep the best); trending; exploration (posts
that few have seen). A post seen lately, or already a candidate, is skipped by a stamp in ``mark``.

Ranking is a value model over the eight heads (weights w, item vector v, user vector u):

    value = sum_h w_h sigmoid(c_h + sum_k W[k,h] u_k v_k + s_h b_u + r_h b_v)

Heads lie in eight lanes that the compiler packs into one register; every sum runs in a fixed order, so a score does not
depend on what is computed beside it.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numba as nb
import numpy as np

from twin.draws import mix64
from twin.kernels.maths import sigmoid32

Array = Any
VALUE, CHRONOLOGICAL, POPULARITY, RANDOM, ORACLE = range(5)
MODES = {"value": VALUE, "chronological": CHRONOLOGICAL, "popularity": POPULARITY, "random": RANDOM, "oracle": ORACLE}
IN_NETWORK, NEAREST, TRENDING, EXPLORE = range(4)
SOURCES = 4


class Serving(NamedTuple):
    """The serving snapshot (P posts, C consumers, D dimensions, K lists, E eligible posts).

    Vectors are of the last sync; weights and quotas of the last refresh, one row per arm of consumers (A).
    """

    item_vec: Array  # f4 (P, D)
    item_bias: Array  # f4 (P,)
    item_creator: Array  # i4 (P,)
    item_born: Array  # i8 (P,) s
    item_ai: Array  # bool (P,)
    trend_score: Array  # f4 (P,)
    user_vec: Array  # f4 (C, D)
    user_bias: Array  # f4 (C,)
    interaction: Array  # f4 (D, 8)
    user_scale: Array  # f4 (8,)
    item_scale: Array  # f4 (8,)
    intercept: Array  # f4 (8,)
    weights: Array  # f4 (A, 8)
    query: Array  # f4 (A, D + 1): direction of the value model, last the item bias
    centroids: Array  # f4 (K, D + 1)
    list_start: Array  # i4 (K + 1,)
    list_post: Array  # i4 (E,)
    creator_start: Array  # i4 (creators + 1,)
    creator_post: Array  # i4 (E,) newest first within a creator
    trending: Array  # i4 (T,)
    fresh: Array  # i4 (F,)
    eligible: Array  # i4 (E,)
    whole: Array  # i8 (A, Q_*): quotas x4, probes, probe_cap, scan, slate, author_cap, mode
    factor: Array  # f4 (A, F_*): out-of-network, ai, author decay, author floor


Q_PROBES, Q_CAP, Q_SCAN, Q_SLATE, Q_AUTHOR, Q_MODE = range(4, 10)


class Follows(NamedTuple):
    """The follow graph: CSR rows of creators per consumer (-1 unfollowed) and a chain of follows since the last rebuild."""

    start: Array
    target: Array
    pending_head: Array
    pending_next: Array
    pending_creator: Array
    pending_count: Array


@nb.njit(inline="always")
def _take(post, flag, cand, source, n, mark, stamp):
    if mark[post] != stamp:
        mark[post] = stamp
        cand[n] = post
        source[n] = flag
        return n + 1
    return n


@nb.njit(cache=True)
def in_network(row, luck, serve, whole, graph, cand, source, n, limit, mark, stamp):
    """Newest posts of followed creators, from a random place in the follow list, at most ``scan`` creators."""
    creators = len(serve.creator_start) - 1
    if row < len(graph.start) - 1:
        first, count = graph.start[row], graph.start[row + 1] - graph.start[row]
        shift = int(luck * count)
        for i in range(min(count, whole[Q_SCAN])):
            if n >= limit:
                return n
            j = i + shift
            creator = graph.target[first + (j - count if j >= count else j)]
            if 0 <= creator < creators:
                a, b = serve.creator_start[creator], serve.creator_start[creator + 1]
                for k in range(a, min(b, a + 3)):
                    if n < limit:
                        n = _take(serve.creator_post[k], IN_NETWORK, cand, source, n, mark, stamp)
    edge = graph.pending_head[row] if row < len(graph.pending_head) else -1
    while edge >= 0 and n < limit:
        creator = graph.pending_creator[edge]
        if 0 <= creator < creators:
            a, b = serve.creator_start[creator], serve.creator_start[creator + 1]
            for k in range(a, min(b, a + 3)):
                if n < limit:
                    n = _take(serve.creator_post[k], IN_NETWORK, cand, source, n, mark, stamp)
        edge = graph.pending_next[edge]
    return n


@nb.njit(cache=True)
def nearest(q, qb, luck, serve, whole, cand, source, n, mark, stamp, near, heap_score, heap_post):
    """The best posts by q.v + qb*b among those in the nearest lists, as many as the quota; scratch: near, heap_score, heap_post."""
    quota = whole[NEAREST]
    lists = serve.centroids.shape[0]
    dim = q.shape[0]
    for k in range(lists):
        s0 = np.float32(0)
        for d in range(dim):
            s0 += q[d] * serve.centroids[k, d]
        near[k] = s0 + qb * serve.centroids[k, dim]
    held = 0
    for _ in range(min(whole[Q_PROBES], lists)):
        best = 0
        for k in range(1, lists):
            if near[k] > near[best]:
                best = k
        near[best] = np.float32(-3e38)
        a, count = serve.list_start[best], serve.list_start[best + 1] - serve.list_start[best]
        shift = int(luck * count)
        for i in range(min(count, whole[Q_CAP])):
            j = i + shift
            post = serve.list_post[a + (j - count if j >= count else j)]
            if mark[post] == stamp:
                continue
            v = serve.item_vec[post]
            a0 = a1 = a2 = a3 = a4 = a5 = a6 = a7 = np.float32(0)
            d = 0
            while d + 8 <= dim:
                a0 += q[d] * v[d]
                a1 += q[d + 1] * v[d + 1]
                a2 += q[d + 2] * v[d + 2]
                a3 += q[d + 3] * v[d + 3]
                a4 += q[d + 4] * v[d + 4]
                a5 += q[d + 5] * v[d + 5]
                a6 += q[d + 6] * v[d + 6]
                a7 += q[d + 7] * v[d + 7]
                d += 8
            score = ((a0 + a1) + (a2 + a3)) + ((a4 + a5) + (a6 + a7)) + qb * serve.item_bias[post]
            while d < dim:
                score += q[d] * v[d]
                d += 1
            if held < quota:
                c = held
                held += 1
                while c > 0 and heap_score[(c - 1) >> 1] > score:
                    heap_score[c], heap_post[c] = heap_score[(c - 1) >> 1], heap_post[(c - 1) >> 1]
                    c = (c - 1) >> 1
                heap_score[c], heap_post[c] = score, post
            elif held and score > heap_score[0]:
                c = 0
                while True:
                    child = 2 * c + 1
                    if child >= held:
                        break
                    if child + 1 < held and heap_score[child + 1] < heap_score[child]:
                        child += 1
                    if heap_score[child] >= score:
                        break
                    heap_score[c], heap_post[c] = heap_score[child], heap_post[child]
                    c = child
                heap_score[c], heap_post[c] = score, post
    for i in range(held):
        n = _take(heap_post[i], NEAREST, cand, source, n, mark, stamp)
    return n


@nb.njit(cache=True)
def listed(luck, posts, flag, cand, source, n, quota, mark, stamp):
    """Up to ``quota`` unseen posts of a list, from its start (trending) or, with ``luck`` >= 0, from a random place."""
    count = len(posts)
    shift = int(luck * count) if luck >= 0 else 0
    limit = n + quota
    for i in range(min(count, 4 * quota)):
        if n >= limit:
            break
        j = i + shift
        n = _take(posts[j - count if j >= count else j], flag, cand, source, n, mark, stamp)
    return n


@nb.njit(cache=True)
def value_scores(row, arm, serve, cand, n, lanes, logits, score):
    """Value-model scores of the first n candidates; scratch: lanes (D, 8), logits (n * 8,)."""
    dim = serve.interaction.shape[0]
    for d in range(dim):
        for h in range(8):
            lanes[d, h] = serve.interaction[d, h] * serve.user_vec[row, d]
    bu = serve.user_bias[row]
    for i in range(n):
        v = serve.item_vec[cand[i]]
        bv = serve.item_bias[cand[i]]
        a0 = serve.intercept[0] + serve.user_scale[0] * bu + serve.item_scale[0] * bv
        a1 = serve.intercept[1] + serve.user_scale[1] * bu + serve.item_scale[1] * bv
        a2 = serve.intercept[2] + serve.user_scale[2] * bu + serve.item_scale[2] * bv
        a3 = serve.intercept[3] + serve.user_scale[3] * bu + serve.item_scale[3] * bv
        a4 = serve.intercept[4] + serve.user_scale[4] * bu + serve.item_scale[4] * bv
        a5 = serve.intercept[5] + serve.user_scale[5] * bu + serve.item_scale[5] * bv
        a6 = serve.intercept[6] + serve.user_scale[6] * bu + serve.item_scale[6] * bv
        a7 = serve.intercept[7] + serve.user_scale[7] * bu + serve.item_scale[7] * bv
        for d in range(dim):
            x = v[d]
            a0 += lanes[d, 0] * x
            a1 += lanes[d, 1] * x
            a2 += lanes[d, 2] * x
            a3 += lanes[d, 3] * x
            a4 += lanes[d, 4] * x
            a5 += lanes[d, 5] * x
            a6 += lanes[d, 6] * x
            a7 += lanes[d, 7] * x
        o = 8 * i
        logits[o], logits[o + 1], logits[o + 2], logits[o + 3] = a0, a1, a2, a3
        logits[o + 4], logits[o + 5], logits[o + 6], logits[o + 7] = a4, a5, a6, a7
    for i in range(8 * n):
        logits[i] = sigmoid32(logits[i])
    w = serve.weights[arm]
    for i in range(n):
        o = 8 * i
        score[i] = (((w[0] * logits[o] + w[1] * logits[o + 1]) + (w[2] * logits[o + 2] + w[3] * logits[o + 3]))
                    + ((w[4] * logits[o + 4] + w[5] * logits[o + 5]) + (w[6] * logits[o + 6] + w[7] * logits[o + 7])))


@nb.njit(cache=True)
def rank(row, arm, seed, serve, cand, source, n, lanes, logits, score):
    """Scores of the first n candidates in the mode of the snapshot, with the out-of-network and AI multipliers."""
    mode = serve.whole[arm, Q_MODE]
    if mode == VALUE:
        value_scores(row, arm, serve, cand, n, lanes, logits, score)
        for i in range(n):
            f = np.float32(1)
            if source[i] != IN_NETWORK:
                f *= serve.factor[arm, 0]
            if serve.item_ai[cand[i]]:
                f *= serve.factor[arm, 1]
            score[i] = score[i] * f if score[i] > 0 else score[i] / max(f, np.float32(1e-6))
    elif mode == CHRONOLOGICAL:
        for i in range(n):
            score[i] = serve.item_born[cand[i]] / np.float32(60)
    elif mode == POPULARITY:
        for i in range(n):
            score[i] = serve.trend_score[cand[i]]
    else:
        for i in range(n):
            score[i] = np.float32(mix64(seed ^ np.uint64(cand[i])) >> np.uint64(40))


@nb.njit(cache=True)
def slate(serve, arm, cand, n, score, out):
    """Fill ``out`` with the best candidates: no more than ``author_cap`` by one creator, and the k-th of a creator counts
    (1 - floor) decay^k + floor of its score. Returns how many; ``score`` is used up."""
    decay, floor = serve.factor[arm, 2], serve.factor[arm, 3]
    plain = serve.whole[arm, Q_MODE] != VALUE
    filled = 0
    want = min(serve.whole[arm, Q_SLATE], n)
    while filled < want:
        best = -1
        for i in range(n):
            if score[i] > np.float32(-3e38) and (best < 0 or score[i] > score[best]):
                best = i
        if best < 0:
            break
        post = cand[best]
        out[filled] = best
        filled += 1
        score[best] = np.float32(-3e38)
        creator = serve.item_creator[post]
        k = 0
        for j in range(filled):
            if serve.item_creator[cand[out[j]]] == creator:
                k += 1
        before = (1 - floor) * decay ** np.float32(k - 1) + floor
        after = (1 - floor) * decay ** np.float32(k) + floor
        for i in range(n):
            if serve.item_creator[cand[i]] == creator and score[i] > np.float32(-3e38):
                if k >= serve.whole[arm, Q_AUTHOR]:
                    score[i] = np.float32(-3e38)
                elif not plain and score[i] > 0:
                    score[i] = score[i] * after / before
    return filled


@nb.njit(cache=True)
def predicted(consumers, posts, serve):
    """Probabilities (n, 8) that the served model gives to logged impressions."""
    n = len(consumers)
    out = np.empty((n, 8), np.float32)
    lanes, logits = np.empty((serve.interaction.shape[0], 8), np.float32), np.empty(8, np.float32)
    cand, score = np.empty(1, np.int64), np.empty(1, np.float32)
    for i in range(n):
        cand[0] = posts[i]
        value_scores(consumers[i], 0, serve, cand, 1, lanes, logits, score)
        for h in range(8):
            out[i, h] = logits[h]
    return out
