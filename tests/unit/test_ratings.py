"""Ratings and votes against their closed forms, and the mechanism that asks for them."""

import math
from itertools import pairwise

import numpy as np
import pytest

from tests.given.ratings import PLAIN, SILENT, crowd, make, meet, pairs, react, seen, shop
from twin.ground.units import DAY
from twin.kernels import rate as kernel
from twin.kernels.rate import O_EXPECTATION, O_POSTED, O_PREDICTION, O_QUALITY, O_STAR

FAIR = SILENT._replace(enabled=True, up=math.log(0.0513 / 0.9487), down=math.log(0.0082 / 0.9918))


@pytest.mark.parametrize(("up", "down"), [(0.5, 0.5), (0.2, 0.4), (0.0, 1.0)])
def test_rating_is_quality_less_disappointed_expectation(up, down):
    """FINDINGS F3: r = q - kappa (E - q), with its own kappa on each side of the expectation; exact
    without noise."""
    quality = np.linspace(-2, 2, 9)
    out, _ = react(
        pairs(crowd(1, 3.5), shop(quality)),
        crowd(1, 3.5),
        shop(quality),
        PLAIN._replace(kappa_up=up, kappa_down=down),
    )
    q = 3 + quality
    gap = q - 3.5
    assert (
        np.abs(out[:, O_QUALITY] - q).max() < 1e-12
        and np.abs(out[:, O_EXPECTATION] - 3.5).max() == 0
    )
    assert np.abs(out[:, O_STAR] - (q + np.where(gap > 0, up, down) * gap)).max() < 1e-12


def test_without_any_pull_people_say_what_they_experienced():
    """Control: kappa, anchoring and herding 0; ratings are q, rounded and cut to the scale."""
    people, works = crowd(20), shop(np.linspace(-4, 4, 12))
    rules = PLAIN._replace(match=0.7, noise=0.5)
    out, total = react(pairs(people, works, prediction=True), people, works, rules)
    assert np.array_equal(out[:, O_STAR], out[:, O_QUALITY])
    whole = np.clip(np.floor(out[:, O_STAR] + 0.5), 1, 5)
    assert np.array_equal(out[:, O_POSTED], whole) and {1, 2, 3, 4, 5} == set(whole)
    assert (
        works.rating_sum.sum() == whole.sum() == total[kernel.T_STARS]
        and works.rating_count.tolist() == [20] * 12
    )
    assert (
        total[kernel.T_HIST_POSTED :][:5].tolist()
        == np.bincount(whole.astype(int), minlength=6)[1:].tolist()
    )


def test_experience_is_of_the_person_and_the_work():
    """q = mean + quality + match + noise z; z is standard normal, and the pair's own: no order or
    company changes it."""
    people, works = crowd(100), shop(np.linspace(-1, 1, 50))
    rules = PLAIN._replace(quality=0.5, match=0.8, noise=0.6)
    events = pairs(people, works)
    out, _ = react(events, people, works, rules)
    match = (people.taste.astype(float) @ works.content.T.astype(float)).ravel()
    z = (
        out[:, O_QUALITY] - 3 - 0.5 * np.tile(works.quality.astype(float), 100) - 0.8 * match
    ) / 0.6
    assert abs(z.mean()) < 3.9 / np.sqrt(len(z)) and abs(z.var() - 1) < 3.9 * np.sqrt(2 / len(z))
    back = np.arange(len(z))[::-1]
    turned, _ = react(
        seen(events.consumer[back], events.post[back]),
        crowd(100),
        shop(np.linspace(-1, 1, 50)),
        rules,
    )
    assert np.array_equal(turned[::-1, O_QUALITY], out[:, O_QUALITY])


@pytest.mark.parametrize(
    ("shown", "share", "expected"),
    [(0.0, 0.5, 3.0), (4.0, 0.0, 3.0), (4.0, 0.5, 3.5), (4.0, 1.0, 4.0)],
)
def test_expectation_goes_to_what_is_shown(shown, share, expected):
    """E = f + w (shown - f), and f alone where nothing is on show."""
    people, works = crowd(1), shop([0.0])
    works.shown[0] = shown
    assert (
        react(seen(0, 0), people, works, PLAIN._replace(expect_shown=share))[0][0, O_EXPECTATION]
        == expected
    )
    assert (
        react(seen(0, 0, average=False), crowd(1), works, PLAIN._replace(expect_shown=share))[0][
            0, O_EXPECTATION
        ]
        == 3.0
    )


