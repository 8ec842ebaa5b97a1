"""The sessions of one serving window, replayed in order of their exact times.

Within a window the serving snapshot stands still, and what one session does (counters, social proof, follows) is seen by
the next; so replaying sessions one after another is event-by-event simulation, whether they come as a batch or one by one.

A session: draw the depth of the scan (geometric, from patience), gather candidates, rank, show the slate, respond to what is
examined; who has viewed a work to the end is shown the shelf of what is linked to it. Then the next visit is drawn:

    again today with P(again), after a lognormal gap of at least 30 min, if that is still the same local day;
    else on day +G, G geometric with P = sigmoid(return_logit + effect * (satisfaction - reference)), at an hour drawn
    from the diurnal curve in local time;
    or never: P(leave) = hazard * exp(-k (satisfaction - reference)).

Heterogeneous return_logit across people is what makes the hazard of returning fall (a mixture of geometrics; beta-geometric,
Fader & Hardie 2007).
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from twin.compiled import kernel
from twin.draws import child, unit, words
from twin.kernels.index import TILE
from twin.kernels.ranking import rank, slate, user_vector
from twin.kernels.respond import (
    FOLLOW,
    GLAD,
    HIDE,
    LONG_VIEW,
    MANY,
    REPORT,
    enjoyment,
    features,
    logistic,
    pull,
    respond,
)
from twin.kernels.retrieve import (
    BOUGHT_TOGETHER,
    CO_VIEWED,
    EXPLORE,
    FLOOR,
    IN_NETWORK,
    NEAREST,
    ORACLE,
    Q_CAP,
    Q_FLOOR,
    Q_MODE,
    Q_PROBES,
    Q_SHELF,
    Q_SHELF_KIND,
    Q_SLATE,
    QUOTAS,
    SHELF,
    SOURCES,
    TRENDING,
    VALUE,
    in_network,
    linked,
    listed,
    nearest,
)

Array = Any
DAY, HOUR, NEVER = 86400, 3600, 2**62
GAP_BINS = 15
FAR_DAYS = 1e6
"""Whoever would come back later than this does not."""
(A_SESSIONS, A_IMPRESSIONS_HUMAN, A_IMPRESSIONS_AI, A_ENJOYED, A_SATISFACTION, A_LEFT, A_CANDIDATES, A_MATCH, A_QUALITY,
 A_AROUSAL, A_POPULARITY, A_CROSS, A_REGRET, A_LABELLED, A_WORKS, A_SOURCES) = range(16)
A_HEADS_HUMAN = A_SOURCES + len(SOURCES)
A_HEADS_AI = A_HEADS_HUMAN + 8
A_HOURS = A_HEADS_AI + 8
A_GAPS = A_HOURS + 24
A_SIZE = A_GAPS + GAP_BINS


class Log(NamedTuple):
    """The interaction log since the last retrain: all that the recommender learns from."""

    consumer: Array  # i4
    post: Array  # i4
    responses: Array  # u2 bit mask of the eight heads
    place: Array  # u1
    source: Array  # u1, see retrieve
    via: Array  # i4, the work on whose shelf it hung, else -1
    size: Array  # i8 (1,)


class Behaviour(NamedTuple):
    """Parameters of people: coefficients (9, 9), scalars, the diurnal curve's inverse, streams."""

    coefficients: Array  # f8 (9 responses, 1 + MANY features)
    number: Array  # f8, see N_*
    shows: Array  # f8 (A, 2): whether like counts and ratings are shown, by arm
    hours: Array  # f8 (25,) cumulated share of sessions by local hour
    streams: Array  # u8: session, visit, response


(N_CONTINUE, N_AGAIN, N_GAP_LOG_MEAN, N_GAP_LOG_SD, N_RETURN_EFFECT, N_REFERENCE, N_LEAVE, N_LEAVE_EFFECT, N_LEARN, N_TOLERANCE,
 N_REPULSION, N_SHELF) = range(12)


