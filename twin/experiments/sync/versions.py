"""Versions of a calibration: what its posterior was after which day, and what it came from.

versions/NNN/version.json   version, parent, until, observed (digest), days (each with its p and
                            whether it alarmed), effective (sample, see `Fit.effective`)
versions/NNN/               calibrated.yaml, posterior.parquet, forecast.parquet, results.parquet and
                            report.html, as a calibration has them

Version 0 is the calibration itself, at the root of the folder.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from twin.experiments.calibrate import again, prior
from twin.experiments.experiment import Experiment
from twin.experiments.sync.alarm import Day

FOLDER = "versions"


@dataclass(frozen=True)
class Version:
    """One version."""

    number: int
    until: dt.date
    observed: str

    @property
    def place(self) -> str:
        """Where its files are, with a slash; empty for version 0."""
        return f"{FOLDER}/{self.number:03d}/" if self.number else ""


def newest(experiment: Experiment) -> Version:
    """The newest version of a calibration."""
    args = experiment.manifest["args"]
    number = 0
    while experiment.store.exists(_file(number + 1)):
        number += 1
    if not number:
        return Version(0, dt.date.fromisoformat(args["until"]), str(args["observed"]))
    found = experiment.store.read_json(_file(number))
    return Version(number, dt.date.fromisoformat(found["until"]), str(found["observed"]))


def write(
    experiment: Experiment, made: Version, parent: Version, days: Sequence[Day], effective: float
) -> None:
    """Write what a version is, after all of its files: it is there once this is."""
    facts: dict[str, Any] = {
        "version": made.number,
        "parent": parent.number,
        "until": made.until.isoformat(),
        "observed": made.observed,
        "days": [{"day": each.day.isoformat(), "p": each.p, "alarm": each.alarm} for each in days],
        "effective": effective,
    }
    experiment.store.write(_file(made.number), (json.dumps(facts, indent=1) + "\n").encode())


def narrowed(out: str) -> tuple[str, ...]:
    """The priors of a finished calibration, cut off to where its newest posterior lies. Raises
    UsageError where there is none."""
    experiment = again.finished(out, "--within ")
    rows = experiment.store.read_table(f"{newest(experiment).place}posterior.parquet")
    given = prior.ranges(experiment.manifest["args"]["vary"], experiment.scenario)
    shares = np.asarray(rows["share"].to_numpy()).reshape(-1, len(given))
    return prior.within(given, shares)


def _file(number: int) -> str:
    return f"{FOLDER}/{number:03d}/version.json"
