"""What every mechanism must keep to, whoever wrote it: over the registry, for free.

``TWIN_MECHANISM=package.module.Class pytest tests/contract`` puts a mechanism of one's own through
it too, along with the others.
"""

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tests.conftest import history
from twin.engine.simulation import Simulation
from twin.ground.units import DAY
from twin.mechanisms import REGISTRY as BUILT_IN
from twin.scenario.loading import Scenario
from twin.scenario.outside import find
from twin.world.mechanism import PHASES, Every, Mechanism
from twin.world.params import Params, leaves, meta

OWN = os.environ.get("TWIN_MECHANISM", "")
REGISTRY = dict(BUILT_IN)
if OWN:
    own = find(OWN, [Path()])[0]
    REGISTRY[own.name] = own
BROUGHT = tuple(f"{name}.class={OWN}" for name in REGISTRY if name not in BUILT_IN)
NAMES = sorted(REGISTRY)


@pytest.fixture(scope="module")
def grown(small: Callable[..., Scenario]) -> Simulation:
    """A world after twelve days with arrivals, exits and a full set of mechanisms."""
    return history(small("duration=12d", "trials.enabled=true", *BROUGHT))[0]


def of(simulation: Simulation, name: str) -> Mechanism:
    return next(m for m in simulation.mechanisms if m.name == name)


@pytest.mark.parametrize("name", NAMES)
def test_is_documented(name: str) -> None:
    """A docstring on the mechanism, its module and its parameters; every parameter with help, unit
    and source."""
    kind = REGISTRY[name]
    assert kind.__doc__ and kind.Params.__doc__ and issubclass(kind.Params, Params)
    for path, info in leaves(kind.Params):
        assert info.description, path
        assert meta(info)["unit"] and meta(info)["source"], path


@pytest.mark.parametrize("name", NAMES)
def test_columns_and_metrics_are_documented(name: str) -> None:
    """Every column says what it is; every metric has a sentence, a unit, a side and a panel."""
    for columns in REGISTRY[name].columns.values():
        for column in columns:
            assert column.help and column.unit, column.name
    for metric in REGISTRY[name].metrics:
        assert metric.unit and metric.panel and metric.side, metric.name


@pytest.mark.parametrize("name", NAMES)
def test_defaults_are_within_their_ranges(name: str) -> None:
    """The defaults pass the same validation as a user's values."""
    kind = REGISTRY[name].Params
    dumped = kind().model_dump()
    assert kind.model_validate(dumped).model_dump() == dumped


@pytest.mark.parametrize("name", NAMES)
def test_clocks_lie_on_the_grid_in_known_phases(name: str, grown: Simulation) -> None:
    """Periods are multiples of the serving refresh."""
    for clock in of(grown, name).clocks():
        assert isinstance(clock, Every) and clock.phase in PHASES
        assert clock.period % grown.world.grid == 0


@pytest.mark.parametrize("name", NAMES)
def test_needs_are_provided_by_somebody(name: str) -> None:
    """No service is needed that nobody offers."""
    offered = {service for kind in REGISTRY.values() for service in kind.provides}
    assert set(REGISTRY[name].needs) <= offered


@pytest.mark.parametrize("name", NAMES)
def test_measuring_is_complete_finite_and_pure(name: str, grown: Simulation) -> None:
    """`measure` writes every declared series and no other, all finite, and changes no column."""
    board, mechanism = grown.world.board, of(grown, name)
    before = {
        (t, c): table[c].copy() for t, table in grown.world.tables.items() for c in table.columns
    }
    kept = board.snapshot()
    board.values[:] = np.nan
    for other in grown.mechanisms:  # probes read what others measured
        if other.order < mechanism.order:
            other.measure()
    known = ~np.isnan(board.values)
    mechanism.measure()
    written = {board.rows[i][0].name for i in np.flatnonzero(~np.isnan(board.values) & ~known)}
    mine = {metric.name for metric in mechanism.metrics}
    values = np.array(
        [
            value
            for (metric, _), value in zip(board.rows, board.values, strict=True)
            if metric.name in mine
        ]
    )
    board.values[:] = kept
    assert written <= mine
    for (metric, _), value in zip(
        [row for row in board.rows if row[0].name in mine], values, strict=True
    ):
        assert (
            np.isfinite(value)
            or "since the last reading" in metric.help
            or "no reading" in metric.help
        ), metric.name
    for (t, c), old in before.items():
        assert np.array_equal(grown.world.tables[t][c], old), f"{t}.{c}"


@pytest.mark.parametrize("name", NAMES)
def test_owns_what_it_writes(name: str, grown: Simulation) -> None:
    """A mechanism can write its own columns, and gets read-only views of everybody's."""
    mechanism = of(grown, name)
    for (table, column), owner in grown.world.owners.items():
        if owner == name:
            assert mechanism.mine(table, column).flags.writeable
        elif mechanism.sees_hidden:
            assert not mechanism.read(table, column).flags.writeable


def test_no_column_holds_nonsense(grown: Simulation) -> None:
    """After twelve days no living row holds a NaN or an infinity."""
    for name, table in grown.world.tables.items():
        alive = table["alive"]
        for column in table.columns:
            values = table[column][alive]
            if values.dtype.kind == "f":
                assert np.isfinite(values).all(), f"{name}.{column}"


@pytest.mark.parametrize(
    "settings",
    [
        ("audience.initial=1", "creators.human.initial=0", "creators.ai.initial=0"),
        ("audience.initial=1", "creators.human.initial=1", "creators.ai.initial=1"),
        (
            "audience.initial=40",
            "creators.human.initial=5",
            "creators.ai.initial=0",
            "audience.arrivals=0/d",
            "audience.leave=1.0",
        ),
        ("recommender.dim=1", "recommender.lists=1", "recommender.slate=1"),
    ],
)
def test_tiny_and_dying_worlds_run(
    settings: tuple[str, ...], small: Callable[..., Scenario]
) -> None:
    """Nobody, one of each, and a world that empties: a week goes by without an error or a NaN."""
    simulation, readings = history(small("duration=8d", *settings, *BROUGHT))
    assert simulation.world.now >= 7 * DAY
    assert not np.isinf(readings[-1]).any()


def test_arrivals_and_exits_happen(grown: Simulation) -> None:
    """IDs keep arriving: people joined and left, creators entered."""
    board = grown.world.board
    assert board.get("consumers_joined") > 300 and board.get("consumers_left") > 0
    assert board.get("creator_entries", by="human") > 60
