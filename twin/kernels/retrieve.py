"""Candidates of one session, from the serving snapshot alone: nothing here knows what a person or post truly is.

Candidate sources, each with a quota: posts of followed creators, newest first; the nearest posts of a two-tower index
(inverted lists: score the centroids, scan the lists of the best ``probes``, keep the best); trending; exploration (posts
that few have seen); posts linked to those viewed last, as co-viewed or bought together; and, where slots are kept for them, posts
of small creators. A post seen lately, or already a candidate, is skipped by a stamp in ``mark``.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numba as nb
import numpy as np

Array = Any
VALUE, CHRONOLOGICAL, POPULARITY, RANDOM, ORACLE = range(5)
MODES = {"value": VALUE, "chronological": CHRONOLOGICAL, "popularity": POPULARITY, "random": RANDOM, "oracle": ORACLE}
SOURCES = ("in_network", "nearest", "trending", "explore", "co_viewed", "bought_together", "shelf", "floor")
IN_NETWORK, NEAREST, TRENDING, EXPLORE, CO_VIEWED, BOUGHT_TOGETHER, SHELF, FLOOR = range(8)
QUOTAS = SOURCES[:6]
(Q_PROBES, Q_CAP, Q_SCAN, Q_SLATE, Q_AUTHOR, Q_MODE, Q_FLOOR, Q_EXPLORE, Q_AI, Q_SHELF, Q_SHELF_KIND) = range(len(QUOTAS),
                                                                                                          len(QUOTAS) + 11)
F_OUT, F_AI, F_DECAY, F_LEAST, F_PERSONAL, F_REWARD, F_DIVERSITY, F_REWARD_PERSONAL = range(8)
GONE = np.float32(-3e38)


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
    whole: Array  # i8 (A, Q_*): quotas, probes, probe_cap, scan, slate, author_cap, mode, slots kept, ai cap, shelf
    factor: Array  # f4 (A, F_*): out-of-network, ai, author decay, author floor, personalisation, reward
    # weight, diversity, personalisation of the reward
    mean_vec: Array  # f4 (D,) mean user
    mean_bias: Array  # f4 (1,)
    can: Array  # bool (P,): eligible
    item_norm: Array  # f4 (P,): length of the vectors of eligible posts, 0 unless slates are diversified
    item_small: Array  # bool (P,): of a small creator
    small: Array  # i4 (S,): eligible posts of small creators, a random order
    signal: Array  # f4 (P, 3): what classifiers read off a post
    reward_pool: Array  # f4 (3,): pooled reward weights of those signals
    reward_own: Array  # f4 (C, 3): each person's deviation from them
    co_viewed: Array  # i4 (P, L), linked posts, -1 for none
    bought_together: Array  # i4 (P, L)
    random_links: Array  # i4 (P, L)


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
        near[best] = GONE
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
def linked(viewed, links, flag, cand, source, n, quota, mark, stamp, can):
    """Up to ``quota`` eligible posts linked to those viewed last: every one's best link first, then the second, and so on."""
    limit = n + quota
    for j in range(links.shape[1]):
        for s in range(len(viewed)):
            if n >= limit:
                return n
            if 0 <= viewed[s] < links.shape[0]:
                post = links[viewed[s], j]
                if post >= 0 and can[post]:
                    n = _take(post, flag, cand, source, n, mark, stamp)
    return n
