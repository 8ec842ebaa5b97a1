"""Remote write against a server of our own: what answers mean, and what is kept when nobody answers."""

import datetime as dt
import http.server
import math
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.given.readings import ROWS, START, folder_with
from tests.given.wire import RUN, STALE, course, decoded, unsnapped
from twin.ground.units import DAY
from twin.readers import receiver
from twin.readers.receiver import Cursor
from twin.readers.remote_write import Sender, ahead


@contextmanager
def answering(*answers: tuple[int, dict[str, str], str]) -> Iterator[tuple[str, list[bytes]]]:
    """A receiver on loopback that gives these answers in turn, the last one for good; a real
    Prometheus cannot be made to say them."""
    taken: list[bytes] = []
    turns = list(answers)

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            assert (
                self.headers["Content-Encoding"] == "snappy"
                and self.headers["Content-Type"] == "application/x-protobuf"
            )
            assert self.headers["X-Prometheus-Remote-Write-Version"] == "0.1.0" and self.headers[
                "User-Agent"
            ].startswith("twin/")
            status, headers, text = turns.pop(0) if len(turns) > 1 else turns[0]
            if status < 300:
                taken.append(body)
            self.send_response(status)
            for key, value in {**headers, "Content-Length": str(len(text.encode()))}.items():
                self.send_header(key, value)
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, *args: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/api/v1/write", taken
        server.shutdown()


def samples_of(bodies: list[bytes]) -> list[tuple[str, int, bytes]]:
    return [
        (dict(labels)["__name__"] + dict(labels).get("by", ""), at, value)
        for body in bodies
        for labels, samples in decoded(unsnapped(body))
        for at, value in samples
    ]


OK = (204, {}, "")


def sent(folder: Path, url: str) -> tuple[bool, list[str], Sender]:
    """Send a folder to its end."""
    notes: list[str] = []
    sender = Sender(url, folder, START, ROWS, RUN, note=notes.append)
    sender.hasten()
    done = sender.run()
    sender.cursor.close()
    return done, notes, sender


