"""A live run in a process of its own, for clients by the hundred: its page, its endpoint, and what it
says."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.campaign.questions import Target
from tests.conftest import PATIENCE_S, SCENARIOS

STEP = """
import sys
from twin.ground import units
from twin.running import drive
from twin.readers import report
drive.CHECKPOINT_SIM_S = 11 * units.HOUR
report.write_report = lambda out: out / "report.html"
from twin.cli import main
main(sys.argv[1:])
"""
"""The command line, with a checkpoint every eleven simulated hours and without the drawing of
reports."""
WORLD = (
    *("warm_up=1d", "policies=[]", "metrics.every=6h", "chatbots.enabled=false"),
    *("audience.initial=300", "creators.human.initial=40", "creators.ai.initial=4"),
)
NICE = 5
"""How far whoever watches a run stands back behind it, as far as the process beside it does."""


def begin(settings: Sequence[str]) -> list[str]:
    """The command of a run of the small world."""
    sets = [part for each in (*WORLD, *settings) for part in ("--set", each)]
    return ["run", str(SCENARIOS / "base.yaml"), *sets, "--no-cache"]


class Run:
    """It runs once this is made; ``lines`` are what it has said."""

    def __init__(self, here: Path, arguments: Sequence[str]) -> None:
        self.lines: list[str] = []
        self.process = subprocess.Popen(
            [sys.executable, "-c", STEP, *arguments],
            cwd=here,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={**os.environ, "TWIN_NO_BROWSER": "1"},
        )
        self._hearing = threading.Thread(target=self._hear, daemon=True)
        self._hearing.start()

    def _hear(self) -> None:
        assert self.process.stdout
        for line in self.process.stdout:
            self.lines.append(line.rstrip("\n"))

    def target(self) -> Target:
        """Where its page and its endpoint are, once it says so."""
        until = time.monotonic() + PATIENCE_S
        while time.monotonic() < until and self.process.poll() is None:
            text = "\n".join(self.lines)
            page = re.search(r"live page: http://127\.0\.0\.1:(\d+)/#token=(\S+)", text)
            metrics = re.search(r"metrics at http://127\.0\.0\.1:(\d+)/", text)
            if page and metrics:
                return Target(int(page[1]), int(metrics[1]), page[2])
            time.sleep(0.05)
        raise RuntimeError(f"it did not say where it is: {self.lines[-5:]}")

    def ended(self) -> int:
        """Its status, once it has ended."""
        status = self.process.wait(PATIENCE_S)
        self._hearing.join(PATIENCE_S)
        return status

    def faults(self) -> list[str]:
        """Lines that no run should say."""
        bad = ("a bug in twin", "Traceback", "has failed", "did not close", "has died")
        return [
            line
            for line in self.lines
            if any(words in line for words in bad) or not line.isprintable()
        ]


@contextmanager
def running(here: Path, arguments: Sequence[str]) -> Iterator[Run]:
    """A run that is ended with the block, if it has not ended."""
    run = Run(here, arguments)
    try:
        yield run
    finally:
        if run.process.poll() is None:
            run.process.send_signal(signal.SIGKILL)
            run.process.wait(PATIENCE_S)
