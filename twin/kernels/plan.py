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
from twin.kernels.gather import candidates, everything, mark_seen, unmark
from twin.kernels.lanes import glance
from twin.kernels.own import offered
from twin.kernels.patience import most_looked_at, tired
from twin.kernels.ranking import slate
from twin.kernels.respond import (
    HEADS,
    Feature,
    Meeting,
    Response,
    features,
    likes_until,
    respond,
)
from twin.kernels.retrieve import drawn
from twin.kernels.rules import Ranking, Source

Array = Any


class Plan(NamedTuple):
    """Planned sessions (n) with at most S posts, those of the slate first, then those of a shelf,
    which come when the session happens."""

    depth: Array  # i4 (n,): posts of the slate that will be looked at
    shown: Array  # i4 (n,): posts that were looked at, with those of the shelf
    many: Array  # i4 (n,): candidates
    post: Array  # i4 (n, S)
    source: Array  # i1 (n, S), see rules.Source
    maker: Array  # i4 (n, S)
    same: Array  # i4 (n, S): posts of this creator shown before in the session
    mask: Array  # u2 (n, S): responses, as guessed, then as they were
    until: Array  # i4 (n, S): the most likes of the post at which the guess holds
    match: Array  # f8 (n, S)


def empty_plan(sessions: int, serve: Any) -> Plan:
    """Space for the plans of so many sessions."""
    most = 0
    for arm in range(len(serve.rules)):
        rules = serve.rules[arm]
        # in brackets, since this runs in Python too, which knows no rules.slate
        most = max(most, rules["slate"] + rules["shelf_size"])
    shape = (sessions, most)
    return Plan(
        depth=np.empty(sessions, np.int32),
        shown=np.empty(sessions, np.int32),
        many=np.empty(sessions, np.int32),
        post=np.empty(shape, np.int32),
        source=np.empty(shape, np.int8),
        maker=np.empty(shape, np.int32),
        same=np.empty(shape, np.int32),
        mask=np.empty(shape, np.uint16),
        until=np.empty(shape, np.int32),
        match=np.empty(shape, np.float64),
    )


one_plan = making(empty_plan)


@inlined
def _meet(row, at, place, scene, plan, room):
    """Guess what the person will do with the post at a place of the plan; leaves its features in
    ``room.x``."""
    people, posts, behaviour, x = scene.people, scene.posts, scene.behaviour, room.x
    post, maker, same = np.int64(plan.post[at, place]), plan.maker[at, place], 0
    for earlier in range(place):
        if plan.maker[at, earlier] == maker:
            same += 1
    # read once, while another thread may be counting
    likes = glance(posts.counts, post * HEADS + Response.LIKE)
    meeting = Meeting(row=row, post=post, likes=np.int64(likes), same=same, place=place)
    features(meeting, people, posts, scene.makers, behaviour.shown[people.arm[row]], x)
    stranger = plan.source[at, place] != Source.IN_NETWORK
    mask, slack = respond(row, post, behaviour, people, posts, x, stranger)
    plan.same[at, place], plan.mask[at, place] = same, mask
    plan.match[at, place], plan.until[at, place] = x[Feature.MATCH], likes_until(likes, slack)


@inlined
def _arrange(at, depth, slots, ranked, serve, plan, room):
    """Put the posts of a slate into the plan: what was drawn for a slot, else the next of those
    that were ranked."""
    nth, slot = 0, 0
    for place in range(depth):
        # where nothing is left to rank, a slot without a draw stays empty
        while slot < slots and room.drawn[slot] < 0 and nth >= ranked:
            slot += 1
        if slot < slots and room.drawn[slot] >= 0:
            post, source = room.drawn[slot], room.flag[slot]
            maker = serve.item_creator[post]
        else:
            c = room.shown[nth]
            post, source, maker = room.cand[c], room.source[c], room.maker[c]
            nth += 1
        slot += 1
        plan.post[at, place], plan.source[at, place], plan.maker[at, place] = post, source, maker


@inlined
def _look_through(row, at, depth, luck, scene, plan, room):
    """Guess what the person does with one post after another, as long as patience lasts; returns
    how many are looked at."""
    habits = scene.behaviour.habits
    # the same luck as in `most_looked_at`, so that its bound holds
    patience, lately = -math.log(luck), habits.satisfaction_reference
    for place in range(depth):
        _meet(row, at, place, scene, plan, room)
        # without an effect that bound is how far the person looks
        if habits.patience_effect != 0:
            patience, lately = tired(row, patience, lately, scene.people, scene.behaviour, room.x)
            if patience <= 0:
                return place + 1
    return depth


@inner
def plan_session(row, at, number, scene, plan, room):
    """Plan a person's next session as number ``at`` of the plan, number ``number`` of the window.
    Reads the person's row, writes only ``plan`` and ``room``."""
    people, serve, behaviour = scene.people, scene.serve, scene.behaviour
    arm, stream = people.arm[row], behaviour.streams.session
    rules, seen = serve.rules[arm], people.seen[row]
    # patience, then the luck of three candidate sources
    w0, w1, w2, w3 = words(stream, people.key[row], people.sessions[row], 0)
    mark_seen(seen, True, room)
    # only what the person may look at is picked: the slate is filled from the top, so the rest
    # would not change it
    shift = np.float64(people.patience_shift[row])
    look = min(most_looked_at(unit(w0), shift, behaviour.habits), rules.slate)
    slots, by_draw = 0, 0
    if rules.random_share > 0 or rules.ranking == Ranking.RANDOM:
        slots = look
        by_draw = drawn(row, arm, slots, people, serve, stream, room)
    n = 0
    # the oracle belongs to the world and not to an arm
    if serve.rules[0].ranking == Ranking.ORACLE:
        n = everything(row, scene, room)
    elif rules.ranking >= Ranking.OWN:
        n = offered(number, rules, scene, room)
    elif rules.ranking != Ranking.RANDOM:
        n = candidates(row, (w1, w2, w3), scene, room)
    # all marks are off again for the next session
    mark_seen(seen, False, room)
    unmark(n, slots, room)
    ranked = slate(serve, arm, n, look - by_draw, room)
    plan.many[at] = n + by_draw
    _arrange(at, ranked + by_draw, slots, ranked, serve, plan, room)
    plan.depth[at] = _look_through(row, at, ranked + by_draw, unit(w0), scene, plan, room)
