"""What every server of a run allows to those who ask: the size of a header and a body, the time for
each, connections in all, and the time for which an answer may wait to be read.

A connection that breaks them is closed; one too many is answered 503 and closed. So neither slow nor
half-open connections, nor bodies that never come, can take the memory, files or attention that the
run's own readers need.
"""

from __future__ import annotations

import ipaddress
import resource
import socket
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

from tornado.httpserver import HTTPServer
from tornado.iostream import IOStream, StreamClosedError

HEADER_BYTES = 16_384
"""The first line of a request and its headers."""
HEADER_S = 75.0
"""Wall-clock seconds for a header, counted from the end of the answer before: so long a connection
may be idle, too. Browsers and Prometheus open another one then."""
BODY_S = 30.0
"""Wall-clock seconds for a body."""
UNREAD_S = 60.0
"""Wall-clock seconds for which an answer waits for a reader that takes nothing of it (Linux)."""
CONNECTIONS = 1000
"""Open connections of one server: 200 pages with the stream and some requests of each."""
FILES = 4096
"""Files that a process with servers may open, where the system lets it."""
FULL = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


def raise_files() -> None:
    """Let this process open FILES files, if it may: connections are files, too."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = FILES if hard == resource.RLIM_INFINITY else min(FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < most:
        with suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


class Limited(HTTPServer):
    """tornado's server with these limits; ``body_bytes`` is the largest body."""

    def initialize(self, application: Any, *, body_bytes: int) -> None:  # type: ignore[override]
        """As tornado calls it."""
        super().initialize(
            application,
            max_header_size=HEADER_BYTES,
            idle_connection_timeout=HEADER_S,
            max_body_size=body_bytes,
            body_timeout=BODY_S,
        )
        # less where a process may open few files: a third, as a run may have two servers
        files = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
        self.most = min(CONNECTIONS, files // 3) if files > 0 else CONNECTIONS

    def handle_stream(self, stream: IOStream, address: Any) -> None:
        """A new connection."""
        if len(self._connections) >= self.most:
            with suppress(StreamClosedError):
                stream.write(FULL)
            stream.close()
            return
        if hasattr(socket, "TCP_USER_TIMEOUT"):
            with suppress(OSError):
                stream.socket.setsockopt(
                    socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, round(1000 * UNREAD_S)
                )
        super().handle_stream(stream, address)


def local_name(header: str, own: str) -> bool:
    """Whether a Host header names this machine itself (or ``own``, the name that a user gave), and
    not a site that had its name point here to read what is served (DNS rebinding)."""
    try:
        name = urlsplit(f"//{header}").hostname or ""
        return name in ("localhost", own) or ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False
