"""What every answer of the live page's server keeps to: who may ask, and what an answer's headers
say."""

from __future__ import annotations

import asyncio
import json
from typing import Any, Protocol

import tornado
from tornado.iostream import StreamClosedError
from tornado.web import RequestHandler

from twin.readers.live.beside import Branches
from twin.readers.live.compared import Comparisons
from twin.readers.live.face import Face
from twin.readers.live.page import LivePage
from twin.readers.live.world import View
from twin.readers.service import Hub

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
    face: Face
    branches: Branches
    comparisons: Comparisons
    view: View
    grow: Any
    begun: list[str]

    def hello(self) -> bytes:
        """The first message to a new page."""


class Site(Protocol):
    """What the answers need of the server: see `server.Server`."""

    live: Served
    pages: set[asyncio.Queue[bytes | None]]
    hosts: set[str]
    base: str
    report: str

    @property
    def address(self) -> str:
        """The page with its token."""

    def spend(self, code: str) -> bool:
        """Use up an address that works once; whether it still worked."""

    def known(self, header: str) -> bool:
        """Whether an Authorization header holds the token."""

    def guessed(self) -> bool:
        """Note a wrong token; returns whether there were too many."""

    def reads(self, code: str) -> bool:
        """Whether an address may read the report."""

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


class SecretHandler(BaseHandler):
    """What needs the token."""

    def prepare(self) -> None:
        """Refuse without it."""
        super().prepare()
        header = self.request.headers.get("Authorization", "")
        if self._finished or self.server.known(header):
            return
        if header and self.server.guessed():
            self.refuse(429, "too many wrong tokens: use the address that twin prints for this run")
            return
        self.refuse(
            401 if not header else 403,
            "wrong token: use the address that twin prints for this run",
        )


async def apart(work: Any, *arguments: Any) -> Any:
    """Do blocking work in a thread."""
    return await asyncio.get_running_loop().run_in_executor(None, work, *arguments)
