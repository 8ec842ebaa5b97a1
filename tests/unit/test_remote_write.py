"""What goes over the wire, what answers mean, what is kept when nobody answers."""

import math
import struct
import threading
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.given.readings import ROWS, START, folder_with
from tests.given.wire import RUN, STALE, course, decoded, unsnapped
from twin.ground.errors import UsageError
from twin.ground.units import DAY
from twin.readers import openmetrics
from twin.readers.backlog import Backlog, stored
from twin.readers.protobuf_write import Encoder
from twin.readers.reading_back import address
from twin.readers.receiver import Cursor, checked, shown
from twin.readers.remote_write import RemoteWrite
from twin.record.results import Recorder

Named = list[tuple[str, dict[str, str]]]


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


@pytest.mark.parametrize(
    ("url", "given", "found"),
    [
        ("http://h:9090/api/v1/write", "", "http://h:9090"),
        ("https://h/prom/api/v1/write/?key=x", "", "https://h/prom"),
        ("http://h/api/v1/push", "", "http://h/prometheus"),
        ("http://h/w", "http://other:1/x/", "http://other:1/x"),
        ("http://h/w", "http://h/api/v1/query", "http://h"),
    ],
)
def test_where_to_ask_for_what_was_sent(url: str, given: str, found: str) -> None:
    """As servers are documented, or as it was given."""
    assert address(url, given) == found


@pytest.mark.parametrize(
    "given", ["runs/a", "http://me:geheim@h", "http://h?key=geheim", "ftp://h"]
)
def test_what_is_no_address_to_ask_is_refused(given: str) -> None:
    """In one line, without what could be a password."""
    with pytest.raises(UsageError, match=r"^--verify: not the address") as error:
        address("http://h/api/v1/write", given)
    assert "geheim" not in str(error.value)
