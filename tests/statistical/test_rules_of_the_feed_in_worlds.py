"""Rules, shelves, dimension and campaigns in whole worlds: what a setting promises is read off the
slates as they were served.

The recommender keeps its whole log where it trains on a week of it (``training: full``), so every
slate of a run is at hand, with the source of each place. Worlds are paired by common luck; margins
are 3.9 standard errors or more, or certain.
"""

import numpy as np
import pytest

from tests.statistical.worlds import CLOSED, World, differing, errors, worlds
from twin.kernels.rules import SOURCES

ALONE = ("campaigns.enabled=false", "chatbots.enabled=false", "ratings.enabled=false")
WHOLE = (
    *CLOSED,
    *ALONE,
    "duration=5d",
    "recommender.explore_slots=0",
    "recommender.slate=10",
    "audience.patience=0.999",
    "audience.patience_sd=0",
    "recommender.shelf.kind=none",
    "recommender.training=full",
    "recommender.history=7d",
    "recommender.retrain_every=2d",
    "audience.responses.follow.intercept=-30",
    "audience.responses.hide.intercept=-30",
)
"""Slates are looked at to the end, nobody's followers change, nothing is cut off the log."""

MANY = (
    "creators.ai.initial=0",
    "creators.human.initial=150",
    "creators.human.posts_mean=1.5/d",
    "recommender.quota.in_network=10",
    "recommender.quota.nearest=20",
)
"""More posts than a person's candidates, so that kept slots never want for posts that nobody else
put forward."""


@pytest.fixture(scope="module")
def run(small):
    return worlds(small)


class Slates:
    """Full slates of a world, arrays (slates, 10): posts, sources, and what is true of their
    makers; the consumer of each."""

    def __init__(self, world: World, interval: int = 1) -> None:
        """From the start of an interval between trainings on; in the first one, 0, nothing has been
        learned."""
        inside, state = world.simulation.world, world.simulation.world.state
        size, first = (
            int(state["recommender.log.size"][0]),
            int(state["recommender.log.starts"][interval, 1]),
        )
        place, post, consumer, source = (
            state[f"recommender.log.{name}"][first:size]
            for name in ("place", "post", "consumer", "source")
        )
        start = np.flatnonzero(place == 0)
        start = start[np.diff(np.append(start, len(place))) == 10]
        rows = start[:, None] + np.arange(10)
        assert len(rows) > 100 and (np.diff(place[rows], axis=1) == 1).all()
        self.post, self.source, self.consumer = post[rows], source[rows], consumer[start]
        posts, creators = inside.table("posts"), inside.table("creators")
        self.author = posts["creator"][self.post]
        self.ai, self.followers = creators["ai"][self.author], creators["followers"][self.author]
        self.content, self.born = (
            posts["content"][self.post].astype(float),
            posts["born"][self.post],
        )
        self.arm = inside.table("consumers")["arm"][self.consumer]

    def most_of_one(self) -> np.ndarray:
        """The most posts of one creator in each slate."""
        return np.array([np.unique(row, return_counts=True)[1].max() for row in self.author])


def likeness(unit: np.ndarray) -> float:
    """Mean cosine between the posts of a slate, unit vectors (10, d)."""
    return float((unit.sum(0) ** 2).sum() - (unit**2).sum()) / 90


def test_author_cap(run):
    """At most so many posts of one creator in any slate; the default lets three in."""
    assert Slates(run(*WHOLE)).most_of_one().max() == 3
    assert Slates(run(*WHOLE, "recommender.author_cap=1"), interval=0).most_of_one().max() == 1


def test_ai_cap(run):
    """At most so many AI posts in any slate; without the cap there are slates of nearly nothing
    else."""
    flood = (*WHOLE, "creators.ai.initial=20")
    assert Slates(run(*flood)).ai.sum(1).max() >= 8
    assert Slates(run(*flood, "recommender.ai_cap=2"), interval=0).ai.sum(1).max() == 2


