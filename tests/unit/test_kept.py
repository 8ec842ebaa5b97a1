"""What is kept between windows, and is made again exactly when something it follows from has
changed."""

from __future__ import annotations

import datetime as dt
import functools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from twin.engine.clocks import Calendar
from twin.ground.draws import Draws, wave
from twin.ground.units import NEVER
from twin.kernels.due import due_rows, earliest, first_free
from twin.kernels.orders import ordered
from twin.kernels.supply import total
from twin.world.board import Board
from twin.world.columns import FEW, Column, Table
from twin.world.state import Keep, Made, Watched, World


def table() -> Table:
    made = Table("things")
    made.define(Column("x", "f4", "1", "A number", start=7))
    made.define(Column("v", "i4", "1", "A vector", shape=(3,), start=-1))
    return made


def test_views_are_kept_until_the_table_grows() -> None:
    """The same view until rows are opened beyond the size, a column is added or contents are
    loaded."""
    made = table()
    made.add(np.arange(1, 11, dtype=np.uint64))
    view, readable, version = made["x"], made.readable("x"), made.version
    assert made["x"] is view and made.readable("x") is readable
    assert view.flags.writeable and not readable.flags.writeable
    view[2] = 3
    assert readable[2] == 3
    made.release(np.array([2, 5]))
    made.add(np.array([77], np.uint64))
    assert (
        made["x"] is view and made.version == version and view[2] == 7
    )  # a recycled row is in the view already
    assert np.flatnonzero(~made["alive"]).tolist() == [5]
    made.add(np.array([78, 79], np.uint64))
    assert (
        made["x"] is not view
        and made.version > version
        and len(made["x"]) == len(made.readable("x")) == 11
    )
    before, version = made["x"], made.version
    made.load({name: values.copy() for name, values in made.save().items()})
    assert made["x"] is not before and made.version > version
    made.define(Column("y", "i8", "1", "Another"))
    assert len(made["y"]) == 11


def test_many_recycled_rows_start_afresh_as_few_do() -> None:
    """Rows are cleared one by one or together: the same."""
    for count in (1, FEW, FEW + 1, 20):
        made = table()
        made.add(np.arange(1, 31, dtype=np.uint64))
        made["x"][:], made["v"][:] = 1, 2
        made.release(np.arange(3, 3 + count))
        rows = made.add(np.arange(100, 100 + count, dtype=np.uint64))
        assert rows.tolist() == list(range(3, 3 + count))
        assert (made["x"][rows] == 7).all() and (made["v"][rows] == -1).all()
        assert (np.delete(made["x"], rows) == 1).all()


def test_a_watched_dict_counts_every_way_of_writing() -> None:
    """Whatever writes raises the version; reading does not."""
    watched: Watched[int] = Watched()
    writes = (
        lambda: watched.__setitem__("a", 1),
        lambda: watched.update(b=2),
        lambda: watched.setdefault("c", 3),
        lambda: watched.__ior__({"d": 4}),
        lambda: watched.pop("a"),
        lambda: watched.__delitem__("b"),
        watched.popitem,
        watched.clear,
    )
    for write in writes:
        before = watched.version
        write()
        assert watched.version > before
    watched["e"] = 5
    before = watched.version
    assert watched["e"] == watched.get("e") == 5 and "e" in watched and dict(watched) == {"e": 5}
    assert watched.version == before


def test_levers_by_arm_follow_every_write() -> None:
    """The kept values are those of the levers and arms now."""
    world = World(dt.date(2025, 1, 1), 1, 0, Board([]))
    world.levers["a.x"] = 1
    assert world.levers_by_arm("consumers", "a.x") == [1]
    world.levers["a.x"] = 2
    assert world.levers_by_arm("consumers", "a.x") == [2]
    stamp = world.lever_version
    world.arms["consumers"] = [{}, {"a.x": 5}]
    assert world.lever_version > stamp and world.levers_by_arm("consumers", "a.x") == [2, 5]
    assert world.levers_by_arm("creators", "a.x") == [2]
    world.levers.update({"a.x": 3})
    assert world.levers_by_arm("consumers", "a.x") == [3, 5] and world.levers_by_arm(
        "creators", "a.x"
    ) == [3]
    world.arms.clear()
    assert world.levers_by_arm("consumers", "a.x") == [3]


def test_what_is_made_is_made_again_at_another_stamp_only() -> None:
    """`Made` keeps one value."""
    made, calls = Made[int](), []

    def make() -> int:
        calls.append(1)
        return len(calls)

    assert [made.get(stamp, make) for stamp in ((1, 2), (1, 2), (1, 3), (1, 2))] == [1, 1, 2, 3]


