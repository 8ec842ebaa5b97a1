"""Chatbots in a world of their own."""

import datetime as dt

import numpy as np

from twin.ground.draws import children
from twin.ground.units import LATEST, NEVER
from twin.kernels.chat import Chatters
from twin.mechanisms.chatbots import Chatbots, ChatbotsParams
from twin.world.board import Board
from twin.world.columns import Column
from twin.world.params import value_at
from twin.world.state import World


def chatters(n, expectation=0.5, trust=0.5, taste=0.0):
    """Fresh people in float64, so that closed forms hold to rounding."""
    zero = np.zeros
    return Chatters(
        key=children(np.full(n, np.uint64(8)), np.arange(n)),
        left_at=np.full(n, NEVER),
        arm=zero(n, np.int8),
        person=np.arange(n),
        next_at=zero(n, np.int64),
        sessions=zero(n, np.int32),
        rate=np.ones(n),
        expectation=np.full(n, float(expectation)),
        trust=np.full(n, float(trust)),
        concern=zero(n),
        memory=zero(n),
        anthropomorphism=zero(n),
        attachment=zero(n),
        last=zero(n, np.int32),
        use=zero(n),
        taste=zero(n) + taste,
        answers=zero((n, 2), np.uint8),
        pull=zero((n, 1), np.float32),
        precision=zero((n, 1), np.float32),
    )


def make(n=500, **params):
    """A world with a chatbot and nothing else."""
    world = World(dt.date(2025, 1, 1), 1, 0, Board(Chatbots.metrics))
    for column in Chatbots.columns["chatters"]:
        world.define("chatbots", "chatters", column)
    world.define("test", "consumers", Column("active", "?", "1", "Here"))
    world.define("test", "consumers", Column("left_at", "i4", "s", "Left", start=LATEST))
    mechanism = Chatbots(ChatbotsParams(**params), world)
    for name in ("personalisation", "memory", "failure_rate", "answers.personalisation"):
        world.levers[f"chatbots.{name}"] = value_at(mechanism.p, name)
    world.on_add(mechanism.born)
    world.on_release(mechanism.gone)
    mechanism.setup()
    world.add(
        "test",
        "consumers",
        children(np.full(n, np.uint64(4)), np.arange(n)),
        active=np.ones(n, bool),
    )
    return world, mechanism


def run(world, mechanism, until, window, first=0):
    """Replay all sessions before ``until`` in windows from ``first`` on, each in order of (time,
    row)."""
    for end in range(first + window, until + 1, window):
        world.now = end
        at = world.table("chatters")["next_at"]
        rows = np.flatnonzero(at < end)
        rows = rows[np.argsort(at[rows], kind="stable")]
        if len(rows):
            mechanism.chat(rows)
