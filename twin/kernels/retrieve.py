"""Candidates of one session, from the serving snapshot alone: nothing here knows what a person or
post truly is.

Candidate sources, each with a quota: posts of followed creators, newest first; the nearest posts of
a two-tower index (inverted lists: score the centroids, scan the lists of the best ``probes``, keep
the best); trending; exploration (posts that few have seen); posts linked to those viewed last, as
co-viewed or bought together; and, where slots are kept for them, posts of small creators. A post
seen lately, or already a candidate, is skipped: ``mark`` (P,) says so.

Some slots, or all, are filled by a uniform draw instead (`drawn`), which depends on nothing but
what is eligible and what the person has seen lately.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from twin.ground.compiled import inlined, inner
from twin.ground.draws import unit, words
from twin.kernels.index import TILE
from twin.kernels.lanes import bounds8, score8
from twin.kernels.rules import Ranking, Source

Array = Any
GONE = np.float32(-3e38)


class Serving(NamedTuple):
    """The serving snapshot (P posts, C consumers, D dimensions, K lists, E eligible posts).

    Vectors are of the last sync; weights and quotas of the last refresh, one row per arm of
    consumers (A).
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
    query: Array  # f4 (A, D + 1): direction of the value model, last the weight of the biases below
    centre_vec: Array  # f4 (., D, TILE): centroids of the K lists in tiles
    centre_bias: Array  # f4 (1 or A, ., TILE), see tile_bias
    tile_start: Array  # i4 (K + 1,): the tiles of each list
    tile_post: Array  # i4 (T, TILE): posts of a list, newest first, -1 beyond its end
    # i4 (P,): where a post lies among tiles, tile * TILE + lane; -1 for one that may not be shown
    tile_of: Array
    tile_vec: Array  # f4 (T, D, TILE)
    # f4 (1 or A, T, TILE): item biases; with signals, what a post is worth to an arm whoever the
    # person is
    tile_bias: Array
    creator_start: Array  # i4 (creators + 1,)
    creator_post: Array  # i4 (E,) newest first within a creator
    trending: Array  # i4 (T,)
    fresh: Array  # i4 (F,)
    eligible: Array  # i4 (E,)
    rules: Array  # RULES (A,)
    mean_vec: Array  # f4 (D,) mean user
    mean_bias: Array  # f4 (1,)
    can: Array  # bool (P,): eligible
    item_small: Array  # bool (P,): of a small creator
    small: Array  # i4 (S,): eligible posts of small creators, a random order
    signal: Array  # f4 (P, 3): what classifiers read off a post
    reward_pool: Array  # f4 (3,): pooled reward weights of those signals
    reward_own: Array  # f4 (C, 3): each person's deviation from them
    co_viewed: Array  # i4 (P, L), linked posts, -1 for none
    bought_together: Array  # i4 (P, L)
    random_links: Array  # i4 (P, L)
    linear: Array  # f4 (P, 8): log-odds that signals add by head; (0, 8) without signals


class Scan(NamedTuple):
    """Scratch of `nearest`: of K lists, T tiles, and all posts that may be scanned (N, whole
    tiles)."""

    near: Array  # f4 (K,), in whole tiles
    tile: Array  # i4 (N / TILE,): which tile was scanned as number ...
    at: Array  # i4 (T,): as which number a tile was scanned; -1 for all between two sessions
    score: Array  # f4 (N,)
    place: Array  # i4 (N,): bin of each score, -1 for a post that may not be taken
    best: Array  # i4 (N,)
    edge: Array  # i4 (N,)
    bins: Array  # i8 (128,)
    bounds: Array  # f4 (2 TILE,)


class Follows(NamedTuple):
    """The follow graph: CSR rows of creators per consumer (-1 unfollowed) and a chain of follows
    since the last rebuild."""

    start: Array
    target: Array
    pending_head: Array
    pending_next: Array
    pending_creator: Array
    pending_count: Array


@inlined
def _take(post, flag, cand, source, n, mark):
    if not mark[post]:
        mark[post] = True
        cand[n] = post
        source[n] = flag
        return n + 1
    return n


