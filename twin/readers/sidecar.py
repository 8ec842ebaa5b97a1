"""The process beside a run in which everything that talks to others lives: metrics endpoint, remote
write, live page, annotations.

The run's own thread only puts small messages (a reading, a mark, a frame) into a pipe; encoding,
networks and browsers cost it nothing and cannot stop it. `Link` is the run's end, a `Watcher`;
`Service` is what listens at the other end. If the run dies, the pipe closes and the sidecar ends
within CLOSE_S; what a service has not done yet it finds in the run folder next time. If the sidecar
dies, the run says so once and goes on. A service that fails is left out, and the others go on.

All services share one event loop (tornado's, on asyncio). A service that blocks does so in a thread
of its own.
"""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import logging
import multiprocessing
import os
import queue
import signal
import socket
import threading
import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twin.ground.errors import TwinError
from twin.record.watch import Frame, RunInfo, Watcher

BATCH_S = 0.5
"""Wall-clock seconds for which messages are gathered before they are sent: each batch wakes a
thread of the run, which takes it half a millisecond and the main thread a moment of the
interpreter's lock."""
Message = tuple[str, tuple[Any, ...]]
"""What a service is to do, by the name of its method, and with what."""
Batch = list[Message]
READY_S = 60.0
_RUNS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
CLOSE_S = 1.5
"""Wall-clock seconds that services have to close when the run has died."""


@dataclass
class Hub:
    """What every service may read: the run, its latest frame and reading, and the way to speak to
    its user."""

    info: RunInfo
    note: Callable[[str], None]
    """Shows one line to the user of the run."""
    frame: Frame | None = None
    now_s: int = -1
    """Simulated time of the latest reading; -1 before the first."""
    values: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))
    services: Sequence[Service] = ()


class Service(Watcher):
    """One thing that the sidecar does. It is made in the run's process and must pickle; sockets and
    threads come with `open`."""

    hub: Hub

    async def open(self) -> str:
        """Begin to serve; returns lines that tell the user where, or nothing. Raises TwinError."""
        return ""

    async def close(self, complete: bool) -> str:
        """The run has ended (``complete``: to its end, or by the user's interrupt) or died. Finish,
        and return a line or nothing."""
        return ""

    def waiting(self) -> dict[str, int]:
        """What waits to be worked through, by name; shown as the health of the run."""
        return {}

    def hurry(self) -> None:
        """The user does not want to wait for `close` any longer."""


class Link(Watcher):
    """The run's end of the pipe. ``tell`` gets lines for the user."""

    def __init__(self, services: Sequence[Service], tell: Callable[[str], None]) -> None:
        self._services, self._tell = list(services), tell
        self._out: queue.SimpleQueue[Message | None] = queue.SimpleQueue()
        self._last, self._ended = threading.Event(), threading.Event()

    def begin(self, info: RunInfo) -> None:
        """Start the process. Raises what a service raised when it could not open."""
        context = multiprocessing.get_context(
            "spawn"
        )  # a forked child would inherit the run's threads in an unknown state
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(
            target=_main, args=(theirs, info, self._services), name="twin-sidecar"
        )
        with _no_interrupts():
            self._process.start()
        atexit.register(self._hang_up)
        theirs.close()
        kind: str
        data: Any
        kind, data = "error", TwinError("the process beside the run did not start")
        with contextlib.suppress(EOFError, OSError):
            if self._pipe.poll(READY_S):
                kind, data = self._pipe.recv()
        if kind == "error":
            raise data
        for line in data:
            self._tell(line)
        threading.Thread(target=self._send, daemon=True).start()
        threading.Thread(target=self._hear, daemon=True).start()

    def reading(self, now_s: int, values: NDArray[np.float64]) -> None:
        """Pass it on."""
        self._put("reading", now_s, values)

    def mark(self, now_s: int, kind: str, text: str) -> None:
        """Pass it on."""
        self._put("mark", now_s, kind, text)

    def update(self, frame: Frame) -> None:
        """Pass it on, unless another follows before it is sent."""
        self._put("update", frame)

    def saved(self, now_s: int) -> None:
        """Pass it on."""
        self._put("saved", now_s)

    def end(self, text: str) -> None:
        """Pass it on and wait until the services have finished; Ctrl-C makes them hurry."""
        self._put("end", text)
        self._last.set()
        try:
            self._ended.wait()
        except KeyboardInterrupt:
            self._put("hurry")
            self._ended.wait()
        self._out.put(None)
        self._process.join()

    def _put(self, kind: str, *data: Any) -> None:
        if not self._ended.is_set():  # else nobody takes it
            self._out.put((kind, data))

    def _send(self) -> None:
        """Send what has come since the last time, a few times a second; of frames only the
        newest."""
        over = False
        while not over:
            batch: list[Message | None] = [self._out.get()]
            self._last.wait(BATCH_S)
            with contextlib.suppress(queue.Empty):
                while True:
                    batch.append(self._out.get_nowait())
            over = None in batch
            messages = [message for message in batch if message is not None]
            newest = max(
                (place for place, (kind, _) in enumerate(messages) if kind == "update"), default=-1
            )
            waited = {"queue_undelivered": float(len(messages))}
            fresh = [
                (
                    kind,
                    (replace(data[0], health=data[0].health | waited),)
                    if kind == "update"
                    else data,
                )
                for place, (kind, data) in enumerate(messages)
                if kind != "update" or place == newest
            ]
            try:
                self._pipe.send(fresh)
            except OSError:  # the sidecar is gone; `_hear` has said so
                return

    def _hear(self) -> None:
        try:
            while (message := self._pipe.recv())[0] != "bye":
                self._tell(message[1])
        except (EOFError, OSError):
            if not self._ended.is_set():
                self._tell(
                    "the process beside the run (metrics, live page) has died; the run goes on "
                    "without it"
                )
        self._ended.set()

    def _hang_up(self) -> None:
        """When the run's process ends, however it came to that: the sidecar sees the pipe closed
        and ends; if not, it is ended."""
        self._ended.set()
        with (
            contextlib.suppress(OSError),
            socket.socket(fileno=os.dup(self._pipe.fileno())) as pipe,
        ):
            pipe.shutdown(
                socket.SHUT_RDWR
            )  # a plain close would not reach the thread that reads from it
        self._process.join(2 * CLOSE_S)
        self._process.kill()