@pytest.mark.parametrize("done", [False, True])
def test_failures_that_pass_lose_and_repeat_nothing(
    tmp_path: Path, done: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """503, 429 with Retry-After (a number, a date, rubbish), 500 and a request that is too large:
    every sample arrives once, in order."""
    monkeypatch.setattr("twin.readers.delivery.FIRST_WAIT_S", 0.001)
    folder = folder_with(tmp_path / "run", course(10), done=done)
    busy = [
        (503, {}, "<html>"),
        OK,
        (429, {"Retry-After": "0"}, ""),
        (429, {"Retry-After": "Wed, 01 Jan 2025 00:00:00 GMT"}, ""),
        (429, {"Retry-After": "soon"}, ""),
        OK,
        (413, {}, ""),
        (500, {}, "out of luck\nand more"),
        OK,
    ]
    monkeypatch.setattr("twin.readers.remote_write.SAMPLES", 3 * len(ROWS))
    with answering(*busy) as (url, taken):
        complete, notes, sender = sent(folder, url)
        assert complete and sender.backlog.undelivered == 0
        got = samples_of(taken)
        assert len(got) == len(set(got)) == 30
        assert {at for _, at, _ in got} == {1735689600000 + k * DAY * 1000 for k in range(10)}
        assert (
            len(notes) == 6
            and "503" in notes[0]
            and "again" in notes[1]
            and "500" in notes[4]
            and "out of luck" in notes[4]
        )
        assert "all 10 readings x 3 series" in sender.outcome()
        before = len(taken)
        assert sent(folder, url)[0] and len(taken) == before  # what has arrived is not sent again


def test_how_long_it_waits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Twice as long each time up to a bound, without any dice; but as long as the receiver asks, up
    to a bound too."""
    waits: list[float] = []
    monkeypatch.setattr(Sender, "_pause", lambda self, seconds: waits.append(seconds))
    folder = folder_with(tmp_path / "run", course(2))
    answers = [
        (429, {"Retry-After": "7"}, ""),
        (503, {"Retry-After": "100000"}, ""),
        *[(500, {}, "")] * 8,
        OK,
    ]
    with answering(*answers) as (url, taken):
        assert sent(folder, url)[0] and taken
    assert waits == [7.0, 300.0, 0.4, 0.8, 1.6, 3.2, 5.0, 5.0, 5.0, 5.0]


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ((400, {}, "out of bounds"), "out_of_order_time_window to 100y"),
        ((401, {}, "who?"), "TWIN_REMOTE_WRITE_TOKEN"),
        (
            (
                404,
                {},
                "remote write receiver needs to be enabled with --web.enable-remote-write-receiver",
            ),
            "enable-remote-write-receiver",
        ),
        (
            (302, {"Location": "http://elsewhere/write?key=secret"}, ""),
            "give its new address, http://elsewhere/write)",
        ),
        ((413, {}, ""), "for a single reading"),
        ((304, {}, ""), "304 Not Modified"),
        ((300, {}, ""), "300 Multiple Choices"),
    ],
)
def test_refusals_are_told_once_and_kept_for_later(
    tmp_path: Path, answer: tuple[int, dict[str, str], str], words: str
) -> None:
    """One line with the reason and the mend; the cursor stays, so that the rest can be sent when it
    is mended."""
    folder = folder_with(tmp_path / "run", course(4))
    with answering(answer) as (url, taken):
        done, notes, sender = sent(folder, url)
        assert (
            not done
            and not taken
            and len(notes) == 1
            and words in notes[0]
            and "\n" not in notes[0]
            and "secret" not in notes[0]
        )
        assert sender.backlog.undelivered == 4
        assert f"twin send {folder} --remote-write {url}" in sender.outcome()
    with answering(OK) as (_, taken):
        assert Cursor(folder, url, RUN).delivered_s == -1


def test_it_gives_up_in_the_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A receiver that never comes: after the run's end patience is finite."""
    monkeypatch.setattr("twin.readers.remote_write.PATIENCE_S", 0.3)
    folder = folder_with(tmp_path / "run", course(4))
    done, notes, sender = sent(folder, "http://127.0.0.1:9/api/v1/write")
    assert not done and len(notes) == 1 and "connection refused" in notes[0]
    assert (
        "4 of 4 readings are not in" in sender.outcome()
        and "connection refused" in sender.outcome()
    )


@pytest.mark.parametrize(
    "answer",
    [
        (200, {"Content-Type": "text/html"}, "<p>Log in"),
        (200, {}, "\n <!DOCTYPE html><title>Log in</title>"),
        (202, {"Content-Type": "text/HTML; charset=x"}, ""),
    ],
)
def test_a_page_for_people_is_no_success(
    tmp_path: Path, answer: tuple[int, dict[str, str], str]
) -> None:
    """A login or a proxy in between answers 200: nothing has arrived, and it is said once."""
    folder = folder_with(tmp_path / "run", course(4))
    with answering(answer) as (url, _):
        done, notes, sender = sent(folder, url)
    assert not done and len(notes) == 1 and "with a web page, which no receiver" in notes[0]
    assert sender.backlog.undelivered == 4 and Cursor(folder, url, RUN).delivered_s == -1


def test_what_no_wait_mends_is_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """500 with "too old sample", and a Retry-After beyond the end of patience: after the run's end
    it gives up at once, and the reason has its mend; before, it goes on trying."""
    monkeypatch.setattr("twin.readers.delivery.VAIN_PATIENCE_S", 0.2)
    for number, (answer, words) in enumerate(
        [
            ((500, {}, "too old sample"), "out_of_order_time_window to 100y"),
            ((503, {"Retry-After": "299"}, "busy"), "503 Service Unavailable: busy"),
        ]
    ):
        folder = folder_with(tmp_path / str(number), course(4))
        began = time.monotonic()
        with answering(answer) as (url, _):
            done, notes, sender = sent(folder, url)
        assert not done and words in notes[0] and words in sender.outcome()
        assert time.monotonic() - began < 10
    waited: list[float] = []
    sender = Sender(url, folder_with(tmp_path / "x", course(4)), START, ROWS, RUN, note=print)
    sender._vain = True
    monkeypatch.setattr(sender._stop, "wait", lambda seconds: waited.append(seconds) or True)
    assert sender._pause(5.0) and len(waited) == 1  # while the run goes on it waits


def test_a_run_that_ends_after_today_is_warned_of() -> None:
    """A Prometheus refuses its readings, and another receiver may then refuse those of others."""
    today = dt.datetime.now(dt.UTC).date()
    assert not ahead(today - dt.timedelta(days=30), 29 * DAY, "http://h/w")
    for start in (today, today - dt.timedelta(days=5), dt.date(2038, 1, 1), dt.date(9999, 1, 1)):
        line = ahead(start, 10 * DAY, "http://h/w?key=secret")
        assert "set start so that the run ends before today" in line and "secret" not in line
        assert str(start + dt.timedelta(days=10)) in line


def test_a_resumed_run_sends_only_what_is_behind_the_cursor(tmp_path: Path) -> None:
    """Readings that are computed again are not sent again, and the one at the cursor still says
    which series have ended since."""
    values = course(8)
    values[5:, 1] = math.nan
    folder = folder_with(tmp_path / "run", values[:3])
    cursor = Cursor(folder, "http://h/w", RUN)
    cursor.move(4 * DAY, 5)
    cursor.close()
    with answering(OK) as (url, taken):
        moved = Cursor(folder, url, RUN)
        moved.move(4 * DAY, 5)
        moved.close()
        sender = Sender(url, folder, START, ROWS, RUN, note=print)
        for k in range(3, 8):
            sender.backlog.add(k * DAY, values[k])
        assert (sender.backlog.total, sender.backlog.undelivered) == (8, 3)
        sender.hasten()
        assert sender.run()
        got = samples_of(taken)
        assert {at for _, at, _ in got} == {1735689600000 + k * DAY * 1000 for k in (5, 6, 7)}
        assert [value for name, _, value in got if name == "twin_likes_totalai"] == [STALE]


def test_who_we_are_comes_from_the_environment(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A token, or user and password; a password in ~/.netrc is not taken."""
    (tmp_path / ".netrc").write_text("default login a password b\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    seen = []
    with answering(OK) as (url, _):
        for names in ({}, {receiver.USER: "me", receiver.PASSWORD: "pä"}, {receiver.TOKEN: "t"}):
            for name, value in names.items():
                monkeypatch.setenv(name, value)
            to = receiver.Receiver(url)
            to._session.hooks["response"] = [
                lambda answer, *a, **k: seen.append(answer.request.headers.get("Authorization"))
            ]
            to.post(b"\x00")
    assert seen == [None, "Basic bWU6cMOk", "Bearer t"]
