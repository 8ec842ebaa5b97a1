"""The serving index: which posts are eligible, and the lists that candidate sources read.

Inverted lists: every eligible post belongs to the nearest of K centroids (squared distance over the
vector and the bias); the centroids are moved by Lloyd's iterations when embeddings are synced,
starting from the last ones. Trending is a decayed count of clicks. All sums run in row order.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from twin.ground.compiled import kernel
from twin.kernels.lanes import far8
from twin.kernels.orders import best, grouped, ordered, seldom, trends

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
    trend_clicks: Array  # i4: clicks at the last snapshot
    trend: Array  # f4: decayed clicks
    cluster: Array  # i4
    creator: Array  # i4
    impressions: Array  # i4
    key: Array  # u8


class Owners(NamedTuple):
    """Columns of creators by which a post is by a small one."""

    followers: Array  # i4
    entered_at: Array  # i8 s


class Rules(NamedTuple):
    """What the lists of a snapshot follow from beside the posts."""

    now: int  # s
    expiry: int  # s
    work_expiry: int  # s
    decay: Any  # f4: factor on trending scores since the last snapshot
    lists: int  # inverted lists
    few: int  # followers up to which a creator is small
    since: int  # s: creators who entered after it are small, too
    most: int  # trending posts
    below: int  # impressions below which a post may be explored


class Orders(NamedTuple):
    """Rows of posts in two orders of a snapshot, from which sorting for the next one starts."""

    newest: Array  # i4: the newest first
    small: Array  # i4: of small creators, by their keys


class Published(NamedTuple):
    """The lists of a snapshot: rows of posts i4, where not said otherwise."""

    eligible: Array
    newest: Array  # the same, the newest first
    list_start: Array  # i4 (lists + 1,)
    list_post: Array
    creator_start: Array  # i4 (creators + 1,)
    creator_post: Array
    trending: Array
    fresh: Array  # seldom seen
    can: Array  # bool (P,): eligible
    by_small: Array  # bool (P,): of a small creator
    small: Array  # of small creators, by their keys, which are hashes: a random order


@kernel
def assign(rows, vec, bias, centroids, cluster):
    """Put each row's post into the list of its nearest centroid: ``cluster`` i4 (P,) is written at
    rows."""
    lists, dim = centroids.shape[0], vec.shape[1]
    # lanes beyond the last list are far from everything
    blocks = np.full(((lists + TILE - 1) // TILE, dim, TILE), OUTSIDE, np.float32)
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
                # strictly nearer: among equals the first list stays
                if far < least:
                    best, least = t * TILE + c, far
        cluster[row] = best


@kernel
def move(rows, vec, bias, centroids, cluster):
    """One Lloyd step: each centroid becomes the mean of its posts; an empty one stays."""
    lists, dim = centroids.shape[0], vec.shape[1]
    # in float64: the sum of a long list would lose digits of its posts in f4
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
def published(posts, creators, rules, former):
    """The lists of a new snapshot, `Published`; brings trending scores up to now. ``former`` are
    the `Orders` of the last snapshot, or empty."""
    rows = eligible_rows(
        posts.alive, posts.born, posts.work, rules.now, rules.expiry, rules.work_expiry
    )
    # first of all: the trending list below is made from these scores
    trends(rows, posts.counts[:, 0], posts.trend_clicks, posts.trend, rules.decay)
    can, by_small = np.zeros(len(posts.alive), np.bool_), np.zeros(len(posts.alive), np.bool_)
    for row in rows:
        can[row] = True
    for row in range(len(by_small)):
        c = posts.creator[row]
        few = c >= 0 and creators.followers[c] <= rules.few
        by_small[row] = few or (c >= 0 and creators.entered_at[c] > rules.since)
    newest = ordered(rows, can, -posts.born, former.newest)
    # grouping keeps the order: within a list, and within a creator, the newest post comes first
    list_start, list_post = grouped(newest, posts.cluster, rules.lists)
    creator_start, creator_post = grouped(newest, posts.creator, len(creators.followers))
    trending = best(rows, posts.trend, rules.most)
    fresh = seldom(rows, posts.impressions, rules.below)
    # Numbers with a sign in the order of the keys: `ordered` is compiled for ages, which have one.
    rising = (posts.key ^ np.uint64(1 << 63)).view(np.int64)
    small = ordered(rows[by_small[rows]], can & by_small, rising, former.small)
    return Published(
        eligible=rows,
        newest=newest,
        list_start=list_start,
        list_post=list_post,
        creator_start=creator_start,
        creator_post=creator_post,
        trending=trending,
        fresh=fresh,
        can=can,
        by_small=by_small,
        small=small,
    )