def test_general_expectation_follows_what_was_met():
    """With rate l both ways it closes geometrically, D_t = (1 - l)^t D_0; with rate 0 it stands; it
    never leaves the scale."""
    works = shop(np.full(12, 1.5))
    people = crowd(1, 2.0)
    out, total = react(
        pairs(people, works), people, works, PLAIN._replace(level_up=0.2, level_down=0.2)
    )
    met = out[:, O_QUALITY] - out[:, O_EXPECTATION]
    assert met == pytest.approx(2.5 * 0.8 ** np.arange(12), abs=1e-6)
    assert total[kernel.T_SURPRISE] == pytest.approx(met.sum(), abs=1e-12)
    for start, rules, end in (
        (2.0, PLAIN, 2.0),
        (2.0, PLAIN._replace(level_up=0.1), 2.25),
        (5.0, PLAIN._replace(level_up=0.1), 5.0),
    ):
        people = crowd(1, start)
        react(seen(0, 0), people, works, rules)
        assert people.level[0] == pytest.approx(end, abs=1e-6)


def test_anchoring_is_linear_in_the_shown_prediction():
    """Adomavicius: moving the prediction by x moves the rating by anchoring * x, for about half of
    the pairs and x at a time; 0 unshown."""

    def said(shift, shown=True, **rules):
        people, works = crowd(200), shop(np.linspace(-1, 1, 5))
        works.rating_count[:], works.rating_sum[:] = 10, [26, 28, 30, 32, 34]
        total = np.zeros(kernel.T_SIZE)
        total[[kernel.T_POSTED, kernel.T_STARS]] = 50, 150
        rules = PLAIN._replace(
            everyone=False, herding=0.0, shift=shift, **rules
        )  # nobody posts: predictions stand still
        return react(pairs(people, works, prediction=shown), people, works, rules, total=total)[0]

    still = said(0.0, anchoring=0.35)
    assert still[:, O_STAR] == pytest.approx(
        still[:, O_QUALITY] + 0.35 * (still[:, O_PREDICTION] - still[:, O_QUALITY]), abs=1e-12
    )
    halves = []
    for shift in (-1.0, -0.5, 0.25, 1.5):
        moved = said(shift, anchoring=0.35)
        drift, x = (
            moved[:, O_STAR] - still[:, O_STAR],
            moved[:, O_PREDICTION] - still[:, O_PREDICTION],
        )
        assert np.abs(drift - 0.35 * x).max() < 1e-12
        assert set(np.round(x, 12)) == {0.0, shift} and abs(
            (x != 0).mean() - 0.5
        ) < 3.9 * 0.5 / np.sqrt(len(x))
        halves.append(x != 0)
    assert all(
        np.array_equal(half, halves[0]) for half in halves
    )  # the same pairs, however far they are moved
    through = said(1.0, anchoring=0.35, expect_prediction=0.5, kappa_up=0.3, kappa_down=0.3)
    base = said(0.0, anchoring=0.35, expect_prediction=0.5, kappa_up=0.3, kappa_down=0.3)
    assert (
        np.abs(
            (through - base)[:, O_STAR] - (0.35 - 0.3 * 0.5) * (through - base)[:, O_PREDICTION]
        ).max()
        < 1e-12
    )
    assert np.array_equal(
        said(1.0, shown=False, anchoring=0.35)[:, O_STAR], said(0.0, shown=False)[:, O_STAR]
    )


def test_prediction_is_the_baseline_predictor_of_posted_ratings():
    """m + b_j + b_i with shrinkage, from ratings alone; 3 before there are any."""
    people, works = crowd(2), shop([2.0, -2.0, 0.0])
    rules = PLAIN._replace(shrink_work=2.0, shrink_person=3.0)
    out, total = react(seen([0, 0, 1, 1], [0, 1, 0, 2], prediction=True), people, works, rules)
    assert out[:, O_POSTED].tolist() == [5, 1, 5, 3]
    second = 5 + (5 - 3) / (
        3 + 1
    )  # mean 5, no rating of the second work, first person's residual 5 - 3 once
    third = 3 + (5 - 3) / (2 + 1)  # mean (5 + 1) / 2, the work's one 5
    fourth = 11 / 3 + (5 - third) / (3 + 1)
    assert out[:, O_PREDICTION] == pytest.approx([3.0, min(second, 5), third, fourth], abs=1e-6)
    assert total[kernel.T_POSTED] == 4 and people.given.tolist() == [2, 2]