@contextlib.contextmanager
def _no_interrupts() -> Iterator[None]:
    """Signals wait; so they do in a process that is started meanwhile, until it says how it takes
    them."""
    resource_tracker.ensure_running()  # started within, it would let signals through again
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _RUNS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _main(pipe: Connection, info: RunInfo, services: Sequence[Service]) -> None:
    """The sidecar's life. Signals that a terminal or a supervisor sends to all are the run's
    business: it says when to end."""
    for number in _RUNS:
        signal.signal(number, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _RUNS)
    os.nice(5)  # where processors are few, the run goes first
    logging.getLogger().addHandler(
        logging.NullHandler()
    )  # the terminal is the run's; what its user should know comes by `note`
    asyncio.run(_serve(pipe, info, services))


async def _serve(pipe: Connection, info: RunInfo, services: Sequence[Service]) -> None:
    """Serve until the run ends or dies."""
    lock = threading.Lock()

    def tell(kind: str, data: Any) -> None:
        with lock, contextlib.suppress(OSError):
            pipe.send((kind, data))

    hub = Hub(info, lambda text: tell("note", text), services=services)
    lines: list[str] = []
    try:
        for service in services:
            service.hub = hub
            service.begin(info)
            lines += (await service.open()).splitlines()
    except TwinError as error:
        tell("error", error)
        os._exit(0)
    except Exception as error:
        tell("error", TwinError(f"{type(service).__name__} could not start: {_short(error)}"))
        os._exit(0)
    tell("ready", lines)
    loop = asyncio.get_running_loop()
    batches: asyncio.Queue[Batch | None] = asyncio.Queue()
    threading.Thread(target=_receive, args=(pipe, loop, batches), daemon=True).start()
    living, complete = list(services), False
    while not complete and (batch := await batches.get()) is not None:
        broken = list[Service]()
        for message in (
            batch
        ):  # without a pause: who asks meanwhile gets what was before it or what is after it
            for failed in _dispatch(hub, living, *message):
                living.remove(failed)
                broken.append(failed)
        for failed in broken:
            await _close(hub, failed, False)
        complete = any(kind == "end" for kind, _ in batch)
    closing = asyncio.gather(*(_close(hub, service, complete) for service in living))
    if complete:
        gone = asyncio.create_task(_hasten(hub, batches, living))
        either: set[asyncio.Future[Any]] = {closing, gone}
        await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
    await asyncio.wait({closing}, timeout=CLOSE_S)
    tell("bye", "")
    os._exit(
        0
    )  # the run may be gone, or waits for this: nobody waits for threads that a service has left behind


async def _hasten(
    hub: Hub, batches: asyncio.Queue[Batch | None], services: Sequence[Service]
) -> None:
    """Pass on the user's wish to wait no longer, until the run's process is gone."""
    while (batch := await batches.get()) is not None:
        for message in batch:
            _dispatch(hub, services, *message)


def _receive(
    pipe: Connection, loop: asyncio.AbstractEventLoop, batches: asyncio.Queue[Batch | None]
) -> None:
    with contextlib.suppress(RuntimeError):  # the loop has ended
        with contextlib.suppress(EOFError, OSError):
            while True:
                loop.call_soon_threadsafe(batches.put_nowait, pipe.recv())
        loop.call_soon_threadsafe(batches.put_nowait, None)


async def _close(hub: Hub, service: Service, complete: bool) -> None:
    try:
        line = await service.close(complete)
    except Exception as error:
        line = f"{type(service).__name__} did not close: {_short(error)}"
    if line:
        hub.note(line)


def _dispatch(
    hub: Hub, services: Sequence[Service], kind: str, data: tuple[Any, ...]
) -> list[Service]:
    """Pass a message on to all; returns those that failed."""
    if kind == "update":
        (hub.frame,) = data
    elif kind == "reading":
        hub.now_s, hub.values = data
    failed = []
    for service in services:
        try:
            getattr(service, kind)(*data)
        except Exception as error:
            failed.append(service)
            hub.note(
                f"{type(service).__name__} has failed, the run goes on without it: {_short(error)}"
            )
    return failed


def _short(error: Exception) -> str:
    """An error that nobody foresaw, in one line, with its place."""
    place = traceback.extract_tb(error.__traceback__)[-1]
    return " ".join(f"{type(error).__name__}: {error} ({place.filename}:{place.lineno})".split())
