"""The process beside a run in which everything that talks to others lives: metrics endpoint, remote write, live page, annotations.

The run's own thread only puts small messages (a reading, a mark, a frame) into a pipe; encoding, networks and browsers cost it nothing
and cannot stop it. `Link` is the run's end, a `Watcher`; `Service` is what listens at the other end. If the run dies, the pipe
closes and the sidecar ends; what a service has not done yet it finds in the run folder next time.

All services share one event loop (tornado's, on asyncio). A service that blocks does so in a thread of its own.
"""

from __future__ import annotations

import asyncio
import contextlib
import multiprocessing
import os
import queue
import signal
import threading
import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twin.errors import TwinError
from twin.readers.watch import Frame, RunInfo, Watcher

FRAME_S = 0.1
"""Wall-clock seconds between two frames that are passed on."""
READY_S = 60.0


@dataclass
class Hub:
    """What every service may read: the run, its latest frame and reading, and the way to speak to its user."""

    info: RunInfo
    note: Callable[[str], None]
    """Shows one line to the user of the run."""
    frame: Frame | None = None
    now_s: int = -1
    """Simulated time of the latest reading; -1 before the first."""
    values: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))


class Service(Watcher):
    """One thing that the sidecar does. It is made in the run's process and must pickle; sockets and threads come with `open`."""

    hub: Hub

    async def open(self) -> str:
        """Begin to serve; returns one line that tells the user where, or nothing. Raises TwinError."""
        return ""

    async def close(self, complete: bool) -> str:
        """The run has ended (``complete``: to its end, or by the user's interrupt) or died. Finish, and return a line or nothing."""
        return ""


class Link(Watcher):
    """The run's end of the pipe. ``tell`` gets lines for the user."""

    def __init__(self, services: Sequence[Service], tell: Callable[[str], None]) -> None:
        self._services, self._tell = list(services), tell
        self._out: queue.SimpleQueue[tuple[str, Any] | None] = queue.SimpleQueue()
        self._framed = 0.0
        self._held: list[Frame] = []  # the latest frame, if it was not passed on

    def begin(self, info: RunInfo) -> None:
        """Start the process. Raises what a service raised when it could not open."""
        context = multiprocessing.get_context("spawn")  # a forked child would inherit the run's threads in an unknown state
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=_main, args=(theirs, info, self._services), name="twin-sidecar", daemon=True)
        self._process.start()
        theirs.close()
        kind: str
        data: Any
        kind, data = "error", TwinError("the process beside the run did not start")
        with contextlib.suppress(EOFError):
            if self._pipe.poll(READY_S):
                kind, data = self._pipe.recv()
        if kind == "error":
            raise data
        for line in data:
            self._tell(line)
        self._ended = threading.Event()
        threading.Thread(target=self._send, daemon=True).start()
        threading.Thread(target=self._hear, daemon=True).start()

    def reading(self, now_s: int, values: NDArray[np.float64]) -> None:
        """Pass it on."""
        self._out.put(("reading", (now_s, values)))

    def mark(self, now_s: int, kind: str, text: str) -> None:
        """Pass it on."""
        self._out.put(("mark", (now_s, kind, text)))

    def update(self, frame: Frame) -> None:
        """Pass it on, if the last one is old enough."""
        wall = time.monotonic()
        self._held = [frame]
        if wall - self._framed >= FRAME_S:
            self._framed, self._held = wall, []
            self._out.put(("update", frame))

    def saved(self, now_s: int) -> None:
        """Pass it on."""
        self._out.put(("saved", now_s))

    def end(self, text: str) -> None:
        """Pass it on, after the last frame, and wait until the services have finished; Ctrl-C tells one that waits for it."""
        for frame in self._held:
            self._out.put(("update", frame))
        self._out.put(("end", text))
        self._out.put(None)
        try:
            self._ended.wait()
        except KeyboardInterrupt:
            if self._process.pid:
                os.kill(self._process.pid, signal.SIGINT)
            self._ended.wait()
        self._process.join()

    def _send(self) -> None:
        while (message := self._out.get()) is not None:
            try:
                self._pipe.send(message)
            except OSError:  # the sidecar is gone; `_hear` has said so
                return

    def _hear(self) -> None:
        try:
            while (message := self._pipe.recv())[0] != "bye":
                self._tell(message[1])
        except (EOFError, OSError):
            self._tell("the process beside the run (metrics, live page) has died; the run goes on without it")
        self._ended.set()


def _main(pipe: Connection, info: RunInfo, services: Sequence[Service]) -> None:
    """The sidecar's life. Ctrl-C is the run's business."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    asyncio.run(_serve(pipe, info, services))


async def _serve(pipe: Connection, info: RunInfo, services: Sequence[Service]) -> None:
    lock = threading.Lock()

    def tell(kind: str, data: Any) -> None:
        with lock, contextlib.suppress(OSError):
            pipe.send((kind, data))

    hub = Hub(info, lambda text: tell("note", text))
    try:
        lines = []
        for service in services:
            service.hub = hub
            service.begin(info)
            lines.append(await service.open())
    except TwinError as error:
        tell("error", error)
        return
    except Exception as error:
        where = traceback.format_exc(limit=-1).splitlines()[-2].strip()
        tell("error", TwinError(f"{type(service).__name__} could not start: {error} ({where})"))
        return
    tell("ready", [line for line in lines if line])
    loop = asyncio.get_running_loop()
    messages: asyncio.Queue[tuple[str, Any] | None] = asyncio.Queue()
    threading.Thread(target=_receive, args=(pipe, loop, messages), daemon=True).start()
    complete = False
    while (message := await messages.get()) is not None:
        _dispatch(hub, services, *message)
        if message[0] == "end":
            complete = True
            break
    for service in services:
        if line := await service.close(complete):
            tell("note", line)
    tell("bye", "")


def _receive(pipe: Connection, loop: asyncio.AbstractEventLoop, messages: asyncio.Queue[tuple[str, Any] | None]) -> None:
    try:
        while True:
            loop.call_soon_threadsafe(messages.put_nowait, pipe.recv())
    except (EOFError, OSError):
        loop.call_soon_threadsafe(messages.put_nowait, None)
    except RuntimeError:  # the loop has ended
        return


def _dispatch(hub: Hub, services: Sequence[Service], kind: str, data: Any) -> None:
    if kind == "update":
        hub.frame = data
    elif kind == "reading":
        hub.now_s, hub.values = data
    for service in services:
        if kind == "reading":
            service.reading(*data)
        elif kind == "mark":
            service.mark(*data)
        elif kind == "update":
            service.update(data)
        elif kind == "saved":
            service.saved(data)
        else:
            service.end(data)
