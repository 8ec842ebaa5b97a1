"""Forked worlds: a branch from a saved fork is the run that had its policy from the start; files
that become branches; what is refused."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tests.conftest import history
from twin.experiments import forks
from twin.experiments.experiment import Experiment
from twin.experiments.forks import BASE, Branch
from twin.experiments.work.tasks import execute
from twin.ground.errors import ScenarioError, UsageError
from twin.ground.units import DAY
from twin.scenario.loading import Scenario, load

FORK = 6 * DAY
Make = Callable[..., Scenario]
POLICIES = {
    "plain": "name: chronological\nset: {recommender.ranking: chronological}\n",
    "timed": "{name: small slates, at: 8d, set: {recommender.slate: 4}}\n",
    "conditional": "{name: many posts, when: 'posts{by=human} > 10', set: {recommender.ai_factor: "
    "0.2}}\n",
    "ramped": "{name: slowly, ramp: 4d, until: 11d, set: {recommender.ai_factor: 0.1}}\n",
    "shared": "{name: some, share: 0.3, of: consumers, set: {recommender.slate: 3}}\n",
    "creators": "{name: few, share: 0.5, of: creators, set: {creators.ai_posts_cap: 1}}\n",
    "several": "policies: [{name: one, set: {recommender.slate: 4}}, {name: two, at: 9d, set: "
    "{recommender.slate: 12}}]\n",
}


def file(folder: Path, name: str, text: str) -> str:
    (folder / f"{name}.yaml").write_text(text)
    return str(folder / f"{name}.yaml")


@pytest.fixture
def scenario(small: Make) -> Scenario:
    """Twelve days."""
    return small("duration=12d")


def branch(path: str, scenario: Scenario, experiment: Experiment) -> Branch:
    return forks.branch_of(path, FORK, scenario, experiment)


@pytest.mark.parametrize("name", list(POLICIES))
def test_a_branch_is_the_run_with_the_policy_timed_at_the_fork(
    name: str, scenario: Scenario, tmp_path: Path
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
    _, without = history(load(tmp_path / "out" / "scenario.yaml", ("replicate=3",)))
    assert straight[: len(parts[0])].tobytes() == without[: len(parts[0])].tobytes()
    assert straight.tobytes() != without.tobytes()


def test_a_time_may_be_given_with_the_file(scenario: Scenario, tmp_path: Path) -> None:
    """FILE@TIME takes hold then, not at the fork, and names the branch; a date means the same."""
    path = file(tmp_path, "plain", POLICIES["plain"])
    plan = forks.planned(f"{path}@9d", FORK, scenario)
    assert plan.name == "plain at 9d" and [policy["at"] for policy in plan.policies] == ["9d"]
    assert plan.describe.startswith("chronological: at 9d: ")
    assert forks.planned(f"{path}@2025-01-10", FORK, scenario).policies == plan.policies
    assert forks.planned(path, FORK, scenario).policies[0]["at"] == "6d"
    forks.distinct([plan, forks.planned(path, FORK, scenario)])


def test_a_condition_counts_from_the_fork_on(scenario: Scenario, tmp_path: Path) -> None:
    """A policy with a condition gets no time, but one from which on the condition counts."""
    plan = forks.planned(file(tmp_path, "c", POLICIES["conditional"]), FORK, scenario)
    assert plan.policies[0]["after"] == "6d" and "at" not in plan.policies[0]


def test_what_is_read_is_per_day_and_per_bin(scenario: Scenario, tmp_path: Path) -> None:
    """Counters are events per day, also across the fork; a branch that failed is NaN; bins are
    means of the readings in them."""
    experiment = Experiment(str(tmp_path / "out"), "compare", {}, scenario, quiet=True)
    ways = [Branch(BASE), branch(file(tmp_path, "plain", POLICIES["plain"]), scenario, experiment)]
    for task in forks.tasks(scenario, FORK, [0, 1], ways):
        execute(experiment.store.root, task)
    experiment.failed = {"runs/1/1.npy": "broke"}
    bins = [(FORK, 7 * DAY), (FORK, 12 * DAY)]
    forked = forks.read(experiment, scenario, FORK, [0, 1], ways, bins)
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


@pytest.mark.parametrize(
    ("text", "time", "words"),
    [
        (None, "", "there is no file"),
        ("name: x\nset: {recommender.slat: 3}\n", "", "x.yaml:2 set.recommender.slat: "),
        (
            "name: x\nset: {recommender.slate: 3}\n",
            "@3d",
            "the worlds are forked at 6d: 3d: has already passed",
        ),
        (
            "name: x\nset: {recommender.slate: 3}\n",
            "@soon",
            "soon: is neither a time since the start",
        ),
        (
            "name: x\nat: 2d\nset: {recommender.slate: 3}\n",
            "",
            "x.yaml:2 at: 2d has already passed",
        ),
        ("name: x\nset: {recommender.slate: 3}\n", "@40d", "after the end of the run"),
        ("- 3\n", "", "x.yaml"),
    ],
)
def test_wrong_policies_are_refused_in_a_line(
    text: str | None, time: str, words: str, scenario: Scenario, tmp_path: Path
) -> None:
    """What cannot be a branch is refused with file, line and reason before anything runs."""
    path = file(tmp_path, "x", text) if text is not None else str(tmp_path / "none.yaml")
    with pytest.raises((UsageError, ScenarioError)) as caught:
        forks.planned(path + time, FORK, scenario)
    assert words in str(caught.value)


def test_branches_have_names_of_their_own(scenario: Scenario, tmp_path: Path) -> None:
    """Two branches of one name, or whose files would have one, and one that is called like the
    world without a policy, are refused."""
    (tmp_path / "b").mkdir()
    paths = [
        file(folder, name, POLICIES["plain"])
        for folder, name in ((tmp_path, "a_b"), (tmp_path, "a-b"), (tmp_path / "b", "a_b"))
    ]
    plans = [forks.planned(path, FORK, scenario) for path in paths]
    for other in plans[1:]:
        with pytest.raises(UsageError, match="two branches would be called"):
            forks.distinct([plans[0], other])
    with pytest.raises(UsageError, match="cannot be called"):
        forks.planned(file(tmp_path, "as_it_is", POLICIES["plain"]), FORK, scenario)


def test_fork_time(scenario: Scenario) -> None:
    """Half-way by default, on a whole day; a time or a date; never after the end."""
    assert forks.fork_time(None, scenario) == 6 * DAY
    assert forks.fork_time("3d", scenario) == forks.fork_time("2025-01-04", scenario) == 3 * DAY
    with pytest.raises(UsageError, match="after the end of the run, which lasts 12d"):
        forks.fork_time("12d", scenario)
    with pytest.raises(UsageError, match="is neither"):
        forks.fork_time("later", scenario)
