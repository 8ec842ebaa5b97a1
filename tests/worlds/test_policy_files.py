"""Policies in files of their own do in a world what they say."""

from collections.abc import Callable

import numpy as np

from tests.conftest import SCENARIOS, SMALL, history
from twin.scenario.loading import load
from twin.scenario.model import Scenario


def test_no_time_means_from_the_start(small: Callable[..., Scenario]) -> None:
    """A policy that says neither when nor at what time takes hold as the run begins, as `twin
    check` says."""
    scenario = small("duration=1d", "policies=[{name: now, set: {recommender.slate: 5}}]")
    assert scenario.policies[0].at is None and "from the start" in scenario.policies[0].describe()
    simulation, _ = history(scenario)
    assert simulation.world.lever("recommender.slate") == 5 and simulation.world.marks[0] == (
        0,
        "policy",
        "now: recommender.slate -> 5",
    )


def test_a_shipped_policy_does_what_it_says(small: Callable[..., Scenario]) -> None:
    """From the shipped chronological feed's time on, people are shown posts of those whom they
    follow only; before, nothing differs."""
    scenario = load(
        SCENARIOS / "base.yaml",
        (*SMALL, "duration=6d"),
        (str(SCENARIOS / "policies" / "chronological.yaml") + "@3d",),
    )
    simulation, readings = history(scenario)
    plain = history(small("duration=6d"))[1]
    assert np.array_equal(readings[:3], plain[:3], equal_nan=True)
    rows = [
        i
        for i, (metric, _) in enumerate(simulation.world.board.rows)
        if metric.name == "source_impressions"
    ]
    followed = simulation.world.board.index("source_impressions", source="in_network")
    assert readings[6, followed] > readings[4, followed] + 100
    assert all(
        readings[6, row] == readings[4, row] and plain[6, row] >= plain[4, row]
        for row in rows
        if row != followed
    )
    assert plain[6, rows].sum() - plain[6, followed] > plain[4, rows].sum() - plain[4, followed]
