"""Audits: what scores read exists in a world."""

from collections.abc import Callable

from twin.engine.simulation import Simulation
from twin.experiments.audit import scoring
from twin.experiments.audit.engineering import OUTCOMES
from twin.scenario.loading import Scenario

Small = Callable[..., Scenario]


def test_every_outcome_of_a_score_exists(small: Small) -> None:
    """The names in OUTCOMES are series of the world that has every mechanism of the base."""
    rows = Simulation(small()).world.board.rows
    assert {side: len(scoring.places(side, rows)) for side in OUTCOMES} == {
        side: len(OUTCOMES[side]) for side in OUTCOMES
    }