def test_herding_sees_the_ratings_before_it():
    """r = q + h (average - q) with the average when it is written, earlier ones of the same window
    included; none, no pull."""
    people, works = crowd(3), shop([1.0])
    works.rating_sum[0], works.rating_count[0] = 4, 2
    out, total = react(seen([0, 1, 2], [0, 0, 0]), people, works, PLAIN._replace(herding=0.5))
    assert out[:, O_STAR] == pytest.approx(
        [3, 4 + 0.5 * (7 / 3 - 4), 4 + 0.5 * (10 / 4 - 4)], abs=1e-12
    )
    assert out[:, O_POSTED].tolist() == [3, 3, 3]
    assert total[kernel.T_HERDED] == pytest.approx((out[:, O_STAR] - 4).sum(), abs=1e-12)
    for average, change in ((False, {}), (True, {"shown_from": 3}), (True, {"herding": 0.0})):
        works.rating_sum[0], works.rating_count[0] = 4, 2
        free, _ = react(
            seen(0, 0, average=average),
            crowd(3),
            works,
            PLAIN._replace(**{"herding": 0.5, **change}),
        )
        assert free[0, O_STAR] == 4.0


@pytest.mark.parametrize(
    ("shelf", "reference", "expected"),
    [
        (kernel.CO_VIEWED, "via", 4.5),
        (kernel.CO_VIEWED, "comparison", 2.0),
        (kernel.CO_VIEWED, "none", 2.5),
        (kernel.BOUGHT_TOGETHER, "via", 3.75),
        (kernel.RANDOM, "via", 2.5),
    ],
)
def test_the_related_shelf_sets_the_expectation(shelf, reference, expected):
    """Co-viewed: the average of the work it hangs on (or all that is on show of both);
    bought-together: one's own expectation of that work; random: as elsewhere."""
    people, works = crowd(1), shop([0.0, 0.0])
    works.shown[:] = 2.0, 4.5
    rules = PLAIN._replace(expect_shown=0.5, reference=kernel.REFERENCES.index(reference))
    out, _ = react(seen([0, 0], [0, 1], via=[1, -1], shelf=shelf), people, works, rules)
    assert out[:, O_EXPECTATION].tolist() == [expected, 3.75]
    assert (
        react(seen(0, 0, via=[1], shelf=shelf, average=False), crowd(1), works, rules)[0][
            0, O_EXPECTATION
        ]
        == 3.0
    )
    works.shown[:] = 0.0
    assert (
        react(seen(0, 0, via=[1], shelf=shelf), crowd(1), works, rules)[0][0, O_EXPECTATION] == 3.0
    )


@pytest.mark.parametrize(
    ("shelf", "reference", "factor"),
    [
        (kernel.RANDOM, 0, 1.4 / 1.2),
        (kernel.CO_VIEWED, 0, 1.4 / 0.6),
        (kernel.CO_VIEWED, 1, 1.0),
        (kernel.BOUGHT_TOGETHER, 0, 1.4 / 0.8),
    ],
)
@pytest.mark.parametrize("kappa", [0.4, 0.0])
def test_gap_of_a_linked_pair_at_rest(shelf, reference, factor, kappa):
    """F3's pair gap over the gap of qualities, everyone arriving by the link, w = 1/2, at rest: (1
    + k) / (1 + k w) random, / (1 - k) co-viewed with the other as reference, / (1 + k) where both
    are compared, / (1 - k w) bought together; control k = 0: all 1."""
    works = shop([0.5, -0.3])
    rules = PLAIN._replace(kappa_up=kappa, kappa_down=kappa, expect_shown=0.5, reference=reference)
    works.shown[:] = 3.0
    for _ in range(80):
        out, _ = react(seen([0, 0], [0, 1], via=[1, 0], shelf=shelf), crowd(1), works, rules)
        works.shown[:] = out[:, O_STAR]
    assert out[0, O_STAR] - out[1, O_STAR] == pytest.approx(
        0.8 * (factor if kappa else 1.0), abs=2e-6
    )


