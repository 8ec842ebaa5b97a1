"""Outcomes of a stress test's worlds: where each lies, what was read of it, and by how much it kept
the goals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from twin.experiments.experiment import Experiment
from twin.experiments.stress import uncertain
from twin.experiments.stress.goals import Goal, parse_goals
from twin.experiments.stress.uncertain import Uncertain

DRAWN, SEARCH, CONFIRM = "drawn", "search", "confirm"
"""The phases of a test, as tables name them."""


@dataclass(frozen=True)
class StressWorld:
    """A point with its luck: ``values`` of the parameters as text, in their order."""

    phase: str
    point: int
    replicate: int
    values: tuple[str, ...]


@dataclass(frozen=True)
class Outcome:
    """A world with the means of every goal's series (goals,) without and with the policy; NaN where
    they could not be read."""

    world: StressWorld
    base: tuple[float, ...]
    value: tuple[float, ...]

    def margins(self, goals: Sequence[Goal]) -> tuple[float, ...]:
        """Margins (goals,)."""
        return tuple(
            goal.margin(base, value)
            for goal, base, value in zip(goals, self.base, self.value, strict=True)
        )


def read_args(experiment: Experiment) -> tuple[list[Goal], list[Uncertain]]:
    """Goals and ranges of an experiment, as its manifest has them."""
    args, scenario = experiment.manifest["args"], experiment.scenario
    return parse_goals(args["goals"], scenario), uncertain.read(
        args["uncertain"], scenario, args["policy"]["policies"]
    )


def table(seen: Sequence[Outcome], goals: Sequence[Goal], given: Sequence[Uncertain]) -> pa.Table:
    """One row per world and goal, in the order in which worlds ran."""
    worlds = [each.world for each in seen for _ in goals]
    columns: dict[str, Any] = {
        "phase": [world.phase for world in worlds],
        "point": [world.point for world in worlds],
        "replicate": [world.replicate for world in worlds],
    }
    for k, one in enumerate(given):
        columns[one.vary.path] = [world.values[k] for world in worlds]
    pairs = [
        (goal, base, value)
        for each in seen
        for goal, base, value in zip(goals, each.base, each.value, strict=True)
    ]
    columns["goal"] = [goal.text for goal, _, _ in pairs]
    columns["base"] = [base for _, base, _ in pairs]
    columns["value"] = [value for _, _, value in pairs]
    columns["margin"] = [goal.margin(base, value) for goal, base, value in pairs]
    columns["holds"] = pa.array(
        [goal.holds(base, value) for goal, base, value in pairs], pa.bool_()
    )
    return pa.table(columns)


def read_outcomes(
    experiment: Experiment, goals: Sequence[Goal], given: Sequence[Uncertain]
) -> list[Outcome]:
    """All outcomes, from ``results.parquet``."""
    rows = experiment.store.read_table("results.parquet").to_pylist()
    many = len(goals)
    made = []
    # `table` writes a row per goal, so these rows are one world
    for first in range(0, len(rows), many):
        mine, row = rows[first : first + many], rows[first]
        world = StressWorld(
            phase=row["phase"],
            point=row["point"],
            replicate=row["replicate"],
            values=tuple(row[one.vary.path] for one in given),
        )
        made.append(
            Outcome(
                world, tuple(each["base"] for each in mine), tuple(each["value"] for each in mine)
            )
        )
    return made
