"""Finding 1, contamination: posts with and without a seed vote, by the twin's own rating kernel.

Posts get a seed vote +1, -1 or none at birth. People meet them in random order and vote by
`twin.kernels.rate` at the default rates. Viewers per post are as in the source: 308,515 votes on
101,281 comments at 5.13 % + 0.82 % a view are 51 views (Muchnik, Aral & Taylor 2013; rates from a
slide, weak). People like the posts as much as those who click do in the default world, neutral on
average (``ratings.votes.centre``).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from twin.ground.draws import children
from twin.kernels import react as kernel
from twin.kernels.said import RING, SUMS, Raters, Scene, Works
from twin.mechanisms.ratings import RatingsParams
from twin.world.params import changed
from twin.world.settings import settings

Floats = NDArray[np.float64]
SEEDS = (-1, 0, 1)
POSTS, VIEWERS, PEOPLE = 9000, 51, 4000
QUALITY_SD = float(np.hypot(0.6, 0.7))
"""Of posts in the default world: skill across creators (0.6), and luck (0.7)."""


class NetVotes(NamedTuple):
    """Net votes by people on every post, and its seed vote, (posts,) each."""

    net: Floats
    seed: NDArray[np.int64]


def _unit(rng: np.random.Generator, n: int) -> NDArray[np.float32]:
    """Random directions in the space of tastes (n, 16)."""
    v = rng.normal(size=(n, 16)).astype(np.float32)
    return np.asarray(v / np.linalg.norm(v, axis=1, keepdims=True))


def _keys(n: int, seed: int) -> NDArray[np.uint64]:
    return children(np.full(n, np.uint64(seed)), np.arange(n))


def _world(posts: int, quality: Floats, seed: int) -> tuple[Raters, Works]:
    """People of random tastes and opinions, and posts of random content and slant, none with any
    history."""
    rng = np.random.default_rng(seed)
    # Even seeds for people and odd ones for posts, so that no two keys share their luck.
    people = Raters(
        key=_keys(PEOPLE, seed * 2),
        taste=_unit(rng, PEOPLE),
        opinion=rng.uniform(-1, 1, PEOPLE).astype(np.float32),
        rating_expectation=np.full(PEOPLE, 3, np.float32),
        rating_residual=np.zeros(PEOPLE, np.float32),
        ratings_given=np.zeros(PEOPLE, np.int32),
        said=np.zeros((PEOPLE, RING), np.uint16),
        said_at=np.zeros(PEOPLE, np.int8),
    )
    counts = ("rating_sum", "rating_count", "votes_up", "votes_down")
    works = Works(
        key=_keys(posts, seed * 2 + 1),
        content=_unit(rng, posts),
        quality=quality.astype(np.float32),
        slant=rng.uniform(-1, 1, posts).astype(np.float32),
        rating_shown=np.zeros(posts, np.float32),
        seed=np.zeros(posts, np.int8),
        **{name: np.zeros(posts, np.int32) for name in counts},
    )
    return people, works


def _rules(correction: float) -> RatingsParams:
    """The default rule of votes, and ratings, which nobody posts here; ``correction`` below 0 is
    the default one."""
    corrected = {} if correction < 0 else {"votes__correction": correction}
    return changed(
        RatingsParams(),
        **corrected,
        expect_shown=0.0,
        expect_prediction=0.0,
        kappa_up=0.0,
        kappa_down=0.0,
        anchoring=0.0,
        herding=0.0,
        expectation_up=0.0,
        expectation_down=0.0,
        report_base=0.0,
        extremity=0.0,
        reporting="selective",
    )


def _views(rng: np.random.Generator, shown: bool) -> kernel.Seen:
    """Every post met by so many people in random order; ``shown``: whether they see its votes."""
    n = POSTS * VIEWERS
    who = rng.integers(0, PEOPLE, n).astype(np.int32)
    what = rng.permutation(np.repeat(np.arange(POSTS), VIEWERS)).astype(np.int32)
    no, yes = np.zeros(n, bool), np.ones(n, bool)
    return kernel.Seen(
        consumer=who,
        post=what,
        via=np.full(n, -1, np.int32),
        shelf=np.zeros(n, np.int8),
        # Nothing is bought, so nobody rates and votes are all that is said.
        bought=no,
        ratings_shown=yes,
        prediction_shown=no,
        votes_shown=yes if shown else no,
    )


def _score(seed: int, shown: bool, seeds: bool, correction: float) -> NetVotes:
    """Let people vote; without ``seeds`` no post gets its seed vote, which is only noted."""
    v = RatingsParams().votes
    rng = np.random.default_rng([seed, 5])
    # Agreement, 1 - |opinion - slant|, is 1/3 on average and match is 0: quality makes up for the
    # difference to a neutral post.
    neutral = (v.centre - v.agreement / 3) / v.quality
    people, works = _world(POSTS, neutral + QUALITY_SD * rng.normal(size=POSTS), seed)
    given = np.arange(POSTS) % 3 - 1
    if seeds:
        works.seed[:] = given
    luck = np.uint64(seed), np.uint64(seed + 1)
    record = settings(_rules(correction))[0]
    kernel.react(_views(rng, shown), Scene(people, works, np.zeros(1, SUMS)[0], record, *luck))
    return NetVotes(works.votes_up.astype(np.float64) - works.votes_down, given)


def votes(
    seed: int, data: str, shown: bool, seeds: bool, correction: float, replicates: int
) -> Floats:
    """Mean net votes on posts seeded -1, 0, +1 (replicates, 3); ``correction`` below 0 is the
    default one. Replicates of all variants share their luck."""
    made = []
    for r in range(replicates):
        score = _score(seed * 1000 + r, shown, seeds, correction)
        made.append([score.net[score.seed == s].mean() for s in SEEDS])
    return np.array(made)
