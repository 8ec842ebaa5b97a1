"""What a session will look at: candidates, ranking and slate, and a guess at the responses.

All of that but the guess depends on the serving snapshot and on the person's own row alone, which
no other session of the window changes; so sessions can be planned in any order, on any thread,
before their turn. A guess rests on the likes that a post has when it is made; it holds until the
post has more than ``likes_until`` (see `respond`), and likes only grow within a window.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from twin.ground.compiled import inlined, inner, making
from twin.ground.draws import unit, words
from twin.kernels.index import TILE
from twin.kernels.lanes import fetch, glance
from twin.kernels.ranking import rank, slate, user_vector
from twin.kernels.respond import (
    CLICK,
    GLAD,
    LIKE,
    MANY,
    enjoyment,
    features,
    likes_until,
    logistic,
    respond,
    utility,
)
from twin.kernels.retrieve import Scan, drawn, in_network, linked, listed, nearest
from twin.kernels.rules import QUOTAS, Ranking, Source

Array = Any
HEADS = 8


class Behaviour(NamedTuple):
    """Parameters of people: coefficients (9, 9), scalars, the diurnal curve's inverse, streams."""

    coefficients: Array  # f8 (9 responses, 1 + MANY features)
    reach: Array  # f8 (9,), see `respond.reaches`
    number: Array  # f8, see N_*
    shows: Array  # f8 (A, 2): whether like counts and ratings are shown, by arm
    hours: Array  # f8 (25,) cumulated share of sessions by local hour
    # f8: cumulated weight of local days, the day before the world began first; (0,) where all are
    # alike
    days: Array
    streams: Array  # u8: session, visit, response


(
    N_CONTINUE,
    N_AGAIN,
    N_GAP_LOG_MEAN,
    N_GAP_LOG_SD,
    N_RETURN_EFFECT,
    N_REFERENCE,
    N_LEAVE,
    N_LEAVE_EFFECT,
    N_LEARN,
    N_TOLERANCE,
    N_REPULSION,
    N_SHELF,
    N_PATIENCE,
    N_KEEP,
    N_CHURN_A,
    N_CHURN_B,
) = range(16)


class Plan(NamedTuple):
    """Planned sessions (n) with at most S posts, those of the slate first, then those of a shelf,
    which come when the session happens."""

    depth: Array  # i4 (n,): posts of the slate that will be looked at
    shown: Array  # i4 (n,): posts that were looked at, with those of the shelf
    many: Array  # i4 (n,): candidates
    post: Array  # i4 (n, S)
    source: Array  # i1 (n, S)
    maker: Array  # i4 (n, S)
    same: Array  # i4 (n, S): posts of this creator shown before in the session
    mask: Array  # u2 (n, S): responses, as guessed, then as they were
    until: Array  # i4 (n, S): the most likes of the post at which the guess holds
    match: Array  # f8 (n, S)


class Room(NamedTuple):
    """Scratch of one thread: candidates (R at most), ranking, slate (S)."""

    mark: Array  # bool (P,): seen lately or a candidate already; all False between two sessions
    cand: Array  # i8 (R,)
    source: Array  # i1 (R,)
    score: Array  # f4 (R,)
    logits: Array  # f4 (8 R,)
    maker: Array  # i4 (R,)
    cosine: Array  # f4 (R,)
    grid: Array  # f4 (D, R)
    lanes: Array  # f4 (D, 8)
    base: Array  # f4 (8,)
    user: Array  # f4 (D,)
    query: Array  # f4 (D,)
    scan: Scan
    shown: Array  # i8 (S,)
    x: Array  # f8 (MANY,)
    drawn: Array  # i8 (S,): posts of slots that show a uniform draw, else -1
    flag: Array  # i1 (S,): their sources
    held: Array  # i8 (.,): places that may not be drawn


