"""Branches that run beside the run whose page this is: forked from it by "What if", each a process
of its own in an ordinary run folder.

A branch is forked at once, from the state of the run at that moment; it begins to run when there is
a processor for it. Its readings come through a pipe and continue the course that it shares with the
run. A branch that is stopped keeps its checkpoint, as any run that was interrupted.
"""

from __future__ import annotations

import asyncio
import contextlib
import multiprocessing
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import numpy as np

from twin.ground import importing
from twin.ground.crew import cores
from twin.ground.errors import TwinError, UsageError
from twin.ground.units import at
from twin.readers.live.history import History
from twin.readers.service import Hub
from twin.record.mailbox import command
from twin.record.results import load_manifest
from twin.record.watch import RunInfo

Grow = Callable[["Connection[Any, Any]", Path, float | None], None]
"""What a branch's process does: continue the run in a folder at most so many simulated days per
second, and report through the pipe."""
ALIVE = ("queued", "running", "stopping")
SETTLE_S = 30.0
"""Wall-clock seconds in which a branch that is asked to stop writes its checkpoint."""


@dataclass
class Branch:
    """One branch: its name, folder, what it changes in words, when it was forked (simulated
    seconds), where it is, and its course once it runs."""

    name: str
    folder: Path
    says: str
    fork_s: int
    state: str = "queued"
    now_s: int = 0
    error: str = ""
    history: History | None = None
    begun: bool = False
    result: str = ""
    """How it ended, as its process reported."""
    pace: float | None = None
    """At most so many simulated days per second, as its process was last told."""
    _pipe: Connection[Any, Any] | None = field(default=None, repr=False)
    _process: BaseProcess | None = field(default=None, repr=False)

    @property
    def alive(self) -> bool:
        """Whether it runs, or will."""
        return self.state in ALIVE


