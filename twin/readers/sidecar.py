"""The process beside a run, which does all communication: metrics endpoint, remote write, live
page, annotations.

The run's own thread only puts small messages (a reading, a mark, a frame) into a pipe; encoding,
networks and browsers cost it nothing and cannot stop it. `Link` is the run's side, a `Watcher`;
a `Service` listens at the other (see `sidecar_process`). If the run dies, the pipe closes and the
sidecar ends within CLOSE_S; a service finds its remaining work in the run folder next time. If the
sidecar dies, the run reports it once and continues. A service that fails is left out, and the
others continue.

All services share one event loop (tornado's, on asyncio). A service that blocks does so in a thread
of its own.
"""

from __future__ import annotations

import atexit
import contextlib
import multiprocessing
import os
import queue
import signal
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from multiprocessing import resource_tracker
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twin.ground import interrupts
from twin.ground.errors import TwinError, one_line
from twin.readers.service import Service
from twin.readers.sidecar_process import CLOSE_S, SIGNALS, Message, main
from twin.record.watch import Frame, RunInfo, Watcher

BATCH_S = 0.5
"""Wall-clock seconds for which messages are collected before they are sent. Each batch wakes a
thread of the run for half a millisecond, which briefly takes the interpreter's lock from the main
thread."""
READY_S = 180.0


class Link(Watcher):
    """The run's side of the pipe. ``tell`` gets lines for the user, ``warn`` what a user must see
    who wants to see nothing."""

    def __init__(
        self,
        services: Sequence[Service],
        tell: Callable[[str], None],
        warn: Callable[[str], None] | None = None,
    ) -> None:
        self._services, self._tell, self._warn = list(services), tell, warn or tell
        self._undone: list[str] = []
        self._out: queue.SimpleQueue[Message | None] = queue.SimpleQueue()
        self._last, self._ended = threading.Event(), threading.Event()

    def begin(self, info: RunInfo) -> None:
        """Start the process. Raises what a service raised when it could not open."""
        for line in filter(None, (service.warning(info) for service in self._services)):
            self._warn(line)
        # a forked child would inherit locks of the run's threads in an unknown state
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(
            target=main, args=(theirs, info, self._services), name="twin-sidecar"
        )
        with _no_interrupts():
            self._process.start()
        atexit.register(self._hang_up)
        # only the sidecar keeps its end, so the pipe closes when it dies
        theirs.close()
        kind: str
        data: Any
        # reported if it dies, or is silent for READY_S
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
        # `_send` must not wait for BATCH_S any more
        self._last.set()
        try:
            self._ended.wait()
        except KeyboardInterrupt:
            interrupts.answered()
            self._put("hurry")
            self._ended.wait()
        self._out.put(None)
        self._process.join()

    def undone(self) -> list[str]:
        """What the services were asked for and did not do; complete once the run has ended."""
        return list(self._undone)

    def _put(self, kind: str, *data: Any) -> None:
        if not self._ended.is_set():  # else nothing reads it
            self._out.put((kind, data))

    def _send(self) -> None:
        """Send the messages since the last batch, a few times a second; of frames only the
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
            # counted here, where all that has waited is known
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
            except OSError:  # the sidecar has died; `_hear` has reported it
                return

    def _hear(self) -> None:
        try:
            while (message := self._pipe.recv())[0] != "bye":
                # words of a server may be in them
                line = "\n".join(map(one_line, message[1].split("\n")))
                if message[0] == "undone":
                    self._undone.append(line)
                else:
                    self._tell(line)
        except (EOFError, OSError):
            if not self._ended.is_set():
                line = (
                    "the process beside the run (metrics, live page) has died; the run continues "
                    "without it"
                )
                self._tell(line)
                self._undone.append(line)
        self._ended.set()

    def _hang_up(self) -> None:
        """When the run's process ends for whatever reason: the sidecar sees the closed pipe and
        ends; if not, it is killed."""
        self._ended.set()
        with (
            contextlib.suppress(OSError),
            socket.socket(fileno=os.dup(self._pipe.fileno())) as pipe,
        ):
            # a plain close would not reach the thread that reads from it
            pipe.shutdown(socket.SHUT_RDWR)
        self._process.join(2 * CLOSE_S)
        self._process.kill()


@contextlib.contextmanager
def _no_interrupts() -> Iterator[None]:
    """Block signals, also in a process that is started meanwhile, until it sets its own
    handlers."""
    resource_tracker.ensure_running()  # started inside the block, it would unblock signals again
    before = signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
