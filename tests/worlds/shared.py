"""What tests of worlds share: a world in which everything happens, worlds that are run once, and
whether two worlds are one."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.conftest import history
from tests.given.forked import FORK
from twin.engine.simulation import Simulation
from twin.experiments import forks
from twin.experiments.experiment import Experiment
from twin.experiments.work.tasks import execute
from twin.mechanisms.audience import sessions
from twin.scenario.describe import digest
from twin.scenario.loading import Scenario, load

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


def cut(scenario: Scenario, at: int, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Simulation:
    """A scenario at its end that was saved at a second, on two threads, and continued on three,
    with sessions in the smallest chunks."""
    for small, value in (("SHARED", 2), ("LEAST_CHUNK", 1), ("MOST_CHUNK", 3), ("GATHERED", 3)):
        monkeypatch.setattr(sessions, small, value)
    half = Simulation(scenario, threads=2)
    half.begin()
    half.run(at)
    half.save(folder)
    rest = Simulation(scenario, threads=3)
    rest.load(folder)
    rest.run(scenario.duration + 1)
    return rest


def branched(scenario: Scenario, folder: Path, policy: str) -> list[NDArray[Any]]:
    """Readings of replicate 3 to FORK and from there on under a policy, and of a run that had the
    policy from its start. The scenario of all is in ``folder/out``."""
    (folder / "policy.yaml").write_text(policy)
    experiment = Experiment(str(folder / "out"), "compare", {}, scenario, quiet=True)
    made = forks.branch_of(str(folder / "policy.yaml"), FORK, scenario, experiment)
    for task in forks.tasks(scenario, FORK, [3], [made]):
        execute(experiment.store.root, task)
    parts = [experiment.store.read_array(f"runs/3/{part}.npy") for part in ("trunk", "0")]
    root = folder / "out"
    straight = load(root / "scenario.yaml", ("replicate=3",), (str(root / made.file),))
    return [*parts, history(straight)[1]]


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
