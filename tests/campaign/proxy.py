"""A proxy between a run and its Prometheus that misbehaves: for some of the requests that come, it
does to them what FAULTS names, and passes the others on."""

from __future__ import annotations

import contextlib
import http.server
import math
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import requests

from tests.conftest import PATIENCE_S

PAGE = b"<!doctype html><title>Log in</title>"
BELL = "\x1b[2J\x07"
"""What a terminal would obey."""
DELAY_S = 1.5


class Call(http.server.BaseHTTPRequestHandler):
    """One request; ``proxy`` is set on a class of each proxy's own."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    proxy: Proxy

    def do_POST(self) -> None:
        """Pass it on, or do what the fault says."""
        self.body = self.rfile.read(int(self.headers["Content-Length"]))
        with contextlib.suppress(OSError):
            self.proxy.turn()(self)

    def passed(self, body: bytes | None = None) -> tuple[int, str, bytes]:
        """What Prometheus says to it."""
        headers = {key: value for key, value in self.headers.items() if key != "Content-Length"}
        try:
            answer = requests.post(
                self.proxy.to,
                data=self.body if body is None else body,
                headers=headers,
                timeout=PATIENCE_S,
            )
        except requests.RequestException:
            return 502, "Bad Gateway", b"no upstream"
        return answer.status_code, answer.reason, answer.content

    def answer(self, status: int, reason: str = "", body: bytes = b"", **more: str) -> None:
        """Answer; header names with _ for -."""
        self.send_response(status, reason or None)
        for name, value in more.items():
            self.send_header(name.replace("_", "-"), value)
        if status != 204:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def cut(self, sent: bytes = b"") -> None:
        """Send this and close."""
        self.wfile.write(sent)
        self.close_connection = True

    def drip(self, begin: bytes) -> None:
        """Send a byte after another until the client goes."""
        self.wfile.write(begin)
        while not self.proxy.over.wait(0.3):
            self.wfile.write(b" ")
        self.close_connection = True

    def log_message(self, *args: object) -> None:
        """Nothing."""


def _delayed(call: Call) -> None:
    time.sleep(DELAY_S)
    call.answer(*call.passed())


def _lost(call: Call) -> None:
    call.passed()
    call.cut()


def _repeated(call: Call) -> None:
    call.passed()
    call.answer(*call.passed())


def _midway(call: Call) -> None:
    call.passed()
    call.cut(b"HTTP/1.1 204 No Content\r\nContent-Type: te")


def _half(call: Call) -> None:
    call.cut(b"HTTP/1.1 500 Oh\r\nContent-Length: 50\r\n\r\nhalf a rea")


def _saying(
    status: int, reason: str = "", body: bytes = b"", **more: str
) -> Callable[[Call], None]:
    return lambda call: call.answer(status, reason, body, **more)


HEAD = b"HTTP/1.1 %s\r\nContent-Type: text/plain\r\nContent-Length: 999999\r\n\r\n"
FAULTS: dict[str, Callable[[Call], None]] = {
    "dropped": Call.cut,
    "delayed": _delayed,
    "truncated": lambda call: call.answer(*call.passed(call.body[: len(call.body) // 2])),
    "repeated": _repeated,
    "answer lost": _lost,
    "closed in the header": _midway,
    "closed in the body": _half,
    "drips an error": lambda call: call.drip(HEAD % b"500 Oh"),
    "drips a header": lambda call: call.drip(b"HTTP/1.1 200 OK\r\nX-Long: "),
    "drips a success": lambda call: call.drip(HEAD % b"200 OK"),
    "200 with a page": _saying(200, "OK", PAGE, Content_Type="text/html"),
    "400": _saying(400, "", b"out of luck"),
    "401": _saying(401, f"Who {BELL}", f"who {BELL} are you".encode()),
    "413": _saying(413),
    "429": _saying(429),
    "429, wait": _saying(429, "", b"busy", Retry_After="1"),
    "500": _saying(500, f"Oh {BELL}", BELL.encode()),
    "503": _saying(503),
    "redirected": _saying(307, "", b"", Location="http://127.0.0.1:9/\x1b[2J"),
}
"""What is done to a request, by name."""
LOCAL = ("killed",)
"""What is done to the server itself, by the campaign."""


@dataclass(frozen=True)
class Plan:
    """Which requests meet a fault: ``count`` of them from number ``first`` on, which is 0 at
    first."""

    fault: str
    first: int
    count: float

    def __str__(self) -> str:
        many = "for good" if math.isinf(self.count) else f"{self.count:g} times"
        return f"{self.fault}, from request {self.first}, {many}"


class Proxy:
    """Counts requests and says what happens to each; ``met`` are those that met the fault.
    ``kill`` is called for the first one where the server itself is to die."""

    def __init__(self, to: str, plan: Plan, kill: Callable[[], None]) -> None:
        self.to, self.plan, self.kill = to, plan, kill
        self.number, self.met = 0, 0
        self.over, self._lock, self.healed = threading.Event(), threading.Lock(), False
        self.url = ""

    def turn(self) -> Callable[[Call], None]:
        """What happens to the next request."""
        with self._lock:
            place = self.number - self.plan.first
            self.number += 1
            if self.healed or not 0 <= place < self.plan.count:
                return lambda call: call.answer(*call.passed())
            self.met += 1
            if self.plan.fault in FAULTS:
                return FAULTS[self.plan.fault]
            if self.met == 1:
                self.kill()
            return lambda call: call.answer(*call.passed())

    def heal(self) -> None:
        """From now on all requests are passed on."""
        self.healed = True
        self.over.set()


@contextmanager
def between(to: str, plan: Plan, kill: Callable[[], None]) -> Iterator[Proxy]:
    """A proxy before the receiver at ``to``, while the block lasts."""
    proxy = Proxy(to, plan, kill)
    handler = type("Handler", (Call,), {"proxy": proxy})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        proxy.url = f"http://127.0.0.1:{server.server_port}/api/v1/write"
        try:
            yield proxy
        finally:
            proxy.heal()
            server.shutdown()
