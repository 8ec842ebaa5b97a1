"""Scratch of one thread: everything that a session needs while it is planned, made once and used by
all.

A session that made arrays of its own would spend more time on them than on ranking.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from twin.ground.compiled import making
from twin.kernels.index import TILE
from twin.kernels.respond import HEADS, MANY
from twin.kernels.rules import QUOTAS, Ranking

Array = Any


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


class Room(NamedTuple):
    """Scratch of one thread: of P posts, candidates (R at most), ranking, and a slate (S)."""

    mark: Array  # bool (P,): seen lately or a candidate already; all False between two sessions
    cand: Array  # i8 (R,): candidates
    source: Array  # i1 (R,): see rules.Source
    score: Array  # f4 (R,)
    logits: Array  # f4 (8 R,)
    maker: Array  # i4 (R,): creators of candidates
    cosine: Array  # f4 (R,)
    grid: Array  # f4 (D, R): unit vectors of candidates
    lanes: Array  # f4 (D, 8): the interaction of the person's vector with every head
    base: Array  # f4 (8,)
    user: Array  # f4 (D,)
    query: Array  # f4 (D,)
    scan: Scan
    shown: Array  # i8 (S,): numbers of candidates on the slate
    x: Array  # f8 (MANY,): features of a meeting
    drawn: Array  # i8 (S,): posts of slots that show a uniform draw, else -1
    flag: Array  # i1 (S,): their sources
    held: Array  # i8 (S + seen places,): places that may not be drawn


@making
def empty_room(posts, seen, serve):
    """Scratch for one thread, with a table of so many posts, and so many of them that a person
    remembers; large enough for every arm."""
    quota = np.zeros(len(QUOTAS), np.int64)
    slate, floor, probes, cap = 0, 0, 0, 0
    for arm in range(len(serve.rules)):
        rules = serve.rules[arm]
        slate, floor = max(slate, rules.slate), max(floor, rules.exposure_floor)
        probes, cap = max(probes, rules.probes), max(cap, rules.probe_cap)
        for k in range(len(QUOTAS)):
            quota[k] = max(quota[k], rules.quota[k])
    # the oracle ranks every eligible post
    oracle = serve.rules[0].ranking == Ranking.ORACLE
    # every quota filled, and four candidates for each slot kept for small creators (see `gather`)
    most = max(quota.sum() + 4 * floor, len(serve.eligible) if oracle else 0) + 1
    dim, tiles = serve.interaction.shape[0], probes * (cap // TILE + 1)
    return Room(
        mark=np.zeros(posts, np.bool_),
        cand=np.empty(most, np.int64),
        source=np.empty(most, np.int8),
        score=np.empty(most, np.float32),
        logits=np.empty(HEADS * most, np.float32),
        maker=np.empty(most, np.int32),
        cosine=np.empty(most, np.float32),
        grid=np.empty((dim, most), np.float32),
        lanes=np.empty((dim, HEADS), np.float32),
        base=np.empty(HEADS, np.float32),
        user=np.empty(dim, np.float32),
        query=np.empty(dim, np.float32),
        scan=Scan(
            near=np.empty(len(serve.centre_vec) * TILE, np.float32),
            tile=np.empty(tiles, np.int32),
            at=np.full(len(serve.tile_post), -1, np.int32),
            score=np.empty(tiles * TILE, np.float32),
            place=np.empty(tiles * TILE, np.int32),
            best=np.empty(tiles * TILE, np.int32),
            edge=np.empty(tiles * TILE, np.int32),
            bins=np.empty(128, np.int64),
            bounds=np.empty(2 * TILE, np.float32),
        ),
        shown=np.empty(slate, np.int64),
        x=np.empty(MANY),
        drawn=np.full(slate, -1, np.int64),
        flag=np.empty(slate, np.int8),
        held=np.empty(slate + seen, np.int64),
    )
