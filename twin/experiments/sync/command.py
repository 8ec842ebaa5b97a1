"""`twin sync`: a version of a calibration for newer days of its platform.

The posterior is fitted again from the same bank of worlds on the longer window: all worlds stay in,
so it is the one that a calibration until the new day would have found, and does not collapse as
weights would. Every new day is first held against what was foretold of it the day before (`alarm`).
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import numpy as np

from twin.experiments.calibrate import again, fit, outcome
from twin.experiments.calibrate import report as report_page
from twin.experiments.calibrate.again import Calibration
from twin.experiments.calibrate.fit import Fit
from twin.experiments.sync import alarm, versions
from twin.experiments.sync.alarm import Day
from twin.experiments.sync.versions import Version
from twin.ground.errors import UsageError
from twin.observing.daily import Seen, daily

ENOUGH = 0.5
"""Effective sample below which new worlds are asked for."""


@dataclass(frozen=True)
class Synced:
    """What a sync found. ``before`` and ``after``: fits of parent and version."""

    parent: Version
    made: Version
    days: tuple[Day, ...]
    before: Fit
    after: Fit

    @property
    def moved(self) -> list[tuple[str, float]]:
        """How far each parameter's mean moved, in sds of its posterior; farthest first."""
        known = len(self.after.parameters)
        one, two = self.before.shares(), self.after.shares()
        spread = np.maximum(one.std(0, ddof=1), 1e-9)
        by = (two.mean(0) - one.mean(0)) / spread
        told = zip(self.after.parameters, by[:known].tolist(), strict=True)
        return sorted(told, key=lambda each: -abs(each[1]))


def sync(out: str, on: str, until: dt.date | None, where: str | None, quiet: bool) -> Synced:
    """Bring the calibration in ``out`` up to date with the observed folder ``on``, until a day
    (default: its last). Raises UsageError where there is nothing new, days are missing, the newest
    version read other data, or the worlds end before."""
    of = again.opened(out, on, quiet)
    parent = versions.newest(of.experiment)
    last = _last(of, out, parent, on, until)
    again.same(of.observed, parent.until, parent.observed, f"--on {on}", f"version {parent.number}")
    before = previous = of.fit(parent.until, where)
    seen, days = Seen({}, daily(of.observed)), []
    for at in range((last - parent.until).days):
        day = parent.until + dt.timedelta(days=at + 1)
        found = alarm.check(previous, seen, day)
        if found is not None:
            days.append(found)
        previous = of.fit(day, where)
    made = Version(parent.number + 1, last, of.observed.until(last).digest())
    _write(of, made, previous)
    versions.write(of.experiment, made, parent, days, previous.effective)
    return Synced(parent, made, tuple(days), before, previous)


def _last(of: Calibration, out: str, parent: Version, on: str, until: dt.date | None) -> dt.date:
    """The day until which a version is asked for."""
    last = until or of.observed.last
    if last > of.observed.last:
        raise UsageError(f"--until {last}: --on {on} ends on {of.observed.last}")
    if last <= parent.until:
        raise UsageError(
            f"--on {on}: nothing new, version {parent.number} of {out} read until {parent.until}"
        )
    if last > of.bank.last:
        raise UsageError(
            f"--on {on}: until {last}, but the worlds of {out} end on {of.bank.last} (give an "
            f"earlier --until, or calibrate again)"
        )
    if missing := of.observed.missing(parent.until + dt.timedelta(days=1), last):
        raise UsageError(f"--on {on}: has no rows on {missing[0]} (give an earlier --until)")
    return last


def _write(of: Calibration, made: Version, found: Fit) -> None:
    known = of.observed.until(made.until)
    outcome.write(of.experiment, of.bank, found, known, made.place)
    second = fit.second(found, of.experiment.scenario.seed)
    report_page.write(of.experiment, known, of.bank, (found, second), made.place)
