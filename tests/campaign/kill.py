"""Kills at random moments: SIGKILL, SIGTERM, SIGINT, and SIGSTOP with SIGCONT, of `twin run`, `resume`
and `fork`; of runs at which pages look, which are scraped, and whose readings are on their way to a
Prometheus; of `compare`, `sweep` and `stress`; and SIGKILL while a checkpoint is half written. In the
end the results are the bytes of those that nothing happened to, and no process said "a bug in twin".

Moments are spread over the time that the command takes undisturbed; where a machine is busy, some
come when nothing runs any more, and are counted as such.
"""

from __future__ import annotations

import asyncio
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path

from tests.campaign.clients import Crowd, page, scraper
from tests.campaign.live import STEP, Run, running
from tests.conftest import PATIENCE_S, SCENARIOS
from tests.e2e.prometheus import Prometheus

SIGNALS = (signal.SIGKILL, signal.SIGKILL, signal.SIGTERM, signal.SIGINT, signal.SIGSTOP)
SETTINGS = (
    *("warm_up=1d", "duration=2d", "policies=[]", "metrics.every=6h", "chatbots.enabled=false"),
    *("audience.initial=80", "creators.human.initial=15", "creators.ai.initial=2"),
)
STOPPED_S = 0.3
"""How long a process stands still after SIGSTOP."""
POLL_S = 0.0005
"""Between two looks for a checkpoint that is being written."""
MOST = 6
"""Kills of one run, after which it is left to end."""
FINE = {0, 1, 130, -signal.SIGKILL, -signal.SIGTERM, -signal.SIGINT}
"""How a process that got a signal may end: also before it could take any."""
EXPERIMENTS = {
    "compare": ("--policy", "chronological", "--replicates", "2", "--at", "1d"),
    "sweep": ("--vary", "recommender.dim=4,8"),
    "stress": (
        *("--policy", "chronological", "--at", "1d", "--goal", "effect(satisfaction_mean) >= 0"),
        *("--worlds", "8", "--search", "0", "--confirm", "2"),
    ),
}
WATCHED = ("--live", "127.0.0.1:0", "--metrics", ":0", "--pace", "0.25", "--remote-write")
WATCHED_S = 8.0
"""How long a run takes at that pace at least, once it can be watched."""
PAGES = 3
"""At a run that is watched; it is scraped twice a second, too."""
WAYS = (
    *("run", "fork", "checkpoint", "compare", "watched"),
    *("run", "fork", "sweep", "watched", "stress"),
)
"""What is killed, in turns."""


