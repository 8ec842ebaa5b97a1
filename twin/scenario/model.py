"""What a scenario is once it is checked: values of the top level, of every mechanism, and
policies."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from twin.ground.units import DAY, HOUR, MINUTE
from twin.mechanisms import REGISTRY
from twin.mechanisms.policies import Policy
from twin.scenario.node import Node
from twin.scenario.outside import Outside
from twin.world.arms import declared
from twin.world.board import Board
from twin.world.mechanism import Mechanism
from twin.world.metric import Metric
from twin.world.params import Duration, Params, par, value_at

TOP = (
    "extends",
    "name",
    "description",
    "start",
    "warm_up",
    "duration",
    "seed",
    "replicate",
    "mechanisms",
    "policies",
    "metrics",
)


OFF = "none"
"""In place of a mechanism's settings: it is left out, as by ``enabled: false``."""
LONGEST = 68 * 365 * DAY
"""The longest run including its warm-up: seconds of a world fit into four bytes."""


class MetricsParams(Params):
    """When metrics are read."""

    every: Duration = par(
        6 * HOUR,
        "time between two readings of all metrics",
        unit="s",
        low=MINUTE,
        high=365 * DAY,
        grid=True,
    )


class Head(Params):
    """The top level, apart from mechanisms and policies."""

    name: str = par("unnamed", "name of the scenario; run folders are named after it")
    description: str = par("", "what it shows, for the report")
    warm_up: Duration = par(
        0,
        "simulated time before the start, in whole days: no metrics, no policy, no campaign; the "
        "world settles",
        unit="s",
        low=0,
        high=3650 * DAY,
        grid=True,
    )
    duration: Duration = par(
        30 * DAY, "simulated time from the start on", unit="s", low=HOUR, high=LONGEST, grid=True
    )
    seed: int = par(1, "seed of all random numbers", low=0, high=2**53)
    replicate: int = par(
        0, "number of the replicate: same scenario, other random numbers", low=0, high=2**53
    )


@dataclass(frozen=True)
class Scenario:
    """Checked values of a scenario. ``mechanisms`` holds the parameters of every enabled mechanism,
    by name."""

    name: str
    description: str
    start: dt.date
    duration: int
    seed: int
    replicate: int
    mechanisms: Mapping[str, Params]
    policies: tuple[Policy, ...]
    metrics: MetricsParams
    warm_up: int = 0
    """Seconds before ``start`` at which the world begins."""
    registry: Mapping[str, type[Mechanism[Any]]] = field(
        compare=False, repr=False, default_factory=lambda: REGISTRY
    )
    """The mechanisms that come with twin, and those that this scenario brings."""
    outside: Mapping[str, Outside] = field(default_factory=dict)
    """Where the latter come from."""
    tree: Node = field(
        compare=False, repr=False, default_factory=lambda: Node("mapping", {}, "default", 0)
    )
    """What was written, with file and line."""
    source: str = field(compare=False, repr=False, default="")
    """The file that was read; not those that it extends."""

    @property
    def order(self) -> list[str]:
        """Names of the mechanisms, in the order in which they act and declare."""
        return sorted(self.mechanisms, key=lambda name: (self.registry[name].order, name))

    @property
    def grid(self) -> int:
        """Seconds between two refreshes of what is served: every period is a multiple of it."""
        return int(value_at(self.mechanisms["recommender"], "refresh"))

    def board(self) -> Board:
        """The board of a run, with every declared series at zero."""
        # in the order in which mechanisms act, so that columns of readings never depend on the file
        return Board(declared([self.registry[name] for name in self.order]))

    def series(self) -> list[tuple[Metric, dict[str, str]]]:
        """Every declared series (metric, labels), in the order of readings."""
        return self.board().rows
