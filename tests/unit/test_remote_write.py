"""What goes over the wire, what answers mean, what is kept when nobody answers."""

import http.server
import math
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.given.readings import ROWS, START, folder_with
from twin.ground.errors import UsageError
from twin.ground.units import DAY
from twin.readers import openmetrics, receiver
from twin.readers.backlog import Backlog, stored
from twin.readers.protobuf_write import Encoder
from twin.readers.receiver import Cursor, checked, shown
from twin.readers.remote_write import RemoteWrite, Sender
from twin.record.results import Recorder

Named = list[tuple[str, dict[str, str]]]
RUN = {"run_id": "r-1", "scenario": "s", "branch": "main", "replicate": "0"}
STALE = struct.pack("<Q", 0x7FF0000000000002)


def unsnapped(data: bytes) -> bytes:
    """Snappy's block format (https://github.com/google/snappy/blob/main/format_description.txt),
    read element by element."""
    size, at = read_varint(data, 0)
    out = bytearray()
    while at < len(data):
        tag, kind = data[at] >> 2, data[at] & 3
        at += 1
        if kind == 0:
            if tag >= 60:
                more = tag - 59
                tag, at = int.from_bytes(data[at : at + more], "little"), at + more
            out += data[at : at + tag + 1]
            at += tag + 1
            continue
        if kind == 1:
            length, offset, at = (tag & 7) + 4, (tag >> 3) << 8 | data[at], at + 1
        else:
            more = 2 if kind == 2 else 4
            length, offset, at = tag + 1, int.from_bytes(data[at : at + more], "little"), at + more
        for _ in range(length):
            out.append(out[-offset])
    assert len(out) == size
    return bytes(out)


