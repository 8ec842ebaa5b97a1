"""What tests of worlds share: a world in which everything happens, worlds that are run once, and
whether two worlds are one."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from tests.conftest import history
from twin.engine.simulation import Simulation
from twin.scenario.describe import digest
from twin.scenario.loading import Scenario

Run = Callable[[Scenario], tuple[Simulation, NDArray[np.float64]]]

EVERYTHING = (
    "campaigns.accounts=8",
    "campaigns.begin=5d",
    "campaigns.end=25d",
    "creators.assisted_from=3d",
    "creators.human.work_share=0.2",
    "recommender.random_share=0.15",
    "policies=[{name: label, at: 6d, set: {creators.label_ai: 0.5}}, {name: rules, at: 12d, set: "
    "{campaigns.detection: 0.1}},"
    "{name: half, at: 8d, until: 20d, share: 0.5, set: {audience.counts_shown: false, "
    "recommender.shelf.kind: bought_together}},"
    "{name: makers, at: 9d, share: 0.3, of: creators, set: {creators.pay_like: 9.0}},"
    "{name: wide, at: 14d, set: {recommender.dim: 12}}, {name: quick, at: 18d, set: "
    "{recommender.retrain_every: 2h}}]",
)


def run_once() -> Run:
    """`history`, which runs equal scenarios once: for tests that only read what it gives."""
    made: dict[str, tuple[Simulation, NDArray[np.float64]]] = {}

    def run(scenario: Scenario) -> tuple[Simulation, NDArray[np.float64]]:
        key = digest(scenario)
        if key not in made:
            made[key] = history(scenario)
        return made[key]

    return run


def same_state(one: Simulation, other: Simulation) -> list[str]:
    """Names of tables, arrays and records that differ by a bit."""
    odd = [
        f"{name}.{column}"
        for name, table in one.world.tables.items()
        for column in table.columns
        if not np.array_equal(table[column], other.world.tables[name][column])
    ]
    for name, array in one.world.state.items():
        used = (
            int(one.world.state["recommender.log.size"][0])
            if name.startswith("recommender.log.")
            else len(array)
        )
        if (
            array[:used].tobytes() != other.world.state[name][:used].tobytes()
        ):  # the log's spare room is not state
            odd.append(name)
    odd += [
        f"record of {name}"
        for name, record in one.world.records.items()
        if record != other.world.records[name]
    ]
    return odd
