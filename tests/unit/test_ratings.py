"""Ratings and votes against their closed forms, and the mechanism that asks for them."""

import math
from itertools import pairwise

import numpy as np
import pytest

from tests.given.ratings import (
    CERTAIN,
    FAIR,
    PLAIN,
    crowd,
    make,
    meet,
    pairs,
    react,
    seen,
    shop,
    sums,
)
from twin.ground.units import DAY
from twin.kernels import rate, vote
from twin.kernels.rules import Shelf
from twin.kernels.said import RING, SUMS
from twin.world.params import changed
from twin.world.settings import settings


@pytest.mark.parametrize(("up", "down"), [(0.5, 0.5), (0.2, 0.4), (0.0, 1.0)])
def test_rating_is_quality_less_disappointed_expectation(up, down):
    """FINDINGS F3: r = q - kappa (E - q), with its own kappa on each side of the expectation; exact
    without noise."""
    quality = np.linspace(-2, 2, 9)
    out, _ = react(
        pairs(crowd(1, 3.5), shop(quality)),
        crowd(1, 3.5),
        shop(quality),
        changed(PLAIN, kappa_up=up, kappa_down=down),
    )
    q = 3 + quality
    gap = q - 3.5
    assert np.abs(out["quality"] - q).max() < 1e-12 and np.abs(out["expectation"] - 3.5).max() == 0
    assert np.abs(out["star"] - (q + np.where(gap > 0, up, down) * gap)).max() < 1e-12


def test_without_any_pull_people_say_what_they_experienced():
    """Control: kappa, anchoring and herding 0; ratings are q, rounded and cut to the scale."""
    people, works = crowd(20), shop(np.linspace(-4, 4, 12))
    rules = changed(PLAIN, match_weight=0.7, noise=0.5)
    out, total = react(pairs(people, works, prediction=True), people, works, rules)
    assert np.array_equal(out["star"], out["quality"])
    whole = np.clip(np.floor(out["star"] + 0.5), 1, 5)
    assert np.array_equal(out["posted"], whole) and {1, 2, 3, 4, 5} == set(whole)
    assert (
        works.rating_sum.sum() == whole.sum() == total["stars"]
        and works.rating_count.tolist() == [20] * 12
    )
    assert (
        total["ratings_star"].tolist() == np.bincount(whole.astype(int), minlength=6)[1:].tolist()
    )


def test_experience_is_of_the_person_and_the_work():
    """q = mean + quality + match + noise z; z is standard normal, and the pair's own: no order or
    company changes it."""
    people, works = crowd(100), shop(np.linspace(-1, 1, 50))
    rules = changed(PLAIN, quality_weight=0.5, match_weight=0.8, noise=0.6)
    events = pairs(people, works)
    out, _ = react(events, people, works, rules)
    match = (people.taste.astype(float) @ works.content.T.astype(float)).ravel()
    z = (out["quality"] - 3 - 0.5 * np.tile(works.quality.astype(float), 100) - 0.8 * match) / 0.6
    assert abs(z.mean()) < 3.9 / np.sqrt(len(z)) and abs(z.var() - 1) < 3.9 * np.sqrt(2 / len(z))
    back = np.arange(len(z))[::-1]
    turned, _ = react(
        seen(events.consumer[back], events.post[back]),
        crowd(100),
        shop(np.linspace(-1, 1, 50)),
        rules,
    )
    assert np.array_equal(turned["quality"][::-1], out["quality"])


@pytest.mark.parametrize(
    ("shown", "share", "expected"),
    [(0.0, 0.5, 3.0), (4.0, 0.0, 3.0), (4.0, 0.5, 3.5), (4.0, 1.0, 4.0)],
)
def test_expectation_goes_to_what_is_shown(shown, share, expected):
    """E = f + w (shown - f), and f alone where nothing is on show."""
    people, works = crowd(1), shop([0.0])
    works.rating_shown[0] = shown
    assert (
        react(seen(0, 0), people, works, changed(PLAIN, expect_shown=share))[0]["expectation"][0]
        == expected
    )
    assert (
        react(seen(0, 0, average=False), crowd(1), works, changed(PLAIN, expect_shown=share))[0][
            "expectation"
        ][0]
        == 3.0
    )


