"""The pair model of FINDINGS F3 on the project's own rating kernel and regression.

Works come in pairs, each pair linked in one way. First every work is rated by people who come from
anywhere, then by as many who come over the link. The change of the gap between the two average
ratings is regressed on the kind of link and the gap before:

    change = a + b_S S + b_C C + c gap + e

Pairs linked at random are the base. Ratings obey the defaults of
`twin.mechanisms.ratings`, and everybody posts. An audience is a group of people of like taste. At
first each work has its own. Over a co-viewed link both works have one audience made of both
(assumption: the "shared audience" of FINDINGS).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from twin.ground.draws import children
from twin.kernels import react as kernel
from twin.kernels.rules import Shelf
from twin.kernels.said import RING, SUMS, Raters, Scene, Works
from twin.kernels.stats import least_squares
from twin.mechanisms.ratings import RatingsParams
from twin.world.params import changed
from twin.world.settings import settings

Floats = NDArray[np.float64]
LINKS = (Shelf.CO_VIEWED, Shelf.BOUGHT_TOGETHER, Shelf.RANDOM)
DIM = 16
RATERS = 30
"""Raters of each work in each phase."""
QUALITY_SD = 0.9
"""Of works: skill 0.6 and noise 0.7 of the default human creators."""
SOURCE = "Stoeckli & Khobzi 2021"


class Rated(NamedTuple):
    """Pairs of works, by pair: place of their link in `LINKS`, and the gap between their average
    ratings before and after people came over the link."""

    kinds: NDArray[np.int64]
    before: Floats
    after: Floats


def _unit(x: Floats) -> Floats:
    made: Floats = x / np.linalg.norm(x, axis=-1, keepdims=True)
    return made


def _rules(reference: str, kappa: float) -> RatingsParams:
    p = RatingsParams()
    return changed(
        p,
        expect_prediction=0.0,
        kappa_up=kappa * p.kappa_up,
        kappa_down=kappa * p.kappa_down,
        anchoring=0.0,
        expectation_up=0.0,
        expectation_down=0.0,
        report_base=1.0,
        extremity=0.0,
        reporting="everyone",
        shown_from=1,
        prediction_shift=0.0,
        reference=reference,
        votes__enabled=False,
    )


def _people(rng: np.random.Generator, audience: Floats, key: int) -> Raters:
    """One person per row of ``audience``, the mean taste of their group (zero: one group of
    all)."""
    n, p = len(audience), RatingsParams()
    taste = _unit(audience + rng.normal(size=(n, DIM)) / np.sqrt(DIM)).astype(np.float32)
    level = (p.prior + p.prior_sd * rng.normal(size=n)).astype(np.float32)
    return Raters(
        key=children(np.full(n, np.uint64(key)), np.arange(n)),
        taste=taste,
        opinion=np.zeros(n, np.float32),
        rating_expectation=level,
        rating_residual=np.zeros(n, np.float32),
        ratings_given=np.zeros(n, np.int32),
        said=np.zeros((n, RING), np.uint16),
        said_at=np.zeros(n, np.int8),
    )


def _works(rng: np.random.Generator, n: int, key: int) -> Works:
    """Works of random content and quality that nobody has rated."""
    content = _unit(rng.normal(size=(n, DIM))).astype(np.float32)
    quality = rng.normal(0, QUALITY_SD, n).astype(np.float32)
    counts = ("rating_sum", "rating_count", "votes_up", "votes_down")
    return Works(
        key=children(np.full(n, np.uint64(key)), np.arange(n)),
        content=content,
        quality=quality,
        slant=np.zeros(n, np.float32),
        rating_shown=np.zeros(n, np.float32),
        seed=np.zeros(n, np.int8),
        **{name: np.zeros(n, np.int32) for name in counts},
    )


class Visits(NamedTuple):
    """Who comes to which work, one entry per visit: the work, whose audience the visitor is of, the
    work that they come from (-1: none), and the kind of the shelf."""

    post: NDArray[np.int32]
    group: NDArray[np.int64]
    via: NDArray[np.int32]
    shelf: NDArray[np.int8]


def _from_anywhere(n: int) -> Visits:
    post = np.tile(np.arange(n), RATERS).astype(np.int32)
    return Visits(
        post=post,
        group=post.astype(np.int64),
        via=np.full(len(post), -1, np.int32),
        shelf=np.full(len(post), Shelf.RANDOM, np.int8),
    )


def _over_links(kinds: NDArray[np.int64]) -> Visits:
    n = 2 * len(kinds)
    post = np.tile(np.arange(n), RATERS).astype(np.int32)
    # Works 2k and 2k + 1 are a pair: flipping the last bit gives the partner.
    other = np.arange(n) ^ 1
    # Over a co-viewed link every second visitor is of the other work's audience.
    shared = (kinds[post // 2] == LINKS.index(Shelf.CO_VIEWED)) & (
        np.arange(len(post)) // n % 2 == 1
    )
    return Visits(
        post=post,
        group=np.where(shared, other[post], post),
        via=other[post].astype(np.int32),
        shelf=np.array(LINKS, np.int8)[kinds[post // 2]],
    )


def _rated(rng: np.random.Generator, pairs: int, rules: RatingsParams, equal: bool) -> Rated:
    """So many pairs of each kind, rated in both phases; ``equal``: all works have one audience."""
    kinds = np.repeat(np.arange(len(LINKS)), pairs)
    n = 2 * len(kinds)
    key = int(rng.integers(1, 2**62))
    works = _works(rng, n, key)
    own = np.zeros((n, DIM)) if equal else _unit(rng.normal(size=(n, DIM)))
    total, record, gaps = np.zeros(1, SUMS)[0], settings(rules)[0], []
    for phase, visits in enumerate((_from_anywhere(n), _over_links(kinds))):
        people = _people(rng, own[visits.group], key + 1 + phase)
        yes, no = np.ones(len(visits.post), bool), np.zeros(len(visits.post), bool)
        met = kernel.Seen(
            # A new person for every visit, so nobody has had a say on anything before.
            consumer=np.arange(len(visits.post), dtype=np.int32),
            post=visits.post,
            via=visits.via,
            shelf=visits.shelf,
            bought=yes,
            ratings_shown=yes,
            prediction_shown=no,
            votes_shown=no,
        )
        # Streams of their own: key to key + 2 made the works and the people of both phases.
        luck = np.uint64(key + 3), np.uint64(key + 4)
        kernel.react(met, Scene(people, works, total, record, *luck))
        # Sums run on, so the second average is over both phases, as one on show is.
        mean = works.rating_sum / works.rating_count
        # Ratings become visible between the phases only, so the first phase knows no averages.
        works.rating_shown[:] = mean
        gaps.append(np.abs(mean[0::2] - mean[1::2]))
    return Rated(kinds, before=gaps[0], after=gaps[1])


def coefficients(
    seed: int,
    data: str,
    reference: str,
    kappa: float,
    equal: bool,
    labels: str,
    replicates: int,
    pairs: int,
) -> Floats:
    """b_S and b_C (replicates, 2). ``labels`` are those of the links ("linked"), "swapped"
    (co-viewed for bought together) or dealt at "random"."""
    made = np.zeros((replicates, 2))
    for r in range(replicates):
        rng = np.random.default_rng([seed, r])
        kinds, before, after = _rated(rng, pairs, _rules(reference, kappa), equal)
        if labels == "swapped":
            kinds = np.array([1, 0, 2])[kinds]
        elif labels == "random":
            # A generator of its own, so that the ratings are those of the default case.
            kinds = np.random.default_rng([seed, r, 1]).permutation(kinds)
        # Pairs linked at random have no column of their own: they are the base.
        x = np.column_stack([np.ones(len(kinds)), kinds == 0, kinds == 1, before])
        y = after - before
        made[r] = least_squares(x.T @ x, x.T @ y, float(y @ y), len(y))[0][1:3]
    return made
