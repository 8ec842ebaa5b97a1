"""A zoo of logs: every oddity is read as stated, or refused in one clear line."""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.given.logs import COLUMNS, PLAIN, iso, observe, rows, text, written
from twin.ground.errors import TwinError
from twin.observing.folder import Observed

ROWS = rows()
CLICKS = sum(row[3] for row in ROWS)
Case = Callable[[Path], Observed]


def plain(place: Path, content: str | bytes, name: str = "log.csv", **given: Any) -> Observed:
    return observe(place, written(place / name, content), **given)


def parquet(place: Path, columns: dict[str, Any], **given: Any) -> Observed:
    pq.write_table(pa.table(columns), place / "log.parquet")
    return observe(place, place / "log.parquet", **given)


def damaged(place: Path, rows: int, odd: Callable[[bytes], bool]) -> Observed:
    """A Parquet file with one other byte: the first for which it is odd."""
    kept = {name: column(at)[:rows] for at, name in enumerate(COLUMNS)}
    schema = pa.schema({"user": "string", "item": "string", "time": "int64", "click": "int8"})
    pq.write_table(pa.table(kept, schema=schema), place / "log.parquet")
    data = (place / "log.parquet").read_bytes()
    for at in range(4, len(data) - 8):
        for value in (data[at] ^ 2, data[at] ^ 0x80, *b"AE"):
            changed = data[:at] + bytes([value]) + data[at + 1 :]
            if odd(changed):
                return plain(place, changed, "log.parquet")
    raise AssertionError("no such byte")


def raises(kind: type[Exception], opened: bool = False) -> Callable[[bytes], bool]:
    """Whether Parquet's reader stops at it with an error of this kind: at once, or when it is
    ``opened``."""

    def found(data: bytes) -> bool:
        there = False
        try:
            file = pq.ParquetFile(pa.BufferReader(data))
            there = bool(file.schema_arrow.names)
            list(file.iter_batches())
        except Exception as error:
            return isinstance(error, kind) and there == opened
        return False

    return found


def odd_zone(place: Path) -> Observed:
    """A Parquet file of times whose zone is no text: what Arrow says of the types is in Base64."""
    zone = "Europe/Paris"
    kept: dict[str, Any] = {name: column(at) for at, name in enumerate(COLUMNS)}
    kept["time"] = pa.array(kept["time"], pa.timestamp("s", zone))
    pq.write_table(pa.table(kept), place / "log.parquet")
    data = (place / "log.parquet").read_bytes()
    metadata = pq.read_metadata(place / "log.parquet").metadata
    assert metadata is not None
    said = metadata[b"ARROW:schema"]
    other = base64.b64decode(said).replace(zone.encode(), b"\xff" * len(zone))
    return plain(place, data.replace(said, base64.b64encode(other)), "log.parquet")


def promises(data: bytes) -> bool:
    """Whether it says that it has rows, and has none."""
    try:
        told = pq.read_metadata(pa.BufferReader(data))
    except Exception:
        return False
    there = sum(told.row_group(k).num_rows for k in range(told.num_row_groups))
    return told.num_rows > 0 and not there


def column(at: int) -> list[Any]:
    return [row[at] for row in ROWS]


def changed(at: int, of: Callable[[int, Any], Any]) -> list[tuple[Any, ...]]:
    """The rows with another value in one column."""
    return [(*row[:at], of(i, row[at]), *row[at + 1 :]) for i, row in enumerate(ROWS)]


def objects() -> str:
    """The rows as JSON lines, a user nested."""
    return "\n".join(
        json.dumps({"who": {"id": u}, "item": i, "time": t, "click": bool(c), "deep": [{"a": 1}]})
        for u, i, t, c in ROWS
    )


FLOAT32 = np.array(column(2), np.float32)

