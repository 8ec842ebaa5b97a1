"""Tasks of a finding's parts, and their results.

A world is named by the digest of its settings. So arms and parts that ask for the same world share
it, and a changed declaration asks for a new one. Replicate r of all arms shares its luck, so
differences of arms are paired.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from twin.experiments.experiment import Experiment
from twin.experiments.findings.kit.arms import Arm, Study
from twin.experiments.findings.kit.declare import Part
from twin.experiments.findings.kit.readings import Readings, called
from twin.experiments.work.tasks import Task
from twin.ground.digest import sha
from twin.ground.units import DAY
from twin.scenario.loading import load
from twin.world.metric import label_text

PEOPLE, IDLE, STUDY = 10_000, 500, 50_000.0
"""Weights, in person-days: people of the default world; the cost of a day without people, in
people; and a study. They serve the estimate of the time left only."""


def _result(folder: str, what: Any) -> str:
    # a name has to be found again on resuming
    return f"{folder}/{sha(what, 16)}"


def settings(part: Part, arm: Arm, quick: bool, replicate: int = 0) -> tuple[str, ...]:
    """What an arm sets in a replicate, as ``--set`` arguments."""
    sets = part.sets(arm, part.size(quick), replicate)
    return tuple(f"{path}={value}" for path, value in sets.items())


def windows(part: Part, quick: bool) -> list[tuple[int, int]]:
    """Windows in seconds since the start."""
    length = part.size(quick).days * DAY
    return [(round(begin * length), round(end * length)) for begin, end in part.windows]


def world_task(part: Part, arm: Arm, quick: bool, replicate: int) -> Task:
    """One world of an arm."""
    sets, spans = settings(part, arm, quick, replicate), windows(part, quick)
    # The weight of a task is its expected cost, for the order and the estimate of time left.
    people = int(dict(entry.split("=", 1) for entry in sets).get("audience.initial", PEOPLE))
    return Task(
        "means",
        # Settings are sorted: the same world declared in another order has the same name.
        f"{_result('runs', [sorted(sets), spans])}/{replicate}.npy",
        {"sets": (*sets, f"replicate={replicate}"), "windows": spans},
        weight=part.size(quick).days * (people + IDLE),
    )


def study_task(study: Study, seed: int, data: str) -> Task:
    """One study."""
    # A study does not see the scenario, so seed and data have to be part of its name.
    args = {
        "call": f"twin.experiments.findings.{study.call}",
        "args": dict(study.args),
        "seed": seed,
        "data": data,
    }
    return Task("study", f"{_result('studies', args)}.npy", args, weight=STUDY)


def tasks(parts: Sequence[Part], quick: bool, seed: int, data: str) -> list[Task]:
    """All tasks of some parts, each once; replicate by replicate, so that the first results cover
    all arms."""
    made: dict[str, Task] = {}
    for part in parts:
        size = part.size(quick)
        for task in [study_task(study, seed, data) for study in part.studies(quick)] + [
            world_task(part, arm, quick, replicate)
            for replicate in range(size.replicates)
            for arm in part.arms
        ]:
            made.setdefault(task.result, task)
    return list(made.values())


def read(experiment: Experiment, part: Part, quick: bool, data: str) -> Readings:
    """Load the results of a part's tasks; a world that failed is NaN, a study that failed is
    empty."""
    size = part.size(quick)
    seen = Readings(part.arms, quick, size.days, size.replicates)
    layouts: dict[tuple[str, ...], dict[tuple[str, str], int]] = {}
    for arm in part.arms:
        with experiment.store.local("scenario.yaml") as path:
            scenario = load(path, settings(part, arm, quick))
        # Which series there are depends only on the mechanisms that are on. Listing them is slow.
        kind = tuple(scenario.mechanisms)
        if kind not in layouts:
            layouts[kind] = {
                (metric.name, label_text(labels)): place
                for place, (metric, labels) in enumerate(scenario.series())
            }
        seen.rows[called(arm)] = layouts[kind]
        values = np.full((size.replicates, len(part.windows), len(layouts[kind])), np.nan)
        for replicate in range(size.replicates):
            result = world_task(part, arm, quick, replicate).result
            if result not in experiment.failed:
                values[replicate] = experiment.store.read_array(result)
        seen.worlds[called(arm)] = values
    for study in part.studies(quick):
        result = study_task(study, experiment.scenario.seed, data).result
        seen.studies[study.name] = (
            np.array([]) if result in experiment.failed else experiment.store.read_array(result)
        )
    return seen
