"""What an observed folder holds is what a plain count over the rows gives, to the last unit."""

from __future__ import annotations

import datetime as dt
import itertools
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from tests.given.logs import BUSY, BUSY_COLUMNS, busy, observe, text, written
from twin.ground.units import DAY
from twin.observing import bins, reading, spool
from twin.observing.folder import Observed
from twin.observing.times import date

GAP = 1800
ROWS = busy()


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Observed:
    place = tmp_path_factory.mktemp("exact")
    return observe(place, written(place / "log.csv", text(ROWS, BUSY_COLUMNS)), map=BUSY)


def sessions(of: list[tuple[Any, ...]]) -> list[list[tuple[Any, ...]]]:
    """Rows of each session, by person and time."""
    made: list[list[tuple[Any, ...]]] = []
    for _, mine in itertools.groupby(sorted(of, key=lambda row: row[0]), lambda row: row[0]):
        last = None
        for row in mine:
            if last is None or row[3] - last > GAP:
                made.append([])
            made[-1].append(row)
            last = row[3]
    return made


def by_day(table: Any, column: str) -> dict[int, Any]:
    days = table.column("day").cast("int32").to_pylist()
    return dict(zip(days, table.column(column).to_pylist(), strict=True))


def test_counts_by_day(found: Observed) -> None:
    """Impressions, people, sessions that began, responses and who responded."""
    table, clicks = (
        found.select("counts", cut="all"),
        found.select("responses", cut="all", response="click"),
    )
    of = defaultdict(list)
    for row in ROWS:
        of[row[3] // DAY].append(row)
    assert by_day(table, "impressions") == {day: len(each) for day, each in of.items()}
    assert by_day(table, "users") == {day: len({r[0] for r in each}) for day, each in of.items()}
    begun = Counter(each[0][3] // DAY for each in sessions(ROWS))
    assert by_day(table, "sessions") == dict(begun)
    assert by_day(clicks, "total") == {day: sum(r[6] for r in each) for day, each in of.items()}
    assert by_day(clicks, "users") == {
        day: len({r[0] for r in each if r[6]}) for day, each in of.items()
    }
    seconds = by_day(found.select("amounts", cut="all"), "total")
    for day, each in of.items():
        assert seconds[day] == pytest.approx(sum(r[8] for r in each), rel=1e-6)


@pytest.mark.parametrize(
    ("cut", "key"),
    [
        ("hour", lambda row, _: row[3] % DAY // 3600),
        ("position", lambda row, _: row[4]),
        ("explore", lambda row, _: row[5]),
        ("age", lambda row, first: max(a for a in (0, 1, 2, 3, 7) if a <= row[3] // DAY - first)),
    ],
)
def test_cuts(found: Observed, cut: str, key: Any) -> None:
    """Every cell of every cut: impressions, people, clicks."""
    first: dict[int, int] = {}
    for row in ROWS:
        first.setdefault(row[0], row[3] // DAY)
    want = defaultdict(list)
    for row in ROWS:
        want[(key(row, first[row[0]]), row[3] // DAY)].append(row)
    table = found.select("counts", cut=cut)
    clicks = found.select("responses", cut=cut, response="click")
    keys = list(
        zip(
            table.column("key").to_pylist(),
            table.column("day").cast("int32").to_pylist(),
            strict=True,
        )
    )
    assert dict(zip(keys, table.column("impressions").to_pylist(), strict=True)) == {
        cell: len(each) for cell, each in want.items()
    }
    assert dict(zip(keys, table.column("users").to_pylist(), strict=True)) == {
        cell: len({r[0] for r in each}) for cell, each in want.items()
    }
    assert dict(zip(keys, clicks.column("total").to_pylist(), strict=True)) == {
        cell: sum(r[6] for r in each) for cell, each in want.items()
    }


@pytest.mark.parametrize(("of", "at"), [("user", 0), ("item", 1), ("maker", 2)])
@pytest.mark.parametrize(("quantity", "value"), [("impressions", None), ("click", 6)])
def test_distributions_so_far(
    found: Observed, of: str, at: int, quantity: str, value: int | None
) -> None:
    """After each day: how many people, items and makers have how much in all."""
    table = found.select("distributions", of=of, window="so far", quantity=quantity)
    totals: Counter[int] = Counter()
    rows = iter([*ROWS, (None,) * 3 + (10**12,)])
    row = next(rows)
    for day in range(ROWS[0][3] // DAY, ROWS[-1][3] // DAY + 1):
        while row[3] // DAY <= day:
            totals[row[at]] += 1 if value is None else row[value]
            row = next(rows)
        mine = table.filter(pc.equal(table.column("day").cast("int32"), day))
        want = Counter(bins.EDGES[bins.of_counts(np.array([n]))[0]] for n in totals.values())
        assert (
            dict(zip(mine.column("low").to_pylist(), mine.column("units").to_pylist(), strict=True))
            == want
        )
        assert sum(mine.column("total").to_pylist()) == sum(totals.values())


def test_shares_of_people(found: Observed) -> None:
    """Click rates of those with ten impressions, at the end."""
    shown, clicks = Counter(r[0] for r in ROWS), Counter(r[0] for r in ROWS if r[6])
    want = Counter(clicks[u] * 50 // n for u, n in shown.items() if n >= 10)
    table = found.select("distributions", of="user", quantity="rate:click")
    last = table.filter(pc.equal(table.column("day"), pc.max(table.column("day"))))
    assert {
        round(low * 50): n
        for low, n in zip(
            last.column("low").to_pylist(), last.column("units").to_pylist(), strict=True
        )
    } == want


@pytest.mark.parametrize(
    ("of", "key"),
    [
        ("user", lambda row: row[0]),
        ("item", lambda row: row[1]),
        ("maker", lambda row: row[2]),
        ("user and item", lambda row: row[:2]),
        ("user and maker", lambda row: (row[0], row[2])),
    ],
)
def test_pairs(found: Observed, of: str, key: Any) -> None:
    """Sums over days up to any day are the pairs among all impressions until then."""
    table = found.select("pairs", of=of, response="click")
    for day in (ROWS[0][3] // DAY + 2, ROWS[-1][3] // DAY):
        shown: Counter[Any] = Counter(key(r) for r in ROWS if r[3] // DAY <= day)
        clicks: Counter[Any] = Counter(key(r) for r in ROWS if r[6] and r[3] // DAY <= day)
        mine = table.filter(pc.less_equal(table.column("day").cast("int32"), day))
        assert pc.sum(mine.column("pairs")).as_py() == sum(n * (n - 1) for n in shown.values())
        assert pc.sum(mine.column("both")).as_py() == sum(n * (n - 1) for n in clicks.values())
        assert pc.sum(mine.column("units")).as_py() == sum(n > 1 for n in shown.values())


def test_sessions_and_gaps(found: Observed) -> None:
    """Lengths of sessions on the day on which they are known to have ended, and gaps between."""
    made = sessions(ROWS)
    end = ROWS[-1][3] // DAY
    want = Counter()
    for each in made:
        closed = (each[-1][3] + GAP) // DAY
        if closed <= end:
            want[(closed, float(bins.EDGES[bins.of_counts(np.array([len(each)]))[0]]))] += 1
    table = found.select("distributions", of="session", quantity="impressions")
    assert (
        dict(
            zip(
                zip(
                    table.column("day").cast("int32").to_pylist(),
                    table.column("low").to_pylist(),
                    strict=True,
                ),
                table.column("units").to_pylist(),
                strict=True,
            )
        )
        == want
    )
    assert found.manifest["facts"]["still_open"] == len(made) - want.total()
    gaps = [b[0][3] - a[-1][3] for a, b in itertools.pairwise(made) if a[0][0] == b[0][0]]
    table = found.select("distributions", of="gap", quantity="seconds between sessions")
    assert pc.sum(table.column("units")).as_py() == len(gaps)
    assert pc.sum(table.column("total")).as_py() == sum(gaps)


def test_cohorts_and_supply(found: Observed) -> None:
    """People by the day they were first seen, and items shown for the first time."""
    first: dict[int, int] = {}
    items: dict[int, int] = {}
    active = defaultdict(set)
    shown = defaultdict(set)
    for row in ROWS:
        day = row[3] // DAY
        active[(first.setdefault(row[0], day), day)].add(row[0])
        items.setdefault(row[1], day)
        shown[day].add(row[1])
    table = found.tables["cohorts"]
    keys = zip(*(table.column(n).cast("int32").to_pylist() for n in ("first", "day")), strict=True)
    assert dict(zip(keys, table.column("users").to_pylist(), strict=True)) == {
        key: len(who) for key, who in active.items()
    }
    supply = found.select("supply", of="item")
    assert by_day(supply, "shown") == {day: len(each) for day, each in shown.items()}
    assert {d: n for d, n in by_day(supply, "new").items() if n} == Counter(items.values())


def test_no_day_depends_on_a_later_one(found: Observed, tmp_path: Path) -> None:
    """A log cut at a day gives what the whole log gives until that day: nothing leaks back."""
    middle = ROWS[0][3] // DAY + 4
    cut = [row for row in ROWS if row[3] // DAY <= middle]
    early = observe(tmp_path, written(tmp_path / "log.csv", text(cut, BUSY_COLUMNS)), map=BUSY)
    assert found.until(date(middle)).digest() == early.digest()
    assert found.until(date(middle - 1)).digest() == early.until(date(middle - 1)).digest()
    assert found.until(date(middle - 1)).digest() != early.digest()


def test_threads_and_parts_change_no_byte(
    found: Observed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Many parts on three threads, in a few blocks: the same tables as one part on one."""
    monkeypatch.setattr(reading, "PART_ROWS", 200)
    monkeypatch.setattr("twin.observing.blocks.BLOCK", 5000)
    source = written(tmp_path / "log.csv", text(ROWS, BUSY_COLUMNS))
    other = observe(tmp_path, source, map=BUSY, threads=3)
    again = observe(tmp_path, source, map=BUSY, threads=1)
    assert other.manifest["tables"] == again.manifest["tables"]
    for name, table in found.tables.items():
        # sums of numbers with decimals depend in their last digits on the number of parts
        for column in table.column_names:
            mine, theirs = table.column(column), other.tables[name].column(column)
            if column in ("total", "squares") and pa.types.is_floating(mine.type):
                np.testing.assert_allclose(mine.to_numpy(), theirs.to_numpy(), rtol=1e-12)
            else:
                assert mine.equals(theirs), (name, column)


def test_sessions_by_id(tmp_path: Path) -> None:
    """Ids decide, though sessions of two devices overlap."""
    made = [(row[0], row[1], row[3], i % 2 + 10 * (row[3] // DAY)) for i, row in enumerate(ROWS)]
    sheet = "user: u\nitem: i\ntime: t\nsession: s\n"
    found = observe(
        tmp_path, written(tmp_path / "l.csv", text(made, ("u", "i", "t", "s"))), map=sheet
    )
    begun = {}
    for u, _, t, s in made:
        begun.setdefault((u, s), t // DAY)
    assert by_day(found.select("counts", cut="all"), "sessions") == Counter(begun.values())


def test_covariance_sees_taste_for_makers(tmp_path: Path) -> None:
    """Where each person likes some makers, clicks of one person on one maker go together more than
    those on two; where clicks are alike for all, neither does."""
    rng = np.random.default_rng(5)
    people, makers, many = 60, 8, 12_000
    taste = rng.random((people, makers)) < 0.5
    user, maker = rng.integers(0, people, many), rng.integers(0, makers, many)
    click = rng.random(many) < np.where(taste[user, maker], 0.6, 0.2)
    flat = rng.random(many) < 0.4
    made = [
        (int(u), int(m * 100 + k % 50), int(m), 1709251200 + 20 * k, int(c), int(f))
        for k, (u, m, c, f) in enumerate(zip(user, maker, click, flat, strict=True))
    ]
    sheet = "user: u\nitem: i\nmaker: m\ntime: t\nresponses: {click: c, flat: f}\n"
    source = written(tmp_path / "l.csv", text(made, ("u", "i", "m", "t", "c", "f")))
    found = observe(tmp_path, source, map=sheet)
    # the variance of a probability that is 0.2 or 0.6 with equal chance is 0.04
    assert found.covariance("user and maker", "click") == pytest.approx(0.04, abs=0.008)
    assert abs(found.covariance("user", "click")) < 0.01
    assert abs(found.covariance("user and maker", "flat")) < 0.008


def test_error_counts_people_not_impressions(tmp_path: Path) -> None:
    """Forty people of a hundred impressions each, half of whom always click: the error is that of
    forty observations. Where clicks are independent it is that of all impressions."""
    rng = np.random.default_rng(4)
    made = [
        (k % 40, k % 9, 1709251200 + 60 * k, k % 2, int(c))
        for k, c in enumerate((rng.random(4000) < 0.5).tolist())
    ]
    sheet = "user: u\nitem: i\ntime: t\nresponses: {own: o, free: f}\n"
    source = written(tmp_path / "l.csv", text(made, ("u", "i", "t", "o", "f")))
    found = observe(tmp_path, source, map=sheet)
    assert found.error("own") == pytest.approx(0.5 / 40**0.5, rel=1e-9)
    assert found.error("free") == pytest.approx(0.5 / 4000**0.5, rel=0.3)


def test_grouping_keeps_order_even_where_keys_are_close() -> None:
    """Keys that differ in their last bits are not mixed."""
    rng = np.random.default_rng(1)
    for key in (
        rng.integers(0, 2**63, 500).astype(np.uint64),
        rng.integers(0, 3, 500).astype(np.uint64),
        np.uint64(2**40) + rng.integers(0, 2, 500).astype(np.uint64),
    ):
        order = spool.grouped(key)
        assert sorted(order.tolist()) == list(range(500))
        runs = [list(each) for _, each in itertools.groupby(order.tolist(), key.__getitem__)]
        assert len(runs) == len(set(key.tolist()))
        assert all(run == sorted(run) for run in runs)
        within = rng.integers(0, 7, 500)
        order = spool.grouped(key, within, 6)
        want = sorted(range(500), key=lambda i: (within[i], i))
        for one in set(key.tolist()):
            mine = [i for i in order.tolist() if key[i] == one]
            assert mine == [i for i in want if key[i] == one]


def test_long_logs_are_counted_by_several_days(tmp_path: Path) -> None:
    """Three years: periods of three days, and nothing is lost."""
    made = [
        (u, u % 7, 1_600_000_000 + int(k * 1095 * DAY / 4000), 1)
        for k, u in enumerate(np.random.default_rng(2).integers(0, 30, 4000).tolist())
    ]
    found = observe(
        tmp_path, written(tmp_path / "l.csv", text(made, ("user", "item", "time", "click")))
    )
    assert found.manifest["step_d"] == 3
    assert found.series("impressions")[1].sum() == 4000
    assert (dt.date.fromisoformat(found.manifest["last"]) - found.days()[-1]).days == 0