SAME: dict[str, Case] = {
    "plain": lambda p: plain(p, text(ROWS)),
    "byte order mark": lambda p: plain(p, b"\xef\xbb\xbf" + text(ROWS).encode()),
    "windows line ends": lambda p: plain(p, text(ROWS).replace("\n", "\r\n")),
    "semicolons": lambda p: plain(p, text(ROWS, delimiter=";")),
    "tabs": lambda p: plain(p, text(ROWS, delimiter="\t"), "log.tsv"),
    "bars": lambda p: plain(p, text(ROWS, delimiter="|")),
    "no line end at the end": lambda p: plain(p, text(ROWS).rstrip("\n")),
    "blank lines": lambda p: plain(p, text(ROWS).replace("\n", "\n\n")),
    "spaces around ids": lambda p: plain(p, text(changed(0, lambda _, u: f" {u} "))),
    "other columns, in another order": lambda p: plain(
        p, text([(c, "x", t, i, u) for u, i, t, c in ROWS], ("click", "z", "time", "item", "user"))
    ),
    "header missing, named by the map": lambda p: plain(
        p,
        text(ROWS).split("\n", 1)[1],
        map=f"columns: [{', '.join(COLUMNS)}]\n{PLAIN}",
    ),
    "gzip": lambda p: plain(p, gzip.compress(text(ROWS).encode()), "log.csv.gz"),
    "gzip without its ending": lambda p: plain(p, gzip.compress(text(ROWS).encode())),
    "two gzip members": lambda p: plain(
        p,
        gzip.compress(text(ROWS[:99]).encode())
        + gzip.compress(text(ROWS[99:]).split("\n", 1)[1].encode()),
    ),
    "milliseconds": lambda p: plain(p, text(changed(2, lambda _, t: t * 1000))),
    "microseconds": lambda p: plain(p, text(changed(2, lambda _, t: t * 1_000_000))),
    "seconds with a fraction": lambda p: plain(p, text(changed(2, lambda _, t: f"{t}.0"))),
    "scientific numbers": lambda p: plain(p, text(changed(2, lambda _, t: f"{t:.9e}"))),
    "dates with a zone": lambda p: plain(p, text(changed(2, lambda _, t: iso(t)))),
    "dates with an offset": lambda p: plain(
        p, text(changed(2, lambda _, t: iso(t + 19800, "+05:30")))
    ),
    "dates without a zone": lambda p: plain(p, text(changed(2, lambda _, t: iso(t, "")))),
    "mixed zones": lambda p: plain(
        p,
        text(changed(2, lambda i, t: (iso(t), iso(t, ""), iso(t + 7200, "+0200"))[i % 3])),
    ),
    "a pattern": lambda p: plain(
        p,
        text(changed(2, lambda _, t: iso(t, "").replace("T", " at "))),
        map=PLAIN.replace("time: time", 'time: {column: time, pattern: "%Y-%m-%d at %H:%M:%S"}'),
    ),
    "seconds since a day": lambda p: plain(
        p,
        text(changed(2, lambda _, t: t - 1709251200)),
        map=PLAIN.replace("time: time", "time: {column: time, unit: s, origin: 2024-03-01}"),
    ),
    "true and false": lambda p: plain(p, text(changed(3, lambda _, c: str(bool(c))))),
    "a number for a response": lambda p: plain(
        p,
        text(changed(3, lambda _, c: 4.5 if c else 2.5)),
        map=PLAIN.replace("click: click", "click: {column: click, at_least: 4}"),
    ),
    "in any order": lambda p: plain(p, text(ROWS[::-1])),
    "json lines": lambda p: plain(
        p, objects(), "log.jsonl", map=PLAIN.replace("user: user", "user: who.id")
    ),
    "json lines of mixed types": lambda p: plain(
        p,
        objects() + '\n{"who": "nobody", "item": 7, "time": "x", "click": 3}',
        "log.ndjson",
        map=PLAIN.replace("user: user", "user: who.id"),
        share=0.1,
    ),
    "parquet": lambda p: parquet(p, {name: column(i) for i, name in enumerate(COLUMNS)}),
    "parquet with dictionaries, dates and booleans": lambda p: parquet(
        p,
        {
            "user": pa.array(column(0)).dictionary_encode(),
            "item": pa.array(column(1), pa.large_string()),
            "time": pa.array([t * 1000 for t in column(2)], pa.timestamp("ms", "Asia/Tokyo")),
            "click": pa.array([bool(c) for c in column(3)]),
        },
    ),
    "a quoted value of two lines": lambda p: plain(
        p,
        text(changed(1, lambda _, i: f'{i} "so", of\ntwo lines')),
    ),
}
"""Logs that say the same in other ways."""


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> Observed:
    return SAME["plain"](tmp_path_factory.mktemp("plain"))


@pytest.mark.parametrize("name", SAME)
def test_the_same_log_in_other_ways(name: str, tmp_path: Path, expected: Observed) -> None:
    """Not one cell of any table differs."""
    found = SAME[name](tmp_path)
    assert found.manifest["rows"]["kept"] == len(ROWS)
    for table, rows_ in expected.tables.items():
        assert found.tables[table].equals(rows_), table


