"""The process beside a run: it passes the run's messages on to the services until the run ends."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import threading
import traceback
from collections.abc import Sequence
from multiprocessing.connection import Connection
from typing import Any

from twin.ground.errors import TwinError
from twin.readers import limits
from twin.readers.service import Hub, Service
from twin.record.watch import RunInfo

Message = tuple[str, tuple[Any, ...]]
"""The name of a service's method, and its arguments."""
Batch = list[Message]
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
CLOSE_S = 1.5
"""Wall-clock seconds that services have to close when the run has died."""


def main(pipe: Connection, info: RunInfo, services: Sequence[Service]) -> None:
    """Entry point of the process. A signal that a terminal or a supervisor sends to all processes
    is handled by the run, which says when to end."""
    # first ignored, then unblocked: the process was started with them blocked
    for number in SIGNALS:
        signal.signal(number, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
    limits.raise_files()
    os.nice(5)  # where processors are few, the run goes first
    # the terminal belongs to the run; lines for its user go through `note`
    logging.getLogger().addHandler(logging.NullHandler())
    asyncio.run(_serve(pipe, info, services))


async def _serve(pipe: Connection, info: RunInfo, services: Sequence[Service]) -> None:
    """Serve until the run ends or dies."""
    lock = threading.Lock()

    def tell(kind: str, data: Any) -> None:
        # services report from threads of their own
        with lock, contextlib.suppress(OSError):
            pipe.send((kind, data))

    hub = Hub(
        info,
        lambda text: tell("note", text),
        lambda text: tell("undone", text),
        services=services,
    )
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
    # in a thread, since reading a pipe blocks
    threading.Thread(target=_receive, args=(pipe, loop, batches), daemon=True).start()
    living, complete = list(services), False
    while not complete and (batch := await batches.get()) is not None:
        broken = list[Service]()
        # without a pause: a request meanwhile sees the state before a batch or after it
        for message in batch:
            for failed in _dispatch(hub, living, *message):
                living.remove(failed)
                broken.append(failed)
        # after the batch, since closing may wait
        for failed in broken:
            await _close(hub, failed, False)
        complete = any(kind == "end" for kind, _ in batch)
    closing = asyncio.gather(*(_close(hub, service, complete) for service in living))
    if complete:
        # a regular end may take its time, unless the run's process goes away meanwhile
        gone = asyncio.create_task(_pass_on_haste(hub, batches, living))
        either: set[asyncio.Future[Any]] = {closing, gone}
        await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
    await asyncio.wait({closing}, timeout=CLOSE_S)
    tell("bye", "")
    os._exit(0)  # at once: threads that a service has left behind must not delay the run's end


async def _pass_on_haste(
    hub: Hub, batches: asyncio.Queue[Batch | None], services: Sequence[Service]
) -> None:
    """Pass on the user's wish to wait no longer, until the run's process ends."""
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
        line, service.unfinished = "", f"{type(service).__name__} did not close: {_short(error)}"
    if line:
        hub.note(line)
    if service.unfinished:
        hub.missed(service.unfinished)


def _dispatch(
    hub: Hub, services: Sequence[Service], kind: str, data: tuple[Any, ...]
) -> list[Service]:
    """Pass a message on to all; returns those that failed."""
    # before the services, which may read it from the hub
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
            line = (
                f"{type(service).__name__} has failed, the run continues without it: "
                f"{_short(error)}"
            )
            hub.note(line)
            hub.missed(line)
    return failed


def _short(error: Exception) -> str:
    """An unexpected error in one line, with file and line number."""
    place = traceback.extract_tb(error.__traceback__)[-1]
    return " ".join(f"{type(error).__name__}: {error} ({place.filename}:{place.lineno})".split())
