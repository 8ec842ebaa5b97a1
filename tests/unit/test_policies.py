"""Policies: conditions, timing, ramps, layers, and exact resumption."""

import datetime as dt
from copy import deepcopy

import pytest
from pydantic import ValidationError

from twin.ground.errors import StateError
from twin.ground.units import DAY
from twin.mechanisms.policies import Policies, PoliciesParams, Policy, holds, parse_condition
from twin.world.board import Board
from twin.world.metric import Metric
from twin.world.state import World

GRID = 600
SHARE = Metric(
    "share", "gauge", "1", "A share.", "platform", "Test", labels={"by": ("human", "ai")}
)
LEVERS = {
    "feed.like": 0.5,
    "feed.ranking": "value",
    "feed.counts": True,
    "feed.slots": 10,
    "feed.weight": None,
}


@pytest.mark.parametrize(
    ("text", "parsed"),
    [
        ("share < 0.4", ("share", {}, "<", 0.4)),
        ("share>=1.0e-3", ("share", {}, ">=", 0.001)),
        (" posts{by=ai} <= -2 ", ("posts", {"by": "ai"}, "<=", -2.0)),
        ("r{head=like, by=human} > .5", ("r", {"head": "like", "by": "human"}, ">", 0.5)),
    ],
)
def test_conditions_are_read(text, parsed):
    """Metric, labels, operator, number."""
    assert parse_condition(text) == parsed


@pytest.mark.parametrize(
    "text",
    [
        "",
        "share",
        "share < ",
        "share = 1",
        "share == 1",
        "< 1",
        "share < x",
        "share < nan",
        "share < 1e999",
        "a b < 1",
        "p{by} < 1",
        "p{by=} < 1",
        "p{by=a,by=b} < 1",
        "p{ < 1",
        "share < 1 or 1 < 2",
        "__import__('os') < 1",
    ],
)
def test_bad_conditions_are_refused_with_the_mend(text):
    """Anything else is a ValueError that says what to write; it is never evaluated."""
    with pytest.raises(ValueError, match="write"):
        parse_condition(text)
    with pytest.raises(ValidationError):
        Policy(when=text)


def test_operators():
    """Each operator at, below and above its number; NaN meets nothing."""
    assert [holds(1.0, op, 1.0) for op in ("<", "<=", ">", ">=")] == [False, True, False, True]
    assert holds(0.0, "<", 1.0) and holds(2.0, ">", 1.0)
    assert not any(holds(float("nan"), op, 1.0) for op in ("<", "<=", ">", ">="))


def policy(**given):
    """A policy with its times in seconds, written as a scenario writes them."""
    return Policy(
        **{
            key: f"{value}s" if key in ("at", "until", "ramp") else value
            for key, value in given.items()
        }
    )


def make(*plan):
    """A world of a few levers under a plan."""
    world = World(dt.date(2025, 1, 1), 1, 0, Board([SHARE, *Policies.metrics]), GRID)
    world.levers.update(LEVERS)
    policies = Policies(PoliciesParams(plan=plan), world)
    policies.setup()
    return world, policies


def run(world, policies, until, share=None, every=6 * 3600):
    """Tick from ``world.now`` to ``until``; ``share(now)`` is published every six hours. History of
    lever feed.like."""
    history = {}
    while world.now <= until:
        policies.apply()
        history[world.now] = world.lever("feed.like")
        if share and world.now % every == 0:
            world.board.set("share", share(world.now), by="ai")
        if world.now % every == 0:
            policies.measure()
        world.now += GRID
    return history


def test_a_timed_policy_takes_hold_and_ends():
    """Levers of every type change at the time, return at ``until``, and both are marked."""
    change = {
        "feed.like": 0.1,
        "feed.ranking": "chronological",
        "feed.counts": False,
        "feed.weight": 2.5,
    }
    world, policies = make(policy(name="Calm", at=DAY, until=2 * DAY, set=change))
    history = run(world, policies, DAY - GRID)
    assert set(history.values()) == {0.5}
    run(world, policies, DAY)
    assert world.levers == {**LEVERS, **change}
    assert world.levers["feed.counts"] is False
    policies.measure()
    assert world.board.get("policies_active") == 1
    run(world, policies, 3 * DAY)
    assert world.levers == LEVERS and world.levers["feed.counts"] is True
    assert [(at, text.split(":")[0]) for at, _, text in world.marks] == [
        (DAY, "Calm"),
        (2 * DAY, "Calm"),
    ]
    assert "feed.ranking -> chronological" in world.marks[0][2] and world.marks[1][2].endswith(
        "ended"
    )


