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
from twin.kernels import rate as kernel
from twin.mechanisms.ratings import RatingsParams

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


def _world(posts: int, quality: Floats, seed: int) -> tuple[kernel.Raters, kernel.Works]:
    """People of random tastes and opinions, and posts of random content and slant, none with any
    history."""
    rng = np.random.default_rng(seed)
    people = kernel.Raters(
        key=_keys(PEOPLE, seed * 2),
        taste=_unit(rng, PEOPLE),
        opinion=rng.uniform(-1, 1, PEOPLE).astype(np.float32),
        level=np.full(PEOPLE, 3, np.float32),
        residual=np.zeros(PEOPLE, np.float32),
        given=np.zeros(PEOPLE, np.int32),
        ring=np.zeros((PEOPLE, kernel.RING), np.uint16),
        ring_at=np.zeros(PEOPLE, np.int8),
    )
    none = np.zeros((4, posts), np.int32)
    works = kernel.Works(
        key=_keys(posts, seed * 2 + 1),
        content=_unit(rng, posts),
        quality=quality.astype(np.float32),
        slant=rng.uniform(-1, 1, posts).astype(np.float32),
        shown=np.zeros(posts, np.float32),
        rating_sum=none[0],
        rating_count=none[1],
        up=none[2],
        down=none[3],
        seed=np.zeros(posts, np.int8),
    )
    # As a mechanism sees the columns that it does not own.
    for array in (*people[:3], *works[:4]):
        array.flags.writeable = False
    return people, works


def _voting(correction: float) -> kernel.Voting:
    """The default rule of votes; ``correction`` below 0 is the default one."""
    v = RatingsParams().votes
    up, down = (float(np.log(rate / (1 - rate))) for rate in (v.up_rate, v.down_rate))
    return kernel.Voting(
        enabled=True,
        up=up,
        down=down,
        quality=v.quality,
        match=v.match,
        agreement=v.agreement,
        centre=v.centre,
        herd_up=v.herd_up,
        herd_down=v.herd_down,
        correction=v.correction if correction < 0 else correction,
    )


def _rules() -> kernel.Rules:
    """Rules of ratings, which nobody posts here."""
    p = RatingsParams()
    return kernel.Rules(
        mean=p.mean,
        quality=p.quality_weight,
        match=p.match_weight,
        noise=p.noise,
        expect_shown=0.0,
        expect_prediction=0.0,
        kappa_up=0.0,
        kappa_down=0.0,
        anchoring=0.0,
        herding=0.0,
        level_up=0.0,
        level_down=0.0,
        report_base=0.0,
        extremity=0.0,
        everyone=False,
        shown_from=1,
        shift=0.0,
        shrink_work=p.shrink_work,
        shrink_person=p.shrink_person,
        reference=0,
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
    kernel.react(
        _views(rng, shown),
        people,
        works,
        np.zeros(kernel.T_SIZE),
        _rules(),
        _voting(correction),
        np.uint64(seed),
        np.uint64(seed + 1),
    )
    return NetVotes(works.up.astype(np.float64) - works.down, given)


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
