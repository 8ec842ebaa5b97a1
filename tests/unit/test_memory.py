"""Memory: lazy columns, row numbers as narrow as they allow, growth, and what is counted and
estimated."""

import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from twin.engine.simulation import Simulation
from twin.ground.errors import StateError
from twin.ground.memory import give_back
from twin.ground.units import DAY
from twin.running.estimate import BYTES_AT_REST, capped_mean, crowd, memory, plan
from twin.scenario.loading import Scenario
from twin.world import checkpoint
from twin.world.board import Board
from twin.world.columns import LEAST, NARROW, Column, Table, held_bytes, lengthened, room_for
from twin.world.state import World

PLAIN = {"base": (), "everything": ("policies=[]",)}


def people(count: int) -> Table:
    made = Table("people")
    made.define(Column("x", "f4", "1", "a number"))
    made.define(Column("late", "i4", "1", "written by few", start=-1, shape=(4,), lazy=True))
    made.define(Column("seen", "i4", "rows", "posts seen", start=-1, shape=(3,), rows_of="posts"))
    made.add(np.arange(1, count + 1, dtype=np.uint64))
    return made


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


def arrays_in(thing: Any, found: dict[int, np.ndarray], seen: set[int]) -> dict[int, np.ndarray]:
    """Whole arrays that can be reached from an object, by identity."""
    if id(thing) in seen or isinstance(thing, (str, bytes, int, float, type, Scenario)):
        return found
    seen.add(id(thing))
    if isinstance(thing, np.ndarray):
        whole = thing
        while isinstance(whole.base, np.ndarray):
            whole = whole.base
        found[id(whole)] = whole
        return found
    parts = (
        thing
        if isinstance(thing, (list, tuple))
        else thing.values()
        if isinstance(thing, dict)
        else getattr(thing, "__dict__", {}).values()
    )
    for part in list(parts):
        arrays_in(part, found, seen)
    return found


@pytest.mark.parametrize("base", ["base", "everything"])
def test_state_counts_all_that_is_held(base: str, small: Callable[..., Scenario]) -> None:
    """Every array that a simulation can reach is counted, with its unused end; and nothing much is
    unused."""
    simulation = Simulation(small("audience.initial=4000", "duration=6d", *PLAIN[base], base=base))
    simulation.begin()
    simulation.run(5 * DAY + 300)
    reached = sum(held_bytes(array) for array in arrays_in(simulation, {}, set()).values())
    counted = simulation.state_bytes()
    assert 0.97 * reached < sum(counted.values()) < 1.05 * reached
    tables = simulation.world.tables
    assert all(
        counted[f"table {name}"] <= 1.25 * table.bytes_per_row() * len(table)
        for name, table in tables.items()
        if len(table) > 1000
    )
    size = len(tables["consumers"])
    for name, array in simulation.world.state.items():
        if size < len(array) < 3 * size and name.split(".")[1] in ("serve", "network", "trained"):
            assert len(array) <= 1.25 * size, name


@pytest.mark.parametrize(("base", "days"), [("base", 8), ("everything", 12)])
def test_the_estimate_of_memory_is_that_of_the_world(
    base: str, days: int, small: Callable[..., Scenario]
) -> None:
    """State of a world that has run is within 20 % of what `twin check` says, altogether and in the
    largest parts."""
    scenario = small(
        "audience.initial=6000",
        "creators.human.initial=600",
        "network.follows_mean=30.0",
        f"duration={days}d",
        *PLAIN[base],
        base=base,
    )
    simulation, said = Simulation(scenario), memory(scenario)
    simulation.begin()
    simulation.run(scenario.duration)
    sizes = simulation.state_bytes()
    assert said.state == pytest.approx(sum(sizes.values()), rel=0.2)
    assert said.parts["consumers"] == pytest.approx(sizes["table consumers"], rel=0.1)
    graph = sum(size for name, size in sizes.items() if name.startswith("network."))
    assert said.parts["follow graph"] == pytest.approx(graph, rel=0.2)
    assert (
        BYTES_AT_REST + said.state < said.peak < 2 * (BYTES_AT_REST + said.state)
        and said.build <= said.peak
    )
    assert "bytes per consumer" in plan(scenario)


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


def test_the_reward_model_takes_memory_once_it_is_in_use(
    small: Callable[..., Scenario], tmp_path: Path
) -> None:
    """Off, it holds nothing; a policy that turns it on gives everybody a place, newcomers too; a
    resumed run agrees."""
    scenario = small(
        "duration=6d", "policies=[{name: on_now, at: 2d, set: {recommender.reward.weight: 1.0}}]"
    )
    first, second = Simulation(scenario), Simulation(scenario)
    first.begin()
    first.run(2 * DAY)
    kept = (
        "recommender.reward.pull",
        "recommender.reward.precision",
        "recommender.serve.reward.own",
    )
    assert all(len(first.world.state[name]) == 0 for name in kept)
    first.save(tmp_path / "t1")
    second.load(tmp_path / "t1")
    for simulation in (first, second):
        simulation.run(6 * DAY)
    people = len(first.world.table("consumers"))
    for name in kept:
        assert len(first.world.state[name]) >= people and first.world.state[name].any()
        assert np.array_equal(first.world.state[name], second.world.state[name])
    assert np.array_equal(first.world.board.values, second.world.board.values, equal_nan=True)
