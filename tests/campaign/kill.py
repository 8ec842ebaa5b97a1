"""Kills runs at random moments: SIGKILL, SIGTERM, SIGINT, and SIGSTOP with SIGCONT, of `twin run`,
`resume`, `fork` and `compare`. In the end the readings are the bytes of a run that nothing happened
to, and no process said "a bug in twin".

Moments are spread over the time that the command takes undisturbed; where a machine is busy, some
come when nothing runs any more, and are counted as such.
"""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.conftest import PATIENCE_S, SCENARIOS

SIGNALS = (signal.SIGKILL, signal.SIGKILL, signal.SIGTERM, signal.SIGINT, signal.SIGSTOP)
SETTINGS = (
    *("warm_up=1d", "duration=2d", "policies=[]", "metrics.every=6h", "chatbots.enabled=false"),
    *("audience.initial=80", "creators.human.initial=15", "creators.ai.initial=2"),
)
STOPPED_S = 0.3
"""How long a process stands still after SIGSTOP."""
MOST = 6
"""Kills of one run, after which it is left to end."""
FINE = {0, 1, 130, -signal.SIGKILL, -signal.SIGTERM, -signal.SIGINT}
"""How a process that got a signal may end: also before it could take any."""
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


@dataclass
class Killed:
    """What a campaign saw: kills by signal and command, and what went wrong, a line each."""

    kills: dict[str, int] = field(default_factory=dict)
    late: int = 0
    worlds: int = 0
    failures: list[str] = field(default_factory=list)

    def lines(self) -> list[str]:
        """One line per failure, and one for all."""
        by = ", ".join(f"{count} x {what}" for what, count in sorted(self.kills.items()))
        return [
            *self.failures,
            f"{sum(self.kills.values())} kills of {self.worlds} runs ({by or 'none'}; {self.late} "
            f"came too late): {len(self.failures)} failures",
        ]


class Campaign:
    """Runs in one folder; the undisturbed one comes first."""

    def __init__(self, seed: int, folder: Path, most: int = MOST) -> None:
        self.draw, self.folder, self.seen = random.Random(seed), folder, Killed()
        self.most = most
        sets = [part for each in SETTINGS for part in ("--set", each)]
        self.begin = ["run", str(SCENARIOS / "base.yaml"), *sets, "--quiet", "--no-cache"]
        began = time.monotonic()
        self._undisturbed([*self.begin, "--out", "right"])
        self.takes_s = time.monotonic() - began
        self.right = (folder / "right" / "metrics.parquet").read_bytes()

    def _start(self, arguments: Sequence[str]) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-c", STEP, *arguments],
            cwd=self.folder,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )

    def _undisturbed(self, arguments: Sequence[str]) -> None:
        process = self._start(arguments)
        _, said = process.communicate(timeout=PATIENCE_S)
        if process.returncode:
            self.seen.failures.append(f"{arguments[0]}: status {process.returncode}: {said[-200:]}")

    def disturbed(self, arguments: Sequence[str]) -> bool:
        """Begin a command and send it a signal at some moment; whether it came to its end."""
        process, number = self._start(arguments), self.draw.choice(SIGNALS)
        try:
            process.wait(self.draw.uniform(0, self.takes_s))
            self.seen.late += 1
        except subprocess.TimeoutExpired:
            what = f"{number.name} in {arguments[0]}"
            self.seen.kills[what] = self.seen.kills.get(what, 0) + 1
            process.send_signal(number)
            if number == signal.SIGSTOP:
                time.sleep(STOPPED_S)
                process.send_signal(signal.SIGCONT)
        _, said = process.communicate(timeout=PATIENCE_S)
        # an interrupt while Python itself starts or ends has a trace of Python's
        theirs = number == signal.SIGINT and "KeyboardInterrupt" in said
        bad = process.returncode not in FINE or "a bug in twin" in said or "Traceback" in said
        if bad and not theirs:
            self.seen.failures.append(
                f"{arguments[0]} after {number.name}: status {process.returncode}: "
                f"{said.strip()[-200:]!r}"
            )
        return process.returncode == 0

    def run(self, name: str, fork: bool) -> None:
        """A run, killed again and again, then continued to its end; with a branch, which is killed,
        too."""
        self.seen.worlds += 1
        out = self.folder / name
        for _ in range(self.most):
            begun = (out / "manifest.json").exists()
            arguments = ["resume", name, "--quiet"] if begun else [*self.begin, "--out", name]
            if self.disturbed(arguments):
                break
            if fork and self._forkable(out):
                fork = False
                self.disturbed(["fork", name, "--name", "b", "--out", f"{name}-b"])
                if (self.folder / f"{name}-b" / "manifest.json").exists():
                    self.disturbed(["resume", f"{name}-b", "--quiet"])
                    self._ends(f"{name}-b")
        self._ends(name)

    def _forkable(self, out: Path) -> bool:
        return any(path.is_dir() for path in (out / "checkpoints").glob("t[0-9]*"))

    def _ends(self, name: str) -> None:
        """Continue to the end, undisturbed: the right bytes."""
        out = self.folder / name
        begun = (out / "manifest.json").exists()
        self._undisturbed(["resume", name, "--quiet"] if begun else [*self.begin, "--out", name])
        found = out / "metrics.parquet"
        if not found.is_file() or found.read_bytes() != self.right:
            self.seen.failures.append(f"{name}: other readings than undisturbed")

    def compare(self, name: str) -> None:
        """An experiment, killed and continued: the results of one that was not."""
        self.seen.worlds += 1
        asked = ["compare", *self.begin[1:-2], "--no-cache", "--quiet", "--policy", "chronological"]
        asked += ["--replicates", "2", "--at", "1d", "--on", "local:1"]
        if not (self.folder / "compared").exists():
            self._undisturbed([*asked, "--out", "compared"])
        for _ in range(3):
            begun = (self.folder / name / "manifest.json").exists()
            if self.disturbed(["resume", name, "--quiet"] if begun else [*asked, "--out", name]):
                break
        begun = (self.folder / name / "manifest.json").exists()
        self._undisturbed(["resume", name, "--quiet"] if begun else [*asked, "--out", name])
        tables = [self.folder / each / "results.parquet" for each in ("compared", name)]
        if (
            not all(table.is_file() for table in tables)
            or len({table.read_bytes() for table in tables}) != 1
        ):
            self.seen.failures.append(f"{name}: other results than undisturbed")


def campaign(seed: int, *, minutes: float = 0.0, runs: int = 0, most: int = MOST) -> Killed:
    """Kill for so many minutes, or so many runs, each ``most`` times."""
    with tempfile.TemporaryDirectory(prefix="campaign-") as name:
        work = Campaign(seed, Path(name), most)
        began = time.monotonic()
        while work.seen.worlds < runs if runs else time.monotonic() - began < 60 * minutes:
            number = work.seen.worlds
            if number % 5 == 4:
                work.compare(f"experiment-{number}")
            else:
                work.run(f"run-{number}", fork=number % 2 == 1)
    return work.seen
