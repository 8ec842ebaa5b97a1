"""One question to a service, asked until there is a whole answer or no hope of one.

Redirects are not followed, no proxy is asked, and no password of this machine's user is sent. A
token from the environment (TWIN_RANKER_TOKEN) is, and reaches no file. It speaks to urllib3 itself:
what requests does around it takes three times as long as the question.
"""

from __future__ import annotations

import functools
import ipaddress
import os
import time
from importlib.metadata import version
from typing import Any
from urllib.parse import urlsplit

import urllib3
from requests.utils import DEFAULT_CA_BUNDLE_PATH
from urllib3 import exceptions
from urllib3.util import parse_url

from twin.ground.answers import MOST_BYTES, plain, pools
from twin.ground.errors import one_line
from twin.ground.hosts import is_host
from twin.ranking.scores import Wrong

TOKEN = "TWIN_RANKER_TOKEN"
FIRST_WAIT_S, LONGEST_WAIT_S = 0.2, 5.0
"""Wall-clock seconds before the second try, and at most before a later one; each waits twice as
long."""
PIECE = 2**16
"""How much of an answer is read at once; MOST_BYTES of it at most, also once it is decompressed."""


@functools.lru_cache(8)  # looked at before every question, as the environment may give another
def address(url: str, anywhere: bool) -> str:
    """The address, if it can be used. Raises ValueError with reason and mend."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        host, port, parts = "", 0, urlsplit("")
    if parts.scheme not in ("http", "https") or not is_host(host) or port == 0:
        raise ValueError(
            f"url {url!r} is no address of a service; write one such as http://127.0.0.1:8000/rank"
        )
    if parts.username is not None or parts.password is not None:
        raise ValueError(f"url holds a user or password; put a token into {TOKEN}, outside files")
    if not anywhere and not _here(host):
        raise ValueError(
            f"url leads to {host}, another machine; write anywhere: true if people's histories may "
            f"go there"
        )
    return url


def _here(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


class _Passing(Exception):
    """A try brought no whole answer; another may."""


class Client:
    """Asks one service. ``timeout`` is for a whole answer, s; ``retries`` are further tries."""

    def __init__(self, timeout: float, retries: int) -> None:
        self._timeout, self._retries = float(timeout), retries
        self._pools = pools(ca_certs=DEFAULT_CA_BUNDLE_PATH)
        self._known: dict[str, tuple[urllib3.HTTPConnectionPool, str]] = {}
        self._headers = {
            "Content-Type": "application/json",
            "Accept": "application/json",
            "User-Agent": f"twin/{version('twin')}",
        }

    def _pool(self, url: str) -> tuple[urllib3.HTTPConnectionPool, str]:
        """Connections to the host of an address, and what is asked for there."""
        if url not in self._known:
            self._known[url] = self._pools.connection_from_url(url), parse_url(url).request_uri
        return self._known[url]

    def ask(self, url: str, body: bytes) -> bytes:
        """The answer, after as many tries as it takes. Raises Wrong."""
        wait = FIRST_WAIT_S
        for left in range(self._retries, -1, -1):
            try:
                return self._once(url, body)
            except _Passing as error:
                if not left:
                    tries = self._retries + 1
                    raise Wrong(f"{error}{f' ({tries} tries)' if tries > 1 else ''}") from None
                time.sleep(wait)
                wait = min(2 * wait, LONGEST_WAIT_S)
        raise AssertionError  # the last try returns or raises

    def _once(self, url: str, body: bytes) -> bytes:
        """The body of an answer. Raises Wrong, or _Passing where another try may help."""
        until = time.monotonic() + self._timeout
        late = f"it gave no whole answer within {self._timeout:g} s"
        response = self._answer(url, body, late)
        try:
            _status(response)
            return _body(response, until, late)
        except exceptions.TimeoutError:
            raise _Passing(late) from None
        except exceptions.ProtocolError:
            raise _Passing("it broke off in the middle of its answer") from None
        except exceptions.HTTPError as error:
            raise Wrong(f"its answer cannot be read: {one_line(str(error))}") from None
        finally:
            # no effect on a connection whose answer was read to its end: that is asked again
            response.close()
            response.release_conn()

    def _answer(self, url: str, body: bytes, late: str) -> urllib3.BaseHTTPResponse:
        """What comes back, its body unread. Raises Wrong or _Passing."""
        try:
            # what a pool manager does besides follows redirects, and takes longer than a look-up
            pool, target = self._pool(url)
            return pool.urlopen(
                "POST",
                target,
                redirect=False,
                body=body,
                headers=self._headers | _token(),
                retries=False,
                timeout=self._timeout,
                preload_content=False,
            )
        except (
            exceptions.NewConnectionError,  # before the others: to urllib3 it is a timeout, too
            exceptions.ProtocolError,
            exceptions.SSLError,
        ) as error:
            raise _Passing(f"it does not answer ({_reason(error)})") from None
        except exceptions.TimeoutError:
            raise _Passing(late) from None
        except exceptions.HTTPError as error:
            raise Wrong(f"it cannot be asked: {one_line(str(error))}") from None


def _token() -> dict[str, str]:
    """The header that says who asks. Raises Wrong for a token that cannot be sent."""
    token = os.environ.get(TOKEN, "").strip()
    if not (token.isascii() and token.isprintable()) or " " in token:
        raise Wrong(f"{TOKEN} holds what no token can hold (letters, digits and signs)")
    return {"Authorization": f"Bearer {token}"} if token else {}


def _body(response: urllib3.BaseHTTPResponse, until: float, late: str) -> bytes:
    """What is answered, whole and in time. Raises Wrong or _Passing."""
    found = bytearray()
    # One read of the socket each: one that waits ends by the timeout, one that drips by the clock
    while part := response.read1(PIECE, decode_content=True):
        found += part
        if time.monotonic() > until:
            raise _Passing(late)
        if len(found) > MOST_BYTES:
            raise Wrong(f"its answer is longer than {MOST_BYTES >> 20} MB")
    told = response.headers.get("Content-Length", "")
    if told.isdigit() and response.tell() < int(told):
        raise _Passing("it broke off in the middle of its answer")
    return bytes(found)


def _status(response: urllib3.BaseHTTPResponse) -> None:
    """Raise Wrong or _Passing unless the answer is 200."""
    code, words = response.status, plain(f"it answers {response.status} {response.reason or ''}")
    if code == 200:
        return
    if code in (429, 503) or code >= 500:
        raise _Passing(words.rstrip())
    mends: dict[int, str] = {
        401: f"set {TOKEN} in the environment",
        403: f"set {TOKEN} in the environment",
        404: "is the path right, such as /rank?",
    }
    if 300 <= code < 400:
        mends[code] = "redirects are not followed: write the address that it leads to"
    raise Wrong(words.rstrip() + (f" ({mends[code]})" if code in mends else ""))


def _reason(error: Exception) -> str:
    """The operating system's words for what went wrong."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, OSError) and cause.strerror:
            return cause.strerror.lower()
        inner: Any = getattr(cause, "reason", None) or (cause.args[0] if cause.args else None)
        after = inner if isinstance(inner, BaseException) else None
        cause = cause.__cause__ or cause.__context__ or after
    return "it closed the connection" if "closed" in str(error) else "no connection"
