"""Memory: lazy columns, row numbers as narrow as they allow, growth, and what is counted and
estimated."""

import datetime as dt
from pathlib import Path

import numpy as np
import pytest

from tests.given.people import people
from twin.ground.errors import StateError
from twin.ground.memory import give_back
from twin.running.estimate import capped_mean, crowd
from twin.world import checkpoint
from twin.world.board import Board
from twin.world.columns import LEAST, NARROW, Column, lengthened, room_for
from twin.world.state import World


def test_a_lazy_column_takes_no_memory_until_it_is_written() -> None:
    """Reading shows its start value and allocates nothing; writing allocates; recycled rows start
    afresh either way."""
    made = people(1000)
    before = made.nbytes
    shown = made.readable("late")
    assert (
        shown.shape == (1000, 4)
        and (shown == -1).all()
        and made.nbytes == before
        and not made.holds("late")
    )
    with pytest.raises(ValueError, match="read-only"):
        shown[0] = 1
    made["late"][7] = 3
    assert made.holds("late") and made.nbytes == before + 16 * made.capacity
    assert (made.readable("late")[7] == 3).all() and made.readable("late").sum() == 4 * 3 - 4 * 999
    made.release(np.array([7]))
    made.add(np.array([5000, 5001], np.uint64))
    assert (made["late"] == -1).all() and len(made["late"]) == 1001
    with pytest.raises(StateError, match="late"):
        made.readable("lat")


@pytest.mark.parametrize("written", [False, True])
def test_lazy_columns_are_saved_only_where_they_are_held(written: bool) -> None:
    """A loaded table holds what the saved one held, and no more."""
    made, other = people(200), people(0)
    if written:
        made["late"][3] = 9
    other.load(made.save(), made.capacity)
    assert other.holds("late") == written == ("late" in made.save())
    assert other.capacity == made.capacity and np.array_equal(
        other.readable("late"), made.readable("late")
    )
    with pytest.raises(StateError, match="x"):
        other.load({name: values for name, values in made.save().items() if name != "x"})


def test_rows_of_another_table_take_two_bytes_while_they_fit(tmp_path: Path) -> None:
    """Columns of rows are widened when the other table outgrows two bytes, keep what they hold, and
    are loaded so."""

    def world() -> World:
        made = World(dt.date(2025, 1, 1), 1, 0, Board([]))
        made.define(
            "test",
            "people",
            Column("seen", "i4", "rows", "posts seen", start=-1, shape=(3,), rows_of="posts"),
        )
        late = Column("bought", "i4", "rows", "posts bought", start=-1, rows_of="posts", lazy=True)
        made.define("test", "people", late)
        made.define("test", "posts", Column("x", "f4", "1", "a number"))
        made.add("test", "people", np.arange(1, 11, dtype=np.uint64))
        return made

    first = world()
    first.add("test", "posts", np.arange(1, NARROW + 1, dtype=np.uint64))
    table = first.table("people")
    table["seen"][2] = NARROW - 1
    assert table["seen"].dtype == np.int16
    first.add("test", "posts", np.array([10**6], np.uint64))
    assert table["seen"].dtype == np.int32 == table["bought"].dtype
    assert (table["seen"][2] == NARROW - 1).all() and (table["seen"][3] == -1).all()
    checkpoint.save(tmp_path / "t1", first, {})
    second = world()
    checkpoint.load(tmp_path / "t1", second)
    loaded = second.table("people")["seen"]
    assert loaded.dtype == np.int32 and np.array_equal(loaded, table["seen"])


def test_nothing_grows_to_more_than_it_needs() -> None:
    """Growth leaves at most a 64th, or 64 entries, beyond the need; what was there stays, what is
    new is filled."""
    array, copies = np.zeros(0, np.int32), 0
    for need in range(1, 20_000, 7):
        grown = array if len(array) >= need else lengthened(array, room_for(need), -1)
        copies += grown is not array
        array = grown
        assert need <= len(array) <= need + max(LEAST, need // 50)
    assert (array == -1).all() and copies < 450
    made = people(0)
    for first in range(0, 30_000, 100):
        made.add(np.arange(first + 1, first + 101, dtype=np.uint64))
    assert made.nbytes <= 1.03 * made.bytes_per_row() * len(made)


def test_crowds_and_capped_means() -> None:
    """Closed forms against simulation and by hand."""
    assert crowd(100, 10, 0, 5) == 150 and crowd(100, 0, 0.1, 50) == 100
    assert crowd(100, None, 0.1, 50) == 100  # as many come as leave
    assert crowd(100, 10, 0.05, 1e9) == pytest.approx(200)
    draws = np.random.default_rng(1).lognormal(np.log(3) - 2, 2, 2_000_000)
    assert capped_mean(3, 2, 20) == pytest.approx(np.minimum(draws, 20).mean(), rel=0.01)
    assert capped_mean(3, 0, 2) == 2 and capped_mean(0, 1, 5) == 0


def test_large_blocks_are_given_back() -> None:
    """On Linux the C library is told to."""
    assert give_back()
