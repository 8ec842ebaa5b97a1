"""The sessions of one window, shared by threads.

Each thread takes chunks of sessions to plan, then to settle, while one of them, the leader, lets
them happen. The bytes are those of one thread: sums of fractions go in order, and of what is summed
on several threads, all are whole numbers.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from twin.ground.compiled import inner, kernel
from twin.kernels.gather import fetch_ahead
from twin.kernels.happen import happen
from twin.kernels.lanes import announce, announced, take_turn, wait_until
from twin.kernels.plan import Plan, plan_session
from twin.kernels.room import empty_room
from twin.kernels.scene import Scene
from twin.kernels.settle import settle
from twin.kernels.totals import TOTALS, add

Array = Any


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
        chunk=chunk,
        plan=plan,
        stage=np.zeros(-(-sessions // chunk), np.int64),
        turn=np.zeros(3, np.int64),
        total=np.zeros(threads, TOTALS),
    )


@inner
def plan_chunk(k, rows, scene, shared, room):
    """Plan the sessions of chunk k, and say that they are."""
    end = min((k + 1) * shared.chunk, len(rows))
    for at in range(k * shared.chunk, end):
        fetch_ahead(at, end, rows, scene)
        plan_session(rows[at], at, at, scene, shared.plan, room)
    announce(shared.stage, k)


@inner
def lead(rows, scene, log, shared, total, room):
    """Let chunks happen in order, and plan the next one where it would have to wait."""
    k, chunks = 0, len(shared.stage)
    while k < chunks:
        if announced(shared.stage, k) == 0:
            # the leader helps to plan: there is nothing yet that it could let happen
            mine = take_turn(shared.turn, 0)
            if mine < chunks:
                plan_chunk(mine, rows, scene, shared, room)
            else:  # another thread is about to be done with it
                wait_until(shared.stage, k, 1)
            continue
        for at in range(k * shared.chunk, min((k + 1) * shared.chunk, len(rows))):
            happen(rows[at], at, scene, log, shared.plan, total, room.x)
        announce(shared.stage, k)
        k += 1


@kernel
def browse_shared(
    leads: bool,
    rows: Array,
    scene: Scene,
    log: Any,
    shared: Share,
    totals: Array,
    min_wake: int,
) -> None:
    """`browse.browse` by several threads, each in a call of its own: one leads, the others plan
    chunks until none is left; all settle. What `collect` adds is left to it."""
    chunks = len(shared.stage)
    room = empty_room(len(scene.posts.key), scene.people.seen.shape[1], scene.serve)
    # only one lets sessions happen, since each changes what the next one meets
    if leads:
        lead(rows, scene, log, shared, totals[0], room)
    else:
        k = take_turn(shared.turn, 0)
        while k < chunks:
            plan_chunk(k, rows, scene, shared, room)
            k = take_turn(shared.turn, 0)
    # whoever comes to this line takes a seat: a thread that came too late has none
    counted = shared.total[take_turn(shared.turn, 2)]
    k = take_turn(shared.turn, 1)
    while k < chunks:
        wait_until(shared.stage, k, 2)
        for at in range(k * shared.chunk, min((k + 1) * shared.chunk, len(rows))):
            settle(rows[at], at, scene, shared.plan, counted, min_wake)
        k = take_turn(shared.turn, 1)


@kernel
def _content(rows, satisfaction, totals):
    """Add the satisfaction of those who were here, in order."""
    total = totals[0]
    for row in rows:
        total.satisfaction += satisfaction[row]


def collect(
    rows: NDArray[np.int64],
    satisfaction: NDArray[np.float32],
    shared: Share,
    totals: NDArray[Any],
) -> None:
    """Add what the threads counted to ``totals`` (1,), and the satisfaction (C,) of those who were
    here, in order."""
    add(totals, shared.total)
    # fractions are added in the order of sessions, whichever thread settled them
    _content(rows, satisfaction, totals)