@kernel
def hour_of(u, hours):
    """Second of the local day at cumulated diurnal share u."""
    h = 0
    while h < 23 and hours[h + 1] <= u:
        h += 1
    inside = (u - hours[h]) / max(hours[h + 1] - hours[h], 1e-12)
    return h * HOUR + min(int(inside * HOUR), HOUR - 1)


@kernel
def next_visit(row, t, people, behaviour, earliest):
    """Time of a person's next session, or NEVER; moves the visit's own luck with the session count."""
    number = behaviour.number
    a, b, c, d = words(behaviour.streams[1], people.key[row], people.sessions[row], 0)
    mood = people.satisfaction[row] - number[N_REFERENCE]
    leave = number[N_LEAVE] * math.exp(-number[N_LEAVE_EFFECT] * mood)
    e, f, _, _ = words(behaviour.streams[1], people.key[row], people.sessions[row], 1)
    if unit(e) < leave:
        return NEVER
    local = t + people.tz[row] * HOUR
    day = local // DAY
    if unit(a) < number[N_AGAIN]:
        normal = math.sqrt(-2 * math.log(unit(b))) * math.cos(2 * math.pi * unit(c))
        later = local + max(earliest, int(math.exp(number[N_GAP_LOG_MEAN] + number[N_GAP_LOG_SD] * normal)))
        if later // DAY == day:
            return t + (later - local)
    p = logistic(people.return_logit[row] + number[N_RETURN_EFFECT] * mood)
    days = 1 + int(min(math.log(unit(d)) / math.log1p(-min(p, 0.999999)), FAR_DAYS))
    return max(t + earliest, t - local + (day + days) * DAY + hour_of(unit(f), behaviour.hours))


@kernel
def follows(row, creator, graph):
    """Whether a person follows a creator already."""
    if row < len(graph.start) - 1:
        for e in range(graph.start[row], graph.start[row + 1]):
            if graph.target[e] == creator:
                return True
    edge = graph.pending_head[row] if row < len(graph.pending_head) else -1
    while edge >= 0:
        if graph.pending_creator[edge] == creator:
            return True
        edge = graph.pending_next[edge]
    return False


@kernel
def unfollow(row, creator, graph):
    """Drop a follow if there is one."""
    if row < len(graph.start) - 1:
        for e in range(graph.start[row], graph.start[row + 1]):
            if graph.target[e] == creator:
                graph.target[e] = -1
    edge = graph.pending_head[row] if row < len(graph.pending_head) else -1
    while edge >= 0:
        if graph.pending_creator[edge] == creator:
            graph.pending_creator[edge] = -1
        edge = graph.pending_next[edge]


@kernel
def links_of(kind, serve):
    """The links that a shelf of a kind shows."""
    return serve.co_viewed if kind == 0 else serve.bought_together if kind == 1 else serve.random_links


