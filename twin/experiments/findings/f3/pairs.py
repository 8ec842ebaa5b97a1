"""The pair model of finding F3: pairs of works, and who comes over their link, on the project's own
rating kernel and regression.

Works come in pairs, each pair linked in one way. First every work is rated by people of its own
audience, whose tastes are about its content. Then as many again come, rate it, and some go on over
the link to the other work of the pair and rate that. Who goes on follows the laws of the audience:

    glad of the work            P(glad), by match and quality
    looks at the next work      P(looks), by the label of the link, whether they are glad, and what
                                they expect (`twin.kernels.happen.looks_on`)
    consumes it                 P(click) P(long view), by match and quality

No link sets an expectation (`reference: none`, `carried: false`) and everybody posts. So a link acts
through who goes over it alone. The change of the gap between the two average ratings is regressed on
the kind of link and the gap before:

    change = a + b_S S + b_C C + c gap + e

Pairs linked at random are the base. The works of a pair resemble each other, whatever the link.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit

from twin.ground.draws import children
from twin.kernels import react as kernel
from twin.kernels.happen import TYPICAL
from twin.kernels.respond import FEATURES, Feature, Response
from twin.kernels.rules import Shelf
from twin.kernels.said import RING, SUMS, Raters, Scene, Works
from twin.kernels.stats import least_squares
from twin.mechanisms.audience import AudienceParams
from twin.mechanisms.audience.behaviour import coefficients as response_table
from twin.mechanisms.creators import CreatorsParams
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
DEMAND = 2.0
"""How much less content with a work a person is who expects a star more of works. An sd of that
across new people, 0.3 stars, so weighs 0.6 where being glad or not weighs 1: an assumption."""
COEFFICIENTS = response_table(AudienceParams())
"""Of the default audience's responses: intercept and weights of features."""


class Looks(NamedTuple):
    """What contentment with a work adds to the log-odds of looking at the next one, by `LINKS`."""

    co_viewed: float = 0.0
    bought_together: float = 0.0
    random: float = 0.0


class Rated(NamedTuple):
    """Pairs of works, by pair: place of their link in `LINKS`, and the gap between their average
    ratings before and after people came over the link. Of those people, by link (3,): their mean
    general expectation and their mean match with the work that they came to."""

    kinds: NDArray[np.int64]
    before: Floats
    after: Floats
    expectation: Floats
    match: Floats


def _unit(x: Floats) -> Floats:
    made: Floats = x / np.linalg.norm(x, axis=-1, keepdims=True)
    return made


def _rules() -> RatingsParams:
    return changed(
        RatingsParams(),
        reporting="everyone",
        shown_from=1,
        prediction_shift=0.0,
        reference="none",
        carried=False,
        votes__enabled=False,
    )


