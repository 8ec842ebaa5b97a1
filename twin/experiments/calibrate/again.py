"""A calibration opened again: asked for other days, or given newer ones of its platform."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from twin.experiments import commands
from twin.experiments.calibrate import command
from twin.experiments.calibrate.bank import Bank
from twin.experiments.calibrate.fit import Fit
from twin.experiments.experiment import Experiment
from twin.ground.errors import UsageError
from twin.observing import folder
from twin.observing.folder import Observed


@dataclass(frozen=True)
class Calibration:
    """A calibration's folder with its bank and what was observed of the platform, days later than
    those that it read among them."""

    experiment: Experiment
    bank: Bank
    observed: Observed

    @property
    def last(self) -> dt.date:
        """The last day that can be held against the worlds."""
        return min(self.bank.last, self.observed.last)

    def fit(self, until: dt.date, on: str | None = None, by: Experiment | None = None) -> Fit:
        """The posterior given what was observed until a day; nothing later is read. ``by`` shows
        progress and keeps failures, where another command than the calibration asks."""
        known = self.observed.until(until)
        return command.fitted(self.experiment, known, self.bank, until, (on, by))


def opened(out: str, on: str | None = None, quiet: bool = False) -> Calibration:
    """A finished calibration, with what was observed in ``on`` (default: the folder that it read).

    Raises UsageError if it is none, is not finished, or ``on`` is of another platform: days that the
    calibration read must be the same there.
    """
    experiment = finished(out)
    experiment.quiet = quiet
    args = experiment.manifest["args"]
    place = on or str(args["on"])
    observed = folder.read(place)
    until = dt.date.fromisoformat(args["until"])
    if not observed.days() or not observed.days()[0] <= until <= observed.last:
        raise UsageError(f"--on {place}: has no {until}, until which {out} read")
    same(observed, until, str(args["observed"]), f"--on {place}", out)
    # by what was known at first: worlds do not change with newer days
    worlds = command.bank_of(experiment.scenario, observed.until(until), args)
    return Calibration(experiment, worlds, observed)


def finished(out: str, flag: str = "") -> Experiment:
    """The folder of a finished calibration, read further and not resumed. Raises UsageError, with a
    ``flag`` (ends with a space), if it is none or not finished."""
    if commands.of(out) != "calibrate":
        raise UsageError(f"{flag}{out}: holds no calibration (make one: twin calibrate)")
    # or it would say that it resumes
    experiment = commands.opened(out, quiet=True)
    if not experiment.store.exists("results.parquet"):
        raise UsageError(f"{flag}{out}: is not finished (continue with: twin resume {out})")
    return experiment


def same(observed: Observed, until: dt.date, digest: str, flag: str, what: str) -> None:
    """Raise UsageError if the days until ``until`` are not those that were read before."""
    if observed.until(until).digest() != digest:
        raise UsageError(
            f"{flag}: its days until {until} are not those that {what} read (observe the same log "
            f"and what follows it, with the same map, zone and --k)"
        )
