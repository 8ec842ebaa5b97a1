"""How far people look on, who leaves, and how people differ in opening posts, in worlds."""

from collections.abc import Callable

import numpy as np
import pytest

from tests.conftest import history
from twin.engine.simulation import Simulation
from twin.ground.units import DAY
from twin.kernels import visits
from twin.scenario.loading import Scenario


@pytest.mark.parametrize("effect", [0.0, 8.0])
def test_people_look_on_while_posts_give(effect: float, small: Callable[..., Scenario]) -> None:
    """Statistical, fixed seeds: with an effect, sessions whose first post was viewed to the end go
    further, by more than five standard errors; without, they do not (within four)."""
    world = Simulation(
        small(
            f"audience.patience_effect={effect}",
            "audience.initial=1500",
            "recommender.retrain_every=30d",
            "duration=20d",
        )
    )
    world.begin()
    world.run(20 * DAY)
    keep = next(m for m in world.mechanisms if m.name == "recommender").keep
    size = int(keep["log.size"][0])
    place, responses = keep["log.place"][:size], keep["log.responses"][:size]
    begin = np.flatnonzero(place == 0)
    depth = np.diff(np.append(begin, size))
    good = responses[begin] >> 1 & 1 == 1  # stayed to the end: the log knows nothing of gladness
    gap = depth[good].mean() - depth[~good].mean()
    error = np.hypot(
        depth[good].std() / np.sqrt(good.sum()), depth[~good].std() / np.sqrt((~good).sum())
    )
    assert good.sum() > 300 and (gap > 5 * error if effect else abs(gap) < 4 * error)


def test_a_calendar_moves_visits_between_days(small: Callable[..., Scenario]) -> None:
    """Twice as many come on a day of weight 2 as on one of weight 1, about; a holiday of weight 0
    is empty but for second visits."""
    quiet = "audience.calendar={week: [1, 1, 1, 1, 1, 2, 2], holidays: [2025-01-22], holiday: 0}"
    simulation, readings = history(
        small(
            quiet,
            "audience.initial=3000",
            "audience.arrivals=0/d",
            "audience.time_zones=[0]",
            "audience.leave=0",
            "duration=29d",
        )
    )
    daily = readings[
        1:, simulation.world.board.index("consumers_daily")
    ]  # reading k is of day k - 1; the first day is a Wednesday
    week = daily[:28].reshape(4, 7)[:3]
    ordinary, free = week[:, [0, 1, 2, 5, 6]].mean(), week[:, [3, 4]].mean()
    assert (
        1.35 < free / ordinary < 2.0
    )  # chances are odds: of those who come nearly daily hardly more can
    assert daily[21] < 0.15 * ordinary


def test_newcomers_leave_by_the_beta_geometric_law(small: Callable[..., Scenario]) -> None:
    """Statistical, 4,000 people: after the n-th session the share a / (a + b + n - 1) of newcomers
    leaves, within four standard errors; of those who were there from the beginning none, where
    nobody else leaves."""
    a, b = 0.6, 1.4
    world = Simulation(
        small(
            "audience.initial=4000",
            f"audience.churn_a={a}",
            f"audience.churn_b={b}",
            "audience.leave=0",
            "audience.satisfaction_reference=0.3",
            "audience.satisfaction_start=0.3",  # the law holds at the reference
            "duration=1d",
        )
    )
    world.begin()
    audience = next(m for m in world.mechanisms if m.name == "audience")
    people, behaviour = audience.sessions.people(), audience.sessions.behaviour()  # type: ignore[attr-defined]
    for joined, session in ((1, 1), (1, 2), (1, 6), (0, 1)):
        people.joined_at[:], people.sessions[:] = joined, session
        gone = np.mean(
            [
                visits.next_visit(row, 3 * DAY, people, behaviour, 60) == visits.NEVER
                for row in range(len(people.key))
            ]
        )
        expected = a / (a + b + session - 1) if joined else 0.0
        assert abs(gone - expected) <= 4 * np.sqrt(expected * (1 - expected) / len(people.key))


def test_people_differ_in_clicks_as_declared(small: Callable[..., Scenario]) -> None:
    """Statistical, 4,000 people: the shift has the declared sd and goes with the chance to come as
    declared, within 0.05."""
    world = Simulation(
        small(
            "audience.initial=4000",
            "audience.click_sd=0.8",
            "audience.click_frequency=-0.5",
            "duration=1d",
        )
    )
    world.begin()
    people = world.world.table("consumers")
    shift, often = people["click_shift"], people["return_logit"]
    assert shift.std() == pytest.approx(0.8, abs=0.05) and shift.mean() == pytest.approx(
        0, abs=0.05
    )
    rank = np.argsort(np.argsort(often)) / len(often)
    assert np.corrcoef(shift, np.where(often == often.min(), 0.0, rank))[0, 1] == pytest.approx(
        -0.48, abs=0.05
    )


def test_people_differ_in_patience_as_declared(small: Callable[..., Scenario]) -> None:
    """Statistical, 4,000 people: the shift has the declared sd and nothing to do with who comes
    often; the patient look at more posts, by more than five standard errors, and none but
    themselves differ where the sd is nothing."""
    for sd in (0.0, 0.8):
        world = Simulation(
            small("audience.initial=4000", f"audience.patience_sd={sd}", "duration=2d")
        )
        world.begin()
        world.run(2 * DAY)
        people = world.world.table("consumers")
        shift, came = people["patience_shift"], people["sessions"] > 0
        assert shift.std() == pytest.approx(sd, abs=0.04) and abs(shift.mean()) < 0.06
        if sd:
            assert abs(np.corrcoef(shift, people["return_logit"])[0, 1]) < 0.07
            looked = people["pull_count"][came] / people["sessions"][came]
            more, fewer = looked[shift[came] > 0.5], looked[shift[came] < -0.5]
            assert more.mean() - fewer.mean() > 5 * np.hypot(
                more.std() / len(more) ** 0.5, fewer.std() / len(fewer) ** 0.5
            )
