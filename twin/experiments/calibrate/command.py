"""`twin calibrate`: parameters of a scenario from what was observed of a platform.

worlds/N/            the bank: what was observed of world N (see `twin.observing.folder`)
calibrated.yaml      extends the scenario by the posterior medians of what was identified
posterior.parquet    equally weighted draws: draw, parameter, value (as --set takes it), share of
                     the way through its range
forecast.parquet     quantiles of what was to come, by name and day
results.parquet      statistics: observed, prior and posterior, worst-fitting first
report.html          the same to look at

The manifest holds the digest of what was read of the platform, which ends on the day ``until``.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
from typing import Any

from twin.experiments.calibrate import bank, calendar, ensemble, fit, outcome, words
from twin.experiments.calibrate import report as report_page
from twin.experiments.calibrate.bank import Bank
from twin.experiments.calibrate.coverage import LEAST_TRUTHS
from twin.experiments.calibrate.fit import Fit, Seen
from twin.experiments.experiment import Experiment
from twin.ground.errors import UsageError
from twin.observing import folder
from twin.observing.folder import Observed
from twin.scenario.loading import Scenario

LEAST_DAYS, LEAST_IMPRESSIONS, LEAST_STATISTICS = 3, 1000, 5
"""Of what was observed; with less there is nothing to fit to."""
LEAST_WORLDS = LEAST_TRUTHS


def platform(args: dict[str, Any]) -> Observed:
    """What was observed of the platform until the day; nothing later is read.

    Raises UsageError where it is not what the calibration began with, or too little.
    """
    until = dt.date.fromisoformat(args["until"])
    observed = folder.read(args["on"]).until(until)
    # none yet where the command begins
    if "observed" in args and args["observed"] != observed.digest():
        raise UsageError(
            f"--on {args['on']}: is not what this calibration began with (give another --out)"
        )
    days = observed.days()
    if len(days) < LEAST_DAYS:
        raise UsageError(
            f"--on {args['on']}: has {len(days)} days until {until}, a calibration needs "
            f"{LEAST_DAYS}"
        )
    missing = sorted(
        {days[0] + dt.timedelta(days=i) for i in range((until - days[0]).days + 1)} - set(days)
    )
    if missing:
        raise UsageError(
            f"--on {args['on']}: has no rows on {missing[0]} (observe days without a gap, or give "
            f"an earlier --until)"
        )
    _, shown = observed.series("impressions")
    if shown.sum() < LEAST_IMPRESSIONS:
        raise UsageError(
            f"--on {args['on']}: has {int(shown.sum())} impressions until {until}, a calibration "
            f"needs {LEAST_IMPRESSIONS}"
        )
    return observed


def made(scenario: Scenario, args: dict[str, Any]) -> tuple[Observed, Bank]:
    """What was observed, and the bank; all that can be refused is refused here, before any world
    runs."""
    observed = platform(args)
    first = observed.days()[0]
    days = (dt.date.fromisoformat(args["until"]) - first).days + 1 + int(args["ahead_d"])
    options = {**args, "k": observed.manifest["privacy"]["k"]}
    worlds = bank.bank(scenario, first, days, args["vary"], options)
    # calibrations from before there was a calendar do not have the flag
    shape = calendar.shape(observed, worlds.scenario, bool(args.get("calendar")))
    return observed, dataclasses.replace(worlds, calendar=shape)


def resume(experiment: Experiment, on: str | None) -> None:
    """Run the worlds that are left, and fit."""
    args = experiment.manifest["args"]
    observed, worlds = made(experiment.scenario, args)
    experiment.run(worlds.tasks(), on, "worlds")
    found = fitted(experiment, observed, worlds)
    outcome.write(experiment, worlds, found, dt.date.fromisoformat(args["until"]))
    experiment.finish("done", verdict=found.held.verdict)
    experiment.conclude(
        words.lines(worlds, found), lambda each: report_page.write(each, observed, worlds, found)
    )


def read(experiment: Experiment, worlds: Bank, until: dt.date, chance: bool) -> list[Seen | None]:
    """What is read of every world; None of one that failed."""
    found: list[Seen | None] = []
    for world, task in enumerate(worlds.tasks()):
        if task.result in experiment.failed:
            found.append(None)
            continue
        with experiment.store.local(bank.folder(world)) as path:
            found.append(Seen.of(folder.read(path), until, chance))
    return found


def fitted(experiment: Experiment, observed: Observed, worlds: Bank) -> Fit:
    """The posterior. Raises UsageError where too few worlds or statistics are left."""
    args = experiment.manifest["args"]
    until, chance = dt.date.fromisoformat(args["until"]), bool(args["chance"])
    seen = read(experiment, worlds, until, chance)
    kept = [world for world, each in enumerate(seen) if each is not None]
    if len(kept) < LEAST_WORLDS and not args["quick"]:
        raise UsageError(
            f"{experiment.out}: {len(kept)} worlds ran, a calibration needs {LEAST_WORLDS} (see "
            f"failed/)"
        )
    there = [each for each in seen if each is not None]
    target = Seen.of(observed, until, chance).statistics
    last = until + dt.timedelta(days=int(args["ahead_d"]))
    if len(target) < LEAST_STATISTICS:
        raise UsageError(
            f"--on {args['on']}: tells {len(target)} statistics, a calibration needs "
            f"{LEAST_STATISTICS} ({', '.join(target) or 'none'})"
        )
    return fit.fit(
        [each.vary.path for each in worlds.given],
        ensemble.scores(worlds.points[kept]),
        there,
        target,
        fit.future(there, until, last),
        experiment.scenario.seed,
    )


def report(experiment: Experiment, **options: str) -> None:
    """Write the report again. Raises UsageError for options, as this report has none."""
    for name, text in options.items():
        raise UsageError(f"--{name} {text}: a calibration has no two-sided map (leave it out)")
    observed, worlds = made(experiment.scenario, experiment.manifest["args"])
    report_page.write(experiment, observed, worlds, fitted(experiment, observed, worlds))