def test_reporting_grows_with_extremity():
    """P(report) = min(1, b exp(x |r - 3|)) with r cut to 1..5; everyone: control."""
    for quality, distance in ((0.0, 0.0), (1.0, 1.0), (-1.5, 1.5), (5.0, 2.0)):
        people = crowd(20000)
        out, _ = react(
            seen(np.arange(20000), np.zeros(20000)),
            people,
            shop([quality]),
            PLAIN._replace(everyone=False, report_base=0.05, extremity=1.2),
        )
        p = 0.05 * np.exp(1.2 * distance)
        assert abs((out[:, O_POSTED] > 0).mean() - p) < 3.9 * np.sqrt(p * (1 - p) / 20000)
    rules = PLAIN._replace(everyone=False, report_base=0.5, extremity=1.0)
    out, _ = react(seen(np.arange(500), np.zeros(500)), crowd(500), shop([2.0]), rules)
    assert (out[:, O_POSTED] == 5).all()  # cut to 1


def test_one_say_per_work_and_post():
    """Who comes back to a work rates no more and votes no more; after RING others the first is
    forgotten."""
    people, works = crowd(1), shop(np.zeros(kernel.RING + 1))
    out, total = react(seen([0, 0, 0], [0, 0, 1]), people, works)
    assert (
        works.rating_count[:2].tolist() == [1, 1]
        and total[kernel.T_BOUGHT] == 2
        and not out[1].any()
    )
    react(seen(np.zeros(kernel.RING), np.arange(1, kernel.RING + 1)), people, works)
    react(seen(0, 0), people, works)
    assert works.rating_count[0] == 2
    eager = FAIR._replace(up=50.0)
    people, works = crowd(1), shop([0.0])
    react(seen([0, 0], [0, 0]), people, works, voting=eager)
    assert works.up[0] == 1 and works.rating_count[0] == 1


def test_a_window_may_be_cut_anywhere():
    """Two windows that follow each other leave the bytes of one, sums included."""
    rng = np.random.default_rng(3)
    who, what = rng.integers(0, 40, 600), rng.integers(0, 25, 600)
    rules = PLAIN._replace(
        noise=0.8,
        kappa_up=0.2,
        kappa_down=0.4,
        anchoring=0.3,
        herding=0.2,
        level_up=0.1,
        level_down=0.1,
        everyone=False,
        report_base=0.2,
        extremity=0.5,
        shift=1.0,
    )
    voting = FAIR._replace(herd_up=0.3, herd_down=0.3, correction=0.5, up=-1.0, down=-2.0)
    states = []
    for cuts in ((0, 600), (0, 217, 218, 600)):
        people, works, total = crowd(40), shop(np.linspace(-1, 1, 25)), np.zeros(kernel.T_SIZE)
        for first, last in pairwise(cuts):
            react(
                seen(who[first:last], what[first:last], prediction=True),
                people,
                works,
                rules,
                voting,
                total,
            )
        states.append([array.tobytes() for array in (*people, *works, total)])
    assert states[0] == states[1] and works.rating_count.sum() > 20 and works.up.sum() > 50


def test_chances_of_a_vote():
    """The base rates at score 0; a first viewer's up-vote is +32 % at +1 (Muchnik); a hidden score
    is a score of 0; corrections are made by those who like the post, at negative scores, and by
    nothing else."""
    voting = FAIR._replace(herd_up=0.295, herd_down=0.295, correction=0.6)
    assert kernel.chances(0.0, 0.0, voting) == pytest.approx((0.0513, 0.0082), abs=1e-12)
    up, down = kernel.chances(0.0, 1.0, voting)
    assert up / 0.0513 == pytest.approx(1.32, abs=0.01) and down == pytest.approx(0.0082, abs=1e-12)
    for liking, corrected in ((0.5, 0.6), (-0.5, 0.0)):
        plain, low = (kernel.chances(liking, score, voting) for score in (0.0, -1.0))
        logit = [[math.log(p / (1 - p)) for p in both] for both in (plain, low)]
        assert logit[1][0] - logit[0][0] == pytest.approx(corrected, abs=1e-9)
        assert logit[1][1] - logit[0][1] == pytest.approx(0.295, abs=1e-9)
    assert (
        kernel.chances(0.5, -1.0, voting._replace(correction=0.0))[0]
        == kernel.chances(0.5, 0.0, voting)[0]
    )
    assert kernel.chances(0.0, 1e9, voting)[0] == pytest.approx(
        kernel.chances(0.59, 0.0, voting)[0], abs=1e-9
    )  # twice that far above
    assert sum(kernel.chances(40.0, 0.0, voting._replace(down=40.0))) <= 1.0


