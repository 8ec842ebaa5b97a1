"""Answers of the live page's server, one class per address (`ROUTES`).

Every request must name this machine; all but the page's own files need the run's token; a command
must also come from the page that this server gave.
"""

from __future__ import annotations

import asyncio
import json
import re
from pathlib import Path
from typing import Any, Protocol

import tornado
from bokeh.util.paths import bokehjs_path
from tornado.iostream import StreamClosedError
from tornado.web import RequestHandler

from twin.ground.errors import TwinError
from twin.ground.units import at
from twin.readers.live import levers
from twin.readers.live.page import LivePage
from twin.readers.service import Hub
from twin.record import naming

TEMPLATES = Path(__file__).parent.parent / "templates"
FILES = {
    "/": (TEMPLATES / "live.html", "text/html; charset=utf-8"),
    "/live.js": (TEMPLATES / "live.js", "text/javascript; charset=utf-8"),
    "/live.css": (TEMPLATES / "live.css", "text/css; charset=utf-8"),
    "/live.svg": (TEMPLATES / "live.svg", "image/svg+xml"),
    "/bokeh.js": (
        Path(bokehjs_path(dev=False)) / "js" / "bokeh.min.js",
        "text/javascript; charset=utf-8",
    ),
}
"""Files that need no token: they contain nothing about the run."""
HEADERS = {
    # styles: Bokeh writes some into its shadow roots; they come from its own script, never from the
    # run
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self' "
    "'unsafe-inline'; connect-src 'self'; "
    "img-src 'self' data: blob:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Frame-Options": "DENY",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


class Served(Protocol):
    """What is served: a run, its page, and the policies in force."""

    hub: Hub
    page: LivePage
    begun: list[str]

    def hello(self) -> bytes:
        """The first message to a new page."""


class Site(Protocol):
    """What the answers need of the server: see `server.Server`."""

    live: Served
    pages: set[asyncio.Queue[bytes | None]]
    hosts: set[str]
    base: str

    @property
    def address(self) -> str:
        """The page with its token."""

    def spend(self, code: str) -> bool:
        """Use up an address that works once; whether it still worked."""

    def known(self, header: str) -> bool:
        """Whether an Authorization header holds the token."""

    def complain(self, bug: str) -> None:
        """Report a bug to the user, once."""


class BaseHandler(RequestHandler):
    """Rules for every request: it must name this machine, and its answer is not cached or
    shared."""

    @property
    def server(self) -> Site:
        """The server that this request came to."""
        found: Site = self.application.settings["server"]
        return found

    def set_default_headers(self) -> None:
        """See HEADERS."""
        self.clear_header("Server")
        for name, value in HEADERS.items():
            self.set_header(name, value)

    def prepare(self) -> None:
        """Refuse other names of this machine: a site of that name could be behind them (DNS
        rebinding)."""
        if self.request.headers.get("Host") not in self.server.hosts:
            self.refuse(403, "this page is available at 127.0.0.1 only")

    def refuse(self, status: int, text: str) -> None:
        """Answer with an error."""
        self.set_status(status)
        self.set_header("Content-Type", "application/json")
        self.finish(json.dumps({"error": text}))

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """Errors of the web server itself, as one line."""
        self.refuse(
            status_code,
            "not found on this page" if status_code < 500 else "a bug in twin; the run continues",
        )

    def log_exception(self, typ: Any, value: Any, tb: Any) -> None:
        """A bug is reported to the user; malformed requests are ignored."""
        if not isinstance(value, tornado.web.HTTPError | StreamClosedError):
            self.server.complain(f"{typ.__name__}: {value}")


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


class SecretHandler(BaseHandler):
    """What needs the token."""

    def prepare(self) -> None:
        """Refuse without it."""
        super().prepare()
        header = self.request.headers.get("Authorization", "")
        if not self._finished and not self.server.known(header):
            self.refuse(
                401 if not header else 403,
                "wrong token: use the address that twin prints for this run",
            )


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
            }
        )


class LeversHandler(SecretHandler):
    """What can be changed."""

    async def get(self) -> None:
        """Levers with their values in effect, and ready policies with what they would change."""
        live = self.server.live
        self.finish(await _apart(levers.offered, live.hub.info.out, tuple(live.begun)))


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
        live = self.server.live
        try:
            self.finish(
                await _apart(levers.command_of_page, live.hub.info.out, asked, tuple(live.begun))
            )
        except TwinError as error:
            self.finish(
                {"error": str(error)}
            )  # the run refused it, which is no error of the web server


async def _apart(work: Any, *arguments: Any) -> Any:
    """Do blocking work in a thread."""
    return await asyncio.get_running_loop().run_in_executor(None, work, *arguments)


ROUTES = [
    (r"/open/([\w-]{1,64})", OnceHandler),
    (r"/run", RunHandler),
    (r"/levers", LeversHandler),
    (r"/stream", StreamHandler),
    (r"/chapter/([\w-]{1,64})", ChapterHandler),
    (r"/readings/([\w-]{1,64})", ReadingsHandler),
    (r"/command", CommandHandler),
    (r"/.*", FileHandler),
]
"""Addresses of the page, the first that matches answers."""
