"""Worlds for the fit of responses: one trunk per replicate, forked into feeds as field experiments
assigned them.

    as it is     the scenario's own feed
    engagement   the published weights of X, April 2023 (`recommender.preset: x_2023`), for one day
    newest       newest posts of accounts followed, nothing else, for one day against engagement
    by_time      the candidates of the feed, by time: all days against as it is
    filtered     as it is, without the posts of highest arousal as the classifier reads it. Hidden
                 is the share `TOXIC` of what the trunk's feed shows in the day after the fork.
                 Toxicity stands for arousal (an assumption)

The following is read off them. Here a is arousal, and o and s are the reader's opinion and the
post's slant, over impressions of the first day:

    shown_arousal       (mean a, engagement - mean a, newest) / sd of a in both
    shown_animosity     the same of a |o - s|: aroused posts from the other side (an assumption)
    chronological_time  log of impressions per day, by_time over as it is; impressions stand for
                        time on the app
    filtered_time       log of impressions per day, filtered over as it is

Time is read off by_time, not off newest. A feed of accounts followed alone runs out of posts here,
where people follow thirty accounts and a post lasts two days. On the platform of the experiment
friends, groups and pages always had more. With newest a fit takes the lack of posts for impatience.

Branches of a replicate share their luck. The last serving window of each interval between trainings
is not yet in the log when it is read, so its impressions are missing from the day, at random and in
all branches alike. Times are over all days after the fork, so an effect that builds up over months
is only partly read.
"""

from __future__ import annotations

import dataclasses
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from twin.engine.simulation import Simulation
from twin.experiments.fitting.meetings import Meetings
from twin.ground.units import DAY, format_duration
from twin.kernels.index import Listed
from twin.kernels.respond import FEATURES, Feature, Response
from twin.kernels.side import AROUSAL as READ_AROUSAL
from twin.mechanisms import REGISTRY
from twin.mechanisms.recommender import Recommender
from twin.mechanisms.recommender.serving import Server
from twin.scenario.loading import Scenario, load
from twin.scenario.yamlish import write_text
from twin.world.state import Made

Floats = NDArray[np.float64]
TOXIC = 0.066
"""Share of the feed that is hidden, Beknazar-Yuzbashev et al."""
EFFECTS = ("shown_arousal", "shown_animosity", "chronological_time", "filtered_time")
POLICIES: dict[str, dict[str, Any]] = {
    "engagement": {"recommender.preset": "x_2023"},
    "newest": {
        "recommender.ranking": "chronological",
        "recommender.quota.in_network": 100,
        **{
            f"recommender.quota.{source}": 0
            for source in ("nearest", "trending", "explore", "co_viewed", "bought_together")
        },
    },
    "by_time": {"recommender.ranking": "chronological"},
}


class FilteringServer(Server):
    """Serves no post whose arousal is read as above ``level`` (in the classifier's scaled unit)."""

    # No post is above it: without a level the filter does nothing.
    level = np.inf

    def _allowed(self) -> NDArray[np.bool_]:
        allowed: NDArray[np.bool_] = self.m.mine("posts", "read")[:, READ_AROUSAL] <= self.level
        return allowed

    def eligible(self) -> NDArray[np.int32]:
        """Rows of the posts that the feed may show now."""
        rows = super().eligible()
        return rows[self._allowed()[rows]]

    def refresh(self) -> None:
        """Publish a new snapshot that respects what the classifier has read since the last one."""
        # kept lists would not know what the classifier has read since
        self._listed = Made()
        super().refresh()

    def _list(self) -> Listed:
        listed = super()._list()
        return listed._replace(alive=listed.alive & self._allowed())


class Filtering(Recommender):
    """The recommender behind such a filter."""

    serves = FilteringServer


@dataclasses.dataclass(frozen=True)
class WorldSize:
    """Size of worlds: consumers, days between the warm-up and the fork, and days after it."""

    people: int = 6_000
    burn_in: int = 1
    days: int = 14


