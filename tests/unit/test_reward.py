"""Reward models: the pooled limit is logistic regression, shrinkage lies between, and finding 2's
closed forms."""

import numpy as np
import pytest
from scipy.optimize import brentq, minimize
from scipy.special import expit, ndtr, ndtri

from twin.experiments.findings.f2.equations import gap, tastes
from twin.kernels import reward
from twin.mechanisms.recommender.reward import Reward, RewardModel

f4 = np.float32


def nobody_yet(people, features=1, own=None, prior_sd=10.0):
    """Arrays of a model that has seen nothing."""
    shape = (people, features if own is None else own)
    return np.zeros(shape, f4), np.zeros(shape, f4), reward.pool(features, prior_sd)


def compared(weights, x, rng):
    """Comparisons of people with these weights (n, K): x turned so that it points to what was
    preferred."""
    return np.where(rng.random(len(x)) < expit((x * weights).sum(1)), 1.0, -1.0)[:, None] * x


def logistic(x, ridge):
    """Plain penalised logistic regression on preferred minus other, by quasi-Newton."""

    def loss(w):
        return np.logaddexp(0, -x @ w).sum() + ridge / 2 * w @ w, -x.T @ expit(-x @ w) + ridge * w

    return minimize(loss, np.zeros(x.shape[1]), jac=True, method="BFGS", options={"gtol": 1e-6}).x


def test_without_spread_it_is_logistic_regression():
    """Spread 0 gives the pooled maximum a posteriori estimate, to a third of its standard error;
    nobody deviates at all."""
    rng = np.random.default_rng(1)
    people, x = rng.integers(0, 50, 30000), rng.normal(size=(30000, 3))
    x = compared(np.array([1.0, -0.5, 0.2]), x, rng)
    pull, precision, total = nobody_yet(50, 3)
    reward.learn(people, x, pull, precision, total, 0.0, 1.0)
    exact, se = logistic(x, 0.01), 1 / np.sqrt(total[0])
    assert np.abs(total[1] / total[0] - exact).max() < se.max() / 3 < 0.01
    assert not reward.own(pull, precision, total, 0.0).any()
    again, once, pooled = nobody_yet(1, 3)
    reward.learn(np.zeros(30000, np.int64), x, again, once, pooled, 0.0, 1.0)
    assert pooled == pytest.approx(
        total, rel=1e-4
    )  # who compared does not matter, but for float32 rounding of what people hold


def test_one_comparison_is_one_newton_step():
    """By hand: from w = 0, p = 1/2, x = 2, prior variance 1: w = 2 (1/2) / (1 + 4/4) = 1/2,
    precision 1 + 4/4."""
    pull, precision, total = nobody_yet(1, prior_sd=1.0)
    reward.update(0, np.array([2.0]), pull, precision, total, 0.0, 1.0)
    assert total[0, 0] == pytest.approx(2.0, abs=1e-12) and total[1, 0] / total[
        0, 0
    ] == pytest.approx(0.5, abs=1e-12)


def test_two_levels_by_hand():
    """One comparison at spread s: v_u and w get the shares that their prior variances s^2 + v0 and
    v0 give, exactly."""
    s, v0, x = 2.0, 0.25, 1.0
    pull, precision, total = nobody_yet(1, prior_sd=v0**0.5)
    reward.update(0, np.array([x]), pull, precision, total, s, 1.0)
    t = 0.5 / (1 + 0.25 * x**2 * (s**2 + v0))
    w = total[1, 0] / total[0, 0]
    assert w == pytest.approx(v0 * x * t, rel=1e-6)
    assert w + reward.own(pull, precision, total, s)[0, 0] == pytest.approx(
        (s**2 + v0) * x * t, rel=1e-6
    )


def test_a_person_who_is_not_remembered_moves_the_pool_as_a_newcomer_does():
    """u = -1 changes ``total`` as a first comparison does, and nobody's numbers."""
    pull, precision, total = nobody_yet(2)
    other = total.copy()
    reward.update(-1, np.array([1.0]), pull, precision, total, 0.7, 1.0)
    assert not pull.any() and not precision.any()
    reward.update(1, np.array([1.0]), pull, precision, other, 0.7, 1.0)
    assert np.allclose(total, other, rtol=1e-6)