def everyone(impressions, n=300, posts=60):
    """Everybody meets every post."""
    meet(impressions, np.repeat(np.arange(n), posts), np.tile(np.arange(posts), n))


def test_works_are_rated_by_those_who_consume_them():
    """A rating needs a work, a click and a long view; a vote needs a click; nobody else moves
    anything."""
    world, mechanism, impressions = make(reporting="everyone", votes={"up_rate": 0.5})
    meet(impressions, np.arange(4), [0, 1, 2, 59], responses=[3, 1, 2, 3])
    mechanism.react()
    posts = world.table("posts")
    assert (
        posts["rating_count"].nonzero()[0].tolist() == [0]
        and world.table("consumers")["ratings_given"].sum() == 1
    )
    assert posts["votes_up"][2] == posts["votes_down"][2] == 0
    everyone(impressions)
    mechanism.react()
    assert (posts["rating_count"][:30] == 300).all() and not posts["rating_count"][30:].any()
    assert (posts["votes_up"] > 30).all()


def test_averages_are_shown_from_the_next_window_on():
    """`rating_shown` is the public average, 0 below `shown_from`, 0 while the lever hides it, back
    when it shows again."""
    world, mechanism, impressions = make(reporting="everyone", shown_from=2)
    posts = world.table("posts")
    meet(impressions, [0, 1, 2], [3, 3, 4])
    mechanism.react()
    average = posts["rating_sum"][3] / posts["rating_count"][3]
    assert posts["rating_shown"][3] == np.float32(average) and posts["rating_shown"].nonzero()[
        0
    ].tolist() == [3]
    meet(impressions, [], [])
    for shown in (False, True):
        world.levers["ratings.ratings_shown"] = shown
        mechanism.react()
        assert posts["rating_shown"][3] == np.float32(average if shown else 0)


def test_hidden_averages_neither_raise_expectations_nor_herd():
    """Control: with `ratings_shown` off, everybody says what they would say of a work that nobody
    has rated."""
    said = []
    for shown in (True, False):
        world, mechanism, impressions = make(
            reporting="everyone",
            ratings_shown=shown,
            prediction_shown=False,
            expectation_up=0.0,
            expectation_down=0.0,
        )
        for person in range(40):
            meet(impressions, [person], [0])
            mechanism.react()
        mechanism.measure()
        said.append(
            (
                world.board.get("rating_pull", cause="herding"),
                mechanism.keep["total"][kernel.T_SURPRISE],
            )
        )
    alone = make(reporting="everyone", ratings_shown=False, prediction_shown=False)[1]
    rules, total = alone.rules(), np.zeros(kernel.T_SIZE)
    out = kernel.forced(
        np.arange(40),
        np.array([0]),
        *np.zeros((2, 40), bool),
        *alone._arrays(),
        total,
        rules,
        alone.stream("rating"),
    )
    assert said[0][0] != 0 and said[1][0] == 0
    assert (
        said[1][1]
        == pytest.approx((out[:, 0, O_QUALITY] - out[:, 0, O_EXPECTATION]).sum(), abs=1e-9)
        != said[0][1]
    )


def test_no_works_no_ratings():
    """Without works only votes are cast; without votes nothing is done at all."""
    world, mechanism, impressions = make()
    world.table("posts")["work"][:] = False
    everyone(impressions)
    mechanism.react()
    mechanism.ask()
    mechanism.measure()
    assert not world.table("posts")["rating_count"].any() and world.board.get(
        "purchases"
    ) == 0 < world.board.get("votes", way="up")
    world, mechanism, impressions = make(votes={"enabled": False})
    everyone(impressions)
    mechanism.react()
    assert not world.table("posts")["votes_up"].any() and world.table("posts")["rating_count"].any()


