"""Answers of other servers: whole within a time, and words of theirs that a terminal can show.

A timeout of urllib3, and so of requests, is for each read of the socket: a server that sends a byte
a second keeps its client for ever. Here the read timeout of a request is for the whole answer, from
its first byte to its last, header and body, and an answer has at most MOST_BYTES.
"""

from __future__ import annotations

import http.client
import io
import socket
import time
from typing import Any

import requests
import urllib3
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

MOST_BYTES = 2**28
"""The longest answer that is read, before it is decompressed."""
WORDS = 240
"""Characters of a server's words that are shown."""


def plain(text: str, most: int = WORDS) -> str:
    """Words of another server in one line: what could move a terminal's cursor, colour it or turn
    the direction of writing is left out, and what is too long is cut."""
    # Line breaks and tabs part words
    words = " ".join(text.split())
    shown = "".join(c for c in words if c.isprintable())
    return shown if len(shown) <= most else shown[:most] + "..."


class _Timed(io.RawIOBase):
    """The bytes of one answer, for as long as the socket's timeout says when it begins."""

    def __init__(self, raw: io.RawIOBase, sock: socket.socket) -> None:
        self._raw, self._sock, self._left = raw, sock, MOST_BYTES
        each = sock.gettimeout()
        self._until = None if each is None else time.monotonic() + each

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, buffer: Any) -> int | None:
        """The next bytes. Raises TimeoutError (an OSError) once time is up."""
        if self._until is not None:
            left = self._until - time.monotonic()
            if left <= 0:
                raise TimeoutError("the answer did not end in time")
            self._sock.settimeout(left)
        got: int | None = self._raw.readinto(buffer)
        self._left -= got or 0
        if self._left < 0:
            raise OSError(f"the answer is longer than {MOST_BYTES >> 20} MB")
        return got

    def close(self) -> None:
        """Close what it reads from: the socket lives until then."""
        if not self.closed:
            self._raw.close()
        super().close()


class _Answer(http.client.HTTPResponse):
    """An answer whose time is limited."""

    def __init__(self, sock: socket.socket, *arguments: Any, **more: Any) -> None:
        super().__init__(sock, *arguments, **more)
        self.fp = io.BufferedReader(_Timed(self.fp.detach(), sock))


class _Plain(HTTPConnection):
    response_class = _Answer


class _Secure(HTTPSConnection):
    response_class = _Answer


class _PlainPool(HTTPConnectionPool):
    ConnectionCls = _Plain


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = _Secure


_POOLS = {"http": _PlainPool, "https": _SecurePool}


def pools(**more: Any) -> urllib3.PoolManager:
    """Connections of urllib3 whose read timeout is for a whole answer."""
    made = urllib3.PoolManager(**more)
    made.pool_classes_by_scheme = _POOLS
    return made


class _Adapter(HTTPAdapter):
    """The same for requests, also through a proxy of the environment."""

    def init_poolmanager(self, *arguments: Any, **more: Any) -> None:
        """As requests, with our pools."""
        super().init_poolmanager(*arguments, **more)
        self.poolmanager.pool_classes_by_scheme = _POOLS

    def proxy_manager_for(self, proxy: str, **more: Any) -> urllib3.PoolManager:
        """As requests, with our pools; one for SOCKS keeps its own."""
        made: urllib3.PoolManager = super().proxy_manager_for(proxy, **more)
        if not proxy.lower().startswith("socks"):
            made.pool_classes_by_scheme = _POOLS
        return made


class Session(requests.Session):
    """A session of requests whose read timeouts are for whole answers. It follows no redirect, and
    so does not read its address either, which may be in no alphabet."""

    def __init__(self) -> None:
        super().__init__()
        limit(self)

    def get_redirect_target(self, resp: requests.Response) -> str | None:
        """None."""
        return None


def limit(session: requests.Session) -> None:
    """Make the read timeouts of a session, which another library made, those of whole answers."""
    for scheme in ("http://", "https://"):
        session.mount(scheme, _Adapter())
