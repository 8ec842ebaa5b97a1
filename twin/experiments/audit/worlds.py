"""Worlds of an audit: trunks, branches of one turned setting, and what is read off them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twin.experiments import forks
from twin.experiments.experiment import Experiment
from twin.experiments.forks import BASE, Branch
from twin.experiments.work.tasks import Task, reduced
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
    if sum(task.kind == "branch" for task in alive) < 2:
        experiment.finish("failed")
        raise UsageError(
            f"{experiment.out}: worlds as they are failed, fewer than two are left (their errors "
            f"are in failed/)"
        )
    return alive


def ids_at_fork(experiment: Experiment, replicate: int) -> dict[str, int]:
    """IDs alive at the fork of a world, by table."""
    return {
        table: int(
            experiment.store.read_array(
                f"runs/{replicate}/trunk.npy.world/{checkpoint.array_file(table, 'alive')}"
            ).sum()
        )
        for table in ("consumers", "creators", "posts")
    }


def branch_task(result: str, replicate: int, policy: str, seconds: int) -> Task:
    """A branch of a world under a policy."""
    trunk = f"runs/{replicate}/trunk.npy"
    return Task(
        "branch",
        result,
        {"sets": forks.settings(replicate), "trunk": trunk, "policies": [policy]},
        (trunk,),
        seconds + DAY,
    )


def means(
    experiment: Experiment, rows: Rows, numbers: Sequence[int], name: Any, whole: bool = False
) -> NDArray[np.float64]:
    """Means over the window (replicates, series) of the results that ``name`` gives; NaN for a
    replicate that failed."""
    scenario, at = experiment.scenario, int(experiment.manifest["args"]["at_s"])
    made = np.full((len(numbers), len(rows)), np.nan)
    for place, r in enumerate(numbers):
        if not lost(experiment, name(r), r):
            readings = experiment.store.read_array(name(r))
            if not whole:
                readings = np.concatenate(
                    [experiment.store.read_array(f"runs/{r}/trunk.npy"), readings]
                )
            made[place] = reduced(
                readings,
                scenario.metrics.every,
                rows,
                [forks.last_window(at, scenario.duration)],
            )[0]
    return made


def lost(experiment: Experiment, result: str, replicate: int) -> bool:
    """Whether a result is not there, or the world that it is compared with."""
    return not {result, f"runs/{replicate}/0.npy", f"runs/{replicate}/trunk.npy"}.isdisjoint(
        experiment.failed
    )
