"""Means by arm of a policy for a share."""

from collections.abc import Callable

import numpy as np

from tests.conftest import history
from twin.scenario.loading import Scenario

HALF = (
    "policies=[{name: t, at: 4d, share: 0.5, of: consumers, set: {audience.counts_shown: false}}]"
)


def test_arms_are_means_of_their_people_and_change_nothing_else(
    small: Callable[..., Scenario],
) -> None:
    """Every mean is that of its rows; without the mechanism all other metrics are bit for bit the
    same."""
    simulation, values = history(small("duration=8d", "trials.enabled=true", HALF))
    _, others = history(small("duration=8d", HALF))
    kept = [i for i, (metric, _) in enumerate(simulation.world.board.rows) if not metric.trial]
    assert np.array_equal(values[:, kept], others, equal_nan=True)
    table, get = simulation.world.table("consumers"), simulation.world.board.get
    here, arm = table["active"], table["arm"]
    for name, group in (
        ("everybody", here),
        ("treated", here & (arm == 1)),
        ("control", here & (arm == 0)),
    ):
        assert get("trial_satisfaction", arm=name) == table["satisfaction"][group].mean(
            dtype=np.float64
        )
    assert np.isnan(get("trial_income", arm="treated"))  # nobody's share of creators was asked for
    makers = simulation.world.table("creators")
    people = makers["active"] & ~makers["ai"]
    assert get("trial_income", arm="everybody") == makers["income"][people].mean(dtype=np.float64)


def test_sessions_of_the_arms_add_up(small: Callable[..., Scenario]) -> None:
    """Sessions per person and day, times the people, are the sessions of those who are still
    there."""
    simulation, _ = history(
        small(
            "duration=8d", "trials.enabled=true", "metrics.every=1d", "audience.arrivals=0/d", HALF
        )
    )
    table, get = simulation.world.table("consumers"), simulation.world.board.get
    here = table["active"]
    rates = {name: get("trial_sessions", arm=name) for name in ("everybody", "treated", "control")}
    treated = here & (table["arm"] == 1)
    parts = rates["treated"] * treated.sum() + rates["control"] * (here & ~treated).sum()
    assert np.isclose(rates["everybody"] * here.sum(), parts, rtol=1e-12)
    assert 0.1 < rates["everybody"] < 2