def test_exposure_floor_is_filled_by_small_creators(run):
    """Four slots kept: every slate has four posts of creators with at most so many followers;
    without, many have not."""
    many = (*WHOLE, *MANY, "recommender.small_followers=6")
    free, kept = Slates(run(*many)), Slates(run(*many, "recommender.exposure_floor=4"))
    small = [(slates.followers <= 6).sum(1) for slates in (free, kept)]
    assert small[1].min() >= 4 > small[0].min() and (small[0] < 4).sum() > 10


def test_explore_slots(run):
    """Two slots kept: every slate has two posts from exploration; without, the ranker takes few."""
    free, kept = (
        Slates(run(*WHOLE, *MANY)),
        Slates(run(*WHOLE, *MANY, "recommender.explore_slots=2")),
    )
    explored = [(slates.source == SOURCES.index("explore")).sum(1) for slates in (free, kept)]
    assert explored[1].min() >= 2 and (explored[0] < 2).mean() > 0.5


def test_diversity_makes_slates_less_alike(run):
    """Switched on as a new model is served: people's first slates after it, from the very same
    candidates, are less alike than without, by the served vectors and by what posts are truly
    about: 3.9 standard errors of paired differences across people."""
    worlds_ = [
        run(
            *WHOLE, f"policies=[{{name: diverse, at: 4d, set: {{recommender.diversity: {share}}}}}]"
        )
        for share in (0.0, 0.8)
    ]
    found = []
    for world in worlds_:
        slates, vectors = (
            Slates(world, interval=-1),
            world.simulation.world.state["recommender.serve.post.vec"].astype(float),
        )
        unit = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
        people, first = np.unique(slates.consumer, return_index=True)
        found.append(
            {
                person: (likeness(unit[slates.post[at]]), likeness(slates.content[at]))
                for person, at in zip(people, first, strict=True)
            }
        )
    both = sorted(set(found[0]) & set(found[1]))
    gap = np.array([[found[0][person][k] - found[1][person][k] for k in (0, 1)] for person in both])
    assert len(both) > 60 and (gap.mean(0) > 3.9 * gap.std(0, ddof=1) / np.sqrt(len(both))).all()


def orders(slates: Slates, since: int) -> tuple[int, int]:
    """How many times two slates show a pair of posts in the same order, and in opposite orders.

    Posts of one creator that are newer than the model have equal scores, so pairs are of older
    posts by two creators.
    """
    seen: set[tuple[int, int]] = set()
    same = opposite = 0
    for post, author, born in zip(slates.post, slates.author, slates.born, strict=True):
        old = np.flatnonzero(born < since)
        for i, a in enumerate(old):
            for b in old[i + 1 :]:
                if author[a] != author[b]:
                    pair = int(post[a]), int(post[b])
                    same += pair in seen
                    opposite += pair[::-1] in seen
                    seen.add(pair)
    return same, opposite


def test_without_personalisation_all_are_ranked_alike(run):
    """Personalisation of vectors and reward 0: whatever candidates people have, any two posts stand
    in one order in everybody's slate until the model changes; with personalisation they do not."""
    plain = (
        *WHOLE,
        "recommender.out_of_network=1",
        "recommender.author_decay=1",
        "recommender.author_cap=100",
        "recommender.in_network_slots=0.0",
        "recommender.lists=1",
        "recommender.signals.counts.on=false",  # counts go on
        "recommender.probes=1",
        "recommender.probe_cap=4096",
        "recommender.quota.nearest=500",
        "duration=7d",
        "recommender.reward.weight=0.3",
    )
    found = []
    for share in (0, 1):
        world = run(
            *plain,
            f"recommender.personalisation={share}",
            f"recommender.reward.personalisation={share}",
        )
        state = world.simulation.world.state
        times = state["recommender.times"]
        # trained, and served, on the sixth day
        assert times["learned"] == times["served"] == 6 * 86400
        found.append(orders(Slates(world, interval=-1), since=6 * 86400))
    assert found[0][0] > 200 and found[0][1] == 0
    assert found[1][1] > 0.2 * found[1][0]


