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


def test_on_each_day_come_as_many_as_its_weight_says(small: Callable[..., Scenario]) -> None:
    """Statistical, 3,000 people, fixed seed: where satisfaction moves nothing, on every day from the
    first on, 1 - (1 - h)^w of each come, within four standard errors; sessions follow people. A
    holiday of weight 0 is empty but for what a session before midnight goes over."""
    simulation, readings = history(
        small(
            "audience.calendar={week: [0.6, 0.8, 1, 1, 1.2, 2, 1.4],"
            " holidays: [2025-01-22, 2025-01-15..2025-01-16=0.5], holiday: 0}",
            *("audience.initial=3000", "audience.arrivals=0/d", "audience.time_zones=[0]"),
            *("audience.leave=0", "audience.return_effect=0", "duration=29d"),
            "recommender.refresh=30min",
        )
    )
    board = simulation.world.board
    people = readings[1:, board.index("consumers_daily")]
    sessions = np.diff(readings[:, board.index("sessions")])
    week = np.array([0.6, 0.8, 1, 1, 1.2, 2, 1.4]) * 7 / 8
    weight = week[(2 + np.arange(len(people))) % 7]  # the first day is a Wednesday
    weight[14:16] *= 0.5
    weight[21] = 0
    chance = 1 / (1 + np.exp(-simulation.world.table("consumers")["return_logit"].astype(float)))
    comes = 1 - (1 - chance[:, None]) ** weight
    error = np.sqrt((comes * (1 - comes)).sum(0))
    open_ = weight > 0
    z = (people - comes.sum(0))[open_] / error[open_]
    assert abs(z).max() < 4 and abs(z.mean()) < 4 / np.sqrt(len(z))
    assert people[21] == 0 and sessions[21] == 0
    a_person = sessions[open_].sum() / people[open_].sum()
    apart = sessions[open_] / people[open_] / a_person - 1
    assert (abs(apart) < 4 * 0.8 / np.sqrt(people[open_])).all()


def test_newcomers_come_by_the_weight_of_the_day(small: Callable[..., Scenario]) -> None:
    """None on days of weight 0; on one of weight 3 more than on the next, three of four expected
    and half demanded."""
    simulation, _ = history(
        small(
            "audience.calendar={week: [0, 1, 1, 1, 1, 3, 1]}",
            *("audience.arrivals=120/d", "duration=8d", "audience.initial=50"),
            "recommender.refresh=30min",
        )
    )
    joined = simulation.world.table("consumers")["joined_at"]
    daily = np.bincount(joined[joined > 0] // DAY, minlength=8)[1:8]
    weekday = (2 + np.arange(1, 8)) % 7
    assert (daily[weekday == 0] == 0).all()
    assert daily[weekday == 5].sum() > 1.5 * daily[weekday == 6].sum() > 0


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
