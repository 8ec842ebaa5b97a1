"""Shared worlds: small scenarios that use every mechanism."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from twin.engine import Simulation
from twin.scenario import Scenario, load

ROOT = Path(__file__).parent.parent
SMALL = ("audience.initial=300", "audience.arrivals=3/d", "creators.human.initial=60", "creators.human.arrivals=0.5/d",
         "creators.ai.initial=6", "creators.ai.arrivals=0.2/d", "network.follows_mean=10.0", "network.communities=6",
         "recommender.lists=8", "duration=32d", "metrics.every=1d")


@pytest.fixture(scope="session")
def small() -> Callable[..., Scenario]:
    """A world of 300 people with every mechanism; more ``path=value`` settings may be given."""

    def make(*settings: str, base: str = "base") -> Scenario:
        return load(ROOT / "scenarios" / f"{base}.yaml", (*SMALL, *settings))

    return make


def history(scenario: Scenario, *, reference: bool = False, oracle: bool = False) -> tuple[Simulation, NDArray[np.float64]]:
    """Run to the end; the simulation and every reading of every series (readings, series)."""
    simulation = Simulation(scenario, reference=reference, oracle=oracle)
    readings: list[NDArray[np.float64]] = []
    simulation.on_measure = lambda now, values: readings.append(values)
    simulation.begin()
    simulation.run(scenario.duration + 1)
    return simulation, np.array(readings)