def test_rules_for_a_share_hold_in_their_arm(run):
    """Two policies for a share: slates of each of the four arms keep the rules of that arm, and
    only those."""
    policies = (
        "policies=[{name: one each, share: 0.5, set: {recommender.author_cap: 1}}, "
        "{name: few AI, share: 0.5, set: {recommender.ai_cap: 2}}]"
    )
    slates = Slates(run(*WHOLE, "creators.ai.initial=20", policies))
    for arm in range(4):
        here = slates.arm == arm
        assert here.sum() > 30
        assert (slates.most_of_one()[here].max() == 1) == bool(arm & 1)
        assert (slates.ai[here].sum(1).max() <= 2) == bool(arm & 2)


# F3: shelves
def test_shelves_by_kind(run):
    """Each kind of link fills a shelf where there are works, none where it is off or nobody makes
    works; its pairs' ratings are read."""
    common = (
        *CLOSED,
        "campaigns.enabled=false",
        "chatbots.enabled=false",
        "duration=12d",
        "ratings.reporting=everyone",
        "pairs.every=3d",
    )
    works = "creators.human.work_share=0.5"
    for kind in ("co_viewed", "bought_together", "random"):
        world = run(*common, works, f"recommender.shelf.kind={kind}")
        assert (
            world.last("source_impressions", source="shelf") > 100
            and world.last("rating_pairs", link=kind) > 10
        )
    off = run(*common, works, "recommender.shelf.kind=none")
    assert (
        off.last("works", by="human") > 50 and off.last("source_impressions", source="shelf") == 0
    )
    assert (
        run(*common, "recommender.shelf.kind=random").last("source_impressions", source="shelf")
        == 0
    )


def test_who_is_glad_of_a_work_looks_at_its_shelf(run):
    """All but certain looks by gladness: where nobody is ever glad nobody looks at a shelf that
    draws the glad, and where everybody is, nobody at one that draws the others."""
    common = (
        *CLOSED,
        "campaigns.enabled=false",
        "chatbots.enabled=false",
        "opinions.enabled=false",
        "duration=3d",
        "creators.human.work_share=0.5",
        "recommender.shelf.kind=random",
    )
    for glad in (-30, 30):
        looked = {
            drawn: run(
                *common,
                f"audience.responses.glad.intercept={glad}",
                f"audience.shelf_drawn.random={drawn}",
            ).last("source_impressions", source="shelf")
            for drawn in (-20, 20)
        }
        assert looked[-np.sign(glad) * 20] == 0 and looked[np.sign(glad) * 20] > 100


# F4: dimension
def test_low_dimension_shows_the_popular(run):
    """One dimension against 32, no slots for exploration: what is shown is more popular and
    exposure less equal, days 10 to 24 of three seeds."""
    gaps = {name: [] for name in ("shown_popularity", "exposure_gini")}
    for seed in (1, 2, 3):
        low, high = (
            run(
                *CLOSED,
                *ALONE,
                "duration=24d",
                "audience.initial=500",
                "recommender.explore_slots=0",
                f"recommender.dim={dim}",
                f"seed={seed}",
            )
            for dim in (1, 32)
        )
        for name, gap in gaps.items():
            gap.append((low.series(name) - high.series(name))[10:25])
    assert errors(np.concatenate(gaps["shown_popularity"]), 15) > 3.9
    assert errors(np.concatenate(gaps["exposure_gini"]), 15) > 3.9


def test_feedback_at_random_does_not_know_the_dimension(run):
    """Control: slates at random: the dimension changes how well the model predicts and its size,
    and no other bit of the board."""
    low, high = (
        run(*CLOSED, "duration=12d", "recommender.ranking=random", f"recommender.dim={dim}")
        for dim in (1, 32)
    )
    other = differing(low, high)
    assert {"model_dim", "table_bytes", "model_log_loss"} <= other
    assert all(name.startswith("model_") or name == "table_bytes" for name in other)


# F6: what a platform may do about AI posts
FLOOD = (*CLOSED, *ALONE, "duration=16d", "creators.ai.initial=20")


