"""The probe of rating pairs: its regression, what it leaves out, and the model of finding F3 in
closed form."""

import datetime as dt
import itertools

import numpy as np
import pytest

from twin.ground.draws import children
from twin.ground.units import WEEK
from twin.kernels.stats import least_squares
from twin.mechanisms.pairs import LINKS, Pairs, PairsParams
from twin.world.board import Board
from twin.world.columns import Column
from twin.world.state import World

CO, BOUGHT, RANDOM = range(3)
SIGMAS = 3.9  # false alarm rarer than 1 in 10,000


class Shop:
    """Works in pairs (0, 1), (2, 3), ... ; pair k is linked by kind ``kinds[k]``; ratings are set
    from outside."""

    def __init__(self, kinds, ratings=True, links=True, **params):
        self.kinds, works = np.asarray(kinds), 2 * len(kinds)
        self.world = World(dt.date(2025, 1, 1), 1, 0, Board(Pairs.metrics))
        self.world.define("creators", "posts", Column("work", "?", "1", "A work"))
        if ratings:
            self.world.define(
                "ratings", "posts", Column("rating_sum", "f8", "stars", "Sum of ratings")
            )
            self.world.define(
                "ratings", "posts", Column("rating_count", "i4", "ratings", "Ratings")
            )
        self.pairs = Pairs(PairsParams(**params), self.world)
        self.world.on_release(self.pairs.gone)
        self.pairs.setup()
        self.world.add(
            "creators",
            "posts",
            children(np.full(works, np.uint64(3)), np.arange(works)),
            work=np.ones(works, bool),
        )
        self.posts = self.world.table("posts")
        self.linked = {kind: np.full((works, 2), -1, np.int32) for kind in LINKS}
        for pair, kind in enumerate(self.kinds):
            if kind >= 0:
                self.linked[LINKS[kind]][2 * pair, 0], self.linked[LINKS[kind]][2 * pair + 1, 0] = (
                    2 * pair + 1,
                    2 * pair,
                )
        if links:
            self.world.provide("links", lambda: self.linked)

    def rate(self, means, count=10):
        """Set mean ratings (pairs, 2)."""
        self.posts["rating_sum"][:], self.posts["rating_count"][:] = (
            np.asarray(means).ravel() * count,
            count,
        )

    def read(self):
        """A reading, and the board after it."""
        self.world.now += WEEK
        self.pairs.take()
        self.pairs.measure()
        return self.world.board

    def get(self, name, link):
        return self.world.board.get(name, link=link)

    def betas(self, name="rating_gap_beta"):
        """Estimates and standard errors, co-viewed and bought together."""
        return [
            np.array([self.get(each, link) for link in LINKS[:2]]) for each in (name, f"{name}_se")
        ]


def gaps(before, change):
    """Means (pairs, 2) before and after, of which the gaps are ``before`` and ``before +
    change``."""
    low = np.ones(len(before))
    return np.column_stack([low, low + before]), np.column_stack([low, low + before + change])


def test_known_coefficients_are_recovered():
    """Without noise the coefficients come back to 1e-9, whichever of the two works is the
    higher."""
    rng = np.random.default_rng(1)
    kinds = np.repeat([CO, BOUGHT, RANDOM], 40)
    before = rng.uniform(1, 2, len(kinds))
    change = 0.1 - 0.3 * (kinds == CO) + 0.2 * (kinds == BOUGHT) - 0.25 * before
    shop = Shop(kinds)
    for means in gaps(before, change):
        means[::2] = means[::2, ::-1]
        shop.rate(means)
        shop.read()
    beta, error = shop.betas()
    assert np.abs(beta - [-0.3, 0.2]).max() < 1e-9 and error.max() < 1e-6
    for kind, link in enumerate(LINKS):
        assert shop.get("rating_pairs", link) == 40
        assert shop.get("rating_gap_mean", link) == pytest.approx(
            (before + change)[kinds == kind].mean(), abs=1e-12
        )
        assert shop.get("rating_gap_change", link) == pytest.approx(
            change[kinds == kind].mean(), abs=1e-12
        )


