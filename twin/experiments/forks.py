"""Worlds that are forked: for every replicate a trunk up to the fork, then one branch without and
one per policy.

Readings are reduced as they are loaded: counters to events per day (over the day before each
reading, also across the fork), then means over bins of time after the fork, so that memory grows
with bins and not with readings.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twin.experiments.experiment import Experiment
from twin.experiments.work.tasks import Task, reduced
from twin.ground import files
from twin.ground.errors import UsageError
from twin.ground.units import DAY, format_duration
from twin.record.watch import Rows
from twin.running.folder import slug
from twin.scenario import idle, interventions, shipped
from twin.scenario.describe import as_file
from twin.scenario.interventions import parse_when
from twin.scenario.loading import Scenario
from twin.scenario.yamlish import write_text
from twin.world.metric import Metric

WINDOW = 28 * DAY
BASE = "as it is"
"""The branch without a policy."""
TREATMENTS = ("policies_active",)
"""Metrics that say that a policy is there, and nothing about what it does: no outcome."""


@dataclass(frozen=True)
class Branch:
    """A way to continue from the fork: a name, the file in the store with its policies (none for
    BASE), and the text for reports."""

    name: str
    file: str = ""
    describe: str = ""


@dataclass
class Forked:
    """Means per bin of every branch: ``bins`` [(begin, end] in seconds since the start],
    ``of[name]`` float64 (replicates, bins, series).

    A replicate that failed in a branch is NaN there.
    """

    rows: Rows
    bins: list[tuple[int, int]]
    of: dict[str, NDArray[np.float64]] = field(default_factory=dict)


@dataclass(frozen=True)
class Plan:
    """A policy file, read and checked: what a branch is called, its policies with their times, and
    that in words."""

    name: str
    policies: list[dict[str, Any]]
    describe: str

    @property
    def file(self) -> str:
        """Where an experiment keeps its policies, in its folder."""
        return f"policies/{slug(self.name)}.yaml"


def planned(path: str, at: int, scenario: Scenario, name: str | None = None) -> Plan:
    """Read a policy file (``FILE`` or ``FILE@TIME``, where FILE may be the name of a shipped one)
    and check it against the scenario, for a branch that forks at ``at``.

    What has no time of its own takes effect at the fork; a condition counts from the fork on. Raises
    UsageError and ScenarioError.
    """
    file, sign, time = path.rpartition("@")
    # a file whose own name has an @ in it wins over FILE@TIME
    if not sign or files.is_file(Path(path)):
        file, time = path, ""
    found = shipped.found(file, shipped.POLICY)
    if not files.is_file(found):
        reason, mend = shipped.missing(file, shipped.POLICY)
        raise UsageError(f"--policy {files.shown(path)}: {reason} ({mend})")
    try:
        when = parse_when(time, scenario.start, at, 1) if time else None
    except UsageError as error:
        raise UsageError(
            f"--policy {path}: the worlds are forked at {format_duration(at)}: {error}"
        ) from None
    with as_file(scenario) as base:
        applied, policies = interventions.laid(
            base, found.read_text(errors="replace", encoding="utf-8"), when, at, str(found)
        )
    # the scenario's own policies come first, and are part of both branches
    mine = applied.policies[len(scenario.policies) :]
    made = name or found.stem.replace("_", " ") + (f" at {time}" if time else "")
    if made == BASE:
        raise UsageError(
            f"--policy {path}: a branch cannot be called {BASE!r}, as the one without a policy is "
            f"(rename the file)"
        )
    return Plan(made, policies, "; ".join(policy.describe() for policy in mine))


def own(at: str | None, scenario: Scenario) -> tuple[int, Scenario, Plan]:
    """Where to fork, the scenario without its policies, and these as the plan of a branch; forked
    at ``at`` or, by default, when the first of them takes effect. Raises UsageError."""
    mine = scenario.policies
    if not mine:
        raise UsageError(
            f"--policy: none is given, and {scenario.name} has none of its own (`twin policies` "
            f"lists those that come with twin)"
        )
    # a condition counts from `after` on, which is the start where it is not given
    begins = [policy.at if policy.at is not None else policy.after or 0 for policy in mine]
    first = min(begins)
    title = mine[begins.index(first)].title
    if first >= scenario.duration:
        raise UsageError(
            f"--policy: none is given, and {scenario.name} ends before its own take effect "
            f"({title!r} at {format_duration(first)}; give a longer duration, or --policy)"
        )
    fork = fork_time(at, scenario) if at else first
    if fork > first:
        raise UsageError(
            f"--at {at}: {title!r} of the scenario takes effect before, at "
            f"{format_duration(first)} (fork there or earlier, or give --policy)"
        )
    bare = replace(scenario, policies=())
    policies = [policy.model_dump(exclude_none=True) for policy in mine]
    described = "; ".join(policy.describe() for policy in mine)
    return fork, bare, Plan(scenario.name.replace("_", " "), policies, described)


def idle_in(plan: Plan, scenario: Scenario) -> list[str]:
    """What in a plan cannot act on the scenario; see `twin.scenario.idle`."""
    applied = checked(scenario, plan.policies, f"--policy {plan.name}")
    mine = idle.plan_of(applied)[len(scenario.policies) :]
    # called after the branch: two may hold the same policy at different times
    return [
        f"policy {plan.name}: {reason}"
        for policy in mine
        for reason in idle.of_policy(applied, policy)
    ]


def checked(scenario: Scenario, policies: Sequence[Mapping[str, Any]], source: str) -> Scenario:
    """The scenario with timed policies on it. Raises ScenarioError."""
    with as_file(scenario) as base:
        return interventions.laid(base, write_text({"policies": list(policies)}), None, 0, source)[
            0
        ]


def outcome(metric: Metric) -> bool:
    """Whether a metric shows what a policy does. Not so those that show that it is there, means by
    arm, see `trial`, and means by group, which are a family of their own, see `groups`."""
    return metric.name not in TREATMENTS and not metric.trial and not metric.split


def distinct(plans: Sequence[Plan]) -> None:
    """Raise UsageError if two branches would have the same name, or files of the same name."""
    # compared as file names: two names may differ in what a slug leaves out
    names = [slug(plan.name) for plan in plans]
    twice = next(
        (plan.name for place, plan in enumerate(plans) if names[place] in names[:place]), None
    )
    if twice is not None:
        raise UsageError(
            f"--policy: two branches would be called {twice!r} (rename one file: branches are "
            f"called after their files)"
        )


def stored(plan: Plan, experiment: Experiment) -> Branch:
    """A plan as a branch of an experiment, in whose folder its policies then are."""
    experiment.store.write(plan.file, write_text({"policies": plan.policies}).encode())
    return Branch(plan.name, plan.file, plan.describe)


def branch_of(
    path: str, at: int, scenario: Scenario, experiment: Experiment, name: str | None = None
) -> Branch:
    """Both in one: see `planned` and `stored`."""
    return stored(planned(path, at, scenario, name), experiment)


def settings(replicate: int, sets: Sequence[str] = ()) -> tuple[str, ...]:
    """The settings of one replicate."""
    return (*sets, f"replicate={replicate}")


def tasks(
    scenario: Scenario,
    at: int,
    replicates: Sequence[int],
    branches: Sequence[Branch],
    sets: Sequence[str] = (),
    within: str = "runs",
) -> list[Task]:
    """Trunks and branches of all replicates; results are named ``<within>/<replicate>/<branch
    number>.npy``."""
    made = []
    for replicate in replicates:
        own = settings(replicate, sets)
        trunk = f"{within}/{replicate}/trunk.npy"
        made.append(
            Task("trunk", trunk, {"sets": own, "at_s": at}, weight=at + DAY + scenario.warm_up)
        )
        # callers put BASE first, and read number 0 as the world without a policy
        for number, branch in enumerate(branches):
            made.append(
                Task(
                    "branch",
                    f"{within}/{replicate}/{number}.npy",
                    {"sets": own, "trunk": trunk, "policies": [branch.file] if branch.file else []},
                    (trunk,),
                    scenario.duration - at + DAY,
                )
            )
    return made


def last_window(at: int, end: int) -> tuple[int, int]:
    """Seconds over which effects are read: the last four weeks, or all that lies after the fork."""
    return max(at, end - WINDOW), end


def weeks(at: int, end: int, width: int = 7 * DAY) -> list[tuple[int, int]]:
    """Bins of ``width`` from the fork to the end; what is left at the end belongs to the last."""
    edges = list(range(at, end + 1, width))
    # what is left at the end widens the last bin, as a bin of its own would be short
    edges = [*edges[:-1], end] if len(edges) > 1 else [at, end]
    return list(itertools.pairwise(edges))


def read(
    experiment: Experiment,
    at: int,
    replicates: Sequence[int],
    branches: Sequence[Branch],
    bins: list[tuple[int, int]],
    within: str = "runs",
) -> Forked:
    """Load and reduce what the tasks left."""
    rows = experiment.scenario.series()
    made = Forked(rows, bins)
    for number, branch in enumerate(branches):
        values = np.full((len(replicates), len(bins), len(rows)), np.nan)
        for place, replicate in enumerate(replicates):
            result = f"{within}/{replicate}/{number}.npy"
            # NaN stays where a run failed, and `effects.paired` leaves out that pair alone
            if result not in experiment.failed:
                trunk = f"{within}/{replicate}/trunk.npy"
                values[place] = reduced_result(experiment, rows, result, trunk, bins)
        made.of[branch.name] = values
    return made


def reduced_result(
    experiment: Experiment, rows: Rows, result: str, trunk: str, bins: Sequence[tuple[int, int]]
) -> NDArray[np.float64]:
    """Means over bins (bins, series) of one result. ``trunk``: the readings before the fork, which
    a running total needs for its first day after it; empty for a run from its start."""
    store = experiment.store
    parts = [store.read_array(name) for name in (trunk, result) if name]
    return reduced(np.concatenate(parts), experiment.scenario.metrics.every, rows, bins)


def fork_time(text: str | None, scenario: Scenario) -> int:
    """Where to fork: a time or a date, else half-way; on the grid of the run's hours. Raises
    UsageError."""
    try:
        at = (
            parse_when(text, scenario.start, 0, scenario.grid)
            if text
            else scenario.duration // 2 // DAY * DAY
        )
    except UsageError as error:
        raise UsageError(f"--at {error}") from None
    if at >= scenario.duration:
        raise UsageError(
            f"--at {text}: is after the end of the run, which lasts "
            f"{format_duration(scenario.duration)}"
        )
    return at
