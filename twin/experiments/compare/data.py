"""What a comparison's report is made of, read from its folder: rows, courses, pairs, axes of the
map."""

from __future__ import annotations

from collections.abc import Mapping

from twin.experiments.compare import pictures
from twin.experiments.compare.pictures import Course, Key
from twin.experiments.compare.rows import (
    EARLY,
    LAST,
    MONTH,
    Row,
    read_moving,
    read_rows,
)
from twin.experiments.experiment import Experiment
from twin.experiments.forks import outcome, weeks
from twin.ground.errors import UsageError, nearest
from twin.ground.units import at
from twin.scenario.loading import Scenario
from twin.world.metric import label_text

DEFAULT: dict[str, Key] = {"x": ("creator_income", "by=human"), "y": ("enjoyed_per_session", "")}
SIDE_OF = {"x": "producer", "y": "consumer"}


def series_of(scenario: Scenario, side: str) -> dict[Key, str]:
    """Series of a side that can be an axis, by key (metric, labels): what is written on a command
    line for each."""
    found = {}
    for mechanism in scenario.mechanisms:
        for metric in scenario.registry[mechanism].metrics:
            if metric.side == side and outcome(metric) and metric.kind != "histogram":
                for labels in metric.series():
                    text = label_text(labels)
                    found[metric.name, text] = metric.name + (f"{{{text}}}" if text else "")
    return found


def axis_key(scenario: Scenario, which: str, text: str) -> Key:
    """The series that ``METRIC`` or ``METRIC{label=value}`` names. Raises UsageError with the
    nearest one of that side."""
    known = series_of(scenario, SIDE_OF[which])
    plain = text.replace(" ", "").replace('"', "")
    for key, written in known.items():
        if plain == written:
            return key
    who = "creators" if which == "x" else "consumers"
    raise UsageError(
        f"--{which} {text}: is no metric of {who} here ({nearest(plain, known.values())})"
    )


def check_axes(scenario: Scenario, axes: Mapping[str, str]) -> None:
    """Raises UsageError for an axis that there is not."""
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
        self.of: dict[tuple[str, Key], Row] = {
            (row.branch, (row.metric, row.labels)): row for row in self.rows
        }
        self.moving = read_moving(experiment)
        self.branches = list(dict.fromkeys(row.branch for row in self.rows))
        self.colours = {name: pictures.colour(place) for place, name in enumerate(self.branches)}
        keys = [(row.metric, row.labels) for row in self.rows if row.branch == self.branches[0]]
        table = experiment.store.read_table("course.parquet")
        shape = len(self.branches), len(keys), len(weeks(self.fork_s, self.scenario.duration))
        times = table["time"].to_pylist()[: shape[2]]
        numbers = {
            name: table[name].to_numpy().reshape(shape)
            for name in ("base", "effect", "low", "high", "correlation", "narrower")
        }
        self.courses = {
            (branch, key): Course(times, *(numbers[name][i, j] for name in numbers))
            for i, branch in enumerate(self.branches)
            for j, key in enumerate(keys)
        }
        table = experiment.store.read_table("replicates.parquet")
        pairs = {
            name: table[name].to_numpy().reshape(len(self.branches), 2, len(keys), self.n)
            for name in ("base", "value")
        }
        self.pairs = {
            window: {
                (branch, key): (pairs["value"][i, k, j], pairs["base"][i, k, j])
                for i, branch in enumerate(self.branches)
                for j, key in enumerate(keys)
            }
            for k, window in enumerate((LAST, EARLY))
        }

    def reported(self, branch: str, side: str) -> list[Row]:
        """Series of a side that summaries speak of, if they have any reading."""
        return [
            row
            for row in self.rows
            if row.branch == branch and row.side == side and row.reported and row.n > 1
        ]

    def headlines(self) -> list[Row]:
        """Series of both sides that pictures are drawn of (as rows of the first branch)."""
        return [
            row
            for side in ("producer", "consumer")
            for row in self.reported(self.branches[0], side)
        ]
