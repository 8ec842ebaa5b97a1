"""Arms: every world of a bank continued without and with policies, as quantities of the worlds.

Of each world y is what it did under a policy and x without, both with the same luck:

    effect of a policy on a series   mean of y less mean of x after the fork
    base of a series                 mean of x after the fork
    a day of an arm                  as `twin.observing.daily` has it, less the arm's mean until the
                                     fork

All are asked for like parameters (`twin.experiments.calibrate.fit`), so the posterior of an effect
is what worlds like the platform say of it, and every world in turn shows how far that can be
believed.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from twin.experiments import forks
from twin.experiments.calibrate.bank import Bank
from twin.experiments.calibrate.command import More
from twin.experiments.calibrate.ensemble import Array
from twin.experiments.calibrate.fit import filled, future, quantity
from twin.experiments.experiment import Experiment
from twin.experiments.words import Key
from twin.experiments.work.tasks import Task
from twin.ground.units import DAY, format_duration
from twin.observing.daily import QUANTITIES, Seen
from twin.record.watch import Rows
from twin.world.metric import label_text

LEAST = 1e-12
"""Effects that differ less between worlds than this: the policy does not touch the series."""


@dataclass(frozen=True)
class Asked:
    """What is run: the first ``worlds`` of a ``bank``, each continued from the day after ``until`` to
    ``last`` without and with policies (``files``)."""

    bank: Bank
    until: dt.date
    last: dt.date
    files: Sequence[str]
    worlds: int

    @property
    def days(self) -> list[dt.date]:
        """The days after ``until``."""
        count = (self.last - self.until).days
        return [self.until + dt.timedelta(days=1 + ahead) for ahead in range(count)]

    def seconds(self, day: dt.date) -> int:
        """From the first day to the end of a day."""
        return ((day - self.bank.scenario.start).days + 1) * DAY

    def tasks(self) -> list[Task]:
        """A task for each world."""
        fork, end = self.seconds(self.until), self.seconds(self.last)
        return [
            Task(
                "arms",
                result(world),
                {
                    # the bank's worlds may end on another day
                    "sets": (*self.bank.sets(world), f"duration={format_duration(end)}"),
                    "k": self.bank.k,
                    "at_s": fork,
                    "policies": list(self.files),
                },
                weight=self.bank.scenario.warm_up + end + len(self.files) * (end - fork),
            )
            for world in range(self.worlds)
        ]


def result(world: int) -> str:
    """The file that is there once a world was run."""
    return f"worlds/{world:05d}/means.npy"


def effect(arm: int, key: Key) -> str:
    """What the effect of a policy on a series is called among the quantities of a posterior."""
    return f"{arm}: {key[0]}{{{key[1]}}}"


def day_of(arm: int, name: str, day: dt.date) -> str:
    """What a day of an arm is called there."""
    return f"{arm}: {quantity(name, day)}"


def more(experiment: Experiment, asked: Asked) -> More:
    """Effects, bases and days of all arms in the worlds that ran; what many worlds lack is left out,
    and so is what a policy does not touch."""
    store = experiment.store
    worlds = [world for world in range(asked.worlds) if store.exists(result(world))]
    means = np.array([store.read_array(result(world)) for world in worlds])
    values: dict[str, Array] = {}
    rows = experiment.scenario.series()
    for arm in range(len(asked.files) + 1):
        values |= dict(_series(rows, means, arm))
        seen = [Seen.decoded(store.read(f"worlds/{world:05d}/arm-{arm}.json")) for world in worlds]
        values |= dict(_days(seen, arm, (asked.until, asked.last)))
    return More(worlds, values)


def _series(rows: Rows, means: Array, arm: int) -> Iterator[tuple[str, Array]]:
    for place, (metric, labels) in enumerate(rows):
        if not forks.outcome(metric):
            continue
        base = means[:, 0, place]
        column = filled(base if arm == 0 else means[:, arm, place] - base)
        if column is not None and (arm == 0 or np.ptp(column) > LEAST):
            yield effect(arm, (metric.name, label_text(labels))), column


def _days(
    seen: Sequence[Seen], arm: int, ends: tuple[dt.date, dt.date]
) -> Iterator[tuple[str, Array]]:
    to_come = future(seen, *ends, tuple(QUANTITIES))
    for name, values in to_come.values.items():
        for place, day in enumerate(to_come.days):
            column = filled(values[:, place])
            if column is not None:
                yield day_of(arm, name, day), column
