"""How creators learn, what can be read of what pays, and what starts at rest: against numbers
worked out by hand or by other means."""

import numpy as np
import pytest

from tests.given.creators import LEAVING, SILENT, VISITS, go, make
from tests.given.makers import feel, followed, panel
from twin.ground.draws import children
from twin.ground.units import DAY
from twin.kernels import learn as kernel
from twin.mechanisms.creators.declared import UNSET
from twin.mechanisms.creators.incentives import FEWEST, slopes
from twin.mechanisms.creators.strategy import learned


def test_most_hardly_respond_and_a_minority_much():
    """Responsiveness has mean 1 and the given log-sd among humans; three in five lie below half; AI
    creators and log-sd 0 are all alike."""
    world, _ = make(people=20_000, human={"initial": 20_000}, ai={"initial": 50})
    creators = world.table("creators")
    human = creators["responsiveness"][~creators["ai"]].astype(float)
    assert (creators["responsiveness"][creators["ai"]] == 1).all()
    assert human.mean() == pytest.approx(1, abs=0.1) and np.log(human).std() == pytest.approx(
        1.5, abs=0.03
    )
    assert (human < 0.5).mean() == pytest.approx(0.61, abs=0.02)
    assert np.sort(human)[-2000:].sum() / human.sum() == pytest.approx(0.59, abs=0.05)
    other, _ = make(human={"initial": 50, "learning_log_sd": 0.0}, ai={"initial": 0})
    assert (other.table("creators")["responsiveness"] == 1).all()


def test_a_step_is_at_most_one_exploration():
    """The rule shared by the product and the fit: rate x sigma x score, cut at sigma, inside the
    bounds."""
    z, ones = np.array([0.5, 0.5, 0.5, 0.99]), np.ones(4)
    new = learned(z, 2 * ones, 0.1 * ones, np.array([0.25, -0.25, 7.0, 0.3]), (0.0, 1.0))
    assert new == pytest.approx([0.55, 0.45, 0.6, 1.0], abs=1e-12)


def circle(**human):
    """Five humans (creator i is the i-th person by row) with known rewards and strategies, who
    follow as stated."""
    world, mechanism = make(
        5,
        human={"initial": 5, "learning": 0.0, "imitation": 0.1, "learning_log_sd": 0.0, **human},
        ai={"initial": 0},
    )
    creators = world.table("creators")
    row = np.argsort(creators["person"])  # creator row of each person
    creators["baseline"][row] = [1.0, 2.0, 4.0, UNSET, 0.5]
    creators["arousal"][row] = [0.1, 0.4, 0.9, 0.7, 0.2]
    creators["comprehensiveness"][row] = [0.5, 0.1, 0.3, 0.9, 0.2]
    graph = followed(
        [row[1], row[2], row[3], row[4]], [row[0], -1], [row[0], row[1]], [row[2]], [row[0], row[2]]
    )
    world._services["follow_graph"] = lambda: graph
    return world, mechanism, row


def test_imitation_is_as_stated():
    """By hand: weighted by what others have over oneself; who follows nobody better, or has earned
    nothing yet, stays; slant too."""
    world, mechanism, row = circle()
    creators = world.table("creators")
    slant = creators["slant"].copy()
    mechanism.learning._imitate()
    first = 0.1 + 0.1 * (
        (1 * 0.4 + 3 * 0.9) / 4 - 0.1
    )  # of person 0, who follows 1 and 2 (better), 3 (unknown) and 4 (worse)
    last = 0.2 + 0.1 * (
        (0.5 * 0.1 + 3.5 * 0.9) / 4 - 0.2
    )  # of person 4; all look at what was, not at what the others turn to
    assert creators["arousal"][row] == pytest.approx([first, 0.4, 0.9, 0.7, last], abs=1e-6)
    assert creators["comprehensiveness"][row][0] == pytest.approx(
        0.5 + 0.1 * ((0.1 + 3 * 0.3) / 4 - 0.5), abs=1e-6
    )
    assert np.array_equal(creators["slant"], slant)