@kernel
def browse(rows, people, posts, makers, serve, graph, log, behaviour, mark, stamp, total, min_wake):
    """Replay one session per row, in the order given, each at the row's own ``next_at``.

    Writes people, post counters, follows, log, ``total`` (running sums, see A_*), ``mark``; ``stamp`` (1,) counts sessions.
    """
    eligible = len(serve.eligible)
    most = np.zeros(serve.whole.shape[1], np.int64)
    for k in range(serve.whole.shape[1]):
        most[k] = serve.whole[:, k].max()
    oracle = serve.whole[0, Q_MODE] == ORACLE
    room = int(max(most[:len(QUOTAS)].sum() + 4 * most[Q_FLOOR], eligible if oracle else 0)) + 1
    cand, source = np.empty(room, np.int64), np.empty(room, np.int8)
    score, logits = np.empty(room, np.float32), np.empty(8 * room, np.float32)
    dim = serve.interaction.shape[0]
    lanes, q = np.empty((dim, 8), np.float32), np.empty(dim, np.float32)
    near, grid = np.empty(len(serve.tile_start) - 1, np.float32), np.empty((dim, room), np.float32)
    scanned = int(most[Q_PROBES] * (most[Q_CAP] + TILE)) + 1
    near_score, near_post, bins = np.empty(scanned, np.float32), np.empty(scanned, np.int64), np.empty(128, np.int64)
    shown, maker = np.empty(int(most[Q_SLATE]), np.int64), np.empty(room, np.int32)
    x, u = np.empty(MANY), np.empty(dim, np.float32)
    number, coefficients = behaviour.number, behaviour.coefficients
    log_continue, log_shelf = math.log(number[N_CONTINUE]), math.log(number[N_SHELF])
    seen_size = people.seen.shape[1]
    for row in rows:
        t = people.next_at[row]
        arm = people.arm[row]
        quota, query = serve.whole[arm], serve.query[arm]
        stamp[0] += 1
        tag = stamp[0]
        occasion = people.sessions[row]
        w0, w1, w2, w3 = words(behaviour.streams[0], people.key[row], occasion, 0)
        local = t + people.tz[row] * HOUR
        day = local // DAY
        total[A_SESSIONS] += 1
        total[A_HOURS + (local % DAY) // HOUR] += 1
        if people.last_day[row] >= 0 and day > people.last_day[row]:
            total[A_GAPS + min(day - people.last_day[row], GAP_BINS) - 1] += 1
        people.last_day[row] = day

        for s in range(seen_size):
            if people.seen[row, s] >= 0:
                mark[people.seen[row, s]] = tag
        n = 0
        if oracle:
            for i in range(eligible):
                post = serve.eligible[i]
                if mark[post] != tag:
                    cand[n], source[n] = post, NEAREST
                    score[n] = enjoyment(row, post, people, posts, makers, behaviour.shows[arm], coefficients, x)
                    n += 1
        else:
            bias = user_vector(row, arm, serve, u)
            n = in_network(row, unit(w1), serve, quota, graph, cand, source, n, n + quota[IN_NETWORK], mark, tag)
            if quota[NEAREST] > 0 and quota[Q_MODE] == VALUE:
                for d in range(dim):
                    q[d] = u[d] * query[d]
                n = nearest(q, query[dim], unit(w2), serve, quota, cand, source, n, mark, tag, near,
                            near_score, near_post, bins)
            n = listed(-1.0, serve.trending, TRENDING, cand, source, n, quota[TRENDING], mark, tag)
            n = listed(unit(w3), serve.fresh, EXPLORE, cand, source, n, quota[EXPLORE], mark, tag)
            if quota[CO_VIEWED] > 0:
                n = linked(people.viewed[row], serve.co_viewed, CO_VIEWED, cand, source, n, quota[CO_VIEWED], mark, tag, serve.can)
            if quota[BOUGHT_TOGETHER] > 0:
                n = linked(people.viewed[row], serve.bought_together, BOUGHT_TOGETHER, cand, source, n, quota[BOUGHT_TOGETHER], mark, tag,
                           serve.can)
            if quota[Q_FLOOR] > 0:
                n = listed(unit(w3), serve.small, FLOOR, cand, source, n, 4 * quota[Q_FLOOR], mark, tag)
            rank(row, u, bias, arm, child(people.key[row], occasion), serve, cand, source, n, lanes, logits, score)
        total[A_CANDIDATES] += n
        # only what the person will look at is picked: the slate is filled from the top, so the rest would not change it
        depth = slate(serve, arm, cand, source, n, score, maker, grid, shown, 1 + int(math.log(unit(w0)) / log_continue))
        glad, hurt, via, place, look, nth, links = 0, 0, -1, 0, 0, 0, serve.co_viewed
        while True:
            if place < depth:
                c = shown[place]
                post, flag, on, same = cand[c], source[c], -1, 0
                creator = maker[c]
                for earlier in range(place):
                    if maker[shown[earlier]] == creator:
                        same += 1
            else:
                post, flag, on, same = -1, SHELF, via, 0
                while look > 0 and nth < links.shape[1] and post < 0:
                    post = links[via, nth]
                    nth += 1
                    if post >= 0 and not serve.can[post]:
                        post = -1
                    for s in range(seen_size):
                        if people.seen[row, s] == post:
                            post = -1
                if post < 0:
                    break
                look -= 1
                creator = posts.creator[post]
            features(row, post, same, place, people, posts, makers, behaviour.shows[arm], x)
            mask = respond(row, post, behaviour.streams[2], people, posts, coefficients, x, flag != IN_NETWORK)
            if mask >> FOLLOW & 1:
                if follows(row, creator, graph):
                    mask &= ~(1 << FOLLOW)
                else:
                    edge = graph.pending_count[0]
                    graph.pending_creator[edge] = creator
                    graph.pending_next[edge] = graph.pending_head[row]
                    graph.pending_head[row] = edge
                    graph.pending_count[0] = edge + 1
            if mask >> HIDE & 1:
                hurt += 1 + (mask >> REPORT & 1)
                unfollow(row, creator, graph)
            if mask >> GLAD & 1:
                glad += 1
                posts.enjoyed[post] += 1
            elif mask & 1:
                total[A_REGRET] += 1
            ai = makers.ai[creator]
            total[A_POPULARITY] += posts.impressions[post]
            posts.impressions[post] += 1
            base = A_HEADS_AI if ai else A_HEADS_HUMAN
            total[A_IMPRESSIONS_AI if ai else A_IMPRESSIONS_HUMAN] += 1
            for h in range(8):
                if mask >> h & 1:
                    posts.counts[post, h] += 1
                    total[base + h] += 1
            slant, opinion = np.float64(posts.slant[post]), people.opinion[row]
            total[A_SOURCES + flag] += 1
            total[A_MATCH] += x[0]
            total[A_QUALITY] += x[1]
            total[A_AROUSAL] += x[4]
            total[A_LABELLED] += x[8]
            total[A_CROSS] += 1 if slant * opinion < 0 else 0
            people.stance[row, 1 if slant > 0 else 0] += 1
            people.pull_sum[row] += pull(opinion, slant, number[N_TOLERANCE], number[N_REPULSION])
            people.pull_count[row] += 1
            at = log.size[0]
            log.consumer[at], log.post[at] = row, post
            log.responses[at], log.place[at] = mask & 255, place
            log.source[at], log.via[at] = flag, on
            log.size[0] = at + 1
            people.seen[row, people.seen_at[row]] = post
            people.seen_at[row] = (people.seen_at[row] + 1) % seen_size
            if mask >> LONG_VIEW & 1:
                people.viewed[row, people.viewed_at[row]] = post
                people.viewed_at[row] = (people.viewed_at[row] + 1) % people.viewed.shape[1]
            if posts.work[post]:
                total[A_WORKS] += 1
                if mask >> LONG_VIEW & 1 and place < depth:
                    via = post
            place += 1
            if place == depth and 0 <= via < links.shape[0] and quota[Q_SHELF] > 0 and quota[Q_SHELF_KIND] < 3:
                links = links_of(quota[Q_SHELF_KIND], serve)
                z0, _, _, _ = words(behaviour.streams[0], people.key[row], occasion, 1)
                look = min(int(math.log(unit(z0)) / log_shelf), quota[Q_SHELF])

        joy = glad / place if place else 0.0
        people.satisfaction[row] += number[N_LEARN] * (joy - 0.5 * hurt - people.satisfaction[row])
        total[A_ENJOYED] += glad
        total[A_SATISFACTION] += people.satisfaction[row]
        people.sessions[row] = occasion + 1
        people.next_at[row] = next_visit(row, t, people, behaviour, min_wake)
        if people.next_at[row] == NEVER:
            people.active[row] = False
            people.left_at[row] = t
            total[A_LEFT] += 1
