"""The run's own health, read from a world."""

from collections.abc import Callable

from twin.engine.simulation import Simulation
from twin.ground.units import DAY, HOUR
from twin.readers import health
from twin.scenario.loading import Scenario


def test_every_queue_of_a_run_is_explained(small: Callable[..., Scenario]) -> None:
    """What the engine counts as waiting has a word of help; untrained impressions pile up until
    they are trained on."""
    simulation = Simulation(small("recommender.retrain_every=1d", "duration=3d"))
    simulation.begin()
    assert set(simulation.queued()) <= set(health.QUEUES)
    simulation.run(DAY - HOUR)
    late = simulation.queued()["training"]
    simulation.run(DAY + HOUR)
    assert 0 <= simulation.queued()["training"] < late
