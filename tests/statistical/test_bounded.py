"""State follows the living, not the past."""

from collections.abc import Callable

import pytest

from twin.engine.simulation import Simulation
from twin.ground.units import DAY
from twin.scenario.loading import Scenario


@pytest.mark.parametrize(
    ("base", "more"),
    [
        ("base", ()),
        (
            "everything",
            (
                "policies=[]",
                "recommender.work_expiry=30d",
                "campaigns.accounts=5",
                "creators.human.work_share=0.2",
            ),
        ),
    ],
)
def test_state_does_not_grow_with_time(
    base: str, more: tuple[str, ...], small: Callable[..., Scenario]
) -> None:
    """Bytes of state per living row, at day 240 against day 60 of a world whose people and posts
    come and go: at most 1.5x."""
    simulation = Simulation(small("duration=240d", "audience.leave=0.01", *more, base=base))
    simulation.begin()
    sizes = []
    for day in (60, 240):
        simulation.run(day * DAY)
        living = sum(int(table["alive"].sum()) for table in simulation.world.tables.values())
        sizes.append(sum(simulation.state_bytes().values()) / living)
    assert simulation.world.board.get("consumers_left") > 200  # many have come and gone
    assert sizes[1] <= 1.5 * sizes[0]
