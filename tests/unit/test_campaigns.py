"""Campaigns in a small world whose creators, audience and recommender are stand-ins: what a
campaign asks of them, and what it reckons."""

import datetime as dt
from types import SimpleNamespace

import numpy as np
import pytest

from twin.ground.draws import children
from twin.ground.units import DAY, NEVER, format_duration, format_rate
from twin.kernels import opinion
from twin.mechanisms.campaigns import Campaigns, CampaignsParams
from twin.world.board import Board
from twin.world.columns import Column
from twin.world.state import World

CONSUMERS = (
    ("active", "?", ()),
    ("community", "i2", ()),
    ("taste", "f4", (4,)),
    ("sessions", "i4", ()),
    ("joined_at", "i8", ()),
)
CREATORS = (
    ("active", "?", ()),
    ("person", "i4", ()),
    ("followers", "i4", ()),
    ("niche", "f4", (4,)),
    ("rate", "f4", ()),
    ("slant", "f4", ()),
)
POSTS = (("creator", "i4", ()), ("slant", "f4", ()), ("likes", "i8", ()))
LEVERS = (
    "accounts",
    "posts",
    "targeting",
    "share",
    "profiling",
    "coordination",
    "detection",
    "rate_limit",
)


class Platform:
    """A world with a campaign in it; its ``enlist`` does as the real one: opens rows with their own
    keys, and lets accounts post."""

    def __init__(self, n=600, opinions=True, **params):
        self.world = world = World(dt.date(2025, 1, 1), 1, 0, Board(Campaigns.metrics))
        for table, columns in Campaigns.columns.items():
            for column in columns:
                world.define("campaigns", table, column)
        feelings = (("opinion", "f4", ()), ("stubbornness", "f4", ())) if opinions else ()
        for table, columns in (
            ("consumers", CONSUMERS + feelings),
            ("creators", CREATORS),
            ("posts", POSTS),
        ):
            for name, dtype, shape in columns:
                world.define("test", table, Column(name, dtype, "1", "Test", shape=shape))
        for name in ("begin", "end", "regrow", "posts", "rate_limit"):  # as in YAML
            if name in params:
                params[name] = (
                    format_rate(params[name])
                    if name in ("posts", "rate_limit")
                    else format_duration(params[name])
                )
        self.campaign = Campaigns(CampaignsParams(**params), world)
        for name in LEVERS:
            world.levers[f"campaigns.{name}"] = getattr(self.campaign.p, name)
        world.levers.update(
            {"opinions.exposure_rate": 0.01, "opinions.tolerance": 0.8, "opinions.repulsion": 0.0}
        )
        for name in ("enlist", "aim", "throttle", "dismiss", "inflate"):
            world.provide(name, getattr(self, name))
        world.provide("window", lambda: self.window)
        world.on_add(self.campaign.born)
        self.calls, self.made, self.window = [], {}, None
        rng = np.random.default_rng(0)
        community = np.arange(n) % 3
        taste = np.eye(3, 4)[community] + 0.3 * rng.normal(size=(n, 4))
        more = (
            {"opinion": rng.uniform(-1, 1, n), "stubbornness": rng.uniform(0, 1, n)}
            if opinions
            else {}
        )
        world.add(
            "test",
            "consumers",
            self.keys("person", n),
            active=np.ones(n, bool),
            community=community,
            taste=taste / np.linalg.norm(taste, axis=1, keepdims=True),
            sessions=rng.integers(0, 50, n),
            **more,
        )
        world.add(
            "test",
            "creators",
            self.keys("human", 90),
            active=np.ones(90, bool),
            person=np.arange(90),
            rate=np.ones(90),
            followers=rng.integers(0, 100, 90),
        )
        self.campaign.setup()

    def keys(self, stream, count):
        first = self.made.get(stream, 0)
        self.made[stream] = first + count
        return children(
            np.full(count, self.world.draws.stream(stream)), np.arange(first, first + count)
        )

    def enlist(self, count, slant, rate, niches, stream):
        self.calls.append(("enlist", count))
        return self.world.add(
            "test",
            "creators",
            self.keys(stream, count),
            active=np.ones(count, bool),
            person=np.full(count, -1),
            rate=np.full(count, rate),
            niche=niches,
            slant=np.full(count, slant),
        )

    def aim(self, rows, slant, niches):
        self.calls.append(("aim", len(rows)))
        self.world.table("creators")["slant"][rows] = slant
        self.world.table("creators")["niche"][rows] = niches

    def throttle(self, rows, rate):
        self.calls.append(("throttle", len(rows)))
        self.world.table("creators")["rate"][rows] = rate

    def dismiss(self, rows):
        self.calls.append(("dismiss", len(rows)))
        self.world.table("creators")["active"][rows] = False

    def inflate(self, posts, likes):
        self.world.table("posts")["likes"][posts] += likes

    def post(self, makers):
        """New posts of these creators, with their slant; the rows."""
        rows = self.world.add(
            "test", "posts", self.keys("post", len(makers)), creator=np.asarray(makers)
        )
        self.world.table("posts")["slant"][rows] = self.world.table("creators")["slant"][makers]
        return rows

    def show(self, consumers, posts):
        """One serving window with these impressions."""
        self.window = SimpleNamespace(
            consumer=np.asarray(consumers, np.int32), post=np.asarray(posts, np.int32)
        )
        self.campaign.react()

    def days(self, count, posting=False):
        """So many more days of the campaign, with whole posts at each account's rate if asked
        for."""
        for _ in range(count):
            self.world.now += DAY
            self.campaign.act()
            rows = self.campaign.accounts()
            if posting and len(rows):
                self.post(np.repeat(rows, self.world.table("creators")["rate"][rows].astype(int)))

    def get(self, name):
        """A metric, read now."""
        self.campaign.measure()
        return self.world.board.get(name)