def test_moments_give_what_lstsq_gives():
    """Coefficients as numpy's lstsq, errors by s^2 (X'X)^-1, to 1e-9, from one sample or from two
    added up."""
    rng = np.random.default_rng(2)
    x = np.column_stack([np.ones(200), rng.random((200, 2)) < 0.4, rng.uniform(0, 3, 200)])
    y = x @ [1, -0.5, 0.5, -0.2] + rng.normal(size=200)
    true, rest, *_ = np.linalg.lstsq(x, y)
    sums = [
        [part.T @ part, part.T @ values, values @ values, len(values)]
        for part, values in ((x, y), (x[:80], y[:80]), (x[80:], y[80:]))
    ]
    for moments in (sums[0], [a + b for a, b in zip(*sums[1:], strict=True)]):
        beta, error = least_squares(*moments)
        assert np.abs(beta - true).max() < 1e-9
        assert np.abs(error - np.sqrt(rest / 196 * np.diag(np.linalg.inv(x.T @ x)))).max() < 1e-9


@pytest.mark.parametrize(
    ("x", "known"),
    [
        (
            [[1, 0, 0, 1.0], [1, 0, 1, 2.0], [1, 0, 1, 4.0], [1, 0, 0, 5.0], [1, 0, 0, 7.0]],
            [True, False, True, True],
        ),  # no such link
        (
            [[1, 1, 0, 1.0], [1, 1, 0, 2.0], [1, 1, 0, 4.0], [1, 1, 0, 5.0]],
            [False] * 4,
        ),  # nothing to compare with
        ([[1, 1, 0, 1.0], [1, 0, 1, 2.0]], [False] * 4),
    ],
)  # too few
def test_what_cannot_be_told_is_not_told(x, known):
    """A link that no pair has, no pair without a link, fewer pairs than coefficients: NaN, never a
    number."""
    x = np.array(x, float)
    y = np.arange(len(x)) ** 1.5
    beta, error = least_squares(x.T @ x, x.T @ y, y @ y, len(x))
    assert np.isfinite(beta).tolist() == np.isfinite(error).tolist() == known


def test_pooled_estimate_is_over_all_intervals():
    """The pooled estimate over six noisy intervals is the regression on all rows, and nearer to the
    truth than its error allows for."""
    rng = np.random.default_rng(3)
    kinds = np.repeat([CO, BOUGHT, RANDOM], 50)
    shop, gap = Shop(kinds), rng.uniform(2, 3, len(kinds))
    rows = []
    shop.rate(gaps(gap, 0)[0])
    shop.read()
    for _ in range(6):
        change = -0.05 * (kinds == CO) + 0.05 * (kinds == BOUGHT) + rng.normal(0, 0.1, len(kinds))
        rows.append(
            (np.column_stack([np.ones(len(kinds)), kinds == CO, kinds == BOUGHT, gap]), change)
        )
        gap = gap + change
        shop.rate(gaps(gap, 0)[0])
        shop.read()
    x, y = np.concatenate([r[0] for r in rows]), np.concatenate([r[1] for r in rows])
    beta, error = shop.betas("rating_gap_beta_pooled")
    assert np.abs(beta - np.linalg.lstsq(x, y)[0][1:3]).max() < 1e-9
    assert (np.abs(beta - [-0.05, 0.05]) < SIGMAS * error).all()
    assert (error < 0.6 * shop.betas()[1]).all()


def test_only_rated_living_works_count():
    """Posts that are no works, works with too few ratings at either reading, and released works are
    left out."""
    shop = Shop([CO] * 6, least=3)
    shop.rate(np.tile([2.0, 3.0], (6, 1)))
    shop.posts["work"][0] = False
    shop.posts["rating_count"][2] = 2
    assert shop.read().get("rating_gap_mean", link="co_viewed") == 1
    assert len(shop.pairs.keep["ends"]) == 4
    shop.posts["rating_count"][5] = 2
    shop.world.release("posts", np.array([6]))
    shop.world.add(
        "creators",
        "posts",
        children(np.array([np.uint64(8)]), np.array([0])),
        work=np.ones(1, bool),
    )
    assert shop.posts["alive"][6]
    assert shop.read().get("rating_pairs", link="co_viewed") == 2


def test_without_ratings_or_links_it_rests():
    """In a world without ratings, or without links, readings go by and every metric is 0."""
    for given in ({"ratings": False}, {"links": False}):
        shop = Shop([CO, RANDOM], **given)
        assert not shop.read().values.any() and not shop.read().values.any()


def test_pairs_are_bounded_and_spread():
    """No more than ``most`` pairs of a kind are noted, spread over all works; a pair linked both
    ways is one pair."""
    shop = Shop([CO] * 100 + [RANDOM] * 8, most=10)
    shop.rate(np.tile([2.0, 3.0], (108, 1)))
    shop.linked["random"][0, 0] = 1
    shop.read()
    ends, links = shop.pairs.keep["ends"], shop.pairs.keep["links"]
    assert links.sum(0).tolist() == [10, 0, 9]
    assert links[0].tolist() == [True, False, True] and ends[0].tolist() == [0, 1]
    assert np.diff(ends[links[:, CO], 0]).tolist() == [20] * 9


