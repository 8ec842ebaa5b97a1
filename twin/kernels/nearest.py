"""The nearest posts of a two-tower index: score the centroids of inverted lists, scan the lists of
the best ``probes``, keep the best posts.

Posts of a list lie in tiles of eight, so that a vector register scores eight at once. The best of
some hundreds are found by a histogram of scores rather than by sorting, which would cost more than
the scores themselves.
"""

from __future__ import annotations

import numpy as np

from twin.ground.compiled import inner
from twin.kernels.index import TILE
from twin.kernels.lanes import bounds8, score8
from twin.kernels.retrieve import take
from twin.kernels.rules import Source
from twin.kernels.snapshot import GONE


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
    # the range of scores: by lane, then over the lanes
    bounds8(score, held, GONE, bounds)
    low, high = bounds[0], bounds[TILE]
    for c in range(TILE):
        low, high = min(low, bounds[c]), max(high, bounds[TILE + c])
    # equal scores must not divide by zero: they all fall into the first bin
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
    # from the top down to the bin in which the count is reached
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
    # of that bin the best are picked one by one, as many as are missing
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
def _nearest_list(near, lists):
    """The list with the best centroid, which counts no more after that."""
    best = 0
    for k in range(1, lists):
        if near[k] > near[best]:
            best = k
    near[best] = GONE
    return best


@inner
def scan_lists(luck, arm, serve, room):
    """Score the posts of the nearest lists, of each about ``probe_cap``, tile after tile from a
    random one on; returns how many tiles."""
    rules, scan, starts = serve.rules[arm], room.scan, serve.tile_start
    q, qb = room.query, serve.query[arm, len(room.query)]
    # without signals the biases are those of all arms
    which = arm if len(serve.tile_bias) > 1 else 0
    tile_bias, centre_bias = serve.tile_bias[which], serve.centre_bias[which]
    lists, scanned = len(starts) - 1, 0
    for t in range(serve.centre_vec.shape[0]):
        score8(q, qb, serve.centre_vec, centre_bias, t, scan.near, t * TILE)
    for _ in range(min(rules.probes, lists)):
        best = _nearest_list(scan.near, lists)
        first, tiles = starts[best], starts[best + 1] - starts[best]
        # a long list is not scanned to its end: a random start gives all its posts a chance
        shift = int(luck * tiles)
        for i in range(min(tiles, (rules.probe_cap + TILE - 1) // TILE)):
            t = first + (i + shift - tiles if i + shift >= tiles else i + shift)
            score8(q, qb, serve.tile_vec, tile_bias, t, scan.score, scanned * TILE)
            # only the last tile of a list has places beyond its end
            if t == first + tiles - 1:
                for c in range(TILE):
                    if serve.tile_post[t, c] < 0:
                        scan.score[scanned * TILE + c] = GONE
            scan.tile[scanned], scan.at[t] = t, scanned
            scanned += 1
    return scanned


@inner
def nearest(luck, arm, n, seen, serve, room):
    """Append the best posts by q.v + qb*b among those in the nearest lists, as many as the quota,
    none of ``seen`` (S,) or the first n candidates; q is ``room.query`` and qb the arm's weight of
    biases. Returns how many candidates there are."""
    scan, posts = room.scan, serve.tile_post
    scanned = scan_lists(luck, arm, serve, room)
    # a few look-ups here are cheaper than a look at every post that was scanned
    for s in range(len(seen)):
        if seen[s] >= 0:
            _leave_out(seen[s], serve.tile_of, scan)
    for i in range(n):
        _leave_out(room.cand[i], serve.tile_of, scan)
    quota = serve.rules[arm].quota[Source.NEAREST]
    for k in range(_best(scanned * TILE, quota, posts, scan)):
        n = take(_post(scan.best[k], posts, scan), Source.NEAREST, n, room)
    # as the next session expects it
    for k in range(scanned):
        scan.at[scan.tile[k]] = -1
    return n
