"""Branches that run beside the run whose page this is: forked from it by "What if", each a process
of its own in an ordinary run folder.

A branch is forked at once, from the state of the run at that moment; it begins to run when there is
a processor for it. Its readings come through a pipe and continue the course that it shares with the
run. A branch that is stopped keeps its checkpoint, as any run that was interrupted.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np

from twin.ground.errors import TwinError
from twin.ground.units import at
from twin.readers.live.aside import Jobs, Process, Queue
from twin.readers.live.history import History
from twin.readers.service import Hub
from twin.record.mailbox import command
from twin.record.results import load_manifest
from twin.record.watch import RunInfo

Grow = Callable[["Connection[Any, Any]", Path, float | None], None]
"""What a branch's process does: continue the run in a folder at most so many simulated days per
second, and report through the pipe."""


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
    takes: int = 1
    process: Process | None = field(default=None, repr=False)


class Branches(Jobs[Branch]):
    """All branches of a page."""

    KIND = "branch"

    def __init__(self, hub: Hub, grow: Grow | None, queue: Queue) -> None:
        super().__init__(queue)
        self._hub, self._grow = hub, grow

    def add(self, branch: Branch) -> None:
        """Take a branch that was forked; it runs as soon as there is a processor for it."""
        branch.now_s = branch.fork_s
        super().add(branch)

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
                self._take(branch)
        self._queue.told()

    def _start(self, branch: Branch, room: int) -> None:
        assert self._grow is not None
        branch.pace, branch.begun = self._queue.pace, False
        branch.process = Process(
            self._grow,
            (branch.folder, branch.pace),
            lambda kind, data: self._heard(branch, kind, data),
            lambda: self._gone(branch),
            # there, since reading a long course takes a while
            lambda kind, data: (_begun(branch, data[0]),) if kind == "begin" else data,
        )
        branch.state, branch.error, branch.result = "running", "", ""
        self.edition += 1

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
        self._queue.told()

    def _gone(self, branch: Branch) -> None:
        # not before: until its process is gone, its folder belongs to that
        branch.state = branch.result or "failed"
        branch.error = branch.error if branch.result else "its process died; it can be continued"
        if branch.state == "done":
            branch.now_s = self._hub.info.duration_s
        branch.process = None
        self.edition += 1
        self._queue.next()

    def keep_pace(self, limit: float | None) -> None:
        """Branches run at most as fast as the run may."""
        if limit == self._queue.pace:
            return
        self._queue.pace = limit
        for branch in self.all:
            # one that is still being loaded takes no commands; it is told once it begins
            if branch.state == "running" and branch.begun:
                self._tell_pace(branch)
        self._queue.next()

    def _tell_pace(self, branch: Branch) -> None:
        if branch.pace != self._queue.pace:
            branch.pace = self._queue.pace
            given = (branch.folder, branch.pace)
            threading.Thread(target=_paced, args=given, daemon=True).start()

    def alone(self) -> None:
        """The run has ended: its processors and its pace are no matter any more."""
        self._queue.over = True
        self.keep_pace(None)
        self._queue.next()

    def close(self) -> list[str]:
        """Stop those that still run; a line for the user on each that is not done."""
        return [
            f"branch {branch.name} has stopped; continue it with: twin resume {branch.folder}"
            for branch in self._stopped()
        ]

    def shown(self) -> list[dict[str, Any]]:
        """For the page: name, state, date and part that is done of each."""
        info = self._hub.info
        return [
            {
                "name": branch.name,
                "folder": str(branch.folder),
                "says": branch.says,
                "state": branch.state,
                "before": self._queue.before(branch),
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