def test_a_ramp_is_a_straight_line():
    """Numbers move in equal steps of the grid; whole numbers stay whole; words change at once."""
    change = {"feed.like": 1.5, "feed.slots": 20, "feed.ranking": "random"}
    world, policies = make(policy(at=DAY, ramp=10 * GRID, set=change))
    history = run(world, policies, DAY + 4 * GRID)
    assert world.lever("feed.slots") == 14 and isinstance(world.lever("feed.slots"), int)
    assert world.lever("feed.ranking") == "random"
    history |= run(world, policies, 2 * DAY)
    line = [0.5 + min(k, 10) / 10 for k in range(20)]
    assert [history[DAY + k * GRID] for k in range(20)] == pytest.approx(line, abs=1e-12)
    assert history[2 * DAY] == 1.5


def test_policies_lie_on_one_another():
    """The later rules while it lasts; the end of the earlier beneath it changes nothing; then the
    first value returns."""
    world, policies = make(
        policy(name="a", at=DAY, until=3 * DAY, set={"feed.like": 1.0}),
        policy(name="b", at=2 * DAY, until=4 * DAY, set={"feed.like": 2.0}),
    )
    history = run(world, policies, 5 * DAY)
    assert [history[round(d * DAY)] for d in (0, 1, 1.5, 2, 2.5, 3, 3.5, 4, 5)] == [
        0.5,
        1,
        1,
        2,
        2,
        2,
        2,
        0.5,
        0.5,
    ]


def test_a_condition_reads_published_values_and_takes_hold_once():
    """Nothing before the first reading; then at the first tick after the reading that meets it; for
    good."""
    plan = policy(name="guard", when="share{by=ai} > 0.6", set={"feed.like": 9.0})
    world, policies = make(plan)
    history = run(world, policies, 5 * DAY, share=lambda now: 0.7 if DAY <= now < 2 * DAY else 0.1)
    assert min(at for at, value in history.items() if value == 9.0) == DAY + GRID
    assert history[5 * DAY] == 9.0 and len(world.marks) == 1
    world, policies = make(policy(name="low", when="share{by=ai} < 0.6", set={"feed.like": 9.0}))
    assert set(run(world, policies, DAY, share=lambda now: 0.7).values()) == {0.5}, (
        "unpublished zeros are not a reading"
    )


def copy(world, policies):
    """The run again from what a checkpoint holds: arrays, records, levers, board, time."""
    again, other = make(*policies.p.plan)
    again.state.clear()
    again.state.update({name: array.copy() for name, array in world.state.items()})
    again.records.update(deepcopy(world.records))
    again.levers.update(world.levers)
    again.board.values[:] = world.board.values
    again.now = world.now
    return again, other


@pytest.mark.parametrize(
    "stop", [0, DAY, DAY + 3 * GRID, DAY + 6 * 3600, 2 * DAY, 2 * DAY + 5 * GRID]
)
def test_a_resumed_run_goes_on_exactly(stop):
    """Stopped anywhere (before, in a ramp, at a reading, after an end) and rebuilt, the levers have
    the same history."""
    plan = (
        policy(name="ramp", at=DAY, until=2 * DAY + 6 * GRID, ramp=DAY, set={"feed.like": 3.0}),
        policy(name="guard", when="share{by=ai} > 0.75", ramp=7 * GRID, set={"feed.like": 0.0}),
    )

    def share(now):
        return 0.2 + now / DAY / 3

    whole = run(*make(*plan), 4 * DAY, share)
    world, policies = make(*plan)
    first = run(world, policies, stop, share)
    second = run(*copy(world, policies), 4 * DAY, share)
    assert {**first, **second} == whole and len(set(whole.values())) > 100


def test_a_fork_may_have_other_policies():
    """Continued under another plan, dropped policies let go of their levers and new ones take
    hold."""
    world, policies = make(policy(name="old", at=DAY, set={"feed.like": 3.0, "feed.slots": 3}))
    run(world, policies, 2 * DAY)
    fork = Policies(
        PoliciesParams(plan=(policy(name="new", at=3 * DAY, set={"feed.slots": 7}),)), world
    )
    run(world, fork, 2 * DAY + 2 * GRID)
    assert world.levers == LEVERS
    run(world, fork, 3 * DAY)
    assert world.levers == {**LEVERS, "feed.slots": 7}


def test_unnamed_policies_are_called_by_what_they_set():
    """The mark of a policy without a name says what it does."""
    world, policies = make(policy(at=0, set={"feed.like": 0.25}))
    run(world, policies, 0)
    assert world.marks == [(0, "policy", "feed.like -> 0.25")]


def test_an_idle_plan_costs_nothing():
    """Between its events a plan writes nothing, and unknown levers are an error."""
    world, policies = make(policy(name="late", at=300 * DAY, set={"feed.like": 0.25}))
    run(world, policies, 0)
    record = world.records["policies"]
    world.now = GRID
    world.state["policies.read"][0] = False
    policies.apply()
    assert world.records["policies"] is record
    with pytest.raises(StateError, match=r"did you mean feed\.like"):
        run(*make(policy(at=0, set={"feed.lik": 1.0})), 0)
    assert record == world.records["policies"]
