"""Worlds that are forked: for every replicate a trunk up to the fork, then one branch without and one per policy.

Readings are reduced as they are loaded: counters to events per day (over the day before each reading, also across the fork), then
means over bins of time after the fork, so that memory grows with bins and not with readings.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twin.engine import Simulation
from twin.errors import ScenarioError, UsageError
from twin.experiments.experiment import Experiment
from twin.experiments.tasks import Task, reduced
from twin.interventions import parse_when, timed
from twin.metric import Metric
from twin.scenario import Scenario, load
from twin.units import DAY, format_duration
from twin.yamlish import write_text

BASE = "as it is"
"""The branch without a policy."""
TREATMENTS = ("policies_active",)
"""Metrics that say that a policy is there, and nothing about what it does: no outcome."""


@dataclass(frozen=True)
class Branch:
    """A way to go on from the fork: a name, the file in the store with its policies (none for BASE), and the text for reports."""

    name: str
    file: str = ""
    describe: str = ""


@dataclass
class Forked:
    """Means per bin of every branch: ``bins`` [(begin, end] in seconds since the start], ``of[name]`` float64 (replicates, bins, series).

    A replicate that failed in a branch is NaN there.
    """

    rows: Sequence[tuple[Metric, Mapping[str, str]]]
    bins: list[tuple[int, int]]
    of: dict[str, NDArray[np.float64]] = field(default_factory=dict)


def branch_of(path: str, at: int, scenario: Scenario, experiment: Experiment, name: str | None = None) -> Branch:
    """A policy file (``FILE`` or ``FILE@TIME``), checked against the scenario, as a branch that forks at ``at``.

    What has no time of its own takes hold at the fork; a condition counts from the fork on. Raises ScenarioError.
    """
    file, sign, time = path.rpartition("@")
    if not sign or Path(path).is_file():
        file, time = path, ""
    if not Path(file).is_file():
        raise UsageError(f"--policy {path}: there is no file {file}")
    when = parse_when(time, scenario.start, at, 1) if time else None
    policies = timed(Path(file).read_text(errors="replace"), when, at, file)
    made = name or Path(file).stem.replace("_", " ")
    target = f"policies/{Path(file).stem if name is None else name}.yaml"
    experiment.store.write(target, write_text({"policies": policies}).encode())
    with experiment.store.local("scenario.yaml") as base, experiment.store.local(target) as laid:
        try:
            checked = load(base, (), (str(laid),))
        except ScenarioError as error:
            raise ScenarioError(type(each)(file, 0, each.path, each.reason, each.mend) for each in error.problems) from None
    known = {policy.name for policy in scenario.policies}
    return Branch(made, target, "; ".join(policy.describe() for policy in checked.policies if policy.name not in known))


def settings(replicate: int, sets: Sequence[str] = ()) -> tuple[str, ...]:
    """The settings of one replicate."""
    return (*sets, f"replicate={replicate}")


def tasks(scenario: Scenario, at: int, replicates: Sequence[int], branches: Sequence[Branch], sets: Sequence[str] = (),
          within: str = "runs") -> list[Task]:
    """Trunks and branches of all replicates; results are named ``<within>/<replicate>/<branch number>.npy``."""
    made = []
    for replicate in replicates:
        own = settings(replicate, sets)
        trunk = f"{within}/{replicate}/trunk.npy"
        made.append(Task("trunk", trunk, {"sets": own, "at_s": at}, weight=at + DAY))
        for number, branch in enumerate(branches):
            made.append(Task("branch", f"{within}/{replicate}/{number}.npy", {
                "sets": own, "trunk": trunk, "policies": [branch.file] if branch.file else []}, (trunk,), scenario.duration - at + DAY))
    return made


def weeks(at: int, end: int, width: int = 7 * DAY) -> list[tuple[int, int]]:
    """Bins of ``width`` from the fork to the end; what is left at the end belongs to the last."""
    edges = list(range(at, end + 1, width))
    edges = [*edges[:-1], end] if len(edges) > 1 else [at, end]
    return list(itertools.pairwise(edges))


def read(experiment: Experiment, scenario: Scenario, at: int, replicates: Sequence[int], branches: Sequence[Branch],
         bins: list[tuple[int, int]], within: str = "runs") -> Forked:
    """Load and reduce what the tasks left."""
    rows = Simulation(scenario).world.board.rows
    made = Forked(rows, bins)
    for number, branch in enumerate(branches):
        values = np.full((len(replicates), len(bins), len(rows)), np.nan)
        for place, replicate in enumerate(replicates):
            result = f"{within}/{replicate}/{number}.npy"
            if result not in experiment.failed:
                before = experiment.store.read_array(f"{within}/{replicate}/trunk.npy")
                after = experiment.store.read_array(result)
                values[place] = reduced(np.concatenate([before, after]), scenario.metrics.every, rows, bins)
        made.of[branch.name] = values
    return made


def fork_time(text: str | None, scenario: Scenario) -> int:
    """Where to fork: a time or a date, else half-way; on the grid of the run's hours. Raises UsageError."""
    recommender: Any = scenario.mechanisms["recommender"]
    at = parse_when(text, scenario.start, 0, int(recommender.refresh)) if text else scenario.duration // 2 // DAY * DAY
    if at >= scenario.duration:
        raise UsageError(f"--at {text}: is after the end of the run, which lasts {format_duration(scenario.duration)}")
    return at