def opinions(kinds, seed, *, kappa, audience=0.0, contrast=0.5, raters=25):
    """Mean ratings (pairs, 2) before and after links take hold, by FINDINGS' model: quality - kappa
    (expectation - quality) + noise.

    Before: each work has its own expectation (quality and hype) and its own audience (a common
    offset). After, of as many ratings again: co-viewed, the other work is the reference (contrast:
    the better-rated is expected to be better still, the other worse) and the audience is shared;
    bought together, the second inherits the first's expectation, whatever its own quality.
    """
    rng = np.random.default_rng(seed)
    n = len(kinds)
    quality, hype, taste = (
        rng.normal(3.3, 0.6, (n, 2)),
        rng.normal(0, 0.4, (n, 2)),
        rng.normal(0, 1, (n, 2)) * audience,
    )

    def rated(expectation, offset):
        return (
            quality
            + offset
            - kappa * (expectation - quality)
            + rng.normal(0, 1, (n, 2)) / np.sqrt(raters)
        )

    own = quality + hype
    before = rated(own, taste)
    co, bought = (kinds == CO)[:, None], (kinds == BOUGHT)[:, None]
    expectation = np.where(
        co, own + contrast * (before - before[:, ::-1]), np.where(bought, own[:, :1], own)
    )
    after = rated(expectation, np.where(co, taste.mean(1, keepdims=True), taste))
    return before, (before + after) / 2


def estimate(labels, ratings):
    """Estimates and errors of the probe for pairs labelled so."""
    shop = Shop(labels)
    for means in ratings:
        shop.rate(means)
        shop.read()
    return shop.betas()


KINDS = np.repeat([CO, BOUGHT, RANDOM], 600)


@pytest.mark.parametrize("seed", range(3))
def test_co_viewed_converge_and_bought_together_diverge(seed):
    """With disappointed expectations (kappa 0.5): b_S < 0 < b_C, both beyond 3.9 standard errors;
    with swapped labels the signs swap."""
    ratings = opinions(KINDS, seed, kappa=0.5)
    beta, error = estimate(KINDS, ratings)
    assert beta[0] < -SIGMAS * error[0] and beta[1] > SIGMAS * error[1]
    swapped, _ = estimate(np.array([BOUGHT, CO, RANDOM])[KINDS], ratings)
    assert swapped == pytest.approx(beta[::-1], abs=1e-9)


@pytest.mark.parametrize("seed", range(3))
def test_links_at_random_have_no_effect(seed):
    """Control (a): labels dealt at random over pairs that do converge and diverge give no effect of
    either."""
    labels = np.random.default_rng(100 + seed).permutation(KINDS)
    beta, error = estimate(labels, opinions(KINDS, seed, kappa=0.5))
    assert (np.abs(beta) < SIGMAS * error).all() and (error > 0).all()


@pytest.mark.parametrize("seed", range(3))
def test_no_disappointment_and_one_audience_no_effect(seed):
    """Control (b): kappa 0 and identical audiences, no effect of either; with audiences of their
    own, sharing one still converges."""
    beta, error = estimate(KINDS, opinions(KINDS, seed, kappa=0.0))
    assert (np.abs(beta) < SIGMAS * error).all() and (error > 0).all()
    beta, error = estimate(KINDS, opinions(KINDS, seed, kappa=0.0, audience=0.5))
    assert beta[0] < -SIGMAS * error[0] and abs(beta[1]) < SIGMAS * error[1]


def test_effect_grows_with_disappointment():
    """Both effects are larger at kappa 0.8 than at 0.4, on the same people's luck."""
    weak, strong = (estimate(KINDS, opinions(KINDS, 5, kappa=kappa))[0] for kappa in (0.4, 0.8))
    assert strong[0] < weak[0] < 0 < weak[1] < strong[1]


def test_labels_are_the_three_links():
    """Every ordering of kinds is read under its own label."""
    for order in itertools.permutations(range(3)):
        shop = Shop(list(order))
        shop.rate(np.array([[1, 1.5], [1, 2], [1, 3]]))
        shop.read()
        assert [shop.get("rating_gap_mean", LINKS[kind]) for kind in order] == [0.5, 1, 2]