def _people(rng: np.random.Generator, audience: Floats, key: int) -> Raters:
    """One person per row of ``audience``, the mean taste of their group."""
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
    """Pairs of works that resemble each other, of random quality, that nobody has rated."""
    common = np.repeat(_unit(rng.normal(size=(n // 2, DIM))), 2, axis=0)
    # As much of their own as in common: a cosine of a half.
    content = _unit(common + _unit(rng.normal(size=(n, DIM)))).astype(np.float32)
    counts = ("rating_sum", "rating_count", "votes_up", "votes_down")
    return Works(
        key=children(np.full(n, np.uint64(key)), np.arange(n)),
        content=content,
        quality=rng.normal(0, QUALITY_SD, n).astype(np.float32),
        slant=np.zeros(n, np.float32),
        rating_shown=np.zeros(n, np.float32),
        seed=np.zeros(n, np.int8),
        **{name: np.zeros(n, np.int32) for name in counts},
    )


def chance(response: Response, match: Floats, quality: Floats) -> Floats:
    """Chance of a response by the default audience, to a work of the default human creator that
    nobody has liked or rated and that leans as the person does."""
    x = np.zeros((len(match), len(FEATURES)))
    x[:, Feature.MATCH], x[:, Feature.QUALITY], x[:, Feature.AGREEMENT] = match, quality, 1.0
    human = CreatorsParams().human
    x[:, Feature.AROUSAL], x[:, Feature.COMPREHENSIVENESS] = human.arousal, human.comprehensiveness
    intercept, *weights = COEFFICIENTS[response]
    return np.asarray(expit(intercept + x @ np.array(weights)), np.float64)


def _match(people: Raters, works: Works, post: NDArray[np.int64]) -> Floats:
    return np.asarray(np.einsum("nd,nd->n", people.taste, works.content[post]), np.float64)


def _goers(
    rng: np.random.Generator,
    people: Raters,
    works: Works,
    post: NDArray[np.int64],
    drawn: Floats,
) -> NDArray[np.int64]:
    """Who of those who consumed ``post`` goes on to the other work of its pair and consumes it:
    their rows. ``drawn`` is what contentment adds to the log-odds of looking, by person."""
    other = post ^ 1
    glad, looks, consumes = rng.random((3, len(post)))
    pleased = glad < chance(Response.GLAD, _match(people, works, post), works.quality[post])
    usual = logit(AudienceParams().shelf_patience)
    content = np.where(pleased, 1.0, -1.0) - DEMAND * (people.rating_expectation - TYPICAL)
    looks_on = looks < expit(usual + drawn * content)
    match, quality = _match(people, works, other), works.quality[other]
    taken = consumes < chance(Response.CLICK, match, quality) * chance(
        Response.LONG_VIEW, match, quality
    )
    return np.flatnonzero(looks_on & taken)


def _rated(rng: np.random.Generator, pairs: int, drawn: Looks) -> Rated:
    """So many pairs of each kind, rated in both phases."""
    kinds = np.repeat(np.arange(len(LINKS)), pairs)
    n = 2 * len(kinds)
    key = int(rng.integers(1, 2**62))
    works = _works(rng, n, key)
    # Streams of their own: key to key + 2 made the works and the people of both phases.
    luck = np.uint64(key + 3), np.uint64(key + 4)
    total, record = np.zeros(1, SUMS)[0], settings(_rules())[0]
    post = np.tile(np.arange(n), RATERS)
    gaps = []

    def rate(people: Raters, who: NDArray[np.int64], what: NDArray[np.int64], over: bool) -> None:
        yes, no = np.ones(len(who), bool), np.zeros(len(who), bool)
        met = kernel.Seen(
            consumer=who.astype(np.int32),
            post=what.astype(np.int32),
            via=(what ^ 1 if over else np.full(len(what), -1)).astype(np.int32),
            shelf=np.array(LINKS, np.int8)[kinds[what // 2]],
            bought=yes,
            ratings_shown=yes,
            prediction_shown=no,
            votes_shown=no,
        )
        kernel.react(met, Scene(people, works, total, record, *luck))

    def close() -> None:
        # Sums run on, so the second average is over both phases, as one on show is.
        mean = works.rating_sum / works.rating_count
        # Ratings become visible between the phases only, so the first phase knows no averages.
        works.rating_shown[:] = mean
        gaps.append(np.abs(mean[0::2] - mean[1::2]))

    everybody = np.arange(len(post))
    rate(_people(rng, works.content[post], key + 1), everybody, post, over=False)
    close()
    people = _people(rng, works.content[post], key + 2)
    rate(people, everybody, post, over=False)
    # Before they rate the other work: what they expect of it, having met the first.
    who = _goers(rng, people, works, post, np.array(drawn)[kinds[post // 2]])
    to, link = post[who] ^ 1, kinds[post[who] // 2]
    met = people._replace(taste=people.taste[who])
    expected, match = people.rating_expectation[who].astype(float), _match(met, works, to)
    rate(people, who, to, over=True)
    close()
    by_link = [
        np.array([values[link == kind].mean() for kind in range(len(LINKS))])
        for values in (expected, match)
    ]
    return Rated(kinds, *gaps, *by_link)


class Found(NamedTuple):
    """What a replicate gives: both coefficients; and how far those who come over either link lie
    from those who come over random ones, in general expectation and in match."""

    b_s: float
    b_c: float
    expectation_s: float
    expectation_c: float
    match_s: float
    match_c: float


def coefficients(
    seed: int, data: str, drawn: Sequence[float], labels: str, replicates: int, pairs: int
) -> Floats:
    """`Found` by replicate (replicates, 6). ``drawn`` are the fields of `Looks`; ``labels`` are
    those of the links ("linked"), or dealt at "random" after everybody has rated."""
    made = np.zeros((replicates, len(Found._fields)))
    for r in range(replicates):
        rng = np.random.default_rng([seed, r])
        kinds, before, after, expectation, match = _rated(rng, pairs, Looks(*drawn))
        if labels == "random":
            # A generator of its own, so that the ratings are those of the default case.
            kinds = np.random.default_rng([seed, r, 1]).permutation(kinds)
        # Pairs linked at random have no column of their own: they are the base.
        x = np.column_stack([np.ones(len(kinds)), kinds == 0, kinds == 1, before])
        y = after - before
        b_s, b_c = least_squares(x.T @ x, x.T @ y, float(y @ y), len(y))[0][1:3]
        made[r] = Found(b_s, b_c, *(expectation[:2] - expectation[2]), *(match[:2] - match[2]))
    return made
