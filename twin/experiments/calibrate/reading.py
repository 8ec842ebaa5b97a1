"""What is seen of the worlds of a bank until a day.

Statistics of a world until a day are a small file beside its aggregates: those of the days that a
calibration will be brought up to date on are written where the world runs, any other when asked for.
"""

from __future__ import annotations

import datetime as dt

from twin.experiments.calibrate.bank import Bank, folder, result
from twin.experiments.experiment import Experiment
from twin.experiments.work.tasks import Task
from twin.observing.daily import Seen, file


def read(
    experiment: Experiment,
    worlds: Bank,
    day: dt.date,
    chance: bool,
    where: tuple[str | None, Experiment | None],
) -> list[Seen | None]:
    """What is seen of every world until a day; None of one that failed. ``chance``: also what
    chance chose. ``where``: what is left is read there, shown by that experiment."""
    store, (on, by) = experiment.store, where
    shown = by or experiment
    there = [
        world
        for world in range(len(worlds))
        # a world that failed left none
        if store.exists(result(world))
    ]
    left = [
        Task("seen", _file(world, day), {"world": folder(world), "day": day.isoformat()})
        for world in there
        if not store.exists(_file(world, day))
    ]
    if left:
        shown.run(left, on, f"worlds read until {day}", store)
    found: list[Seen | None] = [None] * len(worlds)
    for world in there:
        if _file(world, day) in shown.failed:
            continue
        seen = Seen.decoded(store.read(_file(world, day)))
        found[world] = seen if chance else seen.without_chance()
    return found


def _file(world: int, day: dt.date) -> str:
    return f"{folder(world)}/{file(day)}"