def test_features_beyond_the_own_ones_are_pooled():
    """With M = 1 of K = 2 features, the second is learned by everybody together and equals nobody's
    property."""
    rng = np.random.default_rng(2)
    own = ndtri((np.arange(200) + 0.5) / 200)
    people = np.tile(np.arange(200), 100)
    x = rng.normal(size=(20000, 2))
    x = compared(np.stack([own[people], np.full(20000, 0.8)], 1), x, rng)
    pull, precision, total = nobody_yet(200, 2, own=1)
    reward.learn(people, x, pull, precision, total, 1.0, 1.0)
    assert total[1, 1] / total[0, 1] == pytest.approx(0.8, abs=0.06)
    assert np.corrcoef(reward.own(pull, precision, total, 1.0)[:, 0], own)[0, 1] > 0.95


def test_shrinkage_goes_from_the_pool_to_the_own():
    """Few comparisons leave a person near the pool, many at their own weight; in between the mean
    square error is the least."""
    rng = np.random.default_rng(3)
    n, truth = 400, 0.5 + ndtri((np.arange(400) + 0.5) / 400)
    error = {}
    for each in (4, 400):
        people = np.tile(np.arange(n), each)
        x = compared(truth[people, None], rng.normal(size=(n * each, 1)), rng)
        for spread in (0.0, 1.0, 30.0):
            pull, precision, total = nobody_yet(n)
            reward.learn(people, x, pull, precision, total, spread, 1.0)
            v = total[1, 0] / total[0, 0] + reward.own(pull, precision, total, spread)[:, 0]
            error[each, spread] = float(((v - truth) ** 2).mean())
            if spread == 1.0:
                moved = reward.own(pull, precision, total, 1.0)[:, 0].std()
                assert moved < 0.7 if each == 4 else moved == pytest.approx(1, abs=0.1)
                assert total[1, 0] / total[0, 0] == pytest.approx(0.5, abs=0.2)
    assert error[4, 1.0] < min(error[4, 0.0], error[4, 30.0])
    assert error[400, 1.0] < 0.05 and error[400, 30.0] < 0.06 and error[400, 0.0] > 0.8


def test_a_newcomer_is_served_by_the_pool():
    """Nothing known: d_u is 0 whatever the spread; a share of 0 serves the pool to everybody."""
    rng = np.random.default_rng(4)
    pull, precision, total = nobody_yet(3)
    reward.learn(
        np.zeros(50, np.int64),
        compared(np.ones((50, 1)), rng.normal(size=(50, 1)), rng),
        pull,
        precision,
        total,
        1.0,
        1.0,
    )
    d, w, x = reward.own(pull, precision, total, 1.0), total[1, 0] / total[0, 0], np.ones(1)
    assert d[0, 0] != 0 and reward.margin(1, x, pull, precision, total, 1.0, 1.0) == w
    for share in (0.0, 0.5, 1.0):
        assert reward.margin(0, x, pull, precision, total, 1.0, share) == pytest.approx(
            w + share * d[0, 0], abs=1e-12
        )
    assert reward.margin(-1, x, pull, precision, total, 1.0, 1.0) == w


def test_an_inferred_comparison_counts_its_weight():
    """A comparison of weight 1/2 said twice brings about the information of one of weight 1."""
    rng = np.random.default_rng(5)
    x = compared(np.ones((4000, 1)), rng.normal(size=(4000, 1)), rng)
    pull, precision, total = nobody_yet(1)
    reward.learn(np.zeros(4000, np.int64), x, pull, precision, total, 0.0, 1.0)
    half = nobody_yet(1)
    reward.learn(np.zeros(8000, np.int64), np.repeat(x, 2, axis=0), *half, 0.0, 0.5)
    assert half[2] == pytest.approx(total, rel=0.02)


# ---- finding 2: utility q + b a_u s, a_u ~ N(mu, sigma^2), stance s = +-1 ----


def oracle(a, mass, b):
    """A model that knows every weight: features (stance, quality), the first one's own, the second
    everybody's (1)."""
    spread, known = 1.0, 1e9
    mean = b * float((a * mass).sum() / mass.sum())
    pull, precision = (b * a[:, None] * known).astype(f4), np.full((len(a), 1), known, f4)
    return pull, precision, np.array([[1e12, 1.0], [1e12 * mean, 1.0]]), spread


def stances(model, difference, share):
    """Whether each person is given the first of two answers that differ by ``difference``."""
    pull, precision, total, spread = model
    x = np.array(difference, float)
    return np.array(
        [reward.margin(u, x, pull, precision, total, spread, share) > 0 for u in range(len(pull))]
    )


