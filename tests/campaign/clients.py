"""Clients of a live run, by the hundred in one process: pages as the browser's script asks, scrapers,
and those who ask what they should not, or do not read, end or begin what they ask.

What each answer may be is said beside the question; everything else is noted as wrong.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from tests.campaign.questions import CLOSED, Target, questions, request

END_S = 1.0
"""How long after a connection broke the run may be seen to have ended."""
FACE_S = 5.0
"""Between two questions of a page for its chart."""
Conversation = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@dataclass
class Crowd:
    """What clients have in common: whom they ask, and what they saw."""

    target: Target
    draw: random.Random
    answers: Counter[str] = field(default_factory=Counter)
    wrong: dict[str, list[str]] = field(default_factory=dict)
    latencies: list[float] = field(default_factory=list)
    guesses: dict[str, list[float]] = field(default_factory=dict)
    over: asyncio.Event = field(default_factory=asyncio.Event)
    """The run has ended: a page was told so, or its process has gone."""

    def judge(self, kind: str, status: int, allowed: set[int], about: str = "") -> None:
        """Note an answer."""
        self.answers[kind] += 1
        if status not in allowed and not self.over.is_set():
            words = f"{status or 'closed'} {about[:200]!r}"
            self.wrong.setdefault(kind, []).append(words)

    async def settle(self, kind: str, status: int, allowed: set[int], about: str = "") -> None:
        """Note an answer; where there was none, once it is known whether the run was ending."""
        if status == CLOSED and CLOSED not in allowed:
            await asyncio.sleep(END_S)
        self.judge(kind, status, allowed, about)

    async def living(self, kind: str, work: Callable[[], Awaitable[None]]) -> None:
        """Do the work of a client who should be served; that it broke is wrong unless the run has
        ended."""
        while not self.over.is_set():
            try:
                await work()
            except (OSError, EOFError, ValueError, IndexError) as error:
                await asyncio.sleep(END_S)
                self.judge(kind, CLOSED, set(), f"{type(error).__name__}: {error}")

    async def opened(self, port: int) -> Conversation:
        """A connection."""
        return await asyncio.open_connection("127.0.0.1", port, limit=2**22)


async def head(reader: asyncio.StreamReader) -> tuple[int, dict[str, str]]:
    """Status and headers of an answer."""
    first, *lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").strip().split("\r\n")
    found = {
        name.lower(): value.strip() for name, _, value in (each.partition(":") for each in lines)
    }
    return int(first.split()[1]), found


async def chunk(reader: asyncio.StreamReader) -> bytes:
    """The next part of an answer in parts; empty at its end."""
    size = int(await reader.readuntil(b"\r\n"), 16)
    return (await reader.readexactly(size + 2))[:-2]


async def whole(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    """Status and body of an answer."""
    status, headers = await head(reader)
    if "content-length" in headers:
        return status, await reader.readexactly(int(headers["content-length"]))
    body = b""
    while headers.get("transfer-encoding") == "chunked" and (part := await chunk(reader)):
        body += part
    return status, body


async def page(crowd: Crowd) -> None:
    """A page: its files, its run, then the stream; meanwhile its chart, and a chapter."""
    port, bearer = crowd.target.page, {"Authorization": f"Bearer {crowd.target.token}"}
    reader, writer = await crowd.opened(port)
    try:
        for path in ("/", "/live.js", "/live.css"):
            writer.write(request(port, path))
            crowd.judge("file of a page", (await whole(reader))[0], {200}, path)
        writer.write(request(port, "/run", **bearer))
        status, body = await whole(reader)
        crowd.judge("page", status, {200}, "/run")
        first = json.loads(body)["first"]
        watching = asyncio.create_task(_stream(crowd))
        try:
            while not crowd.over.is_set() and not watching.done():
                path = f"/face?creators={first[0]}&consumers={first[1]}"
                writer.write(request(port, path.replace(" ", "%20"), **bearer))
                status, body = await whole(reader)
                crowd.judge("page", status, {200}, path)
                json.loads(body)
                await asyncio.wait({watching}, timeout=crowd.draw.uniform(0.5, 1.5) * FACE_S)
        finally:
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)
        if watching.done() and not watching.cancelled() and (error := watching.exception()):
            raise error
    finally:
        writer.close()


async def _stream(crowd: Crowd) -> None:
    """The news, line by line, until the run ends."""
    port = crowd.target.page
    reader, writer = await crowd.opened(port)
    try:
        writer.write(request(port, "/stream", Authorization=f"Bearer {crowd.target.token}"))
        status, _ = await head(reader)
        crowd.judge("stream", status, {200})
        rest = b""
        while part := await chunk(reader):
            *lines, rest = (rest + part).split(b"\n")
            for line in lines:
                news: dict[str, Any] = json.loads(line)
                crowd.answers["message of a stream"] += 1
                if news.get("state") in ("done", "ended"):
                    crowd.over.set()
                    return
        raise EOFError("the stream ended before the run")
    finally:
        writer.close()


async def scraper(crowd: Crowd, every_s: float) -> None:
    """Scrapes so often as it can, at most every ``every_s``: whole readings in one of the forms."""
    port = crowd.target.endpoint
    reader, writer = await crowd.opened(port)
    accept = {"Accept": "application/openmetrics-text"} if crowd.draw.random() < 0.5 else {}
    try:
        while not crowd.over.is_set():
            began = time.monotonic()
            writer.write(request(port, "/metrics", **accept))
            status, body = await whole(reader)
            took = time.monotonic() - began
            fine = b"twin_run_" in body and body.endswith(b"# EOF\n") is bool(accept)
            crowd.judge("scrape", status if fine else -1, {200})
            crowd.latencies.append(took)
            await asyncio.sleep(max(0.0, every_s - took))
    finally:
        writer.close()


async def asked(crowd: Crowd, port: int, sent: bytes) -> tuple[int, bytes]:
    """What is answered on a connection of its own, CLOSED if nothing."""
    try:
        reader, writer = await crowd.opened(port)
        try:
            writer.write(sent)
            return await whole(reader)
        finally:
            writer.close()
    except (OSError, EOFError, ValueError, IndexError):
        return CLOSED, b""


async def asker(crowd: Crowd, every_s: float) -> None:
    """Asks one such question after another."""
    all_of_them = questions(crowd.target)
    while not crowd.over.is_set():
        one = crowd.draw.choice(all_of_them)
        port = crowd.target.page if one.page else crowd.target.endpoint
        status, body = await asked(crowd, port, one.sent)
        await crowd.settle(
            one.kind,
            -1 if b"root:" in body else status,
            set(one.allowed),
            one.sent.decode("latin-1"),
        )
        await asyncio.sleep(every_s)


async def guesser(crowd: Crowd, every_s: float) -> None:
    """Wrong tokens: none of it right, or all but the last character; how long each answer takes."""
    port, right = crowd.target.page, crowd.target.token
    last = "A" if right[-1] != "A" else "B"
    while not crowd.over.is_set():
        tokens = [("none right", "x" * len(right)), ("nearly right", right[:-1] + last)]
        # the first after a pause takes longer, whichever it is
        crowd.draw.shuffle(tokens)
        for kind, token in tokens:
            began = time.perf_counter()
            sent = request(port, "/run", Authorization=f"Bearer {token}")
            status, _ = await asked(crowd, port, sent)
            crowd.guesses.setdefault(kind, []).append(time.perf_counter() - began)
            await crowd.settle("wrong token", status, {401, 403, 429})
        await asyncio.sleep(every_s)


async def holder(crowd: Crowd, kind: int) -> None:
    """Holds a connection without reading, ending or beginning what it asks, and opens it again once
    it was closed."""
    page, metrics, bearer = crowd.target.page, crowd.target.endpoint, f"Bearer {crowd.target.token}"
    port, sent = (
        (metrics, request(metrics, "/metrics") * 50),
        (page, request(page, "/stream", Authorization=bearer)),
        (page, b"GET / HTTP/1.1\r\nHost: "),
        (metrics, b""),
        (page, request(page, "/command", "POST", Authorization=bearer, Content_Length="100")),
        (metrics, request(metrics, "/metrics", "POST", Content_Length="100")),
    )[kind % 6]
    over = asyncio.create_task(crowd.over.wait())
    while not over.done():
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1)
            writer.write(sent)
            crowd.answers["held open"] += 1
            # of an answer nothing is read; what gets none is read to see that it was closed
            ended = {over} if kind % 6 < 2 else {over, asyncio.create_task(_closed(reader))}
            await asyncio.wait(ended, return_when=asyncio.FIRST_COMPLETED)
            writer.transport.abort()
        except OSError:
            await asyncio.sleep(END_S)


async def _closed(reader: asyncio.StreamReader) -> None:
    """Wait until the server closes."""
    with contextlib.suppress(OSError):
        while await reader.read(2**10):
            pass