def test_no_accounts_nothing_happens():
    """Control: with accounts 0 (the default) no service is asked, no state changes, and every
    metric but the distance is 0."""
    platform = Platform()
    before = {name: array.copy() for name, array in platform.world.state.items()}
    platform.days(30)
    platform.show([1, 2], platform.post([3, 4]))
    assert platform.calls == [] and not platform.world.table("consumers")["campaign_aimed"].any()
    assert all(np.array_equal(array, before[name]) for name, array in platform.world.state.items())
    for metric in Campaigns.metrics:
        assert (platform.get(metric.name) == 0) == (metric.name != "campaign_target_distance")
    far = np.abs(platform.world.table("consumers")["opinion"].astype(float) - 0.8).mean()
    assert platform.get("campaign_target_distance") == pytest.approx(far, abs=1e-12)


def test_accounts_stand_for_the_target_between_begin_and_end():
    """They are opened when the campaign begins, with its slant and rate, and dismissed when it
    ends, which is no ban."""
    platform = Platform(
        accounts=12, begin=3 * DAY, end=10 * DAY, target=-0.6, posts=7.0, detection=0.0
    )
    table = platform.world.table("creators")
    counts = []
    for _ in range(12):
        platform.days(1)
        counts.append(int(platform.get("campaign_accounts")))
    assert (
        counts == [0, 0, 12, 12, 12, 12, 12, 12, 12, 0, 0, 0]
        and platform.get("campaign_banned") == 0
    )
    rows = np.flatnonzero(table["campaign_group"] >= 0)
    assert (
        len(rows) == 12
        and table["slant"][rows] == pytest.approx(-0.6)
        and (table["rate"][rows] == 7).all()
    )