class Shown(NamedTuple):
    """Impressions of a day: rows of consumers and posts, place in the session, all (M,)."""

    consumer: NDArray[np.int64]
    post: NDArray[np.int64]
    place: NDArray[np.int64]


WARM_UP = "60d"
"""Warm-up of worlds for fitting, as it was when the slopes of the default world were fitted."""


def shrunk(scenario: Scenario, size: WorldSize) -> list[str]:
    """Settings that shrink a scenario to so many people, with creators and arrivals in proportion,
    and set its duration.

    For speed the serving snapshot is renewed every half hour only.
    """
    audience: Any = scenario.mechanisms["audience"]
    creators: Any = scenario.mechanisms["creators"]
    by = size.people / audience.initial
    made = [
        f"audience.initial={size.people}",
        f"audience.arrivals={audience.arrivals * by:.6f}/d",
        "recommender.refresh=30min",
        f"warm_up={WARM_UP}",
        f"duration={size.burn_in + size.days + 1}d",
        "metrics.every=1d",
    ]
    for kind in ("human", "ai"):
        own = getattr(creators, kind)
        made.append(f"creators.{kind}.initial={max(round(own.initial * by), 1)}")
        if own.arrivals is not None:
            made.append(f"creators.{kind}.arrivals={own.arrivals * by:.6f}/d")
    return made


def features(simulation: Simulation, shown: Shown) -> Meetings:
    """The features of meetings by the present columns. Likes are present ones too, some hours after
    most of the meetings."""
    people, posts, creators = (
        simulation.world.table(name) for name in ("consumers", "posts", "creators")
    )
    c, p = shown.consumer, shown.post
    opinion = (
        people["opinion"][c].astype(float) if "opinion" in people.columns else np.zeros(len(c))
    )
    slant, maker = posts["slant"][p].astype(float), posts["creator"][p]
    rating = (
        posts["rating_shown"][p].astype(float)
        if "rating_shown" in posts.columns
        else np.zeros(len(c))
    )
    levers = simulation.world.levers
    # one array for all: it is replaced below, never written into
    x = dict.fromkeys(FEATURES, np.zeros(len(c)))
    # these must follow `kernels.respond`, feature by feature
    x["match"] = np.einsum("md,md->m", people["taste"][c], posts["content"][p], dtype=float)
    for name in ("quality", "comprehensiveness", "arousal"):
        x[name] = posts[name][p].astype(float)
    x["agreement"] = 1 - np.abs(opinion - slant)
    x["proof"] = np.log1p(posts["counts"][p, Response.LIKE]) * bool(levers["audience.counts_shown"])
    x["reputation"] = np.log1p(creators["reputation"][maker].astype(float))
    x["fatigue"] = same_before(shown, maker) + 0.1 * shown.place
    x["label"] = posts["labelled"][p].astype(float)
    x["rating"] = np.where(rating > 0, rating - 3, 0.0) * bool(
        levers.get("ratings.ratings_shown", False)
    )
    return Meetings(
        np.stack([x[name] for name in FEATURES], axis=1),
        people["eagerness"][c].astype(float),
        opinion,
        slant,
        p,
    )


def same_before(shown: Shown, maker: NDArray[Any]) -> Floats:
    """How many posts of the same creator the session showed before each (M,); place 0 begins a
    session."""
    session = np.cumsum(shown.place == 0)
    # Sorted by session and creator, so that equal pairs are neighbours, each in order of place.
    order = np.lexsort((np.arange(len(maker)), maker, session))
    new = np.r_[True, (np.diff(session[order]) != 0) | (np.diff(maker[order]) != 0)]
    begin = np.maximum.accumulate(np.where(new, np.arange(len(order)), 0))
    out = np.empty(len(order))
    out[order] = np.arange(len(order)) - begin
    return out


def standardised(high: Floats, low: Floats) -> float:
    """Difference of means over the sd of both together."""
    return float((high.mean() - low.mean()) / np.concatenate([high, low]).std())