def test_a_share_of_people_may_see_neither_averages_nor_predictions_nor_scores():
    """Levers per consumer: those of the arm in which something is hidden have none of it, and the
    others all; the column of averages on show is for whoever may see it."""
    world, mechanism, impressions = make(
        prediction_shown=True, prediction_shift=1.0, votes={"enabled": False}
    )
    world.table("consumers")["arm"][:] = np.arange(300) % 2
    world.arms["consumers"] = [{}, {"ratings.prediction_shown": False}]
    meet(impressions, np.arange(300), np.zeros(300))
    mechanism.react()
    total = mechanism.keep["total"]
    assert total[kernel.T_MOVED] + total[kernel.T_UNMOVED] == 150 < total[kernel.T_BOUGHT] == 300
    pulled = []
    for arm in (0, 1):
        world, mechanism, impressions = make(
            reporting="everyone", ratings_shown=False, votes={"enabled": False}
        )
        world.table("consumers")["arm"][:] = arm
        world.arms["consumers"] = [{}, {"ratings.ratings_shown": True}]
        meet(impressions, np.arange(50), np.zeros(50))
        mechanism.react()
        pulled.append(mechanism.keep["total"][kernel.T_HERDED])
        assert world.table("posts")["rating_shown"][0] > 0
    assert pulled[0] == 0 != pulled[1]
    same = []
    for seed in (0, 1):
        world, mechanism, impressions = make(votes={"up_rate": 0.3, "herd_up": 3.0})
        world.table("consumers")["arm"][:] = np.arange(300) % 2
        world.arms["consumers"] = [{"ratings.votes_shown": True}, {"ratings.votes_shown": False}]
        world.table("posts")["seed"][:] = seed
        luck = []
        for arm in (0, 1):
            everyone(impressions)
            keep = impressions.consumer % 2 == arm
            meet(impressions, impressions.consumer[keep], impressions.post[keep])
            before = world.table("posts")["votes_up"].copy()
            mechanism.react()
            luck.append(world.table("posts")["votes_up"] - before)
        same.append(luck)
    assert np.array_equal(same[0][1], same[1][1]) and not np.array_equal(same[0][0], same[1][0])


def test_seed_votes_are_the_posts_own():
    """The asked shares of posts get a vote at birth, by the post's key; what people vote is kept
    apart from it."""
    world, _, _ = make(posts=20000, votes={"seed_up": 0.1, "seed_down": 0.2})
    seed = world.table("posts")["seed"]
    for value, share in ((1, 0.1), (-1, 0.2), (0, 0.7)):
        assert abs((seed == value).mean() - share) < 3.9 * np.sqrt(share * (1 - share) / 20000)
    again = make(posts=20000, votes={"seed_up": 0.1})[0].table("posts")["seed"]
    assert np.array_equal(again == 1, seed == 1) and not (again == -1).any()
    assert not make(votes={"seed_up": 0.0})[0].table("posts")["seed"].any()
    assert not (make(votes={"seed_up": 1.0, "seed_down": 1.0})[0].table("posts")["seed"] != 1).any()


def test_final_scores_are_counted_once():
    """At the age `settle`, or when the row is given back before; then never again."""
    world, mechanism, _ = make(posts=4, votes={"settle": "2d"})
    posts = world.table("posts")
    posts["seed"][:], posts["votes_up"][:], posts["votes_down"][:] = (
        [1, 1, 0, -1],
        [5, 1, 2, 3],
        [1, 0, 4, 0],
    )
    posts["born"][:] = [0, 0, DAY, DAY]
    world.now = 2 * DAY
    mechanism.settle()
    mechanism.settle()
    mechanism.measure()
    get = world.board.get
    assert [get("vote_posts", seed=s) for s in ("down", "none", "up")] == [0, 0, 2]
    assert get("vote_score_mean", seed="up") == 3.5 and get("vote_net_mean", seed="up") == 2.5
    assert (
        get("vote_net_se", seed="up") == pytest.approx(np.std([4, 1], ddof=1) / np.sqrt(2))
        and get("vote_seed_ratio", seed="up") == 1
    )
    world.release("posts", np.array([0, 2]))
    world.now = 4 * DAY
    mechanism.settle()
    mechanism.measure()
    assert [get("vote_posts", seed=s) for s in ("down", "none", "up")] == [1, 1, 2]
    assert get("vote_net_mean", seed="none") == -2 and get("vote_score_mean", seed="down") == 2
    posts["votes_up"][1], posts["votes_final"][1] = (
        6,
        False,
    )  # as an unseeded post with 6 net votes: their mean is 2
    posts["seed"][1] = 0
    mechanism.settle()
    mechanism.measure()
    assert get("vote_net_mean", seed="none") == 2
    assert (
        get("vote_seed_ratio", seed="up") == 2.5 / 2 and get("vote_seed_ratio", seed="down") == 1.5
    )
    row = world.add("test", "posts", np.array([9], np.uint64))
    assert row[0] == 0 and not posts["votes_final"][0] and posts["votes_up"][0] == 0