@pytest.mark.parametrize(
    ("mu", "sigma"), [(0.0, 1.0), (0.5, 1.0), (-1.0, 0.7), (0.2, 3.0), (2.0, 0.5), (0.7, 0.0)]
)
def test_gap_in_agreement_is_the_closed_form(mu, sigma):
    """Known weights, equal quality: personal choice agrees E|a|, pooled |E a|, to 1e-9; N(0,1):
    .798 against 0."""
    a, mass = tastes(mu, sigma, 0.0)
    model = oracle(a, mass, 1.0)
    s = [np.where(stances(model, (2.0, 0.0), share), 1.0, -1.0) for share in (1.0, 0.0)]
    personal, pooled = (float((mass * a * choice).sum()) for choice in s)
    assert abs(personal - pooled - gap(mu, sigma)) < 1e-9
    assert abs(pooled - abs(mu)) < 1e-9
    if (mu, sigma) == (0.0, 1.0):
        assert personal == pytest.approx(np.sqrt(2 / np.pi), abs=1e-9)


def test_without_heterogeneity_or_taste_there_is_no_gap():
    """Controls: sigma = 0 gives exactly the same choices; b = 0 gives nobody a reason (gap 0)."""
    assert gap(0.7, 0.0) == 0
    for b, mu, sigma in ((1.0, 0.7, 0.0), (0.0, 0.3, 1.0)):
        a, mass = tastes(mu, sigma, 0.0)
        model = oracle(a, mass, b)
        for difference in ((2.0, 0.0), (2.0, 0.5), (-2.0, 0.5)):
            assert np.array_equal(stances(model, difference, 1.0), stances(model, difference, 0.0))


def test_echo_chamber():
    """Personal choice: everybody hears one side, half of the people each (between-person variance
    1, entropy 0); pooled: one side for all (variance 0), and at mu = 0 nothing to choose by: only
    the pool's ties could be thrown by coin (1 bit each)."""
    a, mass = tastes(0.0, 1.0, 0.0)
    model = oracle(a, mass, 1.0)
    share = mass / mass.sum()
    for own, between in ((1.0, 1.0), (0.0, 0.0)):
        s = np.where(stances(model, (2.0, 0.0), own), 1.0, -1.0)
        assert (share * s**2).sum() - (share * s).sum() ** 2 == pytest.approx(between, abs=1e-9)
    undecided = [
        reward.margin(0, np.array([2.0 * side, 0.0]), *model[:3], 1.0, 0.0) for side in (1, -1)
    ]
    assert (
        np.abs(undecided).max() < 1e-9
        and not (
            np.abs(
                [
                    reward.margin(u, np.array([2.0, 0.0]), *model[:3], 1.0, 1.0)
                    for u in range(len(a))
                ]
            )
            < 1e-9
        ).any()
    )


@pytest.mark.parametrize(
    ("mu", "sigma", "b", "dq"),
    [(0.0, 1.0, 1.0, 0.5), (0.0, 1.0, 0.5, 2.0), (0.5, 1.5, 1.0, 1.0), (0.3, 1, 2, 0)],
)
def test_truth_cost_is_the_closed_form(mu, sigma, b, dq):
    """The false answer (s = -1, quality less by dq) is personal at rate Phi((-dq/2b - mu)/sigma),
    pooled never where mu >= 0."""
    a, mass = tastes(mu, sigma, -dq / (2 * b))
    model = oracle(a, mass, b)
    false = float(mass[~stances(model, (2.0, dq), 1.0)].sum())
    assert abs(false - ndtr((-dq / (2 * b) - mu) / sigma)) < 1e-9
    if dq > 0:
        assert stances(model, (2.0, dq), 0.0).all()


def test_truth_cost_vanishes_in_the_limits():
    """dq -> infinity or b -> 0: nobody is told the false answer."""
    a, mass = tastes(0.0, 1.0, 0.0)
    for b, dq in ((1.0, 1e3), (1e-4, 0.1)):
        assert stances(oracle(a, mass, b), (2.0, dq), 1.0).all()


