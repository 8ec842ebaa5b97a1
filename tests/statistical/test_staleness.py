"""Monolith's second claim in the small: the fresher the served model, the better it predicts (Liu
et al. 2209.07663, sections 3 and 4).

Progressive AUC of clicks, 2,000 people, days 5 to 12. The difference between two runs on one day is
an observation (the same people and seed), and the margin is three standard errors of their mean.
"""

import numpy as np

from tests.conftest import SCENARIOS, history
from twin.scenario.loading import load

SETTINGS = (
    "warm_up=0d",
    "audience.initial=2000",
    "audience.arrivals=10/d",
    "creators.human.initial=150",
    "creators.ai.initial=8",
    "duration=12d",
    "metrics.every=6h",
)


def auc(*settings: str) -> np.ndarray:
    """Progressive AUC of clicks, daily mean."""
    simulation, readings = history(load(SCENARIOS / "base.yaml", (*SETTINGS, *settings)))
    return (
        readings[17:49, simulation.world.board.index("model_auc", head="click")]
        .reshape(8, 4)
        .mean(1)
    )


def test_online_training_beats_a_daily_batch() -> None:
    """Trained at every refresh and synced hourly, against trained and synced once a day; and the
    worse of them is better than chance."""
    batch = auc("recommender.retrain_every=1d", "recommender.sync_every=1d")
    gap = auc("recommender.training=online", "recommender.sync_every=1h") - batch
    assert batch.mean() > 0.52
    assert gap.mean() > 3 * gap.std(ddof=1) / np.sqrt(8)