def test_imitation_knows_bounds():
    """Rate 0 changes no byte; a rate beyond 1 goes just to the models; models who have quit are
    none; the unresponsive do not move."""
    world, mechanism, row = circle(imitation=0.0)
    before = world.table("creators")["arousal"].copy()
    mechanism.learning._imitate()
    assert np.array_equal(before, world.table("creators")["arousal"])
    world, mechanism, row = circle(imitation=0.5)
    creators = world.table("creators")
    creators["responsiveness"][row[0]], creators["responsiveness"][row[4]] = 9.0, 0.0
    creators["active"][row[1]] = False
    mechanism.learning._imitate()
    assert creators["arousal"][row] == pytest.approx([0.9, 0.4, 0.9, 0.7, 0.2], abs=1e-6)


def entered(share, incumbents, community=0):
    """Arousal of 300 entrants where ``incumbents`` in their community are at arousal .9."""
    world, mechanism = make(
        2000, human={"initial": 1000, "entry_imitation": share, **SILENT}, ai={"initial": 0}
    )
    creators = world.table("creators")
    creators["arousal"][:] = 0.5
    creators["arousal"][creators["community"] == community] = 0.9
    creators["active"][np.flatnonzero(creators["community"] == community)[incumbents:]] = False
    people = world.table("consumers")
    persons = np.flatnonzero(people["community"] == community)[:300]
    before = len(creators)
    mechanism.population.enter(0, 300, persons)
    assert np.allclose(creators["entered_with"][before:, 0], creators["arousal"][before:])
    return creators["arousal"][before:].mean(dtype=float)


def test_entrants_begin_near_incumbents():
    """Centred the given share of the way from the parameter (.3) to the incumbents (.9), community
    by community; at the parameter where there are fewer than a handful, or the share is 0."""
    assert entered(1.0, 100) == pytest.approx(0.9, abs=0.02)  # cut at 1
    assert entered(0.5, 100) == pytest.approx(0.6, abs=0.02)
    assert entered(0.5, 5) == pytest.approx(0.6, abs=0.02)
    assert entered(0.5, 4) == pytest.approx(0.3, abs=0.02)
    assert entered(0.0, 100) == pytest.approx(0.3, abs=0.02)


def test_slopes_are_those_of_fixed_effects():
    """Nothing fades: the slopes are those of ordinary least squares on values less each creator's
    mean, to rounding (f4 means)."""
    (maker, x, y), sums = panel(np.random.default_rng(2), 40, 2000, np.array([1.0, -0.5, 0.0]))
    size = np.bincount(maker)
    inside = [v - (np.bincount(maker, v) / size)[maker] for v in (*x.T, y)]
    wanted = np.linalg.lstsq(np.stack(inside[:3], axis=1), inside[3], rcond=None)[0]
    beta, error = slopes(*sums)
    assert beta == pytest.approx(wanted, abs=2e-4) and (error > 0).all()


def test_slopes_are_not_read_off_nothing():
    """Too few posts, or a strategy that nobody varied: zeros, not an accident."""
    _, (second, fourth, count) = panel(np.random.default_rng(2), 5, 200, np.ones(3))
    assert (slopes(second, fourth, count)[1] > 0).all()
    assert not np.any(slopes(second, fourth, FEWEST - 1))
    second = second.copy()
    second[kernel.PAIRS - 1] = 0.0
    assert not np.any(slopes(second, fourth, count))


