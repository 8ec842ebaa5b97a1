"""The recommender learns what matters, from its log alone, and falls short of an oracle.

What ranking achieves is compared, so no slots are kept for exploration or for creators whom one
follows, which an oracle does not need.

Quickstart world, enjoyed posts per session over the first 15 days after its warm-up of 60. A day's
mean is one observation; days are correlated, so the noise of a difference is taken from means over
blocks of three days, and a margin is five standard errors.
"""

import numpy as np
import pytest

from tests.conftest import SCENARIOS, history
from twin.scenario.loading import load

SETTINGS = (
    "warm_up=60d",
    "duration=15d",
    "policies=[]",
    "metrics.every=1d",
    "recommender.explore_slots=0",
    "recommender.in_network_slots=0",
    "recommender.refresh=30min",
)


def blocks(ranking: str, oracle: bool = False) -> np.ndarray:
    """Enjoyed posts per session, mean of each block of three days."""
    simulation, readings = history(
        load(SCENARIOS / "quickstart.yaml", (*SETTINGS, f"recommender.ranking={ranking}")),
        oracle=oracle,
    )
    board = simulation.world.board
    glad, visits = (readings[:16, board.index(name)] for name in ("enjoyed", "sessions"))
    return np.diff(glad)[:15].reshape(5, 3).sum(1) / np.diff(visits)[:15].reshape(5, 3).sum(1)


@pytest.fixture(scope="module")
def feeds() -> dict[str, np.ndarray]:
    return {
        "learned": blocks("value"),
        "popularity": blocks("popularity"),
        "random": blocks("random"),
        "oracle": blocks("value", True),
    }


@pytest.mark.parametrize("other", ["popularity", "random"])
def test_learned_beats_what_needs_no_learning(feeds: dict[str, np.ndarray], other: str) -> None:
    """By more than five standard errors of the difference."""
    gap = feeds["learned"] - feeds[other]
    assert gap.mean() > 5 * gap.std(ddof=1) / np.sqrt(len(gap))


def test_learned_goes_half_the_way_to_the_oracle(feeds: dict[str, np.ndarray]) -> None:
    """At least half of the way from popularity to ranking by true enjoyment, and not beyond it."""
    low, high = feeds["popularity"].mean(), feeds["oracle"].mean()
    assert 0.5 <= (feeds["learned"].mean() - low) / (high - low) < 1
