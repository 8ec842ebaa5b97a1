"""Worlds of forecasts as tasks, and outcomes read off their results.

A world runs to the fork once; branches that experiments share run once too, since files are named
by the digest of what made them. Readings are reduced over a window after the fork: gauges to their
mean, what is counted to its rate per day between the readings at both ends of the window.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twin.experiments.experiment import Experiment
from twin.experiments.forecasts import readings
from twin.experiments.forecasts.declare import Branch, Reading
from twin.experiments.forecasts.expressions import Series, places
from twin.experiments.forecasts.plan import Answered, Plan, placebo
from twin.experiments.work.tasks import Task
from twin.ground.digest import sha
from twin.ground.units import DAY
from twin.scenario.yamlish import write_text

Array = NDArray[np.float64]
Asked = tuple[str, tuple[float, float]]
"""An outcome's id and a window in days after the fork."""


def folder(plan: Plan, branch: Branch, world: int) -> str:
    """Where a world's trunk and branches are."""
    made_by = [plan.at, plan.sets(branch, world), plan.policies(branch, before=True)]
    return f"worlds/{sha(made_by, 16)}"


def result(plan: Plan, branch: Branch, world: int) -> str:
    """The file of a branch's readings."""
    own = sha([plan.policies(branch), plan.length], 16)
    return f"{folder(plan, branch, world)}/{own}.npy"


def tasks(experiment: Experiment, plan: Plan) -> list[Task]:
    """All tasks of a forecast, world by world; policies are then in the experiment's folder."""
    made: dict[str, Task] = {}
    warm = plan.scenario.warm_up
    for world in range(plan.size.worlds):
        for name in plan.needed():
            branch = plan.branch(name)
            sets, trunk = plan.sets(branch, world), f"{folder(plan, branch, world)}/trunk.npy"
            before = {
                # a day more than it runs: a fork lies before the end
                "sets": (*sets, f"duration={plan.at + DAY}s"),
                "at_s": plan.at,
                "policies": _stored(experiment, plan.policies(branch, before=True)),
                "kept": [],
            }
            made.setdefault(trunk, Task("trunk", trunk, before, weight=plan.at + warm + DAY))
            target = result(plan, branch, world)
            after = {
                "sets": (*sets, f"duration={plan.at + plan.length}s"),
                "trunk": trunk,
                "policies": _stored(experiment, plan.policies(branch)),
                "kept": plan.kept,
            }
            made.setdefault(target, Task("branch", target, after, (trunk,), plan.length + DAY))
    return _left(experiment, list(made.values()))


def _left(experiment: Experiment, made: Sequence[Task]) -> list[Task]:
    """Without trunks that no missing branch needs; a trunk whose world was removed since runs
    again where one does."""
    store = experiment.store
    missing = [task for task in made if task.needs and not store.exists(task.result)]
    needed = {trunk for task in missing for trunk in task.needs}
    for trunk in needed:
        if store.exists(trunk) and not store.exists(f"{trunk}.world"):
            store.remove(trunk)
    return [task for task in made if task.needs or task.result in needed]


def _stored(experiment: Experiment, policies: Sequence[Mapping[str, Any]]) -> list[str]:
    """Policies as a file in the experiment's folder, if there are any."""
    if not policies:
        return []
    name = f"policies/{sha(policies, 16)}.yaml"
    if not experiment.store.exists(name):
        experiment.store.write(name, write_text({"policies": list(policies)}).encode())
    return [name]


def groups(plans: Sequence[Plan]) -> list[list[Plan]]:
    """Experiments whose worlds are the same up to the fork, together."""
    made: dict[str, list[Plan]] = {}
    for plan in plans:
        key = folder(plan, Branch(""), 0)
        made.setdefault(key, []).append(plan)
    return list(made.values())


def tidy(experiment: Experiment, plans: Iterable[Plan]) -> None:
    """Remove worlds at the fork whose branches are all there: they are large."""
    for plan in plans:
        for world in range(plan.size.worlds):
            branches = [plan.branch(name) for name in plan.needed()]
            if not any(result(plan, each, world) in experiment.failed for each in branches):
                for at in {folder(plan, each, world) for each in branches}:
                    experiment.store.remove(f"{at}/trunk.npy.world")