def test_incentives_of_settled_posts():
    """In a world where a post's pay is exp(4 arousal): slope near 4 of both kinds within two
    standard errors of rounding, others near 0; campaign accounts are not read; a reading changes no
    column."""
    world, mechanism = make(
        human={
            "initial": 60,
            "posts_mean": "3/d",
            "posts_log_sd": 0.0,
            "learning": 0.0,
            "imitation": 0.0,
        },
        ai={"initial": 10, "learning": 0.0},
        pay_like=0.0,
    )
    mechanism.accounts.enlist(20, 0.5, 5.0, np.ones((20, 16)), "c")
    posts, creators = world.table("posts"), world.table("creators")

    def see(w):
        new = posts["alive"] & ~posts["settled"]
        arousal = np.where(creators["campaign"][posts["creator"]], 0.0, posts["arousal"])
        posts["impressions"][new] = np.exp(6 + 4 * arousal[new])

    mechanism.measure()
    assert (
        world.board.get("incentive_slope", of="arousal", by="human")
        == 0
        == world.board.get("incentive_slope_se", of="slant", by="ai")
    )
    go(world, mechanism, 40, see)
    before = world.board.values.copy()
    mechanism.measure()
    for by in ("human", "ai"):
        assert world.board.get("incentive_slope", of="arousal", by=by) == pytest.approx(4, abs=0.02)
        for of in ("comprehensiveness", "slant"):
            assert world.board.get("incentive_slope", of=of, by=by) == pytest.approx(0, abs=0.02)
        assert 0 < world.board.get("incentive_slope_se", of="arousal", by=by) < 0.01
    assert (
        not np.array_equal(before, world.board.values)
        and not creators["window"][creators["campaign"]].any()
    )


def test_who_responds_is_who_has_moved():
    """More than .1 away from where they began, in either strategy; those who quit are not
    counted."""
    world, mechanism = make(human={"initial": 40, **SILENT}, ai={"initial": 10})
    creators = world.table("creators")
    mechanism.measure()
    assert world.board.get("creators_responding", by="human") == 0
    human = np.flatnonzero(~creators["ai"])
    creators["arousal"][human[:10]] = creators["entered_with"][human[:10], 0] - 0.11
    creators["comprehensiveness"][human[5:15]] += 0.12
    creators["comprehensiveness"][human[15:20]] += 0.09
    creators["active"][human[:3]] = False
    mechanism.measure()
    assert world.board.get("creators_responding", by="human") == pytest.approx(12 / 37)
    assert world.board.get("creators_responding", by="ai") == 0


def test_aspiration_is_a_plain_mean_at_first_then_fades():
    """Differences so small that the logistic is straight: the mean of all days until 1/n falls
    below 1 - memory, then a moving mean."""
    world, mechanism = make(
        human={"initial": 1, **SILENT}, ai={"initial": 0}, aspiration_memory=0.75
    )
    creators, x = world.table("creators"), 3 + 0.001 * np.arange(1.0, 7.0)
    for day in range(4):
        feel(mechanism, np.array([0]), x[day : day + 1])
        assert creators["aspiration"][0] == pytest.approx(x[: day + 1].mean(), abs=1e-6)
    feel(mechanism, np.array([0]), x[4:5])
    assert creators["aspiration"][0] == pytest.approx(0.75 * x[:4].mean() + 0.25 * x[4], abs=1e-6)
    assert creators["reckonings"][0] == 5


def test_morale_falls_with_reach_and_gets_used_to_it():
    """Reach is cut to a tenth: morale falls well below neutral, and comes back once the creator is
    used to it."""
    world, mechanism = make(human={"initial": 50, **SILENT}, ai={"initial": 0})
    creators, rows = world.table("creators"), np.arange(50)
    path = []
    for day in range(700):
        feel(mechanism, rows, np.full(50, np.log(101 if day < 100 else 11)))
        path.append(creators["morale"].mean(dtype=float))
    assert (
        path[99] == pytest.approx(0.5, abs=1e-6)
        and min(path) < 0.25
        and path[-1] == pytest.approx(0.5, abs=0.01)
    )


def expected(count, mechanism):
    """Exits a day of so many humans at rest."""
    return count * (mechanism.p.quit + LEAVING * (1 - mechanism.p.quit))