@pytest.mark.parametrize("rule", ["recommender.ai_factor=0.1", "recommender.ai_cap=1"])
def test_demotion_and_cap_give_exposure_back(run, rule):
    """AI posts demoted, or at most one a slate: the human share of impressions rises, and AI reach
    falls."""
    plain, ruled = run(*FLOOD), run(*FLOOD, rule)
    assert (
        errors((ruled.series("creator_human_share") - plain.series("creator_human_share"))[2:])
        > 3.9
    )
    assert ruled.last("impressions", by="ai") < 0.6 * plain.last("impressions", by="ai")


def test_volume_cap_labels_and_pay(run):
    """One post a day: no more from any AI creator; labels: every AI post bears one and every AI
    impression shows it; no pay: no income."""
    capped, plain = run(*FLOOD, "creators.ai_posts_cap=1"), run(*FLOOD)
    assert (
        np.diff(capped.series("posts", by="ai")).max()
        <= 20
        < np.diff(plain.series("posts", by="ai")).min()
    )
    assert capped.last("posts_blocked") > 500 and plain.last("posts_blocked") == 0
    labelled = run(*FLOOD, "creators.label_ai=1")
    assert labelled.last("labelled_share") == 1 and plain.last("labelled_share") == 0
    assert np.array_equal(
        labelled.series("labelled_impressions"), labelled.series("impressions", by="ai")
    )
    unpaid = run(*FLOOD, "creators.ai_pay=0")
    assert (
        not unpaid.series("creator_income", by="ai").any()
        and unpaid.last("creator_income", by="human") > 0
    )
    assert plain.last("creator_income", by="ai") > 0


# Campaigns
CAMPAIGN = (
    *CLOSED,
    "chatbots.enabled=false",
    "duration=12d",
    "creators.ai.initial=0",
    "campaigns.accounts=20",
    "campaigns.detection=0",
)


def test_a_campaign_of_nobody_is_no_campaign(run):
    """Control: 0 accounts and a world without campaigns: every common metric the same to the bit;
    with accounts many differ."""
    common = (*CLOSED, "duration=8d")
    off = run(*common, "campaigns.enabled=false")
    assert differing(off, run(*common, "campaigns.accounts=0")) == set()
    assert {"impressions", "posts_eligible", "opinion_mean"} <= differing(
        off, run(*common, "campaigns.accounts=20")
    )


def test_coordination_pays_by_what_people_see(run):
    """Accounts that like one another are seen more; where counts are hidden from people and from
    the model, their likes change nothing but their own count and what makers take for the trend
    when they predict clicks."""
    alone, together = (
        run(*CAMPAIGN, "campaigns.accounts=40", "duration=40d", f"campaigns.coordination={share}")
        for share in (0, 1)
    )
    daily = [np.diff(world.series("campaign_impressions"))[2:] for world in (alone, together)]
    assert errors(daily[1] - daily[0]) > 3.9 and alone.last(
        "campaign_fake_likes"
    ) == 0 < together.last("campaign_fake_likes")
    hidden = [
        run(
            *CAMPAIGN,
            "audience.counts_shown=false",
            "recommender.signals.counts.on=false",
            f"campaigns.coordination={share}",
        )
        for share in (0, 1)
    ]
    assert differing(*hidden) == {"campaign_fake_likes", "draft_predictor_correlation"}


def test_certain_detection_ends_it(run):
    """Found for certain and not replaced: all accounts are banned on their second day and none
    posts again; a rate limit holds."""
    caught = run(*CAMPAIGN, "campaigns.detection=1", "campaigns.regrow=0s")
    assert (
        caught.last("campaign_banned") == 20 and caught.series("campaign_accounts")[3:].max() == 0
    )
    posts = caught.series("campaign_posts")
    assert posts[-1] == posts[3] > 0
    assert not run(*CAMPAIGN).series("campaign_banned").any()
    limited, free = (
        np.diff(run(*CAMPAIGN, *more).series("campaign_posts"))[2:].sum()
        for more in (("campaigns.rate_limit=1/d",), ())
    )
    assert abs(limited - 180) < 3.9 * np.sqrt(180) and abs(free - 900) < 3.9 * np.sqrt(900)
