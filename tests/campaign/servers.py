"""Remote write to a real Prometheus through a proxy that misbehaves (`proxy.FAULTS`), and to one that
is killed and started again. In the end every reading is in the server, or the command named as many
as are not (status 3) within the time that it declares; and once the server is well, `twin send`
delivers the rest, so that the server holds each reading of metrics.parquet once, bit by bit.

The first try of each fault is a whole `twin run`, the others are `twin send` of a run of its own.
"""

from __future__ import annotations

import itertools
import json
import math
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from tests.campaign.kill import SETTINGS, STEP
from tests.campaign.proxy import FAULTS, LOCAL, Plan, Proxy, between
from tests.conftest import PATIENCE_S, SCENARIOS
from tests.e2e.prometheus import Prometheus, wanted
from twin.readers import delivery, receiver, remote_write
from twin.record.names import identity
from twin.record.results import load_manifest, load_metrics

WORLD = ("duration=5d", "metrics.every=1h")
"""121 readings: four requests."""
AT_ONCE = 3
"""Tries side by side, each with a server of its own: most of the time they wait."""
SLACK_S = 30.0
"""What a busy machine may take beside what is declared."""
DOWN_S = 1.0
"""For how long a killed server is down."""
STUCK = -1000
"""In place of a status: it had not ended in time."""
PLACE = re.compile(r'(?<=/)twin/\S+?", line \d+ in \w+')
LEFT = re.compile(r"error: remote write: ([\d,]+) of ([\d,]+) readings are not in ")
BEGIN = [
    *("run", str(SCENARIOS / "base.yaml"), "--no-cache", "--quiet"),
    *(part for each in (*SETTINGS, *WORLD) for part in ("--set", each)),
]
Course = dict[frozenset[tuple[str, str]], dict[float, float]]


@dataclass
class Delivered:
    """What a campaign saw."""

    tries: dict[str, int] = field(default_factory=dict)
    met: int = 0
    named: int = 0
    longest_s: float = 0.0
    failures: list[str] = field(default_factory=list)
    unable: str = ""

    def lines(self) -> list[str]:
        """One line per failure, and one for all."""
        if self.unable:
            return [f"nothing was tried: {self.unable}"]
        by = ", ".join(f"{count} x {fault}" for fault, count in self.tries.items())
        return [
            *self.failures,
            f"{sum(self.tries.values())} tries ({by}): {self.met} requests met a fault, {self.named} "
            f"commands named what was not delivered, {self.longest_s:.0f} s at most: "
            f"{len(self.failures)} failures",
        ]


def missing(want: Course, there: Course) -> tuple[int, int]:
    """Readings (times) of which a series is not there, and samples that are there and should not
    be, or have another value."""
    times = {at for name, course in want.items() for at in course if at not in there.get(name, {})}
    wrong = sum(
        want.get(name, {}).get(at) != value
        for name, course in there.items()
        for at, value in course.items()
    )
    return len(times), wrong


class _Try:
    """One command through one proxy; ``what`` says how it can be seen again."""

    def __init__(self, work: Servers, plan: Plan, folder: Path, whole: bool) -> None:
        self.work, self.plan, self.folder, self.whole = work, plan, folder, whole
        self.what = f"{'run' if whole else 'send'} ({plan})"

    def command(self, proxy: Proxy) -> list[str]:
        """A run, or sending one."""
        if self.whole:
            name = ["--out", str(self.folder), "--pace", "3"]
            return [*BEGIN, *name, "--remote-write", proxy.url]
        return ["send", str(self.folder), "--remote-write", proxy.url]

    def go(self, server: Prometheus) -> None:
        """Try, judge, and deliver the rest."""
        with between(server.write_url, self.plan, lambda: self.restart(server)) as proxy:
            began = time.monotonic()
            status, said = called(self.command(proxy), self.work.limit_s(self.whole))
            took_s = time.monotonic() - began
            while server.process is None:  # it is being started again
                time.sleep(0.05)
            self.judge(server, status, said, took_s)
            self.work.note(self.plan.fault, proxy.met, status == 3, took_s)
            proxy.heal()
            if status == 3 and self.plan.fault not in ("truncated",):
                again, said = called(["send", str(self.folder), "--remote-write", proxy.url])
                left, wrong = self.compared(server)
                if again or left or wrong:
                    self.fail(f"sent again: status {again}, {left} lost, {wrong} wrong: {said}")

    def restart(self, server: Prometheus) -> None:
        """Kill the server, and start it a moment later."""
        server.kill()
        threading.Timer(DOWN_S, server.start).start()

    def compared(self, server: Prometheus) -> tuple[int, int]:
        """See `missing`."""
        metrics, own = load_metrics(self.folder), identity(load_manifest(self.folder))
        selector = "{" + ",".join(f'{key}="{value}"' for key, value in own.items()) + "}"
        return missing(wanted(metrics, own), server.samples(selector))

    def judge(self, server: Prometheus, status: int, said: str, took_s: float) -> None:
        """The command ended as it should: all there, or named."""
        if status == STUCK:
            self.fail(f"not over after {took_s:.0f} s, stands at: {said}")
            return
        if "a bug in twin" in said or "Traceback" in said or status not in (0, 3):
            self.fail(f"status {status}: {said}")
        if not all(line.isprintable() for line in said.split("\n")):
            self.fail(f"says what a terminal obeys: {said!r}")
        left, wrong = self.compared(server)
        found = LEFT.search(said)
        named = int(found[1].replace(",", "")) if found else 0
        if wrong or left > named or (status == 3) != bool(named):
            self.fail(f"status {status}, {left} lost, {named} named, {wrong} wrong: {said}")

    def fail(self, why: str) -> None:
        """Note it."""
        self.work.fail(f"{self.what}: {' '.join(why.split())[-400:]}")