def bad(of: Observed) -> dict[str, int]:
    return {reason: each["rows"] for reason, each in of.manifest["rows"]["bad"].items()}


def test_plain_is_what_was_written(expected: Observed) -> None:
    """The reference of this file is itself what a count by hand gives."""
    responses = expected.select("responses", cut="all")
    assert sum(responses.column("total").to_pylist()) == CLICKS
    assert sum(responses.column("known").to_pylist()) == len(ROWS)
    assert expected.manifest["facts"]["users"] == 12
    assert expected.manifest["facts"]["items"] == 7


def test_duplicates_are_dropped_and_named(tmp_path: Path, expected: Observed) -> None:
    """A row that repeats another in all that is read is counted once; the others have a line."""
    again = [*ROWS[:100], ROWS[99], *ROWS[100:], ROWS[0]]
    found = plain(tmp_path, text(again), share=0.1)
    assert bad(found) == {"repeats another row": 2}
    assert found.manifest["rows"]["bad"]["repeats another row"]["first"] == [
        "log.csv:102",
        f"log.csv:{len(ROWS) + 3}",
    ]
    assert found.tables["counts"].equals(expected.tables["counts"])
    kept = plain(tmp_path, text(again), map=PLAIN + "duplicates: keep\n")
    assert sum(kept.select("counts", cut="all").column("rows").to_pylist()) == len(ROWS) + 2


def test_clock_jumps_are_left_out_and_named(tmp_path: Path, expected: Observed) -> None:
    """Rows years away from the rest are a clock that jumped, not eleven years of silence."""
    far = [("u3", "i1", ROWS[0][2] + 11 * 365 * 86400, 1)]
    found = plain(tmp_path, text([*ROWS[:5], *far, *ROWS[5:]]))
    assert bad(found) == {"time lies more than a year from the rest": 1}
    assert found.manifest["rows"]["bad"]["time lies more than a year from the rest"]["first"] == [
        "log.csv:7"
    ]
    assert found.tables["distributions"].equals(expected.tables["distributions"])


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (-5, "time: time is negative"),
        (99, "time: time is before 1990"),
        (5_000_000_000, "time: time is after 2100"),
        ("", "time: time is missing"),
        ("NaN", "time: time is missing"),
        ("soon", "time: time is no number"),
        ("1e999", "time: time is no number"),
    ],
)
def test_bad_times_are_named(tmp_path: Path, value: object, reason: str) -> None:
    """One row is left out, and where it stands is said."""
    made = [*ROWS[:50], ("u1", "i1", value, 0), *ROWS[50:]]
    found = plain(tmp_path, text(made))
    assert bad(found) == {reason: 1}
    assert found.manifest["rows"]["bad"][reason]["first"] == ["log.csv:52"]
    assert found.manifest["rows"]["kept"] == len(ROWS)


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (("", "i1", ROWS[9][2], 0), "user: is missing"),
        (("u1", "NULL", ROWS[9][2], 0), "item: is missing"),
        (("u1", "i1", ROWS[9][2], 2), "click: not 0 or 1"),
        (("u1", "i1", ROWS[9][2], "maybe"), "click: not 0 or 1"),
        (("u1", "i1", ROWS[9][2]), "fewer columns than the header"),
        (("u1", "i1", ROWS[9][2], 0, 0), "more columns than the header"),
    ],
)
def test_bad_rows_are_named(tmp_path: Path, row: tuple[Any, ...], reason: str) -> None:
    """Also where lines and rows are not the same: after a quoted line end and a blank line."""
    head, *rest = text(changed(1, lambda i, item: "i\n0" if i == 3 else item)).split("\n")
    broken = "\n".join([head, *rest[:6], "", *rest[6:20], ",".join(map(str, row)), *rest[20:]])
    found = plain(tmp_path, broken)
    assert bad(found) == {reason: 1}
    assert found.manifest["rows"]["bad"][reason]["first"] == ["log.csv:23"]


