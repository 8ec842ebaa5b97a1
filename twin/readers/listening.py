"""Addresses on which a run listens: read from a flag, tried before anything is made, then bound.

Loopback unless another host is given. An address that cannot be bound is reported in one line with
the flag, the port and what to do about it. When the run has ended, open requests delay its end by
at most CLOSE_S.
"""

from __future__ import annotations

import asyncio
import errno
import ipaddress
import os
import re
import socket
from contextlib import suppress
from dataclasses import dataclass

from tornado.httpserver import HTTPServer

from twin.ground.errors import UsageError
from twin.ground.hosts import is_host

LOOPBACK = "127.0.0.1"
_ADDRESS = re.compile(r"(?:\[(?P<six>[^\[\]]*)\]|(?P<host>[^\[\]:]*)):(?P<port>\d{1,5})", re.ASCII)
BACKLOG = 128
CLOSE_S = 2.0
"""Wall-clock seconds that open requests may take when the run has ended."""


@dataclass(frozen=True)
class Address:
    """A host and a port; port 0 is any that is free. ``flag`` is where the user gave it, for
    error messages."""

    flag: str
    host: str
    port: int

    @property
    def shown(self) -> str:
        """As ``HOST:PORT``."""
        return f"{f'[{self.host}]' if ':' in self.host else self.host}:{self.port}"

    @property
    def local(self) -> bool:
        """Whether only this machine can reach it."""
        with suppress(ValueError):
            # without the zone of a link-local address
            return ipaddress.ip_address(self.host.partition("%")[0]).is_loopback
        return self.host == "localhost"

    def bind(self) -> list[socket.socket]:
        """Listening sockets, one per address of the host, all on one port. Raises UsageError."""
        try:
            found = socket.getaddrinfo(
                self.host, self.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
            )
        except OSError as error:
            raise UsageError(
                f"{self.flag} {self.shown}: no such host: {error.strerror or error} (leave the "
                f"host out for this machine "
                "only)"
            ) from None
        sockets: list[socket.socket] = []
        port = self.port
        # a name may resolve to one address several times
        for family, _, _, _, where in dict.fromkeys(found):
            try:
                one = socket.create_server(
                    (where[0], port, *where[2:]), family=family, backlog=BACKLOG
                )
            except OSError as error:
                if error.errno in (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT) and len(found) > 1:
                    # such as IPv6 on a machine without it
                    continue
                self._fail(sockets, error)
            # as an event loop needs it
            one.setblocking(False)
            sockets.append(one)
            # of port 0: the first socket chooses, and the others take the same
            port = one.getsockname()[1]
        if not sockets:
            self._fail(sockets, OSError(errno.EADDRNOTAVAIL, os.strerror(errno.EADDRNOTAVAIL)))
        return sockets

    def try_out(self) -> None:
        """Raise UsageError if it cannot be bound now."""
        for one in self.bind():
            one.close()

    def _fail(self, opened: list[socket.socket], error: OSError) -> None:
        for one in opened:
            one.close()
        where = f"{self.flag} {self.shown}"
        free = f"{self.flag} {Address(self.flag, self.host, 0).shown.removeprefix(LOOPBACK)}"
        if error.errno == errno.EADDRINUSE:
            raise UsageError(
                f"{where}: something already listens on port {self.port} ({free} takes a free one)"
            ) from None
        if error.errno in (errno.EACCES, errno.EPERM):
            raise UsageError(
                f"{where}: not allowed to listen on port {self.port} (take one above 1023; {free} "
                f"takes a free one)"
            ) from None
        raise UsageError(
            f"{where}: cannot listen there: {os.strerror(error.errno or 0)} (leave the host out "
            f"for this machine only)"
        ) from None


def parse(flag: str, text: str) -> Address:
    """``[HOST]:PORT`` as given to a flag. Raises UsageError."""
    match = _ADDRESS.fullmatch(text.strip())
    host = (match["six"] or match["host"] or LOOPBACK) if match else ""
    if not match or not is_host(host):
        raise UsageError(
            f"{flag} {text}: not an address (such as :9464 for this machine only, 0.0.0.0:9464 for "
            f"all, or :0 for any free "
            "port)"
        )
    if int(match["port"]) > 65535:
        raise UsageError(f"{flag} {text}: ports go up to 65535 ({flag} :0 takes a free one)")
    return Address(flag, host, int(match["port"]))


async def close(server: HTTPServer) -> None:
    """Stop listening."""
    server.stop()
    with suppress(TimeoutError):
        async with asyncio.timeout(CLOSE_S):
            await server.close_all_connections()