def test_kept_arrays_of_one_owner() -> None:
    """Names are seen without the prefix, and nobody else's."""
    world = World(dt.date(2025, 1, 1), 1, 0, Board([]))
    mine, other = Keep(world, "a"), Keep(world, "ab")
    mine["x"], other["x"], mine["y.z"] = np.zeros(1), np.ones(2), np.ones(3)
    assert (
        sorted(mine) == ["x", "y.z"]
        and len(other) == 1
        and "y.z" in mine
        and "y.z" not in other
        and 3 not in mine
    )
    assert {name: len(array) for name, array in mine.items()} == {"x": 1, "y.z": 3}
    assert sorted(world.state) == ["a.x", "a.y.z", "ab.x"]
    del mine["x"]
    assert "x" not in mine and mine.get("x") is None


@given(st.lists(st.integers(0, 12), max_size=300), st.integers(0, 13))
def test_due_rows_are_those_of_a_stable_sort(times: list[int], now: int) -> None:
    """Few are sorted by insertion and many by merging: as numpy does."""
    column = np.array(times, np.int64)
    expected = np.flatnonzero(column < now)
    expected = expected[np.argsort(column[expected], kind="stable")]
    rows = due_rows(column, now)
    assert rows.tolist() == expected.tolist() and rows.dtype == np.int64
    if len(rows):
        assert earliest(column, rows) == column[rows].min()


@given(st.lists(st.booleans(), max_size=50), st.integers(0, 60))
def test_the_first_free_rows(alive: list[bool], count: int) -> None:
    """The lowest rows that nobody has."""
    column = np.array(alive, bool)
    assert first_free(column, count).tolist() == np.flatnonzero(~column)[:count].tolist()


@given(st.data())
def test_an_order_does_not_depend_on_the_former_one(data: st.DataObject) -> None:
    """Whatever the former order was, stale or wrong, rows come sorted by value and row."""
    size = data.draw(st.integers(1, 60))
    by = np.array(data.draw(st.lists(st.integers(0, 9), min_size=size, max_size=size)), np.int64)
    inside = np.array(data.draw(st.lists(st.booleans(), min_size=size, max_size=size)), bool)
    former = np.array(data.draw(st.lists(st.integers(0, size + 5), max_size=80)), np.int32)
    rows = np.flatnonzero(inside).astype(np.int32)
    assert (
        ordered(rows, inside, by, former).tolist()
        == rows[np.argsort(by[rows], kind="stable")].tolist()
    )


@pytest.mark.parametrize("n", [*range(40), 127, 128, 129, 136, 1000, 8192, 8193, 20001])
def test_a_total_is_rounded_as_numpys_sum(n: int) -> None:
    """Of float32 numbers summed in float64."""
    values = np.random.default_rng(n).random(n).astype(np.float32)
    assert total(values.astype(float)) == float(values.sum(dtype=float))


@pytest.mark.parametrize("n", [1, 2, 9])
def test_waves_are_the_bits_of_normals(n: int) -> None:
    """Several decisions at once, for one occasion or one each."""
    draws, keys = Draws(3, 1), np.arange(5, 5 + n, dtype=np.uint64)
    for occasion in (0, 4, np.arange(n)):
        waves = draws.waves("o", (("a", 20), ("b", 4), ("c", 1)), keys, occasion)
        first = 0
        for name, count in (("a", 20), ("b", 4), ("c", 1)):
            expected = draws.normals(f"o.{name}", keys, count, occasion)
            found = [[wave.py_func(*waves, first + k, i) for k in range(count)] for i in range(n)]
            assert np.array_equal(found, expected)
            first += -(-count // 4) * 4


def test_clocks_of_one_instant_share_an_event_and_keep_their_order() -> None:
    """By rank, however they were declared; each at its own times; before the entities of the
    instant."""
    calendar, due, done = Calendar(0), {"slow": 6, "fast": 2, "first": 3}, []

    def tick(name: str, period: int) -> None:
        done.append((calendar.now, name))
        due[name] = calendar.now + period

    for rank, name, period in ((2, "slow", 6), (1, "fast", 2), (0, "first", 3)):
        calendar.every(
            functools.partial(due.__getitem__, name), rank, functools.partial(tick, name, period)
        )
    at = [6]

    def wake(row: int) -> None:
        done.append((calendar.now, f"row {row}"))
        at[0] = NEVER

    calendar.entity(4, lambda: at[0] if at[0] < NEVER else None, 9, wake)
    calendar.run(7)
    assert done == [
        (2, "fast"),
        (3, "first"),
        (4, "fast"),
        (6, "first"),
        (6, "fast"),
        (6, "slow"),
        (6, "row 4"),
    ]
    assert len(calendar) >= 3