@inner
def in_network(row, luck, serve, rules, graph, cand, source, n, limit, mark):
    """Newest posts of followed creators, from a random place in the follow list, at most ``scan``
    creators."""
    creators = len(serve.creator_start) - 1
    if row < len(graph.start) - 1:
        first, count = graph.start[row], graph.start[row + 1] - graph.start[row]
        shift = int(luck * count)
        for i in range(min(count, rules.scan)):
            if n >= limit:
                return n
            j = i + shift
            creator = graph.target[first + (j - count if j >= count else j)]
            if 0 <= creator < creators:
                a, b = serve.creator_start[creator], serve.creator_start[creator + 1]
                for k in range(a, min(b, a + 3)):
                    if n < limit:
                        n = _take(serve.creator_post[k], Source.IN_NETWORK, cand, source, n, mark)
    edge = graph.pending_head[row] if row < len(graph.pending_head) else -1
    while edge >= 0 and n < limit:
        creator = graph.pending_creator[edge]
        if 0 <= creator < creators:
            a, b = serve.creator_start[creator], serve.creator_start[creator + 1]
            for k in range(a, min(b, a + 3)):
                if n < limit:
                    n = _take(serve.creator_post[k], Source.IN_NETWORK, cand, source, n, mark)
        edge = graph.pending_next[edge]
    return n


@inner
def _best(held, count, tile_post, scan):
    """The ``count`` best of the first ``held`` scores, as numbers of entries in ``scan.best``:
    those in higher bins of a histogram of scores, in the order of entries, then the best of the bin
    that the count falls into; among equals those of lower post rows. Entries at GONE do not count;
    where there are no more than ``count`` others, all are taken. Returns how many were."""
    score, place, best, edge, bins, bounds = (
        scan.score,
        scan.place,
        scan.best,
        scan.edge,
        scan.bins,
        scan.bounds,
    )
    bounds8(score, held, GONE, bounds)
    low, high = bounds[0], bounds[TILE]
    for c in range(TILE):
        low, high = min(low, bounds[c]), max(high, bounds[TILE + c])
    scale = np.float32(len(bins) - 1) / max(high - low, np.float32(1e-30))
    for i in range(held):
        place[i] = np.int32((score[i] - low) * scale) if score[i] > GONE else np.int32(-1)
    for k in range(len(bins)):
        bins[k] = 0
    there = 0
    for i in range(held):
        if place[i] >= 0:
            bins[place[i]] += 1
            there += 1
    last, above = len(bins) - 1, 0
    while there > count and above + bins[last] < count:
        above += bins[last]
        last -= 1
    if there <= count:  # all are taken, in the order of entries
        last = -1
    n, rest = 0, 0
    for i in range(held):  # without a branch: which it is cannot be foreseen
        best[n], edge[rest] = i, i
        n += 1 if place[i] > last else 0
        rest += 1 if place[i] == last else 0
    while n < count and n < there:
        top = 0
        for k in range(1, rest):
            i, j = edge[k], edge[top]
            if score[i] > score[j] or (
                score[i] == score[j] and _post(i, tile_post, scan) < _post(j, tile_post, scan)
            ):
                top = k
        best[n] = edge[top]
        rest -= 1
        edge[top] = edge[rest]
        n += 1
    return n