def called(arguments: Sequence[str], limit_s: float = PATIENCE_S) -> tuple[int, str]:
    """Status of a command, and all that it said; of one that takes too long, where its threads
    stand."""
    process = subprocess.Popen(
        [sys.executable, "-c", STEP, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "PYTHONFAULTHANDLER": "1"},
        start_new_session=True,
    )
    try:
        said, _ = process.communicate(timeout=limit_s)
    except subprocess.TimeoutExpired:
        # Python then prints the stack of every thread; of the process beside it, too
        os.killpg(process.pid, signal.SIGABRT)
        said, _ = process.communicate()
        return STUCK, " < ".join(PLACE.findall(said))
    return process.returncode, said


class Servers:
    """Tries in one folder; an undisturbed run is what others send."""

    def __init__(self, seed: int, folder: Path) -> None:
        self.draw, self.folder, self.seen = random.Random(seed), folder, Delivered()
        self._lock, self._number = threading.Lock(), itertools.count()
        began = time.monotonic()
        status, said = called([*BEGIN, "--out", str(folder / "right")])
        if status:
            raise AssertionError(said)
        self.takes_s = time.monotonic() - began

    def limit_s(self, whole: bool) -> float:
        """What a command may take at most: `twin send` gives up after PATIENCE_S without success
        and the answer that it waits for, a run at its end after END_PATIENCE_S."""
        declared = (
            self.takes_s + remote_write.END_PATIENCE_S + delivery.GRACE_S
            if whole
            else remote_write.PATIENCE_S + sum(receiver.TIMEOUT_S)
        )
        return declared + SLACK_S

    def plan(self, fault: str) -> Plan:
        """When a fault begins and how long it lasts, drawn."""
        count = self.draw.choice([1, 1, 2, 3, math.inf])
        return Plan(fault, self.draw.randrange(4), 1 if fault in LOCAL else count)

    def copy(self) -> Path:
        """A finished run of its own, not delivered yet."""
        folder = self.folder / f"run-{next(self._number)}"
        shutil.copytree(self.folder / "right", folder)
        manifest = load_manifest(folder)
        text = json.dumps({**manifest, "run_id": folder.name})
        (folder / "manifest.json").write_text(text, encoding="utf-8")
        return folder

    def once(self, fault: str, whole: bool, server: Prometheus) -> None:
        """One try."""
        with self._lock:
            plan = self.plan(fault)
            out = self.folder / f"whole-{next(self._number)}" if whole else self.copy()
        tried = _Try(self, plan, out, whole)
        try:
            tried.go(server)
        except Exception as error:  # of the campaign or of the server
            tried.fail(f"{type(error).__name__}: {error}")
        shutil.rmtree(out, ignore_errors=True)

    def note(self, fault: str, met: int, named: bool, took_s: float) -> None:
        """Count a try."""
        with self._lock:
            self.seen.tries[fault] = self.seen.tries.get(fault, 0) + 1
            self.seen.met, self.seen.named = self.seen.met + met, self.seen.named + named
            self.seen.longest_s = max(self.seen.longest_s, took_s)

    def fail(self, line: str) -> None:
        """Note a failure."""
        with self._lock:
            self.seen.failures.append(line)


def campaign(
    seed: int, *, times: int, faults: Sequence[str] = (*FAULTS, *LOCAL), whole: int = 1
) -> Delivered:
    """Each fault so many times, the first ``whole`` of them in a run."""
    if shutil.which("prometheus") is None:
        return Delivered(unable="no prometheus on this machine")
    with tempfile.TemporaryDirectory(prefix="campaign-") as name:
        work = Servers(seed, Path(name))
        todo = [(fault, number < whole) for number in range(times) for fault in faults]

        def worker(place: int) -> None:
            with Prometheus(Path(name) / f"prometheus-{place}") as server:
                for fault, run in todo[place::AT_ONCE]:
                    work.once(fault, run, server)

        with ThreadPoolExecutor(AT_ONCE) as pool:
            list(pool.map(worker, range(min(AT_ONCE, len(todo)))))
    return work.seen
