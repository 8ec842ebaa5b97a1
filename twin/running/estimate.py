"""What a run will cost, for `twin check`: the order of clocks within one instant, sessions, time
and memory."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import betaln, ndtr

from twin.engine.simulation import Simulation
from twin.ground.units import DAY, format_duration
from twin.mechanisms import REGISTRY
from twin.mechanisms.recommender.signals import COLUMNS, signals_of
from twin.readers.text import span
from twin.scenario.loading import Scenario
from twin.scenario.population import population
from twin.world.columns import Table, room_for, row_type

SESSIONS_PER_PERSON_DAY, BYTES_AT_REST = 0.48, 310e6
SECONDS_PER_SESSION, SECONDS_PER_REFRESH = (14e-6, 22e-6), (450e-6, 900e-6)
"""Without and with works or drafts; measured on `quickstart`, `real_network`, `two_years` and
`everything`, for what `twin check` prints and nothing else."""
WORK = 130
"""Bytes per consumer of short-lived arrays, while the world is built or a day passes; measured."""
PER_IMPRESSION = 16
RELEASE = 1.75
"""Days from when a post is in no feed and no log until its row is free, measured: releases are
daily."""
ENTITIES = ("consumer", "post", "creator")
LOAD = 0.9
"""How full a cuckoo map gets before it doubles."""


@dataclass(frozen=True)
class Memory:
    """Bytes of state by part when the run is fullest, room for what is to come included, and of
    what comes on top."""

    parts: dict[str, float]
    consumers: float
    wiring: float

    @property
    def state(self) -> float:
        """All of it together: what `Simulation.state_bytes` counts."""
        return sum(self.parts.values())

    @property
    def build(self) -> float:
        """The most that the process takes while the world is built: people, creators and the graph,
        drawn and wired."""
        there = sum(
            self.parts[name]
            for name in ("consumers", "chatters", "creators", "follow graph", "served copies")
        )
        return BYTES_AT_REST + there + self.wiring + WORK * self.consumers

    @property
    def peak(self) -> float:
        """The most that it ever takes."""
        return max(self.build, BYTES_AT_REST + self.state + WORK * self.consumers)


def crowd(initial: float, arrivals: float | None, loss: float, days: float) -> float:
    """The most entities alive within ``days`` if so many arrive a day and the share ``loss``
    leaves."""
    if arrivals is None:  # as many come as leave
        return initial
    # n' = arrivals - loss * n approaches `rest` without turning: the most is at one of its ends
    rest = arrivals / loss if loss > 0 else math.inf
    late = (
        initial + arrivals * days
        if math.isinf(rest)
        else rest + (initial - rest) * math.exp(-loss * days)
    )
    return max(initial, late)


def capped_mean(mean: float, log_sd: float, most: float) -> float:
    """Mean of a lognormal law that is cut to ``most``."""
    if mean <= 0 or most <= 0:
        return 0.0
    if log_sd == 0:
        return min(mean, most)
    # the mean of the logarithm, of which the lognormal law has the given mean
    middle = math.log(mean) - log_sd**2 / 2
    far = (math.log(most) - middle) / log_sd
    # E[min(X, most)]: what lies below the cap, and the cap for the rest
    return float(mean * ndtr(far - log_sd) + most * (1 - ndtr(far)))


def embedded(spec: Any, ids: float, dim: int) -> float:
    """Bytes of one embedding table in which so many IDs need a row."""
    # vector and bias, two Adagrad accumulators, whether it is born, when it was seen
    row = 4.0 * (dim + 1) + 8 + 1 + 4
    if spec.kind != "collisionless":
        wide = min(spec.id_range or spec.slots**2, spec.slots * 2**24, 2**48)
        return row * float(
            spec.slots + (-(-wide // spec.slots) if spec.kind == "quotient_remainder" else 0)
        )
    # the cuckoo map: key (8 bytes) and row (4) of each place, a power of two of them
    return row * room_for(int(ids)) + 12 * 2.0 ** math.ceil(math.log2(max(ids / LOAD, 128)))


class Sizes:
    """How many of everything a scenario has when it is fullest."""

    def __init__(self, scenario: Scenario) -> None:
        # what is not known of a class of the user's own is as in the mechanism that it replaces
        self.p: dict[str, Any] = {
            name: REGISTRY[name].Params()
            if name in scenario.outside
            and name in REGISTRY
            and not isinstance(params, REGISTRY[name].Params)
            else params
            for name, params in scenario.mechanisms.items()
        }
        a, c, r, self.days = (
            self.p["audience"],
            self.p["creators"],
            self.p["recommender"],
            (scenario.warm_up + scenario.duration) / DAY,
        )
        # a real network brings its own number of people, and so does a table
        given = population(scenario)
        self.initial: int = given.count or a.initial
        # per day, while the parameter is per session
        self.loss: float = SESSIONS_PER_PERSON_DAY * a.leave
        self.consumers = crowd(self.initial, a.arrivals, self.loss, self.days)
        human = crowd(
            given.creators or c.human.initial, c.human.arrivals, c.quit + self.loss, self.days
        )
        ai = crowd(c.ai.initial, c.ai.arrivals, c.ai_quit, self.days)
        self.creators = human + ai + (self.p["campaigns"].accounts if "campaigns" in self.p else 0)
        kinds = (c.human, c.ai)
        daily = [
            count * capped_mean(kind.posts_mean, kind.posts_log_sd, kind.posts_most)
            for count, kind in zip((human, ai), kinds, strict=True)
        ]
        works = sum(count * kind.work_share for count, kind in zip(daily, kinds, strict=True))
        # posts keep their row while they are in a feed or in the log of the next training
        logged = r.retrain_every + (r.history if r.training == "full" else 0)
        self.log_days = min(logged / DAY, self.days)
        self.posts_a_day, self.works = sum(daily), works * min(r.work_expiry / DAY, self.days)
        self.fresh = self.posts_a_day * min(r.expiry / DAY, self.days) + self.works
        self.posts = (
            self.posts_a_day * min((r.expiry + logged) / DAY + RELEASE, self.days) + self.works
        )
        # a slate is seen until patience ends: a geometric series of `slate` terms
        self.impressions = (
            SESSIONS_PER_PERSON_DAY * (1 - a.patience**r.slate) / (1 - a.patience) * self.consumers
        )

    def ids(self, entity: str) -> float:
        """IDs that have a row of their own: those that were seen and have not expired."""
        a, r = self.p["audience"], self.p["recommender"]
        expire = getattr(r.tables, entity).expire_after / DAY or math.inf
        span_days = min(expire + r.retrain_every / DAY, self.days)
        if entity == "post":
            return float(self.posts_a_day * span_days + self.works)
        if entity == "creator":
            return float(self.creators)
        # share who came at least once: 1 - B(a, b + days) / B(a, b), as return rates are beta
        # distributed
        came = -math.expm1(
            float(betaln(a.return_a, a.return_b + span_days) - betaln(a.return_a, a.return_b))
        )
        return float(self.consumers * (came + self.loss * span_days))


def per_person(table: Table, sizes: Sizes) -> int:
    """Bytes of a row of consumers: rows of posts as wide as needed, lazy columns where what fills
    them is there."""
    each = 0
    for column in table.columns.values():
        dtype = row_type(int(sizes.posts)) if column.rows_of else np.dtype(column.dtype)
        if not column.lazy or (column.shape and sizes.works):
            each += dtype.itemsize * int(np.prod(column.shape))
    return each


def memory(scenario: Scenario, simulation: Simulation | None = None) -> Memory:
    """Bytes of state and of the work on it, from declared columns and parameters.

    In it: tables with their room, embeddings and their served copies, the follow graph, the log,
    the snapshot. Not in it: a model that warms up beside the one that serves, pairs of linked
    posts, IDs that wait to be admitted to a table.
    """
    tables, s = (simulation or Simulation(scenario)).world.tables, Sizes(scenario)
    p, r, dim = s.p, s.p["recommender"], s.p["recommender"].dim
    consumers, creators, posts = (
        room_for(int(s.consumers)),
        room_for(int(s.creators)),
        room_for(int(s.posts)),
    )
    rewarded = 36 if r.reward.weight else 0
    known = any(signal.on for signal in signals_of(r.signals))
    read = (
        sum(np.dtype(column.dtype).itemsize * int(np.prod(column.shape)) for column in COLUMNS)
        if known
        else 0
    )
    chatters = s.consumers * p["chatbots"].adopters if "chatbots" in p else 0
    network = p["network"]
    edges = s.consumers * capped_mean(
        network.follows_mean, network.follows_log_sd, network.follows_most * s.creators
    )
    wide = row_type(creators).itemsize
    copy = 4 * (dim + 1)
    parts = {
        "consumers": consumers * per_person(tables["consumers"], s),
        "chatters": room_for(int(chatters)) * tables["chatters"].bytes_per_row()
        if chatters
        else 0.0,
        "creators": creators * tables["creators"].bytes_per_row(),
        "posts": posts * (tables["posts"].bytes_per_row() + 12 * r.links.width + 16 + 8 + 2 + read),
        "follow graph": wide * edges + 8 * s.consumers,
        "served copies": (consumers + posts) * (copy + 5)
        + creators * copy
        + rewarded * consumers
        + 32 * known * posts,
        "embedding tables": sum(
            embedded(getattr(r.tables, name), s.ids(name), dim) for name in ENTITIES
        ),
        "log": (PER_IMPRESSION + 4 * known) * room_for(int(s.impressions * s.log_days)),
        "snapshot": s.fresh * (copy + 12),
    }
    return Memory(parts, s.consumers, wide * edges)


def _over(scenario: Scenario) -> str:
    warm_up = f" and {format_duration(scenario.warm_up)} of warm-up" if scenario.warm_up else ""
    return f"{format_duration(scenario.duration)}{warm_up}"


def plan(scenario: Scenario) -> str:
    """The order of clocks within one instant, and an estimate of the run's time and memory."""
    simulation = Simulation(scenario)
    lines = ["Order within one instant (phase, clock, period):"]
    lines += [
        f"  {rank:3d}  {phase:8s} {name:32s} {period}"
        for rank, phase, name, period in simulation.clock_table()
    ]
    sizes = Sizes(scenario)
    # arrivals are spread evenly, so on average half of them are there
    people = sizes.initial + sizes.p["audience"].arrivals * sizes.days / 2
    sessions = people * SESSIONS_PER_PERSON_DAY * sizes.days
    # picks from the measured pairs: without, or with works or drafts
    busy = sizes.p["creators"].drafts > 1 or sizes.works > 0
    seconds = (
        sessions * SECONDS_PER_SESSION[busy]
        + sizes.days * DAY / simulation.world.grid * SECONDS_PER_REFRESH[busy]
    )
    used = memory(scenario, simulation)
    lines.append(
        f"Estimate: about {sessions:,.0f} sessions over {_over(scenario)}, {span(seconds)} on one "
        f"core of a 2026 server (compiled kernels warm), {used.peak / 2**20:,.0f} MB at most "
        f"({used.build / 2**20:,.0f} MB while the world is built)"
    )
    parts = ", ".join(f"{name} {size / used.consumers:,.0f}" for name, size in used.parts.items())
    lines.append(
        f"State when largest: {used.state / 2**20:,.0f} MB, in bytes per consumer "
        f"{used.state / used.consumers:,.0f}: {parts}"
    )
    return "\n".join(lines)
