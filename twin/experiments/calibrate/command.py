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
from collections.abc import Mapping, Sequence
from typing import Any

from twin.experiments.calibrate import bank, calendar, fit, outcome, prior, reading, words
from twin.experiments.calibrate import report as report_page
from twin.experiments.calibrate.bank import Bank
from twin.experiments.calibrate.coverage import LEAST_TRUTHS
from twin.experiments.calibrate.ensemble import Array
from twin.experiments.calibrate.fit import Asked, Fit
from twin.experiments.experiment import Experiment
from twin.experiments.words import without_axes
from twin.ground.errors import UsageError
from twin.observing import folder, statistics
from twin.observing.daily import Seen
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
    if missing := observed.missing(days[0], until):
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
    return observed, bank_of(scenario, observed, args)


def bank_of(scenario: Scenario, observed: Observed, args: dict[str, Any]) -> Bank:
    """The bank of a calibration that read ``observed``, and no later day."""
    k = least_cell(observed, int(args["people"]))
    worlds = bank.bank(scenario, observed.days()[0], args, k)
    # calibrations from before there was a calendar do not have the flag
    shape = calendar.shape(observed, worlds.scenario, bool(args.get("calendar")))
    return dataclasses.replace(worlds, calendar=shape)


def least_cell(observed: Observed, people: int) -> int:
    """The least cell of worlds of so many people: the same share of them as the platform's is of
    its own. In worlds that are smaller than the platform rare responses would be left out
    otherwise."""
    k = int(observed.manifest["privacy"]["k"])
    users = statistics.histogram(observed, "user", "impressions")
    return k if users is None else max(1, min(k, round(k * people / float(users.units.sum()))))


def resume(experiment: Experiment, on: str | None) -> None:
    """Run the worlds that are left, and fit."""
    args = experiment.manifest["args"]
    observed, worlds = made(experiment.scenario, args)
    experiment.run(worlds.tasks(), on, "worlds")
    found = fitted(experiment, observed, worlds, worlds.until, (on, None))
    outcome.write(experiment, worlds, found, observed)
    experiment.finish("done", verdict=found.held.verdict)
    second = fit.second(found, experiment.scenario.seed)
    experiment.conclude(
        words.lines(worlds, found, second),
        lambda each: report_page.write(each, observed, worlds, (found, second)),
    )


@dataclasses.dataclass(frozen=True)
class More:
    """What else than its days is asked of worlds: ``worlds``, by number, of which it is known, and
    ``values`` (worlds,) by name."""

    worlds: Sequence[int]
    values: Mapping[str, Array]

    def of(self, places: Sequence[int]) -> dict[str, Array]:
        """Values of the worlds at these places."""
        return {name: values[places] for name, values in self.values.items()}


def fitted(
    experiment: Experiment,
    observed: Observed,
    worlds: Bank,
    until: dt.date,
    where: tuple[str | None, Experiment | None] = (None, None),
    more: More | None = None,
) -> Fit:
    """The posterior given what was observed until a day, with all later days of the bank's worlds;
    or with what ``more`` is asked of some of them. ``where``: what is left to be read of worlds is
    read there, shown by that experiment. Raises UsageError where too few worlds or statistics are
    left."""
    args = experiment.manifest["args"]
    chance = bool(args["chance"])
    seen = reading.read(experiment, worlds, until, chance, where)
    known = range(len(seen)) if more is None else more.worlds
    there = {world: each for world in known if (each := seen[world]) is not None}
    if len(there) < LEAST_WORLDS and not args["quick"]:
        raise UsageError(
            f"{experiment.out}: {len(there)} worlds ran, a calibration needs {LEAST_WORLDS} (see "
            f"failed/)"
        )
    target = Seen.until(observed, until)
    if not chance:
        target = target.without_chance()
    if len(target.statistics) < LEAST_STATISTICS:
        raise UsageError(
            f"{observed.path}: tells {len(target.statistics)} statistics, a calibration needs "
            f"{LEAST_STATISTICS} ({', '.join(target.statistics) or 'none'})"
        )
    names = tuple(each.vary.path for each in worlds.given)
    asked = Asked(names, worlds.points[[*there]], prior.scales(worlds.given))
    future = fit.future([*there.values()], until, worlds.last, target.daily)
    kept = [place for place, world in enumerate(known) if world in there]
    to_come = dict(fit.ahead(future)) if more is None else more.of(kept)
    days = len(future.days) if more is None else 0
    try:
        return fit.fit(asked, [*there.values()], target.statistics, to_come, days)
    except ValueError as error:
        raise UsageError(f"{experiment.out}: {error} (give more worlds or days)") from None


def report(experiment: Experiment, **options: str) -> None:
    """Write the report again. Raises UsageError for options, as this report has none."""
    without_axes("a calibration has", options)
    observed, worlds = made(experiment.scenario, experiment.manifest["args"])
    found = fitted(experiment, observed, worlds, worlds.until)
    second = fit.second(found, experiment.scenario.seed)
    report_page.write(experiment, observed, worlds, (found, second))