def test_general_expectation_follows_what_was_met():
    """With rate l both ways it closes geometrically, D_t = (1 - l)^t D_0; with rate 0 it stands; it
    never leaves the scale."""
    works = shop(np.full(12, 1.5))
    people = crowd(1, 2.0)
    out, total = react(
        pairs(people, works),
        people,
        works,
        changed(PLAIN, expectation_up=0.2, expectation_down=0.2),
    )
    met = out["quality"] - out["expectation"]
    assert met == pytest.approx(2.5 * 0.8 ** np.arange(12), abs=1e-6)
    assert total["surprise"] == pytest.approx(met.sum(), abs=1e-12)
    for start, rules, end in (
        (2.0, PLAIN, 2.0),
        (2.0, changed(PLAIN, expectation_up=0.1), 2.25),
        (5.0, changed(PLAIN, expectation_up=0.1), 5.0),
    ):
        people = crowd(1, start)
        react(seen(0, 0), people, works, rules)
        assert people.rating_expectation[0] == pytest.approx(end, abs=1e-6)


def test_anchoring_is_linear_in_the_shown_prediction():
    """Adomavicius: moving the prediction by x moves the rating by anchoring * x, for about half of
    the pairs and x at a time; 0 unshown."""

    def said(shift, shown=True, **rules):
        people, works = crowd(200), shop(np.linspace(-1, 1, 5))
        works.rating_count[:], works.rating_sum[:] = 10, [26, 28, 30, 32, 34]
        total = np.zeros(1, SUMS)[0]
        total["ratings"], total["stars"] = 50, 150
        rules = changed(
            PLAIN, reporting="selective", herding=0.0, prediction_shift=shift, **rules
        )  # nobody posts: predictions stand still
        return react(pairs(people, works, prediction=shown), people, works, rules, total=total)[0]

    still = said(0.0, anchoring=0.35)
    assert still["star"] == pytest.approx(
        still["quality"] + 0.35 * (still["prediction"] - still["quality"]), abs=1e-12
    )
    halves = []
    for shift in (-1.0, -0.5, 0.25, 1.5):
        moved = said(shift, anchoring=0.35)
        drift, x = (
            moved["star"] - still["star"],
            moved["prediction"] - still["prediction"],
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
            (through["star"] - base["star"])
            - (0.35 - 0.3 * 0.5) * (through["prediction"] - base["prediction"])
        ).max()
        < 1e-12
    )
    assert np.array_equal(
        said(1.0, shown=False, anchoring=0.35)["star"], said(0.0, shown=False)["star"]
    )


def test_prediction_is_the_baseline_predictor_of_posted_ratings():
    """m + b_j + b_i with shrinkage, from ratings alone; 3 before there are any."""
    people, works = crowd(2), shop([2.0, -2.0, 0.0])
    rules = changed(PLAIN, shrink_work=2.0, shrink_person=3.0)
    out, total = react(seen([0, 0, 1, 1], [0, 1, 0, 2], prediction=True), people, works, rules)
    assert out["posted"].tolist() == [5, 1, 5, 3]
    second = 5 + (5 - 3) / (
        3 + 1
    )  # mean 5, no rating of the second work, first person's residual 5 - 3 once
    third = 3 + (5 - 3) / (2 + 1)  # mean (5 + 1) / 2, the work's one 5
    fourth = 11 / 3 + (5 - third) / (3 + 1)
    assert out["prediction"] == pytest.approx([3.0, min(second, 5), third, fourth], abs=1e-6)
    assert total["ratings"] == 4 and people.ratings_given.tolist() == [2, 2]


def test_herding_sees_the_ratings_before_it():
    """r = q + h (average - q) with the average when it is written, earlier ones of the same window
    included; none, no pull."""
    people, works = crowd(3), shop([1.0])
    works.rating_sum[0], works.rating_count[0] = 4, 2
    out, total = react(seen([0, 1, 2], [0, 0, 0]), people, works, changed(PLAIN, herding=0.5))
    assert out["star"] == pytest.approx(
        [3, 4 + 0.5 * (7 / 3 - 4), 4 + 0.5 * (10 / 4 - 4)], abs=1e-12
    )
    assert out["posted"].tolist() == [3, 3, 3]
    assert total["herding"] == pytest.approx((out["star"] - 4).sum(), abs=1e-12)
    for average, change in ((False, {}), (True, {"shown_from": 3}), (True, {"herding": 0.0})):
        works.rating_sum[0], works.rating_count[0] = 4, 2
        free, _ = react(
            seen(0, 0, average=average),
            crowd(3),
            works,
            changed(PLAIN, **{"herding": 0.5, **change}),
        )
        assert free["star"][0] == 4.0


