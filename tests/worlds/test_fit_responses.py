"""What the fit of responses takes from a world: features of meetings, what a filter hides, and feeds."""

from typing import Any

import numpy as np
import pytest

from tests.conftest import SCENARIOS
from twin.experiments.fitting import worlds as response_worlds
from twin.experiments.fitting.worlds import Filtering, Trunk, WorldSize
from twin.ground.units import DAY
from twin.kernels import respond
from twin.kernels.respond import FEATURES
from twin.scenario.loading import load

SMALL = WorldSize(people=300, burn_in=4, days=2)


@pytest.fixture(scope="module")
def forked(tmp_path_factory: pytest.TempPathFactory) -> Trunk:
    """A small trunk."""
    scenario = load(SCENARIOS / "base.yaml")
    return Trunk(
        SCENARIOS / "base.yaml",
        response_worlds.shrunk(scenario, SMALL),
        SMALL,
        tmp_path_factory.mktemp("trunk"),
    )


def test_features_are_those_of_the_kernel(forked: Trunk) -> None:
    """Every feature of every meeting of a day, against the compiled code by which people
    respond."""
    simulation = forked.branch()
    shown = forked.day(simulation)
    found = response_worlds.features(simulation, shown)
    assert len(found.eager) > 300 and shown.place.max() > 3
    audience: Any = next(each for each in simulation.mechanisms if each.name == "audience")
    sessions = audience.sessions
    people, posts, makers = sessions.people(), sessions.posts(), sessions.makers()
    behaviour = sessions.behaviour()
    same = response_worlds.same_before(shown, posts.creator[shown.post])
    x = np.empty(len(FEATURES))
    for m, (row, post) in enumerate(zip(shown.consumer, shown.post, strict=True)):
        meeting = respond.Meeting(
            row=row,
            post=post,
            likes=np.int64(posts.counts[post, respond.Response.LIKE]),
            same=int(same[m]),
            place=int(shown.place[m]),
        )
        respond.features(meeting, people, posts, makers, behaviour.shown[people.arm[row]], x)
        assert found.x[m] == pytest.approx(x, abs=1e-5)


def test_filter_hides_what_is_read_as_aroused_and_nothing_else(forked: Trunk) -> None:
    """Under a filter no post above the level is shown once a snapshot was published; a filter that
    nothing passes over changes nothing."""
    plain, same = forked.branch(), forked.branch(level=1e9)
    day = forked.day(plain)
    assert [each.tolist() for each in forked.day(same)] == [each.tolist() for each in day]
    read = plain.world.table("posts")["read"][:, response_worlds.READ_AROUSAL]
    level = float(np.quantile(read[day.post], 0.8))
    filtered = forked.branch(level=level)
    filtered.run(forked.at + 2 * filtered.world.grid)
    recommender: Any = next(each for each in filtered.mechanisms if isinstance(each, Filtering))
    first = len(recommender.learner.log)
    filtered.run(forked.at + DAY // 4)
    shown = recommender.learner.log.part(0).post[first:]
    assert (
        len(shown) > 30
        and filtered.world.table("posts")["read"][shown, response_worlds.READ_AROUSAL].max()
        <= level
    )
    assert read[day.post].max() > level


def test_branches_are_the_feeds_that_they_say(forked: Trunk) -> None:
    """From the fork on; the trunk's readings stay."""
    for name, settings in response_worlds.POLICIES.items():
        branch = forked.branch(name)
        assert response_worlds.total(branch) == response_worlds.total(forked.branch())
        branch.run(forked.at + DAY // 4)
        assert {lever: branch.world.levers[lever] for lever in settings} == settings
