"""The serving index: which posts are eligible, and the lists that candidate sources read.

Inverted lists: every eligible post belongs to the nearest of K centroids (squared distance over the
vector and the bias); the centroids are moved by Lloyd's iterations when embeddings are synced,
starting from the last ones. Trending is a decayed count of clicks. All sums run in row order.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from twin.ground.compiled import inner, kernel, making
from twin.kernels.lanes import far8

Array = Any
TILE = 8
"""Posts that are scored at once: a register holds so many floats."""
OUTSIDE = np.float32(1e15)


class Listed(NamedTuple):
    """Columns of posts from which a snapshot is made."""

    alive: Array  # bool
    born: Array  # i8 s
    work: Array  # bool
    counts: Array  # i4 (P, 8), clicks first
    trend_clicks: Array  # i4
    trend: Array  # f4
    cluster: Array  # i4
    creator: Array  # i4
    impressions: Array  # i4
    key: Array  # u8


@kernel
def assign(rows, vec, bias, centroids, cluster):
    """Put each row's post into the list of its nearest centroid: ``cluster`` i4 (P,) is written at
    rows."""
    lists, dim = centroids.shape[0], vec.shape[1]
    blocks = np.full(
        ((lists + TILE - 1) // TILE, dim, TILE), OUTSIDE, np.float32
    )  # lanes beyond the last list are far from everything
    for k in range(lists):
        for d in range(dim):
            blocks[k // TILE, d, k % TILE] = centroids[k, d]
    apart = np.empty(TILE, np.float32)
    for row in rows:
        best, least = 0, np.float32(3e38)
        for t in range(len(blocks)):
            far8(vec, row, blocks, t, apart)
            for c in range(min(TILE, lists - t * TILE)):
                gap = bias[row] - centroids[t * TILE + c, dim]
                far = apart[c] + gap * gap
                if far < least:
                    best, least = t * TILE + c, far
        cluster[row] = best


@kernel
def move(rows, vec, bias, centroids, cluster):
    """One Lloyd step: each centroid becomes the mean of its posts; an empty one stays."""
    lists, dim = centroids.shape[0], vec.shape[1]
    total = np.zeros((lists, dim + 1))
    count = np.zeros(lists, np.int64)
    for row in rows:
        k = cluster[row]
        count[k] += 1
        for d in range(dim):
            total[k, d] += vec[row, d]
        total[k, dim] += bias[row]
    for k in range(lists):
        if count[k]:
            for d in range(dim + 1):
                centroids[k, d] = total[k, d] / count[k]


@kernel
def eligible_rows(alive, born, work, now, expiry, work_expiry):
    """Rows of posts that the feed may show: posted before now and younger than the expiry, which is
    another for works."""
    count = 0
    out = np.empty(len(alive), np.int32)
    for row in range(len(alive)):
        if (
            alive[row]
            and born[row] <= now
            and born[row] > now - (work_expiry if work[row] else expiry)
        ):
            out[count] = row
            count += 1
    return out[:count]


@making
def grouped(rows, group, groups):
    """Counting sort of rows by group: start (groups + 1,) and rows; within a group the order
    stays."""
    start = np.zeros(groups + 1, np.int32)
    for row in rows:
        start[group[row] + 1] += 1
    for g in range(groups):
        start[g + 1] += start[g]
    place = start[:-1].copy()
    out = np.empty(len(rows), np.int32)
    for row in rows:
        out[place[group[row]]] = row
        place[group[row]] += 1
    return start, out


@inner
def trends(rows, clicks, last, score, decay):
    """Decay the trending scores and add the clicks since the last refresh."""
    for row in rows:
        score[row] = score[row] * decay + (clicks[row] - last[row])
        last[row] = clicks[row]


@making
def best(rows, score, count):
    """The ``count`` rows of highest score, best first; ties to the earlier row."""
    held = 0
    out = np.empty(min(count, len(rows)), np.int32)
    for row in rows:
        if held == len(out) and (held == 0 or score[row] <= score[out[held - 1]]):
            continue
        at = held if held < len(out) else held - 1
        while at > 0 and score[out[at - 1]] < score[row]:
            out[at] = out[at - 1]
            at -= 1
        out[at] = row
        held = min(held + 1, len(out))
    return out[:held]


@making
def seldom(rows, impressions, below):
    """Rows with fewer than ``below`` impressions: the exploration pool."""
    count = 0
    out = np.empty(len(rows), np.int32)
    for row in rows:
        if impressions[row] < below:
            out[count] = row
            count += 1
    return out[:count]


@kernel
def tiles(start, rows, vec, bias):
    """Grouped rows in tiles of TILE, the last of a group filled up with -1: where each group's
    tiles begin i4 (groups + 1,), rows i4 (T, TILE), vectors f4 (T, D, TILE), biases f4 (T,
    TILE)."""
    groups, dim = len(start) - 1, vec.shape[1]
    first = np.zeros(groups + 1, np.int32)
    for g in range(groups):
        first[g + 1] = first[g] + (start[g + 1] - start[g] + TILE - 1) // TILE
    row_of = np.full((first[groups], TILE), -1, np.int32)
    vec_of, bias_of = (
        np.zeros((first[groups], dim, TILE), np.float32),
        np.zeros((first[groups], TILE), np.float32),
    )
    for g in range(groups):
        for j in range(start[g + 1] - start[g]):
            t, c, row = first[g] + j // TILE, j % TILE, rows[start[g] + j]
            row_of[t, c], bias_of[t, c] = row, bias[row]
            for d in range(dim):
                vec_of[t, d, c] = vec[row, d]
    return first, row_of, vec_of, bias_of


@kernel
def places(tile_post, posts):
    """Where each of so many posts lies among tiles: tile * TILE + lane i4 (P,), -1 where it does
    not."""
    out = np.full(posts, -1, np.int32)
    for t in range(len(tile_post)):
        for c in range(TILE):
            if tile_post[t, c] >= 0:
                out[tile_post[t, c]] = t * TILE + c
    return out


@kernel
def by_ai(ai, creator):
    """bool (P,): whether the creator of a post is an AI (of one without a creator, what the first
    creator is)."""
    out = np.empty(len(creator), np.bool_)
    for row in range(len(creator)):
        out[row] = ai[max(creator[row], 0)]
    return out


@kernel
def ordered(rows, inside, by, former):
    """``rows`` (rising) sorted by (``by``, row). ``inside`` bool (P,) marks them; ``former`` is an
    earlier order or empty: the more alike the two are, the faster it goes."""
    n = len(rows)
    missing = inside.copy()
    kept = np.empty(n, np.int32)
    old = 0
    for row in former:
        if row < len(missing) and missing[row]:
            missing[row] = False
            kept[old] = row
            old += 1
    fresh = np.empty(n - old, np.int32)
    new = 0
    for row in rows if len(fresh) else rows[:0]:
        if missing[row]:
            fresh[new] = row
            new += 1
    if new > 1:
        fresh = fresh[np.argsort(by[fresh], kind="mergesort")]
    out = np.empty(n, np.int32)
    i = j = 0
    for k in range(n):  # merge the new into the old
        take_new = j < new
        if take_new and i < old:
            one, other = by[fresh[j]], by[kept[i]]
            take_new = one < other or (one == other and fresh[j] < kept[i])
        row = fresh[j] if take_new else kept[i]
        if take_new:
            j += 1
        else:
            i += 1
        place = k
        while place > 0 and (
            by[out[place - 1]] > by[row] or (by[out[place - 1]] == by[row] and out[place - 1] > row)
        ):
            out[place] = out[place - 1]  # only where a former row has another value now
            place -= 1
        out[place] = row
    return out


@kernel
def published(
    posts,
    now,
    expiry,
    work_expiry,
    decay,
    lists,
    followers,
    entered,
    few,
    since,
    most,
    below,
    former,
    former_small,
):
    """All lists of a new snapshot; brings trending scores up to now.

    Returns eligible rows; these, the newest first; those by list and by creator (starts and rows
    each); trending ones (``most``); those seen fewer than ``below`` times; bool (P,) which are
    eligible and which are by a small creator (``few`` followers at most, or entered after
    ``since``); and those of small creators in the order of their keys, which are hashes: a random
    order. ``former`` and ``former_small`` are the two orders of the last snapshot.
    """
    rows = eligible_rows(posts.alive, posts.born, posts.work, now, expiry, work_expiry)
    trends(rows, posts.counts[:, 0], posts.trend_clicks, posts.trend, decay)
    can, by_small = np.zeros(len(posts.alive), np.bool_), np.zeros(len(posts.alive), np.bool_)
    for row in rows:
        can[row] = True
    for row in range(len(by_small)):
        c = posts.creator[row]
        by_small[row] = c >= 0 and (followers[c] <= few or entered[c] > since)
    newest = ordered(rows, can, -posts.born, former)
    list_start, list_post = grouped(newest, posts.cluster, lists)
    creator_start, creator_post = grouped(newest, posts.creator, len(followers))
    trending = best(rows, posts.trend, most)
    fresh = seldom(rows, posts.impressions, below)
    rising = (posts.key ^ np.uint64(1 << 63)).view(
        np.int64
    )  # numbers with a sign, in the order of the keys: as ages have one
    small = ordered(rows[by_small[rows]], can & by_small, rising, former_small)
    return (
        rows,
        newest,
        list_start,
        list_post,
        creator_start,
        creator_post,
        trending,
        fresh,
        can,
        by_small,
        small,
    )