def read_varint(data: bytes, at: int) -> tuple[int, int]:
    number = shift = 0
    while True:
        number |= (data[at] & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if not data[at - 1] & 0x80:
            return number, at


def fields(data: bytes) -> Iterator[tuple[int, bytes | int]]:
    """Number and content of every field of a protobuf message."""
    at = 0
    while at < len(data):
        key, at = read_varint(data, at)
        content: bytes | int
        if key & 7 == 0:
            content, at = read_varint(data, at)
        elif key & 7 == 1:
            content, at = data[at : at + 8], at + 8
        else:
            assert key & 7 == 2
            size, at = read_varint(data, at)
            content, at = data[at : at + size], at + size
            assert len(content) == size
        yield key >> 3, content


def decoded(message: bytes) -> list[tuple[list[tuple[str, str]], list[tuple[int, bytes]]]]:
    """Labels and samples (milliseconds, the eight bytes of the value) of every series of a
    WriteRequest."""
    found = []
    for number, series in fields(message):
        assert number == 1 and isinstance(series, bytes)
        labels, samples = [], []
        for kind, part in fields(series):
            assert isinstance(part, bytes)
            inner = dict(fields(part))
            if kind == 1:
                assert isinstance(inner[1], bytes) and isinstance(inner[2], bytes)
                labels.append((inner[1].decode(), inner[2].decode()))
            else:
                assert kind == 2 and isinstance(inner[2], int) and isinstance(inner[1], bytes)
                samples.append((inner[2] - (2**64 if inner[2] >= 2**63 else 0), inner[1]))
        found.append((labels, samples))
    return found


def expected(
    named: Named, times: list[int], values: np.ndarray, before: np.ndarray | None
) -> dict[object, object]:
    """What a request has to hold, said series by series: values, one stale marker where they end,
    nothing while they are absent."""
    found: dict[object, object] = {}
    for place, (name, labels) in enumerate(named):
        samples, known = [], before is not None and not math.isnan(before[place])
        for at, value in zip(times, values[:, place].tolist(), strict=True):
            if not math.isnan(value):
                samples.append((at, struct.pack("<d", value)))
            elif known:
                samples.append((at, STALE))
            known = not math.isnan(value)
        if samples:
            found[tuple(sorted({**labels, "__name__": name}.items()))] = samples
    return found


NUMBER = st.one_of(
    st.floats(), st.just(math.nan), st.sampled_from([0.0, -0.0, 1.0, math.inf, 5e-324, 0.1 + 0.2])
)
WORD = st.text(st.characters(exclude_categories=("Cs",)), min_size=1, max_size=150)


@st.composite
def readings(draw: st.DrawFn) -> tuple[Named, list[int], np.ndarray, np.ndarray | None]:
    named = [
        (
            f"twin_m{number}",
            draw(st.dictionaries(st.sampled_from(["by", "bin", "Z", "a_b"]), WORD, max_size=3)),
        )
        for number in range(draw(st.integers(1, 4)))
    ]
    edges = st.sampled_from([-1, 0, 127, 128, 2**35 - 1, 2**35, 2**42 - 1, 2**42]).flatmap(
        lambda edge: st.integers(edge - 2, edge + 2)
    )
    times = sorted(
        set(draw(st.lists(st.one_of(edges, st.integers(-(2**45), 2**45)), min_size=1, max_size=8)))
    )
    values = np.array(
        draw(
            st.lists(
                st.lists(NUMBER, min_size=len(named), max_size=len(named)),
                min_size=len(times),
                max_size=len(times),
            )
        )
    )
    before = draw(
        st.none() | st.lists(NUMBER, min_size=len(named), max_size=len(named)).map(np.array)
    )
    return named, times, values, before


@given(readings())
@settings(max_examples=200, deadline=None)
def test_a_request_says_what_the_readings_say(
    case: tuple[Named, list[int], np.ndarray, np.ndarray | None],
) -> None:
    """Whatever the labels, times and values: an independent reader finds every sample bit by bit,
    in order, with sorted labels."""
    named, times, values, before = case
    given_values = values.copy()
    body = Encoder(named).request(np.array(times), values, before)
    found = decoded(unsnapped(body)) if body else []
    want = expected(named, times, values, before)
    merged: dict[object, list[tuple[int, bytes]]] = {}
    for labels, samples in found:
        assert labels == sorted(labels)
        merged.setdefault(tuple(labels), []).extend(samples)
    assert merged == want
    assert np.array_equal(values.view(np.uint64), given_values.view(np.uint64))


def test_a_request_byte_by_byte() -> None:
    """One series with a value and then none, written out by hand from the specification."""
    message = Encoder([("up", {"z": "1", "A": "é", "none": ""})]).message(
        np.array([1, 300]), np.array([[1.5], [math.nan]]), None
    )
    labels = (
        b"\x0a\x07\x0a\x01A\x12\x02\xc3\xa9"
        + b"\x0a\x0e\x0a\x08__name__\x12\x02up"
        + b"\x0a\x06\x0a\x01z\x12\x011"
    )
    one = b"\x12\x0b\x09" + struct.pack("<d", 1.5) + b"\x10\x01"
    two = b"\x12\x0c\x09\x02\x00\x00\x00\x00\x00\xf0\x7f\x10\xac\x02"
    first, second = (
        b"\x0a" + bytes([len(labels + sample)]) + labels + sample for sample in (one, two)
    )
    assert message == first + second  # time stamps of two lengths: two blocks


def course(count: int) -> np.ndarray:
    return np.arange(count * len(ROWS), dtype=np.float64).reshape(count, len(ROWS)) / 7


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
    monkeypatch.setattr("twin.readers.remote_write.FIRST_WAIT_S", 0.001)
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


def test_readings_come_from_memory_until_they_are_saved_and_then_from_the_folder(
    tmp_path: Path,
) -> None:
    """However long nobody takes them, memory holds what the folder does not; all come in order,
    none is missing."""
    values, folder = course(40), tmp_path / "run"
    folder.mkdir()
    recorder, backlog = Recorder(folder, START, ROWS), Backlog(folder, START, ROWS, -1)
    got: list[tuple[int, tuple[float, ...]]] = []

    def take() -> None:
        found: list[object] = []
        worker = threading.Thread(target=lambda: found.append(backlog.take()), daemon=True)
        worker.start()
        worker.join(20)
        assert found, "it waits for readings that it has lost"
        times, read = found[0] or ([], [])
        new = [
            (int(at), tuple(row))
            for at, row in zip(times, read, strict=True)
            if not got or at > got[-1][0]
        ]
        got.extend(new)
        if new:
            backlog.delivered(new[-1][0], len(new))

    for k, reading in enumerate(values):
        recorder.record(k * DAY, reading)
        backlog.add(k * DAY, reading)
        if k % 10 == 9:
            recorder.flush(k * DAY + 1)
            backlog.saved(k * DAY + 1)
            assert not backlog._memory
        assert len(backlog._memory) <= 10
        if k in (4, 21, 22):  # now from memory, now from the folder
            take()
    recorder.finish()
    recorder.clean()
    backlog.close()
    for _ in range(len(values)):
        take()
    assert backlog.undelivered == 0 and backlog.take() is None
    assert got == [(k * DAY, tuple(row)) for k, row in enumerate(values)]


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


def test_a_cursor_belongs_to_one_run_one_receiver_and_one_process(tmp_path: Path) -> None:
    """A copied folder of another run begins anew; a second process is refused; keys in an address
    are not kept."""
    with pytest.raises(UsageError, match="another process"):
        held = Cursor(tmp_path, "http://h/w?key=secret", RUN)
        Cursor(tmp_path, "http://h/w?key=secret", RUN)
    held.move(5, 1)
    assert "secret" not in held.path.read_text()
    held.close()
    assert Cursor(tmp_path, "http://h/w", RUN).delivered_s == -1
    again = Cursor(tmp_path, "http://h/w?key=secret", RUN)
    assert (again.delivered_s, again.readings) == (5, 1)
    again.path.write_text("{")
    again.close()
    assert Cursor(tmp_path, "http://h/w?key=secret", {**RUN, "branch": "b"}).delivered_s == -1


def test_a_damaged_folder_is_told(tmp_path: Path) -> None:
    """Parquet of other series than declared, or none at all, is an error in one line."""
    folder = folder_with(tmp_path / "run", course(4), done=True)
    with pytest.raises(UsageError, match="declares"):
        list(stored(folder, START, ROWS[1:] + ROWS[:1]))
    (folder / "metrics.parquet").write_bytes(b"PAR1")
    with pytest.raises(UsageError, match="cannot be read"):
        list(stored(folder, START, ROWS))


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("localhost:9090/api/v1/write", "not an address"),
        ("ftp://h/w", "not an address"),
        ("http://", "not an address"),
        ("http://h:99999/w", "not an address"),
        ("http://h:9090", "http://h:9090/api/v1/write"),
        ("https://me:geheim@h/w", "TWIN_REMOTE_WRITE_USER"),
    ],
)
def test_wrong_addresses_are_refused_at_once(url: str, words: str) -> None:
    """Before the run, in one line, and without the password that was in it."""
    with pytest.raises(UsageError, match="--remote-write") as caught:
        RemoteWrite(url)
    assert words in str(caught.value) and "geheim" not in str(caught.value)
    assert checked("http://h:9090/api/v1/write?a=b") and shown("http://h/w?a=b#c") == "http://h/w"


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