def learned(mu, sigma, b, spread, each=400, n=1000, seed=6, stakes=0.0):
    """A world that compares: people at normal quantiles, pairs of opposite stance and random
    quality."""
    rng = np.random.default_rng(seed)
    a = mu + sigma * ndtri((np.arange(n) + 0.5) / n)
    people = np.tile(np.arange(n), each)
    x = np.stack([np.full(n * each, 2.0), stakes * rng.normal(size=n * each)], 1)
    x = compared(np.stack([b * a[people], np.ones(n * each)], 1), x, rng)
    pull, precision, total = nobody_yet(n, 2, own=1)
    reward.learn(people, x, pull, precision, total, spread, 1.0)
    return a, (pull, precision, total, spread)


@pytest.mark.parametrize(("mu", "sigma"), [(0.0, 1.0), (0.5, 1.0)])
def test_learned_models_show_the_gap(mu, sigma):
    """Learned from 400 comparisons each: agreement and truth cost as with known weights, within .02
    (statistical)."""
    a, model = learned(mu, sigma, 1.0, 1.0, stakes=1.0)
    s = np.where(stances(model, (2.0, 0.0), 1.0), 1.0, -1.0)
    assert (a * s).mean() == pytest.approx(abs(mu) + gap(mu, sigma), abs=0.02)
    false = ~stances(model, (2.0, 1.0), 1.0)
    assert false.mean() == pytest.approx(ndtr((-0.5 - mu) / sigma), abs=0.02)
    assert stances(model, (2.0, 1.0), 0.0).all() and stances(model, (2.0, 1.0), 0.0).std() == 0
    if mu > 0:
        assert stances(model, (2.0, 0.0), 0.0).all()


def test_sigma_zero_learns_no_deviations_that_matter():
    """Control: people who are all alike get the same answers from the personal model, though it was
    free to tell them apart."""
    _, model = learned(0.7, 0.0, 1.0, 0.3)
    assert np.array_equal(stances(model, (2.0, 0.0), 1.0), stances(model, (2.0, 0.0), 0.0))
    pull, precision, total, spread = model
    assert reward.own(pull, precision, total, spread).std() < 0.1


def test_pooled_weights_are_shrunk_by_averaging_of_logits():
    """The pooled Bradley-Terry weight is logit(E sigmoid(2 b a)) / 2, less than b E[a]: equal to
    first order in b only."""
    node, mass = np.polynomial.hermite_e.hermegauss(80)
    for b in (1.0, 0.1):
        mean = float((mass / mass.sum() * expit(2 * b * (0.5 + node))).sum())
        exact = np.log(mean / (1 - mean)) / 2
        _, (_, _, total, _) = learned(0.5, 1.0, b, 0.0)
        assert total[1, 0] / total[0, 0] == pytest.approx(exact, abs=0.01)
        assert exact < 0.8 * 0.5 * b if b == 1.0 else exact == pytest.approx(0.5 * b, rel=0.03)


def test_a_hierarchical_pool_is_not_shrunk():
    """With the right spread w estimates b E[a] itself, because what people differ by is integrated
    out."""
    _, (_, _, total, _) = learned(0.5, 1.0, 1.0, 1.0)
    assert total[1, 0] / total[0, 0] == pytest.approx(0.5, abs=0.06)


def test_personal_weights_are_recovered():
    """v_u estimates b a_u: slope 1 within 5 %, and the spread of people within 5 %
    (statistical)."""
    a, (pull, precision, total, spread) = learned(0.0, 1.0, 0.8, 0.8)
    v = total[1, 0] / total[0, 0] + reward.own(pull, precision, total, spread)[:, 0]
    assert np.polyfit(a, v, 1)[0] == pytest.approx(0.8, rel=0.06)
    assert brentq(lambda x: np.interp(x, a, v), -1, 1) == pytest.approx(0, abs=0.2)


# ---- comparisons read off a log ----


def test_comparisons_pair_each_click_with_the_nearest_skip_of_its_session():
    """By hand: two sessions of one person, one of another; ties go to the skip above; all-clicked
    sessions give none."""
    consumer = np.array([4, 4, 4, 4, 4, 4, 7, 7, 9], np.int32)
    place = np.array([0, 1, 2, 4, 0, 1, 0, 1, 2], np.uint8)
    responses = np.array([0, 1, 1, 0, 3, 2, 1, 5, 0], np.uint16)
    clicked, skipped = reward.comparisons(consumer, responses, place)
    assert clicked.tolist() == [1, 2, 4] and skipped.tolist() == [0, 0, 5]
    nothing = reward.comparisons(consumer[:0], responses[:0], place[:0])
    assert [len(part) for part in nothing] == [0, 0]


