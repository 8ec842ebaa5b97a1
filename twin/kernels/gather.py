"""Candidates of one session, from all sources, each as many as its quota; for the oracle, all
eligible posts."""

from __future__ import annotations

import numpy as np

from twin.ground.compiled import inlined, inner
from twin.ground.draws import unit
from twin.kernels.lanes import fetch
from twin.kernels.nearest import nearest
from twin.kernels.ranking import rank, user_vector
from twin.kernels.respond import enjoyment
from twin.kernels.retrieve import in_network, linked, listed
from twin.kernels.rules import Ranking, Source


@inlined
def mark_seen(seen, marked, room):
    """Set the mark of the posts seen lately."""
    for s in range(len(seen)):
        if seen[s] >= 0:
            room.mark[seen[s]] = marked


@inlined
def unmark(n, slots, room):
    """Take the marks off n candidates and what was drawn for ``slots`` slots."""
    for i in range(n):
        room.mark[room.cand[i]] = False
    for slot in range(slots):
        if room.drawn[slot] >= 0:
            room.mark[room.drawn[slot]] = False


@inner
def candidates(row, luck, scene, room):
    """Gather and rank what a session may show; ``luck`` are three words. Returns how many."""
    people, serve, arm = scene.people, scene.serve, scene.people.arm[row]
    rules, query, viewed, can = serve.rules[arm], serve.query[arm], people.viewed[row], serve.can
    own, near, far = luck
    bias = user_vector(row, arm, serve, room.user)
    # a post counts for the first source that brings it: followed creators come first
    n = in_network(row, unit(own), rules, serve, scene.graph, room)
    # what the index finds is near by the value model: no other ranking that comes with twin has a
    # use for it
    if rules.quota[Source.NEAREST] > 0 and (
        rules.ranking == Ranking.VALUE or rules.ranking >= Ranking.OWN
    ):
        for d in range(len(room.query)):
            room.query[d] = room.user[d] * query[d]
        n = nearest(unit(near), arm, n, people.seen[row], serve, room)
    quota = rules.quota[Source.TRENDING]
    n = listed(-1.0, serve.trending, Source.TRENDING, quota, n, room)
    quota = rules.quota[Source.EXPLORE]
    n = listed(unit(far), serve.fresh, Source.EXPLORE, quota, n, room)
    quota = rules.quota[Source.CO_VIEWED]
    if quota > 0:
        n = linked(viewed, serve.co_viewed, Source.CO_VIEWED, quota, n, can, room)
    quota = rules.quota[Source.BOUGHT_TOGETHER]
    if quota > 0:
        n = linked(viewed, serve.bought_together, Source.BOUGHT_TOGETHER, quota, n, can, room)
    # four for each slot kept, so that ranking has a choice
    if rules.exposure_floor > 0:
        n = listed(unit(far), serve.small, Source.FLOOR, 4 * rules.exposure_floor, n, room)
    rank(row, arm, bias, n, serve, room)
    return n


@inner
def everything(row, scene, room):
    """The oracle's candidates: all eligible posts, by the true chance that the person clicks and is
    glad of it. Returns how many."""
    n = 0
    for post in scene.serve.eligible:
        if not room.mark[post]:
            room.cand[n], room.source[n] = post, Source.NEAREST
            room.score[n] = enjoyment(row, np.int64(post), scene, room.x)
            n += 1
    return n


@inner
def fetch_ahead(at, end, rows, scene):
    """Bring near what the next sessions of a thread (up to ``end``) will read of their people's
    rows, which lie far apart in memory: for a large world most of a session's time would be waiting
    for them."""
    people, serve, graph = scene.people, scene.serve, scene.graph
    # two sessions ahead: the rows arrive while others are planned
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
    # one session later: only then is it known where the person's follows lie
    if at + 1 < end:
        row = rows[at + 1]
        if row < len(graph.start) - 1:
            fetch(graph.target, graph.start[row])