def test_a_response_that_is_not_known_is_not_a_no(tmp_path: Path) -> None:
    """Empty cells leave the denominator."""
    found = plain(tmp_path, text(changed(3, lambda i, c: "" if i % 2 else c)))
    known = sum(found.select("responses", cut="all").column("known").to_pylist())
    assert (known, bad(found)) == (len(ROWS) // 2, {})


def test_long_ids_keep_their_digits(tmp_path: Path) -> None:
    """Ids of 19 and 25 digits that differ in the last one are two, in text, JSON and Parquet."""
    for base in (9_007_199_254_740_993_117, 10**24 + 1):
        made = changed(1, lambda i, _, base=base: base + i % 2)
        assert plain(tmp_path, text(made)).manifest["facts"]["items"] == 2
        lines = "\n".join(json.dumps(dict(zip(COLUMNS, row, strict=True))) for row in made)
        assert plain(tmp_path, lines, "log.jsonl").manifest["facts"]["items"] == 2
    made64 = {**{n: column(i) for i, n in enumerate(COLUMNS)}}
    made64["item"] = pa.array([2**62 + i % 2 for i in range(len(ROWS))], pa.int64())
    assert parquet(tmp_path, made64).manifest["facts"]["items"] == 2


def test_whole_numbers_are_ids_in_every_spelling(tmp_path: Path) -> None:
    """12, 12.0 and " 12" are one item; 012 is another."""
    spelt = ("12", "12.0", " 12", "12 ", "012")
    found = plain(tmp_path, text(changed(1, lambda i, _: spelt[i % 5])))
    assert found.manifest["facts"]["items"] == 2


def test_times_in_four_bytes_are_said_to_be_rounded(tmp_path: Path) -> None:
    """float32 puts seconds to the nearest 128: events change places, which is said, and days stay."""
    columns_ = {name: column(i) for i, name in enumerate(COLUMNS)}
    found = parquet(tmp_path, {**columns_, "time": FLOAT32}, share=0.1)
    assert found.manifest["facts"]["resolution"] == 128
    assert any("rounded to 128 s" in line for line in found.manifest["cautions"])
    assert sum(found.series("impressions")[1]) >= len(ROWS) - 2


def test_empty_days_are_said(tmp_path: Path) -> None:
    """Two days without a row in the middle."""
    found = plain(tmp_path, text(changed(2, lambda i, t: t + (i > 120) * 3 * 86400)))
    assert found.manifest["empty_days"] == ["2024-03-04", "2024-03-05"]
    assert "2 days within the log have no row" in found.manifest["cautions"]


@pytest.mark.parametrize(
    ("at", "value", "said"),
    [
        (0, "me", "one person: nothing about differences between people"),
        (1, "it", "one item: nothing about popularity or choice"),
        (3, 1, "click: every impression has it (does the log hold only what got a click?)"),
        (3, 0, "click: no impression has it"),
    ],
)
def test_logs_without_variation_are_read_with_a_caution(
    tmp_path: Path, at: int, value: object, said: str
) -> None:
    assert (
        said in plain(tmp_path, text(changed(at, lambda *_: value)), share=0.1).manifest["cautions"]
    )


def test_times_that_are_days(tmp_path: Path) -> None:
    """There are then no hours, sessions or gaps, and the report says why."""
    found = plain(tmp_path, text(changed(2, lambda _, t: iso(t, "")[:10])), share=1.0)
    assert found.manifest["facts"]["resolution"] == 86400
    assert found.select("counts", cut="hour").num_rows == 0
    assert found.select("distributions", of="session").num_rows == 0
    assert "times are days: nothing about hours, sessions or gaps" in found.manifest["cautions"]


def _stray() -> str:
    """A quote on line 12 that is closed by one more than a thousand lines later."""
    lines = text(ROWS * 6).split("\n")
    for at in (11, 1200):
        lines[at] = lines[at].replace(",i", ',"i')
    return "\n".join(lines)


REFUSED: dict[str, tuple[Case, str]] = {
    "empty": (lambda p: plain(p, ""), r"log.csv: is empty \(0 bytes\)"),
    "blank": (lambda p: plain(p, "\n\n"), "log.csv: is empty: it holds no line"),
    "header only": (lambda p: plain(p, text([])), "log.csv: has a header and no rows"),
    "header missing": (
        lambda p: plain(p, "1,2,1709251200,0\n2,2,1709251201,1\n"),
        r"log.csv:1: the first line is data.*write columns:",
    ),
    "ten rows": (
        lambda p: plain(p, text(ROWS[:10]), k=11),
        r"log.csv: no day has 11 people \(10 in all\), so nothing could be kept",
    ),
    "wrong name": (
        lambda p: plain(p, text(ROWS, ("user", "item", "time", "clicks"))),
        r"map0.yaml:4 responses.click: .*log.csv has no column click \(did you mean clicks\?\)",
    ),
    "two columns of one name": (
        lambda p: plain(p, text(ROWS, ("user", "item", "time", "item"))),
        "log.csv:1: two columns are named item",
    ),
    "truncated gzip": (
        lambda p: plain(p, gzip.compress(text(ROWS * 50).encode())[:-40], "log.csv.gz"),
        r"log.csv.gz: the gzip ends early, after line \d+ \(copy the file again\)",
    ),
    "damaged gzip": (
        lambda p: plain(p, gzip.compress(text(ROWS).encode())[:60] + b"x" * 99, "log.csv.gz"),
        "log.csv.gz: the gzip is damaged|log.csv.gz: cannot be read",
    ),
    "zero bytes": (
        lambda p: plain(p, text(ROWS[:3]) + "u1,\x00,5,0\n"),
        "log.csv:5: holds zero bytes, so it is not text",
    ),
    "utf-16": (
        lambda p: plain(p, text(ROWS).encode("utf-16")),
        r"log.csv: is text in UTF-16 \(save it as UTF-8\)",
    ),
    "one json list": (
        lambda p: plain(p, json.dumps([1, 2]), "log.json"),
        r"log.json:1: is one JSON list \(write one object per line",
    ),
    "no parquet": (
        lambda p: plain(p, text(ROWS), "log.parquet"),
        "log.parquet: is not Parquet, whatever its name says",
    ),
    "half a parquet": (
        lambda p: plain(p, b"PAR1" + b"x" * 200, "log.parquet"),
        "log.parquet: is not whole Parquet",
    ),
    "parquet with text that is not UTF-8": (
        lambda p: damaged(p, 9, raises(UnicodeDecodeError)),
        "log.parquet: is not whole Parquet",
    ),
    "parquet with a zone that is no text": (odd_zone, "log.parquet: is not whole Parquet"),
    "parquet with numbers of odd sizes": (
        lambda p: damaged(p, 9, raises(pa.ArrowNotImplementedError)),
        "log.parquet: is not whole Parquet",
    ),
    "parquet with a damaged page": (
        lambda p: damaged(p, 9, raises(pa.ArrowInvalid, opened=True)),
        "log.parquet: is not whole Parquet",
    ),
    "parquet with a page that cannot be read": (
        lambda p: damaged(p, 9, raises(OSError, opened=True)),
        "log.parquet: is not whole Parquet",
    ),
    "parquet that promises rows": (
        lambda p: damaged(p, 0, promises),
        "log.parquet: has no rows",
    ),
    "parquet without rows": (
        lambda p: parquet(p, {name: pa.array([], pa.int64()) for name in COLUMNS}),
        "log.parquet: has no rows",
    ),
    "wrong types": (
        lambda p: parquet(
            p, {**{n: column(i) for i, n in enumerate(COLUMNS)}, "time": [[t] for t in column(2)]}
        ),
        r"log.parquet: column time: is of type list<.*>, not a time",
    ),
    "ids that lost digits": (
        lambda p: parquet(
            p,
            {
                **{n: column(i) for i, n in enumerate(COLUMNS)},
                "item": pa.array([1e17 + 64 * i for i in range(len(ROWS))], pa.float64()),
            },
        ),
        "log.parquet: column item: holds ids as double numbers, which have lost digits",
    ),
    "times that count from elsewhere": (
        lambda p: plain(p, text(changed(2, lambda i, _: i))),
        r"log.csv: column time: times such as .* do not count from 1970 .*origin: ",
    ),
    "all in the future": (
        lambda p: plain(p, text(changed(2, lambda _, t: t + 10**10 - 10**9))),
        r"log.csv:2: time: time is after 2100; 240 of 240 rows are bad, more than --bad-share",
    ),
    "too many bad rows": (
        lambda p: plain(p, _stray()),
        r"log.csv:12: a quoted value of 1\d+ lines begins here \(is a quote missing",
    ),
}
"""Logs that cannot be read, and the line that says why."""


@pytest.mark.parametrize("name", REFUSED)
def test_refused_in_one_line(name: str, tmp_path: Path) -> None:
    """One line with the file, the reason and the mend; and nothing is left behind."""
    make, said = REFUSED[name]
    with pytest.raises(TwinError, match=said) as error:
        make(tmp_path)
    assert "\n" not in str(error.value)
    left = [path.name for path in tmp_path.iterdir()]
    assert not [each for each in left if each.endswith(".part")]
    assert name == "no such file" or not [each for each in left if each.startswith("observed")]
