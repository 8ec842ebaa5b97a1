"""How well a calibration foretells what a policy would do that its platform never had: `python -m
tests.benchmarks.bench_counterfactual ADVICE` (some seconds).

ADVICE is a finished folder of `twin recommend`. Every world that it ran is taken for the platform in
turn, seen through its ordinary log until the fork, and the others say what the policy does to its
click rate: the mean of the days that were followed. Printed by policy: the mean absolute error of
what is foretold, beside that of "nothing changes", and how often the central 80 % of a day held what
came; from a full log, from aggregates by day, user and item, and from those by day alone.
"""

from __future__ import annotations

import datetime as dt
import sys
from dataclasses import replace

import numpy as np
from scipy.special import expit

from twin.experiments import commands
from twin.experiments.calibrate import reading, regression, smoother
from twin.experiments.calibrate.ensemble import Array
from twin.experiments.forks import Plan
from twin.experiments.recommend import arms, command
from twin.observing.daily import level

NAME = "click rate"
OF_ROWS = ("twice", "shared", "session", "back within", "depth")
"""In the names of statistics that need a log's rows."""
OF_DAYS = (" rate", "last ", "late against", "impressions per person", "new items per")
"""In those that daily counts have."""


def kept(statistics: tuple[str, ...]) -> dict[str, list[str]]:
    """Statistics by what a platform shares."""
    users = [name for name in statistics if not any(part in name for part in OF_ROWS)]
    return {
        "a full log": [*statistics],
        "aggregates by day, user and item": users,
        "aggregates by day alone": [
            name for name in users if any(part in name for part in OF_DAYS) and "spread" not in name
        ],
    }


def main() -> None:
    """Print it."""
    experiment = commands.opened(sys.argv[1], quiet=True)
    args = experiment.manifest["args"]
    of = command.opened(args)
    wanted = command.asked(of, args, [Plan(**each).file for each in args["policies"]])
    found, made = command.advised(experiment, of, wanted, None)
    worlds = found.worlds
    seen = reading.read(of.experiment, of.bank, wanted.until, False, (None, None))
    known = [each for each in seen[: wanted.worlds] if each is not None]
    base = np.array([level(each.daily[NAME], wanted.until) for each in known])

    def places(arm: int, days: list[dt.date]) -> list[int]:
        return [worlds.quantities.index(arms.day_of(arm, NAME, day)) for day in days]

    def rates(values: Array, arm: int) -> Array:
        """Click rates of the worlds under an arm, means of the days (worlds,)."""
        return np.asarray(expit(values[:, places(arm, wanted.days)] + base[:, None]).mean(1))

    for arm, each in enumerate(made, 1):
        came = rates(worlds.x, arm)
        print(
            f"{each.policy}, {len(came)} worlds, {len(wanted.days)} days: mean click rate "
            f"{came.mean():.3f}"
        )
        for shared, names in kept(worlds.statistics).items():
            y = worlds.y[:, [worlds.statistics.index(name) for name in names]]
            told = regression.fit(y, worlds.x)
            part = replace(worlds, y=y, statistics=tuple(names))
            inside = smoother.held_out(part, told).inside(0.8)[places(arm, wanted.days)].mean()
            # what all other worlds say of each
            off = np.abs(rates(told.left, arm) - came).mean()
            same = np.abs(rates(told.left, 0) - came).mean()
            print(
                f"  from {shared} ({len(names)} statistics): error {off:.4f}, of nothing changes "
                f"{same:.4f}; central 80 % held {inside:.3f} of days"
            )


if __name__ == "__main__":
    main()
