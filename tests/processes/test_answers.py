"""Answers of other servers that never end, or hold what a terminal obeys: to a sender, a question,
Grafana and a ranker alike."""

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.given.readings import ROWS, START, folder_with
from tests.given.wire import RUN, course
from twin.ground.answers import plain
from twin.ranking.client import Client
from twin.ranking.scores import Wrong
from twin.readers import grafana_calls, reading_back, receiver
from twin.readers.grafana_calls import Calls, GrafanaError
from twin.readers.reading_back import UnansweredError
from twin.readers.receiver import LaterError, Receiver, RefusedError
from twin.readers.remote_write import Sender

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 40\r\n\r\n"
BELLS = b"\x1b[2J\x1b]0;owned\x07\xe2\x80\xaeno \x9b31m\x08luck"
STEP_S = 0.05


@contextmanager
def dripping(at_once: bytes, drips: bytes) -> Iterator[str]:
    """A server that sends the one at once and the other a byte at a time, then ends as it should;
    its address."""
    stop = threading.Event()

    def serve(one: socket.socket) -> None:
        with one, contextlib.suppress(OSError):
            one.recv(2**16)
            one.sendall(at_once)
            for place in range(len(drips)):
                if stop.wait(STEP_S):
                    return
                one.sendall(drips[place : place + 1])

    def accept() -> None:
        with contextlib.suppress(OSError):
            while True:
                threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=accept, daemon=True).start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        stop.set()
        listener.shutdown(socket.SHUT_RDWR)


DRIPS = {"body": (HEAD, b"[" + b" " * 38 + b"]"), "header": (HEAD[:20], HEAD[20:] + b" " * 40)}
"""Answers that take two seconds and more, each byte well within a read's timeout."""


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> float:
    """Seconds that every client allows for an answer."""
    limit = 0.4
    monkeypatch.setattr(receiver, "TIMEOUT_S", (5.0, limit))
    monkeypatch.setattr(reading_back, "TIMEOUT_S", (5.0, limit))
    monkeypatch.setattr(grafana_calls, "PATIENCE_S", limit)
    return limit


@pytest.mark.parametrize("part", list(DRIPS))
def test_an_answer_that_never_ends_is_none(hasty: float, part: str) -> None:
    """Each client gives up, in words, although every single byte comes soon enough."""
    with dripping(*DRIPS[part]) as url:
        with pytest.raises(LaterError, match="no whole answer in time"):
            Receiver(f"{url}/api/v1/write").post(b"\x00")
        with pytest.raises(UnansweredError, match="does not answer"):
            reading_back._asked(url, "up", 0.0)
        grafana = Calls(url, "token")
        with pytest.raises(GrafanaError, match=r"cannot be reached|does not answer within"):
            grafana._asked("look", lambda: grafana._api.GET("/org"))
        with pytest.raises(Wrong, match="no whole answer within"):
            Client(hasty, 0).ask(f"{url}/rank", b"{}")


def test_a_run_that_ends_waits_no_longer_than_it_says(tmp_path: Path) -> None:
    """An answer that is waited for does not prolong the patience of a run that has ended."""
    sender = Sender(
        "http://h/w", folder_with(tmp_path / "a", course(4)), START, ROWS, RUN, note=print
    )
    assert not sender.late()
    sender.limit(-10.0)
    assert sender.late()
    sender.cursor.close()


@pytest.mark.parametrize("code", [b"400", b"500", b"302", b"200"])
def test_what_a_server_says_cannot_command_a_terminal(hasty: float, code: bytes) -> None:
    """Reason, body and address of every client's server: printable words, the rest left out."""
    body = b"{" + BELLS
    head = b"HTTP/1.1 " + code + b" " + BELLS + b"\r\nLocation: http://x/" + BELLS
    # 200: a page, which no receiver answers
    head += b"\r\nContent-Type: text/html" if code == b"200" else b""
    answer = head + b"\r\nContent-Length: %d\r\n\r\n" % len(body) + body
    with dripping(answer, b"") as url:
        grafana = Calls(url, "token")
        asked: list[tuple[Callable[[], object], type[Exception]]] = [
            (lambda: Receiver(f"{url}/api/v1/write").post(b"\x00"), Exception),
            (lambda: reading_back._asked(url, "up", 0.0), UnansweredError),
            (lambda: grafana._asked("look", lambda: grafana._api.GET("/org")), GrafanaError),
        ]
        if code != b"200":
            asked.append((lambda: Client(5.0, 0).ask(f"{url}/rank", b"{}"), Wrong))
        for call, kind in asked:
            with pytest.raises(kind) as error:
                call()
            assert str(error.value).isprintable()
            assert not isinstance(error.value, UnicodeError)
        with pytest.raises((LaterError, RefusedError), match=r"no .*luck"):
            Receiver(f"{url}/api/v1/write").post(b"\x00")


def test_words_of_a_server_are_one_line_of_some_length() -> None:
    """Line breaks part words; what is long is cut."""
    assert plain(" a\tb\r\nc\x07 ") == "a b c"
    assert plain("x" * 300) == "x" * 240 + "..."


def test_an_endless_answer_is_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of what follows the first words of a receiver nothing is read."""
    monkeypatch.setattr(receiver, "SAID_BYTES", 100)
    head = b"HTTP/1.1 400 no\r\nContent-Length: 99999999\r\n\r\nout of bounds "
    with (
        dripping(head + b"x" * 9000, b" " * 9000) as url,
        pytest.raises(RefusedError, match="out_of_order_time_window"),
    ):
        Receiver(f"{url}/api/v1/write").post(b"\x00")