@pytest.mark.parametrize(
    ("params", "days", "begun", "ended", "why"),
    [
        ({"begin": 3 * DAY, "end": 10 * DAY, "detection": 0.0}, 15, 3, 10, "its time is over"),
        ({"posts": 10.0, "budget": 100.0, "detection": 0.0}, 30, 1, None, "its money is spent"),
        ({"detection": 1.0, "regrow": 0}, 30, 1, 2, "all its accounts are banned"),
        ({"detection": 1.0, "regrow": 3 * DAY}, 30, 1, None, None),
        ({"begin": 3 * DAY, "detection": 0.0}, 2, None, None, None),
    ],
)
def test_its_begin_and_end_are_marked(params, days, begun, ended, why):
    """One mark when it begins to act and one when it is over, which says why; waiting for
    replacements is no end."""
    platform = Platform(accounts=5, targeting="reach", **params)
    platform.days(days, posting=True)
    marks = platform.world.marks
    assert [kind for _, kind, _ in marks] == ["campaign"] * (
        (begun is not None) + (why is not None)
    )
    if begun is not None:
        assert (
            marks[0][0] == begun * DAY
            and marks[0][2] == "begun: 5 accounts push towards 0.8, aiming by reach"
        )
    if why is not None:
        assert marks[1][2] == f"ended: {why}" and ended in (None, marks[1][0] // DAY)


def test_a_campaign_that_is_called_off_and_taken_up_again_is_marked_each_time():
    """The lever decides: 5, 0, 5 accounts give a begin, an end and a begin."""
    platform = Platform(accounts=5, detection=0.0)
    for accounts in (5, 0, 0, 5, 5):
        platform.world.levers["campaigns.accounts"] = accounts
        platform.days(1)
    assert [(when // DAY, text.split(":")[0]) for when, _, text in platform.world.marks] == [
        (1, "begun"),
        (2, "ended"),
        (4, "begun"),
    ]
    assert platform.world.marks[1][2] == "ended: called off"


def test_certain_detection_bans_everybody_and_none_nobody():
    """Controls: detection 1 finds every account on its first day, 0 none ever; banned ones are
    replaced after `regrow`."""
    platform = Platform(accounts=20, detection=1.0, regrow=3 * DAY)
    counts = []
    for _ in range(9):
        platform.days(1)
        counts.append(int(platform.get("campaign_accounts")))
    assert counts == [20, 0, 0, 0, 20, 0, 0, 0, 20] and platform.get("campaign_banned") == 40
    safe = Platform(accounts=20, detection=0.0, coordination=1.0, posts=500.0)
    safe.days(50)
    assert safe.get("campaign_banned") == 0 and safe.get("campaign_accounts") == 20
    gone = Platform(accounts=20, detection=1.0, regrow=0)
    gone.days(50)
    assert gone.get("campaign_accounts") == 0 and gone.get("campaign_banned") == 20


@pytest.mark.parametrize(
    ("coordination", "posts", "raised"),
    [(0.0, 4.0, 1.0), (0.5, 4.0, 3.0), (0.0, 4.6 * np.e**2, 3.0), (1.0, 4.6 * np.e, 6.0)],
)
def test_what_raises_detection(coordination, posts, raised):
    """The share found in one day is 1 - (1 - detection)^s, s rising with coordination and with
    posts above the human norm."""
    platform = Platform(accounts=20_000, detection=0.05, coordination=coordination, posts=posts)
    platform.days(2)
    expected = 1 - 0.95**raised
    error = np.sqrt(expected * (1 - expected) / 20_000)
    assert platform.get("campaign_banned") / 20_000 == pytest.approx(expected, abs=4 * error)


def test_a_rate_limit_throttles_and_hides():
    """The limit holds for running accounts from the next day on; posting less, they are found less
    often."""
    platform = Platform(accounts=10, detection=0.0, posts=50.0)
    platform.days(2)
    platform.world.levers["campaigns.rate_limit"] = 3.0
    platform.days(1)
    table, rows = platform.world.table("creators"), platform.campaign.accounts()
    assert (table["rate"][rows] == 3).all() and platform.calls.count(("throttle", 10)) == 1
    platform.days(5)
    assert platform.calls.count(("throttle", 10)) == 1
    assert (table["rate"][:90] == 1).all()  # humans are not touched
    banned = []
    for limit in (500.0, 5.0):
        platform = Platform(
            accounts=2000, detection=0.02, coordination=0.0, posts=500.0, rate_limit=limit, regrow=0
        )
        platform.days(5)
        banned.append(platform.get("campaign_banned"))
    assert banned[0] > 3 * banned[1] > 0


def test_accounts_follow_the_lever():
    """More or fewer accounts wanted: the difference is opened or dismissed on the next day."""
    platform = Platform(accounts=10, detection=0.0)
    for wanted in (10, 25, 4, 0):
        platform.world.levers["campaigns.accounts"] = wanted
        platform.days(1)
        assert platform.get("campaign_accounts") == wanted
    assert [call for call in platform.calls if call[0] in ("enlist", "dismiss")] == [
        ("enlist", 10),
        ("enlist", 15),
        ("dismiss", 21),
        ("dismiss", 4),
    ]


def test_the_budget_ends_it():
    """Days of accounts and posts are paid for; what cannot be paid is not run, and what was spent
    is what was bought."""
    platform = Platform(
        accounts=10, posts=5.0, account_cost=1.0, post_cost=0.2, budget=105.0, detection=0.0
    )
    spent = []
    for _ in range(9):
        platform.days(1, posting=True)
        spent.append(platform.get("campaign_spent"))
    assert spent[:5] == pytest.approx([20, 40, 60, 80, 100]) and spent[5] == spent[
        -1
    ] == pytest.approx(104)
    assert platform.get("campaign_accounts") == 0 and platform.get("campaign_posts") == 5 * (
        5 * 10 + 2
    )
    endless = Platform(accounts=10, detection=0.0)
    endless.days(200)
    assert endless.get("campaign_accounts") == 10


@pytest.mark.parametrize("coordination", [0.0, 0.25, 1.0])
def test_accounts_like_one_another(coordination):
    """A new post gets coordination x (accounts - 1) likes on average; posts of others get none;
    coordination 0 none at all."""
    platform = Platform(accounts=11, coordination=coordination, detection=0.0)
    platform.days(1)
    foreign = platform.post(np.arange(90))
    posts = platform.post(np.repeat(platform.campaign.accounts(), 200))
    likes = platform.world.table("posts")["likes"]
    assert (
        likes[posts].mean() == pytest.approx(10 * coordination, abs=4 * 0.5 / np.sqrt(2200))
        and likes[foreign].sum() == 0
    )
    assert (
        np.abs(likes[posts] - 10 * coordination).max() < 1
        and platform.get("campaign_fake_likes") == likes.sum()
    )


def aimed(platform):
    platform.days(1)
    return platform.world.table("consumers")["campaign_aimed"]


def test_aim_by_reach_and_by_susceptibility():
    """By reach: who is followed and comes often; by susceptibility: whom one post would move
    furthest; both exactly the top share."""
    platform = Platform(accounts=5, targeting="reach", share=0.05)
    people, makers = platform.world.table("consumers"), platform.world.table("creators")
    heard = np.zeros(600)
    heard[:90] = makers["followers"][:90]
    worth = (1 + heard) * (1 + people["sessions"])
    assert (
        aimed(platform).sum() == 30 and worth[people["campaign_aimed"]].min() >= np.sort(worth)[-30]
    )
    platform = Platform(accounts=5, targeting="susceptibility", share=0.05, target=0.9)
    people = platform.world.table("consumers")
    gap = 0.9 - people["opinion"].astype(float)
    moved = np.where(gap <= 0.8, (1 - people["stubbornness"]) * np.abs(gap), 0)
    assert (
        aimed(platform).sum() == 30 and moved[people["campaign_aimed"]].min() >= np.sort(moved)[-30]
    )
    assert (
        people["stubbornness"][people["campaign_aimed"]].mean() < 0.3
        and gap[people["campaign_aimed"]].min() > 0.4
    )


def test_without_profiling_aim_is_random():
    """Control: with profiling 0 every targeting picks the very people that random targeting picks;
    so does one without opinions."""
    random = aimed(Platform(accounts=5, targeting="random", share=0.1)).copy()
    assert random.sum() == 60
    for targeting in ("reach", "susceptibility"):
        assert np.array_equal(
            aimed(Platform(accounts=5, targeting=targeting, share=0.1, profiling=0.0)), random
        )
        assert not np.array_equal(
            aimed(Platform(accounts=5, targeting=targeting, share=0.1)), random
        )
    assert np.array_equal(
        aimed(Platform(accounts=5, targeting="susceptibility", share=0.1, opinions=False)), random
    )


def test_accounts_make_what_their_people_like():
    """Accounts are dealt out to communities by people aimed at, and take these people's mean taste;
    weekly, they aim anew."""
    platform = Platform(accounts=30, detection=0.0, share=0.5)
    platform.days(1)
    people, makers = platform.world.table("consumers"), platform.world.table("creators")

    def check():
        rows = platform.campaign.accounts()
        count = np.bincount(people["community"][people["campaign_aimed"]], minlength=3)
        for community in range(3):
            mean = people["taste"][
                people["campaign_aimed"] & (people["community"] == community)
            ].sum(axis=0)
            here = rows[makers["campaign_group"][rows] == community]
            assert abs(len(here) - 30 * count[community] / count.sum()) <= 1
            if len(here):
                assert makers["niche"][here] == pytest.approx(
                    np.tile(mean / np.linalg.norm(mean), (len(here), 1)), abs=1e-6
                )

    check()
    people["active"][people["community"] == 2] = False
    platform.days(6)
    assert ("aim", 30) not in platform.calls
    platform.days(1)
    assert ("aim", 30) in platform.calls and not (
        people["campaign_aimed"] & ~people["active"]
    ).any()
    check()


def test_persuasion_is_what_the_impressions_add():
    """Per 1000 impressions: exposure rate x openness x pull, towards the target; beyond the
    tolerance nothing; others' posts nothing."""
    platform = Platform(accounts=3, target=0.8, detection=0.0)
    platform.days(1)
    people = platform.world.table("consumers")
    posts = platform.post(np.append(platform.campaign.accounts(), [5, 6]))
    rng = np.random.default_rng(3)
    who, what = rng.integers(0, 600, 5000), rng.integers(0, 5, 5000)
    platform.show(who, posts[what])
    mine = who[what < 3]
    gap = 0.8 - people["opinion"][mine].astype(float)
    added = (
        0.01
        * (1 - people["stubbornness"][mine].astype(float))
        * np.where(np.abs(gap) <= 0.8, np.abs(gap), 0)
    )
    assert platform.get("campaign_impressions") == len(mine) > 2500
    assert platform.get("persuasion_per_mille") == pytest.approx(1000 * added.mean(), rel=1e-5)
    assert platform.get("campaign_aim_share") == pytest.approx(
        people["campaign_aimed"][mine].mean(), abs=1e-12
    )
    assert platform.get("campaign_reached") == len(set(mine.tolist()))
    reading = platform.get("persuasion_per_mille")
    platform.show([0], posts[-1:])
    assert platform.get("persuasion_per_mille") == reading  # nothing new: the last reading stands
    people["active"][mine[0]] = False
    assert platform.get("campaign_reached") == len(set(mine.tolist())) - 1


def test_persuasion_agrees_with_the_day_that_follows():
    """First order: what `opinions` makes of ten impressions each at the day's end differs by terms
    of n x exposure rate."""
    platform = Platform(accounts=1, target=1.0, detection=0.0)
    platform.world.levers.update({"opinions.exposure_rate": 0.0005, "opinions.tolerance": 2.0})
    platform.days(1)
    people, posts = platform.world.table("consumers"), platform.post(platform.campaign.accounts())
    platform.show(np.repeat(np.arange(600), 10), np.repeat(posts, 6000))
    x = people["opinion"].astype(float)
    after = opinion.exposure(
        x, 1 - people["stubbornness"].astype(float), 0.0005, 1 - x, np.full(600, 10.0)
    )
    assert platform.get("persuasion_per_mille") == pytest.approx(
        1000 * (after - x).sum() / 6000, rel=0.005
    )


def test_persuasion_needs_influence():
    """Controls: exposure rate 0, full stubbornness, zero tolerance or a world without opinions:
    impressions, but no persuasion; with repulsion, posts beyond the tolerance drive people away."""

    def persuaded(**levers):
        platform = Platform(accounts=1, detection=0.0)
        platform.world.levers.update({f"opinions.{name}": value for name, value in levers.items()})
        platform.days(1)
        platform.show(np.arange(600), np.repeat(platform.post(platform.campaign.accounts()), 600))
        assert platform.get("campaign_impressions") == 600
        return platform.get("persuasion_per_mille")

    assert persuaded() > 0 == persuaded(exposure_rate=0.0) == persuaded(tolerance=0.0)
    assert persuaded(tolerance=0.1, repulsion=1.0) < 0
    stubborn, blank = (
        Platform(accounts=1, detection=0.0),
        Platform(accounts=1, detection=0.0, opinions=False),
    )
    stubborn.world.table("consumers")["stubbornness"][:] = 1
    for platform in (stubborn, blank):
        platform.days(1)
        platform.show(np.arange(600), np.repeat(platform.post(platform.campaign.accounts()), 600))
        assert (
            platform.get("campaign_impressions") == 600
            and platform.get("persuasion_per_mille") == 0
        )


def test_state_is_in_the_world():
    """A campaign rebuilt over a saved world goes on as the old one: same accounts, bans, money and
    aims."""

    def run(broken):
        platform = Platform(accounts=40, detection=0.05, budget=2000.0, targeting="reach")
        for _ in range(20):
            platform.days(1, posting=True)
            if broken:
                platform.campaign = Campaigns(platform.campaign.p, platform.world)
                platform.world._on_add[:] = [platform.campaign.born]
        platform.campaign.measure()
        return platform.world.board.snapshot(), platform.world.table("creators")["key"].copy()

    whole, again = run(False), run(True)
    assert np.array_equal(whole[0], again[0]) and np.array_equal(whole[1], again[1])


def test_banned_posts_still_count_and_recycled_rows_do_not():
    """A post outlives its banned author until the feed lets go of it; a row given to somebody else
    belongs to no campaign."""
    platform = Platform(accounts=1, detection=1.0, regrow=0)
    platform.days(1)
    row = platform.campaign.accounts()
    posts = platform.post(row)
    platform.days(1)
    platform.show([1], posts)
    assert platform.get("campaign_accounts") == 0 and platform.get("campaign_impressions") == 1
    platform.world.release("creators", row)
    platform.world.add(
        "test", "creators", platform.keys("human", 1), active=np.ones(1, bool), person=np.full(1, 3)
    )
    platform.show([1], platform.post(row))
    assert (
        platform.get("campaign_impressions") == 1
        and (platform.world.state["campaigns.regrow_at"] == NEVER).all()
    )
