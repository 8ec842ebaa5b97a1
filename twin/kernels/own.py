"""Candidates for a ranker of the scenario's own.

Candidates depend on the serving snapshot and on the person's own row alone, so those of all
sessions of a window are gathered before any of them happens (`gather_offers`). The ranker scores
them in one call, outside any kernel; a session then finds its candidates with their scores
(`offered`) where it would have gathered and ranked them itself.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from twin.ground.compiled import inner, kernel
from twin.ground.draws import unit, words
from twin.kernels.gather import candidates, fetch_ahead, mark_seen, unmark
from twin.kernels.patience import most_looked_at
from twin.kernels.ranking import withhold
from twin.kernels.retrieve import drawn
from twin.kernels.room import empty_room
from twin.kernels.rules import Ranking
from twin.kernels.scene import Scene

Array = Any


class Offer(NamedTuple):
    """Candidates of the sessions (n) of a window, one session after another (m in all); a session
    that another ranking serves has none."""

    start: Array  # i8 (n + 1,): where the candidates of each session begin
    post: Array  # i4 (m,)
    source: Array  # i1 (m,), see rules.Source
    score: Array  # f4 (m,): what the ranker made of them


def nothing() -> Offer:
    """An offer where no ranker of the scenario's own is in use."""
    return Offer(
        start=np.zeros(0, np.int64),
        post=np.zeros(0, np.int32),
        source=np.zeros(0, np.int8),
        score=np.zeros(0, np.float32),
    )


def widest(rules: Array) -> int:
    """The most candidates that a session can have under rules by arm (RULES (A,))."""
    # as in `room.empty_room`, whose arrays hold them
    return int(rules["quota"].max(0).sum() + 4 * rules["exposure_floor"].max()) + 1


@inner
def _gathered(row, scene, room):
    """Gather the candidates of one session into ``room``; returns how many."""
    people, serve, behaviour = scene.people, scene.serve, scene.behaviour
    arm, stream = people.arm[row], behaviour.streams.session
    rules, seen = serve.rules[arm], people.seen[row]
    w0, w1, w2, w3 = words(stream, people.key[row], people.sessions[row], 0)
    mark_seen(seen, True, room)
    slots = 0
    # what a random slot will show is no candidate
    if rules.random_share > 0:
        shift = np.float64(people.patience_shift[row])
        slots = min(most_looked_at(unit(w0), shift, behaviour.habits), rules.slate)
        drawn(row, arm, slots, people, serve, stream, room)
    n = candidates(row, (w1, w2, w3), scene, room)
    mark_seen(seen, False, room)
    unmark(n, slots, room)
    return n


@kernel
def gather_offers(rows: Array, scene: Scene, post: Array, source: Array, many: Array) -> None:
    """Gather the candidates of the sessions of these people into post i4 (n, R) and source i1 (n,
    R), and how many they are into many i8 (n,); none for who is served by another ranking."""
    room = empty_room(len(scene.posts.key), scene.people.seen.shape[1], scene.serve)
    for at, row in enumerate(rows):
        fetch_ahead(at, len(rows), rows, scene)
        many[at] = 0
        if scene.serve.rules[scene.people.arm[row]].ranking >= Ranking.OWN:
            n = _gathered(row, scene, room)
            for i in range(n):
                post[at, i], source[at, i] = room.cand[i], room.source[i]
            many[at] = n


@inner
def offered(number, rules, scene, room):
    """Put the candidates of session ``number`` of the window into ``room`` with their scores;
    returns how many."""
    own = scene.own
    first, n = own.start[number], own.start[number + 1] - own.start[number]
    for i in range(n):
        room.cand[i], room.source[i] = own.post[first + i], own.source[first + i]
        room.score[i] = own.score[first + i]
    if rules.small_withheld > 0:
        withhold(n, rules.small_withheld, scene.serve, room)
    return n
