"""The sessions of one serving window, replayed in order of their exact times.

Within a window the serving snapshot stands still, and what one session does (counters, social
proof, follows) is seen by the next; so replaying sessions one after another is event-by-event
simulation, whether they come as a batch or one by one.

A session: draw the depth of the scan (geometric, from patience), gather candidates, rank, show the
slate (all that is `plan`), respond to what is examined; who has viewed a work to the end is shown
the shelf of what is linked to it. Then the next visit is drawn:

    again today with P(again), after a lognormal gap of at least 30 min, if that is still the same
    local day; else on day +G, G geometric with P = sigmoid(return_logit + effect * (satisfaction -
    reference)), at an hour drawn from the diurnal curve in local time; or never: P(leave) = hazard
    * exp(-k (satisfaction - reference)).

Satisfaction moves by w (enjoyed share - hurt / 2 - satisfaction) with every session, w = max(rate,
1 / (n + 1)) at the n-th: the mean of what was expected and of the sessions so far, until memory is
full.

Heterogeneous return_logit across people is what makes the hazard of returning fall (a mixture of
geometrics; beta-geometric, Fader & Hardie 2007).

So a session has three parts. It is planned, from what no other session of the window changes. It
happens: responses, counters of posts, follows, log; only that goes in order. It is settled: what
the person keeps of it, and the next visit. On several threads each takes chunks of sessions to
plan, then to settle, while one of them lets them happen. The bytes are those of one thread: sums of
fractions go in order, and of what is summed on several threads, all are whole numbers.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from twin.ground.compiled import inlined, inner, kernel
from twin.ground.draws import unit, words
from twin.kernels.lanes import announce, announced, take_turn, wait_until
from twin.kernels.plan import (
    N_AGAIN,
    N_CHURN_A,
    N_CHURN_B,
    N_GAP_LOG_MEAN,
    N_GAP_LOG_SD,
    N_LEARN,
    N_LEAVE,
    N_LEAVE_EFFECT,
    N_REFERENCE,
    N_REPULSION,
    N_RETURN_EFFECT,
    N_SHELF,
    N_TOLERANCE,
    Plan,
    empty_room,
    fetch_ahead,
    one_plan,
    plan_session,
)
from twin.kernels.respond import (
    FOLLOW,
    GLAD,
    HIDE,
    LIKE,
    LONG_VIEW,
    MANY,
    REPORT,
    People,
    features,
    logistic,
    pull,
    respond,
)
from twin.kernels.rules import Shelf, Source
from twin.kernels.totals import GAP_BINS, KEPT, TOTALS, add

Array = Any
DAY, HOUR, NEVER = 86400, 3600, 2**62
FAR_DAYS = 1e6
"""Whoever would come back later than this does not."""


class Log(NamedTuple):
    """The interaction log since the last retrain: all that the recommender learns from."""

    consumer: Array  # i4
    post: Array  # i4
    responses: Array  # u2 bit mask of the eight heads
    place: Array  # u1
    source: Array  # u1, see retrieve
    via: Array  # i4, the work on whose shelf it hung, else -1
    size: Array  # i8 (1,)


@inner
def hour_of(u, hours):
    """Second of the local day at cumulated diurnal share u."""
    h = 0
    while h < 23 and hours[h + 1] <= u:
        h += 1
    inside = (u - hours[h]) / max(hours[h + 1] - hours[h], 1e-12)
    return h * HOUR + min(int(inside * HOUR), HOUR - 1)


@inner
def days_until(wait, day, weights):
    """Days from local ``day`` to the next visit: the first k whose days' weights add up to more
    than ``wait``, which is in days of weight 1. Days beyond the calendar weigh 1."""
    last = len(weights) - 1
    at = min(day + 1, last)
    if last < 0 or weights[last] - weights[at] <= wait:
        known, beyond = (weights[last] - weights[at], last - at) if last >= 0 else (0.0, 0)
        return beyond + 1 + int(min(wait - known, FAR_DAYS))
    low, high = at, last  # weights[low] <= goal < weights[high]
    goal = weights[at] + wait
    while high - low > 1:
        middle = (low + high) // 2
        if weights[middle] > goal:
            high = middle
        else:
            low = middle
    return high - at


@inner
def next_visit(row, t, people, behaviour, earliest):
    """Time of a person's next session, or NEVER; moves the visit's own luck with the session
    count."""
    number = behaviour.number
    a, b, c, d = words(behaviour.streams[1], people.key[row], people.sessions[row], 0)
    mood = people.satisfaction[row] - number[N_REFERENCE]
    leave = number[N_LEAVE]
    if (
        people.joined_at[row] > 0 and number[N_CHURN_A] > 0
    ):  # a newcomer, who may find that this is not for them
        leave += number[N_CHURN_A] / (
            number[N_CHURN_A] + number[N_CHURN_B] + people.sessions[row] - 1
        )
    leave *= math.exp(-number[N_LEAVE_EFFECT] * mood)
    e, f, _, _ = words(behaviour.streams[1], people.key[row], people.sessions[row], 1)
    if unit(e) < leave:
        return NEVER
    local = t + people.tz[row] * HOUR
    day = local // DAY
    again = number[N_AGAIN]
    if again > 0:
        again = logistic(math.log(again / (1 - again)) + number[N_RETURN_EFFECT] * mood)
    if unit(a) < again:
        normal = math.sqrt(-2 * math.log(unit(b))) * math.cos(2 * math.pi * unit(c))
        later = local + max(
            earliest, int(math.exp(number[N_GAP_LOG_MEAN] + number[N_GAP_LOG_SD] * normal))
        )
        if later // DAY == day:
            return t + (later - local)
    p = logistic(people.return_logit[row] + number[N_RETURN_EFFECT] * mood)
    days = days_until(math.log(unit(d)) / math.log1p(-min(p, 0.999999)), day, behaviour.days)
    return max(t + earliest, t - local + (day + days) * DAY + hour_of(unit(f), behaviour.hours))


@inner
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


@inner
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


@inner
def shelf_post(row, links, work, nth, seen, can):
    """The next post on a work's shelf of ``links`` (works, L), from the ``nth`` on, that may be
    shown and was not seen lately (-1: none), and where to look after it."""
    post = -1
    while nth < links.shape[1] and post < 0:
        post = int(links[work, nth])
        nth += 1
        if post >= 0 and not can[post]:
            post = -1
        for s in range(seen.shape[1]):
            if seen[row, s] == post:
                post = -1
    return post, nth


@inlined
def act(row, creator, mask, graph):
    """Follow or unfollow; the mask, without a follow of a creator who is followed already."""
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
        unfollow(row, creator, graph)
    return mask


@inlined
def count(post, mask, match, posts, total):
    """Counters of a post, and running sums of fractions, after one meeting."""
    if mask >> GLAD & 1:
        posts.enjoyed[post] += 1
    total.popularity += posts.impressions[post]
    posts.impressions[post] += 1
    if mask & 255:
        for h in range(8):
            posts.counts[post, h] += mask >> h & 1
    total.match += match
    total.quality += np.float64(posts.quality[post])
    total.arousal += np.float64(posts.arousal[post])


@inlined
def note(row, post, mask, place, source, via, log):
    """One line of the log."""
    at = log.size[0]
    log.consumer[at], log.post[at] = row, post
    log.responses[at], log.place[at] = mask & 255, place
    log.source[at], log.via[at] = source, via
    log.size[0] = at + 1


@inner
def happen(row, at, people, posts, makers, serve, graph, log, behaviour, plan, total, x):
    """Let session number ``at`` of the plan happen. Writes the plan, posts, follows, log, sums of
    fractions, and what was seen."""
    arm, number = people.arm[row], behaviour.number
    rules, likes_shown = serve.rules[arm], behaviour.shows[arm, 0] > 0
    depth, via, place, look, nth = plan.depth[at], -1, 0, 0, 0
    while True:
        again, on = False, -1
        if place >= depth:
            if look <= 0:
                break
            links = serve.random_links if rules.shelf_kind == Shelf.RANDOM else serve.co_viewed
            if rules.shelf_kind == Shelf.BOUGHT_TOGETHER:
                links = serve.bought_together
            post, nth = shelf_post(row, links, via, nth, people.seen, serve.can)
            if post < 0:
                break
            look -= 1
            again, on = True, via
            plan.post[at, place], plan.source[at, place], plan.maker[at, place] = (
                post,
                Source.SHELF,
                posts.creator[post],
            )
            plan.same[at, place] = 0
        post, source = int(np.int64(plan.post[at, place])), int(plan.source[at, place])
        if again or (likes_shown and posts.counts[post, LIKE] > plan.until[at, place]):
            likes, same = np.int64(posts.counts[post, LIKE]), np.int64(plan.same[at, place])
            features(row, post, likes, same, place, people, posts, makers, behaviour.shows[arm], x)
            guess, _ = respond(
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
            plan.mask[at, place], plan.match[at, place] = guess, x[0]
        mask = int(plan.mask[at, place])
        if mask & (1 << FOLLOW | 1 << HIDE):
            mask = act(row, plan.maker[at, place], mask, graph)
            plan.mask[at, place] = mask
        count(post, mask, plan.match[at, place], posts, total)
        note(row, post, mask, place, source, on, log)
        people.seen[row, people.seen_at[row]] = post
        people.seen_at[row] = (people.seen_at[row] + 1) % people.seen.shape[1]
        if posts.work[post] and mask >> LONG_VIEW & 1 and place < depth:
            via = post
        place += 1
        if (
            place == depth
            and 0 <= via < len(serve.co_viewed)
            and rules.shelf_size > 0
            and rules.shelf_kind != Shelf.NONE
        ):
            luck, _, _, _ = words(behaviour.streams[0], people.key[row], people.sessions[row], 1)
            look = min(int(math.log(unit(luck)) / math.log(number[N_SHELF])), rules.shelf_size)
    plan.shown[at] = place


@inlined
def arrive(row, people, total):
    """Count a visit, by local hour and by days since the last."""
    local = people.next_at[row] + people.tz[row] * HOUR
    day = local // DAY
    total.sessions += 1
    total.hours[(local % DAY) // HOUR] += 1
    if people.last_day[row] >= 0 and day > people.last_day[row]:
        total.gaps[min(day - people.last_day[row], GAP_BINS) - 1] += 1
    if people.joined_at[row] > 0:
        if people.sessions[row] == 0:
            total.first += 1
        elif day > people.last_day[row]:
            since = day - (people.joined_at[row] + people.tz[row] * HOUR) // DAY
            for k in range(len(KEPT)):
                if since == KEPT[k]:
                    total.kept[k] += 1
    people.last_day[row] = day


@inlined
def met(row, post, ai, mask, number, people, posts, total):
    """What the person keeps of one meeting: leanings seen, the pull on the opinion, what was viewed
    to the end; and counts of it."""
    slant, opinion = np.float64(posts.slant[post]), people.opinion[row]
    people.stance[row, 1 if slant > 0 else 0] += 1
    people.pull_sum[row] += pull(opinion, slant, number[N_TOLERANCE], number[N_REPULSION])
    people.pull_count[row] += 1
    if mask >> LONG_VIEW & 1:
        people.viewed[row, people.viewed_at[row]] = post
        people.viewed_at[row] = (people.viewed_at[row] + 1) % people.viewed.shape[1]
    if ai:
        total.impressions_ai += 1
    else:
        total.impressions_human += 1
    if mask & 255:
        heads = total.heads_ai if ai else total.heads_human
        for h in range(8):
            heads[h] += mask >> h & 1
    total.regret += 1 if mask & 1 and not mask >> GLAD & 1 else 0
    total.labelled += 1 if posts.labelled[post] else 0
    total.works += 1 if posts.work[post] else 0
    total.cross += 1 if slant * opinion < 0 else 0


@inner
def settle(row, at, people, posts, makers, behaviour, plan, total, min_wake):
    """What a person keeps of the session that happened as number ``at`` of the plan, and the next
    visit. Reads posts, writes the person's row and counts in ``total``."""
    number = behaviour.number
    arrive(row, people, total)
    total.candidates += plan.many[at]
    glad, hurt, shown = 0, 0, plan.shown[at]
    for place in range(shown):
        mask = int(plan.mask[at, place])
        glad += mask >> GLAD & 1
        hurt += (mask >> HIDE & 1) * (1 + (mask >> REPORT & 1))
        total.sources[plan.source[at, place]] += 1
        met(
            row,
            plan.post[at, place],
            makers.ai[plan.maker[at, place]],
            mask,
            number,
            people,
            posts,
            total,
        )
    joy = glad / shown if shown else 0.0
    # what newcomers expected counts as one session: they do not take months to forget it
    weight = max(number[N_LEARN], 1.0 / (people.sessions[row] + 2))
    people.satisfaction[row] += weight * (joy - 0.5 * hurt - people.satisfaction[row])
    total.enjoyed += glad
    people.sessions[row] += 1
    t = people.next_at[row]
    people.next_at[row] = next_visit(row, t, people, behaviour, min_wake)
    if people.next_at[row] == NEVER:
        people.active[row] = False
        people.left_at[row] = t
        total.left += 1