def windowed(
    values: Array, times: NDArray[np.int64], counters: NDArray[np.bool_], window: tuple[int, int]
) -> Array:
    """Readings (readings, series) over a window of seconds (begin, end]: means (series,), of what
    is counted (``counters``) events per day; NaN where nothing was read."""
    begin, end = window
    made = np.full(values.shape[1], np.nan)
    inside = (times > begin) & (times <= end)
    if not inside.any():
        return made
    known = np.isfinite(values[inside])
    total = np.where(known, values[inside], 0.0).sum(0)
    np.divide(total, known.sum(0), out=made, where=known.any(0))
    last, first = int(np.flatnonzero(inside)[-1]), int(np.flatnonzero(times <= begin)[-1])
    rate = (values[last] - values[first]) / ((times[last] - times[first]) / DAY)
    return np.where(counters, rate, made)


class World:
    """One world's branches, read over windows."""

    def __init__(self, experiment: Experiment, plan: Plan, world: int) -> None:
        self._experiment, self._plan, self._world = experiment, plan, world
        self._counters = np.array([plan.rows[place][0].counts for place in plan.kept])
        self._column = {place: column for column, place in enumerate(plan.kept)}
        self._arrays: dict[str, Array | None] = {}
        self._means: dict[tuple[str, tuple[float, float]], Array] = {}

    def _array(self, name: str) -> Array | None:
        if name not in self._arrays:
            file = result(self._plan, self._plan.branch(name), self._world)
            failed = file in self._experiment.failed
            self._arrays[name] = None if failed else self._experiment.store.read_array(file)
        return self._arrays[name]

    def means(self, name: str, days: tuple[float, float]) -> Array:
        """Means of a branch over a window in days after the fork (series,)."""
        key = (name, days)
        if key not in self._means:
            values, plan = self._array(name), self._plan
            if values is None:
                self._means[key] = np.full(len(plan.kept), np.nan)
            else:
                # quick worlds are shorter, and so are their windows
                short = plan.length / DAY / plan.experiment.days
                begin, end = (plan.at + round(day * short * DAY) for day in days)
                every = plan.scenario.metrics.every
                # the first reading is that of the fork
                times = plan.at + np.arange(len(values), dtype=np.int64) * every
                self._means[key] = windowed(values, times, self._counters, (begin, end))
        return self._means[key]

    def outcome(self, each: Answered, days: tuple[float, float]) -> float:
        """The value of an outcome in this world; NaN where it was not read."""
        outcome, reading = each.outcome, each.reading
        assert reading is not None
        found = self._effect(each, reading, days)
        if reading.arms:
            of = placebo(reading)
            found -= self._effect(each, replace(reading, treated=of, control=of), days)
        return outcome.scale * (abs(found) if outcome.form == "size" else found)

    def _effect(self, each: Answered, reading: Reading, days: tuple[float, float]) -> float:
        def read(branch: str, series: Series, arms: tuple[str, ...]) -> float:
            found = places(series, self._plan.known, arms)
            return float(self.means(branch, days)[[self._column[place] for place in found]].sum())

        return readings.effects(reading, each.outcome.form, read)


def values(experiment: Experiment, plan: Plan) -> dict[Asked, Array]:
    """Every outcome that has a reading, by its id and window in days, in all worlds (worlds,)."""
    asked = [
        (each, days)
        for each in plan.answers
        if each.reading is not None
        for days in (each.outcome.days, *each.outcome.beside)
    ]
    # world by world: all outcomes share what is read of one
    found = [
        [world.outcome(each, days) for each, days in asked]
        for world in (World(experiment, plan, number) for number in range(plan.size.worlds))
    ]
    return {
        (each.outcome.id, days): column
        for (each, days), column in zip(asked, np.array(found).T, strict=True)
    }
