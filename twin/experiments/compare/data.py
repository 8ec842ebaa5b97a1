"""What a comparison's report is made of, read from its folder: rows, courses, pairs, axes of the
map."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from twin.experiments.compare.rows import (
    EARLY,
    LAST,
    MONTH,
    Row,
    read_groups,
    read_moving,
    read_rows,
)
from twin.experiments.experiment import Experiment
from twin.experiments.forks import outcome, weeks
from twin.experiments.words import WHO, Key
from twin.ground.errors import UsageError, nearest
from twin.ground.units import at
from twin.readers.pictures import PALETTE
from twin.scenario.loading import Scenario
from twin.world.metric import label_text

DEFAULT: dict[str, Key] = {"x": ("creator_income", "by=human"), "y": ("enjoyed_per_session", "")}
"""What the map shows first."""
SIDE_OF = {"x": "producer", "y": "consumer"}
Array = NDArray[np.float64]


@dataclass(frozen=True)
class Course:
    """One series of a branch week by week (weeks,): ends of weeks and what was found; see
    `twin.experiments.effects`."""

    time: Sequence[dt.datetime]
    base: Array
    effect: Array
    low: Array
    high: Array
    correlation: Array
    narrower: Array

    @property
    def scale(self) -> Array:
        """What turns its numbers into percent of the world without the policy (weeks,)."""
        return 100 / self.base


class Pairs(NamedTuple):
    """Means of one series over a window, without (``base``) and with the policy (replicates,)."""

    base: Array
    value: Array


def colour(place: int) -> str:
    """The colour of a branch, the same in all pictures."""
    # with more branches than colours they begin again
    return PALETTE[place % len(PALETTE)]


def series_of(scenario: Scenario, side: str) -> dict[Key, str]:
    """Series of a side that can be an axis, by key (metric, labels): what is written on a command
    line for each."""
    found = {}
    for mechanism in scenario.mechanisms:
        for metric in scenario.registry[mechanism].metrics:
            # bins of a histogram are no position on an axis
            if metric.side == side and outcome(metric) and metric.kind != "histogram":
                for labels in metric.series():
                    text = label_text(labels)
                    found[metric.name, text] = metric.name + (f"{{{text}}}" if text else "")
    return found


def axis_key(scenario: Scenario, which: str, text: str) -> Key:
    """The series that ``METRIC`` or ``METRIC{label=value}`` names. Raises UsageError with the
    nearest one of that side."""
    known = series_of(scenario, SIDE_OF[which])
    # spaces and quotes around label values make no difference
    plain = text.replace(" ", "").replace('"', "")
    for key, written in known.items():
        if plain == written:
            return key
    raise UsageError(
        f"--{which} {text}: is no metric of {WHO[SIDE_OF[which]]} here "
        f"({nearest(plain, known.values())})"
    )


def check_axes(scenario: Scenario, axes: Mapping[str, str]) -> None:
    """Raises UsageError for an axis that does not exist."""
    for which, text in axes.items():
        axis_key(scenario, which, text)


class Data:
    """What a report is made of, by branch and series."""

    def __init__(self, experiment: Experiment) -> None:
        self.experiment, self.scenario, self.args = (
            experiment,
            experiment.scenario,
            experiment.manifest["args"],
        )
        self.start, self.fork_s, self.n = (
            self.scenario.start,
            int(self.args["at_s"]),
            int(self.args["replicates"]),
        )
        self.fork = at(self.start, self.fork_s)
        self.month = at(self.start, min(self.fork_s + MONTH, self.scenario.duration))
        self.rows = read_rows(experiment)
        self.of: dict[tuple[str, Key], Row] = {(row.branch, row.key): row for row in self.rows}
        self.moving = read_moving(experiment)
        self.groups = read_groups(experiment)
        self.branches = list(dict.fromkeys(row.branch for row in self.rows))
        self.colours = {name: colour(place) for place, name in enumerate(self.branches)}
        # all branches have the same series in the same order, and so do all tables
        keys = [row.key for row in self.rows if row.branch == self.branches[0]]
        self.courses = self._read_courses(keys)
        self.pairs = self._read_pairs(keys)

    def _read_courses(self, keys: Sequence[Key]) -> dict[tuple[str, Key], Course]:
        """Courses by branch and series; the table's rows are in the order branch, series, week."""
        table = self.experiment.store.read_table("course.parquet")
        weekly = len(weeks(self.fork_s, self.scenario.duration))
        times = table["time"].to_pylist()[:weekly]
        numbers = {
            name: table[name].to_numpy().reshape(len(self.branches), len(keys), weekly)
            for name in ("base", "effect", "low", "high", "correlation", "narrower")
        }
        return {
            (branch, key): Course(times, **{name: each[i, j] for name, each in numbers.items()})
            for i, branch in enumerate(self.branches)
            for j, key in enumerate(keys)
        }

    def _read_pairs(self, keys: Sequence[Key]) -> dict[str, dict[tuple[str, Key], Pairs]]:
        """Pairs by window, and by branch and series; the table's rows are in the order branch,
        window, series, replicate."""
        table = self.experiment.store.read_table("replicates.parquet")
        base, value = (
            table[name].to_numpy().reshape(len(self.branches), 2, len(keys), self.n)
            for name in ("base", "value")
        )
        return {
            window: {
                (branch, key): Pairs(base=base[i, k, j], value=value[i, k, j])
                for i, branch in enumerate(self.branches)
                for j, key in enumerate(keys)
            }
            for k, window in enumerate((LAST, EARLY))
        }

    def reported(self, branch: str, side: str) -> list[Row]:
        """Series of a side that summaries mention, if they have any reading."""
        return [
            row
            for row in self.rows
            # an interval takes two pairs at least
            if row.branch == branch and row.side == side and row.reported and row.n > 1
        ]

    def headlines(self) -> list[Row]:
        """Series of both sides that pictures are drawn of (as rows of the first branch)."""
        return [
            row
            for side in ("producer", "consumer")
            for row in self.reported(self.branches[0], side)
        ]
