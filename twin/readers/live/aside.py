"""What runs beside the run whose page this is: processes, each behind a pipe of its own, and the
queue in which they wait for processors.

Whatever is asked for first comes first. As many processors are given away as the run leaves, one at
least; a run that is paused or has a pace leaves its own. A job says how many it takes once it is
told how many there are.
"""

from __future__ import annotations

import asyncio
import contextlib
import multiprocessing
import threading
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any, ClassVar, Generic, Protocol, TypeVar

from twin.ground import importing
from twin.ground.crew import cores
from twin.ground.errors import UsageError
from twin.readers.service import Hub

ALIVE = ("queued", "running", "stopping")
SETTLE_S = 30.0
"""Wall-clock seconds in which a branch that is asked to stop writes its checkpoint."""
Target = Callable[..., None]
"""What a process does: its first argument is its end of the pipe. Whatever comes through that, or
its end, means stop."""


class Job(Protocol):
    """What waits in the queue or runs: its name, in which state, and on how many processors."""

    name: str
    state: str
    takes: int


class Owned(Job, Protocol):
    """A job with the process in which it runs."""

    process: Process | None


J = TypeVar("J", bound=Owned)


class Process:
    """A process beside the run and our end of the pipe to it. In the loop's thread, ``heard`` is
    called with each message (kind, data), and ``gone`` when the process has ended; ``prepare`` may
    change a message before that, in a thread of its own."""

    def __init__(
        self,
        target: Target,
        arguments: tuple[Any, ...],
        heard: Callable[[str, tuple[Any, ...]], None],
        gone: Callable[[], None],
        prepare: Callable[[str, tuple[Any, ...]], tuple[Any, ...]] = lambda kind, data: data,
    ) -> None:
        self._heard, self._gone, self._prepare = heard, gone, prepare
        self._loop = asyncio.get_running_loop()
        context = multiprocessing.get_context("spawn")  # no locks or threads of ours in it
        self._pipe: Connection[Any, Any]
        self._pipe, theirs = context.Pipe()
        given = (target.__module__, target.__name__, theirs, *arguments)
        self._process = context.Process(target=importing.call, args=given)
        self._process.start()
        # only the process keeps its end, so the pipe closes when it dies
        theirs.close()
        threading.Thread(target=self._hear, daemon=True).start()

    def stop(self) -> None:
        """Ask it to stop."""
        with contextlib.suppress(OSError):
            self._pipe.send("stop")

    def _hear(self) -> None:
        """Pass on what it reports, until it ends."""
        with contextlib.suppress(RuntimeError):  # the loop has ended
            with contextlib.suppress(EOFError, OSError):
                while True:
                    kind, data = self._pipe.recv()
                    data = self._prepare(kind, data)
                    self._loop.call_soon_threadsafe(self._heard, kind, data)
            self._process.join()
            self._pipe.close()
            self._loop.call_soon_threadsafe(self._gone)


class Queue:
    """All that runs beside the run. ``changed`` is called when something of it has news."""

    def __init__(self, hub: Hub, changed: Callable[[], None]) -> None:
        self.pace: float | None = None
        """At most so many simulated days per second, as the run has it."""
        self.over = False
        """Whether the run has ended: its processor is free then."""
        self._hub, self._changed = hub, changed
        self._jobs: list[tuple[Job, Callable[[int], None]]] = []
        self._settled = asyncio.Event()

    def add(self, job: Job, start: Callable[[int], None]) -> None:
        """Take a job; ``start`` is called with the number of processors that are free, once there
        is one while the job is queued."""
        self._jobs.append((job, start))

    @property
    def going(self) -> int:
        """How many run or wait for a processor."""
        return len(self.names)

    @property
    def names(self) -> list[str]:
        """Their names."""
        return [job.name for job, _ in self._jobs if job.state in ALIVE]

    def before(self, job: Job) -> int:
        """How many wait before it."""
        waiting = [each for each, _ in self._jobs if each.state == "queued"]
        return waiting.index(job) if job in waiting else 0

    def next(self) -> None:
        """Start what can be started."""
        room = self._limit() - sum(
            job.takes for job, _ in self._jobs if job.state in ("running", "stopping")
        )
        for job, start in self._jobs:
            if job.state == "queued" and room > 0:
                start(room)
                room -= job.takes
        self.told()

    def told(self) -> None:
        """A state has changed."""
        self._settled.set()
        self._changed()

    def _limit(self) -> int:
        frame = self._hub.frame
        rests = frame is not None and (frame.paused or self.pace is not None)
        return max(1, cores() - (not (rests or self.over)))

    async def finish(self, hurried: asyncio.Event) -> None:
        """Wait until all have ended, or until the user does not want to."""
        while self.going and not hurried.is_set():
            self._settled.clear()
            waits = [asyncio.create_task(each.wait()) for each in (self._settled, hurried)]
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
            for each in waits:
                each.cancel()

    async def settle(self) -> None:
        """Wait until all have stopped that were asked to, for SETTLE_S at most."""
        until = time.monotonic() + SETTLE_S
        while self.going and time.monotonic() < until:
            await asyncio.sleep(0.02)


class Jobs(Generic[J]):
    """All jobs of one kind that a page began: `KIND` in words, and ``add``, ``stop``, ``go_on``."""

    KIND: ClassVar[str]

    def __init__(self, queue: Queue) -> None:
        self.all: list[J] = []
        self.edition = 0
        """Grows whenever the list, or a state in it, changes."""
        self._queue = queue

    def _start(self, job: J, room: int) -> None:
        """Begin on at most so many processors."""
        raise NotImplementedError

    def _take(self, job: J) -> None:
        self.all.append(job)
        self._queue.add(job, lambda room: self._start(job, room))
        self.edition += 1

    def add(self, job: J) -> None:
        """Take a job; it begins as soon as there is a processor for it."""
        self._take(job)
        self._queue.next()

    def named(self, name: object) -> J:
        """The one of that name. Raises UsageError."""
        found = next((job for job in self.all if job.name == name), None)
        if found is None:
            raise UsageError(f"no such {self.KIND}")
        return found

    def stop(self, job: J) -> str:
        """Stop it, or take it out of the queue; what is done is kept."""
        if job.state == "queued":
            job.state = "stopped"
        elif job.state == "running" and job.process is not None:
            job.state = "stopping"
            job.process.stop()
        self.edition += 1
        self._queue.told()
        return f"{self.KIND} {job.name} stops; it can be continued"

    def go_on(self, job: J) -> str:
        """Continue one that was stopped."""
        if job.state not in ("stopped", "failed"):
            raise UsageError(f"{self.KIND} {job.name} is {job.state}")
        job.state = "queued"
        self.edition += 1
        self._queue.next()
        return f"{self.KIND} {job.name} continues"

    def _stopped(self) -> list[J]:
        """Stop those that still run or wait; returns them."""
        stopped = [job for job in self.all if job.state in ALIVE]
        for job in stopped:
            self.stop(job)
        return stopped
