"""Answers of the live page's server, one class per address (`ROUTES`).

Every request must name this machine; all but the page's own files need the run's token; a command
must also come from the page that this server gave.
"""

from __future__ import annotations

import asyncio
import json
import re
from pathlib import Path
from typing import Any

from bokeh.util.paths import bokehjs_path
from tornado.iostream import StreamClosedError

from twin.ground.errors import TwinError, UsageError
from twin.ground.units import at, moment
from twin.readers.live import levers
from twin.readers.live.asked import command_of_page, comparison_of_page
from twin.readers.live.beside import Branch
from twin.readers.live.guard import BaseHandler, SecretHandler, apart
from twin.record import naming

TEMPLATES = Path(__file__).parent.parent / "templates"
FILES = {
    "/": (TEMPLATES / "live.html", "text/html; charset=utf-8"),
    **{
        f"/{name}.js": (TEMPLATES / f"{name}.js", "text/javascript; charset=utf-8")
        for name in ("live", "face", "steer", "branches", "compare", "world")
    },
    "/live.css": (TEMPLATES / "live.css", "text/css; charset=utf-8"),
    "/live.svg": (TEMPLATES / "live.svg", "image/svg+xml"),
    "/bokeh.js": (
        Path(bokehjs_path(dev=False)) / "js" / "bokeh.min.js",
        "text/javascript; charset=utf-8",
    ),
}
"""Files that need no token: they contain nothing about the run."""
REPORT = (
    # the report's own scripts may run, but as a page of nobody: it cannot command the run
    "sandbox allow-scripts allow-downloads allow-popups; default-src 'none'; "
    "script-src 'unsafe-inline' 'unsafe-eval'; style-src 'unsafe-inline'; img-src data: blob:; "
    "font-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""Content security policy of a report."""


class FileHandler(BaseHandler):
    """The page itself, its script and its style."""

    def get(self) -> None:
        """One of FILES."""
        if self.request.path not in FILES:
            self.refuse(404, "not found on this page")
            return
        path, kind = FILES[self.request.path]
        self.set_header("Content-Type", kind)
        self.finish(path.read_bytes())


class OnceHandler(BaseHandler):
    """The address with which a browser is opened."""

    def get(self, code: str) -> None:
        """To the page, with the token, once."""
        if self.server.spend(code):
            self.redirect(self.server.address.removeprefix(self.server.base), status=303)
        else:
            self.refuse(403, "this address worked once only; use the one that twin prints")


class RunHandler(SecretHandler):
    """What the page is made of."""

    def get(self) -> None:
        """Name, dates and headings."""
        info = self.server.live.hub.info
        self.finish(
            {
                "name": naming.read(info.out).title(info.name),
                "start": info.start.isoformat(),
                "end": f"{at(info.start, info.duration_s):%Y-%m-%d}",
                "sides": self.server.live.page.outline,
                "choices": self.server.live.face.choices,
                "first": self.server.live.face.first(),
            }
        )


class LeversHandler(SecretHandler):
    """What can be changed."""

    async def get(self) -> None:
        """Levers with their values in effect, and ready policies with what they would change."""
        live = self.server.live
        self.finish(await apart(levers.offered, live.hub.info.out, tuple(live.begun)))


class ChapterHandler(SecretHandler):
    """The pictures under a heading."""

    def get(self, key: str) -> None:
        """As a Bokeh document with everything read so far."""
        page = self.server.live.page
        if not page.known(key):
            self.refuse(404, "no such chapter")
            return
        self.set_header("Content-Type", "application/json")
        self.finish(
            page.chapter(key, "dark" if self.get_query_argument("theme", "") == "dark" else "light")
        )


class ReadingsHandler(SecretHandler):
    """What continues these pictures."""

    def get(self, key: str) -> None:
        """Readings after the number ``since``."""
        page, since = self.server.live.page, self.get_query_argument("since", "")
        if not page.known(key) or not re.fullmatch(r"\d{1,12}", since):
            self.refuse(404, "no such chapter")
            return
        self.set_header("Content-Type", "application/json")
        self.finish(page.readings(key, int(since)))


class StreamHandler(SecretHandler):
    """All news, as one JSON object per line, for as long as the page is open."""

    async def get(self) -> None:
        """Hello, then the news."""
        self.queue: asyncio.Queue[bytes | None] = asyncio.Queue()
        self.set_header("Content-Type", "application/x-ndjson")
        # no await between these two: no news is lost between the first message and the queue
        self.write(self.server.live.hello())
        self.server.pages.add(self.queue)
        try:
            await self.flush()
            while (message := await self.queue.get()) is not None:
                self.write(message)
                await self.flush()
            await self.finish()
        except StreamClosedError:
            pass
        finally:
            self.server.pages.discard(self.queue)

    def on_connection_close(self) -> None:
        """The page has gone."""
        if hasattr(self, "queue"):
            self.queue.put_nowait(None)


class CommandHandler(SecretHandler):
    """A command to the run."""

    def prepare(self) -> None:
        """From this server's own page only, and as JSON, which no form of another site can send."""
        super().prepare()
        if self._finished:
            return
        headers = self.request.headers
        if (
            headers.get("Origin") != f"http://{headers.get('Host')}"
            or headers.get("Sec-Fetch-Site", "same-origin") != "same-origin"
        ):
            self.refuse(403, "commands are accepted from the run's own page only")
        elif headers.get("Content-Type", "").partition(";")[0].strip() != "application/json":
            self.refuse(415, "a command is JSON")

    async def post(self) -> None:
        """Pass it to the run and return the run's reply."""
        try:
            asked = json.loads(self.request.body)
            if not isinstance(asked, dict):
                raise ValueError
        except ValueError:
            self.refuse(400, "this is not a command")
            return
        try:
            self.finish(await self._done(asked))
        except TwinError as error:
            # the run refused it, which is no error of the web server
            self.finish({"error": str(error)})

    async def _done(self, asked: dict[str, Any]) -> dict[str, Any]:
        live = self.server.live
        if asked.get("do") in ("stop", "go"):
            stops = asked["do"] == "stop"
            if "comparison" in asked:
                one = live.comparisons.named(asked["comparison"])
                return {"ok": (live.comparisons.stop if stops else live.comparisons.go_on)(one)}
            branch = live.branches.named(asked.get("branch"))
            return {"ok": (live.branches.stop if stops else live.branches.go_on)(branch)}
        if asked.get("do") == "compare":
            return await self._compared(asked)
        reply: dict[str, Any] = await apart(
            command_of_page, live.hub.info.out, asked, tuple(live.begun)
        )
        if asked.get("do") == "fork" and live.grow is not None:
            branch = Branch(reply["name"], Path(reply["folder"]), reply["says"], reply["now_s"])
            live.branches.add(branch)
            beside = "runs" if branch.state == "running" else "waits for a processor"
            reply["ok"] = f"branch {branch.name} {beside}; its run folder: {branch.folder}"
        reply["date"] = moment(live.hub.info.start, max(reply["now_s"], 0))
        return reply

    async def _compared(self, asked: dict[str, Any]) -> dict[str, Any]:
        """Begin a comparison."""
        live = self.server.live
        if not live.comparisons.possible:
            raise UsageError("this page begins no comparisons (use twin compare)")
        frame, taken = live.hub.frame, {one.name for one in live.comparisons.all}
        out, now_s = live.hub.info.out, frame.now_s if frame else 0
        one = await apart(comparison_of_page, out, asked, tuple(live.begun), now_s, taken)
        live.comparisons.add(one)
        beside = "begins" if one.state == "running" else "waits for a processor"
        return {"ok": f"comparison {one.name} {beside}; its folder: {one.folder}"}


class FaceHandler(SecretHandler):
    """The large chart."""

    def get(self) -> None:
        """Two series, ``creators`` and ``consumers``, of the run and its branches."""
        face = self.server.live.face
        keys = tuple(
            self.get_query_argument(one, "", strip=False) for one in ("creators", "consumers")
        )
        if not all(key == "" or face.known(key) for key in keys):
            self.refuse(404, "no such series")
            return
        self.set_header("Content-Type", "application/json")
        self.finish(face.chart((keys[0], keys[1])))


class WorldHandler(SecretHandler):
    """The view of the world."""

    async def get(self) -> None:
        """The latest look at it."""
        try:
            made = await self.server.live.view.get()
        except TwinError as error:
            self.finish({"none": str(error)})
            return
        self.set_header("Content-Type", "application/json")
        self.finish(made)


class ReportHandler(BaseHandler):
    """The report of the run, or of a branch or comparison that is done. Its address holds a secret
    of its own, since a page that is opened by a link can send no token; it opens nothing else."""

    async def get(self, code: str, branch: str) -> None:
        """The page that the run wrote."""
        live = self.server.live
        folder = live.hub.info.out
        if branch:
            beside = {one.name: one.folder for one in live.branches.all}
            beside |= {one.name: one.folder for one in live.comparisons.all}
            folder = beside.get(branch, folder)
        path = folder / "report.html"
        if not self.server.reads(code) or not await apart(path.is_file):
            self.refuse(404, "there is no report yet")
            return
        self.set_header("Content-Security-Policy", REPORT)
        self.set_header("Content-Type", "text/html; charset=utf-8")
        self.finish(await apart(path.read_bytes))


ROUTES = [
    (r"/open/([\w-]{1,64})", OnceHandler),
    (r"/run", RunHandler),
    (r"/levers", LeversHandler),
    (r"/face", FaceHandler),
    (r"/world", WorldHandler),
    (r"/report/([\w-]{1,64})(?:/([\w-]{1,64}))?", ReportHandler),
    (r"/stream", StreamHandler),
    (r"/chapter/([\w-]{1,64})", ChapterHandler),
    (r"/readings/([\w-]{1,64})", ReadingsHandler),
    (r"/command", CommandHandler),
    (r"/.*", FileHandler),
]
"""Addresses of the page, the first that matches answers."""
