"""Slots that show a uniform draw: which they are, what they show, and that nothing else notices."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import binom, chi2

from tests.conftest import history
from twin.engine.simulation import Simulation
from twin.ground.units import DAY
from twin.kernels.retrieve import drawn
from twin.kernels.rules import SOURCES, Ranking, Source
from twin.kernels.snapshot import Serving
from twin.scenario.loading import Scenario

Small = Callable[..., Scenario]
KEPT = "duration=6d", "recommender.training=full"  # its log of seven days is all there is
RARE = 1e-5
"""How often each of these tests would fail on other luck, at most."""


@pytest.fixture(scope="module")
def served(small: Small) -> Serving:
    """A snapshot after three days; tests change copies of it."""
    simulation = Simulation(small("duration=4d"))
    simulation.begin()
    simulation.run(3 * DAY)
    serve: Serving = simulation.world.service("serving")()
    return serve


class Person(NamedTuple):
    """What a draw knows of people: one row."""

    key: NDArray[np.uint64]
    sessions: NDArray[np.int32]
    seen: NDArray[np.int32]


class Slots(NamedTuple):
    """What a draw needs of the scratch of a thread."""

    mark: NDArray[np.bool_]
    held: NDArray[np.int64]
    drawn: NDArray[np.int64]
    flag: NDArray[np.int8]


def many(
    serve: Serving, seen: NDArray[np.int32], sessions: int, slots: int
) -> tuple[NDArray[np.int64], NDArray[np.int8]]:
    """Posts and sources of so many sessions of one person, (sessions, slots)."""
    posts, flags = np.empty((sessions, slots), np.int64), np.empty((sessions, slots), np.int8)
    person = Person(np.full(1, 11, np.uint64), np.zeros(1, np.int32), seen[None])
    mark, held = np.zeros(len(serve.can), bool), np.empty(len(seen) + slots, np.int64)
    for n in range(sessions):
        person.sessions[0] = n
        room = Slots(mark, held, posts[n], flags[n])
        found = drawn(0, 0, slots, person, serve, np.uint64(7), room)
        assert found == (posts[n] >= 0).sum() == mark.sum()
        mark[:] = False
    return posts, flags


def ruled(served: Serving, share: float, mode: Ranking = Ranking.VALUE, few: int = 0) -> Serving:
    """The snapshot with a random share, and only so many eligible posts."""
    rules = served.rules.copy()
    rules["ranking"][0], rules["random_share"][0] = mode, share
    return served._replace(rules=rules, eligible=served.eligible[: few or None])


def test_every_post_is_as_likely_in_every_slot(served: Serving) -> None:
    """Chi-square over posts by slot, and over pairs of the first two; what was seen lately, twice
    or not, is never shown, nor is anything twice in a session."""
    serve = ruled(served, 1.0, few=14)
    seen = np.array(
        [serve.eligible[0], -1, serve.eligible[5], serve.eligible[5], serve.eligible[13]], np.int32
    )
    free = np.setdiff1d(serve.eligible, seen)
    posts, flags = many(serve, seen, 22_000, 6)
    assert len(free) == 11 and np.isin(posts, free).all() and (flags == Source.RANDOM).all()
    assert all(len(set(one)) == 6 for one in posts[:500].tolist())
    at = np.searchsorted(free, posts)
    for slot in range(6):
        counts, expected = np.bincount(at[:, slot], minlength=11), len(posts) / 11
        assert ((counts - expected) ** 2 / expected).sum() < chi2.isf(RARE / 6, 10)
    pairs, expected = np.bincount(11 * at[:, 0] + at[:, 1], minlength=121), len(posts) / 110
    pairs = pairs[np.arange(121) % 12 != 0]
    assert ((pairs - expected) ** 2 / expected).sum() < chi2.isf(RARE, 109)


def test_slots_are_chosen_by_luck_of_their_own(served: Serving) -> None:
    """The flagged share is the share; a larger share keeps the slots of a smaller one, and what
    they show first."""
    none, seen = np.full(4, -1, np.int32), np.full(32, -1, np.int32)
    posts, flags = many(ruled(served, 0.1), seen, 5000, 10)
    shown = posts >= 0
    assert (
        binom.isf(1 - RARE, 50_000, 0.1) <= shown.sum() <= binom.isf(RARE, 50_000, 0.1)
        and (flags[shown] == Source.RANDOM).all()
    )
    more, _ = many(ruled(served, 0.3), seen, 5000, 10)
    assert (more >= 0)[shown].all() and (more >= 0).sum() > 2 * shown.sum()
    everything, sources = many(ruled(served, 0.1, Ranking.RANDOM), none, 500, 10)
    assert (everything >= 0).all() and set(sources[:, :].ravel()) == {Source.RANDOM, Source.UNIFORM}
    assert np.array_equal(sources == Source.RANDOM, shown[:500])


def test_where_little_is_eligible(served: Serving) -> None:
    """All that there is is shown once, then nothing; with nothing eligible nothing is drawn."""
    posts, _ = many(ruled(served, 1.0, few=3), np.full(2, -1, np.int32), 50, 5)
    assert all(
        sorted(one[:3]) == served.eligible[:3].tolist() and one[3:] == [-1, -1]
        for one in posts.tolist()
    )
    empty = ruled(served, 1.0)._replace(eligible=served.eligible[:0], can=np.zeros_like(served.can))
    assert (many(empty, np.array([0, 3], np.int32), 5, 5)[0] == -1).all()


def sources(simulation: Simulation) -> NDArray[np.uint8]:
    """Sources of all impressions in the log."""
    learner = next(m for m in simulation.mechanisms if m.name == "recommender").learner  # type: ignore[attr-defined]
    found: NDArray[np.uint8] = learner.log.part(0).source
    return found


def test_flagged_in_the_log(small: Small) -> None:
    """In a world with caps and kept slots the flagged share of impressions is the share, and so
    says the metric; half of the people may have them alone; a feed that is random all over flags
    none unless told to."""
    simulation, _ = history(
        small(
            *KEPT,
            "recommender.random_share=0.3",
            "recommender.author_cap=1",
            "recommender.ai_cap=1",
            "recommender.slate=10",
        )
    )  # short, so that posts to rank never lack
    board = simulation.world.board
    shown = np.array([board.get("source_impressions", source=source) for source in SOURCES])
    count = int(shown.sum())
    assert binom.isf(1 - RARE, count, 0.3) <= shown[Source.RANDOM] <= binom.isf(RARE, count, 0.3)
    assert (sources(simulation) == Source.RANDOM).sum() == shown[Source.RANDOM]
    simulation, _ = history(small(*KEPT, "recommender.ranking=random"))
    assert set(sources(simulation)) == {Source.UNIFORM}
    half = "policies=[{name: half, share: 0.5, set: {recommender.random_share: 1.0}}]"
    simulation, _ = history(small(*KEPT, half))
    log = next(m for m in simulation.mechanisms if m.name == "recommender").learner.log.part(0)  # type: ignore[attr-defined]
    arm = simulation.world.table("consumers")["arm"][log.consumer]
    assert np.array_equal(log.source == Source.RANDOM, arm == 1) and 0 < arm.mean() < 1


def test_a_share_that_never_happens_changes_no_byte(small: Small) -> None:
    """Deciding on slots takes no luck from anything else."""
    _, without = history(small("duration=8d"))
    _, never = history(small("duration=8d", "recommender.random_share=1.0e-12"))
    assert np.array_equal(without, never, equal_nan=True)


def test_reference_mode_has_the_same_random_slots(small: Small) -> None:
    """One process per consumer, the same bytes."""
    settings = "duration=5d", "recommender.random_share=0.2"
    assert np.array_equal(
        history(small(*settings))[1], history(small(*settings), reference=True)[1], equal_nan=True
    )
    settings = "duration=5d", "recommender.ranking=random"
    assert np.array_equal(
        history(small(*settings))[1], history(small(*settings), reference=True)[1], equal_nan=True
    )


def test_quotas_and_rules_do_not_change_a_random_feed(small: Small) -> None:
    """What other sources would bring, caps, kept slots: a random feed is the same with and without,
    byte for byte."""
    settings = "duration=8d", "recommender.ranking=random"
    some, plain = history(small(*settings))
    rules = (
        "author_cap=1",
        "ai_cap=1",
        "exposure_floor=3",
        "explore_slots=0",
        "in_network_slots=0.0",
        *(f"quota.{name}=0" for name in ("in_network", "nearest", "trending", "explore")),
    )
    _, other = history(small(*settings, *(f"recommender.{rule}" for rule in rules)))
    assert (
        np.array_equal(plain, other, equal_nan=True)
        and some.world.board.get("impressions", by="human") > 500
    )
