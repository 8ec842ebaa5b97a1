"""Limits that both servers of a run share: header, line, body, connections, times. What breaks them
loses its connection, and the others are answered all the while."""

import asyncio
import datetime as dt
import resource
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from tornado.web import Application

from tests.conftest import PATIENCE_S
from twin.readers import endpoint, limits
from twin.readers.listening import Address
from twin.readers.live.server import WRONG, Server
from twin.readers.service import Hub
from twin.record.watch import RunInfo
from twin.world.metric import Metric

SESSIONS = Metric("sessions", "counter", "sessions", "Sessions.", "consumer", "Visits")
INFO = RunInfo("x", dt.date(2025, 1, 1), 86400, 0, [(SESSIONS, {})], Path("x"), {"run_id": "x"})
SCRAPE = b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n"


@pytest.fixture
def servers(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, int]]:
    """Ports of a metrics endpoint and of a live page with tight limits, while the block lasts."""
    for name, value in {"HEADER_S": 1.5, "BODY_S": 0.5, "UNREAD_S": 1.0, "CONNECTIONS": 8}.items():
        monkeypatch.setattr(limits, name, value)
    loop, ports = asyncio.new_event_loop(), dict[str, int]()

    async def begin() -> None:
        service = endpoint.Endpoint(Address("--metrics", "127.0.0.1", 0))
        service.hub = Hub(INFO, print)
        service.begin(INFO)
        line = await service.open()
        ports["endpoint"] = int(line.partition("127.0.0.1:")[2].partition("/")[0])
        # pages that need no run: its files, and what refuses
        ports["page"] = Server("127.0.0.1", 0, None).port  # type: ignore[arg-type]

    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    asyncio.run_coroutine_threadsafe(begin(), loop).result(PATIENCE_S)
    yield ports
    loop.call_soon_threadsafe(loop.stop)
    thread.join()


def opened(port: int) -> socket.socket:
    """A connection."""
    return socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S)


def rest(one: socket.socket) -> bytes:
    """What still comes until the server closes."""
    found = b""
    try:
        while part := one.recv(2**16):
            found += part
    except ConnectionResetError:
        pass
    return found


@pytest.mark.parametrize("which", ["endpoint", "page"])
def test_what_is_too_large_or_never_comes(servers: dict[str, int], which: str) -> None:
    """A header, a line and a body that are too large, a header and a body that never end: each
    loses its connection, without an answer of the product."""
    port = servers[which]
    head = b"POST /command HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n"
    for sent in (
        b"GET / HTTP/1.1\r\nHost: localhost\r\n" + b"X-A: aaaa\r\n" * 3000 + b"\r\n",
        b"GET /" + b"a" * 30_000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n",
        head % 999_999 + b"x" * 999,
        head % 50 + b"x",
        b"GET / HTTP/1.1\r\nHost: loc",
        b"",
    ):
        with opened(port) as one:
            one.sendall(sent)
            assert b" 200 " not in rest(one)
    assert requests.get(f"http://127.0.0.1:{port}/", timeout=PATIENCE_S).status_code == 200


@pytest.mark.parametrize("which", ["endpoint", "page"])
def test_connections_are_limited(servers: dict[str, int], which: str) -> None:
    """One too many is told so and closed; once there is room again, it is answered."""
    port = servers[which]
    many = [opened(port) for _ in range(8)]
    with opened(port) as one:
        assert rest(one) in (limits.FULL, b"")
    for each in many:
        each.close()
    session = requests.Session()
    session.mount("http://", requests.adapters.HTTPAdapter(max_retries=20))
    status = 503
    while status == 503:  # until the server has seen that they went
        status = session.get(f"http://127.0.0.1:{port}/", timeout=PATIENCE_S).status_code
    assert status == 200


def test_a_server_has_files_for_its_connections() -> None:
    """A process that may open more files does so, and never fewer; its servers leave room for other
    files."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (300, before[1]))
        assert limits.Limited(Application(), body_bytes=1).most == 100
        limits.raise_files()
        after = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
        assert after == (min(limits.FILES, before[1]) if before[1] >= 0 else limits.FILES)
        limits.raise_files()
        assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] == after
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


@pytest.mark.skipif(not hasattr(socket, "TCP_USER_TIMEOUT"), reason="not on this system")
def test_a_reader_that_takes_nothing_is_left(servers: dict[str, int]) -> None:
    """Its connection ends although it goes on asking; it had answers in plenty waiting."""
    with opened(servers["endpoint"]) as one, pytest.raises(OSError, match=r"reset|pipe"):
        one.settimeout(PATIENCE_S)
        while True:
            one.sendall(SCRAPE * 100)


def test_the_endpoint_serves_this_machine_alone_on_loopback(servers: dict[str, int]) -> None:
    """A site whose name points here reads nothing (DNS rebinding); every name of loopback does."""
    url = f"http://127.0.0.1:{servers['endpoint']}"
    for host, status in {
        "rebound.example": 403,
        "rebound.example:9464": 403,
        "127.0.0.1.example": 403,
        "localhost.example": 403,
        "[::1": 403,
        "10.0.0.1": 403,
        "localhost": 200,
        "127.0.0.1:1": 200,
        "127.8.0.1": 200,
        "[::1]:9464": 200,
    }.items():
        for path in ("/metrics", "/", "/nothing"):
            answer = requests.get(url + path, headers={"Host": host}, timeout=PATIENCE_S)
            wanted = 404 if (status, path) == (200, "/nothing") else status
            assert answer.status_code in (wanted, 400 if "[" in host else wanted), (host, path)
            assert status == 200 or "twin_" not in answer.text


def test_wrong_tokens_are_limited_and_the_right_one_is_answered(servers: dict[str, int]) -> None:
    """Guesses beyond the limit are told so."""
    url = f"http://127.0.0.1:{servers['page']}/run"
    with requests.Session() as session:
        codes = [
            session.get(
                url, headers={"Authorization": f"Bearer {k}"}, timeout=PATIENCE_S
            ).status_code
            for k in range(WRONG + 2)
        ]
    assert codes == [403] * WRONG + [429] * 2
