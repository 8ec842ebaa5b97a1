"""Forked worlds: a branch from a saved fork is the run that had its policy from the start."""

from pathlib import Path

import numpy as np
import pytest

from tests.conftest import history
from tests.given.forked import FORK, POLICIES, Make, file
from tests.worlds.shared import Run, run_once
from twin.experiments import forks
from twin.experiments.experiment import Experiment
from twin.experiments.forks import BASE, Branch
from twin.experiments.work.tasks import execute
from twin.ground.units import DAY
from twin.scenario.loading import Scenario, load


@pytest.fixture
def scenario(small: Make) -> Scenario:
    """Twelve days."""
    return small("duration=12d")


@pytest.fixture(scope="module")
def run() -> Run:
    """The world without a policy, once for all branches."""
    return run_once()


def branch(path: str, scenario: Scenario, experiment: Experiment) -> Branch:
    return forks.branch_of(path, FORK, scenario, experiment)


@pytest.mark.parametrize("name", list(POLICIES))
def test_a_branch_is_the_run_with_the_policy_timed_at_the_fork(
    name: str, scenario: Scenario, run: Run, tmp_path: Path
) -> None:
    """Trunk and branch, saved in between, give bit for bit the readings of a run from its start
    whose scenario has the timed policy."""
    experiment = Experiment(str(tmp_path / "out"), "compare", {}, scenario, quiet=True)
    made = branch(file(tmp_path, name, POLICIES[name]), scenario, experiment)
    for task in forks.tasks(scenario, FORK, [3], [made]):
        execute(experiment.store.root, task)
    parts = [experiment.store.read_array(f"runs/3/{part}.npy") for part in ("trunk", "0")]
    whole = load(
        tmp_path / "out" / "scenario.yaml", ("replicate=3",), (str(tmp_path / "out" / made.file),)
    )
    _, straight = history(whole)
    assert np.concatenate(parts).tobytes() == straight.tobytes()
    _, without = run(load(tmp_path / "out" / "scenario.yaml", ("replicate=3",)))
    assert straight[: len(parts[0])].tobytes() == without[: len(parts[0])].tobytes()
    assert straight.tobytes() != without.tobytes()


def test_what_is_read_is_per_day_and_per_bin(scenario: Scenario, tmp_path: Path) -> None:
    """Counters are events per day, also across the fork; a branch that failed is NaN; bins are
    means of the readings in them."""
    experiment = Experiment(str(tmp_path / "out"), "compare", {}, scenario, quiet=True)
    ways = [Branch(BASE), branch(file(tmp_path, "plain", POLICIES["plain"]), scenario, experiment)]
    for task in forks.tasks(scenario, FORK, [0, 1], ways):
        execute(experiment.store.root, task)
    experiment.failed = {"runs/1/1.npy": "broke"}
    bins = [(FORK, 7 * DAY), (FORK, 12 * DAY)]
    forked = forks.read(experiment, FORK, [0, 1], ways, bins)
    simulation, readings = history(load(tmp_path / "out" / "scenario.yaml", ("replicate=1",)))
    sessions, morale = (
        simulation.world.board.index(name) for name in ("sessions", "creator_morale")
    )
    base = forked.of[BASE][1]
    assert base[0, sessions] == readings[7, sessions] - readings[6, sessions]
    assert base[1, sessions] == pytest.approx(
        (readings[12, sessions] - readings[6, sessions]) / 6, rel=1e-12
    )
    assert base[1, morale] == pytest.approx(readings[7:13, morale].mean(), rel=1e-12)
    changed = forked.of[ways[1].name]
    assert np.isnan(changed[1]).all() and np.isfinite(changed[0, 0, sessions])