def test_forced_sample_leaves_no_trace():
    """Those made to judge post nothing, learn nothing and vote nothing; the same day asks the same
    people, another day others."""
    world, mechanism, impressions = make(forced_works=5, forced_people=20)
    everyone(impressions)
    mechanism.react()
    before = {(t, c): table[c].copy() for t, table in world.tables.items() for c in table.columns}
    kept, sums = mechanism.keep["total"].copy(), []
    for day in (1, 1, 2):
        world.now = day * DAY
        mechanism.keep["total"][:] = kept
        mechanism.ask()
        assert (
            mechanism.keep["total"][kernel.T_FORCED]
            == 100
            == mechanism.keep["total"][kernel.T_HIST_FORCED :].sum()
        )
        sums.append(mechanism.keep["total"][kernel.T_FORCED_STARS])
    assert sums[0] == sums[1] and all(
        np.array_equal(world.tables[t][c], old) for (t, c), old in before.items()
    )
    assert np.array_equal(mechanism.keep["total"][: kernel.T_FORCED], kept[: kernel.T_FORCED])


def test_readings():
    """Bias, pulls, shares and shapes as defined, from a world where they can be reckoned by
    hand."""
    world, mechanism, impressions = make(
        reporting="everyone",
        noise=0.0,
        match_weight=0.0,
        quality_weight=1.0,
        mean=3.0,
        kappa_up=0.5,
        kappa_down=0.5,
        prior=3.0,
        prior_sd=0.0,
        expectation_up=0.0,
        expectation_down=0.0,
        prediction_shown=False,
        ratings_shown=False,
        votes={"enabled": False},
    )
    posts = world.table("posts")
    posts["quality"][:3] = [1.0, -1.0, 0.0]  # said: 4.5 -> 5, 1.5 -> 2, 3
    meet(impressions, [0, 1, 2, 3], [0, 0, 1, 2])
    mechanism.react()
    mechanism.measure()
    get = world.board.get
    assert [get("ratings_star", bin=str(k)) for k in range(1, 6)] == [0, 1, 1, 0, 2]
    assert (
        get("ratings") == get("purchases") == 4
        and get("works_rated") == 3
        and get("rating_report_share") == 1
    )
    assert (
        get("rating_mean", sample="posted") == 3.75 == get("rating_mean", sample="bought")
        and get("rating_true_mean") == 3.25
    )
    assert (
        get("rating_bias") == pytest.approx((1 + 0 + 0) / 3)
        and get("rating_extreme_share", sample="posted") == 0.5
    )
    assert get("rating_j_shape", sample="posted") == -0.25
    assert get("rating_pull", cause="disconfirmation") == pytest.approx(0.25 * 0.5 * (1 + 1 - 1))
    assert get("rating_pull", cause="herding") == get("rating_pull", cause="anchoring") == 0
    assert (
        get("rating_disconfirmation_mean") == pytest.approx(0.25)
        and get("rating_expectation_mean") == 3
        and get("anchoring_slope") == 0
    )
    kept = world.board.snapshot()
    meet(impressions, [], [])
    mechanism.react()
    mechanism.measure()
    assert np.array_equal(kept, world.board.snapshot())  # nothing new: the last reading stands


def test_first_expectations():
    """Around the prior with the asked spread, cut to the scale; by the person's key."""
    world, _, _ = make(n=4000, prior=3.2, prior_sd=0.4)
    level = world.table("consumers")["rating_expectation"].astype(float)
    assert abs(level.mean() - 3.2) < 3.9 * 0.4 / np.sqrt(4000) and abs(
        level.std() - 0.4
    ) < 3.9 * 0.4 / np.sqrt(8000)
    assert level.min() >= 1 and level.max() <= 5
    assert np.array_equal(
        make(n=4000, prior=3.2, prior_sd=0.4)[0].table("consumers")["rating_expectation"],
        level.astype(np.float32),
    )