@pytest.mark.parametrize(
    ("shelf", "reference", "expected"),
    [
        (Shelf.CO_VIEWED, "via", 4.5),
        (Shelf.CO_VIEWED, "comparison", 2.0),
        (Shelf.CO_VIEWED, "none", 2.5),
        (Shelf.BOUGHT_TOGETHER, "via", 3.75),
        (Shelf.RANDOM, "via", 2.5),
    ],
)
def test_the_related_shelf_sets_the_expectation(shelf, reference, expected):
    """Co-viewed: the average of the work it hangs on (or all that is on show of both);
    bought-together: one's own expectation of that work; random: as elsewhere."""
    people, works = crowd(1), shop([0.0, 0.0])
    works.rating_shown[:] = 2.0, 4.5
    rules = changed(PLAIN, expect_shown=0.5, reference=reference)
    out, _ = react(seen([0, 0], [0, 1], via=[1, -1], shelf=shelf), people, works, rules)
    assert out["expectation"].tolist() == [expected, 3.75]
    assert (
        react(seen(0, 0, via=[1], shelf=shelf, average=False), crowd(1), works, rules)[0][
            "expectation"
        ][0]
        == 3.0
    )
    works.rating_shown[:] = 0.0
    assert (
        react(seen(0, 0, via=[1], shelf=shelf), crowd(1), works, rules)[0]["expectation"][0] == 3.0
    )


@pytest.mark.parametrize("shelf", [Shelf.CO_VIEWED, Shelf.BOUGHT_TOGETHER, Shelf.RANDOM])
def test_no_link_sets_an_expectation_where_none_is_to(shelf):
    """With reference none and nothing carried over, a shelf says nothing: f + w (a - f)."""
    works = shop([0.0, 0.0])
    works.rating_shown[:] = 2.0, 4.5
    rules = changed(PLAIN, expect_shown=0.5, reference="none", carried=False)
    out, _ = react(seen([0, 0], [0, 1], via=[1, -1], shelf=shelf), crowd(1), works, rules)
    assert out["expectation"].tolist() == [2.5, 3.75]


@pytest.mark.parametrize(
    ("shelf", "reference", "factor"),
    [
        (Shelf.RANDOM, "via", 1.4 / 1.2),
        (Shelf.CO_VIEWED, "via", 1.4 / 0.6),
        (Shelf.CO_VIEWED, "comparison", 1.0),
        (Shelf.BOUGHT_TOGETHER, "via", 1.4 / 0.8),
    ],
)
@pytest.mark.parametrize("kappa", [0.4, 0.0])
def test_gap_of_a_linked_pair_at_rest(shelf, reference, factor, kappa):
    """F3's pair gap over the gap of qualities, everyone arriving by the link, w = 1/2, at rest: (1
    + k) / (1 + k w) random, / (1 - k) co-viewed with the other as reference, / (1 + k) where both
    are compared, / (1 - k w) bought together; control k = 0: all 1."""
    works = shop([0.5, -0.3])
    rules = changed(PLAIN, kappa_up=kappa, kappa_down=kappa, expect_shown=0.5, reference=reference)
    works.rating_shown[:] = 3.0
    for _ in range(80):
        out, _ = react(seen([0, 0], [0, 1], via=[1, 0], shelf=shelf), crowd(1), works, rules)
        works.rating_shown[:] = out["star"]
    assert out["star"][0] - out["star"][1] == pytest.approx(
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
            changed(PLAIN, reporting="selective", report_base=0.05, extremity=1.2),
        )
        p = 0.05 * np.exp(1.2 * distance)
        assert abs((out["posted"] > 0).mean() - p) < 3.9 * np.sqrt(p * (1 - p) / 20000)
    rules = changed(PLAIN, reporting="selective", report_base=0.5, extremity=1.0)
    out, _ = react(seen(np.arange(500), np.zeros(500)), crowd(500), shop([2.0]), rules)
    assert (out["posted"] == 5).all()  # cut to 1


def test_one_say_per_work_and_post():
    """Who comes back to a work rates no more and votes no more; after RING others the first is
    forgotten."""
    people, works = crowd(1), shop(np.zeros(RING + 1))
    out, total = react(seen([0, 0, 0], [0, 0, 1]), people, works)
    assert (
        works.rating_count[:2].tolist() == [1, 1]
        and total["purchases"] == 2
        and not any(out[1].item())
    )
    react(seen(np.zeros(RING), np.arange(1, RING + 1)), people, works)
    react(seen(0, 0), people, works)
    assert works.rating_count[0] == 2
    eager = changed(FAIR, up_rate=CERTAIN)
    people, works = crowd(1), shop([0.0])
    react(seen([0, 0], [0, 0]), people, works, voting=eager)
    assert works.votes_up[0] == 1 and works.rating_count[0] == 1


