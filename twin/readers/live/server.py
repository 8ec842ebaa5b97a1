"""Access to a run by its page: for whoever has its token, from this machine, on a page that this
server gave.

Each process of a run draws a new token. It reaches the user in the address that is printed (as its
fragment, which browsers send to nobody) or, where a browser is opened, by an address that works
once; pages send it in a header. Another site's page has no token and cannot set the header without
CORS permission, which is never given; its host and origin are refused before that.
"""

from __future__ import annotations

import asyncio
import hmac
import math
import secrets
import socket
import time
from collections import deque

from tornado.netutil import bind_sockets
from tornado.web import Application

from twin.ground.errors import TwinError
from twin.readers import listening
from twin.readers.limits import Limited
from twin.readers.live.guard import Served
from twin.readers.live.handlers import ROUTES

ONCE_S = 60.0
"""Wall-clock seconds for which an address that works once is valid."""
LARGEST = 200_000
"""Bytes of a request."""
BEHIND = 40
"""Messages that may wait for a slow page; then it is told to start again."""
WRONG, WRONG_S = 60, 60.0
"""Wrong tokens in so many wall-clock seconds that are answered as such; more are answered 429. The
right token is always answered."""


class Server:
    """The listener, and the pages that are open."""

    def __init__(self, host: str, port: int, live: Served) -> None:
        self.live, self.pages = live, set[asyncio.Queue[bytes | None]]()
        self._token = secrets.token_urlsafe(32)
        self._codes: dict[str, float] = {}
        self._reading = secrets.token_urlsafe(24)
        self.report = f"/report/{self._reading}"
        """Address of the report, once there is one."""
        self._bugs: set[str] = set()
        self._wrong: deque[float] = deque([-math.inf] * WRONG, maxlen=WRONG)
        # without a log, which would fill the user's terminal
        application = Application(ROUTES, server=self, log_function=lambda handler: None)
        self._http = Limited(application, body_bytes=LARGEST)
        try:
            sockets = bind_sockets(
                port, host, family=socket.AF_INET6 if ":" in host else socket.AF_INET
            )
        except OSError as error:
            raise TwinError(
                f"--live {host}:{port}: cannot listen: {error.strerror} (another port may be free; "
                f"without one, --live "
                "takes any)"
            ) from None
        self.port = sockets[0].getsockname()[1]
        self.base = f"http://{'[::1]' if ':' in host else host}:{self.port}"
        # requests for any other name are refused, see `guard.BaseHandler.prepare`
        self.hosts = {f"{name}:{self.port}" for name in ("127.0.0.1", "localhost", "[::1]")}
        self._http.add_sockets(sockets)

    @property
    def address(self) -> str:
        """The page with its token, to be shown to the user alone."""
        return f"{self.base}/#token={self._token}"

    def once(self) -> str:
        """An address of the page that works once, soon: other users of the machine can read a
        browser's command line, so it must not contain the token."""
        code = secrets.token_urlsafe(16)
        self._codes[code] = time.monotonic() + ONCE_S
        return f"{self.base}/open/{code}"

    def spend(self, code: str) -> bool:
        """Use up such an address; returns whether it was still valid."""
        # gone with the first use; 0 is always in the past
        return self._codes.pop(code, 0.0) > time.monotonic()

    def known(self, header: str) -> bool:
        """Whether an Authorization header holds the token."""
        # in a time that does not depend on how much of a guess is right
        return hmac.compare_digest(
            header.encode("utf-8", "replace"), f"Bearer {self._token}".encode()
        )

    def guessed(self) -> bool:
        """Note a wrong token; returns whether there were too many."""
        now = time.monotonic()
        oldest = self._wrong[0]
        self._wrong.append(now)
        return now - oldest < WRONG_S

    def reads(self, code: str) -> bool:
        """Whether that is the secret in the report's address."""
        return hmac.compare_digest(code.encode("utf-8", "replace"), self._reading.encode())

    def complain(self, bug: str) -> None:
        """Report a bug to the user, once."""
        if bug not in self._bugs:
            self._bugs.add(bug)
            self.live.hub.note(
                f"live page: {bug} (a bug in twin, please report it; the run continues)"
            )

    def send(self, message: bytes) -> None:
        """Send a message to every page; one that is far behind is told to start again instead."""
        for page in self.pages if message else ():
            if page.qsize() >= BEHIND:
                # it loads everything again, so what waits is worthless
                while not page.empty():
                    page.get_nowait()
                page.put_nowait(b'{"restart":true}\n')
            else:
                page.put_nowait(message)

    async def close(self, patience_s: float) -> None:
        """Wait until the pages have what they still draw (each leaves then), and close."""
        await self._left(patience_s)
        for page in self.pages:
            page.put_nowait(None)
        # the streams end by themselves: one that is cut is an error in the browser
        await self._left(listening.CLOSE_S)
        await listening.close(self._http)

    async def _left(self, patience_s: float) -> None:
        """Wait until all pages have gone, so long at most."""
        until = time.monotonic() + patience_s
        while self.pages and time.monotonic() < until:
            await asyncio.sleep(0.02)