def feed_model(people=300, **params):
    """The feed's reward model with room for these people."""
    made = RewardModel({}, Reward(**params))
    made.setup()
    made.open(people)
    made.born(np.arange(people), people)
    return made


def clicks(taste, sessions, seed, depth=8):
    """A log: every person opens ``sessions`` sessions of ``depth`` posts and clicks by
    sigmoid(<signal, taste_u> - 1/2)."""
    rng = np.random.default_rng(seed)
    people = len(taste)
    signals = np.stack(
        [rng.uniform(-1, 1, 500), rng.uniform(0, 1, 500), rng.uniform(0, 1, 500)], 1
    ).astype(f4)
    consumer = np.repeat(rng.permutation(np.repeat(np.arange(people), sessions)), depth).astype(
        np.int32
    )
    place = np.tile(np.arange(depth), people * sessions).astype(np.uint8)
    post = rng.integers(0, 500, len(consumer)).astype(np.int32)
    click = rng.random(len(post)) < expit((signals[post] * taste[consumer]).sum(1) - 0.5)
    other = rng.integers(0, 128, len(post)) << 1
    return consumer, post, (click + other).astype(np.uint16), place, signals


def test_feed_learns_who_likes_which_slant_from_clicks_alone():
    """Two camps of opposite taste in slant, all alike in arousal: deviations tell the camps apart,
    the pool sees arousal only."""
    camp = np.where(np.arange(300) % 2, 1.0, -1.0)
    taste = np.stack([1.5 * camp, np.full(300, 1.5), np.zeros(300)], 1)
    feed = feed_model()
    log = clicks(taste, 40, 7)
    assert feed.learn(*log) > 20000
    w = feed.pooled()
    assert (np.sign(w[0] + feed.deviations()[:300, 0]) == camp).mean() > 0.99
    assert abs(w[0]) < 0.15 and w[1] == pytest.approx(1.5, abs=0.3) and abs(w[2]) < 0.15
    assert 0.6 < feed.accuracy() < 0.9
    one = feed_model(spread=0.0)
    one.learn(*log)
    assert not one.deviations().any()


def test_clicks_at_random_teach_nothing():
    """Control: people who click regardless of content leave weights at zero within 4 standard
    errors."""
    feed = feed_model(spread=0.0, evidence=1.0)
    feed.learn(*clicks(np.zeros((300, 3)), 20, 8))
    assert (np.abs(feed.pooled()) < 4 / np.sqrt(feed.keep["reward.total"][0])).all()
    assert feed.accuracy() == pytest.approx(0.5, abs=0.02)


def test_learning_is_the_same_in_pieces_and_in_one():
    """A log cut at sessions' ends gives the same bytes as the whole: state is in the arrays,
    nothing else."""
    taste = np.random.default_rng(9).normal(size=(50, 3))
    consumer, post, responses, place, signals = clicks(taste, 10, 9)
    whole, parts = feed_model(50), feed_model(50)
    whole.learn(consumer, post, responses, place, signals)
    for cut in (slice(0, 1600), slice(1600, None)):
        parts = resumed(parts)
        parts.learn(consumer[cut], post[cut], responses[cut], place[cut], signals)
    for name, array in whole.keep.items():
        if name != "reward.judged":
            assert np.array_equal(array, parts.keep[name]), name
    assert parts.keep["reward.judged"] == pytest.approx(whole.keep["reward.judged"], rel=1e-12)


def resumed(feed):
    """The same model, rebuilt from copies of its arrays."""
    return RewardModel({name: array.copy() for name, array in feed.keep.items()}, feed.p)


def test_rows_are_wiped_and_arrays_grow_with_people():
    """A row given to somebody else knows nothing; the pool keeps what it learned; 24 bytes a
    person."""
    feed = feed_model(50)
    feed.learn(*clicks(np.ones((50, 3)), 10, 10))
    pool, before = feed.pooled().copy(), feed.deviations()[1].copy()
    assert before.any()
    feed.gone(np.array([0]))
    feed.born(np.array([2, 70]), 71)
    assert not feed.deviations()[[0, 2, 70]].any() and np.array_equal(feed.deviations()[1], before)
    assert np.array_equal(feed.pooled(), pool) and len(feed.deviations()) >= 71
    assert sum(feed.keep[f"reward.{name}"].itemsize * 3 for name in ("pull", "precision")) == 24