def empty_plan(sessions: int, serve: Any) -> Plan:
    """Room for the plans of so many sessions."""
    most = 0
    for arm in range(len(serve.rules)):
        rules = serve.rules[arm]
        most = max(most, rules["slate"] + rules["shelf_size"])  # Python reads a record so
    shape = (sessions, most)
    return Plan(
        np.empty(sessions, np.int32),
        np.empty(sessions, np.int32),
        np.empty(sessions, np.int32),
        np.empty(shape, np.int32),
        np.empty(shape, np.int8),
        np.empty(shape, np.int32),
        np.empty(shape, np.int32),
        np.empty(shape, np.uint16),
        np.empty(shape, np.int32),
        np.empty(shape, np.float64),
    )


one_plan = making(empty_plan)


@making
def empty_room(posts, seen, serve):
    """Scratch for one thread, with a table of so many posts, and so many of them that a person
    remembers."""
    quota = np.zeros(len(QUOTAS), np.int64)
    slate, floor, probes, cap = 0, 0, 0, 0
    for arm in range(len(serve.rules)):
        rules = serve.rules[arm]
        slate, floor = max(slate, rules.slate), max(floor, rules.exposure_floor)
        probes, cap = max(probes, rules.probes), max(cap, rules.probe_cap)
        for k in range(len(QUOTAS)):
            quota[k] = max(quota[k], rules.quota[k])
    oracle = serve.rules[0].ranking == Ranking.ORACLE
    room = max(quota.sum() + 4 * floor, len(serve.eligible) if oracle else 0) + 1
    dim, tiles = serve.interaction.shape[0], probes * (cap // TILE + 1)
    scan = Scan(
        np.empty(len(serve.centre_vec) * TILE, np.float32),
        np.empty(tiles, np.int32),
        np.full(len(serve.tile_post), -1, np.int32),
        np.empty(tiles * TILE, np.float32),
        np.empty(tiles * TILE, np.int32),
        np.empty(tiles * TILE, np.int32),
        np.empty(tiles * TILE, np.int32),
        np.empty(128, np.int64),
        np.empty(2 * TILE, np.float32),
    )
    return Room(
        np.zeros(posts, np.bool_),
        np.empty(room, np.int64),
        np.empty(room, np.int8),
        np.empty(room, np.float32),
        np.empty(HEADS * room, np.float32),
        np.empty(room, np.int32),
        np.empty(room, np.float32),
        np.empty((dim, room), np.float32),
        np.empty((dim, HEADS), np.float32),
        np.empty(HEADS, np.float32),
        np.empty(dim, np.float32),
        np.empty(dim, np.float32),
        scan,
        np.empty(slate, np.int64),
        np.empty(MANY),
        np.full(slate, -1, np.int64),
        np.empty(slate, np.int8),
        np.empty(slate + seen, np.int64),
    )


@inner
def candidates(row, arm, luck, people, serve, graph, room):
    """Gather and rank what a session may show; ``luck`` are three words. Returns how many."""
    rules, query, mark, cand, source = (
        serve.rules[arm],
        serve.query[arm],
        room.mark,
        room.cand,
        room.source,
    )
    own, near, far = luck
    bias = user_vector(row, arm, serve, room.user)
    n = in_network(
        row, unit(own), serve, rules, graph, cand, source, 0, rules.quota[Source.IN_NETWORK], mark
    )
    if rules.quota[Source.NEAREST] > 0 and rules.ranking == Ranking.VALUE:
        dim = len(room.query)
        for d in range(dim):
            room.query[d] = room.user[d] * query[d]
        n = nearest(
            room.query,
            query[dim],
            unit(near),
            arm,
            serve,
            cand,
            source,
            n,
            mark,
            people.seen[row],
            room.scan,
        )
    n = listed(
        -1.0, serve.trending, Source.TRENDING, cand, source, n, rules.quota[Source.TRENDING], mark
    )
    n = listed(
        unit(far), serve.fresh, Source.EXPLORE, cand, source, n, rules.quota[Source.EXPLORE], mark
    )
    if rules.quota[Source.CO_VIEWED] > 0:
        n = linked(
            people.viewed[row],
            serve.co_viewed,
            Source.CO_VIEWED,
            cand,
            source,
            n,
            rules.quota[Source.CO_VIEWED],
            mark,
            serve.can,
        )
    if rules.quota[Source.BOUGHT_TOGETHER] > 0:
        n = linked(
            people.viewed[row],
            serve.bought_together,
            Source.BOUGHT_TOGETHER,
            cand,
            source,
            n,
            rules.quota[Source.BOUGHT_TOGETHER],
            mark,
            serve.can,
        )
    if rules.exposure_floor > 0:
        n = listed(
            unit(far), serve.small, Source.FLOOR, cand, source, n, 4 * rules.exposure_floor, mark
        )
    rank(
        row,
        room.user,
        bias,
        arm,
        serve,
        cand,
        source,
        n,
        room.lanes,
        room.base,
        room.logits,
        room.score,
    )
    return n


@inner
def everything(row, arm, people, posts, makers, serve, behaviour, room):
    """The oracle's candidates: all eligible posts, by the true chance that the person clicks and is
    glad of it. Returns how many."""
    n = 0
    for post in serve.eligible:
        if not room.mark[post]:
            room.cand[n], room.source[n] = post, Source.NEAREST
            room.score[n] = enjoyment(
                row,
                np.int64(post),
                people,
                posts,
                makers,
                behaviour.shows[arm],
                behaviour.coefficients,
                room.x,
            )
            n += 1
    return n


@inner
def fetch_ahead(at, end, rows, people, serve, graph):
    """Bring near what the next sessions of a thread (up to ``end``) will read of their people's
    rows, which lie far apart in memory: for a large world most of a session's time would be waiting
    for them."""
    if at + 2 < end:
        row = rows[at + 2]
        fetch(serve.user_vec, row)
        fetch(serve.user_bias, row)
        fetch(people.seen, row)
        fetch(people.key, row)
        fetch(people.arm, row)
        fetch(people.sessions, row)
        fetch(people.next_at, row)
        fetch(people.taste, row)
        fetch(people.opinion, row)
        fetch(people.eagerness, row)
        fetch(people.click_shift, row)
        fetch(people.patience_shift, row)
        fetch(people.joined_at, row)
        fetch(people.return_logit, row)
        fetch(people.satisfaction, row)
        fetch(people.last_day, row)
        fetch(people.stance, row)
        fetch(people.pull_sum, row)
        fetch(people.pull_count, row)
        fetch(people.seen_at, row)
        if row < len(graph.start):
            fetch(graph.start, row)
        if row < len(graph.pending_head):
            fetch(graph.pending_head, row)
    if at + 1 < end:
        row = rows[at + 1]
        if row < len(graph.start) - 1:
            fetch(graph.target, graph.start[row])


@inlined
def _looks_on(shift, lately, number):
    """log P(continue) of a person with this shift, where the last posts gave ``lately``; see
    `tired`."""
    logit = (
        math.log(number[N_CONTINUE] / (1 - number[N_CONTINUE]))
        + shift
        + number[N_PATIENCE] * (lately - number[N_REFERENCE])
    )
    return -math.log1p(math.exp(-logit))


@inner
def most_looked_at(luck, shift, number):
    """How many posts of a slate a person with this luck looks at if all are as good as can be.

    A person begins with a patience of -log(luck) and looks at another post as long as any is left;
    a post takes -log P(continue) of it. ``shift`` is the person's own, in log-odds of continuing.
    """
    return 1 + int(math.log(luck) / _looks_on(shift, 1.0, number))


@inner
def tired(row, patience, lately, people, behaviour, x):
    """Patience left after a post with features x, and what the last posts gave: a moving mean of
    the chance to open and enjoy one.

        logit P(continue) = logit(patience) + the person's shift + effect (lately - reference)

    Likes are left out of it, so that how far a person looks is known before the session happens;
    x[5] is used up.
    """
    number, table, x[5] = behaviour.number, behaviour.coefficients, 0.0
    gave = logistic(utility(CLICK, table, x) + people.click_shift[row]) * logistic(
        utility(GLAD, table, x)
    )
    lately = number[N_KEEP] * lately + (1 - number[N_KEEP]) * gave
    return patience + _looks_on(np.float64(people.patience_shift[row]), lately, number), lately


@inner
def plan_session(row, at, people, posts, makers, serve, graph, behaviour, plan, room):
    """Plan a person's next session as number ``at`` of the plan. Reads the person's row, writes
    only ``plan`` and ``room``."""
    arm, mark, x = people.arm[row], room.mark, room.x
    w0, w1, w2, w3 = words(behaviour.streams[0], people.key[row], people.sessions[row], 0)
    seen = people.seen
    for s in range(seen.shape[1]):
        if seen[row, s] >= 0:
            mark[seen[row, s]] = True
    # only what the person may look at is picked: the slate is filled from the top, so the rest
    # would not change it
    look = most_looked_at(unit(w0), np.float64(people.patience_shift[row]), behaviour.number)
    slots, by_draw = 0, 0
    if serve.rules[arm].random_share > 0 or serve.rules[arm].ranking == Ranking.RANDOM:
        slots = min(look, serve.rules[arm].slate)
        by_draw = drawn(
            behaviour.streams[0],
            people.key[row],
            people.sessions[row],
            serve,
            arm,
            seen[row],
            slots,
            mark,
            room.held,
            room.drawn,
            room.flag,
        )
    n = 0
    if serve.rules[0].ranking == Ranking.ORACLE:
        n = everything(row, arm, people, posts, makers, serve, behaviour, room)
    elif serve.rules[arm].ranking != Ranking.RANDOM:
        n = candidates(row, arm, (w1, w2, w3), people, serve, graph, room)
    for s in range(seen.shape[1]):
        if seen[row, s] >= 0:
            mark[seen[row, s]] = False
    cand = room.cand
    for i in range(n):
        mark[cand[i]] = False
    for slot in range(slots):
        if room.drawn[slot] >= 0:
            mark[room.drawn[slot]] = False
    ranked = slate(
        serve,
        arm,
        cand,
        room.source,
        n,
        room.score,
        room.maker,
        room.grid,
        room.cosine,
        room.shown,
        min(look, serve.rules[arm].slate) - by_draw,
    )
    depth, slot, nth = ranked + by_draw, 0, 0
    plan.many[at] = n + by_draw
    patience, lately = -math.log(unit(w0)), behaviour.number[N_REFERENCE]
    for place in range(depth):
        while slot < slots and room.drawn[slot] < 0 and nth >= ranked:  # nothing is left to rank
            slot += 1
        if slot < slots and room.drawn[slot] >= 0:
            post, source = room.drawn[slot], room.flag[slot]
            maker = serve.item_creator[post]
        else:
            c = room.shown[nth]
            post, maker, source = cand[c], room.maker[c], room.source[c]
            nth += 1
        slot += 1
        same = 0
        for earlier in range(place):
            if plan.maker[at, earlier] == maker:
                same += 1
        likes = glance(posts.counts, post * HEADS + LIKE)
        features(
            row, post, np.int64(likes), same, place, people, posts, makers, behaviour.shows[arm], x
        )
        mask, slack = respond(
            row,
            post,
            behaviour.streams[2],
            people,
            posts,
            behaviour.coefficients,
            behaviour.reach,
            x,
            source != Source.IN_NETWORK,
        )
        (
            plan.post[at, place],
            plan.source[at, place],
            plan.maker[at, place],
            plan.same[at, place],
        ) = post, source, maker, same
        plan.mask[at, place], plan.match[at, place] = mask, x[0]
        plan.until[at, place] = likes_until(likes, slack)
        if behaviour.number[N_PATIENCE] != 0:
            patience, lately = tired(row, patience, lately, people, behaviour, x)
            if patience <= 0:
                depth = place + 1
                break
    plan.depth[at] = depth
