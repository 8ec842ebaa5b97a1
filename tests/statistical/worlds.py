"""Whole worlds for experiments: run by settings alone, read off the board."""

from collections.abc import Callable
from functools import cache

import numpy as np
from numpy.typing import NDArray

from tests.conftest import history
from twin.engine.simulation import Simulation
from twin.scenario.loading import Scenario

Make = Callable[..., Scenario]
SAME_PEOPLE = ("audience.arrivals=0/d", "audience.leave=0")
CLOSED = (
    *SAME_PEOPLE,
    "creators.human.arrivals=0/d",
    "creators.ai.arrivals=0/d",
    "creators.quit=0",
)
"""Nobody comes or goes: what differs between two worlds is what was set, and what changes in one is
what people do."""
HEADS = ("click", "long_view", "like", "comment", "reshare", "follow", "hide", "report")


class World:
    """A finished run."""

    def __init__(self, simulation: Simulation, readings: NDArray[np.float64]) -> None:
        self.simulation, self.readings, self.board = simulation, readings, simulation.world.board

    def series(self, name: str, **labels: str) -> NDArray[np.float64]:
        """All readings of one series."""
        return self.readings[:, self.board.index(name, **labels)]

    def last(self, name: str, **labels: str) -> float:
        """Its last reading."""
        return float(self.series(name, **labels)[-1])

    def bins(self, name: str) -> NDArray[np.float64]:
        """All readings of all series of one metric."""
        return self.readings[
            :, [place for place, (metric, _) in enumerate(self.board.rows) if metric.name == name]
        ]


def worlds(small: Make) -> Callable[..., World]:
    """Runs a small world with more settings; the same settings are run once."""

    @cache
    def run(*settings: str) -> World:
        return World(*history(small(*settings)))

    return run


def differing(one: World, other: World) -> set[str]:
    """Metrics of both worlds of which any series differs in any bit at any reading."""
    found = set()
    for place, (metric, labels) in enumerate(one.board.rows):
        if metric.name in other.board.metrics:
            same = one.readings[:, place].tobytes() == other.series(metric.name, **labels).tobytes()
            found |= set() if same else {metric.name}
    return found


def only(*heads: str, weight: float = 1.0) -> tuple[str, ...]:
    """Feed weights: these heads alone count."""
    return tuple(f"recommender.weights.{head}={weight if head in heads else 0.0}" for head in HEADS)


def errors(values: NDArray[np.float64], blocks: int = 5) -> float:
    """Mean in its standard errors, from means over blocks of consecutive days, since days are
    correlated."""
    size = len(values) // blocks
    means = values[len(values) - size * blocks :].reshape(blocks, size).mean(1)
    return float(means.mean() / (means.std(ddof=1) / np.sqrt(blocks)))