@dataclass
class Killed:
    """What a campaign saw: kills by signal and command, and what went wrong, a line each."""

    kills: dict[str, int] = field(default_factory=dict)
    late: int = 0
    worlds: int = 0
    failures: list[str] = field(default_factory=list)
    unable: str = ""

    def note(self, what: str) -> None:
        """One kill."""
        self.kills[what] = self.kills.get(what, 0) + 1

    def lines(self) -> list[str]:
        """One line per failure, and one for all."""
        by = ", ".join(f"{count} x {what}" for what, count in sorted(self.kills.items()))
        return [
            *self.failures,
            *([self.unable] if self.unable else []),
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
        self.took_s: dict[str, float] = {}
        self.server = ""
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

    def disturbed(self, arguments: Sequence[str], takes_s: float = 0.0) -> bool:
        """Begin a command, which takes as long as a run unless given, and send it a signal at some
        moment; whether it came to its end."""
        process, number = self._start(arguments), self.draw.choice(SIGNALS)
        try:
            process.wait(self.draw.uniform(0, takes_s or self.takes_s))
            self.seen.late += 1
        except subprocess.TimeoutExpired:
            self.seen.note(f"{number.name} in {arguments[0]}")
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

    def _next(self, name: str, first: Sequence[str]) -> list[str]:
        """The command that continues what was begun in a folder, else the one that begins it."""
        begun = (self.folder / name / "manifest.json").exists()
        return ["resume", name, "--quiet"] if begun else [*first, "--out", name]

    def run(self, name: str, fork: bool) -> None:
        """A run, killed again and again, then continued to its end; with a branch, which is killed,
        too."""
        self.seen.worlds += 1
        out = self.folder / name
        for _ in range(self.most):
            if self.disturbed(self._next(name, self.begin)):
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
        self._undisturbed(self._next(name, self.begin))
        found = self.folder / name / "metrics.parquet"
        if not found.is_file() or found.read_bytes() != self.right:
            self.seen.failures.append(f"{name}: other readings than undisturbed")

    def checkpoint(self, name: str) -> None:
        """A run, killed each time while a checkpoint is half written, then continued to its end."""
        self.seen.worlds += 1
        for _ in range(self.most):
            process = self._start(self._next(name, self.begin))
            # the first of this process or a later one
            earlier, parts = self.draw.randrange(4), set[Path]()
            while len(parts) <= earlier and process.poll() is None:
                parts.update((self.folder / name).glob("checkpoints/*.part"))
                time.sleep(POLL_S)
            over = process.poll() is not None
            process.kill()
            process.communicate(timeout=PATIENCE_S)
            if over:
                self.seen.late += 1
                break
            self.seen.note("SIGKILL in a checkpoint")
        self._ends(name)

    def watched(self, name: str) -> None:
        """A run with pages, scrapes and remote write, killed and continued."""
        self.seen.worlds += 1
        for _ in range(self.most):
            # it says where it can be watched
            heard = [word for word in self._next(name, self.begin) if word != "--quiet"]
            with running(self.folder, [*heard, *WATCHED, self.server]) as run:
                if self._looked_at(run):
                    break
        self._ends(name)

    def _looked_at(self, run: Run) -> bool:
        """Open pages at a run, and kill it; whether it came to its end before."""
        number, came, wrong = self.draw.choice(SIGNALS), False, {}
        # else it had so little left to do that it ended before it could be watched
        with suppress(RuntimeError):
            crowd = Crowd(run.target(), self.draw)
            wrong = crowd.wrong
            came = asyncio.run(self._among(crowd, run, number))
        status = run.ended()
        if not came:
            self.seen.late += 1
        if status not in FINE or run.faults() or wrong:
            said = run.faults() or run.lines[-3:]
            self.seen.failures.append(
                f"watched, {number.name}: status {status}: {said}, {wrong or 'answers right'}"
            )
        return not came or status == 0

    async def _among(self, crowd: Crowd, run: Run, number: signal.Signals) -> bool:
        """Send the signal at some moment, among pages and scrapes; whether it came in time."""
        clients = [
            *(
                asyncio.ensure_future(crowd.living("page", lambda: page(crowd)))
                for _ in range(PAGES)
            ),
            asyncio.ensure_future(crowd.living("scrape", lambda: scraper(crowd, 0.5))),
        ]
        await asyncio.sleep(self.draw.uniform(0, WATCHED_S))
        # what breaks from here on is the signal's doing
        crowd.over.set()
        if came := run.process.poll() is None:
            self.seen.note(f"{number.name} in a watched run")
            run.process.send_signal(number)
            if number == signal.SIGSTOP:
                await asyncio.sleep(STOPPED_S)
                run.process.send_signal(signal.SIGCONT)
        for client in clients:
            client.cancel()
        await asyncio.gather(*clients, return_exceptions=True)
        return came

    def experiment(self, kind: str, name: str) -> None:
        """An experiment, killed and continued: the results of one that was not."""
        self.seen.worlds += 1
        asked = [kind, *self.begin[1:], "--on", "local:1", *EXPERIMENTS[kind]]
        right = f"right-{kind}"
        if not (self.folder / right).exists():
            began = time.monotonic()
            self._undisturbed([*asked, "--out", right])
            self.took_s[kind] = time.monotonic() - began
        for _ in range(self.most):
            if self.disturbed(self._next(name, asked), self.took_s[kind]):
                break
        self._undisturbed(self._next(name, asked))
        tables = [
            {path.name: path.read_bytes() for path in (self.folder / each).glob("*.parquet")}
            for each in (right, name)
        ]
        if not tables[0] or tables[0] != tables[1]:
            self.seen.failures.append(f"{name}: other results than undisturbed")

    def turn(self, way: str) -> None:
        """One of `WAYS`."""
        name = f"{way}-{self.seen.worlds}"
        if way in EXPERIMENTS:
            self.experiment(way, name)
        elif way == "watched":
            self.watched(name)
        elif way == "checkpoint":
            self.checkpoint(name)
        else:
            self.run(name, fork=way == "fork")


def campaign(
    seed: int,
    *,
    minutes: float = 0.0,
    runs: int = 0,
    most: int = MOST,
    ways: Sequence[str] = WAYS,
) -> Killed:
    """Kill for so many minutes, or so many runs, each ``most`` times."""
    with ExitStack() as stack:
        here = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="campaign-")))
        work = Campaign(seed, here, most)
        if "watched" in ways and shutil.which("prometheus") is None:
            work.seen.unable = "no run was watched: that needs prometheus"
            ways = [way for way in ways if way != "watched"]
        elif "watched" in ways:
            work.server = stack.enter_context(Prometheus(here / "prometheus")).write_url
        began = time.monotonic()
        while work.seen.worlds < runs if runs else time.monotonic() - began < 60 * minutes:
            work.turn(ways[work.seen.worlds % len(ways)])
    return work.seen
