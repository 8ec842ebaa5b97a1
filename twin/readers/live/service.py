"""The live page as a service of the sidecar: what the run reports becomes messages, each encoded
once for all pages."""

from __future__ import annotations

import asyncio
import contextlib
import math
import webbrowser
from collections import deque
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from twin.ground.errors import TwinError
from twin.ground.units import at
from twin.readers.baseline import POLICY_KINDS, took_effect
from twin.readers.live.address import parse_address
from twin.readers.service import Service
from twin.readers.text import compact, span
from twin.record.watch import Frame, pace

if TYPE_CHECKING:
    from twin.readers.live.aside import Queue
    from twin.readers.live.beside import Branches, Grow
    from twin.readers.live.compared import Command, Comparisons
    from twin.readers.live.face import Face
    from twin.readers.live.server import Server
    from twin.readers.live.world import View

UPDATE_S, EACH_S, SLOWEST_S = 0.25, 0.4, 5.0
"""Wall-clock seconds between two messages: least; for each open page, since each must read it; and
most. What a user has done or waits for (a pause, a policy, the end) is sent at once."""
PACE_S = 10.0
"""Wall-clock seconds over which the speed is taken."""
EVENTS = 100
"""Events that the page lists."""
UNLISTED = ("retrain",)
"""Events at every training: they would hide all others."""
DELIVERY_S = 12.0
"""Wall-clock seconds that the last message may take to reach all pages when the page closes with
the run."""


