"""What every mechanism must keep to, whoever wrote it, as plain functions.

Some checks take a class, some take a mechanism at work in a simulation (`grown` makes one), and
some take a scenario and run it. Each raises AssertionError and says what was found where.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twin.engine.simulation import Simulation
from twin.ground.units import DAY
from twin.scenario.loading import Scenario
from twin.world.mechanism import PHASES, Every, Mechanism
from twin.world.params import Params, leaves, meta

Kind = type[Mechanism[Any]]


def history(
    scenario: Scenario, *, reference: bool = False, oracle: bool = False
) -> tuple[Simulation, NDArray[np.float64]]:
    """Run to the end; the simulation and every reading of every series (readings, series)."""
    simulation = Simulation(scenario, reference=reference, oracle=oracle)
    readings: list[NDArray[np.float64]] = []
    simulation.on_measure = lambda now, values: readings.append(values)
    simulation.begin()
    # a barrier excludes its own second: one more takes the reading at the end
    simulation.run(scenario.duration + 1)
    return simulation, np.array(readings)


def grown(scenario: Scenario) -> Simulation:
    """The world at the end of the scenario, with its mechanisms. No check changes it."""
    return history(scenario)[0]


def of(simulation: Simulation, name: str) -> Mechanism[Any]:
    """The mechanism of that name at work in a simulation."""
    return next(mechanism for mechanism in simulation.mechanisms if mechanism.name == name)


def check_is_documented(kind: Kind) -> None:
    """A docstring on the mechanism and its parameters; every parameter with help, unit and
    source."""
    assert kind.__doc__, f"{kind.__name__} has no docstring"
    assert issubclass(kind.Params, Params), f"{kind.__name__}.Params is no Params"
    assert kind.Params.__doc__, f"{kind.Params.__name__} has no docstring"
    for path, info in leaves(kind.Params):
        assert info.description, f"{path} has no help"
        assert meta(info)["unit"] and meta(info)["source"], f"{path} lacks a unit or a source"


def check_columns_and_metrics_are_documented(kind: Kind) -> None:
    """Every column says what it is; every metric has a sentence, a unit, a side and a panel."""
    for table, columns in kind.columns.items():
        for column in columns:
            assert column.help and column.unit, f"{table}.{column.name} lacks its help or unit"
    for metric in kind.metrics:
        assert metric.unit and metric.panel and metric.side, f"{metric.name} is not complete"


def check_defaults_are_within_their_ranges(kind: Kind) -> None:
    """The defaults pass the same validation as a user's values."""
    dumped = kind.Params().model_dump()
    assert kind.Params.model_validate(dumped).model_dump() == dumped, f"{kind.Params.__name__}"


def check_needs_are_provided(kind: Kind, registry: Mapping[str, Kind]) -> None:
    """No service is needed that nobody offers."""
    offered = {service for other in registry.values() for service in other.provides}
    assert set(kind.needs) <= offered, f"nobody provides {sorted(set(kind.needs) - offered)}"


def check_clocks_lie_on_the_grid(mechanism: Mechanism[Any]) -> None:
    """Clocks are `Every` in known phases, and periods are multiples of the serving refresh."""
    for clock in mechanism.clocks():
        assert isinstance(clock, Every) and clock.phase in PHASES, f"{clock} is no known clock"
        assert clock.period % mechanism.world.grid == 0, (
            f"a period of {clock.period} s is no multiple of the serving refresh "
            f"(declare its parameter with grid=True)"
        )