def total(simulation: Simulation) -> float:
    """Impressions so far, as consumers counted them."""
    audience = next(each for each in simulation.mechanisms if each.name == "audience")
    counted = audience.keep["total"][0]
    return float(counted["impressions_human"] + counted["impressions_ai"])


class Trunk:
    """A replicate: the world up to the fork, from which branches continue."""

    def __init__(self, path: Path, sets: Sequence[str], size: WorldSize, folder: Path) -> None:
        self.path, self.sets, self.size, self.folder = path, list(sets), size, folder
        self.at = size.burn_in * DAY
        trunk = Simulation(self._scenario(None))
        trunk.begin()
        trunk.run(self.at)
        # All branches start from these bytes, so that they share all luck before the fork.
        trunk.save(folder / "trunk")

    def _scenario(self, policy: str | None) -> Scenario:
        files = []
        if policy is not None:
            file = self.folder / f"{policy}.yaml"
            file.write_text(write_text({"name": policy, "set": POLICIES[policy]}), encoding="utf-8")
            files.append(f"{file}@{format_duration(self.at)}")
        return load(self.path, self.sets, files, {**REGISTRY, "recommender": Filtering})

    def branch(self, policy: str | None = None, level: float = np.inf) -> Simulation:
        """The world at the fork, from then on with a policy, or with a filter at ``level``."""
        simulation = Simulation(self._scenario(policy))
        simulation.load(self.folder / "trunk")
        recommender: Any = next(
            each for each in simulation.mechanisms if isinstance(each, Filtering)
        )
        recommender.server.level = level
        return simulation

    def day(self, simulation: Simulation) -> Shown:
        """Run the first day after the fork; what was shown in it."""
        recommender: Any = next(
            each for each in simulation.mechanisms if isinstance(each, Filtering)
        )
        # The log is kept by training interval, so it is read at the end of each.
        log, every = recommender.learner.log, min(int(recommender.lever("retrain_every")), DAY)
        parts = []
        for now in range(self.at + every, self.at + DAY + 1, every):
            simulation.run(now)
            window = log.part(log.interval)
            parts.append(
                [np.array(each, np.int64) for each in (window.consumer, window.post, window.place)]
            )
        return Shown(*(np.concatenate(each) for each in zip(*parts, strict=True)))

    def time(self, simulation: Simulation) -> float:
        """Impressions from the start of the world to the end."""
        simulation.run(self.at + self.size.days * DAY)
        return total(simulation)


def measure(
    path: Path, sets: Sequence[str], size: WorldSize, meetings: bool = False
) -> tuple[Floats, Meetings | None]:
    """Effects in the order of `EFFECTS` (4,) in one replicate, and the population of meetings under
    the scenario's own feed, if asked for."""
    with tempfile.TemporaryDirectory(prefix="twin-fit-") as folder:
        world = Trunk(path, sets, size, Path(folder))
        plain, newest, engagement = (
            world.branch(),
            world.branch("newest"),
            world.branch("engagement"),
        )
        # Impressions before the fork are common to all branches and are taken off.
        before = total(plain)
        day = world.day(plain)
        population = features(plain, day) if meetings else None
        # The quantile of what was shown, not of all posts: a share of the feed is hidden.
        level = float(
            np.quantile(plain.world.table("posts")["read"][day.post, READ_AROUSAL], 1 - TOXIC)
        )
        low, high = features(newest, world.day(newest)), features(engagement, world.day(engagement))
        arousal = Feature.AROUSAL
        # engagement less newest
        aroused = [each.x[:, arousal] for each in (high, low)]
        hostile = [each.x[:, arousal] * np.abs(each.opinion - each.slant) for each in (high, low)]
        time = [
            world.time(each) - before
            for each in (plain, world.branch("by_time"), world.branch(level=level))
        ]
    return np.array(
        [
            standardised(*aroused),
            standardised(*hostile),
            np.log(time[1] / time[0]),
            np.log(time[2] / time[0]),
        ]
    ), population