def test_openmetrics_by_hand(tmp_path: Path) -> None:
    """A counter's family has no _total and its samples have; help is escaped; NaN is left out;
    floats read back exactly; EOF ends it."""
    values = np.array([[1.0, 0.1 + 0.2, 5e-324], [2.0, math.nan, -math.inf]])
    folder = folder_with(tmp_path / "run", values)
    assert openmetrics.export(folder, tmp_path / "out.txt") == (5, 3)
    own = 'branch="main",by="{}",replicate="0",run_id="r-1",scenario="s"'
    assert (tmp_path / "out.txt").read_text().splitlines() == [
        "# TYPE twin_likes counter",
        "# UNIT twin_likes likes",
        "# HELP twin_likes Likes given. Unit: likes.",
        f"twin_likes_total{{{own.format('human')}}} 1.0 1735689600",
        f"twin_likes_total{{{own.format('human')}}} 2.0 1735776000",
        f"twin_likes_total{{{own.format('ai')}}} 0.30000000000000004 1735689600",
        "# TYPE twin_trust gauge",
        '# HELP twin_trust Trust \\"as told\\" \\\\ measured.',
        'twin_trust{branch="main",replicate="0",run_id="r-1",scenario="s"} 5e-324 1735689600',
        'twin_trust{branch="main",replicate="0",run_id="r-1",scenario="s"} -Inf 1735776000',
        "# EOF",
    ]