def check_measuring_is_complete_finite_and_pure(simulation: Simulation, name: str) -> None:
    """`measure` writes every declared series and no other, all finite, and changes no column."""
    board, mechanism, world = simulation.world.board, of(simulation, name), simulation.world
    before = {(t, c): table[c].copy() for t, table in world.tables.items() for c in table.columns}
    kept = board.snapshot()
    # NaN marks what nobody writes
    board.values[:] = np.nan
    # a mechanism may read what those before it have measured
    for other in simulation.mechanisms:
        if other.order < mechanism.order:
            other.measure()
    known = ~np.isnan(board.values)
    mechanism.measure()
    found = board.values.copy()
    # all checks share this world
    board.values[:] = kept
    mine = {metric.name for metric in mechanism.metrics}
    if mechanism.reads_arms:
        # these follow from what all mechanisms declare
        mine |= {metric.name for metric in board.metrics.values() if metric.trial}
    written = {board.rows[i][0].name for i in np.flatnonzero(~np.isnan(found) & ~known)}
    assert written <= mine, f"{name} writes {sorted(written - mine)}, which it does not declare"
    for (metric, labels), value in zip(board.rows, found, strict=True):
        if metric.name in mine:
            # a mean over the sessions since the last reading has no value without any
            excused = "since the last reading" in metric.help or "no reading" in metric.help
            assert np.isfinite(value) or excused, f"{metric.name}{labels} was measured as {value}"
    for (table, column), old in before.items():
        same = np.array_equal(world.tables[table][column], old)
        assert same, f"measure() of {name} changed {table}.{column}"


def check_owns_what_it_writes(simulation: Simulation, name: str) -> None:
    """A mechanism can write its own columns, and gets read-only views of everybody's."""
    mechanism = of(simulation, name)
    for (table, column), owner in simulation.world.owners.items():
        if owner == name:
            assert mechanism.mine(table, column).flags.writeable, f"{table}.{column} is read-only"
        # the others may not even read every column, see `Column.hidden`
        elif mechanism.sees_hidden:
            assert not mechanism.read(table, column).flags.writeable, f"{table}.{column} is open"


def check_no_column_holds_nonsense(simulation: Simulation) -> None:
    """No living row holds a NaN or an infinity."""
    for name, table in simulation.world.tables.items():
        alive = table["alive"]
        for column in table.columns:
            values = table[column][alive]
            if values.dtype.kind == "f":
                assert np.isfinite(values).all(), f"{name}.{column} holds a NaN or an infinity"


def check_it_runs(scenario: Scenario) -> None:
    """The scenario runs to its end, and no reading is infinite: for tiny and dying worlds."""
    simulation, readings = history(scenario)
    assert simulation.world.now >= scenario.duration - DAY, "the run ended early"
    assert not np.isinf(readings[-1]).any(), "a reading is infinite"


def check_saved_and_loaded_continues_exactly(scenario: Scenario, whole: Simulation) -> None:
    """Saved half-way and loaded, the scenario ends as it did in ``whole``, to the bit.

    A mechanism that keeps anything that changes in an attribute of its own fails here: what changes
    belongs into columns and ``keep``.
    """
    half = Simulation(scenario)
    half.begin()
    half.run(scenario.duration // 2 // DAY * DAY)
    with tempfile.TemporaryDirectory(prefix="twin-") as folder:
        half.save(Path(folder) / "saved")
        # a new one, so that only what was saved reaches it
        rest = Simulation(scenario)
        rest.load(Path(folder) / "saved")
        rest.run(scenario.duration + 1)
    check_same_world(
        rest, whole, "saved and loaded; what changes belongs into columns or self.keep"
    )


def check_reference_mode_gives_the_same(scenario: Scenario, whole: Simulation) -> None:
    """With one process per person, the scenario ends as it did in ``whole``, to the bit.

    A mechanism whose result depends on the order or the size of a batch fails here.
    """
    check_same_world(
        history(scenario, reference=True)[0],
        whole,
        "one by one; what happens to one must not depend on who else is in the batch",
    )


def check_same_world(one: Simulation, other: Simulation, how: str = "") -> None:
    """Two simulations hold the same readings and the same columns; ``how`` they came about, and
    what to mend."""
    why = f" ({how})" if how else ""
    for (metric, labels), left, right in zip(
        one.world.board.rows, one.world.board.values, other.world.board.values, strict=True
    ):
        assert _equal(left, right), (
            f"{metric.name}{labels} is {left} in one and {right} in another{why}"
        )
    for name, table in one.world.tables.items():
        for column in table.columns:
            same = _equal(table[column], other.world.tables[name][column])
            assert same, f"{name}.{column} differs{why}"


def _equal(left: Any, right: Any) -> bool:
    left, right = np.asarray(left), np.asarray(right)
    # only floats hold a NaN, and numpy cannot look for one in every other type
    return np.array_equal(left, right, equal_nan=left.dtype.kind == "f")
