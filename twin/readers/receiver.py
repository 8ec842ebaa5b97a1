"""A remote-write receiver: its address, the meaning of its answers, and what of a run it has
confirmed.

Credentials come from the environment alone: TWIN_REMOTE_WRITE_TOKEN (bearer), or
TWIN_REMOTE_WRITE_USER and TWIN_REMOTE_WRITE_PASSWORD.
"""

from __future__ import annotations

import contextlib
import email.utils
import fcntl
import hashlib
import json
import os
import time
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import IO, Any
from urllib.parse import urlsplit

import requests

from twin.ground.answers import Session, plain
from twin.ground.errors import UsageError
from twin.ground.hosts import is_host

TIMEOUT_S = (5.0, 30.0)
"""For the connection, and for a whole answer."""
SAID_BYTES = 2**16
"""How much of an answer is read; what follows is not needed."""
LONGEST_WAIT_S = 300.0
"""The longest wait that a receiver may ask for."""
TOKEN, USER, PASSWORD = (
    "TWIN_REMOTE_WRITE_TOKEN",
    "TWIN_REMOTE_WRITE_USER",
    "TWIN_REMOTE_WRITE_PASSWORD",
)
MENDS = {
    401: f"set {TOKEN}, or {USER} and {PASSWORD}, in the environment",
    403: f"set {TOKEN}, or {USER} and {PASSWORD}, in the environment",
    404: "Prometheus takes remote write at /api/v1/write and must be started with "
    "--web.enable-remote-write-receiver",
    405: "Prometheus takes remote write at /api/v1/write",
}
# Words in the answer, in lower case, and the mend
REASONS = (
    (
        "duplicate sample",
        "it has other values of this run_id for these times; was the run folder copied?",
    ),
    (
        "out of bounds",
        "set storage.tsdb.out_of_order_time_window to 100y in its prometheus.yml, as in "
        "deploy/prometheus/prometheus.yml",
    ),
    (
        "out of order",
        "set storage.tsdb.out_of_order_time_window to 100y in its prometheus.yml, as in "
        "deploy/prometheus/prometheus.yml",
    ),
    (
        "too old",
        "set storage.tsdb.out_of_order_time_window to 100y in its prometheus.yml, as in "
        "deploy/prometheus/prometheus.yml",
    ),
    (
        "too far in the future",
        "it accepts past dates only; set start in the scenario so that the run ends before today",
    ),
)


class LaterError(Exception):
    """Try again later: the receiver is down or busy; ``wait_s`` is the wait that it asked for.
    ``vain``: it names a reason that no wait mends."""

    def __init__(self, reason: str, wait_s: float | None = None, vain: bool = False) -> None:
        super().__init__(reason)
        self.wait_s, self.vain = wait_s, vain


class RefusedError(Exception):
    """Refused: the same request would be refused again. The text says why, and the mend."""


class OtherValueError(RefusedError):
    """Refused, as it has another value of a series for the same time; nothing of the request was
    taken."""


class TooLargeError(Exception):
    """The request is too large."""


def checked(url: str) -> str:
    """The address of a receiver as given, if it is one. Raises UsageError."""
    try:
        parts = urlsplit(url)
        valid = (
            parts.scheme in ("http", "https")
            and is_host(parts.hostname or "")
            # `urlsplit` drops line breaks in silence
            and url.isprintable()
            and (parts.port is None or parts.port > 0)
        )
    except ValueError:
        parts, valid = urlsplit(""), False
    if not valid:
        raise UsageError(
            "--remote-write: not an address of a receiver (write it as "
            "http://127.0.0.1:9090/api/v1/write)"
        )
    if "@" in parts.netloc:
        raise UsageError(
            f"--remote-write: no password in an address: every process can read it there (set "
            f"{USER} and {PASSWORD}, "
            f"or {TOKEN}, in the environment)"
        )
    if parts.path in ("", "/"):
        raise UsageError(
            f"--remote-write: {url} has no path (that of Prometheus is "
            f"{parts.scheme}://{parts.netloc}/api/v1/write)"
        )
    return url


def shown(url: str) -> str:
    """An address as it may be shown and kept: without its query, in which a key could be."""
    return url.split("#")[0].split("?")[0]


class Auth(requests.auth.AuthBase):
    """Adds credentials, if there are any. It is always set: without it, requests would take a
    password from ~/.netrc."""

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """The request with credentials."""
        token, user = os.environ.get(TOKEN), os.environ.get(USER)
        if token:
            request.headers["Authorization"] = f"Bearer {token}"
        elif user:
            # As UTF-8: requests encodes text as Latin-1, which lacks most characters
            requests.auth.HTTPBasicAuth(user.encode(), os.environ.get(PASSWORD, "").encode())(
                request
            )
        return request


