"""Policies for a share of people: who is treated, what they get, and that everybody else is left
alone."""

from collections.abc import Callable

import numpy as np
import pytest

from tests.conftest import history
from tests.worlds.shared import same_state
from twin.engine.simulation import Simulation
from twin.ground.errors import ScenarioError
from twin.ground.units import DAY
from twin.scenario.loading import Scenario

HALF = "policies=[{name: short slates, at: 2d, share: 0.5, set: {recommender.slate: 3}}]"


def test_a_share_is_a_stable_sample(small: Callable[..., Scenario]) -> None:
    """About half of people are treated, the same ones under any other setting, newcomers
    included."""
    one, _ = history(small("duration=8d", HALF))
    other, _ = history(small("duration=8d", HALF, "recommender.ranking=random"))
    arm = {
        int(k): int(a)
        for k, a in zip(
            one.world.table("consumers")["key"], one.world.table("consumers")["arm"], strict=True
        )
    }
    again = {
        int(k): int(a)
        for k, a in zip(
            other.world.table("consumers")["key"],
            other.world.table("consumers")["arm"],
            strict=True,
        )
    }
    both = arm.keys() & again.keys() - {
        0
    }  # who left may have been released in one world and not in the other
    assert len(both) > 310 and all(arm[key] == again[key] for key in both)
    treated = sum(arm.values())
    assert abs(treated - len(arm) / 2) < 3.9 * np.sqrt(len(arm)) / 2


def test_only_the_treated_are_treated(small: Callable[..., Scenario]) -> None:
    """After the policy's time the treated see at most three posts a session, the others up to
    ten."""
    simulation = Simulation(small("duration=9d", HALF))
    simulation.begin()
    simulation.run(8 * DAY)
    keep, people = simulation.world.state, simulation.world.table("consumers")
    simulation.run(8 * DAY + 6 * 3600 - 1)
    size = int(keep["recommender.log.size"][0])
    consumer, place = keep["recommender.log.consumer"][:size], keep["recommender.log.place"][:size]
    arm = people["arm"][consumer]
    assert (arm == 1).sum() > 20 and (arm == 0).sum() > 20
    assert place[arm == 1].max() == 2 and place[arm == 0].max() > 5


def test_two_shares_make_four_arms(small: Callable[..., Scenario]) -> None:
    """Policies for a share combine; a lever that only one of them sets keeps its value in the
    other's arm."""
    simulation, _ = history(
        small(
            "duration=4d",
            "policies=[{name: a, at: 1d, share: 0.5, set: {recommender.slate: 4}},"
            "{name: b, at: 1d, share: 0.5, set: {recommender.slate: 6, recommender.ai_factor: "
            "0.5}},"
            "{name: c, at: 2d, set: {recommender.ai_factor: 0.9}}]",
        )
    )
    world = simulation.world
    assert world.levers_by_arm("consumers", "recommender.slate") == [30, 4, 6, 6]
    assert world.levers_by_arm("consumers", "recommender.ai_factor") == [0.9, 0.9, 0.5, 0.5]
    assert set(world.table("consumers")["arm"].tolist()) == {0, 1, 2, 3}


def test_saving_keeps_arms(small: Callable[..., Scenario], tmp_path) -> None:
    """Run, save within the policy's time, load, run on: the same state to the last bit; reference
    mode too."""
    scenario = small("duration=8d", HALF)
    straight, _ = history(scenario)
    first = Simulation(scenario)
    first.begin()
    first.run(4 * DAY + 600)
    first.save(tmp_path / "t")
    second = Simulation(scenario)
    second.load(tmp_path / "t")
    second.run(scenario.duration + 1)
    assert same_state(straight, second) == []
    assert same_state(straight, history(scenario, reference=True)[0]) == []


@pytest.mark.parametrize(
    ("policy", "words"),
    [
        (
            "{share: 0.5, set: {recommender.learning_rate: 0.1}}",
            "cannot be set for a share of consumers",
        ),
        ("{share: 0.5, of: creators, set: {recommender.slate: 5}}", "of: consumers"),
        ("{share: 1.5, set: {recommender.slate: 5}}", "out of range"),
        ("{share: 0.5, of: posts, set: {recommender.slate: 5}}", "of"),
    ],
)
def test_mistakes(policy: str, words: str, small: Callable[..., Scenario]) -> None:
    """What cannot be given to a share is refused before the run, with the mend."""
    with pytest.raises(ScenarioError, match=words):
        small(f"policies=[{policy}]")