def test_a_window_may_be_cut_anywhere():
    """Two windows that follow each other leave the bytes of one, sums included."""
    rng = np.random.default_rng(3)
    who, what = rng.integers(0, 40, 600), rng.integers(0, 25, 600)
    rules = changed(
        PLAIN,
        noise=0.8,
        kappa_up=0.2,
        kappa_down=0.4,
        anchoring=0.3,
        herding=0.2,
        expectation_up=0.1,
        expectation_down=0.1,
        reporting="selective",
        report_base=0.2,
        extremity=0.5,
        prediction_shift=1.0,
    )
    voting = changed(FAIR, herd_up=0.3, herd_down=0.3, correction=0.5, up_rate=0.27, down_rate=0.12)
    states = []
    for cuts in ((0, 600), (0, 217, 218, 600)):
        people, works, total = crowd(40), shop(np.linspace(-1, 1, 25)), np.zeros(1, SUMS)[0]
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
    assert states[0] == states[1] and works.rating_count.sum() > 20 and works.votes_up.sum() > 50


def test_chances_of_a_vote():
    """The base rates at score 0; a first viewer's up-vote is +32 % at +1 (Muchnik); a hidden score
    is a score of 0; corrections are made by those who like the post, at negative scores, and by
    nothing else."""
    voting = changed(FAIR, herd_up=0.295, herd_down=0.295, correction=0.6)
    assert vote.chances(0.0, 0.0, settings(voting)[0]) == pytest.approx((0.0513, 0.0082), abs=1e-12)
    up, down = vote.chances(0.0, 1.0, settings(voting)[0])
    assert up / 0.0513 == pytest.approx(1.32, abs=0.01) and down == pytest.approx(0.0082, abs=1e-12)
    for liking, corrected in ((0.5, 0.6), (-0.5, 0.0)):
        plain, low = (vote.chances(liking, score, settings(voting)[0]) for score in (0.0, -1.0))
        logit = [[math.log(p / (1 - p)) for p in both] for both in (plain, low)]
        assert logit[1][0] - logit[0][0] == pytest.approx(corrected, abs=1e-9)
        assert logit[1][1] - logit[0][1] == pytest.approx(0.295, abs=1e-9)
    assert (
        vote.chances(0.5, -1.0, settings(changed(voting, correction=0.0))[0])[0]
        == vote.chances(0.5, 0.0, settings(voting)[0])[0]
    )
    assert vote.chances(0.0, 1e9, settings(voting)[0])[0] == pytest.approx(
        vote.chances(0.59, 0.0, settings(voting)[0])[0], abs=1e-9
    )  # twice that far above
    assert sum(vote.chances(36.0, 0.0, settings(changed(voting, down_rate=CERTAIN))[0])) <= 1.0


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
                sums(mechanism)["surprise"],
            )
        )
    alone = make(reporting="everyone", ratings_shown=False, prediction_shown=False)[1]
    out = rate.forced(np.arange(40), np.array([0]), *np.zeros((2, 40), bool), alone.scene())
    assert said[0][0] != 0 and said[1][0] == 0
    assert (
        said[1][1]
        == pytest.approx((out["quality"][:, 0] - out["expectation"][:, 0]).sum(), abs=1e-9)
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
    total = sums(mechanism)
    assert total["moved"] + total["unmoved"] == 150 < total["purchases"] == 300
    pulled = []
    for arm in (0, 1):
        world, mechanism, impressions = make(
            reporting="everyone", ratings_shown=False, votes={"enabled": False}
        )
        world.table("consumers")["arm"][:] = arm
        world.arms["consumers"] = [{}, {"ratings.ratings_shown": True}]
        meet(impressions, np.arange(50), np.zeros(50))
        mechanism.react()
        pulled.append(sums(mechanism)["herding"])
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
    kept, said = mechanism.keep["total"].copy(), []
    for day in (1, 1, 2):
        world.now = day * DAY
        mechanism.keep["total"][:] = kept
        mechanism.ask()
        now = sums(mechanism)
        assert now["forced"] == 100 == now["ratings_star_forced"].sum()
        said.append(now["forced_stars"])
    assert said[0] == said[1] and all(
        np.array_equal(world.tables[t][c], old) for (t, c), old in before.items()
    )
    others = [name for name in SUMS.names if "forced" not in name]
    assert all(np.array_equal(now[name], kept.view(SUMS)[0][name]) for name in others)


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
