"""The sessions of one serving window, replayed in order of their exact times.

Within a window the serving snapshot stands still, and what one session does (counters, social
proof, follows) is seen by the next; so replaying sessions one after another is event-by-event
simulation, whether they come as a batch or one by one.

A session has three parts. It is planned (`plan`) from what no other session of the window changes:
candidates are gathered, ranked, and put on a slate, and what the person will do with each post is
guessed. It happens (`happen`): responses, counters of posts, follows, the log, and the shelf of
related works; only that goes in order. It is settled (`settle`): what the person keeps of it, and
the next visit (`visits`). Several threads share a window in `shared`.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from twin.ground.compiled import kernel
from twin.kernels.gather import fetch_ahead
from twin.kernels.happen import happen
from twin.kernels.plan import one_plan, plan_session
from twin.kernels.respond import MANY
from twin.kernels.room import empty_room
from twin.kernels.scene import Scene
from twin.kernels.settle import settle

Array = Any


class Log(NamedTuple):
    """The interaction log since the last retrain: all that the recommender learns from."""

    consumer: Array  # i4
    post: Array  # i4
    responses: Array  # u2 bit mask of the eight heads
    place: Array  # u1
    source: Array  # u1, see rules.Source
    via: Array  # i4, the work on whose shelf it hung, else -1
    size: Array  # i8 (1,)


@kernel
def browse(rows: Array, scene: Scene, log: Log, totals: Array, min_wake: int) -> None:
    """Replay one session per row, in the order given, each at the row's own ``next_at``, and the
    next visit no earlier than ``min_wake`` s later.

    Writes people, post counters, follows, log, and ``totals`` (1,) of TOTALS.
    """
    people, total = scene.people, totals[0]
    # scratch for one session, made once and used by all
    plan, x = one_plan(1, scene.serve), np.empty(MANY)
    room = empty_room(len(scene.posts.key), people.seen.shape[1], scene.serve)
    for at, row in enumerate(rows):
        fetch_ahead(at, len(rows), rows, scene)
        plan_session(row, 0, at, scene, plan, room)
        happen(row, 0, scene, log, plan, total, x)
        settle(row, 0, scene, plan, total, min_wake)
        # in the order of rows, as `shared.collect` adds it up: the bits are the same
        total.satisfaction += people.satisfaction[row]
