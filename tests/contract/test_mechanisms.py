"""What every mechanism must keep to, whoever wrote it: the checks of `twin.testing` over the
registry.

``TWIN_MECHANISM=package.module.Class pytest tests/contract`` puts a mechanism of one's own through
it too, along with the others.
"""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from twin.engine.simulation import Simulation
from twin.ground.units import DAY
from twin.mechanisms import REGISTRY as BUILT_IN
from twin.scenario.loading import Scenario
from twin.scenario.outside import find
from twin.testing import contract
from twin.testing.suite import TINY

OWN = os.environ.get("TWIN_MECHANISM", "")
REGISTRY = dict(BUILT_IN)
if OWN:
    own = find(OWN, [Path()])[0]
    REGISTRY[own.name] = own
BROUGHT = (f"{own.name}.class={OWN}",) if OWN else ()
NAMES = sorted(REGISTRY)


@pytest.fixture(scope="module")
def grown(small: Callable[..., Scenario]) -> Simulation:
    """A world after twelve days with arrivals, exits and a full set of mechanisms."""
    return contract.grown(small("duration=12d", "trials.enabled=true", *BROUGHT))


@pytest.mark.parametrize("name", NAMES)
def test_is_documented(name: str) -> None:
    """A docstring on the mechanism, its module and its parameters; every parameter with help, unit
    and source."""
    contract.check_is_documented(REGISTRY[name])


@pytest.mark.parametrize("name", NAMES)
def test_columns_and_metrics_are_documented(name: str) -> None:
    """Every column says what it is; every metric has a sentence, a unit, a side and a panel."""
    contract.check_columns_and_metrics_are_documented(REGISTRY[name])


@pytest.mark.parametrize("name", NAMES)
def test_defaults_are_within_their_ranges(name: str) -> None:
    """The defaults pass the same validation as a user's values."""
    contract.check_defaults_are_within_their_ranges(REGISTRY[name])


@pytest.mark.parametrize("name", NAMES)
def test_clocks_lie_on_the_grid_in_known_phases(name: str, grown: Simulation) -> None:
    """Periods are multiples of the serving refresh."""
    contract.check_clocks_lie_on_the_grid(contract.of(grown, name))


@pytest.mark.parametrize("name", NAMES)
def test_needs_are_provided_by_somebody(name: str) -> None:
    """No service is needed that nobody offers."""
    contract.check_needs_are_provided(REGISTRY[name], REGISTRY)


@pytest.mark.parametrize("name", NAMES)
def test_measuring_is_complete_finite_and_pure(name: str, grown: Simulation) -> None:
    """`measure` writes every declared series and no other, all finite, and changes no column."""
    contract.check_measuring_is_complete_finite_and_pure(grown, name)


@pytest.mark.parametrize("name", NAMES)
def test_owns_what_it_writes(name: str, grown: Simulation) -> None:
    """A mechanism can write its own columns, and gets read-only views of everybody's."""
    contract.check_owns_what_it_writes(grown, name)


def test_no_column_holds_nonsense(grown: Simulation) -> None:
    """After twelve days no living row holds a NaN or an infinity."""
    contract.check_no_column_holds_nonsense(grown)


@pytest.mark.parametrize("settings", TINY.values(), ids=list(TINY))
def test_tiny_and_dying_worlds_run(
    settings: tuple[str, ...], small: Callable[..., Scenario]
) -> None:
    """Nobody, one of each, and a world that empties: a week goes by without an error or a NaN."""
    scenario = small("duration=8d", *settings, *BROUGHT)
    assert scenario.duration - DAY >= 7 * DAY
    contract.check_it_runs(scenario)


def test_arrivals_and_exits_happen(grown: Simulation) -> None:
    """IDs keep arriving: people joined and left, creators entered."""
    board = grown.world.board
    assert board.get("consumers_joined") > 300 and board.get("consumers_left") > 0
    assert board.get("creator_entries", by="human") > 60
