"""Worlds of an audit: trunks, branches of one turned setting, and what is read from them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from twin.experiments import forks
from twin.experiments.experiment import Experiment
from twin.experiments.forks import BASE, Branch
from twin.experiments.work.tasks import Task
from twin.ground.errors import UsageError
from twin.ground.units import DAY
from twin.record.watch import Rows
from twin.world import checkpoint


def based(experiment: Experiment, at: int, numbers: Sequence[int], on: str | None) -> list[Task]:
    """Run the worlds as they are; returns their tasks, without those that failed. Raises UsageError
    if fewer than two are left."""
    base = forks.tasks(experiment.scenario, at, numbers, [Branch(BASE)])
    experiment.run(base, on, "runs without a step")
    alive = [task for task in base if task.result not in experiment.failed]
    # a standard deviation from world to world needs two worlds
    if len(worlds_of(alive)) < 2:
        experiment.finish("failed")
        raise UsageError(
            f"{experiment.out}: worlds as they are failed, fewer than two are left (their errors "
            f"are in failed/)"
        )
    return alive


def worlds_of(alive: Sequence[Task]) -> set[int]:
    """Replicates that reached the fork and went on as they are, by their tasks' results."""
    return {int(task.result.split("/")[1]) for task in alive if task.kind == "branch"}


def ids_at_fork(experiment: Experiment, replicate: int) -> dict[str, int]:
    """IDs alive at the fork of a world, by table."""
    return {
        table: int(
            # one array of the checkpoint: no world is loaded for a count
            experiment.store.read_array(
                f"runs/{replicate}/trunk.npy.world/{checkpoint.array_file(table, 'alive')}"
            ).sum()
        )
        for table in ("consumers", "creators", "posts")
    }


def branch_task(result: str, replicate: int, policy: str, seconds: int) -> Task:
    """A branch of a world under a policy."""
    trunk = trunk_of(replicate)
    return Task(
        "branch",
        result,
        {"sets": forks.settings(replicate), "trunk": trunk, "policies": [policy]},
        (trunk,),
        seconds + DAY,
    )


def means(
    experiment: Experiment,
    rows: Rows,
    results: Mapping[int, str],
    whole: bool = False,
) -> NDArray[np.float64]:
    """Means over the window (replicates, series) of ``results`` by replicate; NaN for one that
    failed. ``whole``: its readings begin at the start, not at the fork."""
    made = np.full((len(results), len(rows)), np.nan)
    for place, (replicate, result) in enumerate(results.items()):
        if not lost(experiment, result, replicate):
            made[place] = _mean(experiment, rows, result, "" if whole else trunk_of(replicate))
    return made


def _mean(experiment: Experiment, rows: Rows, result: str, trunk: str) -> NDArray[np.float64]:
    scenario, at = experiment.scenario, int(experiment.manifest["args"]["at_s"])
    bins = [forks.last_window(at, scenario.duration)]
    windows = forks.reduced_result(experiment, rows, result, trunk, bins)
    return np.asarray(windows[0], np.float64)


def trunk_of(replicate: int) -> str:
    """The result of a world up to the fork."""
    return f"runs/{replicate}/trunk.npy"


def lost(experiment: Experiment, result: str, replicate: int) -> bool:
    """Whether a result is not there, or the world that it is compared with."""
    return not {result, f"runs/{replicate}/0.npy", trunk_of(replicate)}.isdisjoint(
        experiment.failed
    )