@inner
def _post(i, tile_post, scan):
    """The post of an entry."""
    return tile_post[scan.tile[i // TILE], i % TILE]


@inner
def _leave_out(post, tile_of, scan):
    """A post that may not be taken: its score, if it was scanned, counts no more."""
    place = tile_of[post]
    if place >= 0 and scan.at[place // TILE] >= 0:
        scan.score[scan.at[place // TILE] * TILE + place % TILE] = GONE


@inner
def nearest(q, qb, luck, arm, serve, cand, source, n, mark, seen, scan):
    """The best posts by q.v + qb*b among those in the nearest lists, as many as the quota, none of
    ``seen`` (S,) or the first n candidates.

    Of a list about ``probe_cap`` posts are scanned, tile after tile from a random one; posts of a
    tile lie in the lanes of a register.
    """
    near, score, tile_vec, tile_post, tile_start = (
        scan.near,
        scan.score,
        serve.tile_vec,
        serve.tile_post,
        serve.tile_start,
    )
    which = arm if len(serve.tile_bias) > 1 else 0
    tile_bias, centre_bias = serve.tile_bias[which], serve.centre_bias[which]
    rules = serve.rules[arm]
    quota, lists = rules.quota[Source.NEAREST], len(tile_start) - 1
    for t in range(serve.centre_vec.shape[0]):
        score8(q, qb, serve.centre_vec, centre_bias, t, near, t * TILE)
    scanned = 0
    for _ in range(min(rules.probes, lists)):
        best = 0
        for k in range(1, lists):
            if near[k] > near[best]:
                best = k
        near[best] = GONE
        first, tiles = tile_start[best], tile_start[best + 1] - tile_start[best]
        shift = int(luck * tiles)
        for i in range(min(tiles, (rules.probe_cap + TILE - 1) // TILE)):
            t = first + (i + shift - tiles if i + shift >= tiles else i + shift)
            score8(q, qb, tile_vec, tile_bias, t, score, scanned * TILE)
            if t == first + tiles - 1:
                for c in range(TILE):
                    if tile_post[t, c] < 0:
                        score[scanned * TILE + c] = GONE
            scan.tile[scanned], scan.at[t] = t, scanned
            scanned += 1
    for s in range(len(seen)):
        if seen[s] >= 0:
            _leave_out(seen[s], serve.tile_of, scan)
    for i in range(n):
        _leave_out(cand[i], serve.tile_of, scan)
    for k in range(_best(scanned * TILE, quota, tile_post, scan)):
        n = _take(_post(scan.best[k], tile_post, scan), Source.NEAREST, cand, source, n, mark)
    for k in range(scanned):
        scan.at[scan.tile[k]] = -1
    return n


@inner
def listed(luck, posts, flag, cand, source, n, quota, mark):
    """Up to ``quota`` unseen posts of a list, from its start (trending) or, with ``luck`` >= 0,
    from a random place."""
    count = len(posts)
    shift = int(luck * count) if luck >= 0 else 0
    limit = n + quota
    for i in range(min(count, 4 * quota)):
        if n >= limit:
            break
        j = i + shift
        n = _take(posts[j - count if j >= count else j], flag, cand, source, n, mark)
    return n


@inlined
def _hold(place, held, count):
    """Enter a place into the ascending ``held``, once; returns how many these are."""
    at = count
    while at > 0 and held[at - 1] >= place:
        at -= 1
    if at < count and held[at] == place:
        return count
    for k in range(count, at, -1):
        held[k] = held[k - 1]
    held[at] = place
    return count + 1


@inner
def drawn(stream, key, session, serve, arm, seen, slots, mark, held, out, flag):
    """Decide which of the first ``slots`` slots show a uniform draw, and draw; returns how many do.

    A slot does with probability ``random_share``, and every slot where the ranking is random: by
    luck of its own, (key, session, slot), which nothing else reads. It shows any of the eligible
    posts that are neither ``seen`` (S,) nor drawn before, each as likely: a rank among them, then
    past all ``held`` (places in the ascending ``eligible``) up to it. Fills ``out`` with posts, -1
    for other slots, and ``flag`` with sources; marks what was drawn.
    """
    eligible, share, every = (
        serve.eligible,
        serve.rules[arm].random_share,
        serve.rules[arm].ranking == Ranking.RANDOM,
    )
    many, count = len(eligible), 0
    for s in range(len(seen)):
        if seen[s] >= 0 and serve.can[seen[s]]:
            count = _hold(np.searchsorted(eligible, seen[s]), held, count)
    found = 0
    for slot in range(slots):
        a, b, _, _ = words(stream, key, session, 2 + slot)
        chosen = unit(a) < share
        out[slot], flag[slot] = -1, Source.RANDOM if chosen else Source.UNIFORM
        if (chosen or every) and count < many:
            place = int(unit(b) * (many - count))
            for k in range(count):
                if held[k] > place:
                    break
                place += 1
            count = _hold(place, held, count)
            out[slot] = eligible[place]
            mark[out[slot]] = True
            found += 1
    return found


@inner
def linked(viewed, links, flag, cand, source, n, quota, mark, can):
    """Up to ``quota`` eligible posts linked to those viewed last: every one's best link first, then
    the second, and so on."""
    limit = n + quota
    for j in range(links.shape[1]):
        for s in range(len(viewed)):
            if n >= limit:
                return n
            if 0 <= viewed[s] < links.shape[0]:
                post = links[viewed[s], j]
                if post >= 0 and can[post]:
                    n = _take(post, flag, cand, source, n, mark)
    return n
