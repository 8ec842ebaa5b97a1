"""Creators in a world of their own."""

import datetime as dt

import numpy as np

from twin.ground.draws import children
from twin.ground.units import DAY, HOUR
from twin.kernels.follows import Follows
from twin.mechanisms.creators import Creators, CreatorsParams
from twin.world.board import Board
from twin.world.columns import Column
from twin.world.params import leaves, meta, value_at
from twin.world.state import World

COMMUNITIES, VISITS, LEAVING = 4, 0.5, 0.0006
SILENT = {"posts_mean": "0.0/d", "posts_log_sd": 0.0}


def make(people=200, seed=1, **params):
    """A world of people in communities 0 to 3 (size 4:3:2:1) and their creators; nobody browses."""
    world = World(dt.date(2025, 1, 1), seed, 0, Board(Creators.metrics))
    for column in (
        Column("active", "?", "1", "Here"),
        Column("taste", "f4", "1", "Taste", shape=(16,)),
        Column("tz", "i1", "h", "Zone"),
        Column("community", "i2", "1", "Home"),
    ):
        world.define("test", "consumers", column)
    for column in (
        Column("community", "i2", "1", "Home"),
        Column("arm", "i1", "1", "Arm"),
        Column("followers", "i4", "1", "Followers"),
    ):
        world.define("test", "creators", column)
    for column in (
        Column("impressions", "i4", "1", "Seen"),
        Column("counts", "i4", "1", "Responses", shape=(8,)),
    ):
        world.define("test", "posts", column)
    for table, columns in Creators.columns.items():
        for column in columns:
            world.define("creators", table, column)
    centres = np.eye(16, dtype=np.float32)[:COMMUNITIES]
    world.provide("community_centres", lambda: centres.copy())
    world.provide("graph_nodes", lambda: 0)
    graph = Follows(
        np.zeros(people + 1, np.int32), np.zeros(0, np.int16), *(np.zeros(0, np.int32),) * 4
    )
    world.provide("follow_graph", lambda: graph)
    world.provide("visits", lambda: (np.full(people, VISITS), np.full(people, LEAVING)))
    world.provide("oldest_held", lambda: world.now - 10 * DAY)
    world.provide("releasable", lambda: world.table("posts")["born"] < world.now - 10 * DAY)
    mechanism = Creators(CreatorsParams.model_validate(params), world)
    for path, info in leaves(CreatorsParams):
        if meta(info)["lever"]:
            world.levers[f"creators.{path}"] = value_at(mechanism.p, path)

    def home(table, rows):
        if table == "creators":
            creators = world.table("creators")
            person, topic = creators["person"][rows], creators["topic"][rows]
            where = np.where(
                person >= 0,
                world.table("consumers")["community"][np.maximum(person, 0)],
                rows % COMMUNITIES,
            )
            creators["community"][rows] = np.where(topic >= 0, topic, where)

    world.on_add(home)
    world.on_add(mechanism.born)
    world.on_release(mechanism.gone)
    community = np.sort(np.arange(people) * 10 // people % 10)
    community = np.searchsorted([4, 7, 9], community, side="right")
    world.add(
        "test",
        "consumers",
        children(np.full(people, np.uint64(4)), np.arange(people)),
        active=np.ones(people, bool),
        taste=centres[community],
        community=community,
    )
    mechanism.setup()
    return world, mechanism


def go(world, mechanism, days, see=None, step=6 * HOUR, turnover=False):
    """Let days pass; ``see`` fills the counters of the posts before they are settled."""
    for _ in range(days * DAY // step):
        world.now += step
        if turnover and world.now % DAY == 0:
            mechanism.population.turnover()
        mechanism.posting.post()
        if world.now % DAY == 0:
            if see is not None:
                see(world)
            mechanism.learning.settle()