def test_entry_balances_expected_exit():
    """By default as many are due as leave at neutral morale, whatever happens later; a given rate,
    also by a lever, stands instead."""
    world, mechanism = make(1000, human={"initial": 400}, ai={"initial": 50}, ai_quit=0.01)
    assert mechanism.keep["balanced"] == pytest.approx([expected(400, mechanism), 0.5])

    def came(days, **levers):
        for name, value in levers.items():
            world.levers[f"creators.{name}.arrivals"] = value
        before = mechanism.keep["made"][:, 0].copy()
        for _ in range(days):
            world.now += DAY
            for kind in (0, 1):
                mechanism.population._arrive(kind)
        return mechanism.keep["made"][:, 0] - before

    assert came(600) == pytest.approx(600 * mechanism.keep["balanced"], rel=0.15)
    human, ai = came(50, human=4.0, ai=0.0)
    assert human == pytest.approx(200, rel=0.2) and ai == 0


def test_entry_does_not_follow_exits():
    """Two worlds, in one of which morale has sunk: more quit there, and on every day the same
    number comes in both."""
    counts = []
    for morale in (0.5, 0.1):
        world, mechanism = make(1000, human={"initial": 400}, ai={"initial": 0}, quit=0.005)
        for _ in range(60):
            world.now += DAY
            world.table("creators")["morale"][:] = morale
            mechanism.population.turnover()
        counts.append(mechanism.keep["made"][0].copy())
    assert counts[0][0] == counts[1][0] > 450 and counts[1][2] > 3 * counts[0][2]


def test_without_exits_nobody_is_due():
    """A closed world stays closed."""
    world, mechanism = make(human={"initial": 20}, ai={"initial": 10}, quit=0.0)
    world._services["visits"] = lambda: (np.full(200, VISITS), np.zeros(200))
    mechanism.balance.setup()
    assert not mechanism.keep["balanced"].any()


def test_reputation_starts_where_likes_keep_it():
    """Likes as expected, day by day: the mean over creators who leave and are replaced stays; each
    share goes by posts and followers; AI have none; it is given once; 0 gives none."""
    world, mechanism = make(
        1000,
        human={"initial": 300},
        ai={"initial": 20},
        likes_per_session=0.2,
        liked_through_follows=0.25,
    )
    creators = world.table("creators")
    creators["followers"][:] = np.where(creators["ai"], 40, np.arange(len(creators)))
    mechanism.balance.begin()
    human, rate = ~creators["ai"], creators["rate"].astype(float)
    fans = rate * creators["followers"]
    likes = 1000 * VISITS * 0.2 * (0.75 * rate / rate.sum() + 0.25 * fans / fans.sum())
    leave = expected(300, mechanism) / 300
    assert likes.sum() == pytest.approx(100) and not creators["reputation"][~human].any()
    assert creators["reputation"][human] == pytest.approx(
        likes[human] / (1 - 0.99 + leave), rel=1e-5
    )
    stock = creators["reputation"][human].sum(dtype=float)
    grown = (1 - leave) * (
        0.99 * stock + likes[human].sum()
    )  # a share leaves with theirs, newcomers begin with none
    assert grown == pytest.approx(stock, rel=1e-3)
    creators["reputation"][:] = 7
    mechanism.balance.begin()
    assert (creators["reputation"] == 7).all()
    other, mechanism = make(reputation_start=0.0)
    mechanism.balance.begin()
    assert not other.table("creators")["reputation"].any()


def test_endless_memory_starts_from_nothing():
    """Where reputation never fades and nobody leaves there is no state of rest: it starts at 0."""
    world, mechanism = make(quit=0.0, reputation_memory=1.0)
    mechanism.keep["balanced"][:] = 0.0
    mechanism.balance.begin()
    assert not world.table("creators")["reputation"].any()


def test_keys_alone_say_who_responds():
    """The factor is drawn by the creator's key: the same whoever else is there."""
    few, _ = make(human={"initial": 10})
    many, _ = make(human={"initial": 60})
    key = children(np.full(10, few.draws.stream("creators.creator.human")), np.arange(10))
    factors = [world.table("creators") for world in (few, many)]
    both = [
        table["responsiveness"][np.flatnonzero(np.isin(table["key"], key))] for table in factors
    ]
    assert np.array_equal(*both) and len(both[0]) == 10
