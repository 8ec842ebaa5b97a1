"""Forked worlds: a branch from a saved fork is the run that had its policy from the start; files
that become branches; what is refused."""

from pathlib import Path

import pytest

from tests.given.forked import FORK, POLICIES, Make, file
from twin.experiments import forks
from twin.ground.errors import ScenarioError, UsageError
from twin.ground.units import DAY
from twin.scenario.describe import digest
from twin.scenario.loading import Scenario


@pytest.fixture
def scenario(small: Make) -> Scenario:
    """Twelve days."""
    return small("duration=12d")


def test_a_time_may_be_given_with_the_file(scenario: Scenario, tmp_path: Path) -> None:
    """FILE@TIME takes hold then, not at the fork, and names the branch; a date means the same."""
    path = file(tmp_path, "plain", POLICIES["plain"])
    plan = forks.planned(f"{path}@9d", FORK, scenario)
    assert plan.name == "plain at 9d" and [policy["at"] for policy in plan.policies] == ["9d"]
    assert plan.describe.startswith("chronological: at 9d: ")
    assert forks.planned(f"{path}@2025-01-10", FORK, scenario).policies == plan.policies
    assert forks.planned(path, FORK, scenario).policies[0]["at"] == "6d"
    own = file(tmp_path, "own", "name: o\nat: 2025-01-10T12:00\nset: {recommender.slate: 3}\n")
    assert [policy["at"] for policy in forks.planned(own, FORK, scenario).policies] == ["228h"]
    forks.distinct([plan, forks.planned(path, FORK, scenario)])


def test_a_condition_counts_from_the_fork_on(scenario: Scenario, tmp_path: Path) -> None:
    """A policy with a condition gets no time, but one from which on the condition counts."""
    plan = forks.planned(file(tmp_path, "c", POLICIES["conditional"]), FORK, scenario)
    assert plan.policies[0]["after"] == "6d" and "at" not in plan.policies[0]


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
        (
            "name: x\nat: 2025-01-03\nset: {recommender.slate: 3}\n",
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


STEPS = (
    "policies=[{name: late, at: 9d, set: {recommender.slate: 3}},"
    "{name: rare, when: creator_human_share < 0.1, after: 7d, set: {recommender.slate: 4}}]"
)


def test_a_scenarios_own_policies_are_a_branch(small: Make) -> None:
    """Against the same world without them, forked when the first can begin, or earlier."""
    with_own = small("duration=12d", STEPS)
    fork, bare, plan = forks.own(None, with_own)
    assert fork == 7 * DAY and not bare.policies
    assert digest(bare) == digest(small("duration=12d"))
    assert [policy["name"] for policy in plan.policies] == ["late", "rare"]
    assert forks.checked(bare, plan.policies, "own").policies == with_own.policies
    assert forks.own("5d", with_own)[0] == 5 * DAY


@pytest.mark.parametrize(
    ("settings", "at", "words"),
    [
        ((), None, "--policy: none is given, and base has none of its own"),
        ((STEPS,), "8d", "--at 8d: 'rare' of the scenario takes effect before, at 7d"),
        (("duration=6d", STEPS), None, "ends before its own take effect ('rare' at 7d"),
    ],
)
def test_own_policies_that_cannot_be_compared(
    small: Make, settings: tuple[str, ...], at: str | None, words: str
) -> None:
    """Each one line that names the mend."""
    with pytest.raises(UsageError) as refused:
        forks.own(at, small("duration=12d", *settings))
    assert words in str(refused.value)