class Receiver:
    """One receiver, over a connection that is kept."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._session = Session()
        self._session.auth = Auth()
        self._session.headers.update(
            {
                "Content-Encoding": "snappy",
                "Content-Type": "application/x-protobuf",
                "X-Prometheus-Remote-Write-Version": "0.1.0",
                "User-Agent": f"twin/{version('twin')}",
            }
        )

    def post(self, body: bytes) -> None:
        """Send one request. Raises LaterError, RefusedError or TooLargeError."""
        try:
            answer = self._session.post(
                self.url,
                data=body,
                timeout=TIMEOUT_S,
                # A redirect would turn the POST into a GET, which would then seem to succeed
                allow_redirects=False,
                stream=True,
            )
            with answer:
                told = _begin(answer)
        except (
            requests.ConnectionError,
            requests.Timeout,
            requests.exceptions.ChunkedEncodingError,
            # in the body of an answer that says it is compressed
            requests.exceptions.ContentDecodingError,
        ) as error:
            raise LaterError(_cause(error)) from None
        except (
            requests.RequestException,
            # a token that cannot be a header
            ValueError,
        ) as error:
            raise RefusedError(f"the request cannot be made ({type(error).__name__})") from None
        said = plain(f"{answer.status_code} {answer.reason or ''}")
        if 200 <= answer.status_code < 300:
            if _is_page(answer, told):
                raise RefusedError(
                    f"{said} with a web page, which no receiver answers: is a login or a proxy in "
                    f"between? (give the receiver's own address, or set {TOKEN})"
                )
            return
        if words := _line(told):
            said += f": {words}"
        known = next((mend for word, mend in REASONS if word in words.lower()), "")
        # As the specification of remote write asks: all other refusals are final
        if answer.status_code == 429 or answer.status_code >= 500:
            raise LaterError(
                said + (f" ({known})" if known else ""),
                _wait(answer.headers.get("Retry-After")),
                vain=bool(known),
            )
        if answer.status_code == 413:
            raise TooLargeError(said)
        mend = MENDS.get(answer.status_code) or known
        if answer.is_redirect:
            mend = f"give its new address, {plain(shown(answer.headers['Location']))}"
        kind = OtherValueError if "duplicate sample" in words.lower() else RefusedError
        raise kind(said + (f" ({mend})" if mend else ""))


def _begin(answer: requests.Response) -> bytes:
    """The first SAID_BYTES of an answer's body."""
    pieces, size = [], 0
    for piece in answer.iter_content(4096):
        pieces.append(piece)
        size += len(piece)
        if size >= SAID_BYTES:
            break
    return b"".join(pieces)


def _is_page(answer: requests.Response, body: bytes) -> bool:
    """Whether an answer is a page for people, such as the login of a proxy."""
    kind = answer.headers.get("Content-Type", "").lower()
    return "html" in kind or body[:200].lstrip().lower().startswith((b"<!doctype", b"<html"))


def _line(body: bytes) -> str:
    """The first line of an answer, short and printable."""
    first = body.decode("utf-8", "replace").strip().split("\n")[0]
    return "" if first.startswith("<") else plain(first)


def _cause(error: Exception) -> str:
    """The cause of a failed connection, in a few words."""
    # within the body of an answer, requests calls a timeout a broken connection
    if isinstance(error, requests.Timeout) or "timed out" in str(error):
        return "no whole answer in time"
    if isinstance(error, requests.exceptions.ProxyError):
        return "the proxy refuses the connection"
    known = {
        "Connection refused": "connection refused",
        "CERTIFICATE_VERIFY_FAILED": "its certificate cannot be trusted",
        "Name or service not known": "no such host",
        "name resolution": "no such host, or no name service now",
        "unreachable": "no route to it",
    }
    return next(
        (words for sign, words in known.items() if sign in str(error)), "the connection broke"
    )


def _wait(asked: str | None) -> float | None:
    """Seconds in a Retry-After header: a number, or a date."""
    if asked is None:
        return None
    seconds = None
    with contextlib.suppress(ValueError, TypeError):
        seconds = (
            float(asked)
            if asked.strip().isdigit()
            else email.utils.parsedate_to_datetime(asked).timestamp() - time.time()
        )
    return None if seconds is None else min(max(0.0, seconds), LONGEST_WAIT_S)


class Cursor:
    """What of a run one receiver has confirmed: ``sent/<digest of the address>.json`` in the run's
    folder. One process at a time has it locked.

    It is written after each answer, whole or not at all; should it be lost or late (a power cut),
    the same samples are sent again, which a receiver ignores.
    """

    def __init__(
        self, folder: Path, url: str, run: Mapping[str, str], patience_s: float = 0.0
    ) -> None:
        # A digest, since the address may have a key in its query
        self.path = folder / "sent" / f"{hashlib.sha256(url.encode()).hexdigest()[:16]}.json"
        self._same: dict[str, Any] = {"receiver": shown(url), "run": dict(run)}
        self.path.parent.mkdir(exist_ok=True)
        self._lock = self._take_lock(folder, url, patience_s)
        self.delivered_s, self.readings = -1, 0
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
            data = json.loads(self.path.read_text(encoding="utf-8"))
            # In a copied folder of another run, nothing of this one has arrived
            if data["run"] == self._same["run"]:
                self.delivered_s, self.readings = int(data["delivered_s"]), int(data["readings"])

    def _take_lock(self, folder: Path, url: str, patience_s: float) -> IO[bytes]:
        # A file of its own, since `move` replaces the cursor's
        lock = self.path.with_suffix(".lock").open("wb")
        until = time.monotonic() + patience_s
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return lock
            except BlockingIOError:
                if time.monotonic() > until:
                    lock.close()
                    raise UsageError(
                        f"{folder}: another process sends its readings to {shown(url)} (wait until "
                        f"it has ended)"
                    ) from None
                time.sleep(0.05)

    def move(self, now_s: int, count: int) -> None:
        """Everything up to this time has arrived, ``count`` readings more than before."""
        self.delivered_s, self.readings = now_s, self.readings + count
        work = self.path.with_suffix(".part")
        work.write_text(
            json.dumps({**self._same, "delivered_s": now_s, "readings": self.readings}),
            encoding="utf-8",
        )
        work.replace(self.path)

    def close(self) -> None:
        """Release it for other processes."""
        self._lock.close()