class Live(Service):
    """Serves the page. ``stay``: it stays open after the run until Ctrl-C; ``browse``: a browser is
    opened; ``grow`` continues a branch in a process of its own (none: branches wait for
    `twin resume`), ``command`` is the command line in one (none: no comparisons)."""

    def __init__(
        self,
        address: str,
        *,
        stay: bool,
        browse: bool,
        grow: Grow | None = None,
        command: Command | None = None,
    ) -> None:
        self.host, self.port = parse_address(address)
        self.stay, self.browse, self.grow, self.command = stay, browse, grow, command

    async def open(self) -> str:
        """Begin to serve; the line has the address with its token."""
        # inside, because they take a second to import, which only the sidecar needs
        from twin.readers.live import aside, beside, compared, face, history, page, server, world

        self.history = history.History(self.hub.info)
        self.page = page.LivePage(self.history)
        self.events: deque[dict[str, str]] = deque(maxlen=EVENTS)
        self.begun: list[str] = []
        self.ended = ""
        self._pace: deque[tuple[float, int, int]] = deque()
        self._sent: dict[str, Any] = {}
        self._dirty, self._urgent, self._hurried = asyncio.Event(), asyncio.Event(), asyncio.Event()
        self._paused, self.closing = False, False
        self.queue: Queue = aside.Queue(self.hub, self._branched)
        self.branches: Branches = beside.Branches(self.hub, self.grow, self.queue)
        self.comparisons: Comparisons = compared.Comparisons(
            self.hub.info, self.command, self.queue
        )
        self.view: View = world.View(self.hub)
        self.face: Face = face.Face(self.page, self.branches)
        self._beside_edition = 0
        # before the server, so that the first page sees it all
        self._load()
        self.server: Server = server.Server(self.host, self.port, self)
        self._ticking = asyncio.create_task(self._tick())
        if self.browse:
            once = self.server.once()
            # in a thread: it may wait until the browser is closed
            asyncio.get_running_loop().run_in_executor(None, webbrowser.open, once)
        return f"live page: {self.server.address}"

    def _load(self) -> None:
        """Readings and events of a resumed run from before it was interrupted."""
        if not self.hub.info.resumed_at_s:
            return
        from twin.record.results import load_events

        info = self.hub.info
        origin = at(info.start, 0)
        try:
            self.history.load(info.out)
            if self.grow is not None:
                self.branches.restore()
            if self.command is not None:
                self.comparisons.restore()
            for when, kind, text in load_events(info.out):
                self.mark(int((when - origin).total_seconds()), kind, text)
        except TwinError as error:
            self.hub.note(
                f"live page: what was before {at(info.start, info.resumed_at_s):%Y-%m-%d} is not "
                f"shown: {error}"
            )

    def _branched(self) -> None:
        """A branch or a comparison has news; those of its state are sent at once."""
        self._dirty.set()
        edition = self.branches.edition + self.comparisons.edition
        if edition != self._beside_edition:
            self._beside_edition = edition
            self._urgent.set()

    def reading(self, now_s: int, values: NDArray[np.float64]) -> None:
        """A reading: goes to the history, from which pages fetch what they draw."""
        stride, moved = self.history.stride, int(self.history.moved.sum())
        if self.history.take(now_s, values) and (
            stride != self.history.stride or moved != int(self.history.moved.sum())
        ):
            self.page.edition += 1
        self._dirty.set()

    def mark(self, now_s: int, kind: str, text: str) -> None:
        """An event; a policy that takes effect is drawn in the pictures."""
        if kind in UNLISTED:
            return
        when, name = at(self.hub.info.start, now_s), text.partition(": ")[0]
        number = ""
        if kind in POLICY_KINDS:
            # a policy that begins again is in force once
            self.begun = [each for each in self.begun if each != name]
            if took_effect(kind, text) is not None:
                self.begun.append(name)
                self.page.mark(when, name)
                number = str(len(self.page.marks))
            self._urgent.set()
        self.events.append(
            {"date": f"{when:%Y-%m-%d %H:%M}", "kind": kind, "text": text, "number": number}
        )
        self._sent.pop("events", None)
        self._dirty.set()

    def update(self, frame: Frame) -> None:
        """Where the run is."""
        if not frame.paused:
            self._pace.append(frame.point)
        limit = frame.health.get("pace", math.nan)
        self.branches.keep_pace(limit if math.isfinite(limit) else None)
        while len(self._pace) > 2 and self._pace[1][0] < self._pace[-1][0] - PACE_S:
            self._pace.popleft()
        if frame.paused != self._paused:
            self._paused = not self._paused
            self._urgent.set()
        self._dirty.set()

    def end(self, text: str) -> None:
        """How it ended."""
        self.ended = text

    async def _tick(self) -> None:
        while True:
            await self._dirty.wait()
            # before the message is made: what comes meanwhile goes into the next one
            self._dirty.clear()
            try:
                self.server.send(self.news())
            except Exception as error:  # a page must never stop the others
                self.server.complain(f"{type(error).__name__}: {error}")
            self._urgent.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(
                    min(SLOWEST_S, max(UPDATE_S, EACH_S * len(self.server.pages)))
                ):
                    await self._urgent.wait()

    def news(self) -> bytes:
        """The message to all pages: where the run is, and what is new since the last one. Pages
        fetch readings when they draw them."""
        if not self.server.pages:
            return b""
        message = self.state()
        for name, value in self._parts():
            if self._sent.get(name) != value:
                message[name] = self._sent[name] = value
        return compact(message) + b"\n"

    def hello(self) -> bytes:
        """The first message to a new page: everything but the readings."""
        return compact({**self.state(), **dict(self._parts())}) + b"\n"

    def _parts(self) -> list[tuple[str, Any]]:
        """What is sent only when it has changed."""
        return [
            ("cards", self.page.cards()),
            ("events", list(self.events)),
            ("branches", self.branches.shown()),
            ("comparisons", self.comparisons.shown()),
        ]

    def state(self) -> dict[str, Any]:
        """The head of the page."""
        info, frame = self.hub.info, self.hub.frame
        now_s = frame.now_s if frame else info.resumed_at_s
        paused = bool(frame and frame.paused)
        limit = frame.health.get("pace", math.nan) if frame else math.nan
        state = "running" if frame else "building"
        # what outweighs the rest comes first: an end, then a pause
        if self.ended:
            state = "done" if now_s >= info.duration_s else "ended"
        elif paused:
            state = "paused"
        elif now_s < 0:
            state = "warming up"
        rate, left = pace(self._pace, info.duration_s)
        windows = self.page.windows()
        return {
            "state": state,
            "ended": self.ended,
            "date": f"{at(info.start, now_s):%Y-%m-%d}",
            "now": self.history.ms()[1],
            "share": round(min(1.0, max(now_s, 0) / info.duration_s), 4),
            "day": f"day {now_s // 86400} of {info.duration_s / 86400:g}"
            if now_s >= 0
            else f"{-now_s / 86400:.0f} of {info.warm_up_s / 86400:g} days to the start",
            "sessions": "" if self.ended or paused else f"{rate:,.0f} sessions/s",
            "left": "" if self.ended or paused or not math.isfinite(left) else f"{span(left)} left",
            "pace": limit if math.isfinite(limit) else None,
            "compared": [windows.last, windows.name] if len(windows.times) > 1 else None,
            "in_force": self.begun,
            "pages": len(self.server.pages) or 1,
            "edition": self.page.edition,
            "face": self.face.edition,
            "taken": self.history.taken,
            "grown": sum(one.history.taken for one in self.branches.all if one.history),
            "going": self.queue.going,
            "leaves": self.closing or not (self.stay and state == "done"),
            "report": self.server.report if state == "done" else None,
            "reports": self.server.report,
        }

    def hurry(self) -> None:
        """Ctrl-C: the page need not stay."""
        self._hurried.set()

    async def close(self, complete: bool) -> str:
        """Deliver the last message. The page of a run that is done stays while branches of it run,
        and on a terminal until Ctrl-C, which stops them."""
        if not complete:
            self.ended = f"the run's process died; continue with: twin resume {self.hub.info.out}"
        if complete and self.state()["state"] == "done":
            await self._stay()
        stopped = [*self.branches.close(), *self.comparisons.close()] if complete else []
        if stopped:
            await self.queue.settle()
        for line in stopped:
            self.hub.note(line)
        # the last message must come after all others
        self.closing = True
        self._ticking.cancel()
        self.server.send(self.news())
        await self.server.close(DELIVERY_S)
        return ""

    async def _stay(self) -> None:
        self._dirty.set()
        self._urgent.set()
        self.branches.alone()
        if self.stay:
            self.hub.note("the live page stays open until you press Ctrl-C")
            await self._hurried.wait()
        elif self.queue.going:
            self.hub.note(
                f"waiting for what the page began: {', '.join(self.queue.names)} (Ctrl-C stops it)"
            )
            await self.queue.finish(self._hurried)