@kernel
def browse(rows, people, posts, makers, serve, graph, log, behaviour, totals, min_wake):
    """Replay one session per row, in the order given, each at the row's own ``next_at``.

    Writes people, post counters, follows, log, and ``totals`` (1,) of TOTALS.
    """
    total = totals[0]
    plan, room, x = (
        one_plan(1, serve),
        empty_room(len(posts.key), people.seen.shape[1], serve),
        np.empty(MANY),
    )
    for at, row in enumerate(rows):
        fetch_ahead(at, len(rows), rows, people, serve, graph)
        plan_session(row, 0, people, posts, makers, serve, graph, behaviour, plan, room)
        happen(row, 0, people, posts, makers, serve, graph, log, behaviour, plan, total, x)
        settle(row, 0, people, posts, makers, behaviour, plan, total, min_wake)
        total.satisfaction += people.satisfaction[row]


class Share(NamedTuple):
    """How threads share the sessions of a window: in chunks, that are planned, happen, and are
    settled."""

    chunk: int
    plan: Plan
    stage: Array  # i8 (chunks,): 1 planned, 2 happened
    turn: Array  # i8 (3,): the next chunk to plan, the next to settle, and seats taken
    total: Array  # TOTALS (threads,): what each thread counted


def share(sessions: int, chunk: int, threads: int, plan: Plan) -> Share:
    """Nothing is done yet."""
    return Share(
        chunk,
        plan,
        np.zeros(-(-sessions // chunk), np.int64),
        np.zeros(3, np.int64),
        np.zeros(threads, TOTALS),
    )


@inner
def plan_chunk(k, rows, people, posts, makers, serve, graph, behaviour, shared, room):
    """Plan the sessions of chunk k, and say that they are."""
    end = min((k + 1) * shared.chunk, len(rows))
    for at in range(k * shared.chunk, end):
        fetch_ahead(at, end, rows, people, serve, graph)
        plan_session(
            rows[at], at, people, posts, makers, serve, graph, behaviour, shared.plan, room
        )
    announce(shared.stage, k)


@inner
def lead(rows, people, posts, makers, serve, graph, log, behaviour, shared, total, room):
    """Let chunks happen in order, and plan the next one where it would have to wait."""
    k, chunks = 0, len(shared.stage)
    while k < chunks:
        if announced(shared.stage, k) == 0:
            mine = take_turn(shared.turn, 0)
            if mine < chunks:
                plan_chunk(mine, rows, people, posts, makers, serve, graph, behaviour, shared, room)
            else:  # another thread is about to be done with it
                wait_until(shared.stage, k, 1)
            continue
        for at in range(k * shared.chunk, min((k + 1) * shared.chunk, len(rows))):
            happen(
                rows[at],
                at,
                people,
                posts,
                makers,
                serve,
                graph,
                log,
                behaviour,
                shared.plan,
                total,
                room.x,
            )
        announce(shared.stage, k)
        k += 1


@kernel
def browse_shared(
    leads, rows, people, posts, makers, serve, graph, log, behaviour, shared, totals, min_wake
):
    """`browse` by several threads, each in a call of its own: one leads, the others plan chunks
    until none is left; all settle. What `collect` adds is left to it."""
    room, chunks = empty_room(len(posts.key), people.seen.shape[1], serve), len(shared.stage)
    if leads:
        lead(rows, people, posts, makers, serve, graph, log, behaviour, shared, totals[0], room)
    else:
        k = take_turn(shared.turn, 0)
        while k < chunks:
            plan_chunk(k, rows, people, posts, makers, serve, graph, behaviour, shared, room)
            k = take_turn(shared.turn, 0)
    counted = shared.total[take_turn(shared.turn, 2)]
    k = take_turn(shared.turn, 1)
    while k < chunks:
        wait_until(shared.stage, k, 2)
        for at in range(k * shared.chunk, min((k + 1) * shared.chunk, len(rows))):
            settle(rows[at], at, people, posts, makers, behaviour, shared.plan, counted, min_wake)
        k = take_turn(shared.turn, 1)


@kernel
def _content(rows, people, totals):
    """Add the satisfaction of those who were here, in order."""
    total = totals[0]
    for row in rows:
        total.satisfaction += people.satisfaction[row]


def collect(rows: Array, people: People, shared: Share, totals: Array) -> None:
    """Add what the threads counted, and the satisfaction of those who were here, in order."""
    add(totals, shared.total)
    _content(rows, people, totals)
