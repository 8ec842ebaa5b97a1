"""The pair model of FINDINGS F3 on the project's own rating kernel and regression: works in pairs,
each linked in one way.

First, every work is rated by people who come from anywhere; then by as many who come over the link.
The change of the gap between the two average ratings is regressed on the kind of link and the gap
before, pairs linked at random being the base:
    change = a + b_S S + b_C C + c gap + e
Ratings obey the defaults of `twin.mechanisms.ratings`; everybody posts. An audience
is a group of people of like taste: at first each work has its own, over a co-viewed link both works
have one made of both (assumption: FINDINGS' "shared audience").
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from twin.ground.draws import children
from twin.kernels import react as kernel
from twin.kernels.rate import BOUGHT_TOGETHER, CO_VIEWED, RANDOM
from twin.kernels.said import RING, SUMS, Raters, Scene, Works
from twin.kernels.stats import least_squares
from twin.mechanisms.ratings import RatingsParams
from twin.world.params import changed
from twin.world.settings import settings

Floats = NDArray[np.float64]
LINKS = (CO_VIEWED, BOUGHT_TOGETHER, RANDOM)
DIM = 16


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


def _people(rng: np.random.Generator, audience: Floats, key: int) -> Any:
    """One person per row of ``audience``, the mean taste of the group (zero: everybody is of one
    group)."""
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


def _rated(
    rng: np.random.Generator, pairs: int, raters: int, rules: RatingsParams, equal: bool
) -> tuple[NDArray[np.int64], Floats, Floats]:
    """Kind of link per pair, gap before, and after."""
    kinds = np.repeat(np.arange(3), pairs)
    n = 2 * len(kinds)
    key = int(rng.integers(1, 2**62))
    content, quality = (
        _unit(rng.normal(size=(n, DIM))).astype(np.float32),
        rng.normal(0, 0.9, n).astype(np.float32),
    )
    counts = ("rating_sum", "rating_count", "votes_up", "votes_down")
    works = Works(
        key=children(np.full(n, np.uint64(key)), np.arange(n)),
        content=content,
        quality=quality,
        slant=np.zeros(n, np.float32),
        rating_shown=np.zeros(n, np.float32),
        seed=np.zeros(n, np.int8),
        **{name: np.zeros(n, np.int32) for name in counts},
    )
    # .9 above: skill .6 and noise .7 of the default human creators
    own = np.zeros((n, DIM)) if equal else _unit(rng.normal(size=(n, DIM)))
    other = np.arange(n) ^ 1
    total, record = np.zeros(1, SUMS)[0], settings(rules)[0]
    gaps = []
    for phase in range(2):
        post = np.tile(np.arange(n), raters).astype(np.int32)
        group = post.astype(np.int64)
        via, shelf = np.full(len(post), -1, np.int32), np.full(len(post), RANDOM, np.int8)
        if phase:
            via, shelf = other[post].astype(np.int32), np.array(LINKS, np.int8)[kinds[post // 2]]
            swap = (kinds[post // 2] == 0) & (np.arange(len(post)) // n % 2 == 1)
            group = np.where(swap, other[post], post)
        people = _people(rng, own[group], key + 1 + phase)
        yes, no = np.ones(len(post), bool), np.zeros(len(post), bool)
        seen = kernel.Seen(
            consumer=np.arange(len(post), dtype=np.int32),
            post=post,
            via=via,
            shelf=shelf,
            bought=yes,
            ratings_shown=yes,
            prediction_shown=no,
            votes_shown=no,
        )
        luck = np.uint64(key + 3), np.uint64(key + 4)
        kernel.react(seen, Scene(people, works, total, record, *luck))
        mean = works.rating_sum / works.rating_count
        works.rating_shown[:] = mean
        gaps.append(np.abs(mean[0::2] - mean[1::2]))
    return kinds, gaps[0], gaps[1]


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
    """(replicates, 2): b_S and b_C. ``labels``: as linked, swapped (co-viewed for bought together),
    or dealt at random."""
    made = np.zeros((replicates, 2))
    for r in range(replicates):
        rng = np.random.default_rng([seed, r])
        kinds, before, after = _rated(rng, pairs, 30, _rules(reference, kappa), equal)
        if labels == "swapped":
            kinds = np.array([1, 0, 2])[kinds]
        elif labels == "random":
            kinds = np.random.default_rng([seed, r, 1]).permutation(kinds)
        x = np.column_stack([np.ones(len(kinds)), kinds == 0, kinds == 1, before])
        y = after - before
        made[r] = least_squares(x.T @ x, x.T @ y, float(y @ y), len(y))[0][1:3]
    return made
