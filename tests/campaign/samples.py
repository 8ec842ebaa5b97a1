"""What inputs are made from that takes a moment: a run that was killed, the same one whole, and its
log. Made once for a campaign, and only for surfaces that need it."""

from __future__ import annotations

import importlib
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from unittest import mock

from tests.conftest import SCENARIOS
from twin.record.watch import Watcher
from twin.running import drive
from twin.scenario.loading import Scenario, load

SAMPLES = "samples"
RUN, LOG, WHOLE = "killed", "log", "whole"
SETTINGS = (
    *("warm_up=0d", "duration=2d", "policies=[]", "metrics.every=6h", "chatbots.enabled=false"),
    *("audience.initial=60", "creators.human.initial=10", "creators.ai.initial=2"),
)
NEEDED = {"run folder", "log of others"}


class Killed(BaseException):
    """Stands for a process that died."""


class Killer(Watcher):
    """Dies at the second checkpoint, after it is whole."""

    left = 2

    def saved(self, now: int) -> None:
        self.left -= 1
        if not self.left:
            raise Killed


def small() -> Scenario:
    """Two days of sixty people."""
    return load(SCENARIOS / "base.yaml", SETTINGS)


@contextmanager
def undrawn() -> Iterator[None]:
    """Runs end without their report, which takes ten times as long as they do; `twin report` draws
    it all the same."""
    importlib.import_module("twin.cli.runs")
    with mock.patch("twin.readers.report.write_report", lambda out: out / "report.html"):
        yield


def fill(folder: Path, surfaces: Sequence[str]) -> None:
    """Make the samples that some surfaces need."""
    if not NEEDED & set(surfaces):
        return
    place = folder / SAMPLES
    place.mkdir()
    every, drive.CHECKPOINT_SIM_S = drive.CHECKPOINT_SIM_S, 14 * 3600
    try:
        drive.start(small(), place / WHOLE, log=place / LOG)
        drive.start(small(), place / RUN, watcher=Killer())
    except Killed:
        shutil.rmtree(place / RUN / "mailbox", ignore_errors=True)
    finally:
        drive.CHECKPOINT_SIM_S = every
