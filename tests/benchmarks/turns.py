"""Worlds that are stepped in turns, a day each, in one process: what the machine does beside falls on
all alike, and each day gives a ratio of its own."""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterable, Mapping

from tests.conftest import SCENARIOS
from twin.engine.simulation import Simulation
from twin.ground.units import DAY
from twin.scenario.loading import load

SETTLE = 3
"""Days before anything is timed: kernels compile, the model gets its first vectors."""


class Side:
    """One of the worlds, and its seconds per session, day by day: by the clock on the wall, and of
    this process's processor."""

    def __init__(self, settings: Iterable[str]) -> None:
        self.simulation = Simulation(load(SCENARIOS / "base.yaml", settings))
        self.simulation.begin()
        self.wall: list[float] = []
        self.processor: list[float] = []
        self.day = 0

    def step(self) -> None:
        """Run a day."""
        board = self.simulation.world.board
        self.day += 1
        wall, processor = time.perf_counter(), time.process_time()
        before = board.get("sessions")
        self.simulation.run(self.day * DAY + 1)
        sessions = board.get("sessions") - before
        self.wall.append((time.perf_counter() - wall) / sessions)
        self.processor.append((time.process_time() - processor) / sessions)


def in_turns(sides: Mapping[str, Side], days: int) -> None:
    """Step all for ``days`` days beyond those in which they settle, each day in another order."""
    every = list(sides.values())
    for day in range(SETTLE + days):
        k = day % len(every)
        for side in every[k:] + every[:k]:
            side.step()


def ratio(some: list[float], others: list[float]) -> tuple[float, float, float]:
    """The median ratio of days, between the ends of their middle half."""
    low, middle, high = statistics.quantiles(
        [a / b for a, b in zip(some[SETTLE:], others[SETTLE:], strict=True)], n=4
    )
    return low, middle, high


def world(consumers: int, days: int) -> tuple[str, ...]:
    """Settings of a default world of so many people that lasts as long as is asked."""
    return (
        f"audience.initial={consumers}",
        f"audience.arrivals={consumers / 500}/d",
        f"creators.human.initial={consumers // 5}",
        f"duration={SETTLE + days + 1}d",
        "warm_up=0d",
        "metrics.every=1d",
        "policies=[]",
    )