class Branches:
    """All branches of a page. ``changed`` is called when one of them has news."""

    def __init__(self, hub: Hub, grow: Grow | None, changed: Callable[[], None]) -> None:
        self.all: list[Branch] = []
        self.edition = 0
        """Grows whenever the list, or a state in it, changes."""
        self._hub, self._grow, self._changed = hub, grow, changed
        self._pace: float | None = None
        self._over = False
        self._loop = asyncio.get_running_loop()
        self._settled = asyncio.Event()

    @property
    def going(self) -> int:
        """How many run or wait for a processor."""
        return sum(branch.alive for branch in self.all)

    def add(self, branch: Branch) -> None:
        """Take a branch that was forked; it runs as soon as there is a processor for it."""
        branch.now_s = branch.fork_s
        self.all.append(branch)
        self._next()

    def restore(self) -> None:
        """Branches that the run has from before it was resumed, as far as their folders are
        there."""
        out = self._hub.info.out
        for name in load_manifest(out).get("branches", ()):
            folder = out.with_name(f"{out.name}-{name}")
            with contextlib.suppress(TwinError, KeyError):
                found = load_manifest(folder)
                if found["run_id"] != self._hub.info.labels.get("run_id", found["run_id"]):
                    continue
                branch = Branch(name, folder, "", found["parent"]["at_s"])
                branch.now_s = found.get("reached_s", branch.fork_s)
                branch.state = "done" if found["status"] == "done" else "stopped"
                branch.history = History(self._hub.info)
                branch.history.load(folder)
                self.all.append(branch)
        self._told()

    def _limit(self) -> int:
        """How many branches may run at once: one for each processor that the run leaves. A run
        that is paused or has a pace leaves its own."""
        frame = self._hub.frame
        rests = frame is not None and (frame.paused or self._pace is not None)
        full = not (rests or self._over)
        return max(1, cores() - full)

    def _next(self) -> None:
        running = sum(branch.state in ("running", "stopping") for branch in self.all)
        for branch in self.all:
            if branch.state == "queued" and running < self._limit():
                self._start(branch)
                running += 1
        self._told()

    def _told(self) -> None:
        self.edition += 1
        self._settled.set()
        self._changed()

    def _start(self, branch: Branch) -> None:
        assert self._grow is not None
        branch.pace, branch.begun = self._pace, False
        context = multiprocessing.get_context("spawn")  # no locks or threads of ours in it
        branch._pipe, theirs = context.Pipe()
        given = (self._grow.__module__, self._grow.__name__, theirs, branch.folder, self._pace)
        branch._process = context.Process(target=importing.call, args=given)
        branch._process.start()
        # only the process keeps its end, so the pipe closes when it dies
        theirs.close()
        branch.state, branch.error, branch.result = "running", "", ""
        threading.Thread(target=self._hear, args=(branch, branch._pipe), daemon=True).start()

    def _hear(self, branch: Branch, pipe: Connection[Any, Any]) -> None:
        """Pass on what a branch reports, until its process ends."""
        with contextlib.suppress(RuntimeError):  # the loop has ended
            with contextlib.suppress(EOFError, OSError):
                while True:
                    kind, data = pipe.recv()
                    if kind == "begin":  # here, since reading a long course takes a while
                        data = (_begun(branch, data[0]),)
                    self._loop.call_soon_threadsafe(self._heard, branch, kind, data)
            assert branch._process is not None
            branch._process.join()
            self._loop.call_soon_threadsafe(self._gone, branch)

    def _heard(self, branch: Branch, kind: str, data: tuple[Any, ...]) -> None:
        if kind == "begin":
            (branch.history,), branch.begun = data, True
            self._tell_pace(branch)  # it may have changed while the branch was loaded
            self.edition += 1
        elif kind == "reading" and branch.history is not None:
            branch.history.take(*data)
        elif kind == "update":
            (branch.now_s,) = data
        elif kind == "end":
            branch.result = "stopped" if data[0] == "interrupted" else "done"
        elif kind == "error":
            branch.result, branch.error = "failed", data[0]
        self._changed()

    def _gone(self, branch: Branch) -> None:
        # not before: until its process is gone, its folder belongs to that
        branch.state = branch.result or "failed"
        branch.error = branch.error if branch.result else "its process died; it can be continued"
        if branch.state == "done":
            branch.now_s = self._hub.info.duration_s
        if branch._pipe is not None:
            branch._pipe.close()
        branch._pipe = branch._process = None
        self._next()

    def named(self, name: object) -> Branch:
        """The branch of that name. Raises UsageError."""
        found = next((branch for branch in self.all if branch.name == name), None)
        if found is None:
            raise UsageError("no such branch")
        return found

    def stop(self, branch: Branch) -> str:
        """Stop a branch with a checkpoint, or take it out of the queue."""
        if branch.state == "queued":
            branch.state = "stopped"
        elif branch.state == "running" and branch._pipe is not None:
            branch.state = "stopping"
            with contextlib.suppress(OSError):
                branch._pipe.send("stop")
        self._told()
        return f"branch {branch.name} stops; it can be continued"

    def go_on(self, branch: Branch) -> str:
        """Continue a branch that was stopped."""
        if branch.state not in ("stopped", "failed"):
            raise UsageError(f"branch {branch.name} is {branch.state}")
        branch.state = "queued"
        self._next()
        return f"branch {branch.name} continues"

    def keep_pace(self, limit: float | None) -> None:
        """Branches run at most as fast as the run may."""
        if limit == self._pace:
            return
        self._pace = limit
        for branch in self.all:
            # one that is still being loaded takes no commands; it is told once it begins
            if branch.state == "running" and branch.begun:
                self._tell_pace(branch)
        self._next()

    def _tell_pace(self, branch: Branch) -> None:
        if branch.pace != self._pace:
            branch.pace = self._pace
            given = (branch.folder, branch.pace)
            threading.Thread(target=_paced, args=given, daemon=True).start()

    def alone(self) -> None:
        """The run has ended: its processors and its pace are no matter any more."""
        self._over = True
        self.keep_pace(None)
        self._next()

    async def finish(self, hurried: asyncio.Event) -> None:
        """Wait until all have ended, or until the user does not want to."""
        while self.going and not hurried.is_set():
            self._settled.clear()
            waits = [asyncio.create_task(each.wait()) for each in (self._settled, hurried)]
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
            for each in waits:
                each.cancel()

    async def close(self) -> list[str]:
        """Stop those that still run; a line for the user on each that is not done."""
        stopped = [branch for branch in self.all if branch.alive]
        for branch in stopped:
            self.stop(branch)
        until = time.monotonic() + SETTLE_S
        while any(branch._process is not None for branch in stopped) and time.monotonic() < until:
            await asyncio.sleep(0.02)
        return [
            f"branch {branch.name} has stopped; continue it with: twin resume {branch.folder}"
            for branch in stopped
        ]

    def shown(self) -> list[dict[str, Any]]:
        """For the page: name, state, date and part that is done of each."""
        info = self._hub.info
        ahead = [branch for branch in self.all if branch.state == "queued"]
        return [
            {
                "name": branch.name,
                "folder": str(branch.folder),
                "says": branch.says,
                "state": branch.state,
                "before": ahead.index(branch) if branch in ahead else 0,
                "error": branch.error,
                "date": f"{at(info.start, branch.now_s):%Y-%m-%d}",
                "share": round(min(1.0, branch.now_s / info.duration_s), 4),
            }
            for branch in self.all
        ]


def _begun(branch: Branch, info: RunInfo) -> History:
    """The course of a branch begins with what it shares with the run."""
    history = History(info)
    with contextlib.suppress(TwinError):
        history.load(branch.folder)
    return history


def _paced(folder: Path, limit: float | None) -> None:
    with contextlib.suppress(TwinError):
        command(folder, {"do": "pace", "days_per_second": limit}, patience_s=30.0)


def courses_of(branch: Branch, row: int) -> Mapping[float, float]:
    """A series of a branch from the fork on: value by simulated time (ms)."""
    if branch.history is None:
        return {}
    _, times, values = branch.history.since(0)
    from_ms = at(branch.history.heads.info.start, branch.fork_s).timestamp() * 1000
    kept = times >= from_ms
    return dict(zip(times[kept].tolist(), np.asarray(values[kept, row]).tolist(), strict=True))
