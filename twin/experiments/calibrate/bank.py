"""The bank of a calibration: worlds drawn from the prior, each observed as the platform was.

Every world has a seed and a point of the prior of its own, as many people as the bank says, and the
platform's dates. It runs through a burn-in, then as long as the platform was observed and as far
ahead as forecasts go. What it did is written as a log, and read by the very code that read the
platform's. The bank keeps the aggregates, so it can be asked again for any later day.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from twin.experiments.calibrate import prior
from twin.experiments.calibrate.calendar import Shape
from twin.experiments.calibrate.ensemble import Array
from twin.experiments.stress.uncertain import Uncertain
from twin.experiments.work.tasks import Task
from twin.ground.units import DAY, format_duration
from twin.scenario.describe import as_file
from twin.scenario.loading import Scenario, load
from twin.world.params import value_at

PEOPLE, BURN_IN = 1000, 20 * DAY
_SCALED = (
    ("audience", "initial"),
    ("audience", "arrivals"),
    ("creators", "human.initial"),
    ("creators", "human.arrivals"),
    ("creators", "ai.initial"),
    ("creators", "ai.arrivals"),
)
"""What grows with the number of people."""


@dataclass(frozen=True)
class Bank:
    """Worlds of a calibration: ``scenario`` as the platform's dates and the bank's size make it, by
    the settings ``common`` to all; ``given`` the priors, ``points`` (worlds, parameters) where each
    world lies in them; ``k`` the least cell of their aggregates; ``days`` observed
    and forecast; ``calendar`` the shape of the platform's week."""

    scenario: Scenario
    common: tuple[str, ...]
    given: Sequence[Uncertain]
    points: Array
    k: int
    days: int
    until: dt.date
    calendar: Shape = field(default_factory=Shape)

    @property
    def last(self) -> dt.date:
        """The last day of every world."""
        return self.scenario.start + dt.timedelta(days=self.days - 1)

    def __len__(self) -> int:
        return len(self.points)

    def tasks(self) -> list[Task]:
        """A task for each world. Statistics are kept for every day that the calibration can be
        brought up to date on."""
        days = range((self.last - self.until).days + 1)
        seen = [(self.until + dt.timedelta(days=day)).isoformat() for day in days]
        return [
            Task(
                "log",
                result(world),
                {"sets": self.sets(world), "k": self.k, "seen": seen},
                weight=self.scenario.warm_up + self.days * DAY,
            )
            for world in range(len(self))
        ]

    def sets(self, world: int) -> tuple[str, ...]:
        """All settings of a world, on the scenario of the calibration."""
        own = prior.texts(self.given, self.points[world])
        calendar = self.calendar.sets(self.scenario, own)
        return (*self.common, *own, *calendar, f"replicate={world}")


def folder(world: int) -> str:
    """Where a world's aggregates are."""
    return f"worlds/{world:05d}"


def result(world: int) -> str:
    """The file that is there once a world was observed."""
    return f"{folder(world)}/manifest.json"


def sized(scenario: Scenario, people: int) -> dict[str, str]:
    """Settings that give a scenario so many people, and creators and newcomers in proportion."""
    found: dict[str, str] = {}
    share = people / value_at(scenario.mechanisms["audience"], "initial")
    for mechanism, path in _SCALED:
        value = value_at(scenario.mechanisms[mechanism], path)
        if value is None:
            continue
        scaled = value * share
        if path.endswith("arrivals"):
            # rates are kept per day
            found[f"{mechanism}.{path}"] = f"{scaled:.6g}/d"
        else:
            found[f"{mechanism}.{path}"] = str(max(1, round(scaled)) if value else 0)
    return found


def bank(scenario: Scenario, first: dt.date, args: Mapping[str, Any], k: int) -> Bank:
    """The bank of a scenario for a platform that was observed from ``first`` on, with cells of
    ``k`` people or more. ``args`` of the calibration: until, ahead_d, vary, worlds, people,
    burn_in_s. Raises UsageError and ScenarioError."""
    until = dt.date.fromisoformat(args["until"])
    days = (until - first).days + 1 + int(args["ahead_d"])
    sets = {
        **sized(scenario, int(args["people"])),
        "start": first.isoformat(),
        "warm_up": format_duration(int(args["burn_in_s"])),
        "duration": format_duration(days * DAY),
        "policies": "[]",
    }
    common = tuple(f"{key}={value}" for key, value in sets.items())
    with as_file(scenario) as path:
        made = load(path, common)
    given = prior.ranges(args["vary"], made)
    points = prior.shares(given, int(args["worlds"]), scenario.seed)
    return Bank(made, common, given, points, k, days, until)
